#pragma once
/// The object index: which versions of which keys exist, and what is being uploaded in parts. Rows lie in key order, the newest
/// version of a key first, so that listings are scans. Collections: s3.objects (bucket uid, key, age), s3.uploads (bucket uid,
/// key, upload id), s3.parts (upload id, number).
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "objects/blobs.h"
#include "objects/bucket.h"

namespace redoubt::objects {

/// How the bytes are encrypted: what a response's headers say, and what is needed to get the data key back.
struct Sealing {
  std::string algorithm = "AES256";  // or aws:kms
  std::string kms_key;               // ARN
  bool bucket_key = false;
  std::string context;      // base64 of the JSON given with the request (x-amz-server-side-encryption-context)
  std::string wrapped_key;  // sealed under the server's key, or KMS's ciphertext blob
};

/// Metadata that a client gives an object.
struct ObjectMeta {
  std::map<std::string, std::string> headers;  // Content-Type, Cache-Control, ..: by the API's member name ("ContentType")
  std::map<std::string, std::string> user;     // x-amz-meta-
  std::map<std::string, std::string> tags;
  std::string storage_class = "STANDARD";
};

struct ObjectVersion {
  std::string key, version_id = "null";
  Timestamp modified;
  bool delete_marker = false;
  uint64_t size = 0;
  std::string etag;           // without quotes
  std::string owner;          // account
  std::vector<AclGrant> acl;  // beyond the owner's own
  ObjectMeta meta;
  Sealing sealing;
  std::vector<Blob> blobs;                                  // in order; several after a multipart upload
  std::string checksum_algorithm, checksum, checksum_type;  // "CRC32", base64, FULL_OBJECT or COMPOSITE
  std::string age;                                          // the row's place; smaller is newer

  std::string dump() const;
  static Result<ObjectVersion> from(std::string key, std::string age, std::string_view record);
};

struct UploadRecord {
  std::string bucket_uid, key, id;
  Timestamp initiated;
  std::string owner, initiator;  // account; ARN
  std::vector<AclGrant> acl;
  ObjectMeta meta;
  Sealing sealing;
  std::string checksum_algorithm, checksum_type;
  std::string dump() const;
  static Result<UploadRecord> from(std::string_view record);
};

struct PartRecord {
  int number = 0;
  std::string etag, checksum;
  Timestamp modified;
  Blob blob;
  std::string dump() const;
  static Result<PartRecord> from(std::string_view record);
};

/// A write's conditions on the current version.
struct WriteCondition {
  std::optional<std::string> if_match;  // an etag
  bool if_none_match = false;           // "*": only if there is none
};

struct ListOptions {
  std::string prefix, delimiter;
  std::string after;          // begin after this key (and, if it ends with the delimiter, after everything under it)
  std::string after_version;  // with `after`: begin after that version of it
  size_t max = 1000;
  bool versions = false;  // every version and delete marker, not only what is current
};
struct ListEntry {
  bool is_prefix = false;
  std::string prefix;
  ObjectVersion object;
  bool latest = false;
};
struct ListResult {
  std::vector<ListEntry> entries;
  bool truncated = false;
};

class Index {
 public:
  Index(meta::Store& store, BlobStore& blobs) : store_(store), blobs_(blobs) {}

  /// The current version, or the named one. nullopt: none (a delete marker is a version).
  std::optional<ObjectVersion> find(const Bucket& bucket, std::string_view key, const std::optional<std::string>& version_id);
  /// Makes it the newest version of its key (replacing the null version unless versioning is enabled); sets version_id and
  /// modified. Errors: kPreconditionFailed, kNoSuchKey (If-Match without object), kNoSuchBucket when the bucket went meanwhile.
  Result<void> put(const Bucket& bucket, ObjectVersion& version, Timestamp now, const WriteCondition& condition);
  /// The same for a finished multipart upload, whose rows go in the same transaction.
  Result<void> complete(const Bucket& bucket, ObjectVersion& version, Timestamp now, const WriteCondition& condition,
                        const UploadRecord& upload, const std::vector<PartRecord>& all_parts);
  /// Changes a version's tags or ACL in place.
  Result<void> change(const Bucket& bucket, const ObjectVersion& version, const std::function<void(ObjectVersion&)>& how);

  struct Removed {
    bool marker_made = false, was_marker = false;
    std::string version_id;
  };
  /// DeleteObject: with a version id that version goes; without, versioning decides between a delete marker and removal.
  Result<Removed> remove(const Bucket& bucket, const std::string& key, const std::optional<std::string>& version_id,
                         Timestamp now, const std::string& owner, const std::optional<std::string>& if_match = {});

  Result<ListResult> list(const Bucket& bucket, const ListOptions& options);

  Result<void> start_upload(const Bucket& bucket, const UploadRecord& upload);
  std::optional<UploadRecord> find_upload(const Bucket& bucket, std::string_view key, std::string_view id);
  std::vector<UploadRecord> uploads(const Bucket& bucket, std::string_view prefix);  // by key and id
  Result<void> put_part(const Bucket& bucket, const UploadRecord& upload, const PartRecord& part);
  std::vector<PartRecord> parts(const UploadRecord& upload);  // by number
  Result<void> abort_upload(const UploadRecord& upload);

  /// In DeleteBucket's transaction. Errors: kBucketNotEmpty. Unfinished uploads don't count, as on AWS; they go with the bucket.
  Result<void> check_empty(meta::Txn& txn, const Bucket& bucket, std::vector<Blob>& discarded);
  void collect(const std::vector<Blob>& discarded) { blobs_.collect(discarded); }

 private:
  std::string next_age(Timestamp now);
  Result<void> insert(meta::Txn& txn, const Bucket& bucket, ObjectVersion& version, const WriteCondition& condition,
                      std::vector<Blob>& discarded);
  void drop_upload(meta::Txn& txn, const UploadRecord& upload, const std::vector<PartRecord>& parts,
                   const std::vector<Blob>& keep, std::vector<Blob>& discarded);

  meta::Store& store_;
  BlobStore& blobs_;
  std::mutex age_mutex_;
  int64_t last_age_us_ = 0;
};

}  // namespace redoubt::objects
