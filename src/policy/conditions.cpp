#include "policy/conditions.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/clock.h"
#include "base/text.h"
#include "policy/match.h"

namespace redoubt::policy {
namespace {
constexpr Operator kOperators[] = {
    {"StringEquals", Family::string},
    {"StringNotEquals", Family::string, Order::equal, true},
    {"StringEqualsIgnoreCase", Family::string, Order::equal, false, true},
    {"StringNotEqualsIgnoreCase", Family::string, Order::equal, true, true},
    {"StringLike", Family::string, Order::equal, false, false, true},
    {"StringNotLike", Family::string, Order::equal, true, false, true},
    {"NumericEquals", Family::numeric},
    {"NumericNotEquals", Family::numeric, Order::equal, true},
    {"NumericLessThan", Family::numeric, Order::less},
    {"NumericLessThanEquals", Family::numeric, Order::less_equal},
    {"NumericGreaterThan", Family::numeric, Order::greater},
    {"NumericGreaterThanEquals", Family::numeric, Order::greater_equal},
    {"DateEquals", Family::date},
    {"DateNotEquals", Family::date, Order::equal, true},
    {"DateLessThan", Family::date, Order::less},
    {"DateLessThanEquals", Family::date, Order::less_equal},
    {"DateGreaterThan", Family::date, Order::greater},
    {"DateGreaterThanEquals", Family::date, Order::greater_equal},
    {"Bool", Family::boolean},
    {"BinaryEquals", Family::binary},
    {"IpAddress", Family::ip},
    {"NotIpAddress", Family::ip, Order::equal, true},
    {"ArnEquals", Family::arn, Order::equal, false, false, true},
    {"ArnLike", Family::arn, Order::equal, false, false, true},
    {"ArnNotEquals", Family::arn, Order::equal, true, false, true},
    {"ArnNotLike", Family::arn, Order::equal, true, false, true},
    {"Null", Family::null},
};

bool eat_prefix(std::string_view& s, std::string_view prefix) {
  if (s.size() < prefix.size() || !fold_equal(s.substr(0, prefix.size()), prefix)) return false;
  s.remove_prefix(prefix.size());
  return true;
}

std::optional<bool> parse_bool(std::string_view s) {
  if (fold_equal(s, "true")) return true;
  if (fold_equal(s, "false")) return false;
  return std::nullopt;
}

/// Decimal notation only: no "inf", "nan", hexadecimal or blanks.
std::optional<Number> parse_number(std::string_view s) {
  if (!s.empty() && s[0] == '+') s.remove_prefix(1);
  if (s.empty() || !(is_digit(s[0]) || ((s[0] == '-' || s[0] == '.') && s.size() > 1))) return std::nullopt;
  for (char c : s)
    if (!is_digit(c) && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E') return std::nullopt;
  Number n;
  if (auto i = parse_int(s)) {
    n.whole = true;
    n.integer = *i;
    n.real = double(*i);
    return n;
  }
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n.real);
  if (error == std::errc::result_out_of_range || end != s.data() + s.size() || error != std::errc()) return std::nullopt;
  return n;
}

/// ISO 8601, or seconds since 1970.
std::optional<int64_t> parse_time(std::string_view s) {
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / 1000000;
  if (auto seconds = parse_int(s)) {
    if (*seconds > kSecondsMax) return std::numeric_limits<int64_t>::max();
    if (*seconds < -kSecondsMax) return std::numeric_limits<int64_t>::min();
    return *seconds * 1000000;
  }
  if (auto t = parse_iso8601(s)) return t->us;
  return std::nullopt;
}

template <class T>
bool ordered(Order order, const T& a, const T& b) {
  switch (order) {
    case Order::equal:
      return a == b;
    case Order::less:
      return a < b;
    case Order::less_equal:
      return a <= b;
    case Order::greater:
      return a > b;
    case Order::greater_equal:
      return a >= b;
  }
  return false;
}

Match answer(bool yes) { return yes ? Match::yes : Match::no; }

/// Part by part: a wildcard doesn't reach across the first five colons.
Match match_arn(const ConditionValue& value, std::string_view arn, const Context& context) {
  if (value.arn_parts.empty()) return value.pattern.variables ? match(value.pattern, arn, context) : Match::no;
  Match all = Match::yes;
  for (size_t i = 0; i < 6; ++i) {
    size_t colon = i < 5 ? arn.find(':') : arn.size();
    if (colon == arn.npos) {  // no ARN
      colon = arn.size();
      all = Match::no;
    }
    Match m = match(value.arn_parts[i], arn.substr(0, colon), context);
    if (m == Match::unresolved) return m;
    if (m == Match::no) all = m;  // an unresolved part further on still counts
    arn.remove_prefix(std::min(arn.size(), colon + 1));
  }
  return all;
}

/// Is `has`, the request's value, in the relation that the operator names without its negation?
Match test(const Operator& op, const ConditionValue& wants, std::string_view has, const Context& context) {
  switch (op.family) {
    case Family::string:
      return match(wants.pattern, has, context);
    case Family::arn:
      return match_arn(wants, has, context);
    case Family::numeric: {
      auto n = parse_number(has);
      if (!n) return Match::no;
      return answer(n->whole && wants.number.whole ? ordered(op.order, n->integer, wants.number.integer)
                                                   : ordered(op.order, n->real, wants.number.real));
    }
    case Family::date: {
      auto t = parse_time(has);
      return answer(t && ordered(op.order, *t, wants.time_us));
    }
    case Family::boolean: {
      auto b = parse_bool(has);
      return answer(b && *b == wants.boolean);
    }
    case Family::binary:
      return answer(has == wants.text);
    case Family::ip: {
      auto ip = Ip::parse(has);
      return answer(ip && ip->is_v4() == wants.cidr.is_v4() && wants.cidr.contains(*ip));  // ::/0 holds no v4 address
    }
    case Family::null:
      return Match::no;  // asked of the key, not of its values
  }
  return Match::no;
}

bool satisfies(const Condition& c, std::string_view has, const Context& context) {
  bool any = false;
  for (auto& wants : c.values) {
    Match m = test(*c.op, wants, has, context);
    if (m == Match::unresolved && c.op->negated) return false;
    if (m == Match::yes) {
      if (!c.op->negated) return true;
      any = true;
    }
  }
  return c.op->negated && !any;
}
}  // namespace

std::optional<OperatorName> find_operator(std::string_view text) {
  OperatorName name;
  if (eat_prefix(text, "ForAllValues:"))
    name.quantifier = Quantifier::for_all_values;
  else if (eat_prefix(text, "ForAnyValue:"))
    name.quantifier = Quantifier::for_any_value;
  constexpr std::string_view kIfExists = "IfExists";
  if (text.size() > kIfExists.size() && fold_equal(text.substr(text.size() - kIfExists.size()), kIfExists)) {
    name.if_exists = true;
    text.remove_suffix(kIfExists.size());
  }
  for (auto& op : kOperators)
    if (fold_equal(op.name, text)) name.op = &op;
  if (!name.op) return std::nullopt;
  if (name.op->family == Family::null && (name.if_exists || name.quantifier != Quantifier::none)) return std::nullopt;
  return name;
}

std::optional<ConditionValue> compile_condition_value(const Operator& op, std::string_view text, bool variables) {
  ConditionValue v;
  v.text = std::string(text);
  switch (op.family) {
    case Family::string: {
      auto p = compile_pattern(text, {.wildcards = op.wildcards, .variables = variables, .fold = op.fold});
      if (!p) return std::nullopt;
      v.pattern = std::move(*p);
      return v;
    }
    case Family::arn: {
      auto parts = compile_arn_pattern(text, variables);
      auto whole = compile_pattern(text, {.wildcards = true, .variables = variables});
      if (!parts || !whole) return std::nullopt;
      if (!parts->empty())
        v.arn_parts = std::move(*parts);
      else if (whole->tokens.size() == 1 && whole->variables == 1)
        v.pattern = std::move(*whole);  // "${aws:PrincipalArn}"
      return v;
    }
    case Family::numeric:
      if (auto n = parse_number(text)) return v.number = *n, v;
      return std::nullopt;
    case Family::date:
      if (auto t = parse_time(text)) return v.time_us = *t, v;
      return std::nullopt;
    case Family::boolean:
    case Family::null:
      if (auto b = parse_bool(text)) return v.boolean = *b, v;
      return std::nullopt;
    case Family::binary:
      if (auto bytes = unbase64(text)) return v.text = base64(*bytes), v;
      return std::nullopt;
    case Family::ip:
      if (auto cidr = Cidr::parse(text)) return v.cidr = *cidr, v;
      return std::nullopt;
  }
  return std::nullopt;
}

bool holds(const Condition& c, const Context& context, bool allow) {
  auto values = context.find(c.key, c.hash);
  if (c.op->family == Family::null) {
    for (auto& wants : c.values)
      if (wants.boolean == values.empty()) return true;
    return false;
  }
  if (values.empty()) {
    if (c.quantifier == Quantifier::for_all_values) return true;
    if (c.quantifier == Quantifier::for_any_value) return false;
    return c.if_exists || c.op->negated;
  }
  bool all = c.quantifier == Quantifier::for_all_values || (c.quantifier == Quantifier::none && allow);
  for (auto has : values)
    if (satisfies(c, has, context) != all) return !all;
  return all;
}

}  // namespace redoubt::policy
