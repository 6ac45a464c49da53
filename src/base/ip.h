#pragma once
/// IP addresses and CIDR blocks, v4 and v6. A v4 address is kept as its v4-mapped v6 form, so that comparing is one way.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt {

struct Ip {
  std::array<uint8_t, 16> bytes{};                        // v4: ::ffff:a.b.c.d
  static std::optional<Ip> parse(std::string_view text);  // no leading zeros, no scope ids
  static Ip v4(uint32_t host_order);
  bool is_v4() const;
  uint32_t v4_value() const;  // host order
  std::string str() const;
  auto operator<=>(const Ip&) const = default;
};

struct Cidr {
  Ip base;         // host bits cleared
  int prefix = 0;  // of the 128 (v4: 96 + its own)
  /// "10.0.0.0/8", "::/0"; an address alone is a /32 or /128. Host bits may be set; they are cleared.
  static std::optional<Cidr> parse(std::string_view text);
  bool contains(const Ip& ip) const;
  bool is_v4() const { return base.is_v4() && prefix >= 96; }
  std::string str() const;
  bool operator==(const Cidr&) const = default;
};

}  // namespace redoubt
