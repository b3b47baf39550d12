"""What test_crt.py starts: puts and reads in the bucket that it is given, and names each thing that has gone well."""

import base64
import sys

import awscrt.checksums
import boto3
import botocore.auth
import requests

DIGITS = b"123456789"
#: The published checksums of the nine digits.
PUBLISHED = {"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg="}
ALGORITHMS = [*PUBLISHED, "SHA1", "SHA256"]


def crc64(body):
    return base64.b64encode(awscrt.checksums.crc64nvme(body).to_bytes(8, "big")).decode()


def check_checksums(s3, bucket):
    """boto3 sends them in a trailer over HTTPS and in a header over HTTP, and verifies what it reads."""
    for algorithm in ALGORITHMS:
        put = s3.put_object(Bucket=bucket, Key=algorithm, Body=DIGITS, ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
        value = put[f"Checksum{algorithm}"]
        assert got["Body"].read() == DIGITS
        assert (got[f"Checksum{algorithm}"], got["ChecksumType"]) == (value, "FULL_OBJECT"), algorithm
        assert value == PUBLISHED.get(algorithm, value), algorithm


def check_parts(s3, bucket):
    bodies = [bytes(5 * 1024 * 1024), DIGITS]
    which = {"Bucket": bucket, "Key": "parts"}
    begun = s3.create_multipart_upload(**which, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
    upload = {**which, "UploadId": begun["UploadId"]}
    parts = []
    for number, body in enumerate(bodies, 1):
        part = s3.upload_part(**upload, PartNumber=number, Body=body, ChecksumAlgorithm="CRC64NVME")
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC64NVME": part["ChecksumCRC64NVME"]})
    whole = crc64(b"".join(bodies))

    claims = {"ChecksumCRC64NVME": whole, "ChecksumType": "FULL_OBJECT"}
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **claims)

    assert done["ChecksumCRC64NVME"] == whole
    assert s3.get_object(**which, ChecksumMode="ENABLED")["Body"].read() == b"".join(bodies)


def check_links(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"hello")
    s3.put_object(Bucket=bucket, Key="other", Body=b"hidden")

    link = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"}, ExpiresIn=60)

    bent = requests.get(link.replace("/key?", "/other?"), timeout=10)
    assert requests.get(link, timeout=10).content == b"hello"
    assert (bent.status_code, "SignatureDoesNotMatch" in bent.text) == (403, True)


def main(bucket):
    assert botocore.auth.AUTH_TYPE_MAPS["s3v4"].__module__ == "botocore.crt.auth"
    s3 = boto3.client("s3", config=boto3.session.Config(signature_version="s3v4"))
    for check in [check_checksums, check_parts, check_links]:
        check(s3, bucket)
        print(check.__name__.removeprefix("check_"))


main(sys.argv[1])
