"""The studio as the gym's authority: lets boxes in, tells the broker who is let in no longer."""

from pathlib import Path

import structlog

from firmware_app.clock import Clock
from firmware_app.errors import BadSetting
from gateway.identity.authority import Issuer, revocation_list
from gateway.identity.keys import read_authorities, read_issuer
from gateway.studio import broker_files
from gateway.studio.enrol import Gym
from gateway.studio.grants import Grants
from gateway.studio.register import Register
from gateway.studio.settings import GymSettings

log = structlog.get_logger()

LOOK_S = 1.0
"""A box that is revoked is out a second later, as soon as the broker has read the list."""


class Identities:
    """The register, and the pen when this studio has one."""

    def __init__(self, settings: GymSettings, clock: Clock) -> None:
        """Open the register; raise SetupError when the authority cannot be used."""
        self.register = Register(settings.register, clock)
        self._folder = settings.broker_folder
        self._clock = clock
        self._state = -1
        self._told: object = None
        self.trouble = ""
        """Why the broker is not told who is revoked; empty: it is."""
        asked = settings.identity
        self._issuer: Issuer | None = None
        if asked.ca_file:
            if not asked.broker_url:
                raise BadSetting(
                    "[identity] broker_url is empty: where do boxes find the broker?"
                    ' Write broker_url = "mqtts://HOST:8883"'
                )
            ca_file = Path(asked.ca_file)
            self._issuer = read_issuer(ca_file, Path(asked.key_file))
            self._authorities = read_authorities(ca_file)
        self._settings = settings
        self._programs = asked.programs

    @property
    def grants(self) -> tuple[Grants, Gym] | None:
        """Return what answers boxes; None: this studio is nobody's authority."""
        if self._issuer is None:
            return None
        asked = self._settings.identity
        gym = Gym(
            name=self._settings.gym,
            broker_url=asked.broker_url,
            authorities=self._authorities,
        )
        return Grants(self.register, self._issuer, asked.days), gym

    async def run(self) -> None:
        """Write what the broker reads, whenever it has changed, until cancelled."""
        while True:
            if self._issuer is not None:
                self._write(self._issuer)
            await self._clock.sleep(LOOK_S)

    def _write(self, issuer: Issuer) -> None:
        register = self.register
        state = register.state
        if state == self._state:
            return
        trusted, untrusted, revoked = register.trusted(), register.untrusted(), register.revoked()
        news = (trusted, untrusted, revoked)
        try:
            if news != self._told:  # a stranger's tries are news to the audit, not to the broker
                broker_files.write(
                    self._folder,
                    broker_files.mosquitto_acl(untrusted, self._programs),
                    broker_files.nats_users(trusted, self._programs),
                    revocation_list(revoked, issuer, self._clock.wall()),
                )
        except OSError as error:
            if not self.trouble:
                self.trouble = f"{self._folder} cannot be written: {error.strerror or error}"
                log.warning("broker_files_not_written", why=self.trouble)
            return
        self.trouble = ""
        self._told, self._state = news, state

    def note(self, what: str, who: str, detail: str) -> None:
        """Put an entry into the studio's audit."""
        with self.register.alone():
            self.register.note(what, who, detail)

    def close(self) -> None:
        """Give the file back."""
        self.register.close()
