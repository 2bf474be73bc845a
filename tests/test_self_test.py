"""A release tries itself before it is switched to: what cannot work is named, with the remedy."""

import sys

import pytest

from firmware_app.commands import self_test
from firmware_app.errors import MissingPart


def test_a_raspberry_pi_without_lgpio_is_told_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "lgpio", None)
    monkeypatch.setattr(self_test, "PI", tmp_path / "none")
    assert self_test._find_pins() == "none here: no Raspberry Pi"
    monkeypatch.setattr(self_test, "PI", tmp_path)
    with pytest.raises(MissingPart, match="apt install python3-lgpio"):
        self_test._find_pins()
