/// ListObjects, ListObjectsV2, ListObjectVersions.
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;
using OurVersion = objects::ObjectVersion;

Result<void> check_page(const std::optional<int64_t>& n, const char* name, int64_t min, int64_t max) {
  if (!n || (*n >= min && *n <= max)) return {};
  std::string text = max == INT32_MAX && *n > max ? "Provided " + std::string(name) + " not an integer or within integer range"
                                                  : "Argument " + std::string(name) + " must be an integer between " +
                                                        std::to_string(min) + " and " + std::to_string(max);
  return fail(Error{&kInvalidArgument, std::move(text)}.with("ArgumentName", name).with("ArgumentValue", std::to_string(*n)));
}

namespace {

/// encoding-type=url: keys may hold what XML 1.0 can't.
std::string encoded(const std::string& s, const std::optional<std::string>& encoding) {
  return encoding ? url_encode(s, true) : s;
}

template <class In>
Result<void> check_encoding(const In& in) {
  if (in.EncodingType && *in.EncodingType != "url")
    return fail(Error{&kInvalidArgument, "Invalid Encoding Method specified in Request"}
                    .with("ArgumentName", "encoding-type")
                    .with("ArgumentValue", *in.EncodingType));
  return {};
}

template <class In>
Result<size_t> page_size(const In& in) {
  TRY_VOID(check_page(in.MaxKeys, "max-keys"));
  return size_t(std::min<int64_t>(in.MaxKeys.value_or(1000), 1000));
}

template <class In>
void set_list_context(const In& in, const Call&, policy::Context& c) {
  if (in.Prefix) c.set("s3:prefix", *in.Prefix);
  if (in.Delimiter) c.set("s3:delimiter", *in.Delimiter);
  if (in.MaxKeys) c.set_int("s3:max-keys", *in.MaxKeys);
}

Owner owner_of(access::Directory& directory, const std::string& account) {
  Owner o;
  o.ID = directory.canonical_id(account);
  return o;
}

Object shown(const OurVersion& v, const std::optional<std::string>& encoding) {
  Object o;
  o.Key = encoded(v.key, encoding);
  o.LastModified = v.modified;
  o.ETag = quoted(v.etag);
  o.Size = int64_t(v.size);
  o.StorageClass = v.meta.storage_class;
  if (!v.checksum.value.empty()) {
    o.ChecksumAlgorithm = std::vector{v.checksum.algorithm};
    o.ChecksumType = v.checksum.type;
  }
  return o;
}

}  // namespace

void Objects::declare_listings() {
  auto on_bucket = [this](const auto& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    return only(bucket_resource(b, call));
  };
  auto last_of = [](const ListResult& r) -> std::string {
    return r.entries.empty() ? "" : r.entries.back().is_prefix ? r.entries.back().prefix : r.entries.back().object.key;
  };

  access::Row<op::ListObjectsV2> v2{.needs = {{.action = "s3:ListBucket",
                                               .resources = on_bucket,
                                               .context = [](const ListObjectsV2Request& in, const Call& call,
                                                             policy::Context& c) { set_list_context(in, call, c); }}}};
  v2.read_only = v2.data_event = true;
  v2.handler = [this, last_of](const Allowed<ListObjectsV2Request>& r) -> Result<ListObjectsV2Output> {
    auto& in = r.input;
    TRY_VOID(check_encoding(in));
    TRY(size_t max, page_size(in));
    auto b = r.found<Bucket>();
    std::string after = in.StartAfter.value_or("");
    if (in.ContinuationToken) {
      auto token = unbase64(*in.ContinuationToken);
      if (!token || token->empty())
        return fail(
            Error{&kInvalidArgument, "The continuation token provided is incorrect"}.with("ArgumentName", "continuation-token"));
      after = *token;
    }
    TRY(auto found,
        index_->list(*b, {.prefix = in.Prefix.value_or(""), .delimiter = in.Delimiter.value_or(""), .after = after, .max = max}));
    ListObjectsV2Output out;
    out.Name = in.Bucket;
    out.Prefix = encoded(in.Prefix.value_or(""), in.EncodingType);
    if (in.Delimiter && !in.Delimiter->empty()) out.Delimiter = encoded(*in.Delimiter, in.EncodingType);
    out.MaxKeys = int64_t(max);
    out.EncodingType = in.EncodingType;
    out.KeyCount = int64_t(found.entries.size());
    out.ContinuationToken = in.ContinuationToken;
    if (in.StartAfter) out.StartAfter = encoded(*in.StartAfter, in.EncodingType);
    out.IsTruncated = found.truncated;
    if (found.truncated) out.NextContinuationToken = base64(last_of(found));
    std::vector<Object> contents;
    std::vector<CommonPrefix> prefixes;
    for (auto& e : found.entries) {
      if (e.is_prefix) {
        prefixes.push_back({.Prefix = encoded(e.prefix, in.EncodingType)});
      } else {
        contents.push_back(shown(e.object, in.EncodingType));
        if (in.FetchOwner.value_or(false)) contents.back().Owner = owner_of(gate_->directory(), e.object.owner);
      }
    }
    if (!contents.empty()) out.Contents = std::move(contents);
    if (!prefixes.empty()) out.CommonPrefixes = std::move(prefixes);
    return out;
  };
  add<op::ListObjectsV2>(std::move(v2));

  access::Row<op::ListObjects> v1{.needs = {{.action = "s3:ListBucket",
                                             .resources = on_bucket,
                                             .context = [](const ListObjectsRequest& in, const Call& call, policy::Context& c) {
                                               set_list_context(in, call, c);
                                             }}}};
  v1.read_only = v1.data_event = true;
  v1.handler = [this, last_of](const Allowed<ListObjectsRequest>& r) -> Result<ListObjectsOutput> {
    auto& in = r.input;
    TRY_VOID(check_encoding(in));
    TRY(size_t max, page_size(in));
    auto b = r.found<Bucket>();
    TRY(auto found, index_->list(*b, {.prefix = in.Prefix.value_or(""),
                                      .delimiter = in.Delimiter.value_or(""),
                                      .after = in.Marker.value_or(""),
                                      .max = max}));
    ListObjectsOutput out;
    out.Name = in.Bucket;
    out.Prefix = encoded(in.Prefix.value_or(""), in.EncodingType);
    out.Marker = encoded(in.Marker.value_or(""), in.EncodingType);
    if (in.Delimiter && !in.Delimiter->empty()) out.Delimiter = encoded(*in.Delimiter, in.EncodingType);
    out.MaxKeys = int64_t(max);
    out.EncodingType = in.EncodingType;
    out.IsTruncated = found.truncated;
    // AWS gives NextMarker only with a delimiter; without, clients go on from the last key.
    if (found.truncated && out.Delimiter) out.NextMarker = encoded(last_of(found), in.EncodingType);
    std::vector<Object> contents;
    std::vector<CommonPrefix> prefixes;
    for (auto& e : found.entries) {
      if (e.is_prefix) {
        prefixes.push_back({.Prefix = encoded(e.prefix, in.EncodingType)});
      } else {
        contents.push_back(shown(e.object, in.EncodingType));
        contents.back().Owner = owner_of(gate_->directory(), e.object.owner);
      }
    }
    if (!contents.empty()) out.Contents = std::move(contents);
    if (!prefixes.empty()) out.CommonPrefixes = std::move(prefixes);
    return out;
  };
  add<op::ListObjects>(std::move(v1));

  access::Row<op::ListObjectVersions> versions{.needs = {{.action = "s3:ListBucketVersions",
                                                          .resources = on_bucket,
                                                          .context = [](const ListObjectVersionsRequest& in, const Call& call,
                                                                        policy::Context& c) { set_list_context(in, call, c); }}}};
  versions.read_only = versions.data_event = true;
  versions.handler = [this](const Allowed<ListObjectVersionsRequest>& r) -> Result<ListObjectVersionsOutput> {
    auto& in = r.input;
    TRY_VOID(check_encoding(in));
    TRY(size_t max, page_size(in));
    auto b = r.found<Bucket>();
    if (in.VersionIdMarker && !in.VersionIdMarker->empty()) {
      auto invalid = [&](const char* why) {
        return fail(
            Error{&kInvalidArgument, why}.with("ArgumentName", "version-id-marker").with("ArgumentValue", *in.VersionIdMarker));
      };
      if (in.KeyMarker.value_or("").empty()) return invalid("A version-id marker cannot be specified without a key marker.");
      if (!is_version_id(*in.VersionIdMarker)) return invalid("Invalid version id specified");
    }
    TRY(auto found, index_->list(*b, {.prefix = in.Prefix.value_or(""),
                                      .delimiter = in.Delimiter.value_or(""),
                                      .after = in.KeyMarker.value_or(""),
                                      .after_version = in.VersionIdMarker.value_or(""),
                                      .max = max,
                                      .versions = true}));
    ListObjectVersionsOutput out;
    out.Name = in.Bucket;
    out.Prefix = encoded(in.Prefix.value_or(""), in.EncodingType);
    out.KeyMarker = encoded(in.KeyMarker.value_or(""), in.EncodingType);
    out.VersionIdMarker = in.VersionIdMarker.value_or("");
    if (in.Delimiter && !in.Delimiter->empty()) out.Delimiter = encoded(*in.Delimiter, in.EncodingType);
    out.MaxKeys = int64_t(max);
    out.EncodingType = in.EncodingType;
    out.IsTruncated = found.truncated;
    if (found.truncated && !found.entries.empty()) {
      auto& last = found.entries.back();
      out.NextKeyMarker = encoded(last.is_prefix ? last.prefix : last.object.key, in.EncodingType);
      if (!last.is_prefix) out.NextVersionIdMarker = last.object.version_id;
    }
    std::vector<api::s3::ObjectVersion> shown_versions;
    std::vector<DeleteMarkerEntry> markers;
    std::vector<CommonPrefix> prefixes;
    for (auto& e : found.entries) {
      auto& v = e.object;
      if (e.is_prefix) {
        prefixes.push_back({.Prefix = encoded(e.prefix, in.EncodingType)});
      } else if (v.delete_marker) {
        DeleteMarkerEntry m;
        m.Owner = owner_of(gate_->directory(), v.owner);
        m.Key = encoded(v.key, in.EncodingType);
        m.VersionId = v.version_id;
        m.IsLatest = e.latest;
        m.LastModified = v.modified;
        markers.push_back(std::move(m));
      } else {
        api::s3::ObjectVersion s;
        s.ETag = quoted(v.etag);
        s.Size = int64_t(v.size);
        s.StorageClass = v.meta.storage_class;
        s.Key = encoded(v.key, in.EncodingType);
        s.VersionId = v.version_id;
        s.IsLatest = e.latest;
        s.LastModified = v.modified;
        s.Owner = owner_of(gate_->directory(), v.owner);
        if (!v.checksum.value.empty()) {
          s.ChecksumAlgorithm = std::vector{v.checksum.algorithm};
          s.ChecksumType = v.checksum.type;
        }
        shown_versions.push_back(std::move(s));
      }
    }
    if (!shown_versions.empty()) out.Versions = std::move(shown_versions);
    if (!markers.empty()) out.DeleteMarkers = std::move(markers);
    if (!prefixes.empty()) out.CommonPrefixes = std::move(prefixes);
    return out;
  };
  add<op::ListObjectVersions>(std::move(versions));
}

}  // namespace redoubt::objects
