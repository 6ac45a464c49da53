#pragma once
/// ResultStream over a DuckDB result: streaming first, materialised into spillable blocks when it must outlive its statement.
#include <duckdb.hpp>
#include <duckdb/common/types/column/column_data_collection.hpp>
#include <memory>

#include "warehouse/engine/duckdb/row_encoder.h"
#include "warehouse/engine/engine.h"

namespace redoubt::warehouse::engine {

class DuckConnection;

class DuckStream final : public ResultStream {
 public:
  DuckStream(DuckConnection& connection, std::vector<secure::plan::Output> columns,
             duckdb::unique_ptr<duckdb::QueryResult> result, std::shared_ptr<const HostContext> host);
  ~DuckStream() override;

  const std::vector<secure::plan::Output>& columns() const override { return columns_; }
  Result<Fetched> encode(const RowFormat& format, int64_t max_rows, std::string& buffer) override;
  Result<Fetched> values(int64_t max_rows, std::vector<std::vector<Datum>>& rows, const RowFormat& format) override;
  Result<void> materialise() override;

  /// Stops: rows that weren't kept are gone. `materialised` ones stay unless `drop`.
  void end(bool drop);
  bool live() const { return result_ != nullptr; }

 private:
  template <class Take>
  Result<Fetched> fetch(const RowFormat& format, int64_t max_rows, Take&& take);
  Result<void> next_chunk();  // chunk_ is null at the end
  Result<void> use(const RowFormat& format);

  DuckConnection* connection_;  // null when the stream has left it
  std::vector<secure::plan::Output> columns_;
  std::shared_ptr<const HostContext> host_;
  duckdb::vector<duckdb::LogicalType> types_;

  duckdb::unique_ptr<duckdb::QueryResult> result_;  // while it streams
  std::unique_ptr<duckdb::ColumnDataCollection> kept_;
  duckdb::ColumnDataScanState scan_;
  duckdb::unique_ptr<duckdb::DataChunk> chunk_;
  size_t offset_ = 0;  // rows of chunk_ already given
  bool finished_ = false, ended_ = false;

  std::unique_ptr<RowEncoder> encoder_;
  RowFormat format_;
};

}  // namespace redoubt::warehouse::engine
