/// Queries as SQL.
#include "warehouse/sql/printer_impl.h"

namespace redoubt::warehouse::sql {

void Printer::with(const With& node) {
  if (node.ctes.empty()) return;
  put(node.recursive ? "WITH RECURSIVE " : "WITH ");
  list(node.ctes, [&](const Cte& cte) {
    identifier(cte.name);
    if (!cte.columns.empty()) put(" ("), identifiers(cte.columns), put(")");
    put(" AS (");
    query(*cte.query);
    put(")");
  });
  put(" ");
}

/// UNION and EXCEPT chains stay flat on the left.
void Printer::set_operand(const Query& operand, const Query& parent, bool left) {
  bool same_power = operand.kind == Query::Kind::kSetOperation &&
                    (operand.set_operator == SetOperator::kIntersect) == (parent.set_operator == SetOperator::kIntersect);
  bool bare = operand.with.ctes.empty() && operand.order_by.empty() && !operand.limit && !operand.offset;
  bool flat = bare && (operand.kind != Query::Kind::kSetOperation || (left && same_power));
  if (!flat) put("(");
  query(operand);
  if (!flat) put(")");
}

void Printer::query(const Query& node) {
  with(node.with);
  switch (node.kind) {
    case Query::Kind::kSelect:
      select(node.select);
      break;
    case Query::Kind::kSetOperation:
      set_operand(*node.left, node, true);
      put(node.set_operator == SetOperator::kUnion       ? " UNION"
          : node.set_operator == SetOperator::kIntersect ? " INTERSECT"
                                                         : " EXCEPT");
      put(node.all ? " ALL " : " ");
      set_operand(*node.right, node, false);
      break;
    case Query::Kind::kValues:
      put("VALUES ");
      list(node.rows, [&](const std::vector<ExprPtr>& row) {
        put("(");
        exprs(row);
        put(")");
      });
      break;
  }
  if (!node.order_by.empty()) put(" "), order_by(node.order_by);
  if (node.limit) put(" LIMIT "), expr(*node.limit);
  if (node.offset) put(" OFFSET "), expr(*node.offset);
}

void Printer::select_item(const SelectItem& item) {
  expr(*item.expr);
  if (!item.alias.empty()) put(" AS "), identifier(item.alias);
}

void Printer::select(const Select& node) {
  put(node.distinct ? "SELECT DISTINCT " : "SELECT ");
  if (node.top) {
    const auto* number = get_if<Literal>(node.top.get());
    bool bare = node.top->kind == ExprKind::kParameter || (number && number->value_kind == Literal::Kind::kInteger);
    put(bare ? "TOP " : "TOP (");
    expr(*node.top);
    put(bare ? " " : ") ");
  }
  list(node.items, [&](const SelectItem& item) { select_item(item); });
  if (!node.from.empty()) put(" FROM "), table_refs(node.from);
  if (node.where) put(" WHERE "), expr(*node.where);
  if (node.group_by_all) put(" GROUP BY ALL");
  if (!node.group_by.empty()) {
    put(" GROUP BY ");
    list(node.group_by, [&](const GroupingElement& element) { grouping(element); });
  }
  if (node.having) put(" HAVING "), expr(*node.having);
  if (node.qualify) put(" QUALIFY "), expr(*node.qualify);
}

void Printer::grouping(const GroupingElement& element) {
  switch (element.kind) {
    case GroupingElement::Kind::kExpr:
      return expr(*element.exprs[0]);
    case GroupingElement::Kind::kEmpty:
      return put("()");
    case GroupingElement::Kind::kRollup:
    case GroupingElement::Kind::kCube:
      put(element.kind == GroupingElement::Kind::kRollup ? "ROLLUP (" : "CUBE (");
      exprs(element.exprs);
      return put(")");
    case GroupingElement::Kind::kSets:
      put("GROUPING SETS (");
      list(element.elements, [&](const GroupingElement& each) { grouping(each); });
      return put(")");
  }
}

void Printer::table_refs(const std::vector<TableRefPtr>& refs) {
  list(refs, [&](const TableRefPtr& ref) { table_ref(*ref); });
}

void Printer::alias(const TableRef& ref) {
  if (ref.alias.empty()) return;
  put(" AS ");
  identifier(ref.alias);
  if (!ref.column_aliases.empty()) put(" ("), identifiers(ref.column_aliases), put(")");
}

/// `operand`: on the right of a JOIN, or MERGE's source, where a join needs parentheses.
void Printer::table_ref(const TableRef& ref, bool operand) {
  if (ref.lateral) put("LATERAL ");
  switch (ref.kind) {
    case TableRefKind::kTable: {
      auto& table = as<TableName>(ref);
      name(table.name);
      alias(ref);
      if (!table.at.empty()) put(" AT "), identifier(table.at);
      return;
    }
    case TableRefKind::kSubquery:
      put("(");
      query(*as<TableSubquery>(ref).query);
      put(")");
      return alias(ref);
    case TableRefKind::kFunction: {
      auto& function = as<TableFunction>(ref);
      function_name(function.call->name);
      call_arguments(*function.call);
      if (function.column_definitions.empty()) return alias(ref);
      put(" AS ");
      if (!ref.alias.empty()) identifier(ref.alias), put(" ");
      put("(");
      list(function.column_definitions, [&](const ColumnDef& column) {
        identifier(column.name);
        if (column.type) put(" " + column.type->format());
      });
      return put(")");
    }
    case TableRefKind::kJoin: {
      bool wrap = operand || !ref.alias.empty() || ref.lateral;
      if (wrap) put("(");
      join(as<Join>(ref));
      if (wrap) put(")");
      return alias(ref);
    }
  }
}

void Printer::join(const Join& node) {
  table_ref(*node.left);
  if (node.natural) put(" NATURAL");
  switch (node.type) {
    case JoinType::kInner:
      put(" JOIN ");
      break;
    case JoinType::kLeft:
      put(" LEFT JOIN ");
      break;
    case JoinType::kRight:
      put(" RIGHT JOIN ");
      break;
    case JoinType::kFull:
      put(" FULL JOIN ");
      break;
    case JoinType::kCross:
      put(" CROSS JOIN ");
      break;
  }
  table_ref(*node.right, true);
  if (node.on) put(" ON "), expr(*node.on);
  if (!node.columns.empty()) put(" USING "), parenthesized(node.columns);
}

}  // namespace redoubt::warehouse::sql
