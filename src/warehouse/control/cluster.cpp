#include "warehouse/control/cluster.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"

namespace redoubt::warehouse::control {
namespace {

std::string seal(std::string_view root_key, std::string_view secret, const ClusterRecord& c, std::string_view what) {
  return base64(crypto::seal(root_key, secret, "cluster/" + c.uid + "/" + std::string(what)));
}
Result<std::string> unseal(std::string_view root_key, const std::string& sealed, const ClusterRecord& c, std::string_view what) {
  auto bytes = unbase64(sealed);
  if (bytes)
    if (auto plain = crypto::open(root_key, *bytes, "cluster/" + c.uid + "/" + std::string(what))) return std::move(*plain);
  return fail(kInternal, "the keys of cluster " + c.id + " can't be unwrapped: the root key is not the one it was made with");
}

}  // namespace

std::string_view status_name(Status s) {
  switch (s) {
    case Status::creating:
      return "creating";
    case Status::available:
      return "available";
    case Status::paused:
      return "paused";
    case Status::deleting:
      return "deleting";
  }
  return "unknown";
}

std::string store_cluster(const ClusterRecord& c, std::string_view root_key) {
  Json j = Json::object(), tags = Json::object();
  for (auto& [k, v] : c.tags) tags.set(k, v);
  j.set("account", c.account).set("region", c.region).set("id", c.id).set("uid", c.uid).set("node_type", c.node_type);
  j.set("master_user", c.master_user).set("database", c.database).set("nodes", c.nodes).set("public", c.publicly_accessible);
  j.set("enhanced_vpc_routing", c.enhanced_vpc_routing).set("address", c.address).set("port", c.port);
  j.set("status", std::string(status_name(c.status))).set("created", c.created.us).set("vpc", c.vpc).set("zone", c.zone);
  j.set("security_groups", Json::strings(c.security_groups)).set("iam_roles", Json::strings(c.iam_roles));
  j.set("default_iam_role", c.default_iam_role).set("tags", std::move(tags));
  j.set("data_key", seal(root_key, c.data_key, c, "data"));
  if (!c.first_password.empty()) j.set("first_password", seal(root_key, c.first_password, c, "password"));
  return j.dump();
}

Result<ClusterRecord> load_cluster(std::string_view record, std::string_view root_key) {
  TRY(Json j, Json::parse(record));
  ClusterRecord c{.account = j["account"].str(), .region = j["region"].str(), .id = j["id"].str(), .uid = j["uid"].str()};
  c.node_type = j["node_type"].str();
  c.master_user = j["master_user"].str();
  c.database = j["database"].str();
  c.nodes = int(j["nodes"].integer(1));
  c.publicly_accessible = j["public"].boolean();
  c.enhanced_vpc_routing = j["enhanced_vpc_routing"].boolean();
  c.address = j["address"].str();
  c.port = int(j["port"].integer());
  auto status = j["status"].str();
  c.status = status == "available"  ? Status::available
             : status == "paused"   ? Status::paused
             : status == "deleting" ? Status::deleting
                                    : Status::creating;
  c.created = {j["created"].integer()};
  c.vpc = j["vpc"].str();
  c.zone = j["zone"].str();
  for (auto& x : j["security_groups"].items()) c.security_groups.push_back(x.str());
  for (auto& x : j["iam_roles"].items()) c.iam_roles.push_back(x.str());
  c.default_iam_role = j["default_iam_role"].str();
  for (auto& [k, v] : j["tags"].members()) c.tags[k] = v.str();
  TRY(c.data_key, unseal(root_key, j["data_key"].str(), c, "data"));
  if (j.has("first_password")) {
    TRY(c.first_password, unseal(root_key, j["first_password"].str(), c, "password"));
  }
  return c;
}

}  // namespace redoubt::warehouse::control
