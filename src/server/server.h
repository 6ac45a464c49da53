#pragma once
/// The whole server: built top to bottom, taken down bottom to top.
///
///   auto server = Server::open(config, Clock::system());     // kCannotStart, net::kCannotListen: the operator's to mend
///   server->start();                                          // every port accepts
///   ...                                                       // wait for SIGTERM
///   server.reset();                                           // listeners, then services, then pools, then io threads
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "server/config.h"

namespace redoubt::server {

class Server {
 public:
  static Result<std::unique_ptr<Server>> open(Config config, Clock& clock);
  ~Server();
  void start();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace redoubt::server
