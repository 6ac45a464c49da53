#pragma once
/// Row security in bound plans, called by the guard before anything is optimised. Includes duckdb.hpp's classes: engine/duckdb
/// alone.
///
/// Second line of defence: every scan of a protected table is exactly
///
///     Projection(column references, authorised columns) > Filter(the authorised condition) [> lookups] > Get
///
/// compared, expression by expression, with what the table's own policies bind to (emit_authorised()). Outside of that, the
/// target of an UPDATE, DELETE or MERGE may be scanned once for its rowid and nothing else, joined with the rowids of such a
/// scan. A table that only policies may read occurs nowhere but in such a condition. What isn't recognised is refused.
///
/// First line: the engine moves predicates below that projection, next to the policy and to the rows that the policy hides,
/// when it believes that they can't fail. So every function in the statement is marked as able to throw and every cast of more
/// than a constant goes through a function so marked, unless it is on the leak-proof list below. That list is the security
/// boundary: whatever is on it may be evaluated on rows that the user may not see, and must not be able to tell. Where the plan
/// holds an expression that the marker doesn't know, an operator that nothing moves through goes above each projection instead.
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/planner/logical_operator.hpp>
#include <functional>
#include <string>

#include "warehouse/engine/duckdb/statement_state.h"

namespace redoubt::warehouse::engine {

/// `refuse` doesn't return. Leaves the plan with its marks.
using Refuse = std::function<void(const std::string& what)>;
void secure_plan(duckdb::ClientContext& context, StatementState& state, duckdb::unique_ptr<duckdb::LogicalOperator>& plan,
                 const Refuse& refuse);

/// The identity function that carries the marks of casts.
void register_marks(duckdb::ExtensionLoader& loader);

}  // namespace redoubt::warehouse::engine
