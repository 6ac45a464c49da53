#pragma once
/// Which condition keys and variables a statement would have asked for.
#include <string>
#include <vector>

#include "policy/compiled.h"
#include "policy/decide.h"

namespace redoubt::policy {

/// Appends, in order of appearance and once each, the keys that `statement` asks for and the request lacks. Statements about
/// other actions ask for nothing; variables with a fallback don't either.
void add_missing_keys(const Statement& statement, const Request& request, std::vector<std::string>& keys);

}  // namespace redoubt::policy
