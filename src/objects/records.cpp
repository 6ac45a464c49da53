/// Object versions, uploads and parts as JSON, the way the index keeps them.
#include "base/text.h"
#include "objects/index.h"

namespace redoubt::objects {
namespace {

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

}  // namespace

std::string ObjectVersion::dump() const {
  Json j = Json::object();
  j.set("v", version_id).set("t", modified.us).set("owner", owner);
  if (delete_marker) return j.set("marker", true).dump();
  j.set("size", size).set("etag", etag).set("sealing", json_of(sealing));
  if (multipart())
    j.set("manifest", manifest).set("pieces", uint64_t(piece_count)).set("upload", upload_id);
  else if (!pieces.empty() && !pieces[0].blob.id.empty())
    j.set("blob", pieces[0].blob.json());
  put_meta(j, meta);
  if (!acl.empty()) j.set("acl", json_of(acl));
  if (!checksum.value.empty()) j.set("sum", checksum.value).set("sum_alg", checksum.algorithm).set("sum_type", checksum.type);
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
  v.manifest = j["manifest"].str();
  v.piece_count = size_t(j["pieces"].integer());
  v.upload_id = j["upload"].str();
  if (!v.multipart()) v.pieces.push_back({.blob = j.has("blob") ? Blob::from(j["blob"]) : Blob{}});
  v.checksum = {j["sum_alg"].str(), j["sum"].str(), j["sum_type"].str()};
  return v;
}

std::string UploadRecord::dump() const {
  Json j = Json::object();
  j.set("bucket", bucket_uid).set("key", key).set("id", id).set("t", initiated.us);
  j.set("owner", owner).set("initiator", initiator).set("sealing", json_of(sealing)).set("acl", json_of(acl));
  j.set("sum_alg", checksum_algorithm).set("sum_type", checksum_type).set("sum_implied", checksum_implied);
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
  u.checksum_implied = j["sum_implied"].boolean();
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

}  // namespace redoubt::objects
