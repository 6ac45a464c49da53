#pragma once
/// The files of one UNLOAD as they are written: one thread per slice formats, compresses and uploads what the query's thread
/// hands it, through a short queue, so that memory stays bounded and the slowest of the three sets the pace.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "warehouse/transfer/bucket.h"
#include "warehouse/transfer/codec.h"
#include "warehouse/transfer/manifest.h"
#include "warehouse/transfer/text_writer.h"
#include "warehouse/transfer/transfer.h"

namespace redoubt::warehouse::transfer {

struct WrittenFile {
  int slice = 0, part = 0;
  std::string key;
  int64_t rows = 0, bytes = 0;
  Timestamp start, end;
};

/// One slice. Threads: put, finish and stop from one other thread.
class Slice {
 public:
  struct Plan {
    Buckets& buckets;
    const TextWriter& writer;
    std::string bucket;
    std::function<std::string(int part)> key;
    Sealing sealing;
    Compression compression;
    uint64_t file_size_max;
    const Clock& clock;
  };
  Slice(const Plan& plan, int number);
  ~Slice();

  /// Complete DataRow messages; waits while the queue is full. False: the slice has failed, finish() says why.
  bool put(std::string rows, int64_t count);
  /// Writes what is queued and closes the last file; the files, in order.
  Result<std::vector<WrittenFile>> finish();

 private:
  struct Piece {
    std::string rows;
    int64_t count;
  };
  void run();
  Result<void> write(const Piece& piece);
  Result<void> open();
  Result<void> close();

  static constexpr size_t kQueued = 4;
  const Plan& plan_;
  const int number_;
  std::vector<WrittenFile> files_;  // the thread's, then finish()'s
  std::unique_ptr<engine::SequentialFile> file_;
  ObjectWriter* object_ = nullptr;  // file_'s innermost
  std::string text_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> queue_;     // guarded by mutex_
  bool ended_ = false;          // guarded by mutex_
  bool stopped_ = false;        // guarded by mutex_: drop everything
  std::optional<Error> error_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace redoubt::warehouse::transfer
