"""The Redshift control plane by boto3 and the AWS CLI: clusters are made, described, changed, paused and deleted; errors in AWS's words."""
import time

import psycopg
import pytest
from support.aws import name, new_role, new_user, refused

PASSWORD = "Passw0rd-1"


@pytest.fixture(scope="module")
def redshift(server):
    return server.boto("redshift")


@pytest.fixture(scope="module")
def cluster(redshift):
    redshift.create_cluster(ClusterIdentifier="second", NodeType="ra3.large", ClusterType="multi-node", NumberOfNodes=2, MasterUsername="boss", MasterUserPassword=PASSWORD,
                            DBName="sales", Port=5439, Tags=[{"Key": "team", "Value": "blue"}])
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier="second", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return redshift.describe_clusters(ClusterIdentifier="second")["Clusters"][0]


def connect(server, cluster, user="boss", password=PASSWORD, database="sales"):
    at = cluster["Endpoint"]
    return psycopg.connect(host=at["Address"], port=at["Port"], user=user, password=password, dbname=database, sslmode="verify-full", sslrootcert=server.ca, autocommit=True, connect_timeout=30)


def test_a_cluster_is_what_was_asked_for(server, cluster):
    assert cluster["ClusterStatus"] == "available" and cluster["DBName"] == "sales" and cluster["MasterUsername"] == "boss"
    assert cluster["NumberOfNodes"] == 2 and cluster["NodeType"] == "ra3.large"
    assert cluster["Tags"] == [{"Key": "team", "Value": "blue"}] and cluster["IamRoles"] == []
    assert cluster["ClusterNamespaceArn"].startswith(f"arn:aws:redshift:{server.region}:{server.account}:namespace:")
    assert "MasterUserPassword" not in str(cluster)
    with connect(server, cluster) as c:
        assert c.execute("select current_user, current_database()").fetchone() == ("boss", "sales")


def test_every_cluster_has_its_own_address_and_data(server, cluster, redshift):
    first = redshift.describe_clusters(ClusterIdentifier=server.cluster)["Clusters"][0]
    assert first["Endpoint"]["Address"] != cluster["Endpoint"]["Address"]
    with connect(server, cluster) as c:
        c.execute("create table only_here (a integer)")
    assert server.psql("select count(*) from pg_tables where tablename = 'only_here'") == "0"
    with pytest.raises(psycopg.OperationalError):  # the other's password
        connect(server, first, password=PASSWORD)


def test_a_new_password_rules_the_next_sign_on(server, cluster, redshift):
    redshift.modify_cluster(ClusterIdentifier="second", MasterUserPassword="Another-1x")
    deadline = time.monotonic() + 30
    while True:
        try:
            connect(server, cluster, password="Another-1x").close()
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the new password never worked"
            time.sleep(0.2)
    with pytest.raises(psycopg.OperationalError):
        connect(server, cluster)
    redshift.modify_cluster(ClusterIdentifier="second", MasterUserPassword=PASSWORD)


def test_roles_attach_and_detach(server, cluster, redshift):
    arn, _ = new_role(server)
    answer = redshift.modify_cluster_iam_roles(ClusterIdentifier="second", AddIamRoles=[arn])["Cluster"]["IamRoles"]
    assert [r["IamRoleArn"] for r in answer] == [arn]
    roles = redshift.describe_clusters(ClusterIdentifier="second")["Clusters"][0]["IamRoles"]
    assert roles == [{"IamRoleArn": arn, "ApplyStatus": "in-sync"}]
    redshift.modify_cluster_iam_roles(ClusterIdentifier="second", RemoveIamRoles=[arn])
    assert redshift.describe_clusters(ClusterIdentifier="second")["Clusters"][0]["IamRoles"] == []


def test_passing_a_role_needs_pass_role(server, cluster):
    arn, _ = new_role(server)
    _, key = new_user(server, {"Effect": "Allow", "Action": "redshift:*", "Resource": "*"})
    with refused("AccessDenied", "iam:PassRole"):
        server.boto("redshift", key).modify_cluster_iam_roles(ClusterIdentifier="second", AddIamRoles=[arn])


def test_nobody_else_sees_or_touches_it(server, cluster):
    _, key = new_user(server)
    with refused("AccessDenied"):
        server.boto("redshift", key).describe_clusters()
    _, other = server.new_account(name("other"))
    theirs = server.boto("redshift", other)
    assert theirs.describe_clusters()["Clusters"] == []
    for call in (lambda: theirs.describe_clusters(ClusterIdentifier="second"), lambda: theirs.modify_cluster(ClusterIdentifier="second", MasterUserPassword="Mine-1234"),
                 lambda: theirs.delete_cluster(ClusterIdentifier="second", SkipFinalClusterSnapshot=True), lambda: theirs.pause_cluster(ClusterIdentifier="second")):
        with refused("ClusterNotFound"):
            call()


WRONG = [("InvalidParameterValue", {"MasterUserPassword": "short1A"}), ("InvalidParameterValue", {"MasterUserPassword": "nodigitsHere"}), ("InvalidParameterValue", {"MasterUserPassword": "Has/slash1"}),
         ("InvalidParameterValue", {"ClusterIdentifier": "UPPER"}), ("InvalidParameterValue", {"ClusterIdentifier": "double--hyphen"}), ("InvalidParameterValue", {"ClusterIdentifier": "9first"}),
         ("InvalidParameterValue", {"MasterUsername": "1boss"}), ("InvalidParameterValue", {"DBName": "Bad Name"}), ("InvalidParameterValue", {"NodeType": "huge.99"}),
         ("ClusterAlreadyExists", {"ClusterIdentifier": "second"}), ("InvalidParameterValue", {"Port": 80})]


@pytest.mark.parametrize("code, change", WRONG, ids=range(len(WRONG)))
def test_what_is_not_a_cluster_is_refused(cluster, redshift, code, change):
    before = {c["ClusterIdentifier"] for c in redshift.describe_clusters()["Clusters"]}
    with refused(code):
        redshift.create_cluster(**{"ClusterIdentifier": "third", "NodeType": "ra3.large", "MasterUsername": "boss", "MasterUserPassword": PASSWORD, **change})
    assert {c["ClusterIdentifier"] for c in redshift.describe_clusters()["Clusters"]} == before


def test_pause_and_resume(server, cluster, redshift):
    with connect(server, cluster) as c:
        c.execute("create table kept (a integer)")
        c.execute("insert into kept values (7)")
    redshift.pause_cluster(ClusterIdentifier="second")
    while redshift.describe_clusters(ClusterIdentifier="second")["Clusters"][0]["ClusterStatus"] != "paused":
        time.sleep(0.1)
    with pytest.raises(psycopg.OperationalError):
        connect(server, cluster)
    redshift.resume_cluster(ClusterIdentifier="second")
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier="second", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    with connect(server, cluster) as c:
        assert c.execute("select a from kept").fetchall() == [(7,)]


def test_clusters_survive_a_kill(server, cluster, redshift):
    server.kill()
    server.start()
    again = redshift.describe_clusters(ClusterIdentifier="second")["Clusters"][0]
    assert again["Endpoint"] == cluster["Endpoint"] and again["ClusterNamespaceArn"] == cluster["ClusterNamespaceArn"]
    with connect(server, cluster) as c:
        assert c.execute("select current_database()").fetchone() == ("sales",)


def test_the_cli_and_deletion(server, cluster):
    listed = server.aws("redshift", "describe-clusters", "--query", "Clusters[].ClusterIdentifier")
    assert set(listed) == {"second", server.cluster}
    server.aws("redshift", "delete-cluster", "--cluster-identifier", "second", "--skip-final-cluster-snapshot")
    server.aws("redshift", "wait", "cluster-deleted", "--cluster-identifier", "second")
    with pytest.raises(psycopg.OperationalError):
        connect(server, cluster)
    # The same name again is another cluster, with nothing of the old one.
    redshift = server.boto("redshift")
    redshift.create_cluster(ClusterIdentifier="second", NodeType="ra3.large", MasterUsername="boss", MasterUserPassword=PASSWORD, DBName="sales")
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier="second", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    again = redshift.describe_clusters(ClusterIdentifier="second")["Clusters"][0]
    assert again["ClusterNamespaceArn"] != cluster["ClusterNamespaceArn"]
    with connect(server, again) as c:
        assert c.execute("select count(*) from pg_tables where tablename = 'kept'").fetchone() == (0,)
