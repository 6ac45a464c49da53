/// CopyObject: read as the caller, written as the caller.
#include "objects/copy_source.h"
#include "objects/fields.h"

namespace redoubt::objects {

using namespace api::s3;
using OurVersion = objects::ObjectVersion;

Result<CopySource> parse_copy_source(const std::string& header) {
  auto invalid = [](const char* why) { return fail(Error{&kInvalidArgument, why}.with("ArgumentName", "x-amz-copy-source")); };
  CopySource out;
  std::string_view text = header;
  if (auto q = text.find("?versionId="); q != text.npos) {
    auto id = url_decode(text.substr(q + 11));
    if (!id || !is_version_id(*id)) return invalid("Invalid version id specified");
    out.version_id = *id;
    text = text.substr(0, q);
  }
  auto decoded = url_decode(text);
  if (!decoded || !is_valid_utf8(*decoded)) return invalid("Invalid copy source encoding.");
  std::string_view path = *decoded;
  if (path.starts_with("arn:")) return fail(not_built("A copy from an access point"));
  if (path.starts_with('/')) path.remove_prefix(1);
  auto slash = path.find('/');
  if (slash == path.npos || slash == 0 || slash + 1 == path.size())
    return invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  out.bucket = path.substr(0, slash);
  out.key = path.substr(slash + 1);
  return out;
}

Result<void> check_copyable(const OurVersion& source) {
  if (source.delete_marker)
    return fail(kInvalidRequest, "The source of a copy request may not specifically refer to a delete marker by version id.");
  if (source.size > kCopyMax)
    return fail(kInvalidRequest, "The specified copy source is larger than the maximum allowable size for a copy source: " +
                                     std::to_string(kCopyMax));
  return {};
}

namespace {

bool copies_tags(const CopyObjectRequest& in) { return in.TaggingDirective.value_or("COPY") == "COPY"; }

/// Whether the copy would be the object as it is.
bool changes_nothing(const CopyObjectRequest& in) {
  return in.MetadataDirective.value_or("COPY") == "COPY" && copies_tags(in) && !in.ServerSideEncryption && !in.StorageClass &&
         !in.WebsiteRedirectLocation;
}

}  // namespace

void Objects::declare_copy() {
  auto source_resource = [this](Want want) {
    return [this, want](const CopyObjectRequest& in, const Call& call) -> Resources {
      TRY(auto source, parse_copy_source(in.CopySource));
      TRY(auto b, source_bucket_for(source.bucket, in.ExpectedSourceBucketOwner));
      TRY(auto r, object_resource(b, source.key, source.version_id, call, want));
      return only(std::move(r));
    };
  };
  auto target_resource = [this](const CopyObjectRequest& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    return only(key_resource(b, in.Key, call));
  };
  auto versioned = [](const CopyObjectRequest& in, const Call&) {
    return in.CopySource.find("?versionId=") != in.CopySource.npos;
  };
  auto unversioned = [versioned](const CopyObjectRequest& in, const Call& call) { return !versioned(in, call); };
  // The source's tags are read and written if they are copied and there are any.
  auto copied_tags = [this](const CopyObjectRequest& in) -> std::map<std::string, std::string> {
    auto source = copies_tags(in) ? parse_copy_source(in.CopySource) : fail(kInvalidArgument, "");
    auto b = source ? buckets_.find(source->bucket) : nullptr;
    auto v = b ? index_->find(*b, source->key, source->version_id) : fail(kNoSuchBucket, "");
    return v && *v ? (*v)->meta.tags : std::map<std::string, std::string>{};  // an error is the handler's to answer
  };
  auto reads_tags = [copied_tags, versioned](const CopyObjectRequest& in, const Call& call) {
    return !versioned(in, call) && !copied_tags(in).empty();
  };
  auto reads_version_tags = [copied_tags, versioned](const CopyObjectRequest& in, const Call& call) {
    return versioned(in, call) && !copied_tags(in).empty();
  };
  auto writes_tags = [copied_tags](const CopyObjectRequest& in, const Call&) {
    return copies_tags(in) ? !copied_tags(in).empty() : in.Tagging.has_value();
  };
  auto context = [copied_tags](const CopyObjectRequest& in, const Call& call, policy::Context& c) {
    set_write_context(in, call, c);
    auto source = url_decode(in.CopySource).value_or(in.CopySource);
    c.set("s3:x-amz-copy-source", source.starts_with('/') ? source.substr(1) : source);
    if (copies_tags(in)) {
      if (auto tags = copied_tags(in); !tags.empty()) set_request_tags(tags, c);
    } else {
      set_tagging_context(in, c);
    }
  };
  access::Row<op::CopyObject> row{
      .needs = {
          {.action = "s3:GetObject", .resources = source_resource(Want::bytes), .when = unversioned},
          {.action = "s3:GetObjectVersion", .resources = source_resource(Want::bytes), .when = versioned},
          {.action = "s3:PutObject", .resources = target_resource, .context = context},
          {.action = "s3:GetObjectTagging", .resources = source_resource(Want::record), .when = reads_tags},
          {.action = "s3:GetObjectVersionTagging", .resources = source_resource(Want::record), .when = reads_version_tags},
          {.action = "s3:PutObjectTagging", .resources = target_resource, .context = context, .when = writes_tags},
          {.action = "s3:PutObjectAcl", .resources = target_resource, .context = context, .when = names_acl<CopyObjectRequest>}}};
  row.data_event = true;
  row.handler = [this](const Allowed<CopyObjectRequest>& r) -> Result<CopyObjectOutput> {
    auto& in = r.input;
    if (in.CopySourceSSECustomerAlgorithm || in.CopySourceSSECustomerKey)
      return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
    TRY(auto source, parse_copy_source(in.CopySource));
    auto from = r.found<FoundObject>(0);
    auto to = r.found<Bucket>(1);
    auto& v = from->version;
    TRY_VOID(check_copyable(v));
    if (copies_tags(in) && !v.meta.tags.empty() && !r.found<FoundObject>(2))  // it had none when that was decided
      return fail(kOperationAborted,
                  "A conflicting conditional operation is currently in progress against this resource. Try again.");
    TRY_VOID(check_key(in.Key));
    TRY_VOID(check_copy_source(source_conditions_of(in), v.etag, v.modified, clock_.now()));
    if (from->bucket->uid == to->uid && source.key == in.Key && !source.version_id && changes_nothing(in))
      return fail(kInvalidRequest,
                  "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
                  "metadata, storage class, website redirect location or encryption attributes.");
    TRY(auto meta, meta_of(in));
    OurVersion copy{.key = in.Key, .size = v.size};
    copy.meta = in.MetadataDirective.value_or("COPY") == "REPLACE" ? meta : v.meta;
    copy.meta.tags = copies_tags(in) ? v.meta.tags : meta.tags;
    copy.meta.storage_class = meta.storage_class;
    copy.meta.headers.erase("WebsiteRedirectLocation");  // not copied
    if (in.WebsiteRedirectLocation) copy.meta.headers["WebsiteRedirectLocation"] = *in.WebsiteRedirectLocation;
    copy.owner = owner_of_new(*to, in.ACL, *r.call.caller);
    TRY(copy.acl, object_acl(in, *to, copy.owner));
    TRY(auto condition, write_condition(in));
    auto algorithm_name = in.ChecksumAlgorithm       ? *in.ChecksumAlgorithm
                          : v.checksum.value.empty() ? std::string("CRC64NVME")
                                                     : v.checksum.algorithm;
    TRY(auto algorithm, parse_algorithm(algorithm_name));
    TRY(auto body, read(*from, 0, v.size, r.call));
    TRY(auto sealed,
        seal(*to, in.Key,
             {in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled, wants_customer_key(in)},
             r.call));
    copy.sealing = std::move(sealed.sealing);
    auto writer = blobs_->writer(std::move(sealed.data_key));
    EtagMaker etag(copy.sealing);
    api::Checksum checksum(algorithm);
    std::string piece;
    for (;;) {
      piece.clear();
      TRY_VOID(body->read(piece, 1 << 18));
      if (piece.empty()) break;
      etag.update(piece);
      checksum.update(piece);
      TRY_VOID(writer.write(piece));
    }
    copy.etag = etag.finish();
    copy.checksum = {std::string(api::name(algorithm)), checksum.finish(), "FULL_OBJECT"};
    TRY(auto blob, writer.finish());
    copy.pieces = {{.blob = std::move(blob)}};
    TRY_VOID(index_->put(*to, copy, clock_.now(), condition));
    CopyObjectResult result;
    result.ETag = quoted(copy.etag);
    result.LastModified = copy.modified;
    set_checksum(copy.checksum, result);
    CopyObjectOutput out;
    out.CopyObjectResult = std::move(result);
    out.CopySourceVersionId = shown_version(*from->bucket, v.version_id);
    out.VersionId = shown_version(*to, copy.version_id);
    set_sealing(copy.sealing, out);
    return out;
  };
  add<op::CopyObject>(std::move(row));
}

}  // namespace redoubt::objects
