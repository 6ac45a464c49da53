#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/analyzer.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::secure {

using plan::ExprPtr;
using sql::Type;
using TK = sql::TypeKind;

Result<ExprPtr> Analyzer::bind_in(Place place, const sql::Expr& expr) {
  Restore<Place> restore(place_, place);
  TRY(ExprPtr e, bind(expr));
  TRY_VOID(check_weight(e->weight));
  const char* clause = nullptr;
  switch (place) {
    case Place::kSelect:
    case Place::kOrderBy:
    case Place::kQualify:
      return e;
    case Place::kHaving:
      if (e->has_window) return error(kWindowingError, "window functions not allowed in HAVING clause", expr.position);
      return e;
    case Place::kAggregate:
      if (e->has_aggregate) return error(kGroupingError, "aggregate function calls may not be nested", expr.position);
      if (e->has_window)
        return error(kGroupingError, "aggregate function calls may not contain window function calls", expr.position);
      return e;
    case Place::kWindow:
      if (e->has_window) return error(kWindowingError, "window function calls may not be nested", expr.position);
      return e;
    case Place::kWhere:
      clause = "WHERE clause";
      break;
    case Place::kOn:
      clause = "JOIN conditions";
      break;
    case Place::kGroupBy:
      clause = "GROUP BY clause";
      break;
    case Place::kFrom:
      clause = "FROM clause";
      break;
    case Place::kLimit:
      clause = "LIMIT clause";
      break;
    case Place::kValues:
      clause = "VALUES";
      break;
    case Place::kDefault:
      clause = "DEFAULT clause";
      break;
    default:
      clause = "this clause";
  }
  if (e->has_aggregate) return error(kGroupingError, std::string("aggregates not allowed in ") + clause, expr.position);
  if (e->has_window) return error(kWindowingError, std::string("window functions not allowed in ") + clause, expr.position);
  return e;
}

Result<ExprPtr> Analyzer::bind_condition(const sql::Expr& expr, Place place, const char* clause) {
  TRY(ExprPtr e, bind_in(place, expr));
  if (e->type.is(TK::kBoolean)) return e;
  auto c = type_class(e->type);
  if (c != TypeClass::kUnknown && !e->type.is_integer() && c != TypeClass::kSuper)
    return error(kDatatypeMismatch,
                 std::string("argument of ") + clause + " must be type boolean, not type " + e->type.base_name(), expr.position);
  return convert(std::move(e), TK::kBoolean, Conversion::kExplicit, expr.position);
}

Result<ExprPtr> Analyzer::bind(const sql::Expr& expr) {
  using EK = sql::ExprKind;
  switch (expr.kind) {
    case EK::kLiteral:
      return bind_literal(sql::as<sql::Literal>(expr));
    case EK::kTypedLiteral:
      return bind_typed_literal(sql::as<sql::TypedLiteral>(expr));
    case EK::kParameter:
      return bind_parameter(sql::as<sql::Parameter>(expr));
    case EK::kColumnRef:
      return resolve(sql::as<sql::ColumnRef>(expr));
    case EK::kStar:
      return error(kSyntaxError, "* is not allowed here", expr.position);
    case EK::kField:
      return bind_field(sql::as<sql::Field>(expr));
    case EK::kSubscript:
      return bind_subscript(sql::as<sql::Subscript>(expr));
    case EK::kUnary:
      return bind_unary(sql::as<sql::Unary>(expr));
    case EK::kBinary:
      return bind_binary(sql::as<sql::Binary>(expr));
    case EK::kLogical:
      return bind_logical(sql::as<sql::Logical>(expr));
    case EK::kNot: {
      TRY(ExprPtr e, bind_condition(*sql::as<sql::Not>(expr).operand, place_, "NOT"));
      return make_not(std::move(e));
    }
    case EK::kIsNull:
      return bind_is_null(sql::as<sql::IsNull>(expr));
    case EK::kIsTruth:
      return bind_is_truth(sql::as<sql::IsTruth>(expr));
    case EK::kIsDistinct: {
      auto& d = sql::as<sql::IsDistinct>(expr);
      TRY(ExprPtr a, bind(*d.left));
      TRY(ExprPtr b, bind(*d.right));
      return comparison(d.negated ? "not_distinct" : "distinct", std::move(a), std::move(b), expr.position);
    }
    case EK::kBetween:
      return bind_between(sql::as<sql::Between>(expr));
    case EK::kLike:
      return bind_like(sql::as<sql::Like>(expr));
    case EK::kInList:
      return bind_in_list(sql::as<sql::InList>(expr));
    case EK::kInQuery:
      return bind_in_query(sql::as<sql::InQuery>(expr));
    case EK::kQuantified:
      return bind_quantified(sql::as<sql::Quantified>(expr));
    case EK::kExists: {
      plan::Expr e;
      e.kind = plan::ExprKind::kExists;
      e.type = TK::kBoolean;
      TRY(e.query, bind_nested(*sql::as<sql::Exists>(expr).query));
      return make(std::move(e));
    }
    case EK::kSubquery:
      return bind_subquery_value(sql::as<sql::Subquery>(expr));
    case EK::kArrayQuery:
      return bind_array_query(sql::as<sql::ArrayQuery>(expr));
    case EK::kArray:
      return bind_array(sql::as<sql::Array>(expr));
    case EK::kRow:
      return error(kNotSupported, "a row is only supported in comparisons", expr.position);
    case EK::kCase:
      return bind_case(sql::as<sql::Case>(expr));
    case EK::kCast:
      return bind_cast(sql::as<sql::Cast>(expr));
    case EK::kFunctionCall:
      return bind_call(sql::as<sql::FunctionCall>(expr));
    case EK::kDefault:
      return error(kSyntaxError, "DEFAULT is not allowed in this context", expr.position);
  }
  return fail(kNotSupported, "this expression is not supported");
}

// ---- Values ---------------------------------------------------------------------------------------------------------

Result<ExprPtr> Analyzer::bind_literal(const sql::Literal& literal, bool negative) {
  using Kind = sql::Literal::Kind;
  switch (literal.value_kind) {
    case Kind::kNull:
      return make_constant(Type(), std::nullopt);
    case Kind::kBoolean:
      return make_boolean(literal.boolean);
    case Kind::kString:
      return make_constant(Type(), literal.text);
    case Kind::kInteger: {
      std::string text = (negative ? "-" : "") + literal.text;
      if (auto v = values::parse_integer(text, values::Width::k64)) {
        bool fits = *v >= INT32_MIN && *v <= INT32_MAX;
        return make_constant(fits ? TK::kInteger : TK::kBigint, std::to_string(*v));
      }
      [[fallthrough]];
    }
    case Kind::kDecimal: {
      auto d = values::parse_decimal((negative ? "-" : "") + literal.text);
      if (!d) return error(*d.error().kind, d.error().message, literal.position);
      int scale = std::min(d->scale, int(Type::kDecimalScaleMax));
      TRY(auto units, values::rescale(*d, 38, scale));
      return make_constant(Type::decimal(std::max(d->precision, 1), scale), values::format_decimal(units, scale));
    }
    case Kind::kFloat: {
      auto v = values::parse_double((negative ? "-" : "") + literal.text);
      if (!v) return error(*v.error().kind, v.error().message, literal.position);
      return make_constant(TK::kDouble, (negative ? "-" : "") + literal.text);
    }
  }
  return fail(kNotSupported, "this literal is not supported");
}

Result<ExprPtr> Analyzer::bind_typed_literal(const sql::TypedLiteral& literal) {
  auto text = make_constant(Type(), literal.text);
  if (!literal.type.is_interval()) return convert(std::move(text), literal.type, Conversion::kExplicit, literal.position);
  auto interval = values::parse_interval(literal.text, literal.interval_fields);
  if (!interval) return error(*interval.error().kind, interval.error().message, literal.position);
  return make_constant(literal.type, values::format_interval(*interval));
}

Result<ExprPtr> Analyzer::bind_parameter(const sql::Parameter& parameter) {
  if (parameter.number < 1 || parameter.number > 32767)
    return error(kUndefinedParameter, "there is no parameter $" + std::to_string(parameter.number), parameter.position);
  if (context_.depth > 0 || context_.defining)
    return error(kUndefinedParameter, "there is no parameter $" + std::to_string(parameter.number), parameter.position);
  if (parameters_.size() < size_t(parameter.number)) parameters_.resize(size_t(parameter.number));
  plan::Expr e;
  e.kind = plan::ExprKind::kParameter;
  e.parameter = parameter.number;
  e.type = parameters_[size_t(parameter.number - 1)];
  return make(std::move(e));
}

Result<ExprPtr> Analyzer::bind_unary(const sql::Unary& unary) {
  if (!unary.schema.empty() && unary.schema != "pg_catalog")
    return error(kUndefinedFunction, "operator does not exist: " + unary.schema + "." + unary.op, unary.position);
  if (unary.op == "-" || unary.op == "+") {
    if (auto* literal = sql::get_if<sql::Literal>(unary.operand.get());
        literal && literal->value_kind != sql::Literal::Kind::kString && literal->value_kind != sql::Literal::Kind::kNull &&
        literal->value_kind != sql::Literal::Kind::kBoolean)
      return bind_literal(*literal, unary.op == "-");
  }
  TRY(ExprPtr e, bind(*unary.operand));
  auto none = [&] {
    return error(kUndefinedFunction, "operator does not exist: " + unary.op + " " + e->type.base_name(), unary.position);
  };
  if (e->type.is(TK::kUnknown)) {
    TRY(e, convert(std::move(e), TK::kDouble, Conversion::kImplicit, unary.position));
  }
  if (e->type.is(TK::kSuper)) {
    TRY(e, convert(std::move(e), Type::decimal(38, 10), Conversion::kImplicit, unary.position));
  }
  if (unary.op == "+") return e->type.is_numeric() ? Result<ExprPtr>(e) : none();
  if (unary.op == "-") {
    if (!e->type.is_numeric() && !e->type.is_interval()) return none();
    return make_call("neg", e->type, {e});
  }
  if (unary.op == "@") return e->type.is_numeric() ? Result<ExprPtr>(make_call("abs", e->type, {e})) : none();
  if (unary.op == "~") return e->type.is_integer() ? Result<ExprPtr>(make_call("bit_not", e->type, {e})) : none();
  if (unary.op == "|/" || unary.op == "||/") {
    if (!e->type.is_numeric()) return none();
    TRY(e, convert(std::move(e), TK::kDouble, Conversion::kImplicit, unary.position));
    return make_call(unary.op == "|/" ? "sqrt" : "cbrt", TK::kDouble, {e});
  }
  return none();
}

// ---- Conditions -----------------------------------------------------------------------------------------------------

Result<ExprPtr> Analyzer::bind_logical(const sql::Logical& logical) {
  std::vector<ExprPtr> args;
  for (auto& a : logical.args) {
    TRY(ExprPtr e, bind_condition(*a, place_, logical.is_and ? "AND" : "OR"));
    args.push_back(std::move(e));
  }
  return make_logical(logical.is_and, std::move(args));
}

Result<ExprPtr> Analyzer::bind_is_null(const sql::IsNull& test) {
  if (test.operand->kind == sql::ExprKind::kRow) {
    std::vector<ExprPtr> parts;
    TRY(auto items, bind_row_items(*test.operand));
    for (auto& item : items) {
      TRY(item, finish(std::move(item)));
      parts.push_back(make_call(test.negated ? "is_not_null" : "is_null", TK::kBoolean, {item}));
    }
    return make_logical(true, std::move(parts));
  }
  TRY(ExprPtr e, bind(*test.operand));
  TRY(e, finish(std::move(e)));
  return make_call(test.negated ? "is_not_null" : "is_null", TK::kBoolean, {e});
}

Result<ExprPtr> Analyzer::bind_is_truth(const sql::IsTruth& test) {
  TRY(ExprPtr e, bind_condition(*test.operand, place_, "IS TRUE"));
  static constexpr const char* kIds[] = {"is_true", "is_false", "is_null"};
  auto call = make_call(kIds[size_t(test.value)], TK::kBoolean, {e});
  return test.negated ? make_not(std::move(call)) : call;
}

Result<ExprPtr> Analyzer::bind_between(const sql::Between& b) {
  TRY(ExprPtr operand, bind(*b.operand));
  TRY(ExprPtr low, bind(*b.low));
  TRY(ExprPtr high, bind(*b.high));
  auto both = [&](const ExprPtr& from, const ExprPtr& to) -> Result<ExprPtr> {
    TRY(ExprPtr at_least, comparison(">=", operand, from, b.position));
    TRY(ExprPtr at_most, comparison("<=", operand, to, b.position));
    return make_logical(true, {at_least, at_most});
  };
  TRY(ExprPtr e, both(low, high));
  if (b.symmetric) {
    TRY(ExprPtr reversed, both(high, low));
    e = make_logical(false, {e, reversed});
  }
  return b.negated ? make_not(std::move(e)) : e;
}

Result<ExprPtr> Analyzer::bind_like(const sql::Like& like) {
  static constexpr const char* kIds[] = {"like", "ilike", "similar_to"};
  std::vector<ExprPtr> args;
  for (auto* e : {&like.operand, &like.pattern, &like.escape}) {
    if (!*e) continue;
    TRY(ExprPtr arg, bind(**e));
    TRY(arg, convert(std::move(arg), Type::varchar(), Conversion::kImplicit, (*e)->position));
    args.push_back(std::move(arg));
  }
  if (args.size() == 3) {
    if (!is_constant(*args[2])) return error(kNotSupported, "ESCAPE must be a constant", like.position);
    if (args[2]->value && args[2]->value->size() > 1)
      return error(kInvalidEscape, "invalid escape string", like.escape->position);
  }
  auto call = make_call(kIds[size_t(like.like_kind)], TK::kBoolean, std::move(args));
  return like.negated ? make_not(std::move(call)) : call;
}

Result<std::vector<ExprPtr>> Analyzer::bind_row_items(const sql::Expr& expr) {
  std::vector<ExprPtr> out;
  if (auto* row = sql::get_if<sql::Row>(&expr)) {
    for (auto& item : row->items) {
      TRY(ExprPtr e, bind(*item));
      out.push_back(std::move(e));
    }
    return out;
  }
  TRY(ExprPtr e, bind(expr));
  out.push_back(std::move(e));
  return out;
}

Result<ExprPtr> Analyzer::bind_in_list(const sql::InList& in) {
  ExprPtr result;
  if (in.operand->kind == sql::ExprKind::kRow) {
    std::vector<ExprPtr> any;
    for (auto& item : in.items) {
      TRY(ExprPtr equal, bind_rows("=", *in.operand, *item, in.position));
      any.push_back(std::move(equal));
    }
    result = make_logical(false, std::move(any));
  } else {
    std::vector<ExprPtr> args;
    TRY(ExprPtr operand, bind(*in.operand));
    args.push_back(operand);
    for (auto& item : in.items) {
      TRY(ExprPtr e, bind(*item));
      args.push_back(std::move(e));
    }
    Type type = operand->type;
    for (size_t i = 1; i < args.size(); i++) {
      auto both = comparison_type(type, args[i]->type);
      if (!both) return no_operator("=", operand, args[i], in.position);
      if (!(type.is(TK::kUnknown) && args[i]->type.is(TK::kUnknown))) type = *both;
    }
    if (type.is(TK::kUnknown)) type = Type::varchar();
    // No cutting to the column's length: 'abcd' isn't in a char(3).
    if (type.is(TK::kVarchar) || type.is(TK::kChar)) type.length = Type::kAny;
    for (auto& a : args) {
      TRY(a, convert(std::move(a), type, Conversion::kExplicit, in.position));
    }
    plan::Expr e;
    e.kind = plan::ExprKind::kIn;
    e.type = TK::kBoolean;
    e.args = std::move(args);
    result = make(std::move(e));
  }
  return in.negated ? make_not(std::move(result)) : result;
}

Result<plan::QueryPtr> Analyzer::bind_nested(const sql::Query& query) { return bind_query(query, level_); }

Result<ExprPtr> Analyzer::bind_in_query(const sql::InQuery& in) {
  TRY(auto left, bind_row_items(*in.operand));
  return bind_quantified_query(left, "=", false, in.negated, *in.query, in.position);
}

/// left op ANY|ALL (query), NOT IN being NOT (= ANY).
Result<ExprPtr> Analyzer::bind_quantified_query(const std::vector<ExprPtr>& left, const std::string& op, bool all, bool negated,
                                                const sql::Query& query, sql::Position position) {
  plan::Expr e;
  e.kind = plan::ExprKind::kQuantified;
  e.type = TK::kBoolean;
  e.all = all;
  e.negated = negated;
  TRY(plan::QueryPtr bound, bind_nested(query));
  if (bound->outputs.size() < left.size()) return error(kSyntaxError, "subquery has too few columns", position);
  if (bound->outputs.size() > left.size()) return error(kSyntaxError, "subquery has too many columns", position);
  std::vector<Type> types;
  for (size_t i = 0; i < left.size(); i++) {
    auto column = make_column(0, 0, bound->outputs[i].type);
    TRY(ExprPtr compared, comparison(op, left[i], column, position));
    e.function = compared->function;
    e.args.push_back(compared->args[0]);
    types.push_back(compared->args[1]->type);
  }
  if (left.size() > 1 && e.function != "eq" && e.function != "ne")
    return error(kNotSupported, "row comparison " + op + " with a subquery is not supported", position);
  TRY(e.query, coerce_query(std::move(bound), types));
  return make(std::move(e));
}

Result<ExprPtr> Analyzer::bind_quantified(const sql::Quantified& q) {
  if (!q.schema.empty() && q.schema != "pg_catalog")
    return error(kUndefinedFunction, "operator does not exist: " + q.schema + "." + q.op, q.position);
  bool like = q.op.ends_with("~~") || q.op.ends_with("~~*");
  if (q.query) {
    if (like) return error(kNotSupported, "LIKE ANY with a subquery is not supported", q.position);
    TRY(auto left, bind_row_items(*q.left));
    return bind_quantified_query(left, q.op, q.all, false, *q.query, q.position);
  }
  TRY(ExprPtr left, bind(*q.left));
  std::vector<ExprPtr> items;
  if (auto* array = sql::get_if<sql::Array>(q.array.get())) {
    for (auto& item : array->items) {
      TRY(ExprPtr e, bind(*item));
      items.push_back(std::move(e));
    }
  } else if (auto* row = sql::get_if<sql::Row>(q.array.get())) {  // LIKE ANY ('a%', 'b%')
    for (auto& item : row->items) {
      TRY(ExprPtr e, bind(*item));
      items.push_back(std::move(e));
    }
  } else {
    TRY(ExprPtr array, bind(*q.array));
    if (type_class(array->type) != TypeClass::kArray) {
      if (!like) return error(kWrongObjectType, "op ANY/ALL (array) requires array on right side", q.position);
      items.push_back(std::move(array));  // LIKE ANY ('a%')
    } else {
      if (q.op != "=" || q.all)
        return error(kNotSupported, q.op + (q.all ? " ALL" : " ANY") + " of an array that isn't written out is not supported",
                     q.position);
      Type element = array->type.is(TK::kArray)        ? Type(array->type.element)
                     : array->type.is(TK::kInt2Vector) ? Type(TK::kSmallint)
                                                       : Type(TK::kOid);
      auto type = comparison_type(left->type, element);
      if (!type) return no_operator("=", left, array, q.position);
      TRY(left, convert(std::move(left), element, Conversion::kExplicit, q.position));
      return make_call("array_contains", TK::kBoolean, {array, left});
    }
  }
  if (items.empty()) return make_boolean(q.all);
  std::vector<ExprPtr> parts;
  for (auto& item : items) {
    TRY(ExprPtr part, operate(q.op, left, item, q.position));
    parts.push_back(std::move(part));
  }
  return make_logical(q.all, std::move(parts));
}

// ---- Subqueries, arrays, CASE, CAST ---------------------------------------------------------------------------------

Result<ExprPtr> Analyzer::bind_subquery_value(const sql::Subquery& subquery) {
  plan::Expr e;
  e.kind = plan::ExprKind::kScalarQuery;
  TRY(e.query, bind_nested(*subquery.query));
  if (e.query->outputs.size() != 1) return error(kSyntaxError, "subquery must return only one column", subquery.position);
  e.type = e.query->outputs[0].type;
  return make(std::move(e));
}

Result<ExprPtr> Analyzer::bind_array_query(const sql::ArrayQuery& array) {
  plan::Expr e;
  e.kind = plan::ExprKind::kArrayQuery;
  TRY(e.query, bind_nested(*array.query));
  if (e.query->outputs.size() != 1) return error(kSyntaxError, "subquery must return only one column", array.position);
  e.type = Type::array(e.query->outputs[0].type.kind);
  return make(std::move(e));
}

Result<ExprPtr> Analyzer::bind_array(const sql::Array& array) {
  std::vector<ExprPtr> items;
  for (auto& item : array.items) {
    TRY(ExprPtr e, bind(*item));
    items.push_back(std::move(e));
  }
  TRY(Type type, unify(items, "ARRAY", array.position));
  return make_call("array_list", Type::array(type.kind), std::move(items));
}

Result<ExprPtr> Analyzer::bind_case(const sql::Case& c) {
  ExprPtr operand;
  if (c.operand) {
    TRY(operand, bind(*c.operand));
  }
  std::vector<ExprPtr> conditions, results;
  for (auto& branch : c.branches) {
    ExprPtr condition;
    if (operand) {
      TRY(ExprPtr value, bind(*branch.condition));
      TRY(condition, comparison("=", operand, value, branch.condition->position));
    } else {
      TRY(condition, bind_condition(*branch.condition, place_, "CASE/WHEN"));
    }
    TRY(ExprPtr result, bind(*branch.result));
    conditions.push_back(std::move(condition));
    results.push_back(std::move(result));
  }
  if (c.otherwise) {
    TRY(ExprPtr otherwise, bind(*c.otherwise));
    results.push_back(std::move(otherwise));
  }
  TRY(Type type, unify(results, "CASE", c.position));
  plan::Expr e;
  e.kind = plan::ExprKind::kCase;
  e.type = type;
  for (size_t i = 0; i < conditions.size(); i++) {
    e.args.push_back(conditions[i]);
    e.args.push_back(results[i]);
  }
  e.has_else = c.otherwise != nullptr;
  if (e.has_else) e.args.push_back(results.back());
  return make(std::move(e));
}

Result<ExprPtr> Analyzer::bind_cast(const sql::Cast& cast) {
  TRY(ExprPtr e, bind(*cast.operand));
  if (!cast.lenient) return convert(std::move(e), cast.type, Conversion::kExplicit, cast.position);
  TRY(e, finish(std::move(e)));
  if (type_class(e->type) != TypeClass::kString) return convert(std::move(e), cast.type, Conversion::kExplicit, cast.position);
  auto c = type_class(cast.type);
  if (c != TypeClass::kNumber && c != TypeClass::kDate && cast.type.kind != TK::kTimestamp && c != TypeClass::kBoolean)
    return error(kNotSupported, "TRY_CAST to " + cast.type.format() + " is not supported", cast.position);
  return make_call("try_cast", cast.type, {e});
}

Result<ExprPtr> Analyzer::bind_field(const sql::Field& field) {
  TRY(ExprPtr base, bind(*field.base));
  if (!base->type.is(TK::kSuper))
    return error(kWrongObjectType,
                 "column notation ." + field.name + " applied to type " + base->type.base_name() + ", which is not super",
                 field.position);
  return make_call("super_field", TK::kSuper, {base, make_text(field.name)});
}

Result<ExprPtr> Analyzer::bind_subscript(const sql::Subscript& s) {
  TRY(ExprPtr base, bind(*s.base));
  if (s.slice) return error(kNotSupported, "array slices are not supported", s.position);
  TRY(ExprPtr index, bind(*s.index));
  if (base->type.is(TK::kSuper)) {
    if (type_class(index->type) == TypeClass::kUnknown || type_class(index->type) == TypeClass::kString) {
      TRY(index, finish(std::move(index)));
      return make_call("super_field", TK::kSuper, {base, index});
    }
    TRY(index, convert(std::move(index), TK::kBigint, Conversion::kImplicit, s.position));
    return make_call("super_element", TK::kSuper, {base, index});
  }
  if (type_class(base->type) != TypeClass::kArray)
    return error(kDatatypeMismatch, "cannot subscript type " + base->type.base_name() + " because it is not an array",
                 s.position);
  TRY(index, convert(std::move(index), TK::kBigint, Conversion::kImplicit, s.position));
  // int2vector and oidvector count from 0, arrays from 1.
  if (base->type.is(TK::kInt2Vector)) return make_call("vector_element", TK::kSmallint, {base, index});
  if (base->type.is(TK::kOidVector)) return make_call("vector_element", TK::kOid, {base, index});
  return make_call("array_element", Type(base->type.element), {base, index});
}

// ---- Binary operators and rows --------------------------------------------------------------------------------------

Result<ExprPtr> Analyzer::bind_binary(const sql::Binary& b) {
  if (!b.schema.empty() && b.schema != "pg_catalog")
    return error(kUndefinedFunction, "operator does not exist: " + b.schema + "." + b.op, b.position);
  auto is_row = [](const sql::Expr& e) { return e.kind == sql::ExprKind::kRow; };
  if (is_row(*b.left) || is_row(*b.right)) return bind_rows(b.op, *b.left, *b.right, b.position);
  TRY(ExprPtr left, bind(*b.left));
  TRY(ExprPtr right, bind(*b.right));
  return operate(b.op, std::move(left), std::move(right), b.position);
}

/// (a, b) op (c, d), or with a subquery on one side.
Result<ExprPtr> Analyzer::bind_rows(const std::string& op, const sql::Expr& left, const sql::Expr& right,
                                    sql::Position position) {
  if (auto* query = sql::get_if<sql::Subquery>(&right)) {
    TRY(auto items, bind_row_items(left));
    if (op != "=") return error(kNotSupported, "row comparison " + op + " with a subquery is not supported", position);
    return bind_quantified_query(items, op, false, false, *query->query, position);
  }
  TRY(auto a, bind_row_items(left));
  TRY(auto b, bind_row_items(right));
  if (a.size() != b.size()) return error(kSyntaxError, "unequal number of entries in row expressions", position);
  if (op == "=" || op == "<>") {
    std::vector<ExprPtr> parts;
    for (size_t i = 0; i < a.size(); i++) {
      TRY(ExprPtr part, comparison(op, a[i], b[i], position));
      parts.push_back(std::move(part));
    }
    return make_logical(op == "=", std::move(parts));
  }
  if (op != "<" && op != "<=" && op != ">" && op != ">=")
    return error(kUndefinedFunction, "operator does not exist: record " + op + " record", position);
  // a < c OR (a = c AND b < d), from the last pair backwards
  ExprPtr result;
  for (size_t i = a.size(); i-- > 0;) {
    bool last = i + 1 == a.size();
    TRY(ExprPtr order, comparison(last ? op : op.substr(0, 1), a[i], b[i], position));
    if (last) {
      result = order;
      continue;
    }
    TRY(ExprPtr equal, comparison("=", a[i], b[i], position));
    result = make_logical(false, {order, make_logical(true, {equal, result})});
  }
  return result;
}

}  // namespace redoubt::warehouse::secure
