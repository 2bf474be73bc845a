"""One file of settings: everything in it is explained, and a mistake in it is named in words."""

import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import msgspec
import pytest

from firmware_app.errors import BadSetting
from firmware_app.settings import Settings, load_settings, read_settings, sections, settings_path

EXAMPLE = Path(__file__).parents[1] / "config" / "bikebox.toml"
NAMES = sections()


def explained() -> dict[tuple[str, str], tuple[str, str]]:
    """(section, key) to (the comment above it, its value as written); "# key =" counts as none."""
    found, section, comment = {}, "", []
    for line in EXAMPLE.read_text().splitlines():
        if head := re.fullmatch(r"\[(\w+)\]", line):
            section = head.group(1)
        elif setting := re.fullmatch(r"(# )?(\w+) = (.*)", line):
            found[section, setting.group(2)] = (" ".join(comment), setting.group(3))
        if line.startswith("# "):
            comment.append(line[2:])
        else:
            comment = []
    return found


EVERY = [
    (section, field)
    for section, kind in NAMES.items()
    for field in msgspec.structs.fields(kind)
    if field.name not in NAMES
]


def bounds(kind) -> msgspec.Meta | None:
    return next((m for m in get_args(kind) if isinstance(m, msgspec.Meta)), None)


@pytest.mark.parametrize(("section", "field"), EVERY, ids=lambda v: getattr(v, "name", v))
def test_every_setting_is_explained_with_its_range(section, field):
    words, _ = explained()[section, field.name]
    assert len(words) > 12
    if limits := bounds(field.type):
        if limits.ge is not None:
            assert f"{limits.ge} to {limits.le}" in words
        elif limits.le is not None:
            assert f"up to {limits.le}" in words
    if get_origin(field.type) is Literal:
        for choice in get_args(field.type):
            assert choice in words


def test_the_example_has_the_defaults_and_nothing_else():
    assert explained().keys() == {(section, field.name) for section, field in EVERY}
    assert load_settings(EXAMPLE) == Settings(box="row1-bike1")


def test_every_number_has_bounds():
    for section, field in EVERY:
        assert field.type not in (int, float), f"[{section}] {field.name}"


def test_a_misspelt_setting_is_answered_with_the_right_one():
    with pytest.raises(BadSetting, match=r'\[vision\] no setting is called "treads".*"threads"'):
        read_settings('box = "b"\n[vision]\ntreads = 2')


def test_a_misspelt_section_is_answered_with_the_right_one():
    with pytest.raises(BadSetting, match=r'no setting is called "visoin".*"vision"'):
        read_settings('box = "b"\n[visoin]\n')


def test_a_setting_in_the_wrong_section_is_told_what_is_known_there():
    with pytest.raises(BadSetting, match=r"\[crank\] no setting is called .*known here: gpio"):
        read_settings('box = "b"\n[crank]\nwhep_url = ""')


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('[vision]\nthreads = "two"', "vision.threads: Expected `int`, got `str`"),
        ("[vision]\nthreads = 9", "vision.threads: Expected `int` <= 4"),
        ("[coach]\nquiet_s = 5", "coach.quiet_s: Expected `float` >= 30"),
        ('[vision]\nview = "behind"', "vision.view: Invalid enum value 'behind'"),
        ("[coach]\ntarget_rpm = [80]", "coach.target_rpm: Expected `array` of length 2"),
        ("[vision]\nfps = nan", "vision.fps: Expected `float` >= 5"),
        ("[vision]\ndark_below_snr_db = 30.0", "light_above_snr_db 27 is below"),
        ("[coach]\ntarget_rpm = [95, 80]", "target_rpm [95, 80] is no band"),
        ("[coach]\ntarget_rpm = [nan, 80]", "target_rpm [nan, 80] is no band"),
        ('[gateway]\nhost = "0.0.0.0"', "gateway.host: Invalid enum value '0.0.0.0'"),
        ("vision = 3", "vision: Expected `object`, got `int`"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(line, said):
    with pytest.raises(BadSetting, match=re.escape(said)):
        read_settings(f'box = "b"\n{line}')


def test_a_box_without_a_name_is_told_so():
    with pytest.raises(BadSetting, match='"box" is missing'):
        read_settings("")


def test_a_name_that_no_topic_can_carry_is_refused():
    with pytest.raises(BadSetting, match="box: "):
        read_settings('box = "row 2/bike#14"')


def test_a_file_that_is_not_toml_says_where():
    with pytest.raises(BadSetting, match=r"line 2.*quote or a bracket"):
        read_settings('box = "b"\ngym = "open\n')


def test_a_missing_file_names_the_example(tmp_path):
    with pytest.raises(BadSetting, match="No such file.*config/bikebox.toml"):
        load_settings(tmp_path / "none.toml")


def test_a_file_that_is_not_text_says_so(tmp_path):
    (tmp_path / "bikebox.toml").write_bytes(b"\xff\xfe\x00box")
    with pytest.raises(BadSetting, match="not a text file"):
        load_settings(tmp_path / "bikebox.toml")


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    with pytest.raises(BadSetting, match="Is a directory"):
        load_settings(tmp_path)


def test_the_installed_file_is_read_unless_another_is_named(monkeypatch):
    monkeypatch.delenv("BIKEBOX_CONFIG", raising=False)
    assert settings_path() == Path("/etc/bikebox/bikebox.toml")
    monkeypatch.setenv("BIKEBOX_CONFIG", "bench.toml")
    assert settings_path() == Path("bench.toml")
