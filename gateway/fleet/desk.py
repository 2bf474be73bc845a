"""The technician at work: which fleet, which bikes, as whom, and how bikes are reached."""

import asyncio
import contextlib
import getpass
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from msgspec import structs

from firmware_app.clock import MachineClock
from firmware_app.errors import BadInput
from firmware_app.settings import convert
from gateway.fleet.inventory import Bike, Inventory, RolloutRules, load_inventory
from gateway.fleet.seen import Seen
from gateway.fleet.ssh import Line, Login, connected
from gateway.fleet.update import Runner, Told

T = TypeVar("T")


class Desk(NamedTuple):
    """What every command has in common."""

    file: Path
    inventory: Inventory
    bikes: list[Bike]
    login: Login
    who: str
    """Stands in a bike's audit."""

    def connect(self, bike: Bike) -> contextlib.AbstractAsyncContextManager[Line]:
        """Open a line to a bike."""
        return connected(bike, self.login)

    def one_bike(self) -> Bike:
        """Return the bike that was named; raise BadInput when it was a gym or a group."""
        if len(self.bikes) != 1:
            raise BadInput(f"one bike, not {len(self.bikes)}; name it with --on")
        return self.bikes[0]

    def runner(self, told: Told) -> Runner:
        """Return who carries out errands."""
        return Runner(self.connect, MachineClock(), told, self.inventory.rollout.patience_s)

    def with_rules(self, waves: str | None, soak_s: float | None) -> "Desk":
        """Return the same with other waves or another soak; raise BadSetting."""
        rules = self.inventory.rollout
        written = {
            "waves": waves.split(",") if waves else list(rules.waves),
            "soak_s": rules.soak_s if soak_s is None else soak_s,
            "at_once": rules.at_once,
            "patience_s": rules.patience_s,
        }
        rules = convert(RolloutRules, written, "--waves, --soak")
        return self._replace(inventory=structs.replace(self.inventory, rollout=rules))

    def with_password(self) -> "Desk":
        """Ask for the account's password: a card that was just written may know no key."""
        word = getpass.getpass(f"password of {self.login.user}: ")
        return self._replace(login=self.login._replace(password=word))

    async def each(self, do: Callable[[Bike], Awaitable[T]]) -> dict[str, T]:
        """Do something with every chosen bike, as many at once as the rules allow."""
        gate = asyncio.Semaphore(self.inventory.rollout.at_once)

        async def one(bike: Bike) -> T:
            async with gate:
                return await do(bike)

        done = await asyncio.gather(*map(one, self.bikes))
        return dict(zip([bike.name for bike in self.bikes], done, strict=True))

    async def look(self) -> dict[str, Seen]:
        """Ask every chosen bike what it is."""
        return await self.each(self.runner(_nobody).look)


def sit_down(
    file: Path | None, words: Sequence[str], user: str | None, key: Path | None, by: str | None
) -> Desk:
    """Read the fleet and choose its bikes; raise BadSetting or BadInput."""
    path = file or Path(os.environ.get("BIKEBOX_FLEET", "fleet.toml"))
    inventory = load_inventory(path)
    here = getpass.getuser()
    return Desk(
        path,
        inventory,
        inventory.choose(words),
        Login(user or here, key),
        by or f"{user or here}@{socket.gethostname()}",
    )


def _nobody(_bike: str, _step: str, _sent_bytes: int | None = None) -> None:
    """Hear nothing: a look is over before it could be told."""
