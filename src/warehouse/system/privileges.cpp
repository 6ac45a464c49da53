// Who holds what: SVV_*_PRIVILEGES, SVV_ROLES and the like. Users see what concerns them, superusers everything.
#include "base/text.h"
#include "warehouse/system/declare.h"

namespace redoubt::warehouse::system {

namespace {

const char* kind_name(catalog::GranteeKind kind) {
  switch (kind) {
    case catalog::GranteeKind::kUser:
      return "user";
    case catalog::GranteeKind::kGroup:
      return "group";
    case catalog::GranteeKind::kRole:
      return "role";
    case catalog::GranteeKind::kPublic:
      return "public";
  }
  return "";
}

bool concerns(const Source& s, const catalog::AclEntry& entry, Oid owner) {
  return s.who.superuser || owner == s.who.user || s.who.has(entry.grantee) || entry.grantor == s.who.user;
}

/// f(entry, one privilege bit) for each.
template <class F>
void each_bit(const catalog::Acl& acl, F f) {
  for (auto& entry : acl)
    for (catalog::Privileges bit = 1; bit; bit <<= 1)
      if (entry.privileges & bit) f(entry, bit);
}

Row identity(const Source& s, const catalog::AclEntry& entry, catalog::Privileges bit) {
  return {text(catalog::privilege_name(bit)),  number(entry.grantee.id),     text(s.snapshot->grantee_name(entry.grantee)),
          text(kind_name(entry.grantee.kind)), truth(entry.grantable & bit), text(s.snapshot->user_name(entry.grantor))};
}

Row joined(Row a, Row b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Rows svv_relation_privileges(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s)) {
    if (!r->acl) continue;
    each_bit(*r->acl, [&](auto& entry, auto bit) {
      if (concerns(s, entry, r->owner))
        rows.push_back(joined({text(schema_name(s, *r)), text(r->name)}, identity(s, entry, bit)));
    });
  }
  return rows;
}

Rows svv_column_privileges(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s))
    for (auto& c : r->columns) {
      if (c.dropped || !c.acl) continue;
      each_bit(*c.acl, [&](auto& entry, auto bit) {
        if (concerns(s, entry, r->owner))
          rows.push_back(joined({text(schema_name(s, *r)), text(r->name), text(c.name)}, identity(s, entry, bit)));
      });
    }
  return rows;
}

Rows svv_schema_privileges(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* schema : known_schemas(s)) {
    if (!schema->acl) continue;
    each_bit(*schema->acl, [&](auto& entry, auto bit) {
      if (concerns(s, entry, schema->owner)) rows.push_back(joined({text(schema->name)}, identity(s, entry, bit)));
    });
  }
  return rows;
}

Rows svv_database_privileges(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* d : s.snapshot->databases()) {
    if (!d->acl) continue;
    each_bit(*d->acl, [&](auto& entry, auto bit) {
      if (concerns(s, entry, d->owner)) rows.push_back(joined({text(d->name)}, identity(s, entry, bit)));
    });
  }
  return rows;
}

Rows svv_default_privileges(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* d : s.snapshot->all_default_privileges()) {
    if (d->database != s.database || (!s.who.superuser && d->user != s.who.user)) continue;
    auto* schema = s.snapshot->schema(d->schema);
    each_bit(d->acl, [&](auto& entry, auto bit) {
      rows.push_back({schema ? text(schema->name) : null, text("RELATION"), number(d->user), text(s.snapshot->user_name(d->user)),
                      text("user"), text(catalog::privilege_name(bit)), number(entry.grantee.id),
                      text(s.snapshot->grantee_name(entry.grantee)), text(kind_name(entry.grantee.kind)),
                      truth(entry.grantable & bit)});
    });
  }
  return rows;
}

/// Source: SVV_IAM_PRIVILEGES. ON ALL is shown as "default" there; a chain is shown as it was granted.
Rows svv_iam_privileges(const Source& s, const SystemRelation&) {
  constexpr std::pair<catalog::AssumeCommands, const char*> kCommands[] = {
      {catalog::kAssumeCopy, "COPY"},
      {catalog::kAssumeUnload, "UNLOAD"},
      {catalog::kAssumeExternalFunction, "EXTERNAL FUNCTION"},
      {catalog::kAssumeCreateModel, "CREATE MODEL"}};
  Rows rows;
  for (auto* grants : s.snapshot->assume_role_grants()) {
    if (!s.who.superuser && !s.who.has(grants->grantee)) continue;
    for (auto& [chain, commands] : grants->by_chain)
      for (auto& [bit, name] : kCommands)
        if (commands & bit)
          rows.push_back({text(chain == catalog::AssumeRoleGrants::kEvery ? std::string("default") : chain), text(name),
                          number(grants->grantee.id), text(s.snapshot->grantee_name(grants->grantee)),
                          text(kind_name(grants->grantee.kind))});
  }
  return rows;
}

bool sees_roles(const Source& s) {
  return catalog::is_security_admin(s.who) || catalog::has_system_privilege(*s.snapshot, s.who, "ACCESS CATALOG");
}

Rows svv_roles(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : s.snapshot->roles())
    if (sees_roles(s) || r->owner == s.who.user || s.who.has(catalog::Grantee::role(r->id)))
      rows.push_back({number(r->id), text(r->name), text(s.snapshot->user_name(r->owner)), or_null(r->external_id)});
  return rows;
}

Rows svv_role_grants(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : s.snapshot->roles())
    for (auto& m : r->roles)
      if (sees_roles(s) || s.who.has(catalog::Grantee::role(r->id)))
        rows.push_back(
            {number(r->id), text(r->name), number(m.role), text(s.snapshot->grantee_name(catalog::Grantee::role(m.role)))});
  return rows;
}

Rows svv_user_grants(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* u : s.snapshot->users())
    for (auto& m : u->roles)
      if (sees_roles(s) || u->id == s.who.user)
        rows.push_back({number(u->id), text(u->name), number(m.role),
                        text(s.snapshot->grantee_name(catalog::Grantee::role(m.role))), truth(m.admin_option)});
  return rows;
}

Rows svv_system_privileges(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : s.snapshot->roles())
    for (auto& privilege : r->system_privileges)
      if (sees_roles(s) || s.who.has(catalog::Grantee::role(r->id)))
        rows.push_back({text(privilege), number(r->id), text(r->name), text("role")});
  return rows;
}

Rows svv_user_info(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* u : s.snapshot->users())
    if (s.who.superuser || u->id == s.who.user)
      rows.push_back({text(u->name), number(u->id), truth(u->createdb), truth(u->superuser), truth(false),
                      u->connection_limit < 0 ? text("UNLIMITED") : number(u->connection_limit),
                      text(u->syslog_unrestricted ? "UNRESTRICTED" : "RESTRICTED"), null, number(u->session_timeout_s),
                      or_null(u->external_id)});
  return rows;
}

}  // namespace

void declare_privileges(Relations& out) {
  constexpr std::string_view pg = "pg_catalog";
  constexpr Declared view{.is_view = true};
  constexpr std::string_view kIdentity =
      "privilege_type text, identity_id int4, identity_name text, identity_type text, admin_option bool, grantor text";
  auto with = [&](std::string_view first) { return std::string(first) + ", " + std::string(kIdentity); };
  add(out, pg, "svv_relation_privileges", 0, with("namespace_name text, relation_name text"), svv_relation_privileges, view);
  add(out, pg, "svv_column_privileges", 0, with("namespace_name text, relation_name text, column_name text"),
      svv_column_privileges, view);
  add(out, pg, "svv_schema_privileges", 0, with("namespace_name text"), svv_schema_privileges, view);
  add(out, pg, "svv_database_privileges", 0, with("database_name text"), svv_database_privileges, view);
  add(out, pg, "svv_default_privileges", 0,
      "schema_name text, object_type text, owner_id int4, owner_name text, owner_type text, privilege_type text, grantee_id "
      "int4, grantee_name text, "
      "grantee_type text, admin_option bool",
      svv_default_privileges, view);
  add(out, pg, "svv_iam_privileges", 0,
      "iam_arn text, command_type text, identity_id int4, identity_name text, identity_type text", svv_iam_privileges, view);
  add(out, pg, "svv_roles", 0, "role_id int4, role_name text, role_owner text, external_id text", svv_roles, view);
  add(out, pg, "svv_role_grants", 0, "role_id int4, role_name text, granted_role_id int4, granted_role_name text",
      svv_role_grants, view);
  add(out, pg, "svv_user_grants", 0, "user_id int4, user_name text, role_id int4, role_name text, admin_option bool",
      svv_user_grants, view);
  add(out, pg, "svv_system_privileges", 0, "system_privilege text, identity_id int4, identity_name text, identity_type text",
      svv_system_privileges, view);
  add(out, pg, "svv_user_info", 0,
      "user_name text, user_id int4, createdb bool, superuser bool, catalog_update bool, connection_limit text, syslog_access "
      "text, "
      "last_ddl_timestamp timestamp, session_timeout int4, external_user_id text",
      svv_user_info, view);
}

}  // namespace redoubt::warehouse::system
