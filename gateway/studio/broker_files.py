"""What the gym's broker reads of the boxes: the list of revoked certificates, and who may say what.

mosquitto takes a pattern for all boxes and a line for each that is no longer trusted; NATS wants
every trusted box by name. Both read anew when they are told to (systemctl reload). Pure, but for
write().
"""

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

STUDIO = "bikebox.studio"
"""Common name of the studio's certificate; no box is called so, for a box's name has no dot."""

WRITES = (
    "fleet/v1/{box}/up",
    "fleet/v1/{box}/status",
    "fleet/v1/{box}/now",
    "fleet/v1/{box}/cmd/ack",
    "homeassistant/device/bikebox_{box}/config",
    "fitness/class/+/form/+",
    "fitness/class/+/pose/+",
    "fitness/class/+/cue/+/ack",
)
READS = ("fleet/v1/{box}/ack", "fleet/v1/{box}/cmd", "fitness/class/+/cue/+")
"""What a box may say and hear: its own topics, and of a class what names no bike."""


def mosquitto_acl(untrusted: Sequence[str], programs: Sequence[str] = ()) -> str:
    """Return mosquitto's acl_file; %u is the common name of who speaks."""
    lines = ["# Written by the studio; it writes it anew.", ""]
    for name in (STUDIO, *programs):
        topics = ("fleet/#", "fitness/#", "homeassistant/#")
        lines += [f"user {name}", *(f"topic readwrite {topic}" for topic in topics), ""]
    lines += [
        *(f"pattern write {topic.format(box='%u')}" for topic in WRITES),
        *(f"pattern read {topic.format(box='%u')}" for topic in READS),
    ]
    for box in untrusted:  # one that is still connected is not asked for its certificate again
        lines += ["", f"user {box}", "topic deny #"]
    return "\n".join(lines) + "\n"


def nats_users(trusted: Sequence[str], programs: Sequence[str] = ()) -> str:
    """Return NATS's authorization block; a box is known by its certificate's subject."""
    boxes = [
        _nats_user(
            f"CN={box}",
            [_subject(topic.format(box=box)) for topic in WRITES],
            [_subject(topic.format(box=box)) for topic in READS],
        )
        for box in trusted
    ]
    all_may = [_nats_user(f"CN={name}", [">"], [">"]) for name in (STUDIO, *programs)]
    return (
        "# Written by the studio; it writes it anew.\nauthorization {\n  users = [\n"
        + "".join([*all_may, *boxes])
        + "  ]\n}\n"
    )


def write(folder: Path, acl: str, users: str, revoked: x509.CertificateRevocationList) -> None:
    """Put all three where the broker finds them, each at once; `changed` last."""
    folder.mkdir(parents=True, exist_ok=True)
    crl = revoked.public_bytes(serialization.Encoding.PEM).decode()
    for name, text in (("acl", acl), ("nats-users.conf", users), ("crl.pem", crl)):
        fresh = folder / f"{name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o644)
        fresh.replace(folder / name)
    (folder / "changed").touch()


def _nats_user(subject: str, publish: list[str], subscribe: list[str]) -> str:
    return (
        f'    {{ user: "{subject}", permissions: {{\n'
        f"        publish: {{ allow: {_list(publish)} }},\n"
        f"        subscribe: {{ allow: {_list(subscribe)} }} }} }}\n"
    )


def _list(subjects: list[str]) -> str:
    return "[" + ", ".join(f'"{subject}"' for subject in subjects) + "]"


def _subject(topic: str) -> str:
    """Write an MQTT topic as the NATS subject it appears under."""
    return topic.replace("/", ".").replace("+", "*")
