#pragma once
/// What IAM, STS and Organizations answer with. Sources: their API References, "Errors" of each action.
#include "access/errors.h"
#include "base/result.h"

namespace redoubt::identity {

// IAM                                  code                    HTTP
inline constexpr ErrorKind kNoSuchEntity{"NoSuchEntity", 404};
inline constexpr ErrorKind kEntityAlreadyExists{"EntityAlreadyExists", 409};
inline constexpr ErrorKind kDeleteConflict{"DeleteConflict", 409};
inline constexpr ErrorKind kLimitExceeded{"LimitExceeded", 409};
inline constexpr ErrorKind kInvalidInput{"InvalidInput", 400};
inline constexpr ErrorKind kMalformedPolicyDocument{"MalformedPolicyDocument", 400};
inline constexpr ErrorKind kValidationError{"ValidationError", 400};
inline constexpr ErrorKind kPolicyEvaluation{"PolicyEvaluation", 500};

// STS
inline constexpr ErrorKind kInvalidParameterValue{"InvalidParameterValue", 400};
inline constexpr ErrorKind kPackedPolicyTooLarge{"PackedPolicyTooLarge", 400};
inline constexpr ErrorKind kInvalidAuthorizationMessage{"InvalidAuthorizationMessageException", 400};

// Organizations
inline constexpr ErrorKind kAlreadyInOrganization{"AlreadyInOrganizationException", 400};
inline constexpr ErrorKind kOrganizationsNotInUse{"AWSOrganizationsNotInUseException", 400};
inline constexpr ErrorKind kOrgAccountNotFound{"AccountNotFoundException", 400};
inline constexpr ErrorKind kCreateAccountStatusNotFound{"CreateAccountStatusNotFoundException", 400};
inline constexpr ErrorKind kTargetNotFound{"TargetNotFoundException", 400};
inline constexpr ErrorKind kParentNotFound{"ParentNotFoundException", 400};
inline constexpr ErrorKind kChildNotFound{"ChildNotFoundException", 400};
inline constexpr ErrorKind kSourceParentNotFound{"SourceParentNotFoundException", 400};
inline constexpr ErrorKind kDestinationParentNotFound{"DestinationParentNotFoundException", 400};
inline constexpr ErrorKind kRootNotFound{"RootNotFoundException", 400};
inline constexpr ErrorKind kOuNotFound{"OrganizationalUnitNotFoundException", 400};
inline constexpr ErrorKind kOuNotEmpty{"OrganizationalUnitNotEmptyException", 400};
inline constexpr ErrorKind kDuplicateOu{"DuplicateOrganizationalUnitException", 400};
inline constexpr ErrorKind kDuplicateAccount{"DuplicateAccountException", 400};
inline constexpr ErrorKind kOrgPolicyNotFound{"PolicyNotFoundException", 400};
inline constexpr ErrorKind kPolicyInUse{"PolicyInUseException", 400};
inline constexpr ErrorKind kDuplicatePolicy{"DuplicatePolicyException", 400};
inline constexpr ErrorKind kDuplicateAttachment{"DuplicatePolicyAttachmentException", 400};
inline constexpr ErrorKind kPolicyNotAttached{"PolicyNotAttachedException", 400};
inline constexpr ErrorKind kPolicyTypeNotEnabled{"PolicyTypeNotEnabledException", 400};
inline constexpr ErrorKind kPolicyTypeAlreadyEnabled{"PolicyTypeAlreadyEnabledException", 400};
inline constexpr ErrorKind kOrgMalformedPolicy{"MalformedPolicyDocumentException", 400};
inline constexpr ErrorKind kConstraintViolation{"ConstraintViolationException", 400};
inline constexpr ErrorKind kOrgInvalidInput{"InvalidInputException", 400};
inline constexpr ErrorKind kMasterCannotLeave{"MasterCannotLeaveOrganizationException", 400};
inline constexpr ErrorKind kOrganizationNotEmpty{"OrganizationNotEmptyException", 400};
inline constexpr ErrorKind kUnsupportedEndpoint{"UnsupportedAPIEndpointException", 400};

}  // namespace redoubt::identity
