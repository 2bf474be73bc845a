"""A ride as a FIT activity: what Strava, Garmin Connect and every sports program takes.

Cadence each second, and as developer fields how much of the last half minute the rider sat in
position, and how many cues the coach gave. Nothing that was not measured: no power, no distance,
no calories. No name either: who uploads it knows who rode.
"""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

from fit_tool.base_type import BaseType
from fit_tool.data_message import DataMessage
from fit_tool.developer_field import DeveloperField
from fit_tool.fit_file_builder import FitFileBuilder
from fit_tool.profile.messages.activity_message import ActivityMessage
from fit_tool.profile.messages.developer_data_id_message import DeveloperDataIdMessage
from fit_tool.profile.messages.event_message import EventMessage
from fit_tool.profile.messages.field_description_message import FieldDescriptionMessage
from fit_tool.profile.messages.file_id_message import FileIdMessage
from fit_tool.profile.messages.lap_message import LapMessage
from fit_tool.profile.messages.record_message import RecordMessage
from fit_tool.profile.messages.session_message import SessionMessage
from fit_tool.profile.profile_type import (
    Activity,
    Event,
    EventType,
    FileType,
    Manufacturer,
    SessionTrigger,
    Sport,
    SubSport,
)

from gateway.export.track import Track

IN_POSITION, CUES = 0, 1
UNKNOWN = 255
"""What FIT writes for a byte that nobody knows."""
REST_S = 2.0
"""Seconds that are further apart than this had a rest between them."""
APPLICATION = sha256(b"bikebox form").digest()[:16]
"""Says whose developer fields these are; any sixteen bytes that stay the same."""


def fit_of(track: Track) -> bytes:
    """Return the FIT file."""
    builder = FitFileBuilder(auto_define=True)
    for message in _messages(track):
        builder.add(message)
    content: bytes = builder.build_bytes()
    return content


def _messages(track: Track) -> Iterator[DataMessage]:
    ride = sha256(track.summary.ride.encode() + track.summary.box.encode()).digest()
    file_id = FileIdMessage()
    file_id.type = FileType.ACTIVITY
    file_id.manufacturer = Manufacturer.DEVELOPMENT.value
    file_id.product = 0
    file_id.serial_number = int.from_bytes(ride[:4], "little") | 1
    file_id.time_created = _ms(track.start)
    yield file_id
    yield from _our_fields()
    yield _event(track.start, EventType.START)
    before = None
    for second in track.seconds:
        if before is not None and (second.at - before).total_seconds() > REST_S:
            yield _event(before, EventType.STOP_ALL)
            yield _event(second.at, EventType.START)
        before = second.at
        share = second.in_position
        record = RecordMessage(developer_fields=[_byte(IN_POSITION)])
        record.timestamp = _ms(second.at)
        if second.rpm is not None:
            record.cadence = second.rpm
        record.developer_fields[0].set_value(
            0, UNKNOWN if share is None else round(100 * share), None
        )
        yield record
    yield _event(track.end, EventType.STOP_ALL)
    yield from _totals(track)


def _totals(track: Track) -> Iterator[DataMessage]:
    riding_s = _riding_s(track)
    elapsed_s = (track.end - track.start).total_seconds()
    fastest = max((second.rpm for second in track.seconds if second.rpm is not None), default=None)
    mean_rpm = track.summary.cadence_mean_rpm
    cues = _byte(CUES)
    lap, session = LapMessage(), SessionMessage(developer_fields=[cues])
    for part in (lap, session):
        part.timestamp = _ms(track.end)
        part.start_time = _ms(track.start)
        part.total_elapsed_time = elapsed_s
        part.total_timer_time = riding_s
        part.total_cycles = round(track.turns)
        if mean_rpm is not None:
            part.avg_cadence = round(mean_rpm)
        if fastest is not None:
            part.max_cadence = fastest
        part.sport = Sport.CYCLING
        part.sub_sport = SubSport.INDOOR_CYCLING
    lap.message_index = session.message_index = 0
    session.first_lap_index, session.num_laps = 0, 1
    session.trigger = SessionTrigger.ACTIVITY_END
    session.event, session.event_type = Event.SESSION, EventType.STOP
    lap.event, lap.event_type = Event.LAP, EventType.STOP
    cues.set_value(0, min(len(track.summary.cues), UNKNOWN - 1), None)
    yield lap
    yield session
    activity = ActivityMessage()
    activity.timestamp = _ms(track.end)
    activity.total_timer_time = riding_s
    activity.num_sessions = 1
    activity.type = Activity.MANUAL
    activity.event, activity.event_type = Event.ACTIVITY, EventType.STOP
    yield activity


def _our_fields() -> Iterator[DataMessage]:
    ours = DeveloperDataIdMessage()
    ours.application_id = list(APPLICATION)
    ours.developer_data_index = 0
    ours.application_version = 1
    yield ours
    for number, name, units in ((IN_POSITION, "in position", "%"), (CUES, "cues", "")):
        field = FieldDescriptionMessage()
        field.developer_data_index = 0
        field.field_definition_number = number
        field.fit_base_type_id = BaseType.UINT8.value
        field.field_name = name
        field.units = units
        yield field


def _event(at: datetime, kind: EventType) -> EventMessage:
    event = EventMessage()
    event.timestamp = _ms(at)
    event.event = Event.TIMER
    event.event_type = kind
    return event


def _byte(number: int) -> DeveloperField:
    return DeveloperField(developer_data_index=0, field_id=number, size=1, base_type=BaseType.UINT8)


def _riding_s(track: Track) -> float:
    gaps = (
        (b.at - a.at).total_seconds() - 1
        for a, b in pairwise(track.seconds)
        if (b.at - a.at).total_seconds() > REST_S
    )
    return (track.end - track.start).total_seconds() - sum(gaps)


def _ms(at: datetime) -> int:
    return round(at.timestamp()) * 1000
