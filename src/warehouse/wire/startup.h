#pragma once
/// The packets before a session: a length, a code, no type byte. Pure.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "warehouse/session/session.h"
#include "warehouse/wire/errors.h"

namespace redoubt::warehouse::wire {

inline constexpr int kProtocolSupported = 3;  // the highest client_protocol_version

struct Startup {
  enum class Kind : uint8_t { kTls, kGss, kCancel, kSession } kind = Kind::kSession;
  size_t size = 0;                                              // bytes of the packet
  uint32_t pid = 0, secret = 0;                                 // kCancel
  std::vector<std::pair<std::string, std::string>> parameters;  // kSession, in order

  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
};

/// The packet at the front of `bytes`; nullopt: it isn't complete. Errors (hang up): kProtocolViolation, kUnsupported (another
/// protocol version).
Result<std::optional<Startup>> read_startup(std::string_view bytes);

/// What the session is told. Driver's own keys are dropped, client_encoding loses its quotes.
/// Errors: kProtocolViolation (no user), kUnsupported (replication, an encoding that isn't UTF-8).
struct Hello {
  session::ClientHello client;
  session::SessionOptions session;
  std::optional<int> protocol;  // to be reported as server_protocol_version, if the client asked
};
Result<Hello> read_hello(const Startup& startup, bool tls);

}  // namespace redoubt::warehouse::wire
