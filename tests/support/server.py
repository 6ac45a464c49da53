"""A `redoubt serve` of one's own: in a directory and on ports of its own, with the clients that talk to it.

    def test_whoami(server):                                  # one server a test module (tests/conftest.py)
        assert server.boto("sts").get_caller_identity()["Account"] == server.account
        server.aws("s3", "mb", "s3://b")
        assert server.psql("select 1") == "1"
"""
import contextlib
import json
import os
import pathlib
import random
import re
import shlex
import signal
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = pathlib.Path(os.environ.get("REDOUBT_DEPS", ROOT / ".deps")) / "venv" / "bin"
BINARY = pathlib.Path(os.environ.get("REDOUBT_BINARY", ROOT / "build/release/redoubt"))
READY_SECONDS = 60
STOP_SECONDS = 60


class Refused(Exception):
    """A client ended with an error; str() is what it printed."""

    def __init__(self, status, output):
        super().__init__(output)
        self.status = status
        self.output = output


def free_port(host="127.0.0.1"):
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def free_cluster_net():
    """A /24 of the loopback net that no other test is likely to use."""
    return f"127.{random.randint(101, 250)}.{random.randint(0, 255)}.0/24"


def eventually(condition, seconds=60):
    """Asks until the answer is true, which it is; an assertion when it isn't after so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"


def read_env(path):
    """What sourcing DIR/env sets."""
    out = {}
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            out[name] = shlex.split(value)[0] if value != "''" else ""
    return out


class Server:
    def __init__(self, directory, *flags, cluster="dev-cluster", environment=None):
        """Nothing starts before start(). `directory` holds DIR and the log; ports stay the same over restarts."""
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.home = self.directory / "home"
        self.home.mkdir(exist_ok=True)
        self.cluster = cluster
        self.flags = ["--data", str(self.data), "--https-port", str(free_port()), "--http-port", str(free_port()),
                      "--cluster-port", str(free_port()), "--cluster-net", free_cluster_net()]
        self.flags += ["--cluster", cluster] if cluster else []
        self.flags += flags
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.env = {}

    # ---- the process

    def start(self):
        """Starts and waits for `ready`. Refused with status and stderr if it exits instead."""
        assert self.process is None
        with open(self.log, "ab") as log:
            before = log.tell()
            self.process = subprocess.Popen([str(BINARY), "serve", *self.flags], stdout=subprocess.PIPE, stderr=log, text=True,
                                            env=self.environment)
        watchdog = threading.Timer(READY_SECONDS, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if line != "ready\n":
            status = self.process.wait()
            self.process = None
            raise Refused(status, self.log.read_text()[before:])
        self.env = read_env(self.data / "env")
        return self

    def stop(self):
        """SIGTERM; the exit status, which must be 0."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the server didn't stop on SIGTERM:\n" + self.log.read_text()[-4000:])
        assert status == 0, f"exit status {status}:\n" + self.log.read_text()[-4000:]
        return status

    def kill(self):
        """kill -9, as a power cut would."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()

    def restart(self):
        self.stop()
        return self.start()

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        self.stop()

    # ---- what it is

    @property
    def account(self):
        return self.env["REDOUBT_ACCOUNT_ID"]

    @property
    def region(self):
        return self.env["AWS_REGION"]

    @property
    def endpoint(self):
        return self.env["AWS_ENDPOINT_URL"]

    @property
    def http_url(self):
        return self.env["REDOUBT_HTTP_URL"]

    @property
    def ca(self):
        return self.env["AWS_CA_BUNDLE"]

    # ---- clients. `credentials`: what STS and CreateAccessKey answer (AccessKeyId, SecretAccessKey, SessionToken), default the admin

    def client_env(self, credentials=None, **more):
        """The environment of a shell that sourced DIR/env and nothing else."""
        env = {"PATH": f"{VENV}:{os.environ['PATH']}", "HOME": str(self.home), "LANG": "C.UTF-8", "AWS_PAGER": "",
               "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1", **self.env}
        if credentials:
            env["AWS_ACCESS_KEY_ID"] = credentials["AccessKeyId"]
            env["AWS_SECRET_ACCESS_KEY"] = credentials["SecretAccessKey"]
            if credentials.get("SessionToken"):
                env["AWS_SESSION_TOKEN"] = credentials["SessionToken"]
        return {**env, **more}

    def boto(self, service, credentials=None, **more):
        """A boto3 client. more: region_name, endpoint_url, config .."""
        import boto3
        import botocore.config
        c = credentials or {"AccessKeyId": self.env["AWS_ACCESS_KEY_ID"], "SecretAccessKey": self.env["AWS_SECRET_ACCESS_KEY"]}
        config = botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        if "config" in more:
            config = config.merge(more.pop("config"))
        return boto3.session.Session().client(
            service, aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"],
            aws_session_token=c.get("SessionToken"), verify=self.ca, config=config,
            **{"region_name": self.region, "endpoint_url": self.endpoint, **more})

    def run(self, command, credentials=None, input=None, cwd=None, timeout=300, **env):
        """Any program in a client's environment: its standard output. Refused on another exit status than 0."""
        done = subprocess.run([str(c) for c in command], env=self.client_env(credentials, **env), input=input, cwd=cwd,
                              capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise Refused(done.returncode, done.stderr + done.stdout)
        return done.stdout

    def aws(self, *args, credentials=None, **more):
        """The AWS CLI; JSON answers come parsed, others as text."""
        out = self.run([VENV / "aws", *args], credentials, **more)
        try:
            return json.loads(out) if out.strip() else None
        except ValueError:
            return out

    def pg(self, user=None, password=None, database=None, host=None, port=None):
        return {"host": host or self.env["PGHOST"], "port": int(port or self.env["PGPORT"]), "user": user or self.env["PGUSER"],
                "password": password if password is not None else self.env["PGPASSWORD"], "dbname": database or self.env["PGDATABASE"]}

    def psql(self, sql, *args, **who):
        """psql -At: the rows, '|' between columns. `who`: as pg(). Refused with psql's message on an error."""
        c = self.pg(**who)
        return self.run(["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", *args, "-c", sql], PGHOST=c["host"], PGPORT=str(c["port"]), PGUSER=c["user"],
                        PGPASSWORD=c["password"], PGDATABASE=c["dbname"]).rstrip("\n")

    def connect(self, autocommit=True, **who):
        """A psycopg connection over TLS."""
        import psycopg
        return psycopg.connect(**self.pg(**who), sslmode="verify-full", sslrootcert=self.ca, autocommit=autocommit)

    def redshift(self, autocommit=True, options=None, **who):
        """A redshift_connector connection over TLS; `options`: the driver's own."""
        import redshift_connector
        c = self.pg(**who)
        # The driver takes its certificates from the system's defaults, which this variable names.
        before = os.environ.get("SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = self.ca
        try:
            connection = redshift_connector.connect(host=c["host"], port=c["port"], user=c["user"], password=c["password"],
                                                    database=c["dbname"], **{"sslmode": "verify-full", **(options or {})})
        finally:
            os.environ.pop("SSL_CERT_FILE") if before is None else os.environ.update(SSL_CERT_FILE=before)
        connection.autocommit = autocommit
        return connection

    def get(self, path):
        """(status, body) of a page on the plain HTTP port."""
        import urllib.error
        import urllib.request
        try:
            with urllib.request.urlopen(self.http_url + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    # ---- shorthands that several suites need

    def assume(self, role_arn, credentials=None, name="test", **more):
        """AssumeRole: the credentials."""
        return self.boto("sts", credentials).assume_role(RoleArn=role_arn, RoleSessionName=name, **more)["Credentials"]

    def new_account(self, name):
        """(account id, admin credentials) of a further account of the organization, which is made if need be."""
        organizations = self.boto("organizations")
        with contextlib.suppress(organizations.exceptions.AlreadyInOrganizationException):
            organizations.create_organization(FeatureSet="ALL")
        status = organizations.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]
        deadline = time.monotonic() + 30
        while status["State"] == "IN_PROGRESS" and time.monotonic() < deadline:
            status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
        assert status["State"] == "SUCCEEDED", status
        account = status["AccountId"]
        return account, self.assume(f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole")


def code(error):
    """The AWS error code of a boto3 ClientError, of the CLI's or of psql's text."""
    if hasattr(error, "response"):
        return error.response["Error"]["Code"]
    found = re.search(r"An error occurred \((\w+)\)", str(error))
    return found.group(1) if found else None
