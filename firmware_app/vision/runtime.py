"""Runs a TFLite model; the one place that knows which runtime this Python has.

tflite-runtime up to Python 3.11, ai-edge-litert from 3.12: the same code under two names.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_app.errors import BadInput, MissingPart
from firmware_app.vision import pages

Tensor = NDArray[np.float32]
PACKAGE = "tflite-runtime" if sys.version_info < (3, 12) else "ai-edge-litert"
SPINS = PACKAGE == "tflite-runtime"
"""It burns a core while its second thread waits: with two threads on a busy box a look took ten
times as long (tflite-runtime 2.14)."""


class Network:
    """One model, ready to run. Not for two threads at once; run() lets other threads work."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        """Load a model; raise BadInput when the runtime cannot, MissingPart without a runtime."""
        try:
            interpreter = import_module(PACKAGE.replace("-", "_") + ".interpreter").Interpreter
        except ImportError as error:
            raise MissingPart(
                f"the pose runs on {PACKAGE}, which is not there ({error});"
                " installing bikebox brings it"
            ) from error
        self.runtime = f"{PACKAGE} {version(PACKAGE)}"
        self.threads = threads
        before = pages.private_memory()
        try:
            self._interpreter = interpreter(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise BadInput(
                f"{self.runtime} cannot read this pose model ({error});"
                " mend it with: bikebox models"
            ) from error
        pages.ask_for_large(before)
        self.input: NDArray[Any] = self._memory(self._interpreter.get_input_details()[0])[0]
        """[height, width, 3] to write to before run(): float32, or uint8 where the model takes
        a picture's bytes."""
        self._outputs: dict[tuple[int, ...], Tensor] = {
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

    def _memory(self, tensor: dict[str, Any]) -> NDArray[Any]:
        """Return the runtime's own memory of a tensor, which stays where it is.

        Only allocate_tensors() moves it, and we allocate once. The runtime's views are the same
        memory, but must be asked for anew around every run: a tenth of a millisecond a frame.
        """
        view = self._interpreter.tensor(tensor["index"])()
        numbers = np.ctypeslib.as_ctypes_type(view.dtype) * view.size
        memory: NDArray[Any] = np.ctypeslib.as_array(numbers.from_address(view.ctypes.data))
        return memory.reshape(view.shape)
