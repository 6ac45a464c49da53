#include <algorithm>

#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/plan_log.h"
#include "warehouse/session/resolve.h"
#include "warehouse/session/table_shape.h"
#include "warehouse/session/unqualified.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::session {

using catalog::Column;
using catalog::Relation;
using catalog::RelationKind;

namespace {

/// True: it exists and IF NOT EXISTS says to leave it.
Result<bool> already_there(Work& work, const catalog::Schema& schema, const std::string& name, bool if_not_exists,
                           std::string_view what = "Relation") {
  if (!work.now().relation(schema.oid, name)) return false;
  std::string text = std::string(what) + " \"" + name + "\" already exists";
  if (!if_not_exists) return fail(catalog::kDuplicateTable, text);
  work.notice("INFO", text + " and will be skipped", "42P07");
  return true;
}

Relation blank(Work& work, const catalog::Schema& schema, const std::string& name, bool temporary) {
  Relation relation{.oid = work.core.catalog.new_oid(), .schema = schema.oid, .database = schema.database, .name = name};
  relation.owner = work.facts->current_user;
  relation.storage = relation.oid;
  relation.temporary = temporary || is_temp_schema(schema.name);
  relation.created = work.facts->now;
  if (!relation.temporary) relation.acl = initial_acl(work, schema.oid);
  return relation;
}

Result<void> check_columns(const Relation& relation) {
  if (relation.columns.size() > 1600) return fail(secure::kTooComplex, "tables can have at most 1600 columns");
  for (size_t i = 0; i < relation.columns.size(); i++)
    for (size_t j = 0; j < i; j++)
      if (relation.columns[i].name == relation.columns[j].name)
        return fail(secure::kDuplicateColumn, "column \"" + relation.columns[i].name + "\" specified more than once");
  return {};
}

/// LIKE takes names, types, NOT NULL, encodings, distribution and sort key; defaults if it says so. Never grants.
Result<void> copy_shape(Work& work, const sql::LikeClause& like, Relation& relation) {
  TRY(Found found, resolve(*work.facts, work.now(), like.table));
  if (!found.relation) return fail(secure::kNotSupported, "LIKE of a system relation is not supported");
  if (!catalog::may(work.who(), catalog::kSelect, *found.relation))
    return fail(permission_denied("relation", found.relation->name));
  for (auto& source : found.relation->columns) {
    if (source.dropped) continue;
    Column column = source;
    column.attnum = int16_t(relation.columns.size() + 1);
    column.acl.reset();
    column.comment.clear();
    if (!like.including_defaults) column.default_sql.reset();
    column.identity = column.identity_always = false;
    if (column.encoding.empty()) column.encoding = default_encoding(column.type);
    relation.columns.push_back(std::move(column));
  }
  relation.dist_style = found.relation->dist_style;
  relation.sort_style = found.relation->sort_style;
  return {};
}

Result<void> make_in_engine(Work& work, const Relation& relation) {
  TRY(auto* engine, work.engine());
  TRY_VOID(engine->create_schema(relation.database));
  TRY_VOID(engine->create_table(physical_of(relation), physical_columns(relation)));
  for (auto& column : relation.columns)
    if (column.identity)
      TRY_VOID(engine->create_identity(physical_of(relation), column.attnum, column.identity_seed, column.identity_step));
  return {};
}

void log_ddl(Work& work) {
  auto number = [](auto n) { return engine::Datum(std::to_string(n)); };
  work.session.log_on_commit("stl_ddltext",
                             {number(work.facts->current_user), number(work.session.transaction_id()), number(work.facts->pid),
                              work.facts->values.get("query_group").value_or(""), sql_timestamp(work.facts->now),
                              sql_timestamp(work.core.now()), number(0), sql::redacted_text(work.statement).substr(0, 200)});
}

}  // namespace

Result<Outcome> create_table(Work& work, const sql::CreateTable& command) {
  TRY(auto* schema, creation_schema(work, command.table, command.temporary, "CREATE TABLE"));
  TRY(bool there, already_there(work, *schema, command.table.name, command.if_not_exists));
  if (there) return done("CREATE TABLE");
  Relation relation = blank(work, *schema, command.table.name, command.temporary);
  std::vector<sql::TableConstraint> constraints;
  size_t next_like = 0;
  std::vector<std::string> column_sort;
  for (size_t i = 0; i <= command.columns.size(); i++) {
    while (next_like < command.likes.size() && command.like_before[next_like] == i)
      TRY_VOID(copy_shape(work, command.likes[next_like++], relation));
    if (i == command.columns.size()) break;
    const auto& definition = command.columns[i];
    TRY(Column column, make_column(work, definition, int16_t(relation.columns.size() + 1)));
    column.distkey = definition.distkey;
    if (definition.sortkey) column_sort.push_back(column.name);
    using K = sql::TableConstraint::Kind;
    sql::TableConstraint constraint;
    constraint.columns = {definition.name};
    if (definition.primary_key) constraint.kind = K::kPrimaryKey, constraints.push_back(constraint);
    if (definition.unique) constraint.kind = K::kUnique, constraints.push_back(constraint);
    if (definition.references)
      constraint.kind = K::kForeignKey, constraint.references = *definition.references, constraints.push_back(constraint);
    relation.columns.push_back(std::move(column));
  }
  TRY_VOID(check_columns(relation));
  if (std::count_if(relation.columns.begin(), relation.columns.end(), [](auto& c) { return c.distkey; }) > 1)
    return fail(kInvalidTableDefinition, "only one DISTKEY column is allowed");
  if (command.likes.empty() || command.attributes.dist_style || command.attributes.dist_key)
    TRY_VOID(apply_attributes(relation, command.attributes));
  else if (command.attributes.sort_style || command.attributes.backup)
    TRY_VOID(apply_attributes(relation, command.attributes));
  if (!column_sort.empty()) {
    if (column_sort.size() > 1 || !command.attributes.sort_key.empty())
      return fail(kInvalidTableDefinition, "only one column can be a SORTKEY by itself; use SORTKEY (a, b)");
    TRY_VOID(set_sort_key(relation, catalog::SortStyle::kCompound, {{column_sort[0], 0}}));
  }
  for (auto& constraint : constraints) TRY_VOID(add_constraint(work, relation, constraint));
  for (auto& constraint : command.constraints) TRY_VOID(add_constraint(work, relation, constraint));
  TRY_VOID(make_in_engine(work, relation));
  work.changes.put(std::move(relation));
  log_ddl(work);
  return done("CREATE TABLE");
}

Result<Outcome> create_table_as(Work& work, const sql::CreateTableAs& command) {
  TRY(auto* schema, creation_schema(work, command.table, command.temporary, "CREATE TABLE"));
  TRY(bool there, already_there(work, *schema, command.table.name, command.if_not_exists));
  if (there) return done("SELECT");
  auto host = make_host_context(work.facts);
  TRY(auto plan, secure::analyze(command, {work.view, host->host_functions()}, work.declared));
  if (work.parameters.size() < plan.parameters.size())
    return fail(kProtocolViolation, "bind message supplies too few parameters");
  Relation relation = blank(work, *schema, command.table.name, command.temporary);
  for (auto& output : plan.columns) {
    Column column{.name = output.name, .type = output.type, .attnum = int16_t(relation.columns.size() + 1)};
    column.encoding = default_encoding(column.type);
    relation.columns.push_back(std::move(column));
  }
  TRY_VOID(check_columns(relation));
  TRY_VOID(apply_attributes(relation, command.attributes));
  TRY_VOID(make_in_engine(work, relation));
  TRY(auto* engine, work.engine());
  log_plan(work, plan, 'k');
  TRY(int64_t rows, engine->create_table_as(plan, physical_of(relation), work.parameters, host));
  if (auto keys = sort_attnums(relation); !keys.empty()) TRY_VOID(engine->sort(physical_of(relation), keys));
  work.changes.put(std::move(relation));
  log_ddl(work);
  Outcome outcome = done("SELECT");
  outcome.rows = rows;
  return outcome;
}

// ---------------------------------------------------------------------------------------------------- views

namespace {

Result<void> check_replaceable(Work& work, const Relation& old, const Relation& next) {
  if (old.kind == RelationKind::kTable) return fail(secure::kWrongObjectType, "\"" + old.name + "\" is not a view");
  if (!catalog::owns(work.who(), old)) return fail(must_be_owner("relation", old.name));
  if (old.kind == RelationKind::kLateBindingView || next.kind == RelationKind::kLateBindingView) return {};
  if (next.columns.size() < old.columns.size()) return fail(kInvalidTableDefinition, "cannot drop columns from view");
  for (size_t i = 0; i < old.columns.size(); i++) {
    if (old.columns[i].name != next.columns[i].name)
      return fail(kInvalidTableDefinition, "cannot change name of view column \"" + old.columns[i].name + "\"");
    if (!(old.columns[i].type == next.columns[i].type))
      return fail(kInvalidTableDefinition, "cannot change data type of view column \"" + old.columns[i].name + "\"");
  }
  return {};
}

}  // namespace

Result<Outcome> create_view(Work& work, const sql::CreateView& command) {
  if (command.materialized) return fail(secure::kNotSupported, "CREATE MATERIALIZED VIEW is not supported");
  TRY(auto* schema, creation_schema(work, command.view, false, "CREATE OR REPLACE VIEW"));
  auto* old = work.now().relation(schema->oid, command.view.name);
  if (!old || !command.or_replace) {
    TRY(bool there, already_there(work, *schema, command.view.name, command.if_not_exists));
    if (there) return done("CREATE VIEW");
  }
  Relation view = blank(work, *schema, command.view.name, false);
  view.kind = command.no_schema_binding ? RelationKind::kLateBindingView : RelationKind::kView;
  if (command.no_schema_binding) {
    if (std::string bare = first_unqualified(*command.query); !bare.empty())
      return fail(kInvalidTableDefinition,
                  "All the relation names inside should be qualified when creating VIEW WITH NO SCHEMA BINDING.");
    if (!command.columns.empty()) return fail(secure::kNotSupported, "column names of a late-binding view are not supported");
    view.view_sql = sql::print(*command.query);
  } else {
    auto host = make_host_context(work.facts);
    TRY(auto plan, secure::analyze(command, {work.view, host->host_functions()}));
    view.view_sql = plan.definition;
    view.pins = plan.pins;
    for (auto& [name, oid] : plan.pins)
      if (work.now().relation(oid) && std::find(view.depends_on.begin(), view.depends_on.end(), oid) == view.depends_on.end()) {
        if (work.now().relation(oid)->temporary && !view.temporary)
          return fail(secure::kNotSupported, "a view on a temporary table is not supported");
        view.depends_on.push_back(oid);
      }
    for (auto& output : plan.columns) {
      Column column{.name = output.name, .type = output.type, .attnum = int16_t(view.columns.size() + 1)};
      view.columns.push_back(std::move(column));
    }
    TRY_VOID(check_columns(view));
  }
  if (old) {
    LOCK_OR_WAIT(work, {object_lock(old->key())});
    old = work.now().relation(schema->oid, command.view.name);
  }
  if (old) {
    TRY_VOID(check_replaceable(work, *old, view));
    view.oid = old->oid;
    view.storage = old->storage;
    view.owner = old->owner;
    view.acl = old->acl;
    view.comment = old->comment;
    for (size_t i = 0; i < std::min(view.columns.size(), old->columns.size()); i++) view.columns[i].acl = old->columns[i].acl;
    std::vector<catalog::Oid> reached{view.depends_on};
    for (size_t i = 0; i < reached.size(); i++) {
      if (reached[i] == view.oid)
        return fail(kInvalidObjectDefinition, "infinite recursion detected in view \"" + view.name + "\"");
      if (auto* r = work.now().relation(reached[i])) reached.insert(reached.end(), r->depends_on.begin(), r->depends_on.end());
    }
  }
  work.changes.put(std::move(view));
  log_ddl(work);
  return done("CREATE VIEW");
}

// ---------------------------------------------------------------------------------------------------- work on tables

Result<Outcome> truncate(Work& work, const sql::Truncate& command) {
  TRY(auto* relation, find_table(work, command.table));
  if (!catalog::owns(work.who(), *relation) && !catalog::may(work.who(), catalog::kTruncate, *relation) &&
      !catalog::has_system_privilege(work.now(), work.who(), "TRUNCATE TABLE"))
    return fail(permission_denied("relation", relation->name));
  LOCK_OR_WAIT(work, {table_lock(relation->oid)});
  TRY(relation, find_table(work, command.table));
  TRY(auto* engine, work.engine());
  TRY_VOID(engine->note_write(relation->oid));
  TRY_VOID(engine->truncate(physical_of(*relation)));
  TRY_VOID(work.session.commit());  // "TRUNCATE commits the transaction in which it is run"
  return done("TRUNCATE TABLE");
}

Result<Outcome> lock_tables(Work& work, const sql::Lock& command) {
  std::vector<LockKey> keys;
  for (auto& name : command.tables) {
    TRY(auto* relation, find_table(work, name));
    bool may = catalog::owns(work.who(), *relation);
    for (auto bit : {catalog::kInsert, catalog::kUpdate, catalog::kDelete, catalog::kTruncate})
      may |= catalog::may(work.who(), bit, *relation);
    if (!may) return fail(permission_denied("relation", relation->name));
    keys.push_back(table_lock(relation->oid));
  }
  LOCK_OR_WAIT(work, (keys));
  return done("LOCK TABLE");
}

namespace {

/// Tables that VACUUM or ANALYZE is for: the one named, or every own one.
Result<std::vector<catalog::Oid>> tables_to_maintain(Work& work, const sql::ObjectName& name, std::string_view verb,
                                                     std::string_view privilege) {
  bool all = catalog::has_system_privilege(work.now(), work.who(), privilege);
  std::vector<catalog::Oid> oids;
  if (!name.empty()) {
    TRY(auto* relation, find_table(work, name));
    if (!all && !catalog::owns(work.who(), *relation)) {
      work.notice("WARNING",
                  "skipping \"" + relation->name + "\" --- only table or database owner can " + std::string(verb) + " it");
      return oids;
    }
    oids.push_back(relation->oid);
    return oids;
  }
  for (auto* relation : work.now().relations_of_database(work.facts->database))
    if (relation->kind == RelationKind::kTable && (!relation->temporary || is_visible(*work.facts, relation->oid)) &&
        (all || catalog::owns(work.who(), *relation)))
      oids.push_back(relation->oid);
  return oids;
}

}  // namespace

Result<Outcome> vacuum(Work& work, const sql::Vacuum& command) {
  TRY(auto oids, tables_to_maintain(work, command.table, "vacuum", "VACUUM"));
  std::vector<LockKey> keys;
  for (auto oid : oids) keys.push_back(table_lock(oid));
  LOCK_OR_WAIT(work, (keys));
  for (auto oid : oids) {
    auto* relation = work.now().relation(oid);
    if (!relation) continue;
    auto sort = sort_attnums(*relation);
    if (sort.empty() || command.mode == sql::Vacuum::Mode::kDeleteOnly)
      continue;  // the engine reclaims deleted rows at checkpoints
    TRY(auto* engine, work.engine());
    TRY_VOID(engine->note_write(oid));
    TRY_VOID(engine->sort(physical_of(*relation), sort));
  }
  return done("VACUUM");
}

Result<Outcome> analyze_tables(Work& work, const sql::Analyze& command) {
  if (command.compression) return fail(secure::kNotSupported, "ANALYZE COMPRESSION is not supported");
  TRY(auto oids, tables_to_maintain(work, command.table, "analyze", "ANALYZE"));
  for (auto& name : command.columns)
    for (auto oid : oids)
      if (auto* relation = work.now().relation(oid); relation && !relation->column(name.text))
        return fail(secure::kUndefinedColumn,
                    "column \"" + name.text + "\" of relation \"" + relation->name + "\" does not exist");
  return done("ANALYZE");  // the engine keeps its statistics up to date by itself
}

Result<Outcome> comment(Work& work, const sql::Comment& command) {
  using K = sql::ObjectKind;
  std::string text = command.text.value_or("");
  switch (command.object) {
    case K::kTable:
    case K::kView:
    case K::kColumn: {
      TRY(auto* found, find_relation(work, command.name));
      if (!catalog::owns(work.who(), *found)) return fail(must_be_owner("relation", found->name));
      LOCK_OR_WAIT(work, {object_lock(found->key())});
      TRY(found, find_relation(work, command.name));
      Relation relation = *found;
      if (command.object != K::kColumn) {
        if ((command.object == K::kTable) != (relation.kind == RelationKind::kTable))
          return fail(secure::kWrongObjectType,
                      "\"" + relation.name + "\" is not a " + (command.object == K::kTable ? "table" : "view"));
        relation.comment = text;
      } else {
        auto at = std::find_if(relation.columns.begin(), relation.columns.end(),
                               [&](auto& c) { return !c.dropped && c.name == command.sub_name; });
        if (at == relation.columns.end())
          return fail(secure::kUndefinedColumn,
                      "column \"" + command.sub_name + "\" of relation \"" + relation.name + "\" does not exist");
        at->comment = text;
      }
      work.changes.put(std::move(relation));
      return done("COMMENT");
    }
    case K::kSchema: {
      TRY(auto* found, find_schema_to_use(work, command.name.schema, command.name.name));
      if (!catalog::owns(work.who(), *found)) return fail(must_be_owner("schema", found->name));
      catalog::Schema schema = *found;
      schema.comment = text;
      work.changes.put(std::move(schema));
      return done("COMMENT");
    }
    case K::kDatabase: {
      TRY(auto* found, find_database(work, command.name.name));
      if (!catalog::owns(work.who(), *found)) return fail(must_be_owner("database", found->name));
      catalog::Database database = *found;
      database.comment = text;
      work.changes.put(std::move(database));
      return done("COMMENT");
    }
    case K::kProcedure: {
      TRY(auto* found, find_procedure(work, *command.routine));
      if (!catalog::owns(work.who(), *found)) return fail(must_be_owner("procedure", found->name));
      LOCK_OR_WAIT(work, {object_lock(found->key())});
      TRY(found, find_procedure(work, *command.routine));
      catalog::Procedure procedure = *found;
      procedure.comment = text;
      work.changes.put(std::move(procedure));
      return done("COMMENT");
    }
    default:
      return fail(secure::kNotSupported, "COMMENT ON this kind of object is not supported");
  }
}

}  // namespace redoubt::warehouse::session
