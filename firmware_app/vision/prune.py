"""Cuts an output nobody reads out of a TFLite model, and every operator only it needed.

A model is a flatbuffer, and its lists may be shortened where they stand: the numbers of tensors
and buffers stay as they are, so nothing else in the file has to move. The weights of the operators
that are cut stay behind unread. The same model always gives the same bytes.

Field numbers: tensorflow/lite/schema/schema.fbs, file identifier TFL3.
"""

from collections.abc import Iterator
from struct import pack_into

from flatbuffers.number_types import Int32Flags
from flatbuffers.table import Table
from flatbuffers.util import BufferHasIdentifier

from firmware_app.errors import BadInput

_MODEL_SUBGRAPHS = 2
_GRAPH_TENSORS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 0, 2, 3
_OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 1, 2
_TENSOR_NAME = 3


def prune(model: bytes, output: str) -> bytes:
    """Return the model without the output of that name; raise BadInput when it has none."""
    if not BufferHasIdentifier(model, 0, b"TFL3"):
        raise BadInput("this is not a TFLite model: its bytes 4 to 8 do not read TFL3")
    pruned = bytearray(model)
    root = Table(pruned, int.from_bytes(pruned[:4], "little"))
    graph = next(_tables(root, _MODEL_SUBGRAPHS))
    names = [_text(tensor, _TENSOR_NAME) for tensor in _tables(graph, _GRAPH_TENSORS)]
    kept = [tensor for tensor in _integers(graph, _GRAPH_OUTPUTS) if names[tensor] != output]
    if len(kept) == _length(graph, _GRAPH_OUTPUTS):
        raise BadInput(f"the model has no output {output}")

    needed = set(kept)
    operators = []
    for operator in reversed(list(_tables(graph, _GRAPH_OPERATORS))):
        if needed.intersection(_integers(operator, _OPERATOR_OUTPUTS)):
            needed.update(_integers(operator, _OPERATOR_INPUTS))
            operators.append(operator.Pos)
    _shorten(graph, _GRAPH_OUTPUTS, kept)
    start = _start(graph, _GRAPH_OPERATORS)
    _shorten(
        graph,
        _GRAPH_OPERATORS,  # an entry is the distance from itself to its table
        [at - (start + 4 * i) for i, at in enumerate(reversed(operators))],
    )
    return bytes(pruned)


def _field(table: Table, number: int) -> int:
    offset: int = table.Offset(4 + 2 * number)
    if not offset:
        raise BadInput(f"the model lacks field {number} of a table")
    return offset


def _length(table: Table, number: int) -> int:
    return int(table.VectorLen(_field(table, number)))


def _start(table: Table, number: int) -> int:
    return int(table.Vector(_field(table, number)))


def _text(table: Table, number: int) -> str:
    return str(table.String(table.Pos + _field(table, number)).decode())


def _integers(table: Table, number: int) -> list[int]:
    start = _start(table, number)
    return [table.Get(Int32Flags, start + 4 * i) for i in range(_length(table, number))]


def _tables(table: Table, number: int) -> Iterator[Table]:
    start = _start(table, number)
    for i in range(_length(table, number)):
        yield Table(table.Bytes, table.Indirect(start + 4 * i))


def _shorten(table: Table, number: int, entries: list[int]) -> None:
    start = _start(table, number)
    pack_into(f"<{len(entries) + 1}i", table.Bytes, start - 4, len(entries), *entries)
