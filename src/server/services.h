#pragma once
/// The rooms behind the listeners, wired to each other. Members are built top to bottom and destroyed bottom to top: each may use
/// those above it.
#include <functional>
#include <memory>
#include <string>

#include "api/http.h"
#include "base/clock.h"
#include "net/io_threads.h"
#include "server/config.h"
#include "server/data_dir.h"
#include "server/metrics.h"
#include "server/threads.h"
#include "server/tls.h"

namespace redoubt::server {

/// What only the first start knows in clear; empty strings otherwise.
struct FirstSecrets {
  std::string access_key_id, secret_access_key;
  std::string cluster_password;
};

/// What the server gives to its rooms; all of it outlives them.
struct Ground {
  const Config& config;
  const DataDir& data;
  const std::string& root_key;  // 32 bytes
  const CertificateAuthority& authority;
  Clock& clock;
  Metrics& metrics;
  net::IoThreads& io;
  Pools& pools;
  /// Called as soon as there are secrets, before anything else can fail: they are never shown again.
  std::function<Result<void>(const FirstSecrets&)> keep;
};

class Services {
 public:
  /// Opens the stores, loads every room, makes the first account and the --cluster one, opens the clusters' listeners.
  static Result<std::unique_ptr<Services>> open(Ground ground);
  ~Services();

  /// Who answers HTTP requests.
  api::Handler& handler();
  /// The port that the --cluster one listens on; 0 without one.
  uint16_t cluster_port() const;
  /// "" or why requests can't be served now.
  std::string trouble() const;

 private:
  struct Rooms;
  explicit Services(std::unique_ptr<Rooms> rooms);
  std::unique_ptr<Rooms> rooms_;
};

}  // namespace redoubt::server
