#pragma once
/// Who sends an HTTP request, and to which service, from its head alone. The signature of S3 requests is checked here; of other
/// services only once the body is there, because it covers the body's hash. Sources: IAM User Guide, "Signature Version 4"; S3
/// API Reference, "Authenticating Requests".
#include <optional>
#include <string>

#include "access/directory.h"
#include "api/errors.h"
#include "api/http.h"
#include "api/shape.h"
#include "api/sigv4.h"

namespace redoubt::access {

struct Authenticated {
  const api::ServiceShape* service = nullptr;  // null: unsigned query request whose Action (in the body) decides
  CallerPtr caller;                            // anonymous when unsigned
  std::optional<api::sigv4::Credential> credential;
  std::string secret;
  std::optional<std::string> payload_hash;  // what the signature covers; nullopt: the body's own hash, still to be checked
  std::string region;
};

/// The service a request addresses, known before (and without) a valid signature: for errors in that service's shape. Credential
/// scope, X-Amz-Target, form body or Action parameter, else S3.
const api::ServiceShape* addressed_service(const api::RequestHead& head, const std::optional<api::sigv4::Credential>& credential);

/// Errors: those of parse_credential, find_key and verify, named as `addressed_service` names them.
Result<Authenticated> authenticate(const api::RequestHead& head, Directory& directory, Timestamp now,
                                   std::string_view default_region);

/// The signature over a body that has arrived.
Result<void> verify_body(const api::RequestHead& head, const Authenticated& who, std::string_view body, Timestamp now);

/// An authentication error of ours under the code and text that the service's clients look for: InvalidAccessKeyId and 400
/// ExpiredToken in S3, UnrecognizedClientException and ExpiredTokenException in JSON services. Others come back unchanged.
Error named_for(const api::ServiceShape& service, Error error);

}  // namespace redoubt::access
