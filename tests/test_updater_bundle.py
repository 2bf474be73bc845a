"""A bundle is believed when it is signed, whole, for this box, and stays inside its folder."""

import ast
import base64
import hashlib
import io
import json
import re
import sys
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_app.errors import BadInput
from gateway.release.pack import pack
from gateway.updater.bundle import open_bundle, unpack
from gateway.updater.ed25519 import verify
from gateway.updater.manifest import BoxFacts, read_manifest, why_no_room, why_not
from gateway.updater.minisign import read_keys
from gateway.updater.outcome import MustMend, Refused

UPDATER = Path(__file__).parents[1] / "gateway/updater"
ABOUT = {
    "version": "26.12.0", "serial": 5, "arch": "x86_64", "python": "3.11",
    "expires": "2030-01-01T00:00:00+00:00", "self_test": ("bin/bikebox", "self-test"),
}  # fmt: skip
FACTS = BoxFacts("x86_64", "3.11", datetime(2026, 12, 1, tzinfo=UTC), 10**12, "26.11.0", 4, {})


class Signer:
    """minisign's format, written by other hands than the ones that read it."""

    def __init__(self, number=b"BIKEBOX1"):
        self.number = number
        self.secret = Ed25519PrivateKey.generate()

    def __call__(self, file, comment):
        return self.sign(file.read_bytes(), comment)

    def sign(self, message, comment):
        signed = self.secret.sign(hashlib.blake2b(message).digest())
        whole = self.secret.sign(signed + comment.encode())
        first = base64.b64encode(b"ED" + self.number + signed).decode()
        last = base64.b64encode(whole).decode()
        return f"untrusted comment: x\n{first}\ntrusted comment: {comment}\n{last}\n"

    def public(self, path):
        raw = b"Ed" + self.number + self.secret.public_key().public_bytes_raw()
        path.write_text(f"untrusted comment: x\n{base64.b64encode(raw).decode()}\n")


@pytest.fixture
def signer(tmp_path):
    signer = Signer()
    (tmp_path / "keys").mkdir()
    signer.public(tmp_path / "keys/present.pub")
    return signer


@pytest.fixture
def keys(signer, tmp_path):
    assert signer.number
    return read_keys(tmp_path / "keys")


@pytest.fixture
def tree(tmp_path):
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/bikebox").write_text("#!/bin/sh\n")
    (tree / "bin/bikebox").chmod(0o755)
    (tree / "data.txt").write_text("data" * 1000)
    return tree


def forge(signer, path, members, **more):
    """A signed bundle whose payload holds what our own packer never would."""
    payload = io.BytesIO()
    with tarfile.open(fileobj=payload, mode="w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    told = {
        "schema": "bikebox.release/1", "product": "bikebox", **ABOUT,
        "payload_sha256": hashlib.sha256(payload.getvalue()).hexdigest(),
        "payload_bytes": len(payload.getvalue()), "unpacked_bytes": 1000, "files": 3, **more,
    }  # fmt: skip
    text = json.dumps(told).encode()
    with tarfile.open(path, "w") as tar:
        for name, content in (
            ("manifest.json", text),
            ("manifest.json.minisig", signer.sign(text, "forged").encode()),
            ("payload.tar.gz", payload.getvalue()),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_what_was_packed_comes_out_the_same_and_packing_twice_gives_the_same_bits(
    tree, signer, keys, tmp_path
):
    first, second = tmp_path / "first.bundle", tmp_path / "second.bundle"
    pack(tree, first, signer, **ABOUT)
    (tree / "data.txt").touch()
    (tree / "data.txt").chmod(0o600)
    pack(tree, second, signer, **ABOUT)
    assert first.read_bytes() == second.read_bytes()
    out = tmp_path / "out"
    out.mkdir()
    unpack(open_bundle(first, keys), out)
    assert (out / "data.txt").read_text() == "data" * 1000
    assert oct((out / "bin/bikebox").stat().st_mode & 0o777) == "0o755"
    assert oct((out / "data.txt").stat().st_mode & 0o777) == "0o644"


def test_every_changed_byte_and_every_cut_is_refused(tree, signer, keys, tmp_path):
    good, bad = tmp_path / "good.bundle", tmp_path / "bad.bundle"
    pack(tree, good, signer, **ABOUT)
    whole = good.read_bytes()
    content_ends = len(whole.rstrip(b"\0"))

    def tried(changed):
        bad.write_bytes(changed)
        try:
            opened = open_bundle(bad, keys)
        except Refused:
            return None
        return opened.manifest, opened.manifest_text

    right = tried(whole)
    assert right is not None
    for at in range(0, content_ends, 7):
        changed = bytearray(whole)
        changed[at] ^= 0x20
        assert tried(bytes(changed)) in (None, right), (
            at
        )  # a tar's owner and padding decide nothing
    for end in range(0, content_ends, 97):
        assert tried(whole[:end]) is None, end


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("../outside"),
        tarfile.TarInfo("/outside"),
        tarfile.TarInfo("bin/../../outside"),
        *(tarfile.TarInfo(f"kind-{kind!r}") for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE)),
        *(tarfile.TarInfo(f"kind-{kind!r}") for kind in (tarfile.CHRTYPE, tarfile.FIFOTYPE)),
    ],
    ids=lambda member: member.name,
)
def test_nothing_of_a_signed_payload_reaches_outside_its_folder(member, signer, keys, tmp_path):
    kinds = {"b'2'": tarfile.SYMTYPE, "b'1'": tarfile.LNKTYPE, "b'3'": tarfile.CHRTYPE,
             "b'6'": tarfile.FIFOTYPE}  # fmt: skip
    if member.name.startswith("kind-"):
        member.type, member.linkname = kinds[member.name[5:]], "../outside"
    bundle = open_bundle(forge(signer, tmp_path / "x.bundle", [(member, b"")]), keys)
    out = tmp_path / "deep/out"
    out.mkdir(parents=True)
    with pytest.raises(Refused, match="reach outside"):
        unpack(bundle, out)
    assert not list(out.iterdir())
    assert not (tmp_path / "deep/outside").exists()


def test_a_payload_larger_than_was_signed_is_not_unpacked(signer, keys, tmp_path):
    big = forge(signer, tmp_path / "x.bundle", [(tarfile.TarInfo("big"), b"0" * 1001)])
    (tmp_path / "out").mkdir()
    with pytest.raises(Refused, match="more than its manifest says"):
        unpack(open_bundle(big, keys), tmp_path / "out")


def test_another_key_is_refused_and_the_next_key_is_believed(tree, signer, tmp_path):
    next_one, stranger = Signer(b"BIKEBOX2"), Signer(b"STRANGER")
    next_one.public(tmp_path / "keys/next.pub")
    known = read_keys(tmp_path / "keys")
    pack(tree, tmp_path / "next.bundle", next_one, **ABOUT)
    assert open_bundle(tmp_path / "next.bundle", known).manifest.version == "26.12.0"
    pack(tree, tmp_path / "strange.bundle", stranger, **ABOUT)
    with pytest.raises(Refused, match="does not know .it knows next, present"):
        open_bundle(tmp_path / "strange.bundle", known)
    liar = Signer(signer.number)  # the number of a known key, and another key
    pack(tree, tmp_path / "liar.bundle", liar, **ABOUT)
    with pytest.raises(Refused, match="not what was signed"):
        open_bundle(tmp_path / "liar.bundle", known)


def test_a_box_without_keys_or_with_a_broken_one_says_what_to_do(tmp_path):
    with pytest.raises(MustMend, match="provision"):
        read_keys(tmp_path)
    (tmp_path / "present.pub").write_text("untrusted comment: x\nnonsense\n")
    with pytest.raises(MustMend, match="copy it anew"):
        read_keys(tmp_path)


@settings(max_examples=25, deadline=None)
@given(message=st.binary(max_size=200), at=st.integers(0, 63), bit=st.integers(0, 7))
def test_signatures_are_judged_as_the_library_that_made_them_judges(message, at, bit):
    secret = Ed25519PrivateKey.generate()
    public, signature = secret.public_key().public_bytes_raw(), secret.sign(message)
    assert verify(public, message, signature)
    broken = bytearray(signature)
    broken[at] ^= 1 << bit
    assert not verify(public, message, bytes(broken))
    assert not verify(public, message + b"x", signature)


def test_a_signature_with_an_order_too_large_is_no_second_one():
    """RFC 8032 asks for it: else anybody could make a second signature of the same message."""
    secret = Ed25519PrivateKey.generate()
    public, signature = secret.public_key().public_bytes_raw(), secret.sign(b"x")
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little") + order
    assert not verify(public, b"x", signature[:32] + s.to_bytes(32, "little"))


def manifest(**more):
    told = {
        "schema": "bikebox.release/1", "product": "bikebox", **ABOUT, "payload_sha256": "aa",
        "payload_bytes": 1, "unpacked_bytes": 10**9, "files": 1, **more,
    }  # fmt: skip
    return read_manifest(json.dumps(told).encode())


@pytest.mark.parametrize(
    ("more", "facts", "why"),
    [
        ({"arch": "aarch64"}, {}, "for aarch64"),
        ({"python": "3.13"}, {}, "this box is x86_64 with Python 3.11"),
        ({"min_updater": 99}, {}, "needs updater 99"),
        ({"expires": "2026-11-30T00:00:00+00:00"}, {}, "expired on 2026-11-30"),
        ({"serial": 4}, {}, "a downgrade"),
        ({}, {"bad": {"aa": "the camera was lost"}}, "the camera was lost; --force"),
    ],
)
def test_a_release_that_does_not_fit_this_box_is_told_why_and_what_to_do(more, facts, why):
    said = why_not(manifest(**more), replace(FACTS, **facts))
    assert re.search(why, said), said
    forced = why_not(manifest(**more), replace(FACTS, **facts), force=True)
    assert bool(forced) == ("downgrade" not in said and "--force" not in said)


def test_a_release_needs_room_for_itself_and_for_rides():
    assert why_no_room(manifest(), 1_300_000_001) == ""
    assert "1300 MB and 1299 MB are free" in why_no_room(manifest(), 1_299_999_999)


@pytest.mark.parametrize(
    "text", [b"{}", b"[]", b"nonsense", b'{"schema": 1}', b'"\\ud800"', b"null"]
)
def test_a_manifest_that_is_none_is_refused(text):
    with pytest.raises(Refused):
        read_manifest(text)


@pytest.mark.parametrize("version", ["../x", ".hidden", "", "a/b", "x" * 65, "a\nb"])
def test_a_version_is_the_name_of_a_folder_and_no_way_out_of_it(version):
    with pytest.raises(Refused, match="cannot be the name"):
        manifest(version=version)


def test_a_link_in_a_release_is_not_packed(tree, signer, tmp_path):
    (tree / "link").symlink_to("/etc/passwd")
    with pytest.raises(BadInput, match="files and folders only"):
        pack(tree, tmp_path / "x.bundle", signer, **ABOUT)


def test_the_updater_needs_the_standard_library_of_debian_twelve_only():
    allowed = sys.stdlib_module_names | {"gateway"}
    for path in UPDATER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 11))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in allowed, f"{path.name} imports {name}"
                if name.startswith("gateway"):
                    assert name.startswith("gateway.updater"), f"{path.name} imports {name}"
