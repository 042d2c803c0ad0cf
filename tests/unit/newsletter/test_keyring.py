"""The keys of an installation: made once, kept, and read again."""

import json
import os
import stat

import pytest

from newsletter.errors import ConfigurationFault
from newsletter.keyring import KEY_FILE, key_file, load_keys
from newsletter.settings import load


@pytest.fixture
def settings(tmp_path):
    def make(**more):
        return load(database={"url": f"sqlite:///{tmp_path / 'var' / 'newsletter.sqlite'}"}, **more)

    return make


def test_keys_are_made_once_and_only_their_owner_may_read_them(settings):
    made = load_keys(settings())
    assert load_keys(settings()) == made
    mode = stat.S_IMODE(key_file(settings()).stat().st_mode)
    assert mode == 0o600
    assert [path.name for path in key_file(settings()).parent.iterdir()] == [KEY_FILE]


def test_a_secret_key_signs_and_earlier_keys_still_verify(settings):
    made = load_keys(settings())
    own = load_keys(settings(secret_key="hush"))
    assert own.signing[1:] == made.signing
    assert own.signing[0] not in made.signing
    assert own.suppression == made.suppression
    assert load_keys(settings(secret_key="hush")) == own
    assert load_keys(settings(secret_key="other")).signing[0] != own.signing[0]


def test_keys_that_cannot_be_read_are_not_made_anew(settings):
    load_keys(settings())
    key_file(settings()).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationFault, match="restore it from a backup"):
        load_keys(settings())
    assert key_file(settings()).read_text(encoding="utf-8") == "{"


def test_of_two_processes_that_make_keys_at_once_one_is_first(settings, monkeypatch):
    theirs = {"signing": [["beef", "00" * 32]], "suppression": "11" * 32}
    place = key_file(settings())

    def late(_draft, path):
        path.write_text(json.dumps(theirs), encoding="utf-8")
        raise FileExistsError(path)

    monkeypatch.setattr(os, "link", late)
    assert load_keys(settings()).suppression == bytes.fromhex("11" * 32)
    assert [path.name for path in place.parent.iterdir()] == [KEY_FILE]


def test_keys_lie_beside_the_database_or_under_var(settings, tmp_path):
    assert key_file(settings()) == tmp_path / "var" / KEY_FILE
    assert str(key_file(load(database={"url": "postgresql://host/name"}))) == f"var/{KEY_FILE}"
    assert str(key_file(load(database={"url": "sqlite://"}))) == f"var/{KEY_FILE}"
