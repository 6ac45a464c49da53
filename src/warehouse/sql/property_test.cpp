/// Properties over random SQL: parse(print(parse(x))) is parse(x), and damaged text gives an error with a position, never a
/// crash.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "warehouse/sql/errors.h"
#include "warehouse/sql/lexer.h"
#include "warehouse/sql/parser.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::sql {
namespace {

/// Writes random statements, with as few parentheses as the grammar allows: what binds to what is the parser's to say.
class Writer {
 public:
  std::string statement() {
    switch (pick(8)) {
      case 0:
        return "insert into " + table() + " (a, b) " + (coin() ? "values (" + expr(2) + ", default)" : query(2));
      case 1:
        return "update " + table() + " set a = " + expr(2) + (coin() ? " from " + table_ref(1) : "") +
               (coin() ? " where " + expr(2) : "");
      case 2:
        return "delete from " + table() + (coin() ? " using " + table_ref(1) : "") + " where " + expr(2);
      case 3:
        return "create table " + table() + " (a " + type() + " default " + primary(1) + " not null, b " + type() + ")" +
               (coin() ? " diststyle key distkey (a)" : "") + (coin() ? " compound sortkey (a, b)" : "");
      case 4:
        return "create view v as " + query(2) + (coin() ? " with no schema binding" : "");
      default:
        return query(3);
    }
  }

  std::string expr(int depth) {
    if (depth <= 0) return primary(0);
    switch (pick(14)) {
      case 0:
      case 1:
        return expr(depth - 1) + " " + one_of({"+", "-", "*", "/", "%", "^", "||", "=", "<>", "<=", ">=", "~", "&"}) + " " +
               expr(depth - 1);
      case 2:
        return primary(depth) + " < " + primary(depth);
      case 3:
        return expr(depth - 1) + (coin() ? " and " : " or ") + expr(depth - 1);
      case 4:
        return "not " + expr(depth - 1);
      case 5:
        return primary(depth) + one_of({" is null", " is not null", " is true", " is not unknown", " isnull"});
      case 6:
        return primary(depth) + (coin() ? " between " : " not between ") + primary(depth - 1) + " and " + primary(depth - 1);
      case 7:
        return primary(depth) + one_of({" like ", " not ilike ", " similar to "}) + primary(depth - 1) +
               (coin() ? " escape '/'" : "");
      case 8:
        return primary(depth) + (coin() ? " in (" : " not in (") + (coin() ? query(depth - 1) : expr(depth - 1) + ", 1") + ")";
      case 9:
        return one_of({"- ", "+ ", "~ "}) + primary(depth - 1);
      case 10:
        return primary(depth) + " is distinct from " + primary(depth);
      case 11:
        return primary(depth) + " = any (" + (coin() ? query(depth - 1) : primary(depth - 1)) + ")";
      case 12:
        return primary(depth) + " at time zone 'UTC'";
      default:
        return primary(depth);
    }
  }

 private:
  int pick(int n) { return *rc::gen::inRange(0, n); }
  bool coin() { return pick(2) == 0; }
  std::string one_of(std::initializer_list<const char*> choices) {
    return choices.begin()[pick(static_cast<int>(choices.size()))];
  }
  std::string blank() { return one_of({" ", "\n", " /* x /* y */ */ ", " -- c\n"}); }

  std::string name() {
    return one_of({"a", "B", "\"C d\"", "\"select\"", "é", "t.a", "s.t.a", "x_1$", "oid", "month", "\"q\"\"q\""});
  }
  std::string table() { return one_of({"t", "s.t", "db.s.t", "\"T 1\""}); }
  std::string type() {
    return one_of({"int", "bigint", "varchar(10)", "varchar", "char(3)", "decimal(10,2)", "numeric", "double precision",
                   "timestamp with time zone", "super", "date", "text", "interval year to month", "float4"});
  }

  std::string primary(int depth) {
    switch (pick(depth > 0 ? 18 : 5)) {
      case 0:
        return name();
      case 1:
        return one_of({"1", "1.5", "2e3", "null", "true", "$1", "current_user", "sysdate"});
      case 2:
        return one_of({"'x'", "'it''s'", "E'a\\n'", "$$a'b$$", "''", "'\\\\'", "'é'"});
      case 3:
        return one_of({"date '2020-01-01'", "interval '1' day", "interval '1-2' year to month", "timestamp '2020-01-01'"});
      case 4:
        return name() + "[0].k";
      case 5:
        return "(" + blank() + expr(depth - 1) + ")";
      case 6:
        return "(" + query(depth - 1) + ")";
      case 7:
        return "case when " + expr(depth - 1) + " then " + expr(depth - 1) + (coin() ? " else 1" : "") + " end";
      case 8:
        return "cast(" + expr(depth - 1) + " as " + type() + ")";
      case 9:
        return primary(depth - 1) + "::" + type();
      case 10:
        return one_of({"f(", "pg_catalog.g(", "left(", "substring(", "coalesce(", "array("}) + expr(depth - 1) + ", 1)";
      case 11:
        return "sum(" + expr(depth - 1) + ") over (partition by a order by " + expr(depth - 1) +
               " desc rows between 1 preceding and current row)";
      case 12:
        return "listagg(distinct a, ',') within group (order by " + expr(depth - 1) + ")";
      case 13:
        return "extract(year from " + expr(depth - 1) + ")";
      case 14:
        return "trim(both 'x' from " + expr(depth - 1) + ")";
      case 15:
        return "exists (" + query(depth - 1) + ")";
      case 16:
        return "(" + expr(depth - 1) + ", " + expr(depth - 1) + ")";
      default:
        return "array[" + expr(depth - 1) + ", 1]";
    }
  }

  std::string query(int depth) {
    if (depth <= 0) return "select 1";
    switch (pick(6)) {
      case 0:
        return query(depth - 1) + blank() + one_of({"union all ", "union ", "intersect ", "except ", "minus "}) +
               select(depth - 1);
      case 1:
        return "(" + query(depth - 1) + ") union (" + query(depth - 1) + ") order by 1 limit 5";
      case 2:
        return "with c (x) as (" + query(depth - 1) + ") " + select(depth - 1);
      default:
        return select(depth);
    }
  }

  std::string select(int depth) {
    std::string text = "select " + one_of({"", "distinct ", "all ", "top 3 "}) + expr(depth - 1) + (coin() ? " as x" : "") +
                       ", " + one_of({"*", "t.*", "1 y"});
    if (coin()) text += " from " + table_ref(depth - 1);
    if (coin()) text += blank() + "where " + expr(depth - 1);
    if (coin())
      text +=
          " group by " + one_of({"1", "a, (b, c)", "rollup (a, b)", "grouping sets ((a), ())"}) + " having " + expr(depth - 1);
    if (coin()) text += " qualify " + expr(depth - 1);
    return text;
  }

  std::string table_ref(int depth) {
    if (depth <= 0) return table() + one_of({"", " t", " as t (a, b)"});
    switch (pick(5)) {
      case 0:
        return table_ref(depth - 1) + " left join " + table() + " y on " + expr(depth - 1);
      case 1:
        return table_ref(depth - 1) + ", (" + query(depth - 1) + ") q";
      case 2:
        return "(" + table() + " join u using (a)) cross join v";
      case 3:
        return "generate_series(1, 2) as g (n)";
      default:
        return table_ref(0);
    }
  }
};

TEST(Property, WhatIsPrintedReadsTheSame) {
  EXPECT_TRUE(rc::check("parse . print . parse = parse", [] {
    std::string text = Writer().statement();
    auto statement = parse_one(text);
    // The writer leaves parentheses out where operators don't associate: those texts are rightly refused.
    if (!statement) {
      RC_ASSERT(!statement.error().get("POSITION").empty());
      RC_DISCARD();
    }
    std::string once = print(*statement->command);
    auto again = parse_one(once, ParseOptions::stored());
    if (!again) RC_FAIL(again.error().message + "\n" + text + "\n" + once);
    RC_ASSERT(print(*again->command) == once);
  }));
}

TEST(Property, DamagedTextIsRefusedWithAPosition) {
  EXPECT_TRUE(rc::check("no crash", [] {
    std::string text = Writer().statement();
    int edits = *rc::gen::inRange(1, 4);
    for (int i = 0; i < edits && !text.empty(); ++i) {
      size_t at = static_cast<size_t>(*rc::gen::inRange(0, static_cast<int>(text.size())));
      if (*rc::gen::inRange(0, 2))
        text.erase(at, static_cast<size_t>(*rc::gen::inRange(1, 8)));
      else
        text.insert(at, *rc::gen::element<std::string>("(", ")", "'", "\"", ",", ";", "$$", "/*", "--", "select", ".",
                                                       "::", "\xff", "0x1"));
    }
    auto statements = parse(text);
    if (!statements) {
      RC_ASSERT(!statements.error().message.empty());
      RC_ASSERT(statements.error().is(kBadEncoding) || !statements.error().get("POSITION").empty());
    }
  }));
}

TEST(Property, LiteralsAndIdentifiersSurviveQuoting) {
  EXPECT_TRUE(rc::check("quote_literal", [](const std::vector<uint8_t>& bytes) {
    std::string value;
    for (uint8_t byte : bytes)
      if (byte % 128) value += static_cast<char>(byte % 128);
    auto tokens = lex(quote_literal(value));
    RC_ASSERT(bool(tokens));
    RC_ASSERT((*tokens)[0].kind == TokenKind::kString);
    RC_ASSERT((*tokens)[0].text == value);
    if (value.empty()) return;
    std::string identifier = fold_identifier(value);
    tokens = lex(quote_identifier(identifier));
    RC_ASSERT(bool(tokens));
    RC_ASSERT((*tokens)[0].text == identifier);
  }));
}

}  // namespace
}  // namespace redoubt::warehouse::sql
