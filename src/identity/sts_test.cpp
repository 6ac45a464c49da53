#include "identity/world_test_support.h"

namespace redoubt::identity {

using namespace api::sts::op;
namespace iam = api::iam;

TEST(Sts, AdminIsWhoItIsOverSignedHttp) {
  World w;
  auto me = ok(w.http<GetCallerIdentity>(w.admin_keys(), {}));
  EXPECT_EQ(*me.Account, World::kAccount);
  EXPECT_EQ(*me.Arn, "arn:aws:iam::111122223333:user/admin");
  EXPECT_TRUE(me.UserId->starts_with("AIDA"));
}

TEST(Sts, AssumeRoleEndToEndOverSignedHttp) {
  World w;
  w.make_role(w.as_admin(), "reader", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:root"})"),
              World::allowing("iam:ListUsers"));
  auto keys = w.assume(w.admin_keys(), World::role_request(World::role_arn("reader"), "s1"));
  EXPECT_TRUE(keys.id.starts_with("ASIA"));
  auto me = ok(w.http<GetCallerIdentity>(keys, {}));
  EXPECT_EQ(*me.Arn, "arn:aws:sts::111122223333:assumed-role/reader/s1");
  EXPECT_TRUE(w.http<iam::op::ListUsers>(keys, {}));
  auto denied = w.http<iam::op::ListRoles>(keys, {});
  ASSERT_FALSE(denied);
  EXPECT_EQ(why(denied.error()),
            "AccessDenied: User: arn:aws:sts::111122223333:assumed-role/reader/s1 is not authorized to perform: iam:ListRoles on "
            "resource: * "
            "because no identity-based policy allows the iam:ListRoles action");
}

TEST(Sts, SessionsSurviveARestartAndFollowTodaysPolicies) {
  World w;
  w.make_role(w.as_admin(), "reader", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:root"})"),
              World::allowing("iam:ListUsers"));
  auto keys = w.assume(w.admin_keys(), World::role_request(World::role_arn("reader")));
  w.restart();
  EXPECT_TRUE(w.http<iam::op::ListUsers>(keys, {}));
  ok(w.call<iam::op::DeleteRolePolicy>(w.as_admin(), {"reader", "inline"}));
  EXPECT_FALSE(w.http<iam::op::ListUsers>(keys, {}));
}

TEST(Sts, ChainedSessionsLastAnHourAtMost) {
  World w;
  w.make_role(w.as_admin(), "a", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:root"})"),
              World::allowing("sts:AssumeRole"));
  w.make_role(w.as_admin(), "b", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:role/a"})"));
  iam::UpdateRoleRequest longer;
  longer.RoleName = "b";
  longer.MaxSessionDuration = 43200;
  ok(w.call<iam::op::UpdateRole>(w.as_admin(), longer));
  auto a = w.assume(w.admin_keys(), World::role_request(World::role_arn("a")));
  auto in = World::role_request(World::role_arn("b"));
  in.DurationSeconds = 3601;
  EXPECT_EQ(
      w.refused(a, in),
      "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
  in.DurationSeconds = 3600;
  EXPECT_EQ(w.refused(a, in), "");
  in = World::role_request(World::role_arn("a"));
  in.DurationSeconds = 7200;
  EXPECT_EQ(w.refused(w.admin_keys(), in),
            "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
}

TEST(Sts, TrustNamingTheUserDirectlyNeedsNoIdentityPolicyButTheAccountDoes) {
  World w;
  auto bob = w.make_user(w.as_admin(), "bob");
  w.make_role(w.as_admin(), "direct", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:user/bob"})"));
  w.make_role(w.as_admin(), "delegated", World::trusting(R"({"AWS":"111122223333"})"));
  EXPECT_EQ(w.refused(bob, World::role_request(World::role_arn("direct"))), "");
  EXPECT_EQ(w.refused(bob, World::role_request(World::role_arn("delegated"))),
            "AccessDenied: User: arn:aws:iam::111122223333:user/bob is not authorized to perform: sts:AssumeRole on resource: "
            "arn:aws:iam::111122223333:role/delegated");
}

TEST(Sts, ARoleThatDoesNotExistIsDeniedInTheSameWords) {
  World w;
  w.make_role(w.as_admin(), "there", World::trusting(R"({"Service":"redshift.amazonaws.com"})"));
  for (auto* account : {World::kAccount, "999988887777"}) {
    std::string arn = World::role_arn("missing", account);
    EXPECT_EQ(
        w.refused(w.admin_keys(), World::role_request(arn)),
        "AccessDenied: User: arn:aws:iam::111122223333:user/admin is not authorized to perform: sts:AssumeRole on resource: " +
            arn);
  }
  std::string arn = World::role_arn("there");
  EXPECT_EQ(
      w.refused(w.admin_keys(), World::role_request(arn)),
      "AccessDenied: User: arn:aws:iam::111122223333:user/admin is not authorized to perform: sts:AssumeRole on resource: " +
          arn);
}

TEST(Sts, AServiceAssumesWhoTrustsItAndExternalIdMustMatch) {
  World w;
  w.make_role(
      w.as_admin(), "cluster",
      World::trusting(R"({"Service":"redshift.amazonaws.com"})", R"(,"Condition":{"StringEquals":{"sts:ExternalId":"x-1"}})"));
  auto service = w.gate->call_as_service(w.gate->new_call(access::anonymous_caller(), w.path()), "redshift.amazonaws.com");
  auto in = World::role_request(World::role_arn("cluster"));
  EXPECT_FALSE(w.call<AssumeRole>(service, in));
  in.ExternalId = "x-1";
  auto out = ok(w.call<AssumeRole>(service, in));
  auto me = ok(w.http<GetCallerIdentity>(World::keys_of(out), {}));
  EXPECT_EQ(*me.Arn, "arn:aws:sts::111122223333:assumed-role/cluster/session");
  auto other = w.gate->call_as_service(service, "ec2.amazonaws.com");
  EXPECT_FALSE(w.call<AssumeRole>(other, in));
}

TEST(Sts, SessionPoliciesAndTagsBindTheSession) {
  World w;
  w.make_role(w.as_admin(), "wide", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:root"})"), World::allowing("iam:*"));
  auto in = World::role_request(World::role_arn("wide"));
  in.Policy = World::allowing("iam:ListUsers");
  auto narrow = w.assume(w.admin_keys(), in);
  EXPECT_TRUE(w.http<iam::op::ListUsers>(narrow, {}));
  auto denied = w.http<iam::op::ListRoles>(narrow, {});
  ASSERT_FALSE(denied);
  EXPECT_NE(denied.error().message.find("because no session policy allows the iam:ListRoles action"), std::string::npos)
      << denied.error().message;

  std::string team = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
    "Condition":{"StringEquals":{"aws:PrincipalTag/Team":"blue"}}}]})";
  w.make_role(w.as_admin(), "tagged", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:root"})"), team);
  in = World::role_request(World::role_arn("tagged"));
  EXPECT_FALSE(w.http<iam::op::ListUsers>(w.assume(w.admin_keys(), in), {}));
  in.Tags = std::vector<api::sts::Tag>{{"team", "blue"}};
  EXPECT_TRUE(w.http<iam::op::ListUsers>(w.assume(w.admin_keys(), in), {}));
}

TEST(Sts, TransitiveTagsGoDownTheChainAndCannotBeReplaced) {
  World w;
  w.make_role(w.as_admin(), "first", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:root"})"), World::allowing("sts:*"));
  std::string blue_only = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
    "Condition":{"StringEquals":{"aws:PrincipalTag/Team":"blue"}}}]})";
  w.make_role(w.as_admin(), "second", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:role/first"})"), blue_only);
  auto in = World::role_request(World::role_arn("first"));
  in.Tags = std::vector<api::sts::Tag>{{"Team", "blue"}, {"Other", "x"}};
  in.TransitiveTagKeys = std::vector<std::string>{"Team"};
  in.SourceIdentity = "alice";
  auto first = w.assume(w.admin_keys(), in);
  auto second = ok(w.http<AssumeRole>(first, World::role_request(World::role_arn("second"))));
  EXPECT_EQ(*second.SourceIdentity, "alice");
  EXPECT_TRUE(w.http<iam::op::ListUsers>(World::keys_of(second), {}));
  auto replacing = World::role_request(World::role_arn("second"));
  replacing.Tags = std::vector<api::sts::Tag>{{"TEAM", "red"}};
  EXPECT_TRUE(w.refused(first, replacing).starts_with("InvalidParameterValue: One of the specified transitive tag keys"));
  replacing.Tags.reset();
  replacing.SourceIdentity = "mallory";
  EXPECT_TRUE(w.refused(first, replacing).starts_with("ValidationError"));
}

TEST(Sts, SessionTokensOfUsersCallNoIamAndFederatedUsersOnlyWhatWasPassed) {
  World w;
  auto out = ok(w.http<GetSessionToken>(w.admin_keys(), {}));
  World::Keys session{out.Credentials->AccessKeyId, out.Credentials->SecretAccessKey, out.Credentials->SessionToken};
  EXPECT_TRUE(w.http<GetCallerIdentity>(session, {}));
  EXPECT_EQ(w.http<iam::op::ListUsers>(session, {}).error().kind->code, "InvalidClientTokenId");
  EXPECT_FALSE(w.http<GetSessionToken>(session, {}));
  api::sts::GetFederationTokenRequest in;
  in.Name = "fred";
  auto fed = ok(w.http<GetFederationToken>(w.admin_keys(), in));
  World::Keys federated{fed.Credentials->AccessKeyId, fed.Credentials->SecretAccessKey, fed.Credentials->SessionToken};
  EXPECT_EQ(*ok(w.http<GetCallerIdentity>(federated, {})).Arn, "arn:aws:sts::111122223333:federated-user/fred");
  EXPECT_FALSE(w.http<api::organizations::op::DescribeOrganization>(federated, {}));
}

TEST(Sts, NotBuiltOperationsErrByName) {
  World w;
  api::sts::AssumeRoleWithWebIdentityRequest in{World::role_arn("r"), "s", std::string(20, 't')};
  auto out = w.http<AssumeRoleWithWebIdentity>(w.admin_keys(), in);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind->code, "NotImplemented");
  EXPECT_NE(out.error().message.find("AssumeRoleWithWebIdentity"), std::string::npos);
}

// -- attacks
// --------------------------------------------------------------------------------------------------------------------------

TEST(Sts, ADeletedAndRecreatedRoleIsSomebodyElse) {
  World w;
  std::string root = World::trusting(R"({"AWS":"arn:aws:iam::111122223333:root"})");
  w.make_role(w.as_admin(), "ci", root, World::allowing("sts:AssumeRole"));
  w.make_role(w.as_admin(), "prod", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:role/ci"})"));
  auto old = w.assume(w.admin_keys(), World::role_request(World::role_arn("ci")));
  EXPECT_EQ(w.refused(old, World::role_request(World::role_arn("prod"))), "");
  ok(w.call<iam::op::DeleteRolePolicy>(w.as_admin(), {"ci", "inline"}));
  ok(w.call<iam::op::DeleteRole>(w.as_admin(), {"ci"}));
  EXPECT_TRUE(w.refused(old, World::role_request(World::role_arn("prod"))).starts_with("InvalidClientTokenId"));
  w.make_role(w.as_admin(), "ci", root, World::allowing("sts:AssumeRole"));
  EXPECT_TRUE(w.refused(old, World::role_request(World::role_arn("prod"))).starts_with("InvalidClientTokenId"));
  auto fresh = w.assume(w.admin_keys(), World::role_request(World::role_arn("ci")));
  EXPECT_TRUE(w.refused(fresh, World::role_request(World::role_arn("prod"))).starts_with("AccessDenied"));
  auto shown = ok(w.call<iam::op::GetRole>(w.as_admin(), {"prod"}));
  EXPECT_NE(shown.Role.AssumeRolePolicyDocument->find("AROA"), std::string::npos);
}

TEST(Sts, TokensOpenOnlyWithTheirOwnKeyAndOnlyInTime) {
  World w;
  w.make_role(w.as_admin(), "r", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:root"})"));
  auto a = w.assume(w.admin_keys(), World::role_request(World::role_arn("r")));
  auto b = w.assume(w.admin_keys(), World::role_request(World::role_arn("r")));
  auto code = [&](const World::Keys& k) {
    auto out = w.http<GetCallerIdentity>(k, {});
    return out ? std::string() : std::string(out.error().kind->code);
  };
  EXPECT_EQ(code(a), "");
  EXPECT_EQ(code({a.id, a.secret, b.token}), "InvalidClientTokenId");
  EXPECT_EQ(code({a.id, a.secret, ""}), "InvalidClientTokenId");
  EXPECT_EQ(code({a.id, b.secret, a.token}), "SignatureDoesNotMatch");
  EXPECT_EQ(code({w.admin.access_key_id, w.admin.secret_access_key, a.token}), "InvalidClientTokenId");
  EXPECT_EQ(code({"AKIAIOSFODNN7EXAMPLE", a.secret, ""}), "InvalidClientTokenId");
  for (size_t at : {size_t(0), size_t(5), a.token.size() / 2, a.token.size() - 3}) {
    auto forged = a;
    forged.token[at] = forged.token[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(code(forged), "InvalidClientTokenId") << at;
  }
  w.clock.advance_seconds(3601);
  EXPECT_EQ(code(a), "ExpiredToken");
}

TEST(Sts, TheScopeIsSigned) {
  World w;
  auto request = w.sign<GetCallerIdentity>(w.admin_keys(), {});
  std::string authorization(request.head.headers.get("Authorization"));
  request.head.headers.set("Authorization", replace_all(authorization, "us-east-1", "eu-west-1"));
  EXPECT_NE(w.send(std::move(request)).body.find("SignatureDoesNotMatch"), std::string::npos);
  request = w.sign<GetCallerIdentity>(w.admin_keys(), {});
  request.head.headers.set("Authorization", replace_all(authorization, "us-east-1", "nowhere"));
  EXPECT_EQ(w.send(std::move(request)).status, 403);
  EXPECT_TRUE(w.http<GetCallerIdentity>(w.admin_keys(), {}, "eu-central-1"));
}

struct BadRequest {
  const char* what;
  std::function<void(api::sts::AssumeRoleRequest&)> change;
  const char* expected;
};
TEST(Sts, HostileAssumeRoleRequests) {
  World w;
  w.make_role(w.as_admin(), "r", World::trusting(R"({"AWS":"arn:aws:iam::111122223333:root"})"));
  using Tags = std::vector<api::sts::Tag>;
  std::string large =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::)" +
      std::string(2100, 'x') + "\"}]}";
  const BadRequest cases[] = {
      {"path in front of a name", [](auto& in) { in.RoleArn = "arn:aws:iam::111122223333:role/x/r"; }, "AccessDenied"},
      {"path that climbs", [](auto& in) { in.RoleArn = "arn:aws:iam::111122223333:role/x/../r"; }, "AccessDenied"},
      {"another case", [](auto& in) { in.RoleArn = "arn:aws:iam::111122223333:role/R"; }, "AccessDenied"},
      {"ROLE", [](auto& in) { in.RoleArn = "arn:aws:iam::111122223333:ROLE/r"; }, "ValidationError"},
      {"a user", [](auto& in) { in.RoleArn = "arn:aws:iam::111122223333:user/admin"; }, "ValidationError"},
      {"no ARN at all", [](auto& in) { in.RoleArn = "rolerolerolerolerolerole"; }, "ValidationError"},
      {"another partition", [](auto& in) { in.RoleArn = "arn:aws-cn:iam::111122223333:role/r"; }, "ValidationError"},
      {"session name with a slash", [](auto& in) { in.RoleSessionName = "a/b"; }, "ValidationError"},
      {"session name too short", [](auto& in) { in.RoleSessionName = "a"; }, "ValidationError"},
      {"session policy too long", [&](auto& in) { in.Policy = large; }, "ValidationError"},
      {"session policy that isn't one", [](auto& in) { in.Policy = "{}"; }, "MalformedPolicyDocument"},
      {"session policy with a principal",
       [](auto& in) {
         in.Policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]})";
       },
       "MalformedPolicyDocument"},
      {"managed policy that isn't there",
       [](auto& in) { in.PolicyArns = std::vector<api::sts::PolicyDescriptorType>{{"arn:aws:iam::111122223333:policy/none"}}; },
       "MalformedPolicyDocument"},
      {"reserved tag", [](auto& in) { in.Tags = Tags{{"AWS:PrincipalTag", "x"}}; }, "InvalidParameterValue"},
      {"tags that differ in case", [](auto& in) { in.Tags = Tags{{"Team", "a"}, {"TEAM", "b"}}; }, "InvalidParameterValue"},
      {"transitive key without its tag", [](auto& in) { in.TransitiveTagKeys = std::vector<std::string>{"Team"}; },
       "InvalidParameterValue"},
      {"more tags than the token holds",
       [](auto& in) {
         in.Tags = Tags{};
         for (int i = 0; i < 50; ++i) in.Tags->push_back({"key" + std::to_string(i), std::string(200, 'v')});
       },
       "PackedPolicyTooLarge"},
      {"reserved source identity", [](auto& in) { in.SourceIdentity = "aws:me"; }, "ValidationError"},
      {"MFA",
       [](auto& in) {
         in.SerialNumber = "GAHT12345678";
         in.TokenCode = "123456";
       },
       "InvalidParameterValue"},
  };
  for (auto& c : cases) {
    auto in = World::role_request(World::role_arn("r"));
    c.change(in);
    auto out = w.http<AssumeRole>(w.admin_keys(), in);
    EXPECT_EQ(out ? "" : std::string(out.error().kind->code), c.expected) << c.what << ": " << (out ? "" : out.error().message);
  }
}

}  // namespace redoubt::identity
