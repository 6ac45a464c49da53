"""IAM: what its answers hold and what it refuses to store."""
import json

import pytest
from support.aws import ADMIN, name, policy, refused


@pytest.fixture(scope="module")
def iam(server):
    return server.boto("iam")


def test_a_managed_policy_as_answers_show_it(iam):
    tags = [{"Key": "team", "Value": "red"}]
    path = f"/{name('p')}/"
    tagged = iam.create_policy(PolicyName=name("p"), Path=path, PolicyDocument=policy(ADMIN), Description="d", Tags=tags)["Policy"]
    plain = iam.create_policy(PolicyName=name("p"), Path=path, PolicyDocument=policy(ADMIN))["Policy"]
    assert "Description" not in tagged and tagged["Tags"] == tags and "Tags" not in plain
    whole = iam.get_policy(PolicyArn=tagged["Arn"])["Policy"]
    assert whole["Description"] == "d" and whole["Tags"] == tags
    assert iam.get_policy(PolicyArn=plain["Arn"])["Policy"]["Tags"] == []
    listed = iam.list_policies(PathPrefix=path)["Policies"]
    assert {p["Arn"] for p in listed} == {tagged["Arn"], plain["Arn"]}
    assert not any("Description" in p or "Tags" in p for p in listed)


@pytest.mark.parametrize("version", [None, "2008-10-17"])
def test_managed_policies_are_of_2012(iam, version):
    document = {"Version": version, "Statement": ADMIN} if version else {"Statement": ADMIN}
    with refused("MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater."):
        iam.create_policy(PolicyName=name("p"), PolicyDocument=json.dumps(document))
    arn = iam.create_policy(PolicyName=name("p"), PolicyDocument=policy(ADMIN))["Policy"]["Arn"]
    with refused("MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater."):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document))
    with refused("MalformedPolicyDocument", "Syntax errors in policy."):
        iam.create_policy(PolicyName=name("p"), PolicyDocument="[]")
    user = name("user")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=json.dumps(document))
