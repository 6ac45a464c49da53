#include "warehouse/session/session.h"

#include <atomic>
#include <thread>

#include "base/text.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/test_world.h"
#include "warehouse/system/relation.h"

namespace redoubt::warehouse::session {
namespace {

struct SessionTest : ::testing::Test {
  World world;
  Session& session(const std::string& name = "awsuser") { return **world.session(name); }
  void ok(const std::string& sql, const std::string& user = "awsuser") {
    auto got = run_all(session(user), sql);
    ASSERT_FALSE(got.error) << sql << ": " << got.error->message;
  }
  /// Rows of one Execute in DataRow messages, counted.
  static int data_rows(const std::string& buffer) {
    int n = 0;
    for (size_t at = 0; at + 5 <= buffer.size(); n++) {
      uint32_t length = 0;
      for (size_t i = 1; i <= 4; i++) length = length << 8 | uint8_t(buffer[at + i]);
      at += 1 + length;
    }
    return n;
  }
};

TEST_F(SessionTest, ExtendedProtocolSuspendsAtMaxRowsAndGoesOn) {
  Session& s = session();
  ASSERT_TRUE(s.parse("q", "SELECT i, $1::varchar FROM generate_series(1, 5) g(i)", {}));
  auto described = s.describe_statement("q");
  ASSERT_TRUE(described) << described.error().message;
  EXPECT_EQ(described->parameters.size(), 1u);
  EXPECT_EQ(described->columns.size(), 2u);
  ASSERT_TRUE(s.bind("p", "q", {{"x"}}, {0}));
  int total = 0;
  for (int expected : {2, 2, 1}) {
    Output out;
    Result<Step> step = s.execute("p", 2, out);
    while (step && step->kind == StepKind::kRows) step = s.execute("p", 2, out);
    ASSERT_TRUE(step) << step.error().message;
    EXPECT_EQ(data_rows(out.buffer), expected);
    total += data_rows(out.buffer);
    EXPECT_EQ(step->kind, total == 5 ? StepKind::kComplete : StepKind::kSuspended);
  }
  ASSERT_TRUE(s.sync());
  Output out;
  EXPECT_FALSE(s.execute("p", 0, out)) << "portals end with their transaction";
  ASSERT_TRUE(s.sync());
}

TEST_F(SessionTest, AStatementThatFailsAtDescribeWasNeverParsed) {
  Session& s = session();
  ASSERT_TRUE(s.parse("q", "SELECT nothing FROM pg_class", {}));
  EXPECT_FALSE(s.describe_statement("q"));
  ASSERT_TRUE(s.sync());
  ASSERT_TRUE(s.parse("q", "SELECT 1", {})) << "the name is free";
  ASSERT_TRUE(s.sync());
  auto twice = s.parse("q", "SELECT 2", {});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().kind->sqlstate, "42P05");
  ASSERT_TRUE(s.sync());
  EXPECT_EQ(s.transaction_status(), 'I');
}

TEST_F(SessionTest, StatementsBeforeOneSyncAreOneTransaction) {
  ok("CREATE TABLE public.t (a int)");
  Session& s = session();
  Output out;
  ASSERT_TRUE(s.parse("", "INSERT INTO public.t VALUES ($1)", {}));
  ASSERT_TRUE(s.bind("", "", {{"1"}}, {}));
  ASSERT_TRUE(s.execute("", 0, out));
  ASSERT_TRUE(s.bind("", "", {{"nonsense"}}, {}));
  EXPECT_FALSE(s.execute("", 0, out));
  ASSERT_TRUE(s.sync());
  auto got = run_all(s, "SELECT count(*) FROM public.t");
  EXPECT_EQ(got.statements[0].rows[0][0], "0");
}

TEST_F(SessionTest, TheCommandTagOfBeginIsExact) {
  Session& s = session();
  Output out;
  ASSERT_TRUE(s.parse("", "BEGIN", {}));
  ASSERT_TRUE(s.bind("", "", {}, {}));
  auto step = s.execute("", 0, out);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->tag, "BEGIN");
  ASSERT_TRUE(s.sync());
  EXPECT_EQ(s.transaction_status(), 'T');
  ok("ROLLBACK");
}

TEST_F(SessionTest, EmptyQueriesAndMissingNames) {
  Session& s = session();
  Output out;
  ASSERT_TRUE(s.parse("", " ; ", {}));
  ASSERT_TRUE(s.bind("", "", {}, {}));
  auto step = s.execute("", 0, out);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, StepKind::kEmpty);
  EXPECT_FALSE(s.bind("", "gone", {}, {}));
  EXPECT_FALSE(s.describe_portal("gone"));
  EXPECT_FALSE(s.execute("gone", 0, out));
  s.close_statement("gone");
  s.close_portal("gone");
  auto two = s.parse("", "SELECT 1; SELECT 2", {});
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().kind->sqlstate, "42601");
  ASSERT_TRUE(s.sync());
}

TEST_F(SessionTest, AWrongNumberOfParametersOrFormatsIsRefused) {
  Session& s = session();
  ASSERT_TRUE(s.parse("", "SELECT $1::int", {}));
  EXPECT_FALSE(s.bind("", "", {}, {}));
  ASSERT_TRUE(s.sync());
  ASSERT_TRUE(s.parse("", "SELECT $1::int", {}));
  ASSERT_TRUE(s.bind("", "", {{"1"}}, {0, 0, 1}));
  Output out;
  EXPECT_FALSE(s.execute("", 0, out));
  ASSERT_TRUE(s.sync());
}

TEST_F(SessionTest, AStatementTimeoutEndsAWaitForALock) {
  ok("CREATE TABLE public.t (a int)");
  ok("BEGIN; LOCK TABLE public.t");
  ok("SET statement_timeout TO 50", "awsuser/2");
  auto got = run_all(session("awsuser/2"), "INSERT INTO public.t VALUES (1)");
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->kind->sqlstate, "57014");
  EXPECT_NE(got.error->message.find("timeout"), std::string::npos);
  ok("COMMIT");
}

TEST_F(SessionTest, CancelEndsARunningQueryAndNothingElse) {
  Session& s = session();
  s.cancel();  // idle: harmless
  ok("SELECT 1");
  std::atomic<bool> over = false;
  std::thread canceler([&] {
    while (!over) {  // one that comes before the query runs is harmless, and lost
      s.cancel();
      std::this_thread::yield();
    }
  });
  auto got = run_all(s, "SELECT count(*) FROM generate_series(1, 100000) a(i), generate_series(1, 100000) b(j) WHERE i * j = 7");
  over = true;
  canceler.join();
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->kind->sqlstate, "57014");
  ok("SELECT 1");
}

TEST_F(SessionTest, ATerminatedSessionSaysSo) {
  ok("CREATE USER alice PASSWORD 'Abcd1234'");
  bool told = false;
  session("alice").on_terminate([&] { told = true; });
  ok("SELECT pg_terminate_backend(" + std::to_string(session("alice").pid()) + ")");
  EXPECT_TRUE(told);
  auto got = run_all(session("alice"), "SELECT 1");
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->kind->sqlstate, "57P01");
}

TEST_F(SessionTest, ReportedSettingsGoOutOnceAndWhenTheyChange) {
  Session& s = session();
  auto first = s.take_parameter_changes();
  auto has = [&](auto& list, std::string name, std::string value) {
    return std::find(list.begin(), list.end(), std::pair(name, value)) != list.end();
  };
  EXPECT_TRUE(has(first, "server_version", "8.0.2"));
  EXPECT_TRUE(has(first, "client_encoding", "UTF8"));
  EXPECT_TRUE(has(first, "integer_datetimes", "on"));
  EXPECT_TRUE(has(first, "DateStyle", "ISO, MDY"));
  EXPECT_TRUE(has(first, "is_superuser", "on"));
  EXPECT_TRUE(std::none_of(first.begin(), first.end(), [](auto& p) { return p.first == "standard_conforming_strings"; }));
  ok("SET application_name TO 'x'");
  auto changed = s.take_parameter_changes();
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0], std::pair(std::string("application_name"), std::string("x")));
}

/// Every declared relation can be read: its rows are as wide as its columns and fit their types.
TEST_F(SessionTest, EverySystemRelationReads) {
  ok("CREATE SCHEMA s; CREATE TABLE s.t (id int IDENTITY(1,1) PRIMARY KEY, b varchar(10) DEFAULT 'x', c numeric(5,1) REFERENCES "
     "s.t(id)) SORTKEY (b);"
     "CREATE VIEW s.v AS SELECT b FROM s.t; CREATE USER u PASSWORD 'Abcd1234' VALID UNTIL '2030-01-01'; CREATE GROUP g WITH USER "
     "u; CREATE ROLE r;"
     "GRANT ROLE r TO u; GRANT SELECT ON s.t TO u; GRANT SELECT (b) ON s.v TO GROUP g; COMMENT ON COLUMN s.t.b IS 'b';"
     "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO u; ALTER USER u SET search_path TO s; GRANT VACUUM TO ROLE r");
  for (auto& relation : system::all_relations()) {
    std::string name(relation.name);
    auto got = run_all(session(), "SELECT * FROM " + std::string(relation.schema) + "." + name);
    EXPECT_FALSE(got.error) << name << ": " << got.error->message;
    if (relation.superuser_only) continue;
    got = run_all(session("u"), "SELECT count(*) FROM " + std::string(relation.schema) + "." + name);
    EXPECT_FALSE(got.error) << name << ": " << got.error->message;
  }
}

TEST_F(SessionTest, PasswordsAndKeysDoNotReachTheLogs) {
  ok("CREATE USER alice PASSWORD 'Secret123word'; CREATE TABLE public.t (a int)");
  run_all(session(), "COPY public.t FROM 's3://b/k' ACCESS_KEY_ID 'AKIDEXAMPLE' SECRET_ACCESS_KEY 'VERYSECRETKEY'");
  auto got =
      run_all(session(), "SELECT count(*) FROM stl_query WHERE querytxt LIKE '%Secret123%' OR querytxt LIKE '%VERYSECRET%'");
  ASSERT_FALSE(got.error);
  EXPECT_EQ(got.statements[0].rows[0][0], "0");
}

}  // namespace
}  // namespace redoubt::warehouse::session
