#include "api/sigv2.h"

#include <gtest/gtest.h>

#include "api/errors.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

constexpr const char* kKey = "AKIAIOSFODNN7EXAMPLE";
constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

RequestHead get(std::string target, std::string host = "127.0.0.1:4480") {
  RequestHead head;
  head.method = "GET";
  head.target = std::move(target);
  head.headers.add("Host", std::move(host));
  return head;
}

/// What an owner of the secret makes of a request that isn't signed yet.
RequestHead with_signature(RequestHead head, std::string expires = "1175139620") {
  head.target +=
      (head.target.find('?') == std::string::npos ? "?" : "&") + std::string("AWSAccessKeyId=") + kKey + "&Expires=" + expires;
  auto text = sigv2::string_to_sign(head);
  EXPECT_TRUE(text);
  head.target += "&Signature=" + url_encode(sigv2::signature(kSecret, *text));
  return head;
}

Result<void> check(const RequestHead& head, Timestamp now = Timestamp{1175139000'000000}) {
  auto credential = sigv4::parse_credential(head);
  if (!credential) return fail(credential.error());
  EXPECT_TRUE(credential->legacy && credential->presigned);
  EXPECT_EQ(credential->access_key_id, kKey);
  EXPECT_EQ(credential->service, "s3");
  return sigv4::verify(head, *credential, kSecret, sigv4::kUnsignedPayload, now);
}

// "Example query string request authentication" of the S3 documentation.
TEST(SigV2, TheDocumentedExample) {
  auto head =
      get("/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620",
          "johnsmith.s3.amazonaws.com");
  EXPECT_EQ(*sigv2::string_to_sign(head), "GET\n\n\n1175139620\n/johnsmith/photos/puppy.jpg");
  EXPECT_TRUE(check(head));
}

TEST(SigV2, HeadersAndSubresourcesAreSigned) {
  auto head = get("/b/k%20x?versionId=a%2Bb&response-content-type=text%2Fplain&acl");
  head.headers.add("Content-Type", "text/csv");
  head.headers.add("X-Amz-Meta-B", " two ");
  head.headers.add("x-amz-meta-a", "one");
  head.headers.add("Range", "bytes=0-1");
  head = with_signature(std::move(head));
  EXPECT_EQ(*sigv2::string_to_sign(head),
            "GET\n\ntext/csv\n1175139620\nx-amz-meta-a:one\nx-amz-meta-b:two\n/b/k%20x?acl&response-content-type=text/"
            "plain&versionId=a+b");
  EXPECT_TRUE(check(head));
}

TEST(SigV2, WhatWasChangedAfterwardsIsRefused) {
  auto good = with_signature(get("/b/k?versionId=1"));
  ASSERT_TRUE(check(good));
  auto refused = [&](RequestHead head) {
    auto done = check(head);
    return done ? std::string("let through") : std::string(done.error().kind->code);
  };
  auto replace = [&](std::string_view from, std::string_view to) {
    auto head = good;
    head.target.replace(head.target.find(from), from.size(), to);
    return head;
  };
  EXPECT_EQ(refused(replace("versionId=1", "versionId=2")), "SignatureDoesNotMatch");
  EXPECT_EQ(refused(replace("versionId=1&", "")), "SignatureDoesNotMatch");
  EXPECT_EQ(refused(replace("/b/k", "/b/l")), "SignatureDoesNotMatch");
  EXPECT_EQ(refused(replace("Expires=1175139620", "Expires=1999999999")), "SignatureDoesNotMatch");
  EXPECT_EQ(refused(replace("&Signature=", "&Signature=A")), "SignatureDoesNotMatch");
  auto head = good;
  head.method = "PUT";
  EXPECT_EQ(refused(head), "SignatureDoesNotMatch");
  head = good;
  head.headers.add("x-amz-acl", "public-read");
  EXPECT_EQ(refused(head), "SignatureDoesNotMatch");
  head = good;
  head.headers.set("Host", "other.localhost");
  EXPECT_EQ(refused(head), "SignatureDoesNotMatch");
}

TEST(SigV2, WhatItDoesNotSignIsRefused) {
  for (auto more : {"prefix=other%2F", "list-type=2", "x-amz-acl=public-read", "nonsense", "Versionid=1"}) {
    auto done = check(with_signature(get(std::string("/b/k?") + more)));
    ASSERT_FALSE(done) << more;
    EXPECT_TRUE(done.error().is(kAccessDeniedUnsigned)) << more;
  }
  auto twice = check(with_signature(get("/b/k?versionId=1&versionId=2")));
  ASSERT_FALSE(twice);
  EXPECT_TRUE(twice.error().is(kInvalidArgument));
}

TEST(SigV2, AnExpiredUrlIsRefused) {
  auto head = with_signature(get("/b/k"));
  EXPECT_TRUE(check(head, Timestamp{1175139620'000000}));
  auto late = check(head, Timestamp{1175139621'000000});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message, "Request has expired");
  for (auto bad : {"", "x", "-1", "99999999999999999999", "253402300800"})
    EXPECT_FALSE(check(with_signature(get("/b/k"), bad))) << bad;
}

TEST(SigV2, OneMechanismAtATime) {
  auto head = with_signature(get("/b/k"));
  head.headers.add("Authorization", "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=");
  EXPECT_FALSE(sigv4::parse_credential(head));
  auto header = get("/b/k");
  header.headers.add("Authorization", "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=");
  auto parsed = sigv4::parse_credential(header);
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("Please use AWS4-HMAC-SHA256"), std::string::npos);
  EXPECT_FALSE(sigv4::parse_credential(get("/b/k?Signature=x&Expires=1175139620")));
  EXPECT_FALSE(sigv4::parse_credential(get("/b/k?AWSAccessKeyId=x&Expires=1175139620")));
}

}  // namespace
}  // namespace redoubt::api
