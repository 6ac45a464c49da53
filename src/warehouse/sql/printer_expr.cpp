/// Expressions as SQL. Every compound operand stands in parentheses, except where a chain of one operator must stay flat so that
/// it can be read again within the limits of the parser.
#include "base/text.h"
#include "warehouse/sql/parser_impl.h"
#include "warehouse/sql/printer_impl.h"

namespace redoubt::warehouse::sql {

namespace {

/// Does it bind tighter than any operator when printed?
bool is_atomic(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral:
    case ExprKind::kTypedLiteral:
    case ExprKind::kParameter:
    case ExprKind::kColumnRef:
    case ExprKind::kStar:
    case ExprKind::kExists:
    case ExprKind::kSubquery:
    case ExprKind::kArrayQuery:
    case ExprKind::kArray:
    case ExprKind::kRow:
    case ExprKind::kCase:
    case ExprKind::kCast:
    case ExprKind::kField:
    case ExprKind::kSubscript:
    case ExprKind::kFunctionCall:
    case ExprKind::kDefault:
      return true;
    default:
      return false;
  }
}

}  // namespace

#define OPERAND(e)                      \
  do {                                  \
    const Expr& operand_ = (e);         \
    bool atomic_ = is_atomic(operand_); \
    if (!atomic_) put("(");             \
    expr(operand_);                     \
    if (!atomic_) put(")");             \
  } while (0)

void Printer::name(const ObjectName& name) {
  if (!name.database.empty()) identifier(name.database), put(".");
  if (!name.schema.empty()) identifier(name.schema), put(".");
  identifier(name.name);
}

void Printer::literal_value(const Literal& node) {
  switch (node.value_kind) {
    case Literal::Kind::kNull:
      return put("NULL");
    case Literal::Kind::kBoolean:
      return put(node.boolean ? "TRUE" : "FALSE");
    case Literal::Kind::kString:
      return literal(node.text);
    default:
      return put(node.text);
  }
}

void Printer::typed_literal(const TypedLiteral& node) {
  // One-word names, because only a few types may have more before a literal.
  put(node.type.is_interval() ? node.type.base_name() : std::string(node.type.type_name()));
  put(" ");
  literal(node.text);
  if (!node.interval_fields.empty()) put(" " + to_upper(node.interval_fields));
  if (node.interval_precision >= 0) put("(" + std::to_string(node.interval_precision) + ")");
}

void Printer::operator_name(std::string_view op, std::string_view schema) {
  if (schema.empty()) return put(op);
  put("OPERATOR(");
  identifier(schema);
  put(".");
  put(op);
  put(")");
}

void Printer::binary(const Binary& node) {
  // a || b || c: the left operand of the same left-associative power needs no parentheses.
  auto power_of = [](const Binary& b) { return b.schema.empty() ? operator_power(b.op) : operator_power("||"); };
  const auto* left = get_if<Binary>(node.left.get());
  int power = power_of(node);
  bool flat = left && power_of(*left) == power && power != operator_power("=") && power != operator_power("<");
  if (flat)
    binary(*left);
  else
    OPERAND(*node.left);
  put(" ");
  operator_name(node.op, node.schema);
  put(" ");
  OPERAND(*node.right);
}

/// What may stand before .name, [index] and ::type. x::int[1] would be an array type: such a cast is never a subscript's base.
void Printer::postfix_base(const Expr& base, bool subscript) {
  if ((base.kind == ExprKind::kCast && !subscript) || base.kind == ExprKind::kField || base.kind == ExprKind::kSubscript)
    return expr(base);
  put("(");
  expr(base);
  put(")");
}

void Printer::case_when(const Case& node) {
  put("CASE");
  if (node.operand) put(" "), expr(*node.operand);
  for (const Case::Branch& branch : node.branches) {
    put(" WHEN ");
    expr(*branch.condition);
    put(" THEN ");
    expr(*branch.result);
  }
  if (node.otherwise) put(" ELSE "), expr(*node.otherwise);
  put(" END");
}

void Printer::expr(const Expr& node) {
  switch (node.kind) {
    case ExprKind::kLiteral:
      return literal_value(as<Literal>(node));
    case ExprKind::kTypedLiteral:
      return typed_literal(as<TypedLiteral>(node));
    case ExprKind::kParameter:
      put("$");
      return number(as<Parameter>(node).number);
    case ExprKind::kColumnRef:
      return list(as<ColumnRef>(node).parts, [&](const std::string& part) { identifier(part); }, ".");
    case ExprKind::kStar: {
      auto& star = as<Star>(node);
      for (const std::string& part : star.qualifier) identifier(part), put(".");
      put("*");
      if (!star.exclude.empty()) put(" EXCLUDE "), parenthesized(star.exclude);
      return;
    }
    case ExprKind::kField: {
      auto& field = as<Field>(node);
      postfix_base(*field.base, false);
      put(".");
      return identifier(field.name);
    }
    case ExprKind::kSubscript: {
      auto& subscript = as<Subscript>(node);
      if (subscript.base->kind == ExprKind::kColumnRef)
        expr(*subscript.base);
      else
        postfix_base(*subscript.base, true);
      put("[");
      if (subscript.index) expr(*subscript.index);
      if (subscript.slice) put(":");
      if (subscript.upper) expr(*subscript.upper);
      return put("]");
    }
    case ExprKind::kUnary: {
      auto& unary = as<Unary>(node);
      operator_name(unary.op, unary.schema);
      put(" ");
      OPERAND(*unary.operand);
      return;
    }
    case ExprKind::kBinary:
      return binary(as<Binary>(node));
    case ExprKind::kLogical: {
      auto& logical = as<Logical>(node);
      return list(logical.args, [&](const ExprPtr& arg) { OPERAND(*arg); }, logical.is_and ? " AND " : " OR ");
    }
    case ExprKind::kNot:
      put("NOT ");
      OPERAND(*as<Not>(node).operand);
      return;
    case ExprKind::kIsNull: {
      auto& test = as<IsNull>(node);
      OPERAND(*test.operand);
      return put(test.negated ? " IS NOT NULL" : " IS NULL");
    }
    case ExprKind::kIsTruth: {
      auto& test = as<IsTruth>(node);
      OPERAND(*test.operand);
      put(test.negated ? " IS NOT " : " IS ");
      return put(test.value == IsTruth::Value::kTrue ? "TRUE" : test.value == IsTruth::Value::kFalse ? "FALSE" : "UNKNOWN");
    }
    case ExprKind::kIsDistinct: {
      auto& test = as<IsDistinct>(node);
      OPERAND(*test.left);
      put(test.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ");
      OPERAND(*test.right);
      return;
    }
    case ExprKind::kBetween: {
      auto& between = as<Between>(node);
      OPERAND(*between.operand);
      put(between.negated ? " NOT BETWEEN " : " BETWEEN ");
      if (between.symmetric) put("SYMMETRIC ");
      OPERAND(*between.low);
      put(" AND ");
      OPERAND(*between.high);
      return;
    }
    case ExprKind::kLike: {
      auto& like = as<Like>(node);
      OPERAND(*like.operand);
      if (like.negated) put(" NOT");
      put(like.like_kind == Like::Kind::kLike ? " LIKE " : like.like_kind == Like::Kind::kILike ? " ILIKE " : " SIMILAR TO ");
      OPERAND(*like.pattern);
      if (like.escape) {
        put(" ESCAPE ");
        OPERAND(*like.escape);
      }
      return;
    }
    case ExprKind::kInList: {
      auto& in = as<InList>(node);
      OPERAND(*in.operand);
      put(in.negated ? " NOT IN (" : " IN (");
      exprs(in.items);
      return put(")");
    }
    case ExprKind::kInQuery: {
      auto& in = as<InQuery>(node);
      OPERAND(*in.operand);
      put(in.negated ? " NOT IN (" : " IN (");
      query(*in.query);
      return put(")");
    }
    case ExprKind::kQuantified: {
      auto& quantified = as<Quantified>(node);
      OPERAND(*quantified.left);
      put(" ");
      // LIKE ANY has an operator's name in the AST; the operator does not associate as LIKE does.
      operator_name(quantified.op, quantified.schema);
      put(quantified.all ? " ALL (" : " ANY (");
      if (quantified.query)
        query(*quantified.query);
      else
        expr(*quantified.array);
      return put(")");
    }
    case ExprKind::kExists:
      put("EXISTS (");
      query(*as<Exists>(node).query);
      return put(")");
    case ExprKind::kSubquery:
      put("(");
      query(*as<Subquery>(node).query);
      return put(")");
    case ExprKind::kArrayQuery:
      put("ARRAY(");
      query(*as<ArrayQuery>(node).query);
      return put(")");
    case ExprKind::kArray:
      put("ARRAY[");
      exprs(as<Array>(node).items);
      return put("]");
    case ExprKind::kRow:
      put("ROW(");
      exprs(as<Row>(node).items);
      return put(")");
    case ExprKind::kCase:
      return case_when(as<Case>(node));
    case ExprKind::kCast: {
      auto& cast = as<Cast>(node);
      ExprKind operand = cast.operand->kind;
      if (!cast.lenient && (operand == ExprKind::kCast || operand == ExprKind::kField || operand == ExprKind::kSubscript)) {
        expr(*cast.operand);
        return put("::" + cast.type.format());
      }
      put(cast.lenient ? "TRY_CAST(" : "CAST(");
      expr(*cast.operand);
      return put(" AS " + cast.type.format() + ")");
    }
    case ExprKind::kFunctionCall:
      return call(as<FunctionCall>(node));
    case ExprKind::kDefault:
      return put("DEFAULT");
  }
}

void Printer::call(const FunctionCall& node) {
  if (node.bare) return put(to_upper(node.name.name));
  if (node.approximate) put("APPROXIMATE ");
  bool plain = !node.star && !node.distinct && !node.ignore_nulls && node.order_by.empty() && node.within_group.empty() &&
               !node.filter && !node.over;
  bool unqualified = node.name.schema.empty() && node.name.database.empty();
  const std::string& function = node.name.name;
  if (unqualified && plain && function == "extract" && node.args.size() == 2) {
    const auto* field = get_if<Literal>(node.args[0].get());
    if (field && field->value_kind == Literal::Kind::kString) {
      put("EXTRACT(");
      literal(field->text);
      put(" FROM ");
      expr(*node.args[1]);
      return put(")");
    }
  }
  // Words that start a syntax of their own are functions only in quotes, but these few read alike in both.
  bool alike = function == "left" || function == "right";
  if (plain && !node.args.empty()) {
    alike = alike || function == "substring" || function == "overlay";
    alike = alike || (function == "array" && node.args[0]->kind != ExprKind::kSubquery);
  }
  function_name(node.name, alike && !node.approximate);
  call_arguments(node);
}

/// Unquoted where it can be; `as_is`: though the word is reserved.
void Printer::function_name(const ObjectName& function, bool as_is) {
  if (!function.schema.empty()) return name(function);
  bool special = false;
  for (std::string_view word :
       {"extract", "position", "substring", "trim", "overlay", "cast",     "try_cast", "convert", "exists", "row",    "array",
        "left",    "right",    "any",       "some", "all",     "interval", "operator", "rollup",  "cube",   "lateral"})
    special = special || word == function.name;
  if (as_is)
    put(function.name);
  else if (special)
    identifier(function.name);
  else
    put(quote_identifier(function.name));
}

void Printer::call_arguments(const FunctionCall& node) {
  put("(");
  if (node.star) put("*");
  if (node.distinct) put("DISTINCT ");
  exprs(node.args);
  if (!node.order_by.empty()) put(" "), order_by(node.order_by);
  put(")");
  if (!node.within_group.empty()) put(" WITHIN GROUP ("), order_by(node.within_group), put(")");
  if (node.filter) put(" FILTER (WHERE "), expr(*node.filter), put(")");
  if (node.ignore_nulls) put(*node.ignore_nulls ? " IGNORE NULLS" : " RESPECT NULLS");
  if (node.over) put(" OVER "), window(*node.over);
}

void Printer::order_by(const std::vector<OrderItem>& items) {
  put("ORDER BY ");
  list(items, [&](const OrderItem& item) {
    expr(*item.expr);
    if (item.descending) put(" DESC");
    if (item.nulls_first) put(*item.nulls_first ? " NULLS FIRST" : " NULLS LAST");
  });
}

void Printer::frame_bound(WindowFrame::Bound bound, const ExprPtr& offset) {
  using Bound = WindowFrame::Bound;
  switch (bound) {
    case Bound::kUnboundedPreceding:
      return put("UNBOUNDED PRECEDING");
    case Bound::kCurrentRow:
      return put("CURRENT ROW");
    case Bound::kUnboundedFollowing:
      return put("UNBOUNDED FOLLOWING");
    case Bound::kPreceding:
    case Bound::kFollowing:
      OPERAND(*offset);
      return put(bound == Bound::kPreceding ? " PRECEDING" : " FOLLOWING");
  }
}

void Printer::window(const WindowSpec& node) {
  put("(");
  std::string_view separator = "";
  if (!node.partition_by.empty()) {
    put("PARTITION BY ");
    exprs(node.partition_by);
    separator = " ";
  }
  if (!node.order_by.empty()) {
    put(separator);
    order_by(node.order_by);
    separator = " ";
  }
  if (node.frame) {
    put(separator);
    put(node.frame->unit == WindowFrame::Unit::kRows ? "ROWS BETWEEN " : "RANGE BETWEEN ");
    frame_bound(node.frame->start, node.frame->start_offset);
    put(" AND ");
    frame_bound(node.frame->end, node.frame->end_offset);
  }
  put(")");
}

}  // namespace redoubt::warehouse::sql
