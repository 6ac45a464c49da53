/// The organization, its accounts and units. Accounts are made at once: CreateAccount answers IN_PROGRESS as AWS does and the
/// first DescribeCreateAccountStatus says SUCCEEDED. Source: AWS Organizations API Reference.
#include <algorithm>
#include <mutex>

#include "base/crypto.h"
#include "base/ids.h"
#include "identity/organizations_common.h"

namespace redoubt::identity {

namespace {

constexpr ErrorKind kAccountAlreadyClosed{"AccountAlreadyClosedException", 400};
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kAllowAll = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";
constexpr std::string_view kAllowAllRcp =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]})";

std::string org_arn(const Organization& o, std::string_view kind, std::string_view id) {
  return make_arn("organizations", "", o.management, std::string(kind) + "/" + o.id + "/" + std::string(id));
}

orgs::Organization to_api(const Organization& o) {
  orgs::Organization out;
  out.Id = o.id;
  out.Arn = o.arn;
  out.FeatureSet = "ALL";
  out.MasterAccountArn = org_arn(o, "account", o.management);
  out.MasterAccountId = o.management;
  out.MasterAccountEmail = o.email;
  out.AvailablePolicyTypes = std::vector<orgs::PolicyTypeSummary>{{"SERVICE_CONTROL_POLICY", "ENABLED"}};
  return out;
}
orgs::Account to_api(const OrgAccount& a) {
  orgs::Account out;
  out.Id = a.id;
  out.Arn = a.arn;
  out.Email = a.email;
  out.Name = a.name;
  out.Status = a.status;
  out.State = a.status;
  out.JoinedMethod = a.invited ? "INVITED" : "CREATED";
  out.JoinedTimestamp = a.joined;
  return out;
}
orgs::OrganizationalUnit to_api(const OrgUnit& u) {
  orgs::OrganizationalUnit out;
  out.Id = u.id;
  out.Arn = u.arn;
  out.Name = u.name;
  return out;
}
orgs::CreateAccountStatus to_api(const CreateAccountStatus& s, bool as_requested = false) {
  orgs::CreateAccountStatus out;
  out.Id = s.id;
  out.AccountName = s.name;
  out.State = as_requested ? "IN_PROGRESS" : s.state;
  out.RequestedTimestamp = s.requested;
  if (as_requested) return out;
  out.CompletedTimestamp = s.completed;
  if (!s.account.empty()) out.AccountId = s.account;
  if (!s.failure.empty()) out.FailureReason = s.failure;
  return out;
}

class Organizations {
 public:
  explicit Organizations(Parts& parts) : parts_(parts) {}

  // -- the organization --------------------------------------------------------------------------------------------------------

  Result<orgs::CreateOrganizationResponse> create(const Allowed<orgs::CreateOrganizationRequest>& r) {
    if (r.input.FeatureSet.value_or("ALL") != "ALL")
      return fail(kOrgInvalidInput, "The feature set CONSOLIDATED_BILLING is not supported.");
    std::lock_guard lock(creating_);  // two at once would make two organizations of one account
    const std::string& id = r.call.caller->account;
    if (parts_.accounts.organization_of(id))
      return fail(kAlreadyInOrganization, "The AWS account is already a member of an organization.");
    AccountPtr account = account_of(parts_, r.call);
    orgs::CreateOrganizationResponse out;
    TRY_VOID(parts_.accounts.write_organization("", [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      o.id = "o-" + random_text(10, kLower);
      o.management = id;
      o.email = account->email;
      o.arn = make_arn("organizations", "", id, "organization/" + o.id);
      o.root_id = "r-" + random_text(4, kLower);
      o.root_arn = org_arn(o, "root", o.root_id);
      o.created = parts_.clock.now();
      o.accounts[id] = {id, org_arn(o, "account", id), account->name, account->email, o.root_id, "ACTIVE", o.created, true, {}};
      add_aws_policy(o, kFullAccessScp, "FullAWSAccess", "Allows access to every operation", OrgPolicyType::scp, kAllowAll);
      add_aws_policy(o, kFullAccessRcp, "RCPFullAWSAccess", "Allow All Access", OrgPolicyType::rcp, kAllowAllRcp);
      out.Organization = to_api(o);
      return {};
    }));
    return out;
  }
  Result<orgs::DescribeOrganizationResponse> describe(const Allowed<api::Empty>& r) {
    TRY(auto o, the_organization(parts_, r.call, false));
    return orgs::DescribeOrganizationResponse{to_api(*o)};
  }
  Result<api::Empty> erase(const Allowed<api::Empty>& r) {
    return write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      if (draft.organization.accounts.size() > 1)
        return fail(kOrganizationNotEmpty, "The organization contains member accounts. Remove them before you delete it.");
      draft.erase();
      return {};
    });
  }

  // -- accounts ----------------------------------------------------------------------------------------------------------------

  Result<orgs::CreateAccountResponse> create_account(const Allowed<orgs::CreateAccountRequest>& r) {
    const auto& in = r.input;
    Tags tags;
    if (in.Tags) {
      TRY(tags, merged_tags({}, *in.Tags));
    }
    orgs::CreateAccountResponse out;
    TRY_VOID(write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      CreateAccountStatus status;
      status.id = "car-" + random_text(32, "0123456789abcdef");
      status.name = in.AccountName;
      status.requested = status.completed = parts_.clock.now();
      bool known = std::any_of(o.accounts.begin(), o.accounts.end(), [&](auto& a) { return iequals(a.second.email, in.Email); });
      if (known) {
        status.state = "FAILED";
        status.failure = "EMAIL_ALREADY_EXISTS";
      } else {
        status.account = new_account(draft, in, tags, status.requested);
      }
      out.CreateAccountStatus = to_api(status, true);
      o.requests[status.id] = std::move(status);
      return {};
    }));
    return out;
  }
  Result<orgs::DescribeCreateAccountStatusResponse> account_status(const Allowed<orgs::DescribeCreateAccountStatusRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    auto it = o->requests.find(r.input.CreateAccountRequestId);
    if (it == o->requests.end())
      return fail(kCreateAccountStatusNotFound,
                  "We can't find a create account request with the CreateAccountRequestId that you specified.");
    return orgs::DescribeCreateAccountStatusResponse{to_api(it->second)};
  }
  Result<orgs::ListCreateAccountStatusResponse> account_statuses(const Allowed<orgs::ListCreateAccountStatusRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    std::map<std::string, CreateAccountStatus> all;
    for (auto& [id, s] : o->requests)
      if (!r.input.States || r.input.States->empty() || std::count(r.input.States->begin(), r.input.States->end(), s.state))
        all.emplace(id, s);
    orgs::ListCreateAccountStatusResponse out;
    TRY(auto page, page_items(all, r.input, out));
    out.CreateAccountStatuses.emplace();
    for (auto& s : page) out.CreateAccountStatuses->push_back(to_api(s));
    return out;
  }
  Result<orgs::DescribeAccountResponse> describe_account(const Allowed<orgs::DescribeAccountRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    TRY(auto* a, the_account(*o, r.input.AccountId));
    return orgs::DescribeAccountResponse{to_api(*a)};
  }
  Result<orgs::ListAccountsResponse> accounts(const Allowed<orgs::ListAccountsRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    orgs::ListAccountsResponse out;
    TRY(auto page, page_items(o->accounts, r.input, out));
    out.Accounts.emplace();
    for (auto& a : page) out.Accounts->push_back(to_api(a));
    return out;
  }
  Result<orgs::ListAccountsForParentResponse> accounts_of(const Allowed<orgs::ListAccountsForParentRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    TRY_VOID(check_parent(*o, r.input.ParentId));
    std::map<std::string, OrgAccount> of;
    for (auto& [id, a] : o->accounts)
      if (a.parent == r.input.ParentId) of.emplace(id, a);
    orgs::ListAccountsForParentResponse out;
    TRY(auto page, page_items(of, r.input, out));
    out.Accounts.emplace();
    for (auto& a : page) out.Accounts->push_back(to_api(a));
    return out;
  }
  Result<api::Empty> close_account(const Allowed<orgs::CloseAccountRequest>& r) {
    return write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      TRY([[maybe_unused]] auto* there, the_account(draft.organization, r.input.AccountId));
      if (r.input.AccountId == draft.organization.management)
        return fail(kConstraintViolation, "You can't close the management account of an organization.");
      auto& status = draft.organization.accounts[r.input.AccountId].status;
      if (status == "SUSPENDED") return fail(kAccountAlreadyClosed, "The provided account is already closed.");
      status = "SUSPENDED";
      return {};
    });
  }
  Result<api::Empty> move_account(const Allowed<orgs::MoveAccountRequest>& r) {
    const auto& in = r.input;
    return write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      TRY(auto* a, the_account(o, in.AccountId));
      if (!is_parent(o, in.DestinationParentId))
        return fail(kDestinationParentNotFound, "We can't find the destination container that you specified.");
      if (a->parent != in.SourceParentId)
        return fail(kSourceParentNotFound, "We can't find the source root or OU with the ParentId that you specified.");
      if (in.SourceParentId == in.DestinationParentId)
        return fail(kDuplicateAccount, "That account is already present in the specified destination.");
      o.accounts[in.AccountId].parent = in.DestinationParentId;
      return {};
    });
  }
  Result<api::Empty> remove_account(const Allowed<orgs::RemoveAccountFromOrganizationRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    return leave(*o, r.input.AccountId);
  }
  Result<api::Empty> leave_organization(const Allowed<api::Empty>& r) {
    TRY(auto o, the_organization(parts_, r.call, false));
    return leave(*o, r.call.caller->account);
  }

  // -- the tree ----------------------------------------------------------------------------------------------------------------

  Result<orgs::ListRootsResponse> roots(const Allowed<orgs::ListRootsRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    orgs::ListRootsResponse out;
    out.Roots = std::vector{root_to_api(*o)};
    return out;
  }
  Result<orgs::ListParentsResponse> parents(const Allowed<orgs::ListParentsRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    std::string parent;
    if (auto it = o->accounts.find(r.input.ChildId); it != o->accounts.end()) parent = it->second.parent;
    if (auto it = o->units.find(r.input.ChildId); it != o->units.end()) parent = it->second.parent;
    if (parent.empty()) return fail(kChildNotFound, "You specified a child that doesn't exist.");
    orgs::ListParentsResponse out;
    out.Parents = std::vector<orgs::Parent>{{parent, parent == o->root_id ? "ROOT" : "ORGANIZATIONAL_UNIT"}};
    return out;
  }
  Result<orgs::ListChildrenResponse> children(const Allowed<orgs::ListChildrenRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    TRY_VOID(check_parent(*o, r.input.ParentId));
    std::map<std::string, orgs::Child> of;
    if (r.input.ChildType == "ACCOUNT")
      for (auto& [id, a] : o->accounts)
        if (a.parent == r.input.ParentId) of.emplace(id, orgs::Child{id, "ACCOUNT"});
    if (r.input.ChildType == "ORGANIZATIONAL_UNIT")
      for (auto& [id, u] : o->units)
        if (u.parent == r.input.ParentId) of.emplace(id, orgs::Child{id, "ORGANIZATIONAL_UNIT"});
    orgs::ListChildrenResponse out;
    TRY(out.Children, page_items(of, r.input, out));
    return out;
  }
  Result<orgs::CreateOrganizationalUnitResponse> create_unit(const Allowed<orgs::CreateOrganizationalUnitRequest>& r) {
    const auto& in = r.input;
    Tags tags;
    if (in.Tags) {
      TRY(tags, merged_tags({}, *in.Tags));
    }
    orgs::CreateOrganizationalUnitResponse out;
    TRY_VOID(write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      TRY_VOID(check_parent(o, in.ParentId));
      TRY_VOID(check_unit_name(o, in.ParentId, in.Name, ""));
      size_t depth = 1;
      for (auto it = o.units.find(in.ParentId); it != o.units.end(); it = o.units.find(it->second.parent)) ++depth;
      if (depth > kUnitDepthMax)
        return fail(kConstraintViolation, "You have exceeded the number of levels that an organization may have.");
      OrgUnit u;
      u.id = "ou-" + o.root_id.substr(2) + "-" + random_text(8, kLower);
      u.arn = org_arn(o, "ou", u.id);
      u.name = in.Name;
      u.parent = in.ParentId;
      u.tags = tags;
      attach_full_access(o, u.id);
      out.OrganizationalUnit = to_api(u);
      o.units.emplace(u.id, std::move(u));
      return {};
    }));
    return out;
  }
  Result<orgs::UpdateOrganizationalUnitResponse> update_unit(const Allowed<orgs::UpdateOrganizationalUnitRequest>& r) {
    orgs::UpdateOrganizationalUnitResponse out;
    TRY_VOID(write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      TRY([[maybe_unused]] auto* there, the_unit(o, r.input.OrganizationalUnitId));
      OrgUnit& u = o.units[r.input.OrganizationalUnitId];
      if (r.input.Name) {
        TRY_VOID(check_unit_name(o, u.parent, *r.input.Name, u.id));
        u.name = *r.input.Name;
      }
      out.OrganizationalUnit = to_api(u);
      return {};
    }));
    return out;
  }
  Result<api::Empty> delete_unit(const Allowed<orgs::DeleteOrganizationalUnitRequest>& r) {
    return write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      Organization& o = draft.organization;
      const std::string& id = r.input.OrganizationalUnitId;
      TRY([[maybe_unused]] auto* there, the_unit(o, id));
      auto in_it = [&](auto& entry) { return entry.second.parent == id; };
      if (std::any_of(o.accounts.begin(), o.accounts.end(), in_it) || std::any_of(o.units.begin(), o.units.end(), in_it))
        return fail(kOuNotEmpty,
                    "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and "
                    "try the operation again.");
      o.units.erase(id);
      o.attachments.erase(id);
      return {};
    });
  }
  Result<orgs::DescribeOrganizationalUnitResponse> describe_unit(const Allowed<orgs::DescribeOrganizationalUnitRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    TRY(auto* u, the_unit(*o, r.input.OrganizationalUnitId));
    return orgs::DescribeOrganizationalUnitResponse{to_api(*u)};
  }
  Result<orgs::ListOrganizationalUnitsForParentResponse> units_of(
      const Allowed<orgs::ListOrganizationalUnitsForParentRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    TRY_VOID(check_parent(*o, r.input.ParentId));
    std::map<std::string, OrgUnit> of;
    for (auto& [id, u] : o->units)
      if (u.parent == r.input.ParentId) of.emplace(id, u);
    orgs::ListOrganizationalUnitsForParentResponse out;
    TRY(auto page, page_items(of, r.input, out));
    out.OrganizationalUnits.emplace();
    for (auto& u : page) out.OrganizationalUnits->push_back(to_api(u));
    return out;
  }

  // -- tags --------------------------------------------------------------------------------------------------------------------

  Result<api::Empty> tag(const Allowed<orgs::TagResourceRequest>& r) {
    return write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      auto* tags = tags_of(draft.organization, r.input.ResourceId);
      if (!tags) return no_target();
      TRY(*tags, merged_tags(*tags, r.input.Tags));
      return {};
    });
  }
  Result<api::Empty> untag(const Allowed<orgs::UntagResourceRequest>& r) {
    return write_organization(parts_, r.call, [&](OrganizationDraft& draft) -> Result<void> {
      auto* tags = tags_of(draft.organization, r.input.ResourceId);
      if (!tags) return no_target();
      remove_tags(*tags, r.input.TagKeys);
      return {};
    });
  }
  Result<orgs::ListTagsForResourceResponse> tags(const Allowed<orgs::ListTagsForResourceRequest>& r) {
    TRY(auto o, the_organization(parts_, r.call));
    Organization copy = *o;
    auto* tags = tags_of(copy, r.input.ResourceId);
    if (!tags) return no_target();
    orgs::ListTagsForResourceResponse out;
    out.Tags.emplace();
    for (auto& [key, value] : *tags) out.Tags->push_back({key, value});
    return out;
  }

 private:
  static std::unexpected<Error> no_target() {
    return fail(kTargetNotFound, "We can't find a root, OU, account, or policy with the TargetId that you specified.");
  }
  static bool is_parent(const Organization& o, const std::string& id) { return id == o.root_id || o.units.contains(id); }
  static Result<void> check_parent(const Organization& o, const std::string& id) {
    if (is_parent(o, id)) return {};
    return fail(kParentNotFound, "We can't find a root or OU with the ParentId that you specified.");
  }
  static Result<const OrgAccount*> the_account(const Organization& o, const std::string& id) {
    auto it = o.accounts.find(id);
    if (it != o.accounts.end()) return &it->second;
    return fail(kOrgAccountNotFound, "You specified an account that doesn't exist.");
  }
  static Result<const OrgUnit*> the_unit(const Organization& o, const std::string& id) {
    auto it = o.units.find(id);
    if (it != o.units.end()) return &it->second;
    return fail(kOuNotFound, "We can't find an OU with the OrganizationalUnitId that you specified.");
  }
  static Result<void> check_unit_name(const Organization& o, const std::string& parent, const std::string& name,
                                      const std::string& but) {
    for (auto& [id, u] : o.units)
      if (u.parent == parent && u.name == name && id != but)
        return fail(kDuplicateOu, "An OU with the same name already exists.");
    return {};
  }
  static void add_aws_policy(Organization& o, std::string_view id, std::string name, std::string description, OrgPolicyType type,
                             std::string_view document) {
    OrgPolicy p;
    p.id = id;
    p.arn = make_arn("organizations", "", "aws", "policy/" + to_lower(type_name(type)) + "/" + p.id);
    p.name = std::move(name);
    p.description = std::move(description);
    p.type = type;
    p.aws_managed = true;
    p.document = stored_document(std::string(document), type == OrgPolicyType::scp ? policy::Kind::scp : policy::Kind::rcp);
    o.policies.emplace(p.id, std::move(p));
  }

  /// Makes the account, with the role by which the management account reaches into it. Returns its id.
  std::string new_account(OrganizationDraft& draft, const orgs::CreateAccountRequest& in, const Tags& tags, Timestamp now) {
    Organization& o = draft.organization;
    Account account;
    do {
      account.id = random_text(12, "0123456789");
    } while (account.id[0] == '0' || parts_.accounts.find(account.id));
    std::string id = account.id;
    account.name = in.AccountName;
    account.email = in.Email;
    account.canonical_id = hex(crypto::random_bytes(32));
    account.created = now;
    draft.add_account(std::move(account), [&](Draft& fresh) {
      Role role;
      role.name = in.RoleName.value_or("OrganizationAccountAccessRole");
      role.id = new_iam_id("AROA");
      role.arn = iam_arn(id, "role/" + role.name);
      role.created = now;
      role.attached = {"arn:aws:iam::aws:policy/AdministratorAccess"};
      role.trust = stored_document(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":")" +
                                       iam_arn(o.management, "root") + R"("},"Action":"sts:AssumeRole"}]})",
                                   policy::Kind::trust);
      fresh.put(std::move(role));
    });
    o.accounts[id] = {id, org_arn(o, "account", id), in.AccountName, in.Email, o.root_id, "ACTIVE", now, false, tags};
    attach_full_access(o, id);
    return id;
  }

  Result<api::Empty> leave(const Organization& organization, const std::string& account) {
    TRY_VOID(parts_.accounts.write_organization(organization.id, [&](OrganizationDraft& draft) -> Result<void> {
      TRY([[maybe_unused]] auto* there, the_account(draft.organization, account));
      if (account == draft.organization.management)
        return fail(kMasterCannotLeave, "You can't remove a management account from an organization.");
      draft.organization.accounts.erase(account);
      draft.organization.attachments.erase(account);
      return {};
    }));
    return api::Empty{};
  }

  Parts& parts_;
  std::mutex creating_;
};

}  // namespace

void declare_organizations(access::Gate& gate, Parts& p) {
  using namespace orgs::op;
  auto o = std::make_shared<Organizations>(p);
  gate.add<CreateOrganization>(
      {.needs = {{.action = "organizations:CreateOrganization"}}, .handler = [o](auto& r) { return o->create(r); }});
  gate.add<DescribeOrganization>(
      {.needs = {{.action = "organizations:DescribeOrganization"}}, .handler = [o](auto& r) { return o->describe(r); }});
  gate.add<DeleteOrganization>(
      {.needs = {{.action = "organizations:DeleteOrganization"}}, .handler = [o](auto& r) { return o->erase(r); }});

  auto tag_keys = [](Context& c, auto& tags) {
    if (!tags || tags->empty()) return;
    std::vector<std::string> keys;
    for (auto& tag : *tags) {
      c.set("aws:RequestTag/" + tag.Key, tag.Value);
      keys.push_back(tag.Key);
    }
    c.set_list("aws:TagKeys", keys);
  };
  auto account = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.AccountId}); };
  gate.add<CreateAccount>({.needs = {{.action = "organizations:CreateAccount",
                                      .context = [tag_keys](auto& in, auto&, Context& c) { tag_keys(c, in.Tags); }}},
                           .handler = [o](auto& r) { return o->create_account(r); }});
  gate.add<DescribeCreateAccountStatus>({.needs = {{.action = "organizations:DescribeCreateAccountStatus"}},
                                         .handler = [o](auto& r) { return o->account_status(r); }});
  gate.add<ListCreateAccountStatus>({.needs = {{.action = "organizations:ListCreateAccountStatus"}},
                                     .handler = [o](auto& r) { return o->account_statuses(r); }});
  gate.add<DescribeAccount>({.needs = {{.action = "organizations:DescribeAccount", .resources = account}},
                             .handler = [o](auto& r) { return o->describe_account(r); }});
  gate.add<ListAccounts>(
      {.needs = {{.action = "organizations:ListAccounts"}}, .handler = [o](auto& r) { return o->accounts(r); }});
  gate.add<ListAccountsForParent>(
      {.needs = {{.action = "organizations:ListAccountsForParent",
                  .resources = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.ParentId}); }}},
       .handler = [o](auto& r) { return o->accounts_of(r); }});
  gate.add<CloseAccount>({.needs = {{.action = "organizations:CloseAccount", .resources = account}},
                          .handler = [o](auto& r) { return o->close_account(r); }});
  gate.add<MoveAccount>({.needs = {{.action = "organizations:MoveAccount",
                                    .resources =
                                        [&p](auto& in, auto& call) {
                                          return organization_resource(p, call,
                                                                       {in.AccountId, in.SourceParentId, in.DestinationParentId});
                                        }}},
                         .handler = [o](auto& r) { return o->move_account(r); }});
  gate.add<RemoveAccountFromOrganization>(
      {.needs = {{.action = "organizations:RemoveAccountFromOrganization", .resources = account}},
       .handler = [o](auto& r) { return o->remove_account(r); }});
  gate.add<LeaveOrganization>(
      {.needs = {{.action = "organizations:LeaveOrganization"}}, .handler = [o](auto& r) { return o->leave_organization(r); }});

  auto parent = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.ParentId}); };
  auto unit = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.OrganizationalUnitId}); };
  gate.add<ListRoots>({.needs = {{.action = "organizations:ListRoots"}}, .handler = [o](auto& r) { return o->roots(r); }});
  gate.add<ListParents>(
      {.needs = {{.action = "organizations:ListParents",
                  .resources = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.ChildId}); }}},
       .handler = [o](auto& r) { return o->parents(r); }});
  gate.add<ListChildren>({.needs = {{.action = "organizations:ListChildren", .resources = parent}},
                          .handler = [o](auto& r) { return o->children(r); }});
  gate.add<CreateOrganizationalUnit>({.needs = {{.action = "organizations:CreateOrganizationalUnit",
                                                 .resources = parent,
                                                 .context = [tag_keys](auto& in, auto&, Context& c) { tag_keys(c, in.Tags); }}},
                                      .handler = [o](auto& r) { return o->create_unit(r); }});
  gate.add<UpdateOrganizationalUnit>({.needs = {{.action = "organizations:UpdateOrganizationalUnit", .resources = unit}},
                                      .handler = [o](auto& r) { return o->update_unit(r); }});
  gate.add<DeleteOrganizationalUnit>({.needs = {{.action = "organizations:DeleteOrganizationalUnit", .resources = unit}},
                                      .handler = [o](auto& r) { return o->delete_unit(r); }});
  gate.add<DescribeOrganizationalUnit>({.needs = {{.action = "organizations:DescribeOrganizationalUnit", .resources = unit}},
                                        .handler = [o](auto& r) { return o->describe_unit(r); }});
  gate.add<ListOrganizationalUnitsForParent>(
      {.needs = {{.action = "organizations:ListOrganizationalUnitsForParent", .resources = parent}},
       .handler = [o](auto& r) { return o->units_of(r); }});

  auto tagged = [&p](auto& in, auto& call) { return organization_resource(p, call, {in.ResourceId}); };
  gate.add<TagResource>({.needs = {{.action = "organizations:TagResource",
                                    .resources = tagged,
                                    .context =
                                        [tag_keys](auto& in, auto&, Context& c) {
                                          auto* tags = &in.Tags;
                                          tag_keys(c, tags);
                                        }}},
                         .handler = [o](auto& r) { return o->tag(r); }});
  gate.add<UntagResource>({.needs = {{.action = "organizations:UntagResource",
                                      .resources = tagged,
                                      .context = [](auto& in, auto&, Context& c) { fill_untag_keys(c, in.TagKeys); }}},
                           .handler = [o](auto& r) { return o->untag(r); }});
  gate.add<ListTagsForResource>({.needs = {{.action = "organizations:ListTagsForResource", .resources = tagged}},
                                 .handler = [o](auto& r) { return o->tags(r); }});
  // No service of ours asks for trusted access: the list is truly empty.
  gate.add<ListAWSServiceAccessForOrganization>(
      {.needs = {{.action = "organizations:ListAWSServiceAccessForOrganization"}},
       .handler = [&p](auto& r) -> Result<orgs::ListAWSServiceAccessForOrganizationResponse> {
         TRY([[maybe_unused]] auto organization, the_organization(p, r.call));
         orgs::ListAWSServiceAccessForOrganizationResponse out;
         out.EnabledServicePrincipals.emplace();
         return out;
       }});
}

}  // namespace redoubt::identity
