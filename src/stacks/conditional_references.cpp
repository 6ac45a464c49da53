#include "stacks/conditional_references.h"

#include "base/text.h"
#include "stacks/errors.h"

namespace redoubt::stacks {
namespace {

/// `j` with every Fn::If replaced by the branch that its condition takes.
Json chosen_branches(const Json& j, const Environment& env) {
  if (j.is_array()) {
    Json out = Json::array();
    for (auto& item : j.items()) out.push(chosen_branches(item, env));
    return out;
  }
  if (!j.is_object()) return j;
  if (auto& branches = j["Fn::If"]; branches.is_array() && branches.items().size() == 3 && branches[0].is_string())
    return chosen_branches(branches[included(branches[0].str(), env) ? 1 : 2], env);
  Json out = Json::object();
  for (auto& [name, member] : j.members()) out.set(name, chosen_branches(member, env));
  return out;
}

}  // namespace

Result<void> check_conditional_references(const Environment& env) {
  auto check = [&](const Json& body, const char* block) -> Result<void> {
    TRY(auto found, find_references(chosen_branches(body, env), false, env.t->language_extensions));
    std::set<std::string> lacking;
    auto name = [&](const std::string& id) {
      if (auto* resource = env.t->resource(id); resource && !included(resource->condition, env)) lacking.insert(id);
    };
    for (auto& id : found.refs) name(id);
    for (auto& [id, attribute] : found.get_atts) name(id);
    if (lacking.empty()) return {};
    return invalid("Unresolved resource dependencies [" + join(std::vector(lacking.begin(), lacking.end()), ", ") + "] in the " +
                   block + " block of the template");
  };
  for (auto& r : env.t->resources)
    if (included(r.condition, env)) TRY_VOID(check(r.properties, "Resources"));
  for (auto& o : env.t->outputs)
    if (included(o.condition, env)) TRY_VOID(check(o.value, "Outputs"));
  return {};
}

}  // namespace redoubt::stacks
