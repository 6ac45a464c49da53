#pragma once
/// The bytes of objects, encrypted: small ones in the index, larger ones in files. The second of the three seams: another store
/// (an S3-compatible backend) would stand behind this interface.
///
///   BlobWriter w = blobs.writer(data_key);
///   TRY_VOID(w.write(piece));  ..
///   TRY(Blob blob, w.finish());            // durable, but nobody refers to it yet
///   index.transact(.. blobs.adopt(txn, blob) ..)
///   blobs.open(blob, data_key, offset, length)
///
/// Format: AES-256-GCM frames of 64 KiB plaintext; nonce = the blob's 8 random bytes and the frame's number; the additional data
/// is the number and whether it is the last one, so that frames can't be swapped, dropped or cut off. A range reads the frames it
/// needs. A file is written under a temporary name, synced, renamed, its folder synced. What a crash leaves over (files that no
/// row of s3.files names) is swept at the next start. Memory: a frame or two per writer and reader.
/// Threads: any; a writer or reader is used by one at a time.
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "api/http.h"
#include "base/clock.h"
#include "base/json.h"
#include "meta/store.h"
#include "objects/errors.h"

namespace redoubt::objects {

inline constexpr size_t kFrame = 65536;
inline constexpr size_t kInlineMax = kFrame;  // plaintext kept in the index: what fits into one frame

struct Blob {
  std::string id;     // 32 hex digits, names its file or its row; "" for an empty blob
  std::string nonce;  // 8 bytes
  uint64_t size = 0;  // of the plaintext
  bool in_file = false;
  std::string bytes = {};  // the ciphertext of one in the index: after finish() and after load()
  Json json() const;
  static Blob from(const Json& j);
};

class BlobStore;

class BlobWriter {
 public:
  BlobWriter(BlobStore& store, std::string data_key);
  ~BlobWriter();  // removes the temporary file
  BlobWriter(BlobWriter&&) noexcept;
  /// Errors: kStorageFull, kInternal; nothing more can be written then.
  Result<void> write(std::string_view bytes);
  Result<Blob> finish();

 private:
  Result<void> put_frame(std::string_view plain, bool last);
  Result<void> put_in_place();
  BlobStore* store_;
  std::string key_, nonce_, id_, buffer_, sealed_;
  int fd_ = -1;
  uint64_t size_ = 0;
  uint32_t frames_ = 0;
};

/// Keeps the files of some blobs readable while it lives, also when they are deleted meanwhile.
class Pins {
 public:
  Pins(BlobStore& store, std::vector<std::string> ids) : store_(store), ids_(std::move(ids)) {}
  ~Pins();
  Pins(const Pins&) = delete;

 private:
  BlobStore& store_;
  std::vector<std::string> ids_;
};

class BlobStore {
 public:
  /// `directory` is made if missing. Errors: kInternal.
  static Result<std::unique_ptr<BlobStore>> open(meta::Store& store, Clock& clock, std::string directory);

  BlobWriter writer(std::string data_key) { return BlobWriter(*this, std::move(data_key)); }
  /// Bytes [offset, offset+length) of the plaintext, which must lie within it. A blob of the index must be loaded. `pins`, if
  /// any, lives as long as the source.
  Result<std::unique_ptr<api::BodySource>> open(const Blob& blob, std::string data_key, uint64_t offset, uint64_t length,
                                                std::shared_ptr<const Pins> pins = nullptr);

  /// The bytes of one that lies in the index, from the state that its record was read from. false: damaged index.
  static bool load(meta::Reader& reader, Blob& blob);
  /// Call before the record that names these blobs is read again: if it is still there, their files stay.
  std::shared_ptr<const Pins> pin(std::vector<std::string> ids);

  // Inside the index's transactions
  static void adopt(meta::Txn& txn, const Blob& blob);    // it is referred to from now on
  static void discard(meta::Txn& txn, const Blob& blob);  // nobody refers to it any more
  /// After a transaction that discarded: removes the files, pinned ones when they are let go.
  void collect(const std::vector<Blob>& discarded);
  /// Removes a finished blob that was never adopted.
  void drop(const Blob& blob) { collect({blob}); }

  /// Files that nothing refers to, left by a crash: removed. Run once, before the first writer. The number of files.
  size_t sweep();

 private:
  friend class BlobWriter;
  friend class Pins;
  BlobStore(meta::Store& store, Clock& clock, std::string directory)
      : store_(store), clock_(clock), directory_(std::move(directory)) {}
  std::string path(std::string_view id) const;
  std::string temporary_path(std::string_view id) const { return directory_ + "/tmp/" + std::string(id); }
  void unpin(const std::vector<std::string>& ids);
  meta::Store& store_;
  Clock& clock_;
  std::string directory_;
  std::mutex pins_mutex_;              // guards the two below
  std::map<std::string, int> pinned_;  // by blob id: how many
  std::set<std::string> doomed_;       // deleted, but pinned
};

}  // namespace redoubt::objects
