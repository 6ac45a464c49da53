#pragma once
/// Decisions over a snapshot: who holds which privilege. Pure. Source: Database Developer Guide, GRANT; "ASSUMEROLE" usage notes.
///
/// A user's rights are the union of the user's own grants, those of the user's groups, of the roles granted to the user
/// (transitively) and of PUBLIC. Superusers hold everything; owners hold what the list says plus the right to grant and drop.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/catalog/snapshot.h"

namespace redoubt::warehouse::catalog {

/// Everybody that a user's rights come from.
struct Identities {
  Oid user = 0;
  bool superuser = false;
  std::vector<Grantee> all;  // the user, its groups, its roles and those they hold, PUBLIC; ascending
  bool has(const Grantee& grantee) const;
};
/// `extra_groups`: of this login alone (DbGroups of temporary credentials). An unknown user is PUBLIC and nothing else.
Identities identities(const Snapshot& snapshot, Oid user, std::span<const Oid> extra_groups = {});
/// Roles a user holds, directly and through roles. Ascending.
std::vector<Oid> effective_roles(const Snapshot& snapshot, Oid user);
/// Roles a role holds, itself included. Ascending.
std::vector<Oid> roles_within(const Snapshot& snapshot, Oid role);
/// Does a role that the user holds carry the system privilege ("CREATE USER")? True for superusers.
bool has_system_privilege(const Snapshot& snapshot, const Identities& who, std::string_view privilege);

/// The list that holds for an object: its own, or its kind's default.
Acl effective_acl(const Database& database);
Acl effective_acl(const Schema& schema);
Acl effective_acl(const Relation& relation);
Acl effective_acl(const Procedure& procedure);

/// Does one of them hold each of `privileges` (bits)?
bool may(const Identities& who, Privileges privileges, const Database& database);
bool may(const Identities& who, Privileges privileges, const Schema& schema);
bool may(const Identities& who, Privileges privileges, const Relation& relation);  // table level alone
bool may(const Identities& who, Privileges privileges, const Procedure& procedure);
bool may_column(const Identities& who, Privileges privileges, const Column& column);
/// Any of `privileges` on the relation or on one of its columns: is it of this user's concern?
bool may_any(const Identities& who, Privileges privileges, const Relation& relation);
/// Is it the user's own, or is the user a superuser?
template <class T>
bool owns(const Identities& who, const T& object) {
  return who.superuser || object.owner == who.user;
}

/// Which of `privileges` the user may grant on, and in whose name: owner and superuser all, as the owner; others those held
/// WITH GRANT OPTION, as themselves.
struct GrantRight {
  Privileges privileges = 0;
  Oid grantor = 0;
};
GrantRight grant_right(const Identities& who, Oid owner, const Acl& acl, AclTarget target, Privileges privileges);

/// May the user assume exactly this chain (text as the command has it) for the command? Superusers always.
bool may_assume_role(const Snapshot& snapshot, const Identities& who, std::string_view chain, AssumeCommands command);

/// Roles that make their holder an administrator of row security (superusers are one without).
bool is_security_admin(const Identities& who);

/// What row security does to one user's reading of a relation. Source: Database Developer Guide, "Row-level security".
struct RowSecurity {
  bool filtered = false;                  // it is on, and the user isn't exempt
  bool any = false;                       // CONJUNCTION TYPE OR
  std::vector<const RlsPolicy*> applied;  // those attached to the user, its roles or PUBLIC, each once; none: no rows
};
/// Exempt are superusers, holders of sys:secadmin and of IGNORE RLS. The owner is not.
bool is_exempt_from_rls(const Snapshot& snapshot, const Identities& who);
RowSecurity row_security(const Snapshot& snapshot, const Identities& who, const Relation& relation);
/// Policies whose predicate reads the relation; only those that read the column, if one is given.
std::vector<const RlsPolicy*> policies_reading(const Snapshot& snapshot, const Relation& relation, int16_t attnum = 0);
/// Is a policy attached to the grantee anywhere?
bool has_policies(const Snapshot& snapshot, const Grantee& grantee);

/// Does anything in the cluster belong to the user (DROP USER)? And does any list name it?
bool owns_anything(const Snapshot& snapshot, Oid user);
bool named_in_any_acl(const Snapshot& snapshot, const Grantee& grantee);

}  // namespace redoubt::warehouse::catalog
