"""A gateway and a studio on the network as real processes: https, a phone, and the secrets."""

import asyncio
import contextlib
import json
import re
import ssl
import subprocess
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
import schemathesis
from gym_scene import BIKEBOX, Gym, told_ride, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from test_real_mosquitto import RIDE, tell, write

from firmware_app.clock import MachineClock
from firmware_app.sockets import Hub
from firmware_app.wire import Claim, FromGateway, Hud, Offer, Reader

PIN = "270341"
FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


def say(*words, typed=""):
    said = subprocess.run(
        [*BIKEBOX, *map(str, words)], input=typed, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


@pytest.fixture(scope="module")
def gym(tmp_path_factory):
    """A provisioned box with a ride, and its studio, both with a PIN and a technician."""
    gym = Gym(tmp_path_factory.mktemp("gym"))
    folder, ca = gym.folder, gym.folder / "ca"
    gym.access = folder / "access.toml"
    say("access", "--file", gym.access, "pin", typed=PIN)
    gym.token = say("access", "--file", gym.access, "token", "anna").splitlines()[0]
    (folder / "passphrase").write_text("a drawer with a key")
    say("studio", "ca", "init", "--to", ca, "--broker", "127.0.0.1",
        "--passphrase-file", folder / "passphrase")  # fmt: skip
    gym.mosquitto()
    gym_toml = folder / "gym.toml"
    gym_toml.write_text(
        f'port = 0\ndatabase = "{folder}/studio.db"\naccess_file = "{gym.access}"\n'
        f'[mqtt]\nurl = "{gym.url}"\n[identity]\nca_file = "{ca}/ca.pem"\n'
        f'key_file = "{ca}/issuer.key"\nfolder = "{folder}"\nbroker_url = "{gym.url}"\n'
    )
    port_file = folder / "studio.port"
    gym.start("studio", *BIKEBOX, "studio", "--config", gym_toml, "--port-file", port_file)
    gym.studio_port = gym._port(port_file)
    config = folder / "bikebox.toml"
    config.write_text(
        f'box = "new"\n[paths]\nrun = "{gym.run}"\nstate = "{folder}/state"\n'
        "[gateway]\nport = 0\nlan = true\nlan_port = 0\n"
        f'access_file = "{gym.access}"\n'
    )
    gym.code = say("studio", "--config", gym_toml, "claim", "--box", "b1").splitlines()[0]
    say("provision", "--config", config, "--folder", folder / "identity",
        "--key-file", folder / "identity" / "key.pem",
        "--studio", f"http://127.0.0.1:{gym.studio_port}", "--claim", gym.code)  # fmt: skip
    gym.start("gateway", *BIKEBOX, "gateway", "--config", config)
    gym.gateway_port = gym._port(gym.run / "gateway.port")
    gym.lan = f"https://127.0.0.1:{gym._port(gym.run / 'gateway-lan.port')}"
    gym.trust = ssl.create_default_context(cafile=folder / "identity" / "ca.pem")
    write(gym, told_ride())
    asyncio.run(tell(gym))
    yield gym
    gym.stop()


def come(gym, **more):
    """Come as a browser that finds b1.local at this machine, and checks that it is b1.local."""

    def name_it(request):
        request.extensions["sni_hostname"] = "b1.local"

    return httpx.Client(
        base_url=gym.lan, verify=gym.trust, trust_env=False,
        event_hooks={"request": [name_it]}, **more,
    )  # fmt: skip


@pytest.fixture
def browser(gym):
    with come(gym) as browser:
        yield browser


def test_the_console_comes_by_https_with_the_boxs_own_certificate(gym, browser):
    assert browser.get("/health").json()["parts"]["network"] == "ok"
    assert browser.get("/api/rides").status_code == 401
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(f"{gym.lan}/health", trust_env=False)
    with pytest.raises(httpx.ConnectError, match="IP address mismatch"):
        httpx.get(f"{gym.lan}/health", verify=gym.trust, trust_env=False)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(gym.lan.replace("https", "http"), trust_env=False)
    old = ("openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect")
    place = gym.lan.removeprefix("https://")
    said = subprocess.run([*old, place], input=b"", capture_output=True, check=False)
    assert b"Cipher is (NONE)" in said.stdout


def test_a_person_signs_in_and_a_program_brings_its_token(gym, browser):
    answer = browser.post("/sign-in", data={"secret": PIN, "to": "/"}, headers={"Origin": gym.lan})
    assert answer.status_code == 303
    assert browser.get("/api/rides").json()[0]["ride"] == RIDE
    bearer = {"Authorization": f"Bearer {gym.token}"}
    with come(gym, headers=bearer) as program:
        assert program.get("/audit").status_code == 200
    board = f"http://127.0.0.1:{gym.studio_port}"
    assert httpx.get(f"{board}/api/rides").status_code == 401
    until(lambda: httpx.get(f"{board}/api/rides", headers=bearer).json())


def test_a_phone_that_reads_the_screen_names_the_next_rider(gym, browser):
    async def scene():
        heard = []
        reader = Reader(FromGateway)
        hub = Hub(gym.run / "ride.sock", lambda line: heard.append(reader.read(line)))
        hub.greet_with(lambda: Hud(t_s=MachineClock().monotonic(), phase="waiting"))
        await hub.open()

        def url():
            return next((o.url for o in heard[::-1] if isinstance(o, Offer) and o.url), "")

        await asyncio.to_thread(until, url)
        shown = url()
        assert shown.startswith(f"https://b1.local:{gym.lan.rpartition(':')[2]}/ride/")
        page = urlsplit(shown).path
        assert (await asyncio.to_thread(browser.get, page)).status_code == 200
        form = {"name": "Zoë", "board": "yes"}
        headers = {"Origin": gym.lan}
        answer = await asyncio.to_thread(browser.post, page, data=form, headers=headers)
        assert "Have a good ride, Zoë" in answer.text
        mine = re.search(r'href="(/mine/[^"]+)"', answer.text)[1]
        assert "will be here" in (await asyncio.to_thread(browser.get, mine)).text
        await asyncio.to_thread(until, lambda: any(isinstance(one, Claim) for one in heard))
        again = await asyncio.to_thread(browser.get, page)
        await asyncio.to_thread(until, lambda: url() != shown)
        await hub.close()
        return [one for one in heard if isinstance(one, Claim)], again

    (claim,), again = asyncio.run(scene())
    assert (claim.rider, claim.name_on_board, claim.remember) == ("Zoë", True, False)
    assert again.status_code == 404


def ask_everything(base, headers):
    """Ask each operation what its description allows, and beside it; return what was answered."""
    found = httpx.get(f"{base}/openapi.json", verify=False, trust_env=False).json()  # noqa: S501 - its certificate is another test
    api = schemathesis.openapi.from_dict(found)
    api.config.update(base_url=base, headers=headers, tls_verify=False)
    asked: dict[str, set[int]] = {}
    for one in api.get_all_operations():
        operation = one.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @FEW
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case):
                answer = case.call_and_validate(checks=[not_a_server_error])
                asked.setdefault(case.operation.path, set()).add(answer.status_code)

            with contextlib.suppress(Unsatisfiable):
                ask()
    return asked


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_no_question_from_the_network_topples_box_or_studio(gym):
    bearer = {"Authorization": f"Bearer {gym.token}"}
    box = ask_everything(gym.lan, bearer)
    assert (200 in box["/api/live"], box["/api/rides/{ride}"] & {401}) == (True, set())
    studio = ask_everything(f"http://127.0.0.1:{gym.studio_port}", bearer)
    assert 422 in studio["/api/identity/claim"]
    assert 200 in studio["/api/class/{class_id}"]


JUNK = st.one_of(
    st.binary(max_size=300),
    st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=4).map(
        lambda fields: urlencode(fields).encode()
    ),
    st.builds(
        lambda fields: json.dumps(fields).encode(),
        st.fixed_dictionaries(
            {"number": st.text(max_size=8), "body": st.text(max_size=40), "seal": st.text()}
        ),
    ),
)
FORMS = ("/sign-in", "/sign-out", "/ride/x", "/ride/%00", "/ride/%ff%fe", "/sign-in?to=%0d%0aX")


def test_no_form_topples_the_box_or_the_studio(gym, browser):
    studio = httpx.Client(base_url=f"http://127.0.0.1:{gym.studio_port}", trust_env=False)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(path=st.sampled_from(FORMS), body=JUNK)
    def send(path, body):
        assert browser.post(path, content=body).status_code < 500
        for question in ("claim", "renew"):
            assert studio.post(f"/api/identity/{question}", content=body).status_code < 500
        assert studio.post(path, content=body).status_code < 500

    with studio:
        send()


def test_logs_and_databases_hold_no_secret_and_the_audit_no_name(gym):
    kept = {
        path.name: path.read_bytes()
        for path in [*gym.folder.glob("*.log"), *gym.folder.glob("*.db*"),
                     *(gym.folder / "state" / "gateway").glob("*.db*")]
    }  # fmt: skip
    assert {"gateway.log", "studio.log", "identity.db"} <= kept.keys()
    code = gym.code.replace("-", "")[4:].encode()
    for name, text in kept.items():
        for secret in (PIN.encode(), gym.token.encode(), code, gym.code.encode()):
            assert secret not in text, name
    assert "Zoë".encode() not in kept["gateway.log"]
    with come(gym, headers={"Authorization": f"Bearer {gym.token}"}) as technician:
        audit = technician.get("/audit").text
    assert "ride_claimed" in audit
    assert "Zoë" not in audit
