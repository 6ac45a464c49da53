#pragma once
/// May this principal do this action on this resource? Source: IAM User Guide, "Policy evaluation logic".
///
///   Layers layers;                       // spans into the caller's snapshot; nothing is copied
///   layers.identity = role.policies;
///   layers.resource = {"", bucket.policy.get()};  layers.resource_rule = ResourceRule::optional;
///   Decision d = decide(layers, {principal, "s3:GetObject", "arn:aws:s3:::b/k", "111122223333", context});
///   if (!d.allowed()) return fail(kAccessDenied, denial_text(d, request, DenialStyle::s3));
///
/// decide is pure, allocates nothing and takes no lock. The order is AWS's: an explicit Deny in any layer wins; then RCPs, SCPs,
/// endpoint policy, resource policy, identity policies, permissions boundary and session policies must allow as the guide's
/// two flows (same account, cross-account) say. Across accounts the requester's side is asked before the resource policy, so
/// that the layer named in a denial tells nothing about the other account to someone who may do nothing anyway.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "policy/context.h"
#include "policy/policy.h"

namespace redoubt::policy {

enum class PrincipalType : uint8_t {
  anonymous,       // an unsigned request
  root,            // an account's root user
  user,            // an IAM user, also by GetSessionToken
  assumed_role,    // a role session
  federated_user,  // GetFederationToken
  federated,       // a SAML or web identity about to assume a role: only its provider is known
  service,         // redshift.amazonaws.com acting for itself (assuming a role); forwarded calls are judged as their caller
};

/// Who asks. Views; the caller keeps the text alive during decide.
struct Principal {
  PrincipalType type = PrincipalType::anonymous;
  std::string_view account;     // 12 digits; "" for anonymous, service, federated
  std::string_view arn;         // user ARN, arn:aws:sts::A:assumed-role/R/S, arn:aws:iam::A:root, ..:federated-user/N
  std::string_view issuer_arn;  // role ARN of a session, user ARN of a user or federated user: what aws:PrincipalArn is made of
  std::string_view unique_id;   // AIDA.. of a user or federated user's issuer, AROA.. of a session's role; of root the account id
  std::string_view user_id;     // aws:userid: AIDA.., AROA..:session, account:name, account
  std::string_view service;     // redshift.amazonaws.com
  std::string_view provider;    // federated: provider ARN or web identity host
  std::string_view canonical_id;  // of the account, 64 hex digits, S3 only; may be ""
};

struct Request {
  const Principal& principal;
  std::string_view action;            // s3:GetObject
  std::string_view resource;          // ARN, or "*" for actions without resource types
  std::string_view resource_account;  // "" where nobody owns the resource: then the principal's
  const Context& context;
};

/// A policy with the name that decisions report: an ARN for managed policies, the name for inline ones, "" for resource policies.
struct NamedPolicy {
  std::string_view name;
  const Policy* policy = nullptr;
};

/// What a resource policy means for a type of resource.
enum class ResourceRule : uint8_t {
  none,      // the type has no policies: identity policies decide, other accounts are out
  optional,  // buckets: in the same account identity or resource policy suffices
  required,  // keys, role trust: the resource policy itself must allow, by naming the principal or its account
};

enum class Layer : uint8_t { none, rcp, scp, endpoint, resource, grant, identity, boundary, session, root };

/// The policies that apply. An empty span or null policy means that the layer doesn't apply, never that it failed to load:
/// whoever can't load a layer must not decide.
struct Layers {
  /// From the organization's root down to the account: each level must allow by one of its policies. Empty: the principal is
  /// not in an organization, in its management account, a service-linked role, or no account's (services, anonymous).
  std::span<const std::span<const NamedPolicy>> scp_levels;
  /// The resource's account's, same shape. Empty also for resources of the management account.
  std::span<const std::span<const NamedPolicy>> rcp_levels;
  NamedPolicy endpoint;  // the VPC endpoint the request came through
  NamedPolicy resource;
  ResourceRule resource_rule = ResourceRule::none;
  /// A KMS grant already allows this action to this principal: stands for an Allow of the key policy to the role or user.
  bool granted = false;
  std::span<const NamedPolicy> identity;  // of user, its groups, or role
  NamedPolicy boundary;
  std::span<const NamedPolicy> session;  // passed to AssumeRole; one of them must allow
};

struct Decision {
  enum class Effect : uint8_t { allow, explicit_deny, implicit_deny };
  Effect effect = Effect::implicit_deny;
  /// The layer that decided: whose Deny matched, whose Allow was missing, or whose Allow granted (grant: Layers::granted,
  /// root: the account's root user by default).
  Layer layer = Layer::none;
  bool cross_account = false;
  std::string_view policy_name;    // of the policy that holds `statement`
  const Policy* policy = nullptr;  // null for implicit denies
  StatementInfo statement;

  bool allowed() const { return effect == Effect::allow; }
};

Decision decide(const Layers& layers, const Request& request);

std::string_view layer_name(Layer layer);      // "scp", "identity", ..
std::string_view layer_in_words(Layer layer);  // "service control policy", "identity-based policy", ..: as AWS's messages say

/// How a service words its denials. Source: IAM User Guide, "Troubleshoot access denied error messages".
enum class DenialStyle : uint8_t {
  standard,   // User: .. is not authorized to perform: .. on resource: .. because no .. policy allows the .. action
  s3,         // the same with the resource in double quotes
  kms,        // the same; without a resource-side Allow KMS's sentence on keys that may not exist
  no_reason,  // sts:AssumeRole: nothing after the resource, so that a role that doesn't exist looks alike
  plain,      // Access Denied
};
/// For a Decision that isn't allow. Names nothing but the request's own principal, action and resource, and in explicit denies
/// of policies of the caller's side the policy's ARN.
std::string denial_text(const Decision& decision, const Request& request, DenialStyle style);

/// Every layer and statement with the reason why it matched or not, from the same matchers as decide: for `redoubt why`, the
/// simulator and DecodeAuthorizationMessage. Owns its text.
struct StatementReport {
  size_t index = 0;
  std::string sid;
  bool allow = false, matched = false;
  std::string because;  // "action", "resource", "principal", "condition StringEquals aws:x: has a, b; wants c"
};
struct PolicyReport {
  std::string name;
  std::vector<StatementReport> statements;
};
struct LayerReport {
  Layer layer = Layer::none;
  int level = -1;                                             // of scp and rcp: 0 is the root
  Decision::Effect effect = Decision::Effect::implicit_deny;  // of this layer alone
  std::vector<PolicyReport> policies;
};
struct Explanation {
  Decision::Effect effect = Decision::Effect::implicit_deny;
  Layer layer = Layer::none;
  bool cross_account = false;
  std::string policy_name, sid;
  int statement = -1;
  std::string principal, action, resource, resource_account;
  std::vector<LayerReport> layers;
  std::vector<std::pair<std::string, std::vector<std::string>>> context;
  /// Condition keys that a statement asked for and the request doesn't have (SimulateCustomPolicy's MissingContextValues).
  std::vector<std::string> missing_context_keys;

  Json json() const;
};
Explanation explain(const Layers& layers, const Request& request);

}  // namespace redoubt::policy
