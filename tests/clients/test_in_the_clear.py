"""Nothing that must be secret lies in the clear: not on the disk, not in the temporary folder, not in the log at any level."""

import base64
import hashlib
import http.client
import time
import urllib.parse

import pytest
from conftest import Server

KEY = b"a customer's own key of 32 bytes"
MARKER = b"a marker that must not lie in the clear"
SECRET = "a-secret-that-only-ever-signs"
LARGE = bytes(100_000) + MARKER + bytes(100_000)
SEALED = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}


@pytest.fixture(params=["durable", "ephemeral"])
def server(request, tmp_path):
    running = Server(tmp_path, "--log", "trace", durable=request.param == "durable", secret=SECRET)
    running.client("http").create_bucket(Bucket="marked")
    yield running
    running.stop()


def forms(secret):
    """A secret as somebody might have written it."""
    encoded = base64.b64encode(secret)
    listed = ", ".join(map(str, secret)).encode()
    return [secret, secret.hex().encode(), secret.hex().upper().encode(), encoded, encoded.rstrip(b"="), base64.urlsafe_b64encode(secret), listed]


def search(server):
    """Every file under the server's home that holds a secret, with the secret."""
    server.log.flush()
    hidden = [form for secret in (MARKER, KEY, SECRET.encode()) for form in forms(secret)]
    root = server.folder / "root.key"
    hidden_root = forms(root.read_bytes()) if root.exists() else []
    found = []
    for path in [path for path in server.home.rglob("*") if path.is_file()]:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # staged, and published meanwhile
            continue
        found += [(path, form) for form in hidden + (hidden_root if path != root else []) if form in content]
    return found


def staged(server):
    """Whether something of an upload lies in staging. A file may go between its name and the look at it."""
    for path in server.home.rglob("staging/*"):
        try:
            if path.stat().st_size > 0:
                return True
        except FileNotFoundError:
            continue
    return False


def test_the_search_finds_what_lies_in_the_clear(server):
    for form in forms(KEY):
        (server.home / "leak").write_bytes(b"x" + form + b"y")
        assert [path for path, _ in search(server)][:1] == [server.home / "leak"]


@pytest.mark.parametrize("size", ["small", "large"])
def test_objects_and_keys_stay_hidden_in_every_mode(server, scheme, size):
    body = MARKER if size == "small" else LARGE
    s3 = server.client(scheme)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    other = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY[::-1]}
    source = {f"CopySource{name}": value for name, value in SEALED.items()}

    s3.put_object(Bucket="marked", Key="plain", Body=body)
    s3.put_object(Bucket="marked", Key="asked", Body=body, ServerSideEncryption="AES256")
    s3.put_bucket_encryption(Bucket="marked", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket="marked", Key="default", Body=body)
    s3.put_object(Bucket="marked", Key="sealed", Body=body, **SEALED)
    s3.copy_object(Bucket="marked", Key="open", CopySource="marked/sealed", **source)
    s3.copy_object(Bucket="marked", Key="again", CopySource="marked/sealed", **source, **other)

    for key, secret in {"plain": {}, "asked": {}, "default": {}, "sealed": SEALED, "open": {}, "again": other}.items():
        assert s3.get_object(Bucket="marked", Key=key, **secret)["Body"].read() == body
    with pytest.raises(s3.exceptions.ClientError):
        s3.get_object(Bucket="marked", Key="sealed", **other)
    assert (server.home / "log").stat().st_size > 0
    assert search(server) == []


@pytest.mark.parametrize("secret", [{}, SEALED], ids=["sse-s3", "sse-c"])
def test_an_upload_that_is_cut_midway_leaves_nothing_to_read(server, secret):
    url = server.client("http").generate_presigned_url("put_object", {"Bucket": "marked", "Key": "cut", **secret}, ExpiresIn=60)
    address = urllib.parse.urlsplit(url)
    headers = {"Content-Length": 4_000_000}
    if secret:
        md5 = base64.b64encode(hashlib.md5(KEY).digest()).decode()
        names = ["algorithm", "key", "key-MD5"]
        values = ["AES256", base64.b64encode(KEY).decode(), md5]
        headers |= {f"x-amz-server-side-encryption-customer-{name}": value for name, value in zip(names, values)}
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.putrequest("PUT", f"{address.path}?{address.query}")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(LARGE * 10)

    deadline = time.monotonic() + 10
    while not staged(server):
        assert time.monotonic() < deadline, "nothing was staged"
        time.sleep(0.02)
    assert search(server) == []
    connection.close()
    while staged(server):
        assert time.monotonic() < deadline, "a cut upload stays in staging"
        time.sleep(0.02)
    assert search(server) == []
    assert "Contents" not in server.client("http").list_objects_v2(Bucket="marked")
