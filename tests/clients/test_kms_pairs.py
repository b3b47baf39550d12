"""Key pairs of KMS, held to the package `cryptography`, which is OpenSSL: what the one makes, the other takes."""

import base64

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

MESSAGE = b"what do ya want for nothing?"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
OAEP = {"RSAES_OAEP_SHA_1": hashes.SHA1(), "RSAES_OAEP_SHA_256": hashes.SHA256()}
CURVES = {
    "ECC_NIST_P256": ("secp256r1", "ECDSA_SHA_256"),
    "ECC_NIST_P384": ("secp384r1", "ECDSA_SHA_384"),
    "ECC_NIST_P521": ("secp521r1", "ECDSA_SHA_512"),
    "ECC_SECG_P256K1": ("secp256k1", "ECDSA_SHA_256"),
}
RSA_SIGNATURES = [f"RSASSA_{kind}_SHA_{size}" for kind in ["PKCS1_V1_5", "PSS"] for size in HASHES]


@pytest.fixture
def kms(server, scheme):
    return server.client(scheme, "kms")


def hash_of(algorithm):
    return HASHES[algorithm[-3:]]


def digest_of(algorithm):
    made = hashes.Hash(hash_of(algorithm))
    made.update(MESSAGE)
    return made.finalize()


def rsa_padding(algorithm):
    if "PKCS1" in algorithm:
        return padding.PKCS1v15()
    return padding.PSS(mgf=padding.MGF1(hash_of(algorithm)), salt_length=padding.PSS.DIGEST_LENGTH)


def oaep(algorithm):
    return padding.OAEP(mgf=padding.MGF1(OAEP[algorithm]), algorithm=OAEP[algorithm], label=None)


def new_key(kms, spec, usage):
    """The ARN of a new key, and its public half."""
    key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    return key, load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])


def sign(kms, key, algorithm, message=MESSAGE, kind="RAW"):
    return kms.sign(KeyId=key, SigningAlgorithm=algorithm, Message=message, MessageType=kind)["Signature"]


@pytest.mark.parametrize("spec", CURVES)
def test_a_signature_of_a_curve_verifies_elsewhere(kms, spec):
    curve, algorithm = CURVES[spec]
    key, public = new_key(kms, spec, "SIGN_VERIFY")
    assert public.curve.name == curve

    for message, kind in [(MESSAGE, "RAW"), (digest_of(algorithm), "DIGEST")]:
        signature = sign(kms, key, algorithm, message, kind)
        public.verify(signature, MESSAGE, ec.ECDSA(hash_of(algorithm)))
        with pytest.raises(InvalidSignature):
            public.verify(signature, MESSAGE + b"!", ec.ECDSA(hash_of(algorithm)))


@pytest.mark.parametrize("algorithm", RSA_SIGNATURES)
def test_a_signature_of_rsa_verifies_elsewhere(kms, algorithm):
    key, public = new_key(kms, "RSA_2048", "SIGN_VERIFY")
    assert (public.key_size, public.public_numbers().e) == (2048, 65537)

    for message, kind in [(MESSAGE, "RAW"), (digest_of(algorithm), "DIGEST")]:
        signature = sign(kms, key, algorithm, message, kind)
        public.verify(signature, MESSAGE, rsa_padding(algorithm), hash_of(algorithm))
        with pytest.raises(InvalidSignature):
            public.verify(signature, MESSAGE + b"!", rsa_padding(algorithm), hash_of(algorithm))


def test_a_signature_of_ed25519_verifies_elsewhere(kms):
    key, public = new_key(kms, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    assert isinstance(public, ed25519.Ed25519PublicKey)

    signature = sign(kms, key, "ED25519_SHA_512")

    public.verify(signature, MESSAGE)
    with pytest.raises(InvalidSignature):
        public.verify(signature, MESSAGE + b"!")


@pytest.mark.parametrize("algorithm", OAEP)
def test_what_is_encrypted_elsewhere_opens(kms, algorithm):
    key, public = new_key(kms, "RSA_2048", "ENCRYPT_DECRYPT")

    sealed = public.encrypt(b"secret", oaep(algorithm))
    opened = kms.decrypt(KeyId=key, EncryptionAlgorithm=algorithm, CiphertextBlob=sealed)

    assert opened["Plaintext"] == b"secret"
    with pytest.raises(ClientError) as refused:
        changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        kms.decrypt(KeyId=key, EncryptionAlgorithm=algorithm, CiphertextBlob=changed)
    assert refused.value.response["Error"]["Code"] == "InvalidCiphertextException"


@pytest.mark.parametrize("spec", [*CURVES, "RSA_2048", "ECC_NIST_EDWARDS25519"])
def test_the_halves_of_a_data_key_pair_belong_together(kms, spec):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    context = {"team": "red"}

    made = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec, EncryptionContext=context)

    sealed = made["PrivateKeyCiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"] == made["PrivateKeyPlaintext"]
    private, public = load_der_private_key(made["PrivateKeyPlaintext"], None), load_der_public_key(made["PublicKey"])
    assert private.public_key() == public
    if isinstance(private, rsa.RSAPrivateKey):
        assert public.key_size == 2048
        for algorithm in OAEP:
            assert private.decrypt(public.encrypt(b"secret", oaep(algorithm)), oaep(algorithm)) == b"secret"


def test_a_signature_that_somebody_else_normalised_verifies(kms):
    """Of the two signatures that differ in the sign of `s`, AWS takes either; many libraries make the smaller one."""
    key, _ = new_key(kms, "ECC_SECG_P256K1", "SIGN_VERIFY")
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    algorithm = "ECDSA_SHA_256"

    r, s = utils.decode_dss_signature(sign(kms, key, algorithm))
    for signature in [utils.encode_dss_signature(r, s), utils.encode_dss_signature(r, order - s)]:
        verified = kms.verify(KeyId=key, SigningAlgorithm=algorithm, Message=MESSAGE, Signature=signature)
        assert verified["SignatureValid"]


def test_the_cli_signs_what_the_cli_verifies(server, scheme, tmp_path):
    def aws(*arguments):
        return server.aws(scheme, "kms", *arguments, "--output", "text").strip()

    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(MESSAGE)
    key = aws("create-key", "--key-spec", "ECC_NIST_P256", "--key-usage", "SIGN_VERIFY", "--query", "KeyMetadata.Arn")
    asked = ["--key-id", key, "--signing-algorithm", "ECDSA_SHA_256", "--message", f"fileb://{message}"]

    signature.write_bytes(base64.b64decode(aws("sign", *asked, "--query", "Signature")))
    verified = aws("verify", *asked, "--signature", f"fileb://{signature}", "--query", "SignatureValid")
    message.write_bytes(MESSAGE + b"!")
    asked = ["kms", "verify", *asked, "--signature", f"fileb://{signature}"]
    refused = server.aws(scheme, *asked, check=False)

    assert verified == "True"
    assert "An error occurred (KMSInvalidSignatureException) when calling the Verify operation" in refused.stderr
