#pragma once
/// The audit trail: one record a call that reached the Gate, allowed or denied, in CloudTrail's record shape, append-only.
/// Management events are found by LookupEvents; data events (objects) are written too and found by request id (`redoubt why`).
/// Written by a thread of its own in batches: at most one second of records is lost to a crash, none to a stop. No secrets, no
/// bodies.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace redoubt::access {

struct AuditEvent {
  std::string event_id;  // uuid
  std::string request_id, account, event_name, event_source, username, access_key_id, resource;
  Timestamp time;
  bool read_only = false, data_event = false;
  Json record;  // CloudTrail's record; additionalEventData.redoubt holds principal, decision and explanation
};

struct AuditQuery {
  std::string account;  // only that account's events
  std::string event_id, request_id, event_name, event_source, username, access_key_id, resource, resource_type;  // "" is any
  std::optional<bool> read_only;
  Timestamp from, to;        // to 0: no end
  bool data_events = false;  // also those; asked for by request_id only
  size_t limit = 50;
  std::string before;  // position to go on from (AuditPage::next)
};
struct AuditPage {
  std::vector<AuditEvent> events;  // newest first
  std::string next;                // "": no more
};

class Audit {
 public:
  virtual ~Audit() = default;
  /// Never blocks on the disk; waits when more than 10,000 records are queued (the trail is complete, not best-effort).
  virtual void record(AuditEvent event) = 0;
  virtual Result<AuditPage> lookup(const AuditQuery& query) = 0;
  /// Everything recorded so far is durable when it returns.
  virtual void flush() = 0;
  /// Opens or creates `file`.
  static Result<std::unique_ptr<Audit>> open(const std::string& file);
};

}  // namespace redoubt::access
