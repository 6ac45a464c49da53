#include "api/checksums.h"

#include <algorithm>
#include <array>

#include "api/errors.h"
#include "api/sigv4.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

struct Row {
  ChecksumAlgorithm algorithm;
  std::string_view name, header;
  size_t bytes;
};
constexpr Row kRows[] = {
    {ChecksumAlgorithm::crc32, "CRC32", "x-amz-checksum-crc32", 4},
    {ChecksumAlgorithm::crc32c, "CRC32C", "x-amz-checksum-crc32c", 4},
    {ChecksumAlgorithm::crc64nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", 8},
    {ChecksumAlgorithm::sha1, "SHA1", "x-amz-checksum-sha1", 20},
    {ChecksumAlgorithm::sha256, "SHA256", "x-amz-checksum-sha256", 32},
};
const Row& row(ChecksumAlgorithm a) { return kRows[size_t(a)]; }

std::string big_endian(uint64_t v, size_t bytes) {
  std::string out(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) out[bytes - 1 - i] = char(v >> (8 * i));
  return out;
}
uint64_t from_big_endian(std::string_view s) {
  uint64_t v = 0;
  for (char c : s) v = v << 8 | uint8_t(c);
  return v;
}

/// CRC(a+b) from CRC(a), CRC(b) and b's length: multiply by x^(8*length) modulo the (reflected) polynomial, by squaring.
/// As zlib's crc32_combine, for any width.
uint64_t combine_crc(uint64_t a, uint64_t b, uint64_t length, uint64_t polynomial, int width) {
  std::array<uint64_t, 64> odd{}, even{};
  auto times = [&](const std::array<uint64_t, 64>& matrix, uint64_t vector) {
    uint64_t sum = 0;
    for (int i = 0; vector; vector >>= 1, ++i)
      if (vector & 1) sum ^= matrix[size_t(i)];
    return sum;
  };
  auto square = [&](std::array<uint64_t, 64>& out, const std::array<uint64_t, 64>& in) {
    for (int i = 0; i < width; ++i) out[size_t(i)] = times(in, in[size_t(i)]);
  };
  odd[0] = polynomial;  // one zero bit
  for (int i = 1; i < width; ++i) odd[size_t(i)] = uint64_t(1) << (i - 1);
  square(even, odd);  // two
  square(odd, even);  // four
  while (length) {
    square(even, odd);
    if (length & 1) a = times(even, a);
    length >>= 1;
    if (!length) break;
    square(odd, even);
    if (length & 1) a = times(odd, a);
    length >>= 1;
  }
  return a ^ b;
}

bool is_checksum_of(std::string_view text, const Row& r) {
  auto bytes = unbase64(text);
  return bytes && bytes->size() == r.bytes;
}

std::unexpected<Error> invalid_value(std::string_view header) {
  return fail(kInvalidRequest, "Value for " + std::string(header) + " header is invalid.");
}

}  // namespace

std::string_view name(ChecksumAlgorithm a) { return row(a).name; }
std::string_view header_name(ChecksumAlgorithm a) { return row(a).header; }
size_t checksum_size(ChecksumAlgorithm a) { return row(a).bytes; }

std::optional<ChecksumAlgorithm> parse_checksum_algorithm(std::string_view text) {
  for (auto& r : kRows)
    if (iequals(r.name, text)) return r.algorithm;
  return std::nullopt;
}

Checksum::Checksum(ChecksumAlgorithm a) : algorithm_(a) {
  if (a == ChecksumAlgorithm::sha1) hasher_ = std::make_unique<crypto::Hasher>(crypto::Hash::sha1);
  if (a == ChecksumAlgorithm::sha256) hasher_ = std::make_unique<crypto::Hasher>(crypto::Hash::sha256);
}
void Checksum::update(std::string_view data) {
  switch (algorithm_) {
    case ChecksumAlgorithm::crc32:
      crc32_ = crypto::crc32(data, crc32_);
      break;
    case ChecksumAlgorithm::crc32c:
      crc32_ = crypto::crc32c(data, crc32_);
      break;
    case ChecksumAlgorithm::crc64nvme:
      crc64_ = crypto::crc64nvme(data, crc64_);
      break;
    default:
      hasher_->update(data);
  }
}
std::string Checksum::finish() {
  if (hasher_) return base64(hasher_->finish());
  return base64(big_endian(algorithm_ == ChecksumAlgorithm::crc64nvme ? crc64_ : crc32_, row(algorithm_).bytes));
}

std::string checksum(ChecksumAlgorithm a, std::string_view data) {
  Checksum c(a);
  c.update(data);
  return c.finish();
}

std::optional<std::string> composite_checksum(ChecksumAlgorithm a, const std::vector<std::string>& parts) {
  Checksum c(a);
  for (auto& p : parts) {
    auto bytes = unbase64(p);
    if (!bytes || bytes->size() != row(a).bytes) return std::nullopt;
    c.update(*bytes);
  }
  return c.finish() + "-" + std::to_string(parts.size());
}

std::optional<std::string> full_object_checksum(ChecksumAlgorithm a, const std::vector<std::pair<std::string, uint64_t>>& parts) {
  uint64_t polynomial;
  switch (a) {
    case ChecksumAlgorithm::crc32:
      polynomial = 0xEDB88320;
      break;
    case ChecksumAlgorithm::crc32c:
      polynomial = 0x82F63B78;
      break;
    case ChecksumAlgorithm::crc64nvme:
      polynomial = 0x9A6C9329AC4BC9B5;
      break;
    default:
      return std::nullopt;
  }
  int width = int(row(a).bytes * 8);
  uint64_t crc = 0;
  for (auto& [text, length] : parts) {
    auto bytes = unbase64(text);
    if (!bytes || bytes->size() != row(a).bytes) return std::nullopt;
    crc = combine_crc(crc, from_big_endian(*bytes), length, polynomial, width);
  }
  return base64(big_endian(crc, row(a).bytes));
}

Result<BodyChecks> BodyChecks::from(const RequestHead& head, const OperationShape& op) {
  BodyChecks out;
  if (const std::string* md5 = head.headers.find("Content-MD5")) {
    auto bytes = unbase64(trim(*md5));
    if (!bytes || bytes->size() != 16) return fail(kInvalidDigest, "The Content-MD5 you specified is not valid.");
    out.md5_ = trim(*md5);
    out.md5_hasher_ = std::make_unique<crypto::Hasher>(crypto::Hash::md5);
  }
  std::string_view sha256 = head.headers.get("x-amz-content-sha256");
  if (sha256.size() == 64) {
    out.sha256_ = to_lower(sha256);
    out.sha256_hasher_ = std::make_unique<crypto::Hasher>(crypto::Hash::sha256);
  }
  if (!op.streaming_input && !op.checksum_required) return out;

  constexpr std::string_view kPrefix = "x-amz-checksum-";
  auto take = [&](std::string_view header) -> Result<const Row*> {
    if (out.algorithm_)
      return fail(kInvalidRequest, "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    for (auto& r : kRows)
      if (iequals(r.header, header)) {
        out.algorithm_ = r.algorithm;
        return &r;
      }
    return fail(kInvalidRequest,
                "The checksum algorithm " + to_upper(header.substr(kPrefix.size()).substr(0, 32)) + " is not supported.");
  };
  for (auto& [n, v] : head.headers.all()) {
    std::string header = to_lower(n);
    if (!header.starts_with(kPrefix) || header == "x-amz-checksum-algorithm" || header == "x-amz-checksum-type" ||
        header == "x-amz-checksum-mode")
      continue;
    TRY(const Row* r, take(header));
    out.expected_ = trim(v);
    if (!is_checksum_of(out.expected_, *r)) return invalid_value(r->header);
  }
  for (auto part : split(head.headers.get("x-amz-trailer"), ',')) {
    std::string header = to_lower(trim(part));
    if (!header.starts_with(kPrefix)) {
      if (header.empty()) continue;
      return fail(kInvalidRequest, "The value specified in the x-amz-trailer header is not supported");
    }
    TRY_VOID(take(header));
    out.in_trailer_ = true;
  }
  if (std::string_view wanted = head.headers.get("x-amz-sdk-checksum-algorithm"); !wanted.empty()) {
    auto algorithm = parse_checksum_algorithm(wanted);
    if (!algorithm && !iequals(wanted, "MD5"))
      return fail(kInvalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    if (!out.algorithm_ && out.md5_.empty())
      return fail(
          kInvalidRequest,
          "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.");
    if (out.algorithm_ && algorithm != out.algorithm_)
      return fail(kInvalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  if (out.algorithm_) out.checksum_ = std::make_unique<Checksum>(*out.algorithm_);
  return out;
}

void BodyChecks::update(std::string_view data) {
  if (md5_hasher_) md5_hasher_->update(data);
  if (sha256_hasher_) sha256_hasher_->update(data);
  if (checksum_) checksum_->update(data);
}

Result<void> BodyChecks::finish(const std::vector<std::pair<std::string, std::string>>& trailers) {
  if (sha256_hasher_) {
    std::string computed = hex(sha256_hasher_->finish());
    if (computed != sha256_)
      return fail(Error{&kContentSha256Mismatch, "The provided 'x-amz-content-sha256' header does not match what was computed."}
                      .with("ClientComputedContentSHA256", sha256_)
                      .with("S3ComputedContentSHA256", computed));
  }
  if (md5_hasher_ && base64(md5_hasher_->finish()) != md5_)
    return fail(kBadDigest, "The Content-MD5 you specified did not match what we received.");
  if (!checksum_) {
    if (!trailers.empty()) return fail(kMalformedTrailer, "The request has trailers that x-amz-trailer doesn't announce.");
    return {};
  }
  value_ = checksum_->finish();
  const Row& r = row(*algorithm_);
  if (in_trailer_) {
    if (trailers.size() != 1 || trailers[0].first != r.header)
      return fail(kMalformedTrailer,
                  "The request contained trailing data that was not well-formed or did not conform to our published schema.");
    expected_ = trailers[0].second;
    if (!is_checksum_of(expected_, r)) return invalid_value(std::string(r.header) + " trailing");
  } else if (!trailers.empty()) {
    return fail(kMalformedTrailer, "The request has trailers that x-amz-trailer doesn't announce.");
  }
  if (value_ != expected_)
    return fail(kBadDigest, "The " + std::string(r.name) + " you specified did not match the calculated checksum.");
  return {};
}

}  // namespace redoubt::api
