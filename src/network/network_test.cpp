#include "network/network.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/ids.h"

namespace redoubt::network {
namespace {

constexpr const char *kFirst = "111122223333", *kOther = "444455556666";

class NetworkTest : public testing::Test {
 public:
  NetworkTest() {
    std::filesystem::create_directories(dir);
    open();
  }
  ~NetworkTest() override {
    network.reset();
    store.reset();
    std::filesystem::remove_all(dir);
  }
  void open() {
    network.reset();
    store.reset();
    store = *meta::Store::open((dir / "meta.db").string());
    network = std::make_unique<Network>(*store, kFirst);
    ASSERT_TRUE(network->load());
  }
  bool admits(const std::string& group, const char* peer, int port = 5439) {
    return network->admits(std::vector{group}, *Ip::parse(peer), port);
  }
  /// A group with these ingress rules, written as the store keeps it.
  std::string group(std::vector<Rule> rules) {
    Json in = Json::array();
    for (auto& r : rules) {
      Json j = Json::object();
      j.set("id", "sgr-1").set("protocol", r.protocol).set("from", r.from_port).set("to", r.to_port);
      if (r.cidr) j.set("cidr", r.cidr->str());
      if (!r.group.empty()) j.set("group", r.group);
      in.push(std::move(j));
    }
    auto id = new_hex_id("sg-");
    Json j = Json::object();
    j.set("id", id).set("name", "n").set("account", kFirst).set("region", "us-east-1").set("ingress", std::move(in));
    EXPECT_TRUE(store->transact([&](meta::Txn& t) -> Result<void> {
      t.put("ec2.groups", id, j.dump());
      return {};
    }));
    open();
    return id;
  }

  std::filesystem::path dir = std::filesystem::temp_directory_path() / ("redoubt-network-" + random_text(12, "abcdefghijklmnop"));
  std::unique_ptr<meta::Store> store;
  std::unique_ptr<Network> network;
};

Rule tcp(const char* cidr, int from, int to) {
  return {.protocol = "tcp", .from_port = from, .to_port = to, .cidr = Cidr::parse(cidr)};
}

TEST_F(NetworkTest, OnlyTheFirstAccountsDefaultGroupLetsTheLoopbackAddressIn) {
  auto first = network->default_vpc(kFirst, "us-east-1")->default_group,
       other = network->default_vpc(kOther, "us-east-1")->default_group;
  EXPECT_TRUE(admits(first, "127.0.0.1"));
  EXPECT_FALSE(admits(first, "127.0.0.2"));
  EXPECT_FALSE(admits(first, "203.0.113.7"));
  EXPECT_FALSE(admits(first, "::1"));
  EXPECT_FALSE(admits(other, "127.0.0.1"));
}

TEST_F(NetworkTest, TheDefaultVpcIsOneForAccountAndRegionAndStays) {
  auto v = *network->default_vpc(kFirst, "us-east-1");
  EXPECT_EQ(network->default_vpc(kFirst, "us-east-1")->id, v.id);
  EXPECT_NE(network->default_vpc(kFirst, "eu-west-1")->id, v.id);
  EXPECT_EQ(v.cidr.str(), "172.31.0.0/16");
  EXPECT_EQ(v.subnets.size(), 3u);
  open();
  auto again = *network->default_vpc(kFirst, "us-east-1");
  EXPECT_EQ(again.id, v.id);
  EXPECT_EQ(again.subnets[2].cidr.str(), "172.31.32.0/20");
  EXPECT_TRUE(admits(v.default_group, "127.0.0.1"));
}

TEST_F(NetworkTest, NoGroupsAndUnknownGroupsLetNobodyIn) {
  EXPECT_FALSE(network->admits({}, *Ip::parse("127.0.0.1"), 5439));
  EXPECT_FALSE(admits("sg-00000000000000000", "127.0.0.1"));
}

TEST_F(NetworkTest, RulesAsData) {
  struct {
    const char* because;
    std::vector<Rule> rules;
    const char* peer;
    int port;
    bool in;
  } cases[] = {
      {"no rules", {}, "10.0.0.1", 5439, false},
      {"the port", {tcp("10.0.0.0/8", 5439, 5439)}, "10.1.2.3", 5439, true},
      {"another port", {tcp("10.0.0.0/8", 5439, 5439)}, "10.1.2.3", 5440, false},
      {"the first of a range", {tcp("10.0.0.0/8", 5000, 6000)}, "10.1.2.3", 5000, true},
      {"the last of a range", {tcp("10.0.0.0/8", 5000, 6000)}, "10.1.2.3", 6000, true},
      {"behind the range", {tcp("10.0.0.0/8", 5000, 6000)}, "10.1.2.3", 6001, false},
      {"another network", {tcp("10.0.0.0/8", 0, 65535)}, "11.0.0.1", 5439, false},
      {"one address", {tcp("203.0.113.7/32", 5439, 5439)}, "203.0.113.7", 5439, true},
      {"its neighbour", {tcp("203.0.113.7/32", 5439, 5439)}, "203.0.113.6", 5439, false},
      {"everybody", {tcp("0.0.0.0/0", 5439, 5439)}, "198.51.100.1", 5439, true},
      {"IPv4's everybody is not IPv6's", {tcp("0.0.0.0/0", 5439, 5439)}, "2001:db8::1", 5439, false},
      {"IPv6's everybody is not IPv4's", {tcp("::/0", 5439, 5439)}, "198.51.100.1", 5439, false},
      {"IPv6", {tcp("2001:db8::/32", 5439, 5439)}, "2001:db8::1", 5439, true},
      {"every protocol", {{.protocol = "-1", .cidr = Cidr::parse("10.0.0.0/8")}}, "10.0.0.1", 1, true},
      {"udp is not tcp",
       {{.protocol = "udp", .from_port = 5439, .to_port = 5439, .cidr = Cidr::parse("0.0.0.0/0")}},
       "10.0.0.1",
       5439,
       false},
      {"icmp is not tcp", {{.protocol = "icmp", .cidr = Cidr::parse("0.0.0.0/0")}}, "10.0.0.1", 5439, false},
      {"a group's members have no addresses yet", {{.protocol = "-1", .group = "sg-1"}}, "10.0.0.1", 5439, false},
      {"one rule of several", {tcp("10.0.0.0/8", 1, 1), tcp("10.0.0.0/8", 5439, 5439)}, "10.0.0.1", 5439, true},
  };
  for (auto& c : cases) EXPECT_EQ(admits(group(c.rules), c.peer, c.port), c.in) << c.because;
}

TEST_F(NetworkTest, AResourcesGroupsAddUp) {
  auto a = group({tcp("10.0.0.0/8", 5439, 5439)}), b = group({tcp("203.0.113.0/24", 5439, 5439)});
  std::vector<std::string> both = {a, "sg-unknown", b};
  EXPECT_TRUE(network->admits(both, *Ip::parse("203.0.113.1"), 5439));
  EXPECT_TRUE(network->admits(both, *Ip::parse("10.0.0.1"), 5439));
  EXPECT_FALSE(network->admits(both, *Ip::parse("192.0.2.1"), 5439));
}

}  // namespace
}  // namespace redoubt::network
