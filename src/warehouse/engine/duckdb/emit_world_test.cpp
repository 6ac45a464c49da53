// The engine's header and libstdc++ 12 disagree about one macro; see CMakeLists.txt.
#define _GLIBCXX23_CONSTEXPR
#include "warehouse/engine/duckdb/emit_world_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <duckdb.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "warehouse/engine/duckdb/emit.h"
#include "warehouse/engine/duckdb/emit_udf.h"
#include "warehouse/secure/values.h"
#include "warehouse/sql/parser.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::engine {

using secure::Datum;
using secure::HostFunction;
using secure::Privilege;
using secure::Relation;
using secure::RelationKind;
using secure::Schema;
using sql::Type;
using TK = sql::TypeKind;

// ---- Catalog --------------------------------------------------------------------------------------------------------

FakeCatalog::FakeCatalog() {
  add_schema("pg_catalog")->system = true;
  add_schema("information_schema")->system = true;
  add_schema("public");
}

Schema* FakeCatalog::add_schema(const std::string& name) {
  auto s = std::make_unique<Schema>();
  s->oid = next_oid++;
  s->database = "dev";
  s->name = name;
  schemas.push_back(std::move(s));
  return schemas.back().get();
}

Relation* FakeCatalog::add_relation(Relation relation) {
  relation.oid = next_oid++;
  relation.database = "dev";
  relation.owner = user;
  for (auto& s : schemas)
    if (s->name == relation.schema) relation.schema_oid = s->oid;
  relation.physical = "s" + std::to_string(relation.schema_oid) + ".t" + std::to_string(relation.oid);
  relations.push_back(std::make_unique<Relation>(std::move(relation)));
  return relations.back().get();
}

secure::Oid FakeCatalog::user_named(const std::string& name) {
  auto [it, is_new] = users.try_emplace(name, secure::Oid(101 + users.size()));
  return it->second;
}

std::string FakeCatalog::user_name(Oid oid) const {
  for (auto& [name, u] : users)
    if (u == oid) return name;
  return "";
}

std::vector<const Schema*> FakeCatalog::search_path() const {
  std::vector<const Schema*> out{schemas[0].get()};
  std::string path = setting("search_path").value_or("public");
  for (auto name : split(path, ','))
    for (auto& s : schemas)
      if (s->name == trim(name)) out.push_back(s.get());
  return out;
}

const Schema* FakeCatalog::find_schema(std::string_view database, std::string_view schema) const {
  if (database != "dev") return nullptr;
  for (auto& s : schemas)
    if (s->name == schema) return s.get();
  return nullptr;
}

const Relation* FakeCatalog::find_relation(const Schema& schema, std::string_view name) const {
  for (auto& r : relations)
    if (r->schema == schema.name && r->name == name) return r.get();
  return nullptr;
}

const Relation* FakeCatalog::relation_by_oid(Oid oid) const {
  for (auto& r : relations)
    if (r->oid == oid) return r.get();
  return nullptr;
}

namespace {
std::string grant_key(secure::Oid user, Privilege privilege, secure::Oid object, int attnum = 0) {
  return std::to_string(user) + " " + std::to_string(int(privilege)) + " " + std::to_string(object) + "." +
         std::to_string(attnum);
}
}  // namespace

bool FakeCatalog::may(Oid u, Privilege privilege, const Relation& r) const {
  if (is_superuser(u) || r.owner == u || r.kind == RelationKind::kSystem) return true;
  return grants.contains(grant_key(u, privilege, r.oid));
}
bool FakeCatalog::may_schema(Oid u, Privilege privilege, const Schema& s) const {
  return is_superuser(u) || s.name == "public" || grants.contains(grant_key(u, privilege, s.oid));
}
bool FakeCatalog::may_column(Oid u, Privilege privilege, const Relation& r, int16_t attnum) const {
  return grants.contains(grant_key(u, privilege, r.oid, attnum));
}

std::optional<std::string> FakeCatalog::setting(std::string_view name) const {
  auto it = settings.find(std::string(name));
  if (it == settings.end()) return std::nullopt;
  return it->second;
}

std::string FakeCatalog::time_zone() const { return setting("timezone").value_or("UTC"); }

// ---- Host functions -------------------------------------------------------------------------------------------------

struct World::Host final : secure::HostFunctions {
  explicit Host(FakeCatalog& c) : catalog(c) {
    auto f = [&](std::string_view name, std::vector<Type> args, Type result) {
      functions[std::string(name)].push_back({name, std::move(args), result});
    };
    f("version", {}, TK::kText);
    f("pg_get_userbyid", {TK::kOid}, TK::kName);
    f("pg_table_is_visible", {TK::kOid}, TK::kBoolean);
    f("format_type", {TK::kOid, TK::kInteger}, TK::kText);
    f("pg_get_expr", {TK::kText, TK::kOid}, TK::kText);
    f("pg_get_expr", {TK::kText, TK::kOid, TK::kBoolean}, TK::kText);
    f("regclassout", {TK::kOid}, TK::kText);
    f("has_table_privilege", {TK::kText, TK::kText}, TK::kBoolean);
    f("has_table_privilege", {TK::kName, TK::kText, TK::kText}, TK::kBoolean);
    f("obj_description", {TK::kOid, TK::kName}, TK::kText);
    f("pg_encoding_to_char", {TK::kInteger}, TK::kName);
    f("array_in_the_host", {TK::kText}, Type::array(TK::kText));
    functions["format_type"][0].strict = false;
  }
  std::span<const HostFunction> find(std::string_view name) const override {
    auto it = functions.find(std::string(name));
    if (it == functions.end()) return {};
    return it->second;
  }
  Result<Datum> call(const HostFunction& f, std::span<const Datum> args) const override {
    if (f.name == "version") return "PostgreSQL 8.0.2 on x86_64, Redshift 1.0";
    for (auto& a : args)
      if (!a && f.name != "format_type") return Datum();
    if (f.name == "pg_get_userbyid") return catalog.user_name(secure::Oid(*parse_int(*args[0])));
    if (f.name == "pg_table_is_visible") return "t";
    if (f.name == "format_type") {
      if (!args[0]) return Datum();
      auto type = sql::type_from_oid(uint32_t(*parse_int(*args[0])), args[1] ? int(*parse_int(*args[1])) : -1);
      return type ? type->format() : "???";
    }
    if (f.name == "pg_get_expr") return args[0];
    if (f.name == "regclassout") {
      auto* r = catalog.relation_by_oid(secure::Oid(*parse_int(*args[0])));
      return r ? r->name : *args[0];
    }
    if (f.name == "has_table_privilege") return args.back() == "select" ? "t" : "f";
    if (f.name == "array_in_the_host") return "{" + *args[0] + ",b}";
    return "UTF8";
  }
  FakeCatalog& catalog;
  std::map<std::string, std::vector<HostFunction>> functions;
};

// ---- World ----------------------------------------------------------------------------------------------------------

World::World() : host_(std::make_unique<Host>(catalog)) {
  duckdb::DBConfig config;
  config.SetOptionByName("threads", duckdb::Value::BIGINT(2));
  config.SetOptionByName("memory_limit", duckdb::Value("500MB"));
  config.SetOptionByName("autoinstall_known_extensions", duckdb::Value(false));
  database_ = std::make_unique<duckdb::DuckDB>(nullptr, &config);
  connection_ = std::make_unique<duckdb::Connection>(*database_);
  register_udfs(*database_->instance);
  duckdb::ExtensionLoader loader(*database_->instance, "test");
  duckdb::ScalarFunction host("redoubt_host", {duckdb::LogicalType::VARCHAR}, duckdb::LogicalType::VARCHAR,
                              [this](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
                                for (duckdb::idx_t row = 0; row < args.size(); row++) {
                                  std::string name = args.GetValue(0, row).ToString();
                                  std::vector<Datum> values;
                                  for (size_t i = 1; i < args.ColumnCount(); i++) {
                                    auto v = args.GetValue(i, row);
                                    values.push_back(v.IsNull() ? Datum() : Datum(v.ToString()));
                                  }
                                  Datum answer;
                                  for (auto& f : host_->find(name.substr(0, name.find('(')))) {
                                    std::string signature = std::string(f.name) + "(";
                                    for (size_t i = 0; i < f.arguments.size(); i++)
                                      signature += (i ? ", " : "") + f.arguments[i].base_name();
                                    if (signature + ")" != name) continue;
                                    bool null = std::any_of(values.begin(), values.end(), [](auto& v) { return !v; });
                                    if (f.strict && null) break;
                                    auto r = host_->call(f, values);
                                    if (!r) throw duckdb::InvalidInputException(marked(r.error()));
                                    answer = *r;
                                  }
                                  result.SetValue(row, answer ? duckdb::Value(*answer) : duckdb::Value());
                                }
                              });
  host.varargs = duckdb::LogicalType::VARCHAR;
  host.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  loader.RegisterFunction(host);
  for (auto& s : catalog.schemas) connection_->Query("CREATE SCHEMA \"s" + std::to_string(s->oid) + "\"");
}

World::~World() = default;

namespace {

std::string shown(const duckdb::Value& v, const Type& type) {
  if (v.IsNull()) return "NULL";
  switch (v.type().id()) {
    case duckdb::LogicalTypeId::DOUBLE:
      return secure::values::format_double(v.GetValue<double>());
    case duckdb::LogicalTypeId::FLOAT:
      return secure::values::format_float(v.GetValue<float>());
    case duckdb::LogicalTypeId::INTERVAL: {
      auto i = v.GetValue<duckdb::interval_t>();
      return secure::values::format_interval({i.months, i.days, i.micros});
    }
    case duckdb::LogicalTypeId::BOOLEAN:
      return v.GetValue<bool>() ? "t" : "f";
    default:
      break;
  }
  (void)type;
  return v.ToString();
}

}  // namespace

Result<World::Answer> World::run_engine(const std::string& emitted) {
  // System relations are ordinary tables here.
  std::string sql = emitted;
  while (true) {
    auto at = sql.find("redoubt_system('");
    if (at == std::string::npos) break;
    auto end = sql.find("')", at);
    std::string name = sql.substr(at + 16, end - at - 16);
    auto dot = name.find('.');
    std::string physical = "nothing";
    for (auto& r : catalog.relations)
      if (r->schema == name.substr(0, dot) && r->name == name.substr(dot + 1)) {
        auto p = r->physical.find('.');
        physical = "\"" + r->physical.substr(0, p) + "\".\"" + r->physical.substr(p + 1) + "\"";
      }
    sql.replace(at, end + 2 - at, physical);
  }
  last_sql = sql;
  auto result = connection_->Query(sql);
  if (result->HasError()) {
    auto& e = result->GetErrorObject();
    return fail(client_error(duckdb::Exception::ExceptionTypeToString(e.Type()), e.RawMessage()));
  }
  Answer answer;
  for (auto& chunk : result->Collection().Rows()) {
    std::string row;
    for (size_t c = 0; c < result->ColumnCount(); c++) row += (c ? "|" : "") + shown(chunk.GetValue(c), Type());
    answer.rows.push_back(std::move(row));
  }
  return answer;
}

Result<World::Answer> World::run_plan(const secure::plan::Statement& plan) {
  TRY(Emitted emitted, emit(plan, {.database = ""}));
  std::string sql = emitted.sql;
  if (!emitted.parameters.empty()) {
    // By PREPARE and EXECUTE, as text that the engine casts.
    for (size_t i = emitted.parameters.size(); i-- > 0;) {
      auto& p = emitted.parameters[i];
      auto it = parameters_.find(p.parameter);
      std::string value =
          it == parameters_.end() || it->second == "NULL" ? "NULL" : "'" + replace_all(it->second, "'", "''") + "'";
      sql = replace_all(sql, "$" + std::to_string(i + 1) + " ", "CAST(" + value + " AS " + duckdb_type(p.type) + ") ");
    }
  }
  TRY(Answer answer, run_engine(sql));
  for (auto& c : plan.columns) answer.types.push_back(c.type.format());
  return answer;
}

Relation* World::new_relation(const sql::ObjectName& name, RelationKind kind) {
  Relation r;
  r.schema = name.schema.empty() ? "public" : name.schema;
  r.name = name.name;
  r.kind = r.schema == "pg_catalog" || r.schema == "information_schema" ? RelationKind::kSystem : kind;
  return catalog.add_relation(std::move(r));
}

void World::make_physical(Relation& r) {
  auto dot = r.physical.find('.');
  std::string ddl = "CREATE TABLE \"" + r.physical.substr(0, dot) + "\".\"" + r.physical.substr(dot + 1) + "\" (";
  for (auto& c : r.columns) {
    ddl += (c.attnum > 1 ? ", c" : "c") + std::to_string(c.attnum) + " " + duckdb_type(c.type);
    if (c.identity)
      connection_->Query("CREATE SEQUENCE \"" + r.physical.substr(0, dot) + "\".\"i" + std::to_string(r.oid) + "_c" +
                         std::to_string(c.attnum) + "\"");
  }
  auto made = connection_->Query(ddl + ")");
  if (made->HasError()) ADD_FAILURE() << made->GetError();
}

Result<void> World::create_table(const sql::CreateTable& create) {
  auto* r = new_relation(create.table, RelationKind::kTable);
  int16_t n = 1;
  for (auto& d : create.columns) {
    secure::Column c;
    c.name = d.name.text;
    c.type = d.type;
    c.attnum = n++;
    c.not_null = d.nullable == false;
    if (d.default_value) c.default_sql = sql::print(*d.default_value);
    c.identity = d.identity.has_value();
    c.identity_always = d.identity && d.identity->always;
    r->columns.push_back(std::move(c));
  }
  make_physical(*r);
  return {};
}

Result<World::Answer> World::execute(const std::string& sql_text) {
  auto parsed = sql::parse_one(sql_text);
  if (!parsed) return std::unexpected(parsed.error());
  const auto& command = *parsed->command;
  if (auto* create = sql::get_if<sql::CreateTable>(&command)) {
    TRY_VOID(create_table(*create));
    return Answer();
  }
  if (auto* create = sql::get_if<sql::CreateSchema>(&command)) {
    auto* s = catalog.add_schema(create->schema.name);
    connection_->Query("CREATE SCHEMA \"s" + std::to_string(s->oid) + "\"");
    return Answer();
  }
  if (auto* drop = sql::get_if<sql::Drop>(&command)) {
    for (auto& name : drop->names)
      std::erase_if(catalog.relations,
                    [&](auto& r) { return r->name == name.name && r->schema == (name.schema.empty() ? "public" : name.schema); });
    return Answer();
  }
  secure::Scope scope{catalog, *host_};
  TRY(auto plan, secure::analyze(*parsed, scope, declared_));
  if (auto* create = sql::get_if<sql::CreateView>(&command)) {
    auto* r = new_relation(create->view, create->no_schema_binding ? RelationKind::kLateBindingView : RelationKind::kView);
    r->view_sql = create->no_schema_binding ? sql::print(*create->query) : plan.definition;
    r->pins = plan.pins;
    int16_t n = 1;
    for (auto& o : plan.columns) {
      secure::Column c;
      c.name = o.name;
      c.type = o.type;
      c.attnum = n++;
      r->columns.push_back(std::move(c));
    }
    return Answer();
  }
  if (auto* create = sql::get_if<sql::CreateTableAs>(&command)) {
    TRY(Emitted emitted, emit(plan, {.database = "", .pad_char_results = false}));
    auto* r = new_relation(create->table, RelationKind::kTable);
    int16_t n = 1;
    for (auto& o : plan.columns) {
      secure::Column c;
      c.name = o.name;
      c.type = o.type;
      c.attnum = n++;
      r->columns.push_back(std::move(c));
    }
    make_physical(*r);
    auto dot = r->physical.find('.');
    return run_engine("INSERT INTO \"" + r->physical.substr(0, dot) + "\".\"" + r->physical.substr(dot + 1) + "\" " +
                      emitted.sql);
  }
  return run_plan(plan);
}

// ---- Scripts --------------------------------------------------------------------------------------------------------

void World::directive(const std::string& line) {
  auto words = split(line, ' ');
  if (words[0] == "user") {
    catalog.user = catalog.user_named(std::string(words[1]));
    return;
  }
  if (words[0] == "protect") {
    auto name = sql::parse_name(line.substr(8)).value();
    for (auto& r : catalog.relations)
      if (r->name == name.name) r->protected_by_rls = true;
    return;
  }
  if (words[0] == "set") {
    auto name_end = line.find(' ', 4);
    catalog.settings[line.substr(4, name_end - 4)] = line.substr(name_end + 1);
    return;
  }
  if (words[0] == "param") {
    auto colon = words[1].find(':');
    int n = int(*parse_int(words[1].substr(0, colon)));
    if (colon != std::string_view::npos) {
      declared_.resize(std::max<size_t>(declared_.size(), size_t(n)));
      declared_[size_t(n - 1)] = sql::parse_type(words[1].substr(colon + 1)).value();
    }
    parameters_[n] = line.substr(line.find(' ', 6) + 1);
    return;
  }
  // grant <privilege>[(columns)] on [schema] <name> to <user>
  bool grant = words[0] == "grant";
  auto on = line.find(" on "), to = line.find(grant ? " to " : " from ");
  ASSERT_NE(on, std::string::npos) << line;
  std::string privilege = line.substr(words[0].size() + 1, on - words[0].size() - 1), object = line.substr(on + 4, to - on - 4);
  secure::Oid who = catalog.user_named(line.substr(to + (grant ? 4 : 6)));
  std::vector<std::string> columns;
  if (auto paren = privilege.find('('); paren != std::string::npos) {
    for (auto c : split(privilege.substr(paren + 1, privilege.size() - paren - 2), ',')) columns.emplace_back(trim(c));
    privilege.resize(paren);
  }
  static const std::map<std::string, Privilege> kPrivileges{{"select", Privilege::kSelect},
                                                            {"insert", Privilege::kInsert},
                                                            {"update", Privilege::kUpdate},
                                                            {"delete", Privilege::kDelete},
                                                            {"usage", Privilege::kUsage}};
  auto set = [&](const std::string& key) {
    if (grant)
      catalog.grants.insert(key);
    else
      catalog.grants.erase(key);
  };
  if (object.starts_with("schema ")) {
    for (auto& s : catalog.schemas)
      if (s->name == object.substr(7)) set(grant_key(who, kPrivileges.at(privilege), s->oid));
    return;
  }
  auto name = sql::parse_name(object).value();
  for (auto& r : catalog.relations) {
    if (r->name != name.name || r->schema != (name.schema.empty() ? "public" : name.schema)) continue;
    if (columns.empty()) set(grant_key(who, kPrivileges.at(privilege), r->oid));
    for (auto& c : r->columns)
      if (std::find(columns.begin(), columns.end(), c.name) != columns.end())
        set(grant_key(who, kPrivileges.at(privilege), r->oid, c.attnum));
  }
}

void World::run_file(const std::string& path) {
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  auto read_until_blank = [&](size_t& i, bool stop_at_dashes) {
    std::vector<std::string> out;
    while (i < lines.size() && !lines[i].empty() && !(stop_at_dashes && lines[i] == "----")) out.push_back(lines[i++]);
    return out;
  };
  for (size_t i = 0; i < lines.size();) {
    std::string line = lines[i];
    if (line.empty() || line[0] == '#') {
      i++;
      continue;
    }
    SCOPED_TRACE(path + ":" + std::to_string(i + 1) + ": " + line);
    i++;
    bool query = line.starts_with("query"), statement = line.starts_with("statement");
    if (!query && !statement) {
      directive(line);
      continue;
    }
    std::string sql = join(read_until_blank(i, query), "\n");
    auto answer = execute(sql);
    parameters_.clear();
    declared_.clear();
    if (statement && line.starts_with("statement error")) {
      auto rest = line.substr(16);
      std::string state = rest.substr(0, 5), words = rest.size() > 6 ? rest.substr(6) : "";
      if (answer) {
        ADD_FAILURE() << sql << "\nsucceeded; expected " << state << "\n" << last_sql;
      } else {
        EXPECT_EQ(answer.error().kind->sqlstate, state) << sql << "\n" << answer.error().message << "\n" << last_sql;
        EXPECT_NE(answer.error().message.find(words), std::string::npos) << sql << "\ngot: " << answer.error().message;
      }
      continue;
    }
    std::vector<std::string> expected;
    if (query && i < lines.size() && lines[i] == "----") {
      i++;
      expected = read_until_blank(i, false);
    }
    if (!answer) {
      ADD_FAILURE() << sql << "\n" << answer.error().kind->sqlstate << " " << answer.error().message << "\n" << last_sql;
      continue;
    }
    if (!query) continue;
    std::string types = line.substr(std::min<size_t>(line.size(), 6));
    auto rows = answer->rows;
    if (types.starts_with("rowsort")) {
      types = types.substr(std::min<size_t>(types.size(), 8));
      std::sort(rows.begin(), rows.end());
      std::sort(expected.begin(), expected.end());
    }
    if (!types.empty()) EXPECT_EQ(join(answer->types, "; "), types) << sql;
    EXPECT_EQ(rows, expected) << sql << "\n" << last_sql;
  }
}

}  // namespace redoubt::warehouse::engine
