#pragma once
/// KMS. Other services reach it only through the Gate (api::kms::op::*), as their caller.
///
///   Keys keys(store, root_key, clock);
///   TRY_VOID(keys.load());
///   keys.declare(gate);
///   keys.tick();       // now and then: finishes deletions whose waiting period is over, rotates what is due
///
/// Source: AWS KMS API Reference. Symmetric encryption keys (SYMMETRIC_DEFAULT) are what is built; other key specs, imported
/// material, custom key stores and multi-Region keys are refused by name.
#include <string>

#include "access/gate.h"
#include "keys/key_store.h"

namespace redoubt::keys {

class Keys {
 public:
  Keys(meta::Store& store, std::string root_key, Clock& clock) : store_(store, std::move(root_key)), clock_(clock) {}
  Result<void> load() { return store_.load(); }
  void declare(access::Gate& gate);
  void tick();

 private:
  void declare_lifecycle();
  void declare_aliases();
  void declare_grants();
  void declare_crypto();

  /// What a KeyId parameter names: id, key ARN, alias name or alias ARN.
  struct Named {
    KeyPtr key;       // null: there is none
    std::string arn;  // of the key; of what was named where there is none
    std::string account;
    std::string alias;  // "alias/x" if it was named so: kms:RequestAlias
    std::optional<Error> missing;
  };
  Named find(std::string_view key_id, const access::Call& call) const;
  /// The key as a decision sees it, with itself as found<Key>(); `action` and `context` decide whether a grant covers it.
  access::Resource resource(const Named& named, const access::Call& call, std::string_view action,
                            const EncryptionContext& context) const;
  access::Resource resource_of(const KeyPtr& key, const access::Call& call, std::string_view action,
                               const EncryptionContext& context) const;
  static Result<void> check_usable(const Key& key);  // in state Enabled, else kDisabled, kInvalidState
  static Result<void> check_mine(const Key& key);    // AWS managed keys can't be changed: kUnsupportedOperation

  Material new_material(bool on_demand) const;
  Result<void> set_policy(Key& key, std::string_view document, bool bypass_lockout_check, const access::Call& call) const;
  /// alias/aws/s3 comes into being when a service first uses it for the caller's account.
  KeyPtr managed_key(std::string_view alias, const access::Call& call) const;

  template <class In>
  access::Need<In> needs_key(std::string_view action);
  /// Which operations reach keys of other accounts, given the permissions. Source: KMS Developer Guide, "Allowing users in other
  /// accounts to use a KMS key".
  enum class Reach : uint8_t { own_account, any_account };
  /// An operation on the key that its KeyId names; the handler gets the very key that was decided on.
  template <class Op>
  void key_operation(
      std::string_view action, Reach reach,
      std::function<Result<typename Op::Output>(const access::Allowed<typename Op::Input>&, const KeyPtr&)> handler,
      bool read_only, std::vector<std::string_view> secrets = {});

  mutable KeyStore store_;
  Clock& clock_;
  access::Gate* gate_ = nullptr;
};

}  // namespace redoubt::keys
