#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/policies.h"

namespace redoubt::warehouse::session {

using catalog::Database;
using catalog::Relation;
using catalog::RelationKind;
using catalog::Schema;

Result<Outcome> create_database(Work& work, const sql::CreateDatabase& command) {
  auto* self = work.now().user(work.facts->current_user);
  if (!work.superuser() && !(self && self->createdb))
    return fail(secure::kPermissionDenied, "permission denied to create database");
  TRY_VOID(check_new_name("database", command.name.text));
  if (work.now().database(command.name.text))
    return fail(catalog::kDuplicateDatabase, "database \"" + command.name.text + "\" already exists");
  if (command.options.isolation_level == "snapshot")
    return fail(secure::kNotSupported, "ISOLATION LEVEL SNAPSHOT is not supported");
  Database database{.oid = work.core.catalog.new_oid(), .name = command.name.text, .owner = work.facts->current_user};
  if (!command.options.owner.empty()) {
    TRY(auto* owner, find_user(work, command.options.owner));
    if (owner->id != work.facts->current_user && !work.superuser())
      return fail(secure::kPermissionDenied, "permission denied to create database for another user");
    database.owner = owner->id;
  }
  if (command.options.connection_limit) database.connection_limit = int(*command.options.connection_limit);
  database.case_insensitive = command.options.collate == "case_insensitive";
  catalog::Acl open_to_all = catalog::default_acl(catalog::AclTarget::kSchema, catalog::kInternalUserId);
  catalog::acl_grant(open_to_all, catalog::Grantee::everyone(), catalog::kInternalUserId, catalog::kUsage | catalog::kCreate,
                     false);
  Schema schema{
      .oid = work.core.catalog.new_oid(), .database = database.oid, .name = "public", .owner = catalog::kInternalUserId};
  schema.acl = open_to_all;
  work.changes.put(database);
  work.changes.put(schema);
  return done("CREATE DATABASE");
}

Result<Outcome> alter_database(Work& work, const sql::AlterDatabase& command) {
  TRY(auto* found, find_database(work, command.name.text));
  if (!catalog::owns(work.who(), *found)) return fail(must_be_owner("database", found->name));
  LOCK_OR_WAIT(work, {object_lock(found->key())});
  TRY(found, find_database(work, command.name.text));
  Database database = *found;
  if (!command.rename_to.empty()) {
    if (database.oid == work.facts->database) return fail(secure::kNotSupported, "current database may not be renamed");
    TRY_VOID(check_new_name("database", command.rename_to));
    if (work.now().database(command.rename_to))
      return fail(catalog::kDuplicateDatabase, "database \"" + command.rename_to + "\" already exists");
    database.name = command.rename_to;
  }
  if (!command.options.owner.empty()) {
    if (!work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to change the owner of a database");
    TRY(auto* owner, find_user(work, command.options.owner));
    if (database.acl) catalog::acl_new_owner(*database.acl, database.owner, owner->id);
    database.owner = owner->id;
  }
  if (command.options.connection_limit) {
    if (!work.superuser())
      return fail(secure::kPermissionDenied, "must be superuser to change the connection limit of a database");
    database.connection_limit = int(*command.options.connection_limit);
  }
  if (!command.options.isolation_level.empty() && command.options.isolation_level != "serializable")
    return fail(secure::kNotSupported, "ISOLATION LEVEL SNAPSHOT is not supported");
  work.changes.put(database);
  return done("ALTER DATABASE");
}

Result<Outcome> create_schema(Work& work, const sql::CreateSchema& command) {
  if (!command.schema.database.empty() && command.schema.database != work.facts->database_name)
    return fail(secure::kNotSupported, "CREATE SCHEMA in another database is not supported");
  std::string name = command.schema.name.empty() ? command.authorization : command.schema.name;
  auto* database = work.now().database(work.facts->database);
  if (!catalog::may(work.who(), catalog::kCreate, *database) &&
      !catalog::has_system_privilege(work.now(), work.who(), "CREATE SCHEMA"))
    return fail(permission_denied("database", database->name));
  TRY_VOID(check_new_name("schema", name));
  if (name == "information_schema" || work.now().schema(database->oid, name)) {
    if (command.if_not_exists) {
      work.notice("INFO", "Schema \"" + name + "\" already exists, skipping", "42P06");
      return done("CREATE SCHEMA");
    }
    return fail(catalog::kDuplicateSchema, "Schema \"" + name + "\" already exists");
  }
  Schema schema{.oid = work.core.catalog.new_oid(), .database = database->oid, .name = name, .owner = work.facts->current_user};
  if (!command.authorization.empty()) {
    TRY(auto* owner, find_user(work, command.authorization));
    if (owner->id != work.facts->current_user && !work.superuser())
      return fail(secure::kPermissionDenied, "permission denied to create a schema for user \"" + owner->name + "\"");
    schema.owner = owner->id;
  }
  if (command.quota) schema.quota_mb = command.quota->megabytes;
  work.changes.put(schema);
  return done("CREATE SCHEMA");
}

Result<Outcome> alter_schema(Work& work, const sql::AlterSchema& command) {
  TRY(auto* found, find_schema_to_use(work, command.schema.database, command.schema.name));
  if (is_temp_schema(found->name)) return fail(must_be_owner("schema", found->name));
  if (!catalog::owns(work.who(), *found) && !catalog::may(work.who(), catalog::kAlter, *found))
    return fail(must_be_owner("schema", found->name));
  LOCK_OR_WAIT(work, {object_lock(found->key())});
  TRY(found, find_schema_to_use(work, command.schema.database, command.schema.name));
  Schema schema = *found;
  if (!command.rename_to.empty()) {
    TRY_VOID(check_new_name("schema", command.rename_to));
    if (work.now().schema(schema.database, command.rename_to))
      return fail(catalog::kDuplicateSchema, "Schema \"" + command.rename_to + "\" already exists");
    schema.name = command.rename_to;
  }
  if (!command.owner_to.empty()) {
    TRY(auto* owner, find_user(work, command.owner_to));
    if (!work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to change the owner of a schema");
    if (schema.acl) catalog::acl_new_owner(*schema.acl, schema.owner, owner->id);
    schema.owner = owner->id;
  }
  if (command.quota) {
    if (!work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to change the quota of a schema");
    schema.quota_mb = command.quota->megabytes;
  }
  work.changes.put(schema);
  return done("ALTER SCHEMA");
}

// ---------------------------------------------------------------------------------------------------- DROP

Result<void> drop_relation(Work& work, catalog::Oid oid) {
  auto* relation = work.now().relation(oid);
  if (!relation) return {};  // a view that hung on two of the relations
  for (catalog::Oid view : work.now().dependents(oid)) TRY_VOID(drop_relation(work, view));
  relation = work.now().relation(oid);
  TRY_VOID(check_no_policy_needs(work, *relation, "drop relation " + relation->name));
  if (relation->kind == RelationKind::kTable) {
    TRY(auto* engine, work.engine());
    TRY_VOID(engine->note_write(oid));
    TRY_VOID(engine->drop_table(physical_of(*relation)));
  }
  // Foreign keys that point here go with it; they were informational.
  catalog::Key key = relation->key();
  for (auto* other : work.now().relations_of_database(relation->database)) {
    if (other->oid == oid) continue;
    if (std::none_of(other->constraints.begin(), other->constraints.end(), [&](auto& c) { return c.references == oid; }))
      continue;
    Relation changed = *other;
    std::erase_if(changed.constraints, [&](auto& c) { return c.references == oid; });
    work.changes.put(std::move(changed));
  }
  work.changes.drop(key);
  return {};
}

namespace {

/// Relations that go when `oid` goes: views on it, views on those.
void with_dependents(const catalog::Snapshot& s, catalog::Oid oid, std::vector<catalog::Oid>& out) {
  if (std::find(out.begin(), out.end(), oid) != out.end()) return;
  out.push_back(oid);
  for (catalog::Oid view : s.dependents(oid)) with_dependents(s, view, out);
}

std::vector<LockKey> lock_keys(const std::vector<catalog::Oid>& oids) {
  std::vector<LockKey> keys;
  for (auto oid : oids) keys.push_back(table_lock(oid));
  return keys;
}

Error cannot_drop(const catalog::Snapshot& s, std::string_view kind, const Relation& relation) {
  Error error{&kDependentObjects,
              "cannot drop " + std::string(kind) + " " + relation.name + " because other objects depend on it"};
  std::string detail;
  for (catalog::Oid view : s.dependents(relation.oid))
    detail += (detail.empty() ? "" : "\n") + std::string("view ") + s.relation(view)->name + " depends on " + std::string(kind) +
              " " + relation.name;
  return std::move(error).with("DETAIL", detail).with("HINT", "Use DROP ... CASCADE to drop the dependent objects too.");
}

Result<Outcome> drop_relations(Work& work, const sql::Drop& command) {
  bool view = command.object == sql::ObjectKind::kView;
  std::string kind = view ? "view" : "table";
  std::vector<catalog::Oid> targets, all;
  for (auto& name : command.names) {
    auto found = find_relation(work, name);
    if (!found) {
      bool missing = found.error().is(secure::kUndefinedTable) || found.error().is(secure::kUndefinedSchema);
      if (!missing) return fail(found.error());
      // A temporary table that is named with a schema (awswrangler does so) isn't there, as in Redshift.
      if (command.if_exists) {
        work.notice("INFO", (view ? "View \"" : "Table \"") + display(name) + "\" does not exist and will be skipped", "00000");
        continue;
      }
      if (found.error().is(secure::kUndefinedSchema)) return fail(found.error());
      return fail(secure::kUndefinedTable, (view ? "View \"" : "Table \"") + display(name) + "\" does not exist");
    }
    const Relation& relation = **found;
    if (relation.database != work.facts->database)
      return fail(secure::kNotSupported, "cross-database DROP of \"" + display(name) + "\" is not supported");
    bool is_view = relation.kind != RelationKind::kTable;
    if (is_view != view) {
      Error error{&secure::kWrongObjectType, "\"" + relation.name + "\" is not a " + kind};
      return fail(
          std::move(error).with("HINT", is_view ? "Use DROP VIEW to remove a view." : "Use DROP TABLE to remove a table."));
    }
    if (!catalog::owns(work.who(), relation) && !catalog::may(work.who(), catalog::kDrop, relation) &&
        !catalog::has_system_privilege(work.now(), work.who(), view ? "DROP VIEW" : "DROP TABLE"))
      return fail(must_be_owner("relation", relation.name));
    targets.push_back(relation.oid);
    with_dependents(work.now(), relation.oid, all);
  }
  LOCK_OR_WAIT(work, (lock_keys(all)));
  for (catalog::Oid oid : targets) {
    auto* relation = work.now().relation(oid);
    if (!relation) continue;  // named twice, or dropped while this one waited
    if (!command.cascade)
      for (catalog::Oid dependent : work.now().dependents(oid))
        if (std::find(targets.begin(), targets.end(), dependent) == targets.end())
          return fail(cannot_drop(work.now(), kind, *relation));
    TRY_VOID(drop_relation(work, oid));
  }
  return done(view ? "DROP VIEW" : "DROP TABLE");
}

Result<Outcome> drop_schemas(Work& work, const sql::Drop& command) {
  for (auto& name : command.names) {
    auto found = find_schema_to_use(work, name.schema.empty() ? name.database : name.schema, name.name);
    if (!found && found.error().is(secure::kUndefinedSchema) && command.if_exists) {
      work.notice("INFO", "Schema \"" + name.name + "\" does not exist and will be skipped", "00000");
      continue;
    }
    if (!found) return fail(found.error());
    const Schema& schema = **found;
    if (is_temp_schema(schema.name) || (!catalog::owns(work.who(), schema) && !catalog::may(work.who(), catalog::kDrop, schema) &&
                                        !catalog::has_system_privilege(work.now(), work.who(), "DROP SCHEMA")))
      return fail(must_be_owner("schema", schema.name));
    catalog::Key key = schema.key();
    std::string schema_name = schema.name;
    std::vector<catalog::Oid> inside;
    for (auto* relation : work.now().relations(schema.oid)) with_dependents(work.now(), relation->oid, inside);
    if (!command.cascade && !work.now().schema_is_empty(schema.oid)) {
      Error error{&kDependentObjects, "cannot drop schema " + schema_name + " because other objects depend on it"};
      return fail(std::move(error).with("HINT", "Use DROP ... CASCADE to drop the dependent objects too."));
    }
    std::vector<LockKey> keys = lock_keys(inside);
    keys.push_back(object_lock(key));
    LOCK_OR_WAIT(work, (keys));
    std::vector<catalog::Oid> now_inside;
    for (auto* relation : work.now().relations(catalog::Oid(key.id))) now_inside.push_back(relation->oid);
    for (catalog::Oid oid : now_inside) TRY_VOID(drop_relation(work, oid));
    for (auto* procedure : work.now().procedures(catalog::Oid(key.id))) work.changes.drop(procedure->key());
    for (auto* defaults : work.now().all_default_privileges())
      if (defaults->schema == key.id) work.changes.drop(defaults->key());
    work.changes.drop(key);
  }
  return done("DROP SCHEMA");
}

Result<Outcome> drop_database(Work& work, const sql::Drop& command) {
  for (auto& name : command.names) {
    auto* database = work.now().database(name.name);
    if (!database && command.if_exists) {
      work.notice("INFO", "Database \"" + name.name + "\" does not exist and will be skipped", "00000");
      continue;
    }
    TRY(database, find_database(work, name.name));
    if (!catalog::owns(work.who(), *database)) return fail(must_be_owner("database", database->name));
    if (database->oid == work.facts->database || database->oid == work.session.use_origin())
      return fail(kObjectInUse, "cannot drop the currently open database");
    for (auto& row : work.core.sessions())
      if (row.database == database->name)
        return fail(kObjectInUse, "database \"" + database->name + "\" is being accessed by other users");
    LOCK_OR_WAIT(work, {object_lock(database->key())});
    TRY(database, find_database(work, name.name));
    catalog::Oid oid = database->oid;
    catalog::Key key = database->key();
    for (auto* policy : work.now().policies(oid)) work.changes.drop(policy->key());
    for (auto* schema : work.now().schemas(oid)) {
      for (auto* relation : work.now().relations(schema->oid)) TRY_VOID(drop_relation(work, relation->oid));
      for (auto* procedure : work.now().procedures(schema->oid)) work.changes.drop(procedure->key());
      work.changes.drop(schema->key());
    }
    for (auto* defaults : work.now().all_default_privileges())
      if (defaults->database == oid) work.changes.drop(defaults->key());
    work.changes.drop(key);
    TRY(auto* engine, work.engine());
    TRY_VOID(engine->drop_schema(oid));
  }
  return done("DROP DATABASE");
}

}  // namespace

Result<Outcome> drop(Work& work, const sql::Drop& command) {
  using K = sql::ObjectKind;
  switch (command.object) {
    case K::kTable:
    case K::kView:
      return drop_relations(work, command);
    case K::kSchema:
      return drop_schemas(work, command);
    case K::kDatabase:
      return drop_database(work, command);
    case K::kUser:
      return drop_users(work, command);
    case K::kGroup:
      return drop_groups(work, command);
    case K::kRole:
      return drop_roles(work, command);
    case K::kMaterializedView:
      return fail(secure::kNotSupported, "DROP MATERIALIZED VIEW is not supported");
    case K::kProcedure:
      return drop_procedures(work, command);
    case K::kFunction:
      return fail(secure::kNotSupported, "DROP FUNCTION is not supported");
    case K::kRlsPolicy:
      return drop_rls_policies(work, command);
    case K::kMaskingPolicy:
      return fail(secure::kNotSupported, "DROP MASKING POLICY is not supported");
    case K::kColumn:
    case K::kConstraint:
      break;
  }
  return fail(secure::kNotSupported, "this form of DROP is not supported");
}

}  // namespace redoubt::warehouse::session
