#include "server/http.h"

#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "server/http_head.h"

namespace redoubt::server {

namespace asio = boost::asio;
using net::Pool;
using Admit = net::Pool::Admit;

struct HttpServer::State {
  State(Pool& p, Clock& c, Metrics& m, HttpOptions o)
      : pool(p),
        clock(c),
        options(std::move(o)),
        handshakes_failed(m.counter("redoubt_tls_handshakes_failed_total", "TLS handshakes that failed.", label())),
        refused(m.counter("redoubt_http_refused_total", "Requests refused as malformed, oversize or too many.", label())),
        seconds(m.histogram("redoubt_http_answer_seconds", "From a request's head to the first byte of its answer.", label())),
        status{&m.counter(kAnswers, kAnswersHelp, label("1xx")), &m.counter(kAnswers, kAnswersHelp, label("2xx")),
               &m.counter(kAnswers, kAnswersHelp, label("3xx")), &m.counter(kAnswers, kAnswersHelp, label("4xx")),
               &m.counter(kAnswers, kAnswersHelp, label("5xx"))} {}

  static constexpr const char* kAnswers = "redoubt_http_answers_total";
  static constexpr const char* kAnswersHelp = "Answers by class of status.";
  Metrics::Labels label() const { return {{"listener", options.name}}; }
  Metrics::Labels label(const char* status_class) const { return {{"listener", options.name}, {"status", status_class}}; }

  Pool& pool;
  api::Handler* handler = nullptr;  // from start() on
  Clock& clock;
  const HttpOptions options;
  Counter& handshakes_failed;
  Counter& refused;
  Histogram& seconds;
  std::array<Counter*, 5> status;
  std::unique_ptr<net::Listener> listener;
};

namespace {

constexpr size_t kPiece = 256 * 1024;  // of a body, per trip to the pool
constexpr size_t kReadAtOnce = 64 * 1024;
constexpr size_t kIdleBuffer = 2 * 1024;  // what a connection holds while it waits for a request
constexpr size_t kLingerMax = 64 * 1024 * 1024;

/// One request on its way through the pool. Its parts may do anything when they are destroyed, so that happens there as well.
struct Job {
  explicit Job(Pool& p) : pool(p) {}
  ~Job() {
    if (!exchange && !(response && response->stream)) return;
    Pool::Work drop = [e = std::move(exchange), r = std::move(response)] {};
    pool.post(std::move(drop), Admit::always);
  }
  Job(const Job&) = delete;

  // The rest runs on the pool.
  void begin(api::Handler& handler, api::RequestHead head) {
    is_head = head.method == "HEAD";
    exchange = handler.begin(std::move(head));
    if (exchange->early) {
      response = std::move(exchange->early);
      early = true;
      prepare();
    }
  }
  void feed(std::string_view piece) {
    if (!piece.empty() && !exchange->body(piece)) stopped = true;
  }
  void finish() {
    response = exchange->finish();
    prepare();
  }
  /// Reads the first piece of a streamed answer: most fit into it, and its failure can still be told.
  void prepare() {
    if (response->stream && is_head) {
      if (!response->head_length) response->head_length = response->stream_length;
      response->stream.reset();
    }
    if (!response->stream) {
      exchange.reset();
      return;
    }
    if (auto read = response->stream->read(chunk, kPiece); !read) {
      log::error("reading an answer's body: " + read.error().message);
      failed = true;
    }
  }

  Pool& pool;
  std::unique_ptr<api::Exchange> exchange;
  std::optional<api::Response> response;
  std::string chunk;     // of response->stream
  bool is_head = false;  // the request's method
  bool early = false;
  bool stopped = false;  // the exchange wants no more of the body
  bool failed = false;   // there is no answer
};

api::Response error_response(const ErrorKind& kind, std::string_view message) {
  auto id = new_request_id();
  api::Response r;
  r.status = kind.http_status;
  r.headers.add("Content-Type", "application/xml");
  r.headers.add("x-amz-request-id", id);
  r.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + std::string(kind.code) + "</Code><Message>" +
           xml_escape(message) + "</Message><RequestId>" + id + "</RequestId></Error>";
  return r;
}

api::Response internal_error() { return error_response(kInternal, "We encountered an internal error. Please try again."); }

template <class State>
class Connection {
 public:
  Connection(State& state, net::Stream stream) : state_(state), stream_(std::move(stream)) {}

  asio::awaitable<void> run() {
    auto& options = state_.options;
    if (options.tls) {
      stream_.expires_after(options.handshake_timeout);
      auto up = co_await stream_.start_tls(options.tls.get());
      if (!up) {
        state_.handshakes_failed.add();
        co_return;
      }
    }
    path_ = {stream_.peer().ip, stream_.is_tls(), stream_.tls_version(), options.vpc_endpoint_id, options.vpc_id};
    while (co_await serve_one()) {
    }
    stream_.close();
  }

 private:
  /// False: the connection is done.
  asio::awaitable<bool> serve_one() {
    auto read = co_await read_head();
    if (!read) co_return co_await refuse(read.error());
    if (!*read) co_return false;
    ParsedHead parsed = std::move(**read);
    parsed.head.path = path_;
    const auto began = std::chrono::steady_clock::now();
    const bool has_body = parsed.has_body();
    chunked_ = parsed.head.chunked;
    left_ = parsed.head.content_length.value_or(0);
    decoder_ = {};
    std::string piece;
    if (auto ok = decode(piece); !ok) co_return co_await refuse(ok.error());

    Job job(state_.pool);
    stream_.never_expires();
    auto first = co_await state_.pool.run([&] {
      job.begin(*state_.handler, std::move(parsed.head));
      if (!job.response && body_done()) {
        job.feed(piece);
        job.finish();
      }
    });
    if (!first && first.error().is(net::kBusy)) {
      co_return co_await refuse(Error{&kServiceUnavailable, "Please reduce your request rate."});
    }
    if (!first) co_return co_await broken(first.error());

    if (!job.response && parsed.expect_continue && piece.empty() && in_.empty()) {
      stream_.expires_after(state_.options.body_timeout);
      auto sent = co_await stream_.write_all("HTTP/1.1 100 Continue\r\n\r\n");
      if (!sent) co_return false;
    }
    while (!job.response) {
      if (piece.empty() && !body_done()) {
        auto more = co_await next_piece(piece);
        if (!more && more.error().is(kBadRequest)) co_return co_await refuse(more.error());
        if (!more) co_return false;
      }
      stream_.never_expires();
      auto step = co_await state_.pool.run(
          [&] {
            job.feed(piece);
            if (job.stopped || body_done()) job.finish();
          },
          Admit::always);
      if (!step) co_return co_await broken(step.error());
      piece.clear();
    }
    if (job.failed) co_return co_await broken(std::nullopt);
    state_.seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    const bool keep = parsed.keep_alive && (!has_body || (body_done() && !job.early));
    const bool sent = co_await send(job, keep, parsed.http_1_0);
    if (sent && !keep && has_body) co_await linger();
    co_return sent&& keep;
  }

  /// The next request's head; nullopt when the client is done, or gone before it asked anything.
  asio::awaitable<Result<std::optional<ParsedHead>>> read_head() {
    size_t looked = 0;
    bool begun = false;
    for (;;) {
      if (!in_.empty()) {
        // What can't become a valid head is told at once, not when the time is up.
        for (size_t i = looked; i < in_.size(); ++i) {
          auto c = static_cast<unsigned char>(in_[i]);
          bool bare = c == '\n' ? i == 0 || in_[i - 1] != '\r' : (c < 0x20 && c != '\r' && c != '\t');
          if (bare)
            co_return fail(kBadRequest, "The request's head holds control characters, or lines that don't end with CR LF.");
          if (c == '\n' && i >= 3 && in_[i - 3] == '\r' && in_[i - 2] == '\n') break;
        }
        auto end = head_end(in_, looked);
        if (end != in_.npos) {
          auto parsed = parse_head(std::string_view(in_).substr(0, end));
          if (!parsed) co_return std::unexpected(parsed.error());
          in_.erase(0, end);
          co_return std::move(*parsed);
        }
        if (in_.size() > kHeadMax) co_return fail(kHeadTooLarge, "The request's header fields are too large.");
        looked = in_.size();
      }
      if (in_.empty()) {
        std::string().swap(in_);  // an idle connection holds no more than it needs
        stream_.expires_after(state_.options.idle_timeout);
      } else if (!begun) {
        begun = true;
        stream_.expires_after(state_.options.head_timeout);
      }
      auto got = co_await fill(in_.empty() ? kIdleBuffer : 4 * kIdleBuffer);
      if (!got && got.error().is(net::kTimedOut)) co_return std::nullopt;
      if (!got || !*got) co_return std::nullopt;
    }
  }

  bool body_done() const { return chunked_ ? decoder_.done() : left_ == 0; }

  /// Moves what in_ holds of the body to `piece`, up to kPiece.
  Result<void> decode(std::string& piece) {
    if (body_done()) return {};
    size_t used;
    if (chunked_) {
      TRY(used, decoder_.feed(in_, piece, kPiece - piece.size()));
    } else {
      used = static_cast<size_t>(std::min<uint64_t>({in_.size(), left_, kPiece - piece.size()}));
      piece.append(in_, 0, used);
      left_ -= used;
    }
    in_.erase(0, used);
    return {};
  }

  /// Waits for a piece and takes what else is there. kBadRequest: broken chunks; anything else: the client is gone or stuck.
  asio::awaitable<Result<void>> next_piece(std::string& piece) {
    for (;;) {
      if (auto ok = decode(piece); !ok) co_return std::unexpected(ok.error());
      if (body_done() || piece.size() >= kPiece) co_return Result<void>{};
      if (!piece.empty()) {
        auto old = in_.size();
        in_.resize(old + kReadAtOnce);
        auto n = stream_.read_now({in_.data() + old, kReadAtOnce});
        in_.resize(old + n.value_or(0));
        if (n.value_or(0) == 0) co_return Result<void>{};
      } else {
        stream_.expires_after(state_.options.body_timeout);
        auto got = co_await fill(kReadAtOnce);
        if (!got) co_return std::unexpected(got.error());
        if (!*got) co_return fail(net::kClosed, "The client hung up inside of a body.");
      }
    }
  }

  /// Reads once into in_; false at the end of the stream.
  asio::awaitable<Result<bool>> fill(size_t room) {
    auto old = in_.size();
    in_.resize(old + room);
    auto n = co_await stream_.read_some({in_.data() + old, room});
    in_.resize(old + n.value_or(0));
    if (!n) co_return std::unexpected(n.error());
    co_return *n > 0;
  }

  /// Answers what never became a request of the handler's, and hangs up.
  asio::awaitable<bool> refuse(Error error) {
    state_.refused.add();
    Job job(state_.pool);
    job.response = error_response(*error.kind, error.message);
    const bool sent = co_await send(job, false, false);
    if (sent) co_await linger();
    co_return false;
  }

  /// The handler threw, or its answer can't be read: 500, and the log has the reason.
  asio::awaitable<bool> broken(std::optional<Error> why) {
    if (why) log::error("a request's handler failed: " + why->message);
    Job job(state_.pool);
    job.response = internal_error();
    const bool sent = co_await send(job, false, false);
    if (sent) co_await linger();
    co_return false;
  }

  asio::awaitable<bool> send(Job& job, bool keep, bool http_1_0) {
    auto& r = *job.response;
    state_.status[static_cast<size_t>(std::clamp(r.status / 100, 1, 5)) - 1]->add();
    const bool no_body = r.status == 204 || r.status == 304 || r.status < 200;
    const bool chunks = r.stream && !r.stream_length && !http_1_0 && !no_body;
    for (auto name : {"Date", "Connection", "Content-Length", "Transfer-Encoding"})
      std::erase_if(r.headers.all(), [&](auto& f) { return iequals(f.first, name); });
    r.headers.add("Date", http_date(state_.clock.now()));
    if (chunks) {
      r.headers.add("Transfer-Encoding", "chunked");
    } else if (r.stream && !r.stream_length) {
      keep = false;  // HTTP/1.0: the end of the connection is the end of the body
    } else if (!no_body) {
      uint64_t length = r.stream ? *r.stream_length : job.is_head && r.head_length ? *r.head_length : r.body.size();
      r.headers.add("Content-Length", std::to_string(length));
    }
    if (!keep) {
      r.headers.add("Connection", "close");
    } else if (http_1_0) {
      r.headers.add("Connection", "keep-alive");
    }
    auto head = write_head(r.status, r.headers);
    if (!head) {
      log::error(head.error().message);
      co_return false;
    }
    if (job.is_head || no_body) co_return co_await write(*head, {});
    if (!r.stream) co_return co_await write(*head, r.body);
    const bool ok = co_await stream_body(job, std::move(*head), chunks);
    co_return ok&& keep;
  }

  /// Head and body in slices, so that the time limit is for progress, not for the whole.
  asio::awaitable<bool> write(std::string_view head, std::string_view body) {
    do {
      std::string_view parts[] = {head, body.substr(0, kPiece)};
      head = {};
      body.remove_prefix(parts[1].size());
      stream_.expires_after(state_.options.body_timeout);
      auto sent = co_await stream_.write_all(parts);
      if (!sent) co_return false;
    } while (!body.empty());
    co_return true;
  }

  /// Sends what job.chunk holds while the pool reads the next piece. False: cut the connection.
  asio::awaitable<bool> stream_body(Job& job, std::string prefix, bool chunks) {
    using namespace asio::experimental::awaitable_operators;
    auto& source = *job.response->stream;
    std::optional<uint64_t> left = job.response->stream_length;
    for (;;) {
      const bool end = job.chunk.empty();
      if (left && (job.chunk.size() > *left || (end && *left > 0))) {
        log::error("an answer's body is not as long as announced");
        co_return false;
      }
      if (left) *left -= job.chunk.size();
      std::string out = std::move(prefix);
      prefix.clear();
      if (chunks && end) out += "0\r\n\r\n";
      if (chunks && !end) {
        char size[20];
        out.append(size, static_cast<size_t>(std::snprintf(size, sizeof(size), "%zx\r\n", job.chunk.size())));
      }
      std::string current = std::move(job.chunk);
      job.chunk.clear();
      std::string_view parts[] = {out, current, chunks && !end ? "\r\n" : ""};
      stream_.expires_after(state_.options.body_timeout);
      if (end || (left && *left == 0)) {
        auto sent = co_await stream_.write_all(parts);
        co_return sent.has_value();
      }
      auto next = [&]() -> Result<void> { return source.read(job.chunk, kPiece); };
      auto [sent, read] = co_await (stream_.write_all(parts) && state_.pool.run(next, Admit::always));
      if (!read) log::error("reading an answer's body: " + read.error().message);
      if (!sent || !read) co_return false;
    }
  }

  /// Ends our direction and lets the client read the answer before its unread body makes the system reset the connection.
  asio::awaitable<void> linger() {
    stream_.shutdown_send();
    stream_.expires_after(state_.options.linger_timeout);
    for (size_t total = 0; total < kLingerMax;) {
      in_.resize(kReadAtOnce);
      auto n = co_await stream_.read_some(in_);
      if (!n || *n == 0) co_return;
      total += *n;
    }
  }

  State& state_;
  net::Stream stream_;
  api::NetworkPath path_;
  std::string in_;  // arrived and not consumed: at most a head, or one piece
  bool chunked_ = false;
  uint64_t left_ = 0;  // of a body with Content-Length
  ChunkedDecoder decoder_;
};

}  // namespace

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::open(net::IoThreads& io, Pool& pool, Clock& clock, Metrics& metrics,
                                                     HttpOptions options) {
  TRY(auto listener, net::Listener::open(io, options.at, {.connections_max = options.connections_max}));
  auto state = std::make_unique<State>(pool, clock, metrics, std::move(options));
  state->listener = std::move(listener);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

net::Endpoint HttpServer::local() const { return state_->listener->local(); }

void HttpServer::start(api::Handler& handler) {
  state_->handler = &handler;
  state_->listener->start([state = state_.get()](net::Stream stream) -> asio::awaitable<void> {
    Connection<State> connection(*state, std::move(stream));
    co_await connection.run();
  });
}

void HttpServer::stop() { state_->listener->stop(); }

}  // namespace redoubt::server
