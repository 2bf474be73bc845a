"""What becomes of a box that asks for a certificate: granted once, renewed, or refused and noted.

Whatever is refused is in the audit with where it came from. A question that is asked again because
its answer was lost gets the same answer.
"""

from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from firmware_app.errors import BadInput
from gateway.identity.authority import Issuer, Wanted, fingerprint, issue, pem, read_request
from gateway.identity.claim import Asked, Code, RenewalAsked, Sealed, is_genuine
from gateway.studio.register import Register, Standing, write_utc
from gateway.topics import unpack

WRONG_SEALS = 5
"""A claim that was tried with this many wrong codes is burnt."""

WORDS = {
    "claim_unknown": "no claim of this number waits here; was it typed right, for this studio?",
    "claim_wrong": "the code is not the one that was made; was it typed right?",
    "claim_burnt": "too many wrong codes were tried; make a new claim at the studio",
    "claim_expired": "the claim has expired; make a new one at the studio",
    "claim_twice": "the claim was used by another box; make a new one, and look at the audit",
    "key_twice": "this key has a certificate already; delete it on the box and begin again",
    "renewal_unknown": "this studio never made that certificate",
    "renewal_revoked": "the certificate was revoked; the box needs a new claim",
    "renewal_expired": "the certificate has run out; the box needs a new claim",
    "renewal_forged": "the renewal is not signed by the certificate's key",
    "renewal_twice": "a newer certificate of this box is in use; was its card copied?",
    "renewal_early": "the certificate is good for a long time yet",
}
"""What is noted, and the words for whoever asked."""


class Refused(Exception):  # noqa: N818 - reads as what it is where it is raised
    """What was asked is not granted; the words are for whoever asked."""


class Grants:
    """The studio's pen: its register and its issuer."""

    def __init__(self, register: Register, issuer: Issuer, days: float) -> None:
        self._register = register
        self._issuer = issuer
        self._days = days

    def grant(self, sealed: Sealed, origin: str) -> tuple[Code, str, x509.Certificate]:
        """Turn a claim into a certificate: the code, the box's name, the certificate.

        Raise Refused, or BadInput when the question cannot be read.
        """
        claim = self._register.claim(sealed.number)
        named = f"claim {sealed.number[:8]}"
        if claim is None:
            self._refuse("claim_unknown", origin, named)
        named = f"{claim.box}, {named}"
        code = Code(sealed.number, claim.verifier)
        if not is_genuine(sealed, code, "box"):
            with self._register.alone():
                self._register.tried_wrongly(sealed.number)
            self._refuse("claim_wrong", origin, named)
        if claim.wrong >= WRONG_SEALS:
            self._refuse("claim_burnt", origin, named)
        key = read_request(unpack(sealed.body.encode(), Asked).request)
        spki = fingerprint(key)
        if claim.key is not None:
            made = self._register.certificate("claim", sealed.number)
            if claim.key != spki or made is None or made.revoked_utc:
                self._refuse("claim_twice", origin, named)
            return code, claim.box, _read(made)  # its answer was lost on the way
        if claim.expires_utc < write_utc(self._register.now()):
            self._refuse("claim_expired", origin, named)
        if self._register.certificate("key", spki) is not None:
            self._refuse("key_twice", origin, f"{named}, key {spki[:16]}")
        with self._register.alone():
            if not self._register.use(sealed.number, spki):
                raise Refused(WORDS["claim_unknown"])  # revoked a moment ago
            if claim.replaces:
                self._register.revoke_all(claim.box)
            new = self._issue(claim.box, key, sealed.number)
            self._register.note("claimed", origin, f"{named}, serial {new.serial_number:x}")
        return code, claim.box, new

    def renew(self, asked: RenewalAsked, origin: str) -> x509.Certificate:
        """Follow a certificate by one for a new key; raise Refused or BadInput.

        Only the newest can be followed: of two cards with one identity the second is found out.
        """
        named = f"serial {asked.serial[:40]}"
        old = self._register.certificate("serial", asked.serial)
        if old is None:
            self._refuse("renewal_unknown", origin, named)
        named = f"{old.box}, {named}"
        certificate = _read(old)
        if not _signed_by(certificate, asked):
            self._refuse("renewal_forged", origin, named)
        if old.revoked_utc:
            self._refuse("renewal_revoked", origin, named)
        if certificate.not_valid_after_utc < self._register.now():
            self._refuse("renewal_expired", origin, named)
        key = read_request(asked.request)
        spki = fingerprint(key)
        newest = self._register.newest(old.box)
        if newest is not None and newest.serial != old.serial:
            if newest.key == spki:
                return _read(newest)  # its answer was lost on the way
            self._refuse("renewal_twice", origin, named)
        if self._register.certificate("key", spki) is not None:
            self._refuse("key_twice", origin, f"{named}, key {spki[:16]}")
        life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        if self._register.now() < certificate.not_valid_before_utc + life / 2:
            self._refuse("renewal_early", origin, named)
        with self._register.alone():
            made = self._issue(old.box, key, "")
            self._register.note("renewed", origin, f"{named}, now {made.serial_number:x}")
        return made

    def _issue(self, box: str, key: ec.EllipticCurvePublicKey, claim: str) -> x509.Certificate:
        wanted = Wanted(box, self._days, hosts=(box, f"{box}.local"))
        made = issue(wanted, key, self._issuer, self._register.now())
        new = Standing(f"{made.serial_number:x}", box, fingerprint(key), None, pem(made))
        self._register.add(new, claim, write_utc(made.not_valid_after_utc))
        return made

    def _refuse(self, what: str, origin: str, detail: str) -> NoReturn:
        with self._register.alone():
            self._register.note(what, origin, detail)
        raise Refused(WORDS[what])


def _read(standing: Standing) -> x509.Certificate:
    return x509.load_pem_x509_certificate(standing.pem.encode())


def _signed_by(certificate: x509.Certificate, asked: RenewalAsked) -> bool:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise BadInput("a certificate without a P-256 key")
    try:
        signature = bytes.fromhex(asked.signature)
        key.verify(signature, asked.request.encode(), ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True
