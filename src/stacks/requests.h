#pragma once
/// What CloudFormation's requests share: parameters, tags, refusals; stacks room only.
#include "api/cloudformation.h"
#include "base/arn.h"
#include "base/ids.h"
#include "base/optional.h"
#include "base/text.h"
#include "stacks/document.h"
#include "stacks/stacks.h"

namespace redoubt::stacks {

using access::Allowed;
using access::Call;
using Resources = Result<std::vector<access::Resource>>;

inline Result<void> check_stack_name(std::string_view name) {
  bool good = !name.empty() && name.size() <= 128 && is_alpha(name[0]);
  for (char c : name) good = good && (is_alnum(c) || c == '-');
  if (!good)
    return invalid(
        "1 validation error detected: Value '" + std::string(name) +
        "' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*");
  return {};
}

/// What Create, Update and change sets refuse alike.
template <class In>
Result<void> refuse_unbuilt(const In& in) {
  auto no = [](std::string_view what) { return invalid(std::string(what) + " is not supported by this server."); };
  if constexpr (requires { in.StackPolicyBody; })
    if (in.StackPolicyBody || in.StackPolicyURL) return no("A stack policy");
  if constexpr (requires { in.StackPolicyDuringUpdateBody; })
    if (in.StackPolicyDuringUpdateBody || in.StackPolicyDuringUpdateURL) return no("A stack policy");
  if constexpr (requires { in.RollbackConfiguration; })
    if (in.RollbackConfiguration && (!or_empty(in.RollbackConfiguration->RollbackTriggers).empty() ||
                                     in.RollbackConfiguration->MonitoringTimeInMinutes.value_or(0) > 0))
      return no("RollbackConfiguration");
  if constexpr (requires { in.NotificationARNs; })
    if (!or_empty(in.NotificationARNs).empty()) return no("NotificationARNs");
  if constexpr (requires { in.ResourceTypes; })
    if (!or_empty(in.ResourceTypes).empty()) return no("ResourceTypes");
  if constexpr (requires { in.RetainExceptOnCreate; })
    if (in.RetainExceptOnCreate.value_or(false)) return no("RetainExceptOnCreate");
  if constexpr (requires { in.DeploymentConfig; })
    if (in.DeploymentConfig) return no("DeploymentConfig");
  return {};
}

/// Template and parameters of a request; `previous`: for UsePreviousValue, and for tags that an update leaves as they are.
template <class In>
Result<PlanPtr> make_plan(const In& in, const std::string& text, const Template& t, const Plan* previous) {
  Plan plan{.template_text = text, .description = t.description};
  std::vector<GivenParameter> given;
  for (auto& p : or_empty(in.Parameters))
    given.push_back({p.ParameterKey.value_or(""), p.ParameterValue, p.UsePreviousValue.value_or(false)});
  static const std::map<std::string, std::string> kNone;
  TRY(plan.parameters, resolve_parameters(t, given, previous ? previous->parameters : kNone));
  for (auto& p : t.parameters)
    if (p.no_echo) plan.secret_parameters.insert(p.name);
  if (in.Tags) {
    for (auto& tag : *in.Tags) {
      if (to_lower(tag.Key).starts_with("aws:")) return invalid("Tag keys must not begin with aws:");
      if (!plan.tags.emplace(tag.Key, tag.Value).second) return invalid("Duplicate tag key " + tag.Key);
    }
    if (plan.tags.size() > 50) return invalid("A stack can have at most 50 tags.");
  } else if (previous) {
    plan.tags = previous->tags;
  }
  plan.capabilities = or_empty(in.Capabilities);
  return std::make_shared<const Plan>(std::move(plan));
}

/// Nothing would be different: UpdateStack's "No updates are to be performed."
inline bool same_plans(const Plan& a, const Plan& b) {
  auto outputs = [](const std::string& body) {
    auto parsed = parse_document(body);
    return parsed ? (*parsed)["Outputs"].dump() : std::string();
  };
  return a.tags == b.tags && outputs(a.template_text) == outputs(b.template_text);
}

/// Whether an update may begin. Errors: `Stack:.. is in .. state and can not be updated.`
inline Result<void> check_updatable(const StackState& s) {
  if (s.in_progress() || s.status.starts_with("ROLLBACK") || s.status == "CREATE_FAILED" || s.status.starts_with("DELETE") ||
      s.status == "UPDATE_ROLLBACK_FAILED")
    return invalid("Stack:" + s.id + " is in " + s.status + " state and can not be updated.");
  return {};
}

/// The state at the beginning of an update to `plan`.
inline void begin_update(StackState& s, PlanPtr plan, Timestamp now) {
  s.before = std::move(s.plan);
  s.plan = std::move(plan);
  s.imports_before = s.imports;
  s.updated = now;
  s.status = "UPDATE_IN_PROGRESS";
  s.reason.clear();
  s.undo.clear();
  s.leave.clear();
}

inline std::vector<api::cloudformation::Parameter> shown_parameters(const Plan& plan) {
  std::vector<api::cloudformation::Parameter> out;
  for (auto& [name, value] : plan.parameters) {
    api::cloudformation::Parameter s;
    s.ParameterKey = name;
    s.ParameterValue = plan.secret_parameters.contains(name) ? "****" : value;
    out.push_back(std::move(s));
  }
  return out;
}
inline std::vector<api::cloudformation::Tag> shown_tags(const Plan& plan) {
  std::vector<api::cloudformation::Tag> out;
  for (auto& [k, v] : plan.tags) out.push_back({.Key = k, .Value = v});
  return out;
}

template <class Tags>
void set_request_tags(const Tags& tags, policy::Context& c) {
  std::vector<std::string> keys;
  for (auto& t : tags) {
    c.set("aws:RequestTag/" + t.Key, t.Value);
    keys.push_back(t.Key);
  }
  if (!keys.empty()) c.set_list("aws:TagKeys", keys);
}

/// iam:PassRole for a service role.
template <class In>
access::Need<In> pass_role() {
  return {
      .action = "iam:PassRole",
      .resources = [](const In& in, const Call& call) -> Resources {
        auto arn = Arn::parse(*in.RoleARN);
        return std::vector{access::Resource{.arn = *in.RoleARN, .account = arn ? arn->account : call.caller->account}};
      },
      .context = [](const In&, const Call&, policy::Context& c) { c.set("iam:PassedToService", "cloudformation.amazonaws.com"); },
      .when = [](const In& in, const Call&) { return in.RoleARN.has_value(); }};
}

}  // namespace redoubt::stacks
