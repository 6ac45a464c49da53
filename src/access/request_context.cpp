#include "access/request_context.h"

namespace redoubt::access {

using policy::PrincipalType;

namespace {

std::string_view principal_type_name(PrincipalType type) {
  switch (type) {
    case PrincipalType::root:
      return "Account";
    case PrincipalType::user:
      return "User";
    case PrincipalType::assumed_role:
      return "AssumedRole";
    case PrincipalType::federated_user:
      return "FederatedUser";
    case PrincipalType::anonymous:
      return "Anonymous";
    case PrincipalType::federated:
    case PrincipalType::service:
      return {};
  }
  return {};
}

void fill_principal(policy::Context& context, const Caller& caller, const PrincipalPolicies& principal) {
  if (auto name = principal_type_name(caller.type); !name.empty()) context.set("aws:PrincipalType", name);
  if (caller.type == PrincipalType::anonymous) {
    context.set("aws:PrincipalAccount", "anonymous");
    context.set("aws:userid", "anonymous");
    return;
  }
  context.set_bool("aws:PrincipalIsAWSService", caller.type == PrincipalType::service);
  if (caller.type == PrincipalType::service) {
    context.set("aws:PrincipalServiceName", caller.service);
    context.set_list("aws:PrincipalServiceNamesList", {std::string_view(caller.service)});
    return;
  }
  if (!caller.federated_provider.empty()) context.set("aws:FederatedProvider", caller.federated_provider);
  if (caller.type == PrincipalType::federated) {
    for (auto& [key, value] : caller.session_context) context.set(key, value);
    return;
  }
  context.set("aws:PrincipalAccount", caller.account);
  // Of a role session the role's ARN; of a federated user the session's, of all others the only one they have.
  context.set("aws:PrincipalArn", caller.type == PrincipalType::assumed_role ? caller.issuer_arn : caller.arn);
  context.set("aws:userid", caller.user_id);
  if (caller.type == PrincipalType::user) context.set("aws:username", caller.user_name);
  if (!principal.organization_id.empty()) {
    context.set("aws:PrincipalOrgID", principal.organization_id);
    context.set_list("aws:PrincipalOrgPaths", {std::string_view(principal.organization_path)});
  }
  for (auto& [key, value] : principal.tags)
    if (!caller.session_tags.contains(key)) context.set("aws:PrincipalTag/" + key, value);
  for (auto& [key, value] : caller.session_tags) context.set("aws:PrincipalTag/" + key, value);
  if (caller.temporary) {
    context.set("aws:TokenIssueTime", iso8601(caller.token_issued));
    context.set_bool("aws:MultiFactorAuthPresent", false);
  }
  if (!caller.source_identity.empty()) context.set("aws:SourceIdentity", caller.source_identity);
  for (auto& [key, value] : caller.session_context) context.set(key, value);
}

void fill_path(policy::Context& context, const Call& call) {
  context.set_bool("aws:SecureTransport", call.path.tls);
  if (call.path.vpc_endpoint_id.empty()) {
    context.set("aws:SourceIp", call.path.peer.str());
  } else {
    context.set("aws:VpcSourceIp", call.path.peer.str());
    context.set("aws:SourceVpce", call.path.vpc_endpoint_id);
    context.set("aws:SourceVpc", call.path.vpc_id);
  }
  if (!call.user_agent.empty()) context.set("aws:UserAgent", call.user_agent);
  if (!call.referer.empty()) context.set("aws:Referer", call.referer);
}

void fill_chain(policy::Context& context, const Call& call) {
  context.set_bool("aws:ViaAWSService", call.via_aws_service());
  if (!call.called_via.empty()) {
    context.set_list("aws:CalledVia", call.called_via);
    context.set("aws:CalledViaFirst", call.called_via.front());
    context.set("aws:CalledViaLast", call.called_via.back());
  }
  if (!call.source_account.empty()) context.set("aws:SourceAccount", call.source_account);
  if (!call.source_arn.empty()) context.set("aws:SourceArn", call.source_arn);
}

/// s3:authType and the like tell how the request itself was signed: a forwarded call wasn't.
void fill_s3(policy::Context& context, const Call& call) {
  if (!call.auth_type.empty()) context.set("s3:authType", call.auth_type);
  if (!call.signature_version.empty()) context.set("s3:signatureversion", call.signature_version);
  if (call.signature_age_ms >= 0) context.set_int("s3:signatureAge", call.signature_age_ms);
  if (!call.content_sha256.empty()) context.set("s3:x-amz-content-sha256", call.content_sha256);
  if (call.path.tls && call.path.tls_version.starts_with("TLSv")) context.set("s3:TlsVersion", call.path.tls_version.substr(4));
}

}  // namespace

void fill_request_context(policy::Context& context, const Call& call, const PrincipalPolicies& principal,
                          std::string_view service) {
  fill_principal(context, *call.caller, principal);
  fill_path(context, call);
  fill_chain(context, call);
  context.set("aws:RequestedRegion", call.region);
  context.set("aws:CurrentTime", iso8601(call.now));
  context.set_int("aws:EpochTime", call.now.seconds());
  if (service == "s3") fill_s3(context, call);
  if (service == "kms") {
    if (!call.caller->account.empty()) context.set("kms:CallerAccount", call.caller->account);
    if (!call.via_service.empty()) context.set("kms:ViaService", call.via_service);
  }
}

void fill_resource_context(policy::Context& context, const Resource& resource, std::string_view owner,
                           const AccountPolicies& policies, std::string_view service) {
  if (!owner.empty()) {
    context.set("aws:ResourceAccount", owner);
    if (service == "s3") context.set("s3:ResourceAccount", owner);
  }
  if (!policies.organization_id.empty()) {
    context.set("aws:ResourceOrgID", policies.organization_id);
    context.set_list("aws:ResourceOrgPaths", {std::string_view(policies.organization_path)});
  }
  // IAM's older names for the same tags. A role's tags are IAM's also when STS asks.
  std::string_view older = service == "sts" ? "iam" : service;
  bool has_older = older == "iam" || older == "ec2" || older == "redshift";
  for (auto& [key, value] : resource.tags) {
    context.set("aws:ResourceTag/" + key, value);
    if (has_older) context.set(std::string(older) + ":ResourceTag/" + key, value);
  }
  for (auto& [key, values] : resource.context) context.set_list(key, values);
}

}  // namespace redoubt::access
