"""The box's door to the gym's network: with its own certificate, or one that phones know."""

from datetime import UTC, datetime, timedelta

import pytest

from firmware_app.clock import HandClock
from firmware_app.settings import Gateway, Mqtt, Settings
from gateway.identity.authority import Wanted, issue, make_root, new_key, pem
from gateway.identity.keys import write_key
from gateway.network_door import NetworkDoor

NOW = datetime(2026, 4, 17, 18, 0, tzinfo=UTC)


def certificate(folder, name, days):
    """Write NAME.pem and NAME.key of an authority of its own; return the settings' two files."""
    root, key = make_root(name, NOW), new_key()
    made = issue(Wanted(name, days, (name,)), key.public_key(), root, NOW)
    (folder / f"{name}.pem").write_text(pem(made))
    write_key(key, folder / f"{name}.key")
    return str(folder / f"{name}.pem"), str(folder / f"{name}.key")


@pytest.fixture
def settings(tmp_path):
    """A box's settings, with a certificate for phones that is good for so many days."""

    def of(days=90.0, **gateway):
        own = certificate(tmp_path, "b1.local", 365)
        known = certificate(tmp_path, "b1.bikes.gym.example", days)
        files = {"lan_cert_file": known[0], "lan_key_file": known[1], **gateway}
        return Settings(
            box="b1",
            mqtt=Mqtt(url="mqtts://b", cert_file=own[0], key_file=own[1]),
            gateway=Gateway(lan=True, **files),
        )

    return of


def test_phones_get_the_certificate_that_they_know_and_the_broker_gets_the_boxs_own(settings):
    door = NetworkDoor(settings(), HandClock(NOW))
    assert door._tls[0].endswith("b1.bikes.gym.example.pem")
    assert door.parts == {"network": "ok", "certificate": "ok"}


def test_without_one_it_is_the_boxs_own(tmp_path):
    own = certificate(tmp_path, "b1.local", 365)
    bare = Settings(
        box="b1", mqtt=Mqtt(url="mqtts://b", cert_file=own[0], key_file=own[1]),
        gateway=Gateway(lan=True),
    )  # fmt: skip
    assert NetworkDoor(bare, HandClock(NOW))._tls == own


def test_one_that_ends_within_a_week_is_told_while_there_is_time(settings):
    clock = HandClock(NOW)
    door = NetworkDoor(settings(days=10), clock)
    assert door.parts["network"] == "ok"
    clock.advance(timedelta(days=4).total_seconds())
    assert door.parts["network"] == (
        "the certificate for phones ends on 2026-04-27; bring the next"
    )


def test_one_that_cannot_be_used_shuts_the_door_and_says_why(settings, tmp_path):
    (tmp_path / "no.key").write_text("\n")
    door = NetworkDoor(settings(lan_key_file=str(tmp_path / "no.key")), HandClock(NOW))
    assert "cannot be used" in door.parts["network"]
