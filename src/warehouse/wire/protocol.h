#pragma once
/// PostgreSQL's messages as bytes. Source: PostgreSQL documentation, "Message Formats"; Redshift's extended RowDescription as its
/// drivers read it (redshift_connector, JDBC 2.3). Pure; one thread at a time.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/engine/engine.h"
#include "warehouse/secure/plan.h"
#include "warehouse/session/session.h"
#include "warehouse/wire/errors.h"

namespace redoubt::warehouse::wire {

inline constexpr size_t kStatementMax = 16 << 20;  // Redshift's limit on the text of a statement

struct Message {
  char type = 0;
  std::string_view body;  // valid until the Input changes
};

/// Bytes as they arrive, cut into messages. It never holds more than one message beyond what a read brought, and a claimed length
/// reserves nothing: memory follows the bytes that came.
class Input {
 public:
  /// Before a client has signed on its messages are short.
  void limit_to_sign_on(bool yes) { sign_on_ = yes; }

  /// The next whole message; nullopt: read more. kProtocolViolation, kTooLarge: the stream can't be followed any further.
  Result<std::optional<Message>> next();

  /// Room for the next read, and how much of it was filled.
  std::span<char> room();
  void filled(size_t n);
  void append(std::string_view bytes);
  size_t buffered() const { return end_ - begin_; }
  /// Bytes that have arrived and aren't consumed.
  std::string_view pending() const { return std::string_view(bytes_).substr(begin_, end_ - begin_); }
  void consume(size_t n) { begin_ += n; }

 private:
  size_t limit(char type) const;

  std::string bytes_;
  size_t begin_ = 0, end_ = 0;
  bool sign_on_ = true;
};

/// A message's fields, read in order; any shortage makes it bad for good.
class Fields {
 public:
  explicit Fields(std::string_view body) : rest_(body) {}
  uint8_t byte();
  uint16_t int16();
  uint32_t int32();
  std::string_view text();  // up to its NUL
  std::string_view bytes(size_t n);
  bool ok() const { return ok_; }
  bool whole() const { return ok_ && rest_.empty(); }  // nothing is left over
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// Frontend messages of the extended protocol. Errors: kProtocolViolation, kTooLarge, kBadEncoding.
struct Parse {
  std::string statement;
  std::string_view sql;
  std::vector<uint32_t> types;
};
struct Bind {
  std::string portal, statement;
  std::vector<engine::Parameter> parameters;
  std::vector<int16_t> result_formats;
};
struct Named {    // Describe and Close
  char kind = 0;  // 'S' or 'P'
  std::string name;
};
struct Execute {
  std::string portal;
  int64_t max_rows = 0;
};
Result<std::string_view> read_query(std::string_view body);
Result<Parse> read_parse(std::string_view body);
Result<Bind> read_bind(std::string_view body);
Result<Named> read_named(std::string_view body);
Result<Execute> read_execute(std::string_view body);

/// One backend message: its fields, then the length is filled in.
class Reply {
 public:
  Reply(std::string& out, char type);
  ~Reply();
  Reply(const Reply&) = delete;
  Reply& byte(char c);
  Reply& int16(int v);
  Reply& int32(int64_t v);
  Reply& text(std::string_view s);  // with its NUL; NULs inside are dropped
  Reply& raw(std::string_view s);

 private:
  std::string& out_;
  size_t start_;
};

void put_error(std::string& out, std::string_view severity, const Error& error);
void put_notice(std::string& out, const session::Notice& notice);
void put_parameter_status(std::string& out, std::string_view name, std::string_view value);
/// `formats` as Bind gave them (none, one for all, one a column). From protocol 1 on Redshift's extension follows each field.
void put_row_description(std::string& out, const std::vector<secure::plan::Output>& columns, const std::vector<int16_t>& formats,
                         int protocol);
void put_parameter_description(std::string& out, const std::vector<uint32_t>& types);
void put_complete(std::string& out, std::string_view tag);
void put_ready(std::string& out, char status);
void put_empty(std::string& out, char type);  // messages without a body: '1' '2' '3' 'n' 's' 'I'

/// What a client is told: errors of ours (status 500) become "internal error" and go to the log.
Error presentable(Error error);

}  // namespace redoubt::warehouse::wire
