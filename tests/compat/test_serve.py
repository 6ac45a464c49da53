"""`redoubt serve` as a process: what DESIGN section 1 promises of it."""
import os
import pathlib
import signal
import socket
import stat
import subprocess

import pytest
from support.server import BINARY, Refused, Server, free_port


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_first_start_leaves_an_environment_to_source(server):
    assert mode(server.data / "env") == 0o600
    assert set(server.env) == {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE",
        "REDOUBT_ACCOUNT_ID", "REDOUBT_HTTP_URL", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE", "PGSSLROOTCERT",
        "REDOUBT_CLUSTER"}
    assert all(server.env.values())
    assert (server.env["PGSSLMODE"], server.env["PGDATABASE"], server.env["PGUSER"]) == ("verify-full", "dev", "awsuser")
    assert server.env["REDOUBT_CLUSTER"] == "dev-cluster"
    sourced = subprocess.run(["sh", "-c", f". {server.data}/env && printenv AWS_ENDPOINT_URL"], capture_output=True, text=True)
    assert sourced.stdout.strip() == server.endpoint


def test_secrets_are_private(server):
    assert mode(server.data) == 0o700
    server.boto("s3").create_bucket(Bucket="any")
    server.psql("create table anything (a integer)")
    for path in server.data.rglob("*"):
        assert mode(path) & 0o077 == 0, f"{path.relative_to(server.data)} is open to others"


def test_health_and_metrics_are_on_the_plain_port_only(server):
    assert server.get("/_redoubt/health")[0] == 200
    status, text = server.get("/_redoubt/metrics")
    assert status == 200 and "redoubt_http_answers_total" in text
    assert server.account not in text and "dev-cluster" not in text
    https = subprocess.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--cacert", server.ca, server.endpoint + "/_redoubt/metrics"],
                           capture_output=True, text=True)
    assert https.stdout != "200"


@pytest.mark.parametrize("flags, words", [
    (["--nonsense"], "--nonsense"),
    (["--https-port", "70000"], "--https-port"),
    (["--account-id", "1"], "not 12 digits"),
    (["--listen", "example.com"], "not an IP address"),
    (["--config", "/nonexistent.yaml"], "there is no file"),
])
def test_bad_flags_are_one_sentence_and_status_2(make_server, flags, words):
    with pytest.raises(Refused) as refused:
        make_server(*flags).start()
    assert refused.value.status == 2
    assert words in refused.value.output
    assert len(refused.value.output.strip().splitlines()) == 1


def test_a_port_in_use_is_named(make_server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused) as refused:
            make_server("--https-port", str(port)).start()
    assert refused.value.status == 2 and str(port) in refused.value.output


def test_a_directory_has_one_server(make_server):
    first = make_server(cluster=None).start()
    second = make_server(cluster=None)
    second.flags[1] = str(first.data)
    with pytest.raises(Refused) as refused:
        second.start()
    assert refused.value.status == 2 and "in use by another process" in refused.value.output


def test_a_foreign_directory_is_left_alone(make_server):
    one = make_server(cluster=None)
    one.data.mkdir()
    (one.data / "thesis.txt").write_text("mine")
    with pytest.raises(Refused) as refused:
        one.start()
    assert refused.value.status == 2 and "not a Redoubt data directory" in refused.value.output
    assert [p.name for p in one.data.iterdir()] == ["thesis.txt"]


def test_a_restart_keeps_keys_and_password(make_server):
    one = make_server().start()
    before = dict(one.env)
    one.restart()
    assert one.env == before
    assert one.boto("sts").get_caller_identity()["Account"] == one.account
    assert one.psql("select 1") == "1"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(make_server, sent):
    one = make_server(cluster=None).start()
    process, one.process = one.process, None
    process.send_signal(sent)
    assert process.wait(60) == 0


def test_the_configuration_file_has_the_flags_names(make_server, tmp_path):
    file = tmp_path / "redoubt.yaml"
    file.write_text(f"account-id: '999900001111'\nregion: eu-central-1\n")
    one = make_server("--config", str(file), cluster=None).start()
    assert (one.account, one.region) == ("999900001111", "eu-central-1")


def test_help_names_every_flag():
    done = subprocess.run([BINARY, "serve", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for flag in ["data", "listen", "https-port", "http-port", "cluster-port", "account-id", "region", "cluster", "cluster-net", "advertise",
                 "strict", "strict-acl", "config"]:
        assert f"--{flag} " in done.stdout
