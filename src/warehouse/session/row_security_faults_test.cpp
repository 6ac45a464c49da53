// Faults of the rewriter that puts policies into plans, one at a time: each plan is made as always, spoilt, and given to the
// engine, whose guard must refuse it. The same plans unspoilt must run.
#include <gtest/gtest.h>

#include "warehouse/engine/errors.h"
#include "warehouse/secure/analyze.h"
#include "warehouse/secure/nodes.h"
#include "warehouse/session/sql_session.h"
#include "warehouse/session/test_world.h"
#include "warehouse/sql/parser.h"

namespace redoubt::warehouse::session {
namespace {

namespace plan = secure::plan;
using plan::ExprPtr;

constexpr const char* kSetUp = R"(
CREATE USER app PASSWORD 'Passw0rd';
CREATE SCHEMA s;
GRANT USAGE ON SCHEMA s TO app;
CREATE TABLE s.t (tenant varchar(10), k int, v varchar(20), secret varchar(20));
CREATE TABLE s.other (tenant varchar(10), k int);
CREATE TABLE s.looked (k int, v varchar(20));
CREATE TABLE s.lookup (usr varchar(20), k int);
CREATE TABLE s.free (tenant varchar(20), k int);
INSERT INTO s.t VALUES ('A', 1, 'x', 'sa'), ('A', 2, 'y', 'sb'), ('B', 3, 'z', 'sc');
INSERT INTO s.other VALUES ('A', 1), ('B', 2);
INSERT INTO s.looked VALUES (1, 'one'), (2, 'two');
INSERT INTO s.lookup VALUES ('app', 1), ('eve', 2);
INSERT INTO s.free VALUES ('A', 1), ('B', 3);
CREATE VIEW s.v AS SELECT tenant, k, v FROM s.t;
GRANT SELECT (tenant, k, v) ON s.t TO app;
GRANT INSERT, UPDATE, DELETE ON s.t TO app;
GRANT SELECT ON s.other, s.looked, s.free, s.v TO app;
CREATE RLS POLICY tenants WITH (tenant varchar(10)) USING (tenant = current_setting('app.tenant', false));
CREATE RLS POLICY small WITH (k int) USING (k < 100);
CREATE RLS POLICY by_user WITH (k int) USING (k IN (SELECT l.k FROM s.lookup l WHERE l.usr = current_user));
ATTACH RLS POLICY tenants ON s.t, s.other TO PUBLIC;
ATTACH RLS POLICY small ON s.t TO PUBLIC;
ATTACH RLS POLICY by_user ON s.looked TO PUBLIC;
GRANT SELECT ON s.lookup TO RLS POLICY by_user;
ALTER TABLE s.t ROW LEVEL SECURITY ON;
ALTER TABLE s.other ROW LEVEL SECURITY ON;
ALTER TABLE s.looked ROW LEVEL SECURITY ON;
)";

/// Every FROM leaf of the statement that scans a table, wherever it stands.
void leaves_of(const plan::Query& q, std::vector<plan::From*>& out);
void leaves_of(const plan::FromPtr& from, std::vector<plan::From*>& out) {
  if (!from) return;
  if (from->kind == plan::FromKind::kScan) out.push_back(from.get());
  if (from->query) leaves_of(*from->query, out);
  leaves_of(from->left, out);
  leaves_of(from->right, out);
}
void leaves_in(const ExprPtr& expr, std::vector<plan::From*>& out) {
  secure::walk(expr, [&](const ExprPtr& e) {
    if (e->query) leaves_of(*e->query, out);
    return true;
  });
}
void leaves_of(const plan::Query& q, std::vector<plan::From*>& out) {
  for (auto& cte : q.ctes) leaves_of(*cte.query, out);
  leaves_of(q.select.from, out);
  for (auto& e : q.select.outputs) leaves_in(e, out);
  leaves_in(q.select.where, out);
  if (q.left) leaves_of(*q.left, out);
  if (q.right) leaves_of(*q.right, out);
}
std::vector<plan::From*> leaves(plan::Statement& s) {
  std::vector<plan::From*> out;
  if (s.query) leaves_of(*s.query, out);
  leaves_of(s.from, out);
  leaves_in(s.where, out);
  return out;
}
std::vector<plan::From*> secured(plan::Statement& s) {
  std::vector<plan::From*> out;
  for (auto* leaf : leaves(s))
    if (leaf->secured_by) out.push_back(leaf);
  return out;
}

/// The expression with every node replaced by what `f` makes of it, where that isn't null.
ExprPtr replaced(const ExprPtr& e, const std::function<ExprPtr(const plan::Expr&)>& f) {
  if (auto other = f(*e)) return other;
  plan::Expr copy = *e;
  for (auto& arg : copy.args) arg = replaced(arg, f);
  return secure::make(std::move(copy));
}

using Fault = std::function<void(plan::Statement&)>;
Fault on_condition(std::function<ExprPtr(const ExprPtr&)> f) {
  return [f](plan::Statement& s) {
    for (auto* leaf : secured(s)) leaf->secured_by = f(leaf->secured_by);
    if (s.target.secured_by) s.target.secured_by = f(s.target.secured_by);
  };
}
Fault drop_nth(size_t n) {
  return [n](plan::Statement& s) { secured(s).at(n)->secured_by = nullptr; };
}
ExprPtr call(const char* id, std::vector<ExprPtr> args) {
  return secure::make_call(id, sql::TypeKind::kBoolean, std::move(args));
}
void drop_target(plan::Statement& s) { s.target.secured_by = nullptr; }

struct Case {
  const char* name;
  const char* sql;
  Fault fault;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"filter dropped", "SELECT v FROM s.t", drop_nth(0)},
      {"filter dropped, rows counted", "SELECT count(*) FROM s.t", drop_nth(0)},
      {"filter true", "SELECT v FROM s.t", on_condition([](auto&) { return secure::make_boolean(true); })},
      {"filter under OR", "SELECT v FROM s.t",
       on_condition([](auto& e) { return secure::make_logical(false, {e, secure::make_boolean(true)}); })},
      {"filter with an alternative of the user", "SELECT v FROM s.t WHERE k = 3",
       [](plan::Statement& s) {
         auto* leaf = secured(s).at(0);
         leaf->secured_by = secure::make_logical(
             false, {leaf->secured_by, call("eq", {secure::make_column(leaf->secured_id, 2, sql::TypeKind::kInteger),
                                                   secure::make_constant(sql::TypeKind::kInteger, "3")})});
       }},
      {"filter negated", "SELECT v FROM s.t", on_condition([](auto& e) { return secure::make_not(e); })},
      {"wrong constant", "SELECT v FROM s.t", on_condition([](auto& e) {
         return replaced(e, [](const plan::Expr& x) {
           return x.kind == plan::ExprKind::kConst && x.value == "A" ? secure::make_constant(x.type, "B") : nullptr;
         });
       })},
      {"wrong column", "SELECT v FROM s.t", on_condition([](auto& e) {
         return replaced(e, [](const plan::Expr& x) {
           return x.kind == plan::ExprKind::kColumn && x.column == 1 ? secure::make_column(x.relation, 3, x.type) : nullptr;
         });
       })},
      {"wrong comparison", "SELECT v FROM s.t", on_condition([](auto& e) {
         return replaced(e, [](const plan::Expr& x) { return x.function == "eq" ? call("ne", x.args) : nullptr; });
       })},
      {"one of two policies forgotten", "SELECT v FROM s.t", on_condition([](auto& e) { return e->args.at(1); })},
      {"AND became OR", "SELECT v FROM s.t", on_condition([](auto& e) { return secure::make_logical(false, e->args); })},
      {"constant became NULL test", "SELECT v FROM s.t",
       on_condition([](auto& e) { return secure::make_logical(true, {call("is_not_null", {e->args.at(0)->args.at(0)})}); })},
      {"extra column", "SELECT v FROM s.t",
       [](plan::Statement& s) { secured(s).at(0)->columns.push_back({4, sql::Type::varchar(20)}); }},
      {"filter above a join", "SELECT f.k FROM s.t t JOIN s.free f ON t.k = f.k",
       [](plan::Statement& s) {
         auto* leaf = secured(s).at(0);
         plan::Query query = *s.query;
         query.select.where = replaced(leaf->secured_by, [&](const plan::Expr& x) {
           return x.kind == plan::ExprKind::kColumn ? secure::make_column(leaf->id, x.column, x.type) : nullptr;
         });
         leaf->columns = {{1, sql::Type::varchar(10)}, {2, sql::TypeKind::kInteger}};
         leaf->secured_by = nullptr;
         s.query = std::make_shared<const plan::Query>(std::move(query));
       }},
      {"view missed", "SELECT v FROM s.v", drop_nth(0)},
      {"second side of a self join missed", "SELECT a.v FROM s.t a JOIN s.t b ON a.k < b.k", drop_nth(1)},
      {"subquery missed", "SELECT k FROM s.free WHERE k IN (SELECT k FROM s.t)", drop_nth(0)},
      {"scalar subquery missed", "SELECT (SELECT max(v) FROM s.t) FROM s.free", drop_nth(0)},
      {"correlated subquery missed", "SELECT k FROM s.free f WHERE EXISTS (SELECT 1 FROM s.t WHERE t.k = f.k)", drop_nth(0)},
      {"CTE missed", "WITH q AS (SELECT v FROM s.t) SELECT * FROM q", drop_nth(0)},
      {"set operation missed", "SELECT k FROM s.free UNION ALL SELECT k FROM s.t", drop_nth(0)},
      {"condition of another table", "SELECT a.v FROM s.t a, s.other b",
       [](plan::Statement& s) {
         auto list = secured(s);
         std::swap(list.at(0)->secured_by, list.at(1)->secured_by);
         std::swap(list.at(0)->secured_id, list.at(1)->secured_id);
       }},
      {"another table under the condition", "SELECT a.v FROM s.t a, s.other b",
       [](plan::Statement& s) { secured(s).at(1)->physical = secured(s).at(0)->physical; }},
      {"lookup ignores the user", "SELECT v FROM s.looked",
       [](plan::Statement& s) {
         secure::walk(secured(s).at(0)->secured_by, [&](const ExprPtr& e) {
           if (e->query) const_cast<plan::Query&>(*e->query).select.where = nullptr;
           return true;
         });
       }},
      {"lookup read by the statement", "SELECT k FROM s.free WHERE k IN (SELECT k FROM s.looked)",
       [](plan::Statement& s) {
         for (auto* leaf : leaves(s))
           secure::walk(leaf->secured_by, [&](const ExprPtr& e) {
             if (e->query)
               for (auto* other : leaves(s))
                 if (!other->secured_by) other->physical = e->query->select.from->physical;
             return true;
           });
       }},
      {"updates everything", "UPDATE s.t SET k = 9", drop_target},
      {"updates by the user's predicate alone", "UPDATE s.t SET v = 'w' WHERE v = 'z'", drop_target},
      {"updates with a wrong constant", "UPDATE s.t SET v = 'w'", on_condition([](auto& e) {
         return replaced(e, [](const plan::Expr& x) {
           return x.kind == plan::ExprKind::kConst && x.value == "A" ? secure::make_constant(x.type, "B") : nullptr;
         });
       })},
      {"updates from unfiltered rows", "UPDATE s.t SET v = b.v FROM s.t b WHERE t.k = b.k", drop_nth(0)},
      {"deletes everything", "DELETE FROM s.t", drop_target},
      {"deletes by unfiltered rows", "DELETE FROM s.t USING s.other o WHERE t.k = o.k", drop_nth(0)},
      {"merges into everything",
       "MERGE INTO s.t USING s.free f ON t.k = f.k WHEN MATCHED THEN UPDATE SET v = 'm' WHEN NOT MATCHED THEN INSERT VALUES "
       "('A', 1, 'x', 'y')",
       drop_target},
      {"inserts unfiltered rows", "INSERT INTO s.t SELECT tenant, k, '', '' FROM s.other", drop_nth(0)},
  };
  return all;
}

struct Faults : testing::Test {
  World world;
  SqlSession* app = nullptr;

  void SetUp() override {
    auto admin = world.session("awsuser");
    ASSERT_TRUE(admin) << admin.error().message;
    auto made = run_all(**admin, kSetUp);
    ASSERT_FALSE(made.error) << made.error->message;
    auto session = world.session("app");
    ASSERT_TRUE(session);
    auto set = run_all(**session, "SELECT set_config('app.tenant', 'A', false)");
    ASSERT_FALSE(set.error);
    app = dynamic_cast<SqlSession*>(*session);
    ASSERT_TRUE(app);
  }

  Result<int64_t> run(const char* text, const Fault& fault) {
    app->begin_block(false);
    struct Back {
      SqlSession* session;
      ~Back() { session->rollback(); }
    } back{app};
    auto facts = app->make_facts();
    View view(facts);
    auto host = make_host_context(facts);
    TRY(auto statement, sql::parse_one(text, {}));
    TRY(auto made, secure::analyze(statement, {view, host->host_functions()}));
    if (fault) fault(made);
    TRY(auto* engine, app->open_engine());
    if (made.kind != plan::StatementKind::kSelect) return engine->execute(made, {}, host);
    TRY(auto stream, engine->query(made, {}, host));
    std::vector<std::vector<engine::Datum>> rows;
    TRY(auto got, stream->values(1000, rows));
    return got.rows;
  }
};

TEST_F(Faults, AreRefusedEachAndEveryOne) {
  for (auto& c : cases()) {
    SCOPED_TRACE(c.name);
    auto sound = run(c.sql, nullptr);
    EXPECT_TRUE(sound) << sound.error().message;
    auto spoilt = run(c.sql, c.fault);
    ASSERT_FALSE(spoilt) << *spoilt << " rows";
    EXPECT_TRUE(spoilt.error().is(engine::kRefusedByGuard)) << spoilt.error().message;
  }
  EXPECT_GE(cases().size(), 20u);
}

TEST_F(Faults, AForgottenAuthorisationIsAFaultToo) {
  auto spoilt = run("SELECT v FROM s.t", [](plan::Statement& s) {
    secured(s).at(0)->secured_by = nullptr;
    for (auto& a : s.authorised) a.condition = secure::make_boolean(false);
  });
  ASSERT_FALSE(spoilt);
  EXPECT_TRUE(spoilt.error().is(engine::kRefusedByGuard));
}

}  // namespace
}  // namespace redoubt::warehouse::session
