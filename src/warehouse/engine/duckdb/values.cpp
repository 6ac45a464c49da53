#include "warehouse/engine/duckdb/values.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::engine {
namespace {

namespace values = secure::values;
using duckdb::LogicalType;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;

constexpr int64_t kEpochDays = 10957;                       // 2000-01-01
constexpr int64_t kEpochMicros = kEpochDays * 86400000000;  // since 1970

duckdb::hugeint_t huge(values::Int128 v) {
  duckdb::hugeint_t out;
  out.lower = static_cast<uint64_t>(v);
  out.upper = static_cast<int64_t>(v >> 64);
  return out;
}

Result<Value> decimal_value(const Type& type, std::string_view text) {
  TRY(auto parsed, values::parse_decimal(text));
  int precision = type.precision == Type::kAny ? 38 : type.precision;
  TRY(auto units, values::rescale(parsed, precision, type.scale));
  if (precision <= 4) return Value::DECIMAL(static_cast<int16_t>(units), precision, type.scale);
  if (precision <= 9) return Value::DECIMAL(static_cast<int32_t>(units), precision, type.scale);
  if (precision <= 18) return Value::DECIMAL(static_cast<int64_t>(units), precision, type.scale);
  return Value::DECIMAL(huge(units), precision, type.scale);
}

Result<Value> timestamptz_value(std::string_view text) {
  TRY(auto parsed, values::parse_datetime(text, "timestamp with time zone", 0));
  int32_t offset = parsed.offset_seconds.value_or(0);
  if (!parsed.zone.empty()) {
    auto fixed = values::fixed_offset(parsed.zone);
    if (!fixed) return fail(secure::kInvalidDatetime, "time zone \"" + parsed.zone + "\" can't be used here");
    offset = *fixed;
  }
  return Value::TIMESTAMPTZ(
      duckdb::timestamp_tz_t(int64_t{parsed.days} * 86400000000 + parsed.micros - int64_t{offset} * 1000000));
}

// ------------------------------------------------------------------------------------------------ binary parameters

template <class T>
std::optional<T> big_endian(std::string_view bytes) {
  if (bytes.size() != sizeof(T)) return std::nullopt;
  T v;
  std::memcpy(&v, bytes.data(), sizeof v);
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(v)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(v)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(v)));
  return v;
}

std::optional<std::string> any_integer(std::string_view bytes) {
  if (auto v = big_endian<int16_t>(bytes)) return std::to_string(*v);
  if (auto v = big_endian<int32_t>(bytes)) return std::to_string(*v);
  if (auto v = big_endian<int64_t>(bytes)) return std::to_string(*v);
  return std::nullopt;
}

/// numeric_send(): int16 digits, weight, sign, scale; then base-10000 digits.
std::optional<std::string> numeric_text(std::string_view bytes) {
  if (bytes.size() < 8 || bytes.size() > 8 + 2 * 64) return std::nullopt;
  auto at = [&](size_t i) { return *big_endian<int16_t>(bytes.substr(2 * i, 2)); };
  int n = at(0), weight = at(1), scale = at(3);
  uint16_t sign = static_cast<uint16_t>(at(2));
  if (n < 0 || bytes.size() != 8 + 2 * static_cast<size_t>(n) || scale < 0 || scale > 100 || weight > 32 || weight < -32)
    return std::nullopt;
  if (sign != 0 && sign != 0x4000) return std::nullopt;  // NaN and infinities: Redshift has none
  auto digit = [&](int position) -> int {                // base 10000, position 0 is the units'
    int i = weight - position;
    return i >= 0 && i < n ? at(4 + static_cast<size_t>(i)) : 0;
  };
  for (int i = 0; i < n; ++i)
    if (at(4 + static_cast<size_t>(i)) < 0 || at(4 + static_cast<size_t>(i)) > 9999) return std::nullopt;
  std::string out = sign ? "-" : "";
  if (weight < 0) out += "0";
  for (int p = weight; p >= 0; --p) {
    std::string d = std::to_string(digit(p));
    out += p == weight ? d : std::string(4 - d.size(), '0') + d;
  }
  if (scale > 0) {
    std::string fraction;
    for (int p = -1; static_cast<int>(fraction.size()) < scale; --p) {
      std::string d = std::to_string(digit(p));
      fraction += std::string(4 - d.size(), '0') + d;
    }
    out += "." + fraction.substr(0, static_cast<size_t>(scale));
  }
  return out;
}

/// array_send(): int32 dimensions, flags, element oid; then per dimension size and lower bound; then length and value each.
std::optional<std::string> array_text(std::string_view bytes) {
  auto word = [&](size_t at) { return at + 4 <= bytes.size() ? big_endian<int32_t>(bytes.substr(at, 4)) : std::nullopt; };
  auto dimensions = word(0), oid = word(8);
  if (!dimensions || !oid || *dimensions < 0 || *dimensions > 1) return std::nullopt;
  if (*dimensions == 0) return "{}";
  auto element = sql::type_from_oid(static_cast<uint32_t>(*oid));
  auto count = word(12);
  if (!element || element->is(TypeKind::kArray) || !count || *count < 0) return std::nullopt;
  size_t at = 20;
  std::string out = "{";
  for (int i = 0; i < *count; ++i) {
    auto length = word(at);
    if (!length || *length < -1) return std::nullopt;
    at += 4;
    if (i) out += ",";
    if (*length == -1) {
      out += "NULL";
      continue;
    }
    if (static_cast<size_t>(*length) > bytes.size() - at) return std::nullopt;
    auto text = binary_to_text(*element, bytes.substr(at, static_cast<size_t>(*length)));
    if (!text) return std::nullopt;
    out += '"' + replace_all(replace_all(*text, "\\", "\\\\"), "\"", "\\\"") + '"';
    at += static_cast<size_t>(*length);
  }
  if (at != bytes.size()) return std::nullopt;
  return out + "}";
}

std::string exact(double v) {
  char text[40];
  return {text, static_cast<size_t>(snprintf(text, sizeof text, "%.17g", v))};
}

std::optional<std::string> scalar_text(const Type& type, std::string_view bytes) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      if (bytes.size() != 1) return std::nullopt;
      return bytes[0] ? "t" : "f";
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return any_integer(bytes);
    case TypeKind::kOid:
    case TypeKind::kRegproc:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype:
    case TypeKind::kXid:
      if (auto v = big_endian<int32_t>(bytes)) return std::to_string(static_cast<uint32_t>(*v));
      return std::nullopt;
    case TypeKind::kReal:
      if (auto v = big_endian<int32_t>(bytes)) {
        char text[40];
        return std::string(text, static_cast<size_t>(snprintf(text, sizeof text, "%.9g", std::bit_cast<float>(*v))));
      }
      [[fallthrough]];  // a client that sends a double for a real
    case TypeKind::kDouble:
      if (auto v = big_endian<int64_t>(bytes)) return exact(std::bit_cast<double>(*v));
      return std::nullopt;
    case TypeKind::kDecimal:
      return numeric_text(bytes);
    case TypeKind::kDate:
      if (auto v = big_endian<int32_t>(bytes)) return values::format_date(int64_t{*v} + kEpochDays);
      return std::nullopt;
    case TypeKind::kTime:
      if (auto v = big_endian<int64_t>(bytes); v && *v >= 0 && *v <= 86400000000) return values::format_time(*v);
      return std::nullopt;
    case TypeKind::kTimeTz: {
      if (bytes.size() != 12) return std::nullopt;
      auto us = *big_endian<int64_t>(bytes.substr(0, 8));
      auto west = *big_endian<int32_t>(bytes.substr(8));
      if (us < 0 || us > 86400000000 || std::abs(west) > 16 * 3600) return std::nullopt;
      return values::format_time(us) + values::format_offset(-west);
    }
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz: {
      auto v = big_endian<int64_t>(bytes);
      if (!v || *v > INT64_MAX - kEpochMicros) return std::nullopt;
      return values::format_timestamp(*v + kEpochMicros) + (type.kind == TypeKind::kTimestampTz ? "+00" : "");
    }
    case TypeKind::kIntervalYearToMonth:
      if (auto v = big_endian<int32_t>(bytes)) return std::to_string(*v) + " months";
      return std::nullopt;
    case TypeKind::kIntervalDayToSecond:
      if (auto v = big_endian<int64_t>(bytes)) return std::to_string(*v) + " microseconds";
      return std::nullopt;
    case TypeKind::kInterval: {
      // Redshift's own form has int16 days and months: redshift_connector's timedelta.
      if (bytes.size() == 12)
        return std::to_string(*big_endian<int16_t>(bytes.substr(10))) + " months " +
               std::to_string(*big_endian<int16_t>(bytes.substr(8, 2))) + " days " +
               std::to_string(*big_endian<int64_t>(bytes.substr(0, 8))) + " microseconds";
      if (bytes.size() != 16) return std::nullopt;
      return std::to_string(*big_endian<int32_t>(bytes.substr(12))) + " months " +
             std::to_string(*big_endian<int32_t>(bytes.substr(8, 4))) + " days " +
             std::to_string(*big_endian<int64_t>(bytes.substr(0, 8))) + " microseconds";
    }
    case TypeKind::kVarbyte:
      return hex(bytes);
    case TypeKind::kArray:
      return array_text(bytes);
    default:
      return std::string(bytes);
  }
}

}  // namespace

LogicalType logical_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return LogicalType::BOOLEAN;
    case TypeKind::kSmallint:
      return LogicalType::SMALLINT;
    case TypeKind::kInteger:
      return LogicalType::INTEGER;
    case TypeKind::kBigint:
      return LogicalType::BIGINT;
    case TypeKind::kDecimal:
      return LogicalType::DECIMAL(type.precision == Type::kAny ? 38 : type.precision, type.scale);
    case TypeKind::kReal:
      return LogicalType::FLOAT;
    case TypeKind::kDouble:
      return LogicalType::DOUBLE;
    case TypeKind::kDate:
      return LogicalType::DATE;
    case TypeKind::kTime:
      return LogicalType::TIME;
    case TypeKind::kTimeTz:
      return LogicalType::TIME_TZ;
    case TypeKind::kTimestamp:
      return LogicalType::TIMESTAMP;
    case TypeKind::kTimestampTz:
      return LogicalType::TIMESTAMP_TZ;
    case TypeKind::kInterval:
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kIntervalDayToSecond:
      return LogicalType::INTERVAL;
    case TypeKind::kVarbyte:
      return LogicalType::BLOB;
    case TypeKind::kOid:
    case TypeKind::kXid:
    case TypeKind::kCid:
    case TypeKind::kRegproc:
    case TypeKind::kRegprocedure:
    case TypeKind::kRegoper:
    case TypeKind::kRegoperator:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype:
      return LogicalType::BIGINT;
    case TypeKind::kArray:
      return LogicalType::LIST(logical_type(Type{type.element}));
    case TypeKind::kInt2Vector:
      return LogicalType::LIST(LogicalType::SMALLINT);
    case TypeKind::kOidVector:
      return LogicalType::LIST(LogicalType::BIGINT);
    default:
      return LogicalType::VARCHAR;
  }
}

Result<Value> to_value(const Type& type, std::string_view text) {
  switch (type.kind) {
    case TypeKind::kBoolean: {
      TRY(bool v, values::parse_bool(text));
      return Value::BOOLEAN(v);
    }
    case TypeKind::kSmallint: {
      TRY(int64_t v, values::parse_integer(text, values::Width::k16));
      return Value::SMALLINT(static_cast<int16_t>(v));
    }
    case TypeKind::kInteger: {
      TRY(int64_t v, values::parse_integer(text, values::Width::k32));
      return Value::INTEGER(static_cast<int32_t>(v));
    }
    case TypeKind::kBigint:
    case TypeKind::kOid:
    case TypeKind::kXid:
    case TypeKind::kCid:
    case TypeKind::kRegproc:
    case TypeKind::kRegprocedure:
    case TypeKind::kRegoper:
    case TypeKind::kRegoperator:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype: {
      TRY(int64_t v, values::parse_integer(text, values::Width::k64));
      return Value::BIGINT(v);
    }
    case TypeKind::kDecimal:
      return decimal_value(type, text);
    case TypeKind::kReal: {
      TRY(float v, values::parse_float(text));
      return Value::FLOAT(v);
    }
    case TypeKind::kDouble: {
      TRY(double v, values::parse_double(text));
      return Value::DOUBLE(v);
    }
    case TypeKind::kDate: {
      TRY(int32_t v, values::parse_date(text));
      return Value::DATE(duckdb::date_t(v));
    }
    case TypeKind::kTime: {
      TRY(int64_t v, values::parse_time(text));
      return Value::TIME(duckdb::dtime_t(v));
    }
    case TypeKind::kTimestamp: {
      TRY(int64_t v, values::parse_timestamp(text));
      return Value::TIMESTAMP(duckdb::timestamp_t(v));
    }
    case TypeKind::kTimestampTz:
      return timestamptz_value(text);
    case TypeKind::kTimeTz: {
      TRY(int64_t v, values::parse_timetz(text));
      return Value::TIMETZ(duckdb::dtime_tz_t(duckdb::dtime_t(v), 0));
    }
    case TypeKind::kVarbyte: {
      auto bytes = unhex(text);
      if (!bytes) return fail(secure::kInvalidText, "invalid hexadecimal text for varbyte");
      return Value::BLOB(reinterpret_cast<duckdb::const_data_ptr_t>(bytes->data()), bytes->size());
    }
    case TypeKind::kChar:
      return Value(std::string(values::trim_trailing_blanks(text)));
    case TypeKind::kInterval:
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kIntervalDayToSecond: {
      Value out;
      std::string why;
      if (!Value(std::string(text)).DefaultTryCastAs(LogicalType::INTERVAL, out, &why, true))
        return fail(secure::kInvalidDatetime, "invalid input syntax for type interval: \"" + std::string(text) + "\"");
      return out;
    }
    case TypeKind::kArray:
    case TypeKind::kInt2Vector:
    case TypeKind::kOidVector: {
      Type element = type.kind == TypeKind::kArray       ? Type{type.element}
                     : type.kind == TypeKind::kOidVector ? TypeKind::kOid
                                                         : TypeKind::kSmallint;
      duckdb::vector<Value> items;
      // {a,"b c",NULL} of arrays, `1 2 3` of vectors
      bool braces = text.size() >= 2 && text.front() == '{' && text.back() == '}';
      if (braces) text = text.substr(1, text.size() - 2);
      char by = braces ? ',' : ' ';
      for (size_t at = 0; at < text.size();) {
        std::string item;
        bool quoted = text[at] == '"';
        if (quoted) {
          for (++at; at < text.size() && text[at] != '"'; ++at)
            item += text[at] == '\\' && at + 1 < text.size() ? text[++at] : text[at];
          ++at;
        } else {
          while (at < text.size() && text[at] != by) item += text[at++];
        }
        ++at;
        if (!quoted && iequals(item, "null")) {
          items.push_back(Value(logical_type(element)));
        } else {
          TRY(Value v, to_value(element, item));
          items.push_back(std::move(v));
        }
      }
      return Value::LIST(logical_type(element), std::move(items));
    }
    default:
      if (!is_valid_utf8(text)) return fail(secure::kInvalidText, "invalid byte sequence for encoding \"UTF8\"");
      if (text.find('\0') != std::string_view::npos)
        return fail(secure::kInvalidText, "invalid byte sequence for encoding \"UTF8\": 0x00");
      return Value(std::string(text));
  }
}

Result<void> set_text(duckdb::Vector& vector, duckdb::idx_t row, const Type& type, const Datum& text) {
  if (!text) {
    duckdb::FlatVector::SetNull(vector, row, true);
    return {};
  }
  if (vector.GetType().id() == duckdb::LogicalTypeId::VARCHAR) {
    std::string_view kept = type.kind == TypeKind::kChar ? values::trim_trailing_blanks(*text) : std::string_view(*text);
    duckdb::FlatVector::GetData<duckdb::string_t>(vector)[row] =
        duckdb::StringVector::AddString(vector, kept.data(), kept.size());
    return {};
  }
  TRY(Value value, to_value(type, *text));
  vector.SetValue(row, value);
  return {};
}

Result<std::string> binary_to_text(const Type& type, std::string_view bytes) {
  auto text = scalar_text(type, bytes);
  if (!text) return fail(kBadParameter, "incorrect binary data format for type " + type.format());
  return *std::move(text);
}

}  // namespace redoubt::warehouse::engine
