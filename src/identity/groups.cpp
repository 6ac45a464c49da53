/// IAM groups and who is in them. Source: IAM API Reference, actions named *Group*.
#include <algorithm>

#include "base/ids.h"
#include "identity/iam_common.h"

namespace redoubt::identity {

namespace {
constexpr size_t kGroupsPerUserMax = 10;

class Groups {
 public:
  explicit Groups(Parts& parts) : parts_(parts) {}

  Result<iam::CreateGroupResponse> create(const Allowed<iam::CreateGroupRequest>& r) {
    Group group;
    group.name = r.input.GroupName;
    group.path = r.input.Path.value_or("/");
    group.id = new_iam_id("AGPA");
    group.arn = iam_arn(r.call.caller->account, "group" + group.path + group.name);
    group.created = parts_.clock.now();
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      if (draft.account().groups.contains(group.name))
        return fail(kEntityAlreadyExists, "Group with name " + group.name + " already exists.");
      draft.put(group);
      return {};
    }));
    return iam::CreateGroupResponse{to_api(group)};
  }

  Result<iam::GetGroupResponse> get(const Allowed<iam::GetGroupRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* group, the_group(*account, r.input.GroupName));
    ByName<User> members;
    for (auto& [name, user] : account->users)
      if (std::count(user->groups.begin(), user->groups.end(), group->name)) members.emplace(name, user);
    iam::GetGroupResponse out;
    out.Group = to_api(*group);
    TRY(auto page, page_entities(members, std::nullopt, r.input, out));
    for (auto* user : page) out.Users.push_back(to_api(*user, false));
    return out;
  }

  Result<iam::ListGroupsResponse> list(const Allowed<iam::ListGroupsRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    iam::ListGroupsResponse out;
    TRY(auto page, page_entities(account->groups, r.input.PathPrefix, r.input, out));
    for (auto* group : page) out.Groups.push_back(to_api(*group));
    return out;
  }

  Result<iam::ListGroupsForUserResponse> list_for_user(const Allowed<iam::ListGroupsForUserRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* user, the_user(*account, r.input.UserName));
    ByName<Group> of;
    for (auto& name : user->groups) of.emplace(name, account->groups.at(name));
    iam::ListGroupsForUserResponse out;
    TRY(auto page, page_entities(of, std::nullopt, r.input, out));
    for (auto* group : page) out.Groups.push_back(to_api(*group));
    return out;
  }

  Result<api::Empty> update(const Allowed<iam::UpdateGroupRequest>& r) {
    return written(r.call, [&](Draft& draft) -> Result<void> {
      TRY(auto* old, the_group(draft.account(), r.input.GroupName));
      Group group = *old;
      group.name = r.input.NewGroupName.value_or(group.name);
      group.path = r.input.NewPath.value_or(group.path);
      group.arn = iam_arn(draft.account().id, "group" + group.path + group.name);
      auto taken = draft.account().groups.find(group.name);
      if (taken != draft.account().groups.end() && taken->second->id != group.id)
        return fail(kEntityAlreadyExists, "Group with name " + group.name + " already exists.");
      for (auto& user : members(draft.account(), r.input.GroupName)) {
        User moved = user;
        std::replace(moved.groups.begin(), moved.groups.end(), r.input.GroupName, group.name);
        draft.put(std::move(moved));
      }
      draft.erase_group(r.input.GroupName);
      draft.put(std::move(group));
      return {};
    });
  }

  Result<api::Empty> erase(const Allowed<iam::DeleteGroupRequest>& r) {
    return written(r.call, [&](Draft& draft) -> Result<void> {
      TRY(auto* group, the_group(draft.account(), r.input.GroupName));
      if (!group->attached.empty()) return fail(kDeleteConflict, "Cannot delete entity, must detach all policies first.");
      if (!group->inline_policies.empty()) return fail(kDeleteConflict, "Cannot delete entity, must delete policies first.");
      if (!members(draft.account(), group->name).empty())
        return fail(kDeleteConflict, "Cannot delete entity, must remove users from group first.");
      draft.erase_group(r.input.GroupName);
      return {};
    });
  }

  Result<api::Empty> add_user(const Allowed<iam::AddUserToGroupRequest>& r) {
    return written(r.call, [&](Draft& draft) -> Result<void> {
      TRY(auto* group, the_group(draft.account(), r.input.GroupName));
      TRY(auto* user, the_user(draft.account(), r.input.UserName));
      if (std::count(user->groups.begin(), user->groups.end(), group->name)) return {};
      if (user->groups.size() >= kGroupsPerUserMax)
        return fail(kLimitExceeded, "Cannot exceed quota for GroupsPerUser: " + std::to_string(kGroupsPerUserMax));
      User changed = *user;
      changed.groups.push_back(group->name);
      draft.put(std::move(changed));
      return {};
    });
  }
  Result<api::Empty> remove_user(const Allowed<iam::RemoveUserFromGroupRequest>& r) {
    return written(r.call, [&](Draft& draft) -> Result<void> {
      TRY(auto* group, the_group(draft.account(), r.input.GroupName));
      TRY(auto* user, the_user(draft.account(), r.input.UserName));
      User changed = *user;
      std::erase(changed.groups, group->name);
      draft.put(std::move(changed));
      return {};
    });
  }

 private:
  static std::vector<User> members(const Account& account, const std::string& group) {
    std::vector<User> out;
    for (auto& [name, user] : account.users)
      if (std::count(user->groups.begin(), user->groups.end(), group)) out.push_back(*user);
    return out;
  }
  Result<api::Empty> written(const Call& call, const std::function<Result<void>(Draft&)>& work) {
    TRY_VOID(parts_.accounts.write(call.caller->account, work));
    return api::Empty{};
  }
  Parts& parts_;
};

}  // namespace

void declare_groups(access::Gate& gate, Parts& p) {
  using namespace iam::op;
  auto groups = std::make_shared<Groups>(p);
  auto named = [&p](auto& in, auto& call) -> Resources { return std::vector{group_resource(p, call, in.GroupName)}; };
  gate.add<CreateGroup>({.needs = {{.action = "iam:CreateGroup",
                                    .resources = [](auto& in, auto& call) -> Resources {
                                      return std::vector{new_resource(call, "group", in.Path, in.GroupName)};
                                    }}},
                         .handler = [groups](auto& r) { return groups->create(r); }});
  gate.add<GetGroup>(
      {.needs = {{.action = "iam:GetGroup", .resources = named}}, .handler = [groups](auto& r) { return groups->get(r); }});
  gate.add<ListGroups>({.needs = {{.action = "iam:ListGroups"}}, .handler = [groups](auto& r) { return groups->list(r); }});
  gate.add<ListGroupsForUser>({.needs = {{.action = "iam:ListGroupsForUser",
                                          .resources = [&p](auto& in, auto& call) -> Resources {
                                            return std::vector{user_resource(p, call, in.UserName)};
                                          }}},
                               .handler = [groups](auto& r) { return groups->list_for_user(r); }});
  gate.add<UpdateGroup>({.needs = {{.action = "iam:UpdateGroup",
                                    .resources = [&p](auto& in, auto& call) -> Resources {
                                      std::vector out{group_resource(p, call, in.GroupName)};
                                      if (in.NewGroupName || in.NewPath)
                                        out.push_back(
                                            new_resource(call, "group", in.NewPath, in.NewGroupName.value_or(in.GroupName)));
                                      return out;
                                    }}},
                         .handler = [groups](auto& r) { return groups->update(r); }});
  gate.add<DeleteGroup>(
      {.needs = {{.action = "iam:DeleteGroup", .resources = named}}, .handler = [groups](auto& r) { return groups->erase(r); }});
  gate.add<AddUserToGroup>({.needs = {{.action = "iam:AddUserToGroup", .resources = named}},
                            .handler = [groups](auto& r) { return groups->add_user(r); }});
  gate.add<RemoveUserFromGroup>({.needs = {{.action = "iam:RemoveUserFromGroup", .resources = named}},
                                 .handler = [groups](auto& r) { return groups->remove_user(r); }});
}

}  // namespace redoubt::identity
