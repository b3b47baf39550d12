"""boto3 with AWS's C runtime, which signs for it and has the checksums that boto3 lacks.

boto3 asks whether the runtime is there when it is loaded; so the client is a process of its own.
"""

import os
import pathlib
import subprocess
import sys

CLIENT = pathlib.Path(__file__).with_name("crt_client.py")


def test_boto3_with_the_c_runtime(server, scheme, bucket):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **kept,
        "BOTO_DISABLE_CRT": "false",
        "AWS_ENDPOINT_URL": server.uri(scheme),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": server.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CA_BUNDLE": str(server.ca),
        "REQUESTS_CA_BUNDLE": str(server.ca),
    }

    done = subprocess.run([sys.executable, CLIENT, bucket], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["checksums", "parts", "links"]
