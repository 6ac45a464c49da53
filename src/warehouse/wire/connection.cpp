#include "warehouse/wire/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log.h"
#include "warehouse/session/errors.h"
#include "warehouse/wire/conversation.h"
#include "warehouse/wire/protocol.h"
#include "warehouse/wire/startup.h"

namespace redoubt::warehouse::wire {
namespace {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

constexpr size_t kKeepBytes = 512 << 10;  // an output buffer larger than this isn't kept
constexpr size_t kHoldBytes = 64 << 10;   // answers that nobody asked to flush are sent from here on

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(net::Stream stream, std::shared_ptr<const Options> options)
      : stream_(std::move(stream)), options_(std::move(options)) {}

  asio::awaitable<void> run() {
    stream_.expires_after(options_->startup_timeout);
    if (co_await start()) {
      if (co_await sign_on()) co_await talk();
      co_await leave();
    }
    stream_.close();
  }

 private:
  /// Fills input_; false when the client is gone or too late.
  asio::awaitable<bool> read() {
    auto room = input_.room();
    auto got = co_await stream_.read_some(room);
    if (!got || *got == 0) co_return false;
    input_.filled(*got);
    co_return true;
  }

  asio::awaitable<bool> send(std::string& out) {
    if (out.empty()) co_return true;
    auto sent = co_await stream_.write_all(std::string_view(out));
    out.clear();
    if (out.capacity() > kKeepBytes) std::string().swap(out);
    co_return sent.has_value();
  }

  /// The last words, and time for the client to read them: closing at once with its bytes unread would reset the connection.
  asio::awaitable<void> refuse(const Error& error) {
    std::string out;
    put_error(out, "FATAL", presentable(error));
    stream_.expires_after(std::chrono::seconds(2));
    if (!co_await send(out)) co_return;
    co_await drain();
  }
  asio::awaitable<void> drain() {
    stream_.shutdown_send();
    char ignored[512];
    for (int i = 0; i < 1000; ++i) {
      auto got = co_await stream_.read_some(ignored);
      if (!got || *got == 0) co_return;
    }
  }

  // -------------------------------------------------------------------------------------------------------------- startup

  /// Up to and including the startup packet; false: hang up.
  asio::awaitable<bool> start() {
    bool asked_tls = false, asked_gss = false;
    while (true) {
      auto packet = read_startup(input_.pending());
      if (!packet) {
        co_await refuse(packet.error());
        co_return false;
      }
      if (!*packet) {
        if (!co_await read()) co_return false;
        continue;
      }
      Startup startup = **std::move(packet);
      input_.consume(startup.size);
      switch (startup.kind) {
        case Startup::Kind::kTls: {
          if (asked_tls || input_.buffered() != 0) co_return false;
          asked_tls = true;
          SSL_CTX* context = options_->tls ? options_->tls() : nullptr;
          if (!co_await say(context ? "S" : "N")) co_return false;
          if (context) {
            auto up = co_await stream_.start_tls(context);
            if (!up) co_return false;
          }
          break;
        }
        case Startup::Kind::kGss:
          if (asked_tls || asked_gss || input_.buffered() != 0) co_return false;
          asked_gss = true;
          if (!co_await say("N")) co_return false;
          break;
        case Startup::Kind::kCancel: {
          auto backend = co_await open_backend();
          if (backend) (*backend)->cancel(startup.pid, startup.secret);
          co_return false;  // never a word about whether it was right
        }
        case Startup::Kind::kSession: {
          if (options_->require_tls && !stream_.is_tls()) {
            co_await refuse({&session::kInvalidAuthorization, "SSL connection is required"});
            co_return false;
          }
          auto hello = read_hello(startup, stream_.is_tls());
          if (!hello) {
            co_await refuse(hello.error());
            co_return false;
          }
          hello_ = *std::move(hello);
          auto peer = stream_.peer();
          hello_.session.remote_host = peer.ip.str();
          hello_.session.remote_port = peer.port;
          co_return true;
        }
      }
    }
  }

  asio::awaitable<bool> say(std::string_view byte) {
    auto sent = co_await stream_.write_all(byte);
    co_return sent.has_value();
  }

  asio::awaitable<Result<std::shared_ptr<Backend>>> open_backend() {
    co_return co_await options_->pool->run([this] { return options_->backend(); });
  }

  // -------------------------------------------------------------------------------------------------------------- sign-on

  asio::awaitable<bool> sign_on() {
    auto backend = co_await open_backend();
    if (!backend) {
      co_await refuse(backend.error());
      co_return false;
    }
    backend_ = *std::move(backend);
    auto proof = backend_->sign_on(hello_.client);
    auto request = Result<session::AuthRequest>(proof->start());
    while (request && request->code != session::AuthRequest::kOk) {
      Reply(out_, 'R').int32(request->code).raw(request->body);
      if (request->final) {  // SASLFinal: nothing is answered
        request = session::AuthRequest{};
        break;
      }
      if (!co_await send(out_)) co_return false;
      auto message = co_await answer();
      if (!message) co_await refuse(message.error());
      if (!message || !*message) co_return false;
      request = proof->answer((*message)->type, (*message)->body);
    }
    if (!request) {
      log_connection("authentication failure");
      co_await refuse(request.error());
      co_return false;
    }
    session::SessionOptions session_options = hello_.session;
    auto session = co_await options_->pool->run([&] { return backend_->connect(*proof, std::move(session_options)); });
    if (!session) {
      log_connection("authentication failure");
      co_await refuse(session.error());
      co_return false;
    }
    session_ = *std::move(session);
    log_connection("authenticated");
    log_connection("initiating session");
    Reply(out_, 'R').int32(session::AuthRequest::kOk);
    co_return true;
  }

  /// The client's answer to an authentication request; nullopt: it left.
  asio::awaitable<Result<std::optional<Message>>> answer() {
    while (true) {
      auto message = input_.next();
      if (!message) co_return std::unexpected(message.error());
      if (!*message) {
        if (!co_await read()) co_return std::nullopt;
        continue;
      }
      if ((*message)->type == 'H') continue;  // redshift_connector flushes behind its password
      if ((*message)->type == 'p' || (*message)->type == 'd') co_return *message;
      if ((*message)->type == 'X') co_return std::nullopt;
      co_return fail(kProtocolViolation, "expected password response, got message type " +
                                             std::to_string(static_cast<unsigned char>((*message)->type)));
    }
  }

  // ----------------------------------------------------------------------------------------------------------------- talk

  asio::awaitable<void> talk() {
    input_.limit_to_sign_on(false);
    session_->on_terminate([weak = weak_from_this(), executor = stream_.executor()] {
      asio::post(executor, [weak] {
        if (auto self = weak.lock()) self->terminated();
      });
    });
    Conversation conversation(*session_);
    conversation.greet(out_, hello_.protocol);
    bool send_now = true;
    while (true) {
      if (send_now && !co_await send(out_)) co_return;
      if (!co_await read_idle()) co_return;
      Next next = co_await answer_all(conversation);
      if (next == Next::kClose) {
        stream_.expires_after(std::chrono::seconds(5));
        if (co_await send(out_)) stream_.shutdown_send();
        co_return;
      }
      send_now = conversation.flush() || out_.size() >= kHoldBytes;
    }
  }

  /// Waits for the next message, for as long as an idle client may take.
  asio::awaitable<bool> read_idle() {
    idle_ = true;
    if (session_->terminated()) {  // while its last answer was on the way
      terminated();
      co_return false;
    }
    if (options_->idle_timeout.count() > 0) stream_.expires_after(options_->idle_timeout);
    bool more = co_await read();
    stream_.never_expires();
    // Not idle any more, unless terminated() has taken over.
    if (!idle_) co_return false;
    idle_ = false;
    co_return more;
  }

  /// Everything that has come, and its answers, with an eye on whether the client is still there.
  asio::awaitable<Next> answer_all(Conversation& conversation) {
    auto result = co_await (statements(conversation) || watch());
    co_return std::get<0>(result);
  }

  asio::awaitable<Next> statements(Conversation& conversation) {
    std::string sending;
    while (true) {
      auto advance = [&] { return Result<Next>(conversation.advance(input_, out_)); };
      Result<Next> next = Next::kRead;
      if (sending.empty()) {
        next = co_await options_->pool->run(advance, net::Pool::Admit::always);
      } else {
        // The writer apart from the encoder: the next piece is made while this one goes out.
        auto both = co_await (options_->pool->run(advance, net::Pool::Admit::always) && send(sending));
        next = std::get<0>(std::move(both));
        if (!std::get<1>(both)) gone();
      }
      if (!next) {
        put_error(out_, "FATAL", presentable(next.error()));
        co_return Next::kClose;
      }
      if (gone_ && *next != Next::kWait) {
        if (!conversation.busy()) co_return Next::kClose;
        out_.clear();  // nobody reads; the statement ends by its cancellation
        continue;
      }
      switch (*next) {
        case Next::kRead:
        case Next::kClose:
          co_return *next;
        case Next::kAgain:
          sending.swap(out_);
          break;
        case Next::kWait: {
          if (!co_await send(out_)) gone();
          auto wait = conversation.take_wait();
          co_await ready(*wait);
          break;
        }
      }
    }
  }

  /// Resumes on this connection's thread when the wait is over.
  asio::awaitable<void> ready(session::Wait& wait) {
    auto executor = co_await asio::this_coro::executor;
    auto initiate = [executor, &wait](auto handler) {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      wait.when_ready([executor, shared] { asio::post(executor, [shared] { std::move (*shared)(); }); });
    };
    auto token = asio::use_awaitable;
    co_await asio::async_initiate<decltype(token), void()>(std::move(initiate), token);
  }

  /// Cancels when the client has hung up, and again: the first time may come before the statement has begun.
  asio::awaitable<void> watch() {
    co_await stream_.wait_hangup();
    asio::steady_timer pause(stream_.executor());
    while ((co_await asio::this_coro::cancellation_state).cancelled() == asio::cancellation_type::none) {
      gone();
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }

  void gone() {
    gone_ = true;
    session_->cancel();
  }

  /// An administrator ended the session. If the client waits for nothing, it is told now; else its statement's error tells.
  void terminated() {
    if (!idle_ || !session_) return;
    idle_ = false;
    asio::co_spawn(
        stream_.executor(),
        [self = shared_from_this()]() -> asio::awaitable<void> {
          std::string last;
          if (auto why = self->session_ ? self->session_->terminated() : std::nullopt)
            put_error(last, "FATAL", presentable(*why));
          self->stream_.expires_after(std::chrono::seconds(5));
          co_await self->send(last);
          self->stream_.close();
        },
        asio::detached);
  }

  /// The session's end rolls back and may block.
  asio::awaitable<void> leave() {
    if (!session_) co_return;
    log_connection("disconnecting session");
    auto done = co_await options_->pool->run([this] { session_.reset(); }, net::Pool::Admit::always);
    if (!done) log::error("wire: ending a session failed: " + done.error().message);
  }

  void log_connection(std::string_view event) {
    backend_->log_connection({event, hello_.client, hello_.session, stream_.tls_version(), session_ ? session_->pid() : 0});
  }

  net::Stream stream_;
  std::shared_ptr<const Options> options_;
  Input input_;
  std::string out_;
  Hello hello_;
  std::shared_ptr<Backend> backend_;
  std::unique_ptr<session::Session> session_;
  bool idle_ = false, gone_ = false;
};

}  // namespace

asio::awaitable<void> serve(net::Stream stream, std::shared_ptr<const Options> options) {
  if (!options->admit || !options->admit(stream.peer().ip)) {
    stream.close();
    co_return;
  }
  auto connection = std::make_shared<Connection>(std::move(stream), std::move(options));
  co_await connection->run();
}

}  // namespace redoubt::warehouse::wire
