#include "warehouse/secure/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::secure::values {
namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string_view trim_blanks(std::string_view s) {
  auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

const char* width_name(Width width) { return width == Width::k16 ? "smallint" : width == Width::k32 ? "integer" : "bigint"; }

template <class T>
Result<T> parse_real(std::string_view text, const char* type) {
  auto s = trim_blanks(text);
  auto lower = to_lower(s);
  if (lower == "nan") return std::numeric_limits<T>::quiet_NaN();
  if (lower == "infinity" || lower == "inf" || lower == "+infinity") return std::numeric_limits<T>::infinity();
  if (lower == "-infinity" || lower == "-inf") return -std::numeric_limits<T>::infinity();
  auto digits = s.starts_with('+') ? s.substr(1) : s;
  T value{};
  auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  bool starts_well = !digits.empty() && (is_digit(digits[0]) || digits[0] == '.' || (digits[0] == '-' && s[0] == '-'));
  if (!starts_well || end != digits.data() + digits.size() || ec == std::errc::invalid_argument)
    return fail(kInvalidText, std::string("invalid input syntax for type ") + type + ": " + quoted(text));
  if (ec == std::errc::result_out_of_range) return fail(kOutOfRange, quoted(text) + " is out of range for type " + type);
  return value;
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
  auto s = to_lower(trim_blanks(text));
  for (std::string_view yes : {"true", "yes"})
    if (!s.empty() && yes.starts_with(s)) return true;
  for (std::string_view no : {"false", "no"})
    if (!s.empty() && no.starts_with(s)) return false;
  if (s == "1" || s == "on") return true;
  if (s == "0" || s == "of" || s == "off") return false;
  return fail(kInvalidText, "invalid input syntax for type boolean: " + quoted(text));
}

Result<int64_t> parse_integer(std::string_view text, Width width) {
  auto s = trim_blanks(text);
  auto digits = s.starts_with('+') ? s.substr(1) : s;
  auto body = digits.starts_with('-') ? digits.substr(1) : digits;
  bool clean = !body.empty() && !(s.starts_with('+') && digits.starts_with('-'));
  for (char c : body) clean = clean && is_digit(c);
  if (!clean) return fail(kInvalidText, "invalid input syntax for integer: " + quoted(text));
  int64_t value = 0;
  auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  int64_t max = width == Width::k16 ? INT16_MAX : width == Width::k32 ? INT32_MAX : INT64_MAX;
  if (ec != std::errc{} || value > max || value < -max - 1)
    return fail(kOutOfRange, "value " + quoted(s) + " is out of range for type " + width_name(width));
  return value;
}

Result<double> parse_double(std::string_view text) { return parse_real<double>(text, "double precision"); }
Result<float> parse_float(std::string_view text) { return parse_real<float>(text, "real"); }

Int128 power_of_ten(int exponent) {
  static const auto table = [] {
    std::array<Int128, 39> t{};
    t[0] = 1;
    for (size_t i = 1; i < t.size(); i++) t[i] = t[i - 1] * 10;
    return t;
  }();
  return table[size_t(exponent)];
}

Result<Decimal> parse_decimal(std::string_view text) {
  auto s = trim_blanks(text);
  auto bad = [&] { return fail(kInvalidText, "invalid input syntax for type numeric: " + quoted(text)); };
  bool negative = s.starts_with('-');
  if (negative || s.starts_with('+')) s.remove_prefix(1);
  std::string digits;
  int scale = 0;
  bool any = false, point = false;
  size_t i = 0;
  for (; i < s.size(); i++) {
    if (s[i] == '.' && !point) {
      point = true;
    } else if (is_digit(s[i])) {
      any = true;
      if (!digits.empty() || s[i] != '0') digits += s[i];
      if (point) scale++;
    } else {
      break;
    }
  }
  if (!any) return bad();
  if (i < s.size()) {
    if (s[i] != 'e' && s[i] != 'E') return bad();
    auto tail = s.substr(i + 1);
    if (tail.starts_with('+')) tail.remove_prefix(1);
    int exponent = 0;
    auto [end, ec] = std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
    if (tail.empty() || end != tail.data() + tail.size() || ec != std::errc{}) return bad();
    if (exponent > 1000 || exponent < -1000) return fail(kOutOfRange, "Numeric data overflow (result precision)");
    scale -= exponent;
    if (scale < 0 && !digits.empty()) digits.append(size_t(-scale), '0');
    scale = std::max(scale, 0);
  }
  // A fraction longer than 38 digits is rounded; a longer whole part can't be held.
  bool round_up = false;
  auto drop_last = [&] {
    round_up = !digits.empty() && digits.back() >= '5';
    if (!digits.empty()) digits.pop_back();
    scale--;
  };
  while (scale > 0 && (digits.size() > 38 || scale > 38)) drop_last();
  if (digits.size() > 38) return fail(kOutOfRange, "Numeric data overflow (result precision)");
  Decimal d;
  for (char c : digits) d.units = d.units * 10 + (c - '0');
  if (round_up && ++d.units == power_of_ten(38)) return fail(kOutOfRange, "Numeric data overflow (result precision)");
  d.scale = scale;
  d.precision = std::max({int(digits.size()), scale, 1});
  if (negative) d.units = -d.units;
  return d;
}

Result<Int128> rescale(const Decimal& value, int precision, int scale) {
  Int128 units = value.units;
  if (value.scale > scale) {
    int drop = value.scale - scale;
    Int128 unit = power_of_ten(std::min(drop, 38));
    Int128 rest = units % unit;
    units /= unit;
    if (rest * 2 >= unit) units++;
    if (rest * 2 <= -unit) units--;
  } else if (value.scale < scale) {
    if (__builtin_mul_overflow(units, power_of_ten(scale - value.scale), &units))
      return fail(kOutOfRange, "Numeric data overflow (result precision)");
  }
  Int128 limit = power_of_ten(precision);
  if (units >= limit || units <= -limit) return fail(kOutOfRange, "Numeric data overflow (result precision)");
  return units;
}

std::string format_decimal(Int128 units, int scale) {
  bool negative = units < 0;
  unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(units) : static_cast<unsigned __int128>(units);
  std::string reversed;
  do {
    reversed += char('0' + int(rest % 10));
    rest /= 10;
    if (int(reversed.size()) == scale) reversed += '.';
  } while (rest != 0 || int(reversed.size()) < scale);
  if (scale > 0 && reversed.back() == '.') reversed += '0';
  if (negative) reversed += '-';
  return {reversed.rbegin(), reversed.rend()};
}

std::string format_bool(bool value) { return value ? "true" : "false"; }

namespace {
std::string format_real(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[48];
  int n = snprintf(buffer, sizeof buffer, "%.*g", digits, value);
  return {buffer, size_t(n)};
}
}  // namespace

std::string format_double(double value) { return format_real(value, 15); }
std::string format_float(float value) { return format_real(double(value), 6); }

std::string_view cut(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) bytes--;
  return text.substr(0, bytes);
}

std::string_view trim_trailing_blanks(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace redoubt::warehouse::secure::values
