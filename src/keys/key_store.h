#pragma once
/// All keys and aliases: an in-memory picture of collections kms.keys and kms.aliases, changed only together with them.
/// Threads: any. Readers get immutable keys; writers wait for the disk.
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>

#include "keys/errors.h"
#include "keys/key.h"
#include "meta/store.h"

namespace redoubt::keys {

struct Alias {
  std::string account, region, name;  // name with its "alias/"
  std::string key_id;
  Timestamp created, updated;
  std::string arn() const { return make_arn("kms", region, account, name); }
};

class KeyStore {
 public:
  /// `root_key`: 32 bytes that wrap all key material.
  KeyStore(meta::Store& store, std::string root_key);
  /// Reads everything. Errors: kInternal (damaged record, wrong root key).
  Result<void> load();

  KeyPtr find(std::string_view account, std::string_view region, std::string_view id) const;  // nullptr: none
  std::optional<Alias> find_alias(std::string_view account, std::string_view region, std::string_view name) const;
  std::vector<KeyPtr> list(std::string_view account, std::string_view region) const;    // by id
  std::vector<Alias> aliases(std::string_view account, std::string_view region) const;  // by name
  std::vector<std::string> alias_names(const Key& key) const;                           // of one key
  std::vector<KeyPtr> all() const;

  Result<KeyPtr> add(Key key, const Alias* alias = nullptr);
  /// Changes a copy, stores and publishes it. Errors: `change`'s; kNotFound when it is gone.
  Result<KeyPtr> update(const Key& key, const std::function<Result<void>(Key&)>& change);
  /// Removes the key with its aliases if `still` holds for what it is by now. Errors: of the store.
  Result<void> remove_if(const Key& key, const std::function<bool(const Key&)>& still);
  /// Errors: kAlreadyExists, kNotFound (no such alias, key gone), kLimitExceeded.
  Result<void> put_alias(const Alias& alias, bool must_be_new);
  Result<void> remove_alias(const Alias& alias);

 private:
  void publish(const Alias& alias);      // under mutex_
  void unpublish(const std::string& k);  // under mutex_
  meta::Store& store_;
  std::string root_key_;
  std::mutex writers_;                                                  // one change at a time, held while it becomes durable
  mutable std::shared_mutex mutex_;                                     // guards all below
  std::map<std::string, KeyPtr, std::less<>> keys_;                     // by meta::key({account, region, id})
  std::map<std::string, Alias, std::less<>> aliases_;                   // by meta::key({account, region, name})
  std::map<std::string, std::set<std::string>, std::less<>> names_of_;  // alias names by their key's key
};

}  // namespace redoubt::keys
