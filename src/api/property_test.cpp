/// Properties over random requests, bodies and values: what is signed verifies until anything of it changes; chunks come back
/// however they are cut; what a codec writes it reads again.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "api/chunked.h"
#include "api/codec.h"
#include "api/random_value.h"
#include "api/services.h"
#include "api/sigv4.h"
#include "api/xml.h"
#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

int pick(int n) { return *rc::gen::inRange(0, n); }
std::string bytes() { return *rc::gen::container<std::string>(rc::gen::arbitrary<char>()); }
/// Some printable characters, never none.
std::string word() {
  return *rc::gen::nonEmpty(rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::inRange<char>('!', '~'), rc::gen::element('a', 'Z', '0', '/', '%', '+', '&', '=', '~', ' '))));
}

// ---- SigV4

struct Signed {
  RequestHead head;
  std::string body;

  Result<void> check(std::string_view secret, Timestamp now) const {
    TRY(auto credential, sigv4::parse_credential(head));
    TRY(auto hash, sigv4::payload_hash_to_sign(head, credential));
    return sigv4::verify(head, credential, secret, hash ? *hash : hex(crypto::sha256(body)), now);
  }
};

const Timestamp kNow = Timestamp::from_seconds(1760000000);

Signed signed_request(const std::string& service, bool presigned) {
  constexpr const char* kMethods[] = {"GET", "PUT", "POST", "DELETE", "HEAD"};
  RequestParts parts{.method = kMethods[pick(5)], .path = "/", .query = {}, .headers = {}, .body = bytes()};
  for (int n = pick(4); n > 0; --n) parts.path += url_encode(word(), false) + (pick(2) ? "/" : "");
  for (int n = pick(4); n > 0; --n)
    parts.query += (parts.query.empty() ? "" : "&") + url_encode(word(), false) +
                   (pick(2) ? "=" + url_encode(word() + "\xC3\xBC", false) : "");
  parts.headers.add("X-Amz-Meta-A", std::string(trim(word())));
  sigv4::Identity identity{"AKIAIOSFODNN7EXAMPLE", "secret", pick(2) ? "token" : ""};
  sigv4::SignOptions options{"eu-west-1", service, kNow, ""};
  if (presigned)
    sigv4::presign(parts, "host:1", identity, options, 600);
  else
    sigv4::sign(parts, "host:1", identity, options);
  Signed out;
  out.head.method = parts.method;
  out.head.target = parts.path + (parts.query.empty() ? "" : "?" + parts.query);
  out.head.headers = parts.headers;
  if (!out.head.headers.has("Host")) out.head.headers.add("Host", "host:1");
  out.body = parts.body;
  return out;
}

RC_GTEST_PROP(SigV4Property, WhatIsSignedVerifiesUntilAnythingOfItChanges, ()) {
  std::string service = pick(2) ? "s3" : "kms";
  bool presigned = pick(2);
  Signed good = signed_request(service, presigned);
  auto verified = good.check("secret", kNow);
  if (!verified) RC_FAIL(verified.error().message + " " + good.head.target);
  RC_ASSERT(!good.check("secret2", kNow));
  RC_ASSERT(!good.check("secret", kNow.plus_seconds(presigned ? 601 : 901)));

  Signed bad = good;
  auto& target = bad.head.target;
  size_t question = std::min(target.find('?'), target.size());
  switch (pick(6)) {
    case 0:
      bad.head.method = bad.head.method == "GET" ? "PUT" : "GET";
      break;
    case 1:
      target.insert(question, "x");
      break;
    case 2:
      target += question == target.size() ? "?zzz" : "&zzz";
      break;
    case 3:
      for (auto& [name, value] : bad.head.headers.all())
        if (iequals(name, "x-amz-meta-a") || iequals(name, "host")) value += "x";
      break;
    case 4:
      bad.head.headers.add("x-amz-acl", "public-read");
      break;
    default:
      if (service == "s3") {  // its header says what is signed; whoever reads the body compares the two
        if (presigned) return;
        bad.head.headers.set("x-amz-content-sha256", hex(crypto::sha256(good.body + "x")));
      } else {
        bad.body += "x";
      }
  }
  RC_ASSERT(!bad.check("secret", kNow));
}

// ---- aws-chunked

struct Coded {
  ChunkDecoder::Options options;
  std::string body, wire;
};

/// A client's side of the coding, written from S3's documentation.
Coded coded() {
  Coded out;
  auto mode = ChunkDecoder::Mode(pick(3));
  bool is_signed = mode != ChunkDecoder::Mode::unsigned_trailer;
  out.options = {mode,
                 0,
                 sigv4::signing_key("secret", "20260101", "r", "s3"),
                 "20260101/r/s3/aws4_request",
                 "20260101T000000Z",
                 std::string(64, '0')};
  std::string previous = out.options.seed_signature;
  auto sign = [&](const std::string& algorithm, const std::string& hashes) {
    return previous = hex(crypto::hmac_sha256(out.options.signing_key, algorithm + "\n" + out.options.amz_date + "\n" +
                                                                           out.options.scope + "\n" + previous + "\n" + hashes));
  };
  auto parts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>())));
  parts.resize(std::min<size_t>(parts.size(), 4));
  for (size_t i = 0; i + 1 < parts.size(); ++i) parts[i].append(8192, 'x');  // only the last may be smaller
  parts.push_back("");
  for (auto& part : parts) {
    out.body += part;
    out.wire += fmt::format("{:x}", part.size());
    if (is_signed)
      out.wire +=
          ";chunk-signature=" + sign("AWS4-HMAC-SHA256-PAYLOAD", hex(crypto::sha256("")) + "\n" + hex(crypto::sha256(part)));
    out.wire += "\r\n" + part + (part.empty() ? "" : "\r\n");
  }
  if (mode != ChunkDecoder::Mode::signed_chunks) {
    std::string value = base64(bytes());
    out.wire += "x-amz-checksum-x:" + value + "\r\n";
    if (is_signed)
      out.wire +=
          "x-amz-trailer-signature:" + sign("AWS4-HMAC-SHA256-TRAILER", hex(crypto::sha256("x-amz-checksum-x:" + value + "\n"))) +
          "\r\n";
  }
  out.wire += "\r\n";
  out.options.decoded_length = out.body.size();
  return out;
}

/// The body, if all went well.
std::optional<std::string> decoded(const ChunkDecoder::Options& options, std::string_view wire) {
  std::string out;
  ChunkDecoder decoder(options, [&](std::string_view s) -> Result<void> {
    out += s;
    return {};
  });
  size_t piece = size_t(1 + pick(pick(2) ? 10 : 20000));
  while (!wire.empty()) {
    size_t n = std::min<size_t>(wire.size(), piece);
    if (!decoder.push(wire.substr(0, n))) return std::nullopt;
    wire.remove_prefix(n);
  }
  if (!decoder.finish()) return std::nullopt;
  return out;
}

RC_GTEST_PROP(ChunkedProperty, AnyBodyComesBackHoweverItIsCut, ()) {
  Coded c = coded();
  RC_ASSERT(decoded(c.options, c.wire) == c.body);
  c.options.decoded_length += 1;
  RC_ASSERT(!decoded(c.options, c.wire));
}

RC_GTEST_PROP(ChunkedProperty, AChangedByteOfASignedBodyNeverChangesTheBody, ()) {
  Coded c = coded();
  RC_PRE(c.options.mode != ChunkDecoder::Mode::unsigned_trailer);
  c.wire[size_t(pick(int(c.wire.size())))] ^= char(1 << pick(8));
  auto got = decoded(c.options, c.wire);  // a size in upper case means the same
  RC_ASSERT(!got || *got == c.body);
}

// ---- codecs

XmlElement tree(int depth) {
  static constexpr std::string_view kTexts[] = {"", "a", "<&>\"'", " b ", "]]>", "\xC3\xBC\xF0\x9D\x84\x9E", "\r\n\t", "&amp;"};
  XmlElement e;
  e.name = std::string(1, char('a' + pick(26))) + std::to_string(pick(3)) + (pick(2) ? "-.x" : "");
  if (depth > 0)
    for (int n = pick(4); n > 0; --n) e.children.push_back(tree(depth - 1));
  if (e.children.empty())
    for (int n = pick(3); n > 0; --n) e.text += kTexts[pick(std::size(kTexts))];
  return e;
}
void write(XmlWriter& w, const XmlElement& e) {
  if (e.children.empty()) return w.element(e.name, e.text);
  w.open(e.name, pick(2) ? "urn:x" : "");
  for (auto& child : e.children) write(w, child);
  w.close();
}
bool same(const XmlElement& a, const XmlElement& b) {
  return a.name == b.name && a.text == b.text && std::ranges::equal(a.children, b.children, same);
}

RC_GTEST_PROP(XmlProperty, WhatIsWrittenIsRead, ()) {
  XmlElement e = tree(4);
  XmlWriter w(pick(2));
  write(w, e);
  std::string text = std::move(w).take();
  auto read = parse_xml(text);
  if (!read) RC_FAIL(read.error().message + "\n" + text);
  RC_ASSERT(same(*read, e));
}

RC_GTEST_PROP(CodecProperty, RequestsAndResponsesOfAnyOperationComeBack, (uint64_t seed)) {
  const ServiceShape& service = *services()[size_t(pick(int(services().size())))];
  const OperationShape& op = *service.operations[size_t(pick(int(service.operations.size())))];
  RC_TAG(std::string(service.name));
  auto view = [](const StructShape& shape, const void* value) {
    Json j = testing::everything(shape, value);
    j.erase("ContentLength");  // the transport's
    return j.dump();
  };
  auto sent = op.make_input(), got = op.make_input();
  testing::RandomValue(seed).fill(*op.input, sent.get());
  RequestParts parts = encode_request(op, sent.get());
  RequestHead head;
  head.method = parts.method;
  head.target = parts.path + (parts.query.empty() ? "" : "?" + parts.query);
  head.headers = parts.headers;
  head.headers.add("Host", "127.0.0.1:4480");
  auto routed = route(service, head, parts.body);
  RC_ASSERT(routed.has_value());
  RC_ASSERT((*routed)->name == op.name);
  // Random text breaks the model's patterns, which is noticed after everything was read.
  (void)decode_request(op, head, parts.body, got.get());
  RC_ASSERT(view(*op.input, got.get()) == view(*op.input, sent.get()));

  auto answer = op.make_output(), back = op.make_output();
  bool whole_seconds = service.name == "iam" || service.name == "sts";
  testing::RandomValue(seed, whole_seconds).fill(*op.output, answer.get());
  Response response = encode_response(op, answer.get(), "req-1");
  RC_ASSERT(decode_response(op, response.status, response.headers, response.body, back.get()).has_value());
  RC_ASSERT(view(*op.output, back.get()) == view(*op.output, answer.get()));
}

}  // namespace
}  // namespace redoubt::api
