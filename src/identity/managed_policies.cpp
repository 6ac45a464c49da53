/// Customer managed policies and their versions; AWS's own are read-only. Source: IAM API Reference, actions named *Policy*.
#include <algorithm>

#include "base/ids.h"
#include "identity/aws_managed.h"
#include "identity/iam_common.h"

namespace redoubt::identity {

namespace {
constexpr size_t kVersionsMax = 5;

std::string version_id(int number) { return "v" + std::to_string(number); }
/// 0: not a version's id.
int version_number(std::string_view id) { return id.starts_with("v") ? int(parse_int(id.substr(1)).value_or(0)) : 0; }

int64_t attachments(const Account& account, const std::string& arn) {
  int64_t count = 0;
  auto add = [&](auto& map) {
    for (auto& [name, entity] : map) count += std::count(entity->attached.begin(), entity->attached.end(), arn);
  };
  add(account.users);
  add(account.groups);
  add(account.roles);
  return count;
}
int64_t boundary_uses(const Account& account, const std::string& arn) {
  int64_t count = 0;
  for (auto& [name, user] : account.users) count += user->boundary == arn;
  for (auto& [name, role] : account.roles) count += role->boundary == arn;
  return count;
}

/// How much of a policy an answer shows. Observed: CreatePolicy leaves the description out and shows tags only if there are some,
/// GetPolicy shows tags always, ListPolicies neither.
enum class Shown : uint8_t { created, whole, listed };

iam::Policy to_api(const Account& account, const ManagedPolicy& p, Shown shown) {
  iam::Policy out;
  out.PolicyName = p.name;
  out.PolicyId = p.id;
  out.Arn = p.arn;
  out.Path = p.path;
  out.DefaultVersionId = version_id(p.default_version);
  out.AttachmentCount = attachments(account, p.arn);
  out.PermissionsBoundaryUsageCount = boundary_uses(account, p.arn);
  out.IsAttachable = true;
  out.CreateDate = p.created;
  out.UpdateDate = p.updated;
  if (shown == Shown::whole && !p.description.empty()) out.Description = p.description;
  if (shown == Shown::whole || (shown == Shown::created && !p.tags.empty())) out.Tags = identity::to_api(p.tags);
  return out;
}
iam::PolicyVersion to_api(const ManagedPolicy& p, int number, bool with_document) {
  const PolicyVersion& v = p.versions.at(number);
  iam::PolicyVersion out;
  if (with_document) out.Document = shown_document(v.document->text());
  out.VersionId = version_id(number);
  out.IsDefaultVersion = number == p.default_version;
  out.CreateDate = v.created;
  return out;
}

Result<DocumentPtr> checked(const std::string& text) {
  if (policy::counted_size(text) > policy::kManagedSizeMax)
    return fail(kLimitExceeded, "Cannot exceed quota for PolicySize: " + std::to_string(policy::kManagedSizeMax));
  auto document = new_document(text, policy::Kind::identity);
  // Only inline policies may be of 2008; a document that isn't one at all is reported first.
  bool is_document = document || document.error().message != "Syntax errors in policy.";
  auto json = Json::parse(text);
  if (is_document && json && json->is_object() && (*json)["Version"].str() != "2012-10-17")
    return fail(policy::kMalformedPolicyDocument, "Policy document must be version 2012-10-17 or greater.");
  return document;
}

class ManagedPolicies {
 public:
  explicit ManagedPolicies(Parts& parts) : parts_(parts) {}

  Result<iam::CreatePolicyResponse> create(const Allowed<iam::CreatePolicyRequest>& r) {
    ManagedPolicy p;
    p.name = r.input.PolicyName;
    p.path = r.input.Path.value_or("/");
    p.id = new_iam_id("ANPA");
    p.arn = iam_arn(r.call.caller->account, "policy" + p.path + p.name);
    p.description = r.input.Description.value_or("");
    p.created = p.updated = parts_.clock.now();
    TRY(p.tags, merged_tags({}, r.input.Tags.value_or(std::vector<iam::Tag>{}), "TagsPerPolicy"));
    TRY(auto document, checked(r.input.PolicyDocument));
    p.versions[1] = {document, p.created};
    TRY_VOID(parts_.accounts.write(r.call.caller->account, [&](Draft& draft) -> Result<void> {
      if (draft.account().policies.contains(p.name))
        return fail(kEntityAlreadyExists, "A policy called " + p.name + " already exists. Duplicate names are not allowed.");
      draft.put(p);
      return {};
    }));
    return iam::CreatePolicyResponse{to_api(*account_of(parts_, r.call), p, Shown::created)};
  }

  Result<iam::GetPolicyResponse> get(const Allowed<iam::GetPolicyRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto p, the_policy(*account, r.input.PolicyArn));
    return iam::GetPolicyResponse{to_api(*account, *p, Shown::whole)};
  }

  Result<iam::ListPoliciesResponse> list(const Allowed<iam::ListPoliciesRequest>& r) {
    const auto& in = r.input;
    AccountPtr account = account_of(parts_, r.call);
    std::string scope = in.Scope.value_or("All");
    ByName<ManagedPolicy> by_key;  // AWS's and own ones may share a name: the ARN tells them apart
    auto add = [&](const std::shared_ptr<const ManagedPolicy>& p) {
      if (in.PathPrefix && !p->path.starts_with(*in.PathPrefix)) return;
      bool attached = attachments(*account, p->arn) > 0, boundary = boundary_uses(*account, p->arn) > 0;
      std::string usage = in.PolicyUsageFilter.value_or("");
      if (in.OnlyAttached.value_or(false) && !(usage == "PermissionsBoundary" ? boundary : attached)) return;
      if (usage == "PermissionsBoundary" && !boundary) return;
      by_key.emplace(p->name + " " + p->arn, p);
    };
    if (scope != "AWS")
      for (auto& [name, p] : account->policies) add(p);
    if (scope != "Local")
      for (auto& [arn, p] : aws_managed_policies()) add(p);
    iam::ListPoliciesResponse out;
    TRY(auto page, page_entities(by_key, std::nullopt, in, out));
    out.Policies.emplace();
    for (auto* p : page) out.Policies->push_back(to_api(*account, *p, Shown::listed));
    return out;
  }

  Result<api::Empty> erase(const Allowed<iam::DeletePolicyRequest>& r) {
    return change(r.call, r.input.PolicyArn, [&](Draft& draft, ManagedPolicy& p) -> Result<void> {
      if (attachments(draft.account(), p.arn) + boundary_uses(draft.account(), p.arn) > 0)
        return fail(kDeleteConflict, "Cannot delete a policy attached to entities.");
      if (p.versions.size() > 1)
        return fail(kDeleteConflict,
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
                    "The default version is deleted with the policy.");
      draft.erase_policy(std::string(p.name));
      return {};
    });
  }

  Result<iam::CreatePolicyVersionResponse> create_version(const Allowed<iam::CreatePolicyVersionRequest>& r) {
    TRY(auto document, checked(r.input.PolicyDocument));
    iam::CreatePolicyVersionResponse out;
    TRY_VOID(change(r.call, r.input.PolicyArn, [&](Draft& draft, ManagedPolicy& p) -> Result<void> {
      if (p.versions.size() >= kVersionsMax)
        return fail(
            kLimitExceeded,
            "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.");
      int number = p.next_version++;
      p.versions[number] = {document, parts_.clock.now()};
      if (r.input.SetAsDefault.value_or(false)) p.default_version = number;
      p.updated = parts_.clock.now();
      out.PolicyVersion = to_api(p, number, false);
      draft.put(p);
      return {};
    }));
    return out;
  }
  Result<iam::GetPolicyVersionResponse> get_version(const Allowed<iam::GetPolicyVersionRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto p, the_policy(*account, r.input.PolicyArn));
    TRY(int number, the_version(*p, r.input.VersionId));
    return iam::GetPolicyVersionResponse{to_api(*p, number, true)};
  }
  Result<api::Empty> delete_version(const Allowed<iam::DeletePolicyVersionRequest>& r) {
    return change(r.call, r.input.PolicyArn, [&](Draft& draft, ManagedPolicy& p) -> Result<void> {
      TRY(int number, the_version(p, r.input.VersionId));
      if (number == p.default_version) return fail(kDeleteConflict, "Cannot delete the default version of a policy.");
      p.versions.erase(number);
      draft.put(p);
      return {};
    });
  }
  Result<api::Empty> set_default(const Allowed<iam::SetDefaultPolicyVersionRequest>& r) {
    return change(r.call, r.input.PolicyArn, [&](Draft& draft, ManagedPolicy& p) -> Result<void> {
      TRY(p.default_version, the_version(p, r.input.VersionId));
      p.updated = parts_.clock.now();
      draft.put(p);
      return {};
    });
  }
  Result<iam::ListPolicyVersionsResponse> list_versions(const Allowed<iam::ListPolicyVersionsRequest>& r) {
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto p, the_policy(*account, r.input.PolicyArn));
    std::vector<std::string> ids;  // newest first; at most five, so that one page holds them unless MaxItems is smaller
    for (auto it = p->versions.rbegin(); it != p->versions.rend(); ++it) ids.push_back(version_id(it->first));
    std::vector<std::string> positions;
    for (size_t i = 0; i < ids.size(); ++i) positions.push_back(std::to_string(i));
    TRY(Page page, page_of(positions, r.input.Marker, r.input.MaxItems));
    iam::ListPolicyVersionsResponse out;
    set_page(out, page);
    out.Versions.emplace();
    for (size_t i = page.from; i < page.to; ++i) out.Versions->push_back(to_api(*p, version_number(ids[i]), false));
    return out;
  }

  Result<iam::ListEntitiesForPolicyResponse> entities(const Allowed<iam::ListEntitiesForPolicyRequest>& r) {
    const auto& in = r.input;
    AccountPtr account = account_of(parts_, r.call);
    TRY(auto p, the_policy(*account, in.PolicyArn));
    std::string filter = in.EntityFilter.value_or(""), usage = in.PolicyUsageFilter.value_or("PermissionsPolicy");
    auto uses = [&](const Principal& e) {
      if (in.PathPrefix && !e.path.starts_with(*in.PathPrefix)) return false;
      if (usage == "PermissionsBoundary") return e.boundary == p->arn;
      return std::count(e.attached.begin(), e.attached.end(), p->arn) > 0;
    };
    auto wanted = [&](std::string_view kind) { return filter.empty() || filter == kind; };
    // Keys keep the kinds apart: "group name", "role name", "user name".
    std::vector<std::string> keys;
    auto collect = [&](std::string_view kind, std::string_view key, auto& map) {
      if (!wanted(kind)) return;
      for (auto& [name, e] : map)
        if (uses(*e)) keys.push_back(std::string(key) + " " + name);
    };
    collect("Group", "group", account->groups);
    collect("Role", "role", account->roles);
    collect("User", "user", account->users);
    TRY(Page page, page_of(keys, in.Marker, in.MaxItems));
    iam::ListEntitiesForPolicyResponse out;
    set_page(out, page);
    out.PolicyGroups.emplace();
    out.PolicyRoles.emplace();
    out.PolicyUsers.emplace();
    for (size_t i = page.from; i < page.to; ++i) {
      std::string kind = keys[i].substr(0, keys[i].find(' ')), name = keys[i].substr(kind.size() + 1);
      if (kind == "group") out.PolicyGroups->push_back({name, account->groups.at(name)->id});
      if (kind == "role") out.PolicyRoles->push_back({name, account->roles.at(name)->id});
      if (kind == "user") out.PolicyUsers->push_back({name, account->users.at(name)->id});
    }
    return out;
  }

  Result<api::Empty> tag(const Allowed<iam::TagPolicyRequest>& r) {
    return change(r.call, r.input.PolicyArn, [&](Draft& draft, ManagedPolicy& p) -> Result<void> {
      TRY(p.tags, merged_tags(std::move(p.tags), r.input.Tags, "TagsPerPolicy"));
      draft.put(p);
      return {};
    });
  }
  Result<api::Empty> untag(const Allowed<iam::UntagPolicyRequest>& r) {
    return change(r.call, r.input.PolicyArn, [&](Draft& draft, ManagedPolicy& p) -> Result<void> {
      remove_tags(p.tags, r.input.TagKeys);
      draft.put(p);
      return {};
    });
  }
  Result<iam::ListPolicyTagsResponse> tags(const Allowed<iam::ListPolicyTagsRequest>& r) {
    TRY(auto p, the_policy(*account_of(parts_, r.call), r.input.PolicyArn));
    return list_tags<iam::ListPolicyTagsRequest, iam::ListPolicyTagsResponse>(p->tags, r.input);
  }

 private:
  static Result<int> the_version(const ManagedPolicy& p, const std::string& id) {
    int number = version_number(id);
    if (p.versions.contains(number)) return number;
    return no_such_entity("Policy " + p.arn + " version " + id + " does not exist or is not attachable.");
  }
  Result<api::Empty> change(const Call& call, const std::string& arn,
                            const std::function<Result<void>(Draft&, ManagedPolicy&)>& edit) {
    TRY_VOID(parts_.accounts.write(call.caller->account, [&](Draft& draft) -> Result<void> {
      TRY(auto* old, the_own_policy(draft.account(), arn));
      ManagedPolicy p = *old;
      return edit(draft, p);
    }));
    return api::Empty{};
  }
  Parts& parts_;
};

}  // namespace

void declare_managed_policies(access::Gate& gate, Parts& p) {
  using namespace iam::op;
  auto policies = std::make_shared<ManagedPolicies>(p);
  auto named = [&p](auto& in, auto& call) -> Resources { return std::vector{policy_resource(p, call, in.PolicyArn)}; };
  auto to_be = [](auto& in, auto& call) -> Resources {
    return std::vector{new_resource(call, "policy", in.Path, in.PolicyName)};
  };
  auto tag_keys = [](auto& in, auto&, Context& c) { fill_tag_keys(c, in.Tags); };
  auto has_tags = [](auto& in, auto&) { return in.Tags && !in.Tags->empty(); };
  gate.add<CreatePolicy>({.needs = {{.action = "iam:CreatePolicy", .resources = to_be, .context = tag_keys},
                                    {.action = "iam:TagPolicy", .resources = to_be, .context = tag_keys, .when = has_tags}},
                          .handler = [policies](auto& r) { return policies->create(r); }});
  gate.add<GetPolicy>(
      {.needs = {{.action = "iam:GetPolicy", .resources = named}}, .handler = [policies](auto& r) { return policies->get(r); }});
  gate.add<ListPolicies>(
      {.needs = {{.action = "iam:ListPolicies"}}, .handler = [policies](auto& r) { return policies->list(r); }});
  gate.add<DeletePolicy>({.needs = {{.action = "iam:DeletePolicy", .resources = named}},
                          .handler = [policies](auto& r) { return policies->erase(r); }});
  gate.add<CreatePolicyVersion>({.needs = {{.action = "iam:CreatePolicyVersion", .resources = named}},
                                 .handler = [policies](auto& r) { return policies->create_version(r); }});
  gate.add<GetPolicyVersion>({.needs = {{.action = "iam:GetPolicyVersion", .resources = named}},
                              .handler = [policies](auto& r) { return policies->get_version(r); }});
  gate.add<DeletePolicyVersion>({.needs = {{.action = "iam:DeletePolicyVersion", .resources = named}},
                                 .handler = [policies](auto& r) { return policies->delete_version(r); }});
  gate.add<SetDefaultPolicyVersion>({.needs = {{.action = "iam:SetDefaultPolicyVersion", .resources = named}},
                                     .handler = [policies](auto& r) { return policies->set_default(r); }});
  gate.add<ListPolicyVersions>({.needs = {{.action = "iam:ListPolicyVersions", .resources = named}},
                                .handler = [policies](auto& r) { return policies->list_versions(r); }});
  gate.add<ListEntitiesForPolicy>({.needs = {{.action = "iam:ListEntitiesForPolicy", .resources = named}},
                                   .handler = [policies](auto& r) { return policies->entities(r); }});
  gate.add<TagPolicy>({.needs = {{.action = "iam:TagPolicy",
                                  .resources = named,
                                  .context = [](auto& in, auto&, Context& c) { fill_tag_keys(c, in.Tags); }}},
                       .handler = [policies](auto& r) { return policies->tag(r); }});
  gate.add<UntagPolicy>({.needs = {{.action = "iam:UntagPolicy",
                                    .resources = named,
                                    .context = [](auto& in, auto&, Context& c) { fill_untag_keys(c, in.TagKeys); }}},
                         .handler = [policies](auto& r) { return policies->untag(r); }});
  gate.add<ListPolicyTags>({.needs = {{.action = "iam:ListPolicyTags", .resources = named}},
                            .handler = [policies](auto& r) { return policies->tags(r); }});
}

}  // namespace redoubt::identity
