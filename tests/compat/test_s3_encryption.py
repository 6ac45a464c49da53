"""S3 with KMS: whose key, by whose permission, in AWS's words."""
import base64
import hashlib
import json

import pytest
from support.aws import ADMIN, body, new_bucket, new_role, new_user, policy, refused


@pytest.fixture(scope="module")
def s3(server):
    return server.boto("s3")


@pytest.fixture(scope="module")
def kms(server):
    return server.boto("kms")


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def bucket(s3, key):
    """A bucket that encrypts under `key` by default."""
    bucket = new_bucket(s3)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]})
    return bucket


S3_ONLY = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def test_the_bucket_decides_where_the_request_says_nothing(s3, bucket, key):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", key)
    assert put["ETag"] != f'"{hashlib.md5(b"x").hexdigest()}"'  # an MD5 would tell what is in it
    got = s3.head_object(Bucket=bucket, Key="k")
    assert (got["ServerSideEncryption"], got["SSEKMSKeyId"], got["ETag"]) == ("aws:kms", key, put["ETag"])
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"
    # aws:kms without a key: the bucket's.
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")["SSEKMSKeyId"] == key
    with refused("InvalidArgument", "requires HTTP header x-amz-server-side-encryption : aws:kms"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", SSEKMSKeyId=key)


def test_it_takes_the_right_to_the_key(server, s3, kms, bucket, key):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    arn, keys = new_role(server, S3_ONLY)
    session = arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/test"
    client = server.boto("s3", keys)
    with refused("AccessDenied", f"User: {session} is not authorized to perform: kms:GenerateDataKey on resource: {key} because no identity-based policy allows the "
                 "kms:GenerateDataKey action", 403):
        client.put_object(Bucket=bucket, Key="k2", Body=b"x")
    with refused("AccessDenied", f"User: {session} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no identity-based "
                 "policy allows the kms:Decrypt action", 403):
        client.get_object(Bucket=bucket, Key="k")
    client.head_object(Bucket=bucket, Key="k")  # metadata needs no key
    with refused("403"):
        client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")  # but a checksum tells of the bytes
    with refused("AccessDenied"):
        client.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum"])
    with refused("AccessDenied"):
        client.copy_object(Bucket=bucket, Key="k2", CopySource=f"{bucket}/k", ServerSideEncryption="AES256")
    client.put_object(Bucket=bucket, Key="k3", Body=b"x", ServerSideEncryption="AES256")


def test_through_s3_only(server, s3, bucket, key):
    """A permission for S3's use of the key is not one for KMS itself."""
    via = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*",
           "Condition": {"StringEquals": {"kms:ViaService": f"s3.{server.region}.amazonaws.com"}}}
    _, keys = new_user(server, S3_ONLY, via)
    client = server.boto("s3", keys)
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert body(client.get_object(Bucket=bucket, Key="k")) == b"x"
    with refused("AccessDeniedException", status=400):
        server.boto("kms", keys).generate_data_key(KeyId=key, KeySpec="AES_256")


def test_the_context_names_object_or_bucket(server, s3, bucket, key):
    arn = f"arn:aws:s3:::{bucket}"

    def limited(context_arn):
        _, keys = new_user(server, S3_ONLY, {"Effect": "Allow", "Action": "kms:*", "Resource": "*",
                                             "Condition": {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": context_arn}}})
        return server.boto("s3", keys)
    one = limited(f"{arn}/one")
    one.put_object(Bucket=bucket, Key="one", Body=b"1")
    s3.put_object(Bucket=bucket, Key="two", Body=b"2")
    assert body(one.get_object(Bucket=bucket, Key="one")) == b"1"
    with refused("AccessDenied"):
        one.get_object(Bucket=bucket, Key="two")
    whole = limited(arn)
    assert whole.put_object(Bucket=bucket, Key="three", Body=b"3", ServerSideEncryption="aws:kms", SSEKMSKeyId=key, BucketKeyEnabled=True)["BucketKeyEnabled"] is True
    assert body(whole.get_object(Bucket=bucket, Key="three")) == b"3"
    with refused("AccessDenied"):
        whole.get_object(Bucket=bucket, Key="two")
    own = base64.b64encode(json.dumps({"project": "x"}).encode()).decode()
    put = s3.put_object(Bucket=bucket, Key="four", Body=b"4", ServerSideEncryption="aws:kms", SSEKMSEncryptionContext=own)
    assert put["SSEKMSEncryptionContext"] == own and body(s3.get_object(Bucket=bucket, Key="four")) == b"4"
    for bad in ["not base64", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"aws:s3:arn": "arn:aws:s3:::other"}').decode(), base64.b64encode(b'{"a": 1}').decode()]:
        with refused("InvalidArgument"):
            s3.put_object(Bucket=bucket, Key="five", Body=b"5", ServerSideEncryption="aws:kms", SSEKMSEncryptionContext=bad)


def test_a_key_that_is_disabled_or_going(s3, kms, bucket, key):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    kms.disable_key(KeyId=key)
    for call in [lambda: s3.get_object(Bucket=bucket, Key="k"), lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"y")]:
        with refused("KMS.DisabledException", "is disabled", 400):
            call()
    kms.enable_key(KeyId=key)
    kms.rotate_key_on_demand(KeyId=key)
    assert body(s3.get_object(Bucket=bucket, Key="k")) == b"x"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with refused("KMS.KMSInvalidStateException", "is pending deletion", 400):
        s3.get_object(Bucket=bucket, Key="k")
    with refused("KMS.NotFoundException", status=400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/none")


def test_the_managed_key(server, s3, kms):
    bucket = new_bucket(s3)
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    described = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert described["Arn"] == put["SSEKMSKeyId"] and described["KeyManager"] == "AWS"
    # For the account, through S3: its policy says so, and nobody can change it.
    _, keys = new_user(server, S3_ONLY)
    assert body(server.boto("s3", keys).get_object(Bucket=bucket, Key="k")) == b"x"
    with refused("AccessDeniedException"):
        kms.encrypt(KeyId=put["SSEKMSKeyId"], Plaintext=b"x")
    for call in [lambda: kms.disable_key(KeyId=put["SSEKMSKeyId"]), lambda: kms.put_key_policy(KeyId=put["SSEKMSKeyId"], Policy=policy(ADMIN)),
                 lambda: kms.schedule_key_deletion(KeyId=put["SSEKMSKeyId"])]:
        with refused("AccessDeniedException"):
            call()
    # Never for another account, whatever the bucket's policy says.
    account, theirs = server.new_account("outsider")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "s3:*", "Resource": [f"arn:aws:s3:::{bucket}",
                                                                                                                                 f"arn:aws:s3:::{bucket}/*"]}))
    other = server.boto("s3", theirs)
    other.head_object(Bucket=bucket, Key="k")
    with refused("AccessDenied"):
        other.get_object(Bucket=bucket, Key="k")
    # What it writes with aws:kms and no key is under its own account's key: the owner's bucket, a stranger's key.
    mine = other.put_object(Bucket=bucket, Key="theirs", Body=b"x", ServerSideEncryption="aws:kms")["SSEKMSKeyId"]
    assert f":{account}:" in mine
    with refused("AccessDenied"):
        s3.get_object(Bucket=bucket, Key="theirs")


def test_another_accounts_key_takes_both_sides(server, s3, kms, bucket, key):
    account, theirs = server.new_account("partner")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "s3:*", "Resource": [f"arn:aws:s3:::{bucket}",
                                                                                                                                 f"arn:aws:s3:::{bucket}/*"]}))
    other = server.boto("s3", theirs)
    with refused("AccessDenied", "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"):
        other.get_object(Bucket=bucket, Key="k")
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{server.account}:root"}, "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(KeyId=key, Policy=policy(own, {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": ["kms:Decrypt"], "Resource": "*"}))
    assert body(other.get_object(Bucket=bucket, Key="k")) == b"x"
    with refused("AccessDenied"):
        other.put_object(Bucket=bucket, Key="k", Body=b"y")
    _, nobody = new_user(server, S3_ONLY, credentials=theirs)
    with refused("AccessDenied", "no identity-based policy allows the kms:Decrypt action"):
        server.boto("s3", nobody).get_object(Bucket=bucket, Key="k")


def test_multipart_takes_both_permissions(server, s3, bucket, key):
    _, keys = new_user(server, S3_ONLY, {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"})
    client = server.boto("s3", keys)
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    up = {"Bucket": bucket, "Key": "m", "UploadId": client.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]}
    with refused("AccessDenied", "kms:Decrypt"):
        client.upload_part(**up, PartNumber=1, Body=b"x")
    part = s3.upload_part(**up, PartNumber=1, Body=b"x")
    with refused("AccessDenied", "kms:Decrypt"):
        client.complete_multipart_upload(**up, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}]})


def test_on_plain_http_kms_stays_closed(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    plain = server.boto("s3", endpoint_url=server.http_url)
    for call in [lambda: plain.get_object(Bucket=bucket, Key="k"), lambda: plain.put_object(Bucket=bucket, Key="k", Body=b"x")]:
        with refused("InvalidArgument", "must be made over a secure connection"):
            call()
