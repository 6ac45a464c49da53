// What botocore sends (recorded by tools/apigen/record.py) is authenticated, routed, decoded, and encoded to the same again.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "api/checksums.h"
#include "api/chunked.h"
#include "api/codec.h"
#include "api/random_value.h"
#include "api/services.h"
#include "api/sigv4.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

struct Recorded {
  std::string service, operation, style, body;
  RequestHead head;
};

std::vector<Recorded> recorded() {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "testdata" / "botocore_requests.json");
  std::stringstream text;
  text << file.rdbuf();
  auto all = Json::parse(text.str());
  CHECK(all);
  std::vector<Recorded> out;
  for (auto& j : all->items()) {
    Recorded r{j["service"].str(), j["operation"].str(), j["style"].str(), *unbase64(j["body"].str()), {}};
    r.head.method = j["method"].str();
    r.head.target = j["target"].str();
    for (auto& h : j["headers"].items()) r.head.headers.add(h[0].str(), h[1].str());
    out.push_back(std::move(r));
  }
  return out;
}

const ServiceShape& service_named(std::string_view name) {
  for (auto* s : services())
    if (s->name == name) return *s;
  CHECK(false);
}

/// The signature verified, the body's coding undone and its checksums compared, as the Gate does.
Result<std::string> authenticated_body(const Recorded& r, const OperationShape& op) {
  TRY(auto credential, sigv4::parse_credential(r.head));
  TRY(auto hash, sigv4::payload_hash_to_sign(r.head, credential));
  TRY_VOID(sigv4::verify(r.head, credential, kSecret, hash ? *hash : hex(crypto::sha256(r.body)), credential.signed_at));
  TRY(auto checks, BodyChecks::from(r.head, op));
  TRY(auto chunked, ChunkDecoder::options(r.head, credential, kSecret));
  std::string body;
  auto sink = [&](std::string_view piece) -> Result<void> {
    checks.update(piece);
    body += piece;
    return {};
  };
  if (!chunked) {
    TRY_VOID(sink(r.body));
    TRY_VOID(checks.finish());
    return body;
  }
  ChunkDecoder decoder(std::move(*chunked), sink);
  TRY_VOID(decoder.push(r.body));
  TRY_VOID(decoder.finish());
  TRY_VOID(checks.finish(decoder.trailers()));
  return body;
}

TEST(Botocore, RequestsAreAuthenticRoutedAndRead) {
  auto all = recorded();
  ASSERT_GT(all.size(), 50u);
  for (auto& r : all) {
    const ServiceShape& service = service_named(r.service);
    SCOPED_TRACE(r.service + " " + r.operation + " " + r.style + " " + r.head.target);
    auto op = route(service, r.head, r.body);
    ASSERT_TRUE(op) << op.error().message;
    ASSERT_EQ((*op)->name, r.operation);
    auto body = authenticated_body(r, **op);
    ASSERT_TRUE(body) << body.error().kind->code << ": " << body.error().message;
    auto input = (*op)->make_input();
    auto decoded = decode_request(**op, r.head, *body, input.get());
    ASSERT_TRUE(decoded) << decoded.error().message;

    // Encoded again: nothing that botocore sent is missing or differs.
    RequestParts again = encode_request(**op, input.get());
    EXPECT_EQ(again.method, r.head.method);
    if (service.protocol == Protocol::query || service.protocol == Protocol::ec2) {
      auto theirs = parse_form(*body), ours = parse_form(again.body);
      std::map<std::string, std::string> a(theirs->begin(), theirs->end()), b(ours->begin(), ours->end());
      if (r.service == "cloudtrail") continue;
      EXPECT_EQ(a, b);
    } else if (service.protocol == Protocol::json) {
      EXPECT_TRUE(*Json::parse(*body) == *Json::parse(again.body)) << *body << "\n" << again.body;
    } else if (r.style == "path") {
      EXPECT_EQ(again.path, std::string(r.head.raw_path()));
      auto theirs = parse_form(r.head.raw_query()), ours = parse_form(again.query);
      std::map<std::string, std::string> a(theirs->begin(), theirs->end()), b(ours->begin(), ours->end());
      a.erase("encoding-type"), b.erase("encoding-type");
      EXPECT_EQ(a, b);
    }
  }
}

TEST(Botocore, OneChangedByteBreaksTheSignature) {
  for (auto& r : recorded()) {
    auto credential = sigv4::parse_credential(r.head);
    ASSERT_TRUE(credential);
    auto hash = sigv4::payload_hash_to_sign(r.head, *credential);
    ASSERT_TRUE(hash);
    std::string payload = *hash ? **hash : hex(crypto::sha256(r.body));
    RequestHead changed = r.head;
    changed.method = "PATCH";
    EXPECT_FALSE(sigv4::verify(changed, *credential, kSecret, payload, credential->signed_at)) << r.operation;
    changed = r.head;
    changed.headers.set("Host", "evil.example");
    EXPECT_FALSE(sigv4::verify(changed, *credential, kSecret, payload, credential->signed_at)) << r.operation;
    changed = r.head;
    changed.headers.add("x-amz-acl", "public-read");
    EXPECT_FALSE(sigv4::verify(changed, *credential, kSecret, payload, credential->signed_at)) << r.operation;
    changed = r.head;
    changed.target += changed.target.find('?') == std::string::npos ? "?acl" : "&acl";
    EXPECT_FALSE(sigv4::verify(changed, *credential, kSecret, payload, credential->signed_at)) << r.operation;
    EXPECT_FALSE(sigv4::verify(r.head, *credential, "wrong", payload, credential->signed_at)) << r.operation;
    EXPECT_FALSE(sigv4::verify(r.head, *credential, kSecret, hex(crypto::sha256("x")), credential->signed_at)) << r.operation;
  }
}

}  // namespace
}  // namespace redoubt::api
