/// IAM's policy simulator over policy/simulate.h. The context is what the request passes in ContextEntries and nothing of the
/// simulating call. Source: IAM API Reference, "SimulateCustomPolicy", "SimulatePrincipalPolicy", "GetContextKeysFor*".
#include "identity/iam_common.h"
#include "policy/simulate.h"

namespace redoubt::identity {

namespace {

using policy::SimulatedPolicy;
using Effect = policy::Decision::Effect;

std::optional<std::vector<iam::Statement>> to_api(const std::vector<policy::MatchedStatement>& matched) {
  std::vector<iam::Statement> out;
  for (auto& m : matched) {
    iam::Statement s;
    s.SourcePolicyId = m.source_policy_id;
    s.SourcePolicyType = m.source_policy_type;
    s.StartPosition = iam::Position{m.start.line, m.start.column};
    s.EndPosition = iam::Position{m.end.line, m.end.column};
    out.push_back(std::move(s));
  }
  return out;
}
std::optional<std::map<std::string, std::string>> to_api(const std::map<std::string, Effect>& details) {
  std::map<std::string, std::string> out;
  for (auto& [name, effect] : details) out.emplace(name, policy::decision_text(effect));
  return out;
}
iam::EvaluationResult to_api(const policy::SimulatedAction& a, bool resources_given) {
  iam::EvaluationResult out;
  out.EvalActionName = a.action;
  out.EvalResourceName = a.resources.size() == 1 ? a.resources[0].resource : "*";
  out.EvalDecision = policy::decision_text(a.effect);
  out.MatchedStatements = to_api(a.matched);
  out.MissingContextValues = a.missing_context_keys;
  if (a.allowed_by_organizations) out.OrganizationsDecisionDetail = iam::OrganizationsDecisionDetail{*a.allowed_by_organizations};
  if (a.allowed_by_boundary)
    out.PermissionsBoundaryDecisionDetail = iam::PermissionsBoundaryDecisionDetail{*a.allowed_by_boundary};
  if (!a.details.empty()) out.EvalDecisionDetails = to_api(a.details);
  if (!resources_given) return out;
  out.ResourceSpecificResults.emplace();
  for (auto& one : a.resources) {
    iam::ResourceSpecificResult r;
    r.EvalResourceName = one.resource;
    r.EvalResourceDecision = policy::decision_text(one.effect);
    r.MatchedStatements = to_api(one.matched);
    r.MissingContextValues = one.missing_context_keys;
    if (!one.details.empty()) r.EvalDecisionDetails = to_api(one.details);
    if (one.allowed_by_boundary)
      r.PermissionsBoundaryDecisionDetail = iam::PermissionsBoundaryDecisionDetail{*one.allowed_by_boundary};
    out.ResourceSpecificResults->push_back(std::move(r));
  }
  return out;
}

/// Documents passed with the request, compiled: "PolicyInputList.1" ..
Result<std::vector<SimulatedPolicy>> passed(const std::optional<std::vector<std::string>>& documents, std::string_view list,
                                            policy::Kind kind) {
  std::vector<SimulatedPolicy> out;
  for (auto& text : documents.value_or(std::vector<std::string>{})) {
    auto compiled = compile(text, kind);
    if (!compiled) return fail(kInvalidInput, compiled.error().message);
    out.push_back({std::string(list) + "." + std::to_string(out.size() + 1), "IAM Policy", *compiled});
  }
  return out;
}

class Simulation {
 public:
  Simulation(access::Directory& directory, Parts& parts) : directory_(directory), parts_(parts) {}

  Result<iam::SimulatePolicyResponse> custom(const Allowed<iam::SimulateCustomPolicyRequest>& r) {
    const auto& in = r.input;
    policy::SimulationInput input;
    TRY(input.identity, passed(in.PolicyInputList, "PolicyInputList", policy::Kind::identity));
    // Service control policies given root first; each level is one list.
    std::vector<std::vector<SimulatedPolicy>> levels;
    for (auto& level : in.OrderedOrganizationPolicyInputList.value_or(std::vector<iam::OrderedOrganizationPolicyType>{})) {
      TRY(auto policies, passed(level.ServiceControlPolicyInputList, "ServiceControlPolicyInputList", policy::Kind::scp));
      levels.push_back(std::move(policies));
    }
    std::vector<std::vector<policy::NamedPolicy>> named;
    std::vector<std::span<const policy::NamedPolicy>> spans;
    for (auto& level : levels) {
      auto& to = named.emplace_back();
      for (auto& p : level) to.push_back({p.id, p.policy.get()});
    }
    for (auto& level : named) spans.emplace_back(level);
    input.scp_levels = spans;
    CallerText text;
    TRY_VOID(set_principal(input, text, in.CallerArn.value_or(iam_arn(r.call.caller->account, "user/simulated"))));
    return simulate(in, std::move(input));
  }

  Result<iam::SimulatePolicyResponse> principal(const Allowed<iam::SimulatePrincipalPolicyRequest>& r) {
    const auto& in = r.input;
    if (in.PolicyExclusionList && !in.PolicyExclusionList->empty())
      return fail(kInvalidInput, "The parameter PolicyExclusionList is not supported.");
    AccountPtr account = account_of(parts_, r.call);
    policy::SimulationInput input;
    TRY(input.identity, policies_of(*account, in.PolicySourceArn));
    TRY(auto more, passed(in.PolicyInputList, "PolicyInputList", policy::Kind::identity));
    for (auto& p : more) input.identity.push_back(std::move(p));
    const Principal* source = source_of(*account, in.PolicySourceArn);
    if (!source->boundary.empty())
      if (auto managed = find_managed(*account, source->boundary))
        input.boundary = {{managed->name, "IAM Policy", managed->document()->policy()}};
    CallerText text;
    bool group = find(account->groups, source->name) == source;
    TRY_VOID(
        set_principal(input, text, in.CallerArn.value_or(group ? iam_arn(account->id, "user/simulated") : in.PolicySourceArn)));
    // The organization's service control policies bind the principal also here.
    access::Caller probe;
    probe.type = policy::PrincipalType::root;
    probe.account = probe.unique_id = account->id;
    auto layers = directory_.policies_of(probe);
    input.scp_levels = layers->scp_levels;
    return simulate(in, std::move(input));
  }

  Result<iam::GetContextKeysForPolicyResponse> custom_keys(const Allowed<iam::GetContextKeysForCustomPolicyRequest>& r) {
    TRY(auto policies, passed(r.input.PolicyInputList, "PolicyInputList", policy::Kind::identity));
    return iam::GetContextKeysForPolicyResponse{policy::context_keys(policies)};
  }
  Result<iam::GetContextKeysForPolicyResponse> principal_keys(const Allowed<iam::GetContextKeysForPrincipalPolicyRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto policies, policies_of(*account, r.input.PolicySourceArn));
    TRY(auto more, passed(r.input.PolicyInputList, "PolicyInputList", policy::Kind::identity));
    for (auto& p : more) policies.push_back(std::move(p));
    return iam::GetContextKeysForPolicyResponse{policy::context_keys(policies)};
  }

 private:
  /// The text that a simulated principal's views point to.
  struct CallerText {
    std::string account, arn, unique_id;
  };
  Result<void> set_principal(policy::SimulationInput& input, CallerText& text, const std::string& arn_text) {
    auto arn = Arn::parse(arn_text);
    if (!arn || !is_account_id(arn->account)) return fail(kInvalidInput, "Invalid Entity Arn: " + arn_text);
    text = {arn->account, arn_text, directory_.principal_to_id("AWS", arn_text).value_or("")};
    input.principal.account = text.account;
    input.principal.arn = input.principal.issuer_arn = text.arn;
    if (text.unique_id != text.arn) input.principal.unique_id = input.principal.user_id = text.unique_id;
    input.principal.type = policy::PrincipalType::user;
    if (arn->service == "iam" && arn->resource.starts_with("role/")) input.principal.type = policy::PrincipalType::assumed_role;
    if (arn->service == "iam" && arn->resource == "root") input.principal.type = policy::PrincipalType::root;
    return {};
  }

  template <class In>
  Result<iam::SimulatePolicyResponse> simulate(const In& in, policy::SimulationInput input) {
    if (in.ResourceHandlingOption) return fail(kInvalidInput, "The parameter ResourceHandlingOption is not supported.");
    if (in.PermissionsBoundaryPolicyInputList && !in.PermissionsBoundaryPolicyInputList->empty()) {
      TRY(input.boundary,
          passed(in.PermissionsBoundaryPolicyInputList, "PermissionsBoundaryPolicyInputList", policy::Kind::boundary));
    }
    if (in.ResourcePolicy) {
      auto compiled = compile(*in.ResourcePolicy, policy::Kind::bucket);
      if (!compiled) return fail(kInvalidInput, compiled.error().message);
      input.resource = SimulatedPolicy{"ResourcePolicy", "IAM Policy", *compiled};
    }
    if (in.ResourceOwner) {
      auto owner = Arn::parse(*in.ResourceOwner);
      input.resource_account = owner ? owner->account : *in.ResourceOwner;
    }
    input.actions = in.ActionNames;
    for (auto& action : input.actions)
      if (action.find(':') == std::string::npos) return fail(kInvalidInput, "Invalid action name: " + action);
    input.resources = in.ResourceArns.value_or(std::vector<std::string>{});
    for (auto& entry : in.ContextEntries.value_or(std::vector<iam::ContextEntry>{}))
      input.context.push_back({entry.ContextKeyName.value_or(""), entry.ContextKeyValues.value_or(std::vector<std::string>{})});
    auto results = policy::simulate(input);
    std::vector<std::string> positions;
    for (size_t i = 0; i < results.size(); ++i) {
      std::string n = std::to_string(i);
      positions.push_back(std::string(8 - n.size(), '0') + n);
    }
    TRY(Page page, page_of(positions, in.Marker, in.MaxItems));
    iam::SimulatePolicyResponse out;
    set_page(out, page);
    out.EvaluationResults.emplace();
    for (size_t i = page.from; i < page.to; ++i) out.EvaluationResults->push_back(to_api(results[i], !input.resources.empty()));
    return out;
  }

  /// The user, group or role of this account with that ARN; null: none.
  static const Principal* source_of(const Account& account, const std::string& arn_text) {
    auto arn = Arn::parse(arn_text);
    if (!arn) return nullptr;
    std::string name = arn->resource.substr(arn->resource.rfind('/') + 1);
    const Principal* found = nullptr;
    if (arn->resource.starts_with("user/")) found = find(account.users, name);
    if (arn->resource.starts_with("group/")) found = find(account.groups, name);
    if (arn->resource.starts_with("role/")) found = find(account.roles, name);
    return found && found->arn == arn_text ? found : nullptr;
  }
  static void add(std::vector<SimulatedPolicy>& to, const Account& account, const Principal& p, std::string_view kind) {
    for (auto& [name, document] : p.inline_policies)
      to.push_back({std::string(kind) + "_" + p.name + "_" + name, "IAM Policy", document->policy()});
    for (auto& arn : p.attached)
      if (auto managed = find_managed(account, arn)) to.push_back({managed->name, "IAM Policy", managed->document()->policy()});
  }
  static Result<std::vector<SimulatedPolicy>> policies_of(const Account& account, const std::string& arn) {
    const Principal* source = source_of(account, arn);
    if (!source) return no_such_entity("The entity " + arn + " cannot be found.");
    std::vector<SimulatedPolicy> out;
    std::string_view kind = arn.find(":user/") != arn.npos ? "user" : arn.find(":group/") != arn.npos ? "group" : "role";
    add(out, account, *source, kind);
    if (kind == "user")
      for (auto& name : static_cast<const User*>(source)->groups)
        if (auto* group = find(account.groups, name)) add(out, account, *group, "group");
    return out;
  }

  access::Directory& directory_;
  Parts& parts_;
};

}  // namespace

void declare_simulation(access::Gate& gate, Parts& p) {
  using namespace iam::op;
  auto s = std::make_shared<Simulation>(gate.directory(), p);
  auto source = [](auto& in, auto& call) -> Resources {
    Resource out;
    out.arn = in.PolicySourceArn;
    out.account = call.caller->account;
    return std::vector{std::move(out)};
  };
  gate.add<SimulateCustomPolicy>(
      {.needs = {{.action = "iam:SimulateCustomPolicy"}}, .handler = [s](auto& r) { return s->custom(r); }});
  gate.add<SimulatePrincipalPolicy>({.needs = {{.action = "iam:SimulatePrincipalPolicy", .resources = source}},
                                     .handler = [s](auto& r) { return s->principal(r); }});
  gate.add<GetContextKeysForCustomPolicy>(
      {.needs = {{.action = "iam:GetContextKeysForCustomPolicy"}}, .handler = [s](auto& r) { return s->custom_keys(r); }});
  gate.add<GetContextKeysForPrincipalPolicy>({.needs = {{.action = "iam:GetContextKeysForPrincipalPolicy", .resources = source}},
                                              .handler = [s](auto& r) { return s->principal_keys(r); }});
}

}  // namespace redoubt::identity
