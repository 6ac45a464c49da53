#pragma once
/// What the operations of this room share. One per server, owned by Identity; references live as long as it does.
#include "access/audit.h"
#include "access/gate.h"
#include "base/clock.h"
#include "identity/accounts.h"
#include "identity/errors.h"
#include "identity/last_used.h"
#include "identity/tokens.h"

namespace redoubt::identity {

struct Parts {
  Accounts& accounts;
  Tokens& tokens;
  LastUsed& last_used;
  Clock& clock;
  const std::string root_key;  // 32 bytes
  std::string region;          // of the server: some answers name one
  /// Services whose rows point to them: kept as long as Identity, which must outlive the Gate's last call.
  std::vector<std::shared_ptr<void>> services = {};
};

/// A secret access key as it is stored, bound to its id, and back ("" if it can't be opened).
std::string seal_secret(const Parts& parts, std::string_view access_key_id, std::string_view secret);
std::string open_secret(const Parts& parts, const AccessKey& key);

/// The ARN of a user or role that exists, to the entity. Exact: another path or case names nothing.
struct PrincipalRef {
  AccountPtr account;
  const User* user = nullptr;
  const Role* role = nullptr;
  explicit operator bool() const { return user || role; }
};
PrincipalRef find_principal(const Accounts& accounts, std::string_view arn);
/// A managed policy by ARN as `account` sees it: its own or AWS's. Null: no such.
std::shared_ptr<const ManagedPolicy> find_managed(const Account& account, std::string_view arn);

void declare_users(access::Gate&, Parts&);
void declare_groups(access::Gate&, Parts&);
void declare_roles(access::Gate&, Parts&);
void declare_access_keys(access::Gate&, Parts&);
void declare_principal_policies(access::Gate&, Parts&);
void declare_managed_policies(access::Gate&, Parts&);
void declare_instance_profiles(access::Gate&, Parts&);
void declare_account(access::Gate&, Parts&);
void declare_simulation(access::Gate&, Parts&);
void declare_sts(access::Gate&, Parts&);
void declare_organizations(access::Gate&, Parts&);
void declare_organization_policies(access::Gate&, Parts&);

}  // namespace redoubt::identity
