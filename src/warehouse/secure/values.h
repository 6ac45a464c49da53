#pragma once
/// Text forms of Redshift's scalar types: what a literal or a cast from text accepts, and what a value looks like as text.
/// One implementation for constants (folded by the analyzer) and for columns (called by the engine's functions).
///
///   values::parse_integer("  42 ", values::Width::k32)   // 42
///   values::parse_date("1/31/2020")                       // days since 1970-01-01
///
/// Units: dates are days, times and timestamps microseconds since 1970-01-01 00:00 (UTC for timestamptz), decimals integers
/// scaled by 10^scale. Errors: kInvalidText, kInvalidDatetime, kDatetimeOverflow, kOutOfRange; messages quote the caller's
/// text. Pure; any thread.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::warehouse::secure::values {

using Int128 = __int128;

enum class Width : uint8_t { k16, k32, k64 };

Result<bool> parse_bool(std::string_view text);
/// Decimal digits with an optional sign, blanks around; no fraction, exponent, underscore or hexadecimal form.
Result<int64_t> parse_integer(std::string_view text, Width width);
Result<double> parse_double(std::string_view text);
Result<float> parse_float(std::string_view text);

struct Decimal {
  Int128 units = 0;
  int scale = 0;
  int precision = 1;  // digits that the text needed: 12.50 has (4,2)
};
/// Any decimal text of at most 38 significant digits (after rounding a longer fraction), exponents included.
Result<Decimal> parse_decimal(std::string_view text);
/// Rounds half away from zero to `scale`; kOutOfRange if the result needs more than `precision` digits.
Result<Int128> rescale(const Decimal& value, int precision, int scale);
Int128 power_of_ten(int exponent);  // 0..38
std::string format_decimal(Int128 units, int scale);

/// Days since 1970-01-01 of a proleptic Gregorian date; nullopt if there is no such day.
std::optional<int32_t> days_from_civil(int64_t year, int month, int day);
struct Civil {
  int64_t year;
  int month, day;
};
Civil civil_from_days(int64_t days);

/// What a date or time text says. Order of ambiguous numbers: month, day, year (DateStyle "ISO, MDY").
struct DateTime {
  int32_t days = 0;
  int64_t micros = 0;  // of the day; 86400000000 only for 24:00:00
  bool has_date = false, has_time = false;
  std::optional<int32_t> offset_seconds;  // east of UTC
  std::string zone;                       // a zone given by name, e.g. "US/Eastern"; "" if none
};
/// `now_micros` is what the words now, today, tomorrow, yesterday mean; with kNoNow they are refused (a column's text has no
/// now). The type name is for messages.
inline constexpr int64_t kNoNow = INT64_MIN;
Result<DateTime> parse_datetime(std::string_view text, std::string_view type_name, int64_t now_micros);

Result<int32_t> parse_date(std::string_view text, int64_t now_micros = kNoNow);
Result<int64_t> parse_time(std::string_view text, int64_t now_micros = kNoNow);
Result<int64_t> parse_timestamp(std::string_view text, int64_t now_micros = kNoNow);
/// TIMETZ is kept in UTC (Database Developer Guide, "Datetime types"): microseconds of the day there.
Result<int64_t> parse_timetz(std::string_view text, int64_t now_micros = kNoNow);
int64_t utc_time_of_day(int64_t micros, int32_t offset_seconds);

/// A zone of the server's zone table ("UTC", "US/Eastern") or an offset ("+03:00", "UTC+3"): the offset in seconds if it is
/// a fixed one. nullopt: not fixed.
std::optional<int32_t> fixed_offset(std::string_view zone);

struct Interval {
  int32_t months = 0, days = 0;
  int64_t micros = 0;
};
/// '1 day', '1 year 2 mons -3 days 04:05:06', '1-2' (year to month), '3 days ago'. `fields` is what followed an INTERVAL
/// literal ("day", "year to month"), "" if nothing: it says what a bare number counts.
Result<Interval> parse_interval(std::string_view text, std::string_view fields = {});
std::string format_interval(const Interval& value);  // 1 year 2 mons 3 days 04:05:06

std::string format_bool(bool value);           // as a cast to text: true, false
std::string format_double(double value);       // 15 significant digits
std::string format_float(float value);         // 6 significant digits
std::string format_date(int64_t days);         // 2020-01-31; BC years as "0044-03-15 BC"
std::string format_time(int64_t micros);       // 12:34:56[.789]
std::string format_timestamp(int64_t micros);  // 2020-01-31 12:34:56[.789]
std::string format_offset(int32_t seconds);    // +00, +05:30

/// At most `bytes` bytes of `text`, not cutting a UTF-8 character in two.
std::string_view cut(std::string_view text, size_t bytes);
std::string_view trim_trailing_blanks(std::string_view text);

}  // namespace redoubt::warehouse::secure::values
