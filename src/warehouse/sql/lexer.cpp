#include "warehouse/sql/lexer.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "warehouse/sql/errors.h"

namespace redoubt::warehouse::sql {

namespace {

constexpr size_t kIdentifierBytes = 127;

/// Longest first where one is the start of another.
constexpr std::string_view kOperators[] = {"!~~*", "||/", "!~~", "!~*", "~~*", "->>", "::", ":=", "<>", "!=", "<=", ">=", "||",
                                           "|/",   "~~",  "~*",  "!~",  "!!",  "<<",  ">>", "&&", "@>", "<@", "->", "=>"};

bool is_identifier_start(char c) { return is_alpha(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_identifier_char(char c) { return is_identifier_start(c) || is_digit(c) || c == '$'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
/// What the second character of an operator of several can be.
bool is_operator_char(char c) {
  return c == '=' || c == '>' || c == '<' || c == '|' || c == '/' || c == '~' || c == '*' || c == ':' || c == '!' || c == '&' ||
         c == '@' || c == '#';
}
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

void cut_identifier(std::string& name) {
  if (name.size() <= kIdentifierBytes) return;
  size_t size = kIdentifierBytes;
  while (size > 0 && is_continuation(name[size])) --size;
  name.resize(size);
}

std::unexpected<Error> fail_at(const ErrorKind& kind, std::string message, Position position) {
  return fail(Error{&kind, std::move(message)}.with("POSITION", std::to_string(position)));
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void Lexer::advance(size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    if (!is_continuation(text_[offset_ + i])) ++position_;
  offset_ += bytes;
}

Result<void> Lexer::skip_blanks(bool& newline) {
  for (;;) {
    char c = at(offset_);
    if (offset_ < text_.size() && is_blank(c)) {
      newline |= c == '\n' || c == '\r';
      advance(1);
    } else if (c == '-' && at(offset_ + 1) == '-') {
      while (offset_ < text_.size() && text_[offset_] != '\n') advance(1);
    } else if (c == '/' && at(offset_ + 1) == '*') {
      Position start = position_;
      int depth = 0;
      do {
        if (offset_ >= text_.size()) return fail_at(kSyntaxError, "unterminated /* comment", start);
        if (at(offset_) == '/' && at(offset_ + 1) == '*') {
          ++depth;
          advance(2);
        } else if (at(offset_) == '*' && at(offset_ + 1) == '/') {
          --depth;
          advance(2);
        } else {
          advance(1);
        }
      } while (depth > 0);
    } else {
      return {};
    }
  }
}

Result<Token> Lexer::next() {
  if (!checked_) {
    checked_ = true;
    if (text_.size() > options_.max_bytes)
      return fail(kTooLong, "Statement is too large. Statement Size: " + std::to_string(text_.size()) +
                                " bytes. Maximum Allowed: " + std::to_string(options_.max_bytes) + " bytes");
    if (!is_valid_utf8(text_)) return fail(kBadEncoding, "invalid byte sequence for encoding \"UTF8\"");
  }
  bool newline = false;
  TRY_VOID(skip_blanks(newline));
  Token token;
  token.begin = offset_;
  token.position = position_;
  if (offset_ >= text_.size()) {
    token.end = offset_;
    return token;
  }
  char c = text_[offset_];
  if ((c == 'e' || c == 'E') && at(offset_ + 1) == '\'') {
    advance(1);
    return string_literal(std::move(token));
  }
  if (is_identifier_start(c)) return word(std::move(token));
  if (c == '.' && at(offset_ + 1) == '.') {  // of plpgsql's FOR i IN 1..10
    token.kind = TokenKind::kOperator;
    token.text = "..";
    advance(2);
    token.end = offset_;
    return token;
  }
  if (is_digit(c) || (c == '.' && is_digit(at(offset_ + 1)))) return number(std::move(token));
  if (c == '"') return quoted_identifier(std::move(token));
  if (c == '\'') return string_literal(std::move(token));
  if (c == '$') return dollar(std::move(token));

  token.kind = TokenKind::kOperator;
  std::string_view rest = text_.substr(offset_);
  size_t length = 0;
  if (is_operator_char(at(offset_ + 1)))
    for (std::string_view op : kOperators)
      if (rest.starts_with(op)) {
        length = op.size();
        break;
      }
  if (length == 0 && std::string_view("+-*/<>=~!@#%^&|?(),;.[]:").find(c) != std::string_view::npos) length = 1;
  if (length == 0) {
    if (c < 0x20 || c == 0x7f) return fail_at(kSyntaxError, "syntax error: control character in statement", position_);
    return fail_at(kSyntaxError, "syntax error at or near \"" + std::string(1, c) + "\"", position_);
  }
  token.text = rest.substr(0, length);
  if (token.text == "!=") token.text = "<>";
  advance(length);
  token.end = offset_;
  return token;
}

Token Lexer::word(Token token) {
  size_t end = offset_;
  while (end < text_.size() && is_identifier_char(text_[end])) ++end;
  token.kind = TokenKind::kWord;
  token.text = fold_identifier(text_.substr(offset_, end - offset_));
  advance(end - offset_);
  token.end = offset_;
  return token;
}

Token Lexer::number(Token token) {
  size_t end = offset_;
  token.kind = TokenKind::kInteger;
  while (is_digit(at(end))) ++end;
  if (at(end) == '.' && at(end + 1) != '.') {
    token.kind = TokenKind::kDecimal;
    ++end;
    while (is_digit(at(end))) ++end;
  }
  if (at(end) == 'e' || at(end) == 'E') {
    size_t exponent = end + 1;
    if (at(exponent) == '+' || at(exponent) == '-') ++exponent;
    if (is_digit(at(exponent))) {
      token.kind = TokenKind::kFloat;
      end = exponent;
      while (is_digit(at(end))) ++end;
    }
  }
  token.text = text_.substr(offset_, end - offset_);
  advance(end - offset_);
  token.end = offset_;
  return token;
}

Result<Token> Lexer::quoted_identifier(Token token) {
  token.kind = TokenKind::kQuoted;
  size_t i = offset_ + 1;
  for (;; ++i) {
    if (i >= text_.size()) return fail_at(kSyntaxError, "unterminated quoted identifier", token.position);
    if (text_[i] == '"') {
      if (at(i + 1) != '"') break;
      ++i;
    }
    if (text_[i] == '\0') return fail_at(kSyntaxError, "syntax error: control character in statement", token.position);
    token.text += text_[i];
  }
  if (token.text.empty()) return fail_at(kSyntaxError, "zero-length delimited identifier", token.position);
  if (!options_.case_sensitive_identifiers) token.text = to_lower(token.text);
  cut_identifier(token.text);
  advance(i + 1 - offset_);
  token.end = offset_;
  return token;
}

/// One '..' at the offset, appended to `value`.
Result<void> Lexer::string_part(std::string& value, Position position) {
  advance(1);
  for (;;) {
    // Runs of ordinary characters at once.
    size_t end = text_.find_first_of(std::string_view("'\\\0", 3), offset_);
    if (end == std::string_view::npos) return fail_at(kSyntaxError, "unterminated quoted string", position);
    value.append(text_, offset_, end - offset_);
    advance(end - offset_);
    char c = text_[offset_];
    if (c == '\0') return fail_at(kSyntaxError, "syntax error: control character in statement", position_);
    if (c == '\'') {
      advance(1);
      if (at(offset_) != '\'') return {};
      value += '\'';
      advance(1);
      continue;
    }
    if (offset_ + 1 >= text_.size()) return fail_at(kSyntaxError, "unterminated quoted string", position);
    char escaped = text_[offset_ + 1];
    Position start = position_;
    advance(2);
    if (escaped >= '0' && escaped <= '7') {
      int code = escaped - '0';
      for (int n = 1; n < 3 && at(offset_) >= '0' && at(offset_) <= '7'; ++n) {
        code = code * 8 + (at(offset_) - '0');
        advance(1);
      }
      value += static_cast<char>(code & 0xff);
      if ((code & 0xff) == 0) return fail_at(kInvalidEscape, "invalid escape: a string can't contain a NUL byte", start);
    } else if (escaped == 'x' && hex_value(at(offset_)) >= 0) {
      int code = 0;
      for (int n = 0; n < 2 && hex_value(at(offset_)) >= 0; ++n) {
        code = code * 16 + hex_value(at(offset_));
        advance(1);
      }
      value += static_cast<char>(code);
      if (code == 0) return fail_at(kInvalidEscape, "invalid escape: a string can't contain a NUL byte", start);
    } else {
      switch (escaped) {
        case 'b':
          value += '\b';
          break;
        case 'f':
          value += '\f';
          break;
        case 'n':
          value += '\n';
          break;
        case 'r':
          value += '\r';
          break;
        case 't':
          value += '\t';
          break;
        case '\0':
          return fail_at(kSyntaxError, "syntax error: control character in statement", start);
        default:
          // A multi-byte character's first byte; the others follow as ordinary text.
          value += escaped;
      }
    }
  }
}

Result<Token> Lexer::string_literal(Token token) {
  token.kind = TokenKind::kString;
  TRY_VOID(string_part(token.text, token.position));
  token.end = offset_;
  for (;;) {
    // SQL's continuation: another literal after white space with a line break is the same one.
    size_t offset = offset_;
    Position position = position_;
    bool newline = false;
    auto skipped = skip_blanks(newline);
    if (!skipped || !newline || at(offset_) != '\'') {
      offset_ = offset;
      position_ = position;
      break;
    }
    TRY_VOID(string_part(token.text, token.position));
    token.end = offset_;
  }
  if (!is_valid_utf8(token.text))
    return fail_at(kBadEncoding, "invalid byte sequence for encoding \"UTF8\" in a literal", token.position);
  return token;
}

Result<Token> Lexer::dollar(Token token) {
  size_t i = offset_ + 1;
  if (is_digit(at(i))) {
    int64_t number = 0;
    while (is_digit(at(i))) {
      number = std::min<int64_t>(number * 10 + (at(i) - '0'), 1 << 20);
      ++i;
    }
    if (number < 1 || number > 65535)
      return fail_at(kSyntaxError, "there is no parameter " + std::string(text_.substr(offset_, i - offset_)), token.position);
    token.kind = TokenKind::kParameter;
    token.number = static_cast<int>(number);
    token.text = text_.substr(offset_, i - offset_);
    advance(i - offset_);
    token.end = offset_;
    return token;
  }
  if (is_identifier_start(at(i)))
    while (is_identifier_char(at(i)) && at(i) != '$') ++i;
  if (at(i) != '$') return fail_at(kSyntaxError, "syntax error at or near \"$\"", token.position);
  std::string_view tag = text_.substr(offset_, i + 1 - offset_);
  size_t close = text_.find(tag, i + 1);
  if (close == std::string_view::npos) return fail_at(kSyntaxError, "unterminated dollar-quoted string", token.position);
  token.kind = TokenKind::kString;
  token.text = text_.substr(i + 1, close - i - 1);
  if (token.text.find('\0') != std::string::npos)
    return fail_at(kSyntaxError, "syntax error: control character in statement", token.position);
  advance(close + tag.size() - offset_);
  token.end = offset_;
  return token;
}

Result<std::vector<Token>> lex(std::string_view text, const LexOptions& options) {
  Lexer lexer(text, options);
  std::vector<Token> tokens;
  do {
    TRY(Token token, lexer.next());
    tokens.push_back(std::move(token));
  } while (tokens.back().kind != TokenKind::kEnd);
  return tokens;
}

std::string fold_identifier(std::string_view name) {
  std::string folded = to_lower(name);
  cut_identifier(folded);
  return folded;
}

std::string quote_literal(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  quoted += '\'';
  return quoted;
}

namespace {

const std::unordered_set<std::string_view>& reserved_words() {
  static const std::unordered_set<std::string_view> words = {
      "all",
      "and",
      "any",
      "array",
      "as",
      "asc",
      "authorization",
      "between",
      "both",
      "case",
      "cast",
      "check",
      "collate",
      "column",
      "constraint",
      "create",
      "cross",
      "current_date",
      "current_time",
      "current_timestamp",
      "current_user",
      "current_user_id",
      "default",
      "deferrable",
      "desc",
      "distinct",
      "do",
      "else",
      "end",
      "except",
      "false",
      "for",
      "foreign",
      "from",
      "full",
      "grant",
      "group",
      "having",
      "ilike",
      "in",
      "initially",
      "inner",
      "intersect",
      "interval",
      "into",
      "is",
      "isnull",
      "join",
      "leading",
      "left",
      "like",
      "limit",
      "localtime",
      "localtimestamp",
      "minus",
      "natural",
      "not",
      "notnull",
      "null",
      "offset",
      "on",
      "only",
      "or",
      "order",
      "outer",
      "overlaps",
      "pivot",
      "placing",
      "primary",
      "qualify",
      "references",
      "right",
      "select",
      "session_user",
      "similar",
      "some",
      "sysdate",
      "table",
      "then",
      "to",
      "top",
      "trailing",
      "true",
      "union",
      "unique",
      "unpivot",
      "user",
      "using",
      "when",
      "where",
      "with",
  };
  return words;
}

/// Reserved in Redshift's documentation, but not needed by this grammar: names of columns in practice (oid, tag, timestamp).
/// Printed in quotes, so that what we print is good for Redshift too.
const std::unordered_set<std::string_view>& documented_reserved_words() {
  static const std::unordered_set<std::string_view> words = {
      "aes128",
      "aes256",
      "allowoverwrite",
      "analyse",
      "analyze",
      "az64",
      "backup",
      "binary",
      "blanksasnull",
      "bytedict",
      "bzip2",
      "credentials",
      "deflate",
      "defrag",
      "delta",
      "delta32k",
      "disable",
      "emptyasnull",
      "enable",
      "encode",
      "encrypt",
      "encryption",
      "explicit",
      "freeze",
      "globaldict256",
      "globaldict64k",
      "gzip",
      "identity",
      "ignore",
      "language",
      "lun",
      "luns",
      "lzo",
      "lzop",
      "mostly16",
      "mostly32",
      "mostly8",
      "new",
      "nulls",
      "off",
      "offline",
      "oid",
      "old",
      "open",
      "parallel",
      "partition",
      "percent",
      "permissions",
      "raw",
      "readratio",
      "recover",
      "rejectlog",
      "resort",
      "respect",
      "restore",
      "snapshot",
      "system",
      "tag",
      "tdes",
      "text255",
      "text32k",
      "timestamp",
      "truncatecolumns",
      "unnest",
      "verbose",
      "wallet",
      "without",
      // Not reserved, but ambiguous where this grammar expects something else.
      "approximate",
      "at",
      "exclude",
      "exists",
      "filter",
      "over",
      "row",
      "set",
      "values",
      "within",
  };
  return words;
}

}  // namespace

bool is_reserved_word(std::string_view lower_case) { return reserved_words().contains(lower_case); }

std::string quote_identifier(std::string_view name) {
  bool plain =
      !name.empty() && is_identifier_start(name[0]) && !is_reserved_word(name) && !documented_reserved_words().contains(name);
  for (char c : name) plain = plain && is_identifier_char(c) && !(c >= 'A' && c <= 'Z');
  if (plain) return std::string(name);
  return "\"" + replace_all(name, "\"", "\"\"") + "\"";
}

}  // namespace redoubt::warehouse::sql
