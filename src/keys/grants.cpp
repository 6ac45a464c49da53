/// Grants: permissions on one key that need no policy change. A grant token is accepted and needs nothing: grants act at once
/// here.
#include "base/crypto.h"
#include "base/ids.h"
#include "base/text.h"
#include "api/kms.h"
#include "keys/rows.h"

namespace redoubt::keys {

using namespace api::kms;
using access::Allowed;

namespace {

GrantListEntry shown(const Key& key, const Grant& g) {
  GrantListEntry e;
  e.KeyId = key.arn();
  e.GrantId = g.id;
  e.Name = g.name;
  e.CreationDate = g.created;
  e.GranteePrincipal = g.grantee;
  if (!g.retiring.empty()) e.RetiringPrincipal = g.retiring;
  e.IssuingAccount = iam_arn(g.issuing_account, "root");
  e.Operations = g.operations;
  if (!g.subset.empty() || !g.equals.empty()) {
    GrantConstraints c;
    c.EncryptionContextSubset = g.subset;
    c.EncryptionContextEquals = g.equals;
    e.Constraints = c;
  }
  return e;
}

bool is_retirer(const Grant& g, const access::Caller& caller) {
  return !g.retiring.empty() && (g.retiring == caller.arn || g.retiring == caller.issuer_arn);
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
  create.handler = [this](const Allowed<CreateGrantRequest>& r) -> Result<CreateGrantResponse> {
    auto& in = r.input;
    if (in.GranteeServicePrincipal || in.RetiringServicePrincipal)
      return fail(kUnsupportedOperation, "Grants to service principals are not supported by this server.");
    if (!in.GranteePrincipal ||
        (!in.GranteePrincipal->starts_with("arn:aws:iam::") && !in.GranteePrincipal->starts_with("arn:aws:sts::")))
      return fail(kInvalidArn, "ARN does not refer to a valid principal: " + in.GranteePrincipal.value_or("null"));
    if (in.Constraints && in.Constraints->SourceArn)
      return fail(kUnsupportedOperation, "The grant constraint SourceArn is not supported by this server.");
    TRY(auto key, require_usable(in.KeyId, r.call));
    TRY_VOID(check_dry_run(in.DryRun.value_or(false)));
    Grant g{.id = hex(crypto::random_bytes(32)), .token = base64url(crypto::random_bytes(48)), .name = in.Name.value_or("")};
    g.grantee = *in.GranteePrincipal;
    g.retiring = in.RetiringPrincipal.value_or("");
    g.issuing_account = r.call.caller->account;
    g.operations = in.Operations;
    g.created = clock_.now();
    if (in.Constraints) {
      g.subset = or_empty(in.Constraints->EncryptionContextSubset);
      g.equals = or_empty(in.Constraints->EncryptionContextEquals);
    }
    // A grant can't give what only a grant gave, beyond that grant: who holds CreateGrant by a grant may pass on its operations
    // only.
    auto caller_resource = resource_of(*key, r.call, "kms:CreateGrant", {});
    if (caller_resource.granted) {
      auto by_policy = caller_resource;
      by_policy.granted = false;
      if (!gate_->decide(r.call, "kms:CreateGrant", by_policy).allowed())
        for (auto& o : g.operations)
          if (!resource_of(*key, r.call, "kms:" + o, g.equals.empty() ? g.subset : g.equals).granted)
            return fail(access::kAccessDenied,
                        "The grant may only include operations that the parent grant allows; it doesn't allow " + o + ".");
    }
    TRY_VOID(store_.update(*key, [&](Key& k) -> Result<void> {
      if (k.grants.size() >= 50000) return fail(kLimitExceeded, "A key can have at most 50000 grants.");
      // Same name and parameters: the existing grant is returned, as AWS does for retried requests.
      for (auto& old : k.grants)
        if (!g.name.empty() && old.name == g.name && old.grantee == g.grantee && old.operations == g.operations &&
            old.retiring == g.retiring && old.subset == g.subset && old.equals == g.equals) {
          g.id = old.id;
          return {};
        }
      k.grants.push_back(g);
      return {};
    }));
    return CreateGrantResponse{.GrantToken = g.token, .GrantId = g.id};
  };
  gate_->add<op::CreateGrant>(std::move(create));

  key_operation<op::ListGrants>(
      "kms:ListGrants",
      [this](const Allowed<ListGrantsRequest>& r) -> Result<ListGrantsResponse> {
        TRY(auto key, require(r.input.KeyId, r.call));
        std::vector<GrantListEntry> all;
        for (auto& g : key->grants)
          if ((!r.input.GrantId || *r.input.GrantId == g.id) &&
              (!r.input.GranteePrincipal || *r.input.GranteePrincipal == g.grantee))
            all.push_back(shown(*key, g));
        ListGrantsResponse out;
        TRY(out.Grants, page(all, r.input, out, 50));
        return out;
      },
      true);

  key_operation<op::RevokeGrant>(
      "kms:RevokeGrant",
      [this](const Allowed<RevokeGrantRequest>& r) -> Result<op::RevokeGrant::Output> {
        TRY(auto key, require(r.input.KeyId, r.call));
        TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
        TRY_VOID(store_.update(*key, [&](Key& k) -> Result<void> {
          if (!std::erase_if(k.grants, [&](auto& g) { return g.id == r.input.GrantId; }))
            return fail(kNotFound, "Grant " + r.input.GrantId + " is not found.");
          return {};
        }));
        return {};
      },
      false);

  // Retiring is for the retiring principal (no permission needed), the grantee with RetireGrant, and the issuing account.
  auto grant_of = [this](const RetireGrantRequest& in, const access::Call& call) -> std::pair<KeyPtr, std::string> {
    if (in.KeyId && in.GrantId) return {find(*in.KeyId, call).key, *in.GrantId};
    if (in.GrantToken)
      for (auto& key : store_.all())
        for (auto& g : key->grants)
          if (crypto::constant_time_equal(g.token, *in.GrantToken)) return {key, g.id};
    return {nullptr, ""};
  };
  access::Row<op::RetireGrant> retire{.needs = {{.action = "kms:RetireGrant",
                   .resources = [this, grant_of](const RetireGrantRequest& in,
                                                 const access::Call& call) -> Result<std::vector<access::Resource>> {
                     auto [key, id] = grant_of(in, call);
                     if (!key)
                       return std::vector{access::Resource{.arn = in.KeyId.value_or("*"),
                                                           .account = call.caller->account,
                                                           .missing = Error{&kNotFound, "The grant is not found."}}};
                     auto r = resource_of(*key, call, "kms:RetireGrant", {});
                     for (auto& g : key->grants)
                       if (g.id == id && is_retirer(g, *call.caller)) r.granted = true;
                     return std::vector{r};
                   }}}};
  retire.denial = policy::DenialStyle::kms;
  retire.handler = [this, grant_of](const Allowed<RetireGrantRequest>& r) -> Result<op::RetireGrant::Output> {
    auto [key, id] = grant_of(r.input, r.call);
    if (!key) return fail(kNotFound, "The grant is not found.");
    TRY_VOID(check_dry_run(r.input.DryRun.value_or(false)));
    TRY_VOID(store_.update(*key, [&, id = id](Key& k) -> Result<void> {
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
    std::vector<GrantListEntry> all;
    for (auto& key : store_.all())
      for (auto& g : key->grants)
        if (key->region == r.call.region && g.retiring == *r.input.RetiringPrincipal) all.push_back(shown(*key, g));
    ListGrantsResponse out;
    TRY(out.Grants, page(all, r.input, out, 50));
    return out;
  };
  gate_->add<op::ListRetirableGrants>(std::move(retirable));
}

}  // namespace redoubt::keys
