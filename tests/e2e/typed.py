"""A page's commands as a person types them: at a terminal, with an answer to each question."""

import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```(sh|toml) ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block that says where it is typed, or which file it is."""

    kind: str
    where: str
    text: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.text.splitlines() if line and not line.startswith("#")]


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page; fail when one says not where it is typed."""
    text = page.read_text()
    found = [Block(*match.groups()) for match in BLOCK.finditer(text)]
    assert len(found) == text.count("\n```") / 2, "a block that does not say where it is typed"
    return found


class Typed(NamedTuple):
    """How a command ended, and all that was on the terminal."""

    code: int
    shown: str


def type_in(
    words: Sequence[str], answers: Mapping[str, str | None], *, within_s: float = 300.0, **env: str
) -> Typed:
    """Run a command at a terminal of its own; answers is question to what is typed.

    None is typed as the last answer was.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(words[0], list(words), {**os.environ, "TERM": "dumb", **env})  # noqa: S606 - the guide's own
    shown, asked, last = "", 0, ""
    try:
        for more in _shown(terminal, time.monotonic() + within_s):
            shown += more
            for question, answer in answers.items():
                if question in shown[asked:]:
                    asked, last = len(shown), last if answer is None else answer
                    os.write(terminal, f"{last}\n".encode())
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    return Typed(os.waitstatus_to_exitcode(status), shown.replace("\r\n", "\n"))


def _shown(terminal: int, end_s: float) -> Iterator[str]:
    while True:
        if time.monotonic() > end_s:
            raise TimeoutError("it does not end")
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                more = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                return
            if not more:
                return
            yield more.decode(errors="replace")
