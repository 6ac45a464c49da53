#pragma once
/// Carries stack operations out, one at a time a stack, on threads of its own, and takes them up again after a crash: a creation
/// or update that was cut off is rolled back, a deletion is finished. Every step is written down before and after it, so nothing
/// that a stack made is forgotten. A stack acts as its caller (forwarded by cloudformation) or as its service role, never as
/// anybody else; rolling back after a crash too, so that what the caller may no longer remove is left and said to be.
#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>

#include "stacks/evaluate.h"
#include "stacks/provider.h"
#include "stacks/store.h"

namespace redoubt::stacks {

struct EngineOptions {
  bool strict_acl = false;
  size_t threads = 4;
  int wait_ms = 5000;      // how long a request waits for its operation's end: clients poll, but their first poll then sees it
  size_t waiters_max = 8;  // requests that may wait at once; others answer at once. They hold threads that others need
};

class Engine {
 public:
  Engine(StackStore& store, access::Gate& gate, Clock& clock, EngineOptions options);
  ~Engine();
  void resume();  // what a crash left unfinished
  void stop();    // after the running steps; what is left is taken up at the next start
  void settle();  // waits until nothing is queued or running; for tests

  // Each of these has been written down as IN_PROGRESS by the caller before.
  enum class Work : uint8_t { create, update, remove, roll_back_update };
  /// Queues it and waits a while for its end.
  void run(const std::string& stack_id, Work work, const access::Call& call);

  /// The call that a stack acts as: its service role's session, or its caller's forwarded by cloudformation.
  /// Errors: kValidation `Role .. is invalid or cannot be assumed`.
  Result<access::Call> acting(const access::Call& call, const StackState& stack) const;

  /// Checks before anything is made: types, properties, attributes, capabilities. Errors as CreateStack's.
  Result<void> check(const Template& t, const std::vector<std::string>& capabilities) const;
  static std::vector<std::string> needed_capabilities(const Template& t);
  Result<Environment> environment(const Template& t, const StackState& stack, const Plan& plan) const;
  /// What an update to `plan` would change.
  Result<std::vector<ChangeState>> changes(const StackState& stack, const Plan& plan) const;

 private:
  struct Job {
    std::string stack_id;
    Work work;
    std::optional<access::Call> call;  // absent when taken up after a crash
    std::shared_ptr<bool> done;
  };
  struct Run;  // one operation being carried out: run.h

  void work();
  void carry_out(Job& job);
  bool stopping() const;

  StackStore& store_;
  access::Gate& gate_;
  Clock& clock_;
  EngineOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable ready_, finished_;
  std::deque<Job> queue_;
  std::set<std::string> busy_;  // stacks being worked on
  size_t waiters_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace redoubt::stacks
