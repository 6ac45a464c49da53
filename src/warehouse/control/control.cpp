#include "warehouse/control/control.h"

#include <filesystem>

#include "base/crypto.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "warehouse/control/runtime.h"

namespace redoubt::warehouse::control {
namespace {

constexpr std::string_view kClusters = "redshift.clusters";

std::string key_of(const ClusterRecord& c) { return meta::key({c.account, c.region, c.id}); }

/// Keys for different uses come from the one data key.
std::string derived(const ClusterRecord& c, std::string_view use) { return crypto::hmac_sha256(c.data_key, use); }

}  // namespace

Control::Control(meta::Store& store, std::string root_key, Clock& clock, Options options, Front& front,
                 transfer::Transfer& transfer)
    : store_(store),
      root_key_(std::move(root_key)),
      clock_(clock),
      options_(std::move(options)),
      front_(front),
      transfer_(transfer) {}
Control::~Control() { stop(); }

Result<void> Control::load() {
  for (auto& row : store_.scan_prefix(kClusters, "")) {
    TRY(auto record, load_cluster(row.value, root_key_));
    auto cluster = std::make_shared<Cluster>();
    cluster->record = std::move(record);
    if (cluster->record.status == Status::deleting) {  // a delete that a crash interrupted
      TRY_VOID(remove(cluster));
      continue;
    }
    {
      std::unique_lock lock(mutex_);
      clusters_[row.key] = cluster;
    }
    if (cluster->record.status != Status::paused) TRY_VOID(start(cluster));
  }
  return {};
}

void Control::stop() {
  std::map<std::string, ClusterPtr, std::less<>> all;
  {
    std::unique_lock lock(mutex_);
    all.swap(clusters_);
  }
  for (auto& [key, cluster] : all) stop_cluster(cluster);
}

Result<void> Control::start(const ClusterPtr& cluster) {
  auto record = cluster->snapshot();
  cluster->tokens = std::make_shared<TokenMint>(derived(record, "temporary credentials"), clock_);
  auto open = [this, record, tokens = cluster->tokens.get()]() -> Result<std::shared_ptr<session::SqlService>> {
    engine::Engine::Options at{
        .directory = options_.directory + "/" + record.uid, .key = record.data_key, .resources = options_.resources};
    TRY(auto engine, engine::Engine::open(std::move(at)));
    session::SqlService::Options o{.engine = std::move(engine), .cluster = {record.account, record.region, record.id}};
    o.secret_key = derived(record, "password verifiers");
    o.bootstrap.database = record.database;
    o.bootstrap.master_user = record.master_user;
    if (!record.first_password.empty()) {
      TRY(o.bootstrap.master_verifier, session::make_verifier(record.first_password, record.master_user));
    }
    o.transfer = &transfer_;
    o.tokens = tokens;
    o.clock = &clock_;
    o.strict = options_.strict;
    TRY(auto service, session::SqlService::open(std::move(o)));
    return std::shared_ptr<session::SqlService>(std::move(service));
  };
  std::shared_future<Result<std::shared_ptr<session::SqlService>>> opening =
      std::async(std::launch::async, [open, id = record.id] {
        auto service = open();
        if (!service) log::error("cluster " + id + " can't be opened: " + service.error().message);
        return service;
      }).share();
  {
    std::lock_guard lock(cluster->mutex);
    cluster->opening = opening;
  }
  auto admit = [this, weak = std::weak_ptr(cluster)](const Ip& peer, int port) {
    auto c = weak.lock();
    if (!c) return false;
    auto r = c->snapshot();
    // The --cluster one is also reached through --cluster-port: a rule for its declared port opens that door, too.
    return options_.admits(r.security_groups, peer, r.port) || (port != r.port && options_.admits(r.security_groups, peer, port));
  };
  return front_.open(record.uid, {record.address, record.port}, [opening] { return opening.get(); }, admit);
}

void Control::stop_cluster(const ClusterPtr& cluster) {
  auto uid = cluster->snapshot().uid;
  std::shared_future<Result<std::shared_ptr<session::SqlService>>> opening;
  {
    std::lock_guard lock(cluster->mutex);
    opening = cluster->opening;
  }
  if (opening.valid())
    if (auto& service = opening.get())
      (*service)->terminate_all({&kInvalidClusterState, "terminating connection due to administrator command"});
  front_.close(uid);
  std::lock_guard lock(cluster->mutex);
  cluster->opening = {};
}

Result<Control::ClusterPtr> Control::create(ClusterRecord record) {
  std::lock_guard writer(writers_);
  if (find(record.account, record.region, record.id)) return fail(kClusterAlreadyExists, "Cluster already exists");
  record.uid = new_uuid();
  record.created = clock_.now();
  record.data_key = crypto::random_bytes(32);
  auto put = [&](const ClusterRecord& r) {
    return store_.transact([&](meta::Txn& t) -> Result<void> {
      t.put(kClusters, key_of(r), store_cluster(r, root_key_));
      return {};
    });
  };
  TRY_VOID(put(record));
  auto cluster = std::make_shared<Cluster>();
  cluster->record = record;
  auto up = start(cluster);
  if (up)
    if (auto& service = cluster->opening.get(); !service) up = fail(service.error());
  if (!up) {
    stop_cluster(cluster);
    if (auto gone = remove(cluster); !gone) log::error("cluster " + record.id + ": " + gone.error().message);
    return fail(up.error());
  }
  record.status = Status::available;
  record.first_password.clear();  // the catalog has its verifier now
  TRY_VOID(put(record));
  {
    std::lock_guard lock(cluster->mutex);
    cluster->record = record;
  }
  std::unique_lock lock(mutex_);
  clusters_[key_of(record)] = cluster;
  return cluster;
}

Result<void> Control::update(const ClusterPtr& cluster, const std::function<Result<void>(ClusterRecord&)>& change) {
  std::lock_guard writer(writers_);
  auto record = cluster->snapshot();
  TRY_VOID(change(record));
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kClusters, key_of(record), store_cluster(record, root_key_));
    return {};
  }));
  std::lock_guard lock(cluster->mutex);
  cluster->record = record;
  return {};
}

Result<void> Control::remove(const ClusterPtr& cluster) {
  auto record = cluster->snapshot();
  std::error_code e;
  std::filesystem::remove_all(options_.directory + "/" + record.uid, e);
  if (e) return fail(kInternal, "the files of cluster " + record.id + " can't be removed: " + e.message());
  return store_.transact([&](meta::Txn& t) -> Result<void> {
    t.erase(kClusters, key_of(record));
    return {};
  });
}

Control::ClusterPtr Control::find(std::string_view account, std::string_view region, std::string_view id) const {
  std::shared_lock lock(mutex_);
  auto it = clusters_.find(meta::key({account, region, id}));
  return it == clusters_.end() ? nullptr : it->second;
}

std::vector<Control::ClusterPtr> Control::list(std::string_view account, std::string_view region) const {
  std::vector<ClusterPtr> out;
  auto prefix = meta::key({account, region});
  std::shared_lock lock(mutex_);
  for (auto it = clusters_.lower_bound(prefix); it != clusters_.end() && it->first.starts_with(prefix); ++it)
    out.push_back(it->second);
  return out;
}

size_t Control::clusters() const {
  std::shared_lock lock(mutex_);
  return clusters_.size();
}

Result<Control::ClusterPtr> Control::require(std::string_view id, const access::Call& call) const {
  auto c = find(call.caller->account, call.region, id);
  if (!c) return fail(kClusterNotFound, "Cluster " + std::string(id) + " not found.");
  return c;
}

access::Resource Control::resource(std::string_view id, const access::Call& call) const {
  access::Resource r{.arn = make_arn("redshift", call.region, call.caller->account, "cluster:" + std::string(id)),
                     .account = call.caller->account};
  auto c = find(call.caller->account, call.region, id);
  if (!c)
    r.missing = Error{&kClusterNotFound, "Cluster " + std::string(id) + " not found."};
  else
    for (auto& [k, v] : c->snapshot().tags) r.tags[k] = v;
  return r;
}

bool Control::role_attached(const transfer::ClusterIdentity& cluster, std::string_view role_arn) const {
  auto c = find(cluster.account, cluster.region, cluster.identifier);
  if (!c) return false;
  auto record = c->snapshot();
  return std::find(record.iam_roles.begin(), record.iam_roles.end(), role_arn) != record.iam_roles.end();
}

std::string Control::default_role(const transfer::ClusterIdentity& cluster) const {
  auto c = find(cluster.account, cluster.region, cluster.identifier);
  return c ? c->snapshot().default_iam_role : "";
}

Result<std::shared_ptr<session::SqlService>> Control::service(std::string_view account, std::string_view region,
                                                              std::string_view id) {
  auto c = find(account, region, id);
  if (!c) return fail(kClusterNotFound, "Cluster " + std::string(id) + " not found.");
  std::shared_future<Result<std::shared_ptr<session::SqlService>>> opening;
  {
    std::lock_guard lock(c->mutex);
    opening = c->opening;
  }
  if (!opening.valid()) return fail(kInvalidClusterState, "Cluster " + std::string(id) + " is not available.");
  return opening.get();
}

Result<Control::Bootstrapped> Control::bootstrap(const std::string& account, const std::string& region, const std::string& name) {
  if (auto c = find(account, region, name)) {
    TRY_VOID(front_.also_listen_first(c->snapshot().uid));
    return Bootstrapped{c->snapshot(), ""};
  }
  TRY(auto first, front_.reserve_first());
  ClusterRecord record{.account = account, .region = region, .id = name};
  record.master_user = "awsuser";
  record.publicly_accessible = true;
  record.address = first.host;
  record.port = first.port;
  TRY(auto network, options_.default_network(account, region));
  record.vpc = network.first;
  record.zone = region + "a";
  record.security_groups = {network.second};
  // Redshift's password rules ask for a digit and both cases.
  record.first_password = "Rd1" + random_text(21, "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789");
  auto password = record.first_password;
  TRY(auto cluster, create(std::move(record)));
  TRY_VOID(front_.also_listen_first(cluster->snapshot().uid));
  return Bootstrapped{cluster->snapshot(), password};
}

}  // namespace redoubt::warehouse::control
