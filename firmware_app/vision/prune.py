"""Cuts an output nobody reads out of a TFLite model, and lets it take a picture's bytes.

A model is a flatbuffer, and its lists may be shortened where they stand: the numbers of tensors
and buffers stay as they are, so nothing else in the file has to move. The weights of the operators
that are cut stay behind unread. One of these operators, which made numbers of 32 bits of weights of
16, is put to the front to make them of the picture's bytes. The same model always gives the same
bytes.

Field numbers: tensorflow/lite/schema/schema.fbs, file identifier TFL3.
"""

from collections.abc import Iterator
from struct import pack, pack_into

from flatbuffers.number_types import Int8Flags, Int32Flags, Uint32Flags
from flatbuffers.table import Table
from flatbuffers.util import BufferHasIdentifier

from firmware_app.errors import BadInput

_MODEL_CODES, _MODEL_SUBGRAPHS = 1, 2
_CODE_BUILTIN = 0
_GRAPH_TENSORS, _GRAPH_INPUTS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 0, 1, 2, 3
_OPERATOR_CODE, _OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 0, 1, 2
_TENSOR_SHAPE, _TENSOR_TYPE, _TENSOR_BUFFER, _TENSOR_NAME, _TENSOR_QUANTIZATION = range(5)
_DEQUANTIZE = 6
_UINT8 = 3
_NO_BUFFER = 0


def prune(model: bytes, output: str, byte: float | None = None) -> bytes:
    """Return the model without the output of that name.

    With byte its input is one of bytes, each worth that much, instead of numbers. Raise BadInput
    when there is no such output, or nothing is cut with which to take bytes.
    """
    if not BufferHasIdentifier(model, 0, b"TFL3"):
        raise BadInput("this is not a TFLite model: its bytes 4 to 8 do not read TFL3")
    pruned = bytearray(model)
    root = Table(pruned, int.from_bytes(pruned[:4], "little"))
    graph = next(_tables(root, _MODEL_SUBGRAPHS))
    names = [_text(tensor, _TENSOR_NAME) for tensor in _tables(graph, _GRAPH_TENSORS)]
    kept = [tensor for tensor in _integers(graph, _GRAPH_OUTPUTS) if names[tensor] != output]
    if len(kept) == _length(graph, _GRAPH_OUTPUTS):
        raise BadInput(f"the model has no output {output}")

    codes = [_builtin(code) for code in _tables(root, _MODEL_CODES)]
    ranks = [_length(tensor, _TENSOR_SHAPE) for tensor in _tables(graph, _GRAPH_TENSORS)]
    (input_,) = _integers(graph, _GRAPH_INPUTS)
    needed = set(kept)
    operators = []
    spare: Table | None = None
    for operator in reversed(list(_tables(graph, _GRAPH_OPERATORS))):
        inputs = _integers(operator, _OPERATOR_INPUTS)
        if needed.intersection(_integers(operator, _OPERATOR_OUTPUTS)):
            needed.update(inputs)
            operators.append(operator.Pos)
        elif codes[_code(operator)] == _DEQUANTIZE and ranks[inputs[0]] == ranks[input_]:
            spare = operator
    if byte is not None:
        if spare is None:
            raise BadInput("nothing is cut from the model that could turn bytes into numbers")
        _take_bytes(graph, spare, byte)
        operators.append(spare.Pos)
    _shorten(graph, _GRAPH_OUTPUTS, kept)
    start = _start(graph, _GRAPH_OPERATORS)
    _shorten(
        graph,
        _GRAPH_OPERATORS,  # an entry is the distance from itself to its table
        [at - (start + 4 * i) for i, at in enumerate(reversed(operators))],
    )
    return bytes(pruned)


def _take_bytes(graph: Table, spare: Table, byte: float) -> None:
    """Make the spare operator's tensor the model's input, and its result what was the input."""
    file: bytearray = graph.Bytes
    (numbers,), (halves,) = _integers(graph, _GRAPH_INPUTS), _integers(spare, _OPERATOR_INPUTS)
    tensors = list(_tables(graph, _GRAPH_TENSORS))
    tensor = tensors[halves]
    _shorten(tensor, _TENSOR_SHAPE, _integers(tensors[numbers], _TENSOR_SHAPE))
    pack_into("<b", file, tensor.Pos + _field(tensor, _TENSOR_TYPE), _UINT8)
    pack_into("<I", file, tensor.Pos + _field(tensor, _TENSOR_BUFFER), _NO_BUFFER)
    _shorten(spare, _OPERATOR_OUTPUTS, [numbers])
    _shorten(graph, _GRAPH_INPUTS, [halves])
    # QuantizationParameters at the file's end: its fields' places, of them min and max left out;
    # the table; scale [byte]; zero_point [0], whose number must stand at a multiple of 8
    file.extend(bytes(-len(file) % 8))
    quantization = len(file) + 12
    file.extend(pack("<6HiIIIf4xIq", 12, 12, 0, 0, 4, 8, 12, 8, 16, 1, byte, 1, 0))
    entry = tensor.Pos + _field(tensor, _TENSOR_QUANTIZATION)
    pack_into("<I", file, entry, quantization - entry)


def _builtin(code: Table) -> int:
    at = code.Offset(4 + 2 * _CODE_BUILTIN)
    return int(code.Get(Int8Flags, code.Pos + at)) if at else 0


def _code(operator: Table) -> int:
    at = operator.Offset(4 + 2 * _OPERATOR_CODE)
    return int(operator.Get(Uint32Flags, operator.Pos + at)) if at else 0


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
