#pragma once
/// What the wire itself refuses; everything else is the session's.
#include "base/result.h"

namespace redoubt::warehouse::wire {

inline constexpr ErrorKind kProtocolViolation{"ProtocolViolation", 400, "08P01"};
inline constexpr ErrorKind kTooLarge{"ProgramLimitExceeded", 400, "54000"};
inline constexpr ErrorKind kBadEncoding{"CharacterNotInRepertoire", 400, "22021"};
inline constexpr ErrorKind kUnsupported{"FeatureNotSupported", 400, "0A000"};
inline constexpr ErrorKind kIdleTimeout{"IdleSessionTimeout", 400, "57P05"};

}  // namespace redoubt::warehouse::wire
