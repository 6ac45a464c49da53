#pragma once
/// What goes wrong in a load, row by row, until it is too much. Threads: any.
#include <atomic>
#include <mutex>
#include <vector>

#include "warehouse/transfer/transfer.h"

namespace redoubt::warehouse::transfer {

class LoadLog {
 public:
  /// Rows kept for STL_LOAD_ERRORS; what exceeds this is only counted.
  static constexpr size_t kBytesMax = size_t{32} << 20;

  LoadLog(int64_t max_errors, bool ignore_all, const Clock& clock)
      : max_errors_(max_errors), ignore_all_(ignore_all), clock_(clock) {}

  /// False: that was one too many, the load ends.
  bool add(LoadError error) {
    error.start_time = clock_.now();
    int64_t count = ++count_;
    std::lock_guard lock(mutex_);
    bytes_ += sizeof(LoadError) + error.raw_line.size() + error.raw_field_value.size() + error.file_name.size() +
              error.err_reason.size();
    if (bytes_ <= kBytesMax) errors_.push_back(std::move(error));
    return ignore_all_ || count < max_errors_;
  }
  int64_t count() const { return count_; }
  bool too_many() const { return !ignore_all_ && count_ >= max_errors_; }
  /// In order of file and line. After the load.
  std::vector<LoadError> take();

 private:
  const int64_t max_errors_;
  const bool ignore_all_;
  const Clock& clock_;
  std::atomic<int64_t> count_ = 0;
  std::mutex mutex_;
  std::vector<LoadError> errors_;  // guarded by mutex_
  size_t bytes_ = 0;               // guarded by mutex_
};

}  // namespace redoubt::warehouse::transfer
