#pragma once
/// All accounts and organizations: what is committed, as immutable snapshots, and how it changes. A write copies the account
/// (sharing its entities), puts the changed rows into the metadata store and publishes the copy once they are durable. Writes of
/// many callers commit in groups; each sees the ones before it, published or not. Threads: any. Reads take a short shared lock
/// and never touch the disk; writes block until durable.
#include <functional>
#include <shared_mutex>
#include <unordered_map>

#include "identity/model.h"
#include "identity/records.h"
#include "meta/store.h"

namespace redoubt::identity {

/// Changes to one account within a write. Everything goes through put and erase, so that rows and snapshot can't differ.
class Draft {
 public:
  const Account& account() const { return account_; }
  void put(User user) { put_in(account_.users, "iam.users", std::move(user)); }
  void put(Group group) { put_in(account_.groups, "iam.groups", std::move(group)); }
  void put(Role role) { put_in(account_.roles, "iam.roles", std::move(role)); }
  void put(ManagedPolicy policy) { put_in(account_.policies, "iam.policies", std::move(policy)); }
  void put(InstanceProfile profile) { put_in(account_.profiles, "iam.profiles", std::move(profile)); }
  void put(AccessKey key) { put_in(account_.keys, "iam.keys", std::move(key)); }
  void erase_user(const std::string& name) { erase_from(account_.users, "iam.users", name); }
  void erase_group(const std::string& name) { erase_from(account_.groups, "iam.groups", name); }
  void erase_role(const std::string& name) { erase_from(account_.roles, "iam.roles", name); }
  void erase_policy(const std::string& name) { erase_from(account_.policies, "iam.policies", name); }
  void erase_profile(const std::string& name) { erase_from(account_.profiles, "iam.profiles", name); }
  void erase_access_key(const std::string& id) { erase_from(account_.keys, "iam.keys", id); }
  void set_alias(std::string alias) { account_.alias = std::move(alias); }

 private:
  friend class Accounts;
  friend class OrganizationDraft;
  Draft(meta::Txn& txn, Account account) : txn_(txn), account_(std::move(account)) {}
  template <class T>
  void put_in(ByName<T>& map, std::string_view collection, T entity) {
    std::string name;
    if constexpr (std::is_same_v<T, AccessKey>)
      name = entity.id;
    else
      name = entity.name;
    txn_.put(collection, meta::key({account_.id, name}), to_record(entity).dump());
    map.insert_or_assign(name, std::make_shared<const T>(std::move(entity)));
  }
  template <class T>
  void erase_from(ByName<T>& map, std::string_view collection, const std::string& name) {
    txn_.erase(collection, meta::key({account_.id, name}));
    map.erase(name);
  }
  AccountPtr finish();  // writes the account's own row, one version on
  meta::Txn& txn_;
  Account account_;
};

/// Changes to an organization, and accounts made with it.
class OrganizationDraft {
 public:
  Organization organization;
  /// A new account, with what `fill` puts into it.
  void add_account(Account account, const std::function<void(Draft&)>& fill);
  /// Its rows go; for DeleteOrganization.
  void erase() { erased_ = true; }

 private:
  friend class Accounts;
  OrganizationDraft(meta::Txn& txn, Organization o) : organization(std::move(o)), txn_(txn) {}
  meta::Txn& txn_;
  std::vector<AccountPtr> accounts_;
  bool erased_ = false;
};

class Accounts {
 public:
  explicit Accounts(meta::Store& store) : store_(store) {}
  /// Reads everything. Errors: kInternal for a record that can't be read.
  Result<void> load();

  AccountPtr find(std::string_view id) const;
  /// Of which the account is a member; null: of none.
  OrganizationPtr organization_of(std::string_view account) const;
  /// The account that an access key or a user or role id (AIDA.., AROA..) belonged to when it was last seen. A hint: ask the
  /// account.
  std::optional<std::string> account_of_key(std::string_view access_key_id) const;
  std::optional<std::string> account_of_principal(std::string_view unique_id) const;
  std::optional<std::string> account_of_canonical_id(std::string_view canonical_id) const;
  std::vector<std::string> ids() const;
  /// Whether any account has that alias.
  bool alias_taken(std::string_view alias) const;

  /// `work` runs on the store's writer thread: it must not wait, nor call back in here. Errors: its own; the store's; kInternal
  /// when there is no such account.
  Result<void> write(const std::string& account, const std::function<Result<void>(Draft&)>& work);
  /// A first account. Errors: as above; kInternal when it exists.
  Result<void> add(Account account, const std::function<void(Draft&)>& fill);
  /// `organization`: its id; "" for a new one, that `work` fills.
  Result<void> write_organization(const std::string& organization, const std::function<Result<void>(OrganizationDraft&)>& work);

 private:
  AccountPtr current(meta::Txn& txn, const std::string& id);
  OrganizationPtr current_organization(meta::Txn& txn, const std::string& id);
  void publish(const AccountPtr& account);
  void publish(const OrganizationPtr& organization, bool erased);
  void index(const Account& account);

  meta::Store& store_;
  /// The newest state of each, maybe not yet durable; of the store's writer thread alone. One that didn't become durable is told
  /// by its version, which the store doesn't have.
  std::unordered_map<std::string, AccountPtr> working_;
  std::unordered_map<std::string, OrganizationPtr> working_organizations_;

  mutable std::shared_mutex mutex_;  // all below: the published state
  std::unordered_map<std::string, AccountPtr> accounts_;
  std::unordered_map<std::string, OrganizationPtr> organizations_, organization_of_;
  std::unordered_map<std::string, std::string> accounts_of_keys_, accounts_of_principals_, accounts_of_canonical_ids_;
};

}  // namespace redoubt::identity
