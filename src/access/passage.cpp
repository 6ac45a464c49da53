#include "access/passage.h"

#include "access/deciding.h"
#include "access/denial_message.h"
#include "access/request_context.h"
#include "access/state.h"
#include "api/codec.h"

namespace redoubt::access {

using policy::DenialStyle;
using policy::Layer;

namespace {

std::string_view service_of(std::string_view action) { return action.substr(0, action.find(':')); }

/// s3:x-amz-* keys are what the request's headers say, never defaults; an inside call's input says what its headers would.
void fill_header_keys(policy::Context& context, const api::OperationShape& shape, const void* input) {
  for (auto& member : shape.input->members) {
    if (member.location != api::Location::header || !to_lower(member.wire_name).starts_with("x-amz-")) continue;
    if (member.shape->sensitive || member.wire_name.find("customer-key") != std::string_view::npos) continue;
    const void* value = member.get(input);
    if (!value) continue;
    std::string key = "s3:" + to_lower(member.wire_name);
    switch (member.shape->type) {
      case api::Type::string:
        context.set(key, *static_cast<const std::string*>(value));
        break;
      case api::Type::boolean:
        context.set_bool(key, *static_cast<const bool*>(value));
        break;
      case api::Type::integer:
        context.set_int(key, *static_cast<const int64_t*>(value));
        break;
      case api::Type::timestamp:
        context.set(key, iso8601(*static_cast<const Timestamp*>(value)));
        break;
      default:
        break;
    }
  }
}

/// Credentials of GetSessionToken without MFA and of GetFederationToken are good for no IAM operation and for few of STS.
/// Source: IAM User Guide, "Compare AWS STS credentials".
bool may_use(const Caller& caller, const api::OperationShape& shape) {
  bool federated = caller.type == policy::PrincipalType::federated_user;
  if (!caller.from_get_session_token && !federated) return true;
  if (shape.service->name == "iam") return false;
  if (shape.service->name != "sts") return true;
  return shape.name == "GetCallerIdentity" || (shape.name == "AssumeRole" && !federated);
}

const ErrorKind& denied_kind(const api::ServiceShape& service) {
  switch (service.protocol) {
    case api::Protocol::ec2:
      return kUnauthorizedOperation;
    case api::Protocol::json:
    case api::Protocol::rest_json:
      return kAccessDeniedException;
    default:
      return kAccessDenied;
  }
}

}  // namespace

Passage::Passage(Gate& gate, const ErasedRow& row, const Call& call, const void* input)
    : gate_(gate), row_(row), call_(call), input_(input) {}

Result<void> Passage::enter() {
  TRY_VOID(api::validate(*row_.shape, input_));
  std::string_view action = row_.needs.empty() ? row_.shape->name : row_.needs.front().action;
  if (!gate_.state_->throttle.take(call_.caller->account, action, gate_.clock_.now())) {
    if (row_.shape->service->name == "s3") return fail(kSlowDown, "Please reduce your request rate.");
    return fail(kThrottling, "Rate exceeded");
  }
  return authorize();
}

Result<void> Passage::authorize() {
  const Caller& caller = *call_.caller;
  if (caller.temporary && caller.expires <= gate_.clock_.now())
    return fail(kExpiredToken, "The security token included in the request is expired");
  if (!may_use(caller, *row_.shape)) return fail(kInvalidClientTokenId, "The security token included in the request is invalid.");
  auto principal = gate_.directory_.policies_of(caller);
  if (!principal->exists) return fail(kInvalidClientTokenId, "The security token included in the request is invalid.");
  if (row_.needs.empty()) return {};
  policy::Context request_context;
  fill_request_context(request_context, call_, *principal, service_of(row_.needs.front().action));
  if (row_.shape->service->name == "s3") fill_header_keys(request_context, *row_.shape, input_);
  for (auto& need : row_.needs) {
    if (need.when && !need.when(input_, call_)) continue;
    TRY_VOID(decide_need(need, *principal, request_context));
  }
  if (missing_) return fail(std::move(*missing_));
  return {};
}

Result<void> Passage::decide_need(const ErasedNeed& need, const PrincipalPolicies& principal,
                                  const policy::Context& request_context) {
  std::vector<Resource> resources;
  if (need.resources) {
    TRY(resources, need.resources(input_, call_));
  } else {
    resources.emplace_back();
  }
  // A need that touches nothing would be allowed by default: that must never happen.
  if (resources.empty()) resources.emplace_back();
  policy::Context need_context(&request_context);
  if (need.context) need.context(input_, call_, need_context);
  for (auto& resource : resources) {
    Deciding deciding(gate_, call_, principal, resource, need_context, need.action);
    TRY_VOID(deciding.ready());
    policy::Decision decision = policy::decide(deciding.layers(), deciding.request());
    add_verdict(decision, deciding.request());
    if (!decision.allowed()) {
      verdicts_.back().explanation = policy::explain(deciding.layers(), deciding.request());
      return fail(denial(need, decision, deciding.request(), resource, principal, deciding.owner_policies()));
    }
    if (resource.missing && !missing_) missing_ = resource.missing;
    found_.push_back(std::move(resource.found));
  }
  return {};
}

void Passage::add_verdict(const policy::Decision& decision, const policy::Request& request) {
  Verdict v;
  v.action = request.action;
  v.resource = request.resource;
  v.owner = request.resource_account;
  v.allowed = decision.allowed();
  v.cross_account = decision.cross_account;
  v.layer = policy::layer_name(decision.layer);
  v.policy = decision.policy_name;
  v.sid = decision.statement.sid;
  verdicts_.push_back(std::move(v));
}

Error Passage::denial(const ErasedNeed& need, const policy::Decision& decision, const policy::Request& request,
                      const Resource& resource, const PrincipalPolicies& principal, const AccountPolicies& owner) {
  if (resource.hidden) return *resource.hidden;
  const api::ServiceShape& service = *row_.shape->service;
  DenialStyle style = row_.denial;
  // S3 tells reasons within an account or an organization only. Source: S3 User Guide, "Troubleshoot access denied errors".
  bool same_organization = !owner.organization_id.empty() && owner.organization_id == principal.organization_id;
  if (style == DenialStyle::s3 && (call_.caller->account.empty() || (decision.cross_account && !same_organization)))
    style = DenialStyle::plain;
  std::string text = policy::denial_text(decision, request, style);
  if (service.protocol == api::Protocol::ec2)
    text = "You are not authorized to perform this operation. " + text + ". Encoded authorization failure message: " +
           gate_.directory_.encode_authorization_message(
               call_.caller->account, denial_message(verdicts_.back().explanation, call_.caller->user_id).dump());
  return {&denied_kind(service), std::move(text)};
}

void Passage::close(const Error* error, const void* output, uint64_t bytes_sent, uint64_t bytes_received) {
  for (auto& event : audit_events(row_, call_, input_, verdicts_, error, output)) gate_.audit_.record(std::move(event));
  if (row_.done) {
    int status = error ? error->kind->http_status : row_.shape->status;
    row_.done(input_, call_, status, error ? error->kind->code : std::string_view(), bytes_sent, bytes_received);
  }
}

}  // namespace redoubt::access
