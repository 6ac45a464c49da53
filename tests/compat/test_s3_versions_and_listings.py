"""S3: versioning, delete markers, and the three listings."""
import botocore.config
import pytest
from support.aws import body, name, new_bucket, refused


@pytest.fixture(scope="module")
def s3(server):
    return server.boto("s3")


@pytest.fixture
def bucket(s3):
    return new_bucket(s3)


@pytest.fixture
def versioned(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def test_without_versioning_nothing_speaks_of_it(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    assert "VersionId" not in s3.get_object(Bucket=bucket, Key="k")
    assert body(s3.get_object(Bucket=bucket, Key="k", VersionId="null")) == b"1"
    assert "VersionId" not in s3.delete_object(Bucket=bucket, Key="k")
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)


def test_versions_and_delete_markers(s3, versioned):
    v1 = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    v2 = s3.put_object(Bucket=versioned, Key="k", Body=b"2")["VersionId"]
    assert v1 != v2 and body(s3.get_object(Bucket=versioned, Key="k")) == b"2"
    assert body(s3.get_object(Bucket=versioned, Key="k", VersionId=v1)) == b"1"
    gone = s3.delete_object(Bucket=versioned, Key="k")
    assert gone["DeleteMarker"] is True
    marker = gone["VersionId"]
    with refused("NoSuchKey", status=404) as answer:
        s3.get_object(Bucket=versioned, Key="k")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-delete-marker"] == "true" and headers["x-amz-version-id"] == marker
    with refused("404", status=404) as answer:
        s3.head_object(Bucket=versioned, Key="k")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    with refused("MethodNotAllowed", status=405) as answer:
        s3.get_object(Bucket=versioned, Key="k", VersionId=marker)
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert answer["ResponseMetadata"]["HTTPHeaders"]["allow"] == "DELETE"
    with refused("MethodNotAllowed", status=405) as answer:
        s3.put_object_tagging(Bucket=versioned, Key="k", VersionId=marker, Tagging={"TagSet": []})
    assert answer["Error"]["Method"] == "PUT" and answer["Error"]["ResourceType"] == "DeleteMarker"
    listed = s3.list_object_versions(Bucket=versioned)
    assert [(v["VersionId"], v["IsLatest"]) for v in listed["Versions"]] == [(v2, False), (v1, False)]
    assert [(m["VersionId"], m["IsLatest"]) for m in listed["DeleteMarkers"]] == [(marker, True)]
    assert "Contents" not in s3.list_objects_v2(Bucket=versioned)
    gone = s3.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert gone["DeleteMarker"] is True and gone["VersionId"] == marker
    assert body(s3.get_object(Bucket=versioned, Key="k")) == b"2"
    s3.copy_object(Bucket=versioned, Key="k", CopySource={"Bucket": versioned, "Key": "k", "VersionId": v1})
    assert body(s3.get_object(Bucket=versioned, Key="k")) == b"1"
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "k", "VersionId": v1}, {"Key": "k"}]})["Deleted"]
    assert answer[0] == {"Key": "k", "VersionId": v1}
    assert answer[1]["DeleteMarker"] is True and answer[1]["DeleteMarkerVersionId"] != v1
    with refused("NoSuchVersion", status=404):
        s3.get_object(Bucket=versioned, Key="k", VersionId=v1)
    for bad in ["nonsense", "x" * 32 + "=", "../../k"]:
        with refused("InvalidArgument", "Invalid version id specified", 400):
            s3.get_object(Bucket=versioned, Key="k", VersionId=bad)
    with refused("BucketNotEmpty", "You must delete all versions in the bucket", 409):
        s3.delete_bucket(Bucket=versioned)
    with refused("InvalidRequest", "delete marker"):
        s3.copy_object(Bucket=versioned, Key="l", CopySource={"Bucket": versioned, "Key": "k", "VersionId": answer[1]["DeleteMarkerVersionId"]})


def test_suspended_versioning_has_one_null_version(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    v1 = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    assert body(s3.get_object(Bucket=bucket, Key="k", VersionId="null")) == b"before"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"suspended")["VersionId"] == "null"
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"again")["VersionId"] == "null"
    assert [v["VersionId"] for v in s3.list_object_versions(Bucket=bucket)["Versions"]] == ["null", v1]
    gone = s3.delete_object(Bucket=bucket, Key="k")
    assert gone["DeleteMarker"] is True and gone["VersionId"] == "null"
    listed = s3.list_object_versions(Bucket=bucket)
    assert [v["VersionId"] for v in listed["Versions"]] == [v1] and [m["VersionId"] for m in listed["DeleteMarkers"]] == ["null"]


def test_tags_of_a_version(s3, versioned):
    v1 = s3.put_object(Bucket=versioned, Key="k", Tagging="a=1")["VersionId"]
    v2 = s3.put_object(Bucket=versioned, Key="k", Tagging="a=2")["VersionId"]
    answer = s3.put_object_tagging(Bucket=versioned, Key="k", VersionId=v1, Tagging={"TagSet": [{"Key": "b", "Value": "3"}]})
    assert answer["VersionId"] == v1
    assert s3.get_object_tagging(Bucket=versioned, Key="k", VersionId=v1)["TagSet"] == [{"Key": "b", "Value": "3"}]
    assert s3.get_object_tagging(Bucket=versioned, Key="k")["TagSet"] == [{"Key": "a", "Value": "2"}]
    assert s3.get_object_tagging(Bucket=versioned, Key="k")["VersionId"] == v2


KEYS = ["a", "b/1", "b/2", "b/c/1", "b/c/2", "d", "d/1", "e e", "f+f", "ü", "😀"]


@pytest.fixture(scope="module")
def full(s3):
    bucket = new_bucket(s3)
    for key in KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    return bucket


def shown(answer):
    return [o["Key"] for o in answer.get("Contents", [])], [p["Prefix"] for p in answer.get("CommonPrefixes", [])]


@pytest.mark.parametrize("more, keys, prefixes", [
    ({}, KEYS, []),
    ({"Prefix": "b/"}, ["b/1", "b/2", "b/c/1", "b/c/2"], []),
    ({"Delimiter": "/"}, ["a", "d", "e e", "f+f", "ü", "😀"], ["b/", "d/"]),
    ({"Prefix": "b/", "Delimiter": "/"}, ["b/1", "b/2"], ["b/c/"]),
    ({"Prefix": "b", "Delimiter": "/"}, [], ["b/"]),
    ({"Delimiter": "c/"}, [k for k in KEYS if "c/" not in k], ["b/c/"]),
    ({"Prefix": "nothing"}, [], []),
    ({"Prefix": "ü"}, ["ü"], []),
    ({"StartAfter": "d"}, ["d/1", "e e", "f+f", "ü", "😀"], []),
    ({"StartAfter": "b/1", "Delimiter": "/"}, ["d", "e e", "f+f", "ü", "😀"], ["d/"]),
    ({"MaxKeys": 0}, [], []),
])
def test_list_v2(s3, full, more, keys, prefixes):
    answer = s3.list_objects_v2(Bucket=full, **more)
    assert shown(answer) == (keys, prefixes)
    assert answer["KeyCount"] == len(keys) + len(prefixes) and answer["IsTruncated"] is False
    assert answer["MaxKeys"] == more.get("MaxKeys", 1000)


@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000, 5000])
def test_pages(s3, full, delimiter, size):
    for operation in ["list_objects", "list_objects_v2"]:
        keys, prefixes = [], []
        for page in s3.get_paginator(operation).paginate(Bucket=full, Delimiter=delimiter, PaginationConfig={"PageSize": size}):
            k, p = shown(page)
            assert len(k) + len(p) <= size and page["MaxKeys"] == min(size, 1000)
            keys += k
            prefixes += p
        assert (keys, prefixes) == ((KEYS, []) if not delimiter else (["a", "d", "e e", "f+f", "ü", "😀"], ["b/", "d/"]))


def test_list_v1_shows_owners_and_its_marker(s3, full):
    answer = s3.list_objects(Bucket=full, Marker="d", MaxKeys=2)
    assert shown(answer)[0] == ["d/1", "e e"] and answer["IsTruncated"] and "NextMarker" not in answer
    assert len(answer["Contents"][0]["Owner"]["ID"]) == 64
    assert s3.list_objects(Bucket=full, Delimiter="/", MaxKeys=2)["NextMarker"] == "b/"
    assert "Owner" not in s3.list_objects_v2(Bucket=full)["Contents"][0]
    assert s3.list_objects_v2(Bucket=full, FetchOwner=True)["Contents"][0]["Owner"]["ID"] == answer["Contents"][0]["Owner"]["ID"]


def test_bad_listings(s3, full):
    with refused("InvalidArgument", "The continuation token provided is incorrect"):
        s3.list_objects_v2(Bucket=full, ContinuationToken="%%%")
    with refused("InvalidArgument"):
        s3.list_objects_v2(Bucket=full, MaxKeys=-1)
    with refused("InvalidArgument", "without a key marker"):
        s3.list_object_versions(Bucket=full, VersionIdMarker="null")
    with refused("NoSuchBucket", status=404):
        s3.list_objects_v2(Bucket=name())


def test_version_pages(s3, versioned):
    want = []
    for key in ["a", "b/1", "b/2", "c"]:
        for _ in range(3):
            s3.put_object(Bucket=versioned, Key=key, Body=b"x")
        s3.delete_object(Bucket=versioned, Key=key)
    everything = s3.list_object_versions(Bucket=versioned)
    want = sorted((v["Key"], v["VersionId"]) for v in everything["Versions"] + everything["DeleteMarkers"])
    assert len(want) == 16
    for size in [1, 2, 3, 5, 16]:
        got = []
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=versioned, PaginationConfig={"PageSize": size}):
            items = page.get("Versions", []) + page.get("DeleteMarkers", [])
            assert len(items) <= size
            got += [(v["Key"], v["VersionId"]) for v in items]
        assert sorted(got) == want and len(set(got)) == len(got)
    rolled_up = s3.list_object_versions(Bucket=versioned, Delimiter="/")
    assert [p["Prefix"] for p in rolled_up["CommonPrefixes"]] == ["b/"]


def test_a_thousand_keys_and_more(server, s3, bucket):
    fast = server.boto("s3", config=botocore.config.Config(max_pool_connections=16))
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: fast.put_object(Bucket=bucket, Key=f"k{i:04}"), range(1010)))
    answer = s3.list_objects_v2(Bucket=bucket)
    assert answer["IsTruncated"] and answer["KeyCount"] == 1000
    assert s3.list_objects_v2(Bucket=bucket, ContinuationToken=answer["NextContinuationToken"])["KeyCount"] == 10
    assert len(s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"k{i:04}"} for i in range(1000)]})["Deleted"]) == 1000
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 10


@pytest.mark.parametrize("list_them, parameter", [("list_objects", "MaxKeys"), ("list_objects_v2", "MaxKeys"), ("list_object_versions", "MaxKeys"),
                                                  ("list_multipart_uploads", "MaxUploads")])
def test_a_page_has_a_size(s3, list_them, parameter):
    bucket = new_bucket(s3)
    with refused("InvalidArgument", "must be an integer between"):
        getattr(s3, list_them)(Bucket=bucket, **{parameter: -1})
    with refused("InvalidArgument", "integer"):
        getattr(s3, list_them)(Bucket=bucket, **{parameter: 2**31})
