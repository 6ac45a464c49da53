#pragma once
/// A client of a cluster, from its first byte to its last: admission, TLS, sign-on, then a Conversation.
///
///   listener->start([options](net::Stream stream) { return wire::serve(std::move(stream), options); });
///
/// Security: admit() is asked before anything is read or said, TLS included. Until a client has signed on it gets a minute, 16
/// KiB and short messages. Bytes that follow an SSLRequest in plain text end the connection, so that nothing can be slipped in
/// before the handshake. A client that hangs up cancels its statement.
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "net/pool.h"
#include "net/stream.h"
#include "warehouse/wire/backend.h"

namespace redoubt::warehouse::wire {

struct Options {
  /// The cluster's security groups: may this address connect? Must not block.
  std::function<bool(const Ip& peer)> admit;
  /// The cluster. Called on the pool: may block until the engine is open. Its error is what the client is told (57P03 ..).
  std::function<Result<std::shared_ptr<Backend>>()> backend;
  /// The certificate to show to this connection; null function or null: TLS is refused ('N').
  std::function<SSL_CTX*()> tls;
  net::Pool* pool = nullptr;  // the sql pool
  bool require_tls = false;   // parameter group's require_ssl
  std::chrono::seconds startup_timeout{60};
  std::chrono::seconds idle_timeout{0};  // 0: none
};

/// Serves until the client leaves. Everything in `options` outlives it. Threads: the stream's executor.
boost::asio::awaitable<void> serve(net::Stream stream, std::shared_ptr<const Options> options);

}  // namespace redoubt::warehouse::wire
