"""What boto3 put, exported by the command, imported into another folder, and read there by boto3 again."""

import json
import subprocess

import pytest
from conftest import BINARY, Server

KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/app"}
CUSTOMERS = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"a customer's own key of 32 bytes"}
OBJECTS = {
    "plain.txt": {"ContentType": "text/plain", "Metadata": {"who": "ann"}},
    "a/../b//": {"CacheControl": "no-store", "ContentDisposition": "attachment"},
    "A": KMS,
    "a": {**KMS, "BucketKeyEnabled": True},
    "layers": {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": "alias/app"},
    "ümläut": {"StorageClass": "STANDARD_IA", "ChecksumAlgorithm": "SHA256", "Tagging": "team=blue"},
}
# What every write makes anew.
FLEETING = {"ResponseMetadata", "LastModified", "ETag", "Body", "ServerSideEncryption"}


def strongroom(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], env={}, capture_output=True, text=True, check=False)


def read(client, key):
    got = client.get_object(Bucket="photos", Key=key, ChecksumMode="ENABLED")
    told = {name: value for name, value in got.items() if name not in FLEETING}
    return got["Body"].read(), got["ServerSideEncryption"], told


def home(folder, name):
    made = folder / name
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """What each object was before and is after, and where the export lies."""
    folder = tmp_path_factory.mktemp("moved")
    old = Server(home(folder, "old"), "--bucket", "photos", "--kms-key", "alias/app")
    client = old.client("http")
    for key, asked in OBJECTS.items():
        client.put_object(Bucket="photos", Key=key, Body=f"the body of {key}".encode(), **asked)
    before = {key: read(client, key) for key in OBJECTS}
    old.client("https").put_object(Bucket="photos", Key="customers", Body=b"secret", **CUSTOMERS)
    old.stop()
    strict = strongroom("export", "--data", old.folder, folder / "strict")
    content = strongroom("export", "--data", old.folder, "--skip-customer-keys", folder / "out")
    place = home(folder, "new")
    imported = strongroom("import", "--data", place / "data", folder / "out")
    new = Server(place)
    yield before, {key: read(new.client("http"), key) for key in OBJECTS}, folder, (strict, content, imported)
    new.stop()


@pytest.mark.parametrize("key", OBJECTS)
def test_an_object_is_read_as_it_was(moved, key):
    before, after, _, _ = moved

    assert after[key] == before[key]


def test_what_the_customer_keeps_the_key_of_is_told(moved):
    _, _, folder, (strict, content, imported) = moved

    assert strict.returncode == 1
    assert "left out photos/customers: it is under a key that its customer keeps" in strict.stderr
    assert content.returncode == 0, content.stderr
    assert content.stdout.startswith(f"Exported {len(OBJECTS)} objects")
    assert imported.stdout.startswith(f"Imported {len(OBJECTS)} objects"), imported.stderr
    lines = (folder / "out" / "objects" / "photos.jsonl").read_text().splitlines()
    assert {json.loads(line)["key"] for line in lines} == set(OBJECTS)


def test_a_plain_key_is_a_plain_file(moved):
    _, _, folder, _ = moved

    assert (folder / "out" / "buckets" / "photos" / "plain.txt").read_bytes() == b"the body of plain.txt"
    assert "material" not in (folder / "out" / "seed.json").read_text()
