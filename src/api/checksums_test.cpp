#include "api/checksums.h"

#include <gtest/gtest.h>

#include "api/errors.h"
#include "api/s3.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

constexpr std::string_view kNine = "123456789";  // the check input of every CRC catalogue

TEST(Checksums, KnownValues) {
  EXPECT_EQ(checksum(ChecksumAlgorithm::crc32, kNine), base64(*unhex("cbf43926")));
  EXPECT_EQ(checksum(ChecksumAlgorithm::crc32c, kNine), base64(*unhex("e3069283")));
  EXPECT_EQ(checksum(ChecksumAlgorithm::crc64nvme, kNine), base64(*unhex("ae8b14860a799888")));
  EXPECT_EQ(checksum(ChecksumAlgorithm::sha1, kNine), base64(*unhex("f7c3bc1d808e04732adf679965ccc34ca7ae3441")));
  EXPECT_EQ(checksum(ChecksumAlgorithm::sha256, ""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST(Checksums, FullObjectFromParts) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += char(i * 7 + i / 300);
  for (auto a : {ChecksumAlgorithm::crc32, ChecksumAlgorithm::crc32c, ChecksumAlgorithm::crc64nvme})
    for (size_t cut : {size_t(0), size_t(1), size_t(333), size_t(65536), text.size()}) {
      std::string_view left = std::string_view(text).substr(0, cut), right = std::string_view(text).substr(cut);
      EXPECT_EQ(full_object_checksum(a, {{checksum(a, left), left.size()}, {checksum(a, right), right.size()}}),
                checksum(a, text))
          << name(a) << cut;
    }
  EXPECT_FALSE(full_object_checksum(ChecksumAlgorithm::sha256, {}));
}

TEST(Checksums, Composite) {
  std::string one = checksum(ChecksumAlgorithm::sha256, "a"), two = checksum(ChecksumAlgorithm::sha256, "b");
  EXPECT_EQ(composite_checksum(ChecksumAlgorithm::sha256, {one, two}),
            checksum(ChecksumAlgorithm::sha256, *unbase64(one) + *unbase64(two)) + "-2");
  EXPECT_FALSE(composite_checksum(ChecksumAlgorithm::sha256, {"AAAA"}));
}

std::string outcome(std::vector<std::pair<std::string, std::string>> headers, std::string_view body,
                    std::vector<std::pair<std::string, std::string>> trailers = {},
                    const OperationShape& op = s3::op::PutObject::shape()) {
  RequestHead head;
  for (auto& [n, v] : headers) head.headers.add(n, v);
  auto checks = BodyChecks::from(head, op);
  if (!checks) return std::string(checks.error().kind->code);
  checks->update(body.substr(0, body.size() / 2));
  checks->update(body.substr(body.size() / 2));
  auto ok = checks->finish(trailers);
  return ok ? "ok" : std::string(ok.error().kind->code);
}

TEST(BodyChecks, EachPromiseIsKept) {
  std::string md5 = base64(crypto::md5("hello")), sha = hex(crypto::sha256("hello")),
              crc = checksum(ChecksumAlgorithm::crc64nvme, "hello");
  EXPECT_EQ(outcome({}, "hello"), "ok");
  EXPECT_EQ(outcome({{"Content-MD5", md5}, {"x-amz-content-sha256", sha}, {"x-amz-checksum-crc64nvme", crc}}, "hello"), "ok");
  EXPECT_EQ(outcome({{"Content-MD5", md5}}, "hellO"), "BadDigest");
  EXPECT_EQ(outcome({{"Content-MD5", "xyz"}}, "hello"), "InvalidDigest");
  EXPECT_EQ(outcome({{"x-amz-content-sha256", sha}}, "hellO"), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(outcome({{"x-amz-checksum-crc64nvme", crc}}, "hellO"), "BadDigest");
  EXPECT_EQ(outcome({{"x-amz-checksum-crc32", crc}}, "hello"), "InvalidRequest");
  EXPECT_EQ(outcome({{"x-amz-checksum-xxhash64", crc}}, "hello"), "InvalidRequest");
  EXPECT_EQ(outcome({{"x-amz-checksum-crc64nvme", crc}, {"x-amz-checksum-sha1", crc}}, "hello"), "InvalidRequest");
  EXPECT_EQ(outcome({{"x-amz-sdk-checksum-algorithm", "CRC32"}}, "hello"), "InvalidRequest");
  EXPECT_EQ(outcome({{"x-amz-sdk-checksum-algorithm", "CRC32"}, {"x-amz-checksum-crc64nvme", crc}}, "hello"), "InvalidRequest");
}

TEST(BodyChecks, Trailers) {
  std::string crc = checksum(ChecksumAlgorithm::crc32, "hello");
  EXPECT_EQ(outcome({{"x-amz-trailer", "x-amz-checksum-crc32"}}, "hello", {{"x-amz-checksum-crc32", crc}}), "ok");
  EXPECT_EQ(outcome({{"x-amz-trailer", "x-amz-checksum-crc32"}}, "hellO", {{"x-amz-checksum-crc32", crc}}), "BadDigest");
  EXPECT_EQ(outcome({{"x-amz-trailer", "x-amz-checksum-crc32"}}, "hello"), "MalformedTrailerError");
  EXPECT_EQ(outcome({}, "hello", {{"x-amz-checksum-crc32", crc}}), "MalformedTrailerError");
  EXPECT_EQ(outcome({{"x-amz-trailer", "x-other"}}, "hello"), "InvalidRequest");
}

TEST(BodyChecks, AnObjectsChecksumIsNotTheRequests) {
  EXPECT_EQ(outcome({{"x-amz-checksum-crc32", "AAAAAA==-3"}}, "<x/>", {}, s3::op::CompleteMultipartUpload::shape()), "ok");
}

}  // namespace
}  // namespace redoubt::api
