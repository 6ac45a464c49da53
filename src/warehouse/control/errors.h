#pragma once
/// What the Redshift API answers when it refuses. Source: Amazon Redshift API Reference; codes and statuses of its model.
#include "base/result.h"

namespace redoubt::warehouse::control {

inline constexpr ErrorKind kClusterNotFound{"ClusterNotFound", 404, "42704"};
inline constexpr ErrorKind kClusterAlreadyExists{"ClusterAlreadyExists", 400, "42710"};
inline constexpr ErrorKind kClusterQuota{"ClusterQuotaExceeded", 400, "54000"};
inline constexpr ErrorKind kInvalidClusterState{"InvalidClusterState", 400, "55000"};
inline constexpr ErrorKind kInvalidParameterValue{"InvalidParameterValue", 400, "22023"};
inline constexpr ErrorKind kInvalidCombination{"InvalidParameterCombination", 400, "22023"};
inline constexpr ErrorKind kMissingParameter{"MissingParameter", 400, "22023"};
inline constexpr ErrorKind kUnsupportedOperation{"UnsupportedOperation", 400, "0A000"};
inline constexpr ErrorKind kInvalidTag{"InvalidTagFault", 400, "22023"};
inline constexpr ErrorKind kTagLimit{"TagLimitExceededFault", 400, "54000"};
inline constexpr ErrorKind kResourceNotFound{"ResourceNotFoundFault", 404, "42704"};
inline constexpr ErrorKind kInvalidVpcState{"InvalidVPCNetworkStateFault", 400, "22023"};
inline constexpr ErrorKind kCustomDomainNotFound{"CustomDomainAssociationNotFoundFault", 404, "42704"};
inline constexpr ErrorKind kBadToken{"InvalidToken", 403, "28000"};  // answered like a wrong password

}  // namespace redoubt::warehouse::control
