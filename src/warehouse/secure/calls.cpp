#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/analyzer.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::secure {

using plan::ExprPtr;
using sql::Type;
using TK = sql::TypeKind;

namespace {

constexpr int64_t kEpoch2000 = 946684800LL * 1000000;

std::string type_list(const std::vector<ExprPtr>& args) {
  std::vector<std::string> names;
  for (auto& a : args) names.push_back(a->type.is(TK::kUnknown) ? "\"unknown\"" : a->type.base_name());
  return join(names, ", ");
}

std::optional<int> parameter_cost(const FunctionParameter& p, const Type& type) {
  auto c = type_class(type);
  switch (p.kind) {
    case ParameterKind::kType:
      return implicit_cost(type, p.type);
    case ParameterKind::kString:
      return c == TypeClass::kString ? 0 : c == TypeClass::kUnknown ? 1 : implicit_cost(type, p.type);
    case ParameterKind::kNumber:
      if (c == TypeClass::kNumber) return 0;
      if (c == TypeClass::kUnknown) return 2;
      return c == TypeClass::kSuper ? std::optional(26) : c == TypeClass::kOid ? std::optional(10) : std::nullopt;
    case ParameterKind::kDecimal:
      if (type.is(TK::kDecimal)) return 0;
      return type.is_integer() ? std::optional(4) : c == TypeClass::kUnknown ? std::optional(2) : std::nullopt;
    case ParameterKind::kAny:
    case ParameterKind::kSame:
      return 1;
    case ParameterKind::kArray:
      return c == TypeClass::kArray ? std::optional(0) : std::nullopt;
    case ParameterKind::kDatePart:
      return 0;
  }
  return std::nullopt;
}

const FunctionParameter& parameter_at(const Function& f, size_t i) { return f.parameters[std::min(i, f.parameters.size() - 1)]; }

Type element_of(const Type& array) {
  if (array.is(TK::kInt2Vector)) return TK::kSmallint;
  if (array.is(TK::kOidVector)) return TK::kOid;
  return array.element;
}

}  // namespace

std::unexpected<Error> Analyzer::no_function(const sql::FunctionCall& call, const std::vector<ExprPtr>& args) {
  std::string name = call.name.schema.empty() ? call.name.name : call.name.schema + "." + call.name.name;
  auto e = error(kUndefinedFunction, "function " + name + "(" + type_list(args) + ") does not exist", call.position);
  return std::unexpected(std::move(e).error().with(
      "HINT", "No function matches the given name and argument types. You may need to add explicit type casts."));
}

Result<std::vector<ExprPtr>> Analyzer::bind_args(const std::vector<sql::ExprPtr>& args) {
  std::vector<ExprPtr> out;
  for (auto& a : args) {
    TRY(ExprPtr e, bind(*a));
    out.push_back(std::move(e));
  }
  return out;
}

Result<const Function*> Analyzer::choose(const sql::FunctionCall& call, std::span<const Function* const> candidates,
                                         const std::vector<ExprPtr>& args, const std::vector<std::string_view>&) {
  const Function* best = nullptr;
  int best_cost = 0;
  for (const Function* f : candidates) {
    bool arity = f->variadic ? args.size() >= f->parameters.size() : args.size() == f->parameters.size();
    if (!arity) continue;
    int cost = 0;
    bool possible = true;
    for (size_t i = 0; i < args.size() && possible; i++) {
      auto c = parameter_cost(parameter_at(*f, i), args[i]->type);
      possible = c.has_value();
      cost += c.value_or(0);
    }
    if (!possible || (best && cost >= best_cost)) continue;
    best = f;
    best_cost = cost;
  }
  if (!best) return no_function(call, args);
  return best;
}

Result<void> Analyzer::convert_args(const Function& f, std::vector<ExprPtr>& args, sql::Position position) {
  std::vector<size_t> alike;
  for (size_t i = 0; i < args.size(); i++) {
    const auto& p = parameter_at(f, i);
    switch (p.kind) {
      case ParameterKind::kType: {
        TRY(args[i], convert(std::move(args[i]), p.type, Conversion::kImplicit, position));
        break;
      }
      case ParameterKind::kString: {
        TRY(args[i], convert(std::move(args[i]), Type::varchar(), Conversion::kImplicit, position));
        break;
      }
      case ParameterKind::kNumber: {
        if (!args[i]->type.is_numeric()) {
          TRY(args[i], convert(std::move(args[i]), TK::kDouble, Conversion::kImplicit, position));
        }
        break;
      }
      case ParameterKind::kDecimal: {
        TRY(args[i],
            convert(std::move(args[i]), args[i]->type.is(TK::kUnknown) ? Type::decimal(Type::kAny) : as_decimal(args[i]->type),
                    Conversion::kImplicit, position));
        break;
      }
      case ParameterKind::kAny: {
        TRY(args[i], finish(std::move(args[i])));
        break;
      }
      case ParameterKind::kSame:
        alike.push_back(i);
        break;
      case ParameterKind::kArray:
      case ParameterKind::kDatePart:
        break;
    }
  }
  if (alike.empty()) return {};
  std::vector<ExprPtr> group;
  for (size_t i : alike) group.push_back(args[i]);
  TRY_VOID(unify(group, "arguments", position));
  for (size_t i = 0; i < alike.size(); i++) args[alike[i]] = group[i];
  return {};
}

Type Analyzer::result_type(const Function& f, const std::vector<ExprPtr>& args) {
  auto at = [&](size_t i) { return i < args.size() ? args[i]->type : Type(); };
  switch (f.rule) {
    case ResultRule::kType:
      return f.result;
    case ResultRule::kArgument:
      return at(f.from);
    case ResultRule::kLength:
      return Type::varchar(args[f.from]->kind == plan::ExprKind::kParameter ? Type::kAny : std::max(1, byte_length(at(f.from))));
    case ResultRule::kConcat: {
      int length = 0;
      for (auto& a : args) length = std::min(length + byte_length(a->type), int(Type::kVarcharMax));
      return Type::varchar(std::max(length, 1));
    }
    case ResultRule::kSum:
      if (at(0).is_float()) return TK::kDouble;
      if (at(0).is(TK::kSmallint) || at(0).is(TK::kInteger)) return TK::kBigint;
      return Type::decimal(38, at(0).is(TK::kDecimal) ? at(0).scale : 0);
    case ResultRule::kAverage:
      if (at(0).is_float()) return TK::kDouble;
      if (at(0).is(TK::kSmallint) || at(0).is(TK::kInteger)) return TK::kBigint;
      return Type::decimal(38, at(0).is(TK::kDecimal) ? at(0).scale : 0);
    case ResultRule::kRound: {
      if (!at(0).is(TK::kDecimal)) return at(0);
      int scale = at(0).scale;
      if (args.size() < 2) {
        scale = 0;
      } else if (is_constant(*args[1]) && args[1]->value) {
        scale = std::clamp(int(parse_int(*args[1]->value).value_or(scale)), 0, scale);
      }
      return Type::decimal(std::clamp(at(0).precision - at(0).scale + scale + 1, 1, 38), scale);
    }
    case ResultRule::kModulo:
      return at(0).is_float() || at(1).is_float() ? Type(TK::kDouble) : arithmetic_type('%', at(0), at(1));
    case ResultRule::kElement:
      return type_class(at(0)) == TypeClass::kArray ? element_of(at(0)) : at(0);
    case ResultRule::kArrayOf:
      return Type::array(at(0).kind);
  }
  return f.result;
}

Result<ExprPtr> Analyzer::bind_call(const sql::FunctionCall& call) {
  if (!call.name.database.empty() || (!call.name.schema.empty() && call.name.schema != "pg_catalog")) {
    TRY(auto args, bind_args(call.args));
    return no_function(call, args);
  }
  TRY(auto special, bind_special(call));
  if (special) {
    if (call.over || call.distinct || call.filter || !call.within_group.empty() || !call.order_by.empty())
      return error(kWrongObjectType, call.name.name + " is not an aggregate function", call.position);
    return std::move(*special);
  }
  auto candidates = find_functions(call.name.name);
  if (call.star) {
    if (call.name.name != "count")
      return error(kSyntaxError, call.name.name + "(*) specified, but " + call.name.name + " takes no *", call.position);
    return bind_aggregate(call, nullptr, {});
  }
  if (candidates.empty()) {
    TRY(auto args, bind_args(call.args));
    if (call.over || call.distinct || call.filter || !call.within_group.empty() || !call.order_by.empty())
      return no_function(call, args);
    return bind_host_call(call, std::move(args));
  }
  std::vector<ExprPtr> args;
  size_t first = 0;
  if (!candidates[0]->parameters.empty() && candidates[0]->parameters[0].kind == ParameterKind::kDatePart && !call.args.empty()) {
    std::string word;
    if (auto* ref = sql::get_if<sql::ColumnRef>(call.args[0].get()); ref && ref->parts.size() == 1) word = ref->parts[0];
    if (auto* text = sql::get_if<sql::Literal>(call.args[0].get()); text && text->value_kind == sql::Literal::Kind::kString)
      word = to_lower(text->text);
    auto part = date_part(word);
    if (part.empty())
      return word.empty()
                 ? error(kNotSupported, "the date part of " + call.name.name + " must be a word or a literal", call.position)
                 : error(kInvalidParameterValue, "timestamp units \"" + word + "\" not recognized", call.args[0]->position);
    args.push_back(make_text(std::string(part)));
    first = 1;
  }
  bool aggregate = candidates[0]->kind == FunctionKind::kAggregate || candidates[0]->kind == FunctionKind::kOrderedSet;
  bool over = call.over != nullptr;
  for (size_t i = first; i < call.args.size(); i++) {
    TRY(ExprPtr e, aggregate && !over ? bind_in(Place::kAggregate, *call.args[i])
                   : over             ? bind_in(Place::kWindow, *call.args[i])
                                      : bind(*call.args[i]));
    args.push_back(std::move(e));
  }
  // json_extract_path_text(json, path.., null_if_invalid): the last argument may be a boolean.
  bool lenient_json = call.name.name == "json_extract_path_text" && args.size() > 2 && args.back()->type.is(TK::kBoolean) &&
                      is_constant(*args.back());
  bool null_if_invalid = lenient_json && args.back()->value == "true";
  if (lenient_json) args.pop_back();
  auto chosen = choose(call, candidates, args, {});
  if (!chosen) {
    // A name of the table may have further overloads that only the server can answer.
    if (!aggregate && !over && !scope_.host.find(call.name.name).empty()) return bind_host_call(call, std::move(args));
    return std::unexpected(chosen.error());
  }
  const Function& f = **chosen;
  TRY_VOID(convert_args(f, args, call.position));
  if (aggregate) return bind_aggregate(call, &f, std::move(args));
  if (f.kind == FunctionKind::kWindow) {
    if (!over) return error(kWindowingError, "window function call requires an OVER clause", call.position);
    plan::Expr e;
    e.function = std::string(f.id);
    e.type = result_type(f, args);
    e.args = std::move(args);
    e.ignore_nulls = call.ignore_nulls.value_or(false);
    return bind_window_call(call, std::move(e), false, f.takes_frame);
  }
  if (over)
    return error(kWrongObjectType,
                 "OVER specified, but " + call.name.name + " is not a window function nor an aggregate function", call.position);
  if (call.distinct || call.filter || !call.within_group.empty() || !call.order_by.empty() || call.ignore_nulls)
    return error(kWrongObjectType, call.name.name + " is not an aggregate function", call.position);
  Type type = result_type(f, args);

  // With a time zone, calendar functions work on the session's local time.
  bool zoned = args.size() > 1 && (f.id == "dateadd" || f.id == "date_trunc" || f.id == "date_part" || f.id == "datediff") &&
               args.back()->type.is(TK::kTimestampTz) && *args[0]->value != "epoch";
  if (zoned) {
    for (auto& a : args)
      if (a->type.is(TK::kTimestampTz)) a = make_call("timezone", TK::kTimestamp, {zone(), a});
    auto local = make_call(std::string(f.id), type.is(TK::kTimestampTz) ? Type(TK::kTimestamp) : type, std::move(args));
    return type.is(TK::kTimestampTz) ? make_call("timezone", type, {zone(), local}) : local;
  }
  plan::Expr e;
  e.kind = plan::ExprKind::kCall;
  e.function = std::string(f.id) + (null_if_invalid ? "_lenient" : "");
  e.type = type;
  e.args = std::move(args);
  e.is_volatile = f.is_volatile;
  return make(std::move(e));
}

// ---- Functions with rules of their own ------------------------------------------------------------------------------

ExprPtr Analyzer::zone() const { return make_text(scope_.catalog.time_zone()); }

ExprPtr Analyzer::session_time(int64_t micros_since_2000) {
  int64_t micros = micros_since_2000 + kEpoch2000;
  if (auto offset = values::fixed_offset(scope_.catalog.time_zone()))
    return make_constant(TK::kTimestamp, values::format_timestamp(micros + int64_t(*offset) * 1000000));
  return make_call("timezone", TK::kTimestamp,
                   {zone(), make_constant(TK::kTimestampTz, values::format_timestamp(micros) + "+00")});
}

Result<ExprPtr> Analyzer::bind_current(const sql::FunctionCall& call, bool& known) {
  const auto& catalog = scope_.catalog;
  const std::string& name = call.name.name;
  known = true;
  auto named = [&](std::string text) { return make_constant(TK::kName, std::move(text)); };
  auto local = [&](TK kind) -> Result<ExprPtr> {
    return convert(session_time(catalog.transaction_time()), kind, Conversion::kExplicit);
  };
  if (call.args.empty()) {
    if (name == "current_user" || name == "user")
      return named(catalog.user_name(context_.policy ? catalog.session_user() : catalog.current_user()));
    if (name == "session_user") return named(catalog.user_name(catalog.session_user()));
    if (name == "current_user_id")
      return make_constant(TK::kInteger, std::to_string(context_.policy ? catalog.session_user() : catalog.current_user()));
    if (name == "current_database" || name == "current_catalog") return named(catalog.current_database());
    if (name == "current_schema") {
      for (auto* s : catalog.search_path())
        if (!s->system) return named(s->name);
      return make_constant(TK::kName, std::nullopt);
    }
    if (name == "getdate") return session_time(catalog.statement_time());
    if (name == "sysdate" || name == "localtimestamp") return session_time(catalog.transaction_time());
    if (name == "current_timestamp" || name == "now")
      return make_constant(TK::kTimestampTz, values::format_timestamp(catalog.transaction_time() + kEpoch2000) + "+00");
    if (name == "current_date") return local(TK::kDate);
    if (name == "localtime" || name == "current_time") return local(TK::kTime);
    if (name == "timeofday") {
      TRY(ExprPtr text, convert(session_time(catalog.statement_time()), Type::varchar(), Conversion::kExplicit));
      return text;
    }
  }
  if (name == "current_schemas" && call.args.size() == 1) {
    TRY(ExprPtr with_system, bind_condition(*call.args[0], place_, "current_schemas"));
    if (!is_constant(*with_system)) return error(kNotSupported, "current_schemas takes a constant", call.position);
    std::vector<ExprPtr> names;
    for (auto* s : catalog.search_path())
      if (!s->system || with_system->value == "true") names.push_back(named(s->name));
    return make_call("array_list", Type::array(TK::kName), std::move(names));
  }
  if (name == "current_setting" && (call.args.size() == 1 || call.args.size() == 2)) {
    TRY(auto args, bind_args(call.args));
    TRY(args[0], convert(std::move(args[0]), Type::varchar(), Conversion::kImplicit, call.position));
    // Unlike PostgreSQL's missing_ok, Redshift's second argument asks for the error: true is its default.
    bool error_if_undefined = true;
    if (args.size() == 2) {
      TRY(args[1], convert(std::move(args[1]), TK::kBoolean, Conversion::kImplicit, call.position));
      if (!is_constant(*args[1])) return error(kNotSupported, "error_if_undefined must be a constant", call.position);
      error_if_undefined = args[1]->value != "false";
    }
    if (!is_constant(*args[0])) return error(kNotSupported, "the name of a setting must be a constant", call.position);
    if (!args[0]->value) return make_constant(Type::varchar(), std::nullopt);
    if (args.size() == 2 && args[0]->value->find('.') == std::string::npos)
      return error(kNotSupported, "error_if_undefined is only supported for session context variables", call.position);
    auto value = catalog.setting(to_lower(*args[0]->value));
    if (!value && error_if_undefined)
      return error(kUndefinedObject, "unrecognized configuration parameter \"" + *args[0]->value + "\"", call.position);
    if (!value) return make_constant(Type::varchar(), std::nullopt);
    return make_text(*value);
  }
  known = false;
  return ExprPtr{};
}

Result<ExprPtr> Analyzer::bind_extract(const sql::FunctionCall& call) {
  TRY(auto args, bind_args(call.args));
  if (args.size() != 2 || !is_constant(*args[0]) || !args[0]->value) return no_function(call, args);
  auto part = date_part(to_lower(*args[0]->value));
  if (part.empty())
    return error(kInvalidParameterValue, "timestamp units \"" + *args[0]->value + "\" not recognized", call.position);
  sql::FunctionCall shape;
  shape.name.name = "date_part";
  shape.position = call.position;
  args[0] = make_text(std::string(part));
  TRY(const Function* f, choose(shape, find_functions("date_part"), args, {}));
  TRY_VOID(convert_args(*f, args, call.position));
  if (args[1]->type.is(TK::kTimestampTz) && part != "epoch") args[1] = make_call("timezone", TK::kTimestamp, {zone(), args[1]});
  auto value = make_call("date_part", TK::kDouble, std::move(args));
  return make_call("truncate_to_integer", part == "epoch" ? TK::kBigint : TK::kInteger, {value});
}

Result<ExprPtr> Analyzer::bind_zone_call(const sql::FunctionCall& call) {
  TRY(auto args, bind_args(call.args));
  bool convert_name = call.name.name == "convert_timezone";
  if (convert_name ? args.size() != 2 && args.size() != 3 : args.size() != 2) return no_function(call, args);
  for (size_t i = 0; i + 1 < args.size(); i++) {
    TRY(args[i], convert(std::move(args[i]), Type::varchar(), Conversion::kImplicit, call.position));
  }
  ExprPtr value = args.back();
  if (convert_name) {
    TRY(value, convert(std::move(value), TK::kTimestamp, Conversion::kImplicit, call.position));
    ExprPtr from = args.size() == 3 ? args[0] : make_text("UTC");
    auto utc = make_call("timezone", TK::kTimestampTz, {from, value});
    return make_call("timezone", TK::kTimestamp, {args[args.size() - 2], utc});
  }
  if (value->type.is(TK::kUnknown)) {
    TRY(value, convert(std::move(value), TK::kTimestampTz, Conversion::kImplicit, call.position));
  } else if (value->type.is(TK::kDate)) {
    TRY(value, convert(std::move(value), TK::kTimestamp, Conversion::kImplicit, call.position));
  }
  if (value->type.is(TK::kTimestamp)) return make_call("timezone", TK::kTimestampTz, {args[0], value});
  if (value->type.is(TK::kTimestampTz)) return make_call("timezone", TK::kTimestamp, {args[0], value});
  return no_function(call, args);
}

/// DECODE(x, a, b, .., else): unlike CASE, NULL equals NULL.
Result<ExprPtr> Analyzer::bind_decode(const sql::FunctionCall& call) {
  TRY(auto args, bind_args(call.args));
  if (args.size() < 3) return no_function(call, args);
  std::vector<ExprPtr> conditions, results;
  for (size_t i = 1; i + 1 < args.size(); i += 2) {
    TRY(ExprPtr condition, comparison("not_distinct", args[0], args[i], call.position));
    conditions.push_back(std::move(condition));
    results.push_back(args[i + 1]);
  }
  bool has_else = args.size() % 2 == 0;
  if (has_else) results.push_back(args.back());
  plan::Expr e;
  e.kind = plan::ExprKind::kCase;
  TRY(e.type, unify(results, "DECODE", call.position));
  for (size_t i = 0; i < conditions.size(); i++) {
    e.args.push_back(conditions[i]);
    e.args.push_back(results[i]);
  }
  e.has_else = has_else;
  if (has_else) e.args.push_back(results.back());
  return make(std::move(e));
}

Result<std::optional<ExprPtr>> Analyzer::bind_special(const sql::FunctionCall& call) {
  const std::string& name = call.name.name;
  auto some = [](Result<ExprPtr> e) -> Result<std::optional<ExprPtr>> {
    if (!e) return std::unexpected(e.error());
    return std::optional<ExprPtr>(std::move(*e));
  };
  if (call.star) return std::optional<ExprPtr>();
  if (name == "extract") return some(bind_extract(call));
  if (name == "timezone" || name == "convert_timezone") return some(bind_zone_call(call));
  if (name == "decode" && call.args.size() >= 3) return some(bind_decode(call));
  if (name == "coalesce" || name == "nvl" || name == "greatest" || name == "least") {
    TRY(auto args, bind_args(call.args));
    if (args.empty()) return no_function(call, args);
    TRY(Type type, unify(args, name == "nvl" ? "COALESCE" : to_upper(name).c_str(), call.position));
    return some(make_call(name == "nvl" ? "coalesce" : name, type, std::move(args)));
  }
  if (name == "isnull" && call.args.size() == 2) {
    TRY(auto args, bind_args(call.args));
    TRY(Type type, unify(args, "ISNULL", call.position));
    return some(make_call("coalesce", type, std::move(args)));
  }
  if (name == "nullif" && call.args.size() == 2) {
    TRY(auto args, bind_args(call.args));
    TRY(ExprPtr equal, comparison("=", args[0], args[1], call.position));
    TRY(args[0], finish(std::move(args[0])));
    plan::Expr e;
    e.kind = plan::ExprKind::kCase;
    e.type = args[0]->type;
    e.args = {equal, make_constant(args[0]->type, std::nullopt), args[0]};
    e.has_else = true;
    return some(make(std::move(e)));
  }
  if (name == "nvl2" && call.args.size() == 3) {
    TRY(auto args, bind_args(call.args));
    TRY(ExprPtr tested, finish(args[0]));
    std::vector<ExprPtr> results{args[1], args[2]};
    plan::Expr e;
    e.kind = plan::ExprKind::kCase;
    TRY(e.type, unify(results, "NVL2", call.position));
    e.args = {make_call("is_not_null", TK::kBoolean, {tested}), results[0], results[1]};
    e.has_else = true;
    return some(make(std::move(e)));
  }
  if (call.over) return std::optional<ExprPtr>();
  // date(x), int8(x), text(x): a type's name called like a function is a cast.
  if (call.args.size() == 1 && find_functions(name).empty() && scope_.host.find(name).empty()) {
    auto type = sql::type_from_name(name);
    if (type && (type->is_storable() || type->is_string()) && name.find('_') != 0) {
      TRY(auto args, bind_args(call.args));
      if (type->is(TK::kDecimal)) *type = Type::decimal(Type::kAny);
      if (type->is(TK::kChar)) type->length = Type::kAny;
      return some(convert(args[0], *type, Conversion::kExplicit, call.position));
    }
  }
  bool known = false;
  TRY(ExprPtr current, bind_current(call, known));
  if (known) return std::optional<ExprPtr>(std::move(current));
  return std::optional<ExprPtr>();
}

// ---- Functions of the server ----------------------------------------------------------------------------------------

Result<ExprPtr> Analyzer::bind_host_call(const sql::FunctionCall& call, std::vector<ExprPtr> args) {
  auto candidates = scope_.host.find(call.name.name);
  const HostFunction* best = nullptr;
  int best_cost = 0;
  for (const HostFunction& f : candidates) {
    if (f.arguments.size() != args.size()) continue;
    int cost = 0;
    bool possible = true;
    for (size_t i = 0; i < args.size() && possible; i++) {
      auto c = implicit_cost(args[i]->type, f.arguments[i]);
      possible = c.has_value();
      cost += c.value_or(0);
    }
    if (!possible || (best && cost >= best_cost)) continue;
    best = &f;
    best_cost = cost;
  }
  if (!best) return no_function(call, args);
  bool constant = true;
  for (size_t i = 0; i < args.size(); i++) {
    if (best->arguments[i].is(TK::kAnyElement) || best->arguments[i].is(TK::kAnyArray)) {
      TRY(args[i], finish(std::move(args[i])));
    } else {
      TRY(args[i], convert(std::move(args[i]), best->arguments[i], Conversion::kImplicit, call.position));
    }
    constant = constant && is_constant(*args[i]);
  }
  Type type = best->result.is(TK::kVarchar) || best->result.is(TK::kText) ? best->result : best->result;
  if (constant && best->foldable) {
    bool null = best->strict && std::any_of(args.begin(), args.end(), [](auto& a) { return is_null(*a); });
    if (null) return make_constant(type, std::nullopt);
    std::vector<Datum> values;
    for (auto& a : args) values.push_back(a->value);
    TRY(Datum answer, scope_.host.call(*best, values));
    if (!answer || type.is(TK::kVoid)) return make_constant(type.is(TK::kVoid) ? Type::varchar() : type, answer);
    plan::Expr text;
    text.value = std::move(answer);
    return convert_text(text, type, Conversion::kExplicit, call.position);
  }
  out_.reads_system = true;
  plan::Expr e;
  e.kind = plan::ExprKind::kHostCall;
  e.function = std::string(best->name);
  e.host = best;
  e.type = type;
  e.args = std::move(args);
  e.is_volatile = !best->foldable;
  return make(std::move(e));
}

Result<ExprPtr> Analyzer::host_call(std::string_view name, std::vector<ExprPtr> args, sql::Position position) {
  sql::FunctionCall call;
  call.name.name = std::string(name);
  call.position = position;
  return bind_host_call(call, std::move(args));
}

// ---- Aggregates and windows -----------------------------------------------------------------------------------------

Result<std::vector<plan::SortKey>> Analyzer::bind_sort_keys(const std::vector<sql::OrderItem>& items) {
  std::vector<plan::SortKey> out;
  for (auto& item : items) {
    plan::SortKey key;
    key.descending = item.descending;
    key.nulls_first = item.nulls_first.value_or(item.descending);
    TRY(key.expr, bind_in(Place::kWindow, *item.expr));
    TRY(key.expr, finish(std::move(key.expr)));
    out.push_back(std::move(key));
  }
  return out;
}

Result<ExprPtr> Analyzer::bind_aggregate(const sql::FunctionCall& call, const Function* f, std::vector<ExprPtr> args) {
  plan::Expr e;
  e.kind = plan::ExprKind::kAggregate;
  if (!f) {
    e.function = "count_star";
    e.type = TK::kBigint;
    if (call.distinct) return error(kSyntaxError, "DISTINCT * is not supported in count", call.position);
  } else {
    e.function = std::string(f->id);
    e.type = result_type(*f, args);
  }
  e.distinct = call.distinct;
  bool ordered = f && (f->kind == FunctionKind::kOrderedSet || f->id == "listagg");
  if (f && f->kind == FunctionKind::kOrderedSet && call.within_group.empty())
    return error(kWrongObjectType, "WITHIN GROUP is required for ordered-set aggregate " + call.name.name, call.position);
  if (!call.within_group.empty() && !ordered)
    return error(kWrongObjectType, call.name.name + " is not an ordered-set aggregate, so it cannot have WITHIN GROUP",
                 call.position);
  {
    Restore<Place> place(place_, Place::kAggregate);
    TRY(e.order_by, bind_sort_keys(!call.within_group.empty() ? call.within_group : call.order_by));
  }
  if (!call.order_by.empty() && e.function != "array_agg")
    return error(kNotSupported, "ORDER BY in the arguments of " + call.name.name + " is not supported", call.position);
  for (auto& k : e.order_by)
    if (k.expr->has_aggregate && !call.over)
      return error(kGroupingError, "aggregate function calls may not be nested", call.position);
  if (f && f->kind == FunctionKind::kOrderedSet) {
    if (e.order_by.size() != 1) return error(kNotSupported, call.name.name + " takes one WITHIN GROUP column", call.position);
    if (!is_constant(*args[0])) return error(kNotSupported, "the percentile must be a constant", call.position);
    auto fraction = args[0]->value ? values::parse_double(*args[0]->value) : Result<double>(-1.0);
    if (!fraction || *fraction < 0 || *fraction > 1)
      return error(kInvalidParameterValue, "percentile value must be between 0 and 1", call.position);
    if (f->id == "percentile_cont") {
      TRY(e.order_by[0].expr, convert(std::move(e.order_by[0].expr), TK::kDouble, Conversion::kImplicit, call.position));
    } else {
      e.type = e.order_by[0].expr->type;
    }
  }
  if (f && f->id == "listagg" && args.size() == 2 && !is_constant(*args[1]))
    return error(kNotSupported, "the delimiter of LISTAGG must be a constant", call.position);
  if (call.filter) return error(kSyntaxError, "FILTER is not supported for aggregates", call.position);
  if (call.ignore_nulls) return error(kNotSupported, "IGNORE NULLS is not supported for " + call.name.name, call.position);

  // An aggregate over columns of an outer query alone would belong to that query.
  bool own = args.empty(), outer = false;
  for (auto& a : args)
    walk(a, [&](const ExprPtr& n) {
      if (n->kind == plan::ExprKind::kColumn) (level_ && level_->leaves.contains(n->relation) ? own : outer) = true;
      return true;
    });
  if (outer && !own)
    return error(kNotSupported, "an aggregate of an outer query's columns is not supported in a subquery", call.position);
  e.args = std::move(args);
  if (call.over) {
    if (e.distinct) return error(kNotSupported, "DISTINCT is not supported for window function " + call.name.name, call.position);
    bool framed = !ordered && !e.function.starts_with("median");
    return bind_window_call(call, std::move(e), framed, framed);
  }
  return make(std::move(e));
}

Result<std::shared_ptr<plan::Window>> Analyzer::bind_window(const sql::WindowSpec& spec) {
  auto window = std::make_shared<plan::Window>();
  for (auto& p : spec.partition_by) {
    TRY(ExprPtr e, bind_in(Place::kWindow, *p));
    TRY(e, finish(std::move(e)));
    window->partition_by.push_back(std::move(e));
  }
  TRY(window->order_by, bind_sort_keys(spec.order_by));
  if (spec.frame) {
    plan::Frame frame;
    frame.unit = static_cast<plan::Frame::Unit>(spec.frame->unit);
    frame.start = static_cast<plan::Frame::Bound>(spec.frame->start);
    frame.end = static_cast<plan::Frame::Bound>(spec.frame->end);
    for (auto [from, to] :
         {std::pair{&spec.frame->start_offset, &frame.start_offset}, std::pair{&spec.frame->end_offset, &frame.end_offset}}) {
      if (!*from) continue;
      TRY(*to, bind_in(Place::kLimit, **from));
      TRY(*to, convert(std::move(*to), TK::kBigint, Conversion::kImplicit, (*from)->position));
      if (!is_constant(**to)) return error(kNotSupported, "a frame offset must be a constant", (*from)->position);
      if (frame.unit == plan::Frame::Unit::kRange)
        return error(kNotSupported, "RANGE with an offset is not supported", (*from)->position);
    }
    window->frame = std::move(frame);
  }
  return window;
}

Result<ExprPtr> Analyzer::bind_window_call(const sql::FunctionCall& call, plan::Expr e, bool aggregate, bool takes_frame) {
  e.kind = plan::ExprKind::kWindow;
  TRY(auto window, bind_window(*call.over));
  if (aggregate && !window->order_by.empty() && !window->frame)
    return error(kWindowingError, "Aggregate window functions with an ORDER BY clause require a frame clause", call.position);
  if (window->frame && !takes_frame)
    return error(kWindowingError, "window function " + call.name.name + " does not take a frame clause", call.position);
  static const std::set<std::string> kNeedOrder{"rank", "dense_rank", "percent_rank", "cume_dist", "lag", "lead"};
  if (window->order_by.empty() && (e.function == "lag" || e.function == "lead"))
    return error(kWindowingError, "window function " + call.name.name + " requires an ORDER BY clause", call.position);
  e.window = std::move(window);
  return make(std::move(e));
}

}  // namespace redoubt::warehouse::secure
