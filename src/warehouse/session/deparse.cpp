// Plan expressions as text, in PostgreSQL's style, for EXPLAIN.
#include "base/text.h"
#include "warehouse/session/explain.h"
#include "warehouse/session/settings.h"

namespace redoubt::warehouse::session {

namespace {

namespace plan = secure::plan;
using plan::Expr;
using plan::ExprKind;

const char* infix(std::string_view function) {
  static constexpr std::pair<std::string_view, const char*> kOperators[] = {
      {"eq", " = "},    {"ne", " <> "}, {"lt", " < "},      {"le", " <= "},   {"gt", " > "},  {"ge", " >= "},
      {"add", " + "},   {"sub", " - "}, {"mul", " * "},     {"div", " / "},   {"mod", " % "}, {"concat", " || "},
      {"and", " AND "}, {"or", " OR "}, {"bit_and", " & "}, {"bit_or", " | "}};
  for (auto& [name, text] : kOperators)
    if (name == function) return text;
  return nullptr;
}

std::string constant(const Expr& e) {
  std::string type = e.type.base_name();
  bool text = e.type.is(sql::TypeKind::kVarchar) || e.type.is(sql::TypeKind::kText);
  if (!e.value) return "NULL::" + (text ? std::string("text") : type);
  if (e.type.is_numeric()) return *e.value;
  if (e.type.is(sql::TypeKind::kBoolean)) return *e.value;
  return "'" + replace_all(*e.value, "'", "''") + "'::" + (text ? std::string("text") : type);
}

}  // namespace

std::string deparse(const Expr& e, const ColumnNames& names) {
  auto operand = [&](const Expr& arg) {
    std::string text = deparse(arg, names);
    bool varchar = arg.kind == ExprKind::kColumn && arg.type.is(sql::TypeKind::kVarchar);
    return varchar ? "(" + text + ")::text" : text;
  };
  auto list = [&](size_t from) {
    std::string out;
    for (size_t i = from; i < e.args.size(); i++) out += (i > from ? ", " : "") + deparse(*e.args[i], names);
    return out;
  };
  switch (e.kind) {
    case ExprKind::kConst:
      return constant(e);
    case ExprKind::kColumn:
      return names(e.relation, e.column);
    case ExprKind::kParameter:
      return "$" + std::to_string(e.parameter);
    case ExprKind::kCast:
      return "(" + deparse(*e.args[0], names) + ")::" + e.type.base_name();
    case ExprKind::kCall: {
      const char* op = infix(e.function);
      if (op && e.args.size() >= 2) {
        std::string out;
        for (auto& arg : e.args) out += (out.empty() ? "" : op) + operand(*arg);
        return "(" + out + ")";
      }
      if (e.function == "not") return "(NOT " + deparse(*e.args[0], names) + ")";
      if (e.function == "neg") return "(- " + deparse(*e.args[0], names) + ")";
      if (e.function == "is_null") return "(" + deparse(*e.args[0], names) + " IS NULL)";
      if (e.function == "is_not_null") return "(" + deparse(*e.args[0], names) + " IS NOT NULL)";
      if (e.function == "like" && e.args.size() >= 2)
        return "(" + operand(*e.args[0]) + " ~~ " + deparse(*e.args[1], names) + ")";
      return e.function + "(" + list(0) + ")";
    }
    case ExprKind::kCase: {
      std::string out = "CASE";
      size_t pairs = (e.args.size() - (e.has_else ? 1 : 0)) / 2;
      for (size_t i = 0; i < pairs; i++)
        out += " WHEN " + deparse(*e.args[2 * i], names) + " THEN " + deparse(*e.args[2 * i + 1], names);
      if (e.has_else) out += " ELSE " + deparse(*e.args.back(), names);
      return out + " END";
    }
    case ExprKind::kIn:
      return "(" + operand(*e.args[0]) + (e.negated ? " NOT IN (" : " IN (") + list(1) + "))";
    case ExprKind::kQuantified:
      return std::string(e.negated ? "(NOT (" : "(") + (e.all ? "all" : "hashed") + " SubPlan" + (e.negated ? "))" : ")");
    case ExprKind::kScalarQuery:
    case ExprKind::kExists:
    case ExprKind::kArrayQuery:
      return "(subplan)";
    case ExprKind::kAggregate:
    case ExprKind::kWindow:
    case ExprKind::kHostCall:
      return e.function + "(" + (e.distinct ? "DISTINCT " : "") +
             (e.args.empty() && e.kind == ExprKind::kAggregate ? "*" : list(0)) + ")";
    case ExprKind::kIdentity:
      return "\"identity\"()";
  }
  return "?";
}

}  // namespace redoubt::warehouse::session
