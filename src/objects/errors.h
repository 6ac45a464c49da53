#pragma once
/// What S3 answers when it refuses. Source: S3 API Reference, "Error responses".
#include "base/result.h"

namespace redoubt::objects {

inline constexpr ErrorKind kAccessDenied{"AccessDenied", 403, "42501"};
inline constexpr ErrorKind kNoSuchBucket{"NoSuchBucket", 404, "42704"};
inline constexpr ErrorKind kNoSuchKey{"NoSuchKey", 404, "42704"};
inline constexpr ErrorKind kNoSuchVersion{"NoSuchVersion", 404, "42704"};
inline constexpr ErrorKind kNoSuchUpload{"NoSuchUpload", 404, "42704"};
inline constexpr ErrorKind kNotFound{"NotFound", 404, "42704"};
inline constexpr ErrorKind kMethodNotAllowed{"MethodNotAllowed", 405, "0A000"};
inline constexpr ErrorKind kBucketAlreadyExists{"BucketAlreadyExists", 409, "42710"};
inline constexpr ErrorKind kBucketAlreadyOwnedByYou{"BucketAlreadyOwnedByYou", 409, "42710"};
inline constexpr ErrorKind kBucketNotEmpty{"BucketNotEmpty", 409, "55006"};
inline constexpr ErrorKind kInvalidBucketName{"InvalidBucketName", 400, "22023"};
inline constexpr ErrorKind kInvalidArgument{"InvalidArgument", 400, "22023"};
inline constexpr ErrorKind kInvalidRequest{"InvalidRequest", 400, "22023"};
inline constexpr ErrorKind kInvalidLocation{"InvalidLocationConstraint", 400, "22023"};
inline constexpr ErrorKind kIllegalLocation{"IllegalLocationConstraintException", 400, "22023"};
inline constexpr ErrorKind kAuthorizationHeaderMalformed{"AuthorizationHeaderMalformed", 400, "22023"};
inline constexpr ErrorKind kInvalidRange{"InvalidRange", 416, "22023"};
inline constexpr ErrorKind kPreconditionFailed{"PreconditionFailed", 412, "55000"};
inline constexpr ErrorKind kNotModified{"NotModified", 304, "55000"};
inline constexpr ErrorKind kConditionalConflict{"ConditionalRequestConflict", 409, "55000"};
inline constexpr ErrorKind kOperationAborted{"OperationAborted", 409, "55000"};
inline constexpr ErrorKind kMalformedPolicy{"MalformedPolicy", 400, "22023"};
inline constexpr ErrorKind kPolicyTooLarge{"PolicyTooLarge", 400, "54000"};
inline constexpr ErrorKind kNoSuchBucketPolicy{"NoSuchBucketPolicy", 404, "42704"};
inline constexpr ErrorKind kNoSuchTagSet{"NoSuchTagSet", 404, "42704"};
inline constexpr ErrorKind kNoSuchPublicAccessBlock{"NoSuchPublicAccessBlockConfiguration", 404, "42704"};
inline constexpr ErrorKind kNoOwnershipControls{"OwnershipControlsNotFoundError", 404, "42704"};
inline constexpr ErrorKind kNoEncryption{"ServerSideEncryptionConfigurationNotFoundError", 404, "42704"};
inline constexpr ErrorKind kNoLifecycle{"NoSuchLifecycleConfiguration", 404, "42704"};
inline constexpr ErrorKind kNoCors{"NoSuchCORSConfiguration", 404, "42704"};
inline constexpr ErrorKind kNoWebsite{"NoSuchWebsiteConfiguration", 404, "42704"};
inline constexpr ErrorKind kNoReplication{"ReplicationConfigurationNotFoundError", 404, "42704"};
inline constexpr ErrorKind kNoObjectLock{"ObjectLockConfigurationNotFoundError", 404, "42704"};
inline constexpr ErrorKind kInvalidTargetBucket{"InvalidTargetBucketForLogging", 400, "22023"};
inline constexpr ErrorKind kAclNotSupported{"AccessControlListNotSupported", 400, "0A000"};
inline constexpr ErrorKind kInvalidAclWithOwnership{"InvalidBucketAclWithObjectOwnership", 400, "22023"};
inline constexpr ErrorKind kInvalidTag{"InvalidTag", 400, "22023"};
inline constexpr ErrorKind kBadTagCount{"BadRequest", 400, "22023"};
inline constexpr ErrorKind kInvalidPart{"InvalidPart", 400, "22023"};
inline constexpr ErrorKind kInvalidPartOrder{"InvalidPartOrder", 400, "22023"};
inline constexpr ErrorKind kEntityTooSmall{"EntityTooSmall", 400, "22023"};
inline constexpr ErrorKind kEntityTooLarge{"EntityTooLarge", 400, "54000"};
inline constexpr ErrorKind kKeyTooLong{"KeyTooLongError", 400, "54000"};
inline constexpr ErrorKind kMetadataTooLarge{"MetadataTooLarge", 400, "54000"};
inline constexpr ErrorKind kInvalidStorageClass{"InvalidStorageClass", 400, "22023"};
inline constexpr ErrorKind kInvalidRedirect{"InvalidRedirectLocation", 400, "22023"};
inline constexpr ErrorKind kInvalidPartNumber{"InvalidPartNumber", 416, "22023"};
inline constexpr ErrorKind kPublicAclBlocked{"InvalidBucketAclWithBlockPublicAccessError", 400, "22023"};
inline constexpr ErrorKind kMalformedAcl{"MalformedACLError", 400, "22023"};
inline constexpr ErrorKind kUnexpectedContent{"UnexpectedContent", 400, "22023"};
inline constexpr ErrorKind kMissingSecurityHeader{"MissingSecurityHeader", 400, "22023"};
inline constexpr ErrorKind kMalformedXml{"MalformedXML", 400, "22023"};
inline constexpr ErrorKind kTooManyBuckets{"TooManyBuckets", 400, "54000"};
inline constexpr ErrorKind kInvalidBucketState{"InvalidBucketState", 409, "55000"};
inline constexpr ErrorKind kBadDigest{"BadDigest", 400, "22023"};
inline constexpr ErrorKind kNotImplemented{"NotImplemented", 501, "0A000"};
// What KMS refused, in S3's words.
inline constexpr ErrorKind kKmsDisabled{"KMS.DisabledException", 400, "55000"};
inline constexpr ErrorKind kKmsNotFound{"KMS.NotFoundException", 400, "42704"};
inline constexpr ErrorKind kKmsInvalidState{"KMS.KMSInvalidStateException", 400, "55000"};
inline constexpr ErrorKind kKmsInvalidKeyUsage{"KMS.InvalidKeyUsageException", 400, "22023"};

}  // namespace redoubt::objects
