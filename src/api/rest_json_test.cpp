// rest-json, by a hand-made service: none of operations.txt speaks it yet.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

#include "api/codec.h"
#include "api/errors.h"
#include "api/generated.h"

namespace redoubt::api {
namespace {

using namespace generated;

struct Input {
  std::string Name;
  std::optional<std::vector<std::string>> Keys;
  std::optional<std::string> Token;
  std::optional<int64_t> Count;
};

extern const ServiceShape kService;
constinit const Shape kText{.name = "Text", .type = Type::string, .min = 1};
constinit const Shape kNumber{.name = "Number", .type = Type::integer};
constinit const Shape kTexts{
    .name = "Texts", .type = Type::list, .element = &kText, .element_name = "member", .list = &ListOf<std::string>::value};
constexpr Member kMembers[] = {
    {.name = "Name",
     .wire_name = "name",
     .shape = &kText,
     .offset = offsetof(Input, Name),
     .required = true,
     .location = Location::uri},
    {.name = "Keys",
     .wire_name = "keys",
     .shape = &kTexts,
     .offset = offsetof(Input, Keys),
     .presence = &PresenceOf<std::optional<std::vector<std::string>>>::value,
     .location = Location::query},
    {.name = "Token",
     .wire_name = "x-token",
     .shape = &kText,
     .offset = offsetof(Input, Token),
     .presence = &PresenceOf<std::optional<std::string>>::value,
     .location = Location::header},
    {.name = "Count",
     .wire_name = "count",
     .shape = &kNumber,
     .offset = offsetof(Input, Count),
     .presence = &PresenceOf<std::optional<int64_t>>::value},
};
constinit const StructShape kInput{.name = "Input", .members = kMembers};
constinit const OperationShape kOp{.name = "Put",
                                   .service = &kService,
                                   .method = "PUT",
                                   .uri = "/things/{name}/count",
                                   .input = &kInput,
                                   .output = &kInput,
                                   .has_output = true,
                                   .make_input = make<Input>,
                                   .make_output = make<Input>};
constexpr const OperationShape* kOps[] = {&kOp};
constinit const ServiceShape kService{.name = "things", .protocol = Protocol::rest_json, .operations = kOps};

TEST(RestJson, RequestsComeBack) {
  Input in{.Name = "a/b c", .Keys = {{"x", "y&z"}}, .Token = "t", .Count = 7};
  RequestParts parts = encode_request(kOp, &in);
  EXPECT_EQ(parts.path, "/things/a%2Fb%20c/count");
  EXPECT_EQ(parts.query, "keys=x&keys=y%26z");
  EXPECT_EQ(parts.body, R"({"count":7})");
  RequestHead head;
  head.method = parts.method;
  head.target = parts.path + "?" + parts.query;
  head.headers = parts.headers;
  auto op = route(kService, head, parts.body);
  ASSERT_TRUE(op);
  Input got;
  ASSERT_TRUE(decode_request(**op, head, parts.body, &got));
  EXPECT_EQ(got.Name, in.Name);
  EXPECT_EQ(got.Keys, in.Keys);
  EXPECT_EQ(got.Token, in.Token);
  EXPECT_EQ(got.Count, in.Count);
  EXPECT_EQ(decode_request(**op, head, "[1]", &got).error().kind->code, "SerializationException");
}

TEST(RestJson, AnswersAndErrors) {
  Input out{.Name = "n", .Keys = {}, .Token = "t", .Count = 7};
  Response r = encode_response(kOp, &out, "R");
  EXPECT_EQ(r.body, R"({"count":7})");
  EXPECT_EQ(r.headers.get("x-token"), "t");
  r = encode_error(kService, {&kValidation, "m"}, "R");
  EXPECT_EQ(r.headers.get("x-amzn-errortype"), "ValidationException");
  EXPECT_EQ(decode_error(Protocol::rest_json, r.status, r.headers, r.body).code, "ValidationException");
}

}  // namespace
}  // namespace redoubt::api
