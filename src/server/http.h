#pragma once
/// The HTTP/1.1 listener: reads requests off connections, has an api::Handler answer them on a pool, and streams both bodies with
/// back-pressure. What it understands and refuses of the syntax stands in http_head.h.
///
/// A request that can be answered from what has arrived costs one trip to the pool (begin, body, finish and the first piece of
/// the answer); a longer body costs one more for every piece of up to 256 KiB. A client waits while the pool works and the pool
/// never waits for a client: slow ones hold a connection and two buffers, no thread.
#include <chrono>
#include <memory>

#include "api/http.h"
#include "base/clock.h"
#include "net/listener.h"
#include "net/pool.h"
#include "server/metrics.h"
#include "server/tls.h"

namespace redoubt::server {

struct HttpOptions {
  net::Endpoint at;
  TlsContext tls;               // null: plain HTTP
  std::string name = "http";    // the label of its metrics
  std::string vpc_endpoint_id;  // go to NetworkPath
  std::string vpc_id;
  size_t connections_max = 4096;
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds head_timeout{20'000};   // for a whole head, from its first byte on
  std::chrono::milliseconds idle_timeout{75'000};   // between requests
  std::chrono::milliseconds body_timeout{60'000};   // for the next bytes of a body, either way
  std::chrono::milliseconds linger_timeout{5'000};  // for a client to read an early answer before its body is cut off
};

class HttpServer {
 public:
  /// Binds; accepts from start() on. Everything given must outlive it. Errors: net::kCannotListen.
  static Result<std::unique_ptr<HttpServer>> open(net::IoThreads& io, net::Pool& pool, Clock& clock, Metrics& metrics,
                                                  HttpOptions options);
  /// Calls stop().
  ~HttpServer();

  net::Endpoint local() const;
  /// `handler` is used until stop() returns.
  void start(api::Handler& handler);
  /// Closes the port and every connection, and waits until what runs on the pool for them is done. Not from an io thread.
  void stop();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::server
