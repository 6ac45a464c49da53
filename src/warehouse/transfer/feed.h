#pragma once
/// The bytes of many files as blocks of whole records, for as many threads as ask. Reading, decrypting and decompressing a file
/// happens under that file's lock on whichever thread needs the next block, while others parse theirs.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/http.h"
#include "base/result.h"
#include "warehouse/transfer/bucket.h"

namespace redoubt::warehouse::transfer {

/// What a load has learned of one file.
struct FileProgress {
  ObjectEntry object;
  int slice = 0;
  bool skipped = false;  // it didn't exist and needn't
  std::atomic<int64_t> lines = 0, errors = 0;
};

/// Where records end.
class RecordEnds {
 public:
  virtual ~RecordEnds() = default;
  /// `bytes` begins at the start of a record. How many of them are whole records; 0: none is complete.
  virtual size_t whole(std::string_view bytes) const = 0;
};

struct Block {
  FileProgress* file = nullptr;
  std::string bytes;       // whole records; only the last one of a file may lack its end
  int64_t first_line = 1;  // of the file
  int64_t offset = 0;      // of bytes[0] in the file's text
};
using BlockPtr = std::shared_ptr<Block>;

/// Threads: any.
class Feed {
 public:
  static constexpr size_t kBlock = size_t{4} << 20;
  static constexpr size_t kRecordMax = size_t{4} << 20;  // Redshift's limit of a row

  /// Opens the n-th file's text; nullptr: it is skipped.
  using Open = std::function<Result<std::shared_ptr<api::BodySource>>(const ObjectEntry&)>;
  /// `skip_lines`: of each file's start (IGNOREHEADER). `canceled` is asked at every block.
  Feed(std::vector<ObjectEntry> files, Open open, std::shared_ptr<const RecordEnds> ends, int64_t skip_lines,
       std::function<bool()> canceled, int slices);

  /// The next block; nullptr at the end. Errors: those of Open and reading, kQueryCanceled, kLoadFailed (a record beyond
  /// kRecordMax); after one every further call fails alike.
  Result<BlockPtr> next();
  const std::vector<std::unique_ptr<FileProgress>>& files() const { return progress_; }

 private:
  struct File {
    std::mutex mutex;
    bool opened = false, eof = false, done = false;
    std::shared_ptr<api::BodySource> text;
    std::string carry;
    int64_t line = 1, offset = 0, skip = 0;
  };
  Result<BlockPtr> read(File& file, FileProgress& progress);
  BlockPtr new_block();

  const Open open_;
  const std::shared_ptr<const RecordEnds> ends_;
  const std::function<bool()> canceled_;
  std::vector<std::unique_ptr<FileProgress>> progress_;
  std::vector<std::unique_ptr<File>> files_;
  std::atomic<size_t> first_ = 0;  // files before it are done
  std::mutex mutex_;
  std::optional<Error> error_;  // guarded by mutex_
  struct Pool;
  std::shared_ptr<Pool> pool_;
};

}  // namespace redoubt::warehouse::transfer
