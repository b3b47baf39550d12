"""Nothing that must be secret lies in the clear: not on the disk, not in the temporary folder, not in the log at any level."""

import base64
import hashlib
import html
import http.client
import time
import urllib.parse

import pytest
import requests
from botocore.config import Config
from searching import KEY, KMS, LARGE, LAYERS, MARKER, SEALED, bound_to_materials, forms, search, server, staged, unwrapped

__all__ = ["server"]


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


def test_a_key_in_a_form_stays_hidden(server, scheme):
    """Its policy may quote the key; AWS's refusal would quote the policy."""
    s3, sse = server.client(scheme), "x-amz-server-side-encryption-customer"
    fields = {
        f"{sse}-algorithm": "AES256",
        f"{sse}-key": base64.b64encode(KEY).decode(),
        f"{sse}-key-MD5": base64.b64encode(hashlib.md5(KEY).digest()).decode(),
    }
    conditions = [{name: value} for name, value in fields.items()]
    form = s3.generate_presigned_post("marked", "sealed", Fields=fields, Conditions=conditions)
    trust = {"verify": str(server.ca)} if scheme == "https" else {}

    sent = requests.post(form["url"], data=form["fields"], files={"file": LARGE}, **trust)
    form["fields"].pop(f"{sse}-key")
    refused = requests.post(form["url"], data=form["fields"], files={"file": LARGE}, **trust)

    assert (sent.status_code, refused.status_code) == (204, 403)
    assert f'"${sse}-key", "***"' in html.unescape(refused.text)
    assert fields[f"{sse}-key"] not in refused.text
    assert s3.get_object(Bucket="marked", Key="sealed", **SEALED)["Body"].read() == LARGE
    assert search(server) == []


@pytest.mark.parametrize("size", ["small", "large"])
def test_objects_and_keys_stay_hidden_under_kms(server, scheme, size):
    body = MARKER if size == "small" else LARGE
    s3, kms = server.client(scheme), server.client(scheme, "kms")
    key, mac = kms.create_key()["KeyMetadata"], kms.create_key(KeySpec="HMAC_512", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key["Arn"]}
    team = base64.b64encode(b'{"team":"red"}').decode()
    ways = {
        "managed": {"ServerSideEncryption": "aws:kms"},
        "context": {**under, "SSEKMSEncryptionContext": team},
        "bucket-key": {**under, "BucketKeyEnabled": True},
        "again": {**under, "BucketKeyEnabled": True},
        "layers": {**under, "ServerSideEncryption": "aws:kms:dsse"},
    }

    for name, asked in ways.items():
        s3.put_object(Bucket="marked", Key=name, Body=body, **asked)
    s3.copy_object(Bucket="marked", Key="copy", CopySource="marked/layers", **under)
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    s3.put_object(Bucket="marked", Key="rotated", Body=body, **under)
    kms.generate_mac(KeyId=mac["KeyId"], Message=MARKER, MacAlgorithm="HMAC_SHA_512")

    for name in [*ways, "copy", "rotated"]:
        assert s3.get_object(Bucket="marked", Key=name)["Body"].read() == body
    kms.disable_key(KeyId=key["KeyId"])
    with pytest.raises(s3.exceptions.ClientError):
        s3.get_object(Bucket="marked", Key="layers")
    arns = ["arn:aws:s3:::marked", *[f"arn:aws:s3:::marked/{name}" for name in [*ways, "copy", "rotated"]]]
    contexts = [{"aws:s3:arn": arn} | pairs for arn in arns for pairs in ({}, {"team": "red"})]
    managed = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    keys = unwrapped(server, contexts + bound_to_materials(server, *[made["KeyId"] for made in (key, mac, managed)]))
    # Four materials; a data key for each of the seven objects, a second one for two layers, and the bucket's.
    assert len(keys) == 13 or not server.folder.exists()
    assert search(server, *keys) == []


def test_what_kms_gives_out_in_the_clear_is_not_kept(server, scheme):
    kms = server.client(scheme, "kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]

    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"team": "red"})
    hidden = kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_128")["CiphertextBlob"]
    random = kms.generate_random(NumberOfBytes=32)["Plaintext"]
    sealed = kms.encrypt(KeyId=key, Plaintext=MARKER)["CiphertextBlob"]
    moved = kms.re_encrypt(CiphertextBlob=sealed, DestinationKeyId=key, DestinationEncryptionContext={"team": "red"})["CiphertextBlob"]

    given = [data_key["Plaintext"], random, kms.decrypt(CiphertextBlob=hidden)["Plaintext"]]
    assert kms.decrypt(CiphertextBlob=moved, EncryptionContext={"team": "red"})["Plaintext"] == MARKER
    assert kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"], EncryptionContext={"team": "red"})["Plaintext"] == given[0]
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=moved)
    assert search(server, *given) == []


@pytest.mark.parametrize("secret", [{}, SEALED, KMS, LAYERS], ids=["sse-s3", "sse-c", "sse-kms", "dsse-kms"])
def test_an_upload_that_is_cut_midway_leaves_nothing_to_read(server, secret):
    sign = server.client("http", config=Config(signature_version="s3v4")).generate_presigned_url
    address = urllib.parse.urlsplit(sign("put_object", {"Bucket": "marked", "Key": "cut", **secret}, ExpiresIn=60))
    headers = {"Content-Length": 4_000_000}
    if "ServerSideEncryption" in secret:
        headers["x-amz-server-side-encryption"] = secret["ServerSideEncryption"]
    if secret == SEALED:
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
