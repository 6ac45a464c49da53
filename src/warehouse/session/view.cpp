#include "warehouse/session/view.h"

#include <algorithm>

#include "warehouse/session/policies.h"
#include "warehouse/system/relation.h"

namespace redoubt::warehouse::session {

catalog::Privileges to_bits(secure::Privilege privilege) {
  using P = secure::Privilege;
  switch (privilege) {
    case P::kSelect:
      return catalog::kSelect;
    case P::kInsert:
      return catalog::kInsert;
    case P::kUpdate:
      return catalog::kUpdate;
    case P::kDelete:
      return catalog::kDelete;
    case P::kReferences:
      return catalog::kReferences;
    case P::kDrop:
      return catalog::kDrop;
    case P::kAlter:
      return catalog::kAlter;
    case P::kTruncate:
      return catalog::kTruncate;
    case P::kUsage:
      return catalog::kUsage;
    case P::kCreate:
      return catalog::kCreate;
    case P::kTemp:
      return catalog::kTemp;
  }
  return ~catalog::Privileges{0};  // held by nobody
}

std::string temp_schema_name(int pid) { return "pg_temp_" + std::to_string(pid); }

bool is_nameable(const Facts& facts, const catalog::Schema& schema) {
  return !is_temp_schema(schema.name) || (schema.name == facts.temp_schema && schema.database == facts.database);
}

View::View(FactsPtr facts) : facts_(std::move(facts)) {}

const catalog::Identities& View::identities(secure::Oid user) const {
  if (user == facts_->current_user) return facts_->who;
  auto [at, fresh] = identities_.try_emplace(user);
  if (fresh) at->second = catalog::identities(*facts_->snapshot, user);
  return at->second;
}

std::string View::user_name(secure::Oid user) const { return facts_->snapshot->user_name(user); }
bool View::is_superuser(secure::Oid user) const { return identities(user).superuser; }

const secure::Schema* View::schema(const catalog::Schema& s) const {
  auto [at, fresh] = schemas_.try_emplace(s.oid);
  if (fresh) {
    auto* database = facts_->snapshot->database(s.database);
    at->second = {.oid = s.oid, .database = database ? database->name : "", .name = s.name};
  }
  return &at->second;
}

const secure::Schema* View::system_schema(std::string_view name, std::string_view database) const {
  secure::Oid oid = name == "pg_catalog"           ? system::kPgCatalogOid
                    : name == "information_schema" ? system::kInformationSchemaOid
                                                   : 0;
  if (oid == 0) return nullptr;
  auto [at, fresh] = schemas_.try_emplace(oid);
  if (fresh) at->second = {.oid = oid, .database = std::string(database), .name = std::string(name), .system = true};
  return &at->second;
}

std::vector<const secure::Schema*> View::search_path() const {
  std::vector<const secure::Schema*> out;
  auto names = facts_->values.search_path();
  // Temporary tables come first as in PostgreSQL, pg_catalog next unless the path says where it stands.
  auto* temp = facts_->snapshot->schema(facts_->database, facts_->temp_schema);
  if (temp && !facts_->temp_last) out.push_back(schema(*temp));
  bool named = std::find(names.begin(), names.end(), "pg_catalog") != names.end();
  if (!named) out.push_back(system_schema("pg_catalog", facts_->database_name));
  for (auto& name : names)
    if (auto* found = find_schema(facts_->database_name, name == "$user" ? user_name(facts_->current_user) : name))
      if (std::find(out.begin(), out.end(), found) == out.end()) out.push_back(found);
  if (temp && facts_->temp_last) out.push_back(schema(*temp));
  return out;
}

bool View::database_exists(std::string_view database) const { return facts_->snapshot->database(database) != nullptr; }

const secure::Schema* View::find_schema(std::string_view database, std::string_view name) const {
  auto* d = facts_->snapshot->database(database);
  if (!d) return nullptr;
  if (auto* system = system_schema(name, facts_->database_name)) return d->oid == facts_->database ? system : nullptr;
  auto* found = facts_->snapshot->schema(d->oid, name == "pg_temp" ? std::string_view(facts_->temp_schema) : name);
  return found && is_nameable(*facts_, *found) ? schema(*found) : nullptr;
}

const secure::Relation* View::find_relation(const secure::Schema& s, std::string_view name) const {
  if (s.system) {
    auto* found = system::find_relation(s.name, name);
    return found ? system_relation(found->oid) : nullptr;
  }
  auto* found = facts_->snapshot->relation(s.oid, name);
  return found ? relation(*found) : nullptr;
}

const secure::Relation* View::relation_by_oid(secure::Oid oid) const {
  if (auto* found = facts_->snapshot->relation(oid)) return relation(*found);
  return system_relation(oid);
}

const secure::Relation* View::system_relation(secure::Oid oid) const {
  auto* found = system::find_relation(oid);
  if (!found) return nullptr;
  auto [at, fresh] = relations_.try_emplace(oid);
  if (fresh) {
    secure::Relation& r = at->second;
    r.oid = oid;
    r.schema_oid = found->schema == "pg_catalog" ? system::kPgCatalogOid : system::kInformationSchemaOid;
    r.owner = catalog::kInternalUserId;
    r.database = facts_->database_name;
    r.schema = found->schema;
    r.name = found->name;
    r.kind = secure::RelationKind::kSystem;
    for (auto& column : found->columns)
      r.columns.push_back({.name = column.name, .type = column.type, .attnum = int16_t(r.columns.size() + 1)});
  }
  return &at->second;
}

const secure::Relation* View::relation(const catalog::Relation& c) const {
  auto [at, fresh] = relations_.try_emplace(c.oid);
  secure::Relation& r = at->second;
  if (!fresh) return &r;
  auto* s = facts_->snapshot->schema(c.schema);
  auto* d = facts_->snapshot->database(c.database);
  r.oid = c.oid;
  r.schema_oid = c.schema;
  r.owner = c.owner;
  r.database = d ? d->name : "";
  r.schema = s ? s->name : "";
  r.name = c.name;
  r.kind = c.kind == catalog::RelationKind::kTable  ? secure::RelationKind::kTable
           : c.kind == catalog::RelationKind::kView ? secure::RelationKind::kView
                                                    : secure::RelationKind::kLateBindingView;
  r.temporary = c.temporary;
  r.protected_by_rls = c.rls_on;
  if (c.kind == catalog::RelationKind::kTable) r.physical = physical_of(c);
  for (auto& column : c.columns)
    if (!column.dropped)
      r.columns.push_back({.name = column.name,
                           .type = column.type,
                           .attnum = column.attnum,
                           .not_null = column.not_null,
                           .default_sql = column.default_sql,
                           .identity = column.identity,
                           .identity_always = column.identity_always});
  r.view_sql = c.view_sql;
  r.pins = c.pins;
  return &r;
}

bool View::may(secure::Oid user, secure::Privilege privilege, const secure::Relation& relation) const {
  const auto& who = identities(user);
  if (auto* c = facts_->snapshot->relation(relation.oid)) return catalog::may(who, to_bits(privilege), *c);
  auto* system = system::find_relation(relation.oid);
  return system && privilege == secure::Privilege::kSelect && (who.superuser || !system->superuser_only);
}

bool View::may_schema(secure::Oid user, secure::Privilege privilege, const secure::Schema& s) const {
  const auto& who = identities(user);
  if (s.system) return privilege == secure::Privilege::kUsage;
  auto* c = facts_->snapshot->schema(s.oid);
  if (!c) return false;
  // A temporary schema is its session's: everybody who acts in it may use it, nobody else can name it.
  if (is_temp_schema(c->name)) return is_nameable(*facts_, *c);
  return catalog::may(who, to_bits(privilege), *c);
}

bool View::may_column(secure::Oid user, secure::Privilege privilege, const secure::Relation& relation, int16_t attnum) const {
  auto* c = facts_->snapshot->relation(relation.oid);
  auto* column = c ? c->column(attnum) : nullptr;
  return column && catalog::may_column(identities(user), to_bits(privilege), *column);
}

/// Row security asks who is signed on (or SET SESSION AUTHORIZATION made it), whoever's rights count where the relation is
/// read: a view's or procedure's owner lends privileges, not rows.
secure::RowSecurity View::row_security(const secure::Relation& relation) const {
  auto* c = facts_->snapshot->relation(relation.oid);
  if (!c) return {.filtered = true, .any = false, .policies = {}};
  auto found = catalog::row_security(*facts_->snapshot, identities(facts_->session_user), *c);
  secure::RowSecurity out{.filtered = found.filtered, .any = found.any, .policies = {}};
  for (auto* policy : found.applied) out.policies.push_back(to_secure(*policy));
  return out;
}

}  // namespace redoubt::warehouse::session
