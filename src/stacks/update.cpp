/// Updates: each resource that changes is changed in place or replaced; a failure undoes what was done, latest first; what the
/// new template no longer has, and what was replaced, goes at the end.
#include <algorithm>

#include "base/ids.h"
#include "base/log.h"
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

}  // namespace

Result<std::vector<ChangeState>> Engine::changes(const StackState& stack, const Plan& plan) const {
  TRY(auto t, parse_template(plan.template_text));
  TRY(auto env, environment(t, stack, plan));
  // A resource that isn't there yet, or will be another one, has no values: what depends on it may change.
  std::set<std::string> unknown;
  bind(env, stack);
  auto ref = env.ref;
  auto get_att = env.get_att;
  env.ref = [&, ref](const std::string& id) -> Result<Json> {
    return unknown.contains(id) ? Json("{{unknown:" + id + "}}") : ref(id);
  };
  env.get_att = [&, get_att](const std::string& id, const std::string& a) -> Result<Json> {
    return unknown.contains(id) ? Json("{{unknown:" + id + "." + a + "}}") : get_att(id, a);
  };
  std::vector<ChangeState> out;
  std::set<std::string> kept;
  for (auto& id : t.order()) {
    auto& r = *t.resource(id);
    if (!included(r.condition, env)) continue;
    kept.insert(id);
    auto old = stack.resources.find(id);
    bool exists = old != stack.resources.end() && !old->second.physical_id.empty() && old->second.status != "DELETE_COMPLETE";
    if (!exists) {
      unknown.insert(id);
      TRY_VOID(evaluate_properties(r, env));
      out.push_back({"Add", id, "", r.type, ""});
      continue;
    }
    TRY(auto properties, evaluate_properties(r, env));
    auto changed = changed_properties(old->second.properties, properties);
    bool tags = stack.plan.tags != plan.tags && find_provider(r.type)->property("Tags");
    if (changed.empty() && !tags && old->second.type == r.type) continue;
    bool replace = old->second.type != r.type || needs_replacement(*find_provider(r.type), changed);
    if (replace) unknown.insert(id);
    out.push_back({"Modify", id, old->second.physical_id, r.type, replace ? "True" : "False", changed});
  }
  for (auto& [id, r] : stack.resources)
    if (!kept.contains(id) && !r.physical_id.empty() && r.status != "DELETE_COMPLETE" && r.status != "DELETE_SKIPPED")
      out.push_back({"Remove", id, r.physical_id, r.type, ""});
  return out;
}

void Engine::update(Run& run) {
  auto& stack = run.stack;
  auto t = parse_template(stack.plan.template_text);
  if (!t) return roll_back_update(run, t.error().message);
  auto env = environment(*t, stack, stack.plan);
  if (!env) return roll_back_update(run, env.error().message);
  bind(*env, stack);
  stack.imports.clear();
  env->imported = &stack.imports;
  std::set<std::string> kept;
  for (auto& id : t->order()) {
    auto& r = *t->resource(id);
    if (!included(r.condition, *env)) continue;
    kept.insert(id);
    auto& p = *find_provider(r.type);
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    auto properties = evaluate_properties(r, *env);
    if (!properties) return roll_back_update(run, properties.error().message);
    auto old = stack.resources.find(id);
    bool exists = old != stack.resources.end() && !old->second.physical_id.empty() && old->second.status != "DELETE_COMPLETE";
    auto before = exists ? old->second : ResourceState{};
    auto changed = exists ? changed_properties(before.properties, *properties) : std::vector<std::string>{};
    bool tags = stack.before.tags != stack.plan.tags && p.property("Tags");
    auto next = fresh(*t, r, p, stack);
    if (exists && changed.empty() && !tags && before.type == r.type) {
      old->second.deletion_policy = r.deletion_policy;
      old->second.update_replace_policy = r.update_replace_policy;
      old->second.dependencies = next.dependencies;
      continue;
    }
    bool replace = exists && (before.type != r.type || needs_replacement(p, changed));
    if (replace && before.type == r.type && !p.name_property.empty() && properties->has(p.name_property) &&
        before.properties[p.name_property] == (*properties)[p.name_property])
      return roll_back_update(run,
                              "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename " +
                                  (*properties)[p.name_property].str() + " and update the stack again.");
    auto& state = stack.resources[id];
    if (!exists || replace) {
      state = next;
      state.properties = *properties;
      state.started = clock_.now();
      stack.undo.push_back({exists ? "replaced" : "created", before, id});
      run.resource_status(state, exists ? "UPDATE_IN_PROGRESS" : "CREATE_IN_PROGRESS",
                          exists ? "Requested update requires the creation of a new physical resource; hence creating one." : "",
                          true);
      if (!run.write_down()) return;
      auto made = p.create(run.context(state), state.properties);
      if (!made) {
        run.resource_status(state, exists ? "UPDATE_FAILED" : "CREATE_FAILED", made.error().message, true);
        state.physical_id.clear();
        return roll_back_update(
            run, "The following resource(s) failed to " + std::string(exists ? "update" : "create") + ": [" + id + "].");
      }
      state.physical_id = made->physical_id;
      state.attributes = made->attributes;
      if (exists) stack.replaced.push_back(before);
      run.resource_status(state, exists ? "UPDATE_COMPLETE" : "CREATE_COMPLETE", "", true);
    } else {
      stack.undo.push_back({"updated", before, id});
      state.properties = *properties;
      state.deletion_policy = next.deletion_policy;
      state.update_replace_policy = next.update_replace_policy;
      state.dependencies = next.dependencies;
      run.resource_status(state, "UPDATE_IN_PROGRESS", "", true);
      if (!run.write_down()) return;
      auto made = p.update(run.context(state), before.physical_id, before.properties, state.properties);
      if (!made) {
        run.resource_status(state, "UPDATE_FAILED", made.error().message, true);
        return roll_back_update(run, "The following resource(s) failed to update: [" + id + "].");
      }
      if (!made->attributes.is_null()) state.attributes = made->attributes;
      run.resource_status(state, "UPDATE_COMPLETE", "", true);
    }
    if (!run.write_down()) return;
  }
  auto outputs = evaluate_outputs(*t, *env);
  if (!outputs) return roll_back_update(run, outputs.error().message);
  // An export that somebody imports can neither go nor change.
  for (auto& o : stack.outputs) {
    if (o.export_name.empty()) continue;
    bool same = std::any_of(outputs->begin(), outputs->end(),
                            [&](auto& n) { return n.export_name == o.export_name && n.value == o.value; });
    if (same) continue;
    for (auto& s : store_.list(stack.account, stack.region))
      if (!s.deleted_for_good() && s.id != stack.id && s.imports.contains(o.export_name))
        return roll_back_update(run, "Export " + o.export_name + " cannot be updated as it is in use by " + s.name);
  }
  for (auto& o : *outputs) {
    std::string by;
    if (!o.export_name.empty() && exported(stack.account, stack.region, o.export_name, &by) && by != stack.name)
      return roll_back_update(run, "Export with name " + o.export_name + " is already exported by stack " + by + ".");
  }
  stack.outputs = std::move(*outputs);
  for (auto& [id, r] : stack.resources)
    if (!kept.contains(id) && !r.physical_id.empty() && r.status != "DELETE_COMPLETE" && r.status != "DELETE_SKIPPED")
      stack.replaced.push_back(r);
  stack.undo.clear();
  run.stack_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
  if (!run.write_down() || !clean_up(run)) return;
  run.stack_status("UPDATE_COMPLETE");
  run.write_down();
}

Result<void> Engine::clean_up(Run& run) {
  auto& stack = run.stack;
  // Dependents were pushed after what they depend on: latest first.
  while (!stack.replaced.empty()) {
    auto r = stack.replaced.back();
    auto now = stack.resources.find(r.logical_id);
    bool dropped_from_template = now != stack.resources.end() && now->second.physical_id == r.physical_id;
    auto& policy = dropped_from_template ? r.deletion_policy : r.update_replace_policy;
    if (policy == "Retain" || (dropped_from_template && policy == "RetainExceptOnCreate")) {
      run.resource_status(r, "DELETE_SKIPPED");
    } else {
      run.resource_status(r, "DELETE_IN_PROGRESS");
      if (!run.write_down()) return fail(kInternal, "the store refused a step");
      auto gone = find_provider(r.type)->remove(run.context(r), r.physical_id, r.properties);
      // As on AWS, a failed cleanup is told and left: the update itself has succeeded.
      run.resource_status(r, gone ? "DELETE_COMPLETE" : "DELETE_FAILED", gone ? "" : gone.error().message);
    }
    stack.replaced.pop_back();
    if (dropped_from_template) {
      if (r.status == "DELETE_FAILED")
        now->second.status = "DELETE_SKIPPED";
      else
        stack.resources.erase(now);
    }
    if (!run.write_down()) return fail(kInternal, "the store refused a step");
  }
  return {};
}

void Engine::roll_back_update(Run& run, const std::string& reason) {
  auto& stack = run.stack;
  if (stack.status != "UPDATE_ROLLBACK_IN_PROGRESS") {
    run.stack_status("UPDATE_ROLLBACK_IN_PROGRESS", reason);
    if (!run.write_down()) return;
  }
  std::vector<std::string> failed;
  while (!stack.undo.empty()) {
    auto u = stack.undo.back();
    auto& state = stack.resources[u.logical_id];
    auto* p = find_provider(state.type);
    Result<void> undone;
    if (u.kind == "updated") {
      run.resource_status(state, "UPDATE_IN_PROGRESS");
      auto back = p->update(run.context(state), u.before.physical_id, state.properties, u.before.properties);
      if (!back) undone = fail(back.error());
      auto attributes = back && !back->attributes.is_null() ? back->attributes : u.before.attributes;
      state = u.before;
      state.attributes = attributes;
      run.resource_status(state, undone ? "UPDATE_COMPLETE" : "UPDATE_FAILED", undone ? "" : undone.error().message);
    } else {
      if (state.physical_id.empty() && p->find_made) {
        auto found = p->find_made(run.context(state), state.properties);
        if (found) state.physical_id = *found;
      }
      if (!state.physical_id.empty()) {
        undone = p->remove(run.context(state), state.physical_id, state.properties);
        run.resource_status(state, undone ? "DELETE_COMPLETE" : "DELETE_FAILED", undone ? "" : undone.error().message);
      }
      if (u.kind == "replaced") {
        std::erase_if(stack.replaced,
                      [&](auto& r) { return r.logical_id == u.logical_id && r.physical_id == u.before.physical_id; });
        state = u.before;
      } else if (undone) {
        stack.resources.erase(u.logical_id);
      }
    }
    if (!undone) failed.push_back(u.logical_id);
    stack.undo.pop_back();
    if (!run.write_down()) return;
  }
  stack.plan = stack.before;
  if (failed.empty()) {
    run.stack_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
    run.stack_status("UPDATE_ROLLBACK_COMPLETE");
  } else {
    run.stack_status("UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [" + join(failed, ", ") + "].");
  }
  run.write_down();
}

}  // namespace redoubt::stacks
