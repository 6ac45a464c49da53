#include "server/cluster_front.h"

#include "net/listener.h"
#include "net/pool.h"
#include "warehouse/control/errors.h"
#include "warehouse/wire/connection.h"

namespace redoubt::server {

namespace control = warehouse::control;
namespace wire = warehouse::wire;

struct ClusterFront::Open {
  Address at;
  Service service;
  Admit admit;
  struct Listening {
    TlsContext tls;
    std::unique_ptr<net::Listener> listener;  // stops before its certificate goes
  };
  std::vector<Listening> listeners;
};

ClusterFront::ClusterFront(const Config& config, const CertificateAuthority& authority, net::IoThreads& io, net::Pool& sql,
                           Metrics& metrics)
    : config_(config), authority_(authority), io_(io), sql_(sql), metrics_(metrics) {
  metrics_.gauge("redoubt_sql_connections", "Open connections to all clusters.", {}, [this] {
    std::lock_guard lock(mutex_);
    size_t n = 0;
    for (auto& [uid, cluster] : open_)
      for (auto& l : cluster->listeners) n += l.listener->connections();
    return static_cast<double>(n);
  });
}

ClusterFront::~ClusterFront() {
  metrics_.gauge("redoubt_sql_connections", "", {}, nullptr);
  std::lock_guard lock(mutex_);
  open_.clear();
}

Result<ClusterFront::Address> ClusterFront::reserve(int port) {
  std::lock_guard lock(mutex_);
  if (!config_.advertise.empty()) {
    auto key = config_.advertise + ":" + std::to_string(port);
    if (taken_.contains(key) || !net::can_listen({config_.listen, static_cast<uint16_t>(port)}))
      return fail(control::kInvalidParameterValue, "Port " + std::to_string(port) + " is in use on " + config_.advertise +
                                                       ", which all clusters of this server share. Choose another one.");
    taken_.insert(key);
    return Address{config_.advertise, port};
  }
  const uint64_t size = uint64_t{1} << (128 - config_.cluster_net.prefix);
  for (uint64_t i = 1; i + 1 < size; ++i) {  // neither the net's own address nor its last one
    auto ip = Ip::v4(config_.cluster_net.base.v4_value() + static_cast<uint32_t>(i));
    auto host = ip.str();
    if (taken_.contains(host) || !net::can_listen({ip, static_cast<uint16_t>(port)})) continue;
    taken_.insert(host);
    return Address{host, port};
  }
  return fail(net::kCannotListen, "no address of --cluster-net " + config_.cluster_net.str() + " is free for a cluster on port " +
                                      std::to_string(port));
}

Result<ClusterFront::Address> ClusterFront::reserve_first() {
  if (config_.advertise.empty()) return reserve(5439);
  return Address{config_.advertise, config_.cluster_port};
}

Result<void> ClusterFront::also_listen_first(const std::string& uid) {
  std::lock_guard lock(mutex_);
  auto it = open_.find(uid);
  if (it == open_.end()) return fail(kCannotStart, "cluster " + config_.cluster + " is paused, so nothing can listen for it");
  auto& cluster = *it->second;
  for (auto& l : cluster.listeners) {  // with --advertise its own listener is the one
    auto local = l.listener->local();
    if (local.ip == config_.listen && config_.cluster_port != 0 && local.port == config_.cluster_port) {
      first_port_ = local.port;
      return {};
    }
  }
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1", cluster.at.host, config_.listen.str()};
  TRY_VOID(listen(cluster, config_.listen, config_.cluster_port, names));
  first_port_ = cluster.listeners.back().listener->local().port;
  return {};
}

Result<void> ClusterFront::listen(Open& cluster, Ip ip, int port, const std::vector<std::string>& names) const {
  TRY(auto tls, authority_.issue(names, TlsProtocol::postgresql));
  TRY(auto listener, net::Listener::open(io_, {ip, static_cast<uint16_t>(port)}, {}));
  auto options = std::make_shared<wire::Options>();
  options->admit = [admit = cluster.admit, at = listener->local().port](const Ip& peer) { return admit(peer, at); };
  options->backend = [service = cluster.service]() -> Result<std::shared_ptr<wire::Backend>> {
    TRY(auto sql_service, service());
    return wire::service_backend(std::move(sql_service));
  };
  options->tls = [context = tls.get()] { return context; };
  options->pool = &sql_;
  listener->start([options = std::shared_ptr<const wire::Options>(std::move(options))](net::Stream stream) {
    return wire::serve(std::move(stream), options);
  });
  cluster.listeners.push_back({std::move(tls), std::move(listener)});
  return {};
}

Result<void> ClusterFront::open(const std::string& uid, const Address& at, Service service, Admit admit) {
  auto cluster = std::make_unique<Open>(Open{at, std::move(service), std::move(admit), {}});
  const bool shared = !config_.advertise.empty();
  auto own = Ip::parse(at.host);
  if (!shared && !own) return fail(kCannotStart, "a cluster was made with --advertise " + at.host + ", start the server with it");
  std::vector<std::string> names = {at.host};
  if (shared) names.insert(names.end(), {"localhost", "127.0.0.1", "::1"});
  TRY_VOID(listen(*cluster, shared ? config_.listen : *own, at.port, names));
  std::lock_guard lock(mutex_);
  taken_.insert(shared ? at.host + ":" + std::to_string(at.port) : at.host);
  open_[uid] = std::move(cluster);
  return {};
}

void ClusterFront::close(const std::string& uid) {
  std::unique_ptr<Open> gone;
  {
    std::lock_guard lock(mutex_);
    auto it = open_.find(uid);
    if (it == open_.end()) return;
    gone = std::move(it->second);
    open_.erase(it);
    taken_.erase(config_.advertise.empty() ? gone->at.host : gone->at.host + ":" + std::to_string(gone->at.port));
  }
  gone.reset();  // waits for its connections, which may be counted by the metrics meanwhile
}

uint16_t ClusterFront::first_port() const {
  std::lock_guard lock(mutex_);
  return first_port_;
}

}  // namespace redoubt::server
