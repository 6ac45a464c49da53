#pragma once
/// Accounts, organizations, IAM and STS: who exists, which policies apply to whom, and who a key or session token belongs to.
///
///   TRY(auto identity, Identity::create(store, clock, root_key));
///   Gate gate(*identity, audit, clock, options);
///   identity->declare(gate);                                     // IAM's, STS's and Organizations' rows
///   if (!identity->has_accounts()) TRY(auto admin, identity->bootstrap("111122223333"));
///
/// Threads: any. Directory's answers come from memory.
#include <memory>

#include "access/directory.h"
#include "access/gate.h"
#include "base/clock.h"
#include "meta/store.h"

namespace redoubt::identity {

struct Parts;

class Identity : public access::Directory {
 public:
  /// Reads everything from `store`. `root_key`: 32 bytes that wrap secret access keys and the key of session tokens; another key
  /// than the one the store was made with is refused. Errors: kInternal.
  static Result<std::unique_ptr<Identity>> create(meta::Store& store, Clock& clock, std::string root_key,
                                                  std::string region = "us-east-1");
  ~Identity() override;
  void declare(access::Gate& gate);

  struct AdminCredentials {
    std::string account, user_name, access_key_id, secret_access_key;
  };
  /// The first account, with IAM user `admin` (AdministratorAccess) and one access key. The secret isn't shown again.
  Result<AdminCredentials> bootstrap(const std::string& account_id);
  bool has_accounts() const;
  /// Every account's id, sorted: for rooms that prepare something in each (default VPCs).
  std::vector<std::string> account_ids() const;

  Result<access::SigningKey> find_key(std::string_view access_key_id, std::string_view session_token, Timestamp now) override;
  void key_used(const access::Caller& caller, std::string_view service, std::string_view region, Timestamp now) override;
  std::shared_ptr<const access::PrincipalPolicies> policies_of(const access::Caller& caller) override;
  std::shared_ptr<const access::AccountPolicies> account(std::string_view account) override;
  bool account_exists(std::string_view account) override;
  std::string canonical_id(std::string_view account) override;
  std::optional<std::string> account_of_canonical_id(std::string_view id) override;
  std::optional<std::string> principal_to_id(std::string_view type, std::string_view value) override;
  std::string id_to_principal(std::string_view value) override;
  bool role_exists(std::string_view role_arn) override;
  std::string encode_authorization_message(std::string_view account, std::string_view json) override;

 private:
  struct State;
  explicit Identity(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Stored policies name principals by unique id. Both directions, over a Directory; for trust, bucket and key policies alike.
/// to_ids' error is kMalformedPolicyDocument `Invalid principal in policy: "AWS":"arn.."`; others put it under their own code.
Result<std::string> principals_to_ids(access::Directory& directory, std::string_view document);
std::string principals_to_arns(access::Directory& directory, std::string_view document);

}  // namespace redoubt::identity
