"""What the image holds and says of itself."""

import re
import subprocess
import tarfile
import tomllib

import pytest
from conftest import ROOT, docker, inspect

MOST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def image():
    return inspect("strongroom")


@pytest.fixture(scope="module")
def files():
    """Each file in it by its name, but for what the daemon adds to any container."""
    container = docker("create", "strongroom")
    with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
        with tarfile.open(fileobj=export.stdout, mode="r|") as archive:
            found = {member.name: member for member in archive}
    docker("rm", container)
    added = ("dev", "etc", "proc", "sys", ".dockerenv")
    return {name: member for name, member in found.items() if name.split("/")[0] not in added}


def test_it_is_under_15_mb(image):
    assert 1_000_000 < image["Size"] < MOST_BYTES


def test_it_holds_the_binary_and_two_empty_folders(files):
    assert sorted(files) == ["bin", "bin/strongroom", "data", "tmp"]


def test_the_user_owns_the_folder_for_the_volume_and_nothing_else(files):
    owned = {name for name, member in files.items() if (member.uid, member.gid) == (10001, 10001)}

    assert owned == {"data"}
    assert files["tmp"].mode & 0o7777 == 0o1777


def test_it_does_not_run_as_root(image):
    assert image["Config"]["User"] == "10001:10001"


def test_its_labels_tell_what_it_is(image):
    said = docker("run", "--rm", "strongroom", "--version")
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in image["Config"]["Labels"].items()}

    assert f"strongroom {labels['version']}" == said
    assert labels["title"] == "Strongroom"
    assert labels["licenses"] == "MIT OR Apache-2.0"
    assert "S3" in labels["description"]


def test_it_names_its_port(image):
    assert list(image["Config"]["ExposedPorts"]) == ["4566/tcp"]


def test_its_build_stage_takes_the_compiler_that_the_manifest_names():
    """No registry is asked here, so that the stage itself is not built."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    compiler = re.search(r"^FROM rust:([\d.]+)-\S+ AS build$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert compiler[1] == manifest["workspace"]["package"]["rust-version"]


def test_no_processor_is_named():
    text = (ROOT / "Dockerfile").read_text()

    assert not re.search(r"x86|amd64|i[36]86|arm|aarch|riscv", text, re.IGNORECASE)
