#pragma once
/// Token buckets by account and action. Source: EC2 API Reference, "Request throttling". Threads: any.
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace redoubt::access {

class Throttle {
 public:
  struct Rate {
    double per_second = 0, burst = 0;
  };
  /// By action ("sts:AssumeRole"); an action that isn't named is never throttled.
  explicit Throttle(std::map<std::string, std::pair<double, double>> limits);
  /// Takes one token of `account`'s bucket for `action`; false when it is empty. A clock that goes back refills nothing.
  bool take(std::string_view account, std::string_view action, Timestamp now);
  bool empty() const { return limits_.empty(); }

 private:
  struct Bucket {
    double tokens;
    Timestamp filled;
  };
  const std::map<std::string, Rate, std::less<>> limits_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;  // "account action"; guarded by mutex_
};

}  // namespace redoubt::access
