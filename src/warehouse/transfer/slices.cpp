#include "warehouse/transfer/slices.h"

namespace redoubt::warehouse::transfer {

Slice::Slice(const Plan& plan, int number) : plan_(plan), number_(number), thread_([this] { run(); }) {}

Slice::~Slice() {
  {
    std::lock_guard lock(mutex_);
    ended_ = stopped_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Slice::put(std::string rows, int64_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.size() < kQueued || error_; });
  if (error_) return false;
  queue_.push_back({std::move(rows), count});
  changed_.notify_all();
  return true;
}

Result<std::vector<WrittenFile>> Slice::finish() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (error_) return fail(*error_);
  return std::move(files_);
}

void Slice::run() {
  while (true) {
    Piece piece;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !queue_.empty() || ended_; });
      if (stopped_) return;
      if (queue_.empty()) break;
      piece = std::move(queue_.front());
      queue_.pop_front();
    }
    changed_.notify_all();
    if (auto written = write(piece); !written) {
      {
        std::lock_guard lock(mutex_);
        error_ = std::move(written).error();
        queue_.clear();
      }
      changed_.notify_all();
      file_.reset();
      return;
    }
  }
  auto closed = close();
  std::lock_guard lock(mutex_);
  if (!closed) error_ = std::move(closed).error();
}

Result<void> Slice::write(const Piece& piece) {
  if (!file_) TRY_VOID(open());
  text_.clear();
  TRY_VOID(plan_.writer.write(piece.rows, text_));
  TRY_VOID(file_->write(text_));
  files_.back().rows += piece.count;
  if (static_cast<uint64_t>(object_->size()) >= plan_.file_size_max) return close();
  return {};
}

Result<void> Slice::open() {
  WrittenFile file;
  file.slice = number_;
  file.part = static_cast<int>(files_.size());
  file.key = plan_.key(file.part);
  file.start = plan_.clock.now();
  auto object = plan_.buckets.create(plan_.bucket, file.key, plan_.sealing);
  object_ = object.get();
  file_ = compress(std::move(object), plan_.compression);
  files_.push_back(std::move(file));
  std::string header = plan_.writer.header();
  if (header.empty()) return {};
  ++files_.back().rows;  // the header counts, as in Redshift's manifests
  return file_->write(header);
}

Result<void> Slice::close() {
  if (!file_) return {};
  TRY_VOID(file_->finish());
  files_.back().bytes = object_->size();
  files_.back().end = plan_.clock.now();
  file_.reset();
  object_ = nullptr;
  return {};
}

}  // namespace redoubt::warehouse::transfer
