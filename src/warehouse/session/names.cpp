#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/resolve.h"

namespace redoubt::warehouse::session {

std::string display(const sql::ObjectName& name) { return name.schema.empty() ? name.name : name.schema + "." + name.name; }

Error must_be_owner(std::string_view kind, std::string_view name) {
  return {&secure::kPermissionDenied, "must be owner of " + std::string(kind) + " " + std::string(name)};
}

Error permission_denied(std::string_view kind, std::string_view name) {
  return {&secure::kPermissionDenied, "permission denied for " + std::string(kind) + " " + std::string(name)};
}

Result<const catalog::Relation*> find_relation(Work& work, const sql::ObjectName& name) {
  TRY(Found found, resolve(*work.facts, work.now(), name));
  if (found.system)
    return fail(secure::kPermissionDenied, "permission denied: \"" + std::string(found.system->name) + "\" is a system catalog");
  return found.relation;
}

Result<const catalog::Relation*> find_table(Work& work, const sql::ObjectName& name) {
  TRY(auto* relation, find_relation(work, name));
  if (relation->kind != catalog::RelationKind::kTable)
    return fail(secure::kWrongObjectType, "\"" + relation->name + "\" is not a table");
  if (relation->database != work.facts->database)
    return fail(secure::kNotSupported, "cross-database changes of \"" + display(name) + "\" are not supported");
  return relation;
}

Result<const catalog::Schema*> find_schema_to_use(Work& work, const std::string& database, const std::string& name) {
  auto* d = database.empty() ? work.now().database(work.facts->database) : work.now().database(database);
  if (!d) return fail(secure::kUndefinedDatabase, "database \"" + database + "\" does not exist");
  if (d->oid != work.facts->database)
    return fail(secure::kNotSupported, "cross-database changes of schema \"" + name + "\" are not supported");
  if (name == "pg_catalog" || name == "information_schema") return fail(permission_denied("schema", name));
  auto* schema = work.now().schema(d->oid, name);
  if (!schema || !is_nameable(*work.facts, *schema))
    return fail(secure::kUndefinedSchema, "schema \"" + name + "\" does not exist");
  return schema;
}

namespace {

Result<const catalog::Schema*> temporary_schema(Work& work) {
  auto* database = work.now().database(work.facts->database);
  if (!catalog::may(work.who(), catalog::kTemp, *database))
    return fail(secure::kPermissionDenied, "permission denied to create temporary tables in database \"" + database->name + "\"");
  if (auto* schema = work.now().schema(database->oid, work.facts->temp_schema)) return schema;
  work.session.made_temporaries();
  catalog::Schema schema{.oid = work.core.catalog.new_oid(),
                         .database = database->oid,
                         .name = work.facts->temp_schema,
                         .owner = catalog::kInternalUserId};
  work.changes.put(schema);
  return work.now().schema(schema.oid);
}

}  // namespace

Result<const catalog::Schema*> creation_schema(Work& work, const sql::ObjectName& name, bool temporary,
                                               std::string_view system_privilege) {
  bool names_temp = name.schema == "pg_temp" || name.schema == work.facts->temp_schema;
  if (temporary && !name.schema.empty() && !names_temp)
    return fail(kInvalidTableDefinition, "temporary tables may not specify a schema name");
  if (temporary || names_temp) return temporary_schema(work);
  const catalog::Schema* schema = nullptr;
  if (!name.schema.empty()) {
    TRY(schema, find_schema_to_use(work, name.database, name.schema));
  } else {
    auto path = path_schemas(*work.facts, work.now());
    if (path.empty()) return fail(secure::kUndefinedSchema, "no schema has been selected to create in");
    schema = path.front();
  }
  bool may = catalog::may(work.who(), catalog::kCreate, *schema) ||
             (may_use(*work.facts, *schema) && catalog::has_system_privilege(work.now(), work.who(), system_privilege));
  if (!may) return fail(permission_denied("schema", schema->name));
  return schema;
}

Result<const catalog::User*> find_user(Work& work, std::string_view name) {
  if (auto* user = work.now().user(name)) return user;
  return fail(secure::kUndefinedObject, "user \"" + std::string(name) + "\" does not exist");
}

Result<const catalog::Group*> find_group(Work& work, std::string_view name) {
  if (auto* group = work.now().group(name)) return group;
  return fail(secure::kUndefinedObject, "group \"" + std::string(name) + "\" does not exist");
}

Result<const catalog::Role*> find_role(Work& work, std::string_view name) {
  if (auto* role = work.now().role(name)) return role;
  return fail(secure::kUndefinedObject, "role \"" + std::string(name) + "\" does not exist");
}

Result<const catalog::Database*> find_database(Work& work, std::string_view name) {
  if (auto* database = work.now().database(name)) return database;
  return fail(secure::kUndefinedDatabase, "database \"" + std::string(name) + "\" does not exist");
}

Result<void> check_new_name(std::string_view kind, std::string_view name) {
  if (name.empty()) return fail(kInvalidName, "zero-length delimited identifier");
  if (name.size() > 127) return fail(kInvalidName, std::string(kind) + " name is longer than 127 bytes");
  if (name.starts_with("pg_")) {
    Error error{&kReservedName, "unacceptable " + std::string(kind) + " name \"" + std::string(name) + "\""};
    return fail(std::move(error).with("DETAIL", "The prefix \"pg_\" is reserved for system " + std::string(kind) + "s."));
  }
  if (name == "public" && (kind == "user" || kind == "group" || kind == "role"))
    return fail(kReservedName, std::string(kind) + " name \"public\" is reserved");
  return {};
}

}  // namespace redoubt::warehouse::session
