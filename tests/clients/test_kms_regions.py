"""Keys of many regions, shared secrets, lattices and custom key stores, by boto3, the aws CLI and the package `cryptography`."""

import base64
import json
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, mlkem
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

CURVES = {"ECC_NIST_P256": ec.SECP256R1, "ECC_NIST_P384": ec.SECP384R1, "ECC_NIST_P521": ec.SECP521R1}
SIGNERS = {"ML_DSA_44": mldsa.MLDSA44PublicKey, "ML_DSA_65": mldsa.MLDSA65PublicKey, "ML_DSA_87": mldsa.MLDSA87PublicKey}
KEMS = {"ML_KEM_768": mlkem.MLKEM768PublicKey, "ML_KEM_1024": mlkem.MLKEM1024PublicKey}
MESSAGE = b"what do ya want for nothing?"


@pytest.fixture
def kms(server, scheme):
    return server.client(scheme, "kms")


@pytest.fixture
def abroad(server, scheme):
    return server.client(scheme, "kms", region_name="eu-west-1")


def new_key(kms, spec, usage):
    """The ARN of a new key, and its public half."""
    key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    return key, load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])


def spki(public):
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_replica_decrypts_what_its_primary_encrypted(kms, abroad):
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    answer = kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1", Tags=[{"TagKey": "a", "TagValue": "b"}])
    blobs = []
    for client in [kms, abroad]:
        blobs.append(client.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"])
        kms.rotate_key_on_demand(KeyId=key)

    opened = [client.decrypt(CiphertextBlob=blob)["Plaintext"] for blob in blobs for client in [kms, abroad]]

    assert opened == [MESSAGE] * 4
    assert answer["ReplicaTags"] == [{"TagKey": "a", "TagValue": "b"}]
    assert answer["ReplicaKeyMetadata"]["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"


def test_the_primary_is_moved_by_the_cli(server, scheme, kms, abroad):
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]

    made = server.aws(scheme, "kms", "replicate-key", "--key-id", key, "--replica-region", "eu-west-1")
    server.aws(scheme, "kms", "update-primary-region", "--key-id", key, "--primary-region", "eu-west-1")
    told = server.aws(scheme, "kms", "describe-key", "--key-id", key)

    assert json.loads(made)["ReplicaKeyMetadata"]["KeyState"] == "Enabled"
    configuration = json.loads(told)["KeyMetadata"]["MultiRegionConfiguration"]
    assert configuration["MultiRegionKeyType"] == "REPLICA"
    assert configuration["PrimaryKey"]["Region"] == "eu-west-1"
    with pytest.raises(ClientError, match="is not a multi-region primary key"):
        kms.replicate_key(KeyId=key, ReplicaRegion="sa-east-1")
    abroad.replicate_key(KeyId=key, ReplicaRegion="sa-east-1")


@pytest.mark.parametrize("spec", CURVES)
def test_openssl_derives_the_same_secret(kms, spec):
    key, public = new_key(kms, spec, "KEY_AGREEMENT")
    ours = ec.generate_private_key(CURVES[spec]())

    answer = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=spki(ours.public_key()))

    assert answer["SharedSecret"] == ours.exchange(ec.ECDH(), public)


@pytest.mark.parametrize("spec", SIGNERS)
def test_a_signature_by_lattices_verifies_elsewhere(kms, spec):
    key, public = new_key(kms, spec, "SIGN_VERIFY")
    asked = {"KeyId": key, "SigningAlgorithm": "ML_DSA_SHAKE_256", "Message": MESSAGE}

    signature = kms.sign(**asked, MessageType="RAW")["Signature"]

    assert isinstance(public, SIGNERS[spec])
    public.verify(signature, MESSAGE)
    with pytest.raises(InvalidSignature):
        public.verify(signature, MESSAGE + b"!")


def raw(server, operation, **members):
    """The answer to an operation that the pinned botocore does not know yet."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{operation}"}
    request = AWSRequest("POST", server.uri("http") + "/", data=json.dumps(members), headers=headers)
    SigV4Auth(Credentials("test", server.secret), "kms", "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, request.data.encode(), dict(request.headers))
    with urllib.request.urlopen(sent, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("spec", KEMS)
def test_a_secret_that_is_encapsulated_elsewhere_is_found(server, spec):
    made = raw(server, "CreateKey", KeySpec=spec, KeyUsage="ENCAPSULATE_DECAPSULATE")
    key = made["KeyMetadata"]["Arn"]
    public = load_der_public_key(base64.b64decode(raw(server, "GetPublicKey", KeyId=key)["PublicKey"]))
    secret, ciphertext = public.encapsulate()
    sent = base64.b64encode(ciphertext).decode()

    answer = raw(server, "Decapsulate", KeyId=key, EncapsulationAlgorithm="ML_KEM", SharedSecretCiphertextBlob=sent)

    assert isinstance(public, KEMS[spec])
    assert base64.b64decode(answer["SharedSecret"]) == secret


def test_the_last_use_of_a_key_is_told(kms):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    before = kms.get_key_last_usage(KeyId=key)
    request = kms.encrypt(KeyId=key, Plaintext=MESSAGE)["ResponseMetadata"]["RequestId"]

    after = kms.get_key_last_usage(KeyId=key)

    assert before["KeyLastUsage"] == {}
    assert before["TrackingStartDate"] == before["KeyCreationDate"]
    assert after["KeyLastUsage"]["Operation"] == "Encrypt"
    assert after["KeyLastUsage"]["KmsRequestId"] == request


def test_custom_key_stores_are_refused_as_by_an_account_without(server, scheme, kms):
    told = server.aws(scheme, "kms", "describe-custom-key-stores")

    assert json.loads(told)["CustomKeyStores"] == []
    with pytest.raises(kms.exceptions.CustomKeyStoreNotFoundException):
        kms.connect_custom_key_store(CustomKeyStoreId="cks-1234567890abcdef0")
    with pytest.raises(kms.exceptions.CloudHsmClusterNotFoundException):
        kms.create_custom_key_store(
            CustomKeyStoreName="mine",
            CloudHsmClusterId="cluster-1a23b4cdefg",
            TrustAnchorCertificate="none",
            KeyStorePassword="kmsPswd",
        )
