/// CreateKey to ScheduleKeyDeletion: what happens to a key as a whole.
#include "api/kms.h"
#include "base/ids.h"
#include "base/text.h"
#include "keys/rows.h"

namespace redoubt::keys {

using namespace api::kms;
using access::Allowed;

namespace {

KeyMetadata metadata(const Key& k) {
  KeyMetadata m;
  m.AWSAccountId = k.account;
  m.KeyId = k.id;
  m.Arn = k.arn();
  m.CreationDate = k.created;
  m.Enabled = k.state == KeyState::enabled;
  m.Description = k.description;
  m.KeyUsage = "ENCRYPT_DECRYPT";
  m.KeyState = std::string(state_name(k.state));
  if (k.state == KeyState::pending_deletion) m.DeletionDate = k.deletion_date;
  m.Origin = "AWS_KMS";
  m.KeyManager = k.aws_managed ? "AWS" : "CUSTOMER";
  m.CustomerMasterKeySpec = m.KeySpec = "SYMMETRIC_DEFAULT";
  m.EncryptionAlgorithms = {"SYMMETRIC_DEFAULT"};
  m.MultiRegion = false;
  m.CurrentKeyMaterialId = k.materials.back().id;
  return m;
}

/// CloudFormation marks the keys it makes (aws:cloudformation:stack-id and so on). Nobody else can, so the marks prove whose a
/// key is, and they are no part of what policies decide about.
bool is_stack_mark(const Tag& t, const access::Call& call) {
  return !call.called_via.empty() && call.called_via.back() == "cloudformation.amazonaws.com" &&
         t.TagKey.starts_with("aws:cloudformation:");
}
std::vector<Tag> callers_tags(const CreateKeyRequest& in, const access::Call& call) {
  std::vector<Tag> out;
  for (auto& t : or_empty(in.Tags))
    if (!is_stack_mark(t, call)) out.push_back(t);
  return out;
}

Result<void> set_tags(Key& k, const std::vector<Tag>& tags, const access::Call* creating = nullptr) {
  for (auto& t : tags) {
    if (t.TagKey.starts_with("aws:") && !(creating && is_stack_mark(t, *creating)))
      return fail(kTagging, "Tags beginning with aws: are reserved.");
    k.tags[t.TagKey] = t.TagValue;
  }
  if (k.tags.size() > 50) return fail(kLimitExceeded, "A key can have at most 50 tags.");
  return {};
}

std::string default_policy(std::string_view account) {
  return R"({
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::)" +
         std::string(account) + R"(:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
})";
}

Result<void> check_own(const Key& key, const access::Call& call) {
  if (key.account == call.caller->account) return {};
  return fail(access::kAccessDenied, "This operation cannot be performed on a KMS key in a different AWS account: " + key.arn());
}

Result<void> only_default_policy(const std::optional<std::string>& name) {
  if (name && *name != "default") return fail(kNotFound, "No such policy exists");
  return {};
}

}  // namespace

void Keys::declare_lifecycle() {
  auto new_key_context = [](const CreateKeyRequest& in, const access::Call& call, policy::Context& c) {
    c.set("kms:KeySpec", in.KeySpec.value_or("SYMMETRIC_DEFAULT"));
    c.set("kms:KeyUsage", in.KeyUsage.value_or("ENCRYPT_DECRYPT"));
    c.set("kms:KeyOrigin", in.Origin.value_or("AWS_KMS"));
    c.set_bool("kms:MultiRegion", in.MultiRegion.value_or(false));
    c.set_bool("kms:BypassPolicyLockoutSafetyCheck", in.BypassPolicyLockoutSafetyCheck.value_or(false));
    set_request_tags(callers_tags(in, call), c);
  };
  access::Row<op::CreateKey> create{
      .needs = {{.action = "kms:CreateKey", .context = new_key_context},
                {.action = "kms:TagResource",
                 .context = new_key_context,
                 .when = [](const CreateKeyRequest& in, const access::Call& call) { return !callers_tags(in, call).empty(); }}}};
  create.denial = policy::DenialStyle::kms;
  create.handler = [this](const Allowed<CreateKeyRequest>& r) -> Result<CreateKeyResponse> {
    auto& in = r.input;
    auto refuse = [](std::string what) {
      return fail(kUnsupportedOperation, std::move(what) + " is not supported by this server.");
    };
    if (in.KeySpec && *in.KeySpec != "SYMMETRIC_DEFAULT") return refuse("KeySpec " + *in.KeySpec);
    if (in.CustomerMasterKeySpec && *in.CustomerMasterKeySpec != "SYMMETRIC_DEFAULT")
      return refuse("CustomerMasterKeySpec " + *in.CustomerMasterKeySpec);
    if (in.KeyUsage && *in.KeyUsage != "ENCRYPT_DECRYPT") return refuse("KeyUsage " + *in.KeyUsage);
    if (in.Origin && *in.Origin != "AWS_KMS") return refuse("Origin " + *in.Origin);
    if (in.CustomKeyStoreId || in.XksKeyId) return refuse("A custom key store");
    if (in.MultiRegion.value_or(false)) return refuse("A multi-Region key");
    Key key{
        .account = r.call.caller->account, .region = r.call.region, .id = new_uuid(), .description = in.Description.value_or("")};
    key.created = clock_.now();
    TRY_VOID(set_tags(key, or_empty(in.Tags), &r.call));
    TRY_VOID(set_policy(key, in.Policy.value_or(default_policy(key.account)), in.BypassPolicyLockoutSafetyCheck.value_or(false),
                        r.call));
    key.materials.push_back(new_material(false));
    TRY(auto made, store_.add(std::move(key)));
    return CreateKeyResponse{.KeyMetadata = metadata(*made)};
  };
  gate_->add<op::CreateKey>(std::move(create));

  key_operation<op::DescribeKey>(
      "kms:DescribeKey", Reach::any_account,
      [](const Allowed<DescribeKeyRequest>& r, const KeyPtr& key) -> Result<DescribeKeyResponse> {
        return DescribeKeyResponse{.KeyMetadata = metadata(*key)};
      },
      true);

  access::Row<op::ListKeys> list{.needs = {{.action = "kms:ListKeys"}}};
  list.read_only = true;
  list.denial = policy::DenialStyle::kms;
  list.handler = [this](const Allowed<ListKeysRequest>& r) -> Result<ListKeysResponse> {
    ListKeysResponse out;
    TRY(auto keys, page(store_.list(r.call.caller->account, r.call.region), r.input, out, 100));
    for (auto& k : keys) ensure(out.Keys).push_back({.KeyId = k->id, .KeyArn = k->arn()});
    return out;
  };
  gate_->add<op::ListKeys>(std::move(list));

  key_operation<op::EnableKey>(
      "kms:EnableKey", Reach::own_account,
      [this](const Allowed<EnableKeyRequest>& r, const KeyPtr& key) -> Result<op::EnableKey::Output> {
        TRY_VOID(check_mine(*key));
        TRY_VOID(store_.update(*key, [](Key& k) -> Result<void> {
          if (k.state == KeyState::pending_deletion) return fail(kInvalidState, k.arn() + " is pending deletion.");
          k.state = KeyState::enabled;
          return {};
        }));
        return {};
      },
      false);
  key_operation<op::DisableKey>(
      "kms:DisableKey", Reach::own_account,
      [this](const Allowed<DisableKeyRequest>& r, const KeyPtr& key) -> Result<op::DisableKey::Output> {
        TRY_VOID(check_mine(*key));
        TRY_VOID(store_.update(*key, [](Key& k) -> Result<void> {
          if (k.state == KeyState::pending_deletion) return fail(kInvalidState, k.arn() + " is pending deletion.");
          k.state = KeyState::disabled;
          return {};
        }));
        return {};
      },
      false);

  key_operation<op::ScheduleKeyDeletion>(
      "kms:ScheduleKeyDeletion", Reach::own_account,
      [this](const Allowed<ScheduleKeyDeletionRequest>& r, const KeyPtr& key) -> Result<ScheduleKeyDeletionResponse> {
        TRY_VOID(check_mine(*key));
        int days = int(r.input.PendingWindowInDays.value_or(30));
        if (days < 7 || days > 30) return fail(kValidation, "PendingWindowInDays must be between 7 and 30, inclusive");
        TRY(auto changed, store_.update(*key, [&](Key& k) -> Result<void> {
          if (k.state == KeyState::pending_deletion) return fail(kInvalidState, k.arn() + " is pending deletion.");
          k.state = KeyState::pending_deletion;
          k.deletion_window_days = days;
          k.deletion_date = clock_.now().plus_seconds(int64_t(days) * 86400);
          return {};
        }));
        return ScheduleKeyDeletionResponse{.KeyId = changed->arn(),
                                           .DeletionDate = changed->deletion_date,
                                           .KeyState = "PendingDeletion",
                                           .PendingWindowInDays = days};
      },
      false);
  key_operation<op::CancelKeyDeletion>(
      "kms:CancelKeyDeletion", Reach::own_account,
      [this](const Allowed<CancelKeyDeletionRequest>& r, const KeyPtr& key) -> Result<CancelKeyDeletionResponse> {
        TRY(auto changed, store_.update(*key, [](Key& k) -> Result<void> {
          if (k.state != KeyState::pending_deletion) return fail(kInvalidState, k.arn() + " is not pending deletion.");
          k.state = KeyState::disabled;
          k.deletion_date = {};
          return {};
        }));
        return CancelKeyDeletionResponse{.KeyId = changed->arn()};
      },
      false);

  key_operation<op::UpdateKeyDescription>(
      "kms:UpdateKeyDescription", Reach::own_account,
      [this](const Allowed<UpdateKeyDescriptionRequest>& r, const KeyPtr& key) -> Result<op::UpdateKeyDescription::Output> {
        TRY_VOID(check_mine(*key));
        TRY_VOID(store_.update(*key, [&](Key& k) -> Result<void> {
          k.description = r.input.Description;
          return {};
        }));
        return {};
      },
      false);

  key_operation<op::PutKeyPolicy>(
      "kms:PutKeyPolicy", Reach::own_account,
      [this](const Allowed<PutKeyPolicyRequest>& r, const KeyPtr& key) -> Result<op::PutKeyPolicy::Output> {
        TRY_VOID(only_default_policy(r.input.PolicyName));
        TRY_VOID(check_mine(*key));
        TRY_VOID(store_.update(*key, [&](Key& k) {
          return set_policy(k, r.input.Policy, r.input.BypassPolicyLockoutSafetyCheck.value_or(false), r.call);
        }));
        return {};
      },
      false);
  key_operation<op::GetKeyPolicy>(
      "kms:GetKeyPolicy", Reach::own_account,
      [this](const Allowed<GetKeyPolicyRequest>& r, const KeyPtr& key) -> Result<GetKeyPolicyResponse> {
        TRY_VOID(only_default_policy(r.input.PolicyName));
        TRY(auto shown,
            policy::rewrite_principals(key->policy_text, [&](std::string_view, std::string_view v) -> Result<std::string> {
              return gate_->directory().id_to_principal(v);
            }));
        return GetKeyPolicyResponse{.Policy = std::move(shown), .PolicyName = "default"};
      },
      true);
  key_operation<op::ListKeyPolicies>(
      "kms:ListKeyPolicies", Reach::own_account,
      [](const Allowed<ListKeyPoliciesRequest>&, const KeyPtr&) -> Result<ListKeyPoliciesResponse> {
        return ListKeyPoliciesResponse{.PolicyNames = std::vector<std::string>{"default"}, .Truncated = false};
      },
      true);

  key_operation<op::EnableKeyRotation>(
      "kms:EnableKeyRotation", Reach::own_account,
      [this](const Allowed<EnableKeyRotationRequest>& r, const KeyPtr& key) -> Result<op::EnableKeyRotation::Output> {
        TRY_VOID(check_usable(*key));
        TRY_VOID(check_mine(*key));
        TRY_VOID(store_.update(*key, [&](Key& k) -> Result<void> {
          k.rotation = true;
          k.rotation_days = int(r.input.RotationPeriodInDays.value_or(365));
          k.next_rotation = clock_.now().plus_seconds(int64_t(k.rotation_days) * 86400);
          return {};
        }));
        return {};
      },
      false);
  key_operation<op::DisableKeyRotation>(
      "kms:DisableKeyRotation", Reach::own_account,
      [this](const Allowed<DisableKeyRotationRequest>& r, const KeyPtr& key) -> Result<op::DisableKeyRotation::Output> {
        TRY_VOID(check_usable(*key));
        TRY_VOID(check_mine(*key));
        TRY_VOID(store_.update(*key, [](Key& k) -> Result<void> {
          k.rotation = false;
          k.next_rotation = {};
          return {};
        }));
        return {};
      },
      false);
  key_operation<op::GetKeyRotationStatus>(
      "kms:GetKeyRotationStatus", Reach::any_account,
      [](const Allowed<GetKeyRotationStatusRequest>& r, const KeyPtr& key) -> Result<GetKeyRotationStatusResponse> {
        GetKeyRotationStatusResponse out{.KeyRotationEnabled = key->rotation && key->state != KeyState::pending_deletion,
                                         .KeyId = key->id};
        if (key->rotation) {
          out.RotationPeriodInDays = key->rotation_days;
          out.NextRotationDate = key->next_rotation;
        }
        return out;
      },
      true);
  key_operation<op::RotateKeyOnDemand>(
      "kms:RotateKeyOnDemand", Reach::own_account,
      [this](const Allowed<RotateKeyOnDemandRequest>& r, const KeyPtr& key) -> Result<RotateKeyOnDemandResponse> {
        TRY_VOID(check_usable(*key));
        TRY_VOID(check_mine(*key));
        TRY_VOID(store_.update(*key, [&](Key& k) -> Result<void> {
          long on_demand = std::count_if(k.materials.begin(), k.materials.end(), [](auto& m) { return m.on_demand; });
          if (on_demand >= 25)
            return fail(kLimitExceeded, "The on-demand rotation limit has been exceeded for key " + k.arn() + ".");
          k.materials.push_back(new_material(true));
          return {};
        }));
        return RotateKeyOnDemandResponse{.KeyId = key->id};
      },
      false);
  key_operation<op::ListKeyRotations>(
      "kms:ListKeyRotations", Reach::own_account,
      [](const Allowed<ListKeyRotationsRequest>& r, const KeyPtr& key) -> Result<ListKeyRotationsResponse> {
        std::vector<RotationsListEntry> all;
        bool with_first = r.input.IncludeKeyMaterial.value_or("") == "ALL_KEY_MATERIAL";
        for (size_t i = with_first ? 0 : 1; i < key->materials.size(); ++i) {
          auto& m = key->materials[i];
          RotationsListEntry e{.KeyId = key->id,
                               .KeyMaterialId = m.id,
                               .KeyMaterialState = i + 1 == key->materials.size() ? "CURRENT" : "NON_CURRENT"};
          if (i > 0) {
            e.RotationDate = m.created;
            e.RotationType = m.on_demand ? "ON_DEMAND" : "AUTOMATIC";
          }
          all.push_back(std::move(e));
        }
        ListKeyRotationsResponse out;
        TRY(out.Rotations, page(all, r.input, out, 100));
        return out;
      },
      true);

  auto tag_need = needs_key<TagResourceRequest>("kms:TagResource");
  tag_need.context = [](const TagResourceRequest& in, const access::Call&, policy::Context& c) { set_request_tags(in.Tags, c); };
  access::Row<op::TagResource> tag{.needs = {tag_need}};
  tag.denial = policy::DenialStyle::kms;
  tag.handler = [this](const Allowed<TagResourceRequest>& r) -> Result<op::TagResource::Output> {
    auto key = r.found<Key>();
    TRY_VOID(check_own(*key, r.call));
    TRY_VOID(check_mine(*key));
    TRY_VOID(store_.update(*key, [&](Key& k) { return set_tags(k, r.input.Tags); }));
    return {};
  };
  gate_->add<op::TagResource>(std::move(tag));

  auto untag_need = needs_key<UntagResourceRequest>("kms:UntagResource");
  untag_need.context = [](const UntagResourceRequest& in, const access::Call&, policy::Context& c) {
    c.set_list("aws:TagKeys", in.TagKeys);
  };
  access::Row<op::UntagResource> untag{.needs = {untag_need}};
  untag.denial = policy::DenialStyle::kms;
  untag.handler = [this](const Allowed<UntagResourceRequest>& r) -> Result<op::UntagResource::Output> {
    auto key = r.found<Key>();
    TRY_VOID(check_own(*key, r.call));
    TRY_VOID(check_mine(*key));
    TRY_VOID(store_.update(*key, [&](Key& k) -> Result<void> {
      for (auto& name : r.input.TagKeys) {
        if (name.starts_with("aws:")) return fail(kTagging, "Tags beginning with aws: are reserved.");
        k.tags.erase(name);
      }
      return {};
    }));
    return {};
  };
  gate_->add<op::UntagResource>(std::move(untag));

  key_operation<op::ListResourceTags>(
      "kms:ListResourceTags", Reach::own_account,
      [](const Allowed<ListResourceTagsRequest>& r, const KeyPtr& key) -> Result<ListResourceTagsResponse> {
        std::vector<Tag> all;
        for (auto& [k, v] : key->tags) all.push_back({.TagKey = k, .TagValue = v});
        ListResourceTagsResponse out;
        TRY(out.Tags, page(all, r.input, out, 50));
        return out;
      },
      true);
}

}  // namespace redoubt::keys
