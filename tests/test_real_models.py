"""The real model as its package ships it says the same of a rider as the pruned one."""

from pathlib import Path

import cv2
import numpy as np

from firmware_app.vision.fetch import _package, _take
from firmware_app.vision.models import LANDMARKS, MEDIAPIPE_WHEEL, read_model
from firmware_app.vision.runtime import Network
from firmware_app.vision.video import Video

CACHE = Path(__file__).parents[1] / ".cache"
RIDER = Path(__file__).parent / "recordings" / "rider_front.mp4"
POINTS, SOMEBODY, HEAT, WORLD = (1, 195), (1, 1), (1, 64, 64, 39), (1, 117)
MASK = (1, 256, 256, 1)


def test_the_pruned_model_finds_the_rider_where_the_whole_one_does():
    archive = _package(MEDIAPIPE_WHEEL, CACHE / "packages", CACHE / "models", print)
    whole = Network(_take(archive, LANDMARKS["full"]))
    pruned = Network(read_model(CACHE / "models", LANDMARKS["full"]))
    film = Video(RIDER)
    film.advance()
    picture = cv2.resize(film.picture()[:, 80:560], (256, 256))[..., ::-1] / np.float32(255)
    for network in (whole, pruned):
        network.input[...] = picture
        network.run()
    assert set(whole._outputs) == {POINTS, SOMEBODY, HEAT, WORLD, MASK}
    assert set(pruned._outputs) == {POINTS, SOMEBODY, HEAT, WORLD}
    assert pruned.output(SOMEBODY)[0, 0] > 0.5
    for shape in (POINTS, SOMEBODY, HEAT, WORLD):
        assert np.array_equal(pruned.output(shape), whole.output(shape))
