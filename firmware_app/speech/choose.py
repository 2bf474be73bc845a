"""Chooses the voice a bike speaks with, from its settings and what is installed."""

from pathlib import Path

import structlog

from firmware_app.settings import Settings
from firmware_app.speech.engines import Engine, find_espeak, find_piper
from firmware_app.speech.voice import Voice

log = structlog.get_logger()


async def choose_voice(settings: Settings, spare: Path) -> Voice:
    """Return the voice; clips are kept under <state>/voice, or in spare when that is not ours."""
    wanted, language = settings.speech, settings.coach.language
    quick = find_espeak(language, wanted.words_per_minute)
    best: Engine | None = quick
    if wanted.engine in ("auto", "piper"):
        python = settings.piper_python
        best = await find_piper(python, language) or quick
    name = best.name if best is not None else ""
    if wanted.engine not in ("auto", name):
        log.warning("voice_missing", wanted=wanted.engine, instead=name or "words on the screen")
    elif not name:
        log.warning("voice_missing", wanted="espeak-ng", remedy="apt install espeak-ng")
    return Voice(best, quick if quick is not best else None, _home(settings, spare))


def _home(settings: Settings, spare: Path) -> Path:
    folder = Path(settings.paths.state) / "voice"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.warning("voice_not_kept", folder=str(folder), why=str(error))
        return spare
    return folder
