#include "warehouse/session/functions.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/resolve.h"
#include "warehouse/sql/parser.h"

namespace redoubt::warehouse::session {

namespace {

using secure::Datum;
using secure::HostFunction;
using sql::Type;
using K = sql::TypeKind;
using Args = std::span<const Datum>;
using Call = Result<Datum> (*)(const Facts&, Args);

struct Row {
  HostFunction function;
  Call call;
};

int64_t number(const Datum& d) { return parse_int(d.value_or("0")).value_or(0); }
catalog::Oid oid(const Datum& d) { return catalog::Oid(number(d)); }
Datum truth(bool b) { return std::string(b ? "true" : "false"); }

// ---------------------------------------------------------------------------------------------------- rights

Result<const catalog::User*> user_by(const Facts& f, const Datum& name_or_id, bool by_id) {
  auto* user = by_id ? f.snapshot->user(oid(name_or_id)) : f.snapshot->user(name_or_id.value_or(""));
  if (user) return user;
  if (by_id) return fail(secure::kUndefinedObject, "user with OID " + name_or_id.value_or("") + " does not exist");
  return fail(secure::kUndefinedObject, "user \"" + name_or_id.value_or("") + "\" does not exist");
}

catalog::Identities who_is(const Facts& f, const catalog::User& user) {
  return user.id == f.current_user ? f.who : catalog::identities(*f.snapshot, user.id);
}

/// "select, insert with grant option": PostgreSQL's list; any of them is enough.
Result<bool> any_of(const Facts& f, const Datum& list, catalog::AclTarget target, const catalog::Identities& who,
                    const catalog::Acl& acl, catalog::Oid owner) {
  for (auto part : split(*list, ',')) {
    std::string word = to_lower(trim(part));
    constexpr std::string_view kOption = " with grant option";
    bool option = word.ends_with(kOption);
    if (option) word.resize(word.size() - kOption.size());
    catalog::Privileges bit = catalog::privilege_from_name(word);
    if (word != "rule" && word != "trigger" && !(bit & catalog::all_privileges(target)))
      return fail(secure::kInvalidParameterValue, "unrecognized privilege type: \"" + std::string(trim(part)) + "\"");
    if (who.superuser) return true;
    for (auto& entry : acl)
      if (bit && who.has(entry.grantee) && ((option ? entry.grantable : entry.privileges) & bit)) return true;
    if (option && owner == who.user) return true;
  }
  return false;
}

Result<Found> relation_by(const Facts& f, const Datum& name_or_oid, bool by_oid) {
  if (by_oid) {
    Found found;
    found.relation = f.snapshot->relation(oid(name_or_oid));
    found.system = system::find_relation(oid(name_or_oid));
    if (!found.relation && !found.system)
      return fail(secure::kUndefinedTable, "relation with OID " + *name_or_oid + " does not exist");
    return found;
  }
  TRY(auto name, sql::parse_name(*name_or_oid));
  return resolve(f, *f.snapshot, name);
}

template <bool UserById, bool TableByOid>
Result<Datum> table_privilege(const Facts& f, const Datum& user_arg, const Datum& table, const Datum& privilege) {
  TRY(auto* user, user_by(f, user_arg, UserById));
  TRY(Found found, relation_by(f, table, TableByOid));
  auto who = who_is(f, *user);
  if (found.system) {
    catalog::Acl acl;
    if (!found.system->superuser_only)
      catalog::acl_grant(acl, catalog::Grantee::everyone(), catalog::kInternalUserId, catalog::kSelect, false);
    TRY(bool yes, any_of(f, privilege, catalog::AclTarget::kRelation, who, acl, catalog::kInternalUserId));
    return truth(yes);
  }
  TRY(bool yes,
      any_of(f, privilege, catalog::AclTarget::kRelation, who, catalog::effective_acl(*found.relation), found.relation->owner));
  return truth(yes);
}

template <bool TableByOid>
Result<Datum> column_privilege(const Facts& f, const Datum& user_arg, const Datum& table, const Datum& column_name,
                               const Datum& privilege) {
  TRY(auto* user, user_by(f, user_arg, false));
  TRY(Found found, relation_by(f, table, TableByOid));
  if (found.system) return truth(true);
  auto* column = found.relation->column(*column_name);
  if (!column)
    return fail(secure::kUndefinedColumn,
                "column \"" + *column_name + "\" of relation \"" + found.relation->name + "\" does not exist");
  auto who = who_is(f, *user);
  TRY(bool whole,
      any_of(f, privilege, catalog::AclTarget::kRelation, who, catalog::effective_acl(*found.relation), found.relation->owner));
  TRY(bool part, any_of(f, privilege, catalog::AclTarget::kRelation, who, column->acl.value_or(catalog::Acl{}), 0));
  return truth(whole || part);
}

template <bool SchemaByOid>
Result<Datum> schema_privilege(const Facts& f, const Datum& user_arg, const Datum& schema_arg, const Datum& privilege) {
  TRY(auto* user, user_by(f, user_arg, false));
  auto who = who_is(f, *user);
  bool system = SchemaByOid ? oid(schema_arg) == system::kPgCatalogOid || oid(schema_arg) == system::kInformationSchemaOid
                            : *schema_arg == "pg_catalog" || *schema_arg == "information_schema";
  if (system) {
    catalog::Acl acl;
    catalog::acl_grant(acl, catalog::Grantee::everyone(), catalog::kInternalUserId, catalog::kUsage, false);
    TRY(bool yes, any_of(f, privilege, catalog::AclTarget::kSchema, who, acl, catalog::kInternalUserId));
    return truth(yes);
  }
  auto* schema = SchemaByOid ? f.snapshot->schema(oid(schema_arg)) : f.snapshot->schema(f.database, *schema_arg);
  if (!schema) return fail(secure::kUndefinedSchema, "schema \"" + *schema_arg + "\" does not exist");
  TRY(bool yes, any_of(f, privilege, catalog::AclTarget::kSchema, who, catalog::effective_acl(*schema), schema->owner));
  return truth(yes);
}

template <bool DatabaseByOid>
Result<Datum> database_privilege(const Facts& f, const Datum& user_arg, const Datum& database_arg, const Datum& privilege) {
  TRY(auto* user, user_by(f, user_arg, false));
  auto* database = DatabaseByOid ? f.snapshot->database(oid(database_arg)) : f.snapshot->database(*database_arg);
  if (!database) return fail(secure::kUndefinedDatabase, "database \"" + *database_arg + "\" does not exist");
  std::string list = replace_all(to_lower(*privilege), "connect", "temp");  // everybody may connect
  TRY(bool yes,
      any_of(f, list, catalog::AclTarget::kDatabase, who_is(f, *user), catalog::effective_acl(*database), database->owner));
  return truth(yes);
}

Result<Datum> procedure_privilege_by_oid(const Facts& f, const Datum& user_arg, catalog::Oid procedure_oid,
                                         const Datum& privilege) {
  TRY(auto* user, user_by(f, user_arg, false));
  auto* procedure = f.snapshot->procedure(procedure_oid);
  if (!procedure)
    return fail(secure::kUndefinedFunction, "function with OID " + std::to_string(procedure_oid) + " does not exist");
  TRY(bool yes, any_of(f, privilege, catalog::AclTarget::kProcedure, who_is(f, *user), catalog::effective_acl(*procedure),
                       procedure->owner));
  return truth(yes);
}

/// 'schema.name(int, varchar)'.
Result<Datum> procedure_privilege(const Facts& f, const Datum& user_arg, const Datum& signature, const Datum& privilege) {
  catalog::Oid found = system::procedure_oid(f, *signature);
  if (found == 0) return fail(secure::kUndefinedFunction, "function \"" + *signature + "\" does not exist");
  return procedure_privilege_by_oid(f, user_arg, found, privilege);
}

Result<Datum> assume_role_privilege(const Facts& f, const Datum& user_arg, const Datum& chain, const Datum& command) {
  TRY(auto* user, user_by(f, user_arg, false));
  std::string word = to_lower(*command);
  catalog::AssumeCommands bit = word == "copy"                ? catalog::kAssumeCopy
                                : word == "unload"            ? catalog::kAssumeUnload
                                : word == "external function" ? catalog::kAssumeExternalFunction
                                : word == "create model"      ? catalog::kAssumeCreateModel
                                                              : 0;
  if (!bit) return fail(secure::kInvalidParameterValue, "unrecognized command \"" + *command + "\"");
  return truth(catalog::may_assume_role(*f.snapshot, who_is(f, *user), *chain, bit));
}

Datum self(const Facts& f) { return f.snapshot->user_name(f.current_user); }

/// Only oneself, or anybody for superusers and sys:secadmin-like administrators.
Result<Datum> is_member(const Facts& f, const Datum& user_arg, const Datum& role_arg) {
  auto* role = f.snapshot->role(*role_arg);
  TRY(auto* user, user_by(f, user_arg, false));
  if (!role || (user->id != f.current_user && !f.who.superuser))
    return fail(secure::kUndefinedObject, "role \"" + *role_arg + "\" does not exist");
  auto roles = catalog::effective_roles(*f.snapshot, user->id);
  return truth(std::binary_search(roles.begin(), roles.end(), role->id));
}

Result<Datum> role_is_member(const Facts& f, const Datum& role_arg, const Datum& granted_arg) {
  auto *role = f.snapshot->role(*role_arg), *granted = f.snapshot->role(*granted_arg);
  if (!role || !granted)
    return fail(secure::kUndefinedObject, "role \"" + (role ? *granted_arg : *role_arg) + "\" does not exist");
  auto within = catalog::roles_within(*f.snapshot, role->id);
  return truth(role->id != granted->id && std::binary_search(within.begin(), within.end(), granted->id));
}

// ---------------------------------------------------------------------------------------------------- names and definitions

std::string type_text(catalog::Oid type, const Datum& typmod) {
  auto found = sql::type_from_oid(type, typmod ? int32_t(number(typmod)) : -1);
  if (!found) return type == 0 ? "-" : "???";
  return typmod ? found->format() : found->base_name();
}

Datum comment_of(const Facts& f, catalog::Oid object, int64_t column = 0) {
  std::string text;
  if (auto* relation = f.snapshot->relation(object)) {
    text = relation->comment;
    if (column) {
      auto* c = relation->column(int16_t(column));
      text = c ? c->comment : "";
    }
  } else if (auto* procedure = f.snapshot->procedure(object)) {
    text = procedure->comment;
  } else if (auto* schema = f.snapshot->schema(object)) {
    text = schema->comment;
  } else if (auto* database = f.snapshot->database(object)) {
    text = database->comment;
  }
  if (text.empty()) return std::nullopt;
  return text;
}

Result<Datum> size_of(const Facts& f, catalog::Oid object) {
  auto* relation = f.snapshot->relation(object);
  if (!relation || relation->kind != catalog::RelationKind::kTable || !f.size) return Datum("0");
  auto size = f.size(*relation);
  return Datum(std::to_string(size ? size->bytes : 0));
}

Result<Datum> pretty(const Facts&, Args a) {
  double bytes = double(number(a[0]));
  const char* units[] = {"bytes", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (bytes >= 10 * 1024 && unit + 1 < std::size(units)) bytes /= 1024, unit++;
  return Datum(std::to_string(int64_t(bytes + (unit ? 0.5 : 0))) + " " + units[unit]);
}

Result<Datum> view_text(const Facts& f, Args a) {
  if (auto text = view_definition(*f.snapshot, oid(a[0]))) return Datum(*text);
  return Datum("Not a view");
}

Result<Datum> view_text_by_name(const Facts& f, Args a) {
  TRY(Found found, relation_by(f, a[0], false));
  auto text = found.relation ? view_definition(*f.snapshot, found.relation->oid) : std::nullopt;
  return Datum(text.value_or("Not a view"));
}

Result<Datum> constraint_text(const Facts& f, Args a) {
  auto text = constraint_definition(f, oid(a[0]));
  return text ? Datum(*text) : Datum(std::nullopt);
}

Result<Datum> index_definition(const Facts& f, Args a) {
  Datum text;
  f.snapshot->for_each([&](auto&, const catalog::Object& object) {
    auto* relation = std::get_if<catalog::Relation>(&object);
    if (!relation) return;
    for (auto& c : relation->constraints)
      if (c.oid == oid(a[0]) && c.kind != catalog::Constraint::Kind::kForeignKey)
        text = system::index_text(*f.snapshot, *relation, c);
  });
  return text;
}

Result<Datum> set_config(const Facts& f, Args a) {
  Settings checked = f.values;
  bool local = a[2] == "true" || a[2] == "t";
  TRY_VOID(checked.set_text(to_lower(*a[0]), *a[1], local));
  {
    std::lock_guard lock(f.effects->mutex);
    f.effects->settings.push_back({to_lower(*a[0]), *a[1], local});
  }
  return checked.get(to_lower(*a[0]));
}

Result<Datum> terminate_backend(const Facts& f, Args a) {
  if (auto sent = signal_session(f, int(number(a[0])), true); !sent) {
    if (sent.error().is(secure::kPermissionDenied)) return fail(sent.error());
    return Datum("0");
  }
  return Datum("1");
}

Result<Datum> null(const Facts&, Args) { return Datum(std::nullopt); }
Result<Datum> empty(const Facts&, Args) { return Datum(""); }
Result<Datum> yes(const Facts&, Args) { return truth(true); }

constexpr const char* kVersion =
    "PostgreSQL 8.0.2 on x86_64-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift "
    "1.0.100000 (Redoubt)";

const std::multimap<std::string, Row, std::less<>>& table() {
  static const auto* rows = [] {
    auto* out = new std::multimap<std::string, Row, std::less<>>;
    auto add = [&](const char* name, std::vector<Type> arguments, Type result, Call call, bool foldable = true,
                   bool strict = true) {
      auto at = out->insert(
          {name, Row{{.arguments = std::move(arguments), .result = result, .foldable = foldable, .strict = strict}, call}});
      at->second.function.name = at->first;
    };
    const Type text = K::kText, name = K::kName, int4 = K::kInteger, int8 = K::kBigint, boolean = K::kBoolean, o = K::kOid,
               regclass = K::kRegclass;

    // The session
    add("version", {}, text, [](const Facts&, Args) -> Result<Datum> { return Datum(kVersion); });
    add("pg_backend_pid", {}, int4, [](const Facts& f, Args) -> Result<Datum> { return Datum(std::to_string(f.pid)); });
    add("pg_last_query_id", {}, int4, [](const Facts& f, Args) -> Result<Datum> { return Datum(std::to_string(f.last_query)); });
    add("pg_last_copy_id", {}, int4, [](const Facts& f, Args) -> Result<Datum> { return Datum(std::to_string(f.last_copy)); });
    add("pg_last_copy_count", {}, int8,
        [](const Facts& f, Args) -> Result<Datum> { return Datum(std::to_string(f.last_copy_count)); });
    add("pg_last_unload_count", {}, int8,
        [](const Facts& f, Args) -> Result<Datum> { return Datum(std::to_string(f.last_unload_count)); });
    add("pg_terminate_backend", {int4}, int4, terminate_backend, false);
    add(
        "pg_cancel_backend", {int4}, int4,
        [](const Facts& f, Args a) -> Result<Datum> {
          TRY_VOID(signal_session(f, int(number(a[0])), false));
          return Datum("1");
        },
        false);
    add("set_config", {text, text, boolean}, text, set_config, false);
    add("pg_client_encoding", {}, name, [](const Facts&, Args) -> Result<Datum> { return Datum("UTF8"); });
    add("getdatabaseencoding", {}, name, [](const Facts&, Args) -> Result<Datum> { return Datum("UNICODE"); });
    add("pg_is_in_recovery", {}, boolean, [](const Facts&, Args) -> Result<Datum> { return truth(false); });
    add("txid_current", {}, int8, [](const Facts& f, Args) -> Result<Datum> { return Datum(std::to_string(f.transaction)); });
    add("current_aws_account", {}, text,
        [](const Facts& f, Args) -> Result<Datum> { return Datum(f.core->options.cluster.account); });
    add("current_namespace", {}, text,
        [](const Facts& f, Args) -> Result<Datum> { return Datum(f.core->options.cluster.identifier); });
    add("pg_my_temp_schema", {}, o, [](const Facts& f, Args) -> Result<Datum> {
      auto* schema = f.snapshot->schema(f.database, f.temp_schema);
      return Datum(std::to_string(schema ? schema->oid : 0));
    });

    // Rights
    add("has_table_privilege", {text, text}, boolean,
        [](const Facts& f, Args a) { return table_privilege<false, false>(f, self(f), a[0], a[1]); });
    add("has_table_privilege", {o, text}, boolean,
        [](const Facts& f, Args a) { return table_privilege<false, true>(f, self(f), a[0], a[1]); });
    add("has_table_privilege", {name, text, text}, boolean,
        [](const Facts& f, Args a) { return table_privilege<false, false>(f, a[0], a[1], a[2]); });
    add("has_table_privilege", {name, o, text}, boolean,
        [](const Facts& f, Args a) { return table_privilege<false, true>(f, a[0], a[1], a[2]); });
    add("has_table_privilege", {int4, text, text}, boolean,
        [](const Facts& f, Args a) { return table_privilege<true, false>(f, a[0], a[1], a[2]); });
    add("has_table_privilege", {int4, o, text}, boolean,
        [](const Facts& f, Args a) { return table_privilege<true, true>(f, a[0], a[1], a[2]); });
    add("has_column_privilege", {text, text, text}, boolean,
        [](const Facts& f, Args a) { return column_privilege<false>(f, self(f), a[0], a[1], a[2]); });
    add("has_column_privilege", {name, text, text, text}, boolean,
        [](const Facts& f, Args a) { return column_privilege<false>(f, a[0], a[1], a[2], a[3]); });
    add("has_schema_privilege", {text, text}, boolean,
        [](const Facts& f, Args a) { return schema_privilege<false>(f, self(f), a[0], a[1]); });
    add("has_schema_privilege", {o, text}, boolean,
        [](const Facts& f, Args a) { return schema_privilege<true>(f, self(f), a[0], a[1]); });
    add("has_schema_privilege", {name, text, text}, boolean,
        [](const Facts& f, Args a) { return schema_privilege<false>(f, a[0], a[1], a[2]); });
    add("has_schema_privilege", {name, o, text}, boolean,
        [](const Facts& f, Args a) { return schema_privilege<true>(f, a[0], a[1], a[2]); });
    add("has_database_privilege", {text, text}, boolean,
        [](const Facts& f, Args a) { return database_privilege<false>(f, self(f), a[0], a[1]); });
    add("has_database_privilege", {o, text}, boolean,
        [](const Facts& f, Args a) { return database_privilege<true>(f, self(f), a[0], a[1]); });
    add("has_database_privilege", {name, text, text}, boolean,
        [](const Facts& f, Args a) { return database_privilege<false>(f, a[0], a[1], a[2]); });
    add("has_database_privilege", {name, o, text}, boolean,
        [](const Facts& f, Args a) { return database_privilege<true>(f, a[0], a[1], a[2]); });
    add("has_function_privilege", {text, text}, boolean,
        [](const Facts& f, Args a) { return procedure_privilege(f, self(f), a[0], a[1]); });
    add("has_function_privilege", {name, text, text}, boolean,
        [](const Facts& f, Args a) { return procedure_privilege(f, a[0], a[1], a[2]); });
    add("has_function_privilege", {o, text}, boolean,
        [](const Facts& f, Args a) { return procedure_privilege_by_oid(f, self(f), oid(a[0]), a[1]); });
    add("has_function_privilege", {name, o, text}, boolean,
        [](const Facts& f, Args a) { return procedure_privilege_by_oid(f, a[0], oid(a[1]), a[2]); });
    add("has_assumerole_privilege", {text, text}, boolean,
        [](const Facts& f, Args a) { return assume_role_privilege(f, self(f), a[0], a[1]); });
    add("has_assumerole_privilege", {name, text, text}, boolean,
        [](const Facts& f, Args a) { return assume_role_privilege(f, a[0], a[1], a[2]); });
    add("user_is_member_of", {name, text}, boolean, [](const Facts& f, Args a) { return is_member(f, a[0], a[1]); });
    add("role_is_member_of", {text, text}, boolean, [](const Facts& f, Args a) { return role_is_member(f, a[0], a[1]); });

    // Names
    add("pg_get_userbyid", {o}, name, [](const Facts& f, Args a) -> Result<Datum> {
      std::string user = f.snapshot->user_name(oid(a[0]));
      return Datum(user.empty() ? "unknown (OID=" + *a[0] + ")" : user);
    });
    add("pg_get_userbyid", {int4}, name, [](const Facts& f, Args a) -> Result<Datum> {
      std::string user = f.snapshot->user_name(oid(a[0]));
      return Datum(user.empty() ? "unknown (OID=" + *a[0] + ")" : user);
    });
    add("regclassout", {o}, text,
        [](const Facts& f, Args a) -> Result<Datum> { return Datum(*a[0] == "0" ? "-" : regclass_text(f, oid(a[0]))); });
    add("regclassin", {text}, o, [](const Facts& f, Args a) -> Result<Datum> {
      if (auto n = parse_int(*a[0]); n && *n >= 0) return Datum(*a[0]);
      TRY(Found found, relation_by(f, a[0], false));
      return Datum(std::to_string(found.oid()));
    });
    add("regprocin", {text}, o,
        [](const Facts& f, Args a) -> Result<Datum> { return Datum(std::to_string(system::procedure_oid(f, *a[0]))); });
    add("regprocout", {o}, text,
        [](const Facts& f, Args a) -> Result<Datum> { return Datum(system::procedure_name(f, oid(a[0]))); });
    add("regprocedurein", {text}, o, [](const Facts& f, Args a) -> Result<Datum> {
      return Datum(std::to_string(system::procedure_oid(f, std::string_view(*a[0]).substr(0, a[0]->find('(')))));
    });
    add("regprocedureout", {o}, text,
        [](const Facts& f, Args a) -> Result<Datum> { return Datum(system::procedure_name(f, oid(a[0]))); });
    add("regoperout", {o}, text, [](const Facts&, Args a) -> Result<Datum> { return Datum(*a[0]); });
    add("regoperatorout", {o}, text, [](const Facts&, Args a) -> Result<Datum> { return Datum(*a[0]); });
    add("regtypein", {text}, o, [](const Facts&, Args a) -> Result<Datum> {
      TRY(Type type, sql::parse_type(*a[0]));
      return Datum(std::to_string(type.oid()));
    });
    add(
        "format_type", {o, int4}, text,
        [](const Facts&, Args a) -> Result<Datum> {
          if (!a[0]) return Datum(std::nullopt);
          return Datum(type_text(oid(a[0]), a[1]));
        },
        true, false);
    add("format_encoding", {int4}, text,
        [](const Facts&, Args a) -> Result<Datum> { return Datum(system::encoding_name(int(number(a[0])))); });
    add("pg_encoding_to_char", {int4}, name,
        [](const Facts&, Args a) -> Result<Datum> { return Datum(*a[0] == "6" ? "UNICODE" : ""); });
    for (const char* n : {"pg_table_is_visible", "pg_class_is_visible"})
      add(n, {o}, boolean, [](const Facts& f, Args a) -> Result<Datum> { return truth(is_visible(f, oid(a[0]))); });
    add("pg_function_is_visible", {o}, boolean, [](const Facts& f, Args a) -> Result<Datum> {
      auto* procedure = f.snapshot->procedure(oid(a[0]));
      if (!procedure) return truth(true);  // the system's own
      for (auto* schema : path_schemas(f, *f.snapshot))
        if (auto* found = f.snapshot->procedure(schema->oid, procedure->signature())) return truth(found == procedure);
      return truth(false);
    });
    for (const char* n : {"pg_type_is_visible", "pg_operator_is_visible", "pg_opclass_is_visible", "pg_conversion_is_visible",
                          "pg_collation_is_visible"})
      add(n, {o}, boolean, yes);

    // Definitions
    add("pg_get_expr", {text, o}, text, [](const Facts&, Args a) -> Result<Datum> { return a[0]; });
    add("pg_get_expr", {text, o, boolean}, text, [](const Facts&, Args a) -> Result<Datum> { return a[0]; });
    add("pg_get_viewdef", {o}, text, view_text);
    add("pg_get_viewdef", {o, boolean}, text, view_text);
    add("pg_get_viewdef", {text}, text, view_text_by_name);
    add("pg_get_viewdef", {text, boolean}, text, view_text_by_name);
    add("pg_get_constraintdef", {o}, text, constraint_text);
    add("pg_get_constraintdef", {o, boolean}, text, constraint_text);
    add("pg_get_indexdef", {o}, text, index_definition);
    add("pg_get_indexdef", {o, int4, boolean}, text, index_definition);
    add("pg_get_triggerdef", {o}, text, null);
    add("pg_get_triggerdef", {o, boolean}, text, null);
    add("pg_get_ruledef", {o}, text, null);
    add("pg_get_ruledef", {o, boolean}, text, null);
    add("pg_get_functiondef", {o}, text, [](const Facts& f, Args a) -> Result<Datum> {
      auto* procedure = f.snapshot->procedure(oid(a[0]));
      if (!procedure || !system::shows_body(f, *procedure)) return Datum(std::nullopt);
      return Datum(system::procedure_definition(f, *procedure));
    });
    add("pg_get_function_result", {o}, text,
        [](const Facts& f, Args a) -> Result<Datum> { return Datum(system::procedure_result(f, oid(a[0]))); });
    add("pg_get_function_arguments", {o}, text,
        [](const Facts& f, Args a) -> Result<Datum> { return Datum(system::procedure_arguments(f, oid(a[0]))); });
    add("pg_get_function_identity_arguments", {o}, text,
        [](const Facts& f, Args a) -> Result<Datum> { return Datum(system::procedure_arguments(f, oid(a[0]))); });
    add("obj_description", {o}, text, [](const Facts& f, Args a) -> Result<Datum> { return comment_of(f, oid(a[0])); });
    add("obj_description", {o, name}, text, [](const Facts& f, Args a) -> Result<Datum> { return comment_of(f, oid(a[0])); });
    add("shobj_description", {o, name}, text, [](const Facts& f, Args a) -> Result<Datum> { return comment_of(f, oid(a[0])); });
    add("col_description", {o, int4}, text,
        [](const Facts& f, Args a) -> Result<Datum> { return comment_of(f, oid(a[0]), number(a[1])); });
    for (const char* n : {"pg_table_size", "pg_relation_size", "pg_total_relation_size"})
      add(n, {regclass}, int8, [](const Facts& f, Args a) { return size_of(f, oid(a[0])); }, false);
    add("pg_database_size", {name}, int8, [](const Facts&, Args) -> Result<Datum> { return Datum("0"); });
    add("pg_database_size", {o}, int8, [](const Facts&, Args) -> Result<Datum> { return Datum("0"); });
    add("pg_size_pretty", {int8}, text, pretty);
    add("pg_tablespace_location", {o}, text, empty);
    add("proc_is_rls_safe", {o}, boolean, [](const Facts&, Args) -> Result<Datum> { return truth(false); });
    return out;
  }();
  return *rows;
}

/// The overloads of a name lie side by side, as find() must give them.
const std::map<std::string, std::vector<HostFunction>, std::less<>>& by_name() {
  static const auto* names = [] {
    auto* out = new std::map<std::string, std::vector<HostFunction>, std::less<>>;
    for (auto& [name, row] : table()) {
      auto& list = (*out)[name];
      list.push_back(row.function);
    }
    for (auto& [name, list] : *out)
      for (auto& f : list) f.name = name;
    return out;
  }();
  return *names;
}

}  // namespace

std::span<const HostFunction> Functions::find(std::string_view name) const {
  auto at = by_name().find(name);
  return at == by_name().end() ? std::span<const HostFunction>{} : std::span<const HostFunction>(at->second);
}

Result<Datum> Functions::call(const HostFunction& function, std::span<const Datum> arguments) const {
  auto [first, last] = table().equal_range(function.name);
  for (auto at = first; at != last; ++at)
    if (at->second.function.arguments == function.arguments) {
      if (function.strict && std::any_of(arguments.begin(), arguments.end(), [](auto& a) { return !a; }))
        return Datum(std::nullopt);
      return at->second.call(*facts_, arguments);
    }
  return fail(kInternal, "a host function without an implementation");
}

std::optional<std::string> view_definition(const catalog::Snapshot& snapshot, catalog::Oid oid) {
  auto* view = snapshot.relation(oid);
  if (!view || view->kind == catalog::RelationKind::kTable) return std::nullopt;
  return view->view_sql + ";";
}

std::optional<std::string> constraint_definition(const Facts& facts, catalog::Oid oid) {
  const catalog::Snapshot& snapshot = *facts.snapshot;
  // Constraints are few and this is asked by \d alone: a walk is fine.
  std::optional<std::string> text;
  snapshot.for_each([&](auto&, const catalog::Object& object) {
    auto* relation = std::get_if<catalog::Relation>(&object);
    if (!relation) return;
    for (auto& c : relation->constraints) {
      if (c.oid != oid) continue;
      auto names = [](const catalog::Relation& r, const std::vector<int16_t>& columns) {
        std::vector<std::string> out;
        for (int16_t attnum : columns)
          if (auto* column = r.column(attnum)) out.push_back(quote_identifier(column->name));
        return "(" + join(out, ", ") + ")";
      };
      using CK = catalog::Constraint::Kind;
      text = c.kind == CK::kPrimaryKey ? "PRIMARY KEY " : c.kind == CK::kUnique ? "UNIQUE " : "FOREIGN KEY ";
      *text += names(*relation, c.columns);
      if (auto* target = snapshot.relation(c.references))
        *text += " REFERENCES " + regclass_text(facts, target->oid) + names(*target, c.referenced_columns);
    }
  });
  return text;
}

Result<void> signal_session(const Facts& facts, int pid, bool terminate) {
  ServiceCore& core = *facts.core;
  std::lock_guard lock(core.registry_mutex);
  auto at = core.registry.find(pid);
  if (at == core.registry.end() || !at->second.session)
    return fail(secure::kUndefinedObject, "pid " + std::to_string(pid) + " does not exist");
  auto row = at->second.describe();
  bool own = row.user == facts.current_user;
  if (!facts.who.superuser && !own && !catalog::has_system_privilege(*facts.snapshot, facts.who, "CANCEL"))
    return fail(secure::kPermissionDenied, "permission denied: only superusers can cancel other users' sessions");
  if (terminate)
    at->second.session->terminate({&kAdminShutdown, "terminating connection due to administrator command"});
  else
    at->second.session->cancel();
  return {};
}

namespace {

class Host : public engine::HostContext {
 public:
  explicit Host(FactsPtr facts) : facts_(std::move(facts)), functions_(facts_) {}
  std::vector<engine::SystemColumn> system_columns(std::string_view relation) const override {
    return system::columns_of(relation);
  }
  Result<std::unique_ptr<engine::SystemRows>> system_rows(std::string_view relation) const override {
    return system::rows_of(relation, *facts_);
  }
  const secure::HostFunctions& host_functions() const override { return functions_; }

 private:
  FactsPtr facts_;
  Functions functions_;
};

}  // namespace

std::shared_ptr<const engine::HostContext> make_host_context(FactsPtr facts) { return std::make_shared<Host>(std::move(facts)); }

}  // namespace redoubt::warehouse::session
