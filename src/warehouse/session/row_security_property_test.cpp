// Row security against a physically filtered copy: random tables, policies and statements. What the protected table answers must
// be what a table answers that holds the visible rows and nothing else; after each write, the protected table is that copy and
// the hidden rows as they were. Visible rows never make a cast or a division fail and hidden ones often would, so an error is a
// leak.
//
// REDOUBT_PROPERTY_STATEMENTS=20000 REDOUBT_PROPERTY_SEED=n; the seed is printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "base/text.h"
#include "warehouse/session/test_world.h"

namespace redoubt::warehouse::session {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = getenv(name);
  auto number = text ? parse_int(text) : std::nullopt;
  return number ? uint64_t(*number) : otherwise;
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int below(int n) { return int(engine_() % uint64_t(n)); }
  bool chance(int percent) { return below(100) < percent; }
  template <class T>
  const T& pick(const std::vector<T>& list) {
    return list[size_t(below(int(list.size())))];
  }

 private:
  std::mt19937_64 engine_;
};

/// A predicate over columns t varchar, k int, n bigint, v varchar, d date of the relation `a`.
std::string predicate(Random& r, const std::string& a, int depth = 0) {
  auto number = [&] { return std::to_string(r.below(12) - 2); };
  switch (depth > 2 ? r.below(9) : r.below(13)) {
    case 0:
      return a + ".t = '" + r.pick<std::string>({"A", "B", "C"}) + "'";
    case 1:
      return a + ".k " + r.pick<std::string>({"=", "<>", "<", ">=", ">"}) + " " + number();
    case 2:
      return a + ".n between " + number() + " and " + number();
    case 3:
      return a + ".v like '" + r.pick<std::string>({"1%", "%2", "_", "%", "x%"}) + "'";
    case 4:
      return a + "." + r.pick<std::string>({"t", "k", "n", "v", "d"}) + r.pick<std::string>({" is null", " is not null"});
    case 5:
      return a + ".v::int " + r.pick<std::string>({"=", "<", ">"}) + " " + number();
    case 6:
      return "10 / " + a + ".k > " + number();
    case 7:
      return a + ".k in (" + number() + ", " + number() + ", NULL)";
    case 8:
      return a + ".d + " + a + ".k > '2020-01-05'";
    case 9:
      return "(" + predicate(r, a, depth + 1) + " and " + predicate(r, a, depth + 1) + ")";
    case 10:
      return "(" + predicate(r, a, depth + 1) + " or " + predicate(r, a, depth + 1) + ")";
    case 11:
      return "not (" + predicate(r, a, depth + 1) + ")";
    default:
      return "case when " + predicate(r, a, depth + 1) + " then " + predicate(r, a, depth + 1) + " else " +
             r.pick<std::string>({"true", "false", "NULL"}) + " end";
  }
}

/// A policy's predicate, with %c for the session's value.
std::string policy(Random& r) {
  switch (r.below(9)) {
    case 0:
    case 1:
    case 2:
      return "p.t = %c";
    case 3:
      return "p.t = %c or p.k < 0";
    case 4:
      return "p.k < 6 and p.t <> 'C'";
    case 5:
      return "p.t in (select e.t from r.entitled e where e.usr = 'app')";
    case 6:
      return "lower(p.t) = lower(%c)";
    case 7:
      return "p.t = (select max(e.t) from r.entitled e where e.usr = 'app')";
    default:
      return "not (p.v is null) and coalesce(%c, 'B') = p.t";
  }
}

std::string select(Random& r) {
  std::string p = predicate(r, "x"), q = predicate(r, "y", 2);
  switch (r.below(18)) {
    case 0:
      return "select * from @ x where " + p;
    case 1:
      return "select count(*), sum(x.k), min(x.v), max(x.d) from @ x where " + p;
    case 2:
      return "select x.t, count(*) from @ x where " + p + " group by x.t having count(*) > 1";
    case 3:
      return "select x.k, y.n from @ x join @ y on x.k = y.k where " + p + " and " + q;
    case 4:
      return "select x.k, f.s from @ x left join r.free f on f.k = x.k and " + p;
    case 5:
      return "select f.s, x.v from r.free f left join @ x on f.k = x.k and " + p;
    case 6:
      return "select f.k from r.free f where f.k in (select x.k from @ x where " + p + ")";
    case 7:
      return "select f.k from r.free f where not exists (select 1 from @ x where x.k = f.k and " + p + ")";
    case 8:
      return "select x.v::int, x.k from @ x where " + p;
    case 9:
      return "with c as (select * from @ z) select count(*) from c x, c y where x.k = y.k and " + p;
    case 10:
      return "select distinct x.t, x.k from @ x where " + p + " union select 'u', f.k from r.free f";
    case 11:
      return "select x.k, row_number() over (partition by x.t order by x.n, x.k, x.v, x.d) from @ x where " + p;
    case 12:
      return "select q.m from (select x.t, max(x.n) m from @ x group by x.t) q where q.m > " + std::to_string(r.below(8));
    case 13:
      return "select (select count(*) from @ x where x.k = f.k and " + p + "), f.k from r.free f";
    case 14:
      return "select count(*) from @ x full join @ y on x.v = y.v and " + p;
    case 15:
      return "select x.n from @ x where x.n > (select avg(y.n) from @ y where " + q + ")";
    case 16:
      return "select max(z.c) from (select x.k, count(*) c from @ x where " + p + " group by 1) z";
    default:
      return "select x.k from @ x where " + p + " except select f.k from r.free f where f.k > 3";
  }
}

std::string write(Random& r) {
  std::string p = predicate(r, "@");
  switch (r.below(9)) {
    case 0:
      return "update @ set k = k + 2, v = '7' where " + p;
    case 1:
      return "update @ set t = 'B' where " + p;
    case 2:
      return "update @ set v = f.s from r.free f where f.k = @.k and " + p;
    case 3:
      return "update @ set n = (select count(*) from r.free f where f.k = @.k)";
    case 4:
      return "delete from @ where " + p;
    case 5:
      return "delete from @ using r.free f where f.k = @.k and " + p;
    case 6:
      return "insert into @ select * from @ x where " + predicate(r, "x");
    case 7:
      return "merge into @ using r.one o on @.k = o.k and @.n = o.k when matched then update set v = o.s when not matched then "
             "insert values ('A', o.k, 3, o.s, '2020-01-01')";
    default:
      return "merge into @ using r.one o on @.k = o.k when matched then delete when not matched then insert (t, k) values ('C', "
             "o.k)";
  }
}

struct RowSecurityProperty : testing::Test {
  World world;

  Gathered run(const std::string& user, const std::string& text) { return run_all(**world.session(user), text); }
  void ok(const std::string& user, const std::string& text) {
    auto got = run(user, text);
    ASSERT_FALSE(got.error) << got.error->message << "\n" << text;
  }
  static std::vector<std::string> rows(const Gathered& got) {
    std::vector<std::string> out;
    for (auto& one : got.statements)
      for (auto& row : one.rows) {
        std::string line;
        for (auto& value : row) line += value ? "|" + *value : "|NULL";
        out.push_back(line);
      }
    std::sort(out.begin(), out.end());
    return out;
  }
  /// What a client sees: rows in any order, the tag, or the error.
  static std::vector<std::string> seen(const Gathered& got) {
    auto out = rows(got);
    for (auto& one : got.statements) out.push_back(one.tag);
    if (got.error) out = {std::string(got.error->kind->sqlstate) + " " + got.error->message};
    return out;
  }
};

TEST_F(RowSecurityProperty, AProtectedTableIsItsVisibleRows) {
  uint64_t seed = from_environment("REDOUBT_PROPERTY_SEED", std::random_device{}());
  uint64_t wanted = from_environment("REDOUBT_PROPERTY_STATEMENTS", 400);
  std::cout << "REDOUBT_PROPERTY_SEED=" << seed << std::endl;
  RecordProperty("seed", std::to_string(seed));
  Random r(seed);
  ok("awsuser",
     "create user app password 'Passw0rd'; create schema r; grant usage on schema r to app;"
     "create table r.free (k int, s varchar(10)); insert into r.free values (0, '0'), (1, '1'), (3, '3'), (7, '9'), (NULL, '2');"
     "create table r.one (k int, s varchar(10)); insert into r.one values (1, '4'), (8, '5');"
     "create table r.entitled (usr varchar(10), t varchar(5)); insert into r.entitled values ('app', 'A'), ('app', 'C'), ('eve', "
     "'B');"
     "grant select on r.free, r.one to app");
  uint64_t statements = 0, failed = 0, with_rows = 0;
  while (statements < wanted) {
    // A table, its policies, and the session's value.
    std::string values;
    int size = 1 + r.below(40);
    for (int i = 0; i < size; i++) {
      auto or_null = [&](std::string text) { return r.chance(8) ? std::string("NULL") : text; };
      values += (i ? ", (" : "(") + or_null("'" + r.pick<std::string>({"A", "A", "B", "B", "C", "a"}) + "'") + ", " +
                or_null(std::to_string(r.below(10) - 1)) + ", " + or_null(std::to_string(r.below(8))) + ", " +
                or_null("'" + r.pick<std::string>({"1", "2", "12", "3", "hidden", "x1"}) + "'") + ", " +
                or_null("'2020-01-0" + std::to_string(1 + r.below(9)) + "'") + ")";
    }
    std::string value = r.pick<std::string>({"'A'", "'B'", "'none'", "NULL"});
    bool any = r.chance(40);
    std::vector<std::string> policies;
    for (int i = r.below(10) == 0 ? 0 : 1 + r.below(2); i > 0; i--) policies.push_back(policy(r));
    std::string condition;  // as the superuser writes it by hand
    std::string make =
        "create table r.t (t varchar(5), k int, n bigint, v varchar(10), d date); insert into r.t values " + values + ";";
    for (size_t i = 0; i < policies.size(); i++) {
      condition += (i ? any ? " or " : " and " : "") + std::string("(") + replace_all(policies[i], "%c", value) + ")";
      std::string name = "p" + std::to_string(i);
      make += "create rls policy " + name + " with (t varchar(5), k int, v varchar(10)) as p using (" +
              replace_all(policies[i], "%c", "current_setting('app.t', false)") + ");";
      if (policies[i].find("r.entitled") != std::string::npos) make += "grant select on r.entitled to rls policy " + name + ";";
      make += "attach rls policy " + name + " on r.t to " + r.pick<std::string>({"public", "app"}) + ";";
    }
    if (policies.empty()) condition = "false";
    make += "create table r.c as select * from r.t p where " + condition + ";" +
            "create table r.h as select * from r.t p where not coalesce((" + condition +
            "), false); grant all on r.t, r.c to app; alter table r.t row level security on conjunction type " +
            (any ? "or" : "and");
    SCOPED_TRACE(make + "\nvalue " + value);
    ok("awsuser", make);
    if (HasFatalFailure()) return;
    // Visible rows break no cast and no division; hidden ones do.
    ok("awsuser",
       "update r.c set v = '5' where v !~ '^[0-9]*$'; update r.c set k = 1 where k = 0; update r.t set v = '5' where v !~ "
       "'^[0-9]*$' and coalesce((" +
           replace_all(condition, "p.", "t.") +
           "), false);"
           "update r.t set k = 1 where k = 0 and coalesce((" +
           replace_all(condition, "p.", "t.") + "), false)");
    if (HasFatalFailure()) return;
    ok("app", value == "NULL" ? "reset app.t" : "select set_config('app.t', " + value + ", false)");
    for (int i = 0; i < 25 && statements < wanted; i++, statements++) {
      bool writes = r.chance(25);
      std::string text = writes ? write(r) : select(r);
      auto of_t = run("app", replace_all(text, "@", "r.t")), of_c = run("app", replace_all(text, "@", "r.c"));
      ASSERT_EQ(seen(of_t), seen(of_c)) << text;
      with_rows += !of_t.error && !of_t.statements[0].rows.empty();
      failed += of_t.error.has_value();
      if (!writes) continue;
      auto whole = rows(run("awsuser", "select * from r.t"));
      auto parts = rows(run("awsuser", "select * from r.c; select * from r.h"));
      ASSERT_EQ(whole, parts) << text;
      // Rows that the write moved out of sight are hidden from now on.
      ok("awsuser", "drop table r.c; drop table r.h; create table r.c as select * from r.t p where " + condition +
                        "; create table r.h as select * from r.t p where not coalesce((" + condition +
                        "), false); grant all on r.c to app");
      if (HasFatalFailure()) return;
    }
    std::string clean = "drop table r.t; drop table r.c; drop table r.h;";
    for (size_t i = 0; i < policies.size(); i++) clean += "drop rls policy p" + std::to_string(i) + ";";
    ok("awsuser", clean);
    if (HasFatalFailure()) return;
  }
  std::cout << statements << " statements, " << with_rows << " with rows, " << failed << " errors" << std::endl;
  EXPECT_GT(with_rows, statements / 5);
  EXPECT_EQ(failed, 0u);
}

}  // namespace
}  // namespace redoubt::warehouse::session
