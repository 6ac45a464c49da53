#include "warehouse/session/parameter_types.h"

#include <gtest/gtest.h>

#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::session {
namespace {
using sql::Type;

std::optional<Type> measure(std::string text) { return measure_decimal({.value = std::move(text)}); }

TEST(ParameterTypes, ADecimalIsAsWideAsItsValue) {
  EXPECT_EQ(measure("1.25"), Type::decimal(3, 2));
  EXPECT_EQ(measure(" -0.001 "), Type::decimal(4, 3));
  EXPECT_EQ(measure(".5"), Type::decimal(1, 1));
  EXPECT_EQ(measure("42"), Type::decimal(2, 0));
  EXPECT_EQ(measure("1.5e3"), Type::decimal(4, 0));
  EXPECT_EQ(measure("15E-4"), Type::decimal(4, 4));
  EXPECT_EQ(measure("0"), Type::decimal(1, 0));
  EXPECT_EQ(measure(std::string(50, '1') + "." + std::string(50, '2')), Type::decimal(38, 37));  // too wide: the engine says so
}

TEST(ParameterTypes, WhatIsNoNumberIsLeftToTheConversion) {
  for (auto* text : {"", " ", ".", "-", "1.2.3", "x", "NaN", "1e", "1e9999999999999", "1e5000"})
    EXPECT_FALSE(measure(text)) << text;
  EXPECT_FALSE(measure_decimal({.value = std::nullopt}));
}

TEST(ParameterTypes, BinaryNumericTellsItsScale) {
  // 1.25: digits 1, 2500; weight 0; positive; two digits behind the point.
  std::string bytes("\0\2\0\0\0\0\0\2\0\1\x09\xc4", 12);
  EXPECT_EQ(measure_decimal({.value = bytes, .binary = true}), Type::decimal(6, 2));
  EXPECT_FALSE(measure_decimal({.value = "short", .binary = true}));
}

TEST(ParameterTypes, OnlyOpenNumericsChange) {
  std::vector<Type> declared = {Type::decimal(Type::kAny), Type::decimal(10, 1), sql::TypeKind::kInteger,
                                Type::decimal(Type::kAny)};
  std::vector<engine::Parameter> values = {{.value = "1.25"}, {.value = "1.25"}, {.value = "7"}, {.value = std::nullopt}};
  EXPECT_EQ(types_for_values(declared, values),
            (std::vector<Type>{Type::decimal(3, 2), Type::decimal(10, 1), sql::TypeKind::kInteger, Type::decimal()}));
  EXPECT_EQ(types_for_description(declared)[0], Type::decimal(38, 12));
}

TEST(ParameterTypes, WhatDriversDeclare) {
  EXPECT_EQ(declared_type(0).value(), Type());
  EXPECT_EQ(declared_type(705).value(), Type());
  EXPECT_EQ(declared_type(17).value(), Type::varbyte());
  EXPECT_EQ(declared_type(1700).value().precision, Type::kAny);
  EXPECT_TRUE(declared_type(2950).error().is(secure::kUndefinedObject)) << "uuid";
}

TEST(ParameterTypes, ByteaInBothItsTextForms) {
  auto read = [](std::string text) -> std::optional<std::string> {
    uint32_t oids[] = {17};
    engine::Parameter values[] = {{std::move(text)}};
    if (!read_byteas(oids, values)) return std::nullopt;
    EXPECT_TRUE(values[0].binary);
    return values[0].value;
  };
  EXPECT_EQ(read("\\x00ff41"), std::string("\0\xff"
                                           "A",
                                           3));
  EXPECT_EQ(read("a\\000\\377\\\\b"), std::string("a\0\xff\\b", 5));
  EXPECT_EQ(read(""), "");
  for (const char* bad : {"\\x0", "\\xzz", "\\", "\\8", "\\400", "\\12"}) EXPECT_FALSE(read(bad)) << bad;
}

}  // namespace
}  // namespace redoubt::warehouse::session
