#include "server/http.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <map>
#include <mutex>

#include "base/text.h"
#include "server/http_head.h"

namespace redoubt::server {
namespace {

/// Answers by path:  /echo the body · /early 403 before the body · /stop refuses the second piece · /stream/N N bytes, length
/// known · /chunks/N unknown · /short promises more than it has · /fails its source fails at once · /throws · /split a header
/// that would split the response · anything else 200 "hello".
class FakeHandler : public api::Handler {
 public:
  struct Source : api::BodySource {
    explicit Source(size_t n) : left(n) {}
    Result<void> read(std::string& out, size_t max) override {
      auto n = std::min(max, left);
      out.append(n, 's');
      left -= n;
      return {};
    }
    size_t left;
  };
  struct FailingSource : api::BodySource {
    Result<void> read(std::string&, size_t) override { return fail(kInternal, "the disk is gone"); }
  };
  struct FakeExchange : api::Exchange {
    FakeExchange(FakeHandler& h, api::RequestHead r) : handler(h), head(std::move(r)) { ++handler.living; }
    ~FakeExchange() override {
      if (!finished && !early_taken) ++handler.abandoned;
      if (--handler.living == 0) handler.none_living.notify_all();
    }
    Result<void> body(std::string_view piece) override {
      EXPECT_LE(piece.size(), 256u * 1024);
      got += piece;
      if (head.target == "/stop" && got.size() > 4) return fail(kBadRequest, "enough");
      return {};
    }
    api::Response finish() override {
      finished = true;
      api::Response r;
      auto path = std::string(head.raw_path());
      if (path == "/echo") {
        r.body = got;
      } else if (path.starts_with("/stream/")) {
        auto n = static_cast<size_t>(std::stoul(path.substr(8)));
        r.stream = std::make_unique<Source>(n);
        r.stream_length = n;
      } else if (path.starts_with("/chunks/")) {
        r.stream = std::make_unique<Source>(static_cast<size_t>(std::stoul(path.substr(8))));
      } else if (path == "/short") {
        r.stream = std::make_unique<Source>(300'000);
        r.stream_length = 400'000;
      } else if (path == "/fails") {
        r.stream = std::make_unique<FailingSource>();
        r.stream_length = 3;
      } else if (path == "/throws") {
        throw std::runtime_error("a secret of ours");
      } else if (path == "/split") {
        r.headers.add("x-amz-meta-a", "b\r\nSet-Cookie: c");
      } else if (path == "/stop") {
        r.status = 400;
        r.body = "stopped after " + std::to_string(got.size());
      } else {
        r.body = "hello";
      }
      return r;
    }
    FakeHandler& handler;
    api::RequestHead head;
    std::string got;
    bool finished = false;
    bool early_taken = false;
  };
  std::unique_ptr<api::Exchange> begin(api::RequestHead head) override {
    {
      std::lock_guard lock(mutex);
      seen.push_back(head.method + " " + head.target);
      last = head;
    }
    auto exchange = std::make_unique<FakeExchange>(*this, head);
    if (head.target == "/early") {
      exchange->early_taken = true;
      exchange->early = api::Response{.status = 403, .body = "no"};
    }
    return exchange;
  }
  void wait_until_none_lives() {
    std::unique_lock lock(mutex);
    none_living.wait_for(lock, std::chrono::seconds(20), [&] { return living == 0; });
  }

  std::mutex mutex;
  std::condition_variable none_living;
  std::vector<std::string> seen;
  api::RequestHead last;
  std::atomic<int> living = 0, abandoned = 0;
};

/// A blocking client that sends bytes as they are.
class Client {
 public:
  explicit Client(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  ~Client() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  void end() { ::shutdown(fd_, SHUT_WR); }
  /// Reads until `marker` is in what arrived; false at the end of the stream.
  bool until(std::string_view marker) {
    while (got.find(marker) == got.npos)
      if (!more()) return false;
    return true;
  }
  std::string all() {
    while (more()) {
    }
    return std::move(got);
  }
  bool more() {
    char buffer[65536];
    auto n = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (n <= 0) return false;
    got.append(buffer, static_cast<size_t>(n));
    return true;
  }
  std::string got;

 private:
  int fd_;
};

struct HttpTest : testing::Test {
  FakeHandler handler;
  Metrics metrics;
  net::IoThreads io{2};
  net::Pool pool{"http", 3, 100};
  std::unique_ptr<HttpServer> server;

  void SetUp() override { start({}); }
  void start(HttpOptions options) {
    options.at = {*Ip::parse("127.0.0.1"), 0};
    auto s = HttpServer::open(io, pool, Clock::system(), metrics, std::move(options));
    ASSERT_TRUE(s) << s.error().message;
    server = std::move(*s);
    server->start(handler);
  }
  uint16_t port() const { return server->local().port; }
  /// Sends, ends our direction if asked to, and reads to the end.
  std::string talk(std::string_view bytes) {
    Client c(port());
    c.send(bytes);
    c.end();
    return c.all();
  }
};

size_t count(std::string_view text, std::string_view what) {
  size_t n = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++n;
  return n;
}
std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

TEST_F(HttpTest, AnswersAndKeepsTheConnection) {
  Client c(port());
  c.send("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Y:  z \r\n\r\n");
  ASSERT_TRUE(c.until("hello"));
  EXPECT_TRUE(c.got.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(c.got.find("\r\nContent-Length: 5\r\n"), c.got.npos);
  EXPECT_NE(c.got.find("\r\nDate: "), c.got.npos);
  EXPECT_EQ(c.got.find("Connection:"), c.got.npos);
  EXPECT_EQ(handler.last.headers.get("x-y"), "z");
  EXPECT_EQ(handler.last.path.peer.str(), "127.0.0.1");
  EXPECT_FALSE(handler.last.path.tls);
  c.got.clear();
  c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
  auto second = c.all();
  EXPECT_NE(second.find("\r\nConnection: close\r\n"), second.npos);
  EXPECT_EQ(body_of(second), "abc");
}

TEST_F(HttpTest, PipelinedRequestsAreAnsweredInOrder) {
  auto answers = talk(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ntw\r\n1;x=y\r\no\r\n0\r\nTrailer: t\r\n\r\n"
      "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(count(answers, "HTTP/1.1 200 OK"), 4u);
  auto one = answers.find("one"), two = answers.find("two"), hello = answers.find("hello");
  EXPECT_LT(one, two);
  EXPECT_LT(two, hello);
  EXPECT_NE(hello, answers.npos);
}

TEST_F(HttpTest, LargeBodiesStreamBothWays) {
  std::string big(5'000'000, '\0');
  for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 7 % 253);
  Client c(port());
  auto sending = std::async(std::launch::async, [&] {
    c.send("PUT /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(big.size()) + "\r\n\r\n");
    c.send(big);
  });
  EXPECT_TRUE(body_of(c.all()) == big);
  sending.get();
  auto streamed = talk("GET /stream/1000000 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(streamed.find("Content-Length: 1000000\r\n"), streamed.npos);
  EXPECT_GE(count(streamed, "s"), 1000000u);
  EXPECT_TRUE(streamed.ends_with("hello"));
}

TEST_F(HttpTest, UnknownLengthIsChunkedOrEndsTheConnection) {
  auto chunked = talk("GET /chunks/300000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(chunked.find("Transfer-Encoding: chunked\r\n"), chunked.npos);
  EXPECT_TRUE(body_of(chunked).starts_with("40000\r\nsss"));
  EXPECT_TRUE(chunked.ends_with("s\r\n0\r\n\r\n"));
  auto plain = talk("GET /chunks/300000 HTTP/1.0\r\n\r\n");
  EXPECT_EQ(plain.find("Transfer-Encoding"), plain.npos);
  EXPECT_EQ(body_of(plain), std::string(300000, 's'));
}

TEST_F(HttpTest, ExpectedContinueComesOnlyWhenTheBodyIsWanted) {
  Client wanted(port());
  wanted.send("PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(wanted.until("\r\n\r\n"));
  EXPECT_EQ(wanted.got, "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.send("ok");
  EXPECT_TRUE(wanted.all().ends_with("ok"));
  Client denied(port());
  denied.send("PUT /early HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n");
  auto answer = denied.all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_NE(answer.find("Connection: close"), answer.npos);
}

TEST_F(HttpTest, AnEarlyAnswerReachesAClientThatIsStillSending) {
  Client c(port());
  c.send("PUT /early HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n" + std::string(3'000'000, 'x'));
  auto answer = c.all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403")) << answer.substr(0, 100);
  EXPECT_EQ(body_of(answer), "no");
}

TEST_F(HttpTest, AnExchangeMayStopTheBody) {
  Client c(port());
  c.send("PUT /stop HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n12345");
  auto answer = c.all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400"));
  EXPECT_EQ(body_of(answer), "stopped after 5");
}

TEST_F(HttpTest, AClientThatLeavesAbandonsItsExchange) {
  {
    Client c(port());
    c.send("PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\nhalf");
    c.end();
    EXPECT_EQ(c.all(), "");
  }
  handler.wait_until_none_lives();
  EXPECT_EQ(handler.living, 0);
  EXPECT_EQ(handler.abandoned, 1);
}

TEST_F(HttpTest, FailuresOfTheHandlerAre500AndTellNothing) {
  for (auto path : {"/throws", "/fails"}) {
    auto answer = talk("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << path;
    EXPECT_EQ(answer.find("secret"), answer.npos);
    EXPECT_EQ(answer.find("disk"), answer.npos);
  }
  EXPECT_EQ(talk("GET /split HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  EXPECT_LT(body_of(talk("GET /short HTTP/1.1\r\nHost: x\r\n\r\n")).size(), 400'000u);  // cut, not padded
  EXPECT_TRUE(talk("GET / HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("hello"));
}

TEST_F(HttpTest, HeadHasTheLengthAndNoBody) {
  auto answer = talk("HEAD /stream/123 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 123\r\n"), answer.npos);
  EXPECT_EQ(body_of(answer), "");
}

// Each must be refused, the connection closed, and nothing behind it served: "GET /smuggled" follows every one of them.
struct Attack {
  const char* name;
  std::string bytes;
  int status;
};
std::vector<Attack> attacks() {
  using namespace std::string_literals;
  auto get = [](const std::string& fields) { return "GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n"; };
  auto chunked = [](const std::string& body) {
    return "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
  };
  std::string many;
  for (int i = 0; i < 300; ++i) many += "a" + std::to_string(i) + ": b\r\n";
  return {
      {"length and coding", get("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"coding and length", get("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400},
      {"two lengths", get("Content-Length: 3\r\nContent-Length: 4\r\n"), 400},
      {"two equal lengths", get("Content-Length: 3\r\nContent-Length: 3\r\n"), 400},
      {"list of lengths", get("Content-Length: 3, 3\r\n"), 400},
      {"signed length", get("Content-Length: +3\r\n"), 400},
      {"negative length", get("Content-Length: -3\r\n"), 400},
      {"hex length", get("Content-Length: 0x3\r\n"), 400},
      {"empty length", get("Content-Length:\r\n"), 400},
      {"endless length", get("Content-Length: 99999999999999999999999\r\n"), 400},
      {"two codings", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"list of codings", get("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"masked coding", get("Transfer-Encoding: xchunked\r\n"), 501},
      {"identity coding", get("Transfer-Encoding: identity\r\n"), 501},
      {"coding behind vertical tab",
       get("Transfer-Encoding: \x0b"
           "chunked\r\n"),
       400},
      {"blank before colon", get("Transfer-Encoding : chunked\r\n"), 400},
      {"folded field", get("A: b\r\n c\r\n"), 400},
      {"folded coding", get("Transfer-Encoding:\r\n chunked\r\n"), 400},
      {"blank before first field", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
      {"bare LF lines", "GET / HTTP/1.1\nHost: x\n\n", 400},
      {"bare LF in the middle", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400},
      {"bare CR", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", 400},
      {"NUL", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"s, 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400},
      {"absolute target", "GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"no target", "GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"blank in target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"raw bytes in target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"tabs between words", "GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501},
      {"HTTP/0.9", "GET /\r\n\r\n", 400},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
      {"lower case version", "GET / http/1.1\r\nHost: x\r\n\r\n", 400},
      {"CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"leading empty line", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"field without colon", get("abc\r\n"), 400},
      {"field without name", get(": b\r\n"), 400},
      {"TLS on the plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400},
      {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"strange expectation", get("Expect: 200-ok\r\n"), 417},
      {"endless fields", get("A: " + std::string(70000, 'a') + "\r\n"), 431},
      {"many fields", get(many), 431},
      {"endless target", "GET /" + std::string(20000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {"chunk size not hex", chunked("z\r\n"), 400},
      {"chunk size 0x", chunked("0x3\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size with blanks", chunked(" 3\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size negative", chunked("-3\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size missing", chunked("\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size overflows", chunked("fffffffffffffffff\r\nabc"), 400},
      {"chunk with bare LF", chunked("3\nabc\n0\n\n"), 400},
      {"chunk longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n"), 400},
      {"chunk extension with LF", chunked("3;a\nb\r\nabc\r\n0\r\n\r\n"), 400},
      {"endless chunk extension", chunked("3;" + std::string(5000, 'a') + "\r\nabc\r\n0\r\n\r\n"), 400},
      {"bad trailer", chunked("0\r\nno colon\r\n\r\n"), 400},
      {"folded trailer", chunked("0\r\na: b\r\n c\r\n\r\n"), 400},
  };
}

TEST_F(HttpTest, AttacksAreRefusedAndTheServerGoesOn) {
  for (auto& attack : attacks()) {
    handler.seen.clear();
    auto answer = talk(attack.bytes + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(attack.status) + " "))
        << attack.name << ": " << answer.substr(0, 80);
    EXPECT_EQ(count(answer, "HTTP/1.1 "), 1u) << attack.name;
    EXPECT_EQ(count(join(handler.seen, " "), "smuggled"), 0u) << attack.name;
    EXPECT_TRUE(talk("GET / HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("hello")) << attack.name;
  }
  server->stop();
  EXPECT_EQ(handler.living, 0);
}

TEST_F(HttpTest, SlowHeadsAndIdleConnectionsAreClosed) {
  start({.head_timeout = std::chrono::milliseconds(20), .idle_timeout = std::chrono::milliseconds(20)});
  Client slow(port()), idle(port());
  slow.send("GET / HTTP/1.1\r\nHost:");
  EXPECT_EQ(slow.all(), "");
  EXPECT_EQ(idle.all(), "");
}

TEST_F(HttpTest, ASlowBodyIsGivenUp) {
  start({.body_timeout = std::chrono::milliseconds(20)});
  Client c(port());
  c.send("PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_EQ(c.all(), "");
  handler.wait_until_none_lives();
  EXPECT_EQ(handler.abandoned, 1);
}

TEST_F(HttpTest, StopEndsWhatIsOpen) {
  Client idle(port()), half(port());
  half.send("PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(idle.until("hello"));
  server->stop();
  idle.got.clear();
  EXPECT_EQ(idle.all(), "");
  EXPECT_EQ(half.all(), "");
  EXPECT_NE(metrics.text().find("redoubt_http_answers_total{listener=\"http\",status=\"2xx\"} 1"), std::string::npos)
      << metrics.text();
}

TEST(ChunkedDecoder, GivesTheSameInAnyPieces) {
  std::string body = "5\r\nhello\r\nA;x=1\r\n0123456789\r\n0\r\nT: v\r\n\r\nNEXT";
  for (size_t step = 1; step <= body.size(); ++step) {
    ChunkedDecoder decoder;
    std::string out, waiting;
    for (size_t at = 0; at < body.size(); at += step) {
      waiting += body.substr(at, step);
      auto used = decoder.feed(waiting, out, 3);  // a small room, so that data is taken in parts
      while (used && *used > 0) {
        waiting.erase(0, *used);
        used = decoder.feed(waiting, out, 3);
      }
      ASSERT_TRUE(used) << step;
    }
    EXPECT_TRUE(decoder.done());
    EXPECT_EQ(out, "hello0123456789");
    EXPECT_EQ(waiting, "NEXT");
  }
}

}  // namespace
}  // namespace redoubt::server
