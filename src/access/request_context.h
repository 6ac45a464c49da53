#pragma once
/// The condition keys that every request has, set exactly where AWS sets them: absence decides. Source: IAM User Guide, "AWS
/// global condition context keys"; S3 and KMS keys that depend on the call alone, from the Service Authorization Reference.
#include "access/caller.h"
#include "access/directory.h"
#include "access/gate.h"
#include "policy/context.h"

namespace redoubt::access {

/// Principal, network path, time and call chain. `service`: the prefix of the action ("s3", "kms"), for keys of that service.
void fill_request_context(policy::Context& context, const Call& call, const PrincipalPolicies& principal,
                          std::string_view service);

/// What one resource adds. `owner`: the resource's account.
void fill_resource_context(policy::Context& context, const Resource& resource, std::string_view owner,
                           const AccountPolicies& policies, std::string_view service);

}  // namespace redoubt::access
