// Row security: which condition a relation's rows must satisfy for the session's user, put where the relation is read
// (first line of defence), and worked out a second time for the guard to compare with. Source: Database Developer Guide,
// "Row-level security", its considerations and dependencies.
#include <algorithm>

#include "warehouse/secure/analyzer.h"
#include "warehouse/sql/parser.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::secure {

using plan::ExprPtr;

namespace {

std::unexpected<Error> not_rewritten(std::string detail) {
  return fail(Error{&kNotSupported, "RLS policy could not be rewritten."}.with("DETAIL", std::move(detail)));
}

/// Does a query inside the expression read the leaf?
bool is_correlated(const ExprPtr& expr, int leaf) {
  bool found = false;
  auto look = [&](const ExprPtr& e) {
    walk(e, [&](const ExprPtr& node) {
      found |= node->kind == plan::ExprKind::kColumn && node->relation == leaf;
      return !found;
    });
  };
  walk(expr, [&](const ExprPtr& node) {
    if (node->query) walk_query(*node->query, look);
    return true;
  });
  return found;
}

const Column* column_named(const Relation& relation, std::string_view name) {
  for (auto& c : relation.columns)
    if (c.name == name) return &c;
  return nullptr;
}

}  // namespace

/// Identifiers that mean something else than they meant to the policy's author could change what it says.
Result<void> Analyzer::check_session_for_rls(const Relation& relation) const {
  if (relation.database != scope_.catalog.current_database())
    return fail(kNotSupported, "RLS-protected relation \"" + relation.name + "\" cannot be accessed via cross-database query.");
  for (auto* name : {"enable_case_sensitive_identifier", "enable_case_sensitive_super_attribute"})
    if (scope_.catalog.setting(name).value_or("off") == "on")
      return fail(kNotSupported,
                  "RLS protected relation does not support session level config on case sensitivity being different from its "
                  "default value.");
  if (scope_.catalog.setting("downcase_delimited_identifier").value_or("on") == "off")
    return fail(kNotSupported,
                "RLS protected relation does not support session level config on case sensitivity being different from its "
                "default value.");
  return {};
}

Result<void> Analyzer::secure_scan(const Relation& relation, plan::From& from) {
  if (!relation.protected_by_rls) return {};
  RowSecurity security = scope_.catalog.row_security(relation);
  if (!security.filtered) return {};
  TRY_VOID(check_session_for_rls(relation));
  from.secured_id = next_id_++;
  TRY(from.secured_by, row_condition(relation, security, from.secured_id));
  out_.touches_protected = true;
  return {};
}

Result<void> Analyzer::secure_target(const Relation& relation) {
  if (!relation.protected_by_rls) return {};
  RowSecurity security = scope_.catalog.row_security(relation);
  if (!security.filtered) return {};
  TRY_VOID(check_session_for_rls(relation));
  out_.target.secured_id = next_id_++;
  TRY(out_.target.secured_by, row_condition(relation, security, out_.target.secured_id));
  out_.touches_protected = true;
  return {};
}

/// Policies joined by the relation's conjunction type; without one, nothing satisfies it (default deny).
Result<ExprPtr> Analyzer::row_condition(const Relation& relation, const RowSecurity& security, int id) {
  std::vector<ExprPtr> conditions;
  for (auto& policy : security.policies) {
    TRY(ExprPtr condition, bind_policy(policy, relation, id));
    conditions.push_back(std::move(condition));
  }
  if (conditions.empty()) return make_boolean(false);
  return make_logical(!security.any, std::move(conditions));
}

/// The predicate with the relation's columns in place of the policy's. Nothing of the statement around reaches into it, and
/// it reads its columns whatever the user may read.
Result<ExprPtr> Analyzer::bind_policy(const Policy& policy, const Relation& relation, int id) {
  Level level;
  Range range;
  range.alias = policy.alias;
  for (auto& wanted : policy.columns) {
    const Column* c = column_named(relation, wanted.name);
    if (!c || c->type != wanted.type)
      return not_rewritten("relation \"" + relation.name + "\" has no column \"" + wanted.name + "\" of type " +
                           wanted.type.format() + ", which policy \"" + policy.name + "\" needs");
    VisibleColumn v;
    v.name = v.origin.name = c->name;
    v.origin.type = c->type;
    v.expr = make_column(id, c->attnum, c->type);
    range.columns.push_back(std::move(v));
  }
  level.columns = range.columns;
  level.ranges.push_back(std::move(range));
  level.leaves.insert(id);
  Context inner;
  inner.user = scope_.catalog.session_user();
  inner.pins = &policy.pins;
  inner.depth = context_.depth + 1;
  inner.policy = &policy;
  Restore<Context> context(context_, std::move(inner));
  Restore<Level*> scope(level_, &level);
  TRY(sql::ExprPtr ast, sql::parse_expression(policy.predicate, sql::ParseOptions::stored()));
  TRY(ExprPtr condition, bind_condition(*ast, Place::kWhere, "USING"));
  if (is_correlated(condition, id)) return not_rewritten("correlated subqueries are not supported in RLS policies");
  return condition;
}

/// A relation inside a policy: the policy's own grants count, nobody else's.
Result<Bound> Analyzer::bind_lookup(const Relation& relation, const sql::TableRef& ref, std::string_view name) {
  auto refuse = [&](const char* what) { return not_rewritten("relation \"" + relation.name + "\" is " + what); };
  if (relation.kind == RelationKind::kSystem) return refuse("a system relation");
  if (relation.kind != RelationKind::kTable) return refuse("a view");
  if (relation.temporary) return refuse("a temporary table");
  if (relation.database != scope_.catalog.current_database()) return refuse("in another database");
  if (relation.protected_by_rls) return refuse("protected by row-level security itself");
  auto& granted = context_.policy->granted;
  if (!context_.defining && std::find(granted.begin(), granted.end(), relation.oid) == granted.end()) return denied(relation);
  auto from = make_leaf(plan::FromKind::kScan);
  from->relation = relation.oid;
  from->physical = relation.physical;
  reads_.insert(relation.oid);
  lookups_.try_emplace(relation.oid);
  Scan scan;
  scan.relation = &relation;
  scan.whole = true;
  scan.from = from;
  scan.lookup = true;
  scans_[from->id] = std::move(scan);
  std::vector<VisibleColumn> columns;
  for (auto& c : relation.columns) {
    plan::Output o;
    o.name = c.name;
    o.type = c.type;
    columns.push_back({c.name, make_column(from->id, c.attnum, c.type), std::move(o)});
  }
  return leaf(from, std::move(columns), ref, ref.alias.empty() ? std::string(name) : ref.alias);
}

/// For the second line: every protected table that is read or written, its condition bound once more, and the columns that each
/// reader may see. What the plan did with them isn't looked at.
Result<void> Analyzer::authorise() {
  std::set<Oid> tables = reads_;
  tables.insert(writes_.begin(), writes_.end());
  for (Oid oid : tables) {
    const Relation* relation = scope_.catalog.relation_by_oid(oid);
    if (!relation || !relation->protected_by_rls) continue;
    RowSecurity security = scope_.catalog.row_security(*relation);
    if (!security.filtered) continue;
    plan::Authorised authorised;
    authorised.relation = oid;
    authorised.physical = relation->physical;
    authorised.id = next_id_++;
    TRY(authorised.condition, row_condition(*relation, security, authorised.id));
    std::set<std::pair<Oid, bool>> readers;
    for (auto& [id, scan] : scans_)
      if (scan.relation->oid == oid) readers.emplace(scan.user, scan.whole);
    for (auto& [user, whole] : readers) {
      authorised.columns.clear();
      for (auto& c : relation->columns)
        if (whole || scope_.catalog.may_column(user, Privilege::kSelect, *relation, c.attnum))
          authorised.columns.push_back(c.attnum);
      out_.authorised.push_back(authorised);
    }
    if (readers.empty()) {
      authorised.columns.clear();
      out_.authorised.push_back(authorised);
    }
  }
  for (auto& [oid, columns] : lookups_)
    if (!named_.contains(oid)) out_.policy_only.push_back(oid);
  return {};
}

Result<PolicyDefinition> Analyzer::define(const Policy& policy, const sql::Expr& predicate) {
  PolicyDefinition out;
  TRY(sql::ExprPtr ast, sql::parse_expression(sql::print(predicate), sql::ParseOptions::stored()));
  Level level;
  Range range;
  range.alias = policy.alias;
  int id = next_id_++;
  for (auto& c : policy.columns) {
    for (auto& other : range.columns)
      if (other.name == c.name) return fail(kDuplicateColumn, "column \"" + c.name + "\" specified more than once");
    VisibleColumn v;
    v.name = v.origin.name = c.name;
    v.origin.type = c.type;
    v.expr = make_column(id, int(range.columns.size() + 1), c.type);
    range.columns.push_back(std::move(v));
  }
  level.columns = range.columns;
  level.ranges.push_back(std::move(range));
  level.leaves.insert(id);
  context_.policy = &policy;
  context_.defining = true;
  Restore<Level*> scope(level_, &level);
  TRY(ExprPtr condition, bind_condition(*ast, Place::kWhere, "USING"));
  if (is_correlated(condition, id)) return not_rewritten("correlated subqueries are not supported in RLS policies");
  for (auto& edit : edits_) edit();
  out.predicate = sql::print(*ast);
  out.pins.assign(pins_.begin(), pins_.end());
  for (auto& [leaf_id, scan] : scans_)
    if (scan.lookup) lookups_[scan.relation->oid].insert(scan.used.begin(), scan.used.end());
  for (auto& [oid, columns] : lookups_) out.lookups.emplace_back(oid, std::vector<int16_t>(columns.begin(), columns.end()));
  return out;
}

Result<PolicyDefinition> define_policy(const Policy& policy, const sql::Expr& predicate, const Scope& scope) {
  return Analyzer(scope, {}).define(policy, predicate);
}

Result<void> check_policy(const Policy& policy, const Relation& relation, const Scope& scope) {
  return Analyzer(scope, {}).check(policy, relation);
}

Result<void> Analyzer::check(const Policy& policy, const Relation& relation) {
  Policy free = policy;
  for (auto& [name, oid] : policy.pins) free.granted.push_back(oid);  // what it reads may be granted later
  TRY_VOID(bind_policy(free, relation, next_id_++));
  return {};
}

}  // namespace redoubt::warehouse::secure
