"""The aws CLI, as people type it. It sends what is larger than 8 MiB in parts."""

import base64
import hashlib
import json
import os

import pytest
import requests

KEY = bytes(range(32))


@pytest.fixture
def home(tmp_path):
    """A home without any setting."""
    return tmp_path


def test_files_of_200_mib_go_there_and_back(server, scheme, bucket, home):
    big = home / "big"
    big.write_bytes(hashlib.shake_128(b"noise").digest(200 * 1024 * 1024))

    server.aws(scheme, "s3", "cp", big, f"s3://{bucket}/dir/big", "--no-progress", home=home)
    listed = server.aws(scheme, "s3", "ls", f"s3://{bucket}/dir/", home=home)
    server.aws(scheme, "s3", "cp", f"s3://{bucket}/dir/big", home / "back", "--no-progress", home=home)

    assert listed.split()[2:] == ["209715200", "big"]
    assert (home / "back").read_bytes() == big.read_bytes()


def test_folders_are_synced_and_removed(server, scheme, bucket, home):
    folder = home / "folder"
    for name in ["a.txt", "sub/b.html"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)

    server.aws(scheme, "s3", "sync", folder, f"s3://{bucket}", home=home)
    head = json.loads(server.aws(scheme, "s3api", "head-object", "--bucket", bucket, "--key", "sub/b.html"))
    server.aws(scheme, "s3", "rm", f"s3://{bucket}", "--recursive", home=home)

    assert (head["ContentType"], head["ServerSideEncryption"]) == ("text/html", "AES256")
    assert server.aws(scheme, "s3", "ls", f"s3://{bucket}") == ""


@pytest.mark.parametrize("mode", ["SSE-KMS", "SSE-C"])
def test_folders_are_synced_under_a_key_there_and_back(server, scheme, bucket, home, mode):
    contents = {"small": b"small", "sub/large": hashlib.shake_128(b"noise").digest(9_000_000)}
    for name, content in contents.items():
        (home / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "folder" / name).write_bytes(content)
        # S3 tells whole seconds: what was written in the second of its upload would count as newer.
        os.utime(home / "folder" / name, (1_700_000_000, 1_700_000_000))
    (home / "key").write_bytes(KEY)
    key = server.client(scheme, "kms").create_key()["KeyMetadata"]["Arn"]
    customers = ["--sse-c", "AES256", "--sse-c-key", f"fileb://{home}/key"]
    writing, reading = (customers, customers) if mode == "SSE-C" else (["--sse", "aws:kms", "--sse-kms-key-id", key], [])

    there = f"{scheme}/{mode}"
    server.aws(scheme, "s3", "sync", home / "folder", f"s3://{bucket}/{there}", "--no-progress", *writing, home=home)
    again = server.aws(scheme, "s3", "sync", home / "folder", f"s3://{bucket}/{there}", *writing, home=home)
    server.aws(scheme, "s3", "sync", f"s3://{bucket}/{there}", home / "back", "--no-progress", *reading, home=home)

    assert again == ""
    for name, content in contents.items():
        told = requests.get(f"{server.uri('http')}/_emulator/stored", params={"bucket": bucket, "key": f"{there}/{name}"}, timeout=10).json()
        assert (told["mode"], told["kms_key_arn"]) == (mode, key if mode == "SSE-KMS" else None)
        assert (home / "back" / name).read_bytes() == content


def test_customer_keys(server, scheme, bucket, home):
    (home / "body").write_text("secret")
    (home / "key").write_bytes(KEY)
    (home / "other").write_bytes(bytes(32))
    at = ["--bucket", bucket, "--key", "sealed", "--sse-customer-algorithm", "AES256"]

    server.aws(scheme, "s3api", "put-object", *at, "--sse-customer-key", f"fileb://{home}/key", "--body", home / "body")
    got = server.aws(scheme, "s3api", "get-object", *at, "--sse-customer-key", f"fileb://{home}/key", home / "back")
    wrong = server.aws(scheme, "s3api", "get-object", *at, "--sse-customer-key", f"fileb://{home}/other", home / "no", check=False)

    assert (home / "back").read_text() == "secret"
    assert json.loads(got)["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(KEY).digest()).decode()
    assert "AccessDenied" in wrong.stderr


def test_copies_take_off_and_change_customer_keys(server, scheme, bucket, home):
    (home / "body").write_text("secret")
    (home / "key").write_bytes(KEY)
    (home / "other").write_bytes(bytes(32))
    sealed = ["--sse-c", "AES256", "--sse-c-key", f"fileb://{home}/key"]
    source = ["--sse-c-copy-source", "AES256", "--sse-c-copy-source-key", f"fileb://{home}/key"]
    other = ["--sse-c", "AES256", "--sse-c-key", f"fileb://{home}/other"]
    at = f"s3://{bucket}"

    server.aws(scheme, "s3", "cp", home / "body", f"{at}/sealed", *sealed, home=home)
    server.aws(scheme, "s3", "cp", f"{at}/sealed", f"{at}/open", *source, home=home)
    server.aws(scheme, "s3", "cp", f"{at}/sealed", f"{at}/again", *source, *other, home=home)
    refused = server.aws(scheme, "s3", "cp", f"{at}/again", home / "no", *sealed, home=home, check=False)

    assert server.aws(scheme, "s3", "cp", f"{at}/open", "-", home=home) == "secret"
    assert server.aws(scheme, "s3", "cp", f"{at}/again", "-", *other, home=home) == "secret"
    assert "403" in refused.stderr


def test_sse_s3_is_answered_when_it_is_asked_for(server, scheme, bucket, home):
    (home / "body").write_text("hello")
    at = ["--bucket", bucket, "--key", "key"]

    put = json.loads(server.aws(scheme, "s3api", "put-object", *at, "--body", home / "body", "--server-side-encryption", "AES256"))
    head = json.loads(server.aws(scheme, "s3api", "head-object", *at))

    assert put["ETag"] == head["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    assert put["ServerSideEncryption"] == head["ServerSideEncryption"] == "AES256"


def test_pages_are_listed_and_deleted(server, scheme, bucket):
    s3 = server.client(scheme)
    names = [f"dir/{index}" for index in range(7)]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"")
    delete = json.dumps({"Objects": [{"Key": name} for name in names[:6]]})

    pages = server.aws(scheme, "s3api", "list-objects-v2", "--bucket", bucket, "--page-size", 3, "--query", "Contents[].Key")
    first = json.loads(server.aws(scheme, "s3api", "list-objects-v2", "--bucket", bucket, "--max-items", 2))
    deleted = json.loads(server.aws(scheme, "s3api", "delete-objects", "--bucket", bucket, "--delete", delete))

    assert json.loads(pages) == names
    assert ([item["Key"] for item in first["Contents"]], "NextToken" in first) == (names[:2], True)
    assert [item["Key"] for item in deleted["Deleted"]] == names[:6]
    assert server.aws(scheme, "s3", "ls", f"s3://{bucket}/dir/").split()[3:] == ["6"]


def test_default_encryption(server, scheme, bucket):
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}

    server.aws(scheme, "s3api", "put-bucket-encryption", "--bucket", bucket, "--server-side-encryption-configuration", json.dumps(rules))
    got = json.loads(server.aws(scheme, "s3api", "get-bucket-encryption", "--bucket", bucket))

    assert got["ServerSideEncryptionConfiguration"] == rules


def test_presigned_urls(server, bucket, home):
    import urllib.request

    (home / "body").write_text("hello")
    server.aws("http", "s3", "cp", home / "body", f"s3://{bucket}/key", home=home)

    url = server.aws("http", "s3", "presign", f"s3://{bucket}/key", "--expires-in", "60").strip()

    assert urllib.request.urlopen(url).read() == b"hello"


def test_a_bucket_is_made_and_removed(server, scheme):
    name = f"made-by-the-cli-{scheme}"

    server.aws(scheme, "s3", "mb", f"s3://{name}")
    assert name in server.aws(scheme, "s3", "ls")
    server.aws(scheme, "s3", "rb", f"s3://{name}")

    assert name not in server.aws(scheme, "s3", "ls")


@pytest.mark.parametrize("mode", ["AES256", "aws:kms", "aws:kms:dsse"])
def test_files_in_parts_are_encrypted_in_every_mode(server, scheme, bucket, home, mode):
    big = home / "big"
    big.write_bytes(hashlib.shake_128(b"parts").digest(20 * 1024 * 1024 + 1))
    # `s3 cp --sse` knows no aws:kms:dsse; a bucket's default does.
    rule = f"Rules=[{{ApplyServerSideEncryptionByDefault={{SSEAlgorithm={mode}}}}}]"
    configuration = ["--server-side-encryption-configuration", rule]

    server.aws(scheme, "s3api", "put-bucket-encryption", "--bucket", bucket, *configuration)
    server.aws(scheme, "s3", "cp", big, f"s3://{bucket}/big", "--no-progress", home=home)
    head = json.loads(server.aws(scheme, "s3api", "head-object", "--bucket", bucket, "--key", "big"))
    server.aws(scheme, "s3", "cp", f"s3://{bucket}/big", home / "back", "--no-progress", home=home)

    assert head["ServerSideEncryption"] == mode
    assert head["ETag"].endswith('-3"')
    assert (home / "back").read_bytes() == big.read_bytes()
