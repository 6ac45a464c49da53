#pragma once
/// sts:AssumeRole. Who may is decided by the Gate over the role's trust policy and the caller's own policies; a role that doesn't
/// exist is denied in the same words as one that doesn't trust the caller. Source: STS API Reference, "AssumeRole"; identity.md
/// §8.
#include "identity/session.h"

namespace redoubt::identity {

class AssumeRole {
 public:
  explicit AssumeRole(Parts& parts) : parts_(parts) {}
  void declare(access::Gate& gate);

 private:
  using In = sts::AssumeRoleRequest;
  Result<std::vector<access::Resource>> role(const In& in, const access::Call& call) const;
  static void fill_context(const In& in, const access::Call& call, policy::Context& context);
  Result<sts::AssumeRoleResponse> assume(const access::Allowed<In>& r);
  Parts& parts_;
};

}  // namespace redoubt::identity
