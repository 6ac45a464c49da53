"""What AWS answers to requests that are signed wrongly, too late, too large or not at all, on every protocol; and that the server goes on."""
import datetime
import http.client
import json
import socket
import ssl
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import pytest
from support.aws import name, new_bucket, new_user, refused

# service, a request of it: method, path, headers, body
CALLS = {
    "sts": ("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, b"Action=GetCallerIdentity&Version=2011-06-15"),
    "ec2": ("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, b"Action=DescribeVpcs&Version=2016-11-15"),
    "kms": ("POST", "/", {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.ListKeys"}, b"{}"),
    "s3": ("GET", "/", {}, b""),
}


def signed(server, service, *, key=None, secret=None, when=None, spoil=None, region=None):
    """(method, path, headers, body) with a signature of botocore's."""
    method, path, headers, body = CALLS[service]
    request = botocore.awsrequest.AWSRequest(method, server.endpoint + path, headers=dict(headers), data=body)
    credentials = botocore.credentials.Credentials(key or server.env["AWS_ACCESS_KEY_ID"], secret or server.env["AWS_SECRET_ACCESS_KEY"])
    auth = (botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth)(credentials, service, region or server.region)
    if when:
        original = botocore.auth.get_current_datetime
        botocore.auth.get_current_datetime = lambda *a, **k: when
        try:
            auth.add_auth(request)
        finally:
            botocore.auth.get_current_datetime = original
    else:
        auth.add_auth(request)
    headers = dict(request.headers.items())
    if spoil:
        spoil(headers)
    return method, path, headers, body


def send(server, method, path, headers, body):
    port = int(server.endpoint.rsplit(":", 1)[1])
    c = http.client.HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context(cafile=server.ca), timeout=30)
    try:
        c.request(method, path, body, headers)
        answer = c.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        c.close()


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


def other_signature(headers):
    value = headers["Authorization"]
    headers["Authorization"] = value[:-1] + ("0" if value[-1] != "0" else "1")


WRONG = [  # what is wrong, how it is signed, the codes of query/json services and of S3
    ("signature", {"spoil": other_signature}, "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    ("secret", {"secret": "x" * 40}, "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    ("clock behind", {"when": now() - datetime.timedelta(hours=2)}, "SignatureDoesNotMatch", "RequestTimeTooSkewed"),
    ("clock ahead", {"when": now() + datetime.timedelta(hours=2)}, "SignatureDoesNotMatch", "RequestTimeTooSkewed"),
    ("key", {"key": "AKIAIOSFODNN7EXAMPLE"}, "InvalidClientTokenId", "InvalidAccessKeyId"),
    ("no signature", {"spoil": lambda h: h.pop("Authorization")}, "MissingAuthenticationToken", "AccessDenied"),
    ("half a header", {"spoil": lambda h: h.update(Authorization="AWS4-HMAC-SHA256 Credential=x")}, "IncompleteSignature", "AuthorizationHeaderMalformed"),
]
KMS_NAMES = {"InvalidClientTokenId": "UnrecognizedClientException", "MissingAuthenticationToken": "MissingAuthenticationTokenException",
             "SignatureDoesNotMatch": "InvalidSignatureException", "IncompleteSignature": "IncompleteSignatureException"}
EC2_NAMES = {"InvalidClientTokenId": "AuthFailure", "SignatureDoesNotMatch": "AuthFailure", "MissingAuthenticationToken": "MissingAuthenticationToken"}


def code_of(service, body):
    if service == "kms":
        return json.loads(body)["__type"].rsplit("#", 1)[-1]
    assert "<Code>" in body, body
    return body.split("<Code>", 1)[1].split("</Code>", 1)[0]


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize("what, how, code, s3_code", WRONG, ids=[w[0] for w in WRONG])
def test_what_is_signed_wrongly(server, service, what, how, code, s3_code):
    status, body, headers = send(server, *signed(server, service, **how))
    assert 400 <= status < 500, (status, body)
    got = code_of(service, body)
    if service == "s3":
        assert got == s3_code
    elif service == "kms":
        assert got == KMS_NAMES[code]
    elif service == "ec2":
        assert got in {EC2_NAMES.get(code, code), code}
    else:
        assert got == code
    assert server.env["AWS_SECRET_ACCESS_KEY"] not in body
    assert any(headers.get(h) for h in ("x-amz-request-id", "x-amzn-requestid", "x-amzn-RequestId")), dict(headers)
    good, _, _ = send(server, *signed(server, service))
    assert good == 200


def test_a_body_must_be_the_one_that_was_signed(server):
    method, path, headers, body = signed(server, "sts")
    status, answer, _ = send(server, method, path, headers, body.replace(b"GetCallerIdentity", b"GetSessionToken"))
    assert status == 403 and "SignatureDoesNotMatch" in answer


def test_expired_sessions(server):
    _, user = new_user(server, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    session = server.boto("sts", user).get_session_token(DurationSeconds=900)["Credentials"]
    server.boto("sts", session).get_caller_identity()
    for spoiled in (session["SessionToken"][:-8] + "AAAAAAA=", "x", ""):
        with refused("InvalidClientTokenId"):
            server.boto("sts", {**session, "SessionToken": spoiled}).get_caller_identity()
    with refused("InvalidToken"):
        server.boto("s3", {**session, "SessionToken": "x"}).list_buckets()


def test_an_oversize_request_is_refused_and_the_server_goes_on(server):
    method, path, headers, _ = signed(server, "sts")
    status, _, _ = send(server, method, path, headers, b"Action=GetCallerIdentity&Version=2011-06-15&x=" + b"y" * (20 << 20))
    assert status in (400, 403, 413)
    headers["X-Long"] = "z" * 100_000
    try:
        status, _, _ = send(server, method, path, headers, b"")
        assert status in (400, 431)
    except (ConnectionError, ssl.SSLError):
        pass  # the server may close before it has read all that
    assert server.boto("sts").get_caller_identity()["Account"] == server.account


MALFORMED = [b"", b"\0" * 64, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
             b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
             b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n\r\n", b"GET / HTTP/1.1\r\n Folded: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]


@pytest.mark.parametrize("bytes_", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_http(server, bytes_):
    port = int(server.http_url.rsplit(":", 1)[1].rstrip("/"))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.sendall(bytes_)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := s.recv(65536):
            answer += piece
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 5")), answer[:200]
    assert server.boto("sts").get_caller_identity()["Account"] == server.account


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"KeyId":1}', b'{"KeyId":"a","KeyId":"b"}', b"\xff\xfe", b'{"Limit":1e999}', b"[" * 100_000], ids=range(9))
def test_malformed_json(server, body):
    request = botocore.awsrequest.AWSRequest("POST", server.endpoint + "/", headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.DescribeKey"}, data=body)
    credentials = botocore.credentials.Credentials(server.env["AWS_ACCESS_KEY_ID"], server.env["AWS_SECRET_ACCESS_KEY"])
    botocore.auth.SigV4Auth(credentials, "kms", server.region).add_auth(request)
    status, answer, _ = send(server, "POST", "/", dict(request.headers.items()), body)
    assert status == 400, (status, answer)
    assert json.loads(answer)["__type"].rsplit("#", 1)[-1] in {"SerializationException", "ValidationException", "NotFoundException"}, answer


@pytest.mark.parametrize("service, action, version", [("sts", "MakeCoffee", "2011-06-15"), ("iam", "ListVirtualMFADevices", "2010-05-08"), ("ec2", "RunInstances", "2016-11-15")])
def test_an_operation_that_is_not_built_errs_by_name(server, service, action, version):
    body = urllib.parse.urlencode({"Action": action, "Version": version}).encode()
    request = botocore.awsrequest.AWSRequest("POST", server.endpoint + "/", headers={"Content-Type": "application/x-www-form-urlencoded"}, data=body)
    credentials = botocore.credentials.Credentials(server.env["AWS_ACCESS_KEY_ID"], server.env["AWS_SECRET_ACCESS_KEY"])
    botocore.auth.SigV4Auth(credentials, service, server.region).add_auth(request)
    status, answer, _ = send(server, "POST", "/", dict(request.headers.items()), body)
    assert 400 <= status < 502 and action in answer, answer


def test_keep_alive_and_100_continue(server):
    s3 = server.boto("s3")
    bucket = new_bucket(s3)
    port = int(server.endpoint.rsplit(":", 1)[1])
    v4 = {"config": botocore.config.Config(signature_version="s3v4")}
    url = server.boto("s3", **v4).generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    path = url.split(str(port), 1)[1]
    context = ssl.create_default_context(cafile=server.ca)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw, context.wrap_socket(raw, server_hostname="127.0.0.1") as s:
        for round_ in range(3):
            s.sendall(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode())
            assert s.recv(1024).startswith(b"HTTP/1.1 100 "), round_
            s.sendall(b"hello")
            assert s.recv(4096).startswith(b"HTTP/1.1 200 "), round_
    # A denied body isn't asked for.
    _, nobody = new_user(server)
    path = server.boto("s3", nobody, **v4).generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"}).split(str(port), 1)[1]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw, context.wrap_socket(raw, server_hostname="127.0.0.1") as s:
        s.sendall(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode())
        assert s.recv(4096).startswith(b"HTTP/1.1 403 ")


def test_the_trail_tells_and_keeps_secrets(server):
    """LookupEvents has the call with who and what; no secret, password or token is in it; `redoubt why` names the statement."""
    user = name("audited")
    arn, key = new_user(server, {"Sid": "NoPeeking", "Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "*"}, user=user)
    with refused("AccessDenied") as answer:
        server.boto("s3", key).list_buckets()
    request = answer["ResponseMetadata"]["RequestId"]
    events = server.boto("cloudtrail").lookup_events(LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": user}])["Events"]
    mine = [json.loads(e["CloudTrailEvent"]) for e in events]
    assert any(e["eventName"] == "ListBuckets" and e["errorCode"] == "AccessDenied" and e["userIdentity"]["arn"] == arn and e["requestID"] == request for e in mine), mine
    everything = json.dumps(server.boto("cloudtrail").lookup_events(MaxResults=50)["Events"], default=str)
    for secret in (key["SecretAccessKey"], server.env["AWS_SECRET_ACCESS_KEY"], server.env["PGPASSWORD"]):
        assert secret not in everything and secret not in server.log.read_text()
    from support.server import BINARY
    why = server.run([BINARY, "why", request])
    assert "NoPeeking" in why and "ListAllMyBuckets" in why and arn in why, why
