"""A server under whose home nothing secret may lie in the clear, and the search for it.

What only the server knows, the material of KMS keys and the data keys of objects, is unwrapped here with the root key, and
then looked for like all else.
"""

import base64
import json
import re

import pytest
from conftest import Server
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY = b"a customer's own key of 32 bytes"
MARKER = b"a marker that must not lie in the clear"
SECRET = "a-secret-that-only-ever-signs"
LARGE = bytes(100_000) + MARKER + bytes(100_000)
SEALED = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
KMS, LAYERS = {"ServerSideEncryption": "aws:kms"}, {"ServerSideEncryption": "aws:kms:dsse"}
ROOT_KEY = b"the root key of an ephemeral run"
# What stands before the sealed part of KMS's ciphertexts: version, key, material, check.
NAME_BYTES = 58


@pytest.fixture(params=["durable", "ephemeral"])
def server(request, tmp_path):
    """A durable server keeps its root key in its folder; an ephemeral one is told it."""
    durable = request.param == "durable"
    running = Server(tmp_path, "--log", "trace", durable=durable, secret=SECRET, root_key=None if durable else ROOT_KEY)
    running.client("http").create_bucket(Bucket="marked")
    yield running
    running.stop()


def forms(secret):
    """A secret as somebody might have written it."""
    encoded = base64.b64encode(secret)
    listed = ", ".join(map(str, secret)).encode()
    return [secret, secret.hex().encode(), secret.hex().upper().encode(), encoded, encoded.rstrip(b"="), base64.urlsafe_b64encode(secret), listed]


def search(server, *secrets):
    """Every file under the server's home that holds a secret, with the secret."""
    server.log.flush()
    hidden = [form for secret in (MARKER, KEY, ROOT_KEY, SECRET.encode(), *secrets) for form in forms(secret)]
    root = server.folder / "root.key"
    hidden_root = forms(root.read_bytes()) if root.exists() else []
    found = []
    for path in [path for path in server.home.rglob("*") if path.is_file()]:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # staged, and published meanwhile
            continue
        found += [(path, form) for form in hidden + (hidden_root if path != root else []) if form in content]
    return found


def opened(key, sealed, context):
    """What a key had wrapped under a context; `None` for another key, another context, and what is no wrapped key."""
    keys = HKDF(SHA256(), 64, None, b"strongroom/aead/1").derive(key)
    data = json.dumps(context, sort_keys=True, separators=(",", ":")).encode()
    body, tag = sealed[:-32], sealed[-32:]
    mac = HMAC(keys[32:], SHA256())
    mac.update(data + body + (8 * len(data)).to_bytes(8, "big"))
    try:
        mac.verify(tag)
    except InvalidSignature:
        return None
    return Cipher(algorithms.AES(keys[:32]), modes.CTR(body[:16])).decryptor().update(body[16:])


def catalogue(server):
    [file] = server.home.rglob("strongroom.redb")
    return file.read_bytes()


def bound_to_materials(server, *keys):
    """The contexts under which the materials of KMS keys are wrapped: each of the catalogue's with each of these keys."""
    materials = {name.decode() for name in re.findall(rb'"id":"([0-9a-f]{64})"', catalogue(server))}
    return [{"strongroom:kms-key": key, "strongroom:material": name} for key in keys for name in materials]


def unwrapped(server, contexts):
    """Every key that lies wrapped in the catalogue: under the root key, and under those that this one opened.

    An ephemeral catalogue lies in memory, so that there is nothing to unwrap.
    """
    root = server.folder / "root.key"
    wrapped = {bytes.fromhex(digits.decode()) for digits in re.findall(rb'"((?:[0-9a-f]{2}){80,})"', catalogue(server))}
    found, fresh = set(), [root.read_bytes() if root.exists() else ROOT_KEY]
    while fresh:
        key = fresh.pop()
        for sealed in [part for whole in wrapped for part in (whole, whole[NAME_BYTES:])]:
            for plain in [opened(key, sealed, context) for context in contexts]:
                if plain and plain not in found:
                    found.add(plain)
                    fresh.append(plain)
    return found


def staged(server):
    """Whether something of an upload lies in staging. A file may go between its name and the look at it."""
    for path in server.home.rglob("staging/*"):
        try:
            if path.stat().st_size > 0:
                return True
        except FileNotFoundError:
            continue
    return False
