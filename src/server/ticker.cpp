#include "server/ticker.h"

#include <pthread.h>

#include <exception>
#include <string>

#include "base/log.h"

namespace redoubt::server {

Ticker::Ticker(std::chrono::milliseconds period, std::vector<std::function<void()>> chores)
    : thread_([this, period, chores = std::move(chores)] {
        pthread_setname_np(pthread_self(), "ticker");
        std::unique_lock lock(mutex_);
        while (!stop_.wait_for(lock, period, [&] { return stopping_; })) {
          lock.unlock();
          for (auto& chore : chores) {
            try {
              chore();
            } catch (const std::exception& e) {
              log::error(std::string("a background chore failed: ") + e.what());
            }
          }
          lock.lock();
        }
      }) {}

Ticker::~Ticker() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

}  // namespace redoubt::server
