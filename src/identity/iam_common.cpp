#include "identity/iam_common.h"

#include <algorithm>

namespace redoubt::identity {

namespace {
constexpr std::string_view kMarkerPrefix = "after ";

template <class T>
Resource entity_resource(const Parts& parts, const Call& call, ByName<T> Account::* map, std::string_view kind,
                         std::string_view name) {
  Resource out;
  out.account = call.caller->account;
  AccountPtr account = parts.accounts.find(out.account);
  const T* entity = account ? find((*account).*map, name) : nullptr;
  out.arn = entity ? entity->arn : iam_arn(out.account, std::string(kind) + "/" + std::string(name));
  if (entity) out.tags = entity->tags;
  return out;
}
}  // namespace

AccountPtr account_of(const Parts& parts, const Call& call) {
  AccountPtr account = parts.accounts.find(call.caller->account);
  CHECK(account != nullptr);
  return account;
}

Resource user_resource(const Parts& p, const Call& c, std::string_view name) {
  return entity_resource(p, c, &Account::users, "user", name);
}
Resource group_resource(const Parts& p, const Call& c, std::string_view name) {
  return entity_resource(p, c, &Account::groups, "group", name);
}
Resource role_resource(const Parts& p, const Call& c, std::string_view name) {
  return entity_resource(p, c, &Account::roles, "role", name);
}
Resource profile_resource(const Parts& p, const Call& c, std::string_view name) {
  return entity_resource(p, c, &Account::profiles, "instance-profile", name);
}
Resource policy_resource(const Parts& parts, const Call& call, std::string_view arn) {
  Resource out;
  out.arn = arn;
  out.account = call.caller->account;
  AccountPtr account = parts.accounts.find(out.account);
  if (auto policy = account ? find_managed(*account, arn) : nullptr) out.tags = policy->tags;
  return out;
}
Resource new_resource(const Call& call, std::string_view kind, const std::optional<std::string>& path, std::string_view name) {
  Resource out;
  out.account = call.caller->account;
  out.arn = iam_arn(out.account, std::string(kind) + path.value_or("/") + std::string(name));
  return out;
}
Result<std::string> user_or_self(const Call& call, const std::optional<std::string>& name) {
  if (name) return *name;
  if (call.caller->type != policy::PrincipalType::user)
    return fail(kValidationError, "Must specify userName when calling with non-User credentials");
  return call.caller->user_name;
}

std::unexpected<Error> no_such_entity(std::string text) { return fail(kNoSuchEntity, std::move(text)); }

Result<const User*> the_user(const Account& account, std::string_view name) {
  if (auto* user = find(account.users, name)) return user;
  return no_such_entity("The user with name " + std::string(name) + " cannot be found.");
}
Result<const Group*> the_group(const Account& account, std::string_view name) {
  if (auto* group = find(account.groups, name)) return group;
  return no_such_entity("The group with name " + std::string(name) + " cannot be found.");
}
Result<const Role*> the_role(const Account& account, std::string_view name) {
  if (auto* role = find(account.roles, name)) return role;
  return no_such_entity("The role with name " + std::string(name) + " cannot be found.");
}
Result<const InstanceProfile*> the_profile(const Account& account, std::string_view name) {
  if (auto* profile = find(account.profiles, name)) return profile;
  return no_such_entity("Instance Profile " + std::string(name) + " cannot be found.");
}
Result<std::shared_ptr<const ManagedPolicy>> the_policy(const Account& account, std::string_view arn) {
  if (auto policy = find_managed(account, arn)) return policy;
  return no_such_entity("Policy " + std::string(arn) + " was not found.");
}
Result<const ManagedPolicy*> the_own_policy(const Account& account, std::string_view arn) {
  if (arn.starts_with("arn:aws:iam::aws:"))
    return fail(access::kAccessDenied, "Policies that AWS manages can't be changed: " + std::string(arn));
  auto* policy = find(account.policies, arn.substr(std::min(arn.size(), arn.rfind('/') + 1)));
  if (policy && policy->arn == arn) return policy;
  return no_such_entity("Policy " + std::string(arn) + " was not found.");
}
Result<void> check_boundary(const Account& account, const std::string& arn) {
  if (find_managed(account, arn)) return {};
  return no_such_entity("Scope ARN: " + arn + " does not exist or is not attachable.");
}

Result<Page> page_of(const std::vector<std::string>& keys, const std::optional<std::string>& marker,
                     const std::optional<int64_t>& max_items) {
  Page page;
  if (marker) {
    auto after = unbase64url(*marker);
    if (!after || !after->starts_with(kMarkerPrefix)) return fail(kValidationError, "Invalid Marker.");
    std::string key = after->substr(kMarkerPrefix.size());
    while (page.from < keys.size() && (ILess()(keys[page.from], key) || keys[page.from] == key)) ++page.from;
  }
  page.to = std::min(keys.size(), page.from + size_t(std::max<int64_t>(1, max_items.value_or(100))));
  if (page.to < keys.size()) page.marker = base64url(std::string(kMarkerPrefix) + keys[page.to - 1]);
  return page;
}

Result<Tags> merged_tags(Tags base, const std::vector<iam::Tag>& more, std::string_view quota) {
  Tags fresh;
  for (auto& tag : more) {
    if (to_lower(tag.Key).starts_with("aws:"))
      return fail(kInvalidInput, "One or more tag keys begin with the reserved prefix aws: (" + tag.Key + ").");
    if (!fresh.emplace(tag.Key, tag.Value).second)
      return fail(kInvalidInput, "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  }
  for (auto& [key, value] : fresh) {
    base.erase(key);  // the new spelling of the key wins
    base.emplace(key, value);
  }
  if (base.size() > kTagsMax)
    return fail(kLimitExceeded, "Cannot exceed quota for " + std::string(quota) + ": " + std::to_string(kTagsMax));
  return base;
}
void remove_tags(Tags& tags, const std::vector<std::string>& keys) {
  for (auto& key : keys) tags.erase(key);
}
std::vector<iam::Tag> to_api(const Tags& tags) {
  std::vector<iam::Tag> out;
  for (auto& [k, v] : tags) out.push_back({k, v});
  return out;
}
void fill_tag_keys(Context& context, const std::optional<std::vector<iam::Tag>>& tags) {
  if (!tags || tags->empty()) return;
  std::vector<std::string> keys;
  for (auto& tag : *tags) {
    context.set("aws:RequestTag/" + tag.Key, tag.Value);
    keys.push_back(tag.Key);
  }
  context.set_list("aws:TagKeys", keys);
}
void fill_untag_keys(Context& context, const std::vector<std::string>& keys) { context.set_list("aws:TagKeys", keys); }

std::optional<iam::AttachedPermissionsBoundary> boundary_to_api(const std::string& arn) {
  if (arn.empty()) return std::nullopt;
  return iam::AttachedPermissionsBoundary{"Policy", arn};
}
std::string shown_document(std::string_view document) { return url_encode(document); }

iam::User to_api(const User& user, bool full) {
  iam::User out;
  out.Path = user.path;
  out.UserName = user.name;
  out.UserId = user.id;
  out.Arn = user.arn;
  out.CreateDate = user.created;
  if (full) {
    out.PermissionsBoundary = boundary_to_api(user.boundary);
    if (!user.tags.empty()) out.Tags = to_api(user.tags);
  }
  return out;
}
iam::Group to_api(const Group& group) { return {group.path, group.name, group.id, group.arn, group.created}; }

iam::Role to_api(access::Directory& directory, const Parts& parts, const Role& role, bool full) {
  iam::Role out;
  out.Path = role.path;
  out.RoleName = role.name;
  out.RoleId = role.id;
  out.Arn = role.arn;
  out.CreateDate = role.created;
  out.AssumeRolePolicyDocument = shown_document(principals_to_arns(directory, role.trust->text()));
  if (!role.description.empty()) out.Description = role.description;
  out.MaxSessionDuration = role.max_session_s;
  if (full) {
    out.PermissionsBoundary = boundary_to_api(role.boundary);
    if (!role.tags.empty()) out.Tags = to_api(role.tags);
    out.RoleLastUsed.emplace();
    if (auto use = parts.last_used.find(role.id)) out.RoleLastUsed = iam::RoleLastUsed{use->time, use->region};
  }
  return out;
}

iam::InstanceProfile to_api(access::Directory& directory, const Parts& parts, const Account& account,
                            const InstanceProfile& profile, bool full) {
  iam::InstanceProfile out;
  out.Path = profile.path;
  out.InstanceProfileName = profile.name;
  out.InstanceProfileId = profile.id;
  out.Arn = profile.arn;
  out.CreateDate = profile.created;
  if (auto* role = find(account.roles, profile.role)) out.Roles.push_back(to_api(directory, parts, *role, false));
  if (full && !profile.tags.empty()) out.Tags = to_api(profile.tags);
  return out;
}

}  // namespace redoubt::identity
