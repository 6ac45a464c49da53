#include "warehouse/transfer/fields.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/json.h"
#include "base/text.h"
#include "warehouse/secure/values.h"
#include "warehouse/transfer/errors.h"

namespace redoubt::warehouse::transfer {
namespace {

using sql::TypeKind;
namespace values = secure::values;

constexpr int64_t kDay = 86'400'000'000;

std::string_view view(const char* text, size_t size) { return {text, size}; }

bool is_ascii(const char* s, size_t n) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t w;
    std::memcpy(&w, s + i, 8);
    if (w & 0x8080808080808080ull) return false;
  }
  for (; i < n; ++i)
    if (s[i] & 0x80) return false;
  return true;
}

std::string quote_value(std::string_view text) { return "'" + std::string(text.substr(0, 64)) + "'"; }

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'; }

}  // namespace

std::string load_type(const sql::Type& type) { return type.is(TypeKind::kChar) ? "char" : std::string(type.type_name()); }

std::string load_length(const sql::Type& type) {
  if (type.is(TypeKind::kDecimal)) return std::to_string(type.precision) + "," + std::to_string(type.scale);
  return type.length == sql::Type::kAny ? "0" : std::to_string(type.length);
}

/// Source of the rules' numbers: "Multibyte character load errors".
std::optional<BadUtf8> find_bad_utf8(std::string_view text) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t n = text.size();
  for (size_t i = 0; i < n;) {
    unsigned c = at(i);
    if (c < 0x80) {
      ++i;
      continue;
    }
    auto bad = [&](size_t length, int rule) { return BadUtf8{i, hex(text.substr(i, length)), rule}; };
    if (c < 0xc0 || c >= 0xfe) return bad(1, 3);
    if (c >= 0xf8) return bad(1, 1);
    size_t length = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t point = c & (0xff >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      if (i + k >= n) return bad(n - i, 2);
      if ((at(i + k) & 0xc0) != 0x80) return bad(k + 1, 4);
      point = point << 6 | (at(i + k) & 0x3f);
    }
    constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[length]) return bad(length, 9);
    if (point > 0x10ffff) return bad(length, 8);
    if (point >= 0xd800 && point <= 0xdfff) return bad(length, 5);
    if (point >= 0xfdd0 && point <= 0xfdef) return bad(length, 6);
    if ((point & 0xfffe) == 0xfffe) return bad(length, 7);
    i += length;
  }
  return std::nullopt;
}

std::string readable(std::string_view text, size_t max) {
  std::string out(text.substr(0, max));
  while (auto bad = find_bad_utf8(out)) std::memset(out.data() + bad->at, '?', bad->hex.size() / 2);
  return out;
}

FieldParser::FieldParser(std::span<const ColumnRule> rules, const CopyOptions& options, std::shared_ptr<engine::LocalTime> zone)
    : options_(options), null_as_(options.null_as), zone_(std::move(zone)) {
  for (auto& column : rules) {
    Rule rule;
    rule.storage = engine::storage_of(column.type);
    rule.not_null = column.not_null;
    rule.bytes_max = column.type.length == sql::Type::kAny ? SIZE_MAX : static_cast<size_t>(column.type.length);
    rule.precision = column.type.precision == sql::Type::kAny ? 38 : column.type.precision;
    rule.scale = column.type.scale;
    switch (column.type.kind) {
      case TypeKind::kBoolean:
        rule.kind = Kind::kBoolean;
        break;
      case TypeKind::kSmallint:
        rule.kind = Kind::kSmallint;
        break;
      case TypeKind::kInteger:
        rule.kind = Kind::kInteger;
        break;
      case TypeKind::kDecimal:
        rule.kind = Kind::kDecimal;
        break;
      case TypeKind::kReal:
        rule.kind = Kind::kReal;
        break;
      case TypeKind::kDouble:
        rule.kind = Kind::kDouble;
        break;
      case TypeKind::kChar:
        rule.kind = Kind::kChar;
        break;
      case TypeKind::kSuper:
        rule.kind = Kind::kSuper;
        break;
      case TypeKind::kVarbyte:
        rule.kind = Kind::kVarbyte;
        break;
      case TypeKind::kDate:
        rule.kind = Kind::kDate;
        break;
      case TypeKind::kTime:
        rule.kind = Kind::kTime;
        break;
      case TypeKind::kTimeTz:
        rule.kind = Kind::kTimeTz;
        break;
      case TypeKind::kTimestamp:
        rule.kind = Kind::kTimestamp;
        break;
      case TypeKind::kTimestampTz:
        rule.kind = Kind::kTimestampTz;
        break;
      case TypeKind::kBigint:
      case TypeKind::kOid:
        rule.kind = Kind::kBigint;
        break;
      default:
        rule.kind = Kind::kText;
        break;
    }
    rules_.push_back(rule);
    names_.push_back(column.name);
  }
}

bool FieldParser::refuse(int code, std::string reason, size_t position) {
  error_ = {code, std::move(reason), static_cast<int>(position)};
  return false;
}

bool FieldParser::digit(const char* text, size_t size, size_t at, const char* type) {
  std::string value(1, at < size ? text[at] : ' ');
  return refuse(load_code::kDigit, "Invalid digit, Value '" + value + "', Pos " + std::to_string(at) + ", Type: " + type, at);
}

bool FieldParser::put_null(size_t column, engine::LoadColumn& out, size_t row) {
  if (rules_[column].not_null) return refuse(load_code::kNotNull, "Missing data for not-null field");
  out.set_null(row);
  return true;
}

bool FieldParser::put(size_t column, engine::LoadColumn& out, size_t row, char* text, size_t size) {
  const Rule& rule = rules_[column];
  if (rule.kind == Kind::kText || rule.kind == Kind::kChar) return this->text(column, rule, out, row, text, size);
  // What isn't text may stand between blanks; nothing but blanks is NULL.
  while (size > 0 && blank(*text)) ++text, --size;
  while (size > 0 && blank(text[size - 1])) --size;
  if (size == 0) return put_null(column, out, row);
  switch (rule.kind) {
    case Kind::kSmallint:
      return integer<int16_t>(out, row, text, size, "Short");
    case Kind::kInteger:
      return integer<int32_t>(out, row, text, size, "Integer");
    case Kind::kBigint:
      return integer<int64_t>(out, row, text, size, "Long");
    case Kind::kDecimal:
      return decimal(rule, out, row, text, size);
    case Kind::kReal:
      return real<float>(out, row, text, size);
    case Kind::kDouble:
      return real<double>(out, row, text, size);
    case Kind::kBoolean:
      return boolean(out, row, view(text, size));
    case Kind::kDate:
      return date(column, out, row, view(text, size));
    case Kind::kTimestamp:
    case Kind::kTimestampTz:
      return timestamp(column, rule, out, row, view(text, size));
    case Kind::kTime:
    case Kind::kTimeTz:
      return time(rule, out, row, view(text, size));
    case Kind::kSuper:
      return super(rule, out, row, view(text, size));
    case Kind::kVarbyte:
      return varbyte(rule, out, row, view(text, size));
    case Kind::kText:
    case Kind::kChar:
      break;
  }
  return false;
}

template <class T>
bool FieldParser::integer(engine::LoadColumn& out, size_t row, const char* text, size_t size, const char* type) {
  const char *from = text, *end = text + size;
  if (*from == '+' && size > 1) ++from;
  if (from != text && !is_digit(*from)) return digit(text, size, 1, type);
  auto [at, ec] = std::from_chars(from, end, out.at<T>(row));
  if (ec == std::errc() && at == end) return true;
  size_t bad = static_cast<size_t>(at - text);
  if (ec == std::errc::result_out_of_range) {
    while (at < end && is_digit(*at)) ++at;
    if (at == end) return refuse(load_code::kOverflow, "Overflow, Value " + quote_value(view(text, size)) + ", Type: " + type);
    bad = static_cast<size_t>(at - text);
  } else if (ec != std::errc()) {
    bad = *text == '-' || *text == '+' ? 1 : 0;
  }
  return digit(text, size, bad, type);
}

bool FieldParser::decimal(const Rule& rule, engine::LoadColumn& out, size_t row, const char* text, size_t size) {
  const char *s = text, *end = text + size;
  bool negative = *s == '-', any = false, overflow = false;
  if (*s == '-' || *s == '+') ++s;
  // Up to 38 digits: the 128 bits can't overflow before that is noticed.
  values::Int128 units = 0;
  int digits = 0;
  auto push = [&](unsigned d) {
    if (units != 0 || d != 0) ++digits;
    if (digits > 38)
      overflow = true;
    else
      units = units * 10 + d;
  };
  for (; s < end && is_digit(*s); ++s, any = true) push(static_cast<unsigned>(*s - '0'));
  int scale = 0;
  bool up = false;
  if (s < end && *s == '.') {
    for (++s; s < end && is_digit(*s); ++s, any = true) {
      if (scale < rule.scale) {
        push(static_cast<unsigned>(*s - '0'));
        ++scale;
      } else if (scale == rule.scale) {
        up = options_.round_decimals && *s >= '5';  // the first digit beyond decides; without ROUNDEC they are cut off
        ++scale;
      }
    }
  }
  if (s < end || !any) return digit(text, size, static_cast<size_t>(s - text), "Decimal");
  for (; scale < rule.scale; ++scale) push(0);
  if (up) ++units;
  if (overflow || units >= values::power_of_ten(rule.precision))
    return refuse(load_code::kDecimal,
                  "Overflow for NUMERIC(" + std::to_string(rule.precision) + "," + std::to_string(rule.scale) + ")");
  if (negative) units = -units;
  switch (rule.storage) {
    case engine::Storage::kInt16:
      out.at<int16_t>(row) = static_cast<int16_t>(units);
      break;
    case engine::Storage::kInt32:
      out.at<int32_t>(row) = static_cast<int32_t>(units);
      break;
    case engine::Storage::kInt64:
      out.at<int64_t>(row) = static_cast<int64_t>(units);
      break;
    default:
      std::memcpy(static_cast<char*>(out.values) + row * 16, &units, 16);
      break;
  }
  return true;
}

template <class T>
bool FieldParser::real(engine::LoadColumn& out, size_t row, const char* text, size_t size) {
  const char *from = text, *end = text + size;
  if (*from == '+' && size > 1 && from[1] != '-') ++from;
  T value = 0;
  auto [at, ec] = std::from_chars(from, end, value);
  if (ec == std::errc::result_out_of_range && at == end)
    return refuse(load_code::kFloat, "Overflow, Value " + quote_value(view(text, size)) + ", Type: Float");
  if (ec != std::errc() || at != end || std::memchr(from, '(', size - static_cast<size_t>(from - text)))
    return refuse(
        load_code::kFloat,
        "Invalid digit, Value '" + std::string(1, at < end ? *at : ' ') + "', Pos " + std::to_string(at - text) + ", Type: Float",
        static_cast<size_t>(at - text));
  out.at<T>(row) = value;
  return true;
}

bool FieldParser::boolean(engine::LoadColumn& out, size_t row, std::string_view s) {
  auto is = [&](std::initializer_list<std::string_view> words) {
    for (auto w : words)
      if (iequals(s, w)) return true;
    return false;
  };
  bool yes = is({"1", "t", "true", "y", "yes", "on"});
  if (!yes && !is({"0", "f", "false", "n", "no", "off"})) return refuse(load_code::kBoolean, "Unknown boolean format");
  out.at<uint8_t>(row) = yes;
  return true;
}

bool FieldParser::text(size_t column, const Rule& rule, engine::LoadColumn& out, size_t row, char* text, size_t size) {
  bool is_char = rule.kind == Kind::kChar;
  if (size == 0 && options_.empty_as_null) return put_null(column, out, row);
  if (!is_ascii(text, size)) {
    while (auto bad = find_bad_utf8(view(text, size))) {
      if (!options_.replace_invalid)
        return refuse(load_code::kUtf8,
                      "String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: " + bad->hex +
                          " (error " + std::to_string(bad->rule) + ")",
                      bad->at);
      std::memset(text + bad->at, *options_.replace_invalid, bad->hex.size() / 2);
    }
    if (is_char && !is_ascii(text, size)) {
      size_t at = 0;
      while (!(text[at] & 0x80)) ++at;
      if (!options_.replace_invalid) {
        size_t length = 1;
        while (at + length < size && (text[at + length] & 0xc0) == 0x80) ++length;
        std::string bytes;
        for (size_t i = 0; i < length; ++i) bytes += (i ? " " : "") + hex(view(text + at + i, 1));
        return refuse(load_code::kUtf8,
                      "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: " + bytes, at);
      }
      for (; at < size; ++at)
        if (text[at] & 0x80) text[at] = *options_.replace_invalid;
    }
  }
  if (options_.blanks_as_null) {
    size_t i = 0;
    while (i < size && blank(text[i])) ++i;
    if (i == size) return put_null(column, out, row);
  }
  // Stored without its blanks; VARCHAR keeps them unless told otherwise.
  if (is_char || options_.trim_blanks)
    while (size > 0 && text[size - 1] == ' ') --size;
  if (size > rule.bytes_max) {
    if (!options_.truncate_columns)
      return refuse(load_code::kOutOfRange, is_char ? "Char length exceeds DDL length" : "String length exceeds DDL length");
    size = values::cut(view(text, size), rule.bytes_max).size();
    while (is_char && size > 0 && text[size - 1] == ' ') --size;
  }
  out.at<std::string_view>(row) = view(text, size);
  return true;
}

bool FieldParser::date(size_t column, engine::LoadColumn& out, size_t row, std::string_view s) {
  if (options_.date_format.date(s, out.at<int32_t>(row))) return true;
  if (options_.accept_any_date) return put_null(column, out, row);
  if (options_.date_format.text().empty() && s.size() < 10)
    return refuse(load_code::kDate, "Invalid Date Format - length must be 10 or more");
  auto format = options_.date_format.text().empty() ? std::string("YYYY-MM-DD") : options_.date_format.text();
  return refuse(load_code::kDate, "Invalid date format or value [" + format + "]");
}

int64_t FieldParser::to_utc(int64_t local, const ParsedTime& parsed, bool& known) {
  if (parsed.offset_seconds) return local - int64_t{*parsed.offset_seconds} * 1'000'000;
  if (parsed.zone.empty()) return zone_ ? zone_->to_utc(local) : local;
  if (parsed.zone != named_zone_text_) {
    auto zone = engine::local_time(parsed.zone);
    known = zone.has_value();
    if (!known) return local;
    named_zone_text_ = parsed.zone;
    named_zone_ = *std::move(zone);
  }
  return named_zone_ ? named_zone_->to_utc(local) : local;
}

bool FieldParser::timestamp(size_t column, const Rule& rule, engine::LoadColumn& out, size_t row, std::string_view s) {
  ParsedTime parsed;
  if (options_.time_format.timestamp(s, parsed)) {
    int64_t micros = parsed.days * kDay + parsed.micros;
    bool known = true;
    // TIMESTAMP takes the local time as it stands, whatever zone follows it.
    if (rule.kind == Kind::kTimestampTz) micros = to_utc(micros, parsed, known);
    if (known) {
      out.at<int64_t>(row) = micros;
      return true;
    }
  }
  if (options_.accept_any_date) return put_null(column, out, row);
  auto format = options_.time_format.text().empty() ? std::string("YYYY-MM-DD HH24:MI:SS") : options_.time_format.text();
  return refuse(load_code::kTimestamp, "Invalid timestamp format or value [" + format + "]");
}

bool FieldParser::time(const Rule& rule, engine::LoadColumn& out, size_t row, std::string_view s) {
  int64_t micros = 0;
  ParsedTime parsed;
  std::string_view rest = s;
  if (take_time_of_day(rest, micros)) {
    if (rule.kind == Kind::kTime && rest.empty()) {
      out.at<int64_t>(row) = micros;
      return true;
    }
    if (rule.kind == Kind::kTimeTz && (rest.empty() || parse_zone(rest, parsed)) && parsed.zone.empty()) {
      out.at<int64_t>(row) = engine::time_tz_bits(secure::values::utc_time_of_day(micros, parsed.offset_seconds.value_or(0)), 0);
      return true;
    }
  }
  return refuse(load_code::kTimestamp, "Invalid time format or value [HH24:MI:SS]");
}

bool FieldParser::super(const Rule&, engine::LoadColumn& out, size_t row, std::string_view s) {
  auto json = Json::parse(s);
  if (!json) return refuse(load_code::kJson, "Invalid JSON for a SUPER column");
  out.at<std::string_view>(row) = keep(json->dump());
  return true;
}

bool FieldParser::varbyte(const Rule& rule, engine::LoadColumn& out, size_t row, std::string_view s) {
  auto bytes = unhex(s);
  if (!bytes) return refuse(load_code::kDigit, "Invalid hexadecimal digit, Type: Varbyte");
  if (bytes->size() > rule.bytes_max) {
    if (!options_.truncate_columns) return refuse(load_code::kOutOfRange, "Varbyte length exceeds DDL length");
    bytes->resize(rule.bytes_max);
  }
  out.at<std::string_view>(row) = keep(std::move(*bytes));
  return true;
}

}  // namespace redoubt::warehouse::transfer
