"""The code blocks of the documents: what they hold, and whether what they print is what their comments say."""

import re


def block(text, heading, language):
    """The code of one language under a heading."""
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split(f"```{language}\n")[1].split("```")[0]


def commands(code):
    """Each command of a shell block, with what its comment says that it prints."""
    lines = code.replace("\\\n", "").splitlines()
    return [[part.strip() for part in (line + "  # ").split("  # ")[:2]] for line in lines]


def printed(code):
    """What the comments of a block of Python say that it prints, in their order."""
    return re.findall(r"print\(.*\)  # (.*)", code)


def says(output, comment, whole=False):
    """Whether an output holds, or is, what a comment says; white space is free, and an ellipsis stands for anything."""
    parts = [re.escape(part) for part in " ".join(comment.split()).split("…")]
    found = re.fullmatch if whole else re.search
    return found(".*".join(parts), " ".join(output.split())) is not None


def check(results, story):
    """A command fails where its comment tells of an error, and prints what it says."""
    for (status, output), (line, comment) in zip(results, story, strict=True):
        assert (status != 0) == comment.startswith("An error occurred"), (line, output)
        assert says(output, comment), (line, output)


def check_python(output, code):
    """It prints what its comments say, and nothing else."""
    for line, comment in zip(output.splitlines(), printed(code), strict=True):
        assert says(line, comment, whole=True), (comment, output)
