"""Packets of a gym's Wi-Fi: late, twice, out of order, or never."""

import random
from itertools import pairwise

import pytest
from aiortc.rtp import RtcpRtpfbPacket
from hypothesis import given
from hypothesis import strategies as st

from firmware_app.player.rtp_frames import (
    DEAF,
    MOST_HELD,
    OUTAGE,
    REPEAT_S,
    UNPROVEN_WAIT_S,
    Piece,
    RtpFrames,
    rising,
)

WAIT_S = 0.5


def picture(number: int, packets: int = 3, first_seq: int = 0) -> list[Piece]:
    begin = first_seq + number * packets
    return [
        Piece((begin + n) & 0xFFFF, number * 3000, n == packets - 1, b"%d.%d " % (number, n))
        for n in range(packets)
    ]


def test_a_picture_is_whole_with_its_last_packet():
    frames = RtpFrames(WAIT_S, pictures=True)
    assert [frames.add(piece, 0.0) for piece in picture(0)][:2] == [[], []]
    assert frames.add(picture(1, 1, 2)[0], 0.0)[0].ticks == 3000


def test_a_sender_that_marks_no_last_packet_is_understood():
    frames = RtpFrames(WAIT_S, pictures=True)
    pieces = [piece._replace(last=False) for n in range(3) for piece in picture(n)]
    out = [frame for piece in pieces for frame in frames.add(piece, 0.0)]
    assert [frame.data for frame in out] == [b"0.0 0.1 0.2 ", b"1.0 1.1 1.2 "]


@given(st.integers(0, 0xFFFF), st.randoms(use_true_random=False))
def test_overtaken_and_doubled_packets_come_out_in_order(first_seq: int, chance: random.Random):
    pieces = [piece for n in range(40) for piece in picture(n, 3, first_seq)]
    shaken = pieces[:1] + sorted(
        pieces[1:] + chance.sample(pieces, 10),
        key=lambda piece: ((piece.seq - first_seq) & 0xFFFF) + chance.uniform(0, 6),
    )
    frames = RtpFrames(WAIT_S, pictures=True)
    out = [frame for piece in shaken for frame in frames.add(piece, 0.0)]
    assert [frame.ticks for frame in out] == [n * 3000 for n in range(40)]
    assert frames.losses == 0


@given(st.integers(0, 0xFFFF), st.permutations(range(9)))
def test_a_class_begins_with_its_first_packet_though_others_came_before_it(
    first_seq: int, order: list[int]
):
    pieces = picture(0, 10, 0)
    pieces = [piece._replace(seq=(piece.seq + first_seq) & 0xFFFF) for piece in pieces]
    frames = RtpFrames(WAIT_S, pictures=True)
    out = [frame for at in [*order, 9] for frame in frames.add(pieces[at], 0.0)]
    assert [frame.data for frame in out] == [b"".join(piece.data for piece in pieces)]
    assert frames.losses == 0
    assert not frames.waiting


def test_a_lost_packet_is_asked_for_again_and_again_as_long_as_it_is_waited_for():
    frames = RtpFrames(WAIT_S, pictures=True)
    frames._proven = True
    first, lost, last = picture(0)
    frames.add(first, 0.0)
    frames.add(last, 0.0)
    asked_ms = [ms for ms in range(390) if frames.late(ms / 1000)[1] == [lost.seq]]
    assert asked_ms[0] == 10
    assert asked_ms[1] < 65
    assert len(asked_ms) < 12
    assert all(after - before >= 10 for before, after in pairwise(asked_ms))
    assert asked_ms[-1] > 300


def test_a_packet_whose_repetition_was_lost_too_is_asked_for_as_soon_as_it_may_be_heard():
    frames = RtpFrames(WAIT_S, pictures=True)
    frames._trip_s = 0.02  # a near server: the questions come quickly
    frames._proven = True
    first, lost, last = picture(0)
    frames.add(first, 0.0)
    frames.add(last, 0.0)
    asked_ms = [ms for ms in range(500) if frames.late(ms / 1000)[1] == [lost.seq]]
    for heard_ms in (asked_ms[0] + REPEAT_S * 1000, asked_ms[0] + 2 * REPEAT_S * 1000):
        assert any(heard_ms < ms < heard_ms + 30 for ms in asked_ms)


def test_a_packet_that_comes_after_all_loses_nothing():
    frames = RtpFrames(WAIT_S, pictures=True)
    first, lost, last = picture(0)
    frames.add(first, 0.0)
    frames.add(last, 0.0)
    assert [frame.data for frame in frames.add(lost, 0.3)] == [b"0.0 0.1 0.2 "]
    assert not frames.waiting


@pytest.mark.parametrize(("repeats", "wait_s"), [(False, UNPROVEN_WAIT_S), (True, WAIT_S)])
def test_a_picture_that_never_comes_holds_up_the_class_for_no_longer_than_its_time(
    repeats: bool, wait_s: float
):
    frames = RtpFrames(WAIT_S, pictures=True)
    frames._proven = repeats
    pieces = [piece for n in range(14) for piece in picture(n)]
    del pieces[4]  # in the middle of the second picture
    early = [frame for piece in pieces for frame in frames.add(piece, piece.ticks / 90000)]
    assert [frame.ticks for frame in early] == [0]
    assert frames.late(0.03 + wait_s - 0.01)[0] == []
    freed, _ = frames.late(1 / 30 + wait_s)
    assert [frame.ticks for frame in freed] == [n * 3000 for n in range(2, 14)]
    assert frames.losses == 1


def watched(frames: RtpFrames, pieces: list[Piece], from_s: float) -> list[float]:
    """Bring pieces 30 pictures a second; return for how long each gap held up the class."""
    stood, last_s = [], from_s
    for piece in pieces:
        at_s = from_s + piece.ticks / 90000
        freed = frames.add(piece, at_s)
        for ms in range(0, 33, 5):
            freed += frames.late(at_s + ms / 1000)[0]
        if freed:
            stood.append(at_s - last_s)
            last_s = at_s
    return stood


def sliced(number: int, slices: tuple[int, ...]) -> list[Piece]:
    """Return a picture of so many packets a slice; each knows what begins in it."""
    pieces, packets = [], sum(slices)
    for one, length in enumerate(slices):
        for n in range(length):
            last = len(pieces) == packets - 1
            data = b"%d.%d.%d " % (number, one, n)
            seq = number * packets + len(pieces)
            opens, first = n == 0, n == 0 and one == 0
            pieces.append(Piece(seq, number * 3000, last, data, opens=opens, first=first))
    return pieces


@given(st.integers(0, 0xFFFF), st.sets(st.integers(0, 30), min_size=1, max_size=12))
def test_what_is_asked_for_can_be_packed_wherever_the_numbers_begin_anew(
    first_seq: int, come: set[int]
):
    frames = RtpFrames(WAIT_S, pictures=True)
    for at in sorted(come, key=lambda one: -one % 7):  # anyhow, also before the first
        seq = (first_seq + at) & 0xFFFF
        frames.add(Piece(seq, 0, last=False, data=b"x"), 0.0)
    asked = frames.late(0.06)[1]
    assert {(seq - first_seq) & 0xFFFF for seq in asked} == set(range(min(come), max(come))) - come
    for part in rising(asked):
        fci = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=2, lost=part)
        assert RtcpRtpfbPacket.parse(bytes(fci)[4:], 1).lost == part


@pytest.mark.parametrize(
    ("slices", "lost", "left"),
    [
        ((4,), {2}, b"0.0.0 0.0.1 "),
        ((4,), {3}, b"0.0.0 0.0.1 0.0.2 "),
        ((4,), {0}, None),
        ((2, 2, 2), {1}, b"0.0.0 0.1.0 0.1.1 0.2.0 0.2.1 "),
        ((2, 2, 2), {1, 2}, b"0.0.0 0.2.0 0.2.1 "),
        ((2, 2, 2), {0}, None),
    ],
)
def test_what_is_there_of_a_picture_moves_on_where_nobody_repeats_the_rest(
    slices: tuple[int, ...], lost: set[int], left: bytes | None
):
    frames = RtpFrames(WAIT_S, pictures=True)
    before = Piece(0xFFFF, -3000, last=True, data=b"before", opens=True, first=True)
    frames.add(before, 0.0)
    here = [piece for n, piece in enumerate(sliced(0, slices)) if n not in lost]
    out = [one for piece in here + sliced(1, slices) for one in frames.add(piece, 0.0)]
    assert not out
    out = frames.late(UNPROVEN_WAIT_S)[0]
    whole = b"".join(piece.data for piece in sliced(1, slices))
    parts = [] if left is None else [(left, False)]
    assert [(one.data, one.whole) for one in out] == [*parts, (whole, True)]


def test_a_sender_that_repeats_nothing_is_not_waited_for_again_and_again():
    frames = RtpFrames(WAIT_S, pictures=True)
    pieces = [piece for n in range(90) for piece in picture(n)]
    lossy = [piece for piece in pieces if piece.seq % 31 != 10]
    stood = watched(frames, lossy, 0.0)
    assert sum(wait_s > 0.12 for wait_s in stood) <= DEAF
    assert max(stood) < UNPROVEN_WAIT_S + 0.1


def test_a_sender_that_begins_to_repeat_is_waited_for_from_then_on():
    frames = RtpFrames(WAIT_S, pictures=True)
    frames._unanswered = DEAF
    first, lost, last = picture(0)
    frames.add(first, 0.0)
    frames.add(last, 0.0)
    asked = [seq for ms in range(5, 40, 5) for seq in frames.late(ms / 1000)[1]]
    assert asked == [lost.seq]
    assert not frames.waiting
    frames.add(lost._replace(again=True), 0.06)
    assert frames._patience_s() == WAIT_S


def test_sound_goes_on_after_a_lost_packet_with_the_very_next_one():
    frames = RtpFrames(0.06, pictures=False)
    sounds = [Piece(n, n * 960, last=False, data=b"s") for n in range(4)]
    frames.add(sounds[0], 0.0)
    assert frames.add(sounds[2], 0.04) == []
    assert [frame.ticks for frame in frames.late(0.10)[0]] == [1920]
    assert [frame.ticks for frame in frames.add(sounds[3], 0.11)] == [2880]


def test_a_publisher_that_starts_anew_is_followed_at_once():
    frames = RtpFrames(WAIT_S, pictures=True)
    for piece in picture(0):
        frames.add(piece, 0.0)
    far = [piece._replace(seq=piece.seq + OUTAGE + 50) for piece in picture(1)]
    assert [f.ticks for piece in far for f in frames.add(piece, 0.0)] == [3000]
    assert frames.losses == 1


def test_memory_is_bounded_when_the_head_of_the_line_never_comes():
    frames = RtpFrames(WAIT_S, pictures=True)
    frames.add(Piece(0, 0, last=False, data=b"x"), 0.0)
    for n in range(2, 5 * MOST_HELD):  # late() is never called
        frames.add(Piece(n & 0xFFFF, n * 3000, last=True, data=b"x"), 0.0)
        assert len(frames._held) <= MOST_HELD
    assert frames.losses >= 1


def test_on_a_network_that_overtakes_packets_are_not_asked_for_in_vain():
    frames = RtpFrames(WAIT_S, pictures=True)
    asked = 0
    for n in range(200):
        first, second, third = picture(n)
        at_s, before = n / 30, asked
        frames.add(first, at_s)
        frames.add(third, at_s + 0.001)
        for ms in range(2, 24):
            asked += len(frames.late(at_s + ms / 1000)[1])
        frames.add(second, at_s + 0.025)
        if asked > before:
            frames.add(second, at_s + 0.03)  # what was asked for comes too
    assert asked < 20


def test_where_a_packet_had_to_be_asked_for_the_next_may_be_lost_twice():
    frames = RtpFrames(WAIT_S, pictures=True)
    first, lost, last = picture(0)
    frames.add(first, 0.0)
    frames.add(last, 0.0)
    assert frames.spare_s(0.0) == 0.0
    assert frames.late(0.02)[1] == [lost.seq]
    frames.add(lost, 0.06)
    assert frames.spare_s(0.1) > REPEAT_S
    assert frames.spare_s(60.0) == 0.0
