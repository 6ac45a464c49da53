#pragma once
/// IAM's policy simulator, over decide and nothing else. Source: IAM API Reference, "SimulateCustomPolicy" and
/// "SimulatePrincipalPolicy". Pure: the context is what the caller passed, nothing of the simulating request itself.
///
///   SimulationInput in{.principal = alice, .actions = {"s3:GetObject"}, .resources = {"arn:aws:s3:::b/k"}};
///   in.identity = {{"PolicyInputList.1", "IAM Policy", policy}};
///   for (const SimulatedAction& a : simulate(in)) answer(a.action, decision_text(a.effect), a.resources);
///
/// The caller has checked names, counts and the documents; nothing here fails.
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "policy/decide.h"

namespace redoubt::policy {

struct SimulatedPolicy {
  std::string id;    // SourcePolicyId: "PolicyInputList.1", "ResourcePolicy", a policy's name
  std::string type;  // SourcePolicyType: "IAM Policy", "user", "group", "role", "resource", "none", ..
  PolicyPtr policy;
};

struct SimulatedContextEntry {
  std::string key;
  std::vector<std::string> values;  // ContextKeyType only says how AWS checks them; operators bring their own types
};

struct SimulationInput {
  Principal principal;
  std::vector<SimulatedPolicy> identity;
  std::vector<SimulatedPolicy> boundary;  // none or one
  std::optional<SimulatedPolicy> resource;
  std::string resource_account;  // ResourceOwner; "": the principal's
  std::span<const std::span<const NamedPolicy>> scp_levels;
  std::vector<std::string> actions;
  std::vector<std::string> resources;  // none: "*"
  std::vector<SimulatedContextEntry> context;
};

/// Line and column from 1, columns in bytes. `end` is where the text after the statement begins.
struct TextPosition {
  int line = 1, column = 1;
};
TextPosition text_position(std::string_view text, size_t offset);

struct MatchedStatement {
  std::string source_policy_id, source_policy_type;
  TextPosition start, end;
  auto key() const { return std::tuple(source_policy_id, start.line, start.column); }
};

struct SimulatedResource {
  std::string resource;
  Decision::Effect effect = Decision::Effect::implicit_deny;
  std::vector<MatchedStatement> matched;          // the statements that determined it: the Deny, or every Allow
  std::vector<std::string> missing_context_keys;  // MissingContextValues
  std::optional<bool> allowed_by_boundary;        // empty: there is none
  std::optional<bool> allowed_by_organizations;
  /// EvalDecisionDetails, of cross-account simulations only: "IAM Policy" and "Resource Policy".
  std::map<std::string, Decision::Effect> details;
};

/// One per action, in their order. `effect` is the most restrictive of all resources'; the rest is every resource's together.
struct SimulatedAction {
  std::string action;
  Decision::Effect effect = Decision::Effect::implicit_deny;
  std::vector<MatchedStatement> matched;
  std::vector<std::string> missing_context_keys;
  std::optional<bool> allowed_by_boundary, allowed_by_organizations;
  std::map<std::string, Decision::Effect> details;
  std::vector<SimulatedResource> resources;
};
std::vector<SimulatedAction> simulate(const SimulationInput& input);

/// The names that the IAM API gives to conditions keys of the documents: GetContextKeysForCustomPolicy's answer. Variables count.
std::vector<std::string> context_keys(std::span<const SimulatedPolicy> policies);

std::string_view decision_text(Decision::Effect effect);  // "allowed", "explicitDeny", "implicitDeny"

}  // namespace redoubt::policy
