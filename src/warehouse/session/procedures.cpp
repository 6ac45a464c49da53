// CREATE, ALTER and DROP PROCEDURE. Source: Database Developer Guide, CREATE PROCEDURE; "Security and privileges for stored
// procedures". Stricter than the guide in one thing: only the owner and superusers replace a procedure. Who merely holds CREATE
// OR REPLACE PROCEDURE could otherwise put a body of their own behind another's SECURITY DEFINER.
#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/program.h"
#include "warehouse/session/resolve.h"

namespace redoubt::warehouse::session {

using catalog::ArgumentMode;
using catalog::Procedure;

namespace {

constexpr size_t kArgumentsMax = 32;      // inputs, and outputs
constexpr size_t kProceduresMax = 10000;  // of a database

ArgumentMode mode_of(sql::RoutineArg::Mode mode) {
  using M = sql::RoutineArg::Mode;
  return mode == M::kIn ? ArgumentMode::kIn : mode == M::kOut ? ArgumentMode::kOut : ArgumentMode::kInOut;
}

/// TEXT is another name of VARCHAR.
sql::Type argument_type(const sql::Type& type) { return type.is(sql::TypeKind::kText) ? sql::Type::varchar() : type; }

Result<std::vector<catalog::Argument>> make_arguments(const std::vector<sql::RoutineArg>& args) {
  std::vector<catalog::Argument> out;
  size_t inputs = 0, outputs = 0;
  for (auto& arg : args) {
    catalog::Argument argument{arg.name, mode_of(arg.mode), argument_type(arg.type)};
    if (!argument.type.is_storable() && !argument.type.is(sql::TypeKind::kRefCursor))
      return fail(secure::kNotSupported, "procedure arguments of type " + argument.type.format() + " are not supported");
    inputs += argument.is_input();
    outputs += argument.is_output();
    out.push_back(std::move(argument));
  }
  if (inputs > kArgumentsMax || outputs > kArgumentsMax)
    return fail(secure::kTooComplex, "procedures can have at most 32 input and 32 output arguments");
  return out;
}

/// SET clauses in their canonical form.
Result<std::map<std::string, std::string>> make_settings(const std::vector<sql::Setting>& list) {
  std::map<std::string, std::string> out;
  for (auto& setting : list) {
    if (setting.values.empty()) return fail(secure::kNotSupported, "SET .. TO DEFAULT in CREATE PROCEDURE is not supported");
    Settings checked;
    TRY_VOID(checked.set(setting.name, setting.values, false));
    out[setting.name] = checked.get(setting.name).value_or("");
  }
  return out;
}

Error near_body(Error error, const sql::CreateRoutine& command) {
  std::vector<std::pair<std::string, std::string>> more;
  for (auto& [name, value] : error.more) {
    if (name != "POSITION") {
      more.emplace_back(name, value);
    } else if (command.body_text_position > 0) {
      int64_t inside = parse_int(value).value_or(1) - 1;
      more.emplace_back(name, std::to_string(command.body_text_position + inside));
    }
  }
  error.more = std::move(more);
  return error;
}

}  // namespace

std::string procedure_types(const std::vector<sql::Type>& types) {
  std::vector<std::string> names;
  for (auto& type : types) names.push_back(type.is(sql::TypeKind::kUnknown) ? "unknown" : type.base_name());
  return join(names, ", ");
}

std::string describe_procedure(const Procedure& procedure) {
  return procedure.name + "(" + procedure_types(procedure.input_types()) + ")";
}

Result<std::vector<const catalog::Schema*>> schemas_to_search(Work& work, const sql::ObjectName& name) {
  if (name.schema.empty()) return path_schemas(*work.facts, work.now());
  TRY(auto* schema, find_schema_to_use(work, name.database, name.schema));
  if (!may_use(*work.facts, *schema)) return fail(permission_denied("schema", schema->name));
  return std::vector<const catalog::Schema*>{schema};
}

Result<const Procedure*> find_procedure(Work& work, const sql::RoutineName& routine) {
  const sql::ObjectName& name = routine.name;
  TRY(auto schemas, schemas_to_search(work, name));
  std::vector<sql::Type> types;
  for (auto& arg : routine.args)
    if (arg.mode != sql::RoutineArg::Mode::kOut) types.push_back(argument_type(arg.type));
  for (auto* schema : schemas) {
    auto overloads = work.now().procedures_named(schema->oid, name.name);
    if (!routine.has_args && overloads.size() > 1)
      return fail(secure::kAmbiguousFunction, "procedure name \"" + name.name + "\" is not unique");
    for (auto* procedure : overloads) {
      auto inputs = procedure->input_types();
      bool same = !routine.has_args || (inputs.size() == types.size() && procedure_types(inputs) == procedure_types(types));
      if (same) return procedure;
    }
  }
  return fail(secure::kUndefinedFunction, "procedure " + display(name) + "(" + procedure_types(types) + ") does not exist");
}

Result<Outcome> create_procedure(Work& work, const sql::CreateRoutine& command) {
  if (command.language != "plpgsql") {
    if (command.language == "sql" || command.language.starts_with("plpython"))
      return fail(secure::kNotSupported, "procedures in language " + command.language + " are not supported");
    return fail(secure::kUndefinedObject, "language \"" + command.language + "\" does not exist");
  }
  if (command.volatility) return fail(secure::kSyntaxError, "a procedure has no volatility");
  bool definer = command.security_definer.value_or(false);
  if (command.nonatomic && (definer || !command.settings.empty()))
    return fail(secure::kNotSupported, std::string(definer ? "SECURITY DEFINER" : "SET configuration parameter") +
                                           " is not supported for NONATOMIC stored procedures");
  TRY(auto* schema, creation_schema(work, command.name, false, "CREATE OR REPLACE PROCEDURE"));
  if (is_temp_schema(schema->name)) return fail(permission_denied("schema", schema->name));
  TRY_VOID(check_new_name("procedure", command.name.name));

  Procedure procedure{.oid = 0, .schema = schema->oid, .database = schema->database, .name = command.name.name};
  procedure.owner = work.facts->current_user;
  TRY(procedure.arguments, make_arguments(command.args));
  TRY(procedure.settings, make_settings(command.settings));
  procedure.body = command.body;
  procedure.case_sensitive = work.facts->values.is_on("enable_case_sensitive_identifier");
  procedure.nonatomic = command.nonatomic;
  procedure.security_definer = definer;
  procedure.created = work.facts->now;
  auto body = sql::plpgsql::parse_body({.name = procedure.name,
                                        .text = procedure.body,
                                        .arguments = command.args,
                                        .case_sensitive_identifiers = procedure.case_sensitive});
  if (!body) return fail(near_body(body.error(), command));
  TRY_VOID(Program::make(std::move(*body), procedure.nonatomic));

  auto* old = work.now().procedure(schema->oid, procedure.signature());
  if (!old) {
    if (work.now().procedures_of_database(schema->database).size() >= kProceduresMax)
      return fail(secure::kTooComplex, "a database can have at most 10000 stored procedures");
    procedure.oid = work.core.catalog.new_oid();
    procedure.acl = initial_acl(work, schema->oid, catalog::AclTarget::kProcedure);
    work.changes.put(std::move(procedure));
    return done("CREATE PROCEDURE");
  }
  if (!command.or_replace)
    return fail(catalog::kDuplicateProcedure, "procedure \"" + procedure.name + "\" already exists with same argument types");
  LOCK_OR_WAIT(work, {object_lock(old->key())});
  old = work.now().procedure(schema->oid, procedure.signature());
  if (!old) return fail(catalog::kConflict, "procedure \"" + procedure.name + "\" was dropped concurrently");
  if (!catalog::owns(work.who(), *old)) return fail(must_be_owner("procedure", old->name));
  auto shape = [](const Procedure& p) {
    std::string text;
    for (auto& a : p.arguments)
      if (a.is_output()) text += a.name + ":" + a.type.base_name() + ",";
    return text;
  };
  if (shape(*old) != shape(procedure)) {
    Error error{&kInvalidObjectDefinition, "cannot change return type of existing procedure"};
    return fail(std::move(error).with("HINT", "Use DROP PROCEDURE first."));
  }
  procedure.oid = old->oid;
  procedure.owner = old->owner;
  procedure.acl = old->acl;
  procedure.comment = old->comment;
  work.changes.put(std::move(procedure));
  return done("CREATE PROCEDURE");
}

Result<Outcome> alter_procedure(Work& work, const sql::AlterRoutine& command) {
  TRY(auto* found, find_procedure(work, command.routine));
  if (!catalog::owns(work.who(), *found)) return fail(must_be_owner("procedure", found->name));
  LOCK_OR_WAIT(work, {object_lock(found->key())});
  TRY(found, find_procedure(work, command.routine));
  Procedure procedure = *found;
  if (!command.rename_to.empty()) {
    TRY_VOID(check_new_name("procedure", command.rename_to));
    auto* schema = work.now().schema(procedure.schema);
    if (!schema || !catalog::may(work.who(), catalog::kCreate, *schema))
      return fail(permission_denied("schema", schema ? schema->name : ""));
    procedure.name = command.rename_to;
    if (work.now().procedure(procedure.schema, procedure.signature()))
      return fail(catalog::kDuplicateProcedure, "procedure \"" + procedure.name + "\" already exists with same argument types");
  } else {
    // Giving a SECURITY DEFINER procedure to somebody would be taking that somebody's rights.
    if (!work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to change owner");
    TRY(auto* user, find_user(work, command.owner_to));
    if (procedure.acl) catalog::acl_new_owner(*procedure.acl, procedure.owner, user->id);
    procedure.owner = user->id;
  }
  work.changes.put(std::move(procedure));
  return done("ALTER PROCEDURE");
}

Result<Outcome> drop_procedures(Work& work, const sql::Drop& command) {
  std::vector<catalog::Key> targets;
  std::vector<LockKey> keys;
  for (auto& routine : command.routines) {
    auto found = find_procedure(work, routine);
    if (!found) {
      bool missing = found.error().is(secure::kUndefinedFunction) || found.error().is(secure::kUndefinedSchema);
      if (!missing || !command.if_exists) return fail(found.error());
      work.notice("INFO", "Procedure \"" + display(routine.name) + "\" does not exist and will be skipped", "00000");
      continue;
    }
    if (!catalog::owns(work.who(), **found) && !catalog::has_system_privilege(work.now(), work.who(), "DROP PROCEDURE"))
      return fail(must_be_owner("procedure", (*found)->name));
    targets.push_back((*found)->key());
    keys.push_back(object_lock((*found)->key()));
  }
  LOCK_OR_WAIT(work, (keys));
  for (auto& key : targets)
    if (work.now().object(key)) work.changes.drop(key);
  return done("DROP PROCEDURE");
}

}  // namespace redoubt::warehouse::session
