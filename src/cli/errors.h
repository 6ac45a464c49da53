#pragma once
/// What the commands end with. The message is the sentence that they print.
#include "base/result.h"

namespace redoubt::cli {
inline constexpr ErrorKind kUsage{"Usage", 400};              // the user has to say it differently: exit status 2
inline constexpr ErrorKind kUnreachable{"Unreachable", 503};  // no server, or not the one that the certificate names
inline constexpr ErrorKind kRefused{"Refused", 400};          // the server's answer
}  // namespace redoubt::cli
