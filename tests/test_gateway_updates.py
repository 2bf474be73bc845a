"""What the updater says reaches the console, the bike's screen, the audit and the studio, once."""

import json

import pytest

from firmware_app.clock import HandClock
from gateway.store import Store
from gateway.updates import Updates

PUT_BACK = "26.12.0 was put back: camera worked before, and now: lost: no picture"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "bikebox-update"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "gateway.db", "bike-1", HandClock())
    yield store
    store.close()


def tell(folder, step, why="", *audit):
    (folder / "state.json").write_text(json.dumps({"step": step, "why": why}))
    with (folder / "audit.jsonl").open("a") as file:
        for what, who, detail in audit:
            line = {"at_utc": "2026-11-25T10:00:00", "what": what, "who": who, "detail": detail}
            file.write(json.dumps(line) + "\n")


def noted(store):
    return [(entry.what, entry.who, entry.detail) for entry in store.audit()][::-1]


def test_a_box_without_an_updater_has_nothing_to_tell(store, folder):
    updates = Updates(store, folder)
    updates.look()
    assert (updates.parts, updates.wrong) == ({}, "")


def test_an_update_that_went_back_is_told_until_another_works(store, folder):
    updates = Updates(store, folder)
    tell(folder, "put-back", PUT_BACK)
    updates.look()
    assert updates.parts == {"update": PUT_BACK}
    tell(folder, "refused", "refused: it expired")
    updates.look()
    assert updates.parts == {"update": "ok"}


def test_what_a_technician_put_back_by_hand_is_no_trouble(store, folder):
    updates = Updates(store, folder)
    tell(folder, "put-back", "26.12.0 was put back: rolled back by Ada")
    updates.look()
    assert updates.parts == {"update": "ok"}


def test_each_line_of_the_updaters_audit_is_noted_once_and_goes_to_the_studio(store, folder):
    begun, back = ("update-begun", "Ada", "26.12.0"), ("update-put-back", "Ada", PUT_BACK)
    tell(folder, "pending", "", begun)
    updates = Updates(store, folder)
    updates.look()
    updates.look()
    before = store.outbox.rows
    tell(folder, "put-back", PUT_BACK, back)
    Updates(store, folder).look()  # as after a restart
    assert noted(store)[-2:] == [begun, back]
    assert store.outbox.rows == before + 1


def test_a_line_that_nobody_can_read_is_put_aside_and_passed(store, folder):
    (folder / "audit.jsonl").write_text("half a li\n")
    tell(folder, "kept", "", ("update-kept", "box", "26.12.0"))
    Updates(store, folder).look()
    assert noted(store)[-1] == ("update-kept", "box", "26.12.0")
    assert store.dead == 1


def test_a_state_that_nobody_can_read_says_nothing(store, folder):
    updates = Updates(store, folder)
    for text in ("", "[]", '{"step": "put-back"}'):
        (folder / "state.json").write_text(text)
        updates.look()
        assert updates.parts == {}
