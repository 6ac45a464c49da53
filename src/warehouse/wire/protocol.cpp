#include "warehouse/wire/protocol.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/log.h"
#include "base/text.h"

namespace redoubt::warehouse::wire {
namespace {

constexpr size_t kReadMin = 1 << 10, kReadMax = 256 << 10, kKeep = 64 << 10;
constexpr size_t kBindMax = 64 << 20, kOtherMax = 64 << 10, kSignOnMax = 16 << 10;

std::unexpected<Error> malformed(const char* message) {
  return fail(kProtocolViolation, std::string("invalid message format: ") + message);
}

Result<std::string> name(std::string_view text) {
  if (!is_valid_utf8(text)) return fail(kBadEncoding, "invalid byte sequence for encoding \"UTF8\"");
  return std::string(text);
}

Result<std::string_view> statement_text(std::string_view sql) {
  if (sql.size() > kStatementMax)
    return fail(kTooLarge, "Statement is too large. Statement Size: " + std::to_string(sql.size()) +
                               " bytes. Maximum Allowed: " + std::to_string(kStatementMax) + " bytes");
  if (!is_valid_utf8(sql)) return fail(kBadEncoding, "invalid byte sequence for encoding \"UTF8\"");
  return sql;
}

bool is_format(int16_t code) { return code == 0 || code == 1; }

}  // namespace

// ------------------------------------------------------------------------------------------------------------------- Input

size_t Input::limit(char type) const {
  if (sign_on_) return kSignOnMax;
  switch (type) {
    case 'Q':
    case 'P':
      return kStatementMax + (1 << 20);
    case 'B':
    case 'd':
      return kBindMax;
    default:
      return kOtherMax;
  }
}

Result<std::optional<Message>> Input::next() {
  std::string_view have = pending();
  if (have.size() < 5) return std::nullopt;
  Fields head(have.substr(1, 4));
  uint32_t length = head.int32();
  if (length < 4) return fail(kProtocolViolation, "invalid message length");
  if (length > limit(have[0])) return fail(kTooLarge, "a message of " + std::to_string(length) + " bytes is too large");
  if (have.size() < 1 + size_t{length}) return std::nullopt;
  Message message{have[0], have.substr(5, length - 4)};
  begin_ += 1 + size_t{length};
  return message;
}

std::span<char> Input::room() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (bytes_.capacity() > kKeep) std::string().swap(bytes_);
  } else if (begin_ > 0) {
    bytes_.erase(0, begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // As much again as has come: a long message needs few reads, and a claim alone gets no memory.
  size_t more = std::clamp(end_, sign_on_ ? kReadMin : 8 * kReadMin, kReadMax);
  bytes_.resize(end_ + more);
  return {bytes_.data() + end_, more};
}

void Input::filled(size_t n) { end_ += n; }

void Input::append(std::string_view bytes) {
  while (!bytes.empty()) {
    auto into = room();
    size_t n = std::min(into.size(), bytes.size());
    std::memcpy(into.data(), bytes.data(), n);
    filled(n);
    bytes.remove_prefix(n);
  }
}

// ------------------------------------------------------------------------------------------------------------------ Fields

std::string_view Fields::bytes(size_t n) {
  if (!ok_ || n > rest_.size()) {
    ok_ = false;
    return {};
  }
  auto out = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return out;
}
uint8_t Fields::byte() {
  auto b = bytes(1);
  return b.empty() ? 0 : static_cast<uint8_t>(b[0]);
}
uint16_t Fields::int16() {
  auto high = byte(), low = byte();
  return static_cast<uint16_t>(high << 8 | low);
}
uint32_t Fields::int32() {
  uint32_t high = int16(), low = int16();
  return high << 16 | low;
}
std::string_view Fields::text() {
  auto nul = rest_.find('\0');
  if (!ok_ || nul == std::string_view::npos) {
    ok_ = false;
    return {};
  }
  auto out = rest_.substr(0, nul);
  rest_.remove_prefix(nul + 1);
  return out;
}

// ------------------------------------------------------------------------------------------------------- frontend messages

Result<std::string_view> read_query(std::string_view body) {
  Fields fields(body);
  auto sql = fields.text();
  if (!fields.whole()) return malformed("Query");
  return statement_text(sql);
}

Result<Parse> read_parse(std::string_view body) {
  Fields fields(body);
  auto statement = fields.text();
  auto sql = fields.text();
  size_t types = fields.int16();
  Parse out;
  if (!fields.ok() || types * 4 != fields.rest().size()) return malformed("Parse");
  for (size_t i = 0; i < types; ++i) out.types.push_back(fields.int32());
  TRY(out.statement, name(statement));
  TRY(out.sql, statement_text(sql));
  return out;
}

Result<Bind> read_bind(std::string_view body) {
  Fields fields(body);
  auto portal = fields.text(), statement = fields.text();
  size_t format_count = fields.int16();
  std::vector<int16_t> formats;
  for (size_t i = 0; i < format_count && fields.ok(); ++i) formats.push_back(static_cast<int16_t>(fields.int16()));
  size_t count = fields.int16();
  if (!fields.ok()) return malformed("Bind");
  if (format_count > 1 && format_count != count)
    return fail(kProtocolViolation, "bind message has " + std::to_string(format_count) + " parameter formats but " +
                                        std::to_string(count) + " parameters");
  Bind out;
  for (size_t i = 0; i < count; ++i) {
    engine::Parameter parameter;
    parameter.binary = format_count == 1 ? formats[0] == 1 : format_count > 1 && formats[i] == 1;
    uint32_t length = fields.int32();
    if (length != 0xffffffff) parameter.value = std::string(fields.bytes(length));
    if (!fields.ok()) return malformed("Bind");
    out.parameters.push_back(std::move(parameter));
  }
  size_t results = fields.int16();
  for (size_t i = 0; i < results && fields.ok(); ++i) out.result_formats.push_back(static_cast<int16_t>(fields.int16()));
  if (!fields.whole()) return malformed("Bind");
  if (!std::all_of(formats.begin(), formats.end(), is_format) ||
      !std::all_of(out.result_formats.begin(), out.result_formats.end(), is_format))
    return fail(kProtocolViolation, "unsupported format code");
  TRY(out.portal, name(portal));
  TRY(out.statement, name(statement));
  return out;
}

Result<Named> read_named(std::string_view body) {
  Fields fields(body);
  Named out;
  out.kind = static_cast<char>(fields.byte());
  auto text = fields.text();
  if (!fields.whole() || (out.kind != 'S' && out.kind != 'P')) return malformed("Describe or Close");
  TRY(out.name, name(text));
  return out;
}

Result<Execute> read_execute(std::string_view body) {
  Fields fields(body);
  auto portal = fields.text();
  Execute out;
  out.max_rows = static_cast<int32_t>(fields.int32());
  if (!fields.whole()) return malformed("Execute");
  out.max_rows = std::max<int64_t>(out.max_rows, 0);
  TRY(out.portal, name(portal));
  return out;
}

// -------------------------------------------------------------------------------------------------------- backend messages

Reply::Reply(std::string& out, char type) : out_(out), start_(out.size() + 1) {
  out_ += type;
  out_.append(4, '\0');
}
Reply::~Reply() {
  uint32_t length = __builtin_bswap32(static_cast<uint32_t>(out_.size() - start_));
  std::memcpy(out_.data() + start_, &length, 4);
}
Reply& Reply::byte(char c) {
  out_ += c;
  return *this;
}
Reply& Reply::int16(int v) {
  out_ += static_cast<char>(v >> 8);
  out_ += static_cast<char>(v);
  return *this;
}
Reply& Reply::int32(int64_t v) {
  int16(static_cast<int>(v >> 16 & 0xffff));
  return int16(static_cast<int>(v & 0xffff));
}
Reply& Reply::text(std::string_view s) {
  if (s.find('\0') == std::string_view::npos)
    out_ += s;
  else
    std::copy_if(s.begin(), s.end(), std::back_inserter(out_), [](char c) { return c != '\0'; });
  out_ += '\0';
  return *this;
}
Reply& Reply::raw(std::string_view s) {
  out_ += s;
  return *this;
}

void put_error(std::string& out, std::string_view severity, const Error& error) {
  Reply reply(out, 'E');
  reply.byte('S').text(severity).byte('C').text(error.kind->sqlstate).byte('M').text(error.message);
  struct Member {
    char code;
    const char* name;
  };
  for (Member m : {Member{'D', "DETAIL"}, Member{'H', "HINT"}, Member{'P', "POSITION"}, Member{'W', "CONTEXT"},
                   Member{'s', "SCHEMA"}, Member{'t', "TABLE"}, Member{'c', "COLUMN"}})
    if (auto value = error.get(m.name); !value.empty()) reply.byte(m.code).text(value);
  reply.byte('\0');
}

void put_notice(std::string& out, const session::Notice& notice) {
  Reply reply(out, 'N');
  reply.byte('S').text(notice.severity).byte('C').text(notice.sqlstate).byte('M').text(notice.message);
  if (!notice.detail.empty()) reply.byte('D').text(notice.detail);
  if (!notice.hint.empty()) reply.byte('H').text(notice.hint);
  reply.byte('\0');
}

void put_parameter_status(std::string& out, std::string_view name, std::string_view value) {
  Reply(out, 'S').text(name).text(value);
}

void put_row_description(std::string& out, const std::vector<secure::plan::Output>& columns, const std::vector<int16_t>& formats,
                         int protocol) {
  constexpr int kNotNull = 1 << 0, kCaseSensitive = 1 << 1, kAutoIncrement = 1 << 4, kSearchable = 1 << 12;
  Reply reply(out, 'T');
  reply.int16(static_cast<int>(columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    auto& c = columns[i];
    int format = formats.empty() ? 0 : formats.size() == 1 ? formats[0] : i < formats.size() ? formats[i] : 0;
    reply.text(c.name).int32(c.origin_relation).int16(c.origin_attnum);
    reply.int32(c.type.oid()).int16(c.type.typlen()).int32(c.type.typmod()).int16(format);
    if (protocol < 1) continue;
    int flags = kSearchable | (c.not_null ? kNotNull : 0) | (c.identity ? kAutoIncrement : 0);
    if (protocol >= 3 && c.type.is_string()) flags |= kCaseSensitive;
    reply.text(c.origin_schema).text(c.origin_table).text(c.origin_column).text(c.origin_database).int16(flags);
  }
}

void put_parameter_description(std::string& out, const std::vector<uint32_t>& types) {
  Reply reply(out, 't');
  reply.int16(static_cast<int>(types.size()));
  for (auto type : types) reply.int32(type);
}

void put_complete(std::string& out, std::string_view tag) { Reply(out, 'C').text(tag); }
void put_ready(std::string& out, char status) { Reply(out, 'Z').byte(status); }
void put_empty(std::string& out, char type) { Reply(out, type); }

Error presentable(Error error) {
  if (error.kind->http_status != 500) return error;
  static std::atomic<uint64_t> number{0};
  std::string id = std::to_string(++number);
  log::error("sql: internal error " + id + ": " + error.message);
  return {&kInternal, "internal error " + id};
}

}  // namespace redoubt::warehouse::wire
