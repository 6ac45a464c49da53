#include "warehouse/transfer/time_format.h"

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::transfer {
namespace {

namespace values = secure::values;

constexpr int64_t kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;

/// Exactly `digits` digits.
bool take_digits(std::string_view& s, size_t digits, int& out) {
  if (s.size() < digits) return false;
  out = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (!is_digit(s[i])) return false;
    out = out * 10 + (s[i] - '0');
  }
  s.remove_prefix(digits);
  return true;
}

/// One or two digits.
bool take_short(std::string_view& s, int& out) {
  size_t n = s.size() > 1 && is_digit(s[0]) && is_digit(s[1]) ? 2 : 1;
  return take_digits(s, n, out);
}

bool take_fraction(std::string_view& s, int64_t& micros) {
  int64_t scale = kSecond / 10;
  size_t n = 0;
  while (n < s.size() && is_digit(s[n])) {
    micros += (s[n] - '0') * scale;  // digits beyond microseconds are dropped
    scale /= 10;
    ++n;
  }
  s.remove_prefix(n);
  return n > 0;
}

bool take_standard_date(std::string_view& s, int32_t& days) {
  int year, month, day;
  if (s.size() < 10 || s[4] != '-' || s[7] != '-') return false;
  if (!take_digits(s, 4, year)) return false;
  s.remove_prefix(1);
  if (!take_digits(s, 2, month)) return false;
  s.remove_prefix(1);
  if (!take_digits(s, 2, day)) return false;
  auto found = values::days_from_civil(year, month, day);
  if (!found || year == 0) return false;
  days = *found;
  return true;
}

bool standard_timestamp(std::string_view s, ParsedTime& out) {
  s = trim(s);
  if (!take_standard_date(s, out.days)) return false;
  if (s.empty()) return true;
  if (s[0] != ' ' && s[0] != 'T') return false;
  s.remove_prefix(1);
  if (!take_time_of_day(s, out.micros)) return false;
  return s.empty() || parse_zone(s, out);
}

bool auto_timestamp(std::string_view s, ParsedTime& out) {
  auto parsed = values::parse_datetime(s, "timestamp", values::kNoNow);
  if (!parsed || !parsed->has_date) return false;
  out = {parsed->days, parsed->micros, parsed->offset_seconds, parsed->zone};
  return true;
}

bool epoch(std::string_view s, int64_t micros_per_unit, ParsedTime& out) {
  auto n = parse_int(trim(s));
  // Years 1 to 294276, as timestamps go.
  if (!n || *n > INT64_MAX / 2 / micros_per_unit || *n < -62135596800LL * (kSecond / micros_per_unit)) return false;
  int64_t micros = *n * micros_per_unit;
  int64_t days = micros / kDay - (micros % kDay < 0);
  out.days = static_cast<int32_t>(days);
  out.micros = micros - days * kDay;
  out.offset_seconds = 0;
  return true;
}

int month_by_name(std::string_view& s) {
  static constexpr std::string_view kNames[] = {"january", "february", "march",     "april",   "may",      "june",
                                                "july",    "august",   "september", "october", "november", "december"};
  for (int i = 0; i < 12; ++i) {
    auto& name = kNames[i];
    if (s.size() >= name.size() && iequals(s.substr(0, name.size()), name)) {
      s.remove_prefix(name.size());
      return i + 1;
    }
    if (s.size() >= 3 && iequals(s.substr(0, 3), name.substr(0, 3))) {
      s.remove_prefix(3);
      return i + 1;
    }
  }
  return 0;
}

}  // namespace

bool take_time_of_day(std::string_view& s, int64_t& micros) {
  int hour, minute, second = 0;
  if (!take_short(s, hour) || s.empty() || s[0] != ':') return false;
  s.remove_prefix(1);
  if (!take_digits(s, 2, minute)) return false;
  int64_t fraction = 0;
  if (!s.empty() && s[0] == ':') {
    s.remove_prefix(1);
    if (!take_digits(s, 2, second)) return false;
    if (!s.empty() && s[0] == '.') {
      s.remove_prefix(1);
      if (!take_fraction(s, fraction)) return false;
    }
  }
  if (minute > 59 || second > 59 || hour > 24 || (hour == 24 && (minute || second || fraction))) return false;
  micros = hour * kHour + minute * kMinute + second * kSecond + fraction;
  return true;
}

bool parse_zone(std::string_view s, ParsedTime& out) {
  s = trim(s);
  if (s == "Z" || s == "z") {
    out.offset_seconds = 0;
    return true;
  }
  if (s.size() >= 2 && (s[0] == '+' || s[0] == '-')) {
    int sign = s[0] == '-' ? -1 : 1, hours, minutes = 0;
    s.remove_prefix(1);
    if (!take_short(s, hours)) return false;
    if (!s.empty() && s[0] == ':') s.remove_prefix(1);
    if (!s.empty() && !take_digits(s, 2, minutes)) return false;
    if (!s.empty() || hours > 15 || minutes > 59) return false;
    out.offset_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
  }
  if (s.empty() || s.size() > 64) return false;
  if (auto fixed = values::fixed_offset(s)) {
    out.offset_seconds = *fixed;
    return true;
  }
  for (char c : s)
    if (!is_alnum(c) && c != '/' && c != '_' && c != '-' && c != '+') return false;
  out.zone = std::string(s);
  return true;
}

Result<TimeFormat> TimeFormat::parse_date_format(const std::string& text) {
  TimeFormat out;
  out.text_ = text;
  if (text == "auto") {
    out.kind_ = Kind::kAuto;
    return out;
  }
  out.kind_ = Kind::kPattern;
  TRY_VOID(out.compile(false));
  return out;
}

Result<TimeFormat> TimeFormat::parse_time_format(const std::string& text) {
  TimeFormat out;
  out.text_ = text;
  if (text == "auto")
    out.kind_ = Kind::kAuto;
  else if (text == "epochsecs")
    out.kind_ = Kind::kEpochSeconds;
  else if (text == "epochmillisecs")
    out.kind_ = Kind::kEpochMilliseconds;
  else {
    out.kind_ = Kind::kPattern;
    TRY_VOID(out.compile(true));
  }
  return out;
}

Result<void> TimeFormat::compile(bool with_time) {
  struct Word {
    std::string_view text;
    Part part;
    bool time;
  };
  static constexpr Word kWords[] = {
      {"yyyy", Part::kYear4, false},    {"yy", Part::kYear2, false},   {"month", Part::kMonthName, false},
      {"mon", Part::kMonthName, false}, {"mm", Part::kMonth, false},   {"dd", Part::kDay, false},
      {"hh24", Part::kHour24, true},    {"hh12", Part::kHour12, true}, {"hh", Part::kHour24, true},
      {"mi", Part::kMinute, true},      {"ss", Part::kSecond, true},   {"us", Part::kFraction, true},
      {"am", Part::kMeridian, true},    {"pm", Part::kMeridian, true}, {"of", Part::kOffset, true},
  };
  auto wrong = [&] { return fail(secure::kInvalidParameterValue, "Invalid date or time format: '" + text_ + "'"); };
  uint32_t seen = 0;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const Word* word = nullptr;
    for (auto& w : kWords)
      if (!word && rest.size() >= w.text.size() && iequals(rest.substr(0, w.text.size()), w.text)) word = &w;
    if (word) {
      if ((word->time && !with_time) || (seen & (1u << int(word->part)))) return wrong();
      seen |= 1u << int(word->part);
      tokens_.push_back({word->part});
      rest.remove_prefix(word->text.size());
      continue;
    }
    // Letters that are no word would silently have to match themselves; only T, between date and time, does.
    if (is_alnum(rest[0]) && rest[0] != 'T') return wrong();
    tokens_.push_back({Part::kLiteral, rest[0]});
    rest.remove_prefix(1);
  }
  auto has = [&](Part p) { return (seen & (1u << int(p))) != 0; };
  if (!(has(Part::kYear4) || has(Part::kYear2)) || !(has(Part::kMonth) || has(Part::kMonthName)) || !has(Part::kDay))
    return wrong();
  // HH with AM or PM counts to twelve.
  if (has(Part::kMeridian))
    for (auto& token : tokens_)
      if (token.part == Part::kHour24) token.part = Part::kHour12;
  return {};
}

bool TimeFormat::match(std::string_view s, ParsedTime& out, bool need_all) const {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int64_t fraction = 0;
  bool pm = false, meridian = false;
  s = trim(s);
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (s.empty() && !need_all) break;
    bool tight = i + 1 < tokens_.size() && tokens_[i + 1].part != Part::kLiteral;  // no separator follows: exactly two digits
    auto number = [&](int& n) { return tight ? take_digits(s, 2, n) : take_short(s, n); };
    switch (tokens_[i].part) {
      case Part::kLiteral:
        if (s.empty()) {
          if (need_all) return false;
          break;
        }
        if (s[0] != tokens_[i].literal) return false;
        s.remove_prefix(1);
        break;
      case Part::kYear4:
        if (!take_digits(s, 4, year)) return false;
        break;
      case Part::kYear2:
        if (!take_digits(s, 2, year)) return false;
        year += year < 70 ? 2000 : 1900;
        break;
      case Part::kMonth:
        if (!number(month)) return false;
        break;
      case Part::kMonthName:
        month = month_by_name(s);
        if (month == 0) return false;
        break;
      case Part::kDay:
        if (!number(day)) return false;
        break;
      case Part::kHour24:
      case Part::kHour12:
        if (!number(hour)) return false;
        break;
      case Part::kMinute:
        if (!number(minute)) return false;
        break;
      case Part::kSecond:
        if (!number(second)) return false;
        // A fraction may follow although the format has none, unless the format has what comes next.
        if (!s.empty() && s[0] == '.' && (i + 1 == tokens_.size() || tokens_[i + 1].literal != '.')) {
          s.remove_prefix(1);
          if (!take_fraction(s, fraction)) return false;
        }
        break;
      case Part::kFraction:
        if (!take_fraction(s, fraction)) return false;
        break;
      case Part::kMeridian:
        if (s.size() < 2) return false;
        pm = iequals(s.substr(0, 2), "pm");
        if (!pm && !iequals(s.substr(0, 2), "am")) return false;
        meridian = true;
        s.remove_prefix(2);
        break;
      case Part::kOffset:
        if (!parse_zone(s, out)) return false;
        s = {};
        break;
    }
  }
  if (!s.empty() && !parse_zone(s, out)) return false;
  if (meridian) {
    if (hour < 1 || hour > 12) return false;
    hour = hour % 12 + (pm ? 12 : 0);
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  auto days = values::days_from_civil(year, month, day);
  if (!days || year == 0) return false;
  out.days = *days;
  out.micros = hour * kHour + minute * kMinute + second * kSecond + fraction;
  return true;
}

bool TimeFormat::date(std::string_view s, int32_t& days) const {
  ParsedTime parsed;
  switch (kind_) {
    case Kind::kStandard:
      if (s.size() == 10) return take_standard_date(s, days);
      if (!standard_timestamp(s, parsed)) return false;
      break;
    case Kind::kAuto:
      if (!auto_timestamp(s, parsed)) return false;
      break;
    default:
      if (!match(s, parsed, true)) return false;
  }
  days = parsed.days;
  return true;
}

bool TimeFormat::timestamp(std::string_view s, ParsedTime& out) const {
  switch (kind_) {
    case Kind::kStandard:
      return standard_timestamp(s, out);
    case Kind::kAuto:
      return auto_timestamp(s, out);
    case Kind::kEpochSeconds:
      return epoch(s, kSecond, out);
    case Kind::kEpochMilliseconds:
      return epoch(s, 1000, out);
    case Kind::kPattern:
      return match(s, out, false);
  }
  return false;
}

}  // namespace redoubt::warehouse::transfer
