#pragma once
/// One SQL session: what a signed-on client has, whatever carries its statements (the wire protocol, the Data API).
///
///   TRY(auto session, service.connect(exchange.identity(), options));
///   session->start_simple("SELECT 1; SELECT 2");                 // simple query: any number of statements
///   for (;;) {
///     TRY(Step step, session->step(output));                     // on a pool thread; output takes rows
///     switch (step.kind) {
///       case StepKind::kWaiting:   wait for step.wait (see Wait), then call step() again;  break;
///       case StepKind::kDescribed: send RowDescription(step.columns);                      break;
///       case StepKind::kRows:      send output.buffer; call again                          break;
///       case StepKind::kComplete:  send output.buffer, CommandComplete(step.tag)           break;
///       case StepKind::kEmpty:     EmptyQueryResponse                                      break;
///       case StepKind::kDone:      ReadyForQuery(session->transaction_status());          return;
///     }
///   }
///
/// Before each answer goes out, send take_notices() and take_parameter_changes(). An Error ends the batch: send it, then
/// ReadyForQuery. After an error in the extended protocol the caller skips to Sync and calls sync().
///
/// Nothing here waits for locks: a statement that must wait gives kWaiting, so a pool thread is never held by a blocked
/// statement. Everything else (the engine, COPY, UNLOAD) runs inside step()/execute() on the caller's thread.
/// Threads: one call at a time; cancel(), terminate() and the const members of SessionInfo from any.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "warehouse/engine/engine.h"
#include "warehouse/secure/plan.h"
#include "warehouse/session/auth.h"

namespace redoubt::warehouse::session {

/// Something that a statement waits for. `on_ready` is called exactly once, when it is worth trying again (granted, canceled,
/// timed out or deadlocked): from any thread, perhaps before when_ready() returns; it must only hand over.
class Wait {
 public:
  virtual ~Wait() = default;
  virtual void when_ready(std::function<void()> on_ready) = 0;
};

struct SessionOptions {
  std::string application_name;
  std::string remote_host = "127.0.0.1";
  int remote_port = 0;
  bool tls = false;
  int protocol = 0;  // negotiated client_protocol_version
  std::string driver_version, os_version;
  /// The startup packet's other parameters, applied as SET would: DateStyle, TimeZone, search_path, query_group, options.
  /// Unknown ones (driver's own) are ignored.
  std::vector<std::pair<std::string, std::string>> parameters;
};

/// Where a step puts rows: DataRow messages appended to `buffer`, or text values if `values` is set (Data API).
struct Output {
  std::string buffer;
  std::vector<std::vector<engine::Datum>>* values = nullptr;
};

enum class StepKind : uint8_t { kWaiting, kDescribed, kRows, kComplete, kSuspended, kEmpty, kDone };

struct Step {
  StepKind kind = StepKind::kDone;
  std::shared_ptr<Wait> wait;                 // kWaiting
  std::vector<secure::plan::Output> columns;  // kDescribed
  std::string tag;                            // kComplete: "INSERT 0 3"
  int64_t rows = 0;                           // kComplete: rows returned or touched
  std::string statement = {};                 // kComplete: which of the batch, for the Data API
};

struct Notice {
  std::string severity = "INFO";  // INFO, WARNING, NOTICE
  std::string sqlstate = "00000";
  std::string message, detail = {}, hint = {};
};

/// What Describe answers.
struct Description {
  std::vector<uint32_t> parameters;  // of statements, pg_type oids; empty for portals
  bool has_rows = false;             // false: NoData
  std::vector<secure::plan::Output> columns;
};

class Session {
 public:
  virtual ~Session() = default;  // rolls back, drops temporary tables, leaves the registry

  // Simple query. Everything is parsed first: an error there runs nothing. Without BEGIN the statements of one text are one
  // transaction, as in PostgreSQL. Rows come in text format.
  virtual Result<void> start_simple(std::string_view sql) = 0;
  virtual Result<Step> step(Output& output) = 0;

  // Extended query. Types are pg_type oids, 0 and 705 unspecified.
  /// At most one statement (none: EmptyQueryResponse at execute). The unnamed statement "" is replaced. Errors of analysis show
  /// here or at describe. Names are the client's; 10,000 at most.
  virtual Result<void> parse(const std::string& statement, std::string_view sql, std::span<const uint32_t> parameter_types) = 0;
  virtual Result<void> bind(const std::string& portal, const std::string& statement, std::vector<engine::Parameter> parameters,
                            std::vector<int16_t> result_formats) = 0;
  virtual Result<Description> describe_statement(const std::string& statement) = 0;
  virtual Result<Description> describe_portal(const std::string& portal) = 0;
  /// kWaiting, kRows, kComplete, kSuspended (max_rows reached; call again later) or kEmpty. max_rows 0: all.
  virtual Result<Step> execute(const std::string& portal, int64_t max_rows, Output& output) = 0;
  virtual void close_statement(const std::string& statement) = 0;  // unknown names are fine
  virtual void close_portal(const std::string& portal) = 0;
  /// Ends the implicit transaction: commits it, or rolls back after an error. Its Error goes out before ReadyForQuery.
  virtual Result<void> sync() = 0;

  virtual char transaction_status() const = 0;  // 'I', 'T' in a block, 'E' in a failed one
  virtual std::vector<Notice> take_notices() = 0;
  /// Reported settings that changed: ("application_name", "psql"). The first call has all that the startup reports but
  /// server_protocol_version, which is the wire's own.
  virtual std::vector<std::pair<std::string, std::string>> take_parameter_changes() = 0;

  virtual int pid() const = 0;  // BackendKeyData
  virtual int secret() const = 0;
  virtual const std::string& database() const = 0;
  virtual int protocol() const = 0;

  // From any thread.
  /// Ends the running statement with 57014; harmless when none runs.
  virtual void cancel() = 0;
  /// The same, and the next call on the session fails with kAdminShutdown. `on_terminate` (set once, early) lets the wire close.
  virtual void terminate(Error why) = 0;
  virtual void on_terminate(std::function<void()> callback) = 0;
  virtual std::optional<Error> terminated() const = 0;
};

/// Runs a whole text and gathers everything, waiting on the caller's thread: for tests and small internal work, never for an
/// io thread or a pool that commits run on.
struct Gathered {
  struct One {
    std::vector<secure::plan::Output> columns;
    std::vector<std::vector<engine::Datum>> rows;
    std::string tag;
  };
  std::vector<One> statements;
  std::optional<Error> error;
  std::vector<Notice> notices;
};
Gathered run_all(Session& session, std::string_view sql);

}  // namespace redoubt::warehouse::session
