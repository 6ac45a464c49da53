#pragma once
/// What a connection asks of its cluster. In the server a SqlService answers; tests bring their own.
#include <memory>
#include <string_view>

#include "warehouse/session/session.h"
#include "warehouse/session/sql_service.h"

namespace redoubt::warehouse::wire {

/// One sign-on in progress; see session::AuthExchange. Threads: one at a time; nothing blocks.
class SignOn {
 public:
  virtual ~SignOn() = default;
  virtual session::AuthRequest start() = 0;
  virtual Result<session::AuthRequest> answer(char type, std::string_view body) = 0;
};

/// Threads: any.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::unique_ptr<SignOn> sign_on(const session::ClientHello& hello) = 0;
  /// After a sign-on that ended with kOk. May block.
  virtual Result<std::unique_ptr<session::Session>> connect(SignOn& proof, session::SessionOptions options) = 0;
  /// CancelRequest; unknown pid or wrong secret (compared in constant time): nothing happens. Doesn't block.
  virtual void cancel(uint32_t pid, uint32_t secret) = 0;
  virtual void log_connection(const session::ConnectionEvent& event) = 0;
};

std::shared_ptr<Backend> service_backend(std::shared_ptr<session::SqlService> service);

}  // namespace redoubt::warehouse::wire
