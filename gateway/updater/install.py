"""Takes a bundle in: check, unpack aside, try, name, switch, look. Every step may be the last.

Whatever dies after whichever step, `current` points to a complete release; recover.py finishes or
undoes the rest, and the same command run again goes on from where it was.
"""

from pathlib import Path

from gateway.updater.box import Box
from gateway.updater.bundle import Bundle, open_bundle, unpack
from gateway.updater.machine import PYTHON
from gateway.updater.manifest import BoxFacts, why_no_room, why_not
from gateway.updater.minisign import read_keys
from gateway.updater.outcome import Ended, PutOff, Refused
from gateway.updater.state import Trial

SELF_TEST_S = 300.0


def install(box: Box, path: Path, *, by: str, force: bool = False) -> str:
    """Install a bundle and return what came of it; raise Ended when the box stays as it was."""
    try:
        return _install(box, path, by, force=force)
    except Refused as error:
        box.releases.clean()
        box.audit("update-refused", by, str(error))
        box.step("refused", why=f"refused: {error}")
        raise


def _install(box: Box, path: Path, by: str, *, force: bool) -> str:
    box.say(f"checking {path.name}")
    bundle = verify(box, path, force=force)
    manifest = bundle.manifest
    box.step("verified", f"{manifest.version} for {manifest.arch} is signed and whole")
    trial = box.on_trial()
    current = box.releases.current()
    if current and current.version == manifest.version:
        return _go_on(box, current.sha256, bundle, trial)
    _nobody_rides(box)
    keep = {current.version if current else None, trial.came_from if trial else None}
    _place(box, bundle, keep)
    _nobody_rides(box)
    _switch(box, bundle, trial, by)
    return f"{manifest.version} is installed and on probation"


def verify(box: Box, path: Path, *, force: bool = False) -> Bundle:
    """Return a bundle that may come onto this box; raise Refused, saying why not."""
    bundle = open_bundle(path, read_keys(box.places.keys))
    current = box.releases.current()
    facts = BoxFacts(
        arch=box.machine.arch(),
        python=box.machine.python(),
        now_utc=box.machine.now_utc(),
        free_bytes=box.machine.free_bytes(),
        version=current.version if current else None,
        serial=current.serial if current else -1,
        bad={bad.sha256: bad.why for bad in box.memory.state.bad},
    )
    if why := why_not(bundle.manifest, facts, force=force):
        raise Refused(f"{path.name}: {why}")
    return bundle


def _go_on(box: Box, sha256: str, bundle: Bundle, trial: Trial | None) -> str:
    """Finish what was interrupted, or do nothing: the release runs already."""
    version = bundle.manifest.version
    if sha256 != bundle.manifest.payload_sha256:
        raise Refused(f"{version} is installed with other contents; a build needs its own version")
    if trial is None:
        return f"{version} is installed already"
    if not trial.gated:
        box.switch(version)
        box.judge(trial)
    return f"{version} is installed already, and on probation"


def _nobody_rides(box: Box) -> None:
    if box.machine.rides():
        box.step("put-off", why="put off: somebody rides")
        raise PutOff("somebody rides; a switch waits until the ride is over, try again then")


def _place(box: Box, bundle: Bundle, keep: set[str | None]) -> None:
    """Bring the release onto the card, complete and tried, without touching what runs."""
    manifest, releases = bundle.manifest, box.releases
    there = releases.read(manifest.version)
    if there and there.sha256 == manifest.payload_sha256:
        box.step("placed", f"{manifest.version} is on the card already")
        return
    releases.clean()
    releases.prune(keep | {box.memory.state.previous})
    if why := why_no_room(manifest, box.machine.free_bytes()):
        raise Refused(f"{bundle.path.name}: {why}")
    box.step("room", f"unpacking {manifest.unpacked_bytes // 1_000_000} MB")
    aside = releases.aside(manifest.version)
    aside.mkdir(mode=0o755)
    unpack(bundle, aside)
    (aside / "manifest.json").write_bytes(bundle.manifest_text)
    (aside / "manifest.json.minisig").write_text(bundle.signature, encoding="ascii")
    box.step("unpacked", "trying it on this box")
    _try(box, bundle, aside)
    box.step("tried")
    box.machine.put_on_card(aside)
    box.step("on-card")
    releases.place(bundle)
    box.step("placed", f"{manifest.version} is on the card, complete")


def _try(box: Box, bundle: Bundle, folder: Path) -> None:
    """Compile it for this box's Python, and let it test itself with this box's settings."""
    if (folder / "lib").is_dir():
        compiled = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
        box.machine.run([PYTHON, "-I", *compiled, str(folder)], within_s=SELF_TEST_S)
    program, *words = bundle.manifest.self_test
    try:
        box.machine.run([str(folder / program), *words], within_s=SELF_TEST_S)
    except Ended as error:
        raise Refused(f"its self-test failed here: {error}") from error


def _way_back(trial: Trial | None, current: str | None) -> str | None:
    """Return what to go back to: not a release that is on trial itself, when there is another."""
    return (trial.came_from if trial else None) or current


def _switch(box: Box, bundle: Bundle, trial: Trial | None, by: str) -> None:
    """Let the box run it, on trial."""
    manifest, current = bundle.manifest, box.releases.current()
    if current:
        box.copy_store(current.version, manifest.version)
        box.step("copied")
    box.memory.state.trial = Trial(
        version=manifest.version,
        sha256=manifest.payload_sha256,
        came_from=_way_back(trial, current.version if current else None),
        by=by,
        before=sorted({*box.before(), *(trial.before if trial else ())}),
    )
    box.audit("update-begun", by, f"{manifest.version}, from {current and current.version}")
    box.step("pending", f"switching to {manifest.version}")
    box.switch(manifest.version)
    box.step("restarted", "restarted; does all that worked before still work?")
    box.judge(box.memory.state.trial)
