#include "warehouse/engine/duckdb/row_encoder.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::engine {
namespace {

namespace values = secure::values;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::PhysicalType;
using Rows = RowEncoder::Rows;
using Strip = RowEncoder::Strip;
using Write = RowEncoder::WriteColumn;
using sql::Type;
using sql::TypeKind;
using values::Int128;

constexpr int64_t kDayMicros = 86400000000;
constexpr int32_t kEpochDays = 10957;                      // 2000-01-01
constexpr int64_t kEpochMicros = kEpochDays * kDayMicros;  // since 1970

// ------------------------------------------------------------------------------------------------------------- small writers

void be16(char* p, uint16_t v) {
  v = __builtin_bswap16(v);
  std::memcpy(p, &v, 2);
}
void be32(char* p, uint32_t v) {
  v = __builtin_bswap32(v);
  std::memcpy(p, &v, 4);
}
void be64(char* p, uint64_t v) {
  v = __builtin_bswap64(v);
  std::memcpy(p, &v, 8);
}

constexpr auto kTwoDigits = [] {
  std::array<char, 200> t{};
  for (int i = 0; i < 100; ++i) t[2 * i] = char('0' + i / 10), t[2 * i + 1] = char('0' + i % 10);
  return t;
}();
void two(char*& p, unsigned v) {
  std::memcpy(p, &kTwoDigits[2 * v], 2);
  p += 2;
}

char* put_text(char* p, std::string_view s) {
  std::memcpy(p, s.data(), s.size());
  return p + s.size();
}

char* put_date(char* p, int32_t days) {
  if (days == INT32_MAX) return put_text(p, "infinity");
  if (days == -INT32_MAX) return put_text(p, "-infinity");
  // Civil from days (Howard Hinnant's algorithm), for the years that fit four digits.
  if (days < -719162 || days > 2932896) return put_text(p, values::format_date(days));
  unsigned z = static_cast<unsigned>(days + 719468);
  unsigned era = z / 146097, doe = z - era * 146097;
  unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  unsigned mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
  unsigned year = yoe + era * 400 + (month <= 2);
  two(p, year / 100);
  two(p, year % 100);
  *p++ = '-';
  two(p, month);
  *p++ = '-';
  two(p, day);
  return p;
}

char* put_time(char* p, int64_t micros) {
  auto seconds = static_cast<unsigned>(micros / 1000000), fraction = static_cast<unsigned>(micros % 1000000);
  two(p, seconds / 3600);
  *p++ = ':';
  two(p, seconds / 60 % 60);
  *p++ = ':';
  two(p, seconds % 60);
  if (fraction == 0) return p;
  *p++ = '.';
  for (unsigned unit : {10000u, 100u, 1u}) two(p, fraction / unit % 100);
  while (p[-1] == '0') --p;
  return p;
}

char* put_timestamp(char* p, int64_t micros) {
  if (micros == INT64_MAX) return put_text(p, "infinity");
  if (micros == -INT64_MAX) return put_text(p, "-infinity");
  int64_t day = micros / kDayMicros - (micros % kDayMicros < 0);
  if (day < -719162 || day > 2932896) return put_text(p, values::format_timestamp(micros));
  p = put_date(p, static_cast<int32_t>(day));
  *p++ = ' ';
  return put_time(p, micros - day * kDayMicros);
}

char* put_offset(char* p, int32_t seconds) {
  *p++ = seconds < 0 ? '-' : '+';
  auto s = static_cast<unsigned>(std::abs(seconds));
  two(p, s / 3600);
  if (s % 3600) *p++ = ':', two(p, s / 60 % 60);
  if (s % 60) *p++ = ':', two(p, s % 60);
  return p;
}

char* put_int128(char* p, Int128 v) {
  auto u = static_cast<unsigned __int128>(v);
  if (v < 0) *p++ = '-', u = -u;
  if (u <= UINT64_MAX) return std::to_chars(p, p + 24, static_cast<uint64_t>(u)).ptr;
  constexpr uint64_t k = 10000000000000000000u;
  p = put_int128(p, static_cast<Int128>(u / k));
  auto low = static_cast<uint64_t>(u % k);
  for (int i = 18; i >= 0; --i) p[i] = static_cast<char>('0' + low % 10), low /= 10;
  return p + 19;
}

template <class T>
char* put_decimal(char* p, T units, int scale, T power) {
  if (units < 0) *p++ = '-';
  if constexpr (sizeof(T) == 16) {
    auto u = units < 0 ? -static_cast<unsigned __int128>(units) : static_cast<unsigned __int128>(units);
    auto w = static_cast<unsigned __int128>(power);
    p = put_int128(p, static_cast<Int128>(u / w));
    if (scale == 0) return p;
    *p++ = '.';
    auto rest = u % w;
    for (int i = scale - 1; i >= 0; --i) p[i] = static_cast<char>('0' + static_cast<int>(rest % 10)), rest /= 10;
  } else {
    auto u = units < 0 ? -static_cast<uint64_t>(units) : static_cast<uint64_t>(units);
    auto w = static_cast<uint64_t>(power);
    p = std::to_chars(p, p + 24, u / w).ptr;
    if (scale == 0) return p;
    *p++ = '.';
    auto rest = u % w;
    for (int i = scale - 1; i >= 0; --i) p[i] = static_cast<char>('0' + rest % 10), rest /= 10;
  }
  return p + scale;
}

/// The shortest text that reads back as v, with an exponent where PostgreSQL writes one.
template <class T>
char* put_shortest(char* p, T v, int digits) {
  char scientific[40];
  auto end = std::to_chars(scientific, scientific + sizeof scientific, v, std::chars_format::scientific).ptr;
  int exponent = 0;
  auto e = std::find(scientific, end, 'e') + 1;
  std::from_chars(*e == '+' ? e + 1 : e, end, exponent);
  if (exponent < -4 || exponent >= digits) return put_text(p, {scientific, static_cast<size_t>(end - scientific)});
  return std::to_chars(p, p + 40, v, std::chars_format::fixed).ptr;
}

char* put_double(char* p, double v, int extra) {
  if (std::isnan(v)) return put_text(p, "NaN");
  if (std::isinf(v)) return put_text(p, v < 0 ? "-Infinity" : "Infinity");
  if (extra > 0) return put_shortest(p, v, 15);
  return p + snprintf(p, 40, "%.*g", std::max(1, 15 + extra), v);
}
char* put_float(char* p, float v, int extra) {
  if (std::isnan(v)) return put_text(p, "NaN");
  if (std::isinf(v)) return put_text(p, v < 0 ? "-Infinity" : "Infinity");
  if (extra > 0) return put_shortest(p, v, 6);
  return p + snprintf(p, 40, "%.*g", std::max(1, 6 + extra), static_cast<double>(v));
}

/// PostgreSQL's interval output: 1 year 2 mons 3 days 04:05:06.7
std::string interval_text(const duckdb::interval_t& v) {
  std::string out;
  auto part = [&](int64_t n, const char* unit) {
    if (n != 0) out += (out.empty() ? "" : " ") + std::to_string(n) + " " + unit + (n == 1 ? "" : "s");
  };
  part(v.months / 12, "year");
  part(v.months % 12, "mon");
  part(v.days, "day");
  if (v.micros != 0 || out.empty()) {
    char text[32], *p = text;
    auto u = v.micros < 0 ? -static_cast<uint64_t>(v.micros) : static_cast<uint64_t>(v.micros);
    uint64_t hours = u / 3600000000;
    if (hours < 100) {
      p = put_time(p, static_cast<int64_t>(u));
      out += (out.empty() ? "" : " ") + std::string(v.micros < 0 ? "-" : "") + std::string(text, p);
    } else {
      p = put_time(p, static_cast<int64_t>(u % 3600000000));
      out += (out.empty() ? "" : " ") + std::string(v.micros < 0 ? "-" : "") + std::to_string(hours) + std::string(text + 2, p);
    }
  }
  return out;
}
std::string year_to_month_text(const duckdb::interval_t& v) {
  return std::to_string(v.months / 12) + " years " + std::to_string(v.months % 12) + " mons";
}
std::string day_to_second_text(const duckdb::interval_t& v) {
  int64_t us = v.micros % kDayMicros, days = v.days + v.micros / kDayMicros;
  std::string seconds = std::to_string(us / 1000000 % 60);
  if (auto f = std::abs(us % 1000000)) {
    std::string digits = std::to_string(f);
    seconds += "." + std::string(6 - digits.size(), '0') + digits;
  } else {
    seconds += ".0";
  }
  return std::to_string(days) + " days " + std::to_string(us / 3600000000) + " hours " + std::to_string(us / 60000000 % 60) +
         " mins " + seconds + " secs";
}

/// numeric_send(): base-10000 digits around the decimal point.
char* put_pg_numeric(char* p, Int128 units, int scale) {
  bool negative = units < 0;
  auto u = negative ? -static_cast<unsigned __int128>(units) : static_cast<unsigned __int128>(units);
  int pad = (4 - scale % 4) % 4;  // so that the point falls between two digits
  uint16_t digits[16];
  int n = 0;
  unsigned unit = pad == 0 ? 1 : pad == 1 ? 10 : pad == 2 ? 100 : 1000;
  // The lowest digit takes 4 - pad decimals, the rest 4 each.
  if (pad) {
    unsigned cut = 10000 / unit;
    digits[n++] = static_cast<uint16_t>(static_cast<unsigned>(u % cut) * unit);
    u /= cut;
  }
  while (u != 0) digits[n++] = static_cast<uint16_t>(u % 10000), u /= 10000;
  int weight = n - 1 - (scale + 3) / 4, low = 0;
  while (n > 0 && digits[n - 1] == 0) --n, --weight;
  while (low < n && digits[low] == 0) ++low;
  if (low == n) n = low = 0, weight = 0, negative = false;
  be16(p, static_cast<uint16_t>(n - low));
  be16(p + 2, static_cast<uint16_t>(weight));
  be16(p + 4, negative ? 0x4000 : 0);
  be16(p + 6, static_cast<uint16_t>(scale));
  p += 8;
  for (int i = n - 1; i >= low; --i, p += 2) be16(p, digits[i]);
  return p;
}

// ------------------------------------------------------------------------------------------------------------- column loops

/// Calls put(p, value) -> end for every valid row; `max` bounds what it writes.
template <class T, class Put>
void each(const Rows& rows, Strip& strip, size_t max, Put&& put) {
  auto* data = duckdb::UnifiedVectorFormat::GetData<T>(rows.format);
  bool all_valid = rows.format.validity.AllValid();
  char* p = strip.room(rows.count * max);
  char* const start = p;
  for (size_t i = 0; i < rows.count; ++i) {
    auto at = rows.format.sel->get_index(rows.from + i);
    if (!all_valid && !rows.format.validity.RowIsValid(at)) {
      strip.lengths[i] = Strip::kNull;
      continue;
    }
    char* end = put(p, data[at]);
    strip.lengths[i] = static_cast<uint32_t>(end - p);
    p = end;
  }
  strip.size += static_cast<size_t>(p - start);
}

template <class T, size_t max, class Put>
Write loop(Put put) {
  return [put](const Rows& rows, Strip& strip) { each<T>(rows, strip, max, put); };
}

/// For values of any length: text(value) gives a string or a view.
template <class T, class Text>
Write loop_text(Text text) {
  return [text](const Rows& rows, Strip& strip) {
    auto* data = duckdb::UnifiedVectorFormat::GetData<T>(rows.format);
    for (size_t i = 0; i < rows.count; ++i) {
      auto at = rows.format.sel->get_index(rows.from + i);
      if (!rows.format.validity.RowIsValid(at)) {
        strip.lengths[i] = Strip::kNull;
        continue;
      }
      decltype(auto) s = text(data[at]);
      put_text(strip.room(s.size()), s);
      strip.lengths[i] = static_cast<uint32_t>(s.size());
      strip.size += s.size();
    }
  };
}

void write_strings(const Rows& rows, Strip& strip) {
  auto* data = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(rows.format);
  bool all_valid = rows.format.validity.AllValid();
  for (size_t i = 0; i < rows.count; ++i) {
    auto at = rows.format.sel->get_index(rows.from + i);
    if (!all_valid && !rows.format.validity.RowIsValid(at)) {
      strip.lengths[i] = Strip::kNull;
      continue;
    }
    auto size = data[at].GetSize();
    std::memcpy(strip.room(size), data[at].GetData(), size);
    strip.lengths[i] = size;
    strip.size += size;
  }
}

Int128 wide(duckdb::hugeint_t v) { return (static_cast<Int128>(v.upper) << 64) | v.lower; }
template <class T>
Int128 wide(T v) {
  return v;
}

template <class T>
Write integer(const Type& type, bool binary) {
  if (!binary) {
    if constexpr (std::is_same_v<T, duckdb::hugeint_t>)
      return loop<T, 48>([](char* p, T v) { return put_int128(p, wide(v)); });
    else
      return loop<T, 24>([](char* p, T v) { return std::to_chars(p, p + 24, v).ptr; });
  }
  int width = type.typlen();  // 2, 4 or 8; the emitter has cast the column to the type, so that it fits
  return loop<T, 8>([width](char* p, T v) {
    auto n = static_cast<int64_t>(wide(v));
    if (width == 2) return be16(p, static_cast<uint16_t>(n)), p + 2;
    if (width == 4) return be32(p, static_cast<uint32_t>(n)), p + 4;
    return be64(p, static_cast<uint64_t>(n)), p + 8;
  });
}

template <class T>
Write decimal(int scale, bool binary, int protocol, int precision) {
  if (binary && protocol >= 2) {
    if (precision <= 18) return loop<T, 8>([](char* p, T v) { return be64(p, static_cast<uint64_t>(wide(v))), p + 8; });
    return loop<T, 16>([](char* p, T v) {
      auto u = static_cast<unsigned __int128>(wide(v));
      be64(p, static_cast<uint64_t>(u >> 64));
      be64(p + 8, static_cast<uint64_t>(u));
      return p + 16;
    });
  }
  if (binary) return loop<T, 48>([scale](char* p, T v) { return put_pg_numeric(p, wide(v), scale); });
  Int128 power = values::power_of_ten(scale);
  if constexpr (sizeof(T) == 16)
    return loop<T, 64>([scale, power](char* p, T v) { return put_decimal<Int128>(p, wide(v), scale, power); });
  else
    return loop<T, 32>(
        [scale, power = static_cast<int64_t>(power)](char* p, T v) { return put_decimal<int64_t>(p, v, scale, power); });
}

Write zoned(bool binary, std::shared_ptr<ZoneOffsets> zone) {
  if (binary)
    return loop<int64_t, 8>([](char* p, int64_t v) {
      bool special = v == INT64_MAX || v == -INT64_MAX;
      return be64(p, static_cast<uint64_t>(special ? (v > 0 ? INT64_MAX : INT64_MIN) : v - kEpochMicros)), p + 8;
    });
  if (!zone)
    return loop<int64_t, 72>([](char* p, int64_t v) {
      char* end = put_timestamp(p, v);
      return v == INT64_MAX || v == -INT64_MAX ? end : put_text(end, "+00");
    });
  return [zone](const Rows& rows, Strip& strip) {
    auto* data = duckdb::UnifiedVectorFormat::GetData<int64_t>(rows.format);
    std::vector<int64_t> instants;
    std::vector<int32_t> offsets;
    auto finite = [](int64_t v) { return v != INT64_MAX && v != -INT64_MAX; };
    for (size_t i = 0; i < rows.count; ++i) {
      auto at = rows.format.sel->get_index(rows.from + i);
      if (rows.format.validity.RowIsValid(at) && finite(data[at])) instants.push_back(data[at]);
    }
    zone->at(instants, offsets);
    size_t next = 0;
    each<int64_t>(rows, strip, 80, [&](char* p, int64_t v) {
      if (!finite(v)) return put_timestamp(p, v);
      int32_t offset = offsets[next++];
      return put_offset(put_timestamp(p, v + int64_t{offset} * 1000000), offset);
    });
  };
}

Write interval(const Type& type, bool binary) {
  using I = duckdb::interval_t;
  if (type.is(TypeKind::kIntervalYearToMonth)) {
    if (binary) return loop<I, 4>([](char* p, const I& v) { return be32(p, static_cast<uint32_t>(v.months)), p + 4; });
    return loop_text<I>(year_to_month_text);
  }
  if (type.is(TypeKind::kIntervalDayToSecond)) {
    if (binary)
      return loop<I, 8>(
          [](char* p, const I& v) { return be64(p, static_cast<uint64_t>(v.days * kDayMicros + v.micros)), p + 8; });
    return loop_text<I>(day_to_second_text);
  }
  if (binary)
    return loop<I, 16>([](char* p, const I& v) {
      be64(p, static_cast<uint64_t>(v.micros));
      be32(p + 8, static_cast<uint32_t>(v.days));
      be32(p + 12, static_cast<uint32_t>(v.months));
      return p + 16;
    });
  return loop_text<I>(interval_text);
}

bool is_integer_like(const Type& type) {
  return type.is_integer() || type.is_oid() || type.is(TypeKind::kXid) || type.is(TypeKind::kCid);
}

Write writer(const Type& type, const LogicalType& physical, bool binary, const RowFormat& format,
             const std::shared_ptr<ZoneOffsets>& zone);

/// array_out() and array_send().
Write list(const Type& type, const LogicalType& physical, bool binary, const RowFormat& format,
           const std::shared_ptr<ZoneOffsets>& zone) {
  Type element = type.is(TypeKind::kArray)        ? Type{type.element}
                 : type.is(TypeKind::kInt2Vector) ? Type{TypeKind::kSmallint}
                                                  : Type{TypeKind::kOid};
  bool vector = !type.is(TypeKind::kArray);
  Write inner = writer(element, duckdb::ListType::GetChildType(physical), binary && !vector, format, zone);
  if (!inner) return nullptr;
  return [inner, element, binary, vector](const Rows& rows, Strip& strip) {
    auto* lists = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(rows.format);
    auto& child = duckdb::ListVector::GetEntry(rows.vector);
    duckdb::UnifiedVectorFormat child_format;
    child.ToUnifiedFormat(duckdb::ListVector::GetListSize(rows.vector), child_format);
    Strip items;
    for (size_t i = 0; i < rows.count; ++i) {
      auto at = rows.format.sel->get_index(rows.from + i);
      if (!rows.format.validity.RowIsValid(at)) {
        strip.lengths[i] = Strip::kNull;
        continue;
      }
      items.size = 0;
      items.lengths.assign(lists[at].length, 0);
      inner({child, child_format, lists[at].offset, lists[at].length}, items);
      std::string out;
      const char* p = items.bytes.data();
      if (binary && !vector) {
        char head[20];
        bool nulls = std::find(items.lengths.begin(), items.lengths.end(), Strip::kNull) != items.lengths.end();
        be32(head, items.lengths.empty() ? 0 : 1);
        be32(head + 4, nulls);
        be32(head + 8, element.oid());
        be32(head + 12, static_cast<uint32_t>(items.lengths.size()));
        be32(head + 16, 1);
        out.assign(head, items.lengths.empty() ? 12 : 20);
        for (uint32_t n : items.lengths) {
          be32(head, n);
          out.append(head, 4);
          if (n != Strip::kNull) out.append(p, n), p += n;
        }
      } else {
        if (!vector) out += '{';
        for (size_t k = 0; k < items.lengths.size(); ++k) {
          uint32_t n = items.lengths[k];
          if (k) out += vector ? ' ' : ',';
          if (n == Strip::kNull) {
            out += "NULL";
            continue;
          }
          std::string_view item(p, n);
          p += n;
          bool quote =
              item.empty() || item.find_first_of(" \t\n\r\v\f{},\"\\") != std::string_view::npos || iequals(item, "null");
          if (!quote || vector) {
            out += item;
            continue;
          }
          out += '"';
          for (char c : item) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
          }
          out += '"';
        }
        if (!vector) out += '}';
      }
      put_text(strip.room(out.size()), out);
      strip.size += out.size();
      strip.lengths[i] = static_cast<uint32_t>(out.size());
    }
  };
}

Write writer(const Type& type, const LogicalType& physical, bool binary, const RowFormat& format,
             const std::shared_ptr<ZoneOffsets>& zone) {
  // Binary is a promise about the SQL type; where the engine's type differs from it there is none to keep.
  auto only_if = [](bool ok, Write w) { return ok ? std::move(w) : Write(); };
  switch (physical.id()) {
    case LogicalTypeId::BOOLEAN:
      return only_if(type.is(TypeKind::kBoolean), loop<bool, 1>([binary](char* p, bool v) {
                       return *p = binary ? char(v) : v ? 't' : 'f', p + 1;
                     }));
    case LogicalTypeId::TINYINT:
      return only_if(is_integer_like(type), integer<int8_t>(type, binary));
    case LogicalTypeId::SMALLINT:
      return only_if(is_integer_like(type), integer<int16_t>(type, binary));
    case LogicalTypeId::INTEGER:
      return only_if(is_integer_like(type), integer<int32_t>(type, binary));
    case LogicalTypeId::BIGINT:
      return only_if(is_integer_like(type), integer<int64_t>(type, binary));
    case LogicalTypeId::UINTEGER:
      return only_if(is_integer_like(type), integer<uint32_t>(type, binary));
    case LogicalTypeId::HUGEINT:
      return only_if(is_integer_like(type), integer<duckdb::hugeint_t>(type, binary));
    case LogicalTypeId::DECIMAL: {
      int scale = duckdb::DecimalType::GetScale(physical);
      int precision = type.precision == Type::kAny ? 38 : type.precision;
      if (!type.is(TypeKind::kDecimal) || (binary && scale != type.scale)) return nullptr;
      switch (physical.InternalType()) {
        case PhysicalType::INT16:
          return decimal<int16_t>(scale, binary, format.protocol, precision);
        case PhysicalType::INT32:
          return decimal<int32_t>(scale, binary, format.protocol, precision);
        case PhysicalType::INT64:
          return decimal<int64_t>(scale, binary, format.protocol, precision);
        default:
          return decimal<duckdb::hugeint_t>(scale, binary, format.protocol, precision);
      }
    }
    case LogicalTypeId::FLOAT:
      if (!type.is(TypeKind::kReal)) return nullptr;
      if (binary) return loop<float, 4>([](char* p, float v) { return be32(p, std::bit_cast<uint32_t>(v)), p + 4; });
      return loop<float, 40>([extra = format.extra_float_digits](char* p, float v) { return put_float(p, v, extra); });
    case LogicalTypeId::DOUBLE:
      if (!type.is(TypeKind::kDouble)) return nullptr;
      if (binary) return loop<double, 8>([](char* p, double v) { return be64(p, std::bit_cast<uint64_t>(v)), p + 8; });
      return loop<double, 40>([extra = format.extra_float_digits](char* p, double v) { return put_double(p, v, extra); });
    case LogicalTypeId::DATE:
      if (!type.is(TypeKind::kDate)) return nullptr;
      if (!binary) return loop<int32_t, 40>(put_date);
      return loop<int32_t, 4>([](char* p, int32_t v) {
        bool special = v == INT32_MAX || v == -INT32_MAX;
        return be32(p, static_cast<uint32_t>(special ? (v > 0 ? INT32_MAX : INT32_MIN) : v - kEpochDays)), p + 4;
      });
    case LogicalTypeId::TIME:
      if (!type.is(TypeKind::kTime)) return nullptr;
      if (binary) return loop<int64_t, 8>([](char* p, int64_t v) { return be64(p, static_cast<uint64_t>(v)), p + 8; });
      return loop<int64_t, 20>(put_time);
    case LogicalTypeId::TIME_TZ:
      if (!type.is(TypeKind::kTimeTz)) return nullptr;
      // Redshift keeps timetz in UTC and the drivers expect offset 0.
      if (binary)
        return loop<duckdb::dtime_tz_t, 12>([](char* p, duckdb::dtime_tz_t v) {
          int64_t us = (v.time().micros - int64_t{v.offset()} * 1000000 + 2 * kDayMicros) % kDayMicros;
          be64(p, static_cast<uint64_t>(us));
          be32(p + 8, 0);
          return p + 12;
        });
      return loop<duckdb::dtime_tz_t, 40>(
          [](char* p, duckdb::dtime_tz_t v) { return put_offset(put_time(p, v.time().micros), v.offset()); });
    case LogicalTypeId::TIMESTAMP:
      if (!type.is(TypeKind::kTimestamp)) return nullptr;
      if (binary) return zoned(true, nullptr);
      return loop<int64_t, 72>(put_timestamp);
    case LogicalTypeId::TIMESTAMP_TZ:
      return only_if(type.is(TypeKind::kTimestampTz), zoned(binary, zone));
    case LogicalTypeId::INTERVAL:
      return only_if(type.is_interval(), interval(type, binary));
    case LogicalTypeId::VARCHAR: {
      // Everything that has no engine type of its own is text in both formats.
      bool has_binary = type.is_numeric() || type.is_datetime() || type.is_interval() || type.is_oid() ||
                        type.is(TypeKind::kBoolean) || type.is(TypeKind::kTime) || type.is(TypeKind::kTimeTz) ||
                        type.is(TypeKind::kArray);
      return only_if(!binary || !has_binary, write_strings);
    }
    case LogicalTypeId::BLOB:
      if (!type.is(TypeKind::kVarbyte)) return nullptr;
      if (binary && format.protocol == 0) return write_strings;  // libpq clients read bytes; Redshift's drivers want digits
      return loop_text<duckdb::string_t>([](const duckdb::string_t& v) { return hex({v.GetData(), v.GetSize()}); });
    case LogicalTypeId::LIST:
      if (!type.is(TypeKind::kArray) && !type.is(TypeKind::kInt2Vector) && !type.is(TypeKind::kOidVector)) return nullptr;
      return list(type, physical, binary, format, zone);
    case LogicalTypeId::SQLNULL:
      return [](const Rows& rows, Strip& strip) { std::fill_n(strip.lengths.begin(), rows.count, Strip::kNull); };
    default:
      return nullptr;
  }
}

}  // namespace

Result<std::unique_ptr<RowEncoder>> RowEncoder::make(const std::vector<secure::plan::Output>& columns,
                                                     const duckdb::vector<LogicalType>& physical, const RowFormat& format,
                                                     std::shared_ptr<ZoneOffsets> zone) {
  if (columns.size() != physical.size())
    return fail(kInternal,
                "the engine gave " + std::to_string(physical.size()) + " columns for " + std::to_string(columns.size()));
  std::unique_ptr<RowEncoder> encoder(new RowEncoder);
  for (size_t c = 0; c < columns.size(); ++c) {
    int16_t code = format.formats.empty()       ? 0
                   : format.formats.size() == 1 ? format.formats[0]
                   : c < format.formats.size()  ? format.formats[c]
                                                : 0;
    Write write = writer(columns[c].type, physical[c], code == 1, format, zone);
    if (!write)
      return fail(kInternal, "no way to send " + physical[c].ToString() + " as " + columns[c].type.format() +
                                 (code == 1 ? " in binary" : "") + ", column " + std::to_string(c + 1));
    encoder->writers_.push_back(std::move(write));
  }
  encoder->strips_.resize(columns.size());
  return encoder;
}

void RowEncoder::fill(duckdb::DataChunk& chunk, size_t from, size_t count) {
  for (size_t c = 0; c < writers_.size(); ++c) {
    Strip& strip = strips_[c];
    strip.size = 0;
    if (strip.lengths.size() < count) strip.lengths.resize(count);
    duckdb::UnifiedVectorFormat format;
    chunk.data[c].ToUnifiedFormat(chunk.size(), format);
    writers_[c]({chunk.data[c], format, from, count}, strip);
  }
}

void RowEncoder::encode(duckdb::DataChunk& chunk, size_t from, size_t count, std::string& out) {
  fill(chunk, from, count);
  size_t columns = strips_.size(), total = count * (7 + 4 * columns), before = out.size();
  for (auto& strip : strips_) total += strip.size;
  std::vector<const char*> source(columns);
  for (size_t c = 0; c < columns; ++c) source[c] = strips_[c].bytes.data();
  out.resize_and_overwrite(before + total, [&](char* base, size_t) {
    char* p = base + before;
    for (size_t i = 0; i < count; ++i) {
      char* head = p;
      p += 7;
      for (size_t c = 0; c < columns; ++c) {
        uint32_t n = strips_[c].lengths[i];
        be32(p, n);
        p += 4;
        if (n == Strip::kNull) continue;
        std::memcpy(p, source[c], n);
        p += n;
        source[c] += n;
      }
      head[0] = 'D';
      be32(head + 1, static_cast<uint32_t>(p - head - 1));
      be16(head + 5, static_cast<uint16_t>(columns));
    }
    return static_cast<size_t>(p - base);
  });
}

void RowEncoder::values(duckdb::DataChunk& chunk, size_t from, size_t count, std::vector<std::vector<Datum>>& out) {
  fill(chunk, from, count);
  size_t first = out.size();
  out.resize(first + count);
  for (auto& row : std::span(out).subspan(first)) row.reserve(strips_.size());
  for (auto& strip : strips_) {
    const char* p = strip.bytes.data();
    for (size_t i = 0; i < count; ++i) {
      uint32_t n = strip.lengths[i];
      if (n == Strip::kNull) {
        out[first + i].emplace_back(std::nullopt);
      } else {
        out[first + i].emplace_back(std::string(p, n));
        p += n;
      }
    }
  }
}

}  // namespace redoubt::warehouse::engine
