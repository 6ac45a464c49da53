#include "identity/accounts.h"

#include "base/log.h"

namespace redoubt::identity {

namespace {
constexpr std::string_view kAccounts = "iam.accounts", kOrganizations = "iam.organizations";

Result<Json> parsed(std::string_view collection, const meta::Row& row) {
  auto json = Json::parse(row.value);
  if (!json)
    return fail(kInternal, "identity: a record of " + std::string(collection) + " can't be read: " + json.error().message);
  return json;
}

/// Calls visit(account, record) for each row of a collection.
template <class F>
Result<void> each(meta::Reader& reader, std::string_view collection, std::string_view prefix, F visit) {
  for (auto& row : reader.scan_prefix(collection, prefix)) {
    TRY(Json record, parsed(collection, row));
    visit(meta::key_parts(row.key).at(0), record);
  }
  return {};
}

/// Reads the entities below `prefix` ("" for all accounts) into `accounts`.
template <class Map>
Result<void> read_entities(meta::Reader& reader, std::string_view prefix, Map& accounts) {
  auto of = [&](const std::string& id) -> Account* {
    auto it = accounts.find(id);
    return it == accounts.end() ? nullptr : &it->second;
  };
  auto into = [&](auto member, auto read) {
    return [=](const std::string& id, const Json& record) {
      Account* account = of(id);
      if (!account) return;
      auto entity = read(record, id);
      std::string name;
      if constexpr (requires { entity.name; })
        name = entity.name;
      else
        name = entity.id;
      (account->*member).emplace(name, std::make_shared<const decltype(entity)>(std::move(entity)));
    };
  };
  TRY_VOID(each(reader, "iam.users", prefix, into(&Account::users, user_from)));
  TRY_VOID(each(reader, "iam.groups", prefix, into(&Account::groups, group_from)));
  TRY_VOID(each(reader, "iam.roles", prefix, into(&Account::roles, role_from)));
  TRY_VOID(each(reader, "iam.policies", prefix, into(&Account::policies, policy_from)));
  TRY_VOID(each(reader, "iam.profiles", prefix, into(&Account::profiles, profile_from)));
  TRY_VOID(each(reader, "iam.keys", prefix,
                into(&Account::keys, [](const Json& j, const std::string&) { return access_key_from(j); })));
  return {};
}

Account account_row(const Json& record) {
  Account account = account_from(record);
  account.version = uint64_t(record["version"].integer());
  return account;
}
}  // namespace

AccountPtr Draft::finish() {
  ++account_.version;
  txn_.put(kAccounts, meta::key({account_.id}), to_record(account_).set("version", account_.version).dump());
  return std::make_shared<const Account>(std::move(account_));
}

void OrganizationDraft::add_account(Account account, const std::function<void(Draft&)>& fill) {
  Draft draft(txn_, std::move(account));
  fill(draft);
  accounts_.push_back(draft.finish());
}

Result<void> Accounts::load() {
  Result<void> done;
  std::map<std::string, Account> accounts;
  std::vector<Organization> organizations;
  store_.read([&](meta::Reader& reader) {
    done = each(reader, kAccounts, "", [&](const std::string& id, const Json& record) { accounts[id] = account_row(record); });
    if (done) done = read_entities(reader, "", accounts);
    if (done)
      done = each(reader, kOrganizations, "", [&](const std::string&, const Json& record) {
        organizations.push_back(organization_from(record));
        organizations.back().version = uint64_t(record["version"].integer());
      });
  });
  TRY_VOID(done);
  for (auto& [id, account] : accounts) publish(std::make_shared<const Account>(std::move(account)));
  for (auto& organization : organizations) publish(std::make_shared<const Organization>(std::move(organization)), false);
  return {};
}

// -- reading
// --------------------------------------------------------------------------------------------------------------------------

namespace {
template <class Map>
auto lookup(const Map& map, std::string_view key) -> std::optional<typename Map::mapped_type> {
  auto it = map.find(std::string(key));
  if (it == map.end()) return std::nullopt;
  return it->second;
}
}  // namespace

AccountPtr Accounts::find(std::string_view id) const {
  std::shared_lock lock(mutex_);
  return lookup(accounts_, id).value_or(nullptr);
}
OrganizationPtr Accounts::organization_of(std::string_view account) const {
  std::shared_lock lock(mutex_);
  return lookup(organization_of_, account).value_or(nullptr);
}
std::optional<std::string> Accounts::account_of_key(std::string_view access_key_id) const {
  std::shared_lock lock(mutex_);
  return lookup(accounts_of_keys_, access_key_id);
}
std::optional<std::string> Accounts::account_of_principal(std::string_view unique_id) const {
  std::shared_lock lock(mutex_);
  return lookup(accounts_of_principals_, unique_id);
}
std::optional<std::string> Accounts::account_of_canonical_id(std::string_view canonical_id) const {
  std::shared_lock lock(mutex_);
  return lookup(accounts_of_canonical_ids_, canonical_id);
}
std::vector<std::string> Accounts::ids() const {
  std::shared_lock lock(mutex_);
  std::vector<std::string> out;
  for (auto& [id, account] : accounts_) out.push_back(id);
  return out;
}
bool Accounts::alias_taken(std::string_view alias) const {
  std::shared_lock lock(mutex_);
  for (auto& [id, account] : accounts_)
    if (account->alias == alias) return true;
  return false;
}

// -- writing
// --------------------------------------------------------------------------------------------------------------------------

AccountPtr Accounts::current(meta::Txn& txn, const std::string& id) {
  auto row = txn.get(kAccounts, meta::key({id}));
  if (!row) return nullptr;
  auto record = Json::parse(*row);
  if (!record) return nullptr;
  Account stored = account_row(*record);
  if (auto it = working_.find(id); it != working_.end() && it->second->version == stored.version) return it->second;
  if (auto published = find(id); published && published->version == stored.version) return published;
  // A group whose commit failed left working_ ahead of the store, and the published state may be behind: read it anew.
  std::map<std::string, Account> one;
  one.emplace(id, std::move(stored));
  if (!read_entities(txn, meta::key({id}), one)) return nullptr;
  return std::make_shared<const Account>(std::move(one.begin()->second));
}

Result<void> Accounts::write(const std::string& account, const std::function<Result<void>(Draft&)>& work) {
  AccountPtr made;
  TRY_VOID(store_.transact([&](meta::Txn& txn) -> Result<void> {
    AccountPtr base = current(txn, account);
    if (!base) return fail(kInternal, "identity: account " + account + " is not there");
    Draft draft(txn, *base);
    TRY_VOID(work(draft));
    made = working_[account] = draft.finish();
    return {};
  }));
  publish(made);
  return {};
}

Result<void> Accounts::add(Account account, const std::function<void(Draft&)>& fill) {
  AccountPtr made;
  std::string id = account.id;
  TRY_VOID(store_.transact([&](meta::Txn& txn) -> Result<void> {
    if (txn.get(kAccounts, meta::key({id}))) return fail(kInternal, "identity: account " + id + " exists");
    Draft draft(txn, account);
    fill(draft);
    made = working_[id] = draft.finish();
    return {};
  }));
  publish(made);
  return {};
}

OrganizationPtr Accounts::current_organization(meta::Txn& txn, const std::string& id) {
  if (id.empty()) return std::make_shared<const Organization>();
  auto row = txn.get(kOrganizations, meta::key({id}));
  if (!row) return nullptr;
  auto record = Json::parse(*row);
  if (!record) return nullptr;
  uint64_t version = uint64_t((*record)["version"].integer());
  if (auto it = working_organizations_.find(id); it != working_organizations_.end() && it->second->version == version)
    return it->second;
  Organization read = organization_from(*record);
  read.version = version;
  return std::make_shared<const Organization>(std::move(read));
}

Result<void> Accounts::write_organization(const std::string& organization,
                                          const std::function<Result<void>(OrganizationDraft&)>& work) {
  OrganizationPtr made;
  std::vector<AccountPtr> accounts;
  bool erased = false;
  TRY_VOID(store_.transact([&](meta::Txn& txn) -> Result<void> {
    OrganizationPtr base = current_organization(txn, organization);
    if (!base) return fail(kInternal, "identity: organization " + organization + " is not there");
    OrganizationDraft draft(txn, *base);
    TRY_VOID(work(draft));
    CHECK(!draft.organization.id.empty());
    ++draft.organization.version;
    std::string key = meta::key({draft.organization.id});
    erased = draft.erased_;
    if (erased)
      txn.erase(kOrganizations, key);
    else
      txn.put(kOrganizations, key, to_record(draft.organization).set("version", draft.organization.version).dump());
    accounts = std::move(draft.accounts_);
    for (auto& account : accounts) working_[account->id] = account;
    made = std::make_shared<const Organization>(std::move(draft.organization));
    working_organizations_[made->id] = made;
    return {};
  }));
  for (auto& account : accounts) publish(account);
  publish(made, erased);
  return {};
}

void Accounts::publish(const AccountPtr& account) {
  std::unique_lock lock(mutex_);
  auto& published = accounts_[account->id];
  // A write that committed later may have published first; it holds this one's changes.
  if (!published || published->version < account->version) published = account;
  index(*account);
}

void Accounts::index(const Account& account) {
  accounts_of_canonical_ids_[account.canonical_id] = account.id;
  for (auto& [id, key] : account.keys) accounts_of_keys_.try_emplace(id, account.id);
  for (auto& [name, user] : account.users) accounts_of_principals_.try_emplace(user->id, account.id);
  for (auto& [name, role] : account.roles) accounts_of_principals_.try_emplace(role->id, account.id);
}

void Accounts::publish(const OrganizationPtr& organization, bool erased) {
  std::unique_lock lock(mutex_);
  auto& published = organizations_[organization->id];
  if (published && published->version >= organization->version) return;
  published = organization;
  std::erase_if(organization_of_, [&](auto& entry) { return entry.second->id == organization->id; });
  if (erased) {
    organizations_.erase(organization->id);
    return;
  }
  for (auto& [id, account] : organization->accounts) organization_of_[id] = organization;
}

}  // namespace redoubt::identity
