/// CreateStack, UpdateStack, DeleteStack and their like.
#include "api/s3.h"
#include "stacks/conditional_references.h"
#include "stacks/requests.h"

namespace redoubt::stacks {

using namespace api::cloudformation;
using redoubt::Error;

namespace {

constexpr size_t kBodyMax = 51200, kUrlBodyMax = 1 << 20;

}  // namespace

void Stacks::declare(access::Gate& gate) {
  gate_ = &gate;
  engine_ = std::make_unique<Engine>(store_, gate, clock_, options_);
  declare_stacks();
  declare_reads();
  declare_change_sets();
}

access::Resource Stacks::resource(std::string_view name_or_id, const Call& call) const {
  auto s = store_.find(call.caller->account, call.region, name_or_id);
  access::Resource r{.account = call.caller->account};
  if (s) {
    r.arn = s->id;
    for (auto& [k, v] : s->plan->tags) r.tags[k] = v;
  } else {
    r.arn = name_or_id.starts_with("arn:")
                ? std::string(name_or_id)
                : make_arn("cloudformation", call.region, call.caller->account, "stack/" + std::string(name_or_id) + "/*");
  }
  return r;
}

Result<StackPtr> Stacks::require(std::string_view name_or_id, const Call& call) const {
  auto s = store_.find(call.caller->account, call.region, name_or_id);
  if (!s) return invalid("Stack with id " + std::string(name_or_id) + " does not exist");
  return s;
}

Result<std::string> Stacks::template_text(const std::optional<std::string>& body, const std::optional<std::string>& url,
                                          const Call& call) const {
  if (body && url) return invalid("Only one of TemplateBody or TemplateURL may be specified.");
  if (body) {
    if (body->size() > kBodyMax)
      return invalid(
          "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than "
          "or equal to 51200");
    return *body;
  }
  if (!url) return invalid("Either Template URL or Template Body must be specified.");
  // https://host/bucket/key, or https://bucket.s3..amazonaws.com/key; either with ?versionId=..
  auto scheme = url->find("://");
  auto slash = scheme == url->npos ? url->npos : url->find('/', scheme + 3);
  if (slash == url->npos) return invalid("TemplateURL must be a supported URL.");
  auto host = url->substr(scheme + 3, slash - scheme - 3);
  auto question = std::min(url->find('?'), url->size());
  auto path = url_decode(url->substr(slash + 1, question - slash - 1));
  if (question < slash || !path) return invalid("TemplateURL must be a supported URL.");
  api::s3::GetObjectRequest get;
  auto dot = std::min(host.rfind(".s3."), host.rfind(".s3-"));
  if (dot != host.npos && host.ends_with(".amazonaws.com")) {
    get.Bucket = host.substr(0, dot);
    get.Key = *path;
  } else {
    auto cut = path->find('/');
    if (cut == path->npos) return invalid("TemplateURL must reference a valid S3 object to which you have access.");
    get.Bucket = path->substr(0, cut);
    get.Key = path->substr(cut + 1);
  }
  if (question < url->size())
    for (auto part : split(std::string_view(*url).substr(question + 1), '&'))
      if (part.starts_with("versionId=")) get.VersionId = url_decode(part.substr(10)).value_or("");
  auto out = gate_->call<api::s3::op::GetObject>(call.forwarded_by("cloudformation"), get);
  if (!out) return invalid("S3 error: " + out.error().message);
  std::string text;
  while (out->Body) {
    size_t before = text.size();
    TRY_VOID(out->Body->read(text, 65536));
    if (text.size() == before) break;
    if (text.size() > kUrlBodyMax) return invalid("Template may not exceed 1000000 bytes in size.");
  }
  return text;
}

StackState Stacks::new_stack(const std::string& name, const Call& call) const {
  StackState s{.name = name, .account = call.caller->account, .region = call.region};
  s.id = make_arn("cloudformation", s.region, s.account, "stack/" + name + "/" + new_uuid());
  s.created = clock_.now();
  s.caller = store_caller(call);
  return s;
}

std::vector<Event> Stacks::begun(const StackState& s, std::string reason) const {
  Event e{.id = new_uuid(),
          .logical_id = s.name,
          .physical_id = s.id,
          .type = "AWS::CloudFormation::Stack",
          .status = s.status,
          .reason = std::move(reason)};
  e.time = clock_.now();
  e.client_token = s.client_token;
  return {std::move(e)};
}

void Stacks::declare_stacks() {
  auto on_stack = [this](const auto& in, const Call& call) -> Resources { return std::vector{resource(in.StackName, call)}; };
  auto context = [](const auto& in, const Call&, policy::Context& c) {
    if constexpr (requires { in.Tags; }) set_request_tags(or_empty(in.Tags), c);
    if (in.RoleARN) c.set("cloudformation:RoleArn", *in.RoleARN);
    if constexpr (requires { in.TemplateURL; })
      if (in.TemplateURL) c.set("cloudformation:TemplateUrl", *in.TemplateURL);
  };

  access::Row<op::CreateStack> create{
      .needs = {{.action = "cloudformation:CreateStack", .resources = on_stack, .context = context},
                pass_role<CreateStackInput>()}};
  create.secret_members = {"Parameters", "TemplateBody"};
  create.handler = [this](const Allowed<CreateStackInput>& r) -> Result<CreateStackOutput> {
    auto& in = r.input;
    TRY_VOID(check_stack_name(in.StackName));
    TRY_VOID(refuse_unbuilt(in));
    CreateStackOutput out;
    if (auto old = store_.find(r.call.caller->account, r.call.region, in.StackName)) {
      if (!in.ClientRequestToken || old->client_token != *in.ClientRequestToken)
        return fail(kAlreadyExists, "Stack [" + in.StackName + "] already exists");
      out.StackId = old->id;
      return out;
    }
    TRY(auto text, template_text(in.TemplateBody, in.TemplateURL, r.call));
    TRY(auto t, parse_template(text));
    auto s = new_stack(in.StackName, r.call);
    TRY(s.plan, make_plan(in, text, t, nullptr));
    TRY_VOID(engine_->check(t, s.plan->capabilities));
    if (in.OnFailure && in.DisableRollback) return invalid("Either DisableRollback or OnFailure can be specified, not both.");
    TRY(auto env, engine_->environment(t, s, *s.plan));
    TRY_VOID(check_conditional_references(env));
    s.on_failure = in.DisableRollback.value_or(false) ? "DO_NOTHING" : in.OnFailure.value_or("ROLLBACK");
    s.role_arn = in.RoleARN.value_or("");
    if (in.RoleARN) TRY_VOID(engine_->acting(r.call, s));
    s.timeout_minutes = int(in.TimeoutInMinutes.value_or(0));
    s.client_token = in.ClientRequestToken.value_or("");
    s.status = "CREATE_IN_PROGRESS";
    TRY_VOID(store_.add(s, begun(s), in.EnableTerminationProtection.value_or(false)));
    engine_->run(s.id, Engine::Work::create, r.call);
    out.StackId = s.id;
    return out;
  };
  gate_->add<op::CreateStack>(std::move(create));

  access::Row<op::UpdateStack> update{
      .needs = {{.action = "cloudformation:UpdateStack", .resources = on_stack, .context = context},
                pass_role<UpdateStackInput>()}};
  update.secret_members = {"Parameters", "TemplateBody"};
  update.handler = [this](const Allowed<UpdateStackInput>& r) -> Result<UpdateStackOutput> {
    auto& in = r.input;
    TRY_VOID(refuse_unbuilt(in));
    if (in.DisableRollback.value_or(false)) return invalid("DisableRollback of an update is not supported by this server.");
    TRY(auto found, require(in.StackName, r.call));
    StackState s = *found;
    TRY_VOID(check_updatable(s));
    bool previous = in.UsePreviousTemplate.value_or(false);
    if (previous && (in.TemplateBody || in.TemplateURL))
      return invalid("Either UsePreviousTemplate or a template can be specified, not both.");
    std::string text = s.plan->template_text;
    if (!previous) {
      TRY(text, template_text(in.TemplateBody, in.TemplateURL, r.call));
    }
    TRY(auto t, parse_template(text));
    TRY(auto plan, make_plan(in, text, t, s.plan.get()));
    TRY_VOID(engine_->check(t, plan->capabilities));
    TRY(auto env, engine_->environment(t, s, *plan));
    TRY_VOID(check_conditional_references(env));
    TRY(auto changes, engine_->changes(s, *plan));
    if (changes.empty() && same_plans(*plan, *s.plan)) return invalid("No updates are to be performed.");
    if (in.RoleARN) s.role_arn = *in.RoleARN;
    if (in.RoleARN) TRY_VOID(engine_->acting(r.call, s));
    begin_update(s, std::move(plan), clock_.now());
    s.caller = store_caller(r.call);
    s.client_token = in.ClientRequestToken.value_or("");
    TRY_VOID(store_.change(s, begun(s), "updated"));
    engine_->run(s.id, Engine::Work::update, r.call);
    UpdateStackOutput out;
    out.StackId = s.id;
    return out;
  };
  gate_->add<op::UpdateStack>(std::move(update));

  access::Row<op::ContinueUpdateRollback> go_on{
      .needs = {{.action = "cloudformation:ContinueUpdateRollback", .resources = on_stack, .context = context},
                pass_role<ContinueUpdateRollbackInput>()}};
  go_on.handler = [this](const Allowed<ContinueUpdateRollbackInput>& r) -> Result<ContinueUpdateRollbackOutput> {
    auto& in = r.input;
    if (in.ForceRollback.value_or(false)) return invalid("ForceRollback is not supported by this server.");
    TRY(auto found, require(in.StackName, r.call));
    StackState s = *found;
    if (s.status != "UPDATE_ROLLBACK_FAILED")
      return invalid("Stack [" + s.id + "] is in " + s.status + " state and can not be rolled back.");
    s.leave = or_empty(in.ResourcesToSkip);
    for (auto& id : s.leave)
      if (std::none_of(s.undo.begin(), s.undo.end(), [&](auto& u) { return u.logical_id == id; }))
        return invalid("Resource [" + id + "] is not one of those that failed to roll back.");
    if (in.RoleARN) s.role_arn = *in.RoleARN;
    if (in.RoleARN) TRY_VOID(engine_->acting(r.call, s));
    s.caller = store_caller(r.call);
    s.client_token = in.ClientRequestToken.value_or("");
    s.status = "UPDATE_ROLLBACK_IN_PROGRESS";
    s.reason.clear();
    TRY_VOID(store_.change(s, begun(s), "rolled back"));
    engine_->run(s.id, Engine::Work::roll_back_update, r.call);
    return ContinueUpdateRollbackOutput{};
  };
  gate_->add<op::ContinueUpdateRollback>(std::move(go_on));

  access::Row<op::DeleteStack> remove{
      .needs = {{.action = "cloudformation:DeleteStack", .resources = on_stack, .context = context},
                pass_role<DeleteStackInput>()}};
  remove.handler = [this](const Allowed<DeleteStackInput>& r) -> Result<op::DeleteStack::Output> {
    auto& in = r.input;
    if (in.DeletionMode && *in.DeletionMode != "STANDARD")
      return invalid("DeletionMode " + *in.DeletionMode + " is not supported by this server.");
    TRY_VOID(refuse_unbuilt(in));
    auto found = store_.find(r.call.caller->account, r.call.region, in.StackName);
    // AWS answers success for a stack that isn't there, and for one that is going already.
    if (!found || found->deleted_for_good() || found->status == "DELETE_IN_PROGRESS") return op::DeleteStack::Output{};
    StackState s = *found;
    if (store_.is_protected(s.id))
      return invalid("Stack [" + s.name + "] cannot be deleted while TerminationProtection is enabled");
    if (s.being_worked_on()) return invalid("Stack [" + s.name + "] is in " + s.status + " state and can not be deleted.");
    s.leave = or_empty(in.RetainResources);
    if (!s.leave.empty() && s.status != "DELETE_FAILED")
      return invalid("Invalid operation on stack [" + s.id + "]. The specified resources to retain: " + "[" +
                     join(s.leave, ", ") + "] can be given only for stacks in DELETE_FAILED state.");
    for (auto& id : s.leave)
      if (!s.resources.contains(id)) return invalid("Resource [" + id + "] does not exist in stack [" + s.name + "].");
    if (in.RoleARN) s.role_arn = *in.RoleARN;
    if (in.RoleARN) TRY_VOID(engine_->acting(r.call, s));
    s.caller = store_caller(r.call);
    s.client_token = in.ClientRequestToken.value_or("");
    s.status = "DELETE_IN_PROGRESS";
    s.reason.clear();
    TRY_VOID(store_.change(s, begun(s), "deleted"));
    for (auto& set : store_.change_sets(s.id)) TRY_VOID(store_.remove(*set));
    engine_->run(s.id, Engine::Work::remove, r.call);
    return op::DeleteStack::Output{};
  };
  gate_->add<op::DeleteStack>(std::move(remove));

  access::Row<op::UpdateTerminationProtection> protect{
      .needs = {{.action = "cloudformation:UpdateTerminationProtection", .resources = on_stack}}};
  protect.handler = [this](const Allowed<UpdateTerminationProtectionInput>& r) -> Result<UpdateTerminationProtectionOutput> {
    TRY(auto s, require(r.input.StackName, r.call));
    if (s->status == "DELETE_IN_PROGRESS" || s->deleted_for_good())
      return invalid("Stack [" + s->name + "] is in " + s->status + " state: its termination protection can not be changed.");
    TRY_VOID(store_.protect(s->id, r.input.EnableTerminationProtection));
    UpdateTerminationProtectionOutput out;
    out.StackId = s->id;
    return out;
  };
  gate_->add<op::UpdateTerminationProtection>(std::move(protect));
}

}  // namespace redoubt::stacks
