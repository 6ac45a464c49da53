// links only: warehouse/engine/duckdb/emit.cpp warehouse/engine/duckdb/emit_error.cpp warehouse/engine/duckdb/emit_expr.cpp
// links only: warehouse/engine/duckdb/emit_functions.cpp warehouse/engine/duckdb/emit_secured.cpp warehouse/secure PkgConfig::RE2
/// libFuzzer: no text crashes parser, analyzer or emitter, and no emitted text holds a name that a user chose: the tables,
/// columns and schemas here all contain "zzq", which may stand only inside of literals. zzqb is protected by a policy.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "warehouse/engine/duckdb/emit.h"
#include "warehouse/secure/analyze.h"
#include "warehouse/sql/parser.h"

using namespace redoubt;
using namespace redoubt::warehouse;
using secure::Oid;
using secure::Privilege;
using secure::Relation;
using secure::Schema;

namespace {

class Catalog final : public secure::CatalogView {
 public:
  Catalog() {
    schema_.oid = 1;
    schema_.database = "dev";
    schema_.name = "zzq_schema";
    using TK = sql::TypeKind;
    sql::Type types[] = {TK::kInteger, sql::Type::varchar(20), sql::Type::decimal(8, 2), TK::kDate, TK::kTimestampTz,
                         TK::kSuper,   sql::Type::character(3)};
    for (Oid oid = 2; oid < 5; oid++) {
      Relation r;
      r.oid = oid;
      r.schema_oid = 1;
      r.owner = 100;
      r.database = "dev";
      r.schema = schema_.name;
      r.name = std::string("zzq") + char('a' + oid - 2);
      r.physical = "s1.t" + std::to_string(oid);
      r.kind = oid == 4 ? secure::RelationKind::kView : secure::RelationKind::kTable;
      r.protected_by_rls = oid == 3;
      r.view_sql = "select zzqa.zzq1 from zzqa";
      int16_t n = 1;
      for (auto& t : types) {
        secure::Column c;
        c.name = "zzq" + std::to_string(n);
        c.type = t;
        c.attnum = n++;
        c.identity = oid == 3 && n == 2;
        r.columns.push_back(c);
        if (oid == 4) break;
      }
      relations_.push_back(r);
    }
  }
  Oid current_user() const override { return 100; }
  Oid session_user() const override { return 100; }
  std::string user_name(Oid) const override { return "someone"; }
  bool is_superuser(Oid) const override { return true; }
  std::string current_database() const override { return "dev"; }
  std::vector<const Schema*> search_path() const override { return {&schema_}; }
  bool database_exists(std::string_view d) const override { return d == "dev"; }
  const Schema* find_schema(std::string_view, std::string_view s) const override {
    return s == schema_.name ? &schema_ : nullptr;
  }
  const Relation* find_relation(const Schema&, std::string_view name) const override {
    for (auto& r : relations_)
      if (r.name == name) return &r;
    return nullptr;
  }
  const Relation* relation_by_oid(Oid oid) const override { return oid >= 2 && oid < 5 ? &relations_[oid - 2] : nullptr; }
  secure::RowSecurity row_security(const Relation&) const override {
    secure::Policy policy;
    policy.oid = 200;
    policy.name = policy.alias = "zzqp";
    policy.columns = {{"zzq1", sql::TypeKind::kInteger}, {"zzq2", sql::Type::varchar(20)}};
    policy.predicate = "zzqp.zzq1 in (select zzqa.zzq1 from zzqa) or zzqp.zzq2 = 'a'";
    policy.pins = {{"zzqa", 2}};
    policy.granted = {2};
    return {.filtered = true, .any = true, .policies = {policy}};
  }
  bool may(Oid, Privilege, const Relation&) const override { return true; }
  bool may_schema(Oid, Privilege, const Schema&) const override { return true; }
  bool may_column(Oid, Privilege, const Relation&, int16_t) const override { return true; }
  std::optional<std::string> setting(std::string_view) const override { return std::nullopt; }
  int64_t transaction_time() const override { return 0; }
  int64_t statement_time() const override { return 0; }
  std::string time_zone() const override { return "UTC"; }

 private:
  Schema schema_;
  std::vector<Relation> relations_;
};

struct Host final : secure::HostFunctions {
  std::span<const secure::HostFunction> find(std::string_view) const override { return {}; }
  Result<secure::Datum> call(const secure::HostFunction&, std::span<const secure::Datum>) const override {
    return secure::Datum();
  }
};

/// No user's name, no second statement, no comment. Returns what stands outside of literals.
std::string require_harmless(const std::string& sql) {
  bool in_literal = false;
  std::string outside;
  for (char c : sql) {
    if (c == '\'')
      in_literal = !in_literal;
    else if (!in_literal)
      outside += c;
  }
  if (in_literal || outside.find("zzq") != std::string::npos || outside.find(';') != std::string::npos ||
      outside.find("--") != std::string::npos || outside.find("/*") != std::string::npos) {
    fprintf(stderr, "%s\n", sql.c_str());
    abort();
  }
  return outside;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Catalog catalog;
  static const Host host;
  auto statement = sql::parse_one(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!statement) return 0;
  auto plan = secure::analyze(*statement, {catalog, host});
  if (!plan) {
    if (plan.error().message.empty()) abort();
    return 0;
  }
  auto emitted = engine::emit(*plan, {.database = "w"});
  if (!emitted) return 0;
  std::string outside = require_harmless(emitted->sql);
  // What reads the protected table says how it may be read; an INSERT may name it without reading.
  bool names_protected = outside.find("s1.t3") != std::string::npos;
  if (names_protected && plan->authorised.empty() && plan->kind != secure::plan::StatementKind::kInsert) {
    fprintf(stderr, "%s\n", emitted->sql.c_str());
    abort();
  }
  for (auto& authorised : plan->authorised)
    if (auto text = engine::emit_authorised(authorised, {.database = "w"})) require_harmless(*text);
  return 0;
}
