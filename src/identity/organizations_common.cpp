#include "identity/organizations_common.h"

namespace redoubt::identity {

Result<OrganizationPtr> the_organization(const Parts& parts, const Call& call, bool management) {
  OrganizationPtr organization = parts.accounts.organization_of(call.caller->account);
  if (!organization) return fail(kOrganizationsNotInUse, "Your account is not a member of an organization.");
  if (management && organization->management != call.caller->account)
    return fail(access::kAccessDeniedException, "You don't have permissions to access this resource.");
  return organization;
}

Result<api::Empty> write_organization(Parts& parts, const Call& call,
                                      const std::function<Result<void>(OrganizationDraft&)>& work) {
  TRY(auto organization, the_organization(parts, call));
  TRY_VOID(parts.accounts.write_organization(organization->id, work));
  return api::Empty{};
}

std::string arn_of(const Organization& o, const std::string& id) {
  if (id == o.root_id) return o.root_arn;
  if (auto it = o.units.find(id); it != o.units.end()) return it->second.arn;
  if (auto it = o.accounts.find(id); it != o.accounts.end()) return it->second.arn;
  if (auto it = o.policies.find(id); it != o.policies.end()) return it->second.arn;
  return {};
}

Resources organization_resource(const Parts& parts, const Call& call, const std::vector<std::string>& ids) {
  std::vector<Resource> out;
  OrganizationPtr organization = parts.accounts.organization_of(call.caller->account);
  for (auto& id : ids) {
    std::string arn = organization ? arn_of(*organization, id) : std::string();
    if (arn.empty()) continue;
    Resource one;
    one.arn = std::move(arn);
    if (Organization copy = *organization; auto* tags = tags_of(copy, id)) one.tags = *tags;
    out.push_back(std::move(one));
  }
  return out;
}

Tags* tags_of(Organization& o, const std::string& id) {
  if (id == o.root_id) return &o.root_tags;
  if (auto it = o.units.find(id); it != o.units.end()) return &it->second.tags;
  if (auto it = o.accounts.find(id); it != o.accounts.end()) return &it->second.tags;
  if (auto it = o.policies.find(id); it != o.policies.end()) return &it->second.tags;
  return nullptr;
}

std::string type_name(OrgPolicyType type) {
  return type == OrgPolicyType::scp ? "SERVICE_CONTROL_POLICY" : "RESOURCE_CONTROL_POLICY";
}
Result<OrgPolicyType> policy_type(const std::string& name) {
  if (name == "SERVICE_CONTROL_POLICY") return OrgPolicyType::scp;
  if (name == "RESOURCE_CONTROL_POLICY") return OrgPolicyType::rcp;
  return fail(kOrgInvalidInput, "The policy type " + name + " is not supported.");
}
bool is_enabled(const Organization& o, OrgPolicyType type) { return type == OrgPolicyType::scp ? o.scp_enabled : o.rcp_enabled; }

void attach_full_access(Organization& o, const std::string& target) {
  if (o.scp_enabled) o.attachments[target].emplace_back(kFullAccessScp);
  if (o.rcp_enabled) o.attachments[target].emplace_back(kFullAccessRcp);
}

orgs::Root root_to_api(const Organization& o) {
  orgs::Root out{o.root_id, o.root_arn, "Root", std::vector<orgs::PolicyTypeSummary>{}};
  for (auto type : {OrgPolicyType::scp, OrgPolicyType::rcp})
    if (is_enabled(o, type)) out.PolicyTypes->push_back({type_name(type), "ENABLED"});
  return out;
}

Result<Tags> merged_tags(Tags base, const std::vector<orgs::Tag>& more) {
  std::vector<iam::Tag> tags;
  for (auto& tag : more) tags.push_back({tag.Key, tag.Value});
  auto merged = merged_tags(std::move(base), tags, "MAX_TAG_LIMIT_EXCEEDED");
  if (!merged) return fail(merged.error().is(kLimitExceeded) ? kConstraintViolation : kOrgInvalidInput, merged.error().message);
  return merged;
}

}  // namespace redoubt::identity
