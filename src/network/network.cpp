#include "network/network.h"

#include "base/ids.h"
#include "base/text.h"

namespace redoubt::network {
namespace {

constexpr std::string_view kVpcs = "ec2.vpcs", kGroups = "ec2.groups";

Json json_of(const Rule& r) {
  Json j = Json::object();
  j.set("id", r.id).set("protocol", r.protocol).set("from", r.from_port).set("to", r.to_port).set("description", r.description);
  if (r.cidr) j.set("cidr", r.cidr->str());
  if (!r.group.empty()) j.set("group", r.group).set("group_owner", r.group_owner);
  return j;
}
Rule rule_of(const Json& j) {
  Rule r{j["id"].str(), j["protocol"].str(), int(j["from"].integer()), int(j["to"].integer())};
  if (j.has("cidr")) r.cidr = Cidr::parse(j["cidr"].str());
  r.group = j["group"].str();
  r.group_owner = j["group_owner"].str();
  r.description = j["description"].str();
  return r;
}

std::string dump(const SecurityGroup& g) {
  Json j = Json::object(), in = Json::array(), out = Json::array(), tags = Json::object();
  for (auto& r : g.ingress) in.push(json_of(r));
  for (auto& r : g.egress) out.push(json_of(r));
  for (auto& [k, v] : g.tags) tags.set(k, v);
  j.set("id", g.id)
      .set("name", g.name)
      .set("description", g.description)
      .set("vpc", g.vpc)
      .set("account", g.account)
      .set("region", g.region);
  j.set("ingress", std::move(in)).set("egress", std::move(out)).set("tags", std::move(tags));
  return j.dump();
}
SecurityGroup group_of(const Json& j) {
  SecurityGroup g{j["id"].str(), j["name"].str(), j["description"].str(), j["vpc"].str(), j["account"].str(), j["region"].str()};
  for (auto& r : j["ingress"].items()) g.ingress.push_back(rule_of(r));
  for (auto& r : j["egress"].items()) g.egress.push_back(rule_of(r));
  for (auto& [k, v] : j["tags"].members()) g.tags[k] = v.str();
  return g;
}

std::string dump(const Vpc& v) {
  Json j = Json::object(), subnets = Json::array();
  for (auto& s : v.subnets)
    subnets.push(Json::object().set("id", s.id).set("zone", s.zone).set("zone_id", s.zone_id).set("cidr", s.cidr.str()));
  j.set("id", v.id).set("account", v.account).set("region", v.region).set("cidr", v.cidr.str()).set("default", v.is_default);
  j.set("group", v.default_group).set("subnets", std::move(subnets));
  return j.dump();
}
Vpc vpc_of(const Json& j) {
  Vpc v{j["id"].str(), j["account"].str(), j["region"].str(), *Cidr::parse(j["cidr"].str()), j["default"].boolean()};
  v.default_group = j["group"].str();
  for (auto& s : j["subnets"].items())
    v.subnets.push_back({s["id"].str(), s["zone"].str(), s["zone_id"].str(), *Cidr::parse(s["cidr"].str())});
  return v;
}

}  // namespace

Result<void> Network::load() {
  for (auto& row : store_.scan_prefix(kVpcs, "")) {
    TRY(Json j, Json::parse(row.value));
    vpcs_[row.key] = vpc_of(j);
  }
  for (auto& row : store_.scan_prefix(kGroups, "")) {
    TRY(Json j, Json::parse(row.value));
    groups_[row.key] = group_of(j);
  }
  return {};
}

Result<Vpc> Network::default_vpc(std::string_view account, std::string_view region) {
  auto key = meta::key({account, region});
  {
    std::shared_lock lock(mutex_);
    if (auto it = vpcs_.find(key); it != vpcs_.end()) return it->second;
  }
  std::lock_guard writer(writers_);
  {
    std::shared_lock lock(mutex_);
    if (auto it = vpcs_.find(key); it != vpcs_.end()) return it->second;
  }
  Vpc v{new_hex_id("vpc-"), std::string(account), std::string(region), *Cidr::parse("172.31.0.0/16"), true};
  const char* blocks[] = {"172.31.0.0/20", "172.31.16.0/20", "172.31.32.0/20"};
  for (int i = 0; i < 3; ++i)
    v.subnets.push_back({new_hex_id("subnet-"), v.region + char('a' + i), "az" + std::to_string(i + 1), *Cidr::parse(blocks[i])});
  SecurityGroup g{new_hex_id("sg-"), "default", "default VPC security group", v.id, v.account, v.region};
  g.ingress.push_back({.id = new_hex_id("sgr-"), .protocol = "-1", .group = g.id, .group_owner = g.account});
  if (account == first_account_)
    g.ingress.push_back({.id = new_hex_id("sgr-"), .protocol = "-1", .cidr = Cidr::parse("127.0.0.1/32")});
  g.egress.push_back({.id = new_hex_id("sgr-"), .protocol = "-1", .cidr = Cidr::parse("0.0.0.0/0")});
  v.default_group = g.id;
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kVpcs, key, dump(v));
    t.put(kGroups, g.id, dump(g));
    return {};
  }));
  std::unique_lock lock(mutex_);
  vpcs_[key] = v;
  groups_[g.id] = std::move(g);
  return v;
}

std::optional<SecurityGroup> Network::group(std::string_view id) const {
  std::shared_lock lock(mutex_);
  auto it = groups_.find(id);
  return it == groups_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<SecurityGroup> Network::groups_of(std::string_view account, std::string_view region) const {
  std::vector<SecurityGroup> out;
  std::shared_lock lock(mutex_);
  for (auto& [id, g] : groups_)
    if (g.account == account && g.region == region) out.push_back(g);
  return out;
}

Result<void> Network::update_group(std::string_view id, const std::function<Result<void>(SecurityGroup&)>& change) {
  std::lock_guard writer(writers_);
  auto g = group(id);
  if (!g) return fail(kGroupNotFound, "The security group '" + std::string(id) + "' does not exist");
  TRY_VOID(change(*g));
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kGroups, g->id, dump(*g));
    return {};
  }));
  std::unique_lock lock(mutex_);
  groups_[g->id] = std::move(*g);
  return {};
}

bool Network::admits(std::span<const std::string> groups, const Ip& peer, int port) const {
  std::shared_lock lock(mutex_);
  for (auto& id : groups) {
    auto it = groups_.find(id);
    if (it == groups_.end()) continue;
    for (auto& r : it->second.ingress) {
      bool protocol = r.protocol == "-1" || (r.protocol == "tcp" && r.from_port <= port && port <= r.to_port);
      // An IPv6 range, ::/0 too, says nothing about IPv4 addresses, whose form here is a part of IPv6's.
      if (protocol && r.cidr && r.cidr->is_v4() == peer.is_v4() && r.cidr->contains(peer)) return true;
    }
  }
  return false;
}

}  // namespace redoubt::network
