"""Runs a TFLite model; the one place that knows which runtime this Python has.

tflite-runtime up to Python 3.11, ai-edge-litert from 3.12: the same code under two names.
"""

import ctypes
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_app.errors import BadInput, MissingPart

Tensor = NDArray[np.float32]
_PACKAGES = {
    "tflite-runtime": "tflite_runtime.interpreter",
    "ai-edge-litert": "ai_edge_litert.interpreter",
}


class Network:
    """One model, ready to run. Not for two threads at once; run() lets other threads work."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        """Load a model; raise BadInput when the runtime cannot, MissingPart without a runtime."""
        name, interpreter = _runtime()
        self.runtime = f"{name} {version(name)}"
        self.threads = threads
        try:
            self._interpreter = interpreter(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise BadInput(
                f"{self.runtime} cannot read this pose model ({error});"
                " mend it with: bikebox models"
            ) from error
        self.input = self._memory(self._interpreter.get_input_details()[0])[0]
        """[height, width, 3] to write to before run()."""
        self._outputs = {
            tuple(output["shape"]): self._memory(output)
            for output in self._interpreter.get_output_details()
        }

    def run(self) -> None:
        """Compute the outputs from the input."""
        self._interpreter.invoke()

    def output(self, shape: Sequence[int]) -> Tensor:
        """Return the output of that shape, anew after each run(); raise BadInput without one."""
        try:
            return self._outputs[tuple(shape)]
        except KeyError:
            raise BadInput(
                f"this model has no output of shape {tuple(shape)}, only {list(self._outputs)};"
                " it is not a BlazePose model"
            ) from None

    def _memory(self, tensor: dict[str, Any]) -> Tensor:
        """Return the runtime's own memory of a tensor, which stays where it is.

        Only allocate_tensors() moves it, and we allocate once. The runtime's views are the same
        memory, but must be asked for anew around every run: a tenth of a millisecond a frame.
        """
        view = self._interpreter.tensor(tensor["index"])()
        floats = ctypes.c_float * view.size
        memory: Tensor = np.ctypeslib.as_array(floats.from_address(view.ctypes.data))
        return memory.reshape(view.shape)


def spins() -> bool:
    """Tell whether this Python's runtime burns a core while its second thread waits.

    tflite-runtime 2.14 does: with two threads on a busy box a look took ten times as long.
    """
    return _runtime()[0] == "tflite-runtime"


def _runtime() -> tuple[str, Any]:
    for name, module in _PACKAGES.items():
        try:
            return name, import_module(module).Interpreter
        except ImportError:
            continue
    raise MissingPart(f"none of {', '.join(_PACKAGES)} is installed; pip install bikebox brings it")
