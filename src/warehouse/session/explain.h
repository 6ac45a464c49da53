#pragma once
/// EXPLAIN: our plan in Redshift's shape. Nothing of the engine's plan is shown: it holds emitted SQL and other people's
/// policies. Costs are formal; there is one node.
#include <string>
#include <vector>

#include "warehouse/catalog/snapshot.h"
#include "warehouse/secure/plan.h"

namespace redoubt::warehouse::session {

std::vector<std::string> explain_plan(const secure::plan::Statement& plan, const catalog::Snapshot& snapshot);

}  // namespace redoubt::warehouse::session
