#pragma once
/// What changing the catalog can be refused with. SQLSTATEs as Redshift sends them; the wording stands at each use.
#include "base/result.h"

namespace redoubt::warehouse::catalog {

inline constexpr ErrorKind kDuplicateDatabase{"DuplicateDatabase", 400, "42P04"};
inline constexpr ErrorKind kDuplicateSchema{"DuplicateSchema", 400, "42P06"};
inline constexpr ErrorKind kDuplicateTable{"DuplicateTable", 400, "42P07"};
inline constexpr ErrorKind kDuplicateObject{"DuplicateObject", 400, "42710"};  // users, groups, roles, constraints
inline constexpr ErrorKind kDuplicateProcedure{"DuplicateFunction", 400, "42723"};
inline constexpr ErrorKind kConflict{"SerializationFailure", 409, "XX000"};  // error 1023 and concurrent DDL
inline constexpr ErrorKind kDependentPrivileges{"DependentPrivileges", 400, "2BP01"};
inline constexpr ErrorKind kCircularRole{"CircularRole", 400, "0LP01"};      // invalid_grant_operation
inline constexpr ErrorKind kCorruptCatalog{"CorruptCatalog", 500, "XX001"};  // a stored row that can't be read back

}  // namespace redoubt::warehouse::catalog
