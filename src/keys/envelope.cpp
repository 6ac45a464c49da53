#include "keys/envelope.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::keys {
namespace {

constexpr std::string_view kMagic = "\x01RDK";

void put(std::string& out, std::string_view part) {
  out += char(part.size() >> 8);
  out += char(part.size() & 0xff);
  out += part;
}
bool take(std::string_view& in, std::string& part) {
  if (in.size() < 2) return false;
  size_t n = size_t(uint8_t(in[0])) << 8 | uint8_t(in[1]);
  if (in.size() < 2 + n) return false;
  part = std::string(in.substr(2, n));
  in.remove_prefix(2 + n);
  return true;
}

// Pairs are length-prefixed: {"a": "bc"} and {"ab": "c"} must differ.
std::string additional_data(std::string_view header, const EncryptionContext& context) {
  std::string aad(header);
  for (auto& [k, v] : context)
    for (auto* text : {&k, &v}) {
      for (int shift = 56; shift >= 0; shift -= 8) aad += char(uint64_t(text->size()) >> shift);
      aad += *text;
    }
  return aad;
}

/// Whether a header's part is what we write there: what isn't must not reach messages and logs.
bool is_plain(std::string_view part, size_t size_max) {
  return !part.empty() && part.size() <= size_max &&
         std::all_of(part.begin(), part.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

}  // namespace

std::optional<BlobHeader> parse_blob(std::string_view blob) {
  if (!blob.starts_with(kMagic)) return std::nullopt;
  auto rest = blob.substr(kMagic.size());
  BlobHeader h;
  if (!take(rest, h.account) || !take(rest, h.region) || !take(rest, h.key_id) || !take(rest, h.material_id)) return std::nullopt;
  if (!is_account_id(h.account) || !is_plain(h.region, 32) || !is_plain(h.key_id, 64) || !is_plain(h.material_id, 64))
    return std::nullopt;
  h.size = blob.size() - rest.size();
  return h;
}

std::string encrypt(const Key& key, std::string_view plaintext, const EncryptionContext& context) {
  auto& material = key.materials.back();
  std::string blob(kMagic);
  put(blob, key.account);
  put(blob, key.region);
  put(blob, key.id);
  put(blob, material.id.substr(0, 16));
  return blob + crypto::seal(material.bytes, plaintext, additional_data(blob, context));
}

std::optional<std::string> decrypt(const Key& key, std::string_view blob, const EncryptionContext& context) {
  auto header = parse_blob(blob);
  if (!header || header->account != key.account || header->region != key.region || header->key_id != key.id) return std::nullopt;
  for (auto& m : key.materials) {
    if (m.id.substr(0, 16) != header->material_id) continue;
    auto plain = crypto::open(m.bytes, blob.substr(header->size), additional_data(blob.substr(0, header->size), context));
    if (plain) return std::move(*plain);
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace redoubt::keys
