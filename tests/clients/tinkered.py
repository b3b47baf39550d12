"""What docs/storage.md says, done with Google's Tink: from a data folder's root key to the plaintext of its objects.

Nothing here asks the server. Rows are found in the catalogue's file as the JSON that they are, small bodies as the bytes that open.
"""

import hashlib
import io
import json

import tink
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from tink import aead, proto_keyset_format, secret_key_access, streaming_aead
from tink.proto import aes_ctr_hmac_aead_pb2, aes_ctr_hmac_streaming_pb2, aes_ctr_pb2, common_pb2, hmac_pb2, tink_pb2

aead.register()
streaming_aead.register()

HMAC = hmac_pb2.HmacParams(hash=common_pb2.SHA256, tag_size=32)
STREAMING = aes_ctr_hmac_streaming_pb2.AesCtrHmacStreamingParams(
    ciphertext_segment_size=65_536, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256, hmac_params=HMAC
)
# What stands in a ciphertext of KMS before that which a material sealed.
NAME_BYTES, CHECK_BYTES = 50, 8
MOST_IN_CATALOGUE = 4_096


def primitive(kind, name, key):
    """Tink's primitive of a raw key."""
    data = tink_pb2.KeyData(
        type_url=f"type.googleapis.com/google.crypto.tink.{name}",
        value=key.SerializeToString(),
        key_material_type=tink_pb2.KeyData.SYMMETRIC,
    )
    only = tink_pb2.Keyset.Key(key_data=data, status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW)
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[only]).SerializeToString()
    return proto_keyset_format.parse(keyset, secret_key_access.TOKEN).primitive(kind)


def canonical(context):
    return json.dumps(context, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def open_small(key, associated_data, sealed):
    """The construction for wrapped keys."""
    keys = HKDF(SHA256(), 64, None, b"strongroom/aead/1").derive(key)
    made = aes_ctr_hmac_aead_pb2.AesCtrHmacAeadKey(
        aes_ctr_key=aes_ctr_pb2.AesCtrKey(params=aes_ctr_pb2.AesCtrParams(iv_size=16), key_value=keys[:32]),
        hmac_key=hmac_pb2.HmacKey(params=HMAC, key_value=keys[32:]),
    )
    return primitive(aead.Aead, "AesCtrHmacAeadKey", made).decrypt(sealed, associated_data)


def open_body(key, name, sealed):
    """The construction for bodies; raises `tink.TinkError` where a tag does not fit."""
    made = aes_ctr_hmac_streaming_pb2.AesCtrHmacStreamingKey(key_value=key, params=STREAMING)
    stream = primitive(streaming_aead.StreamingAead, "AesCtrHmacStreamingKey", made)
    with stream.new_decrypting_stream(io.BytesIO(sealed), name.encode()) as opened:
        return opened.read()


def object_context(bucket, key):
    return {"aws:s3:arn": f"arn:aws:s3:::{bucket}/{key}"}


class Folder:
    """A data folder, as anybody can read it who has its root key."""

    def __init__(self, path):
        self.path = path
        self.root = (path / "root.key").read_bytes()
        self.catalogue = (path / "strongroom.redb").read_bytes()

    def rows(self, start):
        """Every row of the catalogue whose JSON begins so, those of the past too: the file keeps some."""
        reader, place, found = json.JSONDecoder(), self.catalogue.find(start), []
        while place >= 0:
            text = self.catalogue[place : place + 100_000].decode("utf-8", "replace")
            try:
                found.append(reader.raw_decode(text)[0])
            except json.JSONDecodeError:  # a row of the past, written over in part
                pass
            place = self.catalogue.find(start, place + 1)
        return found

    def versions(self, key):
        """The rows of all that was ever kept under a key, which has to be the only one of its name in any bucket; the newest last."""
        rows = self.rows(b'{"key":' + json.dumps(key, ensure_ascii=False).encode() + b",")
        found = {json.dumps(row, sort_keys=True): row for row in rows if "content" in row}
        return sorted(found.values(), key=lambda row: row.get("place", 0))

    def object(self, key):
        """The row of an object that was written once."""
        [row] = self.versions(key)
        return row

    def parts(self):
        """The parts of the one object of the folder that came in parts, in their order."""
        found = {row["start"]: row["part"] for row in self.rows(b'{"start":') if "part" in row}
        return [found[start] for start in sorted(found)]

    def material(self, key_id, name):
        """A generation of a KMS key, which lies wrapped in its row."""
        rows = self.rows(b'{"id":"' + key_id.encode() + b'"')
        [wrapped] = {made["wrapped"] for row in rows for made in row["materials"] if made["id"] == name}
        context = {"strongroom:kms-key": key_id, "strongroom:material": name}
        return open_small(self.root, canonical(context), bytes.fromhex(wrapped))

    def decrypt(self, ciphertext, context):
        """What KMS had encrypted."""
        name, check, sealed = ciphertext[:NAME_BYTES], ciphertext[NAME_BYTES:][:CHECK_BYTES], ciphertext[NAME_BYTES + CHECK_BYTES :]
        assert check == hashlib.sha256(name).digest()[:CHECK_BYTES]
        assert name[:2] == b"\x01\x00", "a key of one region"
        digits = name[2:18].hex()
        key_id = "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
        return open_small(self.material(key_id, name[18:].hex()), canonical(context), sealed)

    def kms_key(self, wrapping, context):
        """A data key that came from KMS, itself or under a bucket key."""
        opened = self.decrypt(bytes.fromhex(wrapping["ciphertext"]), wrapping["context"])
        if wrapping["under_bucket_key"] is None:
            return opened
        return open_small(opened, canonical(context), bytes.fromhex(wrapping["under_bucket_key"]))

    def data_keys(self, bucket, row):
        """The mode of an object and the keys of its layers, the outermost first."""
        [(mode, sealing)] = row["content"]["sealing"].items()
        context = object_context(bucket, row["key"])
        if mode == "SseKms":
            return mode, [self.kms_key(sealing, context)]
        own = open_small(self.root, canonical(context), bytes.fromhex(sealing["wrapped_key"]))
        return mode, [own] + ([self.kms_key(sealing["kms"], context)] if mode == "DsseKms" else [])

    def open_blob(self, keys, blob):
        """The plaintext of a body, from its file or from the catalogue."""
        name = blob["id"]
        if blob["place"] == "File":
            opened = (self.path / "blobs" / name[:2] / name).read_bytes()
            assert len(opened) == blob["sealed_bytes"] > MOST_IN_CATALOGUE
        else:
            opened = self.small_body(keys[0], name, blob["sealed_bytes"])
        for key in keys:
            opened = open_body(key, name, opened)
        return opened

    def small_body(self, key, name, size):
        """The one place of the catalogue at which a body of this size and name begins: its first byte is 40."""
        place = self.catalogue.find(b"\x28")
        while place >= 0:
            sealed = self.catalogue[place : place + size]
            try:
                open_body(key, name, sealed)
                return sealed
            except tink.TinkError:
                place = self.catalogue.find(b"\x28", place + 1)
        raise AssertionError(f"no body {name} in the catalogue")
