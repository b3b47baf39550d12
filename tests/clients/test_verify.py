"""`strongroom verify` of folders that boto3 filled over the wire: every mode, in one blob, in parts, in versions, and under way.

A folder that a server has left is sound. Then each of its blobs is damaged in its turn, and named by bucket and key.
"""

import hashlib
import io
import json
import os
import pty
import subprocess

import pytest
from boto3.s3.transfer import TransferConfig
from conftest import BINARY, Server

CUSTOMERS = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"a customer's own key of 32 bytes"}
KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/app"}
WAYS = {
    "s3": {"ServerSideEncryption": "AES256"},
    "kms": KMS,
    "bucket-key": {**KMS, "BucketKeyEnabled": True},
    "layers": {**KMS, "ServerSideEncryption": "aws:kms:dsse"},
    "customers": CUSTOMERS,
}
PARTS = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
BODY = hashlib.shake_128(b"noise").digest(200_000)
FILM = hashlib.shake_128(b"film").digest(12_000_000)


def verify(folder, *arguments):
    command = [BINARY, "verify", "--data", folder, *arguments]
    return subprocess.run(command, env={}, capture_output=True, text=True, check=False)


def damaged(folder):
    """What is damaged, as (bucket, key, version or upload, part) and how, of a folder in which something is."""
    done = verify(folder, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr, told["sound"]) == (1, "", False)
    names = ["bucket", "key", "version_id", "upload_id", "part_number", "cause", "place"]
    return [{name: of[name] for name in names} for of in told["damaged"]]


def blobs(folder):
    """The files of blobs."""
    return sorted(path for path in (folder / "blobs").glob("*/*"))


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """The folder that a stopped server has left, and whose each blob file is: bucket, key, version or part, and in which way."""
    home = tmp_path_factory.mktemp("left")
    server = Server(home, "--bucket", "photos,versions", "--kms-key", "alias/app")
    s3, owners = server.client("https"), {}

    def claim(*owner):
        [new] = set(blobs(server.folder)) - set(owners)
        owners[new] = owner

    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    for way, asked in WAYS.items():
        s3.put_object(Bucket="photos", Key=f"large/{way}", Body=BODY, **asked)
        claim("photos", f"large/{way}", None, way)
        s3.put_object(Bucket="photos", Key=f"small/{way}", Body=b"small", **asked)
        s3.put_object(Bucket="photos", Key=f"empty/{way}", Body=b"", **asked)
        version = s3.put_object(Bucket="versions", Key="a\nkey ü", Body=BODY, **asked)["VersionId"]
        claim("versions", "a\nkey ü", version, way)
        upload = s3.create_multipart_upload(Bucket="photos", Key=f"film/{way}", **asked)["UploadId"]
        customers = asked if way == "customers" else {}
        parts = []
        for number, body in enumerate([FILM[: 6 << 20], FILM[6 << 20 :], b""], 1):
            put = s3.upload_part(Bucket="photos", Key=f"film/{way}", UploadId=upload, PartNumber=number, Body=body, **customers)
            parts.append({"PartNumber": number, "ETag": put["ETag"]})
            if body:
                claim("photos", f"film/{way}", number, way)
        s3.complete_multipart_upload(
            Bucket="photos", Key=f"film/{way}", UploadId=upload, MultipartUpload={"Parts": parts}, **customers
        )
        coming = s3.create_multipart_upload(Bucket="photos", Key=f"coming/{way}", **asked)["UploadId"]
        s3.upload_part(Bucket="photos", Key=f"coming/{way}", UploadId=coming, PartNumber=7, Body=BODY, **customers)
        claim("photos", f"coming/{way}", 7, way)
    s3.upload_fileobj(io.BytesIO(BODY), "photos", "gone", Config=PARTS)
    s3.delete_object(Bucket="photos", Key="gone")
    s3.delete_object(Bucket="versions", Key="a\nkey ü")
    server.stop()
    return server.folder, owners


def test_what_was_written_over_the_wire_is_sound_and_stays_as_it_is(left):
    folder, owners = left
    before = snapshot(folder)

    done = verify(folder)
    told = json.loads(verify(folder, "--json").stdout)

    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1), done
    assert done.stdout.startswith("sound: 25 versions in 2 buckets, 5 uploads under way, 40 blobs of ")
    assert (told["sound"], told["damaged"], told["notes"]) == (True, [], [])
    checked = told["checked"]
    assert (checked["versions"], checked["delete_markers"], checked["uploads"], checked["blobs"]) == (25, 1, 5, 40)
    assert checked["unopened"] == 8, "each blob under SSE-C"
    assert set(blobs(folder)) == set(owners)
    assert snapshot(folder) == before


def of(owner, found):
    """Whether damage is that of the owner of a file."""
    bucket, key, last, _ = owner
    which = found["version_id"] if bucket == "versions" else found["part_number"]
    return (found["bucket"], found["key"], which) == (bucket, key, last)


@pytest.mark.parametrize("change", ["flip", "cut", "longer", "missing"])
def test_damage_to_each_blob_is_named_by_bucket_and_key(left, change):
    folder, owners = left
    causes = {"flip": "tag", "cut": "cut", "longer": "longer", "missing": "missing"}
    originals = {path: path.read_bytes() for path in owners}
    for path, body in originals.items():
        if change == "flip":
            path.write_bytes(body[:-1] + bytes([body[-1] ^ 128]))
        elif change == "cut":
            path.write_bytes(body[: len(body) // 2])
        elif change == "longer":
            path.write_bytes(body + b"x")
        else:
            path.unlink()
    try:
        told = damaged(folder)
    finally:
        for path, body in originals.items():
            path.write_bytes(body)

    # Without the customer's key no tag of its blobs can be checked.
    expected = {path: owner for path, owner in owners.items() if change != "flip" or owner[3] != "customers"}
    by_place = {folder / found["place"]: found for found in told}
    assert set(by_place) == set(expected)
    for path, owner in expected.items():
        assert of(owner, by_place[path]), (owner, by_place[path])
        assert by_place[path]["cause"] == causes[change]
    assert verify(folder).returncode == 0


def test_two_blobs_that_were_exchanged_are_both_named(left):
    folder, owners = left
    named = {owner[:2]: path for path, owner in owners.items()}
    one, other = named["photos", "large/s3"], named["photos", "large/kms"]
    bodies = one.read_bytes(), other.read_bytes()
    assert len(bodies[0]) == len(bodies[1]), "so that no length tells"
    one.write_bytes(bodies[1])
    other.write_bytes(bodies[0])

    told = damaged(folder)

    one.write_bytes(bodies[0])
    other.write_bytes(bodies[1])
    assert sorted(found["key"] for found in told) == ["large/kms", "large/s3"]
    assert {found["cause"] for found in told} == {"tag"}
    assert verify(folder).returncode == 0


def test_a_key_never_drives_the_terminal(left):
    folder, owners = left
    path = next(path for path, owner in owners.items() if owner[0] == "versions")
    body = path.read_bytes()
    path.unlink()

    done = verify(folder)

    path.write_bytes(body)
    assert done.returncode == 1
    assert "damaged: versions/a\\nkey ü, version " in done.stdout
    assert done.stdout.count("\n") == 2


def test_progress_goes_to_a_terminal_alone(left):
    folder, _ = left
    ours, theirs = pty.openpty()

    done = subprocess.run(
        [BINARY, "verify", "--data", folder], env={}, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True
    )

    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    lines = shown.split("\r\x1b[K")
    assert lines[0] == "" and lines[-1] == "", "the line is taken away in the end"
    assert len(lines) > 3 and all(line.startswith("verified ") for line in lines[1:-1]), lines
    assert "\n" not in shown and done.stdout.startswith("sound: ")


def test_a_running_server_is_let_alone(tmp_path):
    server = Server(tmp_path)
    try:
        done = verify(server.folder)
    finally:
        server.stop()

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "in use by another process: stop its server first" in done.stderr
