"""S3: single objects: put, get, head, copy, delete, ranges, conditions, metadata, tags, checksums."""
import base64
import concurrent.futures
import datetime
import hashlib
import io
import json
import subprocess
import urllib.request
import zlib

import botocore
import botocore.config
import pytest
from support.aws import body, name, new_bucket, refused


@pytest.fixture(scope="module")
def s3(server):
    return server.boto("s3")


@pytest.fixture(scope="module")
def bucket(s3):
    return new_bucket(s3)


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 1 << 20, 5_000_001])
def test_bytes_come_back(s3, bucket, size):
    data = bytes(i * 7919 >> 3 & 255 for i in range(min(size, 100_000))) * (size // 100_000 + 1)
    data = data[:size]
    put = s3.put_object(Bucket=bucket, Key=f"size/{size}", Body=data)
    assert put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key=f"size/{size}")
    assert body(got) == data and got["ETag"] == put["ETag"] and got["ContentLength"] == size
    assert got["ContentType"] == "binary/octet-stream" and got["AcceptRanges"] == "bytes"


@pytest.mark.parametrize("key", [
    "plain", "with blank", "plus+plus", "per%cent", "%2F", "a//b", "/leading", "trailing/", "./dot", "../../etc/passwd", "..", "a/../b",
    "ünïcödé", "日本語", "😀", "quote\"'", "<&>", "semi;colon", "question?mark", "hash#", "back\\slash", "tab\there", "new\nline",
    "\x01\x7f", "null", "k" * 1024, "é" * 512])
def test_odd_keys(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert body(s3.get_object(Bucket=bucket, Key=key)) == key.encode()
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, EncodingType="url")["Contents"]
    assert key in [o["Key"] for o in listed] or key in [urllib.request.unquote(o["Key"]) for o in listed]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert body(s3.get_object(Bucket=bucket, Key="copy")) == key.encode()
    s3.delete_object(Bucket=bucket, Key=key)
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=bucket, Key=key)


def test_a_key_has_at_most_1024_bytes(s3, bucket):
    for key in ["k" * 1025, "é" * 513]:
        with refused("KeyTooLongError"):
            s3.put_object(Bucket=bucket, Key=key)


def test_ranges(s3, bucket):
    data = bytes(range(256)) * 1000
    s3.put_object(Bucket=bucket, Key="r", Body=data)
    for asked, want, shown in [("bytes=0-9", data[:10], "0-9"), ("bytes=65530-65545", data[65530:65546], "65530-65545"),
                               ("bytes=-7", data[-7:], f"{len(data) - 7}-{len(data) - 1}"), ("bytes=255990-", data[255990:], "255990-255999")]:
        got = s3.get_object(Bucket=bucket, Key="r", Range=asked)
        assert body(got) == want
        assert got["ContentRange"] == f"bytes {shown}/{len(data)}"
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert s3.head_object(Bucket=bucket, Key="r", Range=asked)["ContentLength"] == len(want)
    with refused("InvalidRange", status=416) as answer:
        s3.get_object(Bucket=bucket, Key="r", Range="bytes=256000-")
    assert answer["Error"]["ActualObjectSize"] == "256000"
    for nonsense in ["bytes=9-3", "bytes= -1", "bytes=-", "lines=1-2"]:
        assert s3.get_object(Bucket=bucket, Key="r", Range=nonsense)["ResponseMetadata"]["HTTPStatusCode"] == 200
    s3.put_object(Bucket=bucket, Key="part1", Body=b"p", ChecksumAlgorithm="SHA256")
    assert s3.get_object(Bucket=bucket, Key="part1", PartNumber=1, ChecksumMode="ENABLED")["ChecksumSHA256"]
    for number in [0, 10001]:
        with refused("InvalidArgument"):
            s3.get_object(Bucket=bucket, Key="none", PartNumber=number)


def test_conditional_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="c", Body=b"x")["ETag"]
    past, future = datetime.datetime(2000, 1, 1), datetime.datetime(2090, 1, 1)
    for ok in [{"IfMatch": etag}, {"IfNoneMatch": '"other"'}, {"IfModifiedSince": past}, {"IfUnmodifiedSince": future},
               {"IfMatch": etag, "IfUnmodifiedSince": past}]:
        s3.get_object(Bucket=bucket, Key="c", **ok)
        s3.head_object(Bucket=bucket, Key="c", **ok)
    with refused("PreconditionFailed", status=412) as answer:
        s3.get_object(Bucket=bucket, Key="c", IfMatch='"other"')
    assert answer["Error"]["Condition"] == "If-Match"
    with refused("PreconditionFailed", status=412):
        s3.get_object(Bucket=bucket, Key="c", IfUnmodifiedSince=past)
    with refused("304", status=304) as answer:
        s3.get_object(Bucket=bucket, Key="c", IfNoneMatch=etag)
    assert answer["ResponseMetadata"]["HTTPHeaders"]["etag"] == etag
    assert "last-modified" in answer["ResponseMetadata"]["HTTPHeaders"]


def test_conditional_writes(s3, bucket):
    key = name()
    with refused("NoSuchKey", status=404):
        s3.put_object(Bucket=bucket, Key=key, Body=b"0", IfMatch='"any"')
    one = s3.put_object(Bucket=bucket, Key=key, Body=b"1", IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412) as answer:
        s3.put_object(Bucket=bucket, Key=key, Body=b"2", IfNoneMatch="*")
    assert answer["Error"]["Condition"] == "If-None-Match"
    with refused("PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"2", IfMatch='"other"')
    s3.put_object(Bucket=bucket, Key=key, Body=b"2", IfMatch=one)
    two = hashlib.md5(b"2").hexdigest()
    for quotes in [two, f'{two}"', f'"{two}']:  # S3 doesn't insist on them
        s3.put_object(Bucket=bucket, Key=key, Body=b"2", IfMatch=quotes)
    with refused("NotImplemented", status=501):
        s3.put_object(Bucket=bucket, Key=key, Body=b"3", IfNoneMatch='"x"')
    with refused("PreconditionFailed"):
        s3.delete_object(Bucket=bucket, Key=key, IfMatch=one)
    assert body(s3.get_object(Bucket=bucket, Key=key)) == b"2"


def test_of_many_that_create_a_key_one_wins(server, bucket):
    def create(i):
        try:
            server.boto("s3").put_object(Bucket=bucket, Key=key, Body=str(i).encode(), IfNoneMatch="*")
            return i
        except botocore.exceptions.ClientError as e:
            assert e.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return None
    key = name()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        winners = [i for i in pool.map(create, range(16)) if i is not None]
    assert len(winners) == 1
    assert body(server.boto("s3").get_object(Bucket=bucket, Key=key)) == str(winners[0]).encode()


def test_readers_never_see_half_an_overwrite(server, bucket):
    s3, key = server.boto("s3"), name()
    contents = [bytes([i]) * size for i in range(3) for size in (1000, 200_000)]
    s3.put_object(Bucket=bucket, Key=key, Body=contents[0])

    def write(i):
        server.boto("s3").put_object(Bucket=bucket, Key=key, Body=contents[i % len(contents)])

    def read(_):
        got = server.boto("s3").get_object(Bucket=bucket, Key=key)
        data = body(got)
        assert data in contents and got["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(write if i % 2 else read, i) for i in range(60)]:
            done.result()


def test_metadata_and_headers(s3, bucket):
    s3.put_object(Bucket=bucket, Key="m", Body=b"x", Metadata={"Colour": "blue", "empty": ""}, ContentType="text/plain",
                  CacheControl="no-cache", ContentDisposition="attachment", ContentEncoding="gzip", ContentLanguage="de",
                  WebsiteRedirectLocation="/other", StorageClass="STANDARD_IA")
    got = s3.head_object(Bucket=bucket, Key="m")
    assert got["Metadata"] == {"colour": "blue", "empty": ""}
    assert (got["ContentType"], got["CacheControl"], got["ContentDisposition"], got["ContentEncoding"], got["ContentLanguage"],
            got["WebsiteRedirectLocation"], got["StorageClass"]) == ("text/plain", "no-cache", "attachment", "gzip", "de", "/other", "STANDARD_IA")
    got = s3.get_object(Bucket=bucket, Key="m", ResponseContentType="text/html", ResponseCacheControl="max-age=1")
    assert (got["ContentType"], got["CacheControl"]) == ("text/html", "max-age=1")
    with refused("MetadataTooLarge"):
        s3.put_object(Bucket=bucket, Key="m2", Metadata={"a": "x" * 2048})
    with refused("InvalidRedirectLocation"):
        s3.put_object(Bucket=bucket, Key="m2", WebsiteRedirectLocation="other")
    with refused("NotImplemented"):
        s3.put_object(Bucket=bucket, Key="m2", StorageClass="GLACIER")


def test_tags(s3, bucket):
    key = name()
    s3.put_object(Bucket=bucket, Key=key, Tagging="Team=red&note=a%20b%2Bc&empty")
    tags = {t["Key"]: t["Value"] for t in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}
    assert tags == {"Team": "red", "note": "a b+c", "empty": ""}
    assert s3.head_object(Bucket=bucket, Key=key)["ResponseMetadata"]["HTTPHeaders"].get("x-amz-tagging-count") == "3"
    assert s3.get_object(Bucket=bucket, Key=key)["TagCount"] == 3
    s3.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": "k" * 128, "Value": "é" * 256}]})
    s3.delete_object_tagging(Bucket=bucket, Key=key)
    assert s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] == []
    for tag_set, code in [([{"Key": f"k{i}", "Value": ""} for i in range(11)], "BadRequest"), ([{"Key": "k" * 129, "Value": ""}], "InvalidTag"),
                          ([{"Key": "k", "Value": "v" * 257}], "InvalidTag"), ([{"Key": "aws:x", "Value": ""}], "InvalidTag"),
                          ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "InvalidTag"), ([{"Key": "a<b", "Value": ""}], "InvalidTag")]:
        with refused(code, status=400):
            s3.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": tag_set})
    for header in ["a=1&a=2", "=1", "%zz=1"]:
        with refused("InvalidArgument"):
            s3.put_object(Bucket=bucket, Key=key, Tagging=header)
    s3.put_object(Bucket=bucket, Key=key, Tagging="&a=1&&b&")
    assert {t["Key"]: t["Value"] for t in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]} == {"a": "1", "b": ""}
    with refused("InvalidTag", "Your TagKey cannot be prefixed with aws:"):
        s3.put_object(Bucket=bucket, Key=key, Tagging="aws:a=1")
    with refused("BadRequest", "Object tags cannot be greater than 10"):
        s3.put_object(Bucket=bucket, Key=key, Tagging="&".join(f"k{i}=" for i in range(11)))


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def test_checksums(server, s3, bucket):
    assert s3.put_object(Bucket=bucket, Key="s", Body=b"hello")["ChecksumCRC32"] == crc32(b"hello")  # what current SDKs send
    for algorithm, value in [("SHA256", base64.b64encode(hashlib.sha256(b"hello").digest()).decode()),
                             ("SHA1", base64.b64encode(hashlib.sha1(b"hello").digest()).decode()), ("CRC32", crc32(b"hello"))]:
        put = s3.put_object(Bucket=bucket, Key="s", Body=b"hello", ChecksumAlgorithm=algorithm)
        assert put[f"Checksum{algorithm}"] == value and put["ChecksumType"] == "FULL_OBJECT"
        assert s3.head_object(Bucket=bucket, Key="s", ChecksumMode="ENABLED")[f"Checksum{algorithm}"] == value
        assert f"Checksum{algorithm}" not in s3.head_object(Bucket=bucket, Key="s")
        attributes = s3.get_object_attributes(Bucket=bucket, Key="s", ObjectAttributes=["Checksum", "ObjectSize", "ETag", "StorageClass"])
        assert attributes["Checksum"][f"Checksum{algorithm}"] == value and attributes["ObjectSize"] == 5
        assert attributes["ETag"] == hashlib.md5(b"hello").hexdigest() and attributes["StorageClass"] == "STANDARD"
    with refused("BadDigest"):
        s3.put_object(Bucket=bucket, Key="s", Body=b"hello", ChecksumCRC32=crc32(b"other"))
    with refused("BadDigest"):
        s3.put_object(Bucket=bucket, Key="s", Body=b"hello", ContentMD5=base64.b64encode(hashlib.md5(b"other").digest()).decode())
    # Without any, S3 makes its own.
    old = server.boto("s3", config=botocore.config.Config(request_checksum_calculation="when_required"))
    assert old.put_object(Bucket=bucket, Key="s", Body=b"123456789")["ChecksumCRC64NVME"] == "rosUhgp5mIg="
    copied = s3.copy_object(Bucket=bucket, Key="s2", CopySource=f"{bucket}/s", ChecksumAlgorithm="CRC32")["CopyObjectResult"]
    assert copied["ChecksumCRC32"] == crc32(b"123456789")


def test_copies(s3, bucket):
    s3.put_object(Bucket=bucket, Key="from", Body=b"x" * 100_000, Metadata={"a": "1"}, ContentType="text/plain", Tagging="t=1")
    etag = s3.copy_object(Bucket=bucket, Key="to", CopySource=f"/{bucket}/from")["CopyObjectResult"]["ETag"]
    got = s3.get_object(Bucket=bucket, Key="to")
    assert body(got) == b"x" * 100_000 and got["Metadata"] == {"a": "1"} and got["ContentType"] == "text/plain" and got["TagCount"] == 1
    s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from", MetadataDirective="REPLACE", Metadata={"b": "2"},
                   TaggingDirective="REPLACE", Tagging="u=2&v=3")
    got = s3.head_object(Bucket=bucket, Key="to")
    assert got["Metadata"] == {"b": "2"} and got["ContentType"] == "binary/octet-stream"
    assert len(s3.get_object_tagging(Bucket=bucket, Key="to")["TagSet"]) == 2
    with refused("InvalidRequest", "without changing the object's metadata"):
        s3.copy_object(Bucket=bucket, Key="from", CopySource=f"{bucket}/from")
    s3.copy_object(Bucket=bucket, Key="from", CopySource=f"{bucket}/from", MetadataDirective="REPLACE", Metadata={"c": "3"})
    assert s3.head_object(Bucket=bucket, Key="from")["Metadata"] == {"c": "3"}
    s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from", CopySourceIfMatch=etag)
    for condition in [{"CopySourceIfMatch": '"x"'}, {"CopySourceIfNoneMatch": etag},
                      {"CopySourceIfUnmodifiedSince": datetime.datetime(2000, 1, 1)}, {"CopySourceIfModifiedSince": datetime.datetime(2026, 1, 1)}]:
        if "CopySourceIfModifiedSince" in condition:
            condition = {"CopySourceIfModifiedSince": s3.head_object(Bucket=bucket, Key="from")["LastModified"]}
        with refused("PreconditionFailed", status=412):
            s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from", **condition)
    with refused("NoSuchKey", status=404):
        s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/missing")
    with refused("NoSuchBucket", status=404):
        s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{name()}/missing")
    for source in ["nonsense", f"{bucket}/", "/", f"{bucket}/from?versionId=nonsense"]:
        with refused("InvalidArgument"):
            s3.copy_object(Bucket=bucket, Key="to", CopySource=source)


def test_delete_objects(s3, bucket):
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=f"d/{i}", Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"d/{i}"} for i in range(3)] + [{"Key": "d/none"}]})
    assert [d["Key"] for d in answer["Deleted"]] == ["d/0", "d/1", "d/2", "d/none"] and "Errors" not in answer
    assert "Deleted" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "d/3"}], "Quiet": True})
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "d/4", "ETag": '"other"'}, {"Key": "d/0", "VersionId": "nonsense"}]})
    assert [e["Code"] for e in answer["Errors"]] == ["PreconditionFailed", "InvalidArgument"]
    assert s3.list_objects_v2(Bucket=bucket, Prefix="d/")["KeyCount"] == 1
    with refused("MalformedXML"):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"{i}"} for i in range(1001)]})


def test_what_is_not_built_errs_by_name(s3, bucket):
    for more in [{"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32}, {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": 9e9},
                 {"ServerSideEncryption": "aws:kms:dsse"}]:
        with refused("NotImplemented", "not supported by this server", 501):
            s3.put_object(Bucket=bucket, Key="n", Body=b"x", **more)


def test_streams_of_unknown_checksum_and_presigned_urls(server, s3, bucket):
    s3.upload_fileobj(io.BytesIO(b"streamed"), bucket, "streamed")
    assert body(s3.get_object(Bucket=bucket, Key="streamed")) == b"streamed"
    v4 = server.boto("s3", config=botocore.config.Config(signature_version="s3v4"))
    url = v4.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "streamed"}, ExpiresIn=60)
    assert subprocess.run(["curl", "-s", "--cacert", server.ca, url], capture_output=True).stdout == b"streamed"
    url = v4.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "presigned"}, ExpiresIn=60)
    done = subprocess.run(["curl", "-s", "--cacert", server.ca, "-T", "-", url], input=b"by curl", capture_output=True)
    assert done.stdout == b"" or b"MissingContentLength" in done.stdout  # curl sends a pipe chunked, which S3 refuses
    done = subprocess.run(["curl", "-s", "--cacert", server.ca, "-X", "PUT", "--data-binary", "by curl", "-H", "Content-Type:", url], capture_output=True)
    assert done.stdout == b"" and body(s3.get_object(Bucket=bucket, Key="presigned")) == b"by curl"


def test_objects_survive_a_kill(server, s3, bucket):
    written = {}
    for i in range(20):
        key, data = f"kill/{i}", bytes([i]) * (i * 10_000)
        s3.put_object(Bucket=bucket, Key=key, Body=data)
        written[key] = data
    server.kill()
    server.start()
    for key, data in written.items():
        assert body(s3.get_object(Bucket=bucket, Key=key)) == data
    assert not list((server.data / "objects" / "tmp").iterdir())


def test_nothing_readable_lies_on_the_disk(server, s3, bucket):
    secret = b"a secret that is easy to find "
    s3.put_object(Bucket=bucket, Key="secret", Body=secret * 5000)
    s3.put_object(Bucket=bucket, Key="small secret", Body=secret)
    for path in server.data.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes(), path


def test_the_answer_to_json_in_the_wrong_place(s3, bucket):
    with refused("InvalidArgument"):
        s3.get_object(Bucket=bucket, Key="x", VersionId=json.dumps({"a": 1}))
