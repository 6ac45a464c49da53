/// Opening S3, and what its requests are decided on: buckets, keys, object versions.
#include "objects/objects.h"

#include "base/log.h"
#include "objects/rows.h"

namespace redoubt::objects {

Result<std::unique_ptr<Objects>> Objects::open(meta::Store& store, Clock& clock, Options options) {
  std::unique_ptr<Objects> o(new Objects(store, clock, std::move(options)));
  TRY_VOID(o->buckets_.load());
  TRY(o->blobs_, BlobStore::open(store, clock, o->options_.directory));
  if (size_t swept = o->blobs_->sweep())
    log::info("objects: removed " + std::to_string(swept) + " unfinished files of an earlier run");
  o->index_ = std::make_unique<Index>(store, *o->blobs_);
  return o;
}

void Objects::declare(access::Gate& gate) {
  gate_ = &gate;
  declare_buckets();
  declare_settings();
  declare_policies();
  declare_unconfigured();
  declare_acls();
  declare_put();
  declare_get();
  declare_delete();
  declare_tagging();
  declare_copy();
  declare_listings();
  declare_multipart();
  declare_part_copy();
  declare_multipart_listings();
}

Result<BucketPtr> Objects::source_bucket_for(const std::string& name, const std::optional<std::string>& expected_owner) const {
  auto b = buckets_.find(name);
  if (!b) return fail(Error{&kNoSuchBucket, "The specified bucket does not exist"}.with("BucketName", name));
  if (expected_owner && *expected_owner != b->account) return fail(kAccessDenied, "Access Denied");
  return b;
}

Result<BucketPtr> Objects::bucket_for(const std::string& name, const std::optional<std::string>& expected_owner,
                                      const Call& call) const {
  TRY(auto b, source_bucket_for(name, expected_owner));
  // Of requests that were signed, and not of those that come from inside.
  if (!call.auth_type.empty() && call.called_via.empty() && call.region != b->region)
    return fail(Error{&kAuthorizationHeaderMalformed, "The authorization header is malformed; the region '" + call.region +
                                                          "' is wrong; expecting '" + b->region + "'"}
                    .with("Region", b->region)
                    .with("header:x-amz-bucket-region", b->region));
  return b;
}

bool Objects::policy_may_allow(const Bucket& b, const Call& call) const {
  bool outsider = call.caller->account != b.account && call.caller->type != policy::PrincipalType::service;
  return !(outsider && b.policy_public && b.public_access && b.public_access->restrict_buckets);
}

access::Resource Objects::bucket_resource(const BucketPtr& b, const Call& call) const {
  return {.arn = b->arn(),
          .account = b->account,
          .policy = policy_may_allow(*b, call) ? b->policy : b->denials,
          .rule = policy::ResourceRule::optional,
          .found = b};
}

access::Resource Objects::key_resource(const BucketPtr& b, std::string_view key, const Call& call) const {
  auto r = bucket_resource(b, call);
  r.arn = b->object_arn(key);
  return r;
}

namespace {
Error no_such_key(const std::string& key, const std::optional<std::string>& version_id) {
  if (version_id)
    return Error{&kNoSuchVersion, "The specified version does not exist."}.with("Key", key).with("VersionId", *version_id);
  return Error{&kNoSuchKey, "The specified key does not exist."}.with("Key", key);
}
Error with_marker(Error e, const Bucket& b, const ObjectVersion& marker) {
  return std::move(e)
      .with("header:x-amz-delete-marker", "true")
      .with("header:x-amz-version-id", shown_version(b, marker.version_id).value_or("null"));
}
}  // namespace

Result<access::Resource> Objects::object_resource(const BucketPtr& b, const std::string& key,
                                                  const std::optional<std::string>& version_id, const Call& call, Want want) {
  if (version_id && !is_version_id(*version_id))
    return fail(
        Error{&kInvalidArgument, version_id->empty() ? "Version id cannot be the empty string" : "Invalid version id specified"}
            .with("ArgumentName", "versionId")
            .with("ArgumentValue", *version_id));
  auto r = key_resource(b, key, call);
  if (version_id) r.context.emplace_back("s3:VersionId", std::vector{*version_id});
  auto found = std::make_shared<FoundObject>(b);
  bool exists = false;
  if (want == Want::bytes) {
    TRY(auto v, index_->find_readable(*b, key, version_id));
    if (v) {
      exists = true;
      found->version = std::move(v->version);
      found->pins = std::move(v->pins);
    }
  } else {
    TRY(auto v, index_->find(*b, key, version_id));
    exists = v.has_value();
    if (v) found->version = std::move(*v);
  }
  auto& v = found->version;
  bool is_marker = exists && v.delete_marker;
  if (!exists || (is_marker && !version_id)) {
    if (gate_->decide(call, "s3:ListBucket", bucket_resource(b, call)).allowed()) {
      r.missing = no_such_key(key, version_id);
      if (is_marker) r.missing = with_marker(std::move(*r.missing), *b, v);
    } else {
      r.missing = r.hidden = Error{&kAccessDenied, "Access Denied"};
    }
    return r;
  }
  for (auto& [k, value] : v.meta.tags) r.context.emplace_back("s3:ExistingObjectTag/" + k, std::vector{value});
  if (b->acls_work() && !is_marker) {
    // Another account's object: the bucket's policy can deny reading it, not allow it.
    bool foreign = v.owner != b->account;
    if (foreign) {
      r.account = v.owner;
      r.policy = b->denials;
    }
    if (!v.acl.empty()) {
      auto grants = acl_statements(v.acl, b->arn(), b->object_arn(key), b->ignores_public_acls());
      TRY(r.policy, combine(b->policy_text, foreign || !policy_may_allow(*b, call), grants));
    }
  }
  r.found = std::move(found);
  return r;
}

Result<std::shared_ptr<const FoundObject>> Objects::readable(std::shared_ptr<const FoundObject> found, std::string_view method) {
  CHECK(found != nullptr);
  if (found->version.delete_marker)
    return fail(with_marker({&kMethodNotAllowed, "The specified method is not allowed against this resource."}, *found->bucket,
                            found->version)
                    .with("Method", std::string(method))
                    .with("ResourceType", "DeleteMarker")
                    .with("header:Allow", "DELETE"));
  return found;
}

bool Objects::may(const Call& call, std::string_view action, const FoundObject& object) {
  auto r = object_resource(object.bucket, object.version.key, object.version.version_id, call);
  return r && !r->missing && gate_->decide(call, action, *r).allowed();
}

}  // namespace redoubt::objects
