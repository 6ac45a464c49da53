"""kill -9 at random moments under concurrent PUT, COPY, INSERT, DDL and CreateStack: whatever a client was told is done must be there
after the restart, whole, and nothing half-made may stand. One server directory lives through all kills.

REDOUBT_KILLS sets how many (50); the seed is printed and REDOUBT_SEED repeats it.
"""
import hashlib
import os
import pathlib
import random
import threading
import time

import botocore.exceptions
import psycopg
import pytest

from support.server import Server

KILLS = int(os.environ.get("REDOUBT_KILLS", "50"))
SEED = int(os.environ.get("REDOUBT_SEED", str(random.SystemRandom().randrange(1 << 32))))

TEMPLATE = """
Parameters: {Name: {Type: String}}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "stack-${Name}-bucket"}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: !Sub "${Bucket.Arn}/*", Condition: {Bool: {"aws:SecureTransport": false}}}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "stack-${Name}-role"
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: redshift.amazonaws.com}, Action: "sts:AssumeRole"}]
"""


class Acknowledged:
    """What clients were told, kept by the workers, checked after each restart."""

    def __init__(self):
        self.lock = threading.Lock()
        self.objects = {}   # key -> sha256
        self.deleted = set()
        self.rows = set()   # ids inserted
        self.copied = {}    # batch -> rows
        self.tables = set()
        self.dropped = set()
        self.stacks = set()


class Worker(threading.Thread):
    """Repeats one kind of work until the server is gone. An error after the kill is expected; one before it is a failure."""

    def __init__(self, name, step, stop):
        super().__init__(name=name, daemon=True)
        self.step, self.stop, self.trouble = step, stop, None

    def run(self):
        while not self.stop.is_set():
            try:
                self.step()
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, psycopg.Error, OSError) as e:
                if not self.stop.is_set():
                    self.trouble = self.trouble or e
                return


class Load:
    def __init__(self, server, seen, number, chance):
        self.server, self.seen, self.number = server, seen, number
        self.chance = random.Random(chance.random())
        self.s3 = server.boto("s3")
        self.cfn = server.boto("cloudformation")
        self.stop = threading.Event()
        self.counter = 0
        self.connections = [server.connect() for _ in range(3)]
        self.workers = [Worker(f.__name__, f, self.stop) for f in (self.put, self.insert, self.copy, self.ddl, self.stack)]

    def next(self):
        with self.seen.lock:
            self.counter += 1
            return self.number * 100000 + self.counter

    def put(self):
        n = self.next()
        size = self.chance.choice([10, 1000, 70000, 300000])
        body = self.chance.randbytes(size)
        key = f"objects/{n}"
        self.s3.put_object(Bucket="crash", Key=key, Body=body)
        with self.seen.lock:
            self.seen.objects[key] = hashlib.sha256(body).hexdigest()
        if n % 5 == 0:
            with self.seen.lock:
                del self.seen.objects[key]  # from here to the answer it may be there or not
            self.s3.delete_object(Bucket="crash", Key=key)
            with self.seen.lock:
                self.seen.deleted.add(key)

    def insert(self):
        n = self.next()
        self.connections[0].execute(f"insert into inserted values ({n}, 'row {n}')")
        with self.seen.lock:
            self.seen.rows.add(n)

    def copy(self):
        n = self.next()
        rows = self.chance.randrange(1, 2000)
        body = "".join(f"{n}|{i}\n" for i in range(rows))
        self.s3.put_object(Bucket="crash", Key=f"copy/{n}.txt", Body=body.encode())
        self.connections[1].execute(f"copy copied from 's3://crash/copy/{n}.txt' iam_role '{self.server.copy_role}' delimiter '|'")
        with self.seen.lock:
            self.seen.copied[n] = rows

    def ddl(self):
        n = self.next()
        c = self.connections[2]
        c.execute(f"create table made_{n} (a integer, b varchar(20))")
        with self.seen.lock:
            self.seen.tables.add(f"made_{n}")
        if n % 3 == 0:
            with self.seen.lock:
                self.seen.tables.remove(f"made_{n}")  # from here to the answer it may be there or not
            c.execute(f"drop table made_{n}")
            with self.seen.lock:
                self.seen.dropped.add(f"made_{n}")

    def stack(self):
        name = f"s{self.next()}"
        self.cfn.create_stack(StackName=name, TemplateBody=TEMPLATE, Parameters=[{"ParameterKey": "Name", "ParameterValue": name}], Capabilities=["CAPABILITY_NAMED_IAM"])
        status = self.cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if status == "CREATE_COMPLETE":
            with self.seen.lock:
                self.seen.stacks.add(name)

    def run_until_killed(self, seconds):
        for w in self.workers:
            w.start()
        time.sleep(seconds)  # chance decides when the power goes, no result depends on it
        self.stop.set()
        self.server.kill()
        for w in self.workers:
            w.join(60)
            assert not w.is_alive(), f"{w.name} hangs"
            assert w.trouble is None, f"{w.name} failed before the kill: {w.trouble!r}"
        for c in self.connections:
            c.close()


def check(server, seen):
    s3 = server.boto("s3")
    listed = {o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="crash", Prefix="objects/") for o in page.get("Contents", [])}
    assert seen.objects.keys() <= listed, sorted(seen.objects.keys() - listed)[:5]
    assert not seen.deleted & listed
    for key in sorted(seen.objects)[-40:]:
        body = s3.get_object(Bucket="crash", Key=key)["Body"].read()
        assert hashlib.sha256(body).hexdigest() == seen.objects[key], key
    # Whatever else is listed was on its way: whole or not there.
    for key in listed - seen.objects.keys():
        s3.get_object(Bucket="crash", Key=key)["Body"].read()
    with server.connect() as c:
        rows = {r[0] for r in c.execute("select id from inserted").fetchall()}
        assert seen.rows <= rows, sorted(seen.rows - rows)[:5]
        copied = dict(c.execute("select batch, count(*) from copied group by 1").fetchall())
        for batch, n in seen.copied.items():
            assert copied.get(batch) == n, (batch, n, copied.get(batch))
        for batch, n in copied.items():  # atomic: the whole file or nothing
            if batch not in seen.copied:
                want = s3.get_object(Bucket="crash", Key=f"copy/{batch}.txt")["Body"].read().count(b"\n")
                assert n == want, (batch, n, want)
        tables = {r[0] for r in c.execute("select tablename from pg_tables where tablename like 'made\\\\_%'").fetchall()}
        assert seen.tables <= tables, sorted(seen.tables - tables)[:5]
        assert not seen.dropped & tables, sorted(seen.dropped & tables)[:5]
        for t in sorted(seen.tables)[-5:]:
            c.execute(f"insert into {t} values (1, 'x')")
    check_stacks(server, seen)


def check_stacks(server, seen):
    cfn, iam, s3 = server.boto("cloudformation"), server.boto("iam"), server.boto("s3")
    deadline = time.monotonic() + 60
    while True:
        stacks = {s["StackName"]: s["StackStatus"] for page in cfn.get_paginator("list_stacks").paginate() for s in page["StackSummaries"] if s["StackStatus"] != "DELETE_COMPLETE"}
        if not any(status.endswith("IN_PROGRESS") for status in stacks.values()) or time.monotonic() > deadline:
            break
        time.sleep(0.05)  # polls, as clients do
    assert not any(status.endswith("IN_PROGRESS") for status in stacks.values()), stacks
    assert set(stacks.values()) <= {"CREATE_COMPLETE", "ROLLBACK_COMPLETE"}, stacks
    for name in seen.stacks:
        assert stacks.get(name) == "CREATE_COMPLETE", (name, stacks.get(name))
    whole = {name for name, status in stacks.items() if status == "CREATE_COMPLETE"}
    roles = {r["RoleName"] for page in iam.get_paginator("list_roles").paginate() for r in page["Roles"] if r["RoleName"].startswith("stack-")}
    buckets = {b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("stack-")}
    assert roles == {f"stack-{n}-role" for n in whole}
    assert buckets == {f"stack-{n}-bucket" for n in whole}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("crash")).start()
    s3, iam = server.boto("s3"), server.boto("iam")
    s3.create_bucket(Bucket="crash")
    iam.create_role(RoleName="copy-role", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"redshift.amazonaws.com"},"Action":"sts:AssumeRole"}]}')
    iam.put_role_policy(RoleName="copy-role", PolicyName="read", PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::crash","arn:aws:s3:::crash/*"]}]}')
    server.copy_role = f"arn:aws:iam::{server.account}:role/copy-role"
    server.boto("redshift").modify_cluster_iam_roles(ClusterIdentifier=server.cluster, AddIamRoles=[server.copy_role])
    with server.connect() as c:
        c.execute("create table inserted (id bigint, note varchar(40))")
        c.execute("create table copied (batch bigint, line integer)")
    yield server
    server.stop()


def test_nothing_acknowledged_is_lost(prepared):
    print(f"seed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    seen = Acknowledged()
    for number in range(1, KILLS + 1):
        Load(prepared, seen, number, chance).run_until_killed(chance.uniform(0.05, 1.2))
        prepared.start()
        check(prepared, seen)
    assert seen.objects and seen.rows and seen.copied and seen.tables and seen.stacks, "the load did nothing"
    print(f"{len(seen.objects)} objects, {len(seen.rows)} rows, {len(seen.copied)} loads, {len(seen.tables)} tables, {len(seen.stacks)} stacks, none lost")
