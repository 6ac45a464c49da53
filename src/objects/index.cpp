#include "objects/index.h"

#include <algorithm>
#include <set>

#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::objects {
namespace {

constexpr std::string_view kObjects = "s3.objects", kNulls = "s3.nulls", kManifests = "s3.manifests";
constexpr std::string_view kUploads = "s3.uploads", kParts = "s3.parts";

/// The age of the only version of a key in a bucket that never had versioning: older than everything that comes later.
constexpr std::string_view kOldest = "ffffffffffffffff";
constexpr size_t kScanMin = 16, kScanMax = 1000;  // rows read ahead in a listing

std::string row_key(const Bucket& b, std::string_view key, std::string_view age) { return meta::key({b.uid, key, age}); }
/// What every row of keys that begin with `key_prefix` begins with.
std::string rows_under(std::string_view uid, std::string_view key_prefix) {
  auto k = meta::key({uid, key_prefix});
  return k.substr(0, k.size() - 2);
}
std::string part_key(std::string_view upload, int number) { return meta::key({upload, std::to_string(100000 + number)}); }

std::string age_text(uint64_t age) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += char(age >> shift);
  return hex(bytes);
}
uint64_t age_number(std::string_view text) { return std::stoull(std::string(text), nullptr, 16); }

/// 24 bytes: the age and 16 random ones.
std::string version_id_of(std::string_view age) { return base64url(unhex(age).value() + crypto::random_bytes(16)); }
std::optional<std::string> age_of(std::string_view version_id) {
  auto bytes = version_id.size() == 32 ? unbase64url(version_id) : std::nullopt;
  return bytes ? std::optional(hex(std::string_view(*bytes).substr(0, 8))) : std::nullopt;
}

std::string null_age(meta::Reader& r, const Bucket& b, std::string_view key) {
  return r.get(kNulls, meta::key({b.uid, key})).value_or(std::string(kOldest));
}

/// The current version (version_id absent) or the named one, without the pieces of multipart objects.
Result<std::optional<ObjectVersion>> look_up(meta::Reader& r, const Bucket& b, std::string_view key,
                                             const std::optional<std::string>& version_id) {
  std::optional<ObjectVersion> out;
  if (!version_id) {
    auto rows = r.scan_prefix(kObjects, meta::key({b.uid, key}), 1);
    if (rows.empty()) return out;
    TRY(out, ObjectVersion::from(std::string(key), meta::key_parts(rows[0].key)[2], rows[0].value));
    return out;
  }
  auto age = *version_id == "null" ? null_age(r, b, key) : age_of(*version_id);
  auto row = age ? r.get(kObjects, row_key(b, key, *age)) : std::nullopt;
  if (!row) return out;
  TRY(auto v, ObjectVersion::from(std::string(key), *age, *row));
  if (v.version_id == *version_id) out = std::move(v);
  return out;
}

std::string dump_pieces(const std::vector<Piece>& pieces) {
  Json all = Json::array();
  for (auto& p : pieces) {
    Json j = p.blob.json();
    j.set("n", p.number);
    if (!p.checksum.empty()) j.set("sum", p.checksum);
    all.push(std::move(j));
  }
  return all.dump();
}
Result<void> load_pieces(meta::Reader& r, ObjectVersion& v) {
  if (!v.multipart() || !v.pieces.empty()) return {};
  auto row = r.get(kManifests, v.manifest);
  if (!row) return fail(kInternal, "the manifest of a multipart object is gone");
  TRY(Json all, Json::parse(*row));
  for (auto& j : all.items()) v.pieces.push_back({int(j["n"].integer()), j["sum"].str(), Blob::from(j)});
  return {};
}

Result<void> erase_version(meta::Txn& txn, const Bucket& b, ObjectVersion v, std::vector<Blob>& discarded) {
  TRY_VOID(load_pieces(txn, v));
  txn.erase(kObjects, row_key(b, v.key, v.age));
  if (v.multipart()) txn.erase(kManifests, v.manifest);
  if (v.version_id == "null") txn.erase(kNulls, meta::key({b.uid, v.key}));
  for (auto& p : v.pieces) {
    BlobStore::discard(txn, p.blob);
    discarded.push_back(p.blob);
  }
  return {};
}

std::unexpected<Error> precondition_failed(const char* which) {
  return fail(
      Error{&kPreconditionFailed, "At least one of the pre-conditions you specified did not hold"}.with("Condition", which));
}

Result<void> check_condition(const WriteCondition& condition, const std::optional<ObjectVersion>& current) {
  bool exists = current && !current->delete_marker;
  if (condition.if_none_match && exists) return precondition_failed("If-None-Match");
  if (!condition.if_match) return {};
  if (!exists) return fail(kNoSuchKey, "The specified key does not exist.");
  if (*condition.if_match != "*" && current->etag != *condition.if_match) return precondition_failed("If-Match");
  return {};
}

std::unexpected<Error> no_such_upload() {
  return fail(
      kNoSuchUpload,
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.");
}

/// Removes an upload's rows; the blobs of `kept` parts live on in an object.
Result<void> erase_upload(meta::Txn& txn, const UploadRecord& upload, const std::set<std::string>& kept,
                          std::vector<Blob>& discarded) {
  txn.erase(kUploads, meta::key({upload.bucket_uid, upload.key, upload.id}));
  for (auto& row : txn.scan_prefix(kParts, meta::key({upload.id}))) {
    TRY(auto part, PartRecord::from(row.value));
    txn.erase(kParts, row.key);
    if (kept.contains(part.blob.id)) continue;
    BlobStore::discard(txn, part.blob);
    discarded.push_back(part.blob);
  }
  return {};
}

/// The prefix that `key` is rolled up into, "" if it isn't.
std::string common_prefix(std::string_view key, const std::string& prefix, const std::string& delimiter) {
  if (delimiter.empty() || !key.starts_with(prefix)) return "";
  auto cut = key.find(delimiter, prefix.size());
  return cut == key.npos ? "" : std::string(key.substr(0, cut + delimiter.size()));
}

/// Where a listing begins.
std::string list_start(meta::Reader& r, const Bucket& b, const ListOptions& o) {
  auto first = rows_under(b.uid, o.prefix);
  if (o.after.empty()) return first;
  if (auto rolled_up = common_prefix(o.after, o.prefix, o.delimiter); !rolled_up.empty())
    return std::max(first, meta::after_prefix(rows_under(b.uid, rolled_up)));
  if (!o.after_version.empty()) {
    auto age = o.after_version == "null" ? null_age(r, b, o.after) : age_of(o.after_version);
    if (age) return std::max(first, row_key(b, o.after, *age) + '\0');
  }
  return std::max(first, meta::after_prefix(meta::key({b.uid, o.after})));
}

}  // namespace

bool is_version_id(std::string_view text) { return text == "null" || age_of(text).has_value(); }

Result<std::optional<ObjectVersion>> Index::find(const Bucket& bucket, std::string_view key,
                                                 const std::optional<std::string>& version_id) {
  Result<std::optional<ObjectVersion>> out;
  store_.read([&](meta::Reader& r) { out = look_up(r, bucket, key, version_id); });
  return out;
}

Result<std::optional<Index::Readable>> Index::find_readable(const Bucket& bucket, std::string_view key,
                                                            const std::optional<std::string>& version_id) {
  for (;;) {
    Result<std::optional<ObjectVersion>> found;
    auto load = [&](meta::Reader& r) -> Result<std::optional<ObjectVersion>> {
      TRY(auto v, look_up(r, bucket, key, version_id));
      if (!v) return v;
      TRY_VOID(load_pieces(r, *v));
      for (auto& p : v->pieces)
        if (!BlobStore::load(r, p.blob)) return fail(kInternal, "the bytes of " + bucket.object_arn(key) + " are gone");
      return v;
    };
    store_.read([&](meta::Reader& r) { found = load(r); });
    TRY(auto v, std::move(found));
    if (!v) return std::optional<Readable>();
    Readable out{std::move(*v), nullptr};
    std::vector<std::string> files;
    for (auto& p : out.version.pieces)
      if (p.blob.in_file) files.push_back(p.blob.id);
    if (files.empty()) return out;
    out.pins = blobs_.pin(std::move(files));
    // Whoever deletes it from now on leaves the files; whoever did before has removed the row.
    auto row = store_.get(kObjects, row_key(bucket, key, out.version.age));
    auto still = row ? ObjectVersion::from(std::string(key), out.version.age, *row) : fail(kNoSuchKey, "");
    if (still && still->manifest == out.version.manifest &&
        (still->multipart() || still->pieces[0].blob.id == out.version.pieces[0].blob.id))
      return out;
  }
}

Result<void> Index::insert(meta::Txn& txn, const Bucket& bucket, ObjectVersion& version, const WriteCondition& condition,
                           std::vector<Blob>& discarded) {
  TRY(auto versioning, current_versioning(txn, bucket));
  TRY(auto newest, look_up(txn, bucket, version.key, {}));
  TRY_VOID(check_condition(condition, newest));
  version.age = kOldest;
  if (versioning != Versioning::never) {
    // Newer than what is there, also if the clock went back.
    uint64_t age = uint64_t(INT64_MAX) - uint64_t(version.modified.us);
    if (newest) age = std::min(age, age_number(newest->age) - 1);
    version.age = age_text(age);
  }
  if (versioning == Versioning::enabled) {
    version.version_id = version_id_of(version.age);
  } else {
    version.version_id = "null";
    auto replaced = std::move(newest);
    if (versioning == Versioning::suspended) {
      TRY(replaced, look_up(txn, bucket, version.key, "null"));
    }
    if (replaced) TRY_VOID(erase_version(txn, bucket, std::move(*replaced), discarded));
    if (versioning == Versioning::suspended) txn.put(kNulls, meta::key({bucket.uid, version.key}), version.age);
  }
  if (version.multipart()) {
    version.manifest = hex(crypto::random_bytes(16));
    txn.put(kManifests, version.manifest, dump_pieces(version.pieces));
  }
  txn.put(kObjects, row_key(bucket, version.key, version.age), version.dump());
  return {};
}

Result<void> Index::put(const Bucket& bucket, ObjectVersion& version, Timestamp now, const WriteCondition& condition) {
  std::vector<Blob> discarded;
  version.modified = now;
  auto done = store_.transact([&](meta::Txn& t) -> Result<void> {
    discarded.clear();
    for (auto& p : version.pieces) BlobStore::adopt(t, p.blob);
    return insert(t, bucket, version, condition, discarded);
  });
  if (!done) {
    // After a failed disk write nobody knows whether it is there: the next start will.
    if (!done.error().is(kInternal))
      for (auto& p : version.pieces) blobs_.drop(p.blob);
    return done;
  }
  blobs_.collect(discarded);
  return {};
}

Result<void> Index::complete(const Bucket& bucket, ObjectVersion& version, Timestamp now, const WriteCondition& condition,
                             const UploadRecord& upload) {
  std::vector<Blob> discarded;
  version.modified = now;
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    discarded.clear();
    if (!t.get(kUploads, meta::key({upload.bucket_uid, upload.key, upload.id}))) return no_such_upload();
    std::set<std::string> kept;
    for (auto& p : version.pieces) {
      auto row = t.get(kParts, part_key(upload.id, p.number));
      auto part = row ? PartRecord::from(*row) : fail(kInvalidPart, "");
      if (!part || part->blob.id != p.blob.id)
        return fail(Error{&kInvalidPart,
                          "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
                          "specified entity tag may not match the part's entity tag."}
                        .with("PartNumber", std::to_string(p.number)));
      kept.insert(p.blob.id);
    }
    TRY_VOID(insert(t, bucket, version, condition, discarded));
    return erase_upload(t, upload, kept, discarded);
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
    // Without versioning another object may lie in the same place by now.
    if (v.modified != version.modified || v.etag != version.etag || v.sealing.wrapped_key != version.sealing.wrapped_key)
      return fail(kNoSuchKey, "The specified key does not exist.");
    how(v);
    t.put(kObjects, k, v.dump());
    return {};
  });
}

Result<Index::Removed> Index::remove_one(meta::Txn& txn, const Bucket& bucket, const Removal& which, Timestamp now,
                                         const std::string& owner, std::vector<Blob>& discarded) {
  TRY(auto there, look_up(txn, bucket, which.key, which.version_id));
  if (which.if_match) TRY_VOID(check_condition({.if_match = which.if_match}, there));
  if (which.version_id) {
    Removed out{.was_marker = there && there->delete_marker, .version_id = *which.version_id};
    if (there) TRY_VOID(erase_version(txn, bucket, std::move(*there), discarded));
    return out;
  }
  TRY(auto versioning, current_versioning(txn, bucket));
  if (versioning == Versioning::never) {
    if (there) TRY_VOID(erase_version(txn, bucket, std::move(*there), discarded));
    return Removed{};
  }
  ObjectVersion marker{.key = which.key, .modified = now, .delete_marker = true, .owner = owner};
  TRY_VOID(insert(txn, bucket, marker, {}, discarded));
  return Removed{.marker_made = true, .version_id = marker.version_id};
}

Result<std::vector<Result<Index::Removed>>> Index::remove(const Bucket& bucket, const std::vector<Removal>& which, Timestamp now,
                                                          const std::string& owner) {
  std::vector<Result<Removed>> out;
  std::vector<Blob> discarded;
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    out.clear();
    discarded.clear();
    TRY_VOID(current_versioning(t, bucket));  // the bucket is still there
    for (auto& one : which) {
      out.push_back(remove_one(t, bucket, one, now, owner, discarded));
      auto& result = out.back();
      // What is wrong with one key is its own answer; what is wrong with the store ends them all.
      if (!result && !result.error().is(kPreconditionFailed) && !result.error().is(kNoSuchKey)) return fail(result.error());
    }
    return {};
  }));
  blobs_.collect(discarded);
  return out;
}

Result<ListResult> Index::list(const Bucket& bucket, const ListOptions& o) {
  ListResult out;
  if (o.max == 0) return out;
  Result<void> done;
  store_.read([&](meta::Reader& r) {
    auto work = [&]() -> Result<void> {
      auto from = list_start(r, bucket, o), end = meta::after_prefix(rows_under(bucket.uid, o.prefix));
      // Behind a version marker the rest of its key isn't the latest.
      std::optional<std::string> last_key;
      if (!o.after_version.empty()) last_key = o.after;
      size_t batch = kScanMin;
      for (;;) {
        auto rows = r.scan(kObjects, from, end, batch);
        bool more = rows.size() == batch;
        batch = std::min(batch * 4, kScanMax);
        size_t older = 0;  // versions of one key that were passed over, one after the other
        for (auto& row : rows) {
          auto parts = meta::key_parts(row.key);
          auto& key = parts[1];
          from = row.key + '\0';
          bool latest = key != last_key;
          if (!o.versions && !latest) {
            if (++older < kScanMin) continue;
            from = meta::after_prefix(meta::key({bucket.uid, key}));
            more = true;
            batch = kScanMin;
            break;
          }
          older = 0;
          TRY(auto v, ObjectVersion::from(key, parts[2], row.value));
          last_key = key;
          if (!o.versions && v.delete_marker) continue;
          if (out.entries.size() == o.max) {
            out.truncated = true;
            return {};
          }
          auto rolled_up = common_prefix(key, o.prefix, o.delimiter);
          if (rolled_up.empty()) {
            out.entries.push_back({.object = std::move(v), .latest = latest});
            continue;
          }
          from = meta::after_prefix(rows_under(bucket.uid, rolled_up));
          out.entries.push_back({.is_prefix = true, .prefix = std::move(rolled_up)});
          more = true;
          batch = kScanMin;
          break;  // scan anew behind everything under it
        }
        if (!more) return {};
      }
    };
    done = work();
  });
  TRY_VOID(std::move(done));
  return out;
}

Result<void> Index::start_upload(const Bucket& bucket, const UploadRecord& upload) {
  return store_.transact([&](meta::Txn& t) -> Result<void> {
    TRY_VOID(current_versioning(t, bucket));  // the bucket is still there
    t.put(kUploads, meta::key({upload.bucket_uid, upload.key, upload.id}), upload.dump());
    return {};
  });
}

Result<std::optional<UploadRecord>> Index::find_upload(const Bucket& bucket, std::string_view key, std::string_view id) {
  auto row = store_.get(kUploads, meta::key({bucket.uid, key, id}));
  if (!row) return std::optional<UploadRecord>();
  return UploadRecord::from(*row);
}

Result<UploadListResult> Index::uploads(const Bucket& bucket, const UploadListOptions& o) {
  UploadListResult out;
  if (o.max == 0) return out;
  auto from = rows_under(bucket.uid, o.prefix), end = meta::after_prefix(from);
  if (!o.after.empty()) {
    auto rolled_up = common_prefix(o.after, o.prefix, o.delimiter);
    from = std::max(from, !rolled_up.empty()   ? meta::after_prefix(rows_under(bucket.uid, rolled_up))
                          : o.after_id.empty() ? meta::after_prefix(meta::key({bucket.uid, o.after}))
                                               : meta::key({bucket.uid, o.after, o.after_id}) + '\0');
  }
  Result<void> done;
  store_.read([&](meta::Reader& r) {
    auto work = [&]() -> Result<void> {
      for (;;) {
        auto rows = r.scan(kUploads, from, end, 100);
        bool more = rows.size() == 100;
        for (auto& row : rows) {
          if (out.entries.size() == o.max) {
            out.truncated = true;
            return {};
          }
          from = row.key + '\0';
          TRY(auto u, UploadRecord::from(row.value));
          auto rolled_up = common_prefix(u.key, o.prefix, o.delimiter);
          if (rolled_up.empty()) {
            out.entries.push_back({.upload = std::move(u)});
            continue;
          }
          from = meta::after_prefix(rows_under(bucket.uid, rolled_up));
          out.entries.push_back({.is_prefix = true, .prefix = std::move(rolled_up)});
          more = true;
          break;
        }
        if (!more) return {};
      }
    };
    done = work();
  });
  TRY_VOID(std::move(done));
  return out;
}

Result<void> Index::put_part(const UploadRecord& upload, const PartRecord& part) {
  std::vector<Blob> discarded;
  auto k = part_key(upload.id, part.number);
  auto done = store_.transact([&](meta::Txn& t) -> Result<void> {
    discarded.clear();
    if (!t.get(kUploads, meta::key({upload.bucket_uid, upload.key, upload.id}))) return no_such_upload();
    if (auto old = t.get(kParts, k)) {
      TRY(auto p, PartRecord::from(*old));
      BlobStore::discard(t, p.blob);
      discarded.push_back(p.blob);
    }
    BlobStore::adopt(t, part.blob);
    t.put(kParts, k, part.dump());
    return {};
  });
  if (!done) {
    if (!done.error().is(kInternal)) blobs_.drop(part.blob);
    return done;
  }
  blobs_.collect(discarded);
  return {};
}

Result<std::vector<PartRecord>> Index::parts(const UploadRecord& upload) {
  std::vector<PartRecord> out;
  for (auto& row : store_.scan_prefix(kParts, meta::key({upload.id}))) {
    TRY(auto part, PartRecord::from(row.value));
    out.push_back(std::move(part));
  }
  return out;
}

Result<void> Index::abort_upload(const UploadRecord& upload) {
  std::vector<Blob> discarded;
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    discarded.clear();
    if (!t.get(kUploads, meta::key({upload.bucket_uid, upload.key, upload.id}))) return no_such_upload();
    return erase_upload(t, upload, {}, discarded);
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
    TRY_VOID(erase_upload(txn, upload, {}, discarded));
  }
  return {};
}

}  // namespace redoubt::objects
