#include "server/services.h"

#include <unistd.h>

#include "access/audit.h"
#include "access/gate.h"
#include "access/trail.h"
#include "identity/identity.h"
#include "keys/keys.h"
#include "meta/store.h"
#include "network/network.h"
#include "objects/objects.h"
#include "server/cluster_front.h"
#include "server/ticker.h"
#include "stacks/stacks.h"
#include "warehouse/control/control.h"
#include "warehouse/transfer/s3_transfer.h"

namespace redoubt::server {

namespace control = warehouse::control;
namespace engine = warehouse::engine;
namespace transfer = warehouse::transfer;

namespace {

/// Half of the machine's memory and all of its cores are the engines'; the other half is everybody else's page cache.
engine::Share engines_share() {
  auto bytes = static_cast<size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return {.memory_bytes = bytes / 2, .threads = cores()};
}

}  // namespace

struct Services::Rooms {  // each may use those above it
  explicit Rooms(Ground g) : ground(std::move(g)) {}

  Ground ground;
  std::unique_ptr<meta::Store> store;
  std::unique_ptr<identity::Identity> identity;
  std::unique_ptr<access::Audit> audit;
  std::unique_ptr<access::Gate> gate;
  std::unique_ptr<network::Network> network;
  std::unique_ptr<keys::Keys> keys;
  std::unique_ptr<objects::Objects> objects;
  std::unique_ptr<ClusterFront> front;
  std::unique_ptr<transfer::Transfer> transfer;
  std::unique_ptr<control::Control> control;
  std::unique_ptr<stacks::Stacks> stacks;
  std::unique_ptr<Ticker> ticker;

  std::string path(const char* name) const { return (ground.data.path() / name).string(); }
  Result<void> open_stores();
  Result<void> open_aws();
  Result<void> open_warehouse();
  Result<void> open_stacks();
};

/// Where everything is kept, who exists, and the Gate.
Result<void> Services::Rooms::open_stores() {
  auto& config = ground.config;
  TRY(store, meta::Store::open(path("meta.db")));
  TRY(audit, access::Audit::open(path("audit.db")));
  TRY(identity, identity::Identity::create(*store, ground.clock, ground.root_key, config.region));
  gate = std::make_unique<access::Gate>(*identity, *audit, ground.clock,
                                        access::Gate::Options{.region = config.region, .strict = config.strict});
  identity->declare(*gate);
  access::declare_trail(*gate, *audit);
  if (!identity->has_accounts()) {
    TRY(auto admin, identity->bootstrap(config.account_id));
    TRY_VOID(ground.keep({.access_key_id = admin.access_key_id, .secret_access_key = admin.secret_access_key}));
  }
  return {};
}

/// The AWS services. They meet only through the Gate.
Result<void> Services::Rooms::open_aws() {
  auto& config = ground.config;
  network = std::make_unique<network::Network>(*store, config.account_id);
  TRY_VOID(network->load());
  network->declare(*gate);
  keys = std::make_unique<keys::Keys>(*store, ground.root_key, ground.clock);
  TRY_VOID(keys->load());
  keys->declare(*gate);
  TRY(objects,
      objects::Objects::open(*store, ground.clock,
                             {.directory = path("objects"), .root_key = ground.root_key, .strict_acl = config.strict_acl}));
  objects->declare(*gate);
  return {};
}

/// The clusters: their listeners are open when it returns, their engines open in the background.
Result<void> Services::Rooms::open_warehouse() {
  auto& config = ground.config;
  front = std::make_unique<ClusterFront>(config, ground.authority, ground.io, ground.pools.sql, ground.metrics);
  transfer::ClusterRoles roles;
  roles.attached = [this](const transfer::ClusterIdentity& cluster, const std::string& role_arn) {
    return control->role_attached(cluster, role_arn);
  };
  roles.default_role = [this](const transfer::ClusterIdentity& cluster) { return control->default_role(cluster); };
  transfer = std::make_unique<transfer::S3Transfer>(*gate, transfer::S3Transfer::Options{.roles = std::move(roles)});
  control::Control::Options options;
  options.directory = path("clusters");
  options.resources = std::make_shared<engine::Resources>(engines_share());
  options.strict = config.strict;
  options.default_network = [this](const std::string& account,
                                   const std::string& region) -> Result<std::pair<std::string, std::string>> {
    TRY(auto vpc, network->default_vpc(account, region));
    return std::pair(vpc.id, vpc.default_group);
  };
  options.group_exists = [this](const std::string& account, const std::string& region, const std::string& id) {
    auto group = network->group(id);
    return group && group->account == account && group->region == region;
  };
  options.admits = [this](std::span<const std::string> groups, const Ip& peer, int port) {
    return network->admits(groups, peer, port);
  };
  control = std::make_unique<control::Control>(*store, ground.root_key, ground.clock, std::move(options), *front, *transfer);
  TRY_VOID(control->load());
  control->declare(*gate);
  if (!config.cluster.empty()) {
    TRY(auto made, control->bootstrap(config.account_id, config.region, config.cluster));
    if (!made.password.empty()) TRY_VOID(ground.keep({.cluster_password = made.password}));
  }
  return {};
}

/// CloudFormation comes last: its resources are everybody else's.
Result<void> Services::Rooms::open_stacks() {
  stacks = std::make_unique<stacks::Stacks>(*store, ground.root_key, ground.clock,
                                            stacks::EngineOptions{.strict_acl = ground.config.strict_acl});
  TRY_VOID(stacks->load());
  stacks->declare(*gate);
  stacks->resume();
  return {};
}

Services::Services(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}
Services::~Services() = default;

Result<std::unique_ptr<Services>> Services::open(Ground ground) {
  auto rooms = std::make_unique<Rooms>(std::move(ground));
  auto& r = *rooms;
  TRY_VOID(r.open_stores());
  TRY_VOID(r.open_aws());
  TRY_VOID(r.open_warehouse());
  TRY_VOID(r.open_stacks());
  // Access logs must be there within ten seconds.
  r.ticker = std::make_unique<Ticker>(std::chrono::seconds(2), std::vector<std::function<void()>>{
                                                                   [&r] { r.keys->tick(); },
                                                                   [&r] { r.objects->deliver_logs(); },
                                                               });
  return std::unique_ptr<Services>(new Services(std::move(rooms)));
}

api::Handler& Services::handler() { return *rooms_->gate; }
uint16_t Services::cluster_port() const { return rooms_->front->first_port(); }
std::string Services::trouble() const { return {}; }

}  // namespace redoubt::server
