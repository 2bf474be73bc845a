"""What the player makes of whatever a class server answers."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firmware_app.clock import MachineClock
from firmware_app.player.whep import (
    REFUSED_WAIT_S,
    Answered,
    Countered,
    NoClass,
    Redirected,
    address_fault,
    ice_servers,
    understand,
    wait_s,
)
from firmware_app.player.whep_http import LARGEST_BODY_BYTES, Whep

URL = "https://studio.gym/whep/42"
TOKEN = "secret"  # noqa: S105 - the test's own
ANSWER = b"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 99\r\na=setup:active\r\n"
OFFER = b"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=setup:actpass\r\n"

Handler = Callable[[httpx.Request], httpx.Response]


def join(handler: Handler, url: str = URL, token: str = TOKEN, patience_s: float = 5.0):
    async def ask():
        transport = httpx.MockTransport(handler)
        async with Whep(url, token, transport=transport, patience_s=patience_s) as whep:
            said = await whep.join("v=0 our offer")
            if isinstance(said, Countered):
                return said, await whep.answer(said.session, "v=0 our answer")
            if isinstance(said, Answered):
                await whep.leave(said.session)
            return said

    return asyncio.run(ask())


# what an answer means ---------------------------------------------------------------------------


def test_a_class_that_takes_our_offer_is_left_at_its_own_address():
    said = understand(201, {"location": "/session/7?key=k"}, ANSWER, URL)
    assert said == Answered(ANSWER.decode(), "https://studio.gym/session/7?key=k")


def test_a_server_that_makes_the_offer_itself_is_answered():
    said = understand(406, {"location": "../s/7"}, OFFER, URL)
    assert said == Countered(OFFER.decode(), "https://studio.gym/s/7")


@pytest.mark.parametrize("status", [404, 409, 429, 500, 502, 503])
def test_a_class_that_has_not_begun_is_waited_for(status):
    said = understand(status, {"retry-after": "5"}, b"", URL)
    assert isinstance(said, NoClass)
    assert (said.state, said.retry_after_s) == ("waiting", 5)


@pytest.mark.parametrize("status", [401, 403])
def test_a_technician_is_told_that_the_token_is_wrong(status):
    said = understand(status, {}, b"", URL)
    assert isinstance(said, NoClass)
    assert said.state == "refused"
    assert "token" in said.why
    assert "studio.gym" in said.why


@pytest.mark.parametrize("status", [400, 405, 406, 410, 415, 422])
def test_an_offer_that_is_not_taken_is_not_pressed_on_the_server(status):
    said = understand(status, {}, b"", URL)
    assert isinstance(said, NoClass)
    assert said.state == "refused"
    assert wait_s(1, said, 0.5) == REFUSED_WAIT_S


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (201, OFFER, "an offer of its own"),
        (201, b"", "an empty answer"),
        (200, b"<!DOCTYPE html><html></html>", "a web page"),
        (201, b'{"error": "no"}', 'begins \'{"error": "no"}\''),
        (201, b"\xff\xfe\x00v=0", "does not speak WHEP"),
        (204, b"", "204"),
        (307, b"", "does not say where"),
        (301, b"", "301"),
        (406, OFFER, "no Location"),
    ],
)
def test_garbage_is_told_in_a_sentence(status, body, seen):
    said = understand(status, {}, body, URL)
    assert isinstance(said, NoClass)
    assert seen in said.why
    assert len(said.why) < 100


def test_the_class_moves_with_307_and_308_only():
    assert understand(307, {"location": "/b"}, b"", URL) == Redirected("https://studio.gym/b")
    assert understand(308, {"location": "//b.gym/c"}, b"", URL) == Redirected("https://b.gym/c")
    assert isinstance(understand(302, {"location": "/b"}, b"", URL), NoClass)


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("body", [ANSWER, b"\xef\xbb\xbf" + ANSWER, b"\r\n" + ANSWER])
def test_an_answer_that_is_not_quite_by_the_book_is_taken(status: int, body: bytes):
    headers = {"location": "s/7?id=1", "etag": "*", "content-type": "text/plain"}
    said = understand(status, headers, body, URL + "?jwt=x")
    assert said == Answered(ANSWER.decode(), "https://studio.gym/whep/s/7?id=1")


def test_a_class_that_is_not_live_may_be_told_in_json():
    said = understand(404, {"content-type": "application/json"}, b'{"error":"no stream"}', URL)
    assert isinstance(said, NoClass)
    assert said.state == "waiting"


def test_a_retry_after_that_is_a_date_is_read_by_the_servers_own_clock():
    headers = {
        "retry-after": "Wed, 21 Oct 2026 07:28:20 GMT",
        "date": "Wed, 21 Oct 2026 07:28:00 GMT",
    }
    assert understand(503, headers, b"", URL).retry_after_s == 20
    early = {**headers, "date": "Wed, 21 Oct 2026 08:00:00 GMT"}
    assert understand(503, early, b"", URL).retry_after_s == 0


@pytest.mark.parametrize("said", ["Wed, 21 Oct 2026 07:28:00 GMT", "-5", "soon", "", "1e9"])
def test_a_retry_after_we_cannot_read_is_as_none(said):
    answer = understand(503, {"retry-after": said}, b"", URL)
    assert isinstance(answer, NoClass)
    assert answer.retry_after_s is None


def test_a_retry_after_of_a_day_does_not_cost_a_rider_the_class():
    answer = understand(503, {"retry-after": "86400"}, b"", URL)
    assert isinstance(answer, NoClass)
    assert answer.retry_after_s == 60


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ('<stun:a.gym>; rel="ice-server"', [("stun:a.gym", "", "")]),
        (
            '<turn:a.gym>;rel="ice-server";username="u;1";credential="p,2",<stun:b.gym>;rel=ice-server',
            [("turn:a.gym", "u;1", "p,2"), ("stun:b.gym", "", "")],
        ),
        ('<turns:a.gym>;REL="other ice-server"', [("turns:a.gym", "", "")]),
        ('<https://a.gym/sse>; rel="urn:ietf:params:whep:ext:core:server-sent-events"', []),
        ('<a.gym>; rel="ice-server"', []),
        ("<<>>;;;,,,rel", []),
        ("", []),
    ],
)
def test_ice_servers_are_read_however_they_are_written(link, found):
    assert [(one.url, one.username, one.credential) for one in ice_servers(link)] == found


def test_bikes_ask_less_and_less_often_and_not_all_at_once():
    said = NoClass("connecting", "nobody answers")
    assert [wait_s(n, said, 0.5) for n in (1, 2, 3, 9, 5000)] == [0.5, 1, 2, 8, 8]
    assert wait_s(3, said, 0.0) == 1
    assert wait_s(3, said, 1.0) == 3
    assert wait_s(1, NoClass("waiting", "", 20), 0.25) == 20.25


# over HTTP --------------------------------------------------------------------------------------


def test_the_token_goes_with_every_request():
    asked = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, request.headers.get("authorization")))
        if request.method == "POST":
            return httpx.Response(406, headers={"Location": "/s/7"}, content=OFFER)
        return httpx.Response(204)

    _, refused = join(server)
    assert refused is None
    bearer = "Bearer secret"
    assert asked == [("POST", "/whep/42", bearer), ("PATCH", "/s/7", bearer)]


def test_a_class_without_a_token_is_asked_without_one():
    asked = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, "authorization" in request.headers))
        return httpx.Response(201, headers={"Location": "/s/7"}, content=ANSWER)

    assert isinstance(join(server, token=""), Answered)
    assert asked == [("POST", False), ("DELETE", False)]


def test_a_redirect_keeps_the_offer_and_tells_the_token_to_its_own_server_only():
    asked = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(
            (
                str(request.url),
                request.method,
                request.content,
                request.headers.get("authorization"),
            )
        )
        if request.url.path == "/whep/42":
            return httpx.Response(307, headers={"Location": "/moved"})
        if request.url.path == "/moved":
            return httpx.Response(308, headers={"Location": "https://elsewhere.example/whep"})
        return httpx.Response(201, headers={"Location": "s/7"}, content=ANSWER)

    said = join(server)
    assert isinstance(said, Answered)
    assert said.session == "https://elsewhere.example/s/7"
    ours = b"v=0 our offer"
    assert asked == [
        (URL, "POST", ours, "Bearer secret"),
        ("https://studio.gym/moved", "POST", ours, "Bearer secret"),
        ("https://elsewhere.example/whep", "POST", ours, None),
        ("https://elsewhere.example/s/7", "DELETE", b"", None),
    ]


def test_a_redirect_of_our_answer_is_followed_and_the_token_stays_at_home():
    asked = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.host, request.headers.get("authorization")))
        if request.method == "POST":
            return httpx.Response(406, headers={"Location": "/s/7"}, content=OFFER)
        if request.url.host == "studio.gym":
            return httpx.Response(307, headers={"Location": "https://elsewhere.example/s/7"})
        return httpx.Response(204)

    _, refused = join(server)
    assert refused is None
    assert asked[1:] == [
        ("PATCH", "studio.gym", "Bearer secret"),
        ("PATCH", "elsewhere.example", None),
    ]


def test_a_redirect_in_circles_ends():
    said = join(lambda request: httpx.Response(307, headers={"Location": str(request.url)}))
    assert isinstance(said, NoClass)
    assert "in circles" in said.why


def test_a_redirect_to_something_else_is_not_followed():
    said = join(lambda _request: httpx.Response(307, headers={"Location": "file:///etc/passwd"}))
    assert isinstance(said, NoClass)
    assert "file:///etc/passwd" in said.why


def test_an_answer_without_end_is_not_read_to_its_end():
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 16
            yield bytes(1 << 16)

    said = join(lambda _request: httpx.Response(201, content=endless()))
    assert isinstance(said, NoClass)
    assert "no end" in said.why
    assert sent <= LARGEST_BODY_BYTES + (1 << 17)


def test_an_answer_that_trickles_in_is_given_up():
    async def slow() -> AsyncIterator[bytes]:
        while True:
            yield b"v"
            await asyncio.sleep(0.01)

    said = join(lambda _request: httpx.Response(201, content=slow()), patience_s=0.1)
    assert isinstance(said, NoClass)
    assert "did not answer within 0.1 s" in said.why


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "nobody answers at studio.gym"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "nobody knows the name"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "whep_ca_file"),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version"), "does not speak TLS"),
        (httpx.ReadTimeout(""), "did not answer within"),
        (httpx.RemoteProtocolError("Server disconnected"), "hung up"),
        (httpx.ReadError(""), "hung up"),
    ],
)
def test_a_network_that_fails_is_told_in_words(error, words):
    def server(_request: httpx.Request) -> httpx.Response:
        raise error

    said = join(server)
    assert isinstance(said, NoClass)
    assert said.state == "connecting"
    assert words in said.why


@pytest.mark.parametrize(
    "url", ["", "studio.gym/whep", "rtsp://studio.gym/1", "http://", "http://[x"]
)
def test_an_address_that_is_none_is_shown_with_how_one_looks(url):
    said = join(lambda _request: httpx.Response(500), url=url)
    assert isinstance(said, NoClass)
    assert said.state == "refused"
    assert "https://host/whep/class" in said.why


def test_a_password_in_the_address_never_stands_on_the_screen():
    url = "https://class:pass-word@studio.gym:8889/whep"
    for said in (understand(404, {}, b"", url), understand(200, {}, b"", url)):
        assert "studio.gym:8889" in said.why
        assert "pass-word" not in said.why
    assert "pass-word" not in address_fault("ftp://class:pass-word@studio.gym/whep")


def test_a_certificate_file_that_is_not_there_is_named(tmp_path):
    async def ask():
        async with Whep(URL, "", ca_file=str(tmp_path / "none.pem")) as whep:
            return await whep.join("v=0")

    said = asyncio.run(ask())
    assert isinstance(said, NoClass)
    assert said.state == "refused"
    assert "none.pem" in said.why


def test_a_certificate_file_that_holds_none_is_named(tmp_path):
    wrong = tmp_path / "notes.pem"
    wrong.write_text("not a certificate")

    async def ask():
        async with Whep(URL, "", ca_file=str(wrong)) as whep:
            return await whep.join("v=0")

    said = asyncio.run(ask())
    assert isinstance(said, NoClass)
    assert "notes.pem" in said.why


def test_a_server_that_takes_no_answer_is_told():
    def server(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(406, headers={"Location": "/s/7"}, content=OFFER)
        return httpx.Response(500)

    _, refused = join(server)
    assert isinstance(refused, NoClass)
    assert refused.state == "waiting"


# over TLS ---------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A gym's own certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a gym's own server")])
    today = MachineClock().wall()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = tmp_path / "gym.pem", tmp_path / "gym.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


def test_a_gyms_own_certificate_is_trusted_when_named_and_only_then(certificate):
    pem, secret = certificate
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem, secret)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    async def ask() -> list[object]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/whep"
        said = []
        for ca_file in ("", str(pem)):
            async with Whep(url, "", ca_file=ca_file) as whep:
                said.append(await whep.join("v=0"))
        server.close()
        await server.wait_closed()
        return said

    strange, known = asyncio.run(ask())
    assert isinstance(strange, NoClass)
    assert "certificate this box does not trust; set whep_ca_file" in strange.why
    assert isinstance(known, NoClass)
    assert known.state == "waiting"
