#pragma once
/// What a request can be refused with before any service sees it. Codes differ by protocol for one condition; the codec picks.
/// Sources: AWS "Common Errors" of each service's API Reference; S3 API Reference "Error responses"; Smithy protocol documents.
#include "base/result.h"

namespace redoubt::api {

// Reading the request.
inline constexpr ErrorKind kValidation{"ValidationException", 400};     // json, rest-json
inline constexpr ErrorKind kValidationError{"ValidationError", 400};    // query
inline constexpr ErrorKind kMissingParameter{"MissingParameter", 400};  // ec2, redshift
inline constexpr ErrorKind kInvalidParameterValue{"InvalidParameterValue", 400};
inline constexpr ErrorKind kSerialization{"SerializationException", 400};  // json
inline constexpr ErrorKind kMalformedInput{"MalformedInput", 400};         // query: a value of the wrong type
inline constexpr ErrorKind kMalformedQueryString{"MalformedQueryString", 400};
inline constexpr ErrorKind kMalformedXml{"MalformedXML", 400};
inline constexpr ErrorKind kInvalidUri{"InvalidURI", 400};
inline constexpr ErrorKind kInvalidArgument{"InvalidArgument", 400};  // S3: a header or query parameter of the wrong type
inline constexpr ErrorKind kInvalidRequest{"InvalidRequest", 400};
inline constexpr ErrorKind kMissingRequestBody{"MissingRequestBodyError", 400};

// Which operation.
inline constexpr ErrorKind kInvalidAction{"InvalidAction", 400};
inline constexpr ErrorKind kMissingAction{"MissingAction", 400};
inline constexpr ErrorKind kUnknownOperation{"UnknownOperationException", 400};
inline constexpr ErrorKind kMethodNotAllowed{"MethodNotAllowed", 405};
inline constexpr ErrorKind kNotImplemented{"NotImplemented", 501};

// Signatures.
inline constexpr ErrorKind kMissingAuthenticationToken{"MissingAuthenticationToken", 403};
inline constexpr ErrorKind kIncompleteSignature{"IncompleteSignature", 400};
inline constexpr ErrorKind kSignatureDoesNotMatch{"SignatureDoesNotMatch", 403};
inline constexpr ErrorKind kRequestTimeTooSkewed{"RequestTimeTooSkewed", 403};                            // S3
inline constexpr ErrorKind kAuthorizationHeaderMalformed{"AuthorizationHeaderMalformed", 400};            // S3
inline constexpr ErrorKind kAuthorizationQueryParametersError{"AuthorizationQueryParametersError", 400};  // S3
inline constexpr ErrorKind kExpiredRequest{"AccessDenied", 403};        // S3: "Request has expired"
inline constexpr ErrorKind kAccessDeniedUnsigned{"AccessDenied", 403};  // S3: x-amz-* headers outside the signature
inline constexpr ErrorKind kContentSha256Mismatch{"XAmzContentSHA256Mismatch", 400};

// Bodies.
inline constexpr ErrorKind kMissingContentLength{"MissingContentLength", 411};
inline constexpr ErrorKind kIncompleteBody{"IncompleteBody", 400};
inline constexpr ErrorKind kInvalidChunkSize{"InvalidChunkSizeError", 403};
inline constexpr ErrorKind kMalformedTrailer{"MalformedTrailerError", 400};
inline constexpr ErrorKind kEntityTooLarge{"EntityTooLarge", 400};
inline constexpr ErrorKind kBadDigest{"BadDigest", 400};
inline constexpr ErrorKind kInvalidDigest{"InvalidDigest", 400};
inline constexpr ErrorKind kRequestEntityTooLarge{"RequestEntityTooLargeException", 413};

}  // namespace redoubt::api
