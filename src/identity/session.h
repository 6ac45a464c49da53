#pragma once
/// Making temporary credentials: what AssumeRole, GetSessionToken and GetFederationToken share. Source: STS API Reference; IAM
/// User Guide, "Session policies", "Pass session tags".
#include "api/sts.h"
#include "identity/parts.h"

namespace redoubt::identity {

namespace sts = api::sts;

/// The policies passed with a request: checked, with the share of the packed size that they use.
struct PassedPolicies {
  std::string inline_policy;
  std::vector<std::string> managed;
};
/// `account`: where managed policies must be. Errors: kMalformedPolicyDocument, kValidationError beyond 2048 characters.
Result<PassedPolicies> passed_policies(const Account& account, const std::optional<std::string>& policy,
                                       const std::optional<std::vector<sts::PolicyDescriptorType>>& arns);

/// Tags passed with a request. Errors: kInvalidParameterValue (duplicates without regard to case, reserved keys).
Result<std::map<std::string, std::string, ILess>> passed_tags(const std::optional<std::vector<sts::Tag>>& tags);

/// How much of the space of a session token policies and tags take, in percent. Error: kPackedPolicyTooLarge beyond 100.
Result<int64_t> packed_size(const PassedPolicies& policies, const std::map<std::string, std::string, ILess>& tags);

/// Seals the session; fills its key id, secret and times.
sts::Credentials issue(const Parts& parts, StsSession session, int64_t duration_s);

/// Parameters that we know and don't honour. Error: kInvalidParameterValue naming the first that is set.
template <class In>
Result<void> refuse_unsupported(const In& in) {
  auto refused = [](std::string_view name) {
    return fail(kInvalidParameterValue, "The parameter " + std::string(name) + " is not supported.");
  };
  if constexpr (requires { in.SerialNumber; })
    if (in.SerialNumber) return refused("SerialNumber");
  if constexpr (requires { in.TokenCode; })
    if (in.TokenCode) return refused("TokenCode");
  if constexpr (requires { in.ProvidedContexts; })
    if (in.ProvidedContexts && !in.ProvidedContexts->empty()) return refused("ProvidedContexts");
  if constexpr (requires { in.MinimumSessionTokenSize; })
    if (in.MinimumSessionTokenSize) return refused("MinimumSessionTokenSize");
  return {};
}

}  // namespace redoubt::identity
