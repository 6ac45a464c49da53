#pragma once
/// What a SQL session can end a statement, a sign-on or itself with, beside what secure/, engine/ and catalog/errors.h list.
#include "base/result.h"

namespace redoubt::warehouse::session {

inline constexpr ErrorKind kInvalidAuthorization{"InvalidAuthorization", 403, "28000"};
inline constexpr ErrorKind kTooManyConnections{"TooManyConnections", 429, "53300"};
inline constexpr ErrorKind kProtocolViolation{"ProtocolViolation", 400, "08P01"};
inline constexpr ErrorKind kInvalidPassword{"InvalidPassword", 400, "XX000"};  // Redshift answers its password rules so
inline constexpr ErrorKind kActiveTransaction{"ActiveSqlTransaction", 400, "25001"};
inline constexpr ErrorKind kDeadlock{"DeadlockDetected", 409, "40P01"};
inline constexpr ErrorKind kObjectInUse{"ObjectInUse", 400, "55006"};
inline constexpr ErrorKind kDependentObjects{"DependentObjectsStillExist", 400, "2BP01"};
inline constexpr ErrorKind kInvalidStatementName{"InvalidSqlStatementName", 400, "26000"};
inline constexpr ErrorKind kDuplicateStatement{"DuplicatePreparedStatement", 400, "42P05"};
inline constexpr ErrorKind kInvalidCursorName{"InvalidCursorName", 400, "34000"};
inline constexpr ErrorKind kDuplicateCursor{"DuplicateCursor", 400, "42P03"};
inline constexpr ErrorKind kInvalidName{"InvalidName", 400, "42602"};
inline constexpr ErrorKind kReservedName{"ReservedName", 400, "42939"};
inline constexpr ErrorKind kInvalidTableDefinition{"InvalidTableDefinition", 400, "42P16"};
inline constexpr ErrorKind kInvalidGrant{"InvalidGrantOperation", 400, "0LP01"};
inline constexpr ErrorKind kAdminShutdown{"AdminShutdown", 503, "57P01"};
inline constexpr ErrorKind kReadOnly{"ReadOnlySqlTransaction", 400, "25006"};
inline constexpr ErrorKind kInvalidObjectDefinition{"InvalidObjectDefinition", 400, "42P17"};
inline constexpr ErrorKind kIdleTransaction{"IdleInTransactionSessionTimeout", 400, "25P03"};
// Stored procedures
inline constexpr ErrorKind kRaised{"RaiseException", 400, "P0001"};
inline constexpr ErrorKind kCaseNotFound{"CaseNotFound", 400, "20000"};
inline constexpr ErrorKind kAtomicContext{"InvalidTransactionTermination", 400, "2D000"};
inline constexpr ErrorKind kNullNotAllowed{"NullValueNotAllowed", 400, "22004"};
inline constexpr ErrorKind kUnassignedRecord{"ObjectNotInPrerequisiteState", 400, "55000"};
inline constexpr ErrorKind kTooManyCalls{"StatementTooComplex", 400, "54001"};
inline constexpr ErrorKind kNotReady{"CannotConnectNow", 503, "57P03"};

}  // namespace redoubt::warehouse::session
