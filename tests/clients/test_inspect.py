"""What `strongroom inspect` says of objects that boto3 put, in each mode, of the running server and of the folder it left.

What it reveals opens the stored bytes with nothing but `cryptography`: Tink's streaming construction, written once more.
"""

import base64
import hashlib
import io
import json
import os
import subprocess

import pytest
from conftest import BINARY, Server
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEADER, TAG, SEGMENT = 40, 32, 65_536
CUSTOMERS = b"a customer's own key of 32 bytes"
KMS, LAYERS = {"ServerSideEncryption": "aws:kms"}, {"ServerSideEncryption": "aws:kms:dsse"}
CONTEXT = base64.b64encode(b'{"team":"red"}').decode()
ARN = "arn:aws:s3:::photos"
SIZES = [0, 1, 4_000, 65_464, 65_465, 300_000]

# How it is asked for, what its mode is called, and what wraps the keys of its layers.
WAYS = {
    "s3": ({}, "SSE-S3", ["root key"]),
    "kms": (KMS, "SSE-KMS", ["KMS key"]),
    "bucket-key": ({**KMS, "BucketKeyEnabled": True}, "SSE-KMS", ["bucket key"]),
    "context": ({**KMS, "SSEKMSEncryptionContext": CONTEXT}, "SSE-KMS", ["KMS key"]),
    "layers": (LAYERS, "DSSE-KMS", ["root key", "KMS key"]),
    "customers": ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": CUSTOMERS}, "SSE-C", ["nothing"]),
}


class Store:
    """A server over a folder, and what `inspect` says while it runs and when it has stopped."""

    def __init__(self, home):
        self.home, self.running = home, Server(home, "--bucket", "photos", "--kms-key", "alias/app")
        self.folder = self.running.folder
        kms = self.running.client("http", "kms")
        self.key = kms.describe_key(KeyId="alias/app")["KeyMetadata"]["Arn"]

    def put(self, key, body, asked):
        if "ServerSideEncryption" in asked:
            asked = {**asked, "SSEKMSKeyId": "alias/app"}
        return self.running.client("https").put_object(Bucket="photos", Key=key, Body=body, **asked)

    def inspect(self, key, *arguments, check=True, root_key=None, where=None):
        environment = {"AWS_ENDPOINT_URL": where or self.running.uri("http"), "TMPDIR": str(self.home / "tmp")}
        if root_key:
            environment["STRONGROOM_ROOT_KEY"] = base64.b64encode(root_key).decode()
        command = [BINARY, "inspect", f"photos/{key}", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if not check:
            return done
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    def left(self, key, *arguments, **options):
        """Of the folder alone."""
        return self.inspect(key, "--data", self.folder, *arguments, **options)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.running.stop()


@pytest.fixture
def stopped(tmp_path):
    """Gives a store, and stops it when it is called."""
    store = Store(tmp_path)
    yield store
    if store.running.process.poll() is None:
        store.running.stop()


def open_body(key, blob, sealed):
    """Tink's AES-CTR-HMAC streaming: the blob's name is the associated data."""
    salt, prefix = sealed[1:33], sealed[33:HEADER]
    derived = HKDF(SHA256(), 64, salt, blob.encode()).derive(key)
    plain = b""
    starts = range(0, len(sealed), SEGMENT)
    for index, start in enumerate(starts):
        segment = sealed[max(start, HEADER if index == 0 else start) : start + SEGMENT]
        nonce = prefix + index.to_bytes(4, "big") + bytes([index == len(starts) - 1]) + bytes(4)
        mac = HMAC(derived[32:], SHA256())
        mac.update(nonce + segment[:-TAG])
        mac.verify(segment[-TAG:])
        plain += Cipher(algorithms.AES(derived[:32]), modes.CTR(nonce)).decryptor().update(segment[:-TAG])
    return plain


def opened(told, keys):
    """The plaintext of all blobs, by the keys of their layers, the outermost first."""
    whole = b""
    for blob in told["blobs"]:
        body = base64.b64decode(blob["raw"])
        for key, layer in zip(keys, blob["layers"], strict=True):
            assert (len(body), layer["header_bytes"]) == (layer["sealed_bytes"], HEADER)
            body = open_body(key, blob["id"], body)
            assert len(body) == layer["plaintext_bytes"] == sum(segment["plaintext_bytes"] for segment in layer["segments"])
        assert len(body) == blob["size_bytes"]
        whole += body
    return whole


@pytest.mark.parametrize("way", WAYS)
def test_a_running_server_says_what_was_asked_for(store, way):
    asked, mode, under = WAYS[way]
    for size in SIZES:
        store.put("a b/c", bytes(size), asked)

        told = store.inspect("a b/c", "--json", "--version", "null")

        assert (told["bucket"], told["key"], told["version_id"]) == ("photos", "a b/c", "null")
        assert (told["mode"], told["size_bytes"]) == (mode, size)
        assert [layer["under"] for layer in told["layers"]] == under
        is_kms = "KMS" in mode
        assert told["kms_key_arn"] == (store.key if is_kms else None)
        assert told["kms_key_aliases"] == (["alias/app"] if is_kms else [])
        bound = {"aws:s3:arn": ARN if way == "bucket-key" else f"{ARN}/a b/c"} if is_kms else {}
        assert told["context"] == bound | ({"team": "red"} if way == "context" else {})
        assert (told["bucket_key"] is not None) == (way == "bucket-key")
        md5 = base64.b64encode(hashlib.md5(CUSTOMERS).digest()).decode()
        assert told["customer_key_md5"] == (md5 if way == "customers" else None)
        segments = [len(layer["segments"]) for layer in told["blobs"][0]["layers"]]
        assert segments[-1] == (2 if size == 65_465 else 5 if size == 300_000 else 1)
        assert "raw" not in told["blobs"][0] and "data_key" not in json.dumps(told)


@pytest.mark.parametrize("way", WAYS)
def test_the_folder_says_the_same_and_what_is_revealed_opens_the_body(stopped, way):
    asked, _, _ = WAYS[way]
    bodies = {f"key-{size}": hashlib.shake_128(b"noise").digest(size) for size in SIZES}
    for key, body in bodies.items():
        stopped.put(key, body, asked)
    while_it_ran = {key: stopped.inspect(key, "--json", "--raw") for key in bodies}
    held = stopped.left("key-0", check=False)

    stopped.running.stop()

    assert (held.returncode, held.stderr.count("\n")) == (1, 1)
    assert "in use by another process: ask its server" in held.stderr
    for key, body in bodies.items():
        told = stopped.left(key, "--json", "--raw")
        assert told == while_it_ran[key]
        if way == "customers":
            assert opened(told, [CUSTOMERS]) == body
            continue
        revealed = stopped.left(key, "--json", "--raw", "--reveal")
        keys = [bytes.fromhex(layer.pop("data_key")) for layer in revealed["layers"]]
        assert revealed == told
        assert opened(revealed, keys) == body


def test_parts_are_told_one_by_one(stopped):
    body = hashlib.shake_128(b"noise").digest(20_000_000)
    asked = {**KMS, "SSEKMSKeyId": "alias/app"}
    stopped.running.client("http").upload_fileobj(io.BytesIO(body), "photos", "film", ExtraArgs=asked)

    stopped.running.stop()
    told = stopped.left("film", "--json", "--raw", "--reveal")

    assert [blob["part_number"] for blob in told["blobs"]] == [1, 2, 3]
    assert [blob["place"] for blob in told["blobs"]] == [f"blobs/{blob['id'][:2]}/{blob['id']}" for blob in told["blobs"]]
    for blob in told["blobs"]:
        assert (stopped.folder / blob["place"]).read_bytes() == base64.b64decode(blob["raw"])
    assert opened(told, [bytes.fromhex(layer["data_key"]) for layer in told["layers"]]) == body


def test_each_version_is_told_by_its_id(store):
    s3 = store.running.client("http")
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    ids = {way: store.put("cat", bytes(9), asked)["VersionId"] for way, (asked, _, _) in WAYS.items()}
    marker = s3.delete_object(Bucket="photos", Key="cat")["VersionId"]

    told = {way: store.inspect("cat", "--json", "--version", version) for way, version in ids.items()}
    deleted = [store.inspect("cat", *version, check=False) for version in [(), ("--version", marker)]]

    assert {way: (of["version_id"], of["mode"]) for way, of in told.items()} == {way: (ids[way], WAYS[way][1]) for way in WAYS}
    assert [(done.returncode, done.stderr.count("\n")) for done in deleted] == [(1, 1)] * 2
    assert "the object `cat` is deleted" in deleted[0].stderr
    assert f"the version `{marker}` of `cat` is a delete marker" in deleted[1].stderr


def test_keys_are_revealed_with_the_root_key_alone(stopped):
    stopped.put("kms", b"body", KMS)
    stopped.put("customers", b"body", WAYS["customers"][0])
    root = stopped.folder / "root.key"
    asked_of_server = stopped.inspect("kms", "--reveal", check=False)

    stopped.running.stop()
    key = root.read_bytes()
    root.unlink()
    lost = stopped.left("kms", "--reveal", check=False)
    wrong = stopped.left("kms", "--reveal", root_key=bytes(32), check=False)
    given = stopped.left("kms", "--json", "--reveal", root_key=key)
    customers = stopped.left("customers", "--reveal", root_key=key, check=False)

    refused = [asked_of_server, lost, wrong, customers]
    assert [(done.returncode, done.stdout, done.stderr.count("\n")) for done in refused] == [(1, "", 1)] * 4
    words = ["a server never tells its keys", "root.key` is missing", "is not the one", "under SSE-C, whose key the customer keeps"]
    assert [word in done.stderr for word, done in zip(words, refused, strict=True)] == [True] * 4
    assert len(given["layers"][0]["data_key"]) == 64
    assert not root.exists()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_it_reads_as_lines(store, scheme):
    store.put("cat", b"meow", {**KMS, "Metadata": {"colour": "red"}})

    lines = store.inspect("cat", where=store.running.uri(scheme)).splitlines()

    said = {line[:14].strip(): line[14:] for line in lines}
    assert said["object"] == "photos/cat, version null"
    assert said["mode"] == "SSE-KMS"
    assert said["KMS key"] == f"{store.key} (alias/app)"
    assert said["context"] == f"aws:s3:arn={ARN}/cat"
    assert said["metadata"] == "colour: red"
    assert said["size"] == "4 bytes, 76 as stored"
    assert said["data key"].endswith(f" under the KMS key, bound to aws:s3:arn={ARN}/cat")


def test_what_is_not_there_is_one_line(store):
    for key, word in [("none", "no object has the key `none`"), ("x\ny", "no object has the key `x\\ny`")]:
        done = store.inspect(key, check=False)

        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert word in done.stderr

    elsewhere = store.inspect("cat", where="http://127.0.0.1:1", check=False)
    assert "cannot ask 127.0.0.1:1" in elsewhere.stderr
    assert os.listdir(store.home / "tmp") == []
