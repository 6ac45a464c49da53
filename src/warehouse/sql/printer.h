#pragma once
/// AST to Redshift SQL: complete, one line, with every optional word and pair of parentheses that could matter, so that
/// parse(print(x)) is x again. For definitions that the catalog keeps (defaults, views, policies), for tests and for logs.
#include <string>

#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::sql {

std::string print(const Expr& expr);
std::string print(const Query& query);
/// Includes secrets (passwords, keys): never log it. See redacted_text().
std::string print(const Command& command);
std::string print(const ObjectName& name);

/// The statement as written, with every password, key and credential string replaced by '***': for logs, stl_query and the like.
std::string redacted_text(const Statement& statement);

}  // namespace redoubt::warehouse::sql
