"""A PostgreSQL of one's own, as a peer: loopback, a free port, a folder of its own. It refuses to run as root, so there it runs as
the user that Debian's package makes."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from support.server import free_port

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


def installed():
    return (BIN / "postgres").exists()


class Postgres:
    def __init__(self, *settings):
        """`settings`: "name=value". It accepts connections when this returns."""
        self.port = free_port()
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="redoubt-postgres-"))
        if self.user:
            shutil.chown(self.data, "postgres", "postgres")
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
        options = [x for s in settings for x in ("-c", s)]
        with open(self.data / "log", "wb") as log:
            self.process = subprocess.Popen([*self.user, BIN / "postgres", "-D", self.data, "-p", str(self.port), "-k", self.data, "-c", "listen_addresses=127.0.0.1", *options],
                                            stdout=log, stderr=log, cwd="/")
        while subprocess.run([BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            assert self.process.poll() is None, "PostgreSQL didn't start: " + (self.data / "log").read_text()
            time.sleep(0.05)

    def run(self, program, *args):
        subprocess.run([*self.user, BIN / program, *map(str, args)], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def connect(self):
        import psycopg
        return psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True)

    def stop(self):
        # As root the child is runuser, which passes the signal on.
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.data)
