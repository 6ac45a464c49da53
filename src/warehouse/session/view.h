#pragma once
/// The catalog as one statement's analysis sees it: secure::CatalogView over Facts. Not shared between threads.
#include <memory>
#include <string>
#include <unordered_map>

#include "warehouse/secure/scope.h"
#include "warehouse/session/facts.h"

namespace redoubt::warehouse::session {

class View : public secure::CatalogView {
 public:
  explicit View(FactsPtr facts);

  secure::Oid current_user() const override { return facts_->current_user; }
  secure::Oid session_user() const override { return facts_->session_user; }
  std::string user_name(secure::Oid user) const override;
  bool is_superuser(secure::Oid user) const override;
  std::string current_database() const override { return facts_->database_name; }
  std::vector<const secure::Schema*> search_path() const override;
  bool database_exists(std::string_view database) const override;
  const secure::Schema* find_schema(std::string_view database, std::string_view schema) const override;
  const secure::Relation* find_relation(const secure::Schema& schema, std::string_view name) const override;
  const secure::Relation* relation_by_oid(secure::Oid relation) const override;
  bool may(secure::Oid user, secure::Privilege privilege, const secure::Relation& relation) const override;
  bool may_schema(secure::Oid user, secure::Privilege privilege, const secure::Schema& schema) const override;
  bool may_column(secure::Oid user, secure::Privilege privilege, const secure::Relation& relation, int16_t attnum) const override;
  secure::RowSecurity row_security(const secure::Relation& relation) const override;
  std::optional<std::string> setting(std::string_view name) const override { return facts_->values.get(name); }
  int64_t transaction_time() const override { return facts_->transaction_time; }
  int64_t statement_time() const override { return facts_->statement_time; }
  std::string time_zone() const override { return facts_->values.get("timezone").value_or("UTC"); }

 private:
  const secure::Schema* schema(const catalog::Schema& schema) const;
  const secure::Schema* system_schema(std::string_view name, std::string_view database) const;
  const secure::Relation* relation(const catalog::Relation& relation) const;
  const secure::Relation* system_relation(secure::Oid oid) const;
  const catalog::Identities& identities(secure::Oid user) const;

  FactsPtr facts_;
  // What was handed out; nodes of these maps don't move.
  mutable std::unordered_map<secure::Oid, secure::Schema> schemas_;
  mutable std::unordered_map<secure::Oid, secure::Relation> relations_;
  mutable std::unordered_map<secure::Oid, catalog::Identities> identities_;
};

/// Where a table's rows are: engine schema s<database oid>, so that SET SCHEMA moves nothing.
inline std::string physical_of(const catalog::Relation& table) { return engine::physical_name(table.database, table.storage); }

catalog::Privileges to_bits(secure::Privilege privilege);

/// May this session name the schema at all? Temporary schemas belong to one session.
bool is_nameable(const Facts& facts, const catalog::Schema& schema);

}  // namespace redoubt::warehouse::session
