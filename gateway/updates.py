"""What the updater on this box has to say: into the console and the screen, the audit, the studio.

The updater lives outside the releases and knows nothing of us; its two files are read.
"""

import json
from pathlib import Path

import structlog

from gateway.store import Store

log = structlog.get_logger()

FOLDER = Path("/var/lib/bikebox-update")
WENT_WRONG = ("putting-back", "put-back", "interrupted", "mended")
"""Steps after which somebody should know why; a refusal is told to whoever asked."""
BY_HAND = ": rolled back by "
"""A technician wished it: nothing is wrong, and the audit has the name."""
LONGEST_WORDS = 200


class Updates:
    """Looks once a second, and reads only what has changed."""

    def __init__(self, store: Store, folder: Path = FOLDER) -> None:
        self._store = store
        self._folder = folder
        self._seen: tuple[float, float] | None = None
        self.wrong = ""
        """Why an update went back, in words; empty when none did."""

    @property
    def parts(self) -> dict[str, str]:
        """The part "update" as the console has it; nothing on a box without an updater."""
        return {} if self._seen is None else {"update": self.wrong or "ok"}

    def look(self) -> None:
        """Read what is new; raise PartLost when the store takes nothing."""
        try:
            state, audit = self._folder / "state.json", self._folder / "audit.jsonl"
            seen = (state.stat().st_mtime, audit.stat().st_mtime if audit.exists() else 0.0)
            if seen == self._seen:
                return
            told = json.loads(state.read_text(encoding="utf-8"))
            why = str(told["why"])[:LONGEST_WORDS]
            wrong = why if told["step"] in WENT_WRONG and BY_HAND not in why else ""
            lines = audit.read_text(encoding="utf-8").splitlines() if seen[1] else []
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("updater_unreadable", why=str(error))
            return
        self._store.note_once("updates", lines)
        self._seen, self.wrong = seen, wrong
