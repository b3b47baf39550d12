"""The five stories of docs/examples.md run as they stand there, in the aws CLI and in boto3, and print what their comments say."""

import re
import sys

import pytest
from conftest import ROOT
from documents import block, check, check_python, commands, printed

DOCUMENT = (ROOT / "docs" / "examples.md").read_text()
STORIES = re.findall(r"\n## (.*)\n", DOCUMENT)
# What each begins with: the shell learns where the server is, which runs already.
[ENVIRONMENT] = [line for line, _ in commands(DOCUMENT.split("\n## ")[0].split("```sh\n")[2].split("```")[0])]


@pytest.fixture
def here(shell, server, tmp_path):
    """A shell in a folder in which the server's data are found as `data`."""
    assert (server.folder / "strongroom.redb").is_file()
    (tmp_path / "data").symlink_to(server.folder)

    def run(lines):
        (status, _), *results = shell([ENVIRONMENT, *lines])
        assert status == 0
        return results

    return run


def tell_with_the_cli(here, heading):
    story = commands(block(DOCUMENT, heading, "sh"))
    check(here([line for line, _ in story]), story)


def tell_with_boto3(here, tmp_path, heading):
    code = block(DOCUMENT, heading, "python")
    (tmp_path / "story.py").write_text(code)
    [(status, output)] = here([f"{sys.executable} story.py"])
    assert status == 0, output
    check_python(output, code)


def test_there_are_five_and_each_looks_at_the_disk_and_is_refused():
    assert STORIES == ["SSE-S3", "SSE-KMS", "SSE-C", "Client-side encryption", "A bucket's default"]
    for heading in STORIES:
        told = [comment for _, comment in commands(block(DOCUMENT, heading, "sh"))]
        assert "nothing to read" in told
        assert any(comment.startswith("An error occurred") for comment in told)
        code = block(DOCUMENT, heading, "python")
        assert "True False" in printed(code)
        assert "except" in code


@pytest.mark.parametrize("heading", STORIES)
def test_with_the_aws_cli(here, heading):
    tell_with_the_cli(here, heading)


@pytest.mark.parametrize("heading", STORIES)
def test_with_boto3(here, tmp_path, heading):
    tell_with_boto3(here, tmp_path, heading)


def test_a_story_finds_what_lies_in_the_clear(here, server, tmp_path):
    leak = server.folder / "leak"
    leak.write_text("All work and no play, upon a midnight dreary\n")

    try:
        with pytest.raises(AssertionError, match="nothing to read"):
            tell_with_the_cli(here, "SSE-S3")
        with pytest.raises(AssertionError, match="True True"):
            tell_with_boto3(here, tmp_path, "SSE-S3")
    finally:
        leak.unlink()
