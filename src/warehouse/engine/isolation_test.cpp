#include "warehouse/engine/isolation.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>
#include <vector>

namespace redoubt::warehouse::engine {
namespace {

TEST(Isolation, WriteSkewIsRefused) {
  Isolation i;
  auto a = i.begin(), b = i.begin();
  ASSERT_TRUE(i.read(a, 1) && i.write(a, 2));
  ASSERT_TRUE(i.read(b, 2) && i.write(b, 1));
  ASSERT_TRUE(i.may_commit(a));
  i.commit(a);
  auto refused = i.may_commit(b);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "1023");
  EXPECT_EQ(refused.error().kind->sqlstate, "XX000");
  EXPECT_NE(refused.error().get("DETAIL").find("Serializable isolation violation on table - "), std::string_view::npos);
}

TEST(Isolation, WritingWhatWasWrittenSinceTheSnapshotIsRefused) {
  Isolation i;
  auto a = i.begin(), b = i.begin();
  ASSERT_TRUE(i.write(a, 1));
  i.commit(a);
  EXPECT_FALSE(i.write(b, 1));
  i.abort(b);
  auto c = i.begin();
  EXPECT_TRUE(i.write(c, 1));
}

TEST(Isolation, ReportsBesideLoadsArentRefused) {
  Isolation i;
  auto report = i.begin();
  ASSERT_TRUE(i.read(report, 1));
  for (int n = 0; n < 5; ++n) {
    auto load = i.begin();
    ASSERT_TRUE(i.write(load, 1));
    ASSERT_TRUE(i.may_commit(load));
    i.commit(load);
  }
  ASSERT_TRUE(i.read(report, 2));
  EXPECT_TRUE(i.may_commit(report));
  i.commit(report);
  EXPECT_EQ(i.remembered(), 0u);
}

/// A reader can see a state that no serial order explains (Fekete, O'Neil, O'Neil 2004); it is the one that is refused.
TEST(Isolation, ReadOnlyAnomalyIsRefused) {
  Isolation i;
  auto middle = i.begin();
  ASSERT_TRUE(i.read(middle, 1));
  ASSERT_TRUE(i.read(middle, 2));
  auto third = i.begin();
  ASSERT_TRUE(i.write(third, 2));
  i.commit(third);
  auto first = i.begin();
  ASSERT_TRUE(i.read(first, 1) && i.read(first, 2));
  ASSERT_TRUE(i.may_commit(first));
  i.commit(first);
  ASSERT_TRUE(i.write(middle, 1));
  EXPECT_FALSE(i.may_commit(middle));
}

// -------------------------------------------------------------------------------------------- against a brute-force checker

struct Step {
  int transaction;
  enum Kind { kRead, kWrite, kCommit, kAbort } kind;
  secure::Oid table;
};

/// What each committed transaction read (table -> version seen) and wrote (table -> version made).
struct History {
  struct One {
    std::map<secure::Oid, int> reads, writes;
  };
  std::vector<One> committed;

  /// Are these versions what some serial order gives? Direct serialization graph without a cycle (Adya).
  bool serializable() const {
    size_t n = committed.size();
    std::vector<std::vector<size_t>> edges(n);
    for (size_t a = 0; a < n; ++a)
      for (size_t b = 0; b < n; ++b) {
        if (a == b) continue;
        for (auto& [table, made] : committed[a].writes) {
          auto read = committed[b].reads.find(table);
          if (read != committed[b].reads.end())
            (read->second >= made ? edges[a] : edges[b]).push_back(read->second >= made ? b : a);
          auto wrote = committed[b].writes.find(table);
          if (wrote != committed[b].writes.end() && made < wrote->second) edges[a].push_back(b);
        }
      }
    std::vector<int> color(n, 0);
    std::function<bool(size_t)> cycle = [&](size_t v) {
      color[v] = 1;
      for (size_t w : edges[v])
        if (color[w] == 1 || (color[w] == 0 && cycle(w))) return true;
      color[v] = 2;
      return false;
    };
    for (size_t v = 0; v < n; ++v)
      if (color[v] == 0 && cycle(v)) return false;
    return true;
  }
};

/// Runs the steps on tables with exclusive write locks and snapshots, asking Isolation; a step that would wait is skipped.
History run(const std::vector<Step>& steps, Isolation& isolation, size_t& refused) {
  struct Live {
    Isolation::Id id;
    std::map<secure::Oid, int> snapshot, reads;
    std::set<secure::Oid> writes;
  };
  std::map<int, Live> live;
  std::map<secure::Oid, int> versions, locks;
  int next_version = 1;
  History history;
  auto end = [&](int t) {
    std::erase_if(locks, [&](auto& l) { return l.second == t; });
    live.erase(t);
  };
  for (const Step& s : steps) {
    if (!live.contains(s.transaction)) {
      if (s.kind == Step::kCommit || s.kind == Step::kAbort) continue;
      live[s.transaction] = {isolation.begin(), versions, {}, {}};
    }
    Live& t = live[s.transaction];
    bool bad = false;
    switch (s.kind) {
      case Step::kRead:
        if (!t.writes.contains(s.table)) t.reads.emplace(s.table, t.snapshot[s.table]);
        bad = !isolation.read(t.id, s.table);
        break;
      case Step::kWrite:
        if (locks.contains(s.table) && locks[s.table] != s.transaction) continue;
        locks[s.table] = s.transaction;
        bad = !isolation.write(t.id, s.table);
        t.writes.insert(s.table);
        break;
      case Step::kAbort:
        bad = true;
        break;
      case Step::kCommit:
        if (!isolation.may_commit(t.id)) {
          bad = true;
          ++refused;
          break;
        }
        History::One one{t.reads, {}};
        for (secure::Oid table : t.writes) one.writes[table] = versions[table] = next_version++;
        history.committed.push_back(one);
        isolation.commit(t.id);
        end(s.transaction);
        continue;
    }
    if (bad) {
      isolation.abort(t.id);
      end(s.transaction);
    }
  }
  for (auto& [n, t] : live) isolation.abort(t.id);
  return history;
}

TEST(Isolation, WhateverCommitsIsSerializable) {
  size_t refused = 0, committed = 0;
  bool ok = rc::check([&] {
    auto steps = *rc::gen::container<std::vector<Step>>(rc::gen::map(
        rc::gen::tuple(rc::gen::inRange(0, 4), rc::gen::weightedElement<int>({{5, 0}, {4, 1}, {3, 2}, {1, 3}}),
                       rc::gen::inRange(1, 4)),
        [](std::tuple<int, int, int> t) {
          return Step{std::get<0>(t), static_cast<Step::Kind>(std::get<1>(t)), static_cast<secure::Oid>(std::get<2>(t))};
        }));
    Isolation isolation;
    History history = run(steps, isolation, refused);
    committed += history.committed.size();
    RC_ASSERT(history.serializable());
    RC_ASSERT(isolation.remembered() == 0u);
  });
  EXPECT_TRUE(ok);
  EXPECT_GT(committed, 0u);
}

TEST(Isolation, ExhaustiveOverShortHistories) {
  // Long random histories, deterministic: a small generator of our own, so that a failure repeats.
  uint64_t state = 42;
  auto random = [&](int n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int>((state >> 33) % static_cast<uint64_t>(n));
  };
  size_t refused = 0, committed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<Step> steps;
    for (int n = 0; n < 24; ++n) {
      int k = random(12);
      steps.push_back({random(4),
                       k < 5   ? Step::kRead
                       : k < 9 ? Step::kWrite
                               : Step::kCommit,
                       static_cast<secure::Oid>(1 + random(3))});
    }
    Isolation isolation;
    History history = run(steps, isolation, refused);
    committed += history.committed.size();
    ASSERT_TRUE(history.serializable()) << "round " << round;
  }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(committed, 10 * refused) << "refuses too much";
}

}  // namespace
}  // namespace redoubt::warehouse::engine
