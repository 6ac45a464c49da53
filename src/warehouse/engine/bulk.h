#pragma once
/// Rows in bulk: how COPY fills a table from its own scanner, how it loads Parquet, and how UNLOAD writes Parquet.
/// Engine-neutral: whoever scans writes values straight into the engine's columns, in the forms named here, and never learns
/// whose they are.
///
///   class Scanner : public LoadReader { Result<size_t> fill(std::span<LoadColumn> columns, size_t capacity) override; };
///   TRY(int64_t rows, connection.bulk().load({.table = "s1.t2", .columns = {{1, Type::kInteger}}, .source = &source}));
///
/// Everything here runs inside the connection's open transaction and takes part in it; an error makes the transaction failed.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/engine/engine.h"
#include "warehouse/sql/type.h"

namespace redoubt::warehouse::engine {

/// The form in which values of a type lie in memory. Dates are int32 days since 1970-01-01; time, timestamps int64 microseconds;
/// time with time zone int64 by time_tz_bits(); decimals the smallest integer for their precision (4, 9, 18, 38 digits).
/// kBytes is std::string_view: the bytes stay valid until the reader's next fill() is called.
enum class Storage : uint8_t { kBool, kInt16, kInt32, kInt64, kInt128, kFloat, kDouble, kBytes };
Storage storage_of(const sql::Type& type);
/// Local time of day and seconds east of UTC.
constexpr int64_t time_tz_bits(int64_t micros, int32_t offset_seconds) {
  constexpr int32_t kMax = 16 * 60 * 60 - 1;
  return (micros << 24) | (kMax - offset_seconds);
}

/// One column of a batch while a reader fills it.
struct LoadColumn {
  void* values = nullptr;     // an array of the type's Storage
  uint64_t* valid = nullptr;  // bit i % 64 of word i / 64: row i is not NULL; all set when fill() is called

  template <class T>
  T& at(size_t row) const {
    return static_cast<T*>(values)[row];
  }
  void set_null(size_t row) const { valid[row >> 6] &= ~(uint64_t{1} << (row & 63)); }
  void set_valid(size_t row) const { valid[row >> 6] |= uint64_t{1} << (row & 63); }
};

/// One thread's share of a load.
class LoadReader {
 public:
  virtual ~LoadReader() = default;
  /// Fills rows 0..n-1 of every column, n at most `capacity`; 0: nothing is left. An Error ends the whole load with it.
  virtual Result<size_t> fill(std::span<LoadColumn> columns, size_t capacity) = 0;
};

/// Where the rows of a load come from. Threads: any.
class LoadSource {
 public:
  virtual ~LoadSource() = default;
  virtual size_t readers_max() const = 0;
  virtual std::unique_ptr<LoadReader> reader() = 0;
};

struct BulkColumn {
  int16_t attnum = 0;
  sql::Type type;
};

struct BulkLoad {
  std::string_view table;                               // physical name
  std::vector<BulkColumn> columns;                      // what `source` fills, in its order
  std::vector<std::pair<BulkColumn, Datum>> constants;  // columns that get one value
  std::vector<BulkColumn> identities;                   // columns that get the next number of their sequence
  Oid relation = 0;                                     // whose sequences these are
  LoadSource* source = nullptr;
  bool check_only = false;  // read and count everything, store nothing
};

/// A file that the engine reads at random. Threads: several at once.
class RandomFile {
 public:
  virtual ~RandomFile() = default;
  virtual uint64_t size() const = 0;
  /// Exactly `size` bytes from `offset` on.
  virtual Result<void> read(uint64_t offset, char* out, size_t size) = 0;
};

struct ParquetColumn {
  std::string name;
  sql::Type type;       // nearest one; nested: kSuper
  std::string written;  // for messages: "INT64", "BYTE_ARRAY", "STRUCT"
  bool nested = false;
};

struct ParquetLoad {
  std::string_view table;
  struct Column {
    BulkColumn target;
    std::string name;  // of the target, for messages
    bool not_null = false;
    int position = -1;  // in the file, from 0; -1: absent, NULL
  };
  std::vector<Column> columns;
  std::vector<std::pair<BulkColumn, Datum>> constants;
  std::vector<BulkColumn> identities;
  Oid relation = 0;
  std::vector<std::shared_ptr<RandomFile>> files;
  bool check_only = false;
};

/// A file that the engine writes from its beginning to its end.
class SequentialFile {
 public:
  virtual ~SequentialFile() = default;  // without finish(): the file must not come into being
  virtual Result<void> write(std::string_view bytes) = 0;
  virtual Result<void> finish() = 0;
};

struct ParquetWrite {
  std::vector<std::string> names;         // of the columns, in order
  std::vector<std::string> partition_by;  // names; the files' other columns are written
  bool include_partitions = false;        // also the partition columns
  uint64_t file_size_max = 0;             // a new file is begun when one has become larger; 0: no limit
  uint64_t row_group_bytes = 0;           // 0: the engine's own
  bool one_at_a_time = false;             // one file after the other; without file_size_max it is one, rows in order
  /// Called when a file begins: its `n`-th of the partition ("" or "a=1/b=x", values percent-encoded). Threads: several at once.
  std::function<Result<std::unique_ptr<SequentialFile>>(const std::string& partition, int n)> open;
};

struct ParquetWritten {
  std::string partition;
  int n = 0;
  int64_t rows = 0;
};

/// Bulk transfers of one connection; it lives as long as the connection does. Threads: as the connection.
class Bulk {
 public:
  virtual ~Bulk() = default;
  /// Rows loaded (or counted). Errors: the source's own; a NULL in a NOT NULL column is kNotNullViolation.
  virtual Result<int64_t> load(const BulkLoad& load) = 0;
  /// The columns of a Parquet file. kInvalidText: it isn't one.
  virtual Result<std::vector<ParquetColumn>> parquet_columns(std::shared_ptr<RandomFile> file) = 0;
  virtual Result<int64_t> load_parquet(const ParquetLoad& load) = 0;
  /// Runs a kSelect and writes its rows; the files that came into being.
  virtual Result<std::vector<ParquetWritten>> write_parquet(const secure::plan::Statement& statement,
                                                            std::shared_ptr<const HostContext> host,
                                                            const ParquetWrite& write) = 0;
};

/// Local time of a zone. Threads: one at a time.
class LocalTime {
 public:
  virtual ~LocalTime() = default;
  virtual int64_t to_utc(int64_t local_micros) = 0;
};
/// Null for UTC. kInvalidParameterValue: no such zone. Threads: any.
Result<std::shared_ptr<LocalTime>> local_time(const std::string& zone);

}  // namespace redoubt::warehouse::engine
