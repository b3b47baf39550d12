"""The AWS SDK for JavaScript, over HTTP and HTTPS. Its tests are JavaScript too, in `js/`; Node runs them in an environment that
holds what `strongroom env` prints, and nothing else of AWS.

`run` has installed their packages under target/clients/js, whereto the tests are copied: no package lies in the tree.
"""

import os
import shlex
import shutil
import subprocess

import pytest
from conftest import BINARY, ROOT, Server
from searching import search

SOURCES = ROOT / "tests" / "clients" / "js"
INSTALLED = ROOT / "target" / "clients" / "js"
FILES = sorted(path.name for path in SOURCES.glob("*.test.js"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("js"), "--log", "trace")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def folder():
    assert (INSTALLED / "node_modules").is_dir(), "tests/clients/run installs the packages of tests/clients/js"
    for path in SOURCES.glob("*.js"):
        shutil.copy(path, INSTALLED)
    return INSTALLED


def environment(server, scheme):
    """What a shell exports that evaluates `strongroom env`."""
    tls = ["--tls", "--ca-out", server.ca] if scheme == "https" else []
    command = [BINARY, "env", "--listen", server.address, *tls]
    clean = {"PATH": os.environ["PATH"], "HOME": str(server.home)}
    lines = subprocess.run(command, env=clean, capture_output=True, text=True, check=True).stdout.splitlines()
    exported = [word.split("=", 1) for line in lines if line.startswith("export ") for word in shlex.split(line)[1:]]
    return clean | dict(exported)


@pytest.mark.parametrize("file", FILES)
def test_with_javascript(server, scheme, folder, file):
    command = ["node", "--test", "--test-reporter=spec", file]

    done = subprocess.run(command, cwd=folder, env=environment(server, scheme), capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert search(server) == []
