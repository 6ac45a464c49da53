#include "warehouse/session/auth.h"

#include <map>

#include "base/crypto.h"
#include "base/text.h"
#include "warehouse/session/errors.h"
#include "warehouse/session/test_world.h"

namespace redoubt::warehouse::session {
namespace {

struct Tokens : TokenVerifier {
  Result<TokenIdentity> verify(std::string_view user, std::string_view database, std::string_view token) const override {
    if (token != "sealed for " + std::string(user)) return fail(kInvalidAuthorization, "no");
    return TokenIdentity{.db_user = std::string(user.substr(user.find(':') + 1)),
                         .groups = {"g", "gone"},
                         .auto_create = user.starts_with("IAMA:"),
                         .database = std::string(database)};
  }
};

std::string int32(uint32_t n) { return {char(n >> 24), char(n >> 16), char(n >> 8), char(n)}; }

struct Auth : ::testing::Test {
  Tokens tokens;
  World world{&tokens};
  void SetUp() override {
    auto session = world.session("awsuser");
    auto got = run_all(**session,
                       "CREATE USER alice PASSWORD 'Abcd1234'; CREATE USER off PASSWORD DISABLE; CREATE GROUP g;"
                       "CREATE USER late PASSWORD 'Abcd1234' VALID UNTIL '2001-01-01';"
                       "CREATE USER sha PASSWORD 'sha256|Abcd1234'");
    ASSERT_FALSE(got.error) << got.error->message;
  }
  ClientHello hello(std::string user) { return {.user = std::move(user), .database = "dev", .tls = true}; }

  static std::string md5_answer(const AuthRequest& request, const std::string& user, const std::string& password) {
    return "md5" + hex(crypto::md5(hex(crypto::md5(password + user)) + request.body)) + '\0';
  }

  static std::string digest_answer(const AuthRequest& request, const std::string& password) {
    std::string_view rest = request.body;
    auto number = [&] {
      uint32_t n = 0;
      for (int i = 0; i < 4; i++) n = n << 8 | uint8_t(rest[size_t(i)]);
      rest.remove_prefix(4);
      return n;
    };
    EXPECT_EQ(number(), 0u);
    auto piece = [&] {
      uint32_t n = number();
      std::string out(rest.substr(0, n));
      rest.remove_prefix(n);
      return out;
    };
    std::string salt = piece(), nonce = piece(), client = "1700000000000";
    std::string digest = crypto::sha256(crypto::sha256(password + salt) + nonce + client);
    return int32(uint32_t(digest.size())) + digest + int32(uint32_t(client.size())) + client;
  }

  Result<AuthRequest> scram(AuthExchange& exchange, const std::string& password) {
    AuthRequest first = exchange.start();
    EXPECT_EQ(first.code, AuthRequest::kSasl);
    std::string bare = "n=,r=abc", message = "n,," + bare;
    TRY(auto challenge, exchange.answer('p', std::string("SCRAM-SHA-256") + '\0' + int32(uint32_t(message.size())) + message));
    auto parts = split(challenge.body, ',');
    std::string nonce(parts[0].substr(2)), salt = *unbase64(parts[1].substr(2));
    int iterations = int(*parse_int(parts[2].substr(2)));
    std::string salted = crypto::pbkdf2_sha256(password, salt, iterations, 32),
                client_key = crypto::hmac_sha256(salted, "Client Key");
    std::string without = "c=biws,r=" + nonce, all = bare + "," + challenge.body + "," + without;
    std::string signature = crypto::hmac_sha256(crypto::sha256(client_key), all);
    for (size_t i = 0; i < 32; i++) client_key[i] = char(client_key[i] ^ signature[i]);
    return exchange.answer('p', without + ",p=" + base64(client_key));
  }
};

TEST_F(Auth, ScramForLibpq) {
  AuthExchange right(*world.service, hello("alice"));
  auto done = scram(right, "Abcd1234");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(done->final);
  EXPECT_EQ(right.identity().user(), "alice");
  AuthExchange wrong(*world.service, hello("alice"));
  auto refused = scram(wrong, "Abcd1235");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "password authentication failed for user \"alice\"");
  EXPECT_EQ(refused.error().kind->sqlstate, "28000");
}

TEST_F(Auth, DigestForAmazonsDrivers) {
  for (std::string password : {"Abcd1234", "wrong"}) {
    ClientHello h = hello("alice");
    h.amazon_driver = true;
    AuthExchange exchange(*world.service, h);
    AuthRequest request = exchange.start();
    ASSERT_EQ(request.code, AuthRequest::kDigest);
    auto answer = exchange.answer('d', digest_answer(request, password));
    EXPECT_EQ(bool(answer), password == "Abcd1234");
    EXPECT_FALSE(exchange.answer('d', digest_answer(request, "Abcd1234"))) << "an exchange answers once";
  }
}

TEST_F(Auth, Md5WhereNothingElseIs) {
  ClientHello h = hello("alice");
  h.scram = false;
  AuthExchange exchange(*world.service, h);
  AuthRequest request = exchange.start();
  ASSERT_EQ(request.code, AuthRequest::kMd5);
  EXPECT_TRUE(exchange.answer('p', md5_answer(request, "alice", "Abcd1234")));
  AuthExchange wrong(*world.service, h);
  request = wrong.start();
  EXPECT_FALSE(wrong.answer('p', md5_answer(request, "alice", "nope")));
}

TEST_F(Auth, StrangersAreAskedLikeEverybody) {
  auto method = [&](const std::string& user) { return AuthExchange(*world.service, hello(user)).start().code; };
  std::map<int32_t, std::string> strangers;  // a name for each method
  for (int i = 0; i < 200; i++) strangers.emplace(method("nobody" + std::to_string(i)), "nobody" + std::to_string(i));
  EXPECT_EQ(strangers.size(), 2u) << "some like alice, some like sha: the method doesn't tell who is there";
  for (auto& [code, name] : strangers) EXPECT_EQ(method(name), code) << "the same method each time";
  ASSERT_TRUE(strangers.contains(AuthRequest::kSasl) && strangers.contains(AuthRequest::kCleartext));

  AuthExchange clear(*world.service, hello(strangers[AuthRequest::kCleartext]));
  clear.start();
  EXPECT_FALSE(clear.answer('p', std::string("Abcd1234") + '\0'));
  const std::string& stranger = strangers[AuthRequest::kSasl];
  AuthExchange exchange(*world.service, hello(stranger));
  auto refused = scram(exchange, "Abcd1234");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "password authentication failed for user \"" + stranger + "\"");

  AuthExchange a(*world.service, hello(stranger)), b(*world.service, hello(stranger));
  std::string hello_message = std::string("SCRAM-SHA-256") + '\0' + int32(10) + "n,,n=,r=ab";
  a.start();
  b.start();
  auto first = a.answer('p', hello_message), second = b.answer('p', hello_message);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(split(first->body, ',')[1], split(second->body, ',')[1]) << "the same salt each time";
}

TEST_F(Auth, UsersWithoutAPasswordAreStrangers) {
  for (std::string user : {"off", "rdsdb"}) {
    AuthExchange exchange(*world.service, hello(user));
    AuthRequest request = exchange.start();
    auto refused = request.code == AuthRequest::kSasl ? scram(exchange, "Abcd1234") : exchange.answer('p', "Abcd1234");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "password authentication failed for user \"" + user + "\"");
  }
}

TEST_F(Auth, AnExpiredPasswordAndAMissingDatabaseAreToldOnlyAfterARightPassword) {
  AuthExchange late(*world.service, hello("late"));
  auto refused = scram(late, "Abcd1234");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("expired"), std::string::npos);
  ClientHello h = hello("alice");
  h.database = "nothing";
  AuthExchange missing(*world.service, h);
  refused = scram(missing, "Abcd1234");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind->sqlstate, "3D000");
  AuthExchange wrong(*world.service, h);
  EXPECT_EQ(scram(wrong, "Abcd1235").error().kind->sqlstate, "28000");
}

TEST_F(Auth, Sha256AloneTakesClearTextOnTlsOnly) {
  AuthExchange exchange(*world.service, hello("sha"));
  ASSERT_EQ(exchange.start().code, AuthRequest::kCleartext);
  EXPECT_TRUE(exchange.answer('p', std::string("Abcd1234") + '\0'));
  ClientHello plain = hello("sha");
  plain.tls = false;
  AuthExchange refused(*world.service, plain);
  refused.start();
  EXPECT_FALSE(refused.answer('p', std::string("Abcd1234") + '\0'));
}

TEST_F(Auth, SealedTokens) {
  AuthExchange known(*world.service, hello("IAM:alice"));
  ASSERT_EQ(known.start().code, AuthRequest::kCleartext);
  ASSERT_TRUE(known.answer('p', std::string("sealed for IAM:alice") + '\0'));
  EXPECT_EQ(known.identity().user(), "alice");
  EXPECT_EQ(known.identity().extra_groups().size(), 1u) << "groups that exist";
  AuthExchange stranger(*world.service, hello("IAM:newcomer"));
  stranger.start();
  EXPECT_FALSE(stranger.answer('p', std::string("sealed for IAM:newcomer") + '\0')) << "AutoCreate wasn't asked for";
  AuthExchange made(*world.service, hello("IAMA:newcomer"));
  made.start();
  EXPECT_TRUE(made.answer('p', std::string("sealed for IAMA:newcomer") + '\0'));
  EXPECT_TRUE(world.service->catalog()->user("newcomer"));
  ClientHello plain = hello("IAM:alice");
  plain.tls = false;
  AuthExchange untrusted(*world.service, plain);
  untrusted.start();
  EXPECT_FALSE(untrusted.answer('p', std::string("sealed for IAM:alice") + '\0'));
}

TEST_F(Auth, GroupsOfTheLoginCount) {
  auto admin = world.session("awsuser");
  ASSERT_FALSE(run_all(**admin, "CREATE TABLE public.t (a int); GRANT SELECT ON public.t TO GROUP g").error);
  auto plain = world.session("alice");
  EXPECT_TRUE(run_all(**plain, "SELECT * FROM public.t").error);
  AuthExchange known(*world.service, hello("IAM:alice"));
  known.start();
  ASSERT_TRUE(known.answer('p', std::string("sealed for IAM:alice") + '\0'));
  auto session = world.service->connect(known.identity(), {});
  ASSERT_TRUE(session);
  EXPECT_FALSE(run_all(**session, "SELECT * FROM public.t").error);
}

TEST_F(Auth, MalformedAnswersAreRefused) {
  for (std::string body : {std::string(), std::string(3, '\xff'), std::string("SCRAM-SHA-256"),
                           std::string("SCRAM-SHA-256") + '\0' + int32(0xffffffff) + "n,,"}) {
    AuthExchange exchange(*world.service, hello("alice"));
    exchange.start();
    EXPECT_FALSE(exchange.answer('p', body));
  }
  ClientHello h = hello("alice");
  h.amazon_driver = true;
  AuthExchange digest(*world.service, h);
  digest.start();
  EXPECT_FALSE(digest.answer('d', int32(0xffffffff)));
}

TEST_F(Auth, ConnectionLimits) {
  auto admin = world.session("awsuser");
  ASSERT_FALSE(run_all(**admin, "ALTER USER alice CONNECTION LIMIT 1").error);
  ASSERT_TRUE(world.session("alice"));
  auto second = world.session("alice/2");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind->sqlstate, "53300");
}

}  // namespace
}  // namespace redoubt::warehouse::session
