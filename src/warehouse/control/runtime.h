#pragma once
/// What runs for one cluster; control room only.
#include <future>
#include <mutex>

#include "warehouse/control/control.h"

namespace redoubt::warehouse::control {

struct Control::Cluster {
  mutable std::mutex mutex;  // guards record, opening
  ClusterRecord record;
  std::shared_ptr<TokenMint> tokens;
  /// Set while the cluster runs: the engine and catalog, opened on a thread of their own.
  std::shared_future<Result<std::shared_ptr<session::SqlService>>> opening;

  ClusterRecord snapshot() const {
    std::lock_guard lock(mutex);
    return record;
  }
};

}  // namespace redoubt::warehouse::control
