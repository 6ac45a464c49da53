#include <gtest/gtest.h>

#include "warehouse/engine/duckdb/emit_world_test.h"
#include "warehouse/secure/functions.h"

/// Every row of the allow-list means something to the engine: called with columns of its parameters' types it runs, or ends
/// with an error of ours, never with "could not be executed".
namespace redoubt::warehouse::engine {
namespace {

using secure::FunctionKind;
using secure::ParameterKind;
using TK = sql::TypeKind;

std::string argument(const secure::FunctionParameter& p) {
  switch (p.kind) {
    case ParameterKind::kString:
      return "v";
    case ParameterKind::kNumber:
      return "i4";
    case ParameterKind::kDecimal:
      return "n";
    case ParameterKind::kAny:
    case ParameterKind::kSame:
      return "v";
    case ParameterKind::kArray:
      return "array[v]";
    case ParameterKind::kDatePart:
      return "day";
    case ParameterKind::kType:
      break;
  }
  switch (p.type.kind) {
    case TK::kBoolean:
      return "b";
    case TK::kSmallint:
      return "i2";
    case TK::kInteger:
      return "i4";
    case TK::kBigint:
      return "i8";
    case TK::kReal:
      return "f4";
    case TK::kDouble:
      return "f8";
    case TK::kDate:
      return "d";
    case TK::kTimestamp:
      return "ts";
    case TK::kTimestampTz:
      return "tz";
    case TK::kTime:
      return "t";
    case TK::kInterval:
      return "(ts - ts)";
    case TK::kSuper:
      return "s";
    case TK::kVarbyte:
      return "v::varbyte";
    default:
      return "v";
  }
}

std::string call_of(const secure::Function& f) {
  std::string call = std::string(f.name) + "(";
  for (size_t i = 0; i < f.parameters.size(); i++) {
    if (i) call += ", ";
    bool constant = f.kind == FunctionKind::kOrderedSet || (f.name == "listagg" && i == 1);
    call += constant ? (f.name == "listagg" ? "','" : "0.5") : argument(f.parameters[i]);
  }
  call += ")";
  if (f.kind == FunctionKind::kOrderedSet) call += " within group (order by i4)";
  if (f.kind == FunctionKind::kWindow) call += " over (order by i4)";
  return call;
}

TEST(EmitCoverage, EveryFunctionOfTheAllowListRuns) {
  World world;
  ASSERT_TRUE(
      world.execute("create table x (b bool, i2 smallint, i4 int, i8 bigint, n numeric(10,2), f4 real, f8 float8, d date, ts "
                    "timestamp, tz timestamptz, t time, v varchar(20), s super)"));
  ASSERT_TRUE(world.execute(
      "insert into x values (true, 1, 1, 1, 1.5, 1, 1, '2020-01-31', '2020-01-31', '2020-01-31', '10:00', 'utf8', '1')"));
  size_t count = 0;
  std::set<std::string> names;
  for (auto& f : secure::all_functions()) {
    auto sql = "select " + call_of(f) + " from x";
    auto answer = world.execute(sql);
    count++;
    names.insert(std::string(f.name));
    if (answer) continue;
    EXPECT_NE(answer.error().kind->sqlstate, "XX000") << sql << "\n" << world.last_sql;
    EXPECT_NE(answer.error().kind->sqlstate, "42883") << sql << "\n" << answer.error().message;
    if (f.kind == FunctionKind::kAggregate) {
      auto over = world.execute("select " + call_of(f) + " over (partition by b) from x");
      if (!over) EXPECT_NE(over.error().kind->sqlstate, "XX000") << sql;
    }
  }
  for (auto& f : secure::all_functions())
    if (f.kind == FunctionKind::kAggregate) {
      auto over = world.execute("select " + call_of(f) + " over (partition by b) from x");
      if (!over) EXPECT_NE(over.error().kind->sqlstate, "XX000") << world.last_sql;
    }
  EXPECT_GE(names.size(), 185u) << count;
}

}  // namespace
}  // namespace redoubt::warehouse::engine
