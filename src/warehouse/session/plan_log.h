#pragma once
/// What is kept of each statement that runs a plan: STL_EXPLAIN's nodes, and which policies it was filtered by
/// (SVV_RLS_APPLIED_POLICY). In memory only.
#include "warehouse/session/sql_session.h"

namespace redoubt::warehouse::session {

/// May the session's user see policies' predicates in plans (EXPLAIN RLS)?
bool shows_policies(const Facts& facts);

/// `command`: s, u, i, d, y (COPY, UNLOAD), k (CREATE TABLE AS), as SVV_RLS_APPLIED_POLICY has them.
void log_plan(Work& work, const secure::plan::Statement& plan, char command);

}  // namespace redoubt::warehouse::session
