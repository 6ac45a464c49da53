#pragma once
/// The object index: which versions of which keys exist, and what is being uploaded in parts.
///
/// Collections: s3.objects (bucket uid, key, age), the newest version of a key first, so that listings are scans; s3.nulls
/// (bucket uid, key): the age of the null version of a bucket that has versioning; s3.manifests (id): the pieces of multipart
/// objects; s3.uploads (bucket uid, key, upload id), s3.parts (upload id, number). A version id holds its age, so that every
/// version is found by one look-up. Rows are under the uid of one incarnation of a bucket: a bucket made anew under an old name
/// starts empty. Threads: any. Writers wait until their change is durable.
#include <map>
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

/// Metadata that a client gives an object. All of it is UTF-8.
struct ObjectMeta {
  std::map<std::string, std::string> headers;  // Content-Type, Cache-Control, ..: by the API's member name ("ContentType")
  std::map<std::string, std::string> user;     // x-amz-meta-
  std::map<std::string, std::string> tags;
  std::string storage_class = "STANDARD";
};

/// "CRC32", base64, "FULL_OBJECT" or "COMPOSITE"; all empty: none.
struct StoredChecksum {
  std::string algorithm, value, type;
};

/// A part of an object's bytes: the whole of it, or what was one part of a multipart upload.
struct Piece {
  int number = 1;
  std::string checksum;  // base64, by the object's algorithm; "" if the object has one piece
  Blob blob;
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
  StoredChecksum checksum;
  std::vector<Piece> pieces;  // in order; listings leave those of multipart objects out
  size_t piece_count = 0;     // 0: not uploaded in parts
  std::string upload_id;      // what made it; "" if it wasn't uploaded in parts
  std::string manifest;       // the row that holds the pieces of a multipart object
  std::string age;            // the row's place; smaller is newer

  bool multipart() const { return piece_count > 0; }
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
  bool checksum_implied = false;  // the client named none: answers don't show it
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
  std::optional<std::string> if_match;  // an etag, or "*"
  bool if_none_match = false;           // "*": only if there is none
};

struct ListOptions {
  std::string prefix, delimiter;
  std::string after;          // begin after this key, or after everything under the common prefix that it lies in
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

struct UploadListOptions {
  std::string prefix, delimiter;
  std::string after, after_id;  // begin after this key; with `after_id` after that upload of it
  size_t max = 1000;
};
struct UploadListEntry {
  bool is_prefix = false;
  std::string prefix;
  UploadRecord upload;
};
struct UploadListResult {
  std::vector<UploadListEntry> entries;
  bool truncated = false;
};

/// Whether this can be a version id: "null", or 32 characters as put() makes them.
bool is_version_id(std::string_view text);

class Index {
 public:
  Index(meta::Store& store, BlobStore& blobs) : store_(store), blobs_(blobs) {}

  /// The current version, or the named one. nullopt: none (a delete marker is a version). Errors, also of the others that find:
  /// kInternal for a damaged index.
  Result<std::optional<ObjectVersion>> find(const Bucket& bucket, std::string_view key,
                                            const std::optional<std::string>& version_id);
  /// The same with everything that reading it needs: its bytes stay readable while `pins` lives, whatever happens to the object.
  struct Readable {
    ObjectVersion version;
    std::shared_ptr<const Pins> pins;
  };
  Result<std::optional<Readable>> find_readable(const Bucket& bucket, std::string_view key,
                                                const std::optional<std::string>& version_id);

  /// Makes it the newest version of its key (replacing the null version unless versioning is enabled); sets version_id, age and
  /// modified. Its blobs are the index's from here on, also if this fails. Errors: kPreconditionFailed, kNoSuchKey (If-Match
  /// without object), kNoSuchBucket when the bucket went meanwhile.
  Result<void> put(const Bucket& bucket, ObjectVersion& version, Timestamp now, const WriteCondition& condition);
  /// The same for a finished multipart upload, whose rows go in the same transaction; `version.pieces` are parts of it. Errors:
  /// also kNoSuchUpload, and kInvalidPart if one of the parts was uploaded anew meanwhile.
  Result<void> complete(const Bucket& bucket, ObjectVersion& version, Timestamp now, const WriteCondition& condition,
                        const UploadRecord& upload);
  /// Changes a version's tags or ACL in place. Errors: kNoSuchKey when it isn't there any more.
  Result<void> change(const Bucket& bucket, const ObjectVersion& version, const std::function<void(ObjectVersion&)>& how);

  struct Removal {
    std::string key;
    std::optional<std::string> version_id, if_match;
  };
  struct Removed {
    bool marker_made = false, was_marker = false;
    std::string version_id;
  };
  /// DeleteObject: with a version id that version goes; without, versioning decides between a delete marker and removal. All in
  /// one transaction; each has its own outcome. Errors: of one kPreconditionFailed, kNoSuchKey (If-Match); of all kNoSuchBucket.
  Result<std::vector<Result<Removed>>> remove(const Bucket& bucket, const std::vector<Removal>& which, Timestamp now,
                                              const std::string& owner);

  Result<ListResult> list(const Bucket& bucket, const ListOptions& options);

  Result<void> start_upload(const Bucket& bucket, const UploadRecord& upload);
  Result<std::optional<UploadRecord>> find_upload(const Bucket& bucket, std::string_view key, std::string_view id);
  Result<UploadListResult> uploads(const Bucket& bucket, const UploadListOptions& options);  // by key and age
  /// Its blob is the index's from here on, also if this fails. Errors: kNoSuchUpload.
  Result<void> put_part(const UploadRecord& upload, const PartRecord& part);
  Result<std::vector<PartRecord>> parts(const UploadRecord& upload);  // by number
  Result<void> abort_upload(const UploadRecord& upload);              // kNoSuchUpload

  /// In DeleteBucket's transaction. Errors: kBucketNotEmpty. Unfinished uploads don't count, as on AWS; they go with the bucket.
  Result<void> check_empty(meta::Txn& txn, const Bucket& bucket, std::vector<Blob>& discarded);
  void collect(const std::vector<Blob>& discarded) { blobs_.collect(discarded); }

 private:
  Result<void> insert(meta::Txn& txn, const Bucket& bucket, ObjectVersion& version, const WriteCondition& condition,
                      std::vector<Blob>& discarded);
  Result<Removed> remove_one(meta::Txn& txn, const Bucket& bucket, const Removal& which, Timestamp now, const std::string& owner,
                             std::vector<Blob>& discarded);

  meta::Store& store_;
  BlobStore& blobs_;
};

}  // namespace redoubt::objects
