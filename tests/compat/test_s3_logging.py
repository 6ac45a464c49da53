"""S3: server access logs, really delivered."""
import shlex
import time

import pytest
from support.aws import name, new_bucket, policy, refused


@pytest.fixture(scope="module")
def s3(server):
    return server.boto("s3")


def log_bucket(server, s3, **condition):
    """A bucket that lets the log service in."""
    bucket = new_bucket(s3)
    statement = {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy({**statement, **condition}))
    return bucket


def log_to(s3, source, target, prefix="log/"):
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": prefix}})


def lines(s3, target, wanted, seconds=15):
    """The fields of all lines delivered, once `wanted` of them are there. DESIGN promises ten seconds."""
    deadline = time.monotonic() + seconds
    while True:
        keys = [o["Key"] for o in s3.list_objects_v2(Bucket=target).get("Contents", [])]
        text = "".join(s3.get_object(Bucket=target, Key=k)["Body"].read().decode() for k in keys)
        found = [shlex.split(line.replace("[", '"[').replace("]", ']"')) for line in text.splitlines()]
        if len(found) >= wanted or time.monotonic() > deadline:
            return keys, found
        time.sleep(0.2)


def test_lines_arrive_with_all_their_fields(server, s3):
    target = log_bucket(server, s3, Condition={"StringEquals": {"aws:SourceAccount": server.account}})
    source = new_bucket(s3)
    log_to(s3, source, target)
    assert s3.get_bucket_logging(Bucket=source)["LoggingEnabled"] == {"TargetBucket": target, "TargetPrefix": "log/"}
    request = s3.put_object(Bucket=source, Key="a b/ü", Body=b"hello")["ResponseMetadata"]["RequestId"]
    s3.get_object(Bucket=source, Key="a b/ü")["Body"].read()
    with refused("NoSuchKey"):
        s3.get_object(Bucket=source, Key="missing")
    s3.list_objects_v2(Bucket=source)
    s3.delete_objects(Bucket=source, Delete={"Objects": [{"Key": "a b/ü"}]})
    keys, found = lines(s3, target, 7)
    assert all(k.startswith("log/20") for k in keys)
    by = {}
    for f in found:
        assert len(f) == 26 and f[1] == source and f[0] == s3.list_buckets()["Owner"]["ID"] and f[3] == "127.0.0.1"
        by.setdefault(f[6], []).append(f)
    put = by["REST.PUT.OBJECT"][0]
    assert put[5] == request and put[7] == "a%20b/%C3%BC" and put[8] == f"PUT /{source}/a%20b/%C3%BC HTTP/1.1" and put[9] == "200"
    assert put[4].endswith(":user/admin") and put[19] == "SigV4" and put[21] == "AuthHeader" and put[23].startswith("TLSv1") and "Boto3" in put[16]
    got = [f for f in by["REST.GET.OBJECT"] if f[9] == "200"][0]
    assert got[11] == "5"
    missing = [f for f in by["REST.GET.OBJECT"] if f[9] == "404"][0]
    assert missing[10] == "NoSuchKey"
    assert by["REST.GET.BUCKET"] and by["BATCH.DELETE.OBJECT"][0][7] == "a%20b/%C3%BC" and by["REST.POST.MULTI_OBJECT_DELETE"]


def test_the_old_way_by_acl(server, s3):
    target = name("b")
    s3.create_bucket(Bucket=target, ACL="log-delivery-write", ObjectOwnership="ObjectWriter")
    source = new_bucket(s3)
    log_to(s3, source, target, "")
    s3.list_objects_v2(Bucket=source)
    assert lines(s3, target, 1)[1]


def test_a_bucket_that_logs_into_itself_comes_to_rest(server, s3):
    bucket = log_bucket(server, s3)
    log_to(s3, bucket, bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    keys, _ = lines(s3, bucket, 1)
    assert keys
    # Deliveries aren't logged: a delivery that logged itself would bring one more every time.
    _, found = lines(s3, bucket, 10_000, seconds=6)
    assert not [f for f in found if f[7].startswith("log/") and f[6].startswith("REST.PUT")]


def test_what_a_client_sends_cant_forge_a_line(server, s3):
    target, source = log_bucket(server, s3), new_bucket(s3)
    log_to(s3, source, target)
    import botocore.config
    evil = server.boto("s3", config=botocore.config.Config(user_agent='x" 200 - "forged'))
    evil.put_object(Bucket=source, Key='k" - "\nforged - -', Body=b"x")
    _, found = lines(s3, target, 2)
    assert all(len(f) == 26 and f[1] == source for f in found)


def test_logs_go_to_no_stranger(server, s3):
    _, theirs = server.new_account("logthief")
    client = server.boto("s3", theirs)
    stolen = log_bucket(server, client)
    source = new_bucket(s3)
    with refused("InvalidTargetBucketForLogging", "must be the same"):
        log_to(s3, source, stolen)
    with refused("InvalidTargetBucketForLogging"):
        log_to(s3, source, name("b"))
    # A target that a stranger makes anew under its old name.
    target = log_bucket(server, s3)
    log_to(s3, source, target)
    s3.delete_bucket(Bucket=target)
    client.create_bucket(Bucket=target)
    client.put_bucket_policy(Bucket=target, Policy=policy({"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
                                                           "Resource": f"arn:aws:s3:::{target}/*"}))
    s3.put_object(Bucket=source, Key="secret name", Body=b"x")
    assert lines(client, target, 1, seconds=6)[1] == []
