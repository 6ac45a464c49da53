#include "api/sigv4.h"

#include <gtest/gtest.h>

#include "api/codec.h"
#include "api/errors.h"
#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::api::sigv4 {
namespace {

RequestHead head(std::string method, std::string target, std::vector<std::pair<std::string, std::string>> fields) {
  RequestHead h;
  h.method = std::move(method);
  h.target = std::move(target);
  for (auto& [n, v] : fields) h.headers.add(n, v);
  return h;
}

std::string authorization(std::string_view key, std::string_view scope, std::string_view headers, std::string_view signature) {
  return "AWS4-HMAC-SHA256 Credential=" + std::string(key) + "/" + std::string(scope) +
         ", SignedHeaders=" + std::string(headers) + ", Signature=" + std::string(signature);
}

Result<void> check(const RequestHead& h, std::string_view secret, std::string_view payload, std::optional<Timestamp> now = {}) {
  TRY(Credential c, parse_credential(h));
  return verify(h, c, secret, payload, now.value_or(c.signed_at));
}

// AWS's Signature Version 4 test suite.
constexpr std::string_view kSuiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
RequestHead suite(std::string method, std::string target, std::string signature,
                  std::vector<std::pair<std::string, std::string>> more = {}, std::string signed_headers = "host;x-amz-date") {
  auto h = head(std::move(method), std::move(target), {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}});
  for (auto& [n, v] : more) h.headers.add(n, v);
  h.headers.add("Authorization",
                authorization("AKIDEXAMPLE", "20150830/us-east-1/service/aws4_request", signed_headers, signature));
  return h;
}

TEST(SigV4, PublishedSuite) {
  EXPECT_TRUE(
      check(suite("GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"), kSuiteSecret, kEmptySha256));
  EXPECT_TRUE(
      check(suite("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"), kSuiteSecret, kEmptySha256));
  EXPECT_TRUE(
      check(suite("GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
            kSuiteSecret, kEmptySha256));
  EXPECT_TRUE(check(suite("GET", "/", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
                          {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}, "host;my-header1;my-header2;x-amz-date"),
                    kSuiteSecret, kEmptySha256));
  // Paths are normalised: the signature of "/".
  for (auto path : {"//", "/./", "/example/..", "/example1/example2/../.."})
    EXPECT_TRUE(
        check(suite("GET", path, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"), kSuiteSecret, kEmptySha256))
        << path;
}

// S3 API Reference, "Examples: Signature calculations".
constexpr std::string_view kS3Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kS3Scope = "20130524/us-east-1/s3/aws4_request";

TEST(SigV4, S3Examples) {
  auto get = [](std::string target, std::string signature, std::vector<std::pair<std::string, std::string>> more,
                std::string names) {
    auto h = head("GET", std::move(target),
                  {{"Host", "examplebucket.s3.amazonaws.com"},
                   {"x-amz-date", "20130524T000000Z"},
                   {"x-amz-content-sha256", std::string(kEmptySha256)}});
    for (auto& [n, v] : more) h.headers.add(n, v);
    h.headers.add("Authorization", authorization("AKIAIOSFODNN7EXAMPLE", kS3Scope, names, signature));
    return check(h, kS3Secret, kEmptySha256);
  };
  EXPECT_TRUE(get("/test.txt", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", {{"Range", "bytes=0-9"}},
                  "host;range;x-amz-content-sha256;x-amz-date"));
  EXPECT_TRUE(get("/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", {},
                  "host;x-amz-content-sha256;x-amz-date"));
  EXPECT_TRUE(get("/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", {},
                  "host;x-amz-content-sha256;x-amz-date"));

  std::string hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
  auto put = head("PUT", "/test$file.text",
                  {{"Host", "examplebucket.s3.amazonaws.com"},
                   {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                   {"x-amz-date", "20130524T000000Z"},
                   {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                   {"x-amz-content-sha256", hash}});
  put.headers.add("Authorization",
                  authorization("AKIAIOSFODNN7EXAMPLE", kS3Scope, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
  EXPECT_TRUE(check(put, kS3Secret, hash));
}

const std::string kPresigned =
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&"
    "X-Amz-Date=20130524T000000Z"
    "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

TEST(SigV4, PresignedUrl) {
  auto h = head("GET", kPresigned, {{"Host", "examplebucket.s3.amazonaws.com"}});
  auto c = parse_credential(h);
  ASSERT_TRUE(c);
  EXPECT_TRUE(c->presigned);
  EXPECT_EQ(*payload_hash_to_sign(h, *c), std::string(kUnsignedPayload));
  EXPECT_TRUE(verify(h, *c, kS3Secret, kUnsignedPayload, c->signed_at.plus_seconds(86400)));
  auto late = verify(h, *c, kS3Secret, kUnsignedPayload, c->signed_at.plus_seconds(86401));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message, "Request has expired");
  EXPECT_EQ(late.error().get("ServerTime"), "2013-05-25T00:00:01Z");
  auto early = verify(h, *c, kS3Secret, kUnsignedPayload, c->signed_at.plus_seconds(-901));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().message, "Request is not yet valid");
}

TEST(SigV4, PresignedParametersAreChecked) {
  auto refused = [](std::string from, std::string to) {
    std::string target = kPresigned;
    target.replace(target.find(from), from.size(), to);
    auto c = parse_credential(head("GET", target, {{"Host", "h"}}));
    return c ? std::string("accepted") : c.error().message;
  };
  EXPECT_EQ(
      refused("Expires=86400", "Expires=604801"),
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds");
  EXPECT_EQ(refused("Expires=86400", "Expires=0"), "X-Amz-Expires must be non-negative");
  EXPECT_EQ(refused("Expires=86400", "Expires=-1"), "X-Amz-Expires must be non-negative");
  EXPECT_EQ(refused("Expires=86400", "Expires=x"), "X-Amz-Expires should be a number");
  EXPECT_EQ(refused("AWS4-HMAC-SHA256", "none"), "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  EXPECT_NE(refused("&X-Amz-Expires=86400", ""), "accepted");
  EXPECT_NE(refused("&X-Amz-Expires=86400", "&X-Amz-Expires=86400&X-Amz-Expires=1"), "accepted");
  EXPECT_NE(refused("%2Faws4_request", ""), "accepted");
  EXPECT_EQ(refused("Expires=86400", "Expires=604800"), "accepted");
}

TEST(SigV4, Skew) {
  auto h = suite("GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  auto at = parse_credential(h)->signed_at;
  EXPECT_TRUE(check(h, kSuiteSecret, kEmptySha256, at.plus_seconds(900)));
  EXPECT_TRUE(check(h, kSuiteSecret, kEmptySha256, at.plus_seconds(-900)));
  auto late = check(h, kSuiteSecret, kEmptySha256, at.plus_seconds(1000));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123740Z (20150830T125240Z - 15 min.)");
  auto early = check(h, kSuiteSecret, kEmptySha256, at.plus_seconds(-1000));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().message,
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123420Z (20150830T121920Z + 15 min.)");
}

TEST(SigV4, WhatIsMissingIsNamed) {
  auto message = [](std::string authorization_value) {
    auto c = parse_credential(
        head("GET", "/", {{"Host", "h"}, {"X-Amz-Date", "20150830T123600Z"}, {"Authorization", std::move(authorization_value)}}));
    return c ? std::string("accepted") : std::string(c.error().kind->code) + ": " + c.error().message;
  };
  EXPECT_EQ(message("AWS4-HMAC-SHA256 Credential=a/20150830/r/iam/aws4_request, Signature=00"),
            "IncompleteSignature: Authorization header requires 'SignedHeaders' parameter.");
  EXPECT_EQ(message("AWS4-ECDSA-P256-SHA256 Credential=a"),
            "IncompleteSignature: Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.");
  EXPECT_EQ(message("AWS AKID:c2ln"),
            "InvalidRequest: The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
  EXPECT_NE(message("Bearer x"), "accepted");
  EXPECT_NE(message(""), "accepted");
  EXPECT_FALSE(is_signed(head("GET", "/", {{"Host", "h"}})));
  EXPECT_TRUE(is_signed(head("GET", "/k?AWSAccessKeyId=a&Signature=b&Expires=1", {})));  // version 2: see sigv2_test
  EXPECT_EQ(parse_credential(head("GET", "/", {})).error().kind->code, "MissingAuthenticationToken");
}

TEST(SigV4, HostAndAmzHeadersMustBeSigned) {
  RequestParts parts{.method = "POST", .path = "/", .query = "", .headers = {}, .body = "Action=X"};
  parts.headers.add("X-Amz-Target", "TrentService.Decrypt");
  sign(parts, "kms", {"AKID", "secret", ""}, {"us-east-1", "kms", Timestamp::from_seconds(1760000000), ""});
  auto h = head("POST", "/", {});
  h.headers = parts.headers;
  std::string hash = "x";
  auto c = parse_credential(h);
  ASSERT_TRUE(c);
  std::erase(c->signed_headers, "x-amz-target");
  EXPECT_EQ(verify(h, *c, "secret", hash, c->signed_at).error().message,
            "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.");
  std::erase(c->signed_headers, "host");
  EXPECT_EQ(verify(h, *c, "secret", hash, c->signed_at).error().message,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

TEST(SigV4, SignAndPresignVerify) {
  for (std::string service : {"s3", "kms", "sts"}) {
    RequestParts parts{.method = "PUT", .path = "/b/a%20b/%C3%BC", .query = "tagging=&x=1%2B2", .headers = {}, .body = "hello"};
    parts.headers.add("Content-Type", "text/plain");
    RequestParts url = parts;
    Identity identity{"AKID", "secret", "token"};
    SignOptions options{"eu-west-1", service, Timestamp::from_seconds(1760000000), ""};
    sign(parts, "127.0.0.1:4480", identity, options);
    presign(url, "127.0.0.1:4480", identity, options, 60);
    for (auto* p : {&parts, &url}) {
      auto h = head(p->method, p->path + "?" + p->query, {});
      h.headers = p->headers;
      auto c = parse_credential(h);
      ASSERT_TRUE(c) << c.error().message;
      EXPECT_EQ(c->session_token, "token");
      std::string payload = p == &url && service == "s3" ? std::string(kUnsignedPayload) : hex(crypto::sha256("hello"));
      auto ok = verify(h, *c, "secret", payload, options.now);
      EXPECT_TRUE(ok) << service << " " << (ok ? "" : ok.error().message);
      EXPECT_FALSE(verify(h, *c, "Secret", payload, options.now));
    }
  }
}

}  // namespace
}  // namespace redoubt::api::sigv4
