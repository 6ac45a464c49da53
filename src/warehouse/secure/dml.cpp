#include <algorithm>

#include "warehouse/secure/analyzer.h"
#include "warehouse/sql/parser.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::secure {

using plan::ExprPtr;
using sql::Type;
using TK = sql::TypeKind;

namespace {

const Column* column_named(const Relation& relation, std::string_view name) {
  for (auto& c : relation.columns)
    if (c.name == name) return &c;
  return nullptr;
}

}  // namespace

/// The target of UPDATE, DELETE and MERGE as a range: its columns can be read where SELECT allows it.
Result<Bound> Analyzer::bind_target(const Relation& relation, const std::string& alias) {
  out_.target.id = next_id_++;
  out_.target.relation = relation.oid;
  out_.target.physical = relation.physical;
  Scan scan;
  scan.relation = &relation;
  scan.user = context_.user;
  scan.whole = scope_.catalog.may(context_.user, Privilege::kSelect, relation);
  scans_[out_.target.id] = scan;
  reads_.insert(relation.oid);
  TRY_VOID(secure_target(relation));
  Bound bound;
  Range range;
  range.alias = alias.empty() ? relation.name : alias;
  if (alias.empty()) {
    range.schema = relation.schema;
    range.database = relation.database;
  }
  for (auto& c : relation.columns) {
    VisibleColumn v;
    v.name = v.origin.name = c.name;
    v.origin.type = c.type;
    v.expr = make_column(out_.target.id, c.attnum, c.type);
    range.columns.push_back(std::move(v));
  }
  bound.columns = range.columns;
  bound.ranges.push_back(std::move(range));
  return bound;
}

Result<ExprPtr> Analyzer::default_of(const Column& column) {
  if (column.identity) {
    plan::Expr e;
    e.kind = plan::ExprKind::kIdentity;
    e.type = column.type;
    e.column = column.attnum;
    return make(std::move(e));
  }
  if (!column.default_sql) return make_constant(column.type, std::nullopt);
  TRY(sql::ExprPtr ast, sql::parse_expression(*column.default_sql, sql::ParseOptions::stored()));
  Context inner;
  inner.user = context_.user;
  inner.depth = context_.depth + 1;
  Restore<Context> context(context_, std::move(inner));
  Level empty;
  Restore<Level*> level(level_, &empty);
  TRY(ExprPtr value, bind_in(Place::kDefault, *ast));
  return convert(std::move(value), column.type, Conversion::kAssignment);
}

Result<plan::Assignment> Analyzer::assign(const Column& column, ExprPtr value, sql::Position position) {
  plan::Assignment a;
  a.attnum = column.attnum;
  a.type = column.type;
  a.not_null = column.not_null;
  a.column_name = column.name;
  Type from = value->type;
  if (!from.is(TK::kUnknown) && !assignable(from, column.type)) {
    auto e = error(
        kDatatypeMismatch,
        "column \"" + column.name + "\" is of type " + column.type.base_name() + " but expression is of type " + from.base_name(),
        position);
    return std::unexpected(std::move(e).error().with("HINT", "You will need to rewrite or cast the expression."));
  }
  TRY(a.value, convert(std::move(value), column.type, Conversion::kAssignment, position));
  return a;
}

// ---- INSERT ---------------------------------------------------------------------------------------------------------

Result<std::vector<const Column*>> Analyzer::insert_columns(const Relation& relation, const std::vector<sql::Identifier>& names) {
  std::vector<const Column*> out;
  if (names.empty()) {
    for (auto& c : relation.columns)
      if (!c.identity) out.push_back(&c);
    return out;
  }
  for (auto& name : names) {
    const Column* c = column_named(relation, name.text);
    if (!c)
      return error(kUndefinedColumn, "column \"" + name.text + "\" of relation \"" + relation.name + "\" does not exist",
                   name.position);
    if (std::find(out.begin(), out.end(), c) != out.end())
      return error(kDuplicateColumn, "column \"" + name.text + "\" specified more than once", name.position);
    out.push_back(c);
  }
  return out;
}

/// One assignment per column of the table: those given, defaults for the rest.
Result<std::vector<plan::Assignment>> Analyzer::complete_row(const Relation& relation, const std::vector<const Column*>& columns,
                                                             const std::vector<ExprPtr>& values,
                                                             const std::vector<sql::Position>& at) {
  std::vector<plan::Assignment> out;
  for (auto& c : relation.columns) {
    ExprPtr value;
    sql::Position position = 0;
    for (size_t i = 0; i < values.size(); i++)
      if (columns[i] == &c) {
        value = values[i];
        position = i < at.size() ? at[i] : 0;
      }
    if (value && c.identity_always && value->kind != plan::ExprKind::kIdentity)
      return error(kNotSupported, "cannot set an identity column to a value", position);
    if (!value) {
      TRY(value, default_of(c));
    }
    TRY(plan::Assignment a, assign(c, std::move(value), position));
    out.push_back(std::move(a));
  }
  return out;
}

Result<void> Analyzer::bind_insert(const sql::Insert& insert) {
  out_.kind = plan::StatementKind::kInsert;
  TRY(const Relation* relation, find_target(insert.table, "insert into"));
  TRY_VOID(require(Privilege::kInsert, *relation));
  out_.target.relation = relation->oid;
  out_.target.physical = relation->physical;
  out_.source_id = next_id_++;
  TRY(auto columns, insert_columns(*relation, insert.columns));

  if (!insert.query) {  // DEFAULT VALUES
    auto one_row = std::make_shared<plan::Query>();
    one_row->select.outputs.push_back(make_constant(TK::kInteger, "1"));
    plan::Output o;
    o.name = "?column?";
    o.type = TK::kInteger;
    one_row->outputs.push_back(std::move(o));
    out_.query = one_row;
    TRY(out_.assignments, complete_row(*relation, {}, {}, {}));
    return {};
  }
  TRY_VOID(bind_insert_source(insert, columns));
  size_t width = out_.query->outputs.size();
  std::vector<ExprPtr> values;
  std::vector<const Column*> given(columns.begin(), columns.begin() + ptrdiff_t(std::min(width, columns.size())));
  for (size_t i = 0; i < width; i++) values.push_back(make_column(out_.source_id, int(i + 1), out_.query->outputs[i].type));
  bool values_list = out_.query->kind == plan::Query::Kind::kValues;
  if (!values_list)
    for (auto* c : given)
      if (c->identity_always) return error(kNotSupported, "cannot set an identity column to a value", insert.table.position);
  for (auto& c : relation->columns) {
    ExprPtr value;
    for (size_t i = 0; i < given.size(); i++)
      if (given[i] == &c) value = values[i];
    if (!value) {
      TRY(value, default_of(c));
    }
    TRY(plan::Assignment a, assign(c, std::move(value), insert.table.position));
    out_.assignments.push_back(std::move(a));
  }
  return {};
}

/// The rows to insert. Items of VALUES are converted to their columns at once, so that literals and parameters take the
/// column's type and DEFAULT can stand among them.
Result<void> Analyzer::bind_insert_source(const sql::Insert& insert, const std::vector<const Column*>& columns) {
  const sql::Query& q = *insert.query;
  auto check_width = [&](size_t width) -> Result<void> {
    if (width > columns.size())
      return error(kSyntaxError, "INSERT has more expressions than target columns", insert.table.position);
    if (width < columns.size() && !insert.columns.empty())
      return error(kSyntaxError, "INSERT has more target columns than expressions", insert.table.position);
    return {};
  };
  bool plain_values = q.kind == sql::Query::Kind::kValues && q.with.ctes.empty() && q.order_by.empty() && !q.limit && !q.offset;
  if (!plain_values) {
    TRY(out_.query, bind_query(q, nullptr));
    return check_width(out_.query->outputs.size());
  }
  auto out = std::make_shared<plan::Query>();
  out->kind = plan::Query::Kind::kValues;
  size_t width = q.rows[0].size();
  TRY_VOID(check_width(width));
  Level level;
  Restore<Level*> scope(level_, &level);
  for (auto& row : q.rows) {
    if (row.size() != width) return error(kSyntaxError, "VALUES lists must all be the same length", q.position);
    std::vector<ExprPtr> values;
    for (size_t i = 0; i < width; i++) {
      const Column& c = *columns[i];
      if (row[i]->kind == sql::ExprKind::kDefault) {
        TRY(ExprPtr value, default_of(c));
        values.push_back(std::move(value));
        continue;
      }
      if (c.identity_always) return error(kNotSupported, "cannot set an identity column to a value", row[i]->position);
      TRY(ExprPtr value, bind_in(Place::kValues, *row[i]));
      TRY(plan::Assignment a, assign(c, std::move(value), row[i]->position));
      values.push_back(std::move(a.value));
    }
    out->rows.push_back(std::move(values));
  }
  uint64_t weight = weight_of(*out);
  if (weight > 4000000) return fail(kTooComplex, "the statement is too complex");
  for (size_t i = 0; i < width; i++) {
    plan::Output o;
    o.name = columns[i]->name;
    o.type = columns[i]->type;
    out->outputs.push_back(std::move(o));
  }
  out_.query = out;
  return {};
}

// ---- UPDATE, DELETE -------------------------------------------------------------------------------------------------

Result<std::vector<plan::Assignment>> Analyzer::bind_assignments(const Relation& relation,
                                                                 const std::vector<sql::Assignment>& list) {
  std::vector<plan::Assignment> out;
  bool whole = scope_.catalog.may(context_.user, Privilege::kUpdate, relation);
  for (auto& item : list) {
    const Column* c = column_named(relation, item.column.text);
    if (!whole && (!c || !scope_.catalog.may_column(context_.user, Privilege::kUpdate, relation, c->attnum)))
      return denied(relation);
    if (!c)
      return error(kUndefinedColumn, "column \"" + item.column.text + "\" of relation \"" + relation.name + "\" does not exist",
                   item.column.position);
    for (auto& other : out)
      if (other.attnum == c->attnum)
        return error(kSyntaxError, "multiple assignments to same column \"" + c->name + "\"", item.column.position);
    if (c->identity) return error(kNotSupported, "cannot update an identity column", item.column.position);
    ExprPtr value;
    if (item.value->kind == sql::ExprKind::kDefault) {
      TRY(value, default_of(*c));
    } else {
      TRY(value, bind_in(Place::kSet, *item.value));
    }
    TRY(plan::Assignment a, assign(*c, std::move(value), item.value->position));
    out.push_back(std::move(a));
  }
  return out;
}

namespace {

/// A statement's own WITH travels in a query that holds nothing else.
plan::QueryPtr ctes_only(std::vector<plan::Cte> ctes) {
  if (ctes.empty()) return nullptr;
  auto q = std::make_shared<plan::Query>();
  q->ctes = std::move(ctes);
  return q;
}

}  // namespace

Result<void> Analyzer::bind_update(const sql::Update& update) {
  out_.kind = plan::StatementKind::kUpdate;
  std::vector<plan::Cte> ctes;
  TRY_VOID(bind_with(update.with, nullptr, ctes));
  TRY(const Relation* relation, find_target(update.table, "update"));
  bool any = scope_.catalog.may(context_.user, Privilege::kUpdate, *relation) ||
             std::any_of(relation->columns.begin(), relation->columns.end(), [&](auto& c) {
               return scope_.catalog.may_column(context_.user, Privilege::kUpdate, *relation, c.attnum);
             });
  if (!any) return denied(*relation);
  TRY(Bound target, bind_target(*relation, update.alias));
  Level level;
  level.ranges = target.ranges;
  level.columns = target.columns;
  level.leaves.insert(out_.target.id);
  TRY_VOID(bind_from_list(update.from, level, out_.from));
  Restore<Level*> scope(level_, &level);
  TRY(out_.assignments, bind_assignments(*relation, update.assignments));
  if (update.where) {
    TRY(out_.where, bind_condition(*update.where, Place::kWhere, "WHERE"));
  }
  out_.query = ctes_only(std::move(ctes));
  return {};
}

Result<void> Analyzer::bind_delete(const sql::Delete& del) {
  out_.kind = plan::StatementKind::kDelete;
  std::vector<plan::Cte> ctes;
  TRY_VOID(bind_with(del.with, nullptr, ctes));
  TRY(const Relation* relation, find_target(del.table, "delete from"));
  TRY_VOID(require(Privilege::kDelete, *relation));
  TRY(Bound target, bind_target(*relation, del.alias));
  Level level;
  level.ranges = target.ranges;
  level.columns = target.columns;
  level.leaves.insert(out_.target.id);
  TRY_VOID(bind_from_list(del.from, level, out_.from));
  Restore<Level*> scope(level_, &level);
  if (del.where) {
    TRY(out_.where, bind_condition(*del.where, Place::kWhere, "WHERE"));
  }
  out_.query = ctes_only(std::move(ctes));
  return {};
}

// ---- MERGE ----------------------------------------------------------------------------------------------------------

Result<void> Analyzer::bind_merge(const sql::Merge& merge) {
  out_.kind = plan::StatementKind::kMerge;
  if (merge.remove_duplicates) return error(kNotSupported, "MERGE with REMOVE DUPLICATES is not supported", merge.position);
  TRY(const Relation* relation, find_target(merge.table, "merge into"));
  for (auto& clause : merge.clauses) {
    using Action = sql::MergeClause::Action;
    if (clause.action == Action::kDelete) TRY_VOID(require(Privilege::kDelete, *relation));
    if (clause.action == Action::kInsert) TRY_VOID(require(Privilege::kInsert, *relation));
  }
  TRY(Bound target, bind_target(*relation, merge.alias));
  Level source_level;
  std::vector<sql::TableRefPtr> none;
  TRY(Bound source, bind_from(*merge.source, source_level));
  out_.from = source.from;
  source_level.ranges = source.ranges;
  source_level.columns = source.columns;
  source_level.leaves.insert(source.from->id);
  Level both = source_level;
  both.ranges.insert(both.ranges.begin(), target.ranges.begin(), target.ranges.end());
  both.columns.insert(both.columns.begin(), target.columns.begin(), target.columns.end());
  both.leaves.insert(out_.target.id);
  {
    Restore<Level*> scope(level_, &both);
    TRY(out_.where, bind_condition(*merge.on, Place::kOn, "MERGE ON"));
  }
  for (auto& clause : merge.clauses) {
    plan::MergeAction action;
    action.matched = clause.matched;
    switch (clause.action) {
      case sql::MergeClause::Action::kDelete:
        action.kind = plan::MergeAction::Kind::kDelete;
        break;
      case sql::MergeClause::Action::kUpdate: {
        action.kind = plan::MergeAction::Kind::kUpdate;
        Restore<Level*> scope(level_, &both);
        TRY(action.assignments, bind_assignments(*relation, clause.assignments));
        break;
      }
      case sql::MergeClause::Action::kInsert: {
        action.kind = plan::MergeAction::Kind::kInsert;
        Restore<Level*> scope(level_, &source_level);
        TRY(auto columns, insert_columns(*relation, clause.columns));
        if (clause.values.size() > columns.size())
          return error(kSyntaxError, "INSERT has more expressions than target columns", clause.position);
        if (clause.values.size() < columns.size() && !clause.columns.empty())
          return error(kSyntaxError, "INSERT has more target columns than expressions", clause.position);
        std::vector<ExprPtr> values;
        std::vector<sql::Position> at;
        for (size_t i = 0; i < clause.values.size(); i++) {
          ExprPtr value;
          if (clause.values[i]->kind == sql::ExprKind::kDefault) {
            TRY(value, default_of(*columns[i]));
          } else {
            TRY(value, bind_in(Place::kValues, *clause.values[i]));
          }
          values.push_back(std::move(value));
          at.push_back(clause.values[i]->position);
        }
        TRY(action.assignments, complete_row(*relation, columns, values, at));
        break;
      }
    }
    out_.actions.push_back(std::move(action));
  }
  return {};
}

// ---- CREATE TABLE AS, CREATE VIEW -----------------------------------------------------------------------------------

namespace {

Result<void> rename_outputs(std::vector<plan::Output>& columns, const std::vector<sql::Identifier>& names, const char* what) {
  if (names.size() > columns.size()) return fail(kSyntaxError, std::string(what) + " specifies too many column names");
  for (size_t i = 0; i < names.size(); i++) columns[i].name = names[i].text;
  std::set<std::string> seen;
  for (auto& c : columns)
    if (!seen.insert(c.name).second) return fail(kDuplicateColumn, "column \"" + c.name + "\" duplicated");
  return {};
}

}  // namespace

Result<void> Analyzer::bind_create_table_as(const sql::CreateTableAs& create) {
  out_.kind = plan::StatementKind::kCreateTableAs;
  TRY(out_.query, bind_query(*create.query, nullptr));
  std::vector<Type> types;
  for (auto& o : out_.query->outputs) types.push_back(storable(o.type));
  TRY(out_.query, coerce_query(out_.query, types));
  out_.columns = out_.query->outputs;
  return rename_outputs(out_.columns, create.columns, "CREATE TABLE AS");
}

Result<void> Analyzer::bind_create_view(const sql::CreateView& create) {
  out_.kind = plan::StatementKind::kCreateView;
  if (create.materialized) return error(kNotSupported, "CREATE MATERIALIZED VIEW is not supported", create.position);
  if (create.no_schema_binding) {
    // Late binding: nothing is looked up now, not even whether it exists. Names must say their schema.
    out_.definition.clear();
    return {};
  }
  TRY(sql::QueryPtr ast, sql::parse_query(sql::print(*create.query), sql::ParseOptions::stored()));
  context_.defining = true;
  TRY(out_.query, bind_query(*ast, nullptr));
  context_.defining = false;
  for (auto& edit : edits_) edit();
  out_.definition = sql::print(*ast);
  out_.pins.assign(pins_.begin(), pins_.end());
  out_.columns = out_.query->outputs;
  return rename_outputs(out_.columns, create.columns, "CREATE VIEW");
}

}  // namespace redoubt::warehouse::secure
