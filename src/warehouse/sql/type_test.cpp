#include "warehouse/sql/type.h"

#include <gtest/gtest.h>

namespace redoubt::warehouse::sql {
namespace {

TEST(Type, WireIdentity) {
  EXPECT_EQ(Type::decimal(10, 2).oid(), 1700u);
  EXPECT_EQ(Type::decimal(10, 2).typmod(), (10 << 16 | 2) + 4);
  EXPECT_EQ(Type::varchar(256).typmod(), 260);
  EXPECT_EQ(Type::varchar().typmod(), -1);
  EXPECT_EQ(Type(TypeKind::kSuper).oid(), 4000u);
  EXPECT_EQ(Type::array(TypeKind::kText).oid(), 1009u);
  EXPECT_EQ(Type::array(TypeKind::kOid).type_name(), "_oid");
  EXPECT_EQ(Type(TypeKind::kTimestampTz).type_name(), "timestamptz");
}

TEST(Type, FoundByOidAndName) {
  EXPECT_EQ(type_from_oid(1043, 24), Type::varchar(20));
  EXPECT_EQ(type_from_oid(1700, (38 << 16 | 37) + 4), Type::decimal(38, 37));
  EXPECT_EQ(type_from_oid(1005), Type::array(TypeKind::kSmallint));
  EXPECT_FALSE(type_from_oid(2950));
  EXPECT_FALSE(type_from_oid(0));
  EXPECT_EQ(type_from_name("int8"), Type(TypeKind::kBigint));
  EXPECT_EQ(type_from_name("_int4"), Type::array(TypeKind::kInteger));
  EXPECT_FALSE(type_from_name("uuid"));
}

TEST(Type, EveryKindIsFoundByItsOid) {
  for (int kind = 0; kind < static_cast<int>(TypeKind::kArray); ++kind) {
    Type type{static_cast<TypeKind>(kind)};
    auto found = type_from_oid(type.oid());
    ASSERT_TRUE(found) << type.format();
    EXPECT_EQ(found->kind, type.kind) << type.format();
  }
}

}  // namespace
}  // namespace redoubt::warehouse::sql
