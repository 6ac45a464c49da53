#include "warehouse/wire/startup.h"

#include <algorithm>

#include "base/text.h"
#include "warehouse/wire/protocol.h"

namespace redoubt::warehouse::wire {
namespace {

constexpr uint32_t kPacketMax = 10000;  // as PostgreSQL's MAX_STARTUP_PACKET_LENGTH
constexpr size_t kParametersMax = 100;
constexpr uint32_t kCancelCode = 80877102, kTlsCode = 80877103, kGssCode = 80877104;

std::string unquoted(std::string_view s) {
  s = trim(s);
  if (s.size() >= 2 && (s.front() == '\'' || s.front() == '"') && s.back() == s.front()) s = s.substr(1, s.size() - 2);
  return std::string(s);
}

bool is_utf8_name(std::string_view s) {
  std::string plain;
  for (char c : to_lower(s))
    if (is_alnum(c)) plain += c;
  return plain == "utf8" || plain == "unicode" || plain == "utf8mb4";
}

}  // namespace

std::string_view Startup::get(std::string_view name) const {
  for (auto& [n, v] : parameters)
    if (n == name) return v;
  return {};
}
bool Startup::has(std::string_view name) const {
  return std::any_of(parameters.begin(), parameters.end(), [&](auto& p) { return p.first == name; });
}

Result<std::optional<Startup>> read_startup(std::string_view bytes) {
  if (bytes.size() < 4) return std::nullopt;
  Fields fields(bytes);
  uint32_t length = fields.int32();
  if (length < 8 || length > kPacketMax) return fail(kProtocolViolation, "invalid length of startup packet");
  if (bytes.size() < 8) return std::nullopt;
  uint32_t code = fields.int32();
  Startup out;
  out.size = length;
  switch (code) {
    case kTlsCode:
    case kGssCode:
      if (length != 8) return fail(kProtocolViolation, "invalid length of startup packet");
      out.kind = code == kTlsCode ? Startup::Kind::kTls : Startup::Kind::kGss;
      return out;
    case kCancelCode:
      if (length != 16) return fail(kProtocolViolation, "invalid length of startup packet");
      if (bytes.size() < 16) return std::nullopt;
      out.kind = Startup::Kind::kCancel;
      out.pid = fields.int32();
      out.secret = fields.int32();
      return out;
    default:
      break;
  }
  if (code != 3 << 16)
    return fail(kUnsupported, "unsupported frontend protocol " + std::to_string(code >> 16) + "." +
                                  std::to_string(code & 0xffff) + ": server supports 3.0 to 3.0");
  if (bytes.size() < length) return std::nullopt;
  Fields pairs(bytes.substr(8, length - 8));
  while (pairs.ok() && !pairs.rest().empty() && pairs.rest() != std::string_view("\0", 1)) {
    auto name = pairs.text(), value = pairs.text();
    if (!pairs.ok() || name.empty() || out.parameters.size() == kParametersMax || !is_valid_utf8(name) || !is_valid_utf8(value))
      return fail(kProtocolViolation, "invalid startup packet layout");
    out.parameters.emplace_back(name, value);
  }
  if (pairs.rest() != std::string_view("\0", 1))
    return fail(kProtocolViolation, "invalid startup packet layout: expected terminator as last byte");
  return out;
}

Result<Hello> read_hello(const Startup& startup, bool tls) {
  Hello hello;
  hello.client.user = startup.get("user");
  if (hello.client.user.empty()) return fail(kProtocolViolation, "no user name specified in startup packet");
  hello.client.database = startup.get("database");
  hello.client.tls = hello.session.tls = tls;
  if (startup.has("client_protocol_version")) {
    hello.client.amazon_driver = true;
    hello.client.scram = false;
    auto asked = parse_int(startup.get("client_protocol_version")).value_or(0);
    hello.protocol = hello.session.protocol = static_cast<int>(std::clamp<int64_t>(asked, 0, kProtocolSupported));
  }
  hello.session.application_name = startup.get("application_name");
  hello.session.driver_version = startup.get("driver_version");
  hello.session.os_version = startup.get("os_version");
  for (auto& [name, value] : startup.parameters) {
    static constexpr std::string_view kOwn[] = {"user",           "database",  "application_name", "client_protocol_version",
                                                "driver_version", "os_version"};
    if (std::ranges::find(kOwn, name) != std::end(kOwn) || name.starts_with("_pq_.")) continue;
    if (iequals(name, "replication") && !iequals(value, "false") && !iequals(value, "off") && value != "0")
      return fail(kUnsupported, "replication connections are not supported");
    if (iequals(name, "client_encoding")) {
      std::string encoding = unquoted(value);
      if (!is_utf8_name(encoding))
        return fail(kUnsupported, "client_encoding \"" + encoding + "\" is not supported: only UTF8 is");
      continue;
    }
    hello.session.parameters.emplace_back(name, value);
  }
  return hello;
}

}  // namespace redoubt::warehouse::wire
