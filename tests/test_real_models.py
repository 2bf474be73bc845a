"""The real models as their packages ship them say the same of a rider as the pruned ones."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from firmware_app.vision.fetch import _package, _take
from firmware_app.vision.models import LANDMARKS, read_model
from firmware_app.vision.runtime import Network
from firmware_app.vision.video import Video

CACHE = Path(__file__).parents[1] / ".cache"
RIDER = Path(__file__).parent / "recordings" / "rider_front.mp4"
POINTS, SOMEBODY, HEAT, WORLD = (1, 195), (1, 1), (1, 64, 64, 39), (1, 117)
MASK = (1, 256, 256, 1)


@pytest.mark.parametrize("name", LANDMARKS)
def test_the_pruned_model_finds_the_rider_where_the_whole_one_does(name):
    model = LANDMARKS[name]
    archive = _package(model.package, CACHE / "packages", CACHE / "models", print)
    whole = Network(_take(archive, model))
    pruned = Network(read_model(CACHE / "models", model))
    film = Video(RIDER)
    film.advance()
    picture = cv2.resize(film.picture()[:, 80:560], (256, 256))[..., ::-1]
    pruned.input[...] = picture
    np.multiply(picture, np.float32(1 / 255), out=whole.input)
    for network in (whole, pruned):
        network.run()
    assert set(whole._outputs) == {POINTS, SOMEBODY, HEAT, WORLD, MASK}
    assert set(pruned._outputs) == {POINTS, SOMEBODY, HEAT, WORLD}
    assert pruned.output(SOMEBODY)[0, 0] > 0.5
    for shape in (POINTS, SOMEBODY, HEAT, WORLD):
        assert np.array_equal(pruned.output(shape), whole.output(shape))
