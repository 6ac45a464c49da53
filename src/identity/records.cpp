#include "identity/records.h"

#include "base/arn.h"

namespace redoubt::identity {

namespace {
constexpr auto kIdentity = policy::Kind::identity;

std::vector<std::string> strings_from(const Json& list) {
  std::vector<std::string> out;
  for (auto& item : list.items()) out.push_back(item.str());
  return out;
}
Timestamp time_from(const Json& j) { return {j.integer()}; }

Json principal_record(const Principal& p) {
  Json inline_policies = Json::object();
  for (auto& [name, document] : p.inline_policies) inline_policies.set(name, document->text());
  Json out = Json::object();
  out.set("name", p.name).set("path", p.path).set("id", p.id).set("created", p.created.us).set("tags", tags_json(p.tags));
  out.set("inline", std::move(inline_policies)).set("attached", Json::strings(p.attached)).set("boundary", p.boundary);
  return out;
}
void fill(Principal& p, const Json& j, const std::string& account, std::string_view kind) {
  p.name = j["name"].str();
  p.path = j["path"].str();
  p.id = j["id"].str();
  p.arn = iam_arn(account, std::string(kind) + p.path + p.name);
  p.created = time_from(j["created"]);
  p.tags = tags_from(j["tags"]);
  for (auto& [name, text] : j["inline"].members()) p.inline_policies[name] = stored_document(text.str(), kIdentity);
  p.attached = strings_from(j["attached"]);
  p.boundary = j["boundary"].str();
}
}  // namespace

Json tags_json(const Tags& tags) {
  Json out = Json::object();
  for (auto& [k, v] : tags) out.set(k, v);
  return out;
}
Tags tags_from(const Json& record) {
  Tags out;
  for (auto& [k, v] : record.members()) out[k] = v.str();
  return out;
}

Json to_record(const User& user) { return principal_record(user).set("groups", Json::strings(user.groups)); }
User user_from(const Json& j, const std::string& account) {
  User user;
  fill(user, j, account, "user");
  user.groups = strings_from(j["groups"]);
  return user;
}
Json to_record(const Group& group) { return principal_record(group); }
Group group_from(const Json& j, const std::string& account) {
  Group group;
  fill(group, j, account, "group");
  return group;
}
Json to_record(const Role& role) {
  return principal_record(role)
      .set("trust", role.trust->text())
      .set("description", role.description)
      .set("max_session", role.max_session_s);
}
Role role_from(const Json& j, const std::string& account) {
  Role role;
  fill(role, j, account, "role");
  role.trust = stored_document(j["trust"].str(), policy::Kind::trust);
  role.description = j["description"].str();
  role.max_session_s = j["max_session"].integer(3600);
  return role;
}

Json to_record(const ManagedPolicy& p) {
  Json versions = Json::object();
  for (auto& [number, version] : p.versions)
    versions.set(std::to_string(number),
                 Json::object().set("document", version.document->text()).set("created", version.created.us));
  Json out = Json::object();
  out.set("name", p.name).set("path", p.path).set("id", p.id).set("description", p.description).set("created", p.created.us);
  out.set("updated", p.updated.us).set("tags", tags_json(p.tags)).set("versions", std::move(versions));
  return out.set("default", p.default_version).set("next", p.next_version);
}
ManagedPolicy policy_from(const Json& j, const std::string& account) {
  ManagedPolicy p;
  p.name = j["name"].str();
  p.path = j["path"].str();
  p.id = j["id"].str();
  p.arn = iam_arn(account, "policy" + p.path + p.name);
  p.description = j["description"].str();
  p.created = time_from(j["created"]);
  p.updated = time_from(j["updated"]);
  p.tags = tags_from(j["tags"]);
  for (auto& [number, version] : j["versions"].members())
    p.versions[int(parse_int(number).value_or(0))] = {stored_document(version["document"].str(), kIdentity),
                                                      time_from(version["created"])};
  p.default_version = int(j["default"].integer(1));
  p.next_version = int(j["next"].integer(2));
  return p;
}

Json to_record(const InstanceProfile& p) {
  Json out = Json::object();
  out.set("name", p.name)
      .set("path", p.path)
      .set("id", p.id)
      .set("role", p.role)
      .set("created", p.created.us)
      .set("tags", tags_json(p.tags));
  return out;
}
InstanceProfile profile_from(const Json& j, const std::string& account) {
  InstanceProfile p;
  p.name = j["name"].str();
  p.path = j["path"].str();
  p.id = j["id"].str();
  p.arn = iam_arn(account, "instance-profile" + p.path + p.name);
  p.role = j["role"].str();
  p.created = time_from(j["created"]);
  p.tags = tags_from(j["tags"]);
  return p;
}

Json to_record(const AccessKey& k) {
  Json out = Json::object();
  out.set("id", k.id)
      .set("user", k.user)
      .set("secret", base64(k.sealed_secret))
      .set("active", k.active)
      .set("created", k.created.us);
  return out;
}
AccessKey access_key_from(const Json& j) {
  return {j["id"].str(), j["user"].str(), unbase64(j["secret"].str()).value_or(""), j["active"].boolean(),
          time_from(j["created"])};
}

Json to_record(const Account& a) {
  Json out = Json::object();
  out.set("id", a.id)
      .set("name", a.name)
      .set("email", a.email)
      .set("alias", a.alias)
      .set("canonical", a.canonical_id)
      .set("created", a.created.us);
  return out;
}
Account account_from(const Json& j) {
  Account a;
  a.id = j["id"].str();
  a.name = j["name"].str();
  a.email = j["email"].str();
  a.alias = j["alias"].str();
  a.canonical_id = j["canonical"].str();
  a.created = time_from(j["created"]);
  return a;
}

// -- organizations
// --------------------------------------------------------------------------------------------------------------------

Json to_record(const Organization& o) {
  Json units = Json::array(), accounts = Json::array(), policies = Json::array(), attachments = Json::object(),
       requests = Json::array();
  for (auto& [id, u] : o.units)
    units.push(Json::object()
                   .set("id", u.id)
                   .set("name", u.name)
                   .set("arn", u.arn)
                   .set("parent", u.parent)
                   .set("tags", tags_json(u.tags)));
  for (auto& [id, a] : o.accounts) {
    Json one = Json::object();
    one.set("id", a.id)
        .set("arn", a.arn)
        .set("name", a.name)
        .set("email", a.email)
        .set("parent", a.parent)
        .set("status", a.status);
    accounts.push(one.set("joined", a.joined.us).set("invited", a.invited).set("tags", tags_json(a.tags)));
  }
  for (auto& [id, p] : o.policies) {
    Json one = Json::object();
    one.set("id", p.id)
        .set("arn", p.arn)
        .set("name", p.name)
        .set("description", p.description)
        .set("rcp", p.type == OrgPolicyType::rcp);
    policies.push(one.set("aws", p.aws_managed).set("document", p.document->text()).set("tags", tags_json(p.tags)));
  }
  for (auto& [target, ids] : o.attachments) attachments.set(target, Json::strings(ids));
  for (auto& [id, r] : o.requests) {
    Json one = Json::object();
    one.set("id", r.id).set("account", r.account).set("name", r.name).set("state", r.state).set("failure", r.failure);
    requests.push(one.set("requested", r.requested.us).set("completed", r.completed.us));
  }
  Json out = Json::object();
  out.set("id", o.id)
      .set("arn", o.arn)
      .set("management", o.management)
      .set("email", o.email)
      .set("root", o.root_id)
      .set("root_arn", o.root_arn);
  out.set("created", o.created.us).set("scp", o.scp_enabled).set("rcp", o.rcp_enabled).set("root_tags", tags_json(o.root_tags));
  out.set("units", std::move(units)).set("accounts", std::move(accounts)).set("policies", std::move(policies));
  return out.set("attachments", std::move(attachments)).set("requests", std::move(requests));
}
Organization organization_from(const Json& j) {
  Organization o;
  o.id = j["id"].str();
  o.arn = j["arn"].str();
  o.management = j["management"].str();
  o.email = j["email"].str();
  o.root_id = j["root"].str();
  o.root_arn = j["root_arn"].str();
  o.created = time_from(j["created"]);
  o.scp_enabled = j["scp"].boolean();
  o.rcp_enabled = j["rcp"].boolean();
  o.root_tags = tags_from(j["root_tags"]);
  for (auto& u : j["units"].items())
    o.units[u["id"].str()] = {u["id"].str(), u["arn"].str(), u["name"].str(), u["parent"].str(), tags_from(u["tags"])};
  for (auto& a : j["accounts"].items())
    o.accounts[a["id"].str()] = {a["id"].str(),          a["arn"].str(),         a["name"].str(),
                                 a["email"].str(),       a["parent"].str(),      a["status"].str(),
                                 time_from(a["joined"]), a["invited"].boolean(), tags_from(a["tags"])};
  for (auto& p : j["policies"].items()) {
    bool rcp = p["rcp"].boolean();
    o.policies[p["id"].str()] = {p["id"].str(),
                                 p["arn"].str(),
                                 p["name"].str(),
                                 p["description"].str(),
                                 rcp ? OrgPolicyType::rcp : OrgPolicyType::scp,
                                 p["aws"].boolean(),
                                 stored_document(p["document"].str(), rcp ? policy::Kind::rcp : policy::Kind::scp),
                                 tags_from(p["tags"])};
  }
  for (auto& [target, ids] : j["attachments"].members()) o.attachments[target] = strings_from(ids);
  for (auto& r : j["requests"].items())
    o.requests[r["id"].str()] = {r["id"].str(),      r["account"].str(),        r["name"].str(),          r["state"].str(),
                                 r["failure"].str(), time_from(r["requested"]), time_from(r["completed"])};
  return o;
}

std::vector<std::string> Organization::chain(std::string_view account) const {
  auto it = accounts.find(std::string(account));
  if (it == accounts.end()) return {};
  std::vector<std::string> out{it->second.id};
  for (std::string at = it->second.parent;;) {
    out.insert(out.begin(), at);
    auto unit = units.find(at);
    if (unit == units.end()) break;
    at = unit->second.parent;
  }
  return out;
}
std::string Organization::path(std::string_view account) const {
  auto ids = chain(account);
  if (ids.empty()) return {};
  std::string out = id + "/";
  for (size_t i = 0; i + 1 < ids.size(); ++i) out += ids[i] + "/";
  return out;
}

}  // namespace redoubt::identity
