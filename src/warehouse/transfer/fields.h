#pragma once
/// One field's text becomes a value in an engine column, by the rules of COPY: strict numbers, lengths in bytes, UTF-8 checked,
/// NULL and empty fields as the options say. Source: Database Developer Guide, "Data conversion parameters", "Load error
/// reference", "Multibyte character load errors".
///
///   FieldParser parser(rules, options, zone);
///   if (!parser.put(column, out[column], row, text, size)) log(parser.error());
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/bulk.h"
#include "warehouse/transfer/options.h"

namespace redoubt::warehouse::transfer {

/// A column that a load fills.
struct ColumnRule {
  std::string name;
  sql::Type type;
  bool not_null = false;
};

struct FieldError {
  int code = 0;
  std::string reason;
  int position = 0;  // in the field
};

/// How STL_LOAD_ERRORS names a column's type and length: "int4" and "0", "varchar" and "10".
std::string load_type(const sql::Type& type);
std::string load_length(const sql::Type& type);

/// Threads: one at a time.
class FieldParser {
 public:
  FieldParser(std::span<const ColumnRule> rules, const CopyOptions& options, std::shared_ptr<engine::LocalTime> zone);

  /// Text of a field as it is in the file: is it the NULL AS string?
  bool is_null_text(const char* text, size_t size) const {
    return size == null_as_.size() && std::memcmp(text, null_as_.data(), size) == 0;
  }
  /// `text` may be changed (ACCEPTINVCHARS), and text columns keep pointing to it.
  bool put(size_t column, engine::LoadColumn& out, size_t row, char* text, size_t size);
  bool put_null(size_t column, engine::LoadColumn& out, size_t row);
  /// Of the last put that returned false.
  const FieldError& error() const { return error_; }
  FieldError& error() { return error_; }

 private:
  enum class Kind : uint8_t {
    kBoolean,
    kSmallint,
    kInteger,
    kBigint,
    kDecimal,
    kReal,
    kDouble,
    kChar,
    kText,
    kSuper,
    kVarbyte,
    kDate,
    kTime,
    kTimeTz,
    kTimestamp,
    kTimestampTz
  };
  struct Rule {
    Kind kind;
    engine::Storage storage;
    size_t bytes_max = 0;
    int precision = 0, scale = 0;
    bool not_null = false;
  };
  bool refuse(int code, std::string reason, size_t position = 0);
  bool digit(const char* text, size_t size, size_t at, const char* type);
  template <class T>
  bool integer(engine::LoadColumn& out, size_t row, const char* text, size_t size, const char* type);
  bool decimal(const Rule& rule, engine::LoadColumn& out, size_t row, const char* text, size_t size);
  template <class T>
  bool real(engine::LoadColumn& out, size_t row, const char* text, size_t size);
  bool boolean(engine::LoadColumn& out, size_t row, std::string_view text);
  bool text(size_t column, const Rule& rule, engine::LoadColumn& out, size_t row, char* text, size_t size);
  bool date(size_t column, engine::LoadColumn& out, size_t row, std::string_view text);
  bool timestamp(size_t column, const Rule& rule, engine::LoadColumn& out, size_t row, std::string_view text);
  bool time(const Rule& rule, engine::LoadColumn& out, size_t row, std::string_view text);
  bool super(const Rule& rule, engine::LoadColumn& out, size_t row, std::string_view text);
  bool varbyte(const Rule& rule, engine::LoadColumn& out, size_t row, std::string_view text);
  int64_t to_utc(int64_t local, const ParsedTime& parsed, bool& known);

  std::vector<Rule> rules_;
  std::vector<std::string> names_;
  const CopyOptions& options_;
  const std::string null_as_;
  std::shared_ptr<engine::LocalTime> zone_;
  std::string named_zone_text_;  // the last zone named in a text, and its table
  std::shared_ptr<engine::LocalTime> named_zone_;
  FieldError error_;

 public:
  /// Text that isn't bytes of the file (JSON, Avro, SUPER, VARBYTE) lives from keep() until forget().
  std::string& keep(std::string text) {
    kept_.push_back(std::make_unique<std::string>(std::move(text)));
    return *kept_.back();
  }
  void forget() { kept_.clear(); }

 private:
  std::vector<std::unique_ptr<std::string>> kept_;
};

/// nullopt: valid. Else where, which bytes and the number of the rule that they break.
struct BadUtf8 {
  size_t at;
  std::string hex;
  int rule;
};
std::optional<BadUtf8> find_bad_utf8(std::string_view text);
/// `text`, at most `max` bytes of it, as what a text column can hold: bytes that are no UTF-8 become question marks.
std::string readable(std::string_view text, size_t max = 1024);

}  // namespace redoubt::warehouse::transfer
