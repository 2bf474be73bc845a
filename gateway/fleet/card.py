"""Writes onto a fresh card's boot partition all that makes it a bike's at its first start, alone.

The steps are those that go over SSH. What begins is a line of cmdline.txt, as Raspberry Pi Imager's
own settings do it: the first start, without a network yet, installs a unit and starts again; the
unit does the rest, tries again every minute until it is done, and takes everything off the
partition, for a Wi-Fi's password, a gym's secrets and a claim are readable there.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from firmware_app.errors import BadInput
from gateway.fleet.asking import BIKEBOX
from gateway.fleet.box_plan import (
    LOG_IN_MEMORY,
    OTHER_SYSTEM,
    SYSTEMS,
    BoxFacts,
    BoxStep,
    File,
    Wanted,
    guarded,
    plan_box,
    put,
)
from gateway.fleet.desk import Desk
from gateway.fleet.inventory import Bike
from gateway.fleet.plan import Bundle
from gateway.fleet.update import UPDATER
from gateway.fleet.wanted import wanted
from gateway.identity.shown import Wifi
from gateway.wifi import FILE, connection

BOOT = "/boot/firmware"
"""Where the partition is on the box."""
FOLDER = f"{BOOT}/bikebox"
WORK, BEGIN, LOG = "first-boot.sh", "begin.sh", f"{BOOT}/bikebox.log"
UNIT = "first-boot-bikebox.service"
RUNS = f" systemd.run={FOLDER}/{BEGIN} systemd.run_success_action=reboot"
RUNS += " systemd.unit=kernel-command-line.target"
NEVER_SEEN = BoxFacts(fstab="/dev/root / ext4 defaults 0 1\n", swap_file=True, lacks_pins=True)
"""Every step is needed; each looks for itself whether there is something to do."""
UNIT_TEXT = f"""[Unit]
Description=Bikebox: make this card a bike's
After=network-online.target time-sync.target
Wants=network-online.target
ConditionPathExists={FOLDER}/{WORK}

[Service]
Type=oneshot
ExecStart=/bin/bash {FOLDER}/{WORK}
Restart=on-failure
RestartSec=60
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
"""


class Errand(NamedTuple):
    """What was asked for on the command line."""

    to: Path
    """The boot partition, where this laptop shows it."""
    bundles: Sequence[Bundle] = ()
    claim: str = ""
    wifi: Wifi | None = None


def card(desk: Desk, bike: Bike, errand: Errand) -> int:
    """Write the files of one bike's first start; return the exit code."""
    cmdline = errand.to / "cmdline.txt"
    if not cmdline.is_file():
        raise BadInput(
            f"{errand.to}: no cmdline.txt there; name the boot partition of a card that was written"
            " with Raspberry Pi OS Lite"
        )
    if errand.claim and not bike.studio:
        raise BadInput(f"[gyms.{bike.gym}] studio is empty: who should turn the claim into a key?")
    folder = errand.to / "bikebox"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for bundle in errand.bundles:
        shutil.copyfile(bundle.path, folder / bundle.path.name)
    wants = wanted(bike, desk.inventory, desk.file)
    (folder / WORK).write_text(first_boot(wants, bike.studio, errand.claim, desk.who), "utf-8")
    (folder / BEGIN).write_text(begin(errand.wifi), "utf-8")
    (folder / BEGIN).chmod(0o755)  # FAT says so of every file
    begins = cmdline.read_text("utf-8")  # last: a card that is taken out too early starts as it was
    cmdline.write_text(with_begin(begins), "utf-8")
    sys.stdout.write(
        f"{errand.to}: {bike.name}'s. Eject it, put it in, power on. It starts twice, and tells how"
        " far it is on its screen and in bikebox.log on this partition.\n"
    )
    return 0


def with_begin(cmdline: str) -> str:
    """Return the kernel's line with ours at its end, once."""
    return cmdline.rstrip("\n").replace(RUNS, "") + RUNS + "\n"


def begin(wifi: Wifi | None) -> str:
    """Return what the first start does, without a network and with little running."""
    files = [File(f"/etc/systemd/system/{UNIT}", UNIT_TEXT)]
    if wifi is not None:
        files.append(File(str(FILE), connection(wifi), 0o600))
    return "\n".join((
        "#!/bin/bash",
        "set -eu",
        f"sed -i 's| systemd.run={FOLDER}.*||' {BOOT}/cmdline.txt",
        *map(put, files),
        f"ln -sf ../{UNIT} /etc/systemd/system/multi-user.target.wants/{UNIT}",
        "rfkill unblock wifi 2>/dev/null || true",
        "sync",
        "",
    ))  # fmt: skip


def first_boot(wants: Wanted, studio: str, claim: str, who: str) -> str:
    """Return what the second start does; every part of it may be done again."""
    steps = [*plan_box(NEVER_SEEN, wants), BoxStep("bring the release", _release(who))]
    steps.append(LOG_IN_MEMORY)
    if claim:
        asks = f"echo {quote(claim)} | {BIKEBOX} provision --studio {quote(studio)} --claim -"
        steps.append(BoxStep("make its key, and let the studio certify it", asks))
    lines = [
        "#!/bin/bash",
        f"exec > >(tee -a {LOG}) 2>&1",
        f"grep -qE 'VERSION_CODENAME=({'|'.join(SYSTEMS)})$' /etc/os-release ||",
        f"    {{ echo {quote(OTHER_SYSTEM)}; exit 1; }}",
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    ]
    for n, step in enumerate(steps, 1):
        lines += [
            f"echo {quote(f'{wants.name}: [{n}/{len(steps)}] {step.words}')}",
            f"bash -s <<'{END}' || exit 1",
            guarded(step.script) + END,
        ]
    lines += [
        f"echo {quote(f'{wants.name}: done')}",
        f"shred -u {FOLDER}/{WORK} {FOLDER}/{BEGIN} || true",
        f"rm -rf {FOLDER}",
        f"rm -f /etc/systemd/system/multi-user.target.wants/{UNIT} /etc/systemd/system/{UNIT}",
        "sync",
        "exit 0",
        "",
    ]
    return "{\n" + "\n".join(lines) + "}\n"  # read whole before it takes itself away


END = "END-OF-A-STEP"


def _release(who: str) -> str:
    """Install the one of the bundles that is for this box; none is as good when it has one."""
    return "\n".join((
        f"for bundle in {FOLDER}/*.bundle; do",
        f'    if {UPDATER} verify "$bundle"; then',
        f'        {UPDATER} install "$bundle" --by {quote(who)}',
        "    fi",
        "done",
        f"if [ ! -x {BIKEBOX} ] && ls {FOLDER}/*.bundle >/dev/null 2>&1; then exit 1; fi",
    ))  # fmt: skip
