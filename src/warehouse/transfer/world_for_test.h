#pragma once
/// A world around S3Transfer: a real engine and a real Gate, a directory of roles, an S3 in memory declared as rows of that Gate,
/// and sts:AssumeRole judged by trust policies.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "access/audit.h"
#include "api/s3.h"
#include "api/sts.h"
#include "base/crypto_stream.h"
#include "base/ids.h"
#include "base/text.h"
#include "warehouse/sql/parser.h"
#include "warehouse/transfer/s3_transfer.h"

namespace redoubt::warehouse::transfer {

inline constexpr const char* kAccount = "111122223333";
inline std::string role(const std::string& name) { return std::string("arn:aws:iam::") + kAccount + ":role/" + name; }

class Roles final : public access::Directory {
 public:
  struct Role {
    policy::PolicyPtr trust, identity;
  };
  static policy::PolicyPtr parsed(std::string_view text, policy::Kind kind) {
    auto p = policy::parse(text, kind);
    if (!p) ADD_FAILURE() << text << ": " << p.error().message;
    return p ? *p : nullptr;
  }
  void add(const std::string& name, const std::string& trust, const std::string& identity) {
    roles[role(name)] = {parsed(trust, policy::Kind::trust), parsed(identity, policy::Kind::identity)};
  }
  Result<access::SigningKey> find_key(std::string_view id, std::string_view token, Timestamp now) override {
    std::lock_guard lock(mutex);
    auto found = sessions.find(std::string(id));
    if (found == sessions.end() || token != "token")
      return fail(access::kInvalidClientTokenId, "The security token included in the request is invalid.");
    if (found->second->expires <= now)
      return fail(access::kExpiredToken, "The security token included in the request is expired");
    return access::SigningKey{"secret", found->second};
  }
  std::shared_ptr<const access::PrincipalPolicies> policies_of(const access::Caller& caller) override {
    auto out = std::make_shared<access::PrincipalPolicies>();
    if (auto found = roles.find(caller.issuer_arn); found != roles.end())
      out->identity = {{"inline", found->second.identity.get()}};
    return out;
  }
  std::shared_ptr<const access::AccountPolicies> account(std::string_view) override {
    return std::make_shared<access::AccountPolicies>();
  }
  bool account_exists(std::string_view) override { return true; }
  std::string canonical_id(std::string_view) override { return std::string(64, 'c'); }
  std::optional<std::string> account_of_canonical_id(std::string_view) override { return std::nullopt; }
  std::optional<std::string> principal_to_id(std::string_view, std::string_view v) override { return std::string(v); }
  std::string id_to_principal(std::string_view v) override { return std::string(v); }
  bool role_exists(std::string_view arn) override { return roles.contains(std::string(arn)); }
  std::string encode_authorization_message(std::string_view, std::string_view) override { return ""; }

  std::map<std::string, Role> roles;
  std::mutex mutex;
  std::map<std::string, access::CallerPtr> sessions;  // guarded by mutex
};

inline constexpr ErrorKind kNoSuchKey{"NoSuchKey", 404};
inline constexpr ErrorKind kNoSuchBucket{"NoSuchBucket", 404};

/// Buckets of the one account, objects in memory; `asked` is who did what.
class MemoryS3 {
 public:
  using Buckets = std::map<std::string, std::map<std::string, std::string>>;
  class Body final : public api::BodySource {
   public:
    explicit Body(std::string text) : text_(std::move(text)) {}
    /// Each piece is deciphered once, as an encrypted object's frames are.
    Result<void> read(std::string& out, size_t max) override {
      size_t n = std::min({max, size_t{64} << 10, text_.size() - at_});
      size_t before = out.size();
      out.append(text_, at_, n);
      at_ += n;
      for (int twice = 0; twice < 2 && n > 0; ++twice) {  // there and back: the bytes stay what they are
        crypto::AesStream aes;
        aes.start(crypto::AesStream::Mode::ctr, crypto::AesStream::Way::decrypt, std::string(32, 'k'), std::string(16, 'n'));
        auto* bytes = reinterpret_cast<uint8_t*>(out.data() + before);
        aes.update(bytes, n, bytes);
      }
      return {};
    }

   private:
    const std::string text_;
    size_t at_ = 0;
  };
  template <class Out>
  struct Keep final : access::Upload<Out> {
    std::function<Result<Out>(std::string)> done;
    std::string data;
    Result<void> write(std::string_view bytes) override {
      data += bytes;
      return {};
    }
    Result<Out> finish() override { return done(std::move(data)); }
  };

  void declare(access::Gate& gate, Roles& roles) {
    namespace s3 = api::s3;
    auto object = [this](auto& in, const access::Call& call) -> Result<std::vector<access::Resource>> {
      note(call, in.Bucket + "/" + in.Key);
      access::Resource r{.arn = "arn:aws:s3:::" + in.Bucket + "/" + in.Key, .account = kAccount};
      r.rule = policy::ResourceRule::optional;
      return std::vector{r};
    };
    auto bucket = [this](auto& in, const access::Call& call) -> Result<std::vector<access::Resource>> {
      note(call, in.Bucket);
      if (!buckets.contains(in.Bucket)) return fail(kNoSuchBucket, "The specified bucket does not exist");
      access::Resource r{.arn = "arn:aws:s3:::" + in.Bucket, .account = kAccount};
      r.rule = policy::ResourceRule::optional;
      return std::vector{r};
    };
    auto find = [this](auto& in) -> Result<std::string> {
      std::lock_guard lock(mutex);
      auto b = buckets.find(in.Bucket);
      if (b == buckets.end()) return fail(kNoSuchBucket, "The specified bucket does not exist");
      auto o = b->second.find(in.Key);
      if (o == b->second.end()) return fail(kNoSuchKey, "The specified key does not exist.");
      return o->second;
    };
    gate.add<s3::op::GetObject>(
        {.needs = {{.action = "s3:GetObject", .resources = object}}, .handler = [find](auto& r) -> Result<s3::GetObjectOutput> {
           TRY(std::string text, find(r.input));
           if (r.input.Range) {
             auto range = split(std::string_view(*r.input.Range).substr(6), '-');
             text = text.substr(size_t(*parse_int(range[0])), size_t(*parse_int(range[1]) - *parse_int(range[0]) + 1));
           }
           s3::GetObjectOutput out;
           out.Body = std::make_shared<Body>(std::move(text));
           return out;
         }});
    gate.add<s3::op::HeadObject>(
        {.needs = {{.action = "s3:GetObject", .resources = object}}, .handler = [find](auto& r) -> Result<s3::HeadObjectOutput> {
           TRY(std::string text, find(r.input));
           s3::HeadObjectOutput out;
           out.ContentLength = int64_t(text.size());
           return out;
         }});
    gate.add<s3::op::ListObjectsV2>({.needs = {{.action = "s3:ListBucket", .resources = bucket}},
                                     .handler = [this](auto& r) -> Result<s3::ListObjectsV2Output> {
                                       std::lock_guard lock(mutex);
                                       s3::ListObjectsV2Output out;
                                       std::vector<s3::Object> found;
                                       for (auto& [key, text] : buckets[r.input.Bucket]) {
                                         if (!key.starts_with(r.input.Prefix.value_or(""))) continue;
                                         if (r.input.ContinuationToken && key <= *r.input.ContinuationToken) continue;
                                         if (found.size() == 2) {  // small pages, so that they are turned
                                           out.IsTruncated = true;
                                           out.NextContinuationToken = *found.back().Key;
                                           break;
                                         }
                                         s3::Object o;
                                         o.Key = key;
                                         o.Size = int64_t(text.size());
                                         found.push_back(o);
                                       }
                                       out.Contents = found;
                                       return out;
                                     }});
    gate.add<s3::op::PutObject>({.needs = {{.action = "s3:PutObject", .resources = object}},
                                 .open = [this](auto& r) -> Result<std::unique_ptr<access::Upload<s3::PutObjectOutput>>> {
                                   auto keep = std::make_unique<Keep<s3::PutObjectOutput>>();
                                   keep->done = [this, in = r.input](std::string data) -> Result<s3::PutObjectOutput> {
                                     store(in.Bucket, in.Key, std::move(data), in.ServerSideEncryption.value_or(""),
                                           in.SSEKMSKeyId.value_or(""));
                                     return s3::PutObjectOutput{};
                                   };
                                   return keep;
                                 }});
    gate.add<s3::op::CreateMultipartUpload>({.needs = {{.action = "s3:PutObject", .resources = object}},
                                             .handler = [this](auto& r) -> Result<s3::CreateMultipartUploadOutput> {
                                               std::lock_guard lock(mutex);
                                               s3::CreateMultipartUploadOutput out;
                                               out.UploadId = "upload" + std::to_string(uploads.size());
                                               uploads[*out.UploadId] = {};
                                               sealing[r.input.Bucket + "/" + r.input.Key] =
                                                   r.input.ServerSideEncryption.value_or("");
                                               return out;
                                             }});
    gate.add<s3::op::UploadPart>({.needs = {{.action = "s3:PutObject", .resources = object}},
                                  .open = [this](auto& r) -> Result<std::unique_ptr<access::Upload<s3::UploadPartOutput>>> {
                                    auto keep = std::make_unique<Keep<s3::UploadPartOutput>>();
                                    keep->done = [this, in = r.input](std::string data) -> Result<s3::UploadPartOutput> {
                                      std::lock_guard lock(mutex);
                                      uploads[in.UploadId] += data;
                                      s3::UploadPartOutput out;
                                      out.ETag = "etag" + std::to_string(in.PartNumber);
                                      return out;
                                    };
                                    return keep;
                                  }});
    gate.add<s3::op::CompleteMultipartUpload>({.needs = {{.action = "s3:PutObject", .resources = object}},
                                               .handler = [this](auto& r) -> Result<s3::CompleteMultipartUploadOutput> {
                                                 std::string data;
                                                 {
                                                   std::lock_guard lock(mutex);
                                                   data = std::move(uploads[r.input.UploadId]);
                                                   uploads.erase(r.input.UploadId);
                                                 }
                                                 store(r.input.Bucket, r.input.Key, std::move(data),
                                                       sealing[r.input.Bucket + "/" + r.input.Key], "");
                                                 return s3::CompleteMultipartUploadOutput{};
                                               }});
    gate.add<s3::op::AbortMultipartUpload>({.needs = {{.action = "s3:AbortMultipartUpload", .resources = object}},
                                            .handler = [this](auto& r) -> Result<s3::AbortMultipartUploadOutput> {
                                              std::lock_guard lock(mutex);
                                              uploads.erase(r.input.UploadId);
                                              return s3::AbortMultipartUploadOutput{};
                                            }});
    gate.add<s3::op::DeleteObject>({.needs = {{.action = "s3:DeleteObject", .resources = object}},
                                    .handler = [this](auto& r) -> Result<s3::DeleteObjectOutput> {
                                      std::lock_guard lock(mutex);
                                      buckets[r.input.Bucket].erase(r.input.Key);
                                      return s3::DeleteObjectOutput{};
                                    }});
    gate.add<api::sts::op::AssumeRole>(
        {.needs = {{.action = "sts:AssumeRole",
                    .resources = [this, &roles](auto& in, auto& call) -> Result<std::vector<access::Resource>> {
                      note(call, "assume " + in.RoleArn + " " + in.ExternalId.value_or("-") + " " + in.RoleSessionName);
                      access::Resource r{.arn = in.RoleArn, .account = kAccount};
                      r.rule = policy::ResourceRule::required;
                      if (auto found = roles.roles.find(in.RoleArn); found != roles.roles.end()) r.policy = found->second.trust;
                      return std::vector{r};
                    },
                    .context =
                        [](auto& in, auto&, policy::Context& c) {
                          if (in.ExternalId) c.set("sts:ExternalId", *in.ExternalId);
                        }}},
         .handler = [&roles](auto& r) -> Result<api::sts::AssumeRoleResponse> {
           auto c = std::make_shared<access::Caller>();
           c->type = policy::PrincipalType::assumed_role;
           c->account = kAccount;
           c->issuer_arn = r.input.RoleArn;
           c->role_name = r.input.RoleArn.substr(r.input.RoleArn.rfind('/') + 1);
           c->session_name = r.input.RoleSessionName;
           c->arn = std::string("arn:aws:sts::") + kAccount + ":assumed-role/" + c->role_name + "/" + c->session_name;
           c->temporary = true;
           c->expires = r.call.now.plus_seconds(3600);
           std::lock_guard lock(roles.mutex);
           c->access_key_id = "ASIA" + std::to_string(roles.sessions.size());
           roles.sessions[c->access_key_id] = c;
           api::sts::AssumeRoleResponse out;
           out.Credentials = api::sts::Credentials{c->access_key_id, "secret", "token", c->expires};
           return out;
         }});
  }

  void store(const std::string& bucket, const std::string& key, std::string data, const std::string& sse,
             const std::string& kms_key) {
    std::lock_guard lock(mutex);
    buckets[bucket][key] = std::move(data);
    sealing[bucket + "/" + key] = sse + (kms_key.empty() ? "" : " " + kms_key);
  }
  void note(const access::Call& call, const std::string& what) {
    std::lock_guard lock(mutex);
    asked.push_back((call.caller->arn.empty() ? call.caller->service : call.caller->arn) + " " + what +
                    (call.via_aws_service() ? " (via)" : ""));
  }

  std::mutex mutex;
  Buckets buckets;                             // guarded by mutex, as all below
  std::map<std::string, std::string> uploads;  // under way
  std::map<std::string, std::string> sealing;  // by bucket/key
  std::vector<std::string> asked;
};

class NoHost final : public engine::HostContext, public secure::HostFunctions {
 public:
  std::vector<engine::SystemColumn> system_columns(std::string_view) const override { return {}; }
  Result<std::unique_ptr<engine::SystemRows>> system_rows(std::string_view) const override { return fail(kInternal, "none"); }
  const secure::HostFunctions& host_functions() const override { return *this; }
  std::span<const secure::HostFunction> find(std::string_view) const override { return {}; }
  Result<secure::Datum> call(const secure::HostFunction&, std::span<const secure::Datum>) const override {
    return fail(kInternal, "none");
  }
};

class NoAudit final : public access::Audit {
 public:
  void record(access::AuditEvent) override {}
  Result<access::AuditPage> lookup(const access::AuditQuery&) override { return access::AuditPage{}; }
  void flush() override {}
};

/// Role "Loader" is attached, may do everything with bucket "b", and nothing else.
class World {
 public:
  explicit World(size_t threads = 2)
      : resources_(std::make_shared<engine::Resources>(engine::Share{size_t{512} << 20, threads})) {
    std::filesystem::remove_all(directory_);
    auto opened = engine::Engine::open({directory_, std::string(32, 'k'), resources_});
    if (!opened) ADD_FAILURE() << opened.error().message;
    engine_ = *std::move(opened);
    connection = *engine_->connect();
    s3.declare(gate, roles);
    s3.buckets["b"] = {};
    s3.buckets["other"] = {{"secret.txt", "1|stolen\n"}};
    roles.add("Loader", trust_cluster(), allow("s3:*", "[\"arn:aws:s3:::b\",\"arn:aws:s3:::b/*\"]"));
    attached = {role("Loader")};
    must(connection->begin());
    must(connection->create_schema(7));
    must(connection->commit());
  }
  ~World() {
    connection.reset();
    engine_.reset();
    std::filesystem::remove_all(directory_);
  }
  static std::string trust_cluster(const std::string& condition = "") {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"redshift.amazonaws.com"},"Action":"sts:AssumeRole")" +
           (condition.empty() ? "" : ",\"Condition\":" + condition) + "}]}";
  }
  static std::string trust_role(const std::string& name) {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":")" + role(name) +
           R"("},"Action":"sts:AssumeRole"}]})";
  }
  static std::string allow(const std::string& action, const std::string& resources) {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":")" + action + R"(","Resource":)" + resources +
           "}]}";
  }
  template <class T>
  static void must(const Result<T>& r) {
    if (!r) ADD_FAILURE() << r.error().kind->code << ": " << r.error().message << r.error().get("DETAIL");
  }

  /// A new empty table; its columns are attnums 1..n.
  void table(std::vector<catalog::Column> columns) {
    relation = {};
    relation.oid = next_oid_++;
    relation.name = "t";
    int16_t attnum = 0;
    for (auto& c : columns) c.attnum = ++attnum;
    relation.columns = std::move(columns);
    physical = "s7.t" + std::to_string(relation.oid);
    std::vector<engine::PhysicalColumn> shape;
    for (auto& c : relation.columns) shape.push_back({c.attnum, c.type, c.not_null});
    must(connection->begin());
    must(connection->create_table(physical, shape));
    for (auto& c : relation.columns)
      if (c.identity) must(connection->create_identity(physical, c.attnum, c.identity_seed, c.identity_step));
    must(connection->commit());
  }
  void table(std::initializer_list<std::pair<std::string, sql::Type>> list) {
    std::vector<catalog::Column> columns;
    for (auto& [name, type] : list) {
      catalog::Column c;
      c.name = name;
      c.type = type;
      columns.push_back(c);
    }
    table(columns);
  }

  Context context() {
    return {.cluster = cluster,
            .db_user = db_user,
            .user_id = 100,
            .database = "dev",
            .query = 42,
            .pid = 4711,
            .source_ip = "10.0.0.1",
            .time_zone = "UTC",
            .connection = *connection,
            .host = host,
            .clock = clock,
            .canceled = canceled};
  }

  /// COPY t FROM 's3://b/<source>' <words>, committed if it worked.
  Result<CopyOutcome> copy_as(const std::string& text, std::vector<int16_t> columns = {},
                              std::vector<std::pair<int16_t, engine::Datum>> defaults = {}) {
    auto parsed = sql::parse(text);
    if (!parsed) return fail(parsed.error());
    if (columns.empty())
      for (auto& c : relation.columns)
        if (!c.identity) columns.push_back(c.attnum);
    must(connection->begin());
    must(connection->note_write(relation.oid));
    CopyRequest request{static_cast<const sql::Copy&>(*(*parsed)[0].command), relation, physical, columns, defaults};
    auto done = transfer.copy(request, context());
    if (done && !done->failure)
      must(connection->commit());
    else
      connection->rollback();
    return done;
  }
  Result<CopyOutcome> copy(const std::string& key, const std::string& words = "", std::vector<int16_t> columns = {}) {
    return copy_as("copy t from 's3://b/" + key + "' iam_role '" + role("Loader") + "' " + words, columns);
  }
  /// select * from t order by the first column
  secure::plan::Statement select_all(bool ordered = true) {
    namespace plan = secure::plan;
    plan::Statement s;
    auto query = std::make_shared<plan::Query>();
    auto from = std::make_shared<plan::From>();
    from->id = 1;
    from->relation = relation.oid;
    from->physical = physical;
    for (auto& c : relation.columns) {
      from->columns.push_back({c.attnum, c.type});
      auto e = std::make_shared<plan::Expr>();
      e->kind = plan::ExprKind::kColumn;
      e->type = c.type;
      e->relation = 1;
      e->column = c.attnum;
      query->select.outputs.push_back(e);
      plan::Output o;
      o.name = c.name;
      o.type = c.type;
      query->outputs.push_back(o);
    }
    query->select.from = from;
    if (ordered) query->order_by.push_back({.output = 1});
    s.columns = query->outputs;
    s.query = query;
    s.reads = {relation.oid};
    return s;
  }
  Result<UnloadOutcome> unload(const std::string& prefix, const std::string& words = "", bool ordered = true) {
    return unload_as("unload ('select') to 's3://b/" + prefix + "' iam_role '" + role("Loader") + "' " + words, ordered);
  }
  Result<UnloadOutcome> unload_as(const std::string& text, bool ordered = true) {
    auto parsed = sql::parse(text);
    if (!parsed) return fail(parsed.error());
    auto select = select_all(ordered);
    must(connection->begin());
    auto done = transfer.unload({static_cast<const sql::Unload&>(*(*parsed)[0].command), select}, context());
    connection->rollback();
    return done;
  }
  /// Rows as a|b lines, NULL as NULL.
  std::vector<std::string> rows() {
    must(connection->begin());
    std::vector<std::string> out;
    auto select = select_all();
    if (auto stream = connection->query(select, {}, host)) {
      std::vector<std::vector<secure::Datum>> all;
      must((*stream)->values(engine::kAllRows, all));
      for (auto& row : all) {
        std::vector<std::string> values;
        for (auto& v : row) values.push_back(v.value_or("NULL"));
        out.push_back(join(values, "|"));
      }
    } else {
      must(stream);
    }
    connection->rollback();
    return out;
  }
  std::vector<std::string> keys(const std::string& prefix) {
    std::vector<std::string> out;
    for (auto& [key, text] : s3.buckets["b"])
      if (key.starts_with(prefix)) out.push_back(key);
    return out;
  }
  std::string& object(const std::string& key) { return s3.buckets["b"][key]; }

  ManualClock clock;
  Roles roles;
  NoAudit audit;
  access::Gate gate{roles, audit, clock, {}};
  MemoryS3 s3;
  std::set<std::string> attached;
  std::string default_role, db_user = "awsuser";
  ClusterIdentity cluster{kAccount, "us-east-1", "c1"};
  std::function<bool()> canceled;
  S3Transfer transfer{gate,
                      {.roles = {.attached = [this](auto&, const std::string& arn) { return attached.contains(arn); },
                                 .default_role = [this](auto&) { return default_role; }}}};
  std::shared_ptr<NoHost> host = std::make_shared<NoHost>();
  std::unique_ptr<engine::Connection> connection;
  catalog::Relation relation;
  std::string physical;

 private:
  const std::string directory_ =
      std::filesystem::temp_directory_path() / ("redoubt_transfer_" + std::to_string(getpid()) + random_text(6, "abcdef"));
  std::shared_ptr<engine::Resources> resources_;
  std::unique_ptr<engine::Engine> engine_;
  secure::Oid next_oid_ = 1000;
};

}  // namespace redoubt::warehouse::transfer
