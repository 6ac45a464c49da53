#pragma once
/// The engine: where the rows of a cluster live. One Engine is one cluster's open database (all its databases: physical names
/// are opaque, see catalog), one Connection one SQL session's way into it. Nothing here belongs to one implementation;
/// engine/duckdb is the embedded one.
///
///   TRY(auto engine, Engine::open({.directory = dir, .key = key32, .resources = resources}));
///   TRY(auto connection, engine->connect());
///   TRY_VOID(connection->begin());
///   TRY(auto rows, connection->query(plan, parameters, host));            // SELECT
///   while (true) {
///     std::string buffer;
///     TRY(Fetched got, rows->encode(format, kAllRows, buffer));           // DataRow messages, about 256 KiB
///     send(buffer);
///     if (got.done) break;
///   }
///   TRY(Sequence sequence, connection->commit([&](Sequence s) { catalog.publish(s); }));
///
/// Text of the implementation (its SQL, its errors) never leaves it: errors are Redshift's (secure/errors.h, errors.h).
///
/// Transactions. A Connection is idle, open or failed. begin() only opens; the snapshot is taken by the first call that touches
/// data (or by begin_snapshot()), so that locks can be waited for before. Everything but begin, commit, rollback and interrupt
/// needs an open transaction. An error while a statement runs makes it failed: then only rollback() helps, and commit() rolls
/// back and says so.
///
/// Isolation. Commit and its sequence number are one step, and so are snapshot and the number that it has seen. Each statement's
/// `reads` and `writes` are noted per table; a table written after the snapshot can't be written again, and a transaction
/// that would close a cycle of rw-conflicts ends with error 1023 (isolation.h). Whoever writes holds the table's lock (session
/// room).
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "warehouse/engine/errors.h"
#include "warehouse/engine/resources.h"
#include "warehouse/secure/plan.h"
#include "warehouse/secure/scope.h"
#include "warehouse/sql/type.h"

namespace redoubt::warehouse::engine {

using secure::Datum;
using secure::Oid;
using Sequence = uint64_t;  // of commits; 0 is the empty past

/// A value for $n: text as the client wrote it, or PostgreSQL's binary form of the plan's type for $n.
struct Parameter {
  Datum value;
  bool binary = false;
};

// ------------------------------------------------------------------------------------------------ what a statement calls back

struct SystemColumn {
  std::string name;
  sql::Type type;
};

/// Rows of a system relation, one after the other, values in text form. Threads: one at a time, not always the same.
class SystemRows {
 public:
  virtual ~SystemRows() = default;
  /// Fills `row` (as many values as the relation has columns); false at the end.
  virtual Result<bool> next(std::vector<Datum>& row) = 0;
};

/// What a running statement may ask of its session. Immutable while the statement runs; called from any thread, several at once.
class HostContext {
 public:
  virtual ~HostContext() = default;
  /// The declared columns of `schema.relation` in order; empty if there is no such relation.
  virtual std::vector<SystemColumn> system_columns(std::string_view relation) const = 0;
  virtual Result<std::unique_ptr<SystemRows>> system_rows(std::string_view relation) const = 0;
  virtual const secure::HostFunctions& host_functions() const = 0;
};

// ------------------------------------------------------------------------------------------------ results

/// How a client wants its rows. Formats: none (all text), one for all columns, or one a column; 0 text, 1 binary.
struct RowFormat {
  std::vector<int16_t> formats;
  int protocol = 0;               // negotiated client_protocol_version; from 2 on numeric's binary form is Redshift's own
  std::string time_zone = "UTC";  // of timestamptz in text
  int extra_float_digits = 0;     // as SET; 0: 15 (double) and 6 (real) significant digits, above: shortest exact form
};

inline constexpr int64_t kAllRows = INT64_MAX;

struct Fetched {
  int64_t rows = 0;   // in this piece
  bool done = false;  // nothing follows
};

/// The rows of one SELECT. It lives in its transaction: commit and rollback end it (kStreamEnded) unless it was materialised.
/// Another statement on the same connection materialises it first by itself. Destroying it early stops the query.
/// Threads: one at a time, never while another call on its connection runs.
class ResultStream {
 public:
  virtual ~ResultStream() = default;
  virtual const std::vector<secure::plan::Output>& columns() const = 0;

  /// Appends complete DataRow messages to `buffer` until that holds about 256 KiB, max_rows are reached or the rows end.
  /// A client that asks for fewer rows gets the next ones by the next call. Blocks while the engine computes.
  virtual Result<Fetched> encode(const RowFormat& format, int64_t max_rows, std::string& buffer) = 0;

  /// The same as values in text form, at most max_rows of them.
  virtual Result<Fetched> values(int64_t max_rows, std::vector<std::vector<Datum>>& rows, const RowFormat& format = {}) = 0;

  /// Runs the query to its end and keeps the rows (beyond memory: in encrypted temporary files).
  virtual Result<void> materialise() = 0;
};

// ------------------------------------------------------------------------------------------------ tables

/// Physical names: `s<schema oid>.t<table oid>`; columns are c<attnum>.
std::string physical_name(Oid schema, Oid table);

struct PhysicalColumn {
  int16_t attnum = 0;
  sql::Type type;
  bool not_null = false;
};

struct TableSize {
  int64_t rows = 0;
  int64_t bytes = 0;  // blocks on disk; 0 while the rows are only in the write-ahead log
};

/// Rows put into a table one after the other, in the connection's transaction. Values are text in their column's type.
class Appender {
 public:
  virtual ~Appender() = default;  // what finish() hasn't confirmed may or may not be in the transaction: roll back
  virtual Result<void> append(std::span<const Datum> row) = 0;  // one value a column of the table, in attnum order
  virtual Result<int64_t> finish() = 0;                         // rows appended in all
};

/// One change of the catalog, opaque to the engine. The latest row of (kind, oid) by seq counts; the catalog room says how.
struct CatalogRow {
  int64_t seq = 0;  // set by append_catalog
  Oid oid = 0;
  std::string kind;
  std::string body;  // JSON; what an empty one means is the catalog's to say
};

// ------------------------------------------------------------------------------------------------ connections

class Bulk;  // bulk.h: COPY's and UNLOAD's way in and out

class Connection {
 public:
  enum class State : uint8_t { kIdle, kOpen, kFailed };
  virtual ~Connection() = default;  // rolls back

  virtual State state() const = 0;

  // Transactions
  virtual Result<void> begin() = 0;
  /// Takes the snapshot unless it is taken, and says which commits it has seen.
  virtual Result<Sequence> begin_snapshot() = 0;
  /// Commits; `publish` runs inside the same critical section, before any later snapshot can start, and must not call the engine
  /// nor block. Durable when it returns. The sequence is the last one seen if nothing was written (publish is called all the
  /// same). Errors (the transaction is rolled back, publish not called): kTransactionAborted, kSerializationFailure, kDiskFull,
  /// kInternal.
  using Publish = std::function<void(Sequence)>;
  virtual Result<Sequence> commit(const Publish& publish = {}) = 0;
  virtual void rollback() = 0;  // also when idle

  /// Stops the running statement (it ends with kQueryCanceled); harmless when none runs. Threads: any.
  virtual void interrupt() = 0;
  /// A statement is about to run: an interrupt() from here on counts, before the engine has begun with it.
  virtual void expect_statement() = 0;

  // Statements
  /// Runs a kSelect. The first rows may be computed before it returns, the rest when they are fetched.
  /// `host` must answer until the stream is gone.
  virtual Result<std::unique_ptr<ResultStream>> query(const secure::plan::Statement& statement,
                                                      std::span<const Parameter> parameters,
                                                      std::shared_ptr<const HostContext> host) = 0;
  /// Runs INSERT, UPDATE, DELETE or MERGE; how many rows it touched.
  virtual Result<int64_t> execute(const secure::plan::Statement& statement, std::span<const Parameter> parameters,
                                  std::shared_ptr<const HostContext> host) = 0;
  /// Fills `table` (made by create_table with the statement's columns as attnums 1..n) with the rows of a kCreateTableAs.
  virtual Result<int64_t> create_table_as(const secure::plan::Statement& statement, std::string_view table,
                                          std::span<const Parameter> parameters, std::shared_ptr<const HostContext> host) = 0;

  // Notes for isolation, where no plan does it: COPY, TRUNCATE, VACUUM, DDL. kSerializationFailure if `table` was written
  // after the snapshot.
  virtual Result<void> note_write(Oid table) = 0;
  virtual Result<void> note_read(Oid table) = 0;

  // Tables. All of them take part in the transaction and roll back with it. Call note_write where others may know the table.
  virtual Result<void> create_schema(Oid schema) = 0;  // existing: fine
  virtual Result<void> drop_schema(Oid schema) = 0;    // must be empty; missing: fine
  virtual Result<void> create_table(std::string_view table, std::span<const PhysicalColumn> columns) = 0;
  virtual Result<void> drop_table(std::string_view table) = 0;  // with its identity sequences
  /// Moves the rows to another schema's name (ALTER TABLE SET SCHEMA needs none of it: names are opaque. APPEND does).
  virtual Result<int64_t> copy_rows(std::string_view from, std::span<const int16_t> from_columns, std::string_view to,
                                    std::span<const int16_t> to_columns) = 0;
  /// Existing rows get `value` (text form of the type; NULL if not given).
  virtual Result<void> add_column(std::string_view table, const PhysicalColumn& column, const Datum& value) = 0;
  virtual Result<void> drop_column(std::string_view table, int16_t attnum) = 0;
  virtual Result<void> alter_column_type(std::string_view table, const PhysicalColumn& column) = 0;
  virtual Result<void> set_not_null(std::string_view table, int16_t attnum, bool not_null) = 0;
  virtual Result<void> truncate(std::string_view table) = 0;
  /// Rewrites the table in the order of these columns (VACUUM of a SORTKEY), dropping what deletes left behind.
  virtual Result<void> sort(std::string_view table, std::span<const int16_t> columns) = 0;
  /// The sequence behind an IDENTITY column: `i<table oid>_c<attnum>` in the table's schema.
  virtual Result<void> create_identity(std::string_view table, int16_t attnum, int64_t seed, int64_t step) = 0;
  virtual Result<std::unique_ptr<Appender>> append_to(std::string_view table) = 0;
  virtual Result<TableSize> size(std::string_view table) = 0;
  virtual Bulk& bulk() = 0;  // lives as long as the connection

  // The catalog's own log
  virtual Result<std::vector<CatalogRow>> load_catalog() = 0;                 // by seq
  virtual Result<void> append_catalog(std::span<const CatalogRow> rows) = 0;  // in the current transaction
  /// Replaces the whole log by these rows (what still counts), so that it doesn't grow for ever.
  virtual Result<void> compact_catalog(std::span<const CatalogRow> rows) = 0;
};

// ------------------------------------------------------------------------------------------------ the database

class Engine {
 public:
  struct Options {
    std::string directory;                 // of this cluster, made if missing; holds the data file, its log and temporary files
    std::string key;                       // 32 bytes; everything written there is encrypted under it
    std::shared_ptr<Resources> resources;  // the process's memory and threads, shared by all engines
  };

  /// Opens or creates. Blocks for 10 to 400 ms. Errors: kAlreadyOpen, kCannotOpen, kInternal. Threads: any.
  static Result<std::unique_ptr<Engine>> open(Options options);
  /// The same on a thread of its own, for servers that are ready before their engines are.
  static std::shared_future<std::shared_ptr<Result<std::unique_ptr<Engine>>>> open_in_background(Options options);

  /// Checkpoints and closes. Its connections must be gone.
  virtual ~Engine() = default;

  virtual Result<std::unique_ptr<Connection>> connect() = 0;  // threads: any
  virtual Result<void> checkpoint() = 0;                      // threads: any
  virtual Sequence last_sequence() const = 0;                 // threads: any
  /// Gives back cached memory, for a cluster that nobody uses.
  virtual void release_memory() = 0;
};

}  // namespace redoubt::warehouse::engine
