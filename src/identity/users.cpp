/// IAM users and their membership in groups is groups.cpp's. Source: IAM API Reference, actions named *User*.
#include "base/ids.h"
#include "identity/iam_common.h"

namespace redoubt::identity {

namespace {

/// GetUser without a name, asked by the root user.
iam::User root_user(const Account& account) {
  iam::User out;
  out.Path = "/";
  out.UserName = account.name;
  out.UserId = account.id;
  out.Arn = iam_arn(account.id, "root");
  out.CreateDate = account.created;
  return out;
}

class Users {
 public:
  explicit Users(Parts& parts) : parts_(parts) {}

  Result<iam::CreateUserResponse> create(const Allowed<iam::CreateUserRequest>& r) {
    User user;
    user.name = r.input.UserName;
    user.path = r.input.Path.value_or("/");
    user.id = new_iam_id("AIDA");
    user.arn = iam_arn(r.call.caller->account, "user" + user.path + user.name);
    user.created = parts_.clock.now();
    user.boundary = r.input.PermissionsBoundary.value_or("");
    TRY(user.tags, merged_tags({}, r.input.Tags.value_or(std::vector<iam::Tag>{}), "TagsPerUser"));
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      if (draft.account().users.contains(user.name))
        return fail(kEntityAlreadyExists, "User with name " + user.name + " already exists.");
      if (!user.boundary.empty()) TRY_VOID(check_boundary(draft.account(), user.boundary));
      draft.put(user);
      return {};
    }));
    return iam::CreateUserResponse{to_api(user)};
  }

  Result<iam::GetUserResponse> get(const Allowed<iam::GetUserRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    if (!r.input.UserName && r.call.caller->type == policy::PrincipalType::root) return iam::GetUserResponse{root_user(*account)};
    TRY(std::string name, user_or_self(r.call, r.input.UserName));
    TRY(auto* user, the_user(*account, name));
    return iam::GetUserResponse{to_api(*user)};
  }

  Result<iam::ListUsersResponse> list(const Allowed<iam::ListUsersRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    iam::ListUsersResponse out;
    TRY(auto page, page_entities(account->users, r.input.PathPrefix, r.input, out));
    for (auto* user : page) out.Users.push_back(to_api(*user, false));
    return out;
  }

  Result<api::Empty> update(const Allowed<iam::UpdateUserRequest>& r) {
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY(auto* old, the_user(draft.account(), r.input.UserName));
      User user = *old;
      user.name = r.input.NewUserName.value_or(user.name);
      user.path = r.input.NewPath.value_or(user.path);
      user.arn = iam_arn(draft.account().id, "user" + user.path + user.name);
      auto taken = draft.account().users.find(user.name);
      if (taken != draft.account().users.end() && taken->second->id != user.id)
        return fail(kEntityAlreadyExists, "User with name " + user.name + " already exists.");
      std::vector<AccessKey> keys;
      for (auto& [id, key] : draft.account().keys)
        if (key->user == r.input.UserName) keys.push_back(*key);
      draft.erase_user(r.input.UserName);
      for (auto& key : keys) {
        key.user = user.name;
        draft.put(std::move(key));
      }
      draft.put(std::move(user));
      return {};
    }));
    return api::Empty{};
  }

  Result<api::Empty> erase(const Allowed<iam::DeleteUserRequest>& r) {
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY(auto* user, the_user(draft.account(), r.input.UserName));
      if (!user->attached.empty()) return fail(kDeleteConflict, "Cannot delete entity, must detach all policies first.");
      if (!user->inline_policies.empty()) return fail(kDeleteConflict, "Cannot delete entity, must delete policies first.");
      if (!user->groups.empty()) return fail(kDeleteConflict, "Cannot delete entity, must remove users from group first.");
      for (auto& [id, key] : draft.account().keys)
        if (key->user == user->name) return fail(kDeleteConflict, "Cannot delete entity, must delete access keys first.");
      draft.erase_user(r.input.UserName);
      return {};
    }));
    return api::Empty{};
  }

  Result<api::Empty> tag(const Allowed<iam::TagUserRequest>& r) {
    return change(r.call, r.input.UserName, [&](User& user) -> Result<void> {
      TRY(user.tags, merged_tags(std::move(user.tags), r.input.Tags, "TagsPerUser"));
      return {};
    });
  }
  Result<api::Empty> untag(const Allowed<iam::UntagUserRequest>& r) {
    return change(r.call, r.input.UserName, [&](User& user) -> Result<void> {
      remove_tags(user.tags, r.input.TagKeys);
      return {};
    });
  }
  Result<iam::ListUserTagsResponse> tags(const Allowed<iam::ListUserTagsRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* user, the_user(*account, r.input.UserName));
    return list_tags<iam::ListUserTagsRequest, iam::ListUserTagsResponse>(user->tags, r.input);
  }

  /// Users of ours have no passwords, MFA devices, certificates or SSH keys: the lists that clients ask for before they delete a
  /// user are truly empty.
  template <class In>
  Result<void> exists(const Allowed<In>& r) {
    TRY(std::string name, user_or_self(r.call, r.input.UserName));
    TRY([[maybe_unused]] auto* user, the_user(*account_of(parts_, r.call), name));
    return {};
  }

 private:
  Result<api::Empty> change(const Call& call, const std::string& name, const std::function<Result<void>(User&)>& edit) {
    TRY_VOID(parts_.accounts.write(call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY(auto* old, the_user(draft.account(), name));
      User user = *old;
      TRY_VOID(edit(user));
      draft.put(std::move(user));
      return {};
    }));
    return api::Empty{};
  }
  Parts& parts_;
};

}  // namespace

void declare_users(access::Gate& gate, Parts& p) {
  using namespace iam::op;
  auto users = std::make_shared<Users>(p);
  auto named = [&p](auto& in, auto& call) -> Resources { return std::vector{user_resource(p, call, in.UserName)}; };
  auto named_or_self = [&p](auto& in, auto& call) -> Resources {
    if (!in.UserName && call.caller->type != policy::PrincipalType::user) return std::vector<Resource>{};
    return std::vector{user_resource(p, call, in.UserName.value_or(call.caller->user_name))};
  };
  auto to_be = [](auto& in, auto& call) -> Resources { return std::vector{new_resource(call, "user", in.Path, in.UserName)}; };
  auto has_tags = [](auto& in, auto&) { return in.Tags && !in.Tags->empty(); };
  auto creation_keys = [](auto& in, auto&, Context& c) {
    fill_tag_keys(c, in.Tags);
    if (in.PermissionsBoundary) c.set("iam:PermissionsBoundary", *in.PermissionsBoundary);
  };

  gate.add<CreateUser>({.needs = {{.action = "iam:CreateUser", .resources = to_be, .context = creation_keys},
                                  {.action = "iam:TagUser", .resources = to_be, .context = creation_keys, .when = has_tags}},
                        .handler = [users](auto& r) { return users->create(r); }});
  gate.add<GetUser>(
      {.needs = {{.action = "iam:GetUser", .resources = named_or_self}}, .handler = [users](auto& r) { return users->get(r); }});
  gate.add<ListUsers>({.needs = {{.action = "iam:ListUsers"}}, .handler = [users](auto& r) { return users->list(r); }});
  gate.add<UpdateUser>({.needs = {{.action = "iam:UpdateUser",
                                   .resources = [&p](auto& in, auto& call) -> Resources {
                                     // Renaming needs the permission on both names.
                                     std::vector out{user_resource(p, call, in.UserName)};
                                     if (in.NewUserName || in.NewPath)
                                       out.push_back(
                                           new_resource(call, "user", in.NewPath, in.NewUserName.value_or(in.UserName)));
                                     return out;
                                   }}},
                        .handler = [users](auto& r) { return users->update(r); }});
  gate.add<DeleteUser>(
      {.needs = {{.action = "iam:DeleteUser", .resources = named}}, .handler = [users](auto& r) { return users->erase(r); }});
  gate.add<TagUser>({.needs = {{.action = "iam:TagUser",
                                .resources = named,
                                .context = [](auto& in, auto&, Context& c) { fill_tag_keys(c, in.Tags); }}},
                     .handler = [users](auto& r) { return users->tag(r); }});
  gate.add<UntagUser>({.needs = {{.action = "iam:UntagUser",
                                  .resources = named,
                                  .context = [](auto& in, auto&, Context& c) { fill_untag_keys(c, in.TagKeys); }}},
                       .handler = [users](auto& r) { return users->untag(r); }});
  gate.add<ListUserTags>(
      {.needs = {{.action = "iam:ListUserTags", .resources = named}}, .handler = [users](auto& r) { return users->tags(r); }});

  gate.add<ListMFADevices>({.needs = {{.action = "iam:ListMFADevices", .resources = named_or_self}},
                            .handler = [users](auto& r) -> Result<iam::ListMFADevicesResponse> {
                              TRY_VOID(users->exists(r));
                              return iam::ListMFADevicesResponse{};
                            }});
  gate.add<ListSigningCertificates>({.needs = {{.action = "iam:ListSigningCertificates", .resources = named_or_self}},
                                     .handler = [users](auto& r) -> Result<iam::ListSigningCertificatesResponse> {
                                       TRY_VOID(users->exists(r));
                                       return iam::ListSigningCertificatesResponse{};
                                     }});
  gate.add<ListServiceSpecificCredentials>(
      {.needs = {{.action = "iam:ListServiceSpecificCredentials", .resources = named_or_self}},
       .handler = [users](auto& r) -> Result<iam::ListServiceSpecificCredentialsResponse> {
         TRY_VOID(users->exists(r));
         return iam::ListServiceSpecificCredentialsResponse{};
       }});
  gate.add<ListSSHPublicKeys>({.needs = {{.action = "iam:ListSSHPublicKeys", .resources = named_or_self}},
                               .handler = [users](auto& r) -> Result<iam::ListSSHPublicKeysResponse> {
                                 TRY_VOID(users->exists(r));
                                 return iam::ListSSHPublicKeysResponse{};
                               }});
  gate.add<GetLoginProfile>({.needs = {{.action = "iam:GetLoginProfile", .resources = named_or_self}},
                             .handler = [users](auto& r) -> Result<iam::GetLoginProfileResponse> {
                               TRY_VOID(users->exists(r));
                               return no_such_entity("Login Profile for User " +
                                                     r.input.UserName.value_or(r.call.caller->user_name) + " cannot be found.");
                             }});
  gate.add<DeleteLoginProfile>({.needs = {{.action = "iam:DeleteLoginProfile", .resources = named_or_self}},
                                .handler = [users](auto& r) -> Result<api::Empty> {
                                  TRY_VOID(users->exists(r));
                                  return no_such_entity("Login Profile for User " +
                                                        r.input.UserName.value_or(r.call.caller->user_name) +
                                                        " cannot be found.");
                                }});
}

}  // namespace redoubt::identity
