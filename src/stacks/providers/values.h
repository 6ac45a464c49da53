#pragma once
/// How providers read evaluated properties, whose shapes have been checked (provider.h): scalars are coerced, as CloudFormation
/// does.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/optional.h"
#include "base/text.h"
#include "stacks/provider.h"

namespace redoubt::stacks {

inline std::optional<std::string> text(const Json& properties, std::string_view name) {
  auto* j = properties.find(name);
  return j && !j->is_null() && !j->is_object() && !j->is_array() ? std::optional(j->str()) : std::nullopt;
}
inline std::optional<bool> boolean(const Json& properties, std::string_view name) {
  auto t = text(properties, name);
  if (!t) return std::nullopt;
  return iequals(*t, "true");
}
inline std::optional<int64_t> integer(const Json& properties, std::string_view name) {
  auto* j = properties.find(name);
  if (!j) return std::nullopt;
  return Json::number_text(j->str()).integer();
}
inline std::vector<std::string> strings(const Json& properties, std::string_view name) {
  std::vector<std::string> out;
  auto* j = properties.find(name);
  if (!j) return out;
  for (auto& x : j->items()) out.push_back(x.str());
  return out;
}
using Tags = std::map<std::string, std::string>;
/// The resource's own tags on top of the stack's.
inline Tags tags_of(Tags stack_tags, const Json& properties) {
  for (auto& t : properties["Tags"].items()) stack_tags[t["Key"].str()] = t["Value"].str();
  return stack_tags;
}
inline Tags tags_of(const ProviderContext& c, const Json& properties) { return tags_of(c.stack_tags, properties); }
/// What an update does to tags: the keys to take away, and all that shall be there if anything changed.
struct TagChange {
  std::vector<std::string> gone;
  Tags set;
};
inline TagChange tag_change(const ProviderContext& c, const Json& before, const Json& after) {
  auto old = tags_of(c.stack_tags_before, before), now = tags_of(c.stack_tags, after);
  TagChange out;
  for (auto& [k, v] : old)
    if (!now.contains(k)) out.gone.push_back(k);
  if (old != now) out.set = std::move(now);
  return out;
}
template <class Tag>
std::vector<Tag> tag_list(const std::map<std::string, std::string>& tags) {
  std::vector<Tag> out;
  for (auto& [k, v] : tags) {
    Tag t;
    t.Key = k;
    t.Value = v;
    out.push_back(std::move(t));
  }
  return out;
}

/// What is in `b` and not in `a`.
inline std::vector<std::string> added(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::set<std::string> have(a.begin(), a.end());
  std::vector<std::string> out;
  for (auto& x : b)
    if (!have.contains(x)) out.push_back(x);
  return out;
}

inline Result<void> only_members(const Json& j, std::initializer_list<std::string_view> names) {
  for (auto& [k, v] : j.members()) {
    bool known = false;
    for (auto n : names) known = known || n == k;
    if (!known) return invalid("Encountered unsupported property " + k);
  }
  return {};
}

/// Members of a nested property that nothing would honour are refused, and required ones asked for.
inline Result<void> required_members(const Json& j, std::string_view property, std::initializer_list<std::string_view> names) {
  for (auto n : names)
    if (!j.has(n)) return invalid("Property " + std::string(property) + "/" + std::string(n) + " cannot be empty.");
  return {};
}

/// Errors that mean "it is gone already".
inline bool is_gone(const Error& e) {
  return e.kind->code == "NoSuchEntity" || e.kind->code == "NoSuchBucket" || e.kind->code == "NotFoundException" ||
         e.kind->code == "ClusterNotFound" || e.kind->code == "NoSuchBucketPolicy";
}
inline Result<void> unless_gone(Result<void> r) {
  if (!r && is_gone(r.error())) return {};
  return r;
}
template <class T>
Result<void> dropped(Result<T> r) {  // keeps only whether it worked
  if (!r) return fail(std::move(r.error()));
  return {};
}

/// One call through the Gate: TRY(auto out, call<iam::op::CreateRole>(context, input));
template <class Op>
Result<typename Op::Output> call(const ProviderContext& c, const typename Op::Input& in) {
  return c.gate.call<Op>(c.call, in);
}

}  // namespace redoubt::stacks
