#include "warehouse/wire/backend.h"

namespace redoubt::warehouse::wire {
namespace {

class Exchange final : public SignOn {
 public:
  Exchange(session::SqlService& service, const session::ClientHello& hello) : exchange_(service, hello) {}
  session::AuthRequest start() override { return exchange_.start(); }
  Result<session::AuthRequest> answer(char type, std::string_view body) override { return exchange_.answer(type, body); }
  const session::Identity& identity() const { return exchange_.identity(); }

 private:
  session::AuthExchange exchange_;
};

class ServiceBackend final : public Backend {
 public:
  explicit ServiceBackend(std::shared_ptr<session::SqlService> service) : service_(std::move(service)) {}

  std::unique_ptr<SignOn> sign_on(const session::ClientHello& hello) override {
    return std::make_unique<Exchange>(*service_, hello);
  }
  Result<std::unique_ptr<session::Session>> connect(SignOn& proof, session::SessionOptions options) override {
    return service_->connect(static_cast<Exchange&>(proof).identity(), std::move(options));
  }
  void cancel(uint32_t pid, uint32_t secret) override { service_->cancel(static_cast<int>(pid), static_cast<int>(secret)); }
  void log_connection(const session::ConnectionEvent& event) override { service_->log_connection(event); }

 private:
  std::shared_ptr<session::SqlService> service_;
};

}  // namespace

std::shared_ptr<Backend> service_backend(std::shared_ptr<session::SqlService> service) {
  return std::make_shared<ServiceBackend>(std::move(service));
}

}  // namespace redoubt::warehouse::wire
