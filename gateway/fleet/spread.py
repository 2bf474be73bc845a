"""Carries a rollout out: wave by wave, a look back after each, and the report however it ends."""

import asyncio
from collections.abc import Mapping

import msgspec

from gateway.fleet.inventory import Bike, RolloutRules
from gateway.fleet.progress import Bars
from gateway.fleet.rollout import Outcome, Rollout
from gateway.fleet.update import Errand, Runner, judge

LOOK_BACK_S = 5.0


class Spread:
    """One rollout as it runs."""

    def __init__(
        self,
        rollout: Rollout,
        errands: Mapping[str, Errand],
        runner: Runner,
        rules: RolloutRules,
        bars: Bars,
    ) -> None:
        """Take what decides, what is to be done to each bike, and who does it."""
        self._rollout = rollout
        self._errands = errands
        self._runner = runner
        self._rules = rules
        self._bars = bars
        self._line = asyncio.Semaphore(rules.at_once)

    async def run(self) -> None:
        """Go on until all are done or one has failed; when cancelled, nothing new is begun."""
        bikes: list[Bike] = []
        try:
            while bikes := self._rollout.next_wave():
                self._bars.wave(self._rollout.wave, [bike.name for bike in bikes])
                self._rollout.feed(await asyncio.gather(*map(self._serve, bikes)))
                bikes = []
                if not self._rollout.last and not self._rollout.stopped:
                    await self._soak()
        except asyncio.CancelledError:
            why = "stopped by hand; what the bike had begun it finishes"
            self._rollout.stop(why)
            self._rollout.look_again(
                [Outcome(bike=bike.name, result="waits", why=why) for bike in bikes
                 if bike.name not in self._rollout.outcomes]
            )  # fmt: skip

    async def _serve(self, bike: Bike) -> Outcome:
        async with self._line:
            outcome = await self._runner.carry_out(self._errands[bike.name])
        self._bars.over(outcome)
        return _in_wave(outcome, self._rollout.wave)

    async def _soak(self) -> None:
        """Watch those that were updated: what leaks or dies slowly shows now."""
        clock, until_s = self._runner.clock, self._runner.clock.monotonic() + self._rules.soak_s
        if self._rules.soak_s:
            self._bars.soak(self._rules.soak_s)
        while not self._rollout.stopped and clock.monotonic() < until_s:
            await clock.sleep(min(LOOK_BACK_S, max(until_s - clock.monotonic(), 0.0)))
            updated = [t for t in self._rollout.outcomes.values() if t.result == "updated"]
            again = await asyncio.gather(*map(self._look_back, updated))
            self._rollout.look_again([told for told in again if told is not None])

    async def _look_back(self, told: Outcome) -> Outcome | None:
        """Return the bike's new fate when it did not stay on the release."""
        errand = self._errands[told.bike]
        async with self._line:
            seen = await self._runner.look(errand.bike)
        over = None if seen.update is None else judge(seen.update, errand.version)
        if over is None or over[0] == "updated":
            return None  # well, busy, or not to be reached, which is no fault
        outcome = Outcome(
            bike=told.bike, result="failed", why=f"went back later: {over[1]}", before=told.before,
            after=seen.update.version if seen.update else "", wave=told.wave, seconds=told.seconds,
        )  # fmt: skip
        self._bars.over(outcome)
        return outcome


def _in_wave(outcome: Outcome, wave: int) -> Outcome:
    return msgspec.structs.replace(outcome, wave=wave)
