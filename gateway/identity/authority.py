"""Signs certificates: a root that lies in a drawer, an issuer in the studio, one for each box.

The root signs the issuer once and is then taken away; the issuer signs boxes and the list of those
that are no longer trusted. Every key is P-256. A box cannot name itself: of what it sends, only the
public key goes into its certificate.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from firmware_app.errors import BadInput

BACKDATED = timedelta(hours=24)
"""A box without a battery clock may live in yesterday: a certificate is valid there already."""
ROOT_DAYS = 7300
ISSUER_DAYS = 3650
"""As long as a bike lives; also the broker's and the studio's, which nobody renews by himself."""

Key = ec.EllipticCurvePrivateKey


class Issuer(NamedTuple):
    """Who signs."""

    certificate: x509.Certificate
    key: Key


class Wanted(NamedTuple):
    """What a certificate is to say."""

    name: str
    """Its common name: who the holder is to the broker's access list."""
    days: float
    hosts: tuple[str, ...] = ()
    """Names and addresses it may serve under; empty: it serves nobody."""
    client: bool = True


def new_key() -> Key:
    """Make a key."""
    return ec.generate_private_key(ec.SECP256R1())


def make_root(gym: str, now: datetime) -> Issuer:
    """Make the authority that everything hangs on; its key belongs in a drawer."""
    key = new_key()
    name = _subject(f"{gym} Bikebox root".strip())
    built = _authority(name, name, key.public_key(), now, ROOT_DAYS, 1)
    return Issuer(built.sign(key, hashes.SHA256()), key)


def make_issuer(gym: str, root: Issuer, now: datetime) -> Issuer:
    """Make the authority that signs boxes day by day."""
    key = new_key()
    name = _subject(f"{gym} Bikebox issuer".strip())
    built = _authority(name, root.certificate.subject, key.public_key(), now, ISSUER_DAYS, 0)
    return Issuer(_by(root, built).sign(root.key, hashes.SHA256()), key)


def issue(
    wanted: Wanted, key: ec.EllipticCurvePublicKey, issuer: Issuer, now: datetime
) -> x509.Certificate:
    """Sign a certificate; it never outlives its issuer."""
    ends = min(now + timedelta(days=wanted.days), issuer.certificate.not_valid_after_utc)
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH] if wanted.client else []
    uses += [ExtendedKeyUsageOID.SERVER_AUTH] if wanted.hosts else []
    built = (
        x509.CertificateBuilder()
        .subject_name(_subject(wanted.name))
        .issuer_name(issuer.certificate.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    if wanted.hosts:
        names = x509.SubjectAlternativeName([_host(host) for host in wanted.hosts])
        built = built.add_extension(names, critical=False)
    return _by(issuer, built).sign(issuer.key, hashes.SHA256())


def revocation_list(
    revoked: Iterable[tuple[int, datetime]], issuer: Issuer, now: datetime
) -> x509.CertificateRevocationList:
    """Sign the list of serial numbers that are no longer trusted.

    It is good as long as the issuer: a broker whose list has run out refuses every box of the gym.
    """
    built = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - BACKDATED)
        .next_update(issuer.certificate.not_valid_after_utc)
    )
    for serial, when in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when)
        built = built.add_revoked_certificate(entry.build())
    return built.sign(issuer.key, hashes.SHA256())


def request(key: Key) -> bytes:
    """Return a certificate request (PEM) for a key: proof that its holder has the private half."""
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def read_request(pem: str) -> ec.EllipticCurvePublicKey:
    """Return the key of a request; raise BadInput when its sender does not hold a P-256 key."""
    try:
        asked = x509.load_pem_x509_csr(pem.encode())
        signed = asked.is_signature_valid
        key = asked.public_key()
    except Exception as error:  # the parser's many names for "no"
        raise BadInput(f"not a certificate request: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise BadInput("a certificate request for something else than a P-256 key")
    if not signed:
        raise BadInput("a certificate request whose sender does not hold its key")
    return key


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """Name a public key: SHA-256 of its SubjectPublicKeyInfo, in hex."""
    digest = hashes.Hash(hashes.SHA256())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    digest.update(key.public_bytes(serialization.Encoding.DER, form))
    return digest.finalize().hex()


def check_chain(leaf: x509.Certificate, chain: Sequence[x509.Certificate]) -> None:
    """Raise BadInput unless each certificate is signed by the next, and the last by itself."""
    for signed, signer in zip((leaf, *chain), (*chain, chain[-1]), strict=True):
        try:
            signed.verify_directly_issued_by(signer)
        except (InvalidSignature, ValueError, TypeError) as error:
            whose = signed.subject.rfc4514_string()
            by = signer.subject.rfc4514_string()
            raise BadInput(f"the certificate of {whose} is not signed by {by}") from error


def pem(*certificates: x509.Certificate) -> str:
    """Write certificates one after the other."""
    return "".join(
        certificate.public_bytes(serialization.Encoding.PEM).decode()
        for certificate in certificates
    )


def common_name(certificate: x509.Certificate) -> str:
    """Return who the holder is."""
    (found,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found.value)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _authority(  # noqa: PLR0913, PLR0917 - all that a certificate says
    name: x509.Name,
    by: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
    path_length: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _by(issuer: Issuer, built: x509.CertificateBuilder) -> x509.CertificateBuilder:
    """Say whose key signs it."""
    key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    return built.add_extension(key, critical=False)


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
