"""The real Piper speaks: GPL and 270 MB, so it is there only after `make piper`."""

import asyncio
import os
import time
from pathlib import Path

import numpy as np
import pytest

from firmware_app.coach.book import cue_file, read_cues
from firmware_app.settings import checkout_cache
from firmware_app.speech.clip import CLIP_HZ
from firmware_app.speech.engines import find_espeak, find_piper
from firmware_app.speech.voice import Voice

PYTHON = checkout_cache("piper") / "bin" / "python"
pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no Piper: make piper")


def test_a_catalogue_is_spoken_by_a_person_before_the_ride_and_the_rest_at_once(tmp_path: Path):
    assert read_cues(cue_file("en"))
    texts = ["Sagar, drop your shoulders", "Sagar, soften your elbows", "That's it, long back"]

    async def scene():
        piper = await find_piper(PYTHON, "en")
        assert piper is not None
        voice = Voice(piper, find_espeak("en", 165), tmp_path)
        before_s = time.perf_counter()
        assert await voice.prepare(texts) == len(texts)
        took_s = time.perf_counter() - before_s
        clips = [voice.ready(text) for text in texts]
        at_once_s = time.perf_counter()
        unknown = await voice.now("Breathe out")
        return piper.voice, took_s, clips, unknown, time.perf_counter() - at_once_s

    name, took_s, clips, unknown, now_s = asyncio.run(scene())
    print(name, f"{took_s:.1f} s for {len(texts)} sentences, unknown text {now_s:.2f} s")  # noqa: T201
    assert name.startswith("piper 1.")
    for clip in clips:
        assert 0.8 < len(clip) / CLIP_HZ < 5
        assert 0.05 < np.sqrt(np.mean(clip**2)) < 0.5
    assert len(unknown) / CLIP_HZ > 0.4
    assert now_s < 2.0 or os.getloadavg()[0] > 4
