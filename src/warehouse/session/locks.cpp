#include "warehouse/session/locks.h"

#include <algorithm>

#include "warehouse/session/errors.h"

namespace redoubt::warehouse::session {

void LockWait::when_ready(std::function<void()> on_ready) {
  {
    std::lock_guard lock(mutex_);
    if (!ready_) {
      on_ready_ = std::move(on_ready);
      return;
    }
  }
  on_ready();
}

void LockWait::fire() {
  std::function<void()> call;
  {
    std::lock_guard lock(mutex_);
    if (ready_) return;
    ready_ = true;
    call = std::move(on_ready_);
  }
  if (call) call();
}

Result<std::shared_ptr<LockWait>> LockManager::acquire(uint64_t owner, const std::vector<LockKey>& ascending) {
  std::lock_guard lock(mutex_);
  for (LockKey key : ascending) {
    Lock& l = locks_[key];
    if (l.holder == 0) l.holder = owner;
    if (l.holder == owner) {
      held_[owner].insert(key);
      continue;
    }
    if (closes_circle(owner, key)) return fail(kDeadlock, "deadlock detected");
    for (auto& waiter : l.queue)
      if (waiter.owner == owner) return waiter.wait;
    auto wait = std::make_shared<LockWait>();
    l.queue.push_back({owner, wait});
    waiting_[owner] = key;
    return wait;
  }
  return std::shared_ptr<LockWait>{};
}

/// Does the holder of `key`, or somebody ahead in its queue, wait (directly or not) for `owner`?
bool LockManager::closes_circle(uint64_t owner, LockKey key) const {
  std::set<uint64_t> seen;
  std::vector<LockKey> keys{key};
  while (!keys.empty()) {
    auto lock = locks_.find(keys.back());
    keys.pop_back();
    if (lock == locks_.end()) continue;
    std::vector<uint64_t> ahead{lock->second.holder};
    for (auto& waiter : lock->second.queue) ahead.push_back(waiter.owner);
    for (uint64_t other : ahead) {
      if (other == owner) return true;
      if (!seen.insert(other).second) continue;
      if (auto waits = waiting_.find(other); waits != waiting_.end()) keys.push_back(waits->second);
    }
  }
  return false;
}

void LockManager::pass_on(LockKey key, std::vector<std::shared_ptr<LockWait>>& fired) {
  auto at = locks_.find(key);
  if (at == locks_.end()) return;
  Lock& l = at->second;
  l.holder = 0;
  if (l.queue.empty()) {
    locks_.erase(at);
    return;
  }
  Waiter next = std::move(l.queue.front());
  l.queue.pop_front();
  l.holder = next.owner;
  held_[next.owner].insert(key);
  waiting_.erase(next.owner);
  fired.push_back(std::move(next.wait));
}

void LockManager::leave_queue(uint64_t owner, std::vector<std::shared_ptr<LockWait>>& fired) {
  auto waits = waiting_.find(owner);
  if (waits == waiting_.end()) return;
  auto& queue = locks_[waits->second].queue;
  for (auto& waiter : queue)
    if (waiter.owner == owner) fired.push_back(waiter.wait);
  std::erase_if(queue, [&](auto& waiter) { return waiter.owner == owner; });
  waiting_.erase(waits);
}

void LockManager::release(uint64_t owner) {
  std::vector<std::shared_ptr<LockWait>> fired;
  {
    std::lock_guard lock(mutex_);
    leave_queue(owner, fired);
    if (auto at = held_.find(owner); at != held_.end()) {
      std::set<LockKey> keys = std::move(at->second);
      held_.erase(at);
      for (LockKey key : keys) pass_on(key, fired);
    }
  }
  for (auto& wait : fired) wait->fire();
}

void LockManager::abandon(uint64_t owner) {
  std::vector<std::shared_ptr<LockWait>> fired;
  {
    std::lock_guard lock(mutex_);
    leave_queue(owner, fired);
  }
  for (auto& wait : fired) wait->fire();
}

std::vector<LockRow> LockManager::list() const {
  std::lock_guard lock(mutex_);
  std::vector<LockRow> rows;
  for (auto& [key, l] : locks_) {
    rows.push_back({key, l.holder, true});
    for (auto& waiter : l.queue) rows.push_back({key, waiter.owner, false});
  }
  return rows;
}

}  // namespace redoubt::warehouse::session
