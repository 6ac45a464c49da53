#pragma once
/// CloudTrail records: what the audit trail says about one call. Source: CloudTrail User Guide, "CloudTrail record contents".
/// A call that touches another account's resource gives two records, one for each account; neither holds what only the other may
/// know: the owner sees the caller as an account and a principal id, the caller sees nothing of the resource's policies.
#include <vector>

#include "access/audit.h"
#include "access/gate.h"

namespace redoubt::access {

/// One decision on the way through the Gate, with its text copied out of the snapshots.
struct Verdict {
  std::string action, resource, owner;  // owner: the resource's account
  bool allowed = false, cross_account = false;
  std::string layer, policy, sid;   // what decided; sid "" where no statement did
  policy::Explanation explanation;  // of denials only
};

/// A structure as CloudTrail shows requestParameters and responseElements: members in lowerCamel, sensitive ones and those named
/// in `secret` as "HIDDEN_DUE_TO_SECURITY_REASONS", blobs and streams left out. Null if nothing is present.
Json shown(const api::StructShape& shape, const void* value, std::span<const std::string_view> secret);

/// The records of a call. `output` is null when it failed. The first is the caller's account's, if it has one.
std::vector<AuditEvent> audit_events(const ErasedRow& row, const Call& call, const void* input,
                                     const std::vector<Verdict>& verdicts, const Error* error, const void* output);

}  // namespace redoubt::access
