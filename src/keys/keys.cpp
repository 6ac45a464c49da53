#include "keys/keys.h"

#include "base/crypto.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "keys/rows.h"

namespace redoubt::keys {
namespace {

std::string managed_policy(std::string_view account, std::string_view region, std::string_view service) {
  std::string via(service);
  via += "." + std::string(region) + ".amazonaws.com";
  return R"({"Version":"2012-10-17","Id":"auto-)" + std::string(service) + R"(","Statement":[{"Sid":"Allow access through )" +
         std::string(service) +
         R"( for all principals in the account that are authorized to use it","Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:CreateGrant","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":")" +
         std::string(account) + R"(","kms:ViaService":")" + via +
         R"("}}},{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::)" +
         std::string(account) +
         R"(:root"},"Action":["kms:Describe*","kms:Get*","kms:List*","kms:RevokeGrant"],"Resource":"*"}]})";
}

/// A UUID, or mrk- and 32 digits: what ids look like. Anything else was never one.
bool is_key_id(std::string_view id) {
  bool multi_region = id.starts_with("mrk-");
  if (id.size() != 36) return false;
  for (size_t i = multi_region ? 4 : 0; i < id.size(); ++i) {
    bool dash = !multi_region && (i == 8 || i == 13 || i == 18 || i == 23);
    bool digit = is_digit(id[i]) || (id[i] >= 'a' && id[i] <= 'f');
    if (dash ? id[i] != '-' : !digit) return false;
  }
  return true;
}

}  // namespace

void Keys::declare(access::Gate& gate) {
  gate_ = &gate;
  declare_lifecycle();
  declare_aliases();
  declare_grants();
  declare_crypto();
}

Keys::Named Keys::find(std::string_view key_id, const access::Call& call) const {
  Named out{.account = call.caller->account};
  std::string region = call.region, name(key_id);
  if (auto arn = Arn::parse(key_id)) {
    out.arn = std::string(key_id);
    out.account = arn->account;
    if (arn->partition != "aws" || arn->service != "kms" || arn->region != region) {
      out.missing = Error{&kNotFound, "Invalid arn " + arn->region};
      return out;
    }
    name = arn->resource;
    if (name.starts_with("key/"))
      name = name.substr(4);
    else if (!name.starts_with("alias/")) {
      out.missing = Error{&kInvalidArn, "Invalid arn '" + std::string(key_id) + "'"};
      return out;
    }
  }
  if (name.starts_with("alias/")) {
    out.alias = name;
    auto alias = store_.find_alias(out.account, region, name);
    if (alias) out.key = store_.find(out.account, region, alias->key_id);
    if (!out.key && out.account == call.caller->account) out.key = managed_key(name, call);
    if (!out.key) {
      out.arn = make_arn("kms", region, out.account, name);
      out.missing = Error{&kNotFound, "Alias " + out.arn + " is not found."};
    }
  } else {
    out.key = store_.find(out.account, region, name);
    if (!out.key) {
      out.arn = make_arn("kms", region, out.account, "key/" + name);
      out.missing = is_key_id(name) ? Error{&kNotFound, "Key '" + out.arn + "' does not exist"}
                                    : Error{&kNotFound, "Invalid keyId " + name};
    }
  }
  if (out.key) out.arn = out.key->arn();
  return out;
}

KeyPtr Keys::managed_key(std::string_view alias, const access::Call& call) const {
  if (alias != "alias/aws/s3" || !call.via_service.starts_with("s3.") || call.caller->account.empty()) return nullptr;
  Key key{.account = call.caller->account, .region = call.region, .id = new_uuid()};
  key.description = "Default key that protects my S3 objects when no other key is defined";
  key.aws_managed = true;
  key.created = clock_.now();
  key.rotation = true;
  key.next_rotation = key.created.plus_seconds(int64_t(key.rotation_days) * 86400);
  key.policy_text = managed_policy(key.account, key.region, "s3");
  auto policy = policy::parse(key.policy_text, policy::Kind::key);
  CHECK(policy.has_value());
  key.policy = *policy;
  key.materials.push_back(new_material(false));
  Alias a{key.account, key.region, std::string(alias), key.id, key.created, key.created};
  auto made = store_.add(std::move(key), &a);
  if (made) return *made;
  // Somebody else made it meanwhile.
  auto again = store_.find_alias(call.caller->account, call.region, alias);
  return again ? store_.find(again->account, again->region, again->key_id) : nullptr;
}

access::Resource Keys::resource_of(const KeyPtr& key, const access::Call& call, std::string_view action,
                                   const EncryptionContext& context) const {
  access::Resource r{
      .arn = key->arn(), .account = key->account, .policy = key->policy, .rule = policy::ResourceRule::required, .found = key};
  r.tags.insert(key->tags.begin(), key->tags.end());
  r.context = {{"kms:KeySpec", {"SYMMETRIC_DEFAULT"}},
               {"kms:KeyUsage", {"ENCRYPT_DECRYPT"}},
               {"kms:KeyOrigin", {"AWS_KMS"}},
               {"kms:MultiRegion", {"false"}}};
  if (auto names = store_.alias_names(*key); !names.empty()) r.context.emplace_back("kms:ResourceAliases", std::move(names));
  auto operation = action.substr(action.find(':') + 1);
  r.granted = std::any_of(key->grants.begin(), key->grants.end(), [&](auto& g) {
    return is_principal(g.grantee, *call.caller) && g.allows(operation) && g.covers(context);
  });
  return r;
}

access::Resource Keys::resource(const Named& named, const access::Call& call, std::string_view action,
                                const EncryptionContext& context) const {
  if (named.key) return resource_of(named.key, call, action, context);
  // Of another account a key that isn't there must look like one that is closed.
  auto rule = named.account == call.caller->account ? policy::ResourceRule::none : policy::ResourceRule::required;
  return {.arn = named.arn, .account = named.account, .rule = rule, .missing = named.missing};
}

Result<void> Keys::check_usable(const Key& key) {
  if (key.state == KeyState::disabled) return fail(kDisabled, key.arn() + " is disabled.");
  if (key.state == KeyState::pending_deletion) return fail(kInvalidState, key.arn() + " is pending deletion.");
  return {};
}

Result<void> Keys::check_mine(const Key& key) {
  if (key.aws_managed)
    return fail(kUnsupportedOperation, "You cannot perform this operation on AWS managed key " + key.arn() + ".");
  return {};
}

Material Keys::new_material(bool on_demand) const {
  return {
      .id = hex(crypto::random_bytes(32)), .bytes = crypto::random_bytes(32), .created = clock_.now(), .on_demand = on_demand};
}

Result<void> Keys::set_policy(Key& key, std::string_view document, bool bypass, const access::Call& call) const {
  if (document.size() > policy::kKeySizeMax)
    return fail(kLimitExceeded, "The key policy must be at most 32768 bytes; it has " + std::to_string(document.size()) + ".");
  auto malformed = [](const Error& e) { return fail(kMalformedPolicy, e.message); };
  auto checked = policy::parse(document, policy::Kind::key);
  if (!checked) return malformed(checked.error());
  auto resolved = policy::rewrite_principals(document, [&](std::string_view type, std::string_view value) -> Result<std::string> {
    auto id = gate_->directory().principal_to_id(type, value);
    if (!id) return fail(kMalformedPolicy, "Policy contains a statement with one or more invalid principals.");
    return *id;
  });
  if (!resolved) return malformed(resolved.error());
  auto compiled = policy::parse(*resolved, policy::Kind::key);
  if (!compiled) return malformed(compiled.error());
  key.policy_text = *resolved;
  key.policy = *compiled;
  if (bypass) return {};
  auto r = resource_of(std::make_shared<const Key>(key), call, "kms:PutKeyPolicy", {});
  if (!gate_->decide(call, "kms:PutKeyPolicy", r).allowed())
    return fail(kMalformedPolicy, "The new key policy will not allow you to update the key policy in the future.");
  return {};
}

void Keys::tick() {
  auto now = clock_.now();
  for (auto& key : store_.all()) {
    Result<void> done;
    if (key->state == KeyState::pending_deletion && key->deletion_date <= now) {
      // Unless the deletion was cancelled just now.
      done =
          store_.remove_if(*key, [&](const Key& k) { return k.state == KeyState::pending_deletion && k.deletion_date <= now; });
    } else if (key->rotation && key->state == KeyState::enabled && key->next_rotation.us && key->next_rotation <= now) {
      auto rotated = store_.update(*key, [&](Key& k) -> Result<void> {
        if (!k.rotation || k.next_rotation > now) return {};
        k.materials.push_back(new_material(false));
        k.next_rotation = now.plus_seconds(int64_t(k.rotation_days) * 86400);
        return {};
      });
      if (!rotated) done = fail(rotated.error());
    }
    if (!done) log::error("kms: " + key->arn() + ": " + done.error().message);
  }
}

}  // namespace redoubt::keys
