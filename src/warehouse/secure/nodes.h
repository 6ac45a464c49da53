#pragma once
/// Making and comparing plan expressions. make() computes what a node knows about the nodes below it; nothing else may
/// create one.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "warehouse/secure/plan.h"

namespace redoubt::warehouse::secure {

plan::ExprPtr make(plan::Expr expr);
plan::ExprPtr make_constant(const sql::Type& type, Datum value);
plan::ExprPtr make_boolean(bool value);
plan::ExprPtr make_text(std::string value);
plan::ExprPtr make_column(int relation, int column, const sql::Type& type);
plan::ExprPtr make_call(std::string id, const sql::Type& type, std::vector<plan::ExprPtr> args);
plan::ExprPtr make_cast(plan::ExprPtr expr, const sql::Type& type, plan::Coercion coercion);
plan::ExprPtr make_not(plan::ExprPtr expr);
/// AND or OR; one argument is returned as it is.
plan::ExprPtr make_logical(bool is_and, std::vector<plan::ExprPtr> args);

inline bool is_constant(const plan::Expr& e) { return e.kind == plan::ExprKind::kConst; }
inline bool is_null(const plan::Expr& e) { return is_constant(e) && !e.value; }

/// Do both compute the same value in one row? Subqueries never do.
bool same(const plan::Expr& a, const plan::Expr& b);

/// Calls `visit` for the expression and all below, parents first, not into subqueries; stops below where it returns false.
void walk(const plan::ExprPtr& expr, const std::function<bool(const plan::ExprPtr&)>& visit);
/// Every expression of a query and of the queries in it, at any depth (the roots only: walk() them further).
void walk_query(const plan::Query& query, const std::function<void(const plan::ExprPtr&)>& visit);
void walk_from(const plan::From& from, const std::function<void(const plan::ExprPtr&)>& visit);

/// Nodes of a query, counted as a tree.
uint64_t weight_of(const plan::Query& query);

}  // namespace redoubt::warehouse::secure
