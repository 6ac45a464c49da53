/// Service and resource control policies: made, attached, enabled. While a type is enabled, every root, unit and account has at
/// least one policy of it. Source: AWS Organizations API Reference; User Guide, "Service control policies", "Resource control
/// policies".
#include <algorithm>

#include "base/ids.h"
#include "identity/organizations_common.h"

namespace redoubt::identity {

namespace {

orgs::PolicySummary summary(const OrgPolicy& p) {
  orgs::PolicySummary out;
  out.Id = p.id;
  out.Arn = p.arn;
  out.Name = p.name;
  out.Description = p.description;
  out.Type = type_name(p.type);
  out.AwsManaged = p.aws_managed;
  return out;
}
orgs::Policy to_api(const OrgPolicy& p) { return {summary(p), p.document->text()}; }

Result<DocumentPtr> checked(const std::string& text, OrgPolicyType type) {
  bool scp = type == OrgPolicyType::scp;
  if (policy::counted_size(text) > (scp ? policy::kScpSizeMax : policy::kRcpSizeMax))
    return fail(kConstraintViolation, "You have exceeded the maximum size of a policy: POLICY_CONTENT_LIMIT_EXCEEDED.");
  auto document = new_document(text, scp ? policy::Kind::scp : policy::Kind::rcp);
  if (!document) return fail(kOrgMalformedPolicy, document.error().message);
  return document;
}

class OrganizationPolicies {
 public:
  explicit OrganizationPolicies(Parts& parts) : parts_(parts) {}

  Result<orgs::CreatePolicyResponse> create(const Allowed<orgs::CreatePolicyRequest>& r) {
    const auto& in = r.input;
    OrgPolicy p;
    TRY(p.type, policy_type(in.Type));
    TRY(p.document, checked(in.Content, p.type));
    if (in.Tags) {
      TRY(p.tags, merged_tags({}, *in.Tags));
    }
    p.name = in.Name;
    p.description = in.Description;
    p.id = "p-" + random_text(8, "abcdefghijklmnopqrstuvwxyz0123456789");
    TRY_VOID(write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      TRY_VOID(check_name(o, p));
      p.arn = make_arn("organizations", "", o.management, "policy/" + o.id + "/" + to_lower(type_name(p.type)) + "/" + p.id);
      o.policies.emplace(p.id, p);
      return {};
    }));
    return orgs::CreatePolicyResponse{to_api(p)};
  }

  Result<orgs::UpdatePolicyResponse> update(const Allowed<orgs::UpdatePolicyRequest>& r) {
    orgs::UpdatePolicyResponse out;
    TRY_VOID(write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      TRY(auto* old, the_policy(o, r.input.PolicyId));
      if (old->aws_managed) return fail(access::kAccessDeniedException, "You can't change a policy that AWS manages.");
      OrgPolicy p = *old;
      p.name = r.input.Name.value_or(p.name);
      p.description = r.input.Description.value_or(p.description);
      if (r.input.Content) {
        TRY(p.document, checked(*r.input.Content, p.type));
      }
      TRY_VOID(check_name(o, p));
      out.Policy = to_api(p);
      o.policies[p.id] = std::move(p);
      return {};
    }));
    return out;
  }

  Result<api::Empty> erase(const Allowed<orgs::DeletePolicyRequest>& r) {
    return write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      TRY(auto* p, the_policy(o, r.input.PolicyId));
      if (p->aws_managed) return fail(access::kAccessDeniedException, "You can't delete a policy that AWS manages.");
      for (auto& [target, ids] : o.attachments)
        if (std::count(ids.begin(), ids.end(), p->id))
          return fail(kPolicyInUse,
                      "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts "
                      "before performing this operation.");
      o.policies.erase(r.input.PolicyId);
      return {};
    });
  }

  Result<orgs::DescribePolicyResponse> describe(const Allowed<orgs::DescribePolicyRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    TRY(auto* p, the_policy(*o, r.input.PolicyId));
    return orgs::DescribePolicyResponse{to_api(*p)};
  }
  Result<orgs::ListPoliciesResponse> list(const Allowed<orgs::ListPoliciesRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    TRY(auto type, policy_type(r.input.Filter));
    std::map<std::string, orgs::PolicySummary> of;
    for (auto& [id, p] : o->policies)
      if (p.type == type) of.emplace(id, summary(p));
    orgs::ListPoliciesResponse out;
    TRY(out.Policies, page_items(of, r.input, out));
    return out;
  }
  Result<orgs::ListPoliciesForTargetResponse> list_for_target(const Allowed<orgs::ListPoliciesForTargetRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    TRY(auto type, policy_type(r.input.Filter));
    TRY_VOID(check_target(*o, r.input.TargetId));
    std::map<std::string, orgs::PolicySummary> of;
    if (auto it = o->attachments.find(r.input.TargetId); it != o->attachments.end())
      for (auto& id : it->second)
        if (auto p = o->policies.find(id); p != o->policies.end() && p->second.type == type) of.emplace(id, summary(p->second));
    orgs::ListPoliciesForTargetResponse out;
    TRY(out.Policies, page_items(of, r.input, out));
    return out;
  }
  Result<orgs::ListTargetsForPolicyResponse> targets(const Allowed<orgs::ListTargetsForPolicyRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    TRY(auto* p, the_policy(*o, r.input.PolicyId));
    std::map<std::string, orgs::PolicyTargetSummary> of;
    for (auto& [target, ids] : o->attachments) {
      if (!std::count(ids.begin(), ids.end(), p->id)) continue;
      orgs::PolicyTargetSummary one;
      one.TargetId = target;
      one.Arn = arn_of(*o, target);
      if (auto a = o->accounts.find(target); a != o->accounts.end())
        one.Name = a->second.name, one.Type = "ACCOUNT";
      else if (auto u = o->units.find(target); u != o->units.end())
        one.Name = u->second.name, one.Type = "ORGANIZATIONAL_UNIT";
      else
        one.Name = "Root", one.Type = "ROOT";
      of.emplace(target, std::move(one));
    }
    orgs::ListTargetsForPolicyResponse out;
    TRY(out.Targets, page_items(of, r.input, out));
    return out;
  }

  Result<api::Empty> attach(const Allowed<orgs::AttachPolicyRequest>& r) {
    return write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      TRY(auto* p, the_policy(o, r.input.PolicyId));
      TRY_VOID(check_target(o, r.input.TargetId));
      if (!is_enabled(o, p->type))
        return fail(kPolicyTypeNotEnabled, "This operation can be performed only for enabled policy types.");
      auto& attached = o.attachments[r.input.TargetId];
      if (std::count(attached.begin(), attached.end(), p->id))
        return fail(kDuplicateAttachment, "A policy with the specified name and type already exists.");
      if (count_of(o, r.input.TargetId, p->type) >= kAttachedPoliciesMax)
        return fail(
            kConstraintViolation,
            "You have attached the maximum number of policies to this target: MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED.");
      attached.push_back(p->id);
      return {};
    });
  }
  Result<api::Empty> detach(const Allowed<orgs::DetachPolicyRequest>& r) {
    return write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      TRY(auto* p, the_policy(o, r.input.PolicyId));
      TRY_VOID(check_target(o, r.input.TargetId));
      auto& attached = o.attachments[r.input.TargetId];
      if (!std::count(attached.begin(), attached.end(), p->id))
        return fail(kPolicyNotAttached, "The policy isn't attached to the specified target in the specified root.");
      if (p->id == kFullAccessRcp) return fail(kConstraintViolation, "You can't detach RCPFullAWSAccess.");
      if (count_of(o, r.input.TargetId, p->type) <= 1)
        return fail(kConstraintViolation,
                    "You can't remove the last policy of a type from a target: MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED.");
      std::erase(attached, r.input.PolicyId);
      return {};
    });
  }

  Result<orgs::EnablePolicyTypeResponse> enable(const Allowed<orgs::EnablePolicyTypeRequest>& r) {
    orgs::EnablePolicyTypeResponse out;
    TRY_VOID(switch_type(r, [&](Organization& o, OrgPolicyType type) -> Result<void> {
      if (is_enabled(o, type)) return fail(kPolicyTypeAlreadyEnabled, "The specified policy type is already enabled.");
      (type == OrgPolicyType::scp ? o.scp_enabled : o.rcp_enabled) = true;
      for (auto& target : all_targets(o))
        o.attachments[target].emplace_back(type == OrgPolicyType::scp ? kFullAccessScp : kFullAccessRcp);
      out.Root = root_to_api(o);
      return {};
    }));
    return out;
  }
  Result<orgs::DisablePolicyTypeResponse> disable(const Allowed<orgs::DisablePolicyTypeRequest>& r) {
    orgs::DisablePolicyTypeResponse out;
    TRY_VOID(switch_type(r, [&](Organization& o, OrgPolicyType type) -> Result<void> {
      if (!is_enabled(o, type))
        return fail(kPolicyTypeNotEnabled, "The specified policy type isn't currently enabled for this root.");
      (type == OrgPolicyType::scp ? o.scp_enabled : o.rcp_enabled) = false;
      for (auto& [target, ids] : o.attachments) std::erase_if(ids, [&](auto& id) { return o.policies.at(id).type == type; });
      out.Root = root_to_api(o);
      return {};
    }));
    return out;
  }

 private:
  static Result<const OrgPolicy*> the_policy(const Organization& o, const std::string& id) {
    auto it = o.policies.find(id);
    if (it != o.policies.end()) return &it->second;
    return fail(kOrgPolicyNotFound, "We can't find a policy with the PolicyId that you specified.");
  }
  static Result<void> check_target(const Organization& o, const std::string& id) {
    if (id == o.root_id || o.units.contains(id) || o.accounts.contains(id)) return {};
    return fail(kTargetNotFound, "We can't find a root, OU, account, or policy with the TargetId that you specified.");
  }
  static Result<void> check_name(const Organization& o, const OrgPolicy& p) {
    for (auto& [id, other] : o.policies)
      if (id != p.id && other.type == p.type && other.name == p.name)
        return fail(kDuplicatePolicy, "A policy with the same name already exists.");
    return {};
  }
  static size_t count_of(const Organization& o, const std::string& target, OrgPolicyType type) {
    auto it = o.attachments.find(target);
    if (it == o.attachments.end()) return 0;
    return size_t(std::count_if(it->second.begin(), it->second.end(), [&](auto& id) { return o.policies.at(id).type == type; }));
  }
  static std::vector<std::string> all_targets(const Organization& o) {
    std::vector<std::string> out{o.root_id};
    for (auto& [id, u] : o.units) out.push_back(id);
    for (auto& [id, a] : o.accounts) out.push_back(id);
    return out;
  }
  template <class In>
  Result<void> switch_type(const Allowed<In>& r, const std::function<Result<void>(Organization&, OrgPolicyType)>& work) {
    TRY(auto type, policy_type(r.input.PolicyType));
    TRY_VOID(write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      if (r.input.RootId != draft.organization.root_id)
        return fail(kRootNotFound, "We can't find a root with the RootId that you specified.");
      return work(draft.organization, type);
    }));
    return {};
  }
  Parts& parts_;
};

}  // namespace

void declare_organization_policies(access::Gate& gate, Parts& p) {
  using namespace orgs::op;
  auto o = std::make_shared<OrganizationPolicies>(p);
  auto policy = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.PolicyId}); };
  auto target = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.TargetId}); };
  auto both = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.PolicyId, in.TargetId}); };
  auto root = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.RootId}); };
  auto type_of_policy = [&p](auto& in, auto& call, Context& c) {
    auto organization = p.accounts.organization_of(call.caller->account);
    if (!organization) return;
    if (auto it = organization->policies.find(in.PolicyId); it != organization->policies.end())
      c.set("organizations:PolicyType", type_name(it->second.type));
  };
  auto type_named = [](auto& in, auto&, Context& c) { c.set("organizations:PolicyType", in.PolicyType); };
  auto type_filtered = [](auto& in, auto&, Context& c) { c.set("organizations:PolicyType", in.Filter); };
  gate.add<CreatePolicy>({.needs = {{.action = "organizations:CreatePolicy",
                                     .context = [](auto& in, auto&, Context& c) { c.set("organizations:PolicyType", in.Type); }}},
                          .handler = [o](auto& r) { return o->create(r); }});
  gate.add<UpdatePolicy>({.needs = {{.action = "organizations:UpdatePolicy", .resources = policy, .context = type_of_policy}},
                          .handler = [o](auto& r) { return o->update(r); }});
  gate.add<DeletePolicy>({.needs = {{.action = "organizations:DeletePolicy", .resources = policy, .context = type_of_policy}},
                          .handler = [o](auto& r) { return o->erase(r); }});
  gate.add<DescribePolicy>({.needs = {{.action = "organizations:DescribePolicy", .resources = policy, .context = type_of_policy}},
                            .handler = [o](auto& r) { return o->describe(r); }});
  gate.add<ListPolicies>({.needs = {{.action = "organizations:ListPolicies", .context = type_filtered}},
                          .handler = [o](auto& r) { return o->list(r); }});
  gate.add<ListPoliciesForTarget>(
      {.needs = {{.action = "organizations:ListPoliciesForTarget", .resources = target, .context = type_filtered}},
       .handler = [o](auto& r) { return o->list_for_target(r); }});
  gate.add<ListTargetsForPolicy>(
      {.needs = {{.action = "organizations:ListTargetsForPolicy", .resources = policy, .context = type_of_policy}},
       .handler = [o](auto& r) { return o->targets(r); }});
  gate.add<AttachPolicy>({.needs = {{.action = "organizations:AttachPolicy", .resources = both, .context = type_of_policy}},
                          .handler = [o](auto& r) { return o->attach(r); }});
  gate.add<DetachPolicy>({.needs = {{.action = "organizations:DetachPolicy", .resources = both, .context = type_of_policy}},
                          .handler = [o](auto& r) { return o->detach(r); }});
  gate.add<EnablePolicyType>({.needs = {{.action = "organizations:EnablePolicyType", .resources = root, .context = type_named}},
                              .handler = [o](auto& r) { return o->enable(r); }});
  gate.add<DisablePolicyType>({.needs = {{.action = "organizations:DisablePolicyType", .resources = root, .context = type_named}},
                               .handler = [o](auto& r) { return o->disable(r); }});
}

}  // namespace redoubt::identity
