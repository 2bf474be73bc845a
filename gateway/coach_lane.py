"""The remote coach's two lanes: how the rider sits goes out, a cue may come back.

What comes in is judged twice. Here: is it a cue at all, by its JSON schema, is it fresh, and is it
not the hundredth of this minute. In the ride, which alone knows: does the fault stand, are the
words about it, short, in the rider's language and under no other name, and has nothing been said
just now. Whatever is refused is refused with a reason, to the sender and in the audit.
"""

import secrets
from collections import OrderedDict, deque
from collections.abc import Callable

from firmware_app.errors import WireError
from firmware_app.wire import Command, CueAnswer, Live, PoseFeatures
from gateway.mqtt import Heard, Line
from gateway.topics import CueAck, Pose, RemoteCue, cue_topic, pack, pose_topic, unpack

MOST_IN_A_MINUTE = 30
"""Cues that are looked at; one in half a minute can be given."""
WAITING = 32
"""Cues whose answer the ride has not given yet."""


class CoachLane:
    """One box's side; knows the rider it is for from what the ride tells."""

    def __init__(
        self,
        box: str,
        tell_ride: Callable[[Command], bool],
        note: Callable[[str, str, str], None],
    ) -> None:
        """Begin without a rider; note: adds (what, who, detail) to the audit."""
        self._box = box
        self._tell_ride = tell_ride
        self._note = note
        self._topic = ""
        """Where this rider's cues come in."""
        self._rider = ""
        self._line: Line | None = None
        self._asked: OrderedDict[str, tuple[str, str, str]] = OrderedDict()
        """Command to the topic, rider and id that its answer goes to."""
        self._lately_s: deque[float] = deque(maxlen=MOST_IN_A_MINUTE)
        self._flooded = False

    def connected(self, line: Line | None) -> None:
        """Take in that the broker is there, or gone."""
        self._line = line
        if line is not None and self._topic:
            line.subscribe(self._topic)

    def live(self, live: Live) -> None:
        """Listen for the cues of whoever rides now; raise WireError for an impossible topic."""
        topic = cue_topic(live.class_id or "free", live.rider_pseudonym)
        if topic == self._topic:
            return
        if self._line is not None:
            if self._topic:
                self._line.unsubscribe(self._topic)
            self._line.subscribe(topic)
        self._topic, self._rider = topic, live.rider_pseudonym

    def pose(self, told: PoseFeatures) -> None:
        """Pass on how the rider sits; raise WireError for an impossible topic."""
        if self._line is None:
            return
        pose = Pose(
            box=self._box,
            rider=told.rider_pseudonym,
            t_s=told.t_s,
            view=told.view,
            cadence_rpm=told.cadence_rpm,
            learning=told.learning,
            features=told.features,
            evidence=told.evidence,
        )
        topic = pose_topic(told.class_id or "free", told.rider_pseudonym)
        self._line.publish(topic, pack(pose))

    def is_cue(self, heard: Heard) -> bool:
        """Tell whether this came on the rider's cue lane."""
        return bool(self._topic) and heard.topic == self._topic

    def take(self, heard: Heard, now_s: float) -> None:
        """Hand a cue to the ride, or refuse it; one that was left behind is for nobody."""
        if heard.retained:
            return
        if len(self._lately_s) == MOST_IN_A_MINUTE and now_s - self._lately_s[0] < 60:
            if not self._flooded:
                self._refuse("", f"more than {MOST_IN_A_MINUTE} cues in a minute; not looked at")
            self._flooded = True
            return
        self._flooded = False
        self._lately_s.append(now_s)
        try:
            cue = unpack(heard.payload, RemoteCue)
        except WireError as error:
            self._refuse("", f"not a cue: {error}")
            return
        command = Command(
            t_s=now_s,
            command=f"cue-{secrets.token_hex(4)}",
            kind="cue",
            text=cue.text,
            rule=cue.issue,
            language=cue.language,
            expires_s=now_s + cue.ttl_s,
        )
        self._asked[command.command] = (self._topic, self._rider, cue.id)
        if len(self._asked) > WAITING:
            self._asked.popitem(last=False)
        if not self._tell_ride(command):
            del self._asked[command.command]
            self._refuse(cue.id, "the ride service is not there")

    def answer(self, answer: CueAnswer) -> None:
        """Tell the sender what the ride made of its cue; the ride's own audit has it already."""
        known = self._asked.pop(answer.command, None)
        if known is not None:
            topic, rider, cue_id = known
            self._tell(
                topic,
                CueAck(box=self._box, rider=rider, given=answer.given, id=cue_id, why=answer.why),
            )

    def _refuse(self, cue_id: str, why: str) -> None:
        self._note("cue_refused", "remote coach", why)
        self._tell(
            self._topic, CueAck(box=self._box, rider=self._rider, given=False, id=cue_id, why=why)
        )

    def _tell(self, topic: str, ack: CueAck) -> None:
        if self._line is not None:
            self._line.publish(f"{topic}/ack", pack(ack), qos=1)
