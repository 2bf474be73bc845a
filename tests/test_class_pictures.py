"""The picture on the screen belongs to the sound in the ear."""

import av
import pytest

from firmware_app.player.class_pictures import MOST_HELD, ClassPictures

FRAME_S = 1 / 30


def picture(width: int = 64, height: int = 48, layout: str = "yuv420p") -> av.VideoFrame:
    return av.VideoFrame(width, height, layout)


def test_a_picture_waits_for_its_sound():
    pictures = ClassPictures()
    made = [picture() for _ in range(6)]
    for n, one in enumerate(made):
        pictures.push(one, 100 + n * FRAME_S)
    assert pictures.due(100.0) is made[0]
    assert pictures.due(100.0) is made[0]
    assert pictures.due(100 + 3 * FRAME_S) is made[3]


def test_without_sound_the_newest_picture_is_shown():
    pictures = ClassPictures()
    made = [picture() for _ in range(3)]
    for n, one in enumerate(made):
        pictures.push(one, 100 + n * FRAME_S)
    assert pictures.due(None) is made[2]


def test_a_sender_that_tells_no_time_is_shown_as_it_comes():
    pictures = ClassPictures()
    made = [picture() for _ in range(3)]
    for one in made:
        pictures.push(one, None)
    assert pictures.due(100.0) is made[2]


def test_pictures_do_not_pile_up_when_the_sound_stands_still():
    pictures = ClassPictures()
    for n in range(100):
        pictures.push(picture(), 100 + n * FRAME_S)
        pictures.due(0.0)
    assert len(pictures._held) <= MOST_HELD


def test_the_last_picture_stays_while_the_class_is_gone():
    pictures = ClassPictures()
    last = picture()
    pictures.push(last, 1.0)
    assert pictures.due(None) is last
    pictures.clear()
    assert pictures.due(5.0) is last


@pytest.mark.parametrize("layout", ["yuv422p", "yuv420p10le", "rgb24"])
def test_the_screen_gets_the_one_kind_of_picture_it_can_draw(layout: str):
    pictures = ClassPictures()
    pictures.push(picture(layout=layout), None)
    shown = pictures.due(None)
    assert shown is not None
    assert shown.format.name == "yuv420p"
