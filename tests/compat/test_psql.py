"""psql against a cluster: TLS, its backslash commands, scripts, Ctrl-C, and what it is refused."""
import contextlib
import os
import signal
import subprocess

import pytest
from support.server import Refused, eventually

SETUP = """
create schema app;
create table app.venue (
  venueid integer not null primary key, name varchar(20) default 'x', price decimal(10,2), opened timestamp, unique (name))
  diststyle key distkey (venueid) sortkey (venueid, opened);
create table app.event (id bigint identity(1,1), venueid int references app.venue (venueid), note varchar(max));
create view app.names as select venueid, name from app.venue;
create group readers;
create user alice password 'Abcdef12' in group readers;
grant usage on schema app to group readers;
grant select on app.venue to alice;
insert into app.venue values (1, 'a', 1.5, '2024-01-02 03:04:05'), (2, 'é', null, null);
comment on table app.venue is 'places';
"""


@pytest.fixture(scope="module")
def cluster(server):
    server.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"], input=SETUP)
    return server


def script(server, text, *args, **env):
    """What psql prints for a script, errors among it; it goes on after them."""
    done = subprocess.run(["psql", "-X", *args], input=text, env=server.client_env(**env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120)
    return done.stdout


def meta(server, command):
    """The rows of a backslash command: lists of their columns."""
    out = server.run(["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1"], input=command + "\n")
    return [line.split("|") for line in out.splitlines()]


def test_the_connection_is_encrypted_and_verified(cluster, tmp_path):
    assert "TLSv1.3" in script(cluster, "\\conninfo\n")
    other = tmp_path / "other.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-keyout", tmp_path / "key", "-out", other],
                   check=True, capture_output=True)
    assert "certificate verify failed" in script(cluster, "select 1", PGSSLROOTCERT=str(other))


def test_d_lists_relations(cluster):
    expected = [["app", "event", "table", "awsuser"], ["app", "names", "view", "awsuser"], ["app", "venue", "table", "awsuser"]]
    details = script(cluster, "\\d app.*\n")  # a pattern: details of each, not the list
    assert 'Table "app.event"' in details and 'View "app.names"' in details and 'Index "app.venue_pkey"' in details and "ERROR" not in details
    assert meta(cluster, "set search_path to app;\n\\d")[1:] == expected
    assert meta(cluster, "\\dt app.*") == [row for row in expected if row[2] == "table"]
    assert meta(cluster, "\\dv app.*") == [row for row in expected if row[2] == "view"]
    assert [row[:2] + row[-1:] for row in meta(cluster, "\\dt+ app.venue")] == [["app", "venue", "places"]]


def test_d_table_shows_columns_and_keys(cluster):
    out = script(cluster, "\\d app.venue\n\\d app.event\n", "-A")
    for line in ["venueid|integer||not null|", "name|character varying(20)|||'x'", "price|numeric(10,2)|||", "opened|timestamp without time zone|||",
                 '    "venue_pkey" PRIMARY KEY, btree (venueid)', '    "venue_name_key" UNIQUE CONSTRAINT, btree (name)',
                 '    TABLE "app.event" CONSTRAINT "event_venueid_fkey" FOREIGN KEY (venueid) REFERENCES app.venue(venueid)',
                 '    "event_venueid_fkey" FOREIGN KEY (venueid) REFERENCES app.venue(venueid)', "note|character varying(65535)|||"]:
        assert line in out.splitlines()
    assert 'id|bigint||not null|"identity"(' in out and "ERROR" not in out


def test_d_plus_shows_views(cluster):
    assert 'SELECT "venueid", "name" FROM "app"."venue";' in script(cluster, "\\d+ app.names\n")
    assert "Storage" not in script(cluster, "\\d app.venue\n") and "storage" in script(cluster, "\\d+ app.venue\n").lower()
    assert "CREATE OR REPLACE VIEW app.names" in script(cluster, "\\sv app.names\n")


def test_d_of_nothing_says_so(cluster):
    assert 'Did not find any relation named "app.nothing".' in script(cluster, "\\d app.nothing\n")


def test_dn_and_l(cluster):
    assert ["app", "awsuser"] in meta(cluster, "\\dn")
    assert ["public", "rdsdb"] in meta(cluster, "\\dn")
    assert meta(cluster, "\\l")[0][:3] == ["dev", "awsuser", "UNICODE"]


def test_du_shows_users_and_their_groups(cluster):
    users = {row[0]: row[1:] for row in meta(cluster, "\\du")}
    assert users["awsuser"] == ["Superuser, Create role, Create DB", "{}"]
    assert users["alice"] == ["", "{readers}"]
    assert [row[0] for row in meta(cluster, "\\du ali*")] == ["alice"]


def test_dp_shows_privileges(cluster):
    shown = script(cluster, "\\dp app.venue\n", "-At")
    assert "alice=r/awsuser" in shown and "awsuser=arwdxDAP/awsuser" in shown


@pytest.mark.parametrize("command", ["\\df", "\\di app.*", "\\dT", "\\dx", "\\db", "\\dg", "\\ddp", "\\drds", "\\dC", "\\dD", "\\do", "\\ds", "\\dm", "\\dE",
                                     "\\l+", "\\dn+", "\\df+", "\\dv+ app.*", "\\encoding", "\\z app.*"])
def test_other_commands_have_an_answer(cluster, command):
    assert "ERROR" not in script(cluster, command + "\n")


def test_copy_through_the_client_is_refused_by_name_and_the_session_goes_on(cluster, tmp_path):
    (tmp_path / "rows").write_text("3\tc\n")
    out = script(cluster, f"\\copy app.venue from '{tmp_path}/rows'\n\\copy app.venue to '{tmp_path}/out'\nselect 'still ' || 'here';\n", "-At")
    assert out.count("COPY FROM STDIN and COPY TO STDOUT is not supported") == 2
    assert out.splitlines()[-1] == "still here"
    assert cluster.psql("select count(*) from app.venue") == "2"


def test_gdesc_names_columns_without_running(cluster):
    assert meta(cluster, "select venueid, price, 1/0 as broken from app.venue \\gdesc") == [
        ["venueid", "integer"], ["price", "numeric(10,2)"], ["broken", "integer"]]


def test_fetch_count_reads_by_cursor(cluster):
    out = script(cluster, "\\set FETCH_COUNT 7\nselect i from generate_series(1, 50) as g(i) order by i;\n", "-At", "-q")
    assert out.split() == [str(i) for i in range(1, 51)]


def test_a_script_with_comments_quotes_and_several_statements(cluster):
    text = """-- a comment; with a semicolon
/* another /* nested */ ; */
select 'it''s; here', 'back\\\\slash', $$dollar ; quoted$$;
select 1; select 2;
"""
    assert script(cluster, text, "-At").splitlines() == ["it's; here|back\\slash|dollar ; quoted", "1", "2"]


def test_errors_have_a_place_and_a_code(cluster):
    out = script(cluster, "\\set VERBOSITY verbose\nselect venueid, wrong from app.venue;\n")
    assert 'ERROR:  42703: column "wrong" does not exist' in out
    assert "LINE 1: select venueid, wrong from app.venue;\n                        ^" in out


def test_notices_arrive(cluster):
    assert 'INFO:  Table "nothing" does not exist and will be skipped' in script(cluster, "drop table if exists nothing;\n")


def test_transactions_by_hand(cluster):
    out = script(cluster, """\\set AUTOCOMMIT off
insert into app.venue values (9, 'nine', null, null);
select broken;
select 1;
rollback;
select count(*) from app.venue where venueid = 9;
savepoint s;
""", "-At", "-q").splitlines()
    assert 'ERROR:  column "broken" does not exist' in out
    assert "ERROR:  current transaction is aborted, commands ignored until end of transaction block" in out
    assert "0" in out
    assert 'ERROR:  SQL command "SAVEPOINT s" not supported.' in out


def test_on_error_stop_ends_with_status_3(cluster):
    with pytest.raises(Refused) as refused:
        cluster.run(["psql", "-X", "-v", "ON_ERROR_STOP=1"], input="select 1;\nselect nothing;\nselect 2;\n")
    assert refused.value.status == 3


def test_names_and_text_in_any_alphabet(cluster):
    assert cluster.psql('create table app."Größe" (a varchar(40)); insert into app."Größe" values (\'日本語 ✓\'); select * from app."grÖße"'
                        .replace("grÖße", "Größe")) .splitlines()[-1] == "日本語 ✓"


def test_ctrl_c_cancels_the_statement(cluster):
    slow = ("select 'now'; select count(*) from pg_class a, pg_class b, pg_class c, pg_class d, pg_class e where a.oid + b.oid * c.oid + d.oid = e.oid;\n")
    process = subprocess.Popen(["psql", "-X", "-At"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=cluster.client_env(PGAPPNAME="interrupted"))
    process.stdin.write(slow)
    process.stdin.close()
    with cluster.connect() as watcher:  # the statement is seen running before the signal is sent
        running = "select count(*) from pg_stat_activity where application_name = 'interrupted' and current_query like '%from pg_class a%'"
        eventually(lambda: watcher.execute(running).fetchone()[0] == 1)
    while process.poll() is None:  # a cancel on the way to a statement that has just begun may miss it
        os.kill(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
    out = process.stdout.read()
    assert "cancelled on user's request" in out


def test_a_new_password_by_the_client_s_own_hash(cluster):
    """What psql's \\password sends."""
    cluster.psql("create user bob password 'Abcdef12'")
    with cluster.connect() as connection:
        hashed = connection.pgconn.encrypt_password(b"Other123", b"bob", b"md5").decode()
        assert hashed.startswith("md5") and connection.execute("show password_encryption").fetchone() == ("on",)
        connection.execute(f"alter user bob password '{hashed}'")
    assert cluster.psql("select current_user", user="bob", password="Other123") == "bob"
    with pytest.raises(Refused):
        cluster.psql("select 1", user="bob", password="Abcdef12")
