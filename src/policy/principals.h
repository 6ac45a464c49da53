#pragma once
/// The Principal and NotPrincipal elements. Source: IAM User Guide, "AWS JSON policy elements: Principal" and ": NotPrincipal".
#include <optional>
#include <string_view>

#include "policy/compiled.h"
#include "policy/decide.h"

namespace redoubt::policy {

/// How closely a resource policy's Allow names a principal. What it is limited by depends on that: see decide.cpp.
enum class Grade : uint8_t {
  none,
  account,  // its account (root ARN, 12 digits, canonical id): delegates to the account's identity policies
  issuer,   // a session's role, a federated user's IAM user
  direct,   // itself, or everyone
};

/// nullopt: the value isn't a principal of that type. Wildcards other than a whole "*" never are.
std::optional<PrincipalPattern> compile_principal(std::string_view type, std::string_view value);

/// How `statement` names `principal`; Grade::none: not at all. For Deny any other grade means that it applies.
/// `everyone_is_all`: "*" in an Allow takes in services and federated identities too (RCPs, endpoint policies). In a resource
/// policy it doesn't: those must be named.
/// `bounded`: the principal has a permissions boundary. AWS then applies every Deny with NotPrincipal, whatever it lists.
Grade grade(const Statement& statement, const Principal& principal, bool everyone_is_all, bool bounded);

}  // namespace redoubt::policy
