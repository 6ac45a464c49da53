#pragma once
/// Session, implemented. Session room only.
///   sql_session.cpp   start and end, facts, notices, cancel, prepared statements and portals
///   run.cpp           one statement from its start to its last row; the simple query's batch
///   transaction.cpp   BEGIN to COMMIT, locks, errors
///   commands.h        what each utility statement does: functions over Work
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "warehouse/session/core.h"
#include "warehouse/session/facts.h"
#include "warehouse/session/parameter_types.h"
#include "warehouse/session/session.h"
#include "warehouse/session/settings.h"
#include "warehouse/session/view.h"
#include "warehouse/sql/parser.h"

namespace redoubt::warehouse::session {

using StatementPtr = std::shared_ptr<const sql::Statement>;
class ProcedureCall;
using StreamPtr = std::unique_ptr<engine::ResultStream>;

/// What a statement ended with, or that it must wait.
struct Outcome {
  std::string tag;
  int64_t rows = 0;
  StreamPtr stream;           // rows to send; the tag is completed with their number
  bool count_in_tag = false;  // "SELECT 3", "FETCH 3": Redshift's SELECT has none below protocol rules; see run.cpp
  std::shared_ptr<Wait> wait;
};
inline Outcome done(std::string tag) { return {.tag = std::move(tag)}; }

struct Prepared {
  StatementPtr statement;  // null: empty
  std::vector<sql::Type> declared;
  std::optional<std::vector<sql::Type>> told;  // the columns' types, where the client has asked for them
  std::vector<uint32_t> declared_oids = {};    // as the client said: it is told the same
};

/// A statement on its way: of the batch, or a portal's.
struct Running {
  StatementPtr statement;  // null: empty
  std::vector<sql::Type> declared;
  std::vector<engine::Parameter> parameters;
  std::optional<std::vector<sql::Type>> told;  // as Prepared's: rows must come so
  std::vector<sql::Type> generic;              // what it was told with
  engine::RowFormat format;
  bool entered = false;  // runs: shows in the registry, can be canceled
  bool started = false, described = false, finished = false;
  StreamPtr stream;
  std::shared_ptr<ProcedureCall> call;  // CALL: goes on where it waited
  std::string tag;
  bool count_in_tag = false;
  int64_t rows = 0;
  int64_t budget = -1;  // rows the current Execute may still send; -1: none is under way
  Timestamp began;
  int query = 0;
};

struct Cursor {
  std::shared_ptr<engine::ResultStream> stream;
  bool with_hold = false;
};

class SqlSession;

/// What a utility statement works with. Lives for one attempt of one statement.
struct Work {
  SqlSession& session;
  ServiceCore& core;
  const sql::Statement& statement;
  FactsPtr facts;
  View& view;
  catalog::Transaction& changes;
  std::span<const engine::Parameter> parameters = {};
  std::span<const sql::Type> declared = {};  // their types, as far as the client told

  const catalog::Snapshot& now() const { return *changes.view(); }  // with what this statement has changed so far
  const catalog::Identities& who() const { return facts->who; }
  bool superuser() const { return facts->who.superuser; }
  Result<engine::Connection*> engine();  // in an open transaction
  /// null: all are held. Keys in any order.
  Result<std::shared_ptr<Wait>> lock(std::vector<LockKey> keys);
  void notice(std::string severity, std::string message, std::string sqlstate = "00000");
};

/// LOCK_OR_WAIT(work, {keys}): goes on with the locks held, or returns the wait (or the error) from the enclosing function.
#define LOCK_OR_WAIT(work, ...)                                   \
  do {                                                            \
    auto wait_ = (work).lock(std::vector<LockKey> __VA_ARGS__);   \
    if (!wait_) return std::unexpected(std::move(wait_).error()); \
    if (*wait_) return Outcome{.wait = *wait_};                   \
  } while (0)

class SqlSession : public Session {
 public:
  SqlSession(std::shared_ptr<ServiceCore> core, const Identity& identity, SessionOptions options, int pid, int secret);
  ~SqlSession() override;
  void apply_startup();

  Result<void> start_simple(std::string_view sql) override;
  Result<Step> step(Output& output) override;
  Result<void> parse(const std::string& statement, std::string_view sql, std::span<const uint32_t> parameter_types) override;
  Result<void> bind(const std::string& portal, const std::string& statement, std::vector<engine::Parameter> parameters,
                    std::vector<int16_t> result_formats) override;
  Result<Description> describe_statement(const std::string& statement) override;
  Result<Description> describe_portal(const std::string& portal) override;
  Result<Step> execute(const std::string& portal, int64_t max_rows, Output& output) override;
  void close_statement(const std::string& statement) override;
  void close_portal(const std::string& portal) override;
  Result<void> sync() override;
  char transaction_status() const override { return tx_.failed ? 'E' : tx_.block ? 'T' : 'I'; }
  std::vector<Notice> take_notices() override;
  std::vector<std::pair<std::string, std::string>> take_parameter_changes() override;
  int pid() const override { return pid_; }
  int secret() const override { return secret_; }
  const std::string& database() const override { return database_name_; }
  int protocol() const override { return options_.protocol; }
  void cancel() override;
  void terminate(Error why) override;
  void on_terminate(std::function<void()> callback) override;
  std::optional<Error> terminated() const override;

  system::SessionRow describe_self() const;  // any thread
  uint64_t transaction_id() const { return shared_transaction_; }

  // What statements (commands.h) change of their session.
  ServiceCore& core() { return *core_; }
  Settings& settings() { return settings_; }
  void notice(Notice notice) {
    notice_bytes_ += notice.message.size() + 100;
    notices_.push_back(std::move(notice));
  }
  size_t unsent_message_bytes() const { return notice_bytes_; }
  bool in_block() const { return tx_.block; }
  /// Appended to the cluster's log when the transaction commits.
  void log_on_commit(std::string_view table, system::Row row) { logged_.emplace_back(table, std::move(row)); }
  void made_temporaries() { temporaries_ = true; }  // the session has a temporary schema to clear
  void forget_past();                               // what functions tell of earlier statements: pg_last_query_id()
  Result<void> become(catalog::Oid user);           // SET SESSION AUTHORIZATION; 0: back
  catalog::Oid authenticated_user() const { return authenticated_user_; }
  catalog::Oid session_user() const { return session_user_; }
  std::map<std::string, Prepared>& prepared() { return statements_; }
  std::map<std::string, Cursor>& cursors() { return cursors_; }
  FactsPtr make_facts();
  engine::RowFormat text_format() const;
  Result<Description> describe(const StatementPtr& statement, std::span<const sql::Type> declared);
  Result<engine::Connection*> open_engine();
  Result<std::shared_ptr<Wait>> lock(std::vector<LockKey> keys);
  Result<void> commit();  // the transaction as it is: TRUNCATE, COMMIT
  void rollback();
  void begin_block(bool read_only);
  void use_database(catalog::Oid database, std::string name);
  catalog::Oid use_origin() const { return connected_database_; }
  int64_t last_copy_count = 0, last_unload_count = 0;
  int last_copy = -1, last_query = -1, current_query = -1;
  std::function<bool()> cancel_probe();

  // What a procedure does in its session (procedure_call.h).
  /// Whose rights count from now on, beside the session user: SECURITY DEFINER. 0: the session user's. `temp_last`: the caller's
  /// temporary tables stand in for nothing that the procedure's own search_path finds.
  void act_as(catalog::Oid user, bool temp_last = false) {
    acting_user_ = user;
    temp_last_ = temp_last;
  }
  catalog::Oid current_user() const { return acting_user_ ? acting_user_ : session_user_; }
  /// One statement inside a CALL: everything that start() does. `expression`: only to compute a value, which a handler may do
  /// even in a block that has failed.
  Result<Outcome> run_inside(Running& inner, bool expression = false);
  catalog::Transaction& changes() { return *tx_.changes; }
  /// set_config() of the statement that just ended.
  Result<void> apply_effects();
  void ensure_transaction();
  /// Rolls back and leaves a block in which nothing but its end is heard.
  void abort_block();
  Result<void> check_running();  // canceled, timed out or terminated?
  const SessionOptions& options() const { return options_; }

 private:
  // run.cpp
  Result<Step> advance(Running& running, int64_t max_rows, Output& output, bool describe, bool last);
  Result<Outcome> start(Running& running);
  Result<Outcome> dispatch(Running& running, Work& work);
  Result<Outcome> run_query(Running& running, Work& work);
  Result<Step> finish(Running& running, bool last);
  void log_statement(const Running& running, bool aborted);
  void enter(const sql::Statement& statement);  // shows in the registry, arms the timeout
  void leave();
  Error failed(Error error);  // after an error: the transaction's fate
  Error canceled_error(Error error);
  Result<void> check_alive();
  Result<void> check_allowed(const sql::Command& command);

  // transaction.cpp
  void end_transaction(bool committed);
  Result<Outcome> transaction_command(const sql::Transaction& command);
  void drop_temporaries();
  void set_session_user(catalog::Oid user);

  struct Tx {
    bool active = false, block = false, failed = false, read_only = false;
    uint64_t id = 0;
    Timestamp started;
    catalog::Oid user = 0;  // session user when it began: SET SESSION AUTHORIZATION is rolled back, too
    std::unique_ptr<catalog::Transaction> changes;
  };
  struct Batch {
    std::vector<StatementPtr> statements;
    size_t next = 0;
    std::optional<Running> running;
    bool active = false, empty = false;
  };

  std::shared_ptr<ServiceCore> core_;
  SessionOptions options_;
  const int pid_, secret_;
  const Timestamp connected_;
  catalog::Oid authenticated_user_ = 0, session_user_ = 0, acting_user_ = 0;
  bool temp_last_ = false;
  std::vector<catalog::Oid> extra_groups_;
  catalog::Oid database_ = 0, connected_database_ = 0;
  std::string database_name_;
  std::string authmethod_;
  bool temporaries_ = false;  // did this session ever make a temporary table

  Settings settings_;
  std::unique_ptr<engine::Connection> connection_;
  Tx tx_;
  Batch batch_;
  std::map<std::string, Prepared> statements_;
  /// Parsed since the last Sync and neither described nor run: gone if an error comes first, as if Parse itself had failed.
  std::set<std::string> unproven_;
  std::map<std::string, Running> portals_;
  std::map<std::string, Cursor> cursors_;
  std::shared_ptr<Effects> effects_;  // of the statement that runs: set_config()
  std::vector<Notice> notices_;
  size_t notice_bytes_ = 0;
  std::vector<std::pair<std::string, system::Row>> logged_;  // by this transaction
  std::map<std::string, std::string> reported_;
  std::shared_ptr<void> timeout_, idle_limit_;

  // Shared with other threads.
  enum class Stop : int { kNone, kCancel, kTimeout };
  mutable std::mutex shared_mutex_;  // guards what follows
  bool running_ = false;
  engine::Connection* shared_connection_ = nullptr;
  std::string shared_statement_;
  Timestamp shared_statement_started_;
  std::string shared_user_, shared_database_, shared_application_;
  catalog::Oid shared_user_id_ = 0;
  std::optional<Error> terminated_;
  std::function<void()> on_terminate_;
  std::atomic<Stop> stop_{Stop::kNone};
  std::atomic<uint64_t> shared_transaction_{0};
  void stop_running(Stop why);
  friend struct Work;
};

}  // namespace redoubt::warehouse::session
