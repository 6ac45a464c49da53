#pragma once
/// What the plain HTTP port answers besides the AWS APIs: /_redoubt/health and /_redoubt/metrics. No tenant's name is in either.
#include <functional>

#include "api/http.h"
#include "server/metrics.h"

namespace redoubt::server {

class LocalPages : public api::Handler {
 public:
  /// `health`: an empty string, or why the server can't serve now (503). Everything outside of /_redoubt/ goes to `next`.
  LocalPages(api::Handler& next, const Metrics& metrics, std::function<std::string()> health)
      : next_(next), metrics_(metrics), health_(std::move(health)) {}
  std::unique_ptr<api::Exchange> begin(api::RequestHead head) override;

 private:
  api::Response answer(const api::RequestHead& head) const;
  api::Handler& next_;
  const Metrics& metrics_;
  std::function<std::string()> health_;
};

}  // namespace redoubt::server
