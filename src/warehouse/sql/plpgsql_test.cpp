#include "warehouse/sql/plpgsql.h"

#include <gtest/gtest.h>

#include "warehouse/sql/errors.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::sql::plpgsql {
namespace {

Result<Body> body_of(std::string_view text, std::vector<RoutineArg> arguments = {}) {
  return parse_body({.name = "p", .text = text, .arguments = arguments});
}

RoutineArg argument(std::string name, Type type) { return {.name = std::move(name), .type = type}; }

const Node& first(const Body& body) { return *body.block->body.at(0); }

std::string error_of(std::string_view text) {
  auto body = body_of(text);
  return body ? "" : std::string(body.error().kind->sqlstate) + " " + body.error().message;
}

TEST(Plpgsql, AVariableInAnExpressionIsAParameter) {
  auto body = body_of("begin insert into t (a) values (a + a, b, t.a); end", {argument("a", TypeKind::kInteger)});
  ASSERT_TRUE(body) << body.error().message;
  auto& run = as<RunSql>(first(*body));
  EXPECT_EQ(print(*run.sql->statement.command), "INSERT INTO \"t\" (\"a\") VALUES ($1 + $1, \"b\", \"t\".\"a\")");
  ASSERT_EQ(run.sql->parameters.size(), 1u);
  EXPECT_EQ(run.sql->parameters[0], (Place{body->arguments[0], ""}));
  EXPECT_EQ(run.sql->text, "insert into t (a) values ( $1  +  $1 , b, t.a)");
}

TEST(Plpgsql, RecordFieldsLabelsAndPositionsNameVariables) {
  auto body = body_of(
      "<<outermost>> declare r record; v int; begin select r.x, outermost.v, p.a, $1, r.x from t r2 where r2.y = 1 into v; end",
      {argument("a", TypeKind::kInteger)});
  ASSERT_TRUE(body) << body.error().message;
  auto& run = as<RunSql>(first(*body));
  EXPECT_EQ(print(*run.sql->statement.command), "SELECT $1, $2, $3, $3, $1 FROM \"t\" AS \"r2\" WHERE \"r2\".\"y\" = 1");
  EXPECT_EQ(run.sql->parameters[0].field, "x");
  EXPECT_EQ(run.into.size(), 1u);
}

TEST(Plpgsql, IntoStandsAnywhereInASelect) {
  for (auto text : {"select into x a from t", "select a into x from t", "select a from t into x",
                    "select a from t where true into x", "with w as (select 1) select a into x from t"}) {
    auto body = body_of("declare x int; begin " + std::string(text) + "; end");
    ASSERT_TRUE(body) << text << ": " << body.error().message;
    auto& run = as<RunSql>(first(*body));
    EXPECT_EQ(run.into.size(), 1u) << text;
    EXPECT_EQ(run.sql->statement.command->kind, CommandKind::kSelect) << text;
    EXPECT_EQ(print(*run.sql->statement.command).find("INTO"), std::string::npos) << text;
  }
}

TEST(Plpgsql, LinesCountFromTheFirstAfterTheQuote) {
  auto body = body_of("\nbegin\n  null;\n  raise info 'x';\nend");
  ASSERT_TRUE(body);
  EXPECT_EQ(body->block->line, 1);
  EXPECT_EQ(body->block->body[1]->line, 3);
}

TEST(Plpgsql, EveryStatementOfTheGuideIsRead) {
  auto body = body_of(R"(
declare
  i int := 0; n constant numeric(6) not null default 5; s varchar(20) = 'a'; r record; row t%rowtype; c t.a%type; d i%type;
  cur refcursor; c2 cursor for select * from t; c3 cursor (k int) is select * from t where a = k; al alias for $1; "q" int;
begin
  <<out>> loop i := i + 1; exit out when i > 3; continue; end loop out;
  while i < 10 loop i = i + 1; end loop;
  for j in 1..10 loop null; end loop;
  for j in reverse 10 .. 1 loop raise info '% %%', j; end loop;
  for r in select * from t loop raise notice '%', r.a; end loop;
  for i, s in (select a, b from t) loop null; end loop;
  for r in execute 'select 1' loop null; end loop;
  if i = 1 then null; elsif i = 2 then null; elseif i = 3 then null; else null; end if;
  case i when 1, 2 then null; else null; end case;
  case when i = 1 then null; end case;
  i := count(*) from t;
  i := (select max(a) from t);
  row.a := 3;
  perform set_config('a.b', s, false), 1;
  execute 'select ' || quote_ident(s) into i;
  call q(i, 2);
  insert into t values (i);
  update t set a = i where b = s;
  create temp table x (a int);
  select a, b into i, s from t;
  get diagnostics i := row_count;
  open cur for select * from t; open c2; open c3(42); open cur for execute 'select 1';
  fetch cur into r; fetch next from c2 into i, s; close cur;
  commit; rollback; commit work; start transaction;
  begin null; exception when others then raise info '% %', sqlerrm, sqlstate; raise; end;
  return;
end;
)",
                      {argument("", Type::varchar())});
  ASSERT_TRUE(body) << body.error().message << " " << body.error().get("CONTEXT");
}

TEST(Plpgsql, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_EQ(error_of("begin x := 1; end"), "42601 \"x\" is not a known variable");
  EXPECT_EQ(error_of("begin selec 1; end"), "42601 syntax error at or near \"selec\"");
  EXPECT_EQ(error_of("begin if 1 = 1 null; end if; end"), "42601 syntax error at or near \"null\"");
  EXPECT_EQ(error_of("begin null"), "42601 syntax error at end of input");
  EXPECT_EQ(error_of("begin exit; end"), "42601 EXIT cannot be used outside a loop, unless it has a label");
  EXPECT_EQ(error_of("begin raise info '%'; end"), "42601 too few parameters specified for RAISE");
  EXPECT_EQ(error_of("begin raise info 'x', 1; end"), "42601 too many parameters specified for RAISE");
  EXPECT_EQ(error_of("declare a constant int := 1; begin a := 2; end"), "22005 \"a\" is declared CONSTANT");
  EXPECT_EQ(error_of("declare a int not null; begin null; end"), "22004 variable \"a\" declared NOT NULL cannot default to NULL");
  EXPECT_EQ(error_of("declare a int; a int; begin null; end"), "42601 duplicate declaration at or near \"a\"");
  EXPECT_EQ(error_of("begin raise; end"), "42601 RAISE without parameters cannot be used outside an exception handler");
  EXPECT_EQ(error_of("begin return 1; end"), "42804 RETURN cannot have a parameter in a procedure");
  EXPECT_EQ(error_of("begin null; exception when division_by_zero then null; end"),
            "0A000 an exception condition other than OTHERS is not supported");
  EXPECT_EQ(error_of("declare a int; begin raise info '%', sqlerrm; execute 'x' using a; end"),
            "0A000 EXECUTE ... USING is not supported");

  auto body = body_of("\nbegin\n  null;\n  iff x;\nend");
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().get("POSITION"), "18");
  EXPECT_EQ(body.error().get("CONTEXT"), "compile of PL/pgSQL function \"p\" near line 3");
}

TEST(Plpgsql, DepthLengthAndNumberAreBounded) {
  std::string deep;
  for (int i = 0; i < 10000; ++i) deep += "begin ";
  EXPECT_TRUE(error_of(deep).starts_with("54001"));
  EXPECT_TRUE(error_of("begin raise info '" + std::string(size_t{3} << 20, 'x') + "'; end").starts_with("54000"));
  std::string many = "declare ";
  for (int i = 0; i < 1100; ++i) many += "v" + std::to_string(i) + " int; ";
  EXPECT_TRUE(error_of(many + "begin null; end").starts_with("54001"));
}

}  // namespace
}  // namespace redoubt::warehouse::sql::plpgsql
