"""The control by real HTTP, as a test in any language asks it: what was requested, reset, snapshots."""

import pytest
import requests
from botocore.exceptions import ClientError
from searching import KEY, SEALED, SECRET, server

__all__ = ["server"]


def control(server, scheme, method, path, **parameters):
    trust = {"verify": str(server.ca)} if scheme == "https" else {}
    answer = requests.request(method, f"{server.uri(scheme)}/_emulator/{path}", params=parameters, timeout=20, **trust)
    answer.raise_for_status()
    return answer.json()


def keys(s3):
    return [found["Key"] for found in s3.list_objects_v2(Bucket="marked").get("Contents", [])]


def test_requests_are_told_and_counted(server, scheme):
    s3 = server.client(scheme)
    for number in range(3):
        s3.put_object(Bucket="marked", Key=f"key-{number}", Body=b"body")
    with pytest.raises(ClientError):
        s3.get_object(Bucket="marked", Key="nothing")

    told = control(server, scheme, "GET", "requests", bucket="marked", limit=2)

    put, got = told["requests"]
    assert (put["operation"], put["key"], put["status"], put["access_key"]) == ("PutObject", "key-2", 200, "test")
    assert (got["operation"], got["error"], got["tls"]) == ("GetObject", "NoSuchKey", scheme == "https")
    assert put["headers"]["user-agent"].startswith("Boto3/")
    assert told["counts"]["PutObject"] == 3


def test_no_secret_is_told(server, scheme):
    s3 = server.client(scheme)
    s3.put_object(Bucket="marked", Key="sealed", Body=b"body", **SEALED)
    url = s3.generate_presigned_url("get_object", {"Bucket": "marked", "Key": "sealed"})
    session = server.client(scheme, aws_session_token="a-session-token")
    signature = url.split("Signature=")[1].split("&")[0]
    trust = {"verify": str(server.ca)} if scheme == "https" else {}
    requests.get(url, timeout=20, **trust)
    with pytest.raises(ClientError):
        session.get_object(Bucket="marked", Key="sealed")
    requests.get(session.generate_presigned_url("get_object", {"Bucket": "marked", "Key": "sealed"}), timeout=20, **trust)

    told = str(control(server, scheme, "GET", "requests"))

    assert "SSECustomer" not in told and "***" in told
    assert "x-amz-server-side-encryption-customer-algorithm" in told
    for secret in (SECRET, KEY.decode(), "YSBjdXN0b21lcidzIG93biBrZXkgb2YgMzIgYnl0ZXM=", signature, "a-session-token"):
        assert secret not in told, secret


def test_calls_of_kms_are_told(server, scheme):
    s3 = server.client(scheme)
    s3.put_object(Bucket="marked", Key="key", Body=b"body", ServerSideEncryption="aws:kms")

    call = control(server, scheme, "GET", "kms-calls")["calls"][-1]

    assert (call["operation"], call["through"], call["error"]) == ("GenerateDataKey", "s3", None)
    assert call["context"] == {"aws:s3:arn": "arn:aws:s3:::marked/key"}


def test_a_reset_empties_the_server(server, scheme):
    s3 = server.client(scheme)
    s3.put_object(Bucket="marked", Key="key", Body=bytes(100_000))

    assert control(server, scheme, "POST", "reset") == {"status": "ok"}

    assert s3.list_buckets()["Buckets"] == []
    assert control(server, scheme, "GET", "requests")["counts"] == {"ListBuckets": 1}
    assert [path for path in server.home.rglob("blobs/*/*")] == []
    s3.create_bucket(Bucket="marked")
    s3.put_object(Bucket="marked", Key="key", Body=b"again")
    assert s3.get_object(Bucket="marked", Key="key")["Body"].read() == b"again"


def test_a_snapshot_is_restored_as_often_as_wanted(server, scheme):
    s3, body = server.client(scheme), bytes(100_000)
    s3.put_object(Bucket="marked", Key="kept", Body=body)
    snapshot = control(server, scheme, "POST", "snapshot")["id"]

    for _ in range(3):
        s3.delete_object(Bucket="marked", Key="kept")
        s3.put_object(Bucket="marked", Key="new", Body=body)
        control(server, scheme, "POST", "restore", id=snapshot)
        assert keys(s3) == ["kept"]
        assert s3.get_object(Bucket="marked", Key="kept")["Body"].read() == body

    control(server, scheme, "DELETE", "snapshot", id=snapshot)
    with pytest.raises(requests.HTTPError, match="404"):
        control(server, scheme, "POST", "restore", id=snapshot)
    assert keys(s3) == ["kept"]
