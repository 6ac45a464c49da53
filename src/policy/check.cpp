#include "policy/check.h"

#include "policy/conditions.h"
#include "policy/match.h"

namespace redoubt::policy {
namespace {
bool resource_applies(const Statement& s, const Request& request) {
  if (!s.has_resource) return s.without_resource_applies;
  for (auto& p : s.resources) {
    Match m = match(p, request.resource, request.context);
    if (m == Match::yes) return !s.not_resource;
    if (m == Match::unresolved && s.not_resource) return false;  // can't be told apart from it
  }
  return s.not_resource;
}

Grade principal_grade(const Statement& s, Layer layer, const Request& request, bool bounded) {
  bool has_principals = layer == Layer::resource || layer == Layer::rcp || layer == Layer::endpoint;
  if (!has_principals) return Grade::direct;
  if (!s.has_principal) return s.allow ? Grade::none : Grade::direct;  // no such document passes parse for these kinds
  return grade(s, request.principal, layer != Layer::resource, bounded && layer == Layer::resource);
}
}  // namespace

bool action_applies(const Statement& s, std::string_view action) {
  const Context none;  // actions have no variables
  for (auto& p : s.actions)
    if (match(p, action, none) == Match::yes) return !s.not_action;
  return s.not_action;
}

Check check(const Statement& s, Layer layer, const Request& request, bool bounded) {
  if (!action_applies(s, request.action)) return {Miss::action};
  if (!resource_applies(s, request)) return {Miss::resource};
  Grade g = principal_grade(s, layer, request, bounded);
  if (g == Grade::none) return {Miss::principal};
  for (auto& c : s.conditions)
    if (!holds(c, request.context, s.allow)) return {Miss::condition, g, &c};
  return {Miss::none, g};
}

}  // namespace redoubt::policy
