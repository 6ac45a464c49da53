#pragma once
/// One operation under way, and what creating, updating and deleting share; stacks room only.
#include <algorithm>

#include "stacks/engine.h"

namespace redoubt::stacks {

/// One operation: the state it changes, the call it acts as, and the steps that are written down. Every method that returns false
/// has stopped half way (the server stops, or the store takes nothing): the operation is left where it is, for the next start.
struct Engine::Run {
  Engine& engine;
  StackState stack;
  std::optional<access::Call> call = std::nullopt;  // as it acts
  std::vector<Event> events = {};                   // to be stored with the next step
  bool show_properties = false;                     // in events: only where nothing in the stack is secret

  void create();
  /// Ends a creation that failed, as OnFailure says.
  void creation_failed(const std::string& reason);
  void update();
  /// Undoes what stack.undo names, latest first.
  void roll_back_update(const std::string& reason);
  /// One step back. `done`: it could be taken, and the state is as before.
  bool undo(const StackState::Undo& step, bool& done);
  /// Removes what an update replaced and what its template dropped, then ends it.
  void finish_update();
  void remove();

  // -- steps

  void event(const std::string& logical, const std::string& physical, const std::string& type, const std::string& status,
             const std::string& reason, const Json& properties = Json());
  void stack_status(const std::string& status, const std::string& reason = {});
  void resource_status(ResourceState& r, const std::string& status, const std::string& reason = {}, bool with_properties = false);
  /// Stores state and events. kValidation: exports or imports that can't be, nothing was stored and the events are still there.
  Result<void> write_down();
  bool written();  // write_down(), where nothing but the store can fail
  ProviderContext context(const ResourceState& r, bool way_back = false) const;
  std::string refused(const Provider& p, const Error& e) const { return handler_message(p, e, call->request_id); }

  // -- what several operations do

  /// Stores the step that comes next. `refused`: why the step can't be (an import was withdrawn since it was read).
  bool announce(std::string& refused);
  /// Makes one resource whose state holds its properties. Its status tells how it ended.
  bool make(ResourceState& state, const Provider& p, const std::string& status_word, const std::string& reason);
  /// After a crash: whether what was being made exists. Err: it can't be told; the state says so.
  Result<void> adopt(ResourceState& state);
  /// Removes one resource. `failed`: it is still there.
  bool take_down(ResourceState& state, bool& failed);
  /// Removes all resources of the stack but those that `keep` names, each before what it depends on. What something that could
  /// not go depends on stays. `failed`: those that are still there.
  bool take_down_all(const std::function<bool(const ResourceState&)>& keep, std::vector<std::string>& failed);

 private:
  std::string without_secrets(std::string text) const;
};

/// Name for a resource without one: <stack>-<logical id>-<12 random>, cut to what the type allows.
std::string generate_name(const Provider& p, const std::string& stack, const std::string& logical);
/// Ref and GetAtt from what the stack's resources are now.
void bind(Environment& env, const StackState& stack);
Result<Json> evaluate_properties(const Resource& r, const Environment& env);
Result<std::vector<OutputState>> evaluate_outputs(const Template& t, const Environment& env);
/// Indexes of `resources`, each after those that it depends on.
std::vector<size_t> need_order(const std::vector<const ResourceState*>& resources);
ResourceState fresh(const Template& t, const Resource& r, const Provider& p, const StackState& stack);
std::string bracketed(const std::vector<std::string>& names);  // "[A, B]"

}  // namespace redoubt::stacks
