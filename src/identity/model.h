#pragma once
/// Accounts and what is in them, as immutable values: a change makes a new Account that shares all that didn't change. Names are
/// unique without regard to case, as IAM's, and looked up exactly. Source: IAM User Guide, "IAM identifiers".
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/text.h"
#include "identity/document.h"

namespace redoubt::identity {

using Tags = std::map<std::string, std::string, ILess>;

/// What users, groups and roles have in common.
struct Principal {
  std::string name, path = "/", id, arn;  // id: AIDA.., AGPA.., AROA..
  Timestamp created;
  Tags tags;                                           // groups have none
  std::map<std::string, DocumentPtr> inline_policies;  // by name
  std::vector<std::string> attached;                   // ARNs of managed policies, in order of attachment
  std::string boundary;                                // ARN of a managed policy; "" without
};
struct User : Principal {
  std::vector<std::string> groups;
};
struct Group : Principal {};
struct Role : Principal {
  DocumentPtr trust;  // principals as unique ids
  std::string description;
  int64_t max_session_s = 3600;
};

struct PolicyVersion {
  DocumentPtr document;
  Timestamp created;
};
struct ManagedPolicy {
  std::string name, path = "/", id, arn, description;
  Timestamp created, updated;
  Tags tags;
  std::map<int, PolicyVersion> versions;  // 1: "v1"
  int default_version = 1, next_version = 2;
  const DocumentPtr& document() const { return versions.at(default_version).document; }
};

struct InstanceProfile {
  std::string name, path = "/", id, arn, role;  // role: name or ""
  Timestamp created;
  Tags tags;
};

struct AccessKey {
  std::string id, user;
  std::string sealed_secret;  // under the root key, bound to `id`
  bool active = true;
  Timestamp created;
};

template <class T>
using ByName = std::map<std::string, std::shared_ptr<const T>, ILess>;
template <class T>
const T* find(const ByName<T>& map, std::string_view name) {
  auto it = map.find(name);
  return it != map.end() && it->first == name ? it->second.get() : nullptr;
}

struct Account {
  std::string id, name, email, alias, canonical_id;
  Timestamp created;
  ByName<User> users;
  ByName<Group> groups;
  ByName<Role> roles;
  ByName<ManagedPolicy> policies;  // customer managed
  ByName<InstanceProfile> profiles;
  ByName<AccessKey> keys;  // by id
  uint64_t version = 0;    // of this state; every change has another
};
using AccountPtr = std::shared_ptr<const Account>;

// -- organizations
// --------------------------------------------------------------------------------------------------------------------

enum class OrgPolicyType : uint8_t { scp, rcp };
struct OrgPolicy {
  std::string id, arn, name, description;
  OrgPolicyType type = OrgPolicyType::scp;
  bool aws_managed = false;
  DocumentPtr document;
  Tags tags;
};
struct OrgUnit {
  std::string id, arn, name, parent;  // parent: root or unit
  Tags tags;
};
struct OrgAccount {
  std::string id, arn, name, email, parent, status = "ACTIVE";
  Timestamp joined;
  bool invited = false;
  Tags tags;
};
struct CreateAccountStatus {
  std::string id, account, name, state = "SUCCEEDED", failure;
  Timestamp requested, completed;
};
struct Organization {
  std::string id, arn, management, email, root_id, root_arn;
  Timestamp created;
  bool scp_enabled = false, rcp_enabled = false;
  Tags root_tags;
  std::map<std::string, OrgUnit> units;  // by id, as all below
  std::map<std::string, OrgAccount> accounts;
  std::map<std::string, OrgPolicy> policies;
  std::map<std::string, std::vector<std::string>> attachments;  // target id -> policy ids
  std::map<std::string, CreateAccountStatus> requests;
  uint64_t version = 0;
  /// From the root down to the account itself: the ids whose policies apply to it. Empty: not a member.
  std::vector<std::string> chain(std::string_view account) const;
  /// o-id/r-id/ou-id/.../ as aws:PrincipalOrgPaths has it.
  std::string path(std::string_view account) const;
};
using OrganizationPtr = std::shared_ptr<const Organization>;

}  // namespace redoubt::identity
