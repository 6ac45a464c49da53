#pragma once
/// Access control lists: who may do what to one object, granted by whom, and with or without the right to grant it on.
/// Source: Database Developer Guide, GRANT, REVOKE; the grantor rules and the text form are PostgreSQL's (aclitem).
///
/// An object without a list has its kind's default: everything for the owner, plus TEMP on databases for PUBLIC. The first
/// grant or revoke writes that default out. The owner's right to grant and drop is not in the list and can't be revoked.
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/catalog/errors.h"

namespace redoubt::warehouse::catalog {

using Oid = uint32_t;  // 0 is "none". Users, groups and roles have number spaces of their own (usesysid, grosysid).

enum class GranteeKind : uint8_t { kUser, kGroup, kRole, kPublic };

struct Grantee {
  GranteeKind kind = GranteeKind::kPublic;
  Oid id = 0;
  auto operator<=>(const Grantee&) const = default;
  static Grantee user(Oid id) { return {GranteeKind::kUser, id}; }
  static Grantee group(Oid id) { return {GranteeKind::kGroup, id}; }
  static Grantee role(Oid id) { return {GranteeKind::kRole, id}; }
  static Grantee everyone() { return {}; }
};

/// A set of privileges, one bit each.
using Privileges = uint32_t;
inline constexpr Privileges kSelect = 1, kInsert = 2, kUpdate = 4, kDelete = 8, kReferences = 16, kDrop = 32, kAlter = 64,
                            kTruncate = 128, kUsage = 256, kCreate = 512, kTemp = 1024, kExecute = 2048;

enum class AclTarget : uint8_t { kDatabase, kSchema, kRelation, kColumn, kProcedure };

/// Every privilege that exists on such an object: what ALL means.
Privileges all_privileges(AclTarget target);
/// "SELECT" -> kSelect, case-insensitively; "TEMPORARY" too. 0: no such privilege.
Privileges privilege_from_name(std::string_view name);
/// Of exactly one bit: "SELECT".
std::string_view privilege_name(Privileges one);

struct AclEntry {
  Grantee grantee;
  Oid grantor = 0;  // a user
  Privileges privileges = 0;
  Privileges grantable = 0;  // held WITH GRANT OPTION; a subset of privileges
  bool operator==(const AclEntry&) const = default;
};
using Acl = std::vector<AclEntry>;

/// What an object without a list has.
Acl default_acl(AclTarget target, Oid owner);

/// Adds to (or extends an entry of) the list.
void acl_grant(Acl& acl, const Grantee& grantee, Oid grantor, Privileges privileges, bool with_grant_option);
/// Takes what this grantor gave. With `option_only` the privilege stays and the grant option goes. Grants that depended on a
/// grant option that is gone are refused: kDependentPrivileges "dependent privileges exist" (REVOKE is RESTRICT).
/// What wasn't granted is ignored, as in PostgreSQL.
Result<void> acl_revoke(Acl& acl, const Grantee& grantee, Oid grantor, Privileges privileges, bool option_only, Oid owner);
/// The list after `from` gave the object to `to`: the new owner stands where the old one stood.
void acl_new_owner(Acl& acl, Oid from, Oid to);
/// Drops every entry that names the grantee, as grantee or (users) as grantor. True if there was one.
bool acl_forget(Acl& acl, const Grantee& grantee);

/// Text of one entry: `alice=r*w/awsuser`, `group g=r/awsuser`, `=T/awsuser`. Names are the caller's.
std::string acl_item_text(const AclEntry& entry, std::string_view grantee_name, std::string_view grantor_name);

}  // namespace redoubt::warehouse::catalog
