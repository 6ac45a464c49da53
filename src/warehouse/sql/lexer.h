#pragma once
/// Splits SQL text into tokens by Redshift's rules. Source: Database Developer Guide, "Names and identifiers", "Literals";
/// PostgreSQL 8.0's scan.l, which Redshift inherited.
///
/// - Identifiers fold to lower case (ASCII only), also when quoted, unless case_sensitive_identifiers is on: then quoted ones
///   stay as written. They are cut at 127 bytes, never inside a UTF-8 character.
/// - '..' honours '' and backslash escapes (\b \f \n \r \t, \123 octal, \xHH, else the character itself), as E'..' does: there
///   is no standard_conforming_strings. Literals with a line break between them are one. $$..$$ and $tag$..$tag$ are verbatim.
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
  size_t begin = 0, end = 0;  // byte offsets
  Position position = 0;      // 1-based character number

  bool is_word() const { return kind == TokenKind::kWord; }
  bool is_word(std::string_view word) const { return kind == TokenKind::kWord && text == word; }
  bool is(std::string_view op) const { return kind == TokenKind::kOperator && text == op; }
};

struct LexOptions {
  bool case_sensitive_identifiers = false;
  size_t max_bytes = 16u << 20;
};

/// One token at a time. The text must outlive the lexer.
class Lexer {
 public:
  explicit Lexer(std::string_view text, const LexOptions& options = {}) : text_(text), options_(options) {}

  /// The next token, kEnd for ever after the last. Errors carry POSITION: unterminated literals and comments, escapes that
  /// aren't UTF-8, a character that starts no token; for the whole text: kTooLong, kBadEncoding.
  Result<Token> next();

 private:
  Result<void> skip_blanks(bool& newline);
  Result<Token> quoted_identifier(Token token);
  Result<Token> string_literal(Token token);
  Result<void> string_part(std::string& value, Position position);
  Result<Token> dollar(Token token);
  Token number(Token token);
  Token word(Token token);
  char at(size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
  void advance(size_t bytes);

  std::string_view text_;
  LexOptions options_;
  bool checked_ = false;
  size_t offset_ = 0;
  Position position_ = 1;
};

/// All tokens of the text, ending with kEnd.
Result<std::vector<Token>> lex(std::string_view text, const LexOptions& options = {});

/// Folds and cuts one identifier as the lexer does with an unquoted one; for names that come in string literals.
std::string fold_identifier(std::string_view name);
/// The identifier as SQL text: quoted only if it must be (a reserved word, upper case, other characters).
std::string quote_identifier(std::string_view name);
/// 'text' with quotes and backslashes escaped, so that lex() gives it back.
std::string quote_literal(std::string_view text);

/// Words that can't be the name of a column or table unless quoted: those that the grammar needs.
bool is_reserved_word(std::string_view lower_case);

}  // namespace redoubt::warehouse::sql
