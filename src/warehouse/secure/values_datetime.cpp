#include <array>
#include <charconv>
#include <vector>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::secure::values {
namespace {

constexpr int64_t kDay = 86400LL * 1000000;

constexpr std::array<std::string_view, 12> kMonths{"january", "february", "march",     "april",   "may",      "june",
                                                   "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdays{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

/// Index from 1 of the name that `word` is, or abbreviates to at least three letters; 0 if none.
template <size_t N>
int name_index(const std::array<std::string_view, N>& names, std::string_view word) {
  if (word.size() < 3) return 0;
  for (size_t i = 0; i < N; i++)
    if (names[i] == word || (names[i].starts_with(word) && word.size() <= 4)) return int(i) + 1;
  return 0;
}

struct Token {
  enum Kind { kNumber, kWord, kSymbol } kind;
  std::string_view text;
};

std::vector<Token> tokens_of(std::string_view s) {
  std::vector<Token> out;
  for (size_t i = 0; i < s.size();) {
    size_t start = i;
    if (is_digit(s[i])) {
      while (i < s.size() && is_digit(s[i])) i++;
      out.push_back({Token::kNumber, s.substr(start, i - start)});
    } else if (is_alpha(s[i])) {
      // A zone name may hold slashes and underscores: America/New_York.
      while (i < s.size() && (is_alpha(s[i]) || s[i] == '_' || (s[i] == '/' && i + 1 < s.size() && is_alpha(s[i + 1])))) i++;
      out.push_back({Token::kWord, s.substr(start, i - start)});
    } else {
      i++;
      if (s[start] != ' ' || (!out.empty() && out.back().text != " ")) out.push_back({Token::kSymbol, s.substr(start, 1)});
    }
  }
  return out;
}

/// Reads the tokens of one date or time text from left to right.
class Reader {
 public:
  Reader(std::string_view text, int64_t now) : tokens_(tokens_of(text)), now_(now) {}

  bool overflow() const { return overflow_; }

  bool read(DateTime& out) {
    while (at_ < tokens_.size()) {
      if (!read_part(out)) return false;
    }
    if (bc_) year_ = 1 - year_;
    if (pm_ || am_) {
      if (!out.has_time || hour_ < 1 || hour_ > 12) return overflow_ = true, false;
      out.micros += ((hour_ % 12) + (pm_ ? 12 : 0) - hour_) * 3600LL * 1000000;
    }
    if (have_words_) return true;
    if (fields_ == 0) return out.has_time;
    if (fields_ != 3) return false;
    auto days = days_from_civil(year_, month_, day_);
    if (!days) return overflow_ = true, false;
    out.days = *days;
    out.has_date = true;
    return true;
  }

 private:
  std::string_view peek(size_t ahead = 0) const { return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead].text : ""; }
  bool is_number(size_t ahead = 0) const { return at_ + ahead < tokens_.size() && tokens_[at_ + ahead].kind == Token::kNumber; }
  static int64_t number(std::string_view s) {
    int64_t v = 0;
    std::from_chars(s.data(), s.data() + std::min<size_t>(s.size(), 18), v);
    return v;
  }

  bool read_part(DateTime& out) {
    const Token& t = tokens_[at_];
    if (t.kind == Token::kSymbol) return read_symbol(out, t.text[0]);
    if (t.kind == Token::kWord) return read_word(out, to_lower(t.text));
    if (peek(1) == ":") return read_time(out);
    return read_date_number(out);
  }

  bool read_symbol(DateTime& out, char c) {
    // A date alone may have an offset too, which PostgreSQL's JDBC driver sends: 2024-02-29 +00
    if ((c == '+' || c == '-') && (out.has_time || fields_ == 3) && is_number(1)) return read_offset(out, c == '-');
    at_++;
    return c == ' ' || c == ',' || c == '-' || c == '/' || c == '.';
  }

  bool read_offset(DateTime& out, bool west) {
    at_++;
    auto digits = peek();
    at_++;
    int64_t hours = number(digits), minutes = 0;
    if (digits.size() > 2) {
      hours = number(digits) / 100;
      minutes = number(digits) % 100;
    } else if (peek() == ":" && is_number(1)) {
      minutes = number(peek(1));
      at_ += 2;
    }
    if (hours > 15 || minutes > 59) return overflow_ = true, false;
    out.offset_seconds = int32_t((hours * 60 + minutes) * 60) * (west ? -1 : 1);
    return true;
  }

  bool read_time(DateTime& out) {
    if (out.has_time) return false;
    int64_t hour = number(peek()), minute = 0, second = 0, micros = 0;
    at_ += 2;
    if (!is_number()) return false;
    minute = number(peek());
    at_++;
    if (peek() == ":") {
      if (!is_number(1)) return false;
      second = number(peek(1));
      at_ += 2;
      if (peek() == ".") {
        at_++;
        if (is_number()) {
          std::string fraction(peek());
          at_++;
          bool up = fraction.size() > 6 && fraction[6] >= '5';
          fraction.resize(6, '0');
          micros = number(fraction) + (up ? 1 : 0);
        }
      }
    }
    int64_t total = ((hour * 60 + minute) * 60 + second) * 1000000 + micros;
    if (hour > 24 || minute > 59 || second > 60 || total > kDay) return overflow_ = true, false;
    out.micros = total;
    out.has_time = true;
    hour_ = hour;
    return true;
  }

  bool read_word(DateTime& out, const std::string& word) {
    at_++;
    if (word == "t" && fields_ == 3 && is_number()) return true;  // ISO 8601's separator
    if (int m = name_index(kMonths, word)) {
      if (fields_ == 1 && !month_named_) day_ = year_first_ ? 0 : month_;  // 08-Jan-1999: what was read first is the day
      if (fields_ > 1 || month_named_) return false;
      month_ = m;
      month_named_ = true;
      fields_++;
      return true;
    }
    if (name_index(kWeekdays, word)) return true;
    if (word == "am") return am_ = true;
    if (word == "pm") return pm_ = true;
    if (word == "ad") return true;
    if (word == "bc") return bc_ = true;
    if (word == "at") return true;
    if (word == "z" || word == "utc" || word == "gmt" || word == "zulu") return out.offset_seconds = 0, true;
    if (word == "epoch") return out.has_date = have_words_ = true;
    bool relative = word == "now" || word == "today" || word == "tomorrow" || word == "yesterday";
    if (relative && now_ == kNoNow) return false;
    int64_t today = now_ == kNoNow ? 0 : now_ >= 0 ? now_ / kDay : -((-now_ + kDay - 1) / kDay);
    auto at = [&](int64_t days, int64_t micros) {
      out.days = int32_t(days);
      if (!out.has_time) out.micros = micros;
      out.has_date = have_words_ = true;
      return true;
    };
    if (word == "now") return out.has_time = true, at(today, now_ - today * kDay);
    if (word == "today") return at(today, 0);
    if (word == "tomorrow") return at(today + 1, 0);
    if (word == "yesterday") return at(today - 1, 0);
    if (out.has_time && out.zone.empty()) {
      out.zone = std::string(tokens_[at_ - 1].text);
      return true;
    }
    return false;
  }

  bool read_date_number(DateTime& out) {
    auto digits = peek();
    at_++;
    if (digits.size() > 9) return overflow_ = true, false;
    int64_t v = number(digits);
    if (fields_ == 0 && (digits.size() == 8 || digits.size() == 6) && peek() != "-" && peek() != "/") {  // 19990108, 990108
      year_ = digits.size() == 8 ? v / 10000 : two_digit_year(v / 10000);
      month_ = int(v / 100 % 100);
      day_ = int(v % 100);
      fields_ = 3;
      return true;
    }
    if (fields_ == 3) {
      if (out.has_time || (digits.size() != 6 && digits.size() != 4)) return false;  // 20080215T101500
      int64_t hms = digits.size() == 6 ? v : v * 100;
      out.micros = ((hms / 10000 * 60 + hms / 100 % 100) * 60 + hms % 100) * 1000000;
      out.has_time = true;
      hour_ = hms / 10000;
      return hour_ < 24 && hms / 100 % 100 < 60 && hms % 100 < 60;
    }
    if (month_named_) return read_beside_month(digits, v);
    if (fields_ == 0) {
      if (digits.size() >= 3) {
        year_ = v;
        year_first_ = true;
      } else {
        month_ = int(v);  // MDY; a day if a month's name follows
        if (v > 31) year_ = two_digit_year(v), year_first_ = true;
      }
    } else if (fields_ == 1) {
      (year_first_ ? month_ : day_) = int(v);
    } else if (year_first_) {
      day_ = int(v);
    } else {
      year_ = digits.size() <= 2 ? two_digit_year(v) : v;
      if (month_ > 12 && day_ <= 12) std::swap(month_, day_);  // 31/1/2020 can only be day first
    }
    fields_++;
    return true;
  }

  /// The month stands as a word: the other two numbers are day and year, the one with three digits or more the year.
  bool read_beside_month(std::string_view digits, int64_t v) {
    if (fields_ == 1) {
      if (digits.size() >= 3)
        year_ = v, year_first_ = true;
      else
        day_ = int(v);
    } else if (year_first_) {
      day_ = int(v);
    } else {
      year_ = digits.size() <= 2 ? two_digit_year(v) : v;
    }
    fields_++;
    return true;
  }

  static int64_t two_digit_year(int64_t v) { return v < 70 ? 2000 + v : 1900 + v; }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int64_t now_;
  int fields_ = 0;
  int64_t year_ = 0;
  int month_ = 0, day_ = 0;
  int64_t hour_ = 0;
  bool month_named_ = false, year_first_ = false, am_ = false, pm_ = false, bc_ = false, have_words_ = false;
  bool overflow_ = false;
};

std::unexpected<Error> bad_datetime(bool overflow, std::string_view type, std::string_view text) {
  if (overflow) return fail(kDatetimeOverflow, "date/time field value out of range: \"" + std::string(text) + "\"");
  return fail(kInvalidDatetime, "invalid input syntax for type " + std::string(type) + ": \"" + std::string(text) + "\"");
}

void two_digits(std::string& out, int64_t v) {
  out += char('0' + v / 10 % 10);
  out += char('0' + v % 10);
}

}  // namespace

std::optional<int32_t> days_from_civil(int64_t year, int month, int day) {
  if (month < 1 || month > 12 || day < 1 || year < -4712 || year > 294276) return std::nullopt;
  static constexpr int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day > kLengths[month - 1] + (month == 2 && leap ? 1 : 0)) return std::nullopt;
  int64_t y = year - (month <= 2 ? 1 : 0);
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t yoe = y - era * 400;
  int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return int32_t(era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468);
}

Civil civil_from_days(int64_t days) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t doe = days - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  int64_t mp = (5 * doy + 2) / 153;
  int month = int(mp < 10 ? mp + 3 : mp - 9);
  return {yoe + era * 400 + (month <= 2 ? 1 : 0), month, int(doy - (153 * mp + 2) / 5 + 1)};
}

Result<DateTime> parse_datetime(std::string_view text, std::string_view type_name, int64_t now_micros) {
  auto s = text;
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  Reader reader(s, now_micros);
  DateTime out;
  if (s.empty() || s.size() > 128 || !reader.read(out)) return bad_datetime(reader.overflow(), type_name, text);
  return out;
}

Result<int32_t> parse_date(std::string_view text, int64_t now_micros) {
  TRY(DateTime d, parse_datetime(text, "date", now_micros));
  if (!d.has_date) return bad_datetime(false, "date", text);
  return d.days;
}

Result<int64_t> parse_time(std::string_view text, int64_t now_micros) {
  TRY(DateTime d, parse_datetime(text, "time", now_micros));
  if (!d.has_time) return bad_datetime(false, "time", text);
  return d.micros;
}

int64_t utc_time_of_day(int64_t micros, int32_t offset_seconds) {
  return ((micros - int64_t{offset_seconds} * 1000000) % kDay + kDay) % kDay;
}

Result<int64_t> parse_timetz(std::string_view text, int64_t now_micros) {
  TRY(DateTime d, parse_datetime(text, "time with time zone", now_micros));
  auto offset = d.offset_seconds;
  if (!offset) offset = d.zone.empty() ? 0 : fixed_offset(d.zone);
  if (!d.has_time || !offset) return bad_datetime(false, "time with time zone", text);
  return utc_time_of_day(d.micros, *offset);
}

Result<int64_t> parse_timestamp(std::string_view text, int64_t now_micros) {
  TRY(DateTime d, parse_datetime(text, "timestamp", now_micros));
  if (!d.has_date) return bad_datetime(false, "timestamp", text);
  return d.days * kDay + d.micros;
}

std::optional<int32_t> fixed_offset(std::string_view zone) {
  auto z = to_lower(zone);
  for (std::string_view utc : {"utc", "gmt", "z", "zulu", "uct", "etc/utc", "universal"})
    if (z == utc) return 0;
  std::string_view rest = z;
  if (rest.starts_with("utc") || rest.starts_with("gmt")) rest.remove_prefix(3);
  if (rest.size() < 2 || (rest[0] != '+' && rest[0] != '-')) return std::nullopt;
  // POSIX: a positive offset lies west of Greenwich when a name precedes it, east as ISO has it when it stands alone.
  bool posix = rest.size() != z.size();
  int sign = (rest[0] == '-' ? -1 : 1) * (posix ? -1 : 1);
  auto parts = split(rest.substr(1), ':');
  if (parts.size() > 2 || parts[0].empty() || parts[0].size() > 2) return std::nullopt;
  auto hours = parse_int(parts[0]);
  auto minutes = parts.size() == 2 ? parse_int(parts[1]) : 0;
  if (!hours || !minutes || *hours < 0 || *hours > 15 || *minutes < 0 || *minutes > 59) return std::nullopt;
  return sign * int32_t((*hours * 60 + *minutes) * 60);
}

std::string format_date(int64_t days) {
  auto c = civil_from_days(days);
  bool bc = c.year <= 0;
  int64_t year = bc ? 1 - c.year : c.year;
  std::string out = std::to_string(year);
  if (out.size() < 4) out.insert(0, 4 - out.size(), '0');
  out += '-';
  two_digits(out, c.month);
  out += '-';
  two_digits(out, c.day);
  if (bc) out += " BC";
  return out;
}

std::string format_time(int64_t micros) {
  std::string out;
  int64_t seconds = micros / 1000000, fraction = micros % 1000000;
  two_digits(out, seconds / 3600);
  out += ':';
  two_digits(out, seconds / 60 % 60);
  out += ':';
  two_digits(out, seconds % 60);
  if (fraction != 0) {
    auto digits = std::to_string(1000000 + fraction).substr(1);
    while (digits.back() == '0') digits.pop_back();
    out += '.' + digits;
  }
  return out;
}

std::string format_timestamp(int64_t micros) {
  int64_t days = micros >= 0 ? micros / kDay : -((-micros + kDay - 1) / kDay);
  auto date = format_date(days);
  auto time = " " + format_time(micros - days * kDay);
  if (date.ends_with(" BC")) return date.substr(0, date.size() - 3) + time + " BC";
  return date + time;
}

std::string format_offset(int32_t seconds) {
  std::string out(1, seconds < 0 ? '-' : '+');
  int64_t s = seconds < 0 ? -int64_t(seconds) : seconds;
  two_digits(out, s / 3600);
  if (s % 3600 != 0) {
    out += ':';
    two_digits(out, s / 60 % 60);
  }
  return out;
}

}  // namespace redoubt::warehouse::secure::values
