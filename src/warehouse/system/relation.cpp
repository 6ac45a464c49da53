#include "warehouse/system/relation.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "warehouse/system/declare.h"

namespace redoubt::warehouse::system {

namespace {

struct Registry {
  Relations relations;
  std::map<std::pair<std::string_view, std::string_view>, const SystemRelation*> by_name;
  std::unordered_map<Oid, const SystemRelation*> by_oid;

  Registry() {
    declare_pg_catalog(relations);
    declare_pg_objects(relations);
    declare_information_schema(relations);
    declare_svv(relations);
    declare_privileges(relations);
    declare_policies(relations);
    declare_logs(relations);
    declare_procedures(relations);
    Oid next = 16400;  // numbers for those that PostgreSQL gave none; below catalog::kFirstOid
    for (auto& relation : relations) {
      if (relation.oid == 0) relation.oid = next++;
      CHECK(by_name.emplace(std::pair{relation.schema, relation.name}, &relation).second);
      CHECK(by_oid.emplace(relation.oid, &relation).second);
    }
  }
};

const Registry& registry() {
  static const auto* r = new Registry;
  return *r;
}

class ListedRows : public engine::SystemRows {
 public:
  explicit ListedRows(Rows rows) : rows_(std::move(rows)) {}
  Result<bool> next(std::vector<Datum>& row) override {
    if (at_ >= rows_.size()) return false;
    row = std::move(rows_[at_++]);
    return true;
  }

 private:
  Rows rows_;
  size_t at_ = 0;
};

const SystemRelation* find_qualified(std::string_view qualified) {
  size_t dot = qualified.find('.');
  if (dot == std::string_view::npos) return nullptr;
  return find_relation(qualified.substr(0, dot), qualified.substr(dot + 1));
}

}  // namespace

std::span<const SystemRelation> all_relations() { return registry().relations; }

const SystemRelation* find_relation(std::string_view schema, std::string_view name) {
  auto at = registry().by_name.find({schema, name});
  return at == registry().by_name.end() ? nullptr : at->second;
}

const SystemRelation* find_relation(Oid oid) {
  auto at = registry().by_oid.find(oid);
  return at == registry().by_oid.end() ? nullptr : at->second;
}

std::vector<engine::SystemColumn> columns_of(std::string_view qualified) {
  auto* relation = find_qualified(qualified);
  return relation ? relation->columns : std::vector<engine::SystemColumn>{};
}

Result<std::unique_ptr<engine::SystemRows>> rows_of(std::string_view qualified, const Source& source) {
  auto* relation = find_qualified(qualified);
  if (!relation) return fail(kInternal, "an undeclared system relation");
  Rows rows = relation->rows(source, *relation);
  return std::make_unique<ListedRows>(std::move(rows));
}

// ---------------------------------------------------------------------------------------------------- declaring

std::vector<engine::SystemColumn> columns_from(std::string_view declaration) {
  std::vector<engine::SystemColumn> out;
  for (auto part : split(declaration, ',')) {
    part = trim(part);
    size_t space = part.rfind(' ');
    std::string_view name = trim(part.substr(0, space)), type = part.substr(space + 1);
    sql::Type t;
    bool is_array = type.ends_with("[]");
    if (is_array) type.remove_suffix(2);
    int length = sql::Type::kAny;
    if (size_t paren = type.find('('); paren != std::string_view::npos) {
      length = std::stoi(std::string(type.substr(paren + 1)));
      type = type.substr(0, paren);
    }
    if (type == "varchar")
      t = sql::Type::varchar(length == sql::Type::kAny ? 256 : length);
    else if (type == "bpchar")
      t = sql::Type::character(length == sql::Type::kAny ? 1 : length);
    else if (type == "\"char\"")
      t = sql::TypeKind::kCharByte;
    else if (type == "numeric")
      t = sql::Type::decimal(18, 4);
    else
      t = sql::type_from_name(type).value_or(sql::Type{});
    CHECK(!t.is(sql::TypeKind::kUnknown));
    out.push_back({std::string(name), is_array ? sql::Type::array(t.kind) : t});
  }
  return out;
}

void add(Relations& out, std::string_view schema, std::string_view name, Oid oid, std::string_view columns, MakeRows rows,
         Declared how) {
  out.push_back({schema, name, oid, columns_from(columns), how.superuser_only, how.is_view, rows});
}

Datum array(const std::vector<std::string>& texts) {
  std::string out = "{";
  for (size_t i = 0; i < texts.size(); i++)
    out += std::string(i ? "," : "") + "\"" + replace_all(replace_all(texts[i], "\\", "\\\\"), "\"", "\\\"") + "\"";
  return out + "}";
}

Datum acl_text(const catalog::Snapshot& snapshot, const std::optional<catalog::Acl>& acl) {
  if (!acl) return null;
  std::vector<std::string> items;
  for (auto& entry : *acl)
    items.push_back(catalog::acl_item_text(entry, snapshot.grantee_name(entry.grantee), snapshot.user_name(entry.grantor)));
  return array(items);
}

std::vector<const catalog::Schema*> known_schemas(const Source& s) {
  auto schemas = s.snapshot->schemas(s.database);
  std::string own = "pg_temp_" + std::to_string(s.pid);
  if (!s.who.superuser)
    std::erase_if(schemas, [&](auto* schema) { return schema->name.starts_with("pg_temp_") && schema->name != own; });
  return schemas;
}

std::vector<const catalog::Relation*> known_relations(const Source& s) {
  std::vector<const catalog::Relation*> out;
  for (auto* schema : known_schemas(s))
    for (auto* relation : s.snapshot->relations(schema->oid)) out.push_back(relation);
  return out;
}

std::vector<const catalog::Relation*> accessible_relations(const Source& s) {
  auto relations = known_relations(s);
  std::erase_if(relations,
                [&](auto* r) { return !catalog::owns(s.who, *r) && !catalog::may_any(s.who, ~catalog::Privileges{0}, *r); });
  return relations;
}

std::string schema_name(const Source& s, const catalog::Relation& r) {
  auto* schema = s.snapshot->schema(r.schema);
  return schema ? schema->name : "";
}

Datum or_null(const std::string& s) { return s.empty() ? null : Datum(s); }

Datum character_length(const sql::Type& t) {
  if (t.is(sql::TypeKind::kChar) || t.is(sql::TypeKind::kVarchar) || t.is(sql::TypeKind::kVarbyte)) return number(t.length);
  return null;
}

Datum numeric_precision(const sql::Type& t) {
  using K = sql::TypeKind;
  switch (t.kind) {
    case K::kSmallint:
      return number(16);
    case K::kInteger:
      return number(32);
    case K::kBigint:
      return number(64);
    case K::kReal:
      return number(24);
    case K::kDouble:
      return number(53);
    case K::kDecimal:
      return number(t.precision);
    default:
      return null;
  }
}

Datum numeric_scale(const sql::Type& t) {
  if (t.is(sql::TypeKind::kDecimal)) return number(t.scale);
  return t.is_integer() ? number(0) : null;
}

Datum default_text(const catalog::Relation& r, const catalog::Column& c) {
  if (c.identity)
    return std::string(c.identity_always ? "\"identity\"(" : "default_identity(") + std::to_string(r.oid) + ", " +
           std::to_string(c.attnum - 1) + ", '" + std::to_string(c.identity_seed) + "," + std::to_string(c.identity_step) +
           "'::text)";
  if (c.default_sql) return *c.default_sql;
  return null;
}

const char* dist_style_name(const catalog::Relation& r) {
  switch (r.dist_style) {
    case catalog::DistStyle::kEven:
      return "EVEN";
    case catalog::DistStyle::kKey:
      return "KEY";
    case catalog::DistStyle::kAll:
      return "ALL";
    case catalog::DistStyle::kAuto:
      return "AUTO";
  }
  return "";
}

// ---------------------------------------------------------------------------------------------------- encodings

namespace {
struct Encoding {
  int number;
  std::string_view name;
};
constexpr Encoding kEncodings[] = {{0, "none"},     {1, "bytedict"}, {2, "delta"},     {3, "delta32k"}, {4, "mostly8"},
                                   {5, "mostly16"}, {6, "mostly32"}, {7, "runlength"}, {8, "text255"},  {9, "text32k"},
                                   {10, "lzo"},     {11, "zstd"},    {12, "az64"}};
}  // namespace

std::string encoding_name(int encoding) {
  for (auto& e : kEncodings)
    if (e.number == encoding) return std::string(e.name);
  return "none";
}

int encoding_number(std::string_view name) {
  for (auto& e : kEncodings)
    if (e.name == name) return e.number;
  return 0;
}

}  // namespace redoubt::warehouse::system
