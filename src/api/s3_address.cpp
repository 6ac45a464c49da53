// Where an S3 request puts its bucket: in the path or in the host's name.
#include "api/codec.h"
#include "api/errors.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

/// The bucket in a Host header's name (lower case, no port), or "" for path style.
std::string_view bucket_of_host(std::string_view host) {
  for (std::string_view suffix : {".s3.localhost", ".localhost"})
    if (host.size() > suffix.size() && host.ends_with(suffix)) {
      auto bucket = host.substr(0, host.size() - suffix.size());
      return bucket == "s3" ? std::string_view() : bucket;
    }
  if (!host.ends_with(".amazonaws.com")) return {};
  // BUCKET.s3.amazonaws.com, BUCKET.s3.REGION.amazonaws.com, BUCKET.s3-REGION.amazonaws.com, with .dualstack before the region.
  // Buckets may hold dots, so the last "s3" part counts.
  for (size_t at = host.rfind(".s3"); at != host.npos && at > 0; at = host.rfind(".s3", at - 1)) {
    char next = at + 3 < host.size() ? host[at + 3] : '\0';
    if (next == '.' || next == '-') return host.substr(0, at);
  }
  return {};
}

}  // namespace

Result<S3Address> s3_address(const RequestHead& head) {
  std::string host = to_lower(head.headers.get("Host"));
  if (auto colon = host.rfind(':'); colon != host.npos && host.find(']', colon) == host.npos) host.resize(colon);
  S3Address out;
  out.bucket = bucket_of_host(host);
  out.virtual_host = !out.bucket.empty();

  std::string_view path = head.raw_path();
  if (path.empty() || path[0] != '/') return fail(kInvalidUri, "Couldn't parse the specified URI.");
  path.remove_prefix(1);
  auto decoded = [](std::string_view raw) -> Result<std::string> {
    auto text = url_decode(raw);
    if (!text || !is_valid_utf8(*text)) return fail(kInvalidUri, "Couldn't parse the specified URI.");
    return std::move(*text);
  };
  if (!out.virtual_host) {
    auto slash = path.find('/');
    TRY(out.bucket, decoded(path.substr(0, slash)));
    path = slash == path.npos ? std::string_view() : path.substr(slash + 1);
    if (out.bucket.empty() && !path.empty()) return fail(kInvalidUri, "Couldn't parse the specified URI.");
  }
  TRY(out.key, decoded(path));
  out.has_key = !out.key.empty();
  return out;
}

}  // namespace redoubt::api
