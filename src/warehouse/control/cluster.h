#pragma once
/// A cluster as the control plane keeps it. Source: Redshift API Reference, "Cluster", "CreateCluster".
#include <map>
#include <string>
#include <vector>

#include "base/arn.h"
#include "base/clock.h"
#include "base/result.h"

namespace redoubt::warehouse::control {

enum class Status : uint8_t { creating, available, paused, deleting };
std::string_view status_name(Status s);

struct ClusterRecord {
  std::string account, region, id;  // id: ClusterIdentifier
  std::string uid;                  // names its folder and its namespace; never reused
  std::string node_type = "ra3.large", master_user, database = "dev";
  int nodes = 1;
  bool publicly_accessible = false, enhanced_vpc_routing = false;
  std::string address;  // where it listens and what clients are told
  int port = 5439;
  Status status = Status::creating;
  Timestamp created;
  std::vector<std::string> security_groups;
  std::string vpc, zone;
  std::vector<std::string> iam_roles;
  std::string default_iam_role;
  std::map<std::string, std::string> tags;
  std::string data_key;        // 32 bytes, secret: encrypts the engine's files
  std::string first_password;  // secret; of the master user, until the catalog has it

  std::string arn() const { return make_arn("redshift", region, account, "cluster:" + id); }
  std::string namespace_arn() const { return make_arn("redshift", region, account, "namespace:" + uid); }
};

/// To and from the stored form; secrets are sealed under `root_key` with the cluster's uid.
std::string store_cluster(const ClusterRecord& c, std::string_view root_key);
Result<ClusterRecord> load_cluster(std::string_view record, std::string_view root_key);

}  // namespace redoubt::warehouse::control
