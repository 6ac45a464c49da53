#include "warehouse/engine/duckdb/encryption.h"

#include <duckdb.hpp>

#include "base/crypto.h"
#include "base/crypto_stream.h"

namespace redoubt::warehouse::engine {
namespace {

using crypto::AesStream;

class State final : public duckdb::EncryptionState {
 public:
  explicit State(duckdb::unique_ptr<duckdb::EncryptionStateMetadata> metadata) : EncryptionState(std::move(metadata)) {}

  void InitializeEncryption(duckdb::EncryptionNonce& nonce, duckdb::const_data_ptr_t key, duckdb::const_data_ptr_t aad,
                            duckdb::idx_t aad_len) override {
    start(AesStream::Way::encrypt, nonce, key, aad, aad_len);
  }
  void InitializeDecryption(duckdb::EncryptionNonce& nonce, duckdb::const_data_ptr_t key, duckdb::const_data_ptr_t aad,
                            duckdb::idx_t aad_len) override {
    start(AesStream::Way::decrypt, nonce, key, aad, aad_len);
  }
  size_t Process(duckdb::const_data_ptr_t in, duckdb::idx_t in_len, duckdb::data_ptr_t out, duckdb::idx_t) override {
    if (!stream_.update(in, in_len, out)) throw duckdb::InternalException("encryption failed");
    return in_len;
  }
  size_t Finalize(duckdb::data_ptr_t, duckdb::idx_t, duckdb::data_ptr_t tag, duckdb::idx_t tag_len) override {
    if (!stream_.finish(tag, tag_len)) throw duckdb::IOException("wrong key, or the file was tampered with");
    return 0;
  }
  void GenerateRandomData(duckdb::data_ptr_t data, duckdb::idx_t len) override {
    std::string bytes = crypto::random_bytes(len);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(data));
  }

 private:
  void start(AesStream::Way way, duckdb::EncryptionNonce& nonce, duckdb::const_data_ptr_t key, duckdb::const_data_ptr_t aad,
             duckdb::idx_t aad_len) {
    AesStream::Mode mode;
    switch (metadata->GetCipher()) {
      case duckdb::EncryptionTypes::GCM:
        mode = AesStream::Mode::gcm;
        break;
      case duckdb::EncryptionTypes::CTR:
        mode = AesStream::Mode::ctr;
        break;
      default:
        throw duckdb::InternalException("this cipher isn't offered");
    }
    auto text = [](duckdb::const_data_ptr_t p, size_t n) { return std::string_view(reinterpret_cast<const char*>(p), n); };
    if (!stream_.start(mode, way, text(key, metadata->GetKeyLen()), text(nonce.data(), nonce.size()),
                       aad == nullptr ? std::string_view() : text(aad, aad_len)))
      throw duckdb::InternalException("this key or nonce has an unknown length");
  }

  AesStream stream_;
};

}  // namespace

duckdb::shared_ptr<duckdb::EncryptionState> OpenSslEncryption::CreateEncryptionState(
    duckdb::unique_ptr<duckdb::EncryptionStateMetadata> metadata) const {
  return duckdb::make_shared_ptr<State>(std::move(metadata));
}

}  // namespace redoubt::warehouse::engine
