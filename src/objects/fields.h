#pragma once
/// The members that many of S3's requests and answers share: metadata, encryption, checksums. Objects room only.
#include "api/checksums.h"
#include "objects/rows.h"

namespace redoubt::objects {

/// Checks what meta_of took. Errors: kMetadataTooLarge, kInvalidArgument, kInvalidStorageClass, kInvalidRedirect,
/// kNotImplemented.
Result<void> check_meta(ObjectMeta& meta);

/// Metadata of PutObject, CreateMultipartUpload and CopyObject. Errors: check_meta's and parse_tagging's.
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
  if (in.Metadata)
    for (auto& [k, v] : *in.Metadata) m.user[to_lower(k)] = v;
  if (in.Tagging) {
    TRY(m.tags, parse_tagging(*in.Tagging));
  }
  if (in.StorageClass) m.storage_class = *in.StorageClass;
  if (in.ObjectLockMode || in.ObjectLockRetainUntilDate || in.ObjectLockLegalHoldStatus) return fail(not_built("Object lock"));
  TRY_VOID(check_meta(m));
  return m;
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

/// A checksum by the member of its algorithm.
template <class Out>
void set_checksum_value(const std::string& algorithm, const std::string& value, Out& out) {
  if (value.empty()) return;
  if (algorithm == "CRC32") out.ChecksumCRC32 = value;
  if (algorithm == "CRC32C") out.ChecksumCRC32C = value;
  if (algorithm == "CRC64NVME") out.ChecksumCRC64NVME = value;
  if (algorithm == "SHA1") out.ChecksumSHA1 = value;
  if (algorithm == "SHA256") out.ChecksumSHA256 = value;
}
template <class Out>
void set_checksum(const StoredChecksum& c, Out& out) {
  set_checksum_value(c.algorithm, c.value, out);
  if constexpr (requires { out.ChecksumType; })
    if (!c.value.empty()) out.ChecksumType = c.type;
}

/// The checksum values that a request names, by algorithm.
template <class In>
std::map<std::string, std::string> named_checksums(const In& in) {
  std::map<std::string, std::string> out;
  auto take = [&](const char* algorithm, const std::optional<std::string>& value) {
    if (value) out[algorithm] = *value;
  };
  take("CRC32", in.ChecksumCRC32);
  take("CRC32C", in.ChecksumCRC32C);
  take("CRC64NVME", in.ChecksumCRC64NVME);
  take("SHA1", in.ChecksumSHA1);
  take("SHA256", in.ChecksumSHA256);
  return out;
}
/// The algorithm that a write names, by a value or by name; "" if none.
template <class In>
std::string named_algorithm(const In& in) {
  if (auto values = named_checksums(in); !values.empty()) return values.begin()->first;
  return in.ChecksumAlgorithm ? to_upper(*in.ChecksumAlgorithm) : "";
}
/// Errors: kInvalidRequest.
Result<api::ChecksumAlgorithm> parse_algorithm(const std::string& name);

/// An object's ETag: the MD5 of its bytes, but a random one where KMS protects them: an MD5 would tell who may list the bucket,
/// and not decrypt, what is in it.
class EtagMaker {
 public:
  explicit EtagMaker(const Sealing& s) {
    if (s.algorithm == "AES256") md5_.emplace(crypto::Hash::md5);
  }
  void update(std::string_view bytes) {
    if (md5_) md5_->update(bytes);
  }
  std::string finish() { return hex(md5_ ? md5_->finish() : crypto::random_bytes(16)); }

 private:
  std::optional<crypto::Hasher> md5_;
};

}  // namespace redoubt::objects
