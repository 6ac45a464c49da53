#pragma once
/// The SQL side of one cluster: its engine and catalog, its locks, its sessions and its system log. control makes one per
/// cluster, wire connects clients to it.
///
///   TRY(auto service, SqlService::open({.engine = std::move(engine), .cluster = {account, region, "c1"}, .transfer = &transfer,
///   ..})); AuthExchange exchange(*service, hello);  .. TRY(auto session, service->connect(exchange.identity(), options));
///
/// Threads: any. open() blocks while the catalog is read; the rest doesn't block but where it says so.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "warehouse/catalog/catalog.h"
#include "warehouse/engine/engine.h"
#include "warehouse/session/session.h"
#include "warehouse/transfer/transfer.h"

namespace redoubt::warehouse::session {

struct ServiceCore;  // what the sessions of a cluster share; session room only

class SqlService {
 public:
  struct Options {
    std::unique_ptr<engine::Engine> engine;
    transfer::ClusterIdentity cluster;
    std::string secret_key;                  // 32 bytes: seals password verifiers in the catalog
    catalog::Bootstrap bootstrap;            // used when the engine holds no catalog yet
    transfer::Transfer* transfer = nullptr;  // null: COPY and UNLOAD are refused by name
    const TokenVerifier* tokens = nullptr;   // null: temporary credentials are refused
    const Clock* clock = &Clock::system();
    int connections_max = 2000;                           // Redshift's quota on RA3 nodes
    int64_t idle_transaction_limit_ms = 6 * 3600 * 1000;  // idle transactions hold the log
    bool strict = false;                                  // --strict: no extensions of ours
  };

  /// Reads (or makes) the catalog and clears what crashed sessions left (temporary tables). Errors: the engine's,
  /// kCorruptCatalog.
  static Result<std::unique_ptr<SqlService>> open(Options options);
  ~SqlService();  // terminates the sessions that are left; they must be gone before

  Result<std::unique_ptr<Session>> connect(const Identity& identity, SessionOptions options);

  /// A sign-on that was decided elsewhere (Data API after its IAM check). Errors as after a right password.
  Result<Identity> trusted(const TokenIdentity& who, std::string_view database);

  /// CancelRequest. Unknown pid or wrong secret: nothing happens.
  void cancel(int pid, int secret);
  void terminate_all(const Error& why);
  size_t sessions() const;
  bool idle() const { return sessions() == 0; }

  /// ModifyCluster MasterUserPassword. Errors: kInvalidPassword, the engine's. Blocks for a commit.
  Result<void> set_password(std::string_view user, std::string_view password);
  /// A new cluster-side user for AutoCreate; existing: fine. Blocks for a commit.
  Result<void> ensure_user(std::string_view user);

  catalog::SnapshotPtr catalog() const;
  engine::Engine& engine();
  const transfer::ClusterIdentity& cluster() const;
  /// Rows and bytes on disk, sessions, queries run: for metrics and DescribeClusters.
  struct Statistics {
    size_t sessions = 0;
    uint64_t queries = 0;
  };
  Statistics statistics() const;
  /// Appends a row to stl_connection_log. Attempts on users that don't exist are logged under the name that was given.
  void log_connection(const ConnectionEvent& event);

 private:
  friend class AuthExchange;
  SqlService();
  std::shared_ptr<ServiceCore> core_;
};

}  // namespace redoubt::warehouse::session
