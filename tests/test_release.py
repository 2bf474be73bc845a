"""What is told of a release: its parts, each once, and a number that rises."""

import json

import pytest

from firmware_app.errors import BadInput
from gateway.commands.release import serial_of
from gateway.release.sbom import sbom


def package(folder, name, version, licence):
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\n"
                                   f"Version: {version}\n{licence}\n\nWords.\n")  # fmt: skip


def test_the_sbom_names_every_package_of_box_and_voice_once_and_every_model(tmp_path):
    package(tmp_path / "lib", "numpy", "1.26.4", "License: BSD")
    package(tmp_path / "lib", "Flat_Buffers", "25.1", "License-Expression: Apache-2.0")
    package(tmp_path / "lib", "bikebox", "26.11.0", "License: Apache-2.0")
    package(tmp_path / "speech/lib", "numpy", "2.4.6", "License: BSD")
    package(tmp_path / "speech/lib", "Flat_Buffers", "25.1", "License-Expression: Apache-2.0")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/pose.tflite").write_bytes(b"model")
    told = json.loads(sbom(tmp_path, "26.11.0"))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.5")
    names = sorted(part["bom-ref"] for part in told["components"])
    assert names == [
        "file:pose.tflite", "pkg:pypi/flat-buffers@25.1", "pkg:pypi/numpy@1.26.4",
        "pkg:pypi/numpy@2.4.6",
    ]  # fmt: skip
    assert all(part.get("licenses") for part in told["components"] if part["type"] == "library")
    assert told["metadata"]["component"]["version"] == "26.11.0"


def test_the_serial_rises_with_year_month_and_count_and_never_guesses():
    assert serial_of("26.11.0") < serial_of("26.11.1") < serial_of("26.12.0") < serial_of("27.1.0")
    with pytest.raises(BadInput, match="--serial"):
        serial_of("26.11.0rc1")
