#pragma once
/// The cluster's own logs: stl_load_errors, stl_connection_log, stl_query and the like. Rows are appended by sessions, kept in
/// memory up to a bound for each table (the oldest go first), and written to the engine in transactions of their own, so that
/// they outlive whatever the session rolls back, and restarts.
///
///   log.append("stl_load_errors", std::move(row));
///   TRY_VOID(log.flush());                       // durable when it returns; the rest is flushed in the background
///   for (auto& row : log.rows("stl_load_errors")) ..
///
/// Values are text in their column's type. Column 0 is `userid` in every log: users see their own rows, superusers all.
/// Threads: any.
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/engine.h"
#include "warehouse/system/source.h"

namespace redoubt::warehouse::system {

struct LogTable {
  std::string_view name;  // "stl_load_errors", in pg_catalog
  Oid oid = 0;
  std::vector<engine::SystemColumn> columns;
  size_t rows_max = 0;
  bool durable = true;  // false: memory alone (stl_query: a commit a query would cost too much)
};
std::span<const LogTable> log_tables();
const LogTable* find_log_table(std::string_view name);  // nullptr: none

class SystemLog {
 public:
  /// Reads what was kept. `engine` must outlive the log. Errors: the engine's.
  static Result<std::unique_ptr<SystemLog>> open(engine::Engine& engine);
  ~SystemLog();

  /// The row must have one value a column. Unknown tables are a broken invariant.
  void append(std::string_view table, Row row);
  Result<void> flush();
  std::vector<Row> rows(std::string_view table) const;

  /// Engine rows that this log keeps in the catalog's log to know its tables; the catalog must not read them.
  static bool is_own(const engine::CatalogRow& row);

 private:
  struct Kept {
    std::deque<Row> rows;
    size_t unwritten = 0;  // at the end of rows
    size_t stored = 0;     // rows in the engine's table, those already forgotten here included
  };
  explicit SystemLog(engine::Engine& engine) : engine_(engine) {}
  Result<void> load();
  Result<void> write(engine::Connection& connection, const LogTable& table, std::span<const Row> rows, bool replace);

  engine::Engine& engine_;
  std::mutex flush_mutex_;    // one flush at a time
  mutable std::mutex mutex_;  // guards kept_
  std::map<std::string, Kept, std::less<>> kept_;
};

}  // namespace redoubt::warehouse::system
