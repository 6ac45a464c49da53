#include <algorithm>

#include "base/text.h"
#include "warehouse/catalog/system_roles.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/policies.h"

namespace redoubt::warehouse::session {

using catalog::Group;
using catalog::Role;
using catalog::User;

namespace {

Result<void> check_free(Work& work, std::string_view name) {
  if (work.now().user(name)) return fail(catalog::kDuplicateObject, "user \"" + std::string(name) + "\" already exists");
  if (work.now().role(name)) return fail(catalog::kDuplicateObject, "role \"" + std::string(name) + "\" already exists");
  return {};
}

Result<void> apply(Work& work, const sql::UserOptions& o, User& user, bool creating) {
  if (o.password_disabled) {
    if (user.superuser && !creating) return fail(kInvalidObjectDefinition, "password of a superuser can't be disabled");
    if (o.createuser.value_or(false)) return fail(kInvalidObjectDefinition, "password of a superuser can't be disabled");
    user.password_disabled = true;
    user.verifier = {};
  } else if (o.password) {
    TRY(user.verifier, make_verifier(*o.password, user.name));
    user.password_disabled = false;
  }
  if (o.createdb) user.createdb = *o.createdb;
  if (o.createuser) user.superuser = *o.createuser;
  if (o.syslog_unrestricted) user.syslog_unrestricted = *o.syslog_unrestricted;
  if (o.connection_limit) user.connection_limit = int(*o.connection_limit);
  if (o.session_timeout) {
    if (*o.session_timeout < 60 || *o.session_timeout > 1728000)
      return fail(secure::kInvalidParameterValue, "SESSION TIMEOUT must be between 60 and 1728000 seconds");
    user.session_timeout_s = int(*o.session_timeout);
  }
  if (o.external_id) user.external_id = *o.external_id;
  if (o.valid_until) {
    if (iequals(*o.valid_until, "infinity")) {
      user.valid_until.reset();
    } else {
      TRY(int64_t micros, secure::values::parse_timestamp(*o.valid_until, work.facts->now.us));
      user.valid_until = Timestamp{micros};
    }
  }
  return {};
}

bool may_administer_users(Work& work, std::string_view privilege) {
  return catalog::has_system_privilege(work.now(), work.who(), privilege);
}

/// Puts the user into the group, in both objects.
void join(Work& work, User& user, const Group& group) {
  if (std::find(user.groups.begin(), user.groups.end(), group.id) != user.groups.end()) return;
  user.groups.push_back(group.id);
  Group changed = group;
  changed.members.push_back(user.id);
  work.changes.put(std::move(changed));
}

void log_user(Work& work, const User& user, std::string_view old_name, std::string_view action) {
  auto number = [](auto n) { return engine::Datum(std::to_string(n)); };
  work.session.log_on_commit(
      "stl_userlog",
      {number(work.facts->current_user), user.name, std::string(old_name), std::string(action), number(int(user.createdb)),
       number(int(user.superuser)), number(0), user.valid_until ? engine::Datum(sql_timestamp(*user.valid_until)) : std::nullopt,
       number(work.facts->pid), number(work.session.transaction_id()), sql_timestamp(work.facts->now)});
}

}  // namespace

Result<Outcome> create_user(Work& work, const sql::CreateUser& command) {
  if (!may_administer_users(work, "CREATE USER")) return fail(secure::kPermissionDenied, "permission denied to create user");
  const auto& o = command.options;
  // A group's rights are the superuser's to give, however the member comes to be.
  if (!work.superuser() && !o.groups.empty()) return fail(secure::kPermissionDenied, "must be superuser to add users to groups");
  if (!work.superuser() && (o.createuser.value_or(false) || o.syslog_unrestricted.value_or(false)))
    return fail(secure::kPermissionDenied, "must be superuser to create superusers");
  TRY_VOID(check_new_name("user", command.name.text));
  if (command.name.text.starts_with("IAM:") || command.name.text.starts_with("IAMA:") || command.name.text.starts_with("IAMR:"))
    return fail(kReservedName, "user names that begin with IAM: are reserved for temporary credentials");
  TRY_VOID(check_free(work, command.name.text));
  if (!o.password && !o.password_disabled) return fail(secure::kSyntaxError, "Password is required to create a user.");
  std::vector<LockKey> keys;
  for (auto& name : o.groups) {
    TRY(auto* group, find_group(work, name));
    keys.push_back(object_lock(group->key()));
  }
  LOCK_OR_WAIT(work, (keys));
  User user{.id = 0, .name = command.name.text};
  TRY_VOID(apply(work, o, user, true));
  user.id = work.core.catalog.new_user_id();
  for (auto& name : o.groups) {
    TRY(auto* group, find_group(work, name));
    join(work, user, *group);
  }
  work.changes.put(user);
  log_user(work, user, "", "create");
  return done("CREATE USER");
}

Result<Outcome> alter_user(Work& work, const sql::AlterUser& command) {
  TRY(auto* found, find_user(work, command.name.text));
  const auto& o = command.options;
  bool self = found->id == work.facts->current_user;
  // Oneself may change: the password and the settings. (Not a disabled password: that is how temporary credentials are enforced.)
  bool only_password = !o.password_disabled && !o.createdb && !o.createuser && !o.syslog_unrestricted && o.groups.empty() &&
                       !o.connection_limit && !o.session_timeout && !o.external_id && !o.valid_until &&
                       command.rename_to.empty() && !command.reset_session_timeout;
  bool may_as_self = self && only_password && !(o.password && found->password_disabled);
  if (!may_as_self && !may_administer_users(work, "ALTER USER")) return fail(secure::kPermissionDenied, "permission denied");
  if (!work.superuser() && !may_as_self && (found->superuser || o.createuser || o.syslog_unrestricted || o.password_disabled))
    return fail(secure::kPermissionDenied, "must be superuser to alter superusers");
  if (found->id == catalog::kInternalUserId) return fail(secure::kPermissionDenied, "permission denied");
  LOCK_OR_WAIT(work, {object_lock(found->key())});
  TRY(found, find_user(work, command.name.text));
  User user = *found;
  std::string old_name;
  if (!command.rename_to.empty()) {
    if (self) return fail(secure::kNotSupported, "session user may not be renamed");
    TRY_VOID(check_new_name("user", command.rename_to));
    TRY_VOID(check_free(work, command.rename_to));
    old_name = std::exchange(user.name, command.rename_to);
    if (!user.verifier.empty()) {
      user.verifier = {};
      work.notice("NOTICE", "password cleared because of user rename");
    }
  }
  TRY_VOID(apply(work, o, user, false));
  if (command.reset_session_timeout) user.session_timeout_s = 0;
  if (command.set) {
    const SettingRow* row = find_setting(command.set->name);
    if (!row) return fail(secure::kUndefinedObject, "unrecognized configuration parameter \"" + command.set->name + "\"");
    if (command.set->values.empty()) {
      user.settings.erase(command.set->name);
    } else {
      TRY(user.settings[command.set->name], canonical_setting(*row, command.set->values));
    }
  }
  if (!command.reset.empty()) user.settings.erase(command.reset);
  work.changes.put(user);
  log_user(work, user, old_name, old_name.empty() ? "alter" : "rename");
  return done("ALTER USER");
}

Result<Outcome> drop_users(Work& work, const sql::Drop& command) {
  if (!may_administer_users(work, "DROP USER")) return fail(secure::kPermissionDenied, "permission denied to drop user");
  for (auto& name : command.names) {
    auto* user = work.now().user(name.name);
    if (!user && command.if_exists) {
      work.notice("INFO", "user \"" + name.name + "\" does not exist, skipping");
      continue;
    }
    TRY(user, find_user(work, name.name));
    if (user->superuser && !work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to drop superusers");
    if (user->id == work.facts->current_user || user->id == work.session.authenticated_user())
      return fail(kObjectInUse, "current user cannot be dropped");
    if (user->id == catalog::kInternalUserId || user->id == catalog::kMasterUserId)
      return fail(secure::kPermissionDenied, "permission denied to drop user");
    std::vector<LockKey> keys{object_lock(user->key())};
    for (catalog::Oid group : user->groups) keys.push_back(object_lock(Group{.id = group}.key()));
    LOCK_OR_WAIT(work, (keys));
    TRY(user, find_user(work, name.name));
    if (catalog::owns_anything(work.now(), user->id))
      return fail(kObjectInUse, "user \"" + name.name + "\" can't be dropped because the user owns some object");
    if (catalog::named_in_any_acl(work.now(), catalog::Grantee::user(user->id)))
      return fail(kObjectInUse, "user \"" + name.name + "\" can't be dropped because the user has a privilege on some object");
    for (catalog::Oid id : user->groups) {
      auto* group = work.now().group(id);
      if (!group) continue;
      Group changed = *group;
      std::erase(changed.members, user->id);
      work.changes.put(std::move(changed));
    }
    log_user(work, *user, "", "drop");
    detach_from(work, catalog::Grantee::user(user->id));
    work.changes.drop(user->key());
  }
  return done("DROP USER");
}

// ---------------------------------------------------------------------------------------------------- groups

Result<Outcome> create_group(Work& work, const sql::CreateGroup& command) {
  if (!work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to create groups");
  TRY_VOID(check_new_name("group", command.name.text));
  if (command.name.text.starts_with("__")) return fail(kReservedName, "group names that begin with \"__\" are reserved");
  if (work.now().group(command.name.text))
    return fail(catalog::kDuplicateObject, "group \"" + command.name.text + "\" already exists");
  std::vector<LockKey> keys;
  for (auto& name : command.users) {
    TRY(auto* user, find_user(work, name.text));
    keys.push_back(object_lock(user->key()));
  }
  LOCK_OR_WAIT(work, (keys));
  Group group{.id = work.core.catalog.new_group_id(), .name = command.name.text};
  work.changes.put(group);
  for (auto& name : command.users) {
    TRY(auto* found, find_user(work, name.text));
    User user = *found;
    join(work, user, *work.now().group(group.id));
    work.changes.put(std::move(user));
  }
  return done("CREATE GROUP");
}

Result<Outcome> alter_group(Work& work, const sql::AlterGroup& command) {
  if (!work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to alter groups");
  TRY(auto* found, find_group(work, command.name.text));
  std::vector<LockKey> keys{object_lock(found->key())};
  for (auto* list : {&command.add, &command.drop})
    for (auto& name : *list) {
      TRY(auto* user, find_user(work, name.text));
      keys.push_back(object_lock(user->key()));
    }
  LOCK_OR_WAIT(work, (keys));
  TRY(found, find_group(work, command.name.text));
  catalog::Oid id = found->id;
  for (auto& name : command.add) {
    TRY(auto* member, find_user(work, name.text));
    User user = *member;
    join(work, user, *work.now().group(id));
    work.changes.put(std::move(user));
  }
  for (auto& name : command.drop) {
    TRY(auto* member, find_user(work, name.text));
    User user = *member;
    if (std::erase(user.groups, id) == 0) {
      work.notice("WARNING", "user \"" + name.text + "\" is not in group \"" + command.name.text + "\"");
      continue;
    }
    Group group = *work.now().group(id);
    std::erase(group.members, user.id);
    work.changes.put(std::move(group));
    work.changes.put(std::move(user));
  }
  if (!command.rename_to.empty()) {
    TRY_VOID(check_new_name("group", command.rename_to));
    if (work.now().group(command.rename_to))
      return fail(catalog::kDuplicateObject, "group \"" + command.rename_to + "\" already exists");
    Group group = *work.now().group(id);
    group.name = command.rename_to;
    work.changes.put(std::move(group));
  }
  return done("ALTER GROUP");
}

Result<Outcome> drop_groups(Work& work, const sql::Drop& command) {
  if (!work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to drop groups");
  for (auto& name : command.names) {
    auto* group = work.now().group(name.name);
    if (!group && command.if_exists) {
      work.notice("INFO", "group \"" + name.name + "\" does not exist, skipping");
      continue;
    }
    TRY(group, find_group(work, name.name));
    std::vector<LockKey> keys{object_lock(group->key())};
    for (catalog::Oid member : group->members) keys.push_back(object_lock(User{.id = member}.key()));
    LOCK_OR_WAIT(work, (keys));
    TRY(group, find_group(work, name.name));
    if (catalog::named_in_any_acl(work.now(), catalog::Grantee::group(group->id)))
      return fail(kObjectInUse, "group \"" + name.name + "\" can't be dropped because the group has a privilege on some object");
    for (catalog::Oid id : group->members) {
      auto* member = work.now().user(id);
      if (!member) continue;
      User user = *member;
      std::erase(user.groups, group->id);
      work.changes.put(std::move(user));
    }
    work.changes.drop(group->key());
  }
  return done("DROP GROUP");
}

// ---------------------------------------------------------------------------------------------------- roles

Result<Outcome> create_role(Work& work, const sql::CreateRole& command) {
  if (!may_administer_users(work, "CREATE ROLE")) return fail(secure::kPermissionDenied, "permission denied to create role");
  const std::string& name = command.name.text;
  TRY_VOID(check_new_name("role", name));
  if (name.starts_with("sys:") || name.starts_with("ds:")) return fail(kReservedName, "role name \"" + name + "\" is reserved");
  if (name.find_first_of(":/\n.") != std::string::npos)
    return fail(kInvalidName, "role name \"" + name + "\" contains an invalid character");
  TRY_VOID(check_free(work, name));
  work.changes.put(Role{.id = work.core.catalog.new_oid(),
                        .name = name,
                        .owner = work.facts->current_user,
                        .external_id = command.external_id.value_or("")});
  return done("CREATE ROLE");
}

Result<Outcome> alter_role(Work& work, const sql::AlterRole& command) {
  TRY(auto* found, find_role(work, command.name.text));
  if (!catalog::owns(work.who(), *found) || catalog::is_system_role(found->id)) return fail(must_be_owner("role", found->name));
  LOCK_OR_WAIT(work, {object_lock(found->key())});
  TRY(found, find_role(work, command.name.text));
  Role role = *found;
  if (!command.rename_to.empty()) {
    TRY_VOID(check_new_name("role", command.rename_to));
    TRY_VOID(check_free(work, command.rename_to));
    role.name = command.rename_to;
  }
  if (!command.owner_to.empty()) {
    TRY(auto* owner, find_user(work, command.owner_to));
    if (!work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to change the owner of a role");
    role.owner = owner->id;
  }
  if (command.external_id) role.external_id = *command.external_id;
  work.changes.put(std::move(role));
  return done("ALTER ROLE");
}

Result<Outcome> drop_roles(Work& work, const sql::Drop& command) {
  for (auto& name : command.names) {
    TRY(auto* role, find_role(work, name.name));
    if (catalog::is_system_role(role->id) || (!catalog::owns(work.who(), *role) && !may_administer_users(work, "DROP ROLE")))
      return fail(must_be_owner("role", role->name));
    LOCK_OR_WAIT(work, {object_lock(role->key())});
    TRY(role, find_role(work, name.name));
    catalog::Oid id = role->id;
    auto holds = [&](auto& memberships) {
      return std::any_of(memberships.begin(), memberships.end(), [&](auto& m) { return m.role == id; });
    };
    for (auto* user : work.now().users()) {
      if (!holds(user->roles)) continue;
      if (!command.force) return fail(kDependentObjects, "cannot drop this role since it has been granted on a user");
      User changed = *user;
      std::erase_if(changed.roles, [&](auto& m) { return m.role == id; });
      work.changes.put(std::move(changed));
    }
    for (auto* other : work.now().roles()) {
      if (!holds(other->roles)) continue;
      if (!command.force) return fail(kDependentObjects, "cannot drop this role since it depends on another role");
      Role changed = *other;
      std::erase_if(changed.roles, [&](auto& m) { return m.role == id; });
      work.changes.put(std::move(changed));
    }
    if (!command.force && (!role->roles.empty() || !role->system_privileges.empty()))
      return fail(kDependentObjects, "cannot drop this role since it depends on another role");
    if (catalog::named_in_any_acl(work.now(), catalog::Grantee::role(id)))
      return fail(kObjectInUse, "role \"" + name.name + "\" can't be dropped because the role has a privilege on some object");
    detach_from(work, catalog::Grantee::role(id));
    work.changes.drop(Role{.id = id}.key());
  }
  return done("DROP ROLE");
}

}  // namespace redoubt::warehouse::session
