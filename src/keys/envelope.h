#pragma once
/// The ciphertext blob: which key and material made it, in clear, then AES-256-GCM over the plaintext with that header and the
/// encryption context as additional data. Opaque to clients; self-contained, so that Decrypt needs no key id. Pure.
#include <optional>
#include <string>
#include <string_view>

#include "keys/key.h"

namespace redoubt::keys {

struct BlobHeader {
  std::string account, region, key_id, material_id;
  size_t size = 0;  // of the header in the blob
};
/// nullopt: not a blob of ours.
std::optional<BlobHeader> parse_blob(std::string_view blob);

std::string encrypt(const Key& key, std::string_view plaintext, const EncryptionContext& context);
/// nullopt: another key's, another context, or changed bytes; which one is never said.
std::optional<std::string> decrypt(const Key& key, std::string_view blob, const EncryptionContext& context);

}  // namespace redoubt::keys
