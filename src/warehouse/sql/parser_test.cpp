#include "warehouse/sql/parser.h"

#include <gtest/gtest.h>

#include "warehouse/sql/errors.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::sql {
namespace {

std::string printed(std::string_view text) {
  auto statement = parse_one(text);
  if (!statement) return "ERROR: " + statement.error().message;
  return print(*statement->command);
}

/// Parses, and what is printed reads as the same again.
void expect_round_trip(std::string_view text) {
  auto statements = parse(text);
  ASSERT_TRUE(statements) << statements.error().message << " at " << statements.error().get("POSITION") << "\n" << text;
  ASSERT_FALSE(statements->empty()) << text;
  for (const Statement& statement : *statements) {
    std::string once = print(*statement.command);
    auto again = parse_one(once, ParseOptions::stored());
    ASSERT_TRUE(again) << again.error().message << " at " << again.error().get("POSITION") << "\n" << text << "\n" << once;
    EXPECT_EQ(print(*again->command), once) << text;
    EXPECT_EQ(again->command->kind, statement.command->kind) << text;
  }
}

// ---- Expressions: what binds to what

struct ExprCase {
  const char* text;
  const char* printed;
};

class Expression : public testing::TestWithParam<ExprCase> {};

TEST_P(Expression, BindsAsPostgres8Does) {
  auto expr = parse_expression(GetParam().text);
  ASSERT_TRUE(expr) << expr.error().message << "\n" << GetParam().text;
  EXPECT_EQ(print(**expr), GetParam().printed);
}

INSTANTIATE_TEST_SUITE_P(
    All, Expression,
    testing::Values(
        ExprCase{"1 + 2 * 3", "1 + (2 * 3)"}, ExprCase{"(1 + 2) * 3", "(1 + 2) * 3"}, ExprCase{"1 - 2 - 3", "1 - 2 - 3"},
        ExprCase{"1 - (2 - 3)", "1 - (2 - 3)"}, ExprCase{"- 2 ^ 2", "(- 2) ^ 2"}, ExprCase{"-1::int", "- CAST(1 AS integer)"},
        ExprCase{"a or b and c or d", "\"a\" OR (\"b\" AND \"c\") OR \"d\""}, ExprCase{"not a = b", "NOT (\"a\" = \"b\")"},
        ExprCase{"not a and b", "(NOT \"a\") AND \"b\""}, ExprCase{"(a or b) or c", "(\"a\" OR \"b\") OR \"c\""},
        ExprCase{"a = b = c", "\"a\" = (\"b\" = \"c\")"}, ExprCase{"a || b = c", "(\"a\" || \"b\") = \"c\""},
        ExprCase{"a <= b || c", "\"a\" <= \"b\" || \"c\""}, ExprCase{"a = b is null", "\"a\" = (\"b\" IS NULL)"},
        ExprCase{"a != 1", "\"a\" <> 1"}, ExprCase{"a is not distinct from b", "\"a\" IS NOT DISTINCT FROM \"b\""},
        ExprCase{"a is unknown", "\"a\" IS UNKNOWN"}, ExprCase{"a isnull", "\"a\" IS NULL"},
        ExprCase{"a notnull", "\"a\" IS NOT NULL"}, ExprCase{"a between 1 and 2 and b", "(\"a\" BETWEEN 1 AND 2) AND \"b\""},
        ExprCase{"a not between symmetric 1 and 2 + 3", "\"a\" NOT BETWEEN SYMMETRIC 1 AND (2 + 3)"},
        ExprCase{"a like 'x' || b escape '/'", "\"a\" LIKE ('x' || \"b\") ESCAPE '/'"},
        ExprCase{"a not ilike b", "\"a\" NOT ILIKE \"b\""}, ExprCase{"a similar to b", "\"a\" SIMILAR TO \"b\""},
        ExprCase{"a in (1, 2)", "\"a\" IN (1, 2)"}, ExprCase{"a not in (select 1)", "\"a\" NOT IN (SELECT 1)"},
        ExprCase{"(a, b) in ((1, 2), (3, 4))", "ROW(\"a\", \"b\") IN (ROW(1, 2), ROW(3, 4))"},
        ExprCase{"(a, b) = (c, d)", "ROW(\"a\", \"b\") = ROW(\"c\", \"d\")"}, ExprCase{"a = any (b)", "\"a\" = ANY (\"b\")"},
        ExprCase{"a <> all (select 1)", "\"a\" <> ALL (SELECT 1)"},
        ExprCase{"a = some(array['r','p'])", "\"a\" = ANY (ARRAY['r', 'p'])"},
        ExprCase{"a like any (array['x%'])", "\"a\" ~~ ANY (ARRAY['x%'])"}, ExprCase{"((select 1) + 1)", "(SELECT 1) + 1"},
        ExprCase{"((select 1) union (select 2))", "(SELECT 1 UNION SELECT 2)"}, ExprCase{"(((select 1)))", "(SELECT 1)"},
        ExprCase{"x in ((select 1))", "\"x\" IN (SELECT 1)"}, ExprCase{"array(select 1)", "ARRAY(SELECT 1)"},
        ExprCase{"array((select 1) union all select 2)", "ARRAY(SELECT 1 UNION ALL SELECT 2)"},
        ExprCase{"array(1, 2)", "array(1, 2)"}, ExprCase{"array()", "\"array\"()"}, ExprCase{"array[]", "ARRAY[]"},
        ExprCase{"a.b[0].c", "\"a\".\"b\"[0].\"c\""},
        ExprCase{"(current_schemas(false))[s.r]", "(current_schemas(FALSE))[\"s\".\"r\"]"}, ExprCase{"a[1:2]", "\"a\"[1:2]"},
        ExprCase{"x::int::text", "CAST(\"x\" AS integer)::text"},
        ExprCase{"'\"sa1\"'::regclass::oid", "CAST('\"sa1\"' AS regclass)::oid"},
        ExprCase{"x::int[]", "CAST(\"x\" AS integer[])"}, ExprCase{"(x::int)[1]", "(CAST(\"x\" AS integer))[1]"},
        ExprCase{"''::pg_catalog.char", "CAST('' AS \"char\")"}, ExprCase{"''::\"char\"", "CAST('' AS \"char\")"},
        ExprCase{"convert(varchar(10), x)", "CAST(\"x\" AS character varying(10))"},
        ExprCase{"cast(x as decimal)", "CAST(\"x\" AS numeric(18,0))"},
        ExprCase{"x::varchar", "CAST(\"x\" AS character varying)"},
        ExprCase{"x::varchar(max)", "CAST(\"x\" AS character varying(65535))"},
        ExprCase{"try_cast('1' as int)", "TRY_CAST('1' AS integer)"}, ExprCase{"x::float(24)", "CAST(\"x\" AS real)"},
        ExprCase{"x::timestamp with time zone", "CAST(\"x\" AS timestamp with time zone)"},
        ExprCase{"x::interval day to second", "CAST(\"x\" AS interval day to second)"},
        ExprCase{"date '2020-01-01'", "date '2020-01-01'"},
        ExprCase{"timestamp with time zone '2020-01-01'", "timestamptz '2020-01-01'"},
        ExprCase{"interval '1' day", "interval '1' DAY"},
        ExprCase{"interval '1-2' year to month", "interval '1-2' YEAR TO MONTH"},
        ExprCase{"interval '3 4:05' day to second(3)", "interval '3 4:05' DAY TO SECOND(3)"},
        ExprCase{"date '1998-12-01' - interval '90 days'", "date '1998-12-01' - interval '90 days'"},
        ExprCase{"a at time zone 'UTC' at time zone b", "timezone(\"b\", timezone('UTC', \"a\"))"},
        ExprCase{"extract(year from x)", "EXTRACT('year' FROM \"x\")"},
        ExprCase{"position('a' in b)", "\"position\"('a', \"b\")"},
        ExprCase{"substring(a from 1 for 2)", "substring(\"a\", 1, 2)"}, ExprCase{"substring(a, 1)", "substring(\"a\", 1)"},
        ExprCase{"trim(both 'x' from y)", "btrim(\"y\", 'x')"}, ExprCase{"trim(trailing ';' from x)", "rtrim(\"x\", ';')"},
        ExprCase{"trim(x)", "btrim(\"x\")"}, ExprCase{"overlay(a placing b from 1 for 2)", "overlay(\"a\", \"b\", 1, 2)"},
        ExprCase{"left(a, 1)", "left(\"a\", 1)"}, ExprCase{"dateadd(month, 1, sysdate)", "dateadd(\"month\", 1, SYSDATE)"},
        ExprCase{"count(*)", "count(*)"}, ExprCase{"count(distinct a)", "count(DISTINCT \"a\")"},
        ExprCase{"approximate count(distinct a)", "APPROXIMATE count(DISTINCT \"a\")"},
        ExprCase{"listagg(distinct a, ',') within group (order by b desc nulls last) over (partition by c)",
                 "listagg(DISTINCT \"a\", ',') WITHIN GROUP (ORDER BY \"b\" DESC NULLS LAST) OVER (PARTITION BY \"c\")"},
        ExprCase{"first_value(a ignore nulls) over (order by b rows between unbounded preceding and current row)",
                 "first_value(\"a\") IGNORE NULLS OVER (ORDER BY \"b\" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"},
        ExprCase{"lag(a, 1) ignore nulls over (order by b)", "lag(\"a\", 1) IGNORE NULLS OVER (ORDER BY \"b\")"},
        ExprCase{"sum(a) over (order by b rows 3 preceding)",
                 "sum(\"a\") OVER (ORDER BY \"b\" ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)"},
        ExprCase{"array_agg(x order by y)", "array_agg(\"x\" ORDER BY \"y\")"}, ExprCase{"current_user", "CURRENT_USER"},
        ExprCase{"\"current_user\"", "\"current_user\""}, ExprCase{"\"A\".\"B c\"", "\"a\".\"b c\""},
        ExprCase{"a operator(pg_catalog.~) '^(t)$'", "\"a\" OPERATOR(\"pg_catalog\".~) '^(t)$'"},
        ExprCase{"a ~ 'x' and b !~* 'y'", "(\"a\" ~ 'x') AND (\"b\" !~* 'y')"}, ExprCase{"a*-1", "\"a\" * (- 1)"},
        ExprCase{"case when a then 1 else 2 end", "CASE WHEN \"a\" THEN 1 ELSE 2 END"},
        ExprCase{"case a when 1 then 2 end", "CASE \"a\" WHEN 1 THEN 2 END"},
        ExprCase{"nvl2(a, b, c)", "nvl2(\"a\", \"b\", \"c\")"}, ExprCase{"decode(a, 1, 'x', 'y')", "decode(\"a\", 1, 'x', 'y')"},
        ExprCase{"pg_catalog.f(a)", "\"pg_catalog\".\"f\"(\"a\")"}, ExprCase{"$1 + $22", "$1 + $22"},
        ExprCase{"exists (select 1)", "EXISTS (SELECT 1)"}, ExprCase{"1.5e3 + .5 + 1.", "1.5e3 + .5 + 1."},
        ExprCase{"E'a\\tb'", "'a\tb'"}, ExprCase{"'it''s' || 'a\\'b' || $$c'd$$", "'it''s' || 'a''b' || 'c''d'"}));

// ---- Statements that must parse, and survive printing

class Parses : public testing::TestWithParam<const char*> {};

TEST_P(Parses, AndPrintsWhatReadsTheSame) { expect_round_trip(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Queries, Parses,
    testing::Values(
        "select 1", "SELECT 1;", "select true where exists (select * from information_schema.tables where table_schema = $1)",
        "select a, b as \"B\", t.*, s.t.* from s.t", "select * from db.s.t x",
        "select top 10 a from t order by 1 desc nulls first, b limit 5 offset 2", "select distinct a from t where 1",
        "select a x from t y, u as z left outer join v using (a, b) cross join w natural join q",
        "select * from a join b join c on b.x = c.x on a.x = b.x",
        "select * from (a join b on a.x = b.x) join (c cross join d) on true",
        "select * from ((select 1) x join (select 2) y on true)", "select * from (select 1)",
        "select * from ((select 1) union (select 2)) u (c)", "select * from (values (1, 'a'), (2, 'b')) v (i, t)",
        "values (1), (2) order by 1", "table t",
        "select 1 union all select 2 union select 3 intersect select 4 except select 5 minus select 6",
        "(select 1 order by 1 limit 1) union all (select 2) order by 1",
        "with a as (select 1), b (x) as (select * from a) select * from b",
        "with recursive t(n) as (select 1 union all select n + 1 from t where n < 10) select * from t",
        "select a, count(*) from t group by a having count(*) > 1 qualify row_number() over (partition by a order by b) = 1",
        "select a, b, sum(c) from t group by rollup (a, b), cube (a), grouping sets ((a, b), a, ()), (a, b)",
        "select a from t group by all", "select * exclude (a, b) from t", "select t.* exclude a from t",
        "select c.name, i from customers c, c.orders as i at n", "select * from generate_series(1, 10) as g(n)",
        "select * from pg_get_late_binding_view_cols() as t(view_schema name, view_name name, col_num int)",
        "select current_database as TABLE_CAT FROM current_database()", "select a into temp table x from t", "select 1 a into y",
        "select t.\"select\" from \"table\" t", "select case when 1 = 1 then interval '1 day' end",
        "/* {\"app\": \"dbt\"} */ select 1 -- x",
        "select a from t where b in (select c from u where u.d = t.d) and exists (select 1)",
        "select percentile_cont(0.5) within group (order by a) from t",
        "SELECT * FROM (SELECT ( \"SQ_1\".\"A\" ) AS \"SQ_2_COL_0\" FROM ( SELECT * FROM \"public\".\"tj\" AS \"RCQ_ALIAS\" ) AS "
        "\"SQ_0\" WHERE "
        "( \"SQ_0\".\"B\" = '2020-01-01 00:00:00' ::TIMESTAMP ) AND COUNT ( 1 ) > 0 ORDER BY 1 ASC NULLS FIRST)"));

INSTANTIATE_TEST_SUITE_P(
    Catalog, Parses,
    testing::Values(
        "SELECT n.nspname as \"Schema\",\n  c.relname as \"Name\",\n  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' "
        "WHEN 'm' THEN "
        "'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 's' THEN 'special' WHEN 't' THEN 'TOAST table' "
        "END as "
        "\"Type\",\n  pg_catalog.pg_get_userbyid(c.relowner) as \"Owner\"\nFROM pg_catalog.pg_class c\n     LEFT JOIN "
        "pg_catalog.pg_namespace n "
        "ON n.oid = c.relnamespace\nWHERE c.relkind IN ('r','p','v','m','S','f','')\n      AND n.nspname <> 'pg_catalog'\n      "
        "AND n.nspname "
        "!~ '^pg_toast'\n      AND n.nspname <> 'information_schema'\n  AND pg_catalog.pg_table_is_visible(c.oid)\nORDER BY 1,2;",
        "SELECT c.oid,\n  n.nspname,\n  c.relname\nFROM pg_catalog.pg_class c\n     LEFT JOIN pg_catalog.pg_namespace n ON n.oid "
        "= "
        "c.relnamespace\nWHERE c.relname OPERATOR(pg_catalog.~) '^(t)$'\n  AND pg_catalog.pg_table_is_visible(c.oid)\nORDER BY "
        "2, 3;",
        "SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relhasoids, '', c.reltablespace, CASE "
        "WHEN "
        "c.reloftype = 0 THEN '' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence\nFROM "
        "pg_catalog.pg_class c\n LEFT "
        "JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid)\nWHERE c.oid = '16385';",
        "SELECT a.attname,\n  pg_catalog.format_type(a.atttypid, a.atttypmod),\n  (SELECT "
        "substring(pg_catalog.pg_get_expr(d.adbin, d.adrelid, "
        "true) for 128)\n   FROM pg_catalog.pg_attrdef d\n   WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND "
        "a.atthasdef),\n  "
        "a.attnotnull,\n  (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t\n   WHERE c.oid = "
        "a.attcollation AND t.oid = "
        "a.atttypid AND a.attcollation <> t.typcollation) AS attcollation,\n  ''::pg_catalog.char AS attidentity,\n  "
        "''::pg_catalog.char AS "
        "attgenerated\nFROM pg_catalog.pg_attribute a\nWHERE a.attrelid = '16385' AND a.attnum > 0 AND NOT a.attisdropped\nORDER "
        "BY a.attnum;",
        "SELECT c.oid::pg_catalog.regclass\nFROM pg_catalog.pg_class c, pg_catalog.pg_inherits i\nWHERE c.oid = i.inhparent AND "
        "i.inhrelid = "
        "'16385'\nORDER BY inhseqno;",
        "SELECT r.rolname, r.rolsuper, r.rolvaliduntil,\n  ARRAY(SELECT b.rolname\n        FROM pg_catalog.pg_auth_members m\n   "
        "     JOIN "
        "pg_catalog.pg_roles b ON (m.roleid = b.oid)\n        WHERE m.member = r.oid) as memberof\n, r.rolreplication\nFROM "
        "pg_catalog.pg_roles "
        "r\nWHERE r.rolname !~ '^pg_'\nORDER BY 1;",
        "SELECT d.datname as \"Name\",\n       pg_catalog.array_to_string(d.datacl, E'\\n') AS \"Access privileges\"\nFROM "
        "pg_catalog.pg_database "
        "d\nORDER BY 1;",
        "SELECT n.nspname as \"Schema\", p.proname as \"Name\", CASE\n  WHEN p.proisagg THEN 'agg'\n  WHEN p.prorettype = "
        "'pg_catalog.trigger'::pg_catalog.regtype THEN 'trigger'\n ELSE 'func'\nEND as \"Type\" FROM pg_catalog.pg_proc p",
        "SELECT t.oid, NULL FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = 'hstore'",
        "SELECT a.attname FROM pg_attribute a JOIN pg_constraint c ON (a.attnum, a.attrelid) = (c.x, c.y) WHERE a.attnum = "
        "ANY(t.conkey) AND "
        "relkind = ANY (ARRAY['r','p']) AND nspname NOT LIKE 'pg/_' || '%' ESCAPE '/'",
        "select oid, null from pg_class union select 1, array[1::SMALLINT]",
        "SELECT typinput='array_in'::regproc, (current_schemas(false))[s.r] FROM "
        "pg_type LEFT JOIN (select ns.oid as nspoid, ns.nspname, r.r from pg_namespace as ns join ( select s.r, "
        "(current_schemas(false))[s.r] as "
        "nspname from generate_series(1, array_upper(current_schemas(false), 1)) as s(r) ) as r using ( nspname ) ) as sp ON "
        "sp.nspoid = "
        "typnamespace WHERE typname = $1 ORDER BY sp.r, pg_type.oid DESC LIMIT 1",
        "WITH RECURSIVE typeinfo_tree(oid, ns, name, kind, depth) AS (SELECT ti.oid, ti.ns, ti.name, ti.kind, 0 FROM (SELECT "
        "t.oid AS oid, ns.nspname "
        "AS ns, t.typname AS name, t.typtype AS kind FROM pg_type t) AS ti WHERE ti.oid = any($1::oid[]) UNION ALL SELECT "
        "ti.oid, ti.ns, ti.name, "
        "ti.kind, tt.depth + 1 FROM ti, typeinfo_tree tt WHERE (tt.elemtype IS NOT NULL AND ti.oid = tt.elemtype)) SELECT "
        "DISTINCT *, basetype::regtype::text "
        "AS basetype_name FROM typeinfo_tree ORDER BY depth DESC"));

INSTANTIATE_TEST_SUITE_P(Benchmarks, Parses,
                         testing::Values("select l_returnflag, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as "
                                         "sum_charge, count(*) as count_order from lineitem where l_shipdate <= "
                                         "date '1998-12-01' - interval '90' day group by l_returnflag order by l_returnflag",
                                         "select o_year, sum(case when nation = 'BRAZIL' then volume else 0 end) / sum(volume) "
                                         "as mkt_share from (select extract(year from o_orderdate) as "
                                         "o_year, l_extendedprice * (1 - l_discount) as volume, n2.n_name as nation from part, "
                                         "nation n2 where o_orderdate between date '1995-01-01' and date "
                                         "'1996-12-31') as all_nations group by o_year order by o_year",
                                         "select c_count, count(*) as custdist from (select c_custkey, count(o_orderkey) from "
                                         "customer left outer join orders on c_custkey = o_custkey and "
                                         "o_comment not like '%special%requests%' group by c_custkey) as c_orders (c_custkey, "
                                         "c_count) group by c_count order by custdist desc, c_count desc",
                                         "create view revenue0 (supplier_no, total_revenue) as select l_suppkey, "
                                         "sum(l_extendedprice) from lineitem where l_shipdate < date '1996-01-01' + "
                                         "interval '3' month group by l_suppkey",
                                         "select cntrycode, count(*) as numcust from (select substring(c_phone from 1 for 2) as "
                                         "cntrycode from customer where substring(c_phone from 1 for 2) in "
                                         "('13', '31') and c_acctbal > (select avg(c_acctbal) from customer) and not exists "
                                         "(select * from orders where o_custkey = c_custkey)) as custsale group by "
                                         "cntrycode order by cntrycode",
                                         "with ssales as (select c_last_name, sum(ss_net_paid) netpaid from store_sales, "
                                         "store_returns where ss_ticket_number = sr_ticket_number group by 1) select "
                                         "c_last_name, sum(netpaid) paid from ssales group by c_last_name having sum(netpaid) > "
                                         "(select 0.05 * avg(netpaid) from ssales)",
                                         "select sum(ss_net_profit) as total_sum, s_state, grouping(s_state) + "
                                         "grouping(s_county) as lochierarchy, rank() over (partition by grouping(s_state) + "
                                         "grouping(s_county), case when grouping(s_county) = 0 then s_state end order by "
                                         "sum(ss_net_profit) desc) as rank_within_parent from store_sales group by "
                                         "rollup (s_state, s_county) order by lochierarchy desc, case when grouping(s_state) + "
                                         "grouping(s_county) = 0 then s_state end limit 100",
                                         "select count(distinct cs_order_number) as \"order count\" from catalog_sales cs1 full "
                                         "outer join t on (a = b) where d_date between '2002-2-01' and (cast("
                                         "'2002-2-01' as date) + interval '60 days')"));

INSTANTIATE_TEST_SUITE_P(
    Data, Parses,
    testing::Values(
        "insert into t values (1, 'a'), (2, default)", "insert into s.t (a, b) select 1, 2", "insert into t (select 1)",
        "insert into t (a) (select 1)", "insert into t ((select 1) union (select 2))", "insert into t default values",
        "insert into \"s\".\"t\" (\"a\") VALUES ($1),($2)", "insert into t with x as (select 1) select * from x",
        "update t set a = 1, b = default", "update t x set a = y.b from u y where x.id = y.id",
        "with c as (select 1) update t set a = 1 from c", "delete t", "delete from t where a",
        "delete from t using u, v where t.a = u.a", "delete from t x using u where x.a = u.a",
        "with c as (select 1) delete from t using c",
        "delete from t where (k) in (select distinct k from tmp as DBT_INTERNAL_SOURCE)", "truncate t", "truncate table s.t",
        "merge into t using tmp as DBT_INTERNAL_SOURCE on (t.a = DBT_INTERNAL_SOURCE.a) when matched then update set b = 1 when "
        "not matched then "
        "insert (a, b) values (1, default)",
        "merge into t using (select 1 a) s on t.a = s.a when matched then delete when not matched then insert values (s.a)",
        "merge into t x using s on x.a = s.a remove duplicates",
        "copy venue from 's3://b/p' iam_role 'arn:aws:iam::1:role/A,arn:aws:iam::2:role/B' delimiter '|' region 'us-east-1'",
        "COPY \"public\".\"sw1\" (\"a\",\"b\") FROM 's3://b/manifest.json' FORMAT AS CSV GZIP NULL AS '@NULL@' manifest REGION "
        "'r' CREDENTIALS "
        "'aws_iam_role=x'",
        "COPY t FROM 's3://b/m' FORMAT AS AVRO 'auto' manifest WITH CREDENTIALS AS 'aws_access_key_id=a;aws_secret_access_key=b'",
        "copy t from 's3://b' access_key_id 'a', secret_access_key 'b', token 'c', csv quote as '%', ignoreheader as 1, maxerror "
        "10, compupdate off",
        "copy t from 's3://b' iam_role default parquet serializetojson",
        "copy t from 's3://b' iam_role default json 'auto ignorecase' acceptinvchars",
        "copy t from 's3://b' iam_role default acceptinvchars as '^' encoding utf16 compupdate preset statupdate on timeformat "
        "'auto' fixedwidth 'a:1,b:2'",
        "unload ('select * from venue where a = \\'x\\'') to 's3://b/p' iam_role 'arn' manifest verbose header encrypted auto "
        "partition by (a, b) include "
        "parallel off maxfilesize as 5.0 mb cleanpath extension 'x' region as 'r' zstd",
        "UNLOAD ('SELECT \"a\" FROM \"public\".\"tj\" WHERE \"b\" = ''v1''') TO 's3://bkt/tmp/' WITH CREDENTIALS "
        "'aws_iam_role=arn' FORMAT AS PARQUET  "
        "MANIFEST KMS_KEY_ID 'k' ENCRYPTED",
        "UNLOAD ('select 1')\nTO 's3://p/'\nIAM_ROLE 'arn'\nALLOWOVERWRITE\n\nPARALLEL ON\nFORMAT "
        "PARQUET\nENCRYPTED\nMAXFILESIZE AS 5.0 MB\nmanifest;",
        "unload ($$select 'x'$$) to 's3://b' iam_role default null as '@NULL@' escape addquotes delimiter as ','",
        "copy t from stdin", "COPY  t (a, b) FROM STDIN delimiter ',' csv header",
        "copy t to stdout with (format csv, header true, delimiter ';', null 'x')",
        "copy (select * from t order by 1) to stdout with csv"));

INSTANTIATE_TEST_SUITE_P(
    Objects, Parses,
    testing::Values(
        "CREATE TABLE IF NOT EXISTS \"public\".\"sw1\" (\"a\" INTEGER, \"b\" VARCHAR(MAX), \"c\" DOUBLE PRECISION, \"d\" "
        "TIMESTAMP, \"e\" "
        "DECIMAL(10,2), \"f\" BOOLEAN NOT NULL, \"arr\" SUPER NOT NULL) DISTSTYLE EVEN",
        "CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\n\"a\" BIGINT,\n\"b\" VARCHAR(256),\nPRIMARY KEY (\"a\"))\nDISTSTYLE "
        "KEY\nDISTKEY(\"a\")\nCOMPOUND "
        "SORTKEY(\"a\")",
        "create table t (id bigint identity(1, 1) primary key, v varchar(20) default 'x' not null encode lzo distkey, n "
        "numeric(10,2) default -1.5 "
        "sortkey, d date default getdate() null, u int unique references r (id), c char collate case_insensitive, g int "
        "generated by default as "
        "identity(-5, -1), constraint pk primary key (id), foreign key (u, n) references db.s.r (a, b), unique (v)) backup no "
        "diststyle key sortkey "
        "auto encode auto",
        "create temp table x (like s.t including defaults, a int)",
        "CREATE TEMPORARY TABLE \"temp_redshift_1\" (LIKE \"s\".\"t\")",
        "create table x (a, b) diststyle all interleaved sortkey (a, b) as select 1, 2",
        "create  table \"db\".\"s\".\"t\" backup no diststyle even as ( select 1 );",
        "create table x distkey (c) compound sortkey(c,d) as (with q as (select 1 c, 2 d) select * from q)",
        "create view v as ( select 1 ) with no schema binding ;", "create or replace view s.v (a) as select 1",
        "create materialized view mv backup yes diststyle all auto refresh yes as (select 1)", "refresh materialized view mv",
        "alter materialized view mv auto refresh no", "alter table t add column a int encode az64 default 1",
        "alter table t add a varchar", "alter table t drop column a cascade", "alter table t drop a",
        "alter table t add constraint c unique (a)", "alter table t drop constraint c", "alter table t rename to u",
        "alter table t rename column a to b", "alter table t rename a to b", "alter table t owner to u",
        "alter table t alter column a type varchar(300)", "alter table t alter a encode zstd, alter column b encode raw",
        "alter table t alter distkey a", "alter table t alter diststyle key distkey a", "alter table t alter diststyle auto",
        "alter table t alter sortkey auto", "alter table t alter compound sortkey (a, b)", "alter table t alter sortkey none",
        "alter table t alter encode auto", "alter table t append from u filltarget",
        "alter table t row level security on conjunction type or for datashares", "alter table t row level security off",
        "alter table t set schema s", "drop table if exists a, s.b cascade", "drop view if exists v", "drop schema s restrict",
        "drop database d", "drop user if exists a, b", "drop group g", "drop role r force", "drop materialized view mv",
        "drop procedure p(int, varchar)", "drop function f(a int, b numeric(10,2))", "drop procedure p", "create schema s",
        "create schema if not exists s authorization u quota 10 gb", "create schema authorization u",
        "alter schema s rename to t", "alter schema s owner to u", "alter schema s quota unlimited",
        "create database d with owner = u connection limit 5 collate ci isolation level snapshot", "create database d",
        "alter database d rename to e", "alter database d owner to u", "alter database d connection limit unlimited",
        "create or replace procedure s.p(a int, inout b varchar(20), out c double precision) as $$ begin a := 1; end; $$ "
        "language plpgsql security definer",
        "create procedure p() nonatomic language plpgsql as $x$ begin null; end $x$",
        "create function f(int, float) returns float stable as $$ select $1 $$ language sql",
        "create procedure p(in a timestamp with time zone, rs inout refcursor) as 'begin end' language plpgsql set search_path "
        "to a, b",
        "alter procedure p(int) owner to u", "alter function f(int) rename to g", "comment on table s.t is 'x'",
        "comment on column s.t.c is null", "comment on column t.c is $dbt_comment_literal_block$it's$dbt_comment_literal_block$",
        "comment on view v is 'x'", "comment on schema s is 'x'", "comment on constraint c on t is 'x'",
        "comment on procedure p(int) is 'x'", "comment on database d is 'x'"));

INSTANTIATE_TEST_SUITE_P(
    Sessions, Parses,
    testing::Values(
        "begin", "begin work", "begin transaction", "BEGIN ISOLATION LEVEL SERIALIZABLE", "begin read only",
        "BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE", "start transaction", "commit", "commit work", "end",
        "end transaction", "rollback", "abort", "SAVEPOINT \"s1\"", "ROLLBACK TO SAVEPOINT \"s1\"", "rollback to s",
        "RELEASE SAVEPOINT s", "release s", "set application_name = 'x'", "SET query_group TO 'x'",
        "set search_path to \"$user\", public", "SET SESSION search_path TO 'x'", "set local a.b to 5", "set app.user_id = 'x'",
        "SET extra_float_digits = 3", "set datestyle to iso, mdy", "set timezone to default", "set time zone 'UTC'", "set role x",
        "SET readonly=1", "set enable_case_sensitive_identifier to on",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "set transaction isolation level repeatable read", "SET SESSION AUTHORIZATION 'u'", "set session authorization default",
        "set session authorization u", "reset session authorization", "reset all", "RESET query_group", "reset use", "reset a.b",
        "show all", "show search_path", "show transaction isolation level", "show time zone", "show a.b",
        "SHOW enable_case_sensitive_identifier", "use \"db\"", "discard all", "SHOW DATABASES;", "SHOW SCHEMAS FROM DATABASE $1;",
        "SHOW SCHEMAS FROM DATABASE $1 LIKE $2;", "SHOW TABLES FROM SCHEMA $1.$2 LIKE $3;", "SHOW COLUMNS FROM TABLE $1.$2.$3",
        "SHOW CONSTRAINTS PRIMARY KEYS FROM TABLE $1.$2.$3;", "SHOW CONSTRAINTS FOREIGN KEYS EXPORTED FROM TABLE $1.$2.$3;",
        "SHOW CONSTRAINTS FOREIGN KEYS FROM TABLE $1.$2.$3;", "SHOW COLUMN GRANTS ON TABLE $1.$2.$3;",
        "SHOW GRANTS ON TABLE $1.$2.$3;", "SHOW PROCEDURES FROM SCHEMA $1.$2 LIKE $3;", "SHOW FUNCTIONS FROM SCHEMA $1.$2;",
        "SHOW PARAMETERS OF PROCEDURE $1.$2.$3($4, $5) LIKE $6;", "SHOW PARAMETERS OF FUNCTION $1.$2.$3();",
        "SHOW TABLES FROM DATABASE $1 DRIVER_TOKEN 'abc' WHERE SCHEMA_NAME LIKE $2 AND TABLE_NAME LIKE $3;",
        "SHOW COLUMNS FROM DATABASE $1 WHERE COLUMN_NAME LIKE $4;",
        "SHOW GRANTS ON TABLES FROM DATABASE $1 WHERE SCHEMA_NAME LIKE $2", "SHOW SCHEMAS FROM DATABASE \"dev\" LIKE 'x'",
        "SHOW TABLES FROM SCHEMA \"dev\".\"s\"", "SHOW COLUMNS FROM TABLE \"dev\".\"s\".\"t\"",
        "show grants on schema s for role r", "show grants for user u", "show grants for u from database d", "show table s.t",
        "show view v", "show procedure p(int, varchar)", "show rls policies on s.t", "show rls policies", "show policies on s.t",
        "prepare p (int, varchar) as select $1, $2", "prepare p as insert into t values ($1)", "execute p (1, 'a')", "execute p",
        "deallocate p", "deallocate prepare p", "deallocate all", "declare c cursor for select 1",
        "DECLARE \"cn\" CURSOR WITHOUT HOLD FOR select 1", "declare c cursor with hold for select 1",
        "FETCH FORWARD ALL FROM \"cn\"", "FETCH FORWARD 10 FROM \"cn\"", "fetch next from c", "fetch 10 from c",
        "fetch all from c", "fetch c", "fetch from c", "close c", "close all", "call p1($1)", "call s.p(1, 'x', null)",
        "call p()", "explain select 1", "explain verbose with a as (select 1) select * from a", "explain delete from t",
        "explain create table x as select 1", "lock t", "LOCK \"s\".\"t\";", "lock table a, b", "vacuum", "vacuum full t",
        "vacuum sort only t to 75 percent", "vacuum delete only", "vacuum reindex t", "vacuum recluster t boost", "analyze",
        "analyze t", "analyze verbose s.t (a, b)", "analyze t predicate columns", "analyze compression t (a) comprows 1000",
        "cancel 123", "cancel 123 'x'", "begin; select 1; commit"));

INSTANTIATE_TEST_SUITE_P(
    Security, Parses,
    testing::Values(
        "create user u password 'Abcd1234'",
        "create user u with password disable createdb createuser syslog access unrestricted in group a, b valid until "
        "'2030-01-01' connection limit 5 session timeout 120 externalid x",
        "alter user u password 'Abcd1234' valid until 'infinity'", "alter user u rename to v",
        "alter user u connection limit unlimited nocreatedb", "alter user u set search_path to a, b",
        "alter user u reset search_path", "alter user u reset session timeout", "create group g", "create group g with user a, b",
        "alter group g add user a, b", "alter group g drop user a", "alter group g rename to h", "create role r externalid 'x'",
        "create role r", "alter role r rename to s", "alter role r with owner to u", "grant select, insert on t to u",
        "grant all privileges on table a, s.b to u with grant option, group g, role r, public",
        "grant select on all tables in schema a, b to group g", "grant usage, create on schema s to group g",
        "grant temp on database d to public", "grant execute on procedure p(int, varchar) to u",
        "grant execute on function s.f(a int) to u", "grant all on all functions in schema s to u",
        "grant usage on language plpgsql to u", "grant select (a, b), update (c) on t to u", "grant all (a) on t to role r",
        "grant assumerole on 'arn:aws:iam::111:role/A,arn:aws:iam::222:role/B' to group g for copy, unload",
        "grant assumerole on default to u for external function, create model", "revoke assumerole on all from public for all",
        "REVOKE ASSUMEROLE ON ALL FROM PUBLIC FOR ALL;", "grant select for tables in schema s database d to role r",
        "grant usage for schemas in database d to u with grant option", "grant role r, role s to u with admin option, role t",
        "grant role sys:operator to u", "grant sample_role1 to user1", "revoke admin option for sample_role2 from user2",
        "revoke role r from role s", "grant create user, drop role to role r", "grant vacuum, analyze to role r",
        "grant all to role r", "grant access system table to role r", "grant create or replace external function to role r",
        "grant explain rls to role r", "grant ignore rls to role r", "revoke explain masking from role r",
        "grant select on table t, s.u to rls policy p", "grant select on t to masking policy p, q",
        "revoke select on t from rls policy p", "revoke grant option for select on t from u restrict",
        "revoke all on schema s from public", "revoke create on schema public from public",
        "alter default privileges grant select on tables to u",
        "alter default privileges for user a, b in schema s revoke grant option for execute on functions from group g restrict",
        "create rls policy p with (a int, b varchar(10)) as t using (a = 1 and b = current_user)",
        "create rls policy p using (current_setting('app.x', false) = 'y')",
        "create rls policy p with (catgroup varchar(10)) rls_x using (catgroup in (select g from lookup))",
        "alter rls policy db.p using (true)", "attach rls policy p on t, s.u to u, role r, public",
        "attach rls policy db.p on table db.s.t to role r", "detach rls policy p on t from public",
        "drop rls policy if exists p cascade", "create masking policy m with (a varchar(256)) using ('xxx'::varchar(256))",
        "alter masking policy m using (substring(a, 1, 2))",
        "attach masking policy m on s.t (a, b) using (a, c) to role r priority 10",
        "detach masking policy m on t (a) from public", "drop masking policy m"));

// ---- What is refused, and how

struct Refusal {
  const char* text;
  const char* message;
  const ErrorKind* kind;
  const char* position;
};

class Refuses : public testing::TestWithParam<Refusal> {};

TEST_P(Refuses, ByName) {
  auto result = parse(GetParam().text);
  ASSERT_FALSE(result) << GetParam().text << "\n" << print(*result->at(0).command);
  EXPECT_EQ(result.error().message, GetParam().message) << GetParam().text;
  EXPECT_EQ(result.error().kind->sqlstate, GetParam().kind->sqlstate) << GetParam().text;
  EXPECT_EQ(result.error().get("POSITION"), GetParam().position) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    All, Refuses,
    testing::Values(Refusal{"selct 1", "syntax error at or near \"selct\"", &kSyntaxError, "1"},
                    Refusal{"select", "syntax error at end of input", &kSyntaxError, "7"},
                    Refusal{"select 1 from", "syntax error at end of input", &kSyntaxError, "14"},
                    Refusal{"select 'é' FROM where", "syntax error at or near \"where\"", &kSyntaxError, "17"},
                    Refusal{"select 1; select )", "syntax error at or near \")\"", &kSyntaxError, "18"},
                    Refusal{"select 1 < 2 < 3", "syntax error at or near \"<\"", &kSyntaxError, "14"},
                    Refusal{"select 'abc", "unterminated quoted string", &kSyntaxError, "8"},
                    Refusal{"select \"abc", "unterminated quoted identifier", &kSyntaxError, "8"},
                    Refusal{"select \"\"", "zero-length delimited identifier", &kSyntaxError, "8"},
                    Refusal{"select 1 /* x", "unterminated /* comment", &kSyntaxError, "10"},
                    Refusal{"select $$x", "unterminated dollar-quoted string", &kSyntaxError, "8"},
                    Refusal{"select x::foo", "type \"foo\" does not exist", &kUndefinedType, "11"},
                    Refusal{"select x::geometry", "type \"geometry\" is not supported", &kNotSupported, "11"},
                    Refusal{"create table t (a varchar(70000))", "length for type character varying cannot exceed 65535",
                            &kInvalidParameterValue, "19"},
                    Refusal{"create table t (a decimal(39,1))", "DECIMAL precision 39 must be between 1 and 38",
                            &kInvalidParameterValue, "19"},
                    Refusal{"create index i on t (a)", "CREATE INDEX is not supported", &kNotSupported, "8"},
                    Refusal{"create external schema s", "CREATE EXTERNAL is not supported", &kNotSupported, "8"},
                    Refusal{"create model m", "CREATE MODEL is not supported", &kNotSupported, "8"},
                    Refusal{"create datashare d", "CREATE DATASHARE is not supported", &kNotSupported, "8"},
                    Refusal{"select * from t pivot (sum(a) for b in (1))", "PIVOT is not supported", &kNotSupported, "17"},
                    Refusal{"listen x", "LISTEN is not supported", &kNotSupported, "1"},
                    Refusal{"select distinct on (a) a from t", "SELECT DISTINCT ON is not supported", &kNotSupported, "17"},
                    Refusal{"select 1 for update", "SELECT FOR UPDATE/SHARE is not supported", &kNotSupported, "10"},
                    Refusal{"explain analyze select 1", "EXPLAIN ANALYZE is not supported", &kNotSupported, "9"},
                    Refusal{"insert into t values (1) returning a", "RETURNING is not supported", &kNotSupported, "26"},
                    Refusal{"insert into t values (1), (1, 2)", "VALUES lists must all be the same length", &kSyntaxError, "27"},
                    Refusal{"copy t from 's3://b' frobnicate", "syntax error at or near \"frobnicate\"", &kSyntaxError, "22"},
                    Refusal{"copy t from 's3://b' header", "syntax error at or near \"header\"", &kSyntaxError, "22"},
                    Refusal{"copy t from 's3://b' csv csv", "conflicting or redundant options", &kSyntaxError, "26"},
                    Refusal{"grant frob on t to u", "unrecognized privilege type \"frob\"", &kSyntaxError, "7"},
                    Refusal{"create user u", "syntax error at end of input", &kSyntaxError, "14"},
                    Refusal{"attach rls policy p on t to group g", "a policy for a group is not supported", &kNotSupported, "29"},
                    Refusal{"select a.b.c.d.e(1)", "improper qualified name (too many dotted names)", &kSyntaxError, "8"},
                    Refusal{"select 1 into x from (select 1 into y)", "syntax error at or near \"into\"", &kSyntaxError, "32"},
                    Refusal{"create table t (a int check (a > 1))", "a CHECK constraint is not supported", &kNotSupported, "23"},
                    Refusal{"select $0", "there is no parameter $0", &kSyntaxError, "8"},
                    Refusal{"select 'a\\000b'", "invalid escape: a string can't contain a NUL byte", &kInvalidEscape, "10"},
                    Refusal{"fetch backward 1 from c", "FETCH BACKWARD is not supported", &kNotSupported, "7"},
                    Refusal{"select a collate \"C\"", "COLLATE in an expression is not supported", &kNotSupported, "10"},
                    Refusal{"select sum(a) over w from t", "a named window is not supported", &kNotSupported, "15"}));

// ---- The statement around the command

TEST(Statements, SplitWithTheirTextAndSpan) {
  auto statements = parse(" ; select 1 ;; /* x */ select $3, 'a;b' -- y\n ; ");
  ASSERT_TRUE(statements);
  ASSERT_EQ(statements->size(), 2u);
  EXPECT_EQ((*statements)[0].text, "select 1");
  EXPECT_EQ((*statements)[0].parameters, 0);
  EXPECT_EQ((*statements)[1].text, "select $3, 'a;b'");
  EXPECT_EQ((*statements)[1].parameters, 3);
  EXPECT_EQ((*statements)[1].span.begin, 23u);
}

TEST(Statements, NoneInBlanksAndComments) {
  for (const char* text : {"", "  ", ";;", "-- x", "/* a /* nested */ b */ ;"}) {
    auto statements = parse(text);
    ASSERT_TRUE(statements) << text;
    EXPECT_TRUE(statements->empty()) << text;
  }
}

TEST(Statements, SecretsAreNotForLogs) {
  auto statement = parse_one("create user u password 'Secret1x'");
  ASSERT_TRUE(statement);
  EXPECT_EQ(redacted_text(*statement), "create user u password '***'");
  statement = parse_one("copy t from 's3://b' access_key_id 'AKIA' secret_access_key 'x' csv");
  ASSERT_TRUE(statement);
  EXPECT_EQ(redacted_text(*statement), "copy t from 's3://b' access_key_id '***' secret_access_key '***' csv");
  auto several = parse("select 1; alter user u password 'x''y'");
  ASSERT_TRUE(several);
  EXPECT_EQ(redacted_text(several->at(1)), "alter user u password '***'");
}

TEST(Statements, DeepNestingIsRefusedNotCrashed) {
  for (const char* open : {"(", "not ", "- ", "case when ", "array[", "f(", "(select "}) {
    std::string text = "select ";
    for (int i = 0; i < 3000; ++i) text += open;
    auto result = parse(text);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind->sqlstate, "54001") << open;
  }
  for (const char* link :
       {" || 1", "::int", " is null", " union select 1", "[1]", " = 1", " between 1 and 2", " at time zone 'x'", ".a[1]"}) {
    std::string text = "select a";
    for (int i = 0; i < 3000; ++i) text += link;
    auto result = parse(text);
    ASSERT_FALSE(result) << link;
    EXPECT_EQ(result.error().kind->sqlstate, "54001") << link;
  }
}

TEST(Statements, LongListsAndAndOrChainsAreFine) {
  std::string text = "select a from t where a = 0";
  for (int i = 0; i < 5000; ++i) text += " or a = " + std::to_string(i);
  ASSERT_TRUE(parse(text));
  text = "insert into t values (0)";
  for (int i = 0; i < 10000; ++i) text += ", (1)";
  ASSERT_TRUE(parse(text));
  text = "select 0";
  for (int i = 0; i < 900; ++i) text += " || 1";
  expect_round_trip(text);
}

TEST(Statements, DeepestAllowedTextPrintsReadably) {
  for (const char* open : {"(1 + ", "f(", "(select ", "- ", "case when "}) {
    std::string inner = "1";
    for (int depth = 5; depth < 400; depth += 5) {
      std::string text = "select ";
      for (int i = 0; i < depth; ++i) text += open;
      text += inner;
      for (int i = 0; i < depth; ++i)
        text += std::string_view(open) == "- " ? "" : std::string_view(open) == "case when " ? " then 1 end" : ")";
      if (!parse(text)) {
        EXPECT_GT(depth, 90) << open;
        break;
      }
      if (depth % 30 == 0) expect_round_trip(text);
    }
  }
}

TEST(Statements, TooLongIsRefused) {
  auto result = parse("select '" + std::string(17 << 20, 'x') + "'");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind->sqlstate, "54000");
}

TEST(Statements, CaseSensitivityIsAnOption) {
  EXPECT_EQ(printed("select \"A\", B"), "SELECT \"a\", \"b\"");
  auto statement = parse_one("select \"A\", B", {.case_sensitive_identifiers = true});
  ASSERT_TRUE(statement);
  EXPECT_EQ(print(*statement->command), "SELECT \"A\", \"b\"");
}

// ---- Shapes that others rely on

TEST(Shapes, CopyOptionsByName) {
  auto statement =
      parse_one("copy s.t (a) from 's3://b/p' iam_role 'x' format as csv gzip null as 'N' ignoreheader 2 region 'eu'");
  ASSERT_TRUE(statement);
  auto& copy = as<Copy>(*statement->command);
  EXPECT_EQ(copy.source, "s3://b/p");
  EXPECT_EQ(*copy.find("IAM_ROLE")->text, "x");
  EXPECT_EQ(copy.find("FORMAT")->words, std::vector<std::string>{"csv"});
  EXPECT_EQ(*copy.find("NULL")->text, "N");
  EXPECT_EQ(*copy.find("IGNOREHEADER")->number, "2");
  EXPECT_NE(copy.find("GZIP"), nullptr);
  EXPECT_EQ(copy.find("ZSTD"), nullptr);
}

TEST(Shapes, ColumnsHaveRedshiftsDefaults) {
  auto statement =
      parse_one("create table t (a char, b varchar, c text, d bpchar, e decimal, f varbyte, g nvarchar(3), h float, i \"char\")");
  ASSERT_TRUE(statement);
  auto& columns = as<CreateTable>(*statement->command).columns;
  std::vector<std::string> types;
  for (auto& column : columns) types.push_back(column.type.format());
  EXPECT_EQ(types, (std::vector<std::string>{"character(1)", "character varying(256)", "character varying(256)", "character(256)",
                                             "numeric(18,0)", "binary varying(64000)", "character varying(3)", "double precision",
                                             "\"char\""}));
}

TEST(Shapes, GrantAssumeRole) {
  auto statement = parse_one("grant assumerole on 'a,b', 'c' to group g, public for COPY, UNLOAD");
  ASSERT_TRUE(statement);
  auto& grant = as<Grant>(*statement->command);
  EXPECT_EQ(grant.form, Grant::Form::kAssumeRole);
  EXPECT_EQ(grant.assume_arns, (std::vector<std::string>{"a,b", "c"}));
  EXPECT_EQ(grant.assume_commands, (std::vector<std::string>{"copy", "unload"}));
  ASSERT_EQ(grant.grantees.size(), 2u);
  EXPECT_EQ(grant.grantees[0].kind, Grantee::Kind::kGroup);
  EXPECT_EQ(grant.grantees[1].kind, Grantee::Kind::kPublic);
}

TEST(Shapes, PositionsCountCharacters) {
  auto statement = parse_one("select 'éé', b.c");
  ASSERT_TRUE(statement);
  auto& select = as<SelectCommand>(*statement->command).query->select;
  EXPECT_EQ(select.items[1].expr->position, 14u);
}

TEST(Names, FromLiterals) {
  auto name = parse_name("Public.\"T\"");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->schema, "public");
  EXPECT_EQ(name->name, "t");
  EXPECT_FALSE(parse_name("a b"));
  EXPECT_FALSE(parse_name(""));
}

TEST(Types, ReadWhatTheyPrint) {
  for (const char* text : {"character varying(20)", "numeric(10,2)", "timestamp with time zone", "time without time zone",
                           "\"char\"", "double precision", "interval year to month", "integer[]", "\"char\"[]",
                           "binary varying(5)", "oid", "regclass", "int2vector", "name", "super"}) {
    auto type = parse_type(text);
    ASSERT_TRUE(type) << text;
    EXPECT_EQ(type->format(), text);
    auto back = type_from_oid(type->oid(), type->typmod());
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, *type) << text;
  }
}

}  // namespace
}  // namespace redoubt::warehouse::sql
