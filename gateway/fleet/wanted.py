"""What a bike's box shall be, put together from fleet.toml and this clone of the repository."""

import io
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_app.errors import BadInput, BadSetting
from gateway.fleet.box_plan import File, Wanted
from gateway.fleet.inventory import Bike, Inventory
from gateway.release.updater import lay_out
from gateway.updater.library import fingerprint

REPOSITORY = Path(__file__).parents[2]
CREDENTIALS = "/etc/bikebox/credentials"
KEYS = "/etc/bikebox/release-keys"
SUDOERS, SSHD = "/etc/sudoers.d/50-bikebox", "/etc/ssh/sshd_config.d/50-bikebox.conf"


def wanted(bike: Bike, inventory: Inventory, fleet_file: Path) -> Wanted:
    """Return what this bike's box shall be; raise BadSetting or BadInput."""
    if not inventory.technicians:
        raise BadSetting(f"{fleet_file}: [technicians] is empty; nobody could get into the box")
    if not inventory.release_keys:
        raise BadSetting(f"{fleet_file}: [release_keys] is empty; no release could be trusted")
    updater, word = pack_updater()
    return Wanted(
        name=bike.name,
        packages=debian_packages(),
        technicians={name: key.strip() for name, key in inventory.technicians.items()},
        files=(*_ours(), *_keys(inventory), *_credentials(bike, fleet_file)),
        settings=bike.settings,
        updater=updater,
        updater_fingerprint=word,
    )


def debian_packages() -> tuple[str, ...]:
    """Return what Debian must bring before a box rides."""
    lines = _text("config/setup/debian-box.txt").splitlines()
    words = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return tuple(word[0] for word in words)


def pack_updater() -> tuple[bytes, str]:
    """Return the updater's folder, packed, and the word that changes with it."""
    with TemporaryDirectory(prefix="bikebox-updater-") as place:
        folder = Path(place) / "updater"
        lay_out(REPOSITORY, folder)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=9) as tar:
            tar.add(folder, ".")
        return packed.getvalue(), fingerprint(folder)


def _ours() -> tuple[File, ...]:
    return (
        File(SUDOERS, _text("config/box/sudoers"), 0o440, check=f"visudo -cqf {SUDOERS}.new"),
        File(SSHD, _text("config/box/sshd.conf"), then="systemctl reload ssh || true"),
    )


def _keys(inventory: Inventory) -> tuple[File, ...]:
    return tuple(
        File(f"{KEYS}/{name}.pub", f"untrusted comment: {name}\n{key}\n")
        for name, key in inventory.release_keys.items()
    )


def _credentials(bike: Bike, fleet_file: Path) -> tuple[File, ...]:
    """Return the gym's secrets, one a file, as systemd hands them out when a service starts."""
    if not bike.credentials:
        return ()
    folder = fleet_file.parent / bike.credentials
    try:
        return tuple(
            File(
                f"{CREDENTIALS}/{path.name}",
                path.read_text(encoding="utf-8"),
                0o600,
                then="systemctl --quiet try-restart --no-block bikebox.target 2>/dev/null || true",
            )
            for path in sorted(folder.iterdir())
            if path.is_file() and not path.name.startswith(".")
        )
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{folder}: {error}; [gyms.{bike.gym}] credentials names it") from error


def _text(path: str) -> str:
    return (REPOSITORY / path).read_text(encoding="utf-8")
