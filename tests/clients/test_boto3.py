"""boto3 with its default settings: checksums, chunking, retries."""

import base64
import datetime
import functools
import hashlib
import urllib.error
import urllib.request
from email.header import decode_header, make_header

import botocore.auth
import pytest
import requests
from botocore.config import Config
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


def test_an_empty_body_does_not_hold_up_the_next(server, scheme, bucket):
    """Both wait for leave to send, on one connection; a client that took the answers for broken ones would be cut off."""
    s3 = server.client(scheme, config=Config(read_timeout=10, retries={"total_max_attempts": 1}))

    for size in [0, 1, 0, 5_000]:
        s3.put_object(Bucket=bucket, Key="key", Body=bytes(size))

    assert s3.head_object(Bucket=bucket, Key="key")["ContentLength"] == 5_000


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_are_verified_on_both_sides(s3, bucket, algorithm):
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"123456789", ChecksumAlgorithm=algorithm)

    got = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")

    assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert got["Body"].read() == b"123456789"


@pytest.mark.parametrize("algorithm, value", [("CRC32C", "4waSgw=="), ("CRC64NVME", "rosUhgp5mIg=")])
def test_checksums_that_boto3_cannot_compute_are_taken_as_given(s3, bucket, algorithm, value):
    """The values are the published ones of the nine digits: without its C runtime boto3 has neither algorithm."""
    s3.put_object(Bucket=bucket, Key="key", Body=b"123456789", **{f"Checksum{algorithm}": value})

    head = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")

    assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (value, "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_a_wrong_checksum_stores_nothing(s3, bucket, algorithm):
    width = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}[algorithm]
    wrong = {f"Checksum{algorithm}": base64.b64encode(bytes(width)).decode()}

    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="key", Body=b"123456789", **wrong)

    assert code(refused) == "BadDigest"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


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


def test_conditional_writes_hold(s3, bucket):
    first = s3.put_object(Bucket=bucket, Key="key", Body=b"1", IfNoneMatch="*")["ETag"]
    second = s3.put_object(Bucket=bucket, Key="key", Body=b"2", IfMatch=first)["ETag"]

    with pytest.raises(ClientError) as stale:
        s3.put_object(Bucket=bucket, Key="key", Body=b"3", IfMatch=first)
    with pytest.raises(ClientError) as missing:
        s3.put_object(Bucket=bucket, Key="other", Body=b"3", IfMatch=first)

    assert (code(stale), code(missing)) == ("PreconditionFailed", "NoSuchKey")
    assert s3.get_object(Bucket=bucket, Key="key", IfMatch=second)["Body"].read() == b"2"


@pytest.mark.parametrize("wanted, got", [("bytes=0-3", b"0123"), ("bytes=7-", b"789"), ("bytes=-2", b"89"), ("bytes=8-99", b"89")])
def test_ranges_under_a_customer_key(s3, bucket, wanted, got):
    secret = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
    s3.put_object(Bucket=bucket, Key="key", Body=b"0123456789", **secret)

    answer = s3.get_object(Bucket=bucket, Key="key", Range=wanted, **secret)

    assert answer["Body"].read() == got
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_an_unsatisfiable_range_is_refused(s3, bucket):
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")

    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=bucket, Key="empty", Range="bytes=0-")

    assert code(refused) == "InvalidRange"


def test_metadata_comes_back(s3, bucket):
    metadata = {"plain": "a value", "encoded": "=?UTF-8?B?w7w=?="}
    headers = {"ContentType": "text/plain", "CacheControl": "no-cache", "ContentDisposition": "inline", "ContentLanguage": "de"}

    s3.put_object(Bucket=bucket, Key="key", Body=b"", Metadata=metadata, **headers)
    head = s3.head_object(Bucket=bucket, Key="key")

    # boto3 sends ASCII alone. AWS decodes an encoded word as it stores it, and answers it encoded: either form is RFC 2047.
    decoded = {name: str(make_header(decode_header(value))) for name, value in head["Metadata"].items()}
    assert decoded == {"plain": "a value", "encoded": "ü"}
    assert {name: head[name] for name in headers} == headers


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


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_requests(server, scheme, bucket, version, monkeypatch):
    """`s3` is the old query signature, which boto3 still makes by itself in us-east-1."""
    s3 = server.client(scheme, config=Config(signature_version=version))
    s3.put_object(Bucket=bucket, Key="key", Body=b"hello")
    s3.put_object(Bucket=bucket, Key="other", Body=b"hidden")
    get = functools.partial(requests.get, verify=str(server.ca) if scheme == "https" else None, timeout=10)
    sign = functools.partial(s3.generate_presigned_url, "get_object", {"Bucket": bucket, "Key": "key"})

    url = sign(ExpiresIn=60)
    with monkeypatch.context() as patched:
        past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        patched.setattr(botocore.auth, "get_current_datetime", lambda: past.replace(tzinfo=None))
        patched.setattr(botocore.auth.time, "time", past.timestamp)
        late = get(sign(ExpiresIn=60))
    bent = get(url.replace("/key?", "/other?"))

    assert get(url).content == b"hello"
    assert (bent.status_code, "SignatureDoesNotMatch" in bent.text) == (403, True)
    assert (late.status_code, "Request has expired" in late.text) == (403, True)


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
