"""A picture cannot leave vision, because no message can hold one and no other process has one."""

import ast
import subprocess
import sys
from pathlib import Path
from types import UnionType
from typing import get_args

import msgspec.inspect as look
import pytest

from firmware_app import wire
from firmware_app.form.metrics import FormMetrics
from firmware_app.hardware import Frame
from firmware_app.ride.events import Heard, RideSetup

ROOT = Path(__file__).parents[1]
NUMBERS_AND_WORDS = (
    look.IntType,
    look.FloatType,
    look.StrType,
    look.NoneType,
    look.BoolType,
    look.LiteralType,
)
EVERY_MESSAGE = (*get_args(wire.Line), *get_args(Heard), RideSetup)


def parts_of(kind):
    match kind:
        case look.StructType() | look.NamedTupleType():
            return [field.type for field in kind.fields]
        case look.UnionType():
            return kind.types
        case look.VarTupleType() | look.ListType():
            return [kind.item_type]
        case look.TupleType():
            return kind.item_types
        case look.DictType():
            return [kind.key_type, kind.value_type]
        case _:
            return []


def leaves(kind):
    parts = parts_of(kind)
    if not parts:
        yield kind
    for part in parts:
        yield from leaves(part)


def test_every_message_of_the_box_is_walked():
    kinds = {
        kind
        for name, kind in vars(wire).items()
        if isinstance(kind, type) and issubclass(kind, wire.Message) and kind is not wire.Message
    }
    assert kinds <= set(EVERY_MESSAGE)
    assert isinstance(wire.Line, UnionType)


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=lambda kind: kind.__name__)
def test_no_message_can_hold_bytes_or_arrays(message):
    for leaf in leaves(look.type_info(message)):
        assert isinstance(leaf, NUMBERS_AND_WORDS), (message, leaf)


def test_only_vision_may_tell_a_pose_and_nobody_passes_it_on():
    for union in (wire.FromRide, wire.ToRide, wire.ToGateway, Heard):
        assert wire.PoseFrame not in get_args(union)


def test_the_lines_of_the_aiming_screen_are_neither_kept_nor_sent_on():
    for union in (wire.ToRide, wire.ToGateway, wire.FromGateway, Heard):
        assert wire.Aim not in get_args(union)


def test_what_is_journaled_of_a_pose_is_a_few_numbers():
    assert len(list(leaves(look.type_info(FormMetrics)))) < 60


def test_a_frame_cannot_be_encoded():
    with pytest.raises(TypeError):
        wire._encoder.encode(Frame(bgr=None, t_s=0.0, number=0)._replace(bgr=object()))


@pytest.mark.parametrize(
    "module",
    ["firmware_app.services.ride", "firmware_app.services.player", "gateway.commands.gateway"],
)
def test_no_other_service_can_even_load_the_eye(module):
    out = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    loaded = set(out.stdout.split())
    assert not loaded & {"cv2", "tflite_runtime", "ai_edge_litert", "firmware_app.vision"}


WRITERS = {"imwrite", "VideoWriter", "imencode", "tofile", "save"}


def test_nothing_that_holds_a_frame_knows_how_to_write_one():
    """The overlay of `bikebox pose` is a person's own video on a person's own disk."""
    for path in [
        *(ROOT / "firmware_app/vision").glob("*.py"),
        ROOT / "firmware_app/services/vision.py",
        ROOT / "firmware_app/real/camera.py",
        ROOT / "firmware_app/sim/camera.py",
    ]:
        names = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
        }
        assert not names & WRITERS, path
