"""The coach's words: short, with or without a name, and a mistake in them is told in words."""

import pytest

from firmware_app.coach.book import MAX_WORDS, cue_file, read_cues, with_name
from firmware_app.errors import BadSetting
from firmware_app.form.catalogue import RULES

ENGLISH = cue_file("en")


def changed(tmp_path, old, new):
    path = tmp_path / "xx.toml"
    text = ENGLISH.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_every_rule_has_words():
    assert set(read_cues(ENGLISH).rules) == {rule.id for rule in RULES}


def test_the_name_comes_first_and_without_one_the_sentence_still_reads_well():
    assert with_name("{name}, drop your shoulders", "Ana") == "Ana, drop your shoulders"
    assert with_name("{name}, drop your shoulders", "") == "Drop your shoulders"


def test_nothing_promises_health_or_names_degrees():
    text = ENGLISH.read_text(encoding="utf-8").lower()
    spoken = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for word in ("pain", "injur", "health", "safe", "degree", "wrong", "bad"):
        assert word not in spoken


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("priority = 3", "priority = 9", "priority"),
        ("[rules.shrug]", "[rules.shrugg]", "[rules.shrug] is missing"),
        ('praise = "That', 'prais = "That', "prais"),
        ("{name}, drop your shoulders", "{nmae}, drop your shoulders", "braces"),
        ("Long neck, loose hands", "Long neck, {cm} hands", "only about the saddle"),
        ("Try {cm} higher", "Try {mm} higher", "braces"),
        (
            "{name}, drop your shoulders",
            "{name}, drop your shoulders and then let them hang low",
            f"more than {MAX_WORDS} words",
        ),
        ('[ride]\nclean = "', "[ride]\nclean = ", "quote or a bracket"),
    ],
)
def test_a_mistake_in_the_book_names_the_file_and_the_place(tmp_path, old, new, told):
    path = changed(tmp_path, old, new)
    with pytest.raises(BadSetting) as caught:
        read_cues(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_a_rule_nobody_knows_is_refused(tmp_path):
    path = tmp_path / "xx.toml"
    extra = ENGLISH.read_text(encoding="utf-8")
    start = extra.index("[rules.shrug]")
    block = extra[start : extra.index("[rules.head_drop]")].replace("shrug", "wobble", 1)
    path.write_text(extra + "\n" + block, encoding="utf-8")
    with pytest.raises(BadSetting, match=r"no rule is called \[rules.wobble\]"):
        read_cues(path)


def test_a_language_without_a_book_is_told_with_those_there_are():
    with pytest.raises(BadSetting, match=r'"xx".*languages here: .*en'):
        cue_file("xx")


def test_a_book_that_is_not_there_says_where_to_put_it(tmp_path):
    with pytest.raises(BadSetting, match="put the cue book there"):
        read_cues(tmp_path / "de.toml")
