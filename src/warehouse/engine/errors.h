#pragma once
/// What the engine can end a SQL statement with, beside what secure/errors.h lists. Wording stands at each use.
#include "base/result.h"

namespace redoubt::warehouse::engine {

inline constexpr ErrorKind kQueryCanceled{"QueryCanceled", 400, "57014"};
inline constexpr ErrorKind kTransactionAborted{"InFailedSqlTransaction", 400, "25P02"};
inline constexpr ErrorKind kNoTransaction{"NoActiveSqlTransaction", 400, "25P01"};
/// Redshift's error 1023. Its SQLSTATE there is XX000 as well; the message is "1023", the story in DETAIL.
inline constexpr ErrorKind kSerializationFailure{"SerializableIsolationViolation", 400, "XX000"};
inline constexpr ErrorKind kOutOfMemory{"OutOfMemory", 503, "53200"};
inline constexpr ErrorKind kDiskFull{"DiskFull", 503, "53100"};
/// A statement that the second line of defence refused: it reads what no plan may read. A bug of ours, never the user's.
inline constexpr ErrorKind kRefusedByGuard{"RefusedByGuard", 500, "XX000"};
inline constexpr ErrorKind kStreamEnded{"InvalidCursorState", 400,
                                        "24000"};  // its transaction is over, or it was never materialised
inline constexpr ErrorKind kBadParameter{"InvalidBinaryRepresentation", 400, "22P03"};
inline constexpr ErrorKind kAlreadyOpen{"AlreadyOpen", 500, "55006"};  // the same directory twice in one process
inline constexpr ErrorKind kCannotOpen{"CannotOpen", 500, "58030"};    // unreadable, damaged, or another key's

}  // namespace redoubt::warehouse::engine
