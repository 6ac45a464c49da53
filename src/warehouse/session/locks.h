#pragma once
/// Exclusive write locks of one cluster, held by transactions until they end. Nobody waits on a thread: who can't have a lock
/// gets a Wait, and asks again when that fires.
///
///   TRY(auto wait, locks.acquire(owner, {table_a, table_b}));   // ascending; own locks are granted again
///   if (wait) ...                                               // the statement is tried again from its start
///   locks.release(owner);                                       // end of transaction
///
/// First come, first served for each key. A wait that would close a circle is refused: kDeadlock (40P01).
/// Readers take no locks: the engine's snapshots serve them. Threads: any.
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "base/result.h"
#include "warehouse/session/session.h"

namespace redoubt::warehouse::session {

using LockKey = uint64_t;
/// Of relations; other catalog objects have (kind << 32 | id) with kind > 0.
inline LockKey table_lock(catalog::Oid relation) { return relation; }
inline LockKey object_lock(const catalog::Key& key) { return (uint64_t(key.kind) + 1) << 56 | key.id; }

class LockWait : public Wait {
 public:
  void when_ready(std::function<void()> on_ready) override;
  void fire();  // idempotent

 private:
  std::mutex mutex_;
  bool ready_ = false;
  std::function<void()> on_ready_;
};

struct LockRow {
  LockKey key = 0;
  uint64_t owner = 0;
  bool granted = true;
};

class LockManager {
 public:
  /// null: all are held. Errors: kDeadlock.
  Result<std::shared_ptr<LockWait>> acquire(uint64_t owner, const std::vector<LockKey>& ascending);
  void release(uint64_t owner);
  /// Ends a wait without the lock (cancel, timeout): it fires.
  void abandon(uint64_t owner);
  std::vector<LockRow> list() const;

 private:
  struct Waiter {
    uint64_t owner;
    std::shared_ptr<LockWait> wait;
  };
  struct Lock {
    uint64_t holder = 0;
    std::deque<Waiter> queue;
  };
  bool closes_circle(uint64_t owner, LockKey key) const;
  void leave_queue(uint64_t owner, std::vector<std::shared_ptr<LockWait>>& fired);
  void pass_on(LockKey key, std::vector<std::shared_ptr<LockWait>>& fired);

  mutable std::mutex mutex_;
  std::map<LockKey, Lock> locks_;
  std::map<uint64_t, std::set<LockKey>> held_;
  std::map<uint64_t, LockKey> waiting_;
};

}  // namespace redoubt::warehouse::session
