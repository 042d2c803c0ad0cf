import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.engine import make_url

from newsletter.database import migrate, open_engine
from newsletter.doctor import storage
from newsletter.doctor.check import Check
from newsletter.doctor.storage import (
    check_database,
    check_file_system,
    check_keys,
    check_space,
    file_system_of,
    reach_database,
    sqlite_file,
)

MOUNTS = r"""
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/my\040share rw,relatime shared:5 - nfs4 store.example:/share rw
31 22 0:41 / /srv rw - ext4 /dev/sdb1 rw
32 22 0:42 / /srv rw - cifs //store.example/srv rw
33 22 broken
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/var/n.sqlite", "ext4"), ("/mnt/my share/n.sqlite", "nfs4"), ("/srv/n.sqlite", "cifs"), ("/srvx/n", "ext4")],
)
def test_a_path_lies_on_the_innermost_mount_and_of_those_the_last(path, kind):
    assert file_system_of(Path(path), MOUNTS) == kind


def test_a_database_on_a_network_file_system_is_an_error():
    check = check_file_system(Path("/mnt/my share/n.sqlite"), MOUNTS)
    assert check.status == "error"
    assert "(nfs4)" in check.words


@pytest.mark.parametrize("mounts", [MOUNTS, ""])
def test_a_database_on_a_disk_or_on_a_system_that_does_not_tell_is_fine(mounts):
    assert check_file_system(Path("/var/n.sqlite"), mounts).status == "ok"


@pytest.mark.parametrize(
    ("free", "status"), [(199_999_999, "error"), (1_999_999_999, "warning"), (2_000_000_000, "ok")]
)
def test_room_is_counted_in_gigabytes(monkeypatch, tmp_path, free, status):
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert check_space(tmp_path).status == status


@pytest.mark.parametrize(
    ("url", "file"),
    [("sqlite:////a/b.sqlite", Path("/a/b.sqlite")), ("sqlite://", None), ("sqlite:///:memory:", None)],
)
def test_a_database_in_memory_has_no_file(url, file):
    assert sqlite_file(make_url(url)) == file
    assert sqlite_file(make_url("postgresql://db.example/n")) is None


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    check = reach_database(f"sqlite:///{tmp_path}/var/n.sqlite")
    assert isinstance(check, Check)
    assert (check.status, check.advice) == ("error", "Run `newsletter init`, or correct the setting.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["no address", "mysql://db.example/n", "postgresql://127.0.0.1:1/n"])
def test_a_database_that_cannot_be_opened_is_an_error(url):
    check = reach_database(url)
    assert isinstance(check, Check)
    assert check.status == "error"


def test_a_database_without_tables_says_what_to_do(tmp_path):
    (tmp_path / "n.sqlite").touch()
    check = reach_database(f"sqlite:///{tmp_path}/n.sqlite")
    assert isinstance(check, Check)
    assert "newsletter init" in check.words


def test_a_database_of_this_version_is_fine(tmp_path):
    url = f"sqlite:///{tmp_path}/n.sqlite"
    made = open_engine(url)
    migrate(made)
    made.dispose()
    engine = reach_database(url)
    assert not isinstance(engine, Check)
    assert check_database(engine).status == "ok"
    engine.dispose()


KEYS = json.dumps({"signing": [["a", "00"]], "suppression": "00"})


def keys(path, content=KEYS, mode=0o600):
    file = path / "keys.json"
    file.write_text(content)
    file.chmod(mode)
    return [(check.status.value, check.words.rpartition("/")[2]) for check in check_keys(file)]


def test_keys_that_only_their_owner_can_read_are_fine(tmp_path):
    assert keys(tmp_path) == [("ok", "keys.json can be read")]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o602])
def test_keys_that_others_may_open_are_an_error(tmp_path, mode):
    assert [status for status, _ in keys(tmp_path, mode=mode)] == ["error", "ok"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"signing": [], "suppression": "00"}', KEYS.replace('"00"', '"x"')]
)
def test_keys_that_are_not_whole_are_an_error(tmp_path, content):
    assert keys(tmp_path, content) == [("error", "keys.json cannot be read")]


def test_keys_that_are_not_there_yet_are_fine(tmp_path):
    (check,) = check_keys(tmp_path / "keys.json")
    assert check.status == "ok"
    assert list(tmp_path.iterdir()) == []
