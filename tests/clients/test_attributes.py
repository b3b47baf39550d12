"""What is known of an object, and its encryption changed where it lies, by boto3: GetObjectAttributes, UpdateObjectEncryption."""

import base64
import hashlib

import pytest
from botocore.exceptions import ClientError

MIB = 1 << 20
ALL = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]


def customers(key):
    """A customer's key with its MD5, in base64: of GetObjectAttributes alone boto3 does neither by itself."""
    key, md5 = (base64.b64encode(part).decode() for part in (key, hashlib.md5(key).digest()))
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key, "SSECustomerKeyMD5": md5}


CUSTOMER = customers(bytes(range(32)))
MODES = {
    "sse-s3": {},
    "sse-kms": {"ServerSideEncryption": "aws:kms"},
    "bucket-key": {"ServerSideEncryption": "aws:kms", "BucketKeyEnabled": True},
    "dsse-kms": {"ServerSideEncryption": "aws:kms:dsse"},
    "sse-c": CUSTOMER,
}


@pytest.fixture
def kms(server, scheme):
    return server.client(scheme, "kms")


def new_key(kms):
    """The ARN of a key of the test's own."""
    return kms.create_key()["KeyMetadata"]["Arn"]


def noise(size):
    return hashlib.shake_128(b"noise").digest(size)


def error(refused):
    """Status, code and message, as boto3 shows them."""
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"].get("Message")


def put_in_parts(s3, bucket, sizes, encryption=None, **checksum):
    """An object in parts; the parts as their upload listed them."""
    created = s3.create_multipart_upload(Bucket=bucket, Key="parts", **(encryption or {}), **checksum)
    target = {"Bucket": bucket, "Key": "parts", "UploadId": created["UploadId"]}
    algorithm = {name: value for name, value in checksum.items() if name == "ChecksumAlgorithm"}
    for number, size in enumerate(sizes, 1):
        s3.upload_part(**target, PartNumber=number, Body=noise(size), **algorithm)
    listed = s3.list_parts(**target)["Parts"]
    named = [{name: value for name, value in part.items() if name not in ("LastModified", "Size")} for part in listed]
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": named})
    return listed


def under(key, **bucket_key):
    return {"SSEKMS": {"KMSKeyArn": key, **bucket_key}}


@pytest.mark.parametrize("mode", MODES)
def test_attributes_are_told_in_every_mode(s3, bucket, mode):
    put = s3.put_object(Bucket=bucket, Key="key", Body=noise(9), StorageClass="STANDARD_IA", **MODES[mode])

    sent = CUSTOMER if mode == "sse-c" else {}
    told = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=ALL, **sent)

    head = s3.head_object(Bucket=bucket, Key="key", **sent)
    assert f'"{told["ETag"]}"' == put["ETag"]
    assert told["Checksum"] == {"ChecksumCRC32": put["ChecksumCRC32"], "ChecksumType": "FULL_OBJECT"}
    assert (told["StorageClass"], told["ObjectSize"]) == ("STANDARD_IA", 9)
    assert told["LastModified"] == head["LastModified"]
    assert "ObjectParts" not in told
    assert "VersionId" not in told


def test_a_customers_key_is_wanted(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", **CUSTOMER)

    with pytest.raises(ClientError) as keyless:
        s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ETag"])
    with pytest.raises(ClientError) as wrong:
        s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ETag"], **customers(bytes(32)))

    assert error(keyless)[:2] == (400, "InvalidRequest")
    assert error(wrong)[:2] == (403, "AccessDenied")


def test_parts_are_paged_where_their_checksums_make_the_objects(s3, bucket):
    sizes = [5 * MIB, 5 * MIB + 1, 7]
    listed = put_in_parts(s3, bucket, sizes, ChecksumAlgorithm="SHA256")

    pages, marker = [], 0
    while True:
        page = s3.get_object_attributes(
            Bucket=bucket, Key="parts", ObjectAttributes=["ObjectParts"], MaxParts=2, PartNumberMarker=marker
        )["ObjectParts"]
        pages.append(page)
        marker = page["NextPartNumberMarker"]
        if not page["IsTruncated"]:
            break
    told = s3.get_object_attributes(Bucket=bucket, Key="parts", ObjectAttributes=["Checksum"])["Checksum"]

    parts = [part for page in pages for part in page["Parts"]]
    assert [len(page["Parts"]) for page in pages] == [2, 1]
    assert {page["TotalPartsCount"] for page in pages} == {3}
    assert parts == [{name: part[name] for name in ("PartNumber", "Size", "ChecksumSHA256")} for part in listed]
    joined = b"".join(base64.b64decode(part["ChecksumSHA256"]) for part in parts)
    digest = base64.b64encode(hashlib.sha256(joined).digest()).decode()
    assert told == {"ChecksumSHA256": digest, "ChecksumType": "COMPOSITE"}


def test_other_parts_are_counted(s3, bucket):
    put_in_parts(s3, bucket, [5 * MIB, 1])

    told = s3.get_object_attributes(Bucket=bucket, Key="parts", ObjectAttributes=["ObjectParts"])

    assert told["ObjectParts"] == {"TotalPartsCount": 2}


@pytest.mark.parametrize("size", [0, 9, 300_000])
def test_an_object_goes_under_a_kms_key_where_it_lies(s3, kms, bucket, size):
    first, second = new_key(kms), new_key(kms)
    s3.put_object(Bucket=bucket, Key="key", Body=noise(size), Metadata={"owner": "ann"})
    before = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    encryption = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled", "ResponseMetadata")

    for target, shown in (
        (under(first), ("aws:kms", first, None)),
        (under(second, BucketKeyEnabled=True), ("aws:kms", second, True)),
        (under(second, BucketKeyEnabled=False), ("aws:kms", second, None)),
    ):
        s3.update_object_encryption(Bucket=bucket, Key="key", ObjectEncryption=target)

        got = s3.get_object(Bucket=bucket, Key="key")
        assert (got["ServerSideEncryption"], got["SSEKMSKeyId"], got.get("BucketKeyEnabled")) == shown
        assert got["Body"].read() == noise(size)
        after = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
        rest = [{name: value for name, value in head.items() if name not in encryption} for head in (before, after)]
        assert rest[0] == rest[1]
    assert before["ETag"] == f'"{hashlib.md5(noise(size)).hexdigest()}"'


@pytest.mark.parametrize("mode", ["sse-s3", "sse-kms", "bucket-key"])
def test_an_object_in_parts_goes_with_them(s3, kms, bucket, mode):
    key = new_key(kms)
    put_in_parts(s3, bucket, [5 * MIB, 100_000], MODES[mode])

    s3.update_object_encryption(Bucket=bucket, Key="parts", ObjectEncryption=under(key))

    got = s3.get_object(Bucket=bucket, Key="parts")
    assert got["SSEKMSKeyId"] == key
    assert got["ETag"].endswith('-2"')
    assert got["Body"].read() == noise(5 * MIB) + noise(100_000)
    part = s3.get_object(Bucket=bucket, Key="parts", PartNumber=2)
    assert part["Body"].read() == noise(100_000)


def test_the_new_key_alone_opens_it(s3, kms, bucket, once):
    old, new = new_key(kms), new_key(kms)
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=old)
    s3.update_object_encryption(Bucket=bucket, Key="key", ObjectEncryption=under(new))

    kms.disable_key(KeyId=old)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"x"
    kms.disable_key(KeyId=new)
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=bucket, Key="key")

    assert error(refused) == (400, "KMS.DisabledException", f"{new} is disabled.")


@pytest.mark.parametrize("mode", ["dsse-kms", "sse-c"])
def test_other_modes_are_not_left(s3, kms, bucket, mode):
    key = new_key(kms)
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", **MODES[mode])

    with pytest.raises(ClientError) as refused:
        s3.update_object_encryption(Bucket=bucket, Key="key", ObjectEncryption=under(key))

    assert error(refused)[:2] == (400, "InvalidRequest")


def test_a_missing_object_and_a_key_that_is_no_arn_are_refused(s3, kms, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")

    with pytest.raises(s3.exceptions.NoSuchKey) as missing:
        s3.update_object_encryption(Bucket=bucket, Key="none", ObjectEncryption=under(new_key(kms)))
    with pytest.raises(ClientError) as alias:
        s3.update_object_encryption(Bucket=bucket, Key="key", ObjectEncryption=under("alias/of-somebody-who-knows"))

    assert missing.value.response["Error"]["Key"] == f"{bucket}/none"
    assert error(alias)[:2] == (400, "InvalidRequest")
    assert error(alias)[2].endswith("Malformed ARN - doesn't start with 'arn:'")
