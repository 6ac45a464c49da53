/// IAM roles and their trust policies. Principals of a trust policy are stored as unique ids, so that a deleted and recreated
/// role or user is somebody else. Source: IAM API Reference, actions named *Role*.
#include "base/ids.h"
#include "identity/iam_common.h"

namespace redoubt::identity {

namespace {

class Roles {
 public:
  Roles(access::Directory& directory, Parts& parts) : directory_(directory), parts_(parts) {}

  Result<iam::CreateRoleResponse> create(const Allowed<iam::CreateRoleRequest>& r) {
    Role role;
    role.name = r.input.RoleName;
    role.path = r.input.Path.value_or("/");
    role.id = new_iam_id("AROA");
    role.arn = iam_arn(r.call.caller->account, "role" + role.path + role.name);
    role.created = parts_.clock.now();
    role.description = r.input.Description.value_or("");
    role.max_session_s = r.input.MaxSessionDuration.value_or(3600);
    role.boundary = r.input.PermissionsBoundary.value_or("");
    TRY(role.tags, merged_tags({}, r.input.Tags.value_or(std::vector<iam::Tag>{}), "TagsPerRole"));
    TRY(role.trust, trust(r.input.AssumeRolePolicyDocument));
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      if (draft.account().roles.contains(role.name))
        return fail(kEntityAlreadyExists, "Role with name " + role.name + " already exists.");
      if (!role.boundary.empty()) TRY_VOID(check_boundary(draft.account(), role.boundary));
      draft.put(role);
      return {};
    }));
    iam::CreateRoleResponse out{to_api(directory_, parts_, role)};
    out.Role.RoleLastUsed.reset();
    return out;
  }

  Result<iam::GetRoleResponse> get(const Allowed<iam::GetRoleRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* role, the_role(*account, r.input.RoleName));
    return iam::GetRoleResponse{to_api(directory_, parts_, *role)};
  }

  Result<iam::ListRolesResponse> list(const Allowed<iam::ListRolesRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    iam::ListRolesResponse out;
    TRY(auto page, page_entities(account->roles, r.input.PathPrefix, r.input, out));
    for (auto* role : page) out.Roles.push_back(to_api(directory_, parts_, *role, false));
    return out;
  }

  Result<iam::UpdateRoleResponse> update(const Allowed<iam::UpdateRoleRequest>& r) {
    TRY([[maybe_unused]] Role role, change(r.call, r.input.RoleName, [&](Role& role) -> Result<void> {
          role.description = r.input.Description.value_or(role.description);
          role.max_session_s = r.input.MaxSessionDuration.value_or(role.max_session_s);
          return {};
        }));
    return iam::UpdateRoleResponse{};
  }
  Result<iam::UpdateRoleDescriptionResponse> describe(const Allowed<iam::UpdateRoleDescriptionRequest>& r) {
    TRY(Role role, change(r.call, r.input.RoleName, [&](Role& role) -> Result<void> {
          role.description = r.input.Description;
          return {};
        }));
    return iam::UpdateRoleDescriptionResponse{to_api(directory_, parts_, role)};
  }
  Result<api::Empty> update_trust(const Allowed<iam::UpdateAssumeRolePolicyRequest>& r) {
    // The role is looked up before the document is judged, as AWS does.
    TRY([[maybe_unused]] auto* there, the_role(*account_of(parts_, r.call), r.input.RoleName));
    TRY(DocumentPtr document, trust(r.input.PolicyDocument));
    return emptied(change(r.call, r.input.RoleName, [&](Role& role) -> Result<void> {
      role.trust = document;
      return {};
    }));
  }

  Result<api::Empty> erase(const Allowed<iam::DeleteRoleRequest>& r) {
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY(auto* role, the_role(draft.account(), r.input.RoleName));
      if (!role->attached.empty()) return fail(kDeleteConflict, "Cannot delete entity, must detach all policies first.");
      if (!role->inline_policies.empty()) return fail(kDeleteConflict, "Cannot delete entity, must delete policies first.");
      for (auto& [name, profile] : draft.account().profiles)
        if (profile->role == role->name)
          return fail(kDeleteConflict, "Cannot delete entity, must remove roles from instance profile first.");
      draft.erase_role(r.input.RoleName);
      return {};
    }));
    return api::Empty{};
  }

  Result<api::Empty> tag(const Allowed<iam::TagRoleRequest>& r) {
    return emptied(change(r.call, r.input.RoleName, [&](Role& role) -> Result<void> {
      TRY(role.tags, merged_tags(std::move(role.tags), r.input.Tags, "TagsPerRole"));
      return {};
    }));
  }
  Result<api::Empty> untag(const Allowed<iam::UntagRoleRequest>& r) {
    return emptied(change(r.call, r.input.RoleName, [&](Role& role) -> Result<void> {
      remove_tags(role.tags, r.input.TagKeys);
      return {};
    }));
  }
  Result<iam::ListRoleTagsResponse> tags(const Allowed<iam::ListRoleTagsRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* role, the_role(*account, r.input.RoleName));
    return list_tags<iam::ListRoleTagsRequest, iam::ListRoleTagsResponse>(role->tags, r.input);
  }

 private:
  /// A trust policy to be stored. Errors: kMalformedPolicyDocument, kLimitExceeded.
  Result<DocumentPtr> trust(const std::string& text) {
    if (policy::counted_size(text) > policy::kTrustSizeMax)
      return fail(kLimitExceeded, "Cannot exceed quota for ACLSizePerRole: " + std::to_string(policy::kTrustSizeMax));
    TRY([[maybe_unused]] auto as_written, new_document(text, policy::Kind::trust));
    TRY(std::string resolved, principals_to_ids(directory_, text));
    return new_document(resolved, policy::Kind::trust);
  }
  Result<Role> change(const Call& call, const std::string& name, const std::function<Result<void>(Role&)>& edit) {
    Role made;
    TRY_VOID(parts_.accounts.write(call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY(auto* old, the_role(draft.account(), name));
      Role role = *old;
      TRY_VOID(edit(role));
      made = role;
      draft.put(std::move(role));
      return {};
    }));
    return made;
  }
  static Result<api::Empty> emptied(const Result<Role>& done) {
    if (!done) return std::unexpected(done.error());
    return api::Empty{};
  }

  access::Directory& directory_;
  Parts& parts_;
};

}  // namespace

void declare_roles(access::Gate& gate, Parts& p) {
  using namespace iam::op;
  auto roles = std::make_shared<Roles>(gate.directory(), p);
  auto named = [&p](auto& in, auto& call) -> Resources { return std::vector{role_resource(p, call, in.RoleName)}; };
  auto to_be = [](auto& in, auto& call) -> Resources { return std::vector{new_resource(call, "role", in.Path, in.RoleName)}; };
  auto has_tags = [](auto& in, auto&) { return in.Tags && !in.Tags->empty(); };
  auto creation_keys = [](auto& in, auto&, Context& c) {
    fill_tag_keys(c, in.Tags);
    if (in.PermissionsBoundary) c.set("iam:PermissionsBoundary", *in.PermissionsBoundary);
  };
  gate.add<CreateRole>({.needs = {{.action = "iam:CreateRole", .resources = to_be, .context = creation_keys},
                                  {.action = "iam:TagRole", .resources = to_be, .context = creation_keys, .when = has_tags}},
                        .handler = [roles](auto& r) { return roles->create(r); }});
  gate.add<GetRole>(
      {.needs = {{.action = "iam:GetRole", .resources = named}}, .handler = [roles](auto& r) { return roles->get(r); }});
  gate.add<ListRoles>({.needs = {{.action = "iam:ListRoles"}}, .handler = [roles](auto& r) { return roles->list(r); }});
  gate.add<UpdateRole>(
      {.needs = {{.action = "iam:UpdateRole", .resources = named}}, .handler = [roles](auto& r) { return roles->update(r); }});
  gate.add<UpdateRoleDescription>({.needs = {{.action = "iam:UpdateRoleDescription", .resources = named}},
                                   .handler = [roles](auto& r) { return roles->describe(r); }});
  gate.add<UpdateAssumeRolePolicy>({.needs = {{.action = "iam:UpdateAssumeRolePolicy", .resources = named}},
                                    .handler = [roles](auto& r) { return roles->update_trust(r); }});
  gate.add<DeleteRole>(
      {.needs = {{.action = "iam:DeleteRole", .resources = named}}, .handler = [roles](auto& r) { return roles->erase(r); }});
  gate.add<TagRole>({.needs = {{.action = "iam:TagRole",
                                .resources = named,
                                .context = [](auto& in, auto&, Context& c) { fill_tag_keys(c, in.Tags); }}},
                     .handler = [roles](auto& r) { return roles->tag(r); }});
  gate.add<UntagRole>({.needs = {{.action = "iam:UntagRole",
                                  .resources = named,
                                  .context = [](auto& in, auto&, Context& c) { fill_untag_keys(c, in.TagKeys); }}},
                       .handler = [roles](auto& r) { return roles->untag(r); }});
  gate.add<ListRoleTags>(
      {.needs = {{.action = "iam:ListRoleTags", .resources = named}}, .handler = [roles](auto& r) { return roles->tags(r); }});
}

}  // namespace redoubt::identity
