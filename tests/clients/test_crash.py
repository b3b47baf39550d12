"""A server that is killed at any moment under a mixed load, again and again over one folder.

What was answered is there, with its bytes, its entity tag and its mode; so are buckets and KMS keys, and what KMS encrypted
opens. What was under way is there wholly or not at all; and nothing lies on the disk that no row names. `STRONGROOM_CRASH_ROUNDS` says how often it is killed: a few times by default, and
300 in a nightly run. `STRONGROOM_CRASH_SEED` repeats a run, as far as threads let themselves be repeated.
"""

import dataclasses
import hashlib
import json
import os
import random
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from conftest import BINARY, Server

ROUNDS = int(os.environ.get("STRONGROOM_CRASH_ROUNDS", "8"))
SEED = int(os.environ.get("STRONGROOM_CRASH_SEED", random.randrange(1_000_000)))
CUSTOMERS = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"a customer's own key of 32 bytes"}
KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/app"}
MODES = {
    "s3": {},
    "kms": KMS,
    "bucket-key": {**KMS, "BucketKeyEnabled": True},
    "layers": {**KMS, "ServerSideEncryption": "aws:kms:dsse"},
    "customers": CUSTOMERS,
}
TOLD = {"s3": "AES256", "kms": "aws:kms", "bucket-key": "aws:kms", "layers": "aws:kms:dsse", "customers": None}
PLAIN, VERSIONED = "plain", "versioned"
WRITERS, KEYS, MOST_VERSIONS = 6, 3, 5
# Of each writer.
MOST_BUCKETS, MOST_KMS_KEYS, MOST_CIPHERTEXTS = 3, 4, 8
LEAST_PART = 5 * 1024 * 1024
# Above this a sealed body lies in a file of its own.
IN_ROWS = 4_096


class Killed(Exception):
    """The server has gone: what was asked last may have happened or not."""


@dataclasses.dataclass(frozen=True)
class Body:
    """What was put somewhere: told by its number, since no two are alike."""

    number: int
    size: int
    mode: str

    def bytes(self):
        return hashlib.shake_128(self.number.to_bytes(8, "big")).digest(self.size)


@dataclasses.dataclass
class Upload:
    """An upload under way: `parts` are those that were answered."""

    id: str
    key: str
    mode: str
    parts: dict = dataclasses.field(default_factory=dict)


class Ledger:
    """What one writer was answered about its keys, and what it waits for an answer to."""

    def __init__(self, name):
        self.name = name
        self.keys = [f"{name}-{index}" for index in range(KEYS)]
        self.objects = {}
        # The newest first: an id, and a body or `None` for a delete marker.
        self.versions = {key: [] for key in self.keys}
        self.uploads = []
        self.buckets = set()
        self.kms_keys = []
        # What KMS encrypted for it, with what it encrypted.
        self.ciphertexts = []
        self.doubtful = None


class Writer(threading.Thread):
    """Writes until the server has gone."""

    def __init__(self, running, ledger, chance, numbers):
        super().__init__()
        self.s3, self.kms = client_of(running), client_of(running, "kms")
        self.ledger, self.chance, self.numbers, self.done, self.failure = ledger, chance, numbers, 0, None

    def run(self):
        works = [self.put, self.put, self.delete, self.copy, self.upload, self.put_version, self.put_version, self.delete_version, self.delete_many]
        works += [self.bucket, self.kms_key, self.encrypt, self.decrypt]
        try:
            while True:
                self.chance.choice(works)()
                self.done += 1
        except Killed:
            pass
        except BaseException as error:
            self.failure = error

    def ask(self, doubt, call, *, of=None, **arguments):
        """Asks S3, or another service; from here on until the answer, `doubt` says what may have come of it."""
        self.ledger.doubtful = doubt
        try:
            answer = getattr(of or self.s3, call)(**arguments)
        except ClientError:
            raise
        except (BotoCoreError, OSError) as error:
            raise Killed from error
        self.ledger.doubtful = None
        return answer

    def body(self, mode=None):
        sizes = [self.chance.randrange(3_000), self.chance.randrange(4_000, 70_000), self.chance.randrange(200_000)]
        return Body(next(self.numbers), self.chance.choice(sizes), mode or self.chance.choice(list(MODES)))

    def key(self):
        return self.chance.choice(self.ledger.keys)

    def put(self):
        key, body = self.key(), self.body()
        self.ask(("object", key, body), "put_object", Bucket=PLAIN, Key=key, Body=body.bytes(), **MODES[body.mode])
        self.ledger.objects[key] = body

    def delete(self):
        key = self.key()
        self.ask(("object", key, None), "delete_object", Bucket=PLAIN, Key=key)
        self.ledger.objects.pop(key, None)

    def delete_many(self):
        """One request is many writes: each may have happened or not."""
        keys = self.ledger.keys[:2]
        self.ask(("gone", keys), "delete_objects", Bucket=PLAIN, Delete={"Objects": [{"Key": key} for key in keys]})
        for key in keys:
            self.ledger.objects.pop(key, None)

    def copy(self):
        source, key = self.key(), self.key()
        body = self.ledger.objects.get(source)
        if body is None or source == key:
            return
        copied = dataclasses.replace(body, mode=self.chance.choice(list(MODES)))
        opens = {f"CopySource{name}": value for name, value in CUSTOMERS.items()} if body.mode == "customers" else {}
        asked = {"Bucket": PLAIN, "Key": key, "CopySource": f"{PLAIN}/{source}", **opens, **MODES[copied.mode]}
        self.ask(("object", key, copied), "copy_object", **asked)
        self.ledger.objects[key] = copied

    def upload(self):
        mode = self.chance.choice(list(MODES))
        upload = Upload("", self.key(), mode)
        named = {"Bucket": PLAIN, "Key": upload.key}
        begun = self.ask(("begun", upload.key), "create_multipart_upload", **named, **MODES[mode])
        upload.id = begun["UploadId"]
        self.ledger.uploads.append(upload)
        bodies = [self.body(mode)]
        if self.chance.random() < 0.2:
            bodies.insert(0, Body(next(self.numbers), LEAST_PART, mode))
        for number, body in enumerate(bodies, 1):
            part = {**named, "UploadId": upload.id, "PartNumber": number, "Body": body.bytes(), **(CUSTOMERS if mode == "customers" else {})}
            etag = self.ask(None, "upload_part", **part)["ETag"]
            upload.parts[number] = (body, etag)
        if self.chance.random() < 0.3:
            self.ask(("ended", upload, False), "abort_multipart_upload", **named, UploadId=upload.id)
        else:
            self.ask(("ended", upload, True), "complete_multipart_upload", **completion(upload))
            self.ledger.objects[upload.key] = whole(upload)
        self.ledger.uploads.remove(upload)

    def put_version(self):
        key, body = self.key(), self.body()
        if len(self.ledger.versions[key]) >= MOST_VERSIONS:
            return self.remove_version(key)
        answer = self.ask(("version", key, body), "put_object", Bucket=VERSIONED, Key=key, Body=body.bytes(), **MODES[body.mode])
        self.ledger.versions[key].insert(0, (answer["VersionId"], body))
        return None

    def delete_version(self):
        key = self.key()
        if self.ledger.versions[key] and self.chance.random() < 0.5:
            return self.remove_version(key)
        answer = self.ask(("version", key, None), "delete_object", Bucket=VERSIONED, Key=key)
        self.ledger.versions[key].insert(0, (answer["VersionId"], None))
        return None

    def remove_version(self, key):
        version = self.chance.choice(self.ledger.versions[key])
        self.ask(("removed", key, version), "delete_object", Bucket=VERSIONED, Key=key, VersionId=version[0])
        self.ledger.versions[key].remove(version)

    def bucket(self):
        """Makes one, or removes one where there are enough."""
        buckets = self.ledger.buckets
        if len(buckets) < MOST_BUCKETS:
            name = f"{self.ledger.name}-{next(self.numbers)}"
            self.ask(("bucket", name), "create_bucket", Bucket=name)
            buckets.add(name)
        else:
            name = self.chance.choice(sorted(buckets))
            self.ask(("bucket", name), "delete_bucket", Bucket=name)
            buckets.remove(name)

    def kms_key(self):
        if len(self.ledger.kms_keys) < MOST_KMS_KEYS:
            description = f"{self.ledger.name}-{next(self.numbers)}"
            answer = self.ask(("kms key", description), "create_key", of=self.kms, Description=description)
            self.ledger.kms_keys.append(answer["KeyMetadata"]["KeyId"])

    def encrypt(self):
        """A key that was answered encrypts from then on."""
        if self.ledger.kms_keys:
            plaintext = next(self.numbers).to_bytes(8, "big") * 9
            asked = {"KeyId": self.chance.choice(self.ledger.kms_keys), "Plaintext": plaintext, **self.context()}
            answer = self.ask(None, "encrypt", of=self.kms, **asked)
            self.ledger.ciphertexts = [*self.ledger.ciphertexts[1 - MOST_CIPHERTEXTS :], (answer["CiphertextBlob"], plaintext)]

    def decrypt(self):
        if self.ledger.ciphertexts:
            ciphertext, plaintext = self.chance.choice(self.ledger.ciphertexts)
            answer = self.ask(None, "decrypt", of=self.kms, CiphertextBlob=ciphertext, **self.context())
            assert answer["Plaintext"] == plaintext

    def context(self):
        return {"EncryptionContext": {"writer": self.ledger.name}}


@dataclasses.dataclass(frozen=True)
class Joined:
    """The body of a completed upload."""

    parts: tuple
    mode: str

    def bytes(self):
        return b"".join(body.bytes() for body in self.parts)


def whole(upload):
    return Joined(tuple(body for _, (body, _) in sorted(upload.parts.items())), upload.mode)


def completion(upload):
    parts = [{"PartNumber": number, "ETag": etag} for number, (_, etag) in sorted(upload.parts.items())]
    return {"Bucket": PLAIN, "Key": upload.key, "UploadId": upload.id, "MultipartUpload": {"Parts": parts}}


def found(s3, bucket, key, body, version=None):
    """Whether this body is there, whole and in its mode; any failure but that there is no such object is one of the test."""
    named = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    opens = CUSTOMERS if body and body.mode == "customers" else {}
    try:
        got = s3.get_object(**named, **opens)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        # 400: it is there, under SSE-C where none was meant, or the other way round.
        if status not in (400, 404):
            raise
        return status == 404 and body is None
    whole = got["Body"].read()
    if body is None or whole != body.bytes() or told(got) != (TOLD[body.mode], body.mode == "bucket-key", bool(opens)):
        return False
    if body.mode == "s3" and isinstance(body, Body):
        assert got["ETag"] == f'"{hashlib.md5(whole).hexdigest()}"'
    assert s3.head_object(**named, **opens)["ETag"] == got["ETag"]
    return True


def told(answer):
    """The mode, as an answer tells it."""
    return (answer.get("ServerSideEncryption"), answer.get("BucketKeyEnabled", False), "SSECustomerAlgorithm" in answer)


class Check:
    """Compares what is there after a restart with what the ledgers say, and settles what was in doubt."""

    def __init__(self, running, ledgers):
        self.running, self.ledgers = running, ledgers
        self.s3, self.kms = client_of(running), client_of(running, "kms")

    def all(self):
        assert list((self.running.folder / "staging").iterdir()) == []
        uploads = self.uploads()
        self.settle_buckets()
        self.settle_kms_keys()
        self.ciphertexts_open()
        for ledger in self.ledgers:
            self.settle_uploads(ledger, uploads)
            for key in ledger.keys:
                self.settle_object(ledger, key)
                self.settle_versions(ledger, key)
            ledger.doubtful = None
        assert uploads == {}
        self.listings_agree()
        self.every_file_is_named()

    def settle_buckets(self):
        listed = {bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]} - {PLAIN, VERSIONED}
        for ledger in self.ledgers:
            doubt = {ledger.doubtful[1]} if ledger.doubtful and ledger.doubtful[0] == "bucket" else set()
            assert ledger.buckets - doubt <= listed, f"of {ledger.buckets} there are only {listed}"
            ledger.buckets = listed & (ledger.buckets | doubt)
            listed -= ledger.buckets
        assert listed == set()

    def settle_kms_keys(self):
        pages = self.kms.get_paginator("list_keys").paginate()
        listed = {key["KeyId"] for page in pages for key in page["Keys"]}
        aliased = {alias["TargetKeyId"] for alias in self.kms.list_aliases()["Aliases"] if "TargetKeyId" in alias}
        for ledger in self.ledgers:
            assert set(ledger.kms_keys) <= listed, f"of {ledger.kms_keys} there are only {listed}"
            listed -= set(ledger.kms_keys)
        made = {self.kms.describe_key(KeyId=key)["KeyMetadata"]["Description"]: key for key in listed - aliased}
        for ledger in self.ledgers:
            if ledger.doubtful and ledger.doubtful[0] == "kms key" and ledger.doubtful[1] in made:
                ledger.kms_keys.append(made.pop(ledger.doubtful[1]))
        assert made == {}

    def ciphertexts_open(self):
        for ledger in self.ledgers:
            for ciphertext, plaintext in ledger.ciphertexts:
                opened = self.kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext={"writer": ledger.name})
                assert opened["Plaintext"] == plaintext

    def uploads(self):
        listed = self.s3.list_multipart_uploads(Bucket=PLAIN)
        assert not listed["IsTruncated"]
        return {upload["UploadId"]: upload["Key"] for upload in listed.get("Uploads", [])}

    def settle_uploads(self, ledger, listed):
        doubt = ledger.doubtful or (None,)
        for upload in ledger.uploads:
            is_there = listed.pop(upload.id, None) == upload.key
            if doubt[0] == "ended" and doubt[1] is upload and not is_there:
                if doubt[2]:
                    ledger.objects[upload.key] = whole(upload)
                continue
            assert is_there, f"the upload {upload} is lost"
            self.finish(ledger, upload)
        ledger.uploads = []
        if doubt[0] == "begun":
            for unknown in [id for id, key in listed.items() if key == doubt[1]]:
                del listed[unknown]
                assert "Parts" not in self.s3.list_parts(Bucket=PLAIN, Key=doubt[1], UploadId=unknown)
                self.s3.abort_multipart_upload(Bucket=PLAIN, Key=doubt[1], UploadId=unknown)

    def finish(self, ledger, upload):
        """An upload that was left goes on: its parts are those that were answered, and it completes."""
        named = {"Bucket": PLAIN, "Key": upload.key, "UploadId": upload.id}
        assert found(self.s3, PLAIN, upload.key, ledger.objects.get(upload.key))
        parts = {part["PartNumber"]: part["ETag"] for part in self.s3.list_parts(**named).get("Parts", [])}
        for number, (_, etag) in upload.parts.items():
            assert parts[number] == etag
        assert len(parts) <= len(upload.parts) + 1
        if upload.parts:
            self.s3.complete_multipart_upload(**completion(upload))
            ledger.objects[upload.key] = whole(upload)
        else:
            self.s3.abort_multipart_upload(**named)

    def settle_object(self, ledger, key):
        old, doubt = ledger.objects.get(key), ledger.doubtful or (None,)
        bodies = [old]
        if doubt[0] == "object" and doubt[1] == key:
            bodies.append(doubt[2])
        if doubt[0] == "gone" and key in doubt[1]:
            bodies.append(None)
        there = [body for body in bodies if found(self.s3, PLAIN, key, body)]
        assert there, f"{key} is none of {bodies}"
        ledger.objects[key] = there[0]
        if there[0] is None:
            del ledger.objects[key]

    def settle_versions(self, ledger, key):
        known, doubt = ledger.versions[key], ledger.doubtful or (None,)
        listed = self.versions_of(key)
        wanted = [id for id, _ in known]
        if doubt[0] == "version" and doubt[1] == key and len(listed) == len(known) + 1:
            known.insert(0, (listed[0][0], doubt[2]))
        elif doubt[0] == "removed" and doubt[1] == key and len(listed) == len(known) - 1:
            known.remove(doubt[2])
        assert listed == [(id, body is None) for id, body in known], f"{key}: {listed}, not {wanted}; {doubt}"
        for id, body in known:
            assert body is None or found(self.s3, VERSIONED, key, body, id), f"{key} {id}"

    def versions_of(self, key):
        """The newest first, with whether each is a delete marker."""
        page = self.s3.list_object_versions(Bucket=VERSIONED, Prefix=f"{key}")
        assert not page["IsTruncated"]
        rows = [(row, False) for row in page.get("Versions", [])] + [(row, True) for row in page.get("DeleteMarkers", [])]
        latest = [row["VersionId"] for row, _ in rows if row["IsLatest"]]
        # Ids tell nothing of their order, and the clock not enough: the ledger's order is compared by what stands where.
        order = {id: index for index, (id, _) in enumerate(self.known(key))}
        ids = sorted(((row["VersionId"], is_marker) for row, is_marker in rows), key=lambda row: order.get(row[0], -1))
        assert latest == [id for id, _ in ids[:1]], f"{key}: the latest is {latest}, not the first of {ids}"
        return ids

    def known(self, key):
        return next(ledger.versions[key] for ledger in self.ledgers if key in ledger.versions)

    def listings_agree(self):
        listed = {row["Key"]: row for row in self.s3.list_objects_v2(Bucket=PLAIN).get("Contents", [])}
        objects = {key: body for ledger in self.ledgers for key, body in ledger.objects.items()}
        assert set(listed) == set(objects)
        for key, body in objects.items():
            head = self.s3.head_object(Bucket=PLAIN, Key=key, **(CUSTOMERS if body.mode == "customers" else {}))
            assert (listed[key]["ETag"], listed[key]["Size"]) == (head["ETag"], head["ContentLength"])

    def every_file_is_named(self):
        named = set()
        for ledger in self.ledgers:
            for key in ledger.objects:
                named |= self.files_of(PLAIN, key)
            for key, versions in ledger.versions.items():
                for id, body in versions:
                    named |= self.files_of(VERSIONED, key, id) if body else set()
        lie = {str(path.relative_to(self.running.folder)) for path in (self.running.folder / "blobs").rglob("*") if path.is_file()}
        assert lie == named

    def files_of(self, bucket, key, version=None):
        query = urllib.parse.urlencode({"bucket": bucket, "key": key, **({"version": version} if version else {})})
        with urllib.request.urlopen(f"{self.running.uri('http')}/_emulator/stored?{query}") as answer:
            told = json.load(answer)
        return {blob["place"] for blob in told["blobs"] if blob["place"].startswith("blobs/")}


def client_of(running, service="s3"):
    return running.client("http", service, config=Config(retries={"max_attempts": 1}, max_pool_connections=2, connect_timeout=20, read_timeout=60))


def numbers_from(first):
    while True:
        yield first
        first += 1


def kill_at_start(folder, after):
    """A crash may come while the traces of the one before are removed."""
    process = subprocess.Popen([BINARY, "--listen", "127.0.0.1:0", "--data", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    process.kill()
    process.wait(20)


def test_nothing_answered_is_lost_and_nothing_is_half_done(tmp_path):
    print(f"STRONGROOM_CRASH_SEED={SEED} STRONGROOM_CRASH_ROUNDS={ROUNDS}")
    chance, folder = random.Random(SEED), tmp_path / "data"
    ledgers = [Ledger(f"writer-{index}") for index in range(WRITERS)]
    numbers = [numbers_from(index << 40) for index in range(WRITERS)]
    done = 0
    for turn in range(ROUNDS):
        running = Server(tmp_path / f"run-{turn}", "--bucket", f"{PLAIN},{VERSIONED}", "--kms-key", "alias/app", folder=folder)
        client_of(running).put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
        writers = [Writer(running, ledger, random.Random(chance.random()), numbers[index]) for index, ledger in enumerate(ledgers)]
        for writer in writers:
            writer.start()
        # The instant is what this test is about: any.
        time.sleep(chance.uniform(0.05, 0.8))
        running.process.kill()
        for writer in writers:
            writer.join(60)
        running.process.wait(20)
        for writer in writers:
            if writer.failure:
                raise writer.failure
            done += writer.done

        kill_at_start(folder, chance.uniform(0, 0.02))
        again = Server(tmp_path / f"check-{turn}", folder=folder)
        Check(again, ledgers).all()
        # It goes on over what a second kill leaves.
        again.process.kill()
        again.process.wait(20)
    assert done > 10 * ROUNDS
    print(f"{done} writes answered")
