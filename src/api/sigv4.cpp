#include "api/sigv4.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "api/codec.h"
#include "api/errors.h"
#include "api/sigv2.h"
#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::api::sigv4 {
namespace {

constexpr ErrorKind kNoDate{"AccessDenied", 403};  // S3
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr int64_t kSkewSeconds = 15 * 60;
constexpr int64_t kPresignedMax = 604800;
constexpr const char* kMismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing "
    "method. Consult the service documentation for details.";
constexpr const char* kS3Mismatch =
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.";

using Params = std::vector<std::pair<std::string, std::string>>;

const std::string* find(const Params& params, std::string_view name) {
  for (auto& [n, v] : params)
    if (n == name) return &v;
  return nullptr;
}

bool has_param(std::string_view raw_query, std::string_view name) {
  for (auto part : split(raw_query, '&'))
    if (part.substr(0, part.find('=')) == name) return true;
  return false;
}

bool is_hex64(std::string_view s) {
  return s.size() == 64 && std::all_of(s.begin(), s.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

/// AKID/20261124/us-east-1/s3/aws4_request. Access key ids have no '/'.
bool parse_scope(std::string_view text, Credential& out) {
  auto parts = split(text, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request") return false;
  for (auto p : parts)
    if (p.empty()) return false;
  if (parts[1].size() != 8 || !std::all_of(parts[1].begin(), parts[1].end(), is_digit)) return false;
  out.access_key_id = parts[0], out.date = parts[1], out.region = parts[2], out.service = parts[3];
  return true;
}

std::vector<std::string> parse_signed_headers(std::string_view text) {
  std::vector<std::string> out;
  for (auto name : split(text, ';')) out.push_back(to_lower(trim(name)));
  return out;
}

/// S3 says which part of the header is malformed; the other services list everything that is missing.
bool looks_like_s3(const RequestHead& head) {
  std::string_view authorization = head.headers.get("Authorization");
  return authorization.find("/s3/aws4_request") != authorization.npos ||
         (authorization.find("aws4_request") == authorization.npos && head.headers.has("x-amz-content-sha256"));
}

Result<Credential> parse_header(const RequestHead& head) {
  std::string_view authorization = trim(head.headers.get("Authorization"));
  bool s3 = looks_like_s3(head);
  if (s3 && !authorization.starts_with(kAlgorithm) && !authorization.starts_with("AWS ")) {
    bool two_words = authorization.find(' ') != authorization.npos;
    return fail(Error{&kInvalidArgument, two_words ? "Unsupported Authorization Type"
                                                   : "Authorization header is invalid -- one and only one ' ' (space) required"}
                    .with("ArgumentName", "Authorization")
                    .with("ArgumentValue", std::string(authorization.substr(0, authorization.find(' ')).substr(0, 64))));
  }
  if (!authorization.starts_with(kAlgorithm) || authorization.size() == kAlgorithm.size() ||
      authorization[kAlgorithm.size()] != ' ') {
    if (authorization.starts_with("AWS "))
      return fail(kInvalidRequest,
                  "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
    std::string word(authorization.substr(0, authorization.find(' ')).substr(0, 32));
    if (word.starts_with("AWS4-")) return fail(kIncompleteSignature, "Unsupported AWS 'algorithm': '" + word + "'.");
    return fail(kIncompleteSignature, "Authorization header requires the algorithm AWS4-HMAC-SHA256.");
  }
  Credential out;
  std::string_view credential, signed_headers, signature;
  for (auto part : split(authorization.substr(kAlgorithm.size() + 1), ',')) {
    part = trim(part);
    auto eq = part.find('=');
    if (eq == part.npos) continue;
    std::string_view name = part.substr(0, eq), value = part.substr(eq + 1);
    std::string_view* slot = name == "Credential"      ? &credential
                             : name == "SignedHeaders" ? &signed_headers
                             : name == "Signature"     ? &signature
                                                       : nullptr;
    if (!slot) continue;
    if (!slot->empty()) return fail(kIncompleteSignature, "Authorization header has '" + std::string(name) + "' twice.");
    *slot = value;
  }
  std::string lacking;
  if (credential.empty()) lacking += "Authorization header requires 'Credential' parameter. ";
  if (signature.empty()) lacking += "Authorization header requires 'Signature' parameter. ";
  if (signed_headers.empty()) lacking += "Authorization header requires 'SignedHeaders' parameter. ";
  std::string_view date = head.headers.get("X-Amz-Date");
  if (date.empty()) date = head.headers.get("Date");
  if (date.empty()) lacking += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  if (!lacking.empty()) {
    lacking.pop_back();
    if (s3) {
      auto part = credential.empty() ? "Credential" : signed_headers.empty() ? "SignedHeaders" : "Signature";
      if (credential.empty() || signed_headers.empty() || signature.empty())
        return fail(kAuthorizationHeaderMalformed, "The authorization header is malformed; missing " + std::string(part) + ".");
      return fail(kNoDate, "AWS authentication requires a valid Date or x-amz-date header");
    }
    return fail(kIncompleteSignature, lacking);
  }
  if (!parse_scope(credential, out)) {
    if (s3)
      return fail(kAuthorizationHeaderMalformed,
                  "The authorization header is malformed; the Credential is mal-formed; expecting "
                  "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    return fail(kIncompleteSignature,
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.");
  }
  auto signed_at = parse_amz_date(date);
  if (!signed_at) signed_at = parse_http_date(date);
  if (!signed_at && s3) return fail(kNoDate, "AWS authentication requires a valid Date or x-amz-date header");
  if (!signed_at)
    return fail(kIncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '" + std::string(date.substr(0, 64)) + "'.");
  out.signed_at = *signed_at;
  out.signed_headers = parse_signed_headers(signed_headers);
  out.signature = signature;
  out.session_token = head.headers.get("X-Amz-Security-Token");
  if (!is_hex64(out.signature)) return fail(kSignatureDoesNotMatch, out.service == "s3" ? kS3Mismatch : kMismatch);
  return out;
}

Result<Credential> parse_presigned(const RequestHead& head) {
  auto parsed = parse_form(head.raw_query());
  if (!parsed) return fail(kAuthorizationQueryParametersError, "Error parsing the query string.");
  const Params& params = *parsed;
  for (auto& [n, v] : params)
    if (n.starts_with("X-Amz-") && std::count_if(params.begin(), params.end(), [&](auto& p) { return p.first == n; }) > 1)
      return fail(kAuthorizationQueryParametersError, "The query parameter " + n.substr(0, 64) + " is given twice.");
  auto get = [&](std::string_view name) {
    auto* v = find(params, name);
    return v ? *v : std::string();
  };
  if (std::string algorithm = get("X-Amz-Algorithm"); algorithm != kAlgorithm)
    return fail(kAuthorizationQueryParametersError, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  Credential out;
  out.presigned = true;
  if (!parse_scope(get("X-Amz-Credential"), out))
    return fail(kAuthorizationQueryParametersError,
                "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
                "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  bool s3 = out.service == "s3";
  std::string signed_headers = get("X-Amz-SignedHeaders"), date = get("X-Amz-Date"), expires = get("X-Amz-Expires");
  out.signature = get("X-Amz-Signature");
  out.session_token = get("X-Amz-Security-Token");
  if (out.signature.empty() || signed_headers.empty() || date.empty() || (s3 && expires.empty()))
    return fail(
        kAuthorizationQueryParametersError,
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
        "X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  auto signed_at = parse_amz_date(date);
  if (!signed_at)
    return fail(kAuthorizationQueryParametersError, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  out.signed_at = *signed_at;
  out.signed_headers = parse_signed_headers(signed_headers);
  auto seconds = expires.empty() ? std::optional<int64_t>(kSkewSeconds) : parse_int(expires);
  if (!seconds) return fail(kAuthorizationQueryParametersError, "X-Amz-Expires should be a number");
  if (*seconds < 1) return fail(kAuthorizationQueryParametersError, "X-Amz-Expires must be non-negative");
  if (*seconds > kPresignedMax)
    return fail(
        kAuthorizationQueryParametersError,
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds");
  out.expires_s = *seconds;
  if (!is_hex64(out.signature)) return fail(kSignatureDoesNotMatch, s3 ? kS3Mismatch : kMismatch);
  return out;
}

/// S3 signs the path as it is (encoded once, whatever the client left unencoded); the others normalise dots and slashes and
/// encode what they see once more.
std::string canonical_path(std::string_view raw, bool s3) {
  if (s3) {
    auto decoded = url_decode(raw);
    return url_encode(decoded ? std::string_view(*decoded) : raw, true);
  }
  std::vector<std::string_view> kept;
  bool trailing = raw.ends_with("/") || raw.ends_with("/.") || raw.ends_with("/..");
  for (auto part : split(raw, '/')) {
    if (part == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!part.empty() && part != ".") {
      kept.push_back(part);
    }
  }
  std::string out;
  for (auto part : kept) out += "/" + url_encode(part);
  return out.empty() || trailing ? out + "/" : out;
}

std::string canonical_query(std::string_view raw, bool presigned) {
  Params pairs;
  for (auto part : split(raw, '&')) {
    if (part.empty()) continue;
    auto eq = part.find('=');
    std::string_view name = part.substr(0, eq), value = eq == part.npos ? std::string_view() : part.substr(eq + 1);
    auto normal = [](std::string_view s) {
      auto decoded = url_decode(s, true);
      return url_encode(decoded ? std::string_view(*decoded) : s);
    };
    std::string n = normal(name);
    if (presigned && n == "X-Amz-Signature") continue;
    pairs.emplace_back(std::move(n), normal(value));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (auto& [n, v] : pairs) out += (out.empty() ? "" : "&") + n + "=" + v;
  return out;
}

std::string collapsed(std::string_view value) {
  std::string out;
  for (char c : trim(value))
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  return out;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Host and every x-amz-* header that the request has must be under the signature: else anybody on the way could add one.
Result<void> check_signed_headers(const RequestHead& head, const Credential& c) {
  bool s3 = c.service == "s3";
  if (!contains(c.signed_headers, "host"))
    return s3 ? fail(kAccessDeniedUnsigned, "There were headers present in the request which were not signed")
              : fail(kSignatureDoesNotMatch, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  std::vector<std::string> unsigned_ones;
  for (auto& [name, value] : head.headers.all()) {
    std::string n = to_lower(name);
    if (!n.starts_with("x-amz-") || contains(c.signed_headers, n)) continue;
    if (c.presigned && n == "x-amz-content-sha256") continue;  // says nothing: the body is hashed and compared with it
    if (!s3) return fail(kSignatureDoesNotMatch, "'" + n + "' must be a 'SignedHeader' in the AWS Authorization.");
    unsigned_ones.push_back(std::move(n));
  }
  if (unsigned_ones.empty()) return {};
  std::sort(unsigned_ones.begin(), unsigned_ones.end());
  return fail(Error{&kAccessDeniedUnsigned, "There were headers present in the request which were not signed"}.with(
      "HeadersNotSigned", join(unsigned_ones, ", ")));
}

Result<void> check_time(const Credential& c, Timestamp now) {
  bool s3 = c.service == "s3";
  std::string signed_at = amz_date(c.signed_at);
  if (c.date != signed_at.substr(0, 8)) {
    if (s3)
      return fail(c.presigned ? kAuthorizationQueryParametersError : kAuthorizationHeaderMalformed,
                  "Invalid credential date \"" + c.date + "\". This date is not the same as X-Amz-Date: \"" +
                      signed_at.substr(0, 8) + "\".");
    return fail(kSignatureDoesNotMatch,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" + c.date +
                    "' != '" + signed_at.substr(0, 8) + "', from '" + signed_at + "'.");
  }
  if (c.presigned && s3) {
    if (c.signed_at > now.plus_seconds(kSkewSeconds)) return fail(kExpiredRequest, "Request is not yet valid");
    if (now > c.signed_at.plus_seconds(c.expires_s))
      return fail(Error{&kExpiredRequest, "Request has expired"}
                      .with("X-Amz-Expires", std::to_string(c.expires_s))
                      .with("Expires", iso8601(c.signed_at.plus_seconds(c.expires_s)))
                      .with("ServerTime", iso8601(now)));
    return {};
  }
  int64_t window = c.presigned ? c.expires_s : kSkewSeconds;
  bool early = c.signed_at > now.plus_seconds(kSkewSeconds), late = now > c.signed_at.plus_seconds(window);
  if (!early && !late) return {};
  if (s3)
    return fail(Error{&kRequestTimeTooSkewed, "The difference between the request time and the current time is too large."}
                    .with("RequestTime", signed_at)
                    .with("ServerTime", iso8601(now))
                    .with("MaxAllowedSkewMilliseconds", "900000"));
  std::string at = amz_date(now);
  if (late)
    return fail(kSignatureDoesNotMatch, "Signature expired: " + signed_at + " is now earlier than " +
                                            amz_date(now.plus_seconds(-window)) + " (" + at + " - " +
                                            std::to_string(window / 60) + " min.)");
  return fail(kSignatureDoesNotMatch, "Signature not yet current: " + signed_at + " is still later than " +
                                          amz_date(now.plus_seconds(kSkewSeconds)) + " (" + at + " + 15 min.)");
}

RequestHead head_of(const RequestParts& parts) {
  RequestHead head;
  head.method = parts.method;
  head.target = parts.path + (parts.query.empty() ? "" : "?" + parts.query);
  head.headers = parts.headers;
  return head;
}

}  // namespace

bool is_signed(const RequestHead& head) {
  if (head.headers.has("Authorization")) return true;
  std::string_view q = head.raw_query();
  for (auto name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "AWSAccessKeyId", "Signature"})
    if (has_param(q, name)) return true;
  return false;
}

Result<Credential> parse_credential(const RequestHead& head) {
  if (!is_signed(head)) return fail(kMissingAuthenticationToken, "Request is missing Authentication Token");
  std::string_view q = head.raw_query();
  bool presigned = has_param(q, "X-Amz-Algorithm") || has_param(q, "X-Amz-Credential") || has_param(q, "X-Amz-Signature");
  bool legacy = sigv2::is_presigned(head);
  size_t headers = std::count_if(head.headers.all().begin(), head.headers.all().end(),
                                 [](auto& f) { return iequals(f.first, "Authorization"); });
  if (headers + presigned + legacy > 1)
    return fail(
        kInvalidArgument,
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the "
        "Authorization header should be specified");
  if (headers) return parse_header(head);
  if (presigned) return parse_presigned(head);
  return sigv2::parse_presigned(head);
}

std::string canonical_request(const RequestHead& head, const Credential& c, std::string_view payload_hash) {
  std::string out = head.method + "\n" + canonical_path(head.raw_path(), c.service == "s3") + "\n" +
                    canonical_query(head.raw_query(), c.presigned) + "\n";
  for (auto& name : c.signed_headers) {
    out += name + ":";
    bool first = true;
    for (auto& [n, v] : head.headers.all()) {
      if (!iequals(n, name)) continue;
      if (!first) out += ",";
      first = false;
      out += collapsed(v);
    }
    out += "\n";
  }
  out += "\n" + join(c.signed_headers, ";") + "\n";
  return out.append(payload_hash);
}

std::string string_to_sign(const Credential& c, std::string_view canonical) {
  return std::string(kAlgorithm) + "\n" + amz_date(c.signed_at) + "\n" + c.scope() + "\n" + hex(crypto::sha256(canonical));
}

std::string signing_key(std::string_view secret, std::string_view date, std::string_view region, std::string_view service) {
  // Two generations: when the young one is full it becomes the old one, and what was there before is dropped.
  constexpr size_t kGeneration = 4096;
  static std::shared_mutex mutex;
  static std::unordered_map<std::string, std::string> young, old;
  std::string text;
  for (auto part : {secret, date, region, service}) text.append(std::to_string(part.size())).append(":").append(part);
  std::string id = crypto::sha256(text);
  {
    std::shared_lock lock(mutex);
    for (auto* generation : {&young, &old})
      if (auto it = generation->find(id); it != generation->end()) return it->second;
  }
  std::string key = crypto::hmac_sha256("AWS4" + std::string(secret), date);
  key = crypto::hmac_sha256(key, region);
  key = crypto::hmac_sha256(key, service);
  key = crypto::hmac_sha256(key, "aws4_request");
  std::unique_lock lock(mutex);
  if (young.size() >= kGeneration) old = std::exchange(young, {});
  young.emplace(std::move(id), key);
  return key;
}

Result<std::optional<std::string>> payload_hash_to_sign(const RequestHead& head, const Credential& c) {
  if (c.legacy) return std::string(kUnsignedPayload);
  if (c.service != "s3") return std::nullopt;
  bool is_signed_header = contains(c.signed_headers, "x-amz-content-sha256");
  if (c.presigned && !is_signed_header) return std::string(kUnsignedPayload);
  const std::string* value = head.headers.find("x-amz-content-sha256");
  if (!value) return fail(kInvalidRequest, "Missing required header for this request: x-amz-content-sha256");
  for (auto known : {kUnsignedPayload, kStreamingSigned, kStreamingSignedTrailer, kStreamingUnsignedTrailer})
    if (*value == known) return *value;
  if (is_hex64(*value)) return *value;
  return fail(Error{
      &kInvalidArgument,
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."}
                  .with("ArgumentName", "x-amz-content-sha256")
                  .with("ArgumentValue", value->substr(0, 128)));
}

Result<void> verify(const RequestHead& head, const Credential& c, std::string_view secret, std::string_view payload_hash,
                    Timestamp now) {
  if (c.legacy) return sigv2::verify(head, c, secret, now);
  TRY_VOID(check_time(c, now));
  TRY_VOID(check_signed_headers(head, c));
  std::string to_sign = string_to_sign(c, canonical_request(head, c, payload_hash));
  std::string wanted = hex(crypto::hmac_sha256(signing_key(secret, c.date, c.region, c.service), to_sign));
  if (!crypto::constant_time_equal(wanted, c.signature))
    return fail(kSignatureDoesNotMatch, c.service == "s3" ? kS3Mismatch : kMismatch);
  return {};
}

void sign(RequestParts& parts, std::string_view host, const Identity& identity, const SignOptions& options) {
  Credential c;
  c.access_key_id = identity.access_key_id;
  c.region = options.region, c.service = options.service, c.signed_at = options.now;
  c.date = amz_date(options.now).substr(0, 8);
  std::string payload_hash = options.payload_hash.empty() ? hex(crypto::sha256(parts.body)) : options.payload_hash;
  parts.headers.set("Host", std::string(host));
  parts.headers.set("X-Amz-Date", amz_date(options.now));
  if (!identity.session_token.empty()) parts.headers.set("X-Amz-Security-Token", identity.session_token);
  if (options.service == "s3") parts.headers.set("X-Amz-Content-Sha256", payload_hash);
  for (auto& [n, v] : parts.headers.all()) {
    std::string name = to_lower(n);
    if (name == "user-agent" || name == "expect" || name == "connection" || contains(c.signed_headers, name)) continue;
    c.signed_headers.push_back(std::move(name));
  }
  std::sort(c.signed_headers.begin(), c.signed_headers.end());
  std::string to_sign = string_to_sign(c, canonical_request(head_of(parts), c, payload_hash));
  std::string signature = hex(crypto::hmac_sha256(signing_key(identity.secret_access_key, c.date, c.region, c.service), to_sign));
  parts.headers.set("Authorization", std::string(kAlgorithm) + " Credential=" + c.access_key_id + "/" + c.scope() +
                                         ", SignedHeaders=" + join(c.signed_headers, ";") + ", Signature=" + signature);
}

void presign(RequestParts& parts, std::string_view host, const Identity& identity, const SignOptions& options,
             int64_t expires_s) {
  Credential c;
  c.presigned = true;
  c.access_key_id = identity.access_key_id;
  c.region = options.region, c.service = options.service, c.signed_at = options.now;
  c.date = amz_date(options.now).substr(0, 8);
  parts.headers.set("Host", std::string(host));
  for (auto& [n, v] : parts.headers.all())
    if (std::string name = to_lower(n); !contains(c.signed_headers, name)) c.signed_headers.push_back(std::move(name));
  std::sort(c.signed_headers.begin(), c.signed_headers.end());
  auto add = [&](std::string_view name, std::string_view value) {
    parts.query += (parts.query.empty() ? "" : "&") + std::string(name) + "=" + url_encode(value);
  };
  add("X-Amz-Algorithm", kAlgorithm);
  add("X-Amz-Credential", c.access_key_id + "/" + c.scope());
  add("X-Amz-Date", amz_date(options.now));
  add("X-Amz-Expires", std::to_string(expires_s));
  if (!identity.session_token.empty()) add("X-Amz-Security-Token", identity.session_token);
  add("X-Amz-SignedHeaders", join(c.signed_headers, ";"));
  std::string payload_hash = !options.payload_hash.empty() ? options.payload_hash
                             : options.service == "s3"     ? std::string(kUnsignedPayload)
                                                           : hex(crypto::sha256(parts.body));
  std::string to_sign = string_to_sign(c, canonical_request(head_of(parts), c, payload_hash));
  add("X-Amz-Signature", hex(crypto::hmac_sha256(signing_key(identity.secret_access_key, c.date, c.region, c.service), to_sign)));
}

}  // namespace redoubt::api::sigv4
