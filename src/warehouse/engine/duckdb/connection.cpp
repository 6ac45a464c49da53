#include "warehouse/engine/duckdb/connection.h"

#include <duckdb/main/pending_query_result.hpp>
#include <duckdb/main/stream_query_result.hpp>
#include <duckdb/transaction/meta_transaction.hpp>
#include <duckdb/transaction/transaction.hpp>

#include "base/log.h"
#include "base/text.h"
#include "warehouse/engine/duckdb/duck.h"
#include "warehouse/engine/duckdb/stream.h"
#include "warehouse/engine/duckdb/values.h"

namespace redoubt::warehouse::engine {
namespace {

namespace plan = secure::plan;

std::unexpected<Error> aborted() {
  return fail(kTransactionAborted, "current transaction is aborted, commands ignored until end of transaction block");
}

}  // namespace

DuckConnection::DuckConnection(DuckDatabase& database)
    : database_(database), connection_(database.instance()), statement_(duckdb::make_shared_ptr<StatementState>()) {
  connection_.context->registered_state->Insert(StatementState::kKey, statement_);
}

DuckConnection::~DuckConnection() { rollback(); }

// ------------------------------------------------------------------------------------------------------------- transactions

Result<void> DuckConnection::begin() {
  if (state_ != State::kIdle) return fail(kInternal, "begin() in a transaction");
  state_ = State::kOpen;
  return {};
}

Result<Sequence> DuckConnection::begin_snapshot() {
  if (state_ == State::kIdle) return fail(kNoTransaction, "there is no transaction in progress");
  if (state_ == State::kFailed) return aborted();
  std::lock_guard lock(database_.commit_mutex);
  if (!transaction_) {
    auto started = guarded([&]() -> Result<void> {
      connection_.BeginTransaction();
      // The engine's snapshot starts at the first access: now, so that it and the sequence are one.
      connection_.context->RunFunctionInTransaction(
          [&] { duckdb::Transaction::Get(*connection_.context, database_.attached()); });
      return {};
    });
    if (!started) {
      state_ = State::kFailed;
      return std::unexpected(std::move(started).error());
    }
    transaction_ = database_.isolation.begin();
    used_.emplace(database_.membership());
  }
  return database_.isolation.snapshot(*transaction_);
}

Result<Sequence> DuckConnection::commit(const Publish& publish) {
  if (state_ == State::kIdle) return fail(kNoTransaction, "there is no transaction in progress");
  if (state_ == State::kFailed) {
    rollback();
    return aborted();
  }
  end_stream(false);
  set_running(false);  // a commit isn't interrupted
  if (!transaction_) TRY_VOID(begin_snapshot());
  Result<Sequence> done = [&]() -> Result<Sequence> {
    std::lock_guard lock(database_.commit_mutex);
    TRY_VOID(database_.isolation.may_commit(*transaction_));
    TRY_VOID(guarded([&]() -> Result<void> {
      if (!connection_.HasActiveTransaction()) return fail(kInternal, "the engine lost the transaction");
      connection_.Commit();
      return {};
    }));
    Sequence sequence = database_.isolation.commit(*transaction_);
    transaction_.reset();
    if (publish) publish(sequence);
    return sequence;
  }();
  if (!done) {
    rollback();
    return done;
  }
  used_.reset();
  changed_.clear();
  state_ = State::kIdle;
  return done;
}

void DuckConnection::rollback() {
  end_stream(false);
  set_running(false);
  abandon();
  changed_.clear();
  state_ = State::kIdle;
}

void DuckConnection::abandon() {
  auto done = guarded([&]() -> Result<void> {
    if (connection_.HasActiveTransaction()) connection_.Rollback();
    return {};
  });
  if (!done) log::warn("engine: rolling back failed");
  if (transaction_) {
    std::lock_guard lock(database_.commit_mutex);
    database_.isolation.abort(*transaction_);
    transaction_.reset();
  }
  used_.reset();
}

void DuckConnection::interrupt() {
  std::lock_guard lock(interrupt_mutex_);
  if (!running_) return;
  interrupted_ = true;
  connection_.Interrupt();
}

void DuckConnection::expect_statement() {
  std::lock_guard lock(interrupt_mutex_);
  if (stream_ && running_) return;  // a cursor's rows are still to come: it is the statement
  running_ = true;
  interrupted_ = false;
}

void DuckConnection::set_running(bool running) {
  std::lock_guard lock(interrupt_mutex_);
  if (!running) interrupted_ = false;
  running_ = running;
}

bool DuckConnection::interrupted() {
  std::lock_guard lock(interrupt_mutex_);
  return interrupted_;
}

// --------------------------------------------------------------------------------------------------------------- statements

Result<void> DuckConnection::ready() {
  if (state_ == State::kFailed) return aborted();
  TRY_VOID(begin_snapshot());
  if (stream_) {
    if (auto kept = stream_->materialise(); !kept) return std::unexpected(failed(std::move(kept).error()));
  }
  return {};
}

Error DuckConnection::failed(Error error) {
  state_ = State::kFailed;
  return error;
}

Error DuckConnection::failed(const duckdb::ErrorData& error) {
  state_ = State::kFailed;
  bool stopped = interrupted();
  set_running(false);
  if (stopped) {
    statement_->take_error();
    return {&kQueryCanceled, "Query cancelled on user's request"};
  }
  if (auto ours = statement_->take_error()) return *std::move(ours);
  return to_error(error);
}

Result<duckdb::unique_ptr<duckdb::QueryResult>> DuckConnection::start(const std::string& sql, Values values, bool stream) {
  set_running(true);
  try {
    duckdb::QueryParameters how(stream);
    duckdb::case_insensitive_map_t<duckdb::BoundParameterData> named;
    for (size_t i = 0; i < values.size(); ++i)
      named.emplace(std::to_string(i + 1), duckdb::BoundParameterData(std::move(values[i])));
    auto pending =
        named.empty() ? connection_.context->PendingQuery(sql, how) : connection_.context->PendingQuery(sql, named, how);
    if (pending->HasError()) return std::unexpected(failed(pending->GetErrorObject()));
    // An interrupt that came before the engine cleared its own flag. It is told again: else cleaning up would run the statement
    // to its end.
    if (interrupted()) {
      connection_.Interrupt();
      return std::unexpected(failed(duckdb::ErrorData(duckdb::ExceptionType::INTERRUPT, "")));
    }
    auto result = pending->Execute();
    if (result->HasError()) return std::unexpected(failed(result->GetErrorObject()));
    if (!stream) set_running(false);
    return result;
  } catch (const std::exception& e) {
    return std::unexpected(failed(duckdb::ErrorData(e)));
  }
}

Result<duckdb::unique_ptr<duckdb::DataChunk>> DuckConnection::fetch(duckdb::QueryResult& result) {
  try {
    auto chunk = result.Fetch();
    if (result.HasError()) return std::unexpected(failed(result.GetErrorObject()));
    if (interrupted()) return std::unexpected(failed(duckdb::ErrorData(duckdb::ExceptionType::INTERRUPT, "")));
    if (!chunk || chunk->size() == 0) set_running(false);
    return chunk;
  } catch (const std::exception& e) {
    return std::unexpected(failed(duckdb::ErrorData(e)));
  }
}

Result<DuckConnection::Values> DuckConnection::bind(const plan::Statement& statement, std::span<const Parameter> parameters,
                                                    const Emitted& emitted) {
  Values values;
  for (auto& wanted : emitted.parameters) {
    size_t i = static_cast<size_t>(wanted.parameter) - 1;
    if (wanted.parameter < 1 || i >= parameters.size())
      return fail(kBadParameter, "bind message supplies " + std::to_string(parameters.size()) +
                                     " parameters, but the statement requires " + std::to_string(statement.parameters.size()));
    const Parameter& given = parameters[i];
    if (!given.value) {
      values.push_back(duckdb::Value(logical_type(wanted.type)));
      continue;
    }
    std::string text = *given.value;
    if (given.binary) {
      TRY(text, binary_to_text(wanted.type, *given.value));
    }
    TRY(duckdb::Value value, to_value(wanted.type, text));
    values.push_back(std::move(value));
  }
  return values;
}

Result<void> DuckConnection::note(const plan::Statement& statement) {
  std::lock_guard lock(database_.commit_mutex);
  for (Oid table : statement.reads) TRY_VOID(database_.isolation.read(*transaction_, table));
  for (Oid table : statement.writes) TRY_VOID(database_.isolation.write(*transaction_, table));
  return {};
}

Result<duckdb::unique_ptr<duckdb::QueryResult>> DuckConnection::start_plan(const plan::Statement& statement,
                                                                           const std::string& before,
                                                                           std::span<const Parameter> parameters,
                                                                           std::shared_ptr<const HostContext> host, bool stream,
                                                                           const std::string& after) {
  TRY_VOID(ready());
  auto prepared = [&]() -> Result<std::pair<std::string, Values>> {
    TRY_VOID(note(statement));
    TRY(Emitted emitted, emit(statement, {.database = kDatabaseName, .pad_char_results = before.empty()}));
    TRY(Values values, bind(statement, parameters, emitted));
    return std::pair(before + emitted.sql + after, std::move(values));
  }();
  if (!prepared) return std::unexpected(failed(std::move(prepared).error()));
  statement_->guarded = true;
  statement_->host = std::move(host);
  statement_->tables.clear();
  statement_->tables.insert(statement.reads.begin(), statement.reads.end());
  statement_->tables.insert(statement.writes.begin(), statement.writes.end());
  statement_->authorised.clear();
  for (auto& authorised : statement.authorised) {
    auto text = emit_authorised(authorised, {.database = kDatabaseName});
    if (!text) return std::unexpected(failed(std::move(text).error()));
    statement_->authorised.push_back(
        {authorised.physical, *std::move(text), {authorised.columns.begin(), authorised.columns.end()}});
  }
  statement_->policy_only = {statement.policy_only.begin(), statement.policy_only.end()};
  auto result = start(prepared->first, std::move(prepared->second), stream);
  statement_->guarded = false;  // bound: COMMIT and ROLLBACK are ours again
  if (!result || !stream) statement_->host.reset();
  return result;
}

Result<std::unique_ptr<ResultStream>> DuckConnection::query(const plan::Statement& statement,
                                                            std::span<const Parameter> parameters,
                                                            std::shared_ptr<const HostContext> host) {
  if (statement.kind != plan::StatementKind::kSelect) return fail(kInternal, "query() of something that isn't a SELECT");
  TRY(auto result, start_plan(statement, "", parameters, host, true));
  return std::make_unique<DuckStream>(*this, statement.columns, std::move(result), std::move(host));
}

Result<int64_t> DuckConnection::execute(const plan::Statement& statement, std::span<const Parameter> parameters,
                                        std::shared_ptr<const HostContext> host) {
  switch (statement.kind) {
    case plan::StatementKind::kInsert:
      break;
    case plan::StatementKind::kUpdate:
    case plan::StatementKind::kDelete:
    case plan::StatementKind::kMerge:
      changed_.insert(statement.target.physical);
      break;
    default:
      return fail(kInternal, "execute() of something that changes no rows");
  }
  TRY(auto result, start_plan(statement, "", parameters, std::move(host), false));
  return guarded([&]() -> Result<int64_t> {
    auto chunk = result->Fetch();
    return chunk && chunk->size() == 1 ? chunk->GetValue(0, 0).GetValue<int64_t>() : 0;
  });
}

Result<duckdb::unique_ptr<duckdb::QueryResult>> DuckConnection::run_around(const plan::Statement& statement,
                                                                           const std::string& before, const std::string& after,
                                                                           std::shared_ptr<const HostContext> host,
                                                                           bool writes_files) {
  if (statement.kind != plan::StatementKind::kSelect) return fail(kInternal, "run_around() of something that isn't a SELECT");
  statement_->writes_files = writes_files;
  auto result = start_plan(statement, before, {}, std::move(host), false, after);
  statement_->writes_files = false;
  return result;
}

Result<int64_t> DuckConnection::run(const std::string& sql, Values values) {
  TRY(auto result, rows(sql, std::move(values)));
  return guarded([&]() -> Result<int64_t> {
    auto chunk = result->Fetch();
    if (!chunk || chunk->size() == 0 || !chunk->data[0].GetType().IsIntegral()) return 0;
    auto value = chunk->GetValue(0, 0);
    return value.IsNull() ? 0 : value.GetValue<int64_t>();
  });
}

Result<duckdb::unique_ptr<duckdb::QueryResult>> DuckConnection::rows(const std::string& sql, Values values) {
  TRY_VOID(ready());
  statement_->guarded = false;
  statement_->host.reset();
  return start(sql, std::move(values), false);
}

Result<void> DuckConnection::note_write(Oid table) {
  TRY_VOID(begin_snapshot());
  std::lock_guard lock(database_.commit_mutex);
  auto ok = database_.isolation.write(*transaction_, table);
  if (!ok) state_ = State::kFailed;
  return ok;
}

Result<void> DuckConnection::note_shape(std::string_view table) {
  TRY_VOID(begin_snapshot());
  std::lock_guard lock(database_.commit_mutex);
  database_.isolation.reshape(*transaction_, static_cast<Oid>(*parse_int(table.substr(table.find(".t") + 2))));
  return {};
}

Result<void> DuckConnection::note_read(Oid table) {
  TRY_VOID(begin_snapshot());
  std::lock_guard lock(database_.commit_mutex);
  return database_.isolation.read(*transaction_, table);
}

void DuckConnection::attach(DuckStream& stream) {
  CHECK(stream_ == nullptr);
  stream_ = &stream;
}

void DuckConnection::detach(DuckStream& stream) {
  if (stream_ != &stream) return;
  stream_ = nullptr;
  statement_->host.reset();
  set_running(false);
}

void DuckConnection::end_stream(bool drop) {
  if (stream_) stream_->end(drop);
}

}  // namespace redoubt::warehouse::engine
