#include "api/chunked.h"

#include <gtest/gtest.h>

#include "api/errors.h"

namespace redoubt::api {
namespace {

// S3 API Reference, "Signature calculations for the Authorization header: transferring payload in multiple chunks", its example:
// 66,560 bytes of 'a' in chunks of 65,536 and 1,024.
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

ChunkDecoder::Options example(ChunkDecoder::Mode mode, std::string seed) {
  return {mode,
          66560,
          sigv4::signing_key(kSecret, "20130524", "us-east-1", "s3"),
          "20130524/us-east-1/s3/aws4_request",
          "20130524T000000Z",
          std::move(seed)};
}

std::string chunk(std::string size, std::string signature, size_t n) {
  return size + ";chunk-signature=" + signature + "\r\n" + std::string(n, 'a') + (n ? "\r\n" : "");
}

const std::string kSignedBody = chunk("10000", "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", 65536) +
                                chunk("400", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", 1024) +
                                chunk("0", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", 0) + "\r\n";
constexpr const char* kSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

const std::string kTrailerBody =
    chunk("10000", "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", 65536) +
    chunk("400", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", 1024) +
    chunk("0", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992", 0) +
    "x-amz-checksum-crc32c:sOO8/"
    "Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
constexpr const char* kTrailerSeed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";

struct Outcome {
  Result<void> result;
  std::string body;
  std::vector<std::pair<std::string, std::string>> trailers;
};

Outcome decode(ChunkDecoder::Options options, std::string_view wire, size_t piece) {
  Outcome out;
  ChunkDecoder decoder(std::move(options), [&](std::string_view s) -> Result<void> {
    out.body += s;
    return {};
  });
  for (size_t at = 0; at < wire.size() && out.result; at += piece) out.result = decoder.push(wire.substr(at, piece));
  if (out.result) out.result = decoder.finish();
  out.trailers = decoder.trailers();
  return out;
}

TEST(ChunkDecoder, PublishedExamplesInAnyPieces) {
  for (size_t piece : {1u, 7u, 4096u, 100000u}) {
    auto a = decode(example(ChunkDecoder::Mode::signed_chunks, kSeed), kSignedBody, piece);
    ASSERT_TRUE(a.result) << a.result.error().message;
    EXPECT_EQ(a.body, std::string(66560, 'a'));
    auto b = decode(example(ChunkDecoder::Mode::signed_chunks_trailer, kTrailerSeed), kTrailerBody, piece);
    ASSERT_TRUE(b.result) << b.result.error().message;
    ASSERT_EQ(b.trailers.size(), 1u);
    EXPECT_EQ(b.trailers[0].second, "sOO8/Q==");
  }
}

TEST(ChunkDecoder, AnyChangedByteOfASignedBodyIsRefused) {
  for (size_t at :
       {size_t(0), size_t(3), size_t(40), size_t(100), size_t(65000), kSignedBody.size() - 100, kSignedBody.size() - 10}) {
    std::string wire = kSignedBody;
    wire[at] = wire[at] == 'b' ? 'c' : 'b';
    EXPECT_FALSE(decode(example(ChunkDecoder::Mode::signed_chunks, kSeed), wire, 1000).result) << at;
  }
  std::string wire = kTrailerBody;
  wire.replace(wire.find("sOO8"), 4, "tOO8");
  EXPECT_EQ(decode(example(ChunkDecoder::Mode::signed_chunks_trailer, kTrailerSeed), wire, 1000).result.error().kind->code,
            "SignatureDoesNotMatch");
}

TEST(ChunkDecoder, EveryTruncationIsRefused) {
  for (size_t n = 0; n + 2 < kTrailerBody.size(); n += n < 200 || n > kTrailerBody.size() - 300 ? 1 : 5000) {
    auto o = decode(example(ChunkDecoder::Mode::signed_chunks_trailer, kTrailerSeed), std::string_view(kTrailerBody).substr(0, n),
                    4096);
    // All but the last blank line may be there already.
    if (n >= kTrailerBody.size() - 4) continue;
    EXPECT_FALSE(o.result) << n;
  }
}

ChunkDecoder::Options plain(uint64_t n) {
  return {.mode = ChunkDecoder::Mode::unsigned_trailer,
          .decoded_length = n,
          .signing_key = {},
          .scope = {},
          .amz_date = {},
          .seed_signature = {}};
}

TEST(ChunkDecoder, UnsignedTrailer) {
  auto ok = decode(plain(5), "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 3);
  ASSERT_TRUE(ok.result) << ok.result.error().message;
  EXPECT_EQ(ok.body, "hello");
  EXPECT_EQ(ok.trailers[0].first, "x-amz-checksum-crc32");
  EXPECT_TRUE(decode(plain(0), "0\r\n\r\n", 3).result);
}

TEST(ChunkDecoder, BadFramingIsRefused) {
  for (std::string wire : {"", "5", "5\r\nhell", "5\r\nhello\r\n", "g\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n",
                           "-5\r\nhello\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFF\r\nhello", "6\r\nhello!\r\n0\r\n\r\n",
                           "4\r\nhell\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\nmore\r\n", "5\r\nhello\r\n0\r\nnocolon\r\n\r\n",
                           "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nx-amz-trailer-signature:00\r\n\r\n"})
    EXPECT_FALSE(decode(plain(5), wire, 3).result) << wire;
  EXPECT_FALSE(decode(plain(5), std::string(100000, '5'), 1000).result);
  // Signed modes take no unsigned chunk.
  EXPECT_FALSE(decode(example(ChunkDecoder::Mode::signed_chunks, kSeed), "5\r\nhello\r\n0\r\n\r\n", 100).result);
}

}  // namespace
}  // namespace redoubt::api
