#pragma once
/// How the files of this room declare their relations and write rows. Room-internal.
///
///   add(out, "pg_catalog", "pg_group", 1261, "groname name, grosysid int4, grolist int4[]", [](const Source& s, const
///   SystemRelation&) {
///     Rows rows;
///     for (auto* g : s.snapshot->groups()) rows.push_back({text(g->name), number(g->id), array(g->members)});
///     return rows;
///   });
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "warehouse/system/relation.h"

namespace redoubt::warehouse::system {

using Rows = std::vector<Row>;
using Relations = std::vector<SystemRelation>;
using MakeRows = Rows (*)(const Source&, const SystemRelation&);

inline constexpr Datum null{};
inline Datum text(std::string_view s) { return std::string(s); }
inline Datum letter(char c) { return std::string(1, c); }
template <class T>
Datum number(T n) {
  return std::to_string(n);
}
inline Datum truth(bool b) { return std::string(b ? "true" : "false"); }
inline Datum yes_no(bool b) { return std::string(b ? "YES" : "NO"); }
inline Datum stamp(Timestamp t) { return sql_timestamp(t); }
/// {1,2}
template <class T>
Datum array(const std::vector<T>& numbers) {
  std::string out = "{";
  for (size_t i = 0; i < numbers.size(); i++) out += (i ? "," : "") + std::to_string(numbers[i]);
  return out + "}";
}
/// {"a","b=c/d"}
Datum array(const std::vector<std::string>& texts);

/// "name type, ..": types are pg_type names, with [] for arrays and (n) for lengths.
std::vector<engine::SystemColumn> columns_from(std::string_view declaration);

inline Rows no_rows(const Source&, const SystemRelation&) { return {}; }

struct Declared {
  bool superuser_only = false;
  bool is_view = false;
};
void add(Relations& out, std::string_view schema, std::string_view name, Oid oid, std::string_view columns, MakeRows rows,
         Declared how = {});

// Each adds its part.
void declare_pg_catalog(Relations& out);
void declare_pg_objects(Relations& out);
void declare_information_schema(Relations& out);
void declare_svv(Relations& out);
void declare_privileges(Relations& out);
void declare_policies(Relations& out);
void declare_logs(Relations& out);
void declare_procedures(Relations& out);

// What several of them need.
/// {owner=..,..} in aclitem text; NULL where the object has its default.
Datum acl_text(const catalog::Snapshot& snapshot, const std::optional<catalog::Acl>& acl);
/// Schemas of the current database that this session may know of: all but other sessions' temporary ones.
std::vector<const catalog::Schema*> known_schemas(const Source& s);
/// Relations in them.
std::vector<const catalog::Relation*> known_relations(const Source& s);
/// Those the user owns or has a privilege on: what information_schema and svv_* show.
std::vector<const catalog::Relation*> accessible_relations(const Source& s);
std::string schema_name(const Source& s, const catalog::Relation& r);
Datum or_null(const std::string& s);
/// information_schema's numbers of a type.
Datum character_length(const sql::Type& t);
Datum numeric_precision(const sql::Type& t);
Datum numeric_scale(const sql::Type& t);
/// IDENTITY as column_default shows it: "identity"(oid, n, '1,1'::text); else the default's text.
Datum default_text(const catalog::Relation& r, const catalog::Column& c);
const char* dist_style_name(const catalog::Relation& r);

}  // namespace redoubt::warehouse::system
