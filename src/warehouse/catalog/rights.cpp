#include "warehouse/catalog/rights.h"

#include <algorithm>
#include <set>

#include "warehouse/catalog/system_roles.h"

namespace redoubt::warehouse::catalog {

namespace {

void add_role(const Snapshot& snapshot, Oid role, std::set<Oid>& seen) {
  if (!seen.insert(role).second) return;
  if (auto* r = snapshot.role(role))
    for (auto& inner : r->roles) add_role(snapshot, inner.role, seen);
}

Privileges held(const Identities& who, const Acl& acl) {
  Privileges bits = 0;
  for (auto& entry : acl)
    if (who.has(entry.grantee)) bits |= entry.privileges;
  return bits;
}

bool names(const Acl& acl, const Grantee& grantee) {
  return std::any_of(acl.begin(), acl.end(), [&](auto& entry) {
    return entry.grantee == grantee || (grantee.kind == GranteeKind::kUser && entry.grantor == grantee.id);
  });
}
bool names(const std::optional<Acl>& acl, const Grantee& grantee) { return acl && names(*acl, grantee); }

}  // namespace

bool Identities::has(const Grantee& grantee) const { return std::binary_search(all.begin(), all.end(), grantee); }

Identities identities(const Snapshot& snapshot, Oid user, std::span<const Oid> extra_groups) {
  Identities who;
  who.user = user;
  who.all.push_back(Grantee::everyone());
  const User* u = snapshot.user(user);
  if (!u) return who;
  who.superuser = u->superuser;
  who.all.push_back(Grantee::user(user));
  for (Oid group : u->groups) who.all.push_back(Grantee::group(group));
  for (Oid group : extra_groups)
    if (snapshot.group(group)) who.all.push_back(Grantee::group(group));
  for (Oid role : effective_roles(snapshot, user)) who.all.push_back(Grantee::role(role));
  std::sort(who.all.begin(), who.all.end());
  who.all.erase(std::unique(who.all.begin(), who.all.end()), who.all.end());
  return who;
}

std::vector<Oid> effective_roles(const Snapshot& snapshot, Oid user) {
  std::set<Oid> seen;
  if (auto* u = snapshot.user(user))
    for (auto& membership : u->roles) add_role(snapshot, membership.role, seen);
  return {seen.begin(), seen.end()};
}

std::vector<Oid> roles_within(const Snapshot& snapshot, Oid role) {
  std::set<Oid> seen;
  add_role(snapshot, role, seen);
  return {seen.begin(), seen.end()};
}

bool has_system_privilege(const Snapshot& snapshot, const Identities& who, std::string_view privilege) {
  if (who.superuser) return true;
  for (auto& grantee : who.all) {
    if (grantee.kind != GranteeKind::kRole) continue;
    const Role* role = snapshot.role(grantee.id);
    if (role &&
        std::find(role->system_privileges.begin(), role->system_privileges.end(), privilege) != role->system_privileges.end())
      return true;
  }
  return false;
}

Acl effective_acl(const Database& d) { return d.acl ? *d.acl : default_acl(AclTarget::kDatabase, d.owner); }
Acl effective_acl(const Schema& s) { return s.acl ? *s.acl : default_acl(AclTarget::kSchema, s.owner); }
Acl effective_acl(const Relation& r) { return r.acl ? *r.acl : default_acl(AclTarget::kRelation, r.owner); }
Acl effective_acl(const Procedure& p) { return p.acl ? *p.acl : default_acl(AclTarget::kProcedure, p.owner); }

namespace {
template <class T>
bool may_on(const Identities& who, Privileges privileges, const T& object) {
  return who.superuser || (privileges & ~held(who, effective_acl(object))) == 0;
}
}  // namespace

bool may(const Identities& who, Privileges privileges, const Database& database) { return may_on(who, privileges, database); }
bool may(const Identities& who, Privileges privileges, const Schema& schema) { return may_on(who, privileges, schema); }
bool may(const Identities& who, Privileges privileges, const Relation& relation) { return may_on(who, privileges, relation); }

bool may(const Identities& who, Privileges privileges, const Procedure& procedure) { return may_on(who, privileges, procedure); }

bool may_column(const Identities& who, Privileges privileges, const Column& column) {
  return who.superuser || (column.acl && (privileges & ~held(who, *column.acl)) == 0);
}

bool may_any(const Identities& who, Privileges privileges, const Relation& relation) {
  if (who.superuser || (held(who, effective_acl(relation)) & privileges)) return true;
  return std::any_of(relation.columns.begin(), relation.columns.end(),
                     [&](auto& c) { return !c.dropped && c.acl && (held(who, *c.acl) & privileges); });
}

GrantRight grant_right(const Identities& who, Oid owner, const Acl& acl, AclTarget target, Privileges privileges) {
  if (who.superuser || who.user == owner) return {privileges & all_privileges(target), owner};
  Privileges options = 0;
  for (auto& entry : acl)
    if (who.has(entry.grantee)) options |= entry.grantable;
  return {privileges & options, who.user};
}

bool may_assume_role(const Snapshot& snapshot, const Identities& who, std::string_view chain, AssumeCommands command) {
  if (who.superuser) return true;
  for (auto& grantee : who.all) {
    const AssumeRoleGrants* grants = snapshot.assume_role(grantee);
    if (!grants) continue;
    for (std::string_view name : {AssumeRoleGrants::kEvery, chain}) {
      auto found = grants->by_chain.find(std::string(name));
      if (found != grants->by_chain.end() && (found->second & command) == command) return true;
    }
  }
  return false;
}

bool is_security_admin(const Identities& who) {
  return who.superuser || who.has(Grantee::role(kSysSecadmin)) || who.has(Grantee::role(kSysSuperuser));
}

bool is_exempt_from_rls(const Snapshot& snapshot, const Identities& who) {
  return is_security_admin(who) || has_system_privilege(snapshot, who, "IGNORE RLS");
}

RowSecurity row_security(const Snapshot& snapshot, const Identities& who, const Relation& relation) {
  RowSecurity out;
  if (!relation.rls_on || is_exempt_from_rls(snapshot, who)) return out;
  out.filtered = true;
  out.any = relation.rls_conjunction_or;
  for (auto& attachment : relation.policies) {
    if (!who.has(attachment.grantee)) continue;
    const RlsPolicy* policy = snapshot.policy(attachment.policy);
    if (!policy) return {.filtered = true};  // never; without it, the others alone could show too much
    if (std::find(out.applied.begin(), out.applied.end(), policy) == out.applied.end()) out.applied.push_back(policy);
  }
  return out;
}

std::vector<const RlsPolicy*> policies_reading(const Snapshot& snapshot, const Relation& relation, int16_t attnum) {
  std::vector<const RlsPolicy*> out;
  for (auto* policy : snapshot.policies(relation.database))
    for (auto& [oid, columns] : policy->lookups)
      if (oid == relation.oid && (!attnum || std::find(columns.begin(), columns.end(), attnum) != columns.end()))
        out.push_back(policy);
  return out;
}

bool has_policies(const Snapshot& snapshot, const Grantee& grantee) {
  bool has = false;
  snapshot.for_each([&](auto&, const Object& object) {
    if (auto* r = std::get_if<Relation>(&object))
      has |= std::any_of(r->policies.begin(), r->policies.end(), [&](auto& a) { return a.grantee == grantee; });
  });
  return has;
}

bool owns_anything(const Snapshot& snapshot, Oid user) {
  bool owns = false;
  snapshot.for_each([&](auto&, const Object& object) {
    if (auto* d = std::get_if<Database>(&object)) owns |= d->owner == user;
    if (auto* s = std::get_if<Schema>(&object)) owns |= s->owner == user;
    if (auto* r = std::get_if<Relation>(&object)) owns |= r->owner == user;
    if (auto* r = std::get_if<Role>(&object)) owns |= r->owner == user;
    if (auto* p = std::get_if<Procedure>(&object)) owns |= p->owner == user;
  });
  return owns;
}

bool named_in_any_acl(const Snapshot& snapshot, const Grantee& grantee) {
  bool named = false;
  snapshot.for_each([&](auto&, const Object& object) {
    if (auto* d = std::get_if<Database>(&object)) named |= names(d->acl, grantee);
    if (auto* s = std::get_if<Schema>(&object)) named |= names(s->acl, grantee);
    if (auto* p = std::get_if<Procedure>(&object)) named |= names(p->acl, grantee);
    if (auto* r = std::get_if<Relation>(&object)) {
      named |= names(r->acl, grantee);
      for (auto& column : r->columns) named |= !column.dropped && names(column.acl, grantee);
    }
    if (auto* a = std::get_if<AssumeRoleGrants>(&object)) named |= a->grantee == grantee;
    if (auto* d = std::get_if<DefaultPrivileges>(&object))
      named |= names(d->acl, grantee) || (grantee.kind == GranteeKind::kUser && d->user == grantee.id);
  });
  return named;
}

}  // namespace redoubt::warehouse::catalog
