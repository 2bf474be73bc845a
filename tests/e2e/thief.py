"""Stands where vision stands and tries every way out for a picture; prints what came of each.

A way that is open is told as "out", another as "held" with the error. Devices are not among them: a
box in a namespace has none, and test_systemd.py reads which the unit opens.
"""

import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

PICTURE = b"the rider" * 10_000
LAPTOP = ("10.77.0.1", 9)
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
    return stayed[:3]


def grown():
    """Make a file large without writing, and write through memory."""
    with tempfile.TemporaryFile(dir="/run/bikebox") as file:
        os.ftruncate(file.fileno(), 4096)
        mmap.mmap(file.fileno(), 4096)[:5] = b"rider"


def shared():
    """As shm_open(3) does it."""
    with tempfile.TemporaryFile(dir="/dev/shm") as file:
        os.ftruncate(file.fileno(), len(PICTURE))
        mmap.mmap(file.fileno(), len(PICTURE))[:] = PICTURE


def memory_file():
    os.write(os.memfd_create("picture"), PICTURE)


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
