"""Grants by boto3 and by the aws CLI: who is let in, under which context, and no longer."""

import json

import pytest
from botocore.exceptions import ClientError
from conftest import Server

ANN = "arn:aws:iam::000000000000:user/ann"
ROOT = "arn:aws:iam::000000000000:root"
BY_NAME = {"ArnEquals": {"aws:PrincipalArn": ROOT}}
POLICY = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": BY_NAME}}
CREDENTIALS = {"aws_access_key_id": "ANN", "aws_secret_access_key": "hunter2"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("server")
    seed = home / "seed.json"
    user = {"name": "ann", "account": "000000000000", "access_key": "ANN", "secret_key": "hunter2"}
    kept = {"name": "kept", "grantee": ANN, "operations": ["DescribeKey"]}
    key = {"aliases": ["alias/app"], "policy": POLICY, "grants": [kept], "rotations": 2, "rotation_period_days": 90}
    seed.write_text(json.dumps({"identities": {"users": [user]}, "kms_keys": [key], "buckets": [{"name": "photos"}]}))
    running = Server(home, "--seed", seed)
    yield running
    running.stop()


@pytest.fixture
def kms(server, scheme):
    return server.client(scheme, "kms")


@pytest.fixture
def ann(server, scheme):
    return lambda service: server.client(scheme, service, **CREDENTIALS)


@pytest.fixture
def key(kms):
    return kms.describe_key(KeyId="alias/app")["KeyMetadata"]["Arn"]


def refused(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def denied(action, key, code="AccessDeniedException"):
    reason = f"because no resource-based policy allows the {action} action"
    return code, f"User: {ANN} is not authorized to perform: {action} on resource: {key} {reason}"


def test_a_seeds_grant_is_there(kms, ann, key):
    assert ann("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key

    grants = kms.list_grants(KeyId=key)["Grants"]
    kept = [grant for grant in grants if grant["Name"] == "kept"]
    assert [(grant["GranteePrincipal"], grant["Operations"]) for grant in kept] == [(ANN, ["DescribeKey"])]
    assert len(kms.list_key_rotations(KeyId=key)["Rotations"]) == 2
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 90


def test_a_grant_works_until_it_is_retired(kms, ann, key):
    context = {"team": "red", "stage": "test"}
    constraints = {"EncryptionContextSubset": {"team": "red"}}
    terms = {"KeyId": key, "GranteePrincipal": ANN, "RetiringPrincipal": ANN, "Constraints": constraints}
    granted = kms.create_grant(**terms, Operations=["Encrypt", "Decrypt"], Name="test")
    token = granted["GrantToken"]

    ciphertext = ann("kms").encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context, GrantTokens=[token])
    blob = ciphertext["CiphertextBlob"]
    assert ann("kms").decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"x"
    assert refused(ann("kms").encrypt, KeyId=key, Plaintext=b"x") == denied("kms:Encrypt", key)
    again = kms.create_grant(**terms, Operations=["Decrypt", "Encrypt"], Name="test")
    assert again["GrantId"] == granted["GrantId"]
    retirable = ann("kms").list_retirable_grants(RetiringPrincipal=ANN)["Grants"]
    assert [grant["GrantId"] for grant in retirable] == [granted["GrantId"]]
    assert retirable[0]["Constraints"] == constraints
    assert retirable[0]["IssuingAccount"] == ROOT

    ann("kms").retire_grant(GrantToken=again["GrantToken"])

    told = refused(ann("kms").decrypt, CiphertextBlob=blob, EncryptionContext=context)
    assert told == denied("kms:Decrypt", key)
    assert refused(ann("kms").encrypt, KeyId=key, Plaintext=b"x", GrantTokens=["none"])[0] == "InvalidGrantTokenException"


def test_objects_are_read_by_a_grant_until_it_is_revoked(kms, ann, key):
    asked = {"Bucket": "photos", "Key": "cat", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    granted = kms.create_grant(KeyId=key, GranteePrincipal=ANN, Operations=["GenerateDataKey", "Decrypt"])
    s3 = ann("s3")
    s3.put_object(**asked, Body=b"meow")
    assert s3.get_object(Bucket="photos", Key="cat")["Body"].read() == b"meow"

    kms.revoke_grant(KeyId=key, GrantId=granted["GrantId"])

    assert refused(s3.put_object, **asked, Body=b"x") == denied("kms:GenerateDataKey", key, "AccessDenied")
    assert refused(s3.get_object, Bucket="photos", Key="cat") == denied("kms:Decrypt", key, "AccessDenied")


def test_the_pages_of_boto3_join(kms, key):
    made = {kms.create_grant(KeyId=key, GranteePrincipal=ROOT, Operations=["Decrypt"])["GrantId"] for _ in range(5)}

    pages = kms.get_paginator("list_grants").paginate(KeyId=key, GranteePrincipal=ROOT, PaginationConfig={"PageSize": 2})

    listed = [grant["GrantId"] for page in pages for grant in page["Grants"]]
    assert (len(listed), set(listed)) == (5, made)
    for grant in made:
        kms.retire_grant(KeyId=key, GrantId=grant)


def test_the_aws_cli_grants_and_revokes(server, scheme, key):
    def aws(*arguments):
        return json.loads(server.aws(scheme, "kms", *arguments) or "{}")

    granted = aws("create-grant", "--key-id", key, "--grantee-principal", ANN, "--operations", "Decrypt",
                  "--constraints", "EncryptionContextEquals={team=red}", "--name", "cli")
    listed = aws("list-grants", "--key-id", key, "--grant-id", granted["GrantId"])["Grants"]
    assert [grant["Constraints"] for grant in listed] == [{"EncryptionContextEquals": {"team": "red"}}]

    assert aws("revoke-grant", "--key-id", key, "--grant-id", granted["GrantId"]) == {}

    assert aws("list-grants", "--key-id", key, "--grant-id", granted["GrantId"])["Grants"] == []
    again = server.aws(scheme, "kms", "revoke-grant", "--key-id", key, "--grant-id", granted["GrantId"], check=False)
    assert "NotFoundException" in again.stderr
