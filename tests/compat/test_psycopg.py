"""psycopg 3 against a cluster: types both ways in text and binary, parameters, cursors, pipelines, transactions, cancel."""
import datetime as dt
import threading
from decimal import Decimal

import psycopg
import pytest
from support.server import eventually
from support.values import STORED, UTC

TYPES = STORED + [
    ("decimal(38,10)", "1234567890123456789012345678.0123456789", Decimal("1234567890123456789012345678.0123456789")),
    ("numeric", "7", Decimal(7)),
    ("varchar(max)", "''", ""),
    ("text", "'it''s'", "it's"),
]
# Types that psycopg doesn't know: text, and the bytes of the binary form.
OTHERS = [
    ("super", """json_parse('{"a":[1,null]}')""", '{"a":[1,null]}', b'{"a":[1,null]}'),
    ("varbyte(16)", "'abcd'::varbyte", "61626364", b"abcd"),
    ("interval year to month", "interval '1-2' year to month", "1 years 2 mons", (14).to_bytes(4, "big")),
    ("interval day to second", "interval '1 00:00:01' day to second", "1 days 0 hours 0 mins 1.0 secs", (86401000000).to_bytes(8, "big")),
]


@pytest.fixture
def connection(server):
    with server.connect() as c:
        yield c


@pytest.fixture(scope="module", autouse=True)
def schema(server):
    with server.connect() as c:
        c.execute("create table numbers (a int, b varchar(10))")
        c.execute("insert into numbers select i, 'n' || i from generate_series(1, 100) g(i)")


def stored(connection, declared, literal):
    connection.execute("drop table if exists stored")
    connection.execute(f"create table stored (c {declared}, n {declared})")
    connection.execute(f"insert into stored (c) select {literal}")


@pytest.mark.parametrize("declared, literal, value", TYPES, ids=[t[0] for t in TYPES])
def test_a_stored_value_comes_back_in_text_and_binary(connection, declared, literal, value):
    stored(connection, declared, literal)
    for binary in [False, True]:
        assert connection.execute("select c, n from stored", binary=binary).fetchone() == (value, None)


@pytest.mark.parametrize("declared, literal, text, binary", OTHERS, ids=[t[0] for t in OTHERS])
def test_redshift_s_own_types(connection, declared, literal, text, binary):
    stored(connection, declared, literal)
    assert connection.execute("select c, n from stored").fetchone() == (text, None)
    assert connection.execute("select c, n from stored", binary=True).fetchone() == (binary, None)


@pytest.mark.parametrize("declared, literal, value", TYPES, ids=[t[0] for t in TYPES])
def test_a_parameter_is_stored_as_it_was(connection, declared, literal, value):
    stored(connection, declared, "null")
    for placeholder in ["%s", "%b", "%t"]:
        connection.execute(f"insert into stored (n) values ({placeholder})", (value,))
    got = [row[0] for row in connection.execute("select n from stored where n is not null")]
    assert got == [value] * 3


VALUES = [1, 2**40, -5, 1.5, True, None, "a", "it's \\ back", "", Decimal("1.50"), Decimal("-1000000000.123456789"), Decimal("1E+5"), Decimal("0.00001"),
          dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3, 4, 5, 6), dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), dt.time(1, 2, 3),
          dt.timedelta(days=1, seconds=3), [1, 2]]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_parameter_alone_keeps_its_value_and_type(connection, value):
    for binary in [False, True]:
        got, = connection.execute("select %s", (value,), binary=binary).fetchone()
        assert (got, type(got)) == (value, type(value))
        got, = connection.execute("select %b", (value,), binary=binary).fetchone()
        assert got == value


def test_bytes_are_varbyte(connection):
    connection.execute("create temp table bytes (x varbyte(10))")
    connection.execute("insert into bytes values (%b)", (b"\x00\x01\xff",))
    assert connection.execute("select x, x = %b from bytes", (b"\x00\x01\xff",), binary=True).fetchall() == [(b"\x00\x01\xff", True)]


def test_decimals_are_not_cut_where_they_meet_columns(connection):
    connection.execute("create temp table prices (p decimal(10,2), q decimal(10,3))")
    connection.execute("insert into prices values (%s, %s)", (Decimal("1.125"), Decimal("1.125")))
    assert connection.execute("select p, q from prices").fetchone() == (Decimal("1.13"), Decimal("1.125"))
    for value in [Decimal("1.125"), "1.125"]:
        assert connection.execute("select count(*) from prices where q = %s", (value,)).fetchone() == (1,)
        assert connection.execute("select count(*) from prices where p = %s", (value,)).fetchone() == (0,), "1.13 isn't 1.125"
        assert connection.execute("select q + %s from prices", (value,)).fetchone() == (Decimal("2.25"),)


def test_numbers_out_of_range_are_errors(connection):
    connection.execute("create temp table small (a smallint, d decimal(4,2))")
    for column, value in [("a", 70000), ("d", Decimal("100"))]:
        with pytest.raises(psycopg.errors.NumericValueOutOfRange):
            connection.execute(f"insert into small ({column}) values (%s)", (value,))
    with pytest.raises(psycopg.errors.StringDataRightTruncation):
        connection.execute("insert into numbers values (1, %s)", ("longer than ten",))


def test_statements_are_prepared_after_five_runs_and_survive_ddl(connection):
    for i in range(1, 12):
        assert connection.execute("select b from numbers where a = %s", (i,)).fetchone() == (f"n{i}",)
    connection.execute("create temp table t (a int)")
    for _ in range(8):
        connection.execute("insert into t values (%s)", (1,))
    connection.execute("alter table t add column b int default 7")
    assert connection.execute("select a, b from t limit 1").fetchone() == (1, 7)
    assert connection.execute("select b from numbers where a = %s", (3,), prepare=True).fetchone() == ("n3",)


def test_executemany_counts_and_returns(connection):
    cursor = connection.cursor()
    cursor.execute("create temp table many (a int, b varchar(10), c date)")
    cursor.executemany("insert into many values (%s, %s, %s)", [(i, str(i), dt.date(2024, 1, 1)) for i in range(200)])
    assert cursor.rowcount == 200
    assert cursor.execute("update many set b = %s where a < %s", ("x", 5)).rowcount == 5
    assert cursor.execute("delete from many where a >= %s", (100,)).rowcount == 100
    assert cursor.execute("select count(*), count(b) from many").fetchone() == (100, 100)


def test_a_pipeline_answers_in_order(connection):
    with connection.pipeline():
        first = connection.execute("select %s::int", (1,))
        second = connection.execute("select %s::int", (2,))
        third = connection.execute("select count(*) from numbers")
        assert (second.fetchone(), first.fetchone(), third.fetchone()) == ((2,), (1,), (100,))


def test_an_error_in_a_pipeline_undoes_it_up_to_the_sync(connection):
    connection.execute("create temp table p (a int)")
    with pytest.raises(psycopg.errors.DivisionByZero):
        with connection.pipeline() as pipeline:
            connection.execute("insert into p values (1)")
            connection.execute("select 1/0")
            connection.execute("insert into p values (2)")
            pipeline.sync()
    assert connection.execute("select count(*) from p").fetchone() == (0,)


def test_server_side_cursors(server):
    with server.connect(autocommit=False) as c:
        with c.cursor(name="forward") as cursor:
            cursor.itersize = 7
            cursor.execute("select a from numbers where a <= %s order by a", (50,))
            assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
            assert [row[0] for row in cursor] == list(range(4, 51))
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="SCROLL"):
            with c.cursor(name="scroll", scrollable=True) as cursor:
                cursor.execute("select 1")


def test_a_stream_and_several_results(connection):
    assert len(list(connection.cursor().stream("select * from numbers"))) == 100
    assert [c.fetchone() for c in connection.execute("select 1; select 2").results()] == [(1,), (2,)]


def test_transactions(server, connection):
    connection.execute("create table tx (a int)")
    with server.connect(autocommit=False) as c:
        c.execute("insert into tx values (1)")
        c.rollback()
        with c.transaction():
            c.execute("insert into tx values (2)")
        with pytest.raises(psycopg.errors.FeatureNotSupported, match='SQL command "SAVEPOINT'):
            with c.transaction():
                with c.transaction():
                    c.execute("insert into tx values (3)")
        c.rollback()
        c.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        assert c.execute("show transaction isolation level").fetchone() == ("serializable",)
        c.rollback()
        c.read_only = True
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            c.execute("insert into tx values (4)")
        assert c.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            c.execute("select 1")
        c.rollback()
        assert c.execute("select a from tx").fetchall() == [(2,)]


def test_copy_is_refused_and_the_connection_goes_on(connection):
    for text in ["copy numbers from stdin", "copy numbers to stdout"]:
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            with connection.cursor().copy(text):
                pass
        assert connection.execute("select 1").fetchone() == (1,)


def test_cancel(server, connection):
    over = threading.Event()

    def cancel():
        with server.connect() as watcher:
            query = "select count(*) from pg_stat_activity where procpid = %s and current_query like 'select count(*) from numbers%%'"
            eventually(lambda: watcher.execute(query, (connection.info.backend_pid,)).fetchone() == (1,))
        while not over.is_set():  # a cancel on the way to a statement that has just begun may miss it
            connection.cancel_safe()
            over.wait(1)

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("select count(*) from numbers a, numbers b, numbers c, numbers d, numbers e where a.a + b.a * c.a + d.a = e.a * 1.5")
    over.set()
    thread.join()
    assert connection.execute("select 1").fetchone() == (1,)
    connection.cancel()  # nothing runs: nothing happens
    assert connection.execute("select 2").fetchone() == (2,)


def test_statement_timeout(connection):
    connection.execute("set statement_timeout to 200")
    with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
        connection.execute("select count(*) from numbers a, numbers b, numbers c, numbers d, numbers e where a.a + b.a * c.a + d.a = e.a * 1.5")


def test_client_side_and_raw_cursors(connection):
    got = psycopg.ClientCursor(connection).execute("select %s, %s, %s, %s", ("a\\b'", dt.date(2024, 1, 1), Decimal("1.5"), None)).fetchone()
    assert got == ("a\\b'", dt.date(2024, 1, 1), Decimal("1.5"), None)
    assert psycopg.RawCursor(connection).execute("select $1::int, $2::varchar", (1, "x")).fetchone() == (1, "x")


def test_errors_have_a_code_and_a_place(connection):
    with pytest.raises(psycopg.errors.UndefinedTable) as caught:
        connection.execute("select * from nothing")
    diag = caught.value.diag
    assert (diag.severity, diag.sqlstate, diag.statement_position) == ("ERROR", "42P01", "15")
    assert diag.message_primary == 'relation "nothing" does not exist'


def test_descriptions(connection):
    columns = connection.execute("select a, b, 1.25::decimal(7,3) as d, getdate() as t from numbers limit 0").description
    assert [(c.name, c.type_code, c.precision, c.scale) for c in columns] == [
        ("a", 23, None, None), ("b", 1043, None, None), ("d", 1700, 7, 3), ("t", 1114, None, None)]
    assert columns[1].display_size == 10


def test_what_the_server_says_of_itself(connection):
    info = connection.info
    assert (info.server_version, info.encoding, str(info.timezone)) == (80002, "utf-8", "UTC")
    assert info.parameter_status("standard_conforming_strings") is None
    connection.execute("set application_name to 'renamed'")
    assert info.parameter_status("application_name") == "renamed"


def test_fifty_connections_at_once(server):
    connections = [server.connect() for _ in range(50)]
    try:
        assert [c.execute("select %s::int", (i,)).fetchone()[0] for i, c in enumerate(connections)] == list(range(50))
    finally:
        for c in connections:
            c.close()
