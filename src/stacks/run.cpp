#include "stacks/run.h"

#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"

namespace redoubt::stacks {

/// A service may quote what it refuses, and what it refuses may be a NoEcho parameter.
std::string Engine::Run::without_secrets(std::string text) const {
  for (auto& plan : {stack.plan, stack.before}) {
    if (!plan) continue;
    for (auto& name : plan->secret_parameters)
      if (auto it = plan->parameters.find(name); it != plan->parameters.end() && !it->second.empty())
        text = replace_all(text, it->second, "****");
  }
  return text;
}

void Engine::Run::event(const std::string& logical, const std::string& physical, const std::string& type,
                        const std::string& status, const std::string& reason, const Json& properties) {
  Event e{.id = new_uuid(), .logical_id = logical, .physical_id = physical, .type = type, .status = status, .reason = reason};
  e.time = engine.clock_.now();
  e.client_token = stack.client_token;
  if (!properties.is_null() && show_properties) {
    Json shown = properties;
    shown.erase("MasterUserPassword");
    e.properties = shown.dump();
  }
  if (physical != stack.id) e.id = logical + "-" + status + "-" + iso8601_millis(e.time) + "-" + e.id.substr(0, 8);
  events.push_back(std::move(e));
}
void Engine::Run::stack_status(const std::string& status, const std::string& reason) {
  stack.status = status;
  stack.reason = without_secrets(reason);
  event(stack.name, stack.id, "AWS::CloudFormation::Stack", status, stack.reason);
}
void Engine::Run::resource_status(ResourceState& r, const std::string& status, const std::string& reason, bool with_properties) {
  r.status = status;
  r.reason = without_secrets(reason);
  r.updated = engine.clock_.now();
  event(r.logical_id, r.physical_id, r.type, status, r.reason, with_properties ? r.properties : Json());
}

Result<void> Engine::Run::write_down() {
  auto before = stack.next_event;
  auto done = engine.store_.put(stack, events);
  if (done)
    events.clear();
  else
    stack.next_event = before;
  return done;
}
bool Engine::Run::written() {
  auto done = write_down();
  if (!done) log::error("stack " + stack.name + " stopped half way: " + done.error().message);
  return done.has_value();
}

ProviderContext Engine::Run::context(const ResourceState& r, bool way_back) const {
  auto& now = stack.plan->tags;
  auto& then = stack.before ? stack.before->tags : now;
  return {engine.gate_,     *call,        stack.account,         stack.region,          stack.name,
          stack.id,         r.logical_id, way_back ? then : now, way_back ? now : then, engine.options_.strict_acl,
          r.generated_name, r.started};
}

bool Engine::Run::announce(std::string& refused) {
  auto noted = write_down();
  if (noted) return true;
  if (noted.error().kind != &kValidation) {
    log::error("stack " + stack.name + " stopped half way: " + noted.error().message);
    return false;
  }
  refused = noted.error().message;
  stack.imports = engine.store_.find(stack.id)->imports;
  return true;
}

bool Engine::Run::make(ResourceState& state, const Provider& p, const std::string& status_word, const std::string& reason) {
  state.started = engine.clock_.now();
  resource_status(state, status_word + "_IN_PROGRESS", reason, true);
  std::string refusal;
  if (!announce(refusal)) return false;
  if (!refusal.empty()) {
    resource_status(state, status_word + "_FAILED", refusal, true);
    return written();
  }
  auto made = p.create(context(state), state.properties);
  if (!made) {
    state.physical_id = made.error().get("PhysicalResourceId");
    resource_status(state, status_word + "_FAILED", refused(p, made.error()), true);
    return written();
  }
  state.physical_id = made->physical_id;
  state.attributes = made->attributes;
  resource_status(state, status_word + "_IN_PROGRESS", "Resource creation Initiated", true);
  resource_status(state, status_word + "_COMPLETE", "", true);
  return written();
}

Result<void> Engine::Run::adopt(ResourceState& state) {
  if (!state.cut_off()) return {};
  auto* p = find_provider(state.type);
  auto found = p->find_made(context(state), state.properties);
  if (!found) {
    resource_status(state, "DELETE_FAILED", refused(*p, found.error()));
    return fail(found.error());
  }
  state.physical_id = *found;
  return {};
}

bool Engine::Run::take_down(ResourceState& state, bool& failed) {
  auto* p = find_provider(state.type);
  resource_status(state, "DELETE_IN_PROGRESS");
  if (!written()) return false;
  auto gone = p->remove(context(state), state.physical_id, state.properties);
  failed = !gone;
  resource_status(state, gone ? "DELETE_COMPLETE" : "DELETE_FAILED", gone ? "" : refused(*p, gone.error()));
  return written();
}

bool Engine::Run::take_down_all(const std::function<bool(const ResourceState&)>& keep, std::vector<std::string>& failed) {
  for (auto& [id, r] : stack.resources)
    if (!adopt(r)) failed.push_back(id);
  std::vector<const ResourceState*> all;
  for (auto& [id, r] : stack.resources) all.push_back(&r);
  auto order = need_order(all);
  std::set<std::string> stays;
  auto stay = [&](const ResourceState& r) { stays.insert(r.dependencies.begin(), r.dependencies.end()); };
  for (auto& id : failed) stay(stack.resources[id]);
  for (auto i = order.rbegin(); i != order.rend(); ++i) {
    auto& id = all[*i]->logical_id;
    auto& r = stack.resources[id];
    if (!r.exists()) continue;
    if (engine.stopping()) return false;
    if (stays.contains(id)) {
      stay(r);
      continue;
    }
    if (keep(r)) {
      resource_status(r, "DELETE_SKIPPED");
      continue;
    }
    bool still_there = false;
    if (!take_down(r, still_there)) return false;
    if (still_there) {
      failed.push_back(id);
      stay(r);
    }
  }
  return true;
}

// ------------------------------------------------------------------------------------------------------------------- helpers

std::string bracketed(const std::vector<std::string>& names) { return "[" + join(names, ", ") + "]"; }

std::string generate_name(const Provider& p, const std::string& stack, const std::string& logical) {
  auto random = random_text(12, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
  size_t room = p.name_max - random.size() - 2;
  auto s = stack.substr(0, std::max(room / 2, room > logical.size() ? room - logical.size() : 0));
  auto l = logical.substr(0, room - std::min(room, s.size()));
  auto name = s + "-" + l + "-" + random;
  return p.lower_case_name ? to_lower(name) : name;
}

void bind(Environment& env, const StackState& stack) {
  env.ref = [&stack](const std::string& id) -> Result<Json> {
    auto it = stack.resources.find(id);
    if (it == stack.resources.end() || !it->second.exists())
      return invalid("Template format error: Unresolved resource dependencies [" + id +
                     "] in the Resources block of the template");
    return Json(it->second.physical_id);
  };
  env.get_att = [&stack](const std::string& id, const std::string& attribute) -> Result<Json> {
    auto it = stack.resources.find(id);
    if (it == stack.resources.end() || !it->second.exists())
      return invalid("Template format error: Unresolved resource dependencies [" + id +
                     "] in the Resources block of the template");
    auto* value = it->second.attributes.find(attribute);
    if (!value)
      return invalid("Template error: resource " + id + " does not support attribute type " + attribute + " in Fn::GetAtt");
    return *value;
  };
}

Result<Json> evaluate_properties(const Resource& r, const Environment& env) {
  TRY(auto value, evaluate(r.properties, env));
  return value ? std::move(*value) : Json::object();
}

Result<std::vector<OutputState>> evaluate_outputs(const Template& t, const Environment& env) {
  std::vector<OutputState> out;
  std::set<std::string> names;
  for (auto& o : t.outputs) {
    if (!included(o.condition, env)) continue;
    TRY(auto value, evaluate(o.value, env));
    if (!value || value->is_object() || value->is_array())
      return invalid("Template format error: Output " + o.id +
                     " is malformed. The Value field of every Outputs member must evaluate to a String.");
    OutputState s{o.id, value->str(), o.description, {}};
    if (!o.export_name.is_null()) {
      TRY(auto name, evaluate(o.export_name, env));
      s.export_name = name ? name->str() : "";
      if (s.export_name.empty() || s.export_name.size() > 255)
        return invalid("Template format error: Output " + o.id + " is malformed. The Name of an Export has 1 to 255 characters.");
      if (!names.insert(s.export_name).second) return invalid("Duplicate Export names: " + s.export_name);
    }
    out.push_back(std::move(s));
  }
  return out;
}

std::vector<size_t> need_order(const std::vector<const ResourceState*>& resources) {
  std::multimap<std::string_view, size_t> of;
  for (size_t i = 0; i < resources.size(); ++i) of.emplace(resources[i]->logical_id, i);
  std::vector<size_t> out;
  std::vector<bool> seen(resources.size());
  auto visit = [&](auto&& self, size_t i) -> void {  // at most as deep as a template has resources: 500
    if (seen[i]) return;
    seen[i] = true;
    for (auto& needed : resources[i]->dependencies)
      for (auto [at, end] = of.equal_range(needed); at != end; ++at) self(self, at->second);
    out.push_back(i);
  };
  for (size_t i = 0; i < resources.size(); ++i) visit(visit, i);
  return out;
}

ResourceState fresh(const Template& t, const Resource& r, const Provider& p, const StackState& stack) {
  ResourceState s{.logical_id = r.id, .type = r.type};
  s.deletion_policy = r.deletion_policy;
  s.update_replace_policy = r.update_replace_policy;
  s.dependencies = t.dependencies(r);
  s.generated_name = generate_name(p, stack.name, r.id);
  return s;
}

}  // namespace redoubt::stacks
