#include "warehouse/session/sql_session.h"

#include <condition_variable>

#include "base/log.h"
#include "base/text.h"
#include "warehouse/secure/analyze.h"
#include "warehouse/secure/errors.h"
#include "warehouse/session/commands.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/procedure_call.h"

namespace redoubt::warehouse::session {

Result<engine::Connection*> Work::engine() { return session.open_engine(); }
Result<std::shared_ptr<Wait>> Work::lock(std::vector<LockKey> keys) { return session.lock(std::move(keys)); }
void Work::notice(std::string severity, std::string message, std::string sqlstate) {
  session.notice({.severity = std::move(severity), .sqlstate = std::move(sqlstate), .message = std::move(message)});
}

SqlSession::SqlSession(std::shared_ptr<ServiceCore> core, const Identity& identity, SessionOptions options, int pid, int secret)
    : core_(std::move(core)), options_(std::move(options)), pid_(pid), secret_(secret), connected_(core_->now()) {
  auto snapshot = core_->catalog.latest();
  authenticated_user_ = session_user_ = identity.user_id();
  extra_groups_ = identity.extra_groups();
  authmethod_ = identity.method();
  database_name_ = identity.database();
  if (auto* database = snapshot->database(database_name_)) database_ = connected_database_ = database->oid;
  shared_user_ = identity.user();
  shared_user_id_ = session_user_;
  shared_database_ = database_name_;
}

void SqlSession::apply_startup() {
  auto snapshot = core_->catalog.latest();
  if (auto* user = snapshot->user(session_user_))
    for (auto& [name, value] : user->settings) settings_.set_default(name, value);
  // Driver's own parameters are ignored; a known one with a bad value is told, and the session starts without it.
  for (auto& [name, value] : options_.parameters) {
    std::string lower = to_lower(name);
    if (!find_setting(lower)) continue;
    Settings checked;
    if (auto set = checked.set_text(lower, value, false); !set)
      notice({.severity = "WARNING", .sqlstate = std::string(set.error().kind->sqlstate), .message = set.error().message});
    else
      settings_.set_default(lower, *checked.get(lower));
  }
  if (!options_.application_name.empty()) settings_.set_default("application_name", options_.application_name);
  std::lock_guard lock(shared_mutex_);
  shared_application_ = settings_.get("application_name").value_or("");
}

SqlSession::~SqlSession() {
  timeout_.reset();
  idle_limit_.reset();
  batch_ = Batch{};
  rollback();
  stop_ = Stop::kNone;  // a cancel was for the last statement, not for what is left to do
  drop_temporaries();
  if (auto kept = core_->log->flush(); !kept) log::warn("system log: " + kept.error().message);
  {
    std::lock_guard lock(shared_mutex_);
    shared_connection_ = nullptr;
  }
  connection_.reset();
  std::lock_guard lock(core_->registry_mutex);
  core_->registry.erase(pid_);
}

FactsPtr SqlSession::make_facts() {
  auto facts = std::make_shared<Facts>();
  if (tx_.changes) tx_.changes->release_old();
  facts->snapshot = tx_.changes ? tx_.changes->view() : core_->catalog.latest();
  facts->database = database_;
  facts->database_name = database_name_;
  // Groups of this login alone count for the user who signed on, and for nobody that it becomes.
  facts->who = catalog::identities(*facts->snapshot, current_user(),
                                   current_user() == authenticated_user_ ? extra_groups_ : std::vector<catalog::Oid>{});
  auto* user = facts->snapshot->user(current_user());
  facts->sees_all = facts->who.superuser || (user && user->syslog_unrestricted);
  facts->pid = pid_;
  facts->current_user = current_user();
  facts->session_user = session_user_;
  settings_.set_fixed("is_superuser", facts->who.superuser ? "on" : "off");
  settings_.set_fixed("session_authorization", facts->snapshot->user_name(session_user_));
  settings_.set_fixed("transaction_read_only", tx_.read_only ? "on" : "off");
  facts->values = settings_;
  for (auto& [name, value] : settings_.all()) {
    auto* row = find_setting(name);
    facts->settings.push_back({name, value, row ? std::string(row->description) : ""});
  }
  facts->temp_schema = temp_schema_name(pid_);
  facts->temp_last = temp_last_;
  facts->now = core_->now();
  facts->statement_time = facts->now.us - kUnixToPostgresMicros;
  facts->transaction_time = (tx_.active ? tx_.started : facts->now).us - kUnixToPostgresMicros;
  facts->last_query = last_query;
  facts->query = current_query;
  facts->last_copy_count = last_copy_count;
  facts->last_unload_count = last_unload_count;
  facts->last_copy = last_copy;
  facts->transaction = tx_.id;
  facts->read_only = tx_.read_only || settings_.is_on("readonly");
  facts->core = core_.get();
  ServiceCore* core = core_.get();
  facts->sessions = [core] { return core->sessions(); };
  facts->locks = [core] { return core->lock_rows(); };
  // A table that is filtered for this user has no size to it: that would count the rows it may not see.
  facts->size = [core, snapshot = facts->snapshot, reader = catalog::identities(*facts->snapshot, session_user_)](
                    const catalog::Relation& table) -> std::optional<engine::TableSize> {
    if (catalog::row_security(*snapshot, reader, table).filtered) return std::nullopt;
    auto connection = core->engine->connect();
    if (!connection || !(*connection)->begin()) return std::nullopt;
    auto size = (*connection)->size(physical_of(table));  // as committed: the session's own changes are not in it
    return size ? std::optional(*size) : std::nullopt;
  };
  facts->log = core_->log.get();
  effects_ = facts->effects;
  return facts;
}

engine::RowFormat SqlSession::text_format() const {
  engine::RowFormat format;
  format.protocol = options_.protocol;
  format.time_zone = settings_.get("timezone").value_or("UTC");
  format.extra_float_digits = int(settings_.integer("extra_float_digits"));
  return format;
}

// ---------------------------------------------------------------------------------------------------- extended query

Result<void> SqlSession::parse(const std::string& name, std::string_view text, std::span<const uint32_t> types) {
  auto parsed = [&]() -> Result<Prepared> {
    TRY_VOID(check_alive());
    if (!name.empty() && statements_.contains(name))
      return fail(kDuplicateStatement, "prepared statement \"" + name + "\" already exists");
    size_t bytes = text.size();
    if (statements_.size() > 100)
      for (auto& [other, prepared] : statements_)
        if (prepared.statement) bytes += prepared.statement->text.size();
    if (statements_.size() >= 10000 || bytes > (size_t{64} << 20))
      return fail(secure::kTooComplex, "too many prepared statements");
    TRY(auto statements, sql::parse(text, {.case_sensitive_identifiers = settings_.is_on("enable_case_sensitive_identifier")}));
    if (statements.size() > 1) return fail(secure::kSyntaxError, "cannot insert multiple commands into a prepared statement");
    Prepared prepared;
    if (!statements.empty()) prepared.statement = std::make_shared<const sql::Statement>(std::move(statements[0]));
    for (uint32_t oid : types) {
      TRY(auto type, declared_type(oid));
      prepared.declared.push_back(type);
      prepared.declared_oids.push_back(oid);
    }
    // Errors of analysis belong to Describe or Execute; only what can't run at all in this state is told here.
    if (prepared.statement) TRY_VOID(check_allowed(*prepared.statement->command));
    return prepared;
  }();
  if (!parsed) return fail(failed(parsed.error()));
  if (name.empty()) portals_.erase("");
  statements_[name] = std::move(*parsed);
  unproven_.insert(name);
  return {};
}

Result<void> SqlSession::bind(const std::string& portal, const std::string& name, std::vector<engine::Parameter> parameters,
                              std::vector<int16_t> formats) {
  auto bound = [&]() -> Result<void> {
    TRY_VOID(check_alive());
    auto at = statements_.find(name);
    if (at == statements_.end()) return fail(kInvalidStatementName, "prepared statement \"" + name + "\" does not exist");
    if (!portal.empty() && portals_.contains(portal)) return fail(kDuplicateCursor, "portal \"" + portal + "\" already exists");
    if (portals_.size() >= 1000) return fail(secure::kTooComplex, "too many portals");
    int needed = at->second.statement ? at->second.statement->parameters : 0;
    if (needed != int(parameters.size()))
      return fail(kProtocolViolation, "bind message supplies " + std::to_string(parameters.size()) +
                                          " parameters, but prepared statement \"" + name + "\" requires " +
                                          std::to_string(needed));
    if (at->second.statement) TRY_VOID(check_allowed(*at->second.statement->command));
    Running running;
    running.statement = at->second.statement;
    running.declared = types_for_values(at->second.declared, parameters);
    running.generic = types_for_description(at->second.declared);
    running.told = at->second.told;
    running.parameters = std::move(parameters);
    TRY_VOID(read_byteas(at->second.declared_oids, running.parameters));
    running.format = text_format();
    running.format.formats = std::move(formats);
    portals_[portal] = std::move(running);
    return {};
  }();
  if (!bound) return fail(failed(bound.error()));
  return {};
}

Result<Description> SqlSession::describe(const StatementPtr& statement, std::span<const sql::Type> declared) {
  Description out;
  if (!statement) return out;
  const sql::Command& c = *statement->command;
  using K = sql::CommandKind;
  auto text_column = [](std::string name) {
    secure::plan::Output output;
    output.name = std::move(name);
    output.type = sql::TypeKind::kText;
    return output;
  };
  ensure_transaction();
  auto facts = make_facts();
  View view(facts);
  auto host = make_host_context(facts);
  switch (c.kind) {
    case K::kSelect:
    case K::kInsert:
    case K::kUpdate:
    case K::kDelete:
    case K::kMerge:
    case K::kCreateTableAs: {
      TRY(auto plan, secure::analyze(*statement, {view, host->host_functions()}, declared));
      for (auto& type : plan.parameters) out.parameters.push_back(type.oid());
      if (plan.kind == secure::plan::StatementKind::kSelect) {
        out.has_rows = true;
        out.columns = plan.columns;
      }
      return out;
    }
    case K::kShow: {
      out.has_rows = true;
      auto& show = sql::as<sql::Show>(c);
      if (show.all) {
        out.columns = {text_column("name"), text_column("setting"), text_column("description")};
      } else {
        out.columns = {text_column(show.name)};
      }
      break;
    }
    case K::kExplain:
      out.has_rows = true;
      out.columns = {text_column("QUERY PLAN")};
      break;
    case K::kShowObjects:
      out.has_rows = true;
      out.columns = show_objects_columns(sql::as<sql::ShowObjects>(c));
      break;
    case K::kFetch: {
      auto at = cursors_.find(sql::as<sql::Fetch>(c).cursor.text);
      if (at == cursors_.end())
        return fail(kInvalidCursorName, "cursor \"" + sql::as<sql::Fetch>(c).cursor.text + "\" does not exist");
      out.has_rows = true;
      out.columns = at->second.stream->columns();
      break;
    }
    case K::kCall: {
      Work work{*this, *core_, *statement, facts, view, *tx_.changes, {}, declared};
      TRY(auto target, resolve_call(work, sql::as<sql::Call>(c), declared, statement->parameters));
      for (auto& type : target.parameters) out.parameters.push_back(type.oid());
      out.columns = call_columns(*target.procedure);
      out.has_rows = !out.columns.empty();
      return out;
    }
    case K::kExecute: {
      auto at = statements_.find(sql::as<sql::Execute>(c).name.text);
      if (at == statements_.end())
        return fail(kInvalidStatementName, "prepared statement \"" + sql::as<sql::Execute>(c).name.text + "\" does not exist");
      TRY(auto inner, describe(at->second.statement, types_for_description(at->second.declared)));
      out.has_rows = inner.has_rows;
      out.columns = std::move(inner.columns);
      break;
    }
    default:
      break;
  }
  for (int i = 0; i < statement->parameters; i++) out.parameters.push_back(sql::Type(sql::TypeKind::kText).oid());
  return out;
}

namespace {
/// A parameter that the client left open and the statement made NUMERIC becomes an open NUMERIC, as if declared. True: one did.
bool open_numerics(std::vector<sql::Type>& declared, const std::vector<uint32_t>& found) {
  bool changed = false;
  for (size_t i = 0; i < found.size(); i++) {
    if (found[i] != sql::Type::decimal().oid()) continue;
    if (declared.size() <= i) declared.resize(i + 1);
    if (!declared[i].is(sql::TypeKind::kUnknown)) continue;
    declared[i] = sql::Type::decimal(sql::Type::kAny);
    changed = true;
  }
  return changed;
}
}  // namespace

Result<Description> SqlSession::describe_statement(const std::string& name) {
  auto described = [&]() -> Result<Description> {
    TRY_VOID(check_alive());
    auto at = statements_.find(name);
    if (at == statements_.end()) return fail(kInvalidStatementName, "prepared statement \"" + name + "\" does not exist");
    if (at->second.statement) TRY_VOID(check_allowed(*at->second.statement->command));
    TRY(auto out, describe(at->second.statement, types_for_description(at->second.declared)));
    if (open_numerics(at->second.declared, out.parameters)) {
      TRY(out, describe(at->second.statement, types_for_description(at->second.declared)));
    }
    if (out.has_rows) at->second.told = types_of(out.columns);
    auto& oids = at->second.declared_oids;
    for (size_t i = 0; i < out.parameters.size() && i < oids.size(); i++)
      if (is_declared(oids[i])) out.parameters[i] = oids[i];
    return out;
  }();
  if (!described) return fail(failed(described.error()));
  unproven_.erase(name);
  return described;
}

Result<Description> SqlSession::describe_portal(const std::string& name) {
  auto described = [&]() -> Result<Description> {
    TRY_VOID(check_alive());
    Description out;
    if (auto cursor = cursors_.find(name); cursor != cursors_.end() && !portals_.contains(name)) {  // DECLARE makes portals too
      out.has_rows = true;
      out.columns = cursor->second.stream->columns();
      return out;
    }
    auto at = portals_.find(name);
    if (at == portals_.end()) return fail(kInvalidCursorName, "portal \"" + name + "\" does not exist");
    Running& portal = at->second;
    if (portal.stream) {
      out.has_rows = true;
      out.columns = portal.stream->columns();
      return out;
    }
    if (portal.statement) TRY_VOID(check_allowed(*portal.statement->command));
    TRY(out, describe(portal.statement, portal.declared));
    if (!portal.told && open_numerics(portal.declared, out.parameters)) {
      portal.generic = types_for_description(portal.declared);
      portal.declared = types_for_values(portal.declared, portal.parameters);
      TRY(out, describe(portal.statement, portal.declared));
    }
    if (portal.told && types_of(out.columns) != *portal.told) {
      TRY(out, describe(portal.statement, portal.generic));
    }
    if (out.has_rows) portal.told = types_of(out.columns);
    out.parameters.clear();
    return out;
  }();
  if (!described) return fail(failed(described.error()));
  return described;
}

Result<Step> SqlSession::execute(const std::string& name, int64_t max_rows, Output& output) {
  auto at = portals_.find(name);
  if (auto alive = check_alive(); !alive) return fail(failed(alive.error()));
  if (at == portals_.end()) return fail(failed({&kInvalidCursorName, "portal \"" + name + "\" does not exist"}));
  // A statement that ends the transaction clears the portals: keep this one until it is done.
  auto node = portals_.extract(at);
  Running& running = node.mapped();
  if (running.finished) {  // again: nothing is left
    Step step{.kind = running.statement ? StepKind::kComplete : StepKind::kEmpty, .tag = running.tag};
    portals_.insert(std::move(node));
    return step;
  }
  if (running.budget < 0) running.budget = max_rows > 0 ? max_rows : engine::kAllRows;
  auto step = advance(running, running.budget, output, false, false);
  if (!step) {
    Error error = step.error();
    log_statement(running, true);
    running.stream.reset();
    return fail(failed(std::move(error)));
  }
  if (step->kind == StepKind::kRows) running.budget -= step->rows;
  if (step->kind == StepKind::kSuspended || step->kind == StepKind::kComplete) running.budget = -1;
  bool transaction_ended = !tx_.active;
  if (!transaction_ended) portals_.insert(std::move(node));
  return step;
}

void SqlSession::close_statement(const std::string& name) { statements_.erase(name); }
void SqlSession::close_portal(const std::string& name) { portals_.erase(name); }

Result<void> SqlSession::sync() {
  unproven_.clear();
  if (tx_.block || !tx_.active) return {};
  if (auto committed = commit(); !committed) return fail(failed(committed.error()));
  return {};
}

// ---------------------------------------------------------------------------------------------------- what goes out beside

std::vector<Notice> SqlSession::take_notices() {
  notice_bytes_ = 0;
  return std::exchange(notices_, {});
}

std::vector<std::pair<std::string, std::string>> SqlSession::take_parameter_changes() {
  std::vector<std::pair<std::string, std::string>> changes;
  auto snapshot = core_->catalog.latest();
  auto* user = snapshot->user(session_user_);
  settings_.set_fixed("is_superuser", user && user->superuser ? "on" : "off");
  settings_.set_fixed("session_authorization", user ? user->name : "");
  auto report = [&](std::string name, std::string value) {
    auto [at, fresh] = reported_.try_emplace(name, value);
    if (!fresh && at->second == value) return;
    at->second = value;
    changes.emplace_back(std::move(name), std::move(value));
  };
  for (auto& row : setting_table())
    if (!row.reported.empty()) report(std::string(row.reported), settings_.get(row.name).value_or(""));
  report("show_discovery", "4");
  report("datashare_enabled", "off");
  report("external_database", "off");
  report("case_sensitive", "on");
  return changes;
}

void SqlSession::set_session_user(catalog::Oid user) {
  session_user_ = user;
  std::lock_guard lock(shared_mutex_);
  shared_user_id_ = session_user_;
  shared_user_ = core_->catalog.latest()->user_name(session_user_);
}

Result<void> SqlSession::become(catalog::Oid user) {
  set_session_user(user == 0 ? authenticated_user_ : user);
  return {};
}

void SqlSession::forget_past() {
  last_copy_count = last_unload_count = 0;
  last_copy = last_query = -1;
}

void SqlSession::use_database(catalog::Oid database, std::string name) {
  database_ = database;
  database_name_ = std::move(name);
  std::lock_guard lock(shared_mutex_);
  shared_database_ = database_name_;
}

// ---------------------------------------------------------------------------------------------------- from other threads

system::SessionRow SqlSession::describe_self() const {
  std::lock_guard lock(shared_mutex_);
  system::SessionRow row;
  row.pid = pid_;
  row.user = shared_user_id_;
  row.user_name = shared_user_;
  row.database = shared_database_;
  row.application_name = shared_application_;
  row.remote_host = options_.remote_host;
  row.remote_port = options_.remote_port;
  row.tls = options_.tls;
  row.started = connected_;
  row.statement_started = shared_statement_started_;
  row.transaction = shared_transaction_;
  row.statement = shared_statement_;
  return row;
}

void SqlSession::stop_running(Stop why) {
  std::lock_guard lock(shared_mutex_);
  if (!running_) return;
  stop_ = why;
  if (shared_connection_) shared_connection_->interrupt();
  if (uint64_t id = shared_transaction_) core_->locks.abandon(id);
}

void SqlSession::cancel() { stop_running(Stop::kCancel); }

void SqlSession::terminate(Error why) {
  std::function<void()> call;
  {
    std::lock_guard lock(shared_mutex_);
    if (terminated_) return;
    terminated_ = std::move(why);
    call = on_terminate_;
  }
  stop_running(Stop::kCancel);
  if (call) call();
}

void SqlSession::on_terminate(std::function<void()> callback) {
  std::lock_guard lock(shared_mutex_);
  on_terminate_ = std::move(callback);
}

std::optional<Error> SqlSession::terminated() const {
  std::lock_guard lock(shared_mutex_);
  return terminated_;
}

std::function<bool()> SqlSession::cancel_probe() {
  return [this] { return stop_ != Stop::kNone; };
}

// ---------------------------------------------------------------------------------------------------- run_all

Gathered run_all(Session& session, std::string_view text) {
  Gathered out;
  if (auto started = session.start_simple(text); !started) {
    out.error = started.error();
    out.notices = session.take_notices();
    return out;
  }
  std::vector<std::vector<engine::Datum>> rows;
  Gathered::One one;
  for (;;) {
    Output output{.values = &rows};
    auto step = session.step(output);
    if (!step) {
      out.error = step.error();
      break;
    }
    if (step->kind == StepKind::kDone) break;
    if (step->kind == StepKind::kDescribed) one.columns = step->columns;
    if (step->kind == StepKind::kWaiting) {
      std::mutex mutex;
      std::condition_variable ready;
      bool fired = false;
      step->wait->when_ready([&] {
        std::lock_guard lock(mutex);
        fired = true;
        ready.notify_one();
      });
      std::unique_lock lock(mutex);
      ready.wait(lock, [&] { return fired; });
    }
    if (step->kind == StepKind::kComplete) {
      one.tag = step->tag;
      one.rows = std::exchange(rows, {});
      out.statements.push_back(std::exchange(one, {}));
    }
  }
  out.notices = session.take_notices();
  return out;
}

}  // namespace redoubt::warehouse::session
