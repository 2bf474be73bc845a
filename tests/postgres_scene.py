"""A PostgreSQL of the test's own on loopback, run by somebody who is not root, as it insists."""

import os
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path

import psycopg

from tests.gym_scene import free_port, until


def program(name):
    """Return Debian's program of the newest version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert found, "PostgreSQL is not installed: apt install postgresql"
    return found[-1]


class Postgres:
    """Starts, kills and starts again; stop() removes what it kept."""

    def __init__(self) -> None:
        self.port = free_port()
        self._kept = Path(tempfile.mkdtemp(prefix="bikebox-postgres"))
        self._user = {"user": "postgres"} if os.geteuid() == 0 else {}
        if self._user:
            shutil.chown(self._kept, "postgres")
        make = (program("initdb"), "-D", self._kept / "data", "-U", "studio", "-A", "trust", "-N")
        subprocess.run(make, check=True, capture_output=True, cwd=self._kept, **self._user)
        self._names = (f"gym{n}" for n in count(1))
        self.start()

    def start(self):
        """Start it where it was left; after a kill it mends itself."""
        command = (program("postgres"), "-D", self._kept / "data", "-p", str(self.port))
        quiet = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
        with (self._kept / "log").open("ab") as log:
            self.process = subprocess.Popen(
                (*command, *quiet), stdout=log, stderr=log, cwd=self._kept, **self._user
            )

    def address(self, name="postgres"):
        return f"postgresql://studio@127.0.0.1:{self.port}/{name}"

    def database(self):
        """Make an empty database; return its address."""
        until(self.answers)
        name = next(self._names)
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def answers(self):
        """Tell whether it takes connections; one that was killed may not have let go yet."""
        if self.process.poll() is not None:
            self.start()
        try:
            return psycopg.connect(self.address(), connect_timeout=1).close() is None
        except psycopg.OperationalError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.kill()
        shutil.rmtree(self._kept, ignore_errors=True)
