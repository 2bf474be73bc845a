"""The coach waits for a gap in the instructor's voice, and for nothing else."""

import numpy as np

from firmware_app.player.mixer import BLOCK, BLOCK_S, SOUND_HZ
from firmware_app.player.talking import Talking
from firmware_app.player.turn import GAP_WITHIN_S, Turn
from firmware_app.sim.class_music import music
from firmware_app.wire import Say

CLIP = np.full(BLOCK * 20, 0.2, np.float32)


def share_talking(sound: np.ndarray) -> np.ndarray:
    ear = Talking()
    out = []
    for at in range(0, len(sound) - BLOCK, BLOCK):
        ear.hear(sound[at : at + BLOCK])
        out.append(ear.now())
    return np.array(out)


def voice(seconds: float) -> np.ndarray:
    """Syllables: four bursts a second of a buzz with formants."""
    t = np.arange(int(seconds * SOUND_HZ)) / SOUND_HZ
    buzz = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 20))
    mouth = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * t)
    return np.repeat((0.15 * buzz * mouth).astype(np.float32)[:, None], 2, 1)


def test_an_instructor_is_heard_over_music_and_so_are_the_gaps():
    sound = music()[: 16 * SOUND_HZ] * 0.3
    said = [(5.0, 7.0), (8.0, 10.0), (12.0, 14.0)]
    for begin_s, end_s in said:
        at = int(begin_s * SOUND_HZ)
        spoken = voice(end_s - begin_s)
        sound[at : at + len(spoken)] += spoken
    talking = share_talking(sound)
    at_s = np.arange(len(talking)) * BLOCK_S
    inside = np.zeros(len(talking), bool)
    gap = at_s > 4
    for begin_s, end_s in said:
        inside |= (at_s > begin_s + 0.3) & (at_s < end_s)
        gap &= (at_s < begin_s) | (at_s > end_s + 0.2)
    assert talking[inside].mean() > 0.9
    assert talking[gap].mean() < 0.1


def test_music_alone_is_no_reason_to_wait():
    assert share_talking(music()[: 20 * SOUND_HZ]).mean() < 0.05


def said_after_s(talking_until_s: float, may_wait_s: float) -> float | None:
    told = []
    turn = Turn(told.append)
    say = Say(t_s=0, cue=1, rule="shrug", kind="correct", text="Drop", until_s=may_wait_s)
    turn.offer(say, CLIP, 0.0)
    for n in range(500):
        at_s = n * BLOCK_S
        if turn.take(BLOCK, at_s, lambda now_s=at_s: now_s < talking_until_s) is not None:
            assert told[0].outcome == "spoken"
            return at_s
    return None


def test_a_cue_waits_for_the_gap_but_never_until_it_is_too_late():
    assert said_after_s(0.0, 2.0) == 0.0
    assert 1.0 <= said_after_s(1.0, 2.0) < 1.1
    assert 1.8 < said_after_s(5.0, 2.0) <= 2.0
    assert said_after_s(60.0, 60.0) <= GAP_WITHIN_S + BLOCK_S


def test_the_volume_a_rider_chose_is_there_after_a_restart(tmp_path):
    from firmware_app.player.volume import LEAST, KeptVolume  # noqa: PLC0415 - one subject a test

    kept = tmp_path / "state" / "volume"
    assert KeptVolume(kept, 0.8).value == 0.8
    KeptVolume(kept, 0.8).change(-0.3)
    assert KeptVolume(kept, 0.8).value == 0.5
    kept.write_text("rubbish")
    assert KeptVolume(kept, 0.8).value == 0.8
    kept.write_text("0.0")
    assert KeptVolume(kept, 0.8).value == LEAST
