"""Containers as people run them."""

import time

import pytest
from conftest import MOST_SECONDS, docker, inspect

KEY = b"a customer's own key of 32 bytes"


def put_and_get(s3, key="cat", body=b"meow", **asked):
    s3.put_object(Bucket="photos", Key=key, Body=body, **asked)
    return s3.get_object(Bucket="photos", Key=key)["Body"].read()


def health(container):
    return inspect(container.id)["State"]["Health"]["Status"]


def test_it_serves_without_a_volume(run):
    container = run("--env", "STRONGROOM_BUCKET=photos")

    assert put_and_get(container.client(), body=bytes(3_000_000)) == bytes(3_000_000)


def test_it_becomes_healthy_by_itself(run):
    container = run()
    deadline = time.monotonic() + MOST_SECONDS

    while health(container) == "starting" and time.monotonic() < deadline:
        time.sleep(0.1)

    assert health(container) == "healthy"


def test_its_healthcheck_tells_whether_somebody_answers(run):
    container = run()

    here = container.strongroom("healthcheck")
    nobody = container.strongroom("healthcheck", "--endpoint", "http://127.0.0.1:1")

    assert here.returncode == 0, here.stderr
    assert nobody.returncode == 1
    assert nobody.stderr.startswith("strongroom: cannot ask 127.0.0.1:1")


def test_a_fresh_volume_is_written_without_root_and_read_by_the_next_container(run, volume):
    keeping = ["--volume", f"{volume}:/data", "--env", "STRONGROOM_DATA=/data", "--env", "STRONGROOM_BUCKET=photos"]
    first = run(*keeping)
    assert put_and_get(first.client()) == b"meow"
    assert first.stop() == 0

    second = run(*keeping)

    assert second.client().get_object(Bucket="photos", Key="cat")["Body"].read() == b"meow"


def test_a_seed_with_a_mistake_ends_it_with_the_line(tmp_path):
    (tmp_path / "seed.json").write_text('{\n  "buckets": [{ "name": "No" }]\n}')
    tmp_path.chmod(0o755)

    done = docker("run", "--rm", "--volume", f"{tmp_path}:/init:ro", "strongroom", check=False)

    assert done.returncode == 1
    assert "/init/seed.json" in done.stderr
    assert "line 2" in done.stderr


def test_any_user_may_run_it_and_nothing_but_a_temporary_folder_is_written(run):
    container = run("--user", "12345:12345", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--env", "STRONGROOM_BUCKET=photos")

    assert put_and_get(container.client(), body=bytes(100_000)) == bytes(100_000)


def test_https_answers_at_the_same_port(run, volume, tmp_path):
    container = run("--volume", f"{volume}:/data", "--env", "STRONGROOM_DATA=/data", "--env", "STRONGROOM_BUCKET=photos")
    docker("cp", f"{container.id}:/data/tls/ca.pem", tmp_path / "ca.pem")
    s3 = container.client(scheme="https", verify=str(tmp_path / "ca.pem"))

    s3.put_object(Bucket="photos", Key="cat", Body=b"meow", SSECustomerAlgorithm="AES256", SSECustomerKey=KEY)

    assert s3.get_object(Bucket="photos", Key="cat", SSECustomerAlgorithm="AES256", SSECustomerKey=KEY)["Body"].read() == b"meow"


def test_a_container_finds_another_by_its_name(run):
    """Which a static binary asks of the network's own name server, with no library to load."""
    network = docker("network", "create", "names")
    named = run("--network", network, "--name", "vault", "--env", "STRONGROOM_BUCKET=photos")
    put_and_get(named.client(), ServerSideEncryption="AES256")

    asking = docker("run", "--rm", "--network", network, "strongroom", "inspect", "photos/cat", "--endpoint", "http://vault:4566")

    assert "SSE-S3" in asking


def test_it_stops_well_when_it_is_told_to(run):
    container = run()

    assert container.stop() == 0


@pytest.mark.parametrize("setting, said", [("STRONGROOM_LISTEN=nowhere", "--listen <ADDR:PORT>"), ("STRONGROOM_BUCKET=No", "bucket `No`")])
def test_a_bad_setting_ends_it_with_what_is_wrong(setting, said):
    done = docker("run", "--rm", "--env", setting, "strongroom", check=False)

    assert done.returncode != 0
    assert said in done.stderr
