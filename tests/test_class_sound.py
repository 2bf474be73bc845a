"""The class's sound as a rider hears it: in bursts in, evenly out."""

import av
import numpy as np
import pytest

from firmware_app.player.class_sound import FULL_S, SAMPLE_HZ, TARGET_S, ClassSound

BLOCK = 960


def tone(begin: int, samples: int = BLOCK, rate: int = SAMPLE_HZ, layout: str = "stereo"):
    at = (begin + np.arange(samples)) / rate
    wave = (np.sin(2 * np.pi * 440 * at) * 16000).astype(np.int16)
    sides = 2 if layout == "stereo" else 1
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, sides)[None, :], format="s16", layout=layout)
    frame.sample_rate = rate
    frame.pts = begin
    return frame


def fill(sound: ClassSound, blocks: int, first: int = 0) -> None:
    for n in range(first, first + blocks):
        sound.push(tone(n * BLOCK), n * BLOCK / SAMPLE_HZ)


def test_what_was_sung_is_heard():
    sound = ClassSound()
    fill(sound, 6)
    blocks = []
    for n in range(20):
        blocks.append(sound.pull(BLOCK))
        fill(sound, 1, 6 + n)
    heard = np.concatenate(blocks)
    sung = np.sin(2 * np.pi * 440 * np.arange(20 * BLOCK) / SAMPLE_HZ) * 16000 / 32768
    assert np.abs(heard[300:, 0] - sung[300:]).max() < 1e-3  # after the fade-in
    assert heard.dtype == np.float32
    assert heard.shape == (20 * BLOCK, 2)


def test_nothing_is_played_before_there_is_enough_to_play_on():
    sound = ClassSound()
    fill(sound, 5)
    assert not sound.pull(BLOCK).any()
    fill(sound, 1, 5)
    assert sound.pull(BLOCK).any()


def test_a_burst_after_an_outage_does_not_leave_the_class_late():
    sound = ClassSound()
    fill(sound, 6)
    fill(sound, 100, 6)
    assert sound.held_s <= FULL_S
    for n in range(1000):  # twenty seconds
        fill(sound, 1, 106 + n)
        sound.pull(BLOCK)
    assert sound.held_s == pytest.approx(TARGET_S, abs=0.05)


@pytest.mark.parametrize("drift", [0.999, 1.001])
def test_a_sender_whose_clock_runs_wrong_is_followed(drift: float):
    sound = ClassSound()
    fill(sound, 6)
    sent, silent = 6.0, 0
    for _ in range(15000):  # five minutes
        sent += drift
        while sent >= 1:
            fill(sound, 1)
            sent -= 1
        silent += not sound.pull(BLOCK).any()
        assert sound.held_s <= FULL_S
    assert silent <= 1


def test_silence_comes_and_goes_without_a_click():
    sound = ClassSound()
    fill(sound, 7)
    heard = np.concatenate([sound.pull(BLOCK) for _ in range(10)])
    assert np.abs(np.diff(heard[:, 0])).max() < 0.05
    assert not heard[-BLOCK:].any()


def test_a_lost_packet_is_neither_a_hole_in_time_nor_a_click():
    sound = ClassSound()
    fill(sound, 3)
    fill(sound, 3, 4)
    assert sound.held_s == pytest.approx(7 * BLOCK / SAMPLE_HZ)
    heard = np.concatenate([sound.pull(BLOCK) for _ in range(6)])
    assert np.abs(np.diff(heard[:, 0])).max() < 0.05
    assert np.abs(heard[3 * BLOCK : 3 * BLOCK + 200]).max() > 0.1


def test_a_pause_of_the_sender_is_not_filled():
    sound = ClassSound()
    fill(sound, 3)
    fill(sound, 3, 500)
    assert sound.held_s == pytest.approx(6 * BLOCK / SAMPLE_HZ)


def test_a_telephone_codec_is_played_at_our_rate():
    sound = ClassSound()
    for n in range(10):
        sound.push(tone(n * 160, 160, 8000, "mono"), None)
    assert sound.held_s == pytest.approx(0.2, abs=0.01)
    assert sound.pull(4800).any()


def test_the_picture_can_ask_which_moment_is_heard():
    sound = ClassSound()
    assert sound.playing_sent_s() is None
    fill(sound, 6)
    sound.pull(BLOCK)
    assert sound.playing_sent_s() == pytest.approx(BLOCK / SAMPLE_HZ)
    sound.clear()
    assert sound.playing_sent_s() is None
