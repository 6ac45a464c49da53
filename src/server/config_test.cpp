#include "server/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace redoubt::server {
namespace {

std::string refusal(const std::vector<std::string>& args) {
  auto parsed = parse_config(args);
  return parsed ? "accepted" : parsed.error().message;
}

struct File {
  std::string name;
  explicit File(const std::string& text) {
    name = (std::filesystem::temp_directory_path() / "redoubt-config-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    std::ofstream(name) << text;
  }
  ~File() { std::filesystem::remove(name); }
};

TEST(Config, DefaultsAreThoseOfTheManual) {
  auto p = parse_config({});
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(p->config.listen.str(), "127.0.0.1");
  EXPECT_EQ(p->config.https_port, 4443);
  EXPECT_EQ(p->config.http_port, 4480);
  EXPECT_EQ(p->config.cluster_port, 5439);
  EXPECT_EQ(p->config.account_id, "111122223333");
  EXPECT_EQ(p->config.cluster_net.str(), "127.100.0.0/16");
  EXPECT_FALSE(p->config.strict);
}

TEST(Config, FlagsAreTaken) {
  auto p = parse_config({"--data", "d", "--listen=0.0.0.0", "--https-port", "0", "--cluster", "dev-cluster", "--strict",
                         "--advertise", "db.example.com", "--region", "eu-central-1"});
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(p->config.data, "d");
  EXPECT_EQ(p->config.listen.str(), "0.0.0.0");
  EXPECT_EQ(p->config.https_port, 0);
  EXPECT_EQ(p->config.cluster, "dev-cluster");
  EXPECT_TRUE(p->config.strict);
  EXPECT_FALSE(p->config.strict_acl);
}

TEST(Config, BadFlagsAreOneSentence) {
  EXPECT_NE(refusal({"--nonsense"}).find("--nonsense"), std::string::npos);
  EXPECT_NE(refusal({"--https-port", "70000"}).find("--https-port"), std::string::npos);
  EXPECT_NE(refusal({"--https-port", "x"}).find("--https-port"), std::string::npos);
  EXPECT_EQ(refusal({"--listen", "localhost"}), "--listen: 'localhost' is not an IP address");
  EXPECT_EQ(refusal({"--account-id", "12"}), "--account-id: '12' is not 12 digits");
  EXPECT_EQ(refusal({"--region", "moon"}), "--region: 'moon' is not a region like us-east-1");
  EXPECT_NE(refusal({"--cluster", "Dev"}).find("--cluster: 'Dev'"), std::string::npos);
  EXPECT_NE(refusal({"--cluster", "a--b"}).find("--cluster"), std::string::npos);
  EXPECT_NE(refusal({"--cluster-net", "127.1"}).find("--cluster-net"), std::string::npos);
  EXPECT_NE(refusal({"--advertise", "a b"}).find("--advertise"), std::string::npos);
  EXPECT_EQ(refusal({"--http-port", "4443"}), "--https-port, --http-port and --cluster-port must differ");
  EXPECT_EQ(refusal({"positional"}).find('\n'), std::string::npos);
}

TEST(Config, HelpNamesEveryFlag) {
  auto p = parse_config({"--help"});
  ASSERT_TRUE(p);
  for (auto flag : {"--data", "--listen", "--https-port", "--http-port", "--cluster-port", "--account-id", "--region",
                    "--cluster", "--cluster-net", "--advertise", "--strict", "--strict-acl", "--config"})
    EXPECT_NE(p->help.find(flag), std::string::npos) << flag;
}

TEST(Config, AFileHasTheSameNamesAndFlagsWin) {
  File file("https-port: 1\nhttp-port: 2\nstrict: true\ncluster: from-file\n");
  auto p = parse_config({"--config", file.name, "--http-port", "3"});
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(p->config.https_port, 1);
  EXPECT_EQ(p->config.http_port, 3);
  EXPECT_TRUE(p->config.strict);
  EXPECT_EQ(p->config.cluster, "from-file");
  EXPECT_EQ(p->config.given, (std::set<std::string>{"cluster", "config", "http-port", "https-port", "strict"}));
  File off("strict: false\n");
  EXPECT_FALSE(parse_config({"--config", off.name})->config.strict);
}

TEST(Config, BadFilesAreNamed) {
  EXPECT_NE(refusal({"--config", "/nowhere/x"}).find("there is no file /nowhere/x"), std::string::npos);
  File unknown("colour: red\n");
  EXPECT_EQ(refusal({"--config", unknown.name}), unknown.name + ": there is no setting 'colour'");
  File list("- a\n");
  EXPECT_NE(refusal({"--config", list.name}).find("must be a mapping"), std::string::npos);
  File broken("a: [\n");
  EXPECT_NE(refusal({"--config", broken.name}).find("is not YAML"), std::string::npos);
  File deep("data: {a: b}\n");
  EXPECT_NE(refusal({"--config", deep.name}).find("must have one value"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::server
