// Relations of pg_catalog about relations: classes, attributes, types, constraints. Columns are those of PostgreSQL 8.0 with
// Redshift's, and those that psql 15 and the drivers ask for beside them (facts: clients.md 7c).
#include <algorithm>
#include <set>

#include "base/text.h"
#include "warehouse/system/declare.h"

namespace redoubt::warehouse::system {

namespace {

using sql::TypeKind;

struct TypeRow {
  sql::Type type;
  Oid array = 0;  // pg_type.oid of the array over it
};

std::vector<sql::Type> all_types() {
  std::vector<sql::Type> out;
  for (int k = int(TypeKind::kBoolean); k <= int(TypeKind::kAnyArray); k++) {
    sql::Type type = TypeKind(k);
    if (type.oid() != 0 && sql::type_from_oid(type.oid())) out.push_back(type);
  }
  size_t scalars = out.size();
  for (size_t i = 0; i < scalars; i++) {
    sql::Type of = sql::Type::array(out[i].kind);
    if (of.oid() != 0 && sql::type_from_oid(of.oid())) out.push_back(of);
  }
  return out;
}

Rows pg_type(const Source&, const SystemRelation&) {
  static const Rows rows = [] {
    Rows out;
    std::vector<Oid> seen;
    for (auto& type : all_types()) {
      if (std::find(seen.begin(), seen.end(), type.oid()) != seen.end()) continue;
      seen.push_back(type.oid());
      bool is_array = type.is(TypeKind::kArray);
      Oid array_oid = is_array ? 0 : sql::Type::array(type.kind).oid();
      bool pseudo = !type.is_storable() && !is_array &&
                    (type.is(TypeKind::kVoid) || type.is(TypeKind::kTrigger) || type.is(TypeKind::kRecord) ||
                     type.is(TypeKind::kAnyElement) || type.is(TypeKind::kAnyArray) || type.is(TypeKind::kCString));
      out.push_back({number(type.oid()),
                     text(type.type_name()),
                     number(kPgCatalogOid),
                     number(1),
                     number(type.typlen()),
                     truth(type.typlen() > 0 && type.typlen() <= 8),
                     letter(pseudo ? 'p' : 'b'),
                     truth(true),
                     text(","),
                     number(0),
                     number(is_array ? sql::Type(type.element).oid() : 0),
                     number(array_oid),
                     number(is_array ? 750 : 0),
                     number(is_array ? 751 : 0),
                     number(0),
                     number(0),
                     number(0),
                     letter('i'),
                     letter('p'),
                     truth(false),
                     number(0),
                     number(-1),
                     number(0),
                     number(0),
                     null,
                     null});
    }
    return out;
  }();
  return rows;
}

using CK = catalog::Constraint::Kind;

char relkind(const catalog::Relation& r) { return r.kind == catalog::RelationKind::kTable ? 'r' : 'v'; }

int dist_number(const catalog::Relation& r) {
  switch (r.dist_style) {
    case catalog::DistStyle::kEven:
      return 0;
    case catalog::DistStyle::kKey:
      return 1;
    case catalog::DistStyle::kAll:
      return 8;
    case catalog::DistStyle::kAuto:
      return 9;
  }
  return 0;
}

constexpr Oid kBtree = 403;  // pg_am

struct Keys {
  bool primary = false, index = false, foreign = false;  // foreign: in either direction
};

Row class_row(Oid oid, std::string_view name, Oid schema, Oid owner, char kind, size_t columns, Datum acl, int dist, Keys keys,
              bool temporary) {
  return {number(oid),
          text(name),
          number(schema),
          number(0),
          number(owner),
          number(kind == 'i' ? kBtree : 0),
          number(oid),
          number(0),
          number(0),
          number(0.0),
          number(0),
          number(0),
          truth(keys.index),
          truth(false),
          letter(kind),
          number(columns),
          number(0),
          number(0),
          number(0),
          number(0),
          number(0),
          truth(false),
          truth(keys.primary),
          truth(kind == 'v'),
          truth(false),
          truth(keys.foreign),
          acl,
          number(dist),
          letter(temporary ? 't' : 'p'),
          number(0),
          null,
          letter('d'),
          truth(false),
          truth(false),
          truth(temporary)};
}

Rows pg_class(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& r : all_relations())
    rows.push_back(class_row(r.oid, r.name, r.schema == "pg_catalog" ? kPgCatalogOid : kInformationSchemaOid, 1,
                             r.is_view ? 'v' : 'r', r.columns.size(),
                             r.superuser_only ? null : array(std::vector<std::string>{"rdsdb=arwdRxtD/rdsdb", "=r/rdsdb"}), 0, {},
                             false));
  auto relations = known_relations(s);
  std::set<Oid> referenced;
  for (auto* r : relations)
    for (auto& c : r->constraints)
      if (c.kind == CK::kForeignKey) referenced.insert(c.references);
  for (auto* r : relations) {
    auto has = [&](CK kind) { return std::ranges::any_of(r->constraints, [&](auto& c) { return c.kind == kind; }); };
    Keys keys{.primary = has(CK::kPrimaryKey),
              .index = has(CK::kPrimaryKey) || has(CK::kUnique),
              .foreign = has(CK::kForeignKey) || referenced.contains(r->oid)};
    rows.push_back(class_row(r->oid, r->name, r->schema, r->owner, relkind(*r), r->columns.size(), acl_text(*s.snapshot, r->acl),
                             dist_number(*r), keys, r->temporary));
    for (auto& c : r->constraints)
      if (c.kind != CK::kForeignKey)
        rows.push_back(class_row(c.oid, c.name, r->schema, r->owner, 'i', c.columns.size(), null, 0, {}, r->temporary));
  }
  return rows;
}

Row attribute_row(Oid relation, std::string_view name, const sql::Type& type, int attnum, bool not_null, bool has_default,
                  bool dropped, Datum acl, int encoding, bool distkey, int sortkey) {
  return {number(relation),
          text(name),
          number(dropped ? 0 : type.oid()),
          number(-1),
          number(type.typlen()),
          number(attnum),
          number(type.is(TypeKind::kArray) ? 1 : 0),
          number(-1),
          number(type.typmod()),
          truth(type.typlen() > 0 && type.typlen() <= 8),
          letter(type.typlen() < 0 ? 'x' : 'p'),
          letter('i'),
          truth(not_null),
          truth(has_default),
          truth(dropped),
          truth(true),
          number(0),
          number(0),
          acl,
          number(encoding),
          truth(distkey),
          number(sortkey),
          text(""),
          text(""),
          null,
          null};
}

Rows pg_attribute(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& r : all_relations())
    for (size_t i = 0; i < r.columns.size(); i++)
      rows.push_back(
          attribute_row(r.oid, r.columns[i].name, r.columns[i].type, int(i + 1), false, false, false, null, 0, false, 0));
  for (auto* r : known_relations(s)) {
    for (auto& key : r->constraints)
      for (size_t i = 0; key.kind != CK::kForeignKey && i < key.columns.size(); i++)
        if (auto* c = r->column(key.columns[i]))
          rows.push_back(attribute_row(key.oid, c->name, c->type, int(i + 1), false, false, false, null, 0, false, 0));
    for (auto& c : r->columns)
      rows.push_back(attribute_row(r->oid, c.dropped ? "........pg.dropped." + std::to_string(c.attnum) + "........" : c.name,
                                   c.type, c.attnum, c.not_null, c.default_sql || c.identity, c.dropped,
                                   acl_text(*s.snapshot, c.acl), encoding_number(c.encoding), c.distkey, c.sortkey_position));
  }
  return rows;
}

Rows pg_attrdef(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s))
    for (auto& c : r->columns)
      if (Datum d = c.dropped ? null : default_text(*r, c))
        rows.push_back({number(r->oid * 2 + Oid(c.attnum)), number(r->oid), number(c.attnum), d, d});
  return rows;
}

Rows pg_constraint(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s))
    for (auto& c : r->constraints) {
      char kind = c.kind == CK::kPrimaryKey ? 'p' : c.kind == CK::kUnique ? 'u' : 'f';
      bool foreign = kind == 'f';
      rows.push_back({number(c.oid),
                      text(c.name),
                      number(r->schema),
                      letter(kind),
                      truth(false),
                      truth(false),
                      truth(true),
                      number(r->oid),
                      number(0),
                      number(foreign ? 0 : c.oid),
                      number(c.references),
                      letter(foreign ? 'a' : ' '),
                      letter(foreign ? 'a' : ' '),
                      letter(foreign ? 's' : ' '),
                      array(c.columns),
                      foreign ? array(c.referenced_columns) : null,
                      null,
                      null,
                      truth(true),
                      number(0)});
    }
  return rows;
}

/// Redshift has no indexes; primary and unique keys show as such because clients look for keys there.
Rows pg_index(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s))
    for (auto& c : r->constraints) {
      if (c.kind == CK::kForeignKey) continue;
      std::string key;
      for (auto attnum : c.columns) key += (key.empty() ? "" : " ") + std::to_string(attnum);
      rows.push_back({number(c.oid), number(r->oid), array(c.columns), number(c.columns.size()), truth(true),
                      truth(c.kind == CK::kPrimaryKey), truth(false), truth(true), truth(true), null, null});
    }
  return rows;
}

Rows pg_indexes(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s))
    for (auto& c : r->constraints) {
      if (c.kind == CK::kForeignKey) continue;
      rows.push_back({text(schema_name(s, *r)), text(r->name), text(c.name), null, text(index_text(*s.snapshot, *r, c))});
    }
  return rows;
}

Rows pg_description(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s)) {
    if (!r->comment.empty()) rows.push_back({number(r->oid), number(1259), number(0), text(r->comment)});
    for (auto& c : r->columns)
      if (!c.dropped && !c.comment.empty()) rows.push_back({number(r->oid), number(1259), number(c.attnum), text(c.comment)});
  }
  for (auto* schema : known_schemas(s))
    if (!schema->comment.empty()) rows.push_back({number(schema->oid), number(2615), number(0), text(schema->comment)});
  return rows;
}

/// Views depend on what they read (dbt joins this with pg_rewrite), foreign keys on the index of the key that they name (JDBC's
/// getCrossReference).
Rows pg_depend(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s)) {
    for (Oid on : r->depends_on)
      rows.push_back({number(2618), number(r->oid), number(0), number(1259), number(on), number(0), letter('n')});
    for (auto& c : r->constraints) {
      auto* target = c.kind == CK::kForeignKey ? s.snapshot->relation(c.references) : nullptr;
      if (!target) continue;
      for (auto& key : target->constraints)
        if (key.kind != CK::kForeignKey && key.columns == c.referenced_columns)
          rows.push_back({number(2606), number(c.oid), number(0), number(1259), number(key.oid), number(0), letter('n')});
    }
  }
  return rows;
}

Rows pg_rewrite(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* r : known_relations(s))
    if (r->kind != catalog::RelationKind::kTable)
      rows.push_back({number(r->oid), text("_RETURN"), number(r->oid), number(-1), letter('1'), truth(true), letter('O'),
                      text(""), text("")});
  return rows;
}

Rows pg_tables(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& r : all_relations())
    if (!r.is_view) rows.push_back({text(r.schema), text(r.name), text("rdsdb"), null, truth(false), truth(false), truth(false)});
  for (auto* r : known_relations(s)) {
    if (r->kind != catalog::RelationKind::kTable) continue;
    rows.push_back({text(schema_name(s, *r)), text(r->name), text(s.snapshot->user_name(r->owner)), null, truth(false),
                    truth(false), truth(false)});
  }
  return rows;
}

Rows pg_views(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& r : all_relations())
    if (r.is_view) rows.push_back({text(r.schema), text(r.name), text("rdsdb"), text("")});
  for (auto* r : known_relations(s)) {
    if (r->kind == catalog::RelationKind::kTable) continue;
    rows.push_back({text(schema_name(s, *r)), text(r->name), text(s.snapshot->user_name(r->owner)), text(r->view_sql + ";")});
  }
  return rows;
}

/// Only tables in schemas of the search path, as in Redshift: the names are those a bare SELECT would find.
Rows pg_table_def(const Source& s, const SystemRelation&) {
  Rows rows;
  std::string path;
  for (auto& setting : s.settings)
    if (setting.name == "search_path") path = setting.value;
  for (auto* r : known_relations(s)) {
    std::string schema = schema_name(s, *r);
    bool in_path = r->temporary;
    for (auto part : split(path, ',')) {
      std::string name(trim(part));
      if (name.size() >= 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
      in_path |= name == schema || (name == "$user" && schema == s.snapshot->user_name(s.who.user));
    }
    if (!in_path || (!catalog::owns(s.who, *r) && !catalog::may_any(s.who, ~catalog::Privileges{0}, *r))) continue;
    for (auto& c : r->columns)
      if (!c.dropped)
        rows.push_back({text(schema), text(r->name), text(c.name), text(c.type.format()), text(c.encoding), truth(c.distkey),
                        number(c.sortkey_position), truth(c.not_null)});
  }
  return rows;
}

Rows pg_get_late_binding_view_cols(const Source&, const SystemRelation&) { return {}; }

}  // namespace

std::string index_text(const catalog::Snapshot& snapshot, const catalog::Relation& relation, const catalog::Constraint& key) {
  std::vector<std::string> names;
  for (auto attnum : key.columns)
    if (auto* column = relation.column(attnum)) names.push_back(column->name);
  auto* schema = snapshot.schema(relation.schema);
  return "CREATE UNIQUE INDEX " + key.name + " ON " + (schema ? schema->name : "") + "." + relation.name + " USING btree (" +
         join(names, ", ") + ")";
}

void declare_pg_catalog(Relations& out) {
  constexpr std::string_view pg = "pg_catalog";
  add(out, pg, "pg_type", 1247,
      "oid oid, typname name, typnamespace oid, typowner int4, typlen int2, typbyval bool, typtype \"char\", typisdefined bool, "
      "typdelim \"char\", "
      "typrelid oid, typelem oid, typarray oid, typinput regproc, typoutput regproc, typreceive regproc, typsend regproc, "
      "typanalyze regproc, "
      "typalign \"char\", typstorage \"char\", typnotnull bool, typbasetype oid, typtypmod int4, typndims int4, typcollation "
      "oid, typdefaultbin text, "
      "typdefault text",
      pg_type);
  add(out, pg, "pg_class", 1259,
      "oid oid, relname name, relnamespace oid, reltype oid, relowner int4, relam oid, relfilenode oid, reltablespace oid, "
      "relpages int4, "
      "reltuples float4, reltoastrelid oid, reltoastidxid oid, relhasindex bool, relisshared bool, relkind \"char\", relnatts "
      "int2, relexternid oid, "
      "relisreplicated oid, relchecks int2, reltriggers int2, relukeys int2, relhasoids bool, relhaspkey bool, relhasrules bool, "
      "relhassubclass bool, "
      "relhastriggers bool, relacl aclitem[], reldiststyle int2, relpersistence \"char\", reloftype oid, reloptions text[], "
      "relreplident \"char\", "
      "relrowsecurity bool, relforcerowsecurity bool, relistemp bool",
      pg_class);
  add(out, pg, "pg_attribute", 1249,
      "attrelid oid, attname name, atttypid oid, attstattarget int4, attlen int2, attnum int2, attndims int4, attcacheoff int4, "
      "atttypmod int4, "
      "attbyval bool, attstorage \"char\", attalign \"char\", attnotnull bool, atthasdef bool, attisdropped bool, attislocal "
      "bool, attinhcount int4, "
      "attcollation oid, attacl aclitem[], attencodingtype int2, attisdistkey bool, attsortkeyord int4, attidentity \"char\", "
      "attgenerated \"char\", "
      "attoptions text[], attfdwoptions text[]",
      pg_attribute);
  add(out, pg, "pg_attrdef", 2604, "oid oid, adrelid oid, adnum int2, adbin text, adsrc text", pg_attrdef);
  add(out, pg, "pg_constraint", 2606,
      "oid oid, conname name, connamespace oid, contype \"char\", condeferrable bool, condeferred bool, convalidated bool, "
      "conrelid oid, contypid oid, "
      "conindid oid, confrelid oid, confupdtype \"char\", confdeltype \"char\", confmatchtype \"char\", conkey int2[], confkey "
      "int2[], conbin text, "
      "consrc text, conislocal bool, conparentid oid",
      pg_constraint);
  add(out, pg, "pg_index", 2610,
      "indexrelid oid, indrelid oid, indkey int2[], indnatts int2, indisunique bool, indisprimary bool, indisclustered bool, "
      "indisvalid bool, indimmediate bool, "
      "indexprs text, indpred text",
      pg_index);
  add(out, pg, "pg_indexes", 0, "schemaname name, tablename name, indexname name, tablespace name, indexdef text", pg_indexes,
      {.is_view = true});
  add(out, pg, "pg_description", 2609, "objoid oid, classoid oid, objsubid int4, description text", pg_description);
  add(out, pg, "pg_shdescription", 2396, "objoid oid, classoid oid, description text", no_rows);
  add(out, pg, "pg_depend", 2608,
      "classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, refobjsubid int4, deptype \"char\"", pg_depend);
  add(out, pg, "pg_rewrite", 2618,
      "oid oid, rulename name, ev_class oid, ev_attr int2, ev_type \"char\", is_instead bool, ev_enabled \"char\", ev_qual text, "
      "ev_action text",
      pg_rewrite);
  add(out, pg, "pg_tables", 0,
      "schemaname name, tablename name, tableowner name, tablespace name, hasindexes bool, hasrules bool, hastriggers bool",
      pg_tables, {.is_view = true});
  add(out, pg, "pg_views", 0, "schemaname name, viewname name, viewowner name, definition text", pg_views, {.is_view = true});
  add(out, pg, "pg_table_def", 0,
      "schemaname name, tablename name, column name, type bpchar(128), encoding bpchar(32), distkey bool, sortkey int4, notnull "
      "bool",
      pg_table_def, {.is_view = true});
  add(out, pg, "pg_get_late_binding_view_cols()", 0,
      "view_schema name, view_name name, col_name name, col_type varchar, col_num int4", pg_get_late_binding_view_cols);
}

}  // namespace redoubt::warehouse::system
