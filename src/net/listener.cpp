#include "net/listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/log.h"

namespace redoubt::net {

using asio::ip::tcp;

namespace {
tcp::endpoint to_asio(const Endpoint& at) {
  if (at.ip.is_v4()) return {asio::ip::address_v4(at.ip.v4_value()), at.port};
  asio::ip::address_v6::bytes_type bytes;
  std::copy(at.ip.bytes.begin(), at.ip.bytes.end(), bytes.begin());
  return {asio::ip::address_v6(bytes), at.port};
}
}  // namespace

struct Listener::State {
  State(IoThreads& io, Options o) : threads(io), options(o), acceptor(io.next()) {}

  IoThreads& threads;
  const Options options;
  tcp::acceptor acceptor;  // touched by its own executor only, once started
  Endpoint local;
  Serve serve;

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::unordered_map<uint64_t, Stream::Closer> open;
  uint64_t accepted = 0;
  uint64_t turned_away = 0;
  bool accepting = false;
  bool stopping = false;

  /// Counts a connection for as long as its coroutine's frame lives, however that ends.
  struct Hold {
    std::shared_ptr<State> state;
    uint64_t id;
    Hold(std::shared_ptr<State> s, uint64_t i) : state(std::move(s)), id(i) {}
    Hold(Hold&&) = default;
    ~Hold() {
      if (!state) return;
      std::lock_guard lock(state->mutex);
      state->open.erase(id);
      state->changed.notify_all();
    }
  };

  static asio::awaitable<void> run(Hold hold, Stream stream) {
    try {
      co_await hold.state->serve(std::move(stream));
    } catch (const std::exception& e) {
      log::warn(std::string("a connection ended with an exception: ") + e.what());
    }
  }

  static asio::awaitable<void> accept(std::shared_ptr<State> s) {
    asio::steady_timer pause(s->acceptor.get_executor());
    for (;;) {
      auto& context = s->threads.next();
      auto [error, socket] = co_await s->acceptor.async_accept(context, asio::as_tuple(asio::use_awaitable));
      if (error == asio::error::operation_aborted || !s->acceptor.is_open()) break;
      if (error) {
        // Out of descriptors or memory, or a peer that was gone before we came: the next one may do better, a little later.
        if (error != asio::error::connection_aborted) log::warn("accept on " + s->local.str() + ": " + error.message());
        pause.expires_after(std::chrono::milliseconds(50));
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      Stream stream(std::move(socket));
      uint64_t id;
      {
        std::lock_guard lock(s->mutex);
        if (s->stopping) break;
        if (s->open.size() >= s->options.connections_max) {
          ++s->turned_away;
          continue;
        }
        id = ++s->accepted;
        s->open.emplace(id, stream.closer());
      }
      Hold hold(s, id);
      asio::co_spawn(context, run(std::move(hold), std::move(stream)), asio::detached);
    }
    std::lock_guard lock(s->mutex);
    s->accepting = false;
    s->changed.notify_all();
  }
};

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}
Listener::~Listener() { stop(); }

Result<std::unique_ptr<Listener>> Listener::open(IoThreads& threads, Endpoint at, Options options) {
  auto state = std::make_shared<State>(threads, options);
  auto endpoint = to_asio(at);
  boost::system::error_code error;
  auto& a = state->acceptor;
  // A listener of ours that was closed a moment ago can still hold the address: while another thread polls it, the kernel keeps
  // it alive after close() has returned.
  for (int attempt = 0; attempt < 5; ++attempt) {
    a.open(endpoint.protocol(), error);
    if (!error) a.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) a.bind(endpoint, error);
    if (!error) a.listen(asio::socket_base::max_listen_connections, error);
    if (error != asio::error::address_in_use) break;
    boost::system::error_code ignored;
    a.close(ignored);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (error) return fail(kCannotListen, "cannot listen on " + at.str() + ": " + error.message());
  state->local = {at.ip, a.local_endpoint(error).port()};
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

bool can_listen(Endpoint at) {
  auto endpoint = to_asio(at);
  // Nothing polls this one, so that it is gone when it is closed.
  int probe = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  int on = 1;
  bool free = ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              ::bind(probe, endpoint.data(), socklen_t(endpoint.size())) == 0 && ::listen(probe, 1) == 0;
  ::close(probe);
  return free;
}

Endpoint Listener::local() const { return state_->local; }

void Listener::start(Serve serve) {
  state_->serve = std::move(serve);
  {
    std::lock_guard lock(state_->mutex);
    if (state_->accepting || state_->stopping) return;
    state_->accepting = true;
  }
  asio::co_spawn(state_->acceptor.get_executor(), State::accept(state_), asio::detached);
}

void Listener::stop() {
  auto& s = *state_;
  std::unique_lock lock(s.mutex);
  if (!s.stopping) {
    s.stopping = true;
    if (!s.accepting) {
      s.acceptor.close();
    } else {
      asio::post(s.acceptor.get_executor(), [state = state_] { state->acceptor.close(); });
    }
  }
  for (auto& [id, closer] : s.open) closer.close();
  s.changed.wait(lock, [&] { return !s.accepting && s.open.empty(); });
}

size_t Listener::connections() const {
  std::lock_guard lock(state_->mutex);
  return state_->open.size();
}
uint64_t Listener::accepted() const {
  std::lock_guard lock(state_->mutex);
  return state_->accepted;
}
uint64_t Listener::turned_away() const {
  std::lock_guard lock(state_->mutex);
  return state_->turned_away;
}

}  // namespace redoubt::net
