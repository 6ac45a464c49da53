#pragma once
/// Decisions over a snapshot: who holds which privilege. Pure. Source: Database Developer Guide, GRANT; "ASSUMEROLE" usage notes.
///
/// A user's rights are the union of the user's own grants, those of the user's groups, of the roles granted to the user
/// (transitively) and of PUBLIC. Superusers hold everything; owners hold what the list says plus the right to grant and drop.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/catalog/snapshot.h"

namespace redoubt::warehouse::catalog {

/// Everybody that a user's rights come from: the user, groups, roles with those they hold, PUBLIC. Only PUBLIC for an unknown user.
std::vector<Grantee> identities(const Snapshot& snapshot, Oid user);
/// Roles a user holds, directly and through roles. Ascending.
std::vector<Oid> effective_roles(const Snapshot& snapshot, Oid user);
bool is_superuser(const Snapshot& snapshot, Oid user);
/// Does a role that the user holds carry the system privilege ("CREATE USER")? True for superusers.
bool has_system_privilege(const Snapshot& snapshot, Oid user, std::string_view privilege);

/// The list that holds for an object: its own, or its kind's default.
Acl effective_acl(const Database& database);
Acl effective_acl(const Schema& schema);
Acl effective_acl(const Relation& relation);

/// Does the user hold all of `privileges` (bits)?
bool may(const Snapshot& snapshot, Oid user, Privileges privileges, const Database& database);
bool may(const Snapshot& snapshot, Oid user, Privileges privileges, const Schema& schema);
bool may(const Snapshot& snapshot, Oid user, Privileges privileges, const Relation& relation);  // table level alone
bool may_column(const Snapshot& snapshot, Oid user, Privileges privileges, const Column& column);
/// Is it the user's own, or is the user a superuser?
template <class T>
bool owns(const Snapshot& snapshot, Oid user, const T& object) {
  return object.owner == user || is_superuser(snapshot, user);
}

/// Which of `privileges` the user may grant on, and in whose name: owner and superuser all, as the owner; others those held
/// WITH GRANT OPTION, as themselves.
struct GrantRight {
  Privileges privileges = 0;
  Oid grantor = 0;
};
GrantRight grant_right(const Snapshot& snapshot, Oid user, Oid owner, const Acl& acl, Privileges privileges);

/// May the user assume exactly this chain (text as the command has it) for the command? Superusers always.
bool may_assume_role(const Snapshot& snapshot, Oid user, std::string_view chain, AssumeCommands command);

/// Does anything in the cluster belong to the user (DROP USER)? And does any list name it?
bool owns_anything(const Snapshot& snapshot, Oid user);
bool named_in_any_acl(const Snapshot& snapshot, const Grantee& grantee);

}  // namespace redoubt::warehouse::catalog
