#pragma once
/// The policies that apply to a principal or to an account's resources, gathered from snapshots and kept until one of them
/// changes. Threads: any.
#include <mutex>
#include <unordered_map>

#include "access/directory.h"
#include "identity/accounts.h"

namespace redoubt::identity {

class Layers {
 public:
  explicit Layers(const Accounts& accounts) : accounts_(accounts) {}
  std::shared_ptr<const access::PrincipalPolicies> of(const access::Caller& caller);
  std::shared_ptr<const access::AccountPolicies> of_resources(std::string_view account);

 private:
  /// Valid while both snapshots are the current ones.
  template <class T>
  struct Entry {
    AccountPtr account;
    OrganizationPtr organization;
    std::shared_ptr<const T> policies;
  };
  const Accounts& accounts_;
  std::mutex mutex_;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  using ById = std::unordered_map<std::string, Entry<access::PrincipalPolicies>, Hash, std::equal_to<>>;
  ById principals_[8];  // by principal type, then unique id; guarded by mutex_
  std::unordered_map<std::string, Entry<access::AccountPolicies>> owners_;  // by account; guarded by mutex_
};

}  // namespace redoubt::identity
