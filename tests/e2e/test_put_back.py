"""A claimed box of the whole product gets a release that is worse, and is whole again after it."""

import json

import pytest
from boxes import until
from test_fleet import Fleet
from test_identity import Studio
from updates import ASK, served
from whole_release import SETTINGS, whole_release, with_bench

pytestmark = [pytest.mark.long, pytest.mark.boxes(1)]

SPOILT = "\nGatewayService.health = lambda self: 1 / 0\n"
"""Its console answers 500 and the rest of it lives."""


def test_after_an_update_was_put_back_the_old_release_serves_and_is_at_the_broker_again(
    row, foundry, tmp_path
):
    (box,) = row.boxes
    box.cut()
    with_bench(box)
    good = whole_release(foundry, "26.11.0", 1)
    bad = whole_release(foundry, "26.11.5", 5, spoil=("gateway/service.py", SPOILT))
    fleet, studio = Fleet(row, foundry, tmp_path), Studio(row)
    try:
        title = "title = 'North'"
        text = fleet.file.read_text().replace(
            title,
            f'{title}\nstudio = "http://{row.ip}:8790"\n[gyms.north.settings]\n{SETTINGS}',
        )
        fleet.file.write_text(text)
        box.start()
        box.wait_up()
        words = ("studio", "--config", studio.config, "claim", "--box", box.name)
        code = studio.bikebox(*words).split()[0]
        said = fleet.type(
            "provision", "--on", box.name, "--yes", "--bundle", good, "--claim", code,
            "--host-key", fleet.fingerprint(box), user="technician", check=False,
        ).stdout  # fmt: skip
        assert f"This box is {box.name}" in said, said

        def parts():
            done = box.run("python3", "-c", ASK, check=False)
            return json.loads(done.stdout)["parts"] if done.returncode == 0 else {}

        until(lambda: parts().get("studio") == "ok", 40, f"at the studio: {parts()}")
        done = fleet.type("update", bad, "--yes", check=False)
        assert done.returncode == 1, done.stdout + done.stderr
        assert served(box) == "26.11.0"
        until(lambda: parts().get("studio") == "ok", 40, f"at the studio again: {parts()}")
        assert "26.11.5 was put back" in parts()["update"]
        doctor = box.run("bikebox", "doctor", check=False).stdout
        assert "NOT release                  26.11.0; 26.11.5 was put back" in doctor
        assert f"ok  certificate              {box.name}, until 20" in doctor
    finally:
        studio.stop()
