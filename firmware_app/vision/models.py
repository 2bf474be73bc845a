"""Which pose models there are, where they come from, and what makes a file the right one.

They are Google's BlazePose models, Apache-2.0, as MediaPipe's packages ship them. The landmark
models lose their segmentation output, which MediaPipe computes for every frame and the coach never
asks for: the same landmarks to the last bit for a third (lite) to a seventh (heavy) less work. And
they take the picture's bytes themselves, which nobody else then has to turn into numbers.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from firmware_app.errors import BadInput, MissingPart
from firmware_app.settings import checkout_cache, load_settings, settings_path

MEDIAPIPE_WHEEL = "mediapipe==0.10.18"
MEDIAPIPE_NPM = "@mediapipe/pose@0.5.1675469404"
SEGMENTATION = "Identity_2"
"""The output of the landmark models that is cut."""
BYTE = 1 / 255
"""What a step of a byte is worth to them: 0 to 1 is black to white."""
WITHOUT_SETTINGS = checkout_cache("models")

ModelName = Literal["lite", "full", "heavy"]


@dataclass(frozen=True)
class Model:
    """One model file: as its package ships it, and as the box uses it."""

    package: str
    shipped: str
    """File name in the package."""
    shipped_sha256: str
    used: str
    """File name in the models' folder."""
    used_sha256: str

    @property
    def pruned(self) -> bool:
        """Whether the box uses less of it than is shipped."""
        return self.used_sha256 != self.shipped_sha256


DETECTOR = Model(
    MEDIAPIPE_WHEEL,
    "pose_detection.tflite",
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "pose_detection.tflite",
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
)
LANDMARKS: dict[ModelName, Model] = {
    "lite": Model(
        MEDIAPIPE_NPM,
        "pose_landmark_lite.tflite",
        "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
        "pose_landmark_lite_pruned.tflite",
        "ca88bcbda814e1729eda1b90a6d15dd34414632bef7851534642619dcd5ac51f",
    ),
    "full": Model(
        MEDIAPIPE_WHEEL,
        "pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        "pose_landmark_full_pruned.tflite",
        "3b436560006a060621d0f5355b90774afbb8dd66d5bab4fdc371a287a41b7e8f",
    ),
    "heavy": Model(
        MEDIAPIPE_NPM,
        "pose_landmark_heavy.tflite",
        "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
        "pose_landmark_heavy_pruned.tflite",
        "ae95e4f86f186a54c6979c08bb1c4bfc7b2a8dab7549a1fbde6454264c6af5d3",
    ),
}


def models_folder() -> Path:
    """Return the folder the settings name; without settings, what set-up fetched."""
    path = settings_path()
    return Path(load_settings(path).paths.models) if path.exists() else WITHOUT_SETTINGS


def sha256(path: Path) -> str:
    """Return the file's sha256 in hexadecimal; raise OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_model(folder: Path, model: Model) -> bytes:
    """Return a model that is known to be whole, for a runtime that trusts what it is given.

    Raise MissingPart when it is not there, BadInput when it is not the one we made.
    """
    path = folder / model.used
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingPart(
            f"no pose model at {path} ({error.strerror or error});"
            f" fetch it with: bikebox models --to {folder}"
        ) from error
    if (seen := hashlib.sha256(content).hexdigest()) != model.used_sha256:
        raise BadInput(
            f"{path} is damaged: {len(content)} bytes with sha256 {seen[:12]}..., not"
            f" {model.used_sha256[:12]}...; mend it with: bikebox models --to {folder}"
        )
    return content
