#include "base/ids.h"

#include "base/crypto.h"
#include "base/text.h"

namespace redoubt {
std::string random_text(size_t n, std::string_view alphabet) {
  // Rejection keeps every letter equally likely whatever the alphabet's size.
  size_t limit = 256 - 256 % alphabet.size();
  std::string out;
  while (out.size() < n)
    for (unsigned char c : crypto::random_bytes(n + 8))
      if (c < limit && out.size() < n) out += alphabet[c % alphabet.size()];
  return out;
}
std::string new_uuid() {
  std::string b = crypto::random_bytes(16);
  b[6] = char((b[6] & 0x0F) | 0x40);
  b[8] = char((b[8] & 0x3F) | 0x80);
  std::string h = hex(b);
  return h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) + "-" + h.substr(20);
}
std::string new_request_id() { return new_uuid(); }
std::string new_iam_id(std::string_view prefix) {
  size_t length = prefix == "AKIA" || prefix == "ASIA" ? 16 : 17;
  return std::string(prefix) + random_text(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}
std::string new_secret_access_key() {
  return random_text(40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}
std::string new_hex_id(std::string_view prefix, size_t n) { return std::string(prefix) + random_text(n, "0123456789abcdef"); }
}  // namespace redoubt
