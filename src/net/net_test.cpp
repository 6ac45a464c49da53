#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

#include "net/listener.h"
#include "net/pool.h"

namespace redoubt::net {
namespace {
using asio::ip::tcp;
using namespace std::chrono_literals;

/// A throw-away certificate without a name, and contexts for both sides.
struct Contexts {
  SSL_CTX* server = SSL_CTX_new(TLS_server_method());
  SSL_CTX* client = SSL_CTX_new(TLS_client_method());
  Contexts() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(server, certificate);
    SSL_CTX_use_PrivateKey(server, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Contexts() {
    SSL_CTX_free(server);
    SSL_CTX_free(client);
  }
};

asio::awaitable<void> echo(Stream stream, SSL_CTX* tls) {
  if (tls)
    if (auto up = co_await stream.start_tls(tls); !up) co_return;
  std::vector<char> buffer(100000);
  for (;;) {
    auto n = co_await stream.read_some(buffer);
    if (!n || *n == 0) co_return;
    if (auto sent = co_await stream.write_all(std::string_view(buffer.data(), *n)); !sent) co_return;
  }
}

Stream connect(IoThreads& io, Endpoint to) {
  tcp::socket socket(io.next());
  socket.connect({asio::ip::make_address(to.ip.str()), to.port});
  return Stream(std::move(socket));
}

/// Runs a coroutine on the stream's own thread and waits for it.
template <class F>
auto await(Stream& stream, F f) {
  return asio::co_spawn(stream.executor(), f(), asio::use_future).get();
}

struct NetTest : testing::Test {
  IoThreads io{2};
  Contexts contexts;
  std::unique_ptr<Listener> listen(Listener::Serve serve, size_t connections_max = 100) {
    auto l = Listener::open(io, {*Ip::parse("127.0.0.1"), 0}, {.connections_max = connections_max});
    EXPECT_TRUE(l);
    (*l)->start(std::move(serve));
    return std::move(*l);
  }
  void echoes(bool tls) {
    auto* context = tls ? contexts.server : nullptr;
    auto listener = listen([context](Stream s) { return echo(std::move(s), context); });
    auto stream = connect(io, listener->local());
    await(stream, [&]() -> asio::awaitable<void> {
      if (tls) {
        auto up = co_await stream.start_tls(contexts.client, TlsSide::client);
        EXPECT_TRUE(up);
      }
      std::string big(3'000'000, 'x');
      for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 % 251);
      std::string back;
      asio::co_spawn(stream.executor(), [&]() -> asio::awaitable<void> { co_await stream.write_all(big); }, asio::detached);
      std::vector<char> buffer(65536);
      while (back.size() < big.size()) {
        auto n = co_await stream.read_some(buffer);
        if (!n || *n == 0) break;
        back.append(buffer.data(), *n);
      }
      EXPECT_EQ(back, big);
      std::string_view pieces[] = {"a", "", "bc"};
      co_await stream.write_all(pieces);
      back.clear();
      while (back.size() < 3) {
        auto n = co_await stream.read_some(buffer);
        if (!n || *n == 0) break;
        back.append(buffer.data(), *n);
      }
      EXPECT_EQ(back, "abc");
      EXPECT_EQ(stream.tls_version(), tls ? "TLSv1.3" : "");
      stream.close();
      auto after = co_await stream.read_some(buffer);
      EXPECT_FALSE(after);
    });
    listener->stop();
    EXPECT_EQ(listener->connections(), 0u);
  }
};

TEST_F(NetTest, PlainBytesComeBackInOrder) { echoes(false); }
TEST_F(NetTest, TlsBytesComeBackInOrder) { echoes(true); }

TEST_F(NetTest, StopClosesIdleConnections) {
  auto listener = listen([this](Stream s) { return echo(std::move(s), contexts.server); });
  auto stream = connect(io, listener->local());
  await(stream, [&]() -> asio::awaitable<void> { co_await stream.start_tls(contexts.client, TlsSide::client); });
  listener->stop();
  await(stream, [&]() -> asio::awaitable<void> {
    char byte;
    auto n = co_await stream.read_some({&byte, 1});
    EXPECT_TRUE(!n || *n == 0);
  });
}

TEST_F(NetTest, DeadlineEndsARead) {
  std::promise<std::string> code;
  auto listener = listen([&](Stream s) -> asio::awaitable<void> {
    s.expires_after(1ms);
    char byte;
    auto n = co_await s.read_some({&byte, 1});
    code.set_value(n ? "read" : std::string(n.error().kind->code));
  });
  auto stream = connect(io, listener->local());
  EXPECT_EQ(code.get_future().get(), kTimedOut.code);
}

TEST_F(NetTest, HangupIsNoticedAlsoBehindUnreadBytes) {
  std::promise<void> noticed;
  auto listener = listen([&](Stream s) -> asio::awaitable<void> {
    co_await s.wait_hangup();
    noticed.set_value();
  });
  {
    auto stream = connect(io, listener->local());
    await(stream, [&]() -> asio::awaitable<void> { co_await stream.write_all("unread"); });
  }
  noticed.get_future().get();
}

TEST_F(NetTest, TooManyConnectionsAreTurnedAway) {
  auto listener = listen([](Stream s) { return echo(std::move(s), nullptr); }, 1);
  auto first = connect(io, listener->local());
  await(first, [&]() -> asio::awaitable<void> {
    co_await first.write_all("x");
    char byte;
    co_await first.read_some({&byte, 1});  // served, so counted
  });
  auto second = connect(io, listener->local());
  await(second, [&]() -> asio::awaitable<void> {
    char byte;
    auto n = co_await second.read_some({&byte, 1});
    EXPECT_TRUE(!n || *n == 0);
  });
  EXPECT_EQ(listener->turned_away(), 1u);
}

TEST_F(NetTest, GarbageInsteadOfAHandshakeIsTlsFailed) {
  std::promise<std::string> code;
  auto listener = listen([&](Stream s) -> asio::awaitable<void> {
    auto up = co_await s.start_tls(contexts.server);
    code.set_value(up ? "up" : std::string(up.error().kind->code));
  });
  auto stream = connect(io, listener->local());
  await(stream, [&]() -> asio::awaitable<void> { co_await stream.write_all("GET / HTTP/1.1\r\n\r\n"); });
  EXPECT_EQ(code.get_future().get(), kTlsFailed.code);
}

TEST_F(NetTest, APortInUseIsNamed) {
  auto listener = listen([](Stream s) { return echo(std::move(s), nullptr); });
  auto second = Listener::open(io, listener->local(), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "cannot listen on " + listener->local().str() + ": Address already in use");
}

TEST_F(NetTest, AnAddressIsFreeAsSoonAsItsListenerIsGone) {
  auto first = Listener::open(io, {*Ip::parse("127.0.0.1"), 0}, {});
  ASSERT_TRUE(first);
  Endpoint at = (*first)->local();
  EXPECT_FALSE(can_listen(at));
  first->reset();
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(can_listen(at)) << i;
    auto again = Listener::open(io, at, {});
    ASSERT_TRUE(again) << i << ": " << again.error().message;
    (*again)->start([](Stream) -> asio::awaitable<void> { co_return; });
  }
}

TEST_F(NetTest, PoolComesBackToTheIoThread) {
  Pool pool("test", 1, 10);
  auto result = asio::co_spawn(
                    io.next(),
                    [&]() -> asio::awaitable<std::string> {
                      auto before = std::this_thread::get_id();
                      auto there = co_await pool.run([] { return std::this_thread::get_id(); });
                      EXPECT_NE(*there, before);
                      EXPECT_EQ(std::this_thread::get_id(), before);
                      auto error = co_await pool.run([]() -> Result<int> { return fail(kBusy, "no"); });
                      EXPECT_EQ(error.error().message, "no");
                      auto thrown = co_await pool.run([]() -> int { throw std::runtime_error("thrown"); });
                      co_return thrown.error().message;
                    },
                    asio::use_future)
                    .get();
  EXPECT_EQ(result, "thrown");
}

TEST_F(NetTest, FullPoolIsBusy) {
  std::promise<void> started, go;
  auto wait = go.get_future();
  Pool pool("test", 1, 1);
  ASSERT_TRUE(pool.post([&] {
    started.set_value();
    wait.get();
  }));
  started.get_future().get();
  ASSERT_TRUE(pool.post([] {}));
  auto answer = asio::co_spawn(
                    io.next(), [&]() -> asio::awaitable<Result<void>> { co_return co_await pool.run([] {}); }, asio::use_future)
                    .get();
  EXPECT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(kBusy));
  go.set_value();
}

}  // namespace
}  // namespace redoubt::net
