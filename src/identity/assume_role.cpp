#include "identity/assume_role.h"

#include <algorithm>

#include "base/arn.h"

namespace redoubt::identity {

using access::Allowed;
using access::Call;
using access::Caller;
using access::Resource;
using policy::PrincipalType;

namespace {
constexpr int64_t kDefaultDuration = 3600, kChainedDurationMax = 3600;

bool is_chaining(const Caller& caller) { return caller.type == PrincipalType::assumed_role; }
bool is_transitive(const Caller& caller, std::string_view key) {
  return std::any_of(caller.transitive_tag_keys.begin(), caller.transitive_tag_keys.end(),
                     [&](auto& k) { return iequals(k, key); });
}
bool passes_tags(const sts::AssumeRoleRequest& in, const Call& call) {
  return (in.Tags && !in.Tags->empty()) || !call.caller->transitive_tag_keys.empty();
}
/// The source identity of the session to be; "" without.
std::string source_identity(const sts::AssumeRoleRequest& in, const Call& call) {
  return in.SourceIdentity ? *in.SourceIdentity : call.caller->source_identity;
}

/// Session tags of the new session: what the caller's session hands on, and what is passed. Errors: kInvalidParameterValue.
Result<std::map<std::string, std::string, ILess>> session_tags(const sts::AssumeRoleRequest& in, const Caller& caller) {
  TRY(auto tags, passed_tags(in.Tags));
  for (auto& [key, value] : tags)
    if (is_transitive(caller, key))
      return fail(kInvalidParameterValue,
                  "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the "
                  "calling session.");
  for (auto& key : in.TransitiveTagKeys.value_or(std::vector<std::string>{}))
    if (!tags.contains(key))
      return fail(kInvalidParameterValue, "The specified transitive tag key must be included in the requested tags.");
  for (auto& [key, value] : caller.session_tags)
    if (is_transitive(caller, key)) tags.emplace(key, value);
  return tags;
}

Result<int64_t> duration(const sts::AssumeRoleRequest& in, const Caller& caller, const Role& role) {
  int64_t wanted = in.DurationSeconds.value_or(kDefaultDuration);
  if (is_chaining(caller) && wanted > kChainedDurationMax)
    return fail(kValidationError,
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
  if (wanted > role.max_session_s)
    return fail(kValidationError, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  return wanted;
}
}  // namespace

Result<std::vector<Resource>> AssumeRole::role(const In& in, const Call& call) const {
  auto arn = Arn::parse(in.RoleArn);
  if (!arn || arn->partition != "aws" || arn->service != "iam" || !is_account_id(arn->account) ||
      !arn->resource.starts_with("role/"))
    return fail(kValidationError, in.RoleArn + " is invalid");
  const Caller& caller = *call.caller;
  if (caller.type == PrincipalType::root) return fail(access::kAccessDenied, "Roles may not be assumed by root accounts.");
  Resource out;
  out.arn = in.RoleArn;
  out.account = arn->account;
  out.rule = policy::ResourceRule::required;
  if (auto found = find_principal(parts_.accounts, in.RoleArn); found.role) {
    out.policy = found.role->trust->policy();
    out.tags = found.role->tags;
    // Tags that the calling session hands on count as the role's where both have the key.
    for (auto& [key, value] : caller.session_tags)
      if (is_transitive(caller, key) && out.tags.contains(key)) out.tags[key] = value;
  }
  return std::vector{std::move(out)};
}

void AssumeRole::fill_context(const In& in, const Call& call, policy::Context& context) {
  context.set("sts:RoleSessionName", in.RoleSessionName);
  if (in.ExternalId) context.set("sts:ExternalId", *in.ExternalId);
  if (std::string identity = source_identity(in, call); !identity.empty()) context.set("sts:SourceIdentity", identity);
  if (in.TransitiveTagKeys && !in.TransitiveTagKeys->empty()) context.set_list("sts:TransitiveTagKeys", *in.TransitiveTagKeys);
  if (!in.Tags || in.Tags->empty()) return;
  std::vector<std::string> keys;
  for (auto& tag : *in.Tags) {
    context.set("aws:RequestTag/" + tag.Key, tag.Value);
    keys.push_back(tag.Key);
  }
  context.set_list("aws:TagKeys", keys);
}

Result<sts::AssumeRoleResponse> AssumeRole::assume(const Allowed<In>& r) {
  const In& in = r.input;
  const Caller& caller = *r.call.caller;
  TRY_VOID(refuse_unsupported(in));
  auto found = find_principal(parts_.accounts, in.RoleArn);
  if (!found.role) return fail(access::kAccessDenied, "Access denied");  // deleted since the decision
  const Role& role = *found.role;
  TRY(int64_t seconds, duration(in, caller, role));
  TRY(auto tags, session_tags(in, caller));
  if (to_lower(in.SourceIdentity.value_or("")).starts_with("aws:"))
    return fail(kValidationError, "SourceIdentity can't begin with the reserved prefix aws:");
  if (in.SourceIdentity && !caller.source_identity.empty() && *in.SourceIdentity != caller.source_identity)
    return fail(kValidationError, "The source identity of a session can't be changed by role chaining.");
  TRY(auto policies, passed_policies(*found.account, in.Policy, in.PolicyArns));
  TRY(int64_t packed, packed_size(policies, tags));

  StsSession session;
  Caller& c = session.caller;
  c.type = PrincipalType::assumed_role;
  c.account = found.account->id;
  c.role_name = role.name;
  c.session_name = in.RoleSessionName;
  c.arn = make_arn("sts", "", c.account, "assumed-role/" + role.name + "/" + in.RoleSessionName);
  c.issuer_arn = role.arn;
  c.unique_id = role.id;
  c.user_id = role.id + ":" + in.RoleSessionName;
  c.source_identity = source_identity(in, r.call);
  c.session_tags = std::move(tags);
  c.transitive_tag_keys = caller.transitive_tag_keys;
  for (auto& key : in.TransitiveTagKeys.value_or(std::vector<std::string>{})) c.transitive_tag_keys.push_back(key);
  c.chained = is_chaining(caller);
  session.inline_policy = std::move(policies.inline_policy);
  session.managed_policies = std::move(policies.managed);

  sts::AssumeRoleResponse out;
  out.AssumedRoleUser = sts::AssumedRoleUser{c.user_id, c.arn};
  if (!c.source_identity.empty()) out.SourceIdentity = c.source_identity;
  if (in.Policy || in.PolicyArns || in.Tags) out.PackedPolicySize = packed;
  out.Credentials = issue(parts_, std::move(session), seconds);
  return out;
}

void AssumeRole::declare(access::Gate& gate) {
  auto role = [this](auto& in, auto& call) { return this->role(in, call); };
  auto context = [](auto& in, auto& call, policy::Context& c) { fill_context(in, call, c); };
  auto names_source = [](auto& in, auto& call) { return !source_identity(in, call).empty(); };
  gate.add<sts::op::AssumeRole>(
      {.needs = {{.action = "sts:AssumeRole", .resources = role, .context = context},
                 {.action = "sts:TagSession", .resources = role, .context = context, .when = passes_tags},
                 {.action = "sts:SetSourceIdentity", .resources = role, .context = context, .when = names_source}},
       .handler = [this](auto& r) { return assume(r); },
       .read_only = true,
       .denial = policy::DenialStyle::no_reason});
}

}  // namespace redoubt::identity
