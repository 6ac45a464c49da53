#pragma once
/// Carries stack operations out, one at a time a stack, on threads of its own, and takes them up again after a crash: a creation
/// or update that was cut off is rolled back, a deletion is finished. Every step is written down before and after it, so nothing
/// that a stack made is forgotten. A stack acts as its caller (forwarded by cloudformation) or as its service role.
#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>

#include "stacks/evaluate.h"
#include "stacks/provider.h"
#include "stacks/state.h"

namespace redoubt::stacks {

struct EngineOptions {
  bool strict_acl = false;
  size_t threads = 4;
};

class Engine {
 public:
  Engine(StackStore& store, access::Gate& gate, Clock& clock, EngineOptions options);
  ~Engine();
  void resume();  // what a crash left unfinished
  void stop();    // after the running steps; what is left is taken up at the next start

  // Each of these has been written down as IN_PROGRESS by the caller before.
  enum class Work : uint8_t { create, update, remove };
  /// Queues it and waits up to `wait_ms` for its end (clients poll anyway; most stacks are done by then).
  void run(const std::string& stack_id, Work work, const access::Call& call, std::vector<std::string> retain = {},
           int wait_ms = 8000);

  /// Checks before anything is made: types, properties, capabilities, that references resolve. Errors as CreateStack's.
  Result<void> check(const Template& t, const std::vector<std::string>& capabilities) const;
  static std::vector<std::string> needed_capabilities(const Template& t);
  Result<Environment> environment(const Template& t, const StackState& stack, const Plan& plan) const;
  /// What an update to `plan` would change.
  Result<std::vector<ChangeState>> changes(const StackState& stack, const Plan& plan) const;

  /// One stack exports it in this account and region; nullopt: nobody.
  std::optional<std::string> exported(const std::string& account, const std::string& region, const std::string& name,
                                      std::string* by_stack = nullptr) const;

 private:
  struct Job {
    std::string stack_id;
    Work work;
    std::optional<access::Call> call;  // absent when taken up after a crash
    std::vector<std::string> retain;
    std::shared_ptr<std::pair<std::mutex, std::condition_variable>> done_signal;
    std::shared_ptr<bool> done;
  };
  struct Run;  // one operation being carried out

  void work();
  void carry_out(Job& job);
  void create(Run& run);
  void update(Run& run);
  void remove(Run& run, const std::vector<std::string>& retain);
  void roll_back_creation(Run& run, const std::string& reason);
  void roll_back_update(Run& run, const std::string& reason);
  Result<void> clean_up(Run& run);

  StackStore& store_;
  access::Gate& gate_;
  Clock& clock_;
  EngineOptions options_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Job> queue_;
  std::set<std::string> busy_;  // stacks being worked on
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace redoubt::stacks
