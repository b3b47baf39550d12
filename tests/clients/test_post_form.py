"""Browsers' forms: boto3 signs their policies, requests sends what a browser would."""

import base64
import hashlib
import json
import xml.etree.ElementTree

import pytest
import requests
from botocore.config import Config

KEY = bytes(range(32))
BODY = hashlib.shake_128(b"noise").digest(200_000)
SSE = "x-amz-server-side-encryption"
CUSTOMERS = {
    f"{SSE}-customer-algorithm": "AES256",
    f"{SSE}-customer-key": base64.b64encode(KEY).decode(),
    f"{SSE}-customer-key-MD5": base64.b64encode(hashlib.md5(KEY).digest()).decode(),
}
SEALED = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}


@pytest.fixture(params=["s3v4", "s3"])
def signer(server, scheme, request):
    """A client that signs policies in version 4 or 2."""
    return server.client(scheme, config=Config(signature_version=request.param))


@pytest.fixture
def trust(server, scheme):
    return {"verify": str(server.ca)} if scheme == "https" else {}


def sign(client, bucket, fields=None, conditions=(), key="key", lasts=60):
    """A signed form: its URL, and all its fields; those given are let in as they are."""
    fields = fields or {}
    own = [{name: value} for name, value in fields.items()]
    return client.generate_presigned_post(bucket, key, Fields=fields, Conditions=[*own, *conditions], ExpiresIn=lasts)


def send(form, trust, body=BODY, name="cat.png", **changes):
    data = {**form["fields"], **changes}
    return requests.post(form["url"], data=data, files={"file": (name, body)}, allow_redirects=False, **trust)


def told(answer):
    """Status, code and message of a refusal."""
    error = xml.etree.ElementTree.fromstring(answer.text)
    return answer.status_code, error.findtext("Code"), error.findtext("Message")


@pytest.mark.parametrize("size", [0, 1, 5_000, 3_000_000])
def test_files_read_back(s3, signer, trust, bucket, size):
    body = hashlib.shake_128(b"noise").digest(size)

    answer = send(sign(signer, bucket), trust, body)

    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == body


def test_fields_describe_the_object(s3, signer, trust, bucket):
    tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
    fields = {"Content-Type": "image/png", "x-amz-meta-Owner": "ann", "tagging": tags, "success_action_status": "201"}

    answer = send(sign(signer, bucket, fields, key="pictures/${filename}"), trust, name="my cat.png")

    document = xml.etree.ElementTree.fromstring(answer.text)
    got = s3.get_object(Bucket=bucket, Key="pictures/my cat.png")
    assert answer.status_code == 201
    assert [document.findtext(name) for name in ("Bucket", "Key", "ETag")] == [bucket, "pictures/my cat.png", got["ETag"]]
    assert document.findtext("Location") == answer.headers["Location"]
    assert answer.headers["Location"].endswith(f"/{bucket}/pictures%2Fmy%20cat.png")
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("image/png", {"owner": "ann"}, 1)
    assert got["Body"].read() == BODY


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_a_form_asks_for_a_kms_key(server, s3, scheme, trust, bucket, algorithm):
    kms, signer = server.client(scheme, "kms"), server.client(scheme, config=Config(signature_version="s3v4"))
    key = kms.create_key()["KeyMetadata"]["Arn"]
    form = sign(signer, bucket, {SSE: algorithm, f"{SSE}-aws-kms-key-id": key})

    answer = send(form, trust)
    got = s3.get_object(Bucket=bucket, Key="key")
    kms.disable_key(KeyId=key)
    refused = send(form, trust)

    assert (answer.status_code, answer.headers[SSE], answer.headers[f"{SSE}-aws-kms-key-id"]) == (204, algorithm, key)
    assert (got["ServerSideEncryption"], got["SSEKMSKeyId"], got["Body"].read()) == (algorithm, key, BODY)
    assert told(refused) == (400, "KMS.DisabledException", f"{key} is disabled.")


def test_kms_asks_for_version_4(server, scheme, trust, bucket):
    signer = server.client(scheme, config=Config(signature_version="s3"))

    refused = send(sign(signer, bucket, {SSE: "aws:kms"}), trust)

    message = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
    assert told(refused) == (400, "InvalidArgument", message)


def test_a_form_brings_a_customers_key(s3, signer, trust, bucket):
    answer = send(sign(signer, bucket, CUSTOMERS), trust)

    assert answer.status_code == 204
    assert answer.headers[f"{SSE}-customer-algorithm"] == "AES256"
    assert answer.headers[f"{SSE}-customer-key-MD5"] == CUSTOMERS[f"{SSE}-customer-key-MD5"]
    assert s3.get_object(Bucket=bucket, Key="key", **SEALED)["Body"].read() == BODY
    with pytest.raises(s3.exceptions.ClientError):
        s3.get_object(Bucket=bucket, Key="key")


def test_a_redirect_is_told_what_was_written(s3, signer, trust, bucket):
    fields = {"success_action_redirect": "http://localhost.test/done"}

    answer = send(sign(signer, bucket, fields), trust)

    etag = s3.head_object(Bucket=bucket, Key="key")["ETag"].strip('"')
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://localhost.test/done?bucket={bucket}&key=key&etag=%22{etag}%22"


@pytest.mark.parametrize("size, code", [(4, "EntityTooSmall"), (5, None), (10, None), (11, "EntityTooLarge")])
def test_sizes_have_bounds(s3, signer, trust, bucket, size, code):
    form = sign(signer, bucket, conditions=[["content-length-range", 5, 10]])

    answer = send(form, trust, bytes(size))

    if code:
        assert told(answer)[:2] == (400, code)
    else:
        assert answer.status_code == 204
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == (0 if code else 1)


def test_what_was_not_signed_is_refused(s3, signer, trust, bucket):
    form = sign(signer, bucket)
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    policy["conditions"] = [["starts-with", "$key", ""], {"bucket": bucket}]
    forged = base64.b64encode(json.dumps(policy).encode()).decode()

    other = send(form, trust, key="other")
    extra = send(form, trust, acl="public-read")
    forged = send(form, trust, policy=forged)

    message = 'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "key"]'
    assert told(other) == (403, "AccessDenied", message)
    assert told(extra) == (403, "AccessDenied", "Invalid according to Policy: Extra input fields: acl")
    assert told(forged)[:2] == (403, "SignatureDoesNotMatch")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_policy_expires(signer, trust, bucket):
    refused = send(sign(signer, bucket, lasts=-1), trust)

    assert told(refused) == (403, "AccessDenied", "Invalid according to Policy: Policy expired.")


def test_a_form_without_a_policy_is_anonymous(server, scheme, trust, bucket):
    refused = send({"url": f"{server.uri(scheme)}/{bucket}", "fields": {"key": "key"}}, trust)

    assert told(refused) == (403, "AccessDenied", "Access Denied")


def test_a_connection_carries_a_form_after_a_form(signer, trust, bucket):
    form = sign(signer, bucket)
    with requests.Session() as session:
        for body in [BODY, b"", BODY[:10]]:
            sent = session.post(form["url"], data=form["fields"], files={"file": ("a", body)}, **trust)
            assert sent.status_code == 204
            assert sent.headers.get("Connection", "keep-alive") == "keep-alive"
