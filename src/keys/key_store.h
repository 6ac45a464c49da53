#pragma once
/// All keys and aliases: an in-memory picture of collections kms.keys and kms.aliases, changed only together with them.
/// Threads: any. Readers get immutable keys; writers wait for the disk.
#include <functional>
#include <mutex>
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
  std::vector<KeyPtr> all() const;

  Result<KeyPtr> add(Key key, const Alias* alias = nullptr);
  /// Changes a copy, stores and publishes it. Errors: `change`'s; kNotFound when it is gone.
  Result<KeyPtr> update(const Key& key, const std::function<Result<void>(Key&)>& change);
  Result<void> remove(const Key& key);  // with its aliases
  Result<void> put_alias(const Alias& alias, bool must_be_new);
  Result<void> remove_alias(const Alias& alias);

 private:
  meta::Store& store_;
  std::string root_key_;
  std::mutex writers_;  // one change at a time, held while it becomes durable
  mutable std::shared_mutex mutex_;
  std::map<std::string, KeyPtr, std::less<>> keys_;  // by meta::key({account, region, id})
  std::map<std::string, Alias, std::less<>> aliases_;
};

}  // namespace redoubt::keys
