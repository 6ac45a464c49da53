#include "warehouse/engine/duckdb/emit_formats.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"

namespace redoubt::warehouse::engine::formats {
namespace {

namespace values = secure::values;

constexpr std::array<std::string_view, 12> kMonths{"January", "February", "March",     "April",   "May",      "June",
                                                   "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kRoman{"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};

/// Longest first among those that share a beginning.
constexpr std::string_view kWords[] = {
    "HH24", "HH12", "YYYY", "IYYY", "MONTH", "SSSS", "SSSSS", "Y,YYY", "A.M.", "P.M.", "B.C.", "A.D.", "YYY", "IYY", "DDD",
    "IDDD", "DAY",  "MON",  "HH",   "MI",    "SS",   "MS",    "US",    "YY",   "IY",   "MM",   "DD",   "DY",  "WW",  "IW",
    "CC",   "RM",   "AM",   "PM",   "BC",    "AD",   "TZ",    "OF",    "Y",    "I",    "D",    "W",    "Q",   "J",   "ID"};

struct Token {
  std::string_view word;  // upper case, from kWords; empty: literal
  std::string text;       // as written
  bool fill = true;       // no FM
  bool ordinal = false;
  bool upper_suffix = false;
};

std::vector<Token> tokens_of(std::string_view model) {
  std::vector<Token> out;
  bool fill = true;
  for (size_t i = 0; i < model.size();) {
    if (model[i] == '"') {
      auto end = model.find('"', i + 1);
      if (end == std::string_view::npos) end = model.size();
      out.push_back({"", std::string(model.substr(i + 1, end - i - 1))});
      i = std::min(end + 1, model.size());
      continue;
    }
    auto rest = to_upper(model.substr(i, 6));
    if (rest.starts_with("FM")) {
      fill = false;
      i += 2;
      continue;
    }
    std::string_view best;
    for (auto w : kWords)
      if (rest.starts_with(w) && w.size() > best.size()) best = w;
    if (best.empty()) {
      out.push_back({"", std::string(1, model[i])});
      i++;
      continue;
    }
    Token t{best, std::string(model.substr(i, best.size())), fill};
    i += best.size();
    auto suffix = model.substr(i, 2);
    if (iequals(suffix, "th")) {
      t.ordinal = true;
      t.upper_suffix = suffix == "TH";
      i += 2;
    }
    out.push_back(std::move(t));
    fill = true;
  }
  return out;
}

std::string number(int64_t v, size_t width, bool fill) {
  auto s = std::to_string(v < 0 ? -v : v);
  if (fill && s.size() < width) s.insert(0, width - s.size(), '0');
  return (v < 0 ? "-" : "") + s;
}

/// Month -> MONTH, Month or month as the model writes it; blanks fill names up to 9.
std::string name(std::string_view word, const std::string& written, size_t width, bool fill) {
  std::string s(word);
  bool first_upper = written[0] >= 'A' && written[0] <= 'Z',
       second_upper = written.size() > 1 && written[1] >= 'A' && written[1] <= 'Z';
  if (first_upper && second_upper)
    s = to_upper(s);
  else if (!first_upper)
    s = to_lower(s);
  if (fill && s.size() < width) s.append(width - s.size(), ' ');
  return s;
}

struct IsoWeek {
  int64_t year;
  int week;
};
IsoWeek iso_week(int64_t days) {
  int64_t weekday = ((days + 3) % 7 + 7) % 7;  // Monday 0
  int64_t thursday = days - weekday + 3;
  int64_t year = values::civil_from_days(thursday).year;
  int64_t january_first = *values::days_from_civil(year, 1, 1);
  return {year, int((thursday - january_first) / 7) + 1};
}

std::string_view ordinal_suffix(int64_t v) {
  int64_t t = v % 100;
  if (t >= 11 && t <= 13) return "th";
  return v % 10 == 1 ? "st" : v % 10 == 2 ? "nd" : v % 10 == 3 ? "rd" : "th";
}

}  // namespace

std::string format_timestamp(int64_t micros, std::string_view model) {
  constexpr int64_t kDay = 86400LL * 1000000;
  int64_t days = micros >= 0 ? micros / kDay : -((-micros + kDay - 1) / kDay);
  int64_t time = micros - days * kDay;
  auto c = values::civil_from_days(days);
  int64_t hour = time / 3600000000, minute = time / 60000000 % 60, second = time / 1000000 % 60, fraction = time % 1000000;
  int64_t day_of_year = days - *values::days_from_civil(c.year, 1, 1) + 1;
  int weekday = int(((days + 4) % 7 + 7) % 7);
  int64_t year = c.year <= 0 ? 1 - c.year : c.year;
  std::string out;
  for (auto& t : tokens_of(model)) {
    auto w = t.word;
    std::optional<int64_t> n;
    size_t width = 2;
    std::string text;
    if (w.empty()) {
      out += t.text;
      continue;
    }
    if (w == "YYYY")
      n = year, width = 4;
    else if (w == "YYY")
      n = year % 1000, width = 3;
    else if (w == "YY")
      n = year % 100;
    else if (w == "Y")
      n = year % 10, width = 1;
    else if (w == "Y,YYY")
      text = number(year / 1000, 1, true) + "," + number(year % 1000, 3, true);
    else if (w == "IYYY")
      n = iso_week(days).year, width = 4;
    else if (w == "IYY")
      n = iso_week(days).year % 1000, width = 3;
    else if (w == "IY")
      n = iso_week(days).year % 100;
    else if (w == "I")
      n = iso_week(days).year % 10, width = 1;
    else if (w == "IW")
      n = iso_week(days).week;
    else if (w == "MM")
      n = c.month;
    else if (w == "DD")
      n = c.day;
    else if (w == "DDD" || w == "IDDD")
      n = day_of_year, width = 3;
    else if (w == "D")
      n = weekday + 1, width = 1;
    else if (w == "ID")
      n = weekday == 0 ? 7 : weekday, width = 1;
    else if (w == "WW")
      n = (day_of_year - 1) / 7 + 1;
    else if (w == "W")
      n = (c.day - 1) / 7 + 1, width = 1;
    else if (w == "Q")
      n = (c.month - 1) / 3 + 1, width = 1;
    else if (w == "CC")
      n = (year - 1) / 100 + 1;
    else if (w == "J")
      n = days + 2440588, width = 7;
    else if (w == "HH24")
      n = hour;
    else if (w == "HH12" || w == "HH")
      n = (hour + 11) % 12 + 1;
    else if (w == "MI")
      n = minute;
    else if (w == "SS")
      n = second;
    else if (w == "MS")
      n = fraction / 1000, width = 3;
    else if (w == "US")
      n = fraction, width = 6;
    else if (w == "SSSS" || w == "SSSSS")
      n = time / 1000000, width = 1;
    else if (w == "MONTH")
      text = name(kMonths[size_t(c.month - 1)], t.text, 9, t.fill);
    else if (w == "MON")
      text = name(kMonths[size_t(c.month - 1)].substr(0, 3), t.text, 3, false);
    else if (w == "DAY")
      text = name(kDays[size_t(weekday)], t.text, 9, t.fill);
    else if (w == "DY")
      text = name(kDays[size_t(weekday)].substr(0, 3), t.text, 3, false);
    else if (w == "RM")
      text = name(kRoman[size_t(c.month - 1)], t.text, 4, t.fill);
    else if (w == "AM" || w == "PM")
      text = name(hour < 12 ? "AM" : "PM", t.text, 2, false);
    else if (w == "A.M." || w == "P.M.")
      text = t.text[0] >= 'a' ? (hour < 12 ? "a.m." : "p.m.") : (hour < 12 ? "A.M." : "P.M.");
    else if (w == "BC" || w == "AD")
      text = name(c.year <= 0 ? "BC" : "AD", t.text, 2, false);
    else if (w == "B.C." || w == "A.D.")
      text = c.year <= 0 ? "B.C." : "A.D.";
    else if (w == "TZ")
      text = t.text[0] >= 'a' ? "utc" : "UTC";
    else if (w == "OF")
      text = "+00";
    if (n) text = number(*n, width, t.fill);
    out += text;
    if (t.ordinal && n) out += t.upper_suffix ? to_upper(ordinal_suffix(*n)) : std::string(ordinal_suffix(*n));
  }
  return out;
}

Result<int64_t> parse_timestamp(std::string_view text, std::string_view model, bool strict) {
  int64_t year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0, day_of_year = 0, iso_year = 0, week = 0;
  std::optional<int64_t> julian;
  bool pm = false, am = false, bc = false, twelve = false;
  size_t i = 0;
  auto bad = [&](std::string_view what) {
    return fail(secure::kInvalidDatetime, "invalid value \"" + std::string(text.substr(std::min(i, text.size()))) + "\" for \"" +
                                              std::string(what) + "\" in source string");
  };
  auto skip_blanks = [&] {
    while (i < text.size() && text[i] == ' ') i++;
  };
  auto digits = [&](size_t most) -> std::optional<int64_t> {
    size_t start = i;
    int64_t v = 0;
    while (i < text.size() && i - start < most && is_digit(text[i])) v = v * 10 + (text[i++] - '0');
    return i == start ? std::nullopt : std::optional(v);
  };
  auto named = [&](auto& names, size_t shortest) -> std::optional<int64_t> {
    for (size_t k = 0; k < names.size(); k++)
      for (size_t n : {names[k].size(), shortest})
        if (iequals(text.substr(i, n), names[k].substr(0, n))) {
          i += n;
          return int64_t(k);
        }
    return std::nullopt;
  };
  for (auto& t : tokens_of(model)) {
    auto w = t.word;
    if (w.empty()) {
      // A separator stands for any separator.
      bool separator = !is_alnum(t.text[0]);
      for (size_t k = 0; k < t.text.size() && i < text.size(); k++) {
        if (separator && is_digit(text[i])) break;
        if (separator && is_alpha(text[i]) && t.text[0] != ' ') break;
        if (separator && is_alpha(text[i])) break;
        i++;
      }
      continue;
    }
    skip_blanks();
    if (i >= text.size()) break;
    std::optional<int64_t> v;
    auto take = [&](int64_t& slot, size_t most) -> bool {
      v = digits(most);
      if (v) slot = *v;
      return v.has_value();
    };
    bool ok = true;
    if (w == "YYYY" || w == "IYYY") {
      ok = take(w[0] == 'I' ? iso_year : year, 4);
    } else if (w == "YYY" || w == "YY" || w == "Y" || w == "IYY" || w == "IY" || w == "I") {
      size_t most = w[0] == 'I' ? w.size() : w.size();
      ok = take(year, most);
      if (ok) year = year < 70 ? 2000 + year : year < 100 ? 1900 + year : year < 520 ? 2000 + year : 1000 + year;
    } else if (w == "Y,YYY") {
      auto thousands = digits(1);
      ok = thousands && i < text.size() && text[i] == ',' && (i++, take(year, 3));
      if (ok) year += *thousands * 1000;
    } else if (w == "MM") {
      ok = take(month, 2);
      if (ok && (month < 1 || month > 12))
        return fail(secure::kDatetimeOverflow, "date/time field value out of range: \"" + std::string(text) + "\"");
    } else if (w == "DD") {
      ok = take(day, 2);
    } else if (w == "DDD" || w == "IDDD") {
      ok = take(day_of_year, 3);
    } else if (w == "D" || w == "ID" || w == "Q" || w == "W") {
      ok = digits(1).has_value();
    } else if (w == "WW" || w == "IW") {
      ok = take(week, 2);
    } else if (w == "CC") {
      ok = digits(2).has_value();
    } else if (w == "J") {
      v = digits(9);
      julian = v;
      ok = v.has_value();
    } else if (w == "HH24") {
      ok = take(hour, 2);
    } else if (w == "HH12" || w == "HH") {
      ok = take(hour, 2);
      twelve = true;
    } else if (w == "MI") {
      ok = take(minute, 2);
    } else if (w == "SS") {
      ok = take(second, 2);
    } else if (w == "MS" || w == "US") {
      size_t start = i, most = w == "MS" ? 3 : 6;
      ok = take(micros, most);
      for (size_t n = i - start; ok && n < 6; n++) micros *= 10;
    } else if (w == "SSSS" || w == "SSSSS") {
      int64_t seconds = 0;
      ok = take(seconds, 5);
      hour = seconds / 3600, minute = seconds / 60 % 60, second = seconds % 60;
    } else if (w == "MONTH" || w == "MON") {
      v = named(kMonths, 3);
      ok = v.has_value();
      if (ok) month = *v + 1;
    } else if (w == "DAY" || w == "DY") {
      ok = named(kDays, 3).has_value();
    } else if (w == "RM") {
      size_t best = 0;
      for (size_t k = 0; k < kRoman.size(); k++)
        if (iequals(text.substr(i, kRoman[k].size()), kRoman[k]) && kRoman[k].size() > best)
          best = kRoman[k].size(), month = int64_t(k) + 1;
      ok = best > 0;
      i += best;
    } else if (w == "AM" || w == "PM" || w == "A.M." || w == "P.M.") {
      char c = char(text[i] | 32);
      ok = c == 'a' || c == 'p';
      pm = c == 'p';
      am = c == 'a';
      i += std::min(w.size(), text.size() - i);
    } else if (w == "BC" || w == "AD" || w == "B.C." || w == "A.D.") {
      bc = (text[i] | 32) == 'b';
      i += std::min(w.size(), text.size() - i);
    } else {
      while (i < text.size() && text[i] != ' ') i++;  // TZ, OF: the zone is read past
    }
    if (!ok) return bad(w);
    if (t.ordinal) i += std::min<size_t>(2, text.size() - i);
  }
  if (twelve || pm || am) {
    if (hour < 1 || hour > 12) {
      if (pm || am)
        return fail(secure::kInvalidDatetime, "hour \"" + std::to_string(hour) + "\" is invalid for the 12-hour clock");
    } else if (pm || am) {
      hour = hour % 12 + (pm ? 12 : 0);
    }
  }
  if (bc) year = 1 - year;
  if (hour > 24 || minute > 59 || second > 60)
    return fail(secure::kDatetimeOverflow, "date/time field value out of range: \"" + std::string(text) + "\"");
  int64_t days = 0;
  if (julian) {
    days = *julian - 2440588;
  } else if (day_of_year > 0) {
    auto first = values::days_from_civil(year, 1, 1);
    if (!first || day_of_year > 366)
      return fail(secure::kDatetimeOverflow, "date/time field value out of range: \"" + std::string(text) + "\"");
    days = *first + day_of_year - 1;
  } else if (iso_year > 0 && week > 0) {
    int64_t january_fourth = values::days_from_civil(iso_year, 1, 4).value_or(0);
    days = january_fourth - ((january_fourth + 3) % 7 + 7) % 7 + (week - 1) * 7;
  } else {
    if (iso_year > 0) year = iso_year;
    auto exact = values::days_from_civil(year, int(month), int(day));
    if (!exact) {
      auto first = values::days_from_civil(year, int(month), 1);
      if (!first || strict || day < 1 || day > 31)
        return fail(secure::kDatetimeOverflow, "date/time field value out of range: \"" + std::string(text) + "\"");
      exact = *first + int32_t(day) - 1;  // February 31 runs over into March
    }
    days = *exact;
  }
  return ((days * 24 + hour) * 60 + minute) * 60000000 + second * 1000000 + micros;
}

// ---- Numbers --------------------------------------------------------------------------------------------------------

Result<std::string> format_number(std::string_view given, std::string_view model) {
  std::string m = to_upper(model);
  bool fill = true, currency = false, roman = false, sign_s = false, sign_mi = false, sign_pl = false, sign_sg = false,
       angle = false, exponent = false;
  bool s_in_front = false;
  if (m.find("FM") != std::string::npos) fill = false, m = replace_all(m, "FM", "");
  if (m.find("RN") != std::string::npos) roman = true;
  if (m.find("PR") != std::string::npos) angle = true, m = replace_all(m, "PR", "");
  if (m.find("MI") != std::string::npos) sign_mi = true, m = replace_all(m, "MI", "");
  if (m.find("PL") != std::string::npos) sign_pl = true, m = replace_all(m, "PL", "");
  if (m.find("SG") != std::string::npos) sign_sg = true, m = replace_all(m, "SG", "");
  if (m.find("EEEE") != std::string::npos) exponent = true;
  if (auto at = m.find('S'); at != std::string::npos) sign_s = true, s_in_front = at == 0, m.erase(at, 1);
  if (roman || exponent) return fail(secure::kNotSupported, "number format \"" + std::string(model) + "\" is not supported");
  bool currency_l = m.find('L') != std::string::npos;
  currency = currency_l || m.find('$') != std::string::npos;
  m = replace_all(replace_all(m, "L", ""), "$", "");
  std::string whole_model = m, fraction_model;
  auto point = m.find_first_of(".DV");
  if (point != std::string::npos) whole_model = m.substr(0, point), fraction_model = m.substr(point + 1);
  auto count_digits = [](const std::string& s) {
    return int(std::count_if(s.begin(), s.end(), [](char c) { return c == '9' || c == '0'; }));
  };
  int whole_digits = count_digits(whole_model), fraction_digits = count_digits(fraction_model);
  TRY(auto d, values::parse_decimal(given));
  TRY(auto units, values::rescale(d, 38, std::min(fraction_digits, 37)));
  bool negative = units < 0;
  std::string plain = values::format_decimal(negative ? -units : units, std::min(fraction_digits, 37));
  std::string whole = plain.substr(0, plain.find('.')),
              fraction = plain.find('.') == std::string::npos ? "" : plain.substr(plain.find('.') + 1);
  bool overflow = int(whole.size()) > whole_digits && !(whole == "0" && whole_digits == 0);
  if (whole == "0" && whole_model.find('0') == std::string::npos && (fraction_digits > 0 || whole_digits > 1)) {
    bool only_zero = fraction_digits == 0;
    whole = only_zero ? "0" : "";
  }
  std::string body;
  int missing = whole_digits - int(whole.size());
  size_t next = 0;
  bool started = false, zero_fill = false;
  for (char c : whole_model) {
    if (c == '9' || c == '0') {
      if (c == '0') zero_fill = true;
      if (overflow) {
        body += '#';
      } else if (missing > 0) {
        missing--;
        if (zero_fill)
          body += '0', started = true;
        else if (fill)
          body += ' ';
      } else {
        body += whole[next++];
        started = true;
      }
    } else if (c == ',' || c == 'G') {
      if (started || overflow)
        body += ',';
      else if (fill)
        body += ' ';
    } else if (c != ' ' || fill) {
      body += c;
    }
  }
  if (point != std::string::npos && m[point] != 'V') {
    body += '.';
    std::string digits = overflow ? std::string(fraction.size(), '#') : fraction;
    if (!fill) {  // FM drops zeros that only a 9 asks for
      size_t keep = fraction_model.rfind('0') == std::string::npos ? 0 : fraction_model.rfind('0') + 1;
      while (digits.size() > keep && digits.back() == '0') digits.pop_back();
    }
    body += digits;
  } else if (point != std::string::npos) {
    body += fraction;
  }
  size_t first = body.find_first_not_of(' ');
  if (first == std::string::npos) first = body.size();
  auto in_front = [&](const std::string& sign) { body.insert(first, sign); };
  if (currency) in_front("$");
  if (angle) {
    if (negative)
      in_front("<"), body += ">";
    else if (fill)
      body = " " + body + " ";
  } else if (sign_mi) {
    body += negative ? "-" : fill ? " " : "";
  } else if (sign_s || sign_sg || sign_pl) {
    std::string sign = negative ? "-" : "+";
    if (sign_pl && negative) sign = "-";
    if (s_in_front || sign_sg || sign_pl)
      in_front(sign);
    else
      body += sign;
  } else {
    if (negative)
      in_front("-");
    else if (fill)
      body.insert(0, " ");
  }
  return body;
}

Result<std::string> parse_number(std::string_view text, std::string_view model) {
  std::string out;
  bool negative = false, point = false;
  for (char c : text) {
    if (is_digit(c))
      out += c;
    else if (c == '.' && !point)
      point = true, out += c;
    else if (c == '-' || c == '<')
      negative = true;
    else if (c != ',' && c != ' ' && c != '$' && c != '+' && c != '>')
      return fail(secure::kInvalidText, "invalid input syntax for type numeric: \"" + std::string(text) + "\"");
  }
  if (out.empty() || out == ".")
    return fail(secure::kInvalidText, "invalid input syntax for type numeric: \"" + std::string(text) + "\"");
  int fraction = 0;
  auto at = model.find_first_of(".dD");
  if (at != std::string_view::npos)
    fraction = int(std::count_if(model.begin() + ptrdiff_t(at), model.end(), [](char c) { return c == '9' || c == '0'; }));
  if (auto dot = out.find('.'); dot != std::string::npos) out = out.substr(0, std::min(out.size(), dot + 1 + size_t(fraction)));
  if (out.ends_with('.')) out.pop_back();
  return (negative ? "-" : "") + out;
}

}  // namespace redoubt::warehouse::engine::formats
