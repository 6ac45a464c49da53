#include "warehouse/session/core.h"

#include <chrono>

#include "base/crypto.h"
#include "warehouse/session/sql_session.h"

namespace redoubt::warehouse::session {

struct Alarms::Entry {
  std::function<void()> call;
  std::mutex mutex;  // held while call runs, and to disarm
  bool disarmed = false;
};

Alarms::Alarms() : thread_([this] { run(); }) {}

Alarms::~Alarms() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::shared_ptr<void> Alarms::arm(int64_t after_ms, std::function<void()> call) {
  auto entry = std::make_shared<Entry>();
  entry->call = std::move(call);
  {
    std::lock_guard lock(mutex_);
    entries_.emplace(std::chrono::steady_clock::now() + std::chrono::milliseconds(after_ms), entry);
  }
  wake_.notify_one();
  return std::shared_ptr<void>(nullptr, [this, entry](void*) {
    {
      std::lock_guard off(entry->mutex);
      entry->disarmed = true;
    }
    std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](auto& e) { return e.second == entry; });
  });
}

void Alarms::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (entries_.empty()) {
      wake_.wait(lock);
      continue;
    }
    auto due = entries_.begin()->first;
    if (std::chrono::steady_clock::now() < due) {
      wake_.wait_until(lock, due);
      continue;
    }
    auto entry = entries_.begin()->second;
    entries_.erase(entries_.begin());
    lock.unlock();
    {
      std::lock_guard on(entry->mutex);
      if (!entry->disarmed) entry->call();
    }
    lock.lock();
  }
}

ServiceCore::ServiceCore(SqlService::Options o)
    : options(std::move(o)),
      engine(std::move(options.engine)),
      catalog(options.secret_key),
      mock_secret(crypto::random_bytes(32)) {}

std::vector<system::SessionRow> ServiceCore::sessions() {
  std::lock_guard lock(registry_mutex);
  std::vector<system::SessionRow> rows;
  for (auto& [pid, entry] : registry)
    if (entry.describe) rows.push_back(entry.describe());
  return rows;
}

std::vector<system::LockedRow> ServiceCore::lock_rows() {
  std::map<uint64_t, int> pids;
  {
    std::lock_guard lock(registry_mutex);
    for (auto& [pid, entry] : registry)
      if (entry.transaction) pids[entry.transaction()] = pid;
  }
  std::vector<system::LockedRow> rows;
  for (auto& row : locks.list())
    if (row.key <= UINT32_MAX) rows.push_back({catalog::Oid(row.key), pids[row.owner], row.owner, row.granted});
  return rows;
}

size_t ServiceCore::connections_of(catalog::Oid user) {
  size_t n = 0;
  for (auto& row : sessions()) n += row.user == user;
  return n;
}

std::vector<engine::CatalogRow> engine_rows(const std::vector<catalog::Row>& rows) {
  std::vector<engine::CatalogRow> out;
  for (auto& row : rows) out.push_back({0, row.oid, row.kind, row.body});
  return out;
}

Result<void> ServiceCore::change_catalog(const std::function<Result<void>(catalog::Transaction&)>& change) {
  catalog::Transaction changes(catalog);
  TRY_VOID(change(changes));
  if (changes.empty()) return {};
  TRY(auto connection, engine->connect());
  TRY_VOID(connection->begin());
  TRY_VOID(connection->append_catalog(engine_rows(changes.rows())));
  std::lock_guard one(commit_mutex);
  TRY_VOID(changes.check());
  TRY_VOID(connection->commit([&](engine::Sequence) { changes.publish(); }));
  return {};
}

}  // namespace redoubt::warehouse::session
