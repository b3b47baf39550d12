"""KMS by boto3 and the aws CLI: the life of a key, what it encrypts, and what Terraform asks of it."""

import base64
import datetime
import itertools
import json
import uuid

import pytest
from botocore.exceptions import ClientError

CONTEXT = {"team": "red", "purpose": "tests"}
NUMBERS = itertools.count()


@pytest.fixture
def kms(server, scheme):
    return server.client(scheme, "kms")


@pytest.fixture
def key(kms):
    """The metadata of a key of the test's own."""
    return kms.create_key()["KeyMetadata"]


@pytest.fixture
def alias(kms, key):
    name = f"alias/test-{next(NUMBERS)}"
    kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    return name


def arn_of(alias, region="us-east-1"):
    return f"arn:aws:kms:{region}:000000000000:{alias}"


def error(refused):
    """Code and message, as boto3 shows them."""
    answer = refused.value.response["Error"]
    return answer["Code"], answer["Message"]


def listed(client, operation, member, **options):
    """All pages of a list, two items at a time."""
    pages = list(client.get_paginator(operation).paginate(**options, PaginationConfig={"PageSize": 2}))
    assert all(len(page[member]) <= 2 for page in pages)
    return [item for page in pages for item in page[member]]


def test_a_new_key_is_symmetric_and_enabled(kms):
    made = kms.create_key(Description="for tests", Tags=[{"TagKey": "team", "TagValue": "red"}])["KeyMetadata"]

    expected = {
        "AWSAccountId": "000000000000",
        "Description": "for tests",
        "Enabled": True,
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "Origin": "AWS_KMS",
    }
    assert {name: made[name] for name in expected} == expected
    assert made["Arn"] == f"arn:aws:kms:us-east-1:000000000000:key/{uuid.UUID(made['KeyId'])}"
    assert abs(made["CreationDate"] - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=1)


def test_a_key_answers_to_all_four_names(kms, key, alias):
    for name in [key["KeyId"], key["Arn"], alias, arn_of(alias)]:
        assert kms.describe_key(KeyId=name)["KeyMetadata"] == key


def test_unknown_names_are_not_found(kms):
    unknown = str(uuid.uuid4())
    words = {
        "fake": "Invalid keyId 'fake'",
        unknown: f"Key 'arn:aws:kms:us-east-1:000000000000:key/{unknown}' does not exist",
        "alias/none": f"Alias {arn_of('alias/none')} is not found.",
        arn_of(f"key/{unknown}", "us-west-2"): "Invalid arn us-west-2",
    }

    for name, message in words.items():
        with pytest.raises(kms.exceptions.NotFoundException) as refused:
            kms.describe_key(KeyId=name)
        assert error(refused) == ("NotFoundException", message)


def test_what_is_encrypted_opens_under_its_context_alone(kms, key, alias):
    sealed = kms.encrypt(KeyId=alias, Plaintext=b"secret", EncryptionContext=CONTEXT)

    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=CONTEXT)
    with pytest.raises(kms.exceptions.InvalidCiphertextException) as bare:
        kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=CONTEXT | {"team": "Red"})

    assert sealed["KeyId"] == opened["KeyId"] == key["Arn"]
    assert sealed["EncryptionAlgorithm"] == opened["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"secret", key["CurrentKeyMaterialId"])
    assert error(bare) == ("InvalidCiphertextException", "")


def test_a_ciphertext_of_another_key_than_the_named_one_is_refused(kms, key):
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=other, Plaintext=b"secret")["CiphertextBlob"]

    with pytest.raises(kms.exceptions.IncorrectKeyException):
        kms.decrypt(CiphertextBlob=sealed, KeyId=key["KeyId"])


def test_a_bent_ciphertext_is_refused(kms, key):
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]

    for position in [0, 20, len(sealed) - 1]:
        bent = sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(CiphertextBlob=bent)


def test_a_ciphertext_moves_to_another_key_and_context(kms, key):
    other = kms.create_key()["KeyMetadata"]
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret", EncryptionContext=CONTEXT)["CiphertextBlob"]

    moved = kms.re_encrypt(
        CiphertextBlob=sealed,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=other["KeyId"],
        DestinationEncryptionContext={"team": "blue"},
    )

    assert (moved["SourceKeyId"], moved["KeyId"]) == (key["Arn"], other["Arn"])
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"team": "blue"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", other["Arn"])


def test_a_plaintext_has_4096_bytes_at_most(kms, key):
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=bytes(4_096))["CiphertextBlob"]

    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == bytes(4_096)
    with pytest.raises(ClientError) as refused:
        kms.encrypt(KeyId=key["KeyId"], Plaintext=bytes(4_097))
    assert error(refused)[0] == "ValidationException"


@pytest.mark.parametrize("size, length", [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 100}, 100)])
def test_data_keys_open_again(kms, key, alias, size, length):
    made = kms.generate_data_key(KeyId=alias, **size, EncryptionContext=CONTEXT)
    hidden = kms.generate_data_key_without_plaintext(KeyId=alias, **size, EncryptionContext=CONTEXT)

    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert (opened["Plaintext"], made["KeyId"]) == (made["Plaintext"], key["Arn"])
    assert "Plaintext" not in hidden
    other = kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"], EncryptionContext=CONTEXT)["Plaintext"]
    assert len(made["Plaintext"]) == len(other) == length
    assert other != made["Plaintext"]


def test_random_bytes(kms):
    one, other = (kms.generate_random(NumberOfBytes=1_024)["Plaintext"] for _ in range(2))

    assert len(one) == len(other) == 1_024
    assert one != other


def test_a_disabled_key_does_nothing_until_it_is_enabled(kms, key):
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]

    kms.disable_key(KeyId=key["KeyId"])
    with pytest.raises(kms.exceptions.DisabledException) as decrypting:
        kms.decrypt(CiphertextBlob=sealed)
    with pytest.raises(kms.exceptions.DisabledException) as encrypting:
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")
    described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    kms.enable_key(KeyId=key["KeyId"])

    assert error(decrypting) == error(encrypting) == ("DisabledException", f"{key['Arn']} is disabled.")
    assert (described["KeyState"], described["Enabled"]) == ("Disabled", False)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


def test_tags_are_added_changed_and_removed(kms, key):
    def tags():
        return {tag["TagKey"]: tag["TagValue"] for tag in listed(kms, "list_resource_tags", "Tags", KeyId=key["KeyId"])}

    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": f"tag-{index}", "TagValue": "old"} for index in range(5)])
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "tag-0", "TagValue": "new"}])
    before = tags()
    kms.untag_resource(KeyId=key["KeyId"], TagKeys=["tag-1", "tag-2", "none"])

    assert before == {"tag-0": "new", "tag-1": "old", "tag-2": "old", "tag-3": "old", "tag-4": "old"}
    assert tags() == {"tag-0": "new", "tag-3": "old", "tag-4": "old"}
    with pytest.raises(kms.exceptions.TagException) as reserved:
        kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "aws:x", "TagValue": ""}])
    assert error(reserved) == ("TagException", "Tags beginning with aws: are reserved")


def test_a_policy_is_kept_as_it_was_put(kms, key):
    usual = kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")
    policy = json.loads(usual["Policy"])
    policy["Id"] = "mine"
    written = json.dumps(policy, indent=3)

    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=written)

    assert kms.get_key_policy(KeyId=key["KeyId"])["Policy"] == written
    assert kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]
    assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::000000000000:root"}


def test_automatic_rotation_is_switched_on_and_off(kms, key):
    before = kms.get_key_rotation_status(KeyId=key["KeyId"])
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    on = kms.get_key_rotation_status(KeyId=key["KeyId"])
    kms.disable_key_rotation(KeyId=key["KeyId"])

    assert (before["KeyRotationEnabled"], "RotationPeriodInDays" in before) == (False, False)
    assert (on["KeyRotationEnabled"], on["RotationPeriodInDays"]) == (True, 90)
    assert abs((on["NextRotationDate"] - key["CreationDate"]).total_seconds() - 90 * 86_400) < 60
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is False


def test_old_ciphertexts_open_after_rotations(kms, key):
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]

    for _ in range(5):
        assert kms.rotate_key_on_demand(KeyId=key["KeyId"])["KeyId"] == key["Arn"]

    rotations = listed(kms, "list_key_rotations", "Rotations", KeyId=key["KeyId"])
    assert [rotation["RotationType"] for rotation in rotations] == ["ON_DEMAND"] * 5
    materials = [rotation["KeyMaterialId"] for rotation in rotations]
    assert len({key["CurrentKeyMaterialId"], *materials}) == 6
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"] in materials
    opened = kms.decrypt(CiphertextBlob=sealed)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"secret", key["CurrentKeyMaterialId"])


def test_pages_of_keys_and_aliases_join(server, scheme):
    kms = server.client(scheme, "kms", region_name="eu-north-1" if scheme == "http" else "eu-south-1")
    keys = [kms.create_key()["KeyMetadata"] for _ in range(5)]
    for index, made in enumerate(keys):
        kms.create_alias(AliasName=f"alias/page-{index}", TargetKeyId=made["KeyId"])

    found = listed(kms, "list_keys", "Keys")
    named = {item["AliasName"]: item.get("TargetKeyId") for item in listed(kms, "list_aliases", "Aliases")}

    assert sorted(item["KeyArn"] for item in found) == sorted(made["Arn"] for made in keys)
    assert {item["KeyId"] for item in found} == {made["KeyId"] for made in keys}
    assert named.pop("alias/aws/s3") is None
    assert named == {f"alias/page-{index}": made["KeyId"] for index, made in enumerate(keys)}


def test_an_alias_moves_to_another_key_and_goes(kms, key, alias):
    other = kms.create_key()["KeyMetadata"]

    with pytest.raises(kms.exceptions.AlreadyExistsException) as taken:
        kms.create_alias(AliasName=alias, TargetKeyId=other["KeyId"])
    kms.update_alias(AliasName=alias, TargetKeyId=other["KeyId"])
    moved = kms.describe_key(KeyId=alias)["KeyMetadata"]
    kms.delete_alias(AliasName=alias)

    assert error(taken)[1] == f"An alias with the name {arn_of(alias)} already exists"
    assert moved == other
    assert kms.list_aliases(KeyId=key["KeyId"])["Aliases"] == []
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=alias)


def test_an_alias_begins_with_its_prefix(kms, key):
    with pytest.raises(ClientError) as refused:
        kms.create_alias(AliasName="app", TargetKeyId=key["KeyId"])

    code, message = error(refused)
    assert code == "ValidationException"
    assert message.startswith('Alias must start with the prefix "alias/".')


def test_a_deletion_is_scheduled_and_called_off(kms, key):
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]

    scheduled = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with pytest.raises(kms.exceptions.KMSInvalidStateException) as pending:
        kms.decrypt(CiphertextBlob=sealed)
    described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    cancelled = kms.cancel_key_deletion(KeyId=key["KeyId"])

    assert (scheduled["KeyId"], scheduled["KeyState"], scheduled["PendingWindowInDays"]) == (key["Arn"], "PendingDeletion", 7)
    assert error(pending) == ("KMSInvalidStateException", f"{key['Arn']} is pending deletion.")
    assert described["DeletionDate"] == scheduled["DeletionDate"]
    assert cancelled["KeyId"] == key["Arn"]
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


def test_a_deletion_window_has_7_to_30_days(kms, key):
    for days in [6, 31]:
        with pytest.raises(ClientError) as refused:
            kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=days)
        assert error(refused) == ("ValidationException", "PendingWindowInDays must be between 7 and 30")


def test_a_key_lives_in_its_region(server, scheme, kms, key, alias):
    west = server.client(scheme, "kms", region_name="us-west-2")
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]

    for name in [key["KeyId"], key["Arn"], alias]:
        with pytest.raises(west.exceptions.NotFoundException):
            west.describe_key(KeyId=name)
    with pytest.raises(ClientError) as refused:
        west.decrypt(CiphertextBlob=sealed)

    assert error(refused)[0] == "AccessDeniedException"
    assert west.create_key()["KeyMetadata"]["Arn"].startswith("arn:aws:kms:us-west-2:")


def test_what_there_is_in_china_alone_says_so(kms):
    with pytest.raises(kms.exceptions.UnsupportedOperationException):
        kms.create_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")


def test_custom_key_stores_find_nothing_to_stand_on(kms):
    store = {"CloudHsmClusterId": "cluster-1a23b4cdefg", "TrustAnchorCertificate": "none", "KeyStorePassword": "password"}
    with pytest.raises(kms.exceptions.CloudHsmClusterNotFoundException):
        kms.create_custom_key_store(CustomKeyStoreName="mine", **store)
    with pytest.raises(kms.exceptions.CustomKeyStoreNotFoundException):
        kms.connect_custom_key_store(CustomKeyStoreId="cks-1234567890abcdef0")
    assert kms.describe_custom_key_stores()["CustomKeyStores"] == []


def test_terraforms_aws_kms_key_and_aws_kms_alias(kms):
    """What the provider calls in a row: create, read, change, read, destroy."""
    tags = [{"TagKey": "Name", "TagValue": "app"}]
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    asked = {"Description": "app", "KeyUsage": "ENCRYPT_DECRYPT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": False}
    name = kms.create_key(Tags=tags, **asked)["KeyMetadata"]["KeyId"]

    kms.enable_key_rotation(KeyId=name, RotationPeriodInDays=365)
    kms.put_key_policy(KeyId=name, PolicyName="default", Policy=policy, BypassPolicyLockoutSafetyCheck=False)
    kms.update_key_description(KeyId=name, Description="changed")
    kms.tag_resource(KeyId=name, Tags=[{"TagKey": "team", "TagValue": "red"}])
    kms.untag_resource(KeyId=name, TagKeys=["Name"])
    kms.create_alias(AliasName=f"alias/terraform-{name}", TargetKeyId=name)

    assert kms.describe_key(KeyId=name)["KeyMetadata"]["Description"] == "changed"
    assert json.loads(kms.get_key_policy(KeyId=name, PolicyName="default")["Policy"]) == json.loads(policy)
    assert kms.get_key_rotation_status(KeyId=name)["RotationPeriodInDays"] == 365
    assert kms.list_resource_tags(KeyId=name)["Tags"] == [{"TagKey": "team", "TagValue": "red"}]
    aliases = [item for item in listed(kms, "list_aliases", "Aliases") if item.get("TargetKeyId") == name]
    assert [item["AliasArn"] for item in aliases] == [arn_of(f"alias/terraform-{name}")]

    kms.disable_key_rotation(KeyId=name)
    kms.delete_alias(AliasName=f"alias/terraform-{name}")
    kms.schedule_key_deletion(KeyId=name)
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_the_cli_encrypts_and_decrypts_files(server, scheme, alias, key, tmp_path):
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(bytes(range(256)))
    context = ["--encryption-context", "team=red,purpose=tests"]

    encrypted = json.loads(server.aws(scheme, "kms", "encrypt", "--key-id", alias, "--plaintext", f"fileb://{plain}", *context))
    sealed.write_bytes(base64.b64decode(encrypted["CiphertextBlob"]))
    opened = json.loads(server.aws(scheme, "kms", "decrypt", "--ciphertext-blob", f"fileb://{sealed}", *context))
    bare = server.aws(scheme, "kms", "decrypt", "--ciphertext-blob", f"fileb://{sealed}", check=False)

    assert (base64.b64decode(opened["Plaintext"]), opened["KeyId"]) == (plain.read_bytes(), key["Arn"])
    assert "An error occurred (InvalidCiphertextException) when calling the Decrypt operation" in bare.stderr


def test_the_cli_makes_a_key_and_lets_it_rest(server, scheme):
    def aws(*arguments):
        return server.aws(scheme, "kms", *arguments)

    key = aws("create-key", "--tags", "TagKey=team,TagValue=red", "--query", "KeyMetadata.KeyId", "--output", "text").strip()
    aws("create-alias", "--alias-name", f"alias/cli-{scheme}", "--target-key-id", key)
    aws("disable-key", "--key-id", key)
    refused = server.aws(scheme, "kms", "generate-data-key", "--key-id", f"alias/cli-{scheme}", "--key-spec", "AES_256", check=False)

    described = json.loads(aws("describe-key", "--key-id", f"alias/cli-{scheme}"))["KeyMetadata"]
    assert (described["KeyId"], described["KeyState"]) == (key, "Disabled")
    assert f"(DisabledException) when calling the GenerateDataKey operation: {described['Arn']} is disabled." in refused.stderr
    assert json.loads(aws("list-resource-tags", "--key-id", key))["Tags"] == [{"TagKey": "team", "TagValue": "red"}]
    assert key in aws("list-keys", "--query", "Keys[].KeyId")
