/// Real sockets against a fake backend: libpq as the well-behaved client, raw ones for what an attacker would send.
#include "warehouse/wire/connection.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <future>
#include <thread>

#include "net/listener.h"
#include "warehouse/wire/fake_session_for_test.h"
#include "warehouse/wire/startup.h"

namespace redoubt::warehouse::wire {
namespace {

constexpr ErrorKind kWrongPassword{"InvalidAuthorization", 403, "28000"};

/// Clear text on TLS, else MD5 that nothing matches but "secret".
class FakeSignOn final : public SignOn {
 public:
  explicit FakeSignOn(session::ClientHello hello) : hello_(std::move(hello)) {}
  session::AuthRequest start() override {
    if (hello_.tls) return {session::AuthRequest::kCleartext, ""};
    return {session::AuthRequest::kMd5, "salt"};
  }
  Result<session::AuthRequest> answer(char type, std::string_view body) override {
    std::string expected = hello_.tls ? "secret" : "md5" + hex(crypto::md5(hex(crypto::md5("secret" + hello_.user)) + "salt"));
    if (type != 'p' || body != expected + std::string(1, '\0'))
      return fail(kWrongPassword, "password authentication failed for user \"" + hello_.user + "\"");
    return session::AuthRequest{};
  }

 private:
  session::ClientHello hello_;
};

class FakeBackend final : public Backend {
 public:
  std::unique_ptr<SignOn> sign_on(const session::ClientHello& hello) override { return std::make_unique<FakeSignOn>(hello); }
  Result<std::unique_ptr<session::Session>> connect(SignOn&, session::SessionOptions options) override {
    std::lock_guard lock(mutex);
    auto session = std::make_unique<FakeSession>(++pids, 4711 + pids, options.protocol, &alive);
    latest = session.get();
    return session;
  }
  void cancel(uint32_t pid, uint32_t secret) override {
    std::lock_guard lock(mutex);
    ++cancels;
    if (alive > 0 && latest && latest->pid() == static_cast<int>(pid) && latest->secret() == static_cast<int>(secret))
      latest->cancel();
  }
  void log_connection(const session::ConnectionEvent& event) override {
    std::lock_guard lock(mutex);
    events.emplace_back(event.event);
  }

  std::mutex mutex;
  int pids = 0;
  FakeSession* latest = nullptr;
  std::atomic<int> alive{0}, cancels{0};
  std::vector<std::string> events;
};

class Wire : public testing::Test {
 protected:
  Wire() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(tls, certificate);
    SSL_CTX_use_PrivateKey(tls, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    options->admit = [this](const Ip&) { return admit.load(); };
    options->backend = [this] { return Result<std::shared_ptr<Backend>>(backend); };
    options->tls = [this] { return tls; };
    options->pool = &pool;
    listener->start([this](net::Stream stream) { return serve(std::move(stream), options); });
  }
  ~Wire() override {
    listener->stop();
    SSL_CTX_free(tls);
  }

  std::string conninfo(std::string_view more) const {
    return "host=127.0.0.1 port=" + std::to_string(listener->local().port) + " user=bob dbname=dev gssencmode=disable " +
           std::string(more);
  }
  struct Closer {
    void operator()(PGconn* c) const { PQfinish(c); }
    void operator()(PGresult* r) const { PQclear(r); }
  };
  using Pg = std::unique_ptr<PGconn, Closer>;
  using Rows = std::unique_ptr<PGresult, Closer>;
  Pg libpq(std::string_view more = "sslmode=disable password=secret") const { return Pg(PQconnectdb(conninfo(more).c_str())); }

  int raw() const {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(listener->local().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return fd;
  }
  /// Sends, then everything that comes until the server hangs up.
  std::string exchange(std::string_view bytes) const {
    int fd = raw();
    ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::string all;
    char buffer[4096];
    ssize_t n;
    while ((n = ::recv(fd, buffer, sizeof buffer, 0)) > 0) all.append(buffer, static_cast<size_t>(n));
    ::close(fd);
    return all;
  }
  static std::string int32(uint32_t v) {
    v = htonl(v);
    return {reinterpret_cast<char*>(&v), 4};
  }
  static std::string startup(std::string_view user = "bob") {
    std::string body = int32(196608) + std::string("user\0", 5) + std::string(user) + std::string("\0database\0dev\0\0", 15);
    return int32(static_cast<uint32_t>(body.size() + 4)) + body;
  }
  template <class F>
  bool eventually(F f) {
    for (int i = 0; i < 2000; ++i) {
      if (f()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  SSL_CTX* tls = SSL_CTX_new(TLS_server_method());
  std::atomic<bool> admit{true};
  std::shared_ptr<FakeBackend> backend = std::make_shared<FakeBackend>();
  std::shared_ptr<Options> options = std::make_shared<Options>();
  net::IoThreads io{2};
  net::Pool pool{"sql", 4, 100};  // below io: its threads hand back to io's
  std::unique_ptr<net::Listener> listener = *net::Listener::open(io, {*Ip::parse("127.0.0.1"), 0}, {});
};

TEST_F(Wire, LibpqQueries) {
  auto c = libpq();
  ASSERT_EQ(PQstatus(c.get()), CONNECTION_OK) << PQerrorMessage(c.get());
  EXPECT_STREQ(PQparameterStatus(c.get(), "server_version"), "8.0.2");
  Rows r(PQexec(c.get(), "one"));
  ASSERT_EQ(PQresultStatus(r.get()), PGRES_TUPLES_OK) << PQerrorMessage(c.get());
  EXPECT_STREQ(PQgetvalue(r.get(), 0, 0), "1.00");
  EXPECT_EQ(PQftype(r.get(), 0), 1700u);
  r.reset(PQexec(c.get(), "rows 100000"));
  EXPECT_EQ(PQntuples(r.get()), 100000);
  EXPECT_STREQ(PQgetvalue(r.get(), 99999, 0), "row 99999");
  r.reset(PQexec(c.get(), "nonsense"));
  EXPECT_STREQ(PQresultErrorField(r.get(), PG_DIAG_SQLSTATE), "42601");
  EXPECT_STREQ(PQresultErrorField(r.get(), PG_DIAG_STATEMENT_POSITION), "1");
  const char* values[] = {"5"};
  r.reset(PQexecParams(c.get(), "rows 3", 1, nullptr, values, nullptr, nullptr, 1));
  EXPECT_EQ(PQntuples(r.get()), 3);
  EXPECT_EQ(PQfformat(r.get(), 0), 1);
  r.reset(PQprepare(c.get(), "s", "one", 0, nullptr));
  r.reset(PQexecPrepared(c.get(), "s", 0, nullptr, nullptr, nullptr, 0));
  EXPECT_EQ(PQntuples(r.get()), 1);
  r.reset(PQdescribePrepared(c.get(), "s"));
  EXPECT_EQ(PQnfields(r.get()), 1);
  c.reset();
  EXPECT_TRUE(eventually([&] { return backend->alive == 0; }));
}

TEST_F(Wire, LibpqOverTls) {
  auto c = libpq("sslmode=require password=secret");
  ASSERT_EQ(PQstatus(c.get()), CONNECTION_OK) << PQerrorMessage(c.get());
  EXPECT_TRUE(PQsslInUse(c.get()));
  Rows r(PQexec(c.get(), "rows 200000"));
  EXPECT_EQ(PQntuples(r.get()), 200000);
}

TEST_F(Wire, WrongPasswordIsRefusedAndLogged) {
  auto c = libpq("sslmode=disable password=wrong");
  EXPECT_EQ(PQstatus(c.get()), CONNECTION_BAD);
  EXPECT_NE(std::string(PQerrorMessage(c.get())).find("password authentication failed for user \"bob\""), std::string::npos);
  EXPECT_EQ(backend->pids, 0);
  std::lock_guard lock(backend->mutex);
  EXPECT_EQ(backend->events, std::vector<std::string>{"authentication failure"});
}

TEST_F(Wire, ClosedSecurityGroupSaysNothing) {
  admit = false;
  EXPECT_EQ(exchange(startup()), "");
  EXPECT_EQ(exchange(int32(8) + int32(80877103)), "");
}

TEST_F(Wire, TlsCanBeRequired) {
  options->require_tls = true;
  auto c = libpq();
  EXPECT_EQ(PQstatus(c.get()), CONNECTION_BAD);
  EXPECT_NE(std::string(PQerrorMessage(c.get())).find("SSL connection is required"), std::string::npos);
}

TEST_F(Wire, GssIsDeclinedThenTlsWorks) {
  auto c = Pg(PQconnectdb((conninfo("sslmode=require password=secret") + " gssencmode=prefer").c_str()));
  EXPECT_EQ(PQstatus(c.get()), CONNECTION_OK) << PQerrorMessage(c.get());
}

/// CVE-2021-23214's shape: what is sent in plain behind the SSLRequest must not be taken for what came over TLS.
TEST_F(Wire, BytesBehindTheTlsRequestEndTheConnection) {
  EXPECT_EQ(exchange(int32(8) + int32(80877103) + startup()), "");
  EXPECT_EQ(exchange(int32(8) + int32(80877104) + startup()), "");
  EXPECT_EQ(backend->pids, 0);
}

TEST_F(Wire, PlainTextInsteadOfAHandshake) {
  int fd = raw();
  std::string request = int32(8) + int32(80877103);
  ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  char answer = 0;
  ASSERT_EQ(::recv(fd, &answer, 1, 0), 1);
  EXPECT_EQ(answer, 'S');
  std::string plain = startup();
  ::send(fd, plain.data(), plain.size(), MSG_NOSIGNAL);
  std::string all;
  char buffer[512];
  ssize_t n;
  while ((n = ::recv(fd, buffer, sizeof buffer, 0)) > 0) all.append(buffer, static_cast<size_t>(n));
  ::close(fd);
  EXPECT_EQ(all.find("R"), std::string::npos) << "no authentication request in plain text";
  EXPECT_EQ(backend->pids, 0);
}

TEST_F(Wire, GarbageBeforeSignOn) {
  std::string big(100000, 'A');
  for (std::string bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\0\0\0\0", 4), std::string("\xff\xff\xff\xff", 4), big,
        int32(8) + int32(196608), int32(20) + int32(196608) + "userbobdatab", int32(9) + int32(196609) + std::string(1, '\0')})
    EXPECT_TRUE(exchange(bytes).empty() || exchange(bytes)[0] == 'E') << bytes.substr(0, 20);
  auto c = libpq();
  EXPECT_EQ(PQstatus(c.get()), CONNECTION_OK);
}

TEST_F(Wire, MessagesOutOfOrderBeforeSignOn) {
  std::string query = "Q" + int32(8) + std::string("one\0", 4);
  auto answer = exchange(startup() + query);
  EXPECT_NE(answer.find("expected password response"), std::string::npos);
  EXPECT_EQ(answer.find("1.00"), std::string::npos);
  std::string huge = "p" + int32(0x7fffffff);
  EXPECT_NE(exchange(startup() + huge).find("54000"), std::string::npos);
  EXPECT_EQ(backend->pids, 0);
}

TEST_F(Wire, CancelStopsTheStatementOfItsSecretOnly) {
  auto c = libpq();
  ASSERT_EQ(PQstatus(c.get()), CONNECTION_OK);
  std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(c.get()), PQfreeCancel);
  char error[256];
  EXPECT_EQ(PQcancel(cancel.get(), error, sizeof error), 1);  // idle: harmless
  EXPECT_TRUE(eventually([&] { return backend->cancels == 1; }));
  for (const char* statement : {"slow", "wait"}) {
    int before = backend->cancels;
    ASSERT_EQ(PQsendQuery(c.get(), statement), 1);
    EXPECT_EQ(exchange(int32(16) + int32(80877102) + int32(1) + int32(1)), "");  // a guess
    EXPECT_TRUE(eventually([&] { return backend->cancels == before + 1; }));
    EXPECT_EQ(PQcancel(cancel.get(), error, sizeof error), 1);
    // The cancel may arrive before the statement has begun: ask again until it has bitten.
    std::atomic<bool> done = false;
    std::thread again([&] {
      while (!done) {
        PQcancel(cancel.get(), error, sizeof error);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    Rows r(PQgetResult(c.get()));
    done = true;
    again.join();
    EXPECT_STREQ(PQresultErrorField(r.get(), PG_DIAG_SQLSTATE), "57014");
    while (PGresult* more = PQgetResult(c.get())) PQclear(more);
  }
  Rows r(PQexec(c.get(), "one"));
  EXPECT_EQ(PQntuples(r.get()), 1);
}

TEST_F(Wire, CancelFlood) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) exchange(int32(16) + int32(80877102) + int32(1) + int32(static_cast<uint32_t>(i)));
    });
  auto c = libpq();
  ASSERT_EQ(PQstatus(c.get()), CONNECTION_OK);
  Rows r(PQexec(c.get(), "rows 1000"));
  EXPECT_EQ(PQntuples(r.get()), 1000);
  for (auto& t : threads) t.join();
  EXPECT_EQ(backend->cancels, 400);
}

TEST_F(Wire, AClientThatHangsUpCancelsItsStatement) {
  for (const char* statement : {"slow", "wait", "rows 1000000000"}) {
    auto c = libpq();
    ASSERT_EQ(PQstatus(c.get()), CONNECTION_OK);
    ASSERT_EQ(PQsendQuery(c.get(), statement), 1);
    PQflush(c.get());
    EXPECT_TRUE(eventually([&] { return backend->alive == 1; }));
    ::shutdown(PQsocket(c.get()), SHUT_RDWR);
    c.reset();
    EXPECT_TRUE(eventually([&] { return backend->alive == 0; })) << statement;
  }
}

TEST_F(Wire, AClientThatDoesNotReadHoldsTheEngineBack) {
  auto c = libpq();
  ASSERT_EQ(PQsendQuery(c.get(), "rows 1000000000"), 1);
  PQflush(c.get());
  FakeSession* session = backend->latest;
  int64_t before = -1;
  EXPECT_TRUE(eventually([&] {
    int64_t now = session->rows_made;
    bool still = now > 0 && now == before;
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return still;
  }));
  EXPECT_LT(session->rows_made, 3000000) << "buffers are bounded";
  c.reset();
  EXPECT_TRUE(eventually([&] { return backend->alive == 0; }));
}

TEST_F(Wire, ALockGrantedLaterGoesOn) {
  auto c = libpq();
  ASSERT_EQ(PQsendQuery(c.get(), "wait; one"), 1);
  PQflush(c.get());
  std::thread granter([&] {
    for (int i = 0; i < 200; ++i) {
      backend->latest->release();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  Rows lock(PQgetResult(c.get()));
  EXPECT_EQ(PQresultStatus(lock.get()), PGRES_COMMAND_OK) << PQerrorMessage(c.get());
  Rows one(PQgetResult(c.get()));
  EXPECT_EQ(PQntuples(one.get()), 1);
  granter.join();
}

TEST_F(Wire, TerminatedSessionsHearWhy) {
  auto c = libpq();
  ASSERT_EQ(PQstatus(c.get()), CONNECTION_OK);
  std::string heard;  // libpq hands an error that comes unasked to its notice processor
  PQsetNoticeProcessor(c.get(), [](void* to, const char* text) { *static_cast<std::string*>(to) += text; }, &heard);
  backend->latest->terminate({&kFakeShutdown, "terminating connection due to administrator command"});
  EXPECT_TRUE(
      eventually([&] { return PQconsumeInput(c.get()) == 0 || PQisBusy(c.get()) || PQstatus(c.get()) == CONNECTION_BAD; }));
  EXPECT_NE(heard.find("administrator command"), std::string::npos) << heard;
  auto busy = libpq();
  ASSERT_EQ(PQsendQuery(busy.get(), "slow"), 1);
  PQflush(busy.get());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // idle or busy: both must hear it
  backend->latest->terminate({&kFakeShutdown, "terminating connection due to administrator command"});
  Rows r(PQgetResult(busy.get()));
  EXPECT_NE(std::string(PQerrorMessage(busy.get())).find("administrator command"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return backend->alive == 0; }));
}

TEST_F(Wire, StoppingTheListenerEndsEverybody) {
  auto idle = libpq(), busy = libpq();
  PQsendQuery(busy.get(), "slow");
  PQflush(busy.get());
  listener->stop();
  EXPECT_EQ(backend->alive, 0);
}

}  // namespace
}  // namespace redoubt::warehouse::wire
