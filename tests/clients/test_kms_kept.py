"""KMS keys whose material is known, or whose folder is moved: MACs held to the package `cryptography`, ciphertexts to another server."""

import base64
import json
import os
import shutil
import subprocess

import pytest
from botocore.exceptions import ClientError
from conftest import BINARY, Server
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.serialization import load_der_public_key

MESSAGE = b"what do ya want for nothing?"
MACS = {
    "HMAC_224": (28, hashes.SHA224()),
    "HMAC_256": (32, hashes.SHA256()),
    "HMAC_384": (48, hashes.SHA384()),
    "HMAC_512": (64, hashes.SHA512()),
}


def key_id(number):
    return f"00000000-0000-4000-8000-{number:012}"


@pytest.fixture
def seeded(tmp_path):
    """A server with a MAC key of each spec, and their material."""
    materials = {spec: os.urandom(size) for spec, (size, _) in MACS.items()}
    keys = [
        {"id": key_id(number), "spec": spec, "material": base64.b64encode(material).decode()}
        for number, (spec, material) in enumerate(materials.items())
    ]
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"kms_keys": keys}))
    running = Server(tmp_path / "home", "--seed", seed)
    yield running, list(materials.items())
    running.stop()


def mac_of(material, spec):
    made = hmac.HMAC(material, MACS[spec][1])
    made.update(MESSAGE)
    return made


def test_a_mac_is_that_of_the_material(seeded):
    server, materials = seeded
    kms = server.client("http", "kms")
    for number, (spec, material) in enumerate(materials):
        algorithm = f"HMAC_SHA_{spec[-3:]}"
        mac = kms.generate_mac(KeyId=key_id(number), MacAlgorithm=algorithm, Message=MESSAGE)["Mac"]

        mac_of(material, spec).verify(mac)
        with pytest.raises(InvalidSignature):
            mac_of(bytes(len(material)), spec).verify(mac)


def test_a_mac_made_elsewhere_is_taken_and_no_other(seeded):
    server, materials = seeded
    kms = server.client("http", "kms")
    for number, (spec, material) in enumerate(materials):
        wanted = {"KeyId": key_id(number), "MacAlgorithm": f"HMAC_SHA_{spec[-3:]}", "Message": MESSAGE}
        mac = mac_of(material, spec).finalize()

        assert kms.verify_mac(**wanted, Mac=mac)["MacValid"]
        with pytest.raises(ClientError) as refused:
            kms.verify_mac(**wanted, Mac=bytes([mac[0] ^ 1]) + mac[1:])
        assert refused.value.response["Error"]["Code"] == "KMSInvalidMacException"


def fill(server):
    """What a folder has of each kind: a ciphertext after a rotation, a signature, a MAC, an object."""
    kms, s3 = server.client("http", "kms"), server.client("http")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    context = {"team": "red"}
    blob = kms.encrypt(KeyId=key, Plaintext=MESSAGE, EncryptionContext=context)["CiphertextBlob"]
    kms.rotate_key_on_demand(KeyId=key)
    pair = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="cat", Body=MESSAGE, ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/app")
    return {"CiphertextBlob": blob, "EncryptionContext": context}, pair, kms.get_public_key(KeyId=pair)["PublicKey"]


def test_a_folder_that_is_moved_with_its_root_key_opens_all(tmp_path):
    first = Server(tmp_path / "first", folder=tmp_path / "data")
    ciphertext, pair, public = fill(first)
    first.stop()
    shutil.move(tmp_path / "data", tmp_path / "elsewhere")

    second = Server(tmp_path / "second", folder=tmp_path / "elsewhere")
    kms = second.client("http", "kms")

    assert kms.decrypt(**ciphertext)["Plaintext"] == MESSAGE
    assert second.client("http").get_object(Bucket="photos", Key="cat")["Body"].read() == MESSAGE
    assert kms.get_public_key(KeyId=pair)["PublicKey"] == public
    signed = {"KeyId": pair, "SigningAlgorithm": "ECDSA_SHA_256", "Message": MESSAGE}
    assert kms.verify(**signed, Signature=kms.sign(**signed)["Signature"])["SignatureValid"]
    assert load_der_public_key(public).curve.name == "secp256r1"
    second.stop()


def test_a_folder_that_is_moved_without_its_root_key_is_refused_and_told_why(tmp_path):
    first = Server(tmp_path / "first", folder=tmp_path / "data")
    ciphertext, _, _ = fill(first)
    first.stop()
    shutil.copytree(tmp_path / "data", tmp_path / "elsewhere", ignore=shutil.ignore_patterns("root.key", "lock"))

    started = subprocess.run(
        [BINARY, "--listen", "127.0.0.1:0", "--data", tmp_path / "elsewhere"], env={}, capture_output=True, text=True, timeout=20
    )

    assert started.returncode != 0
    assert started.stderr.count("\n") == 1 and "root.key" in started.stderr and "without it the data is lost" in started.stderr
    assert not (tmp_path / "elsewhere" / "root.key").exists()

    shutil.copy(tmp_path / "data" / "root.key", tmp_path / "elsewhere")
    second = Server(tmp_path / "second", folder=tmp_path / "elsewhere")
    assert second.client("http", "kms").decrypt(**ciphertext)["Plaintext"] == MESSAGE
    second.stop()
