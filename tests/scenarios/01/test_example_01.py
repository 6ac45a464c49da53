"""examples/01-role-chaining as a stranger runs it, with attacks of our own on top; templates of the year 2022; onboarding in numbers."""
import os
import pathlib
import re
import time

import botocore.exceptions
import pytest
from support.server import ROOT, Refused, code

EXAMPLE = ROOT / "examples/01-role-chaining"
HERE = pathlib.Path(__file__).resolve().parent

# The constructs of the templates that AWS published with the post, and that today's AWS refuses (an ACL, no ownership controls).
OLD_ONBOARDING = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: redshift-s3-onboarding-role
      Path: /
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
        - {Effect: Allow, Principal: {Service: [redshift.amazonaws.com]}, Action: ['sts:AssumeRole']}
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      AccessControl: LogDeliveryWrite
      BucketName: !Sub redshift-tenant-s3-access-logs-${AWS::AccountId}-${AWS::Region}
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption:
        ServerSideEncryptionConfiguration:
        - ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}
  LogsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: 2012-10-17
        Statement:
        - Action: s3:*
          Effect: Deny
          Principal: "*"
          Resource: [!Sub 'arn:aws:s3:::${Logs}', !Sub 'arn:aws:s3:::${Logs}/*']
          Condition: {Bool: {'aws:SecureTransport': false}}
Outputs:
  Role: {Value: !GetAtt Role.Arn}
  Bucket: {Value: !Ref Logs}
"""
OLD_TENANT = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters: {Name: {Type: String}}
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      Description: !Sub Key for ${Name} 
      Enabled: True
      EnableKeyRotation: True
      KeyPolicy:
        Version: '2012-10-17'
        Id: Default
        Statement:
        - {Sid: Users, Effect: Allow, Principal: {AWS: !Sub 'arn:aws:iam::${AWS::AccountId}:root'}, Action: 'kms:*', Resource: '*'}
  Alias:
    Type: AWS::KMS::Alias
    Properties:
      AliasName: !Sub alias/${Name}-key
      TargetKeyId:
        Ref: Key
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      BucketName: !Sub ${Name}-data-${AWS::AccountId}-${AWS::Region}
      LoggingConfiguration:
        DestinationBucketName: !Sub redshift-tenant-s3-access-logs-${AWS::AccountId}-${AWS::Region}
        LogFilePrefix: !Sub ${Name}-logs
      BucketEncryption:
        ServerSideEncryptionConfiguration:
        - ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms', KMSMasterKeyID: !GetAtt Key.Arn}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "${Name}-role"
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
        - {Effect: Allow, Principal: {AWS: [!Sub "arn:aws:iam::${AWS::AccountId}:role/redshift-s3-onboarding-role"]}, Action: ['sts:AssumeRole']}
      Policies:
      - PolicyName: Access
        PolicyDocument:
          Version: "2012-10-17"
          Statement:
          - {Effect: Allow, Action: ['kms:Encrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'], Resource: [!GetAtt Key.Arn]}
          - {Effect: Allow, Action: ['s3:ListAllMyBuckets'], Resource: "arn:aws:s3:::"}
          - {Effect: Allow, Action: ['s3:List*', 's3:Get*', 's3:Put*'], Resource: [!Sub 'arn:aws:s3:::${Bucket}/*', !Sub 'arn:aws:s3:::${Bucket}']}
Outputs:
  KeyId: {Value: !GetAtt Key.KeyId}
  Alias: {Value: !Ref Alias}
"""


def test_the_walkthrough(server):
    """run.sh makes every attempt itself; it must end well and leave nothing behind."""
    try:
        out = server.run(["bash", str(EXAMPLE / "run.sh")], timeout=900, MORE_ATTEMPTS=str(HERE / "attacks.json"))
    except Refused as e:
        raise AssertionError(e.output) from None
    print(out)
    assert "NOT AS EXPECTED" not in out, out
    for line in ["team1: 10 rows loaded", "team2: 10 rows loaded", "team3: 10 rows loaded", "in-sync", "DescribeClusters: unchanged",
                 "team1 loaded 10 times meanwhile", "The bucket you tried to delete is not empty", "everything is gone"]:
        assert line in out, (line, out)
    assert int(re.search(r"access logs: (\d+) objects", out).group(1)) > 0
    assert server.boto("s3").list_buckets()["Buckets"] == []
    roles = [r["RoleName"] for r in server.boto("iam").list_roles()["Roles"]]
    assert [r for r in roles if "tenant" in r or "onboarding" in r] == []
    assert server.psql("select count(*) from pg_user where usename like 'team%'") == "0"


def deploy(server, name, body, tmp_path, *parameters):
    file = tmp_path / f"{name}.yaml"
    file.write_text(body)
    return server.aws("cloudformation", "deploy", "--stack-name", name, "--template-file", str(file), "--capabilities",
                      "CAPABILITY_NAMED_IAM", *(["--parameter-overrides", *parameters] if parameters else []))


def test_templates_of_2022_deploy_as_they_were(server, tmp_path):
    deploy(server, "old-onboarding", OLD_ONBOARDING, tmp_path)
    deploy(server, "old-tenant", OLD_TENANT, tmp_path, "Name=old")
    s3, bucket = server.boto("s3"), f"old-data-{server.account}-{server.region}"
    logs = f"redshift-tenant-s3-access-logs-{server.account}-{server.region}"
    assert s3.get_bucket_ownership_controls(Bucket=logs)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "ObjectWriter"}]
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    # Its logs arrive by the ACL.
    s3.put_object(Bucket=bucket, Key="x", Body=b"1")
    deadline = time.monotonic() + 30
    while not s3.list_objects_v2(Bucket=logs, Prefix="old-logs").get("Contents") and time.monotonic() < deadline:
        time.sleep(0.5)
    assert s3.list_objects_v2(Bucket=logs, Prefix="old-logs")["KeyCount"] > 0
    key = server.boto("kms").describe_key(KeyId="alias/old-key")["KeyMetadata"]
    assert key["Description"] == "Key for old" and server.boto("kms").get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    tags = {t["TagKey"]: t["TagValue"] for t in server.boto("kms").list_resource_tags(KeyId=key["KeyId"])["Tags"]}
    assert tags["aws:cloudformation:stack-name"] == "old-tenant" and tags["aws:cloudformation:logical-id"] == "Key"
    with pytest.raises(botocore.exceptions.ClientError) as e:
        server.boto("kms").untag_resource(KeyId=key["KeyId"], TagKeys=["aws:cloudformation:stack-id"])
    assert code(e.value) == "TagException"


def test_strict_acl_refuses_them_as_aws_does_today(make_server, tmp_path):
    server = make_server("--strict-acl", cluster=None).start()
    with pytest.raises(Refused):
        deploy(server, "old-onboarding", OLD_ONBOARDING, tmp_path)
    events = server.boto("cloudformation").describe_stack_events(StackName="old-onboarding")["StackEvents"]
    reasons = [e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
    assert any("Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting" in r for r in reasons), reasons
    assert events[0]["ResourceStatus"] == "ROLLBACK_COMPLETE"
    assert server.boto("s3").list_buckets()["Buckets"] == []


def test_another_account_reaches_nothing(server, tmp_path):
    cloudformation = server.boto("cloudformation")
    stack = cloudformation.create_stack(StackName="mine", TemplateBody="Resources: {B: {Type: AWS::S3::Bucket}}")["StackId"]
    bucket = cloudformation.describe_stack_resource(StackName="mine", LogicalResourceId="B")["StackResourceDetail"]["PhysicalResourceId"]
    server.boto("s3").put_object(Bucket=bucket, Key="k", Body=b"1")
    _, other = server.new_account("neighbour")
    theirs = server.boto("cloudformation", other)
    attempts = {
        "DescribeStacks": lambda: theirs.describe_stacks(StackName=stack),
        "DescribeStackEvents": lambda: theirs.describe_stack_events(StackName=stack),
        "GetTemplate": lambda: theirs.get_template(StackName=stack),
        "UpdateStack": lambda: theirs.update_stack(StackName=stack, UsePreviousTemplate=True),
        "GetObject": lambda: server.boto("s3", other).get_object(Bucket=bucket, Key="k"),
        "a bucket of that name": lambda: theirs.create_stack(
            StackName="taken", TemplateBody="Resources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: %s}}}" % bucket,
            OnFailure="DO_NOTHING") and theirs.get_waiter("stack_create_complete").wait(StackName="taken", WaiterConfig={"MaxAttempts": 1}),
        "a policy on that bucket": lambda: theirs.create_stack(
            StackName="policy", OnFailure="DO_NOTHING",
            TemplateBody='{"Resources": {"P": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "%s", "PolicyDocument": '
                         '{"Version": "2012-10-17", "Statement": []}}}}}' % bucket
        ) and theirs.get_waiter("stack_create_complete").wait(StackName="policy", WaiterConfig={"MaxAttempts": 1}),
        "its service role": lambda: theirs.create_stack(
            StackName="role", TemplateBody="Resources: {B: {Type: AWS::S3::Bucket}}",
            RoleARN=f"arn:aws:iam::{server.account}:role/redshift-s3-onboarding-role"),
    }
    for what, attempt in attempts.items():
        with pytest.raises((botocore.exceptions.ClientError, botocore.exceptions.WaiterError)):
            attempt()
            pytest.fail(what)
    theirs.delete_stack(StackName=stack)  # as for any stack that isn't there
    assert cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert server.boto("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_onboarding_is_linear_and_cheap(make_server):
    """A hundred tenants here, a thousand in bench/: the server's CPU time for each, and that the second half costs what the first did."""
    server = make_server().start()
    server.aws("cloudformation", "deploy", "--stack-name", "redshift-onboarding", "--template-file", str(EXAMPLE / "onboarding.cf.yaml"),
               "--capabilities", "CAPABILITY_NAMED_IAM")
    used = []
    for prefix in ("a", "b"):
        before = cpu_seconds(server.pid)
        out = server.run(["python3", str(EXAMPLE / "onboard.py"), "50", prefix], timeout=600)
        used.append(cpu_seconds(server.pid) - before)
        assert re.search(r"50 tenants +[0-9.]+ s", out), out
    print(f"server CPU seconds for 50 tenants: {used}")
    assert used[1] < 2 * used[0] + 1
    assert sum(used) < 6 + 1  # 60 s for a thousand
    names = {s["StackName"] for page in server.boto("cloudformation").get_paginator("list_stacks").paginate() for s in page["StackSummaries"]
             if s["StackStatus"] == "CREATE_COMPLETE"}
    assert len(names & {f"redshift-tenant-{p}{n}" for p in "ab" for n in range(1, 51)}) == 100
