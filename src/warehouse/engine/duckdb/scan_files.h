#pragma once
/// The file system of bulk transfers, redoubt://<token>/..: what the engine reads and writes there are the objects of one running
/// statement. Tokens are random and live as long as a FileSet; nothing else is ever found there, and no SQL text of a user can
/// name a file.
#include <atomic>
#include <duckdb.hpp>
#include <map>
#include <mutex>

#include "warehouse/engine/bulk.h"

namespace redoubt::warehouse::engine {

/// The files of one statement. Threads: several at once, through the file system.
class FileSet {
 public:
  FileSet();
  ~FileSet();
  FileSet(const FileSet&) = delete;

  std::vector<std::shared_ptr<RandomFile>> reads;  // `read_path(i)` is the i-th
  const ParquetWrite* write = nullptr;

  std::string read_path(size_t i) const;
  std::string write_path() const;  // of a directory, or of the only file
  /// The first thing that went wrong below, which DuckDB knows as text only.
  std::optional<Error> take_error();
  void set_error(Error error);
  /// The file begun under that path.
  ParquetWritten written(const std::string& path);

  Result<std::shared_ptr<RandomFile>> open_read(const std::string& rest);
  Result<std::unique_ptr<SequentialFile>> open_write(const std::string& path, const std::string& rest);
  /// The set and the rest of a path; null: there is no such set.
  static FileSet* find(const std::string& path, std::string& rest);

 private:
  const std::string token_;
  std::mutex mutex_;
  std::optional<Error> error_;                     // guarded by mutex_
  std::map<std::string, int> begun_;               // files a partition, guarded by mutex_
  std::map<std::string, ParquetWritten> written_;  // by path, guarded by mutex_
};

void register_files(duckdb::DatabaseInstance& database);

}  // namespace redoubt::warehouse::engine
