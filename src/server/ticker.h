#pragma once
/// A thread that does small things now and then: whatever has no request that it could happen on.
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace redoubt::server {

class Ticker {
 public:
  /// Calls each of `chores` once per `period`, one after the other, from a thread of its own.
  Ticker(std::chrono::milliseconds period, std::vector<std::function<void()>> chores);
  /// Waits for the chore that runs.
  ~Ticker();
  Ticker(const Ticker&) = delete;

 private:
  std::mutex mutex_;  // guards stopping_
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace redoubt::server
