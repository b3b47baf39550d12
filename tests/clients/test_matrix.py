"""boto3 and the aws CLI in every mode and by every way that they know: what comes back is what went in, and what lies at rest is
sealed as it was asked.

The server is as strict as AWS: plain HTTP is for SSE-S3 alone. JavaScript's part is in `js/`.
"""

import base64
import hashlib
import itertools
import json

import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import Server
from searching import KEY, MARKER, search

BODY = MARKER * 5_000
PART = MARKER * 140_000
PARTS = [PART, MARKER]
FIRST, LAST = 65_530, 65_545
CUSTOMERS = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
# What is asked of a key that each server makes, and how its mode is called where it is stored.
MODES = {
    "sse-s3": ({"ServerSideEncryption": "AES256"}, "SSE-S3"),
    "sse-kms": ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/app"}, "SSE-KMS"),
    "bucket-key": ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/app", "BucketKeyEnabled": True}, "SSE-KMS"),
    "dsse-kms": ({"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": "alias/app"}, "DSSE-KMS"),
    "sse-c": (CUSTOMERS, "SSE-C"),
}
ALLOWED = [("https", mode) for mode in MODES] + [("http", "sse-s3")]
NUMBERS = itertools.count()


def reading(mode):
    """What a read, and every call for a part, brings."""
    return CUSTOMERS if mode == "sse-c" else {}


def of_source(mode):
    return {f"CopySource{name}": value for name, value in reading(mode).items()}


class Boto3:
    """boto3, and `requests` for what it signs."""

    def __init__(self, server, scheme, _home):
        self.s3 = server.client(scheme, config=Config(signature_version="s3v4"))
        self.trust = {"verify": str(server.ca)} if scheme == "https" else {}

    def put(self, at, body, asked):
        self.s3.put_object(**at, Body=body, **asked)

    def put_parts(self, at, parts, mode):
        upload = {**at, "UploadId": self.s3.create_multipart_upload(**at, **MODES[mode][0])["UploadId"]}
        sent = []
        for number, part in enumerate(parts, start=1):
            tag = self.s3.upload_part(**upload, PartNumber=number, Body=part, **reading(mode))["ETag"]
            sent.append({"PartNumber": number, "ETag": tag})
        self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": sent}, **reading(mode))

    def get(self, at, mode, **more):
        return self.s3.get_object(**at, **reading(mode), **more)["Body"].read()

    def copy(self, at, source, source_mode, asked):
        self.s3.copy_object(**at, CopySource=source, **of_source(source_mode), **asked)

    def get_by_url(self, at, mode):
        url = self.s3.generate_presigned_url("get_object", {**at, **reading(mode)}, ExpiresIn=60)
        return requests.get(url, headers=headers_of(reading(mode)), timeout=10, **self.trust).content

    def put_by_url(self, at, body, asked):
        url = self.s3.generate_presigned_url("put_object", {**at, **asked}, ExpiresIn=60)
        answer = requests.put(url, data=body, headers=headers_of(asked), timeout=10, **self.trust)
        assert answer.status_code == 200, answer.text


class AwsCli:
    """The aws CLI; `s3api` where `s3 cp` has no option for a mode."""

    def __init__(self, server, scheme, home):
        self.server, self.scheme, self.home, self.trust = server, scheme, home, {"verify": str(server.ca)} if scheme == "https" else {}
        # In us-east-1 it still signs URLs by version 2, by which AWS opens nothing that is under a KMS key.
        (home / ".aws").mkdir()
        (home / ".aws" / "config").write_text("[default]\ns3 =\n  signature_version = s3v4\n")

    def run(self, *arguments):
        return self.server.aws(self.scheme, *arguments, home=self.home)

    def api(self, operation, at, *arguments):
        told = self.run("s3api", operation, "--bucket", at["Bucket"], "--key", at["Key"], *arguments)
        return json.loads(told) if told else {}

    def file(self, content=b""):
        path = self.home / f"file-{next(NUMBERS)}"
        path.write_bytes(content)
        return path

    def options(self, asked):
        """`ServerSideEncryption` is `--server-side-encryption`; a key is a file of bytes, since an argument is text."""
        names = {
            "ServerSideEncryption": "--server-side-encryption",
            "SSEKMSKeyId": "--ssekms-key-id",
            "BucketKeyEnabled": "--bucket-key-enabled",
            "SSECustomerAlgorithm": "--sse-customer-algorithm",
            "SSECustomerKey": "--sse-customer-key",
            "CopySourceSSECustomerAlgorithm": "--copy-source-sse-customer-algorithm",
            "CopySourceSSECustomerKey": "--copy-source-sse-customer-key",
        }
        values = {True: [], KEY: [f"fileb://{self.file(KEY)}"]}
        return [word for name, value in asked.items() for word in [names[name], *values.get(value, [value])]]

    def put(self, at, body, asked):
        self.api("put-object", at, "--body", self.file(body), *self.options(asked))

    def put_parts(self, at, parts, mode):
        upload = self.api("create-multipart-upload", at, *self.options(MODES[mode][0]))["UploadId"]
        sent = []
        for number, part in enumerate(parts, start=1):
            arguments = ["--upload-id", upload, "--part-number", number, "--body", self.file(part), *self.options(reading(mode))]
            sent.append({"PartNumber": number, "ETag": self.api("upload-part", at, *arguments)["ETag"]})
        arguments = ["--upload-id", upload, "--multipart-upload", json.dumps({"Parts": sent}), *self.options(reading(mode))]
        self.api("complete-multipart-upload", at, *arguments)

    def get(self, at, mode, **more):
        back = self.file()
        ranges = ["--range", more["Range"]] if more else []
        self.api("get-object", at, *ranges, *self.options(reading(mode)), back)
        return back.read_bytes()

    def copy(self, at, source, source_mode, asked):
        self.api("copy-object", at, "--copy-source", source, *self.options(of_source(source_mode)), *self.options(asked))

    def get_by_url(self, at, mode):
        url = self.run("s3", "presign", f"s3://{at['Bucket']}/{at['Key']}", "--expires-in", "60").strip()
        return requests.get(url, timeout=10, **self.trust).content


CLIENTS = {"boto3": Boto3, "aws-cli": AwsCli}


def headers_of(asked):
    """The headers that go with a URL that was signed with them."""
    sse = "x-amz-server-side-encryption"
    if "SSECustomerKey" in asked:
        md5 = base64.b64encode(hashlib.md5(KEY).digest()).decode()
        return {f"{sse}-customer-algorithm": "AES256", f"{sse}-customer-key": base64.b64encode(KEY).decode(), f"{sse}-customer-key-MD5": md5}
    names = {"ServerSideEncryption": sse, "SSEKMSKeyId": f"{sse}-aws-kms-key-id", "BucketKeyEnabled": f"{sse}-bucket-key-enabled"}
    return {names[name]: "true" if value is True else value for name, value in asked.items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("matrix"), "--strict-tls", "--kms-key", "alias/app", "--log", "trace")
    yield running
    assert search(running) == []
    running.stop()


@pytest.fixture(params=ALLOWED, ids="-".join)
def combination(request):
    return request.param


@pytest.fixture
def mode(combination):
    return combination[1]


@pytest.fixture
def at(bucket):
    return {"Bucket": bucket, "Key": "a folder/the key"}


@pytest.fixture(params=CLIENTS)
def client(server, combination, tmp_path, request):
    return CLIENTS[request.param](server, combination[0], tmp_path)


def assert_sealed(server, at, mode, sizes):
    """As the mode wants it, in blobs of these plaintexts, none of which holds a word of them."""
    told = requests.get(f"{server.uri('http')}/_emulator/stored", params={"bucket": at["Bucket"], "key": at["Key"], "raw": "true"}, timeout=10)
    facts = told.json()
    asked, name = MODES[mode]
    assert facts["mode"] == name
    assert facts["kms_key_aliases"] == ([asked["SSEKMSKeyId"]] if "SSEKMSKeyId" in asked else [])
    assert (facts["bucket_key"] is not None) == asked.get("BucketKeyEnabled", False)
    assert [blob["size_bytes"] for blob in facts["blobs"]] == sizes
    for blob in facts["blobs"]:
        on_disk = (server.folder / blob["place"]).read_bytes() if blob["place"] != "catalogue" else base64.b64decode(blob["raw"])
        assert on_disk == base64.b64decode(blob["raw"])
        assert MARKER not in on_disk


def test_a_whole_object(server, client, mode, at):
    client.put(at, BODY, MODES[mode][0])

    assert client.get(at, mode) == BODY
    assert_sealed(server, at, mode, [len(BODY)])


def test_a_range(client, mode, at):
    client.put(at, BODY, MODES[mode][0])

    assert client.get(at, mode, Range=f"bytes={FIRST}-{LAST}") == BODY[FIRST : LAST + 1]


def test_an_object_in_parts(server, client, mode, at):
    client.put_parts(at, PARTS, mode)

    assert client.get(at, mode) == b"".join(PARTS)
    assert client.get(at, mode, Range=f"bytes={len(PART) - 5}-{len(PART) + 4}") == PART[-5:] + MARKER[:5]
    assert_sealed(server, at, mode, [len(part) for part in PARTS])


def test_a_copy_out_of_the_mode_and_back(server, client, mode, at):
    asked = MODES[mode][0]
    plainly, again = ({**at, "Key": name} for name in ("plainly", "again"))
    client.put(at, BODY, asked)

    client.copy(plainly, f"{at['Bucket']}/{at['Key']}", mode, {})
    client.copy(again, f"{at['Bucket']}/plainly", "sse-s3", asked)

    assert client.get(plainly, "sse-s3") == client.get(again, mode) == BODY
    assert_sealed(server, plainly, "sse-s3", [len(BODY)])
    assert_sealed(server, again, mode, [len(BODY)])


def test_a_presigned_read(client, mode, at):
    client.put(at, BODY, MODES[mode][0])

    got = client.get_by_url(at, mode)

    if isinstance(client, AwsCli) and mode == "sse-c":
        # `aws s3 presign` signs no header, and so no key.
        assert b"<Code>InvalidRequest</Code>" in got
    else:
        assert got == BODY


def test_a_presigned_write(server, combination, mode, at, tmp_path):
    """The aws CLI signs none."""
    client = Boto3(server, combination[0], tmp_path)

    client.put_by_url(at, BODY, MODES[mode][0])

    assert client.get(at, mode) == BODY
    assert_sealed(server, at, mode, [len(BODY)])


@pytest.mark.parametrize("mode", ["sse-kms", "bucket-key", "dsse-kms", "sse-c"])
def test_plain_http_gets_the_refusal_of_aws(server, mode, bucket, once):
    s3, secure = server.client("http", config=once), server.client("https")
    at = {"Bucket": bucket, "Key": "key"}
    secure.put_object(**at, Body=BODY, **MODES[mode][0])

    with pytest.raises(ClientError) as written:
        s3.put_object(Bucket=bucket, Key="other", Body=BODY, **MODES[mode][0])
    with pytest.raises(ClientError) as read:
        s3.get_object(**at, **reading(mode))

    assert [refused.value.response["Error"]["Code"] for refused in (written, read)] == ["InvalidArgument"] * 2
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["key"]
