#pragma once
/// How a connection ends. These never reach a client: the peer is gone, or we are about to hang up.
#include "base/result.h"

namespace redoubt::net {
inline constexpr ErrorKind kClosed{"ConnectionClosed", 499, "08006"};      // the peer hung up, or somebody called close()
inline constexpr ErrorKind kTimedOut{"ConnectionTimedOut", 408, "08006"};  // the deadline passed
inline constexpr ErrorKind kTlsFailed{"TlsFailed", 400, "08P01"};          // handshake or record layer
inline constexpr ErrorKind kCannotListen{"CannotListen", 500, "08001"};    // address or port in use, or not ours
inline constexpr ErrorKind kBusy{"ServiceUnavailable", 503, "53300"};      // a pool's queue is full
}  // namespace redoubt::net
