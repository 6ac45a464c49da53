// Row-level security policies: CREATE, ALTER, DROP, ATTACH and DETACH RLS POLICY, GRANT SELECT .. TO RLS POLICY, ALTER TABLE ..
// ROW LEVEL SECURITY. Source: Database Developer Guide, "Row-level security", "RLS policy object dependencies".
#include "warehouse/session/policies.h"

#include <algorithm>

#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/resolve.h"

namespace redoubt::warehouse::session {

using catalog::PolicyAttachment;
using catalog::Relation;
using catalog::RelationKind;
using catalog::RlsPolicy;

namespace {

Result<void> must_be_security_admin(Work& work, std::string_view what) {
  if (catalog::is_security_admin(work.who())) return {};
  return fail(secure::kPermissionDenied,
              "permission denied: only superusers and users with role sys:secadmin can " + std::string(what));
}

/// Policies belong to a database, and are changed in it.
Result<catalog::Oid> policy_database(Work& work, const sql::ObjectName& name) {
  if (name.database.empty()) return work.facts->database;
  TRY(auto* database, find_database(work, name.database));
  if (database->oid != work.facts->database)
    return fail(secure::kNotSupported, "cross-database changes of RLS policy \"" + name.name + "\" are not supported");
  return database->oid;
}

Result<const RlsPolicy*> find_policy(Work& work, const sql::ObjectName& name) {
  TRY(auto database, policy_database(work, name));
  if (auto* policy = work.now().policy(database, name.name)) return policy;
  return fail(secure::kUndefinedObject, "RLS policy \"" + name.name + "\" does not exist");
}

/// The predicate as it will be kept; nothing that it reads may itself be filtered by a policy.
Result<void> define(Work& work, RlsPolicy& policy, const sql::Expr& predicate) {
  auto host = make_host_context(work.facts);
  TRY(auto defined, secure::define_policy(to_secure(policy), predicate, {work.view, host->host_functions()}));
  for (auto& [oid, columns] : defined.lookups)
    if (auto* lookup = work.now().relation(oid); lookup && !lookup->policies.empty())
      return fail(secure::kNotSupported,
                  "relation \"" + lookup->name + "\" can't be read by an RLS policy because it has one attached");
  policy.predicate = std::move(defined.predicate);
  policy.pins = std::move(defined.pins);
  policy.lookups = std::move(defined.lookups);
  std::erase_if(policy.granted, [&](auto oid) {
    return std::none_of(policy.lookups.begin(), policy.lookups.end(), [&](auto& l) { return l.first == oid; });
  });
  policy.modified_by = work.now().user_name(work.facts->current_user);
  policy.modified = work.facts->now;
  return {};
}

Result<void> fits(Work& work, const RlsPolicy& policy, const Relation& relation) {
  auto host = make_host_context(work.facts);
  auto* seen = work.view.relation_by_oid(relation.oid);
  if (!seen) return fail(secure::kUndefinedTable, "relation \"" + relation.name + "\" does not exist");
  return secure::check_policy(to_secure(policy), *seen, {work.view, host->host_functions()});
}

struct To {
  catalog::Grantee grantee;
  std::string name;
};

Result<std::vector<To>> find_grantees(Work& work, const std::vector<sql::Grantee>& list) {
  std::vector<To> out;
  for (auto& g : list) {
    using K = sql::Grantee::Kind;
    if (g.kind == K::kUser) {
      TRY(auto* user, find_user(work, g.name));
      out.push_back({catalog::Grantee::user(user->id), "user \"" + g.name + "\""});
    } else if (g.kind == K::kRole) {
      TRY(auto* role, find_role(work, g.name));
      out.push_back({catalog::Grantee::role(role->id), "role \"" + g.name + "\""});
    } else {
      out.push_back({catalog::Grantee::everyone(), "public"});
    }
  }
  return out;
}

Result<const Relation*> find_target(Work& work, const sql::ObjectName& name) {
  TRY(auto* relation, find_relation_to_secure(work, name));
  if (relation->database != work.facts->database)
    return fail(secure::kNotSupported, "RLS policies are not supported on relations of other databases");
  if (relation->kind != RelationKind::kTable)
    return fail(secure::kNotSupported, "RLS policies are not supported on view \"" + relation->name + "\"");
  if (relation->temporary)
    return fail(secure::kNotSupported, "RLS policies are not supported on temporary table \"" + relation->name + "\"");
  return relation;
}

Result<void> attach(Work& work, const RlsPolicy& policy, Relation& relation, const std::vector<To>& grantees) {
  if (auto readers = catalog::policies_reading(work.now(), relation); !readers.empty())
    return fail(secure::kNotSupported, "an RLS policy can't be attached to relation \"" + relation.name + "\" because policy \"" +
                                           readers[0]->name + "\" reads it");
  for (auto& wanted : policy.columns) {
    auto* column = relation.column(wanted.name);
    if (!column)
      return fail(secure::kUndefinedColumn,
                  "column \"" + wanted.name + "\" of relation \"" + relation.name + "\" does not exist");
    if (!(column->type == wanted.type))
      return fail(secure::kDatatypeMismatch, "column \"" + wanted.name + "\" of relation \"" + relation.name + "\" is of type " +
                                                 column->type.format() + " but RLS policy \"" + policy.name + "\" expects type " +
                                                 wanted.type.format());
  }
  TRY_VOID(fits(work, policy, relation));
  for (auto& other : relation.policies)
    if (auto* p = work.now().policy(other.policy); p && p->alias != policy.alias)
      return fail(secure::kNotSupported,
                  "all RLS policies attached to relation \"" + relation.name + "\" must use the alias \"" + p->alias + "\"");
  for (auto& to : grantees) {
    PolicyAttachment attachment{policy.oid, to.grantee, work.facts->current_user};
    for (auto& other : relation.policies)
      if (other.policy == policy.oid && other.grantee == to.grantee)
        return fail(catalog::kDuplicateObject, "RLS policy \"" + policy.name + "\" is already attached to relation \"" +
                                                   relation.name + "\" for " + to.name);
    relation.policies.push_back(attachment);
  }
  return {};
}

Result<void> detach(const RlsPolicy& policy, Relation& relation, const std::vector<To>& grantees) {
  for (auto& to : grantees)
    if (std::erase_if(relation.policies, [&](auto& a) { return a.policy == policy.oid && a.grantee == to.grantee; }) == 0)
      return fail(secure::kUndefinedObject,
                  "RLS policy \"" + policy.name + "\" is not attached to relation \"" + relation.name + "\" for " + to.name);
  return {};
}

}  // namespace

Result<const Relation*> find_relation_to_secure(Work& work, const sql::ObjectName& name) {
  if (!catalog::is_security_admin(work.who())) return find_relation(work, name);
  auto facts = std::make_shared<Facts>(*work.facts);
  facts->who.superuser = true;  // for the schema's USAGE alone
  TRY(Found found, resolve(*facts, work.now(), name));
  if (!found.relation)
    return fail(secure::kPermissionDenied, "permission denied: \"" + std::string(found.system->name) + "\" is a system catalog");
  return found.relation;
}

secure::Policy to_secure(const RlsPolicy& policy) {
  secure::Policy out;
  out.oid = policy.oid;
  out.name = policy.name;
  out.alias = policy.alias;
  for (auto& column : policy.columns) out.columns.push_back({column.name, column.type});
  out.predicate = policy.predicate;
  out.pins = policy.pins;
  out.granted = policy.granted;
  return out;
}

Result<Outcome> create_rls_policy(Work& work, const sql::CreateRlsPolicy& command) {
  TRY_VOID(must_be_security_admin(work, "create RLS policies"));
  TRY(auto database, policy_database(work, command.policy));
  TRY_VOID(check_new_name("RLS policy", command.policy.name));
  if (work.now().policy(database, command.policy.name)) {
    std::string text = "RLS policy \"" + command.policy.name + "\" already exists";
    if (!command.if_not_exists) return fail(catalog::kDuplicateObject, text);
    work.notice("INFO", text + " and will be skipped", "42710");
    return done("CREATE RLS POLICY");
  }
  RlsPolicy policy{.oid = 0, .database = database, .name = command.policy.name};
  if (!command.alias.empty()) policy.alias = command.alias;
  for (auto& column : command.columns) policy.columns.push_back({column.name.text, column.type});
  TRY_VOID(define(work, policy, *command.predicate));
  policy.oid = work.core.catalog.new_oid();
  work.changes.put(std::move(policy));
  return done("CREATE RLS POLICY");
}

Result<Outcome> alter_rls_policy(Work& work, const sql::AlterRlsPolicy& command) {
  TRY_VOID(must_be_security_admin(work, "alter RLS policies"));
  TRY(auto* found, find_policy(work, command.policy));
  LOCK_OR_WAIT(work, {object_lock(found->key())});
  TRY(found, find_policy(work, command.policy));
  RlsPolicy policy = *found;
  TRY_VOID(define(work, policy, *command.predicate));
  for (auto* relation : work.now().attached_to(policy.oid)) TRY_VOID(fits(work, policy, *relation));
  work.changes.put(std::move(policy));
  return done("ALTER RLS POLICY");
}

Result<Outcome> attach_rls_policy(Work& work, const sql::AttachRlsPolicy& command) {
  TRY_VOID(must_be_security_admin(work, command.detach ? "detach RLS policies" : "attach RLS policies"));
  TRY(auto* found, find_policy(work, command.policy));
  TRY(auto grantees, find_grantees(work, command.grantees));
  std::vector<LockKey> keys{object_lock(found->key())};
  for (auto& name : command.tables) {
    TRY(auto* relation, find_target(work, name));
    keys.push_back(object_lock(relation->key()));
  }
  LOCK_OR_WAIT(work, (keys));
  TRY(found, find_policy(work, command.policy));
  RlsPolicy policy = *found;
  for (auto& name : command.tables) {
    TRY(auto* target, find_target(work, name));
    Relation relation = *target;
    if (command.detach) {
      TRY_VOID(detach(policy, relation, grantees));
    } else {
      TRY_VOID(attach(work, policy, relation, grantees));
    }
    work.changes.put(std::move(relation));
  }
  return done(command.detach ? "DETACH RLS POLICY" : "ATTACH RLS POLICY");
}

Result<Outcome> drop_rls_policies(Work& work, const sql::Drop& command) {
  TRY_VOID(must_be_security_admin(work, "drop RLS policies"));
  for (auto& name : command.names) {
    auto found = find_policy(work, name);
    if (!found && command.if_exists && found.error().is(secure::kUndefinedObject)) {
      work.notice("INFO", "RLS policy \"" + name.name + "\" does not exist and will be skipped");
      continue;
    }
    if (!found) return fail(found.error());
    catalog::Oid oid = (*found)->oid;
    std::vector<LockKey> keys{object_lock((*found)->key())};
    for (auto* relation : work.now().attached_to(oid)) keys.push_back(object_lock(relation->key()));
    LOCK_OR_WAIT(work, (keys));
    auto attached = work.now().attached_to(oid);
    if (!attached.empty() && !command.cascade) {
      Error error{&kDependentObjects, "cannot drop RLS policy " + name.name + " because it is attached to some relation"};
      std::string detail;
      for (auto* relation : attached)
        detail +=
            (detail.empty() ? "" : "\n") + std::string("RLS policy ") + name.name + " is attached to relation " + relation->name;
      return fail(
          std::move(error).with("DETAIL", detail).with("HINT", "Use DROP RLS POLICY ... CASCADE to detach it everywhere."));
    }
    for (auto* relation : attached) {
      Relation changed = *relation;
      std::erase_if(changed.policies, [&](auto& a) { return a.policy == oid; });
      work.changes.put(std::move(changed));
    }
    work.changes.drop(RlsPolicy{.oid = oid}.key());
  }
  return done("DROP RLS POLICY");
}

Result<Outcome> grant_to_policies(Work& work, const sql::Grant& command) {
  if (command.policy_object != sql::ObjectKind::kRlsPolicy)
    return fail(secure::kNotSupported, "dynamic data masking is not supported");
  std::vector<LockKey> keys;
  for (auto& name : command.policies) {
    TRY(auto* policy, find_policy(work, name));
    keys.push_back(object_lock(policy->key()));
  }
  LOCK_OR_WAIT(work, (keys));
  for (auto& name : command.names) {
    TRY(auto* relation, find_table(work, name));
    auto right = catalog::grant_right(work.who(), relation->owner, catalog::effective_acl(*relation),
                                      catalog::AclTarget::kRelation, catalog::kSelect);
    if (!right.privileges) return fail(permission_denied("relation", relation->name));
    for (auto& policy_name : command.policies) {
      TRY(auto* found, find_policy(work, policy_name));
      RlsPolicy policy = *found;
      auto at = std::lower_bound(policy.granted.begin(), policy.granted.end(), relation->oid);
      bool held = at != policy.granted.end() && *at == relation->oid;
      if (command.revoke && held) policy.granted.erase(at);
      if (!command.revoke && !held) policy.granted.insert(at, relation->oid);
      work.changes.put(std::move(policy));
    }
  }
  return done(command.revoke ? "REVOKE" : "GRANT");
}

Result<void> set_row_security(Work& work, Relation& relation, const sql::AlterAction& action) {
  TRY_VOID(must_be_security_admin(work, "change row-level security of a relation"));
  if (action.for_datashares) return fail(secure::kNotSupported, "ROW LEVEL SECURITY .. FOR DATASHARES is not supported");
  if (relation.kind != RelationKind::kTable)
    return fail(secure::kNotSupported, "row-level security is not supported on view \"" + relation.name + "\"");
  if (relation.temporary)
    return fail(secure::kNotSupported, "row-level security is not supported on temporary table \"" + relation.name + "\"");
  if (action.on)
    if (auto readers = catalog::policies_reading(work.now(), relation); !readers.empty())
      return fail(secure::kNotSupported, "row-level security can't be on for relation \"" + relation.name +
                                             "\" because RLS policy \"" + readers[0]->name + "\" reads it");
  relation.rls_on = action.on;
  relation.rls_conjunction_or = action.on && action.conjunction_or.value_or(false);
  return {};
}

Result<void> check_no_policy_needs(Work& work, const Relation& relation, std::string_view what, int16_t attnum) {
  std::string policy;
  if (auto readers = catalog::policies_reading(work.now(), relation, attnum); !readers.empty()) policy = readers[0]->name;
  auto* column = attnum ? relation.column(attnum) : nullptr;
  if (column)
    for (auto& attachment : relation.policies)
      if (auto* p = work.now().policy(attachment.policy))
        for (auto& used : p->columns)
          if (used.name == column->name) policy = p->name;
  if (policy.empty()) return {};
  Error error{&kDependentObjects, "cannot " + std::string(what) + " because other objects depend on it"};
  return fail(std::move(error).with("DETAIL", "RLS policy " + policy + " depends on it"));
}

void detach_from(Work& work, const catalog::Grantee& grantee) {
  std::vector<Relation> changed;
  work.now().for_each([&](auto&, const catalog::Object& object) {
    auto* relation = std::get_if<Relation>(&object);
    if (!relation ||
        std::none_of(relation->policies.begin(), relation->policies.end(), [&](auto& a) { return a.grantee == grantee; }))
      return;
    changed.push_back(*relation);
    std::erase_if(changed.back().policies, [&](auto& a) { return a.grantee == grantee; });
  });
  for (auto& relation : changed) work.changes.put(std::move(relation));
}

}  // namespace redoubt::warehouse::session
