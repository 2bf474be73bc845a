"""Puts one stream's RTP packets in order and into frames: asks again for what is missing, in time.

A late packet is better than a lost one, and a lost one better than a standstill: what is missing
is asked for every 50 ms, and given up when the head of the line has waited too long, which is
sooner as long as the sender has not been seen to repeat anything. Pure: the receiver brings packets
and the time, and sends what is asked for.
"""

from typing import NamedTuple

REORDER_S = 0.01
"""A packet overtaken by another on the way is not asked for before this, or what was seen."""
MOST_REORDER_S = 0.05
FORGET = 0.98
"""What is left of the longest overtaking after each packet that came by itself."""
ASK_AGAIN_S = 0.05
"""About twice a gym network's round trip; until that is known."""
TRIP_S = (0.02, 0.1)
"""Bounds of that."""
SLOWER = 1.3
"""An answer may take this much longer than the usual one before it counts as lost."""
LOSSY_S = 8.0
"""A network that lost a packet is expected to lose another within this time."""
REPEAT_S = 0.2
"""Janus repeats a packet no sooner than this after it did so before (its MAX_NACK_IGNORE)."""
SURELY_S = 0.012
"""So much later it is asked again when its first answer was lost: the next one may be quicker."""
UNPROVEN_WAIT_S = 0.15
"""What a sender that has not repeated anything yet is waited for: a slow round trip."""
DEAF = 2
"""So many packets it did not repeat, and none is waited for until it does. Janus keeps nothing to
repeat before it has measured the way (1.1.2 in its first two seconds), others never do."""
MOST_ASKED_AT_ONCE = 100
"""What one NACK asks for; more is an outage, not a loss."""
MOST_HELD = 1024
"""Three seconds of a 4 Mb/s class."""
OUTAGE = 500
"""Sequence numbers that a stream jumps after an outage or a restart: begin anew there."""


class Piece(NamedTuple):
    """What one RTP packet carries."""

    seq: int
    ticks: int
    """RTP timestamp, in the clock of its codec."""
    last: bool
    """The marker bit: last packet of a picture (RFC 6184 section 5.1)."""
    data: bytes
    again: bool = False
    """Came as a repetition (RFC 4588): surely an answer."""
    opens: bool = False
    """A decoder can go on here after a hole: a NAL unit begins."""
    first: bool = False
    """Surely the first of its picture."""


class Frame(NamedTuple):
    """One encoded picture, or one packet of sound."""

    ticks: int
    data: bytes
    whole: bool = True
    """Nothing of it is missing."""


class _Gap:
    def __init__(self, seen_s: float, ask_s: float) -> None:
        self.seen_s = seen_s
        self.next_ask_s = self.first_ask_s = ask_s
        self.asks = 0


class RtpFrames:
    """One stream between the network and its decoder."""

    def __init__(self, wait_s: float, *, pictures: bool) -> None:
        """Give up a packet after wait_s; pictures are many packets, sound is one a frame."""
        self._wait_s = wait_s
        self._pictures = pictures
        self._next: int | None = None
        self._highest = 0
        self._held: dict[int, Piece] = {}
        self._gaps: dict[int, _Gap] = {}
        self._begun: list[Piece] = []
        self._skipping: int | None = None
        self._holed = self._patched = False
        """Of the picture begun something is missing, just before or further up."""
        self._gave = False
        """A frame was given, or given up, since the stream began."""
        self._overtaken_s = 0.0
        self._trip_s = ASK_AGAIN_S / SLOWER
        self._repeated_s = float("-inf")
        self._proven = False
        """The sender has repeated a packet: it is worth waiting for."""
        self._unanswered = 0
        self._given_up: dict[int, _Gap] = {}
        self._answered: dict[int, float] = {}
        self.losses = 0
        """Gaps that were never filled, outages and restarts of the sender."""

    @property
    def waiting(self) -> bool:
        """Something is missing: call late() in a few milliseconds."""
        return bool(self._gaps)

    def add(self, piece: Piece, now_s: float) -> list[Frame]:
        """Take a packet; return the frames it completes, in order."""
        if self._next is None:
            self._next = piece.seq
            self._highest = piece.seq - 1
        seq = self._highest + _signed16(piece.seq - self._highest)
        if abs(seq - self._highest) > OUTAGE or len(self._held) >= MOST_HELD:
            self._begin_anew(seq)
        if seq < self._next and not self._gave and self._next - seq <= MOST_ASKED_AT_ONCE:
            self._begin_earlier(seq, now_s)
        if seq < self._next or seq in self._held:
            if seq in self._given_up:
                self._learn(seq, self._given_up.pop(seq), now_s, again=piece.again)
            elif seq in self._answered:  # twice: the first was no answer, only overtaken
                self._overtaken(self._answered.pop(seq))
            return []
        for missing in range(self._highest + 1, seq):
            self._gaps[missing] = _Gap(now_s, now_s + max(REORDER_S, self._overtaken_s))
        self._highest = max(self._highest, seq)
        gap = self._gaps.pop(seq, None)
        if gap is not None:
            self._learn(seq, gap, now_s, again=piece.again)
        self._held[seq] = piece
        return self._release()

    def late(self, now_s: float) -> tuple[list[Frame], list[int]]:
        """Return the frames freed by giving up, and what to ask for now, in order."""
        freed: list[Frame] = []
        while self._next in self._gaps and (
            now_s - self._gaps[self._next].seen_s >= self._patience_s()
        ):
            freed += self._give_up()
            freed += self._release()
        asked = []
        for seq, gap in self._gaps.items():
            if now_s >= gap.next_ask_s:
                gap.asks += 1
                if gap.asks == 1:
                    gap.first_ask_s = now_s
                gap.next_ask_s = self._next_ask_s(gap, now_s)
                asked.append(seq)
                if len(asked) == MOST_ASKED_AT_ONCE:
                    break
        return freed, [seq & 0xFFFF for seq in sorted(asked)]

    def spare_s(self, now_s: float) -> float:
        """Return how much later than now a picture may come in these circumstances.

        Where packets are lost, so are their repetitions.
        """
        if now_s - self._repeated_s >= LOSSY_S:
            return 0.0
        return REORDER_S + self._overtaken_s + REPEAT_S + SURELY_S + self._trip_s

    def _next_ask_s(self, gap: _Gap, now_s: float) -> float:
        """Return when to ask again: soon, as questions are lost too, and when it may be heard."""
        next_s = now_s + SLOWER * self._trip_s
        turn_s = REPEAT_S + SURELY_S
        turns = (now_s - gap.first_ask_s) // turn_s + 1
        heard_s = gap.first_ask_s + turns * turn_s
        return heard_s if now_s < heard_s < next_s + REORDER_S else next_s

    def _patience_s(self) -> float:
        """Return how long a missing packet holds up what came after it."""
        if not self._pictures or (not self._proven and self._unanswered >= DEAF):
            # nobody sends it again: wait for what was overtaken only
            return min(self._wait_s, 2 * REORDER_S + self._overtaken_s)
        return self._wait_s if self._proven else min(self._wait_s, UNPROVEN_WAIT_S)

    def _learn(self, seq: int, gap: _Gap, now_s: float, *, again: bool) -> None:
        """Learn from a packet that came late: how long overtaking takes, or an answer."""
        answer_s = now_s - gap.first_ask_s
        # without RTX an answer looks like what was overtaken: only a later one can be told from it
        quick = answer_s < TRIP_S[0] / 2 or now_s - gap.seen_s <= MOST_REORDER_S
        if not again and (not gap.asks or quick):
            self._overtaken(now_s - gap.seen_s)
            return
        self._proven = True
        self._repeated_s = now_s
        self._answered[seq] = now_s - gap.seen_s
        if len(self._answered) > MOST_ASKED_AT_ONCE:
            del self._answered[next(iter(self._answered))]
        if gap.asks == 1:
            self._trip_s += (min(max(answer_s, TRIP_S[0]), TRIP_S[1]) - self._trip_s) / 4

    def _overtaken(self, late_s: float) -> None:
        self._overtaken_s = min(max(late_s, self._overtaken_s * FORGET), MOST_REORDER_S)

    def _give_up(self) -> list[Frame]:
        self.losses += 1
        self._gave = True
        self._next, before = min(self._held), self._gaps
        self._given_up = {seq: gap for seq, gap in before.items() if seq < self._next}
        self._unanswered += len(self._given_up)
        self._gaps = {seq: gap for seq, gap in self._gaps.items() if seq > self._next}
        if not self._pictures:
            return []
        after = self._held[self._next]
        same = bool(self._begun) and self._begun[0].ticks == after.ticks
        begun = bool(self._begun) and self._begun[0].opens
        if not begun:
            self._begun.clear()
        if (same and not begun) or (not same and not after.first):
            self._skipping = after.ticks
        self._holed = self._patched = begun
        # what is there of a picture moves on, what stands still does not
        return [self._whole()] if begun and not same else []

    def _begin_anew(self, seq: int) -> None:
        self.losses += 1
        self._held.clear()
        self._gaps.clear()
        self._begun.clear()
        self._skipping, self._gave = None, False
        self._holed = self._patched = False
        self._next, self._highest = seq, seq - 1

    def _begin_earlier(self, seq: int, now_s: float) -> None:
        """Begin before the first packet that came: it had overtaken the first that was sent."""
        for piece in self._begun:
            self._held[self._highest + _signed16(piece.seq - self._highest)] = piece
        self._begun.clear()
        for missing in range(seq + 1, min(self._held, default=seq + 1)):
            self._gaps[missing] = _Gap(now_s, now_s + REORDER_S)
        self._next = seq

    def _release(self) -> list[Frame]:
        frames = []
        while self._next is not None and self._next in self._held:
            piece = self._held.pop(self._next)
            self._next += 1
            if not piece.data:
                continue
            if not self._pictures:
                frames.append(Frame(piece.ticks, piece.data))
                continue
            if piece.ticks == self._skipping:
                continue
            self._skipping = None
            if self._begun and self._begun[0].ticks != piece.ticks:
                frames.append(self._whole())
            if not self._holed or piece.opens:
                self._holed = False
                self._begun.append(piece)
            if piece.last:
                frames.append(self._whole())
        self._gave = self._gave or bool(frames)
        return frames

    def _whole(self) -> Frame:
        data = b"".join(piece.data for piece in self._begun)
        frame = Frame(self._begun[0].ticks, data, whole=not self._patched)
        self._begun.clear()
        self._holed = self._patched = False
        return frame


def rising(asked: list[int]) -> list[list[int]]:
    """Cut sequence numbers where they begin anew at 0: aiortc 1.16 packs no NACK over that."""
    cut = next((at for at in range(1, len(asked)) if asked[at] < asked[at - 1]), len(asked))
    return [part for part in (asked[:cut], asked[cut:]) if part]


def _signed16(number: int) -> int:
    return ((number + 0x8000) & 0xFFFF) - 0x8000
