#include <charconv>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/functions.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::secure::values {
namespace {

constexpr int64_t kSecond = 1000000;

/// Adds `amount` units of a date part; a fraction of a month or day goes to the next smaller unit, as PostgreSQL does.
bool add(double& months, double& days, double& micros, double amount, std::string_view part) {
  auto whole_months = [&](double m) {
    double whole = std::trunc(m);
    months += whole;
    days += (m - whole) * 30;
  };
  if (part == "millennium")
    whole_months(amount * 12000);
  else if (part == "century")
    whole_months(amount * 1200);
  else if (part == "decade")
    whole_months(amount * 120);
  else if (part == "year")
    whole_months(amount * 12);
  else if (part == "quarter")
    whole_months(amount * 3);
  else if (part == "month")
    whole_months(amount);
  else if (part == "week")
    days += amount * 7;
  else if (part == "day")
    days += amount;
  else if (part == "hour")
    micros += amount * 3600 * kSecond;
  else if (part == "minute")
    micros += amount * 60 * kSecond;
  else if (part == "second")
    micros += amount * kSecond;
  else if (part == "millisecond")
    micros += amount * 1000;
  else if (part == "microsecond")
    micros += amount;
  else
    return false;
  return true;
}

}  // namespace

Result<Interval> parse_interval(std::string_view text, std::string_view fields) {
  auto bad = [&] { return fail(kInvalidDatetime, "invalid input syntax for type interval: \"" + std::string(text) + "\""); };
  std::string unit = fields.empty() ? "second" : std::string(split(fields, ' ').back());
  double months = 0, days = 0, micros = 0;
  bool ago = false, any = false;
  std::string s = to_lower(text);
  size_t i = 0;
  auto skip = [&] {
    while (i < s.size() && (s[i] == ' ' || s[i] == ',' || s[i] == '@')) i++;
  };
  auto number = [&](double& out) {
    size_t start = i;
    if (i < s.size() && (s[i] == '-' || s[i] == '+')) i++;
    size_t digits = i;
    while (i < s.size() && (is_digit(s[i]) || s[i] == '.')) i++;
    if (i == digits) return false;
    auto from = s[start] == '+' ? start + 1 : start;
    auto [end, ec] = std::from_chars(s.data() + from, s.data() + i, out);
    return ec == std::errc{} && end == s.data() + i;
  };
  for (skip(); i < s.size(); skip()) {
    if (s.compare(i, 3, "ago") == 0) {
      ago = true;
      i += 3;
      continue;
    }
    bool negative = s[i] == '-';
    double n = 0;
    if (!number(n)) return bad();
    any = true;
    if (i < s.size() && s[i] == ':') {  // hh:mm[:ss[.f]], or mm:ss
      double parts[3] = {std::abs(n), 0, 0};
      int count = 1;
      while (count < 3 && i < s.size() && s[i] == ':') {
        i++;
        if (i >= s.size() || !is_digit(s[i]) || !number(parts[count])) return bad();
        count++;
      }
      double seconds =
          fields == "minute to second" && count == 2 ? parts[0] * 60 + parts[1] : (parts[0] * 60 + parts[1]) * 60 + parts[2];
      micros += (negative ? -seconds : seconds) * kSecond;
      continue;
    }
    if (i < s.size() && s[i] == '-' && i + 1 < s.size() && is_digit(s[i + 1])) {  // years-months
      i++;
      double m = 0;
      if (!number(m)) return bad();
      months += negative ? n * 12 - m : n * 12 + m;
      continue;
    }
    skip();
    size_t start = i;
    while (i < s.size() && is_alpha(s[i])) i++;
    std::string word = s.substr(start, i - start);
    if (word == "ago" || word.empty()) {
      i = start;
      // '1 12:00:00' DAY TO SECOND: the number before a time counts days
      bool before_time = s.find(':', start) != std::string::npos;
      if (!add(months, days, micros, n, before_time ? "day" : unit)) return bad();
      continue;
    }
    auto part = date_part(word);
    if (part.empty() || !add(months, days, micros, n, part)) return bad();
  }
  if (!any) return bad();
  double whole_days = std::trunc(days);
  micros += (days - whole_days) * 86400 * double(kSecond);
  if (ago) months = -months, whole_days = -whole_days, micros = -micros;
  if (std::abs(months) > 2e9 || std::abs(whole_days) > 2e9 || std::abs(micros) > 9e18)
    return fail(kDatetimeOverflow, "interval field value out of range: \"" + std::string(text) + "\"");
  return Interval{int32_t(std::lround(months)), int32_t(whole_days), std::llround(micros)};
}

std::string format_interval(const Interval& v) {
  std::string out;
  auto part = [&](int64_t n, const char* name) {
    if (n == 0) return;
    if (!out.empty()) out += ' ';
    out += std::to_string(n) + ' ' + name + (n == 1 || n == -1 ? "" : "s");
  };
  part(v.months / 12, "year");
  part(v.months % 12, "mon");
  part(v.days, "day");
  if (v.micros != 0 || out.empty()) {
    if (!out.empty()) out += ' ';
    if (v.micros < 0) out += '-';
    int64_t m = v.micros < 0 ? -v.micros : v.micros;
    out += m < 100LL * 3600 * kSecond ? format_time(m)
                                      : std::to_string(m / (3600 * kSecond)) + format_time(m % (3600 * kSecond)).substr(2);
  }
  return out;
}

}  // namespace redoubt::warehouse::secure::values
