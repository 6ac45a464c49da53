/// Tags: how they are checked, and the rows of object tagging. Source: S3 User Guide, "Categorizing your objects using tags".
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;
using OurVersion = objects::ObjectVersion;

namespace {

/// Characters of UTF-8 text: S3 counts those, not bytes.
size_t characters(std::string_view s) {
  size_t n = 0;
  for (unsigned char c : s) n += (c & 0xC0) != 0x80;
  return n;
}
/// Letters and digits of any script, blanks and a few signs.
bool is_tag_text(std::string_view s) {
  for (unsigned char c : s)
    if (c < 0x80 && !is_alnum(char(c)) && std::string_view(" +-=._:/@").find(char(c)) == std::string_view::npos) return false;
  return is_valid_utf8(s);
}

}  // namespace

Result<std::map<std::string, std::string>> parse_tagging(const std::string& text) {
  auto invalid = [&] {
    return fail(
        Error{&kInvalidArgument,
              "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
              "duplicates."}
            .with("ArgumentName", "x-amz-tagging")
            .with("ArgumentValue", is_valid_utf8(text) ? text : ""));
  };
  std::vector<Tag> tags;
  std::map<std::string, bool> seen;
  if (!text.empty())
    for (auto pair : split(text, '&')) {
      if (pair.empty()) continue;
      auto eq = pair.find('=');
      auto k = url_decode(pair.substr(0, eq), true), v = url_decode(eq == pair.npos ? "" : pair.substr(eq + 1), true);
      if (!k || !v || k->empty() || !seen.emplace(*k, true).second) return invalid();
      if (to_lower(*k).starts_with("aws:")) return fail(kInvalidTag, "Your TagKey cannot be prefixed with aws:");
      tags.push_back({.Key = *k, .Value = *v});
    }
  return check_tags(tags, 10);
}

Result<std::map<std::string, std::string>> check_tags(const std::vector<Tag>& tags, size_t max) {
  std::map<std::string, std::string> out;
  if (tags.size() > max)
    return fail(kBadTagCount,
                (max == 10 ? "Object tags" : "Bucket tag count") + std::string(" cannot be greater than ") + std::to_string(max));
  for (auto& t : tags) {
    if (t.Key.empty() || characters(t.Key) > 128 || !is_tag_text(t.Key))
      return fail(Error{&kInvalidTag, "The TagKey you have provided is invalid"}.with("TagKey", t.Key));
    if (characters(t.Value) > 256 || !is_tag_text(t.Value))
      return fail(Error{&kInvalidTag, "The TagValue you have provided is invalid"}.with("TagKey", t.Key));
    if (to_lower(t.Key).starts_with("aws:")) return fail(kInvalidTag, "System tags cannot be added/updated by requester");
    if (!out.emplace(t.Key, t.Value).second)
      return fail(Error{&kInvalidTag, "Cannot provide multiple Tags with the same key"}.with("TagKey", t.Key));
  }
  return out;
}

void set_request_tags(const std::map<std::string, std::string>& tags, policy::Context& c) {
  std::vector<std::string> keys;
  for (auto& [k, v] : tags) {
    c.set("s3:RequestObjectTag/" + k, v);
    keys.push_back(k);
  }
  c.set_list("s3:RequestObjectTagKeys", keys);
}

void Objects::declare_tagging() {
  auto on_object = [this](const auto& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, expected_owner(in), call));
    TRY(auto r, object_resource(b, in.Key, in.VersionId, call));
    return only(std::move(r));
  };
  auto current = [](const auto& in, const Call&) { return !in.VersionId; };
  auto named = [](const auto& in, const Call&) { return in.VersionId.has_value(); };

  access::Row<op::GetObjectTagging> get{
      .needs = {{.action = "s3:GetObjectTagging", .resources = on_object, .when = current},
                {.action = "s3:GetObjectVersionTagging", .resources = on_object, .when = named}}};
  get.read_only = get.data_event = true;
  get.handler = [](const Allowed<GetObjectTaggingRequest>& r) -> Result<GetObjectTaggingOutput> {
    TRY(auto found, readable(r.found<FoundObject>()));
    GetObjectTaggingOutput out;
    out.VersionId = shown_version(*found->bucket, found->version.version_id);
    for (auto& [k, value] : found->version.meta.tags) out.TagSet.push_back({.Key = k, .Value = value});
    return out;
  };
  add<op::GetObjectTagging>(std::move(get));

  auto context = [](const PutObjectTaggingRequest& in, const Call&, policy::Context& c) {
    // Tags that aren't valid fail in the handler.
    if (auto tags = check_tags(in.Tagging.TagSet, 10)) set_request_tags(*tags, c);
  };
  access::Row<op::PutObjectTagging> put{
      .needs = {{.action = "s3:PutObjectTagging", .resources = on_object, .context = context, .when = current},
                {.action = "s3:PutObjectVersionTagging", .resources = on_object, .context = context, .when = named}}};
  put.data_event = true;
  put.handler = [this](const Allowed<PutObjectTaggingRequest>& r) -> Result<PutObjectTaggingOutput> {
    TRY(auto tags, check_tags(r.input.Tagging.TagSet, 10));
    TRY(auto found, readable(r.found<FoundObject>(), "PUT"));
    TRY_VOID(index_->change(*found->bucket, found->version, [&](OurVersion& v) { v.meta.tags = tags; }));
    PutObjectTaggingOutput out;
    out.VersionId = shown_version(*found->bucket, found->version.version_id);
    return out;
  };
  add<op::PutObjectTagging>(std::move(put));

  access::Row<op::DeleteObjectTagging> remove{
      .needs = {{.action = "s3:DeleteObjectTagging", .resources = on_object, .when = current},
                {.action = "s3:DeleteObjectVersionTagging", .resources = on_object, .when = named}}};
  remove.data_event = true;
  remove.handler = [this](const Allowed<DeleteObjectTaggingRequest>& r) -> Result<DeleteObjectTaggingOutput> {
    TRY(auto found, readable(r.found<FoundObject>(), "DELETE"));
    TRY_VOID(index_->change(*found->bucket, found->version, [](OurVersion& v) { v.meta.tags.clear(); }));
    DeleteObjectTaggingOutput out;
    out.VersionId = shown_version(*found->bucket, found->version.version_id);
    return out;
  };
  add<op::DeleteObjectTagging>(std::move(remove));
}

}  // namespace redoubt::objects
