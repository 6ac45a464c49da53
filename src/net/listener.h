#pragma once
/// A listening port. Every accepted connection becomes one coroutine on one io thread.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "net/io_threads.h"
#include "net/stream.h"

namespace redoubt::net {

/// Whether Listener::open() would find the address free now.
bool can_listen(Endpoint at);

class Listener {
 public:
  /// Serves one connection until it ends. What it throws ends that connection alone.
  using Serve = std::function<asio::awaitable<void>(Stream)>;
  struct Options {
    size_t connections_max = 10000;  // further ones are closed at once
  };

  /// Binds and listens; nothing is accepted before start(). Port 0 takes a free one. kCannotListen, with a sentence for the
  /// operator, when the address isn't this machine's or the port is taken.
  static Result<std::unique_ptr<Listener>> open(IoThreads& threads, Endpoint at, Options options);
  /// Calls stop().
  ~Listener();

  Endpoint local() const;
  void start(Serve serve);
  /// Stops accepting, closes every connection and waits until their coroutines have ended. Not from an io thread. Idempotent.
  void stop();

  size_t connections() const;    // open now
  uint64_t accepted() const;     // ever
  uint64_t turned_away() const;  // because of connections_max

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace redoubt::net
