#include "warehouse/wire/conversation.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "warehouse/wire/fake_session_for_test.h"
#include "warehouse/wire/startup.h"

namespace redoubt::warehouse::wire {
namespace {

std::string message(char type, std::string body) {
  std::string out;
  Reply(out, type).raw(body);
  return out;
}
std::string nul(std::string_view s) { return std::string(s) + '\0'; }
std::string int16(int v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }
std::string int32(int64_t v) { return int16(static_cast<int>(v >> 16 & 0xffff)) + int16(static_cast<int>(v & 0xffff)); }

std::string query(std::string_view sql) { return message('Q', nul(sql)); }
std::string parse(std::string_view name, std::string_view sql, std::vector<int> types = {}) {
  std::string body = nul(name) + nul(sql) + int16(static_cast<int>(types.size()));
  for (int t : types) body += int32(t);
  return message('P', body);
}
std::string bind(std::string_view portal, std::string_view statement) {
  return message('B', nul(portal) + nul(statement) + int16(0) + int16(0) + int16(0));
}
std::string describe(char kind, std::string_view name) { return message('D', kind + nul(name)); }
std::string execute(std::string_view portal, int max_rows = 0) { return message('E', nul(portal) + int32(max_rows)); }
std::string close(char kind, std::string_view name) { return message('C', kind + nul(name)); }
const std::string kSync = message('S', ""), kFlush = message('H', "");

/// The answer's type bytes, one after the other, and the last error's SQLSTATE.
struct Answer {
  std::string types, sqlstate, bytes;
  Next next = Next::kRead;
};
Answer read_answer(std::string bytes) {
  Answer out;
  Input input;
  input.limit_to_sign_on(false);
  input.append(bytes);
  while (auto m = input.next()) {
    if (!*m) break;
    out.types += (*m)->type;
    if ((*m)->type == 'E') {
      auto at = (*m)->body.find(std::string("\0C", 2));
      out.sqlstate = std::string((*m)->body.substr(at + 2, 5));
    }
  }
  out.bytes = std::move(bytes);
  return out;
}

struct Talk {
  FakeSession session{1, 2, 0, nullptr};
  Conversation conversation{session};
  Input input;
  explicit Talk(int protocol = 0) : session(1, 2, protocol, nullptr) {
    input.limit_to_sign_on(false);
    std::string greeting;
    conversation.greet(greeting, std::nullopt);
    EXPECT_EQ(read_answer(greeting).types, "SSSKZ");
  }
  Answer say(std::string_view bytes) {
    input.append(bytes);
    std::string all, out;
    Next next;
    do {
      next = conversation.advance(input, out);
      all += std::exchange(out, {});
    } while (next == Next::kAgain);
    Answer answer = read_answer(std::move(all));
    answer.next = next;
    return answer;
  }
};

TEST(Conversation, SimpleQueries) {
  Talk t;
  EXPECT_EQ(t.say(query("one")).types, "TDCZ");
  EXPECT_EQ(t.say(query("one; one;begin")).types, "TDCTDCCZ");
  EXPECT_EQ(t.say(query("")).types, "IZ");
  EXPECT_EQ(t.say(query("notice")).types, "NSCZ");
  auto e = t.say(query("one; nonsense; one"));
  EXPECT_EQ(e.types, "TDCEZ");
  EXPECT_EQ(e.sqlstate, "42601");
}

TEST(Conversation, ErrorsOfOursAreNotForwarded) {
  Talk t;
  auto e = t.say(query("internal"));
  EXPECT_EQ(e.bytes.find("secret"), std::string::npos);
  EXPECT_EQ(e.sqlstate, "XX000");
}

TEST(Conversation, ExtendedQuery) {
  Talk t;
  auto a = t.say(parse("s", "one") + describe('S', "s") + kSync);
  EXPECT_EQ(a.types, "1tTZ");
  EXPECT_EQ(t.say(bind("", "s") + describe('P', "") + execute("") + kSync).types, "2TDCZ");
  EXPECT_EQ(t.say(parse("", "begin") + bind("", "") + describe('P', "") + execute("") + kSync).types, "12nCZ");
  EXPECT_EQ(t.say(parse("", "") + bind("", "") + execute("") + kSync).types, "12IZ");
  EXPECT_EQ(t.say(close('S', "nosuch") + close('P', "nosuch") + kSync).types, "33Z");
  // Suspended portals go on where they were.
  EXPECT_EQ(t.say(parse("r", "rows 5") + bind("p", "r") + execute("p", 2)).types, "12DDs");
  EXPECT_EQ(t.say(execute("p", 2) + execute("p", 0) + kSync).types, "DDsDCZ");
}

TEST(Conversation, NothingIsSaidBeforeFlushOrSync) {
  Talk t;
  t.say(parse("", "one"));
  EXPECT_FALSE(t.conversation.flush());
  t.say(kFlush);
  EXPECT_TRUE(t.conversation.flush());
  t.say(kSync + parse("", "one"));
  EXPECT_TRUE(t.conversation.flush()) << "the Sync's answer must go out although a message follows";
}

TEST(Conversation, AfterAnErrorEverythingIsSkippedToSync) {
  Talk t;
  auto a = t.say(parse("", "error") + bind("", "") + execute("") + query("one") + kFlush);
  EXPECT_EQ(a.types, "E");
  EXPECT_EQ(t.say(parse("", "one") + kSync + query("one")).types, "ZTDCZ");
}

TEST(Conversation, SeveralStatementsBeforeOneSync) {
  Talk t;
  std::string all;
  for (int i = 0; i < 3; ++i) all += parse("", "one") + bind("", "") + describe('P', "") + execute("");
  EXPECT_EQ(t.say(all + kSync).types, "12TDC12TDC12TDCZ");
}

TEST(Conversation, RowDescriptionByProtocol) {
  Talk plain(0), extended(2), newest(3);
  auto find = [](Talk& t) { return t.say(query("one")).bytes; };
  std::string p = find(plain), e = find(extended), n = find(newest);
  std::string field = nul("x") + int32(100) + int16(2) + int32(1700) + int16(-1) + int32((10 << 16 | 2) + 4) + int16(0);
  EXPECT_NE(p.find(field + message('D', "").substr(0, 1)), std::string::npos);
  std::string names = nul("public") + nul("t") + nul("x") + nul("dev");
  EXPECT_EQ(p.find(names), std::string::npos);
  EXPECT_NE(e.find(field + names + int16(0x1001)), std::string::npos);
  EXPECT_NE(n.find(field + names + int16(0x1001)), std::string::npos);
}

TEST(Conversation, BindCarriesValuesAndFormats) {
  Talk t;
  std::string two =
      nul("") + nul("") + int16(2) + int16(0) + int16(1) + int16(2) + int32(3) + "abc" + int32(-1) + int16(1) + int16(1);
  EXPECT_EQ(t.say(parse("", "one", {705, 23}) + message('B', two)).types, "12");
  ASSERT_EQ(t.session.last_parameters.size(), 2u);
  EXPECT_EQ(t.session.last_parameters[0].value, "abc");
  EXPECT_FALSE(t.session.last_parameters[0].binary);
  EXPECT_FALSE(t.session.last_parameters[1].value);
  EXPECT_TRUE(t.session.last_parameters[1].binary);
  EXPECT_EQ(t.session.last_formats, std::vector<int16_t>{1});
}

TEST(Conversation, MalformedMessages) {
  struct Case {
    std::string bytes, sqlstate;
    Next next;
  };
  std::string long_name(70000, 'x');
  for (const Case& c : {
           Case{message('Q', "no terminator"), "08P01", Next::kRead},
           Case{message('Q', nul("one") + nul("two")), "08P01", Next::kRead},
           Case{message('Q', nul("\xff\xfe")), "22021", Next::kRead},
           Case{message('P', nul("a")), "08P01", Next::kRead},
           Case{message('P', nul("") + nul("one") + int16(1000)), "08P01", Next::kRead},
           Case{message('B', nul("") + nul("") + int16(0) + int16(1) + int32(1000000) + "x"), "08P01", Next::kRead},
           Case{message('B', nul("") + nul("") + int16(3) + int16(0) + int16(0) + int16(0) + int16(1) + int32(-1) + int16(0)),
                "08P01", Next::kRead},
           Case{message('B', nul("") + nul("") + int16(1) + int16(7) + int16(0) + int16(0)), "08P01", Next::kRead},
           Case{message('D', "Xname" + nul("")), "08P01", Next::kRead},
           Case{message('E', nul("")), "08P01", Next::kRead},
           Case{message('F', "whatever"), "0A000", Next::kRead},
           Case{message('!', ""), "08P01", Next::kClose},
           Case{std::string("Q\0\0\0\3", 5), "08P01", Next::kClose},
           Case{std::string("Q\xff\xff\xff\xff", 5), "54000", Next::kClose},
           Case{std::string("S\x7f\xff\xff\xff", 5), "54000", Next::kClose},
           Case{message('D', 'S' + nul(long_name)), "54000", Next::kClose},
       }) {
    Talk t;
    auto a = t.say(c.bytes);
    EXPECT_EQ(a.sqlstate, c.sqlstate) << c.bytes.substr(0, 20);
    EXPECT_EQ(a.next, c.next) << c.bytes.substr(0, 20);
    if (c.next == Next::kRead) EXPECT_TRUE(t.say(kSync + query("one")).types.ends_with("ZTDCZ"));
  }
}

TEST(Conversation, TextBeyondTheLimitIsRefusedInWords) {
  Talk t;
  auto a = t.say(query(std::string(kStatementMax + 1, ' ')));
  EXPECT_EQ(a.sqlstate, "54000");
  EXPECT_EQ(a.next, Next::kRead);
}

TEST(Input, AClaimedLengthReservesNothing) {
  Input input;
  input.limit_to_sign_on(false);
  input.append(std::string("Q\x00\xff\xff\xff", 5));
  ASSERT_TRUE(input.next());
  EXPECT_LE(input.room().size(), size_t{8} << 10);
}

TEST(Input, HoweverTheBytesAreCutTheMessagesAreTheSame) {
  rc::check([] {
    auto bodies = *rc::gen::container<std::vector<std::string>>(rc::gen::string<std::string>());
    std::string bytes;
    for (auto& b : bodies) bytes += message('Q', b);
    Input input;
    input.limit_to_sign_on(false);
    std::vector<std::string> got;
    size_t at = 0;
    while (at < bytes.size()) {
      size_t n = *rc::gen::inRange<size_t>(1, 8);
      input.append(std::string_view(bytes).substr(at, n));
      at += n;
      while (auto m = input.next()) {
        if (!*m) break;
        got.emplace_back((*m)->body);
      }
    }
    RC_ASSERT(got == bodies);
  });
}

// ---------------------------------------------------------------------------------------------------------------- startup

std::string packet(std::string body) { return int32(static_cast<int64_t>(body.size()) + 4) + body; }

TEST(Startup, Packets) {
  auto tls = read_startup(packet(int32(80877103)));
  ASSERT_TRUE(tls && *tls);
  EXPECT_EQ((*tls)->kind, Startup::Kind::kTls);
  auto cancel = read_startup(packet(int32(80877102) + int32(7) + int32(-9)));
  ASSERT_TRUE(cancel && *cancel);
  EXPECT_EQ((*cancel)->pid, 7u);
  EXPECT_EQ((*cancel)->secret, static_cast<uint32_t>(-9));
  auto start = read_startup(packet(int32(196608) + nul("user") + nul("bob") + nul("whatever") + nul("x") + nul("")));
  ASSERT_TRUE(start && *start);
  EXPECT_EQ((*start)->get("user"), "bob");
  for (std::string bad :
       {int32(3), int32(7) + "xxx", int32(10001) + int32(196608), packet(int32(2 << 16)), packet(int32(3 << 16 | 2)),
        packet(int32(196608)), packet(int32(196608) + nul("user")), packet(int32(196608) + nul("user") + nul("a")),
        packet(int32(196608) + "user"), packet(int32(80877103) + "x"), packet(int32(80877102) + int32(1))})
    EXPECT_FALSE(read_startup(bad)) << bad.size();
  EXPECT_TRUE(read_startup(std::string("\0\0", 2)) && !*read_startup(std::string("\0\0", 2)));
}

TEST(Startup, HelloOfDrivers) {
  auto hello = [](std::vector<std::pair<std::string, std::string>> p, bool tls = true) {
    Startup s;
    s.parameters = std::move(p);
    return read_hello(s, tls);
  };
  auto redshift = hello({{"user", "IAM:bob"},
                         {"database", "dev"},
                         {"client_protocol_version", "2"},
                         {"driver_version", "D"},
                         {"_pq_.compression", "x"}});
  ASSERT_TRUE(redshift);
  EXPECT_TRUE(redshift->client.amazon_driver);
  EXPECT_FALSE(redshift->client.scram);
  EXPECT_EQ(redshift->protocol, 2);
  EXPECT_TRUE(redshift->session.parameters.empty());
  EXPECT_EQ(hello({{"user", "a"}, {"client_protocol_version", "99"}})->protocol, kProtocolSupported);
  EXPECT_EQ(hello({{"user", "a"}, {"client_protocol_version", "junk"}})->protocol, 0);
  auto asyncpg = hello({{"user", "a"}, {"client_encoding", "'utf-8'"}, {"search_path", "x"}});
  ASSERT_TRUE(asyncpg);
  EXPECT_FALSE(asyncpg->protocol);
  EXPECT_TRUE(asyncpg->client.scram);
  EXPECT_EQ(asyncpg->session.parameters.size(), 1u);
  EXPECT_FALSE(hello({{"user", "a"}, {"client_encoding", "LATIN1"}}));
  EXPECT_FALSE(hello({{"user", "a"}, {"replication", "database"}}));
  EXPECT_FALSE(hello({{"database", "x"}}));
}

}  // namespace
}  // namespace redoubt::warehouse::wire
