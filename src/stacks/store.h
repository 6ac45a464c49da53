#pragma once
/// Keeps stacks, events and change sets: all in memory but for events, written through. Records are sealed under the root key:
/// they hold NoEcho parameters and what was made of them. Collections: cfn.stacks (stack id), cfn.plans (stack id, "plan" or
/// "before"), cfn.parts (stack id, kind, number or logical id: resources, steps to undo, what was replaced), cfn.protected (stack
/// id), cfn.events (stack id, number), cfn.changesets (change set id).
///
/// It also holds what concerns several stacks, so that it can't be raced: one living stack a name, one exporter a name, no export
/// withdrawn or changed while a stack imports it. Threads: any. Lookups cost no more with many stacks.
#include <mutex>

#include "base/clock.h"
#include "meta/store.h"
#include "stacks/state.h"

namespace redoubt::stacks {

class StackStore {
 public:
  static constexpr size_t kStacksMax = 2000;   // living ones of an account in a Region (AWS's quota)
  static constexpr size_t kDeletedMax = 2000;  // that are remembered, the oldest forgotten first ..
  static constexpr int64_t kDeletedDays = 90;  // .. and for how long, as on AWS

  StackStore(meta::Store& store, std::string root_key, Clock& clock)
      : store_(store), root_key_(std::move(root_key)), clock_(clock) {}
  Result<void> load();

  StackPtr find(std::string_view id) const;  // null: none
  /// The living stack of that name, or by its id also a deleted one; null for those of other accounts and Regions.
  StackPtr find(std::string_view account, std::string_view region, std::string_view name_or_id) const;
  std::vector<StackPtr> list(std::string_view account, std::string_view region) const;  // also deleted ones; newest first
  std::vector<StackPtr> unfinished() const;
  /// The living stack that has that physical resource.
  StackPtr owner_of(std::string_view account, std::string_view region, std::string_view physical_id) const;

  /// Stores the state with new events in one transaction; only for whoever works on the stack. Errors: kValidation when an
  /// export or import of it can't be (nothing is stored then); the store's.
  Result<void> put(StackState& state, std::vector<Event> events);
  /// .. a new stack. Errors: kAlreadyExists, kLimitExceeded, put's.
  Result<void> add(StackState& state, std::vector<Event> events, bool termination_protection = false);
  /// .. a stack that the caller read before, if nothing has happened to it since. Errors: kValidation "is in .. state and can
  /// not be .."; put's. `verb`: updated, deleted.
  Result<void> change(StackState& state, std::vector<Event> events, std::string_view verb);

  bool is_protected(std::string_view stack_id) const;  // against deletion
  Result<void> protect(const std::string& stack_id, bool on);

  Result<std::vector<Event>> events(std::string_view stack_id) const;  // newest first

  struct ExportedValue {
    std::string value;
    StackPtr stack;
  };
  std::optional<ExportedValue> exported(std::string_view account, std::string_view region, std::string_view name) const;
  std::vector<ExportedValue> exports(std::string_view account, std::string_view region, std::vector<std::string>* names) const;
  std::vector<std::string> importers(std::string_view account, std::string_view region, std::string_view name) const;  // names

  Result<void> put(const ChangeSetState& set);
  Result<void> remove(const ChangeSetState& set);
  ChangeSetPtr change_set(std::string_view stack_id, std::string_view name_or_id) const;
  ChangeSetPtr change_set(std::string_view id) const;
  std::vector<ChangeSetPtr> change_sets(std::string_view stack_id) const;

 private:
  using Index = std::map<std::string, std::string, std::less<>>;
  std::string seal(std::string_view text, std::string_view id) const;
  Result<std::string> unseal(std::string_view bytes, std::string_view id) const;
  using States = std::map<std::string, StackState, std::less<>>;
  Result<void> load_plans(States& states) const;
  Result<void> load_parts(States& states) const;
  void put_parts(meta::Txn& t, const StackState& now, const StackState* old) const;
  void index(const StackPtr& state);
  Result<void> claim(const StackState& now, const StackState* old);
  void release(const StackState& now, const StackState* old);
  Result<void> forget_old(const StackState& just_deleted);
  Result<void> forget(const StackPtr& stack);

  meta::Store& store_;
  std::string root_key_;
  Clock& clock_;
  std::mutex change_mutex_;  // add, change and protect: one at a time. Taken before mutex_
  mutable std::mutex mutex_;
  std::map<std::string, StackPtr, std::less<>> stacks_;                // by id
  Index names_;                                                        // key({account, region, name}) -> id of the living one
  Index exports_;                                                      // key({account, region, export}) -> id of the exporter
  std::map<std::string, std::set<std::string>, std::less<>> imports_;  // key({account, region, export}) -> ids of importers
  std::set<std::string, std::less<>> protected_;
  std::map<std::string, ChangeSetPtr, std::less<>> changes_;                           // by id
  std::map<std::string, std::map<std::string, std::string>, std::less<>> changes_of_;  // stack id -> name -> change set id
};

}  // namespace redoubt::stacks
