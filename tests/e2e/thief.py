"""Stands where vision stands and tries every way out for a picture; prints what came of each.

Each way that is open leaves what it took and is told as "out"; the others are told with the error.
"""

import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import stat
import sys
import tempfile
from multiprocessing import resource_tracker, shared_memory
from pathlib import Path

PICTURE = b"the rider" * 10_000
LAPTOP = ("10.77.0.1", 9)
SEALED = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"]
"""Devices that keep nothing."""
libc = ctypes.CDLL(None, use_errno=True)


def send(family, kind, *to):
    with socket.socket(family, kind) as door:
        door.settimeout(3)
        door.sendto(b"rider", *to)


def disk():
    """Write into every folder that lets us; tell the folders in which a byte stayed."""
    stayed = []
    for folder, below, _ in os.walk("/"):
        below[:] = [name for name in below if (folder, name) not in {("/", "proc"), ("/", "sys")}]
        place = Path(folder) / "picture"
        try:
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT, 0o644)
        except OSError:
            continue
        try:
            os.write(descriptor, PICTURE)
        except OSError as error:
            last = error
        else:
            stayed.append(folder)
        os.close(descriptor)
        place.unlink()
    if not stayed:
        raise last
    return stayed


def grown():
    """Make a file large without writing, and write through memory."""
    with tempfile.TemporaryFile(dir="/run/bikebox") as file:
        os.ftruncate(file.fileno(), 4096)
        mmap.mmap(file.fileno(), 4096)[:5] = b"rider"


def shared():
    block = shared_memory.SharedMemory("picture", create=True, size=len(PICTURE))
    resource_tracker.unregister(block._name, "shared_memory")
    block.buf[: len(PICTURE)] = PICTURE


def memory_file():
    os.write(os.memfd_create("picture"), PICTURE)


def device():
    """Write to every device that lets us, but those that keep nothing."""
    opened = []
    for path in Path("/dev").rglob("*"):
        kept = str(path) not in SEALED and not str(path).startswith(("/dev/pts", "/dev/ptmx"))
        if kept and stat.S_IFMT(path.lstat().st_mode) in (stat.S_IFBLK, stat.S_IFCHR):
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
            except OSError as error:
                last = error
            else:
                opened.append(str(path))
    if not opened:
        raise last
    return opened


def neighbour():
    """Write into the memory of another process."""
    os.close(os.open("/proc/1/mem", os.O_WRONLY))


def traced():
    if libc.ptrace(0x4206, 1, 0, 0):  # PTRACE_SEIZE
        raise OSError(ctypes.get_errno(), "ptrace")
    libc.ptrace(17, 1, 0, 0)


def told_to(path):
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(path)


WAYS = {
    "udp": lambda: send(socket.AF_INET, socket.SOCK_DGRAM, LAPTOP),
    "tcp": lambda: socket.create_connection(("127.0.0.1", 22), 3).close(),
    "ipv6": lambda: send(socket.AF_INET6, socket.SOCK_DGRAM, ("::1", 9)),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "disk": disk,
    "grown file": grown,
    "shared memory": shared,
    "memory file": memory_file,
    "device": device,
    "neighbour": neighbour,
    "trace": traced,
    "bus": lambda: told_to("/run/dbus/system_bus_socket"),
}


def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    libc.shmget(0x0B1CE, 4096, 0o1666)  # seen from outside only without an IPC namespace of its own
    came = {}
    for name, way in WAYS.items():
        try:
            came[name] = ["out", way()]
        except OSError as error:
            came[name] = ["held", errno.errorcode.get(error.errno, str(error))]
    sys.stdout.write(json.dumps(came) + "\n")


main()
