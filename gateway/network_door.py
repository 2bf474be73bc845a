"""The box's door to the gym's network, and the code on its screen that lets a rider say who rides.

Both are there only on a box that has a certificate of its own, when the settings say so. What is
wrong with the certificate or with the door is one of the box's parts, in words.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from cryptography import x509

from firmware_app.clock import Clock
from firmware_app.errors import BadSetting
from firmware_app.settings import Settings
from firmware_app.wire import Offer
from gateway.access import Access, read_access
from gateway.identity.device import standing
from gateway.web.lan import LanBox, make_lan_api
from gateway.web.ride_claim import offer_url
from gateway.web.ride_code import FRESH_S, RideCodes
from gateway.web.serve import bind, check_tls, serve

LOOK_S = 60.0
"""How often the certificates' dates are looked at."""
SOON = timedelta(days=7)
"""A certificate that phones know is changed by the gym, long before this."""


class NetworkDoor:
    """Open or not, and why not."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Look at what there is; raise BadSetting for an access file nobody can read."""
        mqtt, gateway = settings.mqtt, settings.gateway
        self._gateway = gateway
        self._clock = clock
        self._known = bool(gateway.lan_cert_file)
        """To phones, for another authority than the gym's has signed it."""
        self._tls = (mqtt.cert_file, mqtt.key_file)
        if self._known:
            self._tls = (gateway.lan_cert_file, gateway.lan_key_file)
        self._name = gateway.lan_name or f"{settings.box}.local"
        self._hosts = [settings.box, f"{settings.box}.local", self._name]
        self._access = read_access(Path(gateway.access_file)) if gateway.access_file else Access()
        self.codes = RideCodes()
        self._certificate = _read(mqtt.cert_file)
        self._shut = "" if gateway.lan else "off"
        if gateway.lan and not all(self._tls):
            self._shut = "this box has no certificate yet; bikebox provision gives it one"
        elif gateway.lan:
            self._shut = check_tls(*self._tls)
        self._served = _read(self._tls[0]) if self._known else None
        self._words, self._served_words, self._looked_s = "", "", float("-inf")

    @property
    def parts(self) -> dict[str, str]:
        """Return the box's parts that stand or fall with its certificate, in words."""
        self._look()
        shut = self._shut or self._served_words
        found = {} if shut == "off" else {"network": shut or "ok"}
        if self._certificate is not None:
            found["certificate"] = self._words
        return found

    def _look(self) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._looked_s <= LOOK_S:
            return
        self._looked_s, now = now_s, self._clock.wall()
        if self._certificate is not None:
            self._words = standing(self._certificate, now)
        if self._served is not None and (ends := self._served.not_valid_after_utc) < now + SOON:
            self._served_words = (
                f"the certificate for phones ends on {ends:%Y-%m-%d}; bring the next"
            )

    async def run(self, box: LanBox, opened: Callable[[int], None]) -> None:
        """Serve the network until cancelled, or return at once when the door stays shut."""
        if self._shut:
            return
        try:
            door = bind("0.0.0.0", self._gateway.lan_port, "[gateway] lan_port")  # noqa: S104 - what lan = true asks for
        except BadSetting as error:
            self._shut = str(error)
            return
        self._port = door.getsockname()[1]
        opened(self._port)
        app = make_lan_api(box, self._access, self.codes, self._hosts, self._clock)
        await serve(app, door, self._tls)

    def offer(self, *, riding: bool) -> Offer:
        """Return where the next rider may say who they are."""
        now_s = self._clock.monotonic()
        url = ""
        if not self._shut and self._port and not riding:
            url = offer_url(self._name, self._port, self.codes.fresh(now_s))
        return Offer(t_s=now_s, url=url, until_s=now_s + FRESH_S)

    _port = 0


def _read(cert_file: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificates(Path(cert_file).read_bytes())[0]
    except (OSError, ValueError):
        return None
