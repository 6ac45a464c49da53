#pragma once
/// Definitions of columns, keys and constraints, checked and turned into catalog objects: what CREATE TABLE and ALTER TABLE
/// share.
#include "warehouse/session/commands.h"

namespace redoubt::warehouse::session {

/// One column; its default is checked to be a constant expression of its type. Keys and constraints are not in it.
Result<catalog::Column> make_column(Work& work, const sql::ColumnDefinition& definition, int16_t attnum);
/// Default ENCODE of a type: "az64", "lzo", "none".
std::string default_encoding(const sql::Type& type);
/// DISTSTYLE, DISTKEY and SORTKEY onto the relation's columns.
Result<void> apply_attributes(catalog::Relation& relation, const sql::TableAttributes& attributes);
Result<void> set_distribution(catalog::Relation& relation, catalog::DistStyle style, const std::string& key);
Result<void> set_sort_key(catalog::Relation& relation, catalog::SortStyle style, const std::vector<sql::Identifier>& columns);
Result<void> add_constraint(Work& work, catalog::Relation& relation, const sql::TableConstraint& constraint);
/// Columns as the engine makes them.
std::vector<engine::PhysicalColumn> physical_columns(const catalog::Relation& relation);
std::vector<int16_t> sort_attnums(const catalog::Relation& relation);

}  // namespace redoubt::warehouse::session
