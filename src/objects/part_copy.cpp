/// UploadPartCopy: a part out of bytes that are in S3 already.
#include "objects/copy_source.h"
#include "objects/multipart.h"

namespace redoubt::objects {

using namespace api::s3;

void Objects::declare_part_copy() {
  auto source_resource = [this](const UploadPartCopyRequest& in, const Call& call) -> Resources {
    TRY(auto source, parse_copy_source(in.CopySource));
    TRY(auto b, source_bucket_for(source.bucket, in.ExpectedSourceBucketOwner));
    TRY(auto r, object_resource(b, source.key, source.version_id, call, Want::bytes));
    return only(std::move(r));
  };
  auto target_resource = [this](const UploadPartCopyRequest& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    return only(key_resource(b, in.Key, call));
  };
  auto versioned = [](const UploadPartCopyRequest& in, const Call&) {
    return in.CopySource.find("?versionId=") != in.CopySource.npos;
  };
  auto unversioned = [versioned](const UploadPartCopyRequest& in, const Call& call) { return !versioned(in, call); };
  access::Row<op::UploadPartCopy> row{
      .needs = {{.action = "s3:GetObject", .resources = source_resource, .when = unversioned},
                {.action = "s3:GetObjectVersion", .resources = source_resource, .when = versioned},
                {.action = "s3:PutObject",
                 .resources = target_resource,
                 .context = [](const UploadPartCopyRequest& in, const Call&, policy::Context& c) {
                   auto source = url_decode(in.CopySource).value_or(in.CopySource);
                   c.set("s3:x-amz-copy-source", source.starts_with('/') ? source.substr(1) : source);
                 }}}};
  row.data_event = true;
  row.handler = [this](const Allowed<UploadPartCopyRequest>& r) -> Result<UploadPartCopyOutput> {
    auto& in = r.input;
    if (wants_customer_key(in) || in.CopySourceSSECustomerAlgorithm || in.CopySourceSSECustomerKey)
      return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
    TRY_VOID(check_part_number(in.PartNumber));
    auto from = r.found<FoundObject>(0);
    auto to = r.found<Bucket>(1);
    auto& v = from->version;
    TRY(auto u, find_upload(*index_, *to, in.Key, in.UploadId));
    TRY_VOID(check_copy_source(source_conditions_of(in), v.etag, v.modified, clock_.now()));
    Range range{0, v.size};
    if (in.CopySourceRange) {
      TRY(range, parse_copy_range(*in.CopySourceRange, v.size));
    } else {
      TRY_VOID(check_copyable(v));
    }
    if (v.delete_marker || range.length > kCopyMax) TRY_VOID(check_copyable(v));
    TRY(auto body, read(*from, range.from, range.length, r.call));
    TRY(auto data_key, unseal(*to, in.Key, u.sealing, r.call));
    PartUpload upload(*this, u, int(in.PartNumber), std::move(data_key), "");
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
    for (auto& [algorithm, value] : named_checksums(done)) set_checksum_value(algorithm, value, result);
    UploadPartCopyOutput out;
    out.CopyPartResult = std::move(result);
    out.CopySourceVersionId = shown_version(*from->bucket, v.version_id);
    set_sealing(u.sealing, out);
    return out;
  };
  add<op::UploadPartCopy>(std::move(row));
}

}  // namespace redoubt::objects
