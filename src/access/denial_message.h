#pragma once
/// What sts:DecodeAuthorizationMessage shows of a denial. Source: STS API Reference, "DecodeAuthorizationMessage".
#include "base/json.h"
#include "policy/decide.h"

namespace redoubt::access {

/// {"allowed": false, "explicitDeny": .., "matchedStatements": {"items": [..]}, "failures": {"items": []}, "context": {..}}
Json denial_message(const policy::Explanation& explanation, std::string_view principal_id);

}  // namespace redoubt::access
