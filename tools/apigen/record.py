"""Records what botocore sends, signed, as data for src/api's tests: record.py > src/api/testdata/botocore_requests.json

Run by hand when the pinned botocore changes. Credentials are AWS's published examples.
"""

import base64
import datetime
import io
import json
import sys

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ROLE = "arn:aws:iam::111122223333:role/team1-tenant-redshift-s3-access-role"
WHEN = datetime.datetime(2026, 11, 24, 16, 19, 10, 123000, tzinfo=datetime.timezone.utc)
TAGS = [{"Key": "team", "Value": "b=c d+e"}, {"Key": "k2", "Value": "ü"}]
TAGSET = {"TagSet": [{"Key": "team", "Value": "a&b=<c> d+e"}, {"Key": "k2", "Value": "ü✓"}]}

CASES = [
    ("sts", "get_caller_identity", {}),
    ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "my-session", "DurationSeconds": 3600, "Policy": '{"Version":"2012-10-17"}',
                            "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}], "Tags": TAGS, "TransitiveTagKeys": ["team"], "ExternalId": "x=12"}),
    ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": '{"Statement":[]}', "Path": "/a/", "MaxSessionDuration": 3600, "Tags": TAGS}),
    ("iam", "list_users", {"PathPrefix": "/", "MaxItems": 10}),
    ("iam", "simulate_custom_policy", {"PolicyInputList": ["{}", "{}"], "ActionNames": ["s3:GetObject"], "ResourceArns": ["*"],
        "ContextEntries": [{"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"}]}),
    ("iam", "create_saml_provider", {"Name": "idp", "SAMLMetadataDocument": "<x>" + "y" * 1000 + "</x>"}),
    ("kms", "create_key", {"Description": "d", "Tags": [{"TagKey": "a", "TagValue": "b"}], "MultiRegion": False, "BypassPolicyLockoutSafetyCheck": True}),
    ("kms", "encrypt", {"KeyId": "alias/team1", "Plaintext": b"\x00\xffsecret", "EncryptionContext": {"aws:s3:arn": "arn:aws:s3:::b/ü", "k": "v"}}),
    ("kms", "schedule_key_deletion", {"KeyId": "alias/team1", "PendingWindowInDays": 7}),
    ("kms", "create_grant", {"KeyId": "k", "GranteePrincipal": ROLE, "Operations": ["Decrypt", "Encrypt"],
                             "Constraints": {"EncryptionContextSubset": {"a": "b"}}, "GrantTokens": ["t1"]}),
    ("organizations", "create_account", {"Email": "a@example.com", "AccountName": "team1", "Tags": TAGS}),
    ("organizations", "list_policies", {"Filter": "SERVICE_CONTROL_POLICY"}),
    ("cloudformation", "create_stack", {"StackName": "team1", "TemplateBody": "Resources:\n  A: {Type: 'AWS::S3::Bucket'}\n",
        "Parameters": [{"ParameterKey": "TenantName", "ParameterValue": "team1"}], "Capabilities": ["CAPABILITY_NAMED_IAM"], "Tags": TAGS,
        "RollbackConfiguration": {"RollbackTriggers": [{"Arn": "a", "Type": "t"}], "MonitoringTimeInMinutes": 1}}),
    ("cloudformation", "create_change_set", {"StackName": "team1", "ChangeSetName": "c1", "ChangeSetType": "CREATE", "TemplateURL": "https://b/t",
                                             "ResourceTypes": ["AWS::S3::*"], "IncludeNestedStacks": False}),
    ("redshift", "create_cluster", {"ClusterIdentifier": "c", "NodeType": "ra3.large", "MasterUsername": "awsuser", "MasterUserPassword": "Passw0rd",
        "IamRoles": [ROLE], "VpcSecurityGroupIds": ["sg-1", "sg-2"], "Tags": TAGS, "Encrypted": True, "Port": 5439}),
    ("redshift", "modify_cluster_iam_roles", {"ClusterIdentifier": "c", "AddIamRoles": [ROLE], "RemoveIamRoles": []}),
    ("redshift", "get_cluster_credentials", {"DbUser": "u", "ClusterIdentifier": "c", "DbGroups": ["g1", "g2"], "AutoCreate": True}),
    ("redshift-data", "execute_statement", {"Sql": "select :a", "ClusterIdentifier": "c", "Database": "dev", "DbUser": "u", "WithEvent": True,
                                            "Parameters": [{"name": "a", "value": "1"}], "ClientToken": "tok"}),
    ("ec2", "authorize_security_group_ingress", {"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 5439, "ToPort": 5439,
        "IpRanges": [{"CidrIp": "10.0.0.1/32", "Description": "x y"}], "UserIdGroupPairs": [{"GroupId": "sg-2"}]}],
        "TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": TAGS}]}),
    ("ec2", "describe_security_groups", {"Filters": [{"Name": "vpc-id", "Values": ["vpc-1", "vpc-2"]}], "GroupIds": ["sg-1"], "MaxResults": 5}),
    ("ec2", "create_vpc_endpoint", {"VpcId": "vpc-1", "ServiceName": "com.amazonaws.us-east-1.s3", "VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-1"]}),
    ("cloudtrail", "lookup_events", {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "Decrypt"}], "StartTime": WHEN, "MaxResults": 5}),
    ("s3", "list_buckets", {}),
    ("s3", "create_bucket", {"Bucket": "team1-data"}),
    ("s3", "create_bucket", {"Bucket": "team1-data", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}, "ObjectOwnership": "ObjectWriter", "ACL": "private"}),
    ("s3", "put_object", {"Bucket": "team1-data", "Key": "a b/ü+&?#%25~(x)!.txt", "Body": b"hello", "Metadata": {"One": "1", "two": "b c"}, "ContentType": "text/plain",
        "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/x", "BucketKeyEnabled": True, "Tagging": "a=b&c=d", "CacheControl": "no-cache"}),
    ("s3", "put_object", {"Bucket": "team1-data", "Key": "stream", "Body": "STREAM"}),
    ("s3", "get_object", {"Bucket": "team1-data", "Key": "k", "Range": "bytes=0-9", "VersionId": "v1", "IfModifiedSince": WHEN.replace(microsecond=0),
        "ResponseContentType": "text/x; charset=utf-8", "ChecksumMode": "ENABLED"}),
    ("s3", "head_object", {"Bucket": "team1-data", "Key": "k/"}),
    ("s3", "head_bucket", {"Bucket": "team1-data", "ExpectedBucketOwner": "111122223333"}),
    ("s3", "delete_object", {"Bucket": "team1-data", "Key": "k", "VersionId": "null"}),
    ("s3", "delete_objects", {"Bucket": "team1-data", "Delete": {"Objects": [{"Key": "a&<b>"}, {"Key": " ", "VersionId": "v"}], "Quiet": True}}),
    ("s3", "copy_object", {"Bucket": "team1-data", "Key": "k2", "CopySource": {"Bucket": "team1-data", "Key": "ü k"}, "MetadataDirective": "REPLACE", "TaggingDirective": "COPY"}),
    ("s3", "list_objects", {"Bucket": "team1-data", "Prefix": "unload/", "Delimiter": "/", "MaxKeys": 7}),
    ("s3", "list_objects_v2", {"Bucket": "team1-data", "Prefix": "a+b c", "ContinuationToken": "x==", "StartAfter": "ü", "FetchOwner": True}),
    ("s3", "list_object_versions", {"Bucket": "team1-data", "KeyMarker": "k"}),
    ("s3", "create_multipart_upload", {"Bucket": "team1-data", "Key": "k", "ChecksumAlgorithm": "SHA256"}),
    ("s3", "upload_part", {"Bucket": "team1-data", "Key": "k", "PartNumber": 3, "UploadId": "u/1+2", "Body": b"x" * 100}),
    ("s3", "upload_part_copy", {"Bucket": "team1-data", "Key": "k", "PartNumber": 3, "UploadId": "u", "CopySource": "b/k", "CopySourceRange": "bytes=0-1"}),
    ("s3", "complete_multipart_upload", {"Bucket": "team1-data", "Key": "k", "UploadId": "u", "MultipartUpload": {"Parts": [{"ETag": '"e1"', "PartNumber": 1}, {"ETag": '"e2"', "PartNumber": 2}]}}),
    ("s3", "abort_multipart_upload", {"Bucket": "team1-data", "Key": "k", "UploadId": "u"}),
    ("s3", "list_parts", {"Bucket": "team1-data", "Key": "k", "UploadId": "u", "MaxParts": 2}),
    ("s3", "list_multipart_uploads", {"Bucket": "team1-data"}),
    ("s3", "put_bucket_versioning", {"Bucket": "team1-data", "VersioningConfiguration": {"Status": "Enabled"}}),
    ("s3", "put_bucket_encryption", {"Bucket": "team1-data", "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault":
        {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}, "BucketKeyEnabled": True}]}}),
    ("s3", "put_bucket_policy", {"Bucket": "team1-data", "Policy": '{"Version":"2012-10-17","Statement":[]}'}),
    ("s3", "put_bucket_tagging", {"Bucket": "team1-data", "Tagging": TAGSET}),
    ("s3", "put_object_tagging", {"Bucket": "team1-data", "Key": "k", "Tagging": TAGSET}),
    ("s3", "put_bucket_logging", {"Bucket": "team1-data", "BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "p/",
        "TargetGrants": [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "Permission": "WRITE"}]}}}),
    ("s3", "put_public_access_block", {"Bucket": "team1-data", "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "IgnorePublicAcls": True}}),
    ("s3", "put_bucket_ownership_controls", {"Bucket": "team1-data", "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}),
    ("s3", "put_bucket_acl", {"Bucket": "team1-data", "AccessControlPolicy": {"Owner": {"ID": "o"}, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "x"}, "Permission": "READ"}]}}),
    ("s3", "put_bucket_lifecycle_configuration", {"Bucket": "team1-data", "LifecycleConfiguration": {"Rules": [{"ID": "r", "Status": "Enabled",
        "Filter": {"And": {"Prefix": "p", "Tags": TAGS}}, "Expiration": {"Days": 1}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}]}}),
    ("s3", "get_bucket_location", {"Bucket": "team1-data"}),
    ("s3", "get_object_attributes", {"Bucket": "team1-data", "Key": "k", "ObjectAttributes": ["ETag", "Checksum", "ObjectSize"]}),
]


def record(service, operation, params, style="path"):
    session = botocore.session.Session()
    session.set_credentials(KEY, SECRET)
    scheme = "https" if params.get("Body") == "STREAM" else "http"
    endpoint = f"{scheme}://localhost:4480" if style == "virtual" else f"{scheme}://127.0.0.1:4480"
    client = session.create_client(service, region_name="us-east-1", endpoint_url=endpoint, config=Config(s3={"addressing_style": style}))
    if params.get("Body") == "STREAM":
        params = dict(params, Body=io.BytesIO(b"a streamed body\n" * 1000))
    seen = {}

    def capture(request, **_):
        body = request.body
        if hasattr(body, "read"):
            body = body.read()
        body = body.encode() if isinstance(body, str) else body or b""
        url = request.url.split("://", 1)[1]
        host, _, target = url.partition("/")
        headers = [[k, v.decode() if isinstance(v, bytes) else str(v)] for k, v in request.headers.items()]
        if not any(k.lower() == "host" for k, _ in headers):
            headers.append(["Host", host])
        seen.update(method=request.method, target="/" + target, headers=headers, body=base64.b64encode(bytes(body)).decode())
        return AWSResponse(request.url, 500, {}, io.BytesIO(b""))

    client.meta.events.register("before-send", capture)
    client.meta.events.register("needs-retry", lambda **_: None)
    try:
        getattr(client, operation)(**params)
    except Exception as e:  # the empty answer is not one that botocore can use
        if not seen:
            raise e
    name = client.meta.method_to_api_mapping[operation]
    return {"service": service.replace("-", "_"), "operation": name, "style": style, **seen}


def presigned():
    session = botocore.session.Session()
    session.set_credentials(KEY, SECRET, "session/token+=")
    client = session.create_client("s3", region_name="us-east-1", endpoint_url="http://127.0.0.1:4480", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    url = client.generate_presigned_url("get_object", Params={"Bucket": "team1-data", "Key": "a b+ü"}, ExpiresIn=600)
    host, _, target = url.split("://", 1)[1].partition("/")
    return {"service": "s3", "operation": "GetObject", "style": "presigned", "method": "GET", "target": "/" + target, "headers": [["Host", host]], "body": ""}


out = [record(*case) for case in CASES]
out += [record(*case, style="virtual") for case in CASES if case[0] == "s3" and case[1] in ("get_object", "put_object", "list_objects_v2", "create_bucket")]
out.append(presigned())
json.dump(out, sys.stdout, indent=1, ensure_ascii=False)
print()
