#pragma once
/// AES-256 in pieces, for an engine that encrypts its own blocks and hands over nonces, additional data and tags itself.
/// Not thread-safe: one object, one thread at a time.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace redoubt::crypto {

class AesStream {
 public:
  enum class Mode : uint8_t { gcm, ctr };
  enum class Way : uint8_t { encrypt, decrypt };

  AesStream();
  ~AesStream();
  AesStream(const AesStream&) = delete;

  /// False if key (16, 24 or 32 bytes) or nonce (GCM: 12; CTR: 16, or 12 and a zero counter) have a length that doesn't fit.
  bool start(Mode mode, Way way, std::string_view key, std::string_view nonce, std::string_view aad = {});
  /// `out` has room for `size` bytes and may be `in`. False: OpenSSL refused.
  bool update(const uint8_t* in, size_t size, uint8_t* out);
  /// GCM: writes the tag when encrypting, compares it when decrypting; false if it doesn't match. CTR has none.
  bool finish(uint8_t* tag, size_t tag_size);

 private:
  void* ctx_;
  Mode mode_ = Mode::gcm;
  Way way_ = Way::encrypt;
};

}  // namespace redoubt::crypto
