#include "warehouse/transfer/feed.h"

#include <algorithm>
#include <cstring>

#include "warehouse/engine/errors.h"

namespace redoubt::warehouse::transfer {

/// Buffers of blocks that are done with, so that their pages are used again.
struct Feed::Pool {
  std::mutex mutex;
  std::vector<std::string> buffers;  // guarded by mutex
};

Feed::Feed(std::vector<ObjectEntry> files, Open open, std::shared_ptr<const RecordEnds> ends, int64_t skip_lines,
           std::function<bool()> canceled, int slices)
    : open_(std::move(open)), ends_(std::move(ends)), canceled_(std::move(canceled)), pool_(std::make_shared<Pool>()) {
  for (auto& object : files) {
    auto progress = std::make_unique<FileProgress>();
    progress->object = std::move(object);
    progress->slice = static_cast<int>(progress_.size()) % std::max(1, slices);
    progress_.push_back(std::move(progress));
    files_.push_back(std::make_unique<File>());
    files_.back()->skip = skip_lines;
  }
}

BlockPtr Feed::new_block() {
  auto block = new Block;
  {
    std::lock_guard lock(pool_->mutex);
    if (!pool_->buffers.empty()) {
      block->bytes = std::move(pool_->buffers.back());
      pool_->buffers.pop_back();
    }
  }
  block->bytes.clear();
  block->bytes.reserve(kBlock + (512 << 10));
  return {block, [pool = pool_](Block* b) {
            if (b->bytes.capacity() <= kBlock * 2) {
              std::lock_guard lock(pool->mutex);
              if (pool->buffers.size() < 8) pool->buffers.push_back(std::move(b->bytes));
            }
            delete b;
          }};
}

Result<BlockPtr> Feed::next() {
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t i = first_; i < files_.size(); ++i) {
      File& file = *files_[i];
      std::unique_lock lock(file.mutex, std::defer_lock);
      if (pass == 0) {
        if (!lock.try_lock()) continue;
      } else {
        lock.lock();
      }
      {
        std::lock_guard guard(mutex_);
        if (error_) return fail(*error_);
      }
      if (!file.done) {
        auto block = read(file, *progress_[i]);
        if (!block) {
          std::lock_guard guard(mutex_);
          if (!error_) error_ = block.error();
          return block;
        }
        if (*block) return block;
        file.done = true;
        file.text.reset();
        file.carry = {};
      }
      size_t at = i;
      first_.compare_exchange_strong(at, i + 1);
    }
  }
  return nullptr;
}

Result<BlockPtr> Feed::read(File& file, FileProgress& progress) {
  if (canceled_ && canceled_()) return fail(engine::kQueryCanceled, "Query cancelled on user's request");
  if (!file.opened) {
    file.opened = true;
    TRY(file.text, open_(progress.object));
    if (!file.text) {
      progress.skipped = true;
      return nullptr;
    }
  }
  BlockPtr block = new_block();
  block->file = &progress;
  std::string& bytes = block->bytes;
  bytes.append(file.carry);
  file.carry.clear();
  while (true) {
    while (!file.eof && bytes.size() < kBlock) {
      size_t before = bytes.size();
      TRY_VOID(file.text->read(bytes, std::min<size_t>(kBlock - before, 1 << 20)));
      file.eof = bytes.size() == before;
    }
    // Header lines go before anything is parsed: they need not look like records.
    size_t skipped = 0;
    while (file.skip > 0 && skipped < bytes.size()) {
      auto* end = static_cast<const char*>(std::memchr(bytes.data() + skipped, '\n', bytes.size() - skipped));
      if (!end && !file.eof) break;
      skipped = end ? static_cast<size_t>(end - bytes.data()) + 1 : bytes.size();
      --file.skip;
      ++file.line;
    }
    if (skipped > 0) {
      bytes.erase(0, skipped);
      file.offset += static_cast<int64_t>(skipped);
      if (!file.eof) continue;
    }
    if (file.eof) break;
    size_t whole = ends_->whole(bytes);
    if (whole > 0 && file.skip == 0) {
      file.carry.assign(bytes, whole);
      bytes.resize(whole);
      break;
    }
    if (bytes.size() > kRecordMax)
      return fail(kLoadFailed,
                  "A row of " + progress.object.url() + " is longer than 4 MB (line " + std::to_string(file.line) + ")");
    // One record fills the block: a little more decides whether it is too long.
    size_t before = bytes.size();
    TRY_VOID(file.text->read(bytes, 64 << 10));
    file.eof = bytes.size() == before;
  }
  if (bytes.empty()) return nullptr;
  block->first_line = file.line;
  block->offset = file.offset;
  int64_t lines = std::count(bytes.begin(), bytes.end(), '\n');
  if (bytes.back() != '\n') ++lines;
  file.line += lines;
  progress.lines += lines;
  file.offset += static_cast<int64_t>(bytes.size());
  return block;
}

}  // namespace redoubt::warehouse::transfer
