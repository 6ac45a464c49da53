#pragma once
/// Redshift's rules about types: which casts exist, what an operator or CASE makes of two types, how decimals grow.
/// Source: Database Developer Guide, "Type compatibility and conversion" and "Computations with numeric values".
#include <optional>
#include <span>
#include <string_view>

#include "warehouse/sql/type.h"

namespace redoubt::warehouse::secure {

/// The types among which PostgreSQL's operators choose; one value is stored and compared like another of its class.
enum class TypeClass : uint8_t {
  kUnknown,
  kBoolean,
  kNumber,
  kString,
  kDate,
  kTime,
  kTimestamp,
  kInterval,
  kSuper,
  kVarbyte,
  kOid,
  kArray,
  kOther,
};
TypeClass type_class(const sql::Type& type);

/// How far an implicit conversion goes, for overload resolution: 0 is none needed, nullopt not possible implicitly.
std::optional<int> implicit_cost(const sql::Type& from, const sql::Type& to);
/// INSERT and UPDATE convert these without being told.
bool assignable(const sql::Type& from, const sql::Type& to);
/// CAST and :: accept these.
bool castable(const sql::Type& from, const sql::Type& to);

/// The type both sides of =, <, IN are compared as. nullopt: operator does not exist. A string beside another type is
/// converted to that type.
std::optional<sql::Type> comparison_type(const sql::Type& a, const sql::Type& b);
/// The type of CASE, COALESCE, UNION, ARRAY and VALUES over these; unknown alone is varchar. nullopt: they can't be matched.
std::optional<sql::Type> common_type(std::span<const sql::Type> types);

/// `op` is one of + - * / %, both types numeric. Decimals: precision and scale as Redshift computes them.
sql::Type arithmetic_type(char op, const sql::Type& a, const sql::Type& b);
/// An integer as the decimal that holds all its values; decimals as they are.
sql::Type as_decimal(const sql::Type& type);
/// The decimal that holds the values of both, at most 38 digits.
sql::Type wider_decimal(const sql::Type& a, const sql::Type& b);

/// Bytes that a string type's values have at most; Type::kVarcharMax where it isn't declared.
int byte_length(const sql::Type& type);

/// A type that a column can have, for outputs of CREATE TABLE AS and views: no unknown, no undeclared length.
sql::Type storable(const sql::Type& type);

}  // namespace redoubt::warehouse::secure
