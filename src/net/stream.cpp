#include "net/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace redoubt::net {

using asio::ip::tcp;

namespace {
// How many operations a connection may do in a row without waiting before others get their turn.
constexpr int kTurn = 32;
// A TLS record's payload: smaller pieces are joined, so that head and body of a small answer travel in one record.
constexpr size_t kRecord = 16 * 1024;

Endpoint to_endpoint(const tcp::endpoint& e) {
  Endpoint out;
  out.port = e.port();
  if (e.address().is_v4()) {
    out.ip = Ip::v4(e.address().to_v4().to_uint());
  } else {
    auto bytes = e.address().to_v6().to_bytes();
    std::copy(bytes.begin(), bytes.end(), out.ip.bytes.begin());
  }
  return out;
}
}  // namespace

std::string Endpoint::str() const {
  auto text = ip.str();
  return (ip.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

struct Stream::State : std::enable_shared_from_this<Stream::State> {
  explicit State(tcp::socket s) : socket(std::move(s)), timer(socket.get_executor()) {
    boost::system::error_code ignored;  // the peer may be gone already: the first read will say so
    socket.non_blocking(true, ignored);
    socket.set_option(tcp::no_delay(true), ignored);
    if (auto e = socket.remote_endpoint(ignored); !ignored) peer = to_endpoint(e);
    if (auto e = socket.local_endpoint(ignored); !ignored) local = to_endpoint(e);
  }
  ~State() {
    close();
    if (ssl) SSL_free(ssl);
  }

  std::unexpected<Error> ended() const {
    return timed_out ? fail(kTimedOut, "The connection timed out.") : fail(kClosed, "The connection is closed.");
  }

  /// What an SSL call that returned `r` is waiting for, or why it can't go on. nullopt in the value: the peer's orderly end.
  Result<std::optional<tcp::socket::wait_type>> after_ssl(int r) {
    switch (SSL_get_error(ssl, r)) {
      case SSL_ERROR_WANT_READ:
        return tcp::socket::wait_read;
      case SSL_ERROR_WANT_WRITE:
        return tcp::socket::wait_write;
      case SSL_ERROR_ZERO_RETURN:
        return std::nullopt;
      case SSL_ERROR_SSL: {
        ssl_failed = true;
        auto code = ERR_peek_error();
        if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return fail(kClosed, "The peer hung up.");
        const char* reason = ERR_reason_error_string(code);
        return fail(kTlsFailed, reason ? reason : "TLS failed");
      }
      default:
        ssl_failed = true;
        return fail(kClosed, "The peer hung up.");
    }
  }

  struct Read {
    size_t bytes = 0;                                     // 0 without wait_for: the peer's orderly end
    std::optional<tcp::socket::wait_type> wait_for = {};  // set: nothing there yet
  };
  Result<Read> read(std::span<char> into) {
    if (closed) return ended();
    if (ssl) {
      ERR_clear_error();
      size_t n = 0;
      int r = SSL_read_ex(ssl, into.data(), into.size(), &n);
      if (r == 1) return Read{n};
      TRY(auto next, after_ssl(r));
      return Read{0, next};
    }
    for (;;) {
      auto n = ::recv(socket.native_handle(), into.data(), into.size(), 0);
      if (n >= 0) return Read{static_cast<size_t>(n)};
      if (errno == EAGAIN || errno == EWOULDBLOCK) return Read{0, tcp::socket::wait_read};
      if (errno != EINTR) return fail(kClosed, "The peer hung up.");
    }
  }

  asio::awaitable<bool> wait(tcp::socket::wait_type what) {
    turn = 0;
    auto [error] = co_await socket.async_wait(what, asio::as_tuple(asio::use_awaitable));
    co_return !error && !closed;
  }

  /// After an operation that didn't have to wait: lets others run now and then.
  asio::awaitable<void> yield() {
    if (++turn < kTurn) co_return;
    turn = 0;
    co_await asio::post(socket.get_executor(), asio::use_awaitable);
  }

  void close() {
    if (closed) return;
    closed = true;
    timer.cancel();
    if (ssl && !ssl_failed && SSL_is_init_finished(ssl)) {
      ERR_clear_error();
      SSL_shutdown(ssl);  // one record if the socket takes it; the peer's own isn't waited for
    }
    boost::system::error_code ignored;  // nothing is left to be done about a connection that can't even be closed
    socket.shutdown(tcp::socket::shutdown_both, ignored);
    socket.close(ignored);
  }

  tcp::socket socket;
  asio::steady_timer timer;
  SSL* ssl = nullptr;
  Endpoint peer, local;
  uint64_t deadline = 0;  // counts expires_after(): an overtaken timer does nothing
  int turn = 0;
  bool ssl_failed = false;
  bool timed_out = false;
  bool closed = false;
};

Stream::Stream(tcp::socket socket) : state_(std::make_shared<State>(std::move(socket))) {}
Stream::~Stream() {
  if (state_) state_->close();
}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
  if (state_) state_->close();
  state_ = std::move(other.state_);
  return *this;
}

asio::any_io_executor Stream::executor() const { return state_->socket.get_executor(); }
Endpoint Stream::peer() const { return state_->peer; }
Endpoint Stream::local() const { return state_->local; }
bool Stream::is_tls() const { return state_->ssl != nullptr; }
std::string Stream::tls_version() const { return state_->ssl ? SSL_get_version(state_->ssl) : ""; }
bool Stream::is_open() const { return !state_->closed; }
void Stream::close() { state_->close(); }

void Stream::shutdown_send() {
  auto& s = *state_;
  if (s.closed) return;
  if (s.ssl && !s.ssl_failed && SSL_is_init_finished(s.ssl)) {
    ERR_clear_error();
    SSL_shutdown(s.ssl);
    s.ssl_failed = true;  // nothing further is written by OpenSSL
  }
  boost::system::error_code ignored;
  s.socket.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<Result<size_t>> Stream::read_some(std::span<char> into) {
  auto s = state_;
  for (;;) {
    auto got = s->read(into);
    if (!got) co_return std::unexpected(got.error());
    if (!got->wait_for) {
      co_await s->yield();
      co_return got->bytes;
    }
    if (!co_await s->wait(*got->wait_for)) co_return s->ended();
  }
}

Result<size_t> Stream::read_now(std::span<char> into) {
  TRY(auto got, state_->read(into));
  return got.bytes;
}

asio::awaitable<Result<void>> Stream::write_all(std::string_view bytes) {
  std::string_view one[] = {bytes};
  co_return co_await write_all(std::span<const std::string_view>(one));
}

asio::awaitable<Result<void>> Stream::write_all(std::span<const std::string_view> pieces) {
  auto s = state_;
  std::vector<std::string_view> left(pieces.begin(), pieces.end());
  std::erase_if(left, [](std::string_view p) { return p.empty(); });
  std::string joined;
  if (s->ssl && left.size() > 1) {
    size_t total = 0;
    for (auto p : left) total += p.size();
    if (total <= kRecord) {
      for (auto p : left) joined += p;
      left.assign(1, joined);
    }
  }
  size_t at = 0;  // pieces before it are sent
  while (at < left.size()) {
    if (s->closed) co_return s->ended();
    auto want = tcp::socket::wait_write;
    size_t sent = 0;
    if (s->ssl) {
      ERR_clear_error();
      int r = SSL_write_ex(s->ssl, left[at].data(), left[at].size(), &sent);
      if (r != 1) {
        sent = 0;
        auto next = s->after_ssl(r);
        if (!next) co_return std::unexpected(next.error());
        if (!*next) co_return fail(kClosed, "The peer hung up.");
        want = **next;
      }
    } else {
      iovec parts[16];
      size_t count = std::min<size_t>(left.size() - at, 16);
      for (size_t i = 0; i < count; ++i) parts[i] = {const_cast<char*>(left[at + i].data()), left[at + i].size()};
      msghdr message{};
      message.msg_iov = parts;
      message.msg_iovlen = count;
      auto n = ::sendmsg(s->socket.native_handle(), &message, MSG_NOSIGNAL);
      if (n < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) co_return fail(kClosed, "The peer hung up.");
      } else {
        sent = static_cast<size_t>(n);
      }
    }
    if (sent == 0) {
      if (!co_await s->wait(want)) co_return s->ended();
      continue;
    }
    while (at < left.size() && sent >= left[at].size()) sent -= left[at++].size();
    if (at < left.size()) left[at].remove_prefix(sent);
    co_await s->yield();
  }
  co_return Result<void>{};
}

asio::awaitable<Result<void>> Stream::start_tls(SSL_CTX* context, TlsSide side, std::string host) {
  auto s = state_;
  CHECK(!s->ssl);
  if (s->closed) co_return s->ended();
  s->ssl = SSL_new(context);
  if (!s->ssl) co_return fail(kTlsFailed, "no memory for TLS");
  SSL_set_mode(s->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_set_fd(s->ssl, s->socket.native_handle()) != 1) co_return fail(kTlsFailed, "no memory for TLS");
  if (side == TlsSide::server) {
    SSL_set_accept_state(s->ssl);
  } else {
    SSL_set_connect_state(s->ssl);
    if (!host.empty()) {
      if (auto ip = Ip::parse(host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), host.c_str());
      } else {
        SSL_set_tlsext_host_name(s->ssl, host.c_str());
        SSL_set1_host(s->ssl, host.c_str());
      }
    }
  }
  for (;;) {
    ERR_clear_error();
    int r = SSL_do_handshake(s->ssl);
    if (r == 1) co_return Result<void>{};
    auto next = s->after_ssl(r);
    if (!next) co_return std::unexpected(next.error());
    if (!*next) co_return fail(kClosed, "The peer hung up.");
    if (!co_await s->wait(**next)) co_return s->ended();
  }
}

void Stream::expires_after(std::chrono::steady_clock::duration after) {
  auto& s = *state_;
  auto deadline = ++s.deadline;
  s.timer.expires_after(after);
  s.timer.async_wait([weak = s.weak_from_this(), deadline](boost::system::error_code error) {
    auto state = weak.lock();
    if (error || !state || state->deadline != deadline || state->closed) return;
    state->timed_out = true;
    state->ssl_failed = true;  // no goodbye: the peer doesn't listen
    state->close();
  });
}

void Stream::never_expires() {
  ++state_->deadline;
  state_->timer.cancel();
}

asio::awaitable<void> Stream::wait_hangup() {
  auto s = state_;
  asio::steady_timer pause(s->socket.get_executor());
  while (!s->closed) {
    pollfd p{s->socket.native_handle(), POLLIN | POLLRDHUP, 0};
    ::poll(&p, 1, 0);
    if (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) co_return;
    if (p.revents & POLLIN) {
      // Readiness tells nothing new while bytes wait unread (a pipelined query): look again later.
      pause.expires_after(std::chrono::milliseconds(500));
      auto [error] = co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
    } else if (!co_await s->wait(tcp::socket::wait_read)) {
      co_return;
    }
  }
}

Stream::Closer Stream::closer() const {
  Closer out;
  out.state_ = state_;
  return out;
}

void Stream::Closer::close() const {
  auto state = state_.lock();
  if (!state) return;
  auto executor = state->socket.get_executor();
  asio::post(executor, [state = std::move(state)] { state->close(); });
}

}  // namespace redoubt::net
