"""A TFLite model of a few hundred bytes with one output to keep and one to cut.

What is cut has weights of 16 bits, as the real models have.
"""

from flatbuffers import Builder

KEPT, CUT, CUT_SHAPE = (1, 4, 4, 1), "mask", (1, 16)
ADD, DEQUANTIZE, LOGISTIC, RESHAPE, TANH = 0, 6, 14, 22, 28
FLOAT, HALF, INTEGER = 0, 1, 2


def tiny_model():
    """Return the model: kept = logistic(input), mask = reshape(tanh(input) + weights)."""
    b = Builder(1024)
    sixteen = b.CreateByteVector(b"".join(n.to_bytes(4, "little") for n in CUT_SHAPE))
    weights = b.CreateByteVector(b"\x00\x3c" * 16)  # ones
    tensors = _vector(
        b,
        [
            _tensor(b, "input", KEPT, FLOAT, 0),
            _tensor(b, "kept", KEPT, FLOAT, 0),
            _tensor(b, "half way", KEPT, FLOAT, 0),
            _tensor(b, CUT, CUT_SHAPE, FLOAT, 0),
            _tensor(b, "shape", (2,), INTEGER, 1),
            _tensor(b, "weights", KEPT, HALF, 2),
            _tensor(b, "weights as numbers", KEPT, FLOAT, 0),
            _tensor(b, "sum", KEPT, FLOAT, 0),
        ],
    )
    operators = _vector(
        b,
        [
            _operator(b, 0, [0], [2]),
            _operator(b, 3, [5], [6]),
            _operator(b, 4, [2, 6], [7]),
            _operator(b, 1, [7, 4], [3]),
            _operator(b, 2, [0], [1]),
        ],
    )
    inputs, outputs = _integers(b, [0]), _integers(b, [3, 1])
    graph = _table(b, {0: tensors, 1: inputs, 2: outputs, 3: operators})
    codes = _vector(
        b, [_code(b, builtin) for builtin in (TANH, RESHAPE, LOGISTIC, DEQUANTIZE, ADD)]
    )
    buffers = _vector(b, [_table(b, {}), _table(b, {0: sixteen}), _table(b, {0: weights})])
    graphs = _vector(b, [graph])
    b.StartObject(5)
    b.PrependUint32Slot(0, 3, 0)
    for slot, offset in ((1, codes), (2, graphs), (4, buffers)):
        b.PrependUOffsetTRelativeSlot(slot, offset, 0)
    b.Finish(b.EndObject(), file_identifier=b"TFL3")
    return bytes(b.Output())


def _table(b, offsets):
    b.StartObject(5)
    for slot, offset in offsets.items():
        b.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return b.EndObject()


def _code(b, builtin):
    b.StartObject(4)
    b.PrependInt8Slot(0, builtin, 0)
    b.PrependInt32Slot(3, builtin, 0)
    return b.EndObject()


def _operator(b, code, inputs, outputs):
    inputs, outputs = _integers(b, inputs), _integers(b, outputs)
    b.StartObject(3)
    b.PrependUint32Slot(0, code, 0)
    b.PrependUOffsetTRelativeSlot(1, inputs, 0)
    b.PrependUOffsetTRelativeSlot(2, outputs, 0)
    return b.EndObject()


def _tensor(b, name, shape, kind, buffer):
    name, shape, quantization = b.CreateString(name), _integers(b, shape), _table(b, {})
    b.StartObject(5)
    b.PrependUOffsetTRelativeSlot(0, shape, 0)
    b.PrependInt8Slot(1, kind, 0)
    b.PrependUint32Slot(2, buffer, 0)
    b.PrependUOffsetTRelativeSlot(3, name, 0)
    b.PrependUOffsetTRelativeSlot(4, quantization, 0)
    return b.EndObject()


def _vector(b, offsets):
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()


def _integers(b, numbers):
    b.StartVector(4, len(numbers), 4)
    for number in reversed(numbers):
        b.PrependInt32(number)
    return b.EndVector()
