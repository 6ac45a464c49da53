/// Creating a stack, rolling a creation back, and deleting a stack.
#include <algorithm>

#include "stacks/run.h"

namespace redoubt::stacks {

void Engine::Run::create() {
  auto t = parse_template(stack.plan->template_text);
  if (!t) return creation_failed(t.error().message);
  auto env = engine.environment(*t, stack, *stack.plan);
  if (!env) return creation_failed(env.error().message);
  bind(*env, stack);
  env->imported = &stack.imports;
  for (auto& id : t->order()) {
    auto& r = *t->resource(id);
    if (!included(r.condition, *env)) continue;
    if (engine.stopping()) return;  // taken up at the next start
    if (stack.timeout_minutes && engine.clock_.now() > stack.created.plus_seconds(stack.timeout_minutes * 60))
      return creation_failed("Stack creation time exceeded the specified timeout.");
    auto& p = *find_provider(r.type);
    auto& state = stack.resources[id] = fresh(*t, r, p, stack);
    auto properties = evaluate_properties(r, *env);
    if (properties) state.properties = *properties;
    auto good = properties ? check_shapes(p, *properties) : Result<void>(std::unexpected(properties.error()));
    if (!good) {
      resource_status(state, "CREATE_FAILED", good.error().message, true);
    } else if (!make(state, p, "CREATE", "")) {
      return;
    }
    if (state.status != "CREATE_COMPLETE")
      return creation_failed("The following resource(s) failed to create: " + bracketed({id}) + ".");
  }
  auto outputs = evaluate_outputs(*t, *env);
  if (!outputs) return creation_failed(outputs.error().message);
  stack.outputs = std::move(*outputs);
  stack_status("CREATE_COMPLETE");
  auto done = write_down();
  if (done || done.error().kind != &kValidation) return;
  stack.outputs.clear();  // an export that somebody else has
  events.clear();
  stack.status = "CREATE_IN_PROGRESS";
  creation_failed(done.error().message);
}

void Engine::Run::creation_failed(const std::string& reason) {
  if (stack.on_failure == "DO_NOTHING" && stack.status == "CREATE_IN_PROGRESS") {
    for (auto& [id, r] : stack.resources)
      if (r.cut_off() && adopt(r)) resource_status(r, "CREATE_FAILED", reason);
    stack_status("CREATE_FAILED", reason);
    (void)written();
    return;
  }
  bool forget = stack.on_failure == "DELETE";
  // A crash while rolling back comes here again.
  if (stack.status == "CREATE_IN_PROGRESS") {
    stack_status(forget ? "DELETE_IN_PROGRESS" : "ROLLBACK_IN_PROGRESS",
                 reason + (forget ? " Delete requested by user." : " Rollback requested by user."));
    if (!written()) return;
  }
  std::vector<std::string> failed;
  // What RetainExceptOnCreate says.
  if (!take_down_all([](auto& r) { return r.deletion_policy == "Retain"; }, failed)) return;
  std::string verb = forget ? "DELETE" : "ROLLBACK";
  if (failed.empty()) {
    stack.imports.clear();
    if (forget) stack.deleted = engine.clock_.now();
    stack_status(verb + "_COMPLETE");
  } else {
    stack_status(verb + "_FAILED", "The following resource(s) failed to delete: " + bracketed(failed) + ". ");
  }
  (void)written();
}

void Engine::Run::remove() {
  auto retained = [&](const ResourceState& r) {
    bool asked = std::find(stack.leave.begin(), stack.leave.end(), r.logical_id) != stack.leave.end();
    return asked || r.deletion_policy == "Retain" || r.deletion_policy == "RetainExceptOnCreate";
  };
  std::vector<std::string> failed;
  for (auto& id : stack.leave)
    if (auto it = stack.resources.find(id); it != stack.resources.end() && it->second.cut_off())
      resource_status(it->second, "DELETE_SKIPPED");
  if (!take_down_all(retained, failed)) return;
  // What a failed update left of what it replaced.
  while (failed.empty() && !stack.replaced.empty()) {
    auto& r = stack.replaced.back();
    bool still_there = false;
    if (retained(r))
      resource_status(r, "DELETE_SKIPPED");
    else if (!take_down(r, still_there))
      return;
    if (still_there)
      failed.push_back(r.logical_id);
    else
      stack.replaced.pop_back();
  }
  if (failed.empty()) {
    stack.deleted = engine.clock_.now();
    stack.outputs.clear();
    stack.imports.clear();
    stack.undo.clear();
    stack.before = nullptr;
    stack_status("DELETE_COMPLETE");
  } else {
    stack_status("DELETE_FAILED", "The following resource(s) failed to delete: " + bracketed(failed) + ". ");
  }
  (void)written();
}

}  // namespace redoubt::stacks
