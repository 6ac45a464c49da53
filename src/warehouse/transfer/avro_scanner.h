#pragma once
/// COPY .. AVRO: the records of container files (codecs null, deflate, snappy, zstandard, bzip2), fields to columns as for JSON.
/// A record that doesn't fit its table is a rejected row; a file that isn't Avro ends the load.
#include "warehouse/transfer/json_paths.h"
#include "warehouse/transfer/text_scanner.h"

namespace redoubt::warehouse::transfer {

/// The files' blocks, one after the other, for many readers. Threads: any.
class AvroFeed {
 public:
  static constexpr size_t kBlockMax = size_t{64} << 20;

  AvroFeed(std::vector<ObjectEntry> files, Feed::Open open, std::function<bool()> canceled, int slices);
  ~AvroFeed();
  struct Block;
  /// nullptr at the end. Errors: kTransferFailed, kQueryCanceled, those of Open.
  Result<std::shared_ptr<Block>> next();
  const std::vector<std::unique_ptr<FileProgress>>& files() const { return progress_; }

 private:
  struct File;
  Result<std::shared_ptr<Block>> read();
  const Feed::Open open_;
  const std::function<bool()> canceled_;
  std::vector<std::unique_ptr<FileProgress>> progress_;
  std::mutex mutex_;
  size_t at_ = 0;               // guarded by mutex_, as all below
  std::unique_ptr<File> file_;  // the one that is open
  std::optional<Error> error_;
};

std::unique_ptr<engine::LoadSource> avro_source(const CopyOptions& options, std::vector<ColumnRule> columns, AvroFeed& feed,
                                                LoadLog& log, std::string time_zone, FieldMap map, size_t threads);

}  // namespace redoubt::warehouse::transfer
