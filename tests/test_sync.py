"""How records find their way to the studio, and what the rider's screen says meanwhile."""

import random
from collections import deque
from itertools import pairwise

import msgspec
import pytest
from gym_scene import told_ride
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_app.clock import HandClock
from firmware_app.errors import BadSetting
from firmware_app.settings import Mqtt
from firmware_app.wire import Live, RideId, encode
from gateway.home import discovery, discovery_topic
from gateway.mqtt import Heard, read_address
from gateway.store import Store
from gateway.studio.archive import Archive, Came
from gateway.sync import MOST_IN_A_MINUTE, Sync
from gateway.topics import Ack, Cmd, Up, pack
from gateway.window import LONGEST_S, PATIENCE, PROOFS, SIZE, Window

# the window ------------------------------------------------------------------------------------


def test_a_window_of_records_goes_out_and_no_more_until_the_studio_confirms():
    window = Window(lambda: 0.0)
    window.sent(range(1, SIZE + 1), 0.0)
    assert window.room == 0
    assert window.confirm(5, 0.1)
    assert (window.room, window.after) == (5, SIZE)


def test_a_silent_studio_is_asked_with_one_record_ever_more_rarely_and_within_five_seconds():
    window = Window(lambda: 1.0)
    t_s, asked_s = 0.0, []
    window.sent(range(1, SIZE + 1), t_s)
    while t_s < 60:
        t_s += 0.1
        if window.go_back_if_late(t_s):
            asked_s.append(t_s)
            assert window.room == 1
            window.sent([1] if window.after == 0 else [2], t_s)
    waits = [round(b - a) for a, b in pairwise(asked_s)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_S


def test_a_studio_that_is_back_gets_the_full_window_at_once():
    window = Window(lambda: 0.5)
    window.sent(range(1, SIZE + 1), 0.0)
    window.go_back_if_late(10.0)
    window.sent([1], 10.0)
    window.confirm(1, 10.1)
    assert not window.unanswered
    assert window.room == SIZE


def test_an_old_confirmation_changes_nothing():
    window = Window(lambda: 0.0)
    window.confirm(9, 0.0)
    assert not window.confirm(4, 0.1)
    assert window.confirmed == 9


def test_a_studio_that_is_silent_for_a_year_is_still_asked():
    window = Window(lambda: 1.0)
    for n in range(5000):
        window.sent([1], n * 10.0)
        assert window.go_back_if_late(n * 10.0 + LONGEST_S)


def tries(window, rounds, answers=None, cut=False):
    """Let rounds pass in which the first record is never taken; answers: what the studio hears."""
    t_s = 0.0
    for _ in range(rounds):
        t_s += 100.0
        seqs = range(window.after + 1, window.after + 1 + window.room)
        window.sent(seqs, t_s)
        if answers and answers(seqs[0]):
            window.confirm(window.confirmed, t_s)
        elif cut:
            window.reconnected()
        else:
            window.go_back_if_late(t_s + 50.0)


def second(seq):
    return seq % 2 == 1


@pytest.mark.parametrize("cut", [False, True])
def test_a_record_that_nothing_gets_past_is_found_when_the_studio_answers_the_next(cut):
    window = Window(lambda: 0.0, confirmed=7)
    tries(window, PATIENCE, cut=cut)
    assert (window.after, window.room) == (8, 1)  # the ninth goes ahead, and alone
    tries(window, 2 * PROOFS - 1, second, cut=cut)
    assert window.poison is None
    tries(window, 1, second, cut=cut)
    assert window.poison == 8


def test_a_studio_that_is_away_makes_no_record_poison_however_long():
    window = Window(lambda: 0.0, confirmed=7)
    tries(window, 500)
    assert window.poison is None
    tries(window, 2 * PROOFS - 2, second)
    tries(window, 2)
    tries(window, 2 * PROOFS - 2, second)
    assert window.poison is None


def test_a_record_that_is_taken_after_all_is_no_poison():
    window = Window(lambda: 0.0, confirmed=7)
    tries(window, PATIENCE)
    tries(window, 2 * PROOFS - 2, second)
    window.confirm(9, 10_000.0)
    assert (window.poison, window.room, window.after) == (None, SIZE, 9)


def test_the_only_record_there_is_is_tried_again_and_again():
    window = Window(lambda: 0.0, confirmed=7)
    for n in range(50):
        if window.after == 8:
            window.sent([], n * 100.0)
        assert window.after == 7
        window.sent([8], n * 100.0)
        window.reconnected()
    assert window.poison is None


class Net:
    """A box, a studio, and a network that loses, doubles and mixes until it has had enough."""

    def __init__(self, chance, folder, told):
        self.chance, self.told = chance, told
        self.store = Store(folder / "gateway.db", "b1", HandClock())
        self.archive = Archive(str(folder / "studio.db"), HandClock())
        for db in (self.store._db, self.archive._tables._db):
            db.execute("PRAGMA synchronous = OFF")  # no power is cut here
        self.window = Window(chance.random)
        self.up, self.down = deque(), deque()
        self.t_s = 0.0
        self.steps = 0

    @property
    def over(self):
        return not self.told and self.store.outbox.rows == 0

    @property
    def peace(self):
        return self.steps > 300

    def give(self, lane, message):
        trouble = 0.0 if self.peace else self.chance.random()
        for _ in range(0 if trouble > 0.75 else 2 if trouble > 0.6 else 1):
            lane.insert(self.chance.randint(0, len(lane)) if trouble > 0.3 else len(lane), message)

    def step(self):
        self.steps += 1
        self.t_s += 0.3
        if self.told and self.chance.random() < 0.3:
            self.store.keep("j", 1000 - len(self.told), [self.told.pop(0)])
        if self.chance.random() < 0.03 and not self.peace:
            self.window.reconnected()
            self.up.clear()
        self.box_sends()
        if self.chance.random() < 0.7:
            came = [Came("fleet/v1/b1/up", self.up.popleft()) for _ in range(len(self.up))]
            for _, ack in self.archive.store(came):
                self.give(self.down, ack)
        while self.down and self.chance.random() < 0.8:
            ack = self.down.popleft()
            self.store.confirm(ack)
            self.window.confirm(ack.upto, self.t_s)

    def box_sends(self):
        self.window.go_back_if_late(self.t_s)
        if self.window.room > 0:
            ups = self.store.outbox.following(self.window.after, self.window.room)
            for up in ups:
                self.give(self.up, pack(up))
            self.window.sent([up.seq for up in ups], self.t_s)

    def close(self):
        self.store.close()
        self.archive.close()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1 << 32), intervals=st.integers(0, 60), gap_at=st.integers(0, 100))
def test_whatever_the_network_loses_doubles_or_mixes_every_record_is_confirmed_once(
    seed, intervals, gap_at, tmp_path_factory
):
    told = [encode(message).rstrip(b"\n") for message in told_ride(intervals=intervals)]
    net = Net(random.Random(seed), tmp_path_factory.mktemp("net"), told)
    given_up = 0
    while not net.over:
        net.step()
        assert net.steps < 2000, "the last record never arrives"
        if net.steps == gap_at:
            given_up = net.store.outbox.give_up("interval", 5, "no room")
    rows = list(net.archive._tables._db.query("select kind from record"))
    kinds = [row["kind"] for row in rows]
    assert kinds.count("cue") == kinds.count("summary") == 1
    assert intervals - given_up <= kinds.count("interval") <= intervals
    at_home = msgspec.json.encode(net.store.ride("000001_ab_b1").summary)
    assert net.archive.ride("b1", "000001_ab_b1").summary == msgspec.json.decode(at_home)
    net.close()


# what the box says and hears -------------------------------------------------------------------


class FakeLine:
    refused = ""

    def __init__(self):
        self.sent = []

    def publish(self, topic, payload, *, qos=0, retain=False):
        self.sent.append((topic, msgspec.json.decode(payload), qos, retain))


@pytest.fixture
def sync(tmp_path):
    clock = HandClock()
    store = Store(tmp_path / "gateway.db", "b1", clock)
    commands = []
    sync = Sync(Mqtt(url="mqtt://x"), "b1", store, clock, lambda c: not commands.append(c))
    sync.store, sync.clock, sync.commands = store, clock, commands
    yield sync
    store.close()


def ride(store):
    store.keep("j", 1000, [encode(message).rstrip(b"\n") for message in told_ride()])


def live(**changed):
    said = {"class_id": "42", "rider_pseudonym": "p-1", "phase": "riding", "cadence_rpm": 86.0}
    return Live(t_s=0.0, ride=RideId("r"), states={"shrug": "fault"}, **(said | changed))


def test_the_screen_says_offline_without_a_broker_waiting_on_the_way_and_ok_when_all_is_there(sync):
    ride(sync.store)
    sync.lost("no broker at x:1883: Connection refused")
    assert (sync.state().sync, sync.state().why) == (
        "offline",
        "no broker at x:1883: Connection refused",
    )
    sync._line = FakeLine()
    assert (sync.state().sync, sync.state().unsynced) == ("waiting", 5)
    sync._send(sync._line)
    sync.clock.advance(10)
    sync._send(sync._line)
    assert sync.state().why == "the studio does not answer"
    ack = Ack(epoch=sync.store.outbox.epoch, upto=5)
    sync._take(Heard("fleet/v1/b1/ack", pack(ack), retained=True))
    assert (sync.state().sync, sync.state().unsynced) == ("ok", 0)


def test_a_box_without_a_studio_keeps_everything_and_says_so(tmp_path):
    store = Store(tmp_path / "gateway.db", "b1", HandClock())
    sync = Sync(Mqtt(), "b1", store, HandClock(), lambda _: True)
    assert (sync.state().sync, sync.state().why) == ("offline", "no studio is set up")
    store.close()


def test_records_go_up_with_everything_that_names_and_dates_them(sync):
    ride(sync.store)
    line = FakeLine()
    sync._send(line)
    ups = [sent for sent in line.sent if sent[0] == "fleet/v1/b1/up"]
    assert [up[1]["seq"] for up in ups] == [1, 2, 3, 4, 5]
    assert all(qos == 1 and not retain for _, _, qos, retain in ups)
    assert msgspec.convert(ups[0][1], Up).kind == "interval"
    status = next(sent for sent in line.sent if sent[0] == "fleet/v1/b1/status")
    assert status[1]["online"]
    assert status[3]


def test_how_a_rider_sits_goes_to_the_class_once_and_is_never_kept(sync):
    sync.live(live())
    sync._line = FakeLine()
    sync.live(live())
    assert len(sync._line.sent) == 1
    topic, form, qos, retain = sync._line.sent[0]
    assert topic == "fitness/class/42/form/p-1"
    assert (form["states"], form["cadence_rpm"], qos, retain) == (
        {"shrug": "fault"},
        86.0,
        0,
        False,
    )
    assert sync.store.outbox.rows == 0


def test_a_house_sees_that_somebody_rides_and_idle_when_the_ride_is_over(sync):
    sync._mqtt = Mqtt(url="mqtt://x", live=False, home_assistant=True)
    line = sync._line = FakeLine()
    sync.live(live())
    sync._send(line)
    now = [sent for sent in line.sent if sent[0] == "fleet/v1/b1/now"]
    assert [(sent[1]["phase"], sent[1]["cadence_rpm"]) for sent in now] == [("riding", 86.0)]
    line.sent.clear()
    sync.clock.advance(3.1)
    sync._send(line)
    sync._send(line)
    ((_, idle, _, retained),) = line.sent
    assert (idle["phase"], idle["cadence_rpm"], retained) == ("idle", 0.0, True)


def test_home_assistant_finds_the_bike_and_where_its_sensors_speak():
    told = discovery("b1", "26.11.0")
    assert discovery_topic("b1") == "homeassistant/device/bikebox_b1/config"
    assert told["device"]["identifiers"] == ["bikebox_b1"]
    assert told["availability_topic"] == "fleet/v1/b1/status"
    sensors = told["components"].values()
    assert len({sensor["unique_id"] for sensor in sensors}) == len(sensors)
    assert {sensor["state_topic"] for sensor in sensors} == {
        "fleet/v1/b1/now",
        "fleet/v1/b1/status",
    }
    assert all(sensor["platform"] and sensor["value_template"] for sensor in sensors)


@pytest.mark.parametrize("class_id", ["spin.city", "a/b", "#", "Mon day", "x" * 65])
def test_a_class_whose_name_would_choke_a_broker_is_not_sent(sync, class_id):
    sync._line = FakeLine()
    sync.live(live(class_id=class_id))
    assert sync._line.sent == []


def test_a_command_reaches_the_ride_once_with_its_time_to_live_and_is_answered_each_time(sync):
    sync._line = FakeLine()
    sync.clock.advance(100)
    cmd = pack(Cmd(command="c-1", kind="message", text="Welcome", ttl_s=20.0))
    for _ in range(2):
        sync._take(Heard("fleet/v1/b1/cmd", cmd, retained=False))
    assert [(c.text, c.expires_s) for c in sync.commands] == [("Welcome", 120.0)]
    assert [(sent[0], sent[1]["taken"]) for sent in sync._line.sent] == [
        ("fleet/v1/b1/cmd/ack", True)
    ] * 2


@pytest.mark.parametrize(("by", "who"), [("", "studio"), ("anna", "studio, for anna")])
def test_the_audit_has_who_commanded(sync, by, who):
    sync._take(
        Heard("fleet/v1/b1/cmd", pack(Cmd(command="c-1", kind="drain", by=by)), retained=False)
    )
    assert [(entry.what, entry.who) for entry in sync.store.audit()] == [("command", who)]


def test_drain_sends_what_waits_at_once_and_is_not_for_the_ride(sync):
    ride(sync.store)
    line = sync._line = FakeLine()
    sync._send(line)
    sync.clock.advance(10)
    sync._send(line)
    line.sent.clear()
    sync._take(Heard("fleet/v1/b1/cmd", pack(Cmd(command="c-1", kind="drain")), retained=False))
    sync._send(line)
    (answer,) = [told for topic, told, _, _ in line.sent if topic == "fleet/v1/b1/cmd/ack"]
    assert (answer["taken"], answer["why"], sync.commands) == (True, "5 records wait", [])
    assert [told["seq"] for topic, told, _, _ in line.sent if topic == "fleet/v1/b1/up"] == [1]


def test_a_flood_of_commands_does_not_fill_the_card(sync):
    line = sync._line = FakeLine()
    for n in range(MOST_IN_A_MINUTE + 80):
        cmd = pack(Cmd(command=f"c-{n}", kind="message", text="Hello"))
        sync._take(Heard("fleet/v1/b1/cmd", cmd, retained=False))
    assert len(sync.commands) == sync.store.outbox.rows == MOST_IN_A_MINUTE
    assert sync.dropped == 80
    assert "in a minute" in line.sent[-1][1]["why"]
    sync.clock.advance(60)
    sync._take(Heard("fleet/v1/b1/cmd", cmd, retained=False))
    assert line.sent[-1][1]["taken"]


def test_a_command_left_behind_on_the_broker_is_not_carried_out(sync):
    sync._line = FakeLine()
    cmd = pack(Cmd(command="c-1", kind="start_class"))
    sync._take(Heard("fleet/v1/b1/cmd", cmd, retained=True))
    assert sync.commands == []


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b'{"epoch":1}', b"[" * 100_000])
def test_nonsense_from_the_broker_is_dropped(sync, payload):
    ride(sync.store)
    for topic in ("fleet/v1/b1/ack", "fleet/v1/b1/cmd"):
        sync._take(Heard(topic, payload, retained=False))
    assert sync.store.outbox.rows == 5


# the address -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", ("broker", 1883, False)),
        ("mqtts://broker", ("broker", 8883, True)),
        ("mqtt://[::1]:1884", ("::1", 1884, False)),
    ],
)
def test_a_broker_is_named_by_its_url(url, address):
    assert read_address(url) == address


@pytest.mark.parametrize(
    "url", ["broker:1883", "http://x", "mqtt://", "mqtt://x:y", "mqtt://u:p@x", "mqtt://x/topic"]
)
def test_a_misspelt_broker_is_told_with_what_to_write(url):
    with pytest.raises(BadSetting, match=r"mqtt://HOST:1883|password_file"):
        read_address(url)
