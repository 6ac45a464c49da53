/// One object: put, get, head, delete, tags.
#include "api/checksums.h"
#include "base/crypto.h"
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;
using OurBucket = objects::Bucket;
using OurVersion = objects::ObjectVersion;

namespace {

constexpr uint64_t kPutMax = uint64_t(5) << 30;
constexpr const char* kConditionFailed = "At least one of the pre-conditions you specified did not hold";

std::unexpected<Error> condition_failed(const char* which) {
  return fail(Error{&kPreconditionFailed, kConditionFailed}.with("Condition", which));
}

/// If-Match and the like on a read. Source: RFC 9110 §13.2.2, S3 API Reference "GetObject".
template <class In>
Result<void> check_conditions(const In& in, const OurVersion& v) {
  auto matches = [&](const std::string& list) {
    for (auto one : split(list, ','))
      if (auto t = trim(one); t == "*" || unquoted(t) == v.etag) return true;
    return false;
  };
  auto seconds = v.modified.seconds();
  if (in.IfMatch) {
    if (!matches(*in.IfMatch)) return condition_failed("If-Match");
  } else if (in.IfUnmodifiedSince && seconds > in.IfUnmodifiedSince->seconds()) {
    return condition_failed("If-Unmodified-Since");
  }
  if (in.IfNoneMatch) {
    if (matches(*in.IfNoneMatch)) return fail(Error{&kNotModified, "Not Modified"}.with("ETag", quoted(v.etag)));
  } else if (in.IfModifiedSince && seconds <= in.IfModifiedSince->seconds()) {
    return fail(Error{&kNotModified, "Not Modified"}.with("ETag", quoted(v.etag)));
  }
  return {};
}

struct Range {
  uint64_t from = 0, length = 0;
  bool partial = false;
};
/// "bytes=a-b", "bytes=a-", "bytes=-n". Anything else is ignored, as RFC 9110 has it; S3 serves one range only.
Result<Range> parse_range(const std::optional<std::string>& header, uint64_t size) {
  Range whole{0, size, false};
  if (!header || !header->starts_with("bytes=")) return whole;
  auto spec = std::string_view(*header).substr(6);
  auto dash = spec.find('-');
  if (dash == spec.npos || spec.find(',') != spec.npos) return whole;
  auto first = spec.substr(0, dash), last = spec.substr(dash + 1);
  auto number = [](std::string_view s) { return s.empty() || !is_digit(s[0]) ? std::nullopt : parse_int(s); };
  auto out_of_range = [&] {
    return fail(Error{&kInvalidRange, "The requested range is not satisfiable"}
                    .with("RangeRequested", *header)
                    .with("ActualObjectSize", std::to_string(size)));
  };
  if (first.empty()) {
    auto n = number(last);
    if (!n) return whole;
    if (*n == 0 || size == 0) return out_of_range();
    uint64_t length = std::min(uint64_t(*n), size);
    return Range{size - length, length, true};
  }
  auto a = number(first);
  auto b = last.empty() ? std::optional<int64_t>(int64_t(size) - 1) : number(last);
  if (!a || !b || (!last.empty() && *b < *a)) return whole;
  if (uint64_t(*a) >= size) return out_of_range();
  return Range{uint64_t(*a), std::min(uint64_t(*b), size - 1) - uint64_t(*a) + 1, true};
}

/// The part of a multipart object that ?partNumber names.
Result<Range> part_range(int64_t number, const OurVersion& v) {
  uint64_t start = 0;
  int64_t n = 1;
  bool multipart = v.etag.find('-') != v.etag.npos;
  if (!multipart && number == 1) return Range{0, v.size, true};
  for (auto& b : v.blobs) {
    if (n++ == number) return Range{start, b.size, true};
    start += b.size;
  }
  return fail(kInvalidRange, "The requested partnumber is not satisfiable");
}

std::string content_range(const Range& r, uint64_t size) {
  return "bytes " + std::to_string(r.from) + "-" + std::to_string(r.from + r.length - 1) + "/" + std::to_string(size);
}

}  // namespace

/// A PutObject under way: spools the encrypted bytes, commits them at the end.
class ObjectUpload final : public access::Upload<PutObjectOutput> {
 public:
  ObjectUpload(Objects& objects, BucketPtr bucket, OurVersion version, std::string data_key, WriteCondition condition)
      : objects_(objects),
        bucket_(std::move(bucket)),
        version_(std::move(version)),
        condition_(std::move(condition)),
        writer_(objects.blobs_->writer(std::move(data_key))),
        md5_(crypto::Hash::md5) {}
  Result<void> write(std::string_view bytes) override {
    version_.size += bytes.size();
    if (version_.size > kPutMax) return fail(kEntityTooLarge, "Your proposed upload exceeds the maximum allowed size");
    md5_.update(bytes);
    return writer_.write(bytes);
  }
  void checksum(api::ChecksumAlgorithm algorithm, const std::string& value) override {
    version_.checksum_algorithm = std::string(api::name(algorithm));
    version_.checksum = value;
    version_.checksum_type = "FULL_OBJECT";
  }
  Result<PutObjectOutput> finish() override {
    version_.etag = hex(md5_.finish());
    TRY(auto blob, writer_.finish());
    version_.blobs = {std::move(blob)};
    TRY_VOID(objects_.index_->put(*bucket_, version_, objects_.clock_.now(), condition_));
    PutObjectOutput out;
    out.ETag = quoted(version_.etag);
    out.VersionId = shown_version(*bucket_, version_.version_id);
    set_sealing(version_.sealing, out);
    set_checksum(version_, out);
    return out;
  }

 private:
  Objects& objects_;
  BucketPtr bucket_;
  OurVersion version_;
  WriteCondition condition_;
  BlobWriter writer_;
  crypto::Hasher md5_;
};

void Objects::declare_objects() {
  auto on_key = [this](const auto& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, expected_owner(in), call));
    return std::vector{key_resource(*b, in.Key, call)};
  };

  auto put_context = [](const PutObjectRequest& in, const Call& call, policy::Context& c) {
    set_write_context(in, call, c);
    if (in.Tagging)
      if (auto tags = parse_tagging(*in.Tagging)) set_request_tags(*tags, c);
  };
  access::Row<op::PutObject> put{.needs = {{.action = "s3:PutObject", .resources = on_key, .context = put_context},
               {.action = "s3:PutObjectTagging",
                .resources = on_key,
                .context = put_context,
                .when = [](const PutObjectRequest& in, const Call&) { return in.Tagging.has_value(); }},
               {.action = "s3:PutObjectAcl",
                .resources = on_key,
                .context = put_context,
                .when = [](const PutObjectRequest& in, const Call&) {
                  return in.ACL || in.GrantRead || in.GrantReadACP || in.GrantWriteACP || in.GrantFullControl;
                }}}};
  put.data_event = true;
  put.open = [this](const Allowed<PutObjectRequest>& r) -> Result<std::unique_ptr<access::Upload<PutObjectOutput>>> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    if (in.Key.empty() || in.Key.size() > 1024) return fail(kKeyTooLong, "Your key is too long");
    if (in.ContentLength && uint64_t(*in.ContentLength) > kPutMax)
      return fail(kEntityTooLarge, "Your proposed upload exceeds the maximum allowed size");
    if (in.WriteOffsetBytes) return fail(not_built("WriteOffsetBytes (append)"));
    WriteCondition condition;
    if (in.IfNoneMatch) {
      if (*in.IfNoneMatch != "*") return fail(Error(not_built("If-None-Match with a value other than *")));
      condition.if_none_match = true;
    }
    if (in.IfMatch) condition.if_match = unquoted(*in.IfMatch);
    OurVersion v{.key = in.Key};
    v.owner = b->acls_work() && in.ACL.value_or("") != "bucket-owner-full-control" && b->ownership == Ownership::object_writer
                  ? r.call.caller->account
                  : b->account;
    if (v.owner.empty()) v.owner = b->account;  // services and anonymous writers have no account
    TRY(v.acl, object_acl(in, *b, r.call));
    TRY(v.meta, meta_of(in));
    TRY(auto sealed,
        seal(*b, in.Key,
             {in.ServerSideEncryption, in.SSEKMSKeyId, in.SSEKMSEncryptionContext, in.BucketKeyEnabled, wants_customer_key(in)},
             r.call));
    v.sealing = std::move(sealed.sealing);
    return std::make_unique<ObjectUpload>(*this, b, std::move(v), std::move(sealed.data_key), std::move(condition));
  };
  add<op::PutObject>(std::move(put));

  auto on_object = [this](const auto& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, expected_owner(in), call));
    return std::vector{object_resource(*b, in.Key, in.VersionId, call)};
  };
  auto current = [](const auto& in, const Call&) { return !in.VersionId; };
  auto named = [](const auto& in, const Call&) { return in.VersionId.has_value(); };

  // The version a read is about. A delete marker is no object.
  auto find = [this](const auto& in, const BucketPtr& b) -> Result<OurVersion> {
    auto v = index_->find(*b, in.Key, in.VersionId);
    if (!v) return no_such_key(in.Key, in.VersionId);
    if (v->delete_marker) {
      auto e = in.VersionId ? Error{&kMethodNotAllowed, "The specified method is not allowed against this resource."}
                            : no_such_key(in.Key, {}).error();
      return fail(std::move(e).with("DeleteMarker", "true").with("VersionId", v->version_id));
    }
    return std::move(*v);
  };

  access::Row<op::GetObject> get{.needs = {{.action = "s3:GetObject", .resources = on_object, .when = current},
               {.action = "s3:GetObjectVersion", .resources = on_object, .when = named}}};
  get.read_only = get.data_event = true;
  get.handler = [this, find](const Allowed<GetObjectRequest>& r) -> Result<GetObjectOutput> {
    auto& in = r.input;
    if (wants_customer_key(in)) return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    TRY(auto v, find(in, b));
    TRY_VOID(check_conditions(in, v));
    TRY(auto range, in.PartNumber ? part_range(*in.PartNumber, v) : parse_range(in.Range, v.size));
    GetObjectOutput out;
    describe(*b, v, out);
    if (in.ResponseCacheControl) out.CacheControl = in.ResponseCacheControl;
    if (in.ResponseContentDisposition) out.ContentDisposition = in.ResponseContentDisposition;
    if (in.ResponseContentEncoding) out.ContentEncoding = in.ResponseContentEncoding;
    if (in.ResponseContentLanguage) out.ContentLanguage = in.ResponseContentLanguage;
    if (in.ResponseContentType) out.ContentType = in.ResponseContentType;
    if (in.ResponseExpires) out.Expires = http_date(*in.ResponseExpires);
    bool response_headers = in.ResponseCacheControl || in.ResponseContentDisposition || in.ResponseContentEncoding ||
                            in.ResponseContentLanguage || in.ResponseContentType || in.ResponseExpires;
    if (response_headers && r.call.caller->type == policy::PrincipalType::anonymous)
      return fail(kInvalidRequest, "Request specific response headers cannot be used for anonymous GET requests.");
    if (range.partial && v.size > 0) out.ContentRange = content_range(range, v.size);
    if (in.PartNumber && v.etag.find('-') != v.etag.npos) out.PartsCount = int64_t(v.blobs.size());
    out.ContentLength = int64_t(range.length);
    if (in.ChecksumMode && !range.partial) set_checksum(v, out);
    TRY(auto body, read(*b, v, range.from, range.length, r.call));
    out.Body = std::move(body);
    return out;
  };
  add<op::GetObject>(std::move(get));

  access::Row<op::HeadObject> head{.needs = {{.action = "s3:GetObject", .resources = on_object, .when = current},
                {.action = "s3:GetObjectVersion", .resources = on_object, .when = named}}};
  head.read_only = head.data_event = true;
  head.handler = [this, find](const Allowed<HeadObjectRequest>& r) -> Result<HeadObjectOutput> {
    auto& in = r.input;
    if (wants_customer_key(in)) return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    TRY(auto v, find(in, b));
    TRY_VOID(check_conditions(in, v));
    TRY(auto range, in.PartNumber ? part_range(*in.PartNumber, v) : parse_range(in.Range, v.size));
    HeadObjectOutput out;
    describe(*b, v, out);
    if (range.partial && v.size > 0) out.ContentRange = content_range(range, v.size);
    if (in.PartNumber && v.etag.find('-') != v.etag.npos) out.PartsCount = int64_t(v.blobs.size());
    out.ContentLength = int64_t(range.length);
    if (in.ChecksumMode && !range.partial) set_checksum(v, out);
    return out;
  };
  add<op::HeadObject>(std::move(head));

  access::Row<op::GetObjectAttributes> attributes{.needs = {{.action = "s3:GetObject", .resources = on_object, .when = current},
                      {.action = "s3:GetObjectAttributes", .resources = on_object, .when = current},
                      {.action = "s3:GetObjectVersion", .resources = on_object, .when = named},
                      {.action = "s3:GetObjectVersionAttributes", .resources = on_object, .when = named}}};
  attributes.read_only = attributes.data_event = true;
  attributes.handler = [this, find](const Allowed<GetObjectAttributesRequest>& r) -> Result<GetObjectAttributesOutput> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    TRY(auto v, find(in, b));
    auto asked = [&](std::string_view what) {
      return std::find(in.ObjectAttributes.begin(), in.ObjectAttributes.end(), what) != in.ObjectAttributes.end();
    };
    GetObjectAttributesOutput out;
    out.LastModified = v.modified;
    out.VersionId = shown_version(*b, v.version_id);
    if (asked("ETag")) out.ETag = v.etag;
    if (asked("ObjectSize")) out.ObjectSize = int64_t(v.size);
    if (asked("StorageClass")) out.StorageClass = v.meta.storage_class;
    if (asked("Checksum") && !v.checksum.empty()) {
      api::s3::Checksum sum;
      set_checksum(v, sum);
      out.Checksum = std::move(sum);
    }
    if (asked("ObjectParts") && v.etag.find('-') != v.etag.npos) {
      GetObjectAttributesParts parts;
      parts.TotalPartsCount = int64_t(v.blobs.size());
      out.ObjectParts = std::move(parts);
    }
    return out;
  };
  add<op::GetObjectAttributes>(std::move(attributes));

  // Deleting what isn't there succeeds; the tags of what is there may decide.
  auto on_deleted = [this](const Bucket& b, const std::string& key, const std::optional<std::string>& version_id,
                           const Call& call) {
    auto r = object_resource(b, key, version_id, call);
    r.missing.reset();
    r.hidden.reset();
    r.account = b.account;  // whoever owns the object, deleting is the bucket's owner's to allow
    r.policy = effective_policy(b, call);
    return r;
  };
  auto on_one = [this, on_deleted](const DeleteObjectRequest& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    return std::vector{on_deleted(*b, in.Key, in.VersionId, call)};
  };
  access::Row<op::DeleteObject> remove{.needs = {{.action = "s3:DeleteObject", .resources = on_one, .when = current},
                  {.action = "s3:DeleteObjectVersion", .resources = on_one, .when = named}}};
  remove.data_event = true;
  remove.handler = [this](const Allowed<DeleteObjectRequest>& r) -> Result<DeleteObjectOutput> {
    auto& in = r.input;
    if (in.IfMatchLastModifiedTime || in.IfMatchSize) return fail(not_built("A delete's condition on size or time"));
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    TRY(auto gone, index_->remove(*b, in.Key, in.VersionId, clock_.now(), b->account,
                                  in.IfMatch ? std::optional(unquoted(*in.IfMatch)) : std::nullopt));
    DeleteObjectOutput out;
    if (gone.marker_made || gone.was_marker) out.DeleteMarker = true;
    if (!gone.version_id.empty()) out.VersionId = shown_version(*b, gone.version_id);
    return out;
  };
  add<op::DeleteObject>(std::move(remove));

  // Each key is decided for itself: a denial is that key's Error in the answer. The call needs nothing beyond a bucket that
  // exists.
  access::Row<op::DeleteObjects> remove_many{
      .needs = access::NoNeed{"every key is decided by itself in the handler, through Gate::call<DeleteObject>"}};
  remove_many.data_event = true;
  remove_many.handler = [this](const Allowed<DeleteObjectsRequest>& r) -> Result<DeleteObjectsOutput> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    if (in.Delete.Objects.empty() || in.Delete.Objects.size() > 1000)
      return fail(kMalformedXml, "The XML you provided was not well-formed or did not validate against our published schema");
    std::vector<DeletedObject> deleted;
    std::vector<api::s3::Error> errors;
    for (auto& o : in.Delete.Objects) {
      DeleteObjectRequest one{.Bucket = in.Bucket, .Key = o.Key};
      one.VersionId = o.VersionId;
      if (o.ETag) one.IfMatch = o.ETag;
      one.IfMatchSize = o.Size;
      one.IfMatchLastModifiedTime = o.LastModifiedTime;
      auto gone = gate_->call<op::DeleteObject>(r.call, one);
      if (!gone) {
        api::s3::Error e;
        e.Key = o.Key;
        e.VersionId = o.VersionId;
        e.Code = std::string(gone.error().kind->code);
        e.Message = gone.error().message;
        errors.push_back(std::move(e));
        continue;
      }
      if (in.Delete.Quiet.value_or(false)) continue;
      DeletedObject d;
      d.Key = o.Key;
      d.VersionId = o.VersionId;
      if (gone->DeleteMarker.value_or(false)) {
        d.DeleteMarker = true;
        d.DeleteMarkerVersionId = gone->VersionId;
      }
      deleted.push_back(std::move(d));
    }
    DeleteObjectsOutput out;
    if (!deleted.empty()) out.Deleted = std::move(deleted);
    if (!errors.empty()) out.Errors = std::move(errors);
    return out;
  };
  add<op::DeleteObjects>(std::move(remove_many));

  access::Row<op::GetObjectTagging> get_tags{.needs = {{.action = "s3:GetObjectTagging", .resources = on_object, .when = current},
                    {.action = "s3:GetObjectVersionTagging", .resources = on_object, .when = named}}};
  get_tags.read_only = get_tags.data_event = true;
  get_tags.handler = [this, find](const Allowed<GetObjectTaggingRequest>& r) -> Result<GetObjectTaggingOutput> {
    TRY(auto b, bucket_for(r.input.Bucket, r.input.ExpectedBucketOwner, r.call));
    TRY(auto v, find(r.input, b));
    GetObjectTaggingOutput out;
    out.VersionId = shown_version(*b, v.version_id);
    for (auto& [k, value] : v.meta.tags) out.TagSet.push_back({.Key = k, .Value = value});
    return out;
  };
  add<op::GetObjectTagging>(std::move(get_tags));

  auto tag_context = [](const PutObjectTaggingRequest& in, const Call&, policy::Context& c) {
    if (auto tags = check_tags(in.Tagging.TagSet, 10)) set_request_tags(*tags, c);
  };
  access::Row<op::PutObjectTagging> put_tags{.needs = {{.action = "s3:PutObjectTagging", .resources = on_object, .context = tag_context, .when = current},
                    {.action = "s3:PutObjectVersionTagging", .resources = on_object, .context = tag_context, .when = named}}};
  put_tags.data_event = true;
  put_tags.handler = [this, find](const Allowed<PutObjectTaggingRequest>& r) -> Result<PutObjectTaggingOutput> {
    TRY(auto b, bucket_for(r.input.Bucket, r.input.ExpectedBucketOwner, r.call));
    TRY(auto tags, check_tags(r.input.Tagging.TagSet, 10));
    TRY(auto v, find(r.input, b));
    TRY_VOID(index_->change(*b, v, [&](OurVersion& x) { x.meta.tags = tags; }));
    PutObjectTaggingOutput out;
    out.VersionId = shown_version(*b, v.version_id);
    return out;
  };
  add<op::PutObjectTagging>(std::move(put_tags));

  access::Row<op::DeleteObjectTagging> delete_tags{.needs = {{.action = "s3:DeleteObjectTagging", .resources = on_object, .when = current},
                       {.action = "s3:DeleteObjectVersionTagging", .resources = on_object, .when = named}}};
  delete_tags.data_event = true;
  delete_tags.handler = [this, find](const Allowed<DeleteObjectTaggingRequest>& r) -> Result<DeleteObjectTaggingOutput> {
    TRY(auto b, bucket_for(r.input.Bucket, r.input.ExpectedBucketOwner, r.call));
    TRY(auto v, find(r.input, b));
    TRY_VOID(index_->change(*b, v, [&](OurVersion& x) { x.meta.tags.clear(); }));
    DeleteObjectTaggingOutput out;
    out.VersionId = shown_version(*b, v.version_id);
    return out;
  };
  add<op::DeleteObjectTagging>(std::move(delete_tags));
}

}  // namespace redoubt::objects
