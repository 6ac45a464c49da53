#include "api/codec.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include "api/ec2.h"
#include "api/errors.h"
#include "api/iam.h"
#include "api/kms.h"
#include "api/redshift.h"
#include "api/s3.h"
#include "api/services.h"
#include "api/sts.h"
#include "api/xml.h"

namespace redoubt::api {
namespace {

RequestHead head(std::string method, std::string target, std::vector<std::pair<std::string, std::string>> fields = {}) {
  RequestHead h;
  h.method = std::move(method);
  h.target = std::move(target);
  for (auto& [n, v] : fields) h.headers.add(n, v);
  return h;
}

template <class Op>
std::string refused(const RequestHead& h, std::string_view body) {
  typename Op::Input input;
  auto ok = decode_request(Op::shape(), h, body, &input);
  return ok ? "accepted" : std::string(ok.error().kind->code) + ": " + ok.error().message;
}
template <class Op>
std::string json(std::string_view body) {
  return refused<Op>(head("POST", "/"), body);
}
template <class Op>
std::string form(std::string_view body) {
  return refused<Op>(head("POST", "/"), body);
}

TEST(Shapes, EveryPatternCompiles) {
  size_t seen = 0;
  std::set<const StructShape*> done;
  std::function<void(const Shape&)> walk;
  std::function<void(const StructShape&)> walk_struct = [&](const StructShape& s) {
    if (!done.insert(&s).second) return;
    for (auto& m : s.members) walk(*m.shape);
  };
  walk = [&](const Shape& s) {
    if (!s.pattern.empty()) {
      RE2::Options quiet;
      quiet.set_log_errors(false);
      EXPECT_TRUE(RE2(s.pattern, quiet).ok()) << s.name << ": " << s.pattern;
      ++seen;
    }
    if (s.structure) walk_struct(*s.structure);
    if (s.element) walk(*s.element);
    if (s.key) walk(*s.key);
  };
  for (auto* service : services())
    for (auto* op : service->operations) walk_struct(*op->input), walk_struct(*op->output);
  EXPECT_GT(seen, 100u);
}

TEST(Json, ValidationSpeaksAsAwsDoes) {
  EXPECT_EQ(json<kms::op::DescribeKey>("{}"),
            "ValidationException: 1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must "
            "not be null");
  EXPECT_EQ(json<kms::op::DescribeKey>(R"({"KeyId":""})"),
            "ValidationException: 1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must "
            "have length greater than or equal to 1");
  EXPECT_EQ(json<kms::op::CreateKey>(R"({"Tags":[{"TagKey":"","TagValue":"v"}]})"),
            "ValidationException: 1 validation error detected: Value '' at 'tags.1.member.tagKey' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1");
  EXPECT_EQ(json<kms::op::ScheduleKeyDeletion>(R"({"KeyId":"k","PendingWindowInDays":400})"),
            "ValidationException: 1 validation error detected: Value '400' at 'pendingWindowInDays' failed to satisfy "
            "constraint: Member must have value less than or equal to 365");
  EXPECT_TRUE(json<kms::op::CreateKey>(R"({"KeySpec":"NOPE"})")
                  .starts_with("ValidationException: 1 validation error detected: Value 'NOPE' at 'keySpec' failed to satisfy "
                               "constraint: Member must satisfy enum value set: ["));
  // A secret never shows.
  EXPECT_EQ(json<kms::op::Encrypt>(R"({"KeyId":"k","Plaintext":""})"),
            "ValidationException: 1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must "
            "have length greater than or equal to 1");
  EXPECT_TRUE(json<kms::op::Encrypt>("{}").starts_with("ValidationException: 2 validation errors detected: "));
}

TEST(Json, TypesAreNotCoerced) {
  EXPECT_EQ(json<kms::op::DescribeKey>(R"({"KeyId":1})"),
            "SerializationException: NUMBER_VALUE can not be converted to a String");
  EXPECT_EQ(json<kms::op::DescribeKey>(R"({"KeyId":{}})"),
            "SerializationException: Start of structure or map found where not expected.");
  EXPECT_EQ(json<kms::op::ScheduleKeyDeletion>(R"({"KeyId":"k","PendingWindowInDays":"7"})"),
            "SerializationException: STRING_VALUE can not be converted to an Integer");
  EXPECT_TRUE(json<kms::op::DescribeKey>("[]").starts_with("SerializationException"));
  EXPECT_TRUE(json<kms::op::DescribeKey>("{").starts_with("SerializationException"));
  EXPECT_TRUE(json<kms::op::Encrypt>(R"({"KeyId":"k","Plaintext":"***"})").starts_with("SerializationException"));
  EXPECT_EQ(json<kms::op::DescribeKey>(R"({"KeyId":"k","Unknown":1,"GrantTokens":null})"), "accepted");
}

TEST(Query, Validation) {
  EXPECT_EQ(form<sts::op::AssumeRole>("Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/r"),
            "ValidationError: 1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member "
            "must not be null");
  EXPECT_TRUE(form<iam::op::CreateUser>("UserName=a%20b")
                  .starts_with("ValidationError: 1 validation error detected: Value 'a b' at 'userName' failed to satisfy "
                               "constraint: Member must satisfy regular expression pattern: "));
  EXPECT_TRUE(form<iam::op::ListUsers>("MaxItems=abc").starts_with("MalformedInput"));
  EXPECT_TRUE(form<iam::op::CreateUser>("UserName=a&UserName=b").starts_with("MalformedQueryString"));
  EXPECT_TRUE(form<iam::op::CreateUser>("UserName=a%2").starts_with("MalformedQueryString"));
  EXPECT_TRUE(form<iam::op::CreateUser>("UserName=a&Tags.member.x.Key=k").starts_with("MalformedInput"));
  EXPECT_EQ(form<redshift::op::DeleteCluster>(""), "MissingParameter: The request must contain the parameter ClusterIdentifier");
  EXPECT_EQ(form<ec2::op::CreateSecurityGroup>("GroupName=g"),
            "MissingParameter: The request must contain the parameter GroupDescription");
  EXPECT_EQ(form<iam::op::CreateUser>("UserName=a&Unknown=1"), "accepted");
  std::string deep = "UserName=a&";
  for (int i = 0; i < 100; ++i) deep += "x.";
  EXPECT_TRUE(form<iam::op::CreateUser>(deep + "y=1").starts_with("MalformedQueryString"));
}

TEST(Query, ListsAreSparseOrEmpty) {
  redshift::ModifyClusterIamRolesMessage in;
  auto h = head("POST", "/");
  ASSERT_TRUE(decode_request(redshift::op::ModifyClusterIamRoles::shape(), h,
                             "ClusterIdentifier=c&RemoveIamRoles=&AddIamRoles.IamRoleArn.10=b&AddIamRoles.IamRoleArn.2=a", &in));
  ASSERT_TRUE(in.RemoveIamRoles);
  EXPECT_TRUE(in.RemoveIamRoles->empty());
  EXPECT_EQ(*in.AddIamRoles, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(in.DefaultIamRoleArn);
}

std::string routed(const ServiceShape& service, const RequestHead& h, std::string_view body = "") {
  auto op = route(service, h, body);
  return op ? std::string((*op)->name) : std::string(op.error().kind->code) + ": " + op.error().message;
}

TEST(Route, Query) {
  EXPECT_EQ(routed(iam::service(), head("POST", "/"), "Action=CreateUser&Version=2010-05-08"), "CreateUser");
  EXPECT_EQ(routed(iam::service(), head("GET", "/?Action=CreateUser&Version=2010-05-08")), "CreateUser");
  EXPECT_EQ(routed(iam::service(), head("POST", "/"), "Action=CreateUser"),
            "InvalidAction: Could not find operation CreateUser for version NO_VERSION_SPECIFIED");
  EXPECT_EQ(routed(iam::service(), head("POST", "/"), "Action=Frob&Version=2010-05-08"),
            "InvalidAction: Could not find operation Frob for version 2010-05-08");
  EXPECT_EQ(routed(iam::service(), head("POST", "/"), "Action=UploadServerCertificate&Version=2010-05-08"),
            "NotImplemented: The operation UploadServerCertificate is not implemented.");
  EXPECT_EQ(routed(ec2::service(), head("POST", "/"), "Action=Frob&Version=2016-11-15"),
            "InvalidAction: The action Frob is not valid for this web service.");
  EXPECT_EQ(routed(iam::service(), head("POST", "/"), "Version=2010-05-08").substr(0, 13), "MissingAction");
}

TEST(Route, Json) {
  EXPECT_EQ(routed(kms::service(), head("POST", "/", {{"X-Amz-Target", "TrentService.Decrypt"}})), "Decrypt");
  EXPECT_EQ(routed(kms::service(), head("POST", "/", {{"X-Amz-Target", "TrentService.Frob"}})),
            "UnknownOperationException: The operation Frob is unknown.");
  EXPECT_EQ(routed(kms::service(), head("POST", "/", {{"X-Amz-Target", "Other.Decrypt"}})).substr(0, 25),
            "UnknownOperationException");
  EXPECT_EQ(routed(kms::service(), head("POST", "/")).substr(0, 25), "UnknownOperationException");
}

TEST(Route, S3) {
  auto s3 = [](std::string method, std::string target, std::vector<std::pair<std::string, std::string>> fields = {}) {
    fields.emplace_back("Host", "127.0.0.1:4480");
    return routed(s3::service(), head(std::move(method), std::move(target), std::move(fields)));
  };
  EXPECT_EQ(s3("GET", "/"), "ListBuckets");
  EXPECT_EQ(s3("GET", "/b"), "ListObjects");
  EXPECT_EQ(s3("GET", "/b/?list-type=2&prefix=a"), "ListObjectsV2");
  EXPECT_EQ(s3("GET", "/b/?prefix=a&x-id=ListObjects"), "ListObjects");
  EXPECT_EQ(s3("GET", "/b?versions"), "ListObjectVersions");
  EXPECT_EQ(s3("GET", "/b?uploads="), "ListMultipartUploads");
  EXPECT_EQ(s3("GET", "/b/k?uploadId=1"), "ListParts");
  EXPECT_EQ(s3("GET", "/b/k/l/"), "GetObject");
  EXPECT_EQ(s3("GET", "/b//"), "GetObject");
  EXPECT_EQ(s3("GET", "/b/k?acl"), "GetObjectAcl");
  EXPECT_EQ(s3("HEAD", "/b"), "HeadBucket");
  EXPECT_EQ(s3("PUT", "/b/k"), "PutObject");
  EXPECT_EQ(s3("PUT", "/b/k", {{"x-amz-copy-source", "b/x"}}), "CopyObject");
  EXPECT_EQ(s3("PUT", "/b/k?partNumber=1&uploadId=u"), "UploadPart");
  EXPECT_EQ(s3("PUT", "/b/k?partNumber=1&uploadId=u", {{"x-amz-copy-source", "b/x"}}), "UploadPartCopy");
  EXPECT_EQ(s3("POST", "/b/k?uploads"), "CreateMultipartUpload");
  EXPECT_EQ(s3("POST", "/b/k?uploadId=u"), "CompleteMultipartUpload");
  EXPECT_EQ(s3("DELETE", "/b/k?uploadId=u"), "AbortMultipartUpload");
  EXPECT_EQ(s3("POST", "/b?delete"), "DeleteObjects");
  // Named, and never mistaken for something simpler.
  EXPECT_EQ(s3("GET", "/b?analytics"), "NotImplemented: The operation GetBucketAnalyticsConfiguration is not implemented.");
  EXPECT_EQ(s3("PUT", "/b/k?legal-hold"), "NotImplemented: The operation PutObjectLegalHold is not implemented.");
  EXPECT_EQ(s3("GET", "/b/k?torrent"), "NotImplemented: The operation GetObjectTorrent is not implemented.");
  for (auto target : {"/b/k?uploadId=u", "/b/k?acl&tagging", "/b/k?uploads"})
    EXPECT_TRUE(s3("PUT", target).starts_with("MethodNotAllowed")) << target;
  EXPECT_TRUE(s3("POST", "/b").starts_with("MethodNotAllowed"));
  EXPECT_TRUE(s3("GET", "/b/%zz").starts_with("InvalidURI"));
  EXPECT_TRUE(s3("GET", "//k").starts_with("InvalidURI"));
}

TEST(S3Address, PathAndVirtualHost) {
  auto at = [](std::string host, std::string target) {
    auto a = s3_address(head("GET", std::move(target), {{"Host", std::move(host)}}));
    return a ? a->bucket + "|" + a->key + (a->virtual_host ? "|v" : "") : a.error().message;
  };
  EXPECT_EQ(at("127.0.0.1:4443", "/b/a%20b/%C3%BC"), "b|a b/\xC3\xBC");
  EXPECT_EQ(at("localhost:4443", "/b/k"), "b|k");
  EXPECT_EQ(at("team1.localhost:4443", "/k/l"), "team1|k/l|v");
  EXPECT_EQ(at("team1.s3.localhost", "/k"), "team1|k|v");
  EXPECT_EQ(at("s3.localhost", "/b/k"), "b|k");
  EXPECT_EQ(at("a.b.s3.amazonaws.com", "/k"), "a.b|k|v");
  EXPECT_EQ(at("b.s3.us-east-1.amazonaws.com:443", "/"), "b||v");
  EXPECT_EQ(at("b.s3-eu-west-1.amazonaws.com", "/k"), "b|k|v");
  EXPECT_EQ(at("s3.us-east-1.amazonaws.com", "/b/k"), "b|k");
  EXPECT_EQ(at("[::1]:4443", "/b/k"), "b|k");
}

TEST(S3, BodiesFollowTheSchema) {
  auto versioning = [](std::string_view body) {
    return refused<s3::op::PutBucketVersioning>(head("PUT", "/b?versioning", {{"Host", "h"}}), body).substr(0, 12);
  };
  EXPECT_EQ(versioning("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"), "accepted");
  EXPECT_EQ(versioning("<VersioningConfiguration><Status>On</Status></VersioningConfiguration>"), "MalformedXML");
  EXPECT_EQ(versioning("<VersioningConfiguration><Frob>1</Frob></VersioningConfiguration>"), "MalformedXML");
  EXPECT_EQ(versioning("<Other/>"), "MalformedXML");
  EXPECT_EQ(versioning("<Versioning"), "MalformedXML");
  EXPECT_EQ(versioning(""), "MissingReque");
  EXPECT_TRUE(refused<s3::op::ListObjectsV2>(head("GET", "/b?list-type=2&max-keys=x", {{"Host", "h"}}), "")
                  .starts_with("InvalidArgument"));
}

TEST(S3, AwsChunkedIsNoContentEncoding) {
  s3::PutObjectRequest in;
  ASSERT_TRUE(decode_request(s3::op::PutObject::shape(),
                             head("PUT", "/b/k", {{"Host", "h"}, {"Content-Encoding", "aws-chunked"}}), "", &in));
  EXPECT_FALSE(in.ContentEncoding);
  ASSERT_TRUE(decode_request(s3::op::PutObject::shape(),
                             head("PUT", "/b/k", {{"Host", "h"}, {"Content-Encoding", "aws-chunked, gzip"}}), "", &in));
  EXPECT_EQ(in.ContentEncoding, "gzip");
}

class Text : public BodySource {
 public:
  Result<void> read(std::string& out, size_t) override {
    out += std::exchange(text_, "");
    return {};
  }

 private:
  std::string text_ = "hello";
};

TEST(S3, StreamsAndRanges) {
  s3::GetObjectOutput out;
  out.Body = std::make_shared<Text>();
  out.ContentLength = 5;
  out.ContentType = "text/plain";
  out.Metadata.emplace()["one"] = "1";
  Response r = encode_response(s3::op::GetObject::shape(), &out, "R1");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.stream_length, 5u);
  EXPECT_FALSE(r.headers.has("Content-Length"));
  EXPECT_EQ(r.headers.get("x-amz-meta-one"), "1");
  EXPECT_EQ(r.headers.get("x-amz-request-id"), "R1");
  out.ContentRange = "bytes 0-4/10";
  EXPECT_EQ(encode_response(s3::op::GetObject::shape(), &out, "R1").status, 206);
  s3::HeadObjectOutput h;
  h.ContentLength = 7;
  EXPECT_EQ(encode_response(s3::op::HeadObject::shape(), &h, "R1").head_length, 7u);
  EXPECT_EQ(encode_response(s3::op::DeleteObject::shape(), std::make_unique<s3::DeleteObjectOutput>().get(), "R1").status, 204);
}

TEST(S3, RootElements) {
  s3::GetBucketLocationOutput location{.LocationConstraint = "eu-west-1"};
  EXPECT_NE(
      encode_response(s3::op::GetBucketLocation::shape(), &location, "R")
          .body.find("<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-west-1</LocationConstraint>"),
      std::string::npos);
  s3::ListObjectsV2Output list;
  list.Contents.emplace().push_back({.Key = "k", .Size = 3});
  std::string body = encode_response(s3::op::ListObjectsV2::shape(), &list, "R").body;
  EXPECT_NE(body.find("<ListBucketResult xmlns="), std::string::npos);
  EXPECT_NE(body.find("<Contents><Key>k</Key><Size>3</Size></Contents>"), std::string::npos) << body;
  s3::GetBucketAclOutput acl;
  acl.Grants.emplace().push_back({.Grantee = s3::Grantee{.ID = "x", .Type = "CanonicalUser"}, .Permission = "READ"});
  body = encode_response(s3::op::GetBucketAcl::shape(), &acl, "R").body;
  EXPECT_NE(
      body.find(
          "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>x</ID></Grantee>"),
      std::string::npos)
      << body;
}

constexpr ErrorKind kNoSuchKey{"NoSuchKey", 404};
constexpr ErrorKind kAccessDenied{"AccessDenied", 403};
constexpr ErrorKind kNotFound{"ClusterNotFound", 404};

TEST(Errors, EveryProtocolsShape) {
  Error denied{&kAccessDenied, "User: x is not authorized <&>"};
  EXPECT_EQ(encode_error(kms::service(), denied, "R").body,
            R"({"__type":"AccessDeniedException","message":"User: x is not authorized <&>"})");
  EXPECT_EQ(encode_error(kms::service(), denied, "R").status, 400);
  Response r = encode_error(redshift::service(), {&kNotFound, "Cluster c not found."}, "R");
  EXPECT_EQ(r.status, 404);
  EXPECT_EQ(r.body,
            "<ErrorResponse "
            "xmlns=\"http://redshift.amazonaws.com/doc/2012-12-01/\"><Error><Type>Sender</Type><Code>ClusterNotFound</"
            "Code><Message>Cluster c not "
            "found.</Message></Error><RequestId>R</RequestId></ErrorResponse>");
  EXPECT_NE(encode_error(ec2::service(), denied, "R")
                .body.find("<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>User: x is not authorized "
                           "&lt;&amp;&gt;</Message></Error></Errors><RequestID>R</RequestID></Response>"),
            std::string::npos);
  r = encode_error(
      s3::service(),
      Error{&kNoSuchKey, "The specified key does not exist."}.with("Key", "a<b").with("header:x-amz-delete-marker", "true"), "R");
  EXPECT_NE(r.body.find("<Error><Code>NoSuchKey</Code><Message>The specified key does not "
                        "exist.</Message><Key>a&lt;b</Key><RequestId>R</RequestId><HostId>"),
            std::string::npos);
  EXPECT_EQ(r.headers.get("x-amz-delete-marker"), "true");
  EXPECT_TRUE(encode_error(s3::service(), {&kNoSuchKey, "x"}, "R", true).body.empty());
}

TEST(Errors, OurOwnTroubleIsNotTold) {
  for (auto* service : services())
    EXPECT_EQ(encode_error(*service, {&kInternal, "disk /data is full"}, "R").body.find("disk"), std::string::npos)
        << service->name;
}

TEST(Errors, ClientReadsThem) {
  for (auto* service : services()) {
    Response r = encode_error(*service, {&kNotFound, "m"}, "R-1");
    RemoteError e = decode_error(service->protocol, r.status, r.headers, r.body);
    EXPECT_EQ(e.code, "ClusterNotFound") << service->name;
    EXPECT_EQ(e.message, "m");
    EXPECT_EQ(e.request_id, "R-1");
  }
}

TEST(Describe, HidesSecrets) {
  redshift::CreateClusterMessage in{
      .ClusterIdentifier = "c", .NodeType = "ra3.large", .MasterUsername = "u", .MasterUserPassword = "Passw0rd"};
  std::string text = to_json(redshift::CreateClusterMessage::shape(), &in).dump();
  EXPECT_EQ(text.find("Passw0rd"), std::string::npos) << text;
  EXPECT_NE(text.find("\"clusterIdentifier\":\"c\""), std::string::npos) << text;
}

TEST(Codec, WhatIsListedIsThereAlsoWhenEmpty) {
  kms::ListKeysResponse keys;
  complete_lists(kms::op::ListKeys::shape(), &keys);
  EXPECT_EQ(encode_response(kms::op::ListKeys::shape(), &keys, "r").body, R"({"Keys":[]})");
  kms::EncryptResponse encrypted;  // lists nothing
  complete_lists(kms::op::Encrypt::shape(), &encrypted);
  EXPECT_EQ(encode_response(kms::op::Encrypt::shape(), &encrypted, "r").body, "{}");
  s3::ListObjectsV2Output objects;  // S3: no Contents, no CommonPrefixes
  complete_lists(s3::op::ListObjectsV2::shape(), &objects);
  EXPECT_FALSE(objects.Contents);
}

}  // namespace
}  // namespace redoubt::api
