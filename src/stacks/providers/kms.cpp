#include "api/kms.h"

#include "base/arn.h"
#include "stacks/providers/values.h"

namespace redoubt::stacks {

using namespace api::kms;

namespace {

std::vector<Tag> kms_tags(const std::map<std::string, std::string>& tags) {
  std::vector<Tag> out;
  for (auto& [k, v] : tags) out.push_back({.TagKey = k, .TagValue = v});
  return out;
}

Made key_made(const KeyMetadata& m) {
  Made out{m.KeyId};
  out.attributes.set("Arn", m.Arn.value_or("")).set("KeyId", m.KeyId);
  return out;
}

/// Rotation and state, as far as they differ from `before` (a new key is enabled and doesn't rotate).
Result<void> apply_key(const ProviderContext& c, const std::string& id, const Json& before, const Json& after) {
  bool rotated = boolean(before, "EnableKeyRotation").value_or(false),
       rotate = boolean(after, "EnableKeyRotation").value_or(false);
  auto days = integer(after, "RotationPeriodInDays");
  // Rotation is changed while the key is enabled: KMS refuses it otherwise.
  bool was = boolean(before, "Enabled").value_or(true), is = boolean(after, "Enabled").value_or(true);
  if (!was && is) TRY_VOID(call<op::EnableKey>(c, {.KeyId = id}));
  if (rotate && (!rotated || days != integer(before, "RotationPeriodInDays"))) {
    EnableKeyRotationRequest in{.KeyId = id};
    in.RotationPeriodInDays = days;
    TRY_VOID(call<op::EnableKeyRotation>(c, in));
  } else if (!rotate && rotated) {
    TRY_VOID(call<op::DisableKeyRotation>(c, {.KeyId = id}));
  }
  if (was && !is) TRY_VOID(call<op::DisableKey>(c, {.KeyId = id}));
  return {};
}

Result<void> remove_key(const ProviderContext& c, const std::string& id, const Json& properties) {
  ScheduleKeyDeletionRequest in{.KeyId = id};
  in.PendingWindowInDays = integer(properties, "PendingWindowInDays").value_or(30);
  auto done = call<op::ScheduleKeyDeletion>(c, in);
  // Scheduled already: what was asked for holds.
  if (!done && (is_gone(done.error()) || done.error().kind->code == "KMSInvalidStateException")) return {};
  return dropped(std::move(done));
}

Result<Made> create_key(const ProviderContext& c, const Json& p) {
  CreateKeyRequest in;
  in.Description = text(p, "Description");
  if (p.has("KeyPolicy")) in.Policy = p["KeyPolicy"].dump();
  in.KeySpec = text(p, "KeySpec");
  in.KeyUsage = text(p, "KeyUsage");
  in.MultiRegion = boolean(p, "MultiRegion");
  in.Origin = text(p, "Origin");
  in.BypassPolicyLockoutSafetyCheck = boolean(p, "BypassPolicyLockoutSafetyCheck");
  // CloudFormation's own tags tell which stack made it, also after a crash.
  auto tags = tags_of(c, p);
  tags["aws:cloudformation:stack-id"] = c.stack_id;
  tags["aws:cloudformation:stack-name"] = c.stack_name;
  tags["aws:cloudformation:logical-id"] = c.logical_id;
  in.Tags = kms_tags(tags);
  TRY(auto out, call<op::CreateKey>(c, in));
  auto made = key_made(*out.KeyMetadata);
  if (auto applied = apply_key(c, made.physical_id, Json::object(), p); !applied)
    return half_made(std::move(applied.error()), made.physical_id);
  return made;
}

/// What CreateKey gives a key for which no policy is given.
std::string default_policy(const std::string& account) {
  Json statement = Json::object(), j = Json::object();
  statement.set("Sid", "Enable IAM User Permissions").set("Effect", "Allow");
  statement.set("Principal", Json::object().set("AWS", iam_arn(account, "root"))).set("Action", "kms:*").set("Resource", "*");
  return j.set("Version", "2012-10-17").set("Id", "key-default-1").set("Statement", Json::array().push(statement)).dump();
}

Result<Made> update_key(const ProviderContext& c, const std::string& id, const Json& before, const Json& after) {
  if (before["KeyPolicy"] != after["KeyPolicy"]) {
    PutKeyPolicyRequest in{.KeyId = id, .Policy = after.has("KeyPolicy") ? after["KeyPolicy"].dump() : default_policy(c.account)};
    in.BypassPolicyLockoutSafetyCheck = boolean(after, "BypassPolicyLockoutSafetyCheck");
    TRY_VOID(call<op::PutKeyPolicy>(c, in));
  }
  if (text(before, "Description") != text(after, "Description"))
    TRY_VOID(call<op::UpdateKeyDescription>(c, {.KeyId = id, .Description = text(after, "Description").value_or("")}));
  TRY_VOID(apply_key(c, id, before, after));
  auto tags = tag_change(c, before, after);
  if (!tags.gone.empty()) TRY_VOID(call<op::UntagResource>(c, {.KeyId = id, .TagKeys = tags.gone}));
  if (!tags.set.empty()) TRY_VOID(call<op::TagResource>(c, {.KeyId = id, .Tags = kms_tags(tags.set)}));
  TRY(auto described, call<op::DescribeKey>(c, {.KeyId = id}));
  return key_made(*described.KeyMetadata);
}

/// The key that carries this stack's and resource's tags.
Result<std::string> find_key(const ProviderContext& c, const Json&) {
  ListKeysRequest in;
  in.Limit = 1000;
  for (;;) {
    TRY(auto keys, call<op::ListKeys>(c, in));
    for (auto& k : or_empty(keys.Keys)) {
      auto tags = call<op::ListResourceTags>(c, {.KeyId = k.KeyId.value_or("")});
      if (!tags) continue;  // a key the caller may not look at isn't the one it made
      bool stack = false, logical = false;
      for (auto& t : or_empty(tags->Tags)) {
        stack = stack || (t.TagKey == "aws:cloudformation:stack-id" && t.TagValue == c.stack_id);
        logical = logical || (t.TagKey == "aws:cloudformation:logical-id" && t.TagValue == c.logical_id);
      }
      if (stack && logical) return k.KeyId.value_or("");
    }
    if (!keys.Truncated.value_or(false)) return std::string();
    in.Marker = keys.NextMarker;
  }
}

}  // namespace

std::vector<Provider> kms_providers() {
  std::vector<Provider> out;
  out.push_back({.type = "AWS::KMS::Key",
                 .properties = {{"Description"},
                                {"Enabled", Shape::boolean},
                                {"EnableKeyRotation", Shape::boolean},
                                {"RotationPeriodInDays", Shape::integer},
                                {"KeyPolicy", Shape::document},
                                {"KeySpec", Shape::text, OnChange::replace},
                                {"KeyUsage", Shape::text, OnChange::replace},
                                {"MultiRegion", Shape::boolean, OnChange::replace},
                                {"Origin", Shape::text, OnChange::replace},
                                {"PendingWindowInDays", Shape::integer},
                                {"BypassPolicyLockoutSafetyCheck", Shape::boolean},
                                {"Tags", Shape::tags}},
                 .attributes = {"Arn", "KeyId"},
                 .create = create_key,
                 .update = update_key,
                 .remove = remove_key,
                 .find_made = find_key});
  out.push_back({.type = "AWS::KMS::Alias",
                 .properties = {{"AliasName", Shape::text, OnChange::replace, true},
                                {"TargetKeyId", Shape::text, OnChange::in_place, true}},
                 .name_property = "AliasName",
                 .create = [](const ProviderContext& c, const Json& p) -> Result<Made> {
                   auto name = text(p, "AliasName").value_or("");
                   TRY_VOID(call<op::CreateAlias>(c, {.AliasName = name, .TargetKeyId = text(p, "TargetKeyId").value_or("")}));
                   return Made{name};
                 },
                 .update = [](const ProviderContext& c, const std::string& id, const Json&, const Json& after) -> Result<Made> {
                   TRY_VOID(call<op::UpdateAlias>(c, {.AliasName = id, .TargetKeyId = text(after, "TargetKeyId").value_or("")}));
                   return Made{id};
                 },
                 .remove = [](const ProviderContext& c, const std::string& id,
                              const Json&) { return unless_gone(dropped(call<op::DeleteAlias>(c, {.AliasName = id}))); },
                 .find_made = [](const ProviderContext& c, const Json& p) -> Result<std::string> {
                   ListAliasesRequest in;
                   in.KeyId = text(p, "TargetKeyId");
                   TRY(auto out, call<op::ListAliases>(c, in));
                   for (auto& a : or_empty(out.Aliases))
                     if (a.AliasName == text(p, "AliasName") && a.CreationDate && *a.CreationDate >= c.started)
                       return *a.AliasName;
                   return std::string();
                 }});
  return out;
}

}  // namespace redoubt::stacks
