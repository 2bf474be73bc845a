"""Puts the panels where they belong: from what is known to what is seen.

Pure: a view and a canvas in, a scene of placed panels out; equal scenes need no new drawing.
"""

from dataclasses import dataclass, replace

from firmware_app.player.aim_page import AimTitle, CheckRow, Skeleton
from firmware_app.player.banner import Banner
from firmware_app.player.buttons import BESIDE, GAP, HIGH, PlacedButton, done_button, lay_buttons
from firmware_app.player.code import Code
from firmware_app.player.figure import parts_of
from firmware_app.player.icons import Mark, Sign
from firmware_app.player.pages import Countdown, Ground, Notice, Shade, Summary, Welcome
from firmware_app.player.panels import (
    Cadence,
    Elapsed,
    Form,
    Heading,
    Panel,
    Pill,
    Signs,
    Vitals,
    clock_time,
    order_parts,
)
from firmware_app.player.stage import View
from firmware_app.player.theme import DIM, FAULT, GOOD, INK, MARGIN, UNSEEN, WARN, Canvas
from firmware_app.player.words import Words
from firmware_app.wire import Aim, Check, Debrief, Hud

TOP = 14.0
UNDER_HEADING = 124.0
"""Where what is told in words begins, below title and signs."""
WELCOME_Y = 116.0
SKELETON_SHARE = 0.38
"""Of the aiming screen's width; what is to be done needs the rest for its words."""


@dataclass(frozen=True)
class Placed:
    """A panel, where its upper left corner is in units, and its opacity."""

    panel: Panel
    x: float
    y: float
    share: float = 1.0


@dataclass(frozen=True)
class Scene:
    """One picture of the screen, bottom to top."""

    picture: bool
    """Is the class's picture behind it all."""
    dim: float
    """How much of its light is taken from it, 0..1."""
    layers: tuple[Placed, ...]
    mirrored: bool = False
    """Drawn for a script that runs from the right."""


@dataclass(frozen=True)
class Place:
    """What does not change during a class."""

    gym: str
    title: str
    box: str = ""


def compose(view: View, *, picture: bool, place: Place, words: Words, canvas: Canvas) -> Scene:
    """Return what is to be seen; picture tells whether there is one of the class."""
    scene = _from_the_left(view, picture=picture, place=place, words=words, canvas=canvas)
    layers = scene.layers
    if words.rtl:
        layers = tuple(replace(p, x=canvas.width - p.x - p.panel.width) for p in layers)
    buttons = tuple(Placed(b.button, b.x, b.y) for b in buttons_of(view, words, canvas))
    return replace(scene, layers=layers + buttons, mirrored=words.rtl)


def buttons_of(view: View, words: Words, canvas: Canvas) -> tuple[PlacedButton, ...]:
    """Return the buttons that are on the screen, where they are."""
    if view.aim is not None:
        return done_button(words, canvas.width, canvas.height - 108)
    if not view.buttons:
        return ()
    phase = view.hud.phase if view.hud is not None else "none"
    off = view.hud is not None and view.hud.camera == "off"
    left = view.hud is not None and view.hud.left_handed
    y = canvas.height - (MARGIN + HIGH if phase == "waiting" else 340)
    return lay_buttons(phase, words, canvas.width, y, camera_off=off, left_handed=left)


def _from_the_left(
    view: View, *, picture: bool, place: Place, words: Words, canvas: Canvas
) -> Scene:
    """Return the scene without its buttons, as for a script that runs from the left."""
    picture = picture and view.class_state not in ("off", "refused")
    hud = view.hud
    if view.alone and picture and view.class_state == "playing" and not view.touched:
        return Scene(picture=True, dim=0.0, layers=())  # nothing to be told: the class alone
    ground = Placed(Ground(canvas.width, canvas.height), 0, 0)
    if view.aim is not None:
        return Scene(picture=False, dim=0.0, layers=(ground, *_aim(view.aim, words, canvas)))
    if hud is not None and hud.phase == "ended":
        ended = _ended(view.debrief, hud, place, words, canvas)
        return Scene(picture=False, dim=0.0, layers=(ground, ended))
    layers: list[Placed] = [] if picture else [ground]
    dim = 0.0
    if hud is not None and hud.phase == "waiting":
        if picture:
            layers.append(Placed(Shade(canvas.width * 0.68, canvas.height, 0.8), 0, 0))
        layers += _welcome(view, hud, place, words, canvas)
        dim = 0.3
    else:
        layers += _ride(view, place, words, canvas)
        notice = _notice(view, words, picture=picture)
        if notice is not None:
            layers += _put_notice(notice, view, words, canvas)
            dim = 0.45
    layers += _parts(view, words, canvas)
    if view.banner is not None and view.banner_share > 0:
        layers.append(_banner(view, canvas))
    return Scene(picture=picture, dim=dim if picture else 0.0, layers=tuple(layers))


def _banner(view: View, canvas: Canvas) -> Placed:
    """Return the cue, below, between the cadence and the form."""
    said = view.banner
    assert said is not None  # noqa: S101 - asked by the caller
    left, right = MARGIN + Cadence.width + GAP, canvas.width - BESIDE
    panel = Banner(said.rule, said.kind, said.text, said.hint, right - left)
    x = min(max((canvas.width - panel.width) / 2, left), right - panel.width)
    return Placed(panel, x, canvas.height - MARGIN - panel.height, view.banner_share)


def _put_notice(notice: Notice, view: View, words: Words, canvas: Canvas) -> list[Placed]:
    """Return the card in the middle; while buttons leave no room for it, they come first."""
    y = max((canvas.height - 60 - notice.height) / 2, UNDER_HEADING)
    buttons = buttons_of(view, words, canvas)
    if buttons:
        y = min(y, min(placed.y for placed in buttons) - notice.height - GAP)
    x = min((canvas.width - notice.width) / 2, canvas.width - BESIDE - notice.width)
    return [Placed(notice, x, y)] if y >= UNDER_HEADING else []


def _aim(aim: Aim, words: Words, canvas: Canvas) -> list[Placed]:
    """Return the aiming screen: the rider as lines at the left, what is to be done at the right."""
    left, top = 60.0, 182.0
    title = AimTitle(words.aim, words.aim_line, canvas.width - 2 * left)
    high = canvas.height - top - 108
    wide = min(high * aim.aspect, canvas.width * SKELETON_SHARE)
    skeleton = Skeleton(aim.points, words.aim_nobody, wide, wide / aim.aspect)
    x = left + skeleton.width + 36
    layers = [Placed(title, left, 24), Placed(skeleton, left, top)]
    for i, check in enumerate(aim.checks):
        row = CheckRow(
            check.state,
            words.aim_names.get(check.name, check.name),
            _check_said(check, words),
            canvas.width - left - x,
        )
        layers.append(Placed(row, x, top + i * row.height))
    return layers


def _check_said(check: Check, words: Words) -> str:
    said = words.aim_said.get(check.said, check.said)
    return said.format(figure="" if check.figure is None else f"{check.figure:.0f}")


def _ride(view: View, place: Place, words: Words, canvas: Canvas) -> list[Placed]:
    line = words.no_class if view.class_state == "off" else place.gym
    layers = [Placed(Heading(_title(view, place, words), line), MARGIN, TOP)]
    hud = view.hud
    if hud is None:
        return layers
    left = "" if view.left_s is None else words.left.format(time=clock_time(view.left_s))
    elapsed = Elapsed(int(hud.elapsed_s), left)
    cadence, form, vitals = _cadence(hud, words), _form(hud, words), _vitals(hud, words)
    right, bottom = canvas.width - MARGIN, canvas.height - MARGIN
    layers += [
        Placed(elapsed, right - elapsed.width, TOP),
        Placed(cadence, MARGIN, bottom - cadence.height),
        Placed(form, right - form.width, bottom - form.height),
    ]
    if vitals is not None:
        y = bottom - form.height - GAP - vitals.height
        layers.append(Placed(vitals, right - vitals.width, y))
    return layers


def _vitals(hud: Hud, words: Words) -> Vitals | None:
    """Return what sensors tell of heart and power; None where there are none."""
    rows: list[tuple[Sign, str, str]] = []
    if hud.heart_bpm is not None:
        rows.append(("heart", f"{hud.heart_bpm:.0f}", words.heart_unit))
    if hud.power_w is not None:
        rows.append(("power", f"{hud.power_w:.0f}", words.power_unit))
    return Vitals(tuple(rows)) if rows else None


def _cadence(hud: Hud, words: Words) -> Cadence:
    trouble = words.crank_lost if hud.crank == "lost" else ""
    if hud.cadence_rpm is None and not trouble:
        trouble = words.no_crank
    target = hud.target_rpm
    told = words.target.format(low=f"{target[0]:.0f}", high=f"{target[1]:.0f}") if target else ""
    rpm = None if hud.cadence_rpm is None else round(hud.cadence_rpm)
    return Cadence(rpm, target, words.cadence, words.rpm, told, trouble)


def _form(hud: Hud, words: Words) -> Form:
    parts = parts_of(hud.states)
    faults = [
        rule for rule, state in hud.states.items() if state == "fault" and rule in words.faults
    ]
    learning = None
    if hud.camera in ("lost", "off", "nobody", "dark"):
        line, tone = words.form_off, UNSEEN
        parts = parts_of({})
    elif hud.learning is not None:
        line, tone, learning = words.form_learning, DIM, round(hud.learning * 100)
    elif faults:
        line, tone = words.faults[faults[0]], FAULT
    elif hud.states.get("standing") == "fault":  # a way of riding, nothing to mend
        line, tone = words.faults["standing"], DIM
    elif "ok" in parts.values():
        line, tone = words.form_ok, GOOD
    else:
        line, tone = words.form_off, UNSEEN
    why = hud.unseen_why if hud.camera in ("ok", "lost") else ""
    why = words.why.get(why, why)
    return Form(order_parts(parts), words.form, line, tone, why, learning)


def _parts(view: View, words: Words, canvas: Canvas) -> list[Placed]:
    """Return the signs of the bike's parts, upper middle, and in words what is missing."""
    marks: dict[str, Mark] = {"playing": "", "refused": "struck", "off": "struck"}
    signs: list[tuple[Sign, Mark]] = [("class", marks.get(view.class_state, "badge"))]
    missing: list[str] = []
    hud = view.hud
    if hud is None and view.alone:
        pass  # this player was started for the class only
    elif hud is None:
        if view.starting or view.class_state != "off":  # else a card tells it
            missing.append(words.coach_starting if view.starting else words.coach_gone)
        signs.append(("eye", "badge" if view.starting else "struck"))
    else:
        seen: dict[str, Mark] = {"ok": "", "nobody": "badge", "dark": "badge"}
        signs.append(("camera", seen.get(hud.camera, "struck")))
        sync: dict[str, Mark] = {"ok": "", "waiting": "badge"}
        signs.append(("sync", sync.get(hud.sync, "struck")))
        told = [words.camera.get(hud.camera, ""), words.sync.get(hud.sync, "")]
        if hud.phase == "waiting":  # an empty saddle, and nothing to be kept yet
            told = [told[0] if hud.camera != "nobody" else ""]
        missing += filter(None, told)
    if view.speaker_lost:
        signs.append(("speaker", "struck"))
        missing.append(words.speaker_lost)
    row = Signs(tuple(signs))
    layers = [Placed(row, (canvas.width - row.width) / 2, 24)]
    colour = WARN
    if view.volume is not None:
        missing, colour = [words.volume.format(percent=view.volume)], INK
    if missing:
        pill = Pill(" · ".join(missing), colour, canvas.width - MARGIN - BESIDE)
        layers.append(Placed(pill, MARGIN, UNDER_HEADING))
    return layers


def _notice(view: View, words: Words, *, picture: bool) -> Notice | None:
    """Return the one thing to be told in the middle of the screen, or nothing."""
    if view.hud is not None and view.hud.phase == "paused":
        return Notice("pause", words.paused, words.paused_hint, GOOD)
    why = view.class_why
    if view.class_state == "refused":
        line = f"{why[:1].upper()}{why[1:]}. {words.refused_hint}" if why else words.refused_hint
        return Notice("class", words.refused, line, DIM, struck=True, widest=860)
    if view.class_state == "reconnecting":
        return Notice("class", words.reconnecting, words.reconnecting_hint, WARN)
    quiet = {
        "waiting": Notice("wait", words.waiting, words.waiting_hint),
        "connecting": Notice("class", words.connecting, words.connecting_hint),
    }
    if view.hud is None and not (view.starting or view.alone):
        quiet["off"] = Notice("eye", words.coach_gone, words.coach_gone_hint, DIM, struck=True)
    return None if picture else quiet.get(view.class_state)


def _title(view: View, place: Place, words: Words) -> str:
    """Return the class's name: the studio's, else the settings', else none in particular."""
    told = view.hud.class_title if view.hud is not None else ""
    return told or place.title or words.live_class


def _welcome(view: View, hud: Hud, place: Place, words: Words, canvas: Canvas) -> list[Placed]:
    hello = words.welcome.format(rider=hud.rider) if hud.rider else words.welcome_nobody
    counted = hud.crank == "ok" and hud.cadence_rpm is not None
    begin = (words.begin, words.begin_hint) if counted else (words.touch, words.touch_hint)
    page = Welcome(place.gym, hello, _title(view, place, words), *begin)
    layers = [Placed(page, 72, WELCOME_Y)]
    told: Panel | None = None
    if view.to_start_s is not None:
        told = Countdown(words.starts_in, clock_time(view.to_start_s))
    elif view.class_state == "waiting":
        told = Notice("wait", words.waiting, words.waiting_hint, widest=500)
    elif view.class_state == "refused":
        told = Notice("class", words.refused, words.refused_hint, struck=True, widest=500)
    elif hud.update:
        told = Notice("wait", words.update_back, hud.update, WARN, widest=500)
    if told is not None:
        layers.append(Placed(told, canvas.width - 60 - told.width, WELCOME_Y + 74))
    if hud.claim_url and not view.buttons:
        code = Code(hud.claim_url, words.claim)
        x, y = canvas.width - 60 - code.width, canvas.height - MARGIN - code.height
        layers.append(Placed(code, x, y))
    return layers


def _ended(debrief: Debrief | None, hud: Hud, place: Place, words: Words, canvas: Canvas) -> Placed:
    rider = debrief.rider if debrief else hud.rider
    title = words.ended.format(rider=rider) if rider else words.ended_nobody
    if debrief is None:
        wait = Notice("wait", title, words.ended_hint)
        return Placed(wait, (canvas.width - wait.width) / 2, (canvas.height - wait.height) / 2)
    figures = [(words.ride_time, clock_time(round(debrief.duration_s)), "")]
    if debrief.cadence_mean_rpm is not None:
        figures.append((words.cadence, f"{debrief.cadence_mean_rpm:.0f}", words.rpm))
    if debrief.in_position_share is not None:
        figures.append((words.in_form, f"{debrief.in_position_share:.0%}".rstrip("%"), "%"))
    page = Summary(
        title=title,
        line=" · ".join(filter(None, (hud.class_title or place.title, place.gym, place.box))),
        figures=tuple(figures),
        timeline=debrief.timeline,
        duration_s=round(debrief.duration_s),
        timeline_label=words.timeline,
        legend=tuple((k, w) for k, w in words.legend.items() if k in debrief.timeline),
        strength=(words.strength, debrief.strength),
        next_thing=(words.next_thing, debrief.next_thing),
        width=canvas.width,
        height=canvas.height,
    )
    return Placed(page, 0, 0)
