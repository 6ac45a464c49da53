#pragma once
/// As whom a transfer touches S3. A role chain is walked as AWS does it: the cluster, as the service redshift.amazonaws.com,
/// assumes the first role, which must be attached to it; that session assumes the next role, and so on, each step an
/// sts:AssumeRole through the Gate. Everything after that is done as the last session alone, never as anybody else.
/// Source: Redshift Management Guide, "Authorizing COPY and UNLOAD .. using IAM roles", "Chaining IAM roles".
///
///   TRY(auto authority, Authority::become(gate, hooks, authorization, context));
///   TRY(access::Call call, authority->call());     // for one request
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "access/gate.h"
#include "warehouse/transfer/options.h"
#include "warehouse/transfer/transfer.h"
#include "warehouse/transfer/wording.h"

namespace redoubt::warehouse::transfer {

/// What the control plane knows about a cluster's roles.
struct ClusterRoles {
  /// Is this role in the cluster's IamRoles, and in sync?
  std::function<bool(const ClusterIdentity&, const std::string& role_arn)> attached;
  /// DefaultIamRoleArn; "" if there is none.
  std::function<std::string(const ClusterIdentity&)> default_role;
};

/// Threads: any.
class Authority {
 public:
  static constexpr size_t kChainMax = 10;
  static constexpr std::string_view kSessionName = "RedshiftIamRoleSession";

  /// `for_what`: "Unload" or "Copy", for nothing but messages. Errors: kTransferFailed in Redshift's words.
  static Result<std::unique_ptr<Authority>> become(access::Gate& gate, const ClusterRoles& roles,
                                                   const Authorization& authorization, const Context& context);

  /// A call with a request id of its own. Sessions of roles are renewed before they expire; a session that was given as keys
  /// isn't.
  Result<access::Call> call();
  const Where& where() const { return where_; }

 private:
  Authority(access::Gate& gate, const ClusterRoles& roles, const Context& context);
  Result<void> take_keys(const Authorization& authorization);
  Result<void> take_chain(const Authorization& authorization);
  Result<access::Call> walk();
  Error denied() const;

  access::Gate& gate_;
  const ClusterRoles& roles_;
  const ClusterIdentity cluster_;
  std::string dbuser_, chain_;
  std::vector<std::string> hops_;  // empty: keys
  Where where_;
  access::Call root_;

  std::mutex mutex_;  // guards current_
  access::Call current_;
};

/// The hops of a chain; nullopt if one of them isn't the ARN of a role (blanks, empty hops, too many).
std::optional<std::vector<std::string>> role_chain_hops(std::string_view chain);

}  // namespace redoubt::warehouse::transfer
