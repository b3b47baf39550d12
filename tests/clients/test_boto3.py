"""boto3 with its default settings: checksums, chunking, retries."""

import base64
import datetime
import hashlib
import urllib.error
import urllib.request

import botocore
import pytest
import requests
from botocore.exceptions import ClientError

KEY = bytes(range(32))


def code(refused):
    return refused.value.response["Error"]["Code"]


@pytest.mark.parametrize("size", [0, 1, 5_000, 3_000_000])
def test_bodies_read_back(s3, bucket, size):
    body = hashlib.shake_128(b"noise").digest(size)

    put = s3.put_object(Bucket=bucket, Key="key", Body=body)

    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert put["ServerSideEncryption"] == "AES256"
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == body


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_verified_on_both_sides(s3, bucket, algorithm):
    try:
        put = s3.put_object(Bucket=bucket, Key="key", Body=b"123456789", ChecksumAlgorithm=algorithm)
    except botocore.exceptions.MissingDependencyException:
        put = s3.put_object(Bucket=bucket, Key="key", Body=b"123456789", ChecksumCRC64NVME="rosUhgp5mIg=")

    got = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")

    assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert got["Body"].read() == b"123456789"


def test_a_stream_of_unknown_length_goes_up(s3, bucket, tmp_path):
    path = tmp_path / "body"
    path.write_bytes(b"x" * 2_000_000)

    with path.open("rb") as body:
        s3.put_object(Bucket=bucket, Key="key", Body=body)

    assert s3.head_object(Bucket=bucket, Key="key")["ContentLength"] == 2_000_000


def test_customer_keys_seal_and_open(s3, bucket):
    secret = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
    s3.put_object(Bucket=bucket, Key="key", Body=b"secret", **secret)

    assert s3.get_object(Bucket=bucket, Key="key", **secret)["Body"].read() == b"secret"
    with pytest.raises(ClientError) as keyless:
        s3.get_object(Bucket=bucket, Key="key")
    with pytest.raises(ClientError) as wrong:
        s3.get_object(Bucket=bucket, Key="key", SSECustomerAlgorithm="AES256", SSECustomerKey=bytes(32))
    assert (code(keyless), code(wrong)) == ("InvalidRequest", "AccessDenied")
    source = {f"CopySource{name}": value for name, value in secret.items()}
    s3.copy_object(Bucket=bucket, Key="open", CopySource={"Bucket": bucket, "Key": "key"}, **source)
    assert s3.get_object(Bucket=bucket, Key="open")["Body"].read() == b"secret"


def test_ranges_and_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"0123456789")["ETag"]

    assert s3.get_object(Bucket=bucket, Key="key", Range="bytes=2-4")["Body"].read() == b"234"
    with pytest.raises(ClientError) as unmodified:
        s3.get_object(Bucket=bucket, Key="key", IfNoneMatch=etag)
    with pytest.raises(ClientError) as taken:
        s3.put_object(Bucket=bucket, Key="key", Body=b"", IfNoneMatch="*")
    assert (code(unmodified), code(taken)) == ("304", "PreconditionFailed")


@pytest.mark.parametrize("key", ["../../x", "a//b", ".", "a\nb", "%2F", "ü" * 512, "a b+c?d#e"])
def test_odd_keys(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())

    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]


def test_pages_join(s3, bucket):
    for index in range(12):
        s3.put_object(Bucket=bucket, Key=f"key-{index:02}", Body=b"")

    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 5})

    assert [item["Key"] for page in pages for item in page["Contents"]] == [f"key-{index:02}" for index in range(12)]
    listed = {"Objects": [{"Key": f"key-{index:02}"} for index in range(12)]}
    assert len(s3.delete_objects(Bucket=bucket, Delete=listed)["Deleted"]) == 12


def test_default_encryption_round_trips(s3, bucket):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/none"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})

    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [rule]
    with pytest.raises(ClientError) as missing:
        s3.put_object(Bucket=bucket, Key="key", Body=b"")
    assert code(missing) == "KMS.NotFoundException"
    s3.delete_bucket_encryption(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="key", Body=b"")


def test_presigned_requests(server, s3, scheme, bucket, monkeypatch):
    s3.put_object(Bucket=bucket, Key="key", Body=b"hello")
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"}, ExpiresIn=60)
    trust = str(server.ca) if scheme == "https" else None

    assert requests.get(url, verify=trust, timeout=10).content == b"hello"
    assert requests.get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"), verify=trust, timeout=10).status_code == 403
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: past.replace(tzinfo=None))
    late = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"}, ExpiresIn=60)
    answer = requests.get(late, verify=trust, timeout=10)
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)


def test_anonymous_requests_are_denied(server, bucket):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.uri('http')}/{bucket}")
    assert refused.value.code == 403


def test_virtual_hosts(server, bucket):
    host = f"{bucket}.s3.localhost.localstack.cloud"

    answer = requests.get(server.uri("http"), headers={"Host": host}, timeout=10)

    assert "AccessDenied" in answer.text and "InvalidBucketName" not in answer.text


def test_who_am_i(server, scheme):
    sts = server.client(scheme, "sts", aws_access_key_id="111122223333", aws_secret_access_key="111122223333")

    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::111122223333:root"


def test_nothing_lies_in_the_clear(server, bucket):
    marker = b"a marker that must not lie in the clear"
    s3 = server.client("http")
    large = bytes(100_000) + marker + bytes(100_000)
    secret = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
    s3.put_object(Bucket=bucket, Key="small", Body=marker)
    s3.put_object(Bucket=bucket, Key="large", Body=large)
    s3.put_object(Bucket=bucket, Key="customer", Body=large, **secret)
    s3.get_object(Bucket=bucket, Key="customer", **secret)["Body"].read()
    root = (server.folder / "root.key").read_bytes()
    forms = [form for key in (KEY, root) for form in (key, key.hex().encode(), base64.b64encode(key))]

    server.log.flush()
    places = [path for path in server.folder.rglob("*") if path.is_file()] + [server.folder.parent / "log"]
    for path in places:
        bytes_ = path.read_bytes()
        assert marker not in bytes_, path
        for form in forms:
            assert form not in bytes_ or (path.name == "root.key" and form == root), path
