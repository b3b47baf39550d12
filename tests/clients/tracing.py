"""The system calls of a server, in the order in which they began and ended, and what of its folder is on the disk at any of them.

The rules are POSIX's: what was written to a file is on the disk once the file was synced, and a name once the folder that holds
it was synced.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import time

# Those with a question mark are not on every processor.
STEPS = "openat,?open,mkdirat,?mkdir,?rename,?renameat,renameat2,linkat,?link,unlinkat,?unlink,ftruncate,write,pwrite64,fsync,fdatasync"
CALLS = f"{STEPS},writev,sendto,sendmsg"
FLAGS = ["-f", "-D", "-yy", "-s", "64", "-e", "signal=none", "-e", f"trace={CALLS}"]
LINE = re.compile(r"^(\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>(?P<rest>.*)|(?P<name>\w+)\((?P<text>.*))$")
UNFINISHED = " <unfinished ...>"


def strace(*arguments):
    """Becomes a server that is traced; `arguments` are strace's."""
    assert shutil.which("strace"), "strace is missing: install strace"
    return ["strace", *arguments]


@dataclasses.dataclass
class Call:
    """One call, at its beginning or its end."""

    name: str
    text: str
    ended: bool

    @property
    def paths(self):
        """Those that it names, and the one of its descriptor."""
        return [pathlib.Path(path) for path in re.findall(r'"(/[^"]*)"', self.text)]

    @property
    def file(self):
        """The path of its descriptor, as `-yy` tells it."""
        found = re.match(r"\d+<(/[^>]*)>", self.text)
        return pathlib.Path(found[1]) if found else None

    @property
    def failed(self):
        return re.search(r"= -1 E", self.text) is not None


def calls(trace):
    """Begins and ends of all calls, in order. Waits until the tracer has written the last one."""
    deadline = time.monotonic() + 20
    while "+++" not in (text := trace.read_text()).rsplit("\n", 2)[-2:][0]:
        assert time.monotonic() < deadline, "the tracer has not ended"
        time.sleep(0.01)
    begun = {}
    for line in text.splitlines():
        parts = LINE.match(line)
        if not parts:
            continue
        thread = parts[1]
        if parts["resumed"]:
            before = begun.pop(thread, None)
            if before:
                yield Call(before.name, before.text + parts["rest"], True)
            continue
        call = Call(parts["name"], parts["text"].removesuffix(UNFINISHED), False)
        yield call
        if parts["text"].endswith(UNFINISHED):
            begun[thread] = call
        else:
            yield dataclasses.replace(call, ended=True)


class Disk:
    """What below a folder is not on the disk yet: the content of files, and names. Each has the number of the call that made it so."""

    def __init__(self, top):
        self.top, self.content, self.names, self.syncs, self.number = top, {}, {}, {}, 0
        self.known = {path for path in [top, *top.rglob("*")] if path.exists()}

    def see(self, call):
        """Takes a call into account: a change when it begins, a sync when it ends, and then for what came before it began."""
        self.number += 1
        if call.name in ("fsync", "fdatasync"):
            return self.sync(call)
        if call.failed or (not call.ended and call.name not in ("write", "pwrite64", "writev", "ftruncate")):
            return None
        if call.name in ("write", "pwrite64", "writev", "ftruncate"):
            if call.file and self.is_below(call.file) and not call.ended:
                self.content[call.file] = self.number
        elif call.name.startswith("open") and "O_CREAT" in call.text:
            self.name(call.paths[0])
        elif call.name.startswith("mkdir"):
            self.name(call.paths[0])
        elif call.name.startswith(("rename", "link")):
            source, target = call.paths[:2]
            if source in self.content:
                self.content[target] = self.content[source]
            self.name(target)
            if call.name.startswith("rename"):
                self.forget(source)
        elif call.name.startswith("unlink"):
            self.forget(call.paths[0])
        return None

    def sync(self, call):
        key = (call.name, call.text.split(")")[0])
        if not call.ended:
            self.syncs[key] = self.number
            return
        began = self.syncs.pop(key)
        if call.failed:
            return
        if self.content.get(call.file, began) < began:
            del self.content[call.file]
        if call.name == "fsync":
            self.names = {path: since for path, since in self.names.items() if path.parent != call.file or since > began}

    def name(self, path):
        if self.is_below(path) and path not in self.known:
            self.known.add(path)
            self.names[path] = self.number

    def forget(self, path):
        for kept in (self.content, self.names):
            kept.pop(path, None)
        self.known.discard(path)

    def is_below(self, path):
        return os.path.commonpath([path, self.top]) == str(self.top)

    def missing(self):
        """What a power cut would take now."""
        return set(self.content) | set(self.names)
