// What cases/*.slt can't say of a CALL: turns, messages on the way, the extended protocol, CONTEXT.
#include "warehouse/session/procedure_call.h"

#include "warehouse/session/test_world.h"

namespace redoubt::warehouse::session {
namespace {

struct ProcedureCallTest : ::testing::Test {
  World world;
  Session& session() { return **world.session("awsuser"); }
  void ok(const std::string& sql) {
    auto got = run_all(session(), sql);
    ASSERT_FALSE(got.error) << sql << ": " << got.error->message;
  }
};

TEST_F(ProcedureCallTest, AnEndlessLoopGivesWayAndIsCanceledBetweenItsTurns) {
  ok("CREATE PROCEDURE spins() AS $$ BEGIN LOOP RAISE INFO 'turn'; END LOOP; END $$ LANGUAGE plpgsql");
  Session& s = session();
  ASSERT_TRUE(s.start_simple("CALL spins()"));
  Output output;
  for (int turn = 0; turn < 3; turn++) {
    auto step = s.step(output);
    ASSERT_TRUE(step) << step.error().message;
    ASSERT_EQ(step->kind, StepKind::kWaiting);
    bool ready = false;
    step->wait->when_ready([&] { ready = true; });
    EXPECT_TRUE(ready);
    EXPECT_FALSE(s.take_notices().empty());  // messages go out on the way
  }
  s.cancel();
  auto stopped = s.step(output);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind->sqlstate, "57014");
  EXPECT_EQ(s.transaction_status(), 'I');
}

TEST_F(ProcedureCallTest, ParametersTakeTheProceduresTypesAndOutArgumentsAreDescribed) {
  ok("CREATE PROCEDURE p(a int, INOUT b varchar(20), OUT d date) AS $$ BEGIN b := b || a; d := '2020-02-03'; END $$ LANGUAGE "
     "plpgsql");
  Session& s = session();
  ASSERT_TRUE(s.parse("c", "CALL p($1, $2)", {}));
  auto described = s.describe_statement("c");
  ASSERT_TRUE(described) << described.error().message;
  ASSERT_EQ(described->parameters.size(), 2u);
  EXPECT_EQ(described->parameters[0], 23u);  // integer
  ASSERT_EQ(described->columns.size(), 2u);
  EXPECT_EQ(described->columns[0].name, "b");
  EXPECT_TRUE(described->columns[1].type.is(sql::TypeKind::kDate));
  std::string four("\0\0\0\4", 4);
  ASSERT_TRUE(s.bind("", "c", {{four, true}, {"x"}}, {0}));
  std::vector<std::vector<engine::Datum>> rows;
  for (;;) {
    Output output{.values = &rows};
    auto step = s.execute("", 0, output);
    ASSERT_TRUE(step) << step.error().message;
    if (step->kind == StepKind::kComplete) {
      EXPECT_EQ(step->tag, "CALL");
      break;
    }
  }
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0][0], "x4");
  EXPECT_EQ(rows[0][1], "2020-02-03");
  ASSERT_TRUE(s.sync());
}

TEST_F(ProcedureCallTest, ErrorsTellTheirPlaceAsPostgreSQLDoes) {
  ok("CREATE PROCEDURE inner_p(a int) AS $$\nBEGIN\n  EXECUTE 'select invalid';\nEND\n$$ LANGUAGE plpgsql");
  ok("CREATE PROCEDURE outer_p() AS $$\nDECLARE\n  x int := 1;\nBEGIN\n  CALL inner_p(x);\nEND\n$$ LANGUAGE plpgsql");
  auto got = run_all(session(), "CALL outer_p()");
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->get("CONTEXT"),
            "SQL statement \"select invalid\"\n"
            "PL/pgSQL function \"inner_p\" line 2 at execute statement\n"
            "SQL statement \"CALL inner_p( $1 )\"\n"
            "PL/pgSQL function \"outer_p\" line 4 at SQL statement");
  EXPECT_EQ(got.error->get("POSITION"), "");

  got = run_all(session(), "CREATE PROCEDURE bad() AS $x$\nBEGIN\n  NULL\nEND\n$x$ LANGUAGE plpgsql");
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->get("POSITION"), "44");  // END, in the statement that the client sent
  EXPECT_EQ(got.error->get("CONTEXT"), "compile of PL/pgSQL function \"bad\" near line 3");
}

TEST_F(ProcedureCallTest, ABodyOfSixteenMegabytesIsRefused) {
  std::string body = "BEGIN NULL; --" + std::string(size_t{16} << 20, 'x') + "\n END";
  auto got = run_all(session(), "CREATE PROCEDURE big() AS $$ " + body + " $$ LANGUAGE plpgsql");
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->kind->sqlstate, "54000");
  got = run_all(session(), "CREATE PROCEDURE big() AS $$ " + body.substr(0, size_t{3} << 20) + "\n END $$ LANGUAGE plpgsql");
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->kind->sqlstate, "54000");
}

}  // namespace
}  // namespace redoubt::warehouse::session
