#include "identity/layers.h"

#include "identity/parts.h"

namespace redoubt::identity {

using access::AccountPolicies;
using access::PrincipalPolicies;
using policy::PrincipalType;

namespace {

constexpr size_t kEntriesMax = 20000;  // beyond, all are forgotten: they are rebuilt in microseconds

/// Views a document, and keeps it (and the name) alive with `to`.
template <class To>
policy::NamedPolicy view(To& to, std::string name, const DocumentPtr& document) {
  auto kept = std::make_shared<std::pair<std::string, policy::PolicyPtr>>(std::move(name), document->policy());
  to.keep.push_back(kept);
  return {kept->first, kept->second.get()};
}
template <class To>
policy::NamedPolicy view_managed(To& to, const Account& account, const std::string& arn) {
  // A policy that is gone while something still names it can't happen; were it so, the layer denies.
  auto managed = find_managed(account, arn);
  static const DocumentPtr unreadable = std::make_shared<const Document>(deny_everything(), policy::Kind::identity);
  return view(to, arn, managed ? managed->document() : unreadable);
}

void add_policies(PrincipalPolicies& to, const Account& account, const Principal& p) {
  for (auto& [name, document] : p.inline_policies) to.identity.push_back(view(to, name, document));
  for (auto& arn : p.attached) to.identity.push_back(view_managed(to, account, arn));
}

/// The levels from the root to the account, each with its policies.
template <class To>
void add_levels(To& to, const Organization& organization, std::string_view account, OrgPolicyType type,
                std::vector<std::vector<policy::NamedPolicy>>& levels, std::vector<std::span<const policy::NamedPolicy>>& spans) {
  for (auto& target : organization.chain(account)) {
    auto& level = levels.emplace_back();
    auto attached = organization.attachments.find(target);
    if (attached == organization.attachments.end()) continue;
    for (auto& id : attached->second) {
      auto it = organization.policies.find(id);
      if (it != organization.policies.end() && it->second.type == type)
        level.push_back(view(to, it->second.arn, it->second.document));
    }
  }
  for (auto& level : levels) spans.emplace_back(level);
}

std::shared_ptr<const PrincipalPolicies> gone() {
  static const auto none = [] {
    auto out = std::make_shared<PrincipalPolicies>();
    out->exists = false;
    return std::shared_ptr<const PrincipalPolicies>(out);
  }();
  return none;
}

std::shared_ptr<const PrincipalPolicies> gather(const access::Caller& caller, const Account& account,
                                                const OrganizationPtr& organization) {
  if (organization) {
    auto member = organization->accounts.find(account.id);
    if (member != organization->accounts.end() && member->second.status != "ACTIVE") return gone();
  }
  auto out = std::make_shared<PrincipalPolicies>();
  out->canonical_id = account.canonical_id;
  const Principal* principal = nullptr;
  if (caller.type == PrincipalType::user || caller.type == PrincipalType::federated_user) {
    for (auto& [name, user] : account.users)
      if (user->id == caller.unique_id) principal = user.get();
    if (!principal) return gone();
    for (auto& name : static_cast<const User*>(principal)->groups)
      if (auto* group = find(account.groups, name)) add_policies(*out, account, *group);
  } else if (caller.type == PrincipalType::assumed_role) {
    principal = find(account.roles, caller.role_name);
    if (!principal || principal->id != caller.unique_id) return gone();
  }
  if (principal) {
    add_policies(*out, account, *principal);
    if (!principal->boundary.empty()) out->boundary = view_managed(*out, account, principal->boundary);
    if (caller.type != PrincipalType::federated_user) out->tags = principal->tags;
  }
  if (organization) {
    out->organization_id = organization->id;
    out->organization_path = organization->path(account.id);
    // Neither the management account nor service-linked roles are bound by SCPs.
    bool service_linked =
        principal && caller.type == PrincipalType::assumed_role && principal->path.starts_with("/aws-service-role/");
    if (organization->scp_enabled && account.id != organization->management && !service_linked)
      add_levels(*out, *organization, account.id, OrgPolicyType::scp, out->scps, out->scp_levels);
  }
  return out;
}

}  // namespace

std::shared_ptr<const PrincipalPolicies> Layers::of(const access::Caller& caller) {
  static const auto nothing = std::make_shared<const PrincipalPolicies>();
  if (caller.type == PrincipalType::anonymous || caller.type == PrincipalType::service || caller.type == PrincipalType::federated)
    return nothing;
  AccountPtr account = accounts_.find(caller.account);
  if (!account) return gone();
  OrganizationPtr organization = accounts_.organization_of(caller.account);
  ById& known = principals_[size_t(caller.type)];
  {
    std::lock_guard lock(mutex_);
    auto it = known.find(std::string_view(caller.unique_id));
    if (it != known.end() && it->second.account == account && it->second.organization == organization) return it->second.policies;
  }
  auto policies = gather(caller, *account, organization);
  std::lock_guard lock(mutex_);
  if (known.size() >= kEntriesMax) known.clear();
  known[caller.unique_id] = {account, organization, policies};
  return policies;
}

std::shared_ptr<const AccountPolicies> Layers::of_resources(std::string_view id) {
  static const auto nothing = std::make_shared<const AccountPolicies>();
  OrganizationPtr organization = accounts_.organization_of(id);
  if (!organization) return nothing;
  std::string key(id);
  {
    std::lock_guard lock(mutex_);
    auto it = owners_.find(key);
    if (it != owners_.end() && it->second.organization == organization) return it->second.policies;
  }
  auto out = std::make_shared<AccountPolicies>();
  out->organization_id = organization->id;
  out->organization_path = organization->path(id);
  if (organization->rcp_enabled && id != organization->management)
    add_levels(*out, *organization, id, OrgPolicyType::rcp, out->rcps, out->rcp_levels);
  std::lock_guard lock(mutex_);
  owners_[key] = {nullptr, organization, out};
  return out;
}

}  // namespace redoubt::identity
