#pragma once
/// EXPLAIN: our plan in Redshift's shape. Nothing of the engine's plan is shown: it holds emitted SQL and other people's
/// policies. Costs are formal; there is one node.
///
/// A table that row security filters is an opaque `XN RLS SecureScan` with the statement's own filter. With EXPLAIN RLS
/// (`shows_policies`) it has a child, whose Filter is the policies' predicate with the session's values in it.
#include <functional>
#include <string>
#include <vector>

#include "warehouse/catalog/snapshot.h"
#include "warehouse/secure/plan.h"

namespace redoubt::warehouse::session {

struct PlanNode {
  int depth = 0;
  std::string text;                // "XN Seq Scan on t  (cost=..)"
  std::vector<std::string> infos;  // "Filter: (k > 0)"
};
std::vector<PlanNode> plan_nodes(const secure::plan::Statement& plan, const catalog::Snapshot& snapshot, bool shows_policies);

/// The lines that EXPLAIN answers.
std::vector<std::string> explain_lines(const std::vector<PlanNode>& nodes);

/// A name for column `column` of leaf `relation`, or "" if it has none.
using ColumnNames = std::function<std::string(int relation, int column)>;
/// An expression as PostgreSQL deparses it: ((k / 10) > 0), ((tenant)::text = 'T0001'::text).
std::string deparse(const secure::plan::Expr& expr, const ColumnNames& names);

}  // namespace redoubt::warehouse::session
