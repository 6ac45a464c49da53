// information_schema: what the current user owns or holds a privilege on. Source: SQL-92 as PostgreSQL 8.0 shows it.
#include "base/text.h"
#include "warehouse/system/declare.h"

namespace redoubt::warehouse::system {

namespace {

using catalog::Constraint;

const char* table_type(const catalog::Relation& r) {
  return r.kind != catalog::RelationKind::kTable ? "VIEW" : r.temporary ? "LOCAL TEMPORARY" : "BASE TABLE";
}

Rows tables(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& r : all_relations())
    if (!r.superuser_only && !r.name.ends_with("()"))
      rows.push_back({text(s.database_name), text(r.schema), text(r.name), text(r.is_view ? "VIEW" : "BASE TABLE"), null, null,
                      null, null, null});
  for (auto* r : accessible_relations(s))
    rows.push_back(
        {text(s.database_name), text(schema_name(s, *r)), text(r->name), text(table_type(*r)), null, null, null, null, null});
  return rows;
}

Rows columns(const Source& s, const SystemRelation&) {
  Rows rows;
  auto row = [&](std::string_view schema, std::string_view table, std::string_view column, int position, Datum value,
                 bool nullable, const sql::Type& type) {
    rows.push_back({text(s.database_name),
                    text(schema),
                    text(table),
                    text(column),
                    number(position),
                    std::move(value),
                    yes_no(nullable),
                    text(type.base_name()),
                    character_length(type),
                    character_length(type),
                    numeric_precision(type),
                    numeric_precision(type) ? number(type.is(sql::TypeKind::kDecimal) ? 10 : 2) : null,
                    numeric_scale(type),
                    type.is(sql::TypeKind::kTimestamp) || type.is(sql::TypeKind::kTimestampTz) ? number(6) : null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    text(s.database_name),
                    text("pg_catalog"),
                    text(type.type_name()),
                    null,
                    null,
                    null,
                    null,
                    number(position),
                    text("NO")});
  };
  for (auto& r : all_relations())
    if (!r.superuser_only && !r.name.ends_with("()"))
      for (size_t i = 0; i < r.columns.size(); i++)
        row(r.schema, r.name, r.columns[i].name, int(i + 1), null, true, r.columns[i].type);
  for (auto* r : accessible_relations(s)) {
    int position = 0;
    for (auto& c : r->columns) {
      if (c.dropped) continue;
      position++;
      row(schema_name(s, *r), r->name, c.name, position, catalog::owns(s.who, *r) ? default_text(*r, c) : null, !c.not_null,
          c.type);
    }
  }
  return rows;
}

Rows views(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : accessible_relations(s))
    if (r->kind != catalog::RelationKind::kTable)
      rows.push_back({text(s.database_name), text(schema_name(s, *r)), text(r->name),
                      catalog::owns(s.who, *r) ? text(r->view_sql + ";") : null, text("NONE"), text("NO"), text("NO")});
  return rows;
}

Rows schemata(const Source& s, const SystemRelation&) {
  Rows rows;
  for (std::string_view name : {"pg_catalog", "information_schema"})
    rows.push_back({text(s.database_name), text(name), text("rdsdb"), null, null, null, null});
  for (auto* schema : known_schemas(s))
    if (catalog::owns(s.who, *schema) || catalog::may(s.who, catalog::kUsage, *schema))
      rows.push_back(
          {text(s.database_name), text(schema->name), text(s.snapshot->user_name(schema->owner)), null, null, null, null});
  return rows;
}

Rows table_constraints(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : accessible_relations(s))
    for (auto& c : r->constraints) {
      const char* kind = c.kind == Constraint::Kind::kPrimaryKey ? "PRIMARY KEY"
                         : c.kind == Constraint::Kind::kUnique   ? "UNIQUE"
                                                                 : "FOREIGN KEY";
      rows.push_back({text(s.database_name), text(schema_name(s, *r)), text(c.name), text(s.database_name),
                      text(schema_name(s, *r)), text(r->name), text(kind), text("NO"), text("NO")});
    }
  return rows;
}

Rows key_column_usage(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : accessible_relations(s))
    for (auto& c : r->constraints)
      for (size_t i = 0; i < c.columns.size(); i++)
        if (auto* column = r->column(c.columns[i]))
          rows.push_back({text(s.database_name), text(schema_name(s, *r)), text(c.name), text(s.database_name),
                          text(schema_name(s, *r)), text(r->name), text(column->name), number(i + 1)});
  return rows;
}

Rows constraint_column_usage(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : accessible_relations(s))
    for (auto& c : r->constraints) {
      bool foreign = c.kind == Constraint::Kind::kForeignKey;
      auto* target = foreign ? s.snapshot->relation(c.references) : r;
      if (!target) continue;
      for (auto attnum : foreign ? c.referenced_columns : c.columns)
        if (auto* column = target->column(attnum))
          rows.push_back({text(s.database_name), text(schema_name(s, *target)), text(target->name), text(column->name),
                          text(s.database_name), text(schema_name(s, *r)), text(c.name)});
    }
  return rows;
}

Rows referential_constraints(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : accessible_relations(s))
    for (auto& c : r->constraints)
      if (c.kind == Constraint::Kind::kForeignKey)
        rows.push_back({text(s.database_name), text(schema_name(s, *r)), text(c.name), null, null, null, text("NONE"),
                        text("NO ACTION"), text("NO ACTION")});
  return rows;
}

/// Grants that the current user gave or has.
Rows table_privileges(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s))
    for (auto& entry : catalog::effective_acl(*r)) {
      if (!s.who.superuser && !s.who.has(entry.grantee) && entry.grantor != s.who.user) continue;
      for (catalog::Privileges bit = 1; bit; bit <<= 1) {
        if (!(entry.privileges & bit)) continue;
        rows.push_back({text(s.snapshot->user_name(entry.grantor)), text(s.snapshot->grantee_name(entry.grantee)),
                        text(s.database_name), text(schema_name(s, *r)), text(r->name), text(catalog::privilege_name(bit)),
                        yes_no(entry.grantable & bit), text("NO")});
      }
    }
  return rows;
}

Rows catalog_name(const Source& s, const SystemRelation&) { return {{text(s.database_name)}}; }

}  // namespace

void declare_information_schema(Relations& out) {
  constexpr std::string_view is = "information_schema";
  constexpr Declared view{.is_view = true};
  add(out, is, "tables", 0,
      "table_catalog varchar, table_schema varchar, table_name varchar, table_type varchar, self_referencing_column_name "
      "varchar, "
      "reference_generation varchar, user_defined_type_catalog varchar, user_defined_type_schema varchar, user_defined_name "
      "varchar",
      tables, view);
  add(out, is, "columns", 0,
      "table_catalog varchar, table_schema varchar, table_name varchar, column_name varchar, ordinal_position int4, "
      "column_default varchar(4096), "
      "is_nullable varchar, data_type varchar, character_maximum_length int4, character_octet_length int4, numeric_precision "
      "int4, "
      "numeric_precision_radix int4, numeric_scale int4, datetime_precision int4, interval_type varchar, interval_precision "
      "varchar, "
      "character_set_catalog varchar, character_set_schema varchar, character_set_name varchar, collation_catalog varchar, "
      "collation_schema varchar, "
      "collation_name varchar, domain_name varchar, udt_catalog varchar, udt_schema varchar, udt_name varchar, scope_catalog "
      "varchar, "
      "scope_schema varchar, scope_name varchar, maximum_cardinality int4, dtd_identifier varchar, is_self_referencing varchar",
      columns, view);
  add(out, is, "views", 0,
      "table_catalog varchar, table_schema varchar, table_name varchar, view_definition varchar(65535), check_option varchar, "
      "is_updatable varchar, "
      "is_insertable_into varchar",
      views, view);
  add(out, is, "schemata", 0,
      "catalog_name varchar, schema_name varchar, schema_owner varchar, default_character_set_catalog varchar, "
      "default_character_set_schema varchar, "
      "default_character_set_name varchar, sql_path varchar",
      schemata, view);
  add(out, is, "table_constraints", 0,
      "constraint_catalog varchar, constraint_schema varchar, constraint_name varchar, table_catalog varchar, table_schema "
      "varchar, table_name varchar, "
      "constraint_type varchar, is_deferrable varchar, initially_deferred varchar",
      table_constraints, view);
  add(out, is, "key_column_usage", 0,
      "constraint_catalog varchar, constraint_schema varchar, constraint_name varchar, table_catalog varchar, table_schema "
      "varchar, table_name varchar, "
      "column_name varchar, ordinal_position int4",
      key_column_usage, view);
  add(out, is, "constraint_column_usage", 0,
      "table_catalog varchar, table_schema varchar, table_name varchar, column_name varchar, constraint_catalog varchar, "
      "constraint_schema varchar, "
      "constraint_name varchar",
      constraint_column_usage, view);
  add(out, is, "referential_constraints", 0,
      "constraint_catalog varchar, constraint_schema varchar, constraint_name varchar, unique_constraint_catalog varchar, "
      "unique_constraint_schema varchar, unique_constraint_name varchar, match_option varchar, update_rule varchar, delete_rule "
      "varchar",
      referential_constraints, view);
  add(out, is, "table_privileges", 0,
      "grantor varchar, grantee varchar, table_catalog varchar, table_schema varchar, table_name varchar, privilege_type "
      "varchar, is_grantable varchar, "
      "with_hierarchy varchar",
      table_privileges, view);
  add(out, is, "information_schema_catalog_name", 0, "catalog_name varchar", catalog_name, view);
}

}  // namespace redoubt::warehouse::system
