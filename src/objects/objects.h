#pragma once
/// S3. Other services come through the Gate (api::s3::op::*), as their caller.
///
///   TRY(auto objects, Objects::open(store, clock, {.directory = dir + "/objects", .root_key = root_key}));
///   objects->declare(gate);
///   objects->deliver_logs();      // every few seconds: access logs become objects in their target buckets
///
/// Source: S3 API Reference and User Guide. Encryption always happens: SSE-S3 keys are sealed under the server's root key,
/// SSE-KMS asks KMS through the Gate as the caller. What is not built is refused by name: SSE-C, object lock, lifecycle, CORS,
/// websites, replication, archive storage classes. A handler works on the bucket and the object version that its request was
/// decided on (access::Allowed::found), whatever has their names by then. Threads: any.
#include "access/gate.h"
#include "objects/access_log.h"
#include "objects/bucket.h"
#include "objects/index.h"

namespace redoubt::objects {

/// What a decision about an object was made on.
struct FoundObject {
  BucketPtr bucket;
  ObjectVersion version;
  std::shared_ptr<const Pins> pins;  // of one that is to be read
};

class Objects {
 public:
  struct Options {
    std::string directory;
    std::string root_key;     // 32 bytes
    bool strict_acl = false;  // of stacks alone: CreateBucket is as strict as AWS in any case
  };
  /// Errors: kInternal. Removes what a crash left over.
  static Result<std::unique_ptr<Objects>> open(meta::Store& store, Clock& clock, Options options);
  void declare(access::Gate& gate);
  /// Writes what access logs gathered, one object per source bucket. Blocks for the writes. False: nothing was waiting.
  bool deliver_logs();

 private:
  friend class ObjectUpload;
  friend class PartUpload;
  Objects(meta::Store& store, Clock& clock, Options options)
      : store_(store), clock_(clock), options_(std::move(options)), buckets_(store) {}

  void declare_buckets();
  void declare_settings();
  void declare_policies();
  void declare_unconfigured();
  void declare_acls();
  void declare_put();
  void declare_get();
  void declare_delete();
  void declare_tagging();
  void declare_copy();
  void declare_listings();
  void declare_multipart();
  void declare_part_copy();
  void declare_multipart_listings();

  // Resources. Each of these fails with NoSuchBucket for a bucket that doesn't exist: that, S3 tells everybody.
  /// Errors: kNoSuchBucket; kAccessDenied when it isn't the expected owner's; kAuthorizationHeaderMalformed when the request was
  /// signed for another region than the bucket's.
  Result<BucketPtr> bucket_for(const std::string& name, const std::optional<std::string>& expected_owner,
                               const access::Call& call) const;
  /// A copy's source may lie in any region.
  Result<BucketPtr> source_bucket_for(const std::string& name, const std::optional<std::string>& expected_owner) const;
  access::Resource bucket_resource(const BucketPtr& b, const access::Call& call) const;
  /// Of an object that need not exist. Both have the bucket as found<Bucket>().
  access::Resource key_resource(const BucketPtr& b, std::string_view key, const access::Call& call) const;
  enum class Want : uint8_t { record, bytes };
  /// An existing object's, with its tags as s3:ExistingObjectTag and itself as found<FoundObject>(); if there is none, 404 for
  /// who may list the bucket and 403 for others. A delete marker that is named is found. Errors: kInvalidArgument (version id).
  Result<access::Resource> object_resource(const BucketPtr& b, const std::string& key,
                                           const std::optional<std::string>& version_id, const access::Call& call,
                                           Want want = Want::record);
  /// RestrictPublicBuckets: a public policy opens the bucket to its own account and to services only.
  bool policy_may_allow(const Bucket& b, const access::Call& call) const;
  /// The found version as a read sees it. Errors: kMethodNotAllowed for a delete marker.
  static Result<std::shared_ptr<const FoundObject>> readable(std::shared_ptr<const FoundObject> found,
                                                             std::string_view method = "GET");
  bool may(const access::Call& call, std::string_view action, const FoundObject& object);

  // Encryption
  struct SealRequest {
    std::optional<std::string> algorithm, kms_key, context;
    std::optional<bool> bucket_key;
    bool customer_key = false;
  };
  struct Sealed {
    Sealing sealing;
    std::string data_key;
  };
  /// Decides by the request's headers, else by the bucket's default, and gets a data key (from KMS as the caller).
  Result<Sealed> seal(const Bucket& b, const std::string& key, const SealRequest& request, const access::Call& call);
  Result<std::string> unseal(const Bucket& b, const std::string& key, const Sealing& sealing, const access::Call& call);
  /// The bytes [offset, offset+length) of what was found, decrypted.
  Result<std::unique_ptr<api::BodySource>> read(const FoundObject& found, uint64_t offset, uint64_t length,
                                                const access::Call& call);

  // ACLs
  template <class In>
  Result<std::vector<AclGrant>> object_acl(const In& in, const Bucket& b, const std::string& owner) const;
  Result<std::vector<AclGrant>> canned_acl(const std::string& name, const Bucket& b, const std::string& owner,
                                           bool for_object) const;
  Result<void> check_grantees(const std::vector<AclGrant>& acl) const;

  template <class Op>
  using BucketHandler = std::function<Result<typename Op::Output>(const access::Allowed<typename Op::Input>&, const BucketPtr&)>;
  template <class Op>
  void bucket_row(std::string_view action, BucketHandler<Op> handler, bool read_only);
  template <class Op>
  void policy_row(std::string_view action, BucketHandler<Op> handler, bool read_only);
  template <class Op>
  void add(access::Row<Op> row);
  void log_access(std::string_view bucket, LoggedRequest request, const access::Call& call);

  meta::Store& store_;
  Clock& clock_;
  Options options_;
  BucketStore buckets_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<Index> index_;
  access::Gate* gate_ = nullptr;
  AccessLog log_;
};

}  // namespace redoubt::objects
