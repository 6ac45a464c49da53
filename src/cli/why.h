#pragma once
/// `redoubt why REQUEST-ID`: who asked for what, and which statement of which policy decided. Reads the audit trail through
/// cloudtrail:LookupEvents, as its caller: everybody sees the side of a request that is theirs.
#include <string>
#include <vector>

#include "base/json.h"

namespace redoubt::cli {

/// The exit status: 0 found, 1 not found or refused, 2 asked the wrong way.
int why(const std::vector<std::string>& args);

/// One record of the trail as text for a person.
std::string explain_record(const Json& record);

}  // namespace redoubt::cli
