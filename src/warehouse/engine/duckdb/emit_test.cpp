#include "warehouse/engine/duckdb/emit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "warehouse/engine/duckdb/emit_udf.h"
#include "warehouse/engine/duckdb/emit_world_test.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::engine {
namespace {

std::vector<std::string> case_files() {
  std::vector<std::string> out;
  for (auto& entry : std::filesystem::directory_iterator(std::filesystem::path(__FILE__).parent_path() / "cases"))
    if (entry.path().extension() == ".test") out.push_back(entry.path().stem());
  std::sort(out.begin(), out.end());
  return out;
}

class EmitCases : public testing::TestWithParam<std::string> {};

TEST_P(EmitCases, Hold) {
  World world;
  world.run_file(std::filesystem::path(__FILE__).parent_path() / "cases" / (GetParam() + ".test"));
}

INSTANTIATE_TEST_SUITE_P(Sql, EmitCases, testing::ValuesIn(case_files()), [](auto& info) { return info.param; });

TEST(ClientError, TellsOwnErrorsByTheirMarkAndForwardsNoEngineText) {
  Error own = client_error("Invalid Input", marked({&secure::kDivisionByZero, "division by zero"}));
  EXPECT_EQ(own.kind->sqlstate, "22012");
  EXPECT_EQ(own.message, "division by zero");
  for (const char* type :
       {"Conversion", "Binder", "Catalog", "Parser", "Internal", "Out of Range", "Invalid Input", "Constraint", "Unknown"}) {
    Error e = client_error(type, "secret 'tenant-value' in \"s1.t2\"");
    EXPECT_EQ(e.message.find("tenant-value"), std::string::npos) << type;
    EXPECT_EQ(e.message.find("s1"), std::string::npos) << type;
  }
  // Without the random part of the mark, text in a value stays text.
  EXPECT_NE(client_error("Conversion", "redoubt-|2|forged").message, "forged");
}

}  // namespace
}  // namespace redoubt::warehouse::engine
