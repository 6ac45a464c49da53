// Relations of pg_catalog about everything but relations: schemas, databases, users, settings, activity.
#include <algorithm>

#include "base/text.h"
#include "warehouse/catalog/catalog.h"
#include "warehouse/system/declare.h"
#include "warehouse/system/log.h"

namespace redoubt::warehouse::system {

namespace {

Rows pg_namespace(const Source& s, const SystemRelation&) {
  auto system = array(std::vector<std::string>{"rdsdb=UC/rdsdb", "=U/rdsdb"});
  Rows rows{{number(kPgCatalogOid), text("pg_catalog"), number(1), system},
            {number(kInformationSchemaOid), text("information_schema"), number(1), system}};
  for (auto* schema : known_schemas(s))
    rows.push_back({number(schema->oid), text(schema->name), number(schema->owner), acl_text(*s.snapshot, schema->acl)});
  return rows;
}

Rows pg_database(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* d : s.snapshot->databases())
    rows.push_back({number(d->oid), text(d->name), number(d->owner), number(6), truth(false), truth(true),
                    number(d->connection_limit), number(0), number(0), number(0), number(1663), null,
                    acl_text(*s.snapshot, d->acl), text("C"), text("C")});
  return rows;
}

Datum until(const catalog::User& u) { return u.valid_until ? stamp(*u.valid_until) : null; }

Datum useconfig(const catalog::User& u) {
  if (u.settings.empty()) return null;
  std::vector<std::string> out;
  for (auto& [name, value] : u.settings) out.push_back(name + "=" + value);
  return array(out);
}

Rows pg_user(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* u : s.snapshot->users())
    rows.push_back({text(u->name), number(u->id), truth(u->createdb), truth(u->superuser),
                    truth(u->id == catalog::kInternalUserId), text("********"), until(*u), useconfig(*u)});
  return rows;
}

/// Passwords don't leave the catalog, not even as hashes.
Rows pg_user_info(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* u : s.snapshot->users())
    rows.push_back({text(u->name), number(u->id), truth(u->createdb), truth(u->superuser), truth(false), text("********"),
                    until(*u), useconfig(*u), u->connection_limit < 0 ? text("UNLIMITED") : number(u->connection_limit),
                    text(u->syslog_unrestricted ? "UNRESTRICTED" : "RESTRICTED"), null, null, number(u->session_timeout_s),
                    or_null(u->external_id)});
  return rows;
}

Rows pg_group(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* g : s.snapshot->groups()) rows.push_back({text(g->name), number(g->id), array(g->members)});
  return rows;
}

/// Users and groups in the shape of later PostgreSQLs: what psql's \du reads.
Rows pg_roles(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* u : s.snapshot->users())
    rows.push_back({text(u->name), truth(u->superuser), truth(true), truth(u->superuser), truth(u->createdb), truth(false),
                    truth(true), number(u->connection_limit), text("********"), until(*u), truth(false), null, number(u->id),
                    truth(false)});
  for (auto* g : s.snapshot->groups())
    rows.push_back({text(g->name), truth(false), truth(true), truth(false), truth(false), truth(false), truth(false), number(-1),
                    text("********"), null, truth(false), null, number(g->id + 1000000000), truth(false)});
  return rows;
}

Rows pg_auth_members(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* g : s.snapshot->groups())
    for (Oid member : g->members) rows.push_back({number(g->id + 1000000000), number(member), number(1), truth(false)});
  return rows;
}

Rows pg_tablespace(const Source&, const SystemRelation&) {
  return {{number(1663), text("pg_default"), number(1), text(""), null},
          {number(1664), text("pg_global"), number(1), text(""), null}};
}

Rows pg_settings(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& setting : s.settings)
    rows.push_back({text(setting.name), text(setting.value), null, text(""), text(setting.description), null, text("user"),
                    text("string"), text("session"), null, null});
  return rows;
}

Rows pg_stat_activity(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& session : s.sessions()) {
    bool see = s.sees_all || session.user == s.who.user;
    if (!see) continue;
    auto* database = s.snapshot->database(session.database);
    rows.push_back({number(database ? database->oid : 0), text(session.database), number(session.pid), number(session.user),
                    text(session.user_name), text(session.statement.empty() ? "<IDLE>" : session.statement), truth(false),
                    session.statement.empty() ? null : stamp(session.statement_started), stamp(session.started),
                    text(session.remote_host), number(session.remote_port), text(session.application_name)});
  }
  return rows;
}

Rows pg_locks(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& lock : s.locks()) {
    auto* relation = s.snapshot->relation(lock.relation);
    if (!s.who.superuser && lock.pid != s.pid) continue;
    rows.push_back({number(lock.relation), number(relation ? relation->database : 0), number(lock.transaction), number(lock.pid),
                    text("AccessExclusiveLock"), truth(lock.granted)});
  }
  return rows;
}

Rows pg_default_acl(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* d : s.snapshot->all_default_privileges())
    if (d->database == s.database)
      rows.push_back({number(d->user), number(d->user), number(d->schema), letter('r'), acl_text(*s.snapshot, d->acl)});
  return rows;
}

Rows pg_language(const Source&, const SystemRelation&) {
  auto row = [](Oid oid, std::string_view name, bool procedural, bool trusted) -> Row {
    return {number(oid), text(name), number(1), truth(procedural), truth(trusted), number(0),
            number(0),   number(0),  null,      number(2612)};
  };
  return {row(12, "internal", false, false), row(14, "sql", false, true), row(100, "plpgsql", true, true)};
}

Rows pg_collation(const Source&, const SystemRelation&) {
  return {{number(100), text("default"), number(kPgCatalogOid), number(1), number(-1), text(""), text("")}};
}

}  // namespace

void declare_pg_objects(Relations& out) {
  constexpr std::string_view pg = "pg_catalog";
  add(out, pg, "pg_namespace", 2615, "oid oid, nspname name, nspowner int4, nspacl aclitem[]", pg_namespace);
  add(out, pg, "pg_database", 1262,
      "oid oid, datname name, datdba int4, encoding int4, datistemplate bool, datallowconn bool, datconnlimit int4, "
      "datlastsysoid oid, datvacuumxid int8, "
      "datfrozenxid int8, dattablespace oid, datconfig text[], datacl aclitem[], datcollate name, datctype name",
      pg_database);
  add(out, pg, "pg_user", 0,
      "usename name, usesysid int4, usecreatedb bool, usesuper bool, usecatupd bool, passwd text, valuntil timestamp, useconfig "
      "text[]",
      pg_user, {.is_view = true});
  add(out, pg, "pg_user_info", 0,
      "usename name, usesysid int4, usecreatedb bool, usesuper bool, usecatupd bool, passwd text, valuntil timestamp, useconfig "
      "text[], "
      "useconnlimit text, syslogaccess text, last_ddl_ts timestamp, last_ddl_time timestamp, sessiontimeout int4, external_id "
      "text",
      pg_user_info, {.is_view = true});
  add(out, pg, "pg_shadow", 1260,
      "usename name, usesysid int4, usecreatedb bool, usesuper bool, usecatupd bool, passwd text, valuntil timestamp, useconfig "
      "text[]",
      pg_user, {.superuser_only = true});
  add(out, pg, "pg_group", 1261, "groname name, grosysid int4, grolist int4[]", pg_group);
  add(out, pg, "pg_roles", 0,
      "rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcatupdate bool, rolcanlogin bool, "
      "rolconnlimit int4, "
      "rolpassword text, rolvaliduntil timestamp, rolreplication bool, rolconfig text[], oid oid, rolbypassrls bool",
      pg_roles, {.is_view = true});
  add(out, pg, "pg_auth_members", 0, "roleid oid, member oid, grantor oid, admin_option bool", pg_auth_members);
  add(out, pg, "pg_tablespace", 1213, "oid oid, spcname name, spcowner int4, spclocation text, spcacl aclitem[]", pg_tablespace);
  add(out, pg, "pg_settings", 0,
      "name text, setting text, unit text, category text, short_desc text, extra_desc text, context text, vartype text, source "
      "text, min_val text, "
      "max_val text",
      pg_settings, {.is_view = true});
  add(out, pg, "pg_stat_activity", 0,
      "datid oid, datname name, procpid int4, usesysid int4, usename name, current_query text, waiting bool, query_start "
      "timestamp, "
      "backend_start timestamp, client_addr text, client_port int4, application_name text",
      pg_stat_activity, {.is_view = true});
  add(out, pg, "pg_locks", 0, "relation oid, database oid, transaction int8, pid int4, mode text, granted bool", pg_locks,
      {.is_view = true});
  add(out, pg, "pg_default_acl", 826,
      "defacluser int4, defaclrole oid, defaclnamespace oid, defaclobjtype \"char\", defaclacl aclitem[]", pg_default_acl);
  add(out, pg, "pg_language", 2612,
      "oid oid, lanname name, lanowner int4, lanispl bool, lanpltrusted bool, lanplcallfoid oid, laninline oid, lanvalidator "
      "oid, lanacl aclitem[], tableoid oid",
      pg_language);
  add(out, pg, "pg_collation", 3456,
      "oid oid, collname name, collnamespace oid, collowner int4, collencoding int4, collcollate name, collctype name",
      pg_collation);
  add(out, pg, "pg_trigger", 2620,
      "oid oid, tgrelid oid, tgname name, tgfoid oid, tgtype int2, tgenabled \"char\", tgisinternal bool, tgconstraint oid",
      no_rows);
  add(out, pg, "pg_inherits", 2611, "inhrelid oid, inhparent oid, inhseqno int4", no_rows);
  add(out, pg, "pg_range", 3541, "rngtypid oid, rngsubtype oid, rngcollation oid", no_rows);
  add(out, pg, "pg_enum", 3501, "oid oid, enumtypid oid, enumlabel name, enumsortorder float4", no_rows);
  add(out, pg, "pg_extension", 3079,
      "oid oid, extname name, extowner int4, extnamespace oid, extrelocatable bool, extversion text", no_rows);
  add(out, pg, "pg_db_role_setting", 2964, "setdatabase oid, setrole oid, setconfig text[]", no_rows);
  add(out, pg, "pg_prepared_xacts", 0, "transaction xid, gid text, prepared timestamp, owner name, database name", no_rows,
      {.is_view = true});
  add(out, pg, "pg_operator", 2617,
      "oid oid, oprname name, oprnamespace oid, oprowner int4, oprkind \"char\", oprleft oid, oprright oid, oprresult oid, "
      "oprcode regproc",
      no_rows);
  add(out, pg, "pg_am", 2601, "oid oid, amname name",
      [](const Source&, const SystemRelation&) -> Rows { return {{number(403), text("btree")}}; });
  add(out, pg, "pg_opclass", 2616, "oid oid, opcname name, opcnamespace oid, opcintype oid", no_rows);
  add(out, pg, "pg_cast", 2605,
      "oid oid, castsource oid, casttarget oid, castfunc oid, castcontext \"char\", castmethod \"char\"", no_rows);
  add(out, pg, "pg_aggregate", 2600, "aggfnoid oid, aggtranstype oid", no_rows);
  add(out, pg, "pg_foreign_data_wrapper", 2328,
      "oid oid, fdwname name, fdwowner int4, fdwhandler oid, fdwvalidator oid, fdwacl aclitem[], fdwoptions text[]", no_rows);
  add(out, pg, "pg_foreign_server", 1417, "oid oid, srvname name, srvowner int4, srvfdw oid, srvoptions text[]", no_rows);
  add(out, pg, "pg_foreign_table", 3118, "ftrelid oid, ftserver oid, ftoptions text[]", no_rows);
  add(out, pg, "pg_event_trigger", 3466, "oid oid, evtname name, evtevent name, evtowner int4, evtfoid oid, evtenabled \"char\"",
      no_rows);
  add(out, pg, "pg_seclabels", 0, "objoid oid, classoid oid, objsubid int4, objtype text, provider text, label text", no_rows,
      {.is_view = true});
  add(out, pg, "pg_matviews", 0, "schemaname name, matviewname name, matviewowner name, definition text", no_rows,
      {.is_view = true});
}

}  // namespace redoubt::warehouse::system
