#include "base/crypto_stream.h"

#include <openssl/evp.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "base/result.h"

namespace redoubt::crypto {
namespace {

EVP_CIPHER_CTX* ctx(void* p) { return static_cast<EVP_CIPHER_CTX*>(p); }

const EVP_CIPHER* cipher(AesStream::Mode mode, size_t key_size) {
  bool gcm = mode == AesStream::Mode::gcm;
  switch (key_size) {
    case 16:
      return gcm ? EVP_aes_128_gcm() : EVP_aes_128_ctr();
    case 24:
      return gcm ? EVP_aes_192_gcm() : EVP_aes_192_ctr();
    case 32:
      return gcm ? EVP_aes_256_gcm() : EVP_aes_256_ctr();
    default:
      return nullptr;
  }
}

}  // namespace

AesStream::AesStream() : ctx_(EVP_CIPHER_CTX_new()) { CHECK(ctx_ != nullptr); }
AesStream::~AesStream() { EVP_CIPHER_CTX_free(ctx(ctx_)); }

bool AesStream::start(Mode mode, Way way, std::string_view key, std::string_view nonce, std::string_view aad) {
  mode_ = mode;
  way_ = way;
  const EVP_CIPHER* c = cipher(mode, key.size());
  if (c == nullptr || (nonce.size() != 12 && (mode == Mode::gcm || nonce.size() != 16))) return false;
  unsigned char iv[16] = {};
  std::memcpy(iv, nonce.data(), nonce.size());
  EVP_CIPHER_CTX_reset(ctx(ctx_));
  if (EVP_CipherInit_ex(ctx(ctx_), c, nullptr, reinterpret_cast<const unsigned char*>(key.data()), iv, way == Way::encrypt) != 1)
    return false;
  int n = 0;
  return aad.empty() || EVP_CipherUpdate(ctx(ctx_), nullptr, &n, reinterpret_cast<const unsigned char*>(aad.data()),
                                         static_cast<int>(aad.size())) == 1;
}

bool AesStream::update(const uint8_t* in, size_t size, uint8_t* out) {
  while (size > 0) {
    int piece = static_cast<int>(std::min<size_t>(size, INT_MAX / 2)), n = 0;
    if (EVP_CipherUpdate(ctx(ctx_), out, &n, in, piece) != 1 || n != piece) return false;
    in += piece, out += piece, size -= static_cast<size_t>(piece);
  }
  return true;
}

bool AesStream::finish(uint8_t* tag, size_t tag_size) {
  unsigned char rest[16];
  int n = 0;
  if (mode_ == Mode::ctr) return EVP_CipherFinal_ex(ctx(ctx_), rest, &n) == 1;
  if (way_ == Way::decrypt && EVP_CIPHER_CTX_ctrl(ctx(ctx_), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_size), tag) != 1)
    return false;
  if (EVP_CipherFinal_ex(ctx(ctx_), rest, &n) != 1) return false;
  return way_ == Way::decrypt || EVP_CIPHER_CTX_ctrl(ctx(ctx_), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_size), tag) == 1;
}

}  // namespace redoubt::crypto
