#include "warehouse/transfer/bucket.h"

#include <algorithm>
#include <cstring>

#include "base/log.h"

namespace redoubt::warehouse::transfer {

namespace s3 = api::s3;

template <class Op>
Result<typename Op::Output> Buckets::call(const typename Op::Input& input, const std::string& context,
                                          std::string_view location) {
  TRY(access::Call call, authority_.call());
  auto done = gate_.call<Op>(call, input);
  if (done) return done;
  Where where = authority_.where();
  where.context = context;
  where.location = location;
  return fail(s3_error(done.error(), call.request_id, where));
}

Result<std::vector<ObjectEntry>> Buckets::list(const std::string& bucket, const std::string& prefix, size_t max) {
  std::vector<ObjectEntry> out;
  s3::ListObjectsV2Request request;
  request.Bucket = bucket;
  request.Prefix = prefix;
  if (max) request.MaxKeys = static_cast<int64_t>(std::min<size_t>(max, 1000));
  while (true) {
    TRY(auto page, call<s3::op::ListObjectsV2>(request, "Listing bucket=" + bucket + " prefix=" + prefix, "s3_utility.cpp:840"));
    if (page.Contents)
      for (auto& object : *page.Contents) out.push_back({bucket, object.Key.value_or(""), object.Size.value_or(-1)});
    if (!page.IsTruncated.value_or(false) || !page.NextContinuationToken || (max && out.size() >= max)) return out;
    request.ContinuationToken = page.NextContinuationToken;
  }
}

Result<std::shared_ptr<api::BodySource>> Buckets::open(const ObjectEntry& object) {
  s3::GetObjectRequest request;
  request.Bucket = object.bucket;
  request.Key = object.key;
  TRY(access::Call call, authority_.call());
  auto got = gate_.call<s3::op::GetObject>(call, request);
  if (got) return std::move(got->Body);
  if (!object.mandatory && got.error().kind->code == "NoSuchKey") return nullptr;
  Where where = authority_.where();
  where.context = "S3 key being read : " + object.url();
  where.location = "table_s3_scanner.cpp:352";
  return fail(s3_error(got.error(), call.request_id, where));
}

Result<std::string> Buckets::read_small(const std::string& bucket, const std::string& key, size_t max) {
  TRY(auto body, open({bucket, key}));
  std::string out;
  for (size_t before = 1; before != out.size();) {
    before = out.size();
    if (body) {
      TRY_VOID(body->read(out, max + 1 - out.size()));
    }
    if (out.size() > max) return fail(kTransferFailed, "The file s3://" + bucket + "/" + key + " is too large to be a manifest");
  }
  return out;
}

Result<int64_t> Buckets::size(const ObjectEntry& object) {
  s3::HeadObjectRequest request;
  request.Bucket = object.bucket;
  request.Key = object.key;
  TRY(auto head, call<s3::op::HeadObject>(request, "S3 key being read : " + object.url(), "table_s3_scanner.cpp:352"));
  return head.ContentLength.value_or(0);
}

namespace {

/// Ranged reads of one object, whole windows of it kept, so that a format that reads many small pieces makes few requests.
class WindowedFile final : public engine::RandomFile {
 public:
  static constexpr uint64_t kWindow = 1 << 20, kWindows = 8;
  using Fetch = std::function<Result<std::string>(uint64_t from, uint64_t size)>;
  WindowedFile(uint64_t size, Fetch fetch) : size_(size), fetch_(std::move(fetch)) {}
  uint64_t size() const override { return size_; }

  Result<void> read(uint64_t offset, char* out, size_t size) override {
    if (offset > size_ || size > size_ - offset) return fail(kTransferFailed, "the file ends before its own directory says so");
    if (size >= kWindow) {
      TRY(std::string bytes, fetch_(offset, size));
      std::memcpy(out, bytes.data(), size);
      return {};
    }
    while (size > 0) {
      uint64_t at = offset / kWindow;
      TRY(auto window, find(at));
      uint64_t skip = offset - at * kWindow;
      size_t n = std::min<uint64_t>(size, window->size() - skip);
      std::memcpy(out, window->data() + skip, n);
      out += n, offset += n, size -= n;
    }
    return {};
  }

 private:
  using Window = std::shared_ptr<const std::string>;
  Result<Window> find(uint64_t at) {
    {
      std::lock_guard lock(mutex_);
      for (auto& [n, window] : kept_)
        if (n == at) return window;
    }
    TRY(std::string bytes, fetch_(at * kWindow, std::min(kWindow, size_ - at * kWindow)));
    auto window = std::make_shared<const std::string>(std::move(bytes));
    std::lock_guard lock(mutex_);
    if (kept_.size() >= kWindows) kept_.erase(kept_.begin());
    kept_.emplace_back(at, window);
    return window;
  }

  const uint64_t size_;
  const Fetch fetch_;
  std::mutex mutex_;
  std::vector<std::pair<uint64_t, Window>> kept_;  // guarded by mutex_
};

}  // namespace

Result<std::shared_ptr<engine::RandomFile>> Buckets::random(const ObjectEntry& object) {
  TRY(int64_t size, this->size(object));
  auto fetch = [this, object](uint64_t from, uint64_t bytes) -> Result<std::string> {
    s3::GetObjectRequest request;
    request.Bucket = object.bucket;
    request.Key = object.key;
    request.Range = "bytes=" + std::to_string(from) + "-" + std::to_string(from + bytes - 1);
    TRY(auto got, call<s3::op::GetObject>(request, "S3 key being read : " + object.url(), "table_s3_scanner.cpp:352"));
    std::string out;
    out.reserve(bytes);
    for (size_t before = 1; got.Body && out.size() < bytes && before != out.size();) {
      before = out.size();
      TRY_VOID(got.Body->read(out, bytes - out.size()));
    }
    if (out.size() != bytes) return fail(kTransferFailed, "The file " + object.url() + " changed while it was read");
    return out;
  };
  return std::make_shared<WindowedFile>(static_cast<uint64_t>(size), std::move(fetch));
}

std::unique_ptr<ObjectWriter> Buckets::create(const std::string& bucket, const std::string& key, const Sealing& sealing) {
  return std::make_unique<ObjectWriter>(*this, bucket, key, sealing);
}

Result<void> Buckets::remove(const std::string& bucket, const std::vector<std::string>& keys) {
  for (auto& key : keys) {
    s3::DeleteObjectRequest request;
    request.Bucket = bucket;
    request.Key = key;
    TRY(auto gone, call<s3::op::DeleteObject>(request, "Deleting s3://" + bucket + "/" + key, "s3_utility.cpp:1105"));
    static_cast<void>(gone);
  }
  return {};
}

// ------------------------------------------------------------------------------------------------------------ ObjectWriter

ObjectWriter::ObjectWriter(Buckets& buckets, std::string bucket, std::string key, Sealing sealing)
    : buckets_(buckets), bucket_(std::move(bucket)), key_(std::move(key)), sealing_(std::move(sealing)) {}

ObjectWriter::~ObjectWriter() {
  if (finished_ || upload_id_.empty()) return;
  part_.reset();
  s3::AbortMultipartUploadRequest request;
  request.Bucket = bucket_;
  request.Key = key_;
  request.UploadId = upload_id_;
  auto aborted = buckets_.call<s3::op::AbortMultipartUpload>(request, "", "");
  if (!aborted) log::warn("transfer: an upload that failed could not be aborted as its caller");
}

Error ObjectWriter::failed(const Error& error, std::string_view request_id) const {
  Where where = buckets_.authority_.where();
  where.context = "Failed to initialize S3 output stream. S3 path: s3://" + bucket_ + "/" + key_;
  where.location = "s3_utility.cpp:573";
  return s3_error(error, request_id, where);
}

Result<void> ObjectWriter::write(std::string_view bytes) {
  size_ += static_cast<int64_t>(bytes.size());
  if (upload_id_.empty()) {
    if (held_.size() + bytes.size() <= kWhole) {
      held_.append(bytes);
      return {};
    }
    TRY_VOID(start_multipart());
    TRY_VOID(write_part(held_));
    held_ = {};
  }
  return write_part(bytes);
}

Result<void> ObjectWriter::start_multipart() {
  s3::CreateMultipartUploadRequest request;
  request.Bucket = bucket_;
  request.Key = key_;
  request.ServerSideEncryption = sealing_.server_side_encryption;
  request.SSEKMSKeyId = sealing_.kms_key;
  TRY(access::Call call, buckets_.authority_.call());
  auto started = buckets_.gate_.call<s3::op::CreateMultipartUpload>(call, request);
  if (!started) return fail(failed(started.error(), call.request_id));
  upload_id_ = started->UploadId.value_or("");
  if (upload_id_.empty()) return fail(kTransferFailed, "S3 began an upload without a name");
  return {};
}

Result<void> ObjectWriter::write_part(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!part_) {
      s3::UploadPartRequest request;
      request.Bucket = bucket_;
      request.Key = key_;
      request.UploadId = upload_id_;
      request.PartNumber = static_cast<int64_t>(parts_.size()) + 1;
      TRY(access::Call call, buckets_.authority_.call());
      part_request_ = call.request_id;
      auto opened = buckets_.gate_.upload<s3::op::UploadPart>(call, request);
      if (!opened) return fail(failed(opened.error(), part_request_));
      part_ = std::move(*opened);
      part_size_ = 0;
    }
    auto piece = bytes.substr(0, kPart - part_size_);
    if (auto written = part_->write(piece); !written) return fail(failed(written.error(), part_request_));
    part_size_ += piece.size();
    bytes.remove_prefix(piece.size());
    if (part_size_ == kPart) TRY_VOID(end_part());
  }
  return {};
}

Result<void> ObjectWriter::end_part() {
  auto done = part_->finish();
  part_.reset();
  if (!done) return fail(failed(done.error(), part_request_));
  s3::CompletedPart part;
  part.PartNumber = static_cast<int64_t>(parts_.size()) + 1;
  part.ETag = done->ETag;
  parts_.push_back(std::move(part));
  return {};
}

Result<void> ObjectWriter::finish() {
  TRY(access::Call call, buckets_.authority_.call());
  if (upload_id_.empty()) {
    s3::PutObjectRequest request;
    request.Bucket = bucket_;
    request.Key = key_;
    request.ContentLength = static_cast<int64_t>(held_.size());
    request.ServerSideEncryption = sealing_.server_side_encryption;
    request.SSEKMSKeyId = sealing_.kms_key;
    auto opened = buckets_.gate_.upload<s3::op::PutObject>(call, request);
    if (!opened) return fail(failed(opened.error(), call.request_id));
    if (auto written = (*opened)->write(held_); !written) return fail(failed(written.error(), call.request_id));
    if (auto done = (*opened)->finish(); !done) return fail(failed(done.error(), call.request_id));
    finished_ = true;
    held_ = {};
    return {};
  }
  if (part_) TRY_VOID(end_part());
  s3::CompleteMultipartUploadRequest request;
  request.Bucket = bucket_;
  request.Key = key_;
  request.UploadId = upload_id_;
  request.MultipartUpload = s3::CompletedMultipartUpload{parts_};
  auto done = buckets_.gate_.call<s3::op::CompleteMultipartUpload>(call, request);
  if (!done) return fail(failed(done.error(), call.request_id));
  finished_ = true;
  return {};
}

}  // namespace redoubt::warehouse::transfer
