#include "warehouse/catalog/serial.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"

namespace redoubt::warehouse::catalog {

namespace {

constexpr std::string_view kGranteeLetters = "ugrp";  // by GranteeKind

std::unexpected<Error> corrupt(std::string_view what) {
  return fail(kCorruptCatalog, "the stored catalog can't be read: " + std::string(what));
}

// ---- writing: members with default values are left out

template <class T>
void put(Json& j, const char* name, const T& value, const T& otherwise = {}) {
  if (value == otherwise) return;
  if constexpr (std::is_enum_v<T>)
    j.set(name, int64_t(value));
  else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
    j.set(name, int64_t(value));
  else
    j.set(name, value);
}

Json write(const Grantee& g) { return std::string(1, kGranteeLetters[size_t(g.kind)]) + std::to_string(g.id); }

Json write(const Acl& acl) {
  Json out = Json::array();
  for (auto& e : acl)
    out.push(
        Json::array().push(write(e.grantee)).push(int64_t(e.grantor)).push(int64_t(e.privileges)).push(int64_t(e.grantable)));
  return out;
}
void put_acl(Json& j, const std::optional<Acl>& acl) {
  if (acl) j.set("acl", write(*acl));
}

template <class T>
Json numbers(const std::vector<T>& v) {
  Json out = Json::array();
  for (T n : v) out.push(int64_t(n));
  return out;
}

Json write(const std::vector<RoleMembership>& roles) {
  Json out = Json::array();
  for (auto& m : roles) out.push(Json::array().push(int64_t(m.role)).push(m.admin_option).push(int64_t(m.grantor)));
  return out;
}

Json write(const Column& c) {
  Json j = Json::object();
  j.set("name", c.name).set("n", int64_t(c.attnum)).set("type", int64_t(c.type.oid())).set("typmod", int64_t(c.type.typmod()));
  put(j, "dropped", c.dropped);
  put(j, "notnull", c.not_null);
  if (c.default_sql) j.set("default", *c.default_sql);
  if (c.identity) j.set("identity", Json::array().push(c.identity_always).push(c.identity_seed).push(c.identity_step));
  put(j, "encode", c.encoding, std::string("none"));
  put(j, "distkey", c.distkey);
  put(j, "sortkey", c.sortkey_position);
  put_acl(j, c.acl);
  put(j, "comment", c.comment);
  return j;
}

Json write(const Constraint& c) {
  Json j = Json::object();
  j.set("kind", int64_t(c.kind)).set("oid", int64_t(c.oid)).set("name", c.name).set("columns", numbers(c.columns));
  put(j, "references", c.references);
  if (!c.referenced_columns.empty()) j.set("referenced", numbers(c.referenced_columns));
  return j;
}

Json write(const Database& d) {
  Json j = Json::object();
  j.set("name", d.name).set("owner", int64_t(d.owner));
  put_acl(j, d.acl);
  put(j, "connections", d.connection_limit, -1);
  put(j, "nocase", d.case_insensitive);
  put(j, "comment", d.comment);
  return j;
}

Json write(const Schema& s) {
  Json j = Json::object();
  j.set("database", int64_t(s.database)).set("name", s.name).set("owner", int64_t(s.owner));
  put_acl(j, s.acl);
  put(j, "quota", s.quota_mb, int64_t(-1));
  put(j, "comment", s.comment);
  return j;
}

Json write(const Relation& r) {
  Json j = Json::object();
  j.set("database", int64_t(r.database)).set("schema", int64_t(r.schema)).set("name", r.name).set("owner", int64_t(r.owner));
  put(j, "kind", r.kind, RelationKind::kTable);
  put(j, "temp", r.temporary);
  j.set("storage", int64_t(r.storage));
  Json columns = Json::array(), constraints = Json::array(), pins = Json::array();
  for (auto& c : r.columns) columns.push(write(c));
  j.set("columns", std::move(columns));
  for (auto& c : r.constraints) constraints.push(write(c));
  if (constraints.size()) j.set("constraints", std::move(constraints));
  put(j, "dist", r.dist_style, DistStyle::kAuto);
  put(j, "sort", r.sort_style, SortStyle::kNone);
  put(j, "backup", r.backup, true);
  put_acl(j, r.acl);
  put(j, "comment", r.comment);
  put(j, "created", r.created.us);
  put(j, "sql", r.view_sql);
  for (auto& [name, oid] : r.pins) pins.push(Json::array().push(name).push(int64_t(oid)));
  if (pins.size()) j.set("pins", std::move(pins));
  if (!r.depends_on.empty()) j.set("depends", numbers(r.depends_on));
  put(j, "rls", r.rls_on);
  put(j, "rls_or", r.rls_conjunction_or);
  if (!r.policies.empty()) {
    Json policies = Json::array();
    for (auto& a : r.policies)
      policies.push(Json::array().push(int64_t(a.policy)).push(write(a.grantee)).push(int64_t(a.grantor)));
    j.set("policies", std::move(policies));
  }
  return j;
}

Json write(const User& u, std::string_view secret_key) {
  Json j = Json::object();
  j.set("name", u.name);
  put(j, "super", u.superuser);
  put(j, "createdb", u.createdb);
  put(j, "syslog", u.syslog_unrestricted);
  put(j, "disabled", u.password_disabled);
  if (!u.verifier.empty()) {
    Json v = Json::object();
    put(v, "md5", u.verifier.md5);
    put(v, "sha256", u.verifier.sha256);
    put(v, "salt", hex(u.verifier.sha256_salt));
    put(v, "scram", u.verifier.scram);
    if (secret_key.empty())
      j.set("verifier", std::move(v));
    else
      j.set("sealed", base64(crypto::seal(secret_key, v.dump(), "user/" + std::to_string(u.id))));
  }
  if (u.valid_until) j.set("until", u.valid_until->us);
  put(j, "connections", u.connection_limit, -1);
  put(j, "timeout", u.session_timeout_s);
  put(j, "external", u.external_id);
  if (!u.groups.empty()) j.set("groups", numbers(u.groups));
  if (!u.roles.empty()) j.set("roles", write(u.roles));
  Json settings = Json::object();
  for (auto& [name, value] : u.settings) settings.set(name, value);
  if (settings.size()) j.set("settings", std::move(settings));
  put(j, "comment", u.comment);
  return j;
}

Json write(const Group& g) { return Json::object().set("name", g.name).set("members", numbers(g.members)); }

Json write(const Role& r) {
  Json j = Json::object();
  j.set("name", r.name).set("owner", int64_t(r.owner));
  put(j, "external", r.external_id);
  if (!r.roles.empty()) j.set("roles", write(r.roles));
  if (!r.system_privileges.empty()) j.set("privileges", Json::strings(r.system_privileges));
  return j;
}

Json write(const AssumeRoleGrants& a) {
  Json chains = Json::object();
  for (auto& [chain, commands] : a.by_chain) chains.set(chain, int64_t(commands));
  return Json::object().set("chains", std::move(chains));
}

Json write(const RlsPolicy& p) {
  Json j = Json::object(), columns = Json::array(), pins = Json::array(), lookups = Json::array();
  j.set("database", int64_t(p.database)).set("name", p.name).set("alias", p.alias).set("predicate", p.predicate);
  for (auto& c : p.columns) columns.push(Json::array().push(c.name).push(int64_t(c.type.oid())).push(int64_t(c.type.typmod())));
  j.set("columns", std::move(columns));
  for (auto& [name, oid] : p.pins) pins.push(Json::array().push(name).push(int64_t(oid)));
  j.set("pins", std::move(pins));
  for (auto& [oid, attnums] : p.lookups) lookups.push(Json::array().push(int64_t(oid)).push(numbers(attnums)));
  j.set("lookups", std::move(lookups));
  if (!p.granted.empty()) j.set("granted", numbers(p.granted));
  j.set("by", p.modified_by).set("at", p.modified.us);
  return j;
}

Json write(const DefaultPrivileges& d) { return Json::object().set("acl", write(d.acl)); }

Json write(const Procedure& p) {
  Json j = Json::object();
  j.set("database", int64_t(p.database)).set("schema", int64_t(p.schema)).set("name", p.name).set("owner", int64_t(p.owner));
  Json arguments = Json::array(), settings = Json::object();
  for (auto& a : p.arguments)
    arguments.push(Json::array().push(a.name).push(int64_t(a.mode)).push(int64_t(a.type.oid())).push(int64_t(a.type.typmod())));
  j.set("arguments", std::move(arguments)).set("body", p.body);
  put_acl(j, p.acl);
  put(j, "cased", p.case_sensitive);
  put(j, "nonatomic", p.nonatomic);
  put(j, "definer", p.security_definer);
  for (auto& [name, value] : p.settings) settings.set(name, value);
  if (!p.settings.empty()) j.set("settings", std::move(settings));
  put(j, "comment", p.comment);
  put(j, "created", p.created.us);
  return j;
}

// ---- reading

Oid oid(const Json& j) { return Oid(j.integer()); }

std::optional<Grantee> read_grantee(const Json& j) {
  std::string s = j.str();
  size_t kind = s.empty() ? std::string::npos : kGranteeLetters.find(s[0]);
  auto id = s.empty() ? std::nullopt : parse_int(std::string_view(s).substr(1));
  if (kind == std::string::npos || !id) return std::nullopt;
  return Grantee{GranteeKind(kind), Oid(*id)};
}

Result<Acl> read_acl(const Json& j) {
  Acl acl;
  for (auto& e : j.items()) {
    auto grantee = read_grantee(e[0]);
    if (!grantee) return corrupt("a grantee");
    acl.push_back({*grantee, oid(e[1]), Privileges(e[2].integer()), Privileges(e[3].integer())});
  }
  return acl;
}

Result<std::optional<Acl>> read_optional_acl(const Json& j) {
  if (!j.has("acl")) return std::optional<Acl>{};
  TRY(Acl acl, read_acl(j["acl"]));
  return std::optional<Acl>(std::move(acl));
}

template <class T>
std::vector<T> read_numbers(const Json& j) {
  std::vector<T> out;
  for (auto& n : j.items()) out.push_back(T(n.integer()));
  return out;
}

std::vector<RoleMembership> read_memberships(const Json& j) {
  std::vector<RoleMembership> out;
  for (auto& m : j.items()) out.push_back({oid(m[0]), m[1].boolean(), oid(m[2])});
  return out;
}

Result<Column> read_column(const Json& j) {
  Column c;
  c.name = j["name"].str();
  c.attnum = int16_t(j["n"].integer());
  auto type = sql::type_from_oid(uint32_t(j["type"].integer()), int32_t(j["typmod"].integer()));
  if (!type || c.attnum < 1) return corrupt("a column's type");
  c.type = *type;
  c.dropped = j["dropped"].boolean();
  c.not_null = j["notnull"].boolean();
  if (j.has("default")) c.default_sql = j["default"].str();
  if (const Json* identity = j.find("identity")) {
    c.identity = true;
    c.identity_always = (*identity)[0].boolean();
    c.identity_seed = (*identity)[1].integer();
    c.identity_step = (*identity)[2].integer();
  }
  if (j.has("encode")) c.encoding = j["encode"].str();
  c.distkey = j["distkey"].boolean();
  c.sortkey_position = int16_t(j["sortkey"].integer());
  TRY(c.acl, read_optional_acl(j));
  c.comment = j["comment"].str();
  return c;
}

Result<Object> read_database(const Key& key, const Json& j) {
  Database d{.oid = Oid(key.id), .name = j["name"].str(), .owner = oid(j["owner"])};
  TRY(d.acl, read_optional_acl(j));
  d.connection_limit = int(j["connections"].integer(-1));
  d.case_insensitive = j["nocase"].boolean();
  d.comment = j["comment"].str();
  return d;
}

Result<Object> read_schema(const Key& key, const Json& j) {
  Schema s{.oid = Oid(key.id), .database = oid(j["database"]), .name = j["name"].str(), .owner = oid(j["owner"])};
  TRY(s.acl, read_optional_acl(j));
  s.quota_mb = j["quota"].integer(-1);
  s.comment = j["comment"].str();
  return s;
}

Result<Object> read_relation(const Key& key, const Json& j) {
  Relation r{.oid = Oid(key.id), .schema = oid(j["schema"]), .database = oid(j["database"]), .name = j["name"].str()};
  r.owner = oid(j["owner"]);
  r.kind = RelationKind(j["kind"].integer());
  r.temporary = j["temp"].boolean();
  r.storage = oid(j["storage"]);
  for (auto& column : j["columns"].items()) {
    TRY(Column c, read_column(column));
    r.columns.push_back(std::move(c));
  }
  for (auto& c : j["constraints"].items())
    r.constraints.push_back({Constraint::Kind(c["kind"].integer()), oid(c["oid"]), c["name"].str(),
                             read_numbers<int16_t>(c["columns"]), oid(c["references"]), read_numbers<int16_t>(c["referenced"])});
  r.dist_style = DistStyle(j["dist"].integer(int64_t(DistStyle::kAuto)));
  r.sort_style = SortStyle(j["sort"].integer(int64_t(SortStyle::kNone)));
  r.backup = j["backup"].boolean(true);
  TRY(r.acl, read_optional_acl(j));
  r.comment = j["comment"].str();
  r.created = {j["created"].integer()};
  r.view_sql = j["sql"].str();
  for (auto& pin : j["pins"].items()) r.pins.emplace_back(pin[0].str(), oid(pin[1]));
  r.depends_on = read_numbers<Oid>(j["depends"]);
  r.rls_on = j["rls"].boolean();
  r.rls_conjunction_or = j["rls_or"].boolean();
  for (auto& a : j["policies"].items()) {
    auto grantee = read_grantee(a[1]);
    if (!grantee) return corrupt("a policy's grantee");
    r.policies.push_back({oid(a[0]), *grantee, oid(a[2])});
  }
  return r;
}

Result<Verifier> read_verifier(const Json& j, Oid user, std::string_view secret_key) {
  Json v = j["verifier"];
  if (j.has("sealed")) {
    auto sealed = unbase64(j["sealed"].str());
    if (!sealed) return corrupt("a password verifier");
    auto opened = crypto::open(secret_key, *sealed, "user/" + std::to_string(user));
    if (!opened) return corrupt("a password verifier is sealed with another key");
    TRY(v, Json::parse(*opened));
  }
  auto salt = unhex(v["salt"].str());
  if (!salt) return corrupt("a password salt");
  return Verifier{v["md5"].str(), v["sha256"].str(), *salt, v["scram"].str()};
}

Result<Object> read_user(const Key& key, const Json& j, std::string_view secret_key) {
  User u{.id = Oid(key.id), .name = j["name"].str()};
  u.superuser = j["super"].boolean();
  u.createdb = j["createdb"].boolean();
  u.syslog_unrestricted = j["syslog"].boolean();
  u.password_disabled = j["disabled"].boolean();
  TRY(u.verifier, read_verifier(j, u.id, secret_key));
  if (j.has("until")) u.valid_until = Timestamp{j["until"].integer()};
  u.connection_limit = int(j["connections"].integer(-1));
  u.session_timeout_s = int(j["timeout"].integer());
  u.external_id = j["external"].str();
  u.groups = read_numbers<Oid>(j["groups"]);
  u.roles = read_memberships(j["roles"]);
  for (auto& [name, value] : j["settings"].members()) u.settings[name] = value.str();
  u.comment = j["comment"].str();
  return u;
}

Result<Object> read_policy(const Key& key, const Json& j) {
  RlsPolicy p{.oid = Oid(key.id), .database = oid(j["database"]), .name = j["name"].str(), .alias = j["alias"].str()};
  for (auto& c : j["columns"].items()) {
    auto type = sql::type_from_oid(uint32_t(c[1].integer()), int32_t(c[2].integer()));
    if (!type) return corrupt("a policy's column");
    p.columns.push_back({c[0].str(), *type});
  }
  p.predicate = j["predicate"].str();
  for (auto& pin : j["pins"].items()) p.pins.emplace_back(pin[0].str(), oid(pin[1]));
  for (auto& l : j["lookups"].items()) p.lookups.emplace_back(oid(l[0]), read_numbers<int16_t>(l[1]));
  p.granted = read_numbers<Oid>(j["granted"]);
  p.modified_by = j["by"].str();
  p.modified = {j["at"].integer()};
  return p;
}

Result<Object> read_role(const Key& key, const Json& j) {
  Role r{.id = Oid(key.id), .name = j["name"].str(), .owner = oid(j["owner"])};
  r.external_id = j["external"].str();
  r.roles = read_memberships(j["roles"]);
  for (auto& p : j["privileges"].items()) r.system_privileges.push_back(p.str());
  return r;
}

Result<Object> read_procedure(const Key& key, const Json& j) {
  Procedure p{.oid = Oid(key.id), .schema = oid(j["schema"]), .database = oid(j["database"]), .name = j["name"].str()};
  p.owner = oid(j["owner"]);
  TRY(p.acl, read_optional_acl(j));
  for (auto& a : j["arguments"].items()) {
    auto type = sql::type_from_oid(uint32_t(a[2].integer()), int32_t(a[3].integer()));
    int64_t mode = a[1].integer(-1);
    if (!type || mode < 0 || mode > int64_t(ArgumentMode::kInOut)) return corrupt("an argument of a procedure");
    p.arguments.push_back({a[0].str(), ArgumentMode(mode), *type});
  }
  p.body = j["body"].str();
  p.case_sensitive = j["cased"].boolean();
  p.nonatomic = j["nonatomic"].boolean();
  p.security_definer = j["definer"].boolean();
  for (auto& [name, value] : j["settings"].members()) p.settings[name] = value.str();
  p.comment = j["comment"].str();
  p.created = {j["created"].integer()};
  return p;
}

}  // namespace

Row row_of(const Key& key) {
  switch (key.kind) {
    case ObjectKind::kDatabase:
      return {"database", Oid(key.id), ""};
    case ObjectKind::kSchema:
      return {"schema", Oid(key.id), ""};
    case ObjectKind::kRelation:
      return {"relation", Oid(key.id), ""};
    case ObjectKind::kUser:
      return {"user", Oid(key.id), ""};
    case ObjectKind::kGroup:
      return {"group", Oid(key.id), ""};
    case ObjectKind::kRole:
      return {"role", Oid(key.id), ""};
    case ObjectKind::kRlsPolicy:
      return {"rls policy", Oid(key.id), ""};
    case ObjectKind::kAssumeRole:
      return {std::string("assumerole/") + kGranteeLetters[size_t(key.id >> 32)], Oid(key.id), ""};
    case ObjectKind::kDefaultPrivileges:
      return {"default/" + std::to_string(key.id >> 32) + "/" + std::to_string(key.sub), Oid(key.id), ""};
    case ObjectKind::kProcedure:
      return {"procedure", Oid(key.id), ""};
  }
  return {};
}

Result<Key> key_of_row(const Row& row) {
  static constexpr std::pair<std::string_view, ObjectKind> kSimple[] = {
      {"database", ObjectKind::kDatabase},    {"schema", ObjectKind::kSchema},
      {"relation", ObjectKind::kRelation},    {"user", ObjectKind::kUser},
      {"group", ObjectKind::kGroup},          {"role", ObjectKind::kRole},
      {"rls policy", ObjectKind::kRlsPolicy}, {"procedure", ObjectKind::kProcedure}};
  for (auto& [name, kind] : kSimple)
    if (row.kind == name) return Key{kind, row.oid};
  auto parts = split(row.kind, '/');
  if (parts.size() == 2 && parts[0] == "assumerole" && parts[1].size() == 1)
    if (size_t kind = kGranteeLetters.find(parts[1][0]); kind != std::string::npos)
      return Key{ObjectKind::kAssumeRole, (uint64_t(kind) << 32) | row.oid};
  if (parts.size() == 3 && parts[0] == "default")
    if (auto database = parse_int(parts[1]), schema = parse_int(parts[2]); database && schema)
      return Key{ObjectKind::kDefaultPrivileges, (uint64_t(*database) << 32) | row.oid, uint64_t(*schema)};
  return corrupt("unknown kind \"" + row.kind + "\"");
}

std::string to_body(const Object& object, std::string_view secret_key) {
  return std::visit(
             [&](auto& o) {
               if constexpr (std::is_same_v<std::decay_t<decltype(o)>, User>)
                 return write(o, secret_key);
               else
                 return write(o);
             },
             object)
      .dump();
}

Result<Object> from_body(const Key& key, std::string_view body, std::string_view secret_key) {
  auto parsed = Json::parse(body);
  if (!parsed || !parsed->is_object()) return corrupt("a body that isn't JSON");
  const Json& j = *parsed;
  switch (key.kind) {
    case ObjectKind::kDatabase:
      return read_database(key, j);
    case ObjectKind::kSchema:
      return read_schema(key, j);
    case ObjectKind::kRelation:
      return read_relation(key, j);
    case ObjectKind::kUser:
      return read_user(key, j, secret_key);
    case ObjectKind::kGroup:
      return Group{Oid(key.id), j["name"].str(), read_numbers<Oid>(j["members"])};
    case ObjectKind::kRole:
      return read_role(key, j);
    case ObjectKind::kRlsPolicy:
      return read_policy(key, j);
    case ObjectKind::kAssumeRole: {
      AssumeRoleGrants a{.grantee = {GranteeKind(key.id >> 32), Oid(key.id)}};
      for (auto& [chain, commands] : j["chains"].members()) a.by_chain[chain] = AssumeCommands(commands.integer());
      return a;
    }
    case ObjectKind::kDefaultPrivileges: {
      TRY(Acl acl, read_acl(j["acl"]));
      return DefaultPrivileges{Oid(key.id), Oid(key.id >> 32), Oid(key.sub), std::move(acl)};
    }
    case ObjectKind::kProcedure:
      return read_procedure(key, j);
  }
  return corrupt("an unknown kind");
}

}  // namespace redoubt::warehouse::catalog
