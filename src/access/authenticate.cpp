#include "access/authenticate.h"

#include "api/services.h"
#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::access {

namespace sigv4 = api::sigv4;

namespace {
// Names of conditions above in other protocols. Sources: Common Errors of each API Reference; S3 Error responses.
constexpr ErrorKind kS3InvalidAccessKeyId{"InvalidAccessKeyId", 403, "28000"};
constexpr ErrorKind kS3InvalidToken{"InvalidToken", 400, "28000"};
constexpr ErrorKind kS3ExpiredToken{"ExpiredToken", 400, "28000"};
constexpr ErrorKind kUnrecognizedClient{"UnrecognizedClientException", 400, "28000"};
constexpr ErrorKind kExpiredTokenException{"ExpiredTokenException", 400, "28000"};
constexpr ErrorKind kInvalidSignature{"InvalidSignatureException", 400, "28000"};
constexpr ErrorKind kMissingTokenException{"MissingAuthenticationTokenException", 400, "28000"};
constexpr ErrorKind kIncompleteSignatureException{"IncompleteSignatureException", 400, "28000"};
constexpr ErrorKind kThrottlingException{"ThrottlingException", 400, "53000"};
constexpr ErrorKind kEc2AuthFailure{"AuthFailure", 401, "28000"};
constexpr ErrorKind kRequestExpired{"RequestExpired", 400, "28000"};

bool is_s3(const api::ServiceShape& service) { return service.name == "s3"; }

/// us-east-1, eu-central-2, us-gov-west-1: what a credential scope may say. Which regions exist isn't judged: services know.
bool looks_like_region(std::string_view r) {
  auto parts = split(r, '-');
  if (parts.size() < 3 || parts.size() > 4 || parts[0].size() != 2 || parts.back().size() > 2 || !parse_int(parts.back()))
    return false;
  for (char c : r)
    if (!((c >= 'a' && c <= 'z') || is_digit(c) || c == '-')) return false;
  return true;
}

bool is_form(const api::RequestHead& head) {
  return head.headers.get("Content-Type").starts_with("application/x-www-form-urlencoded");
}
bool has_action(std::string_view raw_query) {
  for (auto pair : split(raw_query, '&'))
    if (pair.starts_with("Action=")) return true;
  return false;
}

}  // namespace

const api::ServiceShape* addressed_service(const api::RequestHead& head, const std::optional<sigv4::Credential>& credential) {
  if (credential) return api::find_service(credential->service);
  if (std::string_view target = head.headers.get("X-Amz-Target"); !target.empty()) {
    std::string_view prefix = target.substr(0, target.find('.'));
    for (auto* service : api::services())
      if (!service->target_prefix.empty() && service->target_prefix == prefix) return service;
  }
  // Unsigned query requests are for STS: nothing else takes them.
  if (head.raw_path() == "/" && ((head.method == "POST" && is_form(head)) || has_action(head.raw_query())))
    return api::find_service("sts");
  return api::find_service("s3");
}

Result<Authenticated> authenticate(const api::RequestHead& head, Directory& directory, Timestamp now,
                                   std::string_view default_region) {
  Authenticated out;
  if (!sigv4::is_signed(head)) {
    out.service = addressed_service(head, std::nullopt);
    out.caller = anonymous_caller();
    out.region = default_region;
    bool unsigned_possible = is_s3(*out.service) || out.service->name == "sts";
    if (!unsigned_possible)
      return fail(named_for(*out.service, {&kMissingAuthenticationToken, "Request is missing Authentication Token"}));
    return out;
  }
  TRY(out.credential, sigv4::parse_credential(head));
  const sigv4::Credential& credential = *out.credential;
  out.service = addressed_service(head, out.credential);
  if (!out.service)
    return fail(kSignatureDoesNotMatch, "Credential should be scoped to a valid service, not '" + credential.service + "'.");
  if (!credential.legacy && !looks_like_region(credential.region))
    return fail(named_for(*out.service, {&kSignatureDoesNotMatch,
                                         "Credential should be scoped to a valid region, not '" + credential.region + "'."}));
  out.region = credential.legacy ? default_region : credential.region;
  auto key = directory.find_key(credential.access_key_id, credential.session_token, now);
  if (!key && is_s3(*out.service) && key.error().is(kInvalidClientTokenId) && !credential.session_token.empty())
    return fail(kS3InvalidToken, "The provided token is malformed or otherwise invalid.");
  if (!key) {
    Error refused = named_for(*out.service, std::move(key).error());
    if (refused.is(kS3InvalidAccessKeyId)) refused = std::move(refused).with("AWSAccessKeyId", credential.access_key_id);
    return fail(std::move(refused));
  }
  out.secret = std::move(key->secret);
  out.caller = std::move(key->caller);
  TRY(out.payload_hash, sigv4::payload_hash_to_sign(head, credential));
  if (out.payload_hash) {
    if (auto ok = sigv4::verify(head, credential, out.secret, *out.payload_hash, now); !ok)
      return fail(named_for(*out.service, std::move(ok).error()));
  }
  return out;
}

Result<void> verify_body(const api::RequestHead& head, const Authenticated& who, std::string_view body, Timestamp now) {
  if (!who.credential || who.payload_hash) return {};
  if (auto ok = sigv4::verify(head, *who.credential, who.secret, hex(crypto::sha256(body)), now); !ok)
    return fail(named_for(*who.service, std::move(ok).error()));
  return {};
}

Error named_for(const api::ServiceShape& service, Error error) {
  bool json = service.protocol == api::Protocol::json || service.protocol == api::Protocol::rest_json;
  auto as = [&](const ErrorKind& kind, std::string_view text = {}) {
    error.kind = &kind;
    if (!text.empty()) error.message = text;
  };
  if (is_s3(service)) {
    if (error.is(kInvalidClientTokenId))
      as(kS3InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records.");
    else if (error.is(kExpiredToken))
      as(kS3ExpiredToken, "The provided token has expired.");
  } else if (json) {
    if (error.is(kInvalidClientTokenId))
      as(kUnrecognizedClient);
    else if (error.is(kExpiredToken))
      as(kExpiredTokenException);
    else if (error.is(kSignatureDoesNotMatch))
      as(kInvalidSignature);
    else if (error.is(kMissingAuthenticationToken))
      as(kMissingTokenException);
    else if (error.is(api::kIncompleteSignature))
      as(kIncompleteSignatureException);
    else if (error.is(kThrottling))
      as(kThrottlingException);
  } else if (service.protocol == api::Protocol::ec2) {
    if (error.is(kInvalidClientTokenId))
      as(kEc2AuthFailure, "AWS was not able to validate the provided access credentials");
    else if (error.is(kExpiredToken))
      as(kRequestExpired, "Request has expired.");
  }
  return error;
}

}  // namespace redoubt::access
