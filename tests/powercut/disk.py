"""A disk that keeps only what it was made to keep, from the calls that strace saw.

What was written and not synced may be there after a cut, or not, or in part and in any order: each
512-byte sector of it for itself. A new file whose folder was not synced may be gone; a deleted one
may be back.
"""

import re
import subprocess
from typing import NamedTuple

SECTOR = 512
CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,unlink,close"
_CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Call(NamedTuple):
    """One call that changed a file below the traced folder."""

    kind: str
    path: str
    at: int = 0
    data: bytes = b""


def traced(command, folder, log, cwd):
    """Run a command under strace; return its calls on files below folder, in order."""
    options = ("-f", "-qq", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", log)
    subprocess.run(["strace", *options, *command], check=True, cwd=cwd)
    with log.open(encoding="ascii") as lines:
        return list(_calls(lines, f"{folder}"))


def _calls(lines, folder):
    open_files: dict[int, str] = {}
    for line in lines:
        seen = _CALL.match(line)
        if seen is None or int(seen[3]) < 0:
            continue
        kind, words, answer = seen[1], seen[2], int(seen[3])
        texts = [bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(words)]
        if kind in ("openat", "unlink"):
            path = texts[0].decode()
            ours = path.startswith(folder)
            if kind == "openat":
                open_files[answer] = path if ours else ""
            if ours and (kind == "unlink" or "O_CREAT" in words):
                yield Call("unlink" if kind == "unlink" else "create", path)
            continue
        fd, at = int(words.split(",")[0]), words.rsplit(",", 1)[1:]
        path = open_files.pop(fd, "") if kind == "close" else open_files.get(fd, "")
        if path and kind != "close":
            yield _change(kind, path, at, texts)


def _change(kind, path, at, texts):
    match kind:
        case "write":
            return Call("append", path, data=texts[0])
        case "pwrite64":
            return Call("write", path, int(at[0]), texts[0])
        case "ftruncate":
            return Call("truncate", path, int(at[0]))
    return Call("sync", path)


class _File:
    def __init__(self):
        self.kept = bytearray()
        self.pending: list[Call] = []
        self.size = 0
        self.named = False
        """Is its name on the disk."""
        self.deleted = False


class Disk:
    """Files as the programs see them, and as they would be after a cut."""

    def __init__(self):
        self._files: dict[str, _File] = {}

    def take(self, call):
        """Take in one call."""
        if call.kind == "sync" and call.path not in self._files:
            self._sync_folder(call.path)
            return
        file = self._files.setdefault(call.path, _File())
        match call.kind:
            case "create":
                if file.deleted:
                    file = self._files[call.path] = _File()
            case "append":
                file.pending.append(call._replace(kind="write", at=file.size))
                file.size += len(call.data)
            case "write":
                file.pending.append(call)
                file.size = max(file.size, call.at + len(call.data))
            case "truncate":
                file.pending.append(call)
                file.size = call.at
            case "unlink":
                file.deleted = True
            case "sync":
                for each in file.pending:
                    _apply(file.kept, each)
                file.pending.clear()

    def _sync_folder(self, folder):
        for path, file in list(self._files.items()):
            if path.rsplit("/", 1)[0] == folder:
                file.named = True
                if file.deleted:
                    del self._files[path]

    def cut(self, chance):
        """Return path to content as a power cut at this moment may leave them."""
        greed = chance.choice((0.0, 0.5, 0.9, 1.0))
        left = {}
        for path, file in self._files.items():
            if (file.deleted or not file.named) and chance.random() < 0.5:
                continue
            content = bytearray(file.kept)
            for call in file.pending:
                for part in _sectors(call):
                    if chance.random() < greed:
                        _apply(content, part)
            left[path] = bytes(content)
        return left


def _sectors(call):
    if call.kind == "truncate":
        yield call
        return
    at, data = call.at, call.data
    while data:
        size = SECTOR - at % SECTOR
        yield Call("write", call.path, at, data[:size])
        at, data = at + size, data[size:]


def _apply(content, call):
    if call.kind == "truncate":
        del content[call.at :]
        content.extend(bytes(call.at - len(content)))
    else:
        content.extend(bytes(max(call.at - len(content), 0)))
        content[call.at : call.at + len(call.data)] = call.data
