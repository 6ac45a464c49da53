/// Grants: permissions on one key that need no policy change. A grant token is accepted and needs nothing: grants act at once
/// here.
#include <algorithm>

#include "api/kms.h"
#include "base/crypto.h"
#include "base/ids.h"
#include "base/text.h"
#include "keys/rows.h"

namespace redoubt::keys {

using namespace api::kms;
using access::Allowed;

namespace {

GrantListEntry shown(const Key& key, const Grant& g, access::Directory& directory) {
  GrantListEntry e;
  e.KeyId = key.arn();
  e.GrantId = g.id;
  e.Name = g.name;
  e.CreationDate = g.created;
  e.GranteePrincipal = directory.id_to_principal(g.grantee);
  if (!g.retiring.empty()) e.RetiringPrincipal = directory.id_to_principal(g.retiring);
  e.IssuingAccount = iam_arn(g.issuing_account, "root");
  e.Operations = g.operations;
  if (!g.subset.empty() || !g.equals.empty()) {
    GrantConstraints c;
    if (!g.subset.empty()) c.EncryptionContextSubset = g.subset;
    if (!g.equals.empty()) c.EncryptionContextEquals = g.equals;
    e.Constraints = c;
  }
  return e;
}

/// A principal as grants keep it. Errors: kInvalidArn.
Result<std::string> principal_id(const std::string& arn, access::Directory& directory) {
  bool form = arn.starts_with("arn:aws:iam::") || arn.starts_with("arn:aws:sts::");
  auto id = form ? directory.principal_to_id("AWS", arn) : std::nullopt;
  if (!id) return fail(kInvalidArn, "ARN does not refer to a valid principal: " + arn);
  return *id;
}

/// What a CreateGrant asks for, without id and token. Errors: kInvalidArn, kUnsupportedOperation, kValidation.
Result<Grant> asked_grant(const CreateGrantRequest& in, access::Directory& directory) {
  if (in.GranteeServicePrincipal || in.RetiringServicePrincipal)
    return fail(kUnsupportedOperation, "Grants to service principals are not supported by this server.");
  if (in.Constraints && in.Constraints->SourceArn)
    return fail(kUnsupportedOperation, "The grant constraint SourceArn is not supported by this server.");
  Grant g{.name = in.Name.value_or("")};
  TRY(g.grantee, principal_id(in.GranteePrincipal.value_or("null"), directory));
  if (in.RetiringPrincipal) {
    TRY(g.retiring, principal_id(*in.RetiringPrincipal, directory));
  }
  g.operations = in.Operations;
  if (!in.Constraints) return g;
  g.subset = or_empty(in.Constraints->EncryptionContextSubset);
  g.equals = or_empty(in.Constraints->EncryptionContextEquals);
  TRY_VOID(check_context_size(g.subset));
  TRY_VOID(check_context_size(g.equals));
  if (!g.subset.empty() && !g.equals.empty())
    return fail(kValidation, "Specify either EncryptionContextSubset or EncryptionContextEquals, not both.");
  return g;
}

/// Whoever may create grants only by a grant passes on what that grant gives, under constraints that are as strict.
Result<void> check_within_parents(const Key& key, const Grant& child, const access::Caller& caller) {
  for (auto& operation : child.operations) {
    bool covered = std::any_of(key.grants.begin(), key.grants.end(), [&](const Grant& parent) {
      return is_principal(parent.grantee, caller) && parent.allows("CreateGrant") && parent.allows(operation) &&
             parent.is_at_least_as_wide_as(child);
    });
    if (!covered)
      return fail(access::kAccessDenied,
                  "The grant may only include operations that the parent grant allows; it doesn't allow " + operation + ".");
  }
  return {};
}

bool same_terms(const Grant& a, const Grant& b) {
  return a.name == b.name && a.grantee == b.grantee && a.operations == b.operations && a.retiring == b.retiring &&
         a.subset == b.subset && a.equals == b.equals;
}

}  // namespace

void Keys::declare_grants() {
  auto need = needs_key<CreateGrantRequest>("kms:CreateGrant");
  need.context = [](const CreateGrantRequest& in, const access::Call& call, policy::Context& c) {
    c.set_list("kms:GrantOperations", in.Operations);
    c.set("kms:GranteePrincipal", in.GranteePrincipal.value_or(""));
    if (in.RetiringPrincipal) c.set("kms:RetiringPrincipal", *in.RetiringPrincipal);
    c.set_bool("kms:GrantIsForAWSResource", call.via_aws_service());
    if (in.Constraints)
      c.set("kms:GrantConstraintType",
            or_empty(in.Constraints->EncryptionContextEquals).empty() ? "EncryptionContextSubset" : "EncryptionContextEquals");
  };
  access::Row<op::CreateGrant> create{.needs = {need}};
  create.denial = policy::DenialStyle::kms;
  create.secret_members = {"GrantToken"};
  create.handler = [this](const Allowed<CreateGrantRequest>& r) -> Result<CreateGrantResponse> {
    auto key = r.found<Key>();
    TRY(auto g, asked_grant(r.input, gate_->directory()));
    TRY_VOID(check_usable(*key));
    auto by_policy = resource_of(key, r.call, "kms:CreateGrant", {});
    by_policy.granted = false;
    if (!gate_->decide(r.call, "kms:CreateGrant", by_policy).allowed()) TRY_VOID(check_within_parents(*key, g, *r.call.caller));
    TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
    g.id = hex(crypto::random_bytes(32));
    g.token = base64url(crypto::random_bytes(48));
    g.issuing_account = r.call.caller->account;
    g.created = clock_.now();
    TRY_VOID(store_.update(*key, [&](Key& k) -> Result<void> {
      // Same name and terms: the existing grant is returned, as AWS does for retried requests.
      for (auto& old : k.grants)
        if (!g.name.empty() && same_terms(old, g)) {
          g.id = old.id;
          g.token = old.token;
          return {};
        }
      if (k.grants.size() >= 50000) return fail(kLimitExceeded, "A key can have at most 50000 grants.");
      k.grants.push_back(g);
      return {};
    }));
    return CreateGrantResponse{.GrantToken = g.token, .GrantId = g.id};
  };
  gate_->add<op::CreateGrant>(std::move(create));

  key_operation<op::ListGrants>(
      "kms:ListGrants", Reach::any_account,
      [this](const Allowed<ListGrantsRequest>& r, const KeyPtr& key) -> Result<ListGrantsResponse> {
        std::vector<GrantListEntry> all;
        for (auto& g : key->grants) {
          if (r.input.GrantId && *r.input.GrantId != g.id) continue;
          auto entry = shown(*key, g, gate_->directory());
          if (!r.input.GranteePrincipal || *r.input.GranteePrincipal == entry.GranteePrincipal) all.push_back(std::move(entry));
        }
        ListGrantsResponse out;
        TRY(out.Grants, page(all, r.input, out, 50));
        return out;
      },
      true);

  key_operation<op::RevokeGrant>(
      "kms:RevokeGrant", Reach::any_account,
      [this](const Allowed<RevokeGrantRequest>& r, const KeyPtr& key) -> Result<op::RevokeGrant::Output> {
        TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
        TRY_VOID(store_.update(*key, [&](Key& k) -> Result<void> {
          if (!std::erase_if(k.grants, [&](auto& g) { return g.id == r.input.GrantId; }))
            return fail(kNotFound, "Grant " + r.input.GrantId + " is not found.");
          return {};
        }));
        return {};
      },
      false);

  // Retiring a grant is for its retiring principal, for its grantee if RetireGrant is among its operations, and for those whom
  // policies let: kms:RetireGrant on the key.
  auto grant_of = [this](const RetireGrantRequest& in, const access::Call& call) -> std::pair<KeyPtr, const Grant*> {
    auto grant = [](const KeyPtr& key, auto matches) -> const Grant* {
      auto it = std::find_if(key->grants.begin(), key->grants.end(), matches);
      return it == key->grants.end() ? nullptr : &*it;
    };
    if (in.KeyId && in.GrantId) {
      auto key = find(*in.KeyId, call).key;
      return {key, key ? grant(key, [&](auto& g) { return g.id == *in.GrantId; }) : nullptr};
    }
    if (in.GrantToken)
      for (auto& key : store_.all())
        if (auto* g = grant(key, [&](auto& x) { return crypto::constant_time_equal(x.token, *in.GrantToken); })) return {key, g};
    return {};
  };
  access::Row<op::RetireGrant> retire{
      .needs = {{.action = "kms:RetireGrant",
                 .resources = [this, grant_of](const RetireGrantRequest& in,
                                               const access::Call& call) -> Result<std::vector<access::Resource>> {
                   auto [key, grant] = grant_of(in, call);
                   Error missing{&kNotFound, "The grant is not found."};
                   if (!key) return std::vector{access::Resource{.arn = in.KeyId.value_or("*"), .missing = std::move(missing)}};
                   auto r = resource_of(key, call, "kms:RetireGrant", {});
                   // By this grant, and not by any other that the caller holds.
                   r.granted = grant && (is_principal(grant->retiring, *call.caller) ||
                                         (is_principal(grant->grantee, *call.caller) && grant->allows("RetireGrant")));
                   if (!grant) r.missing = std::move(missing);
                   return std::vector{r};
                 }}}};
  retire.denial = policy::DenialStyle::kms;
  retire.secret_members = {"GrantToken"};
  retire.handler = [this, grant_of](const Allowed<RetireGrantRequest>& r) -> Result<op::RetireGrant::Output> {
    auto key = r.found<Key>();
    auto [now_key, grant] = grant_of(r.input, r.call);
    if (!grant || now_key->id != key->id) return fail(kNotFound, "The grant is not found.");
    TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
    TRY_VOID(store_.update(*key, [id = grant->id](Key& k) -> Result<void> {
      if (!std::erase_if(k.grants, [&](auto& g) { return g.id == id; })) return fail(kNotFound, "Grant " + id + " is not found.");
      return {};
    }));
    return {};
  };
  gate_->add<op::RetireGrant>(std::move(retire));

  access::Row<op::ListRetirableGrants> retirable{.needs = {{.action = "kms:ListRetirableGrants"}}};
  retirable.read_only = true;
  retirable.denial = policy::DenialStyle::kms;
  retirable.handler = [this](const Allowed<ListRetirableGrantsRequest>& r) -> Result<ListGrantsResponse> {
    if (!r.input.RetiringPrincipal) return fail(kValidation, "RetiringPrincipal must be specified.");
    auto arn = Arn::parse(*r.input.RetiringPrincipal);
    if (!arn || arn->account != r.call.caller->account)
      return fail(kInvalidArn, "The retiring principal must be in the caller's account.");
    TRY(auto retiring, principal_id(*r.input.RetiringPrincipal, gate_->directory()));
    std::vector<GrantListEntry> all;
    for (auto& key : store_.all())
      for (auto& g : key->grants)
        if (key->region == r.call.region && g.retiring == retiring) all.push_back(shown(*key, g, gate_->directory()));
    ListGrantsResponse out;
    TRY(out.Grants, page(all, r.input, out, 50));
    return out;
  };
  gate_->add<op::ListRetirableGrants>(std::move(retirable));
}

}  // namespace redoubt::keys
