"""The box's own key and certificates on disk: made here, changed all at once, never half.

    /etc/bikebox/identity/next-key.pem      the key that a certificate is being asked for
    /etc/bikebox/identity/3f2a.../          key, certificate and authorities that belong together
    /etc/bikebox/identity/current           -> one of these
    /etc/bikebox/identity/{key,cert,ca}.pem -> current/...

The key is made on the box, is read by its owner alone, and never leaves it. A power cut leaves the
old identity or the new one.
"""

import os
import shutil
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from firmware_app.errors import BadInput, MissingPart
from gateway.identity.authority import Key, check_chain, fingerprint, new_key, pem, request
from gateway.identity.keys import read_key, write_key

FILES = ("key.pem", "cert.pem", "ca.pem")
NAMELESS = "new"
"""A box's name until it is claimed; only such a one takes what is held to its camera."""
RENEWED_AT = 2 / 3
"""Of its life: the last third is for a box that is away, or a studio that is."""


class Device:
    """The folder of a box's identity."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cert_file = folder / "cert.pem"
        self.ca_file = folder / "ca.pem"

    @property
    def _next_key(self) -> Path:
        return self.folder / "next-key.pem"

    def ask(self) -> str:
        """Return a request (PEM) for a new key; the same again until it is answered.

        Raise MissingPart when the folder cannot be written.
        """
        try:
            if not self.folder.exists():
                self.folder.mkdir(parents=True)
                self.folder.chmod(0o755)
            if self._next_is_in_use():
                self._next_key.unlink()  # the power went before it could be
            if not self._next_key.exists():
                write_key(new_key(), self._next_key)
            return request(read_key(self._next_key)).decode()
        except OSError as error:
            raise MissingPart(f"{self.folder}: {error.strerror or error}; try as root") from error

    def certificate(self) -> x509.Certificate | None:
        """Return the certificate that is in use; raise BadInput when the file is none."""
        try:
            text = self.cert_file.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return x509.load_pem_x509_certificates(text)[0]
        except ValueError as error:
            raise BadInput(f"{self.cert_file}: not a certificate ({error})") from error

    def sign(self, text: str) -> str:
        """Sign with the key that is in use; return the signature in hex."""
        return (
            read_key(self.folder / "key.pem").sign(text.encode(), ec.ECDSA(hashes.SHA256())).hex()
        )

    def root(self) -> str:
        """Return the root (PEM) that this box was claimed under, and trusts for good."""
        return pem(x509.load_pem_x509_certificates(self.ca_file.read_bytes())[-1])

    def was_claimed_by(self, number: str) -> bool:
        """Tell whether this claim has given the certificate that is in use, or one before it."""
        try:
            return (self.folder / "claim").read_text(encoding="ascii").strip() == number
        except OSError:
            return False

    def remember_claim(self, number: str) -> None:
        """Remember the claim: who comes with it again has nothing to ask for."""
        _write(self.folder / "claim", number + "\n")

    def take(self, certificate: str, chain: str, box: str) -> x509.Certificate:
        """Put a certificate for the key that was asked for into use; raise BadInput.

        Refuses one for another key or of another box, or that its authorities did not sign.
        """
        try:
            made = x509.load_pem_x509_certificate(certificate.encode())
            authorities = x509.load_pem_x509_certificates(chain.encode())
            key = made.public_key()
        except ValueError as error:
            raise BadInput(f"the studio sent what is no certificate: {error}") from error
        asked = read_key(self._next_key)
        if not isinstance(key, ec.EllipticCurvePublicKey) or fingerprint(key) != fingerprint(
            asked.public_key()
        ):
            raise BadInput("the studio sent a certificate for another key")
        if made.subject.rfc4514_string() != f"CN={box}":
            raise BadInput(f"the studio sent the certificate of {made.subject.rfc4514_string()}")
        check_chain(made, authorities)
        self._flip(made, authorities, asked)
        return made

    def _next_is_in_use(self) -> bool:
        current = self.folder / "key.pem"
        here = self._next_key.exists() and current.exists()
        return here and self._next_key.read_bytes() == current.read_bytes()

    def _flip(self, made: x509.Certificate, authorities: list[x509.Certificate], key: Key) -> None:
        fresh = self.folder / f"{made.serial_number:x}"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        fresh.chmod(0o755)  # whatever the umask: the gateway reads the certificate, and not the key
        write_key(key, fresh / "key.pem")
        _write(fresh / "cert.pem", pem(made, *authorities[:-1]))
        _write(fresh / "ca.pem", pem(*authorities))
        _sync(fresh)
        for name in FILES:
            _link(self.folder / name, f"current/{name}")
        _link(self.folder / "current", fresh.name)
        _sync(self.folder)
        self._next_key.unlink()
        for old in self.folder.iterdir():
            if old.is_dir() and not old.is_symlink() and old != fresh:
                shutil.rmtree(old)  # a key that is not used any more is only there to be stolen


def is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether two thirds of its life are over."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= begins + (ends - begins) * RENEWED_AT


def standing(certificate: x509.Certificate, now: datetime) -> str:
    """Return "ok", or in words what is wrong with a certificate that was not renewed in time."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins:
        return f"not valid before {begins:%Y-%m-%d %H:%M} UTC: is this box's clock right?"
    if now >= ends:
        return f"ran out on {ends:%Y-%m-%d}; the box needs a new claim: bikebox provision"
    if now >= begins + (ends - begins) * (1 + RENEWED_AT) / 2:
        return f"runs out on {ends:%Y-%m-%d} and could not be renewed: journalctl -u renew-bikebox"
    return "ok"


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o644)


def _link(path: Path, target: str) -> None:
    """Point a link elsewhere, all at once."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
