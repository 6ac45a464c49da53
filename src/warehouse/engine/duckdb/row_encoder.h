#pragma once
/// DuckDB's chunks as PostgreSQL DataRow messages, a column at a time: each column is first written into a strip of its own by a
/// loop that knows its type, then rows are put together from the strips. Three to four times as fast as row by row.
///
/// Text forms are Redshift's; binary forms PostgreSQL's, but for numeric from protocol 2 on (8 or 16 bytes, big-endian, the
/// scale is the RowDescription's) and for the interval types 1188 and 1190. Source: facts of redshift_connector and JDBC 2.3.
#include <duckdb.hpp>
#include <memory>
#include <string>
#include <vector>

#include "warehouse/engine/engine.h"

namespace redoubt::warehouse::engine {

/// Local time of timestamps with time zone, by the engine's zone tables.
class ZoneOffsets {
 public:
  virtual ~ZoneOffsets() = default;
  /// Seconds east of UTC at each instant; `micros` since 1970.
  virtual void at(std::span<const int64_t> micros, std::vector<int32_t>& seconds) = 0;
};

class RowEncoder {
 public:
  /// `types` are the SQL types of the result, `physical` DuckDB's. kInternal, naming the column, for a pair that can't be
  /// written.
  static Result<std::unique_ptr<RowEncoder>> make(const std::vector<secure::plan::Output>& columns,
                                                  const duckdb::vector<duckdb::LogicalType>& physical, const RowFormat& format,
                                                  std::shared_ptr<ZoneOffsets> zone);

  /// Appends the messages of rows [from, from + count).
  void encode(duckdb::DataChunk& chunk, size_t from, size_t count, std::string& out);
  /// The same rows as values (text columns: what a client would read).
  void values(duckdb::DataChunk& chunk, size_t from, size_t count, std::vector<std::vector<Datum>>& out);

  /// One column's strip: lengths (kNull for NULL) and the bytes after one another.
  struct Strip {
    static constexpr uint32_t kNull = 0xffffffff;
    std::vector<char> bytes;
    size_t size = 0;
    std::vector<uint32_t> lengths;

    char* room(size_t n) {
      if (bytes.size() < size + n) bytes.resize((size + n) * 2);
      return bytes.data() + size;
    }
  };
  struct Rows {
    duckdb::Vector& vector;
    const duckdb::UnifiedVectorFormat& format;
    size_t from, count;
  };
  using WriteColumn = std::function<void(const Rows&, Strip&)>;

 private:
  RowEncoder() = default;
  void fill(duckdb::DataChunk& chunk, size_t from, size_t count);

  std::vector<WriteColumn> writers_;
  std::vector<Strip> strips_;
};

}  // namespace redoubt::warehouse::engine
