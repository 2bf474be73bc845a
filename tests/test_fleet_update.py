"""One bike updated over a real SSH line: what is sent, what is followed, what a cut costs."""

import asyncio
import io
import json
import platform
import sys
import tarfile
from pathlib import Path

import pytest

from firmware_app.clock import HandClock, MachineClock
from gateway.fleet.bundle import read_bundle
from gateway.fleet.inventory import fingerprint_of
from gateway.fleet.plan import Bundle, plan_update
from gateway.fleet.seen import UpdateStatus
from gateway.fleet.ssh import Login, Stranger, connected, host_fingerprint
from gateway.fleet.update import LOST_S, Runner, judge, to_roll_back, to_update
from tests.ssh_bike import SshBike


def make_bundle(folder: Path, version="26.12.0", serial=12, size=3_000_000) -> Bundle:
    """A file of the shape that the updater opens; nobody unpacks it here."""
    path = folder / f"bikebox-{version}.bundle"
    here = (platform.machine(), "{}.{}".format(*sys.version_info[:2]))
    told = {"schema": "bikebox.release/1", "version": version, "serial": serial}
    told |= {"arch": here[0], "python": here[1], "unpacked_bytes": 1000}
    manifest = json.dumps(told).encode()
    with tarfile.open(path, "w") as tar:
        for name, data in (
            ("manifest.json", manifest),
            ("payload", bytes(range(256)) * (size // 256)),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return read_bundle(path)


class Scene:
    """A bike, a release and a technician."""

    def __init__(self, folder: Path, **script) -> None:
        self.bike = SshBike(folder / "bike", "b1", **script)
        self.bundle = make_bundle(folder)
        key = folder / "key"
        self.bike.technician.write_private_key(str(key))
        key.chmod(0o600)
        self.login = Login("sagar", key)
        self.told: list[tuple[str, int | None]] = []
        self.runner = Runner(
            self.connect,
            MachineClock(),
            lambda _bike, step, sent=None: self.told.append((step, sent)),
            30.0,
        )

    def run(self, work):
        """Let it happen, and turn the bike off."""

        async def to_the_end():
            try:
                return await work
            finally:
                await self.bike.away()

        return asyncio.run(to_the_end())

    def connect(self, bike):
        return connected(bike, self.login)

    async def update(self, who="sagar", **more):
        self.entry = self.bike.as_bike(await self.bike.serve())
        self.seen = await self.runner.look(self.entry)
        self.plan = plan_update("b1", self.seen, [self.bundle])
        assert self.plan.verdict == "todo", self.plan.why
        return await self.runner.carry_out(to_update(self.entry, self.plan, self.seen, who, **more))


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_a_bike_is_sent_the_release_installs_it_and_writes_down_who(scene):
    told = scene.run(scene.update("Sagar O'Neil (sagar@laptop)"))
    assert (told.result, told.before, told.after) == ("updated", "26.11.0", "26.12.0")
    assert "--by Sagar O'Neil (sagar@laptop) --detach" in scene.bike.audit
    sent = scene.bike.inbox / f"{scene.bundle.sha256}.bundle"
    assert sent.read_bytes() == scene.bundle.path.read_bytes()
    assert max(sent for _, sent in scene.told if sent) == scene.bundle.size_bytes


def test_an_upload_that_was_cut_goes_on_where_it_was(scene):
    part = scene.bike.inbox / f"{scene.bundle.sha256}.part"
    part.write_bytes(scene.bundle.path.read_bytes()[:2_500_000])
    assert scene.run(scene.update()).result == "updated"
    assert scene.plan.steps[0].words == "send the last 1 of 3 MB"
    assert min(sent for _, sent in scene.told if sent) > 2_500_000


def test_what_was_sent_before_makes_room(scene):
    old = scene.bike.inbox / f"{'0' * 64}.bundle"
    old.write_bytes(b"an older release")
    assert scene.run(scene.update()).result == "updated"
    assert [path.name for path in scene.bike.inbox.iterdir()] == [f"{scene.bundle.sha256}.bundle"]


def test_an_upload_whose_beginning_was_spoilt_by_a_power_cut_is_sent_anew(scene):
    part = scene.bike.inbox / f"{scene.bundle.sha256}.part"
    part.write_bytes(b"\0" * 2_500_000)
    assert scene.run(scene.update()).result == "updated"


def test_a_line_that_is_cut_when_the_install_has_begun_is_taken_up_again(scene):
    scene.bike.cut_after = "--detach"
    told = scene.run(scene.update())
    assert told.result == "updated"
    assert scene.bike.audit.count("install") == 1, "it is not started a second time"


def test_a_release_that_goes_back_is_told_with_the_bikes_own_words(scene):
    scene.bike.script(why="the camera was lost")
    told = scene.run(scene.update())
    assert (told.result, told.why, told.after) == ("failed", "the camera was lost", "26.11.0")


@pytest.mark.parametrize(
    ("exit_code", "result"), [(3, "put off"), (78, "refused"), (2, "refused"), (1, "failed")]
)
def test_what_the_updater_says_at_the_start_is_what_is_told(scene, exit_code, result):
    scene.bike.script(exit=exit_code, words="in the updater's words")
    told = scene.run(scene.update())
    assert (told.result, told.why) == (result, "in the updater's words")


def test_a_bike_that_is_off_is_unreachable_and_nothing_more(scene):
    async def turned_off():
        port = await scene.bike.serve()
        await scene.bike.away()
        return await scene.runner.look(scene.bike.as_bike(port))

    seen = scene.run(turned_off())
    assert (seen.reached, bool(seen.why)) == ("no", True)


def test_another_host_at_a_bikes_address_is_never_spoken_to(scene, tmp_path):
    other = SshBike(tmp_path / "other", "b2")

    async def swapped():
        entry = other.as_bike(await scene.bike.serve())
        return await scene.runner.look(entry)

    seen = scene.run(swapped())
    assert seen.reached == "refused"
    assert "another host answers at 127.0.0.1" in seen.why
    assert scene.bike.commands == []


def test_a_bike_whose_key_is_not_pinned_is_not_spoken_to_either(scene):
    async def unknown():
        port = await scene.bike.serve()
        with pytest.raises(Stranger, match="not known yet: bikebox fleet provision b1"):
            async with connected(scene.bike.as_bike(port, host_key=""), scene.login):
                pass
        return await host_fingerprint("127.0.0.1", port)

    public = scene.bike.key.export_public_key().decode()
    assert scene.run(unknown()) == fingerprint_of(public)


def test_a_technician_whose_key_the_bike_does_not_have_is_told_so(scene, tmp_path):
    async def stranger():
        port = await scene.bike.serve()
        scene.bike.technician = SshBike(tmp_path / "other", "x").technician
        return await scene.runner.look(scene.bike.as_bike(port))

    seen = scene.run(stranger())
    assert seen.reached == "refused"
    assert "is your key in its [technicians]" in seen.why


def test_a_bike_goes_back_to_the_release_before(scene):
    async def back():
        entry = scene.bike.as_bike(await scene.bike.serve())
        status = scene.bike.status(version="26.12.0", previous="26.11.0")
        seen = await scene.runner.look(entry)
        assert seen.update.previous == status["previous"]
        return await scene.runner.carry_out(to_roll_back(entry, seen.update, "sagar"))

    told = scene.run(back())
    assert (told.result, told.after) == ("updated", "26.11.0")


def test_a_switch_is_over_when_the_bike_says_so():
    assert judge(UpdateStatus(version="1", state="installing"), "2") is None
    assert judge(UpdateStatus(version="2", state="probation"), "2") == ("updated", "on probation")
    assert judge(UpdateStatus(version="1", why="no room"), "2") == ("failed", "no room")
    rides = UpdateStatus(version="1", why="put off: somebody rides")
    assert judge(rides, "2") == ("put off", "somebody rides")
    assert judge(UpdateStatus(version="1", why="refused: expired"), "2") == ("refused", "expired")


def test_a_bike_that_is_lost_after_the_switch_has_begun_has_failed(scene):
    async def lost():
        entry = scene.bike.as_bike(await scene.bike.serve())
        seen = await scene.runner.look(entry)
        plan = plan_update("b1", seen, [scene.bundle])
        runner = scene.runner._replace(clock=Impatient())
        return await runner.carry_out(to_update(entry, plan, seen, "sagar"))

    class Impatient(HandClock):
        async def sleep(self, seconds):
            await scene.bike.away()  # the new release took the network with it
            await super().sleep(seconds)

    scene.bike.script(takes_s=60)
    told = scene.run(lost())
    assert told.result == "failed"
    assert told.why.startswith("lost in the middle of it")
    assert told.seconds > LOST_S
