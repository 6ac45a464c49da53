#pragma once
/// What the Gate keeps besides its collaborators. Rows are added at start, by one thread, before the first call; then never
/// again.
#include <unordered_map>

#include "access/gate.h"
#include "access/throttle.h"

namespace redoubt::access {

struct Gate::State {
  explicit State(const Options& options) : throttle(options.throttles) {}
  std::unordered_map<const api::OperationShape*, std::unique_ptr<const ErasedRow>> rows;
  Throttle throttle;
  EndpointPolicies endpoint_policies;
};

}  // namespace redoubt::access
