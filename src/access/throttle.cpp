#include "access/throttle.h"

#include <algorithm>

namespace redoubt::access {

namespace {
std::map<std::string, Throttle::Rate, std::less<>> rates(const std::map<std::string, std::pair<double, double>>& limits) {
  std::map<std::string, Throttle::Rate, std::less<>> out;
  for (auto& [action, l] : limits) out[action] = {l.first, l.second};
  return out;
}
}  // namespace

Throttle::Throttle(std::map<std::string, std::pair<double, double>> limits) : limits_(rates(limits)) {}

bool Throttle::take(std::string_view account, std::string_view action, Timestamp now) {
  auto limit = limits_.find(action);
  if (limit == limits_.end()) return true;
  const Rate& rate = limit->second;
  std::string name(account);
  name.append(" ").append(action);
  std::lock_guard lock(mutex_);
  auto [it, fresh] = buckets_.try_emplace(std::move(name), Bucket{rate.burst, now});
  Bucket& bucket = it->second;
  if (now > bucket.filled) {
    bucket.tokens = std::min(rate.burst, bucket.tokens + double(now.us - bucket.filled.us) / 1e6 * rate.per_second);
    bucket.filled = now;
  }
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace redoubt::access
