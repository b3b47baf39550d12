"""Google's own Tink opens what is stored: all it needs is the data folder, docs/storage.md, and under SSE-C the customer's key."""

import base64
import os
import runpy

import pytest
import tink
from conftest import ROOT, Server
from tinkered import Folder, canonical, object_context, open_body, open_small

KEY = b"a customer's own key of 32 bytes"
# In the catalogue; a file of one segment; of two; and of two that are full to the last byte.
SIZES = [0, 1, 100, 4_025, 10_000, 65_464, 70_000, 130_968]
TEAM = base64.b64encode('{"team":"red \\"1\\"","größe":"a\\nb"}'.encode()).decode()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A folder in which every mode has an object of every size, and one in parts; with what was put, by bucket and key."""
    server = Server(tmp_path_factory.mktemp("server"))
    s3, kms = server.client("http"), server.client("http", "kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    ways = {
        "sse-s3": {},
        "sse-kms": {**under, "SSEKMSEncryptionContext": TEAM},
        "managed": {"ServerSideEncryption": "aws:kms"},
        "bucket-key": {**under, "BucketKeyEnabled": True},
        "dsse": {**under, "ServerSideEncryption": "aws:kms:dsse"},
        "sse-c": {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY},
    }
    s3.create_bucket(Bucket="vault")
    put = {}
    for way, asked in ways.items():
        for size in SIZES:
            put[f"{way}/{size}/ü"] = os.urandom(size)
            s3.put_object(Bucket="vault", Key=f"{way}/{size}/ü", Body=put[f"{way}/{size}/ü"], **asked)
    kms.rotate_key_on_demand(KeyId=key)
    put["rotated"] = os.urandom(100)
    s3.put_object(Bucket="vault", Key="rotated", Body=put["rotated"], **under)
    parts = [os.urandom(5_300_000), os.urandom(1_000)]
    upload = {"Bucket": "vault", "Key": "parts", "UploadId": s3.create_multipart_upload(Bucket="vault", Key="parts", **ways["dsse"])["UploadId"]}
    tags = [s3.upload_part(**upload, PartNumber=number, Body=part)["ETag"] for number, part in zip([1, 7], parts)]
    done = [{"PartNumber": number, "ETag": tag} for number, tag in zip([1, 7], tags)]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": done})
    put["parts"] = parts
    s3.create_bucket(Bucket="history")
    s3.put_bucket_versioning(Bucket="history", VersioningConfiguration={"Status": "Enabled"})
    put["twice"] = [os.urandom(10_000), os.urandom(10_000)]
    for body, way in zip(put["twice"], ["sse-kms", "dsse"]):
        s3.put_object(Bucket="history", Key="twice", Body=body, **ways[way])
    s3.delete_object(Bucket="history", Key="twice")
    put["moved"] = os.urandom(70_000)
    s3.put_object(Bucket="vault", Key="moved", Body=put["moved"])
    target = {"SSEKMS": {"KMSKeyArn": kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"], "BucketKeyEnabled": True}}
    s3.update_object_encryption(Bucket="vault", Key="moved", ObjectEncryption=target)
    server.stop()
    return Folder(server.folder), put


def modes(way):
    return {"sse-s3": "SseS3", "dsse": "DsseKms"}.get(way, "SseKms")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", ["sse-s3", "sse-kms", "managed", "bucket-key", "dsse"])
def test_the_root_key_opens_an_object(stored, way, size):
    folder, put = stored
    row = folder.object(f"{way}/{size}/ü")

    mode, keys = folder.data_keys("vault", row)

    assert (mode, len(keys)) == (modes(way), 2 if way == "dsse" else 1)
    assert (row["content"]["sealing"].get("SseKms", {}).get("under_bucket_key") is not None) == (way == "bucket-key")
    assert folder.open_blob(keys, row["blob"]) == put[row["key"]]


@pytest.mark.parametrize("size", SIZES)
def test_the_customers_key_opens_an_object(stored, size):
    folder, put = stored
    row = folder.object(f"sse-c/{size}/ü")

    assert list(row["content"]["sealing"]) == ["SseC"]
    assert folder.open_blob([KEY], row["blob"]) == put[row["key"]]


def test_the_root_key_opens_an_object_of_a_new_material(stored):
    folder, put = stored
    old, new = folder.object("sse-kms/100/ü"), folder.object("rotated")

    materials = [bytes.fromhex(row["content"]["sealing"]["SseKms"]["ciphertext"])[18:50] for row in (old, new)]

    assert materials[0] != materials[1]
    assert folder.open_blob(folder.data_keys("vault", new)[1], new["blob"]) == put["rotated"]


def test_the_root_key_opens_parts(stored):
    folder, put = stored
    row = folder.object("parts")

    mode, keys = folder.data_keys("vault", row)
    parts = folder.parts()

    assert (mode, row["parts"]["count"]) == ("DsseKms", 2)
    assert [part["number"] for part in parts] == [1, 7]
    assert [folder.open_blob(keys, part["blob"]) for part in parts] == put["parts"]


def test_the_root_key_opens_every_version(stored):
    folder, put = stored
    rows = folder.versions("twice")

    opened = [(folder.data_keys("history", row), row["blob"]) for row in rows]

    assert [mode for (mode, _), _ in opened] == ["SseKms", "DsseKms"]
    assert [folder.open_blob(keys, blob) for (_, keys), blob in opened] == put["twice"]


def test_the_root_key_opens_an_object_whose_encryption_was_changed(stored):
    """The file may keep its row of before: one body, and one data key that is wrapped in two ways."""
    folder, put = stored
    rows = {next(iter(row["content"]["sealing"])): row for row in folder.versions("moved")}

    keys = {mode: folder.data_keys("vault", row)[1] for mode, row in rows.items()}

    assert rows["SseKms"]["content"]["sealing"]["SseKms"]["under_bucket_key"] is not None
    assert len({row["blob"]["id"] for row in rows.values()}) == 1
    assert len({key for [key] in keys.values()}) == 1
    assert folder.open_blob(keys["SseKms"], rows["SseKms"]["blob"]) == put["moved"]


def test_nothing_opens_with_what_is_not_its_own(stored):
    """Each of what the derivation is bound to, changed alone."""
    folder, _ = stored
    row = folder.object("dsse/70000/ü")
    context, sealing, name = object_context("vault", row["key"]), row["content"]["sealing"]["DsseKms"], row["blob"]["id"]
    wrapped, sealed = bytes.fromhex(sealing["wrapped_key"]), (folder.path / "blobs" / name[:2] / name).read_bytes()
    [outer, inner] = folder.data_keys("vault", row)[1]
    damaged = sealed[:66_000] + bytes([sealed[66_000] ^ 1]) + sealed[66_001:]

    refused = [
        lambda: open_small(bytes(32), canonical(context), wrapped),
        lambda: open_small(folder.root, canonical(object_context("vault", "dsse/100/ü")), wrapped),
        lambda: folder.decrypt(bytes.fromhex(sealing["kms"]["ciphertext"]), {}),
        lambda: open_body(inner, name, sealed),
        lambda: open_body(outer, name[::-1], sealed),
        lambda: open_body(outer, name, damaged),
        lambda: open_body(outer, name, sealed[:65_536]),
        lambda: open_body(outer, name, open_body(outer, name, sealed)),
    ]

    assert open_small(folder.root, canonical(context), wrapped) == outer
    for attempt in refused:
        with pytest.raises(tink.TinkError):
            attempt()


@pytest.mark.parametrize("way", ["sse-s3", "sse-kms", "bucket-key", "dsse", "sse-c"])
def test_the_folder_of_an_older_program_opens_likewise(way):
    old = ROOT / "fixtures" / "data-format-2"
    folder, made = Folder(old / "data"), runpy.run_path(str(old / "make.py"))

    for size in made["SIZES"]:
        row = folder.object(f"{way}/{size}")
        keys = [made["CUSTOMER_KEY"]] if way == "sse-c" else folder.data_keys("vault", row)[1]
        assert folder.open_blob(keys, row["blob"]) == made["noise"](size)
