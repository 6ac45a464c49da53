#include "meta/store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/ids.h"

namespace redoubt::meta {
struct StoreTest : testing::Test {
  std::string file = testing::TempDir() + "/" + new_uuid() + ".db";
  ~StoreTest() override {
    for (auto* end : {"", "-wal", "-shm"}) std::filesystem::remove(file + end);
  }
};
TEST_F(StoreTest, CommittedRowsOutliveTheStoreAndFailedOnesDoNot) {
  static constexpr ErrorKind kNo{"No"};
  {
    auto s = Store::open(file).value();
    EXPECT_TRUE(s->transact([](Txn& t) -> Result<void> {
      t.put("a", "k", std::string("v\0w", 3));
      return {};
    }));
    auto r = s->transact([](Txn& t) -> Result<void> {
      t.put("a", "k", "x");
      t.put("fresh", "k", "x");
      return fail(kNo, "undone");
    });
    EXPECT_EQ(r.error().message, "undone");
    EXPECT_EQ(s->get("a", "k"), std::string("v\0w", 3));
    EXPECT_EQ(s->get("fresh", "k"), std::nullopt);
    EXPECT_TRUE(s->transact([](Txn& t) -> Result<void> {
      t.put("fresh", "k", "y");
      return {};
    }));
  }
  auto s = Store::open(file).value();
  EXPECT_EQ(s->get("a", "k"), std::string("v\0w", 3));
  EXPECT_EQ(s->get("fresh", "k"), "y");
}
TEST_F(StoreTest, ScansAreOrderedByParts) {
  auto s = Store::open(file).value();
  EXPECT_TRUE(s->transact([](Txn& t) -> Result<void> {
    for (auto* k : {"b", "a", "ab"}) t.put("c", key({k, "1"}), k);
    t.put("c", key({std::string_view("a\0b", 3), "1"}), "nul");
    return {};
  }));
  auto rows = s->scan_prefix("c", key({"a"}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].value, "a");
  EXPECT_EQ(s->scan_prefix("c", "").size(), 4u);
  EXPECT_EQ(key_parts(key({std::string_view("a\0b", 3), "", "c"})), (std::vector<std::string>{std::string("a\0b", 3), "", "c"}));
}
TEST_F(StoreTest, ManyThreadsLoseNothing) {
  auto s = Store::open(file).value();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 50; ++k)
        EXPECT_TRUE(s->transact([&](Txn& t) -> Result<void> {
          t.put("n", key({std::to_string(i), std::to_string(k)}), "1");
          auto total = t.get("n", "total");
          t.put("n", "total", std::to_string(total ? std::stoi(*total) + 1 : 1));
          return {};
        }));
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(s->get("n", "total"), "400");
  EXPECT_EQ(s->scan_prefix("n", "").size(), 401u);
}
}  // namespace redoubt::meta
