#pragma once
/// Does a query name a relation without its schema? A late-binding view must not: its names are looked up at each use, and a
/// bare one would let the reader's search_path choose what the owner's rights read.
#include <set>
#include <string>

#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::session {

/// The first relation named without a schema that isn't a CTE in scope; empty if there is none.
std::string first_unqualified(const sql::Query& query, std::set<std::string> ctes = {});

}  // namespace redoubt::warehouse::session
