#pragma once
/// What the tests and benchmarks of this room share: a folder of their own, a directory of two accounts, a KMS that can be told
/// to refuse, and S3 behind a real Gate.
#include <filesystem>

#include "access/audit.h"
#include "api/kms.h"
#include "api/s3.h"
#include "base/crypto.h"
#include "base/ids.h"
#include "base/text.h"
#include "objects/objects.h"

namespace redoubt::objects {

/// Removed at the end. In memory where the system has such a folder: these tests wait for every commit.
class TestFolder {
 public:
  TestFolder() {
    auto base =
        std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
    path_ = base / ("redoubt-objects-" + random_text(12, "abcdefghijklmnop"));
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline constexpr const char *kAlice = "111122223333", *kMallory = "444455556666";

/// Two accounts with an administrator each; what else they may is the test's.
class FakeDirectory : public access::Directory {
 public:
  FakeDirectory() {
    for (auto* account : {kAlice, kMallory}) {
      callers[account] = user(account, "admin");
      allow(callers[account]->arn, R"({"Effect":"Allow","Action":"*","Resource":"*"})");
    }
  }
  static access::CallerPtr user(const std::string& account, const std::string& name) {
    auto c = std::make_shared<access::Caller>();
    c->type = policy::PrincipalType::user;
    c->account = account;
    c->arn = c->issuer_arn = "arn:aws:iam::" + account + ":user/" + name;
    c->unique_id = c->user_id = "AIDA" + account + to_upper(name);
    c->user_name = name;
    return c;
  }
  /// `statements`: one, or several with commas between. They replace what the principal had.
  void allow(const std::string& arn, const std::string& statements) {
    auto compiled = policy::parse(R"({"Version":"2012-10-17","Statement":[)" + statements + "]}", policy::Kind::identity);
    CHECK(compiled.has_value());
    auto p = std::make_shared<access::PrincipalPolicies>();
    p->identity = {{"inline", compiled->get()}};
    p->keep.push_back(*compiled);
    policies_[arn] = p;
  }
  Result<access::SigningKey> find_key(std::string_view, std::string_view, Timestamp) override {
    return fail(access::kInvalidClientTokenId, "no keys here");
  }
  std::shared_ptr<const access::PrincipalPolicies> policies_of(const access::Caller& caller) override {
    auto it = policies_.find(caller.arn);
    return it == policies_.end() ? std::make_shared<access::PrincipalPolicies>() : it->second;
  }
  std::shared_ptr<const access::AccountPolicies> account(std::string_view) override {
    return std::make_shared<access::AccountPolicies>();
  }
  bool account_exists(std::string_view a) override { return callers.contains(std::string(a)); }
  std::string canonical_id(std::string_view account) override { return hex(crypto::sha256(account)); }
  std::optional<std::string> account_of_canonical_id(std::string_view id) override {
    for (auto& [account, caller] : callers)
      if (canonical_id(account) == id) return account;
    return std::nullopt;
  }
  std::optional<std::string> principal_to_id(std::string_view type, std::string_view v) override {
    if (v.find("nobody") != v.npos) return std::nullopt;
    return std::string(v);
  }
  std::string id_to_principal(std::string_view v) override { return std::string(v); }
  bool role_exists(std::string_view) override { return false; }
  std::string encode_authorization_message(std::string_view, std::string_view) override { return "encoded"; }

  std::map<std::string, access::CallerPtr> callers;  // the administrators, by account

 private:
  std::map<std::string, std::shared_ptr<access::PrincipalPolicies>> policies_;  // by ARN
};

/// A KMS of one key that everybody may use who has the permission; remembers what it was asked.
class FakeKms {
 public:
  static constexpr const char* kKey = "arn:aws:kms:us-east-1:111122223333:key/k";
  void declare(access::Gate& gate) {
    using namespace api::kms;
    auto on_key = [](auto&, auto&) -> Result<std::vector<access::Resource>> {
      return std::vector{access::Resource{.arn = kKey, .account = kAlice}};
    };
    gate.add<op::GenerateDataKey>({.needs = {{.action = "kms:GenerateDataKey", .resources = on_key}},
                                   .handler = [this](auto& r) -> Result<GenerateDataKeyResponse> {
                                     TRY_VOID(take(r.call, r.input.EncryptionContext.value_or(Pairs{})));
                                     asked_key = r.input.KeyId;
                                     auto plain = crypto::random_bytes(32);
                                     return GenerateDataKeyResponse{.CiphertextBlob = crypto::seal(secret_, plain, text(context)),
                                                                    .Plaintext = plain,
                                                                    .KeyId = kKey};
                                   }});
    gate.add<op::Decrypt>(
        {.needs = {{.action = "kms:Decrypt", .resources = on_key}}, .handler = [this](auto& r) -> Result<DecryptResponse> {
           TRY_VOID(take(r.call, r.input.EncryptionContext.value_or(Pairs{})));
           auto plain = crypto::open(secret_, *r.input.CiphertextBlob, text(context));
           if (!plain) return fail(kInvalid, "");
           return DecryptResponse{.KeyId = kKey, .Plaintext = *plain};
         }});
  }
  const ErrorKind* refuse = nullptr;
  std::function<void()> meanwhile;  // once, in the middle of the next request
  std::string asked_key;
  std::map<std::string, std::string> context;
  std::optional<access::Call> call;
  static constexpr ErrorKind kDisabled{"DisabledException", 400}, kInvalid{"InvalidCiphertextException", 400};

 private:
  using Pairs = std::map<std::string, std::string>;
  Result<void> take(const access::Call& c, const Pairs& pairs) {
    call = c;
    context = pairs;
    if (auto work = std::exchange(meanwhile, nullptr)) {
      work();
      call = c;
      context = pairs;
    }
    if (refuse) return fail(*refuse, std::string(kKey) + " is disabled.");
    return {};
  }
  static std::string text(const Pairs& pairs) {
    std::string out;
    for (auto& [k, v] : pairs) out += k + "=" + v + ";";
    return out;
  }
  std::string secret_ = crypto::random_bytes(32);
};

/// S3 behind a Gate.
class Room {
 public:
  Room() {
    store = *meta::Store::open(folder / "meta.db");
    audit = *access::Audit::open(folder / "audit.db");
    start();
  }
  ~Room() { stop(); }
  void start() {
    gate = std::make_unique<access::Gate>(directory, *audit, clock, access::Gate::Options{});
    kms.declare(*gate);
    objects = *Objects::open(*store, clock, {.directory = folder / "objects", .root_key = root_key});
    objects->declare(*gate);
  }
  void stop() {
    objects.reset();
    gate.reset();
  }
  access::Call as(access::CallerPtr caller) {
    api::NetworkPath path;
    path.peer = *Ip::parse("203.0.113.7");
    path.tls = true;
    return gate->new_call(std::move(caller), path);
  }
  access::Call alice() { return as(directory.callers[kAlice]); }
  access::Call mallory() { return as(directory.callers[kMallory]); }

  template <class Op>
  Result<typename Op::Output> call(const access::Call& c, const typename Op::Input& in) {
    return gate->call<Op>(c, in);
  }
  Result<void> make_bucket(const std::string& name, const char* ownership = nullptr) {
    api::s3::CreateBucketRequest in{.Bucket = name};
    if (ownership) in.ObjectOwnership = ownership;
    TRY_VOID((call<api::s3::op::CreateBucket>(alice(), in)));
    return {};
  }
  Result<void> set_policy(const std::string& bucket, const std::string& statements) {
    api::s3::PutBucketPolicyRequest in{.Bucket = bucket,
                                       .Policy = R"({"Version":"2012-10-17","Statement":[)" + statements + "]}"};
    TRY_VOID((call<api::s3::op::PutBucketPolicy>(alice(), in)));
    return {};
  }
  Result<api::s3::PutObjectOutput> put(const access::Call& c, api::s3::PutObjectRequest in, std::string_view body) {
    TRY(auto upload, gate->upload<api::s3::op::PutObject>(c, in));
    TRY_VOID(upload->write(body));
    return upload->finish();
  }
  Result<api::s3::PutObjectOutput> put(const std::string& bucket, const std::string& key, std::string_view body) {
    return put(alice(), {.Bucket = bucket, .Key = key}, body);
  }
  Result<std::string> get(const access::Call& c, const api::s3::GetObjectRequest& in) {
    TRY(auto out, gate->call<api::s3::op::GetObject>(c, in));
    return read(*out.Body);
  }
  Result<std::string> get(const std::string& bucket, const std::string& key) {
    return get(alice(), {.Bucket = bucket, .Key = key});
  }
  static Result<std::string> read(api::BodySource& source) {
    std::string out;
    for (;;) {
      size_t before = out.size();
      TRY_VOID(source.read(out, 100000));
      if (out.size() == before) return out;
    }
  }
  /// "ok", or the error's code.
  template <class T>
  static std::string code(const Result<T>& r) {
    return r ? "ok" : std::string(r.error().kind->code);
  }

  TestFolder folder;
  ManualClock clock;
  FakeDirectory directory;
  FakeKms kms;
  std::string root_key = crypto::random_bytes(32);
  std::unique_ptr<meta::Store> store;
  std::unique_ptr<access::Audit> audit;
  std::unique_ptr<access::Gate> gate;
  std::unique_ptr<Objects> objects;
};

}  // namespace redoubt::objects
