#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <zlib.h>

namespace redoubt::crypto {
namespace {
const unsigned char* u(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* u(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }
const EVP_MD* md(Hash h) {
  switch (h) {
    case Hash::md5:
      return EVP_md5();
    case Hash::sha1:
      return EVP_sha1();
    case Hash::sha224:
      return EVP_sha224();
    case Hash::sha256:
      return EVP_sha256();
    case Hash::sha384:
      return EVP_sha384();
    case Hash::sha512:
      return EVP_sha512();
  }
  return EVP_sha256();
}

/// One cipher context a thread: making one costs more than encrypting a small frame.
EVP_CIPHER_CTX* cipher_ctx() {
  struct Holder {
    EVP_CIPHER_CTX* ctx = EVP_CIPHER_CTX_new();
    ~Holder() { EVP_CIPHER_CTX_free(ctx); }
  };
  thread_local Holder holder;
  EVP_CIPHER_CTX_reset(holder.ctx);
  return holder.ctx;
}
}  // namespace

std::string random_bytes(size_t n) {
  std::string out(n, '\0');
  CHECK(RAND_bytes(u(out), int(n)) == 1);
  return out;
}
std::string digest(Hash h, std::string_view data) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned n = 0;
  CHECK(EVP_Digest(data.data(), data.size(), u(out), &n, md(h), nullptr) == 1);
  out.resize(n);
  return out;
}
std::string hmac_sha256(std::string_view key, std::string_view data) {
  std::string out(32, '\0');
  unsigned n = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), int(key.size()), u(data), data.size(), u(out), &n));
  return out;
}
std::string pbkdf2_sha256(std::string_view password, std::string_view salt, int iterations, size_t length) {
  std::string out(length, '\0');
  CHECK(PKCS5_PBKDF2_HMAC(password.data(), int(password.size()), u(salt), int(salt.size()), iterations, EVP_sha256(), int(length),
                          u(out)) == 1);
  return out;
}
uint32_t crc32(std::string_view data, uint32_t crc) { return uint32_t(::crc32_z(crc, u(data), data.size())); }

namespace {
template <class T, T poly>
struct Crc {
  T table[8][256];
  constexpr Crc() : table{} {
    for (unsigned i = 0; i < 256; ++i) {
      T c = i;
      for (int k = 0; k < 8; ++k) c = c & 1 ? (c >> 1) ^ poly : c >> 1;
      table[0][i] = c;
    }
    for (unsigned i = 0; i < 256; ++i)
      for (int s = 1; s < 8; ++s) table[s][i] = (table[s - 1][i] >> 8) ^ table[0][table[s - 1][i] & 255];
  }
  T run(std::string_view data, T crc) const {
    crc = ~crc;
    const unsigned char* p = u(data);
    size_t n = data.size();
    for (; n >= 8; n -= 8, p += 8) {
      uint64_t w;
      __builtin_memcpy(&w, p, 8);
      w ^= uint64_t(crc);
      T next = 0;
      for (int i = 0; i < 8; ++i) next ^= table[7 - i][(w >> (8 * i)) & 255];
      crc = next;
    }
    while (n--) crc = table[0][(crc ^ *p++) & 255] ^ (crc >> 8);
    return ~crc;
  }
};
}  // namespace
uint32_t crc32c(std::string_view data, uint32_t crc) {
  static const Crc<uint32_t, 0x82F63B78u> table;
  return table.run(data, crc);
}
uint64_t crc64nvme(std::string_view data, uint64_t crc) {
  static const Crc<uint64_t, 0x9A6C9329AC4BC9B5ull> table;
  return table.run(data, crc);
}

Hasher::Hasher(Hash h) : ctx_(EVP_MD_CTX_new()) { CHECK(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(ctx_), md(h), nullptr) == 1); }
Hasher::~Hasher() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(ctx_)); }
Hasher::Hasher(Hasher&& o) noexcept : ctx_(o.ctx_) { o.ctx_ = nullptr; }
Hasher& Hasher::operator=(Hasher&& o) noexcept {
  std::swap(ctx_, o.ctx_);
  return *this;
}
void Hasher::update(std::string_view data) {
  CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(ctx_), data.data(), data.size()) == 1);
}
std::string Hasher::finish() {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned n = 0;
  CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(ctx_), u(out), &n) == 1);
  out.resize(n);
  return out;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void gcm_encrypt(std::string_view key, std::string_view nonce, std::string_view plain, std::string_view aad, std::string& out) {
  CHECK(key.size() == 32 && nonce.size() == 12);
  auto* ctx = cipher_ctx();
  int n = 0;
  CHECK(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), nullptr, u(key), u(nonce)) == 1);
  if (!aad.empty()) CHECK(EVP_EncryptUpdate(ctx, nullptr, &n, u(aad), int(aad.size())) == 1);
  size_t at = out.size();
  out.resize(at + plain.size() + 16);
  auto* p = u(out) + at;
  if (!plain.empty()) CHECK(EVP_EncryptUpdate(ctx, p, &n, u(plain), int(plain.size())) == 1);
  CHECK(EVP_EncryptFinal_ex(ctx, p + plain.size(), &n) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, p + plain.size()) == 1);
}
bool gcm_decrypt(std::string_view key, std::string_view nonce, std::string_view sealed, std::string_view aad, std::string& out) {
  CHECK(key.size() == 32 && nonce.size() == 12);
  if (sealed.size() < 16) return false;
  auto* ctx = cipher_ctx();
  int n = 0;
  CHECK(EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), nullptr, u(key), u(nonce)) == 1);
  if (!aad.empty()) CHECK(EVP_DecryptUpdate(ctx, nullptr, &n, u(aad), int(aad.size())) == 1);
  size_t size = sealed.size() - 16, at = out.size();
  out.resize(at + size);
  auto* p = u(out) + at;
  if (size) CHECK(EVP_DecryptUpdate(ctx, p, &n, u(sealed), int(size)) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, 16, const_cast<char*>(sealed.data() + size)) == 1);
  unsigned char spare[16];
  if (EVP_DecryptFinal_ex(ctx, spare, &n) == 1) return true;
  OPENSSL_cleanse(p, size);
  out.resize(at);
  return false;
}
std::string seal(std::string_view key, std::string_view plaintext, std::string_view aad) {
  std::string out = random_bytes(12);
  std::string nonce = out;
  gcm_encrypt(key, nonce, plaintext, aad, out);
  return out;
}
Result<std::string> open(std::string_view key, std::string_view sealed, std::string_view aad) {
  std::string out;
  if (sealed.size() < 28 || !gcm_decrypt(key, sealed.substr(0, 12), sealed.substr(12), aad, out))
    return fail(kTampered, "the sealed data can't be opened");
  return out;
}
}  // namespace redoubt::crypto
