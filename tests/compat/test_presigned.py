"""S3 by presigned URLs, as boto3 makes them: of signature version 4, and of version 2, its default in us-east-1."""
import urllib.error
import urllib.parse
import urllib.request
import ssl

import botocore.config
import pytest
from support.aws import ADMIN, body, new_bucket, new_role, new_user, policy


@pytest.fixture(scope="module")
def s3(server):
    return server.boto("s3")


@pytest.fixture(scope="module")
def bucket(s3):
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k/\u00e9 +.txt", Body=b"signed for")
    return bucket


def fetch(server, url, method="GET", data=None, **headers):
    """(status, body) of a request that nothing but its URL signs."""
    request = urllib.request.Request(url, data=data, method=method, headers={n.replace("_", "-"): v for n, v in headers.items()})
    try:
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=server.ca)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


@pytest.fixture(scope="module", params=["s3v4", None], ids=["version4", "version2"])
def signer(request, server):
    """signer(credentials): a client that presigns."""
    config = botocore.config.Config(signature_version=request.param) if request.param else botocore.config.Config()
    return lambda credentials=None: server.boto("s3", credentials, config=config)


def test_urls_do_what_they_were_signed_for(server, s3, signer, bucket):
    here = {"Bucket": bucket, "Key": "k/\u00e9 +.txt"}
    url = signer().generate_presigned_url("get_object", Params=here)
    assert fetch(server, url) == (200, b"signed for")
    assert fetch(server, url, Range="bytes=0-5") == (206, b"signed")
    assert fetch(server, signer().generate_presigned_url("head_object", Params=here), "HEAD") == (200, b"")
    url = signer().generate_presigned_url("get_object", Params={**here, "ResponseContentType": "text/x"})
    assert fetch(server, url) == (200, b"signed for")
    url = signer().generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "new"})
    assert fetch(server, url, "PUT", b"by url", Content_Type="")[0] == 200
    assert body(s3.get_object(Bucket=bucket, Key="new")) == b"by url"
    assert fetch(server, signer().generate_presigned_url("delete_object", Params={"Bucket": bucket, "Key": "new"}), "DELETE")[0] == 204


def test_urls_do_nothing_else(server, signer, bucket):
    here = {"Bucket": bucket, "Key": "k/\u00e9 +.txt"}
    url = signer().generate_presigned_url("get_object", Params=here)
    for other in [url.replace("/k/", "/l/"), url + "&versionId=null", url + "&acl", url.replace("Expires=", "Expires=9"), url + "&prefix=x",
                  url + "&%61cl", url + "&version%49d=null", url + "&response-content-typ%65=text/evil", url + "&Expire%73=9"]:
        assert fetch(server, other)[0] in (400, 403), other
    assert fetch(server, url, "DELETE")[0] == 403
    assert fetch(server, url, "PUT", b"x", Content_Type="")[0] == 403
    status, text = fetch(server, url, x_amz_request_payer="requester")
    assert status == 403
    old = signer().generate_presigned_url("get_object", Params=here, ExpiresIn=-60 if "AWSAccessKeyId" in url else 1)
    if "AWSAccessKeyId" in url:
        status, text = fetch(server, old)
        assert status == 403 and b"Request has expired" in text


def test_urls_can_do_what_their_signer_may(server, signer, s3, bucket):
    arn, credentials = new_role(server, {**ADMIN, "Resource": f"arn:aws:s3:::{bucket}/k/*"})
    mine = signer(credentials)  # with a session token in the URL
    assert fetch(server, mine.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k/\u00e9 +.txt"})) == (200, b"signed for")
    status, text = fetch(server, mine.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "other"}))
    assert status == 403 and b"AccessDenied" in text
    _, key = new_user(server)
    status, text = fetch(server, signer(key).generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k/\u00e9 +.txt"}))
    assert status == 403 and b"AccessDenied" in text


def test_a_policy_can_refuse_version_2(server, s3):
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*",
                                                       "Condition": {"StringEquals": {"s3:signatureversion": "AWS"}}}))
    here = {"Bucket": bucket, "Key": "k"}
    assert fetch(server, s3.generate_presigned_url("get_object", Params=here))[0] == 403
    v4 = server.boto("s3", config=botocore.config.Config(signature_version="s3v4"))
    assert fetch(server, v4.generate_presigned_url("get_object", Params=here)) == (200, b"x")
