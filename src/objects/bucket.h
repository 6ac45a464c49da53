#pragma once
/// A bucket as it is kept, and the store of all buckets (their names are global, as on AWS). Collections: s3.buckets (name), and
/// s3.states (name): the little that every write asks of a bucket.
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/arn.h"
#include "base/clock.h"
#include "base/json.h"
#include "meta/store.h"
#include "objects/errors.h"
#include "policy/policy.h"

namespace redoubt::objects {

struct AclGrant {
  std::string grantee;  // canonical id, or a group's URI
  bool group = false;
  std::string permission;  // FULL_CONTROL, READ, WRITE, READ_ACP, WRITE_ACP
  bool operator==(const AclGrant&) const = default;
};
inline constexpr std::string_view kAllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
inline constexpr std::string_view kAuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
inline constexpr std::string_view kLogDelivery = "http://acs.amazonaws.com/groups/s3/LogDelivery";

enum class Versioning : uint8_t { never, enabled, suspended };
enum class Ownership : uint8_t { bucket_owner_enforced, bucket_owner_preferred, object_writer };

struct PublicAccessBlock {
  bool block_acls = true, ignore_acls = true, block_policy = true, restrict_buckets = true;
};

struct Bucket {
  std::string name, uid, account, region;  // uid: of this incarnation; index rows are under it
  Timestamp created;
  Versioning versioning = Versioning::never;
  Ownership ownership = Ownership::bucket_owner_enforced;
  bool ownership_set = true;  // false after DeleteBucketOwnershipControls
  std::optional<PublicAccessBlock> public_access = PublicAccessBlock{};
  std::string sse = "AES256", kms_key;  // default encryption; kms_key: ARN, "" is alias/aws/s3
  bool bucket_key = false;
  std::string policy_text;             // principals as unique ids; "": none
  std::vector<AclGrant> acl;           // beyond the owner's own
  std::string log_bucket, log_prefix;  // access logging
  std::map<std::string, std::string> tags;

  // Made of the above when a bucket is loaded or changed:
  policy::PolicyPtr policy;   // policy_text and what the ACL allows, as decisions see it; null if there is neither
  policy::PolicyPtr denials;  // what policy_text denies: all that it has to say where it may not allow; null if nothing
  bool policy_public = false;

  std::string arn() const { return "arn:aws:s3:::" + name; }
  std::string object_arn(std::string_view key) const { return arn() + "/" + std::string(key); }
  bool acls_work() const { return ownership != Ownership::bucket_owner_enforced; }
  bool ignores_public_acls() const { return public_access && public_access->ignore_acls; }

  Json json() const;
  static Result<Bucket> from(const Json& j);
  /// Makes the last three members anew. Errors: kMalformedPolicy.
  Result<void> compile();
};
using BucketPtr = std::shared_ptr<const Bucket>;

std::string_view ownership_name(Ownership o);
std::optional<Ownership> parse_ownership(std::string_view name);

/// Statements for what ACL grants allow, to be judged beside a policy's. Of a bucket's ACL if `object_arn` is empty, else of an
/// object's. Source: S3 User Guide, "Mapping of ACL permissions and access policy permissions".
Json acl_statements(const std::vector<AclGrant>& grants, const std::string& bucket_arn, const std::string& object_arn,
                    bool ignore_public);
/// A bucket's policy and an ACL as one document. `denials_only`: what the policy allows is left out. nullptr: nothing is left.
/// Errors: kMalformedPolicy.
Result<policy::PolicyPtr> combine(const std::string& policy_text, bool denials_only, const Json& acl);

/// Threads: any.
class BucketStore {
 public:
  explicit BucketStore(meta::Store& store) : store_(store) {}
  Result<void> load();
  BucketPtr find(std::string_view name) const;                  // nullptr: none
  std::vector<BucketPtr> list(std::string_view account) const;  // by name
  Result<BucketPtr> add(Bucket bucket);                         // kBucketAlreadyExists, kBucketAlreadyOwnedByYou
  /// Changes that incarnation of the bucket. Errors: `change`'s; kMalformedPolicy; kNoSuchBucket when it is gone.
  Result<BucketPtr> update(const Bucket& bucket, const std::function<Result<void>(Bucket&)>& change);
  /// `check` runs in the transaction that removes the row. Errors: its own; kNoSuchBucket.
  Result<void> remove(const Bucket& bucket, const std::function<Result<void>(meta::Txn&)>& check);

 private:
  Result<void> store(const BucketPtr& bucket);  // durably, then for find()
  meta::Store& store_;
  std::mutex writers_;               // one change at a time, held while it becomes durable
  mutable std::shared_mutex mutex_;  // guards buckets_
  std::map<std::string, BucketPtr, std::less<>> buckets_;
};

/// Inside a transaction of the index: whether that incarnation of the bucket still exists, and its versioning as of now. Errors:
/// kNoSuchBucket.
Result<Versioning> current_versioning(meta::Reader& reader, const Bucket& bucket);

}  // namespace redoubt::objects
