#pragma once
/// What parsing can refuse a text with; SQLSTATEs and wording as Redshift sends them.
#include "base/result.h"

namespace redoubt::warehouse::sql {

inline constexpr ErrorKind kSyntaxError{"SyntaxError", 400, "42601"};
/// Valid elsewhere (or in Redshift) but not built here; the message names it.
inline constexpr ErrorKind kNotSupported{"FeatureNotSupported", 400, "0A000"};
inline constexpr ErrorKind kUndefinedType{"UndefinedObject", 400, "42704"};
inline constexpr ErrorKind kInvalidParameterValue{"InvalidParameterValue", 400, "22023"};
inline constexpr ErrorKind kInvalidEscape{"InvalidEscapeSequence", 400, "22025"};
inline constexpr ErrorKind kInvalidName{"InvalidName", 400, "42602"};
inline constexpr ErrorKind kBadEncoding{"CharacterNotInRepertoire", 400, "22021"};
// Of plpgsql bodies
inline constexpr ErrorKind kErrorInAssignment{"ErrorInAssignment", 400, "22005"};
inline constexpr ErrorKind kNullNotAllowed{"NullValueNotAllowed", 400, "22004"};
inline constexpr ErrorKind kDatatypeMismatch{"DatatypeMismatch", 400, "42804"};
/// Nested too deeply.
inline constexpr ErrorKind kTooComplex{"StatementTooComplex", 400, "54001"};
/// Longer than Redshift's 16 MB.
inline constexpr ErrorKind kTooLong{"ProgramLimitExceeded", 400, "54000"};

}  // namespace redoubt::warehouse::sql
