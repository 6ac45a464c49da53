#pragma once
/// When access keys and roles were last used. Kept in memory and written when the server stops (AWS too tells it hours late): a
/// crash loses what happened since the start. Threads: any.
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "meta/store.h"

namespace redoubt::identity {

struct Use {
  Timestamp time;
  std::string service, region;
};

class LastUsed {
 public:
  explicit LastUsed(meta::Store& store);
  ~LastUsed();
  /// `id`: of an access key or a role.
  void note(const std::string& id, Use use);
  std::optional<Use> find(const std::string& id) const;

 private:
  meta::Store& store_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Use> uses_;  // of this run; guarded by mutex_
};

}  // namespace redoubt::identity
