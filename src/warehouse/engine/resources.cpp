#include "warehouse/engine/resources.h"

#include <algorithm>

namespace redoubt::warehouse::engine {
namespace {

Share divided(Share total, size_t in_use, size_t idle) {
  size_t kept = std::min(idle * Resources::kMemoryIdle, total.memory_bytes / 2);
  return {std::max(Resources::kMemoryFloor, (total.memory_bytes - kept) / in_use), std::max<size_t>(1, total.threads / in_use)};
}

}  // namespace

Resources::Member::Member(std::shared_ptr<Resources> resources, std::function<void(Share)> apply)
    : resources_(std::move(resources)), apply_(std::move(apply)), last_used_us_(resources_->clock_.now().us) {}

Resources::Member::~Member() {
  std::lock_guard lock(resources_->mutex_);
  std::erase(resources_->members_, this);
  resources_->deal();
}

bool Resources::Member::is_idle(Timestamp now) const { return users_ == 0 && now.us - last_used_us_ > kIdleSeconds * 1000000; }

void Resources::Member::busy() {
  ++users_;
  last_used_us_ = resources_->clock_.now().us;
  if (in_use_) return;
  std::lock_guard lock(resources_->mutex_);
  in_use_ = true;
  resources_->deal();
}

void Resources::Member::idle() {
  last_used_us_ = resources_->clock_.now().us;
  --users_;
}

std::shared_ptr<Resources::Member> Resources::join(std::function<void(Share)> apply) {
  std::shared_ptr<Member> member(new Member(shared_from_this(), std::move(apply)));
  std::lock_guard lock(mutex_);
  members_.push_back(member.get());
  deal();
  return member;
}

Share Resources::part() const {
  std::lock_guard lock(mutex_);
  auto in_use = static_cast<size_t>(std::ranges::count_if(members_, [](Member* m) { return m->in_use_.load(); }));
  return divided(total_, in_use + 1, members_.size() - in_use);
}

void Resources::deal() {
  Timestamp now = clock_.now();
  size_t in_use = 0;
  for (Member* m : members_) {
    if (m->is_idle(now)) m->in_use_ = false;
    in_use += m->in_use_;
  }
  Share part = divided(total_, std::max<size_t>(1, in_use), members_.size() - in_use);
  // Those that give go first, so that the sum stays within the total.
  for (bool giving : {true, false})
    for (Member* m : members_) {
      Share share = m->in_use_ ? part : Share{kMemoryIdle, 1};
      if (share == m->share_ || (share.memory_bytes < m->share_.memory_bytes) != giving) continue;
      m->share_ = share;
      m->apply_(share);
    }
}

}  // namespace redoubt::warehouse::engine
