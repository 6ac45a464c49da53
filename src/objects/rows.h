#pragma once
/// How S3's rows are built, and small things that their handlers share; objects room only.
#include "api/shape.h"
#include "base/text.h"
#include "api/s3.h"
#include "objects/objects.h"

namespace redoubt::objects {

using redoubt::Error;  // not the model's shape of that name
using Resources = Result<std::vector<access::Resource>>;
using access::Allowed;
using access::Call;

inline std::string quoted(std::string_view etag) { return "\"" + std::string(etag) + "\""; }
inline std::string unquoted(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

/// The version id as responses carry it: absent for buckets that never had versioning.
inline std::optional<std::string> shown_version(const Bucket& b, const std::string& version_id) {
  if (b.versioning == Versioning::never) return std::nullopt;
  return version_id;
}

inline Error not_built(std::string_view what) {
  return {&kNotImplemented, std::string(what) + " is not supported by this server."};
}

template <class Op>
void Objects::add(access::Row<Op> row) {
  using In = typename Op::Input;
  row.denial = policy::DenialStyle::s3;
  row.done = [this](const In& in, const Call& call, int status, std::string_view code, uint64_t sent, uint64_t received) {
    if constexpr (requires { in.Bucket; }) {
      std::string_view key;
      if constexpr (requires { in.Key; }) key = in.Key;
      log_access(buckets_.find(in.Bucket), Op::shape().name, Op::shape().method, key, call, status, code, sent, received);
    }
  };
  gate_->add<Op>(std::move(row));
}

template <class In>
const std::optional<std::string>& expected_owner(const In& in) {
  static const std::optional<std::string> kNone;
  if constexpr (requires { in.ExpectedBucketOwner; })
    return in.ExpectedBucketOwner;
  else
    return kNone;
}

template <class Op>
void Objects::bucket_row(std::string_view action,
                         std::function<Result<typename Op::Output>(const Allowed<typename Op::Input>&, BucketPtr)> handler,
                         bool read_only) {
  using In = typename Op::Input;
  access::Row<Op> row{.needs = {{.action = action, .resources = [this](const In& in, const Call& call) -> Resources {
                  TRY(auto b, bucket_for(in.Bucket, expected_owner(in), call));
                  return std::vector{bucket_resource(*b, call)};
                }}}};
  row.read_only = read_only;
  row.handler = [this, handler](const Allowed<In>& r) -> Result<typename Op::Output> {
    TRY(auto b, bucket_for(r.input.Bucket, expected_owner(r.input), r.call));
    return handler(r, b);
  };
  add<Op>(std::move(row));
}

/// Condition keys that reflect a write's headers. Bucket defaults never show here.
template <class In>
void set_write_context(const In& in, const Call& call, policy::Context& c) {
  if constexpr (requires { in.ServerSideEncryption; }) {
    if (in.ServerSideEncryption) c.set("s3:x-amz-server-side-encryption", *in.ServerSideEncryption);
    if (in.SSEKMSKeyId) {
      auto id = *in.SSEKMSKeyId;
      if (!id.starts_with("arn:"))
        id = make_arn("kms", call.region, call.caller->account, id.starts_with("alias/") ? id : "key/" + id);
      c.set("s3:x-amz-server-side-encryption-aws-kms-key-id", id);
    }
  }
  if constexpr (requires { in.SSECustomerAlgorithm; })
    if (in.SSECustomerAlgorithm) c.set("s3:x-amz-server-side-encryption-customer-algorithm", *in.SSECustomerAlgorithm);
  if constexpr (requires { in.ACL; })
    if (in.ACL) c.set("s3:x-amz-acl", *in.ACL);
  if constexpr (requires { in.GrantRead; }) {
    if (in.GrantRead) c.set("s3:x-amz-grant-read", *in.GrantRead);
    if (in.GrantReadACP) c.set("s3:x-amz-grant-read-acp", *in.GrantReadACP);
    if (in.GrantWriteACP) c.set("s3:x-amz-grant-write-acp", *in.GrantWriteACP);
    if (in.GrantFullControl) c.set("s3:x-amz-grant-full-control", *in.GrantFullControl);
  }
  if constexpr (requires { in.StorageClass; })
    if (in.StorageClass) c.set("s3:x-amz-storage-class", *in.StorageClass);
  if constexpr (requires { in.WebsiteRedirectLocation; })
    if (in.WebsiteRedirectLocation) c.set("s3:x-amz-website-redirect-location", *in.WebsiteRedirectLocation);
  if constexpr (requires { in.IfNoneMatch; })
    if (in.IfNoneMatch) c.set("s3:if-none-match", *in.IfNoneMatch);
  if constexpr (requires { in.IfMatch; })
    if (in.IfMatch) c.set("s3:if-match", *in.IfMatch);
}

Result<void> add_header_grants(const std::string& header, const char* permission, std::vector<AclGrant>& out);
bool has_public_grant(const std::vector<AclGrant>& acl);

/// Grants named by x-amz-grant-* headers: `id="..", uri=".."`. Errors: kInvalidArgument.
template <class In>
Result<std::vector<AclGrant>> header_grants(const In& in) {
  std::vector<AclGrant> out;
  auto take = [&](const std::optional<std::string>& header, const char* permission) -> Result<void> {
    return header ? add_header_grants(*header, permission, out) : Result<void>{};
  };
  TRY_VOID(take(in.GrantFullControl, "FULL_CONTROL"));
  TRY_VOID(take(in.GrantRead, "READ"));
  TRY_VOID(take(in.GrantReadACP, "READ_ACP"));
  TRY_VOID(take(in.GrantWriteACP, "WRITE_ACP"));
  if constexpr (requires { in.GrantWrite; }) TRY_VOID(take(in.GrantWrite, "WRITE"));
  return out;
}

/// x-amz-tagging: "a=b&c=d". Errors: kInvalidArgument, kBadTagCount, kInvalidTag.
Result<std::map<std::string, std::string>> parse_tagging(const std::string& text);
Result<std::map<std::string, std::string>> check_tags(const std::vector<api::s3::Tag>& tags, size_t max);
void set_request_tags(const std::map<std::string, std::string>& tags, policy::Context& c);

/// Metadata of PutObject, CreateMultipartUpload and CopyObject. Errors: kMetadataTooLarge, kNotImplemented for what isn't built.
template <class In>
Result<ObjectMeta> meta_of(const In& in) {
  ObjectMeta m;
  auto take = [&](const char* name, const std::optional<std::string>& v) {
    if (v) m.headers[name] = *v;
  };
  take("CacheControl", in.CacheControl);
  take("ContentDisposition", in.ContentDisposition);
  take("ContentEncoding", in.ContentEncoding);
  take("ContentLanguage", in.ContentLanguage);
  take("ContentType", in.ContentType);
  take("WebsiteRedirectLocation", in.WebsiteRedirectLocation);
  take("Expires", in.Expires);
  // The client's own transfer coding is not the object's.
  if (auto it = m.headers.find("ContentEncoding"); it != m.headers.end()) {
    std::vector<std::string> kept;
    for (auto part : split(it->second, ','))
      if (auto p = trim(part); p != "aws-chunked" && !p.empty()) kept.emplace_back(p);
    if (kept.empty())
      m.headers.erase(it);
    else
      it->second = join(kept, ",");
  }
  size_t size = 0;
  if (in.Metadata)
    for (auto& [k, v] : *in.Metadata) {
      size += k.size() + v.size();
      m.user[to_lower(k)] = v;
    }
  if (size > 2048) return fail(kMetadataTooLarge, "Your metadata headers exceed the maximum allowed metadata size");
  if (in.Tagging) {
    TRY(m.tags, parse_tagging(*in.Tagging));
  }
  if (in.StorageClass) m.storage_class = *in.StorageClass;
  if (in.ObjectLockMode || in.ObjectLockRetainUntilDate || in.ObjectLockLegalHoldStatus) return fail(not_built("Object lock"));
  return m;
}

/// How an object is described in the headers of GET, HEAD and the like.
template <class Out>
void describe(const Bucket& b, const ObjectVersion& v, Out& out) {
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
  if (!v.meta.tags.empty()) out.TagCount = int64_t(v.meta.tags.size());
  if (v.meta.storage_class != "STANDARD") out.StorageClass = v.meta.storage_class;
  set_sealing(v.sealing, out);
}

template <class Out>
void set_sealing(const Sealing& s, Out& out) {
  out.ServerSideEncryption = s.algorithm;
  if (s.algorithm == "AES256") return;
  out.SSEKMSKeyId = s.kms_key;
  if (s.bucket_key) out.BucketKeyEnabled = true;
  if constexpr (requires { out.SSEKMSEncryptionContext; })
    if (!s.context.empty()) out.SSEKMSEncryptionContext = s.context;
}

template <class Out>
void set_checksum(const ObjectVersion& v, Out& out) {
  if (v.checksum.empty()) return;
  if (v.checksum_algorithm == "CRC32") out.ChecksumCRC32 = v.checksum;
  if (v.checksum_algorithm == "CRC32C") out.ChecksumCRC32C = v.checksum;
  if (v.checksum_algorithm == "CRC64NVME") out.ChecksumCRC64NVME = v.checksum;
  if (v.checksum_algorithm == "SHA1") out.ChecksumSHA1 = v.checksum;
  if (v.checksum_algorithm == "SHA256") out.ChecksumSHA256 = v.checksum;
  if constexpr (requires { out.ChecksumType; }) out.ChecksumType = v.checksum_type;
}

/// The checksum algorithm that a write names, by its value or by name; "" if none.
template <class In>
std::string checksum_algorithm(const In& in) {
  if constexpr (requires { in.ChecksumCRC32; }) {
    if (in.ChecksumCRC32) return "CRC32";
    if (in.ChecksumCRC32C) return "CRC32C";
    if (in.ChecksumCRC64NVME) return "CRC64NVME";
    if (in.ChecksumSHA1) return "SHA1";
    if (in.ChecksumSHA256) return "SHA256";
  }
  if (in.ChecksumAlgorithm) return to_upper(*in.ChecksumAlgorithm);
  return "";
}

template <class In>
bool wants_customer_key(const In& in) {
  return in.SSECustomerAlgorithm || in.SSECustomerKey || in.SSECustomerKeyMD5;
}

}  // namespace redoubt::objects
