#pragma once
/// What KMS answers when it refuses. Source: AWS KMS API Reference, errors of each action.
#include "base/result.h"

namespace redoubt::keys {

inline constexpr ErrorKind kNotFound{"NotFoundException", 400, "42704"};
inline constexpr ErrorKind kDisabled{"DisabledException", 400, "55000"};
inline constexpr ErrorKind kInvalidState{"KMSInvalidStateException", 400, "55000"};
inline constexpr ErrorKind kAlreadyExists{"AlreadyExistsException", 400, "42710"};
inline constexpr ErrorKind kInvalidArn{"InvalidArnException", 400, "22023"};
inline constexpr ErrorKind kInvalidCiphertext{"InvalidCiphertextException", 400, "22023"};
inline constexpr ErrorKind kIncorrectKey{"IncorrectKeyException", 400, "22023"};
inline constexpr ErrorKind kInvalidKeyUsage{"InvalidKeyUsageException", 400, "22023"};
inline constexpr ErrorKind kInvalidGrantId{"InvalidGrantIdException", 400, "22023"};
inline constexpr ErrorKind kInvalidMarker{"InvalidMarkerException", 400, "22023"};
inline constexpr ErrorKind kLimitExceeded{"LimitExceededException", 400, "54000"};
inline constexpr ErrorKind kMalformedPolicy{"MalformedPolicyDocumentException", 400, "22023"};
inline constexpr ErrorKind kTagging{"TagException", 400, "22023"};
inline constexpr ErrorKind kUnsupportedOperation{"UnsupportedOperationException", 400, "0A000"};
inline constexpr ErrorKind kConcurrentUpdate{"KMSInternalException", 500, "55000"};  // clients try again
inline constexpr ErrorKind kNotAuthorized{"NotAuthorizedException", 400, "42501"};
inline constexpr ErrorKind kValidation{"ValidationException", 400, "22023"};
inline constexpr ErrorKind kDryRun{"DryRunOperationException", 400, "22023"};

}  // namespace redoubt::keys
