#pragma once
/// S3 as a transfer needs it: list, read, write, delete, each request through the Gate as the transfer's Authority, and its
/// errors in Redshift's words.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/gate.h"
#include "api/http.h"
#include "api/s3.h"
#include "warehouse/engine/bulk.h"
#include "warehouse/transfer/authority.h"

namespace redoubt::warehouse::transfer {

struct ObjectEntry {
  std::string bucket, key;
  int64_t size = -1;      // -1: not known
  bool mandatory = true;  // of a manifest: missing is an error
  std::string url() const { return "s3://" + bucket + "/" + key; }
};

/// How written objects are encrypted at rest.
struct Sealing {
  std::optional<std::string> server_side_encryption;  // "AES256", "aws:kms"; nullopt: the bucket's default
  std::optional<std::string> kms_key;
};

class ObjectWriter;

/// Threads: any.
class Buckets {
 public:
  Buckets(access::Gate& gate, Authority& authority) : gate_(gate), authority_(authority) {}

  /// Every key that begins with `prefix`. At most `max` of them if that isn't 0.
  Result<std::vector<ObjectEntry>> list(const std::string& bucket, const std::string& prefix, size_t max = 0);
  /// The object's bytes as they come. nullptr: it doesn't exist and isn't mandatory.
  Result<std::shared_ptr<api::BodySource>> open(const ObjectEntry& object);
  /// All of a small object (manifest, JSONPaths); kTransferFailed beyond `max` bytes.
  Result<std::string> read_small(const std::string& bucket, const std::string& key, size_t max);
  Result<int64_t> size(const ObjectEntry& object);
  /// For formats that jump about in a file.
  Result<std::shared_ptr<engine::RandomFile>> random(const ObjectEntry& object);
  /// An object that comes into being at finish().
  std::unique_ptr<ObjectWriter> create(const std::string& bucket, const std::string& key, const Sealing& sealing);
  Result<void> remove(const std::string& bucket, const std::vector<std::string>& keys);

 private:
  friend class ObjectWriter;
  template <class Op>
  Result<typename Op::Output> call(const typename Op::Input& input, const std::string& context, std::string_view location);
  access::Gate& gate_;
  Authority& authority_;
};

/// Writes one object, of any size, in bounded memory: up to kWhole bytes as one PutObject, more as a multipart upload whose parts
/// stream. Destroyed without finish(): an upload under way is aborted, no object comes into being. Threads: one at a time.
class ObjectWriter final : public engine::SequentialFile {
 public:
  static constexpr size_t kWhole = size_t{8} << 20, kPart = size_t{64} << 20;

  ObjectWriter(Buckets& buckets, std::string bucket, std::string key, Sealing sealing);
  ~ObjectWriter() override;
  Result<void> write(std::string_view bytes) override;
  Result<void> finish() override;

  const std::string& bucket() const { return bucket_; }
  const std::string& key() const { return key_; }
  int64_t size() const { return size_; }

 private:
  Result<void> start_multipart();
  Result<void> write_part(std::string_view bytes);
  Result<void> end_part();
  Error failed(const Error& error, std::string_view request_id) const;

  Buckets& buckets_;
  const std::string bucket_, key_;
  const Sealing sealing_;
  int64_t size_ = 0;
  std::string held_;       // until there is more than fits one request
  std::string upload_id_;  // of a multipart upload
  std::vector<api::s3::CompletedPart> parts_;
  std::unique_ptr<access::Upload<api::s3::UploadPartOutput>> part_;
  std::string part_request_;
  size_t part_size_ = 0;
  bool finished_ = false;
};

}  // namespace redoubt::warehouse::transfer
