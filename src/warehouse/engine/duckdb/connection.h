#pragma once
/// Connection over a DuckDB connection. Transaction state is our own: DuckDB answers success to a COMMIT after an interrupt.
#include <duckdb.hpp>
#include <memory>
#include <mutex>

#include "warehouse/engine/duckdb/database.h"
#include "warehouse/engine/duckdb/emit.h"
#include "warehouse/engine/duckdb/scan_load.h"
#include "warehouse/engine/duckdb/statement_state.h"
#include "warehouse/engine/engine.h"

namespace redoubt::warehouse::engine {

class DuckStream;

class DuckConnection final : public Connection {
 public:
  explicit DuckConnection(DuckDatabase& database);
  ~DuckConnection() override;

  State state() const override { return state_; }
  Result<void> begin() override;
  Result<Sequence> begin_snapshot() override;
  Result<Sequence> commit(const Publish& publish) override;
  void rollback() override;
  void interrupt() override;
  void expect_statement() override;

  Result<std::unique_ptr<ResultStream>> query(const secure::plan::Statement& statement, std::span<const Parameter> parameters,
                                              std::shared_ptr<const HostContext> host) override;
  Result<int64_t> execute(const secure::plan::Statement& statement, std::span<const Parameter> parameters,
                          std::shared_ptr<const HostContext> host) override;
  Result<int64_t> create_table_as(const secure::plan::Statement& statement, std::string_view table,
                                  std::span<const Parameter> parameters, std::shared_ptr<const HostContext> host) override;
  Result<void> note_write(Oid table) override;
  Result<void> note_read(Oid table) override;

  Result<void> create_schema(Oid schema) override;
  Result<void> drop_schema(Oid schema) override;
  Result<void> create_table(std::string_view table, std::span<const PhysicalColumn> columns) override;
  Result<void> drop_table(std::string_view table) override;
  Result<int64_t> copy_rows(std::string_view from, std::span<const int16_t> from_columns, std::string_view to,
                            std::span<const int16_t> to_columns) override;
  Result<void> add_column(std::string_view table, const PhysicalColumn& column, const Datum& value) override;
  Result<void> drop_column(std::string_view table, int16_t attnum) override;
  Result<void> alter_column_type(std::string_view table, const PhysicalColumn& column) override;
  Result<void> set_not_null(std::string_view table, int16_t attnum, bool not_null) override;
  Result<void> truncate(std::string_view table) override;
  Result<void> sort(std::string_view table, std::span<const int16_t> columns) override;
  Result<void> create_identity(std::string_view table, int16_t attnum, int64_t seed, int64_t step) override;
  Result<std::unique_ptr<Appender>> append_to(std::string_view table) override;
  Result<TableSize> size(std::string_view table) override;
  Bulk& bulk() override { return bulk_; }
  Result<std::vector<CatalogRow>> load_catalog() override;
  Result<void> append_catalog(std::span<const CatalogRow> rows) override;
  Result<void> compact_catalog(std::span<const CatalogRow> rows) override;

  // For the files of engine/duckdb (streams, tables, COPY's scanner and writer).
  /// A kSelect inside of a statement of the engine room's own: `before` its text `after`, guarded like any plan, to its end.
  /// `writes_files`: it may end in COPY TO a file of bulk transfers (write_parquet.cpp).
  Result<duckdb::unique_ptr<duckdb::QueryResult>> run_around(const secure::plan::Statement& statement, const std::string& before,
                                                             const std::string& after, std::shared_ptr<const HostContext> host,
                                                             bool writes_files);
  duckdb::ClientContext& context() { return *connection_.context; }
  duckdb::Connection& raw() { return connection_; }
  DuckDatabase& database() { return database_; }
  using Values = duckdb::vector<duckdb::Value>;
  /// One statement of the engine room's own, unguarded, to its end; the rows it counts or its first value as a number.
  /// Any error makes the transaction failed.
  Result<int64_t> run(const std::string& sql, Values values = {});
  /// The same with its rows kept.
  Result<duckdb::unique_ptr<duckdb::QueryResult>> rows(const std::string& sql, Values values = {});
  /// f(context) inside the transaction, outside of any statement; cancellable only if f looks.
  template <class F>
  Result<void> inside(F&& f);
  Result<duckdb::unique_ptr<duckdb::DataChunk>> fetch(duckdb::QueryResult& result);
  void attach(DuckStream& stream);
  void detach(DuckStream& stream);
  /// Open transaction with a snapshot and no live stream: what every call on data starts with.
  Result<void> ready();
  /// Makes the transaction failed and gives the error to show: a cancel, an Error of ours, or what DuckDB's means.
  Error failed(const duckdb::ErrorData& error);
  Error failed(Error error);

 private:
  Result<duckdb::unique_ptr<duckdb::QueryResult>> start(const std::string& sql, Values values, bool stream);
  Result<duckdb::unique_ptr<duckdb::QueryResult>> start_plan(const secure::plan::Statement& statement, const std::string& before,
                                                             std::span<const Parameter> parameters,
                                                             std::shared_ptr<const HostContext> host, bool stream,
                                                             const std::string& after = {});
  Result<Values> bind(const secure::plan::Statement& statement, std::span<const Parameter> parameters, const Emitted& emitted);
  Result<void> note(const secure::plan::Statement& statement);
  void end_stream(bool drop);
  void abandon();  // rolls back what the engine holds
  /// True from the start of a statement to its last row; while it is, interrupt() counts.
  void set_running(bool running);
  bool interrupted();
  Result<void> rewrite(std::string_view table, const std::string& select_tail);
  Result<void> note_shape(std::string_view table);

  DuckDatabase& database_;
  duckdb::Connection connection_;
  duckdb::shared_ptr<StatementState> statement_;
  State state_ = State::kIdle;
  std::optional<Isolation::Id> transaction_;  // set: the snapshot is taken
  /// While it lives, the database counts as used.
  struct Use {
    explicit Use(Resources::Member& m) : member(m) { member.busy(); }
    ~Use() { member.idle(); }
    Use(const Use&) = delete;
    Resources::Member& member;
  };
  std::optional<Use> used_;
  std::unordered_set<std::string> changed_;  // tables updated or deleted from in this transaction: ALTER must rewrite them
  DuckStream* stream_ = nullptr;
  DuckBulk bulk_{*this};

  std::mutex interrupt_mutex_;
  bool running_ = false, interrupted_ = false;  // guarded by interrupt_mutex_
};

template <class F>
Result<void> DuckConnection::inside(F&& f) {
  if (auto ok = ready(); !ok) return ok;
  try {
    connection_.context->RunFunctionInTransaction([&] { f(*connection_.context); });
    return {};
  } catch (const std::exception& e) {
    return std::unexpected(failed(duckdb::ErrorData(e)));
  }
}

}  // namespace redoubt::warehouse::engine
