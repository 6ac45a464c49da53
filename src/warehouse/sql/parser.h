#pragma once
/// Text to AST. Fails closed: what the dialect doesn't have, or what isn't built, is an error that names it.
///
///   TRY(auto statements, parse("BEGIN; SELECT 1", {}));     // two statements; empty ones are left out
///
/// Errors: kSyntaxError `syntax error at or near "x"` with POSITION, kNotSupported, kTooComplex, kTooLong, kUndefinedType.
/// The whole text is parsed before anything runs, as PostgreSQL does with a simple query. Time and memory are linear in the
/// text. Threads: any.
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/sql/ast.h"

namespace redoubt::warehouse::sql {

struct ParseOptions {
  bool case_sensitive_identifiers = false;  // SET enable_case_sensitive_identifier TO on
  size_t max_bytes = 16u << 20;
  int max_depth = 300;    // nested expressions, queries, parentheses
  int max_height = 1000;  // depth of the tree with left-deep chains: a || b || c .., UNION, JOIN, x::t::t

  /// For text that print() made from an AST within the ordinary limits: its parentheses nest deeper than what the user wrote.
  static ParseOptions stored() { return {.case_sensitive_identifiers = true, .max_depth = 1000, .max_height = 3000}; }
};

/// Every statement of the text, in order; none for a text of blanks, comments and semicolons.
Result<std::vector<Statement>> parse(std::string_view text, const ParseOptions& options = {});

/// Exactly one statement; more or none is a kSyntaxError.
Result<Statement> parse_one(std::string_view text, const ParseOptions& options = {});

/// One query and nothing else: view definitions, UNLOAD's text.
Result<QueryPtr> parse_query(std::string_view text, const ParseOptions& options = {});

/// One expression and nothing else: column defaults, policy predicates.
Result<ExprPtr> parse_expression(std::string_view text, const ParseOptions& options = {});

/// A type as written in a cast, or as Type::format() prints it: "character varying(20)", "int[]", "\"char\"".
Result<Type> parse_type(std::string_view text);

/// A name as written in SQL, for functions that take one in a literal: 'public."T"' -> {schema public, name t}.
Result<ObjectName> parse_name(std::string_view text, const ParseOptions& options = {});

}  // namespace redoubt::warehouse::sql
