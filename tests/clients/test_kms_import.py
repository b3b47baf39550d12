"""Material that the package `cryptography` makes and wraps, which is OpenSSL: KMS takes it, and works with it as OpenSSL does."""

import base64
import datetime
import hashlib
import hmac
import json
import os

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_public_key

MESSAGE = b"what do ya want for nothing?"
HASHES = {"SHA_1": hashes.SHA1(), "SHA_256": hashes.SHA256()}
DIRECT = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
UNDER_AES = ["RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"]
CURVES = {
    "ECC_NIST_P256": (ec.SECP256R1(), "ECDSA_SHA_256", hashes.SHA256()),
    "ECC_NIST_P384": (ec.SECP384R1(), "ECDSA_SHA_384", hashes.SHA384()),
    "ECC_NIST_P521": (ec.SECP521R1(), "ECDSA_SHA_512", hashes.SHA512()),
    "ECC_SECG_P256K1": (ec.SECP256K1(), "ECDSA_SHA_256", hashes.SHA256()),
}
MACS = {"HMAC_224": (28, "sha224"), "HMAC_256": (32, "sha256"), "HMAC_384": (48, "sha384"), "HMAC_512": (64, "sha512")}
FOREVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


@pytest.fixture
def kms(server, scheme):
    return server.client(scheme, "kms")


def wrap(public, algorithm, material):
    """Material as `algorithm` brings it, to a public key in DER."""
    digest = next(HASHES[name] for name in HASHES if algorithm.endswith(name))
    oaep = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)
    public = load_der_public_key(public)
    if algorithm in DIRECT:
        return public.encrypt(material, oaep)
    aes = os.urandom(32)
    return public.encrypt(aes, oaep) + keywrap.aes_key_wrap_with_padding(aes, material)


def bring(kms, key, material, algorithm="RSAES_OAEP_SHA_256", wrapping="RSA_2048", **members):
    parameters = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping)
    wrapped = wrap(parameters["PublicKey"], algorithm, material)
    members = FOREVER | members
    return kms.import_key_material(KeyId=key, ImportToken=parameters["ImportToken"], EncryptedKeyMaterial=wrapped, **members)


def new_key(kms, spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT"):
    return kms.create_key(Origin="EXTERNAL", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]


def pkcs8(private):
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def code(refused):
    return refused.value.response["Error"]["Code"]


@pytest.mark.parametrize("wrapping", ["RSA_2048", "RSA_3072", "RSA_4096"])
@pytest.mark.parametrize("algorithm", DIRECT)
def test_symmetric_material_comes_and_is_the_same_again(kms, algorithm, wrapping):
    key, material = new_key(kms), os.urandom(32)

    first = bring(kms, key, material, algorithm, wrapping)
    sealed = kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key)
    with pytest.raises(ClientError) as shut:
        kms.decrypt(CiphertextBlob=sealed)
    with pytest.raises(ClientError) as other:
        bring(kms, key, os.urandom(32), algorithm)
    again = bring(kms, key, material, algorithm)

    assert code(shut) == "KMSInvalidStateException"
    assert code(other) == "IncorrectKeyMaterialException"
    assert first["KeyMaterialId"] == again["KeyMaterialId"]
    opened = kms.decrypt(CiphertextBlob=sealed)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (MESSAGE, first["KeyMaterialId"])


@pytest.mark.parametrize("algorithm", DIRECT)
@pytest.mark.parametrize("spec", MACS)
def test_a_mac_is_that_of_the_material(kms, spec, algorithm):
    length, digest = MACS[spec]
    key, material = new_key(kms, spec, "GENERATE_VERIFY_MAC"), os.urandom(length)

    bring(kms, key, material, algorithm)
    mac = kms.generate_mac(KeyId=key, MacAlgorithm=f"HMAC_SHA_{spec[-3:]}", Message=MESSAGE)["Mac"]

    assert mac == hmac.digest(material, MESSAGE, digest)


@pytest.mark.parametrize("algorithm", DIRECT + UNDER_AES)
@pytest.mark.parametrize("spec", CURVES)
def test_a_pair_of_a_curve_signs_as_its_owner_knows_it(kms, spec, algorithm):
    curve, signing, digest = CURVES[spec]
    private = ec.generate_private_key(curve)
    key = new_key(kms, spec, "SIGN_VERIFY")

    bring(kms, key, pkcs8(private), algorithm, "RSA_3072")
    public = kms.get_public_key(KeyId=key)["PublicKey"]
    signature = kms.sign(KeyId=key, SigningAlgorithm=signing, Message=MESSAGE)["Signature"]
    own = private.sign(MESSAGE, ec.ECDSA(digest))

    assert load_der_public_key(public) == private.public_key()
    private.public_key().verify(signature, MESSAGE, ec.ECDSA(digest))
    with pytest.raises(InvalidSignature):
        private.public_key().verify(signature, MESSAGE + b"!", ec.ECDSA(digest))
    assert kms.verify(KeyId=key, SigningAlgorithm=signing, Message=MESSAGE, Signature=own)["SignatureValid"]


def test_a_pair_of_ed25519_signs_as_its_owner_knows_it(kms):
    private = ed25519.Ed25519PrivateKey.generate()
    key = new_key(kms, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY")

    bring(kms, key, pkcs8(private))
    signature = kms.sign(KeyId=key, SigningAlgorithm="ED25519_SHA_512", Message=MESSAGE)["Signature"]

    assert signature == private.sign(MESSAGE)


@pytest.mark.parametrize("algorithm", UNDER_AES)
@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_a_pair_of_rsa_opens_what_others_encrypt(kms, bits, algorithm):
    private = rsa.generate_private_key(65537, bits)
    key = new_key(kms, f"RSA_{bits}")
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    encryption = {"KeyId": key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}

    bring(kms, key, pkcs8(private), algorithm)
    sealed = private.public_key().encrypt(MESSAGE, oaep)
    own = kms.encrypt(Plaintext=MESSAGE, **encryption)["CiphertextBlob"]

    assert kms.decrypt(CiphertextBlob=sealed, **encryption)["Plaintext"] == MESSAGE
    assert private.decrypt(own, oaep) == MESSAGE


def test_material_of_another_kind_is_refused(kms):
    key = new_key(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    wrong = [pkcs8(ec.generate_private_key(ec.SECP384R1())), os.urandom(32), pkcs8(ec.generate_private_key(ec.SECP256R1()))[:-1]]
    rsa_key = new_key(kms, "RSA_3072")

    refusals = []
    for material in wrong:
        with pytest.raises(ClientError) as refused:
            bring(kms, key, material, "RSA_AES_KEY_WRAP_SHA_256")
        refusals.append(code(refused))
    with pytest.raises(ClientError) as shorter:
        bring(kms, rsa_key, pkcs8(rsa.generate_private_key(65537, 2048)), "RSA_AES_KEY_WRAP_SHA_256")

    assert refusals == ["IncorrectKeyMaterialException"] * 3
    assert code(shorter) == "IncorrectKeyMaterialException"


def test_a_changed_byte_is_no_material(kms):
    private = ec.generate_private_key(ec.SECP256R1())
    key = new_key(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    algorithm = "RSA_AES_KEY_WRAP_SHA_256"
    parameters = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
    wrapped = wrap(parameters["PublicKey"], algorithm, pkcs8(private))

    for place in [0, 200, 256, 300, len(wrapped) - 1]:
        changed = wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :]
        with pytest.raises(ClientError) as refused:
            kms.import_key_material(KeyId=key, ImportToken=parameters["ImportToken"], EncryptedKeyMaterial=changed, **FOREVER)
        assert code(refused) == "InvalidCiphertextException", place


def test_objects_open_again_with_their_material(server, s3, kms, bucket):
    key, material = new_key(kms), os.urandom(32)
    bring(kms, key, material)
    sse = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    for name, more in {"plain": {}, "shared": {"BucketKeyEnabled": True}}.items():
        s3.put_object(Bucket=bucket, Key=name, Body=MESSAGE, **sse, **more)

    kms.delete_imported_key_material(KeyId=key)
    for name in ["plain", "shared"]:
        with pytest.raises(ClientError) as refused:
            s3.get_object(Bucket=bucket, Key=name)
        assert code(refused) == "KMS.KMSInvalidStateException"
        assert refused.value.response["Error"]["Message"] == f"{key} is pending import."
    bring(kms, key, material)

    for name in ["plain", "shared"]:
        assert s3.get_object(Bucket=bucket, Key=name)["Body"].read() == MESSAGE
    assert material not in (server.folder / "strongroom.redb").read_bytes()


def test_the_times_of_material_are_told_as_boto3_reads_them(kms):
    key, material = new_key(kms), os.urandom(32)
    valid_to = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=9)

    bring(kms, key, material, ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=valid_to)
    bring(kms, key, os.urandom(32), ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="next")
    listed = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    kms.rotate_key_on_demand(KeyId=key)

    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (metadata["ValidTo"], metadata["ExpirationModel"]) == (valid_to, "KEY_MATERIAL_EXPIRES")
    assert [entry["KeyMaterialState"] for entry in listed] == ["CURRENT", "PENDING_ROTATION"]
    assert (listed[0]["ValidTo"], listed[1]["KeyMaterialDescription"]) == (valid_to, "next")
    assert metadata["CurrentKeyMaterialId"] == listed[1]["KeyMaterialId"]


def test_the_cli_brings_material(server, scheme, tmp_path):
    def aws(*arguments):
        return json.loads(server.aws(scheme, "kms", *arguments, "--output", "json"))

    material, files = hashlib.sha256(MESSAGE).digest(), {name: tmp_path / name for name in ["token", "wrapped"]}
    key = aws("create-key", "--origin", "EXTERNAL")["KeyMetadata"]["KeyId"]
    wrapping = ["--wrapping-algorithm", "RSAES_OAEP_SHA_256", "--wrapping-key-spec", "RSA_2048"]

    parameters = aws("get-parameters-for-import", "--key-id", key, *wrapping)
    files["token"].write_bytes(base64.b64decode(parameters["ImportToken"]))
    files["wrapped"].write_bytes(wrap(base64.b64decode(parameters["PublicKey"]), "RSAES_OAEP_SHA_256", material))
    brought = ["--import-token", f"fileb://{files['token']}", "--encrypted-key-material", f"fileb://{files['wrapped']}"]
    valid_to = ["--expiration-model", "KEY_MATERIAL_EXPIRES", "--valid-to", (datetime.date.today() + datetime.timedelta(9)).isoformat()]
    aws("import-key-material", "--key-id", key, *brought, *valid_to)

    assert aws("describe-key", "--key-id", key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert len(aws("delete-imported-key-material", "--key-id", key)["KeyMaterialId"]) == 64
