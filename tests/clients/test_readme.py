"""The README's commands run as they stand there, and print what its comments say."""

import os
import re
import subprocess
import sys

import pytest
from conftest import AWS, BINARY, ROOT

README = (ROOT / "README.md").read_text()


def block(heading, language):
    """The code under a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split(f"```{language}\n")[1].split("```")[0]


def commands(code):
    """Each command of a shell block, with what its comment says that it prints."""
    lines = code.replace("\\\n", "").splitlines()
    return [[part.strip() for part in (line + "  # ").split("  # ")[:2]] for line in lines]


def says(output, comment):
    """Whether an output holds what a comment says; white space is free, and an ellipsis stands for anything."""
    parts = [re.escape(part) for part in " ".join(comment.split()).split("…")]
    return re.search(".*".join(parts), " ".join(output.split())) is not None


@pytest.fixture
def shell(server, tmp_path):
    """Runs commands in one bash and gives the status and the output of each; `cargo run --` is the release binary."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "aws").symlink_to(AWS)
    (programs / "cargo").write_text(f'#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec {BINARY} "$@"\n')
    (programs / "cargo").chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path), "STRONGROOM_LISTEN": server.address}

    def run(lines):
        script = "".join(f"{line}\necho \"END $?\"\n" for line in lines)
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(["bash", "-c", script], env=environment, cwd=tmp_path, check=True, **streams)
        parts = re.split(r"END (\d+)\n", done.stdout)
        return list(zip(map(int, parts[1::2]), parts[0::2]))

    return run


def check(results, story):
    """A command fails where its comment tells of an error, and prints what it says."""
    for (status, output), (line, comment) in zip(results, story, strict=True):
        assert (status != 0) == comment.startswith("An error occurred"), (line, output)
        assert says(output, comment), (line, output)


def test_with_the_aws_cli(shell):
    story = commands(block("With the aws CLI", "sh"))

    results = shell([line for line, _ in story])

    check(results, story)
    assert [comment for _, comment in story if comment] == ['"ServerSideEncryption": "AES256"', "hello"]


def test_a_key_of_your_own(shell):
    """In the shell of the first story, whose environment it goes on with."""
    first, story = commands(block("With the aws CLI", "sh"))[:1], commands(block("A key of your own", "sh"))

    results = shell([line for line, _ in first + story])

    check(results, first + story)
    assert len([comment for _, comment in story if comment]) == 3


def test_with_boto3(server):
    """At the port that this server took."""
    code = block("With boto3", "python")
    said = re.findall(r"print\(.*\)  # (.*)", code)

    here = code.replace("127.0.0.1:4566", server.address)
    done = subprocess.run([sys.executable, "-c", here], capture_output=True, text=True, check=False)

    assert done.stdout.splitlines() == said, done.stderr
    assert len(said) == 3


def test_a_comment_that_is_not_true_is_found():
    assert says('{\n    "A": "1",\n    "B": true\n}', '"A": "1", … true')
    assert not says("secret", "secrets")
    assert not says("one two", "two … one")
