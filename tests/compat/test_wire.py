"""Hostile and broken clients: whatever comes over a cluster's port ends in an error, and everybody else is served on."""
import hashlib
import socket
import ssl
import struct
import subprocess

import psycopg
import pytest
from support.server import eventually

SSL_REQUEST, GSS_REQUEST, CANCEL = 80877103, 80877104, 80877102


def packet(code, body=b""):
    return struct.pack("!II", 8 + len(body), code) + body


def startup(version=3 << 16, **parameters):
    pairs = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in parameters.items())
    return packet(version, pairs + b"\0")


def message(kind, body=b"", length=None):
    return kind + struct.pack("!I", 4 + len(body) if length is None else length) + body


class Client:
    """A socket to the cluster; reads messages as (type, body)."""

    def __init__(self, server, tls=False):
        self.server = server
        self.socket = socket.create_connection((server.env["PGHOST"], int(server.env["PGPORT"])), timeout=30)
        if tls:
            self.send(packet(SSL_REQUEST))
            assert self.socket.recv(1) == b"S"
            context = ssl.create_default_context(cafile=server.ca)
            self.socket = context.wrap_socket(self.socket, server_hostname=server.env["PGHOST"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise EOFError(data)
            data += piece
        return data

    def read(self):
        kind, length = struct.unpack("!cI", self.exactly(5))
        return kind, self.exactly(length - 4)

    def until(self, wanted):
        """Messages up to and with the first of that type."""
        got = []
        while not got or got[-1][0] != wanted:
            got.append(self.read())
        return got

    def rest(self):
        """Everything until the server hangs up."""
        data = b""
        try:
            while piece := self.socket.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        return data

    def refusal(self):
        """(severity, SQLSTATE, text) of the error that comes next, when the server hangs up after it."""
        data = self.rest()
        assert data[:1] == b"E", data
        return error(data[5:])

    def sign_on(self):
        """By MD5, as a driver without SASL: up to ReadyForQuery."""
        who = self.server.pg()
        self.send(startup(user=who["user"], database="dev", client_protocol_version="0"))
        kind, body = self.read()
        assert kind == b"R"
        code = struct.unpack("!I", body[:4])[0]
        assert code == 13, "Redshift's digest"
        algorithm, length = struct.unpack("!II", body[4:12])
        salt, nonce = body[12:12 + length], body[16 + length:]
        inner = hashlib.sha256(who["password"].encode() + salt).digest()
        digest = hashlib.sha256(inner + nonce + b"1").digest()
        self.send(message(b"d", struct.pack("!I", 32) + digest + struct.pack("!I", 1) + b"1"))
        return self.until(b"Z")


def error(body):
    fields = {part[:1]: part[1:].decode() for part in body.split(b"\0") if part}
    return fields[b"S"], fields[b"C"], fields[b"M"]


@pytest.fixture(autouse=True)
def alive(server):
    yield
    assert server.process.poll() is None
    assert server.psql("select 1") == "1"


@pytest.mark.parametrize("data, state, words", [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "08P01", "invalid length of startup packet"),
    (struct.pack("!II", 0x7fffffff, 3 << 16), "08P01", "invalid length of startup packet"),
    (struct.pack("!II", 3, 3 << 16), "08P01", "invalid length of startup packet"),
    (packet(SSL_REQUEST, b"x"), "08P01", "invalid length of startup packet"),
    (packet(CANCEL, b"x"), "08P01", "invalid length of startup packet"),
    (startup(2 << 16, user="awsuser"), "0A000", "unsupported frontend protocol 2.0"),
    (startup((3 << 16) + 5, user="awsuser"), "0A000", "unsupported frontend protocol 3.5"),
    (startup(database="dev"), "08P01", "no user name"),
    (startup(user="awsuser", replication="database"), "0A000", "replication"),
    (startup(user="awsuser", client_encoding="LATIN1"), "0A000", "LATIN1"),
    (packet(3 << 16, b"user\0awsuser"), "08P01", "invalid startup packet layout"),
    (packet(3 << 16, b"user\0aws\xffuser\0\0"), "08P01", "invalid startup packet layout"),
    (startup(user="awsuser", **{f"k{i}": "v" for i in range(200)}), "08P01", "invalid startup packet layout"),
], ids=lambda x: x if isinstance(x, str) and len(x) > 5 else "")
def test_a_first_packet_that_is_none(server, data, state, words):
    for tls in [False, True]:
        with Client(server, tls) as c:
            c.send(data)
            severity, got, text = c.refusal()
            assert (severity, got) == ("FATAL", state) and words in text


def test_half_a_packet_and_nothing(server):
    for part in [b"", b"\0", startup(user="awsuser")[:-3]]:
        with Client(server) as c:
            c.send(part)
            c.socket.shutdown(socket.SHUT_WR)
            assert c.rest() == b""


def test_bytes_behind_the_request_for_tls_are_not_taken_into_it(server):
    with Client(server) as c:
        c.send(packet(SSL_REQUEST) + startup(user="awsuser", database="dev"))
        assert c.rest() == b"", "nothing may be slipped in before the handshake"


def test_tls_is_asked_for_once(server):
    with Client(server, tls=True) as c:
        c.send(packet(SSL_REQUEST))
        assert c.rest() == b""


def test_gss_encryption_is_declined(server):
    with Client(server) as c:
        c.send(packet(GSS_REQUEST))
        assert c.exactly(1) == b"N"
        assert c.sign_on()[-1] == (b"Z", b"I")


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_old_tls_is_refused(server, version):
    done = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-connect", f"{server.env['PGHOST']}:{server.env['PGPORT']}", f"-{version}",
                           "-cipher", "ALL:@SECLEVEL=0"], input=b"", capture_output=True, timeout=60)
    assert done.returncode != 0 and b"New, (NONE)" in done.stdout


def test_a_handshake_of_garbage(server):
    with Client(server) as c:
        c.send(packet(SSL_REQUEST))
        assert c.exactly(1) == b"S"
        c.send(b"\x16\x03\x01" + b"\xff" * 600)
        assert not c.rest().startswith(b"E")


@pytest.mark.parametrize("kind", [b"Q", b"P", b"B", b"S", b"d", b"\0", b"~"])
def test_nothing_runs_before_sign_on(server, kind):
    with Client(server, tls=True) as c:
        c.send(startup(user="awsuser", database="dev"))
        assert c.read()[0] == b"R"
        c.send(message(kind, b"create table public.owned (a int)\0"))
        severity, state, _ = c.refusal()
        assert severity == "FATAL" and state in ("08P01", "28000")
    assert server.psql("select count(*) from pg_class where relname = 'owned'") == "0"


def test_a_password_of_a_gigabyte(server):
    with Client(server, tls=True) as c:
        c.send(startup(user="awsuser", database="dev"))
        c.read()
        c.send(message(b"p", length=1 << 30) + b"x" * 100)
        assert c.refusal()[0] == "FATAL"


def test_sasl_answers_that_are_none(server):
    for answer in [b"", b"\0", b"SCRAM-SHA-256\0\xff\xff\xff\xff", b"SCRAM-SHA-256\0\0\0\0\x05n,,n=", b"PLAIN\0\0\0\0\x01x", b"SCRAM-SHA-256-PLUS\0\0\0\0\0"]:
        with Client(server, tls=True) as c:
            c.send(startup(user="awsuser", database="dev"))
            assert struct.unpack("!I", c.read()[1][:4])[0] == 10
            c.send(message(b"p", answer))
            assert c.refusal()[1:] == ("28000", 'password authentication failed for user "awsuser"')


@pytest.mark.parametrize("data", [
    message(b"Q", length=0x7fffffff), message(b"Q", length=3), message(b"D", length=1 << 20), message(b"~"), message(b"\0"), message(b"p", b"x\0")],
    ids=["oversize query", "short length", "oversize describe", "unknown type", "type zero", "a second password"])
def test_a_stream_that_can_t_be_followed_ends(server, data):
    with Client(server, tls=True) as c:
        c.sign_on()
        c.send(data)
        assert c.refusal()[:2] in [("FATAL", "08P01"), ("FATAL", "54000")]


@pytest.mark.parametrize("data, state", [
    (message(b"P", b"x"), "08P01"),
    (message(b"P", b"s\0select 1\0\xff\xff"), "08P01"),
    (message(b"P", b"s\0select \xff\xfe\0\0\0"), "22021"),
    (message(b"P", b"\0select 1; select 2\0\0\0"), "42601"),
    (message(b"B", b"p\0nothing\0" + struct.pack("!HHH", 0, 0, 0)), "26000"),
    (message(b"P", b"\0select $1::int\0\0\0") + message(b"B", b"\0\0" + struct.pack("!HHH", 0, 0, 0)), "08P01"),
    (message(b"P", b"\0select $1::int\0\0\0") + message(b"B", b"\0\0" + struct.pack("!HHI", 0, 1, 0x7fffffff)), "08P01"),
    (message(b"P", b"\0select $1::int\0\0\0") + message(b"B", b"\0\0" + struct.pack("!HHHI1sH", 1, 7, 1, 1, b"1", 0)), "08P01"),
    (message(b"P", b"\0select $1::int\0\0\0") + message(b"B", b"\0\0" + struct.pack("!HHHI3sH", 1, 1, 1, 3, b"abc", 0)) + message(b"E", b"\0\0\0\0\0"), "22P03"),
    (message(b"P", b"\0select $70000\0\0\0") + message(b"D", b"S\0"), "42601"),
    (message(b"D", b"X\0"), "08P01"),
    (message(b"D", b"S" + b"nothing\0"), "26000"),
    (message(b"E", b"nothing\0\0\0\0\0"), "34000"),
    (message(b"E", b"nothing"), "08P01"),
    (message(b"C", b""), "08P01"),
], ids=["parse cut", "parse types", "parse utf-8", "parse two", "bind nothing", "bind too few", "bind length", "bind format", "bind binary", "parameter number",
        "describe kind", "describe nothing", "execute nothing", "execute cut", "close cut"])
def test_a_bad_message_is_an_error_up_to_the_sync(server, data, state):
    with Client(server, tls=True) as c:
        c.sign_on()
        c.send(data + message(b"P", b"\0select 'skipped'\0\0\0") + message(b"S"))
        got = c.until(b"Z")
        errors = [error(body) for kind, body in got if kind == b"E"]
        assert [(e[0], e[1]) for e in errors] == [("ERROR", state)]
        c.send(message(b"Q", b"select 'goes on'\0"))
        assert any(kind == b"D" and b"goes on" in body for kind, body in c.until(b"Z"))


def test_bad_queries_are_errors_and_the_session_goes_on(server):
    with Client(server, tls=True) as c:
        c.sign_on()
        for body, state in [(b"select 1", "08P01"), (b"select 1\0more\0", "08P01"), (b"select '\xc3\x28'\0", "22021"), (b"\0", None)]:
            c.send(message(b"Q", body))
            got = c.until(b"Z")
            assert [error(b)[1] for kind, b in got if kind == b"E"] == ([state] if state else [])
        c.send(message(b"F", b"\0\0\0\0\0\0\0\0\0\0"))
        assert [error(b)[1] for kind, b in c.until(b"Z") if kind == b"E"] == ["0A000"]
        c.send(message(b"d", b"left over") + message(b"c") + message(b"Q", b"select 1\0"))
        assert c.until(b"Z")[-1] == (b"Z", b"I")


def test_deep_nesting_is_an_error(server):
    with server.connect() as c:
        for text in ["select " + "(" * 50000 + "1" + ")" * 50000, "select " + "-" * 3 + "1" + " + 1" * 200000, "select " + "not " * 20000 + "true",
                     "select * from " + "(select * from " * 3000 + "pg_class" + ") x" * 3000, "select 1" + " union all select 1" * 20000]:
            with pytest.raises(psycopg.Error) as caught:
                c.execute(text)
            assert caught.value.sqlstate in ("54001", "42601"), caught.value
        assert c.execute("select 1").fetchone() == (1,)


def test_statements_sent_without_reading_the_answers(server):
    with Client(server, tls=True) as c:
        c.sign_on()
        for _ in range(200):
            c.send(message(b"Q", b"select 1\0") * 10)
        for _ in range(2000):
            assert c.until(b"Z")[-1] == (b"Z", b"I")


def test_a_flood_of_connections_that_say_nothing(server):
    crowd = [Client(server) for _ in range(400)]
    try:
        for c in crowd[::2]:
            c.send(b"\0\0")
        assert server.psql("select 'served'") == "served"
    finally:
        for c in crowd:
            c.socket.close()


def test_one_byte_at_a_time(server):
    with Client(server) as c:
        for byte in startup(user="awsuser", database="dev"):
            c.send(bytes([byte]))
        assert c.read()[0] == b"R"


def test_cancel_needs_the_secret(server):
    """Wrong keys do nothing and say nothing; the right one ends the statement."""
    def cancel(pid, secret):
        with Client(server) as c:
            c.send(packet(CANCEL, struct.pack("!II", pid, secret)))
            assert c.rest() == b""

    with Client(server, tls=True) as c:
        pid, secret = next(struct.unpack("!II", body) for kind, body in c.sign_on() if kind == b"K")
        c.send(message(b"Q", b"select count(*) from pg_class a, pg_class b, pg_class c, pg_class d, pg_class e where a.oid + b.oid * c.oid + d.oid = e.oid\0"))
        running = f"select count(*) from pg_stat_activity where procpid = {pid} and current_query like 'select count(*)%'"
        eventually(lambda: server.psql(running) == "1")
        for wrong in [(pid, secret ^ 1), (pid, 0), (pid + 1, secret), (0, 0), (0xffffffff, 0xffffffff)]:
            cancel(*wrong)
        assert server.psql(running) == "1", "it runs on"
        cancel(pid, secret)
        assert [error(body)[1] for kind, body in c.until(b"Z") if kind == b"E"] == ["57014"]


def test_a_client_that_hangs_up_ends_its_statement(server):
    c = Client(server, tls=True)
    pid = next(struct.unpack("!II", body)[0] for kind, body in c.sign_on() if kind == b"K")
    c.send(message(b"Q", b"select count(*) from pg_class a, pg_class b, pg_class c, pg_class d, pg_class e where a.oid + b.oid * c.oid + d.oid = e.oid\0"))
    there = f"select count(*) from pg_stat_activity where procpid = {pid}"
    eventually(lambda: server.psql(there + " and current_query like 'select count(*)%'") == "1")
    c.socket.close()
    eventually(lambda: server.psql(there) == "0")
