"""Redoubt beside its peers; see README.md. Prints one line a measurement: what, ours, the peer's, the ratio, and what it should be."""
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from support.postgres import Postgres  # noqa: E402
from support.server import Server, free_port  # noqa: E402

POSTGRES_SETTINGS = ["max_wal_size=8GB", "shared_buffers=1GB"]
ROWS_LOAD, ROWS_SELECT, ROWS_RLS = (int(os.environ.get(name, rows)) for name, rows in (("BENCH_LOAD", 2_000_000), ("BENCH_SELECT", 5_000_000), ("BENCH_RLS", 10_000_000)))
COLUMNS = "a integer, b bigint, c varchar(40), d varchar(60), e numeric(12,2), f date, g timestamp, h double precision, i boolean, j smallint"


def line(what, ours, theirs=None, goal="", unit="s"):
    if theirs is None:
        print(f"{what:52} {ours:>10} {'':>10} {'':>7}  {goal}", flush=True)
    else:
        print(f"{what:52} {ours:>8.2f} {unit} {theirs:>8.2f} {unit} {ours / theirs:>6.2f}x  {goal}", flush=True)


def timed(work, times=3):
    """The median of several runs."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        work()
        took.append(time.monotonic() - began)
    return statistics.median(took)


def cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows_file(path, rows):
    """Delimited text, about 83 bytes a row."""
    chance = random.Random(1)
    words = ["lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing", "elit"]
    block = []
    for i in range(10_000):
        block.append((chance.choice(words), chance.choice(words), f"{chance.randrange(10**6)}.{chance.randrange(100):02}",
                      f"20{chance.randrange(10, 25)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}", f"{chance.random() * 1000:.4f}"))
    with open(path, "w") as out:
        for start in range(0, rows, 10_000):
            out.write("".join(f"{start + n}|{(start + n) * 7919}|{c}|{d}|{e}|{f}|{f} 12:34:56|{h}|{'t' if n % 2 else 'f'}|{n % 1000}\n" for n, (c, d, e, f, h) in enumerate(block)))


class RawReader:
    """Reads a result as fast as bytes come, looking at nothing but the end."""

    def __init__(self, host, port, user, password, database):
        self.s = socket.create_connection((host, port))
        body = b"".join(x.encode() + b"\0" for x in ("user", user, "database", database)) + b"\0"
        self.s.sendall(struct.pack("!II", len(body) + 8, 196608) + body)
        while True:
            kind, body = self.message()
            if kind == b"R" and body[:4] == struct.pack("!I", 5):
                inner = hashlib.md5((password + user).encode()).hexdigest()
                answer = b"md5" + hashlib.md5(inner.encode() + body[4:8]).hexdigest().encode() + b"\0"
                self.s.sendall(b"p" + struct.pack("!I", len(answer) + 4) + answer)
            elif kind == b"R" and body[:4] == struct.pack("!I", 10):
                raise SystemExit("the server asked for SCRAM; the raw reader knows MD5 only")
            elif kind == b"E":
                raise SystemExit(body.decode(errors="replace"))
            elif kind == b"Z":
                return

    def exactly(self, n):
        out = b""
        while len(out) < n:
            piece = self.s.recv(n - len(out))
            if not piece:
                raise SystemExit("the server hung up")
            out += piece
        return out

    def message(self):
        head = self.exactly(5)
        return head[:1], self.exactly(struct.unpack("!I", head[1:])[0] - 4)

    def query(self, sql):
        text = sql.encode() + b"\0"
        self.s.sendall(b"Q" + struct.pack("!I", len(text) + 4) + text)
        buffer, tail, total = bytearray(1 << 20), b"", 0
        while True:
            n = self.s.recv_into(buffer)
            total += n
            tail = (tail + bytes(buffer[max(0, n - 6):n]))[-6:]
            if tail == b"Z\0\0\0\5I":
                return total


def bench_load(server, folder):
    import duckdb
    path = folder / "rows.txt"
    rows_file(path, ROWS_LOAD)
    print(f"-- {ROWS_LOAD} rows, {path.stat().st_size / 1e6:.0f} MB")
    kms, s3, iam = server.boto("kms"), server.boto("s3"), server.boto("iam")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="bench")
    s3.put_bucket_encryption(Bucket="bench", ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]})
    with open(path, "rb") as body:
        s3.put_object(Bucket="bench", Key="rows.txt", Body=body)
    iam.create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "redshift.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
    iam.attach_role_policy(RoleName="bench", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    role = f"arn:aws:iam::{server.account}:role/bench"
    server.boto("redshift").modify_cluster_iam_roles(ClusterIdentifier=server.cluster, AddIamRoles=[role])
    postgres = Postgres(*POSTGRES_SETTINGS)
    try:
        ours, theirs = server.connect(), postgres.connect()
        for c in (ours, theirs):
            c.execute(f"create table t ({COLUMNS})")
        db = duckdb.connect(str(folder / "peer.duckdb"))
        types = "{'a':'INTEGER','b':'BIGINT','c':'VARCHAR','d':'VARCHAR','e':'DECIMAL(12,2)','f':'DATE','g':'TIMESTAMP','h':'DOUBLE','i':'BOOLEAN','j':'SMALLINT'}"
        raw = timed(lambda: (db.execute("drop table if exists t"), db.execute(f"create table t as select * from read_csv('{path}', delim='|', header=false, columns={types})")))

        def copy_ours():
            ours.execute("truncate t")
            ours.execute(f"copy t from 's3://bench/rows.txt' iam_role '{role}' delimiter '|'")

        def copy_theirs():
            theirs.execute("truncate t")
            with theirs.cursor() as c, open(path, "rb") as source, c.copy("copy t from stdin (delimiter '|')") as to:
                while piece := source.read(1 << 20):
                    to.write(piece)

        def copy_theirs_file():
            theirs.execute("truncate t")
            theirs.execute(f"copy t from '{path}' (delimiter '|')")

        mine = timed(copy_ours)
        line("COPY from an encrypted object / DuckDB read_csv", mine, raw, "at most 1.25x")
        path.chmod(0o644)
        folder.chmod(0o755)
        folder.parent.chmod(0o755)
        line("COPY from an encrypted object / PostgreSQL COPY FROM", mine, timed(copy_theirs_file), "below 1x")
        mine = timed(lambda: ours.execute(f"unload ('select * from t') to 's3://bench/out/' iam_role '{role}' allowoverwrite"))
        line("UNLOAD / DuckDB COPY TO csv", mine, timed(lambda: db.execute(f"copy t to '{folder / 'out.csv'}' (delimiter '|', header false)")), "at most 1.25x")
        out = postgres.data / "out.txt"
        line("UNLOAD / PostgreSQL COPY TO", mine, timed(lambda: theirs.execute(f"copy t to '{out}' (delimiter '|')")), "below 1x")
    finally:
        postgres.stop()


def bench_select(server, folder):
    postgres = Postgres(*POSTGRES_SETTINGS)
    try:
        make = "create table s (a integer, b bigint, c varchar(20), d numeric(10,2), e date, f double precision)"
        theirs = postgres.connect()
        theirs.execute(make)
        theirs.execute(f"insert into s select n, n * 7, 'text ' || n % 1000, (n % 100000) / 100.0, date '2020-01-01' + (n % 1000), n * 1.5 from generate_series(1, {ROWS_SELECT}) n")
        ours = server.connect()
        ours.execute(make)
        ours.execute("create table digits (n integer)")
        ours.execute("insert into digits values (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)")
        parts = ", ".join(f"digits d{i}" for i in range(7))
        number = " + ".join(f"d{i}.n * {10 ** i}" for i in range(7))
        ours.execute(f"insert into s select n, n * 7, 'text ' || (n % 1000), (n % 100000) / 100.0, dateadd(day, n % 1000, date '2020-01-01'), n * 1.5 from (select {number} + 1 as n from {parts}) x where n <= {ROWS_SELECT}")
        ours.execute(f"create user raw password 'md5{hashlib.md5(b'Raw0Readerraw').hexdigest()}'")  # so that it signs on by MD5, as it does there
        ours.execute("grant select on s to raw")
        e = server.pg()
        mine = RawReader(e["host"], e["port"], "raw", "Raw0Reader", e["dbname"])
        peer = RawReader("127.0.0.1", postgres.port, "postgres", "", "postgres")
        line(f"{ROWS_SELECT} rows x 6 to a raw reader / PostgreSQL", timed(lambda: mine.query("select * from s")), timed(lambda: peer.query("select * from s")), "at most 0.5x")
        psql = ["psql", "-X", "-At", "-o", "/dev/null", "-c", "select * from s"]
        env = server.client_env()
        a = timed(lambda: subprocess.run(psql, env=env, check=True), 1)
        b = timed(lambda: subprocess.run([*psql[:1], "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", "-d", "postgres", *psql[1:]], check=True), 1)
        line("the same through psql / PostgreSQL", a, b, "at most 1x")
    finally:
        postgres.stop()


def bench_decide():
    for target in ("bench_policy_decide", "bench_identity_decision"):
        found = list((ROOT / "build/release").rglob(target))
        if found:
            out = subprocess.run([found[0], "--benchmark_format=console"], capture_output=True, text=True).stdout
            for row in out.splitlines():
                if re.match(r"^\w.* ns ", row) or re.match(r"^BM|^[A-Z]\w+/", row):
                    print("  " + row)
    line("decision: see CPU columns above", "", goal="GetObject with key policy below 2 us")


def bench_start(server, _):
    example = ROOT / "examples/01-role-chaining"
    server.aws("cloudformation", "deploy", "--stack-name", "onboarding", "--template-file", str(example / "onboarding.cf.yaml"), "--capabilities", "CAPABILITY_NAMED_IAM")
    before = cpu(server.pid)
    out = server.run(["python", str(example / "onboard.py"), "1000"], timeout=1800)
    line("1,000 tenants onboarded, server CPU", f"{cpu(server.pid) - before:.1f} s", goal="below 60 s")
    print("  " + out.splitlines()[0] + " .. " + out.splitlines()[-2])
    server.stop()
    began = time.monotonic()
    server.start()
    line("start to ready on 1,000 tenants (wall)", f"{time.monotonic() - began:.2f} s", goal="below 0.5 s")
    rss = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.pid}/status").read_text()).group(1)) // 1024
    line("memory after the start", f"{rss} MB", goal="below 150 MB with one cluster, idle")


def bench_rls(server, folder):
    """One tenant of a thousand: row-level security here, a hand-written WHERE in the raw engine, PostgreSQL's row security with its best index."""
    import duckdb
    rows, tenants = ROWS_RLS, 1000
    query = "select count(*), sum(amount), max(day) from {}"
    expressions = "'T' || lpad(n % {t}, 4, '0'), n, (n % 100000) / 100.0, {day}, 'note ' || (n % 97)"
    db = duckdb.connect(str(folder / "peer.duckdb"))
    ours, postgres = server.connect(), Postgres(*POSTGRES_SETTINGS)
    theirs = postgres.connect()
    try:
        columns = "tenant_id varchar(50), id bigint, amount numeric(12,2), day date, note varchar(40)"
        ours.execute("create table digits (n integer)")
        ours.execute("insert into digits values (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)")
        power = len(str(rows)) - 1
        number = " + ".join(f"d{i}.n * {10 ** i}" for i in range(power))
        source = f"(select {number} as n from {', '.join(f'digits d{i}' for i in range(power))}) x"
        day = "dateadd(day, n % 1000, date '2020-01-01')"
        for name, key in (("plain", ""), ("sorted", "sortkey(tenant_id)")):
            ours.execute(f"create table {name} ({columns}) {key}")
            ours.execute(f"insert into {name} select {expressions.format(t=tenants, day=day).replace('n % 1000, 4', '(n % 1000)::varchar, 4')} from {source}")
        ours.execute("vacuum sorted")
        ours.execute("create rls policy of_tenant with (tenant_id varchar(50)) using (tenant_id = current_setting('app.tenant', false))")
        ours.execute("create user reader password disable")
        ours.execute("alter user reader password 'Reader0Reader'")
        for name in ("plain", "sorted"):
            ours.execute(f"grant select on {name} to reader")
            ours.execute(f"attach rls policy of_tenant on {name} to public")
            ours.execute(f"alter table {name} row level security on")
        db.execute(f"create table plain as select 'T' || lpad((n % {tenants})::varchar, 4, '0') as tenant_id, n::bigint as id, ((n % 100000) / 100.0)::decimal(12,2) as amount, (date '2020-01-01' + (n % 1000)::integer)::date as day, 'note ' || (n % 97) as note from range({rows}) t(n)")
        theirs.execute(f"create table sorted ({columns})")
        theirs.execute(f"insert into sorted select 'T' || lpad((n % {tenants})::varchar, 4, '0'), n, (n % 100000) / 100.0, date '2020-01-01' + (n % 1000), 'note ' || (n % 97) from generate_series(0, {rows - 1}) n order by 1")
        theirs.execute("create index on sorted (tenant_id) include (amount, day)")
        theirs.execute("vacuum analyze sorted")
        theirs.execute("create role reader")
        theirs.execute("grant select on sorted to reader")
        theirs.execute("create policy p on sorted using (tenant_id = current_setting('app.tenant'))")
        theirs.execute("alter table sorted enable row level security")
        theirs.execute("set role reader")
        reader = server.connect(user="reader", password="Reader0Reader")
        chance = random.Random(3)

        def of_tenant(connection, table):
            def ask():
                connection.execute(f"set app.tenant to 'T{chance.randrange(tenants):04}'")
                began = time.monotonic()
                n = connection.execute(query.format(table)).fetchone()[0]
                assert n == rows // tenants, n
                return time.monotonic() - began
            return statistics.median(ask() for _ in range(21))

        def raw():
            tenant, began = f"T{chance.randrange(tenants):04}", time.monotonic()
            assert db.execute(query.format("plain") + f" where tenant_id = '{tenant}'").fetchone()[0] == rows // tenants
            return time.monotonic() - began

        print(f"-- {rows} rows, {tenants} tenants; milliseconds a query")
        db.execute("set threads = " + str(len(os.sched_getaffinity(0))))
        line("RLS, no sort key / WHERE in the raw engine", of_tenant(reader, "plain") * 1e3, statistics.median(raw() for _ in range(21)) * 1e3, "at most 1.05x", "ms")
        line("RLS, SORTKEY(tenant_id) / PostgreSQL RLS, covering index", of_tenant(reader, "sorted") * 1e3, of_tenant(theirs, "sorted") * 1e3, "at most 0.2x", "ms")
    finally:
        postgres.stop()


def presigned(s3, operation, names, body):
    """HTTP requests by presigned URLs, ready to be sent."""
    out = []
    for name in names:
        url = urllib.parse.urlsplit(s3.generate_presigned_url(operation, Params={"Bucket": "small", "Key": name}))
        head = f"{'PUT' if body else 'GET'} {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n" + (f"Content-Length: {len(body)}\r\n" if body else "")
        out.append(head.encode() + b"\r\n" + body)
    return out


def hammer(port, ca, requests, clients=16, seconds=10):
    text = b"".join(str(len(r)).encode() + b"\n" + r for r in requests)
    done = subprocess.run([ROOT / "build/release/bench/hammer", "127.0.0.1", str(port), str(ca), str(clients), str(seconds)], input=text, capture_output=True)
    if done.returncode:
        raise SystemExit(f"port {port}: " + done.stderr.decode(errors="replace"))
    return json.loads(done.stdout)


class Versitygw:
    """The peer: an S3 gateway on a folder of files."""

    def __init__(self, folder):
        self.binary = shutil.which("versitygw") or str(pathlib.Path.home() / "go/bin/versitygw")
        if not os.path.exists(self.binary):
            raise FileNotFoundError("versitygw isn't installed: bench/run does it where there is a Go toolchain")
        folder.mkdir()
        (folder / "data").mkdir()
        self.ca = folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", self.ca], check=True, capture_output=True)
        self.port = free_port()
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen([self.binary, "--access", "bench", "--secret", "bench-secret", "--port", f"127.0.0.1:{self.port}", "--cert", self.ca, "--key", folder / "key.pem",
                                         "--quiet", "--keep-alive", "posix", folder / "data"], stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        while socket.socket().connect_ex(("127.0.0.1", self.port)):
            assert self.process.poll() is None, "versitygw didn't start"
            time.sleep(0.05)

    def s3(self):
        import boto3
        import botocore.config
        return boto3.client("s3", endpoint_url=f"https://127.0.0.1:{self.port}", aws_access_key_id="bench", aws_secret_access_key="bench-secret", region_name="us-east-1",
                            verify=str(self.ca), config=botocore.config.Config(s3={"addressing_style": "path"}, signature_version="s3v4", retries={"total_max_attempts": 20}))

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def bench_objects(server, folder):
    """1 KiB PUT and GET over TLS by presigned URLs, so that no client's signing is measured."""
    config = {"config": botocore_config()}
    s3, kms = server.boto("s3", **config), server.boto("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="small")
    s3.put_bucket_encryption(Bucket="small", ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]})
    port = int(server.endpoint.rsplit(":", 1)[1])
    try:
        peer = Versitygw(folder / "versitygw")
        theirs = peer.s3()
        theirs.create_bucket(Bucket="small")
    except FileNotFoundError as e:
        print(f"  no peer: {e}")
        peer = None
    names = [f"k{n}" for n in range(1024)]
    try:
        for method, operation, body in (("PUT", "put_object", b"x" * 1024), ("GET", "get_object", b"")):
            before = cpu(server.pid)
            mine = hammer(port, server.ca, presigned(s3, operation, names, body))
            used = (cpu(server.pid) - before) / mine["requests"] * 1e6
            rate = mine["requests"] / mine["seconds"]
            note = f"{used:.0f} us of server CPU each, p99 {mine['p99_us'] / 1000:.1f} ms"
            if peer:
                before = cpu(peer.pid)
                other = hammer(peer.port, peer.ca, presigned(theirs, operation, names, body))
                peers = (cpu(peer.pid) - before) / other["requests"] * 1e6
                line(f"{method} 1 KiB, TLS, 16 clients / versitygw, unencrypted", rate, other["requests"] / other["seconds"], f"{note}; theirs {peers:.0f} us", unit="/s")
            else:
                line(f"{method} 1 KiB, SSE-KMS, TLS, durable, 16 clients", f"{rate:.0f}/s", goal=note)
    finally:
        if peer:
            peer.stop()


def botocore_config():
    import botocore.config
    return botocore.config.Config(signature_version="s3v4")


def main():
    names = sys.argv[1:] or ["decide", "load", "select", "objects", "start", "rls"]
    with tempfile.TemporaryDirectory(prefix="redoubt-bench-") as folder:
        folder = pathlib.Path(folder)
        for name in names:
            print(f"\n{name}", flush=True)
            if name == "decide":
                bench_decide()
                continue
            (folder / name).mkdir()
            with Server(folder / name / "server") as server:
                {"load": bench_load, "select": bench_select, "start": bench_start, "objects": bench_objects, "rls": bench_rls}[name](server, folder / name)


main()
