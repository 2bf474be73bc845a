"""The technician's console and the local API, asked as a browser would."""

import asyncio
import re

import httpx
import pytest
from gym_scene import told_ride

from firmware_app.errors import BadSetting
from firmware_app.summary import summarise
from firmware_app.wire import CameraState, Live, RideId
from gateway.commands.gateway import status_lines
from gateway.rides import RideRow
from gateway.web.api import make_api
from gateway.web.console import WHAT_TO_DO, Health, console
from gateway.web.frame import span_text
from gateway.web.serve import bind


class Box:
    """A box as it stands."""

    def __init__(self, **parts):
        self.parts = {"ride": "ok", "camera": "ok", "broker": "ok"} | parts
        self.row = RideRow(summarise(told_ride()), None)
        self.newest = None
        self.vision = None
        self.confirmed_utc = None

    def health(self):
        return Health(
            ok=all(words == "ok" for words in self.parts.values()),
            box="row2-bike14",
            version="26.11.0",
            parts=self.parts,
            sync="waiting",
            unsynced=7,
            oldest_age_s=9400.0,
            last_confirmed_utc=self.confirmed_utc,
            unreadable=2,
            vision=self.vision,
        )

    def live(self):
        return self.newest

    def rides(self):
        return [self.row]

    def ride(self, ride):
        return self.row if ride == self.row.summary.ride else None


def ask(box, path, host="127.0.0.1"):
    async def get():
        transport = httpx.ASGITransport(make_api(box))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as browser:
            return await browser.get(path)

    return asyncio.run(get())


def text(html):
    return re.sub(r"<[^>]+>", " ", html)


def test_the_technician_reads_first_what_is_wrong_and_what_to_do():
    page = text(ask(Box(camera="lost: camera unplugged"), "/").text)
    wrong, do = page.index("Camera: lost: camera unplugged"), page.index("USB cable")
    assert wrong < do < page.index("Now")
    assert "Everything works" not in page


def test_a_box_that_is_well_says_so_in_one_line():
    assert "Everything works." in text(ask(Box(), "/").text)


def test_the_console_shows_the_rider_now_and_what_waits_for_the_studio():
    box = Box()
    states = {"shrug": "fault", "sway": "unseen", "head_drop": "ok"}
    box.newest = Live(
        t_s=0.0,
        ride=RideId("r"),
        class_id="42",
        rider_pseudonym="p",
        phase="riding",
        cadence_rpm=86.4,
        states=states,
    )
    page = " ".join(text(ask(box, "/").text).split())
    for words in ("86 rpm", "Faults shrug", "1 of 3 rules", "7 records", "2 h 37"):
        assert words in page


def test_what_comes_from_outside_cannot_become_part_of_the_page():
    box = Box(camera="<script>alert(1)</script>")
    html = console(box.health(), box.rides(), None)
    assert "<script>" not in html


def test_the_page_needs_nothing_from_elsewhere_and_lets_nothing_in():
    answer = ask(Box(), "/")
    assert re.findall(r"https?://", answer.text) == []
    assert "style=" not in answer.text  # the policy would refuse it
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    for asset in re.findall(r'(?:src|href)="(/[^"]+)"', answer.text):
        assert ask(Box(), asset).status_code == 200


def test_another_page_in_the_browser_cannot_read_the_box_through_a_name_of_its_own():
    assert ask(Box(), "/api/rides", host="evil.example").status_code == 400


def test_health_is_told_part_by_part():
    told = ask(Box(broker="no broker at x:1883"), "/health").json()
    assert (told["ok"], told["unsynced"], told["oldest_age_s"]) == (False, 7, 9400.0)
    assert told["parts"]["broker"] == "no broker at x:1883"


def test_a_ride_is_told_with_whether_the_studio_has_it():
    told = ask(Box(), "/api/rides/000001_ab_b1").json()
    assert (told["duration_s"], told["class"], told["confirmed"]) == (90.0, "42", False)
    assert ask(Box(), "/api/rides").json() == [told]


def test_a_ride_nobody_knows_is_answered_in_a_sentence():
    answer = ask(Box(), "/api/rides/000009_xx_b1")
    assert answer.status_code == 404
    assert "000009_xx_b1" in answer.json()["detail"]


def test_nobody_riding_is_not_an_old_rider():
    assert ask(Box(), "/api/live").json() == {"live": None}


def test_prometheus_reads_the_metrics():
    lines = ask(Box(camera="lost: dark"), "/metrics").text.splitlines()
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert figures["bikebox_outbox_rows"] == "7"
    assert figures['bikebox_part_ok{part="camera"}'] == "0"
    assert figures['bikebox_part_ok{part="ride"}'] == "1"
    assert figures["bikebox_last_confirmed_timestamp_seconds"] == "0"


def test_prometheus_reads_when_the_studio_last_confirmed():
    box = Box()
    box.confirmed_utc = "2026-04-17T19:00:00+00:00"
    assert "bikebox_last_confirmed_timestamp_seconds 1776452400\n" in ask(box, "/metrics").text


def test_the_status_in_a_terminal_says_first_what_is_wrong_and_what_to_do():
    lines = status_lines(Box(broker="no broker at x:1883").health())
    assert lines[:3] == [
        "row2-bike14, version 26.11.0: 1 part not well",
        "broker: no broker at x:1883",
        f"    {WHAT_TO_DO['broker']}",
    ]
    assert "not confirmed   7 records, the oldest for 2 h 37" in lines
    assert "last confirmed  never" in lines
    assert status_lines(Box().health())[0].endswith("all is well")


def seeing_box():
    box = Box()
    box.vision = CameraState(
        t_s=1.0, ok=True, model="full", fps=29.8, late=3, p95_ms=58.0, snr_db=31.4,
        stages_histogram={"wait": (4, 0, 2, 0, 0, 0, 0, 0, 1)}, stages_total_s={"wait": 0.25},
    )  # fmt: skip
    return box


def test_prometheus_reads_how_long_each_stage_of_a_pose_takes():
    lines = ask(seeing_box(), "/metrics").text.splitlines()
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    stage = 'bikebox_pose_stage_seconds_{}{{stage="wait"{}}}'
    buckets = {f"{bound:g}": n for bound, n in zip((0.001, 0.002, 0.004), "446", strict=True)}
    for bound, upto in (buckets | {"0.128": "6", "+Inf": "7"}).items():
        assert figures[stage.format("bucket", f',le="{bound}"')] == upto
    assert figures[stage.format("sum", "")] == "0.25"
    assert figures[stage.format("count", "")] == "7"
    assert figures["bikebox_poses_per_second"] == "29.8"
    assert figures["bikebox_poses_late_total"] == "3"


def test_health_tells_the_stages_and_says_nothing_of_a_camera_that_is_silent():
    vision = ask(seeing_box(), "/health").json()["vision"]
    assert vision["stages_histogram"] == {"wait": [4, 0, 2, 0, 0, 0, 0, 0, 1]}
    assert "29.8" not in text(ask(Box(), "/").text)
    assert ask(Box(), "/health").json()["vision"] is None
    assert "Delay, p95 58 ms" in " ".join(text(ask(seeing_box(), "/").text).split())


def test_a_port_that_is_taken_is_told_with_what_to_do():
    with bind("127.0.0.1", 0, "[gateway] port") as door:
        port = door.getsockname()[1]
        with pytest.raises(BadSetting, match=rf"\[gateway\] port.*{port}.*choose another"):
            bind("127.0.0.1", port, "[gateway] port")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (150, "2 min"), (11100, "3 h 05")]
)
def test_times_are_written_for_people(seconds, words):
    assert span_text(seconds) == words
