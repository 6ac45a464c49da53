/// What can be said of a template before anything is made, beyond template.h: its types, their properties and attributes, and the
/// capabilities it needs.
#include <algorithm>

#include "base/text.h"
#include "stacks/run.h"

namespace redoubt::stacks {

std::vector<std::string> Engine::needed_capabilities(const Template& t) {
  bool iam = false, named = false;
  for (auto& r : t.resources)
    if (auto* p = find_provider(r.type); p && p->iam) {
      iam = true;
      named = named || (!p->name_property.empty() && p->name_property != "PolicyName" && r.properties.has(p->name_property));
    }
  std::vector<std::string> out;
  if (iam) out.push_back(named ? "CAPABILITY_NAMED_IAM" : "CAPABILITY_IAM");
  return out;
}

Result<void> Engine::check(const Template& t, const std::vector<std::string>& capabilities) const {
  std::vector<std::string> unknown;
  for (auto& r : t.resources)
    if (!find_provider(r.type) && std::find(unknown.begin(), unknown.end(), r.type) == unknown.end()) unknown.push_back(r.type);
  if (!unknown.empty()) return invalid("Template format error: Unrecognized resource types: " + bracketed(unknown));
  for (auto& r : t.resources) {
    auto* p = find_provider(r.type);
    auto wrong = [&](const std::string& what) {
      return invalid("Properties validation failed for resource " + r.id + ": " + what);
    };
    for (auto& [name, value] : r.properties.members())
      if (!p->property(name)) return wrong("Encountered unsupported property " + name);
    for (auto& property : p->properties)
      if (property.required && !r.properties.has(property.name))
        return wrong("Property " + std::string(property.name) + " cannot be empty.");
    if (r.deletion_policy == "Snapshot" || r.update_replace_policy == "Snapshot")
      return wrong("DeletionPolicy and UpdateReplacePolicy Snapshot are not supported by this server.");
  }
  // GetAtt must name what the type has.
  auto check_attributes = [&](const Json& j) -> Result<void> {
    TRY(auto refs, find_references(j, false, t.language_extensions));
    for (auto& [id, attribute] : refs.get_atts) {
      auto* r = t.resource(id);
      auto* p = r ? find_provider(r->type) : nullptr;
      if (p && std::find(p->attributes.begin(), p->attributes.end(), attribute) == p->attributes.end())
        return invalid("Template error: resource " + id + " does not support attribute type " + attribute + " in Fn::GetAtt");
    }
    return {};
  };
  for (auto& r : t.resources) TRY_VOID(check_attributes(r.properties));
  for (auto& o : t.outputs) TRY_VOID(check_attributes(o.value));
  auto has = [&](std::string_view c) { return std::find(capabilities.begin(), capabilities.end(), c) != capabilities.end(); };
  auto needed = needed_capabilities(t);
  for (auto& c : needed)
    if (!has(c) && !(c == "CAPABILITY_IAM" && has("CAPABILITY_NAMED_IAM")))
      return fail(kInsufficientCapabilities, "Requires capabilities : " + bracketed(needed));
  return {};
}

}  // namespace redoubt::stacks
