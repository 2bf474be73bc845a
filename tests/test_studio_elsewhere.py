"""A second studio, or an old copy of this one's database, is found before rides are missed."""

import json

import pytest

from firmware_app.clock import HandClock
from gateway.mqtt import Heard
from gateway.studio.service import StudioService
from gateway.studio.settings import GymSettings
from gateway.topics import Ack, Up, pack


class Line:
    """A broker that gives back what is said, as it does to who listens to all watermarks."""

    refused, dropped = "", 0

    def __init__(self, studio):
        self.studio, self.acks = studio, []

    def publish(self, topic, payload, **_):
        if topic.endswith("/ack"):
            self.acks.append(json.loads(payload)["upto"])
            self.studio._take(self, [Heard(topic, payload, retained=False)])


@pytest.fixture
def studio(tmp_path):
    service = StudioService(GymSettings(database=str(tmp_path / "s.db")), HandClock())
    service._gather = lambda _: None
    service._up(Line(service), lambda: None)
    yield service
    service._archive.close()


def up(seq, low=1):
    return pack(
        Up(box="b1", epoch="e", seq=seq, low=low, t_s=1.0, wall_utc="then", kind="cue", body={})
    )


def hear(studio, lane, payload, *, retained=False):
    studio._take(studio._line, [Heard(f"fleet/v1/b1/{lane}", payload, retained=retained)])


def test_what_we_confirmed_ourselves_is_here(studio):
    for seq in (1, 2, 3):
        hear(studio, "up", up(seq))
    hear(studio, "ack", pack(Ack(epoch="e", upto=3)), retained=True)
    hear(studio, "ack", pack(Ack(epoch="e", upto=2)), retained=True)
    assert studio._line.acks == [1, 2, 3]
    assert studio.health()["elsewhere"] == 0
    assert "not here" not in studio.yard.body()


@pytest.mark.parametrize("retained", [True, False])
def test_a_watermark_beyond_ours_is_anothers_and_is_told_with_what_to_do(studio, retained):
    hear(studio, "up", up(1))
    hear(studio, "ack", pack(Ack(epoch="e", upto=7)), retained=retained)
    assert studio.health()["elsewhere"] == 1
    assert "Records of b1 were confirmed and are not here" in studio.yard.body()
    hear(studio, "up", up(8, low=8))  # the box goes on where the other one was
    assert "bikebox studio --import" in studio.yard.body()


@pytest.mark.parametrize("payload", [b"", b"{", b"[" * 9000, b"\xff"])
def test_a_watermark_that_is_none_says_nothing(studio, payload):
    hear(studio, "ack", payload, retained=True)
    assert studio.health()["elsewhere"] == 0
