#include "policy/policy.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <new>

#include "base/json.h"
#include "policy/decide.h"
#include "policy/simulate.h"

namespace {
thread_local size_t allocations = 0;
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kCountsAllocations = false;  // the sanitizer has an operator new of its own, which can't be replaced
#else
constexpr bool kCountsAllocations = true;
#endif
}  // namespace
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
// Counts, so that a test can say that decide allocates nothing.
void* operator new(size_t n) {
  ++allocations;
  if (void* p = malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { free(p); }
void operator delete(void* p, size_t) noexcept { free(p); }
#endif

namespace redoubt::policy {
namespace {
PolicyPtr must_parse(std::string_view text, Kind kind) {
  auto p = parse(text, kind);
  EXPECT_TRUE(p) << (p ? "" : p.error().message);
  return p ? *p : nullptr;
}

constexpr std::string_view kTrust = R"({
  "Version": "2012-10-17",  "Statement": [
    {"Sid": "A", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:role/r", "*"], "Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    {"Effect": "Deny", "NotPrincip\u0061l": {"AWS" : "arn:aws:iam::111122223333:user\/u"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"Principal": "x"}}} ]
})";

TEST(Policy, SaysWhatItHolds) {
  auto p = must_parse(kTrust, Kind::trust);
  EXPECT_EQ(p->document(), kTrust);
  EXPECT_EQ(p->version(), "2012-10-17");
  EXPECT_EQ(p->statement_count(), 2u);
  EXPECT_EQ(p->statement(0).sid, "A");
  EXPECT_TRUE(p->statement(0).allow);
  EXPECT_EQ(p->statement(1).sid, "");
  auto principals = p->principals();
  ASSERT_EQ(principals.size(), 4u);
  EXPECT_EQ(principals[1].value, "*");
  EXPECT_EQ(principals[2].type, "Service");
  EXPECT_EQ(principals[3].value, "arn:aws:iam::111122223333:user/u");
  EXPECT_TRUE(principals[3].negated);
  EXPECT_EQ(must_parse(R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})", Kind::identity)->version(),
            "2008-10-17");
}

TEST(Policy, CountsSizeWithoutWhiteSpaceInCharacters) {
  EXPECT_EQ(counted_size(" {\n\t\"a\" : \"é\" }\r"), 9u);
  EXPECT_EQ(counted_size(""), 0u);
}

TEST(Policy, RewritingPrincipalsKeepsEveryOtherByte) {
  std::vector<std::string> asked;
  auto same = rewrite_principals(kTrust, [&](auto type, auto value) -> Result<std::string> {
    asked.push_back(std::string(type) + " " + std::string(value));
    return std::string(value);
  });
  ASSERT_TRUE(same);
  EXPECT_EQ(*same, kTrust);
  EXPECT_EQ(asked, (std::vector<std::string>{"AWS arn:aws:iam::111122223333:role/r", "AWS *", "Service ec2.amazonaws.com",
                                             "AWS arn:aws:iam::111122223333:user/u"}));
  auto there = rewrite_principals(kTrust, [](auto, auto value) -> Result<std::string> {
    return std::string(value == "arn:aws:iam::111122223333:role/r" ? "AROAANALYST000000001" : value);
  });
  ASSERT_TRUE(there);
  std::string expected(kTrust);
  expected.replace(expected.find("arn:aws:iam::111122223333:role/r"), 32, "AROAANALYST000000001");
  EXPECT_EQ(*there, expected);
  auto back = rewrite_principals(*there, [](auto, auto value) -> Result<std::string> {
    return std::string(value == "AROAANALYST000000001" ? "arn:aws:iam::111122223333:role/r" : value);
  });
  EXPECT_EQ(back.value_or(""), kTrust);
}

TEST(Policy, RewritingPrincipalsFailsWithTheCallersError) {
  auto r = rewrite_principals(kTrust, [](auto, auto value) -> Result<std::string> {
    if (value == "*") return fail(kMalformedPolicyDocument, "no stars");
    return std::string(value);
  });
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "no stars");
  auto id = [](auto, auto value) -> Result<std::string> { return std::string(value); };
  EXPECT_FALSE(rewrite_principals("[]", id));
  EXPECT_FALSE(rewrite_principals("{", id));
  EXPECT_FALSE(rewrite_principals(R"({"Statement":{"Principal":7}})", id));
  EXPECT_FALSE(rewrite_principals(R"({"Statement":[7]})", id));
  auto star =
      rewrite_principals(R"({"Statement":{"Principal":"*"}})", [](auto, auto) -> Result<std::string> { return "111122223333"; });
  EXPECT_EQ(star.value_or(""), R"({"Statement":{"Principal":{"AWS":"111122223333"}}})");
}

TEST(Policy, BucketResourcesNameTheBucket) {
  auto check = [](std::string_view resource) {
    std::string text =
        R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":")" + std::string(resource) + "\"}}";
    return check_bucket_resources(*must_parse(text, Kind::bucket), "mine").has_value();
  };
  EXPECT_TRUE(check("arn:aws:s3:::mine"));
  EXPECT_TRUE(check("arn:aws:s3:::mine/*"));
  EXPECT_TRUE(check("arn:aws:s3:::mine*"));
  EXPECT_FALSE(check("*"));
  EXPECT_FALSE(check("arn:aws:s3:::*"));
  EXPECT_FALSE(check("arn:aws:s3:::mine2/*"));
  EXPECT_FALSE(check("arn:aws:s3:::min?/*"));
}

TEST(Policy, ActionPatterns) {
  EXPECT_TRUE(action_matches("s3:Get*", "S3:getObject"));
  EXPECT_TRUE(action_matches("*", "kms:Decrypt"));
  EXPECT_FALSE(action_matches("s3:Get?", "s3:GetObject"));
}

TEST(Context, InheritsOverridesAndClears) {
  Context base, context(&base);
  base.set("aws:SourceIp", "10.0.0.1");
  base.set_list("aws:TagKeys", {"a", "b"});
  EXPECT_EQ(context.get("AWS:sourceip"), "10.0.0.1");
  context.set("aws:sourceIP", "10.0.0.2");
  context.set_list("aws:tagkeys", std::span<const std::string_view>());
  context.set_bool("aws:SecureTransport", true);
  context.set_int("s3:max-keys", 5);
  EXPECT_EQ(context.get("aws:SourceIp"), "10.0.0.2");
  EXPECT_TRUE(context.find("aws:TagKeys").empty());
  EXPECT_EQ(context.items().size(), 3u);
  context.set("copy", context.get("aws:SourceIp"));
  context.set_list("all", context.find("aws:SecureTransport"));
  EXPECT_EQ(context.get("copy"), "10.0.0.2");
  EXPECT_EQ(context.get("all"), "true");
  std::string large(10000, 'x');
  for (int i = 0; i < 100; ++i) context.set("key" + std::to_string(i), large);
  EXPECT_EQ(context.get("KEY77"), large);
  EXPECT_EQ(context.get("copy"), "10.0.0.2");
}

TEST(Decide, AllocatesNothingWhenItAllows) {
  auto identity = must_parse(
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:Decrypt"],"Resource":["arn:aws:s3:::b/${aws:username}/*","arn:aws:kms:*:*:key/*"],
        "Condition":{"StringLike":{"aws:username":"*li?e"},"IpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]},"NumericLessThan":{"aws:n":"10.5"},"DateGreaterThan":{"aws:t":"2020-01-01T00:00:00Z"},
        "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/${aws:username}"},"Bool":{"aws:b":"true"},"ForAllValues:StringEqualsIgnoreCase":{"aws:TagKeys":["a","b"]},"BinaryEquals":{"aws:bin":"QmluYXJ5"},"Null":{"aws:none":"true"}}}]})",
      Kind::identity);
  auto bucket = must_parse(
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]})",
      Kind::bucket);
  Context context;
  context.set("aws:username", "alice");
  context.set("aws:SourceIp", "2001:db8:1234:5678:9abc:def0:1234:5678");
  context.set("aws:n", "3.25");
  context.set("aws:t", "2026-01-01T00:00:00.123Z");
  context.set("aws:PrincipalArn", "arn:aws:iam::111122223333:user/alice");
  context.set("aws:b", "true");
  context.set("aws:bin", "QmluYXJ5");
  context.set_list("aws:TagKeys", {"A", "B"});
  context.set("aws:SecureTransport", "true");
  NamedPolicy list[] = {{"p", identity.get()}};
  Layers layers{.resource = {"", bucket.get()}, .resource_rule = ResourceRule::optional, .identity = list};
  Principal alice{.type = PrincipalType::user, .account = "111122223333", .arn = "arn:aws:iam::111122223333:user/alice"};
  Request request{alice, "s3:GetObject", "arn:aws:s3:::b/alice/x", "111122223333", context};
  if (!kCountsAllocations) GTEST_SKIP() << "operator new is the sanitizer's";
  static_cast<void>(decide(layers, request));  // a thread's first decision makes what the next ones use again
  size_t before = allocations;
  Decision d = decide(layers, request);
  size_t after = allocations;
  EXPECT_TRUE(d.allowed());
  EXPECT_EQ(after - before, 0u);
}

/// Documents as large as parse takes, in the shapes that are costly when done naively. What is checked is the answer; that the
/// test ends at all is the point.
TEST(Policy, GiantDocuments) {
  auto statement = [](const std::string& action, const std::string& resource, const std::string& more = "") {
    return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":)" + action + R"(,"Resource":)" + resource + more +
           "}}";
  };
  std::string stars, questions, list, keys, nested, variables;
  while (stars.size() < 100000) stars += "*a?";
  while (questions.size() < 60000) questions += "?";
  while (list.size() < 120000) list += "\"s3:*x*y*z\",";
  for (int i = 0; keys.size() < 120000; ++i) keys += "\"aws:k" + std::to_string(i) + "\":\"v\",";
  while (variables.size() < 100000) variables += "${aws:a}";
  for (int i = 0; i < 60000; ++i) nested += "[";
  keys.pop_back();
  auto ask = [](const std::string& text, std::string_view resource) {
    auto p = must_parse(text, Kind::identity);
    NamedPolicy list[] = {{"p", p.get()}};
    Context context;
    context.set("aws:a", "");
    Principal alice{.type = PrincipalType::user, .account = "111122223333"};
    return decide({.identity = list}, {alice, "s3:GetObject", resource, "", context}).allowed();
  };
  std::string key = "arn:aws:s3:::" + std::string(4000, 'a');
  EXPECT_FALSE(ask(statement("\"*\"", "\"arn:aws:s3:::" + stars + "b\""), key));
  EXPECT_FALSE(ask(statement("\"*\"", "\"arn:aws:s3:::*" + questions + "b\""), key));
  EXPECT_TRUE(ask(statement("\"*\"", "\"arn:aws:s3:::*" + questions.substr(0, 1000) + "a*\""), key));
  EXPECT_TRUE(ask(statement("[" + list + "\"*\"]", "\"*\""), key));
  EXPECT_TRUE(ask(statement("\"*\"", "\"arn:aws:s3:::" + variables + "*\""), key));
  EXPECT_FALSE(ask(statement("\"*\"", "\"*\"", ",\"Condition\":{\"StringEquals\":{" + keys + "}}"), key));
  EXPECT_FALSE(parse(nested, Kind::identity));
  EXPECT_FALSE(parse(R"({"Statement":)" + nested, Kind::identity));
  EXPECT_FALSE(parse(std::string(kDocumentSizeMax + 1, ' '), Kind::identity));
  EXPECT_FALSE(
      parse(statement("\"*\"", "\"*\"", ",\"Condition\":{\"StringEquals\":{" + keys + ",\"AWS:K7\":\"v\"}}"), Kind::identity));
}

TEST(Simulate, NamesStatementsWithTheirPlaces) {
  std::string text =
      "{\"Version\":\"2012-10-17\",\n \"Statement\":[\n  {\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"*\"},\n"
      "  {\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::b/secret\"}]}";
  SimulationInput in{.principal = {.type = PrincipalType::user, .account = "111122223333"}};
  in.identity = {
      {"PolicyInputList.1", "IAM Policy", must_parse(text, Kind::identity)},
      {"PolicyInputList.2", "IAM Policy",
       must_parse(
           R"({"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}})",
           Kind::identity)}};
  in.boundary = {{"PermissionsBoundaryPolicyInputList.1", "IAM Policy",
                  must_parse(R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})", Kind::boundary)}};
  in.actions = {"s3:GetObject", "s3:PutObject", "kms:Decrypt"};
  in.resources = {"arn:aws:s3:::b/k", "arn:aws:s3:::b/secret"};
  auto out = simulate(in);
  ASSERT_EQ(out.size(), 3u);
  auto& get = out[0];
  EXPECT_EQ(decision_text(get.effect), "explicitDeny");
  ASSERT_EQ(get.matched.size(), 1u);
  EXPECT_EQ(get.matched[0].start.line, 4);
  EXPECT_EQ(get.matched[0].start.column, 3);
  EXPECT_EQ(get.matched[0].end.line, 4);
  EXPECT_EQ(get.missing_context_keys, std::vector<std::string>{"aws:SecureTransport"});
  EXPECT_TRUE(get.allowed_by_boundary.value_or(false));
  EXPECT_FALSE(get.allowed_by_organizations.has_value());
  ASSERT_EQ(get.resources.size(), 2u);
  EXPECT_EQ(decision_text(get.resources[0].effect), "allowed");
  ASSERT_EQ(get.resources[0].matched.size(), 1u);
  EXPECT_EQ(get.resources[0].matched[0].source_policy_id, "PolicyInputList.1");
  EXPECT_EQ(get.resources[0].matched[0].start.line, 3);
  EXPECT_EQ(decision_text(out[1].resources[0].effect), "implicitDeny");
  EXPECT_TRUE(out[1].resources[0].matched.empty());
  EXPECT_FALSE(out[2].allowed_by_boundary.value_or(true));

  in.context = {{"aws:securetransport", {"true"}}};
  in.resources.clear();
  auto all = simulate(in);
  EXPECT_EQ(all[0].resources[0].resource, "*");
  EXPECT_EQ(all[0].matched.size(), 2u);
  EXPECT_TRUE(all[0].missing_context_keys.empty());
  EXPECT_EQ(context_keys(in.identity), std::vector<std::string>{"aws:SecureTransport"});
}

TEST(Simulate, CrossAccountNamesBothSides) {
  SimulationInput in{
      .principal = {.type = PrincipalType::user, .account = "444455556666", .arn = "arn:aws:iam::444455556666:user/bob"}};
  in.identity = {{"PolicyInputList.1", "IAM Policy",
                  must_parse(R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})", Kind::identity)}};
  in.resource = SimulatedPolicy{
      "ResourcePolicy", "Resource Policy",
      must_parse(
          R"({"Statement":{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}})",
          Kind::bucket)};
  in.resource_account = "111122223333";
  in.actions = {"s3:GetObject"};
  in.resources = {"arn:aws:s3:::b/k"};
  auto out = simulate(in);
  EXPECT_EQ(decision_text(out[0].effect), "implicitDeny");
  EXPECT_EQ(decision_text(out[0].details["IAM Policy"]), "allowed");
  EXPECT_EQ(decision_text(out[0].details["Resource Policy"]), "implicitDeny");
}
}  // namespace
}  // namespace redoubt::policy
