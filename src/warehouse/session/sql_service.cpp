#include "warehouse/session/sql_service.h"

#include "base/crypto.h"
#include "base/log.h"
#include "warehouse/secure/errors.h"
#include "warehouse/secure/values.h"
#include "warehouse/session/core.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/sql_session.h"

namespace redoubt::warehouse::session {

namespace {

Result<void> load_catalog(ServiceCore& core) {
  TRY(auto connection, core.engine->connect());
  TRY_VOID(connection->begin());
  TRY(auto stored, connection->load_catalog());
  std::vector<catalog::Row> rows;
  for (auto& row : stored)
    if (!system::SystemLog::is_own(row)) rows.push_back({row.kind, row.oid, row.body});
  if (rows.empty()) {
    TRY_VOID(connection->append_catalog(engine_rows(core.catalog.bootstrap(core.options.bootstrap))));
    TRY_VOID(connection->commit());
    return {};
  }
  TRY_VOID(core.catalog.load(rows));
  // Superseded rows are dropped when they outnumber what counts.
  auto current = core.catalog.dump();
  if (rows.size() > 4 * current.size() + 1000) {
    auto compacted = engine_rows(current);
    for (auto& row : stored)
      if (system::SystemLog::is_own(row)) compacted.push_back(row);
    TRY_VOID(connection->compact_catalog(compacted));
  }
  TRY_VOID(connection->commit());
  return {};
}

/// Temporary tables of sessions that a crash ended.
Result<void> clear_temporaries(ServiceCore& core) {
  catalog::Transaction changes(core.catalog);
  TRY(auto connection, core.engine->connect());
  TRY_VOID(connection->begin());
  for (auto* database : changes.view()->databases())
    for (auto* schema : changes.view()->schemas(database->oid)) {
      if (!is_temp_schema(schema->name)) continue;
      for (auto* relation : changes.view()->relations(schema->oid)) {
        if (relation->kind == catalog::RelationKind::kTable) TRY_VOID(connection->drop_table(physical_of(*relation)));
        changes.drop(relation->key());
      }
      changes.drop(schema->key());
    }
  if (changes.empty()) return {};
  TRY_VOID(connection->append_catalog(engine_rows(changes.rows())));
  TRY_VOID(changes.check());
  TRY_VOID(connection->commit([&](engine::Sequence) { changes.publish(); }));
  return {};
}

}  // namespace

SqlService::SqlService() = default;

Result<std::unique_ptr<SqlService>> SqlService::open(Options options) {
  CHECK(options.engine);
  std::unique_ptr<SqlService> service(new SqlService);
  service->core_ = std::make_shared<ServiceCore>(std::move(options));
  TRY_VOID(load_catalog(*service->core_));
  TRY_VOID(clear_temporaries(*service->core_));
  TRY(service->core_->log, system::SystemLog::open(*service->core_->engine));
  return service;
}

SqlService::~SqlService() {
  if (core_) terminate_all({&kAdminShutdown, "terminating connection due to administrator command"});
}

Result<std::unique_ptr<Session>> SqlService::connect(const Identity& identity, SessionOptions options) {
  auto& core = *core_;
  auto snapshot = core.catalog.latest();
  auto* user = snapshot->user(identity.user_id());
  auto* database = snapshot->database(identity.database());
  if (!user) return fail(kInvalidAuthorization, "password authentication failed for user \"" + identity.user() + "\"");
  if (!database) return fail(secure::kUndefinedDatabase, "database \"" + identity.database() + "\" does not exist");
  // Rows: a handful of connections are kept back for superusers, as in Redshift.
  auto rows = core.sessions();
  size_t most = size_t(core.options.connections_max) + (user->superuser ? 5 : 0);
  if (rows.size() >= most)
    return fail(kTooManyConnections,
                "connection limit \"" + std::to_string(core.options.connections_max) + "\" exceeded for cluster");
  auto count = [&](auto same) { return int64_t(std::count_if(rows.begin(), rows.end(), same)); };
  if (user->connection_limit >= 0 && !user->superuser &&
      count([&](auto& r) { return r.user == user->id; }) >= user->connection_limit)
    return fail(kTooManyConnections, "too many connections for user \"" + user->name + "\"");
  if (database->connection_limit >= 0 && !user->superuser &&
      count([&](auto& r) { return r.database == database->name; }) >= database->connection_limit)
    return fail(kTooManyConnections, "too many connections for database \"" + database->name + "\"");

  int pid = 0, secret = 0;
  {
    std::lock_guard lock(core.registry_mutex);
    pid = core.next_pid++;
    std::string random = crypto::random_bytes(4);
    for (char c : random) secret = int(uint32_t(secret) << 8 | uint8_t(c));
    core.registry[pid] = {};
  }
  auto session = std::make_unique<SqlSession>(core_, identity, std::move(options), pid, secret);
  session->apply_startup();
  SqlSession* raw = session.get();
  std::lock_guard lock(core.registry_mutex);
  core.registry[pid] = {raw, secret, [raw] { return raw->describe_self(); }, [raw] { return raw->transaction_id(); }};
  return session;
}

Result<Identity> SqlService::trusted(const TokenIdentity& who, std::string_view database) {
  if (who.auto_create) TRY_VOID(ensure_user(who.db_user));
  auto snapshot = core_->catalog.latest();
  auto* user = snapshot->user(who.db_user);
  if (!user || user->id == catalog::kInternalUserId)
    return fail(kInvalidAuthorization, "password authentication failed for user \"" + who.db_user + "\"");
  if (!who.database.empty() && who.database != database)
    return fail(kInvalidAuthorization, "password authentication failed for user \"" + who.db_user + "\"");
  auto* d = snapshot->database(database);
  if (!d) return fail(secure::kUndefinedDatabase, "database \"" + std::string(database) + "\" does not exist");
  Identity identity;
  identity.user_id_ = user->id;
  identity.user_ = user->name;
  identity.database_ = d->name;
  identity.method_ = "IAM AssumeUser";
  for (auto& name : who.groups)
    if (auto* group = snapshot->group(name)) identity.extra_groups_.push_back(group->id);
  return identity;
}

void SqlService::cancel(int pid, int secret) {
  std::lock_guard lock(core_->registry_mutex);
  auto at = core_->registry.find(pid);
  if (at != core_->registry.end() && at->second.session && at->second.secret == secret) at->second.session->cancel();
}

void SqlService::terminate_all(const Error& why) {
  std::lock_guard lock(core_->registry_mutex);
  for (auto& [pid, entry] : core_->registry)
    if (entry.session) entry.session->terminate(why);
}

size_t SqlService::sessions() const {
  std::lock_guard lock(core_->registry_mutex);
  return core_->registry.size();
}

Result<void> SqlService::set_password(std::string_view name, std::string_view password) {
  TRY(auto verifier, make_verifier(password, name));
  return core_->change_catalog([&](catalog::Transaction& t) -> Result<void> {
    auto* found = t.view()->user(name);
    if (!found) return fail(secure::kUndefinedObject, "user \"" + std::string(name) + "\" does not exist");
    catalog::User user = *found;
    user.verifier = verifier;
    user.password_disabled = false;
    t.put(std::move(user));
    return {};
  });
}

Result<void> SqlService::ensure_user(std::string_view name) {
  return core_->change_catalog([&](catalog::Transaction& t) -> Result<void> {
    if (t.view()->user(name)) return {};
    t.put(catalog::User{.id = core_->catalog.new_user_id(), .name = std::string(name), .password_disabled = true});
    return {};
  });
}

catalog::SnapshotPtr SqlService::catalog() const { return core_->catalog.latest(); }
engine::Engine& SqlService::engine() { return *core_->engine; }
const transfer::ClusterIdentity& SqlService::cluster() const { return core_->options.cluster; }
SqlService::Statistics SqlService::statistics() const { return {sessions(), core_->queries.load()}; }

void SqlService::log_connection(const ConnectionEvent& e) {
  auto snapshot = core_->catalog.latest();
  bool temporary = e.hello.user.starts_with("IAM");
  std::string_view name = e.hello.user;
  if (size_t colon = name.find(':'); temporary && colon != std::string_view::npos) name.remove_prefix(colon + 1);
  auto* user = snapshot->user(name);
  int64_t duration = 0;
  if (e.event == "disconnecting session") {
    for (auto& session : core_->sessions())
      if (session.pid == e.pid) duration = core_->now().us - session.started.us;
  }
  auto text = [](std::string_view s, size_t most) { return engine::Datum(std::string(secure::values::cut(s, most))); };
  auto number = [](int64_t n) { return engine::Datum(std::to_string(n)); };
  core_->log->append("stl_connection_log", {number(user ? user->id : 0),
                                            text(e.event, 50),
                                            sql_timestamp(core_->now()),
                                            text(e.session.remote_host, 45),
                                            text(std::to_string(e.session.remote_port), 32),
                                            number(e.pid),
                                            text(e.hello.database, 50),
                                            text(e.hello.user, 50),
                                            text(temporary ? "IAM AssumeUser" : "password", 32),
                                            number(duration),
                                            text(e.tls_version, 50),
                                            text("", 0),
                                            number(0),
                                            text("", 0),
                                            text("", 0),
                                            text("", 0),
                                            text(e.session.application_name, 250),
                                            text(e.session.os_version, 64),
                                            text(e.session.driver_version, 64),
                                            text("", 0),
                                            number(e.session.protocol),
                                            text("", 0),
                                            text("", 0)});
}

}  // namespace redoubt::warehouse::session
