#include "access/caller.h"

namespace redoubt::access {

Call Call::forwarded_by(std::string_view service) const {
  Call out = *this;
  out.called_via.push_back(std::string(service) + ".amazonaws.com");
  out.via_service = std::string(service) + "." + region + ".amazonaws.com";
  out.invoked_by = out.called_via.back();
  out.headers.clear();
  return out;
}

CallerPtr service_caller(std::string_view service) {
  auto caller = std::make_shared<Caller>();
  caller->type = policy::PrincipalType::service;
  caller->service = service;
  caller->user_id = service;
  return caller;
}

CallerPtr anonymous_caller() {
  static const CallerPtr caller = [] {
    auto c = std::make_shared<Caller>();
    c->type = policy::PrincipalType::anonymous;
    c->user_id = "anonymous";
    return c;
  }();
  return caller;
}

}  // namespace redoubt::access
