"""What the rider sees over the class, panel by panel."""

import ast
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from firmware_app.form import reasons
from firmware_app.form.catalogue import PART_OF, PARTS
from firmware_app.player.aim_page import SIGNS, CheckRow, Skeleton
from firmware_app.player.banner import Banner
from firmware_app.player.brush import Brush
from firmware_app.player.buttons import lay_buttons, touched
from firmware_app.player.code import Code
from firmware_app.player.figure import draw_figure, parts_of
from firmware_app.player.hands import Event, meant
from firmware_app.player.hud import Place, buttons_of, compose
from firmware_app.player.lettering import width_of, wrap
from firmware_app.player.panels import LINES, Cadence, Form, Pill, Signs, clock_time
from firmware_app.player.snapshots import Schedule
from firmware_app.player.stage import Stage, View
from firmware_app.player.theme import (
    DIM,
    FAULT,
    GLASS,
    GOOD,
    HIGH,
    INK,
    SMALL,
    UNSEEN,
    WARN,
    canvas,
)
from firmware_app.player.words import read_words
from firmware_app.wire import Aim, Check, Debrief, Hud, Say

WORDS = read_words("en")
PLACE = Place("Maple Street Gym", "Threshold Thursday")
CANVAS = canvas(1280, 720)
RIDING = Hud(t_s=0, phase="riding", cadence_rpm=86, states={"shrug": "fault", "head_drop": "ok"})
CUE = Say(t_s=0, cue=1, rule="shrug", kind="correct", text="Sagar, drop your shoulders", until_s=2)


AIM = Aim(
    t_s=0,
    view="front",
    points=tuple((0.3 + 0.01 * i, 0.1 + 0.03 * i, i < 29) for i in range(33)),
    checks=(
        Check(name="head", state="ok", said="seen"),
        Check(name="hands", state="ok", said="seen"),
        Check(name="knees", state="mend", said="out_down"),
        Check(name="place", state="ok", said="good"),
        Check(name="light", state="ok", said="bright", figure=31.2),
        Check(name="crank", state="wait", said="pedal"),
    ),
)
DEBRIEF = Debrief(
    t_s=0,
    rider="Sagar",
    duration_s=2700,
    cadence_mean_rpm=84.4,
    in_position_share=0.91,
    strength="A quiet upper body",
    next_thing="Let the shoulders drop",
    timeline=("ok",) * 40 + ("fault",) * 5 + ("unseen",) * 15,
)


def painted(panel, scale=1.0):
    brush = Brush(panel.width, panel.height, scale)
    panel.paint(brush)
    return np.asarray(brush.image)


def has(picture, colour):
    """How many pixels have exactly this colour."""
    return int((picture[..., :3] == np.array(colour[:3])).all(axis=-1).sum())


def texts(scene):
    return " | ".join(str(placed.panel) for placed in scene.layers)


def scene(view, *, picture=True, at=CANVAS):
    return compose(view, picture=picture, place=PLACE, words=WORDS, canvas=at)


def scene_in(language, view):
    return compose(view, picture=True, place=PLACE, words=read_words(language), canvas=CANVAS)


def riding(**changes):
    return View(hud=msgspec.structs.replace(RIDING, **changes), class_state="playing")


def test_the_shoulders_of_the_figure_are_red_and_thicker_when_they_are_up():
    brush = Brush(112, 214, 2.0)
    draw_figure(brush, 0, 0, dict.fromkeys(PARTS, "ok") | {"shoulders": "fault"})
    picture = np.asarray(brush.image)
    shoulders, rest = picture[110:160], np.concatenate([picture[:100], picture[170:]])
    assert has(shoulders, FAULT) > 500
    assert has(rest, FAULT) == 0
    assert has(rest, GOOD) > 1000
    column = (picture[:, 112, :3] == FAULT[:3]).all(axis=-1).sum()
    bone = (picture[240, :, :3] == GOOD[:3]).all(axis=-1).sum() / 3  # the back and two arms
    assert column > bone


def test_what_the_coach_cannot_see_is_dotted_and_the_panel_says_why():
    states = dict.fromkeys(PARTS, "ok") | {"knees": "unseen"}
    form = Form(tuple(states.values()), "Form", "looking good", GOOD, "knees hidden")
    knees = painted(form, 2.0)[404:520]
    lit = (knees[..., :3] == UNSEEN[:3]).all(axis=-1).any(axis=1)
    assert np.diff(lit.astype(int)).clip(0).sum() >= 4  # separate dots, one below the other
    without = painted(replace(form, why=""), 2.0)
    assert (painted(form, 2.0)[600:] != without[600:]).any()


def test_a_reason_that_has_no_room_is_left_out_whole():
    form = Form(
        ("fault",) * len(PARTS), "Form", "elbows locked", FAULT, "hidden by a bigger change"
    )
    assert len(wrap(form.line, SMALL, 238, "SemiBold")) + len(wrap(form.why, SMALL, 238)) > LINES
    assert (painted(form) == painted(replace(form, why=""))).all()


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_every_reason_has_room_while_nothing_is_at_fault(language):
    for why in read_words(language).why.values():
        assert len(wrap(why, SMALL, 238)) <= LINES - 1, why


def test_a_part_is_at_fault_when_one_rule_says_so_and_unseen_when_none_can_see_it():
    states = {"lean_low": "ok", "sway": "fault", "shrug": "ok", "elbows_locked": "unseen"}
    parts = parts_of(states)
    assert parts["back"] == "fault"
    assert parts["shoulders"] == "ok"
    assert parts["arms"] == "unseen"
    assert parts["knees"] == "unseen"


def test_the_cadence_is_the_largest_thing_and_an_eighth_of_the_screen():
    panel = Cadence(86, (80, 92), "Cadence", "rpm", "80-92")
    white = (painted(panel)[60:140, :200, :3] == INK[:3]).all(axis=-1).any(axis=1)
    assert white.sum() >= 0.1 * HIGH  # the digits themselves; the letters' body is 15 %


def test_digits_do_not_jump_when_the_cadence_changes():
    wide = {width_of(n, 108, "Bold", tabular=True) for n in ("81", "88", "71", "40")}
    assert len(wide) == 1


def test_the_marker_is_amber_outside_the_band_and_white_inside():
    inside = painted(Cadence(86, (80, 92), "Cadence", "rpm", "80-92"))
    outside = painted(Cadence(101, (80, 92), "Cadence", "rpm", "80-92"))
    assert has(inside, WARN) == 0
    assert has(outside, WARN) > 100


def test_a_missing_crank_is_said_and_never_a_zero():
    shown = texts(scene(riding(cadence_rpm=None, crank="lost")))
    assert WORDS.crank_lost in shown
    assert "rpm=0" not in shown


def test_a_long_cue_breaks_into_two_even_lines_that_fit():
    banner = Banner("shrug", "praise", "That is it, Christopher, shoulders nice and low", "")
    picture = painted(banner)
    assert banner.width <= 580
    assert picture[60:110, -20:-4, :3].max() < 200  # nothing runs out at the right
    first, second = wrap("That is it, Christopher, shoulders nice and low", 28, 420, "Bold")
    assert abs(width_of(first, 28, "Bold") - width_of(second, 28, "Bold")) < 120


def test_a_remote_coachs_long_message_is_cut_rather_than_spilled():
    banner = Banner("", "remote", "Breathe with the music and stay tall on the saddle. " * 6, "")
    picture = painted(banner)
    assert banner.width <= 580
    assert picture[20:110, -20:-4, :3].max() < 200
    assert picture[2:8, 120:500, :3].max() < 200
    assert picture[-8:-3, 120:500, :3].max() < 200


def test_a_banner_comes_softly_stays_six_seconds_and_goes_softly():
    stage = Stage(0.0, 6.0)
    stage.show(RIDING, 10.0)
    stage.say(CUE, 10.0)
    shares = [stage.view(10.0 + t).banner_share for t in (0.0, 0.1, 0.3, 3.0, 5.3, 5.7, 5.95)]
    assert shares[0] == 0.0
    assert shares[1] < shares[2] == shares[3] == shares[4] == 1.0
    assert shares[4] > shares[5] > shares[6] > 0
    assert stage.view(16.1).banner is None


@pytest.mark.parametrize("text", ["Welcome", "The next class begins ten minutes later. " * 5])
def test_what_a_gym_writes_stands_there_whole_and_long_enough_to_be_read(text):
    written = msgspec.structs.replace(
        CUE, cue=0, rule="", kind="message", text=text[:200].strip(), voice=False
    )
    stage = Stage(0.0, 6.0)
    stage.show(RIDING, 10.0)
    stage.say(written, 10.0)
    (banner,) = [p.panel for p in scene(stage.view(24.0)).layers if isinstance(p.panel, Banner)]
    assert " ".join(line for line, _, _ in banner._lines) == written.text
    assert banner.height < CANVAS.height - 150
    assert has(painted(banner), INK)
    assert stage.view(25.1).banner is None


def test_when_the_ride_falls_silent_the_screen_says_so_and_takes_it_up_again():
    stage = Stage(0.0, 6.0)
    stage.hear_class("playing", "")
    assert WORDS.coach_starting in texts(scene(stage.view(1.0)))
    stage.show(RIDING, 2.0)
    assert WORDS.coach_starting not in texts(scene(stage.view(3.0)))
    assert WORDS.coach_starting in texts(scene(stage.view(6.0)))
    assert WORDS.coach_gone in texts(scene(stage.view(60.0)))
    stage.show(RIDING, 61.0)
    assert "Cadence" in texts(scene(stage.view(61.0)))


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (riding(camera="lost"), "no camera"),
        (riding(camera="dark"), "too dark to coach"),
        (riding(sync="offline"), "offline, ride is kept"),
        (riding(phase="paused"), "Pedal to go on"),
        (riding(phase="waiting"), "Pedal to begin"),
        (View(hud=RIDING, class_state="off"), "Riding without a class"),
        (View(hud=RIDING, class_state="reconnecting"), "Reconnecting to the class"),
        (View(hud=RIDING, class_state="refused", class_why="wrong token"), "Wrong token."),
        (View(hud=RIDING, class_state="playing", speaker_lost=True), "no speaker"),
    ],
)
def test_the_screen_says_in_a_few_words_what_is_missing(view, words):
    assert words in texts(scene(view))


def test_an_empty_saddle_is_no_fault_before_the_ride():
    nobody = WORDS.camera["nobody"]
    assert nobody not in texts(scene(riding(phase="waiting", camera="nobody")))
    assert nobody in texts(scene(riding(camera="nobody")))


def test_pictures_are_kept_at_the_moments_that_matter_and_once():
    schedule = Schedule()
    waiting = riding(phase="waiting", camera="lost")
    assert schedule.due(waiting, 0.0, playing=False) == ["waiting"]
    assert schedule.due(waiting, 0.1, playing=False) == []
    assert schedule.due(riding(phase="waiting"), 1.0, playing=True) == ["waiting"]
    assert schedule.due(riding(), 2.0, playing=True) == ["ride"]
    assert schedule.due(riding(), 5.0, playing=True) == []
    cue = replace(riding(), banner=CUE, banner_share=1.0)
    assert schedule.due(cue, 6.0, playing=True) == []
    assert schedule.due(cue, 6.8, playing=True) == ["cue-1"]
    assert schedule.due(cue, 7.0, playing=True) == []
    gone = replace(riding(), class_state="reconnecting")
    assert schedule.due(gone, 8.0, playing=False) == ["reconnecting"]
    assert schedule.due(gone, 8.1, playing=False) == []
    assert schedule.due(riding(), 13.0, playing=True) == ["ride"]


def test_reconnecting_keeps_the_last_picture_and_no_class_gives_a_calm_ground():
    assert scene(View(hud=RIDING, class_state="reconnecting")).picture
    assert not scene(View(hud=RIDING, class_state="off")).picture
    assert "Ground" in texts(scene(View(hud=RIDING, class_state="off")))


def test_a_sign_shows_its_state_by_its_form_not_by_its_colour_alone():
    whole, struck = (painted(Signs((("camera", mark),)), 2.0)[..., 3] for mark in ("", "struck"))
    assert ((whole > 200) != (struck > 200)).mean() > 0.02


def test_the_debrief_tells_one_strength_and_one_next_thing():
    view = View(hud=msgspec.structs.replace(RIDING, phase="ended"), debrief=DEBRIEF)
    shown = texts(scene(view))
    for words in ("Well ridden, Sagar", "45:00", "'84'", "'91'", "A quiet upper body"):
        assert words in shown
    assert "legend=(('ok', 'in form'), ('fault', 'to work on'), ('unseen', 'not seen'))" in shown
    summary = painted(scene(view).layers[-1].panel)
    band = summary[386:430]
    assert has(band, FAULT) > 1000
    assert has(summary[436:444, 800:900], FAULT) == 0


@pytest.mark.parametrize("size", [(1280, 720), (1024, 600), (1920, 1080), (800, 480), (1024, 768)])
def test_everything_is_on_the_screen_and_nothing_lies_on_anything_else(size):
    at = canvas(*size)
    view = View(
        hud=RIDING, class_state="playing", banner=CUE, banner_share=1.0, speaker_lost=True,
        buttons=True,
    )  # fmt: skip
    boxes = [
        (p.x, p.y, p.x + p.panel.width, p.y + p.panel.height, type(p.panel).__name__)
        for p in scene(view, at=at).layers
        if type(p.panel).__name__ != "Shade"
    ]
    for left, top, right, bottom, name in boxes:
        assert left >= 0, name
        assert top >= 0, name
        assert right <= at.width + 0.01, name
        assert bottom <= at.height + 0.01, name
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, f"{a} lies on {b}"


def light_of(colour) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize(("colour", "least"), [(DIM, 4.5), (INK, 4.5), (GOOD, 4.5), (FAULT, 3.0)])
def test_words_on_glass_can_be_read_though_the_class_is_white(colour, least: float):
    share = GLASS[3] / 255
    behind = light_of([c / 255 * share + 1 - share for c in GLASS[:3]])
    assert (light_of([c / 255 for c in colour[:3]]) + 0.05) / (behind + 0.05) >= least


class Ruler(Brush):
    """Notes the size of every text."""

    sizes: list[float]

    def text(self, *words, **how):
        self.sizes.append(words[3])
        super().text(*words, **how)


EVERY_SCREEN = {
    "ride": riding(heart_bpm=146, power_w=212),
    "cue": replace(riding(), banner=CUE, banner_share=1.0),
    "buttons": replace(riding(), buttons=True),
    "paused": riding(phase="paused"),
    "waiting": replace(riding(phase="waiting"), class_state="waiting", buttons=True),
    "code": replace(
        riding(phase="waiting", claim_url="https://row2-bike14.local:8443/ride/abcDEF123456"),
        to_start_s=272,
    ),
    "countdown": replace(riding(phase="waiting"), to_start_s=272),
    "aim": replace(riding(phase="waiting"), aim=AIM),
    "nobody to aim at": replace(riding(phase="waiting"), aim=Aim(t_s=0, view="side")),
    "refused": View(hud=RIDING, class_state="refused", class_why="no token (401)"),
    "coach away": View(class_state="off", starting=False),
    "missing": View(hud=RIDING, class_state="playing", speaker_lost=True, volume=70),
    "no crank": riding(crank="lost", cadence_rpm=None),
    "over": replace(riding(phase="ended"), debrief=DEBRIEF),
}


AIM_SAID = {
    "head": ("seen", "out_up", "out_down", "out_side", "nobody"),
    "hands": ("seen", "out_up", "out_down", "out_side", "free", "nobody"),
    "knees": ("seen", "out_up", "out_down", "out_side", "free", "nobody"),
    "place": ("good", "far", "tilted", "sees_front", "sees_oblique", "sees_side"),
    "light": ("bright", "dark"),
    "crank": ("pedal", "turns", "agrees", "silent", "half", "double", "noisy"),
}


class Reader(Brush):
    """Notes every text."""

    said: list[str]

    def text(self, *words, **how):
        self.said.append(words[2])
        super().text(*words, **how)


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("size", [(1280, 720), (800, 480)])
def test_what_is_to_be_done_is_never_cut_short(language: str, size: tuple[int, int]):
    said = [(name, one) for name, each in AIM_SAID.items() for one in each]
    checks = tuple(Check(name=n, state="mend", said=one, figure=120) for n, one in said)
    aim = msgspec.structs.replace(AIM, checks=checks)
    views = [replace(riding(phase="waiting"), aim=aim), EVERY_SCREEN["over"]]
    for view in views:
        placed = compose(
            view, picture=True, place=PLACE, words=read_words(language), canvas=canvas(*size)
        )
        for panel in (one.panel for one in placed.layers):
            brush = Reader(panel.width, panel.height, 1.0)
            brush.said = []
            panel.paint(brush)
            assert not [words for words in brush.said if "…" in words]


@pytest.mark.parametrize("name", EVERY_SCREEN)
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_no_text_is_smaller_than_a_twentieth_of_the_height(name: str, language: str):
    ruler = Ruler(1, 1, 1.0)
    ruler.sizes = []
    at = compose(
        EVERY_SCREEN[name], picture=False, place=PLACE, words=read_words(language), canvas=CANVAS
    )
    for placed in at.layers:
        ruler.__init__(placed.panel.width, placed.panel.height, 1.0, mirrored=at.mirrored)
        placed.panel.paint(ruler)
    assert ruler.sizes
    assert min(ruler.sizes) >= 0.05 * HIGH


@pytest.mark.parametrize("name", EVERY_SCREEN)
@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("size", [(1280, 720), (800, 480), (1920, 1080)])
def test_every_screen_lies_within_the_display(name: str, language: str, size: tuple[int, int]):
    at = canvas(*size)
    words = read_words(language)
    shown = compose(EVERY_SCREEN[name], picture=True, place=PLACE, words=words, canvas=at)
    for p in shown.layers:
        assert -0.01 <= p.x <= at.width - p.panel.width + 0.01, p.panel
        assert -0.01 <= p.y <= at.height - p.panel.height + 0.01, p.panel


@pytest.mark.parametrize("size", [(1280, 720), (800, 480), (1920, 1080)])
def test_a_phone_reads_the_code_of_the_waiting_screen(size):
    url = "https://row2-bike14.local:8443/ride/abcDEF123456"
    view = riding(phase="waiting", claim_url=url)
    at = canvas(*size)
    (placed,) = [p for p in scene(view, at=at).layers if isinstance(p.panel, Code)]
    picture = painted(placed.panel, at.scale)[..., :3]
    assert cv2.QRCodeDetector().detectAndDecode(np.ascontiguousarray(picture))[0] == url
    assert not [p for p in scene(replace(view, buttons=True)).layers if isinstance(p.panel, Code)]


def test_a_script_that_runs_from_the_right_turns_the_whole_screen_round():
    ours, theirs = scene(riding()), scene_in("ar", riding())
    for one, other in zip(ours.layers, theirs.layers, strict=True):
        if type(one.panel) is Cadence:
            assert one.x == pytest.approx(CANVAS.width - other.x - other.panel.width)
            assert other.x > 600
    left, right = (Brush(200, 50, 2.0, mirrored=mirrored) for mirrored in (False, True))
    for brush in (left, right):
        brush.bar(10, 10, 50, 20, INK)
    assert (np.asarray(left.image)[:, ::-1] == np.asarray(right.image)).all()
    buttons = lay_buttons("riding", read_words("ar"), 1280, 400)
    assert buttons[0].x > buttons[-1].x


def test_what_sensors_tell_of_heart_and_power_is_shown_and_nothing_where_there_are_none():
    assert "Vitals" not in texts(scene(riding()))
    shown = texts(scene(riding(heart_bpm=146.2, power_w=211.7)))
    for words in ("146", "bpm", "212", "'W'"):
        assert words in shown


def test_the_waiting_room_counts_down_to_the_class_and_the_ride_tells_what_is_left():
    stage = Stage(0.0, 6.0)
    stage.hear_class("waiting", "")
    hud = msgspec.structs.replace(RIDING, phase="waiting", starts_s=300.0, ends_s=3000.0)
    stage.show(hud, 28.0)
    shown = texts(scene(stage.view(28.0), picture=False))
    assert "time='4:32'" in shown
    assert PLACE.gym in shown
    stage.show(msgspec.structs.replace(hud, phase="riding", class_title="Hill day"), 1800.0)
    shown = texts(scene(stage.view(1800.0)))
    assert "20:00 left" in shown
    assert "Hill day" in shown
    stage.show(hud, 3001.0)
    assert stage.view(3001.0).left_s is None


def test_the_aiming_screen_shows_lines_and_what_is_to_be_done_and_never_the_class():
    stage = Stage(0.0, 6.0)
    stage.show(msgspec.structs.replace(RIDING, phase="waiting"), 1.0)
    stage.aim(AIM, 1.0)
    at = scene(stage.view(1.1))
    assert not at.picture
    shown = texts(at)
    for words in ("tilt the camera down", "pedal now", "good, 31 dB", "Looks right"):
        assert words in shown
    touch = buttons_of(stage.view(1.1), WORDS, CANVAS)[0]
    event = Event("touch", touch.x + 5, touch.y + 5)
    assert meant(event, stage.view(1.1), WORDS, CANVAS) == "aimed"
    assert stage.view(3.0).aim is None  # the ride has stopped telling


def test_whoever_moves_to_the_left_moves_to_the_left_on_the_aiming_screen():
    def column(x):
        points = tuple((x, 0.1 + 0.02 * i, True) for i in range(33))
        return np.flatnonzero(painted(Skeleton(points, ""))[..., 1].max(axis=0) > 200).mean()

    assert column(0.8) < 150
    assert column(0.2) > 400


def test_a_check_tells_its_state_by_its_sign_not_by_its_colour_alone():
    shapes = [painted(CheckRow(state, "Head", "", 400))[..., 3] > 100 for state in SIGNS]
    for a, b in pairwise(shapes):
        assert (a != b).mean() > 0.005


def test_every_reason_of_the_coach_is_told_in_every_language():
    source = Path(reasons.__file__).read_text(encoding="utf-8")
    told = {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[a-z]+( [a-z]+)+", node.value)
    }
    assert len(told) > 10
    for language in ("en", "de", "ar"):
        assert told <= read_words(language).why.keys(), language


def test_a_finger_finds_the_button_it_touches():
    buttons = lay_buttons("riding", WORDS, 1280, 400)
    for placed in buttons:
        middle = (placed.x + placed.button.width / 2, placed.y + placed.button.height / 2)
        assert touched(buttons, *middle) == placed.button.action
    assert touched(buttons, 640, 100) is None
    assert [b.button.action for b in buttons]== [
        "pause", "end", "quieter", "more", "camera_off", "softer", "louder"
    ]  # fmt: skip
    assert lay_buttons("paused", WORDS, 1280, 400)[0].button.action == "resume"
    assert lay_buttons("waiting", WORDS, 1280, 400)[0].button.action == "start"


def test_a_rider_whose_name_is_not_latin_is_greeted_by_it():
    boxes = painted(Pill("सागर"))
    missing = painted(Pill("\U000f0000\U000f0001"))
    assert boxes.shape != missing.shape or (boxes != missing).any()


def test_space_and_touch_mean_what_the_phase_lets_them_mean():
    def means(event, **view):
        return meant(event, View(**view), WORDS, CANVAS)

    space = Event("key", key="space")
    assert means(space, hud=RIDING) == "pause"
    assert means(space, hud=msgspec.structs.replace(RIDING, phase="paused")) == "resume"
    assert means(space, hud=msgspec.structs.replace(RIDING, phase="waiting")) == "start"
    assert means(space) is None
    assert means(Event("key", key="q")) == "quit"
    first = lay_buttons("riding", WORDS, CANVAS.width, CANVAS.height - 312)[0]
    touch = Event("touch", first.x + 20, first.y + 20)
    assert means(touch, hud=RIDING) is None  # the first touch shows the buttons
    assert means(touch, hud=RIDING, buttons=True) == "pause"


def test_standing_is_named_but_never_painted_as_a_fault():
    view = riding(states={"standing": "fault", "shrug": "ok"})
    form = next(p.panel for p in scene(view).layers if isinstance(p.panel, Form))
    assert form.line == "standing"
    assert "fault" not in form.parts


def test_times_are_read_at_a_glance():
    assert clock_time(0) == "0:00"
    assert clock_time(1458) == "24:18"
    assert clock_time(3858) == "1:04:18"


def test_every_fault_the_figure_can_show_has_a_name_on_the_screen():
    assert set(PART_OF) | {"standing"} == set(WORDS.faults)


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("phase", ["waiting", "riding", "paused"])
def test_in_every_language_the_buttons_are_large_enough_and_apart(language: str, phase: str):
    for wide in (1180, 1280):
        placed = lay_buttons(phase, read_words(language), wide, 408)
        for one in placed:
            assert one.button.width >= 80
            assert one.x >= 0
            assert one.x + one.button.width <= wide
        for a, b in pairwise(sorted(placed, key=lambda one: (one.y, one.x))):
            assert b.y > a.y or b.x >= a.x + a.button.width


def test_a_rider_turns_the_camera_off_and_on_by_the_same_button():
    view = replace(riding(camera="off"), buttons=True)
    actions = [placed.button.action for placed in buttons_of(view, WORDS, CANVAS)]
    assert "camera_on" in actions
    assert "camera_off" not in actions


def test_a_left_handed_rider_has_the_buttons_at_the_left_whatever_the_script():
    for language, edge in (("en", 36), ("ar", 300)):  # there the form's panel is at the left
        placed = lay_buttons("riding", read_words(language), 1280, 400, left_handed=True)
        for y in {one.y for one in placed}:
            assert min(one.x for one in placed if one.y == y) == pytest.approx(edge)


def test_arabic_letters_are_joined_and_begin_at_the_right():
    brush = Brush(200, 60, 2.0)
    joined = width_of("كتف", 40)
    apart = sum(width_of(letter, 40) for letter in "كتف")
    assert joined < 0.8 * apart
    brush.text(100, 40, "كتف", 40, colour=INK, tracking=4.0)
    lit = np.asarray(brush.image)[..., 3].any(axis=0)
    assert (np.diff(lit.astype(int)) == 1).sum() == 1  # one word, nowhere torn apart


def test_a_player_that_only_plays_the_class_puts_nothing_over_it():
    alone = View(alone=True, class_state="playing")
    assert scene(alone).layers == ()
    assert PLACE.title in texts(scene(replace(alone, touched=True)))
    assert PLACE.title in texts(scene(replace(alone, class_state="reconnecting")))


@pytest.mark.parametrize("language", ["de", "ar"])
def test_every_language_says_all_that_english_says(language: str):
    ours, theirs = read_words("en"), read_words(language)
    for name in ours.__struct_fields__:
        one, other = getattr(ours, name), getattr(theirs, name)
        if isinstance(one, dict):
            assert one.keys() == other.keys(), name
        elif isinstance(one, str):
            assert set(re.findall(r"{\w+}", one)) == set(re.findall(r"{\w+}", other)), name
