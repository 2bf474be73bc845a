"""When a stream's frames were captured: by the sender's reports, and by when they came.

    captured   the sender's wall clock, from its RTCP reports (RFC 3550 section 6.4.1): exact
    arrived    our clock, from the quickest packets: as good as the network is even

Pure: the receiver brings reports and packets, the class's feed chooses between the two.
"""

from typing import NamedTuple

OTHER_CLOCK_S = 1.0
"""Sound and picture that far apart are not of one clock, or not told at the same time."""
CREEP = 0.001
"""The quickest way is forgotten by 1 ms a second: clocks drift, routes change."""


class Moment(NamedTuple):
    """When a frame was captured, in seconds of two clocks; to be compared within one only."""

    captured_s: float | None
    """None: the sender has not reported yet, or never does."""
    arrived_s: float
    spare_s: float = 0.0
    """How much later the next one may come."""


class StreamClock:
    """One stream's RTP timestamps laid on clocks."""

    def __init__(self, hz: int) -> None:
        """Hz is the rate of the codec's RTP clock."""
        self._hz = hz
        self._report: tuple[int, float] | None = None
        self._quickest: tuple[int, float] | None = None

    def report(self, ticks: int, wall_s: float) -> None:
        """Take the sender's word for which moment of its own clock an RTP timestamp is."""
        self._report = (ticks, wall_s)

    def arrive(self, ticks: int, now_s: float) -> None:
        """Note that a packet came."""
        if self._quickest is not None:
            since_s = self._since_s(ticks, self._quickest[0])
            expected_s = self._quickest[1] + since_s
            if 0 <= now_s - expected_s - CREEP * max(since_s, 0.0) < 1.0:
                return
        self._quickest = (ticks, now_s)

    def moment(self, ticks: int) -> Moment | None:
        """Return when that was captured; None before any packet came."""
        if self._quickest is None:
            return None
        arrived_s = self._quickest[1] + self._since_s(ticks, self._quickest[0])
        captured_s = None
        if self._report is not None:
            captured_s = self._report[1] + self._since_s(ticks, self._report[0])
        return Moment(captured_s, arrived_s)

    def _since_s(self, ticks: int, before: int) -> float:
        return (((ticks - before + 0x80000000) & 0xFFFFFFFF) - 0x80000000) / self._hz


class ClassClock:
    """Sound and pictures of one class on our clock: the sender's tells how far apart they are.

    No more of its clock is used than that: where its reports jump (GStreamer 1.22 plays a file in
    such a way that they do, by seconds, each time), both streams' jump alike.
    """

    def __init__(self) -> None:
        self._ahead_s: dict[str, float] = {}
        self._apart_s = 0.0

    def choose(self, kind: str, moment: Moment | None) -> float | None:
        """Return the moment of a sound or a picture, comparable between the two; None: unknown.

        In seconds of our clock: sound as it came, pictures as far from it as the sender says.
        """
        if moment is None:
            return None
        if moment.captured_s is None:
            self._ahead_s.pop(kind, None)
        else:
            self._ahead_s[kind] = moment.captured_s - moment.arrived_s
        if kind != "picture":
            return moment.arrived_s
        if len(self._ahead_s) > 1:
            apart_s = self._ahead_s["picture"] - self._ahead_s["sound"]
            if abs(apart_s) < OTHER_CLOCK_S:
                self._apart_s = apart_s
        return moment.arrived_s + self._apart_s
