"""Packs a folder as a bundle: manifest, minisign signature, payload; the same bits every time."""

import hashlib
import json
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from firmware_app.errors import BadInput, MissingPart
from gateway.updater.bundle import MEMBERS
from gateway.updater.manifest import PRODUCT, SCHEMA, Manifest

LEVEL = 6
"""Of gzip: 9 takes four times as long for one per cent."""


class Signer(Protocol):
    """Signs a file; returns minisign's signature as text."""

    def __call__(self, file: Path, comment: str) -> str:
        """Sign it, with a comment that is signed too."""
        ...


def minisign(key: Path) -> Signer:
    """Return a signer that asks Debian's minisign, which asks for the key's password."""
    program = shutil.which("minisign")
    if program is None:
        raise MissingPart("no minisign here to sign with: apt install minisign")
    if not key.is_file():
        raise BadInput(f"{key}: no secret key there; `minisign -G -s {key}` makes one")

    def sign(file: Path, comment: str) -> str:
        signature = file.with_suffix(".minisig")
        words: list[str | Path] = [program, "-S", "-s", key, "-m", file, "-x", signature]
        words += ["-t", comment, "-c", "signature of a bikebox release"]
        done = subprocess.run(words, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 - minisign
        if done.returncode:
            raise BadInput(f"minisign does not sign with {key}; the reason is above")
        return signature.read_text(encoding="ascii")

    return sign


def pack(  # noqa: PLR0913 - what a manifest says
    folder: Path,
    out: Path,
    sign: Signer,
    *,
    version: str,
    serial: int,
    arch: str,
    python: str,
    expires: str,
    self_test: tuple[str, ...],
    sbom_sha256: str = "",
) -> Manifest:
    """Write a bundle of all files of a folder to out, and return its manifest."""
    with TemporaryDirectory(prefix="bikebox-pack-", dir=out.parent) as scratch:
        payload = Path(scratch) / MEMBERS[2]
        files, unpacked = _write_payload(folder, payload)
        manifest = Manifest(
            schema=SCHEMA,
            product=PRODUCT,
            version=version,
            serial=serial,
            arch=arch,
            python=python,
            expires=expires,
            payload_sha256=_sha256(payload),
            payload_bytes=payload.stat().st_size,
            unpacked_bytes=unpacked,
            files=files,
            self_test=self_test,
            sbom_sha256=sbom_sha256,
        )
        text = Path(scratch) / MEMBERS[0]
        text.write_text(json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n", "utf-8")
        comment = f"{PRODUCT} {version} serial {serial} {arch} python {python}"
        signature = sign(text, comment).encode("ascii")
        parts: tuple[Path | bytes, ...] = (text, signature, payload)
        aside = Path(scratch) / out.name
        with tarfile.open(aside, "w", format=tarfile.USTAR_FORMAT) as tar:
            for name, source in zip(MEMBERS, parts, strict=True):
                _add(tar, name, source)
        aside.replace(out)
    return manifest


def _write_payload(folder: Path, to: Path) -> tuple[int, int]:
    """Write the files of a folder as tar.gz; return how many and how large they are."""
    files = unpacked = 0
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    with to.open("wb") as out:

        class Deflated:
            def write(self, chunk: bytes) -> int:
                out.write(deflate.compress(chunk))
                return len(chunk)

        with tarfile.open(fileobj=Deflated(), mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload] # it only writes
            for path in _files(folder):
                _add(tar, str(path.relative_to(folder)), path)
                files, unpacked = files + 1, unpacked + path.stat().st_size
        out.write(deflate.flush())
    return files, unpacked


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise BadInput(f"{path}: a release holds files and folders only")
        if path.is_file():
            yield path


def _add(tar: tarfile.TarFile, name: str, source: Path | bytes) -> None:
    """Add a file without what would differ on another day or machine: owner, time, umask."""
    member = tarfile.TarInfo(name)
    if isinstance(source, bytes):
        member.size, member.mode = len(source), 0o644
        tar.addfile(member, BytesIO(source))
        return
    member.size = source.stat().st_size
    member.mode = 0o755 if source.stat().st_mode & 0o100 else 0o644
    with source.open("rb") as file:
        tar.addfile(member, file)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
