#pragma once
/// For tests: a server without sockets. Identity, Gate and audit over temporary stores and a clock that stands; requests go in as
/// signed HTTP heads and bodies and come out as responses, or as typed calls.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "access/audit.h"
#include "access/gate.h"
#include "api/codec.h"
#include "api/iam.h"
#include "api/organizations.h"
#include "api/sigv4.h"
#include "api/sts.h"
#include "base/ids.h"
#include "identity/identity.h"

namespace redoubt::identity {

/// `auto x = ok(call(..))`: the value, or a failed test with the error's text.
template <class T>
T ok(Result<T> result) {
  if (!result) ADD_FAILURE() << result.error().kind->code << ": " << result.error().message;
  return result ? std::move(*result) : T{};
}
inline std::string why(const Error& e) { return std::string(e.kind->code) + ": " + e.message; }

class World {
 public:
  static constexpr const char* kAccount = "111122223333";
  explicit World(access::Gate::Options options = {}) : options_(std::move(options)) {
    dir = std::filesystem::temp_directory_path() / ("redoubt-world-" + random_text(12, "abcdefghijklmnop"));
    std::filesystem::create_directories(dir);
    open();
    admin = ok(identity->bootstrap(kAccount));
  }
  ~World() {
    close();
    std::filesystem::remove_all(dir);
  }
  void open() {
    store = ok(meta::Store::open((dir / "meta.db").string()));
    audit = ok(access::Audit::open((dir / "audit.db").string()));
    identity = ok(Identity::create(*store, clock, std::string(32, 'r')));
    gate = std::make_unique<access::Gate>(*identity, *audit, clock, options_);
    identity->declare(*gate);
  }
  void close() {
    gate.reset();
    identity.reset();
    audit.reset();
    store.reset();
  }
  void restart() {
    close();
    open();
  }

  struct Keys {
    std::string id, secret, token;
  };
  Keys admin_keys() const { return {admin.access_key_id, admin.secret_access_key, ""}; }

  api::NetworkPath path() const {
    api::NetworkPath p;
    p.peer = *Ip::parse("127.0.0.1");
    p.tls = true;
    p.tls_version = "TLSv1.3";
    return p;
  }
  access::Call as(const Keys& keys) {
    return ok(gate->call_with_credentials(gate->new_call(access::anonymous_caller(), path()), keys.id, keys.secret, keys.token));
  }
  access::Call as_admin() { return as(admin_keys()); }

  template <class Op>
  Result<typename Op::Output> call(const access::Call& c, const typename Op::Input& in) {
    return gate->call<Op>(c, in);
  }

  /// As a client: encoded, signed, sent, decoded. An error comes back with the code of the wire.
  template <class Op>
  Result<typename Op::Output> http(const Keys& keys, const typename Op::Input& in, std::string region = "us-east-1") {
    api::Response response = send(sign<Op>(keys, in, std::move(region)));
    typename Op::Output out{};
    if (response.status >= 300) {
      auto e = api::decode_error(Op::shape().service->protocol, response.status, response.headers, response.body);
      kinds_.push_back(std::make_unique<std::string>(e.code));
      error_kinds_.push_back(std::make_unique<ErrorKind>(ErrorKind{*kinds_.back(), e.status}));
      return fail(*error_kinds_.back(), e.message);
    }
    TRY_VOID(api::decode_response(Op::shape(), response.status, response.headers, response.body, &out));
    return out;
  }
  struct Request {
    api::RequestHead head;
    std::string body;
  };
  template <class Op>
  Request sign(const Keys& keys, const typename Op::Input& in, std::string region = "us-east-1") {
    api::RequestParts parts = api::encode_request(Op::shape(), &in);
    api::sigv4::sign(
        parts, "127.0.0.1:4443", {keys.id, keys.secret, keys.token},
        {.region = std::move(region), .service = std::string(Op::shape().service->signing_name), .now = clock.now()});
    Request out;
    out.head.method = parts.method;
    out.head.target = parts.path + (parts.query.empty() ? "" : "?" + parts.query);
    out.head.headers = parts.headers;
    out.head.content_length = parts.body.size();
    out.head.path = path();
    out.body = parts.body;
    return out;
  }
  api::Response send(Request request) {
    auto exchange = gate->begin(std::move(request.head));
    if (exchange->early) return std::move(*exchange->early);
    if (!request.body.empty()) (void)exchange->body(request.body);
    return exchange->finish();
  }

  // -- shortcuts
  // -----------------------------------------------------------------------------------------------------------------

  static std::string role_arn(std::string_view name, std::string_view account = kAccount) {
    return "arn:aws:iam::" + std::string(account) + ":role/" + std::string(name);
  }
  static std::string trusting(std::string_view principal_json, std::string_view more = "") {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":)" + std::string(principal_json) +
           R"(,"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"])" + std::string(more) + "}]}";
  }
  static std::string allowing(std::string_view action, std::string_view resource = "*") {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":")" + std::string(action) + R"(","Resource":")" +
           std::string(resource) + R"("}]})";
  }
  void make_role(const access::Call& c, const std::string& name, const std::string& trust, const std::string& policy = "") {
    api::iam::CreateRoleRequest in;
    in.RoleName = name;
    in.AssumeRolePolicyDocument = trust;
    ok(call<api::iam::op::CreateRole>(c, in));
    if (!policy.empty()) ok(call<api::iam::op::PutRolePolicy>(c, {name, "inline", policy}));
  }
  Keys make_user(const access::Call& c, const std::string& name, const std::string& policy = "") {
    api::iam::CreateUserRequest in;
    in.UserName = name;
    ok(call<api::iam::op::CreateUser>(c, in));
    if (!policy.empty()) ok(call<api::iam::op::PutUserPolicy>(c, {name, "inline", policy}));
    auto key = ok(call<api::iam::op::CreateAccessKey>(c, {name}));
    return {key.AccessKey.AccessKeyId, key.AccessKey.SecretAccessKey, ""};
  }
  static api::sts::AssumeRoleRequest role_request(std::string_view arn, std::string_view session = "session") {
    api::sts::AssumeRoleRequest in;
    in.RoleArn = arn;
    in.RoleSessionName = session;
    return in;
  }
  static Keys keys_of(const api::sts::AssumeRoleResponse& out) {
    if (!out.Credentials) return {};
    return {out.Credentials->AccessKeyId, out.Credentials->SecretAccessKey, out.Credentials->SessionToken};
  }
  Keys assume(const Keys& keys, const api::sts::AssumeRoleRequest& in) {
    return keys_of(ok(http<api::sts::op::AssumeRole>(keys, in)));
  }
  /// "" when it worked, else "Code: message".
  std::string refused(const Keys& keys, const api::sts::AssumeRoleRequest& in) {
    auto out = http<api::sts::op::AssumeRole>(keys, in);
    return out ? "" : why(out.error());
  }

  std::filesystem::path dir;
  ManualClock clock;
  std::unique_ptr<meta::Store> store;
  std::unique_ptr<access::Audit> audit;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<access::Gate> gate;
  Identity::AdminCredentials admin;

 private:
  access::Gate::Options options_;
  std::vector<std::unique_ptr<std::string>> kinds_;
  std::vector<std::unique_ptr<ErrorKind>> error_kinds_;
};

}  // namespace redoubt::identity
