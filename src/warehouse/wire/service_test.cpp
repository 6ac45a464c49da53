/// The whole way: libpq and hand-made drivers against a real cluster, through sockets, sign-on, session and engine.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <thread>

#include "base/crypto.h"
#include "base/text.h"
#include "net/listener.h"
#include "warehouse/session/sql_service.h"
#include "warehouse/wire/connection.h"
#include "warehouse/wire/protocol.h"

namespace redoubt::warehouse::wire {
namespace {

namespace fs = std::filesystem;

class Cluster : public testing::Test {
 protected:
  Cluster() {
    fs::remove_all(directory);
    auto engine = engine::Engine::open(
        {directory, std::string(32, 'k'), std::make_shared<engine::Resources>(engine::Share{size_t{512} << 20, 2})});
    session::SqlService::Options service_options;
    service_options.engine = *std::move(engine);
    service_options.cluster = {"111122223333", "us-east-1", "c1"};
    service_options.secret_key = std::string(32, 's');
    service_options.bootstrap.master_verifier = *session::make_verifier("Secret123", "awsuser");
    service = *session::SqlService::open(std::move(service_options));
    options->admit = [](const Ip&) { return true; };
    options->backend = [this] { return Result<std::shared_ptr<Backend>>(service_backend(service)); };
    options->pool = &pool;
    listener->start([this](net::Stream stream) { return serve(std::move(stream), options); });
  }
  ~Cluster() override {
    listener->stop();
    service.reset();
    fs::remove_all(directory);
  }

  struct Closer {
    void operator()(PGconn* c) const { PQfinish(c); }
    void operator()(PGresult* r) const { PQclear(r); }
  };
  using Pg = std::unique_ptr<PGconn, Closer>;
  using Rows = std::unique_ptr<PGresult, Closer>;
  Pg connect(std::string_view user = "awsuser", std::string_view password = "Secret123",
             std::string_view database = "dev") const {
    return Pg(
        PQconnectdb(("host=127.0.0.1 sslmode=disable gssencmode=disable port=" + std::to_string(listener->local().port) +
                     " user=" + std::string(user) + " password=" + std::string(password) + " dbname=" + std::string(database))
                        .c_str()));
  }
  static std::string run(const Pg& c, const char* sql) {
    Rows r(PQexec(c.get(), sql));
    if (const char* state = PQresultErrorField(r.get(), PG_DIAG_SQLSTATE)) return state;
    std::string out;
    for (int i = 0; i < PQntuples(r.get()); ++i)
      for (int k = 0; k < PQnfields(r.get()); ++k)
        out += std::string(k ? "|" : i ? "\n" : "") + (PQgetisnull(r.get(), i, k) ? "NULL" : PQgetvalue(r.get(), i, k));
    return out.empty() ? PQcmdStatus(r.get()) : out;
  }

  int raw() const {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(listener->local().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return fd;
  }

  std::string directory = fs::temp_directory_path() / ("redoubt_wire_" + std::to_string(getpid()));
  std::shared_ptr<session::SqlService> service;
  std::shared_ptr<Options> options = std::make_shared<Options>();
  net::IoThreads io{2};
  net::Pool pool{"sql", 4, 100};
  std::unique_ptr<net::Listener> listener = *net::Listener::open(io, {*Ip::parse("127.0.0.1"), 0}, {});
};

TEST_F(Cluster, LibpqFromEndToEnd) {
  auto c = connect();
  ASSERT_EQ(PQstatus(c.get()), CONNECTION_OK) << PQerrorMessage(c.get());
  EXPECT_STREQ(PQparameterStatus(c.get(), "server_version"), "8.0.2");
  EXPECT_STREQ(PQparameterStatus(c.get(), "integer_datetimes"), "on");
  EXPECT_EQ(PQparameterStatus(c.get(), "standard_conforming_strings"), nullptr);
  EXPECT_EQ(PQparameterStatus(c.get(), "server_protocol_version"), nullptr);
  EXPECT_EQ(run(c, "create table t (id int not null, name varchar(20), price numeric(10,2))"), "CREATE TABLE");
  EXPECT_EQ(run(c, "insert into t values (1, 'one', 1.5), (2, null, 2)"), "INSERT 0 2");
  EXPECT_EQ(run(c, "select * from t order by id"), "1|one|1.50\n2|NULL|2.00");
  EXPECT_EQ(run(c, "begin; update t set name = 'two' where id = 2"), "UPDATE 1");
  EXPECT_EQ(PQtransactionStatus(c.get()), PQTRANS_INTRANS);
  EXPECT_EQ(run(c, "select nonsense from t"), "42703");
  EXPECT_EQ(PQtransactionStatus(c.get()), PQTRANS_INERROR);
  EXPECT_EQ(run(c, "select 1"), "25P02");
  EXPECT_EQ(run(c, "rollback"), "ROLLBACK");
  EXPECT_EQ(run(c, "select name from t where id = 2"), "NULL");
  EXPECT_EQ(run(c, "set application_name to 'me'"), "SET");
  EXPECT_STREQ(PQparameterStatus(c.get(), "application_name"), "me");
  EXPECT_EQ(run(c, "copy t from stdin"), "0A000");

  const char* values[] = {"2"};
  Rows r(PQexecParams(c.get(), "select id, price from t where id < $1", 1, nullptr, values, nullptr, nullptr, 1));
  ASSERT_EQ(PQntuples(r.get()), 1) << PQerrorMessage(c.get());
  EXPECT_EQ(PQftype(r.get(), 0), 23u);
  EXPECT_EQ(std::string(PQgetvalue(r.get(), 0, 0), 4), std::string("\0\0\0\1", 4));
  EXPECT_EQ(hex({PQgetvalue(r.get(), 0, 1), static_cast<size_t>(PQgetlength(r.get(), 0, 1))}), "000200000000000200011388");
}

TEST_F(Cluster, WrongPasswordsUsersAndDatabasesAreRefused) {
  auto admin = connect();
  EXPECT_EQ(run(admin, "create user alice password 'Wonder1and'"), "CREATE USER");
  EXPECT_EQ(PQstatus(connect("alice", "Wonder1and").get()), CONNECTION_OK);
  auto refused = [&](const Pg& c) {
    EXPECT_EQ(PQstatus(c.get()), CONNECTION_BAD);
    return std::string(PQerrorMessage(c.get()));
  };
  std::string wrong = refused(connect("alice", "nope")), nobody = refused(connect("nobody", "nope"));
  EXPECT_NE(wrong.find("password authentication failed for user \"alice\""), std::string::npos) << wrong;
  EXPECT_EQ(replace_all(nobody, "nobody", "alice"), wrong) << "strangers don't learn who exists";
  EXPECT_NE(refused(connect("alice", "Wonder1and", "nowhere")).find("database \"nowhere\" does not exist"), std::string::npos);
}

/// What redshift_connector does: client_protocol_version, digest authentication, Redshift's numeric.
TEST_F(Cluster, AnAmazonDriverGetsDigestAndItsProtocol) {
  int fd = raw();
  auto send = [&](const std::string& bytes) {
    ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  };
  Input input;
  input.limit_to_sign_on(false);
  auto next = [&]() -> std::pair<char, std::string> {
    while (true) {
      auto m = input.next();
      if (!m) return {'?', m.error().message};
      if (*m) return {(*m)->type, std::string((*m)->body)};
      auto room = input.room();
      ssize_t n = ::recv(fd, room.data(), room.size(), 0);
      if (n <= 0) return {'!', ""};
      input.filled(static_cast<size_t>(n));
    }
  };
  auto nul = [](std::string_view s) { return std::string(s) + '\0'; };
  std::string body = std::string("\0\3\0\0", 4) + nul("user") + nul("awsuser") + nul("database") + nul("dev") +
                     nul("client_protocol_version") + nul("2") + nul("driver_version") + nul("test") + nul("");
  std::string packet;
  Reply(packet, ' ').raw(body);
  send(packet.substr(1));
  auto [type, request] = next();
  ASSERT_EQ(type, 'R') << request;
  Fields fields(request);
  ASSERT_EQ(fields.int32(), 13u) << "digest";
  EXPECT_EQ(fields.int32(), 0u) << "SHA-256";
  std::string salt(fields.bytes(fields.int32())), nonce(fields.bytes(fields.int32()));
  ASSERT_TRUE(fields.whole());
  std::string mine = "1700000000000", digest = crypto::sha256(crypto::sha256("Secret123" + salt) + nonce + mine), answer;
  Reply(answer, 'd').int32(32).raw(digest).int32(static_cast<int64_t>(mine.size())).raw(mine);
  send(answer);
  std::string protocol, types;
  while (true) {
    auto [t, b] = next();
    types += t;
    ASSERT_TRUE(t == 'R' || t == 'S' || t == 'K' || t == 'Z') << t << b;
    if (t == 'S' && b.starts_with("server_protocol_version")) protocol = b.substr(24, 1);
    if (t == 'Z') break;
  }
  EXPECT_EQ(protocol, "2");
  std::string ask;
  Reply(ask, 'P').text("s-1").text("select 1.5::numeric(10,2) as n").int16(0);
  Reply(ask, 'D').byte('S').text("s-1");
  Reply(ask, 'B').text("").text("s-1").int16(0).int16(0).int16(1).int16(1);
  Reply(ask, 'E').text("").int32(0);
  Reply(ask, 'S');
  send(ask);
  std::string all;
  while (true) {
    auto [t, b] = next();
    all += t;
    if (t == 'T') EXPECT_EQ(b.size(), 2 + nul("n").size() + 18 + 4 + 2) << "the extended description";
    if (t == 'D')
      EXPECT_EQ(hex(b),
                "0001"
                "00000008"
                "0000000000000096");
    if (t == 'E') ADD_FAILURE() << b;
    if (t == 'Z') break;
  }
  EXPECT_EQ(all, "1tT2DCZ");
  ::close(fd);
}

TEST_F(Cluster, CancelAndHangUp) {
  auto c = connect();
  EXPECT_EQ(run(c, "create table n (i int)"), "CREATE TABLE");
  EXPECT_EQ(run(c, "insert into n values (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)"), "INSERT 0 10");
  const char* endless =
      "select count(*) from n a, n b, n c, n d, n e, n f, n g, n h, n i, n j, n k, n l where a.i*b.i*c.i%7 = d.i*l.i%11";
  std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(c.get()), PQfreeCancel);
  ASSERT_EQ(PQsendQuery(c.get(), endless), 1);
  std::atomic<bool> done = false;
  std::thread again([&] {
    char error[256];
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
  EXPECT_EQ(run(c, "select count(*) from n"), "10");

  auto gone = connect();
  ASSERT_EQ(PQsendQuery(gone.get(), endless), 1);
  PQflush(gone.get());
  gone.reset();
  for (int i = 0; i < 2000 && service->sessions() > 1; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(service->sessions(), 1u) << "the query of a client that left has ended";
}

TEST_F(Cluster, LocksWaitWithoutAThread) {
  auto holder = connect();
  EXPECT_EQ(run(holder, "create table t (i int)"), "CREATE TABLE");
  EXPECT_EQ(run(holder, "begin; insert into t values (1)"), "INSERT 0 1");
  std::vector<Pg> waiting;  // more than the pool has threads
  for (int i = 0; i < 10; ++i) {
    waiting.push_back(connect());
    ASSERT_EQ(PQsendQuery(waiting.back().get(), "insert into t values (2)"), 1);
    PQflush(waiting.back().get());
  }
  auto other = connect();
  EXPECT_EQ(run(other, "select 1"), "1");
  EXPECT_EQ(run(holder, "commit"), "COMMIT");
  for (auto& c : waiting) {
    Rows r(PQgetResult(c.get()));
    EXPECT_STREQ(PQcmdStatus(r.get()), "INSERT 0 1") << PQerrorMessage(c.get());
  }
  EXPECT_EQ(run(other, "select count(*) from t"), "11");
}

}  // namespace
}  // namespace redoubt::warehouse::wire
