/// GetObject, HeadObject, GetObjectAttributes.
#include "objects/fields.h"
#include "objects/multipart.h"

namespace redoubt::objects {

using namespace api::s3;
using OurVersion = objects::ObjectVersion;

namespace {

std::unexpected<Error> not_satisfiable() { return fail(kInvalidPartNumber, "The requested partnumber is not satisfiable"); }

/// The part of an object that ?partNumber names. What wasn't uploaded in parts is one.
Result<Range> part_range(int64_t number, const OurVersion& v, const std::vector<Piece>& pieces) {
  if (!v.multipart()) {
    if (number == 1) return Range{0, v.size, true};
    return not_satisfiable();
  }
  uint64_t start = 0;
  for (auto& p : pieces) {
    if (p.number == number) return Range{start, p.blob.size, true};
    start += p.blob.size;
  }
  return not_satisfiable();
}

template <class In>
Result<Range> asked_range(const In& in, const OurVersion& v) {
  if (!in.PartNumber) return parse_range(in.Range, v.size);
  if (in.Range) return fail(kInvalidRequest, "Cannot specify both Range header and partNumber query parameter");
  return part_range(*in.PartNumber, v, v.pieces);
}

/// How an object is described in the headers of GET and HEAD.
template <class Out>
void describe(const Bucket& b, const OurVersion& v, const Range& range, bool part_number, Out& out) {
  out.ETag = quoted(v.etag);
  out.LastModified = v.modified;
  out.AcceptRanges = "bytes";
  out.VersionId = shown_version(b, v.version_id);
  auto header = [&](const char* name) -> std::optional<std::string> {
    auto it = v.meta.headers.find(name);
    return it == v.meta.headers.end() ? std::nullopt : std::optional(it->second);
  };
  out.CacheControl = header("CacheControl");
  out.ContentDisposition = header("ContentDisposition");
  out.ContentEncoding = header("ContentEncoding");
  out.ContentLanguage = header("ContentLanguage");
  out.ContentType = header("ContentType").value_or("binary/octet-stream");
  out.WebsiteRedirectLocation = header("WebsiteRedirectLocation");
  out.Expires = header("Expires");
  if (!v.meta.user.empty()) out.Metadata = v.meta.user;
  if (v.meta.storage_class != "STANDARD") out.StorageClass = v.meta.storage_class;
  set_sealing(v.sealing, out);
  out.ContentLength = int64_t(range.length);
  if (range.partial && range.length > 0) out.ContentRange = content_range(range, v.size);
  if (part_number && v.multipart()) out.PartsCount = int64_t(v.piece_count);
}

/// What GET and HEAD say instead of an object's own headers. Errors: kInvalidRequest.
template <class In, class Out>
Result<void> override_headers(const In& in, const Call& call, Out& out) {
  bool any = in.ResponseCacheControl || in.ResponseContentDisposition || in.ResponseContentEncoding ||
             in.ResponseContentLanguage || in.ResponseContentType || in.ResponseExpires;
  if (any && call.caller->type == policy::PrincipalType::anonymous)
    return fail(kInvalidRequest, "Request specific response headers cannot be used for anonymous GET requests.");
  if (in.ResponseCacheControl) out.CacheControl = in.ResponseCacheControl;
  if (in.ResponseContentDisposition) out.ContentDisposition = in.ResponseContentDisposition;
  if (in.ResponseContentEncoding) out.ContentEncoding = in.ResponseContentEncoding;
  if (in.ResponseContentLanguage) out.ContentLanguage = in.ResponseContentLanguage;
  if (in.ResponseContentType) out.ContentType = in.ResponseContentType;
  if (in.ResponseExpires) out.Expires = http_date(*in.ResponseExpires);
  return {};
}

/// All of the object, also as part 1 of what wasn't uploaded in parts.
bool is_whole(const Range& r, const OurVersion& v) { return !r.partial || (!v.multipart() && r.from == 0 && r.length == v.size); }

bool asks_checksum(const std::optional<std::string>& mode) { return mode && iequals(*mode, "ENABLED"); }

}  // namespace

void Objects::declare_get() {
  auto resource = [this](Want want) {
    return [this, want](const auto& in, const Call& call) -> Resources {
      if constexpr (requires { in.PartNumber; })
        if (in.PartNumber) TRY_VOID(check_part_number(*in.PartNumber));
      TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
      TRY(auto r, object_resource(b, in.Key, in.VersionId, call, want));
      return only(std::move(r));
    };
  };
  auto current = [](const auto& in, const Call&) { return !in.VersionId; };
  auto named = [](const auto& in, const Call&) { return in.VersionId.has_value(); };

  access::Row<op::GetObject> get{.needs = {{.action = "s3:GetObject", .resources = resource(Want::bytes), .when = current},
                                           {.action = "s3:GetObjectVersion", .resources = resource(Want::bytes), .when = named}}};
  get.read_only = get.data_event = true;
  get.handler = [this](const Allowed<GetObjectRequest>& r) -> Result<GetObjectOutput> {
    auto& in = r.input;
    if (wants_customer_key(in)) return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
    TRY(auto found, readable(r.found<FoundObject>()));
    auto& v = found->version;
    TRY_VOID(check_read(conditions_of(in), v.etag, v.modified, clock_.now()));
    TRY(auto range, asked_range(in, v));
    GetObjectOutput out;
    describe(*found->bucket, v, range, in.PartNumber.has_value(), out);
    TRY_VOID(override_headers(in, r.call, out));
    if (asks_checksum(in.ChecksumMode) && is_whole(range, v)) set_checksum(v.checksum, out);
    if (!v.meta.tags.empty() && may(r.call, in.VersionId ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging", *found))
      out.TagCount = int64_t(v.meta.tags.size());
    TRY(out.Body, read(*found, range.from, range.length, r.call));
    return out;
  };
  add<op::GetObject>(std::move(get));

  // Only ?partNumber asks where the parts are.
  auto head_resource = [this](const HeadObjectRequest& in, const Call& call) -> Resources {
    if (in.PartNumber) TRY_VOID(check_part_number(*in.PartNumber));
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    TRY(auto r, object_resource(b, in.Key, in.VersionId, call, in.PartNumber ? Want::bytes : Want::record));
    return only(std::move(r));
  };
  access::Row<op::HeadObject> head{.needs = {{.action = "s3:GetObject", .resources = head_resource, .when = current},
                                             {.action = "s3:GetObjectVersion", .resources = head_resource, .when = named}}};
  head.read_only = head.data_event = true;
  head.handler = [this](const Allowed<HeadObjectRequest>& r) -> Result<HeadObjectOutput> {
    auto& in = r.input;
    if (wants_customer_key(in)) return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
    TRY(auto found, readable(r.found<FoundObject>(), "HEAD"));
    auto& v = found->version;
    TRY_VOID(check_read(conditions_of(in), v.etag, v.modified, clock_.now()));
    TRY(auto range, asked_range(in, v));
    HeadObjectOutput out;
    describe(*found->bucket, v, range, in.PartNumber.has_value(), out);
    TRY_VOID(override_headers(in, r.call, out));
    if (asks_checksum(in.ChecksumMode) && is_whole(range, v) && !v.checksum.value.empty()) {
      // A checksum tells what the bytes are: it takes the right to decrypt them.
      if (v.sealing.algorithm != "AES256") TRY_VOID(unseal(*found->bucket, v.key, v.sealing, r.call));
      set_checksum(v.checksum, out);
    }
    if (!v.meta.tags.empty() && may(r.call, in.VersionId ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging", *found))
      out.TagCount = int64_t(v.meta.tags.size());
    return out;
  };
  add<op::HeadObject>(std::move(head));

  access::Row<op::GetObjectAttributes> attributes{
      .needs = {{.action = "s3:GetObject", .resources = resource(Want::bytes), .when = current},
                {.action = "s3:GetObjectAttributes", .resources = resource(Want::record), .when = current},
                {.action = "s3:GetObjectVersion", .resources = resource(Want::bytes), .when = named},
                {.action = "s3:GetObjectVersionAttributes", .resources = resource(Want::record), .when = named}}};
  attributes.read_only = attributes.data_event = true;
  attributes.handler = [this](const Allowed<GetObjectAttributesRequest>& r) -> Result<GetObjectAttributesOutput> {
    auto& in = r.input;
    if (wants_customer_key(in)) return fail(not_built("Server-side encryption with customer-provided keys (SSE-C)"));
    TRY(auto found, readable(r.found<FoundObject>()));
    auto& v = found->version;
    auto asked = [&](std::string_view what) {
      return std::find(in.ObjectAttributes.begin(), in.ObjectAttributes.end(), what) != in.ObjectAttributes.end();
    };
    bool checksum = asked("Checksum") && !v.checksum.value.empty(), parts = asked("ObjectParts") && v.multipart();
    if ((checksum || parts) && v.sealing.algorithm != "AES256") TRY_VOID(unseal(*found->bucket, v.key, v.sealing, r.call));
    GetObjectAttributesOutput out;
    out.LastModified = v.modified;
    out.VersionId = shown_version(*found->bucket, v.version_id);
    if (asked("ETag")) out.ETag = v.etag;
    if (asked("ObjectSize")) out.ObjectSize = int64_t(v.size);
    if (asked("StorageClass")) out.StorageClass = v.meta.storage_class;
    if (checksum) {
      // Here, and only here, a composite checksum is shown without its number of parts.
      auto plain = v.checksum;
      plain.value.resize(std::min(plain.value.find('-'), plain.value.size()));
      api::s3::Checksum sum;
      set_checksum(plain, sum);
      out.Checksum = std::move(sum);
    }
    if (parts) {
      TRY_VOID(check_page(in.MaxParts, "max-parts"));
      TRY_VOID(check_page(in.PartNumberMarker, "part-number-marker"));
      GetObjectAttributesParts p;
      size_t max = size_t(std::clamp<int64_t>(in.MaxParts.value_or(1000), 0, 1000));
      p.TotalPartsCount = int64_t(v.piece_count);
      p.MaxParts = int64_t(max);
      p.PartNumberMarker = in.PartNumberMarker.value_or(0);
      p.IsTruncated = false;
      std::vector<ObjectPart> shown;
      for (auto& piece : v.pieces) {
        if (piece.number <= *p.PartNumberMarker) continue;
        if (shown.size() == max) {
          p.IsTruncated = true;
          break;
        }
        ObjectPart one;
        one.PartNumber = piece.number;
        one.Size = int64_t(piece.blob.size);
        set_checksum_value(v.checksum.algorithm, piece.checksum, one);
        p.NextPartNumberMarker = piece.number;
        shown.push_back(std::move(one));
      }
      if (!shown.empty()) p.Parts = std::move(shown);
      out.ObjectParts = std::move(p);
    }
    return out;
  };
  add<op::GetObjectAttributes>(std::move(attributes));
}

}  // namespace redoubt::objects
