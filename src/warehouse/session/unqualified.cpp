#include "warehouse/session/unqualified.h"

namespace redoubt::warehouse::session {

namespace {

/// Walks everything a query holds; `found` is set by the first bare name.
struct Walk {
  std::string found;
  std::set<std::string> ctes;

  void query(const sql::Query& q) {
    std::set<std::string> outer = ctes;
    for (auto& cte : q.with.ctes) {
      if (q.with.recursive) ctes.insert(cte.name);
      query(*cte.query);
      ctes.insert(cte.name);
    }
    select(q.select);
    if (q.left) query(*q.left);
    if (q.right) query(*q.right);
    for (auto& row : q.rows) all(row);
    order(q.order_by);
    expr(q.limit.get());
    expr(q.offset.get());
    ctes = std::move(outer);
  }

  void select(const sql::Select& s) {
    expr(s.top.get());
    for (auto& item : s.items) expr(item.expr.get());
    for (auto& ref : s.from) table(*ref);
    expr(s.where.get());
    for (auto& element : s.group_by) grouping(element);
    expr(s.having.get());
    expr(s.qualify.get());
  }

  void grouping(const sql::GroupingElement& element) {
    all(element.exprs);
    for (auto& inner : element.elements) grouping(inner);
  }

  void order(const std::vector<sql::OrderItem>& items) {
    for (auto& item : items) expr(item.expr.get());
  }

  void all(const std::vector<sql::ExprPtr>& exprs) {
    for (auto& e : exprs) expr(e.get());
  }

  void table(const sql::TableRef& ref) {
    switch (ref.kind) {
      case sql::TableRefKind::kTable: {
        auto& name = sql::as<sql::TableName>(ref).name;
        if (name.schema.empty() && !ctes.contains(name.name) && found.empty()) found = name.name;
        break;
      }
      case sql::TableRefKind::kSubquery:
        query(*sql::as<sql::TableSubquery>(ref).query);
        break;
      case sql::TableRefKind::kFunction:
        expr(sql::as<sql::TableFunction>(ref).call.get());
        break;
      case sql::TableRefKind::kJoin: {
        auto& join = sql::as<sql::Join>(ref);
        table(*join.left);
        table(*join.right);
        expr(join.on.get());
        break;
      }
    }
  }

  void expr(const sql::Expr* e) {
    if (!e) return;
    using K = sql::ExprKind;
    switch (e->kind) {
      case K::kLiteral:
      case K::kTypedLiteral:
      case K::kParameter:
      case K::kColumnRef:
      case K::kStar:
      case K::kDefault:
        break;
      case K::kField:
        expr(sql::as<sql::Field>(*e).base.get());
        break;
      case K::kSubscript: {
        auto& x = sql::as<sql::Subscript>(*e);
        for (auto* part : {&x.base, &x.index, &x.upper}) expr(part->get());
        break;
      }
      case K::kUnary:
        expr(sql::as<sql::Unary>(*e).operand.get());
        break;
      case K::kBinary:
        expr(sql::as<sql::Binary>(*e).left.get());
        expr(sql::as<sql::Binary>(*e).right.get());
        break;
      case K::kLogical:
        all(sql::as<sql::Logical>(*e).args);
        break;
      case K::kNot:
        expr(sql::as<sql::Not>(*e).operand.get());
        break;
      case K::kIsNull:
        expr(sql::as<sql::IsNull>(*e).operand.get());
        break;
      case K::kIsTruth:
        expr(sql::as<sql::IsTruth>(*e).operand.get());
        break;
      case K::kIsDistinct:
        expr(sql::as<sql::IsDistinct>(*e).left.get());
        expr(sql::as<sql::IsDistinct>(*e).right.get());
        break;
      case K::kBetween: {
        auto& x = sql::as<sql::Between>(*e);
        for (auto* part : {&x.operand, &x.low, &x.high}) expr(part->get());
        break;
      }
      case K::kLike: {
        auto& x = sql::as<sql::Like>(*e);
        for (auto* part : {&x.operand, &x.pattern, &x.escape}) expr(part->get());
        break;
      }
      case K::kInList:
        expr(sql::as<sql::InList>(*e).operand.get());
        all(sql::as<sql::InList>(*e).items);
        break;
      case K::kInQuery:
        expr(sql::as<sql::InQuery>(*e).operand.get());
        query(*sql::as<sql::InQuery>(*e).query);
        break;
      case K::kQuantified: {
        auto& x = sql::as<sql::Quantified>(*e);
        expr(x.left.get());
        if (x.query) query(*x.query);
        expr(x.array.get());
        break;
      }
      case K::kExists:
        query(*sql::as<sql::Exists>(*e).query);
        break;
      case K::kSubquery:
        query(*sql::as<sql::Subquery>(*e).query);
        break;
      case K::kArrayQuery:
        query(*sql::as<sql::ArrayQuery>(*e).query);
        break;
      case K::kArray:
        all(sql::as<sql::Array>(*e).items);
        break;
      case K::kRow:
        all(sql::as<sql::Row>(*e).items);
        break;
      case K::kCase: {
        auto& x = sql::as<sql::Case>(*e);
        expr(x.operand.get());
        for (auto& branch : x.branches) {
          expr(branch.condition.get());
          expr(branch.result.get());
        }
        expr(x.otherwise.get());
        break;
      }
      case K::kCast:
        expr(sql::as<sql::Cast>(*e).operand.get());
        break;
      case K::kFunctionCall: {
        auto& x = sql::as<sql::FunctionCall>(*e);
        all(x.args);
        order(x.order_by);
        order(x.within_group);
        expr(x.filter.get());
        if (x.over) {
          all(x.over->partition_by);
          order(x.over->order_by);
        }
        break;
      }
    }
  }
};

}  // namespace

std::string first_unqualified(const sql::Query& query, std::set<std::string> ctes) {
  Walk walk{.found = {}, .ctes = std::move(ctes)};
  walk.query(query);
  return walk.found;
}

}  // namespace redoubt::warehouse::session
