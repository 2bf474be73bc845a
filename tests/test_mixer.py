"""What the rider hears: the class, lower while the coach speaks, and never distorted."""

import numpy as np
import pytest

from firmware_app.player.mixer import BLOCK, SOUND_HZ, Mixer


def tone(blocks, hz=1000.0, amplitude=0.5):
    t = np.arange(blocks * BLOCK) / SOUND_HZ
    return np.repeat((amplitude * np.sin(2 * np.pi * hz * t)).astype(np.float32)[:, None], 2, 1)


def level_db(sound, hz=1000.0):
    """Level of one frequency: what a listener would call the class, whatever is said over it."""
    t = np.arange(len(sound)) / SOUND_HZ
    return 20 * np.log10(2 * abs(np.mean(sound[:, 0] * np.exp(-2j * np.pi * hz * t))) + 1e-12)


def play(mixer, sound, cue_from=0, cue_to=0, cue=None):
    """Mix block by block; the cue, a block or silence, is said from one block to another."""
    words = np.zeros(BLOCK, np.float32) if cue is None else cue
    out = [
        mixer.mix(block, words if cue_from <= i < cue_to else None)
        for i, block in enumerate(sound.reshape(-1, BLOCK, 2))
    ]
    return np.concatenate(out)


@pytest.mark.parametrize("amplitude", [0.05, 0.5, 0.9])
def test_the_class_is_14_db_lower_while_the_coach_speaks_and_back_after(amplitude):
    speech = tone(1, hz=250.0, amplitude=0.1)[:, 0]
    heard = play(Mixer(14.0, 1.0), tone(150, amplitude=amplitude), 50, 100, speech)
    before = level_db(heard[10 * BLOCK : 45 * BLOCK])
    during = level_db(heard[60 * BLOCK : 95 * BLOCK])
    after = level_db(heard[125 * BLOCK : 150 * BLOCK])
    assert during - before == pytest.approx(-14.0, abs=0.5)
    assert after == pytest.approx(before, abs=0.5)


def test_the_class_steps_back_within_80_ms_and_returns_within_350_ms():
    heard = play(Mixer(14.0, 1.0), tone(150), 50, 100)
    full = level_db(heard[20 * BLOCK : 40 * BLOCK])
    down = level_db(heard[56 * BLOCK : 60 * BLOCK])
    half_way_back = level_db(heard[108 * BLOCK : 110 * BLOCK])
    assert down == pytest.approx(full - 14, abs=0.5)
    assert full - 12 < half_way_back < full - 2
    assert level_db(heard[121 * BLOCK : 125 * BLOCK]) == pytest.approx(full, abs=0.5)


def test_the_class_never_clicks_on_its_way_down_or_up():
    heard = play(Mixer(14.0, 1.0), tone(150), 50, 100)
    steepest = 0.5 * 2 * np.pi * 1000 / SOUND_HZ
    assert np.abs(np.diff(heard[BLOCK:, 0])).max() < steepest * 1.05


def test_nothing_is_ever_louder_than_full_scale():
    loud = np.random.default_rng(3).uniform(-3, 3, (200 * BLOCK, 2)).astype(np.float32)
    loud[: 50 * BLOCK] *= 0.1
    shout = np.full(BLOCK, 1.5, np.float32)
    heard = play(Mixer(14.0, 1.0), loud, 30, 120, shout)
    assert np.abs(heard).max() <= 0.9701
    assert np.abs(heard).max() > 0.5


def test_an_ordinary_class_passes_untouched():
    sound = tone(50, amplitude=0.8)
    heard = play(Mixer(14.0, 1.0), sound)
    np.testing.assert_allclose(heard[BLOCK:], sound[:-BLOCK], atol=1e-6)


def test_the_volume_turns_everything_without_a_step():
    mixer = Mixer(14.0, 1.0)
    loud = play(mixer, tone(20))
    mixer.volume = 0.5
    soft = play(mixer, tone(20))
    assert level_db(soft[5 * BLOCK :]) - level_db(loud[5 * BLOCK :]) == pytest.approx(
        -6.02, abs=0.1
    )
    assert np.abs(np.diff(soft[:, 0])).max() < 0.5 * 2 * np.pi * 1000 / SOUND_HZ * 1.1
