"""The class's sound as a rider hears it: in bursts in, evenly out."""

import av
import numpy as np
import pytest

from firmware_app.player.class_sound import FULL_S, SAMPLE_HZ, ClassSound

BLOCK = 960


def tone(begin: int, samples: int = BLOCK, rate: int = SAMPLE_HZ, layout: str = "stereo"):
    at = (begin + np.arange(samples)) / rate
    wave = (np.sin(2 * np.pi * 440 * at) * 16000).astype(np.int16)
    sides = 2 if layout == "stereo" else 1
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, sides)[None, :], format="s16", layout=layout)
    frame.sample_rate = rate
    frame.pts = begin
    return frame


def fill(sound: ClassSound, blocks: int, first: int = 0, late_s: float = 0.0) -> None:
    """Push blocks as a sender without a network in between would: each begun 20 ms ago."""
    for n in range(first, first + blocks):
        sent_s = n * BLOCK / SAMPLE_HZ
        sound.push(tone(n * BLOCK), sent_s, sent_s + 0.02 + late_s)


def pull(sound: ClassSound, blocks: int) -> np.ndarray:
    """Pull blocks as fast as they go, from a sound without any clock."""
    sound._end_s = None
    return np.concatenate([sound.pull(BLOCK) for _ in range(blocks)])


def play(sound: ClassSound, blocks: int, first: int, lead_s: float = 0.06, late_s=lambda _n: 0.0):
    """Push and pull at one pace; return what was heard."""
    heard = []
    for n in range(first, first + blocks):
        fill(sound, 1, n, late_s(n))
        heard.append(sound.pull(BLOCK, (n + 1) * BLOCK / SAMPLE_HZ + 0.001, lead_s))
    return np.concatenate(heard)


def test_what_was_sung_is_heard():
    sound = ClassSound()
    fill(sound, 13)
    heard = pull(sound, 13)
    sung = np.sin(2 * np.pi * 440 * np.arange(13 * BLOCK) / SAMPLE_HZ) * 16000 / 32768
    assert np.abs(heard[300:, 0] - sung[300:]).max() < 1e-3  # after the fade-in
    assert heard.dtype == np.float32
    assert heard.shape == (13 * BLOCK, 2)


def test_nothing_is_played_before_there_is_enough_to_play_on():
    sound = ClassSound()
    fill(sound, 12)
    assert not sound.pull(BLOCK).any()
    fill(sound, 1, 12)
    assert sound.pull(BLOCK).any()


def test_on_a_quiet_network_the_class_is_hardly_held_back():
    sound = ClassSound()
    play(sound, 1000, 0)  # twenty seconds
    assert sound.held_s < 0.045


def test_a_burst_after_an_outage_does_not_leave_the_class_late():
    sound = ClassSound()
    play(sound, 100, 0)
    fill(sound, 100, 100)
    assert sound.held_s <= FULL_S
    play(sound, 3000, 200)
    assert sound.held_s < 0.05


def test_a_network_that_shakes_is_given_time_and_a_quiet_one_takes_it_back():
    sound = ClassSound()
    play(sound, 500, 0, late_s=lambda n: 0.06 * (n % 5 == 0))
    assert sound.held_s > 0.07
    play(sound, 1500, 500)
    assert sound.held_s < 0.045


def test_sound_waits_for_pictures_that_come_later_but_not_for_ever():
    sound = ClassSound()
    for n in range(1000):
        play(sound, 1, n)
        sound.picture(n * 0.02 - 0.08, n * 0.02 + 0.06)
    assert sound.held_s == pytest.approx(0.14 - 0.06 + 0.005, abs=0.03)
    for n in range(1000, 4000):
        play(sound, 1, n)
        sound.picture(n * 0.02 - 0.9, n * 0.02)
    assert sound.held_s < 0.4


@pytest.mark.parametrize("drift", [0.999, 1.001])
def test_a_sender_whose_clock_runs_wrong_is_followed(drift: float):
    sound = ClassSound()
    now_s, sent, silent = 0.0, 0, 0
    for _ in range(15000):  # five minutes
        now_s += 0.02
        while sent * 0.02 / drift < now_s:
            sound.push(tone(sent * BLOCK), sent * 0.02, now_s)
            sent += 1
        silent += not sound.pull(BLOCK, now_s, 0.06).any()
        assert sound.held_s <= FULL_S
    assert silent <= 13  # before the beginning


def test_a_sender_without_a_clock_is_played_too():
    sound = ClassSound()
    for n in range(200):
        sound.push(tone(n * BLOCK), None, n * 0.02)
        heard = sound.pull(BLOCK, n * 0.02, 0.06)
    assert heard.any()
    assert sound.playing_sent_s() is None


def test_a_late_packet_is_bridged_and_then_played():
    sound = ClassSound()
    fill(sound, 13)
    heard = [pull(sound, 15)]  # two more than there is
    fill(sound, 4, 13)
    heard = np.concatenate([*heard, pull(sound, 3)])[:, 0]
    assert np.abs(np.diff(heard)).max() < 0.05
    assert all(np.abs(block).max() > 0.05 for block in heard.reshape(-1, BLOCK))


def test_silence_comes_and_goes_without_a_click():
    sound = ClassSound()
    fill(sound, 13)
    heard = pull(sound, 20)
    assert np.abs(np.diff(heard[:, 0])).max() < 0.05
    assert not heard[-BLOCK:].any()


def test_a_lost_packet_is_neither_a_hole_in_time_nor_a_click():
    sound = ClassSound()
    fill(sound, 13)
    fill(sound, 3, 14)
    assert sound.held_s == pytest.approx(17 * BLOCK / SAMPLE_HZ)
    heard = pull(sound, 16)
    assert np.abs(np.diff(heard[:, 0])).max() < 0.05
    assert np.abs(heard[13 * BLOCK : 13 * BLOCK + 200]).max() > 0.1


def test_a_pause_of_the_sender_is_not_filled():
    sound = ClassSound()
    fill(sound, 3)
    fill(sound, 3, 500)
    assert sound.held_s == pytest.approx(6 * BLOCK / SAMPLE_HZ)


def test_a_telephone_codec_is_played_at_our_rate():
    sound = ClassSound()
    for n in range(15):
        sound.push(tone(n * 160, 160, 8000, "mono"), None, n * 0.02)
    assert sound.held_s == pytest.approx(0.3, abs=0.01)
    assert sound.pull(4800).any()


def test_the_picture_can_ask_which_moment_is_heard():
    sound = ClassSound()
    assert sound.playing_sent_s() is None
    fill(sound, 13)
    sound.pull(BLOCK)
    assert sound.playing_sent_s() == pytest.approx(BLOCK / SAMPLE_HZ, abs=0.001)
    sound.clear()
    assert sound.playing_sent_s() is None
