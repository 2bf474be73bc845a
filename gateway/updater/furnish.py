"""Hangs a release's units into the system: links through `current`, so that they switch with it.

systemd, udev, sysusers and tmpfiles read their files through /opt/bikebox/current; flipping that
link changes code, units and rules at once, and flipping it back changes all of them back.
"""

from collections.abc import Iterator
from pathlib import Path

from gateway.updater.machine import TARGET, Machine
from gateway.updater.places import Places, point

ELSEWHERE = {
    "70-bikebox.rules": "etc/udev/rules.d/70-bikebox.rules",
    "tmpfiles.conf": "etc/tmpfiles.d/bikebox.conf",
    "sysusers.conf": "etc/sysusers.d/bikebox.conf",
    "journald.conf": "etc/systemd/journald.conf.d/50-bikebox.conf",
    "watchdog.conf": "etc/systemd/system.conf.d/50-bikebox.conf",
}
MAKERS = {
    "sysusers.conf": ("systemd-sysusers",),
    "tmpfiles.conf": ("systemd-tmpfiles", "--create"),
}
UNITS = "etc/systemd/system"
STARTED_BY = {
    TARGET: "multi-user.target",
    "renew-bikebox.timer": "timers.target",
    "log-bikebox.timer": "timers.target",
}
STUDIOS = ("bikebox-studio", "broker-bikebox")
"""How the units begin that belong beside a studio, and not on a bike."""
UNIT_KINDS = (".service", ".target", ".timer", ".d")


def wanted_links(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (place below the root, name in the release's systemd folder) of each link."""
    for name in sorted(path.name for path in folder.iterdir()):
        if name in ELSEWHERE:
            yield ELSEWHERE[name], name
        elif name.endswith(UNIT_KINDS) and not name.startswith(STUDIOS):
            yield f"{UNITS}/{name}", name
        if name in STARTED_BY:
            yield f"{UNITS}/{STARTED_BY[name]}.wants/{name}", name


def furnish(places: Places, machine: Machine) -> None:
    """Link what the current release brings, unlink what it no longer brings, tell systemd."""
    source = places.current / "systemd"
    wanted = dict(wanted_links(source)) if source.is_dir() else {}
    _unlink_old(places, source, set(wanted))
    for place, name in wanted.items():
        _link(places.root / place, source / name)
    if wanted:
        _link(places.root / "usr/local/bin/bikebox", places.current / "bin/bikebox")
    for name, command in MAKERS.items():
        if name in wanted.values():
            machine.run([*command, str(source / name)])
    machine.run(["systemctl", "daemon-reload"])


def _link(link: Path, to: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_dir() and not link.is_symlink():
        return  # a technician's own drop-in folder of that name stays
    if not link.is_symlink() or link.readlink() != to:
        point(link, to)


def _unlink_old(places: Places, source: Path, wanted: set[str]) -> None:
    folders = {UNITS, *(f"{UNITS}/{target}.wants" for target in STARTED_BY.values())}
    folders |= {str(Path(place).parent) for place in ELSEWHERE.values()}
    for folder in filter(Path.is_dir, (places.root / name for name in folders)):
        for link in folder.iterdir():
            ours = link.is_symlink() and link.readlink().is_relative_to(source)
            if ours and str(link.relative_to(places.root)) not in wanted:
                link.unlink()
