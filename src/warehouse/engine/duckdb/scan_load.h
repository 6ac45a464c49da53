#pragma once
/// Bulk over a DuckDB connection: the table function redoubt_load() hands a LoadSource's rows to INSERT .. SELECT, which appends
/// them in parallel.
#include <duckdb.hpp>

#include "warehouse/engine/bulk.h"

namespace redoubt::warehouse::engine {

class DuckConnection;

class DuckBulk final : public Bulk {
 public:
  explicit DuckBulk(DuckConnection& connection) : connection_(connection) {}
  Result<int64_t> load(const BulkLoad& load) override;
  Result<std::vector<ParquetColumn>> parquet_columns(std::shared_ptr<RandomFile> file) override;
  Result<int64_t> load_parquet(const ParquetLoad& load) override;
  Result<std::vector<ParquetWritten>> write_parquet(const secure::plan::Statement& statement,
                                                    std::shared_ptr<const HostContext> host, const ParquetWrite& write) override;

 private:
  DuckConnection& connection_;
};

/// redoubt_load() and the file system of bulk transfers; once per instance, after opening.
void register_bulk(duckdb::DatabaseInstance& database);

/// `INSERT INTO table (columns, constants, identities) SELECT select, constants, nextval.. FROM from`, or a count of it.
struct BulkInsert {
  std::string sql;
  duckdb::vector<duckdb::Value> values;
};
Result<BulkInsert> bulk_insert(std::string_view table, std::span<const BulkColumn> columns, std::span<const std::string> select,
                               std::span<const std::pair<BulkColumn, Datum>> constants, std::span<const BulkColumn> identities,
                               Oid relation, const std::string& from, bool check_only);

}  // namespace redoubt::warehouse::engine
