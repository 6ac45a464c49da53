#pragma once
/// What the sessions of one cluster share. Session room only: others use sql_service.h.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "warehouse/catalog/catalog.h"
#include "warehouse/engine/engine.h"
#include "warehouse/session/locks.h"
#include "warehouse/session/program.h"
#include "warehouse/session/sql_service.h"
#include "warehouse/system/log.h"
#include "warehouse/system/source.h"

namespace redoubt::warehouse::session {

/// Runs a callback when its time has come, on a thread of its own; callbacks must be short. Threads: any.
class Alarms {
 public:
  Alarms();
  ~Alarms();
  /// The token's destruction disarms; a callback that is running then has ended when it returns.
  std::shared_ptr<void> arm(int64_t after_ms, std::function<void()> call);

 private:
  struct Entry;
  void run();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<std::chrono::steady_clock::time_point, std::shared_ptr<Entry>> entries_;
  bool stop_ = false;
  std::thread thread_;
};

/// What the registry knows of a session: how to reach it, and what it tells of itself.
struct Registered {
  Session* session = nullptr;
  int secret = 0;
  std::function<system::SessionRow()> describe;
  std::function<uint64_t()> transaction;
};

struct ServiceCore {
  SqlService::Options options;
  std::unique_ptr<engine::Engine> engine;
  catalog::Catalog catalog;
  std::unique_ptr<system::SystemLog> log;
  LockManager locks;
  Alarms alarms;
  ProgramCache programs;

  /// Held from Transaction::check() to publish(): catalog commits are one after the other.
  std::mutex commit_mutex;

  std::mutex registry_mutex;  // guards registry, next_pid
  std::map<int, Registered> registry;
  int next_pid = 1073741824;  // Redshift's pids look like this

  std::atomic<uint64_t> next_transaction{1000};
  std::atomic<int> next_query{100};
  std::atomic<uint64_t> queries{0};
  std::string mock_secret;  // for sign-ons of users that don't exist

  explicit ServiceCore(SqlService::Options o);
  Timestamp now() const { return options.clock->now(); }
  std::vector<system::SessionRow> sessions();
  std::vector<system::LockedRow> lock_rows();
  size_t connections_of(catalog::Oid user);

  /// Runs `change` in a transaction of its own and commits it: what the service itself changes.
  Result<void> change_catalog(const std::function<Result<void>(catalog::Transaction&)>& change);
};

/// Engine rows of catalog rows and back.
std::vector<engine::CatalogRow> engine_rows(const std::vector<catalog::Row>& rows);

}  // namespace redoubt::warehouse::session
