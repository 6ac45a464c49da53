#pragma once
/// One TCP connection as coroutines see it, plain or TLS. TLS runs on the socket's own descriptor and waits for readiness only,
/// with OpenSSL's buffers released while idle: 16 KB an idle connection (asio::ssl::stream keeps 74).
///
///   Stream stream(std::move(socket));
///   stream.expires_after(10s);
///   if (auto up = co_await stream.start_tls(context); !up) co_return;
///   while (true) {
///     auto n = co_await stream.read_some(buffer);
///     if (!n || *n == 0) co_return;                       // an error, or the peer is done sending
///     if (auto sent = co_await stream.write_all({buffer.data(), *n}); !sent) co_return;
///   }
///
/// Threads: everything here runs on the executor of the socket, except Closer, which any thread may use. One coroutine may read
/// while another one writes; two readers or two writers may not.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "net/errors.h"

using SSL_CTX = struct ssl_ctx_st;

namespace redoubt::net {

namespace asio = boost::asio;

struct Endpoint {
  Ip ip;
  uint16_t port = 0;
  std::string str() const;  // "127.0.0.1:4443", "[::1]:4443"
  bool operator==(const Endpoint&) const = default;
};

enum class TlsSide { server, client };

class Stream {
  struct State;

 public:
  explicit Stream(asio::ip::tcp::socket socket);
  ~Stream();  // closes
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  asio::any_io_executor executor() const;
  Endpoint peer() const;   // as accepted; stays readable after close
  Endpoint local() const;  // the listener's address: what names the cluster
  bool is_tls() const;
  std::string tls_version() const;  // "TLSv1.3"; "" when plain

  /// At least one byte into `into`, or 0 when the peer has ended the stream orderly. Errors: kClosed, kTimedOut, kTlsFailed.
  asio::awaitable<Result<size_t>> read_some(std::span<char> into);

  /// What can be had without waiting; 0: nothing now (or the end, which read_some then tells). Gathers small arrivals.
  Result<size_t> read_now(std::span<char> into);

  /// All of `bytes`, which must stay valid meanwhile. Errors as read_some.
  asio::awaitable<Result<void>> write_all(std::string_view bytes);
  /// The pieces one after the other; plain connections send them with one call to the system where possible.
  asio::awaitable<Result<void>> write_all(std::span<const std::string_view> pieces);

  /// The handshake; call it before any byte of TLS was read. The context stays the caller's (OpenSSL counts references). With
  /// TlsSide::client, `host` is the name that the peer's certificate must carry if the context verifies.
  asio::awaitable<Result<void>> start_tls(SSL_CTX* context, TlsSide side = TlsSide::server, std::string host = {});

  /// Whatever has not ended within `after` from now fails with kTimedOut and the connection is closed; replaces an earlier
  /// deadline. never_expires() takes it back.
  void expires_after(std::chrono::steady_clock::duration after);
  void never_expires();

  /// Returns when the peer has hung up, or when the connection was closed. Meant to run beside a query: it leaves the bytes that
  /// arrive alone, and notices within half a second if there are unread ones.
  asio::awaitable<void> wait_hangup();

  /// Says goodbye (TLS close_notify, FIN) without waiting, and closes. Pending reads and writes fail with kClosed. Idempotent.
  void close();
  /// Ends our direction only, so that the peer reads our last bytes before it learns that we ignore its own.
  void shutdown_send();
  bool is_open() const;

  /// Closes the connection from any thread, as long as it lives.
  class Closer {
   public:
    Closer() = default;
    void close() const;

   private:
    friend class Stream;
    std::weak_ptr<State> state_;
  };
  Closer closer() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace redoubt::net
