#include "objects/blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"

namespace redoubt::objects {
namespace {

constexpr std::string_view kInline = "s3.inline", kFiles = "s3.files", kTrash = "s3.trash";
constexpr size_t kTag = 16;

std::unexpected<Error> io_error(const std::string& what) {
  int e = errno;
  if (e == ENOSPC || e == EDQUOT) return fail(meta::kStorageFull, "The server's disk is full; free some space and try again.");
  return fail(kInternal, what + ": " + std::strerror(e));
}

std::string frame_nonce(std::string_view prefix, uint32_t frame) {
  std::string n(prefix);
  for (int shift = 24; shift >= 0; shift -= 8) n += char(frame >> shift);
  return n;
}
std::string frame_aad(uint32_t frame, bool last) {
  std::string a;
  for (int shift = 24; shift >= 0; shift -= 8) a += char(frame >> shift);
  return a + (last ? '\1' : '\0');
}

uint32_t frame_count(uint64_t size) { return uint32_t((size + kFrame - 1) / kFrame); }

/// Decrypts frame by frame from a file or from bytes in memory.
class Reader final : public api::BodySource {
 public:
  Reader(Blob blob, std::string key, int fd, uint64_t offset, uint64_t length)
      : blob_(std::move(blob)), key_(std::move(key)), fd_(fd), at_(offset), end_(offset + length) {}
  ~Reader() override {
    if (fd_ >= 0) ::close(fd_);
  }
  Result<void> read(std::string& out, size_t max) override {
    while (max > 0 && at_ < end_) {
      TRY_VOID(load(uint32_t(at_ / kFrame)));
      size_t from = at_ % kFrame;
      size_t n = std::min({plain_.size() - from, size_t(end_ - at_), max});
      out.append(plain_, from, n);
      at_ += n;
      max -= n;
    }
    return {};
  }

 private:
  Result<void> load(uint32_t frame) {
    if (loaded_ == int64_t(frame)) return {};
    uint32_t frames = frame_count(blob_.size);
    bool last = frame + 1 == frames;
    size_t size = (last ? size_t(blob_.size - uint64_t(frame) * kFrame) : kFrame) + kTag;
    uint64_t offset = uint64_t(frame) * (kFrame + kTag);
    std::string_view sealed;
    if (fd_ >= 0) {
      sealed_.resize(size);
      for (size_t done = 0; done < size;) {
        ssize_t n = ::pread(fd_, sealed_.data() + done, size - done, off_t(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail(kInternal, "blob " + blob_.id + " is shorter than its record says");
        done += size_t(n);
      }
      sealed = sealed_;
    } else {
      if (blob_.bytes.size() < offset + size) return fail(kInternal, "blob " + blob_.id + " is shorter than its record says");
      sealed = std::string_view(blob_.bytes).substr(offset, size);
    }
    plain_.clear();
    if (!crypto::gcm_decrypt(key_, frame_nonce(blob_.nonce, frame), sealed, frame_aad(frame, last), plain_))
      return fail(kInternal, "blob " + blob_.id + " is damaged");
    loaded_ = frame;
    return {};
  }

  Blob blob_;
  std::string key_;
  int fd_;
  uint64_t at_, end_;
  int64_t loaded_ = -1;
  std::string sealed_, plain_;
};

}  // namespace

Json Blob::json() const {
  Json j = Json::object();
  j.set("id", id).set("nonce", base64(nonce)).set("size", size);
  if (in_file) j.set("file", true);
  return j;
}
Blob Blob::from(const Json& j) {
  return {j["id"].str(), unbase64(j["nonce"].str()).value_or(""), uint64_t(j["size"].integer()), j["file"].boolean()};
}

BlobWriter::BlobWriter(BlobStore& store, std::string data_key)
    : store_(&store), key_(std::move(data_key)), nonce_(crypto::random_bytes(8)), id_(hex(crypto::random_bytes(16))) {}
BlobWriter::BlobWriter(BlobWriter&& o) noexcept
    : store_(o.store_),
      key_(std::move(o.key_)),
      nonce_(std::move(o.nonce_)),
      id_(std::move(o.id_)),
      buffer_(std::move(o.buffer_)),
      sealed_(std::move(o.sealed_)),
      fd_(std::exchange(o.fd_, -1)),
      size_(o.size_),
      frames_(o.frames_) {}
BlobWriter::~BlobWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink((store_->directory_ + "/tmp/" + id_).c_str());
}

Result<void> BlobWriter::flush_frame(bool last) {
  std::string_view plain = std::string_view(buffer_).substr(0, std::min(buffer_.size(), kFrame));
  sealed_.clear();
  crypto::gcm_encrypt(key_, frame_nonce(nonce_, frames_), plain, frame_aad(frames_, last), sealed_);
  ++frames_;
  buffer_.erase(0, plain.size());
  if (fd_ < 0) {
    auto path = store_->directory_ + "/tmp/" + id_;
    fd_ = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd_ < 0) return io_error("a blob file can't be created");
  }
  for (size_t done = 0; done < sealed_.size();) {
    ssize_t n = ::write(fd_, sealed_.data() + done, sealed_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("a blob file can't be written");
    done += size_t(n);
  }
  return {};
}

Result<void> BlobWriter::write(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    size_t n = std::min(bytes.size(), 2 * kFrame - buffer_.size());
    buffer_.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    // A full frame is written only when more follows: the last one is marked as such.
    while (buffer_.size() > kFrame) TRY_VOID(flush_frame(false));
  }
  return {};
}

Result<Blob> BlobWriter::finish() {
  Blob blob{.size = size_};
  if (size_ == 0) return blob;
  blob.id = id_;
  blob.nonce = nonce_;
  if (fd_ < 0) {
    crypto::gcm_encrypt(key_, frame_nonce(nonce_, 0), buffer_, frame_aad(0, true), blob.bytes);
    return blob;
  }
  TRY_VOID(flush_frame(true));
  if (::fdatasync(fd_) != 0) return io_error("a blob file can't be synced");
  ::close(std::exchange(fd_, -1));
  auto temporary = store_->directory_ + "/tmp/" + id_, target = store_->path(id_);
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    ::unlink(temporary.c_str());
    return io_error("a blob file can't be renamed");
  }
  auto folder = target.substr(0, target.rfind('/'));
  int d = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool synced = d >= 0 && ::fsync(d) == 0;
  if (d >= 0) ::close(d);
  if (!synced) {
    ::unlink(target.c_str());
    return io_error("a blob folder can't be synced");
  }
  blob.in_file = true;
  return blob;
}

Result<std::unique_ptr<BlobStore>> BlobStore::open(meta::Store& store, std::string directory) {
  std::error_code e;
  std::filesystem::create_directories(directory + "/tmp", e);
  for (int i = 0; i < 256 && !e; ++i) std::filesystem::create_directory(directory + "/" + hex(std::string(1, char(i))), e);
  if (e) return fail(kInternal, "the folder for objects, " + directory + ", can't be made: " + e.message());
  return std::unique_ptr<BlobStore>(new BlobStore(store, std::move(directory)));
}

std::string BlobStore::path(std::string_view id) const {
  return directory_ + "/" + std::string(id.substr(0, 2)) + "/" + std::string(id.substr(2));
}

Result<std::unique_ptr<api::BodySource>> BlobStore::open(const Blob& blob, std::string data_key, uint64_t offset,
                                                         uint64_t length) {
  Blob b = blob;
  int fd = -1;
  if (length > 0 && b.in_file) {
    fd = ::open(path(b.id).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return io_error("blob " + b.id + " can't be opened");
  } else if (length > 0 && b.bytes.empty()) {
    auto bytes = store_.get(kInline, b.id);
    if (!bytes) return fail(kInternal, "blob " + b.id + " is gone");
    b.bytes = std::move(*bytes);
  }
  return std::make_unique<Reader>(std::move(b), std::move(data_key), fd, offset, length);
}

void BlobStore::adopt(meta::Txn& txn, const Blob& blob) {
  if (blob.id.empty()) return;
  if (blob.in_file)
    txn.put(kFiles, blob.id, "");
  else
    txn.put(kInline, blob.id, blob.bytes);
}
void BlobStore::discard(meta::Txn& txn, const Blob& blob) {
  if (blob.id.empty()) return;
  if (blob.in_file) {
    txn.erase(kFiles, blob.id);
    txn.put(kTrash, blob.id, "");
  } else {
    txn.erase(kInline, blob.id);
  }
}
void BlobStore::collect(const std::vector<Blob>& discarded) {
  std::vector<std::string> gone;
  for (auto& b : discarded)
    if (b.in_file && (::unlink(path(b.id).c_str()) == 0 || errno == ENOENT)) gone.push_back(b.id);
  if (gone.empty()) return;
  auto done = store_.transact([&](meta::Txn& t) -> Result<void> {
    for (auto& id : gone) t.erase(kTrash, id);
    return {};
  });
  if (!done) log::warn("objects: the list of deleted blobs can't be shortened: " + done.error().message);
}
void BlobStore::drop(const Blob& blob) {
  if (blob.in_file) ::unlink(path(blob.id).c_str());
}

Result<size_t> BlobStore::sweep() {
  namespace fs = std::filesystem;
  size_t swept = 0;
  std::error_code e;
  for (auto& f : fs::directory_iterator(directory_ + "/tmp", e)) swept += fs::remove(f.path(), e);
  for (int i = 0; i < 256; ++i) {
    auto prefix = hex(std::string(1, char(i)));
    for (auto& f : fs::directory_iterator(directory_ + "/" + prefix, e)) {
      auto id = prefix + f.path().filename().string();
      if (!store_.get(kFiles, id)) swept += fs::remove(f.path(), e);
    }
  }
  auto trash = store_.scan_prefix(kTrash, "");
  if (!trash.empty())
    TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
      for (auto& row : trash) t.erase(kTrash, row.key);
      return {};
    }));
  return swept;
}

}  // namespace redoubt::objects
