#pragma once
/// Splits SQL text into tokens by Redshift's rules. Source: Database Developer Guide, "Names and identifiers", "Literals";
/// PostgreSQL 8.0's scan.l, which Redshift inherited.
///
/// - Identifiers fold to lower case (ASCII only), also when quoted, unless case_sensitive_identifiers is on: then quoted ones
///   stay as written. They are cut at 127 bytes, never inside a UTF-8 character.
/// - '..' honours '' and backslash escapes (\n, \t, \\, \', \123 octal, \xHH), as E'..' does: there is no
///   standard_conforming_strings. Literals separated by white space with a newline are one. $$..$$ and $tag$..$tag$ are
///   taken verbatim.
/// - -- and nested /* */ comments are white space everywhere.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/sql/ast_expr.h"

namespace redoubt::warehouse::sql {

enum class TokenKind : uint8_t {
  kWord,       // identifier or keyword: text is folded
  kQuoted,     // "identifier"
  kString,     // text is the decoded value
  kInteger,    // text as written
  kDecimal,    // 1.5, .5, 1.
  kFloat,      // 1e5
  kParameter,  // $1: number
  kOperator,   // + <> ~* :: ( ) , ; . [ ] : and the like
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  int number = 0;
  bool blank_before = false;    // white space or a comment stands before it
  uint32_t begin = 0, end = 0;  // byte offsets
  Position position = 0;        // 1-based character number

  bool is_word() const { return kind == TokenKind::kWord; }
  bool is(std::string_view op) const { return kind == TokenKind::kOperator && text == op; }
};

struct LexOptions {
  bool case_sensitive_identifiers = false;
  size_t max_bytes = 16u << 20;
};

/// All tokens of the text, ending with kEnd. Errors carry POSITION: unterminated literals and comments, bytes that aren't
/// UTF-8 (kBadEncoding), a character that starts no token, text above max_bytes (kTooLong).
Result<std::vector<Token>> lex(std::string_view text, const LexOptions& options = {});

/// Folds and cuts one identifier as the lexer does with an unquoted one; for names that come in string literals.
std::string fold_identifier(std::string_view name);
/// The identifier as SQL text: quoted only if it must be (a reserved word, upper case, other characters).
std::string quote_identifier(std::string_view name);
/// 'text' with quotes and backslashes escaped, so that lex() gives it back.
std::string quote_literal(std::string_view text);

}  // namespace redoubt::warehouse::sql
