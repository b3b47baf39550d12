"""Containers of the image that tests/image/within has built, and boto3 from outside of them."""

import json
import pathlib
import shutil
import subprocess

import boto3
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A server that should have refused to start would run for ever.
MOST_SECONDS = 120


def docker(*arguments, check=True):
    """Gives what the client prints, or the whole result where it may fail."""
    done = subprocess.run(["docker", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=MOST_SECONDS)
    if not check:
        return done
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout.strip()


def inspect(name):
    return json.loads(docker("inspect", name))[0]


def client(address, service="s3", scheme="http", **options):
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return boto3.client(service, endpoint_url=f"{scheme}://{address}", **credentials, **options)


class Container:
    """A server in a container, at a port of this machine's; `options` are those of `docker run`."""

    def __init__(self, *options):
        published = ["--detach", "--publish", "127.0.0.1::4566"]
        self.id = docker("run", *published, *options, "strongroom")
        self.wait_until_ready()

    def wait_until_ready(self):
        """Follows its log to the line that testcontainers wait for, too."""
        following = subprocess.Popen(["docker", "logs", "--follow", self.id], stdout=subprocess.PIPE, text=True)
        with following:
            line = following.stdout.readline()
            following.terminate()
        assert line == "Ready. http://127.0.0.1:4566\n", docker("logs", self.id, check=False).stderr
        self.address = docker("port", self.id, "4566/tcp")

    def client(self, service="s3", **options):
        return client(self.address, service, **options)

    def strongroom(self, *arguments):
        """Runs the binary within."""
        return docker("exec", self.id, "strongroom", *arguments, check=False)

    def stop(self):
        """As `docker stop` does; gives its status."""
        docker("stop", self.id)
        return inspect(self.id)["State"]["ExitCode"]


@pytest.fixture
def run():
    """Runs containers, and removes them."""
    containers = []

    def run(*options):
        containers.append(Container(*options))
        return containers[-1]

    yield run
    for container in containers:
        docker("rm", "--force", container.id)


@pytest.fixture
def volume():
    """A volume that nothing has written yet. It goes with the daemon."""
    return docker("volume", "create")


@pytest.fixture(scope="session")
def compose_command():
    plugin = docker("compose", "version", check=False).returncode == 0
    return ["docker", "compose"] if plugin else [shutil.which("docker-compose")]
