#include "objects/public_policy.h"

#include <gtest/gtest.h>

namespace redoubt::objects {
namespace {

struct Case {
  const char* because;
  const char* statement;
  bool is_public;
};

// Source: S3 User Guide, "The meaning of public".
constexpr Case kCases[] = {
    {"everybody", R"({"Effect":"Allow","Principal":"*"})", true},
    {"everybody as AWS", R"({"Effect":"Allow","Principal":{"AWS":"*"}})", true},
    {"everybody in a list", R"({"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","*"]}})", true},
    {"every canonical user", R"({"Effect":"Allow","Principal":{"CanonicalUser":"*"}})", true},
    {"everybody but one", R"({"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"}})", true},
    {"an account", R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"}})", false},
    {"a service", R"({"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"}})", false},
    {"a denial opens nothing", R"({"Effect":"Deny","Principal":"*"})", false},
    {"an organization",
     R"({"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}})", false},
    {"key names have no case",
     R"({"Effect":"Allow","Principal":"*","Condition":{"stringequals":{"AWS:principalORGid":"o-abcdefghij"}}})", false},
    {"any organization", R"({"Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}})", true},
    {"StringEquals takes * as a letter",
     R"({"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-*"}}})", false},
    {"if the key is there at all",
     R"({"Effect":"Allow","Principal":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abcdefghij"}}})", true},
    {"every organization but one",
     R"({"Effect":"Allow","Principal":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}})", true},
    {"for all values holds for none too",
     R"({"Effect":"Allow","Principal":"*","Condition":{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}})",
     true},
    {"part of an organization",
     R"({"Effect":"Allow","Principal":"*","Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1/r-b2/*"}}})",
     false},
    {"part of any organization",
     R"({"Effect":"Allow","Principal":"*","Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"*/r-b2/*"}}})", true},
    {"a role",
     R"({"Effect":"Allow","Principal":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/r"}}})",
     false},
    {"any role of an account",
     R"({"Effect":"Allow","Principal":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}})",
     false},
    {"a role of that name in any account",
     R"({"Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/r"}}})", true},
    {"ArnEquals takes wildcards too",
     R"({"Effect":"Allow","Principal":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/r"}}})", true},
    {"sessions of a role", R"({"Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}})",
     false},
    {"any user", R"({"Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:userid":"*"}}})", true},
    {"a policy variable", R"({"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:userid":"${aws:userid}"}}})",
     true},
    {"an address", R"({"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}})", false},
    {"a range",
     R"({"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","198.0.0.0/8"]}}})", false},
    {"half of the Internet", R"({"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"128.0.0.0/1"}}})",
     true},
    {"one range too wide",
     R"({"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}}})", true},
    {"every IPv6 address", R"({"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"::/0"}}})", true},
    {"a private range", R"({"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"172.16.0.0/12"}}})",
     false},
    {"not from there", R"({"Effect":"Allow","Principal":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}})",
     true},
    {"a VPC", R"({"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}})", false},
    {"any VPC endpoint", R"({"Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:SourceVpce":"vpce-*"}}})", true},
    {"what anybody may claim", R"({"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:Referer":"https://a"}}})",
     true},
    {"a prefix is nobody", R"({"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"s3:prefix":"a"}}})", true},
    {"a key that must be absent", R"({"Effect":"Allow","Principal":"*","Condition":{"Null":{"aws:SourceVpce":"true"}}})", true},
    {"one narrow condition among others",
     R"({"Effect":"Allow","Principal":"*","Condition":{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:SourceAccount":"111122223333"}}})",
     false},
    {"an empty list narrows nothing", R"({"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:SourceVpc":[]}}})",
     true},
};

TEST(PublicPolicy, AsTheGuideSays) {
  for (auto& c : kCases) {
    auto alone = Json::parse(std::string(R"({"Statement":)") + c.statement + "}");
    auto list =
        Json::parse(std::string(R"({"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"}},)") + c.statement + "]}");
    ASSERT_TRUE(alone && list) << c.because;
    EXPECT_EQ(is_public(*alone), c.is_public) << c.because;
    EXPECT_EQ(is_public(*list), c.is_public) << c.because;
  }
  EXPECT_FALSE(is_public(Json()));
}

}  // namespace
}  // namespace redoubt::objects
