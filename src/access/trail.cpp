#include "access/trail.h"

#include "api/cloudtrail.h"
#include "base/text.h"

namespace redoubt::access {

namespace cloudtrail = api::cloudtrail;

namespace {
constexpr ErrorKind kInvalidLookupAttributes{"InvalidLookupAttributesException", 400};
constexpr ErrorKind kInvalidTimeRange{"InvalidTimeRangeException", 400};
constexpr ErrorKind kInvalidNextToken{"InvalidNextTokenException", 400};
constexpr ErrorKind kInvalidEventCategory{"InvalidEventCategoryException", 400};

Result<void> set_attribute(AuditQuery& query, const std::string& key, const std::string& value, bool strict) {
  if (key == "EventId")
    query.event_id = value;
  else if (key == "EventName")
    query.event_name = value;
  else if (key == "EventSource")
    query.event_source = value;
  else if (key == "Username")
    query.username = value;
  else if (key == "AccessKeyId")
    query.access_key_id = value;
  else if (key == "ResourceName")
    query.resource = value;
  else if (key == "ResourceType")
    query.resource_type = value;
  else if (key == "ReadOnly")
    query.read_only = value == "true";
  else if (key == "RequestId" && !strict)
    query.request_id = value, query.data_events = true;
  else
    return fail(kInvalidLookupAttributes, "The lookup attribute " + key + " is not supported.");
  return {};
}

cloudtrail::Event to_api(const AuditEvent& e) {
  cloudtrail::Event out;
  out.EventId = e.event_id;
  out.EventName = e.event_name;
  out.ReadOnly = e.read_only ? "true" : "false";
  if (!e.access_key_id.empty()) out.AccessKeyId = e.access_key_id;
  out.EventTime = e.time;
  out.EventSource = e.event_source;
  if (!e.username.empty()) out.Username = e.username;
  out.Resources.emplace();
  for (auto& r : e.record["resources"].items()) {
    cloudtrail::Resource one;
    if (r.has("type")) one.ResourceType = r["type"].str();
    one.ResourceName = r["ARN"].str();
    out.Resources->push_back(std::move(one));
  }
  out.CloudTrailEvent = e.record.dump();
  return out;
}

Result<cloudtrail::LookupEventsResponse> lookup(Audit& audit, const Allowed<cloudtrail::LookupEventsRequest>& r, bool strict) {
  const auto& in = r.input;
  if (in.EventCategory) return fail(kInvalidEventCategory, "The event category " + *in.EventCategory + " is not supported.");
  AuditQuery query;
  query.account = r.call.caller->account;
  if (in.LookupAttributes && in.LookupAttributes->size() > 1)
    return fail(kInvalidLookupAttributes, "Currently, only one lookup attribute can be specified.");
  for (auto& a : in.LookupAttributes.value_or(std::vector<cloudtrail::LookupAttribute>{}))
    TRY_VOID(set_attribute(query, a.AttributeKey, a.AttributeValue, strict));
  if (in.StartTime) query.from = *in.StartTime;
  if (in.EndTime) query.to = *in.EndTime;
  if (in.StartTime && in.EndTime && *in.EndTime < *in.StartTime)
    return fail(kInvalidTimeRange, "The start time is later than the end time.");
  query.limit = size_t(in.MaxResults.value_or(50));
  if (in.NextToken) {
    auto position = unbase64url(*in.NextToken);
    if (!position || position->size() != 16) return fail(kInvalidNextToken, "The next token is invalid.");
    query.before = *position;
  }
  TRY(AuditPage page, audit.lookup(query));
  cloudtrail::LookupEventsResponse out;
  out.Events.emplace();
  for (auto& e : page.events) out.Events->push_back(to_api(e));
  if (!page.next.empty()) out.NextToken = base64url(page.next);
  return out;
}
}  // namespace

void declare_trail(Gate& gate, Audit& audit) {
  bool strict = gate.options().strict;
  gate.add<cloudtrail::op::LookupEvents>({.needs = {{.action = "cloudtrail:LookupEvents"}},
                                          .handler = [&audit, strict](auto& r) { return lookup(audit, r, strict); }});
}

}  // namespace redoubt::access
