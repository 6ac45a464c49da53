// Protected tables: the shapes that guard.h expects. A protected table is read as `(SELECT columns FROM t WHERE policy) x`, and
// written by the rowids that such a subquery gives, so that no expression of the user stands beside the policy.
#include "warehouse/engine/duckdb/emit_internal.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/nodes.h"

namespace redoubt::warehouse::engine {

namespace plan = secure::plan;

void Emitter::secured_scan(const std::string& physical_name, int id, int secured_id, const Expr& condition,
                           const std::vector<plan::ScanColumn>& columns, bool with_rowid) {
  std::string inner = "r" + std::to_string(secured_id);
  out_ += "(SELECT ";
  bool first = true;
  auto column = [&](const std::string& name, const std::string& as) {
    out_ += (first ? "" : ", ") + inner + "." + name + " AS " + as;
    first = false;
  };
  if (with_rowid || columns.empty()) column("rowid", "rid");
  for (auto& c : columns) column("c" + std::to_string(c.attnum), "c" + std::to_string(c.attnum));
  out_ += " FROM " + physical(physical_name) + " AS " + inner + " WHERE ";
  expr(condition);
  out_ += ") AS r" + std::to_string(id);
}

void Emitter::secured_target(const plan::Target& t) {
  secured_scan(t.physical, t.id, t.secured_id, *t.secured_by, t.readable, true);
}

/// UPDATE t SET c = n.v FROM (SELECT rowid, values FROM secured t, .. WHERE ..) n WHERE t.rowid = n.k
void Emitter::secured_update(const plan::Statement& s) {
  if (s.query) with(s.query->ctes);
  out_ += "UPDATE " + physical(s.target.physical) + " AS r0 SET ";
  for (size_t i = 0; i < s.assignments.size(); i++)
    out_ += (i ? ", c" : "c") + std::to_string(s.assignments[i].attnum) + " = rn.v" + std::to_string(i + 1);
  out_ += " FROM (SELECT r" + std::to_string(s.target.id) + ".rid AS k";
  for (size_t i = 0; i < s.assignments.size(); i++) {
    out_ += ", CAST(";
    assigned_value(s.assignments[i]);
    out_ += " AS " + duckdb_type(s.assignments[i].type) + ") AS v" + std::to_string(i + 1);
  }
  out_ += " FROM ";
  secured_rows(s);
  out_ += ") AS rn WHERE r0.rowid = rn.k";
}

/// The rows that the statement is about: its target's that the policy shows, joined and filtered as it says.
void Emitter::secured_rows(const plan::Statement& s) {
  secured_target(s.target);
  if (s.from) {
    out_ += ", ";
    from(*s.from, false);
  }
  if (s.where) {
    out_ += " WHERE ";
    expr(*s.where);
  }
}

void Emitter::secured_remove(const plan::Statement& s) {
  if (s.query) with(s.query->ctes);
  out_ += "DELETE FROM " + physical(s.target.physical) + " AS r0 WHERE r0.rowid IN (SELECT r" + std::to_string(s.target.id) +
          ".rid FROM ";
  secured_rows(s);
  out_ += ")";
}

/// MERGE INTO t USING (SELECT rowid, columns FROM source LEFT JOIN secured t ON ..) n ON t.rowid = n.k: to the statement, rows
/// that the policy hides aren't there, so a source row that would match one is NOT MATCHED.
void Emitter::secured_merge(const plan::Statement& s) {
  std::vector<std::pair<std::pair<int, int>, std::string>> columns;
  bool has_query = false;
  auto gather = [&](const plan::ExprPtr& value) {
    secure::walk(value, [&](const plan::ExprPtr& e) {
      has_query |= e->query != nullptr;
      std::pair key{e->relation, e->column};
      if (e->kind != plan::ExprKind::kColumn || renamed_.contains(key)) return true;
      std::string text = text_of(*e);
      renamed_[key] = "rn.x" + std::to_string(columns.size() + 1);
      columns.emplace_back(key, std::move(text));
      return true;
    });
  };
  for (auto& action : s.actions)
    for (auto& a : action.assignments) gather(a.value);
  if (has_query)
    return fail_with(secure::kNotSupported, "MERGE with a subquery in its actions is not supported on an RLS-protected relation");
  auto renamed = std::exchange(renamed_, {});
  out_ += "MERGE INTO " + physical(s.target.physical) + " AS r0 USING (SELECT r" + std::to_string(s.target.id) + ".rid AS k";
  for (size_t i = 0; i < columns.size(); i++) out_ += ", " + columns[i].second + " AS x" + std::to_string(i + 1);
  out_ += " FROM ";
  from(*s.from, false);
  out_ += " LEFT JOIN ";
  secured_target(s.target);
  out_ += " ON ";
  expr(*s.where);
  out_ += ") AS rn ON r0.rowid = rn.k";
  renamed_ = std::move(renamed);
  merge_actions(s);
  renamed_.clear();
}

Result<std::string> Emitter::authorised(const plan::Authorised& a) {
  secured_scan(a.physical, a.id + 1, a.id, *a.condition, {}, true);
  if (error_) return std::unexpected(std::move(*error_));
  if (!emitted_.parameters.empty()) return fail(secure::kNotSupported, "RLS policy could not be rewritten.");
  return "SELECT r" + std::to_string(a.id + 1) + ".rid FROM " + out_;
}

Result<std::string> emit_authorised(const plan::Authorised& authorised, const EmitOptions& options) {
  return Emitter(options).authorised(authorised);
}

namespace {

void count_in(const plan::Query& query, std::map<int, int>& uses);

void count_in(const plan::ExprPtr& expr, std::map<int, int>& uses) {
  secure::walk(expr, [&](const plan::ExprPtr& e) {
    if (e->query) count_in(*e->query, uses);
    return e->has_query;
  });
}

void count_in(const plan::From& from, std::map<int, int>& uses) {
  count_in(from.on, uses);
  count_in(from.call, uses);
  if (from.kind == plan::FromKind::kCte) uses[from.cte]++;
  if (from.query) count_in(*from.query, uses);
  if (from.left) count_in(*from.left, uses);
  if (from.right) count_in(*from.right, uses);
}

void count_in(const plan::Query& q, std::map<int, int>& uses) {
  for (auto& cte : q.ctes) count_in(*cte.query, uses);
  auto& s = q.select;
  for (auto* list : {&s.outputs, &s.group_by})
    for (auto& e : *list) count_in(e, uses);
  for (auto* e : {&s.where, &s.having, &s.qualify, &q.limit, &q.offset}) count_in(*e, uses);
  if (s.from) count_in(*s.from, uses);
  for (auto& key : q.order_by) count_in(key.expr, uses);
  for (auto& row : q.rows)
    for (auto& e : row) count_in(e, uses);
  if (q.left) count_in(*q.left, uses);
  if (q.right) count_in(*q.right, uses);
}

}  // namespace

void Emitter::count_cte_uses(const plan::Statement& s) {
  if (s.query) count_in(*s.query, cte_uses_);
  if (s.from) count_in(*s.from, cte_uses_);
  count_in(s.where, cte_uses_);
  for (auto& a : s.assignments) count_in(a.value, cte_uses_);
  for (auto& action : s.actions)
    for (auto& a : action.assignments) count_in(a.value, cte_uses_);
}

}  // namespace redoubt::warehouse::engine
