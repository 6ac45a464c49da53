/// ListParts and ListMultipartUploads.
#include "objects/multipart.h"

namespace redoubt::objects {

using namespace api::s3;

namespace {

Owner owner_of(access::Directory& directory, const std::string& account) {
  Owner o;
  o.ID = directory.canonical_id(account);
  return o;
}
Initiator initiator_of(const std::string& arn) {
  Initiator i;
  i.ID = arn;
  return i;
}
size_t page_size(const std::optional<int64_t>& asked) { return size_t(std::clamp<int64_t>(asked.value_or(1000), 0, 1000)); }

}  // namespace

void Objects::declare_multipart_listings() {
  access::Row<op::ListParts> list_parts{
      .needs = {{.action = "s3:ListMultipartUploadParts",
                 .resources = [this](const ListPartsRequest& in, const Call& call) -> Resources {
                   TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
                   return only(key_resource(b, in.Key, call));
                 }}}};
  list_parts.read_only = list_parts.data_event = true;
  list_parts.handler = [this](const Allowed<ListPartsRequest>& r) -> Result<ListPartsOutput> {
    auto& in = r.input;
    TRY(auto u, find_upload(*index_, *r.found<Bucket>(), in.Key, in.UploadId));
    TRY_VOID(check_page(in.MaxParts, "max-parts"));
    TRY_VOID(check_page(in.PartNumberMarker, "part-number-marker"));
    size_t max = page_size(in.MaxParts);
    ListPartsOutput out;
    out.Bucket = in.Bucket;
    out.Key = in.Key;
    out.UploadId = in.UploadId;
    out.MaxParts = int64_t(max);
    out.PartNumberMarker = in.PartNumberMarker.value_or(0);
    out.NextPartNumberMarker = 0;
    out.IsTruncated = false;
    out.StorageClass = u.meta.storage_class;
    out.Owner = owner_of(gate_->directory(), u.owner);
    out.Initiator = initiator_of(u.initiator);
    if (!u.checksum_implied) {
      out.ChecksumAlgorithm = u.checksum_algorithm;
      out.ChecksumType = u.checksum_type;
    }
    TRY(auto have, index_->parts(u));
    std::vector<Part> parts;
    for (auto& p : have) {
      if (p.number <= *out.PartNumberMarker) continue;
      if (parts.size() == max) {
        out.IsTruncated = max > 0;
        break;
      }
      Part s;
      s.PartNumber = p.number;
      s.LastModified = p.modified;
      s.ETag = quoted(p.etag);
      s.Size = int64_t(p.blob.size);
      if (!u.checksum_implied) set_checksum_value(u.checksum_algorithm, p.checksum, s);
      out.NextPartNumberMarker = p.number;
      parts.push_back(std::move(s));
    }
    if (!parts.empty()) out.Parts = std::move(parts);
    return out;
  };
  add<op::ListParts>(std::move(list_parts));

  bucket_row<op::ListMultipartUploads>(
      "s3:ListBucketMultipartUploads",
      [this](const Allowed<ListMultipartUploadsRequest>& r, const BucketPtr& b) -> Result<ListMultipartUploadsOutput> {
        auto& in = r.input;
        if (in.EncodingType && *in.EncodingType != "url")
          return fail(
              Error{&kInvalidArgument, "Invalid Encoding Method specified in Request"}.with("ArgumentName", "encoding-type"));
        auto encoded = [&](const std::string& s) { return in.EncodingType ? url_encode(s, true) : s; };
        TRY_VOID(check_page(in.MaxUploads, "max-uploads"));
        size_t max = page_size(in.MaxUploads);
        UploadListOptions options{.prefix = in.Prefix.value_or(""),
                                  .delimiter = in.Delimiter.value_or(""),
                                  .after = in.KeyMarker.value_or(""),
                                  .after_id = in.UploadIdMarker.value_or(""),
                                  .max = max};
        TRY(auto found, index_->uploads(*b, options));
        ListMultipartUploadsOutput out;
        out.Bucket = in.Bucket;
        out.Prefix = encoded(options.prefix);
        out.KeyMarker = encoded(options.after);
        out.UploadIdMarker = options.after_id;
        if (!options.delimiter.empty()) out.Delimiter = encoded(options.delimiter);
        out.MaxUploads = int64_t(max);
        out.EncodingType = in.EncodingType;
        out.IsTruncated = found.truncated;
        if (found.truncated) {
          auto& last = found.entries.back();
          out.NextKeyMarker = encoded(last.is_prefix ? last.prefix : last.upload.key);
          out.NextUploadIdMarker = last.upload.id;
        }
        std::vector<MultipartUpload> uploads;
        std::vector<CommonPrefix> prefixes;
        for (auto& e : found.entries) {
          auto& u = e.upload;
          if (e.is_prefix) {
            prefixes.push_back({.Prefix = encoded(e.prefix)});
            continue;
          }
          MultipartUpload s;
          s.UploadId = u.id;
          s.Key = encoded(u.key);
          s.Initiated = u.initiated;
          s.StorageClass = u.meta.storage_class;
          s.Owner = owner_of(gate_->directory(), u.owner);
          s.Initiator = initiator_of(u.initiator);
          if (!u.checksum_implied) {
            s.ChecksumAlgorithm = u.checksum_algorithm;
            s.ChecksumType = u.checksum_type;
          }
          uploads.push_back(std::move(s));
        }
        if (!uploads.empty()) out.Uploads = std::move(uploads);
        if (!prefixes.empty()) out.CommonPrefixes = std::move(prefixes);
        return out;
      },
      true);
}

}  // namespace redoubt::objects
