#pragma once
/// The managed policies that every account finds under arn:aws:iam::aws:policy/. Their documents are our own writing, to the
/// effect that AWS documents for each name. Source: AWS Managed Policy Reference Guide. Threads: any; built once.
#include "identity/model.h"

namespace redoubt::identity {

/// By ARN; null: there is none.
std::shared_ptr<const ManagedPolicy> aws_managed_policy(std::string_view arn);
/// All, by ARN.
const std::map<std::string, std::shared_ptr<const ManagedPolicy>, std::less<>>& aws_managed_policies();

}  // namespace redoubt::identity
