#include <algorithm>

#include "base/text.h"
#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/list_stream.h"
#include "warehouse/session/plan_log.h"
#include "warehouse/session/procedure_call.h"
#include "warehouse/session/statements.h"
#include "warehouse/sql/printer.h"

namespace redoubt::warehouse::session {

using sql::CommandKind;

// ---------------------------------------------------------------------------------------------------- the life of a statement

void SqlSession::enter(const sql::Statement& statement) {
  idle_limit_.reset();
  {
    std::lock_guard lock(shared_mutex_);
    stop_ = Stop::kNone;
    running_ = true;
    shared_statement_ = sql::redacted_text(statement);
    shared_statement_started_ = core_->now();
    shared_application_ = settings_.get("application_name").value_or("");
  }
  if (int64_t limit = settings_.integer("statement_timeout"); limit > 0)
    timeout_ = core_->alarms.arm(limit, [this] { stop_running(Stop::kTimeout); });
}

void SqlSession::leave() {
  timeout_.reset();
  {
    std::lock_guard lock(shared_mutex_);
    running_ = false;
    shared_statement_.clear();
  }
  if (tx_.block && core_->options.idle_transaction_limit_ms > 0)
    idle_limit_ = core_->alarms.arm(core_->options.idle_transaction_limit_ms, [this] {
      terminate(Error{&kIdleTransaction, "terminating connection due to idle-in-transaction timeout"});
    });
}

Error SqlSession::canceled_error(Error error) {
  Stop why = stop_;
  if (why == Stop::kNone) return error;
  if (why == Stop::kTimeout) return {&engine::kQueryCanceled, "canceling statement due to statement timeout"};
  return {&engine::kQueryCanceled, "Query (" + std::to_string(current_query) + ") cancelled on user's request"};
}

Error SqlSession::failed(Error error) {
  act_as(0);
  if (error.is(engine::kQueryCanceled)) error = canceled_error(std::move(error));
  if (batch_.running && batch_.running->statement) log_statement(*batch_.running, true);
  batch_ = Batch{};
  for (auto& name : std::exchange(unproven_, {})) statements_.erase(name);
  bool block = tx_.block;
  if (block && tx_.failed) {
    leave();
    return error;
  }
  if (block)
    abort_block();
  else
    rollback();
  leave();
  return error;
}

void SqlSession::abort_block() {
  rollback();
  tx_.active = tx_.block = tx_.failed = true;
  tx_.id = core_->next_transaction++;
  tx_.started = core_->now();
  tx_.user = session_user_;
  tx_.changes = std::make_unique<catalog::Transaction>(core_->catalog);
  settings_.begin();
}

Result<void> SqlSession::check_alive() {
  std::lock_guard lock(shared_mutex_);
  if (terminated_) return fail(*terminated_);
  return {};
}

namespace {

/// May the command run where nothing may be written (SET readonly, BEGIN READ ONLY)?
bool only_reads(CommandKind kind) {
  switch (kind) {
    case CommandKind::kSelect:
    case CommandKind::kUnload:
    case CommandKind::kTransaction:
    case CommandKind::kSet:
    case CommandKind::kReset:
    case CommandKind::kShow:
    case CommandKind::kShowObjects:
    case CommandKind::kUse:
    case CommandKind::kDiscard:
    case CommandKind::kPrepare:
    case CommandKind::kExecute:
    case CommandKind::kDeallocate:
    case CommandKind::kDeclareCursor:
    case CommandKind::kFetch:
    case CommandKind::kCloseCursor:
    case CommandKind::kExplain:
    case CommandKind::kCancel:
    case CommandKind::kCall:  // its statements are asked one by one
      return true;
    default:
      return false;
  }
}

const char* refused_in_block(const sql::Command& command) {
  switch (command.kind) {
    case CommandKind::kVacuum:
      return "VACUUM";
    case CommandKind::kCreateDatabase:
      return "CREATE DATABASE";
    case CommandKind::kDrop:
      return sql::as<sql::Drop>(command).object == sql::ObjectKind::kDatabase ? "DROP DATABASE" : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

Result<void> SqlSession::check_allowed(const sql::Command& command) {
  if (tx_.failed) {
    auto* transaction = sql::get_if<sql::Transaction>(&command);
    using A = sql::Transaction::Action;
    if (!transaction || (transaction->action != A::kCommit && transaction->action != A::kRollback))
      return fail(engine::kTransactionAborted, "current transaction is aborted, commands ignored until end of transaction block");
    return {};
  }
  if ((tx_.read_only || settings_.is_on("readonly")) && !only_reads(command.kind))
    return fail(kReadOnly, "transaction is read-only");
  if (tx_.block)
    if (const char* name = refused_in_block(command))
      return fail(kActiveTransaction, std::string(name) + " cannot run inside a transaction block");
  return {};
}

Result<void> SqlSession::check_running() {
  TRY_VOID(check_alive());
  if (stop_ != Stop::kNone) return fail(canceled_error({&engine::kQueryCanceled, ""}));
  return {};
}

Result<Outcome> SqlSession::start(Running& running) {
  TRY_VOID(check_running());
  if (running.call) return running.call->resume();
  return run_inside(running);
}

Result<Outcome> SqlSession::run_inside(Running& running, bool expression) {
  TRY_VOID(check_running());
  if (!expression) TRY_VOID(check_allowed(*running.statement->command));
  ensure_transaction();
  auto facts = make_facts();
  View view(facts);
  Work work{*this, *core_, *running.statement, facts, view, *tx_.changes, running.parameters, running.declared};
  return dispatch(running, work);
}

Result<Outcome> SqlSession::dispatch(Running& running, Work& work) {
  const sql::Command& c = *running.statement->command;
  auto not_built = [](std::string_view what) { return fail(secure::kNotSupported, std::string(what) + " is not supported"); };
  if (auto& row = statement_row(c.kind); !row.built) return not_built(row.names.substr(0, row.names.find(", ")));
  switch (c.kind) {
    case CommandKind::kSelect:
    case CommandKind::kInsert:
    case CommandKind::kUpdate:
    case CommandKind::kDelete:
    case CommandKind::kMerge:
      return run_query(running, work);
    case CommandKind::kTruncate:
      return truncate(work, sql::as<sql::Truncate>(c));
    case CommandKind::kCopy:
      return copy(work, sql::as<sql::Copy>(c));
    case CommandKind::kUnload:
      return unload(work, sql::as<sql::Unload>(c));
    case CommandKind::kCreateTable:
      return create_table(work, sql::as<sql::CreateTable>(c));
    case CommandKind::kCreateTableAs:
      return create_table_as(work, sql::as<sql::CreateTableAs>(c));
    case CommandKind::kCreateView:
      return create_view(work, sql::as<sql::CreateView>(c));
    case CommandKind::kAlterTable:
      return alter_table(work, sql::as<sql::AlterTable>(c));
    case CommandKind::kDrop:
      return drop(work, sql::as<sql::Drop>(c));
    case CommandKind::kCreateSchema:
      return create_schema(work, sql::as<sql::CreateSchema>(c));
    case CommandKind::kAlterSchema:
      return alter_schema(work, sql::as<sql::AlterSchema>(c));
    case CommandKind::kCreateDatabase:
      return create_database(work, sql::as<sql::CreateDatabase>(c));
    case CommandKind::kAlterDatabase:
      return alter_database(work, sql::as<sql::AlterDatabase>(c));
    case CommandKind::kCreateRoutine:
      if (!sql::as<sql::CreateRoutine>(c).procedure) return not_built("CREATE FUNCTION");
      return create_procedure(work, sql::as<sql::CreateRoutine>(c));
    case CommandKind::kAlterRoutine:
      if (!sql::as<sql::AlterRoutine>(c).procedure) return not_built("ALTER FUNCTION");
      return alter_procedure(work, sql::as<sql::AlterRoutine>(c));
    case CommandKind::kComment:
      return comment(work, sql::as<sql::Comment>(c));
    case CommandKind::kTransaction:
      return transaction_command(sql::as<sql::Transaction>(c));
    case CommandKind::kSet:
      return set(work, sql::as<sql::Set>(c));
    case CommandKind::kReset:
      return reset(work, sql::as<sql::Reset>(c));
    case CommandKind::kShow:
      return show(work, sql::as<sql::Show>(c));
    case CommandKind::kShowObjects:
      return show_objects(work, sql::as<sql::ShowObjects>(c));
    case CommandKind::kUse:
      return session::use(work, sql::as<sql::Use>(c));
    case CommandKind::kDiscard:
      return discard(work, sql::as<sql::Discard>(c));
    case CommandKind::kPrepare:
      return prepare(work, running.statement);
    case CommandKind::kExecute:
      return execute_prepared(work, sql::as<sql::Execute>(c));
    case CommandKind::kDeallocate:
      return deallocate(work, sql::as<sql::Deallocate>(c));
    case CommandKind::kDeclareCursor:
      return declare_cursor(work, sql::as<sql::DeclareCursor>(c));
    case CommandKind::kFetch:
      return fetch(work, sql::as<sql::Fetch>(c));
    case CommandKind::kCloseCursor:
      return close_cursor(work, sql::as<sql::CloseCursor>(c));
    case CommandKind::kCall: {
      TRY(running.call, ProcedureCall::begin(work, running));
      return running.call->resume();
    }
    case CommandKind::kExplain:
      return explain(work, sql::as<sql::Explain>(c));
    case CommandKind::kLock:
      return lock_tables(work, sql::as<sql::Lock>(c));
    case CommandKind::kVacuum:
      return vacuum(work, sql::as<sql::Vacuum>(c));
    case CommandKind::kAnalyze:
      return analyze_tables(work, sql::as<sql::Analyze>(c));
    case CommandKind::kCancel:
      return cancel_session(work, sql::as<sql::Cancel>(c));
    case CommandKind::kCreateUser:
      return create_user(work, sql::as<sql::CreateUser>(c));
    case CommandKind::kAlterUser:
      return alter_user(work, sql::as<sql::AlterUser>(c));
    case CommandKind::kCreateGroup:
      return create_group(work, sql::as<sql::CreateGroup>(c));
    case CommandKind::kAlterGroup:
      return alter_group(work, sql::as<sql::AlterGroup>(c));
    case CommandKind::kCreateRole:
      return create_role(work, sql::as<sql::CreateRole>(c));
    case CommandKind::kAlterRole:
      return alter_role(work, sql::as<sql::AlterRole>(c));
    case CommandKind::kGrant:
      return grant(work, sql::as<sql::Grant>(c));
    case CommandKind::kAlterDefaultPrivileges:
      return alter_default_privileges(work, sql::as<sql::AlterDefaultPrivileges>(c));
    case CommandKind::kCreateRlsPolicy:
      return create_rls_policy(work, sql::as<sql::CreateRlsPolicy>(c));
    case CommandKind::kAlterRlsPolicy:
      return alter_rls_policy(work, sql::as<sql::AlterRlsPolicy>(c));
    case CommandKind::kAttachRlsPolicy:
      return attach_rls_policy(work, sql::as<sql::AttachRlsPolicy>(c));
    case CommandKind::kCopyStdio:
    case CommandKind::kRefreshMaterializedView:
    case CommandKind::kCreateMaskingPolicy:
    case CommandKind::kAlterMaskingPolicy:
    case CommandKind::kAttachMaskingPolicy:
      break;  // refused above
  }
  return not_built(statement_row(c.kind).names);
}

Result<Outcome> run_plan(Work& work, const secure::plan::Statement& plan, std::span<const engine::Parameter> parameters) {
  using K = secure::plan::StatementKind;
  if (parameters.size() < plan.parameters.size())
    return fail(kProtocolViolation, "bind message supplies " + std::to_string(parameters.size()) +
                                        " parameters, but prepared statement requires " + std::to_string(plan.parameters.size()));
  if (plan.kind != K::kSelect && work.facts->read_only) return fail(kReadOnly, "transaction is read-only");
  if (!plan.writes.empty()) {
    std::vector<LockKey> keys;
    for (auto oid : plan.writes) keys.push_back(table_lock(oid));
    TRY(auto wait, work.lock(std::move(keys)));
    if (wait) return Outcome{.wait = wait};
  }
  TRY(auto* engine, work.engine());
  auto host = make_host_context(work.facts);
  log_plan(work, plan, plan.kind == K::kSelect ? 's' : plan.kind == K::kInsert ? 'i' : plan.kind == K::kDelete ? 'd' : 'u');
  if (plan.kind == K::kSelect) {
    TRY(auto stream, engine->query(plan, parameters, host));
    return Outcome{.tag = "SELECT", .stream = std::move(stream)};
  }
  TRY(int64_t rows, engine->execute(plan, parameters, host));
  const char* verb = plan.kind == K::kInsert   ? "INSERT 0 "
                     : plan.kind == K::kUpdate ? "UPDATE "
                     : plan.kind == K::kDelete ? "DELETE "
                                               : "MERGE ";
  return Outcome{.tag = verb + std::to_string(rows), .rows = rows};
}

Result<Outcome> SqlSession::run_query(Running& running, Work& work) {
  auto host = make_host_context(work.facts);
  secure::Scope scope{work.view, host->host_functions()};
  TRY(auto plan, analyze_with_values(*running.statement->command, scope, running.declared, running.parameters));
  // A client that was told the columns' types reads rows by them.
  if (running.told && plan.kind == secure::plan::StatementKind::kSelect && types_of(plan.columns) != *running.told) {
    TRY(plan, secure::analyze(*running.statement, scope, running.generic));
  }
  return run_plan(work, plan, running.parameters);
}

Result<void> SqlSession::apply_effects() {
  if (!effects_) return {};
  auto effects = std::exchange(effects_, nullptr);
  std::lock_guard lock(effects->mutex);
  for (auto& setting : std::exchange(effects->settings, {}))
    TRY_VOID(settings_.set_text(setting.name, setting.value, setting.local));
  return {};
}

Result<Step> SqlSession::finish(Running& running, bool last) {
  running.finished = true;
  running.stream.reset();
  running.call.reset();
  TRY_VOID(apply_effects());
  if (running.count_in_tag) running.tag += " " + std::to_string(running.rows);
  Step step{.kind = StepKind::kComplete, .tag = running.tag, .rows = running.rows};
  step.statement = running.statement ? running.statement->text : "";
  log_statement(running, false);
  if (last && !tx_.block) TRY_VOID(commit());
  leave();
  return step;
}

void SqlSession::log_statement(const Running& running, bool aborted) {
  if (!running.statement) return;
  auto stamp = [](Timestamp t) { return engine::Datum(sql_timestamp(t)); };
  auto number = [](auto n) { return engine::Datum(std::to_string(n)); };
  std::string text = replace_all(sql::redacted_text(*running.statement), "\n", "\\n");
  core_->log->append("stl_query", {number(session_user_), number(running.query), settings_.get("query_group").value_or("default"),
                                   number(tx_.id), number(pid_), database_name_, text.substr(0, 4000), stamp(running.began),
                                   stamp(core_->now()), number(aborted ? 1 : 0), number(0), number(0)});
}

Result<Step> SqlSession::advance(Running& running, int64_t max_rows, Output& output, bool describe, bool last) {
  if (!running.statement) {
    running.finished = true;
    return Step{.kind = StepKind::kEmpty};
  }
  if (!running.entered) {
    enter(*running.statement);
    running.entered = true;
  }
  if (!running.started) {
    if (running.query == 0) {
      running.began = core_->now();
      running.query = current_query = core_->next_query++;
      core_->queries++;
    }
    TRY(Outcome outcome, start(running));
    if (outcome.wait) return Step{.kind = StepKind::kWaiting, .wait = std::move(outcome.wait)};
    running.started = true;
    running.tag = std::move(outcome.tag);
    running.rows = outcome.rows;
    running.count_in_tag = outcome.count_in_tag;
    running.stream = std::move(outcome.stream);
    // What pg_last_query_id() means: statements that work on data, not the session's own.
    CommandKind kind = running.statement->command->kind;
    if (kind == CommandKind::kSelect || kind == CommandKind::kInsert || kind == CommandKind::kUpdate ||
        kind == CommandKind::kDelete || kind == CommandKind::kMerge || kind == CommandKind::kCreateTableAs)
      last_query = running.query;
  }
  if (!running.stream) return finish(running, last);
  if (describe && !running.described) {
    running.described = true;
    return Step{.kind = StepKind::kDescribed, .columns = running.stream->columns()};
  }
  engine::Fetched got;
  if (output.values) {
    TRY(got, running.stream->values(std::min<int64_t>(max_rows, 1000), *output.values, running.format));
  } else {
    auto& formats = running.format.formats;
    if (formats.size() > 1 && formats.size() != running.stream->columns().size())
      return fail(kProtocolViolation, "bind message has " + std::to_string(formats.size()) + " result formats but query has " +
                                          std::to_string(running.stream->columns().size()) + " columns");
    TRY(got, running.stream->encode(running.format, max_rows, output.buffer));
  }
  running.rows += got.rows;
  if (got.done) return finish(running, last);
  if (got.rows < max_rows) return Step{.kind = StepKind::kRows, .rows = got.rows};
  running.entered = false;  // until it is asked for more
  leave();
  return Step{.kind = StepKind::kSuspended, .rows = got.rows};
}

// ---------------------------------------------------------------------------------------------------- simple query

Result<void> SqlSession::start_simple(std::string_view text) {
  batch_ = Batch{};
  portals_.erase("");
  if (auto alive = check_alive(); !alive) return fail(failed(alive.error()));
  auto parsed = sql::parse(text, {.case_sensitive_identifiers = settings_.is_on("enable_case_sensitive_identifier")});
  if (!parsed) return fail(failed(parsed.error()));
  for (auto& statement : *parsed) batch_.statements.push_back(std::make_shared<const sql::Statement>(std::move(statement)));
  batch_.active = true;
  batch_.empty = batch_.statements.empty();
  return {};
}

Result<Step> SqlSession::step(Output& output) {
  if (!batch_.active) return Step{};
  if (batch_.empty) {
    batch_ = Batch{};
    return Step{.kind = StepKind::kEmpty};
  }
  if (!batch_.running) {
    if (batch_.next >= batch_.statements.size()) {
      batch_ = Batch{};
      return Step{};
    }
    batch_.running.emplace();
    batch_.running->statement = batch_.statements[batch_.next++];
    batch_.running->format = text_format();
  }
  bool last = batch_.next >= batch_.statements.size();
  auto step = advance(*batch_.running, engine::kAllRows, output, true, last);
  if (!step) return fail(failed(step.error()));
  if (step->kind == StepKind::kComplete) batch_.running.reset();
  if (step->kind == StepKind::kSuspended) step->kind = StepKind::kRows;
  return step;
}

}  // namespace redoubt::warehouse::session
