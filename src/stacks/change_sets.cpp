/// Change sets: what an update, or a first creation, would do, to be carried out later. `aws cloudformation deploy` works by
/// them.
#include "stacks/conditional_references.h"
#include "stacks/requests.h"

namespace redoubt::stacks {

using namespace api::cloudformation;

namespace {

/// What became of a set that was executed is what became of its stack.
std::string execution_status(const ChangeSetState& set, const StackState& s) {
  if (set.execution_status != "EXECUTE_IN_PROGRESS" || s.change_set_id != set.id)
    return set.execution_status == "EXECUTE_IN_PROGRESS" ? "EXECUTE_COMPLETE" : set.execution_status;
  if (s.being_worked_on()) return "EXECUTE_IN_PROGRESS";
  return s.status == "CREATE_COMPLETE" || s.status == "UPDATE_COMPLETE" ? "EXECUTE_COMPLETE" : "EXECUTE_FAILED";
}

}  // namespace

void Stacks::declare_change_sets() {
  auto on_stack = [this](const auto& in, const Call& call) -> Resources {
    // A change set's own ARN names its stack only through the store.
    if constexpr (std::is_same_v<std::decay_t<decltype(in.StackName)>, std::string>) {
      return std::vector{resource(in.StackName, call)};
    } else {
      if (in.StackName) return std::vector{resource(*in.StackName, call)};
      auto set = store_.change_set(in.ChangeSetName);
      // Somebody else's is named by what was asked for: nothing about it is told, not even its stack.
      auto s = set ? store_.find(call.caller->account, call.region, set->stack_id) : nullptr;
      return std::vector{resource(s ? s->id : in.ChangeSetName, call)};
    }
  };
  /// The change set of a request, and its stack, which must be the caller's.
  auto find = [this](const std::string& name, const std::optional<std::string>& stack,
                     const Call& call) -> Result<std::pair<ChangeSetPtr, StackPtr>> {
    StackPtr s;
    ChangeSetPtr set;
    if (stack) {
      TRY(s, require(*stack, call));
      set = store_.change_set(s->id, name);
    } else if ((set = store_.change_set(name))) {
      s = store_.find(call.caller->account, call.region, set->stack_id);
    }
    if (!s || !set) return fail(kChangeSetNotFound, "ChangeSet [" + name + "] does not exist");
    return std::pair(std::move(set), std::move(s));
  };

  access::Row<op::CreateChangeSet> create{.needs = {{.action = "cloudformation:CreateChangeSet",
                                                     .resources = on_stack,
                                                     .context =
                                                         [](const CreateChangeSetInput& in, const Call&, policy::Context& c) {
                                                           c.set("cloudformation:ChangeSetName", in.ChangeSetName);
                                                           set_request_tags(or_empty(in.Tags), c);
                                                           if (in.RoleARN) c.set("cloudformation:RoleArn", *in.RoleARN);
                                                         }},
                                                    pass_role<CreateChangeSetInput>()}};
  create.secret_members = {"Parameters", "TemplateBody"};
  create.handler = [this](const Allowed<CreateChangeSetInput>& r) -> Result<CreateChangeSetOutput> {
    auto& in = r.input;
    TRY_VOID(refuse_unbuilt(in));
    auto type = in.ChangeSetType.value_or("UPDATE");
    if (type == "IMPORT" || in.ResourcesToImport || in.ImportExistingResources.value_or(false))
      return invalid("Importing resources is not supported by this server.");
    if (in.DeploymentMode) return invalid("DeploymentMode " + *in.DeploymentMode + " is not supported by this server.");
    auto old = store_.find(r.call.caller->account, r.call.region, in.StackName);
    if (old && old->deleted_for_good()) old = nullptr;
    StackState s;
    if (type == "CREATE") {
      if (old && old->status != "REVIEW_IN_PROGRESS")
        return invalid("Stack [" + old->name + "] already exists and cannot be created again with the changeSet [" +
                       in.ChangeSetName + "].");
      TRY_VOID(check_stack_name(in.StackName));
      s = old ? *old : new_stack(in.StackName, r.call);
    } else {
      if (!old) return invalid("Stack [" + in.StackName + "] does not exist");
      s = *old;
      TRY_VOID(check_updatable(s));
    }
    if (auto same = store_.change_set(s.id, in.ChangeSetName)) {
      if (same->execution_status != "EXECUTE_IN_PROGRESS")
        return fail(kAlreadyExists,
                    "ChangeSet " + in.ChangeSetName + " cannot be created due to a mismatch with existing attribute Name");
      TRY_VOID(store_.remove(*same));  // executed long ago: on AWS its name would be free
    }
    std::string text = s.plan->template_text;
    bool previous = in.UsePreviousTemplate.value_or(false);
    if (previous && (in.TemplateBody || in.TemplateURL))
      return invalid("You cannot specify both usePreviousTemplate and Template Body/Template URL.");
    if (!previous) {
      TRY(text, template_text(in.TemplateBody, in.TemplateURL, r.call));
    }
    TRY(auto t, parse_template(text));
    TRY(auto plan, make_plan(in, text, t, type == "UPDATE" ? s.plan.get() : nullptr));
    TRY_VOID(engine_->check(t, plan->capabilities));
    TRY(auto env, engine_->environment(t, s, *plan));
    TRY_VOID(check_conditional_references(env));
    if (in.RoleARN) {
      auto with_role = s;
      with_role.role_arn = *in.RoleARN;
      TRY_VOID(engine_->acting(r.call, with_role));
    }
    ChangeSetState set{.name = in.ChangeSetName, .stack_id = s.id, .description = in.Description.value_or(""), .type = type};
    set.id = make_arn("cloudformation", s.region, s.account, "changeSet/" + set.name + "/" + new_uuid());
    set.created = clock_.now();
    set.on_failure = in.OnStackFailure.value_or("");
    set.role_arn = in.RoleARN.value_or("");
    auto changes = engine_->changes(s, *plan);
    if (!changes) {
      set.status = "FAILED";
      set.reason = changes.error().message;
      set.execution_status = "UNAVAILABLE";
    } else if (changes->empty() && type == "UPDATE" && same_plans(*plan, *s.plan)) {
      set.status = "FAILED";
      set.reason = "The submitted information didn't contain changes. Submit different information to create a change set.";
      set.execution_status = "UNAVAILABLE";
    } else {
      set.changes = std::move(*changes);
      set.status = "CREATE_COMPLETE";
      set.execution_status = "AVAILABLE";
    }
    set.plan = std::move(plan);
    if (type == "CREATE" && !old) {
      s.status = "REVIEW_IN_PROGRESS";
      s.reason = "User Initiated";
      TRY_VOID(store_.add(s, begun(s)));
    }
    TRY_VOID(store_.put(set));
    CreateChangeSetOutput out;
    out.Id = set.id;
    out.StackId = s.id;
    return out;
  };
  gate_->add<op::CreateChangeSet>(std::move(create));

  access::Row<op::DescribeChangeSet> describe{.needs = {{.action = "cloudformation:DescribeChangeSet", .resources = on_stack}}};
  describe.read_only = true;
  describe.handler = [find](const Allowed<DescribeChangeSetInput>& r) -> Result<DescribeChangeSetOutput> {
    TRY(auto found, find(r.input.ChangeSetName, r.input.StackName, r.call));
    auto& [set, s] = found;
    DescribeChangeSetOutput out;
    out.ChangeSetName = set->name;
    out.ChangeSetId = set->id;
    out.StackId = s->id;
    out.StackName = s->name;
    if (!set->description.empty()) out.Description = set->description;
    out.Parameters = shown_parameters(*set->plan);
    out.CreationTime = set->created;
    out.ExecutionStatus = execution_status(*set, *s);
    out.Status = set->status;
    if (!set->reason.empty()) out.StatusReason = set->reason;
    out.NotificationARNs.emplace();
    out.RollbackConfiguration.emplace();
    if (!set->plan->capabilities.empty()) out.Capabilities = set->plan->capabilities;
    out.Tags = shown_tags(*set->plan);
    out.IncludeNestedStacks = false;
    std::vector<Change> changes;
    for (auto& c : set->changes) {
      ResourceChange rc;
      rc.Action = c.action;
      rc.LogicalResourceId = c.logical_id;
      if (!c.physical_id.empty()) rc.PhysicalResourceId = c.physical_id;
      rc.ResourceType = c.type;
      if (!c.replacement.empty()) rc.Replacement = c.replacement;
      std::vector<std::string> scope;
      if (c.action == "Modify") scope.push_back(c.properties.empty() ? "Tags" : "Properties");
      rc.Scope = std::move(scope);
      std::vector<ResourceChangeDetail> details;
      for (auto& name : c.properties) {
        ResourceTargetDefinition target;
        target.Attribute = "Properties";
        target.Name = name;
        ResourceChangeDetail d;
        d.Target = std::move(target);
        d.Evaluation = "Static";
        d.ChangeSource = "DirectModification";
        details.push_back(std::move(d));
      }
      rc.Details = std::move(details);
      Change x;
      x.Type = "Resource";
      x.ResourceChange = std::move(rc);
      changes.push_back(std::move(x));
    }
    out.Changes = std::move(changes);
    return out;
  };
  gate_->add<op::DescribeChangeSet>(std::move(describe));

  access::Row<op::ExecuteChangeSet> execute{
      .needs = {{.action = "cloudformation:ExecuteChangeSet",
                 .resources = on_stack,
                 .context = [](const ExecuteChangeSetInput& in, const Call&, policy::Context& c) {
                   c.set("cloudformation:ChangeSetName", in.ChangeSetName);
                 }}}};
  execute.handler = [this, find](const Allowed<ExecuteChangeSetInput>& r) -> Result<ExecuteChangeSetOutput> {
    TRY(auto found, find(r.input.ChangeSetName, r.input.StackName, r.call));
    auto& set = *found.first;
    StackState s = *found.second;
    bool create = set.type == "CREATE";
    if (set.execution_status != "AVAILABLE" || create != (s.status == "REVIEW_IN_PROGRESS"))
      return fail(kInvalidChangeSetStatus,
                  "ChangeSet [" + set.id + "] cannot be executed in its current status of [" + set.status + "]");
    if (!create) TRY_VOID(check_updatable(s));
    bool keep = r.input.DisableRollback.value_or(false);
    if (!create && keep) return invalid("DisableRollback of an update is not supported by this server.");
    if (r.input.RetainExceptOnCreate.value_or(false)) return invalid("RetainExceptOnCreate is not supported by this server.");
    if (create) {
      s.plan = set.plan;
      s.status = "CREATE_IN_PROGRESS";
      s.reason.clear();
      s.on_failure = keep ? "DO_NOTHING" : set.on_failure.empty() ? "ROLLBACK" : set.on_failure;
    } else {
      begin_update(s, set.plan, clock_.now());
    }
    if (!set.role_arn.empty()) s.role_arn = set.role_arn;
    s.change_set_id = set.id;
    s.client_token = r.input.ClientRequestToken.value_or("");
    s.caller = store_caller(r.call);
    TRY_VOID(store_.change(s, begun(s), "updated"));
    // As on AWS, whatever else was computed against the old state goes; this one stays, to tell how it went.
    for (auto& other : store_.change_sets(s.id))
      if (other->id != set.id) TRY_VOID(store_.remove(*other));
    auto executed = set;
    executed.execution_status = "EXECUTE_IN_PROGRESS";
    TRY_VOID(store_.put(executed));
    engine_->run(s.id, create ? Engine::Work::create : Engine::Work::update, r.call);
    return ExecuteChangeSetOutput{};
  };
  gate_->add<op::ExecuteChangeSet>(std::move(execute));

  access::Row<op::DeleteChangeSet> remove{
      .needs = {{.action = "cloudformation:DeleteChangeSet",
                 .resources = on_stack,
                 .context = [](const DeleteChangeSetInput& in, const Call&, policy::Context& c) {
                   c.set("cloudformation:ChangeSetName", in.ChangeSetName);
                 }}}};
  remove.handler = [this, find](const Allowed<DeleteChangeSetInput>& r) -> Result<DeleteChangeSetOutput> {
    auto found = find(r.input.ChangeSetName, r.input.StackName, r.call);
    if (!found) {
      if (found.error().is(kChangeSetNotFound)) return DeleteChangeSetOutput{};  // as on AWS
      return fail(std::move(found.error()));
    }
    if (execution_status(*found->first, *found->second) == "EXECUTE_IN_PROGRESS")
      return fail(kInvalidChangeSetStatus, "ChangeSet [" + found->first->id + "] is being executed");
    TRY_VOID(store_.remove(*found->first));
    return DeleteChangeSetOutput{};
  };
  gate_->add<op::DeleteChangeSet>(std::move(remove));

  access::Row<op::ListChangeSets> list{
      .needs = {{.action = "cloudformation:ListChangeSets",
                 .resources = [this](const ListChangeSetsInput& in, const Call& call) -> Resources {
                   return std::vector{resource(in.StackName, call)};
                 }}}};
  list.read_only = true;
  list.handler = [this](const Allowed<ListChangeSetsInput>& r) -> Result<ListChangeSetsOutput> {
    TRY(auto s, require(r.input.StackName, r.call));
    std::vector<ChangeSetSummary> all;
    for (auto& set : store_.change_sets(s->id)) {
      if (set->execution_status == "EXECUTE_IN_PROGRESS") continue;  // executed: told by id alone, as on AWS
      ChangeSetSummary x;
      x.StackId = s->id;
      x.StackName = s->name;
      x.ChangeSetId = set->id;
      x.ChangeSetName = set->name;
      x.ExecutionStatus = set->execution_status;
      x.Status = set->status;
      if (!set->reason.empty()) x.StatusReason = set->reason;
      x.CreationTime = set->created;
      if (!set->description.empty()) x.Description = set->description;
      all.push_back(std::move(x));
    }
    ListChangeSetsOutput out;
    out.Summaries = std::move(all);
    return out;
  };
  gate_->add<op::ListChangeSets>(std::move(list));
}

}  // namespace redoubt::stacks
