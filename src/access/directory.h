#pragma once
/// What the Gate asks of whoever keeps accounts, principals and their policies (identity implements it). Every answer comes from
/// the latest committed state. Threads: any. Nothing here blocks on the disk in the steady state.
#include <span>

#include "access/caller.h"
#include "access/errors.h"

namespace redoubt::access {

/// The identity side of a decision, as one immutable snapshot: NamedPolicy views point into it.
struct PrincipalPolicies {
  std::vector<policy::NamedPolicy> identity;
  policy::NamedPolicy boundary;
  std::vector<std::vector<policy::NamedPolicy>> scps;  // root .. account; empty: does not apply
  std::vector<std::span<const policy::NamedPolicy>> scp_levels;
  std::map<std::string, std::string, ILess> tags;  // of the user or role (session tags come on top)
  std::string canonical_id;                        // of the account, 64 hex digits
  std::string organization_id;                     // "" if the account is in none
  std::string organization_path;                   // o-x/r-y/ou-a/.../
  bool exists = true;                              // false: user or role was deleted since: refuse with InvalidClientTokenId
  std::vector<std::shared_ptr<const void>> keep;   // owns what the views point into
};

/// The resource side.
struct AccountPolicies {
  std::vector<std::vector<policy::NamedPolicy>> rcps;
  std::vector<std::span<const policy::NamedPolicy>> rcp_levels;
  std::string organization_id, organization_path;
  std::vector<std::shared_ptr<const void>> keep;
};

struct SigningKey {
  std::string secret;  // the secret access key
  CallerPtr caller;
};

class Directory {
 public:
  virtual ~Directory() = default;
  /// Whose key it is. `session_token`: as sent, "" if none. Errors: kInvalidClientTokenId (unknown, inactive, token missing or
  /// not of this key), kExpiredToken. A caller never learns from the error whether the key exists in another account.
  virtual Result<SigningKey> find_key(std::string_view access_key_id, std::string_view session_token, Timestamp now) = 0;
  /// A request signed by that key was let in: for "last used".
  virtual void key_used(const Caller& caller, std::string_view service, std::string_view region, Timestamp now) {}
  virtual std::shared_ptr<const PrincipalPolicies> policies_of(const Caller& caller) = 0;
  /// nullptr-safe: an unknown account has no RCPs and no organization.
  virtual std::shared_ptr<const AccountPolicies> account(std::string_view account) = 0;
  virtual bool account_exists(std::string_view account) = 0;
  /// 64 hex digits, S3's name for an account.
  virtual std::string canonical_id(std::string_view account) = 0;
  virtual std::optional<std::string> account_of_canonical_id(std::string_view id) = 0;
  /// Resource policies on save: type "AWS"; value a user or role ARN -> its unique id (AIDA.., AROA..); account ids and root
  /// ARNs, session ARNs, services, "*" come back as they are. nullopt: no such principal (the save must fail).
  virtual std::optional<std::string> principal_to_id(std::string_view type, std::string_view value) = 0;
  /// .. and on display: an id back to its ARN while the principal exists, else the id itself.
  virtual std::string id_to_principal(std::string_view value) = 0;
  /// Does a role with that ARN exist (iam:PassRole's subject), and may `service` assume it at all (its trust policy names it)?
  virtual bool role_exists(std::string_view role_arn) = 0;
  /// EC2's "Encoded authorization failure message": sealed, for sts:DecodeAuthorizationMessage by `account`.
  virtual std::string encode_authorization_message(std::string_view account, std::string_view json) = 0;
};

}  // namespace redoubt::access
