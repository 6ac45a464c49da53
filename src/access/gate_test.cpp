#include "access/gate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "access/audit.h"
#include "access/request_context.h"
#include "access/trail.h"
#include "api/cloudtrail.h"
#include "api/codec.h"
#include "api/kms.h"
#include "api/s3.h"
#include "api/sigv4.h"
#include "base/crypto.h"
#include "base/ids.h"

namespace redoubt::access {

namespace kms = api::kms;
namespace s3 = api::s3;
using policy::PrincipalType;

static_assert(!std::is_default_constructible_v<Needs<kms::DecryptRequest>>, "a row without .needs must not compile");

namespace {

constexpr const char *kAlice = "111122223333", *kOther = "444455556666";
constexpr ErrorKind kNotFound{"NotFoundException", 400};

policy::PolicyPtr parsed(std::string_view text, policy::Kind kind = policy::Kind::identity) {
  auto p = policy::parse(text, kind);
  if (!p) ADD_FAILURE() << p.error().message;
  return p ? *p : nullptr;
}

/// Two accounts, one user each; what `policies` says about them is the test's.
class FakeDirectory : public Directory {
 public:
  FakeDirectory() {
    for (auto* account : {kAlice, kOther}) {
      auto c = std::make_shared<Caller>();
      c->type = PrincipalType::user;
      c->account = account;
      c->arn = c->issuer_arn = std::string("arn:aws:iam::") + account + ":user/alice";
      c->unique_id = c->user_id = std::string("AIDA") + account;
      c->user_name = "alice";
      c->access_key_id = std::string("AKIA") + account + "0000";
      callers[account] = c;
      allow(account, R"({"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"}]})");
    }
  }
  void allow(const std::string& account, std::string_view document) {
    auto compiled = parsed(document);
    auto p = std::make_shared<PrincipalPolicies>();
    p->identity = {{"inline", compiled.get()}};
    p->keep.push_back(compiled);
    policies[account] = p;
  }
  Result<SigningKey> find_key(std::string_view id, std::string_view, Timestamp) override {
    for (auto& [account, caller] : callers)
      if (caller->access_key_id == id) return SigningKey{"secret of " + account, caller};
    return fail(kInvalidClientTokenId, "The security token included in the request is invalid.");
  }
  std::shared_ptr<const PrincipalPolicies> policies_of(const Caller& caller) override {
    auto it = policies.find(caller.account);
    return it == policies.end() ? std::make_shared<PrincipalPolicies>() : it->second;
  }
  std::shared_ptr<const AccountPolicies> account(std::string_view) override { return std::make_shared<AccountPolicies>(); }
  bool account_exists(std::string_view a) override { return callers.contains(std::string(a)); }
  std::string canonical_id(std::string_view) override { return std::string(64, 'c'); }
  std::optional<std::string> account_of_canonical_id(std::string_view) override { return std::nullopt; }
  std::optional<std::string> principal_to_id(std::string_view, std::string_view v) override { return std::string(v); }
  std::string id_to_principal(std::string_view v) override { return std::string(v); }
  bool role_exists(std::string_view) override { return false; }
  std::string encode_authorization_message(std::string_view, std::string_view) override { return "encoded"; }

  std::map<std::string, CallerPtr> callers;
  std::map<std::string, std::shared_ptr<PrincipalPolicies>> policies;
};

/// A KMS that decrypts everything, and an S3 whose GetObject decrypts as its caller and whose PutObject keeps what it gets.
class FakeServices {
 public:
  auto object() {
    return [this](auto&, auto&) -> Result<std::vector<Resource>> { return std::vector{bucket}; };
  }
  void declare(Gate& gate) {
    gate_ = &gate;
    gate.add<kms::op::Decrypt>(
        {.needs = {{.action = "kms:Decrypt",
                    .resources = [this](auto&, auto&) -> Result<std::vector<Resource>> { return std::vector{key}; },
                    .context = [](auto&, auto&, policy::Context& c) { c.set("kms:EncryptionContextKeys", "x"); }}},
         .handler = [this](auto& r) -> Result<kms::DecryptResponse> {
           ++decrypted;
           last_call = r.call;
           if (fails) return fail(kNotFound, "no");
           kms::DecryptResponse out;
           out.Plaintext = "the-plain-secret";
           return out;
         }});
    gate.add<kms::op::GenerateRandom>(
        {.needs = NoNeed{"a test of its own"},
         .handler = [](auto&) -> Result<kms::GenerateRandomResponse> { return kms::GenerateRandomResponse{}; }});
    gate.add<s3::op::GetObject>({.needs = {{.action = "s3:GetObject", .resources = object()}},
                                 .handler = [this](auto& r) -> Result<s3::GetObjectOutput> {
                                   TRY([[maybe_unused]] auto plain,
                                       gate_->call<kms::op::Decrypt>(r.call.forwarded_by("s3"), {"ciphertext"}));
                                   return s3::GetObjectOutput{};
                                 },
                                 .data_event = true,
                                 .denial = policy::DenialStyle::s3});
    gate.add<s3::op::PutObject>({.needs = {{.action = "s3:PutObject", .resources = object()}},
                                 .open = [this](auto& r) -> Result<std::unique_ptr<Upload<s3::PutObjectOutput>>> {
                                   ++opened;
                                   content_length = r.input.ContentLength.value_or(-1);
                                   content_encoding = r.input.ContentEncoding.value_or("");
                                   return std::make_unique<Keep>(*this);
                                 },
                                 .data_event = true,
                                 .denial = policy::DenialStyle::s3});
    gate.add<s3::op::DeleteObjects>(
        {.needs = {{.action = "s3:DeleteObject"}}, .handler = [this](auto&) -> Result<s3::DeleteObjectsOutput> {
           ++deleted;
           return s3::DeleteObjectsOutput{};
         }});
  }
  struct Keep : Upload<s3::PutObjectOutput> {
    explicit Keep(FakeServices& s) : services(s) {}
    Result<void> write(std::string_view bytes) override {
      data += bytes;
      return {};
    }
    void checksum(api::ChecksumAlgorithm a, const std::string& value) override {
      services.checksum = std::string(api::name(a)) + " " + value;
    }
    Result<s3::PutObjectOutput> finish() override {
      services.stored = data;
      return s3::PutObjectOutput{};
    }
    FakeServices& services;
    std::string data;
  };

  Resource key{.arn = "arn:aws:kms:us-east-1:111122223333:key/k", .account = kAlice};
  Resource bucket{.arn = "arn:aws:s3:::b/k", .account = kAlice};
  int decrypted = 0, opened = 0, deleted = 0;
  int64_t content_length = 0;
  bool fails = false;
  std::string stored = "nothing", checksum, content_encoding;
  std::optional<Call> last_call;

 private:
  Gate* gate_ = nullptr;
};

class GateTest : public testing::Test {
 public:
  void SetUp() override { make({}); }
  void make(Gate::Options options) {
    gate.reset();
    audit.reset();
    if (!dir.empty()) std::filesystem::remove_all(dir);
    dir = std::filesystem::temp_directory_path() / ("redoubt-gate-" + random_text(12, "abcdefghijklmnop"));
    std::filesystem::create_directories(dir);
    audit = *Audit::open((dir / "audit.db").string());
    gate = std::make_unique<Gate>(directory, *audit, clock, std::move(options));
    services.declare(*gate);
    declare_trail(*gate, *audit);
  }
  void TearDown() override {
    gate.reset();
    audit.reset();
    std::filesystem::remove_all(dir);
  }
  Call as(const char* account) {
    api::NetworkPath path;
    path.peer = *Ip::parse("203.0.113.7");
    path.tls = true;
    path.tls_version = "TLSv1.3";
    return gate->new_call(account ? directory.callers[account] : anonymous_caller(), path);
  }
  std::vector<AuditEvent> events(const Call& call, const char* account = kAlice) {
    AuditQuery q;
    q.account = account;
    q.request_id = call.request_id;
    q.data_events = true;
    return audit->lookup(q)->events;
  }

  struct Request {
    api::RequestParts parts;
    std::string host = "127.0.0.1";
  };
  api::RequestHead head_of(const api::RequestParts& parts) {
    api::RequestHead head;
    head.method = parts.method;
    head.target = parts.path + (parts.query.empty() ? "" : "?" + parts.query);
    head.headers = parts.headers;
    head.content_length = parts.body.size();
    head.path.peer = *Ip::parse("203.0.113.7");
    head.path.tls = true;
    return head;
  }
  api::RequestHead signed_head(api::RequestParts parts, std::string_view service, std::string payload_hash = "") {
    api::sigv4::sign(
        parts, "127.0.0.1", {directory.callers[kAlice]->access_key_id, "secret of 111122223333", ""},
        {.region = "us-east-1", .service = std::string(service), .now = clock.now(), .payload_hash = std::move(payload_hash)});
    return head_of(parts);
  }
  api::RequestParts put(std::string body) {
    api::RequestParts parts;
    parts.method = "PUT";
    parts.path = "/b/k";
    parts.body = std::move(body);
    return parts;
  }
  api::Response run(api::RequestHead head, std::string_view body) {
    auto exchange = gate->begin(std::move(head));
    if (exchange->early) return std::move(*exchange->early);
    for (size_t at = 0; at < body.size(); at += 7)
      if (!exchange->body(body.substr(at, 7))) break;
    return exchange->finish();
  }

  std::filesystem::path dir;
  ManualClock clock;
  FakeDirectory directory;
  FakeServices services;
  std::unique_ptr<Audit> audit;
  std::unique_ptr<Gate> gate;
};

constexpr const char* kNothing =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"none:null","Resource":"*"}]})";

}  // namespace

TEST_F(GateTest, DeniesBeforeTheHandlerAndRecordsWhy) {
  directory.allow(kAlice, kNothing);
  Call call = as(kAlice);
  auto out = gate->call<kms::op::Decrypt>(call, {"ciphertext"});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind->code, "AccessDeniedException");
  EXPECT_EQ(services.decrypted, 0);
  auto found = events(call);
  ASSERT_EQ(found.size(), 1u);
  const Json& r = found[0].record;
  EXPECT_EQ(r["errorCode"].str(), "AccessDeniedException");
  const Json& ours = r["additionalEventData"]["redoubt"];
  EXPECT_EQ(ours["decision"].str(), "denied");
  EXPECT_EQ(ours["decisions"][0]["layer"].str(), "identity");
  EXPECT_TRUE(ours["decisions"][0]["explanation"].is_object());
}

TEST_F(GateTest, OperationsWithoutARowErrByName) {
  auto out = gate->call<kms::op::CreateKey>(as(kAlice), {});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind->http_status, 501);
  EXPECT_NE(out.error().message.find("kms:CreateKey"), std::string::npos);
}

TEST_F(GateTest, NestedInputIsValidatedByTheModel) {
  auto out = gate->call<kms::op::Decrypt>(as(kAlice), {""});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind->code, "ValidationException");
  EXPECT_EQ(services.decrypted, 0);
}

TEST_F(GateTest, ForwardedCallsAreTheCallersAndSayWhoForwards) {
  Call call = as(kAlice);
  s3::GetObjectRequest in;
  in.Bucket = "b";
  in.Key = "k";
  ASSERT_TRUE(gate->call<s3::op::GetObject>(call, in));
  ASSERT_EQ(services.decrypted, 1);
  EXPECT_EQ(services.last_call->caller->arn, call.caller->arn);
  EXPECT_EQ(services.last_call->via_service, "s3.us-east-1.amazonaws.com");
  EXPECT_EQ(services.last_call->called_via, std::vector<std::string>{"s3.amazonaws.com"});
  EXPECT_EQ(events(call).size(), 2u);
  // KMS may insist on S3, and the caller itself then can't.
  directory.allow(kAlice, R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
    {"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}]})");
  EXPECT_TRUE(gate->call<s3::op::GetObject>(as(kAlice), in));
  EXPECT_FALSE(gate->call<kms::op::Decrypt>(as(kAlice), {"ciphertext"}));
  // A nested denial ends the outer call with its own text.
  directory.allow(kAlice, R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]})");
  auto out = gate->call<s3::op::GetObject>(as(kAlice), in);
  ASSERT_FALSE(out);
  EXPECT_NE(out.error().message.find("kms:Decrypt"), std::string::npos);
}

TEST_F(GateTest, ThrottlesByAccountAndAction) {
  Gate::Options options;
  options.throttles["kms:Decrypt"] = {1, 2};
  make(std::move(options));
  auto code = [&](const char* account) {
    auto out = gate->call<kms::op::Decrypt>(as(account), {"c"});
    return out ? std::string("ok") : std::string(out.error().kind->code);
  };
  EXPECT_EQ(code(kAlice), "ok");
  EXPECT_EQ(code(kAlice), "ok");
  EXPECT_EQ(code(kAlice), "Throttling");
  EXPECT_NE(code(kOther), "Throttling");
  clock.advance_seconds(1);
  EXPECT_EQ(code(kAlice), "ok");
  EXPECT_EQ(code(kAlice), "Throttling");
}

TEST_F(GateTest, EveryCallLeavesOneRecordAndNoSecret) {
  std::vector<Call> calls;
  for (int i = 0; i < 6; ++i) {
    calls.push_back(as(kAlice));
    services.fails = i % 3 == 1;
    directory.allow(kAlice, i % 3 == 2
                                ? kNothing
                                : R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})");
    (void)gate->call<kms::op::Decrypt>(calls.back(), {"the-cipher-blob"});
    clock.advance_seconds(1);
  }
  for (auto& call : calls) EXPECT_EQ(events(call).size(), 1u);
  AuditQuery q;
  q.account = kAlice;
  q.limit = 4;
  auto first = *audit->lookup(q);
  ASSERT_EQ(first.events.size(), 4u);
  q.before = first.next;
  auto second = *audit->lookup(q);
  ASSERT_EQ(second.events.size(), 2u);
  EXPECT_EQ(second.next, "");
  EXPECT_EQ(first.events[0].request_id, calls[5].request_id);
  EXPECT_EQ(second.events[1].request_id, calls[0].request_id);
  for (auto& e : first.events) {
    std::string text = e.record.dump();
    for (auto* secret : {"the-plain-secret", "the-cipher-blob", "secret of"})
      EXPECT_EQ(text.find(secret), std::string::npos) << text;
  }
  Json r = first.events[2].record;  // call 3 succeeded
  for (auto* member : {"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
                       "userAgent", "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "resources",
                       "eventType", "managementEvent", "recipientAccountId", "additionalEventData"})
    EXPECT_TRUE(r.has(member)) << member;
  EXPECT_EQ(r["eventSource"].str(), "kms.amazonaws.com");
  EXPECT_EQ(r["userIdentity"]["type"].str(), "IAMUser");
}

TEST_F(GateTest, WhatIsMissingIsToldOnlyToWhoWasAllowed) {
  services.key.missing = Error{&kNotFound, "Key does not exist"};
  EXPECT_EQ(gate->call<kms::op::Decrypt>(as(kAlice), {"c"}).error().message, "Key does not exist");
  directory.allow(kAlice, kNothing);
  EXPECT_EQ(gate->call<kms::op::Decrypt>(as(kAlice), {"c"}).error().kind->code, "AccessDeniedException");
  services.key.hidden = Error{&kNotFound, "looks like nothing"};
  EXPECT_EQ(gate->call<kms::op::Decrypt>(as(kAlice), {"c"}).error().message, "looks like nothing");
}

TEST_F(GateTest, ForeignOwnersGetARecordWithoutTheCallersSecretsAndTheOtherWayRound) {
  services.bucket.policy = parsed(
      R"({"Version":"2012-10-17","Statement":[{"Sid":"OwnersSecretSid","Effect":"Deny","Principal":"*","Action":"s3:GetObject",
    "Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:PrincipalTag/hush":"x"}}}]})",
      policy::Kind::bucket);
  services.bucket.rule = policy::ResourceRule::optional;
  directory.allow(
      kOther,
      R"({"Version":"2012-10-17","Statement":[{"Sid":"CallersSecretSid","Effect":"Allow","Action":"*","Resource":"*"}]})");
  Call call = as(kOther);
  s3::GetObjectRequest in;
  in.Bucket = "b";
  in.Key = "k";
  auto out = gate->call<s3::op::GetObject>(call, in);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().message, "Access Denied");  // S3 gives no reasons across accounts
  auto callers = events(call, kOther), owners = events(call, kAlice);
  ASSERT_EQ(callers.size(), 1u);
  ASSERT_EQ(owners.size(), 1u);
  std::string caller_text = callers[0].record.dump(), owner_text = owners[0].record.dump();
  EXPECT_EQ(caller_text.find("OwnersSecretSid"), std::string::npos);
  EXPECT_EQ(caller_text.find("aws:PrincipalTag/hush"), std::string::npos);
  EXPECT_EQ(owner_text.find("CallersSecretSid"), std::string::npos);
  EXPECT_EQ(owner_text.find("user/alice"), std::string::npos);
  EXPECT_EQ(owners[0].record["userIdentity"]["accountId"].str(), kOther);
}

TEST_F(GateTest, AnInsideUploadIsDecidedFirstAndKeptAtFinish) {
  s3::PutObjectRequest in;
  in.Bucket = "b";
  in.Key = "k";
  auto upload = gate->upload<s3::op::PutObject>(as(kAlice), in);
  ASSERT_TRUE(upload);
  ASSERT_TRUE((*upload)->write("abc"));
  EXPECT_EQ(services.stored, "nothing");
  ASSERT_TRUE((*upload)->finish());
  EXPECT_EQ(services.stored, "abc");
  directory.allow(kAlice, kNothing);
  EXPECT_FALSE(gate->upload<s3::op::PutObject>(as(kAlice), in));
  EXPECT_EQ(services.opened, 1);
}

TEST_F(GateTest, ADeniedUploadIsAnsweredBeforeItsBody) {
  directory.allow(kAlice, kNothing);
  auto exchange = gate->begin(signed_head(put("abc"), "s3"));
  ASSERT_TRUE(exchange->early);
  EXPECT_EQ(exchange->early->status, 403);
  EXPECT_EQ(services.opened, 0);
}

TEST_F(GateTest, StreamsBodiesAndVerifiesWhatTheHeadersPromise) {
  EXPECT_EQ(run(signed_head(put("hello world"), "s3"), "hello world").status, 200);
  EXPECT_EQ(services.stored, "hello world");

  struct Case {
    const char* what;
    std::function<void(api::RequestParts&)> change;
    std::string body;
    const char* code;
  };
  const Case cases[] = {
      {"another body than signed", [](auto&) {}, "hello_world", "XAmzContentSHA256Mismatch"},
      {"too short", [](auto&) {}, "hello", "IncompleteBody"},
      {"MD5 of another body", [](auto& p) { p.headers.set("Content-MD5", base64(crypto::md5("x"))); }, "hello world",
       "BadDigest"},
      {"MD5 that isn't one", [](auto& p) { p.headers.set("Content-MD5", "abc"); }, "hello world", "InvalidDigest"},
      {"CRC of another body",
       [](auto& p) { p.headers.set("x-amz-checksum-crc32", api::checksum(api::ChecksumAlgorithm::crc32, "x")); }, "hello world",
       "BadDigest"},
  };
  for (auto& c : cases) {
    services.stored = "nothing";
    auto parts = put("hello world");
    c.change(parts);
    auto response = run(signed_head(parts, "s3"), c.body);
    EXPECT_NE(response.body.find(c.code), std::string::npos) << c.what << ": " << response.body;
    EXPECT_EQ(services.stored, "nothing") << c.what;
  }
}

TEST_F(GateTest, UndoesAwsChunkedWithATrailingChecksum) {
  std::string crc = api::checksum(api::ChecksumAlgorithm::crc32, "hello world");
  auto send = [&](std::string_view trailer) {
    std::string body = "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:" + std::string(trailer) + "\r\n\r\n";
    auto parts = put(body);
    parts.headers.set("x-amz-decoded-content-length", "11");
    parts.headers.set("x-amz-trailer", "x-amz-checksum-crc32");
    parts.headers.set("Content-Encoding", "gzip,aws-chunked");
    return run(signed_head(parts, "s3", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), body);
  };
  auto response = send(crc);
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(services.stored, "hello world");
  EXPECT_EQ(services.checksum, "CRC32 " + crc);
  EXPECT_EQ(services.content_length, 11);
  EXPECT_EQ(services.content_encoding, "gzip");
  services.stored = "nothing";
  EXPECT_NE(send(api::checksum(api::ChecksumAlgorithm::crc32, "x")).body.find("BadDigest"), std::string::npos);
  EXPECT_EQ(services.stored, "nothing");
}

TEST_F(GateTest, AnonymousReachesS3AloneAndOnlyByPolicy) {
  api::RequestParts get;
  get.method = "GET";
  get.path = "/b/k";
  EXPECT_NE(run(head_of(get), "").body.find("<Code>AccessDenied</Code>"), std::string::npos);
  services.bucket.policy = parsed(
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]})",
      policy::Kind::bucket);
  services.bucket.rule = policy::ResourceRule::optional;
  services.key.rule = policy::ResourceRule::none;
  // The object may be read, the key may not: anonymous has no identity that KMS could let through.
  EXPECT_NE(run(head_of(get), "").body.find("AccessDenied"), std::string::npos);
  EXPECT_EQ(services.decrypted, 0);

  kms::DecryptRequest in{"c"};
  auto parts = api::encode_request(kms::op::Decrypt::shape(), &in);
  EXPECT_NE(run(head_of(parts), parts.body).body.find("MissingAuthenticationToken"), std::string::npos);
}

TEST_F(GateTest, LimitsBodiesThatAreReadWhole) {
  Gate::Options options;
  options.body_size_max = 100;
  make(std::move(options));
  kms::DecryptRequest in{std::string(200, 'c')};
  auto parts = api::encode_request(kms::op::Decrypt::shape(), &in);
  auto response = run(signed_head(parts, "kms"), parts.body);
  EXPECT_EQ(response.status, 413);
  // Announced small, sent large.
  parts.body = std::string(50, '{');
  auto head = signed_head(parts, "kms");
  head.content_length.reset();
  head.chunked = true;
  EXPECT_EQ(run(std::move(head), std::string(500, '{')).status, 413);

  api::RequestParts post;
  post.method = "POST";
  post.path = "/b";
  post.query = "delete";
  post.body = std::string(200, 'x');
  post.headers.set("Content-MD5", base64(crypto::md5(post.body)));
  response = run(signed_head(post, "s3"), post.body);
  EXPECT_NE(response.body.find("MaxMessageLengthExceeded"), std::string::npos) << response.body;
  EXPECT_EQ(services.deleted, 0);
}

TEST_F(GateTest, RequiresAChecksumWhereTheModelDoes) {
  api::RequestParts post;
  post.method = "POST";
  post.path = "/b";
  post.query = "delete";
  post.body = "<Delete><Object><Key>k</Key></Object></Delete>";
  auto response = run(signed_head(post, "s3"), post.body);
  EXPECT_NE(response.body.find("Content-MD5"), std::string::npos) << response.body;
  post.headers.set("Content-MD5", base64(crypto::md5(post.body)));
  response = run(signed_head(post, "s3"), post.body);
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(services.deleted, 1);
}

TEST_F(GateTest, HostileRequestsAreAnsweredAndTheGateGoesOn) {
  struct Case {
    const char *method, *target;
    std::vector<std::pair<const char*, const char*>> headers;
    const char* body;
  };
  const Case cases[] = {
      {"GET", "/", {}, ""},
      {"", "", {}, ""},
      {"POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}}, "Action=DoesNotExist&Version=2011-06-15"},
      {"POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}}, "%%%=%%%&Action"},
      {"POST", "/", {{"X-Amz-Target", "TrentService.Nonsense"}}, "{"},
      {"POST", "/", {{"X-Amz-Target", "\xff\xfe"}}, "\0"},
      {"POST", "/", {{"Authorization", "AWS4-HMAC-SHA256 Credential=/////"}}, ""},
      {"POST",
       "/",
       {{"Authorization",
         "AWS4-HMAC-SHA256 Credential=A/20250101/us-east-1/nowhere/aws4_request, SignedHeaders=host, Signature=0"}},
       ""},
      {"POST", "/", {{"Authorization", "Bearer x"}}, ""},
      {"PUT", "/b/%zz", {{"Content-Length", "-1"}}, "x"},
      {"PUT", "/b/k?partNumber=99999999999999999999&uploadId=x", {}, "x"},
      {"GET", "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=-5", {}, ""},
      {"DELETE", "/b?policy&policy&versioning", {}, ""},
      {"PUT",
       "/b/k",
       {{"x-amz-decoded-content-length", "abc"}, {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}},
       "x"},
  };
  for (auto& c : cases) {
    api::RequestHead head;
    head.method = c.method;
    head.target = c.target;
    for (auto& [n, v] : c.headers) head.headers.add(n, v);
    auto unsized = head;
    unsized.chunked = true;
    EXPECT_GE(run(std::move(unsized), c.body).status, 400) << c.method << " " << c.target;
    head.content_length = std::string_view(c.body).size();
    auto response = run(std::move(head), c.body);
    EXPECT_GE(response.status, 400) << c.method << " " << c.target;
    EXPECT_LT(response.status, 502) << c.method << " " << c.target;
  }
  EXPECT_EQ(run(signed_head(put("still here"), "s3"), "still here").status, 200);
}

TEST_F(GateTest, ExpiredSessionsEndAlsoInside) {
  auto session = std::make_shared<Caller>(*directory.callers[kAlice]);
  session->temporary = true;
  session->expires = clock.now().plus_seconds(10);
  Call call = as(kAlice);
  call.caller = session;
  EXPECT_TRUE(gate->call<kms::op::Decrypt>(call, {"c"}));
  clock.advance_seconds(10);
  EXPECT_EQ(gate->call<kms::op::Decrypt>(call, {"c"}).error().kind->code, "ExpiredToken");
}

TEST_F(GateTest, VpcEndpointsNeedAKnownPolicy) {
  Call call = as(kAlice);
  call.path.vpc_endpoint_id = "vpce-1";
  call.path.vpc_id = "vpc-1";
  EXPECT_FALSE(gate->call<kms::op::Decrypt>(call, {"c"}));
  auto only_s3 =
      parsed(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]})",
             policy::Kind::endpoint);
  gate->set_endpoint_policies([&](std::string_view) -> Result<policy::PolicyPtr> { return only_s3; });
  EXPECT_FALSE(gate->call<kms::op::Decrypt>(call, {"c"}));
}

TEST_F(GateTest, LookupEventsFindsByRequestIdUnlessStrict) {
  Call call = as(kAlice);
  ASSERT_TRUE(gate->call<kms::op::Decrypt>(call, {"c"}));
  api::cloudtrail::LookupEventsRequest in;
  in.LookupAttributes = std::vector<api::cloudtrail::LookupAttribute>{{"RequestId", call.request_id}};
  auto out = gate->call<api::cloudtrail::op::LookupEvents>(as(kAlice), in);
  ASSERT_TRUE(out) << out.error().message;
  ASSERT_EQ(out->Events->size(), 1u);
  EXPECT_EQ(*(*out->Events)[0].EventName, "Decrypt");
  in.LookupAttributes = std::vector<api::cloudtrail::LookupAttribute>{{"ResourceType", "AWS::KMS::Key"}};
  EXPECT_EQ(gate->call<api::cloudtrail::op::LookupEvents>(as(kAlice), in)->Events->size(), 1u);
  EXPECT_EQ(gate->call<api::cloudtrail::op::LookupEvents>(as(kOther), in)->Events->size(), 0u);
  Gate::Options options;
  options.strict = true;
  make(std::move(options));
  in.LookupAttributes = std::vector<api::cloudtrail::LookupAttribute>{{"RequestId", call.request_id}};
  EXPECT_FALSE(gate->call<api::cloudtrail::op::LookupEvents>(as(kAlice), in));
}

// -- presence of the global keys: absence decides
// ----------------------------------------------------------------------------------------

TEST(RequestContext, KeysAreThereExactlyWhereAwsSetsThem) {
  PrincipalPolicies in_org;
  in_org.organization_id = "o-1";
  in_org.organization_path = "o-1/r-1/";
  in_org.tags = {{"Team", "blue"}, {"Cost", "1"}};
  auto keys = [&](
                  const Caller& caller, std::function<void(Call&)> change = [](Call&) {}) {
    Call call;
    call.caller = std::make_shared<Caller>(caller);
    call.region = "us-east-1";
    call.path.peer = *Ip::parse("203.0.113.7");
    change(call);
    policy::Context c;
    fill_request_context(c, call, in_org, "kms");
    std::map<std::string, std::string> out;
    for (auto& item : c.items()) out[std::string(item.key)] = std::string(item.values[0]);
    return out;
  };
  Caller user;
  user.type = PrincipalType::user;
  user.account = kAlice;
  user.arn = user.issuer_arn = "arn:aws:iam::111122223333:user/alice";
  user.user_name = "alice";
  user.user_id = "AIDA1";
  auto k = keys(user);
  EXPECT_EQ(k["aws:PrincipalArn"], user.arn);
  EXPECT_EQ(k["aws:username"], "alice");
  EXPECT_EQ(k["aws:PrincipalType"], "User");
  EXPECT_EQ(k["aws:SourceIp"], "203.0.113.7");
  EXPECT_EQ(k["aws:SecureTransport"], "false");
  EXPECT_EQ(k["aws:ViaAWSService"], "false");
  EXPECT_EQ(k["aws:PrincipalOrgID"], "o-1");
  EXPECT_EQ(k["kms:CallerAccount"], kAlice);
  for (auto* absent :
       {"aws:TokenIssueTime", "aws:MultiFactorAuthPresent", "aws:CalledVia", "aws:SourceVpce", "aws:VpcSourceIp",
        "aws:SourceAccount", "aws:SourceIdentity", "aws:UserAgent", "aws:Referer", "kms:ViaService", "aws:PrincipalServiceName"})
    EXPECT_FALSE(k.contains(absent)) << absent;

  Caller role;
  role.type = PrincipalType::assumed_role;
  role.account = kAlice;
  role.arn = "arn:aws:sts::111122223333:assumed-role/r/s";
  role.issuer_arn = "arn:aws:iam::111122223333:role/r";
  role.temporary = true;
  role.session_tags = {{"TEAM", "red"}};
  k = keys(role, [](Call& c) { c = c.forwarded_by("s3"); });
  EXPECT_EQ(k["aws:PrincipalArn"], role.issuer_arn);
  EXPECT_EQ(k["aws:PrincipalTag/TEAM"], "red");
  EXPECT_FALSE(k.contains("aws:PrincipalTag/Team"));
  EXPECT_EQ(k["aws:PrincipalTag/Cost"], "1");
  EXPECT_EQ(k["aws:ViaAWSService"], "true");
  EXPECT_EQ(k["aws:CalledViaFirst"], "s3.amazonaws.com");
  EXPECT_EQ(k["kms:ViaService"], "s3.us-east-1.amazonaws.com");
  EXPECT_TRUE(k.contains("aws:TokenIssueTime"));
  EXPECT_FALSE(k.contains("aws:username"));

  k = keys(user, [](Call& c) { c.path.vpc_endpoint_id = "vpce-1", c.path.vpc_id = "vpc-1"; });
  EXPECT_FALSE(k.contains("aws:SourceIp"));
  EXPECT_EQ(k["aws:VpcSourceIp"], "203.0.113.7");
  EXPECT_EQ(k["aws:SourceVpc"], "vpc-1");

  k = keys(*service_caller("redshift.amazonaws.com"));
  EXPECT_EQ(k["aws:PrincipalIsAWSService"], "true");
  EXPECT_EQ(k["aws:PrincipalServiceName"], "redshift.amazonaws.com");
  EXPECT_FALSE(k.contains("aws:PrincipalOrgID"));
  EXPECT_FALSE(k.contains("aws:PrincipalArn"));
  EXPECT_FALSE(k.contains("kms:CallerAccount"));

  k = keys(*anonymous_caller());
  EXPECT_EQ(k["aws:PrincipalAccount"], "anonymous");
  EXPECT_EQ(k["aws:PrincipalType"], "Anonymous");
  EXPECT_FALSE(k.contains("aws:PrincipalArn"));
  EXPECT_FALSE(k.contains("aws:PrincipalTag/Team"));
}

TEST(GateDeathTest, ARowWithAnEmptyListOfNeedsAbortsAtStart) {
  auto file = std::filesystem::temp_directory_path() / ("redoubt-death-" + random_text(12, "abcdefgh"));
  auto declare = [&] {
    FakeDirectory directory;
    ManualClock clock;
    auto audit = *Audit::open(file.string());
    Gate gate(directory, *audit, clock, {});
    gate.add<kms::op::Decrypt>(
        {.needs = {}, .handler = [](auto&) -> Result<kms::DecryptResponse> { return kms::DecryptResponse{}; }});
  };
  EXPECT_DEATH(declare(), "");
  for (auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
}

}  // namespace redoubt::access
