"""The player with a ride and a class: what comes over ride.sock is seen, heard and answered."""

import asyncio
import threading
import wave

import av
import msgspec
import numpy as np
import pytest
from PIL import Image

from firmware_app.clock import MachineClock
from firmware_app.player.mixer import SOUND_HZ
from firmware_app.services.player import Player, Wish
from firmware_app.settings import Paths, Settings
from firmware_app.settings import Player as PlayerSettings
from firmware_app.sockets import Hub
from firmware_app.wire import (
    CueOutcome,
    Debrief,
    FromPlayer,
    Hud,
    PlayerState,
    Prepare,
    Reader,
    Say,
)

CLOCK = MachineClock()
WORDS = "Sagar, drop your shoulders"


class ToneClass:
    """A class of one colour and one tone: 30 pictures a second, 1 kHz."""

    pictures = 0
    state = ("playing", "")

    def __init__(self):
        colour = np.full((360, 640, 3), (90, 60, 40), np.uint8)
        self._frames = [av.VideoFrame.from_ndarray(colour, "bgr24").reformat(format="yuv420p")]
        self._frames += [self._frames[0].reformat(width=640 - 2 * n) for n in range(1, 3)]
        self._at = 0

    async def run(self):
        await asyncio.sleep(3600)

    def newest(self):
        return self._frames[int(CLOCK.monotonic() * 30) % 3]

    def pull(self, samples, heard_s=None):  # noqa: ARG002 - the tone does not care when
        t = (self._at + np.arange(samples)) / SOUND_HZ
        self._at += samples
        return np.repeat((0.4 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)[:, None], 2, 1)


class Ride(threading.Thread):
    """Serves ride.sock as the ride does, and tells its story by the clock."""

    def __init__(self, socket, story):
        super().__init__(daemon=True)
        self._socket = socket
        self._story = story
        self.heard = []
        self.over = threading.Event()

    def run(self):
        asyncio.run(self._serve())

    async def _serve(self):
        reader = Reader(FromPlayer)
        hub = Hub(self._socket, lambda line: self.heard.append(reader.read(line)))
        await hub.open()
        start_s = CLOCK.monotonic()
        waiting = list(self._story)
        hud = Hud(t_s=0, phase="waiting", rider="Sagar", cadence_rpm=0)
        while not self.over.is_set():
            age_s = CLOCK.monotonic() - start_s
            while waiting and age_s >= waiting[0][0]:
                message = waiting.pop(0)[1](CLOCK.monotonic())
                if isinstance(message, Hud):
                    hud = message
                hub.tell(message)
            hub.tell(hud)
            await asyncio.sleep(0.1)
        await hub.close()

    def of(self, kind):
        return [message for message in self.heard if isinstance(message, kind)]


def settings(folder):
    return Settings(
        box="bike",
        gym="Maple Street Gym",
        paths=Paths(run=str(folder / "run"), state=str(folder / "state")),
        player=PlayerSettings(class_title="Threshold Thursday", width_px=640, height_px=360),
    )


def riding(now_s):
    return Hud(
        t_s=now_s, phase="riding", rider="Sagar", cadence_rpm=86.0, elapsed_s=100.0,
        states={"shrug": "fault", "head_drop": "ok"},
    )  # fmt: skip


def say(now_s, cue=1, until_s=2.0, text=WORDS):
    return Say(t_s=now_s, cue=cue, rule="shrug", kind="correct", text=text, until_s=now_s + until_s)


def play(folder, story, seconds, **wish):
    """Run a player beside a ride; return the ride, which heard everything."""
    bike = settings(folder)
    ride = Ride(bike.ride_socket, story)
    ride.start()
    try:
        Player(Wish(bike, headless=True, seconds=seconds, **wish), CLOCK, ToneClass()).run()
    finally:
        ride.over.set()
        ride.join(5)
    return ride


def sound_of(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48000, 2, 2)
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return pcm.reshape(-1, 2)[:, 0] / 32768


def tone_db(sound, hz=1000.0):
    t = np.arange(len(sound)) / SOUND_HZ
    return 20 * np.log10(2 * abs(np.mean(sound * np.exp(-2j * np.pi * hz * t))) + 1e-9)


def test_a_cue_is_heard_over_a_ducked_class_seen_as_a_banner_and_told_as_spoken(tmp_path):
    begun_s = CLOCK.monotonic()
    ride = play(
        tmp_path,
        [
            (0.4, lambda t: Prepare(t_s=t, language="en", texts=(WORDS,))),
            (0.8, riding),
            (2.0, say),
            (5.2, lambda t: msgspec.structs.replace(riding(t), phase="ended")),
            (5.2, lambda t: Debrief(
                t_s=t, rider="Sagar", duration_s=60, cadence_mean_rpm=86, in_position_share=0.9,
                strength="Even legs", next_thing="Shoulders down", timeline=("ok",) * 9,
            )),
        ],
        6.0,
        speech_wav=tmp_path / "speech.wav",
        screens=tmp_path,
        record=tmp_path / "ride.mkv",
    )  # fmt: skip
    (outcome,) = ride.of(CueOutcome)
    assert (outcome.cue, outcome.outcome) == (1, "spoken")
    sound = sound_of(tmp_path / "speech.wav")
    assert len(sound) / SOUND_HZ == pytest.approx(6.0, abs=0.3)
    spoken_s = outcome.t_s - begun_s  # the tape began a moment after this test
    first = int((spoken_s + 0.35) * SOUND_HZ)
    before = tone_db(sound[int(0.9 * SOUND_HZ) : int(1.6 * SOUND_HZ)])
    during = tone_db(sound[first : first + int(0.7 * SOUND_HZ)])
    after = tone_db(sound[int(4.6 * SOUND_HZ) : int(5.1 * SOUND_HZ)])
    assert during - before == pytest.approx(-14, abs=1.5)
    assert after == pytest.approx(before, abs=0.3)
    cue = sound[first : first + int(0.7 * SOUND_HZ)]
    speech_db = 10 * np.log10(np.mean(cue**2) - 10 ** (during / 10) / 2)
    assert speech_db - (during - 3) > 6  # the words stand over the ducked class
    for name in ("waiting", "ride", "cue-1", "end"):
        with Image.open(tmp_path / f"screen-{name}.png") as png:
            assert png.size == (640, 360)
    states = ride.of(PlayerState)
    assert states[-1].class_state == "playing"
    assert states[-1].voice == "espeak-ng"
    assert states[-1].speaker == "ok"
    with av.open(str(tmp_path / "ride.mkv")) as file:
        shown_s = [frame.time for frame in file.decode(video=0)]
    assert shown_s[-1] == pytest.approx(6.0, abs=0.3)
    assert len(shown_s) > 100


def test_a_ride_that_dies_and_returns_is_missed_and_taken_up_again(tmp_path):
    bike = settings(tmp_path)
    second = Ride(bike.ride_socket, [(0.0, riding)])
    timer = threading.Timer(1.5, second.start)
    timer.start()
    Player(Wish(bike, headless=True, seconds=4.0, screens=tmp_path), CLOCK, ToneClass()).run()
    second.over.set()
    second.join(5)
    timer.join()
    assert (tmp_path / "screen-ride.png").exists()
    assert second.of(PlayerState)


def test_a_late_cue_is_shown_and_never_said(tmp_path):
    ride = play(
        tmp_path,
        [(0.5, riding), (1.0, lambda t: say(t, until_s=-0.5))],
        2.0,
        speech_wav=tmp_path / "speech.wav",
    )
    (outcome,) = ride.of(CueOutcome)
    assert outcome.outcome == "shown"
    assert "too late" in outcome.why
    sound = sound_of(tmp_path / "speech.wav")[SOUND_HZ // 2 :]
    assert np.abs(sound).max() <= 0.4 * 0.8 + 0.01  # nothing but the class
