#include "objects/public_policy.h"

#include <algorithm>

#include "base/ip.h"
#include "base/text.h"

namespace redoubt::objects {
namespace {

/// A value of a Principal, Condition or Statement element: one or a list.
template <class Predicate>
bool all_of(const Json& value, Predicate holds) {
  if (!value.is_array()) return holds(value.str());
  return value.size() > 0 && std::all_of(value.items().begin(), value.items().end(), [&](auto& v) { return holds(v.str()); });
}

bool has_wildcard(std::string_view s) { return s.find_first_of("*?") != s.npos; }

bool is_everyone(const Json& principal) {
  if (!principal.is_object()) return true;  // "*", or nothing that could be understood
  for (auto& [type, values] : principal.members())
    if (type != "Service" && !all_of(values, [](const std::string& v) { return !has_wildcard(v); })) return true;
  return false;
}

/// Wide ranges are everybody: shorter than /8, for IPv6 shorter than /32. Private ranges are nobody's on the Internet.
bool is_narrow_range(const std::string& text) {
  auto cidr = Cidr::parse(text);
  if (!cidr) return false;
  for (auto* inside : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}) {
    auto range = *Cidr::parse(inside);
    if (cidr->prefix >= range.prefix && range.contains(cidr->base)) return true;
  }
  return cidr->is_v4() ? cidr->prefix >= 96 + 8 : cidr->prefix >= 32;
}

/// `pattern`: the operator takes wildcards.
bool is_fixed(std::string_view key, const std::string& value, bool pattern) {
  if (value.empty() || value.find("${") != value.npos) return false;
  if (key == "aws:sourceip") return is_narrow_range(value);
  if (!pattern || !has_wildcard(value)) return true;
  // A role's every session, and everything below a fixed organization.
  if (key == "aws:userid") return value.find(':') != value.npos && !has_wildcard(value.substr(0, value.find(':')));
  if (key == "aws:principalorgpaths") return value.find('/') != value.npos && !has_wildcard(value.substr(0, value.find('/')));
  // Wildcards in the resource part of an ARN whose account is fixed.
  if (key == "aws:sourcearn" || key == "aws:principalarn" || key == "s3:dataaccesspointarn") {
    auto parts = split(value, ':');
    return parts.size() >= 6 && !has_wildcard(parts[4]) && parts[4].size() == 12;
  }
  return false;
}

constexpr std::string_view kNarrowingKeys[] = {
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid",        "aws:principalorgpaths", "aws:sourceaccount",
    "aws:sourcearn",        "aws:sourceip",     "aws:sourceorgid",           "aws:sourceowner",       "aws:sourcevpc",
    "aws:sourcevpce",       "aws:userid",       "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
};

/// Operators that hold only for values that are there and equal (or like, or within).
bool is_positive(const std::string& op) {
  for (auto* name : {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"})
    if (op == name || op == std::string("foranyvalue:") + name) return true;
  return false;
}

bool narrows(const Json& condition) {
  for (auto& [op, keys] : condition.members()) {
    auto name = to_lower(op);
    if (!is_positive(name)) continue;
    bool pattern = name.find("like") != name.npos || name.find("arn") != name.npos;
    for (auto& [raw_key, value] : keys.members()) {
      auto key = to_lower(raw_key);
      if (std::find(std::begin(kNarrowingKeys), std::end(kNarrowingKeys), key) == std::end(kNarrowingKeys)) continue;
      if (all_of(value, [&](const std::string& v) { return is_fixed(key, v, pattern); })) return true;
    }
  }
  return false;
}

bool is_public_statement(const Json& s) {
  if (s["Effect"].str() == "Deny") return false;
  return (is_everyone(s["Principal"]) || s.has("NotPrincipal")) && !narrows(s["Condition"]);
}

}  // namespace

bool is_public(const Json& policy) {
  auto* statements = policy.find("Statement");
  if (!statements) return false;
  if (!statements->is_array()) return is_public_statement(*statements);
  return std::any_of(statements->items().begin(), statements->items().end(), is_public_statement);
}

}  // namespace redoubt::objects
