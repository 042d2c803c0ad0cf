"""A mail of last year: its links work after the keys were changed twice and the database came back as another kind."""

import re
from urllib.parse import urlsplit

import pytest
from databases import databases
from visitor import visiting

from newsletter.bootstrap import build
from newsletter.settings import load
from newsletter.web.app import create_app

ROOT = "https://news.beacontowns.example"
ADDRESS = "ada@lakes.example"
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


@pytest.fixture
def old_mail(approved, mail):
    """A message that was sent while the first key signed, with counted links."""
    (approved.folder / "few.csv").write_text(f"email,language\n{ADDRESS},en\n", encoding="utf-8")
    approved.quickly("lists", "create", "few", "--public")
    approved.quickly("subscribers", "import", approved.folder / "few.csv", "--list", "few")
    approved.quickly("segments", "create", "few", 'list = "few"')
    approved.quickly("issue", "queue", "2026-12", "--segment", "few", "--now")
    approved.quickly("dispatch", "--until-done")
    [received] = mail.to(ADDRESS)
    return received


def links_of(received):
    """The personal links of a message, by the letter that their path begins with."""
    header = str(received.message["List-Unsubscribe"])
    found = re.findall(rf"{re.escape(ROOT)}/[a-z]/[^\s<>\"]+", header + received.html)
    return {urlsplit(link).path[1]: link for link in found}


def test_links_in_old_mail_work_after_rotations_and_in_a_database_of_the_other_kind(approved, old_mail, tmp_path):
    links = links_of(old_mail)
    assert {"u", "p"} <= set(links)
    approved.quickly("keys", "rotate", "--prepare")
    approved.quickly("keys", "rotate")
    signing = approved.run("keys", "list", "--json", NEWSLETTER_SECRET_KEY="a secret of our own").json
    assert [(key["signs"], key["from_settings"]) for key in signing] == [(True, True), (False, False), (False, False)]
    approved.quickly("backup", "old.backup")
    assert "is whole" in approved.quickly("backup", "old.backup", "--check").out

    target = databases(OTHER[approved.kind]).address(tmp_path / "new" / "newsletter.sqlite")
    keys = tmp_path / "new" / "keys.json"
    moved = {"NEWSLETTER_DATABASE__URL": target, "NEWSLETTER_KEY_FILE": str(keys)}
    restored = approved.run("restore", approved.folder / "old.backup", "--json", **moved).json
    assert restored["paused"] == []

    settings = load(database={"url": target}, key_file=keys, secret_key="another secret", public_url=ROOT)
    pipeline = build(settings)
    with visiting(create_app(pipeline), root=ROOT) as reader:
        assert reader.get(links["p"]).status_code == 200
        assert reader.get(links["p"][:-1] + "-").status_code != 200
        assert reader.post(links["u"], data={"List-Unsubscribe": "One-Click"}).status_code == 200
    left = databases(OTHER[approved.kind]).rows(
        tmp_path / "new" / "newsletter.sqlite", "SELECT newsletter FROM departure"
    )
    assert left == [("beacon-towns",)]
    pipeline.parts.engine.dispose()


def test_a_restore_says_what_to_think_of_and_overwrites_nothing_unasked(approved):
    approved.run("issue", "queue", "2026-12", "--segment", "everybody", "--at", "2090-01-02 09:00")
    approved.run("backup", "last-night.backup")
    refused = approved.run("restore", "last-night.backup", code=1)
    assert refused.problem.endswith("`restore --replace` gives up what it holds")

    approved.run("subscribers", "unsubscribe", "reader0000@en.example")
    done = approved.run("restore", "last-night.backup", "--replace", "--yes")

    assert "paused: beacon-towns/2026-12, which was scheduled" in done.out
    assert "who left, complained, was suppressed or erased since then is written to again" in done.err
    assert approved.status()["state"] == "paused"
    assert approved.run("backup", "last-night.backup", code=2).problem.endswith("give the backup another name")
