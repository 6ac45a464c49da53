#include "keys/key.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::keys {
namespace {

Json json_of(const std::map<std::string, std::string>& m) {
  Json j = Json::object();
  for (auto& [k, v] : m) j.set(k, v);
  return j;
}
std::map<std::string, std::string> map_of(const Json& j) {
  std::map<std::string, std::string> m;
  for (auto& [k, v] : j.members()) m[k] = v.str();
  return m;
}

Json json_of(const Grant& g) {
  Json j = Json::object();
  j.set("id", g.id).set("token", g.token).set("name", g.name).set("grantee", g.grantee).set("retiring", g.retiring);
  j.set("issuer", g.issuing_account).set("operations", Json::strings(g.operations)).set("created", g.created.us);
  j.set("subset", json_of(g.subset)).set("equals", json_of(g.equals));
  return j;
}
Grant grant_of(const Json& j) {
  Grant g{j["id"].str(), j["token"].str(), j["name"].str(), j["grantee"].str(), j["retiring"].str(), j["issuer"].str()};
  for (auto& o : j["operations"].items()) g.operations.push_back(o.str());
  g.created = {j["created"].integer()};
  g.subset = map_of(j["subset"]);
  g.equals = map_of(j["equals"]);
  return g;
}

}  // namespace

std::string_view state_name(KeyState s) {
  switch (s) {
    case KeyState::enabled:
      return "Enabled";
    case KeyState::disabled:
      return "Disabled";
    case KeyState::pending_deletion:
      return "PendingDeletion";
  }
  return "Unavailable";
}

bool Grant::covers(const EncryptionContext& context) const {
  if (!equals.empty() && equals != context) return false;
  for (auto& [k, v] : subset) {
    auto it = context.find(k);
    if (it == context.end() || it->second != v) return false;
  }
  return true;
}

bool Grant::allows(std::string_view operation) const {
  return std::find(operations.begin(), operations.end(), operation) != operations.end();
}
bool Grant::is_at_least_as_wide_as(const Grant& child) const {
  if (!equals.empty() && child.equals != equals) return false;
  // What the child demands of every context.
  auto& demanded = child.equals.empty() ? child.subset : child.equals;
  return std::all_of(subset.begin(), subset.end(), [&](auto& pair) {
    auto it = demanded.find(pair.first);
    return it != demanded.end() && it->second == pair.second;
  });
}

std::string store_key(const Key& k, std::string_view root_key) {
  Json j = Json::object();
  j.set("account", k.account).set("region", k.region).set("id", k.id).set("description", k.description);
  j.set("managed", k.aws_managed).set("state", std::string(state_name(k.state))).set("created", k.created.us);
  j.set("deletion", k.deletion_date.us).set("window", k.deletion_window_days);
  j.set("rotation", k.rotation).set("rotation_days", k.rotation_days).set("next_rotation", k.next_rotation.us);
  j.set("policy", k.policy_text).set("tags", json_of(k.tags));
  Json grants = Json::array(), materials = Json::array();
  for (auto& g : k.grants) grants.push(json_of(g));
  for (auto& m : k.materials) {
    Json x = Json::object();
    x.set("id", m.id).set("created", m.created.us).set("on_demand", m.on_demand);
    x.set("sealed", base64(crypto::seal(root_key, m.bytes, k.arn() + "/" + m.id)));
    materials.push(std::move(x));
  }
  j.set("grants", std::move(grants)).set("materials", std::move(materials));
  return j.dump();
}

Result<Key> load_key(std::string_view record, std::string_view root_key) {
  TRY(Json j, Json::parse(record));
  Key k{.account = j["account"].str(), .region = j["region"].str(), .id = j["id"].str(), .description = j["description"].str()};
  k.aws_managed = j["managed"].boolean();
  auto state = j["state"].str();
  k.state = state == "Enabled" ? KeyState::enabled : state == "Disabled" ? KeyState::disabled : KeyState::pending_deletion;
  k.created = {j["created"].integer()};
  k.deletion_date = {j["deletion"].integer()};
  k.deletion_window_days = int(j["window"].integer());
  k.rotation = j["rotation"].boolean();
  k.rotation_days = int(j["rotation_days"].integer(365));
  k.next_rotation = {j["next_rotation"].integer()};
  k.policy_text = j["policy"].str();
  TRY(k.policy, policy::parse(k.policy_text, policy::Kind::key));
  k.tags = map_of(j["tags"]);
  for (auto& g : j["grants"].items()) k.grants.push_back(grant_of(g));
  for (auto& m : j["materials"].items()) {
    Material x{.id = m["id"].str(), .created = {m["created"].integer()}, .on_demand = m["on_demand"].boolean()};
    auto sealed = unbase64(m["sealed"].str());
    if (!sealed) return fail(kInternal, "KMS key record " + k.arn() + " is damaged");
    auto bytes = crypto::open(root_key, *sealed, k.arn() + "/" + x.id);
    if (!bytes)
      return fail(kInternal, "KMS key " + k.arn() + " can't be unwrapped: the root key is not the one it was made with");
    x.bytes = std::move(*bytes);
    k.materials.push_back(std::move(x));
  }
  if (k.materials.empty()) return fail(kInternal, "KMS key record " + k.arn() + " has no material");
  return k;
}

}  // namespace redoubt::keys
