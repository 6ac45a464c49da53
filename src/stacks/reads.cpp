/// What reads stacks: descriptions, events, templates, exports.
#include "stacks/requests.h"

namespace redoubt::stacks {

using namespace api::cloudformation;

namespace {

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

Stack shown(const StackState& s, bool is_protected) {
  Stack o;
  o.StackId = s.id;
  o.StackName = s.name;
  if (!s.change_set_id.empty()) o.ChangeSetId = s.change_set_id;
  if (!s.plan->description.empty()) o.Description = s.plan->description;
  if (auto p = shown_parameters(*s.plan); !p.empty()) o.Parameters = std::move(p);
  o.CreationTime = s.created;
  if (s.deleted.us) o.DeletionTime = s.deleted;
  if (s.updated.us) o.LastUpdatedTime = s.updated;
  o.RollbackConfiguration.emplace();
  o.StackStatus = s.status;
  if (!s.reason.empty()) o.StackStatusReason = s.reason;
  o.DisableRollback = s.on_failure == "DO_NOTHING";
  o.NotificationARNs.emplace();
  if (s.timeout_minutes) o.TimeoutInMinutes = s.timeout_minutes;
  if (!s.plan->capabilities.empty()) o.Capabilities = s.plan->capabilities;
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
  o.Tags = shown_tags(*s.plan);
  o.EnableTerminationProtection = is_protected;
  StackDriftInformation drift{.StackDriftStatus = "NOT_CHECKED"};
  o.DriftInformation = std::move(drift);
  return o;
}

bool known(const ResourceState& r) { return !r.status.empty(); }

std::string capabilities_reason(const Template& t) {
  std::set<std::string> types;
  for (auto& x : t.resources)
    if (auto* p = find_provider(x.type); p && p->iam) types.insert(x.type);
  return "The following resource(s) require capabilities: [" + join({types.begin(), types.end()}, ", ") + "]";
}

}  // namespace

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
      out.Stacks = std::vector{shown(*s, store_.is_protected(s->id))};
      return out;
    }
    auto all = store_.list(r.call.caller->account, r.call.region);
    std::erase_if(all, [](auto& s) { return s->deleted_for_good(); });
    TRY(auto some, page(std::move(all), r.input, out));
    out.Stacks.emplace();
    for (auto& s : some) out.Stacks->push_back(shown(*s, store_.is_protected(s->id)));
    return out;
  };
  gate_->add<op::DescribeStacks>(std::move(describe));

  access::Row<op::ListStacks> list{.needs = {{.action = "cloudformation:ListStacks"}}};
  list.read_only = true;
  list.handler = [this](const Allowed<ListStacksInput>& r) -> Result<ListStacksOutput> {
    auto& filter = or_empty(r.input.StackStatusFilter);
    auto all = store_.list(r.call.caller->account, r.call.region);
    std::erase_if(all,
                  [&](auto& s) { return !filter.empty() && std::find(filter.begin(), filter.end(), s->status) == filter.end(); });
    ListStacksOutput out;
    TRY(auto some, page(std::move(all), r.input, out));
    out.StackSummaries.emplace();
    for (auto& s : some) {
      StackSummary x;
      x.StackId = s->id;
      x.StackName = s->name;
      if (!s->plan->description.empty()) x.TemplateDescription = s->plan->description;
      x.CreationTime = s->created;
      if (s->updated.us) x.LastUpdatedTime = s->updated;
      if (s->deleted.us) x.DeletionTime = s->deleted;
      x.StackStatus = s->status;
      if (!s->reason.empty()) x.StackStatusReason = s->reason;
      out.StackSummaries->push_back(std::move(x));
    }
    return out;
  };
  gate_->add<op::ListStacks>(std::move(list));

  access::Row<op::DescribeStackEvents> events{.needs = {{.action = "cloudformation:DescribeStackEvents", .resources = on_stack}}};
  events.read_only = true;
  events.handler = [this](const Allowed<DescribeStackEventsInput>& r) -> Result<DescribeStackEventsOutput> {
    TRY(auto s, require(r.input.StackName, r.call));
    DescribeStackEventsOutput out;
    TRY(auto all, store_.events(s->id));
    TRY(auto some, page(std::move(all), r.input, out));
    out.StackEvents.emplace();
    for (auto& e : some) {
      StackEvent x;
      x.StackId = s->id;
      x.EventId = e.id;
      x.StackName = s->name;
      x.LogicalResourceId = e.logical_id;
      x.PhysicalResourceId = e.physical_id;
      x.ResourceType = e.type;
      x.Timestamp = e.time;
      x.ResourceStatus = e.status;
      if (!e.reason.empty()) x.ResourceStatusReason = e.reason;
      if (!e.properties.empty()) x.ResourceProperties = e.properties;
      if (!e.client_token.empty()) x.ClientRequestToken = e.client_token;
      out.StackEvents->push_back(std::move(x));
    }
    return out;
  };
  gate_->add<op::DescribeStackEvents>(std::move(events));

  access::Row<op::DescribeStackResources> resources{
      .needs = {{.action = "cloudformation:DescribeStackResources", .resources = on_optional}}};
  resources.read_only = true;
  resources.handler = [this](const Allowed<DescribeStackResourcesInput>& r) -> Result<DescribeStackResourcesOutput> {
    auto& in = r.input;
    if (!in.StackName && !in.PhysicalResourceId) return invalid("Either StackName or PhysicalResourceId must be specified.");
    StackPtr s;
    if (in.StackName) {
      TRY(s, require(*in.StackName, r.call));
    } else {
      s = store_.owner_of(r.call.caller->account, r.call.region, *in.PhysicalResourceId);
      if (!s) return invalid("Stack for " + *in.PhysicalResourceId + " does not exist");
    }
    std::vector<StackResource> all;
    for (auto& [id, res] : s->resources) {
      if (!known(res) || (in.LogicalResourceId && *in.LogicalResourceId != id)) continue;
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
    auto it = s->resources.find(r.input.LogicalResourceId);
    if (it == s->resources.end() || !known(it->second))
      return invalid("Resource " + r.input.LogicalResourceId + " does not exist for stack " + s->name);
    auto& res = it->second;
    StackResourceDetail x;
    x.StackName = s->name;
    x.StackId = s->id;
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
    for (auto& [id, res] : s->resources) {
      if (!known(res)) continue;
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
    out.TemplateBody = s->plan->template_text;
    if (r.input.ChangeSetName) {
      auto set = store_.change_set(s->id, *r.input.ChangeSetName);
      if (!set) return fail(kChangeSetNotFound, "ChangeSet [" + *r.input.ChangeSetName + "] does not exist");
      out.TemplateBody = set->plan->template_text;
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
      text = s->plan->template_text;
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
      out.CapabilitiesReason = capabilities_reason(t);
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
    if (!needed.empty()) out.CapabilitiesReason = capabilities_reason(t);
    if (!needed.empty()) out.Capabilities = std::move(needed);
    return out;
  };
  gate_->add<op::ValidateTemplate>(std::move(validate));

  access::Row<op::ListExports> exports{.needs = {{.action = "cloudformation:ListExports"}}};
  exports.read_only = true;
  exports.handler = [this](const Allowed<ListExportsInput>& r) -> Result<ListExportsOutput> {
    std::vector<Export> all;
    std::vector<std::string> names;
    auto values = store_.exports(r.call.caller->account, r.call.region, &names);
    for (size_t i = 0; i < values.size(); ++i) {
      Export x;
      x.ExportingStackId = values[i].stack->id;
      x.Name = names[i];
      x.Value = values[i].value;
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
    auto all = store_.importers(r.call.caller->account, r.call.region, r.input.ExportName);
    if (all.empty()) return invalid("Export '" + r.input.ExportName + "' is not imported by any stack.");
    ListImportsOutput out;
    TRY(out.Imports, page(std::move(all), r.input, out));
    return out;
  };
  gate_->add<op::ListImports>(std::move(imports));
}

}  // namespace redoubt::stacks
