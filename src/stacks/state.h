#pragma once
/// Stacks, their resources, events and change sets as they are kept. Records are sealed under the root key: they hold NoEcho
/// parameters and what was made of them. Collections: cfn.stacks (stack id), cfn.events (stack id, number), cfn.changesets
/// (change set id).
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "access/caller.h"
#include "base/json.h"
#include "meta/store.h"
#include "stacks/errors.h"

namespace redoubt::stacks {

struct ResourceState {
  std::string logical_id, type, physical_id, status, reason, generated_name;
  Timestamp started, updated;
  Json properties = Json::object(), attributes = Json::object();
  std::string deletion_policy, update_replace_policy;
  std::vector<std::string> dependencies;  // what must exist before it and go after it
  Json json() const;
  static ResourceState from(const Json& j);
};

struct OutputState {
  std::string key, value, description, export_name;
};

/// What a stack is to be: template and parameters.
struct Plan {
  std::string template_text;
  std::map<std::string, std::string> parameters;  // resolved
  std::map<std::string, std::string> tags;
  std::vector<std::string> capabilities, notification_arns;
  Json json() const;
  static Plan from(const Json& j);
};

struct StackState {
  std::string id, name, account, region;
  std::string status, reason;
  Timestamp created, updated, deleted;  // us 0: not yet
  Plan plan;                            // current, or what is being made
  Plan before;                          // of the last good state, while an update runs
  std::string role_arn, on_failure = "ROLLBACK", change_set_id, client_token, description;
  bool termination_protection = false;
  int timeout_minutes = 0;
  Json caller;                                     // whom it acts as, for taking it up again after a crash
  std::map<std::string, ResourceState> resources;  // by logical id
  std::vector<OutputState> outputs;
  std::set<std::string> imports;  // export names that its template imports
  /// While an update runs: what to do to undo it, latest last. kind: created, updated, replaced.
  struct Undo {
    std::string kind;
    ResourceState before;  // of updated and replaced
    std::string logical_id;
  };
  std::vector<Undo> undo;
  std::vector<ResourceState> replaced;  // old incarnations that the cleanup removes
  int64_t next_event = 0;

  bool deleted_for_good() const { return status == "DELETE_COMPLETE"; }
  bool in_progress() const { return status.ends_with("_IN_PROGRESS"); }
  std::string dump() const;
  static Result<StackState> from(std::string_view text);
};

struct Event {
  std::string id, logical_id, physical_id, type, status, reason, properties;
  Timestamp time;
  Json json() const;
  static Event from(const Json& j);
};

struct ChangeState {
  std::string action, logical_id, physical_id, type, replacement;  // Add, Modify, Remove; True, False, Conditional
  std::vector<std::string> properties;                             // that change
};
struct ChangeSetState {
  std::string id, name, stack_id, description, type = "UPDATE", status, reason, execution_status, on_failure, role_arn;
  Timestamp created;
  Plan plan;
  Json caller;
  std::vector<ChangeState> changes;
  std::string dump() const;
  static Result<ChangeSetState> from(std::string_view text);
};

/// A caller in its stored form and back: enough to act as it again, session policies included.
Json store_caller(const access::Caller& caller);
Result<access::CallerPtr> load_caller(const Json& j);

/// All of it, in memory but for events, written through. Threads: any; states are handed out as copies.
class StackStore {
 public:
  StackStore(meta::Store& store, std::string root_key) : store_(store), root_key_(std::move(root_key)) {}
  Result<void> load();
  std::optional<StackState> find(std::string_view id) const;
  /// The living stack of that name, or by its id also a deleted one.
  std::optional<StackState> find(std::string_view account, std::string_view region, std::string_view name_or_id) const;
  std::vector<StackState> list(std::string_view account, std::string_view region) const;  // newest first
  std::vector<StackState> unfinished() const;
  /// Stores the state with new events in one transaction.
  Result<void> put(StackState& state, std::vector<Event> events);
  /// .. if no living stack of that account, region and name exists. Errors: kAlreadyExists, kLimitExceeded.
  Result<void> add(StackState& state, std::vector<Event> events);
  std::vector<Event> events(std::string_view stack_id);  // newest first

  Result<void> put(const ChangeSetState& set);
  Result<void> remove(const ChangeSetState& set);
  std::optional<ChangeSetState> change_set(std::string_view stack_id, std::string_view name_or_id) const;
  std::vector<ChangeSetState> change_sets(std::string_view stack_id) const;

 private:
  std::string seal(std::string_view text, std::string_view id) const;
  Result<std::string> unseal(std::string_view bytes, std::string_view id) const;
  meta::Store& store_;
  std::string root_key_;
  std::mutex add_mutex_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const StackState>, std::less<>> stacks_;  // by id
  std::map<std::string, std::string, std::less<>> names_;  // key({account, region, name}) -> id of the living one
  std::map<std::string, std::shared_ptr<const ChangeSetState>, std::less<>> changes_;  // by id
};

}  // namespace redoubt::stacks
