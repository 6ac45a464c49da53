#pragma once
/// The memory and the threads that all engines of the process share. Engines in use get equal parts; one that nobody has used for
/// a while gives its part back as soon as another one needs it.
///
///   auto member = resources->join([&](Share part) { .. });
///   member->busy();  .. a transaction ..  member->idle();
///
/// Threads: any.
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"

namespace redoubt::warehouse::engine {

struct Share {
  size_t memory_bytes = 0;
  size_t threads = 0;
  bool operator==(const Share&) const = default;
};

class Resources : public std::enable_shared_from_this<Resources> {
 public:
  static constexpr size_t kMemoryFloor = size_t{64} << 20;  // of an engine in use; below it, sorting and loading fail
  static constexpr size_t kMemoryIdle = size_t{16} << 20;   // what an idle one may keep
  static constexpr int64_t kIdleSeconds = 30;

  explicit Resources(Share total, const Clock& clock = Clock::system()) : total_(total), clock_(clock) {}

  class Member {
   public:
    ~Member();  // leaves: `apply` isn't called any more
    Member(const Member&) = delete;
    void busy();  // once for each transaction, and
    void idle();  // once when it ends

   private:
    friend class Resources;
    Member(std::shared_ptr<Resources> resources, std::function<void(Share)> apply);
    bool is_idle(Timestamp now) const;

    std::shared_ptr<Resources> resources_;
    std::function<void(Share)> apply_;
    std::atomic<int> users_{0};
    std::atomic<int64_t> last_used_us_{0};
    std::atomic<bool> in_use_{true};  // counted among those that get a full part; changes under Resources::mutex_
    Share share_;                     // as last applied; guarded by Resources::mutex_
  };

  /// `apply` is called with the member's part, now and whenever it changes, never twice at once.
  std::shared_ptr<Member> join(std::function<void(Share)> apply);

  Share total() const { return total_; }
  Share part() const;  // what one more engine in use would get

 private:
  void deal();  // mutex_ is held

  const Share total_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // guards what is below, and is held while apply runs
  std::vector<Member*> members_;
};

}  // namespace redoubt::warehouse::engine
