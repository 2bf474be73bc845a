"""What must be there beside the bikebox: pose models, a voice, the camera's calibration."""

import asyncio
from pathlib import Path

from firmware_app.doctor.finding import Finding, bad, ok, unused
from firmware_app.errors import SetupError
from firmware_app.real.camera import name_of
from firmware_app.settings import Settings
from firmware_app.speech.engines import find_espeak, find_piper
from firmware_app.vision.lux import read_meter
from firmware_app.vision.models import DETECTOR, LANDMARKS, read_model


def look_at_models(settings: Settings) -> Finding:
    """Tell whether the detector and the models to choose from are there, and whole."""
    folder, wanted = Path(settings.paths.models), settings.vision.model
    there = [name for name, model in LANDMARKS.items() if (folder / model.used).exists()]
    names = [wanted] if wanted != "auto" else there or ["full"]
    for model in (DETECTOR, *(LANDMARKS[name] for name in names)):
        try:
            read_model(folder, model)
        except SetupError as error:
            seen, _, remedy = str(error).rpartition("; ")
            return bad("models", seen, remedy)
    return ok("models", f"detector and {', '.join(names)} in {folder}, whole")


def look_at_lux(settings: Settings) -> Finding:
    """Tell whether this box's camera is the one that was calibrated as a light meter."""
    vision = settings.vision
    if not vision.lux_file:
        return unused("light", "the camera is not calibrated, no lux is told")
    try:
        calibrated = read_meter(Path(vision.lux_file)).camera
    except SetupError as error:
        seen, _, remedy = str(error).rpartition("; ")
        return bad("light", seen, remedy)
    if (there := name_of(vision.camera)) != calibrated:
        return bad(
            "light",
            f'"{calibrated}" was calibrated, "{there}" is plugged in: no lux is told',
            'bikebox calibrate, or [vision] lux_file = ""',
        )
    return ok("light", f"{calibrated}, calibrated")


def look_at_voice(settings: Settings) -> Finding:
    """Tell which engine speaks; espeak-ng must be there for when Piper stumbles."""
    language, wanted = settings.coach.language, settings.speech.engine
    espeak = find_espeak(language, settings.speech.words_per_minute)
    if espeak is None:
        return bad("voice", "no espeak-ng", "apt install espeak-ng")
    python = settings.piper_python
    piper = None if wanted == "espeak-ng" else asyncio.run(find_piper(python, language))
    if wanted == "piper" and piper is None:
        return bad(
            "voice",
            f"no Piper with a voice for {language} at {python}",
            "config/setup/piper FOLDER installs both, or set [speech] engine to auto",
        )
    return ok("voice", (piper or espeak).voice)
