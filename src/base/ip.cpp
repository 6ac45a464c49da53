#include "base/ip.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "base/text.h"

namespace redoubt {
std::optional<Ip> Ip::parse(std::string_view text) {
  char t[INET6_ADDRSTRLEN];  // policy decisions parse addresses and must not allocate
  if (text.size() >= sizeof t || text.find('\0') != text.npos) return std::nullopt;
  t[text.copy(t, text.size())] = '\0';
  in_addr a4;
  if (inet_pton(AF_INET, t, &a4) == 1) return v4(ntohl(a4.s_addr));
  Ip ip;
  if (inet_pton(AF_INET6, t, ip.bytes.data()) == 1) return ip;
  return std::nullopt;
}
Ip Ip::v4(uint32_t v) {
  Ip ip;
  ip.bytes[10] = ip.bytes[11] = 0xFF;
  for (int i = 0; i < 4; ++i) ip.bytes[size_t(12 + i)] = uint8_t(v >> (24 - 8 * i));
  return ip;
}
bool Ip::is_v4() const {
  for (size_t i = 0; i < 10; ++i)
    if (bytes[i]) return false;
  return bytes[10] == 0xFF && bytes[11] == 0xFF;
}
uint32_t Ip::v4_value() const {
  return uint32_t(bytes[12]) << 24 | uint32_t(bytes[13]) << 16 | uint32_t(bytes[14]) << 8 | bytes[15];
}
std::string Ip::str() const {
  char buf[INET6_ADDRSTRLEN];
  if (!is_v4()) return inet_ntop(AF_INET6, bytes.data(), buf, sizeof buf);
  char* end = buf;  // by hand: every authorization decision needs one
  for (size_t i = 12; i < 16; ++i) {
    end = std::to_chars(end, buf + sizeof buf, bytes[i]).ptr;
    if (i < 15) *end++ = '.';
  }
  return {buf, end};
}
std::optional<Cidr> Cidr::parse(std::string_view text) {
  size_t slash = text.find('/');
  auto ip = Ip::parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  int bits = ip->is_v4() && text.find(':') == text.npos ? 32 : 128, prefix = bits;
  if (slash != text.npos) {
    auto p = text.substr(slash + 1);
    auto v = parse_int(p);
    if (!v || *v < 0 || *v > bits || (p.size() > 1 && p[0] == '0')) return std::nullopt;
    prefix = int(*v);
  }
  Cidr c{*ip, prefix + 128 - bits};
  for (int bit = c.prefix; bit < 128; ++bit) c.base.bytes[size_t(bit / 8)] &= uint8_t(~(0x80 >> bit % 8));
  return c;
}
bool Cidr::contains(const Ip& ip) const {
  int whole = prefix / 8, rest = prefix % 8;
  if (memcmp(ip.bytes.data(), base.bytes.data(), size_t(whole)) != 0) return false;
  return rest == 0 || ((ip.bytes[size_t(whole)] ^ base.bytes[size_t(whole)]) >> (8 - rest)) == 0;
}
std::string Cidr::str() const { return base.str() + "/" + std::to_string(is_v4() ? prefix - 96 : prefix); }
}  // namespace redoubt
