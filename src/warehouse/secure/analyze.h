#pragma once
/// AST + catalog + rights -> plan. Everything that decides who may read or write what happens here and in analyzer.h's files.
///
///   TRY(plan::Statement plan, analyze(ast, {.catalog = snapshot, .host = functions}, declared_parameter_types));
///
/// Takes SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE TABLE AS, CREATE VIEW, EXPLAIN and DECLARE CURSOR (both by what they
/// hold); any other command is kNotSupported. `declared_parameters[i]` is the type the client gave $i+1, kUnknown to infer.
/// Errors: those of errors.h, with POSITION where the text has one; sql's parse errors for stored texts (views, defaults).
/// Threads: any; blocks only where the catalog or a host function does. Deterministic apart from those.
#include <span>

#include "base/result.h"
#include "warehouse/secure/plan.h"
#include "warehouse/secure/scope.h"
#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::secure {

/// A predicate of CREATE or ALTER RLS POLICY, checked and made independent of the session.
struct PolicyDefinition {
  std::string predicate;                                           // relation names qualified
  std::vector<std::pair<std::string, Oid>> pins;                   // what they meant
  std::vector<std::pair<Oid, std::vector<int16_t>>> lookups = {};  // relations that it reads, and their columns
};
/// `policy` gives alias and columns. Errors: as for a WHERE clause; kNotSupported "RLS policy could not be rewritten." for what
/// a predicate may not hold: correlated subqueries, views, system, temporary and protected relations, other databases.
Result<PolicyDefinition> define_policy(const Policy& policy, const sql::Expr& predicate, const Scope& scope);
/// Does the policy bind to the relation as that is now? For ATTACH.
Result<void> check_policy(const Policy& policy, const Relation& relation, const Scope& scope);

Result<plan::Statement> analyze(const sql::Statement& ast, const Scope& scope,
                                std::span<const sql::Type> declared_parameters = {});
Result<plan::Statement> analyze(const sql::Command& command, const Scope& scope,
                                std::span<const sql::Type> declared_parameters = {});

}  // namespace redoubt::warehouse::secure
