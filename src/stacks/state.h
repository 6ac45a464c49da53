#pragma once
/// What is kept of stacks, their resources, events and change sets: plain values and their stored form (store.h keeps them).
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "access/caller.h"
#include "base/json.h"
#include "stacks/errors.h"

namespace redoubt::stacks {

/// One resource of a stack. It exists in its service if and only if `physical_id` is not empty and status is neither
/// DELETE_COMPLETE nor DELETE_SKIPPED; cut_off(): nobody knows (a crash).
struct ResourceState {
  std::string logical_id, type, physical_id, status, reason, generated_name;
  Timestamp started, updated;
  Json properties = Json::object(), attributes = Json::object();
  std::string deletion_policy, update_replace_policy;
  std::vector<std::string> dependencies;  // what must exist before it and go after it

  bool exists() const { return !physical_id.empty() && status != "DELETE_COMPLETE" && status != "DELETE_SKIPPED"; }
  /// Whether it exists must be asked: making it was cut off, or asking has failed before.
  bool cut_off() const {
    return physical_id.empty() && (status == "CREATE_IN_PROGRESS" || status == "UPDATE_IN_PROGRESS" || status == "DELETE_FAILED");
  }
  Json json() const;
  static ResourceState from(const Json& j);
  bool operator==(const ResourceState&) const = default;
};

struct OutputState {
  std::string key, value, description, export_name;
};

/// What a stack is to be: template and parameters. Immutable once made.
struct Plan {
  std::string template_text, description;
  std::map<std::string, std::string> parameters;  // resolved
  std::set<std::string> secret_parameters;        // NoEcho
  std::map<std::string, std::string> tags;
  std::vector<std::string> capabilities;
  std::string dump() const;
  static Result<Plan> from(std::string_view text);
};
using PlanPtr = std::shared_ptr<const Plan>;

struct StackState {
  std::string id, name, account, region;
  std::string status, reason;
  Timestamp created, updated, deleted;      // us 0: not yet
  PlanPtr plan = std::make_shared<Plan>();  // current, or what is being made
  PlanPtr before;                           // of the last good state, while an update runs; else null
  std::string role_arn, on_failure = "ROLLBACK", change_set_id, client_token;
  int timeout_minutes = 0;
  Json caller;                                     // whom it acts as and from where, for taking it up again after a crash
  std::map<std::string, ResourceState> resources;  // by logical id
  std::vector<OutputState> outputs;
  std::set<std::string> imports, imports_before;  // export names that it uses; .. that it used before the update under way
  std::vector<std::string> leave;                 // logical ids that the operation must leave: RetainResources, ResourcesToSkip
  /// While an update runs: what to do to undo it, latest last. kind: created, updated, replaced.
  struct Undo {
    std::string kind;
    ResourceState before;  // of updated and replaced
    std::string logical_id;
    Json json() const;
    static Undo from(const Json& j);
    bool operator==(const Undo&) const = default;
  };
  std::vector<Undo> undo;
  std::vector<ResourceState> replaced;  // old incarnations that the cleanup removes
  int64_t next_event = 0;
  int64_t revision = 0;  // grows with each put

  bool deleted_for_good() const { return status == "DELETE_COMPLETE"; }
  bool in_progress() const { return status.ends_with("_IN_PROGRESS"); }
  bool being_worked_on() const { return in_progress() && status != "REVIEW_IN_PROGRESS"; }
  /// From the moment a deletion begins nobody can import from the stack any more.
  bool offers_exports() const { return !status.starts_with("DELETE"); }
  /// All but plans, resources, undo and replaced, which are rows of their own: a step changes few of them.
  std::string dump() const;
  static Result<StackState> from(std::string_view text);
};
using StackPtr = std::shared_ptr<const StackState>;

struct Event {
  std::string id, logical_id, physical_id, type, status, reason, properties;
  Timestamp time;
  std::string client_token = {};
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
  PlanPtr plan = std::make_shared<Plan>();
  std::vector<ChangeState> changes;
  std::string dump() const;
  static Result<ChangeSetState> from(std::string_view text);
};
using ChangeSetPtr = std::shared_ptr<const ChangeSetState>;

/// A call's caller and network path in stored form and back: enough to act as it again, session policies included, and to have
/// conditions on aws:SourceIp decide as they did.
Json store_caller(const access::Call& call);
struct StoredCaller {
  access::CallerPtr caller;
  api::NetworkPath path;
};
Result<StoredCaller> load_caller(const Json& j);

}  // namespace redoubt::stacks
