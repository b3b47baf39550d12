"""What the disk and the people around it do to a data folder: one clear line each, and the rest is still served.

Disks that are full or cannot be written are real ones, mounted where only the server sees them.
"""

import hashlib
import os
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from conftest import BINARY, Server

NOBODY = 65_534
NEEDED = "--data needs a folder that this user can write"
LARGE = hashlib.shake_128(b"large").digest(300_000)
SEGMENT = 65_536


def refusal(folder, *, home, under=(), program=BINARY):
    """The one line with which a server over this folder does not start."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(home)}
    command = [*under, program, "--listen", "127.0.0.1:0", "--data", folder]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
    return done.stderr


def fill(running, *, count=1):
    s3 = running.client("http")
    s3.create_bucket(Bucket="photos")
    for number in range(count):
        s3.put_object(Bucket="photos", Key=f"large-{number}", Body=LARGE)
    s3.put_object(Bucket="photos", Key="small", Body=b"small")
    return s3


@pytest.fixture
def folder(tmp_path):
    """A folder that a server has filled and left."""
    running = Server(tmp_path / "first")
    fill(running, count=3)
    running.stop()
    return running.folder


def blobs(folder):
    return sorted(path for path in (folder / "blobs").rglob("*") if path.is_file())


class Mount:
    """A file system of its own over a folder, in a namespace that a process keeps: no one else sees it."""

    def __init__(self, folder, script):
        assert shutil.which("unshare") and shutil.which("nsenter"), "unshare and nsenter are missing: install util-linux"
        as_root = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
        lines = f"{script} && echo mounted && exec sleep infinity"
        self.holder = subprocess.Popen(["unshare", *as_root, "--mount", "sh", "-c", lines, "sh", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "mounted\n":
            pytest.fail(f"cannot mount in a namespace of its own: {self.holder.stderr.read().strip()}; run this as root or allow user namespaces (kernel.unprivileged_userns_clone, in a container CAP_SYS_ADMIN)")
        into = ["--mount"] if os.getuid() == 0 else ["--user", "--preserve-credentials", "--mount"]
        self.under = ["nsenter", *into, "--target", str(self.holder.pid)]
        self.seen = pathlib.Path(f"/proc/{self.holder.pid}/root{folder}")

    def end(self):
        self.holder.kill()
        self.holder.wait(20)


@pytest.fixture
def mount(tmp_path):
    mounts = []

    def over(folder, script):
        mounts.append(Mount(folder, script))
        return mounts[-1]

    yield over
    for each in mounts:
        each.end()


class Full:
    """A server on a disk of a few megabytes, what it has answered, and a filler that takes all the rest."""

    def __init__(self, tmp_path, mount, once):
        self.folder = tmp_path / "data"
        self.folder.mkdir()
        self.disk = mount(self.folder, 'mount -t tmpfs -o size=8m,mode=0700 none "$1"')
        self.running = Server(tmp_path / "full", folder=self.folder, under=self.disk.under)
        self.s3 = self.running.client("http", config=once)
        self.s3.create_bucket(Bucket="photos")
        self.kept = {}

    def put(self, key, body):
        """Whether it was answered; else how it was refused."""
        try:
            self.s3.put_object(Bucket="photos", Key=key, Body=body)
        except ClientError as error:
            answer = error.response
            assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (500, "InternalError")
            return False
        self.kept[key] = body
        return True

    def fill_with(self, name, size):
        """Puts until one is refused; how many were taken."""
        taken = 0
        while self.put(f"{name}-{taken}", hashlib.shake_128(f"{name}-{taken}".encode()).digest(size)):
            taken += 1
            assert taken < 10_000, "the disk is never full"
        return taken

    def take_the_rest(self):
        with open(self.disk.seen / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4_096)):
                    pass
            except OSError as error:
                assert "No space left" in str(error)

    def give_it_back(self):
        (self.disk.seen / "filler").unlink()

    def check(self):
        """All that was answered, and nothing else, is listed and reads back; nothing lies beside."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="photos")
        listed = {row["Key"]: row["ETag"] for page in pages for row in page.get("Contents", [])}
        assert listed == {key: f'"{hashlib.md5(body).hexdigest()}"' for key, body in self.kept.items()}
        for key, body in self.kept.items():
            assert self.s3.get_object(Bucket="photos", Key=key)["Body"].read() == body
        assert list((self.disk.seen / "staging").iterdir()) == []
        assert len(blobs(self.disk.seen)) == sum(len(body) > 4_000 for body in self.kept.values())


@pytest.fixture
def full(tmp_path, mount, once):
    full = Full(tmp_path, mount, once)
    yield full
    if full.running.process.poll() is None:
        full.running.stop()


def test_a_full_disk_refuses_writes_and_serves_all_else(full):
    assert full.fill_with("large", 200_000) > 5
    full.fill_with("small", 3_000)
    full.take_the_rest()

    assert not full.put("late", bytes(100_000))
    for number in range(20):
        full.put(f"tiny-{number}", b"tiny")
    full.check()

    log = (full.running.home / "log").read_text()
    assert "No space left on device" in log
    assert "panicked" not in log


def test_what_a_full_disk_refused_is_taken_once_there_is_room(full):
    full.fill_with("large", 200_000)
    full.take_the_rest()
    while full.put("small", os.urandom(3_000)):
        pass
    full.give_it_back()
    for _ in range(3):
        full.s3.delete_object(Bucket="photos", Key=(key := next(iter(full.kept))))
        del full.kept[key]

    assert full.put("after", LARGE)
    assert full.put("small", b"small")

    full.check()
    full.running.stop()
    again = Server(full.running.home / "again", folder=full.folder, under=full.disk.under)
    full.s3 = again.client("http")
    full.check()
    again.stop()


def test_deletes_make_room_on_a_full_disk(full):
    full.fill_with("large", 200_000)
    full.fill_with("small", 3_000)

    gone = [[key for key in full.kept if key.startswith(name)][:5] for name in ("small", "large")]
    for key in sum(gone, []):
        full.s3.delete_object(Bucket="photos", Key=key)
        del full.kept[key]

    assert full.put("large", LARGE)
    full.check()


def test_a_disk_that_is_full_at_the_start_is_one_line(full):
    full.fill_with("large", 200_000)
    full.running.stop()
    shutil.rmtree(full.disk.seen / "blobs")
    (full.disk.seen / "strongroom.redb").unlink()
    full.take_the_rest()

    assert "No space left on device" in refusal(full.folder, under=full.disk.under, home=full.running.home)


def test_a_folder_that_cannot_be_written_is_one_line(folder, mount, tmp_path):
    disk = mount(folder, 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"')

    line = refusal(folder, under=disk.under, home=tmp_path)

    assert line == f"strongroom: cannot create `{folder}/lock`: Read-only file system (os error 30); {NEEDED}\n"


def test_a_folder_of_somebody_else_is_one_line(folder):
    """Only root can become somebody else; for all others a folder without any permission is like one of somebody else."""
    is_root = os.getuid() == 0
    assert not is_root or shutil.which("setpriv"), "setpriv is missing: install util-linux"
    with tempfile.TemporaryDirectory() as reached:
        # Whoever comes gets as far as the program and the folder, and no further.
        os.chmod(reached, 0o755)
        program = shutil.copy(BINARY, reached)
        data = pathlib.Path(shutil.copytree(folder, f"{reached}/data"))
        data.chmod(0o700 if is_root else 0)
        under = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if is_root else []

        line = refusal(data, under=under, home=reached, program=program)
        data.chmod(0o700)

    assert line == f"strongroom: cannot create `{data}/lock`: Permission denied (os error 13); {NEEDED}\n"


def test_blobs_that_are_removed_cut_or_flipped_are_refused_and_all_else_is_served(folder, tmp_path, once):
    removed, cut, flipped = blobs(folder)
    removed.unlink()
    os.truncate(cut, cut.stat().st_size - 1)
    changed = bytearray(flipped.read_bytes())
    changed[2 * SEGMENT] ^= 1
    flipped.write_bytes(changed)

    running = Server(tmp_path / "second", folder=folder)
    s3, answers = running.client("http", config=once), {}
    for number in range(3):
        for part in ("bytes=0-99", "bytes=140000-140099"):
            try:
                body = s3.get_object(Bucket="photos", Key=f"large-{number}", Range=part)["Body"].read()
                assert body in (LARGE[:100], LARGE[140_000:140_100])
                answers[number, part] = "served"
            except ClientError as error:
                answers[number, part] = error.response["Error"]["Code"]

    assert sorted(answers.values()) == 5 * ["InternalError"] + ["served"]
    assert s3.get_object(Bucket="photos", Key="small")["Body"].read() == b"small"
    assert len(s3.list_objects_v2(Bucket="photos")["Contents"]) == 4
    s3.put_object(Bucket="photos", Key="large-0", Body=LARGE)
    assert s3.get_object(Bucket="photos", Key="large-0")["Body"].read() == LARGE
    log = (running.home / "log").read_text()
    assert [path.name for path in (removed, cut, flipped) if path.name not in log] == []
    running.stop()


def test_a_lost_a_wrong_and_a_cut_root_key_are_one_line_each(folder, tmp_path):
    key = folder / "root.key"
    good = key.read_bytes()
    before = {path: path.read_bytes() for path in blobs(folder)}

    key.unlink()
    lost = refusal(folder, home=tmp_path)
    key.write_bytes(bytes(32))
    wrong = refusal(folder, home=tmp_path)
    key.write_bytes(good[:31])
    cut = refusal(folder, home=tmp_path)
    key.write_bytes(good)

    assert f"the root key `{key}` is missing: put it back, or set STRONGROOM_ROOT_KEY" in lost
    assert f"the root key is not the one that the data in `{folder}` was encrypted under" in wrong
    assert "root.key" in cut and "31 bytes" in cut
    assert {path: path.read_bytes() for path in blobs(folder)} == before
    running = Server(tmp_path / "again", folder=folder)
    assert running.client("http").get_object(Bucket="photos", Key="large-0")["Body"].read() == LARGE
    running.stop()


def test_a_lost_catalogue_is_one_line_and_costs_no_blob(folder, tmp_path):
    catalogue, before = folder / "strongroom.redb", blobs(folder)

    catalogue.rename(tmp_path / "kept")
    line = refusal(folder, home=tmp_path)
    (tmp_path / "kept").rename(catalogue)

    assert f"the catalogue `{catalogue}` is damaged: it is missing or empty, but `" in line
    assert blobs(folder) == before
    running = Server(tmp_path / "again", folder=folder)
    assert running.client("http").get_object(Bucket="photos", Key="large-0")["Body"].read() == LARGE
    running.stop()


def everything(folder):
    """Each name of a folder, and what is in it where it is a file."""
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def mark_as_newer(folder):
    """Writes 4 for 3 into the row of the catalogue's format: of every row the first to be written, in the first run, so that no other one
    has its revision. redb does not compare the pages of a file that was closed with their checksums when it opens it."""
    catalogue, revision = folder / "strongroom.redb", struct.pack(">QQ", 1, 0)
    content = catalogue.read_bytes()
    assert revision + b"3" in content
    catalogue.write_bytes(content.replace(revision + b"3", revision + b"4"))


def test_a_catalogue_of_a_newer_program_is_one_line_and_stays_as_it_is(folder, tmp_path):
    mark_as_newer(folder)
    (folder / "staging").rmdir()
    (folder / "staged").write_bytes(b"what only a newer program knows")
    before = everything(folder)
    commands = [
        (1, ["serve", "--listen", "127.0.0.1:0"]),
        (1, ["inspect", "photos/small"]),
        (1, ["export", tmp_path / "out"]),
        (1, ["import", tmp_path / "seed"]),
        (2, ["verify"]),
    ]
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "seed.json").write_text("{}")

    for status, command in commands:
        done = subprocess.run([BINARY, *command, "--data", folder], env={"TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60)

        what = f"the catalogue `{folder}/strongroom.redb` has format 4; this program reads up to 3"
        advice = "use the one that wrote it, or a newer one"
        assert (done.returncode, done.stdout, done.stderr) == (status, "", f"strongroom: {what}: {advice}\n"), command
        assert everything(folder) == before, command
    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_is_one_line(tmp_path):
    running = Server(tmp_path)

    line = refusal(running.folder, home=tmp_path)

    advice = "stop that one, or give this one another folder"
    assert line == f"strongroom: the data folder `{running.folder}` is in use by another process: {advice}\n"
    running.stop()


def damages(catalogue):
    """Flips, cuts and pages that were overwritten: in the header, in its first pages, and anywhere."""
    whole = catalogue.read_bytes()
    chance = random.Random(6)
    places = [*range(0, 320, 8), *(chance.randrange(len(whole)) for _ in range(40))]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        yield f"a bit of byte {place}", bytes(changed)
    for length in [1, 8, 100, 4_096, 5_000, len(whole) // 2, len(whole) - 1]:
        yield f"cut to {length}", whole[:length]
    for page in range(0, min(len(whole), 1 << 18), 4_096):
        yield f"page {page}", whole[:page] + bytes([0xA5]) * 4_096 + whole[page + 4_096 :]
    yield "zeros", bytes(len(whole))


def reads(address, once):
    """How many of the objects are read; each is right, or an error."""
    known = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=f"http://{address}", config=once, **known)
    read = 0
    for key, body in [*((f"large-{number}", LARGE) for number in range(3)), ("small", b"small")]:
        try:
            got = s3.get_object(Bucket="photos", Key=key)["Body"].read()
        except (BotoCoreError, ClientError):
            continue
        assert got == body, key
        read += 1
    return read


def test_a_damaged_catalogue_is_one_line_or_does_no_harm(folder, tmp_path, once):
    """redb may panic on it: whoever reads the log must not see that."""
    catalogue, refused, whole = folder / "strongroom.redb", 0, 0
    before = blobs(folder)
    for number, (name, content) in enumerate(damages(catalogue)):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(folder, copy)
        (copy / "strongroom.redb").write_bytes(content)
        command = [BINARY, "--listen", "127.0.0.1:0", "--data", copy]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"TMPDIR": str(tmp_path)})

        line = process.stdout.readline()
        if line.startswith("Ready. "):
            read = reads(line.split("//")[1].strip(), once)
            process.terminate()
            _, error = process.communicate(timeout=20)
            assert (process.returncode, "panicked" in error) == (0, False), (name, error)
            # What was not read was told.
            assert (read == 4) == (error == ""), (name, read, error)
            whole += read == 4
        else:
            _, error = process.communicate(timeout=20)
            assert (process.returncode, error.count("\n")) == (1, 1), (name, error)
            assert "strongroom.redb` is damaged: " in error, (name, error)
            refused += 1
        assert [path.name for path in blobs(copy)] == [path.name for path in before], name
        shutil.rmtree(copy)
    assert refused > 20 and whole > 5
