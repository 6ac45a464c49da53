#include "keys/key.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/crypto.h"
#include "base/ids.h"
#include "base/text.h"
#include "keys/key_store.h"

namespace redoubt::keys {
namespace {

constexpr const char* kPolicy =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]})";

Key make_key(const std::string& id) {
  Key k{.account = "111122223333", .region = "us-east-1", .id = id, .description = "d"};
  k.policy_text = kPolicy;
  k.policy = *policy::parse(kPolicy, policy::Kind::key);
  k.materials.push_back({.id = hex(crypto::random_bytes(32)), .bytes = crypto::random_bytes(32)});
  return k;
}

TEST(Key, RecordsComeBack) {
  auto root = crypto::random_bytes(32);
  auto k = make_key("k");
  k.state = KeyState::pending_deletion;
  k.deletion_date = Timestamp::from_seconds(1000);
  k.rotation = true;
  k.rotation_days = 90;
  k.tags = {{"Team", "red"}};
  k.materials.push_back({.id = "m2", .bytes = crypto::random_bytes(32), .created = {5}, .on_demand = true});
  k.grants = {{.id = "g", .token = "t", .grantee = "AIDAX", .operations = {"Decrypt"}, .subset = {{"a", "b"}}}};
  auto record = store_key(k, root);
  EXPECT_EQ(record.find(k.materials[0].bytes), record.npos);
  EXPECT_EQ(record.find(base64(k.materials[0].bytes)), record.npos);
  auto back = load_key(record, root);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->arn(), k.arn());
  EXPECT_EQ(back->state, k.state);
  EXPECT_EQ(back->deletion_date, k.deletion_date);
  EXPECT_EQ(back->rotation_days, 90);
  EXPECT_EQ(back->tags, k.tags);
  ASSERT_EQ(back->materials.size(), 2u);
  EXPECT_EQ(back->materials[1].bytes, k.materials[1].bytes);
  EXPECT_TRUE(back->materials[1].on_demand);
  ASSERT_EQ(back->grants.size(), 1u);
  EXPECT_EQ(back->grants[0].subset, k.grants[0].subset);
}

TEST(Key, AnotherRootKeyOrAnotherKeysMaterialDoesntOpen) {
  auto root = crypto::random_bytes(32);
  auto record = store_key(make_key("k"), root);
  EXPECT_FALSE(load_key(record, crypto::random_bytes(32)));
  EXPECT_FALSE(load_key(replace_all(record, "\"id\":\"k\"", "\"id\":\"other\""), root));  // moved into another record
  EXPECT_FALSE(load_key("{}", root));
}

TEST(Grant, Covers) {
  Grant none, subset{.subset = {{"a", "1"}}}, equals{.equals = {{"a", "1"}}};
  EncryptionContext empty, same = {{"a", "1"}}, more = {{"a", "1"}, {"b", "2"}}, other = {{"a", "2"}};
  EXPECT_TRUE(none.covers(empty) && none.covers(more));
  EXPECT_TRUE(subset.covers(same) && subset.covers(more));
  EXPECT_FALSE(subset.covers(empty) || subset.covers(other));
  EXPECT_TRUE(equals.covers(same));
  EXPECT_FALSE(equals.covers(empty) || equals.covers(more) || equals.covers(other));
}

TEST(Grant, AChildMayNotBeWiderThanItsParent) {
  Grant none, a{.subset = {{"a", "1"}}}, ab{.subset = {{"a", "1"}, {"b", "2"}}}, just_a{.equals = {{"a", "1"}}},
      just_ab{.equals = {{"a", "1"}, {"b", "2"}}}, other{.subset = {{"a", "2"}}};
  for (auto& child : {none, a, ab, just_a, other}) EXPECT_TRUE(none.is_at_least_as_wide_as(child));
  for (auto& child : {a, ab, just_a, just_ab}) EXPECT_TRUE(a.is_at_least_as_wide_as(child));
  for (auto& child : {none, other}) EXPECT_FALSE(a.is_at_least_as_wide_as(child));
  for (auto& child : {a, none, just_a}) EXPECT_FALSE(ab.is_at_least_as_wide_as(child));
  EXPECT_TRUE(just_a.is_at_least_as_wide_as(just_a));
  for (auto& child : {a, ab, none, just_ab}) EXPECT_FALSE(just_a.is_at_least_as_wide_as(child));
}

class KeyStoreTest : public testing::Test {
 public:
  KeyStoreTest() {
    std::filesystem::create_directories(dir);
    meta = *meta::Store::open((dir / "meta.db").string());
    open();
  }
  ~KeyStoreTest() override {
    store.reset();
    meta.reset();
    std::filesystem::remove_all(dir);
  }
  void open() {
    store = std::make_unique<KeyStore>(*meta, root);
    ASSERT_TRUE(store->load());
  }
  Alias alias(const std::string& name, const std::string& key) { return {"111122223333", "us-east-1", name, key}; }
  std::vector<std::string> names(const std::string& key) {
    return store->alias_names(*store->find("111122223333", "us-east-1", key));
  }

  std::filesystem::path dir = std::filesystem::temp_directory_path() / ("redoubt-keys-" + random_text(12, "abcdefghijklmnop"));
  std::string root = crypto::random_bytes(32);
  std::unique_ptr<meta::Store> meta;
  std::unique_ptr<KeyStore> store;
};

TEST_F(KeyStoreTest, AliasesFollowTheirKeysAndOutliveAStart) {
  ASSERT_TRUE(store->add(make_key("a")) && store->add(make_key("b")));
  ASSERT_TRUE(store->put_alias(alias("alias/x", "a"), true));
  ASSERT_TRUE(store->put_alias(alias("alias/y", "a"), true));
  EXPECT_EQ(store->put_alias(alias("alias/x", "b"), true).error().kind->code, "AlreadyExistsException");
  EXPECT_EQ(store->put_alias(alias("alias/z", "b"), false).error().kind->code, "NotFoundException");
  EXPECT_EQ(store->put_alias(alias("alias/z", "none"), true).error().kind->code, "NotFoundException");
  ASSERT_TRUE(store->put_alias(alias("alias/x", "b"), false));
  for (int i = 0; i < 2; ++i, open()) {
    EXPECT_EQ(names("a"), std::vector<std::string>{"alias/y"});
    EXPECT_EQ(names("b"), std::vector<std::string>{"alias/x"});
    EXPECT_EQ(store->aliases("111122223333", "us-east-1").size(), 2u);
    EXPECT_TRUE(store->aliases("111122223333", "eu-west-1").empty());
    EXPECT_TRUE(store->aliases("444455556666", "us-east-1").empty());
  }
  ASSERT_TRUE(store->remove_if(make_key("b"), [](auto&) { return true; }));
  EXPECT_FALSE(store->find_alias("111122223333", "us-east-1", "alias/x"));
  ASSERT_TRUE(store->remove_alias(alias("alias/y", "a")));
  EXPECT_TRUE(names("a").empty());
}

TEST_F(KeyStoreTest, AKeyGoesOnlyIfItStillShould) {
  ASSERT_TRUE(store->add(make_key("a")));
  ASSERT_TRUE(store->remove_if(make_key("a"), [](auto& k) { return k.state == KeyState::pending_deletion; }));
  EXPECT_TRUE(store->find("111122223333", "us-east-1", "a"));
}

TEST_F(KeyStoreTest, AKeyHasAtMostFiftyAliases) {
  ASSERT_TRUE(store->add(make_key("a")));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store->put_alias(alias("alias/" + std::to_string(i), "a"), true));
  EXPECT_EQ(store->put_alias(alias("alias/more", "a"), true).error().kind->code, "LimitExceededException");
}

TEST_F(KeyStoreTest, ChangesOfOneKeyDontLoseEachOther) {
  ASSERT_TRUE(store->add(make_key("a")));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(store->update(make_key("a"), [&](Key& k) -> Result<void> {
          k.tags[std::to_string(t * 10 + i)] = "x";
          return {};
        }));
    });
  threads.clear();
  EXPECT_EQ(store->find("111122223333", "us-east-1", "a")->tags.size(), 20u);
  open();
  EXPECT_EQ(store->find("111122223333", "us-east-1", "a")->tags.size(), 20u);
}

TEST_F(KeyStoreTest, AChangeThatFailsChangesNothing) {
  ASSERT_TRUE(store->add(make_key("a")));
  EXPECT_FALSE(store->update(make_key("a"), [](Key& k) -> Result<void> {
    k.description = "changed";
    return fail(kLimitExceeded, "");
  }));
  EXPECT_EQ(store->find("111122223333", "us-east-1", "a")->description, "d");
  EXPECT_EQ(store->update(make_key("gone"), [](Key&) -> Result<void> { return {}; }).error().kind->code, "NotFoundException");
}

}  // namespace
}  // namespace redoubt::keys
