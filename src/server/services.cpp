#include "server/services.h"

#include "access/audit.h"
#include "access/gate.h"
#include "access/trail.h"
#include "identity/identity.h"
#include "keys/keys.h"
#include "meta/store.h"
#include "network/network.h"
#include "objects/objects.h"
#include "server/ticker.h"

namespace redoubt::server {

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
  std::unique_ptr<Ticker> ticker;

  std::string path(const char* name) const { return (ground.data.path() / name).string(); }
  Result<void> open_stores();
  Result<void> open_aws();
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

Services::Services(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}
Services::~Services() = default;

Result<std::unique_ptr<Services>> Services::open(Ground ground) {
  auto rooms = std::make_unique<Rooms>(std::move(ground));
  auto& r = *rooms;
  TRY_VOID(r.open_stores());
  TRY_VOID(r.open_aws());
  // Access logs must be there within ten seconds.
  r.ticker = std::make_unique<Ticker>(std::chrono::seconds(2), std::vector<std::function<void()>>{
                                                                   [&r] { r.keys->tick(); },
                                                                   [&r] { r.objects->deliver_logs(); },
                                                               });
  return std::unique_ptr<Services>(new Services(std::move(rooms)));
}

api::Handler& Services::handler() { return *rooms_->gate; }
uint16_t Services::cluster_port() const { return 0; }
std::string Services::trouble() const { return {}; }

}  // namespace redoubt::server
