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

constexpr std::string_view kInline = "s3.inline", kFiles = "s3.files";
constexpr size_t kTag = 16;

std::unexpected<Error> io_error(const std::string& what) {
  int e = errno;
  if (e == ENOSPC || e == EDQUOT) return fail(meta::kStorageFull, "The server's disk is full; free some space and try again.");
  return fail(kInternal, what + ": " + std::strerror(e));
}

std::string big_endian(uint64_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += char(value >> shift);
  return out;
}
std::string frame_nonce(std::string_view prefix, uint32_t frame) { return std::string(prefix) + big_endian(frame, 4); }
std::string frame_aad(uint32_t frame, bool last) { return big_endian(frame, 4) + (last ? '\1' : '\0'); }
uint32_t frame_count(uint64_t size) { return uint32_t((size + kFrame - 1) / kFrame); }

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("a blob file can't be written");
    bytes.remove_prefix(size_t(n));
  }
  return {};
}

Result<void> sync_folder(const std::string& folder) {
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io_error("a blob folder can't be opened");
  auto synced = ::fsync(fd) == 0 ? Result<void>() : io_error("a blob folder can't be synced");
  ::close(fd);
  return synced;
}

/// Decrypts frame by frame from a file or from bytes in memory.
class Reader final : public api::BodySource {
 public:
  Reader(Blob blob, std::string key, int fd, uint64_t offset, uint64_t length, std::shared_ptr<const Pins> pins)
      : pins_(std::move(pins)), blob_(std::move(blob)), key_(std::move(key)), fd_(fd), at_(offset), end_(offset + length) {}
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
  std::unexpected<Error> too_short() const { return fail(kInternal, "blob " + blob_.id + " is shorter than its record says"); }
  Result<std::string_view> sealed(uint64_t offset, size_t size) {
    if (fd_ < 0) {
      if (blob_.bytes.size() < offset + size) return too_short();
      return std::string_view(blob_.bytes).substr(offset, size);
    }
    sealed_.resize(size);
    for (size_t done = 0; done < size;) {
      ssize_t n = ::pread(fd_, sealed_.data() + done, size - done, off_t(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return too_short();
      done += size_t(n);
    }
    return std::string_view(sealed_);
  }
  Result<void> load(uint32_t frame) {
    if (loaded_ == int64_t(frame)) return {};
    bool last = frame + 1 == frame_count(blob_.size);
    size_t size = (last ? size_t(blob_.size - uint64_t(frame) * kFrame) : kFrame) + kTag;
    TRY(auto bytes, sealed(uint64_t(frame) * (kFrame + kTag), size));
    plain_.clear();
    loaded_ = -1;
    if (!crypto::gcm_decrypt(key_, frame_nonce(blob_.nonce, frame), bytes, frame_aad(frame, last), plain_))
      return fail(kInternal, "blob " + blob_.id + " is damaged");
    loaded_ = frame;
    return {};
  }

  std::shared_ptr<const Pins> pins_;
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
  j.set("id", id).set("nonce", hex(nonce)).set("size", size);
  if (in_file) j.set("file", true);
  return j;
}
Blob Blob::from(const Json& j) {
  return {j["id"].str(), unhex(j["nonce"].str()).value_or(""), uint64_t(j["size"].integer()), j["file"].boolean()};
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
  ::unlink(store_->temporary_path(id_).c_str());
}

Result<void> BlobWriter::put_frame(std::string_view plain, bool last) {
  sealed_.clear();
  crypto::gcm_encrypt(key_, frame_nonce(nonce_, frames_), plain, frame_aad(frames_, last), sealed_);
  ++frames_;
  if (fd_ < 0) {
    fd_ = ::open(store_->temporary_path(id_).c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd_ < 0) return io_error("a blob file can't be created");
  }
  return write_all(fd_, sealed_);
}

Result<void> BlobWriter::write(std::string_view bytes) {
  size_ += bytes.size();
  // A full frame is written only when more follows: the last one is marked as such.
  if (!buffer_.empty() && buffer_.size() + bytes.size() > kFrame) {
    size_t rest = kFrame - buffer_.size();
    buffer_.append(bytes.substr(0, rest));
    bytes.remove_prefix(rest);
    TRY_VOID(put_frame(buffer_, false));
    buffer_.clear();
  }
  while (bytes.size() > kFrame) {
    TRY_VOID(put_frame(bytes.substr(0, kFrame), false));
    bytes.remove_prefix(kFrame);
  }
  buffer_.append(bytes);
  return {};
}

Result<Blob> BlobWriter::finish() {
  Blob blob{.id = id_, .nonce = nonce_, .size = size_};
  if (size_ == 0) return Blob{};
  if (fd_ < 0) {
    // Rows of one moment lie side by side, so that a group commit writes few pages.
    blob.id = hex(big_endian(uint64_t(store_->clock_.now().us), 8)) + id_.substr(16);
    crypto::gcm_encrypt(key_, frame_nonce(nonce_, 0), buffer_, frame_aad(0, true), blob.bytes);
    return blob;
  }
  TRY_VOID(put_frame(buffer_, true));
  TRY_VOID(put_in_place());
  blob.in_file = true;
  return blob;
}

Result<void> BlobWriter::put_in_place() {
  if (::fdatasync(fd_) != 0) return io_error("a blob file can't be synced");
  auto temporary = store_->temporary_path(id_), target = store_->path(id_);
  if (::rename(temporary.c_str(), target.c_str()) != 0) return io_error("a blob file can't be renamed");
  ::close(std::exchange(fd_, -1));
  auto synced = sync_folder(target.substr(0, target.rfind('/')));
  if (!synced) ::unlink(target.c_str());
  return synced;
}

Pins::~Pins() { store_.unpin(ids_); }

Result<std::unique_ptr<BlobStore>> BlobStore::open(meta::Store& store, Clock& clock, std::string directory) {
  std::error_code e;
  std::filesystem::create_directories(directory + "/tmp", e);
  for (int i = 0; i < 256 && !e; ++i) std::filesystem::create_directory(directory + "/" + hex(std::string(1, char(i))), e);
  if (e) return fail(kInternal, "the object folder " + directory + " can't be made: " + e.message());
  TRY_VOID(sync_folder(directory));
  return std::unique_ptr<BlobStore>(new BlobStore(store, clock, std::move(directory)));
}

std::string BlobStore::path(std::string_view id) const {
  return directory_ + "/" + std::string(id.substr(0, 2)) + "/" + std::string(id.substr(2));
}

Result<std::unique_ptr<api::BodySource>> BlobStore::open(const Blob& blob, std::string data_key, uint64_t offset, uint64_t length,
                                                         std::shared_ptr<const Pins> pins) {
  CHECK(offset <= blob.size && length <= blob.size - offset);
  int fd = -1;
  if (length > 0 && blob.in_file) {
    fd = ::open(path(blob.id).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return io_error("blob " + blob.id + " can't be opened");
  }
  return std::make_unique<Reader>(blob, std::move(data_key), fd, offset, length, std::move(pins));
}

bool BlobStore::load(meta::Reader& reader, Blob& blob) {
  if (blob.id.empty() || blob.in_file || !blob.bytes.empty()) return true;
  auto bytes = reader.get(kInline, blob.id);
  if (!bytes) return false;
  blob.bytes = std::move(*bytes);
  return true;
}

std::shared_ptr<const Pins> BlobStore::pin(std::vector<std::string> ids) {
  std::lock_guard lock(pins_mutex_);
  for (auto& id : ids) ++pinned_[id];
  return std::make_shared<const Pins>(*this, std::move(ids));
}
void BlobStore::unpin(const std::vector<std::string>& ids) {
  std::lock_guard lock(pins_mutex_);
  for (auto& id : ids) {
    auto it = pinned_.find(id);
    if (--it->second > 0) continue;
    pinned_.erase(it);
    if (doomed_.erase(id)) ::unlink(path(id).c_str());
  }
}

void BlobStore::adopt(meta::Txn& txn, const Blob& blob) {
  if (blob.id.empty()) return;
  if (blob.in_file)
    txn.put(kFiles, blob.id, "");
  else
    txn.put(kInline, blob.id, blob.bytes);
}
void BlobStore::discard(meta::Txn& txn, const Blob& blob) {
  if (!blob.id.empty()) txn.erase(blob.in_file ? kFiles : kInline, blob.id);
}

void BlobStore::collect(const std::vector<Blob>& discarded) {
  for (auto& b : discarded) {
    if (!b.in_file) continue;
    std::lock_guard lock(pins_mutex_);
    if (pinned_.contains(b.id))
      doomed_.insert(b.id);
    else if (::unlink(path(b.id).c_str()) != 0 && errno != ENOENT)
      log::warn("objects: blob " + b.id + " can't be removed now; the next start will: " + std::strerror(errno));
  }
}

size_t BlobStore::sweep() {
  namespace fs = std::filesystem;
  size_t swept = 0;
  std::error_code e;
  auto remove = [&](const fs::path& file) {
    std::error_code failed;
    if (fs::remove(file, failed)) ++swept;
    if (failed) log::warn("objects: the unfinished file " + file.string() + " can't be removed: " + failed.message());
  };
  for (auto& f : fs::directory_iterator(directory_ + "/tmp", e)) remove(f.path());
  for (int i = 0; i < 256; ++i) {
    auto prefix = hex(std::string(1, char(i)));
    std::set<std::string> known;
    // In a transaction, because that one fails where a read would end early: what isn't listed here is deleted.
    auto listed = store_.transact([&](meta::Txn& t) -> Result<void> {
      for (auto& row : t.scan_prefix(kFiles, prefix)) known.insert(row.key.substr(2));
      return {};
    });
    if (!listed) {
      log::error("objects: unfinished files can't be told from others: " + listed.error().message);
      break;
    }
    for (auto& f : fs::directory_iterator(directory_ + "/" + prefix, e))
      if (!known.contains(f.path().filename().string())) remove(f.path());
  }
  return swept;
}

}  // namespace redoubt::objects
