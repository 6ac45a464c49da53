#include "api/sigv2.h"

#include <algorithm>
#include <map>

#include "api/codec.h"
#include "api/errors.h"
#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::api::sigv2 {
namespace {

using Params = std::vector<std::pair<std::string, std::string>>;

/// The parameters that CanonicalizedResource holds. Source: the page above, and botocore's HmacV1Auth.
constexpr std::string_view kSigned[] = {"accelerate",
                                        "acl",
                                        "analytics",
                                        "cors",
                                        "delete",
                                        "inventory",
                                        "lifecycle",
                                        "location",
                                        "logging",
                                        "metrics",
                                        "notification",
                                        "object-lock",
                                        "partNumber",
                                        "policy",
                                        "replication",
                                        "requestPayment",
                                        "response-cache-control",
                                        "response-content-disposition",
                                        "response-content-encoding",
                                        "response-content-language",
                                        "response-content-type",
                                        "response-expires",
                                        "restore",
                                        "select",
                                        "select-type",
                                        "storageClass",
                                        "tagging",
                                        "torrent",
                                        "uploadId",
                                        "uploads",
                                        "versionId",
                                        "versioning",
                                        "versions",
                                        "website"};
constexpr std::string_view kOwn[] = {"AWSAccessKeyId", "Signature", "Expires"};
// Headers that a client put into the URL instead; they are signed as if they were headers.
constexpr std::string_view kMoved[] = {"x-amz-security-token", "content-type", "content-md5"};

template <size_t N>
bool one_of(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

/// RFC 2104. Nothing else here needs this hash, and nothing new should.
std::string hmac_sha1(std::string_view key, std::string_view data) {
  std::string inner = key.size() > 64 ? crypto::sha1(key) : std::string(key);
  inner.resize(64, '\0');
  std::string outer = inner;
  for (char& c : inner) c ^= 0x36;
  for (char& c : outer) c ^= 0x5c;
  return crypto::sha1(outer + crypto::sha1(inner.append(data)));
}

Result<Params> params_of(const RequestHead& head) {
  auto parsed = parse_form(head.raw_query());
  if (!parsed) return fail(kInvalidArgument, "Error parsing the query string.");
  return std::move(*parsed);
}

std::string value_of(const Params& params, std::string_view name) {
  for (auto& [n, v] : params)
    if (n == name) return v;
  return {};
}

}  // namespace

bool is_presigned(const RequestHead& head) {
  for (auto part : split(head.raw_query(), '&'))
    if (auto name = part.substr(0, part.find('=')); name == "AWSAccessKeyId" || name == "Signature") return true;
  return false;
}

Result<sigv4::Credential> parse_presigned(const RequestHead& head) {
  TRY(Params params, params_of(head));
  for (auto& [name, value] : params) {
    if (std::count_if(params.begin(), params.end(), [&](auto& p) { return p.first == name; }) > 1)
      return fail(kInvalidArgument, "The query parameter " + name.substr(0, 64) + " is given twice.");
    if (!one_of(kSigned, name) && !one_of(kOwn, name) && !one_of(kMoved, name))
      return fail(kAccessDeniedUnsigned, "The query parameter " + name.substr(0, 64) +
                                             " is not signed by signature version 2. Please use AWS4-HMAC-SHA256.");
  }
  sigv4::Credential out;
  out.legacy = out.presigned = true;
  out.service = "s3";
  out.access_key_id = value_of(params, "AWSAccessKeyId");
  out.signature = value_of(params, "Signature");
  out.session_token = value_of(params, "x-amz-security-token");
  std::string expires = value_of(params, "Expires");
  if (out.access_key_id.empty() || out.signature.empty() || expires.empty())
    return fail(kAccessDeniedUnsigned,
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters");
  auto seconds = parse_int(expires);
  if (!seconds || *seconds < 0 || *seconds > 253402300799)  // the end of the year 9999
    return fail(kAccessDeniedUnsigned, "Invalid date (should be seconds since epoch): " + expires.substr(0, 64));
  out.expires_at = Timestamp{*seconds * 1'000'000};
  return out;
}

Result<std::string> string_to_sign(const RequestHead& head) {
  TRY(Params params, params_of(head));
  TRY(S3Address address, s3_address(head));
  auto plain = [&](std::string_view name) {
    auto* header = head.headers.find(name);
    return header ? std::string(trim(*header)) : value_of(params, to_lower(name));
  };
  std::map<std::string, std::string> amz;
  for (auto& [name, value] : head.headers.all()) {
    std::string n = to_lower(name);
    if (!n.starts_with("x-amz-")) continue;
    auto [it, is_new] = amz.emplace(n, trim(value));
    if (!is_new) it->second.append(",").append(trim(value));
  }
  if (std::string token = value_of(params, "x-amz-security-token"); !token.empty()) amz["x-amz-security-token"] = token;

  std::string out =
      head.method + "\n" + plain("Content-MD5") + "\n" + plain("Content-Type") + "\n" + value_of(params, "Expires") + "\n";
  for (auto& [name, value] : amz) out += name + ":" + value + "\n";
  if (address.virtual_host) out += "/" + address.bucket;
  out += head.raw_path();
  std::map<std::string, std::string> sub;
  for (auto part : split(head.raw_query(), '&')) {
    auto eq = part.find('=');
    // By the name that is acted on: a name in percent-encoding would be obeyed without being signed.
    std::string name = url_decode(part.substr(0, eq), true).value_or("");
    if (!one_of(kSigned, name)) continue;
    auto value = eq == part.npos ? std::nullopt : url_decode(part.substr(eq + 1), true);
    sub[name] = value ? name + "=" + *value : name;
  }
  char mark = '?';
  for (auto& [name, text] : sub) out += std::exchange(mark, '&') + text;
  return out;
}

std::string signature(std::string_view secret, std::string_view text) { return base64(hmac_sha1(secret, text)); }

Result<void> verify(const RequestHead& head, const sigv4::Credential& c, std::string_view secret, Timestamp now) {
  if (now > c.expires_at)
    return fail(
        Error{&kExpiredRequest, "Request has expired"}.with("Expires", iso8601(c.expires_at)).with("ServerTime", iso8601(now)));
  TRY(std::string text, string_to_sign(head));
  if (!crypto::constant_time_equal(signature(secret, text), c.signature))
    return fail(
        kSignatureDoesNotMatch,
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.");
  return {};
}

}  // namespace redoubt::api::sigv2
