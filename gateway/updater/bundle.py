"""Opens a bundle: a tar of manifest, signature and payload, in this order, and nothing else.

Nothing of it is believed before its signature is, and nothing of the payload is unpacked before its
SHA-256 is the signed one. The payload is read where it lies, so that a card is written only once.
"""

import hashlib
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from gateway.updater.manifest import FULL, Manifest, read_manifest
from gateway.updater.minisign import Key, check
from gateway.updater.outcome import Refused

MEMBERS = ("manifest.json", "manifest.json.minisig", "payload.tar.gz")
LONGEST_HEAD_BYTES = 1_000_000
"""Of manifest and signature each; more is not one of ours."""
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Bundle:
    """A bundle whose manifest is signed and whose payload is what was signed."""

    path: Path
    manifest: Manifest
    manifest_text: bytes
    signature: str
    payload_at: int
    """Where in the file the payload begins."""


def open_bundle(path: Path, keys: list[Key]) -> Bundle:
    """Check a bundle's signature and payload; raise Refused, saying what is wrong with it."""
    try:
        with path.open("rb") as file:
            return _open(path, file, keys)
    except FileNotFoundError as error:
        raise Refused(f"{path}: not there; was it uploaded?") from error
    except (OSError, tarfile.TarError, EOFError) as error:
        raise Refused(
            f"{path.name} is no bundle, or cut short ({error}); upload it anew"
        ) from error
    except Refused as error:
        raise Refused(f"{path.name}: {error}") from error


def _open(path: Path, file: BinaryIO, keys: list[Key]) -> Bundle:
    with tarfile.open(fileobj=file, mode="r:") as tar:
        text = _head(tar, MEMBERS[0])
        signature = _head(tar, MEMBERS[1]).decode("ascii", "replace")
        check(text, signature, keys)
        manifest = read_manifest(text)
        member = _member(tar, MEMBERS[2])
    if member.size != manifest.payload_bytes:
        raise Refused(f"its payload has {member.size} of {manifest.payload_bytes} bytes")
    if _sha256(file, member.offset_data, member.size) != manifest.payload_sha256:
        raise Refused("its payload is not what was signed: damaged, or tampered with")
    return Bundle(path, manifest, text, signature, member.offset_data)


def _head(tar: tarfile.TarFile, name: str) -> bytes:
    member = _member(tar, name)
    if member.size > LONGEST_HEAD_BYTES:
        raise Refused(f"its {name} has {member.size} bytes; that is not one of ours")
    file = tar.extractfile(member)
    text = b"" if file is None else file.read()
    if len(text) != member.size:
        raise Refused(f"it is cut short in {name}; upload it anew")
    return text


def _member(tar: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    member = tar.next()
    if member is None or member.name != name or not member.isreg():
        seen = "nothing" if member is None else repr(member.name)
        raise Refused(f"it has {seen} where {name} belongs; upload or build it anew")
    return member


def _sha256(file: BinaryIO, at: int, size: int) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(file, at, size):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(file: BinaryIO, at: int, size: int) -> Iterator[bytes]:
    file.seek(at)
    while size > 0:
        chunk = file.read(min(size, CHUNK_BYTES))
        if not chunk:
            raise Refused("it is cut short in the payload; upload it anew")
        size -= len(chunk)
        yield chunk


class _Payload:
    """The payload as a stream, hashed as it is read: the file may change under our hands."""

    def __init__(self, file: BinaryIO, bundle: Bundle) -> None:
        self._chunks = _chunks(file, bundle.payload_at, bundle.manifest.payload_bytes)
        self._inflate = zlib.decompressobj(wbits=31)
        self._rest = b""
        self.sha256 = hashlib.sha256()

    def read(self, size: int) -> bytes:
        while len(self._rest) < size:
            packed = next(self._chunks, b"")
            if not packed:
                break
            self.sha256.update(packed)
            self._rest += self._inflate.decompress(packed)
        told, self._rest = self._rest[:size], self._rest[size:]
        return told

    def drain(self) -> None:
        for packed in self._chunks:
            self.sha256.update(packed)


def unpack(bundle: Bundle, to: Path) -> None:
    """Unpack the payload into a new folder; raise Refused when anything would land outside it.

    Only files and folders with plain modes, as many and as large as was signed: no links, no
    devices, no owner. (tarfile's own data filter is not in the Python that Debian 12 has.)
    """
    manifest = bundle.manifest
    left_bytes, left_files = manifest.unpacked_bytes, manifest.files
    with bundle.path.open("rb") as file:
        payload = _Payload(file, bundle)
        try:
            with tarfile.open(fileobj=payload, mode="r|") as tar:  # type: ignore[call-overload] # it only reads
                for member in tar:
                    place = to / _inside(member)
                    if member.isdir():
                        place.mkdir(mode=0o755, parents=True, exist_ok=True)
                        continue
                    left_bytes, left_files = left_bytes - member.size, left_files - 1
                    if left_bytes < 0 or left_files < 0:
                        raise Refused("it holds more than its manifest says")
                    _write(tar, member, place)
        except (tarfile.TarError, EOFError, zlib.error, FileExistsError) as error:
            raise Refused(f"its payload cannot be unpacked ({error}); build it anew") from error
        except OSError as error:
            raise Refused(f"the card does not take it ({error}); {FULL}") from error
        payload.drain()
    if payload.sha256.hexdigest() != manifest.payload_sha256:
        raise Refused("it was changed while it was unpacked")


def _inside(member: tarfile.TarInfo) -> PurePosixPath:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or not (member.isreg() or member.isdir()):
        raise Refused(f"it holds {member.name!r}, which would reach outside the release")
    return name


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    mode = 0o755 if member.mode & stat.S_IXUSR else 0o644
    source = tar.extractfile(member)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        while source is not None and (chunk := source.read(CHUNK_BYTES)):
            file.write(chunk)
        os.fchmod(descriptor, mode)
