// Runs cases/*.slt: SQL with named users against the real engine. A file is a world of its own.
//
//   statement ok [user]              SQL follows, up to a blank line; user is the master user unless named
//   statement error SQLSTATE [user]  after `----` a part of the message may follow
//   query [user]                     expected rows follow `----`, values joined by |, NULL as NULL
//   tag TAG [user]                   SQL whose last command tag is TAG
//   notice TEXT [user]               SQL (ok) that gives a notice containing TEXT (underscores are blanks)
//   start user                       SQL that must wait for a lock
//   finish user ok|SQLSTATE          .. goes on
//   cancel user
//   close user                       signs off
//   restart                          closes and opens the cluster again
// A user `alice` signs on as alice at first use; `alice/2` is a second session of hers, `alice@db` one in another database.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/text.h"
#include "warehouse/session/test_world.h"

namespace redoubt::warehouse::session {
namespace {

std::string show(const Gathered::One& one) {
  std::string out;
  for (auto& row : one.rows) {
    for (size_t i = 0; i < row.size(); i++) out += (i ? "|" : "") + row[i].value_or("NULL");
    out += "\n";
  }
  return out;
}

/// Steps until it must wait, or is over.
struct Stepped {
  bool waiting = false;
  std::optional<Error> error;
};
Stepped step_until_wait(Session& session) {
  std::vector<std::vector<engine::Datum>> rows;
  for (;;) {
    session::Output output{.buffer = {}, .values = &rows};
    auto step = session.step(output);
    if (!step) return {false, step.error()};
    if (step->kind == StepKind::kDone) return {};
    if (step->kind == StepKind::kWaiting) {
      bool fired = false;
      step->wait->when_ready([&] { fired = true; });
      if (!fired) {
        step->wait->when_ready([] {});
        return {true, std::nullopt};
      }
    }
  }
}

struct Runner {
  World world;
  std::string file;
  int line = 0;

  std::string where() const { return file + ":" + std::to_string(line); }

  void run(const std::vector<std::string>& lines) {
    for (size_t i = 0; i < lines.size();) {
      if (trim(lines[i]).empty() || lines[i].starts_with("#")) {
        i++;
        continue;
      }
      line = int(i) + 1;
      std::vector<std::string> head;
      std::istringstream words(lines[i++]);
      for (std::string w; words >> w;) head.push_back(w);
      std::string sql, expected;
      bool after = false;
      for (; i < lines.size() && !lines[i].empty(); i++) {
        if (lines[i] == "----")
          after = true;
        else
          (after ? expected : sql) += lines[i] + "\n";
      }
      one(head, sql, expected);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }

  void one(const std::vector<std::string>& head, const std::string& sql, const std::string& expected) {
    auto word = [&](size_t n) { return n < head.size() ? head[n] : std::string(); };
    auto user = [&](size_t n) { return n < head.size() ? head[n] : std::string("awsuser"); };
    const std::string& what = head[0];
    if (what == "restart") {
      world.sessions.clear();
      world.service.reset();
      world.open();
      return;
    }
    if (what == "close") {
      world.sessions.erase(word(1));
      return;
    }
    std::string name = what == "statement"                 ? (word(1) == "error" ? user(3) : user(2))
                       : what == "query"                   ? user(1)
                       : what == "tag" || what == "notice" ? user(2)
                                                           : word(1);
    auto session = world.session(name);
    if (!session) {
      if (what == "statement" && word(1) == "error") {
        EXPECT_EQ(session.error().kind->sqlstate, word(2)) << where();
        return;
      }
      FAIL() << where() << ": " << session.error().message;
    }
    if (what == "cancel") return (*session)->cancel();
    if (what == "start") {
      auto started = (*session)->start_simple(sql);
      ASSERT_TRUE(started) << where();
      auto stepped = step_until_wait(**session);
      EXPECT_TRUE(stepped.waiting) << where() << ": it didn't wait";
      return;
    }
    if (what == "finish") {
      auto stepped = step_until_wait(**session);
      EXPECT_FALSE(stepped.waiting) << where() << ": it still waits";
      if (word(2) == "ok")
        EXPECT_FALSE(stepped.error) << where() << ": " << stepped.error->message;
      else
        ASSERT_TRUE(stepped.error) << where();
      if (stepped.error && word(2) != "ok")
        EXPECT_EQ(stepped.error->kind->sqlstate, word(2)) << where() << ": " << stepped.error->message;
      return;
    }
    Gathered got = run_all(**session, sql);
    if (what == "statement" && word(1) == "error") {
      ASSERT_TRUE(got.error) << where() << ": no error\n" << sql;
      EXPECT_EQ(got.error->kind->sqlstate, word(2)) << where() << ": " << got.error->message;
      if (!expected.empty())
        EXPECT_NE(got.error->message.find(trim(expected)), std::string::npos) << where() << ": " << got.error->message;
      return;
    }
    ASSERT_FALSE(got.error) << where() << ": " << got.error->kind->sqlstate << " " << got.error->message << "\n" << sql;
    if (what == "query") {
      ASSERT_FALSE(got.statements.empty()) << where();
      EXPECT_EQ(show(got.statements.back()), expected) << where() << "\n" << sql;
    } else if (what == "tag") {
      ASSERT_FALSE(got.statements.empty()) << where();
      EXPECT_EQ(got.statements.back().tag, replace_all(word(1), "_", " ")) << where();
    } else if (what == "notice") {
      std::string all;
      for (auto& n : got.notices) all += n.severity + ": " + n.message + "\n";
      EXPECT_NE(all.find(replace_all(word(1), "_", " ")), std::string::npos) << where() << ": " << all;
    } else {
      EXPECT_TRUE(what == "statement") << where() << ": unknown directive " << what;
    }
  }
};

/// Beside this file, whose name may be relative to the build directory (where tests/ lies with this program in it).
fs::path cases_directory() {
  fs::path here = fs::path(__FILE__).parent_path() / "cases";
  return fs::exists(here) ? here : fs::read_symlink("/proc/self/exe").parent_path().parent_path() / here;
}

std::vector<std::string> case_files() {
  std::vector<std::string> out;
  for (auto& entry : fs::directory_iterator(cases_directory()))
    if (entry.path().extension() == ".slt") out.push_back(entry.path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

class Cases : public ::testing::TestWithParam<std::string> {};

TEST_P(Cases, Hold) {
  Runner runner;
  runner.file = GetParam() + ".slt";
  std::ifstream in(cases_directory() / runner.file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  runner.run(lines);
}

INSTANTIATE_TEST_SUITE_P(Slt, Cases, ::testing::ValuesIn(case_files()),
                         [](auto& info) { return replace_all(info.param, "-", "_"); });

}  // namespace
}  // namespace redoubt::warehouse::session
