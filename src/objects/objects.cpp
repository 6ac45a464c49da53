#include "objects/objects.h"

#include "base/crypto.h"
#include "base/ids.h"
#include "base/log.h"
#include "api/kms.h"
#include "objects/rows.h"

namespace redoubt::objects {
namespace {

/// Joins the blobs of a multipart object.
class Concatenated final : public api::BodySource {
 public:
  explicit Concatenated(std::vector<std::unique_ptr<api::BodySource>> parts) : parts_(std::move(parts)) {}
  Result<void> read(std::string& out, size_t max) override {
    while (at_ < parts_.size()) {
      size_t before = out.size();
      TRY_VOID(parts_[at_]->read(out, max));
      if (out.size() > before) return {};
      parts_[at_++].reset();
    }
    return {};
  }

 private:
  std::vector<std::unique_ptr<api::BodySource>> parts_;
  size_t at_ = 0;
};

/// What KMS said, in S3's words.
Error kms_error(const Error& e) {
  auto& code = e.kind->code;
  if (code == "DisabledException") return {&kKmsDisabled, e.message};
  if (code == "NotFoundException") return {&kKmsNotFound, e.message};
  if (code == "KMSInvalidStateException") return {&kKmsInvalidState, e.message};
  if (code == "InvalidKeyUsageException") return {&kKmsInvalidKeyUsage, e.message};
  if (code == "InvalidArnException" || code == "ValidationException") return {&kInvalidArgument, e.message};
  if (code.starts_with("AccessDenied")) return {&kAccessDenied, e.message};
  return e;
}

}  // namespace

Result<std::unique_ptr<Objects>> Objects::open(meta::Store& store, Clock& clock, Options options) {
  std::unique_ptr<Objects> o(new Objects(store, clock, std::move(options)));
  TRY_VOID(o->buckets_.load());
  TRY(o->blobs_, BlobStore::open(store, o->options_.directory));
  TRY(auto swept, o->blobs_->sweep());
  if (swept) log::info("objects: removed " + std::to_string(swept) + " unfinished files of an earlier run");
  o->index_ = std::make_unique<Index>(store, *o->blobs_);
  return o;
}

void Objects::declare(access::Gate& gate) {
  gate_ = &gate;
  declare_buckets();
  declare_settings();
  declare_acls();
  declare_objects();
  declare_copy();
  declare_listings();
  declare_multipart();
}

Result<BucketPtr> Objects::bucket_for(const std::string& name, const std::optional<std::string>& expected_owner,
                                      const Call& call) const {
  auto b = buckets_.find(name);
  if (!b) return fail(Error{&kNoSuchBucket, "The specified bucket does not exist"}.with("BucketName", name));
  if (expected_owner && *expected_owner != b->account) return fail(kAccessDenied, "Access Denied");
  if (call.caller->type != policy::PrincipalType::anonymous && !call.region.empty() && call.region != b->region &&
      call.called_via.empty() && !call.auth_type.empty())
    return fail(Error{&kAuthorizationHeaderMalformed, "The authorization header is malformed; the region '" + call.region +
                                                          "' is wrong; expecting '" + b->region + "'"}
                    .with("Region", b->region));
  return b;
}

policy::PolicyPtr Objects::effective_policy(const Bucket& b, const Call& call) const {
  // RestrictPublicBuckets: a public policy opens the bucket to its own account and to services only.
  bool outsider = call.caller->account != b.account && call.caller->type != policy::PrincipalType::service;
  if (b.policy_public && outsider && b.public_access && b.public_access->restrict_buckets) return nullptr;
  return b.policy;
}

access::Resource Objects::bucket_resource(const Bucket& b, const Call& call) const {
  access::Resource r{
      .arn = b.arn(), .account = b.account, .policy = effective_policy(b, call), .rule = policy::ResourceRule::optional};
  r.context.emplace_back("s3:ResourceAccount", std::vector{b.account});
  return r;
}

access::Resource Objects::key_resource(const Bucket& b, std::string_view key, const Call& call) const {
  auto r = bucket_resource(b, call);
  r.arn = b.object_arn(key);
  return r;
}

std::unexpected<Error> Objects::no_such_key(const std::string& key, const std::optional<std::string>& version_id) const {
  if (version_id)
    return fail(Error{&kNoSuchVersion, "The specified version does not exist."}.with("Key", key).with("VersionId", *version_id));
  return fail(Error{&kNoSuchKey, "The specified key does not exist."}.with("Key", key));
}

access::Resource Objects::object_resource(const Bucket& b, const std::string& key, const std::optional<std::string>& version_id,
                                          const Call& call) {
  auto r = key_resource(b, key, call);
  auto v = index_->find(b, key, version_id);
  if (!v || (v->delete_marker && !version_id)) {
    if (gate_->decide(call, "s3:ListBucket", bucket_resource(b, call)).allowed())
      r.missing = no_such_key(key, version_id).error();
    else
      r.missing = r.hidden = Error{&kAccessDenied, "Access Denied"};
    return r;
  }
  for (auto& [k, value] : v->meta.tags) r.context.emplace_back("s3:ExistingObjectTag/" + k, std::vector{value});
  if (version_id) r.context.emplace_back("s3:VersionId", std::vector{*version_id});
  if (b.acls_work() && v->owner != b.account) {
    // Another account's object: the bucket's owner and policy have no say over reading it.
    r.account = v->owner;
    r.policy = nullptr;
  }
  if (b.acls_work() && !v->acl.empty()) {
    auto statements = acl_statements(v->acl, b.arn(), b.object_arn(key), b.ignores_public_acls());
    if (r.policy && !b.policy_text.empty())
      if (auto own = Json::parse(b.policy_text)) {
        auto& s = (*own)["Statement"];
        if (s.is_array())
          for (auto& x : s.items()) statements.push(x);
        else
          statements.push(s);
      }
    if (statements.size() > 0)
      if (auto compiled = policy::parse(
              Json::object().set("Version", "2012-10-17").set("Statement", std::move(statements)).dump(), policy::Kind::bucket))
        r.policy = *compiled;
  }
  return r;
}

Result<Objects::Sealed> Objects::seal(const Bucket& b, const std::string& key, const SealRequest& request, const Call& call) {
  if (request.customer_key) return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
  Sealed out;
  auto& s = out.sealing;
  s.algorithm = request.algorithm.value_or(b.sse);
  if (s.algorithm != "AES256" && s.algorithm != "aws:kms") {
    if (s.algorithm == "aws:kms:dsse") return fail(not_built("aws:kms:dsse"));
    return fail(Error{&kInvalidArgument, "The encryption method specified is not supported"}
                    .with("ArgumentName", "x-amz-server-side-encryption")
                    .with("ArgumentValue", s.algorithm));
  }
  if (request.kms_key && request.algorithm.value_or("") != "aws:kms")
    return fail(
        Error{&kInvalidArgument,
              "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"}
            .with("ArgumentName", "x-amz-server-side-encryption"));
  if (s.algorithm == "AES256") {
    if (request.context)
      return fail(kInvalidArgument, "x-amz-server-side-encryption-context needs x-amz-server-side-encryption: aws:kms");
    out.data_key = crypto::random_bytes(32);
    s.wrapped_key = crypto::seal(options_.root_key, out.data_key, "s3/" + b.uid + "/" + key);
    return out;
  }
  bool by_default = !request.algorithm;
  s.kms_key = request.kms_key.value_or(by_default || b.sse == "aws:kms" ? b.kms_key : "");
  if (s.kms_key.empty()) s.kms_key = "alias/aws/s3";
  s.bucket_key = request.bucket_key.value_or(b.bucket_key);
  s.context = request.context.value_or("");
  api::kms::GenerateDataKeyRequest in{.KeyId = s.kms_key};
  in.KeySpec = "AES_256";
  TRY(in.EncryptionContext, encryption_context(b, key, s));
  auto made = gate_->call<api::kms::op::GenerateDataKey>(call.forwarded_by("s3"), in);
  if (!made) return fail(kms_error(made.error()));
  s.kms_key = made->KeyId.value_or(s.kms_key);
  s.wrapped_key = made->CiphertextBlob.value_or("");
  out.data_key = made->Plaintext.value_or("");
  CHECK(out.data_key.size() == 32);
  return out;
}

Result<std::map<std::string, std::string>> Objects::encryption_context(const Bucket& b, const std::string& key,
                                                                       const Sealing& s) const {
  std::map<std::string, std::string> out;
  if (!s.context.empty()) {
    auto text = unbase64(s.context);
    auto j = text ? Json::parse(*text) : fail(kInvalidArgument, "");
    if (!j || !j->is_object())
      return fail(kInvalidArgument,
                  "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which "
                  "represents a string-string map");
    for (auto& [k, v] : j->members()) {
      if (!v.is_string() || k.starts_with("aws:"))
        return fail(kInvalidArgument, "The encryption context's member " + k + " is not allowed.");
      out[k] = v.text();
    }
  }
  out["aws:s3:arn"] = s.bucket_key ? b.arn() : b.object_arn(key);
  return out;
}

Result<std::string> Objects::unseal(const Bucket& b, const std::string& key, const Sealing& s, const Call& call) {
  if (s.algorithm == "AES256") {
    auto plain = crypto::open(options_.root_key, s.wrapped_key, "s3/" + b.uid + "/" + key);
    if (!plain) return fail(kInternal, "the data key of " + b.object_arn(key) + " can't be unsealed");
    return std::move(*plain);
  }
  api::kms::DecryptRequest in;
  in.CiphertextBlob = s.wrapped_key;
  TRY(in.EncryptionContext, encryption_context(b, key, s));
  auto opened = gate_->call<api::kms::op::Decrypt>(call.forwarded_by("s3"), in);
  if (!opened) return fail(kms_error(opened.error()));
  return opened->Plaintext.value_or("");
}

Result<std::unique_ptr<api::BodySource>> Objects::read(const Bucket& b, const ObjectVersion& v, uint64_t offset, uint64_t length,
                                                       const Call& call) {
  TRY(auto data_key, unseal(b, v.key, v.sealing, call));
  std::vector<std::unique_ptr<api::BodySource>> parts;
  uint64_t start = 0;
  for (auto& blob : v.blobs) {
    uint64_t from = std::max(offset, start), to = std::min(offset + length, start + blob.size);
    if (from < to) {
      TRY(auto part, blobs_->open(blob, data_key, from - start, to - from));
      parts.push_back(std::move(part));
    }
    start += blob.size;
  }
  if (parts.size() == 1) return std::move(parts[0]);
  return std::make_unique<Concatenated>(std::move(parts));
}

Result<std::map<std::string, std::string>> parse_tagging(const std::string& text) {
  std::map<std::string, std::string> out;
  if (text.empty()) return out;
  std::vector<api::s3::Tag> tags;
  for (auto pair : split(text, '&')) {
    auto eq = pair.find('=');
    auto k = url_decode(pair.substr(0, eq), true), v = url_decode(eq == pair.npos ? "" : pair.substr(eq + 1), true);
    if (!k || !v || k->empty())
      return fail(kInvalidArgument,
                  "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
                  "duplicates.");
    tags.push_back({.Key = *k, .Value = *v});
  }
  return check_tags(tags, 10);
}

Result<std::map<std::string, std::string>> check_tags(const std::vector<api::s3::Tag>& tags, size_t max) {
  std::map<std::string, std::string> out;
  if (tags.size() > max)
    return fail(kBadTagCount,
                (max == 10 ? "Object" : "Bucket") + std::string(" tags cannot be greater than ") + std::to_string(max));
  for (auto& t : tags) {
    if (t.Key.empty() || t.Key.size() > 128) return fail(kInvalidTag, "The TagKey you have provided is invalid");
    if (t.Value.size() > 256) return fail(kInvalidTag, "The TagValue you have provided is invalid");
    if (to_lower(t.Key).starts_with("aws:")) return fail(kInvalidTag, "System tags cannot be added/updated by requester");
    if (!out.emplace(t.Key, t.Value).second) return fail(kInvalidTag, "Cannot provide multiple Tags with the same key");
  }
  return out;
}

void set_request_tags(const std::map<std::string, std::string>& tags, policy::Context& c) {
  std::vector<std::string> keys;
  for (auto& [k, v] : tags) {
    c.set("s3:RequestObjectTag/" + k, v);
    keys.push_back(k);
  }
  c.set_list("s3:RequestObjectTagKeys", keys);
}

}  // namespace redoubt::objects
