#include "warehouse/secure/nodes.h"

#include <algorithm>

namespace redoubt::warehouse::secure {

using plan::Expr;
using plan::ExprKind;
using plan::ExprPtr;

namespace {

void for_children(const Expr& e, const std::function<void(const ExprPtr&)>& visit) {
  auto one = [&](const ExprPtr& child) {
    if (child) visit(child);
  };
  for (auto& a : e.args) one(a);
  one(e.filter);
  for (auto& k : e.order_by) one(k.expr);
  if (e.window) {
    for (auto& p : e.window->partition_by) one(p);
    for (auto& k : e.window->order_by) one(k.expr);
    if (e.window->frame) {
      one(e.window->frame->start_offset);
      one(e.window->frame->end_offset);
    }
  }
}

bool same_ptr(const ExprPtr& a, const ExprPtr& b) { return a == b || (a && b && same(*a, *b)); }

bool same_list(const std::vector<ExprPtr>& a, const std::vector<ExprPtr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_ptr);
}

bool same_keys(const std::vector<plan::SortKey>& a, const std::vector<plan::SortKey>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) {
    return same_ptr(x.expr, y.expr) && x.output == y.output && x.descending == y.descending && x.nulls_first == y.nulls_first;
  });
}

}  // namespace

ExprPtr make(Expr e) {
  uint64_t weight = 1;
  for_children(e, [&](const ExprPtr& child) {
    weight += child->weight;
    e.has_aggregate |= child->has_aggregate;
    e.has_window |= child->has_window;
    e.has_query |= child->has_query;
    e.is_volatile |= child->is_volatile;
  });
  if (e.query) {
    weight += weight_of(*e.query);
    e.has_query = true;
  }
  e.has_aggregate |= e.kind == ExprKind::kAggregate;
  e.has_window |= e.kind == ExprKind::kWindow;
  e.is_volatile |= e.kind == ExprKind::kIdentity;
  e.weight = uint32_t(std::min<uint64_t>(weight, UINT32_MAX));
  return std::make_shared<const Expr>(std::move(e));
}

ExprPtr make_constant(const sql::Type& type, Datum value) {
  Expr e;
  e.type = type;
  e.value = std::move(value);
  return make(std::move(e));
}

ExprPtr make_boolean(bool value) { return make_constant(sql::TypeKind::kBoolean, value ? "true" : "false"); }
ExprPtr make_text(std::string value) { return make_constant(sql::Type::varchar(int(value.size())), std::move(value)); }

ExprPtr make_column(int relation, int column, const sql::Type& type) {
  Expr e;
  e.kind = ExprKind::kColumn;
  e.type = type;
  e.relation = relation;
  e.column = column;
  return make(std::move(e));
}

ExprPtr make_call(std::string id, const sql::Type& type, std::vector<ExprPtr> args) {
  Expr e;
  e.kind = ExprKind::kCall;
  e.type = type;
  e.function = std::move(id);
  e.args = std::move(args);
  return make(std::move(e));
}

ExprPtr make_cast(ExprPtr expr, const sql::Type& type, plan::Coercion coercion) {
  Expr e;
  e.kind = ExprKind::kCast;
  e.type = type;
  e.coercion = coercion;
  e.args.push_back(std::move(expr));
  return make(std::move(e));
}

ExprPtr make_not(ExprPtr expr) { return make_call("not", sql::TypeKind::kBoolean, {std::move(expr)}); }

ExprPtr make_logical(bool is_and, std::vector<ExprPtr> args) {
  if (args.size() == 1) return args[0];
  return make_call(is_and ? "and" : "or", sql::TypeKind::kBoolean, std::move(args));
}

bool same(const Expr& a, const Expr& b) {
  if (&a == &b) return !a.is_volatile;
  if (a.kind != b.kind || a.type != b.type || a.weight != b.weight || a.has_query || b.has_query || a.is_volatile ||
      b.is_volatile)
    return false;
  if (a.value != b.value || a.relation != b.relation || a.column != b.column || a.parameter != b.parameter ||
      a.coercion != b.coercion || a.function != b.function || a.host != b.host || a.distinct != b.distinct ||
      a.ignore_nulls != b.ignore_nulls || a.negated != b.negated || a.all != b.all || a.has_else != b.has_else)
    return false;
  if (!same_list(a.args, b.args) || !same_ptr(a.filter, b.filter) || !same_keys(a.order_by, b.order_by)) return false;
  if (!a.window || !b.window) return a.window == b.window;
  if (!same_list(a.window->partition_by, b.window->partition_by) || !same_keys(a.window->order_by, b.window->order_by))
    return false;
  if (!a.window->frame || !b.window->frame) return a.window->frame.has_value() == b.window->frame.has_value();
  auto &f = *a.window->frame, &g = *b.window->frame;
  return f.unit == g.unit && f.start == g.start && f.end == g.end && same_ptr(f.start_offset, g.start_offset) &&
         same_ptr(f.end_offset, g.end_offset);
}

void walk(const ExprPtr& expr, const std::function<bool(const ExprPtr&)>& visit) {
  if (!expr || !visit(expr)) return;
  for_children(*expr, [&](const ExprPtr& child) { walk(child, visit); });
}

void walk_from(const plan::From& from, const std::function<void(const ExprPtr&)>& visit) {
  if (from.secured_by) visit(from.secured_by);
  if (from.query) walk_query(*from.query, visit);
  if (from.call) visit(from.call);
  if (from.on) visit(from.on);
  if (from.left) walk_from(*from.left, visit);
  if (from.right) walk_from(*from.right, visit);
}

void walk_query(const plan::Query& q, const std::function<void(const ExprPtr&)>& visit) {
  auto one = [&](const ExprPtr& e) {
    if (!e) return;
    visit(e);
    if (!e->has_query) return;
    walk(e, [&](const ExprPtr& node) {
      if (node->query) walk_query(*node->query, visit);
      return node->has_query;
    });
  };
  for (auto& cte : q.ctes) walk_query(*cte.query, visit);
  for (auto& e : q.select.outputs) one(e);
  if (q.select.from) walk_from(*q.select.from, one);
  one(q.select.where);
  for (auto& e : q.select.group_by) one(e);
  one(q.select.having);
  one(q.select.qualify);
  if (q.left) walk_query(*q.left, visit);
  if (q.right) walk_query(*q.right, visit);
  for (auto& row : q.rows)
    for (auto& e : row) one(e);
  for (auto& k : q.order_by) one(k.expr);
  one(q.limit);
  one(q.offset);
}

namespace {
uint64_t weight_of_from(const plan::From& from) {
  uint64_t w = 1;
  for (auto* e : {&from.secured_by, &from.call, &from.on})
    if (*e) w += (*e)->weight;
  if (from.query) w += weight_of(*from.query);
  if (from.left) w += weight_of_from(*from.left);
  if (from.right) w += weight_of_from(*from.right);
  return w;
}
}  // namespace

uint64_t weight_of(const plan::Query& q) {
  uint64_t w = 1;
  auto add = [&](const ExprPtr& e) {
    if (e) w += e->weight;
  };
  for (auto& cte : q.ctes) w += weight_of(*cte.query);
  for (auto& e : q.select.outputs) add(e);
  if (q.select.from) w += weight_of_from(*q.select.from);
  for (auto& e : q.select.group_by) add(e);
  for (auto* e : {&q.select.where, &q.select.having, &q.select.qualify, &q.limit, &q.offset}) add(*e);
  if (q.left) w += weight_of(*q.left);
  if (q.right) w += weight_of(*q.right);
  for (auto& row : q.rows)
    for (auto& e : row) add(e);
  for (auto& k : q.order_by) add(k.expr);
  return w;
}

}  // namespace redoubt::warehouse::secure
