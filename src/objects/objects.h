#pragma once
/// S3. Other services come through the Gate (api::s3::op::*), as their caller.
///
///   TRY(auto objects, Objects::open(store, dir + "/objects", root_key, clock));
///   objects->declare(gate);
///   objects->deliver_logs();      // every few seconds: access logs become objects in their target buckets
///
/// Source: S3 API Reference and User Guide. Encryption always happens: SSE-S3 keys are sealed under the server's root key,
/// SSE-KMS asks KMS through the Gate as the caller. What is not built is refused by name: SSE-C, object lock, lifecycle, CORS,
/// websites, replication. Threads: any.
#include <deque>

#include "access/gate.h"
#include "objects/bucket.h"
#include "objects/index.h"

namespace redoubt::objects {

class Objects {
 public:
  struct Options {
    std::string directory;
    std::string root_key;  // 32 bytes
    bool strict_acl = false;
  };
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
  void declare_acls();
  void declare_objects();
  void declare_copy();
  void declare_listings();
  void declare_multipart();

  // Resources. Each of these fails with NoSuchBucket for a bucket that doesn't exist: that, S3 tells everybody.
  Result<BucketPtr> bucket_for(const std::string& name, const std::optional<std::string>& expected_owner,
                               const access::Call& call) const;
  access::Resource bucket_resource(const Bucket& b, const access::Call& call) const;
  access::Resource key_resource(const Bucket& b, std::string_view key,
                                const access::Call& call) const;  // of an object that need not exist
  /// An existing object's, with its tags as s3:ExistingObjectTag; if there is none, 404 for who may list the bucket and 403 for
  /// others.
  access::Resource object_resource(const Bucket& b, const std::string& key, const std::optional<std::string>& version_id,
                                   const access::Call& call);
  policy::PolicyPtr effective_policy(const Bucket& b, const access::Call& call) const;
  std::unexpected<Error> no_such_key(const std::string& key, const std::optional<std::string>& version_id) const;

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
  /// What KMS authenticates: the caller's own pairs and aws:s3:arn.
  Result<std::map<std::string, std::string>> encryption_context(const Bucket& b, const std::string& key,
                                                                const Sealing& sealing) const;

  /// The bytes [offset, offset+length) of a version, decrypted.
  Result<std::unique_ptr<api::BodySource>> read(const Bucket& b, const ObjectVersion& v, uint64_t offset, uint64_t length,
                                                const access::Call& call);

  // ACLs
  template <class In>
  Result<std::vector<AclGrant>> object_acl(const In& in, const Bucket& b, const access::Call& call) const;
  Result<std::vector<AclGrant>> canned_acl(const std::string& name, const Bucket& b, bool for_object) const;

  template <class Op>
  void bucket_row(std::string_view action,
                  std::function<Result<typename Op::Output>(const access::Allowed<typename Op::Input>&, BucketPtr)> handler,
                  bool read_only);
  template <class Op>
  void add(access::Row<Op> row);

  struct LogLine {
    std::string source, target, prefix, owner_account, text;
  };
  void log_access(const BucketPtr& b, std::string_view operation, std::string_view method, std::string_view key,
                  const access::Call& call, int status, std::string_view code, uint64_t sent, uint64_t size);

  meta::Store& store_;
  Clock& clock_;
  Options options_;
  BucketStore buckets_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<Index> index_;
  access::Gate* gate_ = nullptr;
  std::mutex log_mutex_;
  std::deque<LogLine> log_lines_;
};

}  // namespace redoubt::objects
