"""One SSH connection to a bike: its host key proven, commands, files that go on where they were.

A host whose key is not the pinned one is never spoken to, and there is no way to say otherwise.
"""

import contextlib
import shlex
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from firmware_app.errors import MissingPart, PartLost, SetupError
from gateway.fleet.inventory import Bike, same_host

try:
    import asyncssh
except ImportError as error:  # the laptop's extra, not on a bike
    raise MissingPart(
        'SSH for fleets is not installed; make fleet, or: pip install "bikebox[fleet]"'
    ) from error

CONNECT_S = 10.0
KEEPALIVE_S = 5.0
"""Three unanswered ones and the line is cut: a bike that lost its power is known in 20 s."""
CHUNK_BYTES = 1 << 20
HOST_KEYS = ["ssh-ed25519"]
"""The kind that every Debian's sshd has, so that a pin means one key."""


class Away(PartLost):
    """Nobody answers there, or the line was cut: no fault of the bike's."""


class Stranger(SetupError):  # noqa: N818 - reads as what it is where it is raised
    """It is not the bike we know, or it does not know us; a technician must look."""


class Said(NamedTuple):
    """What a command on the bike came to."""

    exit: int
    out: str
    err: str

    @property
    def last_words(self) -> str:
        """The last line it wrote, to people before to programs."""
        lines = (self.err.strip() or self.out.strip() or f"exit {self.exit}").splitlines()
        return lines[-1]


class Login(NamedTuple):
    """As whom, and with which key; an empty key is what ssh-agent and ~/.ssh offer."""

    user: str
    key: Path | None = None
    password: str | None = None
    """For a card that was just written and has no key yet; provisioning ends that."""

    @property
    def as_root(self) -> str:
        """What goes before a command that only root may give."""
        return "" if self.user == "root" else "sudo -n "


class Line:
    """An open connection to one bike."""

    def __init__(self, connection: asyncssh.SSHClientConnection, login: Login) -> None:
        self._connection = connection
        self.login = login

    async def run(self, command: str, *, stdin: str = "", patience_s: float = 60.0) -> Said:
        """Let the bike's shell do something; raise Away when the line is cut meanwhile."""
        with _away():
            done = await self._connection.run(
                command, input=stdin, errors="replace", timeout=patience_s
            )
        if done.exit_status is None or done.exit_status < 0:
            raise Away("the line was cut")
        return Said(done.exit_status, str(done.stdout or ""), str(done.stderr or ""))

    async def as_root(self, script: str, *, patience_s: float = 60.0) -> Said:
        """Let the bike's root run a script; what is in it no list of processes shows."""
        word = self.login.password
        sudo = "" if self.login.user == "root" else "sudo -n " if word is None else "sudo -S -p '' "
        before = f"{word}\n" if word is not None and sudo else ""
        return await self.run(f"{sudo}bash -s", stdin=before + script, patience_s=patience_s)

    async def lines(self, command: str) -> AsyncIterator[str]:
        """Yield what a command says, line by line, until it ends; raise Away."""
        with _away():
            async with self._connection.create_process(command, errors="replace") as process:
                async for line in process.stdout:
                    yield line

    async def send(self, path: Path, sha256: str, folder: str, told: Callable[[int], None]) -> None:
        """Put a file on the bike as folder/SHA256.bundle, from where the last try was cut.

        told hears the bytes there are so far. Raise Away, or Stranger when the folder is closed.
        """
        part, whole = f"{folder}/{sha256}.part", f"{folder}/{sha256}.bundle"
        with _away():
            async with self._connection.start_sftp_client() as sftp:
                if await sftp.exists(whole):
                    return
                for _ in ("what was begun", "all of it"):
                    await _append(sftp, path, part, told)
                    sums = await self.run(f"sha256sum {shlex.quote(part)}", patience_s=300.0)
                    if sums.out.split(" ")[0] == sha256:
                        await sftp.posix_rename(part, whole)
                        return
                    await sftp.remove(part)  # a power cut may leave zeros where bytes were
        raise Away(f"{part} did not arrive whole; is the bike's card sound?")

    async def put(self, text: bytes, path: str, mode: int = 0o644) -> None:
        """Write a small file on the bike; raise Away, or Stranger when it may not be written."""
        with _away():
            async with self._connection.start_sftp_client() as sftp:
                async with sftp.open(path, "wb") as there:
                    await there.write(text)
                await sftp.chmod(path, mode)


@contextlib.asynccontextmanager
async def connected(bike: Bike, login: Login) -> AsyncIterator[Line]:
    """Connect to a bike whose host key is pinned; raise Away or Stranger."""
    if not bike.host_key:
        raise Stranger(f"its host key is not known yet: bikebox fleet provision {bike.name}")
    shown: list[str] = []

    class Prover(asyncssh.SSHClient):
        def validate_host_public_key(
            self, _host: str, _addr: str, _port: int, key: asyncssh.SSHKey
        ) -> bool:
            shown.append(key.get_fingerprint())
            return same_host(bike.host_key, shown[-1])

    with _away():
        try:
            connection, _ = await asyncssh.create_connection(
                Prover,
                bike.address,
                bike.port,
                username=login.user,
                client_keys=[str(login.key)] if login.key else (),
                password=login.password,
                known_hosts=([], [], []),
                server_host_key_algs=HOST_KEYS,
                connect_timeout=CONNECT_S,
                login_timeout=CONNECT_S * 2,
                keepalive_interval=KEEPALIVE_S,
            )
        except asyncssh.HostKeyNotVerifiable as error:
            raise Stranger(
                f"another host answers at {bike.address}: it shows {' '.join(shown) or 'no key'},"
                " fleet.toml has another host_key. Was its card changed? Then delete host_key"
                f" there and meet it again: bikebox fleet provision {bike.name}"
            ) from error
    async with connection:
        yield Line(connection, login)


async def host_fingerprint(address: str, port: int) -> str:
    """Return the fingerprint that a host shows, without trusting it; raise Away."""
    with _away():
        key = await asyncssh.get_server_host_key(address, port, server_host_key_algs=HOST_KEYS)
    if key is None:
        raise Away(f"{address}:{port} shows no ed25519 host key")
    return key.get_fingerprint()


@contextlib.contextmanager
def _away():  # type: ignore[no-untyped-def] # noqa: ANN202 - a context manager of one use
    """Turn what a network can do to us into Away, and what a person must mend into Stranger."""
    try:
        yield
    except asyncssh.PermissionDenied as error:
        raise Stranger(
            "the bike does not let you in: is your key in its [technicians], ssh-agent running,"
            " and the name right (--as)?"
        ) from error
    except asyncssh.SFTPPermissionDenied as error:
        raise Stranger(f"the bike does not take files from you: {error.reason}") from error
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise Stranger(f"your key cannot be used: {error}; ssh-add it, or name --key") from error
    except TimeoutError as error:
        raise Away("no answer in time") from error
    except (OSError, asyncssh.Error) as error:
        said = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
        raise Away(str(said) or type(error).__name__) from error


async def _append(
    sftp: asyncssh.SFTPClient, path: Path, part: str, told: Callable[[int], None]
) -> None:
    size = path.stat().st_size  # noqa: ASYNC240 - a local file of this laptop
    begun = (await sftp.stat(part)).size or 0 if await sftp.exists(part) else 0
    at = begun if begun <= size else 0
    flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | (0 if at else asyncssh.FXF_TRUNC)
    ours = asyncssh.SFTPAttrs(permissions=0o660)
    async with sftp.open(part, flags, ours, encoding=None) as there:
        with path.open("rb") as here:
            here.seek(at)
            while chunk := here.read(CHUNK_BYTES):
                await there.write(chunk, at)
                at += len(chunk)
                told(at)
        await there.fsync()
