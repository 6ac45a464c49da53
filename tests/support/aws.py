"""Shorthands of the suites that talk to the AWS services by boto3."""
import contextlib
import json
import secrets

import botocore.exceptions
import pytest

ADMIN = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def name(prefix="t"):
    """A bucket, role or user name that no other test has."""
    return f"{prefix}-{secrets.token_hex(6)}"


@contextlib.contextmanager
def refused(code, message=None, status=None):
    """The block must end with that error of AWS's; `message`: a part of its text. Gives the error's response."""
    answer = {}
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield answer
    answer.update(caught.value.response)
    error = answer["Error"]
    assert error["Code"] == code, error
    if message is not None:
        assert message in error["Message"], error
    if status is not None:
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def new_user(server, *statements, credentials=None, user=None):
    """(ARN, credentials) of a new IAM user with an inline policy of these statements."""
    iam = server.boto("iam", credentials)
    user = user or name("user")
    arn = iam.create_user(UserName=user)["User"]["Arn"]
    if statements:
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy(*statements))
    return arn, iam.create_access_key(UserName=user)["AccessKey"]


def new_role(server, *statements, trusted=None, credentials=None, role=None):
    """(ARN, credentials) of a new role that its account may assume, with an inline policy of these statements."""
    iam = server.boto("iam", credentials)
    account = server.boto("sts", credentials).get_caller_identity()["Account"]
    role = role or name("role")
    trust = policy({"Effect": "Allow", "Principal": {"AWS": trusted or account}, "Action": "sts:AssumeRole"})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy(*statements))
    return arn, server.assume(arn, credentials)


def new_bucket(client, *, public=False, **more):
    """The name of a new bucket; `public`: without its public access block."""
    bucket = name("b")
    if client.meta.region_name != "us-east-1":
        more["CreateBucketConfiguration"] = {"LocationConstraint": client.meta.region_name}
    client.create_bucket(Bucket=bucket, **more)
    if public:
        client.delete_public_access_block(Bucket=bucket)
    return bucket


def body(answer):
    return answer["Body"].read()
