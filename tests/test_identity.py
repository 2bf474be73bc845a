"""How a box comes by its certificate, keeps it and loses it; the studio's side by hand."""

import contextlib
import os
from datetime import timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from firmware_app.clock import HandClock
from firmware_app.errors import BadInput, BadSetting
from gateway.audit import check
from gateway.database import look_into
from gateway.identity import device as device_module
from gateway.identity.authority import (
    Wanted,
    check_chain,
    issue,
    make_issuer,
    make_root,
    new_key,
    pem,
    read_request,
    request,
    revocation_list,
)
from gateway.identity.claim import (
    LETTERS,
    Asked,
    Granted,
    RenewalAsked,
    is_genuine,
    make_code,
    read_code,
    seal,
)
from gateway.identity.device import Device, is_due, standing
from gateway.identity.in_settings import change_settings, with_changes
from gateway.studio.broker_files import mosquitto_acl, nats_users
from gateway.studio.grants import WRONG_SEALS, Grants, Refused
from gateway.studio.register import Register

DAY = timedelta(days=1)


class Gym:
    """A gym's authority and register, and a hand on the clock."""

    def __init__(self, folder, days=90.0):
        self.folder = folder
        self.clock = HandClock()
        self.root = make_root("Spin City", self.now)
        self.issuer = make_issuer("Spin City", self.root, self.now)
        self.chain = pem(self.issuer.certificate, self.root.certificate)
        self.register = Register(folder / "identity.db", self.clock)
        self.grants = Grants(self.register, self.issuer, days)

    @property
    def now(self):
        return self.clock.wall()

    def days_pass(self, days):
        self.clock.advance(days * 86400)

    def code(self, box="b1", hours=72.0, **more):
        return read_code(self.register.make_claim(box, "anna", hours, **{"replace": False} | more))

    def device(self, name="b1"):
        return Device(self.folder / name)

    def claim(self, code, device, origin="10.0.0.7"):
        """What passes between box and studio, with nothing between them."""
        _code, box, made = self.grants.grant(seal(code, "box", Asked(request=device.ask())), origin)
        return device.take(pem(made), self.chain, box)

    def renew(self, device):
        old, asked = device.certificate(), device.ask()
        words = RenewalAsked(
            serial=f"{old.serial_number:x}", request=asked, signature=device.sign(asked)
        )
        made = self.grants.renew(words, "10.0.0.7")
        chain = pem(self.grants._issuer.certificate) + device.root()
        return device.take(pem(made), chain, "b1")

    @property
    def noted(self):
        return [entry.what for entry in reversed(self.register.audit())]


@pytest.fixture
def gym(tmp_path):
    gym = Gym(tmp_path)
    yield gym
    gym.register.close()


# the code ------------------------------------------------------------------------------------


def test_a_code_is_read_however_it_was_typed():
    code = make_code()
    assert read_code(code.lower().replace("-", " ")) == read_code(code)
    assert read_code("O" + "0" * 19) == read_code("0" * 20)
    assert read_code("I" + "L" * 19) == read_code("1" * 20)
    assert set(code) <= set(LETTERS) | {"-"}
    with pytest.raises(BadInput, match="19"):
        read_code("A" * 19)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_code_or_told_what_a_code_is(text):
    with contextlib.suppress(BadInput):
        assert len(read_code(text).verifier) == 64


def test_a_seal_proves_the_code_the_side_and_the_words():
    code = read_code(make_code())
    sealed = seal(code, "box", Asked(request="x"))
    assert is_genuine(sealed, code, "box")
    assert not is_genuine(sealed, code, "studio")
    assert not is_genuine(sealed, read_code(make_code()), "box")
    assert not is_genuine(msgspec.structs.replace(sealed, body='{"request":"y"}'), code, "box")
    assert not is_genuine(msgspec.structs.replace(sealed, seal="ü"), code, "box")


# certificates --------------------------------------------------------------------------------


def test_a_box_that_lives_in_yesterday_is_let_in(gym):
    made = gym.claim(gym.code(), gym.device())
    assert made.not_valid_before_utc == (gym.now - DAY).replace(microsecond=0)
    assert made.not_valid_after_utc == gym.now + 90 * DAY
    assert gym.issuer.certificate.not_valid_before_utc <= gym.now - DAY


def test_a_certificate_says_the_name_of_the_claim_whatever_the_box_asks(gym):
    made = gym.claim(gym.code("row1-bike1"), gym.device())
    assert made.subject.rfc4514_string() == "CN=row1-bike1"
    uses = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {use._name for use in uses} == {"clientAuth", "serverAuth"}
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName)[1] == "row1-bike1.local"
    limits = made.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not limits.ca


def test_no_certificate_outlives_its_issuer(gym):
    gym.days_pass(3600)
    made = issue(Wanted("b", 365.0), new_key().public_key(), gym.issuer, gym.now)
    assert made.not_valid_after_utc == gym.issuer.certificate.not_valid_after_utc


def test_a_chain_of_another_gym_is_refused(gym):
    made = issue(Wanted("b", 9.0), new_key().public_key(), gym.issuer, gym.now)
    check_chain(made, [gym.issuer.certificate, gym.root.certificate])
    other = make_root("Other", gym.now)
    with pytest.raises(BadInput, match="not signed by"):
        check_chain(made, [make_issuer("Other", other, gym.now).certificate, other.certificate])
    with pytest.raises(BadInput, match="not signed by"):
        check_chain(made, [gym.issuer.certificate])  # that does not sign itself


def test_the_list_of_the_revoked_does_not_run_out_before_its_issuer(gym):
    crl = revocation_list([(7, gym.now)], gym.issuer, gym.now)
    assert crl.get_revoked_certificate_by_serial_number(7) is not None
    assert crl.next_update_utc == gym.issuer.certificate.not_valid_after_utc
    assert crl.is_signature_valid(gym.issuer.key.public_key())


@pytest.mark.parametrize("words", ["", "nonsense", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"])
def test_what_is_no_request_is_refused_in_words(words):
    with pytest.raises(BadInput, match="not a certificate request"):
        read_request(words)


def test_a_request_for_somebody_elses_key_is_refused():
    mine = request(new_key()).decode()
    broken = bytearray(x509.load_pem_x509_csr(mine.encode()).public_bytes(Encoding.DER))
    broken[-1] ^= 1
    with pytest.raises(BadInput):
        read_request(x509.load_der_x509_csr(bytes(broken)).public_bytes(Encoding.PEM).decode())


# claims --------------------------------------------------------------------------------------


def test_a_claim_is_good_once_and_who_comes_second_is_noted(gym):
    code = gym.code()
    gym.claim(code, gym.device())
    with pytest.raises(Refused, match="used by another box"):
        gym.claim(code, gym.device("thief"), "10.0.0.66")
    entry = gym.register.audit()[0]
    assert (entry.what, entry.who) == ("claim_twice", "10.0.0.66")


def test_an_answer_that_was_lost_is_given_again_to_the_same_key(gym):
    code, device = gym.code(), gym.device()
    asked = seal(code, "box", Asked(request=device.ask()))
    lost = gym.grants.grant(asked, "10.0.0.7")[2]
    assert gym.claim(code, device).serial_number == lost.serial_number
    assert gym.register.trusted() == ["b1"]


def test_a_claim_expires(gym):
    code = gym.code(hours=2)
    gym.clock.advance(2 * 3600 + 1)
    with pytest.raises(Refused, match="expired"):
        gym.claim(code, gym.device())
    assert gym.noted[-1] == "claim_expired"


def test_a_claim_that_is_guessed_at_is_burnt_even_for_who_knows_it(gym):
    code = gym.code()
    for _ in range(WRONG_SEALS):
        with pytest.raises(Refused, match="not the one"):
            gym.claim(code._replace(verifier="0" * 64), gym.device("liar"))
    with pytest.raises(Refused, match="too many wrong codes"):
        gym.claim(code, gym.device())
    assert gym.noted.count("claim_wrong") == WRONG_SEALS


def test_a_new_claim_of_a_box_voids_the_one_before(gym):
    first = gym.code()
    second = gym.code()
    with pytest.raises(Refused, match="no claim of this number"):
        gym.claim(first, gym.device())
    gym.claim(second, gym.device())


def test_the_studio_keeps_no_code(gym):
    text = gym.register.make_claim("b1", "anna", 1.0, replace=False).replace("-", "")
    kept = b"".join(path.read_bytes() for path in gym.folder.glob("identity.db*"))
    assert text[:4].encode() in kept
    assert text[4:].encode() not in kept


def test_a_key_gets_one_name(gym):
    device = gym.device()
    gym.claim(gym.code("b1"), device)
    again = Device(gym.folder / "copy")
    again.folder.mkdir()
    (again.folder / "next-key.pem").write_bytes((device.folder / "key.pem").read_bytes())
    with pytest.raises(Refused, match="key has a certificate already"):
        gym.claim(gym.code("b2"), again)
    assert gym.noted[-1] == "key_twice"


def test_a_bike_with_a_new_card_is_claimed_anew_and_the_old_card_is_out(gym):
    old = gym.claim(gym.code(), gym.device())
    with pytest.raises(BadInput, match="--replace"):
        gym.code()
    gym.claim(gym.code(replace=True), gym.device("new"))
    assert [serial for serial, _ in gym.register.revoked()] == [old.serial_number]
    assert (gym.register.trusted(), gym.register.untrusted()) == (["b1"], [])


def test_revoking_takes_the_certificates_and_the_claim_that_waits(gym):
    gym.claim(gym.code(), gym.device())
    waiting = gym.code("b2")
    assert gym.register.revoke("b1", "anna", "stolen") == 1
    assert gym.register.revoke("b2", "anna", "") == 0
    with pytest.raises(Refused):
        gym.claim(waiting, gym.device("b2"))
    assert gym.register.untrusted() == ["b1"]
    assert [entry.words for entry in gym.register.boxes()] == ["revoked 2026-04-17"]


def test_the_register_is_a_chain_that_nobody_can_mend(gym):
    gym.claim(gym.code(), gym.device())
    assert gym.register.check_audit().broken_at is None
    with look_into(gym.folder / "identity.db") as db:
        assert check(db).entries == 2
    gym.register._db.execute("UPDATE audit SET body = '{}' WHERE id = 1")
    assert gym.register.check_audit().broken_at == 1


# renewal -------------------------------------------------------------------------------------


def test_a_box_renews_at_two_thirds_with_a_new_key_and_the_old_one_is_gone(gym):
    device = gym.device()
    first = gym.claim(gym.code(), device)
    old_key = (device.folder / "key.pem").read_bytes()
    gym.days_pass(59)
    assert not is_due(first, gym.now)
    gym.days_pass(1)
    assert is_due(first, gym.now)
    second = gym.renew(device)
    assert second.not_valid_after_utc == gym.now + 90 * DAY
    assert (device.folder / "key.pem").read_bytes() != old_key
    assert [p.name for p in device.folder.iterdir() if p.is_dir() and not p.is_symlink()] == [
        f"{second.serial_number:x}"
    ]
    assert standing(second, gym.now) == "ok"


def test_the_gateway_can_read_the_certificate_and_not_the_key_whoever_asked(gym):
    """A unit that renews has a umask of its own, and may be the one that made the folder."""
    device = gym.device()
    before = os.umask(0o077)
    try:
        gym.claim(gym.code(), device)
        gym.days_pass(60)
        gym.renew(device)
    finally:
        os.umask(before)
    names = (".", "current", "cert.pem", "ca.pem", "key.pem")
    modes = [oct((device.folder / name).stat().st_mode & 0o777) for name in names]
    assert modes == ["0o755", "0o755", "0o644", "0o644", "0o600"]


def test_a_box_renews_under_a_new_issuer_of_the_root_it_knows_and_no_other(gym):
    device = gym.device()
    gym.claim(gym.code(), device)
    gym.days_pass(70)
    gym.grants._issuer = make_issuer("Spin City", gym.root, gym.now)
    gym.renew(device)
    gym.days_pass(70)
    gym.grants._issuer = make_issuer("Other", make_root("Other", gym.now), gym.now)
    with pytest.raises(BadInput, match="not signed by"):
        gym.renew(device)


def test_a_copied_card_is_found_out_by_who_renews_second(gym):
    device = gym.device()
    gym.claim(gym.code(), device)
    copy = Device(gym.folder / "copy")
    copy.folder.mkdir()
    for name in ("key.pem", "cert.pem", "ca.pem"):
        (copy.folder / name).write_bytes((device.folder / name).read_bytes())
    gym.days_pass(70)
    gym.renew(device)
    with pytest.raises(Refused, match="card copied"):
        gym.renew(copy)
    assert gym.noted[-1] == "renewal_twice"


def test_a_renewal_whose_answer_was_lost_is_given_again(gym):
    device = gym.device()
    old = gym.claim(gym.code(), device)
    gym.days_pass(70)
    asked = device.ask()
    words = RenewalAsked(
        serial=f"{old.serial_number:x}", request=asked, signature=device.sign(asked)
    )
    lost = gym.grants.renew(words, "10.0.0.7")
    assert gym.renew(device).serial_number == lost.serial_number


@pytest.mark.parametrize(
    ("why", "days", "noted"),
    [("good for a long time", 10, "renewal_early"), ("run out", 91, "renewal_expired")],
)
def test_a_renewal_out_of_time_is_refused(gym, why, days, noted):
    device = gym.device()
    gym.claim(gym.code(), device)
    gym.days_pass(days)
    with pytest.raises(Refused, match=why):
        gym.renew(device)
    assert gym.noted[-1] == noted


def test_who_was_revoked_or_does_not_hold_the_key_gets_no_next_certificate(gym):
    device = gym.device()
    old = gym.claim(gym.code(), device)
    gym.days_pass(70)
    asked = device.ask()
    serial = f"{old.serial_number:x}"
    for signature in ("00", "nonsense", ""):
        forged = RenewalAsked(serial=serial, request=asked, signature=signature)
        with pytest.raises(Refused, match="not signed"):
            gym.grants.renew(forged, "10.0.0.66")
    unknown = RenewalAsked(serial="abc", request=asked, signature=device.sign(asked))
    with pytest.raises(Refused, match="never made"):
        gym.grants.renew(unknown, "10.0.0.66")
    gym.register.revoke("b1", "anna", "")
    with pytest.raises(Refused, match="revoked"):
        gym.renew(device)


def test_the_console_says_in_time_that_a_certificate_is_not_renewed(gym):
    made = gym.claim(gym.code(), gym.device())
    assert standing(made, gym.now + 70 * DAY) == "ok"
    assert "could not be renewed" in standing(made, gym.now + 80 * DAY)
    assert "ran out" in standing(made, gym.now + 91 * DAY)
    assert "clock" in standing(made, gym.now - 2 * DAY)


# the box's disk ------------------------------------------------------------------------------


def test_the_key_is_its_owners_alone(gym):
    device = gym.device()
    gym.claim(gym.code(), device)
    assert oct((device.folder / "key.pem").stat().st_mode & 0o777) == "0o600"
    assert not (device.folder / "next-key.pem").exists()


def test_a_certificate_for_another_key_box_or_gym_is_not_taken(gym):
    device = gym.device()
    device.ask()
    other = pem(issue(Wanted("b1", 9.0), new_key().public_key(), gym.issuer, gym.now))
    with pytest.raises(BadInput, match="another key"):
        device.take(other, gym.chain, "b1")
    mine = read_request(device.ask())
    with pytest.raises(BadInput, match="certificate of CN=b2"):
        device.take(pem(issue(Wanted("b2", 9.0), mine, gym.issuer, gym.now)), gym.chain, "b1")
    with pytest.raises(BadInput, match="no certificate"):
        device.take("nonsense", gym.chain, "b1")
    assert device.certificate() is None


@pytest.mark.parametrize("step", range(12))
def test_a_power_cut_leaves_the_old_identity_or_the_new_one(gym, monkeypatch, step):
    device = gym.device()
    before = gym.claim(gym.code(), device)
    gym.days_pass(70)
    calls = iter(range(100))

    def cut(*_):
        if next(calls) == step:
            raise KeyboardInterrupt

    for name in ("_write", "_link", "_sync"):
        real = getattr(device_module, name)
        monkeypatch.setattr(device_module, name, lambda *a, real=real: (cut(), real(*a))[1])
    with contextlib.suppress(KeyboardInterrupt):
        gym.renew(device)
    monkeypatch.undo()
    certificate = device.certificate()
    key = device_module.read_key(device.folder / "key.pem")
    assert certificate.public_key() == key.public_key()
    if certificate.serial_number == before.serial_number:
        certificate = gym.renew(device)  # the timer comes again
    assert certificate.serial_number != before.serial_number
    gym.days_pass(70)
    gym.renew(device)  # and two months later once more
    assert (
        device.certificate().public_key()
        == device_module.read_key(device.folder / "key.pem").public_key()
    )


# its settings --------------------------------------------------------------------------------

BEFORE = """\
# mine
box = "new"  # painted

[mqtt]
# the broker
url = ""

[vision]
fps = 15.0
"""


def test_settings_are_changed_where_they_stand_and_everything_else_stays():
    after = with_changes(
        BEFORE,
        {
            ("", "box"): "b1",
            ("mqtt", "url"): "mqtts://broker",
            ("mqtt", "ca_file"): "/ca",
            ("identity", "studio"): 'http://"x"',
        },
    )
    assert after == (
        '# mine\nbox = "b1"\n\n[mqtt]\n# the broker\nurl = "mqtts://broker"\nca_file = "/ca"\n\n'
        '[vision]\nfps = 15.0\n\n[identity]\nstudio = "http://\\"x\\""\n'
    )


def test_settings_that_could_not_be_read_are_not_written(tmp_path):
    path = tmp_path / "bikebox.toml"
    path.write_text(BEFORE)
    path.chmod(0o640)
    change_settings(path, {("mqtt", "url"): "mqtts://b:8883"})
    assert oct(path.stat().st_mode & 0o777) == "0o640"
    before = path.read_text()
    with pytest.raises(BadSetting, match="mqtt"):
        change_settings(path, {("mqtt", "nonsense"): "x"})
    assert path.read_text() == before


# the broker's files --------------------------------------------------------------------------


def test_a_box_may_speak_for_itself_and_who_was_revoked_for_nobody():
    lines = mosquitto_acl(["b7"]).splitlines()
    assert "pattern write fleet/v1/%u/up" in lines
    assert "pattern read fleet/v1/%u/cmd" in lines
    assert lines[-2:] == ["user b7", "topic deny #"]
    assert not [line for line in lines if line.startswith("pattern") and "#" in line]


def test_nats_names_each_trusted_box_with_its_own_subjects():
    text = nats_users(["b1", "b2"])
    assert text.count("user: ") == 3
    assert '"fleet.v1.b2.up"' in text
    assert text.count("fleet.v1.b2.up") == 1


def test_what_is_granted_can_be_read_by_yesterdays_box():
    told = Granted(box="b", certificate="c", chain="d", broker_url="e")
    assert msgspec.json.decode(msgspec.json.encode(told), type=Granted) == told
