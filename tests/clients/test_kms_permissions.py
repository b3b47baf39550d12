"""Who may use a key, by boto3: key policies, policies of users, and keys of other accounts; and the story of docs/permissions.md."""

import json

import pytest
from botocore.exceptions import ClientError
from conftest import ROOT, Server
from documents import block, check, commands

DOCUMENT = (ROOT / "docs" / "permissions.md").read_text()
OTHER = "111122223333"
FOREIGN = (
    "on this resource because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One that knows the users of the document."""
    home = tmp_path_factory.mktemp("server")
    known = home / "who.json"
    known.write_text(block(DOCUMENT, "An example", "json"))
    running = Server(home, "--log", "trace", "--identities", str(known))
    yield running
    running.stop()


@pytest.fixture
def kms(server, scheme):
    return server.client(scheme, "kms")


def client(server, scheme, name, service="kms"):
    return server.client(scheme, service, aws_access_key_id=name, aws_secret_access_key=name)


def message(refused):
    return refused.value.response["Error"]["Message"]


def lend(kms, key, *principals, **statement):
    allow = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "kms:*", "Resource": "*", **statement}
    own = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [own, allow]}))


def test_the_story_as_it_stands_there(shell):
    story = commands(block(DOCUMENT, "An example", "sh"))

    check(shell([line for line, _ in story]), story)


def test_identity_policies_count_where_the_key_lets_the_account_in(server, scheme, kms):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    writer = client(server, scheme, "writer")

    sealed = writer.generate_data_key(KeyId=key, KeySpec="AES_256")["CiphertextBlob"]

    with pytest.raises(ClientError, match="AccessDeniedException") as refused:
        writer.decrypt(CiphertextBlob=sealed)
    who = "User: arn:aws:iam::000000000000:user/writer is not authorized to perform: kms:Decrypt"
    assert message(refused) == f"{who} on resource: {key} because no identity-based policy allows the kms:Decrypt action"


def test_a_key_is_lent_to_another_account(server, scheme, kms):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    guest = client(server, scheme, "guest")
    with pytest.raises(ClientError) as refused:
        guest.describe_key(KeyId=key)
    assert message(refused).endswith(FOREIGN)

    lend(kms, key, OTHER)

    sealed = guest.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"
    assert guest.decrypt(CiphertextBlob=sealed)["KeyId"] == key
    with pytest.raises(ClientError) as refused:
        guest.schedule_key_deletion(KeyId=key)
    assert message(refused).endswith(FOREIGN)


def test_objects_lie_under_a_key_of_another_account(server, scheme, bucket):
    owner = server.client(scheme, "kms", aws_access_key_id=OTHER, aws_secret_access_key=OTHER)
    key = owner.create_key()["KeyMetadata"]["Arn"]
    s3 = server.client(scheme)
    put = {"Bucket": bucket, "Key": "note", "Body": b"x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    with pytest.raises(ClientError) as refused:
        s3.put_object(**put)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert message(refused).endswith(FOREIGN)

    statement = {"Effect": "Allow", "Principal": {"AWS": [OTHER, "000000000000"]}, "Action": "kms:*", "Resource": "*"}
    owner.put_key_policy(KeyId=key, Policy=json.dumps({"Statement": statement}))

    assert s3.put_object(**put)["SSEKMSKeyId"] == key
    assert s3.get_object(Bucket=bucket, Key="note")["Body"].read() == b"x"


def test_conditions_look_at_the_connection(server, scheme, kms):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    guest = client(server, scheme, "guest")

    lend(kms, key, OTHER, Condition={"Bool": {"aws:SecureTransport": "true"}, "IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})

    if scheme == "https":
        assert guest.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            guest.describe_key(KeyId=key)
