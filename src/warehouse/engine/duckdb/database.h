#pragma once
/// Engine over one DuckDB instance: an empty main database in memory, and the cluster's encrypted file attached as `w`.
/// Everything that could leave the instance is switched off and locked before anybody connects.
#include <duckdb.hpp>
#include <memory>
#include <mutex>

#include "warehouse/engine/engine.h"
#include "warehouse/engine/isolation.h"

namespace redoubt::warehouse::engine {

/// A URL scheme that the engine may open although external access is off; transfer's file system answers for it.
inline constexpr const char* kFileScheme = "redoubt://";

class DuckDatabase final : public Engine {
 public:
  static Result<std::unique_ptr<DuckDatabase>> open(Options options);
  ~DuckDatabase() override;

  Result<std::unique_ptr<Connection>> connect() override;
  Result<void> checkpoint() override;
  Sequence last_sequence() const override;
  void release_memory() override;

  duckdb::DuckDB& instance() { return *database_; }
  duckdb::AttachedDatabase& attached() { return *attached_; }
  Resources::Member& membership() { return *membership_; }
  int64_t next_catalog_seq() { return catalog_seq_++; }

  /// Guards `isolation`; held while a snapshot is taken and while a commit becomes durable.
  std::mutex commit_mutex;
  Isolation isolation;

 private:
  DuckDatabase() = default;
  Result<void> set_up();
  void apply(Share share);

  Options options_;
  std::shared_ptr<void> opened_;  // its place in the registry of open directories
  std::unique_ptr<duckdb::DuckDB> database_;
  duckdb::shared_ptr<duckdb::AttachedDatabase> attached_;
  std::atomic<int64_t> catalog_seq_{1};
  Share share_;
  std::shared_ptr<Resources::Member> membership_;
};

}  // namespace redoubt::warehouse::engine
