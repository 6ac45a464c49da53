#pragma once
/// What CloudFormation's requests share: parameters, tags, refusals; stacks room only.
#include "api/cloudformation.h"
#include "base/ids.h"
#include "base/optional.h"
#include "base/text.h"
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
  if (in.RollbackConfiguration && in.RollbackConfiguration->RollbackTriggers &&
      !in.RollbackConfiguration->RollbackTriggers->empty())
    return no("RollbackConfiguration");
  if (in.ResourceTypes && !in.ResourceTypes->empty()) return no("ResourceTypes");
  if (in.DeploymentConfig) return no("DeploymentConfig");
  return {};
}

/// Template and parameters of a request; `previous`: for UsePreviousValue.
template <class In>
Result<Plan> make_plan(const In& in, const std::string& text, const Template& t, const Plan* previous) {
  Plan plan{.template_text = text};
  std::vector<GivenParameter> given;
  for (auto& p : or_empty(in.Parameters))
    given.push_back({p.ParameterKey.value_or(""), p.ParameterValue, p.UsePreviousValue.value_or(false)});
  static const std::map<std::string, std::string> kNone;
  TRY(plan.parameters, resolve_parameters(t, given, previous ? previous->parameters : kNone));
  if (in.Tags) {
    for (auto& tag : *in.Tags) {
      if (to_lower(tag.Key).starts_with("aws:")) return invalid("Tag keys must not begin with aws:");
      plan.tags[tag.Key] = tag.Value;
    }
    if (plan.tags.size() > 50) return invalid("A stack can have at most 50 tags.");
  } else if (previous) {
    plan.tags = previous->tags;
  }
  plan.capabilities = or_empty(in.Capabilities);
  plan.notification_arns = in.NotificationARNs ? *in.NotificationARNs
                           : previous          ? previous->notification_arns
                                               : std::vector<std::string>{};
  return plan;
}

inline std::vector<api::cloudformation::Parameter> shown_parameters(const Plan& plan) {
  std::vector<api::cloudformation::Parameter> out;
  auto t = parse_template(plan.template_text);
  if (!t) return out;
  for (auto& p : t->parameters) {
    auto it = plan.parameters.find(p.name);
    if (it == plan.parameters.end()) continue;
    api::cloudformation::Parameter s;
    s.ParameterKey = p.name;
    s.ParameterValue = p.no_echo ? "****" : it->second;
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
