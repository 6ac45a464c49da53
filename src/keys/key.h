#pragma once
/// A KMS key as it is kept: metadata, policy, grants, tags and key material (wrapped by the root key at rest, bare in memory).
/// Source: AWS KMS Developer Guide, "AWS KMS keys", "Key states", "Rotating keys", "Grants".
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/arn.h"
#include "base/clock.h"
#include "base/json.h"
#include "policy/policy.h"

namespace redoubt::keys {

using EncryptionContext = std::map<std::string, std::string>;

enum class KeyState : uint8_t { enabled, disabled, pending_deletion };
std::string_view state_name(KeyState s);  // "Enabled", "Disabled", "PendingDeletion"

/// `grantee` and `retiring` are unique ids of users and roles, so that one made anew under an old name is a stranger; ARNs of
/// sessions and root users.
struct Grant {
  std::string id, token, name, grantee, retiring, issuing_account;
  std::vector<std::string> operations;  // Encrypt, Decrypt, ..
  EncryptionContext subset, equals;     // constraints; both may be empty
  Timestamp created;
  /// Whether the constraints, if any, let this encryption context through.
  bool covers(const EncryptionContext& context) const;
  bool allows(std::string_view operation) const;
  /// Whether every context that `child` would let through gets through this one too.
  bool is_at_least_as_wide_as(const Grant& child) const;
};

struct Material {
  std::string id;     // 64 hex digits
  std::string bytes;  // 32, secret
  Timestamp created;
  bool on_demand = false;
};

struct Key {
  std::string account, region, id;
  std::string description;
  bool aws_managed = false;  // alias/aws/..: its policy is fixed, it can't be changed or deleted
  KeyState state = KeyState::enabled;
  Timestamp created, deletion_date;
  int deletion_window_days = 0;
  bool rotation = false;
  int rotation_days = 365;
  Timestamp next_rotation;
  std::string policy_text;   // principals as unique ids
  policy::PolicyPtr policy;  // of policy_text, compiled
  std::map<std::string, std::string> tags;
  std::vector<Grant> grants;
  std::vector<Material> materials;  // the last one encrypts, all of them decrypt

  std::string arn() const { return make_arn("kms", region, account, "key/" + id); }
};
using KeyPtr = std::shared_ptr<const Key>;

/// To and from the stored form. Material is sealed under `root_key` with the key's ARN, so that records can't be swapped.
std::string store_key(const Key& key, std::string_view root_key);
Result<Key> load_key(std::string_view record, std::string_view root_key);

}  // namespace redoubt::keys
