import re
import shutil
from pathlib import Path

import pytest

from newsletter.content.newsletter import Newsletter
from newsletter.content.store import save_newsletter
from newsletter.database import migrate, open_engine, session_factory
from newsletter.doctor.examination import Surroundings, examine, mounts_of_this_machine
from newsletter.doctor.machine import PROGRAMS
from newsletter.doctor.relay import RelayFacts
from newsletter.doctor.storage import MOUNTS
from newsletter.settings import DatabaseSettings, DispatchSettings, Settings

PAGE = Path(__file__).parents[4] / "docs" / "doctor.md"
DOCTOR = Path(__file__).parents[4] / "newsletter" / "doctor"

NEWSLETTER = {
    "slug": "harbours",
    "name": "Harbour News",
    "languages": ["en"],
    "timezone": "Europe/Brussels",
    "sender": {"name": "Harbours", "address": "news@harbours.example"},
    "list_id": "news.harbours.example",
    "sections": [{"key": "news", "title": "News"}],
}


class Nothing:
    """A DNS without records."""

    def texts(self, _name):
        return ()

    def mail_hosts(self, _name):
        return ()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The file of a database of this version, without any newsletter."""
    file = tmp_path_factory.mktemp("database") / "n.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    return file


@pytest.fixture
def url(made, tmp_path):
    """A copy of it."""
    return f"sqlite:///{shutil.copy(made, tmp_path / 'n.sqlite')}"


@pytest.fixture
def filled(url, now):
    """A function that stores a newsletter and gives the settings."""

    def fill(**changes):
        engine = open_engine(url)
        with session_factory(engine)() as session:
            save_newsletter(session, Newsletter.model_validate({**NEWSLETTER, **changes}), now=now)
            session.commit()
        engine.dispose()
        return settings(url)

    return fill


def settings(url, **changes):
    return Settings(database=DatabaseSettings(url=url), public_url="https://news.example", **changes)


def around(tmp_path, **changes):
    given = {
        "key_file": tmp_path / "keys.json",
        "probe": lambda _: RelayFacts(extensions={"pipelining": ""}),
        "version": (3, 12, 13),
        "which": lambda _: None,
        **changes,
    }
    return Surroundings(**given)


def found(settings, surroundings):
    return {check.code: check.status.value for check in examine(settings, surroundings).checks}


def test_an_installation_that_is_put_up_well_is_well(filled, tmp_path):
    diagnosis = examine(filled(), around(tmp_path))
    assert [check for check in diagnosis.checks if check.status != "ok"] == []
    assert int(diagnosis.exit_code) == 0


def test_a_database_that_is_missing_is_one_error_and_the_rest_is_looked_at(tmp_path):
    told = found(settings(f"sqlite:///{tmp_path}/none/n.sqlite"), around(tmp_path))
    assert [code for code, status in told.items() if status == "error"] == ["database"]
    assert {"relay", "public-url", "dkim", "keys"} <= set(told)
    assert "disk-space" not in told
    assert not (tmp_path / "none").exists()


def test_a_server_elsewhere_has_no_file_to_look_at(tmp_path):
    told = found(settings("postgresql://127.0.0.1:1/n"), around(tmp_path))
    assert told["database"] == "error"
    assert "file-system" not in told


def test_an_installation_without_a_newsletter_is_told_of(url, tmp_path):
    assert found(settings(url), around(tmp_path))["newsletters"] == "warning"


def test_a_theme_that_is_not_there_is_an_error(filled, tmp_path):
    assert found(filled(theme={"name": "velvet"}), around(tmp_path))["theme"] == "error"


def test_the_dns_is_asked_only_where_somebody_wants_to_know(filled, tmp_path):
    settings = filled()
    assert "spf-missing" not in found(settings, around(tmp_path))
    assert found(settings, around(tmp_path, names=Nothing))["spf-missing"] == "warning"


def test_messages_that_go_into_a_folder_need_no_relay(url, tmp_path):
    to_folder = settings(url, dispatch=DispatchSettings(maildir=tmp_path / "mail"))

    def never(_settings):
        raise AssertionError

    (check,) = [each for each in examine(to_folder, around(tmp_path, probe=never)).checks if each.code == "relay"]
    assert check.status == "warning"
    assert "sent to nobody" in check.words


def test_this_machine_tells_what_is_mounted_if_it_is_linux():
    assert (" / " in mounts_of_this_machine()) is MOUNTS.exists()


def test_another_system_tells_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr("newsletter.doctor.examination.MOUNTS", tmp_path / "none")
    assert mounts_of_this_machine() == ""


def test_the_page_explains_every_code():
    made = [re.findall(r'(?:ok|warning|error|made)\(\s*"([a-z-]+)"', file.read_text()) for file in DOCTOR.glob("*.py")]
    codes = {*(code for found in made for code in found), *PROGRAMS}
    assert len(codes) > 15
    assert {code for code in codes if f"`{code}`" not in PAGE.read_text()} == set()


def test_each_of_several_relays_is_looked_at_and_named(url, tmp_path):
    seen = []

    def probe(relay):
        seen.append(relay.host)
        return RelayFacts(step="connect", failed="refused") if relay.host == "south.example" else RelayFacts()

    relays = [{"name": name, "host": f"{name}.example"} for name in ("north", "south")]
    checks = examine(settings(url, relays=relays), around(tmp_path, probe=probe)).checks

    assert seen == ["north.example", "south.example"]
    told = [(check.words, check.advice) for check in checks if check.code == "relay"]
    assert told == [
        ("north: north.example:25 answers", ""),
        ("south: south.example:25 does not answer: refused", "Correct its host and its port, or start it."),
    ]
