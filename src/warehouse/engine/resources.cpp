#include "warehouse/engine/resources.h"

#include <algorithm>

namespace redoubt::warehouse::engine {

std::shared_ptr<void> Resources::join(Apply apply) {
  std::lock_guard lock(mutex_);
  int id = next_++;
  members_.emplace(id, std::move(apply));
  deal_locked();
  return std::shared_ptr<void>(nullptr, [this, id](void*) {
    std::lock_guard lock(mutex_);
    members_.erase(id);
    deal_locked();
  });
}

Share Resources::part() const {
  std::lock_guard lock(mutex_);
  return part_locked();
}

Share Resources::part_locked() const {
  size_t n = std::max<size_t>(1, members_.size());
  return {std::max(kMemoryFloor, total_.memory_bytes / n), std::max<size_t>(1, total_.threads / n)};
}

void Resources::deal_locked() {
  Share part = part_locked();
  for (auto& [id, apply] : members_) apply(part);
}

}  // namespace redoubt::warehouse::engine
