#include "access/deciding.h"

#include "access/request_context.h"
#include "access/state.h"

namespace redoubt::access {

Deciding::Deciding(Gate& gate, const Call& call, const PrincipalPolicies& principal, const Resource& resource,
                   const policy::Context& context, std::string_view action)
    : owner_(resource.account.empty() ? std::string_view(call.caller->account) : std::string_view(resource.account)),
      owner_policies_(gate.directory().account(owner_)),
      principal_(call.caller->principal()),
      context_(&context),
      request_{principal_, action, resource.arn, owner_, context_} {
  std::string_view service = action.substr(0, action.find(':'));
  if (service == "s3") principal_.canonical_id = principal.canonical_id;
  fill_resource_context(context_, resource, owner_, *owner_policies_, service);
  for (size_t i = 0; i < call.caller->session_policies.size(); ++i)
    session_.push_back({call.caller->session_policy_names[i], call.caller->session_policies[i].get()});
  layers_.scp_levels = principal.scp_levels;
  layers_.rcp_levels = owner_policies_->rcp_levels;
  layers_.identity = principal.identity;
  layers_.boundary = principal.boundary;
  layers_.session = session_;
  layers_.resource = {"", resource.policy.get()};
  layers_.resource_rule = resource.rule;
  layers_.granted = resource.granted;
  if (!call.path.vpc_endpoint_id.empty()) {
    Result<policy::PolicyPtr> endpoint = gate.endpoint_policy(call.path.vpc_endpoint_id);
    if (!endpoint) {
      ready_ = std::unexpected(endpoint.error());
    } else {
      endpoint_ = std::move(*endpoint);
      layers_.endpoint = {call.path.vpc_endpoint_id, endpoint_.get()};
    }
  }
}

}  // namespace redoubt::access
