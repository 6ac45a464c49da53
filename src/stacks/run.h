#pragma once
/// One operation under way and what creating and updating share; stacks room only.
#include <algorithm>

#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "stacks/engine.h"

namespace redoubt::stacks {

/// One operation: the state it changes, the call it acts as, and the steps that are written down.
struct Engine::Run {
  Engine& engine;
  StackState stack;
  std::optional<access::Call> call;  // forwarded, or the service role's
  std::vector<Event> events;         // to be stored with the next step

  void event(const std::string& logical, const std::string& physical, const std::string& type, const std::string& status,
             const std::string& reason, const Json& properties = Json()) {
    Event e{new_uuid(),         logical, physical, type, status, reason, properties.is_null() ? "" : properties.dump(),
            engine.clock_.now()};
    if (logical != stack.name) e.id = logical + "-" + status + "-" + iso8601_millis(e.time) + "-" + e.id.substr(0, 8);
    events.push_back(std::move(e));
  }
  void stack_status(const std::string& status, const std::string& reason = {}) {
    stack.status = status;
    stack.reason = reason;
    event(stack.name, stack.id, "AWS::CloudFormation::Stack", status, reason);
  }
  void resource_status(ResourceState& r, const std::string& status, const std::string& reason = {},
                       bool with_properties = false) {
    r.status = status;
    r.reason = reason;
    r.updated = engine.clock_.now();
    event(r.logical_id, r.physical_id, r.type, status, reason, with_properties ? r.properties : Json());
  }
  /// Nothing goes on when the store can't take the step: the operation stops where it is and is taken up at the next start.
  bool write_down() {
    auto done = engine.store_.put(stack, std::move(events));
    events.clear();
    if (!done) log::error("stack " + stack.name + " stopped half way: " + done.error().message);
    return done.has_value();
  }
  ProviderContext context(const ResourceState& r) const {
    return {engine.gate_,     *call,           stack.account,
            stack.region,     stack.name,      stack.id,
            r.logical_id,     stack.plan.tags, engine.options_.strict_acl,
            r.generated_name, r.started};
  }
  Result<void> become();
};

inline std::string generate_name(const Provider& p, const std::string& stack, const std::string& logical) {
  auto random = random_text(12, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
  size_t room = p.name_max - random.size() - 2;
  auto s = stack.substr(0, std::max(room / 2, room > logical.size() ? room - logical.size() : 0)),
       l = logical.substr(0, room - std::min(room, s.size()));
  auto name = s + "-" + l + "-" + random;
  return p.lower_case_name ? to_lower(name) : name;
}

/// Ref and GetAtt from what the stack's resources are now.
inline void bind(Environment& env, const StackState& stack) {
  env.ref = [&stack](const std::string& id) -> Result<Json> {
    auto it = stack.resources.find(id);
    if (it == stack.resources.end() || it->second.physical_id.empty())
      return invalid("Template error: resource " + id + " has not been created");
    return Json(it->second.physical_id);
  };
  env.get_att = [&stack](const std::string& id, const std::string& attribute) -> Result<Json> {
    auto it = stack.resources.find(id);
    auto* value = it == stack.resources.end() ? nullptr : it->second.attributes.find(attribute);
    if (!value)
      return invalid("Template error: resource " + id + " does not support attribute type " + attribute + " in Fn::GetAtt");
    return *value;
  };
}

inline Result<Json> evaluate_properties(const Resource& r, const Environment& env) {
  TRY(auto value, evaluate(r.properties, env));
  return value ? std::move(*value) : Json::object();
}

inline Result<std::vector<OutputState>> evaluate_outputs(const Template& t, Environment& env) {
  std::vector<OutputState> out;
  for (auto& o : t.outputs) {
    if (!included(o.condition, env)) continue;
    TRY(auto value, evaluate(o.value, env));
    if (!value || value->is_object() || value->is_array())
      return invalid("Template format error: Output " + o.id +
                     " is malformed. The Value field of every Outputs member must evaluate to a String.");
    OutputState s{o.id, value->str(), o.description};
    if (!o.export_name.is_null()) {
      TRY(auto name, evaluate(o.export_name, env));
      s.export_name = name ? name->str() : "";
    }
    out.push_back(std::move(s));
  }
  return out;
}

inline ResourceState fresh(const Template& t, const Resource& r, const Provider& p, const StackState& stack) {
  ResourceState s{.logical_id = r.id, .type = r.type};
  s.deletion_policy = r.deletion_policy;
  s.update_replace_policy = r.update_replace_policy;
  s.dependencies = t.dependencies(r);
  s.generated_name = generate_name(p, stack.name, r.id);
  return s;
}

inline bool retained(const std::string& policy) { return policy == "Retain" || policy == "RetainExceptOnCreate"; }

}  // namespace redoubt::stacks
