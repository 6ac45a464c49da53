#pragma once
/// What EC2 answers when it refuses. Source: EC2 API Reference, "Error codes".
#include "base/result.h"

namespace redoubt::network {

inline constexpr ErrorKind kGroupNotFound{"InvalidGroup.NotFound", 400, "42704"};
inline constexpr ErrorKind kGroupIdMalformed{"InvalidGroupId.Malformed", 400, "22023"};
inline constexpr ErrorKind kRuleDuplicate{"InvalidPermission.Duplicate", 400, "42710"};
inline constexpr ErrorKind kRuleNotFound{"InvalidPermission.NotFound", 400, "42704"};
inline constexpr ErrorKind kRuleIdNotFound{"InvalidSecurityGroupRuleId.NotFound", 400, "42704"};
inline constexpr ErrorKind kRuleMalformed{"InvalidPermission.Malformed", 400, "22023"};
inline constexpr ErrorKind kRuleLimit{"RulesPerSecurityGroupLimitExceeded", 400, "54000"};
inline constexpr ErrorKind kVpcNotFound{"InvalidVpcID.NotFound", 400, "42704"};
inline constexpr ErrorKind kSubnetNotFound{"InvalidSubnetID.NotFound", 400, "42704"};
inline constexpr ErrorKind kInvalidParameter{"InvalidParameterValue", 400, "22023"};
inline constexpr ErrorKind kMissingParameter{"MissingParameter", 400, "22023"};
inline constexpr ErrorKind kInvalidCombination{"InvalidParameterCombination", 400, "22023"};
inline constexpr ErrorKind kUnsupported{"UnsupportedOperation", 400, "0A000"};
inline constexpr ErrorKind kDryRun{"DryRunOperation", 412, "22023"};

}  // namespace redoubt::network
