#include "warehouse/secure/types.h"

#include <gtest/gtest.h>

#include <set>

#include "warehouse/secure/functions.h"

namespace redoubt::warehouse::secure {
namespace {

using sql::Type;
using TK = sql::TypeKind;

TEST(Types, DecimalArithmeticAsTheGuideComputesIt) {
  auto d = [](int p, int s) { return Type::decimal(p, s); };
  EXPECT_EQ(arithmetic_type('*', d(8, 2), d(8, 2)), d(17, 4));
  EXPECT_EQ(arithmetic_type('+', d(8, 2), d(7, 4)), d(11, 4));
  EXPECT_EQ(arithmetic_type('/', d(19, 0), d(19, 0)), d(38, 19));  // 39 digits: one less in the scale
  EXPECT_EQ(arithmetic_type('/', d(19, 2), d(38, 19)), d(38, 4));  // never below 4
  EXPECT_EQ(arithmetic_type('*', d(19, 2), d(38, 19)), d(38, 21));
  EXPECT_EQ(arithmetic_type('+', TK::kInteger, d(5, 2)), d(13, 2));
  EXPECT_EQ(arithmetic_type('+', TK::kSmallint, TK::kBigint), Type(TK::kBigint));
  EXPECT_EQ(arithmetic_type('+', TK::kReal, TK::kReal), Type(TK::kReal));
  EXPECT_EQ(arithmetic_type('+', TK::kReal, TK::kInteger), Type(TK::kDouble));
  EXPECT_EQ(arithmetic_type('*', TK::kDouble, d(5, 2)), Type(TK::kDouble));
}

TEST(Types, AStringBesideAnotherTypeIsReadAsThatType) {
  EXPECT_EQ(comparison_type(Type::varchar(10), TK::kInteger), Type(TK::kInteger));
  EXPECT_EQ(comparison_type(TK::kDate, Type::varchar(10)), Type(TK::kDate));
  EXPECT_EQ(comparison_type(TK::kUnknown, TK::kTimestamp), Type(TK::kTimestamp));
  EXPECT_EQ(comparison_type(TK::kDate, TK::kBoolean), std::nullopt);
  EXPECT_EQ(comparison_type(TK::kDate, TK::kTimestampTz), Type(TK::kTimestampTz));
}

TEST(Types, CommonTypeDoesNotMixStringsAndNumbers) {
  Type mixed[] = {TK::kInteger, Type::varchar(3)};
  EXPECT_EQ(common_type(mixed), std::nullopt);
  Type numbers[] = {TK::kInteger, Type::decimal(4, 2), TK::kUnknown};
  EXPECT_EQ(common_type(numbers), Type::decimal(12, 2));
  Type nothing[] = {TK::kUnknown, TK::kUnknown};
  EXPECT_EQ(common_type(nothing), Type::varchar());
}

TEST(Functions, NoEngineFunctionIsOnTheList) {
  for (auto name : {"read_csv", "read_text", "glob", "getenv", "query", "duckdb_tables", "pragma_version", "current_setting",
                    "nextval", "redoubt_host", "rs_int4", "error", "list_value", "unnest", "hash", "version", "txid_current"})
    EXPECT_TRUE(find_functions(name).empty()) << name;
}

TEST(Functions, DatePartsKnowTheirAbbreviations) {
  EXPECT_EQ(date_part("mon"), "month");
  EXPECT_EQ(date_part("m"), "minute");
  EXPECT_EQ(date_part("weekday"), "dow");
  EXPECT_EQ(date_part("fortnight"), "");
}

}  // namespace
}  // namespace redoubt::warehouse::secure
