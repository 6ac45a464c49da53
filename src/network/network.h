#pragma once
/// The networks of all accounts: in each account and region a default VPC with one subnet a zone and its default security group,
/// made when first asked for, closed. Only the first account's lets 127.0.0.1 in, so that a newcomer's psql works.
///
///   Network network(store, first_account);
///   TRY_VOID(network.load());
///   network.declare(gate);
///   listener.admit = [&](Ip peer) { return network.admits(cluster.security_groups, peer, port); };
///
/// Source: EC2 API Reference; VPC User Guide, "Security groups" (stateful, allow-only, the union of a resource's groups).
/// Threads: any. admits() takes a shared lock and touches no disk.
#include <map>
#include <mutex>
#include <shared_mutex>
#include <span>

#include "access/gate.h"
#include "meta/store.h"
#include "network/errors.h"

namespace redoubt::network {

struct Rule {
  std::string id;                    // sgr-..
  std::string protocol;              // "tcp", "udp", "icmp", "-1" (all)
  int from_port = -1, to_port = -1;  // -1 with protocol -1
  std::optional<Cidr> cidr;          // exactly one of cidr and group
  std::string group, group_owner;    // referenced security group
  std::string description;
  bool same_as(const Rule& o) const {
    return protocol == o.protocol && from_port == o.from_port && to_port == o.to_port && cidr == o.cidr && group == o.group;
  }
};

struct SecurityGroup {
  std::string id, name, description, vpc, account, region;
  std::vector<Rule> ingress, egress;
  std::map<std::string, std::string> tags;
};

struct Subnet {
  std::string id, zone, zone_id;
  Cidr cidr;
};
struct Vpc {
  std::string id, account, region;
  Cidr cidr;
  bool is_default = true;
  std::vector<Subnet> subnets;
  std::string default_group;
};

class Network {
 public:
  Network(meta::Store& store, std::string first_account) : store_(store), first_account_(std::move(first_account)) {}
  Result<void> load();
  void declare(access::Gate& gate);

  /// The account's default VPC in a region; made if need be. Errors: of the store.
  Result<Vpc> default_vpc(std::string_view account, std::string_view region);
  std::optional<SecurityGroup> group(std::string_view id) const;
  /// Whether a connection from `peer` to `port` is let in by any of the groups. No groups, unknown groups: no.
  bool admits(std::span<const std::string> groups, const Ip& peer, int port) const;

 private:
  void declare_describe();
  void declare_rules();
  std::vector<SecurityGroup> groups_of(std::string_view account, std::string_view region) const;
  Result<void> update_group(std::string_view id, const std::function<Result<void>(SecurityGroup&)>& change);

  meta::Store& store_;
  std::string first_account_;
  access::Gate* gate_ = nullptr;
  std::mutex writers_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Vpc, std::less<>> vpcs_;              // by meta::key({account, region}): one default VPC each
  std::map<std::string, SecurityGroup, std::less<>> groups_;  // by id
};

}  // namespace redoubt::network
