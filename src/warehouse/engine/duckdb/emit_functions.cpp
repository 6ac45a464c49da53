#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "warehouse/engine/duckdb/emit_internal.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/functions.h"
#include "warehouse/secure/types.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::engine {

namespace plan = secure::plan;
using plan::ExprKind;
using secure::type_class;
using secure::TypeClass;
using sql::Type;
using TK = sql::TypeKind;

namespace {

/// {1} is the first argument, {*} all of them, {t} the result's engine type. A template that begins with ! is cast to it.
/// What isn't here, and no case of Emitter's, is a function of ours: rs_<id>(arguments).
const std::unordered_map<std::string_view, std::string_view>& templates() {
  static const std::unordered_map<std::string_view, std::string_view> kTemplates{
      // Conditions
      {"eq", "({1} = {2})"},
      {"ne", "({1} <> {2})"},
      {"lt", "({1} < {2})"},
      {"le", "({1} <= {2})"},
      {"gt", "({1} > {2})"},
      {"ge", "({1} >= {2})"},
      {"distinct", "({1} IS DISTINCT FROM {2})"},
      {"not_distinct", "({1} IS NOT DISTINCT FROM {2})"},
      {"is_null", "({1} IS NULL)"},
      {"is_not_null", "({1} IS NOT NULL)"},
      {"is_true", "({1} IS NOT DISTINCT FROM true)"},
      {"is_false", "({1} IS NOT DISTINCT FROM false)"},
      {"not", "(NOT {1})"},
      {"coalesce", "coalesce({*})"},
      {"greatest", "greatest({*})"},
      {"least", "least({*})"},
      {"array_contains", "list_contains({1}, {2})"},
      // Operators
      {"neg", "!(-{1})"},
      {"power", "pow({1}, {2})"},
      {"bit_and", "({1} & {2})"},
      {"bit_or", "({1} | {2})"},
      {"bit_xor", "xor({1}, {2})"},
      {"bit_not", "(~{1})"},
      {"shift_left", "!({1} << {2})"},
      {"shift_right", "!({1} >> {2})"},
      {"add_days_date", "({1} + {2})"},
      {"date_sub", "!({1} - {2})"},
      {"datetime_add", "({1} + {2})"},
      {"datetime_sub", "({1} - {2})"},
      {"date_add_time", "({1} + {2})"},
      {"interval_add", "({1} + {2})"},
      {"interval_sub", "({1} - {2})"},
      // Strings
      {"upper", "upper({1})"},
      {"lower", "lower({1})"},
      {"length", "!length({1})"},
      {"octet_length", "!strlen({1})"},
      {"octet_length_varbyte", "!octet_length({1})"},
      {"bit_length", "!(8 * strlen({1}))"},
      {"ltrim", "ltrim({*})"},
      {"rtrim", "rtrim({*})"},
      {"btrim", "trim({*})"},
      {"left", "left({1}, {2})"},
      {"right", "right({1}, {2})"},
      {"reverse", "reverse({1})"},
      {"replace", "replace({1}, {2}, {3})"},
      {"translate", "translate({1}, {2}, {3})"},
      {"strpos", "!strpos({1}, {2})"},
      {"charindex", "!strpos({2}, {1})"},
      {"ascii", "!ascii({1})"},
      {"md5", "md5({1})"},
      {"sha1", "sha1({1})"},
      {"hex_varbyte", "lower(hex({1}))"},
      {"text_cmp", "!(CAST(({1} > {2}) AS INTEGER) - CAST(({1} < {2}) AS INTEGER))"},
      // Numbers
      {"abs", "abs({1})"},
      {"sign", "!sign({1})"},
      {"sqrt", "sqrt({1})"},
      {"cbrt", "cbrt({1})"},
      {"exp", "exp({1})"},
      {"ln", "ln({1})"},
      {"log", "log10({1})"},
      {"pi", "pi()"},
      {"random", "random()"},
      {"degrees", "degrees({1})"},
      {"radians", "radians({1})"},
      {"sin", "sin({1})"},
      {"cos", "cos({1})"},
      {"tan", "tan({1})"},
      {"cot", "cot({1})"},
      {"asin", "asin({1})"},
      {"acos", "acos({1})"},
      {"atan", "atan({1})"},
      {"atan2", "atan2({1}, {2})"},
      {"truncate_to_integer", "!trunc({1})"},
      // Dates
      {"trunc_date", "CAST({1} AS DATE)"},
      {"date_part_year", "!year({1})"},
      {"last_day", "last_day({1})"},
      {"datetime_cmp", "!(CAST(({1} > {2}) AS INTEGER) - CAST(({1} < {2}) AS INTEGER))"},
      {"timestamptz_to_text", "rs_zoned_text({2}, epoch_us({2}) - epoch_us({1}))"},
      // Arrays of the catalog
      {"array_element", "list_extract({1}, {2})"},
      {"vector_element", "list_extract({1}, {2} + 1)"},
      {"array_to_string", "rs_array_join(CAST({1} AS VARCHAR[]), {2})"},
      {"array_upper", "!(CASE WHEN {2} = 1 THEN nullif(len({1}), 0) END)"},
      {"array_lower", "!(CASE WHEN {2} = 1 AND len({1}) > 0 THEN 1 END)"},
      // Aggregates; {o} is where OVER goes
      {"count_star", "count(*){o}"},
      {"count", "count({d}{1}){o}"},
      {"min", "min({1}){o}"},
      {"max", "max({1}){o}"},
      {"any_value", "any_value({1}){o}"},
      {"stddev_samp", "stddev_samp({d}{1}){o}"},
      {"stddev_pop", "stddev_pop({d}{1}){o}"},
      {"var_samp", "var_samp({d}{1}){o}"},
      {"var_pop", "var_pop({d}{1}){o}"},
      {"bool_and", "bool_and({1}){o}"},
      {"bool_or", "bool_or({1}){o}"},
      {"bit_and_agg", "bit_and({1}){o}"},
      {"bit_or_agg", "bit_or({1}){o}"},
      {"median", "!median({1}){o}"},
      {"median_integer", "!median(CAST({1} AS DOUBLE)){o}"},
      {"median_date", "!median(CAST({1} AS TIMESTAMP)){o}"},
      {"sum", "!sum({d}{1}){o}"},
      // Windows
      {"row_number", "row_number(){o}"},
      {"rank", "rank(){o}"},
      {"dense_rank", "dense_rank(){o}"},
      {"percent_rank", "percent_rank(){o}"},
      {"cume_dist", "cume_dist(){o}"},
      {"ntile", "ntile({1}){o}"},
      {"lag", "lag({*}{i}){o}"},
      {"lead", "lead({*}{i}){o}"},
      {"first_value", "first_value({1}{i}){o}"},
      {"last_value", "last_value({1}{i}){o}"},
      {"nth_value", "nth_value({*}{i}){o}"},
      {"ratio_to_report", "({1} / nullif(sum({1}){o}, 0))"},
  };
  return kTemplates;
}

const std::string& constant_text(const plan::Expr& e) {
  static const std::string kNone;
  return e.kind == ExprKind::kConst && e.value ? *e.value : kNone;
}

}  // namespace

bool is_template(std::string_view id) { return templates().contains(id); }

void Emitter::call(const Expr& e) {
  if (operator_call(e) || string_call(e) || number_call(e) || date_call(e)) return;
  auto it = templates().find(e.function);
  if (it == templates().end()) {
    out_ += "rs_" + e.function + "(";
    for (size_t i = 0; i < e.args.size(); i++) {
      if (i) out_ += ", ";
      expr(*e.args[i]);
    }
    out_ += ")";
    return;
  }
  std::string_view t = it->second;
  bool to_type = t.starts_with('!');
  if (to_type) {
    t.remove_prefix(1);
    out_ += "CAST(";
  }
  for (size_t i = 0; i < t.size(); i++) {
    if (t[i] != '{') {
      out_ += t[i];
      continue;
    }
    if (t[i + 1] == '*') {
      for (size_t a = 0; a < e.args.size(); a++) {
        if (a) out_ += ", ";
        expr(*e.args[a]);
      }
    } else {
      expr(*e.args[size_t(t[i + 1] - '1')]);
    }
    i += 2;
  }
  if (to_type) out_ += " AS " + duckdb_type(e.type) + ")";
}

// ---- Operators ------------------------------------------------------------------------------------------------------

bool Emitter::operator_call(const Expr& e) {
  const std::string& id = e.function;
  auto infix = [&](const char* op) {
    out_ += "(";
    for (size_t i = 0; i < e.args.size(); i++) {
      if (i) out_ += op;
      expr(*e.args[i]);
    }
    out_ += ")";
    return true;
  };
  if (id == "and") return infix(" AND ");
  if (id == "or") return infix(" OR ");
  if (id == "concat") return infix(" || ");
  if (id == "add" || id == "sub" || id == "mul") {
    const char* op = id == "add" ? " + " : id == "sub" ? " - " : " * ";
    if (!e.type.is(TK::kDecimal)) return infix(op);
    if (id == "mul" && e.args[0]->type.scale + e.args[1]->type.scale > 38) {
      // The engine can't hold the product's scale: the second factor gives up digits.
      int scale = 38 - e.args[0]->type.scale;
      out_ += "CAST((" + text_of(*e.args[0]) + " * CAST(" + text_of(*e.args[1]) + " AS DECIMAL(38," + std::to_string(scale) +
              "))) AS " + duckdb_type(e.type) + ")";
      return true;
    }
    out_ += "CAST(";
    infix(op);
    out_ += " AS " + duckdb_type(e.type) + ")";
    return true;
  }
  if (id == "div") {
    if (e.type.is(TK::kDecimal)) {
      out_ += "CAST(rs_divide(" + text_of(*e.args[0]) + ", " + text_of(*e.args[1]) + ", " + std::to_string(e.type.scale) +
              ") AS " + duckdb_type(e.type) + ")";
    } else {
      out_ += "rs_div(" + text_of(*e.args[0]) + ", " + text_of(*e.args[1]) + ")";
    }
    return true;
  }
  if (id == "mod") {
    std::string type = duckdb_type(e.type);
    if (e.type.is(TK::kDecimal)) type = "DECIMAL(38," + std::to_string(e.type.scale) + ")";
    out_ += "CAST(rs_mod(CAST(" + text_of(*e.args[0]) + " AS " + type + "), CAST(" + text_of(*e.args[1]) + " AS " + type +
            ")) AS " + duckdb_type(e.type) + ")";
    return true;
  }
  if (id == "interval_mul" || id == "interval_div") {
    out_ += "rs_" + id + "(" + text_of(*e.args[0]) + ", " + text_of(*e.args[1]) + ")";
    return true;
  }
  if (id == "array_list") {
    out_ += "CAST([";
    for (size_t i = 0; i < e.args.size(); i++) {
      if (i) out_ += ", ";
      expr(*e.args[i]);
    }
    out_ += "] AS " + duckdb_type(e.type) + ")";
    return true;
  }
  if (id == "try_cast") {
    out_ += cast_text(text_of(*e.args[0]), e.args[0]->type, e.type, plan::Coercion::kExplicit, true);
    return true;
  }
  return false;
}

// ---- Strings --------------------------------------------------------------------------------------------------------

bool Emitter::string_call(const Expr& e) {
  const std::string& id = e.function;
  if (id == "like" || id == "ilike") {
    const char* word = id == "like" ? " LIKE " : " ILIKE ";
    std::string escape = e.args.size() == 3 ? constant_text(*e.args[2]) : "\\";
    bool plain = e.args[1]->kind == ExprKind::kConst && e.args[1]->value &&
                 (escape.empty() || e.args[1]->value->find(escape) == std::string::npos);
    out_ += "(" + text_of(*e.args[0]) + word + text_of(*e.args[1]);
    if (!plain && !escape.empty()) out_ += " ESCAPE " + literal(escape);
    out_ += ")";
    return true;
  }
  if (id == "similar_to") {
    std::string escape = e.args.size() == 3 ? constant_text(*e.args[2]) : "\\";
    out_ += "rs_regex(" + text_of(*e.args[0]) + ", rs_similar_pattern(" + text_of(*e.args[1]) + ", " + literal(escape) + "))";
    return true;
  }
  if (id == "substring" && e.args.size() >= 2) {
    // From 1 on and without negative lengths the engine's own means the same, and is quicker.
    auto start = parse_int(constant_text(*e.args[1]));
    auto length = e.args.size() == 3 ? parse_int(constant_text(*e.args[2])) : std::optional<int64_t>(0);
    bool same = start && *start >= 1 && length && *length >= 0;
    out_ += same ? "substring(" : "rs_substring(";
    for (size_t i = 0; i < e.args.size(); i++) {
      if (i) out_ += ", ";
      expr(*e.args[i]);
    }
    out_ += ")";
    return true;
  }
  return false;
}

// ---- Numbers --------------------------------------------------------------------------------------------------------

bool Emitter::number_call(const Expr& e) {
  const std::string& id = e.function;
  bool rounds = id == "round" || id == "trunc" || id == "ceil" || id == "floor";
  if (!rounds || e.args.empty()) return false;
  const Type& from = e.args[0]->type;
  std::string x = text_of(*e.args[0]), type = duckdb_type(e.type);
  std::string digits = e.args.size() == 2 ? text_of(*e.args[1]) : "0";
  if (from.is_integer()) {
    out_ +=
        e.args.size() == 1 ? x : "CAST(rs_" + id + "_digits(CAST(" + x + " AS DECIMAL(38,0)), " + digits + ") AS " + type + ")";
  } else if (from.is(TK::kDecimal)) {
    out_ += "CAST(rs_" + id + "_digits(CAST(" + x + " AS DECIMAL(38," + std::to_string(from.scale) + ")), " + digits + ") AS " +
            type + ")";
  } else if (e.args.size() == 1) {
    out_ += "CAST(" + id + "(" + x + ") AS " + type + ")";
  } else {
    out_ += "CAST(rs_" + id + "_float(CAST(" + x + " AS DOUBLE), " + digits + ") AS " + type + ")";
  }
  return true;
}

// ---- Dates ----------------------------------------------------------------------------------------------------------

bool Emitter::date_call(const Expr& e) {
  const std::string& id = e.function;
  auto arg = [&](size_t i) { return text_of(*e.args[i]); };
  auto as_timestamp = [&](size_t i) { return e.args[i]->type.is(TK::kDate) ? "CAST(" + arg(i) + " AS TIMESTAMP)" : arg(i); };
  if (id == "add_days" || id == "sub_days") {
    const char* op = id == "add_days" ? " + " : " - ";
    bool date = e.args[0]->type.is(TK::kDate);
    out_ += "(" + arg(0) + op + (date ? arg(1) : "to_days(" + arg(1) + ")") + ")";
    return true;
  }
  if (id == "datetime_diff") {
    if (!e.args[0]->type.is(TK::kTime))
      out_ += "(" + arg(0) + " - " + arg(1) + ")";
    else
      out_ += "to_microseconds(date_diff('microsecond', " + arg(1) + ", " + arg(0) + "))";
    return true;
  }
  if (id == "dateadd") {
    const std::string& part = constant_text(*e.args[0]);
    static const std::unordered_map<std::string_view, std::pair<const char*, const char*>> kUnits{
        {"millennium", {"to_years", " * 1000"}},
        {"century", {"to_years", " * 100"}},
        {"decade", {"to_years", " * 10"}},
        {"year", {"to_years", ""}},
        {"quarter", {"to_months", " * 3"}},
        {"month", {"to_months", ""}},
        {"week", {"to_days", " * 7"}},
        {"day", {"to_days", ""}},
        {"dow", {"to_days", ""}},
        {"doy", {"to_days", ""}},
        {"hour", {"to_hours", ""}},
        {"minute", {"to_minutes", ""}},
        {"second", {"to_seconds", ""}},
        {"millisecond", {"to_microseconds", " * 1000"}},
        {"microsecond", {"to_microseconds", ""}},
        {"epoch", {"to_seconds", ""}},
    };
    auto unit = kUnits.find(part);
    if (unit == kUnits.end()) {
      fail_with(secure::kNotSupported, "dateadd of " + part + " is not supported");
      return true;
    }
    std::string_view function = unit->second.first;
    bool narrow = function == "to_years" || function == "to_months" || function == "to_days";
    std::string n = arg(1) + unit->second.second;
    out_ +=
        "(" + as_timestamp(2) + " + " + std::string(function) + "(CAST(" + n + (narrow ? " AS INTEGER)" : " AS BIGINT)") + "))";
    return true;
  }
  if (id == "datediff") {
    std::string part = constant_text(*e.args[0]);
    if (part == "dow" || part == "doy") part = "day";
    if (part == "epoch") part = "second";
    if (part.starts_with("timezone")) {
      fail_with(secure::kNotSupported, "datediff of " + part + " is not supported");
      return true;
    }
    out_ += "date_diff(" + literal(part) + ", " + arg(1) + ", " + arg(2) + ")";
    return true;
  }
  if (id == "date_part") {
    const std::string& part = constant_text(*e.args[0]);
    if (part.starts_with("timezone")) {
      fail_with(secure::kNotSupported, "date_part of " + part + " is not supported");
      return true;
    }
    static const std::set<std::string_view> kOfTime{"hour", "minute", "second", "millisecond", "microsecond", "epoch"};
    if (e.args[1]->type.is(TK::kTime) && !kOfTime.contains(part)) {
      fail_with(secure::kInvalidParameterValue, "\"time\" units \"" + part + "\" not recognized");
      return true;
    }
    if (part == "second")
      out_ += "(date_part('microsecond', " + arg(1) + ") / 1000000.0)";
    else if (part == "millisecond")
      out_ += "(date_part('microsecond', " + arg(1) + ") / 1000.0)";
    else
      out_ += "CAST(date_part(" + literal(part) + ", " + arg(1) + ") AS DOUBLE)";
    return true;
  }
  if (id == "date_trunc") {
    const std::string& part = constant_text(*e.args[0]);
    if (part == "dow" || part == "doy" || part == "epoch" || part.starts_with("timezone")) {
      fail_with(secure::kInvalidParameterValue, "timestamp units \"" + part + "\" not supported");
      return true;
    }
    out_ += "CAST(date_trunc(" + literal(part) + ", " + as_timestamp(1) + ") AS " + duckdb_type(e.type) + ")";
    return true;
  }
  if (id == "timezone") {
    const std::string& zone = constant_text(*e.args[0]);
    auto offset = zone.empty() ? std::nullopt : secure::values::fixed_offset(zone);
    if (!offset) {
      out_ += "timezone(" + arg(0) + ", " + arg(1) + ")";
    } else if (e.type.is(TK::kTimestampTz)) {
      out_ += "timezone('UTC', (" + arg(1) + " - to_seconds(" + std::to_string(*offset) + ")))";
    } else {
      out_ += "(timezone('UTC', " + arg(1) + ") + to_seconds(" + std::to_string(*offset) + "))";
    }
    return true;
  }
  if (id == "text_to_timestamptz") {
    std::string text = arg(0);
    const std::string& zone = constant_text(*e.args[1]);
    if (secure::values::fixed_offset(zone) == 0) {
      out_ += "rs_timestamptz(" + text + ")";
    } else {
      out_ += "CASE WHEN rs_has_zone(" + text + ") THEN rs_timestamptz(" + text + ") ELSE timezone(" + literal(zone) +
              ", rs_timestamp(" + text + ")) END";
    }
    return true;
  }
  if (id == "add_months" || id == "months_between" || id == "next_day" || id == "to_char_timestamp") {
    bool time = e.args[0]->type.is(TK::kTime);
    out_ += "rs_" + id + "(" + (time ? "(DATE '1970-01-01' + " + arg(0) + ")" : as_timestamp(0));
    for (size_t i = 1; i < e.args.size(); i++) out_ += ", " + (id == "months_between" ? as_timestamp(i) : arg(i));
    out_ += ")";
    return true;
  }
  if (id == "to_number" || id == "to_char_number") {
    if (id == "to_number")
      out_ += "CAST(rs_to_number(" + arg(0) + ", " + arg(1) + ") AS " + duckdb_type(e.type) + ")";
    else
      out_ += "rs_to_char_number(CAST(" + arg(0) + " AS VARCHAR), " + arg(1) + ")";
    return true;
  }
  return false;
}

// ---- Aggregates and windows -----------------------------------------------------------------------------------------

void Emitter::aggregate(const Expr& e, const std::string& over) {
  const std::string& id = e.function;
  std::string distinct = e.distinct ? "DISTINCT " : "";
  auto order = [&] {
    if (e.order_by.empty()) return std::string();
    std::string before;
    before.swap(out_);
    sort_keys(e.order_by);
    before.swap(out_);
    return " ORDER BY " + before;
  };
  if (id == "avg") {
    std::string x = text_of(*e.args[0]);
    if (e.type.is_float()) {
      out_ += "avg(" + distinct + "CAST(" + x + " AS DOUBLE))" + over;
    } else {
      // The mean of integers is an integer and that of decimals keeps its scale: both are cut, not rounded.
      out_ += "CAST(rs_mean(CAST(sum(" + distinct + x + ")" + over + " AS DECIMAL(38," +
              std::to_string(e.args[0]->type.is(TK::kDecimal) ? e.args[0]->type.scale : 0) + ")), count(" + distinct + x + ")" +
              over + ") AS " + duckdb_type(e.type) + ")";
    }
    return;
  }
  if (id == "listagg") {
    std::string separator = e.args.size() == 2 ? constant_text(*e.args[1]) : "";
    out_ +=
        "rs_listagg_limit(string_agg(" + distinct + text_of(*e.args[0]) + ", " + literal(separator) + order() + ")" + over + ")";
    return;
  }
  if (id == "array_agg") {
    out_ += "array_agg(" + distinct + text_of(*e.args[0]) + order() + ")" + over;
    return;
  }
  if (id == "percentile_cont" || id == "percentile_disc") {
    double fraction = secure::values::parse_double(constant_text(*e.args[0])).value_or(0.5);
    bool descending = e.order_by[0].descending;
    std::string x = text_of(*e.order_by[0].expr);
    if (id == "percentile_disc" && descending && !over.empty())
      return fail_with(secure::kNotSupported, "PERCENTILE_DISC over a descending window is not supported");
    if (id == "percentile_disc" && descending) {
      out_ += "CAST(percentile_disc(" + constant_text(*e.args[0]) + ") WITHIN GROUP (ORDER BY " + x + " DESC) AS " +
              duckdb_type(e.type) + ")";
      return;
    }
    if (descending) fraction = 1 - fraction;
    out_ += "CAST(" + std::string(id == "percentile_cont" ? "quantile_cont(" : "quantile_disc(") + x + ", " +
            secure::values::format_double(fraction) + ")" + over + " AS " + duckdb_type(e.type) + ")";
    return;
  }
  auto it = templates().find(id);
  if (it == templates().end()) return fail_with(secure::kNotSupported, "aggregate " + id + " is not supported");
  std::string_view t = it->second;
  bool to_type = t.starts_with('!');
  if (to_type) {
    t.remove_prefix(1);
    out_ += "CAST(";
  }
  for (size_t i = 0; i < t.size(); i++) {
    if (t[i] != '{') {
      out_ += t[i];
      continue;
    }
    switch (t[i + 1]) {
      case 'o':
        out_ += over;
        break;
      case 'd':
        out_ += distinct;
        break;
      case 'i':
        out_ += e.ignore_nulls ? " IGNORE NULLS" : "";
        break;
      case '*':
        for (size_t a = 0; a < e.args.size(); a++) {
          if (a) out_ += ", ";
          expr(*e.args[a]);
        }
        break;
      default:
        expr(*e.args[size_t(t[i + 1] - '1')]);
    }
    i += 2;
  }
  if (to_type) out_ += " AS " + duckdb_type(e.type) + ")";
}

void Emitter::window(const Expr& e) { aggregate(e, over(*e.window)); }

}  // namespace redoubt::warehouse::engine
