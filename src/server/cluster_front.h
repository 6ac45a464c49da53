#pragma once
/// The clusters' listeners. Each cluster has an address of its own in --cluster-net and listens there on the port that it
/// declares; with --advertise they share that host, listen on --listen, and differ in port. The --cluster one listens on --listen
/// and
/// --cluster-port as well. Each listener shows a certificate for its own address. Threads: any.
#include <map>
#include <mutex>
#include <set>

#include "net/io_threads.h"
#include "server/config.h"
#include "server/metrics.h"
#include "server/tls.h"
#include "warehouse/control/front.h"

namespace redoubt::net {
class Listener;
class Pool;
}  // namespace redoubt::net

namespace redoubt::server {

class ClusterFront : public warehouse::control::Front {
 public:
  using Address = warehouse::control::ClusterAddress;
  ClusterFront(const Config& config, const CertificateAuthority& authority, net::IoThreads& io, net::Pool& sql, Metrics& metrics);
  ~ClusterFront() override;  // closes what is open

  Result<Address> reserve(int port) override;
  Result<Address> reserve_first() override;
  Result<void> also_listen_first(const std::string& uid) override;
  Result<void> open(const std::string& uid, const Address& at, Service service, Admit admit) override;
  void close(const std::string& uid) override;

  /// The port that --cluster-port became (it may be 0); 0 while nothing listens there.
  uint16_t first_port() const;

 private:
  struct Open;  // one cluster: its options, certificates and listeners
  Result<void> listen(Open& cluster, Ip ip, int port, const std::vector<std::string>& names) const;

  const Config& config_;
  const CertificateAuthority& authority_;
  net::IoThreads& io_;
  net::Pool& sql_;
  Metrics& metrics_;
  mutable std::mutex mutex_;                           // guards what follows
  std::map<std::string, std::unique_ptr<Open>> open_;  // by uid
  std::set<std::string> taken_;                        // hosts, or "host:port" with --advertise; reserved or open
  uint16_t first_port_ = 0;
};

}  // namespace redoubt::server
