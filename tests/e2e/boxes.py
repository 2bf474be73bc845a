"""Boxes with an init of their own, in namespaces: up in a second, gone by pid.

Each is systemd as PID 1 on an overlay of a Debian (config/setup/box-root makes it), with a host key
and an address of its own. What dies with it: everything in it. row.py makes them.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
BOOKWORM = REPOSITORY / ".cache/e2e/bookworm"
PROGRAMS = ("systemd-nspawn", "unshare", "nsenter", "setpriv", "ip", "ssh-keygen")
BOOT_S = 60.0
START_TIME = 19
"""Of what follows the name in /proc/PID/stat: when it started (proc(5), field 22)."""

IN_ITS_OWN_TREE = """
set -e
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$NAME"
echo $$ > "/sys/fs/cgroup/$NAME/cgroup.procs"
mount -t overlay overlay "$FOLDER/root" \\
    -o "lowerdir=$DEBIAN,upperdir=$FOLDER/upper,workdir=$FOLDER/work"
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
while code=0; systemd-nspawn --quiet --register=no --keep-unit --directory="$FOLDER/root" \
    --network-namespace-path=/proc/self/ns/net --machine="$NAME" --boot $MORE || code=$?
    [ $code = 133 ]; do :; done
exit $code
"""
"""133: the box has rebooted, so it is started again, as the board would."""


def why_not() -> str:
    """Return what this machine lacks for boxes, with the remedy; empty when it can."""
    if os.geteuid() != 0:
        return "boxes with an init of their own need root: sudo make e2e"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"no {', '.join(missing)} here: config/setup/set-up e2e"
    if not BOOKWORM.with_suffix(".stamp").exists():
        return f"no {BOOKWORM}: config/setup/box-root"
    return ""


def until(true: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something is true; raise TimeoutError, saying what, when it never is."""
    end_s = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end_s:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


class Box:
    """One bike's box: a Debian that boots, on a disk that outlives the plug."""

    def __init__(self, n: int, folder: Path, key: Path, network: int, debian: Path) -> None:
        """Prepare its disk; key is the technician's, network the pid of who keeps its network."""
        self.name = f"bike-{n}"
        self.ip = f"10.77.0.{10 + n}"
        self.folder = folder
        self._key = key
        self._network = network
        self._debian = debian
        self._tree = f"bikebox-{os.getpid()}-{uuid.uuid4().hex[:6]}-{n}"
        self._nspawn: subprocess.Popen[bytes] | None = None
        self.more = ""
        """More words for systemd-nspawn at the next start: --bind=..., --volatile=..."""
        for part in ("upper", "work", "root"):
            (folder / part).mkdir(parents=True)
        self._furnish()

    @property
    def upper(self) -> Path:
        """What the box's disk has beyond Debian's; write here only while it is off."""
        return self.folder / "upper"

    def _furnish(self) -> None:
        self.put("etc/hostname", f"{self.name}\n")
        self.put("etc/hosts", f"127.0.0.1 localhost {self.name}\n")
        self.put("etc/machine-id", f"{uuid.uuid4().hex}\n")
        key = self.upper / "etc/ssh/ssh_host_ed25519_key"
        key.parent.mkdir(parents=True)
        make_key(key, f"root@{self.name}")
        public = self._key.with_suffix(".pub").read_text()
        for home, owner in (("root", 0), ("home/technician", 1000)):
            self.put(f"{home}/.ssh/authorized_keys", public)
            for path in (f"{home}", f"{home}/.ssh", f"{home}/.ssh/authorized_keys"):
                os.chown(self.upper / path, owner, owner)
                (self.upper / path).chmod(0o600 if path.endswith("keys") else 0o700)

    def put(self, path: str, text: str | bytes, mode: int = 0o644) -> None:
        """Write a file on the disk of a box that is off."""
        place = self.upper / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        place.chmod(mode)

    @property
    def host_key(self) -> str:
        """The box's public SSH key, "ssh-ed25519 AAAA...", as a technician pins it."""
        line = (self.upper / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
        return " ".join(line.split()[:2])

    # life ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Give it power; wait_up() waits until it serves."""
        console = (self.folder / "console.log").open("ab")
        words = ["setpriv", "--pdeathsig", "KILL"]
        words += ["nsenter", f"--net=/proc/{self._network}/ns/net"]
        words += ["unshare", "--mount", "--propagation", "private"]
        words += ["--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
        self._nspawn = subprocess.Popen(
            [*words, "bash", "-c", IN_ITS_OWN_TREE],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            env={
                **os.environ, "NAME": self._tree, "FOLDER": str(self.folder),
                "DEBIAN": str(self._debian), "MORE": self.more,
            },
        )  # fmt: skip
        console.close()

    def wait_up(self, seconds: float = BOOT_S) -> None:
        """Wait until systemd has started what it is to start, well or not, and sshd listens."""

        def up() -> bool:
            if self._nspawn is not None and self._nspawn.poll() is not None:
                raise RuntimeError(f"{self.name} does not start: {self.console()[-2000:]}")
            state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
            return state in ("running", "degraded")

        until(up, seconds, f"{self.name} up: {self.console()[-500:]}")
        until(
            lambda: self.run("systemctl", "is-active", "-q", "ssh", check=False).returncode == 0,
            seconds,
            f"sshd of {self.name}",
        )

    @property
    def ended(self) -> bool:
        """Whether it has switched itself off."""
        return self._nspawn is not None and self._nspawn.poll() is not None

    def cut(self) -> None:
        """Pull the plug: everything in it is gone at once. (What was written stays written: for
        unsynced bytes see power.py.)"""
        if self._nspawn is None:
            return
        for child in self._inside():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._nspawn.kill()
        self._nspawn.wait(20)
        self._nspawn = None

    def throw_away(self) -> None:
        """Pull the plug and take away its disk and its control groups."""
        self.cut()
        _remove_tree(self._tree)
        shutil.rmtree(self.folder, ignore_errors=True)

    def reboot(self) -> None:
        """Restart it in an orderly way, and wait until it is up."""
        before = self.boot_id()
        self.run("systemctl", "reboot", check=False)
        until(lambda: self.boot_id() not in ("", before), BOOT_S, f"{self.name} rebooted")
        self.wait_up()

    def boot_id(self) -> str:
        """Return a word that each start of the box's init changes; empty while there is none.

        It looks from outside: systemd stops all that runs in a box that goes down, and an nsenter
        in it would wait for ever.
        """
        with contextlib.suppress(OSError):
            init = self.init()
            after_name = Path(f"/proc/{init}/stat").read_text().rpartition(")")[2].split()
            return f"{init}-{after_name[START_TIME]}" if init else ""
        return ""

    def console(self) -> str:
        """Return what the box wrote on its console."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "console.log").read_text(errors="replace")
        return ""

    # inside --------------------------------------------------------------------------------

    def init(self) -> int:
        """Return the host's pid of the box's init; 0 while it has none."""
        for pid in self._inside():
            with contextlib.suppress(OSError):
                ids = Path(f"/proc/{pid}/status").read_text().split("NSpid:")[1].split("\n")[0]
                here = ids.split()
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if len(here) == 3 and here[-1] == "1" and b"systemd-nspawn" not in command:
                    return pid
        return 0

    def _inside(self) -> list[int]:
        """Return the pids, seen from outside, of what was started for this box, children first."""
        if self._nspawn is None:
            return []
        return list(reversed([*_descendants(self._nspawn.pid)]))

    def command(self, *words: str) -> list[str]:
        """Return the command line that runs a command in the box as root, without SSH."""
        nobody = 2**22  # no process is called that: nsenter says so, and ends with 1
        return [
            "nsenter", "--target", str(self.init() or nobody), "--mount", "--uts", "--ipc", "--net",
            "--pid", "--cgroup", "--root",
            "env", "-i", "--chdir=/root", "HOME=/root", "TERM=dumb", "LANG=C.UTF-8",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *words,
        ]  # fmt: skip

    def run(
        self, *words: str, check: bool = True, give: str | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the box as root; give is its standard input."""
        return run(self.command(*words), check=check, give=give, timeout=timeout)

    def sh(self, script: str, *, check: bool = True, timeout: float = 120) -> str:
        """Run shell lines in the box as root and return what they print."""
        return self.run("bash", "-c", script, check=check, timeout=timeout).stdout

    def send(self, here: Path, there: str) -> None:
        """Copy a file, or what is in a folder, into the running box, without SSH."""
        if here.is_file():
            with here.open("rb") as file:
                inside = 'mkdir -p "$(dirname "$0")" && cat > "$0"'
                subprocess.run(self.command("bash", "-c", inside, there), stdin=file, check=True)
            return
        words = ["tar", "-C", str(here), "--owner=0", "--group=0", "-cf", "-", "."]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as pack:
            inside = 'mkdir -p "$0" && tar -C "$0" -xf -'
            subprocess.run(self.command("bash", "-c", inside, there), stdin=pack.stdout, check=True)

    def journal(self, unit: str = "") -> str:
        """Return the box's log, or one unit's."""
        return self.run("journalctl", "--no-pager", "-o", "cat", *(["-u", unit] if unit else []),
                        check=False).stdout  # fmt: skip


def make_key(path: Path, comment: str) -> None:
    """Make an SSH key pair without a passphrase."""
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])


def run(
    words: Sequence[str], *, check: bool = True, give: str | None = None, timeout: float = 120,
    **env: str,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run a program; when it fails and check is set, raise with what it said."""
    done = subprocess.run(
        words, input=give, stdin=None if give is not None else subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", check=False, timeout=timeout,
        cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env},
    )  # fmt: skip
    if check and done.returncode:
        said = f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
        raise RuntimeError(f"{' '.join(words[-6:])} ended with {done.returncode}:\n{said}")
    return done


def _descendants(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from _descendants(child)


def _remove_tree(name: str) -> None:
    """Remove a box's empty control groups, wherever the machine shows them."""
    script = """
    umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        find "/sys/fs/cgroup/$0" -depth -type d -exec rmdir {} + 2>/dev/null
        [ -e "/sys/fs/cgroup/$0" ] || exit 0
        sleep 0.1
    done"""
    run(["unshare", "--mount", "--propagation", "private", "bash", "-c", script, name], check=False)
