/// Updates: each resource that changes is changed in place or replaced; a failure undoes what was done, latest first; what the
/// new template no longer has, and what was replaced, goes at the end.
#include <algorithm>

#include "base/text.h"
#include "stacks/run.h"

namespace redoubt::stacks {

namespace {

/// Properties that differ between two evaluated sets.
std::vector<std::string> changed_properties(const Json& a, const Json& b) {
  std::vector<std::string> out;
  for (auto& [name, value] : b.members())
    if (!a.has(name) || !(a[name] == value)) out.push_back(name);
  for (auto& [name, value] : a.members())
    if (!b.has(name)) out.push_back(name);
  return out;
}

bool needs_replacement(const Provider& p, const std::vector<std::string>& changed) {
  return std::any_of(changed.begin(), changed.end(), [&](auto& name) {
    auto* property = p.property(name);
    return property && property->on_change == OnChange::replace;
  });
}

/// What happens to one resource of the new template.
struct Change {
  bool exists = false, replace = false, keep = false;
  std::vector<std::string> properties;
};
Change change_of(const StackState& stack, const Plan& before, const Plan& after, const Resource& r, const Json& properties) {
  Change c;
  auto old = stack.resources.find(r.id);
  c.exists = old != stack.resources.end() && old->second.exists();
  if (!c.exists) return c;
  auto& p = *find_provider(r.type);
  c.properties = changed_properties(old->second.properties, properties);
  bool tags = before.tags != after.tags && p.property("Tags");
  c.replace = old->second.type != r.type || needs_replacement(p, c.properties);
  c.keep = c.properties.empty() && !tags && !c.replace;
  return c;
}

}  // namespace

Result<std::vector<ChangeState>> Engine::changes(const StackState& stack, const Plan& plan) const {
  TRY(auto t, parse_template(plan.template_text));
  TRY(auto env, environment(t, stack, plan));
  bind(env, stack);
  // What isn't there yet, or will be another one, has no values: what is made of them can't be known, and functions may fail on
  // what stands in for them.
  std::set<std::string> unknown;
  bool met_unknown = false;
  auto stand_in = [&](const std::string& what) -> Result<Json> {
    met_unknown = true;
    return Json("{{unknown:" + what + "}}");
  };
  env.ref = [&, ref = env.ref](const std::string& id) { return unknown.contains(id) ? stand_in(id) : ref(id); };
  env.get_att = [&, get_att = env.get_att](const std::string& id, const std::string& a) {
    return unknown.contains(id) ? stand_in(id + "." + a) : get_att(id, a);
  };
  std::vector<ChangeState> out;
  std::set<std::string> kept;
  for (auto& id : t.order()) {
    auto& r = *t.resource(id);
    if (!included(r.condition, env)) continue;
    kept.insert(id);
    auto old = stack.resources.find(id);
    met_unknown = false;
    auto properties = evaluate_properties(r, env);
    if (!properties && !met_unknown) return fail(properties.error());
    auto change = change_of(stack, *stack.plan, plan, r, properties ? *properties : Json::object());
    if (!change.exists) {
      unknown.insert(id);
      out.push_back({"Add", id, "", r.type, "", {}});
    } else if (!properties) {
      out.push_back({"Modify", id, old->second.physical_id, r.type, "Conditional", {}});
    } else if (!change.keep) {
      if (change.replace) unknown.insert(id);
      out.push_back({"Modify", id, old->second.physical_id, r.type,
                     change.replace ? (met_unknown ? "Conditional" : "True") : "False", change.properties});
    }
  }
  for (auto& [id, r] : stack.resources)
    if (!kept.contains(id) && r.exists()) out.push_back({"Remove", id, r.physical_id, r.type, "", {}});
  return out;
}

void Engine::Run::update() {
  auto t = parse_template(stack.plan->template_text);
  if (!t) return roll_back_update(t.error().message);
  auto env = engine.environment(*t, stack, *stack.plan);
  if (!env) return roll_back_update(env.error().message);
  bind(*env, stack);
  std::set<std::string> kept, imported;
  env->imported = &imported;
  for (auto& id : t->order()) {
    auto& r = *t->resource(id);
    if (!included(r.condition, *env)) continue;
    if (engine.stopping()) return;
    kept.insert(id);
    auto& p = *find_provider(r.type);
    auto properties = evaluate_properties(r, *env);
    if (!properties) return roll_back_update(properties.error().message);
    stack.imports.insert(imported.begin(), imported.end());
    auto change = change_of(stack, *stack.before, *stack.plan, r, *properties);
    auto next = fresh(*t, r, p, stack);
    auto& state = stack.resources[id];
    auto before = state;
    if (change.keep) {
      state.deletion_policy = next.deletion_policy;
      state.update_replace_policy = next.update_replace_policy;
      state.dependencies = next.dependencies;
      continue;
    }
    auto refuse = [&](const std::string& reason) {
      auto told = before;  // told of, but as it was
      told.logical_id = id;
      told.type = r.type;
      resource_status(told, change.exists ? "UPDATE_FAILED" : "CREATE_FAILED", reason);
      if (!change.exists) stack.resources.erase(id);
      roll_back_update("The following resource(s) failed to " + std::string(change.exists ? "update" : "create") + ": " +
                       bracketed({id}) + ". ");
    };
    if (auto good = check_shapes(p, *properties); !good) return refuse(good.error().message);
    if (change.replace && before.type == r.type && !p.name_property.empty() && properties->has(p.name_property) &&
        before.properties[p.name_property] == (*properties)[p.name_property])
      return refuse("CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename " +
                    (*properties)[p.name_property].str() + " and update the stack again.");
    if (!change.exists || change.replace) {
      stack.undo.push_back({change.exists ? "replaced" : "created", before, id});
      if (change.exists) stack.replaced.push_back(before);
      state = next;
      state.properties = *properties;
      if (!make(state, p, change.exists ? "UPDATE" : "CREATE",
                change.exists ? "Requested update requires the creation of a new physical resource; hence creating one." : ""))
        return;
    } else {
      stack.undo.push_back({"updated", before, id});
      state.properties = *properties;
      state.deletion_policy = next.deletion_policy;
      state.update_replace_policy = next.update_replace_policy;
      state.dependencies = next.dependencies;
      resource_status(state, "UPDATE_IN_PROGRESS", "", true);
      std::string refusal;
      if (!announce(refusal)) return;
      auto made = refusal.empty() ? p.update(context(state), before.physical_id, before.properties, state.properties)
                                  : Result<Made>(invalid(refusal));
      if (made && !made->attributes.is_null()) state.attributes = made->attributes;
      resource_status(state, made ? "UPDATE_COMPLETE" : "UPDATE_FAILED", made ? "" : refused(p, made.error()), true);
      if (!written()) return;
    }
    if (!state.status.ends_with("_COMPLETE"))
      return roll_back_update("The following resource(s) failed to " + std::string(change.exists ? "update" : "create") + ": " +
                              bracketed({id}) + ". ");
  }
  auto outputs = evaluate_outputs(*t, *env);
  if (!outputs) return roll_back_update(outputs.error().message);
  // From here on it counts: exports change, and there is no way back.
  auto was = stack;
  stack.outputs = std::move(*outputs);
  stack.imports = imported;
  for (auto& [id, r] : stack.resources)
    if (!kept.contains(id) && r.exists()) stack.replaced.push_back(r);
  std::vector<const ResourceState*> going;
  for (auto& r : stack.replaced) going.push_back(&r);
  std::vector<ResourceState> ordered;
  for (size_t i : need_order(going)) ordered.push_back(stack.replaced[i]);
  stack.replaced = std::move(ordered);
  stack.undo.clear();
  stack.before = nullptr;
  stack_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
  std::string refusal;
  if (!announce(refusal)) return;
  if (refusal.empty()) return finish_update();
  stack = std::move(was);
  events.clear();
  roll_back_update(refusal);
}

void Engine::Run::finish_update() {
  while (!stack.replaced.empty()) {
    if (engine.stopping()) return;
    auto r = stack.replaced.back();
    auto now = stack.resources.find(r.logical_id);
    bool dropped = now != stack.resources.end() && now->second.physical_id == r.physical_id;
    auto& policy = dropped ? r.deletion_policy : r.update_replace_policy;
    bool still_there = false;
    // As on AWS, what can't be removed is told and left: the update itself has succeeded.
    if (policy == "Retain" || policy == "RetainExceptOnCreate")
      resource_status(r, "DELETE_SKIPPED");
    else if (!take_down(r, still_there))
      return;
    stack.replaced.pop_back();
    if (dropped) stack.resources.erase(now);
    if (!written()) return;
  }
  stack_status("UPDATE_COMPLETE");
  (void)written();
}

void Engine::Run::roll_back_update(const std::string& reason) {
  if (stack.status != "UPDATE_ROLLBACK_IN_PROGRESS") {
    stack_status("UPDATE_ROLLBACK_IN_PROGRESS", reason);
    if (!written()) return;
  }
  std::vector<std::string> failed;
  for (size_t i = stack.undo.size(); i-- > 0;) {
    if (engine.stopping()) return;
    auto step = stack.undo[i];
    bool done = false;
    if (!undo(step, done)) return;
    if (done)
      stack.undo.erase(stack.undo.begin() + long(i));
    else
      failed.push_back(step.logical_id);
    if (!written()) return;
  }
  stack.leave.clear();
  if (failed.empty()) {
    stack.plan = stack.before;
    stack.before = nullptr;
    stack.imports = stack.imports_before;
    stack_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
    stack_status("UPDATE_ROLLBACK_COMPLETE");
  } else {
    stack_status("UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: " + bracketed(failed) + ". ");
  }
  (void)written();
}

bool Engine::Run::undo(const StackState::Undo& step, bool& done) {
  auto& state = stack.resources[step.logical_id];
  auto* p = find_provider(state.type);
  bool skip = std::find(stack.leave.begin(), stack.leave.end(), step.logical_id) != stack.leave.end();
  done = true;
  auto attributes = step.before.attributes;
  if (step.kind == "updated" && !skip) {
    resource_status(state, "UPDATE_IN_PROGRESS");
    auto back = p->update(context(state, true), step.before.physical_id, state.properties, step.before.properties);
    done = back.has_value();
    if (!done) resource_status(state, "UPDATE_FAILED", refused(*p, back.error()));
    if (done && !back->attributes.is_null()) attributes = back->attributes;
  } else if (step.kind != "updated" && !skip) {
    bool still_there = false;
    if (!adopt(state))
      still_there = true;
    else if (state.exists() && !take_down(state, still_there))
      return false;
    done = !still_there;
  }
  if (!done) return true;
  if (step.kind == "created") {
    stack.resources.erase(step.logical_id);
    return true;
  }
  std::erase_if(stack.replaced,
                [&](auto& r) { return r.logical_id == step.logical_id && r.physical_id == step.before.physical_id; });
  state = step.before;
  state.attributes = attributes;
  resource_status(state, "UPDATE_COMPLETE");
  return true;
}

}  // namespace redoubt::stacks
