"""The doors to the network, tried by a browser, by a stranger and by another site's page."""

import asyncio
import re

import httpx
import pytest
from msgspec import convert
from test_gateway_console import Box as Console
from test_studio_board import Studio

from firmware_app.clock import HandClock
from firmware_app.errors import BadSetting
from firmware_app.wire import Claim
from gateway.access import Access, with_pin, with_token
from gateway.audit import Noted
from gateway.studio.api import make_studio_api
from gateway.studio.settings import GymSettings, check_doors
from gateway.web.frame import LONGEST_BODY_BYTES
from gateway.web.lan import make_lan_api
from gateway.web.ride_code import RideCodes
from gateway.web.serve import bind, serve
from gateway.web.signing_in import Door

PIN = "270341"
ACCESS, TOKEN = with_token(with_pin(Access(), PIN), "anna")
HERE = "https://row2-bike14.local:8443"


class Bike(Console):
    """A box on the network."""

    name = "row2-bike14"
    riding = False
    ride_service = True

    def __init__(self):
        super().__init__()
        self.noted = []
        self.claims = []

    def note(self, what, who, detail):
        self.noted.append(Noted("2026-04-17T18:00:00", what, who, detail))

    def audit(self):
        return self.noted[::-1]

    def claim(self, claim):
        if self.ride_service:
            self.claims.append(convert(claim, Claim))
        return self.ride_service


class Scene:
    """An app, a browser that keeps cookies, and a hand on the clock."""

    def __init__(self, app, clock, here=HERE, source="192.168.1.20"):
        self.app, self.clock, self.here, self.source = app, clock, here, source
        self.cookies = httpx.Cookies()

    def ask(self, method, path, *, source="", **more):
        async def go():
            transport = httpx.ASGITransport(self.app, client=(source or self.source, 4711))
            async with httpx.AsyncClient(
                transport=transport, base_url=self.here, cookies=self.cookies
            ) as browser:
                answer = await browser.request(method, path, **more)
                self.cookies = browser.cookies
                return answer

        return asyncio.run(go())

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, fields, **more):
        headers = {"Origin": self.here} | more.pop("headers", {})
        return self.ask("POST", path, data=fields, headers=headers, **more)

    def sign_in(self, secret, **more):
        return self.post("/sign-in", {"secret": secret, "to": "/"}, **more)


HTML = {"Accept": "text/html,*/*"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def bike():
    return Bike()


@pytest.fixture
def codes():
    return RideCodes()


@pytest.fixture
def lan(bike, codes):
    clock = HandClock()
    names = ["row2-bike14", "row2-bike14.local"]
    return Scene(make_lan_api(bike, ACCESS, codes, names, clock), clock)


# who is nobody -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/console", "/audit", "/api/rides", "/api/rides/x", "/api/live"]
)
def test_what_names_riders_is_behind_the_door(lan, path):
    answer = lan.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    shown = lan.get(path, headers=HTML)
    assert (shown.status_code, shown.headers["location"]) == (303, f"/sign-in?to={path}")


def test_health_and_metrics_are_for_everybody_and_name_nobody(lan):
    for path in ("/health", "/metrics"):
        answer = lan.get(path)
        assert answer.status_code == 200
        for secret in ("Sagar", "p-1", PIN, TOKEN):
            assert secret not in answer.text


def test_nothing_signs_in_where_nothing_was_set_up(bike, codes):
    clock = HandClock()
    lan = Scene(make_lan_api(bike, Access(), codes, ["row2-bike14.local"], clock), clock)
    for secret in ("", "000000", "123456", "admin", "bike-"):
        assert lan.sign_in(secret, source=f"10.0.0.{len(secret)}").status_code == 403


# PIN and token -------------------------------------------------------------------------------


def test_the_gyms_pin_opens_the_console_and_not_the_audit(lan, bike):
    assert lan.sign_in(PIN).headers["location"] == "/"
    page = lan.get("/", headers=HTML)
    assert "Signed in as gym" in page.text
    assert "/audit" not in page.text
    assert lan.get("/audit", headers=HTML).status_code == 403
    assert lan.get("/api/rides").json()[0]["rider"] == "Sagar"
    assert bike.noted[-1][1:] == ("signed_in", "gym", "gym, from 192.168.1.20")


def test_a_technician_is_known_by_name_and_reads_who_did_what(lan, bike):
    lan.sign_in(TOKEN)
    assert bike.noted[-1].who == "anna"
    audit = lan.get("/audit", headers=HTML)
    assert "signed_in" in audit.text
    assert "192.168.1.20" in audit.text
    assert TOKEN not in audit.text


def test_a_program_sends_its_token_with_each_request(lan):
    assert lan.get("/api/live", headers=BEARER).json() == {"live": None}
    assert lan.get("/api/live", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_the_cookie_is_for_this_host_by_tls_and_out_of_scripts_reach(lan):
    cookie = lan.sign_in(PIN).headers["set-cookie"]
    assert cookie.startswith("__Host-bikebox=")
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=2592000"):
        assert word in cookie
    assert "Domain" not in cookie


def test_signing_out_ends_the_session_not_only_the_cookie(lan, bike):
    lan.sign_in(PIN)
    kept = httpx.Cookies(lan.cookies)
    assert lan.post("/sign-out", {}).headers["location"] == "/sign-in"
    lan.cookies = kept
    assert lan.get("/").status_code == 401
    assert bike.noted[-1].what == "signed_out"


def test_a_technicians_session_ends_after_a_day_of_work(lan):
    lan.sign_in(TOKEN)
    lan.clock.advance(8 * 3600 + 1)
    assert lan.get("/").status_code == 401


def test_who_guesses_waits_and_the_right_pin_does_not_help_meanwhile(lan, bike):
    for _ in range(3):
        assert lan.sign_in("111222").status_code == 403
    answer = lan.sign_in(PIN)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 5
    assert lan.sign_in(PIN, source="192.168.1.21").status_code == 303
    lan.clock.advance(6)
    assert lan.sign_in(PIN).status_code == 303
    assert [entry.what for entry in bike.noted].count("sign_in_refused") == 3
    assert PIN not in str(bike.noted)


def test_a_hundred_tries_at_once_are_not_a_hundred_tries(lan):
    async def storm():
        transport = httpx.ASGITransport(lan.app, client=("10.9.9.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as browser:
            return await asyncio.gather(
                *(browser.post("/sign-in", data={"secret": f"9{n:05d}"}) for n in range(100))
            )

    codes = [answer.status_code for answer in asyncio.run(storm())]
    assert codes.count(403) == 3
    assert codes.count(429) == 97


def test_a_guess_from_many_addresses_locks_the_door_and_says_so_in_the_audit(lan, bike):
    for n in range(20):
        lan.sign_in("111222", source=f"10.0.0.{n}")
    assert lan.sign_in(PIN).status_code == 429
    assert lan.sign_in(TOKEN).status_code == 303
    assert [entry.what for entry in bike.noted].count("locked") == 1
    lan.clock.advance(900)
    assert lan.sign_in(PIN).status_code == 303


def test_bearer_tokens_are_not_guessed_either(lan):
    wrong = {"Authorization": "Bearer bike-0000"}
    answers = [lan.get("/api/live", headers=wrong).status_code for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]
    assert lan.get("/api/live", headers=BEARER).status_code == 200


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/audit", "/audit"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_one_is_still_here(lan, asked, goes):
    answer = lan.post("/sign-in", {"secret": PIN, "to": asked})
    assert answer.headers["location"] == goes
    assert 'value="/"' in lan.get("/sign-in", params={"to": '"><script>'}).text


# other sites' pages --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HERE},
        {"Sec-Fetch-Site": "same-site", "Origin": HERE},
    ],
)
def test_another_sites_page_changes_nothing(lan, bike, codes, headers):
    path = f"/ride/{codes.fresh(0.0)}"
    assert lan.post(path, {"name": "Eve"}, headers=headers).status_code == 403
    assert lan.post("/sign-in", {"secret": PIN}, headers=headers).status_code == 403
    assert (bike.claims, bike.noted) == ([], [])


def test_a_name_that_is_not_ours_is_not_answered_and_an_address_is(lan):
    for host in ("evil.example", "row2-bike14.local.evil.example", "", "[::1"):
        assert lan.get("/health", headers={"Host": host}).status_code == 400
    for host in ("192.168.1.14:8443", "[fe80::1]:8443", "ROW2-BIKE14.local:8443", "row2-bike14"):
        assert lan.get("/health", headers={"Host": host}).status_code == 200


def test_every_answer_closes_the_doors_a_browser_leaves_open(lan):
    for answer in (lan.get("/sign-in"), lan.get("/nowhere"), lan.get("/api/live")):
        policy = answer.headers["content-security-policy"]
        for word in ("default-src 'self'", "form-action 'self'", "frame-ancestors 'none'"):
            assert word in policy
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_too_long_is_not_read(lan, codes):
    fields = {"secret": "x" * LONGEST_BODY_BYTES}
    assert lan.post("/sign-in", fields).status_code == 413
    assert lan.post(f"/ride/{codes.fresh(0.0)}", fields).status_code == 413


def test_the_pages_are_whole_without_script(lan, codes):
    lan.sign_in(TOKEN)
    for path in ("/", "/audit", "/sign-in", f"/ride/{codes.fresh(0.0)}"):
        html = lan.get(path, headers=HTML).text
        assert "<script>" not in html
        assert "style=" not in html
        assert re.findall(r"https?://", html) == []


# the rider's code ----------------------------------------------------------------------------


def test_a_rider_says_who_rides_and_what_the_board_may_show(lan, bike, codes):
    path = f"/ride/{codes.fresh(0.0)}"
    form = lan.get(path).text
    assert 'type="checkbox"' in form
    assert "checked" not in form
    assert "password" not in form
    answer = lan.post(path, {"name": " Anna "})
    assert "Have a good ride, Anna" in answer.text
    (claim,) = bike.claims
    assert (claim.rider, claim.name_on_board) == ("Anna", False)
    assert lan.post(path, {"name": "Eve"}).status_code == 404
    assert bike.noted[-1].who == "rider"
    assert "Anna" not in str(bike.noted)


def test_who_agrees_is_asked_and_told(lan, bike, codes):
    path = f"/ride/{codes.fresh(0.0)}"
    assert "may show" in lan.post(path, {"name": "Anna", "board": "yes"}).text
    assert bike.claims[0].name_on_board


def test_a_phone_keeps_a_word_only_for_who_wants_to_be_remembered(lan, bike, codes):
    answer = lan.post(f"/ride/{codes.fresh(0.0)}", {"name": "Anna"})
    assert "set-cookie" not in answer.headers
    for _ in range(2):
        answer = lan.post(f"/ride/{codes.fresh(0.0)}", {"name": "Anna", "remember": "yes"})
        for word in ("__Host-rider=", "HttpOnly", "Secure", "SameSite=strict", "Path=/"):
            assert word in answer.headers["set-cookie"]
    nobody, first, again = (claim.phone for claim in bike.claims)
    assert nobody == ""
    assert first == again
    assert len(first) == 22
    lan.cookies.clear()
    lan.post(f"/ride/{codes.fresh(0.0)}", {"name": "Anna", "remember": "yes"})
    assert bike.claims[-1].phone not in ("", first)


@pytest.mark.parametrize("name", ["", "x" * 25, "<script>", "42"])
def test_what_is_no_name_is_asked_again_and_the_code_is_still_good(lan, codes, name):
    path = f"/ride/{codes.fresh(0.0)}"
    assert lan.post(path, {"name": name}).status_code == 422
    assert lan.post(path, {"name": "Anna"}).status_code == 200


def test_codes_cannot_be_tried_one_after_the_other(lan, codes):
    good = codes.fresh(0.0)
    answers = [lan.get(f"/ride/guess{n}").status_code for n in range(5)]
    assert answers == [404, 404, 404, 429, 429]
    assert lan.get(f"/ride/{good}").status_code == 429
    assert lan.get(f"/ride/{good}", source="192.168.1.99").status_code == 200


def test_nobody_renames_a_rider_who_rides(lan, bike, codes):
    path = f"/ride/{codes.fresh(0.0)}"
    bike.riding = True
    assert lan.get(path).status_code == 409
    assert lan.post(path, {"name": "Eve"}).status_code == 409
    assert bike.claims == []


def test_without_a_ride_service_the_rider_is_told_to_pedal(lan, bike, codes):
    bike.ride_service = False
    answer = lan.post(f"/ride/{codes.fresh(0.0)}", {"name": "Anna"})
    assert answer.status_code == 503
    assert "Just pedal" in answer.text


# the studio's board --------------------------------------------------------------------------


@pytest.fixture
def board():
    clock, noted = HandClock(), []
    door = Door(ACCESS, lambda *entry: noted.append(entry), clock, tls=False)
    scene = Scene(
        make_studio_api(Studio(), ["localhost"], door), clock, here="http://localhost:8790"
    )
    scene.noted = noted
    return scene


@pytest.mark.parametrize(
    "path", ["/", "/events", "/api/class/42", "/api/rides", "/api/rides/b1/r1"]
)
def test_the_board_and_the_rides_are_behind_the_studios_door(board, path):
    assert board.get(path).status_code == 401
    if path != "/events":
        board.sign_in(PIN)
        assert board.get(path).status_code == 200


def test_the_studio_tells_how_it_is_to_everybody_and_who_signed_in_to_the_audit(board):
    assert board.get("/health").status_code == 200
    board.sign_in("1")
    board.sign_in(TOKEN)
    assert [entry[0] for entry in board.noted] == ["sign_in_refused", "signed_in"]
    assert board.noted[-1][1] == "anna"


def test_a_board_on_the_network_without_a_pin_is_refused_at_the_start(tmp_path):
    with pytest.raises(BadSetting, match="access_file"):
        check_doors(GymSettings(host="192.168.1.9"))
    check_doors(GymSettings(host="192.168.1.9", access_file="/etc/bikebox/access.toml"))
    check_doors(GymSettings())
    with pytest.raises(BadSetting, match="tls_cert_file"):
        check_doors(GymSettings(tls_cert_file=f"{tmp_path}/none.pem"))


def test_who_connects_and_asks_nothing_is_hung_up_on(lan, monkeypatch):
    monkeypatch.setattr("gateway.web.serve.HEAD_S", 0.2)

    async def scene():
        with bind("127.0.0.1", 0, "port") as door:
            serving = asyncio.create_task(serve(lan.app, door))
            place = door.getsockname()
            reader, writer = await asyncio.open_connection(*place)
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
            async with httpx.AsyncClient(trust_env=False) as browser:
                asked = await browser.get(f"http://127.0.0.1:{place[1]}/health")
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            return asked.status_code

    assert asyncio.run(scene()) == 200
