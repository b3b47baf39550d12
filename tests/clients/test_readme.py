"""The README's commands run as they stand there, and print what its comments say."""

import subprocess
import sys

from conftest import ROOT
from documents import block, check, commands, printed, says

README = (ROOT / "README.md").read_text()


def test_with_the_aws_cli(shell):
    story = commands(block(README, "With the aws CLI", "sh"))

    results = shell([line for line, _ in story])

    check(results, story)
    assert [comment for _, comment in story if comment] == ['"ServerSideEncryption": "AES256"', "hello"]


def test_a_key_of_your_own(shell):
    """In the shell of the first story, whose environment it goes on with."""
    first, story = commands(block(README, "With the aws CLI", "sh"))[:1], commands(block(README, "A key of your own", "sh"))

    results = shell([line for line, _ in first + story])

    check(results, first + story)
    assert len([comment for _, comment in story if comment]) == 3


def test_with_boto3(server):
    """At the port that this server took."""
    code = block(README, "With boto3", "python")
    said = printed(code)

    here = code.replace("127.0.0.1:4566", server.address)
    done = subprocess.run([sys.executable, "-c", here], capture_output=True, text=True, check=False)

    assert done.stdout.splitlines() == said, done.stderr
    assert len(said) == 1


def test_with_javascript(server):
    code = block(README, "With JavaScript", "js")
    here = code.replace("127.0.0.1:4566", server.address)
    packages = ROOT / "target" / "clients" / "js"

    done = subprocess.run(["node", "--input-type=module", "-e", here], cwd=packages, capture_output=True, text=True, check=False)

    assert done.stdout.splitlines() == ["aws:kms:dsse"], done.stderr
    assert "// aws:kms:dsse" in code


def test_a_comment_that_is_not_true_is_found():
    assert says('{\n    "A": "1",\n    "B": true\n}', '"A": "1", … true')
    assert not says("secret", "secrets")
    assert not says("one two", "two … one")
