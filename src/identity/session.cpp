#include "identity/session.h"

#include "base/ids.h"

namespace redoubt::identity {

namespace {
/// What AWS's packed binary form has room for isn't documented; this is ours: characters of policies without white space, ARNs
/// and tags.
constexpr size_t kPackedMax = 4096;
}  // namespace

Result<PassedPolicies> passed_policies(const Account& account, const std::optional<std::string>& policy,
                                       const std::optional<std::vector<sts::PolicyDescriptorType>>& arns) {
  PassedPolicies out;
  size_t plain = policy ? policy->size() : 0;
  for (auto& descriptor : arns.value_or(std::vector<sts::PolicyDescriptorType>{})) plain += descriptor.arn.value_or("").size();
  if (plain > policy::kSessionSizeMax)
    return fail(kValidationError,
                "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than "
                "or equal to " +
                    std::to_string(policy::kSessionSizeMax));
  if (policy) {
    TRY([[maybe_unused]] auto compiled, compile(*policy, policy::Kind::session));
    out.inline_policy = *policy;
  }
  for (auto& descriptor : arns.value_or(std::vector<sts::PolicyDescriptorType>{})) {
    std::string arn = descriptor.arn.value_or("");
    if (!find_managed(account, arn))
      return fail(kMalformedPolicyDocument, "Policy " + arn + " does not exist or is not attachable.");
    out.managed.push_back(std::move(arn));
  }
  return out;
}

Result<std::map<std::string, std::string, ILess>> passed_tags(const std::optional<std::vector<sts::Tag>>& tags) {
  std::map<std::string, std::string, ILess> out;
  for (auto& tag : tags.value_or(std::vector<sts::Tag>{})) {
    if (to_lower(tag.Key).starts_with("aws:"))
      return fail(kInvalidParameterValue, "Tag keys can't begin with the reserved prefix aws:");
    if (!out.emplace(tag.Key, tag.Value).second)
      return fail(kInvalidParameterValue, "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  }
  return out;
}

Result<int64_t> packed_size(const PassedPolicies& policies, const std::map<std::string, std::string, ILess>& tags) {
  size_t size = policy::counted_size(policies.inline_policy);
  for (auto& arn : policies.managed) size += arn.size();
  for (auto& [key, value] : tags) size += key.size() + value.size();
  int64_t percent = int64_t((size * 100 + kPackedMax - 1) / kPackedMax);
  if (percent > 100)
    return fail(kPackedPolicyTooLarge,
                "Packed policy consumes " + std::to_string(percent) + "% of allotted space, please use smaller policy.");
  return percent;
}

sts::Credentials issue(const Parts& parts, StsSession session, int64_t duration_s) {
  access::Caller& caller = session.caller;
  caller.access_key_id = new_iam_id("ASIA");
  caller.temporary = true;
  // Expirations are told in whole seconds.
  caller.token_issued = Timestamp::from_seconds(parts.clock.now().seconds());
  caller.expires = caller.token_issued.plus_seconds(duration_s);
  session.secret = new_secret_access_key();
  return {caller.access_key_id, session.secret, parts.tokens.seal(session), caller.expires};
}

}  // namespace redoubt::identity
