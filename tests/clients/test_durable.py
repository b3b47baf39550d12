"""An answered write is on the disk, with the name of each file and folder that it needs: shown by the order of the system calls.

A process that is killed loses nothing that it has written, synced or not; so only the calls tell what a power cut would leave.
"""

import pathlib
import re
import signal
import subprocess

import pytest
from conftest import BINARY, Server
from tracing import FLAGS, STEPS, Disk, calls, strace

SMALL, LARGE, PART = bytes(100), bytes(100_000), bytes(5 * 1024 * 1024)


def is_answer(call):
    return not call.ended and '"HTTP/1.1 2' in call.text


def is_ready(call):
    return not call.ended and call.name == "write" and '"Ready. ' in call.text


def matters(path, folder):
    """Bodies under way and the lock may go; whoever asked for a copy of the CA keeps it where he likes."""
    return path.parent != folder / "staging" and path != folder / "lock"


def traced(home, work, *arguments, folder=None):
    """The calls of a server that answers the requests of `work`, one after the other."""
    trace = home / "trace"
    running = Server(home, *arguments, folder=folder, under=strace(*FLAGS, "-o", trace))
    work(running.client("http"))
    running.stop()
    return list(calls(trace))


def write_all(s3):
    """Every kind of write, fourteen in all."""
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="small", Body=SMALL)
    s3.put_object(Bucket="photos", Key="large", Body=LARGE)
    s3.put_object(Bucket="photos", Key="large", Body=LARGE, ServerSideEncryption="aws:kms:dsse", SSEKMSKeyId="alias/app")
    s3.copy_object(Bucket="photos", Key="copy", CopySource="photos/large")
    upload = {"Bucket": "photos", "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    parts = [s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"] for number, body in [(1, PART), (2, SMALL), (3, LARGE)]]
    wanted = [{"PartNumber": number, "ETag": parts[number - 1]} for number in (1, 2)]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": wanted})
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="photos", Key="large", Body=LARGE)["VersionId"]
    s3.delete_object(Bucket="photos", Key="large")
    s3.delete_object(Bucket="photos", Key="large", VersionId=version)


def test_nothing_is_answered_that_a_power_cut_would_take(tmp_path):
    folder = tmp_path / "deep" / "data"
    disk, at_answers, ready = Disk(tmp_path), [], None

    for call in traced(tmp_path / "home", write_all, "--kms-key", "alias/app", folder=folder):
        disk.see(call)
        if is_ready(call):
            ready = {path for path in disk.missing() if folder.parent in [path, *path.parents] and matters(path, folder)}
        if is_answer(call):
            at_answers.append({path for path in disk.missing() if matters(path, folder) and folder in path.parents})

    assert ready == set()
    assert {"root.key", "strongroom.redb", "blobs", "staging", "tls"} <= {path.name for path in disk.known}
    assert at_answers == [set()] * 14


def story(found, folder, first):
    """What was done with the folder since the call `first`, in words, repetitions left out."""
    told = []
    for call in found[first:]:
        if is_answer(call):
            return [*told, "answer"]
        words = step(call, folder) if call.ended and not call.failed else None
        if words and told[-1:] != [words]:
            told.append(words)
    return told


def step(call, folder):
    """What a call does for one body; the folder of a folder of bodies has a name of its own."""
    if call.name.startswith("rename") and folder / "blobs" in call.paths[1].parents:
        return "rename it"
    if "sync" in call.name and call.file:
        words = {folder / "staging": "sync the body", folder / "blobs": "sync the folder"}
        return "sync the catalogue" if call.file == folder / "strongroom.redb" else words.get(call.file.parent)
    return None


def test_a_large_body_is_synced_renamed_and_named_before_its_row_and_its_answer(tmp_path):
    def work(s3):
        s3.create_bucket(Bucket="photos")
        s3.put_object(Bucket="photos", Key="small", Body=SMALL)
        s3.put_object(Bucket="photos", Key="large", Body=LARGE)
        upload = s3.create_multipart_upload(Bucket="photos", Key="parts")["UploadId"]
        s3.upload_part(Bucket="photos", Key="parts", UploadId=upload, PartNumber=1, Body=LARGE)

    found = traced(tmp_path, work)

    answers = [index for index, call in enumerate(found) if is_answer(call)]
    told = [story(found, tmp_path / "data", first + 1) for first in [0, *answers[:-1]]]
    in_rows = ["sync the catalogue", "answer"]
    in_files = ["sync the body", "rename it", "sync the folder", *in_rows]
    assert told[1:] == [in_rows, in_files, in_rows, in_files]
    assert told[0][-2:] == in_rows


def test_a_replaced_body_is_removed_after_the_row_that_names_the_new_one(tmp_path):
    def work(s3):
        s3.create_bucket(Bucket="photos")
        for _ in range(2):
            s3.put_object(Bucket="photos", Key="large", Body=LARGE)

    found = traced(tmp_path, work)

    answers = [index for index, call in enumerate(found) if is_answer(call)]
    last = [call for call in found[answers[-2] :] if call.ended]
    removed = [index for index, call in enumerate(last) if call.name.startswith("unlink") and "/blobs/" in call.text]
    synced = [index for index, call in enumerate(last) if "sync" in call.name and "strongroom.redb" in call.text]
    assert len(removed) == 1
    assert synced[0] < removed[0]


def starts(home, folder):
    """Whether a server starts over a folder and keeps what it is told."""
    running = Server(home, folder=folder)
    running.client("http").create_bucket(Bucket="photos")
    running.stop()
    return True


def killed_at(home, folder, name, number):
    """Starts a server that is killed at its call of this number for this file; whether there was such a call."""
    (home / "tmp").mkdir(parents=True)
    inject = ["-P", folder / name, "-e", f"inject={STEPS}:signal=KILL:when={number}"]
    under = strace("-f", "-D", "-o", "/dev/null", "-e", f"trace={STEPS}", *inject)
    command = [*under, BINARY, "--listen", "127.0.0.1:0", "--data", folder]
    environment = {"TMPDIR": str(home / "tmp"), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True)
    if process.stdout.readline().startswith("Ready. "):
        process.terminate()
    return process.wait(20) != 0


WHOLE = ["strongroom.redb", "root.key", "tls/ca.key", "tls/ca.pem"]
MADE = [".", "lock", "blobs", "staging", "tls", *WHOLE, *(f"{name}.new" for name in WHOLE)]


@pytest.mark.parametrize("name", MADE)
def test_wherever_the_first_start_is_killed_the_next_one_starts(tmp_path, name):
    number, folder = 1, tmp_path / "data-1"
    while killed_at(tmp_path / f"killed-{number}", folder, name, number):
        assert starts(tmp_path / f"again-{number}", folder), number
        number += 1
        folder = tmp_path / f"data-{number}"

    assert number > 1


class Refusing:
    """A disk that refuses one kind of call of a running server, as long as this lasts."""

    def __init__(self, running, *which):
        self.pid, self.which = running.process.pid, which

    def __enter__(self):
        self.tracer = subprocess.Popen(strace("-f", "-q", "-o", "/dev/null", "-p", str(self.pid), *self.which), stderr=subprocess.PIPE, text=True)
        while not all(self.is_traced(thread) for thread in pathlib.Path(f"/proc/{self.pid}/task").iterdir()):
            assert self.tracer.poll() is None, self.tracer.stderr.read()

    def __exit__(self, *_):
        self.tracer.send_signal(signal.SIGINT)
        self.tracer.wait(20)

    @staticmethod
    def is_traced(thread):
        status = (thread / "status").read_text()
        return re.search(r"^TracerPid:\t0$", status, re.MULTILINE) is None


@pytest.mark.parametrize("sync", ["body", "folder", "catalogue"])
def test_a_sync_that_fails_is_an_error_and_all_else_is_served(tmp_path, sync, once):
    """EIO, as a broken disk answers it."""
    running = Server(tmp_path)
    s3 = running.client("http", config=once)
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="before", Body=LARGE)
    which = {"body": ["fdatasync"], "folder": ["fsync"], "catalogue": ["fdatasync", "-P", tmp_path / "data/strongroom.redb"]}[sync]

    with Refusing(running, "-e", f"inject={which[0]}:error=EIO", *which[1:]):
        for _ in range(2):
            with pytest.raises(s3.exceptions.ClientError, match="InternalError"):
                s3.put_object(Bucket="photos", Key="refused", Body=LARGE)
            assert s3.get_object(Bucket="photos", Key="before")["Body"].read() == LARGE
    s3.put_object(Bucket="photos", Key="after", Body=LARGE)

    assert s3.get_object(Bucket="photos", Key="after")["Body"].read() == LARGE
    listed = [found["Key"] for found in s3.list_objects_v2(Bucket="photos")["Contents"]]
    assert [key for key in listed if key != "refused"] == ["after", "before"]
    assert len([path for path in (running.folder / "blobs").rglob("*") if path.is_file()]) == len(listed)
    assert b"Input/output error" in (tmp_path / "log").read_bytes()
    running.stop()
