#include "keys/key_store.h"

namespace redoubt::keys {
namespace {

constexpr std::string_view kKeys = "kms.keys", kAliases = "kms.aliases";

std::string key_of(const Key& k) { return meta::key({k.account, k.region, k.id}); }
std::string key_of(const Alias& a) { return meta::key({a.account, a.region, a.name}); }
std::string target_of(const Alias& a) { return meta::key({a.account, a.region, a.key_id}); }
constexpr size_t kAliasesMax = 50;  // of one key

std::string store_alias(const Alias& a) {
  Json j = Json::object();
  j.set("account", a.account).set("region", a.region).set("name", a.name).set("key", a.key_id);
  j.set("created", a.created.us).set("updated", a.updated.us);
  return j.dump();
}

template <class Map>
auto with_prefix(const Map& map, const std::string& prefix) {
  std::vector<typename Map::mapped_type> out;
  for (auto it = map.lower_bound(prefix); it != map.end() && it->first.starts_with(prefix); ++it) out.push_back(it->second);
  return out;
}

}  // namespace

KeyStore::KeyStore(meta::Store& store, std::string root_key) : store_(store), root_key_(std::move(root_key)) {}

Result<void> KeyStore::load() {
  for (auto& row : store_.scan_prefix(kKeys, "")) {
    TRY(Key k, load_key(row.value, root_key_));
    keys_[row.key] = std::make_shared<const Key>(std::move(k));
  }
  for (auto& row : store_.scan_prefix(kAliases, "")) {
    TRY(Json j, Json::parse(row.value));
    publish({j["account"].str(),
             j["region"].str(),
             j["name"].str(),
             j["key"].str(),
             {j["created"].integer()},
             {j["updated"].integer()}});
  }
  return {};
}

KeyPtr KeyStore::find(std::string_view account, std::string_view region, std::string_view id) const {
  std::shared_lock lock(mutex_);
  auto it = keys_.find(meta::key({account, region, id}));
  return it == keys_.end() ? nullptr : it->second;
}
std::optional<Alias> KeyStore::find_alias(std::string_view account, std::string_view region, std::string_view name) const {
  std::shared_lock lock(mutex_);
  auto it = aliases_.find(meta::key({account, region, name}));
  return it == aliases_.end() ? std::nullopt : std::optional(it->second);
}
std::vector<KeyPtr> KeyStore::list(std::string_view account, std::string_view region) const {
  std::shared_lock lock(mutex_);
  return with_prefix(keys_, meta::key({account, region}));
}
std::vector<Alias> KeyStore::aliases(std::string_view account, std::string_view region) const {
  std::shared_lock lock(mutex_);
  return with_prefix(aliases_, meta::key({account, region}));
}
std::vector<std::string> KeyStore::alias_names(const Key& key) const {
  std::shared_lock lock(mutex_);
  auto it = names_of_.find(key_of(key));
  return it == names_of_.end() ? std::vector<std::string>{} : std::vector<std::string>(it->second.begin(), it->second.end());
}
std::vector<KeyPtr> KeyStore::all() const {
  std::shared_lock lock(mutex_);
  return with_prefix(keys_, "");
}

Result<KeyPtr> KeyStore::add(Key k, const Alias* alias) {
  std::lock_guard writer(writers_);
  auto key = std::make_shared<const Key>(std::move(k));
  if (alias && find_alias(alias->account, alias->region, alias->name))
    return fail(kAlreadyExists, "An alias with the name " + alias->arn() + " already exists");
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kKeys, key_of(*key), store_key(*key, root_key_));
    if (alias) t.put(kAliases, key_of(*alias), store_alias(*alias));
    return {};
  }));
  std::unique_lock lock(mutex_);
  keys_[key_of(*key)] = key;
  if (alias) publish(*alias);
  return key;
}

Result<KeyPtr> KeyStore::update(const Key& old, const std::function<Result<void>(Key&)>& change) {
  std::lock_guard writer(writers_);
  auto current = find(old.account, old.region, old.id);
  if (!current) return fail(kNotFound, "Key '" + old.arn() + "' does not exist");
  Key copy = *current;
  TRY_VOID(change(copy));
  auto key = std::make_shared<const Key>(std::move(copy));
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kKeys, key_of(*key), store_key(*key, root_key_));
    return {};
  }));
  std::unique_lock lock(mutex_);
  keys_[key_of(*key)] = key;
  return key;
}

void KeyStore::publish(const Alias& alias) {
  unpublish(key_of(alias));
  aliases_[key_of(alias)] = alias;
  names_of_[target_of(alias)].insert(alias.name);
}
void KeyStore::unpublish(const std::string& k) {
  auto it = aliases_.find(k);
  if (it == aliases_.end()) return;
  auto names = names_of_.find(target_of(it->second));
  names->second.erase(it->second.name);
  if (names->second.empty()) names_of_.erase(names);
  aliases_.erase(it);
}

Result<void> KeyStore::remove_if(const Key& key, const std::function<bool(const Key&)>& still) {
  std::lock_guard writer(writers_);
  auto current = find(key.account, key.region, key.id);
  if (!current || !still(*current)) return {};
  std::vector<std::string> gone;
  for (auto& name : alias_names(key)) gone.push_back(meta::key({key.account, key.region, name}));
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.erase(kKeys, key_of(key));
    for (auto& a : gone) t.erase(kAliases, a);
    return {};
  }));
  std::unique_lock lock(mutex_);
  keys_.erase(key_of(key));
  for (auto& a : gone) unpublish(a);
  return {};
}

Result<void> KeyStore::put_alias(const Alias& alias, bool must_be_new) {
  std::lock_guard writer(writers_);
  bool exists = find_alias(alias.account, alias.region, alias.name).has_value();
  if (must_be_new && exists) return fail(kAlreadyExists, "An alias with the name " + alias.arn() + " already exists");
  if (!must_be_new && !exists) return fail(kNotFound, "Alias " + alias.arn() + " is not found.");
  auto key = find(alias.account, alias.region, alias.key_id);
  if (!key)
    return fail(kNotFound, "Key '" + make_arn("kms", alias.region, alias.account, "key/" + alias.key_id) + "' does not exist");
  if (alias_names(*key).size() >= kAliasesMax)
    return fail(kLimitExceeded,
                "The key " + key->arn() + " has reached the limit of " + std::to_string(kAliasesMax) + " aliases.");
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.put(kAliases, key_of(alias), store_alias(alias));
    return {};
  }));
  std::unique_lock lock(mutex_);
  publish(alias);
  return {};
}

Result<void> KeyStore::remove_alias(const Alias& alias) {
  std::lock_guard writer(writers_);
  TRY_VOID(store_.transact([&](meta::Txn& t) -> Result<void> {
    t.erase(kAliases, key_of(alias));
    return {};
  }));
  std::unique_lock lock(mutex_);
  unpublish(key_of(alias));
  return {};
}

}  // namespace redoubt::keys
