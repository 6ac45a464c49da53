#include <algorithm>

#include "api/sts.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/optional.h"
#include "base/text.h"
#include "stacks/run.h"

namespace redoubt::stacks {
namespace {

std::string quoted_list(const std::vector<std::string>& names) { return "[" + join(names, ", ") + "]"; }

}  // namespace

/// The call that the stack acts as: its service role's session, or its caller's forwarded by cloudformation.
Result<void> Engine::Run::become() {
  auto& gate = engine.gate_;
  if (!call) {
    TRY(auto caller, load_caller(stack.caller));
    auto c = gate.new_call(caller, {});
    c.path.tls = true;
    call = std::move(c);
  }
  call->region = stack.region;
  if (stack.role_arn.empty()) {
    call = call->forwarded_by("cloudformation");
    return {};
  }
  auto service = gate.call_as_service(*call, "cloudformation.amazonaws.com");
  api::sts::AssumeRoleRequest in{.RoleArn = stack.role_arn, .RoleSessionName = "AWSCloudFormation"};
  auto out = gate.call<api::sts::op::AssumeRole>(service, in);
  if (!out || !out->Credentials) return fail(kValidation, "Role " + stack.role_arn + " is invalid or cannot be assumed");
  TRY(auto as_role, gate.call_with_credentials(*call, out->Credentials->AccessKeyId, out->Credentials->SecretAccessKey,
                                               out->Credentials->SessionToken));
  as_role.region = stack.region;
  call = as_role.forwarded_by("cloudformation");
  return {};
}

Engine::Engine(StackStore& store, access::Gate& gate, Clock& clock, EngineOptions options)
    : store_(store), gate_(gate), clock_(clock), options_(options) {
  for (size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
}
Engine::~Engine() { stop(); }

void Engine::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  ready_.notify_all();
  for (auto& t : threads_)
    if (t.joinable()) t.join();
}

void Engine::resume() {
  for (auto& s : store_.unfinished()) {
    auto work = s.status.starts_with("DELETE") ? Work::remove : s.status.starts_with("UPDATE") ? Work::update : Work::create;
    std::lock_guard lock(mutex_);
    queue_.push_back({s.id, work, std::nullopt, {}, nullptr, nullptr});
  }
  ready_.notify_all();
}

void Engine::run(const std::string& stack_id, Work work, const access::Call& call, std::vector<std::string> retain, int wait_ms) {
  auto signal = std::make_shared<std::pair<std::mutex, std::condition_variable>>();
  auto done = std::make_shared<bool>(false);
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back({stack_id, work, call, std::move(retain), signal, done});
  }
  ready_.notify_one();
  std::unique_lock lock(signal->first);
  signal->second.wait_for(lock, std::chrono::milliseconds(wait_ms), [&] { return *done; });
}

void Engine::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    // The first job whose stack nobody works on.
    auto next = queue_.end();
    ready_.wait(lock, [&] {
      next = std::find_if(queue_.begin(), queue_.end(), [&](auto& j) { return !busy_.contains(j.stack_id); });
      return stopping_ || next != queue_.end();
    });
    if (stopping_) return;
    auto job = std::move(*next);
    queue_.erase(next);
    busy_.insert(job.stack_id);
    lock.unlock();
    carry_out(job);
    if (job.done) {
      {
        std::lock_guard done_lock(job.done_signal->first);
        *job.done = true;
      }
      job.done_signal->second.notify_all();
    }
    lock.lock();
    busy_.erase(job.stack_id);
    ready_.notify_all();
  }
}

void Engine::carry_out(Job& job) {
  auto stack = store_.find(job.stack_id);
  if (!stack) return;
  bool taken_up = !job.call;
  Run run{*this, std::move(*stack), std::move(job.call)};
  auto became = run.become();
  if (job.work == Work::remove) {
    if (!became) {
      run.stack_status("DELETE_FAILED", became.error().message);
      run.write_down();
      return;
    }
    remove(run, job.retain);
  } else if (job.work == Work::create) {
    if (!became) {
      run.stack_status("CREATE_FAILED", became.error().message);
      run.write_down();
    } else if (taken_up) {
      if (run.stack.status == "CREATE_IN_PROGRESS")
        run.stack_status("ROLLBACK_IN_PROGRESS",
                         "The server was stopped while the stack was being created. Rollback requested by user.");
      roll_back_creation(run, "");
    } else {
      create(run);
    }
  } else if (!became) {
    run.stack_status("UPDATE_ROLLBACK_FAILED", became.error().message);
    run.write_down();
  } else if (taken_up) {
    if (run.stack.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") {
      if (clean_up(run)) {
        run.stack_status("UPDATE_COMPLETE");
        run.write_down();
      }
    } else {
      roll_back_update(run, "The server was stopped while the stack was being updated. Rollback requested by user.");
    }
  } else {
    update(run);
  }
}

// ---------------------------------------------------------------------------------------------------------------- checks

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
    if (!find_provider(r.type)) unknown.push_back(r.type);
  if (!unknown.empty()) return invalid("Template format error: Unrecognized resource types: " + quoted_list(unknown));
  for (auto& name : t.transforms)
    if (name != "AWS::LanguageExtensions") return invalid("Transform " + name + " is not supported by this server.");
  for (auto& r : t.resources) {
    auto* p = find_provider(r.type);
    for (auto& [name, value] : r.properties.members())
      if (!p->property(name))
        return invalid("Template validation error: resource " + r.id + " (" + r.type + "): Encountered unsupported property " +
                       name);
    for (auto& property : p->properties)
      if (property.required && !r.properties.has(property.name))
        return invalid("Template validation error: resource " + r.id + " (" + r.type + "): Property " +
                       std::string(property.name) + " is required");
    if (r.deletion_policy == "Snapshot")
      return invalid("Template validation error: resource " + r.id +
                     ": DeletionPolicy Snapshot is not supported by this server.");
  }
  // GetAtt must name what the type has.
  auto check_attributes = [&](const Json& j, const std::string& where) -> Result<void> {
    TRY(auto refs, find_references(j, false, t.language_extensions));
    for (auto& [id, attribute] : refs.get_atts) {
      auto* r = t.resource(id);
      auto* p = r ? find_provider(r->type) : nullptr;
      if (p && std::find(p->attributes.begin(), p->attributes.end(), attribute) == p->attributes.end())
        return invalid("Template error: resource " + id + " does not support attribute type " + attribute + " in Fn::GetAtt (" +
                       where + ")");
    }
    return {};
  };
  for (auto& r : t.resources) TRY_VOID(check_attributes(r.properties, r.id));
  for (auto& o : t.outputs) TRY_VOID(check_attributes(o.value, o.id));
  auto needed = needed_capabilities(t);
  for (auto& c : needed) {
    bool given = std::find(capabilities.begin(), capabilities.end(), c) != capabilities.end() ||
                 (c == "CAPABILITY_IAM" &&
                  std::find(capabilities.begin(), capabilities.end(), "CAPABILITY_NAMED_IAM") != capabilities.end());
    if (!given) return fail(kInsufficientCapabilities, "Requires capabilities : " + quoted_list(needed));
  }
  return {};
}

std::optional<std::string> Engine::exported(const std::string& account, const std::string& region, const std::string& name,
                                            std::string* by_stack) const {
  for (auto& s : store_.list(account, region))
    if (!s.deleted_for_good())
      for (auto& o : s.outputs)
        if (o.export_name == name) {
          if (by_stack) *by_stack = s.name;
          return o.value;
        }
  return std::nullopt;
}

Result<Environment> Engine::environment(const Template& t, const StackState& stack, const Plan& plan) const {
  Environment env;
  env.t = &t;
  env.parameters = plan.parameters;
  env.account = stack.account;
  env.region = stack.region;
  env.stack_id = stack.id;
  env.stack_name = stack.name;
  env.notification_arns = plan.notification_arns;
  TRY(env.conditions, resolve_conditions(env));
  env.import_value = [this, account = stack.account, region = stack.region](const std::string& name) -> Result<std::string> {
    if (auto v = exported(account, region, name)) return *v;
    return invalid("No export named " + name + " found.");
  };
  return env;
}

// ---------------------------------------------------------------------------------------------------------------- create

void Engine::create(Run& run) {
  auto& stack = run.stack;
  auto fail_with = [&](const std::string& reason) {
    if (stack.on_failure == "DO_NOTHING") {
      run.stack_status("CREATE_FAILED", reason);
      run.write_down();
      return;
    }
    if (stack.on_failure == "DELETE") {
      run.stack_status("DELETE_IN_PROGRESS", reason + " Delete requested by user.");
      remove(run, {});
      return;
    }
    run.stack_status("ROLLBACK_IN_PROGRESS", reason + " Rollback requested by user.");
    roll_back_creation(run, reason);
  };
  auto t = parse_template(stack.plan.template_text);
  if (!t) return fail_with(t.error().message);
  auto env = environment(*t, stack, stack.plan);
  if (!env) return fail_with(env.error().message);
  bind(*env, stack);
  env->imported = &stack.imports;
  for (auto& id : t->order()) {
    auto& r = *t->resource(id);
    if (!included(r.condition, *env)) continue;
    auto& p = *find_provider(r.type);
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;  // taken up at the next start
    }
    auto& state = stack.resources[id] = fresh(*t, r, p, stack);
    auto properties = evaluate_properties(r, *env);
    if (properties) state.properties = *properties;
    state.started = clock_.now();
    run.resource_status(state, "CREATE_IN_PROGRESS", "", true);
    if (!run.write_down()) return;
    auto made = properties ? p.create(run.context(state), state.properties) : Result<Made>(std::unexpected(properties.error()));
    if (!made) {
      // The provider undid what it had begun: nothing of it exists.
      run.resource_status(state, "CREATE_FAILED",
                          made.error().message + " (Service: " + r.type +
                              ", Status Code: " + std::to_string(made.error().kind->http_status) +
                              ", Error Code: " + std::string(made.error().kind->code) + ")",
                          true);
      state.physical_id.clear();
      return fail_with("The following resource(s) failed to create: [" + id + "].");
    }
    state.physical_id = made->physical_id;
    state.attributes = made->attributes;
    run.resource_status(state, "CREATE_IN_PROGRESS", "Resource creation Initiated", true);
    run.resource_status(state, "CREATE_COMPLETE", "", true);
    if (!run.write_down()) return;
  }
  auto outputs = evaluate_outputs(*t, *env);
  if (!outputs) return fail_with(outputs.error().message);
  for (auto& o : *outputs) {
    std::string by;
    if (!o.export_name.empty() && exported(stack.account, stack.region, o.export_name, &by))
      return fail_with("Export with name " + o.export_name + " is already exported by stack " + by + ".");
  }
  stack.outputs = std::move(*outputs);
  run.stack_status("CREATE_COMPLETE");
  run.write_down();
}

void Engine::roll_back_creation(Run& run, const std::string&) {
  auto& stack = run.stack;
  std::vector<std::string> failed, retain;
  // What was being made when the server stopped.
  for (auto& [id, r] : stack.resources) {
    if (r.status != "CREATE_IN_PROGRESS" || !r.physical_id.empty()) continue;
    auto* p = find_provider(r.type);
    if (!p || !p->find_made) continue;
    auto found = p->find_made(run.context(r), r.properties);
    if (found && !found->empty()) r.physical_id = *found;
  }
  std::set<std::string> left;
  for (auto& [id, r] : stack.resources)
    if (!r.physical_id.empty() && r.status != "DELETE_COMPLETE") left.insert(id);
  // Whatever depends on something goes before it.
  for (bool progress = true; !left.empty() && progress;) {
    progress = false;
    for (auto it = left.begin(); it != left.end();) {
      auto& r = stack.resources[*it];
      bool needed = std::any_of(left.begin(), left.end(), [&](auto& other) {
        auto& needs = stack.resources[other].dependencies;
        return other != *it && std::find(needs.begin(), needs.end(), *it) != needs.end();
      });
      if (needed) {
        ++it;
        continue;
      }
      auto* p = find_provider(r.type);
      if (r.deletion_policy == "Retain") {
        run.resource_status(r, "DELETE_SKIPPED");
      } else {
        run.resource_status(r, "DELETE_IN_PROGRESS");
        if (!run.write_down()) return;
        auto gone = p->remove(run.context(r), r.physical_id, r.properties);
        run.resource_status(r, gone ? "DELETE_COMPLETE" : "DELETE_FAILED", gone ? "" : gone.error().message);
        if (!gone) failed.push_back(*it);
      }
      if (!run.write_down()) return;
      it = left.erase(it);
      progress = true;
    }
  }
  if (failed.empty())
    run.stack_status("ROLLBACK_COMPLETE");
  else
    run.stack_status("ROLLBACK_FAILED", "The following resource(s) failed to delete: " + quoted_list(failed) + ". ");
  run.write_down();
}

// ---------------------------------------------------------------------------------------------------------------- delete

void Engine::remove(Run& run, const std::vector<std::string>& retain) {
  auto& stack = run.stack;
  for (auto& [id, r] : stack.resources) {  // cut off while being made
    auto* p = find_provider(r.type);
    if (r.status == "CREATE_IN_PROGRESS" && r.physical_id.empty() && p && p->find_made) {
      auto found = p->find_made(run.context(r), r.properties);
      if (found && !found->empty()) r.physical_id = *found;
    }
  }
  std::set<std::string> left, failed;
  for (auto& [id, r] : stack.resources)
    if (!r.physical_id.empty() && r.status != "DELETE_COMPLETE" && r.status != "DELETE_SKIPPED") left.insert(id);
  for (bool progress = true; progress;) {
    progress = false;
    for (auto it = left.begin(); it != left.end();) {
      {
        std::lock_guard lock(mutex_);
        if (stopping_) return;
      }
      auto& r = stack.resources[*it];
      auto needed_by = [&](const std::set<std::string>& others) {
        return std::any_of(others.begin(), others.end(), [&](auto& other) {
          auto& needs = stack.resources[other].dependencies;
          return other != *it && std::find(needs.begin(), needs.end(), *it) != needs.end();
        });
      };
      // What something that is left, or could not go, depends on stays.
      if (needed_by(left) || needed_by(failed)) {
        ++it;
        continue;
      }
      auto* p = find_provider(r.type);
      bool asked = std::find(retain.begin(), retain.end(), *it) != retain.end();
      if (asked || retained(r.deletion_policy)) {
        run.resource_status(r, "DELETE_SKIPPED");
      } else {
        run.resource_status(r, "DELETE_IN_PROGRESS");
        if (!run.write_down()) return;
        auto gone = p->remove(run.context(r), r.physical_id, r.properties);
        if (!gone) failed.insert(*it);
        run.resource_status(r, gone ? "DELETE_COMPLETE" : "DELETE_FAILED",
                            gone ? ""
                                 : gone.error().message + " (Service: " + r.type +
                                       ", Status Code: " + std::to_string(gone.error().kind->http_status) +
                                       ", Error Code: " + std::string(gone.error().kind->code) + ")");
      }
      if (!run.write_down()) return;
      it = left.erase(it);
      progress = true;
    }
  }
  if (failed.empty()) {
    stack.deleted = clock_.now();
    stack.outputs.clear();
    run.stack_status("DELETE_COMPLETE");
  } else {
    run.stack_status("DELETE_FAILED",
                     "The following resource(s) failed to delete: " + quoted_list({failed.begin(), failed.end()}) + ". ");
  }
  run.write_down();
}

}  // namespace redoubt::stacks
