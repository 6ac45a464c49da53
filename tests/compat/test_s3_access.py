"""S3: who may do what. Policies, public access, ACLs, other accounts, and the attacks on all of them."""
import json
import urllib.error
import urllib.request

import botocore
import botocore.config
import pytest
from support.aws import ADMIN, body, name, new_bucket, new_role, new_user, policy, refused


@pytest.fixture(scope="module")
def s3(server):
    return server.boto("s3")


@pytest.fixture(scope="module")
def mallory(server):
    """(account, credentials) of the administrator of another account."""
    return server.new_account("mallory")


@pytest.fixture
def bucket(s3):
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k", Body=b"mine", Tagging="Team=red")
    return bucket


@pytest.fixture
def anonymous(server):
    return server.boto("s3", config=botocore.config.Config(signature_version=botocore.UNSIGNED))


def allow(bucket, principal, *actions, **more):
    arn = f"arn:aws:s3:::{bucket}"
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": [arn, f"{arn}/*"], **more}


def deny(bucket, principal, *actions, **more):
    return {**allow(bucket, principal, *actions, **more), "Effect": "Deny"}


def test_another_account_gets_in_by_nothing(server, mallory, bucket):
    theirs = server.boto("s3", mallory[1])
    mine = new_bucket(theirs)
    own = f"{bucket}/k"
    for call in [
            lambda: theirs.get_object(Bucket=bucket, Key="k"), lambda: theirs.put_object(Bucket=bucket, Key="k", Body=b"x"),
            lambda: theirs.delete_object(Bucket=bucket, Key="k"), lambda: theirs.list_objects_v2(Bucket=bucket),
            lambda: theirs.list_object_versions(Bucket=bucket), lambda: theirs.get_bucket_policy(Bucket=bucket),
            lambda: theirs.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, "*", "s3:*"))), lambda: theirs.delete_bucket(Bucket=bucket),
            lambda: theirs.get_bucket_acl(Bucket=bucket), lambda: theirs.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={}),
            lambda: theirs.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": mine, "TargetPrefix": ""}}),
            lambda: theirs.copy_object(Bucket=mine, Key="stolen", CopySource=own), lambda: theirs.get_object_tagging(Bucket=bucket, Key="k"),
            lambda: theirs.create_multipart_upload(Bucket=bucket, Key="k"), lambda: theirs.get_object(Bucket=bucket, Key="missing"),
            lambda: theirs.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag"]),
            lambda: theirs.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})]:
        with refused("AccessDenied", status=403):
            call()
    up = theirs.create_multipart_upload(Bucket=mine, Key="k")["UploadId"]
    with refused("AccessDenied"):
        theirs.upload_part_copy(Bucket=mine, Key="k", UploadId=up, PartNumber=1, CopySource=own)
    answer = theirs.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}, {"Key": "missing"}]})
    assert [e["Code"] for e in answer["Errors"]] == ["AccessDenied"] * 2 and "Deleted" not in answer
    assert body(server.boto("s3").get_object(Bucket=bucket, Key="k")) == b"mine"


def test_reasons_within_an_account(server, bucket):
    arn, keys = new_user(server, {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"})
    with refused("AccessDenied", f'User: {arn} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::{bucket}/k" because no identity-based policy allows '
                 "the s3:GetObject action", 403):
        server.boto("s3", keys).get_object(Bucket=bucket, Key="k")


def test_missing_objects_are_a_secret_of_those_who_may_list(server, bucket):
    _, reader = new_user(server, {"Effect": "Allow", "Action": "s3:GetObject*", "Resource": f"arn:aws:s3:::{bucket}/*"})
    client = server.boto("s3", reader)
    assert body(client.get_object(Bucket=bucket, Key="k")) == b"mine"
    with refused("AccessDenied", status=403):
        client.get_object(Bucket=bucket, Key="missing")
    with refused("403", status=403):
        client.head_object(Bucket=bucket, Key="missing")
    with refused("AccessDenied", status=403):
        client.get_object(Bucket=bucket, Key="k", VersionId="A" * 32)
    _, both = new_user(server, {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"})
    with refused("NoSuchKey", status=404):
        server.boto("s3", both).get_object(Bucket=bucket, Key="missing")


def test_delete_objects_decides_key_by_key(server, s3, bucket):
    for key in ["ours/1", "theirs/1"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    _, keys = new_user(server, {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{bucket}/ours/*"})
    answer = server.boto("s3", keys).delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "ours/1"}, {"Key": "theirs/1"}, {"Key": "ours/../theirs/1"}]})
    assert [d["Key"] for d in answer["Deleted"]] == ["ours/1", "ours/../theirs/1"]  # a key is a name, not a path
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [("theirs/1", "AccessDenied")]
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="theirs/")["Contents"]] == ["theirs/1"]


def test_a_bucket_policy_opens_for_another_account(server, s3, mallory, bucket):
    theirs = server.boto("s3", mallory[1])
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, {"AWS": f"arn:aws:iam::{mallory[0]}:root"}, "s3:GetObject", "s3:GetBucketPolicy", "s3:PutBucketPolicy")))
    assert body(theirs.get_object(Bucket=bucket, Key="k")) == b"mine"
    with refused("AccessDenied"):
        theirs.put_object(Bucket=bucket, Key="k", Body=b"x")
    # The policy itself is for the owner's account only, whatever it says.
    with refused("MethodNotAllowed", status=405):
        theirs.get_bucket_policy(Bucket=bucket)
    with refused("MethodNotAllowed", status=405):
        theirs.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, "*", "s3:*")))
    # Both sides must agree.
    _, nobody = new_user(server, credentials=mallory[1])
    with refused("AccessDenied"):
        server.boto("s3", nobody).get_object(Bucket=bucket, Key="k")
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("AccessDenied"):
        theirs.get_object(Bucket=bucket, Key="k")


def test_a_role_made_anew_is_a_stranger(server, s3, mallory, bucket):
    role = name("role")
    arn, keys = new_role(server, ADMIN, credentials=mallory[1], role=role)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, {"AWS": arn}, "s3:GetObject")))
    assert body(server.boto("s3", keys).get_object(Bucket=bucket, Key="k")) == b"mine"
    assert arn in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    iam = server.boto("iam", mallory[1])
    iam.delete_role_policy(RoleName=role, PolicyName="p")
    iam.delete_role(RoleName=role)
    assert "AROA" in s3.get_bucket_policy(Bucket=bucket)["Policy"] and arn not in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    _, again = new_role(server, ADMIN, credentials=mallory[1], role=role)
    with refused("AccessDenied"):
        server.boto("s3", again).get_object(Bucket=bucket, Key="k")


def test_a_bucket_made_anew_has_nothing_of_the_old(server, s3, mallory):
    bucket = new_bucket(s3)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, {"AWS": server.account}, "s3:*")))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"old")["VersionId"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="u")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="u", UploadId=upload, PartNumber=1, Body=b"old")
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    s3.delete_bucket(Bucket=bucket)
    theirs = server.boto("s3", mallory[1])
    theirs.create_bucket(Bucket=bucket)
    with refused("NoSuchBucketPolicy"):
        theirs.get_bucket_policy(Bucket=bucket)
    assert "Status" not in theirs.get_bucket_versioning(Bucket=bucket)
    for call in [lambda: theirs.get_object(Bucket=bucket, Key="k", VersionId=version)]:
        with refused("NoSuchVersion"):
            call()
    with refused("NoSuchUpload"):
        theirs.list_parts(Bucket=bucket, Key="u", UploadId=upload)
    with refused("AccessDenied"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"into a stranger's bucket")


def test_public_access(server, s3, anonymous, mallory):
    bucket = new_bucket(s3, public=True)
    s3.put_object(Bucket=bucket, Key="k", Body=b"public")
    with refused("AccessDenied", status=403):
        anonymous.get_object(Bucket=bucket, Key="k")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, "*", "s3:GetObject")))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    assert body(anonymous.get_object(Bucket=bucket, Key="k")) == b"public"
    assert urllib.request.urlopen(f"{server.http_url}/{bucket}/k").read() == b"public"
    with refused("AccessDenied"):
        anonymous.get_object(Bucket=bucket, Key="missing")
    with refused("AccessDenied"):
        anonymous.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused("InvalidRequest"):
        anonymous.get_object(Bucket=bucket, Key="k", ResponseContentType="text/html")
    with refused("AccessDenied"):
        anonymous.create_bucket(Bucket=name("b"))
    with refused("AccessDenied"):
        anonymous.list_buckets()
    answer = anonymous.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
    assert answer["Errors"][0]["Code"] == "AccessDenied"
    # RestrictPublicBuckets: a public policy is for the own account only; what it denies it denies to all.
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, "*", "s3:GetObject"), deny(bucket, {"AWS": mallory[0]}, "s3:PutObject")))
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    with refused("AccessDenied"):
        anonymous.get_object(Bucket=bucket, Key="k")
    with refused("AccessDenied"):
        server.boto("s3", mallory[1]).get_object(Bucket=bucket, Key="k")
    assert body(s3.get_object(Bucket=bucket, Key="k")) == b"public"


def test_conditions_on_requests(server, s3, bucket):
    plain = server.boto("s3", endpoint_url=server.http_url)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(deny(bucket, "*", "s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})))
    for call in [lambda: plain.get_object(Bucket=bucket, Key="k"), lambda: plain.put_object(Bucket=bucket, Key="k", Body=b"x"), lambda: plain.list_objects_v2(Bucket=bucket)]:
        with refused("AccessDenied", "explicit deny in a resource-based policy"):
            call()
    assert body(s3.get_object(Bucket=bucket, Key="k")) == b"mine"
    # Keys of headers say what the request says, not what the bucket will do.
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(deny(bucket, "*", "s3:PutObject", Condition={"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}})))
    with refused("AccessDenied"):
        s3.put_object(Bucket=bucket, Key="k2", Body=b"x")
    s3.put_object(Bucket=bucket, Key="k2", Body=b"x", ServerSideEncryption="AES256")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(deny(bucket, "*", "s3:ListBucket", Condition={"StringNotLike": {"s3:prefix": "home/*"}})))
    with refused("AccessDenied"):
        s3.list_objects_v2(Bucket=bucket)
    s3.list_objects_v2(Bucket=bucket, Prefix="home/me")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(deny(bucket, "*", "s3:PutObject", Condition={"StringNotEquals": {"s3:RequestObjectTag/Team": "red"}})))
    with refused("AccessDenied"):
        s3.put_object(Bucket=bucket, Key="k3", Body=b"x", Tagging="Team=blue")
    s3.put_object(Bucket=bucket, Key="k3", Body=b"x", Tagging="Team=red")


def test_tags_decide(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="blue", Body=b"blue", Tagging="Team=blue")
    red = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectTagging"], "Resource": "*", "Condition": {"StringEquals": {"s3:ExistingObjectTag/Team": "red"}}}
    _, keys = new_user(server, red, {"Effect": "Allow", "Action": ["s3:PutObject", "s3:ListBucket"], "Resource": "*"})
    client = server.boto("s3", keys)
    assert body(client.get_object(Bucket=bucket, Key="k")) == b"mine"
    for call in [lambda: client.get_object(Bucket=bucket, Key="blue"), lambda: client.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/blue"),
                 lambda: client.put_object_tagging(Bucket=bucket, Key="blue", Tagging={"TagSet": [{"Key": "Team", "Value": "red"}]}),
                 # tags are copied along, and writing them takes a permission of its own
                 lambda: client.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k")]:
        with refused("AccessDenied"):
            call()
    client.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k", TaggingDirective="REPLACE")
    assert s3.get_object_tagging(Bucket=bucket, Key="c")["TagSet"] == []


def test_the_number_of_tags_is_for_those_who_may_see_them(server, bucket):
    _, keys = new_user(server, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    assert "TagCount" not in server.boto("s3", keys).get_object(Bucket=bucket, Key="k")


def test_versions_take_permissions_of_their_own(server, s3):
    bucket = new_bucket(s3)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    _, keys = new_user(server, {"Effect": "Allow", "Action": ["s3:GetObject", "s3:DeleteObject", "s3:PutObject", "s3:GetObjectAcl"], "Resource": "*"})
    client = server.boto("s3", keys)
    client.get_object(Bucket=bucket, Key="k")
    for call in [lambda: client.get_object(Bucket=bucket, Key="k", VersionId=version), lambda: client.delete_object(Bucket=bucket, Key="k", VersionId=version),
                 lambda: client.copy_object(Bucket=bucket, Key="c", CopySource={"Bucket": bucket, "Key": "k", "VersionId": version}),
                 lambda: client.get_object_acl(Bucket=bucket, Key="k", VersionId=version)]:
        with refused("AccessDenied"):
            call()
    client.delete_object(Bucket=bucket, Key="k")
    assert body(s3.get_object(Bucket=bucket, Key="k", VersionId=version)) == b"1"


def test_object_acls_between_accounts(server, s3, mallory):
    bucket = name("b")
    s3.create_bucket(Bucket=bucket, ObjectOwnership="ObjectWriter")
    theirs = server.boto("s3", mallory[1])
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, {"AWS": mallory[0]}, "s3:PutObject", "s3:PutObjectAcl"),
                                                      deny(bucket, "*", "s3:GetObject", Condition={"StringEquals": {"aws:UserAgent": "nobody"}})))
    theirs.put_object(Bucket=bucket, Key="k", Body=b"theirs")
    # The writer's object: the bucket's owner can delete it but not read it, nor give itself the right to.
    with refused("AccessDenied"):
        s3.get_object(Bucket=bucket, Key="k")
    with refused("AccessDenied"):
        s3.put_object_acl(Bucket=bucket, Key="k", ACL="public-read")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, {"AWS": server.account}, "s3:*"), allow(bucket, {"AWS": mallory[0]}, "s3:PutObject*")))
    with refused("AccessDenied"):
        s3.get_object(Bucket=bucket, Key="k")
    assert body(theirs.get_object(Bucket=bucket, Key="k")) == b"theirs"
    theirs.put_object(Bucket=bucket, Key="shared", Body=b"shared", ACL="bucket-owner-full-control")
    assert body(s3.get_object(Bucket=bucket, Key="shared")) == b"shared"
    # What the bucket's policy denies holds for objects of strangers too.
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(deny(bucket, "*", "s3:GetObject")))
    for client in [s3, theirs]:
        for key in ["k", "shared"]:
            with refused("AccessDenied"):
                client.get_object(Bucket=bucket, Key=key)
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("AccessDenied"):
        theirs.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="k")
    # Once the owner owns everything, ACLs say nothing any more.
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    with refused("AccessDenied"):
        theirs.get_object(Bucket=bucket, Key="shared")
    assert body(s3.get_object(Bucket=bucket, Key="shared")) == b"shared"


def test_preferred_ownership(server, s3, mallory):
    bucket = name("b")
    s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerPreferred")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(allow(bucket, {"AWS": mallory[0]}, "s3:PutObject", "s3:PutObjectAcl")))
    theirs = server.boto("s3", mallory[1])
    theirs.put_object(Bucket=bucket, Key="handed over", Body=b"x", ACL="bucket-owner-full-control")
    theirs.put_object(Bucket=bucket, Key="kept", Body=b"x")
    owners = {o["Key"]: o["Owner"]["ID"] for o in s3.list_objects(Bucket=bucket)["Contents"]}
    assert owners["handed over"] == s3.list_buckets()["Owner"]["ID"] and owners["kept"] == theirs.list_buckets()["Owner"]["ID"]
    with refused("AccessDenied"):
        theirs.get_object(Bucket=bucket, Key="handed over")


def test_acl_grants_reach_whom_they_name(server, s3, anonymous, mallory):
    bucket = name("b")
    s3.create_bucket(Bucket=bucket, ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket=bucket)
    theirs = server.boto("s3", mallory[1])
    s3.put_object(Bucket=bucket, Key="public", Body=b"p", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="signed", Body=b"s", ACL="authenticated-read")
    s3.put_object(Bucket=bucket, Key="one", Body=b"o", GrantRead=f'id="{theirs.list_buckets()["Owner"]["ID"]}"')
    assert body(anonymous.get_object(Bucket=bucket, Key="public")) == b"p"
    with refused("AccessDenied"):
        anonymous.get_object(Bucket=bucket, Key="signed")
    assert body(theirs.get_object(Bucket=bucket, Key="signed")) == b"s"
    assert body(theirs.get_object(Bucket=bucket, Key="one")) == b"o"
    with refused("AccessDenied"):
        anonymous.get_object(Bucket=bucket, Key="one")
    with refused("AccessDenied"):
        theirs.list_objects_v2(Bucket=bucket)
    s3.put_bucket_acl(Bucket=bucket, GrantRead='uri="http://acs.amazonaws.com/groups/global/AllUsers"')
    assert len(anonymous.list_objects_v2(Bucket=bucket)["Contents"]) == 3
    # Ignored from now on, without being taken away.
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    for call in [lambda: anonymous.get_object(Bucket=bucket, Key="public"), lambda: anonymous.list_objects_v2(Bucket=bucket),
                 lambda: theirs.get_object(Bucket=bucket, Key="signed")]:
        with refused("AccessDenied"):
            call()
    assert body(theirs.get_object(Bucket=bucket, Key="one")) == b"o"


def test_a_policy_variable_means_what_its_version_says(server, s3):
    bucket = name("b")
    s3.create_bucket(Bucket=bucket, ObjectOwnership="ObjectWriter")
    statement = {"Effect": "Allow", "Principal": {"AWS": server.account}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/${{aws:username}}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2008-10-17", "Statement": [statement]}))
    arn, keys = new_user(server)
    user = arn.split("/")[-1]
    s3.put_object(Bucket=bucket, Key=f"{user}/k", Body=b"x", ACL="bucket-owner-full-control")
    s3.put_object_acl(Bucket=bucket, Key=f"{user}/k", GrantRead='uri="http://acs.amazonaws.com/groups/s3/LogDelivery"')
    with refused("AccessDenied"):
        server.boto("s3", keys).get_object(Bucket=bucket, Key=f"{user}/k")


def test_traversal_by_url_is_a_name(server, bucket):
    for path in [f"/{bucket}/../{bucket}/k", f"/{bucket}/%2e%2e/{bucket}/k", f"/{bucket}/..%2f..%2fetc%2fpasswd", f"/{bucket}%00/k", f"/{bucket}/%ff"]:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(server.http_url + path)
        assert caught.value.code in (400, 403, 404)


def test_an_acl_is_named_in_one_way(s3):
    bucket = new_bucket(s3, public=True, ObjectOwnership="ObjectWriter")
    me = s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"]
    grants = {"Owner": {"ID": me}, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": me}, "Permission": "READ"}]}
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=grants)
    with refused("UnexpectedContent"):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read", AccessControlPolicy=grants)
    with refused("UnexpectedContent"):
        s3.put_bucket_acl(Bucket=bucket, GrantRead=f"id={me}", AccessControlPolicy=grants)
    both = {"ACL": "public-read", "GrantRead": f"id={me}"}
    for write in [lambda: s3.put_bucket_acl(Bucket=bucket, **both), lambda: s3.put_object(Bucket=bucket, Key="k", **both),
                  lambda: s3.create_bucket(Bucket=name("b"), ObjectOwnership="ObjectWriter", **both)]:
        with refused("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed"):
            write()
    with refused("MissingSecurityHeader"):
        s3.put_bucket_acl(Bucket=bucket)
    for wrong in [{"Grants": grants["Grants"]}, {"Owner": {}, "Grants": []},
                  {**grants, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": ""}, "Permission": "READ"}]}]:
        with refused("MalformedACLError"):
            s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=wrong)
    assert len(s3.get_bucket_acl(Bucket=bucket)["Grants"]) == 1
