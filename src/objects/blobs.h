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
/// needs. A file is written under a temporary name, synced, renamed, its folder synced. What a crash leaves over is swept at the
/// next start. Threads: any; a writer or reader is used by one at a time.
#include <functional>
#include <memory>
#include <string>

#include "api/http.h"
#include "base/json.h"
#include "meta/store.h"
#include "objects/errors.h"

namespace redoubt::objects {

inline constexpr size_t kFrame = 65536;
inline constexpr size_t kInlineMax = 65536;  // plaintext kept in the index

struct Blob {
  std::string id;     // names its file or its row; "" for an empty blob
  std::string nonce;  // 8 bytes
  uint64_t size = 0;  // of the plaintext
  bool in_file = false;
  std::string bytes = {};  // between finish() and adopt(): the ciphertext of one that goes into the index
  Json json() const;
  static Blob from(const Json& j);
};

class BlobStore;

class BlobWriter {
 public:
  BlobWriter(BlobStore& store, std::string data_key);
  ~BlobWriter();  // removes the temporary file
  BlobWriter(BlobWriter&&) noexcept;
  Result<void> write(std::string_view bytes);
  Result<Blob> finish();

 private:
  Result<void> flush_frame(bool last);
  BlobStore* store_;
  std::string key_, nonce_, id_, buffer_, sealed_;
  int fd_ = -1;
  uint64_t size_ = 0;
  uint32_t frames_ = 0;
};

class BlobStore {
 public:
  /// `directory` is made if missing. Errors: kInternal.
  static Result<std::unique_ptr<BlobStore>> open(meta::Store& store, std::string directory);

  BlobWriter writer(std::string data_key) { return BlobWriter(*this, std::move(data_key)); }
  /// Bytes [offset, offset+length) of the plaintext. The file stays readable while the source lives, also if the blob is deleted.
  Result<std::unique_ptr<api::BodySource>> open(const Blob& blob, std::string data_key, uint64_t offset, uint64_t length);

  // Inside the index's transactions
  void adopt(meta::Txn& txn, const Blob& blob);    // it is referred to from now on
  void discard(meta::Txn& txn, const Blob& blob);  // nobody refers to it any more
  /// After a transaction that discarded: removes the files. A crash before is made good at the next start.
  void collect(const std::vector<Blob>& discarded);
  /// Removes a finished blob that was never adopted.
  void drop(const Blob& blob);

  /// Files that nothing refers to, left by a crash: removed. Run once, before the first writer.
  Result<size_t> sweep();

 private:
  friend class BlobWriter;
  BlobStore(meta::Store& store, std::string directory) : store_(store), directory_(std::move(directory)) {}
  std::string path(std::string_view id) const;
  meta::Store& store_;
  std::string directory_;
};

}  // namespace redoubt::objects
