"""The keys of an installation: made once, kept, and read again."""

import json
import os
import stat

import pytest

from newsletter.errors import ConfigurationFault, NotFound, WrongState
from newsletter.keyring import (
    KEY_FILE,
    content_of,
    key_file,
    load_keys,
    prepare,
    put_keys,
    read_keys,
    revoke,
    rotate,
    standings,
)
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


def test_keys_lie_where_the_settings_say(settings, tmp_path):
    chosen = tmp_path / "elsewhere" / "keys.json"
    made = load_keys(settings(key_file=chosen))
    assert read_keys(chosen.read_bytes(), name="them") == made


def test_a_secret_that_signed_once_is_remembered(settings):
    made = load_keys(settings())
    first = load_keys(settings(secret_key="first")).signing[0]
    second = load_keys(settings(secret_key="second")).signing[0]
    assert load_keys(settings(secret_key="second")).signing == (second, *made.signing, first)
    assert load_keys(settings()).signing == (*made.signing, first, second)


def test_a_file_that_cannot_be_written_is_no_hindrance(settings, monkeypatch):
    made = load_keys(settings())

    def refused(*_given):
        raise PermissionError(13, "read only")

    monkeypatch.setattr(os, "open", refused)
    assert load_keys(settings(secret_key="hush")).signing[1:] == made.signing


def test_another_key_signs_and_the_one_before_it_still_verifies(settings):
    made = load_keys(settings())
    name = rotate(settings())
    keys = load_keys(settings())
    assert keys.signing[0][0] == name
    assert (keys.signing[1:], keys.suppression) == (made.signing, made.suppression)
    assert [(each.id, each.signs) for each in standings(settings())] == [(name, True), (made.signing[0][0], False)]


def test_a_key_that_was_prepared_verifies_and_signs_when_it_is_its_turn(settings):
    made = load_keys(settings())
    name = prepare(settings())
    assert prepare(settings()) == name
    assert [key for key, _ in load_keys(settings()).signing] == [made.signing[0][0], name]
    assert [each.is_next for each in standings(settings())] == [False, True]
    assert rotate(settings()) == name
    assert [key for key, _ in load_keys(settings()).signing] == [name, made.signing[0][0]]
    assert rotate(settings()) != name


def test_a_key_from_the_settings_is_rotated_there(settings):
    for act in (prepare, rotate):
        with pytest.raises(WrongState, match="NEWSLETTER_SECRET_KEY signs: give it another value"):
            act(settings(secret_key="hush"))


def test_a_key_in_wrong_hands_is_forgotten_unless_it_signs(settings):
    [(old, _)] = load_keys(settings()).signing
    with pytest.raises(WrongState, match="signs: rotate first"):
        revoke(settings(), old)
    new = rotate(settings())
    following = prepare(settings())
    revoke(settings(), following)
    revoke(settings(), old)
    assert [key for key, _ in load_keys(settings()).signing] == [new]
    with pytest.raises(NotFound, match=f"there is no signing key '{old}'"):
        revoke(settings(), old)


def test_keys_that_must_be_there_are_not_made(settings):
    with pytest.raises(ConfigurationFault, match="is missing, and this database was used with keys"):
        load_keys(settings(), made=False)
    assert not key_file(settings()).exists()


def test_keys_of_the_same_installation_are_joined(settings, tmp_path):
    load_keys(settings())
    kept = content_of(settings(secret_key="hush"))
    name = rotate(settings())
    assert put_keys(key_file(settings()), kept, mark="now") is None
    keys = load_keys(settings())
    assert keys.signing[0][0] == name
    assert set(read_keys(kept, name="them").signing) < set(keys.signing)
    assert [path.name for path in (tmp_path / "var").iterdir()] == [KEY_FILE]


def test_keys_of_another_installation_are_set_aside(settings, tmp_path):
    made = load_keys(settings())
    theirs = json.dumps({"signing": [["beef", "00" * 32]], "suppression": "11" * 32}).encode()
    aside = put_keys(key_file(settings()), theirs, mark="now")
    assert aside == tmp_path / "var" / f"{KEY_FILE}.before-now"
    assert read_keys(aside.read_bytes(), name="them") == made
    assert load_keys(settings()).signing == (("beef", bytes(32)),)
    assert stat.S_IMODE(key_file(settings()).stat().st_mode) == 0o600


def test_keys_are_put_where_there_were_none(tmp_path):
    theirs = json.dumps({"signing": [["beef", "00" * 32]], "suppression": "11" * 32}).encode()
    assert put_keys(tmp_path / "var" / KEY_FILE, theirs, mark="now") is None
    assert (tmp_path / "var" / KEY_FILE).read_bytes() == theirs


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"signing": [], "suppression": "11"}'])
def test_what_holds_no_keys_is_refused(content):
    with pytest.raises(ConfigurationFault, match="them cannot be read"):
        read_keys(content, name="them")
