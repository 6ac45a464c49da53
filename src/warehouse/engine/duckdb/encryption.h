#pragma once
/// DuckDB's encryption of blocks, logs and temporary files, done by OpenSSL. (What DuckDB brings along is read-only.)
#include <duckdb/common/encryption_state.hpp>

namespace redoubt::warehouse::engine {

class OpenSslEncryption final : public duckdb::EncryptionUtil {
 public:
  duckdb::shared_ptr<duckdb::EncryptionState> CreateEncryptionState(
      duckdb::unique_ptr<duckdb::EncryptionStateMetadata> metadata) const override;
  void OverrideEncryptionUtil() override {}
};

}  // namespace redoubt::warehouse::engine
