/// The engine through its interface, with statements that the parser and the analyzer made.
#include "warehouse/engine/engine.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "warehouse/engine/duckdb/emit_world_test.h"
#include "warehouse/secure/analyze.h"
#include "warehouse/sql/parser.h"

namespace redoubt::warehouse::engine {
namespace {

namespace fs = std::filesystem;
namespace plan = secure::plan;
using sql::Type;
using sql::TypeKind;

constexpr ErrorKind kHostSays{"HostSays", 400, "P0001"};

/// One host function, shout(text), and one system relation, pg_catalog.things(id, label).
class Host final : public HostContext, public secure::HostFunctions {
 public:
  std::vector<SystemColumn> system_columns(std::string_view relation) const override {
    if (relation != "pg_catalog.things") return {};
    return {{"id", TypeKind::kInteger}, {"label", Type::varchar(20)}};
  }
  Result<std::unique_ptr<SystemRows>> system_rows(std::string_view) const override {
    struct Rows final : SystemRows {
      int n = 0, all, bad;
      Rows(int all, int bad) : all(all), bad(bad) {}
      Result<bool> next(std::vector<Datum>& row) override {
        if (n == bad) return fail(kHostSays, "the relation is out of order");
        row = {std::to_string(n), n % 2 ? Datum("odd") : std::nullopt};
        return n++ < all;
      }
    };
    return std::make_unique<Rows>(things, bad_row);
  }
  const secure::HostFunctions& host_functions() const override { return *this; }
  std::span<const secure::HostFunction> find(std::string_view name) const override {
    static const std::vector<secure::HostFunction> kShout{
        {.name = "shout", .arguments = {Type::varchar()}, .result = Type::varchar()}};
    if (name == "shout") return kShout;
    return {};
  }
  Result<Datum> call(const secure::HostFunction&, std::span<const Datum> arguments) const override {
    if (arguments[0] == "quiet") return fail(kHostSays, "no shouting");
    return Datum(to_upper(*arguments[0]) + "!");
  }
  int things = 5000, bad_row = -1;
};

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    fs::remove_all(directory);
    open();
    schema = catalog.find_schema("dev", "public")->oid;
    secure::Relation things{.schema = "pg_catalog", .name = "things", .kind = secure::RelationKind::kSystem};
    things.columns = {{"id", TypeKind::kInteger, 1}, {"label", Type::varchar(20), 2}};
    catalog.add_relation(things);
    begin();
    ok(c->create_schema(schema));
    commit();
  }
  ~EngineTest() override {
    c.reset();
    engine.reset();
    fs::remove_all(directory);
  }

  template <class T>
  static void ok(const Result<T>& r) {
    if (!r) ADD_FAILURE() << r.error().kind->code << ": " << r.error().message << " " << r.error().get("DETAIL");
  }
  void open(std::string key = std::string(32, 'k')) {
    auto opened = Engine::open({directory, key, resources});
    ok(opened);
    engine = *std::move(opened);
    c = *engine->connect();
  }
  void reopen() {
    c.reset();
    engine.reset();
    open();
  }
  void begin() { ok(c->begin()); }
  Sequence commit() {
    auto s = c->commit();
    ok(s);
    return s.value_or(0);
  }

  /// CREATE TABLE of these columns; its oid.
  Oid table(const std::string& name, std::vector<secure::Column> columns) {
    secure::Relation r{.schema = "public", .name = name, .kind = secure::RelationKind::kTable};
    int16_t attnum = 0;
    for (auto& column : columns) column.attnum = ++attnum;
    r.columns = columns;
    auto* made = catalog.add_relation(r);
    std::vector<PhysicalColumn> physical;
    for (auto& column : made->columns) physical.push_back({column.attnum, column.type, column.not_null});
    ok(c->create_table(made->physical, physical));
    for (auto& column : made->columns)
      if (column.identity) ok(c->create_identity(made->physical, column.attnum, 10, 5));
    return made->oid;
  }
  std::string physical(Oid table) const { return catalog.relation_by_oid(table)->physical; }

  plan::Statement analyzed(const std::string& sql, std::vector<Type> parameters = {}) {
    auto parsed = sql::parse(sql);
    if (!parsed || parsed->size() != 1) {
      ADD_FAILURE() << sql << ": " << (parsed ? "" : parsed.error().message);
      return {};
    }
    auto plan = secure::analyze(parsed->front(), {catalog, *host}, parameters);
    if (!plan) {
      ADD_FAILURE() << sql << ": " << plan.error().message;
      return {};
    }
    return *std::move(plan);
  }
  /// Rows as a|b lines, or "SQLSTATE message".
  std::string rows(Connection& connection, const plan::Statement& statement, std::vector<Parameter> parameters = {},
                   RowFormat format = {}) {
    auto stream = connection.query(statement, parameters, host);
    if (!stream) return std::string(stream.error().kind->sqlstate) + " " + stream.error().message;
    return rest(**stream, format);
  }
  static std::string rest(ResultStream& stream, RowFormat format = {}) {
    std::vector<std::vector<Datum>> all;
    auto fetched = stream.values(kAllRows, all, format);
    if (!fetched) return std::string(fetched.error().kind->sqlstate) + " " + fetched.error().message;
    std::vector<std::string> lines;
    for (auto& row : all) {
      std::vector<std::string> values;
      for (auto& v : row) values.push_back(v.value_or("NULL"));
      lines.push_back(join(values, "|"));
    }
    return join(lines, "\n");
  }
  std::string rows(const std::string& sql) { return rows(*c, analyzed(sql)); }
  int64_t execute(Connection& connection, const std::string& sql) {
    auto n = connection.execute(analyzed(sql), {}, host);
    ok(n);
    return n.value_or(-1);
  }
  int64_t execute(const std::string& sql) { return execute(*c, sql); }

  std::string directory = fs::temp_directory_path() / ("redoubt_engine_" + std::to_string(getpid()));
  std::shared_ptr<Resources> resources = std::make_shared<Resources>(Share{size_t{512} << 20, 2});
  FakeCatalog catalog;
  std::shared_ptr<Host> host = std::make_shared<Host>();
  Oid schema = 0;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Connection> c;
};

TEST_F(EngineTest, RowsInAndOut) {
  begin();
  table("t", {{"id", TypeKind::kInteger, 0, true}, {"name", Type::varchar(20)}, {"price", Type::decimal(10, 2)}});
  EXPECT_EQ(execute("insert into t values (1, 'one', 1.5), (2, null, -0.05), (3, 'three', 0)"), 3);
  EXPECT_EQ(execute("update t set name = 'two' where id = 2"), 1);
  EXPECT_EQ(execute("delete from t where id = 3"), 1);
  EXPECT_EQ(rows("select id, name, price from t order by id"), "1|one|1.50\n2|two|-0.05");
  commit();
  reopen();
  begin();
  EXPECT_EQ(rows("select count(*), sum(price) from t"), "2|1.45");
}

TEST_F(EngineTest, ParametersAsTextAndBinary) {
  begin();
  table("t", {{"id", TypeKind::kBigint}, {"name", Type::varchar(20)}, {"at", TypeKind::kTimestamp}});
  auto insert = analyzed("insert into t values ($1, $2, $3)");
  std::vector<Parameter> text{{"42"}, {"it's"}, {"2020-01-31 12:34:56"}};
  ok(c->execute(insert, text, host));
  std::vector<Parameter> binary{
      {std::string("\0\0\0\x2b", 4), true}, {"raw", true}, {std::string("\0\0\0\0\0\x0f\x42\x40", 8), true}};
  ok(c->execute(insert, binary, host));
  std::vector<Parameter> nulls{{std::nullopt}, {std::nullopt, true}, {std::nullopt}};
  ok(c->execute(insert, nulls, host));
  EXPECT_EQ(rows("select id, name, at from t order by id"),
            "42|it's|2020-01-31 12:34:56\n43|raw|2000-01-01 00:00:01\nNULL|NULL|NULL");
  commit();
  for (std::string bad : {"0x1F", "1_000", "12.6", "x"}) {
    begin();
    auto refused = c->execute(insert, std::vector<Parameter>{{bad}, {"x"}, {std::nullopt}}, host);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().kind->sqlstate, "22P02");
    c->rollback();
  }
  begin();
  auto refused = c->execute(insert, std::vector<Parameter>{{"abc", true}, {"x"}, {std::nullopt}}, host);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind->sqlstate, "22P03");
}

TEST_F(EngineTest, AFailedTransactionStaysFailed) {
  begin();
  table("t", {{"id", TypeKind::kInteger}});
  commit();
  begin();
  execute("insert into t values (1)");
  EXPECT_EQ(rows("select 1 / (id - 1) from t").substr(0, 5), "22012");
  EXPECT_EQ(c->state(), Connection::State::kFailed);
  EXPECT_EQ(rows("select 1").substr(0, 5), "25P02");
  auto refused = c->commit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind->sqlstate, "25P02");
  EXPECT_EQ(c->state(), Connection::State::kIdle);
  begin();
  EXPECT_EQ(rows("select count(*) from t"), "0");
}

TEST_F(EngineTest, PublishRunsWithTheCommitAndSequencesAreOrdered) {
  begin();
  Oid t = table("t", {{"id", TypeKind::kInteger}});
  static_cast<void>(t);
  commit();
  auto other = *engine->connect();
  ok(other->begin());
  auto before = other->begin_snapshot();
  ok(before);
  begin();
  execute("insert into t values (1)");
  Sequence published = 0;
  auto done = c->commit([&](Sequence s) { published = s; });
  ok(done);
  EXPECT_EQ(published, *done);
  EXPECT_GT(*done, *before);
  EXPECT_EQ(rows(*other, analyzed("select count(*) from t")), "0") << "its snapshot is older";
  ok(other->commit());
  ok(other->begin());
  EXPECT_GE(*other->begin_snapshot(), published);
  EXPECT_EQ(rows(*other, analyzed("select count(*) from t")), "1");
}

TEST_F(EngineTest, WriteSkewEndsWith1023) {
  begin();
  table("a", {{"n", TypeKind::kInteger}});
  table("b", {{"n", TypeKind::kInteger}});
  commit();
  auto other = *engine->connect();
  ok(other->begin());
  begin();
  EXPECT_EQ(execute("insert into b select count(*) from a"), 1);
  EXPECT_EQ(execute(*other, "insert into a select count(*) from b"), 1);
  commit();
  bool published = false;
  auto refused = other->commit([&](Sequence) { published = true; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "1023");
  EXPECT_FALSE(published);
  begin();
  EXPECT_EQ(rows("select (select count(*) from a), (select count(*) from b)"), "0|1");
}

TEST_F(EngineTest, ALostUpdateEndsWith1023) {
  begin();
  Oid t = table("t", {{"n", TypeKind::kInteger}});
  execute("insert into t values (1)");
  commit();
  auto other = *engine->connect();
  ok(other->begin());
  ok(other->begin_snapshot());
  begin();
  execute("update t set n = n + 1");
  commit();
  auto refused = other->execute(analyzed("delete from t"), {}, host);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "1023");
  EXPECT_NE(refused.error().get("DETAIL").find("on table - " + std::to_string(t)), std::string_view::npos);
  EXPECT_EQ(other->state(), Connection::State::kFailed);
}

TEST_F(EngineTest, StreamsGiveRowsInPieces) {
  begin();
  table("t", {{"n", TypeKind::kInteger}});
  execute("insert into t select a.id + b.id * 5000 from pg_catalog.things a, pg_catalog.things b where b.id < 40");
  auto stream = c->query(analyzed("select n from t order by n"), {}, host);
  ok(stream);
  std::string buffer;
  auto got = (*stream)->encode({}, 10, buffer);
  ok(got);
  EXPECT_EQ(got->rows, 10);
  EXPECT_FALSE(got->done);
  EXPECT_EQ(buffer.substr(0, 12), std::string("D\0\0\0\x0b\0\x01\0\0\0\x01"
                                              "0",
                                              12));
  // Another statement: the stream is kept, and outlives even its transaction.
  EXPECT_EQ(rows("select 7"), "7");
  std::vector<std::vector<Datum>> values;
  ok((*stream)->values(3, values));
  EXPECT_EQ(values[0][0], "10");
  commit();
  int64_t more = 0;
  while (true) {
    buffer.clear();
    auto piece = (*stream)->encode({}, kAllRows, buffer);
    ok(piece);
    if (!piece) break;
    more += piece->rows;
    EXPECT_LT(buffer.size(), size_t{512} << 10);
    if (piece->done) break;
  }
  EXPECT_EQ(more, 200000 - 13);
}

TEST_F(EngineTest, StreamsEndWithTheirTransaction) {
  begin();
  auto stream = c->query(analyzed("select id from pg_catalog.things"), {}, host);
  ok(stream);
  c->rollback();
  std::vector<std::vector<Datum>> values;
  auto got = (*stream)->values(1, values);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind->sqlstate, "24000");
  stream->reset();
  begin();
  ok(c->query(analyzed("select id from pg_catalog.things"), {}, host));  // dropped unread
  EXPECT_EQ(rows("select 1"), "1");
}

TEST_F(EngineTest, InterruptStopsAndTheConnectionGoesOn) {
  host->things = 4000;
  c->interrupt();  // nothing runs: nothing happens
  begin();
  std::atomic<bool> done = false;
  std::thread cancel([&] {
    while (!done) {
      c->interrupt();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  std::string answer =
      rows("select count(*) from pg_catalog.things a, pg_catalog.things b, pg_catalog.things c where a.id * b.id % 7 = c.id");
  done = true;
  cancel.join();
  EXPECT_EQ(answer.substr(0, 5), "57014");
  EXPECT_FALSE(c->commit()) << "what was interrupted must not commit";
  begin();
  EXPECT_EQ(rows("select 1"), "1");
}

TEST_F(EngineTest, AnInterruptCountsBeforeTheStatementHasBegun) {
  begin();
  c->expect_statement();
  c->interrupt();
  EXPECT_EQ(rows("select 1").substr(0, 5), "57014");
  c->rollback();
  begin();
  c->expect_statement();
  EXPECT_EQ(rows("select 1"), "1") << "the next one is its own";
}

TEST_F(EngineTest, SystemRelationsAndHostFunctions) {
  begin();
  EXPECT_EQ(rows("select count(*), count(label), max(id) from pg_catalog.things"), "5000|2500|4999");
  EXPECT_EQ(rows("select label, id from pg_catalog.things where id = 3"), "odd|3");
  EXPECT_EQ(rows("select shout(label) from pg_catalog.things where id in (1, 2) order by id"), "ODD!\nNULL");
  host->bad_row = 100;
  EXPECT_EQ(rows("select count(*) from pg_catalog.things"), "P0001 the relation is out of order");
  c->rollback();
  begin();
  host->bad_row = -1;
  EXPECT_EQ(rows("select shout(case when id = 7 then 'quiet' else 'x' end) from pg_catalog.things"), "P0001 no shouting");
}

TEST_F(EngineTest, TheGuardRefusesWhatThePlanDoesNotName) {
  begin();
  table("mine", {{"n", TypeKind::kInteger}});
  table("theirs", {{"n", TypeKind::kInteger}});
  commit();
  // A plan that lies about what it reads stands for an emitter that was fooled.
  for (std::string sql :
       {"select n from theirs", "select (select max(n) from theirs) from mine", "select 1 where exists (select 1 from theirs)"}) {
    begin();
    auto statement = analyzed(sql);
    statement.reads = {catalog.relations[1]->oid};
    EXPECT_EQ(rows(*c, statement), "XX000 the statement was refused") << sql;
    c->rollback();
  }
  begin();
  auto statement = analyzed("delete from theirs");
  statement.reads.clear();
  statement.writes.clear();
  EXPECT_FALSE(c->execute(statement, {}, host));
}

TEST_F(EngineTest, TablesChangeShape) {
  begin();
  Oid t = table("t", {{"id", TypeKind::kInteger, 0, false, {}, true}, {"name", Type::varchar(20)}});
  execute("insert into t (name) values ('a'), ('b'), ('c')");
  commit();
  begin();
  execute("update t set name = 'z' where name = 'a'");
  ok(c->add_column(physical(t), {3, Type::decimal(5, 1), true}, "1.5"));
  ok(c->drop_column(physical(t), 2));
  commit();
  auto* relation = const_cast<secure::Relation*>(catalog.relation_by_oid(t));
  relation->columns.erase(relation->columns.begin() + 1);
  relation->columns.push_back({"extra", Type::decimal(5, 1), 3, true});
  begin();
  EXPECT_EQ(rows("select id, extra from t order by id"), "10|1.5\n15|1.5\n20|1.5");
  ok(c->sort(physical(t), std::vector<int16_t>{3, 1}));
  EXPECT_EQ(rows("select count(*) from t"), "3");
  ok(c->truncate(physical(t)));
  EXPECT_EQ(rows("select count(*) from t"), "0");
  c->rollback();
  begin();
  EXPECT_EQ(rows("select count(*) from t"), "3");
  ok(c->truncate(physical(t)));
  execute("insert into t (extra) values (9)");
  commit();
  reopen();
  begin();
  EXPECT_EQ(rows("select id, extra from t"), "25|9.0");
  auto size = c->size(physical(t));
  ok(size);
  EXPECT_EQ(size->rows, 1);
  ok(c->drop_table(physical(t)));
  ok(c->drop_schema(schema));
  commit();
}

TEST_F(EngineTest, CreateTableAsAndAppend) {
  begin();
  Oid t = table("t", {{"a", TypeKind::kInteger}, {"b", Type::character(5)}, {"c", TypeKind::kDate}});
  auto appender = c->append_to(physical(t));
  ok(appender);
  for (int i = 0; i < 5000; ++i)
    ok((*appender)->append(std::vector<Datum>{std::to_string(i), "x", i % 2 ? Datum("2020-02-29") : std::nullopt}));
  auto appended = (*appender)->finish();
  ok(appended);
  EXPECT_EQ(*appended, 5000);
  auto ctas = analyzed("create table u as select a, b, c from t where a < 10");
  secure::Relation u{.schema = "public", .name = "u", .kind = secure::RelationKind::kTable};
  std::vector<PhysicalColumn> columns;
  for (auto& o : ctas.columns) {
    int16_t n = static_cast<int16_t>(columns.size() + 1);
    columns.push_back({n, o.type});
    u.columns.push_back({o.name, o.type, n});
  }
  auto* made = catalog.add_relation(u);
  ok(c->create_table(made->physical, columns));
  auto filled = c->create_table_as(ctas, made->physical, {}, host);
  ok(filled);
  EXPECT_EQ(*filled, 10);
  EXPECT_EQ(rows("select a, b, c from u where a = 1"), "1|x    |2020-02-29");
  std::vector<int16_t> from{1}, to{1};
  auto copied = c->copy_rows(physical(t), from, made->physical, to);
  ok(copied);
  EXPECT_EQ(*copied, 5000);
}

TEST_F(EngineTest, TheCatalogsLogIsPartOfTheTransaction) {
  std::vector<CatalogRow> change{{0, 7, "table", "{\"a\":1}"}, {0, 8, "schema", "{}"}};
  begin();
  ok(c->append_catalog(change));
  c->rollback();
  begin();
  ok(c->append_catalog(change));
  commit();
  begin();
  ok(c->append_catalog(std::vector<CatalogRow>{{0, 7, "table", ""}}));
  commit();
  reopen();
  begin();
  auto all = c->load_catalog();
  ok(all);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[0].body, "{\"a\":1}");
  EXPECT_EQ((*all)[2].body, "");
  EXPECT_LT((*all)[0].seq, (*all)[1].seq);
  ok(c->compact_catalog(std::vector<CatalogRow>{(*all)[1]}));
  commit();
  begin();
  EXPECT_EQ(c->load_catalog()->size(), 1u);
}

TEST_F(EngineTest, NothingReadableIsOnDisk) {
  begin();
  table("t", {{"name", Type::varchar(200)}});
  execute("insert into t values ('TOPSECRETTOPSECRETTOPSECRET')");
  commit();
  ok(engine->checkpoint());
  begin();
  execute("insert into t values ('ANOTHERSECRETANOTHERSECRET')");
  commit();
  int files = 0;
  for (auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    std::ostringstream all;
    all << std::ifstream(entry.path()).rdbuf();
    EXPECT_EQ(all.str().find("SECRET"), std::string::npos) << entry.path();
  }
  EXPECT_GE(files, 2) << "the file and its log";
  EXPECT_EQ(Engine::open({directory, std::string(32, 'k'), resources}).error().kind, &kAlreadyOpen);
  c.reset();
  engine.reset();
  auto wrong = Engine::open({directory, std::string(32, 'x'), resources});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, &kCannotOpen);
  auto background = Engine::open_in_background({directory, std::string(32, 'k'), resources});
  auto opened = background.get();
  ok(*opened);
  engine = std::move(**opened);
  c = *engine->connect();
  begin();
  EXPECT_EQ(rows("select count(*) from t"), "2");
}

TEST_F(EngineTest, SortsLargerThanMemorySpillEncrypted) {
  host->things = 5000;
  begin();
  table("t", {{"k", Type::varchar(100)}});
  execute(
      "insert into t select 'SPILLED-' || (a.id * 7919 + b.id) || '-0123456789012345678901234567890123456789' from "
      "pg_catalog.things a, "
      "pg_catalog.things b where b.id < 200");
  commit();
  c.reset();
  engine.reset();
  resources = std::make_shared<Resources>(Share{Resources::kMemoryFloor, 2});
  open();
  begin();
  auto stream = c->query(analyzed("select k from t order by k"), {}, host);
  ok(stream);
  std::string buffer;
  auto got = (*stream)->encode({}, 1, buffer);
  ok(got);
  int spilled = 0;
  for (auto& entry : fs::recursive_directory_iterator(directory + "/tmp")) {
    std::ostringstream all;
    all << std::ifstream(entry.path()).rdbuf();
    spilled += all.str().empty() ? 0 : 1;
    EXPECT_EQ(all.str().find("SPILLED"), std::string::npos);
  }
  EXPECT_GT(spilled, 0);
}

TEST_F(EngineTest, ATableOfAnotherShapeEndsWith1023) {
  begin();
  Oid old = table("old", {{"n", TypeKind::kInteger}});
  commit();
  auto other = *engine->connect();
  ok(other->begin());
  ok(other->begin_snapshot());
  begin();
  table("fresh", {{"n", TypeKind::kInteger}});
  ok(c->add_column(physical(old), {2, TypeKind::kInteger}, std::nullopt));
  commit();
  EXPECT_EQ(rows(*other, analyzed("select n from fresh")), "XX000 1023") << "the catalog is newer than the snapshot";
  other->rollback();
  ok(other->begin());
  EXPECT_EQ(rows(*other, analyzed("select count(*) from fresh")), "0");
}

TEST(Resources, AreDealtToThoseInUse) {
  ManualClock clock;
  auto resources = std::make_shared<Resources>(Share{size_t{1} << 30, 4}, clock);
  Share a, b;
  auto one = resources->join([&](Share s) { a = s; });
  EXPECT_EQ(a.memory_bytes, size_t{1} << 30);
  auto two = resources->join([&](Share s) { b = s; });
  EXPECT_EQ(a.memory_bytes, size_t{512} << 20);
  EXPECT_EQ(b.threads, 2u);
  // A third one comes when the first has been idle for long: it gives back what it held.
  clock.advance_seconds(10 * Resources::kIdleSeconds);
  two->busy();
  Share c;
  auto three = resources->join([&](Share s) { c = s; });
  EXPECT_EQ(a.memory_bytes, Resources::kMemoryIdle);
  EXPECT_GT(b.memory_bytes, size_t{450} << 20);
  EXPECT_EQ(b, c);
  one->busy();
  EXPECT_EQ(a, b);
  EXPECT_LT(a.memory_bytes, size_t{400} << 20);
  three.reset();
  EXPECT_EQ(a.memory_bytes, size_t{512} << 20);
}

// ------------------------------------------------------------------------------------------------------- text and binary forms

class Encoding : public EngineTest {
 protected:
  std::string bytes(const std::string& sql, int protocol) {
    auto stream = c->query(analyzed(sql), {}, host);
    ok(stream);
    std::string buffer;
    RowFormat format;
    format.formats = {1};
    format.protocol = protocol;
    auto got = (*stream)->encode(format, kAllRows, buffer);
    ok(got);
    return got ? hex(std::string_view(buffer).substr(11)) : "";
  }
};

TEST_F(Encoding, TextIsRedshifts) {
  begin();
  EXPECT_EQ(rows("select true, false, 1::smallint, -12345678901::bigint, 1.5::numeric(10,2), -0.05::numeric(38,2)"),
            "t|f|1|-12345678901|1.50|-0.05");
  EXPECT_EQ(rows("select 0.1::float8, 1e20::float8, 0.1::float4, 1e15::float8, 123456789012345678::float8"),
            "0.1|1e+20|0.1|1e+15|1.23456789012346e+17");
  EXPECT_EQ(rows("select date '2020-02-29', timestamp '2020-01-01 01:02:03.045', '2020-01-01 00:00:00'::timestamp"),
            "2020-02-29|2020-01-01 01:02:03.045|2020-01-01 00:00:00");
  EXPECT_EQ(rows("select 'ab'::char(5), 'ab'::varchar(5)"), "ab   |ab");
  RowFormat exact;
  exact.extra_float_digits = 2;
  EXPECT_EQ(rows(*c, analyzed("select 0.1::float8, 123456789012345678::float8"), {}, exact), "0.1|1.2345678901234568e+17");
}

TEST_F(Encoding, TimestamptzIsShownInTheSessionsZone) {
  begin();
  auto statement = analyzed("select '2020-07-01 12:00:00+00'::timestamptz, '2020-01-01 12:00:00+00'::timestamptz");
  RowFormat format;
  for (auto& [zone, expected] : std::vector<std::pair<std::string, std::string>>{
           {"UTC", "2020-07-01 12:00:00+00|2020-01-01 12:00:00+00"},
           {"America/New_York", "2020-07-01 08:00:00-04|2020-01-01 07:00:00-05"},
           {"Asia/Kolkata", "2020-07-01 17:30:00+05:30|2020-01-01 17:30:00+05:30"}}) {
    format.time_zone = zone;
    EXPECT_EQ(rows(*c, statement, {}, format), expected);
  }
  format.time_zone = "Nowhere/Land";
  EXPECT_EQ(rows(*c, statement, {}, format).substr(0, 5), "22023");
}

TEST_F(Encoding, BinaryIsPostgresqlsBelowProtocol2) {
  begin();
  EXPECT_EQ(bytes("select true", 0), "01");
  EXPECT_EQ(bytes("select -2::smallint", 0), "fffe");
  EXPECT_EQ(bytes("select 258::bigint", 0), "0000000000000102");
  EXPECT_EQ(bytes("select 1.5::numeric(10,2)", 0),
            "0002000000000002"
            "00011388");
  EXPECT_EQ(bytes("select -0.05::numeric(10,2)", 0),
            "0001ffff40000002"
            "01f4");
  EXPECT_EQ(bytes("select 0::numeric(10,2)", 0), "0000000000000002");
  EXPECT_EQ(bytes("select 12345678.123::numeric(20,3)", 0),
            "0003000100000003"
            "04d2162e04ce");
  EXPECT_EQ(bytes("select date '2000-01-02'", 0), "00000001");
  EXPECT_EQ(bytes("select timestamp '2000-01-01 00:00:01'", 0), "00000000000f4240");
  EXPECT_EQ(bytes("select 1.5::float8", 0), "3ff8000000000000");
  EXPECT_EQ(bytes("select 'abc'::varchar", 0), "616263");
}

TEST_F(Encoding, NumericIsAScaledIntegerFromProtocol2On) {
  begin();
  EXPECT_EQ(bytes("select 1.5::numeric(10,2)", 2), "0000000000000096");
  EXPECT_EQ(bytes("select -0.05::numeric(38,2)", 2), "fffffffffffffffffffffffffffffffb");
  EXPECT_EQ(bytes("select 1::numeric(18,0)", 3), "0000000000000001");
  EXPECT_EQ(bytes("select date '2000-01-02'", 2), "00000001");
}

// ---------------------------------------------------------------------------------------------------------------------- crash

/// What the child does until it is killed: commits a row, then says so.
TEST(EngineCrash, DISABLED_Writer) {
  const char* directory = getenv("REDOUBT_CRASH_DIRECTORY");
  const char* pipe = getenv("REDOUBT_CRASH_PIPE");
  if (!directory || !pipe) GTEST_SKIP();
  int out = *parse_int(pipe);
  auto engine = *Engine::open({directory, std::string(32, 'k'), std::make_shared<Resources>(Share{size_t{256} << 20, 2})});
  auto c = *engine->connect();
  for (int32_t i = 0;; ++i) {
    if (!c->begin() || !c->append_catalog(std::vector<CatalogRow>{{0, static_cast<Oid>(i), "row", std::string(1000, 'x')}}) ||
        !c->commit())
      abort();
    if (write(out, &i, sizeof i) != sizeof i) abort();
  }
}

TEST(EngineCrash, NoAcknowledgedRowIsLost) {
  std::string directory = fs::temp_directory_path() / ("redoubt_crash_" + std::to_string(getpid()));
  int64_t total = 0;
  for (int round = 0; round < 5; ++round) {
    fs::remove_all(directory);
    fs::create_directories(directory);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
      setenv("REDOUBT_CRASH_DIRECTORY", directory.c_str(), 1);
      setenv("REDOUBT_CRASH_PIPE", std::to_string(ends[1]).c_str(), 1);
      execl("/proc/self/exe", "engine_test", "--gtest_also_run_disabled_tests", "--gtest_filter=EngineCrash.DISABLED_Writer",
            nullptr);
      _exit(127);
    }
    close(ends[1]);
    int32_t acknowledged = -1, next;
    int wanted = 20 + round * 37;  // killed in the middle of the commit after this one
    while (acknowledged < wanted && read(ends[0], &next, sizeof next) == sizeof next) acknowledged = next;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(ends[0], &next, sizeof next) == sizeof next) acknowledged = next;
    close(ends[0]);
    ASSERT_GE(acknowledged, wanted);
    auto engine = Engine::open({directory, std::string(32, 'k'), std::make_shared<Resources>(Share{size_t{256} << 20, 2})});
    ASSERT_TRUE(engine) << engine.error().message;
    auto c = *(*engine)->connect();
    ASSERT_TRUE(c->begin());
    auto rows = c->load_catalog();
    ASSERT_TRUE(rows);
    ASSERT_GE(rows->size(), static_cast<size_t>(acknowledged) + 1);
    for (size_t i = 0; i < rows->size(); ++i) EXPECT_EQ((*rows)[i].oid, i);
    total += acknowledged;
  }
  EXPECT_GT(total, 0);
  fs::remove_all(directory);
}

}  // namespace
}  // namespace redoubt::warehouse::engine
