#include "server/services.h"

#include "base/ids.h"
#include "base/text.h"

namespace redoubt::server {
namespace {

/// Stands where no room answers: names what was asked, and refuses it.
class NoService : public api::Handler {
  struct Refusal : api::Exchange {
    Result<void> body(std::string_view) override { return {}; }
    api::Response finish() override { return {}; }
  };
  std::unique_ptr<api::Exchange> begin(api::RequestHead head) override {
    auto id = new_request_id();
    api::Response r;
    r.status = kNotImplemented.http_status;
    r.headers.add("Content-Type", "application/xml");
    r.headers.add("x-amz-request-id", id);
    r.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NotImplemented</Code><Message>No service answers " +
             head.method + " " + xml_escape(head.raw_path()) + "</Message><RequestId>" + id + "</RequestId></Error>";
    auto refusal = std::make_unique<Refusal>();
    refusal->early = std::move(r);
    return refusal;
  }
};

}  // namespace

struct Services::Rooms {
  Ground ground;
  NoService no_service = {};
};

Services::Services(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}
Services::~Services() = default;

Result<std::unique_ptr<Services>> Services::open(Ground ground) {
  return std::unique_ptr<Services>(new Services(std::make_unique<Rooms>(ground)));
}

api::Handler& Services::handler() { return rooms_->no_service; }
uint16_t Services::cluster_port() const { return 0; }
std::string Services::trouble() const { return {}; }

}  // namespace redoubt::server
