#pragma once
/// The system relations: pg_catalog, information_schema, svv_*, stv_*, stl_*, sys_*. Each is one declared row: its columns, and a
/// function that computes its rows from a Source. The analyzer sees them as relations of schema pg_catalog or
/// information_schema that everyone may read, except those for superusers alone.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/engine.h"
#include "warehouse/system/source.h"

namespace redoubt::warehouse::system {

inline constexpr Oid kPgCatalogOid = 11, kPgToastOid = 99, kInformationSchemaOid = 12000, kPgInternalOid = 12100;

struct SystemRelation {
  std::string_view schema, name;
  Oid oid = 0;
  std::vector<engine::SystemColumn> columns;
  bool superuser_only = false;
  bool is_view = false;  // relkind v: information_schema, svv_*, pg_views ..
  std::vector<Row> (*rows)(const Source&, const SystemRelation&) = nullptr;
};

std::span<const SystemRelation> all_relations();
const SystemRelation* find_relation(std::string_view schema, std::string_view name);  // nullptr: none
const SystemRelation* find_relation(Oid oid);

// What regproc, format_encoding and pg_get_function_* print. Procedures are those of pg_proc: a few of the system's own, and the
// stored ones of the current database.
Oid procedure_oid(const Source& source, std::string_view name);   // [schema.]name; 0: none
std::string procedure_name(const Source& source, Oid procedure);  // "-" for none
std::string procedure_result(const Source& source, Oid procedure);
std::string procedure_arguments(const Source& source, Oid procedure);  // "a integer, INOUT b character varying"
/// May the user read the body? Owners, superusers and those who may execute it.
bool shows_body(const Source& source, const catalog::Procedure& procedure);
/// CREATE OR REPLACE PROCEDURE .. as SHOW PROCEDURE prints it.
std::string procedure_definition(const Source& source, const catalog::Procedure& procedure);
std::string encoding_name(int encoding);  // pg_attribute.attencodingtype in words
int encoding_number(std::string_view name);
/// What pg_get_indexdef prints of a primary or unique key: Redshift has no indexes, but shows keys as such.
std::string index_text(const catalog::Snapshot& snapshot, const catalog::Relation& relation, const catalog::Constraint& key);

/// For HostContext: `schema.relation`.
std::vector<engine::SystemColumn> columns_of(std::string_view qualified);
Result<std::unique_ptr<engine::SystemRows>> rows_of(std::string_view qualified, const Source& source);

}  // namespace redoubt::warehouse::system
