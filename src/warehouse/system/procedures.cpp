// Stored procedures as clients look them up: pg_proc, pg_proc_info, information_schema.routines and parameters. Everybody sees
// names and arguments, as in PostgreSQL; bodies only those who own or may execute the procedure, which is stricter than Redshift:
// bodies hold other people's SQL.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/lexer.h"
#include "warehouse/sql/parser.h"
#include "warehouse/system/declare.h"

namespace redoubt::warehouse::system {

using catalog::ArgumentMode;
using catalog::Procedure;

namespace {

struct BuiltIn {
  Oid oid;
  std::string_view name, result, arguments;
  Oid result_oid;
};
// The few that clients look up by name; what may be called is the analyzer's list, not this one.
constexpr BuiltIn kBuiltIns[] = {{750, "array_in", "anyarray", "cstring, oid, integer", 2277},
                                 {751, "array_out", "cstring", "anyarray", 2275},
                                 {89, "version", "text", "", 25},
                                 {2026, "pg_backend_pid", "integer", "", 23},
                                 {1642, "pg_get_userbyid", "name", "oid", 19}};

constexpr Oid kPlpgsql = 100, kVoid = 2278, kRecord = 2249;

std::vector<const Procedure*> known_procedures(const Source& s) {
  std::vector<const Procedure*> out;
  for (auto* schema : known_schemas(s))
    for (auto* procedure : s.snapshot->procedures(schema->oid)) out.push_back(procedure);
  std::sort(out.begin(), out.end(), [](auto* a, auto* b) { return a->oid < b->oid; });
  return out;
}

std::vector<const catalog::Argument*> outputs_of(const Procedure& p) {
  std::vector<const catalog::Argument*> out;
  for (auto& a : p.arguments)
    if (a.is_output()) out.push_back(&a);
  return out;
}

Oid result_oid(const Procedure& p) {
  auto outputs = outputs_of(p);
  return outputs.empty() ? kVoid : outputs.size() > 1 ? kRecord : outputs[0]->type.oid();
}

char mode_letter(ArgumentMode mode) { return mode == ArgumentMode::kIn ? 'i' : mode == ArgumentMode::kOut ? 'o' : 'b'; }

/// "23 1043"
std::string input_oids(const Procedure& p) {
  std::string out;
  for (auto& type : p.input_types()) out += (out.empty() ? "" : " ") + std::to_string(type.oid());
  return out;
}

struct Lists {
  Datum types, modes, names, settings;
};

/// proallargtypes and its kin: NULL where all arguments are inputs, or none has a name.
Lists lists_of(const Procedure& p) {
  std::vector<Oid> types;
  std::vector<std::string> modes, names, settings;
  bool named = false;
  for (auto& a : p.arguments) {
    types.push_back(a.type.oid());
    modes.push_back(std::string(1, mode_letter(a.mode)));
    names.push_back(a.name);
    named |= !a.name.empty();
  }
  for (auto& [name, value] : p.settings) settings.push_back(name + "=" + value);
  bool outputs = !outputs_of(p).empty();
  return {outputs ? array(types) : null, outputs ? array(modes) : null, named ? array(names) : null,
          settings.empty() ? null : array(settings)};
}

Datum body_of(const Source& s, const Procedure& p) { return shows_body(s, p) ? Datum(p.body) : null; }

Rows pg_proc(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto& p : kBuiltIns)
    rows.push_back({number(p.oid),
                    text(p.name),
                    number(kPgCatalogOid),
                    number(1),
                    number(12),
                    truth(false),
                    truth(false),
                    truth(false),
                    truth(true),
                    truth(false),
                    letter('s'),
                    number(p.arguments.empty() ? 0 : std::count(p.arguments.begin(), p.arguments.end(), ',') + 1),
                    number(p.result_oid),
                    text(""),
                    null,
                    null,
                    null,
                    text(""),
                    text(""),
                    null,
                    letter('f'),
                    number(0)});
  for (auto* p : known_procedures(s)) {
    auto lists = lists_of(*p);
    rows.push_back({number(p->oid),
                    text(p->name),
                    number(p->schema),
                    number(p->owner),
                    number(kPlpgsql),
                    truth(false),
                    truth(false),
                    truth(p->security_definer),
                    truth(false),
                    truth(false),
                    letter('v'),
                    number(p->input_types().size()),
                    number(result_oid(*p)),
                    text(input_oids(*p)),
                    lists.types,
                    lists.modes,
                    lists.names,
                    body_of(s, *p),
                    text("-"),
                    acl_text(*s.snapshot, p->acl),
                    letter('p'),
                    number(p->owner)});
  }
  return rows;
}

Rows pg_proc_info(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* p : known_procedures(s)) {
    auto lists = lists_of(*p);
    rows.push_back({number(p->oid), text(p->name), number(p->schema), number(p->owner), number(kPlpgsql),
                    truth(p->security_definer), truth(false), truth(false), letter('v'), number(p->input_types().size()),
                    number(result_oid(*p)), text(input_oids(*p)), lists.types, lists.modes, lists.names, body_of(s, *p),
                    letter('p'), lists.settings});
  }
  return rows;
}

std::string schema_of(const Source& s, const Procedure& p) {
  auto* schema = s.snapshot->schema(p.schema);
  return schema ? schema->name : "";
}

/// What information_schema shows: those that the user owns or may execute.
std::vector<const Procedure*> accessible_procedures(const Source& s) {
  auto procedures = known_procedures(s);
  std::erase_if(procedures, [&](auto* p) { return !shows_body(s, *p); });
  return procedures;
}

std::string specific_name(const Procedure& p) { return p.name + "_" + std::to_string(p.oid); }

Rows routines(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* p : accessible_procedures(s))
    rows.push_back({text(s.database_name), text(schema_of(s, *p)), text(specific_name(*p)), text(s.database_name),
                    text(schema_of(s, *p)), text(p->name), text("PROCEDURE"), or_null(procedure_result(s, p->oid)),
                    text(p->body)});
  return rows;
}

Rows parameters(const Source& s, const SystemRelation&) {
  Rows rows;
  for (auto* p : accessible_procedures(s)) {
    int position = 0;
    for (auto& a : p->arguments) {
      const char* modes[] = {"IN", "OUT", "INOUT"};
      rows.push_back({text(s.database_name), text(schema_of(s, *p)), text(specific_name(*p)), number(++position),
                      text(modes[size_t(a.mode)]), or_null(a.name), text(a.type.base_name())});
    }
  }
  return rows;
}

std::string arguments_text(const Procedure& p) {
  std::string out;
  for (auto& a : p.arguments) {
    if (!out.empty()) out += ", ";
    if (a.mode != ArgumentMode::kIn) out += a.mode == ArgumentMode::kOut ? "OUT " : "INOUT ";
    if (!a.name.empty()) out += sql::quote_identifier(a.name) + " ";
    out += a.type.format();
  }
  return out;
}

/// A tag that doesn't occur in the body.
std::string dollar_quoted(const std::string& body) {
  std::string tag = "$_$";
  for (int n = 1; body.find(tag) != std::string::npos; n++) tag = "$_" + std::to_string(n) + "$";
  return tag + body + tag;
}

}  // namespace

bool shows_body(const Source& s, const Procedure& p) {
  return catalog::owns(s.who, p) || catalog::may(s.who, catalog::kExecute, p);
}

std::string procedure_definition(const Source& s, const Procedure& p) {
  std::string out = "CREATE OR REPLACE PROCEDURE " + sql::quote_identifier(schema_of(s, p)) + "." +
                    sql::quote_identifier(p.name) + "(" + arguments_text(p) + ")\n";
  if (p.nonatomic) out += "NONATOMIC\n";
  out += "LANGUAGE plpgsql\n";
  if (p.security_definer) out += "SECURITY DEFINER\n";
  for (auto& [name, value] : p.settings)
    out += "SET " + name + " TO " + (name == "search_path" ? value : sql::quote_literal(value)) + "\n";
  return out + "AS " + dollar_quoted(p.body);
}

/// A name, or one with its types: 's.p(int, varchar)'.
Oid procedure_oid(const Source& s, std::string_view written) {
  std::string_view name = written.substr(0, written.find('('));
  std::string_view bare = name.starts_with("pg_catalog.") ? name.substr(11) : name;
  for (auto& p : kBuiltIns)
    if (p.name == bare) return p.oid;
  auto parsed = sql::parse_name(trim(name));
  if (!parsed) return 0;
  std::vector<const catalog::Schema*> schemas;
  for (auto* schema : known_schemas(s))
    if ((parsed->schema.empty() ? schema->name == "public" : schema->name == parsed->schema) &&
        catalog::may(s.who, catalog::kUsage, *schema))
      schemas.push_back(schema);
  bool typed = written.size() > name.size();
  std::string types;
  if (typed) {
    std::string_view list = written.substr(name.size() + 1);
    list = trim(list.substr(0, list.rfind(')')));
    for (auto part : split(list, ',')) {
      if (trim(part).empty()) continue;
      auto type = sql::parse_type(trim(part));
      if (!type) return 0;
      types += (types.empty() ? "" : ",") + (type->is(sql::TypeKind::kText) ? sql::Type::varchar() : *type).base_name();
    }
  }
  for (auto* schema : schemas)
    for (auto* p : s.snapshot->procedures_named(schema->oid, parsed->name))
      if (!typed || p->signature() == p->name + "(" + types + ")") return p->oid;
  return 0;
}

std::string procedure_name(const Source& s, Oid oid) {
  for (auto& p : kBuiltIns)
    if (p.oid == oid) return std::string(p.name);
  if (auto* p = s.snapshot->procedure(oid)) return sql::quote_identifier(p->name);
  return oid == 0 ? "-" : std::to_string(oid);
}

std::string procedure_result(const Source& s, Oid oid) {
  for (auto& p : kBuiltIns)
    if (p.oid == oid) return std::string(p.result);
  auto* p = s.snapshot->procedure(oid);
  auto type = p ? sql::type_from_oid(result_oid(*p)) : std::nullopt;
  return type ? type->base_name() : "";
}

std::string procedure_arguments(const Source& s, Oid oid) {
  for (auto& p : kBuiltIns)
    if (p.oid == oid) return std::string(p.arguments);
  auto* p = s.snapshot->procedure(oid);
  return p ? arguments_text(*p) : "";
}

void declare_procedures(Relations& out) {
  constexpr std::string_view pg = "pg_catalog", is = "information_schema";
  add(out, pg, "pg_proc", 1255,
      "oid oid, proname name, pronamespace oid, proowner int4, prolang oid, proisagg bool, proiswindow bool, prosecdef bool, "
      "proisstrict bool, "
      "proretset bool, provolatile \"char\", pronargs int2, prorettype oid, proargtypes oidvector, proallargtypes oid[], "
      "proargmodes text[], "
      "proargnames text[], prosrc text, probin text, proacl aclitem[], prokind \"char\", proowner_oid oid",
      pg_proc);
  add(out, pg, "pg_proc_info", 0,
      "prooid oid, proname name, pronamespace oid, proowner int4, prolang oid, prosecdef bool, proisstrict bool, proretset bool, "
      "provolatile \"char\", "
      "pronargs int2, prorettype oid, proargtypes oidvector, proallargtypes oid[], proargmodes text[], proargnames text[], "
      "prosrc text, "
      "prokind \"char\", proconfig text[]",
      pg_proc_info, {.is_view = true});
  add(out, is, "routines", 0,
      "specific_catalog varchar, specific_schema varchar, specific_name varchar, routine_catalog varchar, routine_schema "
      "varchar, routine_name varchar, "
      "routine_type varchar, data_type varchar, routine_definition varchar",
      routines, {.is_view = true});
  add(out, is, "parameters", 0,
      "specific_catalog varchar, specific_schema varchar, specific_name varchar, ordinal_position int4, parameter_mode varchar, "
      "parameter_name varchar, "
      "data_type varchar",
      parameters, {.is_view = true});
}

}  // namespace redoubt::warehouse::system
