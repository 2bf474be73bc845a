"""When a stream's frames were captured: by the sender's reports, and by when they came.

    captured   the sender's wall clock, from its RTCP reports (RFC 3550 section 6.4.1): exact
    arrived    our clock, from the quickest packets: as good as the network is even

Pure: the receiver brings reports and packets, the class's feed chooses between the two.
"""

from typing import NamedTuple

OTHER_CLOCK_S = 1.0
"""Sound and picture that far apart are not of one clock, or not told at the same time."""
UNSURE_APART_S = 0.2
"""What one report alone is believed: encoders and networks seldom part the two by more."""
STEADY_S = 0.05
"""Reports that disagree by more say nothing: werift 0.24 tells whole seconds only."""
CREEP = 0.001
"""The quickest way is forgotten by 1 ms a second: clocks drift, routes change."""


class Moment(NamedTuple):
    """When a frame was captured, in seconds of two clocks; to be compared within one only."""

    captured_s: float | None
    """None: the sender has not reported yet, or never does."""
    arrived_s: float
    spare_s: float = 0.0
    """How much later the next one may come."""
    sure: bool = False
    """The sender's last two reports agree."""


class StreamClock:
    """One stream's RTP timestamps laid on clocks."""

    def __init__(self, hz: int) -> None:
        """Hz is the rate of the codec's RTP clock."""
        self._hz = hz
        self._report: tuple[int, float] | None = None
        self._agree: bool | None = None
        """The last two reports do; None: there are no two."""
        self._quickest: tuple[int, float] | None = None

    def report(self, ticks: int, wall_s: float) -> None:
        """Take the sender's word for which moment of its own clock an RTP timestamp is."""
        if self._report is not None:
            expected_s = self._report[1] + self._since_s(ticks, self._report[0])
            self._agree = abs(wall_s - expected_s) <= STEADY_S
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
        if self._report is not None and self._agree is not False:
            captured_s = self._report[1] + self._since_s(ticks, self._report[0])
        return Moment(captured_s, arrived_s, sure=bool(self._agree))

    def _since_s(self, ticks: int, before: int) -> float:
        return (((ticks - before + 0x80000000) & 0xFFFFFFFF) - 0x80000000) / self._hz


class ClassClock:
    """Sound and pictures of one class on our clock: the sender's tells how far apart they are.

    No more of its clock is used than that, and nothing of reports that disagree: those of GStreamer
    1.22 playing a file jump by seconds each time. Then both are shown as they came.
    """

    def __init__(self) -> None:
        self._ahead: dict[str, tuple[float, bool]] = {}
        self._apart_s = 0.0

    def choose(self, kind: str, moment: Moment | None) -> float | None:
        """Return the moment of a sound or a picture, comparable between the two; None: unknown.

        In seconds of our clock: sound as it came, pictures as far from it as the sender says.
        """
        if moment is None:
            return None
        if moment.captured_s is None:
            self._ahead.pop(kind, None)
            self._apart_s = 0.0
        else:
            self._ahead[kind] = (moment.captured_s - moment.arrived_s, moment.sure)
        if kind != "picture":
            return moment.arrived_s
        if len(self._ahead) > 1:
            (picture_s, sure), (sound_s, sure_too) = self._ahead["picture"], self._ahead["sound"]
            most_s = OTHER_CLOCK_S if sure and sure_too else UNSURE_APART_S
            if abs(picture_s - sound_s) < most_s:
                self._apart_s = picture_s - sound_s
        return moment.arrived_s + self._apart_s
