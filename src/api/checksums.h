#pragma once
/// The checksums that S3 clients send: x-amz-checksum-{crc32,crc32c,crc64nvme,sha1,sha256} as header or trailer, and Content-MD5.
/// Source: S3 User Guide "Checking object integrity".
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http.h"
#include "api/shape.h"
#include "base/crypto.h"
#include "base/result.h"

namespace redoubt::api {

enum class ChecksumAlgorithm : uint8_t { crc32, crc32c, crc64nvme, sha1, sha256 };
std::string_view name(ChecksumAlgorithm a);                                        // "CRC64NVME", as in the API
std::string_view header_name(ChecksumAlgorithm a);                                 // "x-amz-checksum-crc64nvme"
std::optional<ChecksumAlgorithm> parse_checksum_algorithm(std::string_view name);  // case doesn't matter
size_t checksum_size(ChecksumAlgorithm a);                                         // bytes, before base64

/// One checksum, incrementally.
class Checksum {
 public:
  explicit Checksum(ChecksumAlgorithm a);
  void update(std::string_view data);
  std::string finish();  // base64 of the big-endian value; once

 private:
  ChecksumAlgorithm algorithm_;
  uint32_t crc32_ = 0;
  uint64_t crc64_ = 0;
  std::unique_ptr<crypto::Hasher> hasher_;
};
std::string checksum(ChecksumAlgorithm a, std::string_view data);

/// Of a multipart upload with checksum type COMPOSITE: the checksum of the parts' checksums (base64 each), with "-N".
/// nullopt when a part's isn't one of this algorithm.
std::optional<std::string> composite_checksum(ChecksumAlgorithm a, const std::vector<std::string>& part_checksums);
/// FULL_OBJECT of the CRCs, from the parts' checksums and lengths, without their bytes. nullopt for sha1 and sha256.
std::optional<std::string> full_object_checksum(ChecksumAlgorithm a, const std::vector<std::pair<std::string, uint64_t>>& parts);

/// Everything a request promises about its body, checked while the body passes.
///   TRY(auto checks, BodyChecks::from(head, op));  checks.update(piece)..;  TRY_VOID(checks.finish(trailers));
class BodyChecks {
 public:
  /// Errors: kInvalidDigest (Content-MD5 that isn't one), kInvalidRequest (a checksum of the wrong length, two checksums, an
  /// algorithm S3 has and we don't, x-amz-sdk-checksum-algorithm without a checksum).
  /// Where the body neither streams nor must carry a checksum (CompleteMultipartUpload), x-amz-checksum-* speaks of the object:
  /// left alone.
  static Result<BodyChecks> from(const RequestHead& head, const OperationShape& op);
  BodyChecks(BodyChecks&&) = default;
  BodyChecks& operator=(BodyChecks&&) = default;

  void update(std::string_view data);
  /// Compares. Errors: kBadDigest, kContentSha256Mismatch, kInvalidRequest (a promised trailer is missing), kMalformedTrailer.
  Result<void> finish(const std::vector<std::pair<std::string, std::string>>& trailers = {});

  /// The algorithm the client chose, if any, and after finish() its value (base64): what the object keeps.
  std::optional<ChecksumAlgorithm> algorithm() const { return algorithm_; }
  const std::string& value() const { return value_; }
  /// Some integrity header is there: operations with checksum_required ask.
  bool any() const { return algorithm_.has_value() || !md5_.empty(); }

 private:
  BodyChecks() = default;
  std::optional<ChecksumAlgorithm> algorithm_;
  std::unique_ptr<Checksum> checksum_;
  std::unique_ptr<crypto::Hasher> md5_hasher_, sha256_hasher_;
  std::string md5_, sha256_, expected_, value_;  // md5_: base64; sha256_: hex of x-amz-content-sha256
  bool in_trailer_ = false;
};

}  // namespace redoubt::api
