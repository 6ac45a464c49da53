// Any head and body, unsigned or properly signed, by somebody whom nothing allows anything: always an answer, and no handler
// runs. Input: one byte of choices, then method, target, headers ("name: value" lines), an empty line, the body.
#include <cstdlib>

#include "access/audit.h"
#include "access/gate.h"
#include "access/trail.h"
#include "api/codec.h"
#include "api/iam.h"
#include "api/kms.h"
#include "api/s3.h"
#include "api/sigv4.h"
#include "base/text.h"

namespace {

using namespace redoubt;
using namespace redoubt::access;

constexpr const char *kId = "AKIAFUZZFUZZFUZZFUZZ", *kSecret = "secret", *kServices[] = {"s3", "kms", "iam", "sts"};

class NothingAllowed : public Directory {
 public:
  NothingAllowed() {
    auto c = std::make_shared<Caller>();
    c->type = policy::PrincipalType::user;
    c->account = "111122223333";
    c->arn = c->issuer_arn = "arn:aws:iam::111122223333:user/fuzz";
    c->unique_id = c->user_id = "AIDAFUZZ";
    caller_ = c;
  }
  Result<SigningKey> find_key(std::string_view id, std::string_view, Timestamp) override {
    if (id == kId) return SigningKey{kSecret, caller_};
    return fail(kInvalidClientTokenId, "The security token included in the request is invalid.");
  }
  std::shared_ptr<const PrincipalPolicies> policies_of(const Caller&) override { return std::make_shared<PrincipalPolicies>(); }
  std::shared_ptr<const AccountPolicies> account(std::string_view) override { return std::make_shared<AccountPolicies>(); }
  bool account_exists(std::string_view) override { return true; }
  std::string canonical_id(std::string_view) override { return std::string(64, 'c'); }
  std::optional<std::string> account_of_canonical_id(std::string_view) override { return std::nullopt; }
  std::optional<std::string> principal_to_id(std::string_view, std::string_view v) override { return std::string(v); }
  std::string id_to_principal(std::string_view v) override { return std::string(v); }
  bool role_exists(std::string_view) override { return false; }
  std::string encode_authorization_message(std::string_view, std::string_view) override { return "x"; }

 private:
  CallerPtr caller_;
};

/// The trail goes nowhere.
class NoAudit : public Audit {
  void record(AuditEvent) override {}
  Result<AuditPage> lookup(const AuditQuery&) override { return AuditPage{}; }
  void flush() override {}
};

template <class Op>
void add(Gate& gate, std::string_view action) {
  gate.add<Op>({.needs = {{.action = action}}, .handler = [](auto&) -> Result<typename Op::Output> { std::abort(); }});
}
template <class Op>
void add_streaming(Gate& gate, std::string_view action) {
  using Opened = Result<std::unique_ptr<Upload<typename Op::Output>>>;
  gate.add<Op>({.needs = {{.action = action}}, .open = [](auto&) -> Opened { std::abort(); }});
}

struct World {
  World() {
    add_streaming<api::s3::op::PutObject>(gate, "s3:PutObject");
    add<api::s3::op::GetObject>(gate, "s3:GetObject");
    add<api::s3::op::DeleteObjects>(gate, "s3:DeleteObject");
    add<api::s3::op::PutBucketPolicy>(gate, "s3:PutBucketPolicy");
    add<api::s3::op::ListObjectsV2>(gate, "s3:ListBucket");
    add<api::kms::op::Decrypt>(gate, "kms:Decrypt");
    add<api::iam::op::CreateRole>(gate, "iam:CreateRole");
    declare_trail(gate, audit);
  }
  NothingAllowed directory;
  NoAudit audit;
  ManualClock clock;
  Gate gate{directory, audit, clock, {.body_size_max = 1 << 16}};
};

api::RequestParts parse(std::string_view text) {
  api::RequestParts parts;
  auto line = [&] {
    auto end = std::min(text.size(), text.find('\n'));
    std::string out(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
    return out;
  };
  parts.method = line();
  std::string target = line();
  parts.path = target.substr(0, target.find('?'));
  if (auto q = target.find('?'); q != target.npos) parts.query = target.substr(q + 1);
  for (std::string header = line(); !header.empty(); header = line()) {
    auto colon = std::min(header.size(), header.find(':'));
    parts.headers.add(header.substr(0, colon),
                      std::string(trim(std::string_view(header).substr(std::min(header.size(), colon + 1)))));
  }
  parts.body = text;
  return parts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World world;
  if (size < 1) return 0;
  uint8_t choice = data[0];
  api::RequestParts parts = parse({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (choice & 1)
    api::sigv4::sign(parts, "127.0.0.1", {kId, kSecret, ""},
                     {.region = "us-east-1",
                      .service = kServices[(choice >> 1) & 3],
                      .now = world.clock.now(),
                      .payload_hash = choice & 8 ? std::string(api::sigv4::kStreamingUnsignedTrailer) : std::string()});
  api::RequestHead head;
  head.method = parts.method;
  head.target = parts.path + (parts.query.empty() ? "" : "?" + parts.query);
  head.headers = parts.headers;
  head.content_length = parts.body.size();
  if (choice & 16) head.content_length.reset(), head.chunked = true;
  head.path.peer = *Ip::parse("127.0.0.1");
  auto exchange = world.gate.begin(std::move(head));
  api::Response response;
  if (exchange->early) {
    response = std::move(*exchange->early);
  } else {
    size_t piece = 1 + (choice >> 5) * 100;
    std::string_view body = parts.body;
    for (size_t at = 0; at < body.size(); at += piece)
      if (!exchange->body(body.substr(at, piece))) break;
    response = exchange->finish();
  }
  CHECK(response.status >= 400 && response.status < 600 && response.status != 500);
  return 0;
}
