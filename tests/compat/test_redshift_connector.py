"""redshift_connector against a cluster: its protocol versions, parameters, metadata, transactions and bulk inserts."""
import datetime as dt
import decimal
from decimal import Decimal

import pytest
import redshift_connector
from support.values import STORED, UTC

TYPES = STORED + [
    ("decimal(38,10)", "-1234567890123456789012345678.0123456789", Decimal("-1234567890123456789012345678.0123456789")),
    ("decimal(5,0)", "7", Decimal(7)),
    ("super", """json_parse('{"a":[1,null]}')""", '{"a":[1,null]}'),
]
NUMERICS = [
    ("1.5", "1.5"), ("avg(1.5)", "1.5"), ("1.5*2.25", "3.375"), ("round(1.256,2)", "1.26"), ("coalesce(null,1.5)", "1.5"), ("-(1.5)", "-1.5"),
    ("case when true then 1.5 else 2 end", "1.5"), ("cast(1.5 as decimal(10,3))", "1.500"), ("1.5::numeric", "2"), ("max(1.55)", "1.55"),
    ("99999999999999999999.5", "99999999999999999999.5"), ("greatest(1.5,2.25)", "2.25"), ("sum(5::bigint)", "5"), ("null::decimal(9,2)", None),
]


@pytest.fixture(scope="module", autouse=True)
def digits():
    """The driver scales decimals in the context's precision, which is 28 digits by default."""
    before, decimal.getcontext().prec = decimal.getcontext().prec, 38
    yield
    decimal.getcontext().prec = before


@pytest.fixture(scope="module")
def shop(server):
    with server.connect() as c:
        c.execute("create schema shop")
        c.execute("create table shop.item (id int not null, name varchar(20) default 'x', price decimal(10,2), added timestamp, primary key (id))"
                  " distkey (id) sortkey (id)")
        c.execute("create table shop.sale (id bigint identity(1,1), item int references shop.item (id), note varchar(max))")
        c.execute("create view shop.names as select id, name from shop.item")
        c.execute("comment on table shop.item is 'things'")
        c.execute("create user clerk password 'Abcdef12'")
        c.execute("grant select (name) on shop.item to clerk")
        c.execute("grant insert on shop.sale to clerk")
        c.execute("grant usage on schema shop to clerk")
    return server


@pytest.fixture
def connection(server):
    c = server.redshift(autocommit=False)
    yield c
    c.close()


@pytest.fixture
def cursor(connection):
    return connection.cursor()


def rows(cursor, sql, *args):
    return [tuple(row) for row in cursor.execute(sql, *args).fetchall()]


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_every_type_in_every_protocol_version(server, protocol):
    c = server.redshift(options={"client_protocol_version": protocol})
    cursor = c.cursor()
    for declared, literal, value in TYPES:
        cursor.execute("drop table if exists stored")
        cursor.execute(f"create table stored (c {declared}, n {declared})")
        cursor.execute(f"insert into stored (c) select {literal}")
        assert rows(cursor, "select c, n from stored") == [(value, None)], declared
    for expression, value in NUMERICS:
        got = rows(cursor, f"select {expression}")
        assert got == [(None if value is None else Decimal(value),)], expression
    assert c._client_protocol_version == protocol
    c.close()


def test_intervals(cursor):
    cursor.execute("create temp table spans (m interval year to month, s interval day to second)")
    cursor.execute("insert into spans select interval '1-2' year to month, interval '3 04:05:06.789' day to second")
    got = rows(cursor, "select m, s from spans")[0]
    assert got[0].months == 14 and got[1].microseconds == 273906789000


@pytest.mark.parametrize("value", [1, 2**40, -5, 1.5, True, None, "a", "it's \\ back", Decimal("1.50"), Decimal("-1000000000.123456789"),
                                   dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3, 4, 5, 6), dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
                                   dt.time(1, 2, 3), dt.timedelta(days=1, seconds=3), [1, 2]], ids=repr)
def test_a_parameter_alone_keeps_its_value(cursor, value):
    got, = rows(cursor, "select %s", (value,))[0]
    assert got == value


def test_parameters_of_each_type_and_null(connection, cursor):
    cursor.execute("create temp table p (a int, b varchar(20), c decimal(10,3), d date, e timestamp, f boolean, g double precision, h bigint,"
                   " i smallint, j timestamptz, k time)")
    row = (1, "x", Decimal("1.125"), dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3, 4, 5, 6), True, 2.5, 2**40, 5,
           dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), dt.time(1, 2, 3))
    insert = "insert into p values (" + ", ".join(["%s"] * len(row)) + ")"
    cursor.execute(insert, row)
    assert cursor.rowcount == 1
    cursor.execute(insert, (None,) * len(row))
    assert rows(cursor, "select * from p order by a") == [row, (None,) * len(row)]
    assert rows(cursor, "select count(*) from p where c = %s and b = %s and d >= %s", (Decimal("1.125"), "x", dt.date(2024, 1, 1))) == [(1,)]
    assert rows(cursor, "select c + %s from p where c = %s", ("1.125", "1.125")) == [(Decimal("2.25"),)], "text beside a decimal"
    cursor.executemany("insert into p (a, c) values (%s, %s)", [(i, Decimal(i) / 8) for i in range(100, 150)])
    assert cursor.rowcount == 50
    assert rows(cursor, "select sum(c) from p where a >= 100") == [(Decimal("778.125"),)]


@pytest.mark.parametrize("style, sql, args", [
    ("qmark", "select ?::int + 1, '?'", (1,)), ("numeric", "select :1::int + 1, ':1'", (1,)), ("named", "select :p::int + 1, ':p'", {"p": 1}),
    ("format", "select %s::int + 1, '%%s'", (1,)), ("pyformat", "select %(p)s::int + 1, 'p'", {"p": 1})])
def test_parameter_styles(cursor, style, sql, args):
    cursor.paramstyle = style
    assert cursor.execute(sql, args).fetchone()[0] == 2


def test_insert_data_bulk(connection, cursor, tmp_path):
    cursor.execute("create table bulk (a int, b varchar(10))")
    connection.commit()
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{i},r{i}\n" for i in range(25)))
    cursor.insert_data_bulk(str(tmp_path / "rows.csv"), "bulk", [0, 1], ["a", "b"], ",", 10)
    connection.commit()
    assert rows(cursor, "select count(*), min(b) from bulk") == [(25, "r0")]


def test_transactions(server, connection, cursor):
    cursor.execute("create table tx (a int)")
    connection.commit()
    cursor.execute("insert into tx values (1)")
    connection.rollback()
    assert rows(cursor, "select count(*) from tx") == [(0,)]
    cursor.execute("insert into tx values (2)")
    other = server.redshift()
    assert rows(other.cursor(), "select count(*) from tx") == [(0,)], "not committed yet"
    connection.commit()
    assert rows(other.cursor(), "select count(*) from tx") == [(1,)]
    with pytest.raises(redshift_connector.ProgrammingError) as caught:
        cursor.execute("select * from nothing")
    assert caught.value.args[0]["C"] == "42P01"
    with pytest.raises(redshift_connector.ProgrammingError) as caught:
        cursor.execute("select 1")
    assert caught.value.args[0]["C"] == "25P02"
    connection.rollback()
    connection.autocommit = True
    cursor.execute("insert into tx values (3)")
    assert rows(other.cursor(), "select count(*) from tx") == [(2,)]
    other.close()


def test_ddl_closes_and_reuses_prepared_statements(cursor):
    cursor.execute("create temp table d (a int)")
    assert rows(cursor, "select * from d") == []
    cursor.execute("alter table d add column b int")
    assert rows(cursor, "select * from d") == [] and len(cursor.description) == 2
    cursor.execute("drop table d")
    assert rows(cursor, "select 1") == [(1,)]


def test_catalogs_and_schemas(shop, cursor):
    assert [list(r) for r in cursor.get_catalogs()] == [["dev"]]
    assert ["shop", "dev"] in [list(r) for r in cursor.get_schemas()]
    assert [r[0] for r in cursor.get_schemas(schema_pattern="sho_")] == ["shop"]


def test_tables(shop, cursor):
    got = sorted((r[1], r[2], r[3]) for r in cursor.get_tables(schema_pattern="shop"))
    assert got == [("shop", "item", "TABLE"), ("shop", "names", "VIEW"), ("shop", "sale", "TABLE")]
    assert [r[2] for r in cursor.get_tables(schema_pattern="shop", types=["VIEW"])] == ["names"]
    assert [(r[2], r[4], r[10]) for r in cursor.get_tables(schema_pattern="shop", table_name_pattern="it%")] == [("item", "things", "awsuser")]
    assert cursor.get_tables(schema_pattern="nothing") == ()


def test_columns(shop, cursor):
    columns = cursor.get_columns(schema_pattern="shop", tablename_pattern="item")
    # name, type, size, digits, nullable, default, position
    assert [(c[3], c[5], c[6], c[8], c[17], c[12], c[16]) for c in columns] == [
        ("id", "int4", 10, 0, "NO", None, 1), ("name", "varchar", 20, 0, "YES", "'x'", 2), ("price", "numeric", 10, 2, "YES", None, 3),
        ("added", "timestamp", 29, 6, "YES", None, 4)]
    assert [c[22] for c in cursor.get_columns(schema_pattern="shop", tablename_pattern="sale")] == ["YES", "NO", "NO"], "IS_AUTOINCREMENT"
    assert [c[3] for c in cursor.get_columns(schema_pattern="shop", tablename_pattern="item", columnname_pattern="p%")] == ["price"]


def test_keys(shop, cursor):
    assert [list(r) for r in cursor.get_primary_keys(schema="shop", table="item")] == [["dev", "shop", "item", "id", 1, "item_pkey"]]
    imported = [list(r) for r in cursor.get_imported_keys(schema="shop", table="sale")]
    assert [r[1:4] + r[5:9] for r in imported] == [["shop", "item", "id", "shop", "sale", "item", 1]]
    assert [list(r) for r in cursor.get_exported_keys(schema="shop", table="item")] == imported


def test_privileges_and_routines(shop, cursor):
    granted = {(r[4], r[5]) for r in cursor.get_table_privileges(catalog="dev", schema_pattern="shop", table_name_pattern="sale")}
    assert ("clerk", "INSERT") in granted and ("awsuser", "SELECT") in granted
    assert [(r[3], r[5], r[6]) for r in cursor.get_column_privileges(catalog="dev", schema="shop", table="item")] == [("name", "clerk", "SELECT")]
    assert cursor.get_procedures() == () and cursor.get_functions() == ()


def test_metadata_shows_what_the_user_may_see(shop):
    c = shop.redshift(user="clerk", password="Abcdef12")
    cursor = c.cursor()
    assert sorted(r[2] for r in cursor.get_tables(schema_pattern="shop")) == ["item", "sale"]
    with pytest.raises(redshift_connector.ProgrammingError) as caught:
        cursor.execute("select price from shop.item")
    assert caught.value.args[0]["C"] == "42501"
    c.close()


def test_drivers_without_show_discovery_ask_the_catalog(shop, cursor):
    """Older drivers' metadata calls, which read svv_* and pg_* instead."""
    assert rows(cursor, "select table_name, table_type from svv_tables where table_schema = 'shop' order by 1") == [
        ("item", "BASE TABLE"), ("names", "VIEW"), ("sale", "BASE TABLE")]
    assert rows(cursor, "select column_name, data_type from svv_columns where table_schema = 'shop' and table_name = 'item' order by ordinal_position") == [
        ("id", "integer"), ("name", "character varying"), ("price", "numeric"), ("added", "timestamp without time zone")]


def test_two_phase_commit_is_refused_by_name(connection):
    connection.tpc_begin(connection.xid(1, "a", "b"))
    with pytest.raises(redshift_connector.ProgrammingError) as caught:
        connection.tpc_prepare()
    assert caught.value.args[0]["C"] == "0A000"


def test_iam_sign_on(server):
    """The driver asks GetClusterCredentials itself."""
    import os
    import unittest.mock
    options = {"iam": True, "cluster_identifier": "dev-cluster", "db_user": "awsuser", "region": server.region, "endpoint_url": server.endpoint,
               "access_key_id": server.env["AWS_ACCESS_KEY_ID"], "secret_access_key": server.env["AWS_SECRET_ACCESS_KEY"]}
    with unittest.mock.patch.dict(os.environ, {"AWS_CA_BUNDLE": server.ca, "SSL_CERT_FILE": server.ca}):
        for host in ["", server.env["PGHOST"]]:
            where = {"host": host, "port": int(server.env["PGPORT"])} if host else {"host": ""}
            with redshift_connector.connect(**where, database="dev", **options) as c:
                assert c.cursor().execute("select current_user").fetchone()[0] == "awsuser"
