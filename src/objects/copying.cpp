/// CopyObject: read as the caller, written as the caller.
#include "api/checksums.h"
#include "base/crypto.h"
#include "objects/copy_source.h"

namespace redoubt::objects {

using namespace api::s3;
using OurVersion = objects::ObjectVersion;

Result<CopySource> parse_copy_source(const std::string& header) {
  auto invalid = [] {
    return fail(Error{&kInvalidArgument, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"}.with(
        "ArgumentName", "x-amz-copy-source"));
  };
  CopySource out;
  std::string_view text = header;
  if (auto q = text.find("?versionId="); q != text.npos) {
    auto id = url_decode(text.substr(q + 11));
    if (!id || id->empty()) return invalid();
    out.version_id = *id;
    text = text.substr(0, q);
  }
  auto decoded = url_decode(text);
  if (!decoded) return invalid();
  std::string_view path = *decoded;
  if (path.starts_with("arn:aws:s3:")) return fail(not_built("A copy from an access point"));
  if (path.starts_with('/')) path.remove_prefix(1);
  auto slash = path.find('/');
  if (slash == path.npos || slash == 0 || slash + 1 == path.size()) return invalid();
  out.bucket = path.substr(0, slash);
  out.key = path.substr(slash + 1);
  return out;
}

void Objects::declare_copy() {
  auto source_resource = [this](const CopyObjectRequest& in, const Call& call) -> Resources {
    TRY(auto source, parse_copy_source(in.CopySource));
    TRY(auto b, bucket_for(source.bucket, in.ExpectedSourceBucketOwner, call));
    return std::vector{object_resource(*b, source.key, source.version_id, call)};
  };
  auto target_resource = [this](const CopyObjectRequest& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    return std::vector{key_resource(*b, in.Key, call)};
  };
  auto versioned = [](const CopyObjectRequest& in, const Call&) {
    return in.CopySource.find("?versionId=") != in.CopySource.npos;
  };
  auto unversioned = [versioned](const CopyObjectRequest& in, const Call& call) { return !versioned(in, call); };
  auto context = [](const CopyObjectRequest& in, const Call& call, policy::Context& c) {
    set_write_context(in, call, c);
    auto source = url_decode(in.CopySource).value_or(in.CopySource);
    c.set("s3:x-amz-copy-source", source.starts_with('/') ? source.substr(1) : source);
    if (in.MetadataDirective) c.set("s3:x-amz-metadata-directive", *in.MetadataDirective);
    if (in.Tagging)
      if (auto tags = parse_tagging(*in.Tagging)) set_request_tags(*tags, c);
  };
  // The tags that will be written: the request's, or the source's.
  auto writes_tags = [this](const CopyObjectRequest& in, const Call&) {
    if (in.TaggingDirective.value_or("COPY") == "REPLACE") return in.Tagging.has_value();
    auto source = parse_copy_source(in.CopySource);
    auto b = source ? buckets_.find(source->bucket) : nullptr;
    auto v = b ? index_->find(*b, source->key, source->version_id) : std::nullopt;
    return v && !v->meta.tags.empty();
  };
  access::Row<op::CopyObject> row{.needs = {{.action = "s3:GetObject", .resources = source_resource, .when = unversioned},
               {.action = "s3:GetObjectVersion", .resources = source_resource, .when = versioned},
               {.action = "s3:PutObject", .resources = target_resource, .context = context},
               {.action = "s3:PutObjectTagging", .resources = target_resource, .context = context, .when = writes_tags},
               {.action = "s3:PutObjectAcl",
                .resources = target_resource,
                .context = context,
                .when = [](const CopyObjectRequest& in, const Call&) {
                  return in.ACL || in.GrantRead || in.GrantReadACP || in.GrantWriteACP || in.GrantFullControl;
                }}}};
  row.data_event = true;
  row.handler = [this](const Allowed<CopyObjectRequest>& r) -> Result<CopyObjectOutput> {
    auto& in = r.input;
    if (in.CopySourceSSECustomerAlgorithm || in.CopySourceSSECustomerKey)
      return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
    TRY(auto source, parse_copy_source(in.CopySource));
    TRY(auto from, bucket_for(source.bucket, in.ExpectedSourceBucketOwner, r.call));
    TRY(auto to, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    if (in.Key.empty() || in.Key.size() > 1024) return fail(kKeyTooLong, "Your key is too long");
    auto v = index_->find(*from, source.key, source.version_id);
    if (!v || v->delete_marker) return no_such_key(source.key, source.version_id);
    TRY_VOID(check_source_conditions(in, *v));
    if (v->size > (uint64_t(5) << 30))
      return fail(kInvalidRequest,
                  "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120");
    bool replace = in.MetadataDirective.value_or("COPY") == "REPLACE";
    TRY(auto meta, meta_of(in));
    OurVersion copy{.key = in.Key, .size = v->size};
    copy.meta = replace ? meta : v->meta;
    copy.meta.tags = in.TaggingDirective.value_or("COPY") == "REPLACE" ? meta.tags : v->meta.tags;
    copy.meta.storage_class = in.StorageClass.value_or("STANDARD");
    if (in.WebsiteRedirectLocation) copy.meta.headers["WebsiteRedirectLocation"] = *in.WebsiteRedirectLocation;
    bool same = from->name == to->name && source.key == in.Key && !source.version_id;
    if (same && !replace && !in.ServerSideEncryption && !in.StorageClass && !in.WebsiteRedirectLocation &&
        in.TaggingDirective.value_or("COPY") == "COPY")
      return fail(kInvalidRequest,
                  "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
                  "metadata, storage class, website redirect location or encryption attributes.");
    copy.owner =
        to->ownership == Ownership::object_writer && !r.call.caller->account.empty() ? r.call.caller->account : to->account;
    TRY(copy.acl, object_acl(in, *to, r.call));
    WriteCondition condition;
    if (in.IfNoneMatch) condition.if_none_match = true;
    if (in.IfMatch) condition.if_match = unquoted(*in.IfMatch);
    TRY(auto body, read(*from, *v, 0, v->size, r.call));
    TRY(auto sealed,
        seal(*to, in.Key,
             {in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled, wants_customer_key(in)},
             r.call));
    copy.sealing = std::move(sealed.sealing);
    auto writer = blobs_->writer(std::move(sealed.data_key));
    crypto::Hasher md5(crypto::Hash::md5);
    auto algorithm = in.ChecksumAlgorithm ? to_upper(*in.ChecksumAlgorithm) : v->checksum_algorithm;
    std::optional<api::Checksum> sum;
    if (auto a = api::parse_checksum_algorithm(algorithm)) sum.emplace(*a);
    std::string piece;
    for (;;) {
      piece.clear();
      TRY_VOID(body->read(piece, 1 << 18));
      if (piece.empty()) break;
      md5.update(piece);
      if (sum) sum->update(piece);
      TRY_VOID(writer.write(piece));
    }
    copy.etag = hex(md5.finish());
    if (sum) {
      copy.checksum_algorithm = algorithm;
      copy.checksum = sum->finish();
      copy.checksum_type = "FULL_OBJECT";
    }
    TRY(auto blob, writer.finish());
    copy.blobs = {std::move(blob)};
    TRY_VOID(index_->put(*to, copy, clock_.now(), condition));
    CopyObjectResult result;
    result.ETag = quoted(copy.etag);
    result.LastModified = copy.modified;
    set_checksum(copy, result);
    CopyObjectOutput out;
    out.CopyObjectResult = std::move(result);
    out.CopySourceVersionId = shown_version(*from, v->version_id);
    out.VersionId = shown_version(*to, copy.version_id);
    set_sealing(copy.sealing, out);
    return out;
  };
  add<op::CopyObject>(std::move(row));
}

}  // namespace redoubt::objects
