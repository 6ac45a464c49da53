#include "server/local_pages.h"

#include "base/json.h"

namespace redoubt::server {
namespace {

/// An answer that was ready before any body.
struct Ready : api::Exchange {
  explicit Ready(api::Response r) { early = std::move(r); }
  Result<void> body(std::string_view) override { return {}; }
  api::Response finish() override { return {}; }
};

api::Response text(int status, std::string type, std::string body) {
  api::Response r;
  r.status = status;
  r.headers.add("Content-Type", std::move(type));
  r.headers.add("Cache-Control", "no-store");
  r.body = std::move(body);
  return r;
}

}  // namespace

std::unique_ptr<api::Exchange> LocalPages::begin(api::RequestHead head) {
  if (!head.target.starts_with("/_redoubt/")) return next_.begin(std::move(head));
  return std::make_unique<Ready>(answer(head));
}

api::Response LocalPages::answer(const api::RequestHead& head) const {
  auto path = head.raw_path();
  if (head.method != "GET" && head.method != "HEAD") return text(405, "text/plain", "only GET\n");
  if (path == "/_redoubt/metrics") return text(200, "text/plain; version=0.0.4; charset=utf-8", metrics_.text());
  if (path == "/_redoubt/health") {
    auto trouble = health_();
    return text(
        trouble.empty() ? 200 : 503, "application/json",
        trouble.empty() ? "{\"status\":\"ok\"}\n" : "{\"status\":\"unavailable\",\"reason\":" + json_quote(trouble) + "}\n");
  }
  return text(404, "text/plain", "no such page\n");
}

}  // namespace redoubt::server
