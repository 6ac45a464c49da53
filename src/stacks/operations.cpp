/// CreateStack, UpdateStack, DeleteStack, and what reads stacks.
#include "api/s3.h"
#include "base/arn.h"
#include "stacks/document.h"
#include "stacks/requests.h"

namespace redoubt::stacks {

using namespace api::cloudformation;
using redoubt::Error;
using OurParameter = stacks::Parameter;

namespace {

constexpr size_t kBodyMax = 51200, kUrlBodyMax = 1 << 20;

template <class Item, class In, class Out>
Result<std::vector<Item>> page(std::vector<Item> all, const In& in, Out& out, size_t limit = 100) {
  size_t from = 0;
  if (in.NextToken) {
    auto position = parse_int(*in.NextToken);
    if (!position || *position < 0 || size_t(*position) > all.size()) return invalid("The token is invalid");
    from = size_t(*position);
  }
  size_t to = std::min(all.size(), from + limit);
  if (to < all.size()) out.NextToken = std::to_string(to);
  return std::vector<Item>(std::make_move_iterator(all.begin() + long(from)), std::make_move_iterator(all.begin() + long(to)));
}

Stack shown(const StackState& s) {
  Stack o;
  o.StackId = s.id;
  o.StackName = s.name;
  if (!s.change_set_id.empty()) o.ChangeSetId = s.change_set_id;
  if (!s.description.empty()) o.Description = s.description;
  if (auto p = shown_parameters(s.plan); !p.empty()) o.Parameters = std::move(p);
  o.CreationTime = s.created;
  if (s.deleted.us) o.DeletionTime = s.deleted;
  if (s.updated.us) o.LastUpdatedTime = s.updated;
  o.RollbackConfiguration.emplace();
  o.StackStatus = s.status;
  if (!s.reason.empty()) o.StackStatusReason = s.reason;
  o.DisableRollback = s.on_failure == "DO_NOTHING";
  o.NotificationARNs = s.plan.notification_arns;
  if (s.timeout_minutes) o.TimeoutInMinutes = s.timeout_minutes;
  if (!s.plan.capabilities.empty()) o.Capabilities = s.plan.capabilities;
  std::vector<api::cloudformation::Output> outputs;
  for (auto& x : s.outputs) {
    api::cloudformation::Output shown_output;
    shown_output.OutputKey = x.key;
    shown_output.OutputValue = x.value;
    if (!x.description.empty()) shown_output.Description = x.description;
    if (!x.export_name.empty()) shown_output.ExportName = x.export_name;
    outputs.push_back(std::move(shown_output));
  }
  if (!outputs.empty()) o.Outputs = std::move(outputs);
  if (!s.role_arn.empty()) o.RoleARN = s.role_arn;
  o.Tags = shown_tags(s.plan);
  o.EnableTerminationProtection = s.termination_protection;
  StackDriftInformation drift{.StackDriftStatus = "NOT_CHECKED"};
  o.DriftInformation = std::move(drift);
  return o;
}

bool exists(const ResourceState& r) { return !r.status.empty(); }

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
    for (auto& [k, v] : s->plan.tags) r.tags[k] = v;
  } else {
    r.arn = name_or_id.starts_with("arn:")
                ? std::string(name_or_id)
                : make_arn("cloudformation", call.region, call.caller->account, "stack/" + std::string(name_or_id) + "/*");
  }
  return r;
}

Result<StackState> Stacks::require(std::string_view name_or_id, const Call& call) const {
  auto s = store_.find(call.caller->account, call.region, name_or_id);
  if (!s) return invalid("Stack with id " + std::string(name_or_id) + " does not exist");
  return std::move(*s);
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
  // https://host/bucket/key, or https://bucket.s3..amazonaws.com/key
  auto scheme = url->find("://");
  auto slash = scheme == url->npos ? url->npos : url->find('/', scheme + 3);
  if (slash == url->npos) return invalid("TemplateURL must be a supported URL.");
  auto host = url->substr(scheme + 3, slash - scheme - 3);
  auto path = url_decode(url->substr(slash + 1, url->find('?') == url->npos ? url->npos : url->find('?') - slash - 1));
  if (!path) return invalid("TemplateURL must be a supported URL.");
  api::s3::GetObjectRequest get;
  auto dot = host.find(".s3");
  if (dot != host.npos && host.ends_with(".amazonaws.com")) {
    get.Bucket = host.substr(0, dot);
    get.Key = *path;
  } else {
    auto cut = path->find('/');
    if (cut == path->npos) return invalid("TemplateURL must reference a valid S3 object to which you have access.");
    get.Bucket = path->substr(0, cut);
    get.Key = path->substr(cut + 1);
  }
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
  s.caller = store_caller(*call.caller);
  return s;
}

void Stacks::declare_stacks() {
  auto on_stack = [this](const auto& in, const Call& call) -> Resources { return std::vector{resource(in.StackName, call)}; };
  auto first_event = [this](const StackState& s) {
    return std::vector{Event{new_uuid(), s.name, s.id, "AWS::CloudFormation::Stack", s.status,
                             s.reason.empty() ? "User Initiated" : s.reason, "", clock_.now()}};
  };

  access::Row<op::CreateStack> create{.needs = {{.action = "cloudformation:CreateStack",
                                                 .resources = on_stack,
                                                 .context =
                                                     [](const CreateStackInput& in, const Call&, policy::Context& c) {
                                                       set_request_tags(or_empty(in.Tags), c);
                                                       if (in.RoleARN) c.set("cloudformation:RoleArn", *in.RoleARN);
                                                       if (in.TemplateURL) c.set("cloudformation:TemplateUrl", *in.TemplateURL);
                                                     }},
                                                pass_role<CreateStackInput>()}};
  create.secret_members = {"Parameters", "TemplateBody"};
  create.handler = [this, first_event](const Allowed<CreateStackInput>& r) -> Result<CreateStackOutput> {
    auto& in = r.input;
    TRY_VOID(check_stack_name(in.StackName));
    TRY_VOID(refuse_unbuilt(in));
    if (auto old = store_.find(r.call.caller->account, r.call.region, in.StackName)) {
      if (in.ClientRequestToken && old->client_token == *in.ClientRequestToken) {
        CreateStackOutput out;
        out.StackId = old->id;
        return out;
      }
      return fail(kAlreadyExists, "Stack [" + in.StackName + "] already exists");
    }
    TRY(auto text, template_text(in.TemplateBody, in.TemplateURL, r.call));
    TRY(auto t, parse_template(text));
    TRY(auto plan, make_plan(in, text, t, nullptr));
    TRY_VOID(engine_->check(t, plan.capabilities));
    if (in.OnFailure && in.DisableRollback) return invalid("Either DisableRollback or OnFailure can be specified, not both.");
    auto s = new_stack(in.StackName, r.call);
    TRY_VOID(engine_->environment(t, s, plan));
    s.plan = std::move(plan);
    s.description = t.description;
    s.on_failure = in.DisableRollback.value_or(false) ? "DO_NOTHING" : in.OnFailure.value_or("ROLLBACK");
    s.role_arn = in.RoleARN.value_or("");
    s.termination_protection = in.EnableTerminationProtection.value_or(false);
    s.timeout_minutes = int(in.TimeoutInMinutes.value_or(0));
    s.client_token = in.ClientRequestToken.value_or("");
    s.status = "CREATE_IN_PROGRESS";
    if (store_.list(s.account, s.region).size() >= 10000) return fail(kLimitExceeded, "Limit for stack has been exceeded");
    TRY_VOID(store_.add(s, first_event(s)));
    engine_->run(s.id, Engine::Work::create, r.call);
    CreateStackOutput out;
    out.StackId = s.id;
    return out;
  };
  gate_->add<op::CreateStack>(std::move(create));

  access::Row<op::UpdateStack> update{
      .needs = {{.action = "cloudformation:UpdateStack", .resources = on_stack}, pass_role<UpdateStackInput>()}};
  update.secret_members = {"Parameters", "TemplateBody"};
  update.handler = [this, first_event](const Allowed<UpdateStackInput>& r) -> Result<UpdateStackOutput> {
    auto& in = r.input;
    TRY_VOID(refuse_unbuilt(in));
    TRY(auto s, require(in.StackName, r.call));
    if (s.in_progress() || s.status.starts_with("ROLLBACK") || s.status == "CREATE_FAILED" || s.status.starts_with("DELETE") ||
        s.status == "UPDATE_ROLLBACK_FAILED")
      return invalid("Stack:" + s.id + " is in " + s.status + " state and can not be updated.");
    std::string text = s.plan.template_text;
    if (!in.UsePreviousTemplate.value_or(false)) {
      TRY(text, template_text(in.TemplateBody, in.TemplateURL, r.call));
    }
    TRY(auto t, parse_template(text));
    TRY(auto plan, make_plan(in, text, t, &s.plan));
    TRY_VOID(engine_->check(t, plan.capabilities));
    TRY(auto changes, engine_->changes(s, plan));
    auto outputs_text = [](const std::string& template_body) {
      auto parsed = parse_document(template_body);
      return parsed ? (*parsed)["Outputs"].dump() : std::string();
    };
    if (changes.empty() && outputs_text(text) == outputs_text(s.plan.template_text) && plan.tags == s.plan.tags)
      return invalid("No updates are to be performed.");
    s.before = s.plan;
    s.plan = std::move(plan);
    s.description = t.description;
    if (in.RoleARN) s.role_arn = *in.RoleARN;
    s.caller = store_caller(*r.call.caller);
    s.updated = clock_.now();
    s.status = "UPDATE_IN_PROGRESS";
    s.reason.clear();
    s.undo.clear();
    s.replaced.clear();
    TRY_VOID(store_.put(s, first_event(s)));
    engine_->run(s.id, Engine::Work::update, r.call);
    UpdateStackOutput out;
    out.StackId = s.id;
    return out;
  };
  gate_->add<op::UpdateStack>(std::move(update));

  access::Row<op::DeleteStack> remove{
      .needs = {{.action = "cloudformation:DeleteStack", .resources = on_stack}, pass_role<DeleteStackInput>()}};
  remove.handler = [this, first_event](const Allowed<DeleteStackInput>& r) -> Result<op::DeleteStack::Output> {
    auto& in = r.input;
    if (in.DeletionMode && *in.DeletionMode != "STANDARD")
      return invalid("DeletionMode " + *in.DeletionMode + " is not supported by this server.");
    auto s = store_.find(r.call.caller->account, r.call.region, in.StackName);
    if (!s || s->deleted_for_good()) return op::DeleteStack::Output{};  // AWS answers success for a stack that isn't there
    if (s->termination_protection)
      return invalid("Stack [" + s->name + "] cannot be deleted while TerminationProtection is enabled");
    if (s->in_progress() && s->status != "REVIEW_IN_PROGRESS")
      return invalid("Stack [" + s->name + "] is in " + s->status + " state and can not be deleted.");
    auto& retain = or_empty(in.RetainResources);
    if (!retain.empty() && s->status != "DELETE_FAILED")
      return invalid("Invalid operation on stack [" + s->id + "]. The specified resources to retain: [" + join(retain, ", ") +
                     "] can be given only for stacks in DELETE_FAILED state.");
    for (auto& id : retain)
      if (!s->resources.contains(id)) return invalid("Resource [" + id + "] does not exist in stack [" + s->name + "].");
    for (auto& o : s->outputs)
      if (!o.export_name.empty())
        for (auto& other : store_.list(s->account, s->region))
          if (!other.deleted_for_good() && other.id != s->id && other.imports.contains(o.export_name))
            return invalid("Export " + o.export_name + " cannot be deleted as it is in use by " + other.name);
    if (in.RoleARN) s->role_arn = *in.RoleARN;
    s->caller = store_caller(*r.call.caller);
    s->status = "DELETE_IN_PROGRESS";
    s->reason.clear();
    TRY_VOID(store_.put(*s, first_event(*s)));
    for (auto& set : store_.change_sets(s->id)) TRY_VOID(store_.remove(set));
    engine_->run(s->id, Engine::Work::remove, r.call, retain);
    return op::DeleteStack::Output{};
  };
  gate_->add<op::DeleteStack>(std::move(remove));

  access::Row<op::UpdateTerminationProtection> protect{
      .needs = {{.action = "cloudformation:UpdateTerminationProtection", .resources = on_stack}}};
  protect.handler = [this](const Allowed<UpdateTerminationProtectionInput>& r) -> Result<UpdateTerminationProtectionOutput> {
    TRY(auto s, require(r.input.StackName, r.call));
    s.termination_protection = r.input.EnableTerminationProtection;
    TRY_VOID(store_.put(s, {}));
    UpdateTerminationProtectionOutput out;
    out.StackId = s.id;
    return out;
  };
  gate_->add<op::UpdateTerminationProtection>(std::move(protect));
}

void Stacks::declare_reads() {
  auto on_stack = [this](const auto& in, const Call& call) -> Resources { return std::vector{resource(in.StackName, call)}; };
  auto on_optional = [this](const auto& in, const Call& call) -> Resources {
    if (in.StackName) return std::vector{resource(*in.StackName, call)};
    return std::vector{access::Resource{.account = call.caller->account}};
  };

  access::Row<op::DescribeStacks> describe{.needs = {{.action = "cloudformation:DescribeStacks", .resources = on_optional}}};
  describe.read_only = true;
  describe.handler = [this](const Allowed<DescribeStacksInput>& r) -> Result<DescribeStacksOutput> {
    DescribeStacksOutput out;
    if (r.input.StackName) {
      TRY(auto s, require(*r.input.StackName, r.call));
      out.Stacks = std::vector{shown(s)};
      return out;
    }
    std::vector<Stack> all;
    for (auto& s : store_.list(r.call.caller->account, r.call.region))
      if (!s.deleted_for_good()) all.push_back(shown(s));
    TRY(out.Stacks, page(std::move(all), r.input, out));
    return out;
  };
  gate_->add<op::DescribeStacks>(std::move(describe));

  access::Row<op::ListStacks> list{.needs = {{.action = "cloudformation:ListStacks"}}};
  list.read_only = true;
  list.handler = [this](const Allowed<ListStacksInput>& r) -> Result<ListStacksOutput> {
    auto& filter = or_empty(r.input.StackStatusFilter);
    std::vector<StackSummary> all;
    for (auto& s : store_.list(r.call.caller->account, r.call.region)) {
      if (!filter.empty() && std::find(filter.begin(), filter.end(), s.status) == filter.end()) continue;
      StackSummary x;
      x.StackId = s.id;
      x.StackName = s.name;
      if (!s.description.empty()) x.TemplateDescription = s.description;
      x.CreationTime = s.created;
      if (s.updated.us) x.LastUpdatedTime = s.updated;
      if (s.deleted.us) x.DeletionTime = s.deleted;
      x.StackStatus = s.status;
      if (!s.reason.empty()) x.StackStatusReason = s.reason;
      all.push_back(std::move(x));
    }
    ListStacksOutput out;
    TRY(out.StackSummaries, page(std::move(all), r.input, out));
    return out;
  };
  gate_->add<op::ListStacks>(std::move(list));

  access::Row<op::DescribeStackEvents> events{.needs = {{.action = "cloudformation:DescribeStackEvents", .resources = on_stack}}};
  events.read_only = true;
  events.handler = [this](const Allowed<DescribeStackEventsInput>& r) -> Result<DescribeStackEventsOutput> {
    TRY(auto s, require(r.input.StackName, r.call));
    std::vector<StackEvent> all;
    for (auto& e : store_.events(s.id)) {
      StackEvent x;
      x.StackId = s.id;
      x.EventId = e.id;
      x.StackName = s.name;
      x.LogicalResourceId = e.logical_id;
      x.PhysicalResourceId = e.physical_id;
      x.ResourceType = e.type;
      x.Timestamp = e.time;
      x.ResourceStatus = e.status;
      if (!e.reason.empty()) x.ResourceStatusReason = e.reason;
      if (!s.client_token.empty()) x.ClientRequestToken = s.client_token;
      // Properties may hold NoEcho values: they are told only where no parameter is secret.
      all.push_back(std::move(x));
    }
    DescribeStackEventsOutput out;
    TRY(out.StackEvents, page(std::move(all), r.input, out));
    return out;
  };
  gate_->add<op::DescribeStackEvents>(std::move(events));

  access::Row<op::DescribeStackResources> resources{
      .needs = {{.action = "cloudformation:DescribeStackResources", .resources = on_optional}}};
  resources.read_only = true;
  resources.handler = [this](const Allowed<DescribeStackResourcesInput>& r) -> Result<DescribeStackResourcesOutput> {
    auto& in = r.input;
    if (!in.StackName && !in.PhysicalResourceId) return invalid("Either StackName or PhysicalResourceId must be specified.");
    std::optional<StackState> s;
    if (in.StackName) {
      TRY(s, require(*in.StackName, r.call));
    } else {
      for (auto& x : store_.list(r.call.caller->account, r.call.region))
        for (auto& [id, res] : x.resources)
          if (!x.deleted_for_good() && res.physical_id == *in.PhysicalResourceId) s = x;
      if (!s) return invalid("Stack for " + *in.PhysicalResourceId + " does not exist");
    }
    std::vector<StackResource> all;
    for (auto& [id, res] : s->resources) {
      if (!exists(res) || (in.LogicalResourceId && *in.LogicalResourceId != id)) continue;
      StackResource x;
      x.StackName = s->name;
      x.StackId = s->id;
      x.LogicalResourceId = id;
      if (!res.physical_id.empty()) x.PhysicalResourceId = res.physical_id;
      x.ResourceType = res.type;
      x.Timestamp = res.updated;
      x.ResourceStatus = res.status;
      if (!res.reason.empty()) x.ResourceStatusReason = res.reason;
      all.push_back(std::move(x));
    }
    DescribeStackResourcesOutput out;
    out.StackResources = std::move(all);
    return out;
  };
  gate_->add<op::DescribeStackResources>(std::move(resources));

  access::Row<op::DescribeStackResource> one{
      .needs = {{.action = "cloudformation:DescribeStackResource", .resources = on_stack}}};
  one.read_only = true;
  one.handler = [this](const Allowed<DescribeStackResourceInput>& r) -> Result<DescribeStackResourceOutput> {
    TRY(auto s, require(r.input.StackName, r.call));
    auto it = s.resources.find(r.input.LogicalResourceId);
    if (it == s.resources.end() || !exists(it->second))
      return invalid("Resource " + r.input.LogicalResourceId + " does not exist for stack " + s.name);
    auto& res = it->second;
    StackResourceDetail x;
    x.StackName = s.name;
    x.StackId = s.id;
    x.LogicalResourceId = res.logical_id;
    if (!res.physical_id.empty()) x.PhysicalResourceId = res.physical_id;
    x.ResourceType = res.type;
    x.LastUpdatedTimestamp = res.updated;
    x.ResourceStatus = res.status;
    if (!res.reason.empty()) x.ResourceStatusReason = res.reason;
    DescribeStackResourceOutput out;
    out.StackResourceDetail = std::move(x);
    return out;
  };
  gate_->add<op::DescribeStackResource>(std::move(one));

  access::Row<op::ListStackResources> list_resources{
      .needs = {{.action = "cloudformation:ListStackResources", .resources = on_stack}}};
  list_resources.read_only = true;
  list_resources.handler = [this](const Allowed<ListStackResourcesInput>& r) -> Result<ListStackResourcesOutput> {
    TRY(auto s, require(r.input.StackName, r.call));
    std::vector<StackResourceSummary> all;
    for (auto& [id, res] : s.resources) {
      if (!exists(res)) continue;
      StackResourceSummary x;
      x.LogicalResourceId = id;
      if (!res.physical_id.empty()) x.PhysicalResourceId = res.physical_id;
      x.ResourceType = res.type;
      x.LastUpdatedTimestamp = res.updated;
      x.ResourceStatus = res.status;
      if (!res.reason.empty()) x.ResourceStatusReason = res.reason;
      all.push_back(std::move(x));
    }
    ListStackResourcesOutput out;
    TRY(out.StackResourceSummaries, page(std::move(all), r.input, out));
    return out;
  };
  gate_->add<op::ListStackResources>(std::move(list_resources));

  access::Row<op::GetTemplate> get_template{.needs = {{.action = "cloudformation:GetTemplate", .resources = on_optional}}};
  get_template.read_only = true;
  get_template.handler = [this](const Allowed<GetTemplateInput>& r) -> Result<GetTemplateOutput> {
    if (!r.input.StackName) return invalid("StackName must be specified.");
    TRY(auto s, require(*r.input.StackName, r.call));
    GetTemplateOutput out;
    out.TemplateBody = s.plan.template_text;
    if (r.input.ChangeSetName) {
      auto set = store_.change_set(s.id, *r.input.ChangeSetName);
      if (!set) return fail(kChangeSetNotFound, "ChangeSet [" + *r.input.ChangeSetName + "] does not exist");
      out.TemplateBody = set->plan.template_text;
    }
    out.StagesAvailable = std::vector<std::string>{"Original", "Processed"};
    return out;
  };
  gate_->add<op::GetTemplate>(std::move(get_template));

  access::Row<op::GetTemplateSummary> summary{
      .needs = {{.action = "cloudformation:GetTemplateSummary", .resources = on_optional}}};
  summary.read_only = true;
  summary.handler = [this](const Allowed<GetTemplateSummaryInput>& r) -> Result<GetTemplateSummaryOutput> {
    auto& in = r.input;
    if (in.StackSetName) return invalid("StackSets are not supported by this server.");
    std::string text;
    if (in.StackName) {
      TRY(auto s, require(*in.StackName, r.call));
      text = s.plan.template_text;
    } else {
      TRY(text, template_text(in.TemplateBody, in.TemplateURL, r.call));
    }
    TRY(auto t, parse_template(text));
    GetTemplateSummaryOutput out;
    std::vector<ParameterDeclaration> parameters;
    for (auto& p : t.parameters) {
      ParameterDeclaration d;
      d.ParameterKey = p.name;
      d.DefaultValue = p.default_value;
      d.ParameterType = p.type;
      d.NoEcho = p.no_echo;
      if (!p.description.empty()) d.Description = p.description;
      ParameterConstraints constraints;
      if (!p.allowed_values.empty()) constraints.AllowedValues = p.allowed_values;
      d.ParameterConstraints = std::move(constraints);
      parameters.push_back(std::move(d));
    }
    out.Parameters = std::move(parameters);
    if (!t.description.empty()) out.Description = t.description;
    if (auto needed = Engine::needed_capabilities(t); !needed.empty()) {
      std::vector<std::string> types;
      for (auto& x : t.resources)
        if (auto* p = find_provider(x.type); p && p->iam) types.push_back(x.type);
      out.CapabilitiesReason = "The following resource(s) require capabilities: [" + join(types, ", ") + "]";
      out.Capabilities = std::move(needed);
    }
    std::set<std::string> types;
    for (auto& x : t.resources) types.insert(x.type);
    out.ResourceTypes = std::vector<std::string>(types.begin(), types.end());
    out.Version = "2010-09-09";
    if (!t.metadata.is_null()) out.Metadata = t.metadata.dump();
    if (!t.transforms.empty()) out.DeclaredTransforms = t.transforms;
    return out;
  };
  gate_->add<op::GetTemplateSummary>(std::move(summary));

  access::Row<op::ValidateTemplate> validate{.needs = {{.action = "cloudformation:ValidateTemplate"}}};
  validate.read_only = true;
  validate.handler = [this](const Allowed<ValidateTemplateInput>& r) -> Result<ValidateTemplateOutput> {
    TRY(auto text, template_text(r.input.TemplateBody, r.input.TemplateURL, r.call));
    TRY(auto t, parse_template(text));
    auto needed = Engine::needed_capabilities(t);
    TRY_VOID(engine_->check(t, needed));
    ValidateTemplateOutput out;
    std::vector<TemplateParameter> parameters;
    for (auto& p : t.parameters) {
      TemplateParameter d;
      d.ParameterKey = p.name;
      d.DefaultValue = p.default_value;
      d.NoEcho = p.no_echo;
      if (!p.description.empty()) d.Description = p.description;
      parameters.push_back(std::move(d));
    }
    out.Parameters = std::move(parameters);
    if (!t.description.empty()) out.Description = t.description;
    if (!needed.empty()) out.Capabilities = std::move(needed);
    return out;
  };
  gate_->add<op::ValidateTemplate>(std::move(validate));

  access::Row<op::ListExports> exports{.needs = {{.action = "cloudformation:ListExports"}}};
  exports.read_only = true;
  exports.handler = [this](const Allowed<ListExportsInput>& r) -> Result<ListExportsOutput> {
    std::vector<Export> all;
    for (auto& s : store_.list(r.call.caller->account, r.call.region))
      if (!s.deleted_for_good())
        for (auto& o : s.outputs)
          if (!o.export_name.empty()) {
            Export x;
            x.ExportingStackId = s.id;
            x.Name = o.export_name;
            x.Value = o.value;
            all.push_back(std::move(x));
          }
    ListExportsOutput out;
    TRY(out.Exports, page(std::move(all), r.input, out));
    return out;
  };
  gate_->add<op::ListExports>(std::move(exports));

  access::Row<op::ListImports> imports{.needs = {{.action = "cloudformation:ListImports"}}};
  imports.read_only = true;
  imports.handler = [this](const Allowed<ListImportsInput>& r) -> Result<ListImportsOutput> {
    std::vector<std::string> all;
    for (auto& s : store_.list(r.call.caller->account, r.call.region))
      if (!s.deleted_for_good() && s.imports.contains(r.input.ExportName)) all.push_back(s.name);
    if (all.empty()) return invalid("Export '" + r.input.ExportName + "' is not imported by any stack.");
    ListImportsOutput out;
    TRY(out.Imports, page(std::move(all), r.input, out));
    return out;
  };
  gate_->add<op::ListImports>(std::move(imports));
}

}  // namespace redoubt::stacks
