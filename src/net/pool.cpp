#include "net/pool.h"

#include <pthread.h>

namespace redoubt::net {

Pool::Pool(std::string name, size_t threads, size_t queue_max) : name_(std::move(name)), queue_max_(queue_max) {
  for (size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this, i] {
      pthread_setname_np(pthread_self(), (name_ + "-" + std::to_string(i)).substr(0, 15).c_str());
      work();
    });
}

Pool::~Pool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool Pool::post(Work&& work, Admit admit) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || (admit == Admit::bounded && queue_.size() >= queue_max_)) return false;
    queue_.push_back(std::move(work));
  }
  ready_.notify_one();
  return true;
}

size_t Pool::queued() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

void Pool::work() {
  for (;;) {
    Work next;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      next = std::move(queue_.front());
      queue_.pop_front();
    }
    next();
  }
}

}  // namespace redoubt::net
