"""A bike that cannot reach the class server but by a relay: coturn, a real TURN server.

    studio 10.77.0.1 ── 10.77.0.2 gate 10.78.0.1 ── 10.78.0.2 bike

Nothing is forwarded at the gate: WHEP goes through a door there, the class through TURN or not at
all. Only where coturn is installed: Debian's package begins to serve the whole machine, which
`make test` must not do to anybody.
"""

import shutil
import sys
from pathlib import Path

import pytest

from tests.whep.clip import make_clip
from tests.whep.island import Island, need

DOOR = """
import socket, threading
def carry(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
door = socket.create_server(("10.78.0.1", 8080))
print("READY", flush=True)
while True:
    came, _ = door.accept()
    there = socket.create_connection(("10.77.0.1", 8080))
    for pair in ((came, there), (there, came)):
        threading.Thread(target=carry, args=pair, daemon=True).start()
"""
URL = "http://10.78.0.1:8080/whep"
SECONDS = 7.0
pytestmark = pytest.mark.skipif(shutil.which("turnserver") is None, reason="no coturn here")


def test_a_class_behind_a_relay_is_played_by_turn_and_only_by_it(tmp_path: Path):
    clip = make_clip(Path(".cache/class").absolute(), need("ffmpeg", "ffmpeg"))
    with (
        Island(tmp_path / "studio") as studio,
        Island(tmp_path / "gate", beside=studio) as gate,
        Island(tmp_path / "bike", beside=studio) as bike,
    ):
        studio.join(gate, "10.77.0.1/24", "10.77.0.2/24")
        bike.join(gate, "10.78.0.2/24", "10.78.0.1/24")
        studio.start_class("class", "--host", "10.77.0.1", "--media", str(clip))
        gate.start("door", [sys.executable, "-c", DOOR])
        gate.wait_for("door", "READY")
        words = ["turnserver", "-n", "--listening-ip", "10.78.0.1", "--relay-ip", "10.77.0.2"]
        words += ["--lt-cred-mech", "--user", "bike:by-relay", "--realm", "gym", "--no-tls"]
        words += ["--no-dtls", "--no-cli", "--log-file", "stdout", "--simple-log"]
        words += ["--pidfile", str(tmp_path / "turn.pid"), "--userdb", str(tmp_path / "turn.db")]
        gate.start("turn", words)
        gate.wait_for("turn", "SQLite DB connection success")
        turn = ("turn:10.78.0.1:3478", "bike", "by-relay")
        by_relay = bike.watch(URL, SECONDS, "by relay", "secret", *turn)
        without = bike.watch(URL, SECONDS, "without")
        seen, unseen = bike.result(by_relay, "by relay")[-1], bike.result(without, "without")[-1]
    assert seen["state"] == "playing", seen
    assert seen["pictures"] / (SECONDS - seen["first_s"]) >= 20
    assert seen["heard_share"] > 0.3
    assert unseen["pictures"] == 0
