/// S3 behind a real Gate: what its requests are decided on, what they work on, what they ask of KMS. What clients see is tested
/// by clients (tests/compat/test_s3_*.py).
#include <gtest/gtest.h>

#include "objects/test_support.h"

namespace redoubt::objects {
namespace {

namespace s3 = api::s3;
namespace op = api::s3::op;

class ObjectsTest : public testing::Test, public Room {
 public:
  /// A bucket that encrypts with KMS, so that every read and write stops there.
  void make_kms_bucket(const std::string& name, const char* ownership = nullptr) {
    ASSERT_TRUE(make_bucket(name, ownership));
    s3::ServerSideEncryptionByDefault d{.SSEAlgorithm = "aws:kms"};
    d.KMSMasterKeyID = "alias/mine";
    s3::ServerSideEncryptionRule rule;
    rule.ApplyServerSideEncryptionByDefault = d;
    ASSERT_TRUE(
        (call<op::PutBucketEncryption>(alice(), {.Bucket = name, .ServerSideEncryptionConfiguration = {.Rules = {rule}}})));
  }
  std::string tagged(const std::string& key, const char* tag, std::string_view body) {
    s3::PutObjectRequest in{.Bucket = "b-1", .Key = key};
    in.Tagging = tag;
    return code(put(alice(), in, body));
  }
};

TEST_F(ObjectsTest, AReadReturnsWhatWasDecidedOnAndNothingThatCameMeanwhile) {
  make_kms_bucket("b-1");
  auto bob = FakeDirectory::user(kAlice, "bob");
  directory.allow(bob->arn, R"({"Effect":"Allow","Action":"kms:*","Resource":"*"},
    {"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/for":"bob"}}})");
  std::string large(200000, 'x');
  for (auto& body : {std::string("for bob"), large}) {
    ASSERT_EQ(tagged("k", "for=bob", body), "ok");
    kms.meanwhile = [&] { ASSERT_EQ(tagged("k", "for=alice", "not for bob"), "ok"); };
    auto got = get(as(bob), {.Bucket = "b-1", .Key = "k"});
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(*got == body);
    EXPECT_EQ(code(get(as(bob), {.Bucket = "b-1", .Key = "k"})), "AccessDenied");
  }
}

TEST_F(ObjectsTest, AnObjectDeletedWhileItIsReadIsReadToTheEnd) {
  make_kms_bucket("b-1");
  std::string large(300000, 'x');
  ASSERT_TRUE(put("b-1", "k", large));
  auto out = call<op::GetObject>(alice(), {.Bucket = "b-1", .Key = "k"});
  ASSERT_TRUE((call<op::DeleteObject>(alice(), {.Bucket = "b-1", .Key = "k"})));
  ASSERT_TRUE((call<op::DeleteBucket>(alice(), {.Bucket = "b-1"})));
  EXPECT_TRUE(read(*out->Body).value() == large);
}

TEST_F(ObjectsTest, AWriteNeverLandsInABucketMadeAnewByAStranger) {
  make_kms_bucket("b-1");
  auto taken_over = [&] {
    ASSERT_TRUE((call<op::DeleteBucket>(alice(), {.Bucket = "b-1"})));
    ASSERT_TRUE((call<op::CreateBucket>(mallory(), {.Bucket = "b-1"})));
  };
  kms.meanwhile = taken_over;
  EXPECT_EQ(code(put("b-1", "k", "a secret")), "NoSuchBucket");
  EXPECT_EQ(code(get(mallory(), {.Bucket = "b-1", .Key = "k"})), "NoSuchKey");
  EXPECT_EQ(code(put("b-1", "k", "a secret")), "AccessDenied");
}

TEST_F(ObjectsTest, AnUploadDestroyedBeforeItsEndHasNotHappened) {
  ASSERT_TRUE(make_bucket("b-1"));
  {
    auto upload = gate->upload<op::PutObject>(alice(), {.Bucket = "b-1", .Key = "k"});
    ASSERT_TRUE(upload && (*upload)->write(std::string(500000, 'x')));
  }
  EXPECT_EQ(code(get("b-1", "k")), "NoSuchKey");
  EXPECT_TRUE(std::filesystem::is_empty(folder / "objects/tmp"));
}

TEST_F(ObjectsTest, EverythingIsThereAfterAStart) {
  make_kms_bucket("b-1");
  ASSERT_TRUE(
      set_policy("b-1", R"({"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::b-1/*"})"));
  ASSERT_TRUE(put("b-1", "small", "1"));
  ASSERT_TRUE(put("b-1", "large", std::string(200000, 'x')));
  stop();
  start();
  EXPECT_EQ(get("b-1", "small").value(), "1");
  EXPECT_EQ(get("b-1", "large")->size(), 200000u);
  EXPECT_EQ(code((call<op::DeleteObject>(alice(), {.Bucket = "b-1", .Key = "small"}))), "AccessDenied");
}

TEST_F(ObjectsTest, KmsIsAskedAsTheCallerThroughS3) {
  make_kms_bucket("b-1");
  ASSERT_TRUE(put("b-1", "k/ü", "x"));
  EXPECT_EQ(kms.asked_key, "alias/mine");
  EXPECT_EQ(kms.context, (std::map<std::string, std::string>{{"aws:s3:arn", "arn:aws:s3:::b-1/k/ü"}}));
  EXPECT_EQ(kms.call->caller->arn, "arn:aws:iam::111122223333:user/admin");
  EXPECT_EQ(kms.call->via_service, "s3.us-east-1.amazonaws.com");
  EXPECT_TRUE(kms.call->via_aws_service());
  kms.call.reset();
  EXPECT_EQ(get("b-1", "k/ü").value(), "x");
  EXPECT_TRUE(kms.call);
  kms.call.reset();
  ASSERT_TRUE((call<op::HeadObject>(alice(), {.Bucket = "b-1", .Key = "k/ü"})));
  EXPECT_FALSE(kms.call);  // metadata takes no key
  kms.refuse = &FakeKms::kDisabled;
  EXPECT_EQ(code(get("b-1", "k/ü")), "KMS.DisabledException");
  EXPECT_EQ(code(put("b-1", "k", "x")), "KMS.DisabledException");
}

TEST_F(ObjectsTest, KmsIsAskedInTheBucketsRegion) {
  s3::CreateBucketRequest in{.Bucket = "west"};
  s3::CreateBucketConfiguration conf;
  conf.LocationConstraint = "us-west-2";
  in.CreateBucketConfiguration = conf;
  ASSERT_TRUE((call<op::CreateBucket>(alice(), in)));
  s3::PutObjectRequest put_in{.Bucket = "west", .Key = "k"};
  put_in.ServerSideEncryption = "aws:kms";
  ASSERT_TRUE(put(alice(), put_in, "x"));
  EXPECT_EQ(kms.call->region, "us-west-2");
  EXPECT_EQ(kms.call->via_service, "s3.us-west-2.amazonaws.com");
  // Signed for another region: S3 says which.
  auto astray = alice();
  astray.auth_type = "REST-HEADER";
  auto refused = get(astray, {.Bucket = "west", .Key = "k"});
  ASSERT_EQ(code(refused), "AuthorizationHeaderMalformed");
  EXPECT_EQ(refused.error().get("Region"), "us-west-2");
  EXPECT_EQ(refused.error().get("header:x-amz-bucket-region"), "us-west-2");
}

TEST_F(ObjectsTest, DeniedRequestsReadNoBodyAndAskNoKey) {
  make_kms_bucket("b-1");
  kms.call.reset();
  EXPECT_EQ(code(put(mallory(), {.Bucket = "b-1", .Key = "k"}, "x")), "AccessDenied");
  EXPECT_EQ(code(put(as(access::anonymous_caller()), {.Bucket = "b-1", .Key = "k"}, "x")), "AccessDenied");
  EXPECT_FALSE(kms.call);
}

TEST_F(ObjectsTest, ADenialOfThePolicyHoldsForEverybodysObjects) {
  ASSERT_TRUE(make_bucket("b-1", "ObjectWriter"));
  ASSERT_TRUE(set_policy(
      "b-1", R"({"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b-1/*"})"));
  ASSERT_TRUE(put(mallory(), {.Bucket = "b-1", .Key = "k"}, "x"));
  EXPECT_EQ(code(get("b-1", "k")), "AccessDenied");  // the writer's
  EXPECT_EQ(code(get(mallory(), {.Bucket = "b-1", .Key = "k"})), "ok");
  ASSERT_TRUE(set_policy("b-1", R"({"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b-1/*"})"));
  EXPECT_EQ(code(get(mallory(), {.Bucket = "b-1", .Key = "k"})), "AccessDenied");
}

TEST_F(ObjectsTest, ServicesGetInByPolicyOnly) {
  ASSERT_TRUE(make_bucket("b-1"));
  auto logging = as(access::service_caller("logging.s3.amazonaws.com"));
  EXPECT_EQ(code(put(logging, {.Bucket = "b-1", .Key = "k"}, "x")), "AccessDenied");
  ASSERT_TRUE(set_policy("b-1", R"({"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject",
    "Resource":"arn:aws:s3:::b-1/*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}})"));
  EXPECT_EQ(code(put(logging, {.Bucket = "b-1", .Key = "k"}, "x")), "AccessDenied");
  logging.source_account = kAlice;
  EXPECT_EQ(code(put(logging, {.Bucket = "b-1", .Key = "k"}, "x")), "ok");
  EXPECT_EQ(code((call<op::CreateBucket>(logging, {.Bucket = "b-2"}))), "AccessDenied");
  EXPECT_EQ(code((call<op::CreateBucket>(as(access::anonymous_caller()), {.Bucket = "b-2"}))), "AccessDenied");
}

TEST_F(ObjectsTest, WhatAClientNamesAndDoesntSendIsNoReasonToFall) {
  ASSERT_TRUE(make_bucket("b-1"));
  s3::CreateMultipartUploadRequest start{.Bucket = "b-1", .Key = "k"};
  start.ChecksumAlgorithm = "CRC32";
  auto up = call<op::CreateMultipartUpload>(alice(), start);
  s3::UploadPartRequest part{.Bucket = "b-1", .Key = "k", .PartNumber = 1, .UploadId = *up->UploadId};
  part.ChecksumAlgorithm = "CRC32";  // from inside nobody verifies it
  auto upload = gate->upload<op::UploadPart>(alice(), part);
  ASSERT_TRUE(upload && (*upload)->write("x"));
  EXPECT_EQ(code((*upload)->finish()), "InvalidRequest");
}

TEST_F(ObjectsTest, AWaitingLogIsBounded) {
  ASSERT_TRUE(make_bucket("b-1"));
  AccessLog log;
  auto b = std::make_shared<Bucket>(Bucket{.name = "b-1", .uid = "u", .log_bucket = "t"});
  for (int i = 0; i < 70; ++i) log.add(b, std::string(1 << 20, 'x'));
  auto files = log.take();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_LE(files.begin()->second.text.size(), AccessLog::kBytesMax);
  EXPECT_TRUE(log.take().empty());
}

// ---- lines of access logs

TEST(LogLine, NothingEndsAFieldOrTheLine) {
  Bucket b{.name = "b-1"};
  access::Call call{
      .caller = FakeDirectory::user(kAlice, "admin"), .request_id = "id", .now = Timestamp::from_seconds(1790000000)};
  call.user_agent = "a\" \"b\nforged\r\x01\\";
  call.referer = "\"";
  auto line = log_line(b, "owner", {.operation = "GetObject", .method = "GET", .key = "k \"\n[x] 200 -"}, call, call.now);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(std::count(line.begin(), line.end(), '"'), 6);
  EXPECT_NE(line.find(" k%20%22%0A%5Bx%5D%20200%20- "), line.npos) << line;
}

TEST(LogLine, Operations) {
  EXPECT_EQ(log_operation({.operation = "GetObject", .method = "GET"}), "REST.GET.OBJECT");
  EXPECT_EQ(log_operation({.operation = "CopyObject", .method = "PUT"}), "REST.COPY.OBJECT");
  EXPECT_EQ(log_operation({.operation = "ListObjectsV2", .method = "GET"}), "REST.GET.BUCKET");
  EXPECT_EQ(log_operation({.operation = "PutBucketPolicy", .method = "PUT"}), "REST.PUT.BUCKETPOLICY");
  EXPECT_EQ(log_operation({.operation = "DeleteObject", .method = "DELETE", .batch = true}), "BATCH.DELETE.OBJECT");
}

}  // namespace
}  // namespace redoubt::objects
