"""A remote coach's cue at the gateway: what is none is refused there, and the reason is kept."""

import json

import pytest

from firmware_app.errors import WireError
from firmware_app.wire import CueAnswer, Live, PoseFeatures, RideId
from gateway.coach_lane import MOST_IN_A_MINUTE, CoachLane
from gateway.mqtt import Heard

TOPIC = "fitness/class/42/cue/p-1"


class Wire:
    """A line that keeps what is done with it."""

    def __init__(self):
        self.listens = []
        self.said = []

    def subscribe(self, topic):
        self.listens.append(topic)

    def unsubscribe(self, topic):
        self.listens.remove(topic)

    def publish(self, topic, payload, *, qos=0, retain=False):
        del qos, retain
        self.said.append((topic, json.loads(payload)))


class Box:
    def __init__(self, *, ride_there=True):
        self.commands, self.notes, self.wire = [], [], Wire()
        self.lane = CoachLane(
            "b1",
            lambda command: self.commands.append(command) or ride_there,
            lambda *entry: self.notes.append(entry),
        )
        self.lane.connected(self.wire)
        self.live()

    def live(self, class_id="42", rider="p-1"):
        self.lane.live(
            Live(
                t_s=0.0,
                ride=RideId("r"),
                class_id=class_id,
                rider_pseudonym=rider,
                phase="riding",
                cadence_rpm=80.0,
                states={},
            )
        )

    def cue(self, now_s=10.0, retained=False, **changed):
        fields = {"kind": "cue", "text": "Drop your shoulders", "issue": "shrug", "ttl_s": 2}
        payload = json.dumps(fields | changed).encode()
        self.lane.take(Heard(TOPIC, payload, retained), now_s)
        return self

    @property
    def last(self):
        topic, said = self.wire.said[-1]
        assert topic == f"{TOPIC}/ack"
        return said


def test_a_cue_goes_to_the_ride_with_its_issue_and_its_end():
    (command,) = Box().cue(language="en", id="c-7").commands
    assert (command.kind, command.rule, command.text) == ("cue", "shrug", "Drop your shoulders")
    assert (command.language, command.expires_s) == ("en", 12.0)


def test_the_rides_answer_goes_back_to_the_sender_once():
    box = Box().cue(id="c-7")
    answer = CueAnswer(t_s=1.0, command=box.commands[0].command, given=False, why="too late")
    box.lane.answer(answer)
    box.lane.answer(answer)
    box.lane.answer(CueAnswer(t_s=1.0, command="somebody-elses", given=True))
    assert len(box.wire.said) == 1
    assert (box.last["id"], box.last["given"], box.last["why"]) == ("c-7", False, "too late")


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"\xff", b"null", b"[]", b'{"kind":"cue"}', b"x" * 100_000,
        b'{"kind":"say","text":"Drop it","issue":"shrug","ttl_s":2}',
        b'{"kind":"cue","text":"Drop it","issue":"SHRUG!","ttl_s":2}',
        b'{"kind":"cue","text":"Drop it","issue":"shrug","ttl_s":9000}',
        b'{"kind":"cue","text":"Drop it","issue":"shrug","ttl_s":2,"language":"english"}',
        b'{"kind":"cue","text":"%s","issue":"shrug","ttl_s":2}' % (b"y" * 81),
    ],
)  # fmt: skip
def test_what_does_not_match_the_schema_is_refused_and_kept_in_the_audit(payload):
    box = Box()
    box.lane.take(Heard(TOPIC, payload, retained=False), 10.0)
    assert not box.commands
    assert not box.last["given"]
    assert box.last["why"].startswith("not a cue: ")
    assert box.notes == [("cue_refused", "remote coach", box.last["why"])]


def test_a_cue_that_was_left_behind_is_for_nobody():
    box = Box().cue(retained=True)
    assert not box.commands
    assert not box.wire.said


def test_a_flood_is_looked_at_for_a_while_and_noted_once():
    box = Box()
    for n in range(3 * MOST_IN_A_MINUTE):
        box.cue(now_s=10 + n * 0.01)
    assert len(box.commands) == MOST_IN_A_MINUTE
    assert [why for _, _, why in box.notes] == ["more than 30 cues in a minute; not looked at"]
    box.cue(now_s=80.0)
    assert len(box.commands) == MOST_IN_A_MINUTE + 1


def test_without_a_ride_service_the_sender_is_told_so():
    box = Box(ride_there=False).cue()
    assert box.last["why"] == "the ride service is not there"


def test_only_the_cues_of_whoever_rides_now_are_heard():
    box = Box()
    assert box.wire.listens == [TOPIC]
    assert box.lane.is_cue(Heard(TOPIC, b"", retained=False))
    box.live(rider="p-2")
    assert box.wire.listens == ["fitness/class/42/cue/p-2"]
    assert not box.lane.is_cue(Heard(TOPIC, b"", retained=False))
    again = Wire()
    box.lane.connected(None)
    box.lane.connected(again)
    assert again.listens == ["fitness/class/42/cue/p-2"]


def test_pose_features_go_out_as_numbers_under_the_pseudonym():
    box = Box()
    told = PoseFeatures(
        t_s=5.0,
        ride=RideId("000001_ab_b1"),
        class_id="42",
        rider_pseudonym="p-1",
        view="front",
        cadence_rpm=81.0,
        learning=None,
        features={"shoulder_y": -0.02},
        evidence={"shrug": 1.1},
    )
    box.lane.pose(told)
    ((topic, said),) = box.wire.said
    assert topic == "fitness/class/42/pose/p-1"
    assert "ride" not in said
    assert said["evidence"] == {"shrug": 1.1}


@pytest.mark.parametrize("class_id", ["a/b", "+", "#", "class 42"])
def test_a_class_that_cannot_stand_in_a_topic_is_refused(class_id):
    with pytest.raises(WireError, match="cannot stand in a topic"):
        Box().live(class_id=class_id)
