#include "server/server.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "server/data_dir.h"
#include "server/environment.h"
#include "server/http.h"
#include "server/local_pages.h"
#include "server/metrics.h"
#include "server/services.h"
#include "server/threads.h"
#include "server/tls.h"

namespace redoubt::server {
namespace {

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// The names that a listener on `address` is reached under.
std::vector<std::string> listener_names(const Config& config) {
  std::vector<std::string> names = {"localhost", "*.localhost", "127.0.0.1", "::1"};
  auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  auto listen = config.listen.str();
  if (listen != "0.0.0.0" && listen != "::") add(listen);
  add(config.advertise);
  return names;
}

/// The host that clients on this machine use.
std::string local_host(const Config& config) {
  auto listen = config.listen.str();
  if (listen == "0.0.0.0") return "127.0.0.1";
  if (listen == "::") return "[::1]";
  return config.listen.is_v4() ? listen : "[" + listen + "]";
}

}  // namespace

struct Server::Parts {  // each may use those above it
  Parts(Config c, DataDir d, std::string key, CertificateAuthority a)
      : config(std::move(c)), data(std::move(d)), root_key(std::move(key)), authority(std::move(a)) {}
  ~Parts() {
    if (https) https->stop();
    if (http) http->stop();
  }

  const Config config;
  const DataDir data;
  const std::string root_key;
  const CertificateAuthority authority;
  Metrics metrics;
  net::IoThreads io{cores()};
  Pools pools;
  std::unique_ptr<HttpServer> https, http;  // bound early: a port in use must not leave a half-made DIR
  std::unique_ptr<Services> services;
  std::unique_ptr<LocalPages> pages;

  void declare_metrics() {
    for (auto* pool : {&pools.sql, &pools.http, &pools.blob})
      metrics.gauge("redoubt_pool_queue", "Work that waits for a thread.", {{"pool", pool->name()}},
                    [pool] { return static_cast<double>(pool->queued()); });
    metrics.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", {}, resident_bytes);
  }
  Result<void> write_env(const FirstSecrets& fresh) const;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(Config config, Clock& clock) {
  TRY(auto data, DataDir::open(config.data));
  TRY_VOID(data.settle(config));
  TRY(auto root_key, data.root_key());
  TRY(auto authority, CertificateAuthority::open(data.path() / "tls", clock));
  auto parts = std::make_unique<Parts>(std::move(config), std::move(data), std::move(root_key), std::move(authority));
  auto& p = *parts;
  p.declare_metrics();
  TRY(auto tls, p.authority.issue(listener_names(p.config), TlsProtocol::http));
  TRY(p.https, HttpServer::open(p.io, p.pools.http, clock, p.metrics,
                                {.at = {p.config.listen, p.config.https_port}, .tls = std::move(tls), .name = "https"}));
  TRY(p.http,
      HttpServer::open(p.io, p.pools.http, clock, p.metrics, {.at = {p.config.listen, p.config.http_port}, .name = "http"}));
  auto keep = [&p](const FirstSecrets& fresh) { return p.write_env(fresh); };
  TRY(p.services, Services::open({p.config, p.data, p.root_key, p.authority, clock, p.metrics, p.io, p.pools, keep}));
  TRY_VOID(p.write_env({}));
  p.pages = std::make_unique<LocalPages>(p.services->handler(), p.metrics, [&p] { return p.services->trouble(); });
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

void Server::start() {
  parts_->https->start(parts_->services->handler());
  parts_->http->start(*parts_->pages);
}

/// DESIGN section 1 lists these names.
Result<void> Server::Parts::write_env(const FirstSecrets& fresh) const {
  auto file = data.path() / "env";
  TRY(auto old, read_environment(file));
  auto secret = [&](const std::string& fresh, const char* name) { return fresh.empty() ? old[name] : fresh; };
  auto host = local_host(config);
  auto ca = authority.bundle().string();
  Environment env;
  env.emplace_back("AWS_ACCESS_KEY_ID", secret(fresh.access_key_id, "AWS_ACCESS_KEY_ID"));
  env.emplace_back("AWS_SECRET_ACCESS_KEY", secret(fresh.secret_access_key, "AWS_SECRET_ACCESS_KEY"));
  env.emplace_back("AWS_REGION", config.region);
  env.emplace_back("AWS_DEFAULT_REGION", config.region);
  env.emplace_back("AWS_ENDPOINT_URL", "https://" + host + ":" + std::to_string(https->local().port));
  env.emplace_back("AWS_CA_BUNDLE", ca);
  env.emplace_back("REDOUBT_ACCOUNT_ID", config.account_id);
  env.emplace_back("REDOUBT_HTTP_URL", "http://" + host + ":" + std::to_string(http->local().port));
  if (!config.cluster.empty()) {
    env.emplace_back("PGHOST", config.listen.is_v4() ? host : host.substr(1, host.size() - 2));
    env.emplace_back("PGPORT", std::to_string(services ? services->cluster_port() : config.cluster_port));
    env.emplace_back("PGUSER", "awsuser");
    env.emplace_back("PGPASSWORD", secret(fresh.cluster_password, "PGPASSWORD"));
    env.emplace_back("PGDATABASE", "dev");
    env.emplace_back("PGSSLMODE", "verify-full");
    env.emplace_back("PGSSLROOTCERT", ca);
    env.emplace_back("REDOUBT_CLUSTER", config.cluster);
  }
  return write_environment(file, env);
}

}  // namespace redoubt::server
