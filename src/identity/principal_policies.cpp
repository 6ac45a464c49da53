/// Inline and attached policies and permissions boundaries of users, groups and roles: one template over the three, because the
/// API is three times the same. Source: IAM API Reference, actions Put*Policy, Attach*Policy, Put*PermissionsBoundary and their
/// kin.
#include <algorithm>

#include "identity/iam_common.h"

namespace redoubt::identity {

namespace {
constexpr size_t kAttachedMax = 10;

/// How the three kinds differ.
template <class T>
struct KindOf;
template <>
struct KindOf<User> {
  static constexpr std::string_view word = "user", quota = "PoliciesPerUser";
  static constexpr size_t inline_max = policy::kUserInlineSizeMax;
  static Result<const User*> the(const Account& a, std::string_view n) { return the_user(a, n); }
  static Resource resource(const Parts& p, const Call& c, std::string_view n) { return user_resource(p, c, n); }
  template <class In>
  static const std::string& name(const In& in) {
    return in.UserName;
  }
};
template <>
struct KindOf<Group> {
  static constexpr std::string_view word = "group", quota = "PoliciesPerGroup";
  static constexpr size_t inline_max = policy::kGroupInlineSizeMax;
  static Result<const Group*> the(const Account& a, std::string_view n) { return the_group(a, n); }
  static Resource resource(const Parts& p, const Call& c, std::string_view n) { return group_resource(p, c, n); }
  template <class In>
  static const std::string& name(const In& in) {
    return in.GroupName;
  }
};
template <>
struct KindOf<Role> {
  static constexpr std::string_view word = "role", quota = "PoliciesPerRole";
  static constexpr size_t inline_max = policy::kRoleInlineSizeMax;
  static Result<const Role*> the(const Account& a, std::string_view n) { return the_role(a, n); }
  static Resource resource(const Parts& p, const Call& c, std::string_view n) { return role_resource(p, c, n); }
  template <class In>
  static const std::string& name(const In& in) {
    return in.RoleName;
  }
};

template <class T>
class PoliciesOf {
 public:
  using Kind = KindOf<T>;
  explicit PoliciesOf(Parts& parts) : parts_(parts) {}

  template <class In>
  Result<api::Empty> put(const Allowed<In>& r) {
    TRY(DocumentPtr document, new_document(r.input.PolicyDocument, policy::Kind::identity));
    return change(r, [&](const Account&, T& entity) -> Result<void> {
      entity.inline_policies[r.input.PolicyName] = document;
      size_t size = 0;
      for (auto& [name, one] : entity.inline_policies) size += policy::counted_size(one->text());
      if (size > Kind::inline_max)
        return fail(kLimitExceeded, "Maximum policy size of " + std::to_string(Kind::inline_max) + " bytes exceeded for " +
                                        std::string(Kind::word) + " " + entity.name);
      return {};
    });
  }
  template <class In, class Out>
  Result<Out> get(const Allowed<In>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* entity, Kind::the(*account, Kind::name(r.input)));
    auto it = entity->inline_policies.find(r.input.PolicyName);
    if (it == entity->inline_policies.end()) return not_found(r.input.PolicyName);
    return Out{entity->name, it->first, shown_document(it->second->text())};
  }
  template <class In>
  Result<api::Empty> erase(const Allowed<In>& r) {
    return change(r, [&](const Account&, T& entity) -> Result<void> {
      if (entity.inline_policies.erase(r.input.PolicyName) == 0) return not_found(r.input.PolicyName);
      return {};
    });
  }
  template <class In, class Out>
  Result<Out> list(const Allowed<In>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* entity, Kind::the(*account, Kind::name(r.input)));
    std::vector<std::string> names;
    for (auto& [name, document] : entity->inline_policies) names.push_back(name);
    std::sort(names.begin(), names.end(), ILess());
    TRY(Page page, page_of(names, r.input.Marker, r.input.MaxItems));
    Out out;
    set_page(out, page);
    out.PolicyNames.assign(names.begin() + long(page.from), names.begin() + long(page.to));
    return out;
  }

  template <class In>
  Result<api::Empty> attach(const Allowed<In>& r) {
    return change(r, [&](const Account& account, T& entity) -> Result<void> {
      const std::string& arn = r.input.PolicyArn;
      if (!find_managed(account, arn)) return no_such_entity("Policy " + arn + " does not exist or is not attachable.");
      if (std::count(entity.attached.begin(), entity.attached.end(), arn)) return {};
      if (entity.attached.size() >= kAttachedMax)
        return fail(kLimitExceeded, "Cannot exceed quota for " + std::string(Kind::quota) + ": " + std::to_string(kAttachedMax));
      entity.attached.push_back(arn);
      return {};
    });
  }
  template <class In>
  Result<api::Empty> detach(const Allowed<In>& r) {
    return change(r, [&](const Account&, T& entity) -> Result<void> {
      if (std::erase(entity.attached, r.input.PolicyArn) == 0)
        return no_such_entity("Policy " + r.input.PolicyArn + " was not found.");
      return {};
    });
  }
  template <class In, class Out>
  Result<Out> list_attached(const Allowed<In>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto* entity, Kind::the(*account, Kind::name(r.input)));
    std::map<std::string, std::string, ILess> by_name;  // AWS's and own ones may share a name: the ARN tells them apart
    for (auto& arn : entity->attached) {
      auto managed = find_managed(*account, arn);
      if (!managed || (r.input.PathPrefix && !managed->path.starts_with(*r.input.PathPrefix))) continue;
      by_name.emplace(managed->name + " " + arn, arn);
    }
    std::vector<std::string> keys;
    for (auto& [key, arn] : by_name) keys.push_back(key);
    TRY(Page page, page_of(keys, r.input.Marker, r.input.MaxItems));
    Out out;
    set_page(out, page);
    out.AttachedPolicies.emplace();
    for (size_t i = page.from; i < page.to; ++i)
      out.AttachedPolicies->push_back({keys[i].substr(0, keys[i].find(' ')), by_name.at(keys[i])});
    return out;
  }

  template <class In>
  Result<api::Empty> put_boundary(const Allowed<In>& r) {
    return change(r, [&](const Account& account, T& entity) -> Result<void> {
      TRY_VOID(check_boundary(account, r.input.PermissionsBoundary));
      entity.boundary = r.input.PermissionsBoundary;
      return {};
    });
  }
  template <class In>
  Result<api::Empty> delete_boundary(const Allowed<In>& r) {
    return change(r, [&](const Account&, T& entity) -> Result<void> {
      entity.boundary.clear();
      return {};
    });
  }

  /// Condition keys: the policy that is attached or detached, and the boundary the entity has (or is to get).
  auto policy_keys() {
    return [this](auto& in, auto& call, Context& c) {
      if constexpr (requires { in.PolicyArn; }) c.set("iam:PolicyARN", in.PolicyArn);
      if constexpr (requires { in.PermissionsBoundary; }) {
        c.set("iam:PermissionsBoundary", in.PermissionsBoundary);
      } else {
        AccountPtr account = parts_.accounts.find(call.caller->account);
        if (!account) return;
        auto entity = Kind::the(*account, Kind::name(in));
        if (entity && !(*entity)->boundary.empty()) c.set("iam:PermissionsBoundary", (*entity)->boundary);
      }
    };
  }
  auto named() {
    return [this](auto& in, auto& call) -> Resources { return std::vector{Kind::resource(parts_, call, Kind::name(in))}; };
  }

 private:
  static std::unexpected<Error> not_found(const std::string& name) {
    return no_such_entity("The " + std::string(Kind::word) + " policy with name " + name + " cannot be found.");
  }
  template <class In>
  Result<api::Empty> change(const Allowed<In>& r, const std::function<Result<void>(const Account&, T&)>& edit) {
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY(auto* old, Kind::the(draft.account(), Kind::name(r.input)));
      T entity = *old;
      TRY_VOID(edit(draft.account(), entity));
      draft.put(std::move(entity));
      return {};
    }));
    return api::Empty{};
  }
  Parts& parts_;
};

/// The rows of one kind. Ops: Put, Get, Delete, List, Attach, Detach, ListAttached.
template <class T, class Put, class Get, class Delete, class List, class Attach, class Detach, class ListAttached>
std::shared_ptr<PoliciesOf<T>> declare_kind(access::Gate& gate, Parts& parts, std::array<std::string_view, 7> actions) {
  auto of = std::make_shared<PoliciesOf<T>>(parts);
  gate.add<Put>({.needs = {{.action = actions[0], .resources = of->named(), .context = of->policy_keys()}},
                 .handler = [of](auto& r) { return of->put(r); }});
  gate.add<Get>({.needs = {{.action = actions[1], .resources = of->named()}},
                 .handler = [of](auto& r) { return of->template get<typename Get::Input, typename Get::Output>(r); }});
  gate.add<Delete>({.needs = {{.action = actions[2], .resources = of->named(), .context = of->policy_keys()}},
                    .handler = [of](auto& r) { return of->erase(r); }});
  gate.add<List>({.needs = {{.action = actions[3], .resources = of->named()}},
                  .handler = [of](auto& r) { return of->template list<typename List::Input, typename List::Output>(r); }});
  gate.add<Attach>({.needs = {{.action = actions[4], .resources = of->named(), .context = of->policy_keys()}},
                    .handler = [of](auto& r) { return of->attach(r); }});
  gate.add<Detach>({.needs = {{.action = actions[5], .resources = of->named(), .context = of->policy_keys()}},
                    .handler = [of](auto& r) { return of->detach(r); }});
  gate.add<ListAttached>({.needs = {{.action = actions[6], .resources = of->named()}}, .handler = [of](auto& r) {
                            return of->template list_attached<typename ListAttached::Input, typename ListAttached::Output>(r);
                          }});
  return of;
}

}  // namespace

void declare_principal_policies(access::Gate& gate, Parts& p) {
  using namespace iam::op;
  auto users = declare_kind<User, PutUserPolicy, GetUserPolicy, DeleteUserPolicy, ListUserPolicies, AttachUserPolicy,
                            DetachUserPolicy, ListAttachedUserPolicies>(
      gate, p,
      {"iam:PutUserPolicy", "iam:GetUserPolicy", "iam:DeleteUserPolicy", "iam:ListUserPolicies", "iam:AttachUserPolicy",
       "iam:DetachUserPolicy", "iam:ListAttachedUserPolicies"});
  declare_kind<Group, PutGroupPolicy, GetGroupPolicy, DeleteGroupPolicy, ListGroupPolicies, AttachGroupPolicy, DetachGroupPolicy,
               ListAttachedGroupPolicies>(
      gate, p,
      {"iam:PutGroupPolicy", "iam:GetGroupPolicy", "iam:DeleteGroupPolicy", "iam:ListGroupPolicies", "iam:AttachGroupPolicy",
       "iam:DetachGroupPolicy", "iam:ListAttachedGroupPolicies"});
  auto roles = declare_kind<Role, PutRolePolicy, GetRolePolicy, DeleteRolePolicy, ListRolePolicies, AttachRolePolicy,
                            DetachRolePolicy, ListAttachedRolePolicies>(
      gate, p,
      {"iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy", "iam:ListRolePolicies", "iam:AttachRolePolicy",
       "iam:DetachRolePolicy", "iam:ListAttachedRolePolicies"});
  gate.add<PutUserPermissionsBoundary>(
      {.needs = {{.action = "iam:PutUserPermissionsBoundary", .resources = users->named(), .context = users->policy_keys()}},
       .handler = [users](auto& r) { return users->put_boundary(r); }});
  gate.add<DeleteUserPermissionsBoundary>(
      {.needs = {{.action = "iam:DeleteUserPermissionsBoundary", .resources = users->named(), .context = users->policy_keys()}},
       .handler = [users](auto& r) { return users->delete_boundary(r); }});
  gate.add<PutRolePermissionsBoundary>(
      {.needs = {{.action = "iam:PutRolePermissionsBoundary", .resources = roles->named(), .context = roles->policy_keys()}},
       .handler = [roles](auto& r) { return roles->put_boundary(r); }});
  gate.add<DeleteRolePermissionsBoundary>(
      {.needs = {{.action = "iam:DeleteRolePermissionsBoundary", .resources = roles->named(), .context = roles->policy_keys()}},
       .handler = [roles](auto& r) { return roles->delete_boundary(r); }});
}

}  // namespace redoubt::identity
