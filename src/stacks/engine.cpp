#include "stacks/engine.h"

#include <algorithm>

#include "api/sts.h"
#include "base/arn.h"
#include "base/log.h"
#include "base/text.h"
#include "stacks/run.h"

namespace redoubt::stacks {

namespace {

/// As CloudFormation, an operation that was begun outlives the caller's temporary credentials, by at most this. Policies and the
/// principal itself are still asked for at every step.
constexpr int64_t kSessionSeconds = 3600;

access::CallerPtr lasting(const access::CallerPtr& caller, Timestamp now) {
  if (!caller->temporary || caller->expires >= now.plus_seconds(kSessionSeconds)) return caller;
  auto out = std::make_shared<access::Caller>(*caller);
  out->expires = now.plus_seconds(kSessionSeconds);
  return out;
}

}  // namespace

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
  finished_.notify_all();
  for (auto& t : threads_)
    if (t.joinable()) t.join();
}
bool Engine::stopping() const {
  std::lock_guard lock(mutex_);
  return stopping_;
}
void Engine::settle() {
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [&] { return stopping_ || (queue_.empty() && busy_.empty()); });
}

void Engine::resume() {
  for (auto& s : store_.unfinished()) {
    auto work = s->status.starts_with("DELETE") ? Work::remove : s->status.starts_with("UPDATE") ? Work::update : Work::create;
    std::lock_guard lock(mutex_);
    queue_.push_back({s->id, work, std::nullopt, nullptr});
  }
  ready_.notify_all();
}

void Engine::run(const std::string& stack_id, Work work, const access::Call& call) {
  auto done = std::make_shared<bool>(false);
  std::unique_lock lock(mutex_);
  if (stopping_) return;
  queue_.push_back({stack_id, work, call, done});
  ready_.notify_one();
  if (waiters_ >= options_.waiters_max) return;
  ++waiters_;
  finished_.wait_for(lock, std::chrono::milliseconds(options_.wait_ms), [&] { return *done || stopping_; });
  --waiters_;
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
    lock.lock();
    if (job.done) *job.done = true;
    busy_.erase(job.stack_id);
    ready_.notify_all();
    finished_.notify_all();
  }
}

void Engine::carry_out(Job& job) {
  auto stack = store_.find(job.stack_id);
  if (!stack || !stack->being_worked_on()) return;
  bool taken_up = !job.call;
  Run run{*this, *stack};
  auto act = [&]() -> Result<access::Call> {
    if (job.call) return acting(*job.call, run.stack);
    TRY(auto stored, load_caller(run.stack.caller));
    return acting(gate_.new_call(stored.caller, stored.path), run.stack);
  };
  auto call = act();
  if (!call) {
    // Nobody to act as: nothing is touched, and what exists is still known.
    auto& status = run.stack.status;
    std::string verb = status.starts_with("UPDATE") ? "UPDATE_ROLLBACK" : status.substr(0, status.find('_'));
    run.stack_status(verb + "_FAILED", call.error().message);
    (void)run.written();
    return;
  }
  run.call = std::move(*call);
  run.show_properties =
      run.stack.plan->secret_parameters.empty() && run.stack.plan->template_text.find("SecretAccessKey") == std::string::npos;
  switch (job.work) {
    case Work::remove:
      return run.remove();
    case Work::create:
      return taken_up ? run.creation_failed("The server was stopped while the stack was being created.") : run.create();
    case Work::roll_back_update:
      return run.roll_back_update("");
    case Work::update:
      if (!taken_up) return run.update();
      if (run.stack.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") return run.finish_update();
      return run.roll_back_update("The server was stopped while the stack was being updated.");
  }
}

Result<access::Call> Engine::acting(const access::Call& call, const StackState& stack) const {
  auto as_caller = call;
  as_caller.region = stack.region;
  as_caller.caller = lasting(call.caller, clock_.now());
  if (stack.role_arn.empty()) return as_caller.forwarded_by("cloudformation");
  auto refused = invalid("Role " + stack.role_arn + " is invalid or cannot be assumed");
  // Only a role of the stack's own account: passing it was decided there.
  auto arn = Arn::parse(stack.role_arn);
  if (!arn || arn->account != stack.account || arn->service != "iam" || !arn->resource.starts_with("role/")) return refused;
  auto service = gate_.call_as_service(as_caller, "cloudformation.amazonaws.com");
  service.source_account = stack.account;
  service.source_arn = stack.id;
  auto out = gate_.call<api::sts::op::AssumeRole>(service, {.RoleArn = stack.role_arn, .RoleSessionName = "AWSCloudFormation"});
  if (!out || !out->Credentials) return refused;
  TRY(auto as_role, gate_.call_with_credentials(as_caller, out->Credentials->AccessKeyId, out->Credentials->SecretAccessKey,
                                                out->Credentials->SessionToken));
  return as_role.forwarded_by("cloudformation");
}

Result<Environment> Engine::environment(const Template& t, const StackState& stack, const Plan& plan) const {
  Environment env;
  env.t = &t;
  env.parameters = plan.parameters;
  env.account = stack.account;
  env.region = stack.region;
  env.stack_id = stack.id;
  env.stack_name = stack.name;
  TRY(env.conditions, resolve_conditions(env));
  env.import_value = [this, account = stack.account, region = stack.region](const std::string& name) -> Result<std::string> {
    if (auto v = store_.exported(account, region, name)) return v->value;
    return invalid("No export named " + name + " found.");
  };
  return env;
}

}  // namespace redoubt::stacks
