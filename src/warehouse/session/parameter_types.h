#pragma once
/// The types of a prepared statement's parameters, where the client's word is not enough: drivers declare NUMERIC without
/// precision and scale, and a scale of zero would cut their values.
#include <optional>
#include <span>
#include <vector>

#include "warehouse/engine/engine.h"
#include "warehouse/secure/analyze.h"
#include "warehouse/sql/type.h"

namespace redoubt::warehouse::session {

/// What a driver declares a parameter as, by its pg_type oid: 0 and 705 leave it open; bytea (17), which Redshift has no columns
/// of, is varbyte; NUMERIC is open in its precision. Errors: secure::kUndefinedObject.
Result<sql::Type> declared_type(uint32_t oid);
inline bool is_declared(uint32_t oid) { return oid != 0 && oid != 705; }
/// Values of parameters declared bytea that came as text (\x hexadecimal, or PostgreSQL's escapes) become their bytes.
/// Errors: secure::kInvalidText.
Result<void> read_byteas(std::span<const uint32_t> oids, std::span<engine::Parameter> values);

/// The declared types for a description that is asked for before any value is known: NUMERIC has 12 digits behind the point.
std::vector<sql::Type> types_for_description(std::span<const sql::Type> declared);

/// The declared types once values are bound: an open NUMERIC is as wide as its value.
std::vector<sql::Type> types_for_values(std::span<const sql::Type> declared, std::span<const engine::Parameter> values);

/// Analysis with values at hand: where a parameter is a NUMERIC by context (`x + $1`) that would cut its value, it gets the
/// value's own precision and scale.
Result<secure::plan::Statement> analyze_with_values(const sql::Command& command, const secure::Scope& scope,
                                                    std::span<const sql::Type> declared,
                                                    std::span<const engine::Parameter> values);

std::vector<sql::Type> types_of(std::span<const secure::plan::Output> columns);

/// The narrowest NUMERIC that holds a value, text or binary form; nullopt for NULL and what isn't a number.
std::optional<sql::Type> measure_decimal(const engine::Parameter& value);

}  // namespace redoubt::warehouse::session
