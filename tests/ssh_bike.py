"""A bike that answers SSH in this process: the real protocol, and an updater that pretends.

Its files are under a folder; the commands are run by a real shell with the box's paths put there.
The updater's answers are what the shipped one gives (schema bikebox.update-status/1); what it does
with a release is tested where systemd is (tests/e2e).
"""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import asyncssh

from gateway.fleet.inventory import Bike

UPDATER = f"""#!{sys.executable}
import json, os, pathlib, sys, tarfile, time
home = pathlib.Path(os.environ["BIKE"])
state = home / "status.json"
def tell(status):
    (home / "status.new").write_text(json.dumps(status))
    (home / "status.new").replace(state)
status = json.loads(state.read_text())
script = json.loads((home / "script.json").read_text())
match sys.argv[1]:
    case "status":
        if status["state"] == "installing" and time.time() > status["ends"]:
            went_well = not script.get("why")
            if went_well:
                status |= {{"version": status["pending"], "previous": status["version"]}}
            else:
                status["bad"].append({{"version": status["pending"], "why": script["why"]}})
            status |= {{"state": "idle", "pending": "", "step": "", "why": script.get("why", "")}}
            tell(status)
        print(json.dumps(status))
    case "install":
        with (home / "audit").open("a") as audit:
            audit.write(" ".join(sys.argv[1:]) + "\\n")
        if script.get("exit"):
            sys.exit(print(script["words"], file=sys.stderr) or script["exit"])
        with tarfile.open(sys.argv[2]) as bundle:
            version = json.load(bundle.extractfile("manifest.json"))["version"]
        status |= {{"state": "installing", "pending": version, "step": "health gate"}}
        status["ends"] = time.time() + script.get("takes_s", 0.2)
        tell(status)
    case "rollback":
        status |= {{"version": status["previous"], "previous": ""}}
        tell(status)
"""


class SshBike:
    """One pretended bike behind a real SSH server."""

    def __init__(self, folder: Path, name: str, **script) -> None:
        self.name, self.folder = name, folder
        self.inbox = folder / "inbox"
        self.inbox.mkdir(parents=True)
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.technician = asyncssh.generate_private_key("ssh-ed25519")
        self.status(version="26.11.0", serial=11)
        self.script(**script)
        self.updater = folder / "bikebox-update"
        self.updater.write_text(UPDATER)
        self.updater.chmod(0o755)
        self.commands: list[str] = []
        self.cut_after: str | None = None
        self._running: set[asyncio.Task] = set()
        self._server: asyncssh.SSHAcceptor | None = None
        self._lines: list[asyncssh.SSHServerConnection] = []

    def status(self, **changed) -> dict:
        """Set, and return, what the updater says."""
        file = self.folder / "status.json"
        blank = {
            "schema": "bikebox.update-status/1", "version": "", "previous": "", "pending": "",
            "state": "idle", "step": "", "why": "", "at_utc": "", "serial": 0, "bad": [],
            "riding": False, "health": {},
        }  # fmt: skip
        told = (json.loads(file.read_text()) if file.exists() else blank) | changed
        if changed:
            fresh = file.with_suffix(".fresh")
            fresh.write_text(json.dumps(told))
            fresh.replace(file)  # the updater reads it meanwhile
        return told

    def script(self, **script) -> None:
        """Say how the next install goes: takes_s, why (it goes back), exit and words."""
        (self.folder / "script.json").write_text(json.dumps(script))

    def doctor(self, report: dict) -> None:
        """Say what the bike finds when it examines itself."""
        (self.folder / "doctor.json").write_text(json.dumps(report))

    @property
    def audit(self) -> str:
        file = self.folder / "audit"
        return file.read_text() if file.exists() else ""

    async def serve(self, port: int = 0) -> int:
        """Answer SSH on the loopback; return the port."""
        bike = self

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn):
                bike._lines.append(conn)

            def begin_auth(self, _username):
                return True

            def public_key_auth_supported(self):
                return True

            def validate_public_key(self, _username, key):
                return key == bike.technician.convert_to_public()

        self._server = await asyncssh.create_server(
            Server, "127.0.0.1", port, server_host_keys=[self.key],
            process_factory=self._command, sftp_factory=self._files,
        )  # fmt: skip
        return self._server.get_port()

    def cut(self) -> None:
        """Cut every line, as a network does: nobody is told."""
        for line in self._lines:
            line.abort()
        self._lines.clear()

    async def away(self) -> None:
        """Nobody answers any more."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        if self._running:
            await asyncio.wait(self._running)

    def as_bike(self, port: int, **more) -> Bike:
        public = self.key.export_public_key().decode().strip()
        told = {
            "name": self.name, "gym": "north", "address": "127.0.0.1", "port": port,
            "host_key": public, "groups": (), "settings": {"box": self.name},
        }  # fmt: skip
        return Bike(**(told | more))

    def _here(self, text: str) -> str:
        places = {
            "/usr/local/bin/bikebox-update": str(self.updater),
            "/var/lib/bikebox-update/inbox": str(self.inbox),
            "/opt | awk": "/ | awk",
            "/opt/bikebox/current/bin/bikebox doctor --json": f"cat {self.folder}/doctor.json",
            "sudo -n ": "",
        }
        for there, here in places.items():
            text = text.replace(there, here)
        return text

    async def _command(self, process: asyncssh.SSHServerProcess) -> None:
        self.commands.append(process.command or "")
        self._running.add(me := asyncio.current_task())
        me.add_done_callback(self._running.discard)
        running = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", self._here(process.command or ""),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"BIKE": str(self.folder)},
        )  # fmt: skip
        out, err = await running.communicate()
        if self.cut_after is not None and self.cut_after in (process.command or ""):
            self.cut_after = None
            self.cut()
            return
        with contextlib.suppress(OSError):
            process.stdout.write(out.decode())
            process.stderr.write(err.decode())
            process.exit(running.returncode or 0)

    def _files(self, chan: asyncssh.SSHServerChannel) -> asyncssh.SFTPServer:
        bike = self

        class Files(asyncssh.SFTPServer):
            def map_path(self, path: bytes) -> bytes:
                return bike._here(path.decode()).encode()

        return Files(chan)
