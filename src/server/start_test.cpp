// What a server stands on before it listens: its directory, its authority.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "base/text.h"
#include "server/data_dir.h"
#include "server/environment.h"
#include "server/errors.h"
#include "server/tls.h"

namespace redoubt::server {
namespace fs = std::filesystem;
namespace {

struct StartTest : testing::Test {
  fs::path dir;
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "redoubt-start-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir = name;
    ::unsetenv("REDOUBT_ROOT_KEY");
    ::unsetenv("REDOUBT_ROOT_KEY_FILE");
  }
  void TearDown() override { fs::remove_all(dir); }
  static unsigned mode(const fs::path& path) {
    struct stat s{};
    EXPECT_EQ(::stat(path.c_str(), &s), 0) << path;
    return s.st_mode & 0777;
  }
};

TEST_F(StartTest, ANewDirectoryIsMadePrivate) {
  auto d = DataDir::open(dir / "deep" / "data");
  ASSERT_TRUE(d) << d.error().message;
  EXPECT_EQ(mode(d->path()), 0700u);
  auto key = d->root_key();
  ASSERT_TRUE(key);
  EXPECT_EQ(key->size(), 32u);
  EXPECT_EQ(mode(d->path() / "root.key"), 0600u);
  EXPECT_EQ(*d->root_key(), *key);
}

TEST_F(StartTest, ADirectoryHasOneHolder) {
  auto first = DataDir::open(dir / "data");
  ASSERT_TRUE(first);
  auto second = DataDir::open(dir / "data");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, (dir / "data").string() + " is in use by another process");
  {
    auto gone = std::move(*first);
  }
  EXPECT_TRUE(DataDir::open(dir / "data"));
}

TEST_F(StartTest, ForeignDirectoriesAreLeftAlone) {
  std::ofstream(dir / "thesis.txt") << "mine";
  auto d = DataDir::open(dir);
  ASSERT_FALSE(d);
  EXPECT_NE(d.error().message.find("not a Redoubt data directory"), std::string::npos);
  EXPECT_FALSE(fs::exists(dir / "lock"));
  auto file = DataDir::open(dir / "thesis.txt");
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("is not a directory"), std::string::npos);
}

TEST_F(StartTest, ANewerFormatIsRefused) {
  {
    ASSERT_TRUE(DataDir::open(dir / "data"));
  }
  std::ofstream(dir / "data" / "redoubt.format") << "redoubt data directory, format 2\n";
  auto d = DataDir::open(dir / "data");
  ASSERT_FALSE(d);
  EXPECT_NE(d.error().message.find("has data format 2"), std::string::npos);
}

TEST_F(StartTest, AWrongOrMissingRootKeyIsNoticed) {
  auto d = DataDir::open(dir / "data");
  ASSERT_TRUE(d);
  ASSERT_TRUE(d->root_key());
  ::setenv("REDOUBT_ROOT_KEY", std::string(64, 'a').c_str(), 1);
  auto other = d->root_key();
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("is not the one"), std::string::npos);
  ::setenv("REDOUBT_ROOT_KEY", "abc", 1);
  EXPECT_FALSE(d->root_key());
  ::unsetenv("REDOUBT_ROOT_KEY");
  fs::rename(dir / "data" / "root.key", dir / "elsewhere");
  auto missing = d->root_key();
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("is missing"), std::string::npos);
  ::setenv("REDOUBT_ROOT_KEY_FILE", (dir / "elsewhere").c_str(), 1);
  EXPECT_TRUE(d->root_key());
}

TEST_F(StartTest, AccountAndRegionStayAsTheyWere) {
  auto d = DataDir::open(dir / "data");
  ASSERT_TRUE(d);
  Config first;
  first.account_id = "999900001111";
  ASSERT_TRUE(d->settle(first));
  Config again;
  ASSERT_TRUE(d->settle(again));
  EXPECT_EQ(again.account_id, "999900001111");
  Config other;
  other.region = "eu-west-1";
  other.given = {"region"};
  auto refused = d->settle(other);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("was made with us-east-1, not eu-west-1"), std::string::npos);
}

TEST_F(StartTest, TheEnvironmentSurvivesQuotes) {
  ASSERT_TRUE(write_environment(dir / "env", {{"A", "it's"}, {"B", ""}, {"C", "x=y"}}));
  EXPECT_EQ(mode(dir / "env"), 0600u);
  auto back = read_environment(dir / "env");
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, (std::map<std::string, std::string>{{"A", "it's"}, {"B", ""}, {"C", "x=y"}}));
  EXPECT_TRUE(read_environment(dir / "none")->empty());
}

TEST_F(StartTest, TheAuthorityIsKeptAndIssuesForGivenNames) {
  ManualClock clock;
  auto first = CertificateAuthority::open(dir / "tls", clock);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(mode(dir / "tls" / "ca.key"), 0600u);
  auto again = CertificateAuthority::open(dir / "tls", clock);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->certificate_pem(), first->certificate_pem());
  auto context = again->issue({"127.100.0.1", "localhost", "*.localhost", "::1"}, TlsProtocol::postgresql);
  ASSERT_TRUE(context) << context.error().message;
  X509* certificate = SSL_CTX_get0_certificate(context->get());
  EXPECT_EQ(X509_check_ip_asc(certificate, "127.100.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate, "::1", 0), 1);
  EXPECT_EQ(X509_check_host(certificate, "localhost", 0, 0, nullptr), 1);
  EXPECT_NE(X509_check_ip_asc(certificate, "127.100.0.2", 0), 1);
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context->get(), &chain);
  ASSERT_EQ(sk_X509_num(chain), 1);
  EXPECT_EQ(X509_verify(certificate, X509_get0_pubkey(sk_X509_value(chain, 0))), 1);
}

TEST_F(StartTest, ADamagedAuthorityIsRefused) {
  ManualClock clock;
  ASSERT_TRUE(CertificateAuthority::open(dir / "tls", clock));
  std::ofstream(dir / "tls" / "ca.key") << "garbage";
  auto damaged = CertificateAuthority::open(dir / "tls", clock);
  ASSERT_FALSE(damaged);
  EXPECT_TRUE(damaged.error().is(kCannotStart));
}

}  // namespace
}  // namespace redoubt::server
