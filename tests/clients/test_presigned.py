"""Presigned requests that encrypt: what is wanted may stand in headers that are signed, or in the URL itself."""

import base64
import hashlib

import pytest
import requests
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

KEY = bytes(range(32))
BODY = b"presigned " * 9_000
SSE = "x-amz-server-side-encryption"
CUSTOMERS = {
    f"{SSE}-customer-algorithm": "AES256",
    f"{SSE}-customer-key": base64.b64encode(KEY).decode(),
    f"{SSE}-customer-key-MD5": base64.b64encode(hashlib.md5(KEY).digest()).decode(),
}
MODES = {
    "sse-s3": {SSE: "AES256"},
    "sse-kms": {SSE: "aws:kms"},
    "bucket-key": {SSE: "aws:kms", f"{SSE}-bucket-key-enabled": "true"},
    "dsse-kms": {SSE: "aws:kms:dsse"},
    "sse-c": CUSTOMERS,
}


@pytest.fixture(params=MODES)
def mode(request):
    return MODES[request.param]


@pytest.fixture
def call(server, scheme):
    verify = str(server.ca) if scheme == "https" else None

    def send(method, signed, headers=None, data=None):
        return requests.request(method, signed, headers=headers, data=data, verify=verify, timeout=10)

    return send


def sign(server, scheme, method, path, headers=None, query=None):
    """A URL that is good for a minute, with signed headers and further parameters."""
    url = f"{server.uri(scheme)}/{path}"
    request = AWSRequest(method=method, url=url, headers=headers or {}, params=query or {})
    S3SigV4QueryAuth(Credentials("test", server.secret), "s3", "us-east-1", expires=60).add_auth(request)
    return request.prepare().url


def reading(mode):
    """What a read brings."""
    return mode if mode is CUSTOMERS else {}


def told(answer):
    """What an answer tells of the encryption, without the ARN of a key."""
    names = (SSE, f"{SSE}-customer-algorithm", f"{SSE}-bucket-key-enabled")
    return {name: answer.headers[name] for name in names if name in answer.headers}


def wanted(mode):
    return {name: value for name, value in mode.items() if "-customer-key" not in name}


def test_encryption_in_signed_headers(server, scheme, bucket, mode, call):
    path = f"{bucket}/key"

    put = call("PUT", sign(server, scheme, "PUT", path, headers=mode), headers=mode, data=BODY)
    got = call("GET", sign(server, scheme, "GET", path, headers=reading(mode)), headers=reading(mode))

    assert (put.status_code, told(put)) == (200, wanted(mode)), put.text
    assert (got.status_code, told(got), got.content) == (200, wanted(mode), BODY)


def test_encryption_in_the_url(server, scheme, bucket, mode, call):
    path = f"{bucket}/key"

    put = call("PUT", sign(server, scheme, "PUT", path, query=mode), data=BODY)
    got = call("GET", sign(server, scheme, "GET", path, query=reading(mode)))

    assert (put.status_code, told(put)) == (200, wanted(mode)), put.text
    assert (got.status_code, told(got), got.content) == (200, wanted(mode), BODY)


def test_headers_that_are_not_signed_are_refused(server, scheme, bucket, mode, call):
    answer = call("PUT", sign(server, scheme, "PUT", f"{bucket}/key"), headers=mode, data=BODY)

    assert (answer.status_code, "HeadersNotSigned" in answer.text) == (403, True)


def test_parts_and_versions_by_url(server, scheme, bucket, mode, call):
    """boto3 signs an upload in parts and the read of its version, all by URL."""
    s3 = server.client(scheme, config=Config(signature_version="s3v4"))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    extra = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY} if mode is CUSTOMERS else {}
    begins = extra or {"ServerSideEncryption": mode[SSE]}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", **begins)["UploadId"]
    named = {"Bucket": bucket, "Key": "key"}

    url = s3.generate_presigned_url("upload_part", {**named, "UploadId": upload, "PartNumber": 1, **extra}, ExpiresIn=60)
    part = call("PUT", url, headers=reading(mode), data=BODY)
    assert part.status_code == 200, part.text
    parts = {"Parts": [{"PartNumber": 1, "ETag": part.headers["ETag"]}]}
    version = s3.complete_multipart_upload(**named, UploadId=upload, MultipartUpload=parts)["VersionId"]
    s3.put_object(**named, Body=b"newer")
    url = s3.generate_presigned_url("get_object", {**named, "VersionId": version, **extra}, ExpiresIn=60)
    got = call("GET", url, headers=reading(mode))

    assert (got.headers["x-amz-version-id"], got.content) == (version, BODY)
