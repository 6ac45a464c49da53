#pragma once
/// The Redshift control plane: clusters from CreateCluster to DeleteCluster, their IAM roles and tags, temporary credentials.
///
///   Control control(store, root_key, clock, {.directory = dir + "/clusters", ..}, front, transfer);
///   TRY_VOID(control.load());            // opens every cluster's listener; engines open in the background
///   control.declare(gate);
///   TRY_VOID(control.bootstrap(...));    // the --cluster one
///   control.stop();                      // before the front goes: closes listeners, then engines
///
/// Source: Redshift API Reference. Threads: any.
#include <future>
#include <shared_mutex>

#include "access/gate.h"
#include "meta/store.h"
#include "warehouse/control/cluster.h"
#include "warehouse/control/front.h"
#include "warehouse/control/tokens.h"
#include "warehouse/engine/resources.h"

namespace redoubt::warehouse::control {

class Control {
 public:
  struct Options {
    std::string directory;  // one folder a cluster
    std::shared_ptr<engine::Resources> resources;
    bool strict = false;
    /// Security groups and VPC of a new cluster where none are named, and whether named ones are the account's own.
    std::function<Result<std::pair<std::string, std::string>>(const std::string& account, const std::string& region)>
        default_network;  // (vpc, group)
    std::function<bool(const std::string& account, const std::string& region, const std::string& group)> group_exists;
    std::function<bool(std::span<const std::string> groups, const Ip& peer, int port)> admits;
  };
  Control(meta::Store& store, std::string root_key, Clock& clock, Options options, Front& front, transfer::Transfer& transfer);
  ~Control();
  Result<void> load();
  void declare(access::Gate& gate);
  void stop();

  /// The `--cluster NAME` one: made unless it exists; its master user's password is returned only when it is made.
  struct Bootstrapped {
    ClusterRecord record;
    std::string password;
  };
  Result<Bootstrapped> bootstrap(const std::string& account, const std::string& region, const std::string& name);

  /// For the transfer room: may this cluster act as that role, and which one is its default ("" if none)?
  bool role_attached(const transfer::ClusterIdentity& cluster, std::string_view role_arn) const;
  std::string default_role(const transfer::ClusterIdentity& cluster) const;
  /// The SQL side of a cluster, waiting for its engine. Errors: kClusterNotFound, kInvalidClusterState, the engine's.
  Result<std::shared_ptr<session::SqlService>> service(std::string_view account, std::string_view region, std::string_view id);
  size_t clusters() const;

 private:
  struct Cluster;  // a record and what runs for it
  using ClusterPtr = std::shared_ptr<Cluster>;

  void declare_clusters();
  void declare_roles();
  void declare_credentials();
  void declare_tags();
  ClusterPtr find(std::string_view account, std::string_view region, std::string_view id) const;
  Result<ClusterPtr> require(std::string_view id, const access::Call& call) const;
  std::vector<ClusterPtr> list(std::string_view account, std::string_view region) const;
  /// Stores the record, makes the folder, opens engine, catalog and listener; waits until it can be used.
  Result<ClusterPtr> create(ClusterRecord record);
  Result<void> start(const ClusterPtr& cluster);
  void stop_cluster(const ClusterPtr& cluster);
  Result<void> remove(const ClusterPtr& cluster);
  Result<void> update(const ClusterPtr& cluster, const std::function<Result<void>(ClusterRecord&)>& change);
  access::Resource resource(std::string_view id, const access::Call& call) const;

  meta::Store& store_;
  std::string root_key_;
  Clock& clock_;
  Options options_;
  Front& front_;
  transfer::Transfer& transfer_;
  access::Gate* gate_ = nullptr;
  std::mutex writers_;  // creates, changes and deletes, one at a time
  mutable std::shared_mutex mutex_;
  std::map<std::string, ClusterPtr, std::less<>> clusters_;  // by meta::key({account, region, id})
};

}  // namespace redoubt::warehouse::control
