"""A server of the release binary for each test module, and clients of it over HTTP and HTTPS."""

import atexit
import base64
import os
import pathlib
import re
import subprocess
import sys

import boto3
import pytest
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "release" / "strongroom"
AWS = pathlib.Path(sys.executable).parent / "aws"


class Server:
    """A running server; under its home lie its data folder, unless it has another one, its temporary folder, and all that it
    logged. What it runs `under` is a command that becomes it."""

    def __init__(self, home, *arguments, durable=True, secret="test", root_key=None, folder=None, under=()):
        self.home, self.folder, self.ca, self.secret = home, folder or home / "data", home / "ca.pem", secret
        (home / "tmp").mkdir(parents=True)
        self.log = open(home / "log", "w+b")
        command = [*under, BINARY, "--listen", "127.0.0.1:0", "--ca-out", self.ca, "--secret-key", secret, *arguments]
        command += ["--data", self.folder] if durable else []
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "STRONGROOM_"))}
        clean["TMPDIR"] = str(home / "tmp")
        if root_key:
            clean["STRONGROOM_ROOT_KEY"] = base64.b64encode(root_key).decode()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, env=clean, text=True)
        # A test that fails stops nothing.
        atexit.register(self.process.kill)
        line = self.process.stdout.readline()
        assert line.startswith("Ready. http://"), line
        self.address = line.split("//")[1].strip()

    def uri(self, scheme):
        return f"{scheme}://{self.address}"

    def client(self, scheme, service="s3", **options):
        trust = {"verify": str(self.ca)} if scheme == "https" else {}
        options = {"aws_access_key_id": "test", "aws_secret_access_key": self.secret, "region_name": "us-east-1", **options}
        return boto3.client(service, endpoint_url=self.uri(scheme), **trust, **options)

    def aws(self, scheme, *arguments, check=True, home=None):
        """Runs the aws CLI; gives its output, or the whole result where it may fail."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home or self.home),
            "AWS_ENDPOINT_URL": self.uri(scheme),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CA_BUNDLE": str(self.ca),
        }
        done = subprocess.run([AWS, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False)
        if not check:
            return done
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0
        self.log.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"), "--log", "trace")
    yield running
    running.stop()


@pytest.fixture(params=["http", "https"])
def scheme(request):
    return request.param


@pytest.fixture
def bucket(server, request):
    """A bucket of the test's own."""
    name = "test-" + "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:50].rstrip("-")
    server.client("http").create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3(server, scheme):
    return server.client(scheme)


@pytest.fixture
def once():
    return Config(retries={"max_attempts": 1})


@pytest.fixture
def shell(server, tmp_path):
    """Runs commands in one bash and gives the status and the output of each; `cargo run --` is the release binary."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "aws").symlink_to(AWS)
    (programs / "cargo").write_text(f'#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec {BINARY} "$@"\n')
    (programs / "cargo").chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path), "STRONGROOM_LISTEN": server.address}

    def run(lines):
        script = "".join(f"{line}\necho \"END $?\"\n" for line in lines)
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(["bash", "-c", script], env=environment, cwd=tmp_path, check=True, **streams)
        parts = re.split(r"END (\d+)\n", done.stdout)
        return list(zip(map(int, parts[1::2]), parts[0::2]))

    return run
