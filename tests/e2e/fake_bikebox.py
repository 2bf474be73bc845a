#!/usr/bin/python3 -I
"""A release of a few lines, that serves, or does what its MODE says."""

import json
import os
import socket
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
VERSION = (HOME / "VERSION").read_text()
MODE = (HOME / "MODE").read_text()
RUN = Path("/run/bikebox")
STORE = Path("/var/lib/bikebox/gateway/gateway.db")
RIDING = Path("/run/riding")
"""While this file is there, somebody rides."""
HANG_AFTER_S = 14.0
"""Later than a gate of two watchdog periods."""
born_s = time.monotonic()


def notify(state):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.sendto(state.encode(), os.environ["NOTIFY_SOCKET"])


def alive():
    """Feed the watchdog for ever, or as long as MODE says."""
    hoard = []
    while True:
        age_s = time.monotonic() - born_s
        if MODE == "hang" and age_s > HANG_AFTER_S:
            time.sleep(3600)
        if MODE == "leak":
            hoard.append(bytearray(os.urandom(1 << 20) * 2))
        notify("WATCHDOG=1")
        time.sleep(0.2)


class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        camera = "lost: no picture" if MODE == "camera" else "ok"
        told = {"version": VERSION, "parts": {"camera": camera, "crank": "ok", "studio": "ok"}}
        body = json.dumps(told).encode()
        self.send_response(503 if MODE == "503" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def gateway():
    with sqlite3.connect(STORE) as store:
        store.execute("CREATE TABLE IF NOT EXISTS ride (ride TEXT, by TEXT)")
        store.execute("INSERT INTO ride (ride, by) VALUES ('a ride', ?)", [VERSION])
        if MODE == "schema" and "note" not in str(
            store.execute("SELECT sql FROM sqlite_master").fetchall()
        ):
            store.execute("ALTER TABLE ride ADD COLUMN note TEXT")
        store.execute("SELECT ride, by FROM ride").fetchall()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    (RUN / "gateway.port").write_text(str(server.server_port))
    threading.Thread(target=server.serve_forever, daemon=True).start()


def ride():
    if MODE == "crash":
        raise SystemExit("this release cannot start")
    path = RUN / "ride.sock"
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    door.listen()

    def serve():
        while True:
            visitor, _ = door.accept()
            phase = "riding" if RIDING.exists() else "waiting"
            line = json.dumps({"type": "Hud", "t_s": 0, "phase": phase}) + "\n"
            try:
                visitor.sendall(line.encode())
            except OSError:
                pass
            visitor.close()

    threading.Thread(target=serve, daemon=True).start()


def main():
    RUN.mkdir(exist_ok=True)
    match sys.argv[1:]:
        case ["self-test"]:
            if MODE == "untested":
                sys.exit("libnothing.so.1 is not on this box: apt install libnothing1")
        case ["gateway", "snapshot", file]:
            with sqlite3.connect(STORE) as store:
                store.execute("VACUUM INTO ?", [file])
        case ["gateway" | "ride" as service]:
            {"gateway": gateway, "ride": ride}[service]()
            if not (MODE == "unready" and service == "ride"):
                notify("READY=1")
            alive()


main()
