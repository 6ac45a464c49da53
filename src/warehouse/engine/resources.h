#pragma once
/// The memory and the threads that all engines of the process share. Each open engine gets an equal part; parts are dealt again
/// when one opens or closes.
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace redoubt::warehouse::engine {

struct Share {
  size_t memory_bytes = 0;
  size_t threads = 0;
};

/// Threads: any.
class Resources {
 public:
  static constexpr size_t kMemoryFloor = size_t{64} << 20;  // below it, sorting and loading fail

  explicit Resources(Share total) : total_(total) {}

  /// Joins the party: `apply` is called with the part, now and whenever it changes, never twice at once. Leaves when the
  /// returned token is destroyed; after that `apply` isn't called any more.
  using Apply = std::function<void(Share)>;
  std::shared_ptr<void> join(Apply apply);

  Share total() const { return total_; }
  Share part() const;  // of each member now

 private:
  struct Member;
  Share part_locked() const;
  void deal_locked();

  const Share total_;
  mutable std::mutex mutex_;  // guards what is below, and is held while apply runs
  std::map<int, Apply> members_;
  int next_ = 0;
};

}  // namespace redoubt::warehouse::engine
