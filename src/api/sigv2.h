#pragma once
/// AWS Signature Version 2 in presigned S3 URLs: what the SDKs' generate_presigned_url still makes by default in us-east-1.
/// Source: S3 API Reference, "Authenticating requests using the REST API (AWS signature version 2)", query string
/// authentication. Only GET/PUT/.. URLs: a version 2 Authorization header is refused, as AWS refuses it for newer buckets.
///
/// Stricter than AWS: this version signs only some query parameters, and one that it doesn't sign (prefix, list-type ..) is
/// refused, because anybody on the way could change it.
#include "api/sigv4.h"

namespace redoubt::api::sigv2 {

/// Whether the query carries AWSAccessKeyId or Signature.
bool is_presigned(const RequestHead& head);

/// The credential: `legacy` and `presigned` are set, region is "" (version 2 has none), expires_at is Expires. Errors:
/// kAccessDeniedUnsigned naming what lacks or isn't signed, kInvalidArgument.
Result<sigv4::Credential> parse_presigned(const RequestHead& head);

/// Errors: kExpiredRequest, kSignatureDoesNotMatch.
Result<void> verify(const RequestHead& head, const sigv4::Credential& credential, std::string_view secret, Timestamp now);

/// For tests: what is signed, and what comes of it.
std::string signature(std::string_view secret, std::string_view string_to_sign);
Result<std::string> string_to_sign(const RequestHead& head);

}  // namespace redoubt::api::sigv2
