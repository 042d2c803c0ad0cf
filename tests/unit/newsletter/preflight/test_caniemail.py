import json

import pytest

from newsletter.errors import InvalidInput
from newsletter.preflight.caniemail import LARGEST_FILE, load_facts, signs_of
from newsletter.preflight.client_facts import CLIENTS


def data_set(*features):
    return {"api_version": "1.0.4", "last_update_date": "2026-11-02T10:00:00+01:00", "data": list(features)}


def feature(slug="css-tide", **stats):
    return {"slug": slug, "title": "tide", "stats": stats}


@pytest.fixture
def facts_of(tmp_path):
    def load(*features):
        file = tmp_path / "data.json"
        file.write_text(json.dumps(data_set(*features)), encoding="utf-8")
        return load_facts(file)

    return load


def support(found, name):
    (letter,) = [letter for client, letter in zip(CLIENTS, found.support, strict=True) if client.name == name]
    return letter


def test_the_newest_version_counts_without_its_notes(facts_of):
    (found,) = facts_of(feature(outlook={"windows": {"2007": "y", "2019": "a #1 #2"}})).features
    assert support(found, "Outlook (Windows)") == "a"


def test_the_poorest_of_several_systems_counts(facts_of):
    (found,) = facts_of(feature(gmail={"ios": {"1": "n"}, "android": {"1": "y"}})).features
    assert support(found, "Gmail (iOS, Android)") == "n"


def test_what_is_not_tested_is_not_known(facts_of):
    (found,) = facts_of(
        feature(yahoo={"desktop-webmail": {}, "ios": None}, aol={"ios": {"1": "n"}}, gmail=None)
    ).features
    assert set(found.support) == {"u"}


def test_a_feature_of_our_table_keeps_its_title_and_signs(facts_of):
    (found,) = facts_of(feature("css-display-flex")).features
    assert (found.title, found.signs, found.breaks) == ("display: flex", ("display:flex", "display:inline-flex"), True)


def test_another_feature_is_known_by_its_name_and_breaks_nothing(facts_of):
    (found,) = facts_of(feature("css-tide")).features
    assert (found.title, found.signs, found.breaks) == ("tide", ("tide",), False)


def test_the_facts_bear_the_day_of_the_data(facts_of):
    assert facts_of().as_of == "2026-11-02"


@pytest.mark.parametrize(
    ("slug", "signs"),
    [
        ("css-orphans", ("orphans",)),
        ("css-pseudo-class-lang", (":lang",)),
        ("css-pseudo-element-marker", ("::marker",)),
        ("css-at-media-device-pixel-ratio", ("(device-pixel-ratio)",)),
        ("css-at-layer", ("@layer",)),
        ("css-unit-ex", ("1ex",)),
        ("css-function-round", ("round()",)),
        ("css-selector-id", ()),
        ("html-abbr", ("<abbr>", "abbr=")),
        ("image-gif", (".gif",)),
        ("amp", ()),
        ("others-bimi", ()),
    ],
)
def test_signs_follow_from_the_name(slug, signs):
    assert signs_of(slug) == signs


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"data": [{}]}', b'{"data": 1}', b'{"data": [{"slug": "a", "stats": 1}]}', b"\xff"],
)
def test_another_file_is_refused_with_the_way_to_the_right_one(tmp_path, content):
    file = tmp_path / "data.json"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"api/data\.json"):
        load_facts(file)


def test_a_file_that_is_too_large_is_refused(tmp_path):
    file = tmp_path / "data.json"
    file.write_bytes(b" " * (LARGEST_FILE - 1) + json.dumps(data_set()).encode())
    with pytest.raises(InvalidInput, match="is not the data"):
        load_facts(file)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_facts(tmp_path / "data.json")
