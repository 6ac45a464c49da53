#include "warehouse/secure/values.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::secure::values {
namespace {

RC_GTEST_PROP(Values, DatesSurviveTheirText, ()) {
  int32_t days = *rc::gen::inRange(-2400000, 2900000);
  RC_ASSERT(parse_date(format_date(days)).value() == days);
}

RC_GTEST_PROP(Values, TimestampsSurviveTheirText, ()) {
  int64_t micros = *rc::gen::inRange<int64_t>(-60000000000000000, 200000000000000000);
  RC_ASSERT(parse_timestamp(format_timestamp(micros)).value() == micros);
}

RC_GTEST_PROP(Values, DecimalsSurviveTheirText, ()) {
  int64_t units = *rc::gen::arbitrary<int64_t>();
  int scale = *rc::gen::inRange(0, 19);
  auto d = parse_decimal(format_decimal(units, scale)).value();
  RC_ASSERT(d.scale == scale);
  RC_ASSERT(d.units == units);
}

RC_GTEST_PROP(Values, IntervalsSurviveTheirText, ()) {
  Interval i;
  i.months = *rc::gen::inRange(0, 100000);
  i.days = *rc::gen::inRange(0, 100000);
  i.micros = *rc::gen::inRange<int64_t>(0, 3600000000000);
  auto back = parse_interval(format_interval(i)).value();
  RC_ASSERT(back.months == i.months);
  RC_ASSERT(back.days == i.days);
  RC_ASSERT(back.micros == i.micros);
}

RC_GTEST_PROP(Values, NoTextBreaksTheReaders, (const std::string& text)) {
  (void)parse_date(text);
  (void)parse_timestamp(text);
  (void)parse_interval(text);
  (void)parse_decimal(text);
  (void)parse_double(text);
  (void)parse_bool(text);
  (void)parse_integer(text, Width::k32);
}

TEST(Values, IntegersAreStrict) {
  EXPECT_EQ(parse_integer(" -42 ", Width::k16).value(), -42);
  for (auto bad : {"", " ", "1.0", "0x10", "1e3", "1_0", "+-1", "--1", "1 2"})
    EXPECT_TRUE(parse_integer(bad, Width::k64).error().is(kInvalidText)) << bad;
  EXPECT_TRUE(parse_integer("32768", Width::k16).error().is(kOutOfRange));
  EXPECT_EQ(parse_integer("-9223372036854775808", Width::k64).value(), INT64_MIN);
  EXPECT_TRUE(parse_integer("9223372036854775808", Width::k64).error().is(kOutOfRange));
}

TEST(Values, DecimalsRoundHalfAwayFromZero) {
  EXPECT_EQ(rescale(parse_decimal("2.345").value(), 5, 2).value(), 235);
  EXPECT_EQ(rescale(parse_decimal("-2.345").value(), 5, 2).value(), -235);
  EXPECT_EQ(rescale(parse_decimal("1e2").value(), 5, 1).value(), 1000);
  EXPECT_TRUE(rescale(parse_decimal("999.999").value(), 5, 2).error().is(kOutOfRange));
  EXPECT_TRUE(parse_decimal("1e999999").error().is(kOutOfRange));
  EXPECT_EQ(format_decimal(-5, 3), "-0.005");
}

TEST(Values, DatesInTheFormsRedshiftTakes) {
  int32_t day = days_from_civil(2020, 1, 8).value();
  for (auto text : {"2020-01-08", "20200108", "1/8/2020", "January 8, 2020", "08-Jan-2020", "2020-Jan-08", "Jan-08-2020",
                    "01.08.2020", "2020/01/08"})
    EXPECT_EQ(parse_date(text).value(), day) << text;
  EXPECT_TRUE(parse_date("2020-02-30").error().is(kDatetimeOverflow));
  EXPECT_TRUE(parse_date("soon").error().is(kInvalidDatetime));
  EXPECT_TRUE(parse_date("today").error().is(kInvalidDatetime));
  EXPECT_EQ(parse_date("today", int64_t(day) * 86400000000 + 5).value(), day);
  EXPECT_EQ(parse_timestamp("2020-01-08T10:11:12.5").value(), int64_t(day) * 86400000000 + 36672500000);
  EXPECT_EQ(parse_timestamp("2020-01-08 10:11 PM").value(), int64_t(day) * 86400000000 + 79860000000);
  EXPECT_EQ(parse_datetime("2020-01-08 10:00+05:30", "timestamptz", kNoNow).value().offset_seconds, 19800);
}

TEST(Values, CutNeverHalvesACharacter) {
  EXPECT_EQ(cut("h\xC3\xA9llo", 2), "h");
  EXPECT_EQ(cut("h\xC3\xA9llo", 3), "h\xC3\xA9");
}

}  // namespace
}  // namespace redoubt::warehouse::secure::values
