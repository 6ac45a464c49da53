#pragma once
/// What the CloudFormation API answers when it refuses. Source: AWS CloudFormation API Reference, "Common errors" and each
/// action. Almost everything that is wrong with a template or a request is a ValidationError; its message tells which.
#include "base/result.h"

namespace redoubt::stacks {

inline constexpr ErrorKind kValidation{"ValidationError", 400, "22023"};
inline constexpr ErrorKind kAlreadyExists{"AlreadyExistsException", 400, "42710"};
inline constexpr ErrorKind kInsufficientCapabilities{"InsufficientCapabilitiesException", 400, "22023"};
inline constexpr ErrorKind kLimitExceeded{"LimitExceededException", 400, "54000"};
inline constexpr ErrorKind kTokenAlreadyExists{"TokenAlreadyExistsException", 400, "22023"};
inline constexpr ErrorKind kChangeSetNotFound{"ChangeSetNotFound", 404, "42704"};
inline constexpr ErrorKind kInvalidChangeSetStatus{"InvalidChangeSetStatus", 400, "55000"};
inline constexpr ErrorKind kOperationInProgress{"OperationInProgressException", 400, "55006"};

inline std::unexpected<Error> invalid(std::string message) { return fail(kValidation, std::move(message)); }

}  // namespace redoubt::stacks
