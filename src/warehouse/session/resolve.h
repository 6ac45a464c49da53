#pragma once
/// Relation names to objects over Facts alone: for host functions and utility statements. The rules are the analyzer's.
/// Threads: any.
#include "warehouse/session/facts.h"
#include "warehouse/sql/ast.h"
#include "warehouse/system/relation.h"

namespace redoubt::warehouse::session {

struct Found {
  const catalog::Relation* relation = nullptr;  // one of the two
  const system::SystemRelation* system = nullptr;
  catalog::Oid oid() const { return relation ? relation->oid : system->oid; }
};

/// Errors: kUndefinedTable, kUndefinedSchema, kUndefinedDatabase, kPermissionDenied (no USAGE on a schema that was named).
Result<Found> resolve(const Facts& facts, const catalog::Snapshot& snapshot, const sql::ObjectName& name);
/// Would the bare name of this relation find it?
bool is_visible(const Facts& facts, catalog::Oid relation);
/// May the current user use this schema's names? Temporary schemas: only the session's own.
bool may_use(const Facts& facts, const catalog::Schema& schema);
/// `schema.name`, quoted where needed; without the schema if the name alone finds it (regclass's text form).
std::string regclass_text(const Facts& facts, catalog::Oid relation);
/// User schemas of the search path that exist and may be used, in order, without pg_catalog and the temporary one.
std::vector<const catalog::Schema*> path_schemas(const Facts& facts, const catalog::Snapshot& snapshot);

}  // namespace redoubt::warehouse::session
