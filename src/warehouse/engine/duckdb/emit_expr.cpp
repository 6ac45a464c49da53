#include <algorithm>

#include "base/text.h"
#include "warehouse/engine/duckdb/emit_internal.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/types.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::engine {

namespace plan = secure::plan;
namespace values = secure::values;
using plan::Coercion;
using plan::ExprKind;
using secure::type_class;
using secure::TypeClass;
using sql::Type;
using TK = sql::TypeKind;

bool valid_text(std::string_view text) { return text.find('\0') == std::string_view::npos && is_valid_utf8(text); }

std::string Emitter::text_of(const Expr& e) {
  std::string before;
  before.swap(out_);
  expr(e);
  before.swap(out_);
  return before;
}

void Emitter::expr(const Expr& e) {
  if (error_) return;
  switch (e.kind) {
    case ExprKind::kConst:
      constant(e);
      return;
    case ExprKind::kColumn:
      if (auto name = renamed_.find({e.relation, e.column}); name != renamed_.end()) {
        out_ += name->second;
        return;
      }
      out_ += "r" + std::to_string(e.relation) + ".c" + std::to_string(e.column);
      return;
    case ExprKind::kParameter: {
      auto [it, is_new] = parameter_index_.try_emplace(e.parameter, int(parameter_index_.size()) + 1);
      if (is_new) emitted_.parameters.push_back({e.parameter, e.type});
      out_ += "CAST($" + std::to_string(it->second) + " AS " + duckdb_type(e.type) + ")";
      return;
    }
    case ExprKind::kCast:
      cast(e);
      return;
    case ExprKind::kCall:
      call(e);
      return;
    case ExprKind::kCase: {
      out_ += "CASE";
      size_t pairs = (e.args.size() - (e.has_else ? 1 : 0)) / 2;
      for (size_t i = 0; i < pairs; i++) {
        out_ += " WHEN ";
        expr(*e.args[2 * i]);
        out_ += " THEN ";
        expr(*e.args[2 * i + 1]);
      }
      if (e.has_else) {
        out_ += " ELSE ";
        expr(*e.args.back());
      }
      out_ += " END";
      return;
    }
    case ExprKind::kIn:
      out_ += "(";
      expr(*e.args[0]);
      out_ += " IN (";
      for (size_t i = 1; i < e.args.size(); i++) {
        if (i > 1) out_ += ", ";
        expr(*e.args[i]);
      }
      out_ += "))";
      return;
    case ExprKind::kScalarQuery:
    case ExprKind::kExists:
    case ExprKind::kArrayQuery:
      out_ += e.kind == ExprKind::kExists ? "EXISTS (" : e.kind == ExprKind::kArrayQuery ? "ARRAY(" : "(";
      query(*e.query);
      out_ += ")";
      return;
    case ExprKind::kQuantified:
      quantified(e);
      return;
    case ExprKind::kAggregate:
      aggregate(e, "");
      return;
    case ExprKind::kWindow:
      window(e);
      return;
    case ExprKind::kHostCall:
      host_call(e);
      return;
    case ExprKind::kIdentity: {
      auto dot = target_physical_.find('.');
      std::string sequence = (options_.database.empty() ? "" : "\"" + options_.database + "\".") + "\"" +
                             target_physical_.substr(0, dot) + "\".\"i" + std::to_string(target_relation_) + "_c" +
                             std::to_string(e.column) + "\"";
      out_ += "CAST(nextval(" + literal(sequence) + ") AS " + duckdb_type(e.type) + ")";
      return;
    }
  }
}

void Emitter::constant(const Expr& e) {
  std::string type = duckdb_type(e.type);
  if (!e.value) {
    out_ += "CAST(NULL AS " + type + ")";
    return;
  }
  const std::string& v = *e.value;
  if (!valid_text(v)) return fail_with(secure::kInvalidText, "invalid byte sequence for encoding \"UTF8\"");
  auto cast_literal = [&](std::string_view text) { out_ += "CAST(" + literal(text) + " AS " + type + ")"; };
  switch (e.type.kind) {
    case TK::kBoolean:
      out_ += v == "true" ? "true" : "false";
      return;
    case TK::kInteger:
      if (v.starts_with('-'))
        cast_literal(v);
      else
        out_ += v;
      return;
    case TK::kDate:
    case TK::kTimestamp:
    case TK::kTimestampTz: {
      std::string text = v;
      if (auto at = text.find(" BC"); at != std::string::npos) {
        text.erase(at, 3);
        text.insert(text.find(' ') == std::string::npos ? text.size() : text.find(' '), " (BC)");
      }
      cast_literal(text);
      return;
    }
    case TK::kInterval:
    case TK::kIntervalDayToSecond:
    case TK::kIntervalYearToMonth: {
      auto i = values::parse_interval(v);
      if (!i) return fail_with(*i.error().kind, i.error().message);
      out_ += "CAST('" + std::to_string(i->months) + " months " + std::to_string(i->days) + " days " + std::to_string(i->micros) +
              " microseconds' AS INTERVAL)";
      return;
    }
    case TK::kVarbyte:
      out_ += "unhex(" + literal(v) + ")";
      return;
    default:
      cast_literal(v);
  }
}

// ---- Conversions ----------------------------------------------------------------------------------------------------

void Emitter::cast(const Expr& e) {
  std::string x = text_of(*e.args[0]);
  out_ += cast_text(x, e.args[0]->type, e.type, e.coercion);
}

std::string Emitter::fit_string(const std::string& x, const Type& from, const Type& to, Coercion coercion) {
  if (to.is(TK::kCharByte)) return "left(" + x + ", 1)";
  if ((!to.is(TK::kVarchar) && !to.is(TK::kChar)) || to.length == Type::kAny)
    return to.is(TK::kChar) && !from.is(TK::kChar) ? "rtrim(" + x + ", ' ')" : x;
  bool known = type_class(from) == TypeClass::kString && !from.is(TK::kText) && from.kind != TK::kAclItem;
  bool fits = known && secure::byte_length(from) <= to.length;
  std::string trimmed = to.is(TK::kChar) && !from.is(TK::kChar) ? "rtrim(" + x + ", ' ')" : x;
  if (fits) return trimmed;
  if (coercion == Coercion::kExplicit) {
    std::string cut = "rs_cut(" + x + ", " + std::to_string(to.length) + ")";
    return to.is(TK::kChar) ? "rtrim(" + cut + ", ' ')" : cut;
  }
  return "rs_fit(" + trimmed + ", " + std::to_string(to.length) + ", " + literal(to.format()) + ")";
}

std::string Emitter::to_string(const std::string& x, const Type& from) {
  switch (from.kind) {
    case TK::kReal:
    case TK::kDouble:
    case TK::kInterval:
    case TK::kIntervalDayToSecond:
    case TK::kIntervalYearToMonth:
    case TK::kDate:
    case TK::kTimestamp:
      return "rs_text(" + x + ")";
    case TK::kSuper:
      return "rs_super_text(" + x + ")";
    case TK::kVarbyte:
      return "rs_blob_text(" + x + ")";
    case TK::kTimestampTz:
      return "rs_text(" + x + ")";
    case TK::kArray:
    case TK::kInt2Vector:
    case TK::kOidVector:
      return "rs_array_text(CAST(" + x + " AS VARCHAR[]))";
    default:
      return type_class(from) == TypeClass::kString ? x : "CAST(" + x + " AS VARCHAR)";
  }
}

std::string Emitter::from_string(const std::string& x, const Type& to, Coercion coercion, bool lenient) {
  std::string prefix = lenient ? "rs_try_" : "rs_";
  switch (to.kind) {
    case TK::kBoolean:
      return prefix + "bool(" + x + ")";
    case TK::kSmallint:
      return prefix + "int2(" + x + ")";
    case TK::kInteger:
      return prefix + "int4(" + x + ")";
    case TK::kBigint:
      return prefix + "int8(" + x + ")";
    case TK::kReal:
      return prefix + "float4(" + x + ")";
    case TK::kDouble:
      return prefix + "float8(" + x + ")";
    case TK::kDecimal:
      return "CAST(" + prefix + "decimal(" + x + ", " + std::to_string(to.precision == Type::kAny ? 38 : to.precision) + ", " +
             std::to_string(to.scale) + ") AS " + duckdb_type(to) + ")";
    case TK::kDate:
      return prefix + "date(" + x + ")";
    case TK::kTime:
      return prefix + "time(" + x + ")";
    case TK::kTimestamp:
      return prefix + "timestamp(" + x + ")";
    case TK::kTimestampTz:
      return prefix + "timestamptz(" + x + ")";
    case TK::kTimeTz:
      return "CAST(" + prefix + "timetz(" + x + ") AS TIMETZ)";
    case TK::kInterval:
    case TK::kIntervalDayToSecond:
    case TK::kIntervalYearToMonth:
      return "rs_interval(" + x + ")";
    case TK::kSuper:
      return "rs_super_string(" + x + ")";
    case TK::kVarbyte:
      return to.length == Type::kAny ? "encode(" + x + ")"
                                     : "encode(" + fit_string(x, Type::varchar(), Type::varchar(to.length), coercion) + ")";
    default:
      break;
  }
  if (type_class(to) == TypeClass::kOid) return "rs_int8(" + x + ")";
  fail_with(secure::kNotSupported, "conversion from text to " + to.format() + " is not supported");
  return x;
}

std::string Emitter::cast_text(const std::string& x, const Type& from, const Type& to, Coercion coercion, bool lenient) {
  auto f = type_class(from), t = type_class(to);
  if (f == TypeClass::kString && t == TypeClass::kString) return fit_string(x, from, to, coercion);
  if (t == TypeClass::kString)
    return fit_string(to_string(x, from),
                      from.is(TK::kSuper) || f == TypeClass::kArray ? Type(TK::kText)
                      : from.is_numeric() || from.is_datetime()     ? Type::varchar(secure::byte_length(from))
                                                                    : Type(TK::kText),
                      to, coercion);
  if (f == TypeClass::kString) return from_string(x, to, coercion, lenient);
  if (duckdb_type(from) == duckdb_type(to)) return x;
  if (f == TypeClass::kSuper) return from_string("rs_super_text(" + x + ")", to, coercion, lenient);
  if (t == TypeClass::kSuper) {
    if (f == TypeClass::kNumber && !from.is_float()) return "CAST(" + x + " AS VARCHAR)";
    if (from.is_float()) return "rs_super_number(" + x + ")";
    if (f == TypeClass::kBoolean) return "CAST(" + x + " AS VARCHAR)";
    return "rs_super_string(" + to_string(x, from) + ")";
  }
  if (to.is(TK::kBoolean)) return "(" + x + " <> 0)";
  if (from.is_float() && (to.is_integer() || to.is(TK::kDecimal))) return "CAST(" + x + " AS " + duckdb_type(to) + ")";
  return "CAST(" + x + " AS " + duckdb_type(to) + ")";
}

// ---- Subqueries and calls back --------------------------------------------------------------------------------------

void Emitter::quantified(const Expr& e) {
  static const std::map<std::string_view, const char*> kOps{{"eq", " = "},  {"ne", " <> "}, {"lt", " < "},
                                                            {"le", " <= "}, {"gt", " > "},  {"ge", " >= "}};
  if (e.args.size() == 1) {
    out_ += e.negated ? "(NOT (" : "(";
    expr(*e.args[0]);
    out_ += kOps.at(e.function);
    out_ += e.all ? "ALL (" : "ANY (";
    query(*e.query);
    out_ += e.negated ? ")))" : "))";
    return;
  }
  // Rows: spelled out with three-valued logic, which the engine's own row comparison doesn't have.
  if (e.function != "eq" || e.all)
    return fail_with(secure::kNotSupported, "this comparison of rows with a subquery is not supported");
  std::string name = "x" + std::to_string(next_name_++), columns, match;
  for (size_t i = 0; i < e.args.size(); i++) {
    std::string c = "c" + std::to_string(i + 1);
    columns += (i ? "," : "") + c;
    match += (i ? " AND " : "") + text_of(*e.args[i]) + " = " + name + "." + c;
  }
  auto exists = [&](const std::string& condition) {
    out_ += "EXISTS (SELECT 1 FROM (";
    query(*e.query);
    out_ += ") AS " + name + "(" + columns + ") WHERE " + condition + ")";
  };
  out_ += e.negated ? "(NOT CASE WHEN " : "(CASE WHEN ";
  exists(match);
  out_ += " THEN true WHEN ";
  exists("(" + match + ") IS NULL");
  out_ += " THEN CAST(NULL AS BOOLEAN) ELSE false END)";
}

void Emitter::host_call(const Expr& e) {
  std::string signature = e.function + "(";
  for (size_t i = 0; i < e.host->arguments.size(); i++) signature += (i ? ", " : "") + e.host->arguments[i].base_name();
  std::string call = "redoubt_host(" + literal(signature + ")");
  for (auto& a : e.args) call += ", " + to_string(text_of(*a), a->type);
  call += ")";
  if (type_class(e.type) == TypeClass::kString || e.type.is(TK::kVoid))
    out_ += call;
  else if (type_class(e.type) == TypeClass::kArray)
    out_ += "CAST(rs_array(" + call + ") AS " + duckdb_type(e.type) + ")";
  else if (e.type.is(TK::kSuper))
    out_ += call;
  else
    out_ += from_string(call, e.type, Coercion::kExplicit, false);
}

std::string Emitter::over(const plan::Window& w) {
  std::string before;
  before.swap(out_);
  out_ += " OVER (";
  for (size_t i = 0; i < w.partition_by.size(); i++) {
    out_ += i ? ", " : "PARTITION BY ";
    expr(*w.partition_by[i]);
  }
  if (!w.order_by.empty()) {
    out_ += w.partition_by.empty() ? "ORDER BY " : " ORDER BY ";
    sort_keys(w.order_by);
  }
  if (w.frame) {
    auto bound = [&](plan::Frame::Bound b, const plan::ExprPtr& offset) {
      using B = plan::Frame::Bound;
      switch (b) {
        case B::kUnboundedPreceding:
          out_ += "UNBOUNDED PRECEDING";
          return;
        case B::kUnboundedFollowing:
          out_ += "UNBOUNDED FOLLOWING";
          return;
        case B::kCurrentRow:
          out_ += "CURRENT ROW";
          return;
        case B::kPreceding:
        case B::kFollowing:
          expr(*offset);
          out_ += b == B::kPreceding ? " PRECEDING" : " FOLLOWING";
      }
    };
    out_ += w.frame->unit == plan::Frame::Unit::kRows ? " ROWS BETWEEN " : " RANGE BETWEEN ";
    bound(w.frame->start, w.frame->start_offset);
    out_ += " AND ";
    bound(w.frame->end, w.frame->end_offset);
  }
  out_ += ")";
  before.swap(out_);
  return before;
}

}  // namespace redoubt::warehouse::engine
