/// PutObject: decided on its head, spooled, committed in one index transaction.
#include "objects/fields.h"

namespace redoubt::objects {

using namespace api::s3;
using OurVersion = objects::ObjectVersion;

namespace {
constexpr uint64_t kPutMax = uint64_t(5) << 30;

std::unexpected<Error> too_large(uint64_t size) {
  return fail(Error{&kEntityTooLarge, "Your proposed upload exceeds the maximum allowed size"}
                  .with("ProposedSize", std::to_string(size))
                  .with("MaxSizeAllowed", std::to_string(kPutMax)));
}
}  // namespace

/// A PutObject under way: spools the encrypted bytes, commits them at the end.
class ObjectUpload final : public access::Upload<PutObjectOutput> {
 public:
  /// `own_checksum`: the client sends none, so S3 makes its own.
  ObjectUpload(Objects& objects, BucketPtr bucket, OurVersion version, std::string data_key, WriteCondition condition,
               bool own_checksum)
      : objects_(objects),
        bucket_(std::move(bucket)),
        version_(std::move(version)),
        condition_(std::move(condition)),
        writer_(objects.blobs_->writer(std::move(data_key))),
        etag_(version_.sealing) {
    if (own_checksum) checksum_.emplace(api::ChecksumAlgorithm::crc64nvme);
  }
  Result<void> write(std::string_view bytes) override {
    version_.size += bytes.size();
    if (version_.size > kPutMax) return too_large(version_.size);
    etag_.update(bytes);
    if (checksum_) checksum_->update(bytes);
    return writer_.write(bytes);
  }
  void checksum(api::ChecksumAlgorithm algorithm, const std::string& value) override {
    version_.checksum = {std::string(api::name(algorithm)), value, "FULL_OBJECT"};
  }
  Result<PutObjectOutput> finish() override {
    version_.etag = etag_.finish();
    if (checksum_ && version_.checksum.value.empty()) checksum(api::ChecksumAlgorithm::crc64nvme, checksum_->finish());
    TRY(auto blob, writer_.finish());
    version_.pieces = {{.blob = std::move(blob)}};
    TRY_VOID(objects_.index_->put(*bucket_, version_, objects_.clock_.now(), condition_));
    PutObjectOutput out;
    out.ETag = quoted(version_.etag);
    out.VersionId = shown_version(*bucket_, version_.version_id);
    set_sealing(version_.sealing, out);
    set_checksum(version_.checksum, out);
    return out;
  }

 private:
  Objects& objects_;
  BucketPtr bucket_;
  OurVersion version_;
  WriteCondition condition_;
  BlobWriter writer_;
  EtagMaker etag_;
  std::optional<api::Checksum> checksum_;
};

void Objects::declare_put() {
  auto on_key = [this](const PutObjectRequest& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    return only(key_resource(b, in.Key, call));
  };
  auto context = [](const PutObjectRequest& in, const Call& call, policy::Context& c) {
    set_write_context(in, call, c);
    set_tagging_context(in, c);
  };
  access::Row<op::PutObject> put{
      .needs = {{.action = "s3:PutObject", .resources = on_key, .context = context},
                {.action = "s3:PutObjectTagging",
                 .resources = on_key,
                 .context = context,
                 .when = [](const PutObjectRequest& in, const Call&) { return in.Tagging.has_value(); }},
                {.action = "s3:PutObjectAcl", .resources = on_key, .context = context, .when = names_acl<PutObjectRequest>}}};
  put.data_event = true;
  put.open = [this](const Allowed<PutObjectRequest>& r) -> Result<std::unique_ptr<access::Upload<PutObjectOutput>>> {
    auto& in = r.input;
    auto b = r.found<Bucket>();
    TRY_VOID(check_key(in.Key));
    if (in.ContentLength && uint64_t(*in.ContentLength) > kPutMax) return too_large(uint64_t(*in.ContentLength));
    if (in.WriteOffsetBytes) return fail(not_built("WriteOffsetBytes (append)"));
    TRY(auto condition, write_condition(in));
    OurVersion v{.key = in.Key};
    v.owner = owner_of_new(*b, in.ACL, *r.call.caller);
    TRY(v.acl, object_acl(in, *b, v.owner));
    TRY(v.meta, meta_of(in));
    TRY(auto sealed,
        seal(*b, in.Key,
             {in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled, wants_customer_key(in)},
             r.call));
    v.sealing = std::move(sealed.sealing);
    return std::make_unique<ObjectUpload>(*this, b, std::move(v), std::move(sealed.data_key), std::move(condition),
                                          named_algorithm(in).empty());
  };
  add<op::PutObject>(std::move(put));
}

}  // namespace redoubt::objects
