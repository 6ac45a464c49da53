#include <algorithm>

#include "warehouse/secure/errors.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/sql_session.h"

namespace redoubt::warehouse::session {

namespace {
/// As Redshift words it.
std::unexpected<Error> no_command(const std::string& text) {
  return fail(secure::kNotSupported, "SQL command \"" + text + "\" not supported.");
}
}  // namespace

void SqlSession::ensure_transaction() {
  if (tx_.active) return;
  tx_.active = true;
  tx_.id = core_->next_transaction++;
  shared_transaction_ = tx_.id;
  tx_.started = core_->now();
  tx_.user = session_user_;
  tx_.changes = std::make_unique<catalog::Transaction>(core_->catalog);
  settings_.begin();
}

Result<engine::Connection*> SqlSession::open_engine() {
  if (!connection_) {
    TRY(connection_, core_->engine->connect());
    std::lock_guard lock(shared_mutex_);
    shared_connection_ = connection_.get();
  }
  // A cancel either came before, and stop_ says so, or reaches the engine, even if it comes before the statement does.
  connection_->expect_statement();
  if (stop_ != Stop::kNone) return fail(engine::kQueryCanceled, "");
  if (connection_->state() == engine::Connection::State::kIdle) TRY_VOID(connection_->begin());
  return connection_.get();
}

Result<std::shared_ptr<Wait>> SqlSession::lock(std::vector<LockKey> keys) {
  CHECK(tx_.active);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  TRY(auto wait, core_->locks.acquire(tx_.id, keys));
  // A cancel that came between its check and the queue would be missed otherwise.
  if (wait && stop_ != Stop::kNone) core_->locks.abandon(tx_.id);
  return std::shared_ptr<Wait>(std::move(wait));
}

void SqlSession::begin_block(bool read_only) {
  ensure_transaction();
  tx_.block = true;
  tx_.read_only = read_only;
}

Result<void> SqlSession::commit() {
  if (!tx_.active) return {};
  // Streams live in the transaction: what outlives it must have its rows first.
  for (auto& [name, cursor] : cursors_)
    if (cursor.with_hold)
      if (auto kept = cursor.stream->materialise(); !kept) return fail(kept.error());
  portals_.clear();
  std::erase_if(cursors_, [](auto& c) { return !c.second.with_hold; });

  auto committed = [&]() -> Result<void> {
    if (tx_.changes->empty()) {
      if (connection_ && connection_->state() != engine::Connection::State::kIdle) TRY_VOID(connection_->commit());
      return {};
    }
    TRY(auto* engine, open_engine());
    TRY_VOID(engine->append_catalog(engine_rows(tx_.changes->rows())));
    std::lock_guard one(core_->commit_mutex);
    TRY_VOID(tx_.changes->check());
    TRY_VOID(engine->commit([&](engine::Sequence) { tx_.changes->publish(); }));
    return {};
  }();
  if (!committed) {
    rollback();
    return committed;
  }
  end_transaction(true);
  return {};
}

void SqlSession::rollback() {
  portals_.clear();
  std::erase_if(cursors_, [](auto& c) { return !c.second.with_hold; });
  if (connection_) connection_->rollback();
  end_transaction(false);
}

void SqlSession::end_transaction(bool committed) {
  if (!tx_.active) return;
  core_->locks.release(tx_.id);
  for (auto& [table, row] : std::exchange(logged_, {}))
    if (committed) core_->log->append(table, std::move(row));
  if (committed)
    settings_.commit();
  else
    settings_.rollback();
  if (!committed && session_user_ != tx_.user) set_session_user(tx_.user);
  tx_ = Tx{};
  shared_transaction_ = 0;
}

Result<Outcome> SqlSession::transaction_command(const sql::Transaction& command) {
  using A = sql::Transaction::Action;
  switch (command.action) {
    case A::kBegin:
      if (tx_.block) {
        notice({.severity = "WARNING", .sqlstate = "25001", .message = "there is already a transaction in progress"});
      } else {
        begin_block(command.modes.read_only.value_or(false));
      }
      return done(command.start ? "START TRANSACTION" : "BEGIN");
    case A::kCommit:
      if (tx_.failed) {
        rollback();
        return done("ROLLBACK");
      }
      if (!tx_.block) notice({.severity = "WARNING", .sqlstate = "25P01", .message = "there is no transaction in progress"});
      TRY_VOID(commit());
      return done("COMMIT");
    case A::kRollback:
      if (!tx_.block) notice({.severity = "WARNING", .sqlstate = "25P01", .message = "there is no transaction in progress"});
      rollback();
      return done("ROLLBACK");
    case A::kSavepoint:
      return no_command("SAVEPOINT " + quote_identifier(command.savepoint));
    case A::kRollbackTo:
      return no_command("ROLLBACK TO SAVEPOINT " + quote_identifier(command.savepoint));
    case A::kRelease:
      return no_command("RELEASE SAVEPOINT " + quote_identifier(command.savepoint));
  }
  return done("");
}

void SqlSession::drop_temporaries() {
  if (!temporaries_) return;
  std::string name = temp_schema_name(pid_);
  ensure_transaction();
  auto& changes = *tx_.changes;
  auto engine = open_engine();
  if (!engine) return rollback();
  for (auto* database : changes.view()->databases()) {
    auto* schema = changes.view()->schema(database->oid, name);
    if (!schema) continue;
    catalog::Key key = schema->key();
    for (auto* relation : changes.view()->relations(schema->oid)) {
      if (relation->kind == catalog::RelationKind::kTable)
        if (!(*engine)->drop_table(physical_of(*relation))) return rollback();
      for (catalog::Oid view : changes.view()->dependents(relation->oid)) changes.drop({catalog::ObjectKind::kRelation, view});
      changes.drop(relation->key());
    }
    changes.drop(key);
  }
  (void)commit();  // what stays behind is cleared when the service opens again
}

}  // namespace redoubt::warehouse::session
