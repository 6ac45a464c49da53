#pragma once
/// cloudtrail:LookupEvents over the audit trail. Besides AWS's attributes there is RequestId, which also finds data events:
/// `redoubt why` asks by it; --strict refuses it. Source: CloudTrail API Reference, "LookupEvents".
#include "access/audit.h"
#include "access/gate.h"

namespace redoubt::access {

void declare_trail(Gate& gate, Audit& audit);

}  // namespace redoubt::access
