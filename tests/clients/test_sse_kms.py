"""Objects under KMS keys, by boto3 and the aws CLI: one layer and two, bucket keys, defaults, and the refusals."""

import base64
import hashlib
import itertools
import json
import uuid

import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

ALGORITHMS = ["aws:kms", "aws:kms:dsse"]
BODY = hashlib.shake_128(b"noise").digest(200_000)
MANAGED = "Default key that protects my S3 objects when no other key is defined"
WAYS = {"plain": {}, "bucket-key": {"BucketKeyEnabled": True}, "layers": {"ServerSideEncryption": "aws:kms:dsse"}}
NUMBERS = itertools.count()


@pytest.fixture
def kms(server, scheme):
    return server.client(scheme, "kms")


@pytest.fixture
def key(kms):
    """The ARN of a key of the test's own."""
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def alias(kms, key):
    name = f"alias/sse-{next(NUMBERS)}"
    kms.create_alias(AliasName=name, TargetKeyId=key.split("/")[1])
    return name


def under(key, algorithm="aws:kms"):
    return {"ServerSideEncryption": algorithm, "SSEKMSKeyId": key}


def encryption(answer):
    """What an answer says of the encryption: algorithm, key, bucket key."""
    return answer["ServerSideEncryption"], answer.get("SSEKMSKeyId"), answer.get("BucketKeyEnabled")


def error(refused):
    """Status, code and message, as boto3 shows them."""
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"].get("Message")


def set_default(s3, bucket, algorithm, key=None, bucket_key=False):
    default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 5_000, 3_000_000])
def test_bodies_read_back(s3, bucket, alias, key, algorithm, size):
    body = hashlib.shake_128(b"noise").digest(size)

    put = s3.put_object(Bucket=bucket, Key="key", Body=body, **under(alias, algorithm))
    head = s3.head_object(Bucket=bucket, Key="key")
    got = s3.get_object(Bucket=bucket, Key="key")

    assert got["Body"].read() == body
    assert encryption(put) == encryption(head) == encryption(got) == (algorithm, key, None)
    assert put["ETag"] == head["ETag"] != f'"{hashlib.md5(body).hexdigest()}"'
    assert head["ContentLength"] == size


def test_a_key_is_named_in_four_ways(s3, bucket, alias, key):
    names = [key, key.split("/")[1], alias, key.split(":key/")[0] + f":{alias}"]

    answers = [s3.put_object(Bucket=bucket, Key="key", Body=b"", **under(name)) for name in names]

    assert [answer["SSEKMSKeyId"] for answer in answers] == [key] * 4


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_without_a_key_it_is_the_one_that_aws_manages(s3, kms, bucket, algorithm):
    put = s3.put_object(Bucket=bucket, Key="key", Body=BODY, ServerSideEncryption=algorithm)

    managed = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert encryption(put) == (algorithm, managed["Arn"], None)
    assert (managed["KeyManager"], managed["Description"]) == ("AWS", MANAGED)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == BODY


def test_a_bucket_key_is_told_and_opens(s3, bucket, key):
    put = s3.put_object(Bucket=bucket, Key="key", Body=BODY, BucketKeyEnabled=True, **under(key))
    got = s3.get_object(Bucket=bucket, Key="key")

    assert encryption(put) == encryption(got) == ("aws:kms", key, True)
    assert got["Body"].read() == BODY


def test_a_context_is_told_to_its_writer_alone(s3, bucket, key):
    context = base64.b64encode(json.dumps({"team": "red"}).encode()).decode()

    put = s3.put_object(Bucket=bucket, Key="key", Body=BODY, SSEKMSEncryptionContext=context, **under(key))
    got = s3.get_object(Bucket=bucket, Key="key")

    assert json.loads(base64.b64decode(put["SSEKMSEncryptionContext"])) == {"team": "red"}
    assert "SSEKMSEncryptionContext" not in got
    assert "x-amz-server-side-encryption-context" not in got["ResponseMetadata"]["HTTPHeaders"]
    assert got["Body"].read() == BODY


@pytest.mark.parametrize("context", ["no base64!", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"a":1}').decode()])
def test_a_bad_context_is_refused(s3, bucket, key, context):
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="key", Body=b"", SSEKMSEncryptionContext=context, **under(key))

    status, code, message = error(refused)
    assert (status, code) == (400, "InvalidArgument")
    assert message.startswith("The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("first, last", [(0, 0), (65_530, 65_545), (131_000, 199_999), (199_990, 300_000)])
def test_ranges_are_those_of_the_plaintext(s3, bucket, key, algorithm, first, last):
    s3.put_object(Bucket=bucket, Key="key", Body=BODY, **under(key, algorithm))

    got = s3.get_object(Bucket=bucket, Key="key", Range=f"bytes={first}-{last}")

    assert got["Body"].read() == BODY[first : last + 1]
    assert got["ContentRange"] == f"bytes {first}-{min(last, 199_999)}/200000"
    assert encryption(got) == (algorithm, key, None)


def test_checksums_are_those_of_the_plaintext(s3, bucket, key):
    put = s3.put_object(Bucket=bucket, Key="key", Body=BODY, ChecksumAlgorithm="SHA256", **under(key))

    got = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")

    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    assert put["ChecksumSHA256"] == got["ChecksumSHA256"] == digest
    assert got["Body"].read() == BODY


def test_a_copy_takes_what_is_asked_for_it_and_not_its_sources(s3, kms, bucket, key):
    other = kms.create_key()["KeyMetadata"]["Arn"]
    source = {"Bucket": bucket, "Key": "source"}
    s3.put_object(Bucket=bucket, Key="source", Body=BODY, **under(key))

    copies = {
        "plain": {},
        "other": under(other),
        "layers": under(other, "aws:kms:dsse"),
        "bucket-key": {"BucketKeyEnabled": True, **under(other)},
    }
    answers = {name: s3.copy_object(Bucket=bucket, Key=name, CopySource=source, **asked) for name, asked in copies.items()}

    assert {name: encryption(answer) for name, answer in answers.items()} == {
        "plain": ("AES256", None, None),
        "other": ("aws:kms", other, None),
        "layers": ("aws:kms:dsse", other, None),
        "bucket-key": ("aws:kms", other, True),
    }
    for name in copies:
        assert s3.get_object(Bucket=bucket, Key=name)["Body"].read() == BODY


def test_a_copy_in_place_changes_the_key(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)

    s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key", **under(key))

    got = s3.get_object(Bucket=bucket, Key="key")
    assert (got["Body"].read(), encryption(got)) == (BODY, ("aws:kms", key, None))


def test_a_customer_key_and_a_kms_key_copy_into_each_other(s3, bucket, key):
    secret = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(range(32))}
    s3.put_object(Bucket=bucket, Key="key", Body=BODY, **under(key))

    s3.copy_object(Bucket=bucket, Key="customer", CopySource=f"{bucket}/key", **secret)
    source = {f"CopySource{name}": value for name, value in secret.items()}
    back = s3.copy_object(Bucket=bucket, Key="back", CopySource=f"{bucket}/customer", **source, **under(key))

    assert encryption(back) == ("aws:kms", key, None)
    assert s3.get_object(Bucket=bucket, Key="customer", **secret)["Body"].read() == BODY
    assert s3.get_object(Bucket=bucket, Key="back")["Body"].read() == BODY


def test_a_default_encrypts_what_asks_for_nothing(s3, bucket, alias, key):
    set_default(s3, bucket, "aws:kms", alias, bucket_key=True)

    nothing = s3.put_object(Bucket=bucket, Key="nothing", Body=BODY)
    keyless = s3.put_object(Bucket=bucket, Key="keyless", Body=BODY, ServerSideEncryption="aws:kms", BucketKeyEnabled=False)
    other = s3.put_object(Bucket=bucket, Key="other", Body=BODY, ServerSideEncryption="AES256")

    assert encryption(nothing) == ("aws:kms", key, True)
    assert encryption(keyless) == ("aws:kms", key, None)
    assert encryption(other) == ("AES256", None, None)
    assert s3.get_object(Bucket=bucket, Key="nothing")["Body"].read() == BODY


def test_a_default_of_two_layers(s3, bucket, key):
    set_default(s3, bucket, "aws:kms:dsse", key)

    put = s3.put_object(Bucket=bucket, Key="key", Body=BODY)

    assert encryption(put) == ("aws:kms:dsse", key, None)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == BODY


def test_another_default_leaves_old_objects_alone(s3, bucket, key):
    set_default(s3, bucket, "aws:kms", key)
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)

    s3.delete_bucket_encryption(Bucket=bucket)

    assert encryption(s3.head_object(Bucket=bucket, Key="key")) == ("aws:kms", key, None)
    assert encryption(s3.put_object(Bucket=bucket, Key="new", Body=BODY)) == ("AES256", None, None)


@pytest.mark.parametrize("way", WAYS)
def test_a_disabled_key_neither_writes_nor_reads(s3, kms, bucket, key, way):
    asked = under(key) | WAYS[way]
    s3.put_object(Bucket=bucket, Key="key", Body=BODY, **asked)
    s3.get_object(Bucket=bucket, Key="key")["Body"].read()

    kms.disable_key(KeyId=key)
    with pytest.raises(ClientError) as putting:
        s3.put_object(Bucket=bucket, Key="other", Body=BODY, **asked)
    with pytest.raises(ClientError) as getting:
        s3.get_object(Bucket=bucket, Key="key")
    with pytest.raises(ClientError) as copying:
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    head = s3.head_object(Bucket=bucket, Key="key")
    kms.enable_key(KeyId=key)

    words = (400, "KMS.DisabledException", f"{key} is disabled.")
    assert error(putting) == error(getting) == error(copying) == words
    assert head["SSEKMSKeyId"] == key
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["key"]
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == BODY


def test_a_key_that_waits_for_its_deletion_neither_writes_nor_reads(s3, kms, bucket, key):
    s3.put_object(Bucket=bucket, Key="key", Body=BODY, **under(key))

    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with pytest.raises(ClientError) as putting:
        s3.put_object(Bucket=bucket, Key="other", Body=BODY, **under(key))
    with pytest.raises(ClientError) as getting:
        s3.get_object(Bucket=bucket, Key="key")

    assert error(putting) == error(getting) == (400, "KMS.KMSInvalidStateException", f"{key} is pending deletion.")


def test_unknown_keys_are_not_found(s3, bucket):
    unknown = str(uuid.uuid4())
    arn = "arn:aws:kms:us-east-1:000000000000:{}".format
    words = {
        "fake-key-id": "Invalid keyId 'fake-key-id'",
        unknown: f"Key '{arn(f'key/{unknown}')}' does not exist",
        arn(f"key/{unknown}"): f"Key '{arn(f'key/{unknown}')}' does not exist",
        "alias/none": f"Alias {arn('alias/none')} is not found.",
    }

    for name, message in words.items():
        with pytest.raises(ClientError) as refused:
            s3.put_object(Bucket=bucket, Key="key", Body=BODY, **under(name))
        assert error(refused) == (400, "KMS.NotFoundException", message)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_key_of_another_region_is_not_found(server, scheme, s3, bucket):
    west = server.client(scheme, "kms", region_name="us-west-2").create_key()["KeyMetadata"]["Arn"]

    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="key", Body=BODY, **under(west))

    assert error(refused) == (400, "KMS.NotFoundException", "Invalid arn us-west-2")


def test_a_bucket_of_another_region_takes_its_keys_from_there(server, scheme):
    s3 = server.client(scheme, region_name="eu-west-1")
    key = server.client(scheme, "kms", region_name="eu-west-1").create_key()["KeyMetadata"]["Arn"]
    bucket = f"in-ireland-{scheme}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    s3.put_object(Bucket=bucket, Key="key", Body=BODY, **under(key))

    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == BODY


def test_an_unknown_default_is_refused_where_it_is_used(s3, bucket):
    set_default(s3, bucket, "aws:kms", "aws/s3")

    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="key", Body=BODY)

    assert error(refused) == (400, "KMS.NotFoundException", "Invalid keyId 'aws/s3'")


def test_a_kms_key_needs_its_algorithm(s3, bucket, key):
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="key", Body=BODY, SSEKMSKeyId=key)

    words = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
    assert error(refused) == (400, "InvalidArgument", words)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signature_version_2_does_not_read_what_kms_holds(server, scheme, s3, bucket, key, algorithm):
    old = server.client(scheme, config=Config(signature_version="s3"))
    s3.put_object(Bucket=bucket, Key="key", Body=BODY, **under(key, algorithm))
    s3.put_object(Bucket=bucket, Key="plain", Body=BODY)

    with pytest.raises(ClientError) as getting:
        old.get_object(Bucket=bucket, Key="key")
    with pytest.raises(ClientError) as putting:
        old.put_object(Bucket=bucket, Key="other", Body=BODY, **under(key, algorithm))

    words = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
    assert error(getting) == error(putting) == (400, "InvalidArgument", words)
    assert old.get_object(Bucket=bucket, Key="plain")["Body"].read() == BODY


def test_signature_version_2_takes_no_part_under_kms(server, scheme, s3, bucket, key):
    old = server.client(scheme, config=Config(signature_version="s3"))
    at = {"Bucket": bucket, "Key": "key"}
    s3.put_object(Bucket=bucket, Key="source", Body=BODY)
    upload = at | {"UploadId": s3.create_multipart_upload(**at, **under(key))["UploadId"]}
    etag = s3.upload_part(**upload, PartNumber=1, Body=BODY)["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}

    refused = []
    for call in (
        lambda: old.create_multipart_upload(**at, **under(key)),
        lambda: old.upload_part(**upload, PartNumber=1, Body=BODY),
        lambda: old.upload_part_copy(**upload, PartNumber=1, CopySource=f"{bucket}/source"),
        lambda: old.complete_multipart_upload(**upload, MultipartUpload=parts),
    ):
        with pytest.raises(ClientError) as raised:
            call()
        refused.append(error(raised))

    words = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
    assert refused == [(400, "InvalidArgument", words)] * 4
    s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    assert s3.get_object(**at)["Body"].read() == BODY


def test_rotated_keys_read_old_objects(s3, kms, bucket, key):
    s3.put_object(Bucket=bucket, Key="key", Body=BODY, **under(key))

    kms.rotate_key_on_demand(KeyId=key)

    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == BODY


def test_the_cli_copies_files_under_an_alias(server, scheme, bucket, alias, key, tmp_path):
    """3 MiB: below the threshold of 8 MiB from which the CLI splits uploads."""
    body = hashlib.shake_128(b"noise").digest(3 * 1024 * 1024)
    (tmp_path / "file").write_bytes(body)
    sealed = ["--sse", "aws:kms", "--sse-kms-key-id", alias]

    server.aws(scheme, "s3", "cp", tmp_path / "file", f"s3://{bucket}/file", "--no-progress", *sealed)
    head = json.loads(server.aws(scheme, "s3api", "head-object", "--bucket", bucket, "--key", "file"))
    server.aws(scheme, "s3", "cp", f"s3://{bucket}/file", tmp_path / "back", "--no-progress")

    assert encryption(head) == ("aws:kms", key, None)
    assert (tmp_path / "back").read_bytes() == body


def test_the_cli_puts_with_a_bucket_key_and_a_context(server, scheme, bucket, alias, key, tmp_path):
    (tmp_path / "file").write_bytes(BODY)
    context = base64.b64encode(b'{"team": "red"}').decode()
    at = ["--bucket", bucket, "--key", "key"]
    sealed = ["--server-side-encryption", "aws:kms", "--ssekms-key-id", alias, "--bucket-key-enabled"]
    sealed += ["--ssekms-encryption-context", context]

    put = json.loads(server.aws(scheme, "s3api", "put-object", *at, "--body", tmp_path / "file", *sealed))
    got = json.loads(server.aws(scheme, "s3api", "get-object", *at, tmp_path / "back"))

    assert encryption(put) == encryption(got) == ("aws:kms", key, True)
    assert json.loads(base64.b64decode(put["SSEKMSEncryptionContext"])) == {"team": "red"}
    assert (tmp_path / "back").read_bytes() == BODY


def test_the_cli_sets_a_default_and_shows_a_refusal(server, scheme, kms, bucket, alias, key, tmp_path):
    (tmp_path / "file").write_bytes(BODY)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": alias}
    rules = json.dumps({"Rules": [{"ApplyServerSideEncryptionByDefault": default}]})

    server.aws(scheme, "s3api", "put-bucket-encryption", "--bucket", bucket, "--server-side-encryption-configuration", rules)
    server.aws(scheme, "s3", "cp", tmp_path / "file", f"s3://{bucket}/file", "--no-progress")
    server.aws(scheme, "s3", "cp", f"s3://{bucket}/file", f"s3://{bucket}/copy", "--no-progress")
    kms.disable_key(KeyId=key)
    refused = server.aws(scheme, "s3api", "get-object", "--bucket", bucket, "--key", "copy", tmp_path / "back", check=False)

    assert f"An error occurred (KMS.DisabledException) when calling the GetObject operation: {key} is disabled." in refused.stderr
    assert not (tmp_path / "back").exists()


def test_presigned_urls_read_what_kms_holds(server, scheme, s3, bucket, key):
    s3.put_object(Bucket=bucket, Key="key", Body=BODY, **under(key))
    sign = server.client(scheme, config=Config(signature_version="s3v4")).generate_presigned_url
    verify = str(server.ca) if scheme == "https" else None

    url = sign("get_object", {"Bucket": bucket, "Key": "key"}, ExpiresIn=60)

    assert requests.get(url, verify=verify, timeout=10).content == BODY
