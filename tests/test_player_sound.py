"""The speaker, the tape and the recording keep the true time, whatever comes or goes."""

import wave

import av
import numpy as np
import pytest

from firmware_app.clock import HandClock
from firmware_app.errors import BadInput, PartLost
from firmware_app.player.mixer import BLOCK, BLOCK_S, SOUND_HZ
from firmware_app.player.recorder import Recorder
from firmware_app.player.speaker import NoSpeaker, SdlSpeaker, Speaker
from firmware_app.player.tape import Tape

QUIET = np.zeros((BLOCK, 2), np.float32)
LOUD = np.full((BLOCK, 2), 0.5, np.float32)


class Cable:
    """A speaker that can be unplugged."""

    def __init__(self, clock):
        self.clock = clock
        self.plugged = True
        self.played_until_s = 0.0
        self.blocks = 0

    def open(self):
        if not self.plugged:
            raise PartLost("no speaker can be opened")
        self.played_until_s = self.clock.monotonic()
        return self

    def ahead_s(self, now_s):
        if not self.plugged:
            raise PartLost("the speaker was unplugged")
        return max(0.0, self.played_until_s - now_s)

    def play(self, block, now_s):  # noqa: ARG002 - every block is 20 ms
        self.played_until_s = max(self.played_until_s, now_s) + BLOCK_S
        self.blocks += 1

    def close(self):
        pass


def run(speaker, clock, seconds):
    end_s = clock.monotonic() + seconds
    while clock.monotonic() < end_s:
        clock.block(speaker.step())


def test_a_headless_speaker_plays_at_the_pace_of_the_clock():
    clock, times = HandClock(), []

    def fill(at_s, heard):
        times.append((at_s, heard))
        return QUIET

    speaker = Speaker(clock, fill, lambda: NoSpeaker(0.0), headless=True)
    run(speaker, clock, 10.0)
    assert len(times) == pytest.approx(503, abs=2)  # three blocks ahead of the clock
    assert all(heard for _, heard in times)
    assert np.diff([at_s for at_s, _ in times]) == pytest.approx(BLOCK_S, abs=1e-6)


def test_a_speaker_that_is_unplugged_is_told_and_comes_back_by_itself():
    clock, heard = HandClock(), []
    cable = Cable(clock)

    def fill(_at_s, can_hear):
        heard.append(can_hear)
        return QUIET

    speaker = Speaker(clock, fill, cable.open, headless=False)
    run(speaker, clock, 1.0)
    assert speaker.state == "ok"
    cable.plugged = False
    heard.clear()
    run(speaker, clock, 5.0)
    assert speaker.state == "lost"
    assert not any(heard)
    assert len(heard) == pytest.approx(250, abs=6)  # the class's sound is still taken
    cable.plugged = True
    run(speaker, clock, 3.0)
    assert speaker.state == "ok"
    assert heard[-1]


def test_a_machine_that_slept_does_not_make_up_for_the_sleep():
    clock, times = HandClock(), []
    speaker = Speaker(clock, lambda at_s, _: times.append(at_s) or QUIET, None, headless=True)
    run(speaker, clock, 1.0)
    clock.advance(60.0)
    before = len(times)
    run(speaker, clock, 1.0)
    assert len(times) - before < 60


def test_the_tape_puts_every_sample_where_its_time_is(tmp_path):
    tape = Tape(tmp_path / "speech.wav", start_s=100.0)
    for n in range(50):
        tape.write(100.0 + n * BLOCK_S, QUIET)
    tape.write(103.0, LOUD)  # two seconds were lost
    for n in range(1, 50):
        tape.write(103.0 + n * BLOCK_S, QUIET)
    tape.close()
    with wave.open(str(tmp_path / "speech.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 48000)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert np.flatnonzero(sound[:, 0])[0] == 3 * SOUND_HZ
    assert len(sound) == 4 * SOUND_HZ


def test_the_tape_can_be_read_after_a_kill(tmp_path):
    path = tmp_path / "speech.wav"
    tape = Tape(path, start_s=0.0)
    for n in range(130):
        tape.write(n * BLOCK_S, LOUD)
    copy = tmp_path / "copy.wav"
    copy.write_bytes(path.read_bytes())
    tape.close()
    with wave.open(str(copy)) as file:
        assert file.getnframes() >= SOUND_HZ


def test_a_tape_that_cannot_be_written_is_named():
    with pytest.raises(BadInput, match="nowhere"):
        Tape("/nowhere/speech.wav", start_s=0.0)


def test_the_recording_holds_picture_and_sound_on_one_clock(tmp_path):
    path = tmp_path / "ride.mkv"
    recorder = Recorder(path, 320, 180, start_s=10.0)
    grey = np.full((180, 320, 4), 40, np.uint8)
    white = np.full((180, 320, 4), 250, np.uint8)
    for n in range(150):  # three seconds of sound; picture and sound jump at two seconds
        at_s = 10.0 + n * BLOCK_S
        recorder.hear(at_s, LOUD if at_s >= 12.0 else QUIET)
    recorder.show(10.0, grey)
    recorder.show(12.0, white)
    recorder.close(13.0)
    with av.open(str(path)) as file:
        shown = [(f.time, f.to_ndarray(format="gray").mean()) for f in file.decode(video=0)]
    with av.open(str(path)) as file:
        sound = np.concatenate([f.to_ndarray().reshape(-1, 2) for f in file.decode(audio=0)])
    assert next(t for t, light in shown if light > 150) == pytest.approx(2.0, abs=0.002)
    assert np.flatnonzero(sound[:, 0])[0] / SOUND_HZ == pytest.approx(2.0, abs=0.001)
    assert len(sound) / SOUND_HZ == pytest.approx(3.0, abs=0.001)
    assert shown[-1][0] == pytest.approx(3.0, abs=0.002)


def test_sdl_plays_into_a_file_as_it_would_into_a_speaker(tmp_path, monkeypatch):
    heard = tmp_path / "heard.raw"
    monkeypatch.setenv("SDL_AUDIODRIVER", "disk")
    monkeypatch.setenv("SDL_DISKAUDIOFILE", str(heard))
    speaker = SdlSpeaker()
    for _ in range(10):
        speaker.play(LOUD, 0.0)
    assert 0.0 < speaker.ahead_s(0.0) <= 0.2
    speaker.close()
    assert heard.exists()


def test_a_machine_without_a_sound_card_says_so(monkeypatch):
    monkeypatch.setenv("SDL_AUDIODRIVER", "no-such-driver")
    with pytest.raises(PartLost, match="no sound on this machine"):
        SdlSpeaker()
