#include "objects/index.h"

#include <algorithm>
#include <set>

#include "base/ids.h"
#include "base/text.h"

namespace redoubt::objects {
namespace {

constexpr std::string_view kObjects = "s3.objects", kUploads = "s3.uploads", kParts = "s3.parts";

Json json_of(const std::map<std::string, std::string>& m) {
  Json j = Json::object();
  for (auto& [k, v] : m) j.set(k, v);
  return j;
}
std::map<std::string, std::string> map_of(const Json& j) {
  std::map<std::string, std::string> m;
  for (auto& [k, v] : j.members()) m[k] = v.str();
  return m;
}
Json json_of(const std::vector<AclGrant>& acl) {
  Json j = Json::array();
  for (auto& g : acl) j.push(Json::object().set("grantee", g.grantee).set("group", g.group).set("permission", g.permission));
  return j;
}
std::vector<AclGrant> acl_of(const Json& j) {
  std::vector<AclGrant> out;
  for (auto& g : j.items()) out.push_back({g["grantee"].str(), g["group"].boolean(), g["permission"].str()});
  return out;
}
void put_meta(Json& j, const ObjectMeta& m) {
  if (!m.headers.empty()) j.set("headers", json_of(m.headers));
  if (!m.user.empty()) j.set("meta", json_of(m.user));
  if (!m.tags.empty()) j.set("tags", json_of(m.tags));
  if (m.storage_class != "STANDARD") j.set("class", m.storage_class);
}
ObjectMeta meta_of(const Json& j) {
  ObjectMeta m{map_of(j["headers"]), map_of(j["meta"]), map_of(j["tags"])};
  if (j.has("class")) m.storage_class = j["class"].str();
  return m;
}
Json json_of(const Sealing& s) {
  Json j = Json::object();
  j.set("alg", s.algorithm).set("key", base64(s.wrapped_key));
  if (!s.kms_key.empty()) j.set("kms", s.kms_key);
  if (s.bucket_key) j.set("bucket_key", true);
  if (!s.context.empty()) j.set("context", s.context);
  return j;
}
Sealing sealing_of(const Json& j) {
  return {j["alg"].str(), j["kms"].str(), j["bucket_key"].boolean(), j["context"].str(), unbase64(j["key"].str()).value_or("")};
}

std::string row_key(const Bucket& b, std::string_view key, std::string_view age) { return meta::key({b.uid, key, age}); }
/// What every row of keys that begin with `key_prefix` begins with.
std::string rows_under(const Bucket& b, std::string_view key_prefix) {
  auto k = meta::key({b.uid, key_prefix});
  return k.substr(0, k.size() - 2);
}

}  // namespace

std::string ObjectVersion::dump() const {
  Json j = Json::object();
  j.set("v", version_id).set("t", modified.us);
  if (delete_marker) return j.set("marker", true).set("owner", owner).dump();
  Json b = Json::array();
  for (auto& x : blobs) b.push(x.json());
  j.set("size", size).set("etag", etag).set("owner", owner).set("sealing", json_of(sealing)).set("blobs", std::move(b));
  put_meta(j, meta);
  if (!acl.empty()) j.set("acl", json_of(acl));
  if (!checksum.empty()) j.set("sum", checksum).set("sum_alg", checksum_algorithm).set("sum_type", checksum_type);
  return j.dump();
}

Result<ObjectVersion> ObjectVersion::from(std::string key, std::string age, std::string_view record) {
  TRY(Json j, Json::parse(record));
  ObjectVersion v{
      .key = std::move(key), .version_id = j["v"].str(), .modified = {j["t"].integer()}, .delete_marker = j["marker"].boolean()};
  v.age = std::move(age);
  v.owner = j["owner"].str();
  if (v.delete_marker) return v;
  v.size = uint64_t(j["size"].integer());
  v.etag = j["etag"].str();
  v.sealing = sealing_of(j["sealing"]);
  v.meta = meta_of(j);
  v.acl = acl_of(j["acl"]);
  for (auto& b : j["blobs"].items()) v.blobs.push_back(Blob::from(b));
  v.checksum = j["sum"].str();
  v.checksum_algorithm = j["sum_alg"].str();
  v.checksum_type = j["sum_type"].str();
  return v;
}

std::string UploadRecord::dump() const {
  Json j = Json::object();
  j.set("bucket", bucket_uid)
      .set("key", key)
      .set("id", id)
      .set("t", initiated.us)
      .set("owner", owner)
      .set("initiator", initiator);
  j.set("sealing", json_of(sealing)).set("acl", json_of(acl)).set("sum_alg", checksum_algorithm).set("sum_type", checksum_type);
  put_meta(j, meta);
  return j.dump();
}
Result<UploadRecord> UploadRecord::from(std::string_view record) {
  TRY(Json j, Json::parse(record));
  UploadRecord u{j["bucket"].str(), j["key"].str(), j["id"].str(), {j["t"].integer()}, j["owner"].str(), j["initiator"].str()};
  u.acl = acl_of(j["acl"]);
  u.meta = meta_of(j);
  u.sealing = sealing_of(j["sealing"]);
  u.checksum_algorithm = j["sum_alg"].str();
  u.checksum_type = j["sum_type"].str();
  return u;
}

std::string PartRecord::dump() const {
  Json j = Json::object();
  return j.set("n", number).set("etag", etag).set("sum", checksum).set("t", modified.us).set("blob", blob.json()).dump();
}
Result<PartRecord> PartRecord::from(std::string_view record) {
  TRY(Json j, Json::parse(record));
  return PartRecord{int(j["n"].integer()), j["etag"].str(), j["sum"].str(), {j["t"].integer()}, Blob::from(j["blob"])};
}

std::string Index::next_age(Timestamp now) {
  std::lock_guard lock(age_mutex_);
  last_age_us_ = std::max(last_age_us_ + 1, now.us);
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(INT64_MAX - last_age_us_));
  return text;
}

std::optional<ObjectVersion> Index::find(const Bucket& bucket, std::string_view key,
                                         const std::optional<std::string>& version_id) {
  std::optional<ObjectVersion> out;
  store_.read([&](meta::Reader& r) {
    for (auto& row : r.scan_prefix(kObjects, meta::key({bucket.uid, key}), version_id ? SIZE_MAX : 1)) {
      auto parts = meta::key_parts(row.key);
      auto v = ObjectVersion::from(parts[1], parts[2], row.value);
      if (!v || (version_id && v->version_id != *version_id)) continue;
      out = std::move(*v);
      break;
    }
  });
  return out;
}

Result<void> Index::insert(meta::Txn& txn, const Bucket& bucket, ObjectVersion& version, const WriteCondition& condition,
                           std::vector<Blob>& discarded) {
  auto row = txn.get(kBuckets, bucket.name);
  if (!row) return fail(kNoSuchBucket, "The specified bucket does not exist");
  TRY(Json now, Json::parse(*row));
  if (now["uid"].str() != bucket.uid) return fail(kNoSuchBucket, "The specified bucket does not exist");
  auto versioning = Versioning(now["versioning"].integer());
  auto prefix = meta::key({bucket.uid, version.key});
  if (condition.if_none_match || condition.if_match) {
    auto rows = txn.scan_prefix(kObjects, prefix, 1);
    std::optional<ObjectVersion> current;
    if (!rows.empty()) {
      TRY(current, ObjectVersion::from(version.key, "", rows[0].value));
    }
    bool exists = current && !current->delete_marker;
    if (condition.if_none_match && exists)
      return fail(Error{&kPreconditionFailed, "At least one of the pre-conditions you specified did not hold"}.with(
          "Condition", "If-None-Match"));
    if (condition.if_match && !exists) return fail(kNoSuchKey, "The specified key does not exist.");
    if (condition.if_match && current->etag != *condition.if_match)
      return fail(Error{&kPreconditionFailed, "At least one of the pre-conditions you specified did not hold"}.with("Condition",
                                                                                                                    "If-Match"));
  }
  version.version_id = versioning == Versioning::enabled
                           ? random_text(32, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._")
                           : "null";
  if (versioning != Versioning::enabled)
    for (auto& old : txn.scan_prefix(kObjects, prefix)) {
      TRY(auto v, ObjectVersion::from(version.key, "", old.value));
      if (v.version_id != "null") continue;
      txn.erase(kObjects, old.key);
      for (auto& b : v.blobs) {
        blobs_.discard(txn, b);
        discarded.push_back(b);
      }
    }
  for (auto& b : version.blobs) blobs_.adopt(txn, b);
  txn.put(kObjects, row_key(bucket, version.key, version.age), version.dump());
  return {};
}

Result<void> Index::put(const Bucket& bucket, ObjectVersion& version, Timestamp now, const WriteCondition& condition) {
  std::vector<Blob> discarded;
  version.modified = now;
  version.age = next_age(now);
  auto done = store_.transact([&](meta::Txn& t) {
    discarded.clear();
    return insert(t, bucket, version, condition, discarded);
  });
  if (!done) {
    for (auto& b : version.blobs) blobs_.drop(b);
    return done;
  }
  blobs_.collect(discarded);
  return {};
}

void Index::drop_upload(meta::Txn& txn, const UploadRecord& upload, const std::vector<PartRecord>& parts,
                        const std::vector<Blob>& keep, std::vector<Blob>& discarded) {
  std::set<std::string> kept;
  for (auto& b : keep) kept.insert(b.id);
  txn.erase(kUploads, meta::key({upload.bucket_uid, upload.key, upload.id}));
  for (auto& p : parts) {
    txn.erase(kParts, meta::key({upload.id, std::to_string(100000 + p.number)}));
    if (p.blob.id.empty() || kept.contains(p.blob.id)) continue;
    blobs_.discard(txn, p.blob);
    discarded.push_back(p.blob);
  }
}

Result<void> Index::complete(const Bucket& bucket, ObjectVersion& version, Timestamp now, const WriteCondition& condition,
                             const UploadRecord& upload, const std::vector<PartRecord>& all_parts) {
  std::vector<Blob> discarded, adopted;
  version.modified = now;
  version.age = next_age(now);
  // The parts' blobs are in the index already; inserting must not store them again.
  adopted.swap(version.blobs);
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    discarded.clear();
    if (!t.get(kUploads, meta::key({upload.bucket_uid, upload.key, upload.id})))
      return fail(
          kNoSuchUpload,
          "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.");
    version.blobs.clear();
    TRY_VOID(insert(t, bucket, version, condition, discarded));
    version.blobs = adopted;
    t.put(kObjects, row_key(bucket, version.key, version.age), version.dump());
    drop_upload(t, upload, all_parts, adopted, discarded);
    return {};
  }));
  blobs_.collect(discarded);
  return {};
}

Result<void> Index::change(const Bucket& bucket, const ObjectVersion& version, const std::function<void(ObjectVersion&)>& how) {
  return store_.transact([&](meta::Txn& t) -> Result<void> {
    auto k = row_key(bucket, version.key, version.age);
    auto row = t.get(kObjects, k);
    if (!row) return fail(kNoSuchKey, "The specified key does not exist.");
    TRY(auto v, ObjectVersion::from(version.key, version.age, *row));
    how(v);
    t.put(kObjects, k, v.dump());
    return {};
  });
}

Result<Index::Removed> Index::remove(const Bucket& bucket, const std::string& key, const std::optional<std::string>& version_id,
                                     Timestamp now, const std::string& owner, const std::optional<std::string>& if_match) {
  Removed out;
  std::vector<Blob> discarded;
  auto age = next_age(now);
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    discarded.clear();
    out = {};
    auto prefix = meta::key({bucket.uid, key});
    if (version_id) {
      for (auto& row : t.scan_prefix(kObjects, prefix)) {
        TRY(auto v, ObjectVersion::from(key, "", row.value));
        if (v.version_id != *version_id) continue;
        if (if_match && *if_match != "*" && v.etag != *if_match)
          return fail(Error{&kPreconditionFailed, "At least one of the pre-conditions you specified did not hold"}.with(
              "Condition", "If-Match"));
        t.erase(kObjects, row.key);
        for (auto& b : v.blobs) {
          blobs_.discard(t, b);
          discarded.push_back(b);
        }
        out.was_marker = v.delete_marker;
        break;
      }
      out.version_id = *version_id;
      return {};
    }
    if (if_match) {
      auto rows = t.scan_prefix(kObjects, prefix, 1);
      if (rows.empty()) return fail(kNoSuchKey, "The specified key does not exist.");
      TRY(auto current, ObjectVersion::from(key, "", rows[0].value));
      if (current.delete_marker) return fail(kNoSuchKey, "The specified key does not exist.");
      if (*if_match != "*" && current.etag != *if_match)
        return fail(Error{&kPreconditionFailed, "At least one of the pre-conditions you specified did not hold"}.with(
            "Condition", "If-Match"));
    }
    auto bucket_row = t.get(kBuckets, bucket.name);
    if (!bucket_row) return fail(kNoSuchBucket, "The specified bucket does not exist");
    TRY(Json b, Json::parse(*bucket_row));
    if (Versioning(b["versioning"].integer()) == Versioning::never) {
      for (auto& row : t.scan_prefix(kObjects, prefix)) {
        TRY(auto v, ObjectVersion::from(key, "", row.value));
        t.erase(kObjects, row.key);
        for (auto& x : v.blobs) {
          blobs_.discard(t, x);
          discarded.push_back(x);
        }
      }
      return {};
    }
    ObjectVersion marker{.key = key, .modified = now, .delete_marker = true};
    marker.owner = owner;
    marker.age = age;
    TRY_VOID(insert(t, bucket, marker, {}, discarded));
    out.marker_made = true;
    out.version_id = marker.version_id;
    return {};
  }));
  blobs_.collect(discarded);
  return out;
}

Result<ListResult> Index::list(const Bucket& bucket, const ListOptions& o) {
  ListResult out;
  auto end = meta::after_prefix(rows_under(bucket, o.prefix));
  std::string from = rows_under(bucket, o.prefix), last_key, last_prefix;
  bool have_last = false;
  if (!o.after.empty()) {
    bool under = !o.delimiter.empty() && o.after.ends_with(o.delimiter) && o.after_version.empty();
    std::string start;
    if (under) {
      start = meta::after_prefix(rows_under(bucket, o.after));
    } else if (!o.after_version.empty()) {
      // Behind the named version; if it is gone, behind the whole key.
      start = meta::after_prefix(meta::key({bucket.uid, o.after}));
      if (auto v = find(bucket, o.after, o.after_version)) {
        start = row_key(bucket, o.after, v->age) + '\0';
        last_key = o.after;
        have_last = true;
      }
    } else {
      start = meta::after_prefix(meta::key({bucket.uid, o.after}));
    }
    from = std::max(from, start);
  }
  if (o.max == 0) return out;
  Result<void> failed;
  store_.read([&](meta::Reader& r) {
    bool more = true;
    while (more && failed) {
      auto rows = r.scan(kObjects, from, end, 1000);
      more = rows.size() == 1000;
      for (auto& row : rows) {
        auto parts = meta::key_parts(row.key);
        auto& key = parts[1];
        from = row.key + '\0';
        bool latest = !have_last || key != last_key;
        if (!o.versions && !latest) continue;
        have_last = true;
        last_key = key;
        auto cut = o.delimiter.empty() ? key.npos : key.find(o.delimiter, o.prefix.size());
        if (cut != key.npos) {
          auto prefix = key.substr(0, cut + o.delimiter.size());
          // A prefix counts if something under it is listed: a delete marker alone is nothing current.
          if (!o.versions) {
            auto v = ObjectVersion::from(key, parts[2], row.value);
            if (!v) {
              failed = fail(v.error());
              return;
            }
            if (v->delete_marker) continue;
          }
          if (out.entries.size() == o.max) {
            out.truncated = true;
            return;
          }
          out.entries.push_back({.is_prefix = true, .prefix = prefix});
          from = meta::after_prefix(rows_under(bucket, prefix));
          more = true;
          break;  // scan anew behind everything under it
        }
        auto v = ObjectVersion::from(key, parts[2], row.value);
        if (!v) {
          failed = fail(v.error());
          return;
        }
        if (!o.versions && v->delete_marker) continue;
        if (out.entries.size() == o.max) {
          out.truncated = true;
          return;
        }
        out.entries.push_back({.object = std::move(*v), .latest = latest});
      }
    }
  });
  TRY_VOID(std::move(failed));
  return out;
}

Result<void> Index::start_upload(const Bucket& bucket, const UploadRecord& upload) {
  return store_.transact([&](meta::Txn& t) -> Result<void> {
    if (!t.get(kBuckets, bucket.name)) return fail(kNoSuchBucket, "The specified bucket does not exist");
    t.put(kUploads, meta::key({upload.bucket_uid, upload.key, upload.id}), upload.dump());
    return {};
  });
}
std::optional<UploadRecord> Index::find_upload(const Bucket& bucket, std::string_view key, std::string_view id) {
  auto row = store_.get(kUploads, meta::key({bucket.uid, key, id}));
  if (!row) return std::nullopt;
  auto u = UploadRecord::from(*row);
  return u ? std::optional(std::move(*u)) : std::nullopt;
}
std::vector<UploadRecord> Index::uploads(const Bucket& bucket, std::string_view prefix) {
  std::vector<UploadRecord> out;
  for (auto& row : store_.scan_prefix(kUploads, rows_under(bucket, prefix)))
    if (auto u = UploadRecord::from(row.value)) out.push_back(std::move(*u));
  return out;
}
Result<void> Index::put_part(const Bucket& bucket, const UploadRecord& upload, const PartRecord& part) {
  std::vector<Blob> discarded;
  auto k = meta::key({upload.id, std::to_string(100000 + part.number)});
  auto done = store_.transact([&](meta::Txn& t) -> Result<void> {
    discarded.clear();
    if (!t.get(kUploads, meta::key({bucket.uid, upload.key, upload.id})))
      return fail(
          kNoSuchUpload,
          "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.");
    if (auto old = t.get(kParts, k)) {
      TRY(auto p, PartRecord::from(*old));
      blobs_.discard(t, p.blob);
      discarded.push_back(p.blob);
    }
    blobs_.adopt(t, part.blob);
    t.put(kParts, k, part.dump());
    return {};
  });
  if (!done) {
    blobs_.drop(part.blob);
    return done;
  }
  blobs_.collect(discarded);
  return {};
}
std::vector<PartRecord> Index::parts(const UploadRecord& upload) {
  std::vector<PartRecord> out;
  for (auto& row : store_.scan_prefix(kParts, meta::key({upload.id})))
    if (auto p = PartRecord::from(row.value)) out.push_back(std::move(*p));
  return out;
}
Result<void> Index::abort_upload(const UploadRecord& upload) {
  std::vector<Blob> discarded;
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    discarded.clear();
    std::vector<PartRecord> all;
    for (auto& row : t.scan_prefix(kParts, meta::key({upload.id}))) {
      TRY(auto p, PartRecord::from(row.value));
      all.push_back(std::move(p));
    }
    drop_upload(t, upload, all, {}, discarded);
    return {};
  }));
  blobs_.collect(discarded);
  return {};
}

Result<void> Index::check_empty(meta::Txn& txn, const Bucket& bucket, std::vector<Blob>& discarded) {
  if (!txn.scan_prefix(kObjects, meta::key({bucket.uid}), 1).empty())
    return fail(kBucketNotEmpty,
                bucket.versioning == Versioning::never
                    ? "The bucket you tried to delete is not empty"
                    : "The bucket you tried to delete is not empty. You must delete all versions in the bucket.");
  for (auto& row : txn.scan_prefix(kUploads, meta::key({bucket.uid}))) {
    TRY(auto upload, UploadRecord::from(row.value));
    std::vector<PartRecord> all;
    for (auto& part : txn.scan_prefix(kParts, meta::key({upload.id}))) {
      TRY(auto p, PartRecord::from(part.value));
      all.push_back(std::move(p));
    }
    drop_upload(txn, upload, all, {}, discarded);
  }
  return {};
}

}  // namespace redoubt::objects
