// SVV_RLS_*: policies, where they are attached, which relations are protected, and what they were applied to. Security
// administrators see them, everybody else what concerns no one else's data. Source: Database Developer Guide, SVV_RLS_POLICY,
// SVV_RLS_RELATION, SVV_RLS_ATTACHED_POLICY, SVV_RLS_APPLIED_POLICY.
#include "base/json.h"
#include "base/text.h"
#include "warehouse/system/declare.h"
#include "warehouse/system/log.h"

namespace redoubt::warehouse::system {

namespace {

Rows svv_rls_policy(const Source& s, const SystemRelation&) {
  Rows rows;
  if (!catalog::is_security_admin(s.who)) return rows;
  for (auto* p : s.snapshot->policies(s.database)) {
    Json columns = Json::array();
    for (auto& c : p->columns) columns.push(Json::object().set("colname", c.name).set("type", c.type.format()));
    rows.push_back({text(s.database_name), text(p->name), text(p->alias), text(columns.dump()), text(p->predicate), truth(true),
                    text(p->modified_by), stamp(p->modified)});
  }
  return rows;
}

Rows svv_rls_relation(const Source& s, const SystemRelation&) {
  Rows rows;
  if (!catalog::is_security_admin(s.who)) return rows;
  for (auto* r : known_relations(s)) {
    if (!r->rls_on && r->policies.empty()) continue;
    rows.push_back({text(s.database_name), text(schema_name(s, *r)), text(r->name),
                    text(r->kind == catalog::RelationKind::kTable ? "table" : "view"), truth(r->rls_on), truth(r->rls_on),
                    text(r->rls_conjunction_or ? "or" : "and"), text("and")});
  }
  return rows;
}

Rows svv_rls_attached_policy(const Source& s, const SystemRelation&) {
  Rows rows;
  if (!catalog::is_security_admin(s.who)) return rows;
  for (auto* r : known_relations(s))
    for (auto& a : r->policies) {
      auto* policy = s.snapshot->policy(a.policy);
      if (!policy) continue;
      const char* kind = a.grantee.kind == catalog::GranteeKind::kRole   ? "role"
                         : a.grantee.kind == catalog::GranteeKind::kUser ? "user"
                                                                         : "public";
      rows.push_back({text(schema_name(s, *r)), text(r->name), text(r->kind == catalog::RelationKind::kTable ? "table" : "view"),
                      text(policy->name), text(s.snapshot->user_name(a.grantor)), text(s.snapshot->grantee_name(a.grantee)),
                      text(kind), truth(true), truth(r->rls_on), text(r->rls_conjunction_or ? "or" : "and")});
    }
  return rows;
}

/// Superusers, sys:operator and others who hold ACCESS SYSTEM TABLE.
Rows svv_rls_applied_policy(const Source& s, const SystemRelation&) {
  Rows rows;
  if (!catalog::has_system_privilege(*s.snapshot, s.who, "ACCESS SYSTEM TABLE")) return rows;
  for (auto& logged : s.log->rows("_rls_applied_policy")) rows.emplace_back(logged.begin() + 1, logged.end());
  return rows;
}

}  // namespace

void declare_policies(Relations& out) {
  constexpr std::string_view pg = "pg_catalog";
  constexpr Declared view{.is_view = true};
  add(out, pg, "svv_rls_policy", 0,
      "poldb text, polname text, polalias text, polatts text, polqual text, polenabled bool, polmodifiedby text, polmodifiedtime "
      "timestamp",
      svv_rls_policy, view);
  add(out, pg, "svv_rls_relation", 0,
      "datname text, relschema text, relname text, relkind text, is_rls_on bool, is_rls_datashare_on bool, rls_conjunction_type "
      "bpchar(3), rls_datashare_conjunction_type bpchar(3)",
      svv_rls_relation, view);
  add(out, pg, "svv_rls_attached_policy", 0,
      "relschema text, relname text, relkind text, polname text, grantor text, grantee text, granteekind text, is_pol_on bool, "
      "is_rls_on bool, rls_conjunction_type bpchar(3)",
      svv_rls_attached_policy, view);
  add(out, pg, "svv_rls_applied_policy", 0,
      "username text, query int4, xid int8, pid int4, recordtime timestamp, command bpchar(1), datname text, relschema text, "
      "relname text, polname text, poldefault bpchar(1)",
      svv_rls_applied_policy, view);
}

}  // namespace redoubt::warehouse::system
