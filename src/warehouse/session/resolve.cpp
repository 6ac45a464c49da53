#include "warehouse/session/resolve.h"

#include <algorithm>

#include "warehouse/secure/errors.h"
#include "warehouse/session/view.h"

namespace redoubt::warehouse::session {

namespace {

std::string dotted(const sql::ObjectName& n) {
  std::string s;
  if (!n.database.empty()) s += n.database + ".";
  if (!n.schema.empty()) s += n.schema + ".";
  return s + n.name;
}

std::unexpected<Error> at(const ErrorKind& kind, std::string message, sql::Position position) {
  Error error{&kind, std::move(message)};
  if (position > 0) error.more.emplace_back("POSITION", std::to_string(position));
  return std::unexpected(std::move(error));
}

}  // namespace

bool may_use(const Facts& facts, const catalog::Schema& schema) {
  if (is_temp_schema(schema.name)) return is_nameable(facts, schema);
  return catalog::may(facts.who, catalog::kUsage, schema);
}

std::vector<const catalog::Schema*> path_schemas(const Facts& facts, const catalog::Snapshot& snapshot) {
  std::vector<const catalog::Schema*> out;
  for (auto& name : facts.values.search_path()) {
    auto* schema = snapshot.schema(facts.database, name == "$user" ? snapshot.user_name(facts.current_user) : name);
    if (schema && is_nameable(facts, *schema) && may_use(facts, *schema) &&
        std::find(out.begin(), out.end(), schema) == out.end())
      out.push_back(schema);
  }
  return out;
}

Result<Found> resolve(const Facts& facts, const catalog::Snapshot& snapshot, const sql::ObjectName& name) {
  auto missing = [&] { return at(secure::kUndefinedTable, "relation \"" + dotted(name) + "\" does not exist", name.position); };
  if (name.schema.empty()) {
    auto* temp = snapshot.schema(facts.database, facts.temp_schema);
    auto* temporary = temp ? snapshot.relation(temp->oid, name.name) : nullptr;
    if (temporary && !facts.temp_last) return Found{.relation = temporary};
    auto path = facts.values.search_path();
    auto system_at = std::find(path.begin(), path.end(), "pg_catalog");
    auto* system = system::find_relation("pg_catalog", name.name);
    if (system && system_at == path.end()) return Found{.system = system};
    for (auto part = path.begin(); part != path.end(); ++part) {
      if (part == system_at && system) return Found{.system = system};
      auto* schema = snapshot.schema(facts.database, *part == "$user" ? snapshot.user_name(facts.current_user) : *part);
      if (!schema || !is_nameable(facts, *schema) || !may_use(facts, *schema)) continue;
      if (auto* relation = snapshot.relation(schema->oid, name.name)) return Found{.relation = relation};
    }
    if (temporary) return Found{.relation = temporary};
    return missing();
  }
  auto* database = name.database.empty() ? snapshot.database(facts.database) : snapshot.database(name.database);
  if (!database) return at(secure::kUndefinedDatabase, "database \"" + name.database + "\" does not exist", name.position);
  if (name.schema == "pg_catalog" || name.schema == "information_schema") {
    auto* system = database->oid == facts.database ? system::find_relation(name.schema, name.name) : nullptr;
    if (!system) return missing();
    return Found{.system = system};
  }
  auto* schema = snapshot.schema(database->oid, name.schema == "pg_temp" ? facts.temp_schema : name.schema);
  if (!schema || !is_nameable(facts, *schema))
    return at(secure::kUndefinedSchema, "schema \"" + name.schema + "\" does not exist", name.position);
  if (!may_use(facts, *schema)) return fail(secure::kPermissionDenied, "permission denied for schema " + schema->name);
  auto* relation = snapshot.relation(schema->oid, name.name);
  if (!relation) return missing();
  return Found{.relation = relation};
}

bool is_visible(const Facts& facts, catalog::Oid oid) {
  sql::ObjectName name;
  if (auto* system = system::find_relation(oid)) {
    name.name = system->name;
  } else if (auto* relation = facts.snapshot->relation(oid)) {
    name.name = relation->name;
  } else {
    return false;
  }
  auto found = resolve(facts, *facts.snapshot, name);
  return found && found->oid() == oid;
}

std::string regclass_text(const Facts& facts, catalog::Oid oid) {
  std::string schema, name;
  if (auto* system = system::find_relation(oid)) {
    schema = system->schema;
    name = system->name;
  } else if (auto* relation = facts.snapshot->relation(oid)) {
    if (auto* s = facts.snapshot->schema(relation->schema)) schema = s->name;
    name = relation->name;
  } else {
    return std::to_string(oid);
  }
  if (is_visible(facts, oid)) return quote_identifier(name);
  return quote_identifier(schema) + "." + quote_identifier(name);
}

}  // namespace redoubt::warehouse::session
