"""The class's picture and the panels over it, as pixels, and the fingers on them."""

import ctypes
from typing import get_args

import av
import numpy as np
import pytest

from firmware_app.errors import BadSetting, MissingPart
from firmware_app.player.buttons import Action
from firmware_app.player.hands import meant
from firmware_app.player.hud import Placed, Scene, buttons_of
from firmware_app.player.panels import Cadence, Elapsed
from firmware_app.player.picture import letterbox
from firmware_app.player.screen import Screen
from firmware_app.player.sdl import sdl2
from firmware_app.player.stage import View
from firmware_app.player.words import read_words
from firmware_app.wire import Hud

GREEN_BGR = (50, 180, 60)


def picture(width, height, bgr=GREEN_BGR, form="yuv420p"):
    colour = np.full((height, width, 3), bgr, np.uint8)
    return av.VideoFrame.from_ndarray(colour, format="bgr24").reformat(format=form)


def like(pixels, bgr):
    return np.abs(pixels[..., :3].astype(int) - np.array(bgr)).max(axis=-1) < 14


@pytest.fixture
def screen():
    opened = Screen(1280, 720, headless=True, fullscreen=False)
    yield opened
    opened.close()


def class_only(*layers):
    return Scene(picture=True, dim=0.0, layers=layers)


def test_a_class_of_the_screens_shape_fills_it(screen):
    screen.draw(class_only(), picture(640, 360))
    assert like(screen.pixels(), GREEN_BGR).all()


def test_a_class_of_another_shape_is_whole_between_black_bars(screen):
    screen.draw(class_only(), picture(640, 480))
    shown = like(screen.pixels(), GREEN_BGR)
    assert shown[:, 165:1115].all()
    assert not shown[:, :155].any()
    assert not shown[:, 1125:].any()
    assert letterbox((640, 480), (1280, 720)) == (160, 0, 960, 720)
    assert letterbox((1920, 800), (1280, 720)) == (0, 93, 1280, 533)


def test_a_class_that_changes_its_size_in_mid_stream_plays_on(screen):
    for size in ((480, 270), (640, 360), (1280, 720), (1920, 1080), (642, 362), (480, 270)):
        screen.draw(class_only(), picture(*size))
        assert like(screen.pixels()[5:-5, 5:-5], GREEN_BGR).all(), size


def test_a_picture_with_padded_rows_is_not_sheared(screen):
    half = picture(642, 360)
    pixels = half.to_ndarray(format="bgr24")
    pixels[:, 321:] = (0, 0, 255)
    screen.draw(
        class_only(), av.VideoFrame.from_ndarray(pixels, "bgr24").reformat(format="yuv420p")
    )
    shown = screen.pixels()
    assert like(shown[5:-5, :620], GREEN_BGR).all()
    assert not like(shown[:, 660:], GREEN_BGR).any()


def test_nothing_is_drawn_anew_while_nothing_changes(screen):
    panels = (Placed(Cadence(86, None, "Cadence", "rpm"), 36, 498), Placed(Elapsed(60), 900, 28))
    for _ in range(5):
        screen.draw(class_only(*panels), picture(640, 360))
    assert screen.painted == 2
    later = (panels[0], Placed(Elapsed(61), 900, 28))
    screen.draw(class_only(*later), picture(640, 360))
    assert screen.painted == 3


def test_a_panel_that_fades_is_not_drawn_anew(screen):
    panel = Cadence(86, None, "Cadence", "rpm")
    screen.draw(class_only(Placed(panel, 36, 400, 1.0)), picture(640, 360))
    full = screen.pixels()
    screen.draw(class_only(Placed(panel, 36, 400, 0.2)), picture(640, 360))
    faint = screen.pixels()
    assert screen.painted == 1
    assert full[450:560, 60:250, :3].max() > 240
    assert faint[450:560, 60:250, :3].max() < 230


def test_the_panels_stand_where_they_belong_on_a_small_screen_too():
    screen = Screen(1024, 600, headless=True, fullscreen=False)
    screen.draw(class_only(Placed(Cadence(86, None, "Cadence", "rpm"), 36, 400)), None)
    shown = screen.pixels()
    scale = screen.canvas.scale
    screen.close()
    assert scale == pytest.approx(600 / 720)
    ys, xs = np.nonzero(shown[..., 0] > 230)
    assert ys.min() >= 400 * scale
    assert 36 * scale <= xs.min() <= xs.max() <= 336 * scale


def test_a_dimmed_class_is_darker_but_still_there(screen):
    screen.draw(class_only(), picture(640, 360))
    bright = screen.pixels()[..., 1].mean()
    screen.draw(Scene(picture=True, dim=0.5, layers=()), picture(640, 360))
    assert 0.4 * bright < screen.pixels()[..., 1].mean() < 0.65 * bright


def test_a_machine_without_a_display_says_what_to_do(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    with pytest.raises(MissingPart, match="--headless"):
        Screen(1280, 720, headless=False, fullscreen=False)


def test_the_same_code_draws_into_a_real_window(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    screen = Screen(640, 360, headless=False, fullscreen=False)
    screen.draw(class_only(Placed(Elapsed(60), 36, 28)), picture(640, 360))
    pixels = screen.pixels()
    screen.events()
    screen.close()
    assert like(pixels[200:300], GREEN_BGR).all()
    assert pixels[..., 0].max() > 230


def finger(x: float, y: float):
    """What SDL tells of a finger: its place as shares of the screen."""
    event = sdl2.SDL_Event()
    event.type = sdl2.SDL_FINGERDOWN
    event.tfinger.x, event.tfinger.y = x, y
    return event


def mouse(x: int, y: int, which: int = 0):
    event = sdl2.SDL_Event()
    event.type = sdl2.SDL_MOUSEBUTTONDOWN
    event.button.x, event.button.y, event.button.which = x, y, which
    return event


@pytest.mark.parametrize("size", [(1280, 720), (800, 480)])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_finger_on_the_glass_does_what_the_button_says(monkeypatch, size, language: str):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    screen, words, did = (
        Screen(*size, headless=False, fullscreen=False),
        read_words(language),
        set(),
    )
    at = screen.canvas
    for phase, camera in (("waiting", "ok"), ("riding", "ok"), ("paused", "off")):
        view = View(hud=Hud(t_s=0, phase=phase, camera=camera), buttons=True)
        for button in buttons_of(view, words, at):
            x = (button.x + button.button.width / 2) / at.width
            y = (button.y + button.button.height / 2) / at.height
            click = mouse(round(x * size[0]), round(y * size[1]))
            echo = mouse(click.button.x, click.button.y, sdl2.SDL_TOUCH_MOUSEID)
            for event in (finger(x, y), click, echo):  # SDL tells each touch as a click too
                sdl2.SDL_PushEvent(ctypes.byref(event))
            touches = [one for one in screen.events() if one.kind == "touch"]
            meanings = [meant(one, view, words, at) for one in touches]
            assert meanings == [button.button.action] * 2
            did.add(button.button.action)
    screen.close()
    assert did == set(get_args(Action)) - {"aimed"}


def test_a_language_without_words_is_shown_in_english_and_a_misspelt_one_is_named(tmp_path):
    assert read_words("xx") == read_words("en")
    (tmp_path / "en.toml").write_text('cadense = "Cadence"\n')
    with pytest.raises(BadSetting, match="cadense"):
        read_words("en", tmp_path)
