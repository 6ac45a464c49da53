"""CloudFormation by boto3 and the AWS CLI: templates in both languages, change sets, updates, roll back, exports, deletion, errors in AWS's words."""
import json
import time

import botocore.exceptions
import pytest
from support.aws import name, new_user, refused

BUCKET = """
Parameters:
  Name: {Type: String}
  Versions: {Type: String, Default: 'no', AllowedValues: ['yes', 'no']}
Conditions:
  Versioned: !Equals [!Ref Versions, 'yes']
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Ref Name
      VersioningConfiguration: !If [Versioned, {Status: Enabled}, !Ref AWS::NoValue]
Outputs:
  Arn: {Value: !GetAtt Bucket.Arn, Export: {Name: !Sub '${AWS::StackName}-arn'}}
"""


@pytest.fixture(scope="module")
def cfn(server):
    return server.boto("cloudformation")


def parameters(**values):
    return [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()]


def finished(cfn, stack):
    deadline = time.monotonic() + 60
    while True:
        found = cfn.describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("IN_PROGRESS"):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def reasons(cfn, stack):
    return [e.get("ResourceStatusReason", "") for e in cfn.describe_stack_events(StackName=stack)["StackEvents"]]


def test_a_stack_and_its_life(server, cfn):
    bucket = name("stack")
    stack = cfn.create_stack(StackName=bucket, TemplateBody=BUCKET, Parameters=parameters(Name=bucket), Tags=[{"Key": "team", "Value": "blue"}])["StackId"]
    found = finished(cfn, stack)
    assert found["StackStatus"] == "CREATE_COMPLETE" and found["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert found["Outputs"] == [{"OutputKey": "Arn", "OutputValue": f"arn:aws:s3:::{bucket}", "ExportName": f"{bucket}-arn"}]
    resource = cfn.describe_stack_resources(StackName=bucket)["StackResources"][0]
    assert resource["PhysicalResourceId"] == bucket and resource["ResourceStatus"] == "CREATE_COMPLETE"
    assert cfn.get_template(StackName=bucket)["TemplateBody"] == BUCKET
    events = [(e["LogicalResourceId"], e["ResourceStatus"]) for e in cfn.describe_stack_events(StackName=bucket)["StackEvents"]][::-1]
    assert events == [(bucket, "CREATE_IN_PROGRESS"), ("Bucket", "CREATE_IN_PROGRESS"), ("Bucket", "CREATE_IN_PROGRESS"), ("Bucket", "CREATE_COMPLETE"), (bucket, "CREATE_COMPLETE")]
    s3 = server.boto("s3")
    assert {"Key": "team", "Value": "blue"} in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    cfn.update_stack(StackName=bucket, TemplateBody=BUCKET, Parameters=parameters(Name=bucket, Versions="yes"))
    assert finished(cfn, stack)["StackStatus"] == "UPDATE_COMPLETE"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    with refused("ValidationError", "No updates are to be performed."):
        cfn.update_stack(StackName=bucket, UsePreviousTemplate=True, Parameters=[{"ParameterKey": k, "UsePreviousValue": True} for k in ("Name", "Versions")])
    cfn.delete_stack(StackName=bucket)
    assert finished(cfn, stack)["StackStatus"] == "DELETE_COMPLETE"
    with refused("ValidationError", f"Stack with id {bucket} does not exist"):
        cfn.describe_stacks(StackName=bucket)
    with refused("404"):
        s3.head_bucket(Bucket=bucket)


def test_json_is_a_template_too(server, cfn):
    user = name("u")
    template = {"Resources": {"User": {"Type": "AWS::IAM::User", "Properties": {"UserName": user}}, "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}}},
                "Outputs": {"Secret": {"Value": {"Fn::GetAtt": ["Key", "SecretAccessKey"]}}, "Key": {"Value": {"Ref": "Key"}}}}
    cfn.create_stack(StackName=user, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
    out = {o["OutputKey"]: o["OutputValue"] for o in finished(cfn, user)["Outputs"]}
    made = {"AccessKeyId": out["Key"], "SecretAccessKey": out["Secret"]}
    assert server.boto("sts", made).get_caller_identity()["Arn"].endswith(f":user/{user}")
    cfn.delete_stack(StackName=user)


def test_what_fails_is_rolled_back_and_nothing_stays(server, cfn):
    bucket, taken = name("rolled"), name("taken")
    server.boto("s3").create_bucket(Bucket=taken)
    template = f"""
Resources:
  Good: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {bucket}}}}}
  Bad: {{Type: AWS::S3::Bucket, DependsOn: Good, Properties: {{BucketName: {taken}}}}}
"""
    stack = cfn.create_stack(StackName=bucket, TemplateBody=template)["StackId"]
    assert finished(cfn, stack)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("already" in r for r in reasons(cfn, stack))
    assert bucket not in {b["Name"] for b in server.boto("s3").list_buckets()["Buckets"]}
    with refused("ValidationError", "ROLLBACK_COMPLETE"):
        cfn.update_stack(StackName=bucket, TemplateBody=template)
    cfn.delete_stack(StackName=bucket)
    assert finished(cfn, stack)["StackStatus"] == "DELETE_COMPLETE"
    assert taken in {b["Name"] for b in server.boto("s3").list_buckets()["Buckets"]}


def test_a_failed_update_goes_back(server, cfn):
    bucket = name("back")
    cfn.create_stack(StackName=bucket, TemplateBody=BUCKET, Parameters=parameters(Name=bucket))
    stack = finished(cfn, bucket)["StackId"]
    worse = BUCKET.replace("Outputs:", f"  Policy:\n    Type: AWS::S3::BucketPolicy\n    Properties: {{Bucket: !Ref Bucket, PolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Principal: {{AWS: 'arn:aws:iam::{server.account}:role/nobody-{bucket}'}}, Action: 's3:*', Resource: !GetAtt Bucket.Arn}}]}}}}\nOutputs:")
    cfn.update_stack(StackName=bucket, TemplateBody=worse, Parameters=parameters(Name=bucket, Versions="yes"))
    assert finished(cfn, stack)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert server.boto("s3").get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled"
    assert [r["LogicalResourceId"] for r in cfn.describe_stack_resources(StackName=bucket)["StackResources"]] == ["Bucket"]
    cfn.delete_stack(StackName=bucket)


def test_change_sets_as_deploy_uses_them(server, cfn, tmp_path):
    bucket = name("deployed")
    file = tmp_path / "t.yaml"
    file.write_text(BUCKET)
    deploy = ["cloudformation", "deploy", "--stack-name", bucket, "--template-file", str(file)]
    server.aws(*deploy, "--parameter-overrides", f"Name={bucket}")
    assert finished(cfn, bucket)["StackStatus"] == "CREATE_COMPLETE"
    made = cfn.create_change_set(StackName=bucket, ChangeSetName="more", UsePreviousTemplate=True,
                                 Parameters=[{"ParameterKey": "Name", "UsePreviousValue": True}, *parameters(Versions="yes")])["Id"]
    cfn.get_waiter("change_set_create_complete").wait(ChangeSetName=made, WaiterConfig={"Delay": 1})
    change = cfn.describe_change_set(ChangeSetName=made)["Changes"][0]["ResourceChange"]
    assert change["Action"] == "Modify" and change["LogicalResourceId"] == "Bucket" and change["Replacement"] == "False"
    cfn.execute_change_set(ChangeSetName=made)
    assert finished(cfn, bucket)["StackStatus"] == "UPDATE_COMPLETE"
    out = server.aws(*deploy, "--no-fail-on-empty-changeset", "--parameter-overrides", f"Name={bucket}", "Versions=yes")
    assert "No changes to deploy" in out
    cfn.delete_stack(StackName=bucket)


def test_exports_bind_stacks(server, cfn):
    first, second = name("exports"), name("imports")
    cfn.create_stack(StackName=first, TemplateBody=BUCKET, Parameters=parameters(Name=first))
    finished(cfn, first)
    template = f"Resources: {{User: {{Type: AWS::IAM::User, Properties: {{Path: '/x/'}}}}}}\nOutputs: {{Theirs: {{Value: !ImportValue {first}-arn}}}}"
    cfn.create_stack(StackName=second, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
    assert finished(cfn, second)["Outputs"][0]["OutputValue"] == f"arn:aws:s3:::{first}"
    assert [i for i in cfn.list_imports(ExportName=f"{first}-arn")["Imports"]] == [second]
    with refused("ValidationError", f"Export {first}-arn cannot be deleted as it is in use by {second}"):
        cfn.delete_stack(StackName=first)
    for stack in (second, first):
        id_ = finished(cfn, stack)["StackId"]
        cfn.delete_stack(StackName=stack)
        assert finished(cfn, id_)["StackStatus"] == "DELETE_COMPLETE"


WRONG = [
    ("Resources: {}", "At least one Resources member must be defined"),
    ("Resources: {X: {Type: AWS::S3::Bukket}}", "AWS::S3::Bukket"),
    ("Resources: {X: {Type: AWS::S3::Bucket, Properties: {BucketNaem: x}}}", "BucketNaem"),
    ("Resources: {X: {Type: AWS::S3::Bucket, Properties: {BucketName: !Reff x}}}", "Reff"),
    ("Resources: {X: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Nothing}}}", "Nothing"),
    ("Resources: {X: {Type: AWS::S3::Bucket, DependsOn: Y}}", "Y"),
    ("Resources: {X: {Type: AWS::S3::Bucket, DependsOn: Y}, Y: {Type: AWS::S3::Bucket, DependsOn: X}}", "ircular"),
    ("AWSTemplateFormatVersion: '2012-01-01'\nResources: {X: {Type: AWS::S3::Bucket}}", "2012-01-01"),
    ("Parameters: {P: {Type: Strong}}\nResources: {X: {Type: AWS::S3::Bucket}}", "Strong"),
    ("Resources: [", "ormat"),
    ("Extra: 1\nResources: {X: {Type: AWS::S3::Bucket}}", "Extra"),
    ("Transform: AWS::Serverless-2016-10-31\nResources: {X: {Type: AWS::S3::Bucket}}", "ransform"),
    ("Resources: {X: {Type: AWS::S3::Bucket, Properties: {BucketName: !GetAtt Y.Arn}}}", "Y"),
    ("a: &x [*x]", ""),
    ("Resources: &r {X: {Type: AWS::S3::Bucket, Properties: {Tags: [*r, *r]}}}", ""),
]


@pytest.mark.parametrize("template, words", WRONG, ids=range(len(WRONG)))
def test_a_wrong_template_says_what_is_wrong(server, cfn, template, words):
    stack = name("wrong")
    before = {b["Name"] for b in server.boto("s3").list_buckets()["Buckets"]}
    try:
        cfn.create_stack(StackName=stack, TemplateBody=template)
        found = finished(cfn, stack)
        assert found["StackStatus"] == "ROLLBACK_COMPLETE", found
        text = " ".join(reasons(cfn, stack))
    except botocore.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == "ValidationError", e
        text = e.response["Error"]["Message"]
    assert words in text, text
    assert {b["Name"] for b in server.boto("s3").list_buckets()["Buckets"]} == before


def test_parameters_are_checked(cfn):
    for wrong in (parameters(Name="x", Versions="perhaps"), parameters(Name="x", Unknown="y"), parameters(Versions="no")):
        with refused("ValidationError"):
            cfn.create_stack(StackName=name("p"), TemplateBody=BUCKET, Parameters=wrong)
    with refused("InsufficientCapabilitiesException"):
        cfn.create_stack(StackName=name("c"), TemplateBody="Resources: {U: {Type: AWS::IAM::User, Properties: {UserName: named}}}", Capabilities=["CAPABILITY_IAM"])


def test_a_stack_does_what_its_caller_may(server, cfn):
    """Resources are made as the caller: CloudFormation is nobody's way round a policy."""
    _, key = new_user(server, {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"})
    bucket = name("mine")
    theirs = server.boto("cloudformation", key)
    stack = theirs.create_stack(StackName=bucket, TemplateBody=BUCKET, Parameters=parameters(Name=bucket))["StackId"]
    assert finished(theirs, stack)["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
    assert any("s3:CreateBucket" in r for r in reasons(theirs, stack)), reasons(theirs, stack)
    assert bucket not in {b["Name"] for b in server.boto("s3").list_buckets()["Buckets"]}
    _, other = server.new_account(name("other"))
    outsider = server.boto("cloudformation", other)
    for call in (outsider.describe_stacks, outsider.get_template, outsider.describe_stack_events):
        with pytest.raises(botocore.exceptions.ClientError):
            call(StackName=stack)
    outsider.delete_stack(StackName=stack)  # deleting what isn't there succeeds, and does nothing
    assert finished(theirs, stack)["StackStatus"] != "DELETE_COMPLETE"
