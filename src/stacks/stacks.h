#pragma once
/// CloudFormation.
///
///   Stacks stacks(store, root_key, clock, {.strict_acl = ..});
///   TRY_VOID(stacks.load());
///   stacks.declare(gate);      // after every other room: providers call them
///   stacks.resume();           // what a crash left unfinished
///   stacks.stop();
///
/// Source: AWS CloudFormation API Reference and User Guide. Not built, refused by name: StackSets, nested stacks, macros,
/// imports, stack policies, drift, hooks, notifications. Threads: any.
#include "stacks/engine.h"

namespace redoubt::stacks {

class Stacks {
 public:
  Stacks(meta::Store& store, std::string root_key, Clock& clock, EngineOptions options)
      : store_(store, std::move(root_key), clock), clock_(clock), options_(options) {}
  ~Stacks() { stop(); }
  Result<void> load() { return store_.load(); }
  void declare(access::Gate& gate);
  void resume() { engine_->resume(); }
  void stop() {
    if (engine_) engine_->stop();
  }
  void settle() { engine_->settle(); }  // waits until no operation runs; for tests

 private:
  void declare_stacks();
  void declare_reads();
  void declare_change_sets();

  /// The stack as a decision sees it; a name that nobody has is an ARN with "*" for the id.
  access::Resource resource(std::string_view name_or_id, const access::Call& call) const;
  Result<StackPtr> require(std::string_view name_or_id, const access::Call& call) const;
  /// A template given inline or in a bucket (read as the caller). Errors: kValidation.
  Result<std::string> template_text(const std::optional<std::string>& body, const std::optional<std::string>& url,
                                    const access::Call& call) const;
  /// What CreateStack and a change set for a new stack begin with.
  StackState new_stack(const std::string& name, const access::Call& call) const;
  /// The first event of an operation, by which its status is told.
  std::vector<Event> begun(const StackState& stack, std::string reason = "User Initiated") const;

  StackStore store_;
  Clock& clock_;
  EngineOptions options_;
  access::Gate* gate_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

}  // namespace redoubt::stacks
