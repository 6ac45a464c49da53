#include <gtest/gtest.h>

#include "base/arn.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/ids.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/text.h"

namespace redoubt {
TEST(Text, EncodingsRoundTrip) {
  std::string bytes("\x00\xff/+a", 5);
  EXPECT_EQ(unhex(hex(bytes)), bytes);
  EXPECT_EQ(unbase64(base64(bytes)), bytes);
  EXPECT_EQ(unbase64url(base64url(bytes)), bytes);
  EXPECT_EQ(unbase64("a"), std::nullopt);
  EXPECT_EQ(unbase64("a==="), std::nullopt);
  EXPECT_EQ(unbase64("YQ=="), "a");
  EXPECT_EQ(url_encode("a b/c~é"), "a%20b%2Fc~%C3%A9");
  EXPECT_EQ(url_decode("a%20b+c", true), "a b c");
  EXPECT_EQ(url_decode("%2"), std::nullopt);
}
TEST(Json, KeepsOrderNumbersAndRefusesDuplicates) {
  auto j = Json::parse(R"({"b":1.0,"a":[true,null,"\u00e9\ud83d\ude00"]})");
  ASSERT_TRUE(j);
  EXPECT_EQ(j->dump(), "{\"b\":1.0,\"a\":[true,null,\"é😀\"]}");
  EXPECT_FALSE(Json::parse(R"({"a":1,"a":2})"));
  EXPECT_FALSE(Json::parse("[1,]"));
  EXPECT_FALSE(Json::parse("01"));
  EXPECT_FALSE(Json::parse(std::string(1000, '[')));
}
TEST(Clock, ParsesWhatItPrints) {
  Timestamp t{1764000000123456};
  EXPECT_EQ(iso8601(t), "2025-11-24T16:00:00Z");
  EXPECT_EQ(parse_iso8601("2025-11-24T18:00:00.123456+02:00"), t);
  EXPECT_EQ(parse_http_date(http_date(t))->us, t.us / 1000000 * 1000000);
  EXPECT_EQ(parse_amz_date(amz_date(t))->seconds(), t.seconds());
  EXPECT_EQ(parse_iso8601("2025-02-29"), std::nullopt);
}
TEST(Crypto, KnownAnswers) {
  EXPECT_EQ(hex(crypto::md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(crypto::crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(crypto::crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crypto::crc64nvme("123456789"), 0xAE8B14860A799888ull);
  std::string key(32, 'k'), sealed = crypto::seal(key, "secret", "aad");
  EXPECT_EQ(crypto::open(key, sealed, "aad").value(), "secret");
  EXPECT_FALSE(crypto::open(key, sealed, "other"));
  sealed.back() ^= 1;
  EXPECT_FALSE(crypto::open(key, sealed, "aad"));
}
TEST(Ip, CidrContains) {
  EXPECT_TRUE(Cidr::parse("10.0.0.0/8")->contains(*Ip::parse("10.255.1.2")));
  EXPECT_FALSE(Cidr::parse("10.0.0.0/8")->contains(*Ip::parse("11.0.0.1")));
  EXPECT_TRUE(Cidr::parse("0.0.0.0/0")->contains(*Ip::parse("1.2.3.4")));
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->contains(*Ip::parse("2001:db8::1")));
  EXPECT_EQ(Cidr::parse("10.1.2.3/8")->str(), "10.0.0.0/8");
  EXPECT_EQ(Cidr::parse("1.2.3"), std::nullopt);
  EXPECT_EQ(Cidr::parse("1.2.3.4/33"), std::nullopt);
}
TEST(Arn, ParsePrintIsIdentity) {
  auto a = Arn::parse("arn:aws:s3:::b/k:x");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->resource, "b/k:x");
  EXPECT_EQ(a->str(), "arn:aws:s3:::b/k:x");
  EXPECT_FALSE(Arn::parse("arn:aws:s3::b"));
}
TEST(Ids, Shapes) {
  EXPECT_EQ(new_iam_id("AIDA").size(), 21u);
  EXPECT_EQ(new_iam_id("AKIA").size(), 20u);
  EXPECT_EQ(new_uuid().size(), 36u);
  EXPECT_EQ(new_hex_id("sg-").size(), 20u);
}
}  // namespace redoubt
