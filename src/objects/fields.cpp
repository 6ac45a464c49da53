#include "objects/fields.h"

namespace redoubt::objects {

Result<void> check_meta(ObjectMeta& m) {
  // The client's own transfer coding is not the object's.
  if (auto it = m.headers.find("ContentEncoding"); it != m.headers.end()) {
    std::vector<std::string> kept;
    for (auto part : split(it->second, ','))
      if (auto p = trim(part); p != "aws-chunked" && !p.empty()) kept.emplace_back(p);
    it->second = join(kept, ",");
    if (kept.empty()) m.headers.erase(it);
  }
  size_t size = 0;
  for (auto& [k, v] : m.user) size += k.size() + v.size();
  if (size > 2048)
    return fail(Error{&kMetadataTooLarge, "Your metadata headers exceed the maximum allowed metadata size"}
                    .with("Size", std::to_string(size))
                    .with("MaxSizeAllowed", "2048"));
  for (auto* headers : {&m.headers, &m.user})
    for (auto& [k, v] : *headers)
      if (!is_valid_utf8(k) || !is_valid_utf8(v)) return fail(kInvalidArgument, "The header " + hex(k) + " is not valid UTF-8.");
  if (auto it = m.headers.find("WebsiteRedirectLocation"); it != m.headers.end()) {
    auto& to = it->second;
    if (!to.starts_with("/") && !to.starts_with("http://") && !to.starts_with("https://"))
      return fail(kInvalidRedirect, "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.");
  }
  auto& storage = m.storage_class;
  if (storage == "GLACIER" || storage == "DEEP_ARCHIVE") return fail(not_built("The archive storage class " + storage));
  for (auto* known : {"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"})
    if (storage == known) return {};
  return fail(
      Error{&kInvalidStorageClass, "The storage class you specified is not valid"}.with("StorageClassRequested", storage));
}

Result<api::ChecksumAlgorithm> parse_algorithm(const std::string& name) {
  if (auto a = api::parse_checksum_algorithm(name)) return *a;
  return fail(
      kInvalidRequest,
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, "
      "SHA1, SHA256]");
}

}  // namespace redoubt::objects
