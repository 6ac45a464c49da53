#pragma once
/// AWS Signature Version 4: reading, verifying and making signatures, in the Authorization header and in presigned URLs.
/// Source: IAM User Guide "Create a signed AWS API request"; S3 API Reference "Authenticating Requests (AWS Signature Version
/// 4)".
///
///   TRY(auto credential, sigv4::parse_credential(head));          // who claims to sign, for which service and region
///   .. the directory finds the secret of credential.access_key_id ..
///   TRY_VOID(sigv4::verify(head, credential, secret, payload_hash, now));
///
/// What the signature must cover: Host and every x-amz-* header that is there (else a header could be added to a signed request).
/// Secrets and computed signatures reach no message and no log. Threads: any; the cache of signing keys has its own lock.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"
#include "base/clock.h"
#include "base/result.h"

namespace redoubt::api {
struct RequestParts;
}

namespace redoubt::api::sigv4 {

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kStreamingSigned = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view kStreamingSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
inline constexpr std::string_view kStreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
inline constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct Credential {
  std::string access_key_id;
  std::string date;  // 20261124
  std::string region, service;
  std::vector<std::string> signed_headers;  // lower case, as listed
  std::string signature;                    // 64 hex digits
  std::string session_token;                // x-amz-security-token; "" without
  bool presigned = false;
  bool legacy = false;    // signature version 2 (sigv2.h): no date, no region, no signed_headers
  Timestamp signed_at;    // X-Amz-Date or Date
  int64_t expires_s = 0;  // presigned: X-Amz-Expires
  Timestamp expires_at;   // legacy: Expires

  std::string scope() const { return date + "/" + region + "/" + service + "/aws4_request"; }
};

/// Whether the request carries anything that looks like a signature. Without: anonymous.
bool is_signed(const RequestHead& head);

/// Errors: kMissingAuthenticationToken (nothing there), kIncompleteSignature naming what is missing; for S3 (the scope's service,
/// or nothing parseable) kAuthorizationHeaderMalformed and kAuthorizationQueryParametersError. Other algorithms (AWS4-ECDSA..,
/// AWS signature version 2 in a header) are refused by name; presigned URLs of version 2 come back as `legacy`.
Result<Credential> parse_credential(const RequestHead& head);

/// Header signatures: `payload_sha256_hex` is the hash of the body as received; for S3 it is compared with what
/// x-amz-content-sha256 says by whoever reads the body, and here must be that header's value. Presigned: pass kUnsignedPayload
/// (S3) or the body's hash. payload_hash_to_sign(head, credential) tells which when the body isn't read yet. Errors:
/// kSignatureDoesNotMatch (also "Signature expired: .." and "Signature not yet current: .." beyond 15 minutes),
/// kRequestTimeTooSkewed and kExpiredRequest for S3.
Result<void> verify(const RequestHead& head, const Credential& credential, std::string_view secret,
                    std::string_view payload_sha256_hex, Timestamp now);

/// S3: the value of x-amz-content-sha256 (or UNSIGNED-PAYLOAD when presigned without it). Others: nullopt, the body must be
/// hashed first. Errors: S3 without the header kInvalidRequest; a value that is neither a hash nor a known word kInvalidArgument.
Result<std::optional<std::string>> payload_hash_to_sign(const RequestHead& head, const Credential& credential);

/// The derived key, cached by (secret, date, region, service); at most a few thousand, the oldest go.
std::string signing_key(std::string_view secret, std::string_view date, std::string_view region, std::string_view service);

/// For tests and error texts: what is signed.
std::string canonical_request(const RequestHead& head, const Credential& credential, std::string_view payload_hash);
std::string string_to_sign(const Credential& credential, std::string_view canonical_request);

/// Client side.
struct Identity {
  std::string access_key_id, secret_access_key, session_token;
};
struct SignOptions {
  std::string region, service;
  Timestamp now;
  /// "": the hash of parts.body. Otherwise put into x-amz-content-sha256 as is.
  std::string payload_hash;
};
/// Adds Host, X-Amz-Date, X-Amz-Security-Token, (S3) X-Amz-Content-Sha256 and Authorization.
void sign(RequestParts& parts, std::string_view host, const Identity& identity, const SignOptions& options);
/// Adds the X-Amz-* parameters to parts.query; `expires_s` 1 to 604800.
void presign(RequestParts& parts, std::string_view host, const Identity& identity, const SignOptions& options, int64_t expires_s);

}  // namespace redoubt::api::sigv4
