"""STS by its real clients: roles, sessions and federated users; what boto3 and the aws CLI make of temporary credentials."""

import json
import os
import subprocess

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from conftest import AWS, Server

ACCOUNT = "111122223333"
READER = f"arn:aws:iam::{ACCOUNT}:role/team/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/job"
ALLOW = {"Effect": "Allow", "Action": ["kms:*", "sts:AssumeRole"], "Resource": "*"}
IDENTITIES = {
    "users": [
        {"name": "ann", "account": ACCOUNT, "access_key": "ANN", "secret_key": "hunter2", "path": "/team/", "tags": {"team": "red"}},
        {"name": "bob", "account": ACCOUNT, "access_key": "BOB", "secret_key": "hunter3", "policies": []},
    ],
    "roles": [
        {
            "name": "reader",
            "path": "/team/",
            "account": ACCOUNT,
            "trust": {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/team/ann"},
                    "Action": ["sts:AssumeRole", "sts:TagSession"],
                },
            },
            "policies": [{"Version": "2012-10-17", "Statement": ALLOW}],
            "max_session_seconds": 7200,
        }
    ],
}


@pytest.fixture
def known(tmp_path):
    """A server that knows them, whose clock each test moves as it likes."""
    (tmp_path / "identities.json").write_text(json.dumps(IDENTITIES))
    running = Server(tmp_path / "server", "--account", ACCOUNT, "--identities", tmp_path / "identities.json", "--bucket", "photos", "--kms-key", "alias/app")
    yield running
    running.stop()


def of(server, scheme, service, keys):
    """A client with the credentials that STS gave out."""
    credentials = dict(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    return server.client(scheme, service, **credentials)


def ann(server, scheme, service="sts"):
    return server.client(scheme, service, aws_access_key_id="ANN", aws_secret_access_key="hunter2")


def refused(call, **members):
    with pytest.raises(ClientError) as told:
        call(**members)
    answer = told.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_a_session_in_a_role_is_known_to_all_services(known, scheme):
    begun = ann(known, scheme).assume_role(RoleArn=READER, RoleSessionName="job", DurationSeconds=7200)
    keys = begun["Credentials"]

    s3, kms, sts = (of(known, scheme, service, keys) for service in ["s3", "kms", "sts"])
    s3.put_object(Bucket="photos", Key="key", Body=b"body", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/app")
    ciphertext = kms.encrypt(KeyId="alias/app", Plaintext=b"secret")["CiphertextBlob"]

    assert begun["AssumedRoleUser"]["Arn"] == sts.get_caller_identity()["Arn"] == SESSION
    assert s3.get_object(Bucket="photos", Key="key")["Body"].read() == b"body"
    assert kms.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"secret"
    calls = requests.get(f"{known.uri('http')}/_emulator/kms-calls", timeout=10).text
    assert SESSION in calls and keys["SessionToken"] not in calls


def test_credentials_end_when_the_clock_says_so(known, scheme, once):
    keys = ann(known, scheme).assume_role(RoleArn=READER, RoleSessionName="job", DurationSeconds=900)["Credentials"]
    s3 = of(known, scheme, "s3", keys)
    s3.put_object(Bucket="photos", Key="key", Body=b"body")
    # The clients' own clock stays where it is, and within what S3 takes.
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "key"}, ExpiresIn=3600)
    verify = str(known.ca)
    assert requests.get(url, verify=verify, timeout=10).content == b"body"

    moved = requests.post(f"{known.uri('http')}/_emulator/clock", params={"advance": "890"}, timeout=10)
    moved.raise_for_status()
    assert requests.get(url, verify=verify, timeout=10).content == b"body"
    requests.post(f"{known.uri('http')}/_emulator/clock", params={"advance": "20"}, timeout=10).raise_for_status()

    late = requests.get(url, verify=verify, timeout=10)
    assert (late.status_code, "<Code>ExpiredToken</Code>" in late.text) == (400, True)


def test_keys_of_a_session_are_nothing_without_its_token(known, scheme):
    keys = ann(known, scheme).get_session_token()["Credentials"]
    bare = dict(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"])

    without = {service: known.client(scheme, service, **bare) for service in ["s3", "kms", "sts"]}
    permanent = known.client(scheme, aws_access_key_id="ANN", aws_secret_access_key="hunter2", aws_session_token=keys["SessionToken"])

    assert of(known, scheme, "sts", keys).get_caller_identity()["Arn"].endswith(":user/team/ann")
    assert refused(without["s3"].list_buckets) == ("InvalidAccessKeyId", 403)
    assert refused(without["kms"].list_keys) == ("UnrecognizedClientException", 400)
    assert refused(without["sts"].get_caller_identity) == ("InvalidClientTokenId", 403)
    assert refused(permanent.list_buckets) == ("InvalidToken", 400)


def test_whom_a_role_does_not_trust_is_refused(known, scheme):
    bob = known.client(scheme, "sts", aws_access_key_id="BOB", aws_secret_access_key="hunter3")

    with pytest.raises(ClientError) as told:
        bob.assume_role(RoleArn=READER, RoleSessionName="job")

    error = told.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    assert error["Message"] == f"User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: sts:AssumeRole on resource: {READER}"


def test_policies_and_tags_of_a_session(known, scheme):
    policy = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}})
    tags = [{"Key": "stage", "Value": "test & more".replace("&", "+")}]

    begun = ann(known, scheme).assume_role(RoleArn=READER, RoleSessionName="job", Policy=policy, Tags=tags, TransitiveTagKeys=["stage"])

    kms = of(known, scheme, "kms", begun["Credentials"])
    assert begun["PackedPolicySize"] > 0
    assert refused(kms.encrypt, KeyId="alias/app", Plaintext=b"x") == ("AccessDeniedException", 400)


def test_a_federated_user(known, scheme):
    policy = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}})

    begun = ann(known, scheme).get_federation_token(Name="carl", Policy=policy)

    assert begun["FederatedUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:federated-user/carl"
    kms = of(known, scheme, "kms", begun["Credentials"])
    assert kms.encrypt(KeyId="alias/app", Plaintext=b"x")["KeyId"]


@pytest.fixture
def profiled(known, tmp_path):
    """The aws CLI with a configuration file of profiles; gives its output."""
    config = tmp_path / "config"
    config.write_text(
        f"""
[profile ann]
aws_access_key_id = ANN
aws_secret_access_key = hunter2
[profile reader]
role_arn = {READER}
source_profile = ann
role_session_name = job
"""
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(config),
        "AWS_ENDPOINT_URL": known.uri("http"),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def run(*arguments, **more):
        done = subprocess.run([AWS, *arguments], env={**environment, **more}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_profile_of_the_cli_assumes_its_role(profiled, tmp_path):
    (tmp_path / "body").write_text("body")

    who = json.loads(profiled("sts", "get-caller-identity", "--profile", "reader"))
    profiled("s3", "cp", str(tmp_path / "body"), "s3://photos/key", "--profile", "reader")

    assert who["Arn"] == SESSION
    assert profiled("s3", "cp", "s3://photos/key", "-", "--profile", "reader") == "body"


def test_the_cli_takes_a_session_token_from_the_environment(profiled):
    keys = json.loads(profiled("sts", "get-session-token", "--duration-seconds", "900", "--profile", "ann"))["Credentials"]
    environment = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }

    who = json.loads(profiled("sts", "get-caller-identity", **environment))
    url = profiled("s3", "presign", "s3://photos/key", **environment).strip()

    assert who["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/ann"
    assert requests.get(url, timeout=10).status_code == 404
    # The CLI signs URLs by version 2, and writes the parameter in lower case.
    assert requests.get(url.replace("x-amz-security-token", "x-other"), timeout=10).status_code == 403


def test_sessions_refresh_by_boto3s_own_provider(known, scheme, tmp_path, monkeypatch):
    """What assumes the role is boto3 itself, as in an application that is told no more than a profile."""
    config = tmp_path / "config"
    config.write_text(f"[profile ann]\naws_access_key_id=ANN\naws_secret_access_key=hunter2\n[profile reader]\nrole_arn={READER}\nsource_profile=ann\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ENDPOINT_URL", known.uri(scheme))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(known.ca))
    session = boto3.Session(profile_name="reader", region_name="us-east-1")

    arn = session.client("sts").get_caller_identity()["Arn"]

    assert arn.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/botocore-session-")
