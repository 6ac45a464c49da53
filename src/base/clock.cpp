#include "base/clock.h"

#include <chrono>
#include <cstdio>

#include "base/text.h"

namespace redoubt {
namespace {
class SystemClock : public Clock {
 public:
  Timestamp now() const override {
    auto d = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(d).count()};
  }
};
struct Parts {
  Civil date;
  int hour, minute, second, micros, weekday;
};
Parts parts(Timestamp t) {
  int64_t s = t.us / 1000000, us = t.us % 1000000;
  if (us < 0) {
    us += 1000000;
    --s;
  }
  int64_t days = s / 86400, rest = s % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  return {civil_from_days(days), int(rest / 3600), int(rest / 60 % 60), int(rest % 60), int(us), int(((days % 7) + 11) % 7)};
}
template <class... A>
std::string format(const char* f, A... a) {
  char buf[80];
  int n = snprintf(buf, sizeof buf, f, a...);
  return std::string(buf, size_t(n));
}
constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Reads exactly n digits at the front of s.
std::optional<int> digits(std::string_view& s, size_t n) {
  if (s.size() < n) return std::nullopt;
  int v = 0;
  for (size_t i = 0; i < n; ++i) {
    if (!is_digit(s[i])) return std::nullopt;
    v = v * 10 + (s[i] - '0');
  }
  s.remove_prefix(n);
  return v;
}
bool eat(std::string_view& s, char c) {
  if (s.empty() || s[0] != c) return false;
  s.remove_prefix(1);
  return true;
}
std::optional<Timestamp> make(int y, int mo, int d, int h, int mi, int s, int us = 0) {
  static constexpr int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (mo < 1 || mo > 12 || d < 1 || d > lengths[mo - 1] || h > 23 || mi > 59 || s > 60) return std::nullopt;
  if (mo == 2 && d == 29 && !(y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))) return std::nullopt;
  return Timestamp{((days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + s) * 1000000) + us};
}
}  // namespace

Clock& Clock::system() {
  static SystemClock clock;
  return clock;
}
Civil civil_from_days(int64_t z) {  // Howard Hinnant's public-domain algorithm
  z += 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  int64_t mp = (5 * doy + 2) / 153;
  int d = int(doy - (153 * mp + 2) / 5 + 1), m = int(mp < 10 ? mp + 3 : mp - 9);
  return {yoe + era * 400 + (m <= 2), m, d};
}
int64_t days_from_civil(int64_t y, int m, int d) {
  y -= m <= 2;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t yoe = y - era * 400, doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1, doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 719468;
}
std::string iso8601(Timestamp t) {
  auto p = parts(t);
  if (p.date.year >= 0 && p.date.year <= 9999) {  // by hand: every authorization decision needs one
    std::string out = "0000-00-00T00:00:00Z";
    auto two = [&](size_t at, int v) { out[at] = char('0' + v / 10), out[at + 1] = char('0' + v % 10); };
    two(0, int(p.date.year / 100)), two(2, int(p.date.year % 100)), two(5, p.date.month), two(8, p.date.day);
    two(11, p.hour), two(14, p.minute), two(17, p.second);
    return out;
  }
  return format("%04ld-%02d-%02dT%02d:%02d:%02dZ", p.date.year, p.date.month, p.date.day, p.hour, p.minute, p.second);
}
std::string iso8601_millis(Timestamp t) {
  auto p = parts(t);
  return format("%04ld-%02d-%02dT%02d:%02d:%02d.%03dZ", p.date.year, p.date.month, p.date.day, p.hour, p.minute, p.second,
                p.micros / 1000);
}
std::string http_date(Timestamp t) {
  auto p = parts(t);
  return format("%s, %02d %s %04ld %02d:%02d:%02d GMT", kDays[p.weekday], p.date.day, kMonths[p.date.month - 1], p.date.year,
                p.hour, p.minute, p.second);
}
std::string amz_date(Timestamp t) {
  auto p = parts(t);
  return format("%04ld%02d%02dT%02d%02d%02dZ", p.date.year, p.date.month, p.date.day, p.hour, p.minute, p.second);
}
std::string sql_timestamp(Timestamp t) {
  auto p = parts(t);
  auto s = format("%04ld-%02d-%02d %02d:%02d:%02d", p.date.year, p.date.month, p.date.day, p.hour, p.minute, p.second);
  if (p.micros) s += format(".%06d", p.micros);
  return s;
}
std::optional<Timestamp> parse_iso8601(std::string_view s) {
  auto y = digits(s, 4);
  if (!y || !eat(s, '-')) return std::nullopt;
  auto mo = digits(s, 2);
  if (!mo || !eat(s, '-')) return std::nullopt;
  auto d = digits(s, 2);
  if (!d) return std::nullopt;
  if (s.empty()) return make(*y, *mo, *d, 0, 0, 0);
  if (!eat(s, 'T') && !eat(s, ' ') && !eat(s, 't')) return std::nullopt;
  auto h = digits(s, 2);
  if (!h || !eat(s, ':')) return std::nullopt;
  auto mi = digits(s, 2);
  if (!mi) return std::nullopt;
  int sec = 0, us = 0;
  if (eat(s, ':')) {
    auto v = digits(s, 2);
    if (!v) return std::nullopt;
    sec = *v;
    if (eat(s, '.')) {
      int scale = 100000, n = 0;
      while (!s.empty() && is_digit(s[0])) {
        us += (s[0] - '0') * scale;
        scale /= 10;
        ++n;
        s.remove_prefix(1);
      }
      if (!n) return std::nullopt;
    }
  }
  int offset = 0;
  if (!s.empty() && s != "Z" && s != "z") {
    int sign = s[0] == '+' ? 1 : s[0] == '-' ? -1 : 0;
    if (!sign) return std::nullopt;
    s.remove_prefix(1);
    auto oh = digits(s, 2);
    if (!oh) return std::nullopt;
    eat(s, ':');
    int om = 0;
    if (!s.empty()) {
      auto v = digits(s, 2);
      if (!v) return std::nullopt;
      om = *v;
    }
    if (!s.empty() || *oh > 23 || om > 59) return std::nullopt;
    offset = sign * (*oh * 3600 + om * 60);
  }
  auto t = make(*y, *mo, *d, *h, *mi, sec, us);
  if (!t) return t;
  return t->plus_seconds(-offset);
}
std::optional<Timestamp> parse_amz_date(std::string_view s) {
  auto y = digits(s, 4), mo = digits(s, 2), d = digits(s, 2);
  if (!y || !mo || !d || !eat(s, 'T')) return std::nullopt;
  auto h = digits(s, 2), mi = digits(s, 2), sec = digits(s, 2);
  if (!h || !mi || !sec || s != "Z") return std::nullopt;
  return make(*y, *mo, *d, *h, *mi, *sec);
}
std::optional<Timestamp> parse_http_date(std::string_view s) {
  size_t comma = s.find(", ");
  if (comma == s.npos) return std::nullopt;
  s.remove_prefix(comma + 2);
  auto d = digits(s, 2);
  if (!d || !eat(s, ' ') || s.size() < 4) return std::nullopt;
  int month = 0;
  for (int i = 0; i < 12; ++i)
    if (s.substr(0, 3) == kMonths[i]) month = i + 1;
  s.remove_prefix(3);
  if (!month || !eat(s, ' ')) return std::nullopt;
  auto y = digits(s, 4);
  if (!y || !eat(s, ' ')) return std::nullopt;
  auto h = digits(s, 2);
  if (!h || !eat(s, ':')) return std::nullopt;
  auto mi = digits(s, 2);
  if (!mi || !eat(s, ':')) return std::nullopt;
  auto sec = digits(s, 2);
  if (!sec || trim(s) != "GMT") return std::nullopt;
  return make(*y, month, *d, *h, *mi, *sec);
}
}  // namespace redoubt
