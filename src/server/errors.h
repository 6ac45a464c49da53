#pragma once
/// What the listeners themselves refuse, before any service sees the request, and what keeps a server from starting.
#include "base/result.h"

namespace redoubt::server {
//                                       code                            HTTP
inline constexpr ErrorKind kBadRequest{"BadRequest", 400};
inline constexpr ErrorKind kRequestTimeout{"RequestTimeout", 408};
inline constexpr ErrorKind kUriTooLong{"URITooLong", 414};
inline constexpr ErrorKind kExpectationFailed{"ExpectationFailed", 417};
inline constexpr ErrorKind kHeadTooLarge{"RequestHeaderSectionTooLarge", 431};
inline constexpr ErrorKind kNotImplemented{"NotImplemented", 501};
inline constexpr ErrorKind kServiceUnavailable{"ServiceUnavailable", 503};
inline constexpr ErrorKind kVersionNotSupported{"HTTPVersionNotSupported", 505};

/// A flag, a configuration file, a directory or a port that the operator has to change; the message is the whole sentence that
/// `redoubt serve` prints before it exits with 2.
inline constexpr ErrorKind kCannotStart{"CannotStart", 500};
}  // namespace redoubt::server
