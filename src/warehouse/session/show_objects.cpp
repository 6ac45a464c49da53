// The SHOW family, as drivers with show_discovery ask for metadata (facts: clients.md 1.7). Columns are found by name there.
// What it shows is what the user may see: databases, schemas with USAGE, relations owned or with a privilege.
#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/functions.h"
#include "warehouse/session/list_stream.h"
#include "warehouse/session/resolve.h"
#include "warehouse/sql/parser.h"

namespace redoubt::warehouse::session {

namespace {

using secure::plan::Output;
using Kind = sql::ShowObjects::Kind;
using From = sql::ShowObjects::From;
using Rows = std::vector<std::vector<engine::Datum>>;
constexpr engine::Datum null{};

std::vector<Output> outputs(std::string_view names) {
  std::vector<Output> out;
  for (auto name : split(names, ' ')) {
    Output o;
    size_t colon = name.find(':');
    o.name = name.substr(0, colon);
    std::string_view type = colon == std::string_view::npos ? "text" : name.substr(colon + 1);
    o.type = type == "int"    ? sql::Type(sql::TypeKind::kInteger)
             : type == "bool" ? sql::Type(sql::TypeKind::kBoolean)
                              : sql::Type::varchar(65535);
    out.push_back(std::move(o));
  }
  return out;
}

engine::Datum number(auto n) { return std::to_string(n); }
engine::Datum or_null(const std::string& s) { return s.empty() ? engine::Datum() : engine::Datum(s); }

/// SQL LIKE with backslash as escape, case-sensitive.
bool like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (size_t i = 0; i <= text.size(); i++)
      if (like(text.substr(i), pattern.substr(1))) return true;
    return false;
  }
  if (text.empty()) return false;
  if (pattern[0] == '\\' && pattern.size() > 1) return text[0] == pattern[1] && like(text.substr(1), pattern.substr(2));
  return (pattern[0] == '_' || pattern[0] == text[0]) && like(text.substr(1), pattern.substr(1));
}

struct Shower {
  Work& work;
  const sql::ShowObjects& command;
  const catalog::Snapshot& s = *work.facts->snapshot;
  Rows rows = {};

  Result<std::string> value(const sql::ShowPart& part) {
    if (part.parameter == 0) return part.text;
    if (size_t(part.parameter) > work.parameters.size()) return fail(kProtocolViolation, "parameter is missing");
    auto& v = work.parameters[size_t(part.parameter) - 1].value;
    return v.value_or("");
  }
  Result<std::string> value(const std::optional<sql::ShowPart>& part, std::string otherwise) {
    if (!part) return otherwise;
    TRY(auto text, value(*part));
    if (text.size() > 1000) return fail(secure::kInvalidParameterValue, "the pattern is too long");
    return text;
  }

  Result<const catalog::Database*> database(const std::string& name) {
    auto* d = s.database(name);
    if (!d) return fail(secure::kUndefinedDatabase, "database \"" + name + "\" does not exist");
    return d;
  }
  bool sees(const catalog::Schema& schema) {
    return is_nameable(*work.facts, schema) && (catalog::owns(work.who(), schema) || may_use(*work.facts, schema));
  }
  bool sees(const catalog::Relation& r) {
    return catalog::owns(work.who(), r) || catalog::may_any(work.who(), ~catalog::Privileges{0}, r);
  }

  /// Last parts of the name as written, with the current database and the search path's first schema for what is missing.
  struct Name {
    std::string database, schema, object;
  };
  Result<Name> name(size_t parts) {
    std::vector<std::string> texts;
    for (auto& part : command.name) {
      TRY(auto text, value(part));
      texts.push_back(std::move(text));
    }
    while (texts.size() < parts) texts.insert(texts.begin(), "");
    Name n;
    n.database = texts[0].empty() ? work.facts->database_name : texts[0];
    if (parts > 1) n.schema = texts[1];
    if (parts > 2) n.object = texts[2];
    if (parts > 1 && n.schema.empty()) {
      auto path = path_schemas(*work.facts, s);
      if (!path.empty()) n.schema = path.front()->name;
    }
    return n;
  }

  Result<const catalog::Relation*> table() {
    TRY(Name n, name(3));
    TRY(auto* d, database(n.database));
    auto* schema = s.schema(d->oid, n.schema);
    auto* relation = schema && sees(*schema) ? s.relation(schema->oid, n.object) : nullptr;
    if (!relation || !sees(*relation))
      return fail(secure::kUndefinedTable, "relation \"" + n.schema + "." + n.object + "\" does not exist");
    return relation;
  }

  std::string database_of(const catalog::Relation& r) { return s.database(r.database)->name; }
  std::string schema_of(const catalog::Relation& r) { return s.schema(r.schema)->name; }

  Result<void> databases() {
    TRY(auto pattern, value(command.like, "%"));
    for (auto* d : s.databases())
      if (like(d->name, pattern)) rows.push_back({d->name, s.user_name(d->owner), "local", null, "Serializable"});
    return {};
  }

  Result<void> schemas() {
    TRY(Name n, name(1));
    TRY(auto* d, database(n.database));
    TRY(auto pattern, value(command.like, "%"));
    for (auto* schema : s.schemas(d->oid))
      if (sees(*schema) && like(schema->name, pattern))
        rows.push_back({d->name, schema->name, s.user_name(schema->owner), "local", null, null, null});
    return {};
  }

  /// Relations the command is about: FROM SCHEMA d.s or FROM DATABASE d with WHERE SCHEMA_NAME LIKE ..
  Result<std::vector<const catalog::Relation*>> relations() {
    std::string schema_pattern = "%", table_pattern = "%";
    TRY(Name n, name(command.from == From::kDatabase ? 1 : 2));
    TRY(auto* d, database(n.database));
    if (command.from == From::kDatabase) {
      TRY(schema_pattern, value(command.schema_like, "%"));
      TRY(table_pattern, value(command.table_like, "%"));
    } else {
      TRY(table_pattern, value(command.like, "%"));
    }
    std::vector<const catalog::Relation*> out;
    for (auto* schema : s.schemas(d->oid)) {
      if (!sees(*schema) || (command.from == From::kDatabase ? !like(schema->name, schema_pattern) : schema->name != n.schema))
        continue;
      for (auto* r : s.relations(schema->oid))
        if (sees(*r) && like(r->name, table_pattern)) out.push_back(r);
    }
    return out;
  }

  Result<void> tables() {
    TRY(auto found, relations());
    for (auto* r : found) {
      bool is_table = r->kind == catalog::RelationKind::kTable;
      const char* styles[] = {"EVEN", "KEY", "ALL", "AUTO"};
      rows.push_back({database_of(*r), schema_of(*r), r->name, is_table ? "TABLE" : "VIEW", null, or_null(r->comment),
                      s.user_name(r->owner), null, null, is_table ? engine::Datum(styles[int(r->dist_style)]) : null,
                      is_table ? "REGULAR TABLE" : "REGULAR VIEW"});
    }
    return {};
  }

  void columns_of(const catalog::Relation& r, const std::string& pattern) {
    int position = 0;
    for (auto& c : r.columns) {
      if (c.dropped) continue;
      position++;
      if (!like(c.name, pattern)) continue;
      engine::Datum length = c.type.is(sql::TypeKind::kVarchar) || c.type.is(sql::TypeKind::kChar) ? number(c.type.length) : null;
      engine::Datum precision, scale, value;
      switch (c.type.kind) {
        case sql::TypeKind::kSmallint:
          precision = "16", scale = "0";
          break;
        case sql::TypeKind::kInteger:
          precision = "32", scale = "0";
          break;
        case sql::TypeKind::kBigint:
          precision = "64", scale = "0";
          break;
        case sql::TypeKind::kDecimal:
          precision = number(c.type.precision), scale = number(c.type.scale);
          break;
        default:
          break;
      }
      if (c.default_sql) value = *c.default_sql;
      if (c.identity)
        value = std::string(c.identity_always ? "\"identity\"(" : "default_identity(") + std::to_string(r.oid) + ", " +
                std::to_string(c.attnum - 1) + ", '" + std::to_string(c.identity_seed) + "," + std::to_string(c.identity_step) +
                "'::text)";
      rows.push_back({database_of(r), schema_of(r), r.name, c.name, number(position), value, c.not_null ? "NO" : "YES",
                      c.type.base_name(), length, precision, scale, or_null(c.comment),
                      r.sort_style == catalog::SortStyle::kInterleaved ? "INTERLEAVED" : "COMPOUND", number(c.sortkey_position),
                      number(int(c.distkey)), c.encoding, null});
    }
  }

  Result<void> columns() {
    if (command.from == From::kTable) {
      TRY(auto* r, table());
      TRY(auto pattern, value(command.like, "%"));
      columns_of(*r, pattern);
      return {};
    }
    TRY(auto pattern, value(command.column_like, "%"));
    TRY(auto found, relations());
    for (auto* r : found) columns_of(*r, pattern);
    return {};
  }

  Result<void> primary_keys() {
    TRY(auto* r, table());
    for (auto& c : r->constraints)
      if (c.kind == catalog::Constraint::Kind::kPrimaryKey)
        for (size_t i = 0; i < c.columns.size(); i++)
          rows.push_back({database_of(*r), schema_of(*r), r->name, r->column(c.columns[i])->name, number(i + 1), c.name});
    return {};
  }

  void foreign_key(const catalog::Relation& r, const catalog::Constraint& c) {
    auto* target = s.relation(c.references);
    if (!target || !sees(*target)) return;
    for (size_t i = 0; i < c.columns.size(); i++)
      rows.push_back({database_of(*target), schema_of(*target), target->name, target->column(c.referenced_columns[i])->name,
                      database_of(r), schema_of(r), r.name, r.column(c.columns[i])->name, number(i + 1), number(3), number(3),
                      c.name, null, number(7)});
  }

  Result<void> foreign_keys(bool exported) {
    TRY(auto* r, table());
    if (!exported) {
      for (auto& c : r->constraints)
        if (c.kind == catalog::Constraint::Kind::kForeignKey) foreign_key(*r, c);
      return {};
    }
    for (auto* other : s.relations_of_database(r->database))
      if (sees(*other))
        for (auto& c : other->constraints)
          if (c.references == r->oid) foreign_key(*other, c);
    return {};
  }

  const char* kind_name(catalog::GranteeKind kind) {
    const char* names[] = {"user", "group", "role", "public"};
    return names[int(kind)];
  }

  void grants_of(const catalog::Relation& r, const catalog::Acl& acl, const std::string* column) {
    for (auto& entry : acl) {
      if (!catalog::owns(work.who(), r) && !work.who().has(entry.grantee) && entry.grantor != work.who().user) continue;
      for (catalog::Privileges bit = 1; bit; bit <<= 1) {
        if (!(entry.privileges & bit)) continue;
        engine::Datum option = std::string((entry.grantable & bit) ? "t" : "f");
        std::string grantor = s.user_name(entry.grantor), grantee = s.grantee_name(entry.grantee);
        if (column)
          rows.push_back({database_of(r), schema_of(r), r.name, *column, r.name, "COLUMN",
                          std::string(catalog::privilege_name(bit)), number(entry.grantee.id), grantee,
                          kind_name(entry.grantee.kind), option, "TABLE", grantor});
        else
          rows.push_back({database_of(r), schema_of(r), r.name, "TABLE", std::string(catalog::privilege_name(bit)),
                          number(entry.grantee.id), grantee, kind_name(entry.grantee.kind), option, "TABLE", grantor});
      }
    }
  }

  Result<void> grants() {
    if (command.for_principal || (command.from != From::kTable && command.from != From::kDatabase))
      return fail(secure::kNotSupported, "this form of SHOW GRANTS is not supported");
    if (command.from == From::kTable) {
      TRY(auto* r, table());
      grants_of(*r, catalog::effective_acl(*r), nullptr);
      return {};
    }
    TRY(auto found, relations());
    for (auto* r : found) grants_of(*r, catalog::effective_acl(*r), nullptr);
    return {};
  }

  Result<void> column_grants() {
    TRY(auto* r, table());
    for (auto& c : r->columns)
      if (!c.dropped && c.acl) grants_of(*r, *c.acl, &c.name);
    return {};
  }

  /// The statement that would make the table again.
  Result<void> ddl_of_table() {
    TRY(auto* r, table());
    if (r->kind != catalog::RelationKind::kTable) return fail(secure::kWrongObjectType, "\"" + r->name + "\" is not a table");
    std::string ddl = "CREATE TABLE " + quote_identifier(schema_of(*r)) + "." + quote_identifier(r->name) + " (";
    bool first = true;
    auto item = [&](const std::string& text) {
      ddl += std::string(first ? "\n    " : ",\n    ") + text;
      first = false;
    };
    for (auto& c : r->columns) {
      if (c.dropped) continue;
      std::string text = quote_identifier(c.name) + " " + c.type.format();
      if (c.not_null) text += " NOT NULL";
      if (c.identity)
        text += std::string(c.identity_always ? " IDENTITY(" : " GENERATED BY DEFAULT AS IDENTITY(") +
                std::to_string(c.identity_seed) + "," + std::to_string(c.identity_step) + ")";
      if (c.default_sql) text += " DEFAULT " + *c.default_sql;
      text += " ENCODE " + (c.encoding == "none" ? std::string("raw") : c.encoding);
      if (c.distkey) text += " distkey";
      item(text);
    }
    for (auto& c : r->constraints)
      if (auto definition = constraint_definition(*work.facts, c.oid))
        item("CONSTRAINT " + quote_identifier(c.name) + " " + *definition);
    const char* styles[] = {"EVEN", "KEY", "ALL", "AUTO"};
    ddl += "\n)\nDISTSTYLE " + std::string(styles[int(r->dist_style)]);
    if (auto keys = r->sort_key(); !keys.empty()) {
      std::vector<std::string> names;
      for (auto* key : keys) names.push_back(quote_identifier(key->name));
      ddl += std::string("\n") + (r->sort_style == catalog::SortStyle::kInterleaved ? "INTERLEAVED " : "") + "SORTKEY ( " +
             join(names, ", ") + " )";
    }
    rows.push_back({ddl + ";"});
    return {};
  }

  Result<void> ddl_of_view() {
    TRY(auto* r, table());
    if (r->kind == catalog::RelationKind::kTable) return fail(secure::kWrongObjectType, "\"" + r->name + "\" is not a view");
    if (!catalog::owns(work.who(), *r) && !catalog::may(work.who(), catalog::kSelect, *r))
      return fail(permission_denied("relation", r->name));
    std::string late = r->kind == catalog::RelationKind::kLateBindingView ? " WITH NO SCHEMA BINDING" : "";
    rows.push_back({"CREATE OR REPLACE VIEW " + quote_identifier(schema_of(*r)) + "." + quote_identifier(r->name) + " AS " +
                    r->view_sql + late + ";"});
    return {};
  }

  /// Procedures of schemas that one sees; who may not execute one still may know its name, as in pg_proc.
  Result<std::vector<const catalog::Procedure*>> found_procedures(const Name& n, const std::string& pattern) {
    TRY(auto* d, database(n.database));
    auto* schema = s.schema(d->oid, n.schema);
    std::vector<const catalog::Procedure*> out;
    if (!schema || !sees(*schema)) return out;
    for (auto* p : s.procedures(schema->oid))
      if (like(p->name, pattern)) out.push_back(p);
    return out;
  }

  Result<void> procedures() {
    TRY(Name n, name(2));
    TRY(auto pattern, value(command.like, "%"));
    TRY(auto found, found_procedures(n, pattern));
    for (auto* p : found)
      rows.push_back({n.database, n.schema, p->name, number(p->arguments.size()), procedure_types(p->input_types()),
                      or_null(system::procedure_result(*work.facts, p->oid)), or_null(p->comment)});
    return {};
  }

  /// The types that SHOW PARAMETERS OF PROCEDURE p(..) and SHOW PROCEDURE p(..) name.
  Result<std::vector<const catalog::Procedure*>> named_procedures(Name& n) {
    TRY(n, name(3));
    TRY(auto all, found_procedures({n.database, n.schema, n.object}, "%"));
    std::vector<sql::Type> types;
    for (auto& part : command.args) {
      TRY(auto text, value(part));
      TRY(auto type, sql::parse_type(text));
      types.push_back(type.is(sql::TypeKind::kText) ? sql::Type::varchar() : type);
    }
    std::erase_if(all, [&](auto* p) {
      return p->name != n.object || (command.has_args && procedure_types(p->input_types()) != procedure_types(types));
    });
    if (all.empty())
      return fail(secure::kUndefinedFunction,
                  "procedure " + n.schema + "." + n.object + "(" + procedure_types(types) + ") does not exist");
    return all;
  }

  Result<void> parameters() {
    Name n;
    TRY(auto found, named_procedures(n));
    TRY(auto pattern, value(command.like, "%"));
    for (auto* p : found) {
      int position = 0;
      for (auto& a : p->arguments) {
        position++;
        if (!like(a.name, pattern)) continue;
        const char* modes[] = {"IN", "OUT", "INOUT"};
        bool decimal = a.type.is(sql::TypeKind::kDecimal);
        bool sized = (a.type.is(sql::TypeKind::kVarchar) || a.type.is(sql::TypeKind::kChar)) && a.type.length > 0;
        rows.push_back({n.database, n.schema, p->name, or_null(a.name), number(position), modes[size_t(a.mode)],
                        a.type.base_name(), sized ? number(a.type.length) : null, decimal ? number(a.type.precision) : null,
                        decimal ? number(a.type.scale) : null});
      }
    }
    return {};
  }

  Result<void> ddl_of_procedure() {
    Name n;
    TRY(auto found, named_procedures(n));
    if (found.size() > 1) return fail(secure::kAmbiguousFunction, "procedure name \"" + n.object + "\" is not unique");
    if (!system::shows_body(*work.facts, *found[0])) return fail(permission_denied("procedure", found[0]->name));
    rows.push_back({system::procedure_definition(*work.facts, *found[0])});
    return {};
  }

  Result<void> run() {
    switch (command.show) {
      case Kind::kDatabases:
        return databases();
      case Kind::kSchemas:
        return schemas();
      case Kind::kTables:
        return tables();
      case Kind::kColumns:
        return columns();
      case Kind::kPrimaryKeys:
        return primary_keys();
      case Kind::kForeignKeys:
        return foreign_keys(false);
      case Kind::kExportedKeys:
        return foreign_keys(true);
      case Kind::kGrants:
        return grants();
      case Kind::kColumnGrants:
        return column_grants();
      case Kind::kProcedures:
        return procedures();
      case Kind::kParametersOfProcedure:
        return parameters();
      case Kind::kFunctions:  // there are none: functions are not built
      case Kind::kParametersOfFunction:
        return {};
      case Kind::kTable:
        return ddl_of_table();
      case Kind::kView:
        return ddl_of_view();
      case Kind::kProcedure:
        return ddl_of_procedure();
      case Kind::kRlsPolicies:
        return fail(secure::kNotSupported, "SHOW RLS POLICIES is not supported");
      case Kind::kMaskingPolicies:
        return fail(secure::kNotSupported, "SHOW MASKING POLICIES is not supported");
      case Kind::kPolicies:
        return fail(secure::kNotSupported, "SHOW POLICIES is not supported");
    }
    return fail(secure::kNotSupported, "this form of SHOW is not supported");
  }
};

}  // namespace

std::vector<secure::plan::Output> show_objects_columns(const sql::ShowObjects& command) {
  switch (command.show) {
    case Kind::kDatabases:
      return outputs("database_name database_owner database_type database_acl database_isolation_level");
    case Kind::kSchemas:
      return outputs("database_name schema_name schema_owner schema_type schema_acl source_database schema_option");
    case Kind::kTables:
      return outputs(
          "database_name schema_name table_name table_type table_acl remarks owner last_altered_time last_modified_time "
          "dist_style table_subtype");
    case Kind::kColumns:
      return outputs(
          "database_name schema_name table_name column_name ordinal_position:int column_default is_nullable data_type "
          "character_maximum_length:int "
          "numeric_precision:int numeric_scale:int remarks sort_key_type sort_key:int dist_key:int encoding collation");
    case Kind::kPrimaryKeys:
      return outputs("database_name schema_name table_name column_name key_seq:int pk_name");
    case Kind::kForeignKeys:
    case Kind::kExportedKeys:
      return outputs(
          "pk_database_name pk_schema_name pk_table_name pk_column_name fk_database_name fk_schema_name fk_table_name "
          "fk_column_name key_seq:int "
          "update_rule:int delete_rule:int fk_name pk_name deferrability:int");
    case Kind::kGrants:
      return outputs(
          "database_name schema_name object_name object_type privilege_type identity_id:int identity_name identity_type "
          "admin_option:bool "
          "privilege_scope grantor_name");
    case Kind::kColumnGrants:
      return outputs(
          "database_name schema_name table_name column_name object_name object_type privilege_type identity_id:int identity_name "
          "identity_type "
          "admin_option:bool privilege_scope grantor_name");
    case Kind::kProcedures:
      return outputs("database_name schema_name procedure_name number_of_arguments:int argument_list return_type remarks");
    case Kind::kFunctions:
      return outputs("database_name schema_name function_name number_of_arguments:int argument_list return_type remarks");
    case Kind::kParametersOfProcedure:
      return outputs(
          "database_name schema_name procedure_name parameter_name ordinal_position:int parameter_type data_type "
          "character_maximum_length:int "
          "numeric_precision:int numeric_scale:int");
    case Kind::kParametersOfFunction:
      return outputs(
          "database_name schema_name function_name parameter_name ordinal_position:int parameter_type data_type "
          "character_maximum_length:int "
          "numeric_precision:int numeric_scale:int");
    case Kind::kTable:
      return outputs("Show_Table_DDL_statement");
    case Kind::kView:
      return outputs("Show_View_DDL_statement");
    case Kind::kProcedure: {
      auto one = outputs("definition");
      one[0].name = "Stored Procedure Definition";
      return one;
    }
    default:
      return outputs("show");
  }
}

Result<Outcome> show_objects(Work& work, const sql::ShowObjects& command) {
  Shower shower{work, command};
  TRY_VOID(shower.run());
  auto columns = show_objects_columns(command);
  for (auto& row : shower.rows) CHECK(row.size() == columns.size());
  return Outcome{.tag = "SHOW", .stream = std::make_unique<ListStream>(std::move(columns), std::move(shower.rows))};
}

}  // namespace redoubt::warehouse::session
