"""What a gym costs the studio, measured: a class of six hundred, and a day without a network.

python -m tests.load.gym [--bikes N] [--seconds N]
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from firmware_app.clock import MachineClock
from firmware_app.journal import Journal
from firmware_app.link import Link
from firmware_app.settings import Mqtt
from gateway.mqtt import connected
from gateway.topics import Form, form_topic, pack
from tests.gym_scene import Gym, told_ride, until

TICKS_A_SECOND = 100


def cpu_s(pid):
    """Return the processor time a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def class_of(bikes, hz, seconds, folder, boards=0):
    """Let a class ride, watched on this many boards; return the studio's share of a core."""
    gym = Gym(folder)
    try:
        gym.mosquitto()
        gym.studio()
        program = ("-m", "tests.load.bikes", gym.broker_port, bikes, hz, seconds + 3)
        riders = subprocess.Popen([sys.executable, *map(str, program)])
        until(lambda: gym.ask_studio("/api/class/42")["riders"] == bikes)
        for _ in range(boards):
            threading.Thread(target=_watch, args=(gym.studio_port, {}), daemon=True).start()
        before_s, began_s = cpu_s(gym.running["studio"].pid), time.perf_counter()
        time.sleep(seconds - 2)
        used_s = cpu_s(gym.running["studio"].pid) - before_s
        share = used_s / (time.perf_counter() - began_s)
        riders.wait()
    finally:
        gym.stop()
    return share


def ages_ms(bikes, hz, tries, folder):
    """Return how long each change of one rider took to the open board, beside a class."""
    gym = Gym(folder)
    shown = {}
    try:
        gym.mosquitto()
        gym.studio()
        program = ("-m", "tests.load.bikes", gym.broker_port, bikes, hz, tries * 0.2 + 6)
        riders = subprocess.Popen([sys.executable, *map(str, program)])
        until(lambda: gym.ask_studio("/api/class/42")["riders"] == bikes)
        board = threading.Thread(target=_watch, args=(gym.studio_port, shown), daemon=True)
        board.start()
        sent = asyncio.run(_change(gym.url, tries))
        riders.wait()
    finally:
        gym.stop()
    return [(shown[word] - t_s) * 1000 for word, t_s in sent.items() if word in shown]


def _watch(port, shown):
    """Note when each made-up part of the body first stands on the board."""
    try:
        with httpx.stream("GET", f"http://127.0.0.1:{port}/events", timeout=30) as events:
            for line in events.iter_lines():
                _, mark, rest = line.partition("changed part ")
                if mark:
                    shown.setdefault(rest[:4], time.perf_counter())
    except httpx.HTTPError:
        return  # the studio is stopped


async def _change(url, tries):
    sent = {}
    async with connected(Mqtt(url=url), "one-rider", ()) as line:
        for n in range(tries):
            rule = f"changed_part_{n:04d}"
            form = Form(box="one", rider="one", t_s=0.0, states={rule: "fault"})
            sent[f"{n:04d}"] = time.perf_counter()
            line.publish(form_topic("42", "one"), pack(form))
            await asyncio.sleep(0.2)
    return sent


def day_offline(rides, folder):
    """Tell a day of rides without a broker; return records, and seconds to the last confirmed."""
    gym = Gym(folder)
    try:
        gym.gateway()
        for n in range(1, rides + 1):
            name = f"{n:06d}_ab_b1"
            with Journal(gym.journals / f"{name}.jsonl") as journal:
                for message in told_ride(name, intervals=90):
                    journal.append(message)
        asyncio.run(_deliver(gym, rides))
        records = gym.ask_gateway("/health")["unsynced"]
        gym.studio(wait=False)
        gym.mosquitto()
        began_s = time.perf_counter()
        until(lambda: gym.ask_gateway("/health")["unsynced"] < records)
        first_s = time.perf_counter()
        until(lambda: gym.ask_gateway("/health")["unsynced"] == 0, 60)
        ended_s = time.perf_counter()
    finally:
        gym.stop()
    return records, ended_s - began_s, ended_s - first_s


async def _deliver(gym, rides):
    link = Link(gym.journals, gym.run / "gateway.sock", MachineClock())
    delivery = asyncio.create_task(link.run(lambda: None))
    sizes = {path.name: path.stat().st_size for path in gym.journals.iterdir()}
    assert len(sizes) == rides
    await asyncio.to_thread(until, lambda: link.kept == sizes, 60)
    delivery.cancel()
    await asyncio.gather(delivery, return_exceptions=True)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.load.gym", description=__doc__)
    parser.add_argument("--bikes", type=int, default=600)
    parser.add_argument("--seconds", type=int, default=12)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        places = (Path(scratch) / f"{n}" for n in range(9))

        def place():
            folder = next(places)
            folder.mkdir()
            return folder

        records, all_s, drain_s = day_offline(20, place())
        sys.stdout.write(
            f"a day offline: {records} records confirmed {all_s:.1f} s after the broker is back,"
            f" {drain_s:.1f} s after the first of them\n"
        )
        for hz in (1, 5):
            for boards in (0, 1):
                share = class_of(args.bikes, hz, args.seconds, place(), boards)
                watched = "with the board open" if boards else "and no board open"
                sys.stdout.write(
                    f"{args.bikes} bikes at {hz} Hz {watched}: {share:.1%} of a core\n"
                )
        ages = sorted(ages_ms(args.bikes, 1, 200, place()))
        p50, p99 = statistics.median(ages), ages[int(len(ages) * 0.99)]
        sys.stdout.write(
            f"to the open board: {len(ages)} changes, p50 {p50:.0f} ms, p99 {p99:.0f} ms\n"
        )


if __name__ == "__main__":
    main()
