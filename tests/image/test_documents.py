"""What docs/image.md shows runs as it stands there, and prints what its comments say."""

import os
import pathlib
import subprocess
import sys

from conftest import ROOT

sys.path.append(str(ROOT / "tests" / "clients"))
from documents import block, check, check_python, commands  # noqa: E402

DOCUMENT = (ROOT / "docs" / "image.md").read_text()


def shell(story, home):
    """Runs commands in one shell; gives the status and the output of each."""
    # Not this machine's settings of AWS.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {**clean, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home)}
    script = "".join(f"{line}\necho \"END $?\"\n" for line, _ in story)
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    outputs, results = "", []
    for line in done.stdout.splitlines(keepends=True):
        if line.startswith("END "):
            results.append((int(line.split()[1]), outputs))
            outputs = ""
        else:
            outputs += line
    assert all(status == 0 for status, _ in results), (results, done.stderr)
    return results


def test_run_it(tmp_path):
    story = commands(block(DOCUMENT, "Run it", "sh"))

    check(shell(story, tmp_path), story)

    assert len([comment for _, comment in story if comment]) == 3


def test_keep_what_it_is_given(tmp_path):
    story = commands(block(DOCUMENT, "Keep what it is given", "sh"))

    check(shell(story, tmp_path), story)


def test_buckets_keys_and_seeds(tmp_path):
    story = commands(block(DOCUMENT, "Buckets, keys and seeds", "sh"))

    check(shell(story, tmp_path), story)

    assert len([comment for _, comment in story if comment]) == 2


def test_testcontainers_for_python():
    code = block(DOCUMENT, "Testcontainers for Python", "python")

    # Its reaper is an image of a registry's.
    environment = {**os.environ, "TESTCONTAINERS_RYUK_DISABLED": "true"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    check_python(done.stdout, code)
