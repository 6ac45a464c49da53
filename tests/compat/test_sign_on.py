"""Signing on to a cluster with a password: every method and every refusal, by libpq and by Amazon's driver."""
import hashlib

import psycopg
import pytest
import redshift_connector
from support.server import eventually

PASSWORD, WRONG = "Abcdef12", "Wrong123x"
DIGEST = hashlib.sha256(PASSWORD.encode() + bytes(32)).hexdigest()
USERS = {
    "plain": f"password '{PASSWORD}'",
    "hashed": "password 'md5" + hashlib.md5(f"{PASSWORD}hashed".encode()).hexdigest() + "'",
    "sha": f"password 'sha256|{PASSWORD}'",
    "salted": f"password 'sha256|{DIGEST}|{bytes(32).hex()}'",
    "disabled": "password disable",
    "expired": f"password '{PASSWORD}' valid until '2020-01-01'",
    "limited": f"password '{PASSWORD}' connection limit 1",
}


@pytest.fixture(scope="module")
def cluster(server):
    with server.connect() as connection:
        for name, how in USERS.items():
            connection.execute(f"create user {name} {how}")
    return server


def libpq(server, user, password=PASSWORD, **more):
    who = server.pg(user=user, password=password, database=more.pop("database", None))
    with psycopg.connect(**{**who, "sslmode": "verify-full", "sslrootcert": server.ca, **more}) as connection:
        return connection.execute("select current_user").fetchone()[0]


def amazon(server, user, password=PASSWORD, **more):
    who = {"user": user, "password": password, "database": more.pop("database", None)}
    connection = server.redshift(options=more, **who)
    try:
        return connection.cursor().execute("select current_user").fetchone()[0]
    finally:
        connection.close()


CLIENTS = {"libpq": libpq, "amazon": amazon}


def refusal(client, server, user, password=PASSWORD, **more):
    """(SQLSTATE or None, message)"""
    with pytest.raises((psycopg.OperationalError, redshift_connector.Error)) as refused:
        client(server, user, password, **more)
    error = refused.value
    if isinstance(error, psycopg.Error):
        return error.sqlstate, str(error).split("FATAL:")[-1].strip()
    return error.args[0]["C"], error.args[0]["M"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("user", ["plain", "hashed", "sha", "salted"])
def test_a_right_password_signs_on(cluster, client, user):
    assert CLIENTS[client](cluster, user) == user


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("user", ["plain", "hashed", "sha", "salted", "expired", "disabled", "nobody", "rdsdb", "Plain", "plain "])
def test_a_wrong_one_is_refused_in_the_same_words_whoever_it_is(cluster, client, user):
    assert refusal(CLIENTS[client], cluster, user, WRONG)[1] == f'password authentication failed for user "{user}"'


@pytest.mark.parametrize("client", CLIENTS)
def test_a_disabled_user_is_a_stranger(cluster, client):
    assert refusal(CLIENTS[client], cluster, "disabled")[1] == 'password authentication failed for user "disabled"'


@pytest.mark.parametrize("client", CLIENTS)
def test_expiry_and_databases_are_told_after_a_right_password_only(cluster, client):
    assert refusal(CLIENTS[client], cluster, "expired")[1] == 'password expired for user "expired"'
    assert refusal(CLIENTS[client], cluster, "plain", database="nothing")[1] == 'database "nothing" does not exist'
    assert refusal(CLIENTS[client], cluster, "plain", WRONG, database="nothing")[1] == 'password authentication failed for user "plain"'


def test_a_password_in_clear_text_is_asked_for_on_tls_only(cluster):
    assert libpq(cluster, "plain", sslmode="disable") == "plain", "SCRAM shows nothing to a listener"
    assert refusal(libpq, cluster, "sha", sslmode="disable")[1] == 'password authentication failed for user "sha"'


@pytest.mark.parametrize("user", ["IAM:plain", "IAMA:plain", "IAMR:plain"])
def test_names_of_temporary_credentials_take_no_password(cluster, user):
    for client in CLIENTS.values():
        assert refusal(client, cluster, user)[1] == f'password authentication failed for user "{user}"'


def test_a_user_s_connection_limit(cluster):
    with cluster.connect(user="limited", password=PASSWORD):
        assert refusal(libpq, cluster, "limited")[1] == 'too many connections for user "limited"'

    def again():  # the server hears of the end of the first a moment later
        try:
            return libpq(cluster, "limited") == "limited"
        except psycopg.OperationalError:
            return False

    eventually(again)


def test_every_attempt_is_in_the_connection_log(cluster):
    refusal(libpq, cluster, "stranger7", WRONG)
    refusal(amazon, cluster, "plain", WRONG)
    amazon(cluster, "plain", application_name="logged")
    with cluster.connect() as connection:
        def events(user):
            return [(event.strip(), application.strip()) for event, application in connection.execute(
                "select event, application_name from stl_connection_log where username = %s order by recordtime", (user,))]
        assert events("stranger7") == [("authentication failure", "")]
        assert "authentication failure" in [event for event, _ in events("plain")]
        assert ("authenticated", "logged") in events("plain") and ("initiating session", "logged") in events("plain")
        tls, driver, protocol = connection.execute("select sslversion, driver_version, protocol_version from stl_connection_log"
                                                   " where application_name = 'logged' and event = 'initiating session'").fetchone()
        assert (tls.strip(), protocol) == ("TLSv1.3", 2) and driver.startswith("Redshift Python Driver")


def test_the_log_is_for_superusers(cluster):
    with cluster.connect(user="plain", password=PASSWORD) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from stl_connection_log")
