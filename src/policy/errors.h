#pragma once
/// What policy/ fails with.
#include "base/result.h"

namespace redoubt::policy {

/// A document that the service refuses to store. The message is AWS's own for its Kind; the code is IAM's, and services with
/// another one (S3: MalformedPolicy, KMS and Organizations: MalformedPolicyDocumentException) put the message under theirs.
inline constexpr ErrorKind kMalformedPolicyDocument{"MalformedPolicyDocument", 400};

}  // namespace redoubt::policy
