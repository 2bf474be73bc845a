"""The ride itself: everything that happens goes in, everything to be done comes out.

No thread, no socket, no clock. The shell in services/ride.py carries things to and fro; a test, a
replay and the real bike carry the same things, so what a recording does here the bike did there.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from firmware_app.coach.book import CueBook
from firmware_app.coach.coach import Coach, Cue
from firmware_app.coach.debrief import debrief
from firmware_app.coach.interval import Intervals
from firmware_app.coach.remote import Refused, RemoteCoach, RemoteCue
from firmware_app.coach.sprint import Sprint
from firmware_app.form.analyst import Analyst
from firmware_app.form.baseline import Baseline
from firmware_app.form.metrics import FormMetrics
from firmware_app.form.reasons import FROM_FRONT, FROM_SIDE
from firmware_app.form.state import FormState
from firmware_app.ride.account import Account
from firmware_app.ride.events import CameraGone, Finish, Heard, Pulse, RideSetup, Tick
from firmware_app.ride.legs import Legs
from firmware_app.sensors.cadence import WINDOW_S, Cadence
from firmware_app.wire import (
    Audit,
    Command,
    CueAnswer,
    CueGiven,
    CueOutcome,
    FromRide,
    Hud,
    Lexicon,
    Live,
    PoseFeatures,
    Prepare,
    RideEnded,
    RideStarted,
    Say,
    ToGateway,
    Touch,
)

LIVE_EVERY_S = 1.0
TICK_SLACK_S = 0.05
"""A tick that comes this much early is still the one that was meant."""
UNANSWERED_S = 6.0
"""A cue whose outcome the player has not told by then was not given: the player is not there."""

SENSOR_WORDS = {
    "": "ok",
    "no pulses": "no pulses: is the magnet in front of the sensor, and the cable in?",
    "half": "half the turns: is pulses_per_turn too high, or a magnet missed?",
    "double": "twice the turns: is pulses_per_turn too low, or a contact bouncing?",
    "noisy": "not the legs' cadence: is the sensor loose?",
}
"""What the legs say of the crank sensor, for the technician."""


class Send(NamedTuple):
    """Tell everybody on ride.sock; old news is no news."""

    message: FromRide


class Tell(NamedTuple):
    """Write to the journal, and so to the gateway."""

    message: ToGateway


Deed = Send | Tell
Phase = Literal["riding", "paused", "ended"]


class Ride:
    """One rider, one saddle, from first turn to last."""

    def __init__(self, setup: RideSetup, book: CueBook) -> None:
        self.setup = setup
        self._book = book
        self._cadence = Cadence(setup.pulses_per_turn)
        self._account = Account(setup.t_s, self._cadence)
        known = tuple(Baseline(summary) for summary in setup.known)
        self._analyst = Analyst(setup.view, setup.coaching, known, setup.profile.without)
        self._coach = Coach(book, setup.coaching, setup.rider, setup.rides, setup.profile)
        self._remote = RemoteCoach(book, setup.coaching.language, setup.rider)
        self._form: FormState | None = None
        self._legs = Legs()
        self._whole_turns = -1
        """Turns the analyst knows of; the first pulse begins the first turn."""
        self._target_rpm = setup.coaching.target_rpm
        self._intervals = Intervals()
        self._sprint = Sprint()
        self._waiting: dict[int, Say] = {}
        """Cues on their way to the player, by number."""
        self.phase: Phase = "riding"
        self._paused_by_hand = False
        self._paused_s = 0.0
        self._tick_s = self._live_s = self._told_pose_s = self._pulse_s = setup.t_s
        self._moved_s = setup.t_s
        """The last sign of riding: a pulse, or legs that turn although no pulse comes."""
        for pulse_s in setup.pulses_s:
            self._account.begin(pulse_s - self._tick_s)
            self._tick_s = pulse_s
            self._pulse(pulse_s)

    @property
    def baseline(self) -> Baseline | None:
        """How the rider sits when all is well, as far as this ride knows."""
        return self._analyst.baseline

    @property
    def riding_s(self) -> float:
        """Riding time so far, without the rests."""
        return self._account.riding_s

    @property
    def wished_style(self) -> str:
        """How often the rider wished the coach to speak, in this ride; empty: no wish."""
        return self._coach.wished

    def opening(self) -> tuple[Deed, ...]:
        """Return what is to be done before the first event."""
        setup = self.setup
        started = RideStarted(
            t_s=setup.t_s,
            ride=setup.ride,
            box=setup.box,
            boot_id=setup.boot_id,
            wall_utc=setup.wall_utc,
            wall_synced=setup.wall_synced,
            rider=setup.rider,
            name_on_board=setup.name_on_board,
            rider_pseudonym=setup.rider_pseudonym,
            class_id=setup.class_id,
            view=setup.view,
            software=setup.software,
        )
        return Tell(started), Send(self.prepare())

    def prepare(self) -> Prepare:
        """Return all that the coach may say in this ride."""
        setup = self.setup
        return Prepare(t_s=setup.t_s, language=setup.coaching.language, texts=self._coach.texts())

    def lexicon(self) -> Lexicon:
        """Return the words that whoever words cues ahead of need may use."""
        setup = self.setup
        return Lexicon(
            t_s=setup.t_s,
            ride=setup.ride,
            language=setup.coaching.language,
            rules=self._remote.lexicon(),
        )

    def feed(self, event: Heard) -> tuple[Deed, ...]:
        """Take in one event; return what is to be done about it, in order."""
        if self.phase == "ended":
            return ()
        return tuple(self._feed(event))

    def _feed(self, event: Heard) -> Iterator[Deed]:
        match event:
            case FormMetrics():
                self._analyst.see(event)
                self._legs.see(event)
            case Pulse():
                self._pulse(event.t_s)
            case Tick():
                yield from self._tick(event.t_s)
            case CameraGone():
                self._analyst.lost(event.t_s)
            case CueOutcome():
                yield from self._outcome(event.cue, event.outcome, event.why, event.t_s)
            case Touch():
                yield from self._touch(event)
            case Command():
                yield from self._obey(event)
            case Finish():
                yield from self._end(event.t_s, event.why)

    # riding and resting ----------------------------------------------------------------------

    def _pulse(self, t_s: float) -> None:
        if not self._cadence.pulse(t_s):
            return
        if self._cadence.turns >= self._whole_turns + 1:
            self._whole_turns = int(self._cadence.turns)
            self._analyst.pulse(t_s)
        self._pulse_s = t_s
        if self.phase == "riding" or self._cadence.rpm(t_s) > 0:
            self._move(t_s)

    def _move(self, t_s: float) -> None:
        """Take in a sign of riding: a rest is over, unless it was wished for."""
        if self._paused_by_hand:
            return
        if self.phase == "paused":
            self.phase = "riding"
            self._account.drop(t_s)
        self._moved_s = t_s
        self._account.keep(t_s)

    def _pause(self, t_s: float, *, by_hand: bool) -> None:
        self.phase = "paused"
        self._paused_by_hand = by_hand
        self._paused_s = t_s
        self._account.drop(t_s)

    def _touch(self, touch: Touch) -> Iterator[Deed]:
        match touch.action:
            case "pause" if self.phase == "riding":
                self._pause(touch.t_s, by_hand=True)
            case "resume" | "start" if self.phase == "paused":
                self._paused_by_hand = False
                self._move(touch.t_s)
            case "end":
                yield from self._end(touch.t_s, "ended by the rider")
            case "quieter" | "more":
                self._coach.wish(touch.action)
            case _:
                pass  # has no meaning in this phase

    def _tick(self, t_s: float) -> Iterator[Deed]:
        dt_s, self._tick_s = max(t_s - self._tick_s, 0.0), t_s
        rpm: float | None = round(self._cadence.rpm(t_s), 1)
        if t_s - self._pulse_s > WINDOW_S and self._legs.turning(t_s):
            rpm = None  # the sensor is silent, the rider is not
            self._move(t_s)
        self._sprint.see(t_s, rpm)
        target_rpm = self._intervals.target_rpm(t_s, self._target_rpm)
        form = self._form = self._analyst.judge(t_s, rpm, target_rpm)
        if self.phase == "riding":
            self._account.add(t_s, dt_s, rpm, form)
            if t_s - self._moved_s >= self.setup.rules.pause_s:
                self._pause(t_s, by_hand=False)
            else:
                yield from self._consider(form)
        elif t_s - self._paused_s >= self.setup.rules.end_s:
            yield from self._end(t_s, "nobody pedalled")
            return
        for number, said in list(self._waiting.items()):
            if t_s - said.t_s > UNANSWERED_S:
                yield from self._outcome(number, "dropped", "no player answered", t_s)
        if self._account.due(t_s, self.setup.rules.interval_s):
            yield from self._close_interval(t_s)
        yield Send(self._hud(t_s, rpm, form))
        if t_s - self._live_s >= LIVE_EVERY_S:
            self._live_s = t_s
            yield Send(self._live(t_s, rpm, form))
        if self.setup.pose_hz and t_s - self._told_pose_s >= 1 / self.setup.pose_hz - TICK_SLACK_S:
            self._told_pose_s = t_s
            yield Send(self._features(t_s, rpm, form))

    # the coach -------------------------------------------------------------------------------

    def _consider(self, form: FormState) -> Iterator[Deed]:
        cue = self._coach.consider(form, self._quiet(form.t_s))
        if cue is not None:
            yield self._say(cue, form.t_s, cue.kind)

    def _quiet(self, t_s: float) -> str:
        """Return why what is ridden leaves no room for words; empty: it does."""
        return self._intervals.quiet(t_s) or self._sprint.quiet(t_s)

    def _obey(self, command: Command) -> Iterator[Deed]:
        match command.kind:
            case "cue":
                yield from self._remote_cue(command)
            case "wording":
                yield from self._reword(command)
            case "interval":
                self._intervals.hear(command)
            case _:
                self._target_rpm = command.target_rpm or self._target_rpm

    def _remote_cue(self, command: Command) -> Iterator[Deed]:
        """Say what a remote coach words, if it is true now; otherwise keep why it was not said."""
        form, late = self._form, command.t_s > command.expires_s > 0
        if late or form is None or self.phase != "riding":
            given: Cue | Refused = Refused("too late" if late else "nobody rides")
        else:
            language = command.language or self.setup.coaching.language
            wish = RemoteCue(rule=command.rule, words=command.text, language=language)
            quiet = self._quiet(command.t_s)
            given = Refused(quiet) if quiet else self._remote.give(wish, form, self._coach)
        refused = given.why if isinstance(given, Refused) else ""
        yield Send(
            CueAnswer(t_s=command.t_s, command=command.command, given=not refused, why=refused)
        )
        if isinstance(given, Refused):
            yield Tell(
                Audit(
                    t_s=command.t_s,
                    what="cue_refused",
                    who="remote coach",
                    detail=f"{command.command}: {given.why}",
                )
            )
        else:
            yield self._say(given, command.t_s, "remote")

    def _reword(self, command: Command) -> Iterator[Deed]:
        """Take other words for a rule's next cue, if they could ever be said about it."""
        language = command.language or self.setup.coaching.language
        wish = RemoteCue(rule=command.rule, words=command.text, language=language)
        why = self._remote.unfit(wish)
        answer = CueAnswer(t_s=command.t_s, command=command.command, given=not why, why=why)
        yield Send(answer)
        if not why:
            text = self._coach.reword(command.rule, command.text.strip())
            yield Send(
                Prepare(t_s=command.t_s, language=self.setup.coaching.language, texts=(text,))
            )

    def _say(self, cue: Cue, t_s: float, kind: Literal["correct", "praise", "remote"]) -> Send:
        say = self._waiting[cue.number] = Say(
            t_s=t_s,
            cue=cue.number,
            rule=cue.rule,
            kind=kind,
            text=cue.text,
            hint=cue.hint,
            until_s=cue.until_s,
            voice=cue.voice,
        )
        return Send(say)

    def _outcome(self, number: int, outcome: str, why: str, t_s: float) -> Iterator[Deed]:
        said = self._waiting.pop(number, None)
        if said is None:
            return
        self._coach.outcome(number, outcome, t_s)
        yield Tell(
            CueGiven(
                t_s=t_s,
                ride=self.setup.ride,
                cue=number,
                rule=said.rule,
                kind=said.kind,
                words=said.text,
                outcome=outcome,
                why=why,
                ride_s=round(said.t_s - self.setup.t_s, 2),
            )
        )

    # the books, and the end ------------------------------------------------------------------

    def _close_interval(self, t_s: float) -> Iterator[Deed]:
        interval = self._account.close(self.setup.ride, t_s)
        if interval is not None:
            yield Tell(interval)

    def _end(self, t_s: float, why: str) -> Iterator[Deed]:
        if t_s - self._moved_s < WINDOW_S:
            self._account.keep(t_s)
        for number in list(self._waiting):
            yield from self._outcome(number, "dropped", "the ride ended", t_s)
        yield from self._close_interval(t_s)
        self.phase = "ended"
        whole = self._account.whole
        strength, next_thing = debrief(self._book, whole.riding_s, whole.fault_s, whole.unseen_s)
        yield Tell(
            RideEnded(
                t_s=t_s,
                ride=self.setup.ride,
                intervals=self._account.intervals,
                why=why,
                strength=strength,
                next_thing=next_thing,
            )
        )
        yield Send(self._account.debrief(t_s, self.setup.rider, strength, next_thing))

    # what is shown ---------------------------------------------------------------------------

    def _hud(self, t_s: float, rpm: float | None, form: FormState) -> Hud:
        unseen = [
            why
            for rule, why in form.why.items()
            if form.states.get(rule) == "unseen" and why not in (FROM_SIDE, FROM_FRONT)
        ]
        return Hud(
            t_s=t_s,
            phase=self.phase,
            rider=self.setup.rider,
            elapsed_s=round(self._account.riding_s, 1),
            cadence_rpm=rpm,
            target_rpm=self._intervals.target_rpm(t_s, self._target_rpm),
            states=form.states,
            unseen_why=max(unseen, key=unseen.count) if unseen else "",
            learning=form.learning,
            crank="lost" if rpm is None else "ok",
            left_handed=self.setup.profile.left_handed,
        )

    def _features(self, t_s: float, rpm: float | None, form: FormState) -> PoseFeatures:
        setup, analyst = self.setup, self._analyst
        return PoseFeatures(
            t_s=t_s,
            ride=setup.ride,
            class_id=setup.class_id,
            rider_pseudonym=setup.rider_pseudonym,
            view=setup.view,
            cadence_rpm=rpm,
            learning=form.learning,
            features={name: round(value, 3) for name, value in analyst.deviation.items()},
            evidence={rule: round(value, 2) for rule, value in analyst.evidence.items()},
        )

    def _live(self, t_s: float, rpm: float | None, form: FormState) -> Live:
        return Live(
            t_s=t_s,
            ride=self.setup.ride,
            class_id=self.setup.class_id,
            rider_pseudonym=self.setup.rider_pseudonym,
            phase=self.phase,
            cadence_rpm=rpm,
            states=form.states,
            name=self.setup.rider if self.setup.name_on_board else "",
            parts={
                "crank": SENSOR_WORDS[self._analyst.sensor or ("no pulses" if rpm is None else "")]
            },
        )
