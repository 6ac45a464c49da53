#include "warehouse/secure/functions.h"

#include <unordered_map>

#include "base/result.h"
#include "base/text.h"

namespace redoubt::warehouse::secure {
namespace {

using sql::Type;
using TK = sql::TypeKind;

struct Row {
  FunctionKind kind;
  std::string_view name;
  /// Types, or str (any string), num, dec, any, same, array, part; "..." after the last: repeated.
  std::string_view parameters;
  /// A type; "=n": of argument n; "~n": varchar of its length; or the name of a rule.
  std::string_view result;
  std::string_view id = {};  // empty: the name
  bool is_volatile = false;
};

constexpr auto S = FunctionKind::kScalar;
constexpr auto A = FunctionKind::kAggregate;
constexpr auto O = FunctionKind::kOrderedSet;
constexpr auto W = FunctionKind::kWindow;

// Among equally good overloads the first wins: what an untyped literal becomes is decided by order.
constexpr Row kRows[] = {
    // Strings
    {S, "upper", "str", "~1"},
    {S, "lower", "str", "~1"},
    {S, "initcap", "str", "~1"},
    {S, "length", "str", "int4"},
    {S, "length", "varbyte", "int4", "octet_length_varbyte"},
    {S, "len", "str", "int4", "length"},
    {S, "len", "varbyte", "int4", "octet_length_varbyte"},
    {S, "char_length", "str", "int4", "length"},
    {S, "character_length", "str", "int4", "length"},
    {S, "textlen", "str", "int4", "length"},
    {S, "bpcharlen", "str", "int4", "length"},
    {S, "octet_length", "str", "int4"},
    {S, "octet_length", "varbyte", "int4", "octet_length_varbyte"},
    {S, "bit_length", "str", "int4"},
    {S, "ltrim", "str", "~1"},
    {S, "ltrim", "str,str", "~1"},
    {S, "rtrim", "str", "~1"},
    {S, "rtrim", "str,str", "~1"},
    {S, "btrim", "str", "~1"},
    {S, "btrim", "str,str", "~1"},
    {S, "trim", "str", "~1", "btrim"},
    {S, "trim", "str,str", "~1", "btrim"},
    {S, "lpad", "str,int4", "text"},
    {S, "lpad", "str,int4,str", "text"},
    {S, "rpad", "str,int4", "text"},
    {S, "rpad", "str,int4,str", "text"},
    {S, "left", "str,int4", "~1"},
    {S, "right", "str,int4", "~1"},
    {S, "substring", "str,int4", "~1"},
    {S, "substring", "str,int4,int4", "~1"},
    {S, "substring", "str,str", "~1", "regexp_substr"},
    {S, "substr", "str,int4", "~1", "substring"},
    {S, "substr", "str,int4,int4", "~1", "substring"},
    {S, "overlay", "str,str,int4", "text"},
    {S, "overlay", "str,str,int4,int4", "text"},
    {S, "reverse", "str", "~1"},
    {S, "repeat", "str,int4", "text"},
    {S, "replicate", "str,int4", "text", "repeat"},
    {S, "replace", "str,str,str", "text"},
    {S, "translate", "str,str,str", "~1"},
    {S, "concat", "str,str", "concat", "concat"},
    {S, "strpos", "str,str", "int4"},
    {S, "charindex", "str,str", "int4"},
    {S, "position", "str,str", "int4", "charindex"},
    {S, "split_part", "str,str,int4", "~1"},
    {S, "chr", "int4", "varchar(4)"},
    {S, "ascii", "str", "int4"},
    {S, "md5", "str", "varchar(32)"},
    {S, "sha", "str", "varchar(40)", "sha1"},
    {S, "sha1", "str", "varchar(40)"},
    {S, "func_sha1", "str", "varchar(40)", "sha1"},
    {S, "sha2", "str,int4", "varchar(128)"},
    {S, "crc32", "str", "varchar(8)"},
    {S, "fnv_hash", "str", "int8"},
    {S, "fnv_hash", "str,int8", "int8"},
    {S, "fnv_hash", "int2", "int8", "fnv_hash_int2"},
    {S, "fnv_hash", "int4", "int8", "fnv_hash_int4"},
    {S, "fnv_hash", "int8", "int8", "fnv_hash_int8"},
    {S, "checksum", "str", "int4"},
    {S, "strtol", "str,int4", "int8"},
    {S, "to_hex", "int4", "varchar(8)"},
    {S, "to_hex", "int8", "varchar(16)"},
    {S, "to_hex", "varbyte", "text", "hex_varbyte"},
    {S, "pg_size_pretty", "int8", "varchar(32)"},
    {S, "quote_ident", "str", "text"},
    {S, "quote_literal", "str", "text"},
    {S, "regexp_substr", "str,str", "~1"},
    {S, "regexp_substr", "str,str,int4", "~1"},
    {S, "regexp_substr", "str,str,int4,int4", "~1"},
    {S, "regexp_substr", "str,str,int4,int4,str", "~1"},
    {S, "regexp_replace", "str,str", "text"},
    {S, "regexp_replace", "str,str,str", "text"},
    {S, "regexp_replace", "str,str,str,int4", "text"},
    {S, "regexp_replace", "str,str,str,int4,str", "text"},
    {S, "regexp_count", "str,str", "int4"},
    {S, "regexp_count", "str,str,int4", "int4"},
    {S, "regexp_count", "str,str,int4,str", "int4"},
    {S, "regexp_instr", "str,str", "int4"},
    {S, "regexp_instr", "str,str,int4", "int4"},
    {S, "regexp_instr", "str,str,int4,int4", "int4"},
    {S, "regexp_instr", "str,str,int4,int4,int4", "int4"},
    {S, "regexp_instr", "str,str,int4,int4,int4,str", "int4"},
    {S, "soundex", "str", "varchar(4)"},
    {S, "difference", "str,str", "int4"},
    {S, "bpcharcmp", "str,str", "int4", "text_cmp"},
    {S, "bttext_pattern_cmp", "str,str", "int4", "text_cmp"},
    {S, "to_varbyte", "str,str", "varbyte"},
    {S, "from_varbyte", "varbyte,str", "text"},
    {S, "from_hex", "str", "varbyte"},

    // Numbers
    {S, "abs", "int2", "int2"},
    {S, "abs", "int4", "int4"},
    {S, "abs", "int8", "int8"},
    {S, "abs", "dec", "=1"},
    {S, "abs", "float4", "float4"},
    {S, "abs", "float8", "float8"},
    {S, "ceil", "num", "round"},
    {S, "ceiling", "num", "round", "ceil"},
    {S, "floor", "num", "round"},
    {S, "round", "num", "round"},
    {S, "round", "num,int4", "round"},
    {S, "trunc", "num", "round"},
    {S, "trunc", "num,int4", "round"},
    {S, "sign", "num", "=1"},
    {S, "mod", "num,num", "modulo"},
    {S, "sqrt", "float8", "float8"},
    {S, "dsqrt", "float8", "float8", "sqrt"},
    {S, "cbrt", "float8", "float8"},
    {S, "dcbrt", "float8", "float8", "cbrt"},
    {S, "power", "float8,float8", "float8"},
    {S, "pow", "float8,float8", "float8", "power"},
    {S, "dpow", "float8,float8", "float8", "power"},
    {S, "exp", "float8", "float8"},
    {S, "dexp", "float8", "float8", "exp"},
    {S, "ln", "float8", "float8"},
    {S, "dlog1", "float8", "float8", "ln"},
    {S, "log", "float8", "float8"},
    {S, "dlog10", "float8", "float8", "log"},
    {S, "pi", "", "float8"},
    {S, "random", "", "float8", {}, true},
    {S, "degrees", "float8", "float8"},
    {S, "radians", "float8", "float8"},
    {S, "sin", "float8", "float8"},
    {S, "cos", "float8", "float8"},
    {S, "tan", "float8", "float8"},
    {S, "cot", "float8", "float8"},
    {S, "asin", "float8", "float8"},
    {S, "acos", "float8", "float8"},
    {S, "atan", "float8", "float8"},
    {S, "atan2", "float8,float8", "float8"},
    {S, "to_number", "str,str", "numeric(38,10)"},

    // Dates and times
    {S, "dateadd", "part,int8,timestamp", "timestamp"},
    {S, "dateadd", "part,int8,date", "timestamp"},
    {S, "dateadd", "part,int8,timestamptz", "timestamptz"},
    {S, "dateadd", "part,int8,time", "time"},
    {S, "date_add", "part,int8,timestamp", "timestamp", "dateadd"},
    {S, "date_add", "part,int8,date", "timestamp", "dateadd"},
    {S, "date_add", "part,int8,timestamptz", "timestamptz", "dateadd"},
    {S, "datediff", "part,timestamp,timestamp", "int8"},
    {S, "datediff", "part,date,date", "int8"},
    {S, "datediff", "part,timestamptz,timestamptz", "int8"},
    {S, "datediff", "part,time,time", "int8"},
    {S, "date_diff", "part,timestamp,timestamp", "int8", "datediff"},
    {S, "date_diff", "part,date,date", "int8", "datediff"},
    {S, "date_diff", "part,timestamptz,timestamptz", "int8", "datediff"},
    {S, "date_part", "part,timestamp", "float8"},
    {S, "date_part", "part,date", "float8"},
    {S, "date_part", "part,timestamptz", "float8"},
    {S, "date_part", "part,time", "float8"},
    {S, "date_part", "part,interval", "float8"},
    {S, "date_part_year", "date", "int4"},
    {S, "date_trunc", "part,timestamp", "timestamp"},
    {S, "date_trunc", "part,date", "timestamp"},
    {S, "date_trunc", "part,timestamptz", "timestamptz"},
    {S, "trunc", "timestamp", "date", "trunc_date"},
    {S, "trunc", "date", "date", "trunc_date"},
    {S, "add_months", "timestamp,int8", "timestamp"},
    {S, "add_months", "date,int8", "timestamp"},
    {S, "months_between", "timestamp,timestamp", "float8"},
    {S, "months_between", "date,date", "float8"},
    {S, "last_day", "timestamp", "date"},
    {S, "last_day", "date", "date"},
    {S, "next_day", "timestamp,str", "date"},
    {S, "next_day", "date,str", "date"},
    {S, "to_date", "str,str", "date"},
    {S, "to_date", "str,str,bool", "date"},
    {S, "to_timestamp", "str,str", "timestamptz"},
    {S, "to_timestamp", "str,str,bool", "timestamptz"},
    {S, "to_char", "timestamp,str", "varchar(256)", "to_char_timestamp"},
    {S, "to_char", "date,str", "varchar(256)", "to_char_timestamp"},
    {S, "to_char", "time,str", "varchar(256)", "to_char_timestamp"},
    {S, "to_char", "interval,str", "varchar(256)", "to_char_interval"},
    {S, "to_char", "dec,str", "varchar(256)", "to_char_number"},
    {S, "to_char", "float8,str", "varchar(256)", "to_char_float"},
    {S, "date_cmp", "date,date", "int4", "datetime_cmp"},
    {S, "date_cmp_timestamp", "date,timestamp", "int4", "datetime_cmp"},
    {S, "date_cmp_timestamptz", "date,timestamptz", "int4", "datetime_cmp"},
    {S, "timestamp_cmp", "timestamp,timestamp", "int4", "datetime_cmp"},
    {S, "timestamp_cmp_date", "timestamp,date", "int4", "datetime_cmp"},
    {S, "timestamp_cmp_timestamptz", "timestamp,timestamptz", "int4", "datetime_cmp"},
    {S, "timestamptz_cmp", "timestamptz,timestamptz", "int4", "datetime_cmp"},
    {S, "timestamptz_cmp_date", "timestamptz,date", "int4", "datetime_cmp"},
    {S, "timestamptz_cmp_timestamp", "timestamptz,timestamp", "int4", "datetime_cmp"},
    {S, "interval_cmp", "interval,interval", "int4", "datetime_cmp"},

    // JSON in strings
    {S, "json_extract_path_text", "str,str...", "~1"},
    {S, "json_extract_array_element_text", "str,int4", "~1"},
    {S, "json_extract_array_element_text", "str,int4,bool", "~1"},
    {S, "json_array_length", "str", "int4"},
    {S, "json_array_length", "str,bool", "int4"},
    {S, "is_valid_json", "str", "bool"},
    {S, "is_valid_json_array", "str", "bool"},

    // SUPER
    {S, "json_parse", "str", "super"},
    {S, "can_json_parse", "str", "bool", "is_valid_json_text"},
    {S, "json_serialize", "super", "text"},
    {S, "json_serialize_to_varbyte", "super", "varbyte"},
    {S, "json_size", "super", "int4"},
    {S, "json_typeof", "super", "varchar(16)"},
    {S, "array", "", "super", "super_array"},
    {S, "array", "super...", "super", "super_array"},
    {S, "array_concat", "super,super", "super"},
    {S, "array_flatten", "super", "super"},
    {S, "get_array_length", "super", "int4"},
    {S, "subarray", "super,int4", "super"},
    {S, "subarray", "super,int4,int4", "super"},
    {S, "array_contains", "super,super", "bool", "super_contains"},
    {S, "array_position", "super,super", "int4", "super_position"},
    {S, "array_positions", "super,super", "super", "super_positions"},
    {S, "array_distinct", "super", "super"},
    {S, "array_except", "super,super", "super"},
    {S, "array_intersection", "super,super", "super"},
    {S, "array_union", "super,super", "super"},
    {S, "arrays_overlap", "super,super", "bool"},
    {S, "split_to_array", "str", "super"},
    {S, "split_to_array", "str,str", "super"},
    {S, "object", "", "super", "super_object"},
    {S, "object", "super...", "super", "super_object"},
    {S, "is_array", "super", "bool"},
    {S, "is_object", "super", "bool"},
    {S, "is_scalar", "super", "bool"},
    {S, "is_varchar", "super", "bool", "is_string"},
    {S, "is_char", "super", "bool", "is_string"},
    {S, "is_boolean", "super", "bool"},
    {S, "is_integer", "super", "bool"},
    {S, "is_smallint", "super", "bool"},
    {S, "is_bigint", "super", "bool"},
    {S, "is_decimal", "super", "bool"},
    {S, "is_float", "super", "bool"},

    // Arrays of the catalog
    {S, "array_to_string", "array,str", "text"},
    {S, "array_upper", "array,int4", "int4"},
    {S, "array_lower", "array,int4", "int4"},
    {S, "array_length", "array,int4", "int4", "array_upper"},

    // Aggregates
    {A, "count", "any", "int8"},
    {A, "sum", "num", "sum"},
    {A, "avg", "num", "average"},
    {A, "min", "any", "=1"},
    {A, "max", "any", "=1"},
    {A, "any_value", "any", "=1"},
    {A, "stddev", "float8", "float8", "stddev_samp"},
    {A, "stddev_samp", "float8", "float8"},
    {A, "stddev_pop", "float8", "float8"},
    {A, "variance", "float8", "float8", "var_samp"},
    {A, "var_samp", "float8", "float8"},
    {A, "var_pop", "float8", "float8"},
    {A, "bool_and", "bool", "bool"},
    {A, "bool_or", "bool", "bool"},
    {A, "bit_and", "int2", "int2", "bit_and_agg"},
    {A, "bit_and", "int4", "int4", "bit_and_agg"},
    {A, "bit_and", "int8", "int8", "bit_and_agg"},
    {A, "bit_or", "int2", "int2", "bit_or_agg"},
    {A, "bit_or", "int4", "int4", "bit_or_agg"},
    {A, "bit_or", "int8", "int8", "bit_or_agg"},
    {A, "bit_and", "bool", "bool", "bool_and"},
    {A, "bit_or", "bool", "bool", "bool_or"},
    {A, "median", "int8", "numeric(38,1)", "median_integer"},
    {A, "median", "dec", "median"},
    {A, "median", "float8", "float8"},
    {A, "median", "date", "timestamp", "median_date"},
    {A, "median", "timestamp", "timestamp"},
    {A, "median", "timestamptz", "timestamptz"},
    {A, "array_agg", "any", "arrayof"},
    {A, "listagg", "str", "text"},
    {A, "listagg", "str,str", "text"},
    {O, "percentile_cont", "float8", "float8"},
    {O, "percentile_disc", "float8", "ordered"},

    // Windows
    {W, "row_number", "", "int8"},
    {W, "rank", "", "int8"},
    {W, "dense_rank", "", "int8"},
    {W, "percent_rank", "", "float8"},
    {W, "cume_dist", "", "float8"},
    {W, "ntile", "int4", "int8"},
    {W, "lag", "any", "=1"},
    {W, "lag", "any,int4", "=1"},
    {W, "lag", "same,int4,same", "=1"},
    {W, "lead", "any", "=1"},
    {W, "lead", "any,int4", "=1"},
    {W, "lead", "same,int4,same", "=1"},
    {W, "first_value", "any", "=1"},
    {W, "last_value", "any", "=1"},
    {W, "nth_value", "any,int4", "=1"},
    {W, "ratio_to_report", "float8", "float8"},
};

Type type_of(std::string_view word) {
  if (word == "text") return Type::varchar();
  if (word.starts_with("varchar(")) {
    auto n = parse_int(word.substr(8, word.size() - 9));
    CHECK(n);
    return Type::varchar(int(*n));
  }
  if (word.starts_with("numeric(")) {
    auto parts = split(word.substr(8, word.size() - 9), ',');
    CHECK(parts.size() == 2);
    return Type::decimal(int(*parse_int(parts[0])), int(*parse_int(parts[1])));
  }
  static const std::unordered_map<std::string_view, Type> kTypes{
      {"bool", TK::kBoolean}, {"int2", TK::kSmallint},       {"int4", TK::kInteger},
      {"int8", TK::kBigint},  {"float4", TK::kReal},         {"float8", TK::kDouble},
      {"date", TK::kDate},    {"timestamp", TK::kTimestamp}, {"timestamptz", TK::kTimestampTz},
      {"time", TK::kTime},    {"timetz", TK::kTimeTz},       {"interval", TK::kInterval},
      {"super", TK::kSuper},  {"varbyte", Type::varbyte()},  {"oid", TK::kOid},
  };
  auto it = kTypes.find(word);
  CHECK(it != kTypes.end());
  return it->second;
}

FunctionParameter parameter_of(std::string_view word) {
  static const std::unordered_map<std::string_view, ParameterKind> kKinds{
      {"str", ParameterKind::kString},    {"num", ParameterKind::kNumber}, {"dec", ParameterKind::kDecimal},
      {"any", ParameterKind::kAny},       {"same", ParameterKind::kSame},  {"array", ParameterKind::kArray},
      {"part", ParameterKind::kDatePart},
  };
  if (auto it = kKinds.find(word); it != kKinds.end()) return {it->second, Type::varchar()};
  return {ParameterKind::kType, type_of(word)};
}

Function function_of(const Row& row) {
  Function f;
  f.name = row.name;
  f.id = row.id.empty() ? row.name : row.id;
  f.kind = row.kind;
  f.is_volatile = row.is_volatile;
  f.takes_frame = row.name.ends_with("_value") || row.kind != W;
  auto words = row.parameters;
  if (words.ends_with("...")) {
    f.variadic = true;
    words.remove_suffix(3);
  }
  if (!words.empty())
    for (auto word : split(words, ',')) f.parameters.push_back(parameter_of(word));
  static const std::unordered_map<std::string_view, ResultRule> kRules{
      {"concat", ResultRule::kConcat},   {"sum", ResultRule::kSum},        {"average", ResultRule::kAverage},
      {"round", ResultRule::kRound},     {"modulo", ResultRule::kModulo},  {"element", ResultRule::kElement},
      {"arrayof", ResultRule::kArrayOf}, {"median", ResultRule::kAverage}, {"ordered", ResultRule::kElement},
  };
  if (row.result[0] == '=' || row.result[0] == '~') {
    f.rule = row.result[0] == '=' ? ResultRule::kArgument : ResultRule::kLength;
    f.from = size_t(row.result[1] - '1');
  } else if (auto it = kRules.find(row.result); it != kRules.end()) {
    f.rule = it->second;
  } else {
    f.result = type_of(row.result);
  }
  return f;
}

const std::vector<Function>& table() {
  static const auto functions = [] {
    std::vector<Function> all;
    for (const Row& row : kRows) all.push_back(function_of(row));
    return all;
  }();
  return functions;
}

}  // namespace

std::span<const Function> all_functions() { return table(); }

std::span<const Function* const> find_functions(std::string_view name) {
  static const auto index = [] {
    std::unordered_map<std::string_view, std::vector<const Function*>> by_name;
    for (const Function& f : table()) by_name[f.name].push_back(&f);
    return by_name;
  }();
  auto it = index.find(name);
  if (it == index.end()) return {};
  return it->second;
}

std::string_view date_part(std::string_view word) {
  static const auto index = [] {
    std::unordered_map<std::string_view, std::string_view> names;
    constexpr std::pair<std::string_view, std::string_view> kWords[] = {
        {"millennium", "millennium millennia mil mils"},
        {"century", "century centuries c cent cents"},
        {"decade", "decade decades dec decs"},
        {"epoch", "epoch"},
        {"year", "year years y yr yrs"},
        {"quarter", "quarter quarters qtr qtrs"},
        {"month", "month months mon mons"},
        {"week", "week weeks w"},
        {"dow", "dayofweek dow dw weekday"},
        {"doy", "dayofyear doy dy yearday"},
        {"day", "day days d"},
        {"hour", "hour hours h hr hrs"},
        {"minute", "minute minutes m min mins"},
        {"second", "second seconds s sec secs"},
        {"millisecond", "millisecond milliseconds ms msec msecs msecond mseconds millisec millisecs millisecon"},
        {"microsecond", "microsecond microseconds us usec usecs usecond useconds microsec microsecs microsecon"},
        {"timezone", "timezone"},
        {"timezone_hour", "timezone_hour"},
        {"timezone_minute", "timezone_minute"},
    };
    for (auto& [canonical, words] : kWords)
      for (auto w : split(words, ' ')) names[w] = canonical;
    return names;
  }();
  auto it = index.find(word);
  return it == index.end() ? std::string_view{} : it->second;
}

}  // namespace redoubt::warehouse::secure
