"""AWS's own S3 encryption client, which encrypts before the server sees a byte: alone, and in exchange with the test kit's `ClientSide`.

The test kit takes part as the example `exchange`, a process for each object that it puts or gets, on the server of this module.
What else a server owes to such clients is told in tests/s3/client_side_storage.rs.
"""

import base64
import json
import subprocess
import zlib

import pytest
from botocore.exceptions import ClientError
from conftest import ROOT
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.exceptions import S3EncryptionClientError
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy

EXCHANGE = ROOT / "target" / "debug" / "examples" / "exchange"
SIZES = [0, 1, 15, 16, 17, 100_000]
CONTEXTS = [{}, {"team": "red", "path": 'a/b+c="d"  e'}]
V2 = {
    "encryption_algorithm": AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF,
    "commitment_policy": CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
}
FORMATS = {"v2": V2, "v3": {}}
# What only reads V1: AES-CBC, and keys that KMS wrapped under the client's own context.
LEGACY = {**V2, "enable_legacy_unauthenticated_modes": True}
COPIED = ["x-amz-c", "x-amz-d", "x-amz-i"]


@pytest.fixture(scope="module")
def key(server):
    """The ARN of a KMS key, which `alias/app` is for too."""
    kms = server.client("http", "kms")
    made = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    return made["Arn"]


@pytest.fixture(params=["v2", "v3"])
def version(request):
    return request.param


@pytest.fixture
def aws(server, key):
    """AWS's client for a format."""

    def make(version="v3", scheme="http", name="alias/app", **options):
        keyring = KmsKeyring(server.client(scheme, "kms"), name, enable_legacy_wrapping_algorithms=True)
        return S3EncryptionClient(server.client(scheme), S3EncryptionClientConfig(keyring=keyring, **{**FORMATS[version], **options}))

    return make


@pytest.fixture
def testkit(server, key):
    """The test kit's client: what it got, or what it was refused with."""

    def run(what, bucket, name, body=b"", context=None, wrapping="alias/app", check=True):
        assert EXCHANGE.exists(), "run cargo build --workspace --examples"
        pairs = [f"{name}={value}" for name, value in (context or {}).items()]
        command = [EXCHANGE, what, server.uri("http"), bucket, name, wrapping, *pairs]
        done = subprocess.run(command, input=body, capture_output=True, check=False)
        if not check:
            return done.stderr.decode().strip()
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


def noise(size):
    return bytes(zlib.crc32(index.to_bytes(4, "big")) & 255 for index in range(size))


def read(client, bucket, name="key", **options):
    return client.get_object(Bucket=bucket, Key=name, **options)["Body"].read()


def plain(server, bucket, name="key"):
    """Body and metadata as anybody gets them."""
    got = server.client("http").get_object(Bucket=bucket, Key=name)
    return got["Body"].read(), got["Metadata"]


def put_plain(server, bucket, body, metadata, name="key"):
    server.client("http").put_object(Bucket=bucket, Key=name, Body=body, Metadata=metadata)


def refusal(client, bucket, name="key", **options):
    """What the client says, and the cause that it wraps."""
    with pytest.raises(S3EncryptionClientError) as refused:
        read(client, bucket, name, **options)
    return f"{refused.value} {refused.value.__cause__!r}"


@pytest.mark.parametrize("size", [*SIZES, 3_000_000])
def test_it_reads_what_it_wrote(aws, scheme, bucket, version, size):
    client = aws(version, scheme)
    body = noise(size)

    client.put_object(Bucket=bucket, Key="key", Body=body, EncryptionContext=CONTEXTS[1])

    assert read(client, bucket, EncryptionContext=CONTEXTS[1]) == body


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("size", SIZES)
def test_the_test_kit_reads_what_it_wrote(aws, testkit, bucket, version, size, context):
    body = noise(size)

    aws(version).put_object(Bucket=bucket, Key="key", Body=body, EncryptionContext=context)

    assert testkit("get", bucket, "key", context=context) == body


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("size", SIZES)
def test_it_reads_what_the_test_kit_wrote(aws, testkit, bucket, version, size, context):
    body = noise(size)

    testkit(f"put-{version}", bucket, "key", body, context)

    assert read(aws(version), bucket, EncryptionContext=context) == body


def test_it_reads_the_instruction_files_of_the_test_kit(aws, testkit, server, bucket, version):
    testkit(f"put-{version}-apart", bucket, "key", b"secret", CONTEXTS[1])

    assert read(aws(version), bucket, EncryptionContext=CONTEXTS[1]) == b"secret"
    assert sorted(plain(server, bucket)[1]) == (COPIED if version == "v3" else [])
    assert plain(server, bucket, "key.instruction")[1] == {"x-amz-crypto-instr-file": ""}


def test_its_object_moved_into_an_instruction_file_is_read_by_both(aws, testkit, server, bucket, version):
    """It never writes such a file itself."""
    aws(version).put_object(Bucket=bucket, Key="key", Body=b"secret")
    body, metadata = plain(server, bucket)
    kept = {name: value for name, value in metadata.items() if name in COPIED}
    moved = {name: value for name, value in metadata.items() if name not in COPIED}

    put_plain(server, bucket, body, kept)
    put_plain(server, bucket, json.dumps(moved), {"x-amz-crypto-instr-file": ""}, "key.instruction")

    assert read(aws(version), bucket) == b"secret"
    assert testkit("get", bucket, "key") == b"secret"


@pytest.mark.parametrize("field", ["x-amz-key", "x-amz-key-v2"])
@pytest.mark.parametrize("apart", [False, True])
def test_both_read_what_v1_wrote(aws, testkit, server, key, bucket, field, apart):
    context, iv = {"kms_cmk_id": key}, bytes(range(16))
    made = server.client("http", "kms").generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
    padder, cipher = PKCS7(128).padder(), Cipher(algorithms.AES(made["Plaintext"]), modes.CBC(iv)).encryptor()
    body = cipher.update(padder.update(b"secret") + padder.finalize()) + cipher.finalize()
    metadata = {
        field: base64.b64encode(made["CiphertextBlob"]).decode(),
        "x-amz-iv": base64.b64encode(iv).decode(),
        "x-amz-matdesc": json.dumps(context),
        "x-amz-wrap-alg": "kms",
        "x-amz-cek-alg": "AES/CBC/PKCS5Padding",
    }

    put_plain(server, bucket, body, {} if apart else metadata)
    if apart:
        put_plain(server, bucket, json.dumps(metadata), {"x-amz-crypto-instr-file": ""}, "key.instruction")

    assert read(aws("v2", **LEGACY), bucket) == b"secret"
    assert testkit("get", bucket, "key") == b"secret"


def test_anybody_gets_its_ciphertext_and_its_metadata(aws, server, bucket):
    client = aws()
    client.put_object(Bucket=bucket, Key="key", Body=b"eleven long", EncryptionContext=CONTEXTS[1])

    s3 = server.client("http")
    body, metadata = plain(server, bucket)
    head = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    [listed] = s3.list_objects_v2(Bucket=bucket)["Contents"]

    assert (len(body), head["ContentLength"], listed["Size"]) == (27, 27, 27)
    assert sorted(metadata) == ["x-amz-3", "x-amz-c", "x-amz-d", "x-amz-i", "x-amz-t", "x-amz-w"]
    assert metadata["x-amz-t"] == json.dumps({**CONTEXTS[1], "aws:x-amz-cek-alg": "115"})
    assert base64.b64decode(head["ChecksumCRC32"]) == zlib.crc32(body).to_bytes(4, "big")


@pytest.mark.parametrize("algorithm", ["AES256", "aws:kms"])
def test_the_servers_layer_lies_over_its_own(aws, server, key, bucket, version, algorithm):
    default = {"SSEAlgorithm": algorithm, **({"KMSMasterKeyID": key} if algorithm == "aws:kms" else {})}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": algorithm == "aws:kms"}]
    server.client("http").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    client, body = aws(version), noise(100_000)

    put = client.put_object(Bucket=bucket, Key="key", Body=body)

    assert (put["ServerSideEncryption"], put.get("BucketKeyEnabled", False)) == (algorithm, algorithm == "aws:kms")
    assert read(client, bucket) == body
    secrets = [body[:64], plain(server, bucket)[0][:64]]
    files = [path.read_bytes() for path in server.folder.rglob("*") if path.is_file()]
    assert not any(secret in content for secret in secrets for content in files)


def test_a_key_may_be_named_in_each_way(aws, key, bucket):
    alias = key.rsplit(":", 1)[0] + ":alias/app"

    for name in [key, key.rsplit("/", 1)[1], "alias/app", alias]:
        client = aws(name=name)
        client.put_object(Bucket=bucket, Key="key", Body=b"secret")
        assert read(client, bucket) == b"secret"


def test_another_key_is_refused_by_both(aws, testkit, server, bucket, version):
    other = server.client("http", "kms").create_key()["KeyMetadata"]["KeyId"]
    aws(version).put_object(Bucket=bucket, Key="key", Body=b"secret")

    assert "IncorrectKeyException" in refusal(aws(version, name=other), bucket)
    assert "IncorrectKeyException" in testkit("get", bucket, "key", wrapping=other, check=False)


def test_another_context_is_refused_by_both(aws, testkit, server, bucket):
    aws().put_object(Bucket=bucket, Key="key", Body=b"secret", EncryptionContext={"team": "red"})

    assert "Provided encryption context does not match" in refusal(aws(), bucket, EncryptionContext={"team": "blue"})
    assert testkit("get", bucket, "key", context={"team": "blue"}, check=False) == "ContextMismatch"
    body, metadata = plain(server, bucket)
    put_plain(server, bucket, body, {**metadata, "x-amz-t": metadata["x-amz-t"].replace("red", "blue")})
    assert "InvalidCiphertextException" in refusal(aws(), bucket, EncryptionContext={"team": "blue"})
    assert "InvalidCiphertextException" in testkit("get", bucket, "key", context={"team": "blue"}, check=False)


def test_a_changed_body_is_refused_by_both(aws, testkit, server, bucket, version):
    testkit(f"put-{version}", bucket, "key", b"secret")
    body, metadata = plain(server, bucket)
    put_plain(server, bucket, bytes([body[0] ^ 1]) + body[1:], metadata)

    assert "S3EncryptionClientSecurityError" in refusal(aws(version), bucket)
    assert testkit("get", bucket, "key", check=False) == "BodyRefused"


def test_a_wrong_commitment_is_refused_by_both(aws, testkit, server, bucket):
    for name in ["key", "other"]:
        testkit("put-v3", bucket, name, b"secret")
    body, metadata = plain(server, bucket)
    put_plain(server, bucket, body, {**metadata, "x-amz-d": plain(server, bucket, "other")[1]["x-amz-d"]})

    assert "Key commitment verification failed" in refusal(aws(), bucket)
    assert testkit("get", bucket, "key", check=False) == "CommitmentMismatch"


def test_keys_of_two_formats_are_refused_by_both(aws, testkit, server, bucket):
    testkit("put-v3", bucket, "key", b"secret")
    testkit("put-v2", bucket, "other", b"secret")
    body, metadata = plain(server, bucket)
    put_plain(server, bucket, body, {**metadata, **plain(server, bucket, "other")[1]})

    assert "multiple format versions" in refusal(aws(), bucket)
    assert testkit("get", bucket, "key", check=False) == "TwoFormats"


def test_plaintext_is_told_by_the_missing_instruction_file(aws, testkit, server, bucket):
    put_plain(server, bucket, b"plain", {})

    # That is what it makes of a 404 without a body.
    assert "Instruction file body is empty for key: key.instruction" in refusal(aws(), bucket)
    assert testkit("get", bucket, "key", check=False) == 'NoInstructionFile("key.instruction")'


def test_it_deletes_instruction_files_whether_they_are_there_or_not(aws, testkit, server, bucket):
    client, s3 = aws(), server.client("http")
    for name in ["one", "two"]:
        testkit("put-v3-apart", bucket, name, b"secret")
        client.put_object(Bucket=bucket, Key=f"{name}-whole", Body=b"secret")

    one = client.delete_object(Bucket=bucket, Key="one")
    client.delete_object(Bucket=bucket, Key="one-whole")
    objects = {"Objects": [{"Key": "two"}, {"Key": "two-whole"}]}
    two = client.delete_objects(Bucket=bucket, Delete=objects)

    assert one["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert len(two["Deleted"]) == 2 and "Errors" not in two
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    with pytest.raises(ClientError) as gone:
        s3.get_object(Bucket=bucket, Key="one.instruction")
    assert gone.value.response["Error"]["Code"] == "NoSuchKey"


def test_a_copy_stays_readable(aws, testkit, server, bucket, version):
    aws(version).put_object(Bucket=bucket, Key="key", Body=b"secret")

    server.client("http").copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", ServerSideEncryption="aws:kms")

    assert read(aws(version), bucket, "copy") == b"secret"
    assert testkit("get", bucket, "copy") == b"secret"


def test_a_context_that_metadata_cannot_hold_is_refused(aws, testkit, bucket):
    large, foreign = {"team": "x" * 2_000}, {"team": "größe"}

    for context, said in [(large, "MetadataTooLarge"), (foreign, "US-ASCII")]:
        with pytest.raises(S3EncryptionClientError, match=said):
            aws().put_object(Bucket=bucket, Key="key", Body=b"secret", EncryptionContext=context)

    assert "MetadataTooLarge" in testkit("put-v3", bucket, "key", b"secret", large, check=False)
    assert testkit("put-v3", bucket, "key", b"secret", foreign, check=False) == 'ContextNotAscii("größe")'


def test_the_reserved_context_belongs_to_the_client(aws, testkit, bucket):
    reserved = {"aws:x-amz-cek-alg": "115"}

    aws().put_object(Bucket=bucket, Key="key", Body=b"secret")

    assert "reserved key" in refusal(aws(), bucket, EncryptionContext=reserved)
    assert testkit("get", bucket, "key", context=reserved, check=False) == "ReservedContext"
