"""Private keys on disk: written for their owner alone, read with words for what is wrong."""

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firmware_app.errors import BadInput, MissingPart
from gateway.identity.authority import Issuer, Key


def write_key(key: Key, path: Path, passphrase: bytes = b"") -> None:
    """Write a key that its owner alone may read, never over another; raise OSError."""
    how: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        how = serialization.BestAvailableEncryption(passphrase)
    form = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(serialization.Encoding.PEM, form, how)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> Key:
    """Read a key that is not under a passphrase; raise SetupError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise MissingPart(f"{path}: {error.strerror or error}; try as root") from error
    except (ValueError, TypeError) as error:
        raise BadInput(f"{path}: not a key that can be used ({error})") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadInput(f"{path}: not a P-256 key")
    return key


def read_authorities(path: Path) -> tuple[x509.Certificate, ...]:
    """Read the issuer and the root; raise BadInput."""
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: {error}; `bikebox studio ca init` makes it") from error


def read_issuer(ca_file: Path, key_file: Path) -> Issuer:
    """Read who signs; raise SetupError, also when the key is not the certificate's."""
    issuer = Issuer(read_authorities(ca_file)[0], read_key(key_file))
    if issuer.certificate.public_key() != issuer.key.public_key():
        raise BadInput(f"{key_file} is not the key of the first certificate in {ca_file}")
    return issuer
