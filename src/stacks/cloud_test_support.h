#pragma once
/// For tests: CloudFormation over a real Gate, with IAM, S3, KMS and STS played by a flat map of things ("role/r",
/// "role/r/policy/p", "bucket/b" ..), and a power switch that goes off at any chosen step.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "access/audit.h"
#include "access/gate.h"
#include "api/cloudformation.h"
#include "api/iam.h"
#include "api/kms.h"
#include "api/s3.h"
#include "api/sts.h"
#include "base/ids.h"
#include "base/optional.h"
#include "base/text.h"
#include "stacks/stacks.h"

namespace redoubt::stacks::testing_support {

using access::Allowed;
using access::Call;
using access::Caller;
using access::CallerPtr;
namespace cfn = api::cloudformation;
namespace iam = api::iam;
namespace kms = api::kms;
namespace s3 = api::s3;
namespace sts = api::sts;

inline constexpr const char *kAccount = "111122223333", *kOther = "444455556666";
inline constexpr ErrorKind kNoSuchEntity{"NoSuchEntity", 404}, kExistsAlready{"EntityAlreadyExists", 409},
    kDeleteConflict{"DeleteConflict", 409}, kNoSuchBucket{"NoSuchBucket", 404}, kBucketTaken{"BucketAlreadyOwnedByYou", 409},
    kNotEmpty{"BucketNotEmpty", 409}, kNoBucketPolicy{"NoSuchBucketPolicy", 404}, kNoSuchKey{"NotFoundException", 400},
    kAliasTaken{"AlreadyExistsException", 400}, kPowerCut{"PowerCut", 500}, kMalformed{"MalformedPolicyDocument", 400};

/// Counts the steps that leave something behind, in services and stores alike; when `left` is used up nothing happens any more.
struct Power {
  int left = -1;  // -1: for ever
  int used = 0;
  std::mutex mutex;
  bool step() {
    std::lock_guard lock(mutex);
    if (left == 0) return false;
    if (left > 0) --left;
    ++used;
    return true;
  }
  bool off() {
    std::lock_guard lock(mutex);
    return left == 0;
  }
};

/// A meta::Store in memory that outlives its user.
class MemoryStore : public meta::Store {
 public:
  explicit MemoryStore(Power& power) : power_(power) {}
  Result<void> transact(const std::function<Result<void>(meta::Txn&)>& work) override {
    std::lock_guard lock(mutex_);
    if (!power_.step()) return fail(kInternal, "no power");
    T t(data_);
    auto done = work(t);
    if (!done) t.undo();
    return done;
  }
  void read(const std::function<void(meta::Reader&)>& work) override {
    std::lock_guard lock(mutex_);
    T t(data_);
    work(t);
  }
  /// Every byte that is kept, for tests that look for secrets.
  std::string everything() {
    std::string out;
    for (auto& [c, rows] : data_)
      for (auto& [k, v] : rows) out += k + v;
    return out;
  }
  size_t rows(const std::string& collection) { return data_[collection].size(); }

 private:
  using Data = std::map<std::string, std::map<std::string, std::string>, std::less<>>;
  struct T : meta::Txn {
    explicit T(Data& d) : data(d) {}
    Data& data;
    std::vector<std::tuple<std::string, std::string, std::optional<std::string>>> before;
    void note(std::string_view c, std::string_view k) { before.emplace_back(c, k, get(c, k)); }
    void undo() {
      for (auto it = before.rbegin(); it != before.rend(); ++it) {
        auto& [c, k, v] = *it;
        if (v)
          data[c][k] = *v;
        else
          data[c].erase(k);
      }
    }
    std::optional<std::string> get(std::string_view c, std::string_view k) override {
      auto& rows = data[std::string(c)];
      auto it = rows.find(std::string(k));
      return it == rows.end() ? std::nullopt : std::optional(it->second);
    }
    std::vector<meta::Row> scan(std::string_view c, std::string_view from, std::string_view to, size_t limit) override {
      std::vector<meta::Row> out;
      auto& rows = data[std::string(c)];
      for (auto it = rows.lower_bound(std::string(from)); it != rows.end() && out.size() < limit; ++it) {
        if (!to.empty() && it->first >= to) break;
        out.push_back({it->first, it->second});
      }
      return out;
    }
    void put(std::string_view c, std::string_view k, std::string_view v) override {
      note(c, k);
      data[std::string(c)][std::string(k)] = v;
    }
    bool erase(std::string_view c, std::string_view k) override {
      note(c, k);
      return data[std::string(c)].erase(std::string(k)) > 0;
    }
  };
  Power& power_;
  std::mutex mutex_;
  Data data_;
};

/// Users "admin" in two accounts and whoever a test adds; who may do what is a policy by the caller's ARN.
class FakeDirectory : public access::Directory {
 public:
  FakeDirectory() {
    add_user("admin", kAccount);
    add_user("admin", kOther);
  }
  CallerPtr add_user(const std::string& name, const std::string& account = kAccount, std::string_view document = "") {
    auto c = std::make_shared<Caller>();
    c->type = policy::PrincipalType::user;
    c->account = account;
    c->arn = c->issuer_arn = "arn:aws:iam::" + account + ":user/" + name;
    c->unique_id = c->user_id = "AIDA" + account + name;
    c->user_name = name;
    c->access_key_id = "AKIA" + account + name;
    allow(c->arn, document);
    return users[account + "/" + name] = c;
  }
  void allow(const std::string& arn, std::string_view document) {
    if (document.empty()) document = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";
    auto compiled = policy::parse(document, policy::Kind::identity);
    ASSERT_TRUE(compiled) << compiled.error().message;
    auto p = std::make_shared<access::PrincipalPolicies>();
    p->identity = {{"inline", compiled->get()}};
    p->keep.push_back(*compiled);
    std::lock_guard lock(mutex);
    policies[arn] = p;
  }
  Result<access::SigningKey> find_key(std::string_view id, std::string_view, Timestamp) override {
    std::lock_guard lock(mutex);
    auto it = sessions.find(std::string(id));
    if (it == sessions.end()) return fail(access::kInvalidClientTokenId, "no such key");
    return access::SigningKey{"secret", it->second};
  }
  std::shared_ptr<const access::PrincipalPolicies> policies_of(const Caller& caller) override {
    std::lock_guard lock(mutex);
    auto it = policies.find(caller.issuer_arn);
    auto none = std::make_shared<access::PrincipalPolicies>();
    none->exists = caller.type == policy::PrincipalType::service;
    return it == policies.end() ? none : it->second;
  }
  std::shared_ptr<const access::AccountPolicies> account(std::string_view) override {
    return std::make_shared<access::AccountPolicies>();
  }
  bool account_exists(std::string_view a) override { return a == kAccount || a == kOther; }
  std::string canonical_id(std::string_view) override { return std::string(64, 'c'); }
  std::optional<std::string> account_of_canonical_id(std::string_view) override { return std::nullopt; }
  std::optional<std::string> principal_to_id(std::string_view, std::string_view v) override { return std::string(v); }
  std::string id_to_principal(std::string_view v) override { return std::string(v); }
  bool role_exists(std::string_view) override { return true; }
  std::string encode_authorization_message(std::string_view, std::string_view) override { return "encoded"; }

  std::mutex mutex;
  std::map<std::string, CallerPtr> users, sessions;  // by account/name; by access key id
  std::map<std::string, std::shared_ptr<access::PrincipalPolicies>> policies;
};

class FakeCloud {
 public:
  FakeCloud(Power& power, FakeDirectory& directory, Clock& clock) : power_(power), directory_(directory), clock_(clock) {}
  std::map<std::string, std::string> things;
  std::map<std::string, Timestamp> made;
  std::vector<std::string> log;                // "CreateRole r", in the order in which they took effect
  std::map<std::string, std::string> refuse;   // "CreateRole r" -> what to refuse it with
  std::map<std::string, std::string> callers;  // "CreateRole r" -> who did it, and via what
  std::set<std::string> assumable;             // role ARNs that trust cloudformation.amazonaws.com
  std::string source_arn;                      // of the last AssumeRole
  std::function<void(const std::string&)> on_call;
  std::mutex mutex;

  bool has(const std::string& thing) {
    std::lock_guard lock(mutex);
    return things.contains(thing);
  }
  std::string all() {
    std::lock_guard lock(mutex);
    std::vector<std::string> names;
    for (auto& [k, v] : things) names.push_back(k);
    return join(names, " ");
  }
  std::string said() {
    std::lock_guard lock(mutex);
    return join(log, ", ");
  }

  void declare(access::Gate& gate) {
    declare_iam(gate);
    declare_s3(gate);
    declare_kms(gate);
    row<sts::op::AssumeRole>(gate, "sts:AssumeRole", {}, [this](auto& r) -> Result<sts::AssumeRoleResponse> {
      if (r.call.caller->service != "cloudformation.amazonaws.com" || !assumable.contains(r.input.RoleArn))
        return fail(access::kAccessDenied, "not authorized to perform sts:AssumeRole");
      source_arn = r.call.source_arn;
      auto c = std::make_shared<Caller>();
      c->type = policy::PrincipalType::assumed_role;
      c->account = split(r.input.RoleArn, ':')[4];
      c->issuer_arn = r.input.RoleArn;
      c->role_name = r.input.RoleArn.substr(r.input.RoleArn.rfind('/') + 1);
      c->session_name = r.input.RoleSessionName;
      c->arn = "arn:aws:sts::" + c->account + ":assumed-role/" + c->role_name + "/" + c->session_name;
      c->temporary = true;
      c->expires = clock_.now().plus_seconds(3600);
      c->access_key_id = "ASIA" + random_text(16, "ABCDEFGH");
      {
        std::lock_guard lock(directory_.mutex);
        directory_.sessions[c->access_key_id] = c;
      }
      sts::AssumeRoleResponse out;
      out.Credentials = sts::Credentials{c->access_key_id, "secret", "token", c->expires};
      return out;
    });
  }

 private:
  template <class Op>
  void row(access::Gate& gate, std::string_view action, std::vector<std::string_view> secrets,
           std::function<Result<typename Op::Output>(const Allowed<typename Op::Input>&)> handler) {
    access::Row<Op> r{.needs = {{.action = action}}};
    if (action == "sts:AssumeRole")  // a service is nobody's principal: the role's trust policy lets it in
      r.needs = access::NoNeed{"played by the fake"};
    r.secret_members = std::move(secrets);
    r.handler = std::move(handler);
    gate.add<Op>(std::move(r));
  }
  /// One change of the cloud: counted, logged, refused if the test says so.
  Result<void> act(const std::string& what, const Call& call, const std::function<Result<void>()>& effect) {
    if (on_call) on_call(what);
    std::lock_guard lock(mutex);
    if (auto it = refuse.find(what); it != refuse.end()) return fail(kMalformed, it->second);
    if (power_.off()) return fail(kPowerCut, "no power");
    auto done = effect();
    if (!done) return done;
    if (!power_.step()) return fail(kPowerCut, "no power");
    log.push_back(what);
    callers[what] = call.caller->arn + " via " + join(call.called_via, ",");
    return {};
  }
  Result<void> need(const std::string& thing, const ErrorKind& missing) {
    if (!things.contains(thing)) return fail(missing, thing + " cannot be found.");
    return {};
  }
  Result<void> add(const std::string& thing, const std::string& value, const ErrorKind& taken) {
    if (things.contains(thing)) return fail(taken, thing + " already exists.");
    things[thing] = value;
    made[thing] = clock_.now();
    return {};
  }
  bool children(const std::string& thing) {
    auto it = things.upper_bound(thing + "/");
    return it != things.end() && it->first.starts_with(thing + "/");
  }
  template <class Tags>
  void tag(const std::string& thing, const Tags& tags) {
    for (auto& t : tags) things["tag of " + thing + " " + t.Key] = t.Value;
  }
  void untag_all(const std::string& thing) {
    std::erase_if(things, [&](auto& x) { return x.first.starts_with("tag of " + thing + " "); });
  }

  void declare_iam(access::Gate& gate) {
    using namespace iam;
    row<op::CreateRole>(gate, "iam:CreateRole", {}, [this](auto& r) -> Result<CreateRoleResponse> {
      auto& in = r.input;
      auto thing = "role/" + in.RoleName;
      TRY_VOID(act("CreateRole " + in.RoleName, r.call, [&]() -> Result<void> {
        TRY_VOID(add(thing, in.AssumeRolePolicyDocument, kExistsAlready));
        tag(thing, or_empty(in.Tags));
        return {};
      }));
      return CreateRoleResponse{.Role = role(in.RoleName)};
    });
    row<op::GetRole>(gate, "iam:GetRole", {}, [this](auto& r) -> Result<GetRoleResponse> {
      if (power_.off()) return fail(kPowerCut, "no power");
      TRY_VOID(need("role/" + r.input.RoleName, kNoSuchEntity));
      return GetRoleResponse{.Role = role(r.input.RoleName)};
    });
    row<op::DeleteRole>(gate, "iam:DeleteRole", {}, [this](auto& r) -> Result<api::Empty> {
      auto thing = "role/" + r.input.RoleName;
      TRY_VOID(act("DeleteRole " + r.input.RoleName, r.call, [&]() -> Result<void> {
        TRY_VOID(need(thing, kNoSuchEntity));
        if (children(thing)) return fail(kDeleteConflict, "Cannot delete entity, must delete policies first.");
        things.erase(thing);
        untag_all(thing);
        return {};
      }));
      return api::Empty{};
    });
    row<op::PutRolePolicy>(gate, "iam:PutRolePolicy", {}, [this](auto& r) -> Result<api::Empty> {
      auto& in = r.input;
      TRY_VOID(act("PutRolePolicy " + in.RoleName + " " + in.PolicyName, r.call, [&]() -> Result<void> {
        TRY_VOID(need("role/" + in.RoleName, kNoSuchEntity));
        things["role/" + in.RoleName + "/policy/" + in.PolicyName] = in.PolicyDocument;
        return {};
      }));
      return api::Empty{};
    });
    row<op::GetRolePolicy>(gate, "iam:GetRolePolicy", {}, [this](auto& r) -> Result<GetRolePolicyResponse> {
      auto thing = "role/" + r.input.RoleName + "/policy/" + r.input.PolicyName;
      TRY_VOID(need(thing, kNoSuchEntity));
      return GetRolePolicyResponse{r.input.RoleName, r.input.PolicyName, url_encode(things[thing])};
    });
    row<op::DeleteRolePolicy>(gate, "iam:DeleteRolePolicy", {}, [this](auto& r) -> Result<api::Empty> {
      auto thing = "role/" + r.input.RoleName + "/policy/" + r.input.PolicyName;
      TRY_VOID(act("DeleteRolePolicy " + r.input.RoleName + " " + r.input.PolicyName, r.call, [&]() -> Result<void> {
        TRY_VOID(need(thing, kNoSuchEntity));
        things.erase(thing);
        return {};
      }));
      return api::Empty{};
    });
    row<op::UpdateAssumeRolePolicy>(gate, "iam:UpdateAssumeRolePolicy", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("UpdateAssumeRolePolicy " + r.input.RoleName, r.call, [&]() -> Result<void> {
        TRY_VOID(need("role/" + r.input.RoleName, kNoSuchEntity));
        things["role/" + r.input.RoleName] = r.input.PolicyDocument;
        return {};
      }));
      return api::Empty{};
    });
    row<op::UpdateRole>(gate, "iam:UpdateRole", {}, [this](auto& r) -> Result<UpdateRoleResponse> {
      TRY_VOID(act("UpdateRole " + r.input.RoleName, r.call, [&]() { return need("role/" + r.input.RoleName, kNoSuchEntity); }));
      return UpdateRoleResponse{};
    });
    row<op::TagRole>(gate, "iam:TagRole", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("TagRole " + r.input.RoleName, r.call, [&]() -> Result<void> {
        tag("role/" + r.input.RoleName, r.input.Tags);
        return {};
      }));
      return api::Empty{};
    });
    row<op::UntagRole>(gate, "iam:UntagRole", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("UntagRole " + r.input.RoleName, r.call, [&]() -> Result<void> {
        for (auto& k : r.input.TagKeys) things.erase("tag of role/" + r.input.RoleName + " " + k);
        return {};
      }));
      return api::Empty{};
    });
    row<op::CreateUser>(gate, "iam:CreateUser", {}, [this](auto& r) -> Result<CreateUserResponse> {
      TRY_VOID(
          act("CreateUser " + r.input.UserName, r.call, [&]() { return add("user/" + r.input.UserName, "", kExistsAlready); }));
      return CreateUserResponse{.User = user(r.input.UserName)};
    });
    row<op::GetUser>(gate, "iam:GetUser", {}, [this](auto& r) -> Result<GetUserResponse> {
      TRY_VOID(need("user/" + *r.input.UserName, kNoSuchEntity));
      return GetUserResponse{.User = user(*r.input.UserName)};
    });
    row<op::DeleteUser>(gate, "iam:DeleteUser", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("DeleteUser " + r.input.UserName, r.call, [&]() -> Result<void> {
        TRY_VOID(need("user/" + r.input.UserName, kNoSuchEntity));
        if (children("user/" + r.input.UserName))
          return fail(kDeleteConflict, "Cannot delete entity, must delete access keys first.");
        things.erase("user/" + r.input.UserName);
        return {};
      }));
      return api::Empty{};
    });
    row<op::CreateAccessKey>(gate, "iam:CreateAccessKey", {}, [this](auto& r) -> Result<CreateAccessKeyResponse> {
      std::string id = "AKIA" + random_text(16, "ABCDEFGHIJKLMNOP");
      auto& name = *r.input.UserName;
      TRY_VOID(act("CreateAccessKey " + name, r.call, [&]() -> Result<void> {
        TRY_VOID(need("user/" + name, kNoSuchEntity));
        return add("user/" + name + "/key/" + id, "", kExistsAlready);
      }));
      return CreateAccessKeyResponse{.AccessKey = {name, id, "Active", "the-secret-of-" + id, clock_.now()}};
    });
    row<op::ListAccessKeys>(gate, "iam:ListAccessKeys", {}, [this](auto& r) -> Result<ListAccessKeysResponse> {
      TRY_VOID(need("user/" + *r.input.UserName, kNoSuchEntity));
      ListAccessKeysResponse out;
      auto prefix = "user/" + *r.input.UserName + "/key/";
      for (auto& [k, v] : things)
        if (k.starts_with(prefix))
          out.AccessKeyMetadata.push_back({*r.input.UserName, k.substr(prefix.size()), "Active", made[k]});
      return out;
    });
    row<op::DeleteAccessKey>(gate, "iam:DeleteAccessKey", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("DeleteAccessKey " + *r.input.UserName, r.call, [&]() -> Result<void> {
        auto thing = "user/" + *r.input.UserName + "/key/" + r.input.AccessKeyId;
        TRY_VOID(need(thing, kNoSuchEntity));
        things.erase(thing);
        return {};
      }));
      return api::Empty{};
    });
  }
  iam::Role role(const std::string& name) {
    iam::Role r;
    r.RoleName = name;
    r.RoleId = "AROA" + name;
    r.Arn = std::string("arn:aws:iam::") + kAccount + ":role/" + name;
    r.CreateDate = made["role/" + name];
    return r;
  }
  iam::User user(const std::string& name) {
    iam::User u;
    u.UserName = name;
    u.Arn = std::string("arn:aws:iam::") + kAccount + ":user/" + name;
    u.CreateDate = made["user/" + name];
    return u;
  }

  void declare_s3(access::Gate& gate) {
    using namespace s3;
    row<op::CreateBucket>(gate, "s3:CreateBucket", {}, [this](auto& r) -> Result<CreateBucketOutput> {
      auto& in = r.input;
      TRY_VOID(act("CreateBucket " + in.Bucket, r.call, [&]() {
        return add("bucket/" + in.Bucket, in.ACL.value_or("") + " " + in.ObjectOwnership.value_or(""), kBucketTaken);
      }));
      return CreateBucketOutput{};
    });
    row<op::ListBuckets>(gate, "s3:ListAllMyBuckets", {}, [this](auto& r) -> Result<ListBucketsOutput> {
      ListBucketsOutput out;
      out.Buckets.emplace();
      for (auto& [k, v] : things)
        if (k.starts_with("bucket/") && k.find('/', 7) == k.npos && k.substr(7).starts_with(r.input.Prefix.value_or(""))) {
          Bucket b;
          b.Name = k.substr(7);
          b.CreationDate = made[k];
          out.Buckets->push_back(b);
        }
      return out;
    });
    row<op::DeleteBucket>(gate, "s3:DeleteBucket", {}, [this](auto& r) -> Result<api::Empty> {
      auto thing = "bucket/" + r.input.Bucket;
      TRY_VOID(act("DeleteBucket " + r.input.Bucket, r.call, [&]() -> Result<void> {
        TRY_VOID(need(thing, kNoSuchBucket));
        if (children(thing + "/object"))
          return fail(kNotEmpty, "The bucket you tried to delete is not empty. You must delete all versions in the bucket.");
        std::erase_if(things, [&](auto& x) { return x.first.starts_with(thing + "/"); });
        things.erase(thing);
        return {};
      }));
      return api::Empty{};
    });
    auto setting = [&]<class Op>(Op*, std::string_view action, const std::string& name, auto value) {
      row<Op>(gate, action, {}, [this, name, value](auto& r) -> Result<api::Empty> {
        TRY_VOID(act(name + " " + r.input.Bucket, r.call, [&]() -> Result<void> {
          TRY_VOID(need("bucket/" + r.input.Bucket, kNoSuchBucket));
          things["bucket/" + r.input.Bucket + "/" + name] = value(r.input);
          return {};
        }));
        return api::Empty{};
      });
    };
    setting(static_cast<op::PutBucketVersioning*>(nullptr), "s3:PutBucketVersioning", "PutBucketVersioning",
            [](auto& in) { return in.VersioningConfiguration.Status.value_or(""); });
    setting(static_cast<op::PutBucketEncryption*>(nullptr), "s3:PutEncryptionConfiguration", "PutBucketEncryption", [](auto& in) {
      return in.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault->KMSMasterKeyID.value_or("");
    });
    setting(static_cast<op::PutBucketTagging*>(nullptr), "s3:PutBucketTagging", "PutBucketTagging", [](auto& in) {
      std::string out;
      for (auto& t : in.Tagging.TagSet) out += t.Key + "=" + t.Value + ";";
      return out;
    });
    setting(static_cast<op::PutBucketLogging*>(nullptr), "s3:PutBucketLogging", "PutBucketLogging",
            [](auto& in) { return in.BucketLoggingStatus.LoggingEnabled->TargetBucket; });
    setting(static_cast<op::PutBucketPolicy*>(nullptr), "s3:PutBucketPolicy", "PutBucketPolicy",
            [](auto& in) { return in.Policy; });
    row<op::GetBucketPolicy>(gate, "s3:GetBucketPolicy", {}, [this](auto& r) -> Result<GetBucketPolicyOutput> {
      auto thing = "bucket/" + r.input.Bucket + "/PutBucketPolicy";
      TRY_VOID(need("bucket/" + r.input.Bucket, kNoSuchBucket));
      TRY_VOID(need(thing, kNoBucketPolicy));
      return GetBucketPolicyOutput{.Policy = things[thing]};
    });
    row<op::DeleteBucketPolicy>(gate, "s3:DeleteBucketPolicy", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("DeleteBucketPolicy " + r.input.Bucket, r.call, [&]() -> Result<void> {
        TRY_VOID(need("bucket/" + r.input.Bucket, kNoSuchBucket));
        things.erase("bucket/" + r.input.Bucket + "/PutBucketPolicy");
        return {};
      }));
      return api::Empty{};
    });
  }

  void declare_kms(access::Gate& gate) {
    using namespace kms;
    row<op::CreateKey>(gate, "kms:CreateKey", {}, [this](auto& r) -> Result<CreateKeyResponse> {
      auto id = new_uuid();
      auto description = r.input.Description.value_or("");
      TRY_VOID(act("CreateKey " + description, r.call, [&]() -> Result<void> {
        TRY_VOID(add("key/" + id, description, kAliasTaken));
        for (auto& t : or_empty(r.input.Tags)) key_tags_[id][t.TagKey] = t.TagValue;
        return {};
      }));
      return CreateKeyResponse{.KeyMetadata = metadata(id)};
    });
    row<op::DescribeKey>(gate, "kms:DescribeKey", {}, [this](auto& r) -> Result<DescribeKeyResponse> {
      TRY_VOID(need("key/" + r.input.KeyId, kNoSuchKey));
      return DescribeKeyResponse{.KeyMetadata = metadata(r.input.KeyId)};
    });
    row<op::ListKeys>(gate, "kms:ListKeys", {}, [this](auto&) -> Result<ListKeysResponse> {
      ListKeysResponse out;
      out.Keys.emplace();
      for (auto& [k, v] : things)
        if (k.starts_with("key/") && k.find('/', 4) == k.npos) out.Keys->push_back({.KeyId = k.substr(4)});
      return out;
    });
    row<op::ListResourceTags>(gate, "kms:ListResourceTags", {}, [this](auto& r) -> Result<ListResourceTagsResponse> {
      ListResourceTagsResponse out;
      out.Tags.emplace();
      for (auto& [k, v] : key_tags_[r.input.KeyId]) out.Tags->push_back({k, v});
      return out;
    });
    row<op::ScheduleKeyDeletion>(gate, "kms:ScheduleKeyDeletion", {}, [this](auto& r) -> Result<ScheduleKeyDeletionResponse> {
      TRY_VOID(
          act("ScheduleKeyDeletion " + std::to_string(r.input.PendingWindowInDays.value_or(0)), r.call, [&]() -> Result<void> {
            TRY_VOID(need("key/" + r.input.KeyId, kNoSuchKey));
            std::erase_if(things, [&](auto& x) { return x.first.starts_with("key/" + r.input.KeyId); });
            return {};
          }));
      return ScheduleKeyDeletionResponse{};
    });
    auto rotation = [&]<class Op>(Op*, std::string_view action, const std::string& name, const std::string& value) {
      row<Op>(gate, action, {}, [this, name, value](auto& r) -> Result<api::Empty> {
        TRY_VOID(act(name, r.call, [&]() -> Result<void> {
          TRY_VOID(need("key/" + r.input.KeyId, kNoSuchKey));
          things["key/" + r.input.KeyId + "/rotation"] = value;
          return {};
        }));
        return api::Empty{};
      });
    };
    rotation(static_cast<op::EnableKeyRotation*>(nullptr), "kms:EnableKeyRotation", "EnableKeyRotation", "on");
    rotation(static_cast<op::DisableKeyRotation*>(nullptr), "kms:DisableKeyRotation", "DisableKeyRotation", "off");
    row<op::UpdateKeyDescription>(gate, "kms:UpdateKeyDescription", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("UpdateKeyDescription " + r.input.Description, r.call, [&]() -> Result<void> {
        things["key/" + r.input.KeyId] = r.input.Description;
        return {};
      }));
      return api::Empty{};
    });
    row<op::CreateAlias>(gate, "kms:CreateAlias", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("CreateAlias " + r.input.AliasName, r.call, [&]() -> Result<void> {
        TRY_VOID(need("key/" + r.input.TargetKeyId, kNoSuchKey));
        return add("alias:" + r.input.AliasName, r.input.TargetKeyId, kAliasTaken);
      }));
      return api::Empty{};
    });
    row<op::UpdateAlias>(gate, "kms:UpdateAlias", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("UpdateAlias " + r.input.AliasName, r.call, [&]() -> Result<void> {
        TRY_VOID(need("alias:" + r.input.AliasName, kNoSuchKey));
        things["alias:" + r.input.AliasName] = r.input.TargetKeyId;
        return {};
      }));
      return api::Empty{};
    });
    row<op::ListAliases>(gate, "kms:ListAliases", {}, [this](auto& r) -> Result<ListAliasesResponse> {
      ListAliasesResponse out;
      out.Aliases.emplace();
      for (auto& [k, v] : things)
        if (k.starts_with("alias:") && v == r.input.KeyId.value_or("")) {
          AliasListEntry a;
          a.AliasName = k.substr(6);
          a.CreationDate = made[k];
          out.Aliases->push_back(a);
        }
      return out;
    });
    row<op::DeleteAlias>(gate, "kms:DeleteAlias", {}, [this](auto& r) -> Result<api::Empty> {
      TRY_VOID(act("DeleteAlias " + r.input.AliasName, r.call, [&]() -> Result<void> {
        TRY_VOID(need("alias:" + r.input.AliasName, kNoSuchKey));
        things.erase("alias:" + r.input.AliasName);
        return {};
      }));
      return api::Empty{};
    });
  }
  kms::KeyMetadata metadata(const std::string& id) {
    kms::KeyMetadata m;
    m.KeyId = id;
    m.Arn = std::string("arn:aws:kms:us-east-1:") + kAccount + ":key/" + id;
    return m;
  }

  Power& power_;
  FakeDirectory& directory_;
  Clock& clock_;
  std::map<std::string, std::map<std::string, std::string>> key_tags_;
};

/// The whole of it, and the calls tests make.
class CloudTest : public ::testing::Test {
 protected:
  CloudTest() {
    dir = std::filesystem::temp_directory_path() / ("redoubt-cloud-" + random_text(12, "abcdefghijklmnop"));
    std::filesystem::create_directories(dir);
    auto opened = access::Audit::open((dir / "audit.db").string());
    audit = std::move(*opened);
    open();
  }
  ~CloudTest() override {
    close();
    audit.reset();
    std::filesystem::remove_all(dir);
  }
  void open(bool resume = false) {
    gate = std::make_unique<access::Gate>(directory, *audit, clock, access::Gate::Options{});
    cloud.declare(*gate);
    stacks = std::make_unique<Stacks>(store, std::string(32, 'r'), clock, options);
    auto loaded = stacks->load();
    ASSERT_TRUE(loaded) << loaded.error().message;
    stacks->declare(*gate);
    if (resume) {
      stacks->resume();
      stacks->settle();
    }
  }
  void close() {
    if (stacks) stacks->stop();
    gate.reset();
    stacks.reset();
  }
  /// The power comes back.
  void restart() {
    close();
    power.left = -1;
    open(true);
  }

  Call as(const std::string& user, const std::string& account = kAccount) {
    api::NetworkPath path;
    path.peer = *Ip::parse("10.1.2.3");
    path.tls = true;
    return gate->new_call(directory.users.at(account + "/" + user), path);
  }
  template <class Op>
  Result<typename Op::Output> call(const typename Op::Input& in, const std::string& user = "admin",
                                   const std::string& account = kAccount) {
    return gate->call<Op>(as(user, account), in);
  }
  static std::string told(const Error& e) { return std::string(e.kind->code) + ": " + e.message; }

  using Parameters = std::vector<std::pair<std::string, std::string>>;
  static std::vector<cfn::Parameter> list(const Parameters& parameters) {
    std::vector<cfn::Parameter> out;
    for (auto& [k, v] : parameters) {
      cfn::Parameter p;
      p.ParameterKey = k;
      p.ParameterValue = v;
      out.push_back(p);
    }
    return out;
  }
  static cfn::CreateStackInput creation(const std::string& name, const std::string& body, const Parameters& parameters = {}) {
    cfn::CreateStackInput in;
    in.StackName = name;
    in.TemplateBody = body;
    in.Capabilities = std::vector<std::string>{"CAPABILITY_NAMED_IAM"};
    if (!parameters.empty()) in.Parameters = list(parameters);
    return in;
  }
  /// "CREATE_COMPLETE", or the refusal.
  std::string create(const cfn::CreateStackInput& in, const std::string& user = "admin") {
    auto out = call<cfn::op::CreateStack>(in, user);
    if (!out) return told(out.error());
    stacks->settle();
    return status(in.StackName.empty() ? "" : *out->StackId);
  }
  std::string create(const std::string& name, const std::string& body, const Parameters& parameters = {}) {
    return create(creation(name, body, parameters));
  }
  std::string update(const std::string& name, const std::string& body, const Parameters& parameters = {},
                     std::optional<std::vector<cfn::Tag>> tags = std::nullopt) {
    cfn::UpdateStackInput in;
    in.StackName = name;
    in.TemplateBody = body;
    in.Capabilities = std::vector<std::string>{"CAPABILITY_NAMED_IAM"};
    if (!parameters.empty()) in.Parameters = list(parameters);
    in.Tags = std::move(tags);
    auto out = call<cfn::op::UpdateStack>(in);
    if (!out) return told(out.error());
    stacks->settle();
    return status(name);
  }
  std::string remove(const std::string& name, std::vector<std::string> retain = {}, const std::string& user = "admin") {
    auto found = stack(name);
    cfn::DeleteStackInput in;
    in.StackName = name;
    if (!retain.empty()) in.RetainResources = std::move(retain);
    auto out = call<cfn::op::DeleteStack>(in, user);
    if (!out) return told(out.error());
    stacks->settle();
    return found ? status(*found->StackId) : "gone";
  }
  std::optional<cfn::Stack> stack(const std::string& name, const std::string& account = kAccount) {
    cfn::DescribeStacksInput in;
    in.StackName = name;
    auto out = call<cfn::op::DescribeStacks>(in, "admin", account);
    if (!out || or_empty(out->Stacks).empty()) return std::nullopt;
    return (*out->Stacks)[0];
  }
  std::string status(const std::string& name) {
    auto s = stack(name);
    return s ? s->StackStatus : "none";
  }
  std::string reason(const std::string& name) {
    auto s = stack(name);
    return s ? s->StackStatusReason.value_or("") : "none";
  }
  std::string output(const std::string& name, const std::string& key) {
    auto s = stack(name);
    if (s)
      for (auto& o : or_empty(s->Outputs))
        if (o.OutputKey == key) return *o.OutputValue;
    return "none";
  }
  std::vector<cfn::StackEvent> events(const std::string& name) {
    std::vector<cfn::StackEvent> all;
    cfn::DescribeStackEventsInput in;
    in.StackName = name;
    for (;;) {
      auto out = call<cfn::op::DescribeStackEvents>(in);
      if (!out) return all;
      for (auto& e : or_empty(out->StackEvents)) all.push_back(e);
      if (!out->NextToken) return all;
      in.NextToken = out->NextToken;
    }
  }
  /// "Role CREATE_IN_PROGRESS", oldest first.
  std::vector<std::string> story(const std::string& name) {
    std::vector<std::string> out;
    for (auto& e : events(name)) out.insert(out.begin(), *e.LogicalResourceId + " " + *e.ResourceStatus);
    return out;
  }
  std::string why(const std::string& name, const std::string& logical, const std::string& event_status) {
    for (auto& e : events(name))
      if (e.LogicalResourceId == logical && e.ResourceStatus == event_status) return e.ResourceStatusReason.value_or("");
    return "no such event";
  }

  std::filesystem::path dir;
  ManualClock clock;
  EngineOptions options{.wait_ms = 60000};
  Power power;
  FakeDirectory directory;
  MemoryStore store{power};
  FakeCloud cloud{power, directory, clock};
  std::unique_ptr<access::Audit> audit;
  std::unique_ptr<access::Gate> gate;
  std::unique_ptr<Stacks> stacks;
};

}  // namespace redoubt::stacks::testing_support
