"""compose.yaml as it stands, but for the client's image: no registry is asked, so that it is made of this machine's files."""

import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile

import pytest
from conftest import ROOT, client, docker

VENV = pathlib.Path(sys.prefix)
LETTER = os.urandom(300_000)


def import_client():
    """An image of nothing but the links of a merged /usr: folders of this machine are mounted into it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in ("bin", "lib", "lib64"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            tar.addfile(link)
    subprocess.run(["docker", "import", "-", "client"], input=archive.getvalue(), check=True, capture_output=True)


class Stack:
    """What compose.yaml describes."""

    def __init__(self, command, home):
        import_client()
        folders = {"/usr", sys.base_prefix, str(VENV)}
        mounts = [f"{folder}:{folder}:ro" for folder in sorted(folders)]
        here = {"image": "client", "entrypoint": [str(VENV / "bin" / "aws")], "volumes": mounts}
        (home / "client.json").write_text(json.dumps({"services": {"client": here}}))
        files = ["--file", "compose.yaml", "--file", str(home / "client.json")]
        self.command = [*command, "--project-directory", str(ROOT), "--project-name", "image-test", *files]

    def compose(self, *arguments):
        # An empty port takes any that is free.
        environment = {**os.environ, "STRONGROOM_PORT": ""}
        command = [*self.command, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def up(self):
        """Starts both; the client once the server is healthy."""
        self.compose("up", "--detach")
        self.address = self.compose("port", "strongroom", "4566")

    def client_said(self):
        container = self.compose("ps", "--all", "--quiet", "client")
        status = docker("wait", container)
        said = docker("logs", container, check=False)
        assert status == "0", said.stderr
        return said.stdout


@pytest.fixture(scope="module")
def stack(compose_command, tmp_path_factory):
    stack = Stack(compose_command, tmp_path_factory.mktemp("stack"))
    stack.up()
    yield stack
    stack.compose("down", "--volumes")


def test_a_client_that_waits_for_health_finds_the_seed(stack):
    assert stack.client_said() == "Put by the seed, under alias/app.\n"


def test_buckets_and_the_seed_are_there_from_outside(stack):
    s3 = client(stack.address)
    seed = json.loads((ROOT / "docs" / "compose" / "init" / "seed.json").read_text())

    names = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    head = s3.head_object(Bucket="photos", Key="notes/welcome.txt")

    assert names == {"letters", "photos", "reports"}
    assert head["ContentType"] == "text/plain"
    assert head["SSEKMSKeyId"].endswith(f":key/{seed['kms_keys'][0]['id']}")


def test_what_was_put_from_outside_is_there_after_a_restart_on_the_volume(stack):
    asked = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/app"}
    client(stack.address).put_object(Bucket="letters", Key="long", Body=LETTER, **asked)

    stack.compose("down")
    stack.up()

    assert client(stack.address).get_object(Bucket="letters", Key="long")["Body"].read() == LETTER
