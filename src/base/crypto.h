#pragma once
/// Cryptography, over OpenSSL; the only header of ours that speaks for it outside TLS. All functions are thread-safe.
/// Bytes are std::string / std::string_view.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::crypto {

std::string random_bytes(size_t n);  // from the system's generator; aborts if it can't

enum class Hash { md5, sha1, sha224, sha256, sha384, sha512 };
std::string digest(Hash h, std::string_view data);  // raw bytes
inline std::string sha256(std::string_view data) { return digest(Hash::sha256, data); }
inline std::string md5(std::string_view data) { return digest(Hash::md5, data); }
inline std::string sha1(std::string_view data) { return digest(Hash::sha1, data); }
std::string hmac_sha256(std::string_view key, std::string_view data);
std::string pbkdf2_sha256(std::string_view password, std::string_view salt, int iterations, size_t length);
uint32_t crc32(std::string_view data, uint32_t crc = 0);   // IEEE, as zlib's
uint32_t crc32c(std::string_view data, uint32_t crc = 0);  // Castagnoli
uint64_t crc64nvme(std::string_view data, uint64_t crc = 0);

/// A hash that takes its input in pieces.
class Hasher {
 public:
  explicit Hasher(Hash h);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(std::string_view data);
  std::string finish();  // once

 private:
  void* ctx_;
};

/// Same length and bytes, in time that depends on the lengths only.
bool constant_time_equal(std::string_view a, std::string_view b);

inline constexpr ErrorKind kTampered{"Tampered", 400};

/// AES-256-GCM, key 32 bytes. seal: random 12-byte nonce || ciphertext || 16-byte tag. open fails with kTampered for a wrong
/// key, wrong `aad` or changed bytes, without saying which.
std::string seal(std::string_view key32, std::string_view plaintext, std::string_view aad = {});
Result<std::string> open(std::string_view key32, std::string_view sealed, std::string_view aad = {});

/// AES-256-GCM with the caller's 12-byte nonce (object frames). encrypt appends ciphertext || tag to out.
void gcm_encrypt(std::string_view key32, std::string_view nonce12, std::string_view plaintext, std::string_view aad,
                 std::string& out);
bool gcm_decrypt(std::string_view key32, std::string_view nonce12, std::string_view sealed, std::string_view aad,
                 std::string& out);

}  // namespace redoubt::crypto
