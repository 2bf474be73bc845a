"""Small releases for the updater's scenes: two services that do what a real one may do wrong.

Their watchdogs bite after three seconds, so that a gate of two watchdog periods takes eight.
"""

import shutil
from pathlib import Path

from boxes import REPOSITORY, run

from gateway.release.pack import minisign, pack
from gateway.release.updater import lay_out

PROGRAM = Path(__file__).with_name("fake_bikebox.py")
FAR = "2099-01-01T00:00:00+00:00"
WATCHDOG_S, START_S = 3, 8
UNIT = """[Unit]
Description=Fake {service}
PartOf=bikebox.target

[Service]
ExecStart=/opt/bikebox/current/bin/bikebox {service}
WatchdogSec={watchdog_s}
MemoryMax={memory_mb}M
"""
CLOSED = """[Unit]
StartLimitIntervalSec=0
OnFailure=update-bikebox-confirm.service

[Service]
Type=notify
NotifyAccess=main
Restart=always
RestartSec=0.5
RestartPreventExitStatus=78
TimeoutStartSec={start_s}
ProtectSystem=strict
ReadWritePaths=/run /var/lib/bikebox
"""
"""For every unit whose name begins with bikebox-, as in the real one."""
TARGET = """[Unit]
Description=Fake box
Wants=bikebox-gateway.service bikebox-ride.service

[Install]
WantedBy=multi-user.target
"""


class Foundry:
    """Makes signed releases of any kind."""

    def __init__(
        self, folder: Path, *, watchdog_s: int = WATCHDOG_S, start_s: int = START_S
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._watchdog_s, self._start_s = watchdog_s, start_s
        self.key = new_key(folder / "release")

    def make(
        self, version: str, serial: int, mode: str = "good", *, arch: str = "x86_64",
        python: str = "3.11", expires: str = FAR, key: Path | None = None, ballast_kb: int = 64,
    ) -> Path:  # fmt: skip
        """Return a bundle; mode is what the release does, see fake_bikebox.py."""
        tree = self.folder / f"tree-{version}"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "bin").mkdir(parents=True)
        shutil.copy(PROGRAM, tree / "bin/bikebox")
        (tree / "bin/bikebox").chmod(0o755)
        (tree / "VERSION").write_text(version)
        (tree / "MODE").write_text(mode)
        (tree / "systemd").mkdir()
        for service in ("gateway", "ride"):
            (tree / f"systemd/bikebox-{service}.service").write_text(
                UNIT.format(service=service, watchdog_s=self._watchdog_s, memory_mb=60)
            )
        (tree / "systemd/bikebox.target").write_text(TARGET)
        (tree / "systemd/bikebox-.service.d").mkdir()
        (tree / "systemd/bikebox-.service.d/closed.conf").write_text(
            CLOSED.format(start_s=self._start_s)
        )
        (tree / "systemd/tmpfiles.conf").write_text(
            "d /run/bikebox 0755 root root -\nd /var/lib/bikebox/gateway 0755 root root -\n"
        )
        (tree / "lib").mkdir()
        for n in range(40):
            (tree / f"lib/module_{n}.py").write_text(
                f"VALUE = {n}\n" + "#" * 1024 * (ballast_kb // 40)
            )
        bundle = self.folder / f"bikebox-{version}-{mode}.bundle"
        pack(
            tree, bundle, minisign(key or self.key), version=version, serial=serial, arch=arch,
            python=python, expires=expires, self_test=("bin/bikebox", "self-test"),
        )  # fmt: skip
        return bundle


def new_key(path: Path) -> Path:
    """Make a minisign key pair without a password; path.pub is the public one."""
    run(["minisign", "-G", "-W", "-f", "-p", str(path.with_suffix(".pub")), "-s", str(path)])
    return path


def updater_tree(to: Path) -> Path:
    """Lay out the updater of this repository as it is installed."""
    lay_out(REPOSITORY, to)
    return to
