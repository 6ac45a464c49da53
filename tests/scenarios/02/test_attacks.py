"""Attacks on row-level security, as data (attacks.json): by channel, what a user tries who may read a table, whose context is fixed,
and who wants to know anything of the rows and columns that it may not see.

What must hold is non-interference. Two databases of one cluster have the same tables; in `crowded` they hold the rows of other tenants
too, in `bare` only the attacker's own. Whatever is tried, everything that comes back is the same in both: rows, numbers of rows,
errors with their text, notices, and what is unloaded. An attack is one statement or several, or {"try": .., "refused": SQLSTATE} if some
statement of it is refused as it stands; all others succeed, so that none is harmless by mistake.
"""
import json
import pathlib

import psycopg
import pytest

ATTACKS = json.loads((pathlib.Path(__file__).parent / "attacks.json").read_text())
PASSWORD = "Passw0rd"
DATABASES = ("crowded", "bare")

# Of 205000 rows every 2050th is the attacker's; the others hold what breaks casts and functions. The tenant comes last: an engine that
# is free to choose looks at it last, and
# there are enough rows for it to change its mind on the way.
TABLES = """
create schema sec;
create schema mal authorization mallory;
grant usage on schema sec to mallory;
create table sec.t (v varchar(40), k int, n bigint, d decimal(18,2), dt date, f float8, j varchar(100), secret varchar(40), tenant varchar(10));
create table sec.l (v varchar(40), k int, n bigint, tenant varchar(10));
create table sec.entitled (usr varchar(20), tenant varchar(10));
create table mal.u (k int, s varchar(40));
alter table mal.u owner to mallory;
insert into sec.entitled values ('mallory', 'A'), ('eve', 'B');
insert into mal.u select i, i::varchar from generate_series(0, 9) g(i);
insert into sec.t
  select case when i % 2050 = 0 then (i / 2050 % 7)::varchar else 'SECRET-' || i end, case when i % 2050 = 0 then i / 2050 % 10 else i % 10 end, case when i % 2050 = 0 then i / 2050 else 4611686018427387904 + i end,
         case when i % 2050 = 0 then i / 2050 * 1.5 else 9999999999999999.99 end, case when i % 2050 = 0 then '2020-01-01'::date + i / 2050 else '294276-01-01'::date end,
         case when i % 2050 = 0 then 1.0 else 1e300 end, case when i % 2050 = 0 then '{"a":1}' else '{not json' end, 's' || i,
         case when i % 2050 = 0 then 'A' else 'B' end
  from generate_series(1, 205000) g(i) where %(all)s or i % 2050 = 0;
insert into sec.l select v, k, n, tenant from sec.t;
create view sec.v as select tenant, k, n, v, d, dt, f from sec.t;
grant select (tenant, k, n, v, d, dt, f, j) on sec.t to mallory;
grant insert, update, delete on sec.t to mallory;
grant select on sec.l, sec.v to mallory;
create rls policy own with (tenant varchar(10)) using (tenant = current_setting('app.tenant', false));
create rls policy looked_up with (tenant varchar(10)) using (tenant in (select e.tenant from sec.entitled e where e.usr = current_user));
grant select on sec.entitled to rls policy looked_up;
attach rls policy own on sec.t to public;
attach rls policy looked_up on sec.l to mallory;
alter table sec.t row level security on;
alter table sec.l row level security on;
"""


@pytest.fixture(scope="module")
def world(server):
    with server.connect() as c:
        c.execute(f"create user mallory password '{PASSWORD}'")
        for database in DATABASES:
            c.execute(f"create database {database}")
    for database in DATABASES:
        with server.connect(database=database) as c:
            for statement in TABLES.split(";\n"):
                if statement.strip():
                    c.execute(statement.replace("%(all)s", "true" if database == "crowded" else "false"))
    server.boto("s3").create_bucket(Bucket="attacks")
    return server


def observe(connection, sql):
    """Everything that the client gets to know of one statement."""
    notices = []
    handler = lambda d: notices.append((d.severity, d.message_primary))  # noqa: E731
    connection.add_notice_handler(handler)
    try:
        cursor = connection.execute(sql)
        rows = sorted(map(repr, cursor.fetchall())) if cursor.description else None
        seen = ("ok", cursor.statusmessage, [c.name for c in cursor.description or []], rows)
    except psycopg.Error as e:
        seen = ("error", e.sqlstate, e.diag.message_primary, e.diag.message_detail, e.diag.message_hint, e.diag.statement_position)
    finally:
        connection.remove_notice_handler(handler)
    return (*seen, notices)


def unloaded(server, prefix):
    s3 = server.boto("s3")
    found = s3.list_objects_v2(Bucket="attacks", Prefix=prefix).get("Contents", [])
    return [(o["Key"].removeprefix(prefix), s3.get_object(Bucket="attacks", Key=o["Key"])["Body"].read()) for o in found]


def attempt(server, database, attack, number):
    credentials = (f"access_key_id '{server.env['AWS_ACCESS_KEY_ID']}' secret_access_key '{server.env['AWS_SECRET_ACCESS_KEY']}'")
    seen = []
    with server.connect(user="mallory", password=PASSWORD, database=database) as c:
        c.execute("select set_config('app.tenant', 'A', false)")
        for step in [attack] if isinstance(attack, str) else attack:
            step = step.replace("{db}", database).replace("{n}", str(number)).replace("{credentials}", credentials)
            seen.append(observe(c, step))
        assert c.execute("select set_config('app.tenant', 'A', false)").fetchone() == ("A",) or c.info.transaction_status
    if "{db}" in str(attack):
        seen.append(unloaded(server, f"{database}/{number}/"))
    return json.loads(json.dumps(seen, default=str).replace(f"/{database}/", "/db/"))


@pytest.mark.parametrize("channel, number", [(channel, i) for channel, list_ in ATTACKS.items() for i in range(len(list_))],
                         ids=lambda x: str(x).replace(" ", "_"))
def test_nothing_is_told(world, channel, number):
    attack, refused = ATTACKS[channel][number], None
    if isinstance(attack, dict):
        attack, refused = attack["try"], attack["refused"]
    crowded, bare = (attempt(world, database, attack, f"{channel}-{number}".replace(" ", "_")) for database in DATABASES)
    assert crowded == bare, attack
    errors = [step[1] for step in crowded if step and step[0] == "error"]
    assert errors[:1] == ([refused] if refused else []), crowded
    assert "SECRET-" not in str(crowded).replace("SECRET-1'", "") or "SECRET-" in str(attack)


def test_there_are_enough_attacks():
    assert sum(map(len, ATTACKS.values())) >= 120
    assert all(len(attacks) >= 8 for attacks in ATTACKS.values())


def test_the_rows_are_there_to_be_found(world):
    """Else every attack would fail for want of anything to find."""
    with world.connect(database="crowded") as c:
        assert c.execute("select count(*), count(distinct tenant) from sec.t").fetchone() == (205000, 2)
    with world.connect(database="bare") as c:
        assert c.execute("select count(*), count(distinct tenant) from sec.t").fetchone() == (100, 1)
