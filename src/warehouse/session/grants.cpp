#include <algorithm>

#include "base/text.h"
#include "warehouse/catalog/system_roles.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/policies.h"
#include "warehouse/session/resolve.h"

namespace redoubt::warehouse::session {

using catalog::Acl;
using catalog::AclTarget;
using catalog::Privileges;
using catalog::Relation;
using catalog::RelationKind;

namespace {

struct To {
  catalog::Grantee grantee;
  bool with_option = false;
  std::string name;
};

Result<To> find_grantee(Work& work, const sql::Grantee& g) {
  using K = sql::Grantee::Kind;
  switch (g.kind) {
    case K::kUser: {
      TRY(auto* user, find_user(work, g.name));
      return To{catalog::Grantee::user(user->id), g.with_option, g.name};
    }
    case K::kGroup: {
      TRY(auto* group, find_group(work, g.name));
      return To{catalog::Grantee::group(group->id), g.with_option, g.name};
    }
    case K::kRole: {
      TRY(auto* role, find_role(work, g.name));
      return To{catalog::Grantee::role(role->id), g.with_option, g.name};
    }
    case K::kPublic:
      return To{catalog::Grantee::everyone(), g.with_option, "public"};
  }
  return fail(secure::kNotSupported, "this grantee is not supported");
}

Result<std::vector<To>> find_grantees(Work& work, const std::vector<sql::Grantee>& list, bool option_allowed) {
  std::vector<To> out;
  for (auto& g : list) {
    TRY(To to, find_grantee(work, g));
    if (to.with_option && (!option_allowed || to.grantee.kind != catalog::GranteeKind::kUser))
      return fail(kInvalidGrant, "grant options can only be granted to individual users");
    out.push_back(std::move(to));
  }
  return out;
}

const char* target_name(AclTarget target) {
  return target == AclTarget::kDatabase    ? "database"
         : target == AclTarget::kSchema    ? "schema"
         : target == AclTarget::kColumn    ? "column"
         : target == AclTarget::kProcedure ? "procedure"
                                           : "relation";
}

Result<Privileges> bits_of(const sql::PrivilegeSpec& spec, AclTarget target) {
  if (spec.name == "all") return catalog::all_privileges(target);
  Privileges bit = catalog::privilege_from_name(spec.name);
  if (!bit && spec.name != "rule" && spec.name != "trigger")
    return fail(kInvalidGrant, "unrecognized privilege type \"" + spec.name + "\"");
  if (!(bit & catalog::all_privileges(target)))
    return fail(kInvalidGrant, "invalid privilege type " + to_upper(spec.name) + " for " + target_name(target));
  return bit;
}

/// Changes one list. `owner` is the object's; nothing happens for privileges that the current user may not grant.
Result<void> change(Work& work, const sql::Grant& command, AclTarget target, const std::string& name, catalog::Oid owner,
                    std::optional<Acl>& list, Privileges privileges, const std::vector<To>& grantees) {
  Acl acl = list ? *list : catalog::default_acl(target == AclTarget::kColumn ? AclTarget::kColumn : target, owner);
  auto right = catalog::grant_right(work.who(), owner, acl, target, privileges);
  if (!right.privileges) return fail(permission_denied(target == AclTarget::kColumn ? "relation" : target_name(target), name));
  if (right.privileges != privileges)
    work.notice("WARNING", command.revoke ? "not all privileges could be revoked" : "not all privileges were granted", "01007");
  for (auto& to : grantees) {
    if (!command.revoke) {
      catalog::acl_grant(acl, to.grantee, right.grantor, right.privileges, to.with_option);
    } else {
      TRY_VOID(catalog::acl_revoke(acl, to.grantee, right.grantor, right.privileges, command.option_only, owner));
    }
  }
  list = std::move(acl);
  return {};
}

Privileges held_on_table(const Relation& relation, const catalog::Grantee& grantee) {
  Privileges bits = 0;
  for (auto& entry : catalog::effective_acl(relation))
    if (entry.grantee == grantee) bits |= entry.privileges;
  return bits;
}

Privileges held_on_columns(const Relation& relation, const catalog::Grantee& grantee) {
  Privileges bits = 0;
  for (auto& column : relation.columns)
    if (!column.dropped && column.acl)
      for (auto& entry : *column.acl)
        if (entry.grantee == grantee) bits |= entry.privileges;
  return bits;
}

/// SELECT (a, b): source GRANT usage notes, "Column-level access control".
Result<void> change_columns(Work& work, const sql::Grant& command, const sql::PrivilegeSpec& spec, Relation& relation,
                            const std::vector<To>& grantees) {
  TRY(Privileges bits, bits_of(spec, AclTarget::kColumn));
  if (relation.kind == RelationKind::kLateBindingView)
    return fail(secure::kNotSupported, "column privileges are not supported on late-binding views");
  if (relation.kind == RelationKind::kView && bits != catalog::kSelect) {
    if (spec.name != "all") return fail(kInvalidGrant, "only SELECT can be granted on columns of a view");
    bits = catalog::kSelect;
  }
  if (!catalog::owns(work.who(), relation)) return fail(permission_denied("relation", relation.name));
  for (auto& to : grantees) {
    if (to.with_option || command.option_only) return fail(kInvalidGrant, "grant options can't be granted on columns");
    Privileges whole = held_on_table(relation, to.grantee) & bits;
    if (whole && command.revoke)
      return fail(kInvalidGrant,
                  "cannot revoke column privileges: \"" + to.name + "\" holds the privilege on relation " + relation.name);
    for (auto& name : spec.columns) {
      auto at = std::find_if(relation.columns.begin(), relation.columns.end(),
                             [&](auto& c) { return !c.dropped && c.name == name.text; });
      if (at == relation.columns.end())
        return fail(secure::kUndefinedColumn,
                    "column \"" + name.text + "\" of relation \"" + relation.name + "\" does not exist");
      Privileges changed = bits & ~whole;  // what the table already gives is no news
      if (!changed) continue;
      if (!at->acl) at->acl.emplace();
      if (command.revoke) {
        TRY_VOID(catalog::acl_revoke(*at->acl, to.grantee, relation.owner, changed, false, relation.owner));
      } else {
        catalog::acl_grant(*at->acl, to.grantee, relation.owner, changed, false);
      }
      if (at->acl->empty()) at->acl.reset();
    }
  }
  return {};
}

Result<void> change_relation(Work& work, const sql::Grant& command, catalog::Oid oid, const std::vector<To>& grantees) {
  Relation relation = *work.now().relation(oid);
  for (auto& spec : command.privileges) {
    if (!spec.columns.empty()) {
      TRY_VOID(change_columns(work, command, spec, relation, grantees));
      continue;
    }
    TRY(Privileges bits, bits_of(spec, AclTarget::kRelation));
    for (auto& to : grantees) {
      Privileges on_columns = held_on_columns(relation, to.grantee) & bits;
      if (!on_columns) continue;
      if (!command.revoke && spec.name != "all")
        return fail(kInvalidGrant, "cannot grant " + to_upper(spec.name) + " on relation " + relation.name + ": \"" + to.name +
                                       "\" already holds it on columns");
      if (command.revoke && !command.option_only && catalog::owns(work.who(), relation))
        for (auto& column : relation.columns)
          if (column.acl) TRY_VOID(catalog::acl_revoke(*column.acl, to.grantee, relation.owner, bits, false, relation.owner));
    }
    TRY_VOID(change(work, command, AclTarget::kRelation, relation.name, relation.owner, relation.acl, bits, grantees));
  }
  work.changes.put(std::move(relation));
  return {};
}

Result<Outcome> on_relations(Work& work, const sql::Grant& command, const std::vector<To>& grantees) {
  std::vector<catalog::Oid> oids;
  if (command.form == sql::Grant::Form::kAllInSchema) {
    for (auto& name : command.names) {
      TRY(auto* schema, find_schema_to_use(work, name.schema, name.name));
      if (!may_use(*work.facts, *schema)) return fail(permission_denied("schema", schema->name));
      for (auto* relation : work.now().relations(schema->oid)) oids.push_back(relation->oid);
    }
  } else {
    for (auto& name : command.names) {
      TRY(auto* relation, find_relation(work, name));
      if (relation->database != work.facts->database)
        return fail(secure::kNotSupported, "cross-database grants on \"" + display(name) + "\" are not supported");
      oids.push_back(relation->oid);
    }
  }
  std::vector<LockKey> keys;
  for (auto oid : oids) keys.push_back(object_lock(Relation{.oid = oid}.key()));
  LOCK_OR_WAIT(work, (keys));
  for (auto oid : oids) {
    if (!work.now().relation(oid)) return fail(secure::kUndefinedTable, "relation does not exist");
    TRY_VOID(change_relation(work, command, oid, grantees));
  }
  return done(command.revoke ? "REVOKE" : "GRANT");
}

Result<Privileges> all_bits(const sql::Grant& command, AclTarget target) {
  Privileges bits = 0;
  for (auto& spec : command.privileges) {
    if (!spec.columns.empty()) return fail(kInvalidGrant, "column privileges are only valid for relations");
    TRY(Privileges some, bits_of(spec, target));
    bits |= some;
  }
  return bits;
}

Result<Outcome> on_schemas(Work& work, const sql::Grant& command, const std::vector<To>& grantees) {
  TRY(Privileges bits, all_bits(command, AclTarget::kSchema));
  std::vector<LockKey> keys;
  for (auto& name : command.names) {
    TRY(auto* schema, find_schema_to_use(work, name.schema, name.name));
    if (is_temp_schema(schema->name)) return fail(permission_denied("schema", schema->name));
    keys.push_back(object_lock(schema->key()));
  }
  LOCK_OR_WAIT(work, (keys));
  for (auto& name : command.names) {
    TRY(auto* found, find_schema_to_use(work, name.schema, name.name));
    catalog::Schema schema = *found;
    TRY_VOID(change(work, command, AclTarget::kSchema, schema.name, schema.owner, schema.acl, bits, grantees));
    work.changes.put(std::move(schema));
  }
  return done(command.revoke ? "REVOKE" : "GRANT");
}

Result<Outcome> on_procedures(Work& work, const sql::Grant& command, const std::vector<To>& grantees) {
  TRY(Privileges bits, all_bits(command, AclTarget::kProcedure));
  std::vector<catalog::Oid> oids;
  if (command.form == sql::Grant::Form::kAllInSchema) {
    for (auto& name : command.names) {
      TRY(auto* schema, find_schema_to_use(work, name.schema, name.name));
      if (!may_use(*work.facts, *schema)) return fail(permission_denied("schema", schema->name));
      for (auto* procedure : work.now().procedures(schema->oid)) oids.push_back(procedure->oid);
    }
  } else {
    for (auto& routine : command.routines) {
      TRY(auto* procedure, find_procedure(work, routine));
      oids.push_back(procedure->oid);
    }
  }
  std::vector<LockKey> keys;
  for (auto oid : oids) keys.push_back(object_lock(catalog::Procedure{.oid = oid}.key()));
  LOCK_OR_WAIT(work, (keys));
  for (auto oid : oids) {
    auto* found = work.now().procedure(oid);
    if (!found) return fail(secure::kUndefinedFunction, "procedure does not exist");
    catalog::Procedure procedure = *found;
    TRY_VOID(change(work, command, AclTarget::kProcedure, procedure.name, procedure.owner, procedure.acl, bits, grantees));
    work.changes.put(std::move(procedure));
  }
  return done(command.revoke ? "REVOKE" : "GRANT");
}

Result<Outcome> on_databases(Work& work, const sql::Grant& command, const std::vector<To>& grantees) {
  TRY(Privileges bits, all_bits(command, AclTarget::kDatabase));
  std::vector<LockKey> keys;
  for (auto& name : command.names) {
    TRY(auto* database, find_database(work, name.name));
    keys.push_back(object_lock(database->key()));
  }
  LOCK_OR_WAIT(work, (keys));
  for (auto& name : command.names) {
    TRY(auto* found, find_database(work, name.name));
    catalog::Database database = *found;
    TRY_VOID(change(work, command, AclTarget::kDatabase, database.name, database.owner, database.acl, bits, grantees));
    work.changes.put(std::move(database));
  }
  return done(command.revoke ? "REVOKE" : "GRANT");
}

// ---------------------------------------------------------------------------------------------------- roles

bool may_give(Work& work, const catalog::Role& role) {
  if (catalog::owns(work.who(), role)) return true;
  if (catalog::is_security_admin(work.who()) && !catalog::is_system_role(role.id)) return true;
  auto* self = work.now().user(work.facts->current_user);
  return self &&
         std::any_of(self->roles.begin(), self->roles.end(), [&](auto& m) { return m.role == role.id && m.admin_option; });
}

/// Adds or removes one membership in a user's or role's list.
void change_membership(std::vector<catalog::RoleMembership>& list, const sql::Grant& command, catalog::Oid role, bool admin,
                       catalog::Oid grantor) {
  auto at = std::find_if(list.begin(), list.end(), [&](auto& m) { return m.role == role; });
  if (!command.revoke) {
    if (at == list.end())
      list.push_back({role, admin, grantor});
    else
      at->admin_option |= admin;
  } else if (at != list.end()) {
    if (command.option_only)
      at->admin_option = false;
    else
      list.erase(at);
  }
}

Result<Outcome> on_roles(Work& work, const sql::Grant& command) {
  std::vector<To> grantees;
  for (auto& g : command.grantees) {
    TRY(To to, find_grantee(work, g));
    if (to.grantee.kind != catalog::GranteeKind::kUser && to.grantee.kind != catalog::GranteeKind::kRole)
      return fail(kInvalidGrant, "roles can only be granted to users and roles");
    if (to.grantee.kind == catalog::GranteeKind::kRole && (to.with_option || command.option_only))
      return fail(kInvalidGrant, "admin options can only be granted to users");
    grantees.push_back(to);
  }
  std::vector<LockKey> keys;
  for (auto& to : grantees)
    keys.push_back(
        object_lock({to.grantee.kind == catalog::GranteeKind::kUser ? catalog::ObjectKind::kUser : catalog::ObjectKind::kRole,
                     to.grantee.id}));
  // Cycles are judged over the whole graph: changes of role-to-role grants go one after the other.
  keys.push_back(object_lock({catalog::ObjectKind::kRole, 0}));
  LOCK_OR_WAIT(work, (keys));
  for (auto& name : command.roles) {
    TRY(auto* role, find_role(work, name.text));
    catalog::Oid id = role->id;
    if (!may_give(work, *role)) return fail(permission_denied("role", role->name));
    for (auto& to : grantees) {
      if (to.grantee.kind == catalog::GranteeKind::kUser) {
        catalog::User user = *work.now().user(to.grantee.id);
        change_membership(user.roles, command, id, to.with_option, work.facts->current_user);
        work.changes.put(std::move(user));
        continue;
      }
      if (catalog::is_system_role(to.grantee.id)) return fail(permission_denied("role", to.name));
      auto within = catalog::roles_within(work.now(), id);
      if (!command.revoke && std::find(within.begin(), within.end(), to.grantee.id) != within.end())
        return fail(kInvalidGrant, "cannot grant this role, a circular dependency was detected between these roles");
      catalog::Role receiver = *work.now().role(to.grantee.id);
      change_membership(receiver.roles, command, id, false, work.facts->current_user);
      work.changes.put(std::move(receiver));
    }
  }
  return done(command.revoke ? "REVOKE" : "GRANT");
}

Result<Outcome> system_privileges(Work& work, const sql::Grant& command) {
  // What concerns policies is also for security administrators to give.
  bool of_policies = std::all_of(command.privileges.begin(), command.privileges.end(), [](auto& spec) {
    return spec.name == "ignore rls" || spec.name == "explain rls" || spec.name == "explain masking";
  });
  if (!work.superuser() && !(of_policies && catalog::is_security_admin(work.who())))
    return fail(secure::kPermissionDenied, "must be superuser to grant system privileges");
  std::vector<std::string> names;
  auto known = catalog::system_privilege_names();
  for (auto& spec : command.privileges) {
    std::string name = to_upper(spec.name);
    if (name == "ALL") {
      names.insert(names.end(), known.begin(), known.end());
    } else if (std::find(known.begin(), known.end(), name) != known.end()) {
      names.push_back(name);
    } else {
      return fail(kInvalidGrant, "unrecognized system privilege \"" + spec.name + "\"");
    }
  }
  TRY(auto grantees, find_grantees(work, command.grantees, false));
  std::vector<LockKey> keys;
  for (auto& to : grantees) {
    if (to.grantee.kind != catalog::GranteeKind::kRole)
      return fail(kInvalidGrant, "system privileges can only be granted to roles");
    if (catalog::is_system_role(to.grantee.id)) return fail(permission_denied("role", to.name));
    keys.push_back(object_lock({catalog::ObjectKind::kRole, to.grantee.id}));
  }
  LOCK_OR_WAIT(work, (keys));
  for (auto& to : grantees) {
    catalog::Role role = *work.now().role(to.grantee.id);
    for (auto& name : names) {
      std::erase(role.system_privileges, name);
      if (!command.revoke) role.system_privileges.push_back(name);
    }
    std::sort(role.system_privileges.begin(), role.system_privileges.end());
    work.changes.put(std::move(role));
  }
  return done(command.revoke ? "REVOKE" : "GRANT");
}

// ---------------------------------------------------------------------------------------------------- ASSUMEROLE

Result<catalog::AssumeCommands> assume_commands(const std::vector<std::string>& words) {
  catalog::AssumeCommands bits = 0;
  for (auto& word : words) {
    if (word == "all")
      bits |= catalog::kAssumeAll;
    else if (word == "copy")
      bits |= catalog::kAssumeCopy;
    else if (word == "unload")
      bits |= catalog::kAssumeUnload;
    else if (word == "external function")
      bits |= catalog::kAssumeExternalFunction;
    else if (word == "create model")
      bits |= catalog::kAssumeCreateModel;
    else
      return fail(kInvalidGrant, "unrecognized ASSUMEROLE command \"" + word + "\"");
  }
  return bits;
}

bool is_role_chain(std::string_view text) {
  for (auto arn : split(text, ',')) {
    auto parts = split(arn, ':');
    if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[4].size() != 12 || !parts[5].starts_with("role/") ||
        parts[5].size() == 5)
      return false;
  }
  return true;
}

Result<Outcome> assume_role(Work& work, const sql::Grant& command) {
  if (!work.superuser())
    return fail(secure::kPermissionDenied,
                std::string("must be superuser to ") + (command.revoke ? "revoke" : "grant") + " ASSUMEROLE");
  TRY(auto bits, assume_commands(command.assume_commands));
  std::vector<std::string> chains = command.assume_arns;
  for (auto& chain : chains)
    if (!is_role_chain(chain)) return fail(secure::kInvalidParameterValue, "Invalid IAM role: '" + chain + "'");
  if (command.assume_default) chains.push_back("default");
  if (command.assume_all) chains.push_back(std::string(catalog::AssumeRoleGrants::kEvery));
  TRY(auto grantees, find_grantees(work, command.grantees, false));
  std::vector<LockKey> keys;
  for (auto& to : grantees) keys.push_back(object_lock(catalog::AssumeRoleGrants{.grantee = to.grantee}.key()));
  LOCK_OR_WAIT(work, (keys));
  for (auto& to : grantees) {
    auto* found = work.now().assume_role(to.grantee);
    catalog::AssumeRoleGrants grants = found ? *found : catalog::AssumeRoleGrants{.grantee = to.grantee};
    for (auto& chain : chains) {
      if (!command.revoke) {
        grants.by_chain[chain] |= bits;
      } else if (chain == catalog::AssumeRoleGrants::kEvery) {
        for (auto& [any, held] : grants.by_chain) held &= catalog::AssumeCommands(~bits);
      } else {
        if (auto every = grants.by_chain.find(std::string(catalog::AssumeRoleGrants::kEvery));
            every != grants.by_chain.end() && (every->second & bits))
          work.notice("WARNING", "\"" + to.name + "\" still holds ASSUMEROLE on ALL");
        if (auto at = grants.by_chain.find(chain); at != grants.by_chain.end()) at->second &= catalog::AssumeCommands(~bits);
      }
    }
    std::erase_if(grants.by_chain, [](auto& entry) { return entry.second == 0; });
    if (grants.by_chain.empty())
      work.changes.drop(grants.key());
    else
      work.changes.put(std::move(grants));
  }
  return done(command.revoke ? "REVOKE" : "GRANT");
}

}  // namespace

Result<Outcome> grant(Work& work, const sql::Grant& command) {
  using F = sql::Grant::Form;
  using O = sql::Grant::Object;
  if (command.cascade) return fail(secure::kNotSupported, "REVOKE ... CASCADE is not supported");
  switch (command.form) {
    case F::kRole:
      return on_roles(work, command);
    case F::kSystem:
      return system_privileges(work, command);
    case F::kAssumeRole:
      return assume_role(work, command);
    case F::kScoped:
      return fail(secure::kNotSupported, "scoped permissions (FOR TABLES IN ..) are not supported");
    case F::kPolicy:
      return grant_to_policies(work, command);
    case F::kObject:
    case F::kAllInSchema:
      break;
  }
  TRY(auto grantees, find_grantees(work, command.grantees, true));
  switch (command.object) {
    case O::kTable:
      return on_relations(work, command, grantees);
    case O::kSchema:
      return on_schemas(work, command, grantees);
    case O::kDatabase:
      return on_databases(work, command, grantees);
    case O::kFunction:
      return fail(secure::kNotSupported, "privileges on functions are not supported");
    case O::kProcedure:
      return on_procedures(work, command, grantees);
    case O::kLanguage:
      return fail(secure::kNotSupported, "privileges on languages are not supported");
  }
  return fail(secure::kNotSupported, "this form of GRANT is not supported");
}

Result<Outcome> alter_default_privileges(Work& work, const sql::AlterDefaultPrivileges& command) {
  using O = sql::Grant::Object;
  if (command.object != O::kTable && command.object != O::kProcedure)
    return fail(secure::kNotSupported, "default privileges on functions are not supported");
  AclTarget target = command.object == O::kTable ? AclTarget::kRelation : AclTarget::kProcedure;
  std::vector<catalog::Oid> users, schemas;
  for (auto& name : command.users) {
    TRY(auto* user, find_user(work, name.text));
    users.push_back(user->id);
  }
  if (users.empty()) users.push_back(work.facts->current_user);
  for (catalog::Oid user : users)
    if (user != work.facts->current_user && !catalog::has_system_privilege(work.now(), work.who(), "ALTER DEFAULT PRIVILEGES"))
      return fail(secure::kPermissionDenied, "must be superuser to alter default privileges of another user");
  for (auto& name : command.schemas) {
    TRY(auto* schema, find_schema_to_use(work, "", name.text));
    schemas.push_back(schema->oid);
  }
  if (schemas.empty()) schemas.push_back(0);
  TRY(auto grantees, find_grantees(work, command.grantees, true));
  Privileges bits = 0;
  for (auto& spec : command.privileges) {
    TRY(Privileges some, bits_of(spec, target));
    bits |= some;
  }
  std::vector<LockKey> keys;
  for (catalog::Oid user : users) keys.push_back(object_lock({catalog::ObjectKind::kDefaultPrivileges, user}));
  LOCK_OR_WAIT(work, (keys));
  for (catalog::Oid user : users)
    for (catalog::Oid schema : schemas) {
      auto* found = work.now().default_privileges(user, work.facts->database, schema);
      catalog::DefaultPrivileges defaults = found ? *found : catalog::DefaultPrivileges{user, work.facts->database, schema};
      for (auto& to : grantees) {
        if (!command.revoke) {
          catalog::acl_grant(defaults.acl, to.grantee, user, bits, to.with_option);
        } else {
          TRY_VOID(catalog::acl_revoke(defaults.acl, to.grantee, user, bits, command.option_only, user));
        }
      }
      if (defaults.acl.empty())
        work.changes.drop(defaults.key());
      else
        work.changes.put(std::move(defaults));
    }
  return done("ALTER DEFAULT PRIVILEGES");
}

std::optional<Acl> initial_acl(Work& work, catalog::Oid schema, AclTarget target) {
  std::optional<Acl> acl;
  Privileges all = catalog::all_privileges(target);
  catalog::Oid owner = work.facts->current_user;
  for (catalog::Oid where : {catalog::Oid{0}, schema}) {
    auto* defaults = work.now().default_privileges(owner, work.facts->database, where);
    if (!defaults) continue;
    for (auto& entry : defaults->acl) {
      if (!(entry.privileges & all)) continue;
      if (!acl) acl = catalog::default_acl(target, owner);
      catalog::acl_grant(*acl, entry.grantee, owner, entry.privileges & all, false);
      catalog::acl_grant(*acl, entry.grantee, owner, entry.grantable & all, true);
    }
  }
  return acl;
}

}  // namespace redoubt::warehouse::session
