"""A gym's Wi-Fi between two network namespaces: loses, delays and shakes what passes, by a seed.

    python radio.py PID_A ADDRESS_A PID_B ADDRESS_B [--loss 0.02] [--delay-ms 15] [--jitter-ms 10]

Both sides see an interface "wifi" with their address. Only media (RTP and RTCP) is lost, both ways;
jitter is uniform and lets packets overtake each other. Lines on stdin change it while it runs:

    loss 0.05 | delay_ms 15 | jitter_ms 30 | up | down
"""

import argparse
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time
from pathlib import Path

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
CLONE_NEWNET = 0x40000000
MTU = 1500


def enter(namespace: Path) -> None:
    with namespace.open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")


def antenna(pid: int, address: str) -> int:
    """Make the interface in the namespace of a process; return its file descriptor."""
    enter(Path(f"/proc/{pid}/ns/net"))
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"wifi", IFF_TUN_NO_PI))
    for words in (
        ["address", "add", address, "dev", "wifi"],
        ["link", "set", "wifi", "up", "mtu", str(MTU)],
    ):
        subprocess.run(["ip", *words], check=True, timeout=10)
    return tun


def is_media(packet: bytes) -> bool:
    """Tell RTP and RTCP from STUN, DTLS and HTTP (RFC 7983)."""
    if packet[0] >> 4 != 4 or packet[9] != 17:
        return False
    payload = (packet[0] & 15) * 4 + 8
    return len(packet) > payload and 128 <= packet[payload] < 192


class Radio:
    def __init__(self, loss: float, delay_ms: float, jitter_ms: float, seed: int) -> None:
        self.loss, self.delay_ms, self.jitter_ms = loss, delay_ms, jitter_ms
        self.up = True
        self.chance = random.Random(seed)
        self.late: list[tuple[float, int, int, bytes]] = []
        self.passed = self.lost = 0

    def hear(self, packet: bytes, to: int, now_s: float) -> None:
        if not self.up or (is_media(packet) and self.chance.random() < self.loss):
            self.lost += 1
            return
        self.passed += 1
        wait_s = (self.delay_ms + self.chance.random() * self.jitter_ms) / 1000
        heapq.heappush(self.late, (now_s + wait_s, self.passed, to, packet))

    def send(self, now_s: float) -> float:
        """Send what is due; return how long nothing will be."""
        while self.late and self.late[0][0] <= now_s:
            _, _, to, packet = heapq.heappop(self.late)
            try:
                os.write(to, packet)
            except OSError:  # that side is down
                self.lost += 1
        return self.late[0][0] - now_s if self.late else 1.0

    def obey(self, line: str) -> None:
        word, _, value = line.strip().partition(" ")
        if word in ("up", "down"):
            self.up = word == "up"
        elif word in ("loss", "delay_ms", "jitter_ms"):
            setattr(self, word, float(value))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sides", nargs=4)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--jitter-ms", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    first = antenna(int(args.sides[0]), args.sides[1])
    second = antenna(int(args.sides[2]), args.sides[3])
    radio = Radio(args.loss, args.delay_ms, args.jitter_ms, args.seed)
    over = {first: second, second: first}
    os.set_blocking(0, False)
    print("READY", flush=True)  # noqa: T201 - the test waits for it
    inputs = [first, second, 0]
    while True:
        wait_s = radio.send(time.perf_counter())
        for ready in select.select(inputs, [], [], max(wait_s, 0.0))[0]:
            if ready == 0:
                said = os.read(0, 4096).decode()
                if not said:
                    inputs.remove(0)
                for line in said.splitlines():
                    radio.obey(line)
                print(f"lost {radio.lost} of {radio.lost + radio.passed}", flush=True)  # noqa: T201
                continue
            while True:
                try:
                    packet = os.read(ready, MTU + 100)
                except OSError:  # nothing more, or that side is down
                    break
                radio.hear(packet, over[ready], time.perf_counter())


if __name__ == "__main__":
    sys.exit(main())
