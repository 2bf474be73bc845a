"""A model's memory is asked to be of large pages, and nothing else is."""

import ctypes
import mmap

import numpy as np
import pytest

from firmware_app.vision import pages
from firmware_app.vision.pages import added, ask_for_large, private_memory

POLICY = pages.LARGE_BYTES.with_name("enabled")


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ([], [(10, 20)], [(10, 20)]),
        ([(10, 20)], [(10, 20)], []),
        ([(10, 20)], [(5, 30)], [(5, 10), (20, 30)]),  # it grew on either side
        ([(10, 20), (25, 27)], [(10, 30)], [(20, 25), (27, 30)]),
        ([(10, 20)], [(15, 18), (40, 50)], [(40, 50)]),
        ([(10, 20)], [(20, 30)], [(20, 30)]),
    ],
)
def test_only_what_is_new_is_new(before, now, new):
    assert list(added(before, now)) == new


def large_kb():
    """Of this process, in large pages."""
    lines = pages.MAPS.with_name("smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages"))


@pytest.mark.skipif(
    not POLICY.exists() or "[never]" in POLICY.read_text(), reason="this kernel gives none"
)
def test_what_was_added_stands_in_large_pages():
    before, had_kb = private_memory(), large_kb()
    brought = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    np.frombuffer(brought, np.uint8)[:: mmap.PAGESIZE] = 1
    ask_for_large(before)
    assert large_kb() >= had_kb + (32 << 10)


def test_a_kernel_that_knows_none_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "LARGE_BYTES", tmp_path / "hpage_pmd_size")
    monkeypatch.setattr(ctypes, "CDLL", None)
    ask_for_large([])


def test_a_process_that_may_not_look_at_itself_asks_for_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "MAPS", tmp_path / "maps")
    assert private_memory() == []
    ask_for_large([])
