"""A store filled in every mode and by every way in, half of its uploads given up: no plaintext and no key lies anywhere.

What is searched is all that the server wrote, data folder, temporary folder and log, every error body that it sent, and
what its journals tell.
"""

import base64
import contextlib
import hashlib
import http.client
import itertools
import urllib.parse

import pytest
import requests
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from searching import KEY, LARGE, MARKER, SEALED, SECRET, bound_to_materials, search, server, unwrapped

__all__ = ["server"]

OTHER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY[::-1]}
PART = bytes(5 * 1024 * 1024 - len(MARKER)) + MARKER
SSE = "x-amz-server-side-encryption"


class Shop:
    """A client that keeps every error body where the search comes by, and remembers the names of what it wrote."""

    def __init__(self, server, scheme, ways):
        self.server, self.ways, self.names, self.numbers = server, ways, {}, itertools.count()
        self.s3 = server.client(scheme, config=Config(signature_version="s3v4", retries={"max_attempts": 1}))
        self.trust = {"verify": str(server.ca)} if scheme == "https" else {}
        self.errors = server.home / "errors"
        self.s3.meta.events.register("after-call.s3", self.keep_error)

    def keep_error(self, http_response, **_):
        if http_response.status_code >= 400:
            self.keep(http_response.content)

    def keep(self, body):
        with self.errors.open("ab") as errors:
            errors.write(body)

    def name(self, way):
        """The name of an object to be written, where it will be looked for afterwards."""
        name = f"{way}-{next(self.numbers)}"
        self.names[name] = way
        return {"Bucket": "marked", "Key": name}

    def brings(self, way):
        """What a read of it brings, and a part: the customer's key."""
        return {name: value for name, value in self.ways[way].items() if name.startswith("SSECustomer")}

    def put(self, way, body):
        at = self.name(way)
        self.s3.put_object(**at, Body=body, **self.ways[way])
        return at

    def copy(self, way, source, at):
        brings = {f"CopySource{name}": value for name, value in self.brings(source).items()}
        self.s3.copy_object(**self.name(way), CopySource=at, **brings, **self.ways[way])

    def post(self, way):
        """A browser's form; a second one is refused by its policy."""
        names = {"ServerSideEncryption": SSE, "SSEKMSKeyId": f"{SSE}-aws-kms-key-id", "BucketKeyEnabled": f"{SSE}-bucket-key-enabled"}
        asked = {names[name]: value for name, value in self.ways[way].items() if name in names}
        fields = {name: "true" if value is True else value for name, value in asked.items()} | customer_headers(self.brings(way))
        conditions = [{name: value} for name, value in fields.items()]
        form = self.s3.generate_presigned_post("marked", self.name(way)["Key"], Fields=fields, Conditions=conditions)
        sent = requests.post(form["url"], data=form["fields"], files={"file": LARGE}, **self.trust)
        refused = requests.post(form["url"], data=form["fields"] | {"x-amz-meta-a": "b"}, files={"file": LARGE}, **self.trust)
        assert (sent.status_code, refused.status_code) == (204, 403)
        self.keep(refused.content)

    def begin(self, way):
        at = self.name(way)
        return at | {"UploadId": self.s3.create_multipart_upload(**at, **self.ways[way])["UploadId"]}

    def part(self, way, upload, number, body):
        done = self.s3.upload_part(**upload, PartNumber=number, Body=body, **self.brings(way))
        return {"PartNumber": number, "ETag": done["ETag"]}

    def complete(self, upload, parts):
        self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})

    def upload(self, way, source, at):
        """Two uploads are completed, the second of them after it had failed; three are given up, and one stays open."""
        first = self.begin(way)
        self.complete(first, [self.part(way, first, 1, PART), self.part(way, first, 2, LARGE)])
        second = self.begin(way)
        self.fail(way, second)
        brings = {f"CopySource{name}": value for name, value in self.brings(source).items()}
        copied = self.s3.upload_part_copy(**second, PartNumber=1, CopySource=at, **brings, **self.brings(way))
        self.complete(second, [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}])
        for number in (1, 2, 3, 4):
            given_up = self.begin(way)
            self.part(way, given_up, 1, PART)
            self.part(way, given_up, 2, MARKER)
            del self.names[given_up["Key"]]
            if number < 4:
                self.s3.abort_multipart_upload(**given_up)

    def fail(self, way, upload):
        """Parts that are refused, one that is cut, and completions that are refused."""
        wrong = base64.b64encode(bytes(16)).decode()
        strange = OTHER if way == "sse-c" else SEALED
        for refused in (
            lambda: self.s3.upload_part(**upload, PartNumber=1, Body=LARGE, ContentMD5=wrong, **self.brings(way)),
            lambda: self.s3.upload_part(**upload, PartNumber=1, Body=LARGE, ChecksumCRC32="AAAAAA==", **self.brings(way)),
            lambda: self.s3.upload_part(**upload, PartNumber=1, Body=LARGE, **strange),
            lambda: self.complete(upload, [{"PartNumber": 1, "ETag": "0" * 32}]),
        ):
            with pytest.raises(ClientError):
                refused()
        self.cut(way, upload)

    def cut(self, way, upload):
        """A part of which the connection takes only the beginning."""
        url = self.s3.generate_presigned_url("upload_part", {**upload, "PartNumber": 1, **self.brings(way)}, ExpiresIn=60)
        address = urllib.parse.urlsplit(url)
        with contextlib.closing(http.client.HTTPConnection(self.server.address, timeout=10)) as connection:
            connection.putrequest("PUT", f"{address.path}?{address.query}")
            connection.putheader("Content-Length", "4000000")
            for name, value in customer_headers(self.brings(way)).items():
                connection.putheader(name, value)
            connection.endheaders()
            connection.send(LARGE)

    def read(self):
        """Each object, with its key and with another one."""
        for name, way in self.names.items():
            at = {"Bucket": "marked", "Key": name}
            assert self.s3.get_object(**at, **self.brings(way))["Body"].read().rstrip(b"\0").endswith(MARKER)
            with pytest.raises(ClientError):
                self.s3.get_object(**at, **(OTHER if way == "sse-c" else SEALED))


def customer_headers(brings):
    if not brings:
        return {}
    key = brings["SSECustomerKey"]
    digest = base64.b64encode(hashlib.md5(key).digest()).decode()
    values = {"algorithm": "AES256", "key": base64.b64encode(key).decode(), "key-MD5": digest}
    return {f"{SSE}-customer-{name}": value for name, value in values.items()}


def keep_journals(server, scheme):
    """Writes down what the journals tell where the search comes by."""
    trust = {"verify": str(server.ca)} if scheme == "https" else {}
    for journal in ("requests", "kms-calls"):
        told = requests.get(f"{server.uri(scheme)}/_emulator/{journal}", timeout=20, **trust)
        told.raise_for_status()
        (server.home / journal).write_bytes(told.content)


def test_a_store_that_was_filled_in_every_mode_holds_no_secret(server, scheme):
    kms = server.client(scheme, "kms")
    key = kms.create_key()["KeyMetadata"]
    under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key["Arn"]}
    ways = {
        "sse-s3": {"ServerSideEncryption": "AES256"},
        "sse-kms": under,
        "bucket-key": under | {"BucketKeyEnabled": True},
        "layers": under | {"ServerSideEncryption": "aws:kms:dsse"},
        "sse-c": SEALED,
        "other-sse-c": OTHER,
    }
    shop = Shop(server, scheme, ways)

    for way, source in zip(ways, [*ways][1:] + [*ways][:1]):
        at = shop.put(source, LARGE)
        shop.put(way, MARKER)
        shop.copy(way, source, at)
        shop.post(way)
        shop.upload(way, source, at)
    shop.read()
    kms.disable_key(KeyId=key["KeyId"])
    for name, way in shop.names.items():
        if way in ("sse-kms", "bucket-key", "layers"):
            with pytest.raises(ClientError):
                shop.s3.get_object(Bucket="marked", Key=name)

    arns = ["arn:aws:s3:::marked", *[f"arn:aws:s3:::marked/{name}" for name in shop.names]]
    keys = unwrapped(server, [{"aws:s3:arn": arn} for arn in arns] + bound_to_materials(server, key["KeyId"]))
    # Six objects a way, each with a data key, two under two layers, and none of ours under SSE-C; a bucket key; a material.
    assert len(keys) >= 6 * (1 + 1 + 1 + 2) + 1 + 1 or not server.folder.exists()
    assert shop.errors.stat().st_size > 0
    keep_journals(server, scheme)
    assert search(server, *keys, KEY[::-1]) == []


def test_a_key_in_a_presigned_url_stays_hidden(server, scheme):
    """Parameters of a presigned URL count as headers, and URLs are what logs like best."""
    url = f"{server.uri(scheme)}/marked/sealed"
    trust = {"verify": str(server.ca)} if scheme == "https" else {}

    def presigned(method, secret=SECRET):
        request = AWSRequest(method, url, params=customer_headers(SEALED))
        S3SigV4QueryAuth(Credentials("test", secret), "s3", "us-east-1", expires=60).add_auth(request)
        return request.url

    put = requests.put(presigned("PUT"), data=LARGE, **trust)
    got = requests.get(presigned("GET"), **trust)
    refused = requests.get(presigned("GET", "another secret"), **trust)
    (server.home / "errors").write_bytes(refused.content)

    assert (put.status_code, got.status_code, got.content) == (200, 200, LARGE), put.text
    assert (refused.status_code, "***" in refused.text) == (403, True)
    keep_journals(server, scheme)
    assert "***" in (server.home / "requests").read_text()
    assert search(server) == []
