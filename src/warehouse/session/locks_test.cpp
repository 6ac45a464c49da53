#include "warehouse/session/locks.h"

#include <gtest/gtest.h>

#include "warehouse/session/errors.h"

namespace redoubt::warehouse::session {
namespace {

std::shared_ptr<LockWait> get(LockManager& m, uint64_t owner, std::vector<LockKey> keys) {
  auto wait = m.acquire(owner, keys);
  EXPECT_TRUE(wait);
  return wait ? *wait : nullptr;
}

TEST(Locks, AreGrantedInTheOrderOfAsking) {
  LockManager m;
  EXPECT_FALSE(get(m, 1, {7}));
  EXPECT_FALSE(get(m, 1, {7})) << "again";
  auto second = get(m, 2, {7}), third = get(m, 3, {7});
  ASSERT_TRUE(second && third);
  std::string order;
  third->when_ready([&] { order += "3"; });
  second->when_ready([&] { order += "2"; });
  m.release(1);
  EXPECT_EQ(order, "2");
  EXPECT_FALSE(get(m, 2, {7}));
  m.release(2);
  EXPECT_EQ(order, "23");
}

TEST(Locks, ACircleIsRefusedAndOthersGoOn) {
  LockManager m;
  EXPECT_FALSE(get(m, 1, {1}));
  EXPECT_FALSE(get(m, 2, {2}));
  auto waits = get(m, 1, {1, 2});
  ASSERT_TRUE(waits);
  auto refused = m.acquire(2, {1});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(kDeadlock));
  bool fired = false;
  waits->when_ready([&] { fired = true; });
  m.release(2);
  EXPECT_TRUE(fired);
}

TEST(Locks, CirclesOverAQueueAreSeen) {
  LockManager m;
  EXPECT_FALSE(get(m, 1, {1}));
  EXPECT_FALSE(get(m, 2, {2}));
  EXPECT_FALSE(get(m, 3, {3}));
  EXPECT_TRUE(get(m, 1, {1, 2}));
  EXPECT_TRUE(get(m, 2, {2, 3}));
  EXPECT_FALSE(m.acquire(3, {1}));
}

TEST(Locks, AnAbandonedWaitFiresAndIsPassedOver) {
  LockManager m;
  EXPECT_FALSE(get(m, 1, {5}));
  auto second = get(m, 2, {5});
  bool fired = false;
  second->when_ready([&] { fired = true; });
  m.abandon(2);
  EXPECT_TRUE(fired);
  m.release(1);
  EXPECT_FALSE(get(m, 3, {5}));
}

}  // namespace
}  // namespace redoubt::warehouse::session
