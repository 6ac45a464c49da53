#include "stacks/provider.h"

#include "base/ids.h"
#include "base/text.h"
#include "stacks/providers/values.h"

namespace redoubt::stacks {
namespace {

const std::map<std::string_view, Provider>& table() {
  static const auto kTable = [] {
    std::map<std::string_view, Provider> out;
    for (auto& group : {iam_providers(), s3_providers(), kms_providers(), redshift_providers()})
      for (auto& p : group) {
        CHECK(p.create && p.update && p.remove && p.find_made);
        out.emplace(p.type, p);
      }
    return out;
  }();
  return kTable;
}

bool scalar(const Json& j) { return j.is_string() || j.is_number() || j.is_bool(); }

bool fits(Shape shape, const Json& j) {
  auto each = [&](auto good) {
    return j.is_array() && std::all_of(j.items().begin(), j.items().end(), [&](auto& x) { return good(x); });
  };
  switch (shape) {
    case Shape::text:
      return scalar(j);
    case Shape::integer:
      return scalar(j) && parse_int(j.str()).has_value();
    case Shape::boolean:
      return scalar(j) && (iequals(j.str(), "true") || iequals(j.str(), "false"));
    case Shape::texts:
      return each(scalar);
    case Shape::document:
    case Shape::object:
      return j.is_object();
    case Shape::objects:
      return each([](auto& x) { return x.is_object(); });
    case Shape::tags:
      return each([](auto& x) { return x.is_object() && x.size() == 2 && scalar(x["Key"]) && scalar(x["Value"]); });
  }
  return false;
}

std::string_view named(Shape shape) {
  switch (shape) {
    case Shape::text:
      return "type String";
    case Shape::integer:
      return "type Integer";
    case Shape::boolean:
      return "type Boolean";
    case Shape::texts:
      return "type List of String";
    case Shape::document:
    case Shape::object:
      return "an object";
    case Shape::objects:
      return "a list of objects";
    case Shape::tags:
      return "a list of tags, each with Key and Value";
  }
  return "";
}

std::string_view handler_error_code(const Error& e) {
  auto code = e.kind->code;
  if (code.find("AlreadyExists") != code.npos || code == "BucketAlreadyOwnedByYou") return "AlreadyExists";
  if (is_gone(e)) return "NotFound";
  if (e.kind->http_status == 403 || code.starts_with("AccessDenied")) return "AccessDenied";
  if (code.find("LimitExceeded") != code.npos || code == "TooManyBuckets") return "ServiceLimitExceeded";
  if (e.kind->http_status >= 500) return "ServiceInternalError";
  return e.kind->http_status == 409 ? "GeneralServiceException" : "InvalidRequest";
}

}  // namespace

const Provider* find_provider(std::string_view type) {
  auto it = table().find(type);
  return it == table().end() ? nullptr : &it->second;
}

std::vector<const Provider*> all_providers() {
  std::vector<const Provider*> out;
  for (auto& [type, p] : table()) out.push_back(&p);
  return out;
}

Result<void> check_shapes(const Provider& provider, const Json& properties) {
  for (auto& [name, value] : properties.members()) {
    auto* p = provider.property(name);
    if (!p) return invalid("Encountered unsupported property " + name);
    bool as_object =
        p->shape == Shape::text || p->shape == Shape::texts || p->shape == Shape::integer || p->shape == Shape::boolean;
    if (!fits(p->shape, value))
      return invalid("Value of property " + name + " must be " + (as_object ? "of " : "") + std::string(named(p->shape)));
  }
  // AWS::NoValue may have taken one away.
  for (auto& p : provider.properties)
    if (p.required && !properties.has(p.name)) return invalid("Property " + std::string(p.name) + " cannot be empty.");
  return {};
}

std::string handler_message(const Provider& provider, const Error& e, std::string_view request_id) {
  if (e.kind == &kValidation) return e.message;  // our own words, not a service's
  auto service = split(provider.type, ':')[2];   // AWS::IAM::Role
  std::string name = service == "S3" ? "S3" : std::string(service.substr(0, 1)) + to_lower(service.substr(1));
  return "Resource handler returned message: \"" + e.message + " (Service: " + name +
         ", Status Code: " + std::to_string(e.kind->http_status) + ", Request ID: " + std::string(request_id) +
         ")\" (RequestToken: " + new_uuid() + ", HandlerErrorCode: " + std::string(handler_error_code(e)) + ")";
}

}  // namespace redoubt::stacks
