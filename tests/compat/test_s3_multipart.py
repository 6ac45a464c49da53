"""S3: multipart uploads."""
import base64
import concurrent.futures
import hashlib
import io
import os
import zlib

import boto3.s3.transfer
import botocore.config
import pytest
from support.aws import body, name, new_bucket, refused

MB = 1 << 20
PART = os.urandom(1 << 16) * 80  # 5 MiB


@pytest.fixture(scope="module")
def s3(server):
    return server.boto("s3")


@pytest.fixture(scope="module")
def plain(server):
    """A client that sends no checksums of its own accord."""
    return server.boto("s3", config=botocore.config.Config(request_checksum_calculation="when_required"))


@pytest.fixture(scope="module")
def bucket(s3):
    return new_bucket(s3)


def start(s3, bucket, key=None, **more):
    key = key or name("k")
    return {"Bucket": bucket, "Key": key, "UploadId": s3.create_multipart_upload(Bucket=bucket, Key=key, **more)["UploadId"]}


def parts_of(*parts):
    return {"Parts": list(parts)}


def test_parts_become_one_object(s3, bucket):
    up = start(s3, bucket, Metadata={"a": "1"}, ContentType="text/plain", Tagging="t=1")
    bodies = {1: PART, 3: PART[::-1], 7: b"tail"}
    sent = [{"PartNumber": n, "ETag": s3.upload_part(**up, PartNumber=n, Body=b)["ETag"], "ChecksumCRC32": crc32(b)} for n, b in bodies.items()]
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key=up["Key"])
    done = s3.complete_multipart_upload(**up, MultipartUpload=parts_of(*sent))
    whole = b"".join(bodies.values())
    etag = hashlib.md5(b"".join(hashlib.md5(b).digest() for b in bodies.values())).hexdigest() + "-3"
    assert done["ETag"] == f'"{etag}"' and done["Key"] == up["Key"] and done["Location"].endswith(up["Key"])
    got = s3.get_object(Bucket=bucket, Key=up["Key"])
    assert body(got) == whole and got["Metadata"] == {"a": "1"} and got["TagCount"] == 1 and got["ContentType"] == "text/plain"
    edge = len(PART)
    for first, last in [(0, 9), (edge - 3, edge + 3), (2 * edge - 1, 2 * edge + 1), (edge, edge), (5, len(whole) - 5)]:
        assert body(s3.get_object(Bucket=bucket, Key=up["Key"], Range=f"bytes={first}-{last}")) == whole[first:last + 1]
    part = s3.get_object(Bucket=bucket, Key=up["Key"], PartNumber=7)
    assert body(part) == b"tail" and part["PartsCount"] == 3
    assert s3.head_object(Bucket=bucket, Key=up["Key"], PartNumber=1)["ContentLength"] == edge
    with refused("416", status=416):
        s3.head_object(Bucket=bucket, Key=up["Key"], PartNumber=8)
    with refused("InvalidPartNumber", status=416):
        s3.get_object(Bucket=bucket, Key=up["Key"], PartNumber=2)
    attributes = s3.get_object_attributes(Bucket=bucket, Key=up["Key"], ObjectAttributes=["ObjectParts"], MaxParts=2)["ObjectParts"]
    assert attributes["TotalPartsCount"] == 3 and attributes["IsTruncated"] and [p["PartNumber"] for p in attributes["Parts"]] == [1, 3]
    assert "-" not in s3.get_object_attributes(Bucket=bucket, Key=up["Key"], ObjectAttributes=["Checksum"])["Checksum"]["ChecksumCRC64NVME"]
    s3.copy_object(Bucket=bucket, Key="copied", CopySource={"Bucket": bucket, "Key": up["Key"]})
    assert body(s3.get_object(Bucket=bucket, Key="copied")) == whole


def test_completing_again_gives_the_same_answer(s3, bucket):
    """A client whose connection broke can't know whether its upload was completed."""
    up = start(s3, bucket)
    sent = [{"PartNumber": n, "ETag": s3.upload_part(**up, PartNumber=n, Body=b)["ETag"]} for n, b in [(1, PART), (2, b"x")]]
    done = s3.complete_multipart_upload(**up, MultipartUpload=parts_of(*sent))
    assert done["Location"].endswith(f"/{bucket}/{up['Key']}") and done["Location"].startswith("https://")
    again = s3.complete_multipart_upload(**up, MultipartUpload=parts_of(*sent), IfNoneMatch="*")
    assert again["ETag"] == done["ETag"] and again["ChecksumCRC64NVME"] == done["ChecksumCRC64NVME"]
    for parts in [sent[:1], [sent[0], {**sent[1], "ETag": sent[0]["ETag"]}]]:
        with refused("NoSuchUpload", status=404):
            s3.complete_multipart_upload(**up, MultipartUpload=parts_of(*parts))
    with refused("NoSuchUpload"):
        s3.upload_part(**up, PartNumber=3, Body=b"late")
    s3.put_object(Bucket=bucket, Key=up["Key"], Body=b"another object by now")
    with refused("NoSuchUpload"):
        s3.complete_multipart_upload(**up, MultipartUpload=parts_of(*sent))
    assert body(s3.get_object(Bucket=bucket, Key=up["Key"])) == b"another object by now"


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def test_what_completing_refuses(plain, bucket):
    up = start(plain, bucket)
    one = {"PartNumber": 1, "ETag": plain.upload_part(**up, PartNumber=1, Body=b"small")["ETag"]}
    two = {"PartNumber": 2, "ETag": plain.upload_part(**up, PartNumber=2, Body=b"small")["ETag"]}
    with refused("EntityTooSmall") as answer:
        plain.complete_multipart_upload(**up, MultipartUpload=parts_of(one, two))
    assert answer["Error"]["ProposedSize"] == "5" and answer["Error"]["MinSizeAllowed"] == "5242880"
    for order in [(two, one), (one, one)]:
        with refused("InvalidPartOrder"):
            plain.complete_multipart_upload(**up, MultipartUpload=parts_of(*order))
    for wrong in [{"PartNumber": 1, "ETag": '"x"'}, {"PartNumber": 9, "ETag": one["ETag"]}, {"PartNumber": 1, "ETag": hashlib.md5(b"y").hexdigest()}]:
        with refused("InvalidPart"):
            plain.complete_multipart_upload(**up, MultipartUpload=parts_of(wrong))
    for lacking in [[], [{"PartNumber": 1}], [{"ETag": one["ETag"]}]]:
        with refused("MalformedXML"):
            plain.complete_multipart_upload(**up, MultipartUpload=parts_of(*lacking))
    with refused("InvalidArgument", "PartNumber must be >= 1"):
        plain.complete_multipart_upload(**up, MultipartUpload=parts_of({**one, "PartNumber": 0}))
    crc, sha = crc32(b"small"), base64.b64encode(hashlib.sha256(b"small").digest()).decode()
    with refused("InvalidArgument"):
        plain.complete_multipart_upload(**up, MultipartUpload=parts_of({**one, "ChecksumCRC32": crc, "ChecksumSHA256": sha}))
    with refused("InvalidRequest", "less than zero"):
        plain.complete_multipart_upload(**up, MultipartUpload=parts_of(one), MpuObjectSize=-1)
    with refused("InvalidRequest", "x-amz-mp-object-size"):
        plain.complete_multipart_upload(**up, MultipartUpload=parts_of(one), MpuObjectSize=6)
    for number in [0, 10001]:
        with refused("InvalidArgument", "between 1 and 10000"):
            plain.upload_part(**up, PartNumber=number, Body=b"x")
    plain.put_object(Bucket=bucket, Key=up["Key"], Body=b"there already")
    with refused("PreconditionFailed", status=412):
        plain.complete_multipart_upload(**up, MultipartUpload=parts_of(one), IfNoneMatch="*")
    plain.complete_multipart_upload(**up, MultipartUpload=parts_of(one))
    assert body(plain.get_object(Bucket=bucket, Key=up["Key"])) == b"small"


@pytest.mark.parametrize("algorithm, kind", [("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT"), ("CRC32C", "FULL_OBJECT"), ("SHA256", "COMPOSITE"),
                                             ("CRC64NVME", "FULL_OBJECT")])
def test_checksums(s3, bucket, algorithm, kind):
    if algorithm in ("CRC32C", "CRC64NVME"):
        pytest.importorskip("awscrt", reason="boto3 computes this checksum with awscrt only")
    up = start(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    bodies, sent = [PART, b"tail"], []
    for n, data in enumerate(bodies, 1):
        part = s3.upload_part(**up, PartNumber=n, Body=data, ChecksumAlgorithm=algorithm)
        sent.append({"PartNumber": n, "ETag": part["ETag"], f"Checksum{algorithm}": part[f"Checksum{algorithm}"]})
    listed = s3.list_parts(**up)
    assert listed["ChecksumAlgorithm"] == algorithm and listed["ChecksumType"] == kind
    assert listed["Parts"][0][f"Checksum{algorithm}"] == sent[0][f"Checksum{algorithm}"]
    if kind == "COMPOSITE":
        with refused("InvalidRequest", "must include the checksum for each part"):
            s3.complete_multipart_upload(**up, MultipartUpload=parts_of(*[{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in sent]))
    other, value = ("SHA256", hashlib.sha256(PART).digest()) if algorithm != "SHA256" else ("SHA1", hashlib.sha1(PART).digest())
    alien = {"PartNumber": 1, "ETag": sent[0]["ETag"], f"Checksum{other}": base64.b64encode(value).decode()}
    with refused("BadDigest", f"The {other.lower()} you specified for part 1 did not match what we received."):
        s3.complete_multipart_upload(**up, MultipartUpload=parts_of(alien, sent[1]))
    with refused("InvalidPart"):
        s3.complete_multipart_upload(**up, MultipartUpload=parts_of({**sent[0], f"Checksum{algorithm}": sent[1][f"Checksum{algorithm}"]}, sent[1]))
    with refused("InvalidRequest"):
        s3.complete_multipart_upload(**up, MultipartUpload=parts_of(*sent), ChecksumType="COMPOSITE" if kind == "FULL_OBJECT" else "FULL_OBJECT")
    done = s3.complete_multipart_upload(**up, MultipartUpload=parts_of(*sent))
    assert done["ChecksumType"] == kind
    if algorithm == "CRC32" and kind == "FULL_OBJECT":
        assert done["ChecksumCRC32"] == crc32(PART + b"tail")
    if kind == "COMPOSITE":
        assert done[f"Checksum{algorithm}"].endswith("-2")
    assert s3.head_object(Bucket=bucket, Key=up["Key"], ChecksumMode="ENABLED")[f"Checksum{algorithm}"] == done[f"Checksum{algorithm}"]
    assert body(s3.get_object(Bucket=bucket, Key=up["Key"], ChecksumMode="ENABLED")) == PART + b"tail"


def test_a_checksum_that_differs(s3, bucket):
    up = start(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    part = s3.upload_part(**up, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")
    with refused("BadDigest"):
        s3.complete_multipart_upload(**up, MultipartUpload=parts_of({"PartNumber": 1, "ETag": part["ETag"]}), ChecksumCRC32=crc32(b"y"))
    with refused("InvalidRequest", "Checksum Type mismatch"):
        s3.upload_part(**up, PartNumber=2, Body=b"x", ChecksumAlgorithm="SHA256")
    for algorithm, kind in [("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")]:
        with refused("InvalidRequest", "cannot be used with"):
            s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType=kind)


def test_without_checksums_s3_makes_its_own(plain, bucket):
    up = start(plain, bucket)
    sent = [{"PartNumber": n, "ETag": plain.upload_part(**up, PartNumber=n, Body=b)["ETag"]} for n, b in [(1, PART), (2, b"tail")]]
    done = plain.complete_multipart_upload(**up, MultipartUpload=parts_of(*sent))
    assert done["ChecksumType"] == "FULL_OBJECT"
    plain.put_object(Bucket=bucket, Key="whole", Body=PART + b"tail")
    assert plain.head_object(Bucket=bucket, Key="whole", ChecksumMode="ENABLED")["ChecksumCRC64NVME"] == done["ChecksumCRC64NVME"]


def test_part_copies(plain, bucket):
    plain.put_object(Bucket=bucket, Key="source", Body=PART + b"rest")
    up = start(plain, bucket)
    source = {"Bucket": bucket, "Key": "source"}
    one = plain.upload_part_copy(**up, PartNumber=1, CopySource=source, CopySourceRange=f"bytes=0-{len(PART) - 1}")["CopyPartResult"]["ETag"]
    two = plain.upload_part_copy(**up, PartNumber=2, CopySource=source, CopySourceRange=f"bytes={len(PART)}-{len(PART) + 3}")["CopyPartResult"]["ETag"]
    three = plain.upload_part_copy(**up, PartNumber=3, CopySource=source)["CopyPartResult"]["ETag"]
    assert one == f'"{hashlib.md5(PART).hexdigest()}"' and two == f'"{hashlib.md5(b"rest").hexdigest()}"'
    for bad in ["bytes=0-", "0-5", f"bytes=0-{len(PART) + 4}", "bytes=5-4"]:
        with refused("InvalidArgument"):
            plain.upload_part_copy(**up, PartNumber=4, CopySource=source, CopySourceRange=bad)
    with refused("NoSuchKey"):
        plain.upload_part_copy(**up, PartNumber=4, CopySource={"Bucket": bucket, "Key": "missing"})
    plain.complete_multipart_upload(**up, MultipartUpload=parts_of({"PartNumber": 1, "ETag": one}, {"PartNumber": 3, "ETag": three}))
    assert body(plain.get_object(Bucket=bucket, Key=up["Key"])) == PART + PART + b"rest"


def test_abort_and_listings(s3, bucket):
    bucket = new_bucket(s3)
    ups = [start(s3, bucket, key) for key in ["a", "b/1", "b/2", "c", "c"]]
    for n in [1, 2, 5]:
        s3.upload_part(**ups[0], PartNumber=n, Body=b"x" * n)
    listed = s3.list_parts(**ups[0], MaxParts=2)
    assert [(p["PartNumber"], p["Size"]) for p in listed["Parts"]] == [(1, 1), (2, 2)]
    assert listed["IsTruncated"] and listed["NextPartNumberMarker"] == 2
    assert [p["PartNumber"] for p in s3.list_parts(**ups[0], PartNumberMarker=2)["Parts"]] == [5]
    listed = s3.list_multipart_uploads(Bucket=bucket)
    assert [(u["Key"], u["UploadId"]) for u in listed["Uploads"]] == [(u["Key"], u["UploadId"]) for u in ups]  # by key, then age
    paged = []
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}):
        paged += [u["UploadId"] for u in page["Uploads"]]
    assert paged == [u["UploadId"] for u in ups]
    assert [p["Prefix"] for p in s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")["CommonPrefixes"]] == ["b/"]
    s3.abort_multipart_upload(**ups[0])
    for call in [s3.abort_multipart_upload, s3.list_parts]:
        with refused("NoSuchUpload", status=404):
            call(**ups[0])
    with refused("NoSuchUpload"):
        s3.upload_part(**ups[0], PartNumber=1, Body=b"x")
    with refused("NoSuchUpload"):
        s3.list_parts(**{**ups[1], "Key": "c"})  # another key's upload
    s3.delete_bucket(Bucket=bucket)  # unfinished uploads are no contents
    with refused("NoSuchBucket"):
        s3.upload_part(**ups[1], PartNumber=1, Body=b"x")


def test_two_completions_make_one_object(server):
    s3 = server.boto("s3")
    bucket = new_bucket(s3)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    up = start(s3, bucket)
    part = s3.upload_part(**up, PartNumber=1, Body=b"once")

    def complete(_):
        return server.boto("s3").complete_multipart_upload(**up, MultipartUpload=parts_of({"PartNumber": 1, "ETag": part["ETag"]}))["VersionId"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        versions = set(pool.map(complete, range(8)))
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [v["VersionId"] for v in listed] == list(versions)
    assert body(s3.get_object(Bucket=bucket, Key=up["Key"])) == b"once"


def test_transfers_of_sdk_and_cli(server, s3, bucket, tmp_path):
    data = PART * 5 + b"odd"
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=MB, multipart_chunksize=5 * MB, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(data), bucket, "sdk", Config=config)
    assert s3.head_object(Bucket=bucket, Key="sdk")["ETag"].endswith('-6"')
    got = io.BytesIO()
    s3.download_fileobj(bucket, "sdk", got, Config=config)
    assert got.getvalue() == data
    (tmp_path / "f").write_bytes(data)
    server.aws("s3", "cp", "--quiet", str(tmp_path / "f"), f"s3://{bucket}/cli")
    server.aws("s3", "cp", "--quiet", f"s3://{bucket}/cli", f"s3://{bucket}/cli2")
    server.aws("s3", "cp", "--quiet", f"s3://{bucket}/cli2", str(tmp_path / "g"))
    assert (tmp_path / "g").read_bytes() == data
