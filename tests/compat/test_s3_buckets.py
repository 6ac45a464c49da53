"""S3: buckets and their settings."""
import pytest
from support.aws import body, name, new_bucket, policy, refused


@pytest.fixture(scope="module")
def s3(server):
    return server.boto("s3")


@pytest.fixture(scope="module")
def mallory(server):
    """(account, credentials) of somebody else."""
    return server.new_account("mallory")


@pytest.fixture
def bucket(s3):
    return new_bucket(s3)


@pytest.mark.parametrize("bad", ["ab", "A" * 5, "a" * 64, "under_score", "-dash", "dash-", "dot..dot", ".dot", "1.2.3.4", "xn--a", "a-s3alias", "sthree-x",
                                 "a b", "ünicode"])
def test_bad_names(server, bad):
    import botocore.exceptions
    client = server.boto("s3")
    client.meta.events.unregister("before-parameter-build.s3", __import__("botocore.handlers", fromlist=["x"]).validate_bucket_name)
    with pytest.raises((botocore.exceptions.ClientError, botocore.exceptions.ParamValidationError)) as caught:
        client.create_bucket(Bucket=bad)
    if hasattr(caught.value, "response"):
        assert caught.value.response["Error"]["Code"] in ("InvalidBucketName", "InvalidURI")


def test_a_name_has_one_owner(server, s3, mallory, bucket):
    with refused("BucketAlreadyExists", "The requested bucket name is not available", 409):
        server.boto("s3", mallory[1]).create_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)  # us-east-1 lets its owner try again
    west = server.boto("s3", region_name="us-west-2")
    where = {"LocationConstraint": "us-west-2"}
    other = name("b")
    west.create_bucket(Bucket=other, CreateBucketConfiguration=where)
    with refused("BucketAlreadyOwnedByYou", status=409):
        west.create_bucket(Bucket=other, CreateBucketConfiguration=where)
    with refused("BucketAlreadyOwnedByYou", status=409):
        s3.create_bucket(Bucket=other)  # which is not in us-east-1
    with refused("BucketAlreadyOwnedByYou", status=409):
        west.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    for elsewhere in ["us-east-1", "us-east-2"]:
        with refused("IllegalLocationConstraintException", f"The {elsewhere} location constraint is incompatible"):
            west.create_bucket(Bucket=name("b"), CreateBucketConfiguration={"LocationConstraint": elsewhere})
    s3.delete_bucket(Bucket=bucket)
    with refused("NoSuchBucket", status=404):
        s3.delete_bucket(Bucket=bucket)
    server.boto("s3", mallory[1]).create_bucket(Bucket=bucket)
    with refused("403", status=403):
        s3.head_bucket(Bucket=bucket)
    server.boto("s3", mallory[1]).delete_bucket(Bucket=bucket)


def test_regions(server, s3):
    west = server.boto("s3", region_name="us-west-2")
    bucket = new_bucket(west)
    assert west.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "us-west-2"
    assert west.head_bucket(Bucket=bucket)["BucketRegion"] == "us-west-2"
    east = new_bucket(s3)
    assert s3.get_bucket_location(Bucket=east)["LocationConstraint"] is None
    with refused("IllegalLocationConstraintException"):
        west.create_bucket(Bucket=name("b"))
    with refused("IllegalLocationConstraintException"):
        west.create_bucket(Bucket=name("b"), CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for bad in ["us-east-1", "mars", "us-west-99", "US-WEST-2"]:
        with refused("InvalidLocationConstraint"):
            s3.create_bucket(Bucket=name("b"), CreateBucketConfiguration={"LocationConstraint": bad})
    # The SDK finds its way by the answer's region.
    west.put_object(Bucket=bucket, Key="k", Body=b"west")
    import botocore.config
    import botocore.exceptions
    astray = server.boto("s3", config=botocore.config.Config(retries={"total_max_attempts": 3}))
    try:
        assert body(astray.get_object(Bucket=bucket, Key="k")) == b"west"
    except botocore.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] in ("AuthorizationHeaderMalformed", "PermanentRedirect")
        assert e.response["Error"]["Region"] == "us-west-2"
    # Copies cross regions, with each side's bucket in its own.
    s3.copy_object(Bucket=east, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert body(s3.get_object(Bucket=east, Key="copy")) == b"west"


def test_list_buckets(server, s3, mallory):
    made = sorted(new_bucket(s3) for _ in range(3))
    listed = s3.list_buckets()
    assert set(made) <= {b["Name"] for b in listed["Buckets"]} and len(listed["Owner"]["ID"]) == 64
    paged = [b["Name"] for page in s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 2}) for b in page["Buckets"]]
    assert paged == sorted(paged) and set(made) <= set(paged)
    assert [b["Name"] for b in s3.list_buckets(Prefix=made[0])["Buckets"]] == made[:1]
    assert not set(made) & {b["Name"] for b in server.boto("s3", mallory[1]).list_buckets()["Buckets"]}


def test_encryption_settings(s3, bucket):
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule == {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    want = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/x"}, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=want)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"] == want
    with refused("InvalidArgument"):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "alias/x"}}]})
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0] == rule


def test_tags(s3, bucket):
    with refused("NoSuchTagSet", status=404):
        s3.get_bucket_tagging(Bucket=bucket)
    tags = [{"Key": "Cost", "Value": "1"}, {"Key": "Team", "Value": "red"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    with refused("InvalidTag"):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "aws:x", "Value": ""}]})
    s3.delete_bucket_tagging(Bucket=bucket)
    with refused("NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=bucket)


def test_what_was_never_configured(s3, bucket):
    for call, code in [(s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"), (s3.get_bucket_cors, "NoSuchCORSConfiguration"),
                       (s3.get_bucket_website, "NoSuchWebsiteConfiguration"), (s3.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
                       (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"), (s3.get_bucket_policy, "NoSuchBucketPolicy"),
                       (s3.get_bucket_policy_status, "NoSuchBucketPolicy")]:
        with refused(code, status=404):
            call(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    with refused("NotImplemented", status=501):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]})
    with refused("NotImplemented", status=501):
        s3.create_bucket(Bucket=name("b"), ObjectLockEnabledForBucket=True)


def test_public_access_block_and_ownership(s3, bucket):
    everything = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == everything
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {**dict.fromkeys(everything, False), "BlockPublicPolicy": True}
    s3.delete_public_access_block(Bucket=bucket)
    with refused("NoSuchPublicAccessBlockConfiguration", status=404):
        s3.get_public_access_block(Bucket=bucket)
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.put_bucket_acl(Bucket=bucket, ACL="log-delivery-write")
    with refused("InvalidBucketAclWithObjectOwnership"):
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    with refused("OwnershipControlsNotFoundError", status=404):
        s3.get_bucket_ownership_controls(Bucket=bucket)


def test_acls_are_off_by_default(s3, bucket):
    for acl in ["private", "public-read"]:
        with refused("AccessControlListNotSupported", "The bucket does not allow ACLs", 400):
            s3.put_bucket_acl(Bucket=bucket, ACL=acl)
        with refused("AccessControlListNotSupported"):
            s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL=acl)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control")
    with refused("AccessControlListNotSupported"):
        s3.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    with refused("InvalidBucketAclWithObjectOwnership"):
        s3.create_bucket(Bucket=name("b"), ACL="public-read")
    with refused("InvalidBucketAclWithBlockPublicAccessError"):
        s3.create_bucket(Bucket=name("b"), ACL="public-read", ObjectOwnership="ObjectWriter")
    s3.create_bucket(Bucket=name("b"), ACL="private")
    grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    assert [g["Permission"] for g in grants] == ["FULL_CONTROL"]


def test_acls_where_they_work(s3):
    bucket = name("b")
    s3.create_bucket(Bucket=bucket, ObjectOwnership="ObjectWriter", ACL="log-delivery-write")
    acl = s3.get_bucket_acl(Bucket=bucket)
    assert [(g["Grantee"].get("URI", "owner").split("/")[-1], g["Permission"]) for g in acl["Grants"]] == [
        ("owner", "FULL_CONTROL"), ("LogDelivery", "WRITE"), ("LogDelivery", "READ_ACP")]
    with refused("AccessDenied", status=403):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    with refused("AccessDenied", status=403):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    assert [g["Permission"] for g in s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]] == ["FULL_CONTROL", "READ"]
    with refused("InvalidArgument", "Invalid id"):
        s3.put_object_acl(Bucket=bucket, Key="k", GrantRead='id="' + "0" * 64 + '"')
    with refused("InvalidArgument", "not recognized"):
        s3.put_object_acl(Bucket=bucket, Key="k", GrantRead="everybody")
    with refused("AccessDenied"):
        s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={"Owner": {"ID": "0" * 64}, "Grants": []})


def test_policies_are_checked(server, s3, bucket):
    arn = f"arn:aws:s3:::{bucket}"
    ok = {"Effect": "Allow", "Principal": {"AWS": server.account}, "Action": "s3:GetObject", "Resource": f"{arn}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(ok))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    for statement, text in [({**ok, "Resource": "arn:aws:s3:::other/*"}, "invalid resource"), ({**ok, "Principal": {"AWS": "arn:aws:iam::111122223333:user/nobody"}}, "Invalid principal"),
                            ({**ok, "Action": "s3:Nonsense"}, None), ({**ok, "Effect": "Maybe"}, None), ({k: v for k, v in ok.items() if k != "Principal"}, None)]:
        with refused("MalformedPolicy", text, 400):
            s3.put_bucket_policy(Bucket=bucket, Policy=policy(statement))
    with refused("MalformedPolicy"):
        s3.put_bucket_policy(Bucket=bucket, Policy="not json")
    with refused("AccessDenied", "BlockPublicPolicy setting in S3 Block Public Access"):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy({**ok, "Principal": "*"}))
    assert server.account in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("NoSuchBucketPolicy", status=404):
        s3.get_bucket_policy(Bucket=bucket)


def test_expected_owner(s3, bucket):
    with refused("AccessDenied", status=403):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner="999999999999")
    with refused("403"):
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="999999999999")
