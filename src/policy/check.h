#pragma once
/// One statement against one request: what decide, explain and the simulator have in common, so that they can't disagree.
#include "policy/compiled.h"
#include "policy/decide.h"
#include "policy/principals.h"

namespace redoubt::policy {

enum class Miss : uint8_t { none, action, resource, principal, condition };

struct Check {
  Miss miss = Miss::none;
  Grade grade = Grade::direct;           // of layers with principals
  const Condition* condition = nullptr;  // the first that didn't hold
  bool matched() const { return miss == Miss::none; }
};

/// `bounded`: the request's principal has a permissions boundary.
Check check(const Statement& statement, Layer layer, const Request& request, bool bounded);

bool action_applies(const Statement& statement, std::string_view action);

}  // namespace redoubt::policy
