/// Instance profiles: the wrapping in which an EC2 instance gets its role. Source: IAM API Reference, actions named
/// *InstanceProfile*.
#include "base/ids.h"
#include "identity/iam_common.h"

namespace redoubt::identity {

namespace {

class InstanceProfiles {
 public:
  InstanceProfiles(access::Directory& directory, Parts& parts) : directory_(directory), parts_(parts) {}

  Result<iam::CreateInstanceProfileResponse> create(const Allowed<iam::CreateInstanceProfileRequest>& r) {
    InstanceProfile p;
    p.name = r.input.InstanceProfileName;
    p.path = r.input.Path.value_or("/");
    p.id = new_iam_id("AIPA");
    p.arn = iam_arn(r.call.caller->account, "instance-profile" + p.path + p.name);
    p.created = parts_.clock.now();
    TRY(p.tags, merged_tags({}, r.input.Tags.value_or(std::vector<iam::Tag>{}), "TagsPerInstanceProfile"));
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      if (draft.account().profiles.contains(p.name))
        return fail(kEntityAlreadyExists, "Instance Profile " + p.name + " already exists.");
      draft.put(p);
      return {};
    }));
    return iam::CreateInstanceProfileResponse{shown(*account_of(parts_, r.call), p)};
  }
  Result<iam::GetInstanceProfileResponse> get(const Allowed<iam::GetInstanceProfileRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* p, the_profile(*account, r.input.InstanceProfileName));
    return iam::GetInstanceProfileResponse{shown(*account, *p)};
  }
  Result<iam::ListInstanceProfilesResponse> list(const Allowed<iam::ListInstanceProfilesRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    iam::ListInstanceProfilesResponse out;
    TRY(auto page, page_entities(account->profiles, r.input.PathPrefix, r.input, out));
    for (auto* p : page) out.InstanceProfiles.push_back(shown(*account, *p, false));
    return out;
  }
  Result<iam::ListInstanceProfilesForRoleResponse> list_for_role(const Allowed<iam::ListInstanceProfilesForRoleRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* role, the_role(*account, r.input.RoleName));
    ByName<InstanceProfile> of;
    for (auto& [name, p] : account->profiles)
      if (p->role == role->name) of.emplace(name, p);
    iam::ListInstanceProfilesForRoleResponse out;
    TRY(auto page, page_entities(of, std::nullopt, r.input, out));
    for (auto* p : page) out.InstanceProfiles.push_back(shown(*account, *p, false));
    return out;
  }
  Result<api::Empty> erase(const Allowed<iam::DeleteInstanceProfileRequest>& r) {
    return change(r.call, r.input.InstanceProfileName, [&](Draft& draft, InstanceProfile& p) -> Result<void> {
      if (!p.role.empty()) return fail(kDeleteConflict, "Cannot delete entity, must remove roles from instance profile first.");
      draft.erase_profile(std::string(p.name));
      return {};
    });
  }
  Result<api::Empty> add_role(const Allowed<iam::AddRoleToInstanceProfileRequest>& r) {
    return change(r.call, r.input.InstanceProfileName, [&](Draft& draft, InstanceProfile& p) -> Result<void> {
      TRY(auto* role, the_role(draft.account(), r.input.RoleName));
      if (!p.role.empty()) return fail(kLimitExceeded, "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
      p.role = role->name;
      draft.put(p);
      return {};
    });
  }
  Result<api::Empty> remove_role(const Allowed<iam::RemoveRoleFromInstanceProfileRequest>& r) {
    return change(r.call, r.input.InstanceProfileName, [&](Draft& draft, InstanceProfile& p) -> Result<void> {
      TRY([[maybe_unused]] auto* role, the_role(draft.account(), r.input.RoleName));
      if (p.role != r.input.RoleName)
        return no_such_entity("The role with name " + r.input.RoleName + " is not in instance profile " + p.name + ".");
      p.role.clear();
      draft.put(p);
      return {};
    });
  }
  Result<api::Empty> tag(const Allowed<iam::TagInstanceProfileRequest>& r) {
    return change(r.call, r.input.InstanceProfileName, [&](Draft& draft, InstanceProfile& p) -> Result<void> {
      TRY(p.tags, merged_tags(std::move(p.tags), r.input.Tags, "TagsPerInstanceProfile"));
      draft.put(p);
      return {};
    });
  }
  Result<api::Empty> untag(const Allowed<iam::UntagInstanceProfileRequest>& r) {
    return change(r.call, r.input.InstanceProfileName, [&](Draft& draft, InstanceProfile& p) -> Result<void> {
      remove_tags(p.tags, r.input.TagKeys);
      draft.put(p);
      return {};
    });
  }
  Result<iam::ListInstanceProfileTagsResponse> tags(const Allowed<iam::ListInstanceProfileTagsRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* p, the_profile(*account, r.input.InstanceProfileName));
    return list_tags<iam::ListInstanceProfileTagsRequest, iam::ListInstanceProfileTagsResponse>(p->tags, r.input);
  }

 private:
  iam::InstanceProfile shown(const Account& account, const InstanceProfile& p, bool full = true) {
    return to_api(directory_, parts_, account, p, full);
  }
  Result<api::Empty> change(const Call& call, const std::string& name,
                            const std::function<Result<void>(Draft&, InstanceProfile&)>& edit) {
    TRY_VOID(parts_.accounts.write(call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY(auto* old, the_profile(draft.account(), name));
      InstanceProfile p = *old;
      return edit(draft, p);
    }));
    return api::Empty{};
  }
  access::Directory& directory_;
  Parts& parts_;
};

}  // namespace

void declare_instance_profiles(access::Gate& gate, Parts& p) {
  using namespace iam::op;
  auto profiles = std::make_shared<InstanceProfiles>(gate.directory(), p);
  auto named = [&p](auto& in, auto& call) -> Resources { return std::vector{profile_resource(p, call, in.InstanceProfileName)}; };
  auto to_be = [](auto& in, auto& call) -> Resources {
    return std::vector{new_resource(call, "instance-profile", in.Path, in.InstanceProfileName)};
  };
  auto tag_keys = [](auto& in, auto&, Context& c) { fill_tag_keys(c, in.Tags); };
  auto has_tags = [](auto& in, auto&) { return in.Tags && !in.Tags->empty(); };
  auto passed_role = [&p](auto& in, auto& call) -> Resources { return std::vector{role_resource(p, call, in.RoleName)}; };
  gate.add<CreateInstanceProfile>(
      {.needs = {{.action = "iam:CreateInstanceProfile", .resources = to_be, .context = tag_keys},
                 {.action = "iam:TagInstanceProfile", .resources = to_be, .context = tag_keys, .when = has_tags}},
       .handler = [profiles](auto& r) { return profiles->create(r); }});
  gate.add<GetInstanceProfile>({.needs = {{.action = "iam:GetInstanceProfile", .resources = named}},
                                .handler = [profiles](auto& r) { return profiles->get(r); }});
  gate.add<ListInstanceProfiles>(
      {.needs = {{.action = "iam:ListInstanceProfiles"}}, .handler = [profiles](auto& r) { return profiles->list(r); }});
  gate.add<ListInstanceProfilesForRole>({.needs = {{.action = "iam:ListInstanceProfilesForRole", .resources = passed_role}},
                                         .handler = [profiles](auto& r) { return profiles->list_for_role(r); }});
  gate.add<DeleteInstanceProfile>({.needs = {{.action = "iam:DeleteInstanceProfile", .resources = named}},
                                   .handler = [profiles](auto& r) { return profiles->erase(r); }});
  // Whoever puts a role into a profile hands it to instances: that needs PassRole. Source: IAM User Guide, "Granting permissions
  // to pass a role to an AWS service".
  gate.add<AddRoleToInstanceProfile>(
      {.needs = {{.action = "iam:AddRoleToInstanceProfile", .resources = named},
                 {.action = "iam:PassRole",
                  .resources = passed_role,
                  .context = [](auto&, auto&, Context& c) { c.set("iam:PassedToService", "ec2.amazonaws.com"); }}},
       .handler = [profiles](auto& r) { return profiles->add_role(r); }});
  gate.add<RemoveRoleFromInstanceProfile>({.needs = {{.action = "iam:RemoveRoleFromInstanceProfile", .resources = named}},
                                           .handler = [profiles](auto& r) { return profiles->remove_role(r); }});
  gate.add<TagInstanceProfile>({.needs = {{.action = "iam:TagInstanceProfile",
                                           .resources = named,
                                           .context = [](auto& in, auto&, Context& c) { fill_tag_keys(c, in.Tags); }}},
                                .handler = [profiles](auto& r) { return profiles->tag(r); }});
  gate.add<UntagInstanceProfile>({.needs = {{.action = "iam:UntagInstanceProfile",
                                             .resources = named,
                                             .context = [](auto& in, auto&, Context& c) { fill_untag_keys(c, in.TagKeys); }}},
                                  .handler = [profiles](auto& r) { return profiles->untag(r); }});
  gate.add<ListInstanceProfileTags>({.needs = {{.action = "iam:ListInstanceProfileTags", .resources = named}},
                                     .handler = [profiles](auto& r) { return profiles->tags(r); }});
}

}  // namespace redoubt::identity
