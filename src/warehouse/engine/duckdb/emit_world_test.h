#pragma once
/// A small world for end-to-end tests of analysis and emission: a catalog in memory, host functions, an in-memory DuckDB,
/// and scripts in the manner of sqllogictest (cases/*.test):
///
///   statement ok                          the statement below works (several lines, up to an empty one)
///   statement error 42501 [words]         fails with this SQLSTATE, and with these words in its message
///   query [type; type ..]                 rows after ----, values separated by |, NULL as NULL; types as Type::format()
///   query rowsort [..]                    the same in any order
///   user alice                            who runs what follows (awsuser, 100, is the superuser)
///   grant select on s.t to alice          table, column `select(a, b)`, or `usage on schema s`
///   revoke ..                             the same
///   param 1 text                          binds $1 in the next statement, with an optional declared type: `param 1:integer 5`
///   protect s.t                           marks a relation as protected by row security
///   set name value                        a session setting, timezone among them
///
/// CREATE TABLE, CREATE TABLE AS, CREATE VIEW, CREATE SCHEMA, DROP TABLE and data statements are understood. Tables of pg_catalog
/// are system relations.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "warehouse/secure/analyze.h"

namespace duckdb {
class DuckDB;
class Connection;
}  // namespace duckdb

namespace redoubt::warehouse::engine {

class FakeCatalog final : public secure::CatalogView {
 public:
  using Oid = secure::Oid;
  FakeCatalog();
  Oid current_user() const override { return user; }
  Oid session_user() const override { return user; }
  std::string user_name(Oid user) const override;
  bool is_superuser(Oid user) const override { return user == 100; }
  std::string current_database() const override { return "dev"; }
  std::vector<const secure::Schema*> search_path() const override;
  bool database_exists(std::string_view database) const override { return database == "dev" || database == "other"; }
  const secure::Schema* find_schema(std::string_view database, std::string_view schema) const override;
  const secure::Relation* find_relation(const secure::Schema& schema, std::string_view name) const override;
  const secure::Relation* relation_by_oid(Oid relation) const override;
  bool may(Oid user, secure::Privilege privilege, const secure::Relation& relation) const override;
  bool may_schema(Oid user, secure::Privilege privilege, const secure::Schema& schema) const override;
  bool may_column(Oid user, secure::Privilege privilege, const secure::Relation& relation, int16_t attnum) const override;
  std::optional<std::string> setting(std::string_view name) const override;
  int64_t transaction_time() const override { return 824914800000000; }  // 2026-02-20 15:00:00
  int64_t statement_time() const override { return 824914861000000; }
  std::string time_zone() const override;

  secure::Schema* add_schema(const std::string& name);
  secure::Relation* add_relation(secure::Relation relation);
  Oid user_named(const std::string& name);

  Oid user = 100;
  Oid next_oid = 1000;
  std::vector<std::unique_ptr<secure::Schema>> schemas;
  std::vector<std::unique_ptr<secure::Relation>> relations;
  std::map<std::string, Oid> users{{"awsuser", 100}};
  std::set<std::string> grants;  // "user privilege oid[.attnum]"
  std::map<std::string, std::string> settings;
};

class World {
 public:
  World();
  ~World();
  /// Runs a script; each failure names file and line.
  void run_file(const std::string& path);

  struct Answer {
    std::vector<std::string> types;
    std::vector<std::string> rows;
  };
  Result<Answer> execute(const std::string& sql);
  FakeCatalog catalog;
  std::string last_sql;

 private:
  Result<Answer> run_plan(const secure::plan::Statement& plan);
  Result<Answer> run_engine(const std::string& sql);
  Result<void> create_table(const sql::CreateTable& create);
  secure::Relation* new_relation(const sql::ObjectName& name, secure::RelationKind kind);
  void make_physical(secure::Relation& relation);
  void directive(const std::string& line);

  struct Host;
  std::unique_ptr<Host> host_;
  std::unique_ptr<duckdb::DuckDB> database_;
  std::unique_ptr<duckdb::Connection> connection_;
  std::map<int, std::string> parameters_;
  std::vector<sql::Type> declared_;
};

}  // namespace redoubt::warehouse::engine
