#pragma once
/// Where clusters are reached: the server's listeners, behind an interface, so that control knows no sockets.
#include <functional>
#include <memory>
#include <string>

#include "base/ip.h"
#include "base/result.h"
#include "warehouse/session/sql_service.h"

namespace redoubt::warehouse::control {

struct ClusterAddress {
  std::string host;  // an IP address, or the name that --advertise gives
  int port = 5439;
};

class Front {
 public:
  virtual ~Front() = default;
  /// A free address for a new cluster that wants this port. Errors: kInvalidParameterValue when the shared host's port is taken,
  /// kInternal when no address of the net is free.
  virtual Result<ClusterAddress> reserve(int port) = 0;
  /// The same for the `--cluster` one, with the port that it declares.
  virtual Result<ClusterAddress> reserve_first() = 0;
  /// That one, open already, is reached at the listen address and --cluster-port as well, whatever its own address is.
  virtual Result<void> also_listen_first(const std::string& uid) = 0;
  /// Listens there. `service` may block (pool thread) until the engine is open; null: the cluster can't be used now, say why by
  /// its error.
  using Service = std::function<Result<std::shared_ptr<session::SqlService>>()>;
  /// Asked for every connection before its first byte; `port` is the listener's that it came in on.
  using Admit = std::function<bool(const Ip& peer, int port)>;
  virtual Result<void> open(const std::string& uid, const ClusterAddress& at, Service service, Admit admit) = 0;
  /// Stops listening; its connections have ended when it returns. Unknown uids are fine.
  virtual void close(const std::string& uid) = 0;
};

}  // namespace redoubt::warehouse::control
