#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "warehouse/engine/duckdb/emit_define.h"
#include "warehouse/engine/duckdb/emit_formats.h"
#include "warehouse/engine/duckdb/emit_json.h"
#include "warehouse/engine/duckdb/emit_texts.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::engine::udf {
namespace {

using S = std::string_view;
using I = int32_t;
namespace values = secure::values;

void register_strings(duckdb::ExtensionLoader& l) {
  define(l, "rs_substring", [](S t, I from) { return texts::substring(t, from, std::nullopt); });
  define(l, "rs_substring", [](S t, I from, I n) { return texts::substring(t, from, n); });
  define(l, "rs_lpad", [](S t, I n) { return texts::pad(t, n, " ", true); });
  define(l, "rs_lpad", [](S t, I n, S fill) { return texts::pad(t, n, fill, true); });
  define(l, "rs_rpad", [](S t, I n) { return texts::pad(t, n, " ", false); });
  define(l, "rs_rpad", [](S t, I n, S fill) { return texts::pad(t, n, fill, false); });
  define(l, "rs_overlay", [](S t, S by, I from) { return texts::overlay(t, by, from, std::nullopt); });
  define(l, "rs_overlay", [](S t, S by, I from, I n) { return texts::overlay(t, by, from, n); });
  define(l, "rs_repeat", [](S t, I n) { return texts::repeat(t, n); });
  define(l, "rs_split_part", [](S t, S by, I n) { return texts::split_part(t, by, n); });
  define(l, "rs_initcap", [](S t) { return texts::initcap(t); });
  define(l, "rs_chr", [](I code) { return texts::chr(code); });
  define(l, "rs_sha2", [](S t, I bits) { return texts::sha2(t, bits); });
  define(l, "rs_crc32", [](S t) {
    uint32_t c = crypto::crc32(t);
    std::string bytes{char(c >> 24), char(c >> 16), char(c >> 8), char(c)};
    return hex(bytes);
  });
  define(l, "rs_checksum", [](S t) { return texts::checksum(t); });
  auto bytes_of = [](auto v) { return std::string(reinterpret_cast<const char*>(&v), sizeof v); };
  define(l, "rs_fnv_hash", [](S t) { return texts::fnv_hash(t); });
  define(l, "rs_fnv_hash", [](S t, int64_t seed) { return texts::fnv_hash(t, seed); });
  define(l, "rs_fnv_hash_int2", [bytes_of](int16_t v) { return texts::fnv_hash(bytes_of(v)); });
  define(l, "rs_fnv_hash_int4", [bytes_of](I v) { return texts::fnv_hash(bytes_of(v)); });
  define(l, "rs_fnv_hash_int8", [bytes_of](int64_t v) { return texts::fnv_hash(bytes_of(v)); });
  define(l, "rs_strtol", [](S t, I base) { return texts::strtol(t, base); });
  auto to_hex = [](uint64_t v) {
    char buffer[20];
    return std::string(buffer, size_t(snprintf(buffer, sizeof buffer, "%llx", static_cast<unsigned long long>(v))));
  };
  define(l, "rs_to_hex", [to_hex](I v) { return to_hex(uint32_t(v)); });
  define(l, "rs_to_hex", [to_hex](int64_t v) { return to_hex(uint64_t(v)); });
  define(l, "rs_pg_size_pretty", [](int64_t bytes) {
    static constexpr const char* kUnits[] = {" bytes", " kB", " MB", " GB", " TB"};
    size_t unit = 0;
    while (unit < 4 && std::abs(bytes) >= 10 * 1024) bytes = (bytes + 512) / 1024, unit++;
    return std::to_string(bytes) + kUnits[unit];
  });
  define(l, "rs_quote_ident", [](S t) { return texts::quote_ident(t); });
  define(l, "rs_quote_literal", [](S t) { return texts::quote_literal(t); });
  define(l, "rs_soundex", [](S t) { return texts::soundex(t); });
  define(l, "rs_difference", [](S a, S b) {
    auto x = texts::soundex(a), y = texts::soundex(b);
    I n = 0;
    for (size_t i = 0; i < std::min(x.size(), y.size()); i++) n += x[i] == y[i];
    return n;
  });
  define(l, "rs_to_varbyte", [](S t, S format) -> Result<BlobResult> {
    TRY(std::string bytes, texts::to_varbyte(t, format));
    return BlobResult{std::move(bytes)};
  });
  define(l, "rs_from_hex", [](S t) -> Result<BlobResult> {
    TRY(std::string bytes, texts::to_varbyte(t, "hex"));
    return BlobResult{std::move(bytes)};
  });
  define(l, "rs_from_varbyte", [](Blob b, S format) { return texts::from_varbyte(b.bytes, format); });
  define(l, "rs_listagg_limit", [](S t) -> Result<std::string> {
    if (t.size() > 65535) return fail(secure::kOutOfRange, "Result size exceeds LISTAGG limit");
    return std::string(t);
  });
}

void register_regexes(duckdb::ExtensionLoader& l) {
  define(l, "rs_regex", [](S t, S p) { return texts::regex_matches(t, p); });
  define(l, "rs_iregex", [](S t, S p) { return texts::regex_matches(t, p, true); });
  define(l, "rs_similar_pattern", [](S p, S escape) { return texts::similar_pattern(p, escape); });
  define(l, "rs_regexp_substr", [](S t, S p) { return texts::regexp_substr(t, p, 1, 1, ""); });
  define(l, "rs_regexp_substr", [](S t, S p, I at) { return texts::regexp_substr(t, p, at, 1, ""); });
  define(l, "rs_regexp_substr", [](S t, S p, I at, I n) { return texts::regexp_substr(t, p, at, n, ""); });
  define(l, "rs_regexp_substr", [](S t, S p, I at, I n, S o) { return texts::regexp_substr(t, p, at, n, o); });
  define(l, "rs_regexp_replace", [](S t, S p) { return texts::regexp_replace(t, p, "", 1, ""); });
  define(l, "rs_regexp_replace", [](S t, S p, S by) { return texts::regexp_replace(t, p, by, 1, ""); });
  define(l, "rs_regexp_replace", [](S t, S p, S by, I at) { return texts::regexp_replace(t, p, by, at, ""); });
  define(l, "rs_regexp_replace", [](S t, S p, S by, I at, S o) { return texts::regexp_replace(t, p, by, at, o); });
  define(l, "rs_regexp_count", [](S t, S p) { return texts::regexp_count(t, p, 1, ""); });
  define(l, "rs_regexp_count", [](S t, S p, I at) { return texts::regexp_count(t, p, at, ""); });
  define(l, "rs_regexp_count", [](S t, S p, I at, S o) { return texts::regexp_count(t, p, at, o); });
  define(l, "rs_regexp_instr", [](S t, S p) { return texts::regexp_instr(t, p, 1, 1, 0, ""); });
  define(l, "rs_regexp_instr", [](S t, S p, I at) { return texts::regexp_instr(t, p, at, 1, 0, ""); });
  define(l, "rs_regexp_instr", [](S t, S p, I at, I n) { return texts::regexp_instr(t, p, at, n, 0, ""); });
  define(l, "rs_regexp_instr", [](S t, S p, I at, I n, I option) { return texts::regexp_instr(t, p, at, n, option, ""); });
  define(l, "rs_regexp_instr", [](S t, S p, I at, I n, I option, S o) { return texts::regexp_instr(t, p, at, n, option, o); });
}

void register_json(duckdb::ExtensionLoader& l) {
  define_variadic(l, "rs_json_extract_path_text", true, [](const Texts& t) { return json::extract_path(t, false); });
  define_variadic(l, "rs_json_extract_path_text_lenient", true, [](const Texts& t) { return json::extract_path(t, true); });
  define(l, "rs_json_extract_array_element_text", [](S t, I i) { return json::extract_element(t, i, false); });
  define(l, "rs_json_extract_array_element_text", [](S t, I i, bool lenient) { return json::extract_element(t, i, lenient); });
  define(l, "rs_json_array_length", [](S t) { return json::array_length(t, false); });
  define(l, "rs_json_array_length", [](S t, bool lenient) { return json::array_length(t, lenient); });
  define(l, "rs_is_valid_json", [](S t) { return json::is_valid(t); });
  define(l, "rs_is_valid_json_array", [](S t) { return json::is_valid_array(t); });
  define(l, "rs_is_valid_json_text", [](S t) { return json::can_parse(t); });
  define(l, "rs_json_parse", [](S t) { return json::parse(t); });
  define(l, "rs_json_serialize", [](S t) { return std::string(t); });
  define(l, "rs_json_size", [](S t) { return I(t.size()); });
  define(l, "rs_json_typeof", [](S t) { return json::type_of(t); });
  define(l, "rs_super_text", [](S t) { return json::super_text(t); });
  define(l, "rs_super_string", [](S t) { return json_quote(t); });
  define(l, "rs_super_number", [](double v) { return values::format_double(v); });
  define(l, "rs_super_field", [](S t, S name) { return json::super_field(t, name); });
  define(l, "rs_super_element", [](S t, int64_t i) { return json::super_element(t, i); });
  define_variadic(l, "rs_super_array", true, [](const Texts& t) { return json::super_array(t); });
  define_variadic(l, "rs_super_object", true, [](const Texts& t) { return json::super_object(t); });
  define(l, "rs_array_concat", [](S a, S b) { return json::array_concat(a, b); });
  define(l, "rs_array_flatten", [](S t) { return json::array_flatten(t); });
  define(l, "rs_get_array_length", [](S t) { return json::get_array_length(t); });
  define(l, "rs_subarray", [](S t, I from) { return json::subarray(t, from, std::nullopt); });
  define(l, "rs_subarray", [](S t, I from, I n) { return json::subarray(t, from, n); });
  define(l, "rs_super_contains", [](S a, S i) { return json::contains(a, i); });
  define(l, "rs_super_position", [](S a, S i) { return json::position(a, i); });
  define(l, "rs_super_positions", [](S a, S i) { return json::positions(a, i); });
  define(l, "rs_array_distinct", [](S a) { return json::set_operation(json::SetOp::kDistinct, a, "[]"); });
  define(l, "rs_array_except", [](S a, S b) { return json::set_operation(json::SetOp::kExcept, a, b); });
  define(l, "rs_array_intersection", [](S a, S b) { return json::set_operation(json::SetOp::kIntersection, a, b); });
  define(l, "rs_array_union", [](S a, S b) { return json::set_operation(json::SetOp::kUnion, a, b); });
  define(l, "rs_arrays_overlap", [](S a, S b) { return json::overlap(a, b); });
  define(l, "rs_json_serialize_to_varbyte", [](S t) { return BlobResult{std::string(t)}; });
  define(l, "rs_split_to_array", [](S t) { return json::split_to_array(t, ","); });
  define(l, "rs_split_to_array", [](S t, S by) { return json::split_to_array(t, by); });
  define(l, "rs_is_array", [](S t) { return json::type_of(t) == "array"; });
  define(l, "rs_is_object", [](S t) { return json::type_of(t) == "object"; });
  define(l, "rs_is_scalar", [](S t) {
    auto type = json::type_of(t);
    return type != "array" && type != "object";
  });
  define(l, "rs_is_string", [](S t) { return json::type_of(t) == "string"; });
  define(l, "rs_is_boolean", [](S t) { return json::type_of(t) == "boolean"; });
  define(l, "rs_is_integer", [](S t) { return json::is_whole(t, 32); });
  define(l, "rs_is_smallint", [](S t) { return json::is_whole(t, 16); });
  define(l, "rs_is_bigint", [](S t) { return json::is_whole(t, 64); });
  define(l, "rs_is_decimal", [](S t) { return json::is_decimal(t); });
  define(l, "rs_is_float", [](S t) { return json::is_float(t); });
}

int64_t floor_days(int64_t micros) {
  constexpr int64_t kDay = 86400LL * 1000000;
  return micros >= 0 ? micros / kDay : -((-micros + kDay - 1) / kDay);
}

int last_day_of(const values::Civil& c) {
  for (int d = 31; d > 28; d--)
    if (values::days_from_civil(c.year, c.month, d)) return d;
  return 28;
}

void register_dates(duckdb::ExtensionLoader& l) {
  define(l, "rs_to_char_timestamp", [](Stamp t, S model) { return formats::format_timestamp(t.micros, model); });
  define(l, "rs_to_char_interval", [](Span s, S model) {
    auto total = s.micros + int64_t(s.days) * 86400000000;
    return formats::format_timestamp(total - 719162LL * 86400000000, model);  // counted from 0001-01-01
  });
  define(l, "rs_to_char_number", [](S number, S model) { return formats::format_number(number, model); });
  define(l, "rs_to_char_float", [](double v, S model) { return formats::format_number(values::format_double(v), model); });
  auto to_date = [](S t, S model, bool strict) -> Result<Date> {
    TRY(int64_t micros, formats::parse_timestamp(t, model, strict));
    return Date{int32_t(floor_days(micros))};
  };
  define(l, "rs_to_date", [to_date](S t, S model) { return to_date(t, model, true); });
  define(l, "rs_to_date", [to_date](S t, S model, bool strict) { return to_date(t, model, strict); });
  define(l, "rs_to_timestamp", [](S t, S model) -> Result<ZonedStamp> {
    TRY(int64_t micros, formats::parse_timestamp(t, model, true));
    return ZonedStamp{micros};
  });
  define(l, "rs_to_timestamp", [](S t, S model, bool strict) -> Result<ZonedStamp> {
    TRY(int64_t micros, formats::parse_timestamp(t, model, strict));
    return ZonedStamp{micros};
  });
  duckdb::ScalarFunction to_number(
      "rs_to_number", {duckdb::LogicalType::VARCHAR, duckdb::LogicalType::VARCHAR}, duckdb::LogicalType::DECIMAL(38, 10),
      [](duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
        auto f = [](S t, S model) -> Result<Int128> {
          TRY(std::string plain, formats::parse_number(t, model));
          TRY(auto d, values::parse_decimal(plain));
          return values::rescale(d, 38, 10);
        };
        executor<decltype(f), Result<Int128>, S, S>(f, std::index_sequence_for<S, S>{})(args, state, result);
      });
  add(l, std::move(to_number));

  // The last day of a month stays the last day.
  define(l, "rs_add_months", [](Stamp t, int64_t n) -> Result<Stamp> {
    int64_t days = floor_days(t.micros), time = t.micros - days * 86400000000;
    auto c = values::civil_from_days(days);
    if (n > 5000000 || n < -5000000) return fail(secure::kDatetimeOverflow, "timestamp out of range");
    int64_t months = c.year * 12 + c.month - 1 + n;
    int64_t year = months >= 0 ? months / 12 : -((-months + 11) / 12);
    values::Civil to{year, int(months - year * 12) + 1, 1};
    int last = last_day_of(to);
    int day = c.day == last_day_of(c) ? last : std::min(c.day, last);
    auto out = values::days_from_civil(to.year, to.month, day);
    if (!out) return fail(secure::kDatetimeOverflow, "timestamp out of range");
    return Stamp{int64_t(*out) * 86400000000 + time};
  });
  // Whole months where the days agree (or both are the last of their month); the rest in months of 31 days.
  define(l, "rs_months_between", [](Stamp a, Stamp b) {
    int64_t x = floor_days(a.micros), y = floor_days(b.micros);
    auto c = values::civil_from_days(x), d = values::civil_from_days(y);
    double months = double((c.year - d.year) * 12 + c.month - d.month);
    if (c.day == d.day || (c.day == last_day_of(c) && d.day == last_day_of(d))) return months;
    double days = double(c.day - d.day) + double((a.micros - x * 86400000000) - (b.micros - y * 86400000000)) / 86400e6;
    return months + days / 31.0;
  });
  define(l, "rs_next_day", [](Stamp t, S day) -> Result<Date> {
    static constexpr S kDays[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    auto name = to_lower(day);
    for (int64_t i = 0; i < 7; i++) {
      bool match = name.size() >= 2 && kDays[i].starts_with(name);
      match |= name == "m" && i == 0;
      match |= (name == "w" && i == 2) || (name == "f" && i == 4) || (name == "u" && i == 6) || (name == "r" && i == 3) ||
               (name == "t" && i == 1);
      if (!match) continue;
      int64_t days = floor_days(t.micros), weekday = ((days + 3) % 7 + 7) % 7;
      int64_t ahead = (i - weekday + 7) % 7;
      return Date{int32_t(days + (ahead == 0 ? 7 : ahead))};
    }
    return fail(secure::kInvalidParameterValue, "invalid day of week \"" + std::string(day) + "\"");
  });
}

}  // namespace

void register_texts(duckdb::ExtensionLoader& loader) {
  register_strings(loader);
  register_regexes(loader);
  register_json(loader);
  register_dates(loader);
}

}  // namespace redoubt::warehouse::engine::udf
