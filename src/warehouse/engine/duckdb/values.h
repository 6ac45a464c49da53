#pragma once
/// Values between their text form (as Redshift writes it) and DuckDB's vectors, by SQL type.
#include <duckdb.hpp>
#include <string_view>

#include "base/result.h"
#include "warehouse/engine/engine.h"
#include "warehouse/sql/type.h"

namespace redoubt::warehouse::engine {

/// duckdb_type() as a LogicalType.
duckdb::LogicalType logical_type(const sql::Type& type);

/// `text` read strictly, as a cast from text does in Redshift. Errors: secure/values.h's.
Result<duckdb::Value> to_value(const sql::Type& type, std::string_view text);
/// Puts it into a vector of logical_type(type).
Result<void> set_text(duckdb::Vector& vector, duckdb::idx_t row, const sql::Type& type, const Datum& text);

/// PostgreSQL's binary form of a parameter as text. `decimal` parameters come in PostgreSQL's own form in every protocol version.
/// Errors: kBadParameter (wrong length or digits).
Result<std::string> binary_to_text(const sql::Type& type, std::string_view bytes);

}  // namespace redoubt::warehouse::engine
