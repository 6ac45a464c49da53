#include "identity/last_used.h"

#include "base/json.h"
#include "base/log.h"

namespace redoubt::identity {

namespace {
constexpr std::string_view kCollection = "iam.last_used";
}

LastUsed::LastUsed(meta::Store& store) : store_(store) {}

LastUsed::~LastUsed() {
  if (uses_.empty()) return;
  auto done = store_.transact([&](meta::Txn& txn) -> Result<void> {
    for (auto& [id, use] : uses_)
      txn.put(kCollection, meta::key({id}),
              Json::object().set("time", use.time.us).set("service", use.service).set("region", use.region).dump());
    return {};
  });
  if (!done) log::error("identity: last uses could not be stored: " + done.error().message);
}

void LastUsed::note(const std::string& id, Use use) {
  std::lock_guard lock(mutex_);
  uses_[id] = std::move(use);
}

std::optional<Use> LastUsed::find(const std::string& id) const {
  {
    std::lock_guard lock(mutex_);
    if (auto it = uses_.find(id); it != uses_.end()) return it->second;
  }
  auto row = store_.get(kCollection, meta::key({id}));
  if (!row) return std::nullopt;
  auto json = Json::parse(*row);
  if (!json) return std::nullopt;
  return Use{{(*json)["time"].integer()}, (*json)["service"].str(), (*json)["region"].str()};
}

}  // namespace redoubt::identity
