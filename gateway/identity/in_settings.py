"""Writes a few settings into bikebox.toml and leaves every other line, comments too, as it is."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from firmware_app.errors import BadInput
from firmware_app.settings import read_settings

Changes = Mapping[tuple[str, str], str | bool]
"""(section, key) to value; section "" is the top of the file."""


def with_changes(text: str, changes: Changes) -> str:
    """Return the file's text with these settings in it."""
    lines = text.splitlines()
    for (section, key), value in changes.items():
        begin, end = _section(lines, section)
        told = f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for at in range(begin, end):
            if re.match(rf"{key}\s*=", lines[at].strip()):
                lines[at] = told
                break
        else:
            while end > begin and not lines[end - 1].strip():
                end -= 1
            lines.insert(end, told)
    return "\n".join(lines) + "\n"


def change_settings(path: Path, changes: Changes) -> None:
    """Write them, all at once and only if the file can be read after it; raise SetupError."""
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = with_changes(before, changes)
        read_settings(after, str(path))
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(after, encoding="utf-8")
        if path.exists():
            fresh.chmod(path.stat().st_mode & 0o777)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}; try as root") from error


def _section(lines: list[str], section: str) -> tuple[int, int]:
    """Return the lines of a section, which is added when it is not there."""
    heads = [at for at, line in enumerate(lines) if re.match(r"\s*\[", line)]
    if not section:
        return 0, heads[0] if heads else len(lines)
    for at in heads:
        if re.match(rf"\s*\[\s*{section}\s*\]", lines[at]):
            later = [head for head in heads if head > at]
            return at + 1, later[0] if later else len(lines)
    lines += ["", f"[{section}]"]
    return len(lines), len(lines)
