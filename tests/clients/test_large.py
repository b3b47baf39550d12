"""Memory and reads of a 5 GiB object in every mode, as the system counts them.

The object comes in parts out of a generator. The server's peak over its idle memory (`VmHWM` in `/proc`) stays bounded while it
takes the parts, copies them and gives them back; a range reads its own segments from the disk and no others (`rchar`).
"""

import base64
import contextlib
import hashlib
import http.client
import itertools
import os
import pathlib
import shutil
import subprocess

import pytest
from botocore.config import Config
from conftest import BINARY, Server

MIB, GIB = 1024**2, 1024**3
SIZE, PART = 5 * GIB, 512 * MIB
BLOCK = os.urandom(MIB)
MOST_MEMORY = 64 * MIB
# The object, its copy, and some room.
LEAST_DISK = 12 * GIB
SEGMENT = 65_536
# The header of a body, and what the runtime reads to wake a thread.
SMALL = 1_024

KEY = b"a customer's own key of 32 bytes"
SEALED = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
MODES = {
    "sse-s3": {"ServerSideEncryption": "AES256"},
    "sse-kms": {"ServerSideEncryption": "aws:kms"},
    "dsse-kms": {"ServerSideEncryption": "aws:kms:dsse"},
    "sse-c": SEALED,
}


class Process:
    """What the system says of a process."""

    def __init__(self, number):
        self.folder = pathlib.Path("/proc") / str(number)
        assert self.folder.exists(), "the memory of a process is read in /proc: run these tests on Linux"
        self.idle = self.figure("status", "VmRSS")

    def figure(self, file, name):
        lines = (self.folder / file).read_text().splitlines()
        [line] = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1])

    def read_bytes(self):
        """All that it has read so far, whether from the disk or from the system's cache."""
        return self.figure("io", "rchar")

    @contextlib.contextmanager
    def bounded(self, what):
        """Its memory stays within the bound over what it was when nothing had been asked."""
        (self.folder / "clear_refs").write_text("5")
        yield
        grown = (self.figure("status", "VmHWM") - self.idle) * 1024
        assert grown < MOST_MEMORY, f"{what}: {grown / MIB:.1f} MiB over an idle {self.idle / 1024:.1f} MiB"


class Large:
    """The object in one mode; the bucket is emptied between modes."""

    def __init__(self, server, asked):
        self.server, self.s3 = server, server.client("http", config=Config(read_timeout=600, retries={"max_attempts": 1}))
        self.asked = asked
        self.brings = asked if asked == SEALED else {}
        self.source = {f"CopySource{name}": value for name, value in self.brings.items()}

    def headers(self):
        if not self.brings:
            return {}
        values = {"algorithm": b"AES256", "key": base64.b64encode(KEY), "key-MD5": base64.b64encode(hashlib.md5(KEY).digest())}
        return {f"x-amz-server-side-encryption-customer-{name}": value.decode() for name, value in values.items()}

    def ask(self, method, target, body=None, **headers):
        """Raw, for bodies that are not held in memory on this side either."""
        connection = http.client.HTTPConnection(self.server.address, timeout=120)
        connection.request(method, target, body, {**self.headers(), **headers})
        return connection, connection.getresponse()

    def begin(self, key):
        at = {"Bucket": "large", "Key": key}
        return at | {"UploadId": self.s3.create_multipart_upload(**at, **self.asked)["UploadId"]}

    def complete(self, upload, tags):
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in tags.items()]
        self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})

    def upload(self):
        upload, tags = self.begin("key"), {}
        for number in range(1, SIZE // PART + 1):
            blocks = itertools.repeat(BLOCK, PART // MIB)
            target = f"/large/key?partNumber={number}&uploadId={upload['UploadId']}"
            connection, answer = self.ask("PUT", target, blocks, **{"Content-Length": str(PART)})
            assert answer.status == 200, answer.read()
            tags[number] = answer.headers["ETag"]
            connection.close()
        self.complete(upload, tags)

    def copy_parts(self, ranges):
        upload, tags = self.begin("copy"), {}
        for number, (first, last) in enumerate(ranges, 1):
            asked = {"CopySource": "large/key", "CopySourceRange": f"bytes={first}-{last}"}
            done = self.s3.upload_part_copy(**upload, PartNumber=number, **asked, **self.source, **self.brings)
            tags[number] = done["CopyPartResult"]["ETag"]
        self.complete(upload, tags)

    def copy(self):
        self.s3.copy_object(Bucket="large", Key="copy", CopySource="large/key", **self.source, **self.asked)

    def check(self, key, first, last, start=0):
        """Asserts that a range gives what was generated, from `start` on."""
        connection, answer = self.ask("GET", f"/large/{key}", Range=f"bytes={first}-{last}")
        assert answer.status == 206, answer.read()
        at, twice = first, BLOCK * 2
        while piece := answer.read(MIB):
            begin = (start + at) % MIB
            assert piece == twice[begin : begin + len(piece)], f"other bytes at {at}"
            at += len(piece)
        assert at == last + 1
        connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("large")
    free = shutil.disk_usage(home).free
    assert free >= LEAST_DISK, f"{home} has {free / GIB:.1f} GiB free, and {LEAST_DISK / GIB:.0f} are needed: set TMPDIR to a larger disk"
    running = Server(home, "--auth", "off", "--bucket", "large", durable=False)
    yield running
    running.stop()
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def process(server):
    return Process(server.process.pid)


@pytest.fixture(params=MODES)
def large(server, process, request):
    large = Large(server, MODES[request.param])
    yield large
    for key in ("key", "copy"):
        large.s3.delete_object(Bucket="large", Key=key)


def segment_of(offset):
    """The segment of a part's body that holds a byte of it: the first has room for 65,464, each other for 65,504."""
    return 0 if offset < SEGMENT - 72 else 1 + (offset - SEGMENT + 72) // (SEGMENT - 32)


def most_read(large, first, last):
    """What a range within one part may cost: its segments; under a second layer those around them, and the one with the inner header."""
    one, other = segment_of(first % PART), segment_of(last % PART)
    segments = set(range(one, other + 1))
    if large.asked == MODES["dsse-kms"]:
        segments = {0, *range(segment_of(one * SEGMENT), segment_of((other + 1) * SEGMENT - 1) + 1)}
    return len(segments) * SEGMENT + SMALL


def test_memory_and_reads_stay_bounded(process, large):
    with process.bounded("upload in parts"):
        large.upload()
    for first, last in [(0, 0), (SIZE - 1, SIZE - 1), (3 * GIB + 12_345, 3 * GIB + 12_345 + 300_000)]:
        before = process.read_bytes()
        large.check("key", first, last)
        read = process.read_bytes() - before
        assert read <= most_read(large, first, last), f"{read} bytes were read for {first}-{last}"
    with process.bounded("read across three parts"):
        large.check("key", PART - 100, 2 * PART + 100)
    with process.bounded("copy of a range into parts"):
        large.copy_parts([(PART - 100, PART + 200 * MIB), (PART + 200 * MIB + 1, PART + 205 * MIB)])
    large.check("copy", 200 * MIB, 201 * MIB, PART - 100)
    with process.bounded("copy of the whole"):
        large.copy()
    large.check("copy", SIZE - MIB, SIZE - 1)


def test_an_object_that_no_single_put_could_bring_is_imported(tmp_path):
    size = 5 * GIB + 1
    large = tmp_path / "seed" / "buckets" / "large" / "key"
    large.parent.mkdir(parents=True)
    with large.open("wb") as file:
        file.truncate(size - 1)
        file.seek(size - 1)
        file.write(b"!")

    imported = subprocess.run([BINARY, "import", "--data", tmp_path / "data", tmp_path / "seed"], env={}, capture_output=True, text=True)

    assert imported.returncode == 0, imported.stderr
    server = Server(tmp_path)
    got = server.client("http").get_object(Bucket="large", Key="key", Range="bytes=-2")
    assert (got["ContentRange"], got["Body"].read()) == (f"bytes {size - 2}-{size - 1}/{size}", b"\0!")
    server.stop()
    shutil.rmtree(tmp_path / "data")
