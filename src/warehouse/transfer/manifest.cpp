#include "warehouse/transfer/manifest.h"

#include "base/json.h"

namespace redoubt::warehouse::transfer {

Result<std::vector<ObjectEntry>> parse_manifest(std::string_view text, const std::string& url) {
  auto wrong = [&](const std::string& what) {
    return fail(kTransferFailed, "The manifest file " + url + " is not valid: " + what);
  };
  auto json = Json::parse(text);
  if (!json) return wrong("it is not JSON");
  const Json& entries = (*json)["entries"];
  if (!json->is_object() || !entries.is_array()) return wrong("it has no list named entries");
  std::vector<ObjectEntry> out;
  for (auto& entry : entries.items()) {
    const Json& location = entry["url"];
    if (!location.is_string()) return wrong("an entry has no url");
    auto parsed = parse_s3_url(location.text());
    if (!parsed || parsed->key.empty() || parsed->key.ends_with('/'))
      return fail(kTransferFailed, "COPY with MANIFEST parameter requires full path of an Amazon S3 object");
    ObjectEntry object{parsed->bucket, parsed->key};
    object.mandatory = entry["mandatory"].boolean(false);
    object.size = entry["meta"]["content_length"].integer(-1);
    out.push_back(std::move(object));
  }
  return out;
}

namespace {

Json type_of(const sql::Type& type) {
  Json out = Json::object();
  out.set("base", type.base_name());
  if (type.is(sql::TypeKind::kDecimal)) out.set("precision", int(type.precision)).set("scale", int(type.scale));
  if (type.length != sql::Type::kAny) out.set("max_length", int(type.length));
  return out;
}

}  // namespace

std::string write_manifest(const std::vector<UnloadedObject>& files, const std::vector<secure::plan::Output>& columns,
                           bool verbose) {
  Json out = Json::object();
  Json entries = Json::array();
  int64_t bytes = 0, records = 0;
  for (auto& file : files) {
    Json entry = Json::object();
    entry.set("url", file.url);
    if (verbose) {
      Json meta = Json::object();
      meta.set("content_length", file.bytes).set("record_count", file.records);
      entry.set("meta", std::move(meta));
    }
    bytes += file.bytes;
    records += file.records;
    entries.push(std::move(entry));
  }
  out.set("entries", std::move(entries));
  if (verbose) {
    Json elements = Json::array();
    for (auto& column : columns) {
      Json element = Json::object();
      element.set("name", column.name).set("type", type_of(column.type));
      elements.push(std::move(element));
    }
    Json schema = Json::object(), meta = Json::object(), author = Json::object();
    schema.set("elements", std::move(elements));
    meta.set("content_length", bytes).set("record_count", records);
    author.set("name", "Amazon Redshift").set("version", "1.0.0");
    out.set("schema", std::move(schema)).set("meta", std::move(meta)).set("author", std::move(author));
  }
  return out.dump(2) + "\n";
}

}  // namespace redoubt::warehouse::transfer
