#include "objects/bucket.h"

#include "base/text.h"
#include "objects/public_policy.h"

namespace redoubt::objects {

std::string_view ownership_name(Ownership o) {
  switch (o) {
    case Ownership::bucket_owner_enforced:
      return "BucketOwnerEnforced";
    case Ownership::bucket_owner_preferred:
      return "BucketOwnerPreferred";
    case Ownership::object_writer:
      return "ObjectWriter";
  }
  return "";
}
std::optional<Ownership> parse_ownership(std::string_view name) {
  for (auto o : {Ownership::bucket_owner_enforced, Ownership::bucket_owner_preferred, Ownership::object_writer})
    if (ownership_name(o) == name) return o;
  return std::nullopt;
}

Json Bucket::json() const {
  Json j = Json::object(), tag_json = Json::object(), grants = Json::array();
  for (auto& [k, v] : tags) tag_json.set(k, v);
  for (auto& g : acl) grants.push(Json::object().set("grantee", g.grantee).set("group", g.group).set("permission", g.permission));
  j.set("name", name).set("uid", uid).set("account", account).set("region", region).set("created", created.us);
  j.set("versioning", int(versioning)).set("ownership", int(ownership)).set("ownership_set", ownership_set);
  if (public_access)
    j.set("public_access", int(public_access->block_acls) | int(public_access->ignore_acls) << 1 |
                               int(public_access->block_policy) << 2 | int(public_access->restrict_buckets) << 3);
  j.set("sse", sse)
      .set("kms_key", kms_key)
      .set("bucket_key", bucket_key)
      .set("policy", policy_text)
      .set("acl", std::move(grants));
  j.set("log_bucket", log_bucket).set("log_prefix", log_prefix).set("tags", std::move(tag_json));
  return j;
}

Result<Bucket> Bucket::from(const Json& j) {
  Bucket b{.name = j["name"].str(), .uid = j["uid"].str(), .account = j["account"].str(), .region = j["region"].str()};
  b.created = {j["created"].integer()};
  b.versioning = Versioning(j["versioning"].integer());
  b.ownership = Ownership(j["ownership"].integer());
  b.ownership_set = j["ownership_set"].boolean(true);
  b.public_access.reset();
  if (auto* p = j.find("public_access")) {
    auto bits = p->integer();
    b.public_access = PublicAccessBlock{bool(bits & 1), bool(bits & 2), bool(bits & 4), bool(bits & 8)};
  }
  b.sse = j["sse"].str();
  b.kms_key = j["kms_key"].str();
  b.bucket_key = j["bucket_key"].boolean();
  b.policy_text = j["policy"].str();
  for (auto& g : j["acl"].items()) b.acl.push_back({g["grantee"].str(), g["group"].boolean(), g["permission"].str()});
  b.log_bucket = j["log_bucket"].str();
  b.log_prefix = j["log_prefix"].str();
  for (auto& [k, v] : j["tags"].members()) b.tags[k] = v.str();
  TRY_VOID(b.compile());
  return b;
}

Json acl_statements(const std::vector<AclGrant>& grants, const std::string& bucket_arn, const std::string& object_arn,
                    bool ignore_public) {
  Json out = Json::array();
  for (auto& g : grants) {
    bool is_everyone = g.group && (g.grantee == kAllUsers || g.grantee == kAuthenticatedUsers);
    if (is_everyone && ignore_public) continue;
    Json principal = Json::object(), condition;
    if (g.group && g.grantee == kLogDelivery) {
      principal.set("Service", "logging.s3.amazonaws.com");
    } else if (is_everyone) {
      principal.set("AWS", "*");
      if (g.grantee == kAuthenticatedUsers)
        condition = Json::object().set("StringNotEquals", Json::object().set("aws:PrincipalType", "Anonymous"));
    } else {
      principal.set("CanonicalUser", g.grantee);
    }
    auto allow = [&](std::vector<std::string> actions, const std::string& resource) {
      Json s = Json::object();
      s.set("Effect", "Allow").set("Principal", principal).set("Action", Json::strings(actions)).set("Resource", resource);
      if (!condition.is_null()) s.set("Condition", condition);
      out.push(std::move(s));
    };
    bool full = g.permission == "FULL_CONTROL", of_bucket = object_arn.empty();
    if (of_bucket) {
      if (full || g.permission == "READ")
        allow({"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}, bucket_arn);
      if (full || g.permission == "WRITE") allow({"s3:PutObject"}, bucket_arn + "/*");
      if (full || g.permission == "READ_ACP") allow({"s3:GetBucketAcl"}, bucket_arn);
      if (full || g.permission == "WRITE_ACP") allow({"s3:PutBucketAcl"}, bucket_arn);
    } else {
      if (full || g.permission == "READ") allow({"s3:GetObject", "s3:GetObjectVersion"}, object_arn);
      if (full || g.permission == "READ_ACP") allow({"s3:GetObjectAcl", "s3:GetObjectVersionAcl"}, object_arn);
      if (full || g.permission == "WRITE_ACP") allow({"s3:PutObjectAcl", "s3:PutObjectVersionAcl"}, object_arn);
    }
  }
  return out;
}

Result<policy::PolicyPtr> combine(const std::string& policy_text, bool denials_only, const Json& acl) {
  Json document = Json::object().set("Version", "2012-10-17"), statements = Json::array();
  if (!policy_text.empty()) {
    auto parsed = Json::parse(policy_text);
    if (!parsed) return fail(kMalformedPolicy, "Policies must be valid JSON and the first byte must be '{'");
    if (!denials_only && acl.size() == 0) {
      auto compiled = policy::parse(policy_text, policy::Kind::bucket);
      if (!compiled) return fail(kMalformedPolicy, compiled.error().message);
      return *compiled;
    }
    document = std::move(*parsed);
    // The version stays: it says whether ${..} are variables.
    auto add = [&](const Json& s) {
      if (!denials_only || s["Effect"].str() != "Allow") statements.push(s);
    };
    if (document["Statement"].is_array())
      for (auto& s : document["Statement"].items()) add(s);
    else
      add(document["Statement"]);
  }
  for (auto& s : acl.items()) statements.push(s);
  if (statements.size() == 0) return policy::PolicyPtr();
  document.set("Statement", std::move(statements));
  auto compiled = policy::parse(document.dump(), policy::Kind::bucket);
  if (!compiled) return fail(kMalformedPolicy, compiled.error().message);
  return *compiled;
}

Result<void> Bucket::compile() {
  auto grants = acls_work() ? acl_statements(acl, arn(), "", ignores_public_acls()) : Json::array();
  TRY(policy, combine(policy_text, false, grants));
  TRY(denials, combine(policy_text, true, Json::array()));
  auto document = policy_text.empty() ? Json() : Json::parse(policy_text).value_or(Json());
  policy_public = is_public(document);
  return {};
}

namespace {
constexpr std::string_view kBuckets = "s3.buckets", kStates = "s3.states";
std::string state_of(const Bucket& b) { return std::to_string(int(b.versioning)) + b.uid; }
}  // namespace

Result<Versioning> current_versioning(meta::Reader& reader, const Bucket& bucket) {
  auto state = reader.get(kStates, bucket.name);
  if (!state || state->substr(1) != bucket.uid) return fail(kNoSuchBucket, "The specified bucket does not exist");
  return Versioning(state->front() - '0');
}

Result<void> BucketStore::load() {
  for (auto& row : store_.scan_prefix(kBuckets, "")) {
    TRY(Json j, Json::parse(row.value));
    TRY(Bucket b, Bucket::from(j));
    buckets_[row.key] = std::make_shared<const Bucket>(std::move(b));
  }
  return {};
}
BucketPtr BucketStore::find(std::string_view name) const {
  std::shared_lock lock(mutex_);
  auto it = buckets_.find(name);
  return it == buckets_.end() ? nullptr : it->second;
}
std::vector<BucketPtr> BucketStore::list(std::string_view account) const {
  std::vector<BucketPtr> out;
  std::shared_lock lock(mutex_);
  for (auto& [name, b] : buckets_)
    if (b->account == account) out.push_back(b);
  return out;
}
Result<BucketPtr> BucketStore::add(Bucket bucket) {
  std::lock_guard writer(writers_);
  if (auto old = find(bucket.name)) {
    if (old->account == bucket.account)
      return fail(kBucketAlreadyOwnedByYou, "Your previous request to create the named bucket succeeded and you already own it.");
    return fail(kBucketAlreadyExists,
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please "
                "select a different name and try again.");
  }
  TRY_VOID(bucket.compile());
  auto made = std::make_shared<const Bucket>(std::move(bucket));
  TRY_VOID(store(made));
  return made;
}
Result<BucketPtr> BucketStore::update(const Bucket& bucket, const std::function<Result<void>(Bucket&)>& change) {
  std::lock_guard writer(writers_);
  auto old = find(bucket.name);
  if (!old || old->uid != bucket.uid) return fail(kNoSuchBucket, "The specified bucket does not exist");
  Bucket copy = *old;
  TRY_VOID(change(copy));
  TRY_VOID(copy.compile());
  auto made = std::make_shared<const Bucket>(std::move(copy));
  TRY_VOID(store(made));
  return made;
}
Result<void> BucketStore::store(const BucketPtr& bucket) {
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kBuckets, bucket->name, bucket->json().dump());
    t.put(kStates, bucket->name, state_of(*bucket));
    return {};
  }));
  std::unique_lock lock(mutex_);
  buckets_[bucket->name] = bucket;
  return {};
}
Result<void> BucketStore::remove(const Bucket& bucket, const std::function<Result<void>(meta::Txn&)>& check) {
  std::lock_guard writer(writers_);
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    TRY_VOID(current_versioning(t, bucket));
    TRY_VOID(check(t));
    t.erase(kBuckets, bucket.name);
    t.erase(kStates, bucket.name);
    return {};
  }));
  std::unique_lock lock(mutex_);
  buckets_.erase(bucket.name);
  return {};
}

}  // namespace redoubt::objects
