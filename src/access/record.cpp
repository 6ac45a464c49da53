#include "access/record.h"

#include "base/arn.h"
#include "base/ids.h"

namespace redoubt::access {

using policy::Layer;
using policy::PrincipalType;

namespace {

constexpr std::string_view kHidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
constexpr size_t kTextMax = 4096;  // a longer value is cut: policies and SQL stay readable, nothing fills the disk

/// Members that are secret in whatever shape they turn up, also where the model forgot to say so.
constexpr std::string_view kSecretMembers[] = {"SecretAccessKey",    "SessionToken",
                                               "Plaintext",          "PrivateKeyPlaintext",
                                               "MasterUserPassword", "DbPassword",
                                               "Password",           "OldPassword",
                                               "NewPassword",        "SAMLAssertion",
                                               "WebIdentityToken",   "TokenCode",
                                               "SSECustomerKey",     "CopySourceSSECustomerKey",
                                               "EncodedMessage"};

template <class List>
bool contains(const List& list, std::string_view name) {
  for (auto& s : list)
    if (s == name) return true;
  return false;
}

std::string lower_camel(std::string_view name) {
  std::string out(name);
  if (!out.empty() && out[0] >= 'A' && out[0] <= 'Z') out[0] = char(out[0] + 32);
  return out;
}

Json shown_value(const api::Shape& shape, const void* value, std::span<const std::string_view> secret);

Json shown_map(const api::Shape& shape, const void* value, std::span<const std::string_view> secret) {
  Json out = Json::object();
  struct Visit {
    Json& out;
    const api::Shape& shape;
    std::span<const std::string_view> secret;
  } visit{out, shape, secret};
  shape.map->each(
      value,
      [](void* context, const std::string& key, const void* item) {
        auto& v = *static_cast<Visit*>(context);
        v.out.set(key, shown_value(*v.shape.element, item, v.secret));
      },
      &visit);
  return out;
}

Json shown_value(const api::Shape& shape, const void* value, std::span<const std::string_view> secret) {
  if (shape.sensitive) return kHidden;
  switch (shape.type) {
    case api::Type::string: {
      auto& text = *static_cast<const std::string*>(value);
      if (!is_valid_utf8(text)) return Json();
      if (text.size() <= kTextMax) return text;
      size_t cut = kTextMax;
      while (cut > 0 && (uint8_t(text[cut]) & 0xC0) == 0x80) --cut;
      return text.substr(0, cut) + "...";
    }
    case api::Type::blob:
      return Json();
    case api::Type::boolean:
      return *static_cast<const bool*>(value);
    case api::Type::integer:
      return *static_cast<const int64_t*>(value);
    case api::Type::real:
      return *static_cast<const double*>(value);
    case api::Type::timestamp:
      return iso8601(*static_cast<const Timestamp*>(value));
    case api::Type::map:
      return shown_map(shape, value, secret);
    case api::Type::structure:
      return shown(*shape.structure, value, secret);
    case api::Type::list: {
      Json out = Json::array();
      for (size_t i = 0; i < shape.list->size(value); ++i)
        out.push(shown_value(*shape.element, shape.list->at(value, i), secret));
      return out;
    }
  }
  return Json();
}

std::string_view identity_type(const Caller& caller) {
  switch (caller.type) {
    case PrincipalType::root:
      return "Root";
    case PrincipalType::user:
      return "IAMUser";
    case PrincipalType::assumed_role:
      return "AssumedRole";
    case PrincipalType::federated_user:
      return "FederatedUser";
    case PrincipalType::federated:
      return caller.provider.find(":saml-provider/") != std::string::npos ? "SAMLUser" : "WebIdentityUser";
    case PrincipalType::service:
      return "AWSService";
    case PrincipalType::anonymous:
      return "AWSAccount";
  }
  return "Unknown";
}

Json session_context(const Caller& caller) {
  Json out = Json::object();
  if (caller.type == PrincipalType::assumed_role)
    out.set("sessionIssuer", Json::object()
                                 .set("type", "Role")
                                 .set("principalId", caller.unique_id)
                                 .set("arn", caller.issuer_arn)
                                 .set("accountId", caller.account)
                                 .set("userName", caller.role_name));
  if (!caller.federated_provider.empty())
    out.set("webIdFederationData", Json::object().set("federatedProvider", caller.federated_provider));
  out.set("attributes", Json::object().set("creationDate", iso8601(caller.token_issued)).set("mfaAuthenticated", "false"));
  if (!caller.source_identity.empty()) out.set("sourceIdentity", caller.source_identity);
  return out;
}

Json user_identity(const Caller& caller, const Call& call) {
  Json out = Json::object().set("type", identity_type(caller));
  if (caller.type == PrincipalType::service) return out.set("invokedBy", caller.service);
  if (caller.type == PrincipalType::anonymous) return out.set("principalId", "").set("accountId", "ANONYMOUS_PRINCIPAL");
  out.set("principalId", caller.user_id);
  if (caller.type == PrincipalType::federated) return out.set("identityProvider", caller.provider);
  out.set("arn", caller.arn).set("accountId", caller.account);
  if (!caller.access_key_id.empty()) out.set("accessKeyId", caller.access_key_id);
  if (!caller.user_name.empty()) out.set("userName", caller.user_name);
  if (caller.temporary) out.set("sessionContext", session_context(caller));
  if (!call.invoked_by.empty()) out.set("invokedBy", call.invoked_by);
  return out;
}

/// What the owner of a resource learns about a foreign caller.
Json foreign_identity(const Caller& caller, const Call& call) {
  if (caller.account.empty()) return user_identity(caller, call);
  Json out = Json::object().set("type", "AWSAccount").set("principalId", caller.user_id).set("accountId", caller.account);
  if (!call.invoked_by.empty()) out.set("invokedBy", call.invoked_by);
  return out;
}

std::string_view resource_type(const Arn& arn) {
  auto is = [&](std::string_view prefix) { return arn.resource.starts_with(prefix); };
  if (arn.service == "s3") return arn.resource.find('/') == std::string::npos ? "AWS::S3::Bucket" : "AWS::S3::Object";
  if (arn.service == "kms") return is("alias/") ? "AWS::KMS::Alias" : "AWS::KMS::Key";
  if (arn.service == "iam") {
    if (is("role/")) return "AWS::IAM::Role";
    if (is("user/")) return "AWS::IAM::User";
    if (is("group/")) return "AWS::IAM::Group";
    if (is("policy/")) return "AWS::IAM::ManagedPolicy";
    if (is("instance-profile/")) return "AWS::IAM::InstanceProfile";
  }
  if (arn.service == "redshift" && is("cluster:")) return "AWS::Redshift::Cluster";
  if (arn.service == "cloudformation" && is("stack/")) return "AWS::CloudFormation::Stack";
  if (arn.service == "ec2" && is("security-group/")) return "AWS::EC2::SecurityGroup";
  return {};
}

/// `owner`: only that account's; "": all.
Json resources(const std::vector<Verdict>& verdicts, std::string_view owner) {
  Json out = Json::array();
  std::vector<std::string_view> seen;
  for (auto& v : verdicts) {
    if (!owner.empty() && v.owner != owner) continue;
    if (v.resource == "*" || contains(seen, v.resource)) continue;
    seen.push_back(v.resource);
    Json one = Json::object().set("ARN", v.resource);
    if (!v.owner.empty()) one.set("accountId", v.owner);
    if (auto arn = Arn::parse(v.resource))
      if (auto type = resource_type(*arn); !type.empty()) one.set("type", type);
    out.push(std::move(one));
  }
  return out;
}

bool of_owner(Layer layer) { return layer == Layer::rcp || layer == Layer::resource || layer == Layer::grant; }

/// Decisions as one side may see them: the caller's account ("") all but what foreign policies say, an owner those about its own
/// resources but not what the caller's policies say. Within one account there is one side.
Json decisions(const std::vector<Verdict>& verdicts, std::string_view of) {
  bool owner = !of.empty();
  Json out = Json::array();
  for (auto& v : verdicts) {
    if (owner && v.owner != of) continue;
    Json one =
        Json::object().set("action", v.action).set("resource", v.resource).set("decision", v.allowed ? "allowed" : "denied");
    auto visible = [&](Layer layer) { return !v.cross_account || of_owner(layer) == owner; };
    bool deciding_visible = false;
    for (auto layer : {Layer::rcp, Layer::scp, Layer::endpoint, Layer::resource, Layer::grant, Layer::identity, Layer::boundary,
                       Layer::session, Layer::root})
      if (policy::layer_name(layer) == v.layer) deciding_visible = visible(layer);
    if (deciding_visible) {
      one.set("layer", v.layer);
      if (!v.policy.empty()) one.set("policy", v.policy);
      if (!v.sid.empty()) one.set("statement", v.sid);
    }
    if (!v.allowed) {
      policy::Explanation side = v.explanation;
      if (v.cross_account) {
        std::erase_if(side.layers, [&](auto& report) { return !visible(report.layer); });
        side.missing_context_keys.clear();
        if (owner) {
          side.context.clear();
          side.principal.clear();
        }
        if (!deciding_visible) {
          side.layer = Layer::none;
          side.policy_name.clear();
          side.sid.clear();
          side.statement = -1;
        }
      }
      one.set("explanation", side.json());
    }
    out.push(std::move(one));
  }
  return out;
}

bool is_read_only(const ErasedRow& row) {
  if (row.read_only) return true;
  for (std::string_view prefix : {"Get", "List", "Describe", "Head", "Lookup", "Simulate"})
    if (row.shape->name.starts_with(prefix)) return true;
  return false;
}

std::string user_name(const Caller& caller) {
  switch (caller.type) {
    case PrincipalType::root:
      return "root";
    case PrincipalType::assumed_role:
      return caller.session_name;
    case PrincipalType::service:
      return caller.service;
    default:
      return caller.user_name;
  }
}

}  // namespace

Json shown(const api::StructShape& shape, const void* value, std::span<const std::string_view> secret) {
  if (shape.sensitive) return kHidden;
  Json out;
  for (auto& member : shape.members) {
    if (member.streaming) continue;
    const void* v = member.get(value);
    if (!v) continue;
    bool hide = contains(secret, member.name) || contains(kSecretMembers, member.name);
    Json one = hide ? Json(kHidden) : shown_value(*member.shape, v, secret);
    if (!one.is_null()) out.set(lower_camel(member.name), std::move(one));
  }
  return out;
}

std::vector<AuditEvent> audit_events(const ErasedRow& row, const Call& call, const void* input,
                                     const std::vector<Verdict>& verdicts, const Error* error, const void* output) {
  const Caller& caller = *call.caller;
  const api::OperationShape& shape = *row.shape;
  bool read_only = is_read_only(row);
  AuditEvent event;
  event.request_id = call.request_id;
  event.event_name = shape.name;
  event.event_source = std::string(shape.service->signing_name) + ".amazonaws.com";
  event.username = user_name(caller);
  event.access_key_id = caller.access_key_id;
  event.time = call.now;
  event.read_only = read_only;
  event.data_event = row.data_event;
  for (auto& v : verdicts)
    if (v.resource != "*") {
      event.resource = v.resource;
      break;
    }

  Json common = Json::object().set("eventVersion", "1.11").set("userIdentity", Json());
  common.set("eventTime", iso8601(call.now)).set("eventSource", event.event_source).set("eventName", event.event_name);
  common.set("awsRegion", call.region);
  common.set("sourceIPAddress", call.invoked_by.empty() ? call.path.peer.str() : call.invoked_by);
  common.set("userAgent", call.invoked_by.empty() ? call.user_agent : call.invoked_by);
  bool denied = !verdicts.empty() && !verdicts.back().allowed;
  if (error) common.set("errorCode", error->kind->code).set("errorMessage", error->message);
  common.set("requestParameters", shown(*shape.input, input, row.secret_members));
  common.set("responseElements", output && !read_only ? shown(*shape.output, output, row.secret_members) : Json());
  common.set("requestID", call.request_id);
  common.set("readOnly", read_only);
  common.set("eventType", "AwsApiCall").set("managementEvent", !row.data_event);
  common.set("eventCategory", row.data_event ? "Data" : "Management");
  if (!call.path.vpc_endpoint_id.empty()) common.set("vpcEndpointId", call.path.vpc_endpoint_id);
  if (call.path.tls) common.set("tlsDetails", Json::object().set("tlsVersion", call.path.tls_version));

  std::vector<AuditEvent> out;
  std::string shared_id = new_uuid();
  auto add = [&](const std::string& account, bool owner, Json identity) {
    AuditEvent one = event;
    one.event_id = new_uuid();
    one.account = account;
    if (owner) one.username.clear(), one.access_key_id.clear();
    Json record = common;
    record.set("userIdentity", std::move(identity));
    Json ours = Json::object();
    if (!owner) ours.set("principal", caller.arn.empty() ? caller.user_id : caller.arn);
    if (row.needs.empty()) ours.set("public", row.public_because);
    ours.set("decision", denied ? "denied" : "allowed");
    ours.set("decisions", decisions(verdicts, owner ? std::string_view(account) : std::string_view()));
    if (Json touched = resources(verdicts, owner ? std::string_view(account) : std::string_view()); touched.size() > 0)
      record.set("resources", std::move(touched));
    if (owner && denied) record.set("errorMessage", "Access Denied");  // the caller's text names its policies
    record.set("additionalEventData", Json::object().set("redoubt", std::move(ours)));
    record.set("eventID", one.event_id).set("recipientAccountId", account).set("sharedEventID", shared_id);
    one.record = std::move(record);
    out.push_back(std::move(one));
  };
  if (!caller.account.empty()) add(caller.account, false, user_identity(caller, call));
  std::vector<std::string_view> owners;
  for (auto& v : verdicts)
    if (!v.owner.empty() && v.owner != caller.account && !contains(owners, v.owner)) {
      owners.push_back(v.owner);
      add(v.owner, true, foreign_identity(caller, call));
    }
  return out;
}

}  // namespace redoubt::access
