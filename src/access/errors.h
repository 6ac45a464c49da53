#pragma once
/// What a request can end with before any service sees it. Sources: STS and EC2 API References, "Common errors"; S3 API
/// Reference, "Error responses". S3 has names of its own for some conditions: http.cpp picks by the service that is called.
#include "base/result.h"

namespace redoubt::access {

// Authentication. S3 renames kInvalidClientTokenId to InvalidAccessKeyId and answers kExpiredToken with 400.
inline constexpr ErrorKind kInvalidClientTokenId{"InvalidClientTokenId", 403, "28000"};
inline constexpr ErrorKind kExpiredToken{"ExpiredToken", 403, "28000"};
inline constexpr ErrorKind kSignatureDoesNotMatch{"SignatureDoesNotMatch", 403, "28000"};
inline constexpr ErrorKind kMissingAuthenticationToken{"MissingAuthenticationToken", 403, "28000"};
// Authorization.
inline constexpr ErrorKind kAccessDenied{"AccessDenied", 403, "42501"};
inline constexpr ErrorKind kAccessDeniedException{"AccessDeniedException", 400, "42501"};  // JSON protocols
inline constexpr ErrorKind kUnauthorizedOperation{"UnauthorizedOperation", 403, "42501"};  // EC2
// The request as such.
inline constexpr ErrorKind kNotImplemented{"NotImplemented", 501, "0A000"};
inline constexpr ErrorKind kInvalidAction{"InvalidAction", 400};                 // query protocols: no such action
inline constexpr ErrorKind kUnknownOperation{"UnknownOperationException", 400};  // JSON protocols
inline constexpr ErrorKind kMethodNotAllowed{"MethodNotAllowed", 405};           // S3
inline constexpr ErrorKind kRequestTooLarge{"RequestEntityTooLarge", 413};
inline constexpr ErrorKind kMessageTooLong{"MaxMessageLengthExceeded", 400};  // S3, bodies that aren't objects
inline constexpr ErrorKind kBadDigest{"BadDigest", 400};
inline constexpr ErrorKind kInvalidDigest{"InvalidDigest", 400};
inline constexpr ErrorKind kIncompleteBody{"IncompleteBody", 400};
inline constexpr ErrorKind kContentSha256Mismatch{"XAmzContentSHA256Mismatch", 400};
inline constexpr ErrorKind kInvalidRequest{"InvalidRequest", 400};
inline constexpr ErrorKind kThrottling{"Throttling", 400, "53000"};
inline constexpr ErrorKind kSlowDown{"SlowDown", 503, "53000"};  // S3

}  // namespace redoubt::access
