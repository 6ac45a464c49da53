#include <re2/re2.h>

#include <charconv>

#include "base/text.h"
#include "stacks/errors.h"
#include "stacks/evaluate.h"

namespace redoubt::stacks {
namespace {

constexpr size_t kValueMax = 4096;

std::optional<double> to_number(std::string_view s) {
  double v = 0;
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (ec != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return v;
}

/// What is wrong with one value of a parameter (lists: one of their elements); "" when nothing is.
std::string violation(const Parameter& p, std::string_view value) {
  if (!p.allowed_values.empty()) {
    bool found = false;
    for (auto& a : p.allowed_values) found = found || a == value;
    if (!found) return "Parameter '" + p.name + "' must be one of AllowedValues";
  }
  if (p.is_number()) {
    auto v = to_number(value);
    if (!v) return "Parameter '" + p.name + "' must be a number";
    if (p.min_value && *v < *p.min_value) return "Parameter '" + p.name + "' must be a number not less than " + p.min_value_text;
    if (p.max_value && *v > *p.max_value)
      return "Parameter '" + p.name + "' must be a number not greater than " + p.max_value_text;
  }
  if (p.min_length && value.size() < size_t(*p.min_length))
    return "Parameter '" + p.name + "' must contain at least " + std::to_string(*p.min_length) + " characters";
  if (p.max_length && value.size() > size_t(*p.max_length))
    return "Parameter '" + p.name + "' must contain at most " + std::to_string(*p.max_length) + " characters";
  return "";
}

Result<void> check_value(const Parameter& p, const std::string& value) {
  if (value.size() > kValueMax) return invalid("Template parameter '" + p.name + "' must be at most 4096 bytes");
  std::string wrong;
  if (p.is_list()) {
    for (auto part : split(value, ','))
      if (wrong.empty()) wrong = violation(p, trim(part));
  } else {
    wrong = violation(p, value);
  }
  if (wrong.empty() && !p.allowed_pattern.empty()) {
    RE2::Options options;
    options.set_log_errors(false);
    RE2 pattern(p.allowed_pattern, options);
    // Java's look-arounds and back references have no place in a linear-time engine.
    if (!pattern.ok())
      return invalid("Template format error: the AllowedPattern of parameter " + p.name +
                     " is malformed, or uses what is not supported (look-around, back references)");
    if (!RE2::FullMatch(value, pattern)) wrong = "Parameter " + p.name + " must match pattern " + p.allowed_pattern;
  }
  if (wrong.empty()) return {};
  if (!p.constraint_description.empty())
    return invalid("Parameter " + p.name + " failed to satisfy constraint: " + p.constraint_description);
  return invalid(wrong);
}

}  // namespace

Result<std::map<std::string, std::string>> resolve_parameters(const Template& t, const std::vector<GivenParameter>& given,
                                                              const std::map<std::string, std::string>& previous) {
  std::map<std::string, std::string> out;
  std::vector<std::string> unknown, missing;
  std::set<std::string> seen;
  for (auto& g : given) {
    if (!seen.insert(g.name).second) return invalid("Duplicate parameter keys [" + g.name + "]");
    if (!t.parameter(g.name)) {
      unknown.push_back(g.name);
      continue;
    }
    if (g.use_previous && g.value)
      return invalid("Invalid input for parameter key " + g.name +
                     ". Cannot specify usePreviousValue as true and non empty value for a parameter");
    if (g.use_previous) {
      auto it = previous.find(g.name);
      if (it == previous.end())
        return invalid("Invalid input for parameter key " + g.name +
                       ". Cannot specify usePreviousValue as true for a parameter key not in the previous template");
      out[g.name] = it->second;
    } else if (g.value) {
      out[g.name] = *g.value;
    }
  }
  if (!unknown.empty()) return invalid("Parameters: [" + join(unknown, ", ") + "] do not exist in the template");
  for (auto& p : t.parameters) {
    if (!out.contains(p.name)) {
      if (p.default_value)
        out[p.name] = *p.default_value;
      else
        missing.push_back(p.name);
    }
  }
  if (!missing.empty()) return invalid("Parameters: [" + join(missing, ", ") + "] must have values");
  for (auto& p : t.parameters) TRY_VOID(check_value(p, out[p.name]));
  return out;
}

}  // namespace redoubt::stacks
