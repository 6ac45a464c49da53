#include "warehouse/sql/lexer.h"

#include <gtest/gtest.h>

namespace redoubt::warehouse::sql {
namespace {

std::vector<std::string> texts(std::string_view sql, const LexOptions& options = {}) {
  auto tokens = lex(sql, options);
  if (!tokens) return {"ERROR: " + tokens.error().message};
  std::vector<std::string> list;
  for (const Token& token : *tokens)
    if (token.kind != TokenKind::kEnd) list.push_back(token.text);
  return list;
}

using List = std::vector<std::string>;

TEST(Lexer, IdentifiersFoldAlsoWhenQuoted) {
  EXPECT_EQ(texts("Abc \"DeF\" \"x\"\"Y\" É"), (List{"abc", "def", "x\"y", "É"}));
  EXPECT_EQ(texts("Abc \"DeF\"", {.case_sensitive_identifiers = true}), (List{"abc", "DeF"}));
}

TEST(Lexer, IdentifiersAreCutAt127BytesBetweenCharacters) {
  EXPECT_EQ(texts(std::string(200, 'a'))[0].size(), 127u);
  std::string wide = std::string(126, 'a') + "é";
  EXPECT_EQ(texts(wide)[0], std::string(126, 'a'));
}

TEST(Lexer, PlainLiteralsHonourBackslashes) {
  EXPECT_EQ(texts("'a''b' 'a\\'b' 'a\\\\b' '\\n\\t\\101\\x41\\q' E'\\n'"), (List{"a'b", "a'b", "a\\b", "\n\tAAq", "\n"}));
}

TEST(Lexer, LiteralsContinueAfterALineBreakOnly) {
  EXPECT_EQ(texts("'a'\n 'b' -- x\n 'c'"), (List{"abc"}));
  EXPECT_EQ(texts("'a' 'b'"), (List{"a", "b"}));
}

TEST(Lexer, DollarQuotesAreVerbatim) { EXPECT_EQ(texts("$$a'\\n$$ $t$x$$y$t$ $1"), (List{"a'\\n", "x$$y", "$1"})); }

TEST(Lexer, CommentsNestAndSeparate) {
  EXPECT_EQ(texts("a/* x /* y */ z */b--c\nd"), (List{"a", "b", "d"}));
  EXPECT_EQ(texts("1--2"), (List{"1"}));
}

TEST(Lexer, NumbersAndOperators) {
  EXPECT_EQ(texts("1 1.5 .5 1. 1e5 1.5E-3 1e"), (List{"1", "1.5", ".5", "1.", "1e5", "1.5E-3", "1", "e"}));
  EXPECT_EQ(texts("a<=-1!=b::c||d!~~*e[1:2]"),
            (List{"a", "<=", "-", "1", "<>", "b", "::", "c", "||", "d", "!~~*", "e", "[", "1", ":", "2", "]"}));
}

TEST(Lexer, PositionsAreCharactersAndOffsetsBytes) {
  auto tokens = lex("'é' x");
  ASSERT_TRUE(tokens);
  EXPECT_EQ((*tokens)[1].position, 5u);
  EXPECT_EQ((*tokens)[1].begin, 5u);
}

TEST(Lexer, BadBytesAreRefused) {
  EXPECT_EQ(texts("select \xff"), List{"ERROR: invalid byte sequence for encoding \"UTF8\""});
  EXPECT_EQ(texts("'\\xff'"), List{"ERROR: invalid byte sequence for encoding \"UTF8\" in a literal"});
  EXPECT_EQ(texts(std::string_view("a\0b", 3)), List{"ERROR: syntax error: control character in statement"});
}

}  // namespace
}  // namespace redoubt::warehouse::sql
