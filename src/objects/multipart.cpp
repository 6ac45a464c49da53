/// Multipart uploads: one data key for the whole upload, a blob a part, joined without copying.
#include <set>

#include "api/checksums.h"
#include "base/crypto.h"
#include "base/ids.h"
#include "objects/copy_source.h"

namespace redoubt::objects {

using namespace api::s3;
using OurBucket = objects::Bucket;
using OurVersion = objects::ObjectVersion;

namespace {

constexpr uint64_t kPartMax = uint64_t(5) << 30, kPartMin = 5 << 20;
constexpr const char* kNoUpload =
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";

Result<void> check_part_number(int64_t n) {
  if (n < 1 || n > 10000)
    return fail(Error{&kInvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"}
                    .with("ArgumentName", "partNumber")
                    .with("ArgumentValue", std::to_string(n)));
  return {};
}

template <class Out>
void set_part_checksum(const std::string& algorithm, const std::string& sum, Out& out) {
  OurVersion v;
  v.checksum_algorithm = algorithm;
  v.checksum = sum;
  set_checksum(v, out);
}

}  // namespace

/// An UploadPart under way.
class PartUpload final : public access::Upload<UploadPartOutput> {
 public:
  PartUpload(Objects& objects, BucketPtr bucket, UploadRecord upload, int number, std::string data_key,
             const std::string& algorithm)
      : objects_(objects),
        bucket_(std::move(bucket)),
        upload_(std::move(upload)),
        number_(number),
        writer_(objects.blobs_->writer(std::move(data_key))),
        md5_(crypto::Hash::md5) {
    if (auto a = api::parse_checksum_algorithm(algorithm)) sum_.emplace(*a);
    algorithm_ = algorithm;
  }
  Result<void> write(std::string_view bytes) override {
    size_ += bytes.size();
    if (size_ > kPartMax) return fail(kEntityTooLarge, "Your proposed upload exceeds the maximum allowed size");
    md5_.update(bytes);
    if (sum_) sum_->update(bytes);
    return writer_.write(bytes);
  }
  Result<UploadPartOutput> finish() override {
    PartRecord part{
        .number = number_, .etag = hex(md5_.finish()), .checksum = sum_ ? sum_->finish() : "", .modified = objects_.clock_.now()};
    TRY(part.blob, writer_.finish());
    TRY_VOID(objects_.index_->put_part(*bucket_, upload_, part));
    UploadPartOutput out;
    out.ETag = quoted(part.etag);
    set_sealing(upload_.sealing, out);
    if (sum_) set_part_checksum(algorithm_, part.checksum, out);
    return out;
  }

 private:
  Objects& objects_;
  BucketPtr bucket_;
  UploadRecord upload_;
  int number_;
  BlobWriter writer_;
  crypto::Hasher md5_;
  std::optional<api::Checksum> sum_;
  std::string algorithm_;
  uint64_t size_ = 0;
};

void Objects::declare_multipart() {
  auto on_key = [this](const auto& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, expected_owner(in), call));
    return std::vector{key_resource(*b, in.Key, call)};
  };
  auto require = [this](const auto& in, const BucketPtr& b) -> Result<UploadRecord> {
    auto u = index_->find_upload(*b, in.Key, in.UploadId);
    if (!u) return fail(Error{&kNoSuchUpload, kNoUpload}.with("UploadId", in.UploadId));
    return std::move(*u);
  };

  auto context = [](const CreateMultipartUploadRequest& in, const Call& call, policy::Context& c) {
    set_write_context(in, call, c);
    if (in.Tagging)
      if (auto tags = parse_tagging(*in.Tagging)) set_request_tags(*tags, c);
  };
  access::Row<op::CreateMultipartUpload> create{.needs = {{.action = "s3:PutObject", .resources = on_key, .context = context},
                  {.action = "s3:PutObjectTagging",
                   .resources = on_key,
                   .context = context,
                   .when = [](const CreateMultipartUploadRequest& in, const Call&) { return in.Tagging.has_value(); }},
                  {.action = "s3:PutObjectAcl",
                   .resources = on_key,
                   .context = context,
                   .when = [](const CreateMultipartUploadRequest& in, const Call&) {
                     return in.ACL || in.GrantRead || in.GrantReadACP || in.GrantWriteACP || in.GrantFullControl;
                   }}}};
  create.data_event = true;
  create.handler = [this](const Allowed<CreateMultipartUploadRequest>& r) -> Result<CreateMultipartUploadOutput> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    if (in.Key.empty() || in.Key.size() > 1024) return fail(kKeyTooLong, "Your key is too long");
    UploadRecord u{.bucket_uid = b->uid,
                   .key = in.Key,
                   .id = random_text(64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"),
                   .initiated = clock_.now()};
    u.initiator = r.call.caller->arn;
    u.owner = b->ownership == Ownership::object_writer && !r.call.caller->account.empty() ? r.call.caller->account : b->account;
    TRY(u.acl, object_acl(in, *b, r.call));
    TRY(u.meta, meta_of(in));
    if (in.ChecksumAlgorithm) {
      auto a = api::parse_checksum_algorithm(*in.ChecksumAlgorithm);
      if (!a) return fail(not_built("Checksum algorithm " + *in.ChecksumAlgorithm));
      u.checksum_algorithm = std::string(api::name(*a));
      u.checksum_type = in.ChecksumType.value_or(u.checksum_algorithm == "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE");
      if (u.checksum_type == "FULL_OBJECT" && u.checksum_algorithm.starts_with("SHA"))
        return fail(kInvalidRequest, "The FULL_OBJECT checksum type cannot be used with the " + to_lower(u.checksum_algorithm) +
                                         " checksum algorithm.");
    }
    TRY(auto sealed,
        seal(*b, in.Key,
             {in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled, wants_customer_key(in)},
             r.call));
    u.sealing = std::move(sealed.sealing);
    TRY_VOID(index_->start_upload(*b, u));
    CreateMultipartUploadOutput out;
    out.Bucket = in.Bucket;
    out.Key = in.Key;
    out.UploadId = u.id;
    set_sealing(u.sealing, out);
    if (!u.checksum_algorithm.empty()) {
      out.ChecksumAlgorithm = u.checksum_algorithm;
      out.ChecksumType = u.checksum_type;
    }
    return out;
  };
  add<op::CreateMultipartUpload>(std::move(create));

  access::Row<op::UploadPart> part{.needs = {{.action = "s3:PutObject", .resources = on_key}}};
  part.data_event = true;
  part.open = [this, require](const Allowed<UploadPartRequest>& r) -> Result<std::unique_ptr<access::Upload<UploadPartOutput>>> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    TRY_VOID(check_part_number(in.PartNumber));
    TRY(auto u, require(in, b));
    auto algorithm = checksum_algorithm(in);
    if (!u.checksum_algorithm.empty() && !algorithm.empty() && algorithm != u.checksum_algorithm)
      return fail(kInvalidRequest, "Checksum Type mismatch occurred, expected checksum Type: " + to_lower(u.checksum_algorithm) +
                                       ", actual checksum Type: " + to_lower(algorithm));
    TRY(auto data_key, unseal(*b, in.Key, u.sealing, r.call));
    return std::make_unique<PartUpload>(*this, b, u, int(in.PartNumber), std::move(data_key),
                                        u.checksum_algorithm.empty() ? algorithm : u.checksum_algorithm);
  };
  add<op::UploadPart>(std::move(part));

  auto source_resource = [this](const UploadPartCopyRequest& in, const Call& call) -> Resources {
    TRY(auto source, parse_copy_source(in.CopySource));
    TRY(auto b, bucket_for(source.bucket, in.ExpectedSourceBucketOwner, call));
    return std::vector{object_resource(*b, source.key, source.version_id, call)};
  };
  auto versioned = [](const UploadPartCopyRequest& in, const Call&) {
    return in.CopySource.find("?versionId=") != in.CopySource.npos;
  };
  access::Row<op::UploadPartCopy> part_copy{.needs = {{.action = "s3:GetObject",
                      .resources = source_resource,
                      .when = [versioned](const UploadPartCopyRequest& in, const Call& call) { return !versioned(in, call); }},
                     {.action = "s3:GetObjectVersion", .resources = source_resource, .when = versioned},
                     {.action = "s3:PutObject",
                      .resources = on_key,
                      .context = [](const UploadPartCopyRequest& in, const Call&, policy::Context& c) {
                        auto source = url_decode(in.CopySource).value_or(in.CopySource);
                        c.set("s3:x-amz-copy-source", source.starts_with('/') ? source.substr(1) : source);
                      }}}};
  part_copy.data_event = true;
  part_copy.handler = [this, require](const Allowed<UploadPartCopyRequest>& r) -> Result<UploadPartCopyOutput> {
    auto& in = r.input;
    TRY_VOID(check_part_number(in.PartNumber));
    TRY(auto source, parse_copy_source(in.CopySource));
    TRY(auto from, bucket_for(source.bucket, in.ExpectedSourceBucketOwner, r.call));
    TRY(auto to, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    TRY(auto u, require(in, to));
    auto v = index_->find(*from, source.key, source.version_id);
    if (!v || v->delete_marker) return no_such_key(source.key, source.version_id);
    TRY_VOID(check_source_conditions(in, *v));
    uint64_t offset = 0, length = v->size;
    if (in.CopySourceRange) {
      auto spec = std::string_view(*in.CopySourceRange);
      auto dash = spec.find('-');
      auto a = spec.starts_with("bytes=") && dash != spec.npos ? parse_int(spec.substr(6, dash - 6)) : std::nullopt;
      auto z = a ? parse_int(spec.substr(dash + 1)) : std::nullopt;
      if (!z || *a < 0 || *z < *a)
        return fail(Error{&kInvalidArgument,
                          "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
                          "zero-based offsets of the first and last bytes to copy"}
                        .with("ArgumentName", "x-amz-copy-source-range"));
      if (uint64_t(*z) >= v->size)
        return fail(
            Error{&kInvalidArgument, "Range specified is not valid for source object of size: " + std::to_string(v->size)}.with(
                "ArgumentName", "x-amz-copy-source-range"));
      offset = uint64_t(*a);
      length = uint64_t(*z - *a + 1);
    }
    TRY(auto body, read(*from, *v, offset, length, r.call));
    TRY(auto data_key, unseal(*to, in.Key, u.sealing, r.call));
    PartUpload upload(*this, to, u, int(in.PartNumber), std::move(data_key), u.checksum_algorithm);
    std::string piece;
    for (;;) {
      piece.clear();
      TRY_VOID(body->read(piece, 1 << 18));
      if (piece.empty()) break;
      TRY_VOID(upload.write(piece));
    }
    TRY(auto done, upload.finish());
    CopyPartResult result;
    result.ETag = done.ETag;
    result.LastModified = clock_.now();
    UploadPartCopyOutput out;
    out.CopyPartResult = std::move(result);
    out.CopySourceVersionId = shown_version(*from, v->version_id);
    set_sealing(u.sealing, out);
    return out;
  };
  add<op::UploadPartCopy>(std::move(part_copy));

  access::Row<op::CompleteMultipartUpload> complete{.needs = {{.action = "s3:PutObject",
                     .resources = on_key,
                     .context = [](const CompleteMultipartUploadRequest& in, const Call& call, policy::Context& c) {
                       set_write_context(in, call, c);
                     }}}};
  complete.data_event = true;
  complete.handler = [this, require](const Allowed<CompleteMultipartUploadRequest>& r) -> Result<CompleteMultipartUploadOutput> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    TRY(auto u, require(in, b));
    if (!in.MultipartUpload || !in.MultipartUpload->Parts || in.MultipartUpload->Parts->empty())
      return fail(kMalformedXml, "The XML you provided was not well-formed or did not validate against our published schema");
    auto& asked = *in.MultipartUpload->Parts;
    auto have = index_->parts(u);
    OurVersion v{.key = in.Key, .owner = u.owner, .acl = u.acl, .meta = u.meta, .sealing = u.sealing};
    std::string md5s;
    std::vector<std::pair<std::string, uint64_t>> sums;
    int64_t last = 0;
    for (size_t i = 0; i < asked.size(); ++i) {
      auto n = asked[i].PartNumber.value_or(0);
      if (n <= last)
        return fail(kInvalidPartOrder,
                    "The list of parts was not in ascending order. The parts list must be specified in order by part number.");
      last = n;
      auto p = std::find_if(have.begin(), have.end(), [&](auto& x) { return x.number == n; });
      if (p == have.end() || !asked[i].ETag || unquoted(*asked[i].ETag) != p->etag)
        return fail(Error{&kInvalidPart,
                          "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
                          "specified entity tag may not match the part's entity tag."}
                        .with("UploadId", u.id)
                        .with("PartNumber", std::to_string(n))
                        .with("ETag", asked[i].ETag.value_or("")));
      if (i + 1 < asked.size() && p->blob.size < kPartMin)
        return fail(Error{&kEntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"}
                        .with("PartNumber", std::to_string(n))
                        .with("ETag", p->etag)
                        .with("MinSizeAllowed", std::to_string(kPartMin))
                        .with("ProposedSize", std::to_string(p->blob.size)));
      md5s += unhex(p->etag).value_or("");
      v.size += p->blob.size;
      v.blobs.push_back(p->blob);
      sums.emplace_back(p->checksum, p->blob.size);
    }
    if (in.MpuObjectSize && uint64_t(*in.MpuObjectSize) != v.size)
      return fail(kInvalidRequest, "The provided 'x-amz-mp-object-size' header value " + std::to_string(*in.MpuObjectSize) +
                                       " does not match what was computed: " + std::to_string(v.size));
    v.etag = hex(crypto::md5(md5s)) + "-" + std::to_string(asked.size());
    if (auto a = api::parse_checksum_algorithm(u.checksum_algorithm)) {
      std::vector<std::string> parts_sums;
      for (auto& [sum, size] : sums) parts_sums.push_back(sum);
      auto sum = u.checksum_type == "FULL_OBJECT" ? api::full_object_checksum(*a, sums) : api::composite_checksum(*a, parts_sums);
      if (!sum)
        return fail(kInvalidRequest, "The upload was created using a " + to_lower(u.checksum_algorithm) +
                                         " checksum. The complete request must include the checksum for each part.");
      v.checksum = *sum;
      v.checksum_algorithm = u.checksum_algorithm;
      v.checksum_type = u.checksum_type;
      CompletedPart sent;
      sent.ChecksumCRC32 = in.ChecksumCRC32, sent.ChecksumCRC32C = in.ChecksumCRC32C,
      sent.ChecksumCRC64NVME = in.ChecksumCRC64NVME;
      sent.ChecksumSHA1 = in.ChecksumSHA1, sent.ChecksumSHA256 = in.ChecksumSHA256;
      for (auto* s :
           {&sent.ChecksumCRC32, &sent.ChecksumCRC32C, &sent.ChecksumCRC64NVME, &sent.ChecksumSHA1, &sent.ChecksumSHA256})
        if (*s && **s != v.checksum)
          return fail(kBadDigest,
                      "The " + to_lower(u.checksum_algorithm) + " you specified did not match the calculated checksum.");
    }
    WriteCondition condition;
    if (in.IfNoneMatch) condition.if_none_match = true;
    if (in.IfMatch) condition.if_match = unquoted(*in.IfMatch);
    TRY_VOID(index_->complete(*b, v, clock_.now(), condition, u, have));
    CompleteMultipartUploadOutput out;
    out.Location = "/" + in.Bucket + "/" + url_encode(in.Key, true);
    out.Bucket = in.Bucket;
    out.Key = in.Key;
    out.ETag = quoted(v.etag);
    out.VersionId = shown_version(*b, v.version_id);
    set_sealing(v.sealing, out);
    set_checksum(v, out);
    return out;
  };
  add<op::CompleteMultipartUpload>(std::move(complete));

  access::Row<op::AbortMultipartUpload> abort{.needs = {{.action = "s3:AbortMultipartUpload", .resources = on_key}}};
  abort.data_event = true;
  abort.handler = [this, require](const Allowed<AbortMultipartUploadRequest>& r) -> Result<AbortMultipartUploadOutput> {
    TRY(auto b, bucket_for(r.input.Bucket, r.input.ExpectedBucketOwner, r.call));
    TRY(auto u, require(r.input, b));
    TRY_VOID(index_->abort_upload(u));
    return AbortMultipartUploadOutput{};
  };
  add<op::AbortMultipartUpload>(std::move(abort));

  access::Row<op::ListParts> list_parts{.needs = {{.action = "s3:ListMultipartUploadParts", .resources = on_key}}};
  list_parts.read_only = list_parts.data_event = true;
  list_parts.handler = [this, require](const Allowed<ListPartsRequest>& r) -> Result<ListPartsOutput> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    TRY(auto u, require(in, b));
    size_t max = size_t(std::clamp<int64_t>(in.MaxParts.value_or(1000), 0, 1000));
    ListPartsOutput out;
    out.Bucket = in.Bucket;
    out.Key = in.Key;
    out.UploadId = in.UploadId;
    out.MaxParts = int64_t(max);
    out.PartNumberMarker = in.PartNumberMarker.value_or(0);
    out.IsTruncated = false;
    out.StorageClass = u.meta.storage_class;
    Owner owner;
    owner.ID = gate_->directory().canonical_id(u.owner);
    out.Owner = std::move(owner);
    Initiator initiator;
    initiator.ID = u.initiator;
    out.Initiator = std::move(initiator);
    if (!u.checksum_algorithm.empty()) {
      out.ChecksumAlgorithm = u.checksum_algorithm;
      out.ChecksumType = u.checksum_type;
    }
    std::vector<Part> parts;
    for (auto& p : index_->parts(u)) {
      if (p.number <= in.PartNumberMarker.value_or(0)) continue;
      if (parts.size() == max) {
        out.IsTruncated = true;
        break;
      }
      Part s;
      s.PartNumber = p.number;
      s.LastModified = p.modified;
      s.ETag = quoted(p.etag);
      s.Size = int64_t(p.blob.size);
      set_part_checksum(u.checksum_algorithm, p.checksum, s);
      out.NextPartNumberMarker = p.number;
      parts.push_back(std::move(s));
    }
    if (!parts.empty()) out.Parts = std::move(parts);
    return out;
  };
  add<op::ListParts>(std::move(list_parts));

  access::Row<op::ListMultipartUploads> list{.needs = {{.action = "s3:ListBucketMultipartUploads",
                 .resources = [this](const ListMultipartUploadsRequest& in, const Call& call) -> Resources {
                   TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
                   return std::vector{bucket_resource(*b, call)};
                 }}}};
  list.read_only = list.data_event = true;
  list.handler = [this](const Allowed<ListMultipartUploadsRequest>& r) -> Result<ListMultipartUploadsOutput> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    size_t max = size_t(std::clamp<int64_t>(in.MaxUploads.value_or(1000), 0, 1000));
    auto prefix = in.Prefix.value_or(""), delimiter = in.Delimiter.value_or("");
    ListMultipartUploadsOutput out;
    out.Bucket = in.Bucket;
    out.Prefix = prefix;
    out.KeyMarker = in.KeyMarker.value_or("");
    out.UploadIdMarker = in.UploadIdMarker.value_or("");
    if (!delimiter.empty()) out.Delimiter = delimiter;
    out.MaxUploads = int64_t(max);
    out.EncodingType = in.EncodingType;
    out.IsTruncated = false;
    std::vector<MultipartUpload> uploads;
    std::vector<CommonPrefix> prefixes;
    for (auto& u : index_->uploads(*b, prefix)) {
      if (in.KeyMarker &&
          (u.key < *in.KeyMarker || (u.key == *in.KeyMarker && (!in.UploadIdMarker || u.id <= *in.UploadIdMarker))))
        continue;
      auto cut = delimiter.empty() ? u.key.npos : u.key.find(delimiter, prefix.size());
      auto shown_prefix = cut == u.key.npos ? "" : u.key.substr(0, cut + delimiter.size());
      if (!shown_prefix.empty() && !prefixes.empty() && *prefixes.back().Prefix == shown_prefix) continue;
      if (uploads.size() + prefixes.size() == max) {
        out.IsTruncated = true;
        break;
      }
      out.NextKeyMarker = u.key;
      out.NextUploadIdMarker = u.id;
      if (!shown_prefix.empty()) {
        prefixes.push_back({.Prefix = shown_prefix});
        continue;
      }
      MultipartUpload s;
      s.UploadId = u.id;
      s.Key = in.EncodingType ? url_encode(u.key, true) : u.key;
      s.Initiated = u.initiated;
      s.StorageClass = u.meta.storage_class;
      Owner owner;
      owner.ID = gate_->directory().canonical_id(u.owner);
      s.Owner = std::move(owner);
      Initiator initiator;
      initiator.ID = u.initiator;
      s.Initiator = std::move(initiator);
      uploads.push_back(std::move(s));
    }
    if (!*out.IsTruncated) {
      out.NextKeyMarker.reset();
      out.NextUploadIdMarker.reset();
    }
    if (!uploads.empty()) out.Uploads = std::move(uploads);
    if (!prefixes.empty()) out.CommonPrefixes = std::move(prefixes);
    return out;
  };
  add<op::ListMultipartUploads>(std::move(list));
}

}  // namespace redoubt::objects
