#include "warehouse/engine/duckdb/emit.h"

#include "base/text.h"
#include "warehouse/engine/duckdb/emit_internal.h"
#include "warehouse/secure/errors.h"

namespace redoubt::warehouse::engine {

namespace plan = secure::plan;
using plan::FromKind;
using sql::Type;
using TK = sql::TypeKind;

std::string literal(std::string_view text) { return "'" + replace_all(text, "'", "''") + "'"; }

std::string duckdb_type(const Type& t) {
  switch (t.kind) {
    case TK::kBoolean:
      return "BOOLEAN";
    case TK::kSmallint:
      return "SMALLINT";
    case TK::kInteger:
      return "INTEGER";
    case TK::kBigint:
      return "BIGINT";
    case TK::kDecimal:
      return "DECIMAL(" + std::to_string(t.precision == Type::kAny ? 38 : t.precision) + "," + std::to_string(t.scale) + ")";
    case TK::kReal:
      return "FLOAT";
    case TK::kDouble:
      return "DOUBLE";
    case TK::kDate:
      return "DATE";
    case TK::kTime:
      return "TIME";
    case TK::kTimeTz:
      return "TIMETZ";
    case TK::kTimestamp:
      return "TIMESTAMP";
    case TK::kTimestampTz:
      return "TIMESTAMPTZ";
    case TK::kInterval:
    case TK::kIntervalYearToMonth:
    case TK::kIntervalDayToSecond:
      return "INTERVAL";
    case TK::kVarbyte:
      return "BLOB";
    case TK::kOid:
    case TK::kXid:
    case TK::kTid:
    case TK::kCid:
    case TK::kRegproc:
    case TK::kRegprocedure:
    case TK::kRegoper:
    case TK::kRegoperator:
    case TK::kRegclass:
    case TK::kRegtype:
      return "BIGINT";
    case TK::kInt2Vector:
      return "SMALLINT[]";
    case TK::kOidVector:
      return "BIGINT[]";
    case TK::kArray:
      return duckdb_type(Type(t.element)) + "[]";
    default:
      return "VARCHAR";
  }
}

Result<Emitted> emit(const plan::Statement& statement, const EmitOptions& options) { return Emitter(options).run(statement); }

void Emitter::fail_with(const ErrorKind& kind, std::string message) {
  if (!error_) error_ = Error{&kind, std::move(message)};
}

Result<Emitted> Emitter::run(const plan::Statement& s) {
  target_relation_ = s.target.relation;
  target_physical_ = s.target.physical;
  if (s.touches_protected) count_cte_uses(s);
  switch (s.kind) {
    case plan::StatementKind::kSelect:
    case plan::StatementKind::kCreateTableAs:
      top_query(*s.query, s.columns);
      break;
    case plan::StatementKind::kInsert:
      insert(s);
      break;
    case plan::StatementKind::kUpdate:
      update(s);
      break;
    case plan::StatementKind::kDelete:
      remove(s);
      break;
    case plan::StatementKind::kMerge:
      merge(s);
      break;
    case plan::StatementKind::kCreateView:
      return fail(secure::kNotSupported, "a view's definition isn't executed");
  }
  if (error_) return std::unexpected(std::move(*error_));
  emitted_.sql = std::move(out_);
  return std::move(emitted_);
}

std::string Emitter::physical(std::string_view name) const {
  auto dot = name.find('.');
  CHECK(dot != std::string_view::npos && name.find('"') == std::string_view::npos);
  std::string out = options_.database.empty() ? "" : "\"" + options_.database + "\".";
  return out + "\"" + std::string(name.substr(0, dot)) + "\".\"" + std::string(name.substr(dot + 1)) + "\"";
}

void Emitter::column_list(int id, size_t count) {
  out_ += " AS r" + std::to_string(id) + "(";
  for (size_t i = 1; i <= count; i++) out_ += (i > 1 ? ",c" : "c") + std::to_string(i);
  out_ += ")";
}

// ---- Queries --------------------------------------------------------------------------------------------------------

/// The statement's result: every column has exactly its declared type, char(n) padded for the client.
void Emitter::top_query(const plan::Query& q, const std::vector<plan::Output>& columns) {
  if (q.kind == plan::Query::Kind::kSelect) {
    query(q, true);
    return;
  }
  bool padded = false;
  for (auto& c : columns) padded |= options_.pad_char_results && c.type.is(TK::kChar);
  if (!padded) {
    query(q);
    return;
  }
  plan::Query bare = q;
  bare.order_by.clear();
  bare.limit = bare.offset = nullptr;
  bare.ctes.clear();
  with(q.ctes);
  out_ += "SELECT ";
  for (size_t i = 1; i <= columns.size(); i++) {
    auto& type = columns[i - 1].type;
    std::string column = "r0.c" + std::to_string(i);
    if (i > 1) out_ += ", ";
    out_ += type.is(TK::kChar) ? "rpad(" + column + ", " + std::to_string(type.length) + ", ' ')" : column;
  }
  out_ += " FROM (";
  query(bare);
  out_ += ")";
  column_list(0, columns.size());
  order_and_limit(q);
}

void Emitter::with(const std::vector<plan::Cte>& ctes) {
  if (ctes.empty()) return;
  bool recursive = false;
  for (auto& c : ctes) recursive |= c.recursive;
  out_ += recursive ? "WITH RECURSIVE " : "WITH ";
  for (size_t i = 0; i < ctes.size(); i++) {
    out_ += (i ? ", q" : "q") + std::to_string(ctes[i].id) + "(";
    for (size_t c = 1; c <= ctes[i].query->outputs.size(); c++) out_ += (c > 1 ? ",c" : "c") + std::to_string(c);
    // A CTE that the engine copies loses the marks that keep functions above its filters (guard.h).
    auto uses = cte_uses_.find(ctes[i].id);
    out_ += uses != cte_uses_.end() && uses->second > 1 && !ctes[i].recursive ? ") AS MATERIALIZED (" : ") AS (";
    query(*ctes[i].query);
    out_ += ")";
  }
  out_ += " ";
}

void Emitter::query(const plan::Query& q, bool top) {
  if (error_) return;
  with(q.ctes);
  switch (q.kind) {
    case plan::Query::Kind::kSelect:
      select(q, top);
      break;
    case plan::Query::Kind::kValues:
      values(q);
      break;
    case plan::Query::Kind::kSetOp: {
      static constexpr const char* kNames[] = {" UNION ", " INTERSECT ", " EXCEPT "};
      out_ += "(";
      query(*q.left);
      out_ += ")";
      out_ += kNames[size_t(q.set_op)];
      if (q.all) out_ += "ALL ";
      out_ += "(";
      query(*q.right);
      out_ += ")";
    }
  }
  order_and_limit(q);
}

void Emitter::select(const plan::Query& q, bool top) {
  auto& s = q.select;
  out_ += s.distinct ? "SELECT DISTINCT " : "SELECT ";
  for (size_t i = 0; i < s.outputs.size(); i++) {
    if (i) out_ += ", ";
    auto& type = q.outputs[i].type;
    bool pad = top && options_.pad_char_results && type.is(TK::kChar) && type.length > 0;
    if (pad) out_ += "rpad(";
    if (top) out_ += "CAST(";
    expr(*s.outputs[i]);
    if (top) out_ += " AS " + duckdb_type(type) + ")";
    if (pad) out_ += ", " + std::to_string(type.length) + ", ' ')";
    out_ += " AS c" + std::to_string(i + 1);
  }
  if (s.from) {
    out_ += " FROM ";
    from(*s.from, false);
  }
  auto clause = [&](const char* name, const plan::ExprPtr& e) {
    if (!e) return;
    out_ += name;
    expr(*e);
  };
  clause(" WHERE ", s.where);
  auto key = [&](const plan::ExprPtr& e) {
    // A bare number would be a position.
    bool number = e->kind == plan::ExprKind::kConst;
    if (number) out_ += "CAST(";
    expr(*e);
    if (number) out_ += " AS " + duckdb_type(e->type) + ")";
  };
  if (!s.grouping_sets.empty()) {
    out_ += " GROUP BY GROUPING SETS (";
    for (size_t n = 0; n < s.grouping_sets.size(); n++) {
      out_ += n ? ", (" : "(";
      for (size_t i = 0; i < s.grouping_sets[n].size(); i++) {
        if (i) out_ += ", ";
        key(s.group_by[s.grouping_sets[n][i]]);
      }
      out_ += ")";
    }
    out_ += ")";
  } else {
    for (size_t i = 0; i < s.group_by.size(); i++) {
      out_ += i ? ", " : " GROUP BY ";
      key(s.group_by[i]);
    }
  }
  if (s.grouped && s.group_by.empty() && s.grouping_sets.empty() && !s.having) {
    bool any = false;
    for (auto& o : s.outputs) any |= o->has_aggregate;
    if (!any) out_ += " GROUP BY ()";
  }
  clause(" HAVING ", s.having);
  clause(" QUALIFY ", s.qualify);
}

void Emitter::values(const plan::Query& q) {
  out_ += "VALUES ";
  for (size_t r = 0; r < q.rows.size(); r++) {
    out_ += r ? ", (" : "(";
    for (size_t i = 0; i < q.rows[r].size(); i++) {
      if (i) out_ += ", ";
      // The first row settles the column's type for all: later constants can be short.
      const Expr& e = *q.rows[r][i];
      bool constant = e.kind == plan::ExprKind::kConst && r > 0;
      if (constant && !e.value) {
        out_ += "NULL";
      } else if (constant && (e.type.is(TK::kBigint) || e.type.is(TK::kDecimal))) {
        out_ += *e.value;
      } else if (constant && duckdb_type(e.type) == "VARCHAR" && valid_text(*e.value)) {
        out_ += literal(*e.value);
      } else {
        if (r == 0) out_ += "CAST(";
        expr(e);
        if (r == 0) out_ += " AS " + duckdb_type(q.outputs[i].type) + ")";
      }
    }
    out_ += ")";
  }
}

void Emitter::sort_keys(const std::vector<plan::SortKey>& keys) {
  for (size_t i = 0; i < keys.size(); i++) {
    if (i) out_ += ", ";
    if (!keys[i].expr) {
      out_ += std::to_string(keys[i].output);
    } else if (keys[i].expr->kind == plan::ExprKind::kConst) {
      out_ += "(";
      expr(*keys[i].expr);
      out_ += " IS NULL)";  // a constant sorts nothing, and a number would be a position
    } else {
      expr(*keys[i].expr);
    }
    out_ += keys[i].descending ? " DESC" : " ASC";
    out_ += keys[i].nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
}

void Emitter::order_and_limit(const plan::Query& q) {
  if (!q.order_by.empty()) {
    out_ += " ORDER BY ";
    sort_keys(q.order_by);
  }
  if (q.limit && !(q.limit->kind == plan::ExprKind::kConst && !q.limit->value)) {
    out_ += " LIMIT ";
    expr(*q.limit);
  }
  if (q.offset && !(q.offset->kind == plan::ExprKind::kConst && !q.offset->value)) {
    out_ += " OFFSET ";
    expr(*q.offset);
  }
}

// ---- FROM -----------------------------------------------------------------------------------------------------------

void Emitter::from(const plan::From& f, bool) {
  if (f.secured_by && f.kind != FromKind::kScan)
    return fail_with(secure::kNotSupported, "row-level security is only supported on tables");
  switch (f.kind) {
    case FromKind::kScan:
      if (f.secured_by) return secured_scan(f.physical, f.id, f.secured_id, *f.secured_by, f.columns, false);
      out_ += physical(f.physical) + " AS r" + std::to_string(f.id);
      return;
    case FromKind::kSystemScan:
      out_ += "redoubt_system(" + literal(f.system_relation) + ")";
      column_list(f.id, f.system_columns.size());
      return;
    case FromKind::kQuery:
      out_ += f.lateral ? "LATERAL (" : "(";
      query(*f.query);
      out_ += ")";
      column_list(f.id, f.query->outputs.size());
      return;
    case FromKind::kCte:
      out_ += "q" + std::to_string(f.cte) + " AS r" + std::to_string(f.id);
      return;
    case FromKind::kFunction:
      table_function(f);
      return;
    case FromKind::kJoin: {
      static constexpr const char* kNames[] = {" INNER JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ", " CROSS JOIN "};
      out_ += "(";
      from(*f.left, false);
      out_ += kNames[size_t(f.join)];
      from(*f.right, false);
      if (f.on) {
        out_ += " ON ";
        expr(*f.on);
      }
      out_ += ")";
    }
  }
}

void Emitter::table_function(const plan::From& f) {
  const Expr& call = *f.call;
  std::string type = duckdb_type(call.type);
  if (call.function == "generate_series") {
    bool constant = true;
    for (auto& a : call.args) constant &= a->kind == plan::ExprKind::kConst || a->kind == plan::ExprKind::kParameter;
    std::string args;
    for (auto& a : call.args) args += (args.empty() ? "" : ", ") + std::string("CAST(") + text_of(*a) + " AS BIGINT)";
    if (constant) {
      out_ += "(SELECT CAST(s.s AS " + type + ") FROM generate_series(" + args + ") AS s(s))";
    } else {
      out_ += "LATERAL (SELECT CAST(unnest(generate_series(" + args + ")) AS " + type + "))";
    }
  } else if (call.function == "unnest") {
    out_ += "LATERAL (SELECT unnest(" + text_of(*call.args[0]) + "))";
  } else if (call.function == "super_unnest") {
    out_ += "LATERAL (SELECT unnest(rs_super_items(" + text_of(*call.args[0]) + ")))";
  } else {
    out_ += "LATERAL (SELECT " + text_of(call) + ")";
  }
  column_list(f.id, 1);
}

// ---- Writing --------------------------------------------------------------------------------------------------------

/// A NOT NULL column refuses NULL in Redshift's words, not in the engine's.
void Emitter::assigned_value(const plan::Assignment& a) {
  bool constant = a.value->kind == plan::ExprKind::kConst && a.value->value;
  if (a.not_null && !constant) out_ += "rs_not_null(";
  expr(*a.value);
  if (a.not_null && !constant) out_ += ", " + literal(a.column_name) + ")";
}

void Emitter::assignments(const std::vector<plan::Assignment>& list) {
  for (size_t i = 0; i < list.size(); i++) {
    out_ += (i ? ", c" : "c") + std::to_string(list[i].attnum) + " = ";
    assigned_value(list[i]);
  }
}

void Emitter::insert(const plan::Statement& s) {
  out_ += "INSERT INTO ";
  out_ += physical(s.target.physical);
  out_ += " (";
  for (size_t i = 0; i < s.assignments.size(); i++) out_ += (i ? ",c" : "c") + std::to_string(s.assignments[i].attnum);
  out_ += ") SELECT ";
  for (size_t i = 0; i < s.assignments.size(); i++) {
    if (i) out_ += ", ";
    assigned_value(s.assignments[i]);
  }
  out_ += " FROM (";
  query(*s.query);
  out_ += ")";
  column_list(s.source_id, s.query->outputs.size());
}

void Emitter::update(const plan::Statement& s) {
  if (s.target.secured_by) return secured_update(s);
  if (s.query) with(s.query->ctes);
  out_ += "UPDATE ";
  out_ += physical(s.target.physical);
  out_ += " AS r" + std::to_string(s.target.id) + " SET ";
  assignments(s.assignments);
  if (s.from) {
    out_ += " FROM ";
    from(*s.from, false);
  }
  if (s.where) {
    out_ += " WHERE ";
    expr(*s.where);
  }
}

void Emitter::remove(const plan::Statement& s) {
  if (s.target.secured_by) return secured_remove(s);
  if (s.query) with(s.query->ctes);
  out_ += "DELETE FROM ";
  out_ += physical(s.target.physical);
  out_ += " AS r" + std::to_string(s.target.id);
  if (s.from) {
    out_ += " USING ";
    from(*s.from, false);
  }
  if (s.where) {
    out_ += " WHERE ";
    expr(*s.where);
  }
}

void Emitter::merge(const plan::Statement& s) {
  if (s.target.secured_by) return secured_merge(s);
  out_ += "MERGE INTO ";
  out_ += physical(s.target.physical);
  out_ += " AS r" + std::to_string(s.target.id) + " USING ";
  from(*s.from, false);
  out_ += " ON ";
  expr(*s.where);
  merge_actions(s);
}

void Emitter::merge_actions(const plan::Statement& s) {
  for (auto& a : s.actions) {
    out_ += a.matched ? " WHEN MATCHED THEN " : " WHEN NOT MATCHED THEN ";
    switch (a.kind) {
      case plan::MergeAction::Kind::kDelete:
        out_ += "DELETE";
        break;
      case plan::MergeAction::Kind::kUpdate:
        out_ += "UPDATE SET ";
        assignments(a.assignments);
        break;
      case plan::MergeAction::Kind::kInsert:
        out_ += "INSERT (";
        for (size_t i = 0; i < a.assignments.size(); i++) out_ += (i ? ",c" : "c") + std::to_string(a.assignments[i].attnum);
        out_ += ") VALUES (";
        for (size_t i = 0; i < a.assignments.size(); i++) {
          if (i) out_ += ", ";
          assigned_value(a.assignments[i]);
        }
        out_ += ")";
    }
  }
}

}  // namespace redoubt::warehouse::engine
