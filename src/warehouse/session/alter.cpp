#include <algorithm>

#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/policies.h"
#include "warehouse/session/resolve.h"
#include "warehouse/session/table_shape.h"

namespace redoubt::warehouse::session {

using catalog::Column;
using catalog::Relation;
using catalog::RelationKind;
using Kind = sql::AlterAction::Kind;

namespace {

Column* find(Relation& relation, const std::string& name) {
  for (auto& column : relation.columns)
    if (!column.dropped && column.name == name) return &column;
  return nullptr;
}

std::unexpected<Error> no_column(const Relation& relation, const std::string& name) {
  return fail(secure::kUndefinedColumn, "column \"" + name + "\" of relation \"" + relation.name + "\" does not exist");
}

/// Do the views on this relation still mean something, as it is now in work.changes? Views are kept as text, so a column that
/// one names can't be renamed or dropped under it.
Result<std::vector<std::string>> broken_views(Work& work, catalog::Oid relation) {
  std::vector<std::string> broken;
  for (catalog::Oid oid : work.now().dependents(relation)) {
    auto* view = work.now().relation(oid);
    auto* schema = work.now().schema(view->schema);
    auto facts = std::make_shared<Facts>(*work.facts);
    facts->snapshot = work.changes.view();
    facts->current_user = view->owner;
    facts->who = catalog::identities(work.now(), view->owner);
    View lens(facts);
    auto host = make_host_context(facts);
    auto text = "SELECT * FROM " + quote_identifier(schema ? schema->name : "") + "." + quote_identifier(view->name);
    auto statement = sql::parse_one(text, sql::ParseOptions::stored());
    if (!statement || !secure::analyze(*statement, {lens, host->host_functions()})) broken.push_back(view->name);
  }
  return broken;
}

struct Alter {
  Work& work;
  const sql::AlterTable& command;
  const sql::AlterAction& action;
  Relation relation;  // what it becomes
  engine::Connection* engine = nullptr;

  Result<void> views_hold(std::string_view what) {
    work.changes.put(relation);
    TRY(auto broken, broken_views(work, relation.oid));
    if (broken.empty()) return {};
    Error error{&kDependentObjects, "cannot " + std::string(what) + " because other objects depend on it"};
    std::string detail;
    for (auto& name : broken) detail += (detail.empty() ? "view " : "\nview ") + name + " depends on it";
    return fail(std::move(error).with("DETAIL", detail));
  }

  Result<void> add_column() {
    const auto& definition = *action.column;
    if (find(relation, definition.name.text))
      return fail(secure::kDuplicateColumn,
                  "column \"" + definition.name.text + "\" of relation \"" + relation.name + "\" already exists");
    if (definition.primary_key || definition.unique || definition.references)
      return fail(secure::kNotSupported, "ALTER TABLE ADD COLUMN with a key or constraint is not supported");
    if (definition.identity) return fail(secure::kNotSupported, "ALTER TABLE ADD COLUMN can't add an IDENTITY column");
    if (definition.distkey || definition.sortkey)
      return fail(secure::kNotSupported, "ALTER TABLE ADD COLUMN can't add a DISTKEY or SORTKEY");
    TRY(Column column, make_column(work, definition, relation.next_attnum()));
    if (column.not_null && !column.default_sql)
      return fail(secure::kNotNullViolation,
                  "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression");
    engine::Datum value;
    if (column.default_sql) {
      TRY(auto values, evaluate(work, {*column.default_sql}, {column.type}));
      value = values[0];
      if (column.not_null && !value)
        return fail(secure::kNotNullViolation,
                    "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression");
    }
    TRY_VOID(engine->add_column(physical_of(relation), {column.attnum, column.type, column.not_null}, value));
    relation.columns.push_back(std::move(column));
    return {};
  }

  Result<void> drop_column() {
    Column* column = find(relation, action.name.text);
    if (!column) return no_column(relation, action.name.text);
    if (column->distkey) return fail(secure::kNotSupported, "cannot drop distkey column \"" + column->name + "\"");
    if (column->sortkey_position) return fail(secure::kNotSupported, "cannot drop sortkey column \"" + column->name + "\"");
    if (std::count_if(relation.columns.begin(), relation.columns.end(), [](auto& c) { return !c.dropped; }) == 1)
      return fail(kInvalidTableDefinition, "cannot drop the last column of a table");
    int16_t attnum = column->attnum;
    TRY_VOID(check_no_policy_needs(work, relation, "drop column " + column->name + " of table " + relation.name, attnum));
    column->dropped = true;
    column->acl.reset();
    column->comment.clear();
    std::erase_if(relation.constraints,
                  [&](auto& c) { return std::find(c.columns.begin(), c.columns.end(), attnum) != c.columns.end(); });
    work.changes.put(relation);
    TRY(auto broken, broken_views(work, relation.oid));
    if (!broken.empty() && !action.cascade) return views_hold("drop column " + action.name.text + " of table " + relation.name);
    if (action.cascade) {
      std::vector<catalog::Oid> views = work.now().dependents(relation.oid);
      for (catalog::Oid view : views)
        if (auto* v = work.now().relation(view); v && std::find(broken.begin(), broken.end(), v->name) != broken.end())
          TRY_VOID(drop_relation(work, view));
    }
    return engine->drop_column(physical_of(relation), attnum);
  }

  Result<void> rename_to() {
    if (action.new_name == relation.name)
      return fail(catalog::kDuplicateTable, "Relation \"" + relation.name + "\" already exists");
    if (work.now().relation(relation.schema, action.new_name))
      return fail(catalog::kDuplicateTable, "Relation \"" + action.new_name + "\" already exists");
    auto* schema = work.now().schema(relation.schema);
    if (!relation.temporary && !catalog::may(work.who(), catalog::kCreate, *schema))
      return fail(permission_denied("schema", schema->name));
    relation.name = action.new_name;
    return {};
  }

  Result<void> rename_column() {
    Column* column = find(relation, action.name.text);
    if (!column) return no_column(relation, action.name.text);
    if (find(relation, action.new_name))
      return fail(secure::kDuplicateColumn,
                  "column \"" + action.new_name + "\" of relation \"" + relation.name + "\" already exists");
    TRY_VOID(
        check_no_policy_needs(work, relation, "rename column " + column->name + " of table " + relation.name, column->attnum));
    column->name = action.new_name;
    return views_hold("rename column " + action.name.text + " of table " + relation.name);
  }

  Result<void> owner_to() {
    if (!work.superuser()) return fail(secure::kPermissionDenied, "must be superuser to change the owner of a relation");
    TRY(auto* owner, find_user(work, action.new_name));
    if (relation.acl) catalog::acl_new_owner(*relation.acl, relation.owner, owner->id);
    for (auto& column : relation.columns)
      if (column.acl) catalog::acl_new_owner(*column.acl, relation.owner, owner->id);
    relation.owner = owner->id;
    return {};
  }

  Result<void> set_schema() {
    if (relation.temporary) return fail(secure::kNotSupported, "a temporary table can't be moved to another schema");
    TRY(auto* schema, find_schema_to_use(work, "", action.new_name));
    if (is_temp_schema(schema->name)) return fail(permission_denied("schema", schema->name));
    if (!catalog::may(work.who(), catalog::kCreate, *schema)) return fail(permission_denied("schema", schema->name));
    if (work.now().relation(schema->oid, relation.name))
      return fail(catalog::kDuplicateTable,
                  "Relation \"" + relation.name + "\" already exists in schema \"" + schema->name + "\"");
    relation.schema = schema->oid;
    return {};
  }

  /// Redshift changes the length of VARCHAR columns and nothing else.
  Result<void> column_type() {
    Column* column = find(relation, action.name.text);
    if (!column) return no_column(relation, action.name.text);
    if (!column->type.is(sql::TypeKind::kVarchar) || !action.type->is(sql::TypeKind::kVarchar))
      return fail(secure::kNotSupported, "ALTER COLUMN TYPE is only supported for the length of VARCHAR columns");
    if (column->default_sql) return fail(secure::kNotSupported, "cannot alter the type of a column with a default");
    TRY_VOID(
        check_no_policy_needs(work, relation, "alter column " + column->name + " of table " + relation.name, column->attnum));
    for (auto& c : relation.constraints)
      if (std::find(c.columns.begin(), c.columns.end(), column->attnum) != c.columns.end())
        return fail(secure::kNotSupported, "cannot alter the type of a column in a PRIMARY KEY, UNIQUE or FOREIGN KEY");
    if (action.type->length < column->type.length) {
      TRY_VOID(may_look_at_all_rows());
      auto* schema = work.now().schema(relation.schema);
      auto longest = evaluate(work,
                              {"(SELECT max(octet_length(" + quote_identifier(column->name) + ")) FROM " +
                               quote_identifier(schema->name) + "." + quote_identifier(relation.name) + ")"},
                              {sql::TypeKind::kInteger});
      if (!longest) return fail(longest.error());
      if (std::stoll((*longest)[0].value_or("0")) > action.type->length)
        return fail(secure::kStringTruncation,
                    "target column size should be greater than or equal to current maximum column size");
    }
    column->type = *action.type;
    return engine->alter_column_type(physical_of(relation), {column->attnum, column->type, column->not_null});
  }

  Result<void> column_encode() {
    Column* column = find(relation, action.name.text);
    if (!column) return no_column(relation, action.name.text);
    column->encoding = action.encode == "raw" ? "none" : action.encode;
    return {};
  }

  Result<void> drop_constraint() {
    auto at = std::find_if(relation.constraints.begin(), relation.constraints.end(),
                           [&](auto& c) { return c.name == action.name.text; });
    if (at == relation.constraints.end())
      return fail(secure::kUndefinedObject,
                  "constraint \"" + action.name.text + "\" of relation \"" + relation.name + "\" does not exist");
    relation.constraints.erase(at);
    return {};
  }

  /// What is said of all rows would tell of those that row security hides.
  Result<void> may_look_at_all_rows() {
    if (!catalog::row_security(work.now(), work.who(), relation).filtered) return {};
    return fail(secure::kPermissionDenied,
                "permission denied: relation \"" + relation.name + "\" is protected by row-level security");
  }

  Result<void> constraint() {
    std::vector<int16_t> newly_not_null;
    auto before = relation.columns;
    TRY_VOID(session::add_constraint(work, relation, *action.constraint));
    for (size_t i = 0; i < before.size(); i++)
      if (!before[i].not_null && relation.columns[i].not_null) {
        TRY_VOID(may_look_at_all_rows());
        TRY_VOID(engine->set_not_null(physical_of(relation), before[i].attnum, true));
      }
    return {};
  }

  Result<void> dist_style() {
    using D = sql::DistStyle;
    auto style = action.dist_style == D::kEven  ? catalog::DistStyle::kEven
                 : action.dist_style == D::kAll ? catalog::DistStyle::kAll
                 : action.dist_style == D::kKey ? catalog::DistStyle::kKey
                                                : catalog::DistStyle::kAuto;
    return set_distribution(relation, style, style == catalog::DistStyle::kKey ? action.name.text : "");
  }

  Result<void> sort_key() {
    using S = sql::SortStyle;
    return set_sort_key(relation,
                        action.sort_style == S::kInterleaved ? catalog::SortStyle::kInterleaved
                        : action.sort_style == S::kAuto      ? catalog::SortStyle::kAuto
                        : action.sort_style == S::kNone      ? catalog::SortStyle::kNone
                                                             : catalog::SortStyle::kCompound,
                        action.sort_key);
  }

  Result<void> run() {
    switch (action.kind) {
      case Kind::kAddColumn:
        return add_column();
      case Kind::kDropColumn:
        return drop_column();
      case Kind::kAddConstraint:
        return constraint();
      case Kind::kDropConstraint:
        return drop_constraint();
      case Kind::kRenameTo:
        return rename_to();
      case Kind::kRenameColumn:
        return rename_column();
      case Kind::kOwnerTo:
        return owner_to();
      case Kind::kSetSchema:
        return set_schema();
      case Kind::kColumnType:
        return column_type();
      case Kind::kColumnEncode:
        return column_encode();
      case Kind::kDistStyle:
        return dist_style();
      case Kind::kSortKey:
        return sort_key();
      case Kind::kEncodeAuto:
        return {};
      case Kind::kAppendFrom:
        return fail(secure::kNotSupported, "ALTER TABLE APPEND is not supported");
      case Kind::kRowLevelSecurity:
        return set_row_security(work, relation, action);
      case Kind::kAutoRefresh:
        return fail(secure::kNotSupported, "ALTER MATERIALIZED VIEW is not supported");
    }
    return fail(secure::kNotSupported, "this form of ALTER TABLE is not supported");
  }
};

/// What a view can have done to it.
bool works_on_views(Kind kind) {
  return kind == Kind::kRenameTo || kind == Kind::kOwnerTo || kind == Kind::kSetSchema || kind == Kind::kRowLevelSecurity;
}

}  // namespace

Result<Outcome> alter_table(Work& work, const sql::AlterTable& command) {
  if (command.target == sql::AlterTable::Target::kMaterializedView)
    return fail(secure::kNotSupported, "ALTER MATERIALIZED VIEW is not supported");
  bool row_security_only = std::all_of(command.actions.begin(), command.actions.end(),
                                       [](auto& action) { return action.kind == Kind::kRowLevelSecurity; });  // has its own rule
  auto find = row_security_only ? find_relation_to_secure : find_relation;
  TRY(auto* found, find(work, command.name));
  if (found->database != work.facts->database)
    return fail(secure::kNotSupported, "cross-database changes of \"" + display(command.name) + "\" are not supported");
  if (!row_security_only && !catalog::owns(work.who(), *found) && !catalog::may(work.who(), catalog::kAlter, *found) &&
      !catalog::has_system_privilege(work.now(), work.who(), "ALTER TABLE"))
    return fail(must_be_owner("relation", found->name));
  bool is_view = found->kind != RelationKind::kTable;
  if (command.target == sql::AlterTable::Target::kView && !is_view)
    return fail(secure::kWrongObjectType, "\"" + found->name + "\" is not a view");
  for (auto& action : command.actions)
    if (is_view && !works_on_views(action.kind)) return fail(secure::kWrongObjectType, "\"" + found->name + "\" is not a table");
  LOCK_OR_WAIT(work, {table_lock(found->oid), object_lock(found->key())});
  TRY(found, find(work, command.name));
  catalog::Oid oid = found->oid;
  for (auto& action : command.actions) {
    Alter alter{work, command, action, *work.now().relation(oid)};
    if (!is_view) {
      TRY(alter.engine, work.engine());
      TRY_VOID(alter.engine->note_write(oid));
    }
    TRY_VOID(alter.run());
    work.changes.put(std::move(alter.relation));
  }
  return done(is_view && command.target == sql::AlterTable::Target::kView ? "ALTER VIEW" : "ALTER TABLE");
}

}  // namespace redoubt::warehouse::session
