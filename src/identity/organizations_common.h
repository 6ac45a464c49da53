#pragma once
/// What the operations of AWS Organizations share. Source: AWS Organizations API Reference. All but DescribeOrganization and
/// LeaveOrganization are for the management account alone; a member gets AccessDeniedException.
#include "api/organizations.h"
#include "identity/iam_common.h"

namespace redoubt::identity {

namespace orgs = api::organizations;

inline constexpr std::string_view kFullAccessScp = "p-FullAWSAccess", kFullAccessRcp = "p-RCPFullAWSAccess";
inline constexpr size_t kAttachedPoliciesMax = 5, kUnitDepthMax = 5;

/// The caller's organization. Errors: kOrganizationsNotInUse; with `management`: kAccessDeniedException unless the caller's
/// account is the management account.
Result<OrganizationPtr> the_organization(const Parts& parts, const Call& call, bool management = true);
/// Changes it, if the caller may.
Result<api::Empty> write_organization(Parts& parts, const Call& call,
                                      const std::function<Result<void>(OrganizationDraft&)>& work);

/// ARN of a root, unit, account or policy; "" for an unknown id.
std::string arn_of(const Organization& organization, const std::string& id);
/// For needs: the ARN of the id, "*" where it is none.
Resources organization_resource(const Parts& parts, const Call& call, const std::vector<std::string>& ids);
/// The tags of whatever has that id; null: nothing has.
Tags* tags_of(Organization& organization, const std::string& id);

std::string type_name(OrgPolicyType type);
/// Error: kOrgInvalidInput for a policy type that there is none of here.
Result<OrgPolicyType> policy_type(const std::string& name);
bool is_enabled(const Organization& organization, OrgPolicyType type);
/// The policy that allows everything, attached to whatever is new while its type is enabled.
void attach_full_access(Organization& organization, const std::string& target);

orgs::Root root_to_api(const Organization& organization);
Result<Tags> merged_tags(Tags base, const std::vector<orgs::Tag>& more);

/// One page of `all`, whose keys are ascending; sets NextToken. MaxResults is 20 unless given.
template <class Item, class In, class Out>
Result<std::vector<Item>> page_items(const std::map<std::string, Item>& all, const In& in, Out& out) {
  std::vector<std::string> keys;
  for (auto& [key, item] : all) keys.push_back(key);
  std::optional<int64_t> max = 20;
  if constexpr (requires { in.MaxResults; })
    if (in.MaxResults) max = in.MaxResults;
  auto page = page_of(keys, in.NextToken, max);
  if (!page) return fail(kOrgInvalidInput, "You provided an invalid NextToken.");
  out.NextToken = page->marker;
  std::vector<Item> items;
  for (size_t i = page->from; i < page->to; ++i) items.push_back(all.at(keys[i]));
  return items;
}

}  // namespace redoubt::identity
