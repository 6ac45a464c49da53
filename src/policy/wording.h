#pragma once
/// What each service says about a document that it refuses to store. IAM's sentences are those that its API was seen to answer
/// (moto's test suite records them), S3's and KMS's those in bug reports of their users; where nobody recorded one, the service's
/// general sentence stands in. Organizations has one sentence for everything.
#include <string>
#include <string_view>

#include "base/result.h"
#include "policy/policy.h"

namespace redoubt::policy {

enum class Fault : uint8_t {
  json,           // not JSON; detail: its first byte
  syntax,         // a wrong type, both of X and NotX, an unknown effect
  unknown_field,  // detail: its name
  version,
  legacy,            // what IAM's older parser refuses: effect in the wrong case, dates, ARNs that are too short, variables
  missing_field,     // detail: its name
  prohibited_field,  // detail: its name
  principal_forbidden,
  principal_invalid,  // detail: "AWS":"value"
  sid_characters,
  sid_twice,
  no_actions,
  no_resources,
  action_vendor_missing,
  action_colons,
  action_vendor,  // detail: the vendor
  action_invalid,
  action_not_sts,
  action_without_resource,  // S3: an object action on a bucket, or the reverse
  resource_invalid,         // detail: IAM's whole sentence
  condition_operator,       // detail: the operator
  condition_key,
  condition_value,  // a value of the wrong type for its operator
  too_long,
};

std::unexpected<Error> refuse(Kind kind, Fault fault, std::string_view detail = {});

}  // namespace redoubt::policy
