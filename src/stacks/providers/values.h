#pragma once
/// How providers read evaluated properties: CloudFormation coerces scalars, and so do these.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/optional.h"
#include "stacks/provider.h"

namespace redoubt::stacks {

inline std::optional<std::string> text(const Json& properties, std::string_view name) {
  auto* j = properties.find(name);
  return j && !j->is_null() && !j->is_object() && !j->is_array() ? std::optional(j->str()) : std::nullopt;
}
inline std::optional<bool> boolean(const Json& properties, std::string_view name) {
  auto t = text(properties, name);
  if (!t) return std::nullopt;
  return *t == "true" || *t == "True" || *t == "TRUE" || *t == "1";
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
  if (j->is_string()) out.push_back(j->text());
  for (auto& x : j->items()) out.push_back(x.str());
  return out;
}
/// A policy document: an object, or its text.
inline std::string document(const Json& j) { return j.is_string() ? j.text() : j.dump(); }

/// The resource's own tags on top of the stack's.
inline std::map<std::string, std::string> tags_of(const ProviderContext& c, const Json& properties) {
  auto out = c.stack_tags;
  for (auto& t : properties["Tags"].items()) out[t["Key"].str()] = t["Value"].str();
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
