#pragma once
/// What each kind of command is called and whether it is built: dispatch refuses by this table, docs/SQL.md is made of it.
#include <span>
#include <string_view>

#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::session {

struct StatementRow {
  sql::CommandKind kind;
  std::string_view names;  // the statements of this kind, separated by ", "
  bool built = true;       // false: refused by name (0A000)
};

/// One row a kind, in the enum's order.
std::span<const StatementRow> statement_table();
const StatementRow& statement_row(sql::CommandKind kind);

}  // namespace redoubt::warehouse::session
