#pragma once
/// What DuckDB's callbacks need to know about the statement that runs on their connection: whom to ask, and what it may touch.
/// Registered in the ClientContext once a connection; set before each statement (statement_state()).
#include <duckdb/main/client_context_state.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "warehouse/engine/engine.h"

namespace duckdb {
class ClientContext;
}

namespace redoubt::warehouse::engine {

struct StatementState final : duckdb::ClientContextState {
  static constexpr const char* kKey = "redoubt";

  /// Statements made from a user's plan are guarded (guard.h); those that the engine room writes itself (DDL, COPY) aren't.
  bool guarded = false;
  bool writes_files = false;  // UNLOAD to Parquet: the plan may end in COPY TO a file of kFileScheme
  std::shared_ptr<const HostContext> host;
  std::unordered_set<Oid> tables;  // that a guarded statement may scan or write
  /// How protected tables may be read (plan::Authorised): `sql` selects the table's rowid where its policies hold.
  struct AuthorisedScan {
    std::string physical;  // `s<oid>.t<oid>`
    std::string sql;
    std::unordered_set<int64_t> columns;  // attnums
  };
  std::vector<AuthorisedScan> authorised;
  std::unordered_set<Oid> policy_only;  // tables that only an authorised condition may read

  /// An Error of ours raised inside DuckDB, kept here because exceptions carry text only. The first one wins.
  void raise(Error error) {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  std::optional<Error> take_error() {
    std::lock_guard lock(mutex_);
    return std::exchange(error_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::optional<Error> error_;
};

/// The state of this connection; null on connections that aren't ours.
duckdb::shared_ptr<StatementState> statement_state(duckdb::ClientContext& context);

}  // namespace redoubt::warehouse::engine
