"""Versions, by boto3 and the aws CLI: each under a mode and a key of its own."""

import json

import pytest
from botocore.exceptions import ClientError

KEYS = [bytes([number]) * 32 for number in range(3)]
MODES = {
    "sse-s3": {"ServerSideEncryption": "AES256"},
    "sse-kms": {"ServerSideEncryption": "aws:kms"},
    "dsse-kms": {"ServerSideEncryption": "aws:kms:dsse"},
    "sse-c": {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEYS[1]},
    "sse-c, another key": {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEYS[2]},
}


def customers(wanted):
    return {name: value for name, value in wanted.items() if name.startswith("SSECustomer")}


@pytest.fixture
def s3(server, scheme, bucket):
    client = server.client(scheme)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return client


def refused(call, **arguments):
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    return refusal.value.response["Error"]["Code"]


def test_each_version_keeps_its_mode_and_key(s3, bucket):
    named = {"Bucket": bucket, "Key": "key"}
    ids = {mode: s3.put_object(**named, Body=mode.encode(), **wanted)["VersionId"] for mode, wanted in MODES.items()}

    for mode, wanted in MODES.items():
        version = {**named, "VersionId": ids[mode]}
        answer = s3.get_object(**version, **customers(wanted))
        head = s3.head_object(**version, **customers(wanted))

        assert answer["Body"].read() == mode.encode()
        assert answer.get("ServerSideEncryption") == head.get("ServerSideEncryption") == wanted.get("ServerSideEncryption")
        assert answer["VersionId"] == ids[mode]
    other = {**named, "VersionId": ids["sse-c"], **customers(MODES["sse-c, another key"])}
    assert refused(s3.get_object, **other) == "AccessDenied"


def test_what_is_deleted_comes_back(s3, bucket):
    named = {"Bucket": bucket, "Key": "key"}
    first = s3.put_object(**named, Body=b"one")["VersionId"]
    s3.put_object(**named, Body=b"two")
    marker = s3.delete_object(**named)["VersionId"]
    assert refused(s3.get_object, **named) == "NoSuchKey"
    assert refused(s3.get_object, **named, VersionId=marker) == "MethodNotAllowed"

    s3.delete_object(**named, VersionId=marker)
    assert s3.get_object(**named)["Body"].read() == b"two"
    s3.copy_object(**named, CopySource={**named, "VersionId": first})
    assert s3.get_object(**named)["Body"].read() == b"one"


def test_a_version_is_copied_from_any_mode_to_any_other(s3, bucket):
    named = {"Bucket": bucket, "Key": "key"}
    for source, has in MODES.items():
        version = s3.put_object(**named, Body=source.encode(), **has)["VersionId"]
        s3.put_object(**named, Body=b"newer")
        brought = {f"CopySource{name}": value for name, value in customers(has).items()}
        for target, wanted in MODES.items():
            copy = s3.copy_object(Bucket=bucket, Key=target, CopySource={**named, "VersionId": version}, **brought, **wanted)

            assert copy["CopySourceVersionId"] == version
            answer = s3.get_object(Bucket=bucket, Key=target, VersionId=copy["VersionId"], **customers(wanted))
            assert answer["Body"].read() == source.encode(), (source, target)


def test_all_versions_are_removed_page_by_page(s3, bucket):
    for number in range(25):
        s3.put_object(Bucket=bucket, Key=f"key-{number % 3}", Body=bytes(number), **list(MODES.values())[number % 5])
    s3.delete_object(Bucket=bucket, Key="key-0")
    rows = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 7}):
        rows += [{"Key": row["Key"], "VersionId": row["VersionId"]} for row in page.get("Versions", []) + page.get("DeleteMarkers", [])]
    assert len(rows) == 26

    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": rows})

    assert (len(answer["Deleted"]), answer.get("Errors")) == (26, None)
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)


def test_versions_by_the_aws_cli(server, scheme, bucket, tmp_path):
    def api(*arguments):
        output = server.aws(scheme, "s3api", *arguments)
        return json.loads(output) if output.strip() else {}

    api("put-bucket-versioning", "--bucket", bucket, "--versioning-configuration", "Status=Enabled")
    (tmp_path / "one").write_text("one")
    (tmp_path / "two").write_text("two")
    named = ("--bucket", bucket, "--key", "key")
    first = api("put-object", *named, "--body", tmp_path / "one", "--server-side-encryption", "aws:kms")["VersionId"]
    api("put-object", *named, "--body", tmp_path / "two")
    server.aws(scheme, "s3", "rm", f"s3://{bucket}/key")

    listed = api("list-object-versions", "--bucket", bucket)
    read = api("get-object", *named, "--version-id", first, tmp_path / "back")

    assert [row["IsLatest"] for row in listed["DeleteMarkers"]] == [True]
    assert [row["VersionId"] for row in listed["Versions"]][1:] == [first]
    assert (read["ServerSideEncryption"], (tmp_path / "back").read_text()) == ("aws:kms", "one")
    assert api("get-bucket-versioning", "--bucket", bucket) == {"Status": "Enabled"}
