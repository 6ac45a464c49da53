/// The account as a whole: its alias, summary and authorization details. Source: IAM API Reference.
#include "identity/iam_common.h"

namespace redoubt::identity {

namespace {

class AccountInfo {
 public:
  AccountInfo(access::Directory& directory, Parts& parts) : directory_(directory), parts_(parts) {}

  Result<api::Empty> create_alias(const Allowed<iam::CreateAccountAliasRequest>& r) {
    const std::string& alias = r.input.AccountAlias;
    if (account_of(parts_, r.call)->alias != alias && parts_.accounts.alias_taken(alias))
      return fail(kEntityAlreadyExists, "The account alias " + alias + " already exists.");
    return set_alias(r.call, alias);
  }
  Result<api::Empty> delete_alias(const Allowed<iam::DeleteAccountAliasRequest>& r) {
    if (account_of(parts_, r.call)->alias != r.input.AccountAlias)
      return no_such_entity("The account alias " + r.input.AccountAlias + " cannot be found.");
    return set_alias(r.call, "");
  }
  Result<iam::ListAccountAliasesResponse> aliases(const Allowed<iam::ListAccountAliasesRequest>& r) {
    iam::ListAccountAliasesResponse out;
    AccountPtr account = account_of(parts_, r.call);
    if (!account->alias.empty()) out.AccountAliases.push_back(account->alias);
    out.IsTruncated = false;
    return out;
  }

  Result<iam::GetAccountSummaryResponse> summary(const Allowed<api::Empty>& r) {
    AccountPtr a = account_of(parts_, r.call);
    int64_t versions = 0;
    for (auto& [name, p] : a->policies) versions += int64_t(p->versions.size());
    std::map<std::string, int64_t> map{{"Users", int64_t(a->users.size())},
                                       {"UsersQuota", 5000},
                                       {"Groups", int64_t(a->groups.size())},
                                       {"GroupsQuota", 300},
                                       {"Roles", int64_t(a->roles.size())},
                                       {"RolesQuota", 1000},
                                       {"Policies", int64_t(a->policies.size())},
                                       {"PoliciesQuota", 1500},
                                       {"PolicyVersionsInUse", versions},
                                       {"PolicyVersionsInUseQuota", 10000},
                                       {"VersionsPerPolicyQuota", 5},
                                       {"InstanceProfiles", int64_t(a->profiles.size())},
                                       {"InstanceProfilesQuota", 1000},
                                       {"GroupsPerUserQuota", 10},
                                       {"AttachedPoliciesPerUserQuota", 10},
                                       {"AttachedPoliciesPerGroupQuota", 10},
                                       {"AttachedPoliciesPerRoleQuota", 10},
                                       {"UserPolicySizeQuota", int64_t(policy::kUserInlineSizeMax)},
                                       {"GroupPolicySizeQuota", int64_t(policy::kGroupInlineSizeMax)},
                                       {"RolePolicySizeQuota", int64_t(policy::kRoleInlineSizeMax)},
                                       {"PolicySizeQuota", int64_t(policy::kManagedSizeMax)},
                                       {"AssumeRolePolicySizeQuota", int64_t(policy::kTrustSizeMax)},
                                       {"AccessKeysPerUserQuota", 2},
                                       {"AccountAccessKeysPresent", 0},
                                       {"AccountMFAEnabled", 0},
                                       {"AccountPasswordPresent", 0},
                                       {"AccountSigningCertificatesPresent", 0},
                                       {"MFADevices", 0},
                                       {"MFADevicesInUse", 0},
                                       {"Providers", 0},
                                       {"ServerCertificates", 0},
                                       {"ServerCertificatesQuota", 20},
                                       {"SigningCertificatesPerUserQuota", 2},
                                       {"GlobalEndpointTokenVersion", 1}};
    return iam::GetAccountSummaryResponse{std::move(map)};
  }

  Result<iam::GetAccountAuthorizationDetailsResponse> details(const Allowed<iam::GetAccountAuthorizationDetailsRequest>& r) {
    AccountPtr a = account_of(parts_, r.call);
    auto wanted = [&](std::string_view kind) {
      if (!r.input.Filter || r.input.Filter->empty()) return true;
      for (auto& f : *r.input.Filter)
        if (f == kind) return true;
      return false;
    };
    // One list over all kinds, so that a marker can stand anywhere: "group name", "policy name", "role name", "user name".
    std::vector<std::string> keys;
    auto collect = [&](std::string_view filter, std::string_view kind, auto& map) {
      if (!wanted(filter)) return;
      for (auto& [name, e] : map) keys.push_back(std::string(kind) + " " + name);
    };
    collect("Group", "group", a->groups);
    collect("LocalManagedPolicy", "policy", a->policies);
    collect("Role", "role", a->roles);
    collect("User", "user", a->users);
    TRY(Page page, page_of(keys, r.input.Marker, r.input.MaxItems));
    iam::GetAccountAuthorizationDetailsResponse out;
    set_page(out, page);
    out.UserDetailList.emplace();
    out.GroupDetailList.emplace();
    out.RoleDetailList.emplace();
    out.Policies.emplace();
    for (size_t i = page.from; i < page.to; ++i) {
      std::string kind = keys[i].substr(0, keys[i].find(' ')), name = keys[i].substr(kind.size() + 1);
      if (kind == "group") out.GroupDetailList->push_back(group_detail(*a, *a->groups.at(name)));
      if (kind == "policy") out.Policies->push_back(policy_detail(*a->policies.at(name)));
      if (kind == "role") out.RoleDetailList->push_back(role_detail(*a, *a->roles.at(name)));
      if (kind == "user") out.UserDetailList->push_back(user_detail(*a, *a->users.at(name)));
    }
    return out;
  }

 private:
  Result<api::Empty> set_alias(const Call& call, const std::string& alias) {
    TRY_VOID(parts_.accounts.write(call.caller->account, [&](Draft& draft) -> Result<void> {
      draft.set_alias(alias);
      return {};
    }));
    return api::Empty{};
  }

  static std::vector<iam::PolicyDetail> inline_of(const Principal& p) {
    std::vector<iam::PolicyDetail> out;
    for (auto& [name, document] : p.inline_policies) out.push_back({name, shown_document(document->text())});
    return out;
  }
  static std::vector<iam::AttachedPolicy> attached_of(const Account& account, const Principal& p) {
    std::vector<iam::AttachedPolicy> out;
    for (auto& arn : p.attached)
      if (auto managed = find_managed(account, arn)) out.push_back({managed->name, arn});
    return out;
  }
  /// What the three details have alike, by member name.
  template <class Detail>
  static Detail common(const Account& account, const Principal& p) {
    Detail out;
    out.Path = p.path;
    out.Arn = p.arn;
    out.CreateDate = p.created;
    out.AttachedManagedPolicies = attached_of(account, p);
    if constexpr (requires { out.PermissionsBoundary; }) out.PermissionsBoundary = boundary_to_api(p.boundary);
    if constexpr (requires { out.Tags; }) out.Tags = to_api(p.tags);
    return out;
  }
  static iam::UserDetail user_detail(const Account& account, const User& user) {
    auto out = common<iam::UserDetail>(account, user);
    out.UserName = user.name;
    out.UserId = user.id;
    out.GroupList = user.groups;
    if (!user.inline_policies.empty()) out.UserPolicyList = inline_of(user);
    return out;
  }
  static iam::GroupDetail group_detail(const Account& account, const Group& group) {
    auto out = common<iam::GroupDetail>(account, group);
    out.GroupName = group.name;
    out.GroupId = group.id;
    out.GroupPolicyList = inline_of(group);
    return out;
  }
  iam::RoleDetail role_detail(const Account& account, const Role& role) {
    auto out = common<iam::RoleDetail>(account, role);
    out.RoleName = role.name;
    out.RoleId = role.id;
    out.AssumeRolePolicyDocument = shown_document(principals_to_arns(directory_, role.trust->text()));
    out.RolePolicyList = inline_of(role);
    out.InstanceProfileList.emplace();
    for (auto& [name, profile] : account.profiles)
      if (profile->role == role.name) out.InstanceProfileList->push_back(to_api(directory_, parts_, account, *profile, false));
    if (auto use = parts_.last_used.find(role.id)) out.RoleLastUsed = iam::RoleLastUsed{use->time, use->region};
    return out;
  }
  static iam::ManagedPolicyDetail policy_detail(const ManagedPolicy& p) {
    iam::ManagedPolicyDetail out;
    out.PolicyName = p.name;
    out.PolicyId = p.id;
    out.Arn = p.arn;
    out.Path = p.path;
    out.DefaultVersionId = "v" + std::to_string(p.default_version);
    out.IsAttachable = true;
    if (!p.description.empty()) out.Description = p.description;
    out.CreateDate = p.created;
    out.UpdateDate = p.updated;
    out.PolicyVersionList.emplace();
    for (auto& [number, version] : p.versions)
      out.PolicyVersionList->push_back(
          {shown_document(version.document->text()), "v" + std::to_string(number), number == p.default_version, version.created});
    return out;
  }
  access::Directory& directory_;
  Parts& parts_;
};

}  // namespace

void declare_account(access::Gate& gate, Parts& p) {
  using namespace iam::op;
  auto info = std::make_shared<AccountInfo>(gate.directory(), p);
  gate.add<CreateAccountAlias>(
      {.needs = {{.action = "iam:CreateAccountAlias"}}, .handler = [info](auto& r) { return info->create_alias(r); }});
  gate.add<DeleteAccountAlias>(
      {.needs = {{.action = "iam:DeleteAccountAlias"}}, .handler = [info](auto& r) { return info->delete_alias(r); }});
  gate.add<ListAccountAliases>(
      {.needs = {{.action = "iam:ListAccountAliases"}}, .handler = [info](auto& r) { return info->aliases(r); }});
  gate.add<GetAccountSummary>(
      {.needs = {{.action = "iam:GetAccountSummary"}}, .handler = [info](auto& r) { return info->summary(r); }});
  gate.add<GetAccountAuthorizationDetails>(
      {.needs = {{.action = "iam:GetAccountAuthorizationDetails"}}, .handler = [info](auto& r) { return info->details(r); }});
}

}  // namespace redoubt::identity
