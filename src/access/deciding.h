#pragma once
/// One decision's inputs, gathered: the layers of principal, resource and path, and the context of all three. Keeps every
/// snapshot that the views point into. Used by the Passage and by Gate::decide alone.
#include "access/directory.h"
#include "access/gate.h"

namespace redoubt::access {

class Deciding {
 public:
  /// All references outlive it.
  Deciding(Gate& gate, const Call& call, const PrincipalPolicies& principal, const Resource& resource,
           const policy::Context& context, std::string_view action);
  Deciding(const Deciding&) = delete;
  /// Err: a layer that applies can't be had (an unknown VPC endpoint): there must be no decision.
  Result<void> ready() const { return ready_; }
  const policy::Layers& layers() const { return layers_; }
  const policy::Request& request() const { return request_; }
  const AccountPolicies& owner_policies() const { return *owner_policies_; }

 private:
  std::string_view owner_;
  std::shared_ptr<const AccountPolicies> owner_policies_;
  policy::Principal principal_;
  policy::Context context_;
  std::vector<policy::NamedPolicy> session_;
  policy::PolicyPtr endpoint_;
  policy::Layers layers_;
  policy::Request request_;
  Result<void> ready_;
};

}  // namespace redoubt::access
