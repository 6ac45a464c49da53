#pragma once
/// What analysis can refuse a SQL statement with. SQLSTATEs are PostgreSQL's (Appendix A), as Redshift sends them;
/// the wording stands at each use, in Redshift's words.
#include "base/result.h"

namespace redoubt::warehouse::secure {

inline constexpr ErrorKind kUndefinedTable{"UndefinedTable", 400, "42P01"};
inline constexpr ErrorKind kUndefinedColumn{"UndefinedColumn", 400, "42703"};
inline constexpr ErrorKind kUndefinedFunction{"UndefinedFunction", 400, "42883"};  // operators too
inline constexpr ErrorKind kUndefinedSchema{"UndefinedSchema", 400, "3F000"};
inline constexpr ErrorKind kUndefinedDatabase{"UndefinedDatabase", 400, "3D000"};
inline constexpr ErrorKind kUndefinedObject{"UndefinedObject", 400, "42704"};
inline constexpr ErrorKind kUndefinedParameter{"UndefinedParameter", 400, "42P02"};
inline constexpr ErrorKind kAmbiguousColumn{"AmbiguousColumn", 400, "42702"};
inline constexpr ErrorKind kAmbiguousFunction{"AmbiguousFunction", 400, "42725"};
inline constexpr ErrorKind kDuplicateColumn{"DuplicateColumn", 400, "42701"};
inline constexpr ErrorKind kDuplicateAlias{"DuplicateAlias", 400, "42712"};
inline constexpr ErrorKind kGroupingError{"GroupingError", 400, "42803"};
inline constexpr ErrorKind kWindowingError{"WindowingError", 400, "42P20"};
inline constexpr ErrorKind kDatatypeMismatch{"DatatypeMismatch", 400, "42804"};
inline constexpr ErrorKind kIndeterminateType{"IndeterminateDatatype", 400, "42P18"};
inline constexpr ErrorKind kCannotCoerce{"CannotCoerce", 400, "42846"};
inline constexpr ErrorKind kInvalidColumnReference{"InvalidColumnReference", 400, "42P10"};
inline constexpr ErrorKind kInvalidRecursion{"InvalidRecursion", 400, "42P19"};
inline constexpr ErrorKind kWrongObjectType{"WrongObjectType", 400, "42809"};
inline constexpr ErrorKind kSyntaxError{"SyntaxError", 400, "42601"};
inline constexpr ErrorKind kPermissionDenied{"InsufficientPrivilege", 403, "42501"};
inline constexpr ErrorKind kNotSupported{"FeatureNotSupported", 400, "0A000"};
inline constexpr ErrorKind kTooComplex{"StatementTooComplex", 400, "54001"};
inline constexpr ErrorKind kCardinality{"CardinalityViolation", 400, "21000"};
inline constexpr ErrorKind kDivisionByZero{"DivisionByZero", 400, "22012"};
inline constexpr ErrorKind kOutOfRange{"NumericValueOutOfRange", 400, "22003"};
inline constexpr ErrorKind kInvalidText{"InvalidTextRepresentation", 400, "22P02"};
inline constexpr ErrorKind kStringTruncation{"StringDataRightTruncation", 400, "22001"};
inline constexpr ErrorKind kInvalidDatetime{"InvalidDatetimeFormat", 400, "22007"};
inline constexpr ErrorKind kDatetimeOverflow{"DatetimeFieldOverflow", 400, "22008"};
inline constexpr ErrorKind kInvalidParameterValue{"InvalidParameterValue", 400, "22023"};
inline constexpr ErrorKind kInvalidRegex{"InvalidRegularExpression", 400, "2201B"};
inline constexpr ErrorKind kInvalidEscape{"InvalidEscapeSequence", 400, "22025"};
inline constexpr ErrorKind kNotNullViolation{"NotNullViolation", 400, "23502"};

}  // namespace redoubt::warehouse::secure
