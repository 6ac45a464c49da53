#include "api/iam.h"

#include "base/arn.h"
#include "base/text.h"
#include "stacks/providers/values.h"

namespace redoubt::stacks {

using namespace api::iam;

namespace {

Made made_with_arn(const std::string& name, const std::string& arn) {
  Made m{name};
  m.attributes.set("Arn", arn);
  return m;
}

/// Inline policies of a property `Policies`, by name.
std::map<std::string, std::string> inline_policies(const Json& p) {
  std::map<std::string, std::string> out;
  for (auto& x : p["Policies"].items()) out[text(x, "PolicyName").value_or("")] = x["PolicyDocument"].dump();
  return out;
}

/// What `Policies` holds: names and documents, and nothing else.
Result<void> check_policies(const Json& p) {
  for (auto& x : p["Policies"].items()) {
    TRY_VOID(only_members(x, {"PolicyName", "PolicyDocument"}));
    TRY_VOID(required_members(x, "Policies", {"PolicyName", "PolicyDocument"}));
    if (!text(x, "PolicyName")) return invalid("Value of property PolicyName must be of type String");
    if (!x["PolicyDocument"].is_object()) return invalid("Value of property PolicyDocument must be an object");
  }
  return {};
}

/// Puts and deletes what differs between two maps of inline policies.
Result<void> apply_inline(const std::map<std::string, std::string>& before, const std::map<std::string, std::string>& after,
                          const std::function<Result<void>(const std::string&, const std::string&)>& put,
                          const std::function<Result<void>(const std::string&)>& remove) {
  for (auto& [name, body] : after)
    if (auto it = before.find(name); it == before.end() || it->second != body) TRY_VOID(put(name, body));
  for (auto& [name, body] : before)
    if (!after.contains(name)) TRY_VOID(unless_gone(remove(name)));
  return {};
}

Result<void> apply_list(const std::vector<std::string>& before, const std::vector<std::string>& after,
                        const std::function<Result<void>(const std::string&)>& add,
                        const std::function<Result<void>(const std::string&)>& remove) {
  for (auto& x : added(before, after)) TRY_VOID(add(x));
  for (auto& x : added(after, before)) TRY_VOID(unless_gone(remove(x)));
  return {};
}

/// find_made by a Get call that gives CreateDate: `get` returns it, or the error.
template <class Get>
std::function<Result<std::string>(const ProviderContext&, const Json&)> made_since(std::string_view name_property, Get get) {
  return [name_property, get](const ProviderContext& c, const Json& p) -> Result<std::string> {
    auto name = text(p, name_property).value_or(c.generated_name);
    Result<Timestamp> created = get(c, name);
    if (!created) return is_gone(created.error()) ? Result<std::string>("") : fail(std::move(created.error()));
    return created->seconds() >= c.started.seconds() ? name : std::string();
  };
}

/// Inline policies, attached policies and boundary of a role, as far as they differ.
Result<void> apply_role(const ProviderContext& c, const std::string& name, const Json& before, const Json& after) {
  TRY_VOID(apply_inline(
      inline_policies(before), inline_policies(after),
      [&](auto& policy, auto& body) {
        return dropped(call<op::PutRolePolicy>(c, {.RoleName = name, .PolicyName = policy, .PolicyDocument = body}));
      },
      [&](auto& policy) { return dropped(call<op::DeleteRolePolicy>(c, {.RoleName = name, .PolicyName = policy})); }));
  return apply_list(
      strings(before, "ManagedPolicyArns"), strings(after, "ManagedPolicyArns"),
      [&](auto& arn) { return dropped(call<op::AttachRolePolicy>(c, {.RoleName = name, .PolicyArn = arn})); },
      [&](auto& arn) { return dropped(call<op::DetachRolePolicy>(c, {.RoleName = name, .PolicyArn = arn})); });
}

Result<void> remove_role(const ProviderContext& c, const std::string& name, const Json& p) {
  // What else was put on the role by hand makes the deletion fail with IAM's DeleteConflict.
  if (auto gone = apply_role(c, name, p, Json::object()); !gone && !is_gone(gone.error())) return gone;
  return unless_gone(dropped(call<op::DeleteRole>(c, {.RoleName = name})));
}

Result<Made> create_role(const ProviderContext& c, const Json& p) {
  TRY_VOID(check_policies(p));
  CreateRoleRequest in{.RoleName = text(p, "RoleName").value_or(c.generated_name),
                       .AssumeRolePolicyDocument = p["AssumeRolePolicyDocument"].dump()};
  in.Path = text(p, "Path");
  in.Description = text(p, "Description");
  in.MaxSessionDuration = integer(p, "MaxSessionDuration");
  in.PermissionsBoundary = text(p, "PermissionsBoundary");
  if (auto tags = tags_of(c, p); !tags.empty()) in.Tags = tag_list<Tag>(tags);
  TRY(auto out, call<op::CreateRole>(c, in));
  if (auto applied = apply_role(c, in.RoleName, Json::object(), p); !applied)
    return half_made(std::move(applied.error()), in.RoleName);
  auto m = made_with_arn(in.RoleName, out.Role.Arn);
  m.attributes.set("RoleId", out.Role.RoleId);
  return m;
}

Result<Made> update_role(const ProviderContext& c, const std::string& name, const Json& before, const Json& after) {
  TRY_VOID(check_policies(after));
  if (before["AssumeRolePolicyDocument"] != after["AssumeRolePolicyDocument"])
    TRY_VOID(call<op::UpdateAssumeRolePolicy>(c, {.RoleName = name, .PolicyDocument = after["AssumeRolePolicyDocument"].dump()}));
  if (text(before, "Description") != text(after, "Description") ||
      integer(before, "MaxSessionDuration") != integer(after, "MaxSessionDuration")) {
    UpdateRoleRequest in{.RoleName = name};
    in.Description = text(after, "Description").value_or("");
    in.MaxSessionDuration = integer(after, "MaxSessionDuration").value_or(3600);
    TRY_VOID(call<op::UpdateRole>(c, in));
  }
  if (text(before, "PermissionsBoundary") != text(after, "PermissionsBoundary")) {
    if (auto boundary = text(after, "PermissionsBoundary"))
      TRY_VOID(call<op::PutRolePermissionsBoundary>(c, {.RoleName = name, .PermissionsBoundary = *boundary}));
    else
      TRY_VOID(call<op::DeleteRolePermissionsBoundary>(c, {.RoleName = name}));
  }
  TRY_VOID(apply_role(c, name, before, after));
  auto tags = tag_change(c, before, after);
  if (!tags.gone.empty()) TRY_VOID(call<op::UntagRole>(c, {.RoleName = name, .TagKeys = tags.gone}));
  if (!tags.set.empty()) TRY_VOID(call<op::TagRole>(c, {.RoleName = name, .Tags = tag_list<Tag>(tags.set)}));
  TRY(auto out, call<op::GetRole>(c, {.RoleName = name}));
  auto m = made_with_arn(name, out.Role.Arn);
  m.attributes.set("RoleId", out.Role.RoleId);
  return m;
}

/// AWS::IAM::Policy: one inline policy on several principals.
Result<void> apply_policy(const ProviderContext& c, const std::string& name, const Json& before, const Json& after) {
  bool body_changed = before["PolicyDocument"] != after["PolicyDocument"];
  auto body = after["PolicyDocument"].dump();
  auto each = [&](std::string_view property, auto put, auto remove) -> Result<void> {
    auto old = strings(before, property), now = strings(after, property);
    for (auto& x : body_changed ? now : added(old, now)) TRY_VOID(put(x));
    for (auto& x : added(now, old)) TRY_VOID(unless_gone(remove(x)));
    return {};
  };
  TRY_VOID(each(
      "Roles",
      [&](auto& x) { return dropped(call<op::PutRolePolicy>(c, {.RoleName = x, .PolicyName = name, .PolicyDocument = body})); },
      [&](auto& x) { return dropped(call<op::DeleteRolePolicy>(c, {.RoleName = x, .PolicyName = name})); }));
  TRY_VOID(each(
      "Users",
      [&](auto& x) { return dropped(call<op::PutUserPolicy>(c, {.UserName = x, .PolicyName = name, .PolicyDocument = body})); },
      [&](auto& x) { return dropped(call<op::DeleteUserPolicy>(c, {.UserName = x, .PolicyName = name})); }));
  return each(
      "Groups",
      [&](auto& x) { return dropped(call<op::PutGroupPolicy>(c, {.GroupName = x, .PolicyName = name, .PolicyDocument = body})); },
      [&](auto& x) { return dropped(call<op::DeleteGroupPolicy>(c, {.GroupName = x, .PolicyName = name})); });
}

/// Whether one of the principals has the policy with this very text.
Result<std::string> find_policy(const ProviderContext& c, const Json& p) {
  auto name = text(p, "PolicyName").value_or("");
  auto same = [&](auto got) -> Result<bool> {
    if (!got) return is_gone(got.error()) ? Result<bool>(false) : fail(std::move(got.error()));
    auto body = Json::parse(url_decode(got->PolicyDocument).value_or(""));
    return body && *body == p["PolicyDocument"];
  };
  for (auto& x : strings(p, "Roles")) {
    TRY(bool found, same(call<op::GetRolePolicy>(c, {.RoleName = x, .PolicyName = name})));
    if (found) return name;
  }
  for (auto& x : strings(p, "Users")) {
    TRY(bool found, same(call<op::GetUserPolicy>(c, {.UserName = x, .PolicyName = name})));
    if (found) return name;
  }
  for (auto& x : strings(p, "Groups")) {
    TRY(bool found, same(call<op::GetGroupPolicy>(c, {.GroupName = x, .PolicyName = name})));
    if (found) return name;
  }
  return std::string();
}

Provider policy_provider() {
  return {
      .type = "AWS::IAM::Policy",
      .properties = {{"PolicyName", Shape::text, OnChange::replace, true},
                     {"PolicyDocument", Shape::document, OnChange::in_place, true},
                     {"Roles", Shape::texts},
                     {"Users", Shape::texts},
                     {"Groups", Shape::texts}},
      .attributes = {"Id"},
      .name_property = "PolicyName",
      .name_max = 128,
      .iam = true,
      .create = [](const ProviderContext& c, const Json& p) -> Result<Made> {
        auto name = text(p, "PolicyName").value_or("");
        if (strings(p, "Roles").empty() && strings(p, "Users").empty() && strings(p, "Groups").empty())
          return invalid("At least one of [Groups,Roles,Users] must be non-empty.");
        if (auto applied = apply_policy(c, name, Json::object(), p); !applied) return half_made(std::move(applied.error()), name);
        Made m{name};
        m.attributes.set("Id", name);
        return m;
      },
      .update = [](const ProviderContext& c, const std::string& id, const Json& before, const Json& after) -> Result<Made> {
        TRY_VOID(apply_policy(c, id, before, after));
        Made m{id};
        m.attributes.set("Id", id);
        return m;
      },
      .remove = [](const ProviderContext& c, const std::string& id,
                   const Json& p) { return apply_policy(c, id, p, Json::object().set("PolicyDocument", p["PolicyDocument"])); },
      .find_made = find_policy};
}

Result<void> apply_managed(const ProviderContext& c, const std::string& arn, const Json& before, const Json& after) {
  TRY_VOID(apply_list(
      strings(before, "Roles"), strings(after, "Roles"),
      [&](auto& x) { return dropped(call<op::AttachRolePolicy>(c, {.RoleName = x, .PolicyArn = arn})); },
      [&](auto& x) { return dropped(call<op::DetachRolePolicy>(c, {.RoleName = x, .PolicyArn = arn})); }));
  TRY_VOID(apply_list(
      strings(before, "Users"), strings(after, "Users"),
      [&](auto& x) { return dropped(call<op::AttachUserPolicy>(c, {.UserName = x, .PolicyArn = arn})); },
      [&](auto& x) { return dropped(call<op::DetachUserPolicy>(c, {.UserName = x, .PolicyArn = arn})); }));
  return apply_list(
      strings(before, "Groups"), strings(after, "Groups"),
      [&](auto& x) { return dropped(call<op::AttachGroupPolicy>(c, {.GroupName = x, .PolicyArn = arn})); },
      [&](auto& x) { return dropped(call<op::DetachGroupPolicy>(c, {.GroupName = x, .PolicyArn = arn})); });
}

/// Deletes versions of a managed policy that aren't its default, the oldest first, until at most `keep` are left.
Result<void> drop_old_versions(const ProviderContext& c, const std::string& arn, size_t keep) {
  TRY(auto listed, call<op::ListPolicyVersions>(c, {.PolicyArn = arn}));
  auto versions = or_empty(listed.Versions);
  std::sort(versions.begin(), versions.end(), [](auto& a, auto& b) { return a.CreateDate < b.CreateDate; });
  size_t left = versions.size();
  for (auto& v : versions) {
    if (left <= keep) break;
    if (v.IsDefaultVersion.value_or(false)) continue;
    TRY_VOID(call<op::DeletePolicyVersion>(c, {.PolicyArn = arn, .VersionId = v.VersionId.value_or("")}));
    --left;
  }
  return {};
}

Result<void> remove_managed(const ProviderContext& c, const std::string& arn, const Json& p) {
  if (auto gone = apply_managed(c, arn, p, Json::object()); !gone && !is_gone(gone.error())) return gone;
  TRY_VOID(unless_gone(drop_old_versions(c, arn, 0)));
  return unless_gone(dropped(call<op::DeletePolicy>(c, {.PolicyArn = arn})));
}

Made managed_made(const std::string& arn) {
  Made m{arn};
  m.attributes.set("PolicyArn", arn);
  return m;
}

std::string managed_arn(const ProviderContext& c, const Json& p) {
  return iam_arn(c.account, "policy" + text(p, "Path").value_or("/") + text(p, "ManagedPolicyName").value_or(c.generated_name));
}

Provider managed_policy_provider() {
  return {.type = "AWS::IAM::ManagedPolicy",
          .properties = {{"ManagedPolicyName", Shape::text, OnChange::replace},
                         {"PolicyDocument", Shape::document, OnChange::in_place, true},
                         {"Description", Shape::text, OnChange::replace},
                         {"Path", Shape::text, OnChange::replace},
                         {"Roles", Shape::texts},
                         {"Users", Shape::texts},
                         {"Groups", Shape::texts}},
          .attributes = {"PolicyArn"},
          .name_property = "ManagedPolicyName",
          .name_max = 128,
          .iam = true,
          .create = [](const ProviderContext& c, const Json& p) -> Result<Made> {
            CreatePolicyRequest in{.PolicyName = text(p, "ManagedPolicyName").value_or(c.generated_name),
                                   .PolicyDocument = p["PolicyDocument"].dump()};
            in.Path = text(p, "Path");
            in.Description = text(p, "Description");
            if (!c.stack_tags.empty()) in.Tags = tag_list<Tag>(c.stack_tags);
            TRY(auto out, call<op::CreatePolicy>(c, in));
            auto arn = out.Policy ? out.Policy->Arn.value_or("") : "";
            if (auto applied = apply_managed(c, arn, Json::object(), p); !applied)
              return half_made(std::move(applied.error()), arn);
            return managed_made(arn);
          },
          .update = [](const ProviderContext& c, const std::string& arn, const Json& before, const Json& after) -> Result<Made> {
            if (before["PolicyDocument"] != after["PolicyDocument"]) {
              CreatePolicyVersionRequest in{.PolicyArn = arn, .PolicyDocument = after["PolicyDocument"].dump()};
              in.SetAsDefault = true;
              TRY_VOID(drop_old_versions(c, arn, 4));  // IAM keeps five
              TRY_VOID(call<op::CreatePolicyVersion>(c, in));
            }
            TRY_VOID(apply_managed(c, arn, before, after));
            return managed_made(arn);
          },
          .remove = remove_managed,
          .find_made = [](const ProviderContext& c, const Json& p) -> Result<std::string> {
            auto arn = managed_arn(c, p);
            auto out = call<op::GetPolicy>(c, {.PolicyArn = arn});
            if (!out) return is_gone(out.error()) ? Result<std::string>("") : fail(std::move(out.error()));
            return out->Policy && out->Policy->CreateDate && out->Policy->CreateDate->seconds() >= c.started.seconds()
                       ? arn
                       : std::string();
          }};
}

Result<void> apply_user(const ProviderContext& c, const std::string& name, const Json& before, const Json& after) {
  TRY_VOID(apply_inline(
      inline_policies(before), inline_policies(after),
      [&](auto& policy, auto& body) {
        return dropped(call<op::PutUserPolicy>(c, {.UserName = name, .PolicyName = policy, .PolicyDocument = body}));
      },
      [&](auto& policy) { return dropped(call<op::DeleteUserPolicy>(c, {.UserName = name, .PolicyName = policy})); }));
  TRY_VOID(apply_list(
      strings(before, "ManagedPolicyArns"), strings(after, "ManagedPolicyArns"),
      [&](auto& arn) { return dropped(call<op::AttachUserPolicy>(c, {.UserName = name, .PolicyArn = arn})); },
      [&](auto& arn) { return dropped(call<op::DetachUserPolicy>(c, {.UserName = name, .PolicyArn = arn})); }));
  return apply_list(
      strings(before, "Groups"), strings(after, "Groups"),
      [&](auto& g) { return dropped(call<op::AddUserToGroup>(c, {.GroupName = g, .UserName = name})); },
      [&](auto& g) { return dropped(call<op::RemoveUserFromGroup>(c, {.GroupName = g, .UserName = name})); });
}

Result<void> remove_user(const ProviderContext& c, const std::string& name, const Json& p) {
  if (auto gone = apply_user(c, name, p, Json::object()); !gone && !is_gone(gone.error())) return gone;
  return unless_gone(dropped(call<op::DeleteUser>(c, {.UserName = name})));
}

Provider user_provider() {
  return {.type = "AWS::IAM::User",
          .properties = {{"UserName", Shape::text, OnChange::replace},
                         {"Path", Shape::text, OnChange::replace},
                         {"Groups", Shape::texts},
                         {"Policies", Shape::objects},
                         {"ManagedPolicyArns", Shape::texts},
                         {"PermissionsBoundary"},
                         {"Tags", Shape::tags}},
          .attributes = {"Arn"},
          .name_property = "UserName",
          .iam = true,
          .create = [](const ProviderContext& c, const Json& p) -> Result<Made> {
            TRY_VOID(check_policies(p));
            CreateUserRequest in{.UserName = text(p, "UserName").value_or(c.generated_name)};
            in.Path = text(p, "Path");
            in.PermissionsBoundary = text(p, "PermissionsBoundary");
            if (auto tags = tags_of(c, p); !tags.empty()) in.Tags = tag_list<Tag>(tags);
            TRY(auto out, call<op::CreateUser>(c, in));
            if (auto applied = apply_user(c, in.UserName, Json::object(), p); !applied)
              return half_made(std::move(applied.error()), in.UserName);
            return made_with_arn(in.UserName, out.User ? out.User->Arn : "");
          },
          .update = [](const ProviderContext& c, const std::string& name, const Json& before, const Json& after) -> Result<Made> {
            TRY_VOID(check_policies(after));
            if (text(before, "PermissionsBoundary") != text(after, "PermissionsBoundary")) {
              if (auto boundary = text(after, "PermissionsBoundary"))
                TRY_VOID(call<op::PutUserPermissionsBoundary>(c, {.UserName = name, .PermissionsBoundary = *boundary}));
              else
                TRY_VOID(call<op::DeleteUserPermissionsBoundary>(c, {.UserName = name}));
            }
            TRY_VOID(apply_user(c, name, before, after));
            auto tags = tag_change(c, before, after);
            if (!tags.gone.empty()) TRY_VOID(call<op::UntagUser>(c, {.UserName = name, .TagKeys = tags.gone}));
            if (!tags.set.empty()) TRY_VOID(call<op::TagUser>(c, {.UserName = name, .Tags = tag_list<Tag>(tags.set)}));
            GetUserRequest get;
            get.UserName = name;
            TRY(auto out, call<op::GetUser>(c, get));
            return made_with_arn(name, out.User.Arn);
          },
          .remove = remove_user,
          .find_made = made_since("UserName", [](const ProviderContext& c, const std::string& name) -> Result<Timestamp> {
            GetUserRequest in;
            in.UserName = name;
            TRY(auto out, call<op::GetUser>(c, in));
            return out.User.CreateDate;
          })};
}

Result<void> apply_group(const ProviderContext& c, const std::string& name, const Json& before, const Json& after) {
  TRY_VOID(apply_inline(
      inline_policies(before), inline_policies(after),
      [&](auto& policy, auto& body) {
        return dropped(call<op::PutGroupPolicy>(c, {.GroupName = name, .PolicyName = policy, .PolicyDocument = body}));
      },
      [&](auto& policy) { return dropped(call<op::DeleteGroupPolicy>(c, {.GroupName = name, .PolicyName = policy})); }));
  return apply_list(
      strings(before, "ManagedPolicyArns"), strings(after, "ManagedPolicyArns"),
      [&](auto& arn) { return dropped(call<op::AttachGroupPolicy>(c, {.GroupName = name, .PolicyArn = arn})); },
      [&](auto& arn) { return dropped(call<op::DetachGroupPolicy>(c, {.GroupName = name, .PolicyArn = arn})); });
}

Result<void> remove_group(const ProviderContext& c, const std::string& name, const Json& p) {
  if (auto gone = apply_group(c, name, p, Json::object()); !gone && !is_gone(gone.error())) return gone;
  return unless_gone(dropped(call<op::DeleteGroup>(c, {.GroupName = name})));
}

Provider group_provider() {
  return {.type = "AWS::IAM::Group",
          .properties = {{"GroupName", Shape::text, OnChange::replace},
                         {"Path", Shape::text, OnChange::replace},
                         {"Policies", Shape::objects},
                         {"ManagedPolicyArns", Shape::texts}},
          .attributes = {"Arn"},
          .name_property = "GroupName",
          .name_max = 128,
          .iam = true,
          .create = [](const ProviderContext& c, const Json& p) -> Result<Made> {
            TRY_VOID(check_policies(p));
            CreateGroupRequest in{.Path = text(p, "Path"), .GroupName = text(p, "GroupName").value_or(c.generated_name)};
            TRY(auto out, call<op::CreateGroup>(c, in));
            if (auto applied = apply_group(c, in.GroupName, Json::object(), p); !applied)
              return half_made(std::move(applied.error()), in.GroupName);
            return made_with_arn(in.GroupName, out.Group.Arn);
          },
          .update = [](const ProviderContext& c, const std::string& name, const Json& before, const Json& after) -> Result<Made> {
            TRY_VOID(check_policies(after));
            TRY_VOID(apply_group(c, name, before, after));
            TRY(auto out, call<op::GetGroup>(c, {.GroupName = name}));
            return made_with_arn(name, out.Group.Arn);
          },
          .remove = remove_group,
          .find_made = made_since("GroupName", [](const ProviderContext& c, const std::string& name) -> Result<Timestamp> {
            TRY(auto out, call<op::GetGroup>(c, {.GroupName = name}));
            return out.Group.CreateDate;
          })};
}

Result<void> apply_profile(const ProviderContext& c, const std::string& name, const Json& before, const Json& after) {
  // A profile holds one role at most: take away before giving.
  auto old = strings(before, "Roles"), now = strings(after, "Roles");
  for (auto& x : added(now, old))
    TRY_VOID(unless_gone(dropped(call<op::RemoveRoleFromInstanceProfile>(c, {.InstanceProfileName = name, .RoleName = x}))));
  for (auto& x : added(old, now)) {
    auto done = call<op::AddRoleToInstanceProfile>(c, {.InstanceProfileName = name, .RoleName = x});
    if (done) continue;
    // There already, when the way back finds a step that was never taken.
    auto has = call<op::GetInstanceProfile>(c, {.InstanceProfileName = name});
    if (!has || has->InstanceProfile.Roles.size() != 1 || has->InstanceProfile.Roles[0].RoleName != x)
      return fail(std::move(done.error()));
  }
  return {};
}

Result<void> remove_profile(const ProviderContext& c, const std::string& name, const Json& p) {
  if (auto gone = apply_profile(c, name, p, Json::object()); !gone && !is_gone(gone.error())) return gone;
  return unless_gone(dropped(call<op::DeleteInstanceProfile>(c, {.InstanceProfileName = name})));
}

Provider instance_profile_provider() {
  return {
      .type = "AWS::IAM::InstanceProfile",
      .properties = {{"InstanceProfileName", Shape::text, OnChange::replace},
                     {"Path", Shape::text, OnChange::replace},
                     {"Roles", Shape::texts, OnChange::in_place, true}},
      .attributes = {"Arn"},
      .name_property = "InstanceProfileName",
      .name_max = 128,
      .iam = true,
      .create = [](const ProviderContext& c, const Json& p) -> Result<Made> {
        CreateInstanceProfileRequest in{.InstanceProfileName = text(p, "InstanceProfileName").value_or(c.generated_name)};
        in.Path = text(p, "Path");
        TRY(auto out, call<op::CreateInstanceProfile>(c, in));
        if (auto applied = apply_profile(c, in.InstanceProfileName, Json::object(), p); !applied)
          return half_made(std::move(applied.error()), in.InstanceProfileName);
        return made_with_arn(in.InstanceProfileName, out.InstanceProfile.Arn);
      },
      .update = [](const ProviderContext& c, const std::string& name, const Json& before, const Json& after) -> Result<Made> {
        TRY_VOID(apply_profile(c, name, before, after));
        TRY(auto out, call<op::GetInstanceProfile>(c, {.InstanceProfileName = name}));
        return made_with_arn(name, out.InstanceProfile.Arn);
      },
      .remove = remove_profile,
      .find_made = made_since("InstanceProfileName", [](const ProviderContext& c, const std::string& name) -> Result<Timestamp> {
        TRY(auto out, call<op::GetInstanceProfile>(c, {.InstanceProfileName = name}));
        return out.InstanceProfile.CreateDate;
      })};
}

Provider access_key_provider() {
  auto set_status = [](const ProviderContext& c, const std::string& id, const Json& p) -> Result<void> {
    UpdateAccessKeyRequest in{.AccessKeyId = id, .Status = text(p, "Status").value_or("Active")};
    in.UserName = text(p, "UserName");
    return dropped(call<op::UpdateAccessKey>(c, in));
  };
  return {
      .type = "AWS::IAM::AccessKey",
      .properties = {{"UserName", Shape::text, OnChange::replace, true},
                     {"Status"},
                     {"Serial", Shape::integer, OnChange::replace}},
      .attributes = {"SecretAccessKey"},
      .iam = true,
      .create = [set_status](const ProviderContext& c, const Json& p) -> Result<Made> {
        CreateAccessKeyRequest in;
        in.UserName = text(p, "UserName");
        TRY(auto out, call<op::CreateAccessKey>(c, in));
        Made m{out.AccessKey.AccessKeyId};
        m.attributes.set("SecretAccessKey", out.AccessKey.SecretAccessKey);
        if (p.has("Status"))
          if (auto set = set_status(c, m.physical_id, p); !set) return half_made(std::move(set.error()), m.physical_id);
        return m;
      },
      .update = [set_status](const ProviderContext& c, const std::string& id, const Json&, const Json& after) -> Result<Made> {
        TRY_VOID(set_status(c, id, after));
        return Made{id, Json()};  // null attributes: keep the secret that was given at creation
      },
      .remove =
          [](const ProviderContext& c, const std::string& id, const Json& p) {
            DeleteAccessKeyRequest in{.AccessKeyId = id};
            in.UserName = text(p, "UserName");
            return unless_gone(dropped(call<op::DeleteAccessKey>(c, in)));
          },
      // Its secret is lost with the crash, and a key carries no mark of who made it: one that might be somebody else's is left,
      // and said so.
      .find_made = [](const ProviderContext& c, const Json& p) -> Result<std::string> {
        ListAccessKeysRequest in;
        in.UserName = text(p, "UserName");
        auto keys = call<op::ListAccessKeys>(c, in);
        if (!keys) return is_gone(keys.error()) ? Result<std::string>("") : fail(std::move(keys.error()));
        for (auto& k : keys->AccessKeyMetadata)
          if (k.CreateDate && k.CreateDate->seconds() >= c.started.seconds())
            return invalid("The access key " + k.AccessKeyId.value_or("") + " of user " + in.UserName.value_or("") +
                           " may be this stack's, made as the server stopped. Nobody knows its secret; delete it by hand.");
        return std::string();
      }};
}

}  // namespace

std::vector<Provider> iam_providers() {
  std::vector<Provider> out;
  out.push_back({.type = "AWS::IAM::Role",
                 .properties = {{"RoleName", Shape::text, OnChange::replace},
                                {"AssumeRolePolicyDocument", Shape::document, OnChange::in_place, true},
                                {"Description"},
                                {"Path", Shape::text, OnChange::replace},
                                {"Policies", Shape::objects},
                                {"ManagedPolicyArns", Shape::texts},
                                {"MaxSessionDuration", Shape::integer},
                                {"PermissionsBoundary"},
                                {"Tags", Shape::tags}},
                 .attributes = {"Arn", "RoleId"},
                 .name_property = "RoleName",
                 .iam = true,
                 .create = create_role,
                 .update = update_role,
                 .remove = remove_role,
                 .find_made = made_since("RoleName", [](const ProviderContext& c, const std::string& name) -> Result<Timestamp> {
                   TRY(auto out, call<op::GetRole>(c, {.RoleName = name}));
                   return out.Role.CreateDate;
                 })});
  out.push_back(policy_provider());
  out.push_back(managed_policy_provider());
  out.push_back(user_provider());
  out.push_back(group_provider());
  out.push_back(instance_profile_provider());
  out.push_back(access_key_provider());
  return out;
}

}  // namespace redoubt::stacks
