#include "api/codec.h"

#include <algorithm>

#include "api/errors.h"
#include "api/wire.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/text.h"

namespace redoubt::api {
namespace {

using wire::Params;

bool is_form_protocol(Protocol p) { return p == Protocol::query || p == Protocol::ec2; }

/// Query parameters and form body together: AWS takes either.
Result<Params> form_params(const RequestHead& head, std::string_view body) {
  TRY(Params params, parse_form(head.raw_query()));
  TRY(Params more, parse_form(body));
  params.insert(params.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return params;
}

Result<const OperationShape*> listed(const ServiceShape& service, std::string_view name, const ErrorKind& unknown,
                                     std::string message) {
  if (auto* op = service.find(name)) return op;
  for (auto& u : service.unlisted)
    if (u.name == name) return fail(kNotImplemented, "The operation " + std::string(name) + " is not implemented.");
  return fail(unknown, std::move(message));
}

Result<const OperationShape*> route_form(const ServiceShape& service, const RequestHead& head, std::string_view body) {
  TRY(Params params, form_params(head, body));
  std::string action, version = "NO_VERSION_SPECIFIED";
  for (auto& [n, v] : params) {
    if (n == "Action") action = v;
    if (n == "Version") version = v;
  }
  if (action.empty()) return fail(kMissingAction, "The request is missing an action or a required parameter");
  std::string shown = action.substr(0, 128);
  std::string unknown = service.protocol == Protocol::ec2
                            ? "The action " + shown + " is not valid for this web service."
                            : "Could not find operation " + shown + " for version " + version.substr(0, 32);
  if (version != service.api_version) return fail(kInvalidAction, unknown);
  return listed(service, action, kInvalidAction, unknown);
}

Result<const OperationShape*> route_json(const ServiceShape& service, const RequestHead& head) {
  std::string_view target = head.headers.get("X-Amz-Target");
  auto dot = target.rfind('.');
  std::string_view prefix = target.substr(0, dot == target.npos ? 0 : dot),
                   name = dot == target.npos ? target : target.substr(dot + 1);
  std::string unknown =
      name.empty() ? "The request has no X-Amz-Target" : "The operation " + std::string(name.substr(0, 128)) + " is unknown.";
  if (prefix != service.target_prefix || name.empty()) return fail(kUnknownOperation, unknown);
  return listed(service, name, kUnknownOperation, unknown);
}

Response xml_response(int status, std::string body) {
  Response r;
  r.status = status;
  r.body = std::move(body);
  r.headers.add("Content-Type", "text/xml;charset=UTF-8");
  return r;
}

Response encode_query(const OperationShape& op, const void* output, std::string_view request_id) {
  // IAM and STS write whole seconds, the others milliseconds.
  wire::XmlStyle style{.millis = op.service->name != "iam" && op.service->name != "sts"};
  XmlWriter w(false);
  w.open(std::string(op.name) + "Response", op.service->xml_namespace);
  if (op.has_output) {
    std::string wrapper = op.result_wrapper.empty() ? std::string(op.name) + "Result" : std::string(op.result_wrapper);
    w.open(wrapper);
    wire::write_xml_members(w, *op.output, output, style);
    w.close();
  }
  w.open("ResponseMetadata");
  w.element("RequestId", request_id);
  w.close();
  w.close();
  return xml_response(200, std::move(w).take());
}

Response encode_ec2(const OperationShape& op, const void* output, std::string_view request_id) {
  XmlWriter w;
  w.open(std::string(op.name) + "Response", op.service->xml_namespace.empty() ? "http://ec2.amazonaws.com/doc/2016-11-15/"
                                                                              : std::string(op.service->xml_namespace) + "/");
  w.element("requestId", request_id);
  if (op.has_output)
    wire::write_xml_members(w, *op.output, output, {.millis = true});
  else
    w.element("return", "true");
  w.close();
  return xml_response(200, std::move(w).take());
}

Response encode_json(const OperationShape& op, const void* output) {
  Response r;
  r.headers.add("Content-Type", "application/x-amz-json-" + std::string(op.service->json_version));
  if (op.has_output) r.body = wire::write_json(*op.output, output).dump();
  return r;
}

void add_request_ids(Protocol protocol, std::string_view request_id, Headers& headers) {
  if (protocol != Protocol::rest_xml) return headers.set("x-amzn-RequestId", std::string(request_id));
  headers.set("x-amz-request-id", std::string(request_id));
  headers.set("x-amz-id-2", base64(crypto::sha256(request_id)));
}

/// One condition has another code in each protocol. Sources: "Common errors" of KMS, IAM, EC2; S3 "Error responses".
struct Translation {
  std::string_view code, json, ec2, s3;
  int json_status, ec2_status, s3_status;
};
constexpr Translation kTranslations[] = {
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AccessDenied", 400, 403, 403},
    {"SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "SignatureDoesNotMatch", 400, 401, 403},
    {"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId", 400, 401, 403},
    {"MissingAuthenticationToken", "MissingAuthenticationTokenException", "MissingAuthenticationToken", "AccessDenied", 400, 403,
     403},
    {"IncompleteSignature", "IncompleteSignatureException", "IncompleteSignature", "AuthorizationHeaderMalformed", 400, 400, 400},
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "ExpiredToken", 400, 400, 400},
    {"Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown", 400, 503, 503},
    {"InternalFailure", "InternalFailure", "InternalError", "InternalError", 500, 500, 500},
    {"ValidationError", "ValidationException", "InvalidParameterValue", "InvalidRequest", 400, 400, 400},
};

struct WireError {
  std::string code, message;
  int status;
};

WireError wire_error(Protocol protocol, const Error& error) {
  WireError w{std::string(error.kind->code), error.message, error.kind->http_status};
  if (error.is(kInternal))
    w.message = protocol == Protocol::rest_xml
                    ? "We encountered an internal error. Please try again."
                    : "The request processing has failed because of an unknown error, exception or failure.";
  for (auto& t : kTranslations) {
    if (t.code != error.kind->code) continue;
    switch (protocol) {
      case Protocol::json:
      case Protocol::rest_json:
        w.code = t.json, w.status = t.json_status;
        break;
      case Protocol::ec2:
        w.code = t.ec2, w.status = t.ec2_status;
        break;
      case Protocol::rest_xml:
        w.code = t.s3, w.status = t.s3_status;
        break;
      case Protocol::query:
        break;
    }
  }
  return w;
}

bool is_element_name(std::string_view s) {
  return !s.empty() && is_alpha(s[0]) &&
         std::all_of(s.begin(), s.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

void more_elements(XmlWriter& w, const Error& error, const ErrorShape* shape) {
  for (auto& [name, value] : error.more) {
    if (!is_element_name(name)) continue;
    if (shape && std::find(shape->members.begin(), shape->members.end(), name) == shape->members.end()) continue;
    w.element(name, value);
  }
}

std::string error_body(Protocol protocol, const ServiceShape* service, const WireError& e, const Error& error,
                       std::string_view request_id) {
  static constexpr ErrorShape kNoShape{};
  const ErrorShape* shape = service ? service->find_error(e.code) : nullptr;
  if (!shape) shape = &kNoShape;
  switch (protocol) {
    case Protocol::json:
    case Protocol::rest_json: {
      Json j = Json::object();
      if (protocol == Protocol::json) j.set("__type", e.code);
      std::string_view name = shape->message_member.empty() ? "message" : shape->message_member;
      j.set(std::string(name), e.message);
      for (auto& [n, v] : error.more)
        if (std::find(shape->members.begin(), shape->members.end(), n) != shape->members.end()) j.set(n, v);
      return j.dump();
    }
    case Protocol::query: {
      XmlWriter w(false);
      w.open("ErrorResponse", service ? service->xml_namespace : std::string_view());
      w.open("Error");
      w.element("Type", e.status < 500 ? "Sender" : "Receiver");
      w.element("Code", e.code);
      w.element("Message", e.message);
      more_elements(w, error, shape);
      w.close();
      w.element("RequestId", request_id);
      w.close();
      return std::move(w).take();
    }
    case Protocol::ec2: {
      XmlWriter w;
      w.open("Response");
      w.open("Errors");
      w.open("Error");
      w.element("Code", e.code);
      w.element("Message", e.message);
      w.close();
      w.close();
      w.element("RequestID", request_id);
      w.close();
      return std::move(w).take();
    }
    case Protocol::rest_xml: {
      XmlWriter w;
      w.open("Error");
      w.element("Code", e.code);
      w.element("Message", e.message);
      more_elements(w, error, nullptr);
      w.element("RequestId", request_id);
      w.element("HostId", base64(crypto::sha256(request_id)));
      w.close();
      return std::move(w).take();
    }
  }
  return {};
}

Response error_response(Protocol protocol, const ServiceShape* service, const Error& error, std::string_view request_id,
                        bool head_request) {
  WireError e = wire_error(protocol, error);
  Response r;
  r.status = e.status;
  add_request_ids(protocol, request_id, r.headers);
  for (auto& [name, value] : error.more)
    if (name.starts_with("header:")) r.headers.set(std::string_view(name).substr(7), value);
  if (protocol == Protocol::rest_json) r.headers.add("x-amzn-errortype", e.code);
  if (head_request || r.status == 304) return r;
  switch (protocol) {
    case Protocol::json:
      r.headers.add("Content-Type", "application/x-amz-json-" + std::string(service ? service->json_version : "1.1"));
      break;
    case Protocol::rest_json:
      r.headers.add("Content-Type", "application/json");
      break;
    case Protocol::rest_xml:
      r.headers.add("Content-Type", "application/xml");
      break;
    default:
      r.headers.add("Content-Type", "text/xml;charset=UTF-8");
  }
  r.body = error_body(protocol, service, e, error, request_id);
  return r;
}

}  // namespace

Result<Params> parse_form(std::string_view raw, bool plus_is_space) {
  Params out;
  if (raw.empty()) return out;
  for (auto part : split(raw, '&')) {
    if (part.empty()) continue;
    auto eq = part.find('=');
    auto name = url_decode(part.substr(0, eq), plus_is_space);
    auto value = url_decode(eq == part.npos ? std::string_view() : part.substr(eq + 1), plus_is_space);
    if (!name || !value || !is_valid_utf8(*name) || !is_valid_utf8(*value))
      return fail(kMalformedQueryString, "The query string contains a syntax error");
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

Result<const OperationShape*> route(const ServiceShape& service, const RequestHead& head, std::string_view body) {
  switch (service.protocol) {
    case Protocol::query:
    case Protocol::ec2:
      return route_form(service, head, body);
    case Protocol::json:
      return route_json(service, head);
    default:
      return wire::route_rest(service, head);
  }
}

Result<void> decode_request(const OperationShape& op, const RequestHead& head, std::string_view body, void* input) {
  std::set<std::string> missing;
  wire::ReadContext context{.malformed = &kMalformedInput, .missing = &missing};
  switch (op.service->protocol) {
    case Protocol::query:
    case Protocol::ec2: {
      if (op.service->protocol == Protocol::ec2) context.malformed = &kInvalidParameterValue;
      TRY(Params params, form_params(head, body));
      TRY_VOID(wire::read_params(params, op.service->protocol, *op.input, input, context));
      break;
    }
    case Protocol::json: {
      context.malformed = &kSerialization;
      auto j = Json::parse(body.empty() ? std::string_view("{}") : body);
      if (!j) return fail(kSerialization, "The request body is not valid JSON");
      if (!j->is_object()) return fail(kSerialization, "The request body is not a JSON object");
      TRY_VOID(wire::read_json(*j, *op.input, input, context));
      break;
    }
    case Protocol::rest_json:
      context.malformed = &kSerialization;
      TRY_VOID(wire::read_rest(op, head, body, input, context));
      break;
    case Protocol::rest_xml:
      context.malformed = &kInvalidArgument;
      context.strict = true;
      TRY_VOID(wire::read_rest(op, head, body, input, context));
      break;
  }
  return wire::validate(op, input, missing);
}

Result<void> validate(const OperationShape& op, const void* input) { return wire::validate(op, input, {}); }

void complete_lists(const OperationShape& op, void* output) {
  bool lists = op.name.starts_with("List") || op.name.starts_with("Describe") || op.name.starts_with("Lookup");
  if (!lists || !op.has_output || op.service->protocol == Protocol::rest_xml) return;
  for (auto& member : op.output->members)
    if (member.shape->type == Type::list && !member.get(output)) member.make(output);
}

Response encode_response(const OperationShape& op, const void* output, std::string_view request_id) {
  Protocol protocol = op.service->protocol;
  Response r = protocol == Protocol::query  ? encode_query(op, output, request_id)
               : protocol == Protocol::ec2  ? encode_ec2(op, output, request_id)
               : protocol == Protocol::json ? encode_json(op, output)
                                            : wire::write_rest_response(op, output);
  add_request_ids(protocol, request_id, r.headers);
  return r;
}

Response encode_error(const ServiceShape& service, const Error& error, std::string_view request_id, bool head_request) {
  return error_response(service.protocol, &service, error, request_id, head_request);
}
Response encode_error(Protocol protocol, const Error& error, std::string_view request_id) {
  return error_response(protocol, nullptr, error, request_id, false);
}

RequestParts encode_request(const OperationShape& op, const void* input) {
  const ServiceShape& service = *op.service;
  RequestParts out;
  if (is_form_protocol(service.protocol)) {
    Params params{{"Action", std::string(op.name)}, {"Version", std::string(service.api_version)}};
    wire::write_params(params, service.protocol, *op.input, input);
    for (auto& [n, v] : params) out.body += (out.body.empty() ? "" : "&") + url_encode(n) + "=" + url_encode(v);
    out.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    return out;
  }
  if (service.protocol == Protocol::json) {
    out.body = wire::write_json(*op.input, input).dump();
    out.headers.add("Content-Type", "application/x-amz-json-" + std::string(service.json_version));
    out.headers.add("X-Amz-Target", std::string(service.target_prefix) + "." + std::string(op.name));
    return out;
  }
  return wire::write_rest_request(op, input);
}

Result<void> decode_response(const OperationShape& op, int status, const Headers& headers, std::string_view body, void* output) {
  wire::ReadContext context{.malformed = &kSerialization};
  switch (op.service->protocol) {
    case Protocol::query:
    case Protocol::ec2: {
      if (!op.has_output) return {};
      TRY(XmlElement root, parse_xml(body));
      const XmlElement* result = &root;
      if (op.service->protocol == Protocol::query)
        result = root.child(op.result_wrapper.empty() ? std::string(op.name) + "Result" : std::string(op.result_wrapper));
      if (!result) return fail(kSerialization, "The answer has no result");
      return wire::read_xml(*result, *op.output, output, context);
    }
    case Protocol::json: {
      if (!op.has_output) return {};
      TRY(Json j, Json::parse(body));
      return wire::read_json(j, *op.output, output, context);
    }
    default:
      return wire::read_rest_response(op, status, headers, body, output);
  }
}

RemoteError decode_error(Protocol protocol, int status, const Headers& headers, std::string_view body) {
  RemoteError e{.status = status};
  e.request_id = headers.get(protocol == Protocol::rest_xml ? "x-amz-request-id" : "x-amzn-requestid");
  if (protocol == Protocol::json || protocol == Protocol::rest_json) {
    auto j = Json::parse(body);
    std::string type = protocol == Protocol::rest_json ? std::string(headers.get("x-amzn-errortype")) : std::string();
    if (j && j->is_object()) {
      if (type.empty()) type = (*j)["__type"].str();
      e.message = j->has("message") ? (*j)["message"].str() : (*j)["Message"].str();
    }
    if (auto hash = type.rfind('#'); hash != type.npos) type = type.substr(hash + 1);
    e.code = type.substr(0, type.find(':'));
    return e;
  }
  auto root = parse_xml(body);
  if (!root) return e;
  const XmlElement* error = &*root;
  if (auto* errors = root->child("Errors"))
    error = errors->child("Error");
  else if (auto* inner = root->child("Error"))
    error = inner;
  if (!error) return e;
  if (auto* c = error->child("Code")) e.code = c->text;
  if (auto* m = error->child("Message")) e.message = m->text;
  for (const XmlElement* where : {error, static_cast<const XmlElement*>(&*root)})
    for (auto name : {"RequestId", "RequestID"})
      if (auto* id = where->child(name)) e.request_id = id->text;
  return e;
}

}  // namespace redoubt::api
