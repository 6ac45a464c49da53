/// The full decision for one S3 GetObject of an encrypted object: identity and bucket policy for s3:GetObject, identity and key
/// policy for the kms:Decrypt that S3 makes as the caller, each with its context built anew. Issue 3 asks for less than 2 us.
#include <benchmark/benchmark.h>

#include "policy/decide.h"

namespace redoubt::policy {
namespace {
struct World {
  PolicyPtr identity, bucket, key;
  NamedPolicy list[1];
  Layers get, decrypt;
  Principal principal{.type = PrincipalType::assumed_role,
                      .account = "111122223333",
                      .arn = "arn:aws:sts::111122223333:assumed-role/team1-tenant-redshift-s3-access-role/redshift",
                      .issuer_arn = "arn:aws:iam::111122223333:role/team1-tenant-redshift-s3-access-role",
                      .unique_id = "AROATEAM1000000000001",
                      .user_id = "AROATEAM1000000000001:redshift"};
  Context who;

  World() {
    auto must = [](std::string_view text, Kind kind) {
      auto p = parse(text, kind);
      CHECK(p);
      return *p;
    };
    identity = must(R"({"Version":"2012-10-17","Statement":[
      {"Sid":"Bucket","Effect":"Allow","Action":["s3:GetBucketLocation","s3:ListBucket"],"Resource":"arn:aws:s3:::team1-data-111122223333-us-east-1"},
      {"Sid":"Objects","Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::team1-data-111122223333-us-east-1/*"},
      {"Sid":"Key","Effect":"Allow","Action":["kms:Decrypt","kms:Encrypt","kms:GenerateDataKey","kms:DescribeKey"],"Resource":"arn:aws:kms:us-east-1:111122223333:key/0f1e2d3c-aaaa-bbbb-cccc-000000000001"}]})",
                    Kind::identity);
    bucket = must(R"({"Version":"2012-10-17","Statement":[
      {"Sid":"TlsOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::team1-data-111122223333-us-east-1","arn:aws:s3:::team1-data-111122223333-us-east-1/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},
      {"Sid":"KmsOnly","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::team1-data-111122223333-us-east-1/*","Condition":{"StringNotEqualsIfExists":{"s3:x-amz-server-side-encryption":"aws:kms"}}}]})",
                  Kind::bucket);
    key = must(R"({"Version":"2012-10-17","Statement":[
      {"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
      {"Sid":"Use","Effect":"Allow","Principal":{"AWS":"AROATEAM1000000000001"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}]})",
               Kind::key);
    list[0] = {"arn:aws:iam::111122223333:policy/tenant", identity.get()};
    get = {.resource = {"", bucket.get()}, .resource_rule = ResourceRule::optional, .identity = list};
    decrypt = {.resource = {"", key.get()}, .resource_rule = ResourceRule::required, .identity = list};
    who.set("aws:PrincipalArn", principal.issuer_arn);
    who.set("aws:PrincipalAccount", principal.account);
    who.set("aws:PrincipalType", "AssumedRole");
    who.set("aws:userid", principal.user_id);
    who.set("aws:TokenIssueTime", "2026-11-24T16:19:10Z");
  }
};

void fill(Context& c) {
  c.set("aws:SourceIp", "10.0.0.7");
  c.set("aws:SecureTransport", "true");
  c.set("aws:ViaAWSService", "false");
  c.set("aws:CurrentTime", "2026-11-24T16:19:10Z");
  c.set("aws:EpochTime", "1795537150");
  c.set("aws:RequestedRegion", "us-east-1");
  c.set("aws:ResourceAccount", "111122223333");
  c.set("aws:UserAgent", "aws-cli/2.15 Python/3.11");
}

constexpr std::string_view kObject = "arn:aws:s3:::team1-data-111122223333-us-east-1/unload/2026/11/24/part-0000.parquet";
constexpr std::string_view kKey = "arn:aws:kms:us-east-1:111122223333:key/0f1e2d3c-aaaa-bbbb-cccc-000000000001";

bool get_object(const World& w, const Context& s3, const Context& kms) {
  return decide(w.get, {w.principal, "s3:GetObject", kObject, "111122223333", s3}).allowed() &&
         decide(w.decrypt, {w.principal, "kms:Decrypt", kKey, "111122223333", kms}).allowed();
}

void GetObjectWithContexts(benchmark::State& state) {
  World w;
  for (auto _ : state) {
    Context s3(&w.who);
    fill(s3);
    s3.set("s3:authType", "REST-HEADER");
    s3.set("s3:signatureversion", "AWS4-HMAC-SHA256");
    s3.set("s3:TlsVersion", "1.3");
    Context kms(&s3);
    kms.set("kms:ViaService", "s3.us-east-1.amazonaws.com");
    kms.set("kms:CallerAccount", "111122223333");
    kms.set("kms:EncryptionContext:aws:s3:arn", kObject);
    kms.set_list("kms:EncryptionContextKeys", {"aws:s3:arn"});
    bool ok = get_object(w, s3, kms);
    CHECK(ok);
    benchmark::DoNotOptimize(ok);
  }
}
BENCHMARK(GetObjectWithContexts);

void GetObjectDecisionsOnly(benchmark::State& state) {
  World w;
  Context s3(&w.who);
  fill(s3);
  Context kms(&s3);
  kms.set("kms:ViaService", "s3.us-east-1.amazonaws.com");
  for (auto _ : state) {
    bool ok = get_object(w, s3, kms);
    CHECK(ok);
    benchmark::DoNotOptimize(ok);
  }
}
BENCHMARK(GetObjectDecisionsOnly);

void ParseIdentityPolicy(benchmark::State& state) {
  World w;
  for (auto _ : state) benchmark::DoNotOptimize(parse(w.identity->document(), Kind::identity));
}
BENCHMARK(ParseIdentityPolicy);
}  // namespace
}  // namespace redoubt::policy

BENCHMARK_MAIN();
